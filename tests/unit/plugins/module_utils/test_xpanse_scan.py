# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A remediation confirmation scan, from what is remembered of it to its end."""

from __future__ import annotations

import json
import random

import pytest
from conversations import (
    DONE,
    IDS,
    JUNK,
    OPEN,
    RUNNING,
    Clock,
    FakeXpanse,
    ago,
    asking,
    at,
    damaged,
    exchange,
    final,
    looking,
    passing,
)

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.task import settle
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import WITHOUT_ANSWER
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import target as xpanse
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import ScanNotFound
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.scan import (
    confirmation_scan,
    durations,
    from_0_2,
    remembered,
)
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import EXPOSURE, GET_OR_CREATE

REQUEST = dict(zip(EXPOSURE, map(str, IDS)))
SCAN_KEY = "https://acme.example/exposure/231/Rdp/u1"
DAY = 86400


def scan(api, ledger=None, request=None, wait_timeout=5, pace=None, **options):
    """Runs one scan. Returns (item, how it ended)."""
    item = dict(zip(EXPOSURE, map(str, IDS)))
    generator = confirmation_scan(
        api,
        ledger or Ledger(None),
        pace or Pace(options.pop("wait_interval", 0)),
        item,
        REQUEST if request is None else request,
        **options,
    )
    return item, drive([generator], 1, wait_timeout)[0]


def judged(item):
    """What becomes of the exposure: its outcome in the evidence."""
    return xpanse.targets(dict(exposures=[REQUEST], rcs_requests=dict(rcs_requests=[item])))[0]["outcome"]


def ledger_with(answers=None, asked_at=None, **facts):
    """A ledger that knows a new scan, which was asked for a while ago, by the server's clock as well."""
    ledger = Ledger(None)
    ledger.put(
        SCAN_KEY,
        dict(
            dict(scan_id="s1", asked_at=asked_at or ago(5000), run_id="before", answers=answers or [asking(seconds=-5000)]),
            **facts,
        ),
    )
    return ledger


def finished(seconds=-5000, words=DONE, **facts):
    """A ledger that knows the scan's end."""
    return ledger_with(
        [asking(seconds=seconds), looking(words, seconds=seconds + 60)],
        asked_at=ago(-seconds),
        **dict(dict(ended_at=ago(-seconds - 60)), **facts),
    )


