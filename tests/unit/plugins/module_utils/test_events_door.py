# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is let in at the webhook."""

from __future__ import annotations

import base64
import hmac
import json
import time

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._events.door import (
    LARGEST_BODY,
    MINUTE,
    Door,
    Refused,
    campaign_named,
)

BODY = {"campaign": {"id": "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a01", "name": "Q3", "status": "COMPLETED"}}


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def refusal(call, *arguments):
    with pytest.raises(Refused) as caught:
        call(*arguments)
    return caught.value.status


class TestToken:
    door = Door("the-right-token", None, 60)

    @pytest.mark.parametrize("header", ["Bearer the-right-token", "bearer  the-right-token "])
    def test_the_right_one(self, header):
        self.door.check(header)

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearer the-right-toke",
            "Bearer the-right-token2",
            "Bearer THE-RIGHT-TOKEN",
            "the-right-token",
            "Basic the-right-token",
            basic("the-right-token"),
            basic(":the-right-token"),
            "Bearer \udcff\u20ac",
        ],
    )
    def test_others(self, header):
        assert refusal(self.door.check, header) == 401


class TestUser:
    door = Door(None, ("sailpoint", "a:pass word"), 60)

    def test_the_right_one(self):
        self.door.check(basic("sailpoint:a:pass word"))

    @pytest.mark.parametrize(
        "header",
        [
            None,
            basic(""),
            basic(":"),
            basic("sailpoint:"),
            basic("sailpoint:a"),
            basic("other:a:pass word"),
            basic("sailpoint:a:pass word").replace("Basic", "Bearer"),
            "Basic sailpoint:a:pass word",
            "Basic %%%",
            "Bearer sailpoint:a:pass word",
        ],
    )
    def test_others(self, header):
        assert refusal(self.door.check, header) == 401


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic !!", "Bearer the-right-token", "Digest the-right-token"])
def test_every_answer_takes_the_comparison_that_tells_nothing_by_its_time(monkeypatch, header):
    compared = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda one, other: compared.append((one, other)) or real(one, other))
    try:
        Door("the-right-token", None, 60).check(header)
    except Refused:
        pass
    assert len(compared) == 1 and compared[0][1] == b"the-right-token"


def test_so_many_requests_in_a_minute(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    door = Door("x", None, 3)
    for _time in range(3):
        door.admit()
    assert refusal(door.admit) == 429
    now[0] += MINUTE - 1
    assert refusal(door.admit) == 429
    now[0] += 1
    door.admit()


class TestBody:
    def test_the_event(self):
        assert campaign_named(json.dumps(BODY).encode()) == BODY["campaign"]["id"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"null",
            b"[]",
            b"{}",
            b'"campaign"',
            b'{"campaign": null}',
            b'{"campaign": []}',
            b'{"campaign": {}}',
            b'{"campaign": {"id": null}}',
            b'{"campaign": {"id": 5}}',
            b'{"campaign": {"id": ""}}',
            b'{"campaign": {"id": "../../x"}}',
            b'{"campaign": {"id": "{{ lookup }}"}}',
            b'{"campaign": {"id": "' + b"a" * 65 + b'"}}',
            b"\xff",
            b"[" * 50000,
        ],
    )
    def test_anything_else(self, body):
        assert refusal(campaign_named, body) == 400

    def test_a_body_that_is_too_large(self):
        assert refusal(campaign_named, json.dumps({**BODY, "more": "x" * LARGEST_BODY}).encode()) == 413
