# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role with the two witnesses of a campaign: its report, and the access itself."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import jsonschema
import pytest
import yaml
from simulator import company

PLAYBOOK = "secops.remediation.verify"
CHECK = "secops.remediation.verify_evidence"
HERE = Path(__file__).resolve().parent
ROLE = HERE / "role.yml"
DEMO = HERE.parent / "demo"
SCHEMA = json.loads((HERE.parents[1] / "docs" / "schemas" / "verification-1.2.schema.json").read_text())
QUICK = dict(verify_wait_interval=1, verify_wait_timeout=60, verify_fail_on=[])
STARTS = ("run_scan", "run_report", "rcs_get_or_create")
LOOKS = ("list_certifications", "decision_summary", "list_review_items", "search", "list_accounts")


class Found:
    """A run that has ended, and its targets by their ids."""

    def __init__(self, done, folder):
        self.status, self.output, self.folder = done.returncode, done.stdout, folder
        assert "Traceback" not in done.stdout and "[WARNING]" not in done.stdout, done.stdout
        file = folder / "verification.json"
        self.content = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if self.content:
            jsonschema.validate(self.content, SCHEMA, jsonschema.Draft202012Validator)
            assert self.content["replay"] == dict.fromkeys(("followed", "total"), self.content["counts"]["total"])
        self.targets = {target["id"]: target for target in self.content.get("targets", ())}
        self.outcomes = {name: target["outcome"] for name, target in self.targets.items()}

    def said(self, name):
        """What each witness said of a target."""
        return {one["name"]: one["outcome"] for one in self.targets[name]["witnesses"]}

    def reason(self, name):
        return self.targets[name]["reason"]


def verify(ansible, *options, playbook=PLAYBOOK, **variables):
    variables = {**QUICK, "verify_evidence_dir": str(ansible.folder / "evidence"), **variables}
    return Found(ansible.run(playbook, *options, **variables), (ansible.folder / "evidence" / "latest").resolve())


def asked(simulator, *operations):
    return [entry["operation"] for entry in simulator.log() if entry["operation"] in operations]


ALL_CASES = dict(
    verify_campaign_ids=[company.FINANCE, company.BADGES, company.HAMBURG, company.VENDORS, company.SALES, company.BOARD_PORTAL]
)


def test_what_two_witnesses_say_and_again(ansible, simulator):
    run = verify(ansible, **ALL_CASES)
    assert run.outcomes == {
        company.FINANCE: "remediated",
        company.BADGES: "unremediated",
        company.HAMBURG: "unremediated",
        company.VENDORS: "unremediated",
        company.SALES: "remediated",
        company.BOARD_PORTAL: "remediated",
    }, run.output
    # They agree.
    assert run.said(company.FINANCE) == dict(report="remediated", access="remediated")
    assert run.said(company.BADGES) == dict(report="unremediated", access="unremediated")
    assert "6 of 6 items remediated; 6 of 6 revoked items are gone from the identities, as of 2" in run.reason(company.FINANCE)
    assert run.reason(company.BOARD_PORTAL) == "the report lists no revoked item; nothing was revoked"
    # The report is not understood, or could not be had.
    assert run.said(company.HAMBURG) == dict(report="inconclusive", access="unremediated")
    assert run.said(company.SALES) == dict(report="inconclusive", access="remediated")
    assert "; the report gave no answer (" in run.reason(company.SALES) and "so there is one witness" in run.reason(company.SALES)
    assert (
        "verify_remediation_status_column 'Bearbeitungsstand' with 'Vollzogen' = remediated, 'Schwebend' = open would fit the "
        "access: 3 of 3 rows agree" in run.reason(company.HAMBURG)
    )
    # They disagree, and both are shown.
    assert run.said(company.VENDORS) == dict(report="remediated", access="unremediated")
    said = run.reason(company.VENDORS)
    assert said.startswith("the access: 1 of 3 revoked items is still there")
    assert said.endswith("; the report: 3 of 3 items remediated"), said
    (item,) = run.targets[company.VENDORS]["access"]["open_items"]
    assert item["Access"] == "SUPPLIER_BANK_DATA" and "Role of the department" in item["Why"]
    assert all(run.targets[name]["access"]["as_of"] for name in (company.FINANCE, company.BADGES))

    # Again: everything is looked at, nothing is started, and there is no news.
    simulator.control("DELETE", "log")
    again = verify(ansible, **ALL_CASES)
    assert again.outcomes == run.outcomes and "changed=0" in again.output, again.output
    assert not asked(simulator, *STARTS) and set(asked(simulator, *LOOKS)) == set(LOOKS)

    check = ansible.run(CHECK, evidence_dir=str(ansible.folder / "evidence"))
    assert check.returncode == 0 and "6 of 6 outcomes follow from the answers on record" in check.stdout, check.stdout


