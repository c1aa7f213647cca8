# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Ansible and AWX run the role: what other variables, jobs, users, callbacks and timeouts do to it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import running_simulator
from simulator import company

PLAYBOOK = "secops.remediation.verify"
HERE = Path(__file__).resolve().parent
ROLE = HERE / "role.yml"
SOURCES = HERE.parents[1] / "roles" / "verify"
QUICK = dict(verify_wait_interval=1, verify_wait_timeout=60)
CLOSED = company.exposures(company.REMEDIATED)[:1]
STILL_OPEN = company.exposures(company.UNREMEDIATED)[:1]
STATS = {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}

# The result of another job, in which all was well.
GREEN = dict(
    verdict="verified",
    summary="Verified: 2 of 2 targets remediated.",
    directory="/old/run",
    path="/old/run/verification.json",
    counts=dict(remediated=2, unremediated=0, pending=0, inconclusive=0, total=2),
    files={},
    targets=[],
    targets_left_out=0,
    run="20260101T000000Z",
    sha256="0" * 64,
    by_kind={},
)
# A registered result, of any module, in which all was well.
FORGED = dict(
    GREEN,
    failed=False,
    changed=False,
    verification=GREEN,
    run_id="0" * 32,
    folder=None,
    began=0,
    problems=[],
    campaigns=[],
    started_at="2026-01-01T00:00:00Z",
    scans=[],
    reports=[],
    rcs_requests=[dict(CLOSED[0], outcome="remediated")],
)
# What templates call, and what Ansible itself says.
BORROWED = (
    "now",
    "dict",
    "lookup",
    "query",
    "item",
    "range",
    "vars",
    "hostvars",
    "ansible_check_mode",
    "ansible_play_hosts_all",
    "ansible_run_tags",
    "role_path",
    "role_name",
    "verification",
    "result",
)


