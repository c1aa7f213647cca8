# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many tenants in one run: a host is a tenant, and none may notice the others, whatever becomes of them."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess

import pytest
from conftest import TESTS, Ansible
from running_simulator import running_tenants

PLAYBOOK = "secops.remediation.verify"
TENANTS = 20
DOWN, BROKEN, LOCKED_OUT, OPEN = "tenant05", "tenant09", "tenant13", "tenant17"
WRONG_SECRET = "nobody-may-read-this-wrong-secret"


def exposure_id(exposure):
    return "%(alert_internal_id)s:%(attack_surface_rule_id)s:%(service_id)s" % exposure


class Tenant:
    """A tenant: its simulator, and its entry in the inventory. Each has other targets, so that a mix-up shows."""

    def __init__(self, number, simulator):
        self.name = "tenant%02d" % number
        self.simulator = simulator
        state = simulator.control("GET", "state")
        self.exposures = simulator.exposures()[number % 4 : number % 4 + 2]
        self.campaign_ids = [list(state["campaigns"])[number % 3]]
        self.variables = dict(
            sailpoint_base_url=simulator.url,
            sailpoint_client_id="admin-client",
            sailpoint_client_secret="admin-secret",
            sailpoint_retry_timeout=1,
            xpanse_base_url=simulator.url,
            xpanse_api_key_id="1",
            xpanse_api_key="advanced-key",
            xpanse_retry_timeout=1,
            verify_campaign_ids=self.campaign_ids,
            verify_exposures=self.exposures,
        )

    @property
    def target_ids(self):
        return {*self.campaign_ids, *map(exposure_id, self.exposures)}


@pytest.fixture
def tenants(tmp_path):
    options = ("--exposures", 6, "--campaigns", 3, "--scan-seconds", 1, "--report-seconds", 0.5)
    with running_tenants(TENANTS, *options) as simulators:
        yield {tenant.name: tenant for tenant in (Tenant(number, simulator) for number, simulator in enumerate(simulators, 1))}


# No credentials in the environment: each tenant has its own.
NOTHING = dict.fromkeys(
    ("SAIL_BASE_URL", "SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET", "CORTEX_FQDN", "CORTEX_API_KEY_ID", "CORTEX_API_KEY")
)


def verification(evidence):
    return json.loads((evidence / "latest" / "verification.json").read_text(encoding="utf-8"))


def run(tenants, folder):
    """Verifies all tenants at once. Returns (exit status, output, by tenant: what its verification.json says)."""
    inventory = folder / "tenants.json"
    inventory.write_text(json.dumps({"all": {"hosts": {tenant.name: tenant.variables for tenant in tenants.values()}}}))
    ansible = Ansible(next(iter(tenants.values())).simulator, folder)
    done = ansible.run(
        PLAYBOOK,
        "--forks",
        str(TENANTS),
        inventory=inventory,
        environment=NOTHING,
        verify_hosts="all",
        verify_wait_interval=1,
        verify_wait_timeout=60,
    )
    evidence = folder / "remediation-evidence"
    assert {path.name for path in evidence.iterdir()} == set(tenants), done.stdout
    return done.returncode, done.stdout, {name: verification(evidence / name) for name in tenants}


