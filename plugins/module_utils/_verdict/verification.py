# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a verification found: all targets together, their dates, and the verdict. Knows no system.

Private to the collection.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.times import in_utc
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    IN_WORDS,
    INCOMPLETE,
    NEEDS_ACTION,
    NOT_VERIFIED,
    OUTCOMES,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
    VERDICTS,
    VERIFIED,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import (
    accept,
    all_open_accepted,
    is_accepted,
    problems_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import listed

SCHEMA_VERSION = "1.2"
COLLECTION = {"name": "secops.remediation", "version": "0.3.0"}


def conclude(
    targets: list[Target],
    lookups: list[dict[str, Any]],
    run: Any,
    started_at: Any,
    finished_at: Any,
    controls: Iterable[str] = (),
    older: Iterable[Any] = (),
    previous_run: dict[str, Any] | None = None,
    said: JsonObject | None = None,
) -> dict[str, Any]:
    """The verification as a dict: the content of verification.json.

    targets: their records, see _verdict.target. lookups: what was asked for by filters, alerts, and cases: dicts with
    `kind`, `asked`, `found` (int or None), `problem` (text or None).
    run: name of the run. started_at, finished_at: times as text. controls: ids of controls that this is evidence for.
    older: the verifications of the runs before, newest first; they are read only as far back as needed.
    previous_run: name of the run before and the SHA-256 of its SHA256SUMS, as a dict, or None.
    said: what owners say of the targets, see _verdict.owners; None where there is no targets file.
    """
    acceptance = None if said is None else accept(targets, said, finished_at)
    lookups = lookups + (problems_of(acceptance) if acceptance else [])
    counts = {outcome: sum(target["outcome"] == outcome for target in targets) for outcome in OUTCOMES}
    counts["total"] = len(targets)
    verdict = verdict_of(targets, lookups)
    older = iter(older)
    previous = next(older, None)
    date_targets(targets, itertools.chain([previous], older), finished_at)
    history = history_of(previous)
    if has_asked(targets):
        history.append(
            dict(run=run, finished_at=finished_at, verdict=verdict, counts=dict(counts), open_items=open_items(targets))
        )
    return dict(
        schema_version=SCHEMA_VERSION,
        collection=COLLECTION,
        run=run,
        verdict=verdict,
        summary=summary_of(verdict, counts, sum(bool(lookup["problem"]) for lookup in lookups), ends_of(targets)),
        counts=counts,
        started_at=started_at,
        finished_at=finished_at,
        controls=list(controls),
        previous_run=previous_run,
        replay=None,
        lookups=list(lookups),
        history=history,
        targets=targets,
        **(of_owners(said, acceptance, targets, lookups) if said is not None and acceptance else {}),
    )


def of_owners(said: JsonObject, acceptance: JsonObject, targets: list[Target], lookups: list[dict[str, Any]]) -> JsonObject:
    """What verification.json has of a targets file: which one it was, and what became of what it accepts."""
    return dict(
        targets_file={name: str(said.get(name) or "") for name in ("path", "sha256", "tenant")},
        acceptance=dict(acceptance, all_open_accepted=all_open_accepted(targets, lookups)),
    )


def date_targets(targets: list[Target], older: Iterable[Any], now: Any) -> None:
    """Says of each target that is not remediated since when it is not verified, and since when a system says that it is
    open: two facts, for an error is no open item.

    older: the verifications before, newest first; read only as far back as needed.
    """
    wanted = {(target["kind"], target["id"]): target for target in targets if target["outcome"] != REMEDIATED}
    for target in wanted.values():
        target.update(not_verified_since=now, open_since=now if target["outcome"] == UNREMEDIATED else None)
    for verification in older:
        if not wanted:
            break
        verification = verification if isinstance(verification, dict) else {}
        said_at = in_utc(verification.get("finished_at"))
        for target in listed(verification, "targets"):
            mine = wanted.pop((str(target.get("kind")), str(target.get("id"))), None)
            if not mine or target.get("outcome") == REMEDIATED:
                continue
            # Until 1.1 there was one date for both, and only what was open then is known to have been.
            mine["not_verified_since"] = in_utc(target.get("not_verified_since", target.get("open_since"))) or said_at or now
            was_open = (
                target.get("open_since")
                if "not_verified_since" in target
                else (said_at if target.get("outcome") == UNREMEDIATED else None)
            )
            mine["open_since"] = in_utc(was_open) or mine["open_since"]


def has_asked(targets: list[Target]) -> bool:
    """Whether anybody answered in this run. One that could ask nobody has learned nothing, and is no point in a history."""
    return any(
        target["outcome"] in (REMEDIATED, UNREMEDIATED)
        or any(
            isinstance(request.get("status"), int) and request["status"] < 400 and not request.get("remembered")
            for request in target["requests"]
        )
        for target in targets
    )


def history_of(previous: Any) -> list[dict[str, Any]]:
    """The runs before this one, oldest first. What is not as this code would write it is left out."""
    history = previous.get("history") if isinstance(previous, dict) else None
    return [
        {name: run[name] for name in ("run", "finished_at", "verdict", "counts", "open_items") if name in run}
        for run in (history if isinstance(history, list) else ())
        if isinstance(run, dict)
        and isinstance(run.get("run"), str)
        and in_utc(run.get("finished_at"))
        and run.get("verdict") in tuple(VERDICTS)
        and isinstance(run.get("counts"), dict)
        and all(isinstance(run["counts"].get(outcome), int) for outcome in OUTCOMES + ("total",))
        and isinstance(run.get("open_items", 0), (int, type(None)))
    ]


def open_items(targets: list[Target]) -> int | None:
    """How many items are open: those that targets name, and targets that name none. None where no target has an answer."""
    if not any(target["outcome"] in (REMEDIATED, UNREMEDIATED) for target in targets):
        return None
    return sum(number_of_open_items(target) for target in targets if target["outcome"] == UNREMEDIATED)


def number_of_open_items(target: Target) -> int:
    """How many open items a target has that is unremediated: at least itself. Where several saw some, the most."""
    numbers = [part.get("items_open") for part in target.values() if isinstance(part, dict)]
    return max([number for number in numbers if isinstance(number, int) and number > 0], default=1)


def verdict_of(targets: list[Target], lookups: list[dict[str, Any]]) -> str:
    """`verified` only if there was something to verify, all of it is remediated, and all that was asked for was found."""
    outcomes = [target["outcome"] for target in targets]
    if any(lookup["problem"] for lookup in lookups) or not all(outcome in (REMEDIATED, PENDING) for outcome in outcomes):
        return NOT_VERIFIED
    return VERIFIED if outcomes and PENDING not in outcomes else INCOMPLETE


def ends_of(targets: list[Target]) -> list[str]:
    """Until when the open targets are accepted that are, as texts, the first to end first."""
    return sorted(target["accepted"]["until"] for target in targets if is_accepted(target))


def summary_of(verdict: str, counts: dict[str, int], problems: int = 0, accepted: list[str] | None = None) -> str:
    """The verdict in a sentence. problems: of how many look-ups. accepted: until when open targets are, see ends_of."""
    lookups = ["%d look-up%s had a problem" % (problems, "s" * (problems > 1))] * bool(problems)
    if not counts["total"]:
        return "%s." % ", ".join(["Nothing was verified: no target was found", *lookups])
    found = ["%d of %d targets %s" % (counts[REMEDIATED], counts["total"], IN_WORDS[REMEDIATED])]
    found += ["%d %s" % (counts[outcome], IN_WORDS[outcome]) for outcome in NEEDS_ACTION if counts[outcome]]
    if accepted:
        # What is open comes first of what needs action.
        found[1] += " (%d accepted, until %s%s)" % (len(accepted), accepted[0], " at first" if accepted[-1] > accepted[0] else "")
    return "%s: %s." % (VERDICTS[verdict], ", ".join(found + lookups))
