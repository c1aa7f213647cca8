# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import time
from pathlib import Path

import pytest
import verification_samples as samples
from jsonschema import Draft202012Validator

from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import COLLECTION, OUTCOMES

HERE = Path(__file__).resolve().parent
SCHEMAS = {
    version: json.loads((HERE.parents[1] / ("docs/schemas/verification-%s.schema.json" % version)).read_text("utf-8"))
    for version in ("1.1", "1.2")
}
SCHEMA = SCHEMAS["1.2"]
VALIDATOR = Draft202012Validator(SCHEMA)
SAMPLES = samples.all_samples()
OLD = json.loads((HERE / "verification-1.1.json").read_text("utf-8"))


def errors_of(content):
    return ["%s: %s" % (error.json_path, error.message[:300]) for error in VALIDATOR.iter_errors(content)]


def described(schema, where="$"):
    """Where the schema has a property without words, or objects of its own that are open."""
    if isinstance(schema, dict):
        for name, part in (schema.get("properties") or {}).items():
            if not ("title" in part and part.get("description")):
                yield "%s.%s" % (where, name)
            yield from described(part, "%s.%s" % (where, name))
        yield from described(schema.get("items"), where + "[]")
        for name, part in (schema.get("$defs") or {}).items():
            if not ("title" in part and part.get("description")):
                yield name
            yield from described(part, name)


@pytest.mark.parametrize("version", SCHEMAS)
def test_schema_is_a_schema(version):
    schema = SCHEMAS[version]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == ("https://github.com/secops/remediation/blob/main/docs/schemas/verification-%s.schema.json" % version)
    assert schema["properties"]["schema_version"]["const"] == version


@pytest.mark.parametrize("version", SCHEMAS)
def test_everything_has_a_title_and_a_description(version):
    assert list(described(SCHEMAS[version])) == []


def test_old_files_are_still_described():
    assert list(Draft202012Validator(SCHEMAS["1.1"]).iter_errors(OLD)) == []
    assert errors_of(OLD)


def test_what_1_2_added_is_accepted():
    content = copy.deepcopy(SAMPLES["every outcome"])
    content.update(
        replay=dict(followed=7, total=8),
        lookups=[
            dict(kind="filter", asked='name sw "Q"', found=None, problem="the API said no"),
            dict(kind="case", asked=71, found=2, problem=None),
        ],
    )
    content["targets"][0]["items"].update(words=samples.WORDS + [dict(samples.WORDS[0], column="Item Status")], words_left_out=3)
    for run in content["history"]:
        run["open_items"] = None
    assert errors_of(content) == []
    # A run that could ask nobody is the first one.
    assert errors_of(dict(content, history=[])) == []


def test_verification_without_a_target_that_is_not_verified():
    content = dict(copy.deepcopy(SAMPLES["verified"]), lookups=[dict(kind="filter", asked="x", found=0, problem="none fits")])
    assert errors_of(content)
    assert errors_of(dict(content, verdict="not_verified")) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_written_is_accepted(name):
    content = json.loads(json.dumps(SAMPLES[name]))

    assert errors_of(content) == []
    assert content["counts"]["total"] == len(content["targets"]) == sum(content["counts"][one] for one in OUTCOMES)


def test_samples_have_every_outcome_of_both_kinds():
    found = {(target["kind"], target["outcome"]) for target in SAMPLES["every outcome"]["targets"]}

    assert found == {(kind, outcome) for kind in samples.KINDS for outcome in OUTCOMES}
    assert {content["verdict"] for content in SAMPLES.values()} == {"verified", "not_verified", "incomplete"}


def test_thousands_of_campaigns_are_judged_in_no_time():
    results = samples.results_of([("campaign", "remediated")] * 3000)
    start = time.perf_counter()

    content = samples.verify(results, previous=False)

    assert time.perf_counter() - start < 15
    assert content["counts"]["remediated"] == 3000


def of(kind, outcome):
    """The place of a target in the sample with every outcome."""
    return samples.KINDS.index(kind) * len(OUTCOMES) + OUTCOMES.index(outcome)


