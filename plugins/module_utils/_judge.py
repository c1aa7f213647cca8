# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way from what the modules returned to a verification: each system judges its own. Private to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._systems import SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import INCONCLUSIVE
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Results, System
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
    names in ASKED; and `problems`, what was lost on the way to here, a list of sentences. The rest: see conclude.
    """
    targets: list[Target] = [of_own_kind(target, system) for system in SYSTEMS for target in system.targets(results)]
    lookups = [lookup for system in SYSTEMS for lookup in system.lookups(results)]
    lookups += [dict(kind="results", asked="", found=None, problem=str(problem)) for problem in results.get("problems") or ()]
    return conclude(targets, lookups, run, started_at, finished_at, controls, older, previous_run)


def of_own_kind(target: Target, system: System) -> Target:
    """A target as its system judged it. A system says nothing about what is of no kind of its own."""
    if target["kind"] not in {kind.name for kind in system.kinds}:
        target.update(outcome=INCONCLUSIVE, reason="%s has no targets of the kind %s" % (system.name, target["kind"]))
    return target
