# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What both APIs share: a clock, a log, faults on demand, a rate limit. Knows neither API."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
import traceback
from collections import Counter, deque
from datetime import datetime, timezone
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import Response

FAULT_KINDS = ("latency", "status", "html", "empty", "cut_json", "drop", "redirect", "rate_limit")
OPERATIONS = (
    "token",
    "get_campaign",
    "list_campaigns",
    "run_scan",
    "list_reports",
    "run_report",
    "download_report",
    "list_certifications",
    "decision_summary",
    "list_review_items",
    "search",
    "list_accounts",
    "reload_account",
    "list_tasks",
    "get_task",
    "list_account_activities",
    "list_work_items",
    "next_list_campaigns",
    "next_get_campaign",
    "next_reports",
    "next_get_report",
    "next_download_url",
    "next_list_certifications",
    "next_decision_summary",
    "next_list_review_items",
    "download_signed",
    "rcs_get_or_create",
    "rcs_get",
    "get_alerts",
    "update_alerts",
    "get_incident",
    "validate_key",
    "unknown",
)
PROXY_PAGE = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>\n"
CUT_JSON = '{"reply": {"status": "SUCC'


class Clock:
    """The server's clock. now() never goes back and measures; shown() is what the server says that the time is."""

    def __init__(self):
        self.offset = 0
        self._start = time.time() - time.monotonic()

    def now(self):
        return self._start + time.monotonic()

    def shown(self, moment=None):
        return (self.now() if moment is None else moment) + self.offset