class TestScan:
    def test_a_new_one_is_not_looked_at_at_once(self):
        api, ledger = FakeXpanse(create=[("s1", True)]), Ledger(None)
        item, ending = scan(api, ledger)
        assert ending is None and api.calls == ["create"]
        assert (item["scan_id"], item["created"], item["status"], item["result"], item["outcome"]) == (
            "s1",
            True,
            "IN_PROGRESS",
            None,
            "pending",
        )
        known = ledger.get(SCAN_KEY)
        assert (known["scan_id"], known["alert_internal_id"]) == ("s1", 231) and known["answers"] == item["answers"]
        assert judged(item) == "pending"

    def test_it_is_remembered_before_the_first_wait(self):
        ledger = Ledger(None)
        next(confirmation_scan(FakeXpanse(create=[("s1", True)]), ledger, Pace(60), {}, REQUEST, wait=True))
        assert ledger.get(SCAN_KEY)["scan_id"] == "s1"

    def test_until_its_end(self):
        api, ledger = FakeXpanse(create=[("s1", True)], get=[RUNNING, RUNNING, DONE]), Ledger(None)
        item, ending = scan(api, ledger, wait=True)
        assert ending is None and judged(item) == "remediated"
        assert (item["status"], item["result"], item["outcome"], item["created"]) == (*DONE, "remediated", True)
        assert (item["requested_at"], item["finished_at"]) == (at(1), at(4))
        assert api.calls == ["create", "get", "get", "get"]
        known = ledger.get(SCAN_KEY)
        assert known["ended_at"] and "outcome" not in known and "status" not in known
        assert [(one["method"], one["status"]) for one in item["requests"]] == [("POST", 201), ("POST", 200)]

    @pytest.mark.parametrize("wait", [True, False])
    def test_one_that_is_there_already_is_looked_at(self, wait):
        api = FakeXpanse(create=[("s1", False)], get=[RUNNING, OPEN] if wait else [RUNNING])
        item, ending = scan(api, wait=wait)
        assert ending is None and (item["created"], item["outcome"]) == (False, "unremediated" if wait else "pending")
        assert judged(item) == item["outcome"]

    @pytest.mark.parametrize("words", [DONE, OPEN, ("FAILED_ERROR", None)])
    def test_one_that_had_ended_is_asked_for_once_more(self, words):
        """After its end, the same request may bring a new one."""
        api = FakeXpanse(create=[("s1", False), ("s2", True)], get=[words, DONE])
        item, ending = scan(api, wait=True)
        assert ending is None and (item["scan_id"], item["created"]) == ("s2", True)
        assert api.calls == ["create", "get", "create", "get"] and judged(item) == "remediated"

    def test_one_that_had_ended_and_comes_again_proves_nothing(self):
        api = FakeXpanse(create=[("s1", False)], get=[DONE])
        item, ending = scan(api, wait=True)
        assert ending is None and api.calls == ["create", "get"] * 2
        assert item["outcome"] == "inconclusive" and judged(item) == "inconclusive"

    def test_one_that_never_ends(self):
        item, ending = scan(FakeXpanse(create=[("s1", True)], get=[RUNNING]), wait=True, wait_interval=0.01, wait_timeout=0.1)
        assert isinstance(ending, WaitTimeout) and (item["status"], item["outcome"]) == ("IN_PROGRESS", "pending")
        assert len(item["answers"]) == 2

    @pytest.mark.parametrize(
        "answer, ended",
        [
            (("FAILED_TIMEOUT", None), True),
            (("FAILED_ERROR", None), True),
            (("SUCCESS", None), True),
            (("SUCCESS", "SOMETHING"), True),
            (("QUEUED", None), False),
            ((None, None), False),
            (("DONE", "REMEDIATED"), False),
        ],
    )
    def test_words_that_are_no_answer(self, answer, ended):
        """They end the wait, and nobody calls them done. What is no known end is looked at again next time."""
        api, ledger = FakeXpanse(create=[("s1", True)], get=[dict(zip(("status", "result"), answer)), DONE]), Ledger(None)
        item, ending = scan(api, ledger, wait=True)
        assert ending is None and item["outcome"] == judged(item) == "inconclusive"
        assert bool(ledger.get(SCAN_KEY).get("ended_at")) == ended
        again, ending = scan(api, ledger, wait=True)
        assert ending is None and again["scan_id"] == "s1" and api.calls.count("create") == 1

    @pytest.mark.parametrize("reply", [{"status": value, "result": value} for value in JUNK])
    def test_odd_words(self, reply):
        item, ending = scan(FakeXpanse(create=[("s1", True)], get=[reply]), wait=True)
        assert ending is None and item["outcome"] == judged(item) == "inconclusive"

    def test_a_reply_without_anything(self):
        item, ending = scan(FakeXpanse(create=[("s1", True)], get=[{}]), wait=True)
        assert ending is None and judged(item) in ("inconclusive", "pending")

    def test_a_large_reply(self):
        """What is too large to be kept is no reason to lose the words."""
        reply = dict(status="SUCCESS", result="REMEDIATED", details={"log": "x" * 100_000})
        item, ending = scan(FakeXpanse(create=[("s1", True)], get=[reply]), wait=True)
        assert ending is None and judged(item) == "remediated" and len(json.dumps(item)) < 10_000

    @pytest.mark.parametrize("reply", [dict(scanId="s9"), dict(id=9), dict(alert_internal_id="232"), dict(service_id=["u2"])])
    def test_an_answer_about_another(self, reply):
        item, ending = scan(
            FakeXpanse(create=[("s1", True)], get=[dict(status="SUCCESS", result="REMEDIATED", **reply)]), wait=True
        )
        assert isinstance(ending, ItemFailed) and "the answer is about another" in str(ending)

    def test_check_mode(self):
        ledger = Ledger(None)
        item, ending = scan(FakeXpanse(create=[WouldChange("POST", "/x")]), ledger, wait=True)
        assert ending is None and (item["scan_id"], item["created"], item["outcome"]) == (None, True, "pending")
        assert ledger.get(SCAN_KEY) == {} and judged(item) == "pending"

    @pytest.mark.parametrize("script", [dict(create=[final()]), dict(create=[("s1", False)], get=[final()])])
    @pytest.mark.parametrize("wait", [True, False])
    def test_an_error_is_no_answer(self, script, wait):
        ledger = Ledger(None)
        item, ending = scan(FakeXpanse(**script), ledger, wait=wait)
        assert isinstance(ending, HttpError) and item["outcome"] != "remediated"
        assert not ledger.get(SCAN_KEY).get("ended_at")

    def test_an_exposure_that_is_not_complete(self):
        api = FakeXpanse()
        ending = scan(api, request=dict(REQUEST, service_id=None))[1]
        assert isinstance(ending, ItemFailed) and "service_id is missing" in str(ending) and not api.calls

    def test_an_outage_in_the_middle_of_a_wait(self):
        api = FakeXpanse(create=[("s1", True)], get=[RUNNING, passing(), passing(500), passing(429), DONE])
        item, ending = scan(api, wait=True)
        assert ending is None and judged(item) == "remediated" and "last_error" not in item

    def test_an_outage_that_does_not_end(self):
        api = FakeXpanse(create=[("s1", True)], get=[RUNNING, passing()])
        item, ending = scan(api, wait=True, wait_interval=0.01, wait_timeout=0.2)
        assert isinstance(ending, WaitTimeout) and "HTTP 503" in item["last_error"] and judged(item) == "pending"


