# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign's report, run if need be, waited for, and downloaded; and a whole verification from run to run."""

from __future__ import annotations

import random

import pytest
from conversations import (
    RUN_REPORT,
    SHA256,
    Clock,
    FakeSailPoint,
    accepting,
    at,
    campaign,
    file_says,
    final,
    passing,
    reading,
    report,
)

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.task import settle
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import report_proof
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import target as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    CampaignNotFound,
    OperationConflict,
    ReportGone,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report import campaign_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.scan import remediation_scan

TYPE = report_proof.REMEDIATION_STATUS_REPORT
SCAN_KEY = "https://acme.example/campaign/c1"
# When the scan moved `modified`, and when reports ran; seconds after noon, while the clock stands at noon.
MOVED, T0, T1, T2 = -2000, -3000, -1000, -500


def get_report(api, wait_timeout=5, path="/f.csv", ledger=None, **options):
    """Fetches one report. Returns (item, how it ended)."""
    item = {"campaign_id": "c1"}
    pace = options.pop("pace", None) or Pace(options.pop("wait_interval", 0))
    return item, drive([campaign_report(api, ledger or Ledger(None), pace, item, TYPE, path, **options)], 1, wait_timeout)[0]


def facts(item):
    """What an item says of the report."""
    return item["status"], item["path"], item["sha256"], item["changed"]


