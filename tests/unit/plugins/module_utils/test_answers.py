# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept of what an API answered: small, and enough."""

from __future__ import annotations

import json

import pytest
from conversations import JUNK, exchange

from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import (
    LARGEST_BODY,
    MOST_ANSWERS,
    Exchanges,
    bounded,
    exchanges_in,
    path_of,
)


def kept(item):
    """What is on record, in short."""
    return [(one["path"], one["status"], one["body"]) for one in item["answers"]]


def noted(*exchanges):
    """An item with these on record."""
    item = {}
    answers = Exchanges(item)
    for one in exchanges:
        answers.append(one)
    return item, answers


class TestAppend:
    def test_of_each_kind_the_last_one_in_order(self):
        running = exchange("POST", "/a", body={"s": 1})
        item, _answers = noted(
            running,
            dict(running, server_time="later"),
            exchange("GET", "/b", body=2),
            exchange("POST", "/a", body={"s": 2}),
            dict(running, server_time="last"),
        )
        assert kept(item) == [("/b", 200, 2), ("/a", 200, {"s": 2}), ("/a", 200, {"s": 1})]
        assert item["answers"][-1]["server_time"] == "last"

    def test_of_an_error_the_last_one_whatever_it_says(self):
        """Each has another id for the vendor's support."""
        item, _answers = noted(*(exchange("GET", "/a", 503, {"trackingId": number}) for number in range(9)))
        assert kept(item) == [("/a", 503, {"trackingId": 8})]

    def test_what_differs_is_another_kind(self):
        item, _answers = noted(
            exchange("GET", "/a", body=1),
            exchange("POST", "/a", body=1),
            exchange("GET", "/a?x", body=1),
            exchange("GET", "/a", 202, 1),
            exchange("GET", "/a", body="1"),
        )
        assert len(item["answers"]) == 5

    def test_the_requests_are_those_without_bodies_once_each(self):
        item, _answers = noted(
            exchange("POST", "/a", body=1, sent={"x": 1}), exchange("GET", "/b"), exchange("POST", "/a", body=2)
        )
        assert [(one["method"], one["path"]) for one in item["requests"]] == [("GET", "/b"), ("POST", "/a")]
        assert all(one.keys() == {"method", "path", "status", "reference", "server_time"} for one in item["requests"])

    def test_a_download_has_a_sum(self):
        one = {name: value for name, value in exchange("GET", "/r", sha256="x", size=9).items() if name != "body"}
        item, _answers = noted(one, dict(one, sha256="y"))
        assert item["answers"][-1]["sha256"] == "y" and "body" not in item["answers"][-1]

    def test_what_is_given_is_not_changed(self):
        given = exchange("GET", "/a", body={"long": "x" * 100_000})
        before = json.dumps(given)
        noted(given)
        assert json.dumps(given) == before

    def test_there_are_never_too_many(self):
        item, answers = noted(exchange("POST", "/asked", 202))
        answers.pin()
        for number in range(1000):
            answers.append(exchange("GET", "/a", body=number))
        assert len(item["answers"]) == MOST_ANSWERS
        assert kept(item)[0] == ("/asked", 202, None) and kept(item)[-1] == ("/a", 200, 999)


class TestPin:
    def test_what_is_pinned_stays(self):
        item, answers = noted(exchange("GET", "/a", body=1), exchange("POST", "/b", 202))
        answers.pin()
        answers.append(exchange("GET", "/a", body=1, seconds=5))
        assert kept(item) == [("/a", 200, 1), ("/b", 202, None), ("/a", 200, 1)]

    def test_the_last_one_is_there_however_much_is_pinned(self):
        item, answers = noted(*(exchange("GET", "/a", body=number) for number in range(MOST_ANSWERS)))
        answers.pin()
        for number in range(5):
            answers.append(exchange("GET", "/b", body=number))
        assert kept(item)[-1] == ("/b", 200, 4) and len(item["answers"]) <= MOST_ANSWERS + 1


