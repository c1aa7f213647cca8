# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which alerts are to be updated for what a run has found, and what is said of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml

from ansible_collections.secops.remediation.plugins.filter import xpanse as filters
from ansible_collections.secops.remediation.plugins.filter.verify import verify_inputs

ROLE = Path(__file__).resolve().parents[4] / "roles" / "verify" / "tasks"
STARTED, CHANGED = "2026-11-22T08:00:00Z", 1_763_800_000_000
RUN = "20261122T080000Z"


def exposure(alert_id, outcome="remediated", service="one", rule="Rdp", **more):
    """A target as verification.json has it."""
    return dict(dict(kind="exposure", id="%s:%s:%s" % (alert_id, rule, service), outcome=outcome, started_at=STARTED), **more)


@pytest.fixture
def evidence(tmp_path):
    """Writes a verification, and gives what remediation_evidence returns of it: evidence(target, ...)."""

    def write(*targets, **changes):
        path = tmp_path / "verification.json"
        path.write_text(json.dumps(dict(run=RUN, targets=targets)))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        verification = dict(verdict="verified", run=RUN, path=str(path), sha256=digest, run_sha256="ab" * 32, targets=[])
        return dict(verification=dict(verification, **changes))

    return write


def planned(evidence, mode="both"):
    """By the ids of the alerts, the status that they are to have."""
    plan = filters.alert_updates(evidence, mode)
    assert plan["problem"] is None
    return {wish["alert_id"]: wish["status"] for wish in plan["alerts"]}


class TestPlan:
    @pytest.mark.parametrize(
        "outcomes, both, resolved, reopened",
        [
            (["remediated"], "resolved", "resolved", None),
            (["remediated", "remediated"], "resolved", "resolved", None),
            (["unremediated"], "reopened", None, "reopened"),
            (["remediated", "unremediated"], "reopened", None, "reopened"),
            (["remediated", "pending"], None, None, None),
            (["remediated", "inconclusive"], None, None, None),
            (["pending", "unremediated"], "reopened", None, "reopened"),
            (["inconclusive"], None, None, None),
            (["Remediated"], None, None, None),
            ([None], None, None, None),
        ],
    )
    def test_only_an_answer_about_all_of_it_resolves(self, evidence, outcomes, both, resolved, reopened):
        found = evidence(*[exposure(231, outcome, "s%d" % number) for number, outcome in enumerate(outcomes)])
        for mode, status in (("both", both), ("resolved", resolved), ("reopened", reopened)):
            assert planned(found, mode) == ({"231": status} if status else {})

    def test_what_cannot_be_scanned_counts(self, evidence):
        assert planned(evidence(exposure(231), dict(kind="exposure", id="alert 231", outcome="inconclusive"))) == {}
        assert planned(evidence(exposure(231), dict(kind="exposure", id="alert 23", outcome="inconclusive"))) == {
            "231": "resolved"
        }

    def test_what_is_no_exposure_has_no_alert(self, evidence):
        others = [dict(exposure(5), kind="campaign"), dict(kind="exposure", id="case 7", outcome="remediated"), "text", None]
        assert planned(evidence(*others)) == {}

    def test_what_an_alert_has_to_be_still(self, evidence):
        plan = filters.alert_updates(evidence(exposure(231, service="b"), exposure(231, service="a")), "resolved")
        assert plan["left"] == [] and plan["alerts"] == [
            dict(
                alert_id="231",
                status="resolved",
                only_from=["new", "reopened", "under_investigation"],
                unchanged_since=STARTED,
                attack_surface_rule_id="Rdp",
                service_ids=["a", "b"],
                comment="Cortex Xpanse scanned again and no longer sees any of its exposures (secops.remediation, run %s, "
                "verdict verified). SHA-256 of SHA256SUMS of the evidence: %s" % (RUN, "ab" * 32),
            )
        ]

    def test_what_is_somebodys_decision_is_not_reopened(self, evidence):
        (wish,) = filters.alert_updates(evidence(exposure(231, "unremediated")), "both")["alerts"]
        assert {"resolved_risk_accepted", "resolved_no_risk", "resolved_contested_asset"}.isdisjoint(wish["only_from"])
        assert "service_ids" not in wish

    def test_the_earliest_moment_counts(self, evidence):
        looked_up = dict(alert=dict(last_modified_ts=CHANGED))
        plan = filters.alert_updates(evidence(exposure(231, **looked_up), exposure(231, service="b")), "both")
        assert plan["alerts"][0]["unchanged_since"] == str(CHANGED)

    @pytest.mark.parametrize(
        "targets, reason",
        [
            ([exposure(231), exposure(231, rule="Ssh")], "several attack surface rules"),
            ([exposure(231, started_at=None)], "not known when"),
            ([exposure(231, started_at="soon")], "not known when"),
            ([exposure(231, service="%7B%7B lookup('pipe', 'id') %7D%7D")], "characters that no id has"),
            ([exposure("{{ 1 }}")], "characters that no id has"),
            ([exposure(231, service="a%3Ab%0A")], "characters that no id has"),
        ],
    )
    def test_an_alert_that_stays_as_it_is(self, evidence, targets, reason):
        plan = filters.alert_updates(evidence(*targets), "both")
        assert plan["alerts"] == [] and reason in plan["left"][0]


