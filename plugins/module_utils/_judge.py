# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from what the modules returned to a verification: each system judges its own. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Target
from ansible_collections.secops.remediation.plugins.module_utils._systems import SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import INCONCLUSIVE
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import name_owners
from ansible_collections.secops.remediation.plugins.module_utils._verdict.results import without_answers
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Results, System
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import failure_of, has_failed, listed, result_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import conclude


def verify(
    results: Results,
    run: Any,
    started_at: Any,
    finished_at: Any,
    controls: Iterable[str] = (),
    older: Iterable[Any] = (),
    previous_run: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The verification as a dict: the content of verification.json.

    results: the results of the modules by the names in ANSWERS, {} where nothing was asked; what the user asked for by the
    names in ASKED; `problems`, what was lost on the way to here, a list of sentences; and `targets_file`, what owners say in it,
    None where there is none. The rest: see conclude.
    """
    targets: list[Target] = []
    lookups: list[JsonObject] = []
    problems: list[str] = []
    said = results.get("targets_file")
    for system in SYSTEMS:
        judged, looked_up = fenced_judge(system, results, problems)
        if isinstance(said, dict):
            fenced_owners(system, results, judged, said, problems)
        problems += left_over(system, results, judged)
        targets += judged
        lookups += looked_up
    problems += map(str, results.get("problems") or ())
    lookups += [dict(kind="results", asked="", found=None, problem=problem) for problem in problems]
    return conclude(
        targets, lookups, run, started_at, finished_at, controls, older, previous_run, said if isinstance(said, dict) else None
    )


def fenced_judge(system: System, results: Results, problems: list[str]) -> tuple[list[Target], list[JsonObject]]:
    """(the targets of a system, its look-ups). One that breaks on odd results is told, and costs no other its answers."""

    def judged(results: Results) -> tuple[list[Target], list[JsonObject]]:
        return [of_own_kind(target, system) for target in system.targets(results)], list(system.lookups(results))

    try:
        return judged(results)
    except Exception as error:  # pylint: disable=broad-exception-caught
        reason = "The results of %s could not be judged (%s: %s)." % (system.name, type(error).__name__, error)
        problems.append(reason)
    try:
        return judged(without_answers(results, (answers.name for answers in system.answers), reason))
    except Exception:  # pylint: disable=broad-exception-caught
        return [], []


def fenced_owners(system: System, results: Results, targets: list[Target], said: JsonObject, problems: list[str]) -> None:
    """Says whose the targets of a system are. What breaks there is told, and costs no target its answer."""
    try:
        name_owners(targets, said, system.named, results)
    except Exception as error:  # pylint: disable=broad-exception-caught
        problems.append("Whose the targets of %s are cannot be told (%s: %s)." % (system.name, type(error).__name__, error))


def left_over(system: System, results: Results, targets: list[Target]) -> list[str]:
    """What the results of a system hold that no target of it tells, in sentences."""
    problems: list[str] = []
    known = {target["id"] for target in targets}
    addresses = set()
    for answers in system.answers:
        result = result_of(results, answers.name)
        if isinstance(result.get("base_url"), str):
            addresses.add(result["base_url"])
        if result and answers.named_by and not results.get(answers.named_by):
            if has_failed(result):
                problems.append("A look-up of %s failed: %s" % (answers.module, failure_of(result, "nothing says why")))
            elif result.get("truncated"):
                problems.append("A look-up of %s left something out." % answers.module)
        about = answers.about
        others = {about(item) for item in listed(result, next(iter(answers.lists)))} - known if about else set()
        if others:
            problems.append(
                "%s answered about %d that nobody asked to verify, such as %s." % (answers.module, len(others), min(others))
            )
    if len(addresses) > 1:
        problems.append("The results are of different systems: %s." % " and ".join(sorted(addresses)))
    return problems


def of_own_kind(target: Target, system: System) -> Target:
    """A target as its system judged it. A system says nothing about what is of no kind of its own."""
    if target["kind"] not in {kind.name for kind in system.kinds}:
        target.update(outcome=INCONCLUSIVE, reason="%s has no targets of the kind %s" % (system.name, target["kind"]))
    return target
