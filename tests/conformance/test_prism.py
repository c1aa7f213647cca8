# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the modules, the role, and the simulator keep to SailPoint's specification, as Prism reads it.

The requests go to a gateway that counts them, from there to Prism, and from there to the simulator.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from checked import ask, token
from simulator import access, access_calls, company, next_calls
from simulator.sailpoint import SailPoint
from specification import ONLY_LATER, VERSIONS, path_in, version_of

HERE = Path(__file__).resolve().parent
MODULES = HERE / "modules.yml"
ROLE = "secops.remediation.verify"
# SailPoint's specification has none of next generation campaigns.
OPERATIONS = {operation for operation, *_paths in SailPoint.PATHS} - set(next_calls.OPERATIONS)
# A task is read in a list of them, and what happened to accounts in Search.
NOT_ASKED = {"get_task", "list_account_activities"}


def play(ansible, playbook, **variables):
    """Runs a playbook to its end, with Prism in SailPoint's place."""
    return ansible.run(playbook, environment=dict(SAIL_BASE_URL=ansible.sailpoint_url), folder=str(ansible.folder), **variables)


def rows():
    """Revoked items of every kind, and for each a row with every case that the simulator knows."""
    number = 0
    for kind in access.TYPES:
        for case in (None, *access.CASES):
            number += 1
            held = case in ("given_again", "failed", "manual", "retry", "pending", "future", "other_grant", "value_only")
            yield {
                "identity": "Person %d" % number,
                "account": "person%d" % number,
                "source": "Active Directory",
                "access_type": kind,
                "access": "CN=Group %d" % number,
                "open": held,
                "held": held,
                "case": case,
            }


def only_version(checked, version, record_property):
    """Fails where a request was for another version, or for none that is not the one for a token."""
    record_property("requests through Prism", dict(checked.by_version()))
    others = {request.path for request in checked.passed if version_of(request.path) != version} - {"/oauth/token"}
    if version == "v3":
        others = {path for path in others if not path.startswith(path_in("v2024", ONLY_LATER))}
    assert others == set() and checked.by_version()[version]


def operations(checked):
    """What was asked of the simulator."""
    return {entry["operation"] for entry in checked.simulator.log(api="sailpoint")}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_module(ansible, checked, version, record_property):
    revoked = list(rows())
    checked.simulator.control("PATCH", "campaigns/" + company.BADGES, {"items": revoked})
    done = play(
        ansible,
        MODULES,
        api_version=version,
        badges=company.BADGES,
        revoked=len(revoked),
        finance=company.FINANCE,
        managers=company.MANAGERS,
        privileged=company.PRIVILEGED,
        simulator_url=checked.simulator.url,
    )
    checked.check()
    assert done.returncode == 0, done.stdout
    only_version(checked, version, record_property)
    assert operations(checked) == OPERATIONS - NOT_ASKED
    statuses = {entry["status"] for entry in checked.simulator.log(api="sailpoint")}
    assert statuses == {200, 202, 400, 401, 403, 404, 429, 500}


def test_every_module_is_in_the_playbook():
    modules = {path.stem for path in (HERE.parents[1] / "plugins" / "modules").glob("sailpoint_*.py")}
    assert modules == set(re.findall(r"secops\.remediation\.(sailpoint_\w+):", MODULES.read_text(encoding="utf-8")))


@pytest.mark.parametrize("version", VERSIONS)
def test_role(ansible, checked, version, record_property):
    done = play(
        ansible,
        ROLE,
        sailpoint_api_version=version,
        verify_campaign_ids=list(company.CAMPAIGN_IDS),
        verify_campaign_filters='name sw "Manager Review"',
        verify_wait_interval=1,
        verify_wait_timeout=60,
    )
    checked.check()
    found = json.loads((ansible.folder / "remediation-evidence" / "latest" / "verification.json").read_text(encoding="utf-8"))
    outcomes = {target["id"]: target["outcome"] for target in found["targets"]}
    assert done.returncode == 2 and found["verdict"] == "not_verified", done.stdout
    assert outcomes[company.PRIVILEGED] == "remediated" and outcomes[company.BADGES] == "unremediated"
    only_version(checked, version, record_property)


# --- The simulator's answers to what no module asks, or not in this way


