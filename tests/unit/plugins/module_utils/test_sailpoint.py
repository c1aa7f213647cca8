# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint's API, against real sockets, and what is made of its campaigns."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._common.times import utc_now
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import Looks, WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.task import (
    ItemFailed,
    MissingLibrary,
    Task,
    TaskFailed,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    CampaignNotFound,
    OperationConflict,
    ReportGone,
    SailPointApi,
    campaign_filters,
    campaign_report,
    explain,
    hint,
    remediation_scan,
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
            return Reply(
                401, json={"error": "expired"}, delay=0.4 if "token-1" in received.headers["Authorization"] else 0
            )

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

    @pytest.mark.parametrize(
        "lifetime, until", [(10, 9), (1, 0.9), (0, 54), (-5, 54), (None, 54), ("749", 54), (7200, 7140)]
    )
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
        assert len(server.requests) <= 2
        # Later it may work.
        server.on("POST", "/oauth/token", Reply(json={"access_token": "t", "expires_in": 99}))
        server.on("GET", "/campaigns/v1/c1", Reply(json={"modified": "m"}))
        client_api.get_campaign("c1")

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
        assert set(server.seen()) == {"POST /oauth/token"} and len(server.requests) == 4

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
        server.expect("GET", "/campaigns/v1", Reply(json=[{"id": 1}], headers={"X-Total-Count": total}))
        assert api.list_campaigns(None)[1] == 1

    def test_a_total_that_is_too_high_does_not_loop(self, server, api):
        server.expect(
            "GET",
            "/campaigns/v1",
            Reply(json=[{"id": 1}], headers={"X-Total-Count": "9"}),
            Reply(json=[], headers={"X-Total-Count": "9"}),
        )
        assert len(api.list_campaigns(None)[0]) == 1

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
        server.expect("POST", path, Reply(404, json={}))
        with pytest.raises(CampaignNotFound):
            call(api)
        for other in (Reply(400, json={"detailCode": "400.1.2"}), Reply(400, ""), Reply(403, json={})):
            server.expect("POST", path, other)
            with pytest.raises(HttpError) as caught:
                call(api)
            assert not caught.value.uncertain
        for lost in (Reply(502), Reply(drop=True)):
            server.expect("POST", path, lost)
            with pytest.raises(HttpError) as caught:
                call(api)
            assert (
                "The server may have carried the request out all the same. Run again: what is under way already is "
                "found, not started twice." in str(caught.value)
            )

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
        server.expect("GET", path, Reply(json=[{"id": 1}, None, "x"]), Reply(404, json={}), Reply(json={}), Reply(501))
        assert api.list_reports("c1") == [{"id": 1}]
        with pytest.raises(CampaignNotFound):
            api.list_reports("c1")
        with pytest.raises(HttpError, match="the answer is not a list of reports"):
            api.list_reports("c1")
        with pytest.raises(HttpError, match="HTTP 501"):
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
        assert path.stat().st_mode & 0o777 == 0o666 & ~sailpoint.current_umask()

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

    @pytest.mark.parametrize("kind", ["application/pdf", "application/octet-stream", None])
    def test_pdf(self, server, api, path, kind):
        server.expect("GET", "/reports/v1/r1", Reply(body=b"%PDF-1.7\n\x00", headers={"Content-Type": kind}))
        api.download_report("r1", "pdf", str(path))
        assert path.read_bytes().startswith(b"%PDF")

    def test_a_folder_that_is_not_there(self, server, api, path):
        with pytest.raises(OSError, match="No such file"):
            api.download_report("r1", "csv", str(path.parent / "missing" / "r.csv"))
        assert not server.requests


class FakeApi:
    """Plays a script: each call takes the next value of its list, the last one for ever; exceptions are raised."""

    host = "acme.example"

    def __init__(self, **script):
        self.script = {name: list(values) for name, values in script.items()}
        self.calls = []

    def _next(self, name, *args):
        self.calls.append(name)
        values = self.script[name]
        value = values.pop(0) if len(values) > 1 else values[0]
        if callable(value):
            value = value(*args)
        if isinstance(value, Exception):
            raise value
        return value

    def get_campaign(self, campaign_id, record=None):
        """A campaign; a text in the script is its `modified`."""
        value = self._next("campaign")
        return {"id": campaign_id, "status": "COMPLETED", "modified": value} if not isinstance(value, dict) else value

    def run_remediation_scan(self, campaign_id, record=None):
        """The server's time."""
        return self._next("scan")

    def list_reports(self, campaign_id, record=None):
        """The reports."""
        return self._next("reports")

    def run_report(self, campaign_id, report_type, record=None):
        """Nothing."""
        return self._next("run_report", report_type)

    def download_report(self, report_id, file_format, path, record=None):
        """The SHA-256."""
        return self._next("download", report_id, file_format, path)


SCAN_KEY = "acme.example/campaign/c1"


def scan(api, ledger=None, wait_timeout=5, **options):
    """Runs one scan. Returns (item, how it ended)."""
    item = {"campaign_id": "c1"}
    looks = Looks(options.pop("wait_interval", 0))
    return item, drive([remediation_scan(api, ledger or Ledger(None), looks, item, **options)], 1, wait_timeout)[0]


def ago(seconds):
    """A moment in the past, as the ledger writes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def record(status="requested", when="asked_at", moment=None, modified_before="m0", modified=None, requested_at="r0"):
    """What the ledger holds of a scan."""
    return {
        "status": status,
        "requested_at": requested_at,
        "modified_before": modified_before,
        "modified": modified,
        when: moment or utc_now(),
    }


class TestScan:
    def test_requested(self):
        api, ledger = FakeApi(campaign=["m0"], scan=["now"]), Ledger(None)
        item, ending = scan(api, ledger)
        assert ending is None
        assert item == dict(
            campaign_id="c1", status="requested", requested_at="now", modified_before="m0", modified=None, changed=True,
            requests=[],
        )
        known = ledger.get(SCAN_KEY)
        assert (known["status"], known["modified_before"], known["requested_at"]) == ("requested", "m0", "now")
        assert known["asked_at"]

    def test_it_is_on_disk_before_the_first_wait(self, tmp_path):
        path = str(tmp_path / "ledger.json")
        generator = remediation_scan(
            FakeApi(campaign=["m0"], scan=["now"]), Ledger(path), Looks(60), {"campaign_id": "c1"}, wait=True
        )
        next(generator)
        assert Ledger(path).get(SCAN_KEY)["status"] == "requested"

    def test_finished(self):
        api, ledger = FakeApi(campaign=["m0", "m0", "m0", "m1"], scan=["now"]), Ledger(None)
        item, ending = scan(api, ledger, wait=True)
        assert ending is None
        assert (item["status"], item["modified_before"], item["modified"], item["changed"]) == (
            "finished",
            "m0",
            "m1",
            True,
        )
        assert api.calls.count("scan") == 1
        known = ledger.get(SCAN_KEY)
        assert known["status"] == "finished" and known["finished_at"] and known["modified"] == "m1"

    def test_one_that_never_moves_modified_is_not_finished(self):
        item, ending = scan(FakeApi(campaign=["m0"], scan=["now"]), wait=True, wait_interval=0.01, wait_timeout=0.1)
        assert isinstance(ending, WaitTimeout)
        assert item["status"] == "requested" and item["modified"] is None

    def test_a_modified_that_vanishes_is_no_sign(self):
        for nothing in (None, {"id": "c1", "status": "COMPLETED"}):
            api = FakeApi(campaign=["m0", nothing], scan=["now"])
            item, ending = scan(api, wait=True, wait_interval=0.01, wait_timeout=0.05)
            assert isinstance(ending, WaitTimeout) and item["status"] == "requested"

    @pytest.mark.parametrize("status", ["ACTIVE", "PENDING", None, "SOMETHING"])
    def test_not_completed(self, status):
        api = FakeApi(campaign=[{"status": status, "modified": "m0"}])
        item, ending = scan(api)
        assert isinstance(ending, ItemFailed) and "the campaign is %s" % status in str(ending)
        assert item["status"] is None and not item["changed"]
        assert api.calls == ["campaign"]

    def test_no_campaign(self):
        for api in (
            FakeApi(campaign=[CampaignNotFound("c1")]),
            FakeApi(campaign=["m0"], scan=[CampaignNotFound("c1")]),
        ):
            ending = scan(api)[1]
            assert isinstance(ending, ItemFailed) and "no campaign has the id c1" in str(ending)

    def test_check_mode(self):
        api, ledger = FakeApi(campaign=["m0"], scan=[WouldChange("POST", "/x")]), Ledger(None)
        item, ending = scan(api, ledger, wait=True)
        assert ending is None
        assert (item["status"], item["changed"], item["requested_at"], item["modified_before"]) == (
            "requested",
            True,
            None,
            "m0",
        )
        assert ledger.get(SCAN_KEY) == {}

    def test_an_uncertain_request_is_an_error_and_not_remembered(self):
        ledger = Ledger(None)
        error = HttpError("POST", "/x", "broke", uncertain=True)
        item, ending = scan(FakeApi(campaign=["m0"], scan=[error]), ledger)
        assert ending is error and ledger.get(SCAN_KEY) == {} and not item["changed"]

    class TestJoined:
        """Another client's scan, or one of a run that was killed, is under way."""

        def test_without_waiting(self):
            api, ledger = (
                FakeApi(campaign=["m0"], scan=[OperationConflict()], reports=[[{"status": "SUCCESS"}]]),
                Ledger(None),
            )
            item, ending = scan(api, ledger)
            assert ending is None
            assert (item["status"], item["changed"], item["requested_at"], item["modified_before"]) == (
                "running",
                False,
                None,
                "m0",
            )
            assert ledger.get(SCAN_KEY)["status"] == "running"

        def test_modified_moves(self):
            api = FakeApi(campaign=["m0", "m0", "m1"], scan=[OperationConflict()], reports=[[]])
            item, ending = scan(api, wait=True)
            assert ending is None
            assert (item["status"], item["modified"], item["changed"]) == ("finished", "m1", False)

        def test_modified_had_moved_before(self):
            """The campaign is free again without a sign: a new scan is asked for and waited for."""
            api = FakeApi(
                campaign=["m1", "m1", "m1", "m2"],
                scan=[OperationConflict(), OperationConflict(), "later"],
                reports=[[]],
            )
            item, ending = scan(api, wait=True)
            assert ending is None
            assert (
                item["status"],
                item["requested_at"],
                item["modified_before"],
                item["modified"],
                item["changed"],
            ) == ("finished", "later", "m1", "m2", True)
            assert api.calls.count("scan") == 3

        def test_it_never_ends(self):
            api = FakeApi(campaign=["m0"], scan=[OperationConflict()], reports=[[]])
            item, ending = scan(api, wait=True, wait_interval=0.01, wait_timeout=0.1)
            assert isinstance(ending, WaitTimeout)
            assert (item["status"], item["changed"]) == ("running", False)

        def test_it_is_remembered_once(self):
            ledger = Ledger(None)
            puts = []
            ledger.put = lambda key, value, at_once=False: puts.append((value["status"], at_once))
            scan(
                FakeApi(campaign=["m0", "m0", "m0", "m1"], scan=[OperationConflict()], reports=[[]]), ledger, wait=True
            )
            assert puts == [("running", True), ("finished", True)]

    class TestBlocked:
        """A report of the campaign is in the way."""

        PENDING = [{"status": "SUCCESS"}, {"status": "PENDING"}]

        def test_without_waiting(self):
            ledger = Ledger(None)
            item, ending = scan(FakeApi(campaign=["m0"], scan=[OperationConflict()], reports=[self.PENDING]), ledger)
            assert ending is None and item["status"] == "blocked" and not item["changed"]
            assert ledger.get(SCAN_KEY) == {}

        def test_the_report_ends(self):
            """What the report does to `modified` is no sign of a scan."""
            api = FakeApi(campaign=["m0", "m1", "m1", "m2"], scan=[OperationConflict(), "now"], reports=[self.PENDING])
            item, ending = scan(api, wait=True)
            assert ending is None
            assert (item["status"], item["modified_before"], item["modified"], item["changed"]) == (
                "finished",
                "m1",
                "m2",
                True,
            )

        def test_a_report_after_a_joined_scan(self):
            api = FakeApi(
                campaign=["m1"] * 4 + ["m2"],
                scan=[OperationConflict(), OperationConflict(), "now"],
                reports=[[], self.PENDING],
            )
            item, ending = scan(api, wait=True)
            assert ending is None
            assert (item["status"], item["modified_before"], item["modified"]) == ("finished", "m1", "m2")

        def test_it_never_ends(self):
            api = FakeApi(campaign=["m0"], scan=[OperationConflict()], reports=[self.PENDING])
            item, ending = scan(api, wait=True, wait_interval=0.01, wait_timeout=0.1)
            assert isinstance(ending, WaitTimeout) and item["status"] == "blocked"

    class TestLedger:
        def ledger(self, **facts):
            """A ledger that knows the scan."""
            ledger = Ledger(None)
            ledger.put(SCAN_KEY, record(**facts))
            return ledger

        def test_a_finished_scan_counts(self):
            api = FakeApi()
            item, ending = scan(api, self.ledger(status="finished", when="finished_at", modified="m1"), wait=True)
            assert ending is None and api.calls == []
            assert item == dict(
                campaign_id="c1",
                status="finished",
                requested_at="r0",
                modified_before="m0",
                modified="m1",
                changed=False,
                requests=[],
            )

        def test_a_finished_scan_that_is_too_old(self):
            api = FakeApi(campaign=["m1"], scan=["now"])
            item, ending = scan(
                api, self.ledger(status="finished", when="finished_at", moment=ago(100), modified="m1"), max_age=50
            )
            assert ending is None
            assert (item["status"], item["modified_before"], item["modified"]) == ("requested", "m1", None)

        def test_a_finished_scan_that_is_too_old_and_none_may_be_started(self):
            ledger = self.ledger(status="finished", when="finished_at", moment=ago(100), modified="m1")
            ending = scan(FakeApi(), ledger, max_age=50, start=False)[1]
            assert isinstance(ending, ItemFailed) and "longer ago than max_age" in str(ending)

        @pytest.mark.parametrize("start", [True, False])
        @pytest.mark.parametrize("status", ["requested", "running"])
        def test_a_scan_under_way_that_has_ended(self, start, status):
            api = FakeApi(campaign=["m1"])
            item, ending = scan(api, self.ledger(status=status), start=start)
            assert ending is None and api.calls == ["campaign"]
            assert (item["status"], item["modified"], item["requested_at"], item["changed"]) == (
                "finished",
                "m1",
                "r0",
                False,
            )

        @pytest.mark.parametrize("start", [True, False])
        def test_a_requested_scan_is_not_requested_again(self, start):
            api = FakeApi(campaign=["m0", "m0", "m1"])
            item, ending = scan(api, self.ledger(), start=start, wait=True)
            assert ending is None and item["status"] == "finished" and api.calls == ["campaign"] * 3

        def test_a_joined_scan_that_ended_without_a_sign(self):
            api = FakeApi(campaign=["m0"], scan=["now"])
            item, ending = scan(api, self.ledger(status="running"))
            assert ending is None and (item["status"], item["changed"]) == ("requested", True)

        def test_a_joined_scan_when_none_may_be_started(self):
            api = FakeApi(campaign=["m0"])
            item, ending = scan(
                api, self.ledger(status="running"), start=False, wait=True, wait_interval=0.01, wait_timeout=0.05
            )
            assert isinstance(ending, WaitTimeout) and item["status"] == "running"
            assert set(api.calls) == {"campaign"}

        def test_a_request_that_is_too_old_is_made_again(self):
            api = FakeApi(campaign=["m5"], scan=["now"])
            item, ending = scan(api, self.ledger(moment=ago(100)), max_age=50)
            assert ending is None
            assert (item["status"], item["requested_at"], item["modified_before"]) == ("requested", "now", "m5")

        def test_a_request_that_is_too_old_is_still_collected(self):
            item, ending = scan(FakeApi(campaign=["m1"]), self.ledger(moment=ago(100)), max_age=50, start=False)
            assert ending is None and item["status"] == "finished"

        def test_nothing_known_and_none_may_be_started(self):
            api = FakeApi(campaign=["m0"])
            ending = scan(api, start=False)[1]
            assert isinstance(ending, ItemFailed) and "no scan of this campaign is known" in str(ending)
            assert "scan" not in api.calls

        def test_another_tenant_is_another_scan(self):
            api = FakeApi(campaign=["m0"], scan=["now"])
            api.host = "other.example"
            assert scan(api, self.ledger(status="finished", when="finished_at"))[0]["status"] == "requested"

        def test_check_mode_with_a_known_scan(self):
            api = FakeApi(campaign=["m0"], scan=[WouldChange("POST", "/x")])
            assert scan(api, self.ledger())[0]["changed"] is False
            assert scan(api, self.ledger(status="running"))[0]["changed"] is True


TYPE = sailpoint.REMEDIATION_STATUS_REPORT


def report(status="SUCCESS", at="2026-11-22T08:00:00Z", report_id="r1", report_type=TYPE):
    """A list of reports with one that matters."""
    return [
        {"id": "other", "reportType": "CAMPAIGN_STATUS_REPORT", "status": "PENDING", "lastRunAt": "x"},
        {"id": report_id, "reportType": report_type, "status": status, "lastRunAt": at},
    ]


def get_report(api, wait_timeout=5, path="/f.csv", **options):
    """Fetches one report. Returns (item, how it ended)."""
    item = {"campaign_id": "c1"}
    looks = Looks(options.pop("wait_interval", 0))
    return item, drive([campaign_report(api, looks, item, TYPE, path, **options)], 1, wait_timeout)[0]


NEWER = "2026-11-22T09:00:00.5Z"


class TestReport:
    @pytest.mark.parametrize("status", ["SUCCESS", "WARNING"])
    def test_a_finished_one_is_reused(self, status):
        api = FakeApi(reports=[report(status)], download=["sha"])
        item, ending = get_report(api)
        assert ending is None
        assert item == dict(
            campaign_id="c1", report=report(status)[1], path="/f.csv", sha256="sha", status="finished", changed=False,
            requests=[],
        )

    def test_without_a_file(self):
        api = FakeApi(reports=[report()])
        item, ending = get_report(api, path=None)
        assert ending is None and (item["status"], item["path"], item["sha256"]) == ("finished", None, None)

    def test_none_yet(self):
        api = FakeApi(
            reports=[[], [], report("PENDING", None), report("PENDING", None), report()],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api)
        assert ending is None
        assert (item["status"], item["changed"], item["sha256"]) == ("finished", True, "sha")
        assert api.calls.count("run_report") == 1

    def test_a_pending_one_is_joined(self):
        api = FakeApi(reports=[report("PENDING"), report("PENDING"), report()], download=["sha"])
        item, ending = get_report(api)
        assert ending is None and (item["status"], item["changed"]) == ("finished", False)

    def test_a_pending_one_that_fails_is_run_again(self):
        api = FakeApi(
            reports=[report("PENDING"), report("ERROR", "t1"), report("ERROR", "t1"), report("SUCCESS", "t2")],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api)
        assert ending is None and (item["status"], item["changed"]) == ("finished", True)

    @pytest.mark.parametrize("status", ["ERROR", "TERMINATED", "TEMP_ERROR"])
    def test_one_that_was_run_and_fails(self, status):
        api = FakeApi(reports=[report(), report("PENDING"), report(status, "2026-11-22T10:00:00Z")], run_report=[None])
        item, ending = get_report(api, force=True)
        assert isinstance(ending, ItemFailed) and "ended with status %s" % status in str(ending)
        assert item["changed"] and item["sha256"] is None

    def test_the_old_result_is_not_taken_for_the_new_one(self):
        """`lastRunAt` has not moved yet, so what is there is still the old run, even a failed one."""
        api = FakeApi(
            reports=[report("ERROR", "t1"), report("ERROR", "t1"), report("ERROR", "t1"), report("SUCCESS", "t2")],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api)
        assert ending is None and item["report"]["lastRunAt"] == "t2"

    def test_one_that_never_ends(self):
        for end in (report("PENDING", "t1"), report("SUCCESS", "t0"), report("A_NEW_WORD", "t2")):
            api = FakeApi(reports=[report("SUCCESS", "t0"), end], run_report=[None])
            item, ending = get_report(api, force=True, wait_interval=0.01, wait_timeout=0.1)
            assert isinstance(ending, WaitTimeout) and item["status"] == "running"
            assert api.calls.count("run_report") == 1

    def test_force(self):
        api = FakeApi(
            reports=[report("SUCCESS", "t1"), report("SUCCESS", "t1"), report("SUCCESS", "t2")],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api, force=True)
        assert ending is None and item["changed"] and item["report"]["lastRunAt"] == "t2"

    def test_force_while_one_runs(self):
        api = FakeApi(
            reports=[report("PENDING", "t0"), report("SUCCESS", "t1"), report("SUCCESS", "t2")],
            run_report=[None],
            download=["sha"],
        )
        item, ending = get_report(api, force=True)
        assert ending is None and item["report"]["lastRunAt"] == "t2" and api.calls.count("run_report") == 1

    class TestNewerThan:
        @pytest.mark.parametrize(
            "at",
            [
                "2026-11-22T09:00:00.500001Z",
                "2026-11-22T10:00:00+00:00",
                "2026-11-23T00:00:00Z",
                "2026-11-22T04:00:01-05:00",
            ],
        )
        def test_newer(self, at):
            item, ending = get_report(FakeApi(reports=[report(at=at)], download=["sha"]), newer_than=NEWER)
            assert ending is None and not item["changed"]

        @pytest.mark.parametrize(
            "at", ["2026-11-22T09:00:00.5Z", "2026-11-22T08:59:59Z", None, "yesterday", "2026-11-22T10:00:00+02:00"]
        )
        def test_not_newer_is_run_again(self, at):
            api = FakeApi(
                reports=[report(at=at), report(at="2026-11-22T11:00:00Z")], run_report=[None], download=["sha"]
            )
            item, ending = get_report(api, newer_than=NEWER)
            assert ending is None and item["changed"]

        def test_a_new_run_that_is_not_newer(self):
            api = FakeApi(reports=[report(), report(at="2026-11-22T08:30:00Z")], run_report=[None])
            ending = get_report(api, newer_than=NEWER)[1]
            assert isinstance(ending, ItemFailed) and "is not newer than" in str(ending)

        def test_a_time_that_is_none(self):
            api = FakeApi(reports=[report()], download=["sha"])
            ending = get_report(api, newer_than="yesterday")[1]
            assert isinstance(ending, ItemFailed) and "'yesterday' is not a time" in str(ending)
            assert not api.calls

    class TestPurged:
        def test_it_is_run_again(self):
            api = FakeApi(
                reports=[report(at="t1"), report(at="t1"), report(at="t1"), report(at="t2")],
                download=[ReportGone("HTTP 410"), "sha"],
                run_report=[None],
            )
            item, ending = get_report(api)
            assert ending is None and (item["changed"], item["sha256"]) == (True, "sha")
            assert api.calls.count("run_report") == 1

        def test_and_gone_again(self):
            api = FakeApi(
                reports=[report(at="t1"), report(at="t1"), report(at="t2")],
                download=[ReportGone("HTTP 410")],
                run_report=[None],
            )
            item, ending = get_report(api)
            assert isinstance(ending, ItemFailed) and "its file is not there: HTTP 410" in str(ending)
            assert item["path"] is None and api.calls.count("run_report") == 1

    class TestBlocked:
        def test_it_is_waited_out(self):
            api = FakeApi(reports=[[], [], report()], run_report=[OperationConflict(), None], download=["sha"])
            item, ending = get_report(api, wait_interval=0)
            assert ending is None and item["status"] == "finished"

        def test_without_waiting(self):
            item, ending = get_report(FakeApi(reports=[[]], run_report=[OperationConflict()]), wait=False)
            assert ending is None and (item["status"], item["changed"]) == ("blocked", False)

        def test_it_never_ends(self):
            item, ending = get_report(
                FakeApi(reports=[[]], run_report=[OperationConflict()]), wait_interval=0.01, wait_timeout=0.1
            )
            assert isinstance(ending, WaitTimeout) and item["status"] == "blocked"

    def test_without_waiting(self):
        item, ending = get_report(FakeApi(reports=[[]], run_report=[None]), wait=False)
        assert ending is None and (item["status"], item["changed"], item["path"]) == ("running", True, None)

    def test_check_mode(self):
        item, ending = get_report(FakeApi(reports=[[]], run_report=[WouldChange("POST", "/x")]))
        assert ending is None and (item["status"], item["changed"]) == ("running", True)

    @pytest.mark.parametrize(
        "script", [dict(reports=[CampaignNotFound("c1")]), dict(reports=[[]], run_report=[CampaignNotFound("c1")])]
    )
    def test_no_campaign(self, script):
        ending = get_report(FakeApi(**script))[1]
        assert isinstance(ending, ItemFailed) and "no campaign has the id c1" in str(ending)

    def test_a_file_that_cannot_be_written(self):
        ending = get_report(FakeApi(reports=[report()], download=[OSError(28, "No space left on device")]))[1]
        assert isinstance(ending, ItemFailed) and str(ending) == "cannot write /f.csv: No space left on device"

    def test_http_errors_are_errors(self):
        error = HttpError("GET", "/x", "broke")
        assert get_report(FakeApi(reports=[error]))[1] is error
        assert get_report(FakeApi(reports=[report()], download=[error]))[1] is error
        assert get_report(FakeApi(reports=[[]], run_report=[error]))[1] is error

    def test_formats_and_ids_are_passed_on(self):
        seen = []
        api = FakeApi(reports=[report(report_id="r9")], download=[lambda *args: seen.append(args) or "sha"])
        get_report(api, file_format="pdf", path="/x.pdf")
        assert seen == [("r9", "pdf", "/x.pdf")]


class TestConnect:
    OPTIONS = dict(
        base_url="https://acme.example", client_id=None, client_secret=None, access_token="t", api_version="v1"
    )

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
