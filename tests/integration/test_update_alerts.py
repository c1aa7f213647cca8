# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role updates an alert only for what this very run has found, says what it did, and puts it on record."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from simulator import company
from trust import verify

# 4112 has two services.
GONE, CHANGED, HALF, THERE, THERE_AND_NEW = 4101, 4102, 4112, 4103, 4110
RESOLVED, REOPENED, INVESTIGATED = "STATUS_070_RESOLVED_OTHER", "STATUS_230_REOPENED", "STATUS_020_UNDER_INVESTIGATION"


def exposures_of(alert_id):
    """The company's exposures of an alert."""
    return [one for one in company.exposures() if one["alert_internal_id"] == alert_id]


def alerts(simulator):
    """The alerts by their ids: (status, comment)."""
    found = simulator.control("GET", "state")["alerts"]
    return {int(name): (alert["resolution_status"], alert["resolution_comment"]) for name, alert in found.items()}


def patch(simulator, alert_id, **fields):
    simulator.control("PATCH", "alerts/%d" % alert_id, fields)


def updates_of(run):
    return json.loads((run.folder / "updates.json").read_text(encoding="utf-8"))


def changes(simulator):
    return [entry["alert_ids"] for entry in simulator.log(operation="update_alerts", changed=True)]


def check(ansible, evidence):
    """Whether the collection's own playbook finds the evidence intact."""
    done = ansible.run("secops.remediation.verify_evidence", evidence_dir=str(evidence))
    assert done.returncode == 0, done.stdout


def test_alerts_become_what_was_found(ansible, simulator):
    patch(simulator, THERE, resolution_status=RESOLVED)
    # Since the scan, as far as this run can know.
    patch(simulator, CHANGED, last_modified_ts=int(time.time() * 1000) + 3_600_000)
    asked = dict(
        verify_alert_ids=[GONE, THERE, THERE_AND_NEW],
        verify_exposures=[*exposures_of(HALF)[:1], *exposures_of(CHANGED)],
        verify_update_alerts="both",
        verify_fail_on=["inconclusive"],
    )
    before, old = alerts(simulator), simulator.control("GET", "state")["alerts"][str(GONE)]["last_modified_ts"]
    run = verify(ansible, **asked)
    assert run.status == 0, run.output
    after = alerts(simulator)
    assert {name for name in after if after[name] != before[name]} == {GONE, THERE}
    assert (after[GONE][0], after[THERE][0]) == (RESOLVED, REOPENED)
    sums = (run.folder / "SHA256SUMS").read_bytes()
    for name in (GONE, THERE):
        comment = after[name][1]
        assert run.folder.name in comment and hashlib.sha256(sums).hexdigest() in comment and run.found["verdict"] in comment
    # Each that is left is told.
    assert "Alert %d stays as it is: it has another service" % HALF in run.output
    assert "Alert %d stays as it is: it was changed at" % CHANGED in run.output
    # One that is open and was to be opened is no news.
    assert "Alert %d" % THERE_AND_NEW not in run.output
    on_record = updates_of(run)
    assert on_record["finished"] and on_record["sha256sums_sha256"] == hashlib.sha256(sums).hexdigest()
    assert {int(one["alert_id"]): one["status"] for one in on_record["intended"]} == {
        GONE: "resolved",
        CHANGED: "resolved",
        HALF: "resolved",
        THERE: "reopened",
        THERE_AND_NEW: "reopened",
    }
    assert sorted(int(one["alert_id"]) for one in on_record["result"]["alerts"] if one["changed"]) == [GONE, THERE]
    # Once more: nothing is written that is so already, and the next run names what is on record.
    written = changes(simulator)
    again = verify(ansible, **asked)
    assert again.status == 0 and changes(simulator) == written and alerts(simulator) == after
    digest = hashlib.sha256((run.folder / "updates.json").read_bytes()).hexdigest()
    assert again.found["previous_run"]["updates_sha256"] == digest
    check(ansible, run.folder.parent)
    # A rehearsal says what it would do, and does nothing.
    patch(simulator, GONE, resolution_status=INVESTIGATED, last_modified_ts=old)
    rehearsed = ansible.run("secops.remediation.verify", "--check", "--diff", verify_wait=False, **asked)
    assert rehearsed.returncode == 0, rehearsed.stdout
    assert "Alert %d: resolved, was under_investigation" % GONE in rehearsed.stdout and "would be changed" in rehearsed.stdout
    assert changes(simulator) == written and sorted(path.name for path in run.folder.parent.glob("2*Z*")) == sorted(
        [run.folder.name, again.folder.name]
    )


def forged(alert_id, outcome="remediated"):
    """A verification in which everything is as somebody would like it."""
    target = dict(
        dict(kind="exposure", name="x", outcome=outcome, reason="x", started_at="2099-01-01T00:00:00Z", scan_id="x"),
        id=":".join(map(str, exposures_of(alert_id)[0].values())),
    )
    return dict(
        verdict="verified",
        counts=dict(remediated=1, unremediated=0, pending=0, inconclusive=0, total=1),
        run="20990101T000000Z",
        path=None,
        sha256="0" * 64,
        run_sha256="0" * 64,
        targets=[target],
        targets_left_out=0,
    )


def test_what_somebody_else_says_resolves_nothing(ansible, simulator):
    before = alerts(simulator)
    lie = forged(THERE)
    run = verify(
        ansible,
        verify_exposures=exposures_of(THERE),
        verify_update_alerts="resolved",
        verify_fail_on=[],
        verify_result=lie,
        verify_artifact=lie,
        verify_artifacts={"localhost": lie},
        ansible_check_mode=False,
    )
    assert run.status == 0, run.output
    assert run.outcomes == {lie["targets"][0]["id"]: "unremediated"}
    assert alerts(simulator) == before and changes(simulator) == [] and not (run.folder / "updates.json").exists()


@pytest.mark.parametrize("name", ["verify__updates", "verify__evidence"])
def test_the_names_that_it_rests_on_are_the_roles_own(ansible, simulator, name):
    done = ansible.run(
        "secops.remediation.verify",
        verify_exposures=exposures_of(THERE),
        verify_update_alerts="resolved",
        **{name: dict(verification=forged(THERE), alerts=[dict(alert_id=str(THERE), status="resolved")])},
    )
    assert done.returncode != 0 and "one of the role's own" in done.stdout
    assert simulator.log() == []


def test_what_an_earlier_run_was_told_resolves_nothing(ansible, simulator):
    done = ansible.run(
        "secops.remediation.verify", verify_exposures=exposures_of(GONE), verify_update_alerts="resolved", verify_confirm=False
    )
    assert done.returncode != 0 and "verify_update_alerts needs verify_confirm" in done.stdout and simulator.log() == []


def test_an_update_that_fails_fails_the_play_and_no_verdict(ansible, simulator):
    simulator.control("POST", "faults", [dict(operation="update_alerts", kind="status", status=500, times=None)])
    run = verify(ansible, verify_exposures=exposures_of(GONE), verify_update_alerts="resolved", verify_fail_on=[])
    assert run.status != 0 and "Not every alert is what it was to be" in run.output and "HTTP 500" in run.output
    assert run.found["verdict"] == "verified"
    on_record = updates_of(run)
    assert on_record["finished"] and "HTTP 500" in on_record["result"]["alerts"][0]["error"]
    check(ansible, run.folder.parent)
