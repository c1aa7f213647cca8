# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks: how a moment is written, read, and compared. Private to the collection."""

from __future__ import annotations

import datetime
import functools
import re
from typing import Any

TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(?:(:\d{2})(?:[.,](\d{1,9}))?)?"
    r"(?: ?([Zz])| ?([+-])([01]\d|2[0-3]):?([0-5]\d)?)?",
    re.ASCII,
)
# Seconds by which two clocks of one system may differ, and what a time without fractions leaves out.
CLOCK_SLACK = 5
# The last moment that a date has room for, in milliseconds since 1970.
LATEST_MILLISECONDS = 253402300799999


def utc_now() -> str:
    """This machine's time as ISO 8601 UTC text, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: object) -> datetime.datetime | None:
    """A moment as RFC 3339 writes it, as a datetime in UTC, or None for anything else.

    Seconds may be missing. So may the zone, and then it is UTC. Other spellings of ISO 8601, which not every Python
    reads, are no moment, for what is not understood must not be compared.
    """
    return _moment(text) if isinstance(text, str) and len(text) < 100 else None


# Each moment of a record is compared many times, and many targets have the same.
@functools.lru_cache(maxsize=4096)
def _moment(text: str) -> datetime.datetime | None:
    match = TIME.fullmatch(text.strip())
    if not match:
        return None
    day, clock, seconds, fraction, _zulu, sign, hours, minutes = match.groups()
    try:
        moment = datetime.datetime.fromisoformat("%sT%s%s.%s" % (day, clock, seconds or ":00", ((fraction or "") + "000000")[:6]))
        offset = datetime.timedelta(hours=int(hours), minutes=int(minutes or 0)) if sign else datetime.timedelta()
        return (moment + offset if sign == "-" else moment - offset).replace(tzinfo=datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


def from_milliseconds(value: object) -> datetime.datetime | None:
    """Milliseconds since 1970, a number or text, as a datetime in UTC, or None where it is something else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LATEST_MILLISECONDS:
        return None
    return datetime.datetime.fromtimestamp(value / 1000, datetime.timezone.utc)


def in_utc(text: object) -> str | None:
    """A moment that a server wrote, as UTC text to the second, or None where it is none."""
    moment = parse_time(text)
    return None if moment is None else as_text(moment)


def spelled(value: Any) -> Any:
    """A time as all forms of the evidence write it, YYYY-MM-DDTHH:MM:SSZ; what is no time is left as it is."""
    return in_utc(value) or value


def as_text(moment: datetime.datetime) -> str:
    """A datetime in UTC as the text in which the collection writes every moment."""
    # Not strftime, which leaves out the zeros of an early year on some systems.
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def is_fresh(text: object, now: object, max_age: float) -> bool:
    """Whether a moment is less than max_age seconds before another, both from the clock of one system.

    Nothing from the future is fresh, nor what is no moment. text, now: texts. max_age: seconds.
    """
    moment, present = parse_time(text), parse_time(now)
    if moment is None or present is None or max_age <= 0:
        return False
    return -CLOCK_SLACK <= (present - moment).total_seconds() < max_age


def is_past(text: object, now: object) -> bool:
    """Whether a moment is not after another, both from the clock of one system. False for what is no moment."""
    moment, present = parse_time(text), parse_time(now)
    return moment is not None and present is not None and (present - moment).total_seconds() >= -CLOCK_SLACK


def is_later(text: object, than: object) -> bool:
    """Whether a moment is after another. False where one of them is no moment."""
    moment, other = parse_time(text), parse_time(than)
    return moment is not None and other is not None and moment > other


def age(text: object) -> float | None:
    """Seconds since a moment by this machine's clock, or None if it is no moment."""
    moment = parse_time(text)
    return None if moment is None else (datetime.datetime.now(datetime.timezone.utc) - moment).total_seconds()
