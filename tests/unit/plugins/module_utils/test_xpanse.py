# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Xpanse's API, against real sockets."""

from __future__ import annotations

import hashlib
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import api as xpanse
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import (
    GET_ALERTS,
    AdvancedKey,
    ScanNotFound,
    StandardKey,
    XpanseApi,
    api_address,
    explain,
    exposure_of,
    hint,
    scan_targets,
)
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.scan import confirmation_scan
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import GET, GET_OR_CREATE

KEY = "example-api-key"


@pytest.fixture
def make_api(server, connection_options):
    """Makes connections to the server."""

    def make(check_mode=False, **changes):
        options = connection_options(base_url=server.url, api_key_id="7", api_key=KEY, api_key_type="advanced")
        options.update(changes)
        return XpanseApi(options, check_mode)

    return make


@pytest.fixture
def api(make_api):
    """A connection to the server."""
    return make_api()


def reply(code=200, /, **content):
    """An answer with a `reply`."""
    return Reply(code, json={"reply": content})


def texts_of(error):
    """Everything that anybody could show of an exception."""
    return str(error) + repr(error) + "".join(traceback.format_exception(type(error), error, error.__traceback__))


class TestKeys:
    def test_the_known_signature(self):
        assert AdvancedKey("7", KEY).sign("A" * 64, "1700000000000") == {
            "x-xdr-auth-id": "7",
            "x-xdr-nonce": "A" * 64,
            "x-xdr-timestamp": "1700000000000",
            "Authorization": "87e8f29326d2ef977b82f5f3f9768eaae8575613aa5c6f54e83f19a0cbfc868a",
        }

    def test_every_attempt_is_signed_anew(self, server, api, quick_back_off):
        server.expect(
            "POST",
            GET + "/",
            Reply(429),
            Reply(502),
            Reply(drop=True),
            reply(status="IN_PROGRESS"),
            reply(status="IN_PROGRESS"),
        )
        before = int(time.time() * 1000)
        api.get_scan("s")
        api.get_scan("s")
        after = int(time.time() * 1000)
        nonces = [request.headers["x-xdr-nonce"] for request in server.requests]
        assert len(set(nonces)) == 5
        for request in server.requests:
            nonce, timestamp = request.headers["x-xdr-nonce"], request.headers["x-xdr-timestamp"]
            assert len(nonce) == 64 and nonce.isalnum() and nonce.isascii()
            assert before <= int(timestamp) <= after
            assert request.headers["Authorization"] == hashlib.sha256((KEY + nonce + timestamp).encode()).hexdigest()
            assert request.headers["x-xdr-auth-id"] == "7"
            assert KEY not in str(request.headers) and KEY.encode() not in request.body

    def test_a_redirect_and_the_other_slash_are_signed_anew(self, server, api):
        server.expect("POST", GET + "/", Reply(307, headers={"Location": GET}))
        server.expect("POST", GET, Reply(404, ""))
        server.expect("POST", GET, reply(status="IN_PROGRESS"))
        api.get_scan("s")
        assert len({request.headers["x-xdr-nonce"] for request in server.requests}) == 3

    def test_a_standard_key(self, server, make_api):
        server.expect("POST", GET + "/", reply(status="IN_PROGRESS"))
        make_api(api_key_type="standard", api_key=" %s\n" % KEY, api_key_id=" 7 ").get_scan("s")
        assert server.requests[0].headers["Authorization"] == KEY
        assert server.requests[0].headers["x-xdr-auth-id"] == "7"
        assert "x-xdr-nonce" not in server.requests[0].headers

    @pytest.mark.parametrize("kind", ["advanced", "standard"])
    def test_a_key_cannot_be_renewed(self, server, make_api, kind):
        server.expect("POST", GET + "/", Reply(401, ""))
        with pytest.raises(HttpError) as caught:
            make_api(api_key_type=kind).get_scan("s")
        assert "HTTP 401, the body is empty. Check api_key_id and api_key" in str(caught.value)
        assert StandardKey("7", KEY).renew({}) is False

    @pytest.mark.parametrize("kind", ["advanced", "standard"])
    def test_an_answer_that_shows_the_headers(self, server, make_api, kind):
        server.on(
            "POST",
            GET + "/",
            lambda received: Reply(
                403,
                json={
                    "reply": {
                        "err_code": 403,
                        "err_msg": "sent: %s" % dict(received.headers),
                        "err_extra": [KEY, dict(received.headers)],
                    }
                },
            ),
        )
        with pytest.raises(HttpError) as caught:
            make_api(api_key_type=kind).get_scan("s")
        assert KEY not in texts_of(caught.value)
        assert server.requests[0].headers["Authorization"] not in texts_of(caught.value)

    @pytest.mark.parametrize("name", ["api_key", "api_key_id"])
    def test_an_empty_key(self, make_api, name):
        with pytest.raises(TaskFailed, match="%s is empty: give it, or set CORTEX_%s" % (name, name.upper())):
            make_api(**{name: " "})


