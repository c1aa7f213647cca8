# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP rules, against real sockets."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import socket
import ssl
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from urllib.parse import quote

import pytest
import requests
import trustme
from http_clients import SECRET, TOKEN, Key, explain, in_threads, texts_of
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._http import client as http_utils
from ansible_collections.secops.remediation.plugins.module_utils._http import transport
from ansible_collections.secops.remediation.plugins.module_utils._http.client import (
    BadConnectionOption,
    HttpClient,
    HttpError,
    NoAuthentication,
    WouldChange,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.limiter import Limiter


class VirtualTime:
    """A clock that sleeping moves. Stands in for the limiter's event, too."""

    def __init__(self, limiter=None):
        self.now = 100.0
        self.at_sleep = []

    def __call__(self):
        return self.now

    def wait(self, seconds):
        """Sleeps; what the test put there happens in the middle."""
        if self.at_sleep:
            self.at_sleep.pop(0)()
        self.now += seconds
        return False


def virtual_limiter(limit, window):
    """A limiter in virtual time."""
    clock = VirtualTime()
    limiter = Limiter(limit, window, clock)
    limiter._stopped = clock
    return limiter, clock


class TestLimiter:
    def test_window_is_exact(self):
        limiter, clock = virtual_limiter(limit=5, window=10)
        times = []
        for step in range(50):
            # Sometimes idle, so that bursts start anywhere in a window.
            clock.now += (0, 0, 0.7, 0, 13.3, 0, 3.1)[step % 7]
            limiter.acquire()
            times.append(clock.now)
        assert all(late - early >= 10 for early, late in zip(times, times[5:], strict=False))

    def test_it_starts_gently_and_uses_the_whole_budget_all_the_same(self):
        limiter, clock = virtual_limiter(limit=100, window=10)
        times = []
        for _step in range(1000):
            limiter.acquire()
            times.append(clock.now - 100)
        # Somebody else may just have used the budget: a twentieth at once, the others evenly.
        assert times[4] == 0
        assert times[5:100] == pytest.approx([step * 10 / 95 for step in range(95)])
        assert times[-1] <= 100

    def hand_over(self, limiter, seconds, limit=100):
        """A limiter that takes over from another one after so many seconds."""
        knowledge = json.loads(json.dumps(limiter.knowledge()))
        knowledge["at"] -= seconds
        new, clock = virtual_limiter(limit=limit, window=10)
        clock.now = limiter._clock.now + seconds
        new.take_over(knowledge)
        return new, clock

    def test_it_takes_over_what_was_sent(self):
        limiter, clock = virtual_limiter(limit=100, window=10)
        limiter.take_over({})
        times = []
        for _step in range(60):
            limiter.acquire()
            times.append(clock.now)
        # Nobody had sent anything, so there is no reason to be gentle.
        assert clock.now == 100
        for _task in range(5):
            limiter, clock = self.hand_over(limiter, 1)
            for _step in range(60):
                limiter.acquire()
                times.append(clock.now)
        assert all(late - early > 9.9 for early, late in zip(times, times[100:], strict=False))
        # Six tasks, 360 requests: as if it had been one.
        assert clock.now < 133

    def test_it_takes_over_a_limit_that_was_learned_and_a_pause(self):
        limiter, clock = virtual_limiter(limit=100, window=10)
        limiter.take_over({})
        for _step in range(20):
            limiter.acquire()
        limiter.pause(5, refused=True)
        later, clock = self.hand_over(limiter, 2)
        assert later.seconds_for(50) == 10
        later.acquire()
        assert clock.now == pytest.approx(105, abs=0.1)
        # After ten minutes nobody knows whether others still use it.
        later, clock = self.hand_over(limiter, 601)
        assert later.seconds_for(100) == 10

    @pytest.mark.parametrize(
        "knowledge",
        [
            {},
            {"at": "x"},
            {"at": 10**400},
            {"at": None, "limit": 100},
            {"limit": 100, "sent": [1, "x", None, True, 10**30, -5000], "budget": 0, "pause": 10**9},
            {"limit": 100, "sent": None, "budget": "x", "pause": "x", "peace": -1, "refused_at": []},
            {"limit": 50, "sent": [1] * 50},
            {"limit": True, "sent": [1] * 100},
        ],
    )
    def test_what_makes_no_sense_is_not_taken_over(self, knowledge):
        limiter, clock = virtual_limiter(limit=100, window=10)
        limiter.take_over(dict({"at": time.time()}, **knowledge))
        for _step in range(90):
            limiter.acquire()
        assert clock.now <= 701 and limiter.seconds_for(100) == 10

    def test_a_request_counts_when_it_was_answered(self):
        limiter, clock = virtual_limiter(limit=5, window=10)
        limiter.take_over({})
        slots = [limiter.acquire() for _step in range(5)]
        clock.now += 3
        for slot in slots:
            limiter.arrived(slot)
        limiter.arrived(4.0)
        limiter.acquire()
        assert clock.now == 113

    def test_no_limit(self):
        limiter, clock = virtual_limiter(limit=0, window=10)
        for _step in range(1000):
            limiter.acquire()
        assert clock.now == 100
        # A server that is down says nothing about a limit.
        limiter.pause(3)
        for _step in range(1000):
            limiter.acquire()
        assert clock.now == 103

    def test_a_limit_that_was_not_told_is_learned(self):
        limiter, clock = virtual_limiter(limit=0, window=10)
        for _step in range(50):
            limiter.acquire()
        limiter.pause(10, refused=True)
        times = []
        for _step in range(45):
            limiter.acquire()
            times.append(clock.now)
        assert times == pytest.approx([110 + step * 10 / 45 for step in range(45)])

    def test_pause_then_even_pace(self):
        limiter, clock = virtual_limiter(limit=10, window=10)
        limiter.acquire()
        limiter.pause(5)
        times = []
        for _step in range(30):
            limiter.acquire()
            times.append(clock.now)
        assert times == pytest.approx([105 + step for step in range(30)])

    def test_refusals_of_many_threads_at_once_count_once_and_the_budget_comes_back(self):
        limiter, clock = virtual_limiter(limit=100, window=10)
        for _step in range(5):
            limiter.acquire()
        for _thread in range(16):
            limiter.pause(2, refused=True)
        times = []
        for _step in range(1000):
            limiter.acquire()
            times.append(clock.now)
        windows = [sum(start <= moment < start + 10 for moment in times) for start in range(102, 192, 10)]
        assert windows == sorted(windows) and 50 <= windows[0] < 90 and windows[-1] > 95, windows
        assert all(late - early > 0.1 for early, late in zip(times[:50], times[1:50], strict=False))

    def test_the_budget_comes_back_when_a_competitor_has_gone(self):
        """In virtual time: for a minute another client uses all of it."""
        limiter, clock = virtual_limiter(limit=100, window=10.1)
        arrived, accepted = deque(), 0
        while clock.now < 700:
            limiter.acquire()
            while arrived and arrived[0] <= clock.now - 10:
                arrived.popleft()
            if len(arrived) + (90 if clock.now < 160 else 0) >= 100:
                limiter.pause(5, refused=True)
                continue
            arrived.append(clock.now)
            accepted += clock.now >= 200
        assert accepted > 0.7 * 5000

    @pytest.mark.parametrize("enforced", [100, 60, 31])
    @pytest.mark.parametrize("told", [100, 0])
    def test_a_server_that_enforces_a_limit_refuses_less_than_one_in_a_hundred(self, told, enforced):
        """In virtual time: the server counts what arrived within any 10 s, also what it refused."""
        limiter, clock = virtual_limiter(limit=told, window=10.1)
        arrived, accepted, refused = deque(), [], 0
        while len(accepted) < 4000:
            limiter.acquire()
            clock.now += 0.004
            while arrived and arrived[0] <= clock.now - 10:
                arrived.popleft()
            if len(arrived) >= enforced:
                refused += 1
                limiter.pause(10, refused=True)
                continue
            arrived.append(clock.now)
            accepted.append(clock.now)
        assert refused < 0.01 * len(accepted)
        used = len(accepted) / ((accepted[-1] - accepted[0]) * enforced / 10)
        assert used > (0.95 if enforced == told else 0.8)

    def test_a_shorter_pause_does_not_end_a_longer_one(self):
        limiter, clock = virtual_limiter(limit=10, window=10)
        limiter.pause(8)
        limiter.pause(2)
        limiter.acquire()
        assert clock.now == 108

    def test_pause_reaches_who_sleeps_already(self):
        limiter, clock = virtual_limiter(limit=1, window=10)
        limiter.acquire()
        clock.at_sleep.append(lambda: limiter.pause(50))
        limiter.acquire()
        assert clock.now == 150

    @pytest.mark.parametrize("pauses", [[0.15], [0.15, 0.16, 0.17], [0.1, 0.3]])
    def test_no_slot_is_given_twice_after_pauses(self, pauses):
        """Threads that wait for a slot when a pause comes must not send beside those that come after it."""
        limiter = Limiter(10, window=1.0)
        times = []

        def work():
            limiter.acquire()
            times.append(time.monotonic())

        started = time.monotonic()
        threads = []
        for seconds in pauses:
            limiter.pause(seconds)
            threads += [threading.Thread(target=work) for _number in range(4)]
            for thread in threads[-4:]:
                thread.start()
            time.sleep(0.02)
        for thread in threads:
            thread.join(10)
        first = started + max(pauses)
        # A lower bound of every moment, so a slow machine cannot break it.
        assert all(moment >= first + place * 0.1 - 0.001 for place, moment in enumerate(sorted(times)))
        assert len(times) == 4 * len(pauses)

    def test_many_threads_share_the_limit_fairly(self):
        limiter = Limiter(8, window=0.1)
        times, by_thread = [], {}

        def work(number):
            by_thread[number] = 0
            while len(times) < 80:
                limiter.acquire()
                times.append(time.monotonic())
                by_thread[number] += 1

        started = time.monotonic()
        in_threads(16, work)
        assert all(moment >= started + place // 8 * 0.1 for place, moment in enumerate(sorted(times)))
        assert min(by_thread.values()) >= 2

    def test_stop_wakes_everybody(self):
        limiter = Limiter(1, window=600)
        limiter.acquire()
        errors = []

        def work(wait):
            try:
                wait()
            except InterruptedError as error:
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=(wait,)) for wait in [limiter.acquire] * 5 + [lambda: limiter.wait(600)] * 5
        ]
        for thread in threads:
            thread.start()
        limiter.stop()
        for thread in threads:
            thread.join(5)
        assert len(errors) == 10


