# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Driving many items at once."""

from __future__ import annotations

import gc
import threading
import time
import weakref

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._run import batch
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, drive


def steps(log, name, delays, end=None):
    """An item that notes its steps."""
    for number, delay in enumerate(delays):
        log.append((name, number))
        yield delay
    log.append((name, "end"))
    if end is not None:
        raise end


def test_nothing_to_do():
    assert drive([], 10) == []


def test_endings_are_in_order_whoever_ends_first():
    error, other = ValueError("no"), KeyError("neither")
    log = []
    endings = drive(
        [
            steps(log, "a", [0.05], error),
            steps(log, "b", []),
            steps(log, "c", [0.01, 0.01], other),
            steps(log, "d", [0]),
        ],
        4,
        wait_timeout=30,
    )
    assert endings == [error, None, other, None]
    assert [name for name, number in log if number == "end"].index("b") < 2


def test_an_error_stops_nobody_else():
    log = []
    endings = drive([steps(log, name, [0, 0], ValueError(name) if name % 2 else None) for name in range(50)], 3, 30)
    assert [str(ending) for ending in endings] == [str(name) if name % 2 else "None" for name in range(50)]


def test_a_first_step_always_and_then_no_more():
    log = []
    endings = drive([steps(log, name, [0, 0, 0]) for name in range(30)], 2, wait_timeout=0)
    assert all(isinstance(ending, WaitTimeout) for ending in endings)
    assert sorted(log) == [(name, 0) for name in range(30)]


def test_what_needs_one_step_does_not_time_out():
    log = []
    assert drive([steps(log, name, []) for name in range(30)], 2, wait_timeout=0) == [None] * 30


def test_slow_first_steps_are_all_given_after_the_time_is_up():
    def slow(name):
        time.sleep(0.02)
        log.append(name)
        yield 60

    log = []
    started = time.monotonic()
    endings = drive([slow(name) for name in range(10)], 2, wait_timeout=0.01)
    assert sorted(log) == list(range(10))
    assert all(isinstance(ending, WaitTimeout) for ending in endings)
    assert time.monotonic() - started < 10


def test_wait_timeout_ends_a_long_wait():
    closed = []

    def item():
        try:
            yield 3600
        finally:
            closed.append(threading.current_thread())

    started = time.monotonic()
    endings = drive([item(), steps([], "b", [0.01])], 4, wait_timeout=0.1)
    assert isinstance(endings[0], WaitTimeout) and endings[1] is None
    assert 0.1 <= time.monotonic() - started < 10
    assert len(closed) == 1


def test_items_wait_as_long_as_they_said():
    moments = []

    def item():
        for _time in range(3):
            moments.append(time.monotonic())
            yield 0.1

    drive([item()], 1, wait_timeout=30)
    assert all(late - early >= 0.1 for early, late in zip(moments, moments[1:], strict=False))


@pytest.mark.parametrize("concurrency", [1, 4])
def test_no_more_threads_than_concurrency(concurrency):
    lock = threading.Lock()
    running, most, threads = 0, 0, set()

    def item():
        nonlocal running, most
        for _time in range(3):
            with lock:
                running += 1
                most = max(most, running)
                threads.add(threading.current_thread())
            time.sleep(0.002)
            with lock:
                running -= 1
            yield 0

    assert drive([item() for _number in range(20)], concurrency, wait_timeout=30) == [None] * 20
    assert most == concurrency and len(threads) == concurrency


@pytest.mark.parametrize("concurrency", [0, -1])
def test_a_concurrency_that_cannot_work_is_one(concurrency):
    assert drive([steps([], "a", [0])], concurrency, wait_timeout=5) == [None]


def test_items_take_turns():
    """One that always wants to go on at once does not keep the others from going on."""
    log = []
    drive([steps(log, "a", [0] * 10), steps(log, "b", [0] * 10)], 1, wait_timeout=30)
    assert [name for name, _number in log[:10]] == ["a", "b"] * 5


def test_thousands_with_few_threads():
    def item(number):
        for _time in range(3):
            yield 0.01
        if number == 1234:
            raise ValueError(number)

    started = time.monotonic()
    endings = drive([item(number) for number in range(5000)], 4, wait_timeout=60)
    assert [place for place, ending in enumerate(endings) if ending] == [1234]
    assert time.monotonic() - started < 30


def test_thousands_after_the_time_is_up():
    endings = drive([steps([], number, [60]) for number in range(3000)], 4, wait_timeout=0)
    assert len(endings) == 3000 and all(isinstance(ending, WaitTimeout) for ending in endings)