class TestAddress:
    @pytest.mark.parametrize(
        "given, address",
        [
            ("acme.crtx.us.example", "https://api-acme.crtx.us.example"),
            ("api-acme.example/", "https://api-acme.example"),
            ("https://acme.example", "https://acme.example"),
            ("http://127.0.0.1:5", "http://127.0.0.1:5"),
        ],
    )
    def test_what_may_be_given(self, given, address):
        assert api_address(given) == address

    @pytest.mark.parametrize("given", ["http://acme.example", "user:sesame@acme.example", "https://", ""])
    def test_a_bad_one_fails_the_task(self, make_api, given):
        with pytest.raises(TaskFailed) as caught:
            make_api(base_url=given)
        assert "sesame" not in str(caught.value)

    def test_without_requests(self, monkeypatch):
        monkeypatch.setattr(xpanse, "REQUESTS_IMPORT_ERROR", "Traceback")
        with pytest.raises(MissingLibrary):
            xpanse.connect(Task({}, False, None))


class TestExplain:
    @pytest.mark.parametrize(
        "body, code, text, reference",
        [
            ({"reply": {"err_code": 500, "err_msg": "m", "err_extra": "e"}}, "err_code 500", "m", "err_extra: e"),
            ({"reply": {"err_code": "100", "err_msg": "m", "err_extra": None}}, "err_code 100", "m", None),
            ({"err_code": 401, "err_msg": "m", "err_extra": ["a", "b"]}, "err_code 401", "m", "err_extra: ['a', 'b']"),
            (
                {"code": 422, "status": "x", "message": "m", "errors": {"a": "b"}},
                "err_code 422",
                "m",
                "err_extra: {'a': 'b'}",
            ),
            ({"reply": {"err_code": 0}}, "err_code 0", None, None),
            ({"reply": "text"}, None, None, None),
            ({}, None, None, None),
            ([], None, None, None),
            (None, None, None, None),
        ],
    )
    def test_dialects(self, body, code, text, reference):
        said = explain(400, body)
        assert (said.code, said.text, said.reference) == (code, text, reference)

    def test_an_error_says_everything(self, server, api):
        server.expect(
            "POST",
            GET + "/",
            Reply(
                500,
                json={"reply": {"err_code": 100, "err_msg": "An error occurred", "err_extra": "incorrect request values"}},
            ),
        )
        with pytest.raises(HttpError) as caught:
            api.get_scan("s")
        assert str(caught.value) == (
            "POST %s/: HTTP 500, err_code 100: An error occurred (err_extra: incorrect request values)." % GET
        )

    def test_hints(self):
        assert all(hint(status, None) for status in (401, 402, 403, 404, 429)) and hint(500, None) is None

    @pytest.mark.parametrize(
        "status, body, words",
        [
            (401, "", "HTTP 401, the body is empty."),
            (403, "<html>", "starts with '<html>'"),
            (402, '{"reply": {"err_code": 402, "err_msg": "No licence"}}', "no licence"),
            (200, "", "HTTP 200, but the body is empty"),
            (200, "[]", "no reply object"),
            (200, "true", "no reply object"),
            (200, '{"reply": "x"}', "no reply object"),
            (
                200,
                '{"reply": {"err_code": 403, "err_msg": "No", "err_extra": "e"}}',
                "err_code 403: No (err_extra: e). The role",
            ),
        ],
    )
    def test_an_error_is_never_an_answer(self, server, api, status, body, words):
        for call, path in (
            (lambda: api.get_scan("s"), GET),
            (lambda: api.get_or_create(1, "r", "s"), GET_OR_CREATE),
            (lambda: api.get_alerts([]), GET_ALERTS),
        ):
            server.expect("POST", path + "/", Reply(status, body))
            with pytest.raises(HttpError) as caught:
                call()
            assert words in str(caught.value)


