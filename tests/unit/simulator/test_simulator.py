# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator over HTTP: every other test builds on what is checked here."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import secrets
import signal
import socket
import string
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from running_simulator import running_simulator, running_tenants
from simulator import company

TESTS = Path(__file__).resolve().parents[2]

# Long enough for a slow machine: what runs is ended by finish(), not waited for.
RUNNING = 30
RCS = "/public_api/v1/remediation_confirmation_scanning/requests/"
ALERTS = "/public_api/v2/alerts/get_alerts_multi_events/"
UPDATE = "/public_api/v1/alerts/update_alerts/"
INCIDENT = "/public_api/v1/incidents/get_incident_extra_data/"
REMEDIATION = company.REMEDIATION_REPORT
ADVANCED = {"1": "advanced-key", "3": "readonly-key", "4": "nolicence-key"}


def signed(key_id="1", key=None, nonce=None, milliseconds=None, **changes):
    """The headers of an advanced key."""
    nonce = nonce or "".join(secrets.choice(string.ascii_letters + string.digits) for _each in range(64))
    timestamp = str(milliseconds or int(time.time() * 1000))
    signature = hashlib.sha256(((key or ADVANCED[key_id]) + nonce + timestamp).encode()).hexdigest()
    return {"x-xdr-auth-id": key_id, "x-xdr-nonce": nonce, "x-xdr-timestamp": timestamp, "Authorization": signature, **changes}


def filters(operator="EQ", **values):
    return {
        "request_data": {"filters": [{"field": name, "operator": operator, "value": value} for name, value in values.items()]}
    }


class Client:
    """Both APIs of a simulator, as a test wants to call them."""

    def __init__(self, simulator):
        self.simulator = simulator
        self.url = simulator.url
        self.control = simulator.control
        self.session = requests.Session()
        self.session.trust_env = False
        self.tokens = {}

    def ask_token(self, client_id="admin-client", client_secret=None, **changes):
        secret = client_secret or client_id.replace("-client", "-secret")
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **changes}
        return self.session.post(self.url + "/oauth/token", data=form)

    def isc(self, method, path, client="admin-client", **options):
        if client not in self.tokens:
            self.tokens[client] = self.ask_token(client).json()["access_token"]
        headers = {"Authorization": "Bearer " + self.tokens[client], **options.pop("headers", {})}
        return self.session.request(method, self.url + path, headers=headers, **options)

    def modified(self, campaign_id):
        answer = self.isc("GET", "/campaigns/v1/" + campaign_id, params={"detail": "FULL"})
        return answer.json()["modified"]

    def report(self, campaign_id, kind=REMEDIATION):
        reports = self.isc("GET", "/campaigns/v1/%s/reports" % campaign_id).json()
        return next((one for one in reports if one["reportType"] == kind), None)

    def run(self, campaign_id, what):
        return self.isc("POST", "/campaigns/v1/%s/%s" % (campaign_id, what))

    def finish(self):
        """Ends everything that runs."""
        self.control("POST", "config", {"scan_seconds": 0, "report_seconds": 0})
        self.control("POST", "config", {"scan_seconds": RUNNING, "report_seconds": RUNNING})

    def scan(self, campaign_id):
        assert self.run(campaign_id, "run-remediation-scan").status_code == 202
        self.finish()

    def rows(self, campaign_id):
        """Runs the remediation report and reads it."""
        assert self.run(campaign_id, "run-report/" + REMEDIATION).status_code == 202
        self.finish()
        answer = self.download(self.report(campaign_id)["id"])
        return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))

    def download(self, report_id, accept="*/*", **query):
        return self.isc("GET", "/reports/v1/" + report_id, params=query, headers={"Accept": accept})

    def xpanse(self, path, body=None, headers=None, **options):
        return self.session.post(self.url + path, json=body or {}, headers=headers or signed(), **options)

    def start(self, exposure, **options):
        return self.xpanse(RCS + "get_or_create/", filters(**exposure), **options)

    def look(self, scan_id, **options):
        return self.xpanse(RCS + "get/", filters(id=scan_id), **options)


@pytest.fixture(scope="module")
def server():
    with running_simulator("--company", "--scan-seconds", RUNNING, "--report-seconds", RUNNING) as simulator:
        yield simulator


@pytest.fixture
def client(server):
    server.control("POST", "reset")
    return Client(server)


def text_of(answer):
    """A SailPoint error body as (detailCode, texts), checked for its shape."""
    body = answer.json()
    assert set(body) == {"detailCode", "trackingId", "messages", "causes"}
    assert re.fullmatch("[0-9a-f]{32}", body["trackingId"])
    assert body["messages"] and all(set(one) == {"locale", "localeOrigin", "text"} for one in body["messages"])
    return body["detailCode"], " ".join(one["text"] for one in body["messages"] + body["causes"])


# --- starting and stopping


def test_starts_as_a_module_and_ends_on_sigterm():
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--exposures", "3", "--campaigns", "2"],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    ready = json.loads(process.stdout.readline())
    state = requests.get(ready["url"] + "/_sim/state", timeout=5).json()
    process.send_signal(signal.SIGTERM)
    rest, errors = process.communicate(timeout=5)
    assert set(ready) == {"url", "pid"} and ready["pid"] == process.pid
    assert len(state["exposures"]) == len(state["alerts"]) == 3
    assert {exposure["result"] for exposure in state["exposures"].values()} == {"REMEDIATED"}
    assert [campaign["status"] for campaign in state["campaigns"].values()] == ["COMPLETED"] * 2
    assert (process.returncode, rest, errors) == (0, "", "")


