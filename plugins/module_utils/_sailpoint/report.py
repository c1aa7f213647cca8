# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign's report, run if need be, waited for, and downloaded. Private to the collection.

A run is done when its status is final and `lastRunAt` has moved (seen on a tenant).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, Item, JsonObject, Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import (
    is_later,
    is_past,
    parse_time,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace, Scan, watch
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    CampaignNotFound,
    OperationConflict,
    ReportGone,
    SailPointApi,
    no_campaign,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import (
    CERTIFICATIONS,
    FAILED_REPORT_STATUSES,
    MORE_THAN_ONE,
    PENDING_REPORT,
    READABLE_REPORT_STATUSES,
    REMEDIATION_STATUS_REPORT,
    is_own_move,
    only_report,
    ran_place,
    scan_on_record,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.scan import campaign_key
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import Exchanges, exchanges_in

# Between two looks at whether the others are there with which a campaign is read.
SECONDS_TO_GATHER = 0.2


class CampaignReport:
    """The steps of one report of one campaign. What comes next is its `state`, a method for each:

    _run_first: there can be none yet -> _look_first; if that is refused -> _look_for_one, or with force -> _replace
    _look_for_one: one that is there and new enough is taken, a pending one is waited for, else one is run -> _wait_for_ours
    _replace: whatever is there does not count, so one is run -> _wait_for_ours
    _look_first: ours was run without a look; the first look tells what was there before -> _wait_for_ours
    _wait_for_ours: until it has ended, and is taken -> _confirm
    _confirm: the file is there, and the campaign is read again: it ends, or has changed -> _replace

    api: SailPointApi. item: the result, filled in as the work goes on; it has `campaign_id`. report_type: see REPORT_TYPES.
    path: the file to download to, or None. newer_than: server time as text; an older report is run again, and after the
    download the campaign is read again, to see that it did not change meanwhile. force: whether to run it in any case.
    ledger: where that last look is remembered, for later runs to be held against. owners: by the id of a report the
    campaign for which it is remembered. run_id: the run in which this happens, or None. readings: Readings, shared with the
    other campaigns.
    """

    def __init__(
        self,
        api: SailPointApi,
        ledger: Ledger,
        item: Item,
        report_type: str,
        path: str | None,
        file_format: str = "csv",
        newer_than: str | None = None,
        force: bool = False,
        wait: bool = True,
        owners: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        readings: Readings | None = None,
    ) -> None:
        self.api, self.ledger, self.item, self.wait, self.run_id = api, ledger, item, wait, run_id
        self.readings = readings or Readings(api)
        self.report_type, self.path, self.file_format = report_type, path, file_format
        self.newer_than, self.force, self.owners = newer_than, force, owners or {}
        self.state: Callable[[Scan], bool | float] = self._replace if force else self._look_for_one
        # The scan that this is newer than was seen to have ended.
        self.known = bool(newer_than)
        self.campaign_id = item["campaign_id"]
        self.ran = False
        self.ran_at_before: object = None
        self.before: list[Exchange] | None = None
        # The report whose file is there.
        self.taken: JsonObject = {}
        item.update(report=None, path=None, sha256=None, status=None, changed=False)
        self.answers = Exchanges(item)

    def run(self, pace: Pace) -> Steps:
        """The work, as a generator for batch.drive. pace: the Pace of all reports."""
        if self.newer_than and parse_time(self.newer_than) is None:
            raise ItemFailed("newer_than %r is not a time" % (self.newer_than,))
        with pace.scan() as scan:
            if self._just_scanned():
                self.state = self._run_first
            yield from watch(self, scan, self.wait)

    def look(self, scan: Scan) -> bool | float:
        """One step. Returns whether the work is done, or the seconds to the next step. Raises ItemFailed, HttpError."""
        return self.state(scan)

    # --- its states ---

    def _run_first(self, scan: Scan) -> bool:
        self.state = self._replace if self.force else self._look_for_one
        return self._run_it(None, scan, self._look_first)

    def _look_for_one(self, scan: Scan) -> bool | float:
        report, status, run_at = self._listed()
        if status == PENDING_REPORT:
            return self._goes_on()
        is_new = not self.newer_than or self._is_new(run_at)
        if status in FAILED_REPORT_STATUSES and self.newer_than and is_new:
            # A failure that is new enough is an answer as well: looking at it again starts nothing.
            raise self._failure(status)
        if report and status in READABLE_REPORT_STATUSES and is_new:
            return self._take(report, scan)
        return self._run_it(run_at, scan, self._wait_for_ours)

    def _replace(self, scan: Scan) -> bool:
        _report, status, run_at = self._listed()
        return self._goes_on() if status == PENDING_REPORT else self._run_it(run_at, scan, self._wait_for_ours)

    def _look_first(self, scan: Scan) -> bool | float:
        report, status, run_at = self._listed()
        # One that is older than the scan was there before ours was run.
        self.ran_at_before = None if self._is_new(run_at) else run_at
        self.state = self._wait_for_ours
        return self._judge(report, status, run_at, scan)

    def _wait_for_ours(self, scan: Scan) -> bool | float:
        return self._judge(*self._listed(), scan)

    def _confirm(self, scan: Scan) -> bool | float:
        """Soon, where others come to read theirs."""
        if self.wait and not self.readings.is_shared(self.campaign_id, scan.pace.open):
            return SECONDS_TO_GATHER
        try:
            campaign = self._read_campaign()
        except HttpError:
            self.readings.want(self.campaign_id)
            raise
        if self._has_changed(campaign, self.taken):
            self.state = self._replace
            return self.look(scan)
        self._remember(campaign, self.taken.get("id"))
        self.item["status"] = "finished"
        return True

    # --- its steps ---

    def _listed(self) -> tuple[JsonObject | None, object, object]:
        """The report of this type as it is listed now, its status, and when it was run."""
        report = self.item["report"] = only_report(self.api.list_reports(self.campaign_id, self.answers), self.report_type)
        if report and report.get("status") == MORE_THAN_ONE:
            raise ItemFailed(
                "SailPoint lists more than one report of the type %s, and nothing tells which was run last" % self.report_type
            )
        return (report, report.get("status"), report.get("lastRunAt")) if report else (None, None, None)

    def _judge(self, report: JsonObject | None, status: object, run_at: object, scan: Scan) -> bool | float:
        """What the list says of the report that was run by us."""
        if status == PENDING_REPORT or run_at == self.ran_at_before:
            return self._goes_on()
        if status in FAILED_REPORT_STATUSES:
            raise self._failure(status)
        if self.newer_than and not self._is_new(run_at):
            raise ItemFailed(
                "a new report was run, but its lastRunAt %s is not newer than %s, or it is in the future"
                % (run_at, self.newer_than)
            )
        if report and status in READABLE_REPORT_STATUSES:
            return self._take(report, scan)
        # A status that is not known is neither an end nor a failure; wait_timeout bounds it.
        return self._goes_on()

    def _goes_on(self) -> bool:
        self.item["status"] = "running"
        return False

    @staticmethod
    def _failure(status: object) -> ItemFailed:
        return ItemFailed(
            "the report ended with status %s: run it again with force, or in the role make the scan "
            "anew with verify_max_age 0" % status
        )

    def _take(self, report: JsonObject, scan: Scan) -> bool | float:
        other = self.owners.get(report["id"]) if isinstance(report.get("id"), str) else None
        if other not in (None, self.campaign_id):
            raise ItemFailed("SailPoint listed the same report %s for another campaign, %s" % (report["id"], other))
        try:
            if self.path:
                self.item["sha256"] = self.api.download_report(report.get("id"), self.file_format, self.path, self.answers)
                self.item["path"] = self.path
        except ReportGone as gone:
            if self.ran:
                raise ItemFailed("the report was run and its file is not there: %s" % gone) from gone
            self.state = self._replace
            return self.look(scan)
        except OSError as error:
            raise ItemFailed("cannot write %s: %s" % (self.path, error.strerror)) from error
        scan.ended()
        if self.path and self.newer_than and self.report_type == REMEDIATION_STATUS_REPORT:
            self.taken, self.state = report, self._confirm
            self.readings.want(self.campaign_id)
            return self.look(scan)
        self.item["status"] = "finished"
        return True

    def _run_it(self, run_at: object, scan: Scan, state: Callable[[Scan], bool | float]) -> bool:
        """Asks for a report. run_at: when the one that is there was run. state: what comes next, once it is accepted."""
        try:
            self.api.run_report(self.campaign_id, self.report_type, self.answers)
        except WouldChange:
            self.item.update(status="running", changed=True)
            return True
        except OperationConflict:
            self.item["status"] = "blocked"
            return False
        self.ran, self.ran_at_before, self.state = True, run_at, state
        # If the download is another run's, that one has to know whose report it was that may have moved `modified`.
        self._remember()
        scan.began = time.monotonic()
        self.item.update(status="running", changed=True)
        return False

    def _just_scanned(self) -> bool:
        """Whether this run has seen the scan end, and no run of ours has asked for a report since.

        Then there is none to look for, unless somebody else has just run one.
        """
        known = self._known()
        answers = exchanges_in(known)
        scan = scan_on_record(answers, self.campaign_id)
        return (
            self.run_id is not None
            and known.get("ended_in") == self.run_id
            and self.report_type == REMEDIATION_STATUS_REPORT
            and scan["moved"] is not None
            and scan["modified"] == self.newer_than
            and ran_place(answers, self.campaign_id, scan["moved"]) is None
            and not known.get("baseline")
        )

    def _is_new(self, run_at: object) -> bool:
        """Whether the report was run after `newer_than`, and not in the future by the server's clock."""
        now = exchanges_in(self.item)[-1].get("server_time") if exchanges_in(self.item) else None
        return is_later(run_at, self.newer_than) and (now is None or is_past(run_at, now))

    def _read_campaign(self) -> JsonObject:
        try:
            return self.readings.read(self.campaign_id, self.answers, self.newer_than)
        except CampaignNotFound:
            raise no_campaign(self.campaign_id) from None

    def _has_changed(self, campaign: JsonObject, report: JsonObject) -> bool:
        """Whether a report that somebody else ran, or an earlier run, is older than the campaign as it is now.

        One that was run by us, and is read for the first time, is not run again: whether a report moves `modified` itself is
        unknown.
        """
        modified = campaign.get("modified")
        known = self._known()
        baseline = known.get("baseline")
        if self.ran or isinstance(baseline, dict) and baseline.get("modified") == modified:
            return False
        if not is_later(modified, self.newer_than) or not is_later(modified, report.get("lastRunAt")):
            return False
        is_ours = baseline is None and ran_place(exchanges_in(known), self.campaign_id, 0) is not None
        return not (is_ours and is_own_move(modified, report["lastRunAt"]))

    def _known(self) -> JsonObject:
        return self.ledger.get(campaign_key(self.api, self.campaign_id))

    def _remember(self, campaign: JsonObject | None = None, report_id: object = None) -> None:
        """Adds this report to what is known of the scan. campaign: as it was after the report, once it is there."""
        known = self._known()
        if not known.get("answers") or not self.newer_than or self.report_type != REMEDIATION_STATUS_REPORT:
            return
        baseline = campaign and {name: campaign.get(name) for name in ("status", "modified") + CERTIFICATIONS}
        if baseline and known.get("baseline") == baseline:
            return
        if self.before is None:
            self.before = exchanges_in(known)
        try:
            self.ledger.put(
                campaign_key(self.api, self.campaign_id),
                dict(known, baseline=baseline, report_id=report_id, answers=self.before + exchanges_in(self.item)),
                at_once=True,
            )
        except LedgerError:
            # What could not be recorded is said when the ledger is closed.
            return


def report_owners(api: SailPointApi, ledger: Ledger) -> dict[str, Any]:
    """By the id of a report the campaign for which the ledger remembers it."""
    return {
        record["report_id"]: record.get("campaign_id")
        for record in ledger.find(campaign_key(api, ""))
        if isinstance(record.get("report_id"), str)
    }


def campaign_report(
    api: SailPointApi, ledger: Ledger, pace: Pace, item: Item, report_type: str, path: str | None, **options: Any
) -> Steps:
    """One report of one campaign, as a generator for batch.drive. options: see CampaignReport."""
    return CampaignReport(api, ledger, item, report_type, path, **options).run(pace)