class TestByScanId:
    @pytest.mark.parametrize("start", [True, False])
    @pytest.mark.parametrize("request_", [dict(scan_id="s9"), dict(REQUEST, scan_id="s9")])
    def test_it_is_only_looked_at(self, start, request_):
        api, ledger = FakeXpanse(get=[DONE]), Ledger(None)
        item, ending = scan(api, ledger, request=request_, start=start)
        assert ending is None and api.calls == ["get"]
        assert (item["scan_id"], item["created"], item["outcome"]) == ("s9", False, "remediated")
        assert ledger.get(SCAN_KEY) == {}
        # Its words are no proof: nobody knows what it was asked for, and when.
        assert judged(item) == "inconclusive"

    def test_until_its_end(self):
        item, ending = scan(FakeXpanse(get=[RUNNING, DONE]), request=dict(scan_id="s9"), wait=True)
        assert ending is None and item["outcome"] == "remediated"

    def test_nobody_knows_it(self):
        api = FakeXpanse(get=[ScanNotFound("404")])
        item, ending = scan(api, request=dict(REQUEST, scan_id="s9"))
        assert isinstance(ending, ItemFailed) and "no scan has the id s9 (404)" in str(ending)
        assert len(api.calls) == 1
        # What becomes of an item that failed is settle()'s.
        assert item["outcome"] == "pending"

    def test_a_large_reply(self):
        reply = dict(status="SUCCESS", result="REMEDIATED", log="x" * 100_000)
        item, ending = scan(FakeXpanse(get=[reply]), request=dict(scan_id="s9"))
        assert ending is None and item["outcome"] == "remediated"


