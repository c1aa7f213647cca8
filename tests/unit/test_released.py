# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What 0.2.0 wrote, checked and gone on with by this version. tests/fixtures says how it was made."""

from __future__ import annotations

import contextlib
import json

import pytest
from released import OF_0_2_0, OUTCOMES_OF_0_2_0, copy_of, teach, tenant_of
from running_simulator import running_simulator
from two_systems import Role, call

from ansible_collections.secops.remediation.plugins.modules import remediation_evidence_info

TENANT = tenant_of(OF_0_2_0)
CAMPAIGNS, EXPOSURES = list(TENANT["campaigns"]), list(TENANT["exposures"])
# Scans of an earlier run count, whenever these tests are run.
MANY_YEARS = 10**9
RUNS = sorted(path.name for path in (OF_0_2_0 / "evidence").glob("*Z"))


def verification(folder, run):
    """What a run says."""
    return json.loads((folder / run / "verification.json").read_text(encoding="utf-8"))


def outcomes_of(found):
    """The outcome of each target of a verification."""
    return {target["id"]: target["outcome"] for target in found["targets"]}


def scans_known(simulator):
    """The ids of all scans of each exposure, and the number of scans that were asked for of campaigns."""
    exposures = simulator.control("GET", "state")["exposures"]
    return {name: exposures[name]["scan_ids"] for name in EXPOSURES}, len(simulator.log(operation="run_scan"))


def check(folder, **options):
    """What remediation_evidence_info says of a folder."""
    return call(remediation_evidence_info, dict(path=str(folder), **options))


@contextlib.contextmanager
def tenant_that_knows(tenant):
    """A simulator in which a scan or a report takes no time."""
    with running_simulator("--company", "--scan-seconds", "0", "--report-seconds", "0", "--rate-limit", "0") as simulator:
        teach(simulator, tenant)
        yield simulator


@pytest.fixture
def evidence(tmp_path):
    """A copy of the evidence that 0.2.0 wrote, and of its ledger."""
    return copy_of(OF_0_2_0, tmp_path)


@pytest.fixture
def simulator():
    """The tenant of 0.2.0, which knows its scans."""
    with tenant_that_knows(TENANT) as running:
        yield running


@pytest.fixture
def role(simulator, evidence):
    """This version's way from the targets to the evidence, in the directory and with the ledger of 0.2.0."""
    role = Role(simulator.url, evidence.parent)
    role.sailpoint.update(client_id="admin-client", client_secret="admin-secret", max_age=MANY_YEARS)
    # A report has to be made, and one scan of an exposure goes on for hours.
    role.sailpoint.update(wait=True, wait_interval=1, wait_timeout=60)
    role.xpanse.update(api_key_id="1", api_key="advanced-key", max_age=MANY_YEARS)
    role.evidence, role.ledger = evidence, evidence / "ledger.json"
    role.targets = dict(campaign_ids=CAMPAIGNS, exposures=[], alert_ids=[int(name) for name in TENANT["alerts"]])
    return role


class TestEvidence:
    """The directory, as an auditor finds it."""

    def test_it_is_what_the_tests_take_it_for(self):
        first, second, third = (verification(OF_0_2_0 / "evidence", run) for run in RUNS)
        assert {one["collection"]["version"] for one in (first, second, third)} == {"0.2.0"}
        assert outcomes_of(first) == outcomes_of(second) == OUTCOMES_OF_0_2_0
        assert [one["verdict"] for one in (first, second, third)] == ["not_verified", "not_verified", "verified"]

    def test_it_is_intact_and_cannot_be_replayed(self, evidence):
        result = check(evidence)
        assert (result["intact"], result["problems"], result["summary"]) == (True, [], "3 of 3 runs are intact.")
        assert [run["run"] for run in result["runs"]] == RUNS
        for run in result["runs"]:
            assert (run["outcomes_total"], run["outcomes_followed"]) == (None, None)
            assert run["replay"] == "cannot be replayed: the run is of a version that kept no answers"
            assert run["replay"] in run["notes"]

    def test_it_is_signed_by_whom_the_signers_name(self, evidence):
        result = check(evidence, signers_file=str(OF_0_2_0 / "signers"), signed=True)
        assert result["intact"] and {run["signature"] for run in result["runs"]} == {"valid"}

    def test_a_file_that_was_changed_shows(self, evidence):
        record = evidence / RUNS[0] / "verification.json"
        record.write_text(record.read_text().replace('"unremediated"', '"remediated"'))
        result = check(evidence)
        assert not result["intact"]
        assert "%s: verification.json was changed" % RUNS[0] in result["problems"]


