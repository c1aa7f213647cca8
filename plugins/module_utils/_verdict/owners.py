# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What owners say of targets in a targets file: that they are theirs, and which findings they accept until when.

A finding that is accepted is still there: nothing here touches an outcome or a verdict. Knows no system. Private to the
collection.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Target, is_count
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dicts, one_line
from ansible_collections.secops.remediation.plugins.module_utils._common.times import as_text, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import REMEDIATED, UNREMEDIATED
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Results

# What may become of an acceptance.
ACCEPTED, NOT_NEEDED, NOT_COVERED = "accepted", "not_needed", "not_covered"
EXPIRED, NO_TARGET, INVALID = "expired", "no_target", "invalid"
STATES = (ACCEPTED, NOT_NEEDED, NOT_COVERED, EXPIRED, NO_TARGET, INVALID)
# What somebody has to look at, whatever the outcomes are.
LOUD = (EXPIRED, NO_TARGET, INVALID)
# The kind of the look-up that says so.
LOOKUP = "acceptance"
# Whose clock said that it was so late.
SERVER, CONTROLLER = "server", "controller"
SAYS = ("kind", "id", "by", "until", "reason")
# What it may say as well: how many items of the target may be open.
MOST_OPEN = "most_open_items"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
LONGEST = 1000

Named = Mapping[str, Callable[[Target, Results], Any]]


def last_moment(until: object) -> datetime | None:
    """The last second for which an acceptance holds, in UTC: of a date without a time the end of that day. None for what is
    neither a date nor a time. A time without a zone is UTC."""
    if isinstance(until, str) and DAY.fullmatch(until.strip()):
        until = until.strip() + "T23:59:59Z"
    return parse_time(until)


def now_of(targets: Iterable[Target], finished_at: object) -> tuple[datetime | None, str]:
    """(how late it was at the end of a run, by whose clock): the latest of all clocks on record.

    A server that answered in this run overrules a controller whose clock is behind, and the controller overrules a server, or a
    cache before it, whose time is of long ago. So an acceptance ends too early, which is loud, and never too late.
    """
    times = [
        (moment, SERVER)
        for target in targets
        for request in dicts(target.get("requests"))
        if not request.get("remembered")
        for moment in [parse_time(request.get("server_time"))]
        if moment
    ]
    own = parse_time(finished_at)
    times += [(own, CONTROLLER)] if own else []
    return max(times, default=(None, CONTROLLER))


def accept(targets: list[Target], said: JsonObject, finished_at: object) -> JsonObject:
    """What becomes of each acceptance, as a dict: `judged_at` and `clock`, and `accepted`, a list of records.

    A target that is covered gets `accepted`; nothing else of it is touched.
    targets: their records. said: what the targets file says for this tenant. finished_at: of the run, by the controller's clock.
    """
    now, clock = now_of(targets, finished_at)
    known: dict[tuple[str, str], list[Target]] = {}
    for target in targets:
        known.setdefault((target["kind"], target["id"]), []).append(target)
    given = said.get("accepted")
    records = [
        judged(entry, known, now, clock)
        # What is no list at all is one acceptance that cannot be read.
        for entry in (given if isinstance(given, list) else [None] if given else [])
    ]
    return dict(judged_at=as_text(now) if now else None, clock=clock, accepted=records)


def judged(entry: Any, known: Mapping[tuple[str, str], list[Target]], now: datetime | None, clock: str) -> JsonObject:
    """The record of one acceptance. The open targets that it covers are marked with it."""
    entry = entry if isinstance(entry, dict) else {}
    record: JsonObject = {name: one_line(entry.get(name), LONGEST) for name in SAYS}
    until = last_moment(entry.get("until"))
    lacking = [name for name in SAYS if not says_something(entry.get(name))]
    lacking += ["until"] * (until is None and "until" not in lacking)
    if MOST_OPEN in entry:
        record[MOST_OPEN] = entry[MOST_OPEN] if is_count(entry[MOST_OPEN]) and entry[MOST_OPEN] > 0 else None
        lacking += [MOST_OPEN] * (record[MOST_OPEN] is None)
    mine = known.get((entry.get("kind"), entry.get("id")), []) if not lacking else []
    if until:
        record["until"] = as_text(until)
    state, detail = state_of(record, lacking, mine, until, now, clock)
    if state == ACCEPTED:
        for target in mine:
            if target["outcome"] == UNREMEDIATED:
                target["accepted"] = {name: record[name] for name in ("by", "until", "reason")}
    return dict(record, state=state, detail=detail)