class TestAnswers:
    def test_a_json_answer(self, server, client):
        server.expect(
            "GET",
            "/things",
            Reply(json=[1, "ä"], headers={"Date": "Sun, 22 Nov 2026 08:00:00 GMT", "X-Total-Count": "2"}),
            query={"a": "b c&d"},
        )
        answer = client.request("GET", "/things", params={"a": "b c&d"})
        assert (answer.status, answer.body, answer.server_time) == (200, [1, "ä"], "2026-11-22T08:00:00Z")
        assert answer.headers["x-total-count"] == "2"
        assert server.requests[0].headers["Accept"] == "application/json"
        assert server.requests[0].headers["Authorization"] == TOKEN

    def test_a_date_that_is_none(self, server, client):
        server.expect("GET", "/", Reply(json=1, headers={"Date": "yesterday"}), Reply(json=1, headers={"Date": None}))
        assert client.request("GET", "/").server_time is None
        assert client.request("GET", "/").server_time is None

    def test_connections_are_kept(self, server, client):
        server.on("GET", "/", Reply(json={}))
        server.on("GET", "/wrong", Reply(404, json={"text": "no"}))
        for _time in range(5):
            client.request("GET", "/")
            with pytest.raises(HttpError):
                client.request("GET", "/wrong")
        assert server.connections == 1

    def test_no_more_connections_than_concurrency(self, server, make_client):
        client = make_client(concurrency=3)
        server.on("GET", "/", lambda received: Reply(json={}, delay=0.02))
        in_threads(12, lambda number: client.request("GET", "/"))
        assert server.connections <= 3

    def test_cookies_are_not_kept(self, server, client):
        server.expect("GET", "/", Reply(json=1, headers={"Set-Cookie": "a=b; Path=/"}), Reply(json=1))
        client.request("GET", "/")
        client.request("GET", "/")
        assert "Cookie" not in server.requests[1].headers

    def test_a_body_nobody_needs(self, server, client):
        server.expect("POST", "/run", Reply(202, ""), Reply(202, "\r\n"))
        assert client.request("POST", "/run", needs_body=False).body is None
        assert client.request("POST", "/run", needs_body=False).status == 202

    def test_a_body_that_is_there_has_to_be_json(self, server, client):
        server.expect("POST", "/run", Reply(202, "Please wait"))
        with pytest.raises(HttpError, match="Please wait") as caught:
            client.request("POST", "/run", needs_body=False)
        assert caught.value.passing and caught.value.uncertain

    @pytest.mark.parametrize(
        "body, words",
        [
            ("", "the body is empty"),
            (" \r\n\r\n ", "the body is empty"),
            ("\n\n<html><title>Log in</title>\n<p>x", "starts with '<html><title>Log in</title>'"),
            ('{"items": [1, 2', "starts with '{\"items\": [1, 2'"),
            (b"\xff\xfe\x00", "the body is not JSON"),
            ("Service OK", "starts with 'Service OK'"),
        ],
    )
    def test_a_body_that_is_not_json(self, server, client, body, words):
        server.expect("GET", "/things", Reply(body=body))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/things")
        assert str(caught.value).startswith("GET /things: HTTP 200, but ")
        assert words in str(caught.value)
        assert "Something other than the API answered" in str(caught.value)
        assert not caught.value.uncertain

    @pytest.mark.parametrize(
        "cut",
        [
            Reply(json={"a": "b" * 500}, announce=5000),
            Reply(json={"a": "b" * 500}, close_after=100),
            Reply(json={"a": "b" * 500}, close_after=100, chunked=True),
            Reply(json={"a": "b" * 500}, close_after=20, compress=True),
            Reply(json={"a": 1}, announce=5000),
        ],
        ids=["too-short", "cut", "chunked-cut", "gzip-cut", "complete-json-but-too-short"],
    )
    def test_a_cut_off_body_is_fetched_again(self, server, client, quick_back_off, cut):
        server.expect("GET", "/things", cut, cut, Reply(json="whole"))
        assert client.request("GET", "/things").body == "whole"

    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("compress", [False, True])
    def test_whole_bodies(self, server, client, chunked, compress):
        value = {"text": "x" * 300_000, "more": list(range(1000))}
        server.expect("GET", "/things", Reply(json=value, chunked=chunked, compress=compress))
        assert client.request("GET", "/things").body == value

    @pytest.mark.parametrize("compress", [False, True])
    def test_a_gigantic_body_is_not_read_to_its_end(self, server, client, monkeypatch, compress):
        monkeypatch.setattr(http_utils, "LARGEST_JSON_BODY", 100_000)
        server.expect("GET", "/things", Reply(body=b"[" + b" " * 20_000_000, compress=compress))
        with pytest.raises(HttpError, match="the answer is larger than 100000 bytes"):
            client.request("GET", "/things")

    def test_a_gigantic_error_is_not_read_to_its_end(self, server, client):
        server.expect("GET", "/things", Reply(400, b"x" * 20_000_000))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/things")
        assert len(str(caught.value)) < 1000

    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_that_drips(self, server, make_client, chunked):
        client = make_client(request_timeout=1, retry_timeout=0)
        server.expect("GET", "/things", Reply(body="[" + " " * 300_000, drip=(100, 0.05), chunked=chunked))
        started = time.monotonic()
        with pytest.raises(HttpError, match="no answer within 1 s"):
            client.request("GET", "/things")
        assert time.monotonic() - started < 20

    def test_no_answer(self, server, make_client):
        client = make_client(request_timeout=1, retry_timeout=0)
        server.expect("GET", "/things", Reply(json=1, delay=30))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/things")
        assert "no answer within 1 s" in str(caught.value)
        assert "Raise request_timeout if the API is slow" in str(caught.value)


