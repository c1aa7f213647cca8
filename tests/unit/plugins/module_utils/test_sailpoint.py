# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint's API, against real sockets."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    CampaignNotFound,
    OperationConflict,
    ReportGone,
    SailPointApi,
    campaign_filters,
    explain,
    hint,
)

SECRET = "client+secret/with odd=signs"
CONFLICT = Reply(
    400,
    json={
        "detailCode": "400.2.0 Conflict",
        "trackingId": "t1",
        "messages": [{"locale": "en-US", "text": "A conflicting operation is already in progress."}],
    },
)


@pytest.fixture
def make_api(server, connection_options):
    """Makes connections to the server."""

    def make(check_mode=False, **changes):
        options = connection_options(
            base_url=server.url, client_id=None, client_secret=None, access_token="token-0", api_version="v1"
        )
        options.update(changes)
        return SailPointApi(options, check_mode)

    return make


@pytest.fixture
def api(make_api):
    """A connection to the server, with a token."""
    return make_api()


@pytest.fixture
def logins(server):
    """Gives out token-1, token-2, ..., and returns their list; settings: `lifetime`, `good` (tokens that are taken)."""

    class Logins(list):
        lifetime = 749
        good = None

    tokens = Logins()

    def log_in(received):
        assert received.form == {"grant_type": "client_credentials", "client_id": "id", "client_secret": SECRET}
        assert received.headers["Authorization"] is None
        tokens.append("token-%d" % (len(tokens) + 1))
        return Reply(json={"access_token": tokens[-1], "token_type": "bearer", "expires_in": tokens.lifetime})

    def campaign(received):
        token = received.headers["Authorization"].partition("Bearer ")[2]
        if tokens.good is not None and token not in tokens.good:
            return Reply(401, json={"error": "JWT validation failed: JWT is expired"})
        return Reply(json={"id": "c1", "modified": "m"})

    server.on("POST", "/oauth/token", log_in)
    server.on("GET", "/campaigns/v1/c1", campaign)
    return tokens


@pytest.fixture
def client_api(make_api):
    """A connection to the server, with client credentials."""
    return make_api(client_id="id", client_secret=SECRET, access_token=None)


def texts_of(error):
    """Everything that anybody could show of an exception."""
    return str(error) + repr(error) + "".join(traceback.format_exception(type(error), error, error.__traceback__))


class Clock:
    """Stands in for the module `time`."""

    now = 1000.0

    def monotonic(self):
        """The moment that the test wants."""
        return self.now