def test_answers_https(tmp_path):
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    command = [
        sys.executable,
        str(TESTS / "simulator"),
        "--certfile",
        str(tmp_path / "server.pem"),
        "--keyfile",
        str(tmp_path / "server.pem"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = json.loads(process.stdout.readline())["url"]
        answer = requests.get(url + "/_sim/stats", verify=str(tmp_path / "ca.pem"), timeout=5)
        requests.post(url + "/_sim/faults", json=[{"kind": "drop"}], verify=str(tmp_path / "ca.pem"), timeout=5)
        with pytest.raises(requests.ConnectionError):
            requests.get(url + "/campaigns/v1", verify=str(tmp_path / "ca.pem"), timeout=5)
        process.terminate()
    assert url.startswith("https://") and answer.status_code == 200


def test_a_wrong_option_is_refused():
    for options in (["--nonsense"], ["--tenants", "0"], ["--tenants", "2", "--port", "9"]):
        done = subprocess.run([sys.executable, str(TESTS / "simulator"), *options], capture_output=True, check=False)
        assert done.returncode == 2 and done.stdout == b""


def test_tenants_share_nothing_but_the_process():
    with running_tenants(3, "--exposures", "2", "--rate-limit", "1") as tenants:
        exposure = tenants[0].exposures()[0]
        first, second = Client(tenants[0]), Client(tenants[1])
        assert [first.start(exposure).status_code for _each in range(2)] == [201, 429]
        assert second.start(exposure).status_code == 201
        first.ask_token()
        tenants[1].control("POST", "faults", [{"kind": "html"}])
        assert first.xpanse("/api_keys/validate/").status_code == 429
        assert second.xpanse("/api_keys/validate/").text.startswith("<!DOCTYPE")
        stats = [tenant.control("GET", "stats") for tenant in tenants]
    assert len({tenant.url for tenant in tenants}) == 3
    assert [(one["requests"], one["tokens_issued"], one["rcs_scans_started"]) for one in stats] == [
        (4, 1, 1),
        (2, 0, 1),
        (0, 0, 0),
    ]


def test_counts_connections(client):
    for _request in range(3):
        client.xpanse("/api_keys/validate/")
    requests.post(client.url + "/api_keys/validate/", headers=signed(), timeout=5)
    assert client.control("GET", "stats")["connections"] == 2


def test_ends_although_a_request_still_waits():
    with running_simulator() as simulator:
        simulator.control("POST", "faults", [{"kind": "latency", "seconds": 600}])
        host, port = simulator.url.split("//")[1].split(":")
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(b"GET /campaigns/v1 HTTP/1.1\r\nHost: x\r\n\r\n")
        while not simulator.log():
            time.sleep(0.01)
    # running_simulator waits ten seconds for the end and would have failed.
    connection.close()


# --- SailPoint: tokens


def test_token(client):
    answer = client.ask_token()
    assert answer.status_code == 200
    assert answer.json()["expires_in"] == 749 and answer.json()["token_type"] == "bearer"
    assert client.control("GET", "stats")["tokens_issued"] == 1


@pytest.mark.parametrize(
    "changes, status, word",
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_token_is_refused(client, changes, status, word):
    answer = client.ask_token(**changes)
    assert (answer.status_code, answer.json()["error"]) == (status, word)
    assert answer.json()["error_description"]


def test_credentials_in_the_address_or_as_json_are_refused(client):
    form = {"grant_type": "client_credentials", "client_id": "admin-client", "client_secret": "admin-secret"}
    for options in ({"params": form}, {"json": form}):
        answer = requests.post(client.url + "/oauth/token", timeout=5, **options)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_tokens_expire(client):
    client.control("POST", "config", {"token_seconds": 0.6})
    assert client.isc("GET", "/campaigns/v1").status_code == 200
    time.sleep(0.65)
    answer = client.isc("GET", "/campaigns/v1")
    assert (answer.status_code, answer.json()) == (401, {"error": "JWT validation failed: JWT is expired"})
    client.tokens.clear()
    assert client.isc("GET", "/campaigns/v1").status_code == 200
    client.control("POST", "expire_tokens")
    assert client.isc("GET", "/campaigns/v1").status_code == 401


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer unknown"}, {"Authorization": "Basic YTpi"}])
def test_no_token_no_answer(client, header):
    answer = requests.get(client.url + "/v2025/campaigns", headers=header, timeout=5)
    assert answer.status_code == 401 and list(answer.json()) == ["error"]


def test_user_levels(client):
    one, many = "/campaigns/v1/" + company.FINANCE, "/campaigns/v1?detail=FULL"
    expected = {"admin-client": (200, 200), "cert-client": (200, 200), "report-client": (403, 200), "helpdesk-client": (403, 403)}
    for name, statuses in expected.items():
        assert (client.isc("GET", one, name).status_code, client.isc("GET", many, name).status_code) == statuses
    assert client.isc("POST", one + "/run-remediation-scan", "report-client").status_code == 202
    assert text_of(client.isc("GET", one, "helpdesk-client"))[0].startswith("403")


# --- SailPoint: campaigns


@pytest.mark.parametrize("version", ["v1", "v3", "beta", "v2024", "v2025", "v2026"])
def test_every_version(client, version):
    root, reports = ("/campaigns/v1", "/reports/v1") if version == "v1" else ("/%s/campaigns" % version, "/%s/reports" % version)
    one = "%s/%s" % (root, company.FINANCE)
    assert len(client.isc("GET", root).json()) == len(company.CAMPAIGN_IDS)
    assert client.isc("GET", one).json()["name"].startswith("Finance")
    report = client.isc("GET", one + "/reports").json()[0]
    assert report["id"] == company.FINANCE_OLD_REPORT and report["type"] == "REPORT_RESULT"
    assert client.isc("GET", "%s/%s" % (reports, report["id"])).status_code == 200
    assert client.isc("POST", one + "/run-remediation-scan").json() == {}
    client.finish()
    assert client.isc("POST", "%s/run-report/%s" % (one, REMEDIATION)).status_code == 202
    operations = [entry["operation"] for entry in client.simulator.log()]
    assert operations == ["token", "list_campaigns", "get_campaign", "list_reports", "download_report", "run_scan", "run_report"]


def test_detail(client):
    path = "/campaigns/v1/" + company.FINANCE
    assert "modified" not in client.isc("GET", path).json()
    assert "modified" not in client.isc("GET", path, params={"detail": "SLIM"}).json()
    full = client.isc("GET", path, params={"detail": "FULL"}).json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", full["modified"])
    assert client.isc("GET", path, params={"detail": "ALL"}).status_code == 400
    beta = "/beta/campaigns/" + company.FINANCE
    assert "modified" not in client.isc("GET", beta, params={"detail": "FULL"}).json()
    assert client.isc("GET", "/beta/campaigns", params={"detail": "FULL"}).json()[0]["modified"]
    client.control("POST", "config", {"beta_detail": "FULL"})
    assert client.isc("GET", beta).json() == full


def test_the_campaign_that_was_migrated(client):
    migrated = client.isc("GET", "/campaigns/v1/" + company.MIGRATED).json()
    assert migrated["status"] is None and "migrationStatus" in migrated


@pytest.mark.parametrize(
    "text, expected",
    [
        ('id eq "%s"' % company.ROLES, [company.ROLES]),
        ('id in ("%s", "%s","nothing")' % (company.FINANCE, company.ROLES), [company.FINANCE, company.ROLES]),
        ('name sw "Manager"', [company.MANAGERS, company.LAST_YEAR]),
        ('name eq "Board Portal Review"', [company.BOARD_PORTAL]),
        ('status in ("ACTIVE","STAGED")', [company.MANAGERS, company.CONTRACTORS]),
        ('status eq "COMPLETED" and name sw "S"', [company.SALES, company.BADGES]),
        ('name eq "a \\"quoted\\" name"', []),
    ],
)
def test_filters(client, text, expected):
    answer = client.isc("GET", "/campaigns/v1", params={"filters": text})
    assert [one["id"] for one in answer.json()] == expected


@pytest.mark.parametrize(
    "query",
    [
        {"filters": "nonsense"},
        {"filters": 'id sw "x"'},
        {"filters": 'type eq "MANAGER"'},
        {"filters": "id eq x"},
        {"filters": 'id eq "x" or id eq "y"'},
        {"filters": 'id eq "x" and'},
        {"filters": 'id in "x"'},
        {"limit": "251"},
        {"limit": "-1"},
        {"offset": "x"},
        {"detail": "full"},
        {"sorters": "modified"},
        {"count": "yes"},
    ],
)
def test_bad_lists(client, query):
    answer = client.isc("GET", "/campaigns/v1", params=query)
    assert answer.status_code == 400 and text_of(answer)[0].startswith("400.1")


def test_pages(client):
    seen = []
    for offset in range(0, 15, 5):
        answer = client.isc("GET", "/v3/campaigns", params={"limit": 5, "offset": offset, "count": "true"})
        assert answer.headers["X-Total-Count"] == str(len(company.CAMPAIGN_IDS))
        seen += [one["id"] for one in answer.json()]
    assert seen == list(company.CAMPAIGN_IDS)
    assert "X-Total-Count" not in client.isc("GET", "/v3/campaigns", params={"limit": 0}).headers
    names = [one["name"] for one in client.isc("GET", "/v3/campaigns", params={"sorters": "-name"}).json()]
    assert names == sorted(names, reverse=True)


def test_what_is_not_there(client):
    for path in (
        "/campaigns/v1/nothing",
        "/campaigns/v1/nothing/reports",
        "/reports/v1/nothing",
        "/certification-tasks/v1",
        "/v1/campaigns",
        "/v2023/campaigns",
    ):
        answer = client.isc("GET", path)
        assert answer.status_code == 404 and text_of(answer)[0].startswith("404")
    assert client.isc("DELETE", "/campaigns/v1/" + company.FINANCE).status_code == 405
    assert client.run("nothing", "run-remediation-scan").status_code == 404


# --- SailPoint: scans and reports


def test_scan_and_report_tell_when_the_access_is_gone(client):
    client.control("POST", "config", {"scan_seconds": 0.4, "report_seconds": 0.4})
    before = client.modified(company.FINANCE)
    old = client.report(company.FINANCE)
    stale = client.download(old["id"]).content.decode()
    assert before < old["lastRunAt"] and "Open" in stale and "Remediated" not in stale
    assert client.run(company.FINANCE, "run-remediation-scan").json() == {}
    assert client.modified(company.FINANCE) == before
    time.sleep(0.45)
    after = client.modified(company.FINANCE)
    assert after > before
    assert client.report(company.FINANCE) == old
    assert client.run(company.FINANCE, "run-report/" + REMEDIATION).status_code == 202
    pending = client.report(company.FINANCE)
    assert (pending["status"], pending["lastRunAt"]) == ("PENDING", old["lastRunAt"])
    assert client.download(pending["id"]).status_code == 404
    time.sleep(0.45)
    done = client.report(company.FINANCE)
    assert done["status"] == "SUCCESS" and done["lastRunAt"] > after and done["id"] == pending["id"] != old["id"]
    rows = list(csv.DictReader(io.StringIO(client.download(done["id"]).content.decode(), newline="")))
    assert [row["Remediation Status"] for row in rows] == ["Remediated"] * 6
    assert rows[2]["Identity"] == "O'Brien, Niamh" and "\n" in rows[2]["Comments"]
    assert rows[3]["Identity"] == "田中 美咲" and rows[3]["Access"] == 'Invoice Approver "EMEA"'
    assert {"Employee Number", "Department", "Work Location"} < set(rows[0])
    assert client.download(old["id"]).content.decode() == stale


@pytest.mark.parametrize(
    "campaign_id, column, words",
    [
        (company.WAREHOUSE, "Remediation Status", ["Remediated", "Open", "Remediated", "Open", "Remediated"]),
        (company.BADGES, "Remediation Status", ["Remediated", "Open", "Remediated"]),
        (company.BOARD_PORTAL, "Remediation Status", []),
        (company.HAMBURG, "Bearbeitungsstand", ["Vollzogen", "Vollzogen", "Schwebend"]),
        (company.PRIVILEGED, "Remediation Status", ["Remediated"] * 4),
    ],
)
def test_what_a_scan_finds(client, campaign_id, column, words):
    assert client.report(campaign_id) is None
    client.scan(campaign_id)
    assert [row[column] for row in client.rows(campaign_id)] == words


def test_nothing_revoked_is_a_header_only(client):
    client.rows(company.BOARD_PORTAL)
    text = client.download(client.report(company.BOARD_PORTAL)["id"]).text
    assert text.count("\n") == 1 and text.startswith("Identity,")


def test_a_report_that_never_ran_has_no_time_of_a_run(client):
    assert client.run(company.PRIVILEGED, "run-report/" + REMEDIATION).status_code == 202
    pending = client.report(company.PRIVILEGED)
    assert pending["status"] == "PENDING" and "lastRunAt" not in pending
    client.finish()
    assert client.report(company.PRIVILEGED)["lastRunAt"]


def test_a_report_before_the_scan_shows_everything_open(client):
    assert {row["Remediation Status"] for row in client.rows(company.PRIVILEGED)} == {"Open"}


@pytest.mark.parametrize("status", ["WARNING", "ERROR", "TERMINATED", "TEMP_ERROR"])
def test_a_report_may_end_badly(client, status):
    client.control("PATCH", "campaigns/" + company.FINANCE, {"report_status": status})
    old = client.report(company.FINANCE)
    assert client.run(company.FINANCE, "run-report/" + REMEDIATION).status_code == 202
    client.finish()
    report = client.report(company.FINANCE)
    assert report["status"] == status and report["lastRunAt"] > old["lastRunAt"]
    assert client.download(report["id"]).status_code == (200 if status == "WARNING" else 404)


def test_only_a_completed_campaign_is_scanned(client):
    for campaign_id in (company.MANAGERS, company.CONTRACTORS, company.ROLES, company.LAST_YEAR, company.MIGRATED):
        for what in ("run-remediation-scan", "run-report/" + REMEDIATION):
            answer = client.run(campaign_id, what)
            assert answer.status_code == 400 and not text_of(answer)[0].startswith("400.2.0")
    assert client.run(company.FINANCE, "run-report/NONSENSE").status_code == 400
    assert client.simulator.log(changed=True) == []


def test_one_operation_per_campaign(client):
    assert client.run(company.WAREHOUSE, "run-remediation-scan").status_code == 202
    for what in ("run-remediation-scan", "run-report/" + REMEDIATION, "run-report/CAMPAIGN_STATUS_REPORT"):
        answer = client.run(company.WAREHOUSE, what)
        assert answer.status_code == 400 and text_of(answer)[0].startswith("400.2.0 ")
    assert client.run(company.FINANCE, "run-remediation-scan").status_code == 202
    client.finish()
    assert client.run(company.WAREHOUSE, "run-report/CAMPAIGN_STATUS_REPORT").status_code == 202
    assert text_of(client.run(company.WAREHOUSE, "run-remediation-scan"))[0].startswith("400.2.0 ")
    client.finish()
    assert client.run(company.WAREHOUSE, "run-remediation-scan").status_code == 202


def test_twenty_requests_at_once_start_one_scan(client):
    client.control("POST", "config", {"latency": 0.5, "scan_seconds": 5})
    client.isc("GET", "/campaigns/v1")
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(
                lambda _each: requests.post(
                    client.url + "/campaigns/v1/%s/run-remediation-scan" % company.FINANCE,
                    timeout=5,
                    headers={"Authorization": "Bearer " + client.tokens["admin-client"]},
                ),
                range(20),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [202] + [400] * 19
    stats = client.control("GET", "stats")
    assert stats["scans_started"] == 1 and stats["max_in_flight"] > 10
    assert len(client.simulator.log(operation="run_scan", changed=True)) == 1


def test_modified_may_move_early_or_never(client):
    client.control("PATCH", "campaigns/" + company.FINANCE, {"modified_moves": "early", "scan_seconds": 5})
    before = client.modified(company.FINANCE)
    client.run(company.FINANCE, "run-remediation-scan")
    time.sleep(0.6)
    moved = client.modified(company.FINANCE)
    assert moved > before
    assert text_of(client.run(company.FINANCE, "run-remediation-scan"))[0].startswith("400.2.0 ")
    client.control("PATCH", "campaigns/" + company.FINANCE, {"scan_seconds": 0})
    assert client.modified(company.FINANCE) == moved
    client.control("PATCH", "campaigns/" + company.WAREHOUSE, {"modified_moves": "never", "scan_seconds": 0})
    before = client.modified(company.WAREHOUSE)
    client.run(company.WAREHOUSE, "run-remediation-scan")
    assert client.modified(company.WAREHOUSE) == before
    assert "Remediated" in [row["Remediation Status"] for row in client.rows(company.WAREHOUSE)]


def test_times_only_ever_rise(client):
    client.control("POST", "config", {"scan_seconds": 0, "report_seconds": 0})
    seen = [client.modified(company.FINANCE)]
    for _each in range(5):
        client.run(company.FINANCE, "run-remediation-scan")
        seen.append(client.modified(company.FINANCE))
        client.run(company.FINANCE, "run-report/" + REMEDIATION)
        seen.append(client.report(company.FINANCE)["lastRunAt"])
    assert seen == sorted(set(seen))


def test_the_servers_clock_may_be_another(client):
    client.control("POST", "config", {"clock_offset": 86400 * 365, "scan_seconds": 0})
    year = time.gmtime(time.time() + 86400 * 365).tm_year
    answer = client.run(company.FINANCE, "run-remediation-scan")
    assert parsedate_to_datetime(answer.headers["Date"]).year == year
    assert client.modified(company.FINANCE).startswith(str(year))


def test_downloads(client):
    report_id = company.FINANCE_OLD_REPORT
    for accept in ("application/json", "text/html, application/pdf"):
        assert client.download(report_id, accept, fileFormat="csv").status_code == 406
    answer = client.download(report_id, "application/csv", fileFormat="csv")
    assert answer.headers["content-type"] == "application/csv"
    assert (
        answer.headers["content-disposition"].startswith("attachment;filename=")
        and ".csv" in answer.headers["content-disposition"]
    )
    answer = client.download(report_id, "application/json, */*", fileFormat="pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.") and answer.content.endswith(b"%%EOF\n")
    table = int(answer.content.split(b"startxref\n")[1].split()[0])
    assert answer.content[table:].startswith(b"xref\n")
    first = int(answer.content[table:].splitlines()[3].split()[0])
    assert answer.content[first:].startswith(b"1 0 obj")
    assert client.download(report_id, fileFormat="xml").status_code == 400


@pytest.mark.parametrize("status", [400, 404, 410])
def test_purged_reports(client, status):
    client.control("POST", "purge_reports", {"status": status})
    answer = client.download(company.FINANCE_OLD_REPORT)
    assert answer.status_code == status and text_of(answer)
    assert client.report(company.FINANCE)["status"] == "SUCCESS"
    assert client.rows(company.FINANCE)


def test_the_report_id_may_stay(client):
    client.control("POST", "config", {"report_id": "same"})
    client.scan(company.FINANCE)
    assert {row["Remediation Status"] for row in client.rows(company.FINANCE)} == {"Remediated"}
    assert client.report(company.FINANCE)["id"] == company.FINANCE_OLD_REPORT


def test_campaigns_are_patched(client):
    client.control(
        "PATCH",
        "campaigns/" + company.FINANCE,
        {
            "status_column": "State",
            "words": {"remediated": "Gone", "open": "There"},
            "scan_result": [2],
            "csv_bom": True,
            "items": [{"identity": "A"}, {"identity": "B"}, {"identity": "C", "word": "Perhaps"}],
            "name": "New name",
        },
    )
    client.scan(company.FINANCE)
    rows = client.rows(company.FINANCE)
    assert [(row["\ufeffIdentity"], row["State"]) for row in rows] == [("A", "Gone"), ("B", "There"), ("C", "Perhaps")]
    client.control("PATCH", "campaigns/" + company.FINANCE, {"report_csv": "what,ever\n1,2\n", "csv_bom": False})
    assert client.rows(company.FINANCE) == [{"what": "1", "ever": "2"}]
    state = client.control("GET", "state")["campaigns"][company.FINANCE]
    assert state["name"] == "New name" and state["operation"] is None and len(state["reports"]) == 1
    client.run(company.FINANCE, "run-remediation-scan")
    assert client.control("GET", "state")["campaigns"][company.FINANCE]["operation"]["kind"] == "scan"
    url = client.url + "/_sim/campaigns/"
    assert requests.patch(url + company.FINANCE, json={"modified_moves": "x"}, timeout=5).status_code == 400
    assert requests.patch(url + "nothing", json={}, timeout=5).status_code == 404


# --- Xpanse: keys


def test_the_known_signature():
    nonce = "A" * 64
    headers = signed(key="example-api-key", nonce=nonce, milliseconds=1700000000000)
    assert headers["Authorization"] == "87e8f29326d2ef977b82f5f3f9768eaae8575613aa5c6f54e83f19a0cbfc868a"


def test_keys(client):
    standard = {"x-xdr-auth-id": "2", "Authorization": "standard-key"}
    for headers in (signed(), standard, signed("3"), signed("4")):
        answer = client.xpanse("/api_keys/validate/", headers=headers)
        assert (answer.status_code, answer.json()) == (200, True)


def test_wrong_advanced_keys(client):
    now = int(time.time() * 1000)
    wrong = [
        signed(key="other"),
        signed("2", key="standard-key"),
        signed(nonce="A" * 63),
        signed(nonce="-" * 64),
        signed(milliseconds=now - 310_000),
        signed(milliseconds=now + 310_000),
        signed(**{"x-xdr-auth-id": "9"}),
        signed(**{"x-xdr-timestamp": "yesterday"}),
    ]
    for headers in wrong:
        answer = client.xpanse(RCS + "get/", headers=headers)
        assert answer.status_code == 401 and answer.json()["reply"]["err_code"] == 401
        assert set(answer.json()["reply"]) == {"err_code", "err_msg", "err_extra"}
    assert client.xpanse("/api_keys/validate/", headers=signed(milliseconds=now - 290_000)).status_code == 200


def test_a_nonce_is_used_once(client):
    headers = signed()
    assert client.xpanse("/api_keys/validate/", headers=headers).status_code == 200
    assert client.xpanse("/api_keys/validate/", headers=headers).status_code == 401
    again = signed(nonce=headers["x-xdr-nonce"], milliseconds=int(headers["x-xdr-timestamp"]) + 1000)
    assert client.xpanse("/api_keys/validate/", headers=again).status_code == 401
    assert client.xpanse("/api_keys/validate/", headers=signed("3", nonce=headers["x-xdr-nonce"])).status_code == 200


def test_a_wrong_standard_key_gets_nothing(client):
    for headers in (
        {"x-xdr-auth-id": "2", "Authorization": "wrong"},
        {"Authorization": "standard-key"},
        {"x-xdr-auth-id": "1", "Authorization": "advanced-key"},
    ):
        answer = client.xpanse(ALERTS, headers=headers)
        assert (answer.status_code, answer.content) == (401, b"")


def test_what_a_key_may_not(client):
    for key_id, status in (("3", 403), ("4", 402)):
        answer = client.start(company.exposures()[0], headers=signed(key_id))
        assert answer.status_code == answer.json()["reply"]["err_code"] == status
    assert client.xpanse(ALERTS, {"request_data": {}}, signed("3")).status_code == 200
    assert client.xpanse(ALERTS, {"request_data": {}}, signed("4")).status_code == 402


# --- Xpanse: scans


@pytest.mark.parametrize(
    "outcome", [company.REMEDIATED, company.UNREMEDIATED, company.TIMEOUT, company.FAILED, company.UNKNOWN_WORD]
)
def test_scan_of_an_exposure(client, outcome):
    created = client.start(company.exposures(outcome)[0])
    assert created.status_code == 201
    scan_id = created.json()["reply"]["scanId"]
    assert client.look(scan_id).json() == {"reply": {"status": "IN_PROGRESS"}}
    again = client.start(company.exposures(outcome)[0])
    assert (again.status_code, again.json()) == (200, created.json())
    client.finish()
    status, result = outcome
    expected = {"status": status, "result": result} if result else {"status": status}
    assert client.look(scan_id).json() == {"reply": expected}
    assert [entry["changed"] for entry in client.simulator.log(scan_id=scan_id)] == [True, False, False, False]


def test_a_finished_scan_is_not_given_again(client):
    client.control("POST", "config", {"scan_seconds": 0})
    exposure = company.exposures()[0]
    first = client.start(exposure)
    second = client.start(exposure)
    assert second.status_code == 201 and first.json() != second.json()
    client.control("POST", "config", {"reuse_finished": True})
    third = client.start(exposure)
    assert (third.status_code, third.json()) == (200, second.json())


def test_twenty_requests_at_once_create_one_scan(client):
    client.control("POST", "config", {"scan_seconds": 5, "latency": 0.05})
    body = filters(**company.exposures()[0])
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(
                lambda _each: requests.post(client.url + RCS + "get_or_create/", json=body, headers=signed(), timeout=5),
                range(20),
            )
        )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["reply"]["scanId"] for answer in answers}) == 1


def test_ids_of_both_kinds(client):
    exposure = company.exposures()[0]
    first = client.start(exposure)
    second = client.start(
        {**exposure, "alert_internal_id": str(exposure["alert_internal_id"]), "service_id": exposure["service_id"].upper()}
    )
    assert second.status_code == 200 and second.json() == first.json()


def test_bad_scan_requests(client):
    good = company.exposures()[0]
    for name in good:
        missing = client.start({key: value for key, value in good.items() if key != name})
        assert missing.status_code == 400 and name in str(missing.json()["reply"]["err_extra"])
    for change in ({"alert_internal_id": -1}, {"alert_internal_id": "x"}, {"service_id": "x"}):
        answer = client.start({**good, **change})
        assert answer.status_code == 422 and set(answer.json()) == {"code", "status", "message", "errors"}
    for change in ({"alert_internal_id": 1}, {"attack_surface_rule_id": "VncServer"}):
        answer = client.start({**good, **change})
        assert (answer.status_code, answer.json()["reply"]["err_code"]) == (500, 100)
    assert client.xpanse(RCS + "get_or_create/", {}).status_code == 422
    answer = client.session.post(client.url + RCS + "get/", data="{", headers=signed())
    assert answer.status_code == answer.json()["reply"]["err_code"] == 400
    assert client.simulator.log(changed=True) == []


def test_unknown_scan(client):
    for status in (404, 500):
        client.control("POST", "config", {"unknown_scan_status": status})
        answer = client.look("0a8a5a58-0000-4000-8000-000000000000")
        assert (answer.status_code, answer.json()["reply"]["err_code"]) == (status, 404)


def test_operators(client):
    exposure = company.exposures()[0]
    for operator in ("EQ", "eq"):
        assert client.xpanse(RCS + "get_or_create/", filters(operator, **exposure)).ok
    for status in (400, 422):
        client.control("POST", "config", {"operator": "eq", "operator_status": status})
        assert client.start(exposure).status_code == status
        assert client.xpanse(RCS + "get_or_create/", filters("eq", **exposure)).status_code == 200


def test_slashes(client):
    def look(path):
        return client.xpanse(path, filters(id="x"), allow_redirects=False)

    assert look(RCS + "get").status_code == look(RCS + "get/").status_code == 404
    client.control("POST", "config", {"slash": "required", "unknown_scan_status": 500})
    assert look(RCS + "get/").status_code == 500
    assert (look(RCS + "get").status_code, look(RCS + "get").headers["Location"]) == (308, RCS + "get/")
    client.control("POST", "config", {"slash": "forbidden", "slash_status": 404})
    assert (look(RCS + "get").status_code, look(RCS + "get/").status_code) == (500, 404)
    assert client.simulator.log(operation="unknown") == []


def test_exposures_are_patched(client):
    exposure = company.exposures(company.REMEDIATED)[0]
    name = "%(alert_internal_id)d:%(attack_surface_rule_id)s:%(service_id)s" % exposure
    client.control("PATCH", "exposures/" + name, {"scan_seconds": 60})
    scan_id = client.start(exposure).json()["reply"]["scanId"]
    shown = client.control("GET", "state")["exposures"][name]
    assert shown["scan_ids"] == [scan_id] and shown["running"]
    client.control("PATCH", "exposures/" + name, {"scan_seconds": 0, "status": "SUCCESS", "result": "SOMETHING_NEW"})
    assert client.look(scan_id).json()["reply"] == {"status": "SUCCESS", "result": "SOMETHING_NEW"}
    client.control("PATCH", "exposures/" + name, {"result": "REMEDIATED"})
    assert client.look(scan_id).json()["reply"]["result"] == "SOMETHING_NEW"
    known = dict(scan_id="scan-of-another", started_at=1, status="FAILED_TIMEOUT", result=None, running=False)
    shown = client.control("PATCH", "exposures/" + name, {"scans": [known]})
    assert shown["scan_ids"] == [scan_id, "scan-of-another"]
    assert client.look("scan-of-another").json()["reply"] == {"status": "FAILED_TIMEOUT"}
    url = client.url + "/_sim/exposures/"
    assert requests.patch(url + name, json={"scans": [{"scan_id": 1}]}, timeout=5).status_code == 404
    assert requests.patch(url + "1:x:y", json={}, timeout=5).status_code == 404
    assert requests.patch(url + name, json={"outcome": 1}, timeout=5).status_code == 400


# --- Xpanse: alerts


def alerts(client, *wanted, **changes):
    rows = [{"field": field, "operator": operator, "value": value} for field, operator, value in wanted]
    return client.xpanse(ALERTS, {"request_data": {"filters": rows, **changes}})


def ids(answer):
    return [int(alert["alert_id"]) for alert in answer.json()["reply"]["alerts"]]


def test_alerts(client):
    reply = alerts(client, ("alert_source", "in", ["ASM"])).json()["reply"]
    assert reply["total_count"] == reply["result_count"] == len(reply["alerts"]) == len(company.ALERT_IDS)
    known = {int(alert["alert_id"]): alert for alert in reply["alerts"]}
    assert {type(alert["alert_id"]) for alert in known.values()} == {str}
    assert {type(alert["service_ids"]) for alert in known.values()} == {list}
    assert known[company.NO_RULE_ALERT]["attack_surface_rule_id"] is None
    assert known[company.NO_SERVICE_ALERT]["service_ids"] == []
    assert len(known[company.TWO_SERVICES_ALERT]["service_ids"]) == 2
    found = {
        (int(alert["alert_id"]), alert["attack_surface_rule_id"], service)
        for alert in known.values()
        if alert["attack_surface_rule_id"]
        for service in alert["service_ids"]
    }
    assert found == {tuple(exposure.values()) for exposure in company.exposures()}


def test_the_company_has_every_outcome():
    counts = [
        len(company.exposures(outcome))
        for outcome in (company.REMEDIATED, company.UNREMEDIATED, company.TIMEOUT, company.FAILED, company.UNKNOWN_WORD)
    ]
    assert counts[0] >= 26 and counts[1:] == [4, 2, 1, 1] and sum(counts) == len(company.exposures()) >= 36


def test_alert_filters(client):
    every = alerts(client).json()["reply"]["alerts"]
    assert sorted(ids(alerts(client, ("alert_id_list", "in", [4101, 4110, 1])))) == [4101, 4110]
    assert sorted(ids(alerts(client, ("case_id_list", "in", [71])))) == [4101, 4102, 4103]
    assert sorted(ids(alerts(client, ("case_id_list", "in", [71]), ("severity", "in", ["critical"])))) == [4102]
    for status, word in (("new", "STATUS_010_NEW"), ("under_investigation", "STATUS_020_UNDER_INVESTIGATION")):
        assert (
            len(ids(alerts(client, ("status", "in", [status])))) == sum(alert["resolution_status"] == word for alert in every) > 0
        )
    assert len(ids(alerts(client, ("attack_surface_rule_name", "in", ["Telnet Server"])))) == 3
    assert ids(alerts(client, ("alert_source", "in", ["XDR Agent"]))) == []
    newest = every[0]
    assert ids(alerts(client, ("server_creation_time", "gte", newest["local_insert_ts"]))) == [int(newest["alert_id"])]
    client.control("PATCH", "alerts/4101", {"resolution_status": "STATUS_070_RESOLVED_OTHER"})
    assert ids(alerts(client, ("status", "in", ["resolved"]))) == [4101]


@pytest.mark.parametrize(
    "wanted, changes",
    [
        ((("nonsense", "in", ["x"]),), {}),
        ((("alert_id_list", "in", ["4101"]),), {}),
        ((("alert_id_list", "eq", [4101]),), {}),
        ((("severity", "in", "high"),), {}),
        ((("status", "in", ["open"]),), {}),
        ((("server_creation_time", "gte", "today"),), {}),
        ((), {"search_from": 0, "search_to": 101}),
        ((), {"search_from": 5, "search_to": 1}),
        ((), {"sort": {"field": "x"}}),
    ],
)
def test_bad_alert_requests(client, wanted, changes):
    answer = alerts(client, *wanted, **changes)
    assert answer.status_code == answer.json()["reply"]["err_code"] == 400


def test_alert_pages(client):
    found = []
    for first in range(0, 60, 15):
        answer = alerts(client, search_from=first, search_to=first + 15)
        assert answer.json()["reply"]["total_count"] == len(company.ALERT_IDS)
        found += ids(answer)
    assert found == sorted(company.ALERT_IDS, reverse=True)
    oldest = alerts(client, search_to=1, sort={"field": "creation_time", "keyword": "asc"})
    assert ids(oldest) == [company.ALERT_IDS[0]]


def test_incident(client):
    answer = client.xpanse(INCIDENT, {"request_data": {"incident_id": "71", "alerts_limit": 1000}})
    data = answer.json()["reply"]["alerts"]["data"]
    assert [alert["alert_id"] for alert in data] == ["4101", "4102", "4103"]
    assert data[0]["service_ids"] == company.service_id(4101)
    data = client.xpanse(INCIDENT, {"request_data": {"incident_id": 92}}).json()["reply"]["alerts"]["data"]
    assert data[0]["attack_surface_rule_id"] is None and data[1]["service_ids"] is None
    assert client.xpanse(INCIDENT, {"request_data": {"incident_id": "1"}}).status_code == 404
    statuses = [client.xpanse(INCIDENT, {"request_data": {"incident_id": "76"}}).status_code for _each in range(8)]
    assert statuses == [200] * 7 + [429]


def update(ids, **wanted):
    return {"request_data": {"alert_id_list": ids, "update_data": wanted}}


def test_updated_alerts(client):
    before = client.control("GET", "state")["alerts"]["4101"]
    answer = client.xpanse(UPDATE, update(["4101", "999"], status="resolved", comment="Gone."))
    assert answer.json() == {"reply": {"alerts_ids": [4101]}}
    after = client.control("GET", "state")["alerts"]["4101"]
    assert (after["resolution_status"], after["resolution_comment"]) == ("STATUS_070_RESOLVED_OTHER", "Gone.")
    assert after["severity"] == before["severity"] and after["last_modified_ts"] > before["last_modified_ts"]
    client.control("POST", "config", {"comment_form": "append"})
    client.xpanse(UPDATE, update(["4101"], comment="Really."))
    after = client.control("GET", "state")["alerts"]["4101"]
    assert (after["resolution_status"], after["resolution_comment"]) == ("STATUS_070_RESOLVED_OTHER", "Gone.\nReally.")
    assert [entry["alert_ids"] for entry in client.simulator.log(operation="update_alerts", changed=True)] == [[4101], [4101]]


@pytest.mark.parametrize(
    "body, status",
    [
        (update([4101], status="resolved"), 422),
        (update([], status="resolved"), 422),
        (update(["4101"] * 101, status="resolved"), 400),
        (update(["4101"], status="done"), 400),
        (update(["4101"], assignee="me"), 422),
        ({"request_data": {"alert_id_list": ["4101"]}}, 422),
    ],
)
def test_bad_updates_of_alerts(client, body, status):
    before = client.control("GET", "state")["alerts"]
    assert client.xpanse(UPDATE, body).status_code == status
    assert client.xpanse(UPDATE, update(["4101"], status="resolved"), signed("3")).status_code == 403
    assert client.control("GET", "state")["alerts"] == before


def test_more_alerts_than_are_counted():
    with running_simulator("--exposures", 10050, "--rate-limit", 0) as simulator:
        client = Client(simulator)
        reply = alerts(client, search_from=10000, search_to=10100).json()["reply"]
    assert (reply["total_count"], reply["result_count"]) == (9999, 50)


# --- rate limits


def test_rate_limit(client):
    client.control("POST", "config", {"rate_limit": 5, "rate_window": 1})
    client.tokens = {name: client.ask_token(name).json()["access_token"] for name in ("admin-client", "cert-client")}
    started = time.monotonic()
    assert [client.isc("GET", "/campaigns/v1").status_code for _each in range(5)] == [200] * 5
    time.sleep(0.5)
    answers = [client.isc("GET", "/campaigns/v1") for _each in range(7)]
    assert [answer.status_code for answer in answers] == [429] * 7
    assert answers[-1].json() == {"message": " Rate Limit Exceeded "} and answers[-1].headers["Retry-After"] == "1"
    assert client.isc("GET", "/v3/campaigns").status_code == 200
    assert client.isc("GET", "/campaigns/v1", "cert-client").status_code == 200
    time.sleep(max(0, started + 1.1 - time.monotonic()))
    # The refused ones did not count: there is room for five again, although seven came half a second ago.
    assert [client.isc("GET", "/campaigns/v1").status_code for _each in range(6)] == [200] * 5 + [429]


def test_rate_limit_slides(client):
    client.control("POST", "config", {"rate_limit": 2, "rate_window": 1.5})
    client.isc("GET", "/campaigns/v1")
    time.sleep(0.9)
    assert [client.isc("GET", "/campaigns/v1").status_code for _each in range(2)] == [200, 429]
    time.sleep(0.65)
    assert [client.isc("GET", "/campaigns/v1").status_code for _each in range(2)] == [200, 429]


def test_rate_limit_of_a_hundred_at_once(client):
    headers = [signed() for _each in range(130)]
    with ThreadPoolExecutor(16) as pool:
        statuses = list(
            pool.map(lambda each: requests.post(client.url + "/api_keys/validate/", headers=each, timeout=5).status_code, headers)
        )
    assert (statuses.count(200), statuses.count(429)) == (100, 30)
    answer = client.xpanse(ALERTS)
    assert answer.json()["reply"]["err_code"] == 429 and 1 <= int(answer.headers["Retry-After"]) <= 10
    client.control("POST", "config", {"retry_after_form": "date"})
    until = parsedate_to_datetime(client.xpanse(ALERTS).headers["Retry-After"]).timestamp()
    assert 0 < until - time.time() <= 11
    client.control("POST", "config", {"rate_limit": 0})
    assert client.xpanse("/api_keys/validate/").status_code == 200


# --- faults


def fault(client, **what):
    client.control("POST", "faults", [what])


def test_faults_are_counted(client):
    fault(client, operation="get_campaign", kind="status", status=503, times=2, after=1)
    path = "/campaigns/v1/" + company.FINANCE
    assert client.isc("GET", "/campaigns/v1").status_code == 200
    assert [client.isc("GET", path).status_code for _each in range(4)] == [200, 503, 503, 200]
    assert client.control("GET", "faults") == []
    fault(client, operation="*", kind="status", status=500, times=None)
    assert {client.isc("GET", path).status_code for _each in range(5)} == {500}
    client.control("DELETE", "faults")
    assert client.isc("GET", path).status_code == 200
    bad = requests.post(client.url + "/_sim/faults", json=[{"kind": "nonsense"}], timeout=5)
    assert bad.status_code == 400 and "kind" in bad.json()["error"]


def test_kinds_of_faults(client):
    def get():
        return client.isc("GET", "/campaigns/v1", allow_redirects=False)

    get()
    fault(client, kind="html", status=502)
    answer = get()
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (502, "text/html")
    assert "<html>" in answer.text
    fault(client, kind="empty")
    assert (get().status_code, get().status_code) == (200, 200)
    fault(client, kind="empty", status=204)
    assert get().content == b""
    fault(client, kind="redirect", location="http://127.0.0.1:9/x", status=302)
    answer = get()
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.1:9/x")
    fault(client, kind="rate_limit", retry_after="2")
    answer = get()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    fault(client, kind="rate_limit", retry_after=None)
    assert "Retry-After" not in get().headers
    fault(client, kind="status", status=503, retry_after="Wed, 21 Oct 2099 07:28:00 GMT", body="busy")
    answer = get()
    assert (answer.text, answer.headers["Retry-After"]) == ("busy", "Wed, 21 Oct 2099 07:28:00 GMT")
    fault(client, kind="latency", seconds=0.3)
    started = time.monotonic()
    assert get().status_code == 200 and time.monotonic() - started >= 0.3


def test_cut_json(client):
    fault(client, operation="rcs_get", kind="cut_json", body='{"reply": {"status": "SUC')
    answer = client.look("x")
    assert answer.status_code == 200 and int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(ValueError):
        answer.json()
    fault(client, operation="rcs_get_or_create", kind="cut_json", how="short_body", processed=True)
    with pytest.raises(requests.RequestException):
        client.start(company.exposures()[0])
    assert client.control("GET", "stats")["rcs_scans_started"] == 1
    assert client.start(company.exposures()[0]).status_code == 200


def test_drop_cuts_the_connection(client):
    for processed in (False, True):
        fault(client, operation="run_scan", kind="drop", processed=processed)
        with pytest.raises(requests.ConnectionError):
            client.run(company.FINANCE, "run-remediation-scan")
        assert client.control("GET", "stats")["campaign_scans_started"] == processed
    entry = client.simulator.log(operation="run_scan")[-1]
    assert (entry["status"], entry["changed"], entry["fault"]) == (0, True, "drop")
    assert client.control("GET", "stats")["by_status"]["0"] == 2


def test_drop_sends_nothing_at_all(client):
    fault(client, kind="drop")
    host, port = client.url.split("//")[1].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /campaigns/v1 HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert connection.recv(100) == b""
        except ConnectionResetError:
            pass


def test_a_fault_before_the_request_changes_nothing(client):
    fault(client, operation="rcs_get_or_create", kind="status", status=502)
    fault(client, operation="rcs_get_or_create", kind="status", status=504, processed=True)
    exposure = company.exposures()[0]
    assert [client.start(exposure).status_code for _each in range(3)] == [502, 504, 200]
    assert [entry["changed"] for entry in client.simulator.log()] == [False, True, False]


# --- log, statistics, settings


def test_log_and_statistics(client):
    client.isc("GET", "/campaigns/v1/%s?detail=FULL" % company.FINANCE)
    client.run(company.FINANCE, "run-report/" + REMEDIATION)
    client.start(company.exposures()[0])
    client.xpanse("/public_api/v1/nothing/")
    log = client.simulator.log()
    assert [entry["n"] for entry in log] == [1, 2, 3, 4, 5]
    assert [
        (entry["api"], entry["method"], entry["operation"], entry["status"], entry["client"], entry["changed"]) for entry in log
    ] == [
        ("sailpoint", "POST", "token", 200, "admin-client", False),
        ("sailpoint", "GET", "get_campaign", 200, "admin-client", False),
        ("sailpoint", "POST", "run_report", 202, "admin-client", True),
        ("xpanse", "POST", "rcs_get_or_create", 201, "1", True),
        ("xpanse", "POST", "unknown", 404, None, False),
    ]
    assert log[1]["query"] == "detail=FULL" and log[1]["campaign_id"] == company.FINANCE
    assert client.control("GET", "log?changed=true&api=xpanse") == [log[3]]
    assert client.control("GET", "stats") == {
        "requests": 5,
        "by_operation": {"token": 1, "get_campaign": 1, "run_report": 1, "rcs_get_or_create": 1, "unknown": 1},
        "by_status": {"200": 2, "202": 1, "201": 1, "404": 1},
        "max_in_flight": 1,
        "connections": 1,
        "tokens_issued": 1,
        "scans_started": 1,
        "campaign_scans_started": 0,
        "rcs_scans_started": 1,
        "reports_started": 1,
    }
    client.control("DELETE", "log")
    assert client.control("GET", "log") == [] and client.control("GET", "stats")["requests"] == 0


def test_settings(client):
    assert client.control("POST", "config", {"scan_seconds": 9})["scan_seconds"] == 9
    for wrong in ({"nonsense": 1}, {"slash": "maybe"}, {"scan_seconds": "x"}, {"latency": -1}):
        assert requests.post(client.url + "/_sim/config", json=wrong, timeout=5).status_code == 400
    assert client.control("GET", "state")["config"]["scan_seconds"] == 9
    client.control("POST", "reset")
    assert client.control("GET", "config")["scan_seconds"] == RUNNING


def test_a_longer_scan_time_does_not_bring_a_finished_scan_back(client):
    client.control("POST", "config", {"scan_seconds": 0})
    scan_id = client.start(company.exposures(company.REMEDIATED)[0]).json()["reply"]["scanId"]
    client.run(company.FINANCE, "run-remediation-scan")
    client.control("POST", "config", {"scan_seconds": 60})
    assert client.look(scan_id).json()["reply"]["status"] == "SUCCESS"
    assert client.run(company.FINANCE, "run-remediation-scan").status_code == 202


def test_kept_alive_connections_are_quick(client):
    client.control("POST", "config", {"rate_limit": 0})
    client.isc("GET", "/campaigns/v1")
    started = time.monotonic()
    for _each in range(50):
        client.isc("GET", "/campaigns/v1/" + company.FINANCE)
    # Nagle's algorithm against delayed acknowledgements would cost 40 ms each.
    assert time.monotonic() - started < 50 * 0.03
