# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of others, as they may be shown. Private to the collection."""

from __future__ import annotations

import re

# Controls of a terminal but for the line's end, what turns the direction of writing, and half a surrogate pair.
UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text):
    """A text without anything that a terminal would obey: controls and marks of direction are shown as escapes."""
    return UNPRINTABLE.sub(lambda found: "\\x%02x" % ord(found[0]) if found[0] < "\x80" else "\\u%04x" % ord(found[0]), text)
