# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What SailPoint's answers are worth, and what they prove of a campaign by its remediation status report.

Reads answers that are on record, wherever they come from, and asks nobody. Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypedDict
from urllib.parse import quote

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, JsonObject, is_count
from ansible_collections.secops.remediation.plugins.module_utils._common.times import is_later, is_past, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
)

COMPLETED = "COMPLETED"
# Statuses of a campaign whose decisions are still to come.
UNDECIDED = ("PENDING", "STAGED", "ACTIVATING", "ACTIVE", "COMPLETING")
REMEDIATION_STATUS_REPORT = "CAMPAIGN_REMEDIATION_STATUS_REPORT"
PENDING_REPORT = "PENDING"
READABLE_REPORT_STATUSES = ("SUCCESS", "WARNING")
FAILED_REPORT_STATUSES = ("ERROR", "TERMINATED", "TEMP_ERROR")
MORE_THAN_ONE = "listed more than once"
# What of a campaign must not change once its decisions are made.
CERTIFICATIONS = ("totalCertifications", "completedCertifications")
# Whether a report moves a campaign's `modified` is unknown. If it does, then not much later than it was run.
OWN_MOVE_SECONDS = 300
# How a sentence says that a witness has no answer.
NO_ANSWER, NOT_UNDERSTOOD = "gave no answer", "was not understood"


class Word(NamedTuple):
    """What a witness says of a campaign.

    outcome, reason: as of a target. bars: whether nobody else's word counts for `remediated` either, because what was seen
    speaks against it, or the campaign itself is not what it was. silence: of one that has no answer, how a sentence says so.
    """

    outcome: Any
    reason: Any
    bars: bool = False
    silence: str = NO_ANSWER


class ScanOnRecord(TypedDict):
    """What the answers on record say of the scan that was accepted last.

    accepted: the place of the answer that did it. moved: the place of the one in which `modified` has moved since.
    modified_before, modified: as the campaign showed it, of whatever type. The others are times of the server, UTC text.
    """

    accepted: int | None
    accepted_at: str | None
    modified_before: Any
    moved: int | None
    modified: Any
    seen_at: str | None


def quoted(part: str) -> str:
    """An id as a path has it."""
    return quote(part, safe="", errors="replace")


def campaign_in(exchange: Exchange, campaign_id: str) -> JsonObject | None:
    """The campaign, as an answer shows it, or None: alone or, for who may not read it so, in a list."""
    body = exchange.get("body")
    found = body if isinstance(body, list) else [body]
    return (
        next((one for one in found if isinstance(one, dict) and one.get("id") == campaign_id), None)
        if (exchange.get("method") == "GET" and exchange["status"] == 200 and "/reports" not in path_of(exchange))
        else None
    )


def last_modified(exchanges: Sequence[Exchange], campaign_id: str) -> Any:
    """The campaign's `modified`, as the last answer shows it that shows the campaign, or None."""
    shown = [campaign_in(exchange, campaign_id) for exchange in exchanges]
    return next((campaign.get("modified") for campaign in reversed(shown) if campaign), None)


def accepts(status: int, body: object) -> bool:
    """Whether this is the answer to an operation that is taken up: 202 and an empty object (documented), or no body.

    Whatever else comes with this status is of something on the way, such as the page of a firewall.
    """
    return status == 202 and body in (None, {})


def is_accepted(exchange: Exchange, campaign_id: str, *operation: str) -> bool:
    """Whether this asked for an operation on the campaign, and was accepted."""
    path = "/".join(["", quoted(campaign_id)] + list(operation))
    return (
        exchange.get("method") == "POST"
        and path_of(exchange).endswith(path)
        and accepts(exchange["status"], exchange.get("body"))
    )


def only_report(reports: Iterable[object], report_type: str) -> JsonObject | None:
    """The report of a type in a list, None where there is none. A list has one of each type (documented): of two nobody
    knows which was run last, so there is a report whose `id` and status say nothing."""
    found = [one for one in reports if isinstance(one, dict) and one.get("reportType") == report_type]
    return (
        dict(reportType=report_type, id=None, status=MORE_THAN_ONE, lastRunAt=None) if len(found) > 1 else next(iter(found), None)
    )


def report_in(exchange: Exchange, campaign_id: str, report_type: str = REMEDIATION_STATUS_REPORT) -> JsonObject | None:
    """The campaign's report of a type, as an answer lists it, or None."""
    body = exchange.get("body")
    if not (
        isinstance(body, list)
        and exchange.get("method") == "GET"
        and exchange["status"] == 200
        and path_of(exchange).endswith("/%s/reports" % quoted(campaign_id))
    ):
        return None
    return only_report(body, report_type)


