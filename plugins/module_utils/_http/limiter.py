# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limiter: how many requests may leave, for all threads together. Private to the collection."""

from __future__ import annotations

import bisect
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject

RATE_WINDOW = 10.0
# A request is counted here when it leaves, and once it was answered, then; by the server in between.
RATE_WINDOW_MARGIN = 0.03
LEAST_LEARNED = 10
MOST_PEACE = 32
# Seconds for which a budget that was learned is handed on. Later, whoever used the rest may have gone.
LEARNED_SECONDS = 600


class TooLate(Exception):
    """The next request could only leave after the moment until which the caller may wait."""


class Limiter:
    """Keeps all threads together at `limit` requests in any window, first come, first served.

    It starts gently: a twentieth of the limit may leave at once, and the rest of the first window evenly, because
    another task or another client may just have used the budget; unless it takes over what the task before it knew.
    A 429 is news for all threads. Nobody sends before the pause is over. The budget falls to what went through lately,
    at most by half, the next requests leave evenly, and in peace it grows again: more slowly with each growth that
    another 429 answers, and faster once more gets through than had been refused. So it settles just below a limit that
    it was not told, and comes back when whoever used the rest has gone.
    limit: requests in `window` seconds, or 0 where no limit is known; then one is only learned.
    """

    def __init__(
        self, limit: int, window: float = RATE_WINDOW + RATE_WINDOW_MARGIN, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self.window = window
        self._clock = clock
        self._lock = threading.Lock()
        # What sleepers sleep on; set and replaced to wake them all.
        self._stopped = threading.Event()
        self._ended = False
        self._paused_until = 0.0
        # How many may leave within a window now, or None.
        self._budget: int | None = limit or None
        self._step = max(1, limit // 20)
        # Grows after so many windows without a 429.
        self._peace = 1
        self._grows_at = math.inf
        # How many had left within a window when the last 429 came, and whether the budget has grown since.
        self._refused_at = 0
        self._grew = True
        self._slots: deque[float] = deque()
        if limit:
            self._pretend(limit - max(1, limit // 20), clock())

    def acquire(self, until: float = math.inf, look: Callable[[], object] | None = None) -> float:
        """Blocks until this thread may send, and returns its slot, for arrived(). Raises InterruptedError after stop(), and
        TooLate at once.

        until: the moment, by the limiter's clock, until which it may take. look: called after each wake(); what it
        raises ends the wait.
        """
        while True:
            slot, pause = self._reserve(until)
            while self._sleep(slot - self._clock()):
                if look is not None:
                    look()
            # A pause that came while this thread slept made its slot void: the slots were given out anew.
            if self._paused_until == pause:
                return slot

    def _reserve(self, until: float) -> tuple[float, float]:
        """(the moment at which this thread may send, the pause that was known then)."""
        with self._lock:
            slot = max(self._clock(), self._paused_until)
            if self._budget and len(self._slots) >= self._budget:
                slot = max(slot, self._slots[-self._budget] + self.window)
            if slot > until:
                raise TooLate
            if self._budget is not None and slot >= self._grows_at:
                if self._budget > self._refused_at * 1.1:
                    # What was too much then is not any more: whoever used the rest has gone.
                    self._step, self._peace = 2 * self._step, 1
                self._budget += self._step
                self._grew = True
                self._grows_at = slot + self.window * self._peace
                if self.limit and self._budget >= self.limit:
                    self._budget, self._grows_at = self.limit, math.inf
            self._slots.append(slot)
            while len(self._slots) > 2 * (self._budget or 0) and self._slots[0] < slot - self.window:
                self._slots.popleft()
            return slot, self._paused_until

    def arrived(self, slot: float) -> None:
        """The request that was sent in this slot was answered: not later than now it was counted by the server."""
        with self._lock:
            place = bisect.bisect_left(self._slots, slot)
            # After a pause the slots were given out anew.
            if place < len(self._slots) and self._slots[place] == slot:
                del self._slots[place]
                bisect.insort(self._slots, self._clock())

    def _pretend(self, count: int, until: float) -> None:
        """As if so many requests had left evenly within the window before `until`."""
        pace = self.window / max(1, count)
        self._slots = deque(until - self.window + pace * place for place in range(count))

    def pause(self, seconds: float, refused: bool = False) -> None:
        """Nobody sends for so many seconds. refused: because of a 429, after which less is sent."""
        with self._lock:
            now = self._clock()
            # What was on its way already when the first 429 came is no further news.
            if refused and now >= self._paused_until:
                self._learn(now)
            until = max(self._paused_until, now + seconds)
            if until == self._paused_until:
                return
            self._paused_until = until
            if self._budget:
                self._pretend(self._budget, until)
            if self._budget and self._budget != self.limit:
                self._grows_at = until + self.window * self._peace

    def _learn(self, now: float) -> None:
        """What was sent within the last window was a little too much."""
        sent = sum(now - self.window < slot <= now for slot in self._slots)
        if self._budget is None:
            # After a few requests only, it was others who used the budget.
            self._budget = max(LEAST_LEARNED, sent * 9 // 10)
            self._step = max(1, self._budget // 20)
        else:
            self._budget = max(1, min(self._budget, max(self._budget // 2, sent * 9 // 10)))
            self._step = max(1, self._budget // 20)
            # Only a growth that failed is a reason to grow more slowly.
            if self._grew:
                self._peace = min(2 * self._peace, MOST_PEACE)
        self._refused_at, self._grew = sent, False

    def knowledge(self) -> JsonObject:
        """What the next task should know, as a JSON value: what was sent and learned, in seconds before now."""
        with self._lock:
            now = self._clock()
            return dict(
                at=time.time(),
                limit=self.limit,
                sent=[round(now - slot, 3) for slot in self._slots if now - slot < self.window],
                pause=max(0.0, self._paused_until - now),
                budget=self._budget,
                peace=self._peace,
                refused_at=self._refused_at,
            )

    def take_over(self, knowledge: JsonObject) -> None:
        """Goes on where another limiter of the same budget has ended, and without one as if nobody had sent anything.

        knowledge: see knowledge(), {} for none. What makes no sense in it is nothing.
        """
        with self._lock:
            now = self._clock()
            passed = time.time() - (number_in(knowledge, "at") or -math.inf)
            self._slots = deque()
            if not 0 <= passed < LEARNED_SECONDS or knowledge.get("limit") != self.limit:
                return
            sent = knowledge.get("sent")
            ages = [age + passed for age in sent if is_number(age)] if isinstance(sent, list) else []
            self._slots.extend(sorted(now - age for age in ages if -self.window < age < self.window))
            self._paused_until = now + min(LEARNED_SECONDS, max(0.0, (number_in(knowledge, "pause") or 0.0) - passed))
            budget = number_in(knowledge, "budget")
            if budget is not None and budget >= 1 and (not self.limit or budget < self.limit):
                self._budget = int(budget)
                self._step = max(1, self._budget // 20)
                self._peace = int(min(MOST_PEACE, max(1, number_in(knowledge, "peace") or 1)))
                self._refused_at = int(number_in(knowledge, "refused_at") or 0)
                self._grew = False
                self._grows_at = max(now, self._paused_until) + self.window * self._peace

    def seconds_for(self, requests_to_send: int) -> float:
        """The seconds within which so many requests can leave."""
        budget = self._budget
        return requests_to_send * self.window / budget if budget else 0.0

    def wait(self, seconds: float) -> None:
        """Sleeps, at most until the next wake(). Raises InterruptedError after stop()."""
        self._sleep(seconds)

    def _sleep(self, seconds: float) -> bool:
        """Whether wake() ended the sleep early."""
        woken = self._stopped.wait(max(0.0, seconds))
        if self._ended:
            raise InterruptedError("stopped")
        return woken

    def wake(self) -> None:
        """Wakes every sleeper: something has changed that they should look at."""
        with self._lock:
            if not self._ended:
                sleepers, self._stopped = self._stopped, threading.Event()
                sleepers.set()

    def stop(self) -> None:
        """Wakes every sleeper for good, so that an interrupted task ends at once."""
        with self._lock:
            self._ended = True
            self._stopped.set()


def is_number(value: object) -> bool:
    """Whether a JSON value is a number that can be reckoned with."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 10**12


def number_in(knowledge: JsonObject, name: str) -> float | None:
    """A number of a dict, or None."""
    return knowledge[name] if is_number(knowledge.get(name)) else None