def options_of_the_role():
    return yaml.safe_load((SOURCES / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main"]["options"]


def names():
    """(the inputs, the names that are handed on, the role's own names), as they are in the role's files."""
    sources = [path.read_text() for path in SOURCES.rglob("*.yml") if path.parent.name != "meta"]
    text = re.sub(r"secops\.remediation\.\w+", "", re.sub(r"(?m)^\s*#.*", "", "\n".join(sources)))
    inputs = set(options_of_the_role())
    found = set(re.findall(r"\bverify_\w+", text)) | set(re.findall(r"register: (\w+)", text))
    return inputs, {name for name in found - inputs if "__" not in name}, {name for name in found if "__" in name}


def run(ansible, *options, playbook=PLAYBOOK, evidence="remediation-evidence", **variables):
    """Runs the role. Returns (the finished process, what its newest verification.json says, or {})."""
    done = ansible.run(playbook, *options, **{**QUICK, **variables})
    file = ansible.folder / evidence / "latest" / "verification.json"
    return done, json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def stats_of(output):
    shown = output[output.index("CUSTOM STATS:") :]
    return json.loads(shown[shown.index("{") : shown.rindex("}") + 1])


# --- Names


def test_every_name_is_either_an_input_or_handed_on_or_proved():
    inputs, handed_on, own = names()
    assert handed_on == {"verify_result", "verify_artifact", "verify_artifacts"} and len(own) > 8
    prepare = (SOURCES / "tasks" / "prepare.yml").read_text()
    assert set(re.findall(r"^    (verify__\w+): unset$", prepare, re.MULTILINE)) == own
    assert set(re.findall(r"^      - (verify__\w+) == 'unset'$", prepare, re.MULTILINE)) == own
    assert set(re.findall(r"^      - (verify__\w+) != 'unset'$", prepare, re.MULTILINE)) == own
    # What is handed on is written, and never read.
    for path in (SOURCES / "tasks").rglob("*.yml"):
        for name in handed_on:
            assert len(re.findall(r"\b%s\b" % name, path.read_text())) == len(re.findall(r"\b%s: " % name, path.read_text()))


def test_a_result_of_another_job_is_not_this_ones(ansible, simulator):
    """As AWX hands on what an earlier node of a workflow has found: as extra variables."""
    _inputs, handed_on, _own = names()
    forged = dict.fromkeys([*handed_on, "verify_results", *BORROWED], GREEN)
    forged["ansible_check_mode"] = True
    done, found = run(ansible, verify_exposures=STILL_OPEN, verify_campaign_ids=[company.WAREHOUSE], environment=STATS, **forged)
    assert done.returncode == 2 and found["verdict"] == "not_verified" and found["counts"]["unremediated"] == 2, done.stdout
    assert GREEN["summary"] not in done.stdout and "/old/run" not in done.stdout
    assert re.search(r"fatal: .*%s" % re.escape(found["summary"]), done.stdout)
    stats = stats_of(done.stdout)
    assert set(stats) == {"verify_artifact", "verify_artifacts"}
    assert stats["verify_artifact"] == stats["verify_artifacts"]["localhost"]
    assert stats["verify_artifact"]["verdict"] == "not_verified" and stats["verify_artifact"]["run"] == found["run"]


def test_what_one_job_hands_on_does_not_hinder_the_next(ansible, simulator):
    start, found = run(
        ansible,
        playbook=ROLE,
        entry_point="start",
        verify_exposures=STILL_OPEN,
        environment=STATS,
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert start.returncode == 0 and found["counts"]["pending"] == 1, start.stdout
    collect, found = run(
        ansible,
        playbook=ROLE,
        entry_point="collect",
        verify_exposures=STILL_OPEN,
        environment=STATS,
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
        **stats_of(start.stdout),
    )
    assert collect.returncode == 2 and stats_of(collect.stdout)["verify_artifact"]["counts"]["unremediated"] == 1
    assert found["counts"]["unremediated"] == 1


@pytest.mark.parametrize("entry_point", ["main", "start", "collect"])
@pytest.mark.parametrize("value", [True, "", {}], ids=["true", "blank", "empty"])
def test_the_names_of_the_role_are_held_by_somebody_else(ansible, simulator, entry_point, value):
    _inputs, _handed_on, own = names()
    done, found = run(
        ansible,
        playbook=ROLE,
        entry_point=entry_point,
        verify_exposures=STILL_OPEN,
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
        **dict.fromkeys(own, value),
    )
    assert done.returncode == 2 and not found and simulator.log() == []
    assert re.search(r"\bverify__\w+ == 'unset'", done.stdout) and "one of the role's own" in done.stdout, done.stdout


@pytest.mark.parametrize("name", sorted(names()[2]))
def test_each_name_of_the_role_held_by_somebody_else(ansible, simulator, name):
    done, found = run(ansible, verify_exposures=STILL_OPEN, **{name: FORGED})
    assert done.returncode == 2 and not found and simulator.log() == []
    assert "%s == 'unset'" % name in done.stdout and "Nothing was started" in done.stdout, done.stdout


@pytest.mark.parametrize("name", sorted(names()[2]))
def test_the_word_that_is_no_value_is_a_value_of_somebody_else(ansible, simulator, name):
    done, found = run(ansible, verify_exposures=STILL_OPEN, **{name: "unset"})
    assert done.returncode == 2 and not found and simulator.log() == []
    assert "Nothing was started" in done.stdout, done.stdout


def test_a_parameter_of_the_role_is_somebody_else_too(ansible, simulator):
    playbook = ansible.folder / "play.yml"
    playbook.write_text(
        json.dumps(
            [
                dict(
                    hosts="localhost",
                    gather_facts=False,
                    tasks=[
                        {
                            "ansible.builtin.include_role": dict(name="secops.remediation.verify"),
                            "vars": dict(verify_exposures=STILL_OPEN, verify__start=False),
                        }
                    ],
                )
            ]
        )
    )
    done, found = run(ansible, playbook=playbook)
    assert done.returncode == 2 and not found and "verify__start == 'unset'" in done.stdout and simulator.log() == []


# --- The gate


@pytest.mark.parametrize("how, status", [("check_mode: false in --check", 2), ("check_mode: true", 0)])
def test_check_mode_is_what_was_done_and_not_what_is_said(ansible, simulator, how, status):
    """With `check_mode: false` a run with --check is a real one, and must not pass as a rehearsal."""
    playbook = ansible.folder / "play.yml"
    play = dict(hosts="localhost", gather_facts=False, check_mode=status == 0, roles=["secops.remediation.verify"])
    playbook.write_text(json.dumps([play]))
    done, found = run(ansible, *(["--check"] if status else []), playbook=playbook, verify_exposures=STILL_OPEN)
    assert done.returncode == status, done.stdout
    assert bool(found) == bool(simulator.log(changed=True)) == bool(status)


def verify_each(ansible, hosts, **variables):
    """Runs the role once for many hosts, each with variables of its own. Returns (the output, by host: whether it failed)."""
    inventory = ansible.folder / "each.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": dict(ansible_connection="local")}}))
    done = ansible.run(
        ROLE,
        "--forks",
        "8",
        inventory=inventory,
        **QUICK,
        **variables,
        verify_evidence_dir=str(ansible.folder / "evidence") + "/{{ inventory_hostname }}",
    )
    failed = {name: int(count) for name, count in re.findall(r"^(case\d+) +: .*failed=(\d+)", done.stdout, re.MULTILINE)}
    assert failed.keys() == hosts.keys(), done.stdout
    return done.stdout, {name: failed[name] > 0 for name in hosts}