class TestReport:
    @pytest.mark.parametrize("status", ["SUCCESS", "WARNING"])
    def test_a_finished_one_is_reused(self, status):
        api = FakeSailPoint(reports=[report(status)], download=["sha"])
        item, ending = get_report(api)
        assert ending is None and facts(item) == ("finished", "/f.csv", "sha", False)
        assert item["report"] == report(status)[1] and api.calls == ["reports", "download"]

    def test_without_a_file(self):
        item, ending = get_report(FakeSailPoint(reports=[report()]), path=None)
        assert ending is None and facts(item) == ("finished", None, None, False)

    @pytest.mark.parametrize("time_of_no_run", [dict(lastRunAt=None), {}], ids=["null", "left out"])
    def test_none_yet(self, time_of_no_run):
        pending = [dict(reportType=TYPE, id="r1", status="PENDING", **time_of_no_run)]
        api = FakeSailPoint(reports=[[], [], pending, pending, report()], run_report=[None], download=["sha"])
        item, ending = get_report(api)
        assert ending is None and facts(item) == ("finished", "/f.csv", "sha", True)
        assert api.calls.count("run_report") == 1

    def test_a_pending_one_is_joined(self):
        api = FakeSailPoint(reports=[report("PENDING"), report("PENDING"), report()], download=["sha"])
        item, ending = get_report(api)
        assert ending is None and (item["status"], item["changed"]) == ("finished", False)

    def test_a_pending_one_that_fails_is_run_again(self):
        api = FakeSailPoint(
            reports=[report("PENDING"), report("ERROR", T1), report("ERROR", T1), report("SUCCESS", T2)],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api)
        assert ending is None and (item["status"], item["changed"]) == ("finished", True)

    @pytest.mark.parametrize("status", ["ERROR", "TERMINATED", "TEMP_ERROR"])
    def test_one_that_was_run_and_fails(self, status):
        api = FakeSailPoint(reports=[report("SUCCESS", T0), report("PENDING"), report(status, T1)], run_report=[None])
        item, ending = get_report(api, force=True)
        assert isinstance(ending, ItemFailed) and "ended with status %s" % status in str(ending)
        assert item["changed"] and item["sha256"] is None

    def test_the_old_result_is_not_taken_for_the_new_one(self):
        """`lastRunAt` has not moved yet, so what is there is still the old run, even a failed one."""
        api = FakeSailPoint(
            reports=[report("ERROR", T1), report("ERROR", T1), report("ERROR", T1), report("SUCCESS", T2)],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api)
        assert ending is None and item["report"]["lastRunAt"] == at(T2)

    @pytest.mark.parametrize("end", [report("PENDING", T1), report("SUCCESS", T0), report("A_NEW_WORD", T2)])
    def test_one_that_never_ends(self, end):
        api = FakeSailPoint(reports=[report("SUCCESS", T0), end], run_report=[None])
        item, ending = get_report(api, force=True, wait_interval=0.01, wait_timeout=0.1)
        assert isinstance(ending, WaitTimeout) and item["status"] == "running" and api.calls.count("run_report") == 1

    def test_force(self):
        api = FakeSailPoint(
            reports=[report("SUCCESS", T1), report("SUCCESS", T1), report("SUCCESS", T2)], run_report=[None], download=["sha"]
        )
        item, ending = get_report(api, force=True)
        assert ending is None and item["changed"] and item["report"]["lastRunAt"] == at(T2)

    def test_force_while_one_runs(self):
        api = FakeSailPoint(
            reports=[report("PENDING", T0), report("SUCCESS", T1), report("SUCCESS", T2)], run_report=[None], download=["sha"]
        )
        item, ending = get_report(api, force=True)
        assert ending is None and item["report"]["lastRunAt"] == at(T2) and api.calls.count("run_report") == 1

    def test_without_waiting(self):
        item, ending = get_report(FakeSailPoint(reports=[[]], run_report=[None]), wait=False)
        assert ending is None and facts(item) == ("running", None, None, True)

    def test_check_mode(self):
        item, ending = get_report(FakeSailPoint(reports=[[]], run_report=[WouldChange("POST", "/x")]), path=None)
        assert ending is None and (item["status"], item["changed"]) == ("running", True)

    def test_no_campaign(self):
        api = FakeSailPoint(reports=[report(run_at=T1)], download=["sha"], campaign=[CampaignNotFound("c1")])
        ending = get_report(api, newer_than=at(T0))[1]
        assert isinstance(ending, ItemFailed) and "no campaign has the id c1" in str(ending)

    def test_a_file_that_cannot_be_written(self):
        ending = get_report(FakeSailPoint(reports=[report()], download=[OSError(28, "No space left on device")]))[1]
        assert isinstance(ending, ItemFailed) and str(ending) == "cannot write /f.csv: No space left on device"

    @pytest.mark.parametrize(
        "script",
        [
            dict(reports=["error"]),
            dict(reports=[report(run_at=T1)], download=["error"]),
            dict(reports=[[]], run_report=["error"]),
            dict(reports=[report(run_at=T1)], download=["sha"], campaign=["error"]),
        ],
    )
    def test_an_error_is_no_answer(self, script):
        error = final()
        item, ending = get_report(
            FakeSailPoint(
                **{name: [error if value == "error" else value for value in values] for name, values in script.items()}
            ),
            newer_than=at(MOVED),
        )
        assert ending is error and item["status"] != "finished"

    def test_formats_and_ids_are_passed_on(self):
        api = FakeSailPoint(reports=[report(report_id="r9")], download=["sha"])
        get_report(api, file_format="pdf", path="/x.pdf")
        assert api.downloaded == ("r9", "pdf", "/x.pdf")

    @pytest.mark.parametrize("step", ["reports", "download", "run_report", "campaign"])
    def test_an_outage_in_the_middle_of_a_wait(self, step):
        script = dict(
            reports=[[], [], report("PENDING", None), report(run_at=T1)], run_report=[None], download=[SHA256], campaign=[MOVED]
        )
        script[step] = script[step][:-1] + [passing(), passing(500), script[step][-1]]
        pace = Pace(0)
        pace.answered()
        item, ending = get_report(FakeSailPoint(**script), newer_than=at(MOVED), pace=pace)
        assert ending is None and item["status"] == "finished" and "last_error" not in item

    def test_an_outage_that_does_not_end(self):
        api = FakeSailPoint(reports=[report("PENDING", T0), passing()])
        item, ending = get_report(api, wait_interval=0.01, wait_timeout=0.1)
        assert isinstance(ending, WaitTimeout) and "HTTP 503" in item["last_error"] and item["status"] == "running"

    def test_an_outage_after_the_download(self):
        """The file is there, and nobody has looked whether the campaign has changed."""
        pace = Pace(0.01)
        pace.answered()
        item, ending = get_report(
            FakeSailPoint(reports=[report(run_at=T1)], download=[SHA256], campaign=[passing()]),
            newer_than=at(MOVED),
            pace=pace,
            wait_timeout=0.1,
        )
        assert isinstance(ending, WaitTimeout) and item["status"] != "finished"