class TestSpelling:
    def test_with_a_slash_and_EQ_first(self, server, api):
        server.expect(
            "POST",
            GET_OR_CREATE + "/",
            reply(201, scanId="s1"),
            json={
                "request_data": {
                    "filters": [
                        {"field": "attack_surface_rule_id", "operator": "EQ", "value": "Rdp"},
                        {"field": "alert_internal_id", "operator": "EQ", "value": 5},
                        {"field": "service_id", "operator": "EQ", "value": "u"},
                    ]
                }
            },
        )
        server.expect(
            "POST",
            GET + "/",
            reply(status="IN_PROGRESS"),
            json={"request_data": {"filters": [{"field": "id", "operator": "EQ", "value": "s1"}]}},
        )
        assert api.get_or_create(5, "Rdp", "u") == ("s1", True)
        api.get_scan("s1")

    def test_a_tenant_without_slashes_is_learned_once(self, server, api):
        server.expect("POST", GET + "/", Reply(404, "404 page not found"))
        server.expect("POST", GET, reply(status="IN_PROGRESS"), reply(status="IN_PROGRESS"))
        server.expect("POST", GET_OR_CREATE, reply(scanId="s"))
        api.get_scan("s")
        api.get_scan("s")
        api.get_or_create(1, "r", "u")

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_to_the_other_slash(self, server, api, status):
        server.expect("POST", GET_OR_CREATE + "/", Reply(status, headers={"Location": GET_OR_CREATE}))
        server.expect("POST", GET_OR_CREATE, reply(201, scanId="s"))
        assert api.get_or_create(1, "r", "u") == ("s", True)
        assert server.requests[0].body == server.requests[1].body

    def test_a_tenant_that_takes_eq_is_learned_once(self, server, api):
        for status in (400, 422):
            api._equals = None
            server.expect("POST", GET + "/", Reply(status, json={"reply": {"err_code": status}}))
            server.expect(
                "POST",
                GET + "/",
                reply(status="IN_PROGRESS"),
                reply(status="IN_PROGRESS"),
                json={"request_data": {"filters": [{"field": "id", "operator": "eq", "value": "s"}]}},
            )
            api.get_scan("s")
            api.get_scan("s")

    def test_both_refused(self, server, api):
        server.expect(
            "POST",
            GET + "/",
            Reply(400, json={"reply": {"err_msg": "first"}}),
            Reply(400, json={"reply": {"err_msg": "second"}}),
        )
        with pytest.raises(HttpError, match="second"):
            api.get_scan("s")
        # Nothing was learned from that.
        server.expect(
            "POST",
            GET + "/",
            reply(status="IN_PROGRESS"),
            json={"request_data": {"filters": [{"field": "id", "operator": "EQ", "value": "s"}]}},
        )
        api.get_scan("s")

    def test_what_is_known_is_not_doubted(self, server, api):
        server.expect("POST", GET + "/", reply(status="IN_PROGRESS"), Reply(400, json={}))
        api.get_scan("s")
        with pytest.raises(HttpError):
            api.get_scan("bad")

    def test_ten_threads_learn_at_once(self, server, api):
        """Those that are refused after another one has learned it try the other spelling, too."""
        everybody = threading.Barrier(10)
        learned = threading.Event()

        def answer(received):
            if received.json["request_data"]["filters"][0]["operator"] == "eq":
                learned.set()
                return reply(status="SUCCESS")
            if everybody.wait(10):
                learned.wait(10)
                time.sleep(0.05)
            return Reply(400, json={"reply": {"err_code": 400}})

        server.on("POST", GET + "/", answer)
        with ThreadPoolExecutor(10) as pool:
            assert [scan["status"] for scan in pool.map(api.get_scan, map(str, range(10)))] == ["SUCCESS"] * 10

    def test_ten_threads_learn_the_slash_at_once(self, server, api):
        everybody = threading.Barrier(10)

        def refuse(received):
            everybody.wait(10)
            return Reply(404, "no such page")

        server.on("POST", GET + "/", refuse)
        server.on("POST", GET, reply(status="SUCCESS"))
        with ThreadPoolExecutor(10) as pool:
            assert len(list(pool.map(api.get_scan, map(str, range(10))))) == 10
        assert api.get_scan("s") and len(server.requests) == 21


