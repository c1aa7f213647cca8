# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of verification.json as the forms of the evidence read it.

One odd value costs no form, and no form leaves a target out: whatever a record holds, here it gets the shape that the
forms rely on, and the times get one spelling. What each kind of target is called is here, too. Private to the
collection.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._evidence.texts import (
    dict_at,
    dicts,
    in_utc,
    listed,
    moment_of,
    one_line,
    words_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import OUTCOMES

# What needs action comes first.
NEEDS_ACTION = ("unremediated", "inconclusive", "pending")
MEANINGS = ("remediated", "open", "unknown")
LONGEST_KIND = 60
# By the name of an object of a target, those of its values that are times.
TIMES = {
    "campaign": ("created", "deadline", "modified"),
    "scan": ("requested_at", "modified_before", "modified"),
    "report": ("lastRunAt",),
}
WHO = ("Identity", "Identity Name", "Identity Display Name", "Display Name", "Name", "User")
WHERE = ("Account", "Account Name", "Native Identity", "Account ID")
WHAT = ("Access", "Access Name", "Entitlement", "Entitlement Name", "Role", "Access Profile", "Access Item")
SOURCE = ("Source", "Source Name", "Application", "Application Name")


class Kind(NamedTuple):
    """What a kind of targets is called.

    name: as verification.json has it. noun, several: one, and many. system: what they are of. scan: what shows their
    state. risk, statement: what it means that one is still open.
    """

    name: str
    noun: str
    several: str
    system: str
    scan: str
    risk: str
    statement: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "campaign",
            "campaign",
            "SailPoint certification campaigns",
            "SailPoint Identity Security Cloud",
            "campaign remediation scan",
            "Revoked access is still there",
            "Access that a reviewer decided to revoke is still in place, so somebody can use what they must no longer use.",
        ),
        Kind(
            "exposure",
            "exposure",
            "Cortex Xpanse exposures",
            "Cortex Xpanse",
            "remediation confirmation scan",
            "Exposure is still there",
            "A service that was to be taken off the internet or to be repaired is still seen from there as it was.",
        ),
    )
}


def kind_named(name):
    """The Kind of a name; one of its own where the name is not known."""
    shown = one_line(name, LONGEST_KIND) or "unnamed"
    return KINDS.get(name) or Kind(
        name,
        "target of kind %s" % shown,
        "Targets of another kind: %s" % shown,
        "A system of another kind: %s" % shown,
        "scan of kind %s" % shown,
        "What was found is still there",
        "What was to be remediated is still there.",
    )


def kinds_in(targets):
    """The names of the kinds that there are among targets, those that are known first."""
    there = dict.fromkeys(target["kind"] for target in targets)
    return [name for name in KINDS if name in there] + [name for name in there if name not in KINDS]


def readable(verification):
    """A content of verification.json with the shape that the forms rely on; the content itself is not changed.

    `targets` is a list of objects, each with the keys that every record has: `kind` and `reason` texts, `outcome` one
    of OUTCOMES, `requests` and `evidence` lists of objects. What is no known outcome is inconclusive, and its reason
    says so. `counts` are those of the targets. All times are UTC in one spelling; `began` and `ended` of a target are
    datetimes or None.
    """
    targets = [target_of(target) for target in listed(verification.get("targets"))]
    counts = {outcome: sum(target["outcome"] == outcome for target in targets) for outcome in OUTCOMES}
    history = [dict(run, finished_at=in_utc(run.get("finished_at"))) for run in dicts(verification.get("history"))]
    return dict(
        verification,
        targets=targets,
        counts=dict(counts, total=len(targets)),
        history=history,
        started_at=in_utc(verification.get("started_at")),
        finished_at=in_utc(verification.get("finished_at")),
        controls=listed(verification.get("controls")),
        lookups=dicts(verification.get("lookups")),
    )


