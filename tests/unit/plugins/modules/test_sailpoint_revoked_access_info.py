# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module against the simulator: each trap, each level, and how much is asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from access_record import prove
from running_simulator import running_simulator  # noqa: E402
from simulator import company  # noqa: E402

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows, read_document
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import access
from ansible_collections.secops.remediation.plugins.modules import sailpoint_revoked_access_info as module

ONE = company.WAREHOUSE


@pytest.fixture(scope="module")
def running():
    with running_simulator("--rate-limit", "0") as simulator:
        yield simulator


@pytest.fixture
def simulator(running):
    running.control("POST", "reset", {})
    running.control("POST", "config", {"rate_limit": 0, "reload_seconds": 0.05})
    return running


@pytest.fixture
def look(simulator):
    """Runs the module: look(campaign ids, options) is its result."""

    def run(*campaign_ids, client="admin", check_mode=False, **options):
        params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
        params.update(base_url=simulator.url, client_id=client + "-client", client_secret=client + "-secret")
        params.update(
            validate_certs=True, use_proxy=False, rate_limit=0, wait_interval=1, campaign_ids=list(campaign_ids or (ONE,))
        )
        params.update(options)
        task = Task(params, check_mode, warn=pytest.fail)
        result, secrets = run_task(module.run, task, module.IN_SHORT)
        assert not any(secret in json.dumps(result) for secret in secrets)
        return result

    return run


def row(case=None, number=1, **more):
    """A row of a report, and what is the matter with it."""
    held = case in ("given_again", "failed", "manual", "retry", "pending", "future", "other_grant", "value_only")
    made = dict(identity="Person %d" % number, account="person%d" % number, source="Active Directory", case=case, held=held)
    return dict(dict(made, access_type="ENTITLEMENT", access="CN=Group %d" % number, open=held), **more)


def rows(simulator, *made, **access):
    """The campaign has these revoked items, and such settings."""
    simulator.control("PATCH", "campaigns/" + ONE, {"items": list(made), "access": access})


def agrees(result):
    """Whether the record alone proves what the module says."""
    proved = prove(result["campaigns"], result["lookups"], result["revoked_items"])
    return all(
        {name: campaign[name] for name in proved[campaign["campaign_id"]]} == proved[campaign["campaign_id"]]
        for campaign in result["campaigns"]
    )


def test_the_company(look, simulator):
    result = look(company.FINANCE, ONE, company.BOARD_PORTAL, company.MANAGERS, company.ROLES)
    assert not result.get("failed"), result["msg"]
    assert [(one["outcome"], one["complete"]) for one in result["campaigns"]] == [
        ("remediated", True),
        ("unremediated", True),
        ("remediated", True),
        ("pending", False),
        ("inconclusive", False),
    ]
    assert [result["items_" + name] for name in ("total", "gone", "present", "unknown")] == [11, 9, 2, 0]
    assert {item["access"]["name"] for item in result["revoked_items"] if item["present"]} == {
        "WMS_SUPERVISOR",
        "YARD_GATE_OVERRIDE",
    }
    assert (result["changed"], result["truncated"], result["unavailable"]) == (False, False, {})
    assert agrees(result)
    # Of a campaign whose decisions are still to come, nothing more is read.
    assert not [entry for entry in simulator.log(operation="list_certifications") if entry["campaign_id"] == company.MANAGERS]


def test_the_result_is_as_documented(look):
    result = look(company.FINANCE, ONE)
    documented = yaml.safe_load(module.RETURN)
    assert set(result) == set(documented) - {"counts", "results_file", "module", "asked"} | {"changed"}
    assert set(result["campaigns"][0]) == set(documented["campaigns"]["contains"]) - {"error"}
    assert set(result["revoked_items"][0]) == set(documented["revoked_items"]["contains"])
    assert set(result["campaigns"][0]) == set(documented["campaigns"]["sample"][0]) | {"answers"}
    assert set(result["revoked_items"][0]) == set(documented["revoked_items"]["sample"][0])
    assert set(result["revoked_items"][0]["document"]) == set(documented["revoked_items"]["sample"][0]["document"])
    assert set(result["lookups"][0]) == set(documented["lookups"]["sample"][0])