class TestLedger:
    def test_an_end_is_confirmed_by_reading_it_again(self):
        api = FakeXpanse(get=[DONE])
        item, ending = scan(api, finished(), wait=True)
        assert ending is None and api.calls == ["get"] and judged(item) == "remediated"
        assert (item["scan_id"], item["created"], item["outcome"]) == ("s1", False, "remediated")
        assert (item["requested_at"], item["finished_at"]) == (at(-5000), at(-4940))
        assert [bool(one.get("remembered")) for one in item["answers"]] == [True, True, False]

    def test_what_is_read_counts_and_not_what_was_remembered(self):
        item, ending = scan(FakeXpanse(get=[OPEN]), finished(words=DONE), wait=True)
        assert ending is None and judged(item) == "unremediated"
        item, ending = scan(FakeXpanse(get=[RUNNING]), finished(words=DONE))
        assert ending is None and judged(item) == "pending"

    @pytest.mark.parametrize(
        "facts",
        [dict(outcome="remediated"), dict(status="SUCCESS", result="REMEDIATED"), dict(outcome="great"), dict(finished_at=at(0))],
    )
    def test_no_outcome_is_taken_from_it(self, facts):
        for options in ({}, dict(confirm=False)):
            item, ending = scan(FakeXpanse(get=[RUNNING]), ledger_with(**facts), **options)
            assert ending is None and judged(item) == item["outcome"] == "pending"

    @pytest.mark.parametrize("seconds, max_age", [(-5000, 4000), (-5000, 0), (-30 * DAY, DAY), (500, DAY)])
    def test_an_end_that_is_too_old_or_in_the_future(self, seconds, max_age):
        """By the server's clock, whatever this machine's says."""
        api = FakeXpanse(create=[("s2", True)], get=[DONE])
        item, ending = scan(api, finished(seconds), max_age=max_age)
        assert ending is None
        assert (item["scan_id"], item["created"], item["status"], item["outcome"]) == ("s2", True, "IN_PROGRESS", "pending")
        assert not item.get("finished_at") and judged(item) == "pending"

    @pytest.mark.parametrize("max_age", [0, 4000])
    def test_an_end_that_is_too_old_and_none_may_be_started(self, max_age):
        item, ending = scan(FakeXpanse(get=[DONE]), finished(), max_age=max_age, start=False)
        assert isinstance(ending, ItemFailed) and "longer ago than max_age" in str(ending)

    @pytest.mark.parametrize("start", [True, False])
    def test_one_that_runs_still_is_not_started_again(self, start):
        api, ledger = FakeXpanse(get=[RUNNING, DONE]), ledger_with()
        item, ending = scan(api, ledger, start=start, wait=True)
        assert ending is None and api.calls == ["get", "get"] and judged(item) == "remediated"
        assert (item["created"], item["requested_at"]) == (False, at(-5000)) and ledger.get(SCAN_KEY)["ended_at"]

    def test_one_that_ended_meanwhile(self):
        """It was new when it was asked for, and that is not too long ago."""
        item, ending = scan(FakeXpanse(get=[DONE]), ledger_with())
        assert ending is None and judged(item) == "remediated"

    def test_one_that_was_left_running_a_month_ago(self):
        """Nobody knows when it ended."""
        month = [asking(seconds=-30 * DAY), looking(RUNNING, seconds=60 - 30 * DAY)]
        item, ending = scan(FakeXpanse(create=[("s2", True)], get=[DONE]), ledger_with(month, ago(30 * DAY)))
        assert ending is None and item["scan_id"] == "s2" and judged(item) == "pending"
        item, ending = scan(FakeXpanse(get=[RUNNING, DONE]), ledger_with(month, ago(30 * DAY)), wait=True)
        # This run saw it run.
        assert ending is None and item["scan_id"] == "s1" and judged(item) == "remediated"

    def test_no_age_counts_what_this_run_did_not_see(self):
        api = FakeXpanse(create=[("s2", True)])
        assert scan(api, ledger_with(), max_age=0)[0]["scan_id"] == "s2" and api.calls == ["create"]

    @pytest.mark.parametrize("max_age", [0, DAY])
    def test_what_this_run_found_counts_to_its_last_task(self, max_age):
        ledger = Ledger(None)
        item, _ending = scan(FakeXpanse(create=[("s1", True)], get=[DONE]), ledger, wait=True, max_age=max_age, run_id="now")
        api = FakeXpanse()
        for start in (True, False):
            again, ending = scan(api, ledger, wait=True, max_age=max_age, run_id="now", start=start)
            assert ending is None and api.calls == [] and judged(again) == "remediated"
            assert again["answers"] == item["answers"]
        # Of another run, it is read again, or counts no more.
        api = FakeXpanse(get=[DONE], create=[("s2", True)])
        scan(api, ledger, max_age=max_age, run_id="later")
        assert api.calls == (["get"] if max_age else ["create"])

    def test_one_that_this_run_asked_for_just_now_is_given_time(self):
        """As if this task had asked for it."""

        def ledger(seconds):
            return ledger_with([asking(seconds=-seconds)], asked_at=ago(seconds), run_id="now")

        api = FakeXpanse(get=[DONE])
        generator = confirmation_scan(api, ledger(20), Pace(60), {}, REQUEST, wait=True, run_id="now")
        assert 35 < next(generator) <= 40 and not api.calls
        generator = confirmation_scan(api, ledger(61), Pace(60), {}, REQUEST, wait=True, run_id="now")
        with pytest.raises(StopIteration):
            next(generator)
        assert api.calls == ["get"]

    def test_nothing_known_and_none_may_be_started(self):
        api = FakeXpanse()
        ending = scan(api, start=False)[1]
        assert isinstance(ending, ItemFailed) and "no scan of this exposure is known" in str(ending) and not api.calls

    def test_a_remembered_scan_that_nobody_knows_is_asked_for_again(self):
        api, ledger = FakeXpanse(get=[ScanNotFound("404"), DONE], create=[("s2", True)]), ledger_with()
        item, ending = scan(api, ledger, wait=True)
        assert ending is None and (item["scan_id"], item["created"], judged(item)) == ("s2", True, "remediated")
        assert api.calls == ["get", "create", "get"] and ledger.get(SCAN_KEY)["scan_id"] == "s2"

    def test_a_remembered_scan_that_nobody_knows_and_none_may_be_started(self):
        ending = scan(FakeXpanse(get=[ScanNotFound("404")]), ledger_with(), start=False)[1]
        assert isinstance(ending, ItemFailed) and "no scan has the id s1" in str(ending)

    def test_a_new_scan_that_nobody_knows_does_not_loop(self):
        api = FakeXpanse(get=[ScanNotFound("404")], create=[("s2", True)])
        ending = scan(api, ledger_with(), wait=True)[1]
        assert isinstance(ending, ItemFailed) and "no scan has the id s2" in str(ending)
        assert api.calls == ["get", "create", "get"]

    def test_check_mode_with_a_remembered_scan_that_nobody_knows(self):
        api = FakeXpanse(get=[ScanNotFound("404")], create=[WouldChange("POST", "/x")])
        item, ending = scan(api, ledger_with())
        assert ending is None and (item["created"], item["scan_id"]) == (True, None)

    def test_another_tenant_or_exposure_is_another_scan(self):
        api = FakeXpanse(create=[("s2", True)])
        assert scan(api, finished(), request=dict(REQUEST, service_id="u2"))[0]["scan_id"] == "s2"
        for tenant in ("https://other.example", "https://acme.example:8443", "http://acme.example", "https://acme.example/b"):
            api.tenant = tenant
            assert scan(api, finished())[0]["scan_id"] == "s2"

    def test_a_run_that_was_killed_goes_on(self, tmp_path):
        path = str(tmp_path / "ledger.json")
        next(confirmation_scan(FakeXpanse(create=[("s1", True)]), Ledger(path), Pace(60), {}, REQUEST, wait=True))
        # No close(): the process is gone.
        api = FakeXpanse(Clock(60), get=[DONE])
        item, ending = scan(api, Ledger(path))
        assert ending is None and api.calls == ["get"] and judged(item) == "remediated"

    def test_one_that_ran_when_it_was_killed_goes_on(self):
        """It was there already; that it was seen running since is remembered."""
        ledger = Ledger(None)
        scan(FakeXpanse(create=[("s1", False)], get=[RUNNING]), ledger)
        api = FakeXpanse(Clock(60), get=[DONE])
        item, ending = scan(api, ledger)
        assert ending is None and api.calls == ["get"] and judged(item) == "remediated"

    @pytest.mark.parametrize("start", [True, False])
    def test_a_memory_is_no_answer_while_the_api_is_away(self, start):
        pace = Pace(0.01)
        pace.answered()
        item, ending = scan(FakeXpanse(get=[passing()]), finished(-30 * DAY), wait=True, wait_timeout=0.2, pace=pace, start=start)
        assert isinstance(ending, WaitTimeout)
        with pytest.raises(TaskFailed):
            settle([item], [ending], ["it"], "scans", "", WITHOUT_ANSWER)
        assert judged(item) == "pending" and item["outcome"] == "pending"

    @pytest.mark.parametrize("error", [passing(), final()])
    def test_a_memory_is_no_answer_where_it_cannot_be_read(self, error):
        item, ending = scan(FakeXpanse(get=[error]), finished())
        assert ending is error
        with pytest.raises(TaskFailed):
            settle([item], [ending], ["it"], "scans", "", WITHOUT_ANSWER)
        assert judged(item) == item["outcome"] == "inconclusive"


