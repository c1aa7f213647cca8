# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification found: every target with exactly one outcome, and the reason in words.

Pure functions from the results of the collection's modules to the record that an auditor reads. An error is never an
answer: nothing is `remediated` unless an API said so in words that the code knows. Private to the collection.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import timezone

from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time

VERDICTS = ("verified", "not_verified", "incomplete")
OUTCOMES = ("remediated", "unremediated", "pending", "inconclusive")
SCHEMA_VERSION = "1.1"
COLLECTION = {"name": "secops.remediation", "version": "0.2.0"}
# Statuses of a campaign whose decisions are still to come.
UNDECIDED = ("PENDING", "STAGED", "ACTIVATING", "ACTIVE", "COMPLETING")
NOT_DOWNLOADED = "the remediation status report has finished, and was not downloaded (check mode downloads nothing)"
SCAN_REASONS = {
    "FAILED_TIMEOUT": "Xpanse could not finish the scan in time (FAILED_TIMEOUT)",
    "FAILED_ERROR": "the scan failed (FAILED_ERROR)",
}
ALERT_FACTS = ("name", "severity", "resolution_status", "case_id", "ipv4_addresses", "domain_names", "port_protocol",
               "attack_surface_rule_name", "business_unit_hierarchies")
CAMPAIGN_FACTS = ("name", "type", "status", "created", "deadline", "modified", "totalCertifications",
                  "completedCertifications")


def verify(results, run, started_at, finished_at, controls=(), older=(), previous_run=None):
    """The verification as a dict: the content of verification.json.

    results: dict of registered results of the modules, by what they were asked for: `campaigns` and
    `filtered_campaigns` (sailpoint_campaign_info), `scans`, `reports`, `report_infos`, `alerts` and `case_alerts`
    (xpanse_alert_info), `rcs_requests`, each {} where nothing was asked; and the targets that the user named:
    `campaign_ids`, `campaign_filters`, `exposures`, `alert_ids`, `case_ids`.
    run: name of the run. started_at, finished_at: times as text. controls: ids of controls that this is evidence for.
    older: the verifications of the runs before, newest first; they are read only as far back as needed.
    previous_run: name of the run before and the SHA-256 of its SHA256SUMS, as a dict, or None.
    """
    targets = campaign_targets(results) + exposure_targets(results)
    counts = {outcome: sum(target["outcome"] == outcome for target in targets) for outcome in OUTCOMES}
    counts["total"] = len(targets)
    verdict = verdict_of(counts)
    older = iter(older)
    previous = next(older, None)
    date_openings(targets, itertools.chain([previous], older), finished_at)
    this_run = dict(run=run, finished_at=finished_at, verdict=verdict, counts=dict(counts), open_items=open_items(targets))
    return dict(schema_version=SCHEMA_VERSION, collection=COLLECTION, run=run, verdict=verdict,
                summary=summary_of(verdict, counts), counts=counts, started_at=started_at, finished_at=finished_at,
                controls=list(controls), previous_run=previous_run, history=history_of(previous) + [this_run],
                targets=targets)


def date_openings(targets, older, now):
    """Says of each target that is not remediated since when it is known not to be.

    older: the verifications before, newest first; read only as far back as needed.
    """
    wanted = {(target["kind"], target["id"]): target for target in targets if target["outcome"] != "remediated"}
    for verification in older:
        if not wanted:
            break
        for target in (verification or {}).get("targets", ()):
            mine = wanted.pop((str(target.get("kind")), str(target.get("id"))), None) if isinstance(target, dict) else None
            if mine and target.get("outcome") != "remediated":
                mine["open_since"] = in_utc(target.get("open_since")) or in_utc(verification.get("finished_at")) or now
            elif mine:
                mine["open_since"] = now
    for target in wanted.values():
        target["open_since"] = now


def history_of(previous):
    """The runs before this one, oldest first. What is not as this code would write it is left out."""
    history = (previous or {}).get("history")
    return [{name: run[name] for name in ("run", "finished_at", "verdict", "counts", "open_items") if name in run}
            for run in (history if isinstance(history, list) else ())
            if isinstance(run, dict) and isinstance(run.get("run"), str) and in_utc(run.get("finished_at"))
            and run.get("verdict") in VERDICTS and isinstance(run.get("counts"), dict)
            and all(isinstance(run["counts"].get(outcome), int) for outcome in OUTCOMES + ("total",))
            and isinstance(run.get("open_items", 0), int)]


