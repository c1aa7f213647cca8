# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role with a targets file: what it names is verified, what it accepts is shown and does not fail, and not for longer."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from xml.etree import ElementTree

import yaml
from jsonschema import Draft202012Validator
from simulator import company
from test_third_system import ROOT, SCHEMA

CHECK = "secops.remediation.verify_evidence"
CLOSED, STILL_OPEN = company.exposures(company.REMEDIATED)[0], company.exposures(company.UNREMEDIATED)[0]
OPEN_ID = ":".join(str(STILL_OPEN[name]) for name in ("alert_internal_id", "attack_surface_rule_id", "service_id"))


def write(folder, until, **more):
    """A targets file whose open exposure is accepted until then. Returns its path."""
    says = dict(kind="exposure", id=OPEN_ID, by="ciso@example.com", until=until, reason="The vendor's fix comes in March")
    tenant = dict(
        owner="network@example.com", exposures=[CLOSED, dict(STILL_OPEN, owner="soc@example.com")], accepted=[says], **more
    )
    path = folder / "targets.yml"
    path.write_text(yaml.safe_dump(dict(schema_version="1.0", tenants=dict(acme=tenant))))
    return path


def run(ansible, **variables):
    """Runs what docs/targets.md says. Returns (the finished process, what its newest verification.json says, or {})."""
    (command,) = re.findall(r"(?m)^ansible-playbook .*targets\.yml$", (ROOT / "docs" / "targets.md").read_text(encoding="utf-8"))
    program, dash_i, inventory, playbook, *options = shlex.split(command)
    assert (program, dash_i) == ("ansible-playbook", "-i")
    (ansible.folder / inventory).write_text("all: {hosts: {acme: {ansible_connection: local}}}\n")
    variables = dict(variables, verify_wait_interval=1, verify_wait_timeout=120)
    done = ansible.run(playbook, *options, inventory=inventory, **variables)
    file = ansible.folder / "remediation-evidence" / "acme" / "latest" / "verification.json"
    return done, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def test_an_accepted_finding_is_shown_and_fails_nothing_until_it_has_expired(ansible, simulator):
    path = write(ansible.folder, "2999-12-31")
    # Relative to where Ansible was started, beside what another option asks for.
    done, found = run(ansible, verify_campaign_ids=[company.FINANCE])
    assert done.returncode == 0, done.stdout
    assert found["verdict"] == "not_verified" and found["acceptance"]["all_open_accepted"] is True
    assert found["targets_file"] == dict(path=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest(), tenant="acme")
    assert [(target["kind"], target["outcome"], target["owner"]) for target in found["targets"]] == [
        ("campaign", "remediated", "network@example.com"),
        ("exposure", "remediated", "network@example.com"),
        ("exposure", "unremediated", "soc@example.com"),
    ]
    assert found["acceptance"]["clock"] in ("server", "controller")
    schema = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
    assert "unremediated, accepted by ciso@example.com until 2999-12-31T23:59:59Z" in done.stdout
    run_folder = ansible.folder / "remediation-evidence" / "acme" / "latest"
    root = ElementTree.parse(run_folder / "verification.junit.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors"), len(list(root.iter("skipped")))) == ("3", "0", "0", 1)

    write(ansible.folder, "2020-12-31")
    done, found = run(ansible, verify_campaign_ids=[company.FINANCE], verify_fail_on=[])
    assert done.returncode == 2, done.stdout
    said = "ciso@example.com accepted it until 2020-12-31T23:59:59Z (The vendor's fix comes in March), and that has expired"
    assert said in done.stdout
    assert [target["outcome"] for target in found["targets"]] == ["remediated", "remediated", "unremediated"]
    assert found["acceptance"]["accepted"][0]["state"] == "expired" and "accepted" not in found["targets"][2]

    # Both runs follow from what is on record, without a network.
    done = ansible.run(CHECK, evidence_dir="remediation-evidence/acme", environment=dict(SAIL_BASE_URL=None, CORTEX_FQDN=None))
    assert done.returncode == 0 and "2 of 2 runs are intact." in done.stdout, done.stdout


def test_a_file_with_mistakes_starts_nothing(ansible, simulator):
    path = write(ansible.folder, "2999-02-30", alert_ids=["x"], cases=[1])
    done, found = run(ansible)
    assert done.returncode == 2 and found == {} and "Nothing was started." in done.stdout, done.stdout
    for key, text in (
        ("accepted[0].until", "2999-02-30 is no date"),
        ("alert_ids[0]", "has to be a whole number, and x is text"),
        ("cases", "no such key is known here"),
    ):
        assert re.search(r"%s, line \d+, tenants\.acme\.%s: %s" % tuple(map(re.escape, (str(path), key, text))), done.stdout)
    assert simulator.log() == []
