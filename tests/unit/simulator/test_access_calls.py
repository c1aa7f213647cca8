# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's certifications, Search, and accounts: every answer is held against SailPoint's own specification."""

from __future__ import annotations

import copy
import functools
import time
from pathlib import Path

import jsonschema
import pytest
import requests
import yaml

TESTS = Path(__file__).resolve().parents[2]

from running_simulator import running_simulator  # noqa: E402
from simulator import access, company  # noqa: E402

SPEC = TESTS / "conformance" / "spec"
SHAPES = ("/%s/v1", "/v3/%s", "/v2024/%s", "/v2025/%s", "/v2026/%s")
DOCUMENTS = {"identity": "sailpoint_api_identitydocument", "accountactivity": "sailpoint_api_accountactivitydocument"}


@functools.cache
def specification(name):
    """One of the specifications, as JSON Schema understands it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return nullable(yaml.load((SPEC / name).read_text(encoding="utf-8"), loader))


def nullable(value):
    """OpenAPI 3.0 has a word of its own for what may be null."""
    if isinstance(value, list):
        return [nullable(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {name: nullable(inner) for name, inner in value.items()}
    if "discriminator" in made and "oneOf" in made:
        # What is of one kind is valid as the others, too, because nearly nothing is required.
        made["anyOf"] = made.pop("oneOf")
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made


def check(body, path, method="get", status="200", name="openapi-current-access.yaml"):
    """Raises an error where a body is not what the specification of a call says."""
    spec = specification(name)
    schema = spec["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    if path.startswith("/search/"):
        for document in body:
            schema = {"$ref": "#/components/schemas/" + DOCUMENTS[document["_type"]]}
            validate(document, schema, spec)
        return
    validate(body, schema, spec)


def validate(body, schema, spec):
    jsonschema.Draft7Validator({**copy.copy(schema), "components": spec["components"]}).validate(body)


class Isc:
    """The simulator as a client sees it."""

    def __init__(self, simulator):
        self.simulator, self.tokens, self.session = simulator, {}, requests.Session()
        self.session.trust_env = False

    def ask(self, method, path, client="admin", **options):
        if client not in self.tokens:
            form = {"grant_type": "client_credentials", "client_id": client + "-client", "client_secret": client + "-secret"}
            self.tokens[client] = self.session.post(self.simulator.url + "/oauth/token", data=form).json()["access_token"]
        return self.session.request(
            method, self.simulator.url + path, headers={"Authorization": "Bearer " + self.tokens[client]}, **options
        )

    def get(self, path, client="admin", **params):
        return self.ask("GET", path, client, params={name.replace("_", "-"): value for name, value in params.items()})

    def search(self, ids, client="admin", index="identities", **more):
        field = "id" if index == "identities" else "recipient.id"
        body = {"indices": [index], "query": {"query": "*"}, "filters": {field: {"type": "TERMS", "terms": ids}}, **more}
        return self.ask("POST", "/search/v1", client, json=body, params={"count": "true"})

    def certifications(self, campaign_id):
        return self.get("/certifications/v1", filters='campaign.id eq "%s"' % campaign_id, count="true")

    def revoked(self, campaign_id):
        """All revoked items of a campaign."""
        found = []
        for certification in self.certifications(campaign_id).json():
            items = self.get("/certifications/v1/%s/access-review-items" % certification["id"]).json()
            found += [item for item in items if item["decision"] == "REVOKE"]
        return found


@pytest.fixture(scope="module")
def running():
    with running_simulator("--scan-seconds", "0.2", "--report-seconds", "0.1") as simulator:
        yield simulator


@pytest.fixture
def isc(running):
    running.control("POST", "reset", {})
    running.control("POST", "config", {"rate_limit": 0, "scan_seconds": 0.1, "report_seconds": 0.1, "reload_seconds": 0.1})
    return Isc(running)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_call_answers_as_specified_in_every_shape(isc, shape):
    isc.simulator.control("PATCH", "campaigns/" + company.WAREHOUSE, {"items": [row("manual"), row("given_again", 2)]})
    certifications = isc.get(shape % "certifications", filters='campaign.id eq "%s"' % company.WAREHOUSE).json()
    check(certifications, "/certifications/v1")
    path = shape % "certifications" + "/" + certifications[0]["id"]
    check(isc.get(path + "/decision-summary").json(), "/certifications/v1/{id}/decision-summary")
    items = isc.get(path + "/access-review-items").json()
    check(items, "/certifications/v1/{id}/access-review-items")
    identity = items[0]["identitySummary"]["identityId"]
    account = items[0]["accessSummary"]["entitlement"]["account"]["id"]
    body = {"indices": ["identities"], "query": {"query": "id:" + identity}}
    documents = isc.ask("POST", shape % "search", json=body).json()
    assert [one["id"] for one in documents] == [identity]
    check(documents, "/search/v1", "post")
    accounts = isc.get(shape % "accounts", filters='id in ("%s")' % account).json()
    assert [one["id"] for one in accounts] == [account]
    check(accounts, "/accounts/v1")
    activities = isc.get(shape % "account-activities", requested_for=identity, filters='type eq "Certification"').json()
    assert activities[0]["items"][0]["provisioningStatus"] == "PENDING"
    check(activities, "/account-activities/v1")
    work = isc.get(shape % "work-items", ownerId=accounts[0]["sourceOwner"]["id"]).json()
    assert (
        work[0]["remediationItems"][0]["nativeIdentity"] == items[0]["accessSummary"]["entitlement"]["account"]["nativeIdentity"]
    )
    check(work, "/work-items/v1")
    answer = isc.ask("POST", shape % "accounts" + "/%s/reload" % account)
    assert answer.status_code == 202
    check(answer.json(), "/accounts/v1/{id}/reload", "post", "202")
    if shape != "/v3/%s":
        task = isc.get(shape % "task-status" + "/" + answer.json()["id"]).json()
        check(task, "/task-status/v1/{id}", name="openapi.yaml")
        listed = isc.get(shape % "task-status", filters='id in ("%s")' % answer.json()["id"]).json()
        assert [one["id"] for one in listed] == [task["id"]]
        check(listed, "/task-status/v1", name="openapi.yaml")


def row(case=None, number=1, **more):
    """A row of a report, and what is the matter with it."""
    held = case in ("given_again", "failed", "manual", "retry", "pending", "future", "other_grant", "value_only")
    return {
        "identity": "Person %d" % number,
        "account": "person%d" % number,
        "source": "Active Directory",
        "access_type": "ENTITLEMENT",
        "access": "CN=Group %d" % number,
        "open": held,
        "held": held,
        "case": case,
        **more,
    }


def with_row(isc, *rows, **settings):
    """The warehouse's campaign, with these items only."""
    isc.simulator.control("PATCH", "campaigns/" + company.WAREHOUSE, {"items": list(rows), "access": settings})
    return isc.revoked(company.WAREHOUSE)


