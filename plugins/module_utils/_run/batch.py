# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drives many items at once through a few threads, whatever they do.

An item is a generator: it does a step of its work and yields the seconds until it wants to go on. While it waits it
holds no thread, so thousands of scans can be waited for by ten threads. Knows no API. Private to the collection.
"""

from __future__ import annotations

import concurrent.futures
import heapq
import itertools
import time
import traceback
from collections.abc import Callable, Iterable

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Steps

CHECK_SECONDS = 5.0
# For the first look at what there is, where wait_timeout leaves less.
FIRST_LOOK_SECONDS = 30.0


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


def drive(
    generators: Iterable[Steps],
    concurrency: int,
    wait_timeout: float = 0,
    on_round: Callable[[float], object] | None = None,
    round_seconds: float = 60,
    stop: Callable[[], object] | None = None,
    check: Callable[[], object] | None = None,
) -> list[Exception | None]:
    """Runs all generators to their end and returns a list, in their order: None, or the exception that ended it.

    concurrency: threads. wait_timeout: seconds after which nobody is waited for any more; what still waits then ends with
    WaitTimeout. For first steps there are half a minute at least, so that a timeout of 0 is one look.
    on_round: called with the seconds until the next step, every `round_seconds` while there is something to wait for.
    stop: called when the run is interrupted, to end the waits inside the steps. check: called every few seconds at
    least; what it raises interrupts the run.
    """
    generators = list(generators)
    concurrency = max(1, concurrency)
    endings: list[Exception | None] = [None] * len(generators)
    order = itertools.count()
    now = time.monotonic()
    deadline = now + wait_timeout
    end = now + longest(wait_timeout)
    waiting = [(now, next(order), index) for index in range(len(generators))]
    looked_at = set()
    running: dict[concurrent.futures.Future[float | None], int] = {}
    next_round = now

    def step(index: int) -> float | None:
        try:
            return next(generators[index])
        except StopIteration:
            return None

    def expire(at_all: bool) -> list[tuple[float, int, int]]:
        for _due, _order, index in waiting:
            if at_all or index in looked_at:
                generators[index].close()
                endings[index] = WaitTimeout()
        return [] if at_all else [entry for entry in waiting if entry[2] not in looked_at]

    pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(generators))))
    try:
        while waiting or running:
            if check:
                check()
            now = time.monotonic()
            if now >= deadline:
                waiting = expire(now >= end)
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
            if waiting:
                pause = min([pause] + [moment - now for moment in (deadline, end) if moment > now])
            if running:
                done = concurrent.futures.wait(running, pause, concurrent.futures.FIRST_COMPLETED).done
            else:
                time.sleep(pause)
                done = set()
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
