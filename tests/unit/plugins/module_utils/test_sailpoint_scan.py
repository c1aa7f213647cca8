# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign's remediation scan, from what is remembered of it to its only sign."""

from __future__ import annotations

import random

import pytest
from conversations import (
    Clock,
    FakeSailPoint,
    accepting,
    ago,
    at,
    campaign,
    damaged,
    final,
    passing,
    reading,
)

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.task import settle
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import target as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import CampaignNotFound, OperationConflict
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.scan import (
    from_0_2,
    remediation_scan,
    remembered,
)

SCAN_KEY = "https://acme.example/campaign/c1"
DAY = 86400
# What the campaign's `modified` was before a scan, and is after one, and after the next; seconds after noon.
M0, M1, M2 = -3000, -2000, -1000


def scan(api, ledger=None, wait_timeout=5, pace=None, **options):
    """Runs one scan. Returns (item, how it ended)."""
    item = {"campaign_id": "c1"}
    generator = remediation_scan(api, ledger or Ledger(None), pace or Pace(options.pop("wait_interval", 0)), item, **options)
    return item, drive([generator], 1, wait_timeout)[0]


def facts(item):
    """What an item says of the scan."""
    return tuple(item[name] for name in ("status", "requested_at", "modified_before", "modified", "changed"))


def judged(item):
    """What becomes of the campaign before there is a report."""
    return sailpoint.targets(dict(campaign_ids=["c1"], campaigns=dict(campaigns=[campaign(M1)]), scans=dict(scans=[item])))[0]


def ledger_with(seconds=-2500, modified=None, end=(), **more):
    """A ledger that knows a scan, accepted at that moment by the server's clock. modified: what it moved to."""
    ledger = Ledger(None)
    answers = [reading(M0, seconds - 1), accepting(seconds=seconds)] + ([reading(modified, seconds + 1)] if modified else [])
    ledger.put(
        SCAN_KEY,
        dict(
            dict(
                kind="campaign",
                campaign_id="c1",
                run_id="before",
                asked_at=ago(-seconds),
                modified=modified and at(modified),
                answers=answers + list(end),
            ),
            **more,
        ),
    )
    return ledger


def baseline(modified=M1, **more):
    """What the campaign was after its report."""
    return dict(dict(status="COMPLETED", modified=at(modified), totalCertifications=4, completedCertifications=4), **more)


def finished(seconds=-2500, **more):
    """A ledger that knows a scan that has ended, and what the campaign was after its report."""
    return ledger_with(seconds, M1, **dict(dict(ended_at=ago(-seconds - 60), baseline=baseline()), **more))