class TestToken:
    def test_when_it_is_first_needed_and_for_everybody(self, server, client_api, logins):
        assert not server.requests
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(client_api.get_campaign, ["c1"] * 30))
        assert logins == ["token-1"]
        assert client_api.secrets == {SECRET, "token-1"}

    def test_a_401_for_ten_threads_is_one_new_token(self, server, client_api, logins):
        client_api.get_campaign("c1")
        logins.good = {"token-2"}
        everybody = threading.Barrier(10)

        def work(number):
            everybody.wait(10)
            return client_api.get_campaign("c1")["id"]

        with ThreadPoolExecutor(10) as pool:
            assert list(pool.map(work, range(10))) == ["c1"] * 10
        assert logins == ["token-1", "token-2"]

    def test_a_late_401_for_an_old_token_makes_no_newer_one(self, server, client_api, logins):
        """A slow answer to the old token comes after another thread has got the new one."""
        client_api.get_campaign("c1")
        logins.good = {"token-2"}
        really = server._always[0][2]
        asked = threading.Event()

        def slow(received):
            asked.set()
            return Reply(401, json={"error": "expired"}, delay=0.4 if "token-1" in received.headers["Authorization"] else 0)

        server.on(
            "GET",
            "/campaigns/v1/slow",
            lambda received: slow(received) if "token-1" in received.headers["Authorization"] else really(received),
        )
        with ThreadPoolExecutor(2) as pool:
            late = pool.submit(client_api.get_campaign, "slow")
            assert asked.wait(10)
            client_api.get_campaign("c1")
            late.result(20)
        assert logins == ["token-1", "token-2"]

    def test_a_second_401_is_an_error(self, client_api, logins):
        logins.good = set()
        with pytest.raises(HttpError) as caught:
            client_api.get_campaign("c1")
        assert caught.value.status == 401
        assert "JWT validation failed: JWT is expired. Check client_id and client_secret" in str(caught.value)
        assert logins == ["token-1", "token-2"]

    def test_it_is_renewed_before_it_expires(self, client_api, logins, monkeypatch):
        authentication = client_api.client.authentication
        monkeypatch.setattr(sailpoint, "time", clock := Clock())
        for elapsed, tokens in ((0, 1), (688, 1), (690, 2), (1377, 2), (1380, 3)):
            clock.now = 1000 + elapsed
            assert authentication.headers() == {"Authorization": "Bearer token-%d" % tokens}
            assert len(logins) == tokens

    @pytest.mark.parametrize("lifetime, until", [(10, 9), (1, 0.9), (0, 54), (-5, 54), (None, 54), ("749", 54), (7200, 7140)])
    def test_odd_lifetimes(self, client_api, logins, lifetime, until):
        logins.lifetime = lifetime
        client_api.get_campaign("c1")
        left = client_api.client.authentication._renew_at - time.monotonic()
        assert until - 5 < left <= until

    def test_an_access_token_cannot_be_renewed(self, server, api):
        server.expect("GET", "/campaigns/v1/c1", Reply(401, json={"error": "expired"}))
        with pytest.raises(HttpError) as caught:
            api.get_campaign("c1")
        assert "or give a fresh access_token" in str(caught.value)

    def test_an_access_token_with_a_line_end(self, server, make_api):
        server.expect("GET", "/campaigns/v1/c1", Reply(json={"modified": "m"}))
        make_api(access_token="token-0\n").get_campaign("c1")
        assert server.requests[0].headers["Authorization"] == "Bearer token-0"

    def test_an_access_token_wins(self, make_api, server):
        server.expect("GET", "/campaigns/v1/c1", Reply(json={"modified": "m"}))
        make_api(client_id="id", client_secret=SECRET).get_campaign("c1")

    @pytest.mark.parametrize(
        "given, words",
        [
            (dict(), "client_id and client_secret are not given"),
            (dict(client_id="x"), "client_secret is not given"),
            (dict(client_secret="x"), "client_id is not given"),
        ],
    )
    def test_no_credentials(self, make_api, given, words):
        with pytest.raises(TaskFailed) as caught:
            make_api(access_token=None, **given)
        assert words in str(caught.value) and "SAIL_ACCESS_TOKEN" in str(caught.value)

    def test_wrong_credentials(self, server, client_api):
        server.on(
            "POST",
            "/oauth/token",
            lambda received: Reply(
                401,
                json={
                    "error": "invalid_client",
                    "error_description": "Bad client credentials: " + received.body.decode(),
                },
            ),
        )
        with pytest.raises(HttpError) as caught:
            client_api.get_campaign("c1")
        text = str(caught.value)
        assert text.startswith("POST /oauth/token: HTTP 401, invalid_client: Bad client credentials")
        assert "Check client_id and client_secret" in text
        for part in (SECRET, "client%2Bsecret", "odd"):
            assert part not in texts_of(caught.value)
        # A login cannot be repaired by another login.
        assert len(server.requests) == 1

    def test_a_login_that_fails_fails_for_all_who_wait_for_it(self, server, client_api):
        """Otherwise every thread in turn would wait for a dead address, one after the other."""
        everybody = threading.Barrier(10)
        server.on("POST", "/oauth/token", Reply(403, json={"error": "no"}, delay=0.5))

        def work(number):
            everybody.wait(10)
            with pytest.raises(HttpError, match="HTTP 403: no"):
                client_api.get_campaign("c1")

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(work, range(10)))
        # What cannot succeed is not tried again later, either.
        with pytest.raises(HttpError, match="HTTP 403: no"):
            client_api.get_campaign("c1")
        assert len(server.requests) == 1

    def test_a_login_that_failed_for_a_while_is_tried_again(self, server, make_api):
        api = make_api(client_id="id", client_secret=SECRET, access_token=None, retry_timeout=0)
        server.expect("POST", "/oauth/token", Reply(503), Reply(json={"access_token": "t", "expires_in": 99}))
        server.on("GET", "/campaigns/v1/c1", Reply(json={"modified": "m"}))
        with pytest.raises(HttpError, match="HTTP 503"):
            api.get_campaign("c1")
        api.get_campaign("c1")

    @pytest.mark.parametrize("status", [400, 403, 404, 410])
    def test_a_login_that_fails_is_no_answer_about_a_campaign(self, server, client_api, tmp_path, status):
        """A wrong base_url must not end as "no such campaign", nor as a purged report."""
        server.on("POST", "/oauth/token", Reply(status, json={"detailCode": "400.2.0"}))
        for call in (
            lambda: client_api.get_campaign("c1"),
            lambda: client_api.list_reports("c1"),
            lambda: client_api.run_report("c1", "T"),
            lambda: client_api.download_report("r1", "csv", str(tmp_path / "f")),
        ):
            with pytest.raises(HttpError, match="POST /oauth/token: HTTP %d" % status):
                call()
        assert server.seen() == ["POST /oauth/token"]

    @pytest.mark.parametrize("body", [{}, [], "x", {"access_token": 5}, {"access_token": ""}, None])
    def test_a_login_without_a_token(self, server, client_api, body):
        server.expect("POST", "/oauth/token", Reply(body=json.dumps(body)))
        with pytest.raises(HttpError, match="the answer holds no access_token"):
            client_api.get_campaign("c1")

    def test_a_login_is_repeated(self, server, client_api, quick_back_off):
        server.expect(
            "POST",
            "/oauth/token",
            Reply(502),
            Reply(429),
            Reply(drop=True),
            Reply(json={"access_token": "t", "expires_in": 99}),
        )
        server.expect("GET", "/campaigns/v1/c1", Reply(json={"modified": "m"}))
        client_api.get_campaign("c1")

    def test_a_minted_token_is_hidden(self, server, client_api, logins):
        server.expect("POST", "/oauth/token", Reply(json={"access_token": "minted-7", "expires_in": 99}))
        server.expect("GET", "/campaigns/v1/c1", Reply(400, json={"message": "your header was Bearer minted-7"}))
        with pytest.raises(HttpError) as caught:
            client_api.get_campaign("c1")
        assert "minted-7" not in texts_of(caught.value)


