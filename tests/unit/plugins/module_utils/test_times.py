# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks: how a moment is written, read, and compared."""

from __future__ import annotations

import datetime

import pytest
from conversations import JUNK

from ansible_collections.secops.remediation.plugins.module_utils._common import times

NOW = "2026-11-22T08:00:00Z"
# What is no moment, whatever it looks like.
NONE = [
    "",
    "yesterday",
    "2026-13-01T00:00:00Z",
    "Z",
    ".",
    "2026-11-22T25:00:00Z",
    "2026-11-22T24:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-22T08:00:60Z",
    "2026-11-22",
    "20261122T080000Z",
    "2026-W47-7T08:00:00Z",
    "2026-326T08:00:00Z",
    "08:00:00",
    "2026-11-22T08",
    "2026-11-22T08:00:00  Z",
    "2026-11-22T08:00:00ZZ",
    "2026-11-22T08:00:00+2",
    "2026-11-22T08:00:00+02:0",
    "2026-11-22T08:00:00.Z",
    "2026-11-22T08:00:00.1234567890Z",
    "Sun, 22 Nov 2026 08:00:00 GMT",
    "1795334400",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "-2026-11-22T08:00:00Z",
    "2026-11-22T08:00:00+24:00",
    "2026-11-22T08:00:00+99:99",
    "2026-11-22T08:00:00+02:60",
    "2026-11-22T08:00.5Z",
    "\u0662\u0660\u0662\u0666-11-22T08:00:00Z",
    "2026-11-22T08:00:00Z" + " " * 100,
    "2026-11-22T08:00:00\x00",
    "2026-11-22T08:00:00Z\n2026-11-22T08:00:00Z",
]


class TestParse:
    @pytest.mark.parametrize(
        "text, expected",
        [
            ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00"),
            ("2026-11-22T08:00:00.1Z", "2026-11-22T08:00:00.100000"),
            ("2026-11-22T08:00:00.123456789Z", "2026-11-22T08:00:00.123456"),
            ("2026-11-22T08:00:00,5Z", "2026-11-22T08:00:00.500000"),
            ("2026-11-22T08:00:00.12+02:00", "2026-11-22T06:00:00.120000"),
            ("2026-11-22T08:00:00-0530", "2026-11-22T13:30:00"),
            ("2026-11-22T08:00:00+02", "2026-11-22T06:00:00"),
            ("2026-11-22T08:00:00-00:00", "2026-11-22T08:00:00"),
            ("2026-11-22 08:00:00", "2026-11-22T08:00:00"),
            (" 2026-11-22t08:00:00z\n", "2026-11-22T08:00:00"),
            ("2026-11-22 08:00:00 -0130", "2026-11-22T09:30:00"),
            ("2026-11-22T08:00:00 Z", "2026-11-22T08:00:00"),
            ("2026-11-22T08:00Z", "2026-11-22T08:00:00"),
            ("2026-11-22T00:30:00+14:00", "2026-11-21T10:30:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
            ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59"),
        ],
    )
    def test_moments(self, text, expected):
        assert times.parse_time(text).isoformat() == expected + "+00:00"
        assert times.in_utc(text) == expected[:19] + "Z"

    @pytest.mark.parametrize("text", [*NONE, *(junk for junk in JUNK if junk != "9999-12-31T23:59:59Z")])
    def test_what_is_none(self, text):
        assert times.parse_time(text) is None and times.in_utc(text) is None and times.age(text) is None

    @pytest.mark.parametrize("text", [*NONE, None, 5, [], {}])
    def test_what_is_none_is_never_compared(self, text):
        for compare in (times.is_past, times.is_later):
            assert not compare(text, NOW) and not compare(NOW, text) and not compare(text, text)
        assert not times.is_fresh(text, NOW, 10**9) and not times.is_fresh(NOW, text, 10**9)


class TestFresh:
    @pytest.mark.parametrize(
        "text, max_age, fresh",
        [
            ("2026-11-22T07:59:59Z", 60, True),
            ("2026-11-22T07:59:00.000001Z", 60, True),
            ("2026-11-22T07:59:00Z", 60, False),
            ("2026-11-21T08:00:00Z", 86400, False),
            ("2026-11-22T09:59:30+02:00", 60, True),
            (NOW, 1, True),
            # Nothing is fresh where nothing may be old.
            (NOW, 0, False),
            (NOW, -1, False),
            ("2026-11-22T08:00:01Z", 0, False),
            # Nothing from the future, but clocks of one system may differ.
            ("2026-11-22T08:00:05Z", 60, True),
            ("2026-11-22T08:00:06Z", 60, False),
            ("2999-01-01T00:00:00Z", 10**12, False),
            ("2026-11-22T08:00:06Z", 10**12, False),
        ],
    )
    def test_it_is_one_rule(self, text, max_age, fresh):
        assert times.is_fresh(text, NOW, max_age) is fresh

    @pytest.mark.parametrize(
        "text, past, later",
        [
            ("2026-11-22T07:59:59Z", True, False),
            (NOW, True, False),
            ("2026-11-22T08:00:00.000001Z", True, True),
            ("2026-11-22T08:00:05Z", True, True),
            ("2026-11-22T08:00:05.1Z", False, True),
            ("2026-11-22T10:00:00+02:00", True, False),
        ],
    )
    def test_the_order_of_two(self, text, past, later):
        assert (times.is_past(text, NOW), times.is_later(text, NOW)) == (past, later)

    def test_age(self):
        assert abs(times.age(times.utc_now())) < 60
        past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=500)
        assert 499 < times.age(past.isoformat()) < 560


class TestMilliseconds:
    @pytest.mark.parametrize(
        "value, expected",
        [
            (0, "1970-01-01T00:00:00Z"),
            (1795334400000, NOW),
            ("1795334400000", NOW),
            (1795334400999, NOW),
            ("0", "1970-01-01T00:00:00Z"),
            (times.LATEST_MILLISECONDS, "9999-12-31T23:59:59Z"),
        ],
    )
    def test_moments(self, value, expected):
        assert times.as_text(times.from_milliseconds(value)) == expected

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            False,
            -1,
            "-1",
            1.5,
            "1.5",
            "",
            " 1",
            "1\n",
            "0x1",
            "\u0661",
            "9" * 16,
            times.LATEST_MILLISECONDS + 1,
            [],
            {},
            pytest.param(10**5000, id="huge"),
            "1e3",
            float("nan"),
        ],
    )
    def test_what_is_none(self, value):
        assert times.from_milliseconds(value) is None


def test_as_text_keeps_the_zeros_of_an_early_year():
    assert times.as_text(times.parse_time("0001-02-03T04:05:06.7Z")) == "0001-02-03T04:05:06Z"