class TestProof:
    """Nothing but what this run has written, whole, is a reason."""

    def test_a_file_that_is_not_what_was_written(self, evidence):
        plan = filters.alert_updates(evidence(exposure(231), sha256="cd" * 32), "both")
        assert plan["alerts"] == [] and "it is not what was written" in plan["problem"]

    def test_evidence_of_which_something_is_missing(self, evidence):
        plan = filters.alert_updates(dict(evidence(exposure(231)), msg="not signed"), "both")
        assert plan["alerts"] == [] and "something of the evidence is missing" in plan["problem"]

    @pytest.mark.parametrize(
        "changes", [dict(run_sha256=None), dict(run="20200101T000000Z"), dict(path="/nowhere/verification.json")]
    )
    def test_a_run_that_is_not_this_one(self, evidence, changes):
        plan = filters.alert_updates(evidence(exposure(231), **changes), "both")
        assert plan["alerts"] == [] and plan["problem"]

    def test_what_check_mode_has_at_hand(self, evidence):
        nothing = dict(path=None, sha256=None, run_sha256=None)
        plan = filters.alert_updates(evidence(targets=[exposure(231)], **nothing), "both")
        assert plan["alerts"][0]["alert_id"] == "231" and plan["alerts"][0]["comment"].endswith("not written yet")

    def test_what_was_read_by_an_earlier_run_is_refused(self):
        problems = verify_inputs(dict(verify_update_alerts="both", verify_confirm="false"), "/e")["problems"]
        assert len(problems) == 1 and "needs verify_confirm" in problems[0]
        assert verify_inputs(dict(verify_update_alerts="both"), "/e")["problems"] == []
        assert verify_inputs(dict(verify_confirm=False), "/e")["problems"] == []
        assert (
            "value of verify_update_alerts must be one of" in verify_inputs(dict(verify_update_alerts="all"), "/e")["problems"][0]
        )


GOOD = dict(updates=dict(path="/e/updates.json", sha256="ab" * 32))
ITEM = dict(alert_id="231", changed=True, before=dict(status="new", comment=""), after=dict(status="resolved", comment="x"))
DONE = dict(
    alerts=[dict(alert_id="231", status="resolved")],
    left=[],
    problem=None,
    intended=GOOD,
    result=dict(alerts=[ITEM]),
    recorded=GOOD,
)


