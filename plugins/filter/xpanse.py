# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify has to work out of what Xpanse's modules returned."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Result, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, dicts, printable
from ansible_collections.secops.remediation.plugins.module_utils._common.times import from_milliseconds, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import REMEDIATED, UNREMEDIATED

OPEN = ["new", "reopened", "under_investigation"]
# Those after which Xpanse itself opens an alert again (documented of the first). The others are somebody's decision.
RESOLVED = ["resolved", "resolved_no_longer_observed", "resolved_remediated_automatically"]
# What may stand in an id. Whatever else does could be a template to Ansible.
ID = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
ON_RECORD = ("alerts", "requests", "changed", "base_url", "msg")
MOST_LINES = 100


def exposures_to_scan(inputs: Mapping[str, Any], results: Iterable[Result]) -> JsonObject:
    """The exposures that were named and those of the alerts that were found: `requests`, `files`, and whether there are
    `any`.

    inputs: as verify_inputs returns them. results: those of all modules so far.
    """
    lookups = [result for result in results if result.get("module") == "xpanse_alert_info"]
    requests = list(inputs["exposures"])
    for lookup in lookups:
        requests += lookup.get("rcs_targets") or ()
    # Thousands of alerts are too much to hand from task to task, so they are in files; check mode writes none.
    files = [lookup["results_file"] for lookup in lookups if lookup.get("results_file") and lookup["counts"].get("rcs_targets")]
    return dict(requests=requests, files=files, any=bool(requests or files))


# --- which alerts are to be updated ---


def alert_updates(evidence: Result, mode: str) -> JsonObject:
    """What the alerts are to become: `alerts`, as xpanse_alert takes them; `left`, sentences about those that stay as they are
    though their exposures have an answer; `problem`, why none may be updated, or None.

    evidence: as remediation_evidence returned it to this run. mode: resolved, reopened, or both.
    """
    verification = evidence["verification"]
    plan: JsonObject = dict(alerts=[], left=[], problem=None)
    if "msg" in evidence:
        return dict(plan, problem="No alert was updated, for something of the evidence is missing.")
    try:
        targets = targets_in(verification)
    except (OSError, ValueError, RecursionError) as error:
        return dict(plan, problem="No alert was updated, for the evidence cannot be read again (%s)." % error)
    for alert_id, exposures in sorted(by_alert(targets).items()):
        status = status_for([target["outcome"] for _ids, target in exposures], mode)
        if not status:
            continue
        wish = wish_for(alert_id, exposures, status)
        if isinstance(wish, str):
            plan["left"].append("Alert %s stays as it is: %s." % (alert_id, wish))
        else:
            plan["alerts"].append(dict(wish, comment=comment_on(status, verification)))
    return plan


def targets_in(verification: JsonObject) -> list[Target]:
    """All targets of a verification: of the file that this run wrote, or in check mode, which writes none, those at hand.

    Raises OSError, and ValueError for a file that is not what was written.
    """
    if verification["path"] is None:
        return dicts(verification["targets"])
    with open_regular(verification["path"], follow=False) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != verification["sha256"] or not verification["run_sha256"]:
        raise ValueError("it is not what was written")
    found = json.loads(content)
    if found["run"] != verification["run"]:
        raise ValueError("it is of another run")
    return dicts(found["targets"])


def by_alert(targets: Iterable[Target]) -> dict[str, list[tuple[tuple[str, ...], Target]]]:
    """The targets by the alert that they are of, each with its three ids; of what cannot be scanned only the first is known."""
    found: dict[str, list[tuple[tuple[str, ...], Target]]] = defaultdict(list)
    for target in targets:
        ids = tuple(map(unquote, str(target["id"]).split(":")))
        of_alert = re.fullmatch("alert (.+)", str(target["id"]))
        if target["kind"] == "exposure" and len(ids) == 3:
            found[ids[0]].append((ids, target))
        elif target["kind"] == "exposure" and of_alert:
            found[of_alert[1]].append(((of_alert[1], "", ""), target))
    return found


def status_for(outcomes: list[str], mode: str) -> str | None:
    """The status that an alert with exposures of these outcomes is to have, or None where it stays as it is."""
    if mode in ("resolved", "both") and outcomes.count(REMEDIATED) == len(outcomes):
        return "resolved"
    if mode in ("reopened", "both") and UNREMEDIATED in outcomes:
        return "reopened"
    return None


def wish_for(alert_id: str, exposures: list[tuple[tuple[str, ...], Target]], status: str) -> JsonObject | str:
    """What xpanse_alert is told of an alert, or why it must stay as it is."""
    rules = {ids[1] for ids, _target in exposures if ids[1]}
    services = sorted({ids[2] for ids, _target in exposures if ids[2]})
    since = known_since(exposures)
    if len(rules) != 1:
        return "its exposures are of several attack surface rules"
    if not alert_id.isdigit() or not all(ID.fullmatch(one) for one in [*rules, *services]):
        return "one of its ids has characters that no id has"
    if since is None:
        return "it is not known when it was looked at"
    # Of one that is still there, the others are no matter.
    more = dict(service_ids=services) if status == "resolved" else {}
    return dict(
        more,
        alert_id=alert_id,
        status=status,
        only_from=OPEN if status == "resolved" else RESOLVED,
        unchanged_since=since,
        attack_surface_rule_id=next(iter(rules)),
    )


