# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to add a system: its own files, lines in lists, and no line in what holds logic."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from simulator import company

from ansible_collections.secops.remediation.plugins.module_utils._systems import SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.results import sort_results

ROOT = Path(__file__).resolve().parents[2]
OWN_FILES = ROOT / "tests" / "third_system" / "collection"
PLAYBOOK = "secops.remediation.verify"
SCHEMA = "docs/schemas/verification-1.2.schema.json"
TARGETS_SCHEMA = "docs/schemas/targets-1.0.schema.json"
# What is put where in a shipped file: after this text, these lines.
CONNECTION = [
    (
        "  module_defaults:\n",
        "    group/secops.remediation.doors:\n"
        "      base_url: \"{{ omit if doors_base_url | default('') in [none, ''] else doors_base_url }}\"\n",
    )
]
EDITS = {
    "plugins/module_utils/_systems.py": [
        (
            "from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.system import SAILPOINT\n",
            "from ansible_collections.secops.remediation.plugins.module_utils._doors.system import DOORS\n",
        ),
        ("    XPANSE,\n", "    DOORS,\n"),
    ],
    "roles/verify/defaults/main.yml": [("verify_case_ids: []\n", "verify_badges_asked: []\n")],
    "roles/verify/meta/argument_specs.yml": [
        (
            "    options: &options\n",
            "      verify_badges_asked:\n        description: Badges.\n        type: raw\n        default: []\n",
        )
    ],
    "roles/verify/tasks/prepare.yml": [("      {{ {", "'verify_badges_asked': verify_badges_asked, ")],
    "roles/verify/tasks/targets.yml": [
        (
            "---\n",
            "- name: Look at the badges\n  ansible.builtin.include_tasks: doors/look.yml\n"
            "  when: verify__inputs.badges_asked | length > 0\n\n",
        )
    ],
    "meta/runtime.yml": [("action_groups:\n", "  doors:\n    - doors_badge_info\n")],
    "playbooks/verify.yml": CONNECTION,
    "playbooks/verify_events.yml": CONNECTION,
    "extensions/awx/project/verify.yml": CONNECTION,
    SCHEMA: [
        ('          "enum": [\n            "campaign",\n', '            "badge",\n'),
        (
            '      "description": "A campaign or an exposure, and what was found of it.",\n'
            '      "type": "object",\n      "properties": {\n',
            '        "badge": {"title": "Badge", "description": "What the doors say of it.", "type": "object"},\n',
        ),
    ],
    TARGETS_SCHEMA: [
        ('          "enum": [\n            "campaign",\n', '            "badge",\n'),
        (
            '      "description": "What is to be verified, and what is accepted. Something of it has to be there.",\n'
            '      "type": "object",\n      "properties": {\n',
            '        "badges_asked": {"type": "array", "items": {"oneOf": [{"type": "string"}, {"type": "object", "properties": '
            '{"id": {"type": "string"}, "owner": {"type": "string"}}, "required": ["id"]}]}},\n',
        ),
        ('      "anyOf": [\n', '        {"required": ["badges_asked"], "properties": {"badges_asked": {"minItems": 1}}},\n'),
    ],
}
# The lists that the suite holds against the code: of these, those that need no more of a system than what is here.
LISTS = "TestActionGroups or TestActions or TestFragments or TestFilters or TestTargetsFile or TestWayIn or test_the_defaults"
SHIPPED = ["plugins", "roles", "meta", "playbooks", "extensions", "docs/schemas", "galaxy.yml"]
TESTS = [
    "pyproject.toml",
    "tests/unit/test_lists.py",
    "tests/unit/plugins/filter/test_verify.py",
    "tests/tools",
    "tests/simulator",
]
OUTCOMES = {"b1": "remediated", "b2": "unremediated", "b3": "inconclusive"}
WORDS = "Door badges", "The doors of the head office", "Badges that still open doors", "A badge still opens doors"
DOORS = "https://doors.example"


