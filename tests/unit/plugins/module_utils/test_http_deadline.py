# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exchange ends, however slowly it goes. What would hang takes minutes here; no test asks for more than a bound."""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import threading
import time

import pytest
import trustme
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._http import transport
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, NoAuthentication

BOUND = 15
BODY = b'{"a": "' + b"x" * 2000 + b'"}'
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
WHOLE = HEAD % b"200 OK" + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
DRIPS = {
    "status-line": b"HTTP/1.1 200 " + b"O" * 2000,
    "headers": HEAD % b"200 OK" + b"X-Filler: " + b"y" * 2000,
    "many-headers": HEAD % b"200 OK" + b"X: y\r\n" * 400,
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
    "body": WHOLE,
    "body-until-the-end": HEAD % b"200 OK" + b"\r\n" + BODY,
    "chunks": HEAD % b"200 OK" + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 400,
    "a-chunk-size": HEAD % b"200 OK" + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 2000,
    "trailers": HEAD % b"200 OK" + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 400,
    "error-body": HEAD % b"403 Forbidden" + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "passing-error-body": HEAD % b"503 Away" + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "redirect-body": HEAD % b"307 Moved" + b"Location: /x\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
}


def dripping(raw):
    """An answer that comes byte by byte, for minutes, after a fast beginning that keeps the test itself short."""
    return Reply(raw=raw, drip=(1, 0.2))


