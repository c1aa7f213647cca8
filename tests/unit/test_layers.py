# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The law of the house: who may import whom in plugins/."""

from __future__ import annotations

import ast
from fnmatch import fnmatchcase

import pytest
from imports import Import, all_imports, imports_of, source_files

# The first line that fits a file counts. From the ground to the roof.
LAW = {
    # Clocks, files, texts: what every room needs, and nothing that knows the field.
    "_common/*": ["_common/*"],
    # One exchange with a server. Knows no vendor.
    "_http/*": ["_http/*", "_common/*"],
    # What may be said, and when. Knows no system, and nobody who could be asked.
    "_verdict/*": ["_verdict/*", "_common/*"],
    # A task's life: its items, its waits, its memory.
    "_run/*": ["_run/*", "_http/*", "_common/*"],
    # A system's words and proof: reads answers, wherever they come from, and can ask nobody.
    "_sailpoint/*_proof": ["_sailpoint/*_proof", "_verdict/*", "_common/*"],
    "_sailpoint/target": ["_sailpoint/*_proof", "_verdict/*", "_common/*"],
    "_xpanse/target": ["_verdict/*", "_common/*"],
    "_sailpoint/report_*": ["_sailpoint/report_*", "_verdict/*", "_common/*"],
    # An event source's life: its looks, its memory, its door. Knows no system.
    "_events/*": ["_events/*", "_http/*", "_common/*"],
    # A system as an event source sees it.
    "_sailpoint/watch": ["_events/*", "_sailpoint/api", "_http/*", "_common/*"],
    "_xpanse/watch": ["_events/*", "_xpanse/api", "_xpanse/target", "_verdict/*", "_http/*", "_common/*"],
    # A system's API: knows http, its own words, and nothing above.
    "_sailpoint/api": ["_sailpoint/report_proof", "_verdict/*", "_http/*", "_common/*"],
    "_xpanse/api": ["_xpanse/target", "_verdict/*", "_http/*", "_common/*"],
    # A system's work. Never another system, never the evidence.
    "_sailpoint/*": ["_sailpoint/*", "_verdict/*", "_run/*", "_http/*", "_common/*"],
    "_xpanse/*": ["_xpanse/*", "_verdict/*", "_run/*", "_http/*", "_common/*"],
    # The systems that there are. The only file that knows more than one.
    "_systems": ["_sailpoint/*", "_xpanse/*", "_verdict/*", "_common/*"],
    # From what modules returned to a verification.
    "_judge": ["_systems", "_verdict/*", "_common/*"],
    # What is written of verifications, and checked. Takes the systems as they come, and knows none by name.
    "_evidence/*": ["_evidence/*", "_judge", "_systems", "_verdict/*", "_common/*"],
    # Each module knows its system; those of the evidence hand the systems to it.
    "modules/sailpoint_*": ["_sailpoint/*", "_verdict/*", "_run/*", "_http/*", "_common/*"],
    "modules/xpanse_*": ["_xpanse/*", "_verdict/*", "_run/*", "_http/*", "_common/*"],
    "modules/remediation_evidence*": ["_evidence/*", "_systems", "_verdict/*", "_run/*", "_common/*"],
    # A file of the user's, read against what the systems may be asked for.
    "plugin_utils/targets_file": ["_systems", "_verdict/*", "_common/*"],
    "plugin_utils/*": ["_run/*", "_common/*"],
    "action/*": ["modules/*", "plugin_utils/*"],
    "filter/*": ["plugin_utils/targets_file", "_systems", "_verdict/*", "_common/*"],
    "doc_fragments/*": [],
}

# What breaks it today, and why. A line that is needed no more has to go.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def may_import(importer, imported):
    """Whether the law lets a file import another. Raises KeyError for a file that no line is about."""
    for pattern, allowed in LAW.items():
        if fnmatchcase(importer, pattern):
            return any(fnmatchcase(imported, one) for one in allowed)
    raise KeyError("say in LAW what %s may import" % importer)


def broken(imports):
    """The pairs of importer and imported that break the law."""
    return {(one.importer, one.imported) for one in imports if not may_import(one.importer, one.imported)}


def private_names(imports):
    """The imports of what another file keeps for itself."""
    return [one for one in imports if (one.name or "").startswith("_")]