class TestErrors:
    def test_an_error_says_everything(self, server, client):
        server.expect(
            "POST",
            "/things/1",
            Reply(409, json={"code": "409.1", "text": "It is taken.", "reference": "trackingId 77"}),
        )
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/things/1", json={})
        error = caught.value
        assert str(error) == "POST /things/1: HTTP 409, 409.1: It is taken (trackingId 77). Do something about 409."
        assert (error.method, error.path, error.status, error.code, error.reference, error.uncertain) == (
            "POST",
            "/things/1",
            409,
            "409.1",
            "trackingId 77",
            False,
        )

    @pytest.mark.parametrize(
        "body, words",
        [
            ("", "HTTP 403, the body is empty."),
            ("<h1>Blocked</h1>\nby", "HTTP 403, the body is not JSON and starts with '<h1>Blocked</h1>'."),
            ('{"code": "403"}', "HTTP 403. Do"),
            ("[]", "HTTP 403. Do"),
            ("null", "HTTP 403, the body is not JSON"),
            ('{"text": "a', 'starts with \'{"text": "a\''),
        ],
    )
    def test_an_error_without_words(self, server, client, body, words):
        server.expect("GET", "/x", Reply(403, body))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert words in str(caught.value)

    def test_an_error_whose_body_breaks_off_keeps_its_status(self, server, client):
        server.expect("GET", "/x", Reply(404, json={"text": "y" * 1000}, close_after=30))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert caught.value.status == 404

    def test_a_status_that_is_none_of_these(self, server, client):
        server.expect("GET", "/x", Reply(303, "", headers={"Location": "/y"}))
        with pytest.raises(HttpError, match="HTTP 303"):
            client.request("GET", "/x")


class TestSecrets:
    @pytest.mark.parametrize("status", [200, 400, 500])
    @pytest.mark.parametrize("shape", ["json", "text", "form", "cut", "escaped", "reference"])
    def test_an_answer_that_shows_what_it_was_sent(self, server, make_client, status, shape, caplog):
        """The secret in every shape that an answer may give it."""
        caplog.set_level(logging.DEBUG)

        def reply(received):
            header = received.headers["Authorization"]
            shown = {
                "json": json.dumps({"text": "Invalid: %s and %s" % (header, SECRET)}),
                "text": "You sent %s and %s" % (header, SECRET),
                "form": received.body.decode() + " " + header,
                "cut": "x" * 190 + header + SECRET,
                "escaped": "x " + json.dumps(SECRET) + repr(SECRET) + header,
                "reference": json.dumps({"text": "no", "code": header, "reference": "you sent " + SECRET}),
            }[shape]
            return Reply(status, shown if status != 200 else "not json: " + shown)

        server.on("POST", "/login", reply)
        client = make_client()
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/login", repeatable=False, data={"secret": SECRET})
        texts = texts_of(caught.value) + caplog.text
        for secret in ("abc.def-ghi", "Bearer a", SECRET, "s3cr3t", "with+odd", "with%2Bodd"):
            assert secret not in texts
        assert "POST /login" in str(caught.value)

    def test_a_signature_is_hidden_too(self, server, make_client):
        client = make_client(authentication=Key(secrets=["the key"], header="5ca1ab1e"))
        server.on("GET", "/x", lambda received: Reply(401, json={"text": "bad " + received.headers["Authorization"]}))
        server.on("GET", "/y", lambda received: Reply(200, "bad " + received.headers["Authorization"]))
        for path in ("/x", "/y"):
            with pytest.raises(HttpError) as caught:
                client.request("GET", path)
            assert "5ca1ab1e" not in texts_of(caught.value)

    def test_a_secret_inside_a_longer_one(self, server, make_client):
        client = make_client(authentication=Key(secrets=["abc", "abc.def-ghi"]))
        server.expect("GET", "/x", Reply(400, json={"text": "got abc.def-ghi"}))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert "def" not in str(caught.value)

    @pytest.mark.parametrize("token", ["ses4me\nend", "ses4me\r\nX-Evil: 1", "ses4me\u20ac"])
    def test_a_header_that_cannot_be_sent(self, server, make_client, token):
        client = make_client(authentication=Key(secrets=[token], header="Bearer " + token))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert "cannot be sent" in str(caught.value)
        texts = texts_of(caught.value)
        assert not any(part in texts for part in ("ses4me", "X-Evil"))
        assert not server.requests

    def test_while_another_thread_gets_a_token(self, server, make_client):
        """Hiding secrets must stand that there is one more at any moment."""
        key = Key(secrets=["secret-%d" % number for number in range(200)])
        client = make_client(authentication=key)
        ended = threading.Event()

        def add():
            number = 0
            while not ended.is_set():
                key.secrets.add("more-%d" % (number % 5000))
                key.secrets.discard("more-%d" % ((number - 50) % 5000))
                number += 1

        thread = threading.Thread(target=add)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        thread.start()
        try:
            for _time in range(100):
                assert client._redact("a secret-77 b") == "a ******** b"
        finally:
            ended.set()
            thread.join()
            sys.setswitchinterval(interval)