def state_of(
    record: JsonObject, lacking: list[str], mine: list[Target], until: datetime | None, now: datetime | None, clock: str
) -> tuple[str, str]:
    """(what becomes of an acceptance, why in a sentence). mine: the targets that it names."""
    if lacking or until is None:
        return INVALID, "This acceptance counts for nothing: it has no usable %s." % " and no ".join(lacking)
    who = "%s accepted it until %s (%s)" % (record["by"], record["until"], record["reason"])
    outcomes = [target["outcome"] for target in mine]
    if not outcomes:
        return NO_TARGET, "%s, and no such target was verified in this run." % who
    if set(outcomes) == {REMEDIATED}:
        return NOT_NEEDED, "%s, and it is remediated: take the acceptance out." % who
    if now is None or now > until:
        return EXPIRED, "%s, and that has expired: it is %s by the clock of the %s." % (
            who,
            as_text(now) if now else "nobody knows when",
            clock,
        )
    if UNREMEDIATED not in outcomes:
        return NOT_COVERED, "%s, and it is %s: only what is known to be open can be accepted." % (who, outcomes[0])
    if MOST_OPEN in record:
        numbers = [open_at_most(target) for target in mine]
        if any(number is None or number > record[MOST_OPEN] for number in numbers):
            found = "nobody can tell how many are" if None in numbers else "up to %d may be" % max(filter(None, numbers))
            return NOT_COVERED, "%s, with no more than %d open items, and %s." % (who, record[MOST_OPEN], found)
    return ACCEPTED, "%s." % who


def open_at_most(target: Target) -> int | None:
    """How many items of a target may be open, by the witness who has the most that are, or of which nobody can tell.

    1 of a target without items, None where a witness cannot say how many there are, also because what it saw does not add up.
    """
    numbers = []
    for part in target.values():
        if isinstance(part, dict) and "items_open" in part:
            found, unknown = part["items_open"], part.get("items_unknown")
            is_all = is_count(found) and is_count(unknown) and not part.get("problems")
            numbers.append(found + unknown if is_all else None)
    return None if None in numbers else max(filter(None, numbers), default=1)


def says_something(text: Any) -> bool:
    """Whether a value is a text with a letter or a digit in it: one of other signs alone may show nothing at all."""
    return isinstance(text, str) and any(map(str.isalnum, text))


def problems_of(acceptance: JsonObject) -> list[JsonObject]:
    """The look-ups with a problem that acceptances are: those that have expired, are about nothing, or cannot be read."""
    return [
        dict(
            kind=LOOKUP,
            asked=(record["kind"] + " " + record["id"]).strip(),
            found=None if record["state"] == INVALID else int(record["state"] == EXPIRED),
            problem=record["detail"],
        )
        for record in acceptance["accepted"]
        if record["state"] in LOUD
    ]


def is_accepted(target: Target) -> bool:
    """Whether a target is open, and accepted. No other outcome can be."""
    return target["outcome"] == UNREMEDIATED and isinstance(target.get("accepted"), dict) and bool(target["accepted"])


def all_open_accepted(targets: list[Target], lookups: Iterable[JsonObject]) -> bool:
    """Whether there is something open, all that is not remediated is open and accepted, and all that was asked for was found."""
    left = [target for target in targets if target["outcome"] != REMEDIATED]
    return bool(left) and all(map(is_accepted, left)) and not any(lookup.get("problem") for lookup in lookups)


def name_owners(targets: Iterable[Target], said: JsonObject, named: Named, results: Results) -> None:
    """Says of each target whose it is, as far as the targets file says so.

    said: what it says for this tenant: `owner`, and `owners`, a list of `asked`, `value`, and `owner`. named: see System.
    """
    owners = {(str(entry.get("asked")), spelling(entry.get("value"))): entry.get("owner") for entry in dicts(said.get("owners"))}
    for target in targets:
        found = (owners.get((asked, spelling(value_of(target, results)))) for asked, value_of in named.items())
        owner = next(filter(None, found), None) or said.get("owner")
        if isinstance(owner, str) and owner.strip():
            target["owner"] = one_line(owner, LONGEST)


def spelling(value: Any) -> str:
    """What two values have in common that mean the same: an ID may be a number and text."""
    if isinstance(value, dict):
        return json.dumps({str(name): str(one) for name, one in value.items()}, sort_keys=True)
    return json.dumps(None if value is None else str(value))
