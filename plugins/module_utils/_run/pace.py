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
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import TURN

# So many are each looked at every interval: who waits for a few wants to know each.
FEW = 10
# What so many have in common is taken for a rule.
ENOUGH = 10
# Looks an interval that a line of many is given whatever they bring.
SAMPLE = 2
# How much older the scans may be, in parts of their age, when the first end is seen.
FIRST_END = 0.1
# Further looks that a look earns which sees an end, and how many can be saved up, or spent before they are earned. So at most
# one look in six is in vain beside the sample and these; as long as more than five in six see an end, all go on at once.
EARNED = 1.2
MOST_SAVED = 8


class Pace:
    """When to look at each of many scans: that the last one is known soon after it ended, with as few looks as can be.

    A few are each looked at every interval. Many wait in line, in which a sample of them is looked at every interval.
    A look that sees an end pays for itself and a little more. So while nothing has ended there is the sample; when some
    have, more are looked at; and when most have, all are, one after the other without a pause. When the last one has ended,
    so have all of the line: the next one of the sample sees an end, and what it earns is enough for all others. So the last
    one is known within two intervals, and the looks in vain are bounded, whatever the lengths of the scans are.

    What is known of how long others took, in this run or before, spares the sample: a scan younger than half of the
    shortest of at least ten is left alone.

    interval: seconds. seconds_for: function from a number of requests to the seconds that the rate limit makes them
    take. durations: seconds that earlier scans took. each: whether each of many is looked at every interval, or as often as
    the rate limit allows. together: function that says whether one request looks at many. Then all are looked at at the same
    moments.
    """

    def __init__(
        self,
        interval: float,
        seconds_for: Callable[[int], float] = lambda requests_to_send: 0.0,
        durations: Collection[float] = (),
        each: bool = False,
        together: Callable[[], bool] = lambda: False,
    ) -> None:
        self.interval = interval
        self._seconds_for = seconds_for
        self._each = each
        self._together = together
        self._rounds_from = time.monotonic()
        self._known = len(durations)
        self._shortest: float | None = min(durations, default=None)
        self._open = 0
        self._begun = 0
        # Looks of the sample that the line may do now, and when that was reckoned; those that were earned, and whether the
        # last look has earned any.
        self._given = self._saved = 0.0
        self._hot = self._seen_end = False
        self._reckoned_at = time.monotonic()
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
        try:
            yield Scan(self)
        finally:
            with self._lock:
                self._open -= 1

    @property
    def open(self) -> int:
        """How many scans have begun and not ended."""
        return self._open

    def until_round(self) -> float | None:
        """Seconds to the next moment at which all are looked at together, None where each has its own."""
        if not self._together() or not self.interval:
            return None
        return self.interval - (time.monotonic() - self._rounds_from) % self.interval

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

    def paid(self) -> None:
        """A look has seen an end."""
        with self._lock:
            self._saved = min(self._saved + EARNED, MOST_SAVED)
            self._hot = self._seen_end = True

    def in_vain(self) -> None:
        """A look has seen no end."""
        self._hot = False

    def turn(self, since: float, waiting: int, left: float) -> float:
        """Gives the first in line its turn and returns 0, or returns the seconds until it may: see batch.Line."""
        with self._lock:
            now = time.monotonic()
            rate = SAMPLE / max(self.interval, 0.001)
            if not self._seen_end:
                # Where all are young, the interval is long: the first end is to be seen before they are much older.
                rate = max(rate, 1 / (FIRST_END * max(now - since, 0.001)))
            self._given = min(SAMPLE, self._given + (now - self._reckoned_at) * rate)
            self._reckoned_at = now
            again = since + self.interval - now
            if again > 0:
                return again
            # Before nobody is waited for any more, all are looked at once.
            last_call = left - self.interval - self._seconds_for(waiting)
            if last_call <= 0:
                return 0.0
            if self._saved >= 1 or self._hot and self._saved > 1 - MOST_SAVED:
                self._saved -= 1
            elif self._given >= 1:
                self._given -= 1
            else:
                return min(last_call, (1 - self._given) / rate + 0.001)
            return 0.0

    def lines_up(self) -> bool:
        """Whether a scan waits in line for its next look."""
        return not self._each and not self._together() and self._begun > FEW

    def pause(self, age: float | None, share: float, in_line: bool) -> float:
        """Seconds from a look at a scan that runs until it is looked at again, or lines up. age: seconds since it began
        then, or None. share: of the interval, so that not all are looked at at once. in_line: whether it lines up."""
        shortest = self._shortest
        if in_line:
            return shortest / 2 - age if self._known >= ENOUGH and shortest and age is not None else 0.0
        # Never later than asked for, unless the rate limit makes it so.
        pause = max(self.interval, self._seconds_for(self._open)) * share
        if age is None or shortest is None or age >= shortest:
            return pause
        if self._known >= ENOUGH and self._begun > FEW and age + pause < shortest / 2:
            return shortest / 2 - age
        # One that is about to be as old as the shortest is looked at just then.
        return min(pause, shortest - age)


class Scan:
    """What a generator for drive knows of the time that its scan takes. began: by time.monotonic(), or None."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self.began: float | None = None
        # How old it was when it was last seen running. An end that is seen much later tells nothing of its length.
        self._ran: float | None = 0.0
        self._paid = False

    def age(self) -> float | None:
        """Seconds since the scan began, or None if that is not known."""
        return None if self.began is None else time.monotonic() - self.began

    def pause(self, in_line: bool = True) -> Steps:
        """Yields for drive until it is time for the next look. in_line: whether it may be one that waits in line."""
        until_round = self._pace.until_round()
        if until_round is not None:
            yield until_round
            return
        paused_at = time.monotonic()
        age = self._ran = self.age()
        share = random.uniform(0.85, 1.0)
        # Again and again, because of what is learned meanwhile: waking up costs no request.
        while True:
            lines_up = in_line and self._pace.lines_up()
            left = self._pace.pause(age, share, lines_up) - (time.monotonic() - paused_at)
            if left <= 0.001:
                break
            yield min(left, max(1.0, self._pace.interval))
        if lines_up:
            yield TURN

    @property
    def pace(self) -> Pace:
        """The Pace of all scans."""
        return self._pace

    def pay(self) -> None:
        """A look has seen its end, which earns the others one."""
        if not self._paid:
            self._paid = True
            self._pace.paid()

    def ended(self) -> float | None:
        """The scan was seen to have ended. Returns the seconds that it took, or None where nobody looked in time."""
        self.pay()
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

    def look(self, scan: Scan) -> bool | float:
        """Does one step. Returns whether it was the last one, or the seconds until the next one, which is no further look.

        Raises ItemFailed, HttpError.
        """


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
            failed = True
        else:
            failed = False
            scan.pace.answered()
            step.item.pop("last_error", None)
            if done is True:
                scan.pay()
                return
            if done is not False:
                yield done
                continue
        if not wait:
            return
        scan.pace.in_vain()
        # Of one that failed, nobody knows whether it has been asked for at all: it is no matter of looks.
        yield from scan.pause(in_line=not failed)
