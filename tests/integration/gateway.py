# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway in front of the simulator that bends single answers in ways in which the simulator itself never errs."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import urllib.error
import urllib.request
from email.utils import formatdate

from scripted_server import Reply, ScriptedServer

KEPT = ("Content-Type", "Content-Disposition", "Date", "Retry-After", "X-Total-Count", "Location")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Hands redirects on as they are."""

    def redirect_request(self, *_args):
        """Not followed."""
        return None


class Gateway(ScriptedServer):
    """Hands every request on to a simulator, unless a rule says otherwise.

    simulators: by the first part of the path that stands for each; "" for the one that has no prefix.
    """

    def __init__(self, **simulators):
        self.simulators = simulators
        self.answers = []
        self.bends = []
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)
        super().__init__()

    def bend(self, pattern, change):
        """change(reply, received): called with each answer to a request that fits; what it returns, or the reply, is sent."""
        self.bends.append((re.compile(pattern), change))

    def instead(self, pattern, answer):
        """answer: a Reply, or a function of what was received, for requests that are not handed on.

        pattern: searched for in "METHOD path?query body". A function that returns None lets the request pass.
        """
        self.answers.append((re.compile(pattern), answer))

    def take(self, received):
        """The answer to any request."""
        with self.lock:
            self.requests.append(received)
        text = "%s %s %s" % (received.method, received.target, received.body.decode("utf-8", "replace"))
        reply = None
        for pattern, answer in self.answers:
            if reply is None and pattern.search(text):
                reply = answer(received) if callable(answer) else dataclasses.replace(answer, headers=dict(answer.headers))
        reply = reply or self.hand_on(received)
        for pattern, change in self.bends:
            if pattern.search(text):
                reply = change(reply, received) or reply
        reply.headers.setdefault("Date", formatdate(usegmt=True))
        return reply

    def hand_on(self, received):
        """The simulator's own answer."""
        prefix = received.target.lstrip("/").partition("/")[0]
        prefix = prefix if prefix in self.simulators else ""
        target = received.target[len(prefix) + 1 :] if prefix else received.target
        headers = {
            name: value
            for name, value in received.headers.items()
            if name.lower() not in ("host", "connection", "accept-encoding", "content-length")
        }
        request = urllib.request.Request(
            self.simulators[prefix].url + target,
            method=received.method,
            data=received.body if received.method == "POST" else None,
            headers=headers,
        )
        with contextlib.ExitStack() as stack:
            try:
                answer = stack.enter_context(self.opener.open(request, timeout=60))
            except urllib.error.HTTPError as error:
                answer = stack.enter_context(error)
            return Reply(
                answer.status,
                answer.read(),
                headers={name: answer.headers[name] for name in KEPT if answer.headers[name] is not None},
            )

    def asked(self, pattern):
        """The requests so far that fit a pattern, each as "METHOD path?query body"."""
        texts = ["%s %s %s" % (one.method, one.target, one.body.decode("utf-8", "replace")) for one in list(self.requests)]
        return [text for text in texts if re.search(pattern, text)]


def changed(**values):
    """A change of a JSON answer: these values; what is None is removed. Of a list, each entry is changed."""

    def change(reply, received):
        if reply.status >= 300:
            return
        body = json.loads(reply.body)
        for entry in body if isinstance(body, list) else [body]:
            entry.update(values)
            for name in [name for name, value in values.items() if value is None]:
                del entry[name]
        reply.body = json.dumps(body)

    return change
