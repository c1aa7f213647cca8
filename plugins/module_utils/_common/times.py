# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks: how a moment is written, read, and compared. Private to the collection."""

from __future__ import annotations

import datetime


def utc_now():
    """This machine's time as ISO 8601 UTC text, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text):
    """ISO 8601 text as an aware datetime, or None if it is not one."""
    if not isinstance(text, str):
        return None
    text = text.strip()
    if text.endswith(("Z", "z")):
        text = text[:-1] + "+00:00"
    # Python before 3.11 reads three or six digits of a second only.
    head, dot, tail = text.partition(".")
    if dot:
        digits = tail[:len(tail) - len(tail.lstrip("0123456789"))]
        text = "%s.%s%s" % (head, (digits + "000000")[:6], tail[len(digits):])
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def age(text):
    """Seconds since a moment written by utc_now(), or None if it is not known."""
    moment = parse_time(text)
    return None if moment is None else (datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()


def is_recent(text, max_age):
    """Whether a moment written by utc_now() is less than max_age seconds ago."""
    seconds = age(text)
    return seconds is not None and seconds < max_age
