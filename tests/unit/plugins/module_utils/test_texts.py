# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that somebody else wrote, made fit to be shown."""

from __future__ import annotations

import unicodedata

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.texts import printable, printable_everywhere

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    "text, shown",
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07", r"bell\x07"),
        ("nul\x00", r"nul\x00"),
        ("over\rwritten", r"over\rwritten"),
        ("\x9b2J", r"\x9b2J"),
        ("invoice\u202efdp.exe", r"invoice\u202efdp.exe"),
        ("half \ud83d", r"half \ud83d"),
        ("two\u2028lines", r"two\u2028lines"),
        ("\x7f", r"\x7f"),
    ],
)
def test_what_acts_on_a_terminal_is_an_escape(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["", "plain", "two\nlines\tand a tab", "Größe, 名前, שלום, \U0001f469\u200d\U0001f4bb, می\u200cخواهم", r"C:\new \x1b"]
)
def test_what_is_only_text_stays(text):
    assert printable(text) == text


def test_nothing_that_acts_is_left_of_any_character():
    shown = printable("".join(map(chr, range(0x110000))))
    left = {char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI}
    assert left == {"\n", "\t"}
    # Shown once, it can be shown again.
    assert printable(shown) == shown


def test_everywhere():
    value = {"a\x1b": ["\x07", ("\u202e", 5, None, True)], "b": {"c": "d"}}
    assert printable_everywhere(value) == {"a\\x1b": ["\\x07", ["\\u202e", 5, None, True]], "b": {"c": "d"}}