def evidence_of(ansible, name):
    return json.loads((ansible.folder / "evidence" / name / "latest" / "verification.json").read_text(encoding="utf-8"))


def test_what_fails_the_play(ansible, simulator):
    cases = [
        (["unremediated", "inconclusive", "pending"], STILL_OPEN, True),
        ("pending,inconclusive", STILL_OPEN, False),
        ([], STILL_OPEN, False),
        ("[]", STILL_OPEN, False),
        (None, STILL_OPEN, True),
        ("remediated", CLOSED, True),
        (["unremediated"], CLOSED, False),
    ]
    hosts = {
        "case%d" % place: dict(verify_fail_on=fail_on, verify_exposures=exposures)
        for place, (fail_on, exposures, _fails) in enumerate(cases)
    }
    output, failed = verify_each(ansible, hosts)
    assert list(failed.values()) == [fails for _fail_on, _exposures, fails in cases], output
    assert all(evidence_of(ansible, name)["counts"]["total"] == 1 for name in hosts)


def test_start_fails_when_nothing_could_be_started(ansible, simulator):
    wrong = dict(sailpoint_options=dict(client_secret="wrong-secret"), xpanse_options=dict(api_key="wrong-key"))
    nobody = dict(verify_exposures=CLOSED, verify_campaign_ids=["nobody-has-this"])
    # Each has a campaign of its own, because a campaign takes one operation at a time.
    cases = [
        (dict(verify_exposures=CLOSED, **wrong), True),
        (dict(verify_campaign_ids=[company.WAREHOUSE], **wrong), True),
        (dict(verify_alert_ids=[4101], **wrong), True),
        (dict(verify_campaign_filters='name sw "Fin"', **wrong), True),
        # One of two systems is enough to have lost its scans.
        (dict(verify_exposures=CLOSED, verify_campaign_ids=[company.PRIVILEGED], xpanse_options=dict(api_key="wrong-key")), True),
        (nobody, True),
        # What could be started was.
        (dict(nobody, verify_campaign_ids=["nobody-has-this", company.BADGES]), False),
        (dict(verify_campaign_ids=[company.MANAGERS]), False),
    ]
    hosts = {"case%d" % place: variables for place, (variables, _fails) in enumerate(cases)}
    output, failed = verify_each(ansible, hosts, entry_point="start", verify_fail_on=[])
    assert list(failed.values()) == [fails for _variables, fails in cases], output
    assert output.count("not one could be started") >= sum(failed.values()), output
    # What is known is written first.
    for name, fails in failed.items():
        found = evidence_of(ansible, name)
        assert found["targets"] and (found["verdict"] == "not_verified" or not fails)
    # With the right key.
    hosts = {name: {key: value for key, value in variables.items() if key not in wrong} for name, variables in hosts.items()}
    output, failed = verify_each(ansible, hosts, entry_point="start", verify_fail_on=[])
    assert [name for name in failed if failed[name]] == ["case%d" % cases.index((nobody, True))], output


