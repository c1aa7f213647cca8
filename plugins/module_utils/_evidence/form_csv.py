# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for spreadsheets: CSV files of the targets and of the open items of a verification.

Pure functions of the content of verification.json. A text from an API becomes no formula here. What has to be changed
for that is changed in these files only; verification.json has the texts as they are. Private to the collection.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import one_line
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    heard_in_words,
    heard_of,
    kind_of,
    readable,
    value_of,
    word_in_words,
    words_counted,
)
from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import REMEDIATED, UNREMEDIATED

# Without it, Excel takes the file for one of an older encoding.
BYTE_ORDER_MARK = "\ufeff"
# A spreadsheet holds 32,767 characters in a cell and damages what is longer.
LONGEST_CELL = 32000
# What starts a formula, also in the widths and the raised and lowered forms that a spreadsheet may read as the same.
FORMULA_SIGNS = (
    "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u208c\u207a\u208a\u207b\u208b\u2212\ufb29\u2a75\u2a76"
)
# Spaces, quotation marks and what cannot be seen: a program may leave them out before a formula.
BEFORE_A_FORMULA = (
    "\\s\"'`\u2018-\u201f\u2039\u203a\u00ab\u00bb\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f"
    "\ufeff\U000e0000-\U000e0fff"
)
# A program that reads another dialect of CSV takes one of these for the end of a cell.
FORMULA = re.compile("(^|[,;|])(?=[%s]*[%s])" % (BEFORE_A_FORMULA, FORMULA_SIGNS))
# Who accepted that it is still open, until when, and why.
ACCEPTANCE = {"accepted_by": "by", "accepted_until": "until", "accepted_reason": "reason"}
COMMON = ("run", "kind", "id", "name", "outcome", "reason", "open_since", "system", "scan_id", "started_at", "finished_at")
COLUMNS = tuple(
    dict.fromkeys(
        [*COMMON]
        + [fact.name for kind in KINDS.values() for fact in kind.columns]
        + ["evidence", "evidence_sha256", "not_verified_since", "words", "witnesses", "owner", *ACCEPTANCE]
    )
)
ITEM_COLUMNS = tuple(
    dict.fromkeys(
        ["run", "kind", "target_id", "target_name", "open_since", "not_verified_since"]
        + [name for kind in KINDS.values() for name in kind.item_names]
        + ["item"]
        + [fact.name for kind in KINDS.values() for fact in kind.item_columns]
        + ["reason", "system", "witness", "owner", *ACCEPTANCE]
    )
)


def csv_text(verification: dict[str, Any]) -> str:
    """verification.csv: a header and one row for each target, as RFC 4180 has it; to be written as UTF-8.

    A cell that a spreadsheet could take for a formula gets an apostrophe in front, which the spreadsheet shows: a cell
    that starts with one of = + - @ or one of their other forms, also after spaces, quotation marks and what cannot be
    seen. So does the rest of a cell after a comma, a semicolon or a bar, as it would be a cell of its own to a program
    that splits there. Line ends and tabs become spaces.
    """
    verification = readable(verification)
    return table(COLUMNS, verification, map(row_of, verification["targets"]))


def open_items_csv(verification: dict[str, Any]) -> str:
    """open-items.csv: a row for each item that is still open, and for each target that is but names no item.

    As safe as csv_text(), and to be written as UTF-8, too. `item` is the whole row of the report as JSON, up to where a
    formula had to be prevented. Where a target has more open items than verification.json holds, a row says how many.
    """
    verification = readable(verification)
    return table(ITEM_COLUMNS, verification, (row for target in verification["targets"] for row in item_rows(target)))


def table(columns: Sequence[str], verification: dict[str, Any], rows: Iterable[dict[str, Any]]) -> str:
    """The text of a CSV file with these columns. rows: dicts by column."""
    stream = io.StringIO()
    stream.write(BYTE_ORDER_MARK)
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        row["run"] = verification.get("run")
        writer.writerow([cell(row.get(column)) for column in columns])
    return stream.getvalue()


def cell(value: Any) -> str:
    """A value as the text of a cell that no spreadsheet computes."""
    return FORMULA.sub(r"\1'", one_line(value, LONGEST_CELL))


def row_of(target: Target) -> dict[str, Any]:
    """The cells of a target by column."""
    row = {column: target.get(column) for column in (*COMMON, "not_verified_since", "owner")}
    row.update(acceptance_of(target))
    row.update({fact.name: fact.value(target) for fact in kind_of(target).columns})
    row.update(
        words="; ".join(map(word_in_words, words_counted(target))),
        witnesses="; ".join(heard_in_words(heard) for heard in heard_of(target) if heard.name),
        evidence="; ".join(file["path"] for file in target["evidence"]),
        evidence_sha256="; ".join(file["sha256"] for file in target["evidence"]),
    )
    return row


def acceptance_of(target: Target) -> dict[str, str]:
    """The cells by column of who accepted that a target is still open; empty where nobody did."""
    return {column: (target["accepted"] or {}).get(name, "") for column, name in ACCEPTANCE.items()}


def item_rows(target: Target) -> list[dict[str, Any]]:
    """The cells of each open item of a target by column, with the witness that saw it."""
    if target["outcome"] == REMEDIATED:
        return []
    kind = kind_of(target)
    common = dict(
        {name: target.get(name) for name in ("kind", "open_since", "not_verified_since", "reason", "system", "owner")},
        **acceptance_of(target),
        **{fact.name: fact.value(target) for fact in kind.item_columns},
        target_id=target["id"],
        target_name=target["name"],
    )
    rows = []
    for heard in heard_of(target):
        rows += [
            dict(
                common,
                **{column: value_of(item, names) for column, names in kind.item_names.items()},
                item=json.dumps(item, ensure_ascii=False, default=str),
                witness=heard.name,
            )
            for item in heard.open_items
        ]
        if heard.left_out and (heard.open_items or target["outcome"] == UNREMEDIATED):
            files = ", ".join(file["path"] for file in target["evidence"]) or "none is on record"
            more = "more " if heard.open_items else ""
            text = "%d %sopen items are %s: %s" % (heard.left_out, more, heard.kept, files)
            rows.append(dict(common, item=text, witness=heard.name))
    return rows or [common] * (target["outcome"] == UNREMEDIATED)
