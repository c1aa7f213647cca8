# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tickets for what a run has found, for whatever system keeps tickets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dicts, one_line
from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import unknown_kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES, REMEDIATED, UNREMEDIATED
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import is_accepted

STATES = {UNREMEDIATED: "open", REMEDIATED: "close"}
# ServiceNow's short_description takes 160 characters, Jira's summary 255.
LONGEST_TITLE = 150
LONGEST_LINE = 2000


def tickets(verification: Any, scope: str = "", owner: str = "") -> list[JsonObject]:
    """One ticket for each target with an answer: `key`, `title`, `text`, `owner`, `state` (open or close), `kind`, `id`.

    verification: the content of verification.json. scope: what tells the targets of one tenant from those of another, or "".
    owner: of a target that has none of its own. A target that is open, and accepted by its owner, has no ticket. Raises
    AnsibleFilterError for what is no whole verification.
    """
    run, targets = what_is_whole(verification)
    not_gone = {key_of(target, scope) for target in targets if target["outcome"] != REMEDIATED}
    found: dict[str, JsonObject] = {}
    for target in targets:
        state = STATES.get(target["outcome"])
        if state is None or is_accepted(target):
            continue
        ticket = ticket_of(target, state, run, scope, owner)
        # What is there twice is closed only if it is gone both times.
        if state == "open" or ticket["key"] not in not_gone:
            found[ticket["key"]] = ticket
    return list(found.values())


def what_is_whole(verification: Any) -> tuple[str, list[Target]]:
    """(the run, the targets) of the content of verification.json. Raises AnsibleFilterError."""
    content = verification if isinstance(verification, Mapping) else {}
    targets = content.get("targets")
    if not isinstance(targets, list) or not str(content.get("schema_version")).startswith("1.") or not content.get("run"):
        # What the role hands on holds a hundred targets at most, and the rest would never be closed.
        raise AnsibleFilterError("tickets: this is not the content of a verification.json, which has all targets of a run")
    if len(dicts(targets)) < len(targets) or not all(target.get("outcome") in OUTCOMES for target in targets):
        raise AnsibleFilterError("tickets: a target of the run %s has no outcome that is known" % one_line(content["run"], 50))
    return str(content["run"]), targets


def ticket_of(target: Target, state: str, run: str, scope: str, owner: str) -> JsonObject:
    """The ticket for a target."""
    kind = KINDS.get(target["kind"]) or unknown_kind(target["kind"])
    key = key_of(target, scope)
    said = target.get("owner")
    lines = [
        "%s is gone." % kind.noun.capitalize() if state == "close" else kind.risk + ".",
        "%s." % one_line(target.get("reason")).rstrip("."),
        "",
        "%s: %s" % (kind.noun.capitalize(), one_line(target["id"])),
        *["%s: %s" % (fact.name, one_line(fact.value(target))) for fact in kind.facts if one_line(fact.value(target))],
        *["%s: %s" % (name, one_line(value)) for name, value in moments(target) if value],
        "Run: %s" % one_line(run),
        "Key: %s" % key,
    ]
    name = target.get("name") or target["id"]
    return dict(
        key=key,
        title=harmless(one_line("Remediate %s %s" % (kind.noun, one_line(name)), LONGEST_TITLE)),
        text=harmless("\n".join(line[:LONGEST_LINE] for line in lines)),
        owner=harmless(one_line(said)) if said else owner,
        state=state,
        kind=kind.name,
        id=harmless(one_line(target["id"])),
    )


def key_of(target: Target, scope: str) -> str:
    """What a ticket is found by again: the same for the same target in every run, fit for a label, a URL, and a query."""
    parts = (scope, str(target["kind"]), str(target["id"]))
    return "secops-" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def moments(target: Target) -> list[tuple[str, Any]]:
    """Since when, and as of when."""
    return [("Open since", target.get("open_since")), ("As of", target.get("finished_at"))]


def harmless(text: str) -> str:
    """A text that Ansible takes for no template, whoever wrote it."""
    return re.sub(r"\{(?=[{%#])", "{ ", text)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filter by name."""
        return dict(tickets=tickets)
