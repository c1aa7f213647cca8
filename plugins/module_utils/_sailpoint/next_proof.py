# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of a next generation campaign: it has no remediation scan, so the access decides. Experimental.

Pure, from the record alone. A report can contradict, and it can agree; that nothing is open it cannot prove, because nobody
had the sources looked at before it was made. Private to the collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._common.times import is_later, is_past, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import (
    CERTIFICATIONS,
    COMPLETED,
    REMEDIATION_STATUS_REPORT,
    Word,
    campaign_in,
    is_own_move,
    judge_file,
    quoted,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    REMEDIATED,
)

CANNOT_PROVE = "cannot prove it"
NO_SCAN = "there is no remediation scan for a next generation campaign"
SERVICE = "/certification-campaigns/v1"
CAMPAIGNS = SERVICE + "/campaigns/"
# By the name that this collection has for a type of report, the one that these calls have.
REPORT_TYPES = {
    REMEDIATION_STATUS_REPORT: "REMEDIATION",
    "CAMPAIGN_STATUS_REPORT": "STATUS",
    "CAMPAIGN_COMPOSITION_REPORT": "COMPOSITION",
    "CERTIFICATION_SIGNOFF_REPORT": "SIGN_OFF",
}


def is_next(exchanges: Iterable[Mapping[str, Any]]) -> bool:
    """Whether what is on record was asked of next generation campaigns."""
    return any(path_of(exchange).startswith(SERVICE + "/") for exchange in exchanges)


def prove_next(
    campaign_id: str, exchanges: Sequence[Exchange], sha256: str | None = None, info: JsonObject | None = None
) -> Word:
    """The word of the report of a next generation campaign. The arguments are those of _sailpoint.report_proof.prove.

    That nothing is open it cannot say: nobody had the sources looked at before it was made.
    """
    word = prove_report(campaign_id, exchanges, sha256, info)
    if word.outcome != REMEDIATED:
        return word._replace(reason="%s; %s" % (word.reason, NO_SCAN))
    return Word(INCONCLUSIVE, "%s, so the report proves nothing; it says: %s" % (NO_SCAN, word.reason), silence=CANNOT_PROVE)


def prove_report(
    campaign_id: str, exchanges: Sequence[Exchange], sha256: str | None = None, info: JsonObject | None = None
) -> Word:
    """The word of the report by itself: it is the campaign's own, whole, and by its own times newer than the decisions.

    Each condition has its reason. REMEDIATED is what the report says, and no proof: see prove_next.
    """
    reads = [(place, one) for place, one in enumerate(campaign_in(each, campaign_id) for each in exchanges) if one]
    if not reads:
        return Word(INCONCLUSIVE, "no answer on record shows the campaign")
    last_place, last = reads[-1]
    for _place, campaign in reads:
        if campaign.get("status") != COMPLETED:
            return Word(INCONCLUSIVE, "the campaign is %s, so nothing can be verified" % campaign.get("status"), bars=True)
    shown = [(place, one) for place, one in enumerate(next_report_in(each, campaign_id) for each in exchanges) if one]
    if not shown:
        return Word(INCONCLUSIVE, "no answer on record shows a finished remediation report of this campaign")
    shown_at, report = shown[-1]
    downloads = [place for place, one in enumerate(exchanges) if place > shown_at and is_signed_download(one, report["id"])]
    if not downloads or not sha256 or exchanges[downloads[-1]].get("sha256") != sha256:
        return Word(INCONCLUSIVE, "no answer on record brought the report's file that was read")
    if last_place < downloads[-1]:
        return Word(INCONCLUSIVE, "the campaign was not read again after its report")
    problem = changed_in(reads)
    if problem:
        return Word(INCONCLUSIVE, problem, bars=True)
    problem = order_problem(last, report.get("created"), exchanges[shown_at], was_created(exchanges, campaign_id, report))
    if problem:
        return Word(INCONCLUSIVE, problem)
    return judge_file(campaign_id, report, info, last.get("name"))


def is_report(report: object, campaign_id: str, wanted: str, file_format: str) -> bool:
    """Whether this is a report of a campaign, of a type and a format, with an id."""
    return (
        isinstance(report, dict)
        and isinstance(report.get("id"), str)
        and bool(report["id"])
        and report.get("campaignId") == campaign_id
        and report.get("type") == wanted
        and report.get("format") == file_format.upper()
    )


def next_report_in(exchange: Exchange, campaign_id: str) -> JsonObject | None:
    """The finished remediation report of a campaign as CSV, where this is the answer that shows it alone."""
    body = exchange.get("body")
    if not (exchange.get("method") == "GET" and exchange.get("status") == 200 and isinstance(body, dict)):
        return None
    is_it = (
        is_report(body, campaign_id, REPORT_TYPES[REMEDIATION_STATUS_REPORT], "csv")
        and body.get("status") == "SUCCESS"
        and path_of(exchange).endswith("%s%s/reports/%s" % (CAMPAIGNS, quoted(campaign_id), quoted(body["id"])))
    )
    return body if is_it else None


def is_signed_download(exchange: Exchange, report_id: str) -> bool:
    """Whether this brought the file of a report from an address that was signed for it."""
    return (
        exchange.get("method") == "GET"
        and exchange.get("status") == 200
        and bool(exchange.get("sha256"))
        and exchange.get("report_id") == report_id
    )


def was_created(exchanges: Sequence[Exchange], campaign_id: str, report: JsonObject) -> bool:
    """Whether it was us who had the report made."""
    bodies = [
        one.get("body")
        for one in exchanges
        if one.get("method") == "POST"
        and one.get("status") == 200
        and path_of(one).endswith("%s%s/reports" % (CAMPAIGNS, quoted(campaign_id)))
    ]
    return any(
        isinstance(body, dict) and all(body.get(name) == report.get(name) for name in ("id", "created")) for body in bodies
    )


def changed_in(reads: Sequence[tuple[int, JsonObject]]) -> str | None:
    """What has changed from the first look at the campaign to the last, or None."""
    first, last = reads[0][1], reads[-1][1]
    for name in CERTIFICATIONS:
        if first.get(name) != last.get(name):
            return "the campaign has changed: %s was %r and is %r" % (name, first.get(name), last.get(name))
    return None


def order_problem(campaign: JsonObject, created: object, shown: Exchange, is_ours: bool) -> str | None:
    """Why the times do not show that the report is newer than all that was decided, or None.

    Whether a report moves the campaign's `modified` is unknown, so one of ours may have, shortly after.
    """
    if parse_time(created) is None:
        return "the report does not say when it was created"
    if not shown.get("server_time"):
        return "the server does not say its time, so nothing shows that the report is not from the future"
    if not is_past(created, shown["server_time"]):
        return "the report was created at %s, which is in the future by the server's clock" % created
    modified = campaign.get("modified")
    if parse_time(modified) is None:
        return "the campaign does not say when it was modified"
    if is_later(created, modified) or is_ours and is_own_move(modified, created):
        return None
    return "the campaign was modified at %s, and its report created at %s, which is not after it" % (modified, created)
