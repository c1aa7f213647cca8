# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workflows of AWX in which nothing survives but artifacts, with the real ansible-runner."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from awx_jobs import Awx, until_said
from running_simulator import running_tenants

CLOSED, OPEN, RUNNING, FORGED = "acme", "brightwater", "globex", "initech"
TOKEN = "token-of-the-shelf"
NAMES = (CLOSED, OPEN, RUNNING, FORGED)
SURVEY = dict(verify_hosts="all", verify_max_age=86400)
QUICK = dict(verify_wait_interval=1, verify_formats=["json"])


def exposure_id(exposure):
    return "%(alert_internal_id)s:%(attack_surface_rule_id)s:%(service_id)s" % exposure


def variables(simulator, number):
    """A tenant's variables. Each has other targets, so that a mix-up shows. The one that waits in vain does not wait long."""
    waits = number == NAMES.index(RUNNING)
    return dict(
        sailpoint_base_url=simulator.url,
        sailpoint_client_id="admin-client",
        sailpoint_client_secret="admin-secret",
        xpanse_base_url=simulator.url,
        xpanse_api_key_id="1",
        xpanse_api_key="advanced-key",
        verify_campaign_ids=[] if waits else [list(simulator.control("GET", "state")["campaigns"])[number]],
        verify_exposures=simulator.exposures()[2 * number : 2 * number + 2],
        verify_wait_timeout=2 if waits else 60,
    )


@pytest.fixture
def simulators():
    options = ("--exposures", 8, "--campaigns", 4, "--scan-seconds", 1, "--report-seconds", 0.2)
    with running_tenants(len(NAMES), *options) as running:
        yield dict(zip(NAMES, running))


@pytest.fixture
def awx(simulators, tmp_path):
    tenants = {name: variables(simulator, number) for number, (name, simulator) in enumerate(simulators.items())}
    awx = Awx(tmp_path, tenants)
    yield awx
    for job in awx.started:
        job.end()


def git(*arguments, cwd=None):
    """What git prints. Nobody's settings count."""
    environment = dict(os.environ, GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
    done = subprocess.run(["git", *map(str, arguments)], cwd=cwd, env=environment, text=True, capture_output=True, check=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path):
    """A repository for evidence, with nothing but a first commit."""
    bare, first = tmp_path / "evidence.git", tmp_path / "first"
    git("init", "--quiet", "--bare", "--initial-branch", "main", bare)
    git("init", "--quiet", "--initial-branch", "main", first)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    git(*who, "commit", "--quiet", "--allow-empty", "--message", "Begin", cwd=first)
    git("push", "--quiet", bare, "main", cwd=first)
    return bare


def read(folder):
    return json.loads((folder / "verification.json").read_text(encoding="utf-8"))


def outcomes(found):
    return sorted(target["outcome"] for target in found["targets"])


def test_a_workflow_of_slices_with_artifacts_alone(awx, simulators, repository, tmp_path):
    """Four tenants, of whom each ends otherwise, and two jobs each for the start and for the collection. The evidence of all,
    also of those that fail, goes into a repository to which all push at the same time."""
    how = dict(QUICK, survey=SURVEY, evidence_upload="git", evidence_repository=str(repository))
    for name in (OPEN, FORGED):
        for exposure in awx.tenants[name]["verify_exposures"]:
            simulators[name].control("PATCH", "exposures/%s" % exposure_id(exposure), {"result": "UNREMEDIATED"})
    for exposure in awx.tenants[RUNNING]["verify_exposures"]:
        simulators[RUNNING].control("PATCH", "exposures/%s" % exposure_id(exposure), {"scan_seconds": 3600})

    jobs, artifacts = awx.workflow_node(2, entry_point="start", **how)
    assert [job.status for job in jobs] == ["successful"] * 2, [job.output for job in jobs]
    parts = {name: part for name, part in artifacts.items() if name.startswith("verify_started_")}
    # Of each tenant one of each kind: none has taken the place of another one.
    assert sorted((part["kind"], part["system"]) for part in parts.values()) == sorted(
        [("exposure", one.url) for one in simulators.values()]
        + [("campaign", one.url) for name, one in simulators.items() if name != RUNNING]
    )
    for job in jobs:
        job.throw_away()

    # What is handed on passes through many hands. One of them gives the open tenant the scans of the closed one.
    def of(tenant):
        return next(
            name for name, part in parts.items() if part["kind"] == "exposure" and part["system"] == simulators[tenant].url
        )

    artifacts[of(FORGED)] = dict(parts[of(CLOSED)], system=simulators[FORGED].url)
    # And a former node's verdict is there, as AWX would hand it on.
    artifacts.update(verify_result=dict(verdict="verified"), verify_artifact=dict(verdict="verified"))
    for simulator in simulators.values():
        simulator.control("POST", "config", {"scan_seconds": 0})

    jobs, last = awx.workflow_node(2, artifacts, entry_point="collect", **how)
    assert [job.status for job in jobs] == ["failed"] * 2
    for job in jobs:
        job.throw_away()
    kept = tmp_path / "kept"
    git("clone", "--quiet", repository, kept)
    found = {name: read(kept / name / "latest") for name in NAMES}
    assert {name: (one["verdict"], outcomes(one)) for name, one in found.items()} == {
        CLOSED: ("verified", ["remediated"] * 3),
        OPEN: ("not_verified", ["remediated", "unremediated", "unremediated"]),
        RUNNING: ("incomplete", ["pending"] * 2),
        FORGED: ("not_verified", ["inconclusive", "inconclusive", "remediated"]),
    }
    reasons = [target["reason"] for target in found[FORGED]["targets"] if target["outcome"] == "inconclusive"]
    assert all("was changed, or is sealed with other credentials" in reason for reason in reasons), reasons
    # The run before is that of the start, which was fetched, and whoever fetches them can check them.
    for name, one in found.items():
        runs = sorted(path.parent.name for path in (kept / name).glob("*/verification.json") if path.parent.name != "latest")
        assert [one["previous_run"]["run"], one["run"]] == runs
        assert not list((kept / name).glob("ledger.json*"))
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=kept / name / "latest", check=True)
    # Its own verdict is also what each job hands on, whatever it was given.
    assert last["verify_artifacts"][awx.slices(2)[1][0]]["verdict"] == "not_verified"
    for name, simulator in simulators.items():
        stats = simulator.control("GET", "stats")
        assert (stats["campaign_scans_started"], stats["rcs_scans_started"]) == (int(name != RUNNING), 2), name


