# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of an exposure by what Xpanse answered, and the records of all exposures.

`remediated` comes out of `prove` and from nowhere else. Private to the collection.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, TypedDict

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import (
    Exchange,
    Item,
    JsonObject,
    Result,
    Target,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.times import (
    CLOCK_SLACK,
    as_text,
    from_milliseconds,
    in_utc,
    is_later,
    is_past,
    parse_time,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import exchanges_in, path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
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

KIND = "exposure"
EXPOSURE = ("alert_internal_id", "attack_surface_rule_id", "service_id")
# The three ids as texts: what makes two exposures the same. And as they are sent.
Exposure = tuple[str, str, str]
SentExposure = tuple[Any, str, str]
SCANNING = "/public_api/v1/remediation_confirmation_scanning/requests"
GET_OR_CREATE = SCANNING + "/get_or_create"
GET = SCANNING + "/get"
IN_PROGRESS = "IN_PROGRESS"
# Of a scan that ended with these words (documented). Any other word is no answer.
ANSWERS = {("SUCCESS", "REMEDIATED"): REMEDIATED, ("SUCCESS", "UNREMEDIATED"): UNREMEDIATED}
NOT_FINISHED = "the scan has not finished"
REASONS = {
    REMEDIATED: "Xpanse scanned the service and sees the exposure no more",
    UNREMEDIATED: "Xpanse scanned the service and still sees the exposure",
}
# The statuses after which a scan will not say anything else (documented).
FINAL_STATUSES = ("SUCCESS", "FAILED_TIMEOUT", "FAILED_ERROR")
SCAN_REASONS = {
    "FAILED_TIMEOUT": "Xpanse could not finish the scan in time (FAILED_TIMEOUT)",
    "FAILED_ERROR": "the scan failed (FAILED_ERROR)",
}
# What a reply holds that is an error, in whatever spelling.
ERRORS = ("errcode", "errmsg", "error", "errors")
# Where nobody knows when, no scan is late enough.
NEVER = "9999-12-31T23:59:59Z"
# Under which names a reply could say which scan it is about. None is documented for a reply to `get`.
NAMES_OF_SCAN = ("scanid", "id")
# Without one of them nobody knows what was left out.
LOOKUP_LISTS = ("alerts", "rcs_targets", "unscannable")
ALERT_FACTS = (
    "name",
    "severity",
    "resolution_status",
    "last_modified_ts",
    "case_id",
    "ipv4_addresses",
    "domain_names",
    "port_protocol",
    "attack_surface_rule_name",
    "business_unit_hierarchies",
)


class Proof(TypedDict):
    """What is proved of an exposure. All times are of Xpanse's clock, UTC text.

    ran: whether the scan is known not to have ended when it was asked for. ran_at: until when that is known.
    finished_at: when it was seen to have ended. status, result: what the API said, of whatever type.
    """

    outcome: str
    reason: str
    scan_id: str | None
    status: Any
    result: Any
    asked_at: str | None
    ran: bool
    ran_at: str | None
    finished_at: str | None


# --- what the API's answers are worth ---


def outcome_of(status: object, result: object) -> tuple[str, str]:
    """(outcome, reason) by the words for a scan alone. What is not known is never read as an answer."""
    if status == IN_PROGRESS:
        return PENDING, NOT_FINISHED
    outcome = next((outcome for words, outcome in ANSWERS.items() if words == (status, result)), None)
    if outcome:
        return outcome, REASONS[outcome]
    if status == "SUCCESS":
        return INCONCLUSIVE, "the scan ended with SUCCESS and the result %r, which is not known" % (result,)
    known = SCAN_REASONS.get(status) if isinstance(status, str) else None
    return INCONCLUSIVE, known or "the scan has the status %r, which is not known" % (status,)


def prove(exposure: Exposure, exchanges: Sequence[Exchange], reopened_at: str | None = None) -> Proof:
    """What the answers on record prove of an exposure, as a Proof.

    exposure: the three ids as exposure_key makes them. exchanges: what was asked and answered, in order. reopened_at:
    since when the alert may be open again, UTC text, or None.

    Each condition has its reason: a scan that the API named for this very exposure, and no other; its words in an answer
    about that scan; an end after the scan was asked for, because it was new then or was seen running since; nothing that
    was reopened since.
    """
    proof = Proof(
        outcome=INCONCLUSIVE,
        reason="",
        scan_id=None,
        status=None,
        result=None,
        asked_at=None,
        ran=False,
        ran_at=None,
        finished_at=None,
    )
    if not all(exposure):
        return {
            **proof,
            "reason": "the exposure is not complete: %s is missing"
            % " and ".join(name for name, value in zip(EXPOSURE, exposure) if not value),
        }
    place = next((place for place in reversed(range(len(exchanges))) if is_asking(exchanges[place], exposure)), None)
    if place is None:
        return {**proof, "reason": "no answer on record says that a scan of this exposure was asked for"}
    asked = exchanges[place]
    scan_id = named_scan(asked)
    if scan_id is None:
        return {**proof, "reason": "the answer to the request for a scan names no scan"}
    proof["scan_id"], proof["asked_at"] = scan_id, asked.get("server_time")
    wrong = names_another(asked, exposure, scan_id)
    if wrong:
        return {**proof, "reason": wrong}
    looks = [exchange for exchange in exchanges[place + 1 :] if is_look(exchange, scan_id)]
    if asked["status"] == 201:
        proof["ran"], proof["ran_at"] = True, asked.get("server_time")
    if not looks:
        return {**proof, "outcome": PENDING, "reason": NOT_FINISHED}
    for look in looks:
        wrong = names_another(look, exposure, scan_id)
        if wrong:
            return {**proof, "reason": wrong}
        reply = reply_in(look)
        proof["status"], proof["result"] = reply.get("status"), reply.get("result")
        if proof["status"] == IN_PROGRESS:
            proof["ran"], proof["ran_at"] = True, look.get("server_time")
    outcome, reason = outcome_of(proof["status"], proof["result"])
    if outcome == PENDING:
        return {**proof, "outcome": outcome, "reason": reason}
    proof["finished_at"] = next((look.get("server_time") for look in looks if reply_in(look).get("status") != IN_PROGRESS), None)
    if outcome == INCONCLUSIVE:
        return {**proof, "reason": reason}
    if not proof["ran"]:
        return {
            **proof,
            "reason": "Xpanse named a scan that was there already and had ended, and nothing shows that it "
            "ended after it was asked for",
        }
    if not is_in_order(asked, looks):
        return {**proof, "reason": "by the clock of Xpanse, the scan ended before it was asked for"}
    if reopened_at and (
        parse_time(proof["ran_at"]) is None or parse_time(reopened_at) is None or is_later(reopened_at, proof["ran_at"])
    ):
        return {
            **proof,
            "reason": "the alert was reopened at %s, or changed while it was not resolved, and the scan may have "
            "ended before: start a new one" % reopened_at,
        }
    return {**proof, "outcome": outcome, "reason": reason}


def is_in_order(asked: Exchange, looks: Iterable[Exchange]) -> bool:
    """Whether no look was, by the server's clock, before the scan was asked for. Without a clock the order tells."""
    return all(
        parse_time(look.get("server_time")) is None
        or parse_time(asked.get("server_time")) is None
        or is_past(asked["server_time"], look["server_time"])
        for look in looks
    )


def values_sent(exchange: Exchange) -> JsonObject:
    """What a request's filters said, as a dict from field to value; {} where it cannot be read."""
    sent = exchange.get("sent")
    data = sent.get("request_data") if isinstance(sent, dict) else None
    filters = data.get("filters") if isinstance(data, dict) else None
    return (
        {one["field"]: one.get("value") for one in filters if isinstance(one, dict) and isinstance(one.get("field"), str)}
        if isinstance(filters, list)
        else {}
    )


def reply_in(exchange: Exchange) -> JsonObject:
    """The `reply` of an answer, {} where there is none or where it is an error."""
    body = exchange.get("body")
    reply = body.get("reply") if isinstance(body, dict) else None
    return (
        reply
        if isinstance(reply, dict)
        and not any(plain(name) in ERRORS and value for name, value in reply.items())
        and "err_code" not in reply
        else {}
    )


def is_asking(exchange: Exchange, exposure: Exposure) -> bool:
    """Whether this asked for a scan of the exposure, and was granted."""
    return (
        path_of(exchange) == GET_OR_CREATE
        and exchange.get("method") == "POST"
        and exchange["status"] in (200, 201)
        and exposure_key(values_sent(exchange)) == exposure
    )


def is_look(exchange: Exchange, scan_id: str | None) -> bool:
    """Whether this asked about the scan, and was answered."""
    return (
        path_of(exchange) == GET
        and exchange.get("method") == "POST"
        and exchange["status"] == 200
        and values_sent(exchange) == {"id": scan_id}
        and bool(reply_in(exchange))
    )


def named_scan(exchange: Exchange) -> str | None:
    """The id of the scan that the answer to a request for one names, or None."""
    scan_id = reply_in(exchange).get("scanId")
    return scan_id if isinstance(scan_id, str) and scan_id.strip() else None


def names_another(exchange: Exchange, exposure: Exposure | None, scan_id: str) -> str | None:
    """Says that an answer is about another scan or exposure than was asked about, or None."""
    for name, value in reply_in(exchange).items():
        if value is None:
            continue
        if plain(name) in NAMES_OF_SCAN and value != scan_id:
            return "the answer is about another scan, %r" % (value,)
        for ours, mine in zip(EXPOSURE, exposure or ()):
            if plain(name) == plain(ours) and scalar(value) != mine:
                return "the answer is about another exposure, its %s is %r" % (name, value)
    return None


# The names in all answers are the same few.
@lru_cache(maxsize=1024)
def plain(name: str) -> str:
    """A name without what tells scanId from scan_id."""
    return "".join(character for character in name if character.isalnum()).casefold()


def reopened(alert: JsonObject, looked_up_at: str | None = None) -> str | None:
    """Since when an alert may be open again, UTC text, or None where it is resolved or says nothing.

    Xpanse opens an alert again when it sees its exposure again, and the word for that is gone as soon as an analyst takes the
    alert up. So whatever changed an alert that is not resolved may have been that: a comment costs a scan, which is the
    price of being sure. alert: as the API wrote it. looked_up_at: when it was read, for one whose time of change cannot be.
    """
    status = status_of(alert)
    if not status or re.search(r"(^|_)RESOLVED", status):
        return None
    moment = moment_of_change(alert, looked_up_at)
    if moment is None and alert.get("last_modified_ts") is None and "REOPEN" not in status:
        return None
    return moment or looked_up_at or NEVER


def status_of(alert: JsonObject | None) -> str:
    """The word for the state of an alert in capitals, "" where there is none."""
    status = alert.get("resolution_status") if alert else None
    return status.upper() if isinstance(status, str) else "" if not alert else "UNKNOWN"


def moment_of_change(alert: JsonObject, looked_up_at: str | None) -> str | None:
    """When an alert says that it was changed last, UTC text, or None where no alert can have been changed then."""
    moment, read_at = from_milliseconds(alert.get("last_modified_ts")), parse_time(looked_up_at)
    made = [from_milliseconds(alert.get(name)) for name in ("local_insert_ts", "detection_timestamp")]
    if (
        moment is None
        or moment.year < 2000
        or any(at and moment < at for at in made)
        or (read_at and moment > read_at + timedelta(seconds=CLOCK_SLACK))
    ):
        return None
    return as_text(moment)


# --- the records ---


def as_sent(alert_id: str) -> int | str:
    """An alert's id as it is sent: a number where it is one."""
    return int(alert_id) if re.fullmatch(r"[0-9]{1,30}", alert_id) else alert_id


def exposure_key(ids: Mapping[str, object]) -> Exposure:
    """What makes two exposures the same: an id is the same as a number and as text."""
    alert_id, rule_id, service_id = (scalar(ids.get(name)) for name in EXPOSURE)
    return str(as_sent(alert_id)), rule_id, service_id


def targets(results: Result) -> list[Target]:
    """The records of all exposures, of alerts that cannot be scanned, and of what could not be looked up.

    results: see _judge.verify.
    """
    rcs = result_of(results, "rcs_requests")
    answers = {exposure_key(item): item for item in listed(rcs, "rcs_requests")}
    claims: dict[str, set[Exposure]] = defaultdict(set)
    for key, item in answers.items():
        for exchange in exchanges_in(item):
            scan_id = named_scan(exchange)
            if scan_id:
                claims[scan_id].add(key)
    alerts = alerts_of(results)
    asked = [ids if isinstance(ids, dict) else {} for ids in results.get("exposures") or ()]
    asked += [ids for lookup in lookups(results) for ids in listed(lookup, "rcs_targets")]
    keys = [key for key in dict.fromkeys(map(exposure_key, asked)) if all(key)]
    found = []
    for key in keys:
        alert, lookup, since = alerts.get(key[0], (None, {}, None))
        found.append(
            fenced(
                KIND,
                id_of(key),
                partial(exposure_target, key, answers.get(key), alert, since, rcs, claims),
            )
        )
        found[-1]["evidence"] = found[-1]["evidence"] + records_of(lookup)
    taken = set()
    for number, ids in enumerate(asked, 1):
        key = exposure_key(ids)
        if not all(key):
            target_id = "%s (number %d)" % (id_of(key), number) if key in taken else id_of(key)
            found.append(make_target(KIND, target_id, None, INCONCLUSIVE, prove(key, [])["reason"]))
            taken.add(key)
    told = {}
    for lookup in lookups(results):
        for item in listed(lookup, "unscannable"):
            told[exposure_key({EXPOSURE[0]: item.get("alert_id")})[0] or str(item.get("alert_id"))] = str(item.get("reason"))
    covered = {key[0] for key in keys}
    for alert_id in alerts:
        if alert_id not in covered:
            told.setdefault(alert_id, "nothing of this alert was asked about")
    for alert_id, reason in told.items():
        alert, lookup, _since = alerts.get(alert_id, (None, lookups(results)[0], None))
        found.append(
            make_target(
                KIND,
                "alert %s" % alert_id,
                alert and alert.get("name"),
                INCONCLUSIVE,
                reason,
                system=system_of(lookup),
                requests=requests_of(lookup),
                evidence=records_of(lookup),
                **alert_facts(alert),
            )
        )
    known = {target["id"] for target in found}
    return found + [target for target in lookup_failures(results) if target["id"] not in known]


def alerts_of(results: Result) -> dict[str, tuple[JsonObject, Result, str | None]]:
    """The alerts that were looked up, by their id as exposure_key makes it: (alert, its look-up, since when it may be
    open again)."""
    found = {}
    for lookup in lookups(results):
        times = [request["server_time"] for request in requests_of(lookup) if isinstance(request.get("server_time"), str)]
        for alert in listed(lookup, "alerts"):
            alert_id = exposure_key({EXPOSURE[0]: alert.get("alert_id")})[0] or repr(alert.get("alert_id"))
            since = reopened(alert, max(times, default=None))
            if alert_id in found and since is None:
                continue
            found[alert_id] = (alert, lookup, since)
    return found


def id_of(key: Exposure) -> str:
    """An exposure's id as text. The parts are told apart whatever they hold."""
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in key)


def lookups(results: Result) -> list[Result]:
    """The results of looking up alerts."""
    return [result_of(results, "alerts"), result_of(results, "case_alerts")]


def asked_for(results: Result) -> list[JsonObject]:
    """What was looked up, and whether it was found: see conclude."""
    failures = lookup_failures(results)
    made = []
    for asked, noun, lookup in (
        (results.get("alert_ids"), "alert", result_of(results, "alerts")),
        (results.get("case_ids"), "case", result_of(results, "case_alerts")),
    ):
        if asked:
            problems = [target["reason"] for target in failures if target["id"].startswith(noun)]
            made.append(
                dict(
                    kind=noun + "s",
                    asked=", ".join(map(str, asked)),
                    found=len(listed(lookup, "alerts")),
                    problem="; ".join(dict.fromkeys(problems)) or None,
                )
            )
    return made


def lookup_failures(results: Result) -> list[Target]:
    """The records of alerts and cases from which no exposure could be looked up."""
    found = []
    for asked, noun, lookup in (
        (results.get("alert_ids"), "alert", result_of(results, "alerts")),
        (results.get("case_ids"), "case", result_of(results, "case_alerts")),
    ):
        if not asked:
            continue
        asked = list(dict.fromkeys(map(str, asked)))
        more = dict(system=system_of(lookup), requests=requests_of(lookup), evidence=records_of(lookup))
        if has_failed(lookup) or not all(isinstance(lookup.get(name), list) for name in LOOKUP_LISTS):
            found += [
                make_target(
                    KIND,
                    "%s %s" % (noun, asked_id),
                    None,
                    INCONCLUSIVE,
                    failure_of(lookup, "the alerts could not be listed"),
                    **more,
                )
                for asked_id in asked
            ]
            continue
        if lookup.get("truncated") is not False:
            found.append(
                make_target(
                    KIND, "%ss" % noun, None, INCONCLUSIVE, "the API left alerts out, so not every exposure is known", **more
                )
            )
        if noun == "case":
            known = {scalar(alert.get("case_id")) for alert in listed(lookup, "alerts")}
            # An alert need not say to which case it belongs. Then each case was asked about alone.
            all_say = all(alert.get("case_id") is not None for alert in listed(lookup, "alerts"))
            alone = lookup.get("cases_with_alerts")
            alone = alone if isinstance(alone, list) and not all_say else []
            found += [
                make_target(KIND, "case %s" % case_id, None, INCONCLUSIVE, "no alert belongs to this case", **more)
                for case_id in asked
                if case_id not in known | set(map(scalar, alone))
            ]
        else:
            known = {scalar(alert.get("alert_id")) for alert in listed(lookup, "alerts")} | {
                scalar(item.get("alert_id")) for item in listed(lookup, "unscannable")
            }
            found += [
                make_target(KIND, "alert %s" % alert_id, None, INCONCLUSIVE, "no alert has this id", **more)
                for alert_id in asked
                if scalar(alert_id) not in known
            ]
    return found


def exposure_target(
    key: Exposure,
    item: Item | None,
    alert: JsonObject | None,
    since: str | None,
    rcs: Result,
    claims: Mapping[str, set[Exposure]],
) -> Target:
    """The record of one exposure. item: what the module returned of it, or None. since: of its alert, see alerts_of."""
    name = alert.get("name") if alert else None
    target = make_target(
        KIND, id_of(key), name or "alert %s, %s" % key[:2], INCONCLUSIVE, "", **dict(zip(EXPOSURE, key)), **alert_facts(alert)
    )
    if item is None:
        target["reason"] = failure_of(rcs, "no remediation confirmation scan was asked for")
        return target
    exchanges = exchanges_in(item)
    proof = prove(key, exchanges, since)
    target.update(
        scan_id=proof["scan_id"],
        system=system_of(rcs),
        requests=requests_of(item),
        evidence=records_of(rcs),
        started_at=in_utc(proof["asked_at"]),
        finished_at=in_utc(proof["finished_at"]),
        scan={"status": proof["status"], "result": proof["result"]},
        outcome=proof["outcome"],
        reason=proof["reason"],
    )
    others = claims.get(proof["scan_id"] or "", set()) - {key}
    if item.get("error"):
        # What was known before does not outweigh that the last step failed.
        target.update(outcome=INCONCLUSIVE, reason=str(item["error"]))
    elif others:
        target.update(
            outcome=INCONCLUSIVE,
            reason="Xpanse named the same scan %s for another exposure, %s" % (proof["scan_id"], id_of(sorted(others)[0])),
        )
    elif proof["scan_id"] is None and item.get("outcome") == PENDING:
        target.update(
            outcome=PENDING,
            reason="no scan was asked for in time; the last try failed: %s" % item["last_error"]
            if item.get("last_error")
            else "a scan would be started",
        )
    elif item.get("last_error"):
        target.update(
            outcome=PENDING,
            reason="%s; the last look failed: %s"
            % (
                NOT_FINISHED if target["outcome"] == PENDING else "what an earlier run was told was not read again",
                item["last_error"],
            ),
        )
    elif target["outcome"] in (REMEDIATED, UNREMEDIATED) and not any(
        is_look(exchange, proof["scan_id"]) and not exchange.get("remembered") for exchange in exchanges
    ):
        if item.get("unread"):
            target["reason"] += ", as an earlier run was told at %s" % target["finished_at"]
        else:
            target.update(outcome=INCONCLUSIVE, reason="what an earlier run was told was not read again")
    return target


def alert_facts(alert: JsonObject | None) -> JsonObject:
    """What a reader needs of the alert, or nothing."""
    return {"alert": {name: alert[name] for name in ALERT_FACTS if alert.get(name) is not None}} if alert else {}