TRAPS = {
    "gone": (row(), False, "neither the identity nor the certified account has it", None),
    "a role": (row(access_type="ROLE"), False, "the identity has it no more", None),
    "unknown to Search": (row("unknown"), False, "the account has it no more", None),
    "a role, unknown to Search": (row("unknown", access_type="ROLE"), None, "Search does not know the identity", None),
    "stale": (row("stale"), None, "from before the sign-off", None),
    "inactive": (row("inactive"), None, "an inactive identity leaves the nightly synchronisation", None),
    "moved": (row("moved"), False, "belongs to another identity now", None),
    "deleted": (row("deleted"), None, "no such account is listed", None),
    "future": (row("future", access_type="ROLE"), None, "is to end later", None),
    "a profile with a future": (row("future", access_type="ACCESS_PROFILE"), None, "is to end later", None),
    "left": (row("left", access_type="ROLE"), False, "of its entitlements 1 is there through another grant", None),
    "other grant": (row("other_grant"), True, "through a role or an access profile", None),
    "a role in a short list": (row("short", access_type="ROLE", held=True), None, "does not list all of its access", None),
    "only the value": (row("value_only"), True, "the certified account still has it", None),
    "given again": (row("given_again"), True, "the identity still has it", "given again at .* by role Role of the department"),
    "failed": (row("failed"), True, "the identity still has it", "its removal failed .*: The target system refused"),
    "manual": (
        row("manual"),
        True,
        "the identity still has it",
        "a manual task was made of its removal .*work item .* of Tomáš Horák is open",
    ),
    "retry": (row("retry"), True, "the identity still has it", "its removal is being retried"),
    "pending": (row("pending"), True, "the identity still has it", "its removal is pending"),
    "an account": (row(access_type="ACCOUNT"), None, "no such account is listed", None),
    "an account that is there": (dict(row(access_type="ACCOUNT"), held=True), True, "the account is still there", None),
}


@pytest.mark.parametrize(("made", "present", "reason", "why"), TRAPS.values(), ids=TRAPS)
def test_each_trap(look, simulator, made, present, reason, why):
    rows(simulator, made)
    result = look()
    (item,) = result["revoked_items"]
    assert item["present"] is present and reason in item["reason"], item
    assert (item["why"] is None) == (why is None)
    assert why is None or re.search(why, item["why"]), item["why"]
    outcome = {True: "unremediated", False: "remediated", None: "inconclusive"}[present]
    assert result["campaigns"][0]["outcome"] == outcome
    assert agrees(result)


def test_an_account_that_was_deleted_is_gone_where_others_of_its_source_are_seen(look, simulator):
    rows(simulator, row("deleted"), row(None, 2), row(None, 3, access_type="ACCOUNT"))
    result = look()
    found = {item["identity"]["name"]: item for item in result["revoked_items"]}
    assert (found["Person 1"]["present"], found["Person 1"]["seen_in"]) == (False, ["account"])
    # An item that is an account itself does not say of which source it is.
    assert found["Person 3"]["present"] is None and "no such account is listed" in found["Person 3"]["reason"]
    # Without the accounts nobody can tell it from one that belongs to somebody else now.
    assert [item["present"] for item in look(read_accounts=False)["revoked_items"]] == [None, None, False]


SETTINGS = {
    "governance groups": ({"hidden": 2}, "the list shows 10 of 12 certifications"),
    "not signed": ({"unsigned": 1}, "1 of 12 certifications are not known to be signed off"),
    "errors": ({"errors": 1}, "1 of 12 certifications have an error"),
    "the summary": ({"summary_off": 1}, "the items that were read do not add up to the summary"),
    "cut": ({"cut": 1}, "the items that were read do not add up to the summary"),
    "lost": ({"lost": 1}, "the items that were read do not add up to the summary"),
}


