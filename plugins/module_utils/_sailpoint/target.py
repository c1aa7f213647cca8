# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of a campaign by what SailPoint answered, and the records of all campaigns.

`remediated` comes out of `compose`, which hears what each witness says: of the report, `prove` says it; of the access,
_sailpoint.access_proof. And from nowhere else. Private to the collection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypedDict
from urllib.parse import quote, unquote

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, Item, JsonObject, Result, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at
from ansible_collections.secops.remediation.plugins.module_utils._common.times import (
    in_utc,
    is_later,
    is_past,
    parse_time,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import exchanges_in, path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    NOT_READ_IN_CHECK_MODE,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import (
    failure_of,
    fenced,
    has_failed,
    listed,
    make_target,
    records_of,
    requests_of,
    result_of,
    scalar,
    system_of,
)

KIND = "campaign"
COMPLETED = "COMPLETED"
# Statuses of a campaign whose decisions are still to come.
UNDECIDED = ("PENDING", "STAGED", "ACTIVATING", "ACTIVE", "COMPLETING")
REMEDIATION_STATUS_REPORT = "CAMPAIGN_REMEDIATION_STATUS_REPORT"
PENDING_REPORT = "PENDING"
READABLE_REPORT_STATUSES = ("SUCCESS", "WARNING")
FAILED_REPORT_STATUSES = ("ERROR", "TERMINATED", "TEMP_ERROR")
MORE_THAN_ONE = "listed more than once"
NOT_DOWNLOADED = "the remediation status report has finished, and was not downloaded " + NOT_READ_IN_CHECK_MODE
CAMPAIGN_FACTS = ("name", "type", "status", "created", "deadline", "modified", "totalCertifications", "completedCertifications")
# What of a campaign must not change once its decisions are made.
CERTIFICATIONS = ("totalCertifications", "completedCertifications")
# A list of several campaigns of which only one is on record.
CUT_TO = re.compile(r"filters=id%20in%20%28%22(.*)%22,…%29$")
# Whether a report moves a campaign's `modified` is unknown. If it does, then not much later than it was run.
OWN_MOVE_SECONDS = 300
ITEM_FACTS = (
    "items_total",
    "items_remediated",
    "items_open",
    "items_unknown",
    "open_items",
    "status_column",
    "words",
    "words_left_out",
)


# The witnesses, and what a user may say of how many of them it takes.
REPORT, ACCESS = "report", "access"
WITNESSES = (REPORT, ACCESS)
ONE, ALL = "one", "all"
NO_ANSWER, NOT_UNDERSTOOD = "gave no answer", "was not understood"
NOT_LOOKED = "the access has not been looked at yet"


class Word(NamedTuple):
    """What a witness says of a campaign.

    outcome, reason: as of a target. bars: whether nobody else's word counts for `remediated` either, because what was seen
    speaks against it, or the campaign itself is not what it was. silence: of one that has no answer, how a sentence says so.
    """

    outcome: Any
    reason: Any
    bars: bool = False
    silence: str = NO_ANSWER


class Access(NamedTuple):
    """What is proved of a campaign's revoked access.

    word: see Word. facts: for the campaign's record. requests: those that support it.
    """

    word: Word
    facts: JsonObject
    requests: list[JsonObject]


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


# --- what the API's answers are worth ---


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

    Each condition has its reason: a COMPLETED campaign; a scan that was asked for by us and accepted; `modified` moved
    since; the campaign's own remediation status report, run after that; its file, whole; nothing changed since.
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
    if parse_time(scan["modified_before"]) is None:
        return Word(INCONCLUSIVE, "no answer on record says what the campaign's modified was before the scan")
    if scan["moved"] is None:
        return Word(PENDING, "the remediation scan has not finished")
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
    if not is_later(modified, scan["modified"]) or not is_later(modified, run_at):
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
    counted = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
    if outcome == REMEDIATED and (not counted or numbers[0] < 0 or numbers != [numbers[0], numbers[0], 0, 0]):
        return Word(INCONCLUSIVE, "the report's numbers of items do not add up")
    if outcome in (REMEDIATED, UNREMEDIATED):
        return Word(outcome, reason)
    if isinstance(info.get("proposal"), str):
        reason = "%s; %s" % (reason, info["proposal"])
    return Word(INCONCLUSIVE, reason, silence=NOT_UNDERSTOOD)


# --- two witnesses ---


def compose(words: Mapping[str, Word], agreement: str = ONE) -> tuple[str, str]:
    """(outcome, reason) by what all witnesses say that were asked. words: theirs, by their names. agreement: ONE or ALL.

    One that saw an open item outweighs whatever others say. Nothing is remediated while one is still to be heard. One that
    has no answer leaves the word to the other, unless all have to say so, or what it did see speaks against it. Where
    nobody says that it is remediated, the first of them says how far it is.
    """
    said = [word.outcome for word in words.values()]
    if UNREMEDIATED in said:
        return UNREMEDIATED, side_by_side(words)
    if set(said) == {REMEDIATED}:
        return REMEDIATED, "; ".join(str(word.reason) for word in words.values())
    if REMEDIATED not in said:
        return said[0], side_by_side(words)
    if PENDING in said:
        return PENDING, side_by_side(words)
    if any(word.bars for word in words.values()):
        return INCONCLUSIVE, side_by_side(words)
    if agreement != ONE:
        return INCONCLUSIVE, "%s; both have to say so" % side_by_side(words)
    reasons = [str(word.reason) for word in words.values() if word.outcome == REMEDIATED]
    silent = [
        "the %s %s (%s), so there is one witness" % (name, word.silence, word.reason)
        for name, word in words.items()
        if word.outcome != REMEDIATED
    ]
    return REMEDIATED, "; ".join(reasons + silent)


def side_by_side(words: Mapping[str, Word]) -> str:
    """What the witnesses say, each with its name where there are several."""
    if len(words) == 1:
        return str(next(iter(words.values())).reason)
    return "; ".join("the %s: %s" % (name, word.reason) for name, word in words.items())


def word_on_all(report: Word, info: Item | None, access: Access | None) -> Word:
    """The word of the report, held against what was seen beside it.

    It speaks of no more items than it lists, and an open item in it speaks against everybody, whatever else is wrong.
    """
    listed_items, open_items = (info or {}).get("items_total"), (info or {}).get("items_open")
    revoked = access.facts["items_total"] if access else 0
    if report.outcome == REMEDIATED and isinstance(listed_items, int) and listed_items < revoked:
        return Word(INCONCLUSIVE, "the report lists %d items, and reviewers revoked %d" % (listed_items, revoked))
    if report.outcome == INCONCLUSIVE and isinstance(open_items, int) and open_items > 0:
        return report._replace(bars=True)
    return report


# --- the records ---


def targets(results: Result, accesses: Mapping[str, Access] | None = None) -> list[Target]:
    """The records of all campaigns, those that were named first.

    results: see _judge.verify. accesses: by a campaign's id what is proved of its revoked access.
    """
    named, filtered = lookups(results)
    found: dict[str, JsonObject] = {}
    odd = []
    for campaign in listed(named, "campaigns") + listed(filtered, "campaigns"):
        if isinstance(campaign.get("id"), str) and campaign["id"]:
            found.setdefault(campaign["id"], campaign)
        else:
            odd.append(campaign)
    by_campaign = {
        source: {
            item["campaign_id"]: item
            for item in listed(result_of(results, source), source)
            if isinstance(item.get("campaign_id"), str)
        }
        for source in ("scans", "reports")
    }
    infos = {
        item["path"]: item for item in listed(result_of(results, "report_infos"), "reports") if isinstance(item.get("path"), str)
    }
    claims = defaultdict(set)
    for campaign_id, item in by_campaign["reports"].items():
        for exchange in exchanges_in(item):
            claims[scalar((report_in(exchange, campaign_id) or {}).get("id"))].add(campaign_id)
    looked_up = requests_by_campaign(named, filtered)
    made = []
    for campaign_id in dict.fromkeys([str(asked) for asked in results.get("campaign_ids") or ()] + list(found)):
        made.append(
            fenced(
                KIND,
                campaign_id,
                partial(
                    campaign_target,
                    campaign_id,
                    found.get(campaign_id),
                    by_campaign["scans"].get(campaign_id),
                    by_campaign["reports"].get(campaign_id),
                    infos,
                    claims,
                    looked_up,
                    (accesses or {}).get(campaign_id),
                    results,
                ),
            )
        )
    for campaign in odd:
        made.append(
            make_target(
                KIND,
                "campaign with the id %r" % (campaign.get("id"),),
                campaign.get("name"),
                INCONCLUSIVE,
                "the API listed a campaign whose id is no text, so nothing can be asked about it",
                system=system_of(filtered, named),
                requests=requests_of(filtered),
            )
        )
    problem = problem_of_filter(results, filtered)
    if problem:
        made.append(
            make_target(
                KIND,
                "filter: %s" % results.get("campaign_filters"),
                None,
                INCONCLUSIVE,
                problem,
                system=system_of(filtered),
                requests=requests_of(filtered),
            )
        )
    return made


def requests_by_campaign(*results: Result) -> dict[str, list[JsonObject]]:
    """The requests by which campaigns were looked up, by the campaign's id; those that listed them under ""."""
    found = defaultdict(list)
    for request in requests_of(*results):
        path = path_of(request)
        listed_one = CUT_TO.search(request["path"])
        if path.endswith(("/campaigns", "/campaigns/v1")):
            # Of a list of many that was cut to one, the path still says to which.
            found[unescaped(unquote(listed_one[1])) if listed_one else ""].append(request)
        else:
            found[unquote(path.rpartition("/")[2])].append(request)
    return found


def unescaped(text: str) -> str:
    """A value of SailPoint's filter language, as it was before it was escaped."""
    return re.sub(r"\\(.)", r"\1", text)


def lookups(results: Result) -> list[Result]:
    """The results of looking up campaigns: those that were named, those that a filter found."""
    return [result_of(results, "campaigns"), result_of(results, "filtered_campaigns")]


def asked_for(results: Result) -> list[JsonObject]:
    """What was looked up, and whether it was found: see conclude."""
    filtered = result_of(results, "filtered_campaigns")
    return (
        [
            dict(
                kind="campaign filter",
                asked=str(results["campaign_filters"]),
                found=len(listed(filtered, "campaigns")),
                problem=problem_of_filter(results, filtered),
            )
        ]
        if results.get("campaign_filters")
        else []
    )


def problem_of_filter(results: Result, filtered: Result) -> str | None:
    """Why not every campaign is known that the filter asks for, or None."""
    if not results.get("campaign_filters"):
        return None
    if has_failed(filtered) or not isinstance(filtered.get("campaigns"), list):
        return failure_of(filtered, "the campaigns could not be listed")
    if filtered.get("truncated") is not False:
        return "the API left campaigns out, so not every campaign is known"
    return None if filtered["campaigns"] else "no campaign meets the filter"


def campaign_target(
    campaign_id: str,
    campaign: JsonObject | None,
    scan: Item | None,
    report: Item | None,
    infos: Mapping[str, Item],
    claims: Mapping[str, set[str]],
    looked_up: Mapping[str, list[JsonObject]],
    access: Access | None,
    results: Result,
) -> Target:
    """The record of one campaign.

    campaign, scan, report: what the modules returned of it, or None. infos: by the path of a report what it says. claims: by
    the id of a report the campaigns that it is listed for. looked_up: see requests_by_campaign. access: see Access, or None.
    """
    named, filtered = lookups(results)
    if campaign is None:
        missing = named.get("missing_ids") or ()
        errors = named.get("errors")
        errors = errors if isinstance(errors, dict) else {}
        reason = (
            "no campaign has this id, or this user may not see it"
            if campaign_id in missing
            else errors.get(campaign_id) or failure_of(named, "the campaign could not be read")
        )
        return make_target(
            KIND, campaign_id, None, INCONCLUSIVE, reason, system=system_of(named), requests=looked_up[campaign_id]
        )
    facts = {name: in_utc(campaign[name]) or campaign[name] for name in CAMPAIGN_FACTS if name in campaign}
    target = make_target(
        KIND,
        campaign_id,
        campaign.get("name"),
        INCONCLUSIVE,
        "",
        system=system_of(named, filtered),
        requests=(requests_of(scan, report) or looked_up[""] + looked_up[campaign_id]) + (access.requests if access else []),
        campaign=facts,
    )
    exchanges = exchanges_in(scan) + exchanges_in(report)
    on_record = scan_on_record(exchanges, campaign_id)
    if scan:
        target.update(
            started_at=in_utc(on_record["accepted_at"]),
            finished_at=in_utc(on_record["modified"]),
            evidence=records_of(result_of(results, "scans"), result_of(results, "reports")),
            scan=dict(
                status=scan.get("status"),
                requested_at=in_utc(on_record["accepted_at"]),
                modified_before=in_utc(on_record["modified_before"]),
                modified=in_utc(on_record["modified"]),
            ),
        )
    info = None
    if report and isinstance(report.get("path"), str):
        target["evidence"] = [dict(path=report["path"], sha256=report.get("sha256"))] + target["evidence"]
        shown = report.get("report")
        shown = shown if isinstance(shown, dict) else {}
        target["report"] = dict(
            {name: shown.get(name) for name in ("id", "status", "reportType")},
            lastRunAt=in_utc(shown.get("lastRunAt")) or shown.get("lastRunAt"),
        )
        info = infos.get(report["path"])
        if info and not info.get("error"):
            target["items"] = {name: info.get(name) for name in ITEM_FACTS}
    if access:
        target["access"] = access.facts
        target["evidence"] = target["evidence"] + records_of(result_of(results, ACCESS))
    status = campaign.get("status")
    if status in UNDECIDED:
        target.update(outcome=PENDING, reason="the campaign is %s: not all decisions are made yet" % status)
    elif status != COMPLETED:
        target.update(outcome=INCONCLUSIVE, reason="the campaign is %s, so nothing can be verified" % status)
    else:
        report_says = judge(campaign_id, scan, report, info, exchanges, results)
        report_says = word_on_all(of_one_campaign(campaign_id, report_says, target, claims), info, access)
        both = {REPORT: report_says, ACCESS: word_of(access, results)}
        words = {name: both[name] for name in asked_of(results)}
        target["outcome"], target["reason"] = compose(words, results.get("campaign_agreement") or ONE)
        target["witnesses"] = [dict(name=name, outcome=word.outcome, reason=str(word.reason)) for name, word in words.items()]
    return target


def asked_of(results: Result) -> list[str]:
    """The names of the witnesses that were asked: those that are on record as asked, else those of whom there is a result."""
    asked = [name for name in WITNESSES if name in (results.get("campaign_witnesses") or ())]
    return asked or [REPORT] + [ACCESS] * bool(result_of(results, ACCESS))


def word_of(access: Access | None, results: Result) -> Word:
    """The word of the access."""
    if access:
        return access.word
    result = result_of(results, ACCESS)
    return Word(INCONCLUSIVE, failure_of(result, "the access was not looked at")) if result else Word(PENDING, NOT_LOOKED)


def of_one_campaign(campaign_id: str, word: Word, target: Target, claims: Mapping[str, set[str]]) -> Word:
    """The word of a report, which counts only if the report is of no other campaign."""
    report_id = dict_at(target, "report").get("id")
    others = sorted(claims.get(scalar(report_id), set()) - {campaign_id})
    if not others or word.outcome not in (REMEDIATED, UNREMEDIATED):
        return word
    return Word(INCONCLUSIVE, "SailPoint lists the same report %s for another campaign, %s" % (report_id, others[0]))


def judge(
    campaign_id: str,
    scan: Item | None,
    report: Item | None,
    info: Item | None,
    exchanges: Sequence[Exchange],
    results: Result,
) -> Word:
    """The word of the report of a campaign that is COMPLETED."""
    if scan is None:
        return Word(INCONCLUSIVE, failure_of(result_of(results, "scans"), "no remediation scan was asked for"))
    if scan.get("error"):
        return Word(INCONCLUSIVE, str(scan["error"]))
    if scan.get("status") == "requested" and scan_on_record(exchanges, campaign_id)["accepted"] is None:
        return Word(PENDING, "a remediation scan would be asked for")
    last = "; the last look failed: %s" % scan["last_error"] if scan.get("last_error") else ""
    if scan.get("status") == "blocked":
        return Word(PENDING, "a report of the campaign runs, so the remediation scan has to wait" + last)
    if scan.get("status") == "running":
        return Word(PENDING, "another operation of the campaign runs, so the remediation scan has to wait" + last)
    if scan.get("status") != "finished" or last:
        return Word(PENDING, "the remediation scan has not finished" + last)
    if not scan.get("unread") and not any(
        campaign_in(exchange, campaign_id) and not exchange.get("remembered") for exchange in exchanges_in(scan)
    ):
        return Word(INCONCLUSIVE, "what an earlier run was told of the scan was not read again")
    reports = result_of(results, "reports")
    if report is None and has_failed(reports):
        return Word(INCONCLUSIVE, failure_of(reports, "the reports could not be made"))
    if report is None:
        return Word(PENDING, "the remediation scan has finished, and no report has been asked for yet")
    if report.get("error"):
        return Word(INCONCLUSIVE, str(report["error"]))
    if report.get("status") != "finished":
        last = "; the last look failed: %s" % report["last_error"] if report.get("last_error") else ""
        return Word(PENDING, "the remediation status report has not finished" + last)
    if not report.get("path"):
        return Word(PENDING, NOT_DOWNLOADED)
    if info is None:
        return Word(INCONCLUSIVE, failure_of(result_of(results, "report_infos"), "the remediation status report was not read"))
    return prove(campaign_id, exchanges, report.get("sha256"), info)
