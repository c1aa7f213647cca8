# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts that somebody else wrote, made fit to be shown, and values that may be of any shape. Private to the collection."""

from __future__ import annotations

import re
from typing import Any

# C0 and C1 controls but line feed and tab, what changes the direction of text, the separators that some programs take
# for line feeds, and halves of surrogate pairs, which no terminal can be sent.
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# Neither XML 1.0 nor a terminal takes the control characters, no encoding has half of a surrogate pair, and the
# directional ones can make a text read otherwise than it is. Not whitespace, and not what text in any script needs.
UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]"
)


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


def one_line(value: Any, longest: int | None = None) -> str:
    """A value as text in one line, without characters that a format cannot hold."""
    text = UNFIT.sub("\ufffd", " ".join(words_of(value).split()))
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "\u2026"


def words_of(value: Any, levels: int = 10) -> str:
    """What there is to read in a value of JSON: of a list all of it, of an object its name."""
    if value is None:
        return ""
    if not isinstance(value, (dict, list, tuple)):
        return str(value)
    if not levels:
        return "\u2026"
    if isinstance(value, dict):
        value = [value["name"]] if value.get("name") else value.values()
    return ", ".join(text for text in (words_of(part, levels - 1) for part in value) if text)


def dict_at(target: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at a key, {} where there is none."""
    value = target.get(key)
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A value as a list: what is none is a list of one, and nothing an empty one."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [item for item in listed(value) if isinstance(item, dict)]
