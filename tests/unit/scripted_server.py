# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real HTTP server that says what a test wrote down, records what it was sent, and fails the test for anything else.

`expect` takes the calls in their order, once each. `on` takes any number of calls of one kind, whenever they come.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Received:
    """One request as it arrived."""

    method: str
    path: str
    query: dict
    headers: object
    body: bytes
    time: float
    target: str

    @property
    def json(self):
        """The body as a JSON value."""
        return json.loads(self.body)

    @property
    def form(self):
        """The body as the fields of a form."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class Reply:
    """One answer. drop: end the connection instead. announce: another Content-Length than the true one.

    close_after: send only so many bytes of the body and end the connection. framed: False for a body that only the
    end of the connection ends. drip: (bytes, seconds) to send the body piece by piece. raw: all that goes over the wire,
    instead of everything else, before the connection ends; it drips from its first byte on.
    """

    status: int = 200
    body: bytes | str = b""
    json: object = None
    headers: dict = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    announce: int | None = None
    close_after: int | None = None
    chunked: bool = False
    compress: bool = False
    framed: bool = True
    drip: tuple | None = None
    raw: bytes | None = None

    def content(self):
        """The body's bytes, as they go over the wire."""
        body = json.dumps(self.json) if self.json is not None else self.body
        body = body.encode() if isinstance(body, str) else body
        return gzip.compress(body) if self.compress else body


class Handler(BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 20

    def handle(self):
        """Serves the connection's requests, or ends it unread where the script says so."""
        scripted = self.server.scripted
        with scripted.lock:
            scripted.connections += 1
            if scripted.drop_connections:
                scripted.drop_connections -= 1
                return
        with contextlib.suppress(OSError):
            super().handle()

    def answer(self):
        """Any request."""
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        received = Received(self.command, parts.path, parse_qs(parts.query), self.headers, body, time.monotonic(), self.path)
        reply = self.server.scripted.take(received)
        self.server.scripted.stopping.wait(reply.delay)
        if reply.drop:
            self.close_connection = True
            return
        self.send(reply)
        self.server.scripted.count(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    def do_CONNECT(self):
        """A proxy's tunnel."""
        host, _colon, port = self.path.partition(":")
        received = Received("CONNECT", self.path, {}, self.headers, b"", time.monotonic(), self.path)
        reply = self.server.scripted.take(received)
        self.close_connection = True
        self.drip(reply.raw or b"HTTP/1.1 %d Tunnel\r\n\r\n" % reply.status, reply)
        if reply.status == 200 and reply.raw is None:
            with socket.create_connection((host, int(port))) as other:
                pump(self.connection, other, self.server.scripted.stopping)

    def send(self, reply):
        """Writes the answer as the script wants it."""
        if reply.raw is not None:
            self.close_connection = True
            self.drip(reply.raw, reply)
            return
        body = reply.content()
        headers = {"Date": formatdate(usegmt=True), "Content-Type": "application/json"}
        if reply.compress:
            headers["Content-Encoding"] = "gzip"
        if reply.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif reply.framed:
            headers["Content-Length"] = str(len(body) if reply.announce is None else reply.announce)
        else:
            headers["Connection"] = "close"
        headers.update(reply.headers)
        head = "HTTP/1.1 %d %s\r\n" % (reply.status, responses.get(reply.status, "Status"))
        head += "".join("%s: %s\r\n" % (name, value) for name, value in headers.items() if value is not None)
        self.wfile.write(head.encode("latin-1") + b"\r\n")
        self.wfile.flush()
        if reply.close_after is not None:
            body = body[: reply.close_after]
        self.drip(body, reply)
        if reply.close_after is not None or not reply.framed or reply.announce is not None:
            self.close_connection = True
        elif reply.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def drip(self, data, reply):
        """Writes data in the pieces, and with the pauses, that the script wants."""
        size, pause = reply.drip or (len(data) or 1, 0)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.chunked else piece)
            self.wfile.flush()
            if self.server.scripted.stopping.wait(pause):
                break

    def log_message(self, format, *args):
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """Listens on loopback."""

    daemon_threads = True
    request_queue_size = 100
    scripted = None

    def handle_error(self, request, client_address):
        """A client that went away is part of many tests."""


class ScriptedServer:
    """The server of a test. tls: an ssl.SSLContext, or None for plain HTTP."""

    def __init__(self, tls=None):
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.requests = []
        self.statuses = []
        self.unexpected = []
        self.connections = 0
        self.drop_connections = 0
        self._expected = []
        self._always = []
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.scripted = self
        self.port = self._server.server_address[1]
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http", self.port)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def expect(self, method, path, *replies, query=None, json=None):
        """The next calls, one for each reply; path is with or without what `query` (name -> value) demands."""
        for reply in replies or (Reply(json={}),):
            self._expected.append((method, path, query, json, reply))

    def on(self, method, path, reply):
        """Any number of calls; reply may be a function of what was received."""
        self._always.insert(0, (method, path, reply))

    def take(self, received):
        """The reply to a request."""
        with self.lock:
            self.requests.append(received)
            if self._expected:
                method, path, query, json_value, reply = self._expected[0]
                if (
                    (received.method, received.path) == (method, path)
                    and (query is None or {name: value[0] for name, value in received.query.items()} == query)
                    and (json_value is None or received.json == json_value)
                ):
                    self._expected.pop(0)
                    return reply
            reply = next(
                (reply for method, path, reply in self._always if received.method == method and received.path == path),
                None,
            )
            if reply is None:
                self.unexpected.append("%s %s %r" % (received.method, received.target, received.body[:200]))
                return Reply(599, "nobody expected this")
        return reply(received) if callable(reply) else reply

    def count(self, reply):
        """An answer went out whole."""
        with self.lock:
            self.statuses.append(reply.status)

    def seen(self):
        """All requests so far, as "METHOD /path" texts."""
        return ["%s %s" % (request.method, request.path) for request in self.requests]

    def check(self):
        """Fails where something else came than was written down, or not all of it."""
        assert not self.unexpected, "unexpected: %s" % self.unexpected
        assert not self._expected, "never asked for: %s" % [entry[:2] for entry in self._expected]

    def stop(self):
        """Ends the server."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()


def pump(one, other, stopping):
    """Carries bytes both ways until one side ends."""
    while not stopping.is_set():
        for ready in select.select([one, other], [], [], 0.05)[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)