class TestNewerThan:
    NEWER = "2026-11-22T09:00:00.5Z"

    def get(self, *runs, **script):
        """Fetches a report that has to be newer. runs: when it ran, from look to look."""
        api = FakeSailPoint(
            reports=[report(run_at=run_at) for run_at in runs],
            download=["sha"],
            run_report=[None],
            campaign=["2026-11-22T09:00:00.5Z"],
            **script,
        )
        return *get_report(api, newer_than=self.NEWER), api

    @pytest.mark.parametrize(
        "run_at",
        ["2026-11-22T09:00:00.500001Z", "2026-11-22T10:00:00+00:00", "2026-11-22T12:00:00Z", "2026-11-22T04:00:01-05:00"],
    )
    def test_newer(self, run_at):
        item, ending, api = self.get(run_at)
        assert ending is None and not item["changed"] and api.calls == ["reports", "download", "campaign"]

    @pytest.mark.parametrize(
        "run_at",
        [
            "2026-11-22T09:00:00.5Z",
            "2026-11-22T08:59:59Z",
            None,
            "yesterday",
            5.5,
            ["x"],
            "2026-11-22T10:00:00+02:00",
            "2026-11-22T13:00:00Z",
            "2999-01-01T00:00:00Z",
        ],
    )
    def test_not_newer_or_in_the_future_is_run_again(self, run_at):
        item, ending, api = self.get(run_at, "2026-11-22T11:00:00Z")
        assert ending is None and item["changed"] and api.calls.count("run_report") == 1

    @pytest.mark.parametrize("run_at", ["2026-11-22T08:30:00Z", "2999-01-01T00:00:00Z"])
    def test_a_new_run_that_is_not_newer(self, run_at):
        _item, ending, _api = self.get("2026-11-22T08:00:00Z", run_at)
        assert isinstance(ending, ItemFailed) and "is not newer than" in str(ending) and "in the future" in str(ending)

    @pytest.mark.parametrize("newer_than", ["yesterday", "2026-11-22", "soon", "0"])
    def test_a_time_that_is_none(self, newer_than):
        api = FakeSailPoint(reports=[report()], download=["sha"])
        ending = get_report(api, newer_than=newer_than)[1]
        assert isinstance(ending, ItemFailed) and "%r is not a time" % newer_than in str(ending) and not api.calls

    def test_a_failure_that_is_new_enough(self):
        api = FakeSailPoint(reports=[report("ERROR", T1)])
        ending = get_report(api, newer_than=at(MOVED))[1]
        assert isinstance(ending, ItemFailed) and "ended with status ERROR" in str(ending) and api.calls == ["reports"]

    def test_another_kind_of_report_needs_no_second_look(self):
        api = FakeSailPoint(reports=[report(run_at=T1, report_type="CAMPAIGN_STATUS_REPORT")[1:]], download=["sha"])
        item = {"campaign_id": "c1"}
        drive([campaign_report(api, Ledger(None), Pace(0), item, "CAMPAIGN_STATUS_REPORT", "/f", newer_than=at(MOVED))], 1, 5)
        assert item["status"] == "finished" and api.calls == ["reports", "download"]


