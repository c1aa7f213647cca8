# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign's remediation scan, from what is remembered of it to its only sign. Private to the collection.

The only signs of a scan are that `modified` moves and that other operations are refused while it runs (both seen on a
tenant). Whether `modified` marks the end is unknown; a report taken after it is sound either way, because the campaign
refuses the report as long as the scan runs. A refusal may be anybody's operation, so it proves no scan: the campaign is
asked again when it is free.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, JsonObject, Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import (
    age,
    is_fresh,
    is_past,
    parse_time,
    utc_now,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace, Scan, watch
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    CampaignNotFound,
    OperationConflict,
    SailPointApi,
    no_campaign,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import (
    CERTIFICATIONS,
    COMPLETED,
    last_modified,
    ran_place,
    scan_on_record,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import Exchanges, exchanges_in


class CampaignScan:
    """The steps of one campaign's scan. The campaign is read in each, and what comes next follows from the item's `status`:

    None: no scan counts, so one is asked for (_ask) -> requested; or the campaign is busy -> blocked, running
    blocked, running: a report, or another operation, holds the campaign; as None, in the next look
    requested: a scan was accepted, and is waited for until `modified` has moved -> finished (_finish)
    A scan of an earlier run that does not count any more is forgotten (_begin_anew) -> None

    api: SailPointApi. ledger: where a scan is remembered the moment it was accepted. item: the result, filled in as the work
    goes on; it has `campaign_id`. start: whether a scan may be asked for. wait: whether its end is waited for. max_age:
    seconds for which a scan of an earlier run counts. confirm: whether such a scan's campaign is read again. run_id: the
    run in which this happens, or None. readings: Readings, shared with the other campaigns. untaken: why something that was
    handed on is not known, or "". The times in the item are the server's.
    """

    def __init__(
        self,
        api: SailPointApi,
        ledger: Ledger,
        item: Item,
        start: bool = True,
        wait: bool = False,
        max_age: int = 86400,
        confirm: bool = True,
        run_id: str | None = None,
        readings: Readings | None = None,
        untaken: str = "",
    ) -> None:
        self.api, self.ledger, self.item, self.untaken = api, ledger, item, untaken
        self.readings = readings or Readings(api)
        self.start, self.wait, self.max_age, self.confirm, self.run_id = start, wait, max_age, confirm, run_id
        self.campaign_id = item["campaign_id"]
        item.update(status=None, requested_at=None, modified_before=None, modified=None, changed=False)
        self.answers = Exchanges(item)
        self.known = remembered(ledger, api, self.campaign_id)
        self.asked_at: str | None = None
        self.unread = bool(self.known and not self.confirm and self._counts_unread())
        if not self.unread:
            self.readings.want(self.campaign_id)

    def run(self, pace: Pace) -> Steps:
        """The work, as a generator for batch.drive. pace: the Pace of all scans."""
        if self.unread:
            self.answers.recall(self.known["answers"], self._is_this_runs())
            self._judge()
            self.item["unread"] = True
            return
        with pace.scan() as scan:
            seconds = age(self.known.get("asked_at")) if self.known else None
            if seconds is not None and seconds >= 0:
                scan.began = time.monotonic() - seconds
            yield from watch(self, scan, self.wait)

    def look(self, scan: Scan) -> bool:
        """One step. Returns whether the work is done. Raises ItemFailed, HttpError."""
        done = False
        try:
            done = self._step(scan)
        except ItemFailed:
            done = True
            raise
        finally:
            if self.wait and not done:
                # What is read next must be asked for after this.
                self.readings.want(self.campaign_id)
        return done

    def _step(self, scan: Scan) -> bool:
        campaign = self._read()
        self._judge()
        problem = self._problem_of_known(campaign) if self.known else None
        if problem and not self.start:
            raise ItemFailed("the last scan was asked for at %s, and %s: start a new one" % (self.item["requested_at"], problem))
        if problem:
            self._begin_anew()
        if self.item["status"] == "finished":
            return self._finish(scan)
        if self.item["status"] == "requested":
            return False
        if not self.start:
            unknown = "no scan of this campaign is known, so there is nothing to collect: start one"
            raise ItemFailed("%s. %s" % (unknown, self.untaken) if self.untaken else unknown)
        return self._ask(campaign, scan)

    def _read(self) -> JsonObject:
        """The campaign as it is now."""
        if self.known and not exchanges_in(self.item):
            self.answers.recall(self.known["answers"], self._is_this_runs())
        try:
            campaign = self.readings.read(
                self.campaign_id, self.answers, last_modified(exchanges_in(self.item), self.campaign_id)
            )
        except CampaignNotFound:
            raise no_campaign(self.campaign_id) from None
        if campaign.get("id") != self.campaign_id:
            # Its `modified` must not end a scan of this one.
            raise ItemFailed("the API answered with another campaign, %r" % (campaign.get("id"),))
        return campaign

    def _finish(self, scan: Scan) -> bool:
        scan.ended()
        # Whose report there may be already is known in the run that has seen the end itself.
        ended_in = {} if self.known.get("ended_at") else {"ended_in": self.run_id}
        self._remember(ended_at=utc_now(), **ended_in)
        return True

    def _ask(self, campaign: JsonObject, scan: Scan) -> bool:
        status, modified = campaign.get("status"), campaign.get("modified")
        if status != COMPLETED:
            raise ItemFailed("the campaign is %s, and a remediation scan needs a COMPLETED one: complete it first" % status)
        now = exchanges_in(self.item)[-1].get("server_time")
        if parse_time(modified) is None or now and not is_past(modified, now):
            raise ItemFailed(
                "the campaign's modified is %r, so its move, the only sign of a scan, could not be seen: nothing was asked "
                "for" % (modified,)
            )
        try:
            self.api.run_remediation_scan(self.campaign_id, self.answers)
        except WouldChange:
            self.item.update(status="requested", changed=True, modified_before=modified)
            return True
        except OperationConflict:
            pending = any(report.get("status") == "PENDING" for report in self.api.list_reports(self.campaign_id, self.answers))
            self.item.update(status="blocked" if pending else "running", modified_before=modified)
            return False
        self.answers.pin()
        self.asked_at = utc_now()
        scan.began = time.monotonic()
        self._judge()
        self.item["changed"] = True
        self._remember()
        return False

    def _judge(self) -> None:
        scan = scan_on_record(exchanges_in(self.item), self.campaign_id)
        if scan["accepted"] is None:
            return
        self.item.update(
            status="requested" if scan["moved"] is None else "finished",
            requested_at=scan["accepted_at"],
            modified_before=scan["modified_before"],
            modified=scan["modified"],
        )

    # --- remembering ---

    def _remember(self, **when: str | None) -> None:
        if self.known:
            record = dict(when, **dict(self.known, run_id=self.run_id))
            if not self.known.get("modified"):
                record.update(modified=self.item["modified"], answers=exchanges_in(self.item))
        else:
            record = dict(
                kind="campaign",
                campaign_id=self.campaign_id,
                run_id=self.run_id,
                asked_at=self.asked_at,
                modified=self.item["modified"],
                answers=exchanges_in(self.item),
                **when,
            )
        try:
            self.ledger.put(self._key(), record, at_once=True)
        except LedgerError:
            # The scan runs all the same. What could not be recorded is said when the ledger is closed.
            return

    def _key(self) -> str:
        return campaign_key(self.api, self.campaign_id)

    def _begin_anew(self) -> None:
        self.known = {}
        self.answers.begin_anew()
        self.item.update(status=None, requested_at=None, modified_before=None, modified=None)

    def _is_this_runs(self) -> bool:
        return self.run_id is not None and self.known.get("run_id") == self.run_id

    def _counts_unread(self) -> bool:
        """Whether an earlier run's scan is taken as it was: by this machine's clock, as the server is not asked."""
        seconds = age(self.known.get("ended_at"))
        return seconds is not None and 0 <= seconds < self.max_age and isinstance(self.known.get("baseline"), dict)

    def _problem_of_known(self, campaign: JsonObject) -> str | None:
        """Why a remembered scan does not count, by the server's clock and by what the campaign is now; else None."""
        if campaign.get("status") != COMPLETED:
            return "the campaign is %s now" % campaign.get("status")
        changed = "the campaign has changed since"
        baseline = self.known.get("baseline")
        if isinstance(baseline, dict):
            if any(campaign.get(name) != baseline.get(name) for name in ("status", "modified") + CERTIFICATIONS):
                return changed
        else:
            # A report that was asked for by us, and not read yet, may have moved it once more.
            moved = self.known.get("modified")
            scan = scan_on_record(self.known["answers"], self.campaign_id)
            if (
                moved
                and campaign.get("modified") != moved
                and (scan["moved"] is None or ran_place(self.known["answers"], self.campaign_id, scan["moved"]) is None)
            ):
                return changed
        now = exchanges_in(self.item)[-1].get("server_time")
        # A server whose clock stands still would keep it fresh for ever.
        here = age(self.known.get("asked_at"))
        if (
            self._is_this_runs()
            or is_fresh(self.item["requested_at"], now, self.max_age)
            and (here is None or here < self.max_age)
        ):
            return None
        return "that is longer ago than max_age (%d s)" % self.max_age


def remediation_scan(api: SailPointApi, ledger: Ledger, pace: Pace, item: Item, **options: Any) -> Steps:
    """One campaign's remediation scan, as a generator for batch.drive. options: see CampaignScan."""
    return CampaignScan(api, ledger, item, **options).run(pace)


def campaign_key(api: SailPointApi, campaign_id: str) -> str:
    """The key of a campaign in the ledger."""
    return "%s/campaign/%s" % (api.tenant, campaign_id)


def remembered(ledger: Ledger, api: SailPointApi, campaign_id: str) -> JsonObject:
    """What the ledger has of a campaign's scan that was accepted, as a dict with `answers`, and `modified` where it was
    seen to have moved; {} where that is nothing sound."""
    known = ledger.get(campaign_key(api, campaign_id)) or from_0_2(
        ledger.get_of_0_2(api.tenant, "campaign/%s" % campaign_id), campaign_id
    )
    answers = exchanges_in(known)
    scan = scan_on_record(answers, campaign_id)
    if scan["accepted"] is None or parse_time(scan["modified_before"]) is None:
        return {}
    return dict(known, answers=answers, modified=known.get("modified") or scan["modified"])


def to_hand_on(ledger: Ledger, api: SailPointApi, campaign_ids: Iterable[str]) -> dict[str, JsonObject]:
    """What the next job has to know of the scans, by the campaign's id.

    What the campaign was before, and that a scan was accepted: what came of it is to be asked by whoever collects.
    """
    found = {}
    for campaign_id in campaign_ids:
        known = remembered(ledger, api, campaign_id)
        accepted = scan_on_record(known.get("answers", ()), campaign_id)["accepted"]
        if accepted is not None:
            record = dict(kind="campaign", campaign_id=campaign_id, asked_at=known.get("asked_at"))
            found[campaign_id] = dict(record, answers=known["answers"][: accepted + 1])
    return found


def from_0_2(record: JsonObject, campaign_id: str) -> JsonObject:
    """A record of 0.2.0 as this version writes it, {} where it does not say that a scan was accepted.

    That version kept the requests without their bodies. What the campaign is now is read again anyway.
    """
    requests = (
        [
            request
            for request in record.get("requests") or ()
            if isinstance(request, dict) and isinstance(request.get("status"), int) and isinstance(request.get("path"), str)
        ]
        if isinstance(record.get("requests"), list)
        else []
    )
    accepted = [request for request in requests if request["status"] == 202 and request["path"].endswith("/run-remediation-scan")]
    if not accepted or not record.get("requested_at"):
        return {}
    before = dict(
        method="GET",
        path=accepted[-1]["path"].rpartition("/")[0],
        status=200,
        reference=None,
        server_time=None,
        sent=None,
        body={"id": campaign_id, "status": COMPLETED, "modified": record.get("modified_before")},
    )
    answers = [dict(one, recorded_by="0.2.0") for one in (before, dict(accepted[-1], sent=None, body=None))]
    return dict(answers=answers, modified=record.get("modified"))