def test_what_the_demo_shows(ansible, simulator, capsys):
    """A report that is not understood, answered by the second witness in both ways; and two witnesses that disagree."""
    demo = runpy.run_path(str(DEMO / "run"), run_name="demo")
    demo["prepare"](simulator)
    wanted = yaml.safe_load((DEMO / "targets.yml").read_text(encoding="utf-8"))["verify_campaign_ids"]
    run = verify(ansible, verify_campaign_ids=wanted)
    assert (run.outcomes[company.PRIVILEGED], run.outcomes[company.HAMBURG]) == ("remediated", "unremediated")
    assert run.said(company.PRIVILEGED) == dict(report="inconclusive", access="remediated")
    assert run.said(company.HAMBURG) == dict(report="inconclusive", access="unremediated")
    assert run.said(company.VENDORS) == dict(report="remediated", access="unremediated")
    assert run.reason(company.PRIVILEGED).startswith("4 of 4 revoked items are gone from the identities, as of 2")
    assert "; the report was not understood (" in run.reason(company.PRIVILEGED)
    demo["explain"](run.content, [], False)
    said = capsys.readouterr().out
    alone = said.partition("Remediated on the word of one witness:")[2]
    assert "campaign Privileged Access Review" in alone and "Finance Systems Review" not in said
    assert "the access: Identity: 田中 美咲" in said and "the report: Identity: Jiří Novák" in said


def test_all_have_to_agree(ansible, simulator):
    run = verify(ansible, verify_campaign_agreement="all", **ALL_CASES)
    assert run.outcomes == {
        company.FINANCE: "remediated",
        company.BADGES: "unremediated",
        company.HAMBURG: "unremediated",
        company.VENDORS: "unremediated",
        company.SALES: "inconclusive",
        company.BOARD_PORTAL: "remediated",
    }
    assert run.reason(company.SALES).startswith("both have to say so; the report: ")


def test_who_may_not_read_certifications_has_one_witness(ansible, simulator):
    run = verify(
        ansible,
        verify_campaign_ids=[company.FINANCE, company.HAMBURG],
        environment=dict(SAIL_CLIENT_ID="report-client", SAIL_CLIENT_SECRET="report-secret"),
    )
    assert run.outcomes == {company.FINANCE: "remediated", company.HAMBURG: "inconclusive"}, run.output
    assert "; the access gave no answer (the list shows 0 of 12 certifications" in run.reason(company.FINANCE)
    assert "the report: " in run.reason(company.HAMBURG) and "the access: the list shows 0 of 12" in run.reason(company.HAMBURG)


@pytest.mark.parametrize("operation, hamburg", [("list_certifications", "inconclusive"), ("search", "unremediated")])
def test_an_outage_of_the_second_witness_costs_the_first_one_nothing(ansible, simulator, operation, hamburg):
    """Without Search, the account itself still has it."""
    simulator.control("POST", "faults", [dict(operation=operation, kind="status", status=403, times=None)])
    run = verify(ansible, verify_campaign_ids=[company.FINANCE, company.HAMBURG])
    assert run.outcomes == {company.FINANCE: "remediated", company.HAMBURG: hamburg}, run.output
    assert "so there is one witness" in run.reason(company.FINANCE) and "403" in run.reason(company.HAMBURG)


def test_only_the_access_is_asked(ansible, simulator):
    only = dict(verify_campaign_witnesses="access", **ALL_CASES)
    start = verify(ansible, playbook=ROLE, entry_point="start", **only)
    assert start.status == 0 and set(start.outcomes.values()) == {"pending"}, start.output
    assert start.reason(company.FINANCE) == "the access has not been looked at yet"
    assert not asked(simulator, *STARTS, *LOOKS)
    run = verify(ansible, playbook=ROLE, entry_point="collect", **only)
    assert run.outcomes[company.FINANCE] == run.outcomes[company.SALES] == "remediated", run.output
    assert run.outcomes[company.VENDORS] == run.outcomes[company.HAMBURG] == run.outcomes[company.BADGES] == "unremediated"
    assert run.reason(company.FINANCE).startswith("6 of 6 revoked items are gone from the identities, as of 2")
    assert not asked(simulator, *STARTS)


def test_only_the_report_is_asked(ansible, simulator):
    run = verify(ansible, verify_campaign_witnesses=["report"], verify_campaign_ids=[company.VENDORS])
    assert run.outcomes == {company.VENDORS: "remediated"} and "access" not in run.targets[company.VENDORS]
    assert not asked(simulator, *LOOKS)