class TestNextRun:
    """A run of this version in the directory of 0.2.0."""

    def test_it_goes_on_with_chain_and_history(self, role, evidence):
        found = role.run(formats=["csv", "junit", "markdown", "oscal", "sarif", "attestation", "html"])
        assert found["previous_run"]["run"] == RUNS[-1]
        assert [point["run"] for point in found["history"]] == RUNS + [found["run"]]
        assert found["history"][:-1] == verification(evidence, RUNS[-1])["history"]
        result = check(evidence)
        assert (result["intact"], result["problems"]) == (True, [])
        assert [run["outcomes_followed"] for run in result["runs"]] == [None, None, None, len(OUTCOMES_OF_0_2_0)]

    def test_what_was_open_is_open_since_then(self, role, evidence):
        found = role.run()
        then = verification(evidence, RUNS[0])
        since = {target["id"]: target["open_since"] for target in then["targets"] if target["open_since"]}
        assert set(since) == {name for name, outcome in OUTCOMES_OF_0_2_0.items() if outcome != "remediated"}
        assert {target["id"]: target["not_verified_since"] for target in found["targets"]} == {
            name: since.get(name) for name in OUTCOMES_OF_0_2_0
        }
        # The date of 0.2.0 was that of all that was not remediated. That it was open is known of its last run that had it.
        last = verification(evidence, RUNS[1])["finished_at"]
        assert {target["id"]: target["open_since"] for target in found["targets"]} == {
            name: last if outcome == "unremediated" else None for name, outcome in OUTCOMES_OF_0_2_0.items()
        }


class TestLedger:
    """The ledger, read as a memory of ids and times."""

    def test_scans_that_it_knows_are_not_started_again(self, role, simulator):
        before = scans_known(simulator)
        found = role.run()
        assert scans_known(simulator) == before
        assert outcomes_of(found) == OUTCOMES_OF_0_2_0
        known = {name: scans[0] for name, scans in before[0].items()}
        assert {target["id"]: target["scan_id"] for target in found["targets"] if target["kind"] == "exposure"} == known

    def test_without_it_all_are_started(self, role, simulator):
        """Which shows that the test before this one can fail."""
        role.ledger.unlink()
        before = scans_known(simulator)
        role.run()
        exposures, campaigns = scans_known(simulator)
        # The scan of one still runs, and is found again.
        assert [len(exposures[name]) - len(before[0][name]) for name in EXPOSURES] == [1, 1, 1, 0]
        assert campaigns == 4

    def test_scans_that_are_too_old_are_started_again(self, role, simulator):
        role.sailpoint["max_age"] = role.xpanse["max_age"] = 0
        role.run()
        exposures, campaigns = scans_known(simulator)
        assert [len(exposures[name]) for name in EXPOSURES] == [2, 2, 2, 1]
        assert campaigns == 4

    def test_a_scan_that_the_api_forgot_is_started_again(self, role):
        with tenant_that_knows(dict(TENANT, exposures={})) as forgetful:
            role.xpanse["base_url"] = forgetful.url
            found = role.run()
            exposures, campaigns = scans_known(forgetful)
        assert campaigns == 0
        for target in found["targets"]:
            if target["kind"] == "exposure":
                assert target["scan_id"] in exposures[target["id"]], target["reason"]

    @pytest.mark.parametrize("confirm", [True, False])
    @pytest.mark.parametrize("operation, kind", [("rcs_get", "exposure"), ("get_campaign list_campaigns", "campaign"), ("*", "")])
    def test_what_it_claims_is_not_believed_without_the_api(self, role, simulator, operation, kind, confirm):
        role.sailpoint["confirm"] = role.xpanse["confirm"] = confirm
        faults = [dict(operation=one, kind="status", status=500, times=None) for one in operation.split()]
        simulator.control("POST", "faults", faults)
        found = role.run()
        assert found["verdict"] == "not_verified"
        outcomes = {target["id"]: target["outcome"] for target in found["targets"] if target["kind"].startswith(kind)}
        assert outcomes and set(outcomes.values()) <= {"inconclusive", "pending"}, outcomes

    def test_another_end_than_it_claims_counts(self, role):
        """Whatever the released version was told, what the API says now is what counts."""
        tenant = json.loads(json.dumps(TENANT))
        for exposure in tenant["exposures"].values():
            for scan in exposure["scans"]:
                scan.update(status="SUCCESS", result="UNREMEDIATED")
        for campaign in tenant["campaigns"].values():
            for item in campaign["items"]:
                item["open"] = True
        with tenant_that_knows(tenant) as other:
            role.sailpoint["base_url"] = role.xpanse["base_url"] = other.url
            found = role.run()
        assert "remediated" not in {
            outcome for name, outcome in outcomes_of(found).items() if name in EXPOSURES or TENANT["campaigns"][name]["items"]
        }

    def test_records_without_requests_claim_nothing(self, role, simulator):
        """Nothing but the requests on record says that a scan was asked for."""
        ledger = json.loads(role.ledger.read_text())
        for record in ledger["records"].values():
            record["requests"] = []
        role.ledger.write_text(json.dumps(ledger))
        role.run()
        exposures, campaigns = scans_known(simulator)
        assert [len(exposures[name]) for name in EXPOSURES] == [2, 2, 2, 1] and campaigns == 4
