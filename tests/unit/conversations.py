# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was asked and answered, as tests make it up: single exchanges, whole conversations, and APIs that play a script."""

from __future__ import annotations

import ast
import datetime
import inspect
import re
import textwrap

from exchanges import at, campaign, exchange

from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    CampaignNotFound,
    OperationConflict,
    ReportGone,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import REMEDIATION_STATUS_REPORT
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import ScanNotFound
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import EXPOSURE, GET, GET_OR_CREATE

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
# As they are sent, and as they make exposures the same.
IDS = (231, "Rdp", "u1")
KEY = ("231", "Rdp", "u1")
RUNNING = ("IN_PROGRESS", None)
DONE = ("SUCCESS", "REMEDIATED")
OPEN = ("SUCCESS", "UNREMEDIATED")


def ago(seconds):
    """A moment in the past of this machine, as the ledger writes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """A server's clock, which goes on by a second with each answer."""

    def __init__(self, seconds=0):
        self.seconds = seconds

    def __call__(self):
        self.seconds += 1
        return self.seconds


class FakeApi:
    """Plays a script: each call takes the next value of its list, the last one for ever; exceptions are raised.

    What is called is in `calls`. What was answered is put into the record that is given, errors with their status.
    """

    tenant = "https://acme.example"

    def __init__(self, clock=None, **script):
        self.clock = clock or Clock()
        self.script = {name: list(values) for name, values in script.items()}
        self.calls = []

    def _next(self, name, record, method, path, sent=None):
        self.calls.append(name)
        values = self.script[name]
        value = values.pop(0) if len(values) > 1 else values[0]
        if isinstance(value, Exception):
            if not isinstance(value, (WouldChange, OSError)):
                self._note(record, method, path, status_of(value), None, sent)
            raise value
        return value

    def _note(self, record, method, path, status, body, sent=None, **more):
        if record is not None:
            record.append(exchange(method, path, status, body, sent, self.clock(), **more))


def status_of(error):
    """The HTTP status with which an API says this, 599 where none came."""
    known = {ScanNotFound: 404, CampaignNotFound: 404, OperationConflict: 400, ReportGone: 410}
    return known.get(type(error)) or getattr(error, "status", None) or 599


def passing(status=503):
    """An error that may pass by itself."""
    return HttpError("GET", "/x", "HTTP %d" % status, status, passing=True)


def final(status=403):
    """An error that will not pass."""
    return HttpError("GET", "/x", "HTTP %d" % status, status)


# --- Xpanse ---


def filters(**values):
    """The body of a request with such filters."""
    return {"request_data": {"filters": [{"field": field, "operator": "EQ", "value": value} for field, value in values.items()]}}


def asking(scan_id="s1", status=201, seconds=0, ids=IDS, **reply):
    """A scan was asked for, and the answer named one."""
    named = {} if scan_id is None else {"scanId": scan_id}
    return exchange(
        "POST", GET_OR_CREATE + "/", status, {"reply": dict(named, **reply)}, filters(**dict(zip(EXPOSURE, ids))), seconds
    )


def looking(words=DONE, scan_id="s1", seconds=60, **reply):
    """A scan was looked at, and these are its words: status and result."""
    said = {name: word for name, word in zip(("status", "result"), words) if word is not None}
    return exchange("POST", GET + "/", 200, {"reply": dict(said, **reply)}, filters(id=scan_id), seconds)


class FakeXpanse(FakeApi):
    """The calls of XpanseApi. create: pairs of a scan's id and whether it is new. get: pairs of words, or replies."""

    def get_or_create(self, *ids, record=None):
        """(scan id, whether it is new)."""
        sent = filters(**dict(zip(EXPOSURE, ids)))
        scan_id, created = self._next("create", record, "POST", GET_OR_CREATE + "/", sent)
        self._note(record, "POST", GET_OR_CREATE + "/", 201 if created else 200, {"reply": {"scanId": scan_id}}, sent)
        return scan_id, created

    def get_scan(self, scan_id, record=None):
        """The reply."""
        value = self._next("get", record, "POST", GET + "/", filters(id=scan_id))
        reply = (
            value
            if isinstance(value, dict)
            else {name: word for name, word in zip(("status", "result"), value) if word is not None}
        )
        self._note(record, "POST", GET + "/", 200, {"reply": reply}, filters(id=scan_id))
        return reply


# --- SailPoint ---


def reading(modified, seconds, campaign_id="c1", **more):
    """A campaign was read."""
    return exchange(
        "GET", "/campaigns/v1/%s?detail=FULL" % campaign_id, 200, campaign(modified, campaign_id, **more), seconds=seconds
    )


def accepting(operation="run-remediation-scan", seconds=0, campaign_id="c1", status=202, body=None):
    """An operation was asked for and accepted."""
    return exchange("POST", "/campaigns/v1/%s/%s" % (campaign_id, operation), status, body, seconds=seconds)