class TestNetrc:
    def test_netrc_never_replaces_our_header(self, server, make_client, monkeypatch, tmp_path):
        netrc = tmp_path / "home" / ".netrc"
        netrc.write_text("machine 127.0.0.1 login eve password evil\n")
        netrc.chmod(0o600)
        # The trap works: this is what would be sent.
        assert requests.utils.get_netrc_auth(server.url) == ("eve", "evil")
        client = make_client()
        server.on("GET", "/x", Reply(json=1))
        server.on("POST", "/oauth/token", Reply(json=1))
        server.on("GET", "/moved", Reply(307, headers={"Location": "/moved/"}))
        server.on("GET", "/moved/", Reply(json=1))
        client.request("GET", "/x")
        client.request("GET", "/moved")
        client.request("POST", "/oauth/token", authentication=NoAuthentication(), data={"a": "b"})
        client.download("/x", {}, "text/csv", io.BytesIO())
        assert [request.headers["Authorization"] for request in server.requests] == [TOKEN, TOKEN, TOKEN, None, TOKEN]

    def test_netrc_named_by_the_environment(self, server, client, monkeypatch, tmp_path):
        netrc = tmp_path / "netrc"
        netrc.write_text("default login eve password evil\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        assert requests.utils.get_netrc_auth(server.url) == ("eve", "evil")
        server.expect("GET", "/x")
        client.request("GET", "/x")
        assert server.requests[0].headers["Authorization"] == TOKEN


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("absolute", [False, True])
    def test_a_slash_keeps_method_body_and_header(self, server, client, status, absolute):
        server.expect("POST", "/things", Reply(status, headers={"Location": (server.url if absolute else "") + "/things/"}))
        server.expect("POST", "/things/", Reply(json="done"), json={"a": 1})
        assert client.request("POST", "/things", json={"a": 1}).body == "done"
        assert [request.headers["Authorization"] for request in server.requests] == [TOKEN, TOKEN]

    def test_the_query_is_not_sent_twice(self, server, client):
        server.expect("GET", "/things", Reply(307, headers={"Location": "/things/?a=1&b=2"}), query={"a": "1", "b": "2"})
        server.expect("GET", "/things/", Reply(json=1))
        client.request("GET", "/things", params={"a": "1", "b": "2"})
        assert server.requests[1].target == "/things/?a=1&b=2"

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_another_host_gets_nothing_at_all(self, server, client, make_server, status, method):
        other = make_server()
        server.expect(method, "/x", Reply(status, headers={"Location": other.url + "/x?token=t"}))
        with pytest.raises(HttpError) as caught:
            client.request(method, "/x")
        assert other.connections == 0
        assert "HTTP %d redirects to %s" % (status, other.url) in str(caught.value)
        assert "set base_url to it" in str(caught.value)
        assert "token=t" not in texts_of(caught.value)

    @pytest.mark.parametrize(
        "location",
        [
            "//evil.example/x",
            "https://127.0.0.1:%(port)d/x",
            "http://localhost:%(port)d/x",
            "mailto:eve@evil.example",
            "http://[::1/x",
            "http://127.0.0.1:port/x",
            "http://127.0.0.1:99999/x",
            "ftp://127.0.0.1/x",
            "javascript:alert(1)",
            "http://127.0.0.1:%(port)d@evil.example/x",
            "http://\xff/",
        ],
    )
    def test_an_odd_address_is_refused(self, server, client, location):
        server.expect("GET", "/x", Reply(302, headers={"Location": location % {"port": server.port}}))
        with pytest.raises(HttpError, match="HTTP 302 redirects to "):
            client.request("GET", "/x")
        assert len(server.requests) == 1

    @pytest.mark.parametrize(
        "base, location",
        [
            ("/acme", "/globex/x"),
            ("/acme", "/acme2/x"),
            ("/acme", "/"),
            ("/acme", "/Acme/x"),
            ("/acme", "../globex/x"),
            ("/acme", "%(url)s"),
            ("/acme", "%(url)s/globex/x"),
            ("/acme", "%(url)s/acme/../globex/x"),
            ("/acme", "//%(host)s/acme/../globex/x"),
            ("/acme", "/acme/%%2e%%2e/globex/x"),
            ("/acme", "/acme/.%%2E/globex/x"),
            ("/acme", "/acme/%%252e%%252e/globex/x"),
            ("/acme", "/acme/..%%2fglobex/x"),
            ("/acme", "/acme/..%%5cglobex/x"),
            ("/acme", "/acme/..\\globex/x"),
            ("/acme", "/acme/..;v=1/globex/x"),
            ("/acme", "/acme%%2f../globex/x"),
            ("/acme", "/acme/%%" + "25" * 20000 + "2e/x"),
            ("/gateway/acme", "/gateway/globex/x"),
            ("/gateway/acme", "/gateway"),
            ("", "%(url)s/../x"),
        ],
    )
    def test_another_tenant_behind_the_same_host_gets_nothing(self, server, make_client, base, location):
        """The path of base_url says whose answers these are."""
        places = {"url": server.url, "host": server.url.split("//")[1]}
        server.expect("POST", base + "/x", Reply(307, headers={"Location": location % places + "?token=t"}))
        match = "HTTP 307 redirects to .*, which is another resource, or not below base_url"
        with pytest.raises(HttpError, match=match) as caught:
            make_client(base_url=server.url + base).request("POST", "/x", json={"a": 1})
        assert len(server.requests) == 1
        assert "set base_url to it" in str(caught.value) and "token=t" not in texts_of(caught.value)
        assert caught.value.status == 307 and not caught.value.passing

    @pytest.mark.parametrize(
        "base, location, path",
        [
            ("/acme", "/acme/x/", "/acme/x/"),
            ("/acme", "x/", "/acme/x/"),
            ("/acme", "%(url)s/acme/x/", "/acme/x/"),
            ("/acme", "/%%61cme/x/", "/acme/x/"),
            ("/acme/", "/acme/x/", "/acme/x/"),
            ("/b%C3%A4r", "/b%%C3%%A4r/x/", "/b%C3%A4r/x/"),
            ("/b\xe4r", "/b%%C3%%A4r/x/", "/b%C3%A4r/x/"),
            ("", "%(url)s/x/", "/x/"),
        ],
    )
    def test_below_base_url_a_redirect_is_followed(self, server, make_client, base, location, path):
        start = quote(base.rstrip("/"), safe="/%") + "/x"
        server.on("POST", start, Reply(307, headers={"Location": location % {"url": server.url}}))
        server.on("POST", path, Reply(json="there"))
        assert make_client(base_url=server.url + base).request("POST", "/x", json={"a": 1}).body == "there"
        assert [request.target for request in server.requests] == [start, path]

    @pytest.mark.parametrize("location", ["/acme/v2//x", "/acme", "/acme/y", "/acme/x/y", "/acme/x%2Fy", "/acme/X"])
    def test_another_resource_is_not_this_one(self, server, make_client, location):
        """It may be another campaign's."""
        server.on("GET", "/acme/x", Reply(307, headers={"Location": location}))
        with pytest.raises(HttpError, match="HTTP 307 redirects to .*, which is another resource"):
            make_client(base_url=server.url + "/acme").request("GET", "/x")
        assert len(server.requests) == 1

    def test_credentials_in_the_address_are_not_used(self, server, client):
        server.expect("GET", "/x", Reply(302, headers={"Location": "http://eve:evil@127.0.0.1:%d/x/" % server.port}))
        server.expect("GET", "/x/", Reply(json=1))
        client.request("GET", "/x")
        assert server.requests[1].headers["Authorization"] == TOKEN

    @pytest.mark.parametrize("location", ["/x", "", None, "/x/"])
    def test_a_loop_ends(self, server, client, location):
        server.on("GET", "/x", Reply(302, headers={"Location": location}))
        server.on("GET", "/x/", Reply(302, headers={"Location": "/x"}))
        with pytest.raises(HttpError, match="HTTP 302"):
            client.request("GET", "/x")
        assert len(server.requests) == 4


class TestCheckMode:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_what_changes_is_not_sent(self, server, make_client, method):
        client = make_client(check_mode=True, read_only_posts=["/look/"])
        with pytest.raises(WouldChange) as caught:
            client.request(method, "/change", json={})
        assert (caught.value.method, caught.value.path) == (method, "/change")
        # Not even a connection, and no credentials were made.
        assert server.connections == 0
        assert client.authentication.asked == 0

    def test_what_reads_is_sent(self, server, make_client):
        client = make_client(check_mode=True, read_only_posts=["/look/"])
        server.expect("GET", "/x")
        server.expect("POST", "/look")
        server.expect("POST", "/look/")
        client.request("GET", "/x")
        client.request("POST", "/look", json={})
        client.request("POST", "/look/", json={})

    def test_a_name_that_only_starts_like_a_reading_one(self, server, make_client):
        client = make_client(check_mode=True, read_only_posts=["/look"])
        for path in ("/look/more", "/looking", "/look//x"):
            with pytest.raises(WouldChange):
                client.request("POST", path)
        assert server.connections == 0


class TestRepeating:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_get_is_repeated(self, server, client, quick_back_off, status):
        server.expect("GET", "/x", Reply(status), Reply(status), Reply(json="ok"))
        assert client.request("GET", "/x").body == "ok"
        # New headers for every attempt.
        assert [request.headers["X-Attempt"] for request in server.requests] == ["1", "2", "3"]

    @pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 407, 409, 410, 422, 501, 505])
    def test_other_errors_are_not(self, server, client, status):
        server.expect("GET", "/x", Reply(status, json={}))
        with pytest.raises(HttpError) as caught:
            client.request("GET", "/x")
        assert not caught.value.passing

    def test_a_500_to_a_post_that_reads_is_repeated(self, server, make_client, quick_back_off):
        server.expect("POST", "/look", Reply(500), Reply(json="ok"))
        assert make_client(read_only_posts=["/look"]).request("POST", "/look", json={}).body == "ok"

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_change_is_not_repeated_after_a_5xx(self, server, client, status):
        server.expect("POST", "/x", Reply(status, json={}, headers={"Retry-After": "0"}))
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain
        assert "The server may have carried the request out all the same." in str(caught.value)

    def test_a_change_is_not_repeated_after_a_lost_answer(self, server, client):
        server.expect("POST", "/x", Reply(drop=True))
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain and caught.value.status is None
        assert "The server may have carried the request out all the same." in str(caught.value)

    def test_a_change_is_not_repeated_after_silence(self, server, make_client):
        server.expect("POST", "/x", Reply(json=1, delay=30))
        with pytest.raises(HttpError) as caught:
            make_client(request_timeout=1).request("POST", "/x")
        assert caught.value.uncertain

    def test_a_change_is_not_repeated_after_a_cut_off_answer(self, server, client):
        server.expect("POST", "/x", Reply(json={"a": "b" * 100}, close_after=20))
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain

    def test_a_change_whose_answer_is_not_json_is_uncertain(self, server, client):
        server.expect("POST", "/x", Reply(body="<html>"))
        with pytest.raises(HttpError) as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain

    def test_a_change_is_repeated_after_a_429(self, server, client, quick_back_off):
        server.expect("POST", "/x", Reply(429), Reply(429), Reply(json="ok"), json={"a": 1})
        assert client.request("POST", "/x", json={"a": 1}).body == "ok"

    def test_a_change_is_repeated_after_a_refused_connection(self, server, make_client, monkeypatch):
        """Nothing listens at first; the server comes while the client waits for its next attempt."""
        free = make_client(base_url="http://127.0.0.1:1")
        waits = []

        def listen(seconds):
            waits.append(seconds)
            if len(waits) == 2:
                free._session.mount("http://127.0.0.1:1", Elsewhere(server.port))

        monkeypatch.setattr(free.limiter, "wait", listen)
        server.expect("POST", "/x", Reply(json="ok"))
        assert free.request("POST", "/x").body == "ok"
        assert len(waits) == 2

    def test_a_refused_connection_is_not_uncertain(self, make_client):
        with pytest.raises(HttpError) as caught:
            make_client(base_url="http://127.0.0.1:1", retry_timeout=0).request("POST", "/x")
        assert not caught.value.uncertain
        assert "no connection to http://127.0.0.1:1 (" in str(caught.value)
        assert "Connection refused" in str(caught.value)
        assert "Check the address, the network and the proxy." in str(caught.value)

    def test_a_name_that_does_not_exist(self, make_client):
        with pytest.raises(HttpError) as caught:
            make_client(base_url="https://does-not-exist.invalid", retry_timeout=0).request("POST", "/x")
        assert not caught.value.uncertain
        assert "no connection to https://does-not-exist.invalid" in str(caught.value)

    def test_get_is_repeated_after_dropped_connections(self, server, client, quick_back_off):
        server.drop_connections = 2
        server.expect("GET", "/x", Reply(drop=True), Reply(drop=True), Reply(json="ok"))
        assert client.request("GET", "/x").body == "ok"
        assert server.connections == 5

    def test_a_harmless_change_is_repeated(self, server, client, quick_back_off):
        server.expect("POST", "/x", Reply(drop=True), Reply(502), Reply(json="x" * 99, close_after=9), Reply(json="ok"))
        assert client.request("POST", "/x", repeatable=True).body == "ok"

    def test_a_kept_connection_that_the_server_has_closed(self, server, client, quick_back_off):
        server.expect("GET", "/x", Reply(json=1), Reply(drop=True), Reply(json=2))
        assert [client.request("GET", "/x").body for _time in range(2)] == [1, 2]

    def test_backing_off_is_bounded(self, server, make_client):
        server.on("GET", "/x", Reply(503))
        started = time.monotonic()
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=2).request("GET", "/x")
        assert time.monotonic() - started < 5
        assert 2 <= len(server.requests) <= 5
        assert "Gave up after %d attempts: " % len(server.requests) in str(caught.value)
        assert "retry_timeout is 2 s. Do something about 503." in str(caught.value)

    def test_no_retries_wanted(self, server, make_client):
        server.expect("GET", "/x", Reply(503))
        with pytest.raises(HttpError, match="Gave up after 1 attempt:"):
            make_client(retry_timeout=0).request("GET", "/x")

    def test_the_wait_doubles_and_is_jittered(self, make_client, monkeypatch):
        client = make_client(retry_timeout=1000)
        call = http_utils.Call("GET", "/x", {}, changes=False, repeatable=True, shared=False)
        for call.attempt in (1, 2, 3, 6, 7, 20, 5000):
            most = min(30.0, 0.5 * 2 ** min(call.attempt - 1, 30))
            waits = {client._bounded(None, call, call.error("y")) for _time in range(50)}
            assert len(waits) > 40 and most / 2 <= min(waits) and max(waits) <= most