class TestUnconfirmed:
    """verify_confirm: false, for who counts requests."""

    @pytest.mark.parametrize("words", [DONE, OPEN, ("FAILED_ERROR", None)])
    def test_an_end_counts_as_it_was(self, words):
        api = FakeXpanse()
        item, ending = scan(api, finished(words=words), confirm=False)
        assert ending is None and api.calls == [] and item["unread"]
        assert judged(item) == item["outcome"] == {DONE: "remediated", OPEN: "unremediated"}.get(words, "inconclusive")

    @pytest.mark.parametrize(
        "ledger, max_age",
        [
            (finished(), 0),
            (finished(), 4000),
            (finished(-5 * DAY), DAY),
            (finished(ended_at="soon"), DAY),
            (finished(ended_at=None), DAY),
            (finished(ended_at=ago(-500)), DAY),
            (ledger_with(), DAY),
            (ledger_with([asking(status=200), looking(DONE)], ended_at=ago(50)), DAY),
            # It ran for longer than what counts.
            (ledger_with([asking(seconds=-5 * DAY), looking(DONE)], ended_at=ago(50)), DAY),
            (finished(words=("SUCCESS", "PARTLY")), DAY),
        ],
    )
    def test_what_does_not(self, ledger, max_age):
        api = FakeXpanse(get=[RUNNING], create=[("s2", True)])
        item, ending = scan(api, ledger, confirm=False, max_age=max_age)
        assert ending is None and api.calls and judged(item) == "pending"