class TestExplain:
    @pytest.mark.parametrize(
        "body, code, text, reference",
        [
            (
                {
                    "detailCode": "400.1 Bad",
                    "trackingId": "e7",
                    "messages": [{"locale": "en-US", "text": "No."}],
                    "causes": [{"locale": "en", "text": "Why."}],
                },
                "400.1 Bad",
                "No.; Why.",
                "trackingId e7",
            ),
            ({"messages": [{"locale": "de", "text": "Nein."}, {"locale": "en-US", "text": "No."}]}, None, "No.", None),
            ({"messages": [{"locale": "de", "text": "Nein."}]}, None, "Nein.", None),
            ({"messages": [{"text": "No."}], "causes": [{"text": "No."}]}, None, "No.", None),
            ({"error": "JWT"}, None, "JWT", None),
            ({"error": "invalid_client", "error_description": "Bad"}, "invalid_client", "Bad; invalid_client", None),
            ({"message": " Rate Limit Exceeded "}, None, "Rate Limit Exceeded", None),
            ({"formatted_msg": "f"}, None, "f", None),
            ({"errorMessage": "e"}, None, "e", None),
            ({"detailMessage": "d"}, None, "d", None),
            ({"messages": "text", "causes": 5, "error": {"a": 1}, "message": None}, None, None, None),
            ({"messages": {"a": 1}, "causes": [None, "x", {"text": 5}]}, None, None, None),
            ([], None, None, None),
            (None, None, None, None),
            ("x", None, None, None),
            ({}, None, None, None),
        ],
    )
    def test_dialects(self, body, code, text, reference):
        said = explain(400, body)
        assert (said.code, said.text, said.reference) == (code, text, reference)

    def test_an_error_says_everything(self, server, api):
        server.expect(
            "GET",
            "/campaigns/v1/c1",
            Reply(
                400,
                json={"detailCode": "400.1 Bad", "trackingId": "e7", "messages": [{"locale": "en-US", "text": "No."}]},
            ),
        )
        with pytest.raises(HttpError) as caught:
            api.get_campaign("c1")
        assert str(caught.value) == "GET /campaigns/v1/c1: HTTP 400, 400.1 Bad: No (trackingId e7)."

    def test_hints(self):
        assert all(hint(status, None) for status in (401, 403, 404, 429)) and hint(500, None) is None


