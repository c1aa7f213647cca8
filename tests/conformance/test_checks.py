# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a request or an answer that SailPoint's specification does not allow would be seen, and one that nobody checked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from checked import ask, running_prism, token, violations_in
from scripted_server import Reply, ScriptedServer
from simulator import company, next_calls
from simulator.sailpoint import SailPoint
from specification import EXTRACTS, ONLY_LATER, SPEC, VERSIONS, specification

HERE = Path(__file__).resolve().parent

# method, path, what is bent in the simulator before, what has to be said
BENT = {
    "a value that a parameter does not have": ("GET", "/v3/campaigns?detail=ALL", None, r"query\.detail: .*SLIM, FULL"),
    "a parameter that is none": ("GET", "/v2025/campaigns?details=FULL", None, "no such parameter"),
    "a parameter that has to be there": ("GET", "/reports/v1/" + company.FINANCE_OLD_REPORT, None, "'fileformat'"),
    "a type of report that is none": (
        "POST",
        "/v2025/campaigns/%s/run-report/NO_REPORT" % company.FINANCE,
        None,
        r"path\.type: .*CAMPAIGN_COMPOSITION_REPORT",
    ),
    "a path that is none": ("GET", "/v3/campaign", None, "NO_PATH_MATCHED_ERROR"),
    "a method that is none": ("PUT", "/campaigns/v1/" + company.FINANCE, None, "NO_METHOD_MATCHED_ERROR"),
    "an answer with a word that is none": (
        "GET",
        "/campaigns/v1/" + company.FINANCE,
        ("PATCH", "campaigns/" + company.FINANCE, {"type": "NO_TYPE"}),
        r"response\.body.*SOURCE_OWNER",
    ),
    "an answer with a value of another type": (
        "GET",
        "/v2025/campaigns",
        ("PATCH", "campaigns/" + company.BADGES, {"totalCertifications": "12"}),
        r"response\.body\.\d+\.totalCertifications: .*integer",
    ),
    "an answer of another media type": (
        "GET",
        "/v3/campaigns",
        ("POST", "faults", {"operation": "list_campaigns", "kind": "html"}),
        "text/html",
    ),
    "an answer with a status that is none": (
        "GET",
        "/v3/reports/%s?fileFormat=csv" % company.FINANCE_OLD_REPORT,
        ("POST", "purge_reports", {"status": 410}),
        "200,400,401,403,404,429,500",
    ),
}


@pytest.mark.parametrize("what", BENT)
def test_what_is_not_allowed_is_seen(checked, what):
    method, path, bend, said = BENT[what]
    bearer = token(checked)
    checked.check()
    if bend:
        checked.simulator.control(*bend)
    ask(checked.url, method, path, bearer)
    with pytest.raises(AssertionError, match=said) as failed:
        checked.check()
    assert "%s %s" % (method, path) in str(failed.value)


def test_a_request_without_a_token_is_seen(checked):
    ask(checked.url, "GET", "/v3/campaigns")
    with pytest.raises(AssertionError, match="GET /v3/campaigns: UNAUTHORIZED"):
        checked.check()


def test_the_playbook_fails_with_the_request_and_what_is_wrong_with_its_answer(ansible, checked):
    checked.simulator.control("PATCH", "campaigns/" + company.FINANCE, {"deadline": "soon"})
    ansible.run(
        "secops.remediation.verify",
        environment=dict(SAIL_BASE_URL=checked.url),
        sailpoint_retry_timeout=1,
        verify_campaign_ids=[company.FINANCE],
    )
    with pytest.raises(AssertionError, match=r"GET /campaigns/v1/%s\?detail=FULL: response\.body.*deadline" % company.FINANCE):
        checked.check()


def test_a_request_that_goes_around_is_seen(checked):
    bearer = token(checked)
    checked.check()
    ask(checked.simulator.url, "GET", "/campaigns/v1/" + company.FINANCE, bearer)
    with pytest.raises(AssertionError, match="GET /campaigns/v1/%s': 1" % company.FINANCE):
        checked.check()


