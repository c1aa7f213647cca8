# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same without Ansible, as a competent user would write it: a script with requests and a pool of threads.

`python peer.py FILE`, in which JSON says what there is to verify. It writes no evidence and remembers nothing.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

THREADS = 16
SCANNING = "/public_api/v1/remediation_confirmation_scanning/requests"
REPORT_TYPE = "CAMPAIGN_REMEDIATION_STATUS_REPORT"


class Peer:
    """A session that waits when it is told to, and threads that share it. job: what the file says."""

    def __init__(self, job):
        self.base_url = job["base_url"]
        self.interval = job["wait_interval"]
        self.folder = Path(job["folder"])
        self.pool = ThreadPoolExecutor(THREADS)
        self.session = requests.Session()
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=THREADS))

    def ask(self, method, path, **content):
        """The answer to one request, which is sent again after a 429."""
        while True:
            answer = self.session.request(method, self.base_url + path, timeout=30, **content)
            if answer.status_code != 429:
                answer.raise_for_status()
                return answer
            time.sleep(int(answer.headers.get("Retry-After", 1)))

    def all(self, function, items):
        """What a function makes of each, through the pool."""
        return list(self.pool.map(function, items))

    def until(self, has_ended, items):
        """Looks at all that have not ended every interval, until all have."""
        while items:
            time.sleep(self.interval)
            items = [item for item, ended in zip(items, self.all(has_ended, items)) if not ended]


def exposures(peer, targets):
    """Verifies exposures."""
    peer.session.headers.update({"x-xdr-auth-id": "2", "Authorization": "standard-key"})

    def post(path, **values):
        filters = [{"field": name, "operator": "EQ", "value": value} for name, value in values.items()]
        return peer.ask("POST", SCANNING + path, json={"request_data": {"filters": filters}}).json()["reply"]

    def has_ended(scan_id):
        reply = post("/get/", id=scan_id)
        if reply["status"] == "IN_PROGRESS":
            return False
        if reply.get("result") != "REMEDIATED":
            raise SystemExit("an exposure is still there")
        return True

    peer.until(has_ended, peer.all(lambda target: post("/get_or_create/", **target)["scanId"], targets))


def campaigns(peer, ids):
    """Verifies campaigns."""
    login = {"grant_type": "client_credentials", "client_id": "admin-client", "client_secret": "admin-secret"}
    token = peer.ask("POST", "/oauth/token", data=login).json()["access_token"]
    peer.session.headers["Authorization"] = "Bearer " + token

    def modified(campaign_id):
        return peer.ask("GET", "/campaigns/v1/" + campaign_id, params={"detail": "FULL"}).json()["modified"]

    before = dict(zip(ids, peer.all(modified, ids)))
    peer.all(lambda one: peer.ask("POST", "/campaigns/v1/%s/run-remediation-scan" % one), ids)
    peer.until(lambda one: modified(one) != before[one], ids)
    peer.all(lambda one: peer.ask("POST", "/campaigns/v1/%s/run-report/%s" % (one, REPORT_TYPE)), ids)
    reports = {}

    def has_report(campaign_id):
        listed = peer.ask("GET", "/campaigns/v1/%s/reports" % campaign_id).json()
        report = next(one for one in listed if one["reportType"] == REPORT_TYPE)
        if report["status"] == "SUCCESS":
            reports[campaign_id] = report["id"]
        return campaign_id in reports

    peer.until(has_report, ids)

    def download(campaign_id):
        text = peer.ask("GET", "/reports/v1/" + reports[campaign_id], params={"fileFormat": "csv"}).text
        (peer.folder / (campaign_id + ".csv")).write_text(text, encoding="utf-8")
        return ",Open" in text

    if any(peer.all(download, ids)):
        raise SystemExit("revoked access is still there")


if __name__ == "__main__":
    JOB = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    {"exposures": exposures, "campaigns": campaigns}[JOB["kind"]](Peer(JOB), JOB["targets"])
