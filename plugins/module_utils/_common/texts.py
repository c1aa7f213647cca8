# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that somebody else wrote, made fit to be shown. Private to the collection."""

from __future__ import annotations

import re
from typing import Any

# C0 and C1 controls but line feed and tab, what changes the direction of text, the separators that some programs take
# for line feeds, and halves of surrogate pairs, which no terminal can be sent.
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""The text with every character that could act on a terminal written as an escape, such as \x1b or \u202e."""
    return RAW.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def printable_everywhere(value: Any) -> Any:
    """A JSON value in which every text, also that of a key, is printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable_everywhere(key): printable_everywhere(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable_everywhere(item) for item in value]
    return value