def copy_with(folder, more=()):
    """A folder of collections with a copy of this one that knows the third system. more: edits beyond EDITS, alike."""
    copy = folder / "ansible_collections" / "secops" / "remediation"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *SHIPPED, *TESTS]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    shutil.copytree(OWN_FILES, copy, dirs_exist_ok=True)
    for name, edits in {**EDITS, **dict(more)}.items():
        text = (copy / name).read_text(encoding="utf-8")
        for anchor, lines in edits:
            assert text.count(anchor) == 1, (name, anchor)
            text = text.replace(anchor, anchor + lines)
        (copy / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """Where the third system is known."""
    return copy_with(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="module")
def unregistered(tmp_path_factory):
    """Where it judges targets of a kind that it has registered nowhere."""
    nowhere = {"plugins/module_utils/_doors/system.py": [("    kinds=(BADGE,)", "[1:]")]}
    return copy_with(tmp_path_factory.mktemp("unregistered"), nowhere)


def verify(ansible, collections, badges, **more):
    """Verifies badges beside an exposure that is remediated. Returns (the run's folder, the finished process)."""
    done = ansible.run(
        PLAYBOOK,
        environment=dict(ANSIBLE_COLLECTIONS_PATH=str(collections), PYTHONPATH=None),
        doors_base_url=DOORS,
        verify_evidence_dir=str(ansible.folder / "evidence"),
        verify_badges_asked=badges,
        verify_exposures=company.exposures(company.REMEDIATED)[:1],
        verify_wait_interval=1,
        **more,
    )
    return ansible.folder / "evidence" / "latest", done


@pytest.fixture
def evidence(ansible, collections):
    """The folder of the evidence of badges beside campaigns and exposures, and what the run printed."""
    folder, done = verify(ansible, collections, list(OUTCOMES), verify_campaign_ids=[company.FINANCE])
    # Some of them are not remediated.
    assert done.returncode == 2, done.stdout
    return folder, done.stdout


class Forms:
    """All forms of the evidence in a run's folder, as a reader of each has them."""

    def __init__(self, folder):
        self.content = json.loads((folder / "verification.json").read_text(encoding="utf-8"))
        self.suites = {
            suite.get("name"): suite for suite in ElementTree.parse(folder / "verification.junit.xml").getroot().iter("testsuite")
        }
        self.rows, self.items = (
            list(csv.DictReader(io.StringIO((folder / name).read_text(encoding="utf-8-sig"))))
            for name in ("verification.csv", "open-items.csv")
        )
        self.markdown, self.page = (
            (folder / name).read_text(encoding="utf-8") for name in ("verification.md", "verification.html")
        )
        oscal = json.loads((folder / "oscal-assessment-results.json").read_text(encoding="utf-8"))
        self.oscal = oscal["assessment-results"]["results"][0]
        self.sarif = json.loads((folder / "verification.sarif").read_text(encoding="utf-8"))["runs"][0]
        self.tests = json.loads((folder / "verification.intoto.json").read_text(encoding="utf-8"))["predicate"]

    def targets(self):
        """The badges of verification.json."""
        return [target for target in self.content["targets"] if target["kind"] == "badge"]

    def numbers(self, suite):
        """How many cases of a suite there are, have failed, and are errors."""
        return tuple(int(self.suites[suite].get(name)) for name in ("tests", "failures", "errors"))

    def systems(self):
        """The components that the OSCAL document has, by their titles."""
        return [one["title"] for one in self.oscal["local-definitions"]["assessment-assets"]["components"]]


class TestFiles:
    def test_own_files_replace_none_that_is_shipped(self):
        own = [path.relative_to(OWN_FILES) for path in OWN_FILES.rglob("*") if path.is_file()]
        assert own and not [path for path in own if (ROOT / path).exists()]

    def test_no_file_that_holds_logic_is_edited(self):
        for name in EDITS:
            if not name.endswith(".py"):
                assert name.startswith(("roles/", "meta/", "playbooks/", "extensions/", "docs/")), name
                continue
            tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
            logic = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.If, ast.For, ast.While, ast.Try, ast.Lambda)
            assert not [node for node in ast.walk(tree) if isinstance(node, logic)], name

    def test_no_system_is_named_where_none_is_known(self):
        """The vocabulary and the evidence iterate over what is registered."""
        for room in ("_verdict", "_evidence"):
            for path in (ROOT / "plugins" / "module_utils" / room).glob("*.py"):
                tree = ast.parse(path.read_text(encoding="utf-8"))
                texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
                assert not texts & {"campaign", "exposure", "sailpoint", "xpanse", "alert"}, path