class TestRecall:
    def test_a_memory_is_marked(self):
        item, answers = noted(exchange("GET", "/before"))
        answers.recall([exchange("POST", "/a", 202), exchange("GET", "/b")])
        answers.append(exchange("GET", "/b"))
        assert [(one["path"], one.get("remembered", False)) for one in item["answers"]] == [
            ("/a", True),
            ("/b", True),
            ("/b", False),
        ]
        # The requests are of each the last.
        assert [(one["path"], one.get("remembered", False)) for one in item["requests"]] == [("/a", True), ("/b", False)]

    def test_what_this_run_found_is_none(self):
        item, answers = noted()
        answers.recall([exchange("POST", "/a", 202)], of_this_run=True)
        assert "remembered" not in item["answers"][0]

    def test_what_is_remembered_is_not_changed(self):
        memory = [exchange("POST", "/a", 202)]
        item, answers = noted()
        answers.recall(memory)
        assert "remembered" not in memory[0]

    def test_there_is_room_for_more(self):
        item, answers = noted()
        answers.recall([exchange("GET", "/a", body=number) for number in range(1000)])
        assert len(item["answers"]) <= MOST_ANSWERS // 2 and kept(item)[0][2] == 0

    def test_twice_is_once(self):
        item, answers = noted()
        for _time in range(2):
            answers.recall([exchange("GET", "/a")])
        assert len(item["answers"]) == 1


class TestAnew:
    def test_with_the_last_answer(self):
        item, answers = noted()
        answers.recall([exchange("POST", "/a", 202)])
        answers.append(exchange("GET", "/b", body=1))
        answers.begin_anew()
        assert kept(item) == [("/b", 200, 1)] and [one["path"] for one in item["requests"]] == ["/b"]
        # Nothing is pinned.
        answers.append(exchange("GET", "/b", body=1, seconds=9))
        assert len(item["answers"]) == 1

    def test_with_nothing(self):
        item, answers = noted(exchange("GET", "/a"))
        answers.pin()
        answers.forget()
        assert item["answers"] == item["requests"] == []
        answers.begin_anew()
        assert item["answers"] == []


class TestBounds:
    @pytest.mark.parametrize(
        "body",
        [
            "x" * 10**6,
            ["x" * 10**6],
            {"a": "x" * 10**6},
            {"x" * 10**6: 1},
            [["x" * 900] * 900] * 3,
            list(range(10**5)),
            {str(number): number for number in range(10**5)},
            {"a": {"b": {"c": {"d": "x" * 10**6}}}},
            {"a": [{"b": "x" * 10**6}]},
        ],
    )
    def test_a_body_stays_small(self, body):
        assert len(json.dumps(bounded(body))) <= LARGEST_BODY

    def test_what_is_short_in_it_is_kept(self):
        body = {"reply": {"status": "SUCCESS", "result": "REMEDIATED", "log": "x" * 10**6}, "more": [None, True, 1.5, "x"]}
        assert bounded(body)["reply"]["status"] == "SUCCESS" and bounded(body)["reply"]["result"] == "REMEDIATED"
        campaign = {"id": "c1", "status": "COMPLETED", "modified": "m", "description": "x" * 10**6}
        assert bounded(campaign)["modified"] == "m" and bounded([campaign])[0]["modified"] == "m"

    @pytest.mark.parametrize("body", [junk for junk in JUNK if not isinstance(junk, str) or junk.isascii()])
    def test_what_is_small_is_kept_as_it_is(self, body):
        assert bounded(body) == body

    @pytest.mark.parametrize("depth", [10, 100, 500])
    def test_a_deep_one(self, depth):
        body = json.loads('{"x": ' * depth + "1" + "}" * depth)
        item, _answers = noted(exchange("GET", "/a", body=body))
        assert json.dumps(item)


class TestExchangesIn:
    @pytest.mark.parametrize("item", [*JUNK, *(dict(answers=junk) for junk in JUNK)])
    def test_junk(self, item):
        assert exchanges_in(item) == []

    @pytest.mark.parametrize(
        "changes", [dict(status="200"), dict(status=None), dict(method=None), dict(method=["GET"]), dict(path=5), dict(path=None)]
    )
    def test_what_cannot_be_read(self, changes):
        good = exchange("GET", "/a")
        assert exchanges_in(dict(answers=[dict(good, **changes), good, None, "x"])) == [good]

    @pytest.mark.parametrize("path, expected", [("/a/?x=/b/", "/a"), ("/a", "/a"), ("?x", ""), (None, ""), (5, ""), (["/a"], "")])
    def test_paths(self, path, expected):
        assert path_of(dict(path=path)) == expected
