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

from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    SOURCE,
    WHAT,
    WHERE,
    WHO,
    items_left_out,
    open_items_of,
    port_of,
    readable,
    value_of,
    word_in_words,
    words_counted,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.texts import dict_at, one_line

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
COLUMNS = (
    "run",
    "kind",
    "id",
    "name",
    "outcome",
    "reason",
    "open_since",
    "system",
    "scan_id",
    "started_at",
    "finished_at",
    "campaign_status",
    "campaign_deadline",
    "items_total",
    "items_remediated",
    "items_open",
    "items_unknown",
    "severity",
    "case_id",
    "ip_addresses",
    "domain_names",
    "port_protocol",
    "attack_surface_rule",
    "business_units",
    "evidence",
    "evidence_sha256",
    "not_verified_since",
    "words",
)
ITEM_COLUMNS = (
    "run",
    "kind",
    "target_id",
    "target_name",
    "open_since",
    "not_verified_since",
    "identity",
    "account",
    "access",
    "source",
    "item",
    "alert_id",
    "attack_surface_rule",
    "service_id",
    "ip_addresses",
    "domain_names",
    "port",
    "severity",
    "case_id",
    "business_units",
    "reason",
    "system",
)


def csv_text(verification):
    """verification.csv: a header and one row for each target, as RFC 4180 has it; to be written as UTF-8.

    A cell that a spreadsheet could take for a formula gets an apostrophe in front, which the spreadsheet shows: a cell
    that starts with one of = + - @ or one of their other forms, also after spaces, quotation marks and what cannot be
    seen. So does the rest of a cell after a comma, a semicolon or a bar, as it would be a cell of its own to a program
    that splits there. Line ends and tabs become spaces.
    """
    verification = readable(verification)
    return table(COLUMNS, verification, map(row_of, verification["targets"]))


def open_items_csv(verification):
    """open-items.csv: a row for each item that is still open, and for each target that is but names no item.

    As safe as csv_text(), and to be written as UTF-8, too. `item` is the whole row of the report as JSON, up to where a
    formula had to be prevented. Where a target has more open items than verification.json holds, a row says how many.
    """
    verification = readable(verification)
    return table(ITEM_COLUMNS, verification, (row for target in verification["targets"] for row in item_rows(target)))


def table(columns, verification, rows):
    """The text of a CSV file with these columns. rows: dicts by column."""
    stream = io.StringIO()
    stream.write(BYTE_ORDER_MARK)
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        row["run"] = verification.get("run")
        writer.writerow([cell(row.get(column)) for column in columns])
    return stream.getvalue()


def cell(value):
    """A value as the text of a cell that no spreadsheet computes."""
    return FORMULA.sub(r"\1'", one_line(value, LONGEST_CELL))


def where_of(target):
    """The cells about where an exposure is."""
    alert = dict_at(target, "alert")
    return dict(
        severity=alert.get("severity"),
        case_id=alert.get("case_id"),
        ip_addresses=alert.get("ipv4_addresses"),
        domain_names=alert.get("domain_names"),
        port_protocol=alert.get("port_protocol"),
        attack_surface_rule=alert.get("attack_surface_rule_name") or target.get("attack_surface_rule_id"),
        business_units=alert.get("business_unit_hierarchies"),
    )


def row_of(target):
    """The cells of a target by column."""
    campaign = dict_at(target, "campaign")
    row = {column: target.get(column) for column in COLUMNS}
    row.update({name: number for name, number in dict_at(target, "items").items() if name in COLUMNS})
    row.update(
        where_of(target),
        campaign_status=campaign.get("status"),
        campaign_deadline=campaign.get("deadline"),
        words="; ".join(map(word_in_words, words_counted(target))),
        evidence="; ".join(file["path"] for file in target["evidence"]),
        evidence_sha256="; ".join(file["sha256"] for file in target["evidence"]),
    )
    return row


def item_rows(target):
    """The cells of each open item of a target by column."""
    items = open_items_of(target) if target["outcome"] != "remediated" else []
    if target["outcome"] != "unremediated" and not items:
        return []
    common = dict(
        {name: target.get(name) for name in ("kind", "open_since", "not_verified_since", "service_id", "reason", "system")},
        **where_of(target),
        target_id=target["id"],
        target_name=target["name"],
        alert_id=target.get("alert_internal_id"),
        port=port_of(target),
    )
    rows = [
        dict(
            common,
            identity=value_of(item, WHO),
            account=value_of(item, WHERE),
            access=value_of(item, WHAT),
            source=value_of(item, SOURCE),
            item=json.dumps(item, ensure_ascii=False, default=str),
        )
        for item in items
    ]
    left = items_left_out(target)
    if left:
        rows.append(
            dict(
                common,
                item="%d %sopen items are in the report: %s"
                % (left, "more " if rows else "", ", ".join(file["path"] for file in target["evidence"]) or "none is on record"),
            )
        )
    return rows or [common]