class TestReopened:
    @pytest.mark.parametrize("options", [{}, dict(confirm=False)])
    def test_a_scan_of_before_does_not_count(self, options):
        api = FakeXpanse(get=[DONE], create=[("s2", True)])
        item, ending = scan(api, finished(), request=dict(REQUEST, newer_than=at(-4990)), **options)
        assert ending is None and item["scan_id"] == "s2"

    def test_a_scan_of_after_counts(self):
        item, ending = scan(FakeXpanse(get=[DONE]), finished(), request=dict(REQUEST, newer_than=at(-5001)))
        assert ending is None and (item["scan_id"], item["outcome"]) == ("s1", "remediated")

    def test_none_may_be_started(self):
        ending = scan(FakeXpanse(get=[DONE]), finished(), request=dict(REQUEST, newer_than=at(-4990)), start=False)[1]
        assert isinstance(ending, ItemFailed) and "the alert was reopened at" in str(ending)

    @pytest.mark.parametrize("newer_than", ["yesterday", "2026-11-22", "1795348800000"])
    def test_a_time_that_is_none(self, newer_than):
        api = FakeXpanse()
        ending = scan(api, request=dict(REQUEST, newer_than=newer_than))[1]
        assert isinstance(ending, ItemFailed) and "is not a time" in str(ending) and not api.calls