def test_an_answer_without_anything_wrong_says_nothing():
    assert violations_in(Reply(body=b"{}", headers={"content-type": "application/json"})) == []


# --- Prism itself, and what it is given


# Some calls want it.
EXPERIMENTAL = {"X-SailPoint-Experimental": "true"}


class Absurd(ScriptedServer):
    """Answers whatever comes with the status that was set, and with what no answer of SailPoint's is."""

    status = 200

    def take(self, received):
        """The answer to any request."""
        return Reply(self.status, json="absurd")


def requests_for(paths):
    """(method, path with its parameters, statuses that come with JSON) of each call that needs no body."""
    for path, calls in paths.items():
        for method, call in calls.items():
            if method not in ("get", "post") or "requestBody" in call:
                continue
            query = []
            for parameter in call.get("parameters", ()):
                schema = parameter["schema"]
                value = str(schema.get("enum", ["1"])[0] if "$ref" not in schema else "CAMPAIGN_STATUS_REPORT")
                path = path.replace("{%s}" % parameter["name"], value)
                if parameter["in"] == "query" and parameter.get("required"):
                    query.append("%s=%s" % (parameter["name"], value))
            statuses = [int(one) for one, answer in call["responses"].items() if "application/json" in answer.get("content", {})]
            yield method.upper(), path + ("?" if query else "") + "&".join(query), statuses


def test_no_answer_is_taken_unread(prism, tmp_path):
    """Prism takes every answer for right where it cannot read the schema, without a word (see without_null_words)."""
    absurd = Absurd()
    taken, looked_at = [], 0
    with running_prism(absurd.url, tmp_path) as url:
        for method, path, statuses in requests_for(specification()["paths"]):
            for absurd.status in statuses:
                looked_at += 1
                if b"errors#VIOLATIONS" not in ask(url, method, path, "token", headers=EXPERIMENTAL)[1]:
                    taken.append("%s %s %d" % (method, path, absurd.status))
    absurd.stop()
    assert taken == [] and looked_at > 500


def test_prism_that_does_not_start_is_an_error(prism, tmp_path, monkeypatch):
    monkeypatch.setattr("checked.specification", lambda: {"openapi": "3.0.1"})
    with pytest.raises(RuntimeError, match="Prism did not start"):
        with running_prism("nowhere", tmp_path):
            pass


def test_the_specification_has_every_call_in_every_shape():
    shapes = {re.sub(r"\{\w+\}", "{}", path) for path in specification()["paths"]}
    wanted = set()
    for operation, _method, per_service, annual in SailPoint.PATHS:
        if operation in next_calls.OPERATIONS:
            continue
        versions = ["v2024" if version == "v3" and ONLY_LATER in per_service else version for version in VERSIONS[1:]]
        wanted |= {per_service} | {"/%s%s" % (version, annual) for version in versions if annual}
    assert {re.sub(r"\{\w+\}", "{}", path) for path in wanted} <= shapes


def test_the_extracts_come_with_their_licence():
    assert {path.name for path in SPEC.iterdir()} == {*EXTRACTS, "LICENSE"}
    assert "Copyright (c) 2022 SailPoint" in (SPEC / "LICENSE").read_text(encoding="utf-8")


def test_where_there_is_no_prism_it_is_said_and_left_out(tmp_path):
    """On a copy of the installer, beside which nothing is installed, and without Node.js."""
    folder = tmp_path / "tests" / "conformance"
    folder.mkdir(parents=True)
    for name in ("install_prism.py", "package.json"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    done = subprocess.run(
        [sys.executable, str(folder / "install_prism.py")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "LEFT OUT" in done.stderr and "there is no Node.js" in done.stderr
    assert (tmp_path / ".cache" / "prism" / "why-not.txt").read_text(encoding="utf-8") == "there is no Node.js"
