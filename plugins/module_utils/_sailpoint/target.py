# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of a campaign by what SailPoint answered, and the records of all campaigns.

A campaign becomes `remediated` in `compose` and nowhere else. It hears the word of each witness: of the report, that of `prove`
or `prove_next`; of the access, that of _sailpoint.access_proof. Private to the collection.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple
from urllib.parse import unquote

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import (
    Exchange,
    Item,
    JsonObject,
    Result,
    Target,
    is_count,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at
from ansible_collections.secops.remediation.plugins.module_utils._common.times import in_utc, is_later, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_proof import is_next, prove_next
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import (
    CERTIFICATIONS,
    COMPLETED,
    UNDECIDED,
    Word,
    campaign_in,
    prove,
    report_in,
    scan_on_record,
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
NO_REPORT = "no report has been asked for yet"
NOT_DOWNLOADED = "the remediation status report has finished, and was not downloaded " + NOT_READ_IN_CHECK_MODE
CAMPAIGN_FACTS = ("name", "type", "status", "created", "deadline", "modified", "totalCertifications", "completedCertifications")
# A list of several campaigns of which only one is on record.
CUT_TO = re.compile(r"filters=id%20in%20%28%22(.*)%22,…%29$")
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
# How a sentence says when each was heard.
WHEN = {REPORT: "the report was read", ACCESS: "the access was looked at"}
ONE, ALL = "one", "all"
NOT_LOOKED = "the access has not been looked at yet"


class Access(NamedTuple):
    """What is proved of a campaign's revoked access.

    word: see Word. facts: for the campaign's record. requests: those that support it. campaign: as it was when that was
    looked at, None where no answer on record shows it.
    """

    word: Word
    facts: JsonObject
    requests: list[JsonObject]
    campaign: JsonObject | None = None


# --- two witnesses ---


def compose(words: Mapping[str, Word], agreement: str = ONE) -> tuple[str, str]:
    """(outcome, reason) by what all witnesses say that were asked. words: theirs, by their names. agreement: ONE or ALL.

    One that saw an open item outweighs whatever others say. Nothing is remediated while one is still to be heard. One that
    has no answer leaves the word to the other, unless all have to say so, or what it did see speaks against it. Where
    nobody says that it is remediated, the first of them says how far it is.
    """
    said = [word.outcome for word in words.values()]
    if UNREMEDIATED in said:
        return UNREMEDIATED, side_by_side(words, lambda word: word.outcome == UNREMEDIATED)
    if set(said) == {REMEDIATED}:
        return REMEDIATED, "; ".join(str(word.reason) for word in words.values())
    if REMEDIATED not in said:
        return said[0], side_by_side(words)
    if PENDING in said:
        return PENDING, side_by_side(words, lambda word: word.outcome == PENDING)
    if any(word.bars for word in words.values()):
        return INCONCLUSIVE, side_by_side(words, lambda word: word.bars)
    if agreement != ONE:
        return INCONCLUSIVE, "both have to say so; %s" % side_by_side(words, lambda word: word.outcome != REMEDIATED)
    reasons = [str(word.reason) for word in words.values() if word.outcome == REMEDIATED]
    silent = [
        "the %s %s (%s), so there is one witness" % (name, word.silence, word.reason)
        for name, word in words.items()
        if word.outcome != REMEDIATED
    ]
    return REMEDIATED, "; ".join(reasons + silent)


def side_by_side(words: Mapping[str, Word], decides: Callable[[Word], bool] = lambda word: False) -> str:
    """What the witnesses say, each with its name where there are several. decides: tells those that come first, because some
    forms have room for the beginning only."""
    if len(words) == 1:
        return str(next(iter(words.values())).reason)
    in_order = sorted(words, key=lambda name: not decides(words[name]))
    return "; ".join("the %s: %s" % (name, words[name].reason) for name in in_order)


def word_on_all(report: Word, info: Item | None, access: Access | None) -> Word:
    """The word of the report, held against what was seen beside it.

    It speaks of no more items than it lists. One that is not understood speaks against everybody who has seen fewer items
    than it lists, or where an item in it is open, whatever else is wrong.
    """
    if report.outcome not in (REMEDIATED, INCONCLUSIVE):
        return report
    listed_items, open_items = (info or {}).get("items_total"), (info or {}).get("items_open")
    revoked = access.facts["items_total"] if access else None
    number = listed_items if is_count(listed_items) else None
    if report.outcome == REMEDIATED:
        if number is not None and revoked is not None and number < revoked:
            return Word(INCONCLUSIVE, "the report lists %d items, and reviewers revoked %d" % (number, revoked))
        return report
    if open_items not in (None, 0):
        return report._replace(bars=True)
    if revoked is not None and listed_items not in (None, 0) and (number is None or number > revoked):
        found = "%s; the report lists %s items, and %d revoked items were found" % (report.reason, listed_items, revoked)
        return report._replace(reason=found, bars=True)
    return report


# --- the records ---


class OnRecord:
    """What the results hold of campaigns, by their ids. results: see _judge.verify. accesses: see targets.

    shown: as they were listed, and odd: those without an id. scans, reports: as the modules returned them. infos: by the path
    of a report what it says. claims: by the id of a report the campaigns that it is listed for. looked_up: see
    requests_by_campaign.
    """

    def __init__(self, results: Result, accesses: Mapping[str, Access]) -> None:
        self.results, self.accesses = results, accesses
        self.named, self.filtered = lookups(results)
        self.shown: dict[str, JsonObject] = {}
        self.odd: list[JsonObject] = []
        for campaign in listed(self.named, "campaigns") + listed(self.filtered, "campaigns"):
            if isinstance(campaign.get("id"), str) and campaign["id"]:
                self.shown.setdefault(campaign["id"], campaign)
            else:
                self.odd.append(campaign)
        self.scans, self.reports = (self._by(source, source, "campaign_id") for source in ("scans", "reports"))
        self.infos = self._by("report_infos", "reports", "path")
        self.claims: dict[str, set[str]] = defaultdict(set)
        for campaign_id, item in self.reports.items():
            for exchange in exchanges_in(item):
                self.claims[scalar((report_in(exchange, campaign_id) or {}).get("id"))].add(campaign_id)
        self.looked_up = requests_by_campaign(self.named, self.filtered)

    def _by(self, source: str, name: str, key: str) -> dict[str, Item]:
        return {item[key]: item for item in listed(result_of(self.results, source), name) if isinstance(item.get(key), str)}

    def exchanges(self, campaign_id: str) -> list[Exchange]:
        """What was asked and answered about a campaign's scan and its report."""
        return exchanges_in(self.scans.get(campaign_id)) + exchanges_in(self.reports.get(campaign_id))

    def info(self, campaign_id: str) -> Item | None:
        """What the file of a campaign's report says, or None."""
        path = (self.reports.get(campaign_id) or {}).get("path")
        return self.infos.get(path) if isinstance(path, str) else None


def targets(results: Result, accesses: Mapping[str, Access] | None = None) -> list[Target]:
    """The records of all campaigns, those that were named first.

    results: see _judge.verify. accesses: by a campaign's id what is proved of its revoked access.
    """
    record = OnRecord(results, accesses or {})
    ids = dict.fromkeys([str(asked) for asked in results.get("campaign_ids") or ()] + list(record.shown))
    made = [fenced(KIND, campaign_id, partial(campaign_target, campaign_id, record)) for campaign_id in ids]
    asked = requests_of(record.filtered)
    for campaign in record.odd:
        made.append(
            make_target(
                KIND,
                "campaign with the id %r" % (campaign.get("id"),),
                campaign.get("name"),
                INCONCLUSIVE,
                "the API listed a campaign whose id is no text, so nothing can be asked about it",
                system=system_of(record.filtered, record.named),
                requests=asked,
            )
        )
    problem = problem_of_filter(results, record.filtered)
    if problem:
        name = "filter: %s" % results.get("campaign_filters")
        made.append(make_target(KIND, name, None, INCONCLUSIVE, problem, system=system_of(record.filtered), requests=asked))
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
    asked = filtered.get("asked")
    if isinstance(asked, dict) and asked and asked.get("filters") != results["campaign_filters"]:
        return "the campaigns were looked up by something else: %s" % json.dumps(asked)[:200]
    if filtered.get("truncated") is not False:
        return "the API left campaigns out, so not every campaign is known"
    return None if filtered["campaigns"] else "no campaign meets the filter"


def campaign_target(campaign_id: str, record: OnRecord) -> Target:
    """The record of one campaign."""
    campaign = record.shown.get(campaign_id)
    if campaign is None:
        return not_shown(campaign_id, record)
    target = with_what_is_known(campaign_id, campaign, record)
    status = campaign.get("status")
    if status in UNDECIDED:
        target.update(outcome=PENDING, reason="the campaign is %s: not all decisions are made yet" % status)
    elif status != COMPLETED:
        target.update(outcome=INCONCLUSIVE, reason="the campaign is %s, so nothing can be verified" % status)
    else:
        words = words_by_witness(campaign_id, campaign, target, record)
        target["outcome"], target["reason"] = compose(words, record.results.get("campaign_agreement") or ONE)
        target["witnesses"] = [dict(name=name, outcome=word.outcome, reason=str(word.reason)) for name, word in words.items()]
    return target


def not_shown(campaign_id: str, record: OnRecord) -> Target:
    """The record of a campaign that no answer shows."""
    named = record.named
    errors = dict_at(named, "errors")
    reason = (
        "no campaign has this id, or this user may not see it"
        if campaign_id in (named.get("missing_ids") or ())
        else errors.get(campaign_id) or failure_of(named, "the campaign could not be read")
    )
    requests = record.looked_up[campaign_id]
    return make_target(KIND, campaign_id, None, INCONCLUSIVE, reason, system=system_of(named), requests=requests)


def with_what_is_known(campaign_id: str, campaign: JsonObject, record: OnRecord) -> Target:
    """The record of a campaign with all that is known of it, and without an outcome yet."""
    scan, report = record.scans.get(campaign_id), record.reports.get(campaign_id)
    access = record.accesses.get(campaign_id)
    asked = requests_of(scan, report) or record.looked_up[""] + record.looked_up[campaign_id]
    target = make_target(
        KIND,
        campaign_id,
        campaign.get("name"),
        INCONCLUSIVE,
        "",
        system=system_of(record.named, record.filtered),
        requests=asked + (access.requests if access else []),
        campaign={name: in_utc(campaign[name]) or campaign[name] for name in CAMPAIGN_FACTS if name in campaign},
    )
    if scan:
        on_record = scan_on_record(record.exchanges(campaign_id), campaign_id)
        times = {name: in_utc(on_record[name]) for name in ("accepted_at", "modified_before", "modified")}
        target.update(
            started_at=times["accepted_at"],
            finished_at=times["modified"],
            evidence=records_of(result_of(record.results, "scans"), result_of(record.results, "reports")),
            scan=dict(
                status=scan.get("status"),
                requested_at=times["accepted_at"],
                modified_before=times["modified_before"],
                modified=times["modified"],
            ),
        )
    if report and isinstance(report.get("path"), str):
        target["evidence"] = [dict(path=report["path"], sha256=report.get("sha256"))] + target["evidence"]
        target["report"] = report_shown(dict_at(report, "report"))
        info = record.info(campaign_id)
        if info and not info.get("error"):
            target["items"] = {name: info.get(name) for name in ITEM_FACTS}
    if access:
        target["access"] = access.facts
        target["evidence"] = target["evidence"] + records_of(result_of(record.results, ACCESS))
    return target


def report_shown(shown: JsonObject) -> JsonObject:
    """What is told of a report. Next generation campaigns call its `reportType` and `lastRunAt` `type` and `created`."""
    run_at = shown.get("lastRunAt") or shown.get("created")
    return dict(
        id=shown.get("id"),
        status=shown.get("status"),
        reportType=shown.get("reportType") or shown.get("type"),
        lastRunAt=in_utc(run_at) or run_at,
    )


def words_by_witness(campaign_id: str, campaign: JsonObject, target: Target, record: OnRecord) -> dict[str, Word]:
    """What each witness that was asked says of a campaign that is COMPLETED. target: its record."""
    access, exchanges = record.accesses.get(campaign_id), record.exchanges(campaign_id)
    info = record.info(campaign_id)
    of_next = is_next([*record.looked_up[""], *record.looked_up[campaign_id], *exchanges])
    report_says = judge(
        campaign_id, record.scans.get(campaign_id), record.reports.get(campaign_id), info, exchanges, of_next, record.results
    )
    report_says = word_on_all(of_one_campaign(campaign_id, report_says, target, record.claims), info, access)
    readings = [campaign, *filter(None, (campaign_in(exchange, campaign_id) for exchange in exchanges))]
    seen = access.campaign if access else None
    # Of one that is not COMPLETED the access has its own word.
    completed = [seen] if seen and seen.get("status") == COMPLETED else []
    both = {
        REPORT: of_this_state(report_says, WHEN[REPORT], readings[-1], completed),
        ACCESS: of_this_state(word_of(access, record.results), WHEN[ACCESS], seen, readings),
    }
    return {name: both[name] for name in asked_of(record.results)}


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


def of_this_state(word: Word, when: str, seen: JsonObject | None, shown: Iterable[JsonObject]) -> Word:
    """The word of a witness, which is a proof only of the campaign that the others were shown as well.

    when: in words, when the witness was heard. seen: the campaign, as the witness was shown it last. shown: as others were.
    """
    old = seen_before(when, seen or {}, shown) if word.outcome == REMEDIATED else None
    return Word(INCONCLUSIVE, old, bars=True) if old else word


def seen_before(when: str, seen: JsonObject, shown: Iterable[JsonObject]) -> str | None:
    """Says that a witness saw another campaign than it is now, or None."""
    for campaign in shown:
        for name in CERTIFICATIONS:
            if campaign.get(name) not in (None, seen.get(name)):
                return "the campaign was another one when %s: %s was %r and is %r" % (
                    when,
                    name,
                    seen.get(name),
                    campaign[name],
                )
        modified = campaign.get("modified")
        if parse_time(modified) is not None and (
            parse_time(seen.get("modified")) is None or is_later(modified, seen["modified"])
        ):
            return "%s before the campaign was modified (%s)" % (when, modified)
    return None


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
    of_next: bool,
    results: Result,
) -> Word:
    """The word of the report of a campaign that is COMPLETED. of_next: whether it is a next generation campaign."""
    lack = None if of_next else lack_of_scan(campaign_id, scan, exchanges, results)
    lack = lack or lack_of_report(report, info, results)
    if lack or report is None:
        return lack or Word(PENDING, NO_REPORT if of_next else "the remediation scan has finished, and " + NO_REPORT)
    return (prove_next if of_next else prove)(campaign_id, exchanges, report.get("sha256"), info)


def lack_of_scan(campaign_id: str, scan: Item | None, exchanges: Sequence[Exchange], results: Result) -> Word | None:
    """What is to be said where the scan gave nothing that a report could stand on, or None."""
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
    return None


def lack_of_report(report: Item | None, info: Item | None, results: Result) -> Word | None:
    """What is to be said where a report was asked for and not read, or None."""
    reports = result_of(results, "reports")
    if report is None and has_failed(reports):
        return Word(INCONCLUSIVE, failure_of(reports, "the reports could not be made"))
    if report is None:
        return None
    if report.get("error"):
        return Word(INCONCLUSIVE, str(report["error"]))
    if report.get("status") != "finished":
        last = "; the last look failed: %s" % report["last_error"] if report.get("last_error") else ""
        return Word(PENDING, "the remediation status report has not finished" + last)
    if not report.get("path"):
        return Word(PENDING, NOT_DOWNLOADED)
    if info is None:
        return Word(INCONCLUSIVE, failure_of(result_of(results, "report_infos"), "the remediation status report was not read"))
    return None
