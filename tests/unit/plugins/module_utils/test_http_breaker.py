# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all share and is away costs its time once; what only one thing lacks costs the others nothing."""

from __future__ import annotations

import threading
import time

import pytest
from http_clients import in_threads
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._http import breaker as breaker_module
from ansible_collections.secops.remediation.plugins.module_utils._http.breaker import COOL_DOWN, Breaker
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, NoAuthentication


class Clock:
    """Time that only the test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """The breaker's clock."""
    return Clock()


@pytest.fixture
def opened():
    """Gets an entry each time that the breaker opens."""
    return []


@pytest.fixture
def breaker(clock, opened):
    """A breaker with a patience of 10 s."""
    return Breaker(10, lambda: opened.append(clock.now), clock)


class TestBreaker:
    def test_it_opens_when_nobody_got_an_answer(self, breaker, clock, opened):
        for _second in range(10):
            assert breaker.failed("a", 1000.0, "first") is breaker.failed("b", 1000.0, "second") is None
            clock.now += 1
        assert breaker.failed("a", 1000.0, "last") == "last" == breaker.reason()
        assert breaker.failed("b", 1000.0, "later") == "last"
        assert opened == [clock.now]

    def test_one_thing_that_never_works_opens_nothing(self, breaker, clock):
        for _second in range(100):
            assert breaker.failed("a", clock.now, "x") is None
            clock.now += 1
        # Until a second one finds the same; it need not take its own time for that.
        assert breaker.failed("b", clock.now, "y") == "y"

    def test_unless_all_need_it(self, breaker, clock):
        breaker.failed("token", clock.now, "x", shared=True)
        clock.now += 10
        assert breaker.failed("token", clock.now, "y", shared=True) == "y"

    def test_any_answer_begins_anew(self, breaker, clock):
        for _second in range(100):
            assert breaker.failed("a", 1000.0, "x") is breaker.failed("b", 1000.0, "x") is None
            clock.now += 4
            breaker.good()

    def test_a_request_that_began_before_the_last_answer_counts_from_there(self, breaker, clock):
        clock.now += 20
        breaker.good()
        assert breaker.failed("a", 1000.0, "x") is breaker.failed("b", 1000.0, "x") is None

    def test_what_happened_long_ago_proves_nothing_about_now(self, breaker, clock):
        breaker.failed("a", clock.now, "x")
        clock.now += 500
        assert breaker.failed("b", clock.now, "y") is None

    def test_one_at_a_time_may_probe(self, breaker, clock):
        self.open(breaker, clock)
        assert breaker.enter() == ("reason", False)
        clock.now += COOL_DOWN
        assert breaker.reason() is None
        assert breaker.enter() == (None, True)
        others = []
        thread = threading.Thread(target=lambda: others.extend([breaker.enter(), breaker.leave(), breaker.enter()]))
        thread.start()
        thread.join()
        assert others == [("reason", False), None, ("reason", False)]
        assert breaker.failed("c", clock.now, "still") == "reason"
        breaker.leave()
        assert breaker.enter() == ("reason", False)
        clock.now += COOL_DOWN
        assert breaker.enter() == (None, True)
        breaker.good()
        breaker.leave()
        assert breaker.enter() == (None, False)

    def test_a_probe_waits_as_long_as_the_server_wants(self, breaker, clock):
        self.open(breaker, clock)
        clock.now += COOL_DOWN
        breaker.enter()
        breaker.failed("c", clock.now, "x", pause=60.0)
        breaker.leave()
        clock.now += 59
        assert breaker.reason() == "reason"
        clock.now += 1
        assert breaker.reason() is None

    def test_an_answer_to_anybody_closes_it(self, breaker, clock):
        self.open(breaker, clock)
        breaker.good()
        assert breaker.reason() is None and breaker.enter() == (None, False)

    def test_without_patience_one_bad_moment_is_no_outage(self, clock):
        breaker = Breaker(0, list, clock)
        assert breaker.failed("a", clock.now, "x") is breaker.failed("b", clock.now, "x") is None

    @staticmethod
    def open(breaker, clock):
        breaker.failed("a", clock.now, "x")
        clock.now += 10
        breaker.failed("b", clock.now, "reason")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(breaker_module, "COOL_DOWN", 0.3)


def ask(client, number, **content):
    """The answer to one of many requests, or its HttpError."""
    try:
        return client.request("GET", "/things/%d" % number, **content).body
    except HttpError as error:
        return error


def all_of(server, reply):
    """Answers everything alike."""
    for number in range(200):
        server.on("GET", "/things/%d" % number, reply)