def test_twenty_tenants_four_of_them_in_trouble(tenants, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nobody = "http://127.0.0.1:%d" % unused.getsockname()[1]
    tenants[DOWN].variables.update(sailpoint_base_url=nobody, xpanse_base_url=nobody)
    tenants[BROKEN].simulator.control("POST", "faults", [{"kind": "status", "status": 503, "times": None}])
    tenants[LOCKED_OUT].variables.update(sailpoint_client_secret=WRONG_SECRET, xpanse_api_key=WRONG_SECRET)
    still_there = exposure_id(tenants[OPEN].exposures[0])
    tenants[OPEN].simulator.control("PATCH", "exposures/%s" % still_there, {"result": "UNREMEDIATED"})

    status, output, found = run(tenants, tmp_path)

    assert status == 2
    assert WRONG_SECRET not in output and "admin-secret" not in output and "advanced-key" not in output
    for name, tenant in tenants.items():
        outcomes = {target["id"]: target["outcome"] for target in found[name]["targets"]}
        assert set(outcomes) == tenant.target_ids, name
        if name in (DOWN, BROKEN, LOCKED_OUT):
            assert set(outcomes.values()) == {"inconclusive"}, name
            continue
        expected = dict.fromkeys(outcomes, "remediated")
        if name == OPEN:
            expected[still_there] = "unremediated"
        assert outcomes == expected, name
        assert {target["system"] for target in found[name]["targets"]} == {tenant.simulator.url}
        # Nothing came here that was meant for another tenant, and nothing was started twice.
        stats = tenant.simulator.control("GET", "stats")
        assert set(stats["by_status"]) <= {"200", "201", "202"}, (name, stats)
        assert (stats["campaign_scans_started"], stats["rcs_scans_started"], stats["reports_started"]) == (1, 2, 1)
    for name in (DOWN, BROKEN, LOCKED_OUT):
        assert tenants[name].simulator.control("GET", "stats")["scans_started"] == 0
    assert all("HTTP 401" in target["reason"] for target in found[LOCKED_OUT]["targets"])
    assert all("HTTP 503" in target["reason"] for target in found[BROKEN]["targets"])
    healthy = set(tenants) - {DOWN, BROKEN, LOCKED_OUT, OPEN}
    assert {name for name in tenants if "%s : ok=" % name in " ".join(output.split())} == set(tenants)
    assert {name for name in healthy if found[name]["verdict"] == "verified"} == healthy


def test_the_second_run_starts_nothing(tenants, tmp_path):
    few = {name: tenants[name] for name in list(tenants)[:3]}
    run(few, tmp_path)
    for tenant in few.values():
        tenant.simulator.control("DELETE", "log")
    status, output, found = run(few, tmp_path)
    assert status == 0, output
    for name, tenant in few.items():
        assert found[name]["verdict"] == "verified"
        stats = tenant.simulator.control("GET", "stats")
        assert stats["scans_started"] == stats["reports_started"] == 0


def test_the_project_for_awx(tenants, tmp_path):
    """Its playbook, as AWX runs it: secrets in vaulted files beside it, and a job for each part of the work."""
    project, evidence = tmp_path / "project", tmp_path / "evidence"
    shutil.copytree(TESTS.parent / "extensions" / "awx" / "project", project)
    password = tmp_path / "password"
    password.write_text("of the vault")
    few = {name: tenants[name] for name in list(tenants)[:2]}
    for name, tenant in few.items():
        secrets = {key: tenant.variables[key] for key in ("sailpoint_client_secret", "xpanse_api_key")}
        folder = project / "host_vars" / name
        folder.mkdir()
        (folder / "main.yml").write_text(
            json.dumps({key: value for key, value in tenant.variables.items() if key not in secrets})
        )
        (folder / "secrets.yml").write_text(json.dumps(secrets))
        subprocess.run(
            ["ansible-vault", "encrypt", "--vault-password-file", str(password), folder / "secrets.yml"],
            check=True,
            capture_output=True,
        )
    inventory = project / "inventory" / "tenants.yml"
    inventory.write_text(json.dumps({"all": {"hosts": dict.fromkeys(few, {})}}))
    ansible = Ansible(next(iter(few.values())).simulator, tmp_path)

    def job(**variables):
        done = ansible.run(
            project / "verify.yml",
            "--vault-password-file",
            str(password),
            inventory=inventory,
            environment=NOTHING,
            verify_hosts="all",
            verify_wait_interval=1,
            verify_evidence_root=str(evidence),
            verify_evidence_dir="{{ verify_evidence_root }}/{{ inventory_hostname }}",
            **variables,
        )
        assert done.returncode == 0, done.stdout
        return {name: verification(evidence / name) for name in few}

    started = job(entry_point="start")
    assert {name: found["counts"]["pending"] for name, found in started.items()} == dict.fromkeys(few, 3)
    collected = job(entry_point="collect")
    assert {name: found["verdict"] for name, found in collected.items()} == dict.fromkeys(few, "verified")
    assert {name: found["verdict"] for name, found in job().items()} == dict.fromkeys(few, "verified")
    for tenant in few.values():
        stats = tenant.simulator.control("GET", "stats")
        assert (stats["campaign_scans_started"], stats["rcs_scans_started"]) == (1, 2)