class TestPaths:
    @pytest.mark.parametrize(
        "version, start",
        [
            ("v1", "/campaigns/v1"),
            ("v2026", "/v2026/campaigns"),
            ("v2025", "/v2025/campaigns"),
            ("v2024", "/v2024/campaigns"),
            ("v3", "/v3/campaigns"),
            ("beta", "/beta/campaigns"),
        ],
    )
    def test_all_calls_in_all_versions(self, server, make_api, tmp_path, version, start):
        api = make_api(api_version=version)
        query = {} if version == "beta" else {"detail": "FULL"}
        server.expect("GET", start + "/c1", Reply(json={"modified": "m"}), query=query)
        server.expect("GET", start, Reply(json=[]))
        server.expect("POST", start + "/c1/run-remediation-scan", Reply(202, json={}))
        server.expect("GET", start + "/c1/reports", Reply(json=[]))
        server.expect("POST", start + "/c1/run-report/T", Reply(202, json={}))
        server.expect(
            "GET",
            start.replace("campaigns", "reports") + "/r1",
            Reply(body="a,b\n", headers={"Content-Type": "text/csv"}),
            query={"fileFormat": "csv"},
        )
        api.get_campaign("c1")
        api.list_campaigns(None)
        api.run_remediation_scan("c1")
        api.list_reports("c1")
        api.run_report("c1", "T")
        api.download_report("r1", "csv", str(tmp_path / "f.csv"))

    @pytest.mark.parametrize("campaign_id", ["../../oauth", "a/b", "a?b=c", "a#b", "a b", "ä", "%2e%2e"])
    def test_an_id_stays_one_part_of_the_path(self, server, api, campaign_id):
        server.on("GET", "/never", Reply())
        with pytest.raises(CampaignNotFound):
            server.take = lambda received: (server.requests.append(received), Reply(404, json={}))[1]
            api.get_campaign(campaign_id)
        path = server.requests[0].path
        assert path.startswith("/campaigns/v1/") and path.count("/") == 3