def open_items(targets):
    """How many items are open: those in the reports of campaigns, and exposures."""
    return sum(target.get("items", {}).get("items_open") or 0 if target["kind"] == "campaign" else 1
               for target in targets if target["outcome"] == "unremediated")


def verdict_of(counts):
    """`verified` only if there was something to verify and all of it is remediated."""
    if counts["unremediated"] or counts["inconclusive"]:
        return "not_verified"
    if counts["pending"] or not counts["total"]:
        return "incomplete"
    return "verified"


def summary_of(verdict, counts):
    """The verdict in a sentence."""
    if not counts["total"]:
        return "Nothing was verified: no target was found."
    parts = ["%d %s" % (counts[outcome], words) for outcome, words in (
        ("unremediated", "still open"), ("inconclusive", "without an answer"), ("pending", "not finished")) if
        counts[outcome]]
    found = "%d of %d targets remediated" % (counts["remediated"], counts["total"])
    start = {"verified": "Verified", "not_verified": "Not verified", "incomplete": "Not finished yet"}[verdict]
    return "%s: %s." % (start, ", ".join([found] + parts))


def make_target(kind, target_id, name, outcome, reason, **more):
    """One record, with every key there always."""
    # A name is whatever an API wrote there.
    name = name if name is None or isinstance(name, str) else json.dumps(name)
    return dict(dict(kind=kind, id=str(target_id), name=name, outcome=outcome, reason=str(reason), open_since=None,
                     scan_id=None, started_at=None, finished_at=None, system=None, requests=[], evidence=[]), **more)


def in_utc(text):
    """A time that a server wrote, as UTC text, or None where it is none."""
    moment = parse_time(text)
    if moment is None:
        return None
    try:
        return moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return None


def requests_of(*results):
    """The requests that these results were read from, each once, in the order in which they were answered."""
    return list({json.dumps(request, sort_keys=True): request for result in results if result
                 for request in result.get("requests") or ()}.values())


def records_of(result):
    """The file that holds a result, as evidence. Who writes the evidence knows its SHA-256."""
    return [dict(path=result["results_file"], sha256=None)] if result.get("results_file") else []


def path_of(request):
    """The path of a request, without its query."""
    return request["path"].partition("?")[0]


def has_failed(result):
    """Whether a task failed. Where a playbook says `failed_when: false`, only its message is left to tell."""
    return bool(result.get("failed") or result.get("msg"))


def failure_of(result, otherwise):
    """Why a whole task brought no result."""
    return result.get("msg") or otherwise


# --- campaigns ---

def campaign_targets(results):
    """The records of all campaigns, those that were named first."""
    named, filtered = results["campaigns"], results["filtered_campaigns"]
    found = {campaign.get("id"): campaign for result in (named, filtered) for campaign in result.get("campaigns", ())}
    missing = set(named.get("missing_ids", ()))
    by_campaign = {
        source: {item["campaign_id"]: item for item in results[source].get(source, ())} for source in (
            "scans", "reports")}
    infos = {item["path"]: item for item in results["report_infos"].get("reports", ())}
    targets = []
    for campaign_id in dict.fromkeys(list(results["campaign_ids"]) + list(found)):
        campaign = found.get(campaign_id)
        if campaign is None:
            asked = [request for request in named.get("requests") or () if path_of(request).endswith("/" + campaign_id)]
            reason = ("no campaign has this id, or this user may not see it" if campaign_id in missing else
                      failure_of(named, "the campaign could not be read"))
            targets.append(make_target("campaign", campaign_id, None, "inconclusive", reason,
                                       system=named.get("base_url"), requests=asked))
        else:
            targets.append(campaign_target(
                campaign, by_campaign["scans"].get(campaign_id), by_campaign["reports"].get(campaign_id), infos,
                results))
    problem = failure_of(filtered, "the campaigns could not be listed") if has_failed(filtered) else None
    if filtered.get("truncated"):
        problem = "the API left campaigns out, so not every campaign is known"
    if problem:
        targets.append(make_target("campaign", "filter: %s" % results["campaign_filters"], None, "inconclusive",
                                   problem, system=filtered.get("base_url"), requests=requests_of(filtered)))
    return targets