class TestScan:
    def test_requested(self):
        api, ledger = FakeSailPoint(campaign=[M0], scan=["now"]), Ledger(None)
        item, ending = scan(api, ledger)
        assert ending is None and facts(item) == ("requested", at(2), at(M0), None, True)
        assert [(one["method"], one["status"]) for one in item["requests"]] == [("GET", 200), ("POST", 202)]
        known = ledger.get(SCAN_KEY)
        assert known["asked_at"] and known["answers"] == item["answers"] and "status" not in known

    def test_it_is_on_disk_before_the_first_wait(self, tmp_path):
        path = str(tmp_path / "ledger.json")
        next(
            remediation_scan(FakeSailPoint(campaign=[M0], scan=["now"]), Ledger(path), Pace(60), {"campaign_id": "c1"}, wait=True)
        )
        assert remembered(Ledger(path), FakeSailPoint(), "c1")["answers"]

    def test_finished(self):
        api, ledger = FakeSailPoint(campaign=[M0, M0, M0, M1], scan=["now"]), Ledger(None)
        item, ending = scan(api, ledger, wait=True)
        assert ending is None and facts(item) == ("finished", at(2), at(M0), at(M1), True)
        assert api.calls.count("scan") == 1
        known = ledger.get(SCAN_KEY)
        assert known["ended_at"] and known["modified"] == at(M1)

    def test_one_that_never_moves_modified_is_not_finished(self):
        item, ending = scan(FakeSailPoint(campaign=[M0], scan=["now"]), wait=True, wait_interval=0.01, wait_timeout=0.1)
        assert isinstance(ending, WaitTimeout) and item["status"] == "requested" and item["modified"] is None

    @pytest.mark.parametrize(
        "nothing",
        [
            campaign(None),
            {"id": "c1", "status": "COMPLETED"},
            campaign("soon"),
            M0 - 100,
            campaign([at(M1)]),
            campaign(5000)["modified"][:10],
        ],
    )
    def test_a_modified_that_vanishes_or_goes_back_is_no_sign(self, nothing):
        api = FakeSailPoint(campaign=[M0, nothing], scan=["now"])
        item, ending = scan(api, wait=True, wait_interval=0.01, wait_timeout=0.05)
        assert isinstance(ending, WaitTimeout) and item["status"] == "requested"

    @pytest.mark.parametrize("status", ["ACTIVE", "PENDING", None, "SOMETHING", ["COMPLETED"]])
    def test_not_completed(self, status):
        api = FakeSailPoint(campaign=[campaign(M0, status=status)])
        item, ending = scan(api)
        assert isinstance(ending, ItemFailed) and "the campaign is %s" % status in str(ending)
        assert item["status"] is None and not item["changed"] and api.calls == ["campaign"]

    @pytest.mark.parametrize("modified", [None, "", "soon", 5.5, "2026-11-22", at(3600)])
    def test_one_that_cannot_be_proved_says_so_at_once(self, modified):
        """A sign could not be seen, so nothing is waited for."""
        api = FakeSailPoint(campaign=[dict(campaign(M0), modified=modified)])
        item, ending = scan(api, wait=True)
        assert isinstance(ending, ItemFailed) and "nothing was asked for" in str(ending)
        assert repr(modified) in str(ending) and api.calls == ["campaign"]

    def test_no_campaign(self):
        ending = scan(FakeSailPoint(campaign=[CampaignNotFound("c1")]))[1]
        assert isinstance(ending, ItemFailed) and "no campaign has the id c1" in str(ending)

    @pytest.mark.parametrize("campaign_id", ["c2", None, 5, ["c1"], {}])
    def test_another_campaign(self, campaign_id):
        """Its `modified` must not end a scan of this one."""
        ending = scan(FakeSailPoint(campaign=[M0, dict(campaign(M1), id=campaign_id)], scan=["now"]), wait=True)[1]
        assert isinstance(ending, ItemFailed) and "the API answered with another campaign" in str(ending)

    def test_check_mode(self):
        api, ledger = FakeSailPoint(campaign=[M0], scan=[WouldChange("POST", "/x")]), Ledger(None)
        item, ending = scan(api, ledger, wait=True)
        assert ending is None and facts(item) == ("requested", None, at(M0), None, True)
        assert ledger.get(SCAN_KEY) == {}

    def test_an_uncertain_request_is_an_error_and_not_remembered(self):
        ledger = Ledger(None)
        error = HttpError("POST", "/x", "broke", uncertain=True)
        item, ending = scan(FakeSailPoint(campaign=[M0], scan=[error]), ledger)
        assert ending is error and ledger.get(SCAN_KEY) == {} and not item["changed"]

    def test_a_ledger_that_cannot_be_written_ends_no_scan(self):
        ledger = Ledger(None)
        really = ledger.put

        def put(*args, **options):
            really(*args, **options)
            raise LedgerError("full")

        ledger.put = put
        item, ending = scan(FakeSailPoint(campaign=[M0, M1], scan=["now"]), ledger, wait=True)
        assert ending is None and item["status"] == "finished"
        assert list(ledger.unwritten()) == [SCAN_KEY]

    def test_an_outage_in_the_middle_of_a_wait(self):
        api = FakeSailPoint(campaign=[M0, M0, passing(), passing(500), passing(429), M1], scan=["now"])
        item, ending = scan(api, wait=True)
        assert ending is None and item["status"] == "finished" and "last_error" not in item

    def test_an_outage_before_anything_was_heard(self):
        error = passing()
        assert scan(FakeSailPoint(campaign=[error]), wait=True)[1] is error

    @pytest.mark.parametrize("error", [final(401), final(403), final(404), final(422)])
    def test_what_is_final_ends_a_wait(self, error):
        item, ending = scan(FakeSailPoint(campaign=[M0, M0, error, M1], scan=["now"]), wait=True)
        assert ending is error and item["status"] == "requested"

    def test_our_own_answer_was_lost(self):
        """Then the campaign is asked again when it is free: one scan more is the price of being sure."""
        lost = HttpError("POST", "/x", "broke", uncertain=True, passing=True)
        pace = Pace(0)
        pace.answered()
        api = FakeSailPoint(campaign=[M0, M0, M1, M1, M2], scan=[lost, OperationConflict(), "now"], reports=[[]])
        item, ending = scan(api, wait=True, pace=pace)
        assert ending is None and facts(item)[2:] == (at(M1), at(M2), True) and api.calls.count("scan") == 3