class TestLists:
    def test_the_lists_of_the_suite_are_complete_with_it(self, collections):
        """The same tests that hold the shipped lists, where the third system is known."""
        copy = collections / "ansible_collections" / "secops" / "remediation"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", LISTS, "tests/unit"],
            cwd=copy,
            check=False,
            env=dict(os.environ, PYTHONPATH=str(collections)),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 20


class TestEvidence:
    def test_it_is_in_every_form_with_its_own_words(self, evidence, collections):
        folder, printed = evidence
        forms = Forms(folder)
        several, system, still_there, risk = WORDS
        assert {target["id"]: target["outcome"] for target in forms.targets()} == OUTCOMES
        # As module_defaults of the playbook say it, by the action group.
        assert {target["system"] for target in forms.targets()} == {DOORS}
        assert {target["kind"] for target in forms.content["targets"]} == {"badge", "campaign", "exposure"}
        assert forms.content["verdict"] == "not_verified"
        assert forms.content["replay"] == dict(followed=len(forms.content["targets"]), total=len(forms.content["targets"]))
        schema = json.loads((collections / "ansible_collections" / "secops" / "remediation" / SCHEMA).read_text("utf-8"))
        assert [error.message for error in Draft202012Validator(schema).iter_errors(forms.content)] == []

        assert forms.numbers(several) == (3, 1, 1)

        holders = {row["id"]: row["badge_holder"] for row in forms.rows if row["kind"] == "badge"}
        assert holders == dict.fromkeys(OUTCOMES, "Jo <b>Doe</b>")
        assert [row["badge_holder"] for row in forms.items if row["kind"] == "badge"] == ["Jo <b>Doe</b>"]

        assert "- **Badge** Badge b2 (`b2`): the badge still opens doors. Held by `Jo <b>Doe</b>`." in forms.markdown

        for text in (still_there, system, "Door looks", "Jo &lt;b&gt;Doe&lt;/b&gt;"):
            assert text in forms.page

        assert any(one["title"].startswith(risk) for one in forms.oscal["risks"])
        assert system in forms.systems()
        assert len([one for one in forms.oscal["observations"] if one["title"].startswith("Badge: ")]) == 3

        rules = [one["ruleId"] for one in forms.sarif["results"]]
        assert [rule for rule in rules if rule.startswith("badge/")] == ["badge/unremediated", "badge/inconclusive"]
        assert risk in [rule["shortDescription"]["text"] for rule in forms.sarif["tool"]["driver"]["rules"]]

        assert forms.tests["result"] == "FAILED" and "badge b1" in forms.tests["passedTests"]
        assert {"badge b2", "badge b3"} <= set(forms.tests["failedTests"])

        assert "unremediated: badge Badge b2: the badge still opens doors" in printed