def known_since(exposures: list[tuple[tuple[str, ...], Target]]) -> str | None:
    """The moment after which an alert must not have been changed: when it had been changed last as it was looked up, else when
    the first of its scans was asked for."""
    found = []
    for _ids, target in exposures:
        moment = dict_at(target, "alert").get("last_modified_ts")
        if from_milliseconds(moment) is not None:
            found.append((from_milliseconds(moment), str(moment)))
        elif parse_time(target.get("started_at")) is not None:
            found.append((parse_time(target["started_at"]), target["started_at"]))
        else:
            return None
    return min(found)[1]


def comment_on(status: str, verification: JsonObject) -> str:
    """What an alert is commented with: the same for all of a run, so that a hundred go with one request."""
    found = "no longer sees any of its exposures" if status == "resolved" else "still sees one of its exposures"
    return (
        "Cortex Xpanse scanned again and %s (secops.remediation, run %s, verdict %s). SHA-256 of SHA256SUMS of the evidence: %s"
        % (found, verification["run"], verification["verdict"], verification["run_sha256"] or "not written yet")
    )


# --- what became of them ---


def alert_results(result: Result) -> JsonObject:
    """What is put on record of what xpanse_alert returned."""
    return {name: result[name] for name in ON_RECORD if name in result}


def alert_lines(updates: JsonObject) -> list[str]:
    """What the role prints of the alerts: a list of lines. updates: the plan, with what became of it, see update.yml."""
    items = dicts(updates["result"].get("alerts"))
    changed = [item for item in items if item["changed"]]
    right = [
        item
        for wish, item in zip(updates["alerts"], items)
        if not item["changed"] and not item.get("error")
        if not item.get("left") or is_as_good(item["before"]["status"], wish["status"])
    ]
    lines = [
        "Alerts: %d to be updated, %d %schanged%s."
        % (
            len(updates["alerts"]),
            len(changed),
            "would be " * is_rehearsal(updates),
            ", %d already in such a state" % len(right) if right else "",
        ),
        *["Alert %s: %s, was %s." % (one["alert_id"], state(one["after"]), state(one["before"])) for one in changed],
        *[
            "Alert %s stays as it is: %s." % (item["alert_id"], item["left"])
            for wish, item in zip(updates["alerts"], items)
            if item.get("left") and not is_as_good(item["before"]["status"], wish["status"])
        ],
        *["Alert %s failed: %s." % (one["alert_id"], one["error"].rstrip(".")) for one in items if one.get("error")],
        *updates["left"],
    ]
    more = len(lines) - MOST_LINES
    lines = lines[:MOST_LINES] + (["... and %d more lines in updates.json of the run." % more] if more > 0 else [])
    record = dict_at(updates["recorded"], "updates")
    if record.get("path"):
        lines.append("What was changed is on record in %s, SHA-256 %s" % (record["path"], record["sha256"]))
    return [printable(line) for line in [*lines, *([updates["problem"]] if updates["problem"] else [])]]


def is_as_good(status: str, wanted: str) -> bool:
    """Whether an alert is open that was to be open, or closed that was to be closed, in whatever way."""
    return status in OPEN if wanted == "reopened" else status.startswith("resolved")


def state(shown: JsonObject | None) -> str:
    """The status of an alert in words."""
    return (shown or {}).get("status") or "in a state that is not known"


def is_rehearsal(updates: JsonObject) -> bool:
    """Whether nothing was put on record before, as in check mode."""
    return "updates" not in updates["intended"]


def alert_problems(updates: JsonObject, mode: str) -> list[str]:
    """Why a play has to fail for what became of the alerts, as a list of sentences; [] where it may end well.

    updates: the plan, with what became of it, see update.yml. mode: the role's input.
    """
    if mode == "none":
        return []
    if updates.get("problem") or not isinstance(updates.get("alerts"), list):
        return [printable(updates.get("problem") or "It is not known whether alerts were to be updated.")]
    if not updates["alerts"]:
        return []
    found = []
    if not is_on_record(updates.get("intended")):
        found.append("No alert was updated, for what was to be changed cannot be put on record: %s" % said(updates["intended"]))
    elif not all_answered(updates):
        found.append("Not every alert is what it was to be: %s" % said(updates["result"]))
    elif not is_on_record(updates.get("recorded")):
        found.append("What became of the alerts cannot be put on record: %s" % said(updates["recorded"]))
    return list(map(printable, found))


def is_on_record(result: Any) -> bool:
    """Whether a task has put something on record, all of it."""
    return isinstance(result, dict) and bool(dict_at(result, "updates").get("path")) and "msg" not in result


def all_answered(updates: JsonObject) -> bool:
    """Whether there is an answer of each alert."""
    result = updates.get("result") or {}
    items = dicts(result.get("alerts"))
    return (
        "msg" not in result
        and [item.get("alert_id") for item in items] == [alert["alert_id"] for alert in updates["alerts"]]
        and not any("error" in item for item in items)
    )


def said(result: Any) -> str:
    """What a task said when it failed."""
    return str(result.get("msg") if isinstance(result, dict) and result.get("msg") else "the task did not end")


class FilterModule:
    """The filters of the role's part for Xpanse."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return dict(
            exposures_to_scan=exposures_to_scan,
            alert_updates=alert_updates,
            alert_results=alert_results,
            alert_lines=alert_lines,
            alert_problems=alert_problems,
        )