class TestCampaigns:
    def test_404(self, server, api):
        server.expect("GET", "/campaigns/v1/c1", Reply(404, json={"detailCode": "404"}))
        with pytest.raises(CampaignNotFound):
            api.get_campaign("c1")

    def test_a_report_admin_falls_back_to_the_list(self, server, api):
        """And does not ask in vain again."""
        server.expect("GET", "/campaigns/v1/c1", Reply(403, json={}))
        server.expect(
            "GET",
            "/campaigns/v1",
            Reply(json=[{"id": "c1", "modified": "m"}]),
            query={
                "detail": "FULL",
                "limit": "1",
                "offset": "0",
                "count": "true",
                "sorters": "name",
                "filters": 'id eq "c1"',
            },
        )
        server.expect("GET", "/campaigns/v1", Reply(json=[]))
        assert api.get_campaign("c1")["modified"] == "m"
        with pytest.raises(CampaignNotFound):
            api.get_campaign('c"2\\')
        assert server.requests[2].query["filters"] == ['id eq "c\\"2\\\\"']

    def test_an_answer_without_modified_is_completed_from_the_list(self, server, make_api):
        api = make_api(api_version="beta")
        server.expect("GET", "/beta/campaigns/c1", Reply(json={"id": "c1"}))
        server.expect("GET", "/beta/campaigns", Reply(json=[{"id": "c1", "modified": "m"}]))
        assert api.get_campaign("c1")["modified"] == "m"

    @pytest.mark.parametrize("body", [[], "x", 5])
    def test_an_answer_that_is_no_campaign(self, server, api, body):
        server.expect("GET", "/campaigns/v1/c1", Reply(json=body))
        with pytest.raises(HttpError, match="the answer is not a campaign object"):
            api.get_campaign("c1")

    @pytest.mark.parametrize("status", [501, 400])
    def test_other_errors_are_errors(self, server, api, status):
        server.expect("GET", "/campaigns/v1/c1", Reply(status, json={}))
        with pytest.raises(HttpError):
            api.get_campaign("c1")


def pages(server, count, most=250, total=True):
    """A server of so many campaigns, at most so many a page."""

    def page(received):
        offset, limit = int(received.query["offset"][0]), min(int(received.query["limit"][0]), most)
        return Reply(
            json=[{"id": number} for number in range(count)][offset : offset + limit],
            headers={"X-Total-Count": str(count)} if total else {},
        )

    server.on("GET", "/campaigns/v1", page)


