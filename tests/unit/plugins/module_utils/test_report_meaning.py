# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the words of a report may mean: a proposal where everything fits, and nothing where anything is ambiguous."""

from __future__ import annotations

import csv

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_meaning import MOST_ROWS, State, propose

HEADER = ("Identity", "Source", "Access", "Stand")
ROWS = (
    ["Brandt", "SAP", "ZOLL", "Vollzogen"],
    ["Wei\u00df", "SAP", "LAGER", "Vollzogen"],
    ["Brandt", "AD", "HH-Leitung", "Schwebend"],
)
STATES = [State(row[0], (row[2], ""), (row[1],), row[3] == "Schwebend") for row in ROWS]
PROPOSED = (
    "verify_remediation_status_column 'Stand' with 'Vollzogen' = remediated, 'Schwebend' = open would fit the access: "
    "3 of 3 rows agree"
)


def proposed(tmp_path, rows=ROWS, states=STATES, header=HEADER, column=None):
    path = tmp_path / "report.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return propose(str(path), states, column)


def changed(row, place, cell):
    """The rows with another cell."""
    rows = [list(one) for one in ROWS]
    rows[row][place] = cell
    return rows


def test_everything_fits(tmp_path):
    assert proposed(tmp_path) == PROPOSED
    assert proposed(tmp_path, column="Stand") == PROPOSED
    assert proposed(tmp_path, rows=ROWS[::-1]) == PROPOSED
    assert proposed(tmp_path, rows=changed(0, 3, " vollzogen ")).startswith("verify_remediation_status_column 'Stand'")


@pytest.mark.parametrize(
    "rows, states, column",
    [
        (ROWS[:2], STATES, None),
        ([*ROWS, ROWS[0]], STATES, None),
        (ROWS, STATES[:2], None),
        ([], [], None),
        # Nothing to tell the words apart by.
        (ROWS, [state._replace(present=False) for state in STATES], None),
        # A word that stands for both.
        (changed(0, 3, "Schwebend"), STATES, None),
        # More words than two, one, none.
        (changed(0, 3, "Erledigt"), STATES, None),
        ([[*row[:3], "x"] for row in ROWS], STATES, None),
        (changed(0, 3, ""), STATES, None),
        # A row about nobody, or about two.
        (changed(0, 0, "Somebody"), STATES, None),
        (changed(0, 2, "HH-Leitung"), STATES, None),
        (ROWS, [STATES[0], STATES[0], STATES[2]], None),
        # Too few rows, in which any column fits by chance.
        (ROWS[1:], STATES[1:], None),
        # What counts or dates something.
        ([[*row[:3], str(int(row[3] == "Schwebend"))] for row in ROWS], STATES, None),
        ([[*row[:3], "2026-11-2%d" % (row[3] == "Schwebend")] for row in ROWS], STATES, None),
        ([[*row[:3], "2026-11-24T1%d:00:00Z" % (row[3] == "Schwebend")] for row in ROWS], STATES, None),
        # The opposite of what everybody takes the words for.
        ([[*row[:3], {"Schwebend": "Remediated"}.get(row[3], "Erledigt")] for row in ROWS], STATES, None),
        ([[*row[:3], {"Schwebend": "Offen"}.get(row[3], "open")] for row in ROWS], STATES, None),
        # A row that is not whole.
        ([ROWS[0][:3], *ROWS[1:]], STATES, None),
        # The user named another column.
        (ROWS, STATES, "Source"),
        # What is known of the item from elsewhere.
        (ROWS, [state._replace(known=("AD", "SAP", "Vollzogen", "Schwebend")) for state in STATES], None),
    ],
)
def test_anything_is_ambiguous(tmp_path, rows, states, column):
    assert proposed(tmp_path, rows, states, column=column) is None


def test_two_columns_fit(tmp_path):
    assert proposed(tmp_path, [[*row, row[3][::-1]] for row in ROWS], header=[*HEADER, "Status"]) is None


def test_what_is_no_report(tmp_path):
    for content in (b"", b"\xff\xfe\x00", b'Identity,"', b"\0", b"<html>"):
        (tmp_path / "odd.csv").write_bytes(content)
        assert propose(str(tmp_path / "odd.csv"), STATES) is None
    assert propose(str(tmp_path / "missing.csv"), STATES) is None and propose(str(tmp_path), STATES) is None


def test_too_many(tmp_path):
    assert proposed(tmp_path, ROWS, STATES * MOST_ROWS) is None