class TestCalls:
    @pytest.mark.parametrize("status, created", [(201, True), (200, False)])
    def test_only_201_is_new(self, server, api, status, created):
        server.expect("POST", GET_OR_CREATE + "/", reply(status, scanId="s"))
        assert api.get_or_create(1, "r", "u") == ("s", created)

    @pytest.mark.parametrize("status", [202, 203])
    def test_other_good_statuses_are_no_answer(self, server, api, status):
        server.expect("POST", GET_OR_CREATE + "/", reply(status, scanId="s"))
        with pytest.raises(HttpError, match="HTTP %d is neither a new scan" % status):
            api.get_or_create(1, "r", "u")
        server.expect("POST", GET + "/", reply(status, status="SUCCESS", result="REMEDIATED"))
        with pytest.raises(HttpError, match="HTTP %d is no answer" % status):
            api.get_scan("s")

    def test_what_is_on_record_refers_to_the_scan(self, server, api):
        record = []
        server.expect("POST", GET_OR_CREATE + "/", reply(201, scanId="s1"))
        server.expect("POST", GET + "/", reply(status="IN_PROGRESS"))
        api.get_or_create(1, "r", "u", record=record)
        api.get_scan("s1", record)
        assert [(one["status"], one["reference"]) for one in record] == [(201, "scanId s1"), (200, "scanId s1")]

    @pytest.mark.parametrize("content", [{}, {"scanId": None}, {"scanId": 5}, {"scanId": ""}, {"scan_id": "s"}])
    def test_no_scan_id(self, server, api, content):
        server.expect("POST", GET_OR_CREATE + "/", reply(201, **content))
        with pytest.raises(HttpError, match="the answer holds no scanId"):
            api.get_or_create(1, "r", "u")

    def test_get_or_create_is_repeated(self, server, api, quick_back_off):
        """Asking again finds the scan that a lost answer was about."""
        server.expect(
            "POST",
            GET_OR_CREATE + "/",
            Reply(502),
            Reply(drop=True),
            Reply(429),
            Reply(201, json={"reply": {"scanId": "s"}}, close_after=9),
            reply(200, scanId="s"),
        )
        assert api.get_or_create(1, "r", "u") == ("s", False)
        assert len({request.body for request in server.requests}) == 1

    def test_check_mode(self, server, make_api):
        api = make_api(check_mode=True)
        for slash in ("/", ""):
            api._slash = slash
            with pytest.raises(WouldChange):
                api.get_or_create(1, "r", "u")
        assert server.connections == 0
        server.expect("POST", GET, reply(status="IN_PROGRESS"))
        server.expect("POST", GET_ALERTS, reply(alerts=[], total_count=0))
        api.get_scan("s")
        api.get_alerts([])

    @pytest.mark.parametrize(
        "answer",
        [
            Reply(404, json={"reply": {"err_code": 404, "err_msg": "not found"}}),
            Reply(500, json={"reply": {"err_code": 404, "err_msg": "not found"}}),
            Reply(400, json={"reply": {"err_code": "404", "err_msg": "not found"}}),
            Reply(200, json={"reply": {"err_code": 404, "err_msg": "not found"}}),
        ],
    )
    def test_a_scan_that_nobody_knows(self, server, api, answer):
        api._equals = "EQ"
        server.expect("POST", GET + "/", answer)
        with pytest.raises(ScanNotFound, match="not found"):
            api.get_scan("s")

    def test_a_404_without_words(self, server, api):
        server.expect("POST", GET + "/", Reply(404, ""))
        server.expect("POST", GET, Reply(404, ""))
        with pytest.raises(ScanNotFound):
            api.get_scan("s")

    @pytest.mark.parametrize("status", [402, 403, 501])
    def test_other_errors_are_errors(self, server, api, status):
        server.expect("POST", GET + "/", Reply(status, json={"reply": {"err_code": status, "err_msg": "m"}}))
        with pytest.raises(HttpError):
            api.get_scan("s")