class TestRecords:
    """What a ledger may hold, whoever wrote it."""

    @pytest.mark.parametrize(
        "record",
        [
            {},
            dict(scan_id="s1"),
            dict(scan_id="s1", answers=[]),
            dict(scan_id="s1", answers="x"),
            dict(answers=[asking()]),
            dict(scan_id=5, answers=[asking()]),
            dict(scan_id="s2", answers=[asking()]),
            dict(scan_id="s1", answers=[asking(ids=(232, "Rdp", "u1"))]),
            dict(scan_id="s1", answers=[{"status": 201}]),
            dict(scan_id="s1", answers=[dict(asking(), method=["POST"])]),
            dict(scan_id="s1", answers=[dict(asking(), path=None)]),
            dict(scan_id="s1", answers=[dict(asking(), sent=None)]),
            dict(scan_id="s1", answers=[dict(asking(), status="201")]),
        ],
    )
    def test_what_is_not_sound_is_ignored(self, record):
        ledger = Ledger(None)
        ledger.put(SCAN_KEY, record)
        assert remembered(ledger, FakeXpanse(), IDS) == {}
        item, ending = scan(FakeXpanse(create=[("s2", True)]), ledger)
        assert ending is None and item["scan_id"] == "s2"

    def test_whatever_it_holds(self):
        """It ends, with no other exception than those that say why, and never with an outcome that was not read."""
        source = random.Random(8)
        sound = finished().get(SCAN_KEY)
        for _round in range(1500):
            record = damaged(sound, source)
            ledger = Ledger(None)
            if not isinstance(record, dict):
                continue
            ledger.put(SCAN_KEY, record)
            item, ending = scan(FakeXpanse(create=[("s2", True)], get=[RUNNING]), ledger, confirm=source.random() < 0.5)
            assert ending is None or isinstance(ending, (ItemFailed, HttpError)), (record, ending)
            assert judged(item) != "remediated" or item.get("unread")

    @pytest.mark.parametrize("took", [*JUNK, float("nan"), float("inf"), -1, 0])
    def test_durations(self, took):
        ledger = Ledger(None)
        ledger.put(SCAN_KEY, dict(took=7.5))
        ledger.put(SCAN_KEY + "2", dict(took=took))
        found = durations(ledger=ledger, api=FakeXpanse())
        assert 7.5 in found and all(0 < seconds < 10**9 for seconds in found)


class TestOf02:
    """Records of version 0.2.0, which kept no answers."""

    OLD = "acme.example/exposure/231/Rdp/u1"

    def record(self, status=201, seconds=-5000, **facts):
        """One of them."""
        asked = exchange("POST", GET_OR_CREATE + "/", status, seconds=seconds, reference="scanId s1")
        requests = [{name: asked[name] for name in ("method", "path", "status", "reference", "server_time")}]
        return dict(
            dict(
                kind="exposure",
                scan_id="s1",
                status="SUCCESS",
                result="REMEDIATED",
                outcome="remediated",
                requested_at=ago(-seconds),
                finished_at=ago(-seconds - 60),
                requests=requests,
            ),
            **facts,
        )

    def test_the_scan_is_read_again(self):
        ledger = Ledger(None)
        ledger.put(self.OLD, self.record())
        api = FakeXpanse(get=[OPEN])
        item, ending = scan(api, ledger, confirm=False)
        assert ending is None and api.calls == ["get"] and judged(item) == "unremediated"
        # From now on it is this tenant's.
        assert ledger.get(SCAN_KEY)["scan_id"] == "s1"

    def test_one_that_is_too_old_is_asked_for_again(self):
        ledger = Ledger(None)
        ledger.put(self.OLD, self.record(seconds=-5 * DAY))
        assert scan(FakeXpanse(get=[DONE], create=[("s2", True)]), ledger)[0]["scan_id"] == "s2"

    def test_one_of_which_nobody_knows_whose_it_is(self):
        ledger = Ledger(None)
        ledger.put(self.OLD, self.record())
        ledger.put("https://acme.example:8443/exposure/1/r/s", dict(scan_id="s7"))
        assert scan(FakeXpanse(create=[("s2", True)]), ledger)[0]["scan_id"] == "s2"

    @pytest.mark.parametrize(
        "changes",
        [
            dict(requests=[]),
            dict(requests=None),
            dict(requests="x"),
            dict(requests=list(JUNK)),
            dict(scan_id=None),
            dict(scan_id="s2"),
            dict(scan_id=5),
        ],
    )
    def test_what_does_not_say_when_it_was_asked_for(self, changes):
        assert from_0_2(self.record(**changes), IDS) == {}

    def test_one_that_was_there_already_has_to_be_seen_running(self):
        ledger = Ledger(None)
        ledger.put(self.OLD, self.record(status=200))
        item, ending = scan(FakeXpanse(get=[DONE], create=[("s2", True)]), ledger)
        assert ending is None and item["scan_id"] == "s2"


