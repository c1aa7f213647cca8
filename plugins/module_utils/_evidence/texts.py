# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts and times of the evidence, for all of its forms.

Names, reasons and ids come from APIs, where anybody may have typed them. Private to the collection.
"""

from __future__ import annotations

import re
from datetime import timezone

from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time

# Neither XML 1.0 nor a terminal takes the control characters, no encoding has half of a surrogate pair, and the
# directional ones can make a text read otherwise than it is. Not whitespace, and not what text in any script needs.
UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ud800-\udfff\ufff9-\ufffb\ufffe\uffff]"
)


def one_line(value, longest=None):
    """A value as text in one line, without characters that a format cannot hold."""
    text = UNFIT.sub("\ufffd", " ".join(words_of(value).split()))
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "\u2026"


def words_of(value, levels=10):
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


def moment_of(value):
    """A time as a datetime in UTC, or None where the value is no time. Without a zone it is taken for UTC."""
    moment = parse_time(value)
    try:
        return moment and moment.astimezone(timezone.utc)
    except OverflowError:
        return None


def in_utc(value):
    """A time as all forms write it, YYYY-MM-DDTHH:MM:SSZ; what is no time is left as it is."""
    moment = moment_of(value)
    return value if moment is None else written(moment)


def written(moment):
    """A datetime in UTC as all forms write it."""
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def dict_at(target, key):
    """The object at a key, {} where there is none."""
    value = target.get(key)
    return value if isinstance(value, dict) else {}


def listed(value):
    """A value as a list: what is none is a list of one, and nothing an empty one."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def dicts(value):
    """The objects in a list."""
    return [item for item in listed(value) if isinstance(item, dict)]