class TestBusy:
    """Another operation of the campaign is in the way: anybody's scan, or a report."""

    PENDING = [{"status": "SUCCESS"}, {"status": "PENDING"}]

    @pytest.mark.parametrize("reports, status", [([], "running"), ([{"status": "SUCCESS"}], "running"), (PENDING, "blocked")])
    def test_without_waiting(self, reports, status):
        api, ledger = FakeSailPoint(campaign=[M0], scan=[OperationConflict()], reports=[reports]), Ledger(None)
        item, ending = scan(api, ledger)
        assert ending is None and facts(item) == (status, None, at(M0), None, False)
        # It is not ours, so there is nothing to remember.
        assert ledger.get(SCAN_KEY) == {} and judged(item)["outcome"] == "pending"

    @pytest.mark.parametrize("reports", [[], PENDING])
    def test_it_proves_nothing_however_modified_moves(self, reports):
        """It may have been anybody's: the campaign is asked again when it is free."""
        api = FakeSailPoint(campaign=[M0, M1, M1, M2], scan=[OperationConflict(), OperationConflict(), "now"], reports=[reports])
        item, ending = scan(api, wait=True)
        assert ending is None and api.calls.count("scan") == 3
        assert item["status"] == "finished" and facts(item)[2:] == (at(M1), at(M2), True)

    @pytest.mark.parametrize("reports, status", [([], "running"), (PENDING, "blocked")])
    def test_it_never_ends(self, reports, status):
        """Even if `modified` moves meanwhile."""
        for modified in ([M0], [M0, M1]):
            api = FakeSailPoint(campaign=modified, scan=[OperationConflict()], reports=[reports])
            item, ending = scan(api, wait=True, wait_interval=0.01, wait_timeout=0.1)
            assert isinstance(ending, WaitTimeout) and (item["status"], item["changed"]) == (status, False)
            assert judged(item)["outcome"] == "pending"

    def test_a_report_after_a_scan(self):
        api = FakeSailPoint(
            campaign=[M1] * 4 + [M2], scan=[OperationConflict(), OperationConflict(), "now"], reports=[[], self.PENDING]
        )
        item, ending = scan(api, wait=True)
        assert ending is None and facts(item)[2:] == (at(M1), at(M2), True)

    def test_none_may_be_started(self):
        api = FakeSailPoint(campaign=[M0])
        ending = scan(api, start=False, wait=True)[1]
        assert isinstance(ending, ItemFailed) and "no scan of this campaign is known" in str(ending)
        assert api.calls == ["campaign"]