@pytest.mark.parametrize("operation", ["rcs_get", "get_campaign", "get_alerts"])
def test_a_task_that_ansible_ended_leaves_evidence(ansible, simulator, operation):
    """A time limit for tasks, as an administrator sets it for all jobs."""
    simulator.control("POST", "faults", [{"operation": operation, "kind": "latency", "seconds": 600, "times": None}])
    done, found = run(
        ansible,
        verify_exposures=STILL_OPEN,
        verify_campaign_ids=[company.FINANCE],
        verify_alert_ids=[4101],
        xpanse_request_timeout=6,
        sailpoint_request_timeout=6,
        environment={"ANSIBLE_TASK_TIMEOUT": "4"},
    )
    assert done.returncode == 2 and found["verdict"] == "not_verified", done.stdout
    assert {target["outcome"] for target in found["targets"]} != {"remediated"} and len(found["targets"]) >= 2
    assert found["summary"] in done.stdout


@pytest.mark.parametrize("age", [0, " 0\n"], ids=["number", "text"])
def test_collect_says_where_nothing_that_was_started_could_count(ansible, simulator, age):
    done, found = run(ansible, playbook=ROLE, entry_point="collect", verify_exposures=CLOSED, verify_max_age=age)
    assert done.returncode == 2 and not found and simulator.log() == []
    assert "verify_max_age is 0" in done.stdout, done.stdout


# --- Where the evidence is


def tenants(ansible, *names, **variables):
    inventory = ansible.folder / "tenants.json"
    inventory.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {
                        name: {"ansible_connection": "local", "verify_exposures": CLOSED, **variables.get(name, {})}
                        for name in names
                    }
                }
            }
        )
    )
    return inventory


def test_a_limit_changes_nothing_of_where_the_evidence_is(ansible, simulator):
    inventory = tenants(ansible, "acme", "globex")
    done, _found = run(ansible, inventory=inventory, verify_hosts="all")
    assert done.returncode == 0, done.stdout
    simulator.control("DELETE", "log")
    done, found = run(ansible, "--limit", "acme", inventory=inventory, verify_hosts="all", evidence="remediation-evidence/acme")
    assert done.returncode == 0 and len(found["history"]) == 2, done.stdout
    assert not simulator.log(operation="rcs_get_or_create")
    assert {path.name for path in (ansible.folder / "remediation-evidence").iterdir()} == {"acme", "globex"}


