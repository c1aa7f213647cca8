# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to look at each of many scans, and how a wait outlives an outage."""

from __future__ import annotations

import contextlib
import itertools
import random
import time

import pytest
from conversations import final, passing
from virtual_time import first_run

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import TURN, WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import FEW, Pace, watch


class TestLooks:
    """By a clock that jumps: the real drive, limiter and scans, against a tenant whose scans end when they are told to."""

    def test_a_few_are_each_seen_within_the_interval(self, monkeypatch):
        lengths = [random.uniform(10, 5000) for _number in range(FEW)]
        tenant = first_run(monkeypatch, lengths)
        assert max(tenant.late()) <= 61
        # What could not be less by much: one look in 51 to 60 seconds, and one at the end.
        assert len(tenant.looked) < 1.2 * sum(length / 60 + 1 for length in lengths)

    def test_each_of_many_where_that_is_asked_for(self, monkeypatch):
        lengths = [random.uniform(10, 5000) for _number in range(200)]
        tenant = first_run(monkeypatch, lengths, each=True)
        assert max(tenant.late()) <= 75
        assert len(tenant.looked) > 0.9 * sum(length / 60 for length in lengths)

    def test_no_more_than_the_limit_allows_where_each_is_asked_for(self, monkeypatch):
        tenant = first_run(monkeypatch, [600 + number / 100 for number in range(1000)], interval=10, each=True)
        assert max(tenant.told.values()) <= 1.15 * (100 + 610 + 100)
        assert len(tenant.looked) < 1000 * (1 + 610 / 100)

    def test_not_all_at_once(self):
        looks = Pace(60)
        with looks.scan() as scan:
            pauses = [next(scan.pause()) for _number in range(200)]
        assert max(pauses) <= 60 and min(pauses) >= 50 and len({round(pause) for pause in pauses}) > 5

    def test_experience_spares_looks_at_what_cannot_have_ended(self, monkeypatch):
        lengths = [random.uniform(14400, 15000) for _number in range(50)]
        naive = first_run(monkeypatch, lengths)
        tenant = first_run(monkeypatch, lengths, durations=[14500 + number for number in range(20)])
        assert max(tenant.told.values()) <= max(tenant.ends) + 120 and len(tenant.looked) < 0.7 * len(naive.looked)
        # Nine are no rule.
        tenant = first_run(monkeypatch, lengths, durations=[14500 + number for number in range(9)])
        assert len(tenant.looked) > 0.9 * len(naive.looked)

    def test_what_experience_did_not_foresee_is_seen_when_half_of_it_is_over(self, monkeypatch):
        tenant = first_run(monkeypatch, [100] * 20, durations=[14400] * 20)
        assert max(tenant.late()) < 7300

    def test_an_end_that_was_seen_late_is_no_experience(self, monkeypatch):
        """Of a job that was killed and run again a day later, say: new scans must not be left alone for half a day."""
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        looks = Pace(60)
        with contextlib.ExitStack() as stack:
            scans = [stack.enter_context(looks.scan()) for _number in range(40)]
            for scan in scans:
                scan.began = now[0]
                next(scan.pause())
            now[0] += 86400
            assert [scan.ended() for scan in scans] == [None] * 40
        with looks.scan() as scan:
            scan.began = now[0]
            assert next(scan.pause()) is TURN

    def test_who_sleeps_long_wakes_up_to_learn(self, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        looks = Pace(60, durations=[86400] * 20)
        with contextlib.ExitStack() as stack:
            scans = [stack.enter_context(looks.scan()) for _number in range(20)]
            scans[-1].began = now[0]
            pauses = scans[-1].pause()
            assert next(pauses) <= 60
            looks.took(100)
            now[0] += 60
            more = list(itertools.islice(pauses, 2))
        # It would have slept for twelve hours.
        assert more == [TURN]

    def test_before_nobody_is_waited_for_any_more_all_are_looked_at(self, monkeypatch):
        """Otherwise a timeout would find what has ended long ago unseen."""
        lengths = [random.uniform(10000, 16000) for _number in range(2000)]
        tenant = first_run(monkeypatch, lengths, wait_timeout=13000)
        assert set(tenant.told) >= {number for number, end in enumerate(tenant.ends) if end < 12700}
        assert len(tenant.looked) < 2 * len(lengths)

    def test_one_that_could_not_be_asked_for_is_tried_again_at_the_next_interval(self, monkeypatch):
        tenant = first_run(monkeypatch, [10**5] * 30, outage=range(20, 40), wait_timeout=1000)
        assert len(tenant.ends) == 30 and None not in tenant.ends and max(tenant.asked) < 200


INTERVAL, LIMIT = 60, 100


@pytest.mark.parametrize("seconds", [1, 3600])
def test_what_an_earlier_task_has_asked_for_costs_no_look_more(monkeypatch, seconds):
    """As in the role, which starts the scans of exposures before it waits for those of campaigns."""
    tenant = first_run(monkeypatch, [14400.0] * 300, interval=INTERVAL, limit=LIMIT, asked=seconds)
    early = [moment for moment in tenant.looked if moment < 14000]
    assert len(early) < 2 * FEW + 2.1 * (14000 - seconds) / INTERVAL and len(tenant.asked) == 300


class TestTogether:
    """Where one request looks at many, all are looked at at the same moments."""

    def test_the_rounds_are_the_same_for_all(self, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        looks = Pace(60, together=lambda: True)
        with contextlib.ExitStack() as stack:
            moments = set()
            for _number in range(100):
                scan = stack.enter_context(looks.scan())
                (pause,) = scan.pause()
                moments.add(round(now[0] + pause, 6))
                now[0] += 1
        assert moments == {1060.0, 1120.0}

    def test_where_that_ends_they_wait_in_line(self):
        together = [True]
        looks = Pace(60, together=lambda: together[0])
        with contextlib.ExitStack() as stack:
            scans = [stack.enter_context(looks.scan()) for _number in range(20)]
            assert next(scans[0].pause()) is not TURN
            together[0] = False
            assert next(scans[0].pause()) is TURN


KINDS = ["uniform", "long tail", "half is known to run", "half is found running", "half has just begun"]


def long_run(monkeypatch, kind):
    """5,000 exposures whose scans take four hours, more or less. The same each time."""
    dice = random.Random(kind)
    lengths = [14400 * dice.uniform(0.7, 1.3) for _number in range(5000)]
    if kind == "long tail":
        lengths = [length + (dice.expovariate(1 / 3600) if dice.random() < 0.1 else 0) for length in lengths]
    begun = [None] * len(lengths)
    if kind.startswith("half"):
        share = dice.random if kind != "half has just begun" else lambda: 0.01
        begun[::2] = [length * share() for length in lengths[::2]]
    return first_run(monkeypatch, lengths, begun, INTERVAL, LIMIT, known=kind == "half is known to run")


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_run(monkeypatch, kind):
    """Nobody knows how long the scans take. What is printed is in docs/performance.md."""
    tenant = long_run(monkeypatch, kind)
    requests = (len(tenant.asked) + len(tenant.looked)) / len(tenant.ends)
    first, last = min(tenant.ends), max(tenant.ends)
    assert set(tenant.told) == set(range(5000))
    # A scan that was not started by us proves nothing unless it is seen running. So such a one takes three requests at the
    # least, and where half are of that kind, there are 2.5 on average without a single one in vain.
    least = 2.5 if kind in ("half is found running", "half has just begun") else 2.0
    assert requests <= least + 0.5
    late = max(tenant.told.values()) - last
    assert late <= 2 * INTERVAL
    # Results come in while the scans end: in any quarter of an hour from the first in twenty to nine in ten.
    some, most = sorted(tenant.ends)[250], sorted(tenant.ends)[4500]
    done = [count for moment, count in tenant.progress if some <= moment <= most]
    assert len(done) > 60 and all(before < after for before, after in zip(done, done[15:]))
    moves = sum(before < after for before, after in zip(done, done[1:]))
    assert moves > len(done) / 3
    # From the moment at which all are asked for, and where some ran already seen, to the first end.
    quiet = max(*tenant.asked, INTERVAL)
    looks = [moment for moment in tenant.looked if quiet < moment < first]
    used = len(looks) / max(1.0, (first - quiet) * LIMIT / 10)
    assert used <= 0.2 and (first - quiet > 8000 or kind in KINDS[2:4])
    print(
        "%s: %.2f requests an exposure, the last end seen after %.0f s, the progress line moved in %d of %d rounds, "
        "%.1f %% of the budget while nothing can have ended" % (kind, requests, late, moves, len(done), 100 * used)
    )


class Step:
    """Plays a script: what each look returns, or raises; the last one for ever."""

    def __init__(self, *looks, known=False):
        self.item = {}
        self.known = known
        self.looks = list(looks)
        self.seen = []

    def look(self, scan):
        """The next one."""
        self.seen.append(self.item.get("last_error"))
        value = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(value, Exception):
            raise value
        return value


def play(step, pace=None, wait=True, wait_timeout=5):
    """Watches to the end. Returns how it ended."""

    def run():
        with pace.scan() as scan:
            yield from watch(step, scan, wait)

    pace = pace or Pace(0)
    return drive([run()], 1, wait_timeout)[0]


class TestWatch:
    def test_until_the_end(self):
        step = Step(False, False, True)
        assert play(step) is None and len(step.seen) == 3

    def test_one_look_where_nobody_waits(self):
        step = Step(False)
        assert play(step, wait=False) is None and len(step.seen) == 1

    def test_the_seconds_to_the_next_step_are_no_further_look(self):
        step = Step(0.001, 0.001, True)
        assert play(step, Pace(60)) is None and len(step.seen) == 3

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_a_wait_outlives_an_outage(self, status):
        error = passing(status)
        step = Step(False, error, error, error, False, True)
        pace = Pace(0)
        assert play(step, pace) is None and step.item == {} and pace.silent_since is None
        # Meanwhile it is told.
        assert step.seen == [None, None, str(error), str(error), str(error), None]

    def test_before_anything_was_heard_nobody_knows_whether_there_is_an_api(self):
        error = passing()
        step = Step(error, True)
        assert play(step) is error and len(step.seen) == 1

    def test_what_another_one_heard_is_enough(self):
        pace = Pace(0)
        pace.answered()
        assert play(Step(passing(), True), pace) is None

    def test_what_an_earlier_task_has_begun_is_waited_for_all_the_same(self):
        assert play(Step(passing(), passing(), True, known=True)) is None

    def test_where_nobody_waits_an_outage_is_an_end(self):
        pace = Pace(0)
        pace.answered()
        error = passing()
        assert play(Step(error, True, known=True), pace, wait=False) is error

    @pytest.mark.parametrize(
        "error", [final(401), final(403), final(404), final(407), final(422), ItemFailed("no"), KeyError("x")]
    )
    def test_what_is_final_ends_it_at_once(self, error):
        step = Step(False, error, True)
        assert play(step) is error and len(step.seen) == 2

    def test_at_the_end_of_the_time_the_last_error_is_there(self):
        pace = Pace(0.01)
        step = Step(False, passing(500), passing(503))
        assert isinstance(play(step, pace, wait_timeout=0.2), WaitTimeout)
        assert step.item == {"last_error": str(passing(503))} and len(step.seen) > 3


class TestSilence:
    def test_it_is_told_since_when(self, monkeypatch):
        pace = Pace(60)
        assert pace.silence() == ""
        pace.answered()
        pace.silent()
        since = pace.silent_since
        assert parse_time(since) and pace.silence() == ", nothing heard since %s" % since
        # It begins with the first look that failed.
        monkeypatch.setattr("ansible_collections.secops.remediation.plugins.module_utils._run.pace.utc_now", lambda: "later")
        pace.silent()
        assert pace.silent_since == since
        pace.answered()
        assert pace.silence() == ""
        pace.silent()
        assert pace.silence() == ", nothing heard since later"