CERTIFIED = 'type eq "Certification"'


class Asking:
    """A client of one version. Keeps nothing but its token."""

    def __init__(self, checked, version, client="admin"):
        self.checked, self.version, self.bearer = checked, version, token(checked, client)

    def __call__(self, method, resource, rest="", json_body=None, status=200, **query):
        """The answer to one request, which has to come with this status."""
        query = "?" + urlencode({name.replace("_", "-"): value for name, value in query.items()}) if query else ""
        path = path_in(self.version, resource, rest) + query
        found, body = ask(self.checked.url, method, path, self.bearer, json_body=json_body)
        assert found == status, "%s %s: %s %s" % (method, path, found, body[:1000])
        return json.loads(body)


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_about_access(checked, version, record_property):
    simulator = checked.simulator
    simulator.control("POST", "config", {"rate_limit": 0, "reload_seconds": 0})
    simulator.control("PATCH", "campaigns/" + company.WAREHOUSE, {"items": list(rows())})
    asking = Asking(checked, version)
    items = []
    for certification in asking("GET", "certifications", filters='campaign.id eq "%s"' % company.WAREHOUSE, count="true"):
        asking("GET", "certifications", "/%s/decision-summary" % certification["id"])
        items += asking("GET", "certifications", "/%s/access-review-items" % certification["id"], limit=250, count="true")
    ids = sorted({item["identitySummary"]["identityId"] for item in items})
    search = {
        "indices": ["identities"],
        "query": {"query": "*"},
        "filters": {"id": {"type": "TERMS", "terms": ids}},
        "sort": ["id"],
    }
    documents = asking("POST", "search", json_body=search, limit=250, count="true")
    asking("POST", "search", json_body=dict(search, searchAfter=[documents[3]["id"]]))
    happened = dict(search, indices=["accountactivities"], filters={"recipient.id": {"type": "TERMS", "terms": ids}})
    assert asking("POST", "search", json_body=happened)
    accounts = [account["id"] for document in documents for account in document["accounts"]]
    assert asking("GET", "accounts", filters="id in (%s)" % ",".join('"%s"' % one for one in accounts[:20]), count="true")
    assert asking("GET", "accounts", filters='identityId eq "%s"' % ids[0]) is not None
    assert [one for each in ids for one in asking("GET", "account-activities", requested_for=each, filters=CERTIFIED)]
    assert asking("GET", "work-items") == []
    assert asking("GET", "work-items", ownerId=access.owner_id())
    task = asking("POST", "accounts", "/%s/reload" % accounts[0], status=202)
    asking.version = "v2024" if version == "v3" else version
    asking("GET", ONLY_LATER, "/" + task["id"])
    asking("GET", ONLY_LATER, filters='id in ("%s")' % task["id"])
    checked.check()
    only_version(checked, version, record_property)
    assert operations(checked) == {"token", *access_calls.OPERATIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_refusals_about_access(checked, version, record_property):
    admin, helpdesk = Asking(checked, version), Asking(checked, version, "helpdesk")
    admin("GET", "certifications", filters="nothing", status=400)
    admin("GET", "certifications", "/nobody/decision-summary", status=404)
    admin("GET", "certifications", "/nobody/access-review-items", status=404)
    admin("POST", "accounts", "/nobody/reload", status=404)
    admin("GET", "accounts", filters="nothing", status=400)
    admin("GET", "account-activities", filters="nothing", status=400)
    admin("POST", "search", json_body={"indices": ["identities"], "query": {"query": "name:x"}}, status=400)
    helpdesk("GET", "certifications", "/nobody/decision-summary", status=403)
    helpdesk("POST", "search", json_body={"indices": ["identities"], "query": {"query": "*"}}, status=403)
    helpdesk("GET", "account-activities", status=403)
    checked.check()
    only_version(checked, version, record_property)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_first_report_while_it_is_pending(checked, version):
    """What was wrong once: its lastRunAt was null."""
    asking = Asking(checked, version)
    asking("POST", "campaigns", "/%s/run-report/CAMPAIGN_STATUS_REPORT" % company.PRIVILEGED, status=202)
    assert [one["status"] for one in asking("GET", "campaigns", "/%s/reports" % company.PRIVILEGED)] == ["PENDING"]
    checked.check()