def test_check_mode_looks_and_starts_nothing(ansible, simulator):
    run = ansible.run(PLAYBOOK, "--check", verify_evidence_dir=str(ansible.folder / "evidence"), **QUICK, **ALL_CASES)
    assert run.returncode == 0 and "Traceback" not in run.stdout, run.stdout
    assert not asked(simulator, *STARTS) and set(asked(simulator, *LOOKS)) == set(LOOKS)
    assert "unremediated: campaign Vendor Portal Review" in run.stdout and not (ansible.folder / "evidence").exists()


@pytest.mark.parametrize(
    "variables, words",
    [
        (dict(verify_campaign_witnesses=["acces"]), "value of verify_campaign_witnesses must be one or more of: report, access"),
        (dict(verify_campaign_witnesses=[]), "verify_campaign_witnesses is empty: name at least one of report, access."),
        (dict(verify_campaign_agreement="both"), "value of verify_campaign_agreement must be one of: one, all"),
    ],
)
def test_who_is_asked_is_checked_before_anything_is_started(ansible, simulator, variables, words):
    done = ansible.run(PLAYBOOK, verify_campaign_ids=[company.FINANCE], **QUICK, **variables)
    assert done.returncode == 2 and words in done.stdout and "Nothing was started" in done.stdout, done.stdout
    assert simulator.log() == []


# How a play of one's own asks for them.
OPTIONS_OF_NEXT = dict(sailpoint_options=dict(api_version="next"))


class TestNext:
    """Next generation campaigns, which have no remediation scan."""

    OF_NEXT = dict(sailpoint_api_version="next", verify_campaign_ids=[company.FINANCE, company.WAREHOUSE, company.MANAGERS])

    def test_the_access_decides(self, ansible, simulator):
        run = verify(ansible, **self.OF_NEXT)
        assert run.outcomes == {
            company.FINANCE: "remediated",
            company.WAREHOUSE: "unremediated",
            company.MANAGERS: "pending",
        }, run.output
        assert not asked(simulator, "run_scan") and not [one for one in simulator.log() if "run-report" in one["path"]]
        no_scan = "there is no remediation scan for a next generation campaign"
        assert no_scan in run.reason(company.FINANCE) and "so there is one witness" in run.reason(company.FINANCE)
        assert run.said(company.FINANCE) == dict(report="inconclusive", access="remediated")
        assert run.targets[company.FINANCE]["report"]["reportType"] == "REMEDIATION"
        check = ansible.run(CHECK, evidence_dir=str(ansible.folder / "evidence"))
        assert check.returncode == 0 and "3 of 3 outcomes follow from the answers on record" in check.stdout, check.stdout
        # Whoever has the address of a file has the file.
        assert "presigned" not in "".join(path.read_text() for path in run.folder.rglob("*.html"))
        again = verify(ansible, **self.OF_NEXT)
        assert again.outcomes == run.outcomes and "changed=0" in again.output, again.output

    def test_the_play_of_the_documentation(self, ansible, simulator):
        page = (HERE.parents[1] / "docs" / "revoked-access.md").read_text(encoding="utf-8")
        (play,) = (text for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "api_version: next" in text)
        file = ansible.folder / "verify-next-campaigns.yml"
        file.write_text(play.replace("2c918086719eec070171a7e3355a360a", company.WAREHOUSE), encoding="utf-8")
        run = Found(
            ansible.run(str(file), verify_wait_interval=1), (ansible.folder / "remediation-evidence" / "latest").resolve()
        )
        assert run.status == 2 and run.outcomes == {company.WAREHOUSE: "unremediated"}, run.output
        assert run.said(company.WAREHOUSE) == dict(report="unremediated", access="unremediated")
        assert {entry["operation"][:5] for entry in simulator.log(api="sailpoint")} >= {"next_"} and not asked(simulator, *STARTS)

    def test_nothing_is_remediated_by_the_report_alone(self, ansible, simulator):
        run = verify(ansible, verify_campaign_witnesses=["report"], **self.OF_NEXT)
        assert run.outcomes[company.FINANCE] == "inconclusive" and run.outcomes[company.WAREHOUSE] == "unremediated", run.output

    def test_there_is_nothing_to_start(self, ansible, simulator):
        start = verify(ansible, playbook=ROLE, entry_point="start", **self.OF_NEXT, **OPTIONS_OF_NEXT)
        assert start.status == 0 and set(start.outcomes.values()) == {"pending"}, start.output
        assert not asked(simulator, *STARTS, *LOOKS)
        collect = verify(ansible, playbook=ROLE, entry_point="collect", **self.OF_NEXT, **OPTIONS_OF_NEXT)
        assert collect.outcomes[company.FINANCE] == "remediated", collect.output
