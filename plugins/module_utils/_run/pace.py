# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to look at each of many scans, and how a wait outlives an outage. Private to the collection."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import utc_now
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError

# So many are looked at as often as asked for even where the rate limit does not allow it for all.
SCOUTS = 10
# What so many have in common is taken for a rule.
ENOUGH = 10


class Pace:
    """When to look at each of many scans: seldom while it cannot have ended, at least every `interval` while it may.

    What is known is how long others took, in this run or before. A scan younger than half of the shortest of at least
    ten is left alone. One that is about to be as old as the shortest is looked at just then. Where there are more
    scans than the rate limit allows to look at within the interval, most are looked at as often as it allows, and a
    few, the scouts, every interval: they tell when the others may be ending.

    interval: seconds. seconds_for: function from a number of requests to the seconds that the rate limit makes them
    take. durations: seconds that earlier scans took.
    """

    def __init__(
        self,
        interval: float,
        seconds_for: Callable[[int], float] = lambda requests_to_send: 0.0,
        durations: Collection[float] = (),
    ) -> None:
        self.interval = interval
        self._seconds_for = seconds_for
        self._known = len(durations)
        self._shortest: float | None = min(durations, default=None)
        self._open = 0
        self._begun = 0
        self._lock = threading.Lock()
        # Whether the API has answered at all in this task, and since when it has not any more.
        self.heard = False
        self.silent_since: str | None = None

    @contextlib.contextmanager
    def scan(self) -> Iterator[Scan]:
        """One scan, from its first request to its end, as a Scan."""
        with self._lock:
            self._open += 1
            self._begun += 1
            scan = Scan(self, scout=self._begun <= SCOUTS)
        try:
            yield scan
        finally:
            with self._lock:
                self._open -= 1

    def answered(self) -> None:
        """The API has just answered."""
        self.heard, self.silent_since = True, None

    def silent(self) -> None:
        """The API has just not answered, for a reason that may pass."""
        self.silent_since = self.silent_since or utc_now()

    def silence(self) -> str:
        """What the progress line says of an API that is away, or ""."""
        return ", nothing heard since %s" % self.silent_since if self.silent_since else ""

    def took(self, seconds: float) -> None:
        """A scan was seen to have ended after so many seconds."""
        with self._lock:
            self._known += 1
            self._shortest = seconds if self._shortest is None else min(self._shortest, seconds)

    def gap(self, scout: bool) -> float:
        """The most seconds between two looks at a scan that may be ending."""
        return self.interval if scout else max(self.interval, self._seconds_for(self._open))

    def pause(self, age: float | None, scout: bool, share: float) -> float:
        """Seconds from a look at a scan that runs to the next one. age: seconds since it began then, or None."""
        # Not all at once, and never later than asked for.
        pause = self.gap(scout) * share
        shortest = self._shortest
        if age is None or shortest is None or age >= shortest:
            return pause
        if self._known >= ENOUGH and not scout and age + pause < shortest / 2:
            return shortest / 2 - age
        return min(pause, shortest - age)


class Scan:
    """What a generator for drive knows of the time that its scan takes. began: by time.monotonic(), or None."""

    def __init__(self, pace: Pace, scout: bool) -> None:
        self._pace = pace
        self._scout = scout
        self.began: float | None = None
        # How old it was when it was last seen running. An end that is seen much later tells nothing of its length.
        self._ran: float | None = 0.0

    def age(self) -> float | None:
        """Seconds since the scan began, or None if that is not known."""
        return None if self.began is None else time.monotonic() - self.began

    def pause(self) -> Steps:
        """Yields for drive until it is time for the next look."""
        paused_at = time.monotonic()
        age = self._ran = self.age()
        share = random.uniform(0.85, 1.0)
        left = self._pace.pause(age, self._scout, share)
        while True:
            yield min(left, max(1.0, self._pace.interval))
            # Again and again, because of what is learned meanwhile: waking up costs no request.
            left = self._pace.pause(age, self._scout, share) - (time.monotonic() - paused_at)
            if left <= 0.001:
                return

    @property
    def pace(self) -> Pace:
        """The Pace of all scans."""
        return self._pace

    def ended(self) -> float | None:
        """The scan was seen to have ended. Returns the seconds that it took, or None where nobody looked in time."""
        age = self.age()
        if age is None or self._ran is None or not 0 < age <= 2 * self._ran:
            return None
        self._pace.took(age)
        return round(age, 1)


class Step(Protocol):
    """What watch() does until it is done.

    item: the result. known: true if an earlier task has begun what is waited for.
    """

    item: Item

    @property
    def known(self) -> object:
        """See above."""

    def look(self, scan: Scan) -> bool:
        """Does one step. Returns whether it was the last one. Raises ItemFailed, HttpError."""


def has_heard(item: Item) -> bool:
    """Whether the API has answered in this item's work."""
    return any(exchange["status"] < 400 and not exchange.get("remembered") for exchange in item.get("answers", ()))


def watch(step: Step, scan: Scan, wait: bool) -> Steps:
    """Looks until there is nothing more to look for, as a generator for batch.drive.

    step: see Step. scan: the Scan. wait: whether to look more than once.

    A look that fails for a reason that may pass is not the end of a wait: it is in the item as `last_error` until the next
    look. Only where nothing was begun yet, and the API has never answered in this task, nobody knows whether there is one.
    """
    while True:
        try:
            done = step.look(scan)
        except HttpError as error:
            if not (wait and error.passing and (scan.pace.heard or step.known or has_heard(step.item))):
                raise
            step.item["last_error"] = str(error)
            scan.pace.silent()
        else:
            scan.pace.answered()
            step.item.pop("last_error", None)
            if done:
                return
        if not wait:
            return
        yield from scan.pause()