@pytest.mark.parametrize(("access", "reason"), SETTINGS.values(), ids=SETTINGS)
def test_what_does_not_add_up(look, simulator, access, reason):
    rows(simulator, row(), row(None, 2), **access)
    result = look()
    (campaign,) = result["campaigns"]
    assert (campaign["outcome"], campaign["complete"]) == ("inconclusive", False)
    assert reason in campaign["reason"]
    assert not result.get("failed") and agrees(result)


def test_a_role_composition_campaign(look, simulator):
    simulator.control("PATCH", "campaigns/" + ONE, {"type": "ROLE_COMPOSITION"})
    (campaign,) = look()["campaigns"]
    assert (campaign["outcome"], campaign["reason"]) == ("inconclusive", "the items of a role composition campaign are not shown")


# --- levels ---


def large(simulator, **plan):
    """The campaign is nothing but numbers."""
    plan = dict(dict(certifications=50, items=200, revoked=20, identities=600, open=0), **plan)
    wanted = {"items": [], "totalCertifications": plan["certifications"], "access": {"generated": plan}}
    simulator.control("PATCH", "campaigns/" + ONE, wanted)


def test_a_certification_administrator_is_told_once_that_accounts_are_closed(look, simulator):
    large(simulator)
    result = look(client="cert")
    assert result["campaigns"][0]["outcome"] == "remediated"
    assert list(result["unavailable"]) == ["accounts"]
    assert "HTTP 403" in result["unavailable"]["accounts"] and "idn:accounts:read" in result["unavailable"]["accounts"]
    assert len(simulator.log(operation="list_accounts")) == 1
    assert {tuple(item["seen_in"]) for item in result["revoked_items"]} == {("search",)}
    assert agrees(result)


def test_a_report_administrator_is_shown_no_certifications(look):
    result = look(client="report")
    assert result["campaigns"][0]["outcome"] == "inconclusive"
    assert "the list shows 0 of 12 certifications" in result["campaigns"][0]["reason"]


def test_a_helpdesk_user_fails(look):
    result = look(client="helpdesk")
    assert result["failed"] and "1 of 1 campaigns failed" in result["msg"] and "HTTP 403" in result["msg"]
    assert result["campaigns"][0]["outcome"] == "inconclusive"


@pytest.mark.parametrize("operation", ["decision_summary", "search"])
def test_what_is_refused_once_is_not_asked_a_thousand_times(look, simulator, operation):
    large(simulator, identities=1000)
    simulator.control("POST", "faults", [{"operation": operation, "kind": "status", "status": 403, "times": None}])
    result = look(concurrency=2, read_accounts=False, limit=0)
    assert "HTTP 403" in result["msg"]
    assert len(simulator.log(operation=operation)) < 3


def test_what_is_refused_of_one_campaign_costs_the_others_nothing(look, simulator):
    simulator.control("POST", "faults", [{"operation": "decision_summary", "kind": "status", "status": 403}])
    result = look(company.FINANCE, company.PRIVILEGED, concurrency=1)
    assert "1 of 2 campaigns failed" in result["msg"]
    assert sorted(one["outcome"] for one in result["campaigns"]) == ["inconclusive", "remediated"]


# --- how much is asked ---


@pytest.mark.parametrize("there", [0, 1])
def test_requests_for_a_thousand_items(look, simulator, there):
    large(simulator, open=there)
    result = look()
    assert result["items_total"] == 1000 and result["items_present"] == 1000 * there
    assert simulator.control("GET", "stats")["requests"] <= 130
    assert agrees(result)


def test_requests_where_each_identity_has_accounts_of_its_own(look, simulator):
    large(simulator, identities=1000)
    assert look()["items_gone"] == 1000
    assert simulator.control("GET", "stats")["requests"] <= 130


def test_limit_and_truncated(look, simulator):
    large(simulator, certifications=2, open=10)
    result = look(limit=6)
    assert [item["present"] for item in result["revoked_items"]] == [True] * 4 + [False] * 2
    assert (result["truncated"], result["items_total"]) == (True, 40)
    assert not look(limit=40)["truncated"]
    assert look(limit=0)["revoked_items"] == []


