# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When to look at each of many scans, and how a wait outlives an outage."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
import time

import pytest
from conversations import final, passing

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import SCOUTS, Pace, watch


class TestLooks:
    """In virtual time: scans of known lengths, and how many looks they cost."""

    def run(self, monkeypatch, looks, lengths, rate=None):
        """Plays scans that begin together. rate: looks in a second. Returns (number of looks, delays after the ends)."""
        now = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        count, late, free_at = 0, [], 1000.0
        with contextlib.ExitStack() as stack:
            queue = []
            for number, length in enumerate(lengths):
                scan = stack.enter_context(looks.scan())
                scan.began = 1000.0
                queue.append((0.0, number, scan, length, None))
            heapq.heapify(queue)
            queue = [
                (1000.0 + next(pauses := scan.pause()), number, scan, length, pauses)
                for _due, number, scan, length, _pauses in queue
            ]
            heapq.heapify(queue)
            while queue:
                due, number, scan, length, pauses = heapq.heappop(queue)
                now[0] = max(due, now[0])
                more = next(pauses, None)
                if more is not None:
                    heapq.heappush(queue, (now[0] + more, number, scan, length, pauses))
                    continue
                if rate:
                    now[0] = max(now[0], free_at)
                    free_at = now[0] + 1 / rate
                count += 1
                if scan.age() >= length:
                    scan.ended()
                    late.append(scan.age() - length)
                else:
                    pauses = scan.pause()
                    heapq.heappush(queue, (now[0] + next(pauses), number, scan, length, pauses))
        return count, late

    def test_an_end_is_seen_within_the_interval(self, monkeypatch):
        lengths = [random.uniform(10, 5000) for _number in range(200)]
        count, late = self.run(monkeypatch, Pace(60), lengths)
        assert len(late) == 200 and max(late) <= 60
        # What could not be less by much: one look in 51 to 60 seconds, and one at the end.
        assert count < 1.2 * sum(length / 60 + 1 for length in lengths)

    def test_not_all_at_once(self, monkeypatch):
        looks = Pace(60)
        with looks.scan() as scan:
            pauses = [next(scan.pause()) for _number in range(200)]
        assert max(pauses) <= 60 and min(pauses) >= 50 and len({round(pause) for pause in pauses}) > 5

    def test_experience_spares_looks_at_what_cannot_have_ended(self, monkeypatch):
        lengths = [random.uniform(14400, 15000) for _number in range(50)]
        naive, _late = self.run(monkeypatch, Pace(60), lengths)
        count, late = self.run(monkeypatch, Pace(60, durations=[14500 + number for number in range(20)]), lengths)
        assert max(late) <= 60 and count < 0.7 * naive
        # Nine are no rule.
        count, late = self.run(monkeypatch, Pace(60, durations=[14500 + number for number in range(9)]), lengths[:5])
        assert count > 5 * 14000 / 60

    def test_what_experience_did_not_foresee_is_seen_when_half_of_it_is_over(self, monkeypatch):
        _count, late = self.run(monkeypatch, Pace(60, durations=[14400] * 20), [100])
        assert late[0] < 7200

    @pytest.mark.parametrize("length", [60, 150, 600])
    def test_more_scans_than_the_limit_allows_to_look_at(self, monkeypatch, length):
        """A thousand, ten looks a second. The floor is their length, and one look at each."""
        looks = Pace(10, lambda requests_to_send: requests_to_send / 10)
        count, late = self.run(monkeypatch, looks, [length + number / 100 for number in range(1000)], rate=10)
        assert max(late) + length + 10 <= 1.15 * (length + 100) + 10
        assert count < 1000 * (1 + length / 100) + SCOUTS * length / 8

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
            assert next(scan.pause()) <= 60

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
            more = list(itertools.islice(pauses, 1))
        # It would have slept for twelve hours.
        assert more == []


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