class TestPaging:
    @pytest.mark.parametrize("total", [True, False])
    @pytest.mark.parametrize("count", [0, 1, 249, 250, 251, 500, 612])
    def test_to_the_end(self, server, api, count, total):
        pages(server, count, total=total)
        found, said, truncated = api.list_campaigns(None)
        assert [campaign["id"] for campaign in found] == list(range(count))
        assert (said, truncated) == (count, False)

    def test_a_server_with_smaller_pages(self, server, api):
        pages(server, 130, most=50)
        assert len(api.list_campaigns(None)[0]) == 130

    @pytest.mark.parametrize(
        "limit, requests, truncated",
        [
            (1, 1, True),
            (250, 1, True),
            (251, 2, True),
            (299, 2, True),
            (300, 2, False),
            (301, 2, False),
            (5000, 2, False),
        ],
    )
    def test_a_limit(self, server, api, limit, requests, truncated):
        pages(server, 300)
        found, total, cut = api.list_campaigns(None, limit)
        assert (len(found), total, cut) == (min(limit, 300), 300, truncated)
        assert len(server.requests) == requests

    def test_a_limit_where_the_total_is_not_said(self, server, api):
        pages(server, 300, total=False)
        found, total, truncated = api.list_campaigns(None, 100)
        assert (len(found), total, truncated) == (100, None, True)

    @pytest.mark.parametrize("total", ["-1", "many", "", "\u00b2"])
    def test_a_total_that_is_no_number(self, server, api, total):
        server.expect("GET", "/campaigns/v1", Reply(json=[{"id": 1}], headers={"X-Total-Count": total}), Reply(json=[]))
        assert api.list_campaigns(None)[1] == 1

    def test_a_total_that_is_too_high_does_not_loop(self, server, api):
        server.expect(
            "GET",
            "/campaigns/v1",
            Reply(json=[{"id": 1}], headers={"X-Total-Count": "9"}),
            Reply(json=[], headers={"X-Total-Count": "9"}),
        )
        assert len(api.list_campaigns(None)[0]) == 1

    def test_a_server_with_smaller_pages_that_does_not_say_how_many(self, server, api):
        """Then only an empty page is the end."""
        pages(server, 130, most=50, total=False)
        found, _total, truncated = api.list_campaigns(None)
        assert truncated or len(found) == 130

    def test_less_than_the_total_is_told(self, server, api):
        server.expect("GET", "/campaigns/v1", Reply(json=[{"id": 1}], headers={"X-Total-Count": "9"}), Reply(json=[]))
        assert api.list_campaigns(None) == ([{"id": 1}], 9, True)

    def test_one_that_comes_twice_is_told(self, server, api):
        """Then another was pushed over the edge of a page."""
        server.expect(
            "GET",
            "/campaigns/v1",
            Reply(json=[{"id": 1}, {"id": 2}], headers={"X-Total-Count": "4"}),
            Reply(json=[{"id": 2}, {"id": 4}], headers={"X-Total-Count": "4"}),
        )
        assert api.list_campaigns(None)[2] is True

    def test_pages_that_never_end(self, server, api, monkeypatch):
        monkeypatch.setattr(sailpoint, "MOST_CAMPAIGNS", 600)
        pages(server, 10_000, total=False)
        with pytest.raises(HttpError, match="more than 600 campaigns, or the pages never end"):
            api.list_campaigns(None)

    @pytest.mark.parametrize("body", [[None], ["c1"], [{"name": "no id"}], [{"id": None}], [[]]])
    def test_what_is_listed_and_is_no_campaign(self, server, api, body):
        server.expect("GET", "/campaigns/v1", Reply(json=body))
        with pytest.raises(HttpError, match="the answer is not a list of campaigns"):
            api.list_campaigns(None)

    def test_a_server_that_ignores_the_offset(self, server, api):
        server.on("GET", "/campaigns/v1", Reply(json=[{"id": number} for number in range(250)]))
        with pytest.raises(HttpError, match="the same page came twice"):
            api.list_campaigns(None)
        assert len(server.requests) == 2

    def test_not_a_list(self, server, api):
        server.expect("GET", "/campaigns/v1", Reply(json={"items": []}))
        with pytest.raises(HttpError, match="the answer is not a list of campaigns"):
            api.list_campaigns(None)

    @pytest.mark.parametrize(
        "given, expression",
        [
            ((None, None, None), None),
            (("", [], ""), None),
            (('a"b\\', None, None), 'name eq "a\\"b\\\\"'),
            ((None, ["ACTIVE", "COMPLETED"], None), 'status in ("ACTIVE", "COMPLETED")'),
            ((None, None, 'id eq "x" or id eq "y"'), 'id eq "x" or id eq "y"'),
            (("n", ["ACTIVE"], "a or b"), 'name eq "n" and status in ("ACTIVE") and (a or b)'),
        ],
    )
    def test_filters(self, given, expression):
        assert campaign_filters(*given) == expression