def test_on_round_is_called_while_there_is_something_to_wait_for():
    rounds = []
    stepped = []
    drive(
        [steps(stepped, name, [0.1, 0.1]) for name in range(3)],
        3,
        wait_timeout=30,
        on_round=lambda pause: rounds.append((pause, len(stepped))),
        round_seconds=0,
    )
    assert rounds and all(0 <= pause <= 0.1 for pause, _count in rounds)
    # Not before everybody had a first step: nobody would know how many there are to wait for.
    assert all(count >= 3 for _pause, count in rounds)


def test_on_round_is_not_called_more_often_than_wanted():
    rounds = []
    drive(
        [steps([], name, [0.01] * 20) for name in range(3)],
        3,
        wait_timeout=30,
        on_round=rounds.append,
        round_seconds=3600,
    )
    assert len(rounds) == 1


def test_on_round_is_not_called_where_nobody_waits():
    rounds = []
    drive([steps([], name, []) for name in range(3)], 3, wait_timeout=30, on_round=rounds.append, round_seconds=0)
    assert rounds == []


def test_an_interruption_ends_the_waits_inside_steps():
    """As with Ctrl-C: what sleeps inside a step is woken, and the interruption goes on."""
    asleep, stopped = threading.Event(), threading.Event()
    ended = []

    def sleeper():
        yield 0
        asleep.set()
        ended.append(stopped.wait(60))
        yield 0

    def waiter():
        yield 0
        asleep.wait(30)
        yield 600

    def interrupt(pause):
        if asleep.is_set():
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        drive([waiter(), sleeper()], 2, wait_timeout=600, on_round=interrupt, round_seconds=0, stop=stopped.set)
    assert ended == [True]
    assert time.monotonic() - started < 30


def interrupt():
    raise KeyboardInterrupt


def test_an_interruption_starts_nothing_more():
    log = []

    def first():
        log.append("first")
        yield interrupt()

    def other(number):
        log.append(number)
        time.sleep(0.01)
        yield 0

    with pytest.raises(KeyboardInterrupt):
        drive([first()] + [other(number) for number in range(100)], 2, wait_timeout=60)
    assert len(log) < 20


def test_what_failed_holds_on_to_nothing():
    """Thousands of errors, each with the answer that it came from, are much memory."""

    class Answer:
        pass

    kept = []

    def fail():
        answer = Answer()
        kept.append(weakref.ref(answer))
        yield 0
        raise ValueError("no")

    endings = drive([fail() for _number in range(5)], 2, 5)
    gc.collect()
    assert [str(ending) for ending in endings] == ["no"] * 5 and not any(reference() for reference in kept)


def test_nobody_waits_any_more():
    def check():
        if len(log) > 3:
            raise SystemExit("the run has ended")

    log = []
    stopped = []
    with pytest.raises(SystemExit):
        drive([steps(log, number, [0.01] * 50) for number in range(2)], 2, 60, stop=lambda: stopped.append(1), check=check)
    assert stopped and len(log) < 90


def test_what_was_never_looked_at_is_bounded_as_well(monkeypatch):
    """A first look for everybody, but not for ever."""
    monkeypatch.setattr(batch, "FIRST_LOOK_SECONDS", 0.3)
    log = []

    def slow(number):
        log.append(number)
        time.sleep(0.05)
        yield 0

    started = time.monotonic()
    endings = drive([slow(number) for number in range(1000)], 2, wait_timeout=0)
    assert time.monotonic() - started < 5 and 2 < len(log) < 100
    assert all(isinstance(ending, WaitTimeout) for ending in endings) and len(endings) == 1000


def test_nobody_is_looked_at_twice_after_the_time_is_up(monkeypatch):
    monkeypatch.setattr(batch, "FIRST_LOOK_SECONDS", 5)
    log = []
    drive([steps(log, number, [0] * 50) for number in range(20)], 2, wait_timeout=0)
    assert sorted(log) == [(number, 0) for number in range(20)]


@pytest.mark.parametrize("wait_timeout, seconds", [(0, 30), (10, 30), (3600, 3600)])
def test_the_longest_that_a_task_takes(wait_timeout, seconds):
    assert batch.longest(wait_timeout) == seconds


def test_an_item_that_ends_while_the_time_is_up_has_ended():
    def late():
        time.sleep(0.3)
        return
        yield

    assert drive([late()], 1, wait_timeout=0.1) == [None]
