# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drives many items at once through a few threads, whatever they do.

An item is a generator: it does a step of its work and yields the seconds until it wants to go on. While it waits it
holds no thread, so thousands of scans can be waited for by ten threads. Knows no API. Private to the collection.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import heapq
import itertools
import random
import threading
import time
import traceback

CHECK_SECONDS = 5.0
# So many are looked at as often as asked for even where the rate limit does not allow it for all.
SCOUTS = 10
# What so many have in common is taken for a rule.
ENOUGH = 10


class WaitTimeout(Exception):
    """The item was still waiting when the time was up."""


class Looks:
    """When to look at each of many scans: seldom while it cannot have ended, at least every `interval` while it may.

    What is known is how long others took, in this run or before. A scan younger than half of the shortest of at least
    ten is left alone. One that is about to be as old as the shortest is looked at just then. Where there are more
    scans than the rate limit allows to look at within the interval, most are looked at as often as it allows, and a
    few, the scouts, every interval: they tell when the others may be ending.

    interval: seconds. seconds_for: function from a number of requests to the seconds that the rate limit makes them
    take. durations: seconds that earlier scans took.
    """

    def __init__(self, interval, seconds_for=lambda requests_to_send: 0.0, durations=()):
        self.interval = interval
        self._seconds_for = seconds_for
        self._known = len(durations)
        self._shortest = min(durations, default=None)
        self._open = 0
        self._begun = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def scan(self):
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

    def took(self, seconds):
        """A scan was seen to have ended after so many seconds."""
        with self._lock:
            self._known += 1
            self._shortest = seconds if self._shortest is None else min(self._shortest, seconds)

    def gap(self, scout):
        """The most seconds between two looks at a scan that may be ending."""
        return self.interval if scout else max(self.interval, self._seconds_for(self._open))

    def pause(self, age, scout, share):
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

    def __init__(self, looks, scout):
        self._looks = looks
        self._scout = scout
        self.began = None
        # How old it was when it was last seen running. An end that is seen much later tells nothing of its length.
        self._ran = 0.0

    def age(self):
        """Seconds since the scan began, or None if that is not known."""
        return None if self.began is None else time.monotonic() - self.began

    def pause(self):
        """Yields for drive until it is time for the next look."""
        paused_at = time.monotonic()
        age = self._ran = self.age()
        share = random.uniform(0.85, 1.0)
        left = self._looks.pause(age, self._scout, share)
        while True:
            yield min(left, max(1.0, self._looks.interval))
            # Again and again, because of what is learned meanwhile: waking up costs no request.
            left = self._looks.pause(age, self._scout, share) - (time.monotonic() - paused_at)
            if left <= 0.001:
                return

    def ended(self):
        """The scan was seen to have ended. Returns the seconds that it took, or None where nobody looked in time."""
        age = self.age()
        if age is None or self._ran is None or not 0 < age <= 2 * self._ran:
            return None
        self._looks.took(age)
        return round(age, 1)


def forget(error):
    """The exception without what its frames hold on to: thousands of them, each with its answer, are much."""
    one = error
    while one is not None:
        traceback.clear_frames(one.__traceback__)
        one = one.__cause__ or one.__context__
    return error


def drive(generators, concurrency, wait_timeout=0, on_round=None, round_seconds=60, stop=None, check=None):
    """Runs all generators to their end and returns a list, in their order: None, or the exception that ended it.

    concurrency: threads. wait_timeout: seconds after which nobody is waited for any more; each item is given at
    least its first step, and what still waits then ends with WaitTimeout.
    on_round: called with the seconds until the next step, every `round_seconds` while there is something to wait for.
    stop: called when the run is interrupted, to end the waits inside the steps. check: called every few seconds at
    least; what it raises interrupts the run.
    """
    generators = list(generators)
    concurrency = max(1, concurrency)
    endings = [None] * len(generators)
    order = itertools.count()
    now = time.monotonic()
    deadline = now + wait_timeout
    waiting = [(now, next(order), index) for index in range(len(generators))]
    looked_at = set()
    running = {}
    next_round = now

    def step(index):
        try:
            return next(generators[index])
        except StopIteration:
            return None

    def expire():
        for _due, _order, index in waiting:
            if index in looked_at:
                generators[index].close()
                endings[index] = WaitTimeout()
        return [entry for entry in waiting if entry[2] not in looked_at]

    pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(generators))))
    try:
        while waiting or running:
            if check:
                check()
            now = time.monotonic()
            if now >= deadline:
                waiting = expire()
                heapq.heapify(waiting)
            while waiting and waiting[0][0] <= now and len(running) < concurrency:
                index = heapq.heappop(waiting)[2]
                running[pool.submit(step, index)] = index
            if not running and not waiting:
                break
            pause = waiting[0][0] - now if waiting and len(running) < concurrency else None
            # Between two rounds, or in the middle of one where there are so many items that the rounds overlap.
            if waiting and on_round and (now >= next_round + round_seconds or now >= next_round and not running):
                next_round = now + round_seconds
                on_round(max(0.0, waiting[0][0] - now))
            pause = CHECK_SECONDS if pause is None else min(pause, CHECK_SECONDS)
            if waiting and deadline > now:
                pause = min(pause, deadline - now)
            if running:
                done = concurrent.futures.wait(running, pause, concurrent.futures.FIRST_COMPLETED).done
            else:
                time.sleep(pause)
                done = ()
            for future in done:
                index = running.pop(future)
                looked_at.add(index)
                try:
                    delay = future.result()
                except Exception as error:  # pylint: disable=broad-exception-caught
                    endings[index] = forget(error)
                    continue
                if delay is not None:
                    heapq.heappush(waiting, (time.monotonic() + delay, next(order), index))
    except BaseException:
        if stop:
            stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return endings