class TestLedger:
    def test_a_finished_scan_is_confirmed_by_reading_the_campaign(self):
        api = FakeSailPoint(campaign=[M1])
        item, ending = scan(api, finished(), wait=True)
        assert ending is None and api.calls == ["campaign"]
        assert facts(item) == ("finished", at(-2500), at(M0), at(M1), False)
        assert [bool(one.get("remembered")) for one in item["answers"]] == [True, True, True, False]

    @pytest.mark.parametrize(
        "now",
        [
            M2,
            campaign(M1, totalCertifications=5),
            campaign(M1, completedCertifications=3),
            campaign(M1 - 1),
            campaign(M1, totalCertifications=None),
        ],
    )
    @pytest.mark.parametrize("known", [finished, lambda: finished(baseline=None)])
    def test_one_whose_campaign_has_changed_is_made_anew(self, now, known):
        api, ledger = FakeSailPoint(campaign=[now], scan=["now"]), known()
        if not ledger.get(SCAN_KEY)["baseline"]:
            now = M2
            api.script["campaign"] = [M2]
        item, ending = scan(api, ledger)
        assert ending is None and (item["status"], item["changed"], item["modified"]) == ("requested", True, None)
        assert "remembered" not in str(item["answers"])

    def test_one_whose_campaign_was_opened_again(self):
        ending = scan(FakeSailPoint(campaign=[campaign(M1, status="ACTIVE")]), finished())[1]
        assert isinstance(ending, ItemFailed) and "the campaign is ACTIVE" in str(ending)

    def test_a_report_that_moved_modified_is_no_change(self):
        """What the campaign was after its report is the baseline, whatever moved it."""
        api = FakeSailPoint(campaign=[M2])
        item, ending = scan(api, finished(baseline=baseline(M2)), wait=True)
        assert ending is None and api.calls == ["campaign"] and facts(item) == ("finished", at(-2500), at(M0), at(M1), False)

    @pytest.mark.parametrize("seconds, max_age", [(-2500, 0), (-2500, 2000), (-30 * DAY, DAY), (900, DAY)])
    def test_one_that_is_too_old_or_in_the_future(self, seconds, max_age):
        """By the server's clock, whatever this machine's says."""
        for known in (finished(seconds), ledger_with(seconds)):
            api = FakeSailPoint(campaign=[M1], scan=["now"])
            item, ending = scan(api, known, max_age=max_age)
            assert ending is None and facts(item)[2:] == (at(M1), None, True) and item["status"] == "requested"
            ending = scan(FakeSailPoint(campaign=[M1]), known, max_age=max_age, start=False)[1]
            # The second one knows what the first has just asked for.
            assert isinstance(ending, ItemFailed) or max_age

    @pytest.mark.parametrize("known", [finished(-5000), ledger_with(-5000)])
    def test_one_that_is_too_old_and_none_may_be_started(self, known):
        ending = scan(FakeSailPoint(campaign=[M1]), known, max_age=4000, start=False)[1]
        assert isinstance(ending, ItemFailed) and "longer ago than max_age" in str(ending)

    @pytest.mark.parametrize("start", [True, False])
    def test_one_under_way_that_has_ended(self, start):
        api = FakeSailPoint(campaign=[M1])
        item, ending = scan(api, ledger_with(), start=start)
        assert ending is None and api.calls == ["campaign"]
        assert facts(item) == ("finished", at(-2500), at(M0), at(M1), False)

    @pytest.mark.parametrize("start", [True, False])
    def test_one_under_way_is_not_asked_for_again(self, start):
        api = FakeSailPoint(campaign=[M0, M0, M1])
        item, ending = scan(api, ledger_with(), start=start, wait=True)
        assert ending is None and item["status"] == "finished" and api.calls == ["campaign"] * 3

    @pytest.mark.parametrize("max_age", [0, DAY])
    def test_what_this_run_found_counts_to_its_last_task(self, max_age):
        ledger = Ledger(None)
        scan(FakeSailPoint(campaign=[M0], scan=["now"]), ledger, max_age=max_age, run_id="now")
        for start, moves in ((False, [M0, M1]), (True, [M1])):
            api = FakeSailPoint(Clock(10), campaign=moves)
            item, ending = scan(api, ledger, wait=True, max_age=max_age, run_id="now", start=start)
            assert ending is None and item["status"] == "finished" and "scan" not in api.calls
            assert "remembered" not in str(item["answers"])
        # In another run it is as old as it is.
        api = FakeSailPoint(Clock(20), campaign=[M1], scan=["now"])
        item, _ending = scan(api, ledger, max_age=max_age, run_id="later")
        assert item["changed"] == (max_age == 0)

    def test_another_tenant_is_another_scan(self):
        api = FakeSailPoint(campaign=[M1], scan=["now"])
        for tenant in ("https://other.example", "https://acme.example:8443", "http://acme.example", "https://acme.example/b"):
            api.tenant = tenant
            assert scan(api, finished())[0]["status"] == "requested"

    def test_check_mode_with_a_known_scan(self):
        api = FakeSailPoint(campaign=[M0], scan=[WouldChange("POST", "/x")])
        assert scan(api, ledger_with())[0]["changed"] is False
        assert scan(api, ledger_with(-5 * DAY))[0]["changed"] is True

    def test_a_memory_is_no_answer_while_the_api_is_away(self):
        pace = Pace(0.01)
        pace.answered()
        item, ending = scan(FakeSailPoint(campaign=[passing()]), finished(), wait=True, wait_timeout=0.2, pace=pace)
        assert isinstance(ending, WaitTimeout)
        with pytest.raises(TaskFailed):
            settle([item], [ending], ["it"], "scans", "")
        assert item["status"] != "finished"
        assert judged(item)["outcome"] == "pending" and "HTTP 503" in judged(item)["reason"]

    def test_a_run_that_was_killed_before_the_answer(self):
        """Nothing is known of what was asked for, so it is asked for again when the campaign is free."""
        api = FakeSailPoint(campaign=[M0, M1, M1, M2], scan=[OperationConflict(), "now"], reports=[[]])
        item, ending = scan(api, Ledger(None), wait=True)
        assert ending is None and facts(item)[2:] == (at(M1), at(M2), True)