class TestOperations:
    @pytest.mark.parametrize(
        "call, path",
        [
            (lambda api: api.run_remediation_scan("c1"), "/campaigns/v1/c1/run-remediation-scan"),
            (lambda api: api.run_report("c1", "T"), "/campaigns/v1/c1/run-report/T"),
        ],
    )
    def test_what_may_come_of_them(self, server, api, make_api, call, path):
        with pytest.raises(WouldChange):
            call(make_api(check_mode=True))
        assert server.connections == 0

        server.expect("POST", path, CONFLICT)
        with pytest.raises(OperationConflict, match="trackingId t1"):
            call(api)
        # A 404 of this is not the campaign's absence.
        for other in (Reply(404, json={}), Reply(400, json={"detailCode": "400.1.2"}), Reply(400, ""), Reply(403, json={})):
            server.expect("POST", path, other)
            with pytest.raises(HttpError) as caught:
                call(api)
            assert not caught.value.uncertain
        for lost in (Reply(502), Reply(drop=True)):
            server.expect("POST", path, lost)
            with pytest.raises(HttpError) as caught:
                call(api)
            assert (
                "The server may have carried the request out all the same. Run again: it is asked for once more when the "
                "campaign is free." in str(caught.value)
            )

    @pytest.mark.parametrize(
        "call, path",
        [
            (lambda api, record: api.run_remediation_scan("c1", record), "/campaigns/v1/c1/run-remediation-scan"),
            (lambda api, record: api.run_report("c1", "T", record), "/campaigns/v1/c1/run-report/T"),
        ],
    )
    @pytest.mark.parametrize(
        "status, body",
        [
            (200, {}),
            (201, {}),
            (204, ""),
            (200, {"detailCode": "400.2.0 Conflict"}),
            (202, {"detailCode": "400.2.0 Conflict"}),
            (202, [{"detailCode": "400.2.0"}]),
            (202, "not accepted"),
            (202, {"message": "Forbidden"}),
            (202, False),
            (202, []),
        ],
    )
    def test_only_202_is_acceptance(self, server, api, call, path, status, body):
        server.expect("POST", path, Reply(status, body) if body == "" else Reply(status, json=body))
        with pytest.raises(HttpError, match="HTTP %d.* is not the acceptance" % status):
            call(api, [])

    def test_the_servers_time(self, server, api):
        server.expect(
            "POST",
            "/campaigns/v1/c1/run-remediation-scan",
            Reply(202, "", headers={"Date": "Sun, 22 Nov 2026 08:00:00 GMT"}),
            Reply(202, json={}, headers={"Date": None}),
        )
        assert api.run_remediation_scan("c1") == "2026-11-22T08:00:00Z"
        assert api.run_remediation_scan("c1") is None

    def test_check_mode_lets_reading_pass(self, server, make_api, logins, tmp_path):
        api = make_api(check_mode=True, client_id="id", client_secret=SECRET, access_token=None)
        server.expect("GET", "/campaigns/v1/c1/reports", Reply(json=[]))
        api.get_campaign("c1")
        api.list_reports("c1")
        assert logins == ["token-1"]

    def test_reports(self, server, api):
        path = "/campaigns/v1/c1/reports"
        server.expect("GET", path, Reply(json=[{"id": 1}, None, "x"]), Reply(404, json={}), Reply(json={}), Reply(403))
        assert api.list_reports("c1") == [{"id": 1}]
        # Of the campaign itself a 404 says nothing: it had no report yet.
        assert api.list_reports("c1") == []
        with pytest.raises(HttpError, match="the answer is not a list of reports"):
            api.list_reports("c1")
        with pytest.raises(HttpError, match="HTTP 403"):
            api.list_reports("c1")


CSV = Reply(body="Name,State\nMary,REMEDIATED\n", headers={"Content-Type": "text/csv; charset=utf-8"})