class TestClient:
    @pytest.mark.parametrize(
        "away",
        [
            Reply(503),
            Reply(500),
            Reply(502, "<html>"),
            Reply(drop=True),
            Reply(429),
            "refused",
            Reply(json={"a": "b" * 99}, close_after=9),
            "proxy",
            "tunnel",
        ],
    )
    def test_what_is_away_costs_its_time_once(self, server, make_client, monkeypatch, away):
        """160 targets in 16 threads: each ten rounds alone would take more than a minute."""
        options = dict(retry_timeout=4)
        if away == "refused":
            options["base_url"] = "http://127.0.0.1:1"
        elif away == "proxy":
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        elif away == "tunnel":
            monkeypatch.setenv("HTTPS_PROXY", server.url)
            options["base_url"] = "https://127.0.0.1:9"
            server.on("CONNECT", "127.0.0.1:9", Reply(503))
        else:
            all_of(server, away)
        client = make_client(concurrency=16, **options)
        started = time.monotonic()
        with_threads = self.drive(client, 160)
        assert time.monotonic() - started < 16
        assert all(isinstance(error, HttpError) and error.passing for error in with_threads)
        # The others ended at once, and all with the same reason.
        reasons = [str(error).split("see ")[1] for error in with_threads if "the API did not answer, see" in str(error)]
        assert len(reasons) > 100 and len(set(reasons)) == 1, reasons[:3]

    def test_an_api_that_is_silent(self, server, make_client):
        all_of(server, Reply(json=1, delay=60))
        client = make_client(concurrency=16, retry_timeout=2, request_timeout=2)
        started = time.monotonic()
        self.drive(client, 160)
        assert time.monotonic() - started < 16

    def test_changes_that_are_not_repeated(self, server, make_client):
        """Each alone would take request_timeout, and 160 in ten rounds ten times that."""
        client = make_client(concurrency=16, retry_timeout=2, request_timeout=2)
        for number in range(160):
            server.on("POST", "/things/%d" % number, Reply(json=1, delay=60))
        started = time.monotonic()

        def change(number):
            with pytest.raises(HttpError) as caught:
                client.request("POST", "/things/%d" % number)
            return caught.value

        errors = in_threads_of(16, 160, change)
        assert time.monotonic() - started < 16
        # What was never sent is not uncertain; what was, is.
        assert sum(error.uncertain for error in errors) == len(server.requests) < 100

    def test_one_that_never_works_costs_the_others_nothing(self, server, make_client):
        all_of(server, Reply(json="ok"))
        server.on("GET", "/things/3", Reply(503))
        client = make_client(concurrency=4, retry_timeout=2)
        answers = self.drive(client, 50, threads=4)
        assert [number for number, answer in enumerate(answers) if answer != "ok"] == [3]

    def test_nor_where_nobody_else_asks_meanwhile(self, server, make_client):
        all_of(server, Reply(json="ok"))
        server.on("GET", "/things/3", Reply(503))
        client = make_client(retry_timeout=2)
        answers = [ask(client, number) for number in (3, 4, 3, 5)]
        assert [answer == "ok" for answer in answers] == [False, True, False, True]
        assert "Gave up after" in str(answers[0])

    def test_who_sleeps_is_woken(self, server, make_client, monkeypatch):
        client = make_client(concurrency=2, retry_timeout=2)
        monkeypatch.setattr(client, "_retry_timeout", 500)
        server.on("GET", "/things/1", Reply(503))
        server.on("GET", "/things/0", Reply(503, headers={"Retry-After": "200"}))
        sleeper = threading.Thread(target=ask, args=(client, 0))
        sleeper.start()
        time.sleep(0.5)
        # The pause holds everybody, so another failure has to come from elsewhere.
        client._breaker._away_since -= 10
        client._breaker.failed("other", time.monotonic() - 10, HttpError("GET", "/y", "HTTP 503"))
        sleeper.join(10)
        assert not sleeper.is_alive()

    def test_it_comes_back(self, server, make_client):
        all_of(server, Reply(503))
        client = make_client(concurrency=4, retry_timeout=1)
        self.drive(client, 20, threads=4)
        assert "the API did not answer" in str(ask(client, 0))
        count = len(server.requests)
        time.sleep(0.4)
        # One probe, one attempt.
        assert isinstance(ask(client, 0), HttpError) and len(server.requests) == count + 1
        assert "the API did not answer" in str(ask(client, 1)) and len(server.requests) == count + 1
        all_of(server, Reply(json="ok"))
        time.sleep(0.4)
        assert self.drive(client, 20, threads=4).count("ok") >= 1
        assert self.drive(client, 20, threads=4) == ["ok"] * 20

    @pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 409, 422])
    def test_any_answer_of_the_api_counts(self, server, make_client, status):
        client = make_client(retry_timeout=0)
        server.on("GET", "/good", Reply(status, json={} if status != 204 else None))
        for number in range(100):
            server.on("GET", "/things/%d" % number, Reply(503))
        for number in range(4):
            ask(client, number)
            client._breaker._away_since -= 100
            try:
                client.request("GET", "/good", needs_body=False)
            except HttpError as error:
                assert error.status == status
            assert client._breaker.reason() is None

    def test_a_token_that_cannot_be_had(self, server, make_client):
        """All wait for the same one."""
        server.on("POST", "/oauth/token", Reply(503))
        client = make_client(retry_timeout=2, read_only_posts=["/oauth/token"])
        started = time.monotonic()
        for _time in range(50):
            with pytest.raises(HttpError) as caught:
                client.request("POST", "/oauth/token", authentication=NoAuthentication(), data={"a": "b"})
            assert caught.value.passing
        assert time.monotonic() - started < 20
        assert "the API did not answer, see POST /oauth/token: HTTP 503" in str(caught.value)

    def test_nobody_waits_for_the_limiter_in_order_to_learn_it(self, server, make_client, monkeypatch):
        monkeypatch.setattr(breaker_module, "COOL_DOWN", 60.0)
        all_of(server, Reply(503))
        client = make_client(concurrency=4, retry_timeout=1, rate_limit=100)
        self.drive(client, 8, threads=4)
        started = time.monotonic()
        for number in range(2000):
            assert "the API did not answer" in str(ask(client, number % 200))
        assert time.monotonic() - started < 5

    @staticmethod
    def drive(client, count, threads=16):
        """All the answers."""
        return in_threads_of(threads, count, lambda number: ask(client, number))


