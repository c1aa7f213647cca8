# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine on which the role runs: signals, a disk that is full, locks of somebody else, and no tenant at all."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from conftest import wait_until
from running_ansible import children
from simulator import company
from trust import PLAYBOOK, QUICK, Run, exposure_id, scans_of, verify

from ansible_collections.secops.remediation.plugins.module_utils._common.files import locked

CHECK = "secops.remediation.verify_evidence"
EXPOSURES = company.exposures(company.REMEDIATED)[:3]
TARGETS = dict(verify_campaign_ids=[company.FINANCE], verify_exposures=EXPOSURES)


def waits(simulator):
    """Whether all was started, and a run looks again and again."""
    return lambda: len(simulator.log(operation="get_campaign")) >= 4


# --- Signals


def is_alive(pid):
    """Whether a process is there and is no zombie."""
    try:
        return "\nState:\tZ" not in Path("/proc/%d/status" % pid).read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    "how, send",
    [
        # A service manager asks the process; a terminal all that it runs.
        (signal.SIGTERM, os.kill),
        (signal.SIGTERM, os.killpg),
        (signal.SIGINT, os.killpg),
        (signal.SIGHUP, os.killpg),
    ],
    ids=["TERM", "TERM to all", "INT", "HUP"],
)
def test_a_signal_ends_the_run_and_loses_nothing(ansible, simulator, how, send):
    simulator.control("POST", "config", {"scan_seconds": 600})
    run = ansible.start(PLAYBOOK, **dict(QUICK, verify_wait_timeout=600), **TARGETS)
    wait_until(waits(simulator), "it waits", run)
    processes = [run.pid, *children(run.pid)]
    send(run.pid, how)
    output, _nothing = run.communicate(timeout=120)
    assert run.returncode != 0 and "Traceback" not in output, output
    wait_until(lambda: not any(map(is_alive, processes)), "its workers end", seconds=10)

    simulator.control("POST", "config", {"scan_seconds": 0.5})
    again = verify(ansible, **TARGETS)
    assert again.status == 0 and again.found["verdict"] == "verified", again.output
    assert {scans_of(simulator, name) for name in again.outcomes} == {1}


# --- A disk that is full


@pytest.mark.parametrize("simulator", [("--exposures", "40", "--campaigns", "1")], indirect=True)
def test_a_disk_that_is_full(ansible, simulator):
    """The system ends each file at so many bytes, as a full disk does, which cannot be had without root."""
    simulator.control("POST", "config", {"scan_seconds": 600})
    (campaign_id,) = simulator.control("GET", "state")["campaigns"]
    targets = dict(verify_campaign_ids=[campaign_id], verify_exposures=simulator.exposures())
    command = ansible.command(PLAYBOOK, **dict(QUICK, verify_wait=False), **targets)
    # Python would cut off what it compiles, for everybody after it.
    environment = ansible.environment(PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        command,
        check=False,
        cwd=ansible.folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (15000, 15000)),
        timeout=120,
    )
    assert done.returncode == 2 and "Traceback" not in done.stdout and "File too large" in done.stdout, done.stdout
    assert "othing was started" not in done.stdout and "has started nothing" not in done.stdout, done.stdout
    log = simulator.log()
    started = {entry["scan_id"] for entry in simulator.log(operation="rcs_get_or_create", changed=True)}
    ledger = (ansible.folder / "remediation-evidence" / "ledger.json").read_text()
    assert len(started) == 40 and {scan_id for scan_id in started if scan_id not in ledger + done.stdout} == set()

    # With room again: what was started is found, also what could not be remembered, as long as it runs.
    process = ansible.start(PLAYBOOK, **dict(QUICK, verify_evidence_dir=str(ansible.folder / "remediation-evidence")), **targets)
    wait_until(
        lambda: len([one for one in simulator.log()[len(log) :] if one["operation"] in ("get_campaign", "list_campaigns")]) >= 3,
        "it waits",
        process,
    )
    simulator.control("POST", "config", {"scan_seconds": 0})
    output, _nothing = process.communicate(timeout=60)
    again = Run(process.returncode, output, ansible.folder / "remediation-evidence")
    assert again.status == 0 and again.found["verdict"] == "verified", again.output
    assert {scans_of(simulator, exposure_id(exposure)) for exposure in simulator.exposures()} == {1}