class TestDownload:
    @pytest.fixture
    def path(self, tmp_path):
        """A file that is there already."""
        path = tmp_path / "reports" / "r.csv"
        path.parent.mkdir()
        path.write_text("old")
        yield path
        # Never a part of a file, whatever happened.
        assert os.listdir(path.parent) == ["r.csv"]

    def test_good(self, server, api, path):
        server.expect("GET", "/reports/v1/r1", CSV)
        with path.open() as before:
            sha256 = api.download_report("r1", "csv", str(path))
            # Who reads the old file goes on reading the old file.
            assert before.read() == "old"
        assert path.read_text() == CSV.body
        assert sha256 == hashlib.sha256(CSV.body.encode()).hexdigest()
        assert "text/csv" in server.requests[0].headers["Accept"]
        # Files with open items are personal data.
        assert path.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(body=CSV.body, headers=CSV.headers, announce=99999),
            Reply(body=CSV.body, headers=CSV.headers, close_after=5),
            Reply(body=CSV.body, headers=CSV.headers, close_after=5, compress=True),
            Reply(body=CSV.body, headers=CSV.headers, close_after=5, chunked=True),
            Reply(drop=True),
            Reply(503),
            Reply(500),
            Reply(406, json={}),
        ],
    )
    def test_one_that_fails_leaves_the_old_file(self, server, make_api, path, reply):
        server.expect("GET", "/reports/v1/r1", reply)
        with pytest.raises(HttpError):
            make_api(retry_timeout=0).download_report("r1", "csv", str(path))
        assert path.read_text() == "old"

    @pytest.mark.parametrize("status", [400, 404, 410])
    def test_gone(self, server, api, path, status):
        server.expect("GET", "/reports/v1/r1", Reply(status, json={"trackingId": "t9"}))
        with pytest.raises(ReportGone, match="t9"):
            api.download_report("r1", "csv", str(path))
        assert path.read_text() == "old"

    @pytest.mark.parametrize(
        "file_format, body, kind",
        [
            ("csv", "<html>Log in", "text/html; charset=utf-8"),
            ("csv", "\n <!DOCTYPE html>", "text/csv"),
            ("csv", "a,b", "Text/HTML"),
            ("csv", '{"error": "x"}', "application/json"),
            ("csv", '{"error": "x"}', "text/plain"),
            ("pdf", "a,b", "application/pdf"),
            ("pdf", "", "application/pdf"),
            ("csv", "a", "application/json;x=y"),
        ],
    )
    def test_something_else_than_a_report(self, server, api, path, file_format, body, kind):
        server.expect("GET", "/reports/v1/r1", Reply(body=body, headers={"Content-Type": kind}))
        with pytest.raises(HttpError, match="the answer is not a %s file" % file_format):
            api.download_report("r1", file_format, str(path))
        assert path.read_text() == "old"

    @pytest.mark.parametrize("report_id", [None, "", 5, ["r1"], ".."])
    def test_an_id_with_which_nothing_can_be_asked_for(self, server, api, path, report_id):
        with pytest.raises(ItemFailed, match="id"):
            api.download_report(report_id, "csv", str(path))
        assert not server.requests

    @pytest.mark.parametrize("kind", ["application/pdf", "application/octet-stream", None])
    def test_pdf(self, server, api, path, kind):
        server.expect("GET", "/reports/v1/r1", Reply(body=b"%PDF-1.7\n\x00", headers={"Content-Type": kind}))
        api.download_report("r1", "pdf", str(path))
        assert path.read_bytes().startswith(b"%PDF")

    def test_a_folder_that_is_not_there(self, server, api, path):
        with pytest.raises(OSError, match="No such file"):
            api.download_report("r1", "csv", str(path.parent / "missing" / "r.csv"))
        assert not server.requests


class TestConnect:
    OPTIONS = dict(base_url="https://acme.example", client_id=None, client_secret=None, access_token="t", api_version="v1")

    def test_without_requests(self, connection_options, monkeypatch):
        monkeypatch.setattr(sailpoint, "REQUESTS_IMPORT_ERROR", "Traceback")
        with pytest.raises(MissingLibrary):
            sailpoint.connect(Task(connection_options(**self.OPTIONS), False, None))

    def test_a_bad_option_fails_the_task(self, connection_options):
        with pytest.raises(TaskFailed, match="write https://acme.example"):
            sailpoint.connect(Task(connection_options(**dict(self.OPTIONS, base_url="acme.example")), False, None))

    def test_the_connection_is_shared(self, connection_options):
        kept = {}
        tasks = [Task(connection_options(**self.OPTIONS), False, None, connections=kept) for _time in range(2)]
        assert sailpoint.connect(tasks[0]) is sailpoint.connect(tasks[1])
        assert tasks[1].secrets == {"t"}