def scan_on_record(exchanges: Iterable[Exchange], campaign_id: str) -> ScanOnRecord:
    """What the answers say of the scan that was accepted last."""
    scan = ScanOnRecord(accepted=None, accepted_at=None, modified_before=None, moved=None, modified=None, seen_at=None)
    last_modified = None
    for place, exchange in enumerate(exchanges):
        campaign = campaign_in(exchange, campaign_id)
        if is_accepted(exchange, campaign_id, "run-remediation-scan"):
            scan = ScanOnRecord(
                accepted=place,
                accepted_at=exchange.get("server_time"),
                modified_before=last_modified,
                moved=None,
                modified=None,
                seen_at=None,
            )
        elif (
            campaign
            and scan["accepted"] is not None
            and scan["moved"] is None
            and is_later(campaign.get("modified"), scan["modified_before"])
        ):
            scan["moved"], scan["modified"], scan["seen_at"] = place, campaign["modified"], exchange.get("server_time")
        if campaign:
            last_modified = campaign.get("modified")
    return scan


def prove(campaign_id: str, exchanges: Sequence[Exchange], sha256: str | None = None, info: JsonObject | None = None) -> Word:
    """What the answers on record, and the file that came with them, prove of a campaign: the word of the report.

    exchanges: what was asked and answered about the scan and the report, in order. sha256: of the file that was read, or
    None. info: what it says, as _sailpoint.report_file reads it, or None.

    Each condition has its reason: a COMPLETED campaign; a scan that was asked for by us and accepted; `modified` moved since,
    to a time that is not before that; the campaign's own remediation status report, run after that; its file, whole; nothing
    changed since.
    """
    looks = [(place, campaign_in(exchange, campaign_id)) for place, exchange in enumerate(exchanges)]
    reads = [(place, campaign) for place, campaign in looks if campaign]
    if not reads:
        return Word(INCONCLUSIVE, "no answer on record shows the campaign")
    last_place, last = reads[-1]
    if last.get("status") != COMPLETED:
        return Word(INCONCLUSIVE, "the campaign is %s, so nothing can be verified" % last.get("status"), bars=True)
    scan = scan_on_record(exchanges, campaign_id)
    if scan["accepted"] is None:
        return Word(INCONCLUSIVE, "no answer on record accepts a remediation scan of this campaign (202)")
    if parse_time(scan["accepted_at"]) is None:
        return Word(INCONCLUSIVE, "the server does not say its time, so nothing shows that the scan ended after it was asked for")
    if parse_time(scan["modified_before"]) is None:
        return Word(INCONCLUSIVE, "no answer on record says what the campaign's modified was before the scan")
    if scan["moved"] is None:
        return Word(PENDING, "the remediation scan has not finished")
    if is_later(scan["accepted_at"], scan["modified"]):
        # Somebody edited it before, and a list that lags, or an answer on its way, did not show it. By the server's clocks.
        return Word(
            INCONCLUSIVE,
            "the campaign moved to %s, which is before its scan was accepted (%s), so nothing shows that the scan has ended"
            % (scan["modified"], scan["accepted_at"]),
        )
    lists = [(place, report_in(exchange, campaign_id)) for place, exchange in enumerate(exchanges) if place > scan["moved"]]
    listings = [(place, report) for place, report in lists if report]
    if not listings:
        return Word(INCONCLUSIVE, "no answer on record lists a remediation status report of this campaign after the scan")
    listed_at, report = listings[-1]
    if report.get("status") not in READABLE_REPORT_STATUSES:
        return Word(INCONCLUSIVE, "the report has the status %r, so it cannot be read" % (report.get("status"),))
    run_at = report.get("lastRunAt")
    if not is_later(run_at, scan["modified"]):
        return Word(INCONCLUSIVE, "the report was run at %s, which is not after the scan (%s)" % (run_at, scan["modified"]))
    if not exchanges[listed_at].get("server_time"):
        return Word(INCONCLUSIVE, "the server does not say its time, so nothing shows that the report is not from the future")
    if not is_past(run_at, exchanges[listed_at]["server_time"]):
        return Word(INCONCLUSIVE, "the report was run at %s, which is in the future by the server's clock" % run_at)
    shown_at = next(
        place for place, other in listings if all(other.get(name) == report.get(name) for name in ("id", "status", "lastRunAt"))
    )
    downloads = [
        place for place, exchange in enumerate(exchanges) if place > shown_at and is_download(exchange, report.get("id"))
    ]
    if not downloads or not sha256 or exchanges[downloads[-1]].get("sha256") != sha256:
        return Word(INCONCLUSIVE, "no answer on record brought the report's file that was read")
    changed = change_since(reads, scan, downloads[-1], run_at, ran_place(exchanges, campaign_id, scan["moved"]))
    if changed:
        return Word(INCONCLUSIVE, changed, bars=True)
    return judge_file(campaign_id, report, info, last.get("name"))