class World(FakeXpanse):
    """A tenant that does what it likes: what a scan sees is what is so when it ends."""

    def __init__(self, source):
        super().__init__()
        self.source, self.clock.seconds = source, 0
        self.open, self.number = True, 0
        self.scans = []

    def _go_on(self):
        self.clock.seconds += self.source.choice((10, 60, 600))
        if self.source.random() < 0.15:
            self.open = not self.open
        for one in self.scans:
            if one["ended"] is None and self.source.random() < 0.3:
                one.update(ended=self.clock.seconds, open=self.open, failed=self.source.random() < 0.1)
        if self.source.random() < 0.1:
            self._scan()

    def _scan(self):
        self.number += 1
        self.scans.append(dict(id="s%d" % self.number, ended=None))
        return self.scans[-1]["id"], True

    def _next(self, name, record, method, path, sent=None):
        self._go_on()
        luck = self.source.random()
        if luck < 0.15:
            error = self.source.choice((passing(), passing(500), final()))
            self._note(record, method, path, error.status, None, sent)
            raise error
        if name == "create":
            running = [one for one in self.scans if one["ended"] is None]
            there = running or (self.scans[-1:] if luck < 0.6 else [])
            return (there[-1]["id"], False) if there else self._scan()
        scan_id = sent["request_data"]["filters"][0]["value"]
        one = next((one for one in self.scans if one["id"] == scan_id), None)
        if one and luck < 0.2:
            self.scans.remove(one)
        if one not in self.scans:
            raise ScanNotFound("404")
        if one["ended"] is None:
            return RUNNING
        return ("FAILED_ERROR", None) if one["failed"] else OPEN if one["open"] else DONE


@pytest.mark.parametrize("seed", range(60))
def test_a_world_of_its_own(seed):
    """Whatever happens, and whenever a run is killed: what is said was seen by a scan that ended late enough."""
    source = random.Random(seed)
    world, ledger = World(source), Ledger(None)
    for run in range(6):
        began, max_age = world.clock.seconds, source.choice((0, 2000, DAY))
        reopened_at = source.choice((None, None, world.clock.seconds - 300))
        request = dict(REQUEST, newer_than=reopened_at and at(reopened_at))
        for start in source.choice(((True,), (True, False), (True, True, False))):
            item, pace = dict(REQUEST), Pace(0)
            steps = confirmation_scan(
                world,
                ledger,
                pace,
                item,
                request,
                start=start,
                wait=source.random() < 0.8,
                max_age=max_age,
                run_id="run %d" % run,
            )
            ending = WaitTimeout()
            try:
                for _step in range(source.choice((1, 3, 10, 60))):
                    next(steps)
            except StopIteration:
                ending = None
            except (ItemFailed, HttpError) as error:
                ending = error
            if ending is not None:
                with pytest.raises(TaskFailed):
                    settle([item], [ending], ["it"], "scans", "", WITHOUT_ANSWER)
            said = judged(item)
            if said in ("remediated", "unremediated"):
                assert ending is None
                one = next(one for one in world.scans if one["id"] == item["scan_id"])
                assert one["open"] == (said == "unremediated") and not one["failed"]
                assert one["ended"] >= began - max_age and (reopened_at is None or one["ended"] > reopened_at)
        world.clock.seconds += source.choice((0, 1000, 3 * DAY))