class TestTargetsFile:
    def test_its_targets_are_named_owned_and_accepted_in_one(self, ansible, collections):
        says = dict(kind="badge", id="b2", by="ciso@example.com", until="2999-12-31", reason="Jo is on leave")
        tenant = dict(owner="doors@example.com", badges_asked=["b1", "b2"], accepted=[says])
        file = ansible.folder / "targets.json"
        file.write_text(json.dumps(dict(schema_version="1.0", tenants=dict(localhost=tenant))))
        schema = json.loads((collections / "ansible_collections/secops/remediation" / TARGETS_SCHEMA).read_text("utf-8"))
        assert list(Draft202012Validator(schema).iter_errors(json.loads(file.read_text()))) == []
        folder, done = verify(ansible, collections, [], verify_targets_file=str(file))
        assert done.returncode == 0, done.stdout
        forms = Forms(folder)
        assert {target["id"]: (target["outcome"], target["owner"]) for target in forms.targets()} == {
            one: (OUTCOMES[one], "doors@example.com") for one in ("b1", "b2")
        }
        assert forms.content["verdict"] == "not_verified" and forms.content["acceptance"]["all_open_accepted"] is True
        assert forms.numbers(WORDS[0]) == (2, 0, 0)


class TestNotRegistered:
    def test_it_is_loud_in_every_form_and_the_gate_is_red(self, ansible, unregistered):
        """All that is known of it is well, and all else is remediated."""
        folder, done = verify(ansible, unregistered, ["b1"])
        assert done.returncode == 2 and "Not verified: 1 of 2 targets remediated" in done.stdout, done.stdout
        reason = "doors has no targets of the kind badge"
        assert "inconclusive: badge Badge b1: %s" % reason in done.stdout

        forms = Forms(folder)
        others = [target["outcome"] for target in forms.content["targets"] if target["kind"] != "badge"]
        assert forms.content["verdict"] == "not_verified" and others == ["remediated"]
        assert [(target["outcome"], target["reason"]) for target in forms.targets()] == [("inconclusive", reason)]
        schema = json.loads((ROOT / SCHEMA).read_text(encoding="utf-8"))
        assert any("'badge' is not one of" in error.message for error in Draft202012Validator(schema).iter_errors(forms.content))

        several, system = "Targets of another kind: badge", "A system of another kind: badge"
        assert forms.numbers(several) == (1, 0, 1)
        assert [(row["kind"], row["outcome"], row["reason"]) for row in forms.rows if row["id"] == "b1"] == [
            ("badge", "inconclusive", reason)
        ]
        assert "Badge b1, of a kind that is not known here (`b1`): %s" % reason in forms.markdown
        assert system in forms.page and reason in forms.page
        assert system in forms.systems()
        (seen,) = [one for one in forms.oscal["observations"] if one["title"].startswith("Target of kind badge: ")]
        assert reason in seen["description"]
        assert {one["target"]["status"]["state"] for one in forms.oscal["findings"]} == {"not-satisfied"}
        (result,) = forms.sarif["results"]
        assert (result["ruleId"], result["level"]) == ("unknown-kind/badge/inconclusive", "error")
        assert reason in result["message"]["text"]
        assert (forms.tests["result"], forms.tests["failedTests"]) == ("FAILED", ["badge b1"])

    def test_evidence_of_it_is_not_taken_for_good_elsewhere(self, evidence, ansible):
        """The same evidence, read by a collection that does not know the kind."""
        folder = evidence[0]
        playbook = ansible.folder / "check.yml"
        playbook.write_text(
            json.dumps(
                [
                    {
                        "hosts": "all",
                        "gather_facts": False,
                        "tasks": [
                            {
                                "secops.remediation.remediation_evidence_info": {"path": str(folder.parent)},
                                "register": "found",
                                "failed_when": False,
                            },
                            {"ansible.builtin.debug": {"var": "found"}},
                        ],
                    }
                ]
            )
        )
        done = ansible.run(playbook)
        assert "records/badges.json is a record of a system that is not known here" in done.stdout, done.stdout
        assert "nobody asked for it, according to the records" in done.stdout


def test_a_result_that_nobody_knows_is_loud():
    """The module of a third system, handed to a collection that does not have the system."""
    found, problems = sort_results([dict(module="doors_badge_info", asked={}, badges=[])], SYSTEMS)
    assert found == {} and problems == ["Result number 1 is of the module doors_badge_info, which is not known here."]