def holds(document, item):
    """Whether the document lists the access, and whether the account has the value; None without the account."""
    wanted = item["accessSummary"]
    account = next((one for one in document["accounts"] if one["id"] == wanted["entitlement"]["account"]["id"]), None)
    return (
        any(one["id"] == wanted["access"]["id"] for one in document["access"]),
        account and wanted["entitlement"]["attributeValue"] in account["entitlementAttributes"]["memberOf"],
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (None, (False, False)),
        ("failed", (True, True)),
        ("other_grant", (True, True)),
        ("value_only", (False, True)),
        ("moved", (False, None)),
        ("deleted", (False, None)),
        ("stale", (False, False)),
    ],
)
def test_each_case_is_in_the_identity_document(isc, case, expected):
    (item,) = with_row(isc, row(case))
    (document,) = isc.search([item["identitySummary"]["identityId"]]).json()
    check([document], "/search/v1", "post")
    assert holds(document, item) == expected
    signed = isc.certifications(company.WAREHOUSE).json()[0]["signed"]
    assert (document["synced"] > signed) == (case != "stale")


def test_an_identity_that_search_does_not_know(isc):
    (item,) = with_row(isc, row("unknown"))
    answer = isc.search([item["identitySummary"]["identityId"]])
    assert (answer.json(), answer.headers["X-Total-Count"]) == ([], "0")


def test_an_inactive_identity_has_left_the_sync(isc):
    (item,) = with_row(isc, row("inactive"))
    (document,) = isc.search([item["identitySummary"]["identityId"]]).json()
    assert document["inactive"] and document["synced"] < isc.certifications(company.WAREHOUSE).json()[0]["signed"]


def test_an_account_that_moved_and_one_that_is_gone(isc):
    moved, gone = with_row(isc, row("moved"), row("deleted", 2))
    ids = [item["accessSummary"]["entitlement"]["account"]["id"] for item in (moved, gone)]
    found = isc.get("/accounts/v1", filters='id in ("%s", "%s")' % tuple(ids)).json()
    assert [one["id"] for one in found] == ids[:1]
    assert found[0]["identityId"] != moved["identitySummary"]["identityId"]


