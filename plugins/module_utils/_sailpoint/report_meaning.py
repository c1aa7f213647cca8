# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the words of a report may mean, by what has become of the items that its rows are about.

It is a proposal to the user, and no outcome rests on it. Where anything is ambiguous, nothing is proposed. Private to the
collection.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_file import (
    LONGEST_RECORD,
    Lines,
    UnreadableReport,
    field_size_limit,
    open_records,
    open_text,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_words import (
    NO_WORDS,
    OPEN_WORDS,
    REMEDIATED_WORDS,
    YES_WORDS,
    fold,
    shown,
    unique_names,
)

# Of more rows nobody needs a proposal: a smaller campaign has the same words.
MOST_ROWS = 2000
# Of fewer, any column may fit by chance.
FEWEST_ROWS = 3
# What everybody takes for the opposite.
NEVER_GONE = {fold(word) for word in (*OPEN_WORDS, *NO_WORDS)}
NEVER_OPEN = {fold(word) for word in (*REMEDIATED_WORDS, *YES_WORDS)}


class State(NamedTuple):
    """A revoked item, and what has become of it.

    identity: a name. access: texts by which a row may call it, its name or its value. known: whatever else is known of it,
    which is no word for its state. present: whether it is still there.
    """

    identity: str
    access: tuple[str, ...]
    known: tuple[str, ...]
    present: bool


def propose(path: str, states: Sequence[State], status_column: str | None = None) -> str | None:
    """The settings that would make a report say what is known of its items, in a sentence, or None.

    states: of all items that were revoked. status_column: the column with the items' state, where it is known.
    """
    if not FEWEST_ROWS <= len(states) <= MOST_ROWS or len({state.present for state in states}) < 2:
        return None
    try:
        with field_size_limit(LONGEST_RECORD), open_text(path) as file:
            lines = Lines(file)
            records, header = open_records(lines)
            rows = []
            for record in records:
                lines.record_size = 0
                rows += [record] if any(cell.strip() for cell in record) else []
                if len(rows) > len(states):
                    return None
    except (OSError, ValueError, csv.Error, UnreadableReport):
        return None
    matched = match(rows, states)
    if not matched or any(len(row) != len(header) for row in rows):
        return None
    columns = unique_names(header)
    found = [
        (column, words)
        for place, column in enumerate(columns)
        if status_column in (None, column) and (words := words_of_column(rows, place, matched))
    ]
    if len(found) != 1:
        return None
    column, (gone, there) = found[0]
    return "verify_remediation_status_column %s with %s = remediated, %s = open would fit the access: %d of %d rows agree" % (
        shown(column),
        shown(gone),
        shown(there),
        len(rows),
        len(rows),
    )


def match(rows: Sequence[Sequence[str]], states: Sequence[State]) -> list[State] | None:
    """The item that each row is about, or None where that is not certain of every row and every item."""
    if len(rows) != len(states):
        return None
    by_name: dict[tuple[str, str], list[State]] = {}
    for state in states:
        for name in {fold(one) for one in state.access if one.strip()}:
            by_name.setdefault((fold(state.identity), name), []).append(state)
    people, names = {who for who, _what in by_name}, {what for _who, what in by_name}
    found: list[State] = []
    for row in rows:
        cells = {fold(cell) for cell in row}
        pairs = [(who, what) for who in cells & people for what in cells & names]
        mine = {id(state): state for pair in pairs for state in by_name.get(pair, ())}
        if len(mine) != 1:
            return None
        found += mine.values()
    return found if len({id(state) for state in found}) == len(states) else None


def words_of_column(rows: Sequence[Sequence[str]], place: int, matched: Sequence[State]) -> tuple[str, str] | None:
    """(the word for what is gone, the word for what is there) of a column that says nothing else, or None."""
    words: dict[str, tuple[str, set[bool]]] = {}
    for row, state in zip(rows, matched):
        word = fold(row[place])
        if not word or word in {fold(one) for one in (state.identity, *state.access, *state.known)}:
            # What is known of the item from elsewhere is no word for its state.
            return None
        words.setdefault(word, (row[place].strip(), set()))[1].add(state.present)
    if len(words) != 2 or any(is_number_or_time(text) for text, _states in words.values()):
        return None
    by_state = {states.pop(): text for text, states in words.values() if len(states) == 1}
    if len(by_state) != 2 or fold(by_state[False]) in NEVER_GONE or fold(by_state[True]) in NEVER_OPEN:
        return None
    return by_state[False], by_state[True]


def is_number_or_time(text: str) -> bool:
    """Whether a cell counts or dates something, and so says nothing of a state."""
    return bool(re.fullmatch(r"[\d\s.,:/+-]+(T[\d:.Z+-]+)?", text.strip()))