def test_the_whole_record_in_a_file(look, simulator, tmp_path):
    large(simulator, open=10)
    path = str(tmp_path / "folder" / "record.json")
    result = look(results_file=path, limit=1)
    assert "revoked_items" not in result and result["counts"]["revoked_items"] == 1000
    assert result["campaigns"] == [{name: result["campaigns"][0][name] for name in module.IN_SHORT["campaigns"]}]
    whole = json.loads(Path(path).read_text())
    assert len(whole["revoked_items"]) == 1000 and whole["truncated"] is False
    found = read_document(path, ["revoked_items"])
    assert isinstance(found["revoked_items"], Rows) and found == whole
    proved = prove(found["campaigns"], found["lookups"], found["revoked_items"])[ONE]
    assert proved["reason"] == result["campaigns"][0]["reason"]


def test_a_file_that_cannot_be_written_loses_nothing(look, tmp_path):
    (tmp_path / "file").write_text("")
    result = look(results_file=str(tmp_path / "file" / "record.json"))
    assert result["failed"] and "Cannot write results_file" in result["msg"]
    assert len(result["revoked_items"]) == 5


# --- accounts that are read again ---


def test_refresh(look, simulator):
    rows(simulator, row("stale"), row(None, 2))
    result = look(refresh=True, read_accounts=False)
    assert result["changed"] is True
    assert [item["present"] for item in result["revoked_items"]] == [False, False]
    assert result["revoked_items"][0]["seen_in"] == ["account"]
    assert len(simulator.log(operation="reload_account")) == 2
    assert agrees(result)


@pytest.mark.parametrize("ending", ["ERROR", "WARNING", "TERMINATED"])
def test_a_refresh_that_fails(look, simulator, ending):
    rows(simulator, row(), row(None, 2))
    accounts = [item["account"]["id"] for item in look()["revoked_items"]]
    simulator.control("POST", "reloads", {accounts[0]: ending})
    items = {item["account"]["id"]: item for item in look(refresh=True)["revoked_items"]}
    # What was asked for and did not come is missing, whatever Search believes.
    assert items[accounts[0]]["present"] is None and ending in items[accounts[0]]["reason"]
    assert items[accounts[1]]["present"] is False


def test_two_accounts_with_one_task(look, simulator):
    rows(simulator, row(), row(None, 2), row(None, 3))
    first = look(refresh=True)
    assert first["campaigns"][0]["outcome"] == "remediated"
    # All of them are told the task of one.
    task = next(one["body"]["id"] for one in first["lookups"] if one["path"].endswith("/reload"))
    fault = {"operation": "reload_account", "kind": "status", "status": 202, "body": {"id": task}, "times": None}
    simulator.control("POST", "faults", [fault])
    result = look(refresh=True)
    assert result["failed"] and "task %s was said to read another account, too" % task in result["msg"]
    assert (result["items_unknown"], result["campaigns"][0]["outcome"]) == (3, "inconclusive")
    assert agrees(result)


def test_a_refresh_that_never_ends(look, simulator):
    rows(simulator, row(), row(None, 2))
    account = look()["revoked_items"][0]["account"]["id"]
    simulator.control("POST", "reloads", {account: "never"})
    result = look(refresh=True, wait_timeout=2)
    assert (
        result["failed"] and account in result["msg"] and "has not finished" in result["msg"] and "again later" in result["msg"]
    )
    assert (result["items_unknown"], result["items_gone"]) == (1, 1)
    assert agrees(result)


def test_a_refresh_that_is_refused_is_said_once(look, simulator):
    rows(simulator, *[row(None, number) for number in range(1, 7)])
    result = look(refresh=True, client="cert")
    assert set(result["unavailable"]) == {"refresh", "accounts"} and not result["changed"]
    assert len(simulator.log(operation="reload_account")) == 1
    assert result["campaigns"][0]["outcome"] == "remediated"


def test_an_account_that_cannot_be_read_again(look, simulator):
    rows(simulator, row("deleted"), row(None, 2))
    result = look(refresh=True)
    assert result["failed"] and "HTTP 404" in result["msg"]
    assert sorted(str(item["present"]) for item in result["revoked_items"]) == ["False", "None"]


