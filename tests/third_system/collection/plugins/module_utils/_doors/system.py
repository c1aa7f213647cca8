# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Door badges that were to be taken back: what there is to say of one, and what is proved of it. Private to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import exchanges_in, path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Fact, Kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import INCONCLUSIVE, REMEDIATED, UNREMEDIATED
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers, Results, System, by
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import (
    failure_of,
    fenced,
    listed,
    make_target,
    requests_of,
    result_of,
    system_of,
)

STATES = {"RETURNED": REMEDIATED, "ACTIVE": UNREMEDIATED}
REASONS = {REMEDIATED: "the badge was returned", UNREMEDIATED: "the badge still opens doors"}
BADGE = Kind(
    name="badge",
    noun="badge",
    several="Door badges",
    system="The doors of the head office",
    scan="look at a badge",
    lane="Door looks",
    still_there="Badges that still open doors",
    risk="A badge still opens doors",
    statement="A badge that was to be taken back still opens doors.",
    objective="Badges that were to be taken back open no doors.",
    families=("pe",),
    subject="A door badge",
    facts=(Fact("Holder", lambda target: dict_at(target, "badge").get("holder")),),
    columns=(Fact("badge_holder", lambda target: dict_at(target, "badge").get("holder")),),
    item_columns=(Fact("badge_holder", lambda target: dict_at(target, "badge").get("holder")),),
    table=(Fact("Holder", lambda target: dict_at(target, "badge").get("holder")),),
    notes=(Fact("held by", lambda target: dict_at(target, "badge").get("holder")),),
    properties=(Fact("badge-holder", lambda target: dict_at(target, "badge").get("holder")),),
)


def prove(badge_id: str, exchanges: list[Exchange]) -> tuple[str, str]:
    """(outcome, reason) that the answers on record prove of a badge."""
    shown = [exchange for exchange in exchanges if path_of(exchange) == "/badges/%s" % badge_id and exchange["status"] == 200]
    body = shown[-1].get("body") if shown else None
    outcome = STATES.get(str(body.get("state"))) if isinstance(body, dict) and body.get("id") == badge_id else None
    return (outcome, REASONS[outcome]) if outcome else (INCONCLUSIVE, "no answer on record says whether the badge opens doors")


def targets(results: Results) -> list[Target]:
    """The records of all badges."""
    looks = result_of(results, "badges")
    found = {str(item.get("badge_id")): item for item in listed(looks, "badges")}
    return [
        fenced(BADGE.name, badge_id, lambda badge_id=badge_id: badge_target(badge_id, found.get(badge_id), looks))
        for badge_id in dict.fromkeys(map(str, results.get("badges_asked") or ()))
    ]


def badge_target(badge_id: str, item: dict[str, Any] | None, looks: dict[str, Any]) -> Target:
    """The record of one badge."""
    if item is None:
        return make_target(BADGE.name, badge_id, None, INCONCLUSIVE, failure_of(looks, "nobody looked at the badge"))
    outcome, reason = prove(badge_id, exchanges_in(item))
    return make_target(
        BADGE.name,
        badge_id,
        "Badge %s" % badge_id,
        outcome,
        reason,
        system=system_of(looks),
        requests=requests_of(item),
        started_at=item.get("looked_at"),
        finished_at=item.get("looked_at"),
        badge={"holder": item.get("holder")},
    )


def lookups(_results: Results) -> list[dict[str, Any]]:
    """Nothing is looked up by anything else than its id."""
    return []


DOORS = System(
    name="doors",
    kinds=(BADGE,),
    asked=dict(badges_asked=dict(type="list", elements="str", default=[])),
    settings={},
    answers=(Answers("badges", "badges", "doors_badge_info", {"badges": by("badge_id")}),),
    targets=targets,
    lookups=lookups,
)
