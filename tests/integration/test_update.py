# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role after an update: in the directory, with the ledger, and at the tenant of a released version."""

from __future__ import annotations

import json

import pytest
from released import OF_0_2_0, OUTCOMES_OF_0_2_0, copy_of, teach, tenant_of

VERIFY = "secops.remediation.verify"
CHECK = "secops.remediation.verify_evidence"
TENANT = tenant_of(OF_0_2_0)
SLOW = next(name for name, exposure in TENANT["exposures"].items() if exposure["running"])


@pytest.mark.parametrize("simulator", [("--company", "--rate-limit", "0")], indirect=True)
def test_the_run_after_an_update(ansible, simulator):
    teach(simulator, TENANT)
    # It ended between the two runs.
    simulator.control("PATCH", "exposures/%s" % SLOW, dict(scan_seconds=0))
    evidence = copy_of(OF_0_2_0, ansible.folder)
    runs = sorted(path.name for path in evidence.glob("*Z"))
    done = ansible.run(
        VERIFY,
        verify_campaign_ids=list(TENANT["campaigns"]),
        verify_alert_ids=[int(name) for name in TENANT["alerts"]],
        verify_evidence_dir=str(evidence),
        # Whenever this is run.
        verify_max_age=10**9,
        verify_wait_interval=1,
        verify_wait_timeout=60,
    )
    assert done.returncode == 2 and "[WARNING]" not in done.stdout, done.stdout
    found = json.loads((evidence / "latest" / "verification.json").read_text(encoding="utf-8"))
    assert [point["run"] for point in found["history"]] == [*runs, found["run"]]
    outcomes = {target["id"]: target["outcome"] for target in found["targets"]}
    assert outcomes == dict(OUTCOMES_OF_0_2_0, **{SLOW: "remediated"})
    # Nothing was asked for but the reports.
    assert {entry["operation"] for entry in simulator.log(changed=True)} == {"run_report"}

    done = ansible.run(CHECK, evidence_dir=str(evidence))
    assert done.returncode == 0 and "4 of 4 runs are intact." in done.stdout, done.stdout
    assert done.stdout.count("cannot be replayed") == 6, done.stdout
    assert "9 of 9 outcomes follow from the answers on record" in done.stdout, done.stdout
