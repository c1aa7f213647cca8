# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of verification.json as the forms of the evidence read it.

One odd value costs no form, and no form leaves a target out: whatever a record holds, here it gets the shape that the
forms rely on, and the times get one spelling. Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import (
    dict_at,
    dicts,
    listed,
    one_line,
    words_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time, spelled
from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind, unknown_kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    MEANINGS,
    MEANS_UNKNOWN,
    NOT_VERIFIED,
    OUTCOMES,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
    VERIFIED,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import SAYS, all_open_accepted


def kind_of(target: Target) -> Kind:
    """The Kind of a target; one of its own where nobody has registered it."""
    return KINDS.get(target["kind"]) or unknown_kind(target["kind"])


def is_known(target: Target) -> bool:
    """Whether the kind of a target is registered."""
    return target["kind"] in KINDS


def by_kind(targets: list[Target]) -> list[tuple[Kind, list[Target]]]:
    """The kinds that there are among targets, each with its targets, those that are registered first."""
    found: dict[str, list[Target]] = {name: [] for name in KINDS}
    for target in targets:
        found.setdefault(target["kind"], []).append(target)
    return [(kind_of(mine[0]), mine) for mine in found.values() if mine]


def readable(verification: dict[str, Any]) -> dict[str, Any]:
    """A content of verification.json with the shape that the forms rely on; the content itself is not changed.

    `targets` is a list of objects, each with the keys that every record has: `kind` and `reason` texts, `outcome` one
    of OUTCOMES, `requests` and `evidence` lists of objects. What is no known outcome is inconclusive, and so is what is
    said to be remediated of a kind that nobody has registered; the reason says so, and then nothing is verified. `counts`
    are those of the targets. All times are UTC in one spelling; `began` and `ended` of a target are datetimes or None.
    `accepted` of a target is there, and an object of texts, only where it is open; `acceptances` are those of the targets file,
    and `all_open_accepted` is true only where that follows from the targets and the look-ups as well.
    """
    targets = [target_of(target) for target in listed(verification.get("targets"))]
    counts = {outcome: sum(target["outcome"] == outcome for target in targets) for outcome in OUTCOMES}
    summary, verdict = verification.get("summary"), verification.get("verdict")
    if verdict == VERIFIED and any(target["outcome"] != REMEDIATED for target in targets):
        verdict, summary = (
            NOT_VERIFIED,
            "Not verified: the outcomes on record are not those of this sentence: %s" % words_of(summary),
        )
    history = [dict(run, finished_at=spelled(run.get("finished_at"))) for run in dicts(verification.get("history"))]
    lookups = dicts(verification.get("lookups"))
    acceptance = dict_at(verification, "acceptance")
    return dict(
        verification,
        verdict=verdict,
        summary=summary,
        targets=targets,
        counts=dict(counts, total=len(targets)),
        history=history,
        started_at=spelled(verification.get("started_at")),
        finished_at=spelled(verification.get("finished_at")),
        controls=listed(verification.get("controls")),
        lookups=lookups,
        acceptances=[
            dict(
                {name: one_line(entry.get(name)) for name in (*SAYS, "state", "detail")},
                until=spelled(one_line(entry.get("until"))),
            )
            for entry in dicts(acceptance.get("accepted"))
        ],
        all_open_accepted=acceptance.get("all_open_accepted") is True and all_open_accepted(targets, lookups),
    )


def target_of(target: Any) -> Target:
    """A record of a target with the shape that the forms rely on."""
    if not isinstance(target, dict):
        target = {"reason": "the record of this target is damaged: %s" % one_line(target, 200)}
    outcome, reason = target.get("outcome"), words_of(target.get("reason"))
    if outcome not in OUTCOMES:
        reason = "the outcome %r is not known: %s" % (one_line(outcome, 100), reason or "no reason is given")
        outcome = INCONCLUSIVE
    shaped: Target = {
        key: [] if key in ("requests", "evidence") else None
        for key in ("id", "name", "open_since", "scan_id", "started_at", "finished_at", "system", "requests", "evidence")
    }
    kind = target.get("kind")
    if kind is not None and not isinstance(kind, str):
        # What is no text is no kind that anybody knows, whatever is in it.
        kind = "[%s]" % words_of(kind)
    if outcome in (REMEDIATED, PENDING) and kind not in KINDS:
        outcome, reason = INCONCLUSIVE, "its kind is not known here, so nobody can say that it is %s: %s" % (outcome, reason)
    shaped.update(
        target,
        kind=kind or "",
        outcome=outcome,
        reason=reason,
        began=parse_time(target.get("started_at")),
        ended=parse_time(target.get("finished_at")),
    )
    # Before 1.2 the two were one.
    shaped.setdefault("not_verified_since", shaped["open_since"])
    for key in ("open_since", "not_verified_since", "started_at", "finished_at"):
        shaped[key] = spelled(shaped[key])
    shaped["requests"] = [
        dict(request, server_time=spelled(request.get("server_time"))) for request in dicts(target.get("requests"))
    ]
    shaped["evidence"] = [
        dict(file, path=words_of(file.get("path")), sha256=words_of(file.get("sha256"))) for file in dicts(target.get("evidence"))
    ]
    accepted = dict_at(target, "accepted") if outcome == UNREMEDIATED else {}
    shaped["accepted"] = {name: one_line(spelled(accepted.get(name))) for name in ("by", "until", "reason")} if accepted else None
    shaped["owner"] = one_line(target.get("owner"))
    for key, times in kind_of(shaped).times.items():
        if isinstance(target.get(key), dict):
            shaped[key] = dict(target[key], **{name: spelled(target[key][name]) for name in times if name in target[key]})
    return shaped


# --- what is in a record ---


def problems_of(verification: dict[str, Any]) -> list[tuple[str, str]]:
    """(what was asked for, what is wrong) of each look-up of a readable() content that has a problem."""
    return [
        (
            one_line(" ".join(part for part in (words_of(lookup.get("kind")), words_of(lookup.get("asked"))) if part)),
            one_line(lookup["problem"]),
        )
        for lookup in verification["lookups"]
        if one_line(lookup.get("problem"))
    ]


def acceptance_in_words(accepted: dict[str, str]) -> str:
    """An acceptance as a sentence without its end. accepted: as a target of a readable() content has it."""
    return "accepted by %s until %s: %s" % tuple(accepted[name] or "?" for name in ("by", "until", "reason"))


def followed_of(verification: dict[str, Any]) -> str:
    """How many outcomes follow from the answers on record, in a sentence; empty where nobody looked."""
    replay = dict_at(verification, "replay")
    if not all(isinstance(replay.get(name), int) for name in ("followed", "total")):
        return ""
    return "%d of %d outcomes follow from the answers on record." % (replay["followed"], replay["total"])


class Heard(NamedTuple):
    """What one witness says of a target.

    name: of it; "" where the target has no witnesses but its system. outcome, reason: what it says. items: its counts of the
    target's items. open_items: those that are open, as the system wrote them. kept: where all of them are, in a sentence.
    record: the file of its own among the records, without its ending; "" where it has none.
    """

    name: str
    outcome: str
    reason: str
    items: dict[str, Any]
    open_items: list[dict[str, Any]]
    kept: str
    record: str = ""

    @property
    def left_out(self) -> int:
        """How many open items it has beside `open_items`."""
        number = self.items.get("items_open")
        return max(0, (number if isinstance(number, int) else 0) - len(self.open_items))


def heard_of(target: Target) -> list[Heard]:
    """What the witnesses of a target say, one at least."""
    known = {witness.name: witness for witness in kind_of(target).witnesses}
    said = [entry for entry in dicts(target.get("witnesses")) if entry.get("name") in known] if known else []
    heard = []
    for entry in said[: len(known)]:
        witness, items = known[entry["name"]], dict_at(target, known[entry["name"]].items)
        outcome = entry["outcome"] if entry.get("outcome") in OUTCOMES else INCONCLUSIVE
        open_items = dicts(items.get("open_items"))
        reason = words_of(entry.get("reason"))
        heard.append(Heard(witness.name, outcome, reason, items, open_items, witness.kept, witness.record))
    items = dict_at(target, "items")
    open_items = dicts(items.get("open_items"))
    return heard or [Heard("", target["outcome"], target["reason"], items, open_items, "in the report")]


def heard_in_words(heard: Heard) -> str:
    """What a witness says, as a sentence."""
    return "the %s says %s: %s" % (heard.name, heard.outcome, heard.reason)


def words_counted(target: Target) -> list[dict[str, Any]]:
    """The words that counted for a target: a list of objects with word, count, meaning, configured, and column.

    column: of another column than that of the states, else empty.
    """
    return [
        dict(
            word=one_line(entry.get("word"), 200),
            count=one_line(entry.get("count"), 20),
            meaning=entry["meaning"] if entry.get("meaning") in MEANINGS else MEANS_UNKNOWN,
            configured=entry.get("source") == "configured",
            column=one_line(entry.get("column"), 200),
        )
        for entry in dicts(dict_at(target, "items").get("words"))
    ]


def word_in_words(entry: dict[str, Any]) -> str:
    """A word that counted, with what it was taken to mean: one of words_counted()."""
    return "%s%s (%s): %s%s" % (
        "%s " % entry["column"] if entry["column"] else "",
        repr(entry["word"]) if entry["word"] else "nothing",
        entry["count"],
        entry["meaning"],
        ", as the user configured" if entry["configured"] else "",
    )


def value_of(row: dict[str, Any], names: Iterable[str]) -> str:
    """The value of the first of the columns that a row of a report has, whatever their case and punctuation."""
    name = column_of(row, names)
    return "" if name is None else one_line(row[name])


def column_of(row: dict[str, Any], names: Iterable[str]) -> str | None:
    """The first of the names that is a column of a row and has a value there, as the row spells it, or None."""
    there = {re.sub(r"[\W_]+", "", name).lower(): name for name in reversed(list(row)) if one_line(row[name])}
    return next((there[flat] for flat in (name.replace(" ", "").lower() for name in names) if flat in there), None)