def private_attributes(file, tree, files):
    """What a file takes of another file that keeps it for itself, as `other._name`, by line."""
    whole = {one.imported.rpartition("/")[2] for one in imports_of(file, tree, files) if one.name is None}
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in whole
    }
    return [
        "%s:%d %s.%s" % (file, node.lineno, node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
    ]


def circle_in(imports):
    """Files that import each other in a circle, as a list that ends where it begins; None where there are none."""
    edges = {}
    for one in imports:
        edges.setdefault(one.importer, set()).add(one.imported)
    done = set()

    def walk(file, way):
        if file in way:
            return [*way[way.index(file) :], file]
        if file in done:
            return None
        found = next(filter(None, (walk(other, [*way, file]) for other in sorted(edges.get(file, ())))), None)
        done.add(file)
        return found

    return next(filter(None, (walk(file, []) for file in sorted(edges))), None)


def test_every_file_has_a_place_in_the_house():
    for file in source_files():
        may_import(file, "nothing")


def test_every_line_of_the_law_is_about_a_file():
    assert [pattern for pattern in LAW if not any(fnmatchcase(file, pattern) for file in source_files())] == []


def test_nobody_imports_whom_they_may_not():
    assert broken(all_imports()) - set(EXCEPTIONS) == set()


def test_no_exception_outlives_its_reason():
    assert set(EXCEPTIONS) - broken(all_imports()) == set()


def test_nobody_imports_in_a_circle():
    assert circle_in(all_imports()) is None


def test_nobody_takes_what_another_file_keeps_for_itself():
    assert private_names(all_imports()) == []
    files = source_files()
    assert [text for file, path in files.items() for text in private_attributes(file, ast.parse(path.read_text()), files)] == []


class TestTheTests:
    """That each of these would tell."""

    @pytest.mark.parametrize(
        "importer, imported, allowed",
        [
            ("_http/client", "_common/files", True),
            ("_common/files", "_http/client", False),
            ("_sailpoint/scan", "_xpanse/scan", False),
            ("_xpanse/scan", "_evidence/writer", False),
            ("_verdict/target", "_sailpoint/target", False),
            ("_evidence/record", "_xpanse/target", False),
            ("_sailpoint/api", "_sailpoint/scan", False),
            ("_sailpoint/scan", "_sailpoint/api", True),
            ("_xpanse/target", "_http/client", False),
            ("_run/task", "modules/xpanse_alert_info", False),
            ("modules/xpanse_alert_info", "_sailpoint/api", False),
            ("modules/xpanse_alert_info", "modules/xpanse_rcs_request", False),
        ],
    )
    def test_the_law(self, importer, imported, allowed):
        assert may_import(importer, imported) is allowed
        assert broken([Import(importer, imported, None)]) == (set() if allowed else {(importer, imported)})

    def test_a_file_without_a_line(self):
        with pytest.raises(KeyError, match="_cellar/wine"):
            may_import("_cellar/wine", "_common/files")

    def test_how_imports_are_read(self):
        package = "ansible_collections.secops.remediation.plugins."
        text = "\n".join(
            (
                "import json",
                "import %smodule_utils._common.files" % package,
                "def later():",
                "    from %smodule_utils._http import client as http, limiter" % package,
                "from %smodule_utils._run.task import Task, _hidden" % package,
                "http._hidden, limiter.shown, later._hidden, http.__doc__",
            )
        )
        files = source_files()
        found = list(imports_of("a/file", ast.parse(text), files))
        assert set(found) == {
            Import("a/file", "_common/files", None),
            Import("a/file", "_http/client", None),
            Import("a/file", "_http/limiter", None),
            Import("a/file", "_run/task", "Task"),
            Import("a/file", "_run/task", "_hidden"),
        }
        assert private_names(found) == [Import("a/file", "_run/task", "_hidden")]
        assert private_attributes("a/file", ast.parse(text), files) == ["a/file:6 http._hidden"]

    @pytest.mark.parametrize("text", ["from . import files", "from ansible_collections.secops.remediation.plugins.gone import x"])
    def test_what_cannot_be_followed_is_told(self, text):
        with pytest.raises(ValueError):
            list(imports_of("a/file", ast.parse(text), source_files()))

    def test_a_circle(self):
        imports = [Import("a", "b", None), Import("b", "c", None), Import("c", "b", None)]
        assert circle_in(imports) == ["b", "c", "b"]
        assert circle_in(imports[:2]) is None
