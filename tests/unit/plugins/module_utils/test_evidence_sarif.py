# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The results for code scanning: valid by the schema of OASIS, and none only where all is verified."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import verification_samples as samples
from hypothesis import given
from jsonschema import Draft7Validator, FormatChecker
from test_evidence_formats import CONTENT, HOSTILE, OTHER_KIND, QUICKLY, SAMPLES, TEXTS, with_text

from ansible_collections.secops.remediation.plugins.module_utils._common import texts
from ansible_collections.secops.remediation.plugins.module_utils._evidence import record
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_sarif import message, sarif

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
SCHEMA = json.loads((FIXTURES / "sarif" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft7Validator(SCHEMA, format_checker=FormatChecker())
EVERY = SAMPLES["every outcome"]
LEVELS = {"unremediated": "error", "inconclusive": "error", "pending": "warning"}


def run_of(content):
    """The one run of the document, which is valid."""
    document = sarif(content)
    assert [error.message[:300] for error in VALIDATOR.iter_errors(document)] == []
    assert document == json.loads(json.dumps(document))
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    prints = [result["fingerprints"]["remediation/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] and result["kind"] == "fail"
        assert (result["level"] == "note") == ("suppressions" in result)
        assert result["level"] in ("error", "warning", "note") and not texts.UNFIT.search(result["message"]["text"])
        # Without a place and this one, GitHub shows none of it, or takes each run's for new.
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    return run


def own(run):
    """The results of targets, without those of their items."""
    return [one for one in run["results"] if "properties" in one and not one["ruleId"].endswith("/item")]


def test_the_schema_is_that_of_oasis():
    assert SCHEMA["$id"] == "https://raw.githubusercontent.com/oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
    assert list(VALIDATOR.iter_errors({"version": "2.1.0"})) and list(VALIDATOR.iter_errors({"version": "2.2.0", "runs": []}))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_target_that_is_not_remediated_is_a_result(name):
    content = copy.deepcopy(SAMPLES[name])
    run = run_of(content)
    assert content == SAMPLES[name]
    expected = [target for target in record.readable(content)["targets"] if target["outcome"] != "remediated"]
    assert [(one["ruleId"].rpartition("/")[2], one["level"]) for one in own(run)] == [
        (target["outcome"], "note" if target["accepted"] else LEVELS[target["outcome"]]) for target in expected
    ]
    assert bool(run["results"]) == (content["verdict"] != "verified")
    assert run["properties"]["verdict"] == content["verdict"]


def test_who_what_and_why():
    run = run_of(EVERY)
    exposure = next(one for one in own(run) if one["ruleId"] == "exposure/unremediated")
    assert exposure["message"]["text"].startswith("Exposure RDP Server at 192.0.2.10:3389: still open: ")
    assert exposure["properties"]["id"] == EVERY["targets"][5]["id"]
    assert exposure["provenance"] == {"firstDetectionTimeUtc": samples.BEFORE}
    items = [one for one in run["results"] if one["ruleId"] == "campaign/item"]
    assert "identity: Jo Novak, access: WMS_SUPERVISOR, source: Warehouse" in items[0]["message"]["text"]
    rule = next(rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "exposure/unremediated")
    assert rule["shortDescription"]["text"] == "Exposure is still there" and rule["defaultConfiguration"] == {"level": "error"}
    assert run["automationDetails"]["id"] == "secops.remediation/%s" % samples.RUN
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_result_is_known_again_in_the_next_run():
    later = copy.deepcopy(EVERY)
    later.update(run="20270101T000000Z", finished_at="2027-01-01T00:00:00Z")
    later["targets"].reverse()
    for target in later["targets"]:
        target.update(reason="in other words", name="another name", open_since=None)

    def prints(content):
        return {one["partialFingerprints"]["primaryLocationLineHash"] for one in run_of(content)["results"]}

    assert prints(later) == prints(EVERY)
    later["targets"][0]["id"] = "another"
    assert prints(later) != prints(EVERY)


def test_two_that_are_the_same_are_two():
    content = copy.deepcopy(EVERY)
    content["targets"] = [content["targets"][5]] * 3
    assert len(run_of(content)["results"]) == 3


@pytest.mark.parametrize("kind", ["host", "", None, "CAMPAIGN", ["campaign"], 5, "x" * 9000, "<b>"])
@pytest.mark.parametrize("outcome", ["remediated", "unremediated", "inconclusive", "pending", "great", None])
def test_a_kind_that_is_registered_nowhere_is_loud(kind, outcome):
    content = copy.deepcopy(SAMPLES["verified"])
    content["targets"].append(dict(OTHER_KIND, kind=kind, outcome=outcome))
    (result,) = run_of(content)["results"]
    assert result["level"] == "error" and result["ruleId"].startswith("unknown-kind/")
    assert "a host" in result["message"]["text"] and result["properties"]["id"] == "h1"


@pytest.mark.parametrize("verdict", ["not_verified", "incomplete", None, "great", ["verified"]])
def test_without_a_result_only_what_is_verified(verdict):
    assert run_of(SAMPLES["verified"])["results"] == []
    assert run_of(SAMPLES["verified"])["invocations"][0]["executionSuccessful"] is True
    (result,) = run_of(dict(SAMPLES["verified"], verdict=verdict))["results"]
    assert (result["ruleId"], result["level"]) == ("verification/not-verified", "error")


def test_nothing_at_all_is_not_verified():
    for targets in ([], None):
        run = run_of(dict(SAMPLES["verified"], targets=targets))
        assert [one["ruleId"] for one in run["results"]] == ["verification/not-verified"]
        assert run["invocations"][0]["executionSuccessful"] is False


def test_what_is_accepted_is_there_and_suppressed():
    run = run_of(SAMPLES["accepted"])
    accepted = [one for one in run["results"] if one["level"] == "note"]
    assert accepted and {one["properties"]["outcome"] for one in accepted} == {"unremediated"}
    for result in accepted:
        (suppression,) = result["suppressions"]
        assert suppression["kind"] == "external" and suppression["justification"].startswith("accepted by ")
    assert any(", accepted by " in one["message"]["text"] for one in accepted)
    # Of no other outcome.
    content = copy.deepcopy(SAMPLES["accepted"])
    for target in content["targets"]:
        target.update(outcome="inconclusive", accepted=dict(by="x", until="2099-01-01T00:00:00Z", reason="y"))
    assert {one["level"] for one in own(run_of(content))} == {"error"}


def test_a_look_up_with_a_problem_is_a_result():
    lookups = [dict(kind="case", asked=71, found=0, problem="not found"), dict(kind="case", asked=72, found=1, problem=None)]
    (result,) = run_of(dict(SAMPLES["verified"], lookups=lookups))["results"]
    assert (result["ruleId"], result["message"]["text"]) == ("look-up/problem", "case 71: not found")


def test_outcomes_that_do_not_follow_are_a_result():
    assert run_of(dict(SAMPLES["verified"], replay=dict(followed=2, total=2)))["results"] == []
    for replay in (dict(followed=1, total=2), dict(followed=None, total=2), dict(total=2)):
        (result,) = run_of(dict(SAMPLES["verified"], replay=replay))["results"]
        assert (result["ruleId"], result["level"]) == ("verification/does-not-follow", "error")


def test_no_text_is_a_link_or_a_placeholder():
    assert message("[x](https://evil.example) {0}") == "[x] (https://evil.example) {{0}}"
    for result in run_of(HOSTILE)["results"]:
        assert "](" not in result["message"]["text"]


@given(TEXTS)
@QUICKLY
def test_no_text_breaks_it(text):
    assert len(own(run_of(with_text(text)))) == 2


@given(CONTENT)
@QUICKLY
def test_no_odd_value_costs_a_result(content):
    run = run_of(content)
    readable = record.readable(content)
    assert len(own(run)) == readable["counts"]["total"] - readable["counts"]["remediated"]
    if not run["results"]:
        assert readable["verdict"] == "verified" and readable["targets"]


def test_five_thousand_exposures():
    document = sarif(samples.many(5000))
    assert len(json.dumps(document)) < 10_000_000 and len(document["runs"][0]["results"]) >= 3750
