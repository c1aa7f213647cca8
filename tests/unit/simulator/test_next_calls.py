# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's next generation campaigns: what its client cannot show, and what the modules' pieces make of them."""

from __future__ import annotations

import time

import pytest
import requests
from running_simulator import running_simulator
from simulator import company

from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access import RevokedAccess
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_api import NextApi
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_proof import prove_next, prove_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_report import next_campaign_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_file import read_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import REMEDIATION_STATUS_REPORT
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_words import Vocabulary

ROOT = "/certification-campaigns/v1/campaigns/"
OPTIONS = dict(
    client_id="admin-client",
    client_secret="admin-secret",
    access_token=None,
    api_version="next",
    validate_certs=True,
    ca_path=None,
    use_proxy=False,
    request_timeout=10,
    retry_timeout=10,
    concurrency=4,
    rate_limit=0,
)


@pytest.fixture(scope="module")
def process():
    """The simulator's process."""
    with running_simulator("--report-seconds", "0") as running:
        yield running


@pytest.fixture
def simulator(process):
    """The small company."""
    process.control("POST", "reset")
    return process


@pytest.fixture
def api(simulator):
    """The modules' client."""
    return NextApi(dict(OPTIONS, base_url=simulator.url))


def drive_all(generators, one_by_one=False):
    return drive(generators, 1, 30)


def witness(api, campaign_id):
    """What the access proves of a campaign, and its items."""
    found = RevokedAccess(api, drive_all, 1, 5)
    found.read_decisions([campaign_id])
    found.search_identities()
    found.read_accounts()
    found.read_campaigns_again()
    found.judge()
    return found.campaigns[campaign_id], found.first_rows(1000)


def reported(api, campaign_id, folder):
    """What the report of a campaign proves: (exchanges, SHA-256, what the file says)."""
    item = {"campaign_id": campaign_id}
    path = str(folder / "report.csv")
    assert drive([next_campaign_report(api, Ledger(None), Pace(0.1), item, REMEDIATION_STATUS_REPORT, path)], 1, 30) == [None]
    return item["answers"], item["sha256"], read_report(path, Vocabulary([], []), None, 100)


@pytest.mark.parametrize(
    ("campaign_id", "expected"),
    [(company.FINANCE, "remediated"), (company.WAREHOUSE, "unremediated"), (company.MANAGERS, "pending")],
)
def test_the_access_decides(api, campaign_id, expected):
    found, _rows = witness(api, campaign_id)
    assert (found["outcome"], found["complete"]) == (expected, expected != "pending"), found


def test_the_report_beside_it(api, tmp_path):
    found = reported(api, company.WAREHOUSE, tmp_path)
    assert prove_report(company.WAREHOUSE, *found)[0] == "unremediated"
    # By the report alone nothing is ever remediated.
    assert prove_next(company.FINANCE, *reported(api, company.FINANCE, tmp_path))[0] == "inconclusive"


@pytest.mark.parametrize("setting", ["summary_off", "unsigned", "cut", "lost"])
def test_what_does_not_add_up_is_never_remediated(simulator, api, setting):
    simulator.control("PATCH", "campaigns/" + company.FINANCE, {"access": {setting: 1}})
    found, _rows = witness(api, company.FINANCE)
    assert found["outcome"] == "inconclusive" and not found["complete"], found


def test_a_date_in_the_future(simulator, api):
    items = [
        {"identity": "Alison Gray", "account": "agray", "source": "Active Directory", "access_type": kind}
        | {"access": "Access %s" % kind, "open": True, "held": True, "case": "future"}
        for kind in ("ACCESS_PROFILE", "ROLE")
    ]
    simulator.control("PATCH", "campaigns/" + company.FINANCE, {"items": items})
    found, rows = witness(api, company.FINANCE)
    assert [row["present"] for row in rows] == [None, None]
    assert all("to end later" in row["reason"] for row in rows) and found["outcome"] == "inconclusive"


def test_who_brings_credentials_to_the_store_is_refused(simulator, api):
    report = api.create_report(company.FINANCE, REMEDIATION_STATUS_REPORT, "csv")
    time.sleep(0.05)
    path = ROOT + "%s/reports/%s" % (company.FINANCE, report["id"])
    headers = {**api.client.authentication.headers(), "X-SailPoint-Experimental": "true"}
    assert requests.get(simulator.url + path, headers=headers, timeout=10).json()["status"] == "SUCCESS"
    address = requests.get(simulator.url + path + "/download-url", headers=headers, timeout=10).json()["presignedUrl"]
    assert requests.get(address, timeout=10).status_code == 200
    for name in headers:
        assert requests.get(address, headers={name: headers[name]}, timeout=10).status_code == 400
    assert requests.get(address + "x", timeout=10).status_code == 403
    assert "Signature" not in str(simulator.log())
    assert requests.get(simulator.url + path, headers={"Authorization": headers["Authorization"]}, timeout=10).status_code == 400
    assert requests.put(simulator.url + ROOT + company.FINANCE + "/reports", headers=headers, timeout=10).status_code == 405