class TestPurged:
    def test_it_is_run_again(self):
        api = FakeSailPoint(
            reports=[report(run_at=T1)] * 3 + [report(run_at=T2)], download=[ReportGone("HTTP 410"), "sha"], run_report=[None]
        )
        item, ending = get_report(api)
        assert ending is None and (item["changed"], item["sha256"]) == (True, "sha") and api.calls.count("run_report") == 1

    def test_and_gone_again(self):
        api = FakeSailPoint(
            reports=[report(run_at=T1)] * 2 + [report(run_at=T2)], download=[ReportGone("HTTP 410")], run_report=[None]
        )
        item, ending = get_report(api)
        assert isinstance(ending, ItemFailed) and "its file is not there: HTTP 410" in str(ending)
        assert item["path"] is None and api.calls.count("run_report") == 1


class TestBlocked:
    def test_it_is_waited_out(self):
        api = FakeSailPoint(reports=[[], [], report()], run_report=[OperationConflict(), None], download=["sha"])
        item, ending = get_report(api)
        assert ending is None and item["status"] == "finished"

    def test_without_waiting(self):
        item, ending = get_report(FakeSailPoint(reports=[[]], run_report=[OperationConflict()]), wait=False)
        assert ending is None and (item["status"], item["changed"]) == ("blocked", False)

    def test_it_never_ends(self):
        item, ending = get_report(
            FakeSailPoint(reports=[[]], run_report=[OperationConflict()]), wait_interval=0.01, wait_timeout=0.1
        )
        assert isinstance(ending, WaitTimeout) and item["status"] == "blocked"


class Tenant(FakeSailPoint):
    """A tenant that does what it is asked for: a scan moves `modified`, and so does a report, if it is one that does.

    polls: how many looks it takes until something has happened. restless: whether each look at the campaign or the list
    shows something that was not there before.
    """

    def __init__(self, moves, polls=1, restless=False):
        super().__init__()
        self.moves, self.polls, self.restless = moves, polls, restless
        self.campaign = campaign(-5000)
        self.reports = []
        self.due = []

    def _after_a_while(self, change):
        self.due.append([self.polls, change])

    def _look(self):
        for one in self.due:
            one[0] -= 1
            if one[0] < 0:
                one[1]()
        self.due = [one for one in self.due if one[0] >= 0]

    def _touch(self):
        self.campaign = dict(self.campaign, modified=at(self.clock.seconds))

    def _next(self, name, record, method, path, sent=None):
        self.calls.append(name)
        if name == "campaign":
            self._look()
            return dict(self.campaign, seen=self.clock.seconds) if self.restless else self.campaign
        if name == "reports":
            self._look()
            return [dict(one, seen=self.clock.seconds) for one in self.reports] if self.restless else list(self.reports)
        if name == "scan":
            self.clock.seconds += 10
            self._after_a_while(self._touch)
        if name == "run_report":
            self.clock.seconds += 10
            self._after_a_while(self._report)
        return SHA256

    def _report(self):
        self.clock.seconds += 2
        self.reports = report(run_at=self.clock.seconds, report_id="r1")
        if self.moves:
            self.clock.seconds += 10
            self._touch()