def alert_pages(server, count, counted=9999, total=True):
    """A server of so many alerts."""

    def page(received):
        asked = received.json["request_data"]
        assert asked["sort"] == {"field": "creation_time", "keyword": "desc"}
        content = {"alerts": list(range(count))[asked["search_from"] : asked["search_to"]]}
        return reply(**content, **({"total_count": min(count, counted)} if total else {}))

    server.on("POST", GET_ALERTS + "/", page)


class TestAlerts:
    @pytest.mark.parametrize("total", [True, False])
    @pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 350])
    def test_to_the_end(self, server, api, count, total):
        alert_pages(server, count, total=total)
        assert api.get_alerts([]) == (list(range(count)), count, False)

    def test_a_total_that_counts_no_further(self, server, api):
        """Known is that it counts to 9,999. Any other total that is too small is somebody else's."""
        alert_pages(server, 350, counted=200)
        assert api.get_alerts([]) == (list(range(350)), 350, True)

    @pytest.mark.parametrize(
        "limit, requests, truncated",
        [(1, 1, True), (100, 1, True), (101, 2, True), (249, 3, True), (250, 3, False), (251, 3, False)],
    )
    def test_a_limit(self, server, api, limit, requests, truncated):
        alert_pages(server, 250)
        alerts, total, cut = api.get_alerts([], limit)
        assert (len(alerts), total, cut) == (min(limit, 250), 250, truncated)
        assert len(server.requests) == requests

    def test_a_server_that_ignores_where_to_begin(self, server, api):
        server.on("POST", GET_ALERTS + "/", reply(alerts=list(range(100)), total_count=200))
        with pytest.raises(HttpError, match="the same page came twice"):
            api.get_alerts([])
        assert len(server.requests) == 2

    def test_the_filters_are_sent(self, server, api):
        filters = [{"field": "alert_id_list", "operator": "in", "value": [1]}]
        server.expect(
            "POST",
            GET_ALERTS + "/",
            reply(alerts=[], total_count=0),
            json={
                "request_data": {
                    "filters": filters,
                    "search_from": 0,
                    "search_to": 100,
                    "sort": {"field": "creation_time", "keyword": "desc"},
                }
            },
        )
        api.get_alerts(filters)

    def test_a_server_with_smaller_pages(self, server, api):
        """Where it does not say how many there are, only an empty page is the end."""

        def page(received):
            asked = received.json["request_data"]
            return reply(alerts=list(range(130))[asked["search_from"] : min(asked["search_to"], asked["search_from"] + 50)])

        server.on("POST", GET_ALERTS + "/", page)
        alerts, _total, truncated = api.get_alerts([])
        assert truncated or alerts == list(range(130))

    def test_pages_that_never_end(self, server, api, monkeypatch):
        monkeypatch.setattr(xpanse, "MOST_ALERTS", 350)
        alert_pages(server, 10_000, counted=0)
        with pytest.raises(HttpError, match="more than 350 alerts, or the pages never end"):
            api.get_alerts([])

    @pytest.mark.parametrize("content", [{}, {"alerts": None}, {"alerts": {}}])
    def test_no_list(self, server, api, content):
        server.expect("POST", GET_ALERTS + "/", reply(**content))
        with pytest.raises(HttpError, match="the answer holds no list of alerts"):
            api.get_alerts([])


EXPOSURE = dict(alert_internal_id="231", attack_surface_rule_id="Rdp", service_id="u1")