def iso(milliseconds):
    """Epoch milliseconds as SailPoint writes them; None stays None."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return "%s.%03dZ" % (moment.strftime("%Y-%m-%dT%H:%M:%S"), milliseconds % 1000)


def json_response(body, status=200, headers=None):
    return Response(json.dumps(body), status, headers, media_type="application/json")


class Refused(Exception):
    """Raised anywhere below an operation: this response is the answer."""

    def __init__(self, response):
        super().__init__(response.status_code)
        self.response = response


class RequestLog:
    """Every request in order of arrival, and the sums over them."""

    def __init__(self):
        self.entries = []
        self.by_operation = Counter()
        self.by_status = Counter()
        self.counts = Counter()
        self.connections = set()
        self.in_flight = 0
        self.max_in_flight = 0

    def arrive(self, entry, peer):
        self.entries.append(entry)
        entry["n"] = len(self.entries)
        self.by_operation[entry["operation"]] += 1
        self.connections.add(peer)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def leave(self, entry, status):
        entry["status"] = status
        self.by_status[str(status)] += 1
        self.in_flight -= 1

    def stats(self):
        names = ("tokens_issued", "scans_started", "campaign_scans_started", "rcs_scans_started", "reports_started")
        return {
            "requests": len(self.entries),
            "by_operation": dict(self.by_operation),
            "by_status": dict(self.by_status),
            "max_in_flight": self.max_in_flight,
            "connections": len(self.connections),
            **{name: self.counts[name] for name in names},
        }


class RateLimit:
    """A sliding window for each key. A request that is refused does not count."""

    def __init__(self):
        self._times = {}

    def wait(self, key, now, limit, window):
        """None, and the request counts; or the seconds after which there is room again."""
        if not limit:
            return None
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - window:
            times.popleft()
        if len(times) >= limit:
            return times[0] + window - now
        times.append(now)
        return None


class Faults:
    """What is to go wrong, in the order in which it was asked for."""

    def __init__(self):
        self.waiting = []

    @staticmethod
    def read(wanted):
        """The fault in full. Raises ValueError if it cannot be meant."""
        if not isinstance(wanted, dict):
            raise ValueError("a fault is an object, not %r" % (wanted,))
        fault = {"operation": "*", "times": 1, "after": 0, "seconds": 0, "processed": False, **wanted}
        if fault.get("kind") not in FAULT_KINDS:
            raise ValueError("kind is one of %s, not %r" % (", ".join(FAULT_KINDS), fault.get("kind")))
        if fault["operation"] not in (*OPERATIONS, "*"):
            raise ValueError("no operation %r" % (fault["operation"],))
        if fault.get("how", "truncated") not in ("truncated", "short_body"):
            raise ValueError("how is truncated or short_body, not %r" % (fault["how"],))
        return {**fault, "seen": 0, "used": 0}

    def take(self, operation):
        """Seconds to wait before and after the request, and the fault that replaces the answer (or None)."""
        before = after = 0
        answer = None
        for fault in list(self.waiting):
            if fault["operation"] not in ("*", operation):
                continue
            fault["seen"] += 1
            if fault["seen"] <= fault["after"]:
                continue
            fault["used"] += 1
            if fault["times"] is not None and fault["used"] >= fault["times"]:
                self.waiting.remove(fault)
            if fault["kind"] == "latency" and fault["processed"]:
                after += fault["seconds"]
                continue
            before += fault["seconds"]
            if fault["kind"] != "latency":
                answer = fault
                break
        return before, after, answer


class Operation:
    """One call of an API as an ASGI endpoint: logs it, waits, lets it fail as asked, and answers.

    api has `name`, `error(status)` and `too_many(headers)`; answer(request, body, entry) returns a Response or raises
    Refused, and is no coroutine: what it does to the state happens at once, whatever else is in flight.
    """

    def __init__(self, simulator, api, name, method, answer):
        self.simulator = simulator
        self.api = api
        self.name = name
        self.method = method
        self.answer = answer

    async def __call__(self, scope, receive, send):
        request = Request(scope, receive)
        simulator = self.simulator
        log = simulator.log
        entry = {
            "n": 0,
            "time": simulator.clock.now(),
            "api": self.api.name,
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "status": None,
            "client": None,
            "operation": self.name if self.method in (None, scope["method"]) else "unknown",
            "changed": False,
        }
        # A client's port is used again only after tens of thousands of others, so it stands for a connection.
        log.arrive(entry, tuple(scope["client"]))
        status = 0
        try:
            status = await self._serve(request, entry, send)
        finally:
            log.leave(entry, status)
            if simulator.verbose:
                print("%(method)s %(path)s -> %(status)s (%(operation)s)" % entry, file=sys.stderr, flush=True)

    async def _serve(self, request, entry, send):
        simulator = self.simulator
        body = await request.body()
        before, after, fault = (0, 0, None)
        if simulator.faults.waiting:
            before, after, fault = simulator.faults.take(entry["operation"])
        before += simulator.config["latency"]
        if before:
            await asyncio.sleep(before)
        response = None
        if fault is None or fault["processed"]:
            response = self._process(request, body, entry)
        if fault is not None:
            entry["fault"] = fault["kind"]
            if fault["kind"] == "drop":
                await self._drop(request, send)
                return 0
            response = self._faulty(fault, response)
        if after:
            await asyncio.sleep(after)
        if "date" not in response.headers:
            response.headers["date"] = formatdate(simulator.clock.shown(), usegmt=True)
        if fault is not None and fault.get("how") == "short_body":
            await self._short_body(request, response, send)
        else:
            await response(request.scope, request.receive, send)
        return response.status_code

    def _process(self, request, body, entry):
        try:
            if self.method not in (None, request.method):
                return self.api.error(405)
            return self.answer(request, body, entry)
        except Refused as refused:
            return refused.response
        except Exception:  # pylint: disable=broad-except
            # A fault of the simulator itself must be seen, whatever the client makes of the answer.
            traceback.print_exc()
            return self.api.error(500)

    def _faulty(self, fault, response):
        kind = fault["kind"]
        text = fault.get("body")
        if isinstance(text, (dict, list)):
            text = json.dumps(text)
        headers = {}
        if fault.get("retry_after") is not None:
            headers["Retry-After"] = str(fault["retry_after"])
        if kind == "html":
            return Response(PROXY_PAGE if text is None else text, fault.get("status", 200), headers, media_type="text/html")
        if kind == "empty":
            return Response(b"", fault.get("status", 200), headers, media_type="application/json")
        if kind == "redirect":
            return Response(b"", fault.get("status", 307), {**headers, "Location": fault.get("location", "/")})
        if kind == "rate_limit":
            if "retry_after" not in fault:
                headers["Retry-After"] = "1"
            return self.api.too_many(headers)
        if kind == "cut_json":
            if text is None:
                text = CUT_JSON
                if response is not None and response.body:
                    text = response.body[: max(1, len(response.body) // 2)]
            return Response(text, fault.get("status", 200), headers, media_type="application/json")
        if text is None:
            response = self.api.error(fault.get("status", 500))
            response.headers.update(headers)
            return response
        kind_of_text = "application/json" if text.lstrip()[:1] in ("{", "[") else "text/plain"
        return Response(text, fault.get("status", 500), headers, media_type=kind_of_text)

    @staticmethod
    async def _drop(request, send):
        # ASGI has no word for "hang up"; the connection is in uvicorn's request cycle, whose method `send` is.
        send.__self__.transport.abort()
        while (await request.receive())["type"] != "http.disconnect":
            pass

    @staticmethod
    async def _short_body(request, response, send):
        headers = [(name, value) for name, value in response.raw_headers if name != b"content-length"]
        headers.append((b"content-length", str(len(response.body) + 100).encode()))
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        send.__self__.transport.close()
        while (await request.receive())["type"] != "http.disconnect":
            pass


def retry_after(config, clock, seconds):
    """Headers that tell a client when to come back."""
    if config["retry_after_form"] == "date":
        return {"Retry-After": formatdate(math.ceil(clock.shown() + seconds), usegmt=True)}
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