class TestFromRunToRun:
    """Whether a report moves `modified` itself is unknown, so both must come to an end."""

    def verify(self, api, ledger, run_id, **options):
        """One run. Returns (the target, the scan's item)."""
        scan = {"campaign_id": "c1"}
        assert drive([remediation_scan(api, ledger, Pace(0), scan, wait=True, run_id=run_id, **options)], 1, 5) == [None]
        item, ending = get_report(api, ledger=ledger, newer_than=scan["modified"])
        assert ending is None
        (target,) = sailpoint.targets(
            dict(
                campaign_ids=["c1"],
                campaigns=dict(campaigns=[api.campaign]),
                scans=dict(scans=[scan]),
                reports=dict(reports=[item]),
                report_infos=dict(reports=[dict(file_says(), path="/f.csv")]),
            )
        )
        return target, scan

    @pytest.mark.parametrize("restless, polls", [(False, 1), (False, 30), (True, 1), (True, 7), (True, 12), (True, 30)])
    @pytest.mark.parametrize("moves", [True, False])
    def test_one_scan_and_one_report_for_all_runs(self, moves, restless, polls):
        api, ledger = Tenant(moves, polls, restless), Ledger(None)
        for number in range(4):
            api.clock.seconds += 3600
            target, scan = self.verify(api, ledger, "run %d" % number)
            assert target["outcome"] == "remediated", (number, target["reason"])
            assert scan["changed"] == (number == 0)
        # Where every one of many looks shows something new, not all of them are remembered.
        assert api.calls.count("run_report") == 1 or restless and polls > 12

    @pytest.mark.parametrize("change", [dict(modified=at(20000)), dict(totalCertifications=5), dict(completedCertifications=3)])
    @pytest.mark.parametrize("moves", [True, False])
    def test_a_campaign_that_has_changed_is_scanned_and_reported_anew(self, moves, change):
        api, ledger = Tenant(moves), Ledger(None)
        self.verify(api, ledger, "one")
        api.campaign = dict(api.campaign, **change)
        api.clock.seconds = 30000
        target, scan = self.verify(api, ledger, "two")
        assert scan["changed"] and target["outcome"] == "remediated"
        assert (api.calls.count("scan"), api.calls.count("run_report")) == (2, 2)
        assert not self.verify(api, ledger, "three")[1]["changed"]

    def test_the_report_of_somebody_else(self):
        """It moved `modified` after it had run, and nobody knows why."""
        api, ledger = Tenant(True), Ledger(None)
        scan = {"campaign_id": "c1"}
        drive([remediation_scan(api, ledger, Pace(0), scan, wait=True)], 1, 5)
        api._report()
        item, ending = get_report(api, ledger=ledger, newer_than=scan["modified"])
        assert ending is None and item["changed"] and api.calls.count("run_report") == 1

    def test_no_age_counts(self):
        api, ledger = Tenant(False), Ledger(None)
        for number in range(3):
            target, scan = self.verify(api, ledger, "run %d" % number, max_age=0)
            assert scan["changed"] and target["outcome"] == "remediated"
        assert (api.calls.count("scan"), api.calls.count("run_report")) == (3, 3)

    def test_without_confirmation(self):
        api, ledger = Tenant(True), Ledger(None)
        self.verify(api, ledger, "one")
        calls = len(api.calls)
        target, _scan = self.verify(api, ledger, "two", confirm=False)
        assert target["outcome"] == "remediated" and api.calls[calls:] == ["reports", "download", "campaign"]

    def test_a_ledger_that_cannot_be_written_is_no_failure_of_the_report(self):
        api, ledger = Tenant(False), Ledger(None)
        really = ledger.put

        def put(*args, **options):
            really(*args, **options)
            raise LedgerError("full")

        ledger.put = put
        assert self.verify(api, ledger, "one")[0]["outcome"] == "remediated" and ledger.unwritten()

    def test_two_tasks_of_one_run_at_another_time(self):
        """The clock of the server goes on between the tasks, and nothing is too old."""
        api, ledger = Tenant(False), Ledger(None)
        scan = {"campaign_id": "c1"}
        drive([remediation_scan(api, ledger, Pace(0), scan, run_id="one", max_age=0)], 1, 5)
        api.clock = Clock(90000)
        target, scan = self.verify(api, ledger, "one", max_age=0)
        assert target["outcome"] == "remediated" and api.calls.count("scan") == 1