# --- Locks of somebody else


def test_a_lock_that_is_never_given_back(ansible, simulator):
    """Nobody waits for it longer than verify_wait_timeout, and it is said who holds it."""
    evidence = ansible.folder / "remediation-evidence"
    evidence.mkdir()
    with locked(str(evidence)):
        began = time.monotonic()
        done = ansible.run(PLAYBOOK, **dict(QUICK, verify_wait_timeout=2), **TARGETS)
        took = time.monotonic() - began
    assert done.returncode == 2 and took < 15, done.stdout
    assert "the process %d on %s has held since 20" % (os.getpid(), socket.gethostname()) in done.stdout, done.stdout
    assert simulator.log() == []


def test_a_lock_of_the_ledger_that_comes_later(ansible, simulator):
    """There is evidence all the same, and it is said what could not be remembered, and why. Each of the three tasks that
    remember waits half a minute."""
    simulator.control("POST", "config", {"scan_seconds": 600})
    memory = ansible.folder / "memory"
    variables = dict(QUICK, verify_wait_timeout=8, verify_ledger=str(memory / "ledger.json"), **TARGETS)
    run = ansible.start(PLAYBOOK, **variables)
    # What is started is not on record yet.
    wait_until(lambda: simulator.log(operation="rcs_get_or_create"), "it starts", run)
    with locked(str(memory)):
        began = time.monotonic()
        output, _nothing = run.communicate(timeout=300)
        took = time.monotonic() - began
    found = Run(run.returncode, output, ansible.folder / "remediation-evidence")
    assert found.status == 2 and took < 150 and set(found.outcomes.values()) <= {"pending", "inconclusive"}
    assert "the process %d on " % os.getpid() in output + json.dumps(found.found), output
    assert "othing was started" not in output and "has started nothing" not in output, output
    simulator.control("POST", "config", {"scan_seconds": 0})
    again = verify(ansible, verify_wait_timeout=60, verify_ledger=str(memory / "ledger.json"), **TARGETS)
    assert again.found["verdict"] == "verified" and {scans_of(simulator, name) for name in again.outcomes} == {1}


def test_a_lock_that_is_given_back_in_time(ansible, simulator):
    """Of the evidence, say while another run writes its own."""
    run = ansible.start(PLAYBOOK, **dict(QUICK, verify_ledger=str(ansible.folder / "memory.json")), **TARGETS)
    wait_until(waits(simulator), "it waits", run)
    with locked(str(ansible.folder / "remediation-evidence")):
        wait_until(lambda: simulator.log(operation="rcs_get"), "the last task looks", run)
        time.sleep(5)
        assert run.poll() is None
    output, _nothing = run.communicate(timeout=60)
    found = Run(run.returncode, output, ansible.folder / "remediation-evidence")
    assert found.status == 0 and found.found["verdict"] == "verified", output


# --- No tenant at all


# Not the project's for AWX: a slice without any of its hosts is legitimate there.
@pytest.mark.parametrize("playbook", [PLAYBOOK, CHECK], ids=["verify", "verify_evidence"])
@pytest.mark.parametrize(
    "options, hosts",
    [((), "acne"), (("--limit", "acme"), "acne"), (("--limit", "acme"), "globex"), (("--limit", "acme"), "localhost")],
)
def test_a_pattern_that_matches_no_tenant(ansible, simulator, playbook, options, hosts):
    """Ansible itself ends well where there is nobody to do anything for."""
    inventory = ansible.folder / "tenants.ini"
    inventory.write_text("acme ansible_connection=local\nglobex ansible_connection=local\n")
    done = ansible.run(playbook, *options, inventory=inventory, verify_hosts=hosts, verify_exposures=EXPOSURES)
    assert done.returncode != 0 and simulator.log() == [], done.stdout
    assert "verify_hosts is %s, and none of these hosts is in the inventory" % hosts in done.stdout, done.stdout