class Elsewhere(requests.adapters.HTTPAdapter):
    """Sends everything to another port of loopback."""

    def __init__(self, port):
        super().__init__()
        self._port = port

    def send(self, request, **options):
        """One request."""
        request.url = request.url.replace("127.0.0.1:1/", "127.0.0.1:%d/" % self._port)
        return super().send(request, **options)


class TestRetryAfter:
    def test_seconds_hold_everybody(self, server, client):
        """Ten requests are refused at once; nobody knocks before the pause is over, and all finish."""
        everybody = threading.Barrier(10)
        refused = []

        def reply(received):
            if len(refused) < 10:
                refused.append(received)
                everybody.wait(10)
                return Reply(429, json={}, headers={"Retry-After": "1"})
            return Reply(json="ok")

        server.on("GET", "/x", reply)
        assert [answer.body for answer in in_threads(10, lambda number: client.request("GET", "/x"))] == ["ok"] * 10
        assert server.statuses.count(429) == 10
        times = sorted(request.time for request in server.requests)
        assert times[10] >= times[9] + 1.0

    def test_a_budget_that_others_use_too(self, server, make_client):
        """The server's window is half used by somebody else: few are refused after the first, and all finish."""
        client = make_client(rate_limit=20)
        client.limiter.window = 1.1
        lock = threading.Lock()
        used = [time.monotonic()] * 12

        def reply(received):
            with lock:
                now = time.monotonic()
                used[:] = [moment for moment in used if now - moment < 1.0]
                if len(used) >= 20:
                    return Reply(429, json={}, headers={"Retry-After": "1"})
                used.append(now)
                return Reply(json="ok")

        server.on("GET", "/x", reply)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda number: client.request("GET", "/x").body, range(40)))
        assert answers == ["ok"] * 40
        # Those that were under way when the first was refused, and hardly one more.
        assert server.statuses.count(429) <= 14

    def test_a_date_is_read_by_the_servers_clock(self, server, client, monkeypatch):
        """This machine's clock is a day wrong, in both directions."""
        really = time.time()
        for wrong in (86400, -86400):
            monkeypatch.setattr(http_utils.time, "time", lambda wrong=wrong: really + wrong)
            headers = {"Date": formatdate(really, usegmt=True), "Retry-After": formatdate(really + 7, usegmt=True)}
            assert http_utils.retry_after(headers) == 7

    def test_a_date_without_the_servers_clock(self, monkeypatch):
        monkeypatch.setattr(http_utils.time, "time", lambda: 1_700_000_000)
        assert http_utils.retry_after({"Retry-After": formatdate(1_700_000_009, usegmt=True)}) == 9

    @pytest.mark.parametrize(
        "value, seconds",
        [
            ("2", 2),
            ("0", 0),
            ("1.5", 1.5),
            ("-5", 0),
            ("999999999", 300),
            ("1e400", 300),
            ("inf", 300),
            ("-inf", 0),
            ("nan", None),
            ("NaN", None),
            ("", None),
            ("soon", None),
            ("Fri, 31 Foo 2026 25:61:61 GMT", None),
            ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 300),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
            ("\u00b2", None),
            (None, None),
        ],
    )
    def test_what_it_may_be(self, value, seconds):
        headers = {"Date": formatdate(usegmt=True)}
        if value is not None:
            headers["Retry-After"] = value
        found = http_utils.retry_after(headers)
        # An unreadable date or one before everything: either way nobody waits for it.
        assert found == seconds or (not found and not seconds)

    @pytest.mark.parametrize("value", ["soon", "nan", "-3", "0", None])
    def test_what_does_not_say_how_long_is_no_leave_to_hammer(self, server, client, value, quick_back_off):
        waits = []
        pause = client.limiter.pause
        client.limiter.pause = lambda seconds, refused: (waits.append(seconds), pause(seconds, refused))
        server.expect("GET", "/x", *[Reply(429, headers={"Retry-After": value})] * 4, Reply(json=1))
        client.request("GET", "/x")
        assert waits == pytest.approx([0.01, 0.02, 0.04, 0.08])

    def test_longer_than_the_time_for_retries(self, server, make_client):
        server.expect("GET", "/x", Reply(429, json={"text": "slow down"}, headers={"Retry-After": "86400"}))
        started = time.monotonic()
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=5).request("GET", "/x")
        assert time.monotonic() - started < 4
        assert "HTTP 429: slow down. Gave up after 1 attempt: the next one would be in 300 s, and retry_timeout is 5 s." in str(
            caught.value
        )

    def test_503_with_a_date(self, server, client):
        now = time.time() - 5000
        server.expect(
            "GET",
            "/x",
            Reply(503, headers={"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + 1, usegmt=True)}),
            Reply(json="ok"),
        )
        assert client.request("GET", "/x").body == "ok"
        assert server.requests[1].time - server.requests[0].time >= 1


class TestDownload:
    CONTENT = b"Name,State\n" + b"Mary,REMEDIATED\n" * 20_000

    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("compress", [False, True])
    def test_a_file(self, server, client, chunked, compress):
        server.expect(
            "GET",
            "/reports/1",
            Reply(body=self.CONTENT, chunked=chunked, compress=compress),
            query={"fileFormat": "csv"},
        )
        target = io.BytesIO()
        answer, sha256 = client.download("/reports/1", {"fileFormat": "csv"}, "text/csv, */*;q=0.1", target)
        assert target.getvalue() == self.CONTENT
        assert sha256 == hashlib.sha256(self.CONTENT).hexdigest()
        assert answer.status == 200
        assert server.requests[0].headers["Accept"] == "text/csv, */*;q=0.1"

    @pytest.mark.parametrize("compress", [False, True])
    @pytest.mark.parametrize(
        "how",
        [
            dict(announce=10_000_000),
            dict(close_after=500),
            dict(close_after=500, chunked=True),
            dict(drop=True),
            dict(status=503),
        ],
        ids="-".join,
    )
    def test_a_file_that_was_cut_off_is_fetched_again(self, server, client, quick_back_off, compress, how):
        server.expect("GET", "/f", Reply(body=self.CONTENT * 2, compress=compress, **how), Reply(body=self.CONTENT))
        target = io.BytesIO()
        _answer, sha256 = client.download("/f", {}, "text/csv", target)
        assert target.getvalue() == self.CONTENT
        assert sha256 == hashlib.sha256(self.CONTENT).hexdigest()

    def test_a_file_that_is_always_cut_off(self, server, make_client):
        server.expect("GET", "/f", Reply(body=self.CONTENT, announce=len(self.CONTENT) + 1))
        with pytest.raises(HttpError, match="the connection broke"):
            make_client(retry_timeout=0).download("/f", {}, "text/csv", io.BytesIO())

    def test_a_file_of_which_nobody_says_how_long_it_is(self, server, client):
        server.expect("GET", "/f", Reply(body=self.CONTENT, framed=False))
        target = io.BytesIO()
        with pytest.raises(HttpError, match="does not say how long it is"):
            client.download("/f", {}, "text/csv", target)
        assert target.getvalue() == b""

    def test_a_disk_that_is_full(self, server, client):
        class Full(io.BytesIO):
            def write(self, data):
                raise OSError(28, "No space left on device")

        server.expect("GET", "/f", Reply(body=self.CONTENT))
        with pytest.raises(OSError, match="No space left"):
            client.download("/f", {}, "text/csv", Full())


class TestBaseUrl:
    @pytest.mark.parametrize(
        "given, used",
        [
            ("https://acme.example", "https://acme.example"),
            ("https://acme.example/", "https://acme.example"),
            ("https://acme.example:8443/base//", "https://acme.example:8443/base"),
            ("HTTPS://Acme.example", "HTTPS://Acme.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://127.9.9.9:1/", "http://127.9.9.9:1"),
            ("http://[::1]:80", "http://[::1]:80"),
            (" https://acme.example\n", "https://acme.example"),
        ],
    )
    def test_good(self, given, used):
        assert http_utils.check_base_url(given) == used

    @pytest.mark.parametrize(
        "given, words",
        [
            ("acme.api.example", "write https://acme.api.example"),
            ("//acme.example", "write https://acme.example"),
            ("acme.example:443", "write https://acme.example:443"),
            ("ftp://acme.example", "write https://acme.example"),
            ("", "is empty"),
            (" ", "is empty"),
            ("/", "does not start with https://"),
            ("https://", "names no host"),
            ("https:///x", "names no host"),
            ("http://acme.example", "unencrypted"),
            ("http://10.0.0.1", "unencrypted"),
            ("http://0.0.0.0", "unencrypted"),
            ("http://localhost.evil.example", "unencrypted"),
            ("http://127.0.0.1.evil.example", "unencrypted"),
            ("http://[::2]", "unencrypted"),
            ("https://acme.example?x=sesame", "must end before the"),
            ("https://acme.example/#sesame", "must end before the"),
            ("https://acme.example?", "must end before the"),
            ("https://sesame:open@acme.example", "user name or a password"),
            ("https://sesame@acme.example", "user name"),
            ("sesame:open@acme.example", "user name"),
            ("ftp://sesame:open@acme.example", "user name"),
            ("https://[::1", "is no URL"),
            ("https://acme.example:port", "is no URL"),
            ("https://acme.example:99999", "is no URL"),
        ],
    )
    def test_bad(self, make_client, given, words):
        with pytest.raises(BadConnectionOption) as caught:
            HttpClient(given, None, Key(), explain, None)
        assert words in str(caught.value)
        assert "sesame" not in texts_of(caught.value).replace("given = ", "")

    @pytest.mark.parametrize(
        "name, value",
        [("concurrency", 0), ("concurrency", -1), ("rate_limit", -1), ("request_timeout", 0), ("retry_timeout", -1)],
    )
    def test_numbers_that_cannot_work(self, make_client, name, value):
        with pytest.raises(BadConnectionOption, match="%s is %d and must be at least" % (name, value)):
            make_client(**{name: value})

    def test_a_path_in_the_base_url(self, server, make_client):
        server.expect("GET", "/gateway/v1/x")
        make_client(base_url=server.url + "/gateway/").request("GET", "/v1/x")


@pytest.fixture(scope="session")
def authority():
    """A private CA."""
    return trustme.CA()


@pytest.fixture
def tls_server(make_server, authority):
    """A server whose certificate a private CA signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return make_server(tls=context)


class TestTls:
    def test_a_certificate_that_nobody_trusts(self, tls_server, make_client):
        started = time.monotonic()
        with pytest.raises(HttpError) as caught:
            make_client(base_url=tls_server.url, retry_timeout=60).request("POST", "/x")
        assert "the TLS certificate of %s was not accepted" % tls_server.url in str(caught.value)
        assert "give the CA file as ca_path" in str(caught.value)
        assert not caught.value.uncertain
        # Repeating would not help.
        assert time.monotonic() - started < 10
        assert not tls_server.requests

    def test_ca_path(self, tls_server, make_client, authority, tmp_path):
        file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(file)
        tls_server.expect("GET", "/x", Reply(json="ok"))
        assert make_client(base_url=tls_server.url, ca_path=str(file)).request("GET", "/x").body == "ok"

    def test_ca_path_wins_over_the_environment(self, tls_server, make_client, authority, tmp_path, monkeypatch):
        file, other = tmp_path / "ca.pem", tmp_path / "other.pem"
        authority.cert_pem.write_to_path(file)
        trustme.CA().cert_pem.write_to_path(other)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
        tls_server.expect("GET", "/x", Reply(json="ok"))
        assert make_client(base_url=tls_server.url, ca_path=str(file)).request("GET", "/x").body == "ok"

    def test_the_bundle_of_the_environment(self, tls_server, make_client, authority, tmp_path, monkeypatch):
        file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(file)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
        tls_server.expect("GET", "/x", Reply(json="ok"))
        assert make_client(base_url=tls_server.url).request("GET", "/x").body == "ok"

    @pytest.mark.parametrize("bundle", [None, "other.pem", "missing.pem"])
    @pytest.mark.filterwarnings("error")
    def test_not_checked(self, tls_server, make_client, tmp_path, monkeypatch, bundle):
        """Whatever bundle the environment names."""
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        if bundle:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / bundle))
        tls_server.expect("GET", "/x", Reply(json="ok"))
        client = make_client(base_url=tls_server.url, validate_certs=False)
        assert client.request("GET", "/x").body == "ok"

    def test_a_ca_path_that_does_not_exist(self, make_client, tmp_path):
        with pytest.raises(BadConnectionOption, match="nothing.pem' does not exist"):
            make_client(ca_path=str(tmp_path / "nothing.pem"))

    @pytest.mark.parametrize("kind", ["pipe", "socket", "link"])
    @pytest.mark.parametrize("where", ["ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
    def test_what_can_hold_no_certificates_is_never_opened(self, make_client, tmp_path, monkeypatch, kind, where):
        """A pipe would be waited for without end, whatever the timeouts are."""
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
        path = tmp_path / "ca.pem"
        monkeypatch.chdir(tmp_path)
        if kind == "socket":
            socket.socket(socket.AF_UNIX).bind("ca.pem")
        else:
            os.mkfifo(tmp_path / "pipe" if kind == "link" else path)
        if kind == "link":
            path.symlink_to("pipe")
        if where == "ca_path":
            options = dict(ca_path=str(path))
        else:
            monkeypatch.setenv(where, str(path))
            options = dict(validate_certs=where != "SSL_CERT_FILE")
        with pytest.raises(BadConnectionOption) as caught:
            make_client(base_url="https://127.0.0.1:1", **options)
        what = "a socket" if kind == "socket" else "a named pipe"
        assert where in str(caught.value) and "ca.pem' is %s: give a file or a folder" % what in str(caught.value)

    def test_what_is_not_opened_may_be_anything(self, tls_server, server, make_client, authority, tmp_path, monkeypatch):
        os.mkfifo(tmp_path / "pipe")
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(name, str(tmp_path / "pipe"))
        for each in (tls_server, server):
            each.on("GET", "/x", Reply(json="ok"))
        for options in (dict(ca_path=str(tmp_path / "ca.pem")), dict(validate_certs=False)):
            assert make_client(base_url=tls_server.url, **options).request("GET", "/x").body == "ok"
        assert make_client().request("GET", "/x").body == "ok"
        with pytest.raises(HttpError, match="was not accepted"):
            make_client(base_url=tls_server.url, use_proxy=False, ca_path=None).request("GET", "/x")
        make_client(base_url=tls_server.url, ca_path=str(tmp_path))

    def test_a_ca_path_that_is_no_ca(self, tls_server, make_client, tmp_path):
        (tmp_path / "text.pem").write_text("hello")
        with pytest.raises(HttpError, match="certificate"):
            make_client(base_url=tls_server.url, ca_path=str(tmp_path / "text.pem")).request("GET", "/x")

    def test_a_bundle_of_the_environment_that_does_not_exist(self, tls_server, make_client, monkeypatch, tmp_path):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
        with pytest.raises(HttpError) as caught:
            make_client(base_url=tls_server.url).request("GET", "/x")
        assert "nothing.pem" in str(caught.value) and "REQUESTS_CA_BUNDLE" in str(caught.value)

    def test_a_certificate_for_another_name(self, make_server, make_client, authority, tmp_path):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("other.example").configure_cert(context)
        server = make_server(tls=context)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        with pytest.raises(HttpError, match="certificate"):
            make_client(base_url=server.url, ca_path=str(tmp_path / "ca.pem")).request("GET", "/x")

    @pytest.mark.parametrize(
        "error, final",
        [
            (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), False),
            (ssl.SSLCertVerificationError(1, "certificate verify failed"), True),
        ],
    )
    def test_a_handshake_that_broke_is_tried_again(self, error, final):
        wrapped = requests.exceptions.SSLError(requests.packages.urllib3.exceptions.SSLError(error))
        assert http_utils.is_final(wrapped) is final
        # It may also come when a kept connection is written to.
        assert http_utils.describe_connection_error(wrapped, "https://x", 5)[2] is not final

    def test_tls_that_breaks_after_the_request_was_sent(self, tls_server, make_client, authority, tmp_path, monkeypatch):
        """It may have been carried out."""
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")

        def broken(self, buffer, *args, **options):
            raise ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac")

        tls_server.on("POST", "/x", Reply(json=1))
        client = make_client(base_url=tls_server.url, ca_path=str(tmp_path / "ca.pem"))
        monkeypatch.setattr(transport.TimedReader, "readinto", broken)
        with pytest.raises(HttpError, match="TLS with .* broke") as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain and not caught.value.passing


class TestProxy:
    @pytest.fixture
    def proxy(self, make_server, monkeypatch):
        """A proxy that the environment names."""
        proxy = make_server()
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url.replace("http://", "http://user:pr0xy-pass@"))
        return proxy

    def test_http_proxy(self, server, make_client, proxy):
        proxy.on("GET", "/x", Reply(json="from the proxy"))
        assert make_client().request("GET", "/x").body == "from the proxy"
        assert proxy.requests[0].target == server.url + "/x"
        assert server.connections == 0

    def test_not_wanted(self, server, make_client, proxy):
        server.expect("GET", "/x", Reply(json="direct"))
        assert make_client(use_proxy=False).request("GET", "/x").body == "direct"
        assert proxy.connections == 0

    def test_no_proxy(self, server, make_client, proxy, monkeypatch):
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        server.expect("GET", "/x", Reply(json="direct"))
        assert make_client().request("GET", "/x").body == "direct"
        assert proxy.connections == 0

    def test_https_goes_through_a_tunnel(self, tls_server, make_client, proxy, authority, tmp_path):
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        proxy.expect("CONNECT", "127.0.0.1:%d" % tls_server.port, Reply(200))
        tls_server.expect("GET", "/x", Reply(json="ok"))
        client = make_client(base_url=tls_server.url, ca_path=str(tmp_path / "ca.pem"))
        assert client.request("GET", "/x").body == "ok"
        # The proxy sees its own password and not our key.
        assert proxy.requests[0].headers["Proxy-Authorization"].startswith("Basic ")
        assert "Authorization" not in proxy.requests[0].headers
        client.stop()

    def test_a_proxy_that_refuses(self, tls_server, make_client, proxy):
        proxy.on("CONNECT", "127.0.0.1:%d" % tls_server.port, Reply(407))
        with pytest.raises(HttpError) as caught:
            make_client(base_url=tls_server.url, retry_timeout=0).request("POST", "/x")
        assert "the proxy could not be used" in str(caught.value) and "407" in str(caught.value)
        assert "set use_proxy to false" in str(caught.value)
        assert not caught.value.uncertain
        assert "pr0xy-pass" not in texts_of(caught.value)

    def test_a_proxy_that_is_not_there(self, make_client, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://user:pr0xy-pass@127.0.0.1:1")
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=0).request("POST", "/x")
        assert "the proxy could not be used" in str(caught.value)
        assert not caught.value.uncertain
        assert "pr0xy-pass" not in texts_of(caught.value)

    def test_a_proxy_that_loses_the_answer(self, make_client, proxy):
        """It has passed the request on: a change must not be sent again."""
        proxy.expect("POST", "/x", Reply(drop=True))
        with pytest.raises(HttpError) as caught:
            make_client().request("POST", "/x")
        assert caught.value.uncertain

    @pytest.mark.parametrize(
        "url",
        [
            "http://user:pr0xy-[pass@127.0.0.1:1",
            "socks5h://user:pr0xy-pass@127.0.0.1:1",
            "http://user:pr0xy-pass@:8080",
        ],
    )
    def test_an_address_of_a_proxy_that_cannot_work(self, make_client, monkeypatch, url):
        monkeypatch.setenv("HTTP_PROXY", url)
        with pytest.raises(HttpError) as caught:
            make_client(retry_timeout=0).request("POST", "/x")
        assert "pr0xy-" not in texts_of(caught.value)
        assert not caught.value.uncertain