class TestIds:
    @pytest.mark.parametrize("alert_id, sent", [("231", 231), (231, 231), (" 7 ", 7), ("007", 7), ("a-1", "a-1"), ("0", 0)])
    def test_ids(self, alert_id, sent):
        assert exposure_of(dict(alert_internal_id=alert_id, attack_surface_rule_id=" r", service_id="s ")) == (
            sent,
            "r",
            "s",
        )

    @pytest.mark.parametrize(
        "request_, words",
        [
            ({}, "alert_internal_id and attack_surface_rule_id and service_id are missing"),
            (dict(alert_internal_id="1", service_id="s"), "attack_surface_rule_id is missing"),
            (
                dict(alert_internal_id="1", attack_surface_rule_id=None, service_id=" "),
                "attack_surface_rule_id and service_id are",
            ),
            (
                dict(alert_internal_id="-4", attack_surface_rule_id="r", service_id="s"),
                "alert_internal_id -4 is negative",
            ),
            (
                dict(alert_internal_id=-4, attack_surface_rule_id="r", service_id="s"),
                "alert_internal_id -4 is negative",
            ),
        ],
    )
    def test_ids_that_cannot_be_sent(self, request_, words):
        with pytest.raises(ItemFailed, match=words):
            exposure_of(request_)

    @pytest.mark.parametrize(
        "services, found",
        [
            (["u1", "u2"], ["u1", "u2"]),
            ("u1", ["u1"]),
            ("u1, u2,", ["u1", "u2"]),
            (["u1", None, ""], ["u1"]),
            (["u1", {}, ["x"]], ["u1"]),
        ],
    )
    def test_targets(self, services, found):
        alert = dict(alert_id="231", attack_surface_rule_id="r", service_ids=services, external_id="other")
        assert scan_targets(alert) == [
            dict(alert_internal_id=231, attack_surface_rule_id="r", service_id=service) for service in found
        ]

    def test_targets_of_an_alert_that_was_reopened(self):
        alert = dict(
            alert_id="231",
            attack_surface_rule_id="r",
            service_ids=["u"],
            resolution_status="STATUS_020_REOPENED",
            last_modified_ts=1795348800000,
        )
        assert scan_targets(alert)[0]["newer_than"] == "2026-11-22T12:00:00Z"
        del alert["last_modified_ts"]
        assert scan_targets(alert, "2026-11-22T13:00:00Z")[0]["newer_than"] == "2026-11-22T13:00:00Z"
        # Where nobody knows when, no scan is new enough.
        assert scan_targets(alert)[0]["newer_than"] == "9999-12-31T23:59:59Z"

    @pytest.mark.parametrize(
        "alert, words",
        [
            (dict(service_ids=["u"]), "no attack surface rule,"),
            (dict(attack_surface_rule_id="r"), "no service,"),
            (dict(attack_surface_rule_id="", service_ids=" , "), "no attack surface rule and no service,"),
            (dict(attack_surface_rule_id="r", service_ids=[None]), "no service,"),
            (dict(attack_surface_rule_id="r", service_ids={"u": 1}), "no service,"),
            (dict(attack_surface_rule_id=["r"], service_ids=["u"]), "no attack surface rule,"),
            (dict(attack_surface_rule_id="r", service_ids=["u"], alert_id={"a": 1}), "no id,"),
        ],
    )
    def test_alerts_that_cannot_be_scanned(self, alert, words):
        with pytest.raises(ItemFailed, match=words):
            scan_targets(dict(dict(alert_id="1"), **alert))


def test_many_against_a_server(server, make_api):
    """Everything together: a hundred exposures and a server that remembers what it was asked."""
    api = make_api(concurrency=8)
    lock = threading.Lock()
    looks, created = {}, []

    def create(received):
        values = {entry["field"]: entry["value"] for entry in received.json["request_data"]["filters"]}
        with lock:
            created.append(values["alert_internal_id"])
        return reply(201, scanId="s%d" % values["alert_internal_id"])

    def get(received):
        scan_id = received.json["request_data"]["filters"][0]["value"]
        with lock:
            looks[scan_id] = looks.get(scan_id, 0) + 1
        if looks[scan_id] < 3:
            return reply(status="IN_PROGRESS")
        return reply(status="SUCCESS", result="UNREMEDIATED" if scan_id.endswith("7") else "REMEDIATED")

    server.on("POST", GET_OR_CREATE + "/", create)
    server.on("POST", GET + "/", get)
    items = [{} for _number in range(100)]
    every = Pace(0.05)
    endings = drive(
        [
            confirmation_scan(api, Ledger(None), every, item, dict(EXPOSURE, alert_internal_id=str(number)), wait=True)
            for number, item in enumerate(items)
        ],
        8,
        60,
        line=every,
    )
    assert endings == [None] * 100
    assert sorted(created) == list(range(100))
    assert [item["scan_id"] for item in items] == ["s%d" % number for number in range(100)]
    assert [number for number, item in enumerate(items) if item["outcome"] == "unremediated"] == list(range(7, 100, 10))
    assert server.connections <= 8