class TestTheEnd:
    def test_all_is_well(self):
        assert filters.alert_problems(DONE, "both") == [] and filters.alert_problems({}, "none") == []
        assert filters.alert_problems(dict(alerts=[], left=["x"], problem=None), "both") == []

    @pytest.mark.parametrize(
        "changes, said",
        [
            (dict(problem="The evidence is gone."), "The evidence is gone."),
            (dict(alerts=None), "It is not known whether"),
            (dict(intended=dict(skipped=True)), "cannot be put on record"),
            (dict(intended=dict(msg="disk full")), "disk full"),
            (dict(intended=dict(GOOD, msg="not signed")), "not signed"),
            (dict(intended=dict(updates=dict(path=None))), "cannot be put on record"),
            (dict(result=None), "the task did not end"),
            (dict(result=dict(skipped=True)), "Not every alert"),
            (dict(result=dict(alerts=[])), "Not every alert"),
            (dict(result=dict(alerts=[ITEM], msg="HTTP 500")), "HTTP 500"),
            (dict(result=dict(alerts=[dict(ITEM, error="x")])), "Not every alert"),
            (dict(result=dict(alerts=[dict(ITEM, alert_id="5")])), "Not every alert"),
            (dict(recorded=dict(skipped=True)), "What became of the alerts cannot be put on record"),
            (dict(recorded=dict(GOOD, msg="not signed")), "not signed"),
        ],
    )
    def test_silence_is_no_success(self, changes, said):
        (problem,) = filters.alert_problems(dict(DONE, **changes), "resolved")
        assert said in problem

    def test_nothing_is_known(self):
        assert len(filters.alert_problems({}, "both")) == 1

    def test_what_is_said(self):
        items = [
            ITEM,
            dict(alert_id="2", changed=False, before=dict(status="resolved_no_risk"), after=None, left="no \x1b news"),
            dict(alert_id="3", changed=False, before=dict(status="new"), after=None, left="another \x1b service"),
            dict(alert_id="4", changed=False, before=None, after=None, error="HTTP 500."),
            dict(alert_id="5", changed=False, before=dict(status="resolved"), after=dict(status="resolved"), left=None),
        ]
        alerts = [dict(alert_id=item["alert_id"], status="resolved") for item in items]
        lines = filters.alert_lines(dict(DONE, alerts=alerts, result=dict(alerts=items), left=["Alert 9 stays as it is: x."]))
        assert lines == [
            "Alerts: 5 to be updated, 1 changed, 2 already in such a state.",
            "Alert 231: resolved, was new.",
            "Alert 3 stays as it is: another \\x1b service.",
            "Alert 4 failed: HTTP 500.",
            "Alert 9 stays as it is: x.",
            "What was changed is on record in /e/updates.json, SHA-256 " + "ab" * 32,
        ]

    def test_thousands_are_not_printed(self):
        items = [dict(ITEM, alert_id=str(number)) for number in range(5000)]
        lines = filters.alert_lines(dict(DONE, alerts=items, result=dict(alerts=items), intended={}, recorded={}))
        assert len(lines) == 101 and "5000 would be changed" in lines[0] and "4901 more" in lines[-1]

    def test_what_is_put_on_record(self):
        result = dict(DONE["result"], invocation={}, diff=[1], changed=True)
        assert filters.alert_results(result) == dict(alerts=[ITEM], changed=True)


class TestTheRole:
    @pytest.mark.parametrize("entry_point, updates", [("main", True), ("collect", True), ("start", False)])
    def test_alerts_are_updated_when_the_evidence_is_closed_and_before_the_play_may_fail(self, entry_point, updates):
        tasks = yaml.safe_load((ROLE / (entry_point + ".yml")).read_text(encoding="utf-8"))
        files = [
            task.get("ansible.builtin.import_tasks") or task.get("ansible.builtin.include_tasks") for task in tasks[-1]["always"]
        ]
        assert files == (["report.yml", "xpanse/update.yml", "gate.yml"] if updates else ["report.yml", None])

    def test_nothing_is_changed_but_what_is_on_record(self):
        tasks = yaml.safe_load((ROLE / "xpanse" / "update.yml").read_text(encoding="utf-8"))
        modules = [next((name for name in task if name.startswith("secops.")), None) for task in tasks]
        evidence, alert = "secops.remediation.remediation_evidence", "secops.remediation.xpanse_alert"
        assert list(filter(None, modules)) == [evidence, alert, evidence]
        assert tasks[modules.index(alert)]["check_mode"] == "{{ verify__evidence.verification.path is none }}"