def in_threads_of(threads, count, work):
    """Runs work(number) for all numbers, a few at a time."""
    numbers, results = iter(range(count)), [None] * count
    lock = threading.Lock()

    def worker(_thread):
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            results[number] = work(number)

    in_threads(threads, worker)
    return results


class TestClassification:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_what_may_pass(self, server, make_client, status):
        server.expect("GET", "/x", Reply(status))
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=0).request("GET", "/x")
        assert caught.value.passing

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 407, 409, 410, 422, 501])
    def test_what_is_final(self, server, client, status):
        server.expect("GET", "/x", Reply(status))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert not caught.value.passing

    def test_a_500_of_a_change_may_mean_anything(self, server, client):
        server.expect("POST", "/x", Reply(500))
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain and not caught.value.passing

    def test_a_500_with_a_code_of_its_own_is_an_answer(self, server, client):
        server.expect("GET", "/x", Reply(500, json={"code": "err_code 404", "text": "not found"}))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert not caught.value.passing

    @pytest.mark.parametrize("status, passing", [(407, False), (403, False), (404, False), (502, True), (503, True), (429, True)])
    def test_a_tunnel_that_is_refused(self, server, make_client, monkeypatch, status, passing):
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        server.on("CONNECT", "127.0.0.1:9", Reply(status))
        with pytest.raises(HttpError) as caught:
            make_client(base_url="https://127.0.0.1:9", retry_timeout=4).request("GET", "/x")
        assert caught.value.passing is passing
        assert (len(server.requests) > 1) is passing
        assert str(status) in str(caught.value)

    def test_407_of_a_proxy_for_http_says_where_to_look(self, server, make_client, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", server.url)
        server.expect("GET", "/x", Reply(407, "<html>"))
        with pytest.raises(HttpError, match="Check HTTPS_PROXY") as caught:
            make_client(base_url="http://127.0.0.1:9").request("GET", "/x")
        assert caught.value.status == 407 and not caught.value.passing

    @pytest.mark.parametrize("body, kind", [("<html>", "application/json"), ("{", "application/json"), ("<p>", "text/html")])
    def test_a_foreign_body_may_pass(self, server, client, body, kind):
        server.expect("GET", "/x", Reply(body=body, headers={"Content-Type": kind}))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert caught.value.passing

    def test_another_address_is_final(self, server, client):
        server.expect("GET", "/x", Reply(302, headers={"Location": "https://elsewhere.example/"}))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert not caught.value.passing

    def test_no_connection_may_pass(self, make_client):
        for url in ("http://127.0.0.1:1", "https://does-not-exist.invalid"):
            with pytest.raises(HttpError) as caught:
                make_client(base_url=url, retry_timeout=0).request("GET", "/x")
            assert caught.value.passing