WRONG = {
    "a key that is not known": lambda content: content.update(targts=[]),
    "a key of a target that is not known": lambda content: content["targets"][0].update(outcom="remediated"),
    "no run": lambda content: content.pop("run"),
    "another version": lambda content: content.update(schema_version="1.0"),
    "a verdict that is not known": lambda content: content.update(verdict="ok"),
    "a verdict that is too good": lambda content: content.update(verdict="verified"),
    "a verdict that is too mild": lambda content: content.update(verdict="incomplete"),
    "a count below zero": lambda content: content["counts"].update(pending=-1),
    "a count less": lambda content: content["counts"].pop("pending"),
    "a time without a zone": lambda content: content.update(started_at="2026-03-02T08:15:00"),
    "a local time": lambda content: content.update(finished_at="2026-03-02T08:15:00+01:00"),
    "a day that is none": lambda content: content.update(finished_at="2026-13-02T08:15:00Z"),
    "a control twice": lambda content: content.update(controls=["ac-2", "ac-2"]),
    "a control with spaces": lambda content: content.update(controls=["AC 2"]),
    "no history": lambda content: content.pop("history"),
    "no look-ups": lambda content: content.pop("lookups"),
    "a look-up without a problem's key": lambda content: content.update(lookups=[dict(kind="case", asked=1, found=0)]),
    "no word of a replay": lambda content: content.pop("replay"),
    "half a replay": lambda content: content.update(replay=dict(followed=1)),
    "items without words": lambda content: content["targets"][0]["items"].pop("words"),
    "a word of another meaning": lambda content: content["targets"][0]["items"].update(
        words=[dict(samples.WORDS[0], meaning="done")]
    ),
    "a word from elsewhere": lambda content: content["targets"][0]["items"].update(
        words=[dict(samples.WORDS[0], source="guessed")]
    ),
    "remediated and not verified since": lambda content: content["targets"][of("campaign", "remediated")].update(
        not_verified_since=samples.BEFORE
    ),
    "not verified since never": lambda content: content["targets"][of("exposure", "pending")].update(not_verified_since=None),
    "a run of the history without counts": lambda content: content["history"][0].pop("counts"),
    "a previous run without its sum": lambda content: content.update(previous_run={"run": samples.RUN}),
    "a run that is a path": lambda content: content.update(run="../x"),
    "an outcome that is not known": lambda content: content["targets"][0].update(outcome="fine"),
    "a kind that is not known": lambda content: content["targets"][0].update(kind="host"),
    "an empty reason": lambda content: content["targets"][0].update(reason=""),
    "remediated and open since": lambda content: content["targets"][of("campaign", "remediated")].update(
        open_since=samples.BEFORE
    ),
    "open since never": lambda content: content["targets"][of("exposure", "unremediated")].update(open_since=None),
    "remediated without items": lambda content: content["targets"][of("campaign", "remediated")].pop("items"),
    "remediated with an open item": lambda content: content["targets"][of("campaign", "remediated")]["items"].update(
        items_open=1
    ),
    "remediated with an unknown item": lambda content: content["targets"][of("campaign", "remediated")]["items"].update(
        items_unknown=1
    ),
    "remediated without a report": lambda content: content["targets"][of("campaign", "remediated")].update(evidence=[]),
    "unremediated without items": lambda content: content["targets"][of("campaign", "unremediated")].pop("items"),
    "unremediated without an open item": lambda content: content["targets"][of("campaign", "unremediated")]["items"].update(
        items_open=0
    ),
    "a scan that has not finished": lambda content: content["targets"][of("campaign", "remediated")]["scan"].update(
        status="started"
    ),
    "an exposure without a scan": lambda content: content["targets"][of("exposure", "remediated")].pop("scan"),
    "an exposure without a scan's id": lambda content: content["targets"][of("exposure", "remediated")].update(scan_id=None),
    "an exposure with another result": lambda content: content["targets"][of("exposure", "remediated")]["scan"].update(
        result="UNREMEDIATED"
    ),
    "an exposure with two of three ids": lambda content: content["targets"][of("exposure", "pending")].pop("service_id"),
    "a campaign with an alert": lambda content: content["targets"][of("campaign", "pending")].update(alert={}),
    "an exposure with items": lambda content: content["targets"][of("exposure", "pending")].update(
        items=content["targets"][0]["items"]
    ),
    "evidence above the folder": lambda content: content["targets"][0]["evidence"][0].update(path="reports/../../x"),
    "evidence at an absolute path": lambda content: content["targets"][0]["evidence"][0].update(path="/etc/passwd"),
    "evidence with backslashes": lambda content: content["targets"][0]["evidence"][0].update(path="reports\\x"),
    "a SHA-256 in capitals": lambda content: content["targets"][0]["evidence"][0].update(sha256=samples.SHA256.upper()),
    "a request without a status": lambda content: content["targets"][0]["requests"][0].pop("status"),
    "a status as text": lambda content: content["targets"][0]["requests"][0].update(status="200"),
    "a reference without a text": lambda content: content["targets"][0]["requests"][0].update(reference=" "),
    "a system that is no URL": lambda content: content["targets"][0].update(system="acme"),
}


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_refused(what):
    content = copy.deepcopy(SAMPLES["every outcome"])
    WRONG[what](content)

    assert errors_of(content)


WITNESSED = {
    "a witness that is not known": lambda target: target["witnesses"][1].update(name="somebody"),
    "no witness": lambda target: target.update(witnesses=[]),
    "a word of a witness that is none": lambda target: target["witnesses"][1].update(outcome="fine"),
    "access that is still there": lambda target: target["access"].update(items_open=1),
    "access that is not counted": lambda target: target["access"].pop("items_total"),
    "access that nobody can see, alone": lambda target: target["access"].update(items_unknown=1),
    "access that is not complete, alone": lambda target: target["access"].update(complete=False),
    "nobody says so": lambda target: [one.update(outcome="inconclusive") for one in target["witnesses"]],
    "an open item in the report": lambda target: target["items"].update(items_open=1),
}


@pytest.mark.parametrize("what", WITNESSED)
def test_mistakes_about_witnesses_are_refused(what):
    content = copy.deepcopy(SAMPLES["two witnesses"])
    assert [target["outcome"] for target in content["targets"]] == ["remediated", "unremediated", "remediated", "unremediated"]
    # The report of this one is not understood.
    target = content["targets"][2]
    target["items"] = dict(SAMPLES["every outcome"]["targets"][0]["items"], items_open=None, items_remediated=None, open_items=[])
    assert errors_of(content) == []
    WITNESSED[what](target)

    assert errors_of(content)


def test_what_the_apis_have_stays_open():
    content = copy.deepcopy(SAMPLES["every outcome"])
    content["targets"][0]["campaign"].update(status=None, more={"a": [1]})
    content["targets"][0]["report"].update(more=1)
    content["targets"][of("exposure", "pending")]["alert"].update(case_id="91", ipv4_addresses="192.0.2.1", more=[None])
    content["targets"][of("exposure", "pending")]["scan"].update(more=[None])

    assert errors_of(content) == []


def test_the_version_is_that_of_the_collection():
    galaxy = (Path(__file__).resolve().parents[2] / "galaxy.yml").read_text(encoding="utf-8")
    assert "\nversion: %s\n" % COLLECTION["version"] in galaxy