def test_tasks_that_cannot_be_looked_at(look, simulator):
    rows(simulator, row())
    simulator.control("POST", "faults", [{"operation": "list_tasks", "kind": "status", "status": 403, "times": None}])
    result = look(refresh=True)
    assert result["failed"] and "cannot be looked at" in result["msg"]
    assert result["revoked_items"][0]["present"] is None


def test_a_refresh_that_fails_where_accounts_cannot_be_read(look, simulator):
    rows(simulator, row(), row(None, 2))
    account = look()["revoked_items"][0]["account"]["id"]
    simulator.control("POST", "reloads", {account: "never"})
    simulator.control("POST", "faults", [{"operation": "list_accounts", "kind": "status", "status": 403, "times": None}])
    result = look(refresh=True, wait_timeout=2)
    assert set(result["unavailable"]) == {"accounts"}
    # Of the other, its identity's document decides.
    assert {item["account"]["id"] == account: item["present"] for item in result["revoked_items"]} == {True: None, False: False}


def test_check_mode_reads_nothing_again(look, simulator, tmp_path):
    result = look(refresh=True, check_mode=True, results_file=str(tmp_path / "record.json"))
    assert result["changed"] is True and simulator.log(operation="reload_account") == []
    assert result["items_total"] == 5 and not (tmp_path / "record.json").exists()
    assert look(check_mode=True)["changed"] is False


# --- versions, faults, bad input ---


@pytest.mark.parametrize("version", ["v1", "v2026", "v2025", "v2024", "v3"])
def test_every_shape_of_the_api(look, simulator, version):
    rows(simulator, row("failed"))
    result = look(api_version=version, refresh=True)
    assert (result["items_total"], result["items_present"]) == (1, 1)
    assert result["revoked_items"][0]["why"]
    paths = {entry["path"] for entry in simulator.log(operation="list_tasks")}
    assert paths == {{"v1": "/task-status/v1", "v3": "/v2024/task-status"}.get(version, "/%s/task-status" % version)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"api_version": "beta"}, "api_version beta shows no items"),
        ({"limit": -1}, "limit is -1 and must be at least 0"),
        ({"wait_interval": 0}, "wait_interval is 0 and must be at least 1"),
        ({"wait_timeout": -5}, "wait_timeout is -5 and must be at least 0"),
        ({"campaign_ids": [""]}, "campaign '': '' is no id"),
        ({"client_secret": "wrong"}, "Check client_id and client_secret"),
        ({"campaign_ids": [ONE, "nobody-has-this"]}, "no campaign has the id nobody-has-this"),
        ({"campaign_ids": [".."]}, "is no id"),
    ],
)
def test_bad_input(look, options, message):
    result = look(**options)
    assert result["failed"] and message in result["msg"]


def test_one_campaign_that_fails_costs_the_others_nothing(look):
    result = look(company.FINANCE, "nobody-has-this", company.FINANCE)
    assert "1 of 2 campaigns failed" in result["msg"]
    assert [one["outcome"] for one in result["campaigns"]] == ["remediated", "inconclusive"]
    assert "no campaign has the id" in result["campaigns"][1]["reason"]


FAULTS = {
    "a page of a proxy": {"kind": "html"},
    "nothing": {"kind": "empty"},
    "an error": {"kind": "status", "status": 500},
    "a number": {"kind": "status", "status": 200, "body": "7"},
    "another good status": {"kind": "status", "status": 203, "body": []},
}
READS = ("get_campaign", "list_certifications", "decision_summary", "list_review_items", "search", "list_accounts")


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_error_is_never_an_answer(look, simulator, operation, fault):
    simulator.control("POST", "faults", [dict(fault, operation=operation, times=None)])
    result = look(company.FINANCE, retry_timeout=0)
    assert result["failed"], (operation, fault)
    assert result["campaigns"][0]["outcome"] == "inconclusive"
    assert result["campaigns"][0]["error"] in result["campaigns"][0]["reason"]
    assert agrees(result)