@pytest.mark.parametrize("kind", ["ROLE", "ACCESS_PROFILE"])
def test_a_date_to_come_and_what_is_left_of_a_role(isc, kind):
    future, left = with_row(isc, row("future", access_type=kind), row("left", 2, access_type=kind))
    whole = future["accessSummary"]["role" if kind == "ROLE" else "accessProfile"]
    assert whole["endDate"] > time.strftime("%Y-%m-%d")
    check([future, left], "/certifications/v1/{id}/access-review-items")
    (document,) = isc.search([left["identitySummary"]["identityId"]]).json()
    check([document], "/search/v1", "post")
    whole = left["accessSummary"]["role" if kind == "ROLE" else "accessProfile"]
    brought = (whole["accessProfiles"][0] if kind == "ROLE" else whole)["entitlements"]
    assert [one["id"] for one in document["access"]] == [brought[0]["id"]]
    assert document["access"][0]["standalone"] is False


def test_a_list_that_leaves_certifications_of_governance_groups_out(isc):
    with_row(isc, row(), hidden=3)
    answer = isc.certifications(company.WAREHOUSE)
    campaign = isc.get("/campaigns/v1/" + company.WAREHOUSE, detail="FULL").json()
    assert (len(answer.json()), answer.headers["X-Total-Count"], campaign["totalCertifications"]) == (9, "9", 12)


def test_a_summary_that_does_not_add_up_and_lists_that_are_cut(isc):
    with_row(isc, row(), summary_off=1, cut=1)
    certification = isc.certifications(company.WAREHOUSE).json()[0]["id"]
    summary = isc.get("/certifications/v1/%s/decision-summary" % certification).json()
    answer = isc.get("/certifications/v1/%s/access-review-items" % certification, count="true")
    assert (summary["entitlementsRevoked"], summary["entitlementsApproved"]) == (2, 2)
    assert (len(answer.json()), answer.headers["X-Total-Count"]) == (2, "3")


def test_a_role_composition_campaign_gives_no_items(isc):
    isc.simulator.control("PATCH", "campaigns/" + company.WAREHOUSE, {"type": "ROLE_COMPOSITION"})
    assert isc.revoked(company.WAREHOUSE) == []


def test_search_pages_filters_and_trims(isc):
    rows = [row(None, number) for number in range(1, 8)]
    ids = sorted(item["identitySummary"]["identityId"] for item in with_row(isc, *rows))
    body = dict(sort=["id"], queryResultFilter={"includes": ["id", "accounts.id"]})
    first = isc.ask(
        "POST",
        "/search/v1",
        json={"indices": ["identities"], "query": {"query": "*"}, "filters": {"id": {"type": "TERMS", "terms": ids}}, **body},
        params={"limit": 4, "count": "true"},
    )
    assert [one["id"] for one in first.json()] == ids[:4]
    assert first.headers["X-Total-Count"] == "7"
    assert set(first.json()[0]) == {"_type", "_version", "id", "accounts"}
    assert set(first.json()[0]["accounts"][0]) == {"id"}
    assert [one["id"] for one in isc.search(ids, searchAfter=[ids[3]], **body).json()] == ids[4:]
    assert isc.search(["x"] * 801).status_code == 400
    assert isc.ask("POST", "/search/v1", json={"indices": ["identities"]}).status_code == 400


def test_activities_in_search(isc):
    failed, given = with_row(isc, row("failed"), row("given_again", 2))
    ids = [item["identitySummary"]["identityId"] for item in (failed, given)]
    found = isc.search(ids, index="accountactivities").json()
    check(found, "/search/v1", "post")
    said = {(one["recipient"]["id"], one["accountRequests"][0]["attributeRequests"][0]["op"]) for one in found}
    assert said == {(ids[0], "Remove"), (ids[1], "Remove"), (ids[1], "Add")}
    none = {"created": {"type": "RANGE", "range": {"lower": {"value": "2999-01-01"}}}}
    answer = isc.ask("POST", "/v3/search", json={"indices": ["accountactivities"], "query": {"query": "*"}, "filters": none})
    assert answer.json() == []


def test_levels(isc):
    certification = isc.certifications(company.FINANCE).json()[0]["id"]
    calls = {
        "/certifications/v1/%s/decision-summary" % certification: {"admin", "cert"},
        "/certifications/v1/%s/access-review-items" % certification: {"admin", "cert"},
        "/accounts/v1": {"admin", "helpdesk"},
        "/account-activities/v1": {"admin"},
    }
    for path, allowed in calls.items():
        for client in ("admin", "cert", "report", "helpdesk"):
            assert isc.get(path, client).status_code == (200 if client in allowed else 403), (path, client)
    assert isc.search([], "report").status_code == 200
    assert isc.search([], "helpdesk").status_code == 403
    # Whoever reviews nothing is not told that there is something.
    assert isc.get("/certifications/v1", "report").json() == []
    assert isc.get("/work-items/v1", "cert", ownerId="x").status_code == 403