@contextlib.contextmanager
def in_time():
    """Fails where something took much longer than its deadline."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < BOUND


class TestExchange:
    @pytest.mark.parametrize("what", DRIPS)
    def test_a_byte_at_a_time(self, server, make_client, what):
        server.on("GET", "/x", dripping(DRIPS[what]))
        with in_time(), pytest.raises(HttpError) as caught:
            make_client(request_timeout=1, retry_timeout=0).request("GET", "/x")
        assert "no answer within 1 s" in str(caught.value) or caught.value.status

    @pytest.mark.parametrize("what", DRIPS)
    def test_a_download_a_byte_at_a_time(self, server, make_client, what):
        server.on("GET", "/x", dripping(DRIPS[what]))
        with in_time(), pytest.raises(HttpError):
            make_client(request_timeout=1, retry_timeout=0).download("/x", {}, "text/csv", io.BytesIO())

    @pytest.mark.parametrize("what", ["headers", "body"])
    def test_a_base_url_that_is_written_otherwise_on_the_wire(self, server, make_client, what):
        """Its connections are no others."""
        server.on("GET", "/b%C3%A4r/x", dripping(DRIPS[what]))
        with in_time(), pytest.raises(HttpError, match="no answer within 1 s"):
            make_client(base_url=server.url + "/b\xe4r", request_timeout=1, retry_timeout=0).request("GET", "/x")

    @pytest.mark.parametrize("url", ["https://elsewhere.example/", "http://127.0.0.1:1/", "HTTPS://127.0.0.1/"])
    def test_there_is_no_way_around_it(self, client, url):
        assert isinstance(client._session.get_adapter(url), transport.TimedAdapter)

    def test_an_acceptance_a_byte_at_a_time(self, server, make_client):
        server.on("POST", "/run", dripping(DRIPS["body"].replace(b"200 OK", b"202 OK")))
        with in_time(), pytest.raises(HttpError) as caught:
            make_client(request_timeout=1, retry_timeout=0).request("POST", "/run", needs_body=False)
        assert caught.value.uncertain and caught.value.passing

    def test_a_token_a_byte_at_a_time(self, server, make_client):
        server.on("POST", "/oauth/token", dripping(WHOLE))
        client = make_client(request_timeout=1, retry_timeout=0, read_only_posts=["/oauth/token"])
        with in_time(), pytest.raises(HttpError):
            client.request("POST", "/oauth/token", authentication=NoAuthentication(), data={"a": "b"})

    @pytest.mark.parametrize("what", ["status-line", "headers", "body", "error-body", "chunks"])
    def test_over_tls_and_on_a_kept_connection(self, make_server, make_client, tmp_path, what):
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        server = make_server(tls=context)
        server.expect("GET", "/x", Reply(json=1), Reply(json=2), dripping(DRIPS[what]))
        client = make_client(base_url=server.url, request_timeout=1, retry_timeout=0, ca_path=str(tmp_path / "ca.pem"))
        assert [client.request("GET", "/x").body for _time in range(2)] == [1, 2]
        assert server.connections == 1
        with in_time(), pytest.raises(HttpError):
            client.request("GET", "/x")

    @pytest.mark.parametrize("tunnel", [b"HTTP/1.1 200 " + b"O" * 2000, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 400])
    def test_a_tunnel_a_byte_at_a_time(self, make_server, make_client, monkeypatch, tunnel):
        proxy = make_server()
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        proxy.on("CONNECT", "127.0.0.1:9", Reply(raw=tunnel, drip=(1, 0.2)))
        with in_time(), pytest.raises(HttpError) as caught:
            make_client(base_url="https://127.0.0.1:9", request_timeout=1, retry_timeout=0).request("GET", "/x")
        assert caught.value.passing

    def test_a_handshake_that_never_comes(self, make_client):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = "https://127.0.0.1:%d" % listener.getsockname()[1]
            with in_time(), pytest.raises(HttpError) as caught:
                make_client(base_url=url, request_timeout=1, retry_timeout=0).request("GET", "/x")
        assert caught.value.passing

    def test_a_name_with_many_addresses_has_one_deadline(self, make_client, monkeypatch):
        monkeypatch.setattr(transport, "addresses_of", lambda name, port: ["127.0.0.1"] * 20)
        connects = []

        def never(address, timeout, *args, **options):
            connects.append(timeout)
            time.sleep(timeout)
            raise TimeoutError("timed out")

        monkeypatch.setattr(transport.requests.packages.urllib3.util.connection, "create_connection", never)
        with in_time(), pytest.raises(HttpError, match="no connection to http://127.0.0.1:9 within 1 s") as caught:
            make_client(base_url="http://127.0.0.1:9", request_timeout=1, retry_timeout=0).request("POST", "/x")
        assert sum(connects) < 2 and len(connects) == 20
        assert caught.value.passing and not caught.value.uncertain

    def test_the_next_address_is_tried(self, server, make_client, monkeypatch):
        monkeypatch.setattr(transport, "addresses_of", lambda name, port: ["127.255.255.254", "127.0.0.1"])
        server.expect("GET", "/x", Reply(json="ok"))
        assert make_client(base_url="http://localhost:%d" % server.port).request("GET", "/x").body == "ok"
        assert server.requests[0].headers["Host"] == "localhost:%d" % server.port


class TestDownload:
    def test_a_large_file_may_take_longer_than_one_answer(self, server, make_client):
        content = b"x" * 600_000
        server.expect("GET", "/f", Reply(body=content, drip=(60_000, 0.3)))
        target = io.BytesIO()
        make_client(request_timeout=1).download("/f", {}, "text/csv", target)
        assert target.getvalue() == content

    def test_a_fast_beginning_is_no_credit(self, server, make_client):
        raw = HEAD % b"200 OK" + b"Content-Length: 9000000\r\n\r\n" + b"x" * 8_000_000

        def reply(received):
            return Reply(raw=raw + b"y" * 8_000_000, drip=(len(raw), 1000))

        server.on("GET", "/f", reply)
        with in_time(), pytest.raises(HttpError, match="more slowly than"):
            make_client(request_timeout=1, retry_timeout=0).download("/f", {}, "text/csv", io.BytesIO())


class TestEndsAt:
    """wait_timeout bounds a task, whatever happens."""

    def ends(self, client, seconds):
        client.ends_at = time.monotonic() + seconds
        with in_time(), pytest.raises(HttpError, match="wait_timeout") as caught:
            client.request("GET", "/x")
        assert caught.value.passing and not caught.value.uncertain
        return caught.value

    def test_an_exchange(self, server, make_client):
        server.on("GET", "/x", Reply(json=1, delay=60))
        self.ends(make_client(request_timeout=60, retry_timeout=60), 1)

    def test_a_body(self, server, make_client):
        server.on("GET", "/x", dripping(WHOLE))
        self.ends(make_client(request_timeout=60, retry_timeout=60), 1)

    def test_a_download(self, server, make_client):
        server.on("GET", "/f", dripping(WHOLE))
        client = make_client(request_timeout=60, retry_timeout=60)
        client.ends_at = time.monotonic() + 1
        with in_time(), pytest.raises(HttpError, match="wait_timeout"):
            client.download("/f", {}, "text/csv", io.BytesIO())

    def test_a_retry(self, server, make_client):
        server.on("GET", "/x", Reply(503))
        error = self.ends(make_client(retry_timeout=60), 1)
        assert error.status == 503

    def test_a_pause(self, server, make_client):
        server.expect("GET", "/x", Reply(429, headers={"Retry-After": "50"}))
        assert self.ends(make_client(retry_timeout=60), 1).status == 429

    def test_a_turn(self, make_client):
        client = make_client(rate_limit=1)
        client.limiter.acquire()
        self.ends(client, 1)
        # The turn that nobody took is not lost.
        assert len(client.limiter._slots) == 1

    def test_a_pause_of_others(self, make_client):
        client = make_client()
        client.limiter.pause(100)
        self.ends(client, 1)

    def test_when_it_is_over_nothing_is_sent(self, server, client):
        self.ends(client, -1)
        assert server.connections == 0

    def test_it_can_be_taken_away(self, server, client):
        client.ends_at = time.monotonic() - 1
        client.ends_at = None
        server.expect("GET", "/x", Reply(json=1))
        assert client.request("GET", "/x").body == 1

    def test_a_change_that_was_under_way_is_uncertain(self, server, make_client):
        server.on("POST", "/x", Reply(json=1, delay=60))
        client = make_client(request_timeout=60)
        client.ends_at = time.monotonic() + 1
        with in_time(), pytest.raises(HttpError, match="wait_timeout") as caught:
            client.request("POST", "/x")
        assert caught.value.uncertain and caught.value.passing


def test_deadlines_of_threads_do_not_mix(server, make_client):
    """Each thread reads its own answer by its own deadline, also on a connection that another one has used."""
    client = make_client(request_timeout=5, concurrency=1)
    server.on("GET", "/x", Reply(json=1))
    for _time in range(3):
        thread = threading.Thread(target=client.request, args=("GET", "/x"))
        thread.start()
        thread.join(BOUND)
    assert client.request("GET", "/x").body == 1
    assert server.connections == 1