class World(FakeSailPoint):
    """A tenant with other users: one operation of the campaign at a time, whoever asked for it. What a report says is what
    the last scan saw."""

    def __init__(self, source, moves):
        super().__init__()
        self.source, self.moves = source, moves
        self.campaign = campaign(-5000)
        self.open = self.seen_open = True
        self.busy, self.reports, self.files, self.scans, self.sha256 = None, [], {}, [], None

    def _go_on(self):
        self.clock.seconds += self.source.choice((10, 60, 600))
        luck = self.source.random()
        if luck < 0.15:
            self.open = not self.open
        elif luck < 0.2:
            # Somebody changes something.
            self._touch()
        elif luck < 0.3 and not self.busy:
            self.busy = dict(kind=self.source.choice(("scan", "report")), ours=False, began=self.clock.seconds)
        if self.busy and self.source.random() < 0.3:
            self._end()

    def _touch(self):
        self.clock.seconds += 10
        self.campaign = dict(self.campaign, modified=at(self.clock.seconds))

    def _end(self):
        done, self.busy = self.busy, None
        if done["kind"] == "scan":
            self.seen_open = self.open
            self._touch()
            self.scans.append(dict(done, ended=self.clock.seconds))
            return
        self.clock.seconds += 10
        status = "ERROR" if self.source.random() < 0.1 else "SUCCESS"
        sha256 = "%064d" % len(self.files)
        self.files[sha256] = dict(began=done["began"], open=self.seen_open, last_scan=self.scans[-1:])
        self.reports = report(status, self.clock.seconds)
        self.sha256 = sha256
        if self.moves:
            self._touch()

    def _next(self, name, record, method, path, sent=None):
        self.calls.append(name)
        self._go_on()
        luck = self.source.random()
        error = self.source.choice((passing(), passing(500), final())) if luck < 0.1 else None
        if error and luck < 0.08:
            self._note(record, method, path, error.status, None, sent)
            raise error
        if name in ("scan", "run_report"):
            if self.busy:
                self._note(record, method, path, 400, {"detailCode": "400.2.0"})
                raise OperationConflict()
            self.busy = dict(kind="scan" if name == "scan" else "report", ours=not error, began=self.clock.seconds)
        if error:
            # The answer is lost on its way.
            raise error
        if name == "download" and luck > 0.95:
            self._note(record, method, path, 410, None)
            raise ReportGone("HTTP 410")
        reports = self.reports
        if self.busy and self.busy["kind"] == "report":
            reports = [dict(one, status="PENDING") for one in reports]
        return {"campaign": self.campaign, "reports": reports, "download": self.sha256}.get(name)


def play(steps, source):
    """Goes on for some time. Returns how it ended."""
    try:
        for _step in range(source.choice((1, 3, 10, 60))):
            next(steps)
    except StopIteration:
        return None
    except (ItemFailed, HttpError) as error:
        return error
    return WaitTimeout()


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("seed", range(40))
def test_a_world_of_its_own(seed, moves):
    """Whatever happens, and whenever a run is killed: what is said stands in a report that was run after a scan of ours."""
    source = random.Random(seed)
    world, ledger = World(source, moves), Ledger(None)
    for run in range(6):
        began, max_age = world.clock.seconds, source.choice((0, 5000, 86400))
        scan = {"campaign_id": "c1"}
        endings = [
            play(
                remediation_scan(
                    world, ledger, Pace(0), scan, wait=source.random() < 0.9, max_age=max_age, run_id="run %d" % run
                ),
                source,
            )
        ]
        item = {"campaign_id": "c1"}
        if scan["modified"]:
            endings.append(
                play(campaign_report(world, ledger, Pace(0), item, TYPE, "/f.csv", newer_than=scan["modified"]), source)
            )
        for one, ending in zip((scan, item), endings):
            if ending is not None:
                with pytest.raises(TaskFailed):
                    settle([one], [ending], ["it"], "scans", "")
        file = world.files.get(item.get("sha256"))
        says = file_says("unremediated" if file and file["open"] else "remediated")
        (target,) = sailpoint.targets(
            dict(
                campaign_ids=["c1"],
                campaigns=dict(campaigns=[world.campaign]),
                scans=dict(scans=[scan]),
                reports=dict(reports=[item] if len(endings) > 1 else []),
                report_infos=dict(reports=[dict(says, path="/f.csv")]),
            )
        )
        if target["outcome"] in ("remediated", "unremediated"):
            assert endings == [None, None]
            ours = [
                one for one in world.scans if one["ours"] and one["began"] >= began - max_age and one["ended"] <= file["began"]
            ]
            assert ours and target["outcome"] == says["outcome"]
        world.clock.seconds += source.choice((0, 1000, 3 * 86400))