class TestUnconfirmed:
    """verify_confirm: false, for who counts requests."""

    def test_a_scan_counts_as_it_was(self):
        api = FakeSailPoint()
        item, ending = scan(api, finished(), confirm=False)
        assert ending is None and api.calls == [] and item["unread"] and item["status"] == "finished"

    @pytest.mark.parametrize(
        "known, max_age",
        [
            (finished(), 0),
            (finished(), 2000),
            (finished(-30 * DAY), DAY),
            (finished(ended_at=None), DAY),
            (finished(ended_at="soon"), DAY),
            (finished(ended_at=ago(-900)), DAY),
            (ledger_with(), DAY),
        ],
    )
    def test_what_does_not(self, known, max_age):
        api = FakeSailPoint(campaign=[M1], scan=["now"])
        item, ending = scan(api, known, confirm=False, max_age=max_age)
        assert ending is None and api.calls and not item.get("unread")


class TestRecords:
    """What a ledger may hold, whoever wrote it."""

    SOUND = [reading(M0, -2501), accepting(seconds=-2500)]

    @pytest.mark.parametrize(
        "record",
        [
            {},
            dict(answers=[]),
            dict(answers="x"),
            dict(answers=SOUND[:1]),
            dict(answers=SOUND[1:]),
            dict(answers=SOUND[::-1]),
            dict(answers=[dict(SOUND[0], status="200"), SOUND[1]]),
            dict(answers=[SOUND[0], dict(SOUND[1], method=None)]),
            dict(answers=[SOUND[0], dict(SOUND[1], path=["x"])]),
            dict(answers=[SOUND[0], accepting(campaign_id="c2")]),
            dict(answers=[reading("soon", -2501), SOUND[1]]),
            dict(answers=[SOUND[0], accepting(status=200)]),
            dict(answers=[SOUND[0], accepting(body={"detailCode": "400.2.0"})]),
            dict(status="finished", modified=at(M1)),
        ],
    )
    def test_what_is_not_sound_is_ignored(self, record):
        ledger = Ledger(None)
        ledger.put(SCAN_KEY, record)
        assert remembered(ledger, FakeSailPoint(), "c1") == {}
        item, ending = scan(FakeSailPoint(campaign=[M1], scan=["now"]), ledger)
        assert ending is None and item["changed"]

    def test_whatever_it_holds(self):
        """It ends, with no other exception than those that say why."""
        source = random.Random(8)
        sound = finished().get(SCAN_KEY)
        for _round in range(1500):
            record = damaged(sound, source)
            if not isinstance(record, dict):
                continue
            ledger = Ledger(None)
            ledger.put(SCAN_KEY, record)
            item, ending = scan(FakeSailPoint(campaign=[M1], scan=["now"]), ledger, confirm=source.random() < 0.5)
            assert ending is None or isinstance(ending, (ItemFailed, HttpError)), (record, ending)
            assert judged(item)["outcome"] in ("pending", "inconclusive")