def target_of(target):
    """A record of a target with the shape that the forms rely on."""
    if not isinstance(target, dict):
        target = {"reason": "the record of this target is damaged: %s" % one_line(target, 200)}
    outcome, reason = target.get("outcome"), words_of(target.get("reason"))
    if outcome not in OUTCOMES:
        reason = "the outcome %r is not known: %s" % (one_line(outcome, 100), reason or "no reason is given")
        outcome = "inconclusive"
    shaped = {
        key: [] if key in ("requests", "evidence") else None
        for key in ("id", "name", "open_since", "scan_id", "started_at", "finished_at", "system", "requests", "evidence")
    }
    kind = target.get("kind")
    if kind is not None and not isinstance(kind, str):
        # What is no text is no kind that anybody knows, whatever is in it.
        kind = "[%s]" % words_of(kind)
    shaped.update(
        target,
        kind=kind or "",
        outcome=outcome,
        reason=reason,
        began=moment_of(target.get("started_at")),
        ended=moment_of(target.get("finished_at")),
    )
    # Before 1.2 the two were one.
    shaped.setdefault("not_verified_since", shaped["open_since"])
    for key in ("open_since", "not_verified_since", "started_at", "finished_at"):
        shaped[key] = in_utc(shaped[key])
    shaped["requests"] = [
        dict(request, server_time=in_utc(request.get("server_time"))) for request in dicts(target.get("requests"))
    ]
    shaped["evidence"] = [
        dict(file, path=words_of(file.get("path")), sha256=words_of(file.get("sha256"))) for file in dicts(target.get("evidence"))
    ]
    for key, times in TIMES.items():
        if isinstance(target.get(key), dict):
            shaped[key] = dict(target[key], **{name: in_utc(target[key][name]) for name in times if name in target[key]})
    return shaped


# --- what is in a record ---


def problems_of(verification):
    """(what was asked for, what is wrong) of each look-up of a readable() content that has a problem."""
    return [
        (
            one_line(" ".join(part for part in (words_of(lookup.get("kind")), words_of(lookup.get("asked"))) if part)),
            one_line(lookup["problem"]),
        )
        for lookup in verification["lookups"]
        if one_line(lookup.get("problem"))
    ]


def followed_of(verification):
    """How many outcomes follow from the answers on record, in a sentence; empty where nobody looked."""
    replay = dict_at(verification, "replay")
    if not all(isinstance(replay.get(name), int) for name in ("followed", "total")):
        return ""
    return "%d of %d outcomes follow from the answers on record." % (replay["followed"], replay["total"])


def open_items_of(target):
    """The rows of a target's report that are known to be open."""
    return dicts(dict_at(target, "items").get("open_items"))


def items_left_out(target):
    """How many open items a target has beside open_items_of()."""
    number = dict_at(target, "items").get("items_open")
    return max(0, (number if isinstance(number, int) else 0) - len(open_items_of(target)))


def words_counted(target):
    """The words that counted for a target: a list of objects with word, count, meaning, configured, and column.

    column: of another column than that of the states, else empty.
    """
    return [
        dict(
            word=one_line(entry.get("word"), 200),
            count=one_line(entry.get("count"), 20),
            meaning=entry["meaning"] if entry.get("meaning") in MEANINGS else "unknown",
            configured=entry.get("source") == "configured",
            column=one_line(entry.get("column"), 200),
        )
        for entry in dicts(dict_at(target, "items").get("words"))
    ]


def word_in_words(entry):
    """A word that counted, with what it was taken to mean: one of words_counted()."""
    return "%s%s (%s): %s%s" % (
        "%s " % entry["column"] if entry["column"] else "",
        repr(entry["word"]) if entry["word"] else "nothing",
        entry["count"],
        entry["meaning"],
        ", as the user configured" if entry["configured"] else "",
    )


def value_of(row, names):
    """The value of the first of the columns that a row of a report has, whatever their case and punctuation."""
    name = column_of(row, names)
    return "" if name is None else one_line(row[name])


def column_of(row, names):
    """The first of the names that is a column of a row and has a value there, as the row spells it, or None."""
    spelled = {re.sub(r"[\W_]+", "", name).lower(): name for name in reversed(list(row)) if one_line(row[name])}
    return next((spelled[flat] for flat in (name.replace(" ", "").lower() for name in names) if flat in spelled), None)


def addresses_of(alert):
    """Where an exposure is: its addresses and names."""
    names = ("ipv4_addresses", "ipv6_addresses", "domain_names")
    return list(dict.fromkeys(words_of(item) for name in names for item in listed(alert.get(name)) if words_of(item)))


def port_of(target):
    """The port, which Xpanse writes at the end of an alert's name, as in `RDP Server at 192.0.2.1:3389`."""
    match = re.search(r" at \S+:([0-9]{1,5})$", words_of(target.get("name")).strip())
    protocol = words_of(dict_at(target, "alert").get("port_protocol"))
    return " ".join(part for part in (match[1] if match else "", protocol) if part)