def is_download(exchange: Exchange, report_id: object) -> bool:
    """Whether this brought the file of a report."""
    return (
        isinstance(report_id, str)
        and exchange.get("method") == "GET"
        and exchange["status"] == 200
        and bool(exchange.get("sha256"))
        and path_of(exchange).endswith("/%s" % quoted(report_id))
        and "/reports/" in path_of(exchange)
    )


def ran_place(exchanges: Sequence[Exchange], campaign_id: str, after: int) -> int | None:
    """The place of the answer that accepted the report which was asked for last after the scan, or None."""
    return next(
        (
            place
            for place in reversed(range(len(exchanges)))
            if place > after and is_accepted(exchanges[place], campaign_id, "run-report", REMEDIATION_STATUS_REPORT)
        ),
        None,
    )


def change_since(
    reads: Sequence[tuple[int, JsonObject]], scan: ScanOnRecord, downloaded: int, run_at: object, ran: int | None
) -> str | None:
    """Says that the campaign has changed since its report was run, or that nobody looked; else None.

    Whether a report moves `modified` itself is unknown. So after a report that was run by us the first look is what
    every later one is held against, whatever it says.
    """
    last_place, last = reads[-1]
    if last_place < downloaded:
        return "the campaign was not read again after its report"
    scan_place, at_scan = next(read for read in reads if read[0] == scan["moved"])
    for name in CERTIFICATIONS:
        if last.get(name) != at_scan.get(name):
            return "the campaign has changed since its scan: %s was %r and is %r" % (name, at_scan.get(name), last.get(name))
    for place, campaign in reads:
        if campaign.get("status") != COMPLETED and place > scan_place:
            return "the campaign was %s since its scan" % campaign.get("status")
    modified = last.get("modified")
    if parse_time(modified) is None:
        return "the campaign says no more when it was modified"
    if is_later(scan["modified"], modified):
        # Whatever shows an older campaign than what was seen already does not show what it is now.
        return "the campaign was last shown as of %s, which is before its scan (%s)" % (modified, scan["modified"])
    if not is_later(modified, run_at):
        return None
    baseline = next(
        (campaign for place, campaign in reads if ran is not None and place > ran and parse_time(campaign.get("modified"))), None
    )
    if baseline is not None and baseline.get("modified") == modified and is_own_move(modified, run_at):
        return None
    return "the campaign was modified at %s, after its report was run (%s)" % (modified, run_at)


def is_own_move(modified: object, run_at: object) -> bool:
    """Whether a report that was run at this time may itself have moved `modified` to that time."""
    moved, ran = parse_time(modified), parse_time(run_at)
    return moved is not None and ran is not None and (moved - ran).total_seconds() <= OWN_MOVE_SECONDS


def judge_file(campaign_id: str, report: JsonObject, info: JsonObject | None, name: object = None) -> Word:
    """The word of the report by what its file says."""
    if not isinstance(info, dict):
        return Word(INCONCLUSIVE, "the remediation status report was not read")
    if info.get("error"):
        return Word(INCONCLUSIVE, str(info["error"]))
    others = [value for value in info.get("campaign_ids") or [] if value != campaign_id]
    if others:
        return Word(INCONCLUSIVE, "the report has rows of another campaign, %s" % others[0])
    names = info.get("campaign_names") or []
    if not info.get("campaign_ids") and isinstance(name, str) and names and name.strip() not in names:
        return Word(INCONCLUSIVE, "the report has rows of another campaign, %s" % names[0])
    outcome: Any = info.get("outcome")
    reason: Any = info.get("reason")
    if outcome == REMEDIATED and report.get("status") != "SUCCESS":
        return Word(
            INCONCLUSIVE,
            "the report ended with status %s, so it may not be complete, and shows no open item" % report.get("status"),
        )
    numbers: list[Any] = [info.get(name) for name in ("items_total", "items_remediated", "items_open", "items_unknown")]
    if outcome == REMEDIATED and (not all(map(is_count, numbers)) or numbers != [numbers[0], numbers[0], 0, 0]):
        return Word(INCONCLUSIVE, "the report's numbers of items do not add up")
    if outcome in (REMEDIATED, UNREMEDIATED):
        return Word(outcome, reason)
    if isinstance(info.get("proposal"), str):
        # First, because a reason that lists columns can be longer than a form has room for.
        reason = "%s; %s" % (info["proposal"], reason)
    return Word(INCONCLUSIVE, reason, silence=NOT_UNDERSTOOD)