def campaign_target(campaign, scan, report, infos, results):
    """The record of a campaign that was found."""
    facts = {name: campaign[name] for name in CAMPAIGN_FACTS if name in campaign}
    looked_up = {"requests": [request for lookup in (results["campaigns"], results["filtered_campaigns"])
                              for request in lookup.get("requests") or ()
                              if path_of(request).endswith(("/campaigns", "/campaigns/v1", "/" + str(campaign["id"])))]}
    target = make_target("campaign", campaign["id"], campaign.get("name"), "inconclusive", "",
                         system=results["campaigns"].get("base_url") or results["filtered_campaigns"].get("base_url"),
                         requests=requests_of(scan, report) or requests_of(looked_up), campaign=facts)
    target["outcome"], target["reason"] = judge_campaign(campaign, scan, report, infos, results)
    if scan:
        target.update(started_at=in_utc(scan.get("requested_at")), finished_at=in_utc(scan.get("modified")),
                      scan={name: scan.get(name) for name in ("status", "requested_at", "modified_before", "modified")})
    if report and report.get("path"):
        target["evidence"] = [dict(path=report["path"], sha256=report["sha256"])]
        target["report"] = {name: report["report"].get(name) for name in ("id", "status", "lastRunAt", "reportType")}
        info = infos.get(report["path"])
        if info and not info.get("error"):
            target["items"] = {name: info[name] for name in (
                "items_total", "items_remediated", "items_open", "items_unknown", "open_items", "status_column")}
    return target


def judge_campaign(campaign, scan, report, infos, results):
    """(outcome, reason) of a campaign that was found."""
    status = campaign.get("status")
    if status in UNDECIDED:
        return "pending", "the campaign is %s: not all decisions are made yet" % status
    if status != "COMPLETED":
        return "inconclusive", "the campaign is %s, so nothing can be verified" % status
    if scan is None:
        return "inconclusive", failure_of(results["scans"], "no remediation scan was asked for")
    if scan.get("error"):
        return "inconclusive", scan["error"]
    if scan["status"] == "blocked":
        return "pending", "a report of the campaign runs, so the remediation scan has to wait"
    if scan["status"] != "finished":
        return "pending", "the remediation scan has not finished"
    if report is None and has_failed(results["reports"]):
        return "inconclusive", failure_of(results["reports"], "the reports could not be made")
    if report is None:
        return "pending", "the remediation scan has finished, and no report has been asked for yet"
    if report.get("error"):
        return "inconclusive", report["error"]
    if report.get("status") != "finished":
        return "pending", "the remediation status report has not finished"
    if not report.get("path"):
        return "pending", NOT_DOWNLOADED
    info = infos.get(report["path"])
    if info is None:
        return "inconclusive", failure_of(results["report_infos"], "the remediation status report was not read")
    if info.get("error"):
        return "inconclusive", info["error"]
    if report["report"].get("status") == "WARNING" and info["outcome"] == "remediated":
        return "inconclusive", "the report ended with status WARNING, so it may not be complete, and shows no open item"
    return info["outcome"], info["reason"]


# --- exposures ---

def exposure_key(ids):
    """What makes two exposures the same: an id is the same as a number and as text."""
    alert_id, rule_id, service_id = ("" if ids.get(name) is None else str(ids[name]).strip() for name in (
        "alert_internal_id", "attack_surface_rule_id", "service_id"))
    # As it is sent.
    return str(int(alert_id)) if re.fullmatch(r"[0-9]+", alert_id) else alert_id, rule_id, service_id