class TestRunFirst:
    """Where the same run has seen the scan end, no look for a report comes before the report is run."""

    def ledger(self, **more):
        """A ledger that knows the scan, and that the run `now` has seen its end."""
        ledger = Ledger(None)
        answers = [reading(T0, T0 + 1), accepting(seconds=T0 + 2), reading(MOVED, MOVED + 1)]
        ledger.put(
            "https://acme.example/campaign/c1",
            dict(dict(campaign_id="c1", run_id="now", ended_in="now", modified=at(MOVED), answers=answers), **more),
        )
        return ledger

    def get(self, reports, ledger=None, **options):
        """(the calls, the item, how it ended)."""
        api = FakeSailPoint(reports=reports, run_report=options.pop("run_report", [None]), download=["sha"], campaign=[MOVED])
        item, ending = get_report(
            api, ledger=ledger or self.ledger(), newer_than=at(MOVED), run_id=options.pop("run_id", "now"), **options
        )
        return api.calls, item, ending

    def test_four_requests(self):
        calls, item, ending = self.get([report("SUCCESS", T1)])
        assert ending is None and calls == ["run_report", "reports", "download", "campaign"]
        assert facts(item) == ("finished", "/f.csv", "sha", True)

    @pytest.mark.parametrize("old", [[], report("SUCCESS", T0), report("ERROR", T0), report("PENDING", T0)])
    def test_what_was_there_before_is_not_taken_for_it(self, old):
        calls, item, ending = self.get([old, old, report("PENDING", None), report("SUCCESS", T1)])
        assert ending is None and item["report"]["lastRunAt"] == at(T1) and calls.count("run_report") == 1

    def test_one_that_is_not_newer_than_the_scan_ends_it(self):
        _calls, _item, ending = self.get([report("SUCCESS", T0), report("SUCCESS", T0 + 5)])
        assert isinstance(ending, ItemFailed) and "is not newer than" in str(ending)

    def test_one_that_runs_already_is_joined(self):
        calls, item, ending = self.get([report("PENDING", None), report("SUCCESS", T1)], run_report=[OperationConflict()])
        assert ending is None and calls.count("run_report") == 1 and not item["changed"]

    @pytest.mark.parametrize("refusal", [OperationConflict(), passing()], ids=["conflict", "outage"])
    def test_force_outlives_a_refusal(self, refusal):
        """What somebody else has run meanwhile is not ours, however new it is."""
        calls, item, ending = self.get(
            [report("SUCCESS", T1), report("SUCCESS", T1), report("SUCCESS", T2)], run_report=[refusal, None], force=True
        )
        assert ending is None and calls.count("run_report") == 2
        assert item["changed"] and item["report"]["lastRunAt"] == at(T2)

    @pytest.mark.parametrize(
        "more",
        [
            dict(ended_in="before"),
            dict(ended_in=None),
            dict(baseline=dict(modified=at(MOVED))),
            dict(answers=[reading(T0, T0 + 1), accepting(seconds=T0 + 2)]),
            dict(
                answers=[
                    reading(T0, T0 + 1),
                    accepting(seconds=T0 + 2),
                    reading(MOVED, MOVED + 1),
                    accepting(RUN_REPORT, MOVED + 2),
                ]
            ),
        ],
    )
    def test_not_where_an_earlier_run_may_have_run_one(self, more):
        calls, _item, ending = self.get([report("SUCCESS", T1)], self.ledger(**more))
        assert ending is None and calls[0] == "reports" and "run_report" not in calls

    @pytest.mark.parametrize("run_id", [None, "other"])
    def test_nor_without_a_run(self, run_id):
        calls, _item, ending = self.get([report("SUCCESS", T1)], run_id=run_id)
        assert ending is None and "run_report" not in calls