class TestOf02:
    """Records of version 0.2.0, which kept no answers."""

    OLD = "acme.example/campaign/c1"

    def record(self, seconds=-2500, answered=202, campaign_id="c1", **facts):
        """One of them."""
        asked = accepting(seconds=seconds, status=answered, campaign_id=campaign_id)
        requests = [{name: asked[name] for name in ("method", "path", "status", "reference", "server_time")}]
        return dict(
            dict(
                status="finished",
                requested_at=at(seconds),
                modified_before=at(M0),
                modified=at(M1),
                asked_at=ago(-seconds),
                finished_at=ago(-seconds - 60),
                requests=requests,
            ),
            **facts,
        )

    @pytest.mark.parametrize("changes", [{}, dict(status="requested", modified=None)])
    def test_the_campaign_is_read_again(self, changes):
        ledger = Ledger(None)
        ledger.put(self.OLD, self.record(**changes))
        api = FakeSailPoint(campaign=[M1])
        item, ending = scan(api, ledger, confirm=False)
        assert ending is None and api.calls == ["campaign"] and facts(item)[:4] == ("finished", at(-2500), at(M0), at(M1))
        assert ledger.get(SCAN_KEY)["answers"]

    @pytest.mark.parametrize(
        "record",
        [
            lambda of: of(seconds=-5 * DAY),
            lambda of: of(modified=at(M2)),
            lambda of: of(answered=400),
            lambda of: of(campaign_id="c2"),
            lambda of: of(requests=[]),
            lambda of: of(requests=None),
            lambda of: of(requests={"x": 1}),
            lambda of: of(requests=[None, "x", {"status": 202}]),
            lambda of: of(requested_at=None),
            lambda of: of(modified_before="soon"),
            lambda of: of(modified_before=None),
        ],
    )
    def test_what_does_not_count(self, record):
        ledger = Ledger(None)
        ledger.put(self.OLD, record(self.record))
        item, ending = scan(FakeSailPoint(campaign=[M1], scan=["now"]), ledger)
        assert ending is None and item["changed"]

    def test_one_of_which_nobody_knows_whose_it_is(self):
        ledger = Ledger(None)
        ledger.put(self.OLD, self.record())
        ledger.put("https://acme.example/b/campaign/c9", dict(answers=[]))
        assert scan(FakeSailPoint(campaign=[M1], scan=["now"]), ledger)[0]["changed"]

    @pytest.mark.parametrize("requests", [[{"status": 202, "path": "/x/run-remediation-scan"}], [{"status": 202, "path": "x"}]])
    def test_odd_requests(self, requests):
        assert isinstance(from_0_2(self.record(requests=requests), "c1"), dict)