class Shelf(BaseHTTPRequestHandler):
    """Takes what is put there by whoever has the token."""

    def do_PUT(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        known = self.headers["X-Token"] == TOKEN
        if known:
            self.server.taken[self.path] = content
        self.send_response(201 if known else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args):
        """Says nothing."""


@pytest.fixture
def shelf():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    server.url, server.taken = "http://127.0.0.1:%d" % server.server_port, {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


# What the injectors of the two credential types set, with a choice that was left out.
def injected(simulator):
    return dict(
        SAIL_BASE_URL=simulator.url,
        SAIL_CLIENT_ID="admin-client",
        SAIL_CLIENT_SECRET="admin-secret",
        CORTEX_FQDN=simulator.url,
        CORTEX_API_KEY_ID="1",
        CORTEX_API_KEY="advanced-key",
        CORTEX_API_KEY_TYPE="",
    )


def test_a_job_that_is_cancelled_in_the_middle(awx, simulators, shelf):
    """What it had started is found again by the next start, and collected, with the credentials of AWX. The evidence is put
    where the user says."""
    simulator = simulators[CLOSED]
    for exposure in awx.tenants[CLOSED]["verify_exposures"]:
        simulator.control("PATCH", "exposures/%s" % exposure_id(exposure), {"scan_seconds": 600})
    own = {name: value for name, value in awx.tenants[CLOSED].items() if name.startswith("verify_")}
    own.pop("verify_campaign_ids")
    awx.project.joinpath("host_vars", CLOSED, "main.yml").write_text(json.dumps(own))
    # A survey gives blank text, and null.
    survey = dict(SURVEY, verify_case_ids="", verify_alert_ids=None)
    how = dict(QUICK, env=injected(simulator), hosts=[CLOSED], survey=survey)

    cancelled = awx.start(**how)
    until_said(cancelled, "in progress, next look in")
    cancelled.cancel()
    assert cancelled.status == "canceled" and cancelled.artifacts() == {}
    # How far it was is an event of its own, as AWX shows it.
    assert any(event["event"] == "verbose" and "exposures: 0 of 2 done" in event["stdout"] for event in cancelled.events())

    # Nothing was handed on, so nothing is known, and nothing is verified.
    blind = awx.start(entry_point="collect", **how)
    assert "nothing to collect: start one" in blind.wait() and blind.status == "failed"

    again = awx.start(entry_point="start", **how)
    again.wait()
    assert again.status == "successful", again.output
    for exposure in awx.tenants[CLOSED]["verify_exposures"]:
        simulator.control("PATCH", "exposures/%s" % exposure_id(exposure), {"scan_seconds": 0})
    upload = dict(evidence_upload="put", evidence_url=shelf.url + "/evidence", evidence_headers={"X-Token": TOKEN})
    collected = awx.start(entry_point="collect", artifacts=again.artifacts(), **how, **upload)
    assert "Verified: 2 of 2" in collected.wait() and collected.status == "successful", collected.output
    ((path, archive),) = shelf.taken.items()
    assert re.fullmatch(r"/evidence/acme/\w+\.tar\.gz", path)
    with tarfile.open(fileobj=io.BytesIO(archive)) as content:
        name = next(name for name in content.getnames() if name.endswith("/verification.json"))
        assert json.load(content.extractfile(name))["verdict"] == "verified"
    assert simulator.control("GET", "stats")["rcs_scans_started"] == 2
    assert not any(secret in json.dumps([job.events() for job in awx.started]) for secret in ("advanced-key", TOKEN))