def exposure_targets(results):
    """The records of all exposures, of alerts that cannot be scanned, and of what could not be looked up."""
    rcs = results["rcs_requests"]
    answers = {exposure_key(item): item for item in rcs.get("rcs_requests", ())}
    lookups = (results["alerts"], results["case_alerts"])
    alerts = {str(alert.get("alert_id")): alert for lookup in lookups for alert in lookup.get("alerts", ())}
    # Where the facts about an alert are from.
    sources = {str(alert.get("alert_id")): records_of(lookup) for lookup in lookups for alert in lookup.get("alerts", ())}
    targets = []
    asked = results["exposures"] + [ids for lookup in lookups for ids in lookup.get("rcs_targets", ())]
    for key in dict.fromkeys(map(exposure_key, asked)):
        targets.append(exposure_target(key, answers.get(key), alerts.get(key[0]), rcs))
        targets[-1]["evidence"] += sources.get(key[0], [])
    unscannable = {item["alert_id"]: item["reason"] for lookup in lookups for item in lookup.get("unscannable", ())}
    for alert_id, reason in unscannable.items():
        alert = alerts.get(alert_id)
        targets.append(make_target("exposure", "alert %s" % alert_id, alert and alert.get("name"), "inconclusive",
                                   reason, system=lookups[0].get("base_url") or lookups[1].get("base_url"),
                                   requests=requests_of(*lookups), evidence=sources.get(alert_id, []), **alert_facts(alert)))
    return targets + lookup_failures(results)


def lookup_failures(results):
    """The records of alerts and cases from which no exposure could be looked up."""
    targets = []
    for asked, noun, lookup in ((results["alert_ids"], "alert", results["alerts"]),
                                (results["case_ids"], "case", results["case_alerts"])):
        if has_failed(lookup):
            targets += [make_target("exposure", "%s %s" % (noun, asked_id), None, "inconclusive",
                                    failure_of(lookup, "the alerts could not be listed"),
                                    system=lookup.get("base_url"), requests=requests_of(lookup)) for asked_id in asked]
        elif lookup.get("truncated"):
            targets.append(make_target("exposure", "%ss" % noun, None, "inconclusive",
                                       "the API left alerts out, so not every exposure is known"))
    if results["case_ids"] and not has_failed(results["case_alerts"]):
        alerts = results["case_alerts"].get("alerts", ())
        known = {str(alert.get("case_id")) for alert in alerts}
        # An alert need not say to which case it belongs; then only "no alert at all" is certain.
        if not alerts or "None" not in known:
            targets += [make_target("exposure", "case %s" % case_id, None, "inconclusive",
                                    "no alert belongs to this case") for case_id in results["case_ids"] if
                        str(case_id) not in known]
    return targets


def exposure_target(key, answer, alert, rcs):
    """The record of one exposure."""
    name = alert.get("name") if alert else None
    target = make_target("exposure", ":".join(key), name or "alert %s, %s" % key[:2], "inconclusive", "",
                         **dict(zip(("alert_internal_id", "attack_surface_rule_id", "service_id"), key)),
                         **alert_facts(alert))
    if answer is None:
        target["reason"] = failure_of(rcs, "no remediation confirmation scan was asked for")
        return target
    target.update(scan_id=answer.get("scan_id"), system=rcs.get("base_url"), requests=requests_of(answer),
                  started_at=in_utc(answer.get("requested_at")), finished_at=in_utc(answer.get("finished_at")),
                  evidence=records_of(rcs),
                  scan={"status": answer.get("status"), "result": answer.get("result")})
    target["outcome"], target["reason"] = judge_exposure(answer)
    return target


def alert_facts(alert):
    """What a reader needs of the alert, or nothing."""
    return {"alert": {name: alert[name] for name in ALERT_FACTS if alert.get(name) is not None}} if alert else {}


def judge_exposure(answer):
    """(outcome, reason) of an exposure that was asked about."""
    if answer.get("error"):
        return "inconclusive", answer["error"]
    outcome, status = answer["outcome"], answer.get("status")
    if outcome == "remediated":
        return outcome, "Xpanse scanned the service and sees the exposure no more"
    if outcome == "unremediated":
        return outcome, "Xpanse scanned the service and still sees the exposure"
    if outcome == "pending":
        return outcome, "the scan has not finished" if answer.get("scan_id") else "a scan would be started"
    if status == "SUCCESS":
        return outcome, "the scan ended with SUCCESS and the result %r, which is not known" % (answer.get("result"),)
    return outcome, SCAN_REASONS.get(status, "the scan has the status %r, which is not known" % (status,))