def test_a_summary_that_says_nothing(look, simulator):
    fault = {"operation": "decision_summary", "kind": "status", "status": 200, "body": {}, "times": None}
    simulator.control("POST", "faults", [fault])
    (campaign,) = look(company.FINANCE)["campaigns"]
    assert campaign["outcome"] == "inconclusive"
    assert "of 12 certifications the summary of the decisions does not say how many were revoked" in campaign["reason"]


@pytest.mark.parametrize(("failing", "words"), [(1, None), (2, "; and 1 more error"), (3, "; and 2 more errors")])
def test_of_several_errors_the_first_is_told(look, simulator, failing, words):
    faults = [
        {"operation": "decision_summary", "kind": "status", "status": 422, "body": {"detailCode": "422.%d" % number}}
        for number in range(failing)
    ]
    simulator.control("POST", "faults", faults)
    (campaign,) = look(company.FINANCE, concurrency=1)["campaigns"]
    assert "422.0" in campaign["error"] and campaign["error"].endswith(words or campaign["error"])
    assert ("more error" in campaign["error"]) == (failing > 1)


@pytest.mark.parametrize("operation", ["list_certifications", "list_review_items", "search", "list_accounts"])
def test_an_empty_list_is_never_an_answer(look, simulator, operation):
    simulator.control("POST", "faults", [{"operation": operation, "kind": "status", "status": 200, "body": [], "times": None}])
    (campaign,) = look(company.PRIVILEGED)["campaigns"]
    # Without accounts, the documents are enough for a role and for entitlements.
    assert campaign["outcome"] == ("remediated" if operation == "list_accounts" else "inconclusive")


@pytest.mark.parametrize(
    ("changes", "outcome", "reason"),
    [
        (dict(status="ACTIVE", totalCertifications=13), "pending", "the campaign is ACTIVE"),
        (dict(totalCertifications=13), "inconclusive", "the campaign changed while it was looked at"),
        (dict(modified="2026-11-25T00:00:00Z"), "inconclusive", "the campaign changed while it was looked at"),
        (dict(modified=None), "inconclusive", "the campaign changed while it was looked at"),
    ],
)
def test_a_campaign_that_changes_meanwhile(look, simulator, changes, outcome, reason):
    (campaign,) = look(company.FINANCE)["campaigns"]
    assert campaign["outcome"] == "remediated"
    fault = dict(operation="get_campaign", kind="status", status=200, after=1, times=None)
    simulator.control("POST", "faults", [dict(fault, body=dict(campaign["answers"][0]["body"], **changes))])
    result = look(company.FINANCE)
    (campaign,) = result["campaigns"]
    assert (campaign["outcome"], campaign["complete"]) == (outcome, False) and reason in campaign["reason"]
    assert agrees(result)


def test_a_campaign_that_cannot_be_read_again(look, simulator):
    fault = {"operation": "get_campaign", "kind": "status", "status": 500, "after": 1, "times": None}
    simulator.control("POST", "faults", [fault])
    result = look(company.FINANCE, retry_timeout=0)
    assert result["failed"] and result["campaigns"][0]["outcome"] == "inconclusive"
    assert "the campaign was not read again after its items" in result["campaigns"][0]["reason"] and agrees(result)


@pytest.mark.parametrize(("version", "operation", "after_all"), [("v1", "list_campaigns", 1), ("next", "next_get_campaign", 2)])
def test_the_campaigns_are_read_again_last(look, simulator, version, operation, after_all):
    """Many with one request, where there is a list that shows them in full."""
    result = look(company.FINANCE, company.BOARD_PORTAL, api_version=version)
    assert [one["outcome"] for one in result["campaigns"]] == ["remediated", "remediated"], result["campaigns"]
    assert {entry["operation"] for entry in simulator.log()[-after_all:]} == {operation}
    if version == "v1":
        assert len(simulator.log(operation=operation)) == 1
    assert agrees(result)


def test_why_is_no_answer_so_it_fails_nothing(look, simulator):
    rows(simulator, row("failed"))
    simulator.control("POST", "faults", [{"operation": "list_work_items", "kind": "status", "status": 403, "times": None}])
    simulator.control("POST", "faults", [{"operation": "search", "kind": "status", "status": 403, "times": None, "after": 1}])
    result = look()
    assert not result.get("failed")
    assert set(result["unavailable"]) == {"activities", "work_items"}
    assert "sp:search:read" in result["unavailable"]["activities"]
    assert result["revoked_items"][0]["why"] is None and result["revoked_items"][0]["present"] is True


