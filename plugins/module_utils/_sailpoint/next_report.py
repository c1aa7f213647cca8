# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A next generation campaign's report, made if need be, waited for, and downloaded. Experimental. Private to the collection.

Each run is a report of its own with an id, which ends as SUCCESS or FAILED (as SailPoint's client has it). Unknown: whether it
shows the campaign as of `created` or as of a later moment, so `created` is what counts; and whether it moves the campaign's
`modified`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, JsonObject, Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import is_later, is_past, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace, Scan, watch
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import CampaignNotFound, ReportGone, no_campaign
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_api import NextApi
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_proof import REPORT_TYPES, is_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import REMEDIATION_STATUS_REPORT
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import Exchanges, exchanges_in

SUCCESS, FAILED = "SUCCESS", "FAILED"


class NextReport:
    """The steps of one report of one next generation campaign. The arguments are those of _sailpoint.report.CampaignReport."""

    # What is waited for is only known by its report, which an earlier task has left with the API.
    known = False

    def __init__(
        self,
        api: NextApi,
        item: Item,
        report_type: str,
        path: str | None,
        file_format: str = "csv",
        newer_than: str | None = None,
        force: bool = False,
        wait: bool = True,
    ) -> None:
        self.api, self.item, self.wait = api, item, wait
        self.report_type, self.path, self.file_format = report_type, path, file_format
        self.newer_than, self.must_run = newer_than, force
        self.campaign_id = item["campaign_id"]
        # The report that is waited for, and whether it is ours.
        self.report_id: str | None = None
        self.ran = False
        # The report whose file is there already, while the campaign is still to be read.
        self.taken = False
        item.update(report=None, path=None, sha256=None, status=None, changed=False)
        self.answers = Exchanges(item)

    def run(self, pace: Pace) -> Steps:
        """The work, as a generator for batch.drive. pace: the Pace of all reports."""
        if self.newer_than and parse_time(self.newer_than) is None:
            raise ItemFailed("newer_than %r is not a time" % (self.newer_than,))
        with pace.scan() as scan:
            yield from watch(self, scan, self.wait)

    def look(self, scan: Scan) -> bool | float:
        """One step. Returns whether the work is done. Raises ItemFailed, HttpError."""
        if self.taken:
            return self._confirm()
        if self.report_id is None:
            newest = None if self.must_run else self._newest()
            if newest is None or newest.get("status") == FAILED:
                return self._run_it(scan)
            self.report_id = newest["id"]
        report = self.item["report"] = self.api.get_report(self.campaign_id, self.report_id, self.answers)
        if not is_report(report, self.campaign_id, REPORT_TYPES[self.report_type], self.file_format):
            raise ItemFailed("the report %s is not the one that was asked for" % self.report_id)
        if self.newer_than and not self._is_new(report):
            raise ItemFailed(
                "the report was created at %s, which is not after %s, or it is in the future"
                % (report.get("created"), self.newer_than)
            )
        if report.get("status") == FAILED:
            raise ItemFailed("the report ended with status FAILED: run it again with force")
        if report.get("status") != SUCCESS:
            # A status that is not known is neither an end nor a failure; wait_timeout bounds it.
            self.item["status"] = "running"
            return False
        return self._take(report, scan)

    def _newest(self) -> JsonObject | None:
        """The report that was created last, of those that are new enough."""
        wanted = REPORT_TYPES[self.report_type]
        found = [
            one
            for one in self.api.list_reports(self.campaign_id, self.answers)
            if is_report(one, self.campaign_id, wanted, self.file_format)
            and parse_time(one.get("created")) is not None
            and (not self.newer_than or self._is_new(one))
        ]
        return max(found, key=lambda one: str(parse_time(one["created"])), default=None)

    def _is_new(self, report: JsonObject) -> bool:
        """Whether the report was created after `newer_than`, and not in the future by the server's clock."""
        now = exchanges_in(self.item)[-1].get("server_time") if exchanges_in(self.item) else None
        created = report.get("created")
        return is_later(created, self.newer_than) and (now is None or is_past(created, now))

    def _take(self, report: JsonObject, scan: Scan) -> bool | float:
        if self.path:
            try:
                self.item["sha256"] = self.api.download_signed_report(
                    self.campaign_id, report["id"], self.file_format, self.path, self.answers
                )
            except ReportGone as gone:
                if self.ran:
                    raise ItemFailed("the report was run and its file is not there: %s" % gone) from gone
                self.report_id, self.must_run = None, True
                return self.look(scan)
            except OSError as error:
                raise ItemFailed("cannot write %s: %s" % (self.path, error.strerror)) from error
            self.item["path"] = self.path
        scan.ended()
        self.taken = True
        return self._confirm()

    def _confirm(self) -> bool:
        """Reads the campaign again, now that its report is there: only then is it known that nothing changed since."""
        if self.path and self.report_type == REMEDIATION_STATUS_REPORT:
            try:
                self.api.get_campaign(self.campaign_id, self.answers)
            except CampaignNotFound:
                raise no_campaign(self.campaign_id) from None
        self.item["status"] = "finished"
        return True

    def _run_it(self, scan: Scan) -> bool:
        try:
            report = self.api.create_report(self.campaign_id, self.report_type, self.file_format, self.answers)
        except WouldChange:
            self.item.update(status="running", changed=True)
            return True
        except HttpError as error:
            if error.uncertain:
                error.hint = "Run again: one that is under way is found, and waited for."
            raise
        self.ran, self.must_run, self.report_id = True, False, report["id"]
        scan.began = time.monotonic()
        self.item.update(report=report, status="running", changed=True)
        return False


def next_campaign_report(
    api: NextApi, ledger: Ledger, pace: Pace, item: Item, report_type: str, path: str | None, **options: Any
) -> Steps:
    """One report of one next generation campaign, as a generator for batch.drive. options: see CampaignReport.

    ledger: what it remembers is of scans, of which there are none here.
    """
    used: Mapping[str, Any] = {name: options[name] for name in ("file_format", "newer_than", "force", "wait") if name in options}
    return NextReport(api, item, report_type, path, **used).run(pace)
