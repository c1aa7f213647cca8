# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prism between a client and the simulator, and something in front of it that keeps what was asked and what Prism said."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import subprocess
import time
from collections import Counter
from urllib.parse import unquote, urlencode, urlsplit

from install_prism import PRISM
from scripted_server import Reply, ScriptedServer
from specification import query_parameters, specification, version_of

PROBLEM = "application/problem+json"
LISTENING = re.compile(r"Prism is listening on (http://\S+)")
# What is between two neighbours only, and what the gateway has done already.
NOT_HANDED_ON = ("host", "connection", "content-length", "transfer-encoding", "accept-encoding", "content-encoding", "keep-alive")


def exchange(url, method, target, body=None, headers=()):
    """The Reply to one request, which never goes through a proxy.

    No `Connection: close`, which other clients would send: Prism hands it on, and now and then takes the end of that connection
    for the end of its next one.
    """
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, target, body, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(), headers=handed_on(answer.headers))
    finally:
        connection.close()


def handed_on(headers):
    """The headers that go to the other side."""
    return {name: value for name, value in headers.items() if name.lower() not in NOT_HANDED_ON}


class Checked(ScriptedServer):
    """In front of Prism: hands each request on to it, and keeps it with what Prism has against it or its answer.

    url: what a client takes for the API. simulator: what Prism stands before.
    """

    def __init__(self, prism_url, simulator):
        super().__init__()
        self.prism_url, self.simulator = prism_url, simulator
        self.passed, self.violations = [], []

    def take(self, received):
        """Prism's answer."""
        headers = handed_on(received.headers)
        reply = exchange(self.prism_url, received.method, received.target, received.body or None, headers)
        said = violations_in(reply)
        with self.lock:
            self.violations += ["%s %s: %s" % (received.method, received.target, one) for one in said]
            if not is_problem(reply) or "VIOLATIONS" in json.loads(reply.body).get("type", ""):
                self.passed.append(received)
        return reply

    def by_version(self):
        """How many requests Prism handed on, by the version in their paths."""
        return Counter(version_of(request.path) for request in self.passed)

    def around(self):
        """The requests for SailPoint's API that reached the simulator without Prism."""
        asked = Counter("%(method)s %(path)s" % entry for entry in self.simulator.log(api="sailpoint"))
        return asked - Counter("%s %s" % (request.method, unquote(request.path)) for request in self.passed)

    def unknown_parameters(self):
        """The requests with a parameter in their query that the specification does not have, which Prism does not mind."""
        paths = specification()["paths"]
        return [
            "%s %s" % (request.method, request.target)
            for request in self.passed
            if not set(request.query) <= query_parameters(paths, request.method, request.path)
        ]

    def check(self):
        """Fails, with each request, where Prism found something, or minds nothing because it does not look or was not asked."""
        assert not self.violations, "SailPoint's specification does not allow:\n%s" % "\n".join(self.violations)
        assert not self.unknown_parameters(), "SailPoint's specification has no such parameter: %s" % self.unknown_parameters()
        assert not self.around(), "not checked, as Prism did not see it: %s" % dict(self.around())


def is_problem(reply):
    """Whether an answer is Prism's own."""
    return header(reply, "Content-Type") == PROBLEM


def header(reply, name):
    """A header of an answer, however it is spelled; None without it."""
    return next((value for key, value in reply.headers.items() if key.lower() == name.lower()), None)


def violations_in(reply):
    """What Prism says against a request or its answer, ten texts at most. Errors replace the answer, warnings are in a header."""
    if is_problem(reply):
        problem = json.loads(reply.body)
        found, what = problem.get("validation"), "%s %s" % (problem.get("type", "").rpartition("#")[2], problem.get("detail"))
    else:
        found, what = json.loads(header(reply, "sl-violations") or "[]"), ""
        if not found:
            return []
    texts = dict.fromkeys("%s: %s" % (".".join(one.get("location", ["request"])), one["message"]) for one in found or ())
    return list(texts)[:10] or [what]


@contextlib.contextmanager
def running_prism(upstream, folder):
    """Runs Prism before a URL on a free port for as long as the block lasts. Yields its URL. Raises RuntimeError."""
    document, log = folder / "openapi.json", folder / "prism.log"
    document.write_text(json.dumps(specification()), encoding="utf-8")
    # What somebody may have set for other programs is not for this one.
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    with log.open("w") as output:
        process = subprocess.Popen(
            [PRISM, "proxy", "--errors", "--host", "127.0.0.1", "--port", "0", str(document), upstream],
            cwd=folder,
            env=dict(environment, HOME=str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield answering(process, log)
    finally:
        process.kill()
        process.wait(timeout=30)


def answering(process, log, seconds=120):
    """Prism's URL, as soon as it answers there."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and process.poll() is None:
        url = LISTENING.search(log.read_text())
        if url and answers(url.group(1)):
            return url.group(1)
        time.sleep(0.05)
    raise RuntimeError("Prism did not start:\n%s" % log.read_text()[-2000:])


def answers(url):
    """Whether Prism says something of its own, as it does of a path that the specification does not have."""
    try:
        return is_problem(exchange(url, "GET", "/-/ready"))
    except (OSError, http.client.HTTPException):
        return False


def ask(url, method, path, bearer=None, form=None, json_body=None, headers=()):
    """(status, body) of one request."""
    body, headers = None, dict(headers)
    if bearer:
        headers["Authorization"] = "Bearer " + bearer
    if form is not None:
        body, headers["Content-Type"] = urlencode(form), "application/x-www-form-urlencoded"
    if json_body is not None:
        body, headers["Content-Type"] = json.dumps(json_body), "application/json"
    reply = exchange(url, method, path, body, headers)
    return reply.status, reply.body


def token(checked, client="admin"):
    """A token, asked for as the modules do."""
    form = dict(grant_type="client_credentials", client_id=client + "-client", client_secret=client + "-secret")
    return json.loads(ask(checked.url, "POST", "/oauth/token", form=form)[1])["access_token"]
