# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a released version left, and a simulator that knows of it what the released version was told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent / "fixtures"
OF_0_2_0 = FIXTURES / "0.2.0"
# By the ids of targets, what two runs of it found. The slow scan went on for hours.
OUTCOMES_OF_0_2_0 = {
    "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a01": "remediated",
    "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a03": "remediated",
    "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a12": "unremediated",
    "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a04": "inconclusive",
    "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a06": "pending",
    "4101:RdpServer:7236ed95-704e-3279-beee-2cb24abbd344": "remediated",
    "4103:VncServer:1c09b033-f1ab-3c4d-a65e-523ce80b4929": "unremediated",
    "4111:SnmpServer:7ba9f33d-e5a8-338f-977e-132844492865": "inconclusive",
    "4138:RdpServer:a8cb056b-8184-3b7c-b958-ed2a0f474321": "pending",
}
# A scan that ran at the end of the released version runs on, whenever these tests are run.
NEVER = 10**9
# What belongs to the process that ran.
NOT_TAUGHT = ("id", "operation", "reports")


def copy_of(released, folder):
    """A copy of the evidence of a released version, with its ledger. Returns its path."""
    return Path(shutil.copytree(released / "evidence", folder / "evidence", symlinks=True))


def tenant_of(released):
    """What the simulator of a released version knew at the end, as a dict with `campaigns`, `exposures`, and `alerts`."""
    return json.loads((released / "tenant.json").read_text(encoding="utf-8"))


def teach(simulator, tenant):
    """Lets a running simulator know the scans of a tenant, the reports of which it does not have."""
    for name, campaign in tenant["campaigns"].items():
        fields = {field: value for field, value in campaign.items() if field not in NOT_TAUGHT}
        simulator.control("PATCH", "campaigns/%s" % name, fields)
    for name, exposure in tenant["exposures"].items():
        fields = {field: exposure[field] for field in ("status", "result", "scan_seconds", "scans")}
        if exposure["running"]:
            fields["scan_seconds"] = NEVER
        simulator.control("PATCH", "exposures/%s" % name, fields)
    for name, alert in tenant["alerts"].items():
        simulator.control("PATCH", "alerts/%s" % name, alert)