RUN_REPORT = "run-report/" + REMEDIATION_STATUS_REPORT


def report(status="SUCCESS", run_at=200, report_id="r1", report_type=REMEDIATION_STATUS_REPORT):
    """The campaign's reports: another one, and the one that matters. run_at: text, or seconds after noon."""
    run_at = at(run_at) if isinstance(run_at, int) else run_at
    return [
        {"id": "other", "reportType": "CAMPAIGN_STATUS_REPORT", "status": "PENDING", "lastRunAt": "x"},
        {"id": report_id, "reportType": report_type, "status": status, "lastRunAt": run_at},
    ]


def listing(seconds, reports, campaign_id="c1"):
    """The campaign's reports were listed."""
    return exchange("GET", "/campaigns/v1/%s/reports" % campaign_id, 200, reports, seconds=seconds)


def downloading(seconds, report_id="r1", sha256=SHA256, status=200):
    """A report's file was downloaded."""
    made = exchange("GET", "/reports/v1/%s?fileFormat=csv" % report_id, status, seconds=seconds, sha256=sha256, size=100)
    del made["body"]
    return made


def file_says(outcome="remediated", **more):
    """What a report's file says."""
    items_open = {"remediated": 0, "unremediated": 1}.get(outcome)
    return dict(
        dict(
            outcome=outcome,
            reason="3 of 3 items remediated" if not items_open else "1 of 3 items still open",
            items_total=3,
            items_remediated=3 - (items_open or 0),
            items_open=items_open,
            items_unknown=0,
            campaign_ids=["c1"],
        ),
        **more,
    )


class FakeSailPoint(FakeApi):
    """The calls of SailPointApi. campaign: campaigns, or what their `modified` is. scan, run_report: what is not an
    exception is acceptance. reports: lists of reports. download: the SHA-256."""

    def get_campaign(self, campaign_id, record=None):
        """A campaign."""
        path = "/campaigns/v1/%s?detail=FULL" % campaign_id
        value = self._next("campaign", record, "GET", path)
        value = value if isinstance(value, dict) else campaign(value, campaign_id)
        self._note(record, "GET", path, 200, value)
        return value

    def run_remediation_scan(self, campaign_id, record=None):
        """The server's time."""
        path = "/campaigns/v1/%s/run-remediation-scan" % campaign_id
        self._next("scan", record, "POST", path)
        self._note(record, "POST", path, 202, None)
        return at(self.clock.seconds)

    def list_reports(self, campaign_id, record=None):
        """The reports."""
        path = "/campaigns/v1/%s/reports" % campaign_id
        value = self._next("reports", record, "GET", path)
        self._note(record, "GET", path, 200, value)
        return value

    def run_report(self, campaign_id, report_type, record=None):
        """Nothing."""
        path = "/campaigns/v1/%s/run-report/%s" % (campaign_id, report_type)
        self._next("run_report", record, "POST", path)
        self._note(record, "POST", path, 202, None)

    def download_report(self, report_id, file_format, path, record=None):
        """The SHA-256."""
        url = "/reports/v1/%s?fileFormat=%s" % (report_id, file_format)
        self.downloaded = (report_id, file_format, path)
        sha256 = self._next("download", record, "GET", url)
        if record is not None:
            record.append(
                {
                    name: value
                    for name, value in exchange("GET", url, 200, seconds=self.clock(), sha256=sha256, size=9).items()
                    if name != "body"
                }
            )
        return sha256


# --- whatever an API, a ledger, or a playbook may hold ---

JUNK = (
    None,
    True,
    False,
    0,
    -1,
    3.5,
    10**40,
    "",
    " ",
    "x",
    "x" * 300,
    "9999-12-31T23:59:59Z",
    "\ud800",
    [],
    [None],
    ["x"],
    [[]],
    {},
    {"x": "y"},
    [{}],
    {"id": {}},
)


def damaged(value, random):
    """A copy of a JSON value in which something, anywhere, is gone, doubled, or junk."""
    if isinstance(value, (dict, list)) and value and random.random() < 0.85:
        places = list(value) if isinstance(value, dict) else range(len(value))
        place = random.choice(list(places))
        copy = dict(value) if isinstance(value, dict) else list(value)
        if random.random() < 0.1:
            del copy[place]
        elif isinstance(value, list) and random.random() < 0.15:
            copy.insert(random.randrange(len(copy) + 1), copy[place])
        elif isinstance(value, list) and random.random() < 0.1:
            random.shuffle(copy)
        else:
            copy[place] = damaged(value[place], random)
        return copy
    return random.choice(JUNK)


def reasons_in(*functions):
    """The sentences that functions hold, as patterns: what they may give as a reason."""
    found = set()
    for function in functions:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        documented = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
        }
        found |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and len(node.value.split()) > 2
            and id(node) not in documented
        }
    return {re.sub(r"%[rsd]", "(?s:.*)", re.escape(text).replace("\\%", "%")) for text in found}
