# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of trust share: they run the role as a user does, and believe only what it left."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import faults
from conftest import kill
from gateway import Gateway

PLAYBOOK = "secops.remediation.verify"
ROLE = Path(__file__).resolve().parent / "role.yml"
# What is trusted here is the report. Its faults would not be seen where the other witness answers.
QUICK = dict(verify_wait_interval=1, verify_wait_timeout=60, verify_campaign_witnesses=["report"])
EXPOSURE = ("alert_internal_id", "attack_surface_rule_id", "service_id")


def exposure_id(exposure):
    """An exposure's name in the evidence."""
    return ":".join(str(exposure[name]) for name in EXPOSURE)


class Run:
    """A run that has ended: its status, what it printed, and what its newest evidence says."""

    def __init__(self, status, output, evidence):
        self.status = status
        self.output = output
        self.folder = (evidence / "latest").resolve()
        file = self.folder / "verification.json"
        self.found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.targets = {target["id"]: target for target in self.found.get("targets", ())}
        self.outcomes = {name: target["outcome"] for name, target in self.targets.items()}
        assert "Traceback" not in output, output
        assert self.found, output
        assert (self.found["verdict"] == "verified") == (set(self.outcomes.values()) == {"remediated"}), self.found["summary"]

    def reason(self, name):
        """Why a target has its outcome."""
        return self.targets[str(name)]["reason"]

    def notes(self, fault, name):
        """Holds what the evidence says of a target against the documentation of faults."""
        # How the last look of many failed depends on when it was.
        reason, look, _how = self.reason(name).partition("; the last look failed: ")
        faults.seen(fault, faults.ROLE, self.outcomes[str(name)], reason + look + "…" * bool(look))


def verify(ansible, *options, playbook=PLAYBOOK, evidence="remediation-evidence", within=150, **variables):
    """Runs the role to its end; a run that has not ended after so many seconds is ended, and fails the test."""
    process = ansible.start(playbook, *options, **{**QUICK, **variables})
    ends = time.monotonic() + within
    try:
        output, _nothing = process.communicate(timeout=within)
    except Exception as error:
        raise AssertionError("the run goes on for ever:\n%s" % kill(process)) from error
    assert time.monotonic() < ends + 10
    return Run(process.returncode, output, ansible.folder / evidence)


@contextlib.contextmanager
def gateway_to(ansible, simulator):
    """A gateway in front of a simulator, to which the environment of all runs points."""
    gateway = Gateway(**{"": simulator})
    environment = ansible.environment
    ansible.environment = lambda **changes: environment(**{"SAIL_BASE_URL": gateway.url, "CORTEX_FQDN": gateway.url, **changes})
    try:
        yield gateway
    finally:
        gateway.stop()


def moment(**ago):
    """A time as the ledger of 0.2.0 wrote it."""
    return (datetime.now(timezone.utc) - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def forge_ledger(path, host, campaigns=None, exposures=()):
    """Writes a ledger as 0.2.0 did. campaigns: records by id. exposures: pairs of an exposure and its record."""
    records = {
        "%s/campaign/%s" % (host, campaign_id): dict(kind="campaign", campaign_id=campaign_id, requests=[], **record)
        for campaign_id, record in (campaigns or {}).items()
    }
    for exposure, record in exposures:
        key = "%s/exposure/%s" % (host, "/".join(str(exposure[name]) for name in EXPOSURE))
        records[key] = dict(kind="exposure", **exposure, **dict(dict(requests=[], updated_at=moment()), **record))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(schema_version=1, records=records)), encoding="utf-8")


def scans_of(simulator, name):
    """How many scans were started of a campaign or an exposure."""
    state = simulator.control("GET", "state")
    if name in state["exposures"]:
        return len(state["exposures"][name]["scans"])
    return len(simulator.log(operation="run_scan", campaign_id=name, changed=True))
