# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to add a system: its own files, lines in lists, and no line in what holds logic."""

from __future__ import annotations

import ast
import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from simulator import company

from ansible_collections.secops.remediation.plugins.module_utils._systems import SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.results import sort_results

ROOT = Path(__file__).resolve().parents[2]
OWN_FILES = ROOT / "tests" / "third_system" / "collection"
# What is put where in a shipped file: after this text, these lines.
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
    "roles/verify/tasks/prepare.yml": [("      {{ {'verify_campaign_ids'", None)],
    "roles/verify/tasks/targets.yml": [
        (
            "---\n",
            "- name: Look at the badges\n  ansible.builtin.include_tasks: doors/look.yml\n"
            "  when: verify__inputs.badges_asked | length > 0\n\n",
        )
    ],
}
INPUT = ("{{ {'verify_campaign_ids'", "{{ {'verify_badges_asked': verify_badges_asked, 'verify_campaign_ids'")
OUTCOMES = {"b1": "remediated", "b2": "unremediated", "b3": "inconclusive"}
WORDS = "Door badges", "The doors of the head office", "Badges that still open doors", "A badge still opens doors"


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """A folder of collections with a copy of this one that knows the third system."""
    folder = tmp_path_factory.mktemp("collections")
    copy = folder / "ansible_collections" / "secops" / "remediation"
    listed = [
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "plugins",
        "roles",
        "meta",
        "playbooks",
        "galaxy.yml",
    ]
    for name in subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    shutil.copytree(OWN_FILES, copy, dirs_exist_ok=True)
    for name, edits in EDITS.items():
        text = (copy / name).read_text(encoding="utf-8")
        for anchor, lines in edits:
            assert text.count(anchor) == 1, (name, anchor)
            text = text.replace(*INPUT) if lines is None else text.replace(anchor, anchor + lines)
        (copy / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def evidence(ansible, collections):
    """The folder of the evidence of badges beside campaigns and exposures, and what the run printed."""
    done = ansible.run(
        ROOT / "tests" / "integration" / "role.yml",
        environment=dict(ANSIBLE_COLLECTIONS_PATH=str(collections), PYTHONPATH=None),
        verify_evidence_dir=str(ansible.folder / "evidence"),
        verify_badges_asked=list(OUTCOMES),
        verify_campaign_ids=[company.FINANCE],
        verify_exposures=company.exposures(company.REMEDIATED)[:1],
        verify_wait_interval=1,
    )
    # Some of them are not remediated.
    assert done.returncode == 2, done.stdout
    return ansible.folder / "evidence" / "latest", done.stdout


class TestFiles:
    def test_own_files_replace_none_that_is_shipped(self):
        own = [path.relative_to(OWN_FILES) for path in OWN_FILES.rglob("*") if path.is_file()]
        assert own and not [path for path in own if (ROOT / path).exists()]

    def test_no_file_that_holds_logic_is_edited(self):
        for name in EDITS:
            if not name.endswith(".py"):
                assert name.startswith(("roles/", "meta/", "playbooks/", "docs/")), name
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


class TestEvidence:
    def test_it_is_in_every_form_with_its_own_words(self, evidence):
        folder, printed = evidence
        content = json.loads((folder / "verification.json").read_text(encoding="utf-8"))
        found = {target["id"]: target["outcome"] for target in content["targets"] if target["kind"] == "badge"}
        assert found == OUTCOMES and {target["kind"] for target in content["targets"]} == {"badge", "campaign", "exposure"}
        assert content["verdict"] == "not_verified"
        assert content["replay"] == dict(followed=len(content["targets"]), total=len(content["targets"]))
        several, system, still_there, risk = WORDS

        root = ElementTree.parse(folder / "verification.junit.xml").getroot()
        suite = next(suite for suite in root if suite.get("name") == several)
        assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")

        rows = list(csv.DictReader(io.StringIO((folder / "verification.csv").read_text(encoding="utf-8-sig"))))
        assert {row["id"]: row["badge_holder"] for row in rows if row["kind"] == "badge"} == dict.fromkeys(
            OUTCOMES, "Jo <b>Doe</b>"
        )
        items = list(csv.DictReader(io.StringIO((folder / "open-items.csv").read_text(encoding="utf-8-sig"))))
        assert [row["badge_holder"] for row in items if row["kind"] == "badge"] == ["Jo <b>Doe</b>"]

        markdown = (folder / "verification.md").read_text(encoding="utf-8")
        assert "- **Badge** Badge b2 (`b2`): the badge still opens doors. Held by `Jo <b>Doe</b>`." in markdown, markdown

        page = (folder / "verification.html").read_text(encoding="utf-8")
        assert still_there in page and system in page and "Door looks" in page and "Jo &lt;b&gt;Doe&lt;/b&gt;" in page

        oscal = json.loads((folder / "oscal-assessment-results.json").read_text(encoding="utf-8"))["assessment-results"]
        result = oscal["results"][0]
        assert any(one["title"].startswith(risk) for one in result["risks"])
        assert any(one["title"] == system for one in result["local-definitions"]["assessment-assets"]["components"])
        assert len([one for one in result["observations"] if one["title"].startswith("Badge: ")]) == 3

        assert "unremediated: badge Badge b2: the badge still opens doors" in printed

    def test_where_it_is_not_registered_it_is_loud(self, evidence, ansible):
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