def test_the_tasks_of_the_owners_of_sources(look, simulator):
    """The work items of this user, and those of who owns the source, where somebody may read them."""
    rows(simulator, row("manual"))
    assert "work item" in look()["revoked_items"][0]["why"]
    assert ["ownerId" in entry["query"] for entry in simulator.log(operation="list_work_items")] == [False, True]
    simulator.control("DELETE", "log")
    result = look(read_accounts=False)
    # Who owns the source nobody says then.
    assert "work item" not in result["revoked_items"][0]["why"] and result["unavailable"] == {}
    simulator.control(
        "POST", "faults", [{"operation": "list_work_items", "kind": "status", "status": 403, "times": None, "after": 1}]
    )
    assert "ORG_ADMIN for those of other users" in look()["unavailable"]["work_items"]


@pytest.mark.parametrize("owners", [5, 7])
def test_of_many_owners_so_many_are_asked(look, simulator, owners):
    rows(simulator, *[row("manual", number, source="Source %d" % number) for number in range(owners)])
    shown = [
        {"id": item["account"]["id"], "sourceId": item["source"]["id"], "sourceOwner": {"id": "owner %d" % number}}
        for number, item in enumerate(look()["revoked_items"])
    ]
    simulator.control("DELETE", "log")
    simulator.control("POST", "faults", [{"operation": "list_accounts", "kind": "status", "status": 200, "body": shown}])
    result = look()
    assert len(simulator.log(operation="list_work_items")) == 6
    assert ("not of 2 more" in result["unavailable"].get("work_items", "")) == (owners == 7)


def test_more_activities_than_are_read(look, simulator, monkeypatch):
    rows(simulator, row("failed"), row("given_again", 2))
    assert look()["unavailable"] == {}
    monkeypatch.setattr(access, "MOST_ACTIVITIES", 2)
    result = look()
    assert "of which the newest were read" in result["unavailable"]["activities"]
    # The newest is the one that gave it again.
    assert {item["identity"]["name"]: item["why"] for item in result["revoked_items"]}["Person 2"].startswith("given again")


def test_more_work_items_than_are_read(look, simulator):
    rows(simulator, row("manual"))
    pages = [
        {"operation": "list_work_items", "kind": "status", "status": 200, "body": [{"id": "w%d" % number}]} for number in range(9)
    ]
    simulator.control("POST", "faults", pages)
    result = look()
    assert "the first 4 work items were read" in result["unavailable"]["work_items"]
    assert len(simulator.log(operation="list_work_items")) == 8


def test_pages_that_come_twice(look, simulator):
    large(simulator, certifications=1, items=300, revoked=300)
    first = {"operation": "list_review_items", "kind": "status", "status": 200, "times": None}
    simulator.control("POST", "faults", [dict(first, body=[{"id": "x", "decision": "APPROVE"}])])
    result = look()
    assert result["failed"] and "the same page came twice" in result["msg"]


def test_items_of_several_pages(look, simulator):
    large(simulator, certifications=2, items=600, revoked=600, identities=40, open=100)
    result = look(limit=2000)
    assert (result["items_total"], result["items_present"]) == (1200, 12)
    assert result["campaigns"][0]["complete"] and agrees(result)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_examples_run(look, tmp_path, number):
    tasks = [task for task in yaml.safe_load(module.EXAMPLES) if any("revoked_access" in name for name in task)]
    options = dict(tasks[number]["secops.remediation.sailpoint_revoked_access_info"], campaign_ids=[ONE])
    for name in ("base_url", "client_id", "client_secret"):
        del options[name]
    if "results_file" in options:
        options["results_file"] = str(tmp_path / "record.json")
    assert set(options) <= set(module.ARGUMENT_SPEC)
    result = look(**options)
    assert not result.get("failed") and result["items_present"] == 2
