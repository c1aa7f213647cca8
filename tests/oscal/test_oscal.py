# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether compliance-trestle takes the OSCAL documents for valid, and validate.py notices where one is not."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
import validate
import verification_samples as samples
from trestle.oscal import OSCAL_VERSION

from ansible_collections.secops.remediation.plugins.module_utils._evidence import form_oscal as evidence_oscal

HERE = Path(__file__).resolve().parent


SAMPLES = samples.all_samples()
FILES = [{"path": "verification.json", "sha256": samples.SHA256}, {"path": "records/a b#c.json", "sha256": samples.SHA256}]


@pytest.fixture
def errors_of(tmp_path):
    """Writes a document and validates it."""

    def write_and_validate(document):
        path = tmp_path / "oscal-assessment-results.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return validate.errors_of(path)

    return write_and_validate


def test_version_is_the_one_of_trestle():
    assert evidence_oscal.OSCAL_VERSION == OSCAL_VERSION


@pytest.mark.parametrize("files", [FILES, []], ids=["files", "no files"])
@pytest.mark.parametrize("name", SAMPLES)
def test_every_outcome_is_valid(errors_of, name, files):
    assert errors_of(evidence_oscal.oscal(SAMPLES[name], files)) == []


@pytest.mark.parametrize("missing", ["null", "left out"])
def test_only_what_is_always_there_is_needed(errors_of, missing):
    content = copy.deepcopy(SAMPLES["every outcome"])
    for target in content["targets"]:
        for key in set(target) - {"kind", "id", "outcome", "reason"}:
            if missing == "null":
                target[key] = None
            else:
                del target[key]

    assert errors_of(evidence_oscal.oscal(content, None)) == []


def test_hostile_controls_and_files_are_valid(errors_of):
    content = dict(SAMPLES["every outcome"], controls=list(samples.HOSTILE), run="\x00\n", verdict=" ", summary="")
    content["collection"] = {"name": " ", "version": "\n"}
    files = [{"path": text, "sha256": text} for text in samples.HOSTILE]

    assert errors_of(evidence_oscal.oscal(content, files)) == []


def test_words_look_ups_and_targets_of_another_kind_are_valid(errors_of):
    content = copy.deepcopy(SAMPLES["every outcome"])
    for target in content["targets"]:
        if "items" in target:
            target["items"]["words"] = samples.WORDS + [dict(samples.WORDS[0], word=text) for text in samples.HOSTILE]
    content["targets"] += [
        dict(kind=kind, id="h1", name=text, outcome=outcome, reason=text, open_since=text)
        for text in samples.HOSTILE[:20]
        for kind in ("host", "", None, ["x"], text)
        for outcome in ("unremediated", "great")
    ] + [None, [], {}]
    content.update(
        replay=dict(followed=1, total=2), lookups=[dict(kind="filter", asked=text, problem=text) for text in samples.HOSTILE]
    )

    assert errors_of(evidence_oscal.oscal(content, FILES)) == []


def test_five_thousand_targets_are_valid(errors_of):
    assert errors_of(evidence_oscal.oscal(samples.many(5000), FILES)) == []


def result_of(document):
    return document["assessment-results"]["results"][0]


WRONG = {
    "a UUID twice": lambda document: result_of(document)["observations"][1].update(
        uuid=result_of(document)["observations"][0]["uuid"]
    ),
    "another version": lambda document: document["assessment-results"]["metadata"].update({"oscal-version": "1.0.0"}),
    "a key that OSCAL does not have": lambda document: result_of(document).update(verdict="x"),
    "a reference to nothing": lambda document: result_of(document)["findings"][0]["related-observations"][0].update(
        {"observation-uuid": document["assessment-results"]["uuid"]}
    ),
    "a subject of another type": lambda document: result_of(document)["observations"][0]["subjects"][0].update(
        type="inventory-item"
    ),
    "a link to no resource": lambda document: result_of(document)["links"][0].update(
        href="#" + document["assessment-results"]["uuid"]
    ),
    "a resource that nobody names": lambda document: result_of(document)["links"].pop(),
    "a blank in front": lambda document: result_of(document)["observations"][0]["props"][0].update(value=" x"),
    "a time without a zone": lambda document: result_of(document).update(start="2026-03-02T08:15:00"),
    "an empty list": lambda document: result_of(document).update(risks=[]),
    "a title of two lines": lambda document: result_of(document).update(title="a\nb"),
    "an id with a blank": lambda document: result_of(document)["findings"][0]["target"].update({"target-id": "a b"}),
    "an objective that is not defined": lambda document: result_of(document)["findings"][0]["target"].update(
        {"target-id": "ac-2_obj"}
    ),
    "a reference with a blank": lambda document: result_of(document)["observations"][0]["relevant-evidence"][0].update(
        href="a b"
    ),
    "a property that OSCAL does not have": lambda document: result_of(document)["observations"][0]["props"][0].pop("ns"),
    "a damaged sum": lambda document: document["assessment-results"]["back-matter"]["resources"][1]["rlinks"][0]["hashes"][
        0
    ].update(value="abc"),
}


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_noticed(errors_of, what):
    document = evidence_oscal.oscal(SAMPLES["every outcome"], FILES)
    assert errors_of(document) == []
    WRONG[what](document)

    assert errors_of(document)


def test_command(tmp_path):
    right, wrong, broken = (tmp_path / name for name in ("right.json", "wrong.json", "broken.json"))
    right.write_text(json.dumps(evidence_oscal.oscal(SAMPLES["verified"], FILES)), encoding="utf-8")
    wrong.write_text('{"assessment-results": {}}', encoding="utf-8")
    broken.write_text('{"a": 1, "a": 2}', encoding="utf-8")

    def run(*files):
        command = [sys.executable, str(HERE / "validate.py"), *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good, bad, usage = run(right), run(right, wrong, broken), run()

    assert (good.returncode, good.stderr) == (0, "")
    assert "valid OSCAL %s" % OSCAL_VERSION in good.stdout
    assert bad.returncode == 1
    assert "wrong.json: " in bad.stderr and "a key twice" in bad.stderr
    assert usage.returncode == 2