def test_work_items_are_those_of_an_owner(isc):
    """Of others only who administers all, and only one owner at a time (documented)."""
    isc.simulator.control("PATCH", "campaigns/" + company.WAREHOUSE, {"items": [row("manual")]})
    owned = isc.get("/work-items/v1", ownerId=access.owner_id()).json()
    assert [one["ownerId"] for one in owned] == [access.owner_id()]
    assert isc.get("/work-items/v1").json() == isc.get("/work-items/v1", ownerId="somebody").json() == []
    assert isc.get("/work-items/v1", "cert").json() == []
    assert isc.get("/work-items/v1", "cert", ownerId=access.owner_id()).status_code == 403


def test_beta_has_another_filter_and_no_items(isc):
    found = isc.get("/beta/certifications", filters='campaignRef.id eq "%s"' % company.FINANCE).json()
    assert len(found) == 12
    assert isc.get("/beta/certifications", filters='campaign.id eq "x"').status_code == 400
    assert isc.get("/beta/certifications/%s/access-review-items" % found[0]["id"]).status_code == 404


def test_reloads_end_as_they_are_told(isc):
    items = with_row(isc, row(), row(None, 2), row(None, 3))
    accounts = [item["accessSummary"]["entitlement"]["account"]["id"] for item in items]
    isc.simulator.control("POST", "reloads", {accounts[1]: "ERROR", accounts[2]: "never"})
    tasks = [isc.ask("POST", "/accounts/v1/%s/reload" % one).json()["id"] for one in accounts]
    before = isc.get("/accounts/v1", filters='id in ("%s")' % accounts[0]).json()[0]["modified"]
    time.sleep(0.2)
    statuses = [isc.get("/task-status/v1/" + task).json()["completionStatus"] for task in tasks]
    assert statuses == ["SUCCESS", "ERROR", None]
    assert isc.get("/accounts/v1", filters='id in ("%s")' % accounts[0]).json()[0]["modified"] > before
    assert isc.ask("POST", "/accounts/v1/nobody/reload").status_code == 404


def test_report_and_identity_agree_after_a_scan(isc):
    items = isc.revoked(company.WAREHOUSE)
    ids = sorted({item["identitySummary"]["identityId"] for item in items})
    documents = {one["id"]: one for one in isc.search(ids).json()}
    there = {
        item["accessSummary"]["access"]["name"]
        for item in items
        if any(
            one["id"] == item["accessSummary"]["access"]["id"]
            for one in documents[item["identitySummary"]["identityId"]]["access"]
        )
    }
    isc.ask("POST", "/campaigns/v1/%s/run-remediation-scan" % company.WAREHOUSE)
    time.sleep(0.3)
    state = isc.simulator.control("GET", "state")["campaigns"][company.WAREHOUSE]
    assert there == {item["access"] for item in state["items"] if item["open"]} == {"WMS_SUPERVISOR", "YARD_GATE_OVERRIDE"}


def test_a_large_company_is_numbers_only(isc):
    plan = {"certifications": 1000, "items": 200, "revoked": 200, "identities": 20000, "open": 1000}
    isc.simulator.control("PATCH", "campaigns/" + company.FINANCE, {"totalCertifications": 1000, "access": {"generated": plan}})
    last = isc.get("/certifications/v1", filters='campaign.id eq "%s"' % company.FINANCE, offset=750, count="true")
    assert (len(last.json()), last.headers["X-Total-Count"]) == (250, "1000")
    items = isc.get("/certifications/v1/%s/access-review-items" % last.json()[-1]["id"]).json()
    check(items[:2], "/certifications/v1/{id}/access-review-items")
    assert len({item["id"] for item in items}) == 200
    (document,) = isc.search([items[0]["identitySummary"]["identityId"]]).json()
    check([document], "/search/v1", "post")
    account = items[0]["accessSummary"]["entitlement"]["account"]["id"]
    assert isc.get("/accounts/v1", filters='id eq "%s"' % account).json()[0]["id"] == account


@pytest.mark.parametrize("wanted", [{"nonsense": 1}, 7])
def test_settings_that_there_are_not(isc, wanted):
    answer = requests.patch(isc.simulator.url + "/_sim/campaigns/" + company.FINANCE, json={"access": wanted}, timeout=5)
    assert answer.status_code == 400


def test_every_case_is_one_of_the_simulator(isc):
    assert set(access.RESULTS) <= set(access.CASES)
