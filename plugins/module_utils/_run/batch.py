# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drives many items at once through a few threads, whatever they do.

An item is a generator: it does a step of its work and yields the seconds until it wants to go on, or TURN, and then goes
on when it has come to the head of the line and the line gives it its turn. While it waits it holds no thread, so thousands
of scans can be waited for by ten threads. Knows no API. Private to the collection.
"""

from __future__ import annotations

import concurrent.futures
import heapq
import itertools
import math
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Steps

CHECK_SECONDS = 5.0
# For the first look at what there is, where wait_timeout leaves less.
FIRST_LOOK_SECONDS = 30.0
# What an item yields that goes on when it is its turn.
TURN = -1.0


class WaitTimeout(Exception):
    """The item was still waiting when the time was up."""


def forget(error: Exception) -> Exception:
    """The exception without what its frames hold on to: thousands of them, each with its answer, are much."""
    one: BaseException | None = error
    while one is not None:
        traceback.clear_frames(one.__traceback__)
        one = one.__cause__ or one.__context__
    return error


def longest(wait_timeout: float) -> float:
    """The seconds that a task with this wait_timeout takes at most."""
    return max(wait_timeout, FIRST_LOOK_SECONDS)


class Line(Protocol):
    """Who gives those that wait in line their turns."""

    def turn(self, since: float, waiting: int, left: float) -> float:
        """Gives the first in line its turn and returns 0, or returns the seconds until it may.

        since: when that one lined up, by time.monotonic(). waiting: how many are in line. left: seconds until the end of
        wait_timeout.
        """


class Waiting:
    """Who waits: for a moment, or in line for a turn.

    line: see drive. deadline: when wait_timeout is over. end: when the time for first steps is over, too.
    """

    def __init__(self, count: int, line: Line | None, deadline: float, end: float) -> None:
        self._line = line
        self._deadline = deadline
        self._end = end
        self._order = itertools.count()
        now = time.monotonic()
        self._timed = [(now, next(self._order), index) for index in range(count)]
        self._in_line: deque[tuple[float, int]] = deque()
        self._begun: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._timed or self._in_line)

    def add(self, index: int, delay: float) -> None:
        """An item that has done a step waits for the next one. delay: seconds, or TURN."""
        now = time.monotonic()
        self._begun.add(index)
        if delay == TURN:
            self._in_line.append((now, index))
        else:
            heapq.heappush(self._timed, (now + delay, next(self._order), index))

    def expire(self) -> list[int]:
        """Those for whom it is too late, and who wait no more."""
        now = time.monotonic()
        if now < self._deadline:
            return []
        late = [entry for entry in self._timed if now >= self._end or entry[2] in self._begun]
        self._timed = sorted(entry for entry in self._timed if not (now >= self._end or entry[2] in self._begun))
        found = [index for _due, _order, index in late] + [index for _since, index in self._in_line]
        self._in_line.clear()
        return found

    def pop(self) -> tuple[int | None, float]:
        """(an item whose step is due, 0), or (None, the seconds until there may be one, math.inf where nobody waits)."""
        now = time.monotonic()
        pause = self._timed[0][0] - now if self._timed else math.inf
        if pause <= 0:
            return heapq.heappop(self._timed)[2], 0.0
        if self._in_line and self._line:
            turn = self._line.turn(self._in_line[0][0], len(self._in_line), self._deadline - now)
            if turn <= 0:
                return self._in_line.popleft()[1], 0.0
            pause = min(pause, turn)
        return None, pause

    def until_late(self) -> float:
        """Seconds until somebody may have to be told that it is too late."""
        now = time.monotonic()
        return min((moment - now for moment in (self._deadline, self._end) if moment > now), default=math.inf)


def drive(
    generators: Iterable[Steps],
    concurrency: int,
    wait_timeout: float = 0,
    on_round: Callable[[float], object] | None = None,
    round_seconds: float = 60,
    stop: Callable[[], object] | None = None,
    check: Callable[[], object] | None = None,
    line: Line | None = None,
) -> list[Exception | None]:
    """Runs all generators to their end and returns a list, in their order: None, or the exception that ended it.

    concurrency: threads. wait_timeout: seconds after which nobody is waited for any more; what still waits then ends with
    WaitTimeout. For first steps there are half a minute at least, so that a timeout of 0 is one look.
    on_round: called with the seconds until the next step, every `round_seconds` while there is something to wait for.
    stop: called when the run is interrupted, to end the waits inside the steps. check: called every few seconds at
    least; what it raises interrupts the run.
    line: for those that yield TURN, see Line.
    """
    generators = list(generators)
    concurrency = max(1, concurrency)
    endings: list[Exception | None] = [None] * len(generators)
    now = next_round = time.monotonic()
    waiting = Waiting(len(generators), line, now + wait_timeout, now + longest(wait_timeout))
    running: dict[concurrent.futures.Future[float | None], int] = {}

    def step(index: int) -> float | None:
        try:
            return next(generators[index])
        except StopIteration:
            return None

    def collect(done: Iterable[concurrent.futures.Future[float | None]]) -> None:
        for future in done:
            index = running.pop(future)
            try:
                delay = future.result()
            except Exception as error:  # pylint: disable=broad-exception-caught
                endings[index] = forget(error)
                continue
            if delay is not None:
                waiting.add(index, delay)

    pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(generators))))
    try:
        while waiting or running:
            if check:
                check()
            for index in waiting.expire():
                generators[index].close()
                endings[index] = WaitTimeout()
            pause = math.inf
            while waiting and len(running) < concurrency:
                due, pause = waiting.pop()
                if due is None:
                    break
                running[pool.submit(step, due)] = due
            if not running and not waiting:
                break
            now = time.monotonic()
            # Between two rounds, or in the middle of one where there are so many items that the rounds overlap.
            if waiting and on_round and (now >= next_round + round_seconds or now >= next_round and not running):
                next_round = now + round_seconds
                on_round(0.0 if pause == math.inf else pause)
            pause = min(pause, CHECK_SECONDS, waiting.until_late() if waiting else math.inf)
            if running:
                collect(concurrent.futures.wait(running, pause, concurrent.futures.FIRST_COMPLETED).done)
            else:
                time.sleep(pause)
    except BaseException:
        if stop:
            stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return endings