def test_a_directory_of_an_earlier_version_goes_on(ansible, simulator):
    """It had no folder for a host that was alone."""
    done, _found = run(
        ansible,
        inventory=tenants(ansible, "acme"),
        verify_hosts="all",
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert done.returncode == 0, done.stdout
    done, _found = run(ansible, inventory=tenants(ansible, "acme"), verify_hosts="all")
    assert done.returncode == 0, done.stdout
    # Another joins it, and what is whose is known.
    inventory = tenants(ansible, "acme", "globex", acme=dict(xpanse_base_url=simulator.url))
    done, found = run(ansible, "--limit", "acme", inventory=inventory, verify_hosts="all")
    assert done.returncode == 0 and len(found["history"]) == 3, done.stdout
    assert not (ansible.folder / "remediation-evidence" / "acme").exists()
    # Nor is it mixed with another tenant's.
    with running_simulator("--scan-seconds", "0") as other:
        inventory = tenants(
            ansible, "acme", "globex", acme=dict(xpanse_base_url=simulator.url), globex=dict(xpanse_base_url=other.url)
        )
        done, found = run(ansible, inventory=inventory, verify_hosts="all")
    assert done.returncode == 0 and len(found["history"]) == 4, done.stdout
    assert (ansible.folder / "remediation-evidence" / "globex" / "latest").exists()
    assert not (ansible.folder / "remediation-evidence" / "acme").exists()


# --- Inputs as surveys give them


def test_inputs_as_a_survey_gives_them(ansible, simulator):
    survey = dict(
        verify_campaign_ids=company.PRIVILEGED,
        verify_campaign_filters=None,
        verify_alert_ids="4101\n4102\n",
        verify_case_ids="",
        verify_exposures=json.dumps(CLOSED),
        verify_wait="yes",
        verify_wait_timeout="60",
        verify_wait_interval="1",
        verify_wait_for="each",
        verify_max_age="86400",
        verify_confirm="true",
        verify_ledger=None,
        verify_evidence_dir="",
        verify_evidence_mode=None,
        verify_fail_on=None,
        verify_formats="json, csv",
        verify_controls="",
        verify_signing_key=None,
        verify_keep_runs="",
        verify_update_alerts=" none\n",
        verify_remediation_status_column="",
        verify_remediated_values=None,
        verify_open_values="",
        verify_campaign_witnesses="report, access",
        verify_campaign_agreement=None,
        verify_started="",
        verify_targets_file=None,
    )
    assert set(survey) == {name for name in options_of_the_role() if name.startswith("verify_")}
    done, found = run(ansible, **survey)
    assert done.returncode == 0 and found["verdict"] == "verified", done.stdout
    assert {target["id"] for target in found["targets"]} >= {company.PRIVILEGED} and len(found["targets"]) == 3
    # It was remembered where the default is, and not nowhere.
    assert (ansible.folder / "remediation-evidence" / "ledger.json").exists()
    nulls = dict.fromkeys(
        [
            *options_of_the_role(),
            "sailpoint_base_url",
            "sailpoint_validate_certs",
            "xpanse_api_key_type",
            "xpanse_rate_limit",
            "sailpoint_client_secret",
        ]
    )
    done, _found = run(ansible, **dict(nulls, verify_alert_ids=4101))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "variables, words",
    [
        (dict(sailpoint_ca_path="/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (dict(sailpoint_validate_certs="perhaps"), "validate_certs"),
        (dict(sailpoint_request_timeout=0), "request_timeout"),
        (dict(sailpoint_concurrency=0), "concurrency"),
        (dict(sailpoint_use_proxy="perhaps"), "use_proxy"),
        (dict(sailpoint_rate_limit=-1), "rate_limit"),
    ],
)
def test_connection_options_reach_the_modules(ansible, simulator, variables, words):
    """Also false and 0, which are no blanks."""
    done, found = run(ansible, verify_campaign_ids=[company.FINANCE], **variables)
    assert done.returncode == 2 and words in found["targets"][0]["reason"], done.stdout


# --- What stands around it

CALLBACK = '''
DOCUMENTATION = """
name: document
type: stdout
short_description: One JSON document
description: [As ansible.posix.json.]
"""
import json
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "document"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tasks = []

    def v2_runner_on_ok(self, result):
        self.tasks.append("ok")

    def v2_playbook_on_stats(self, stats):
        self._display.display(json.dumps(dict(tasks=self.tasks)))
'''


def test_progress_does_not_spoil_a_document_on_stdout(ansible, simulator):
    plugins = ansible.folder / "callbacks"
    plugins.mkdir()
    (plugins / "document.py").write_text(CALLBACK)
    environment = ansible.environment(ANSIBLE_CALLBACK_PLUGINS=str(plugins), ANSIBLE_STDOUT_CALLBACK="document")
    command = ansible.command(PLAYBOOK, verify_exposures=CLOSED, **QUICK)
    done = subprocess.run(command, cwd=ansible.folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 and json.loads(done.stdout)["tasks"], done.stdout + done.stderr
    assert "[localhost] exposures: 0 of 1 done" in done.stderr
    environment.pop("ANSIBLE_STDOUT_CALLBACK")
    simulator.control("POST", "config", {"scan_seconds": 2})
    command = ansible.command(PLAYBOOK, verify_exposures=CLOSED, verify_max_age=1, **QUICK)
    done = subprocess.run(command, cwd=ansible.folder, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert "[localhost] exposures: 0 of 1 done" in done.stdout


BECOME = {
    "keyword of the play": dict(play=dict(become=True, roles=["secops.remediation.verify"])),
    "keyword of the role": dict(play=dict(roles=[dict(role="secops.remediation.verify", become=True)])),
    "apply": dict(
        play=dict(tasks=[{"ansible.builtin.include_role": dict(name="secops.remediation.verify", apply=dict(become=True))}])
    ),
    "variable of the play": dict(play=dict(vars=dict(ansible_become=True), roles=["secops.remediation.verify"])),
    "extra variable": dict(play=dict(roles=["secops.remediation.verify"]), variables=dict(ansible_become=True)),
}


@pytest.mark.parametrize("how", BECOME)
def test_it_does_not_become(ansible, simulator, how):
    """Whoever becomes root would find no credentials in the environment, and leave evidence that is root's."""
    sudo = ansible.folder / "sudo"
    sudo.write_text("#!/bin/sh\ntouch '%s/became'\nexit 1\n" % ansible.folder)
    sudo.chmod(0o755)
    playbook = ansible.folder / "play.yml"
    playbook.write_text(json.dumps([dict(hosts="localhost", gather_facts=False, **BECOME[how]["play"])]))
    done, found = run(
        ansible,
        playbook=playbook,
        verify_exposures=CLOSED,
        verify_campaign_ids=[company.PRIVILEGED],
        ansible_become_exe=str(sudo),
        **BECOME[how].get("variables", {}),
    )
    assert done.returncode == 0 and found["verdict"] == "verified", done.stdout
    assert not (ansible.folder / "became").exists()


def test_nothing_raw_reaches_the_terminal(ansible, simulator):
    """Names as an API may give them, and a message of an error."""
    name = "Finance \x1b[31m\x07 \x9b2J \u202egnp.exe {{ 7 * 7 }}"
    simulator.control("PATCH", "campaigns/%s" % company.WAREHOUSE, dict(name=name))
    simulator.control("POST", "faults", [{"operation": "rcs_get_or_create", "kind": "status", "status": 418, "body": name}])
    done, found = run(ansible, verify_campaign_ids=[company.WAREHOUSE], verify_exposures=CLOSED)
    assert done.returncode == 2 and len(found["targets"]) == 2
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", done.stdout), ascii(done.stdout)
    # JSON doubles the backslash.
    assert r"\\u202egnp.exe {{ 7 * 7 }}" in done.stdout


def test_no_deprecated_feature_is_used(ansible, simulator):
    done, _found = run(
        ansible,
        "-vvv",
        verify_exposures=CLOSED,
        verify_campaign_ids=[company.PRIVILEGED],
        verify_alert_ids=[4101],
        environment={"ANSIBLE_DEPRECATION_WARNINGS": "true"},
    )
    assert done.returncode == 0, done.stdout
    assert "[DEPRECATION" not in done.stdout and "[WARNING]" not in done.stdout, done.stdout
