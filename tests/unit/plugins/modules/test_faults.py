# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault of a system, a network, or somebody in between, at each module: docs/faults.md says what a user sees."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import ssl

import faults
import pytest
import trustme
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from scripted_server import Reply, ScriptedServer
from two_systems import KEY, NAMED, ONE, SECRET

from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.modules import (
    sailpoint_campaign_info,
    sailpoint_campaign_remediation_scan,
    sailpoint_campaign_report,
    sailpoint_revoked_access_info,
    xpanse_alert,
    xpanse_alert_info,
    xpanse_rcs_request,
    xpanse_rcs_request_info,
)

SAILPOINT = dict(client_id="client", client_secret=SECRET)
XPANSE = dict(api_key_id="1", api_key=KEY)
MODULES = {
    "sailpoint_campaign_info": (sailpoint_campaign_info, dict(SAILPOINT, campaign_ids=[ONE])),
    "sailpoint_campaign_remediation_scan": (sailpoint_campaign_remediation_scan, dict(SAILPOINT, campaign_ids=[ONE])),
    "sailpoint_campaign_report": (sailpoint_campaign_report, dict(SAILPOINT, campaign_ids=[ONE])),
    "sailpoint_revoked_access_info": (sailpoint_revoked_access_info, dict(SAILPOINT, campaign_ids=[ONE])),
    "xpanse_alert": (xpanse_alert, dict(XPANSE, alert_ids=[str(NAMED["alert_internal_id"])], status="resolved")),
    "xpanse_alert_info": (xpanse_alert_info, dict(XPANSE, alert_ids=[NAMED["alert_internal_id"]])),
    "xpanse_rcs_request": (xpanse_rcs_request, dict(XPANSE, requests=[NAMED])),
    "xpanse_rcs_request_info": (xpanse_rcs_request_info, dict(XPANSE, scan_ids=["scan-1"])),
}

TEXTS = {
    401: "The token is not valid",
    403: "Not allowed",
    404: "There is no such thing",
    422: "A value is of the wrong kind",
    429: "Too many requests",
    500: "Something failed",
    503: "Under maintenance",
}


def error(status):
    """The error body of either API: each reads only its own keys."""
    text = TEXTS[status]
    return Reply(
        status,
        json={
            "detailCode": "%d.0" % status,
            "trackingId": "t-1",
            "messages": [{"locale": "en-US", "text": text}],
            "reply": {"err_code": status, "err_msg": text, "err_extra": None},
        },
    )


GOOD = json.dumps(
    {
        "id": ONE,
        "status": "COMPLETED",
        "modified": "2026-01-01T00:00:00Z",
        "reply": {"scanId": "scan-1", "status": "SUCCESS", "result": "REMEDIATED", "total_count": 0, "alerts": []},
    }
)
TWICE = GOOD.replace('"status"', '"status": "ACTIVE", "status"', 1).replace('"reply": {', '"reply": {"status": "IN_PROGRESS", ')
PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
ANSWERS = {
    "timeout": Reply(body=GOOD, delay=1.6),
    "the connection is closed": Reply(drop=True),
    **{"HTTP %d" % status: error(status) for status in TEXTS},
    "HTTP 407 of a proxy": Reply(407, "Proxy login is missing", headers={"Content-Type": "text/plain"}),
    "an error of a gateway (problem+json)": Reply(
        400,
        json={"type": "about:blank", "title": "Blocked by policy 17", "detail": "Ask the network team"},
        headers={"Content-Type": "application/problem+json"},
    ),
    "a login page with HTTP 200": Reply(body=PAGE, headers={"Content-Type": "text/html"}),
    "nothing with HTTP 200": Reply(body=""),
    "JSON that is cut off": Reply(body=GOOD[:60]),
    "a body that is shorter than announced": Reply(body=GOOD, announce=len(GOOD) + 100),
    "JSON of another shape": Reply(json=7),
    "JSON with a key twice": Reply(body=TWICE),
    "a compressed body that is cut off": Reply(
        body=gzip.compress(GOOD.encode(), mtime=0)[:-8], headers={"Content-Encoding": "gzip"}
    ),
    "a redirect to another host": Reply(307, headers={"Location": "https://elsewhere.example/"}),
}
FAULTS = ("connection refused", "a name that DNS does not know", "a certificate of an unknown CA", *ANSWERS)


class Answering(ScriptedServer):
    """Says the same to everything, and gives a token to whoever wants one."""

    def __init__(self, reply, tls=None):
        self.reply = reply
        super().__init__(tls)

    def take(self, received):
        """The reply to any request."""
        return Reply(json={"access_token": "a-token", "expires_in": 749}) if received.path == "/oauth/token" else self.reply


@contextlib.contextmanager
def address_with(fault, monkeypatch):
    """The address of an API with this fault."""
    if fault == "connection refused":
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        yield "http://127.0.0.1:%d" % port
    elif fault == "a name that DNS does not know":

        def unknown(*_args, **_more):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        yield "https://tenant.invalid"
    else:
        tls = None
        if fault == "a certificate of an unknown CA":
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
        server = Answering(ANSWERS.get(fault), tls)
        try:
            yield server.url
        finally:
            server.stop()


def result_of(module, params):
    """(what the module returns, its secrets)."""
    validation = ArgumentSpecValidator(module.ARGUMENT_SPEC, **getattr(module, "RULES", {})).validate(params)
    assert not validation.error_messages
    return run_task(module.run, Task(validation.validated_parameters, False, lambda text: None))


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_user_sees(fault, name, monkeypatch, tmp_path):
    module, params = MODULES[name]
    with address_with(fault, monkeypatch) as url:
        result, _secrets = result_of(module, dict(params, base_url=url, retry_timeout=0, request_timeout=1))
    shown = json.dumps(result)
    assert "exception" not in result, result["exception"]
    assert SECRET not in shown and KEY not in shown and "a-token" not in shown
    items = [item for value in result.values() if isinstance(value, list) for item in value if isinstance(item, dict)]
    assert not any(item.get("outcome") in ("remediated", "unremediated") or item.get("status") == "finished" for item in items)
    assert not result["changed"] if "changed" in result else True
    if result.get("failed"):
        faults.seen(fault, name, "fails", result["msg"])
    else:
        # An id that nobody knows is an answer of these two.
        assert fault == "HTTP 404" and name == "sailpoint_campaign_info", result
        faults.seen(fault, name, "says so", "missing_ids: %s" % result["missing_ids"])


@pytest.mark.skipif(bool(os.environ.get("RECORD_FAULTS")), reason="the page is made anew after this run")
def test_the_page_has_no_fault_that_is_not_tried():
    documented = faults.read(faults.PAGE.read_text(encoding="utf-8"))
    assert {key for key in documented if key[1] != faults.ROLE} == {(fault, name) for fault in FAULTS for name in MODULES}
    assert all(message for _outcome, message in documented.values())
