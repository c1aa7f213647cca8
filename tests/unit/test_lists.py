# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that somebody keeps by hand, held against what is there."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path

import event_schemas
import faults
import pytest
import yaml
from simulator.core import OPERATIONS

from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import MOST_OPEN, SAYS
from ansible_collections.secops.remediation.plugins.plugin_utils import targets_file

ROOT = Path(__file__).resolve().parents[2]

PLUGINS = "ansible_collections.secops.remediation.plugins."
COLLECTION = "secops.remediation."


def names_in(folder, ending=".py"):
    """The names of the files in a folder."""
    return sorted(path.stem for path in (ROOT / folder).glob("*" + ending) if path.stem != "__init__")


MODULES = names_in("plugins/modules")
LOADED = {name: importlib.import_module(PLUGINS + "modules." + name) for name in MODULES}
DOCUMENTED = {name: yaml.safe_load(module.DOCUMENTATION) for name, module in LOADED.items()}
FRAGMENTS = {name: DOCUMENTED[name].get("extends_documentation_fragment", []) for name in MODULES}
# Who speaks to a system.
CONNECTED = [name for name in MODULES if COLLECTION + "connection" in FRAGMENTS[name]]
RUNTIME = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
GROUPS = RUNTIME["action_groups"]


def test_there_is_something_to_hold_them_against():
    assert len(MODULES) >= 9 and len(CONNECTED) >= 6


def test_every_module_is_what_its_file_is_called():
    assert {name: documented["module"] for name, documented in DOCUMENTED.items()} == dict(zip(MODULES, MODULES))


class TestActionGroups:
    """module_defaults of a group reach the modules that it names, and a module that it forgot says that it has no credentials."""

    def test_each_has_the_modules_of_its_system(self):
        of_system = {group: [name for name in MODULES if COLLECTION + group in FRAGMENTS[name]] for group in GROUPS}
        assert {group: sorted(names) for group, names in GROUPS.items()} == of_system

    def test_every_module_with_a_connection_is_in_one(self):
        assert sorted(name for names in GROUPS.values() for name in names) == CONNECTED

    @pytest.mark.parametrize("group", GROUPS)
    def test_the_playbooks_set_the_same_for_it(self, group):
        ours, events, awx = (
            yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))[-1]["module_defaults"]["group/%s%s" % (COLLECTION, group)]
            for path in ("playbooks/verify.yml", "playbooks/verify_events.yml", "extensions/awx/project/verify.yml")
        )
        assert ours == events == awx
        for name in GROUPS[group]:
            assert set(ours) <= set(LOADED[name].ARGUMENT_SPEC)


class TestActions:
    """Without one of its name a module runs as a process of its own."""

    def test_every_module_has_one_and_no_other_is_there(self):
        assert names_in("plugins/action") == MODULES

    @pytest.mark.parametrize("name", MODULES)
    def test_each_runs_the_module_of_its_name(self, name):
        action = importlib.import_module(PLUGINS + "action." + name).ActionModule
        assert action.module is LOADED[name]
        assert action.__doc__.startswith("Runs %s inside" % name)


class TestFragments:
    def test_every_one_is_used_and_every_one_that_is_used_is_there(self):
        of_sources = [yaml.safe_load(event_schemas.load(name)["DOCUMENTATION"]) for name in event_schemas.source_names()]
        lists = [*FRAGMENTS.values(), *(source["extends_documentation_fragment"] for source in of_sources)]
        used = {name.split(".")[2] for fragments in lists for name in fragments}
        assert sorted(used) == names_in("plugins/doc_fragments")

    @pytest.mark.parametrize("name", MODULES)
    def test_every_option_is_in_the_spec_with_what_is_said_of_it(self, name):
        options = dict(DOCUMENTED[name].get("options") or {})
        for fragment in FRAGMENTS[name]:
            _namespace, _collection, file, *variant = fragment.split(".")
            texts = importlib.import_module(PLUGINS + "doc_fragments." + file).ModuleDocFragment
            text = getattr(texts, (variant or ["documentation"])[0].upper())
            options.update(yaml.safe_load(text).get("options") or {})
        spec = LOADED[name].ARGUMENT_SPEC
        assert set(options) == set(spec)
        for option, documented in options.items():
            for key in ("type", "elements", "default", "required", "choices"):
                assert documented.get(key) == spec[option].get(key), (option, key)


class TestFilters:
    def test_every_one_is_documented_and_no_other(self):
        files = [importlib.import_module(PLUGINS + "filter." + name) for name in names_in("plugins/filter")]
        names = [name for file in files for name in file.FilterModule().filters()]
        assert sorted(names) == names_in("plugins/filter", ".yml")


class TestTargetsFile:
    """The schema of a targets file is published as a file, and what is read of one is what the systems may be asked for."""

    SCHEMA = json.loads((ROOT / "docs/schemas/targets-1.0.schema.json").read_text(encoding="utf-8"))["$defs"]

    def test_a_tenant_may_have_what_the_systems_may_be_asked_for(self):
        tenant = self.SCHEMA["tenant"]
        assert set(tenant["properties"]) == {*targets_file.ASKED, targets_file.OWNER, targets_file.ACCEPTED}
        assert sorted(one["required"][0] for one in tenant["anyOf"]) == sorted([*targets_file.ASKED, targets_file.ACCEPTED])

    @pytest.mark.parametrize("name", targets_file.ASKED)
    def test_each_in_its_shape(self, name):
        shape, spec = self.SCHEMA["tenant"]["properties"][name], targets_file.ASKED[name]
        assert (shape.get("type") == "array") is (spec["type"] == "list")
        if spec.get("options"):
            assert set(shape["items"]["properties"]) == {*spec["options"], "owner"}
            assert set(shape["items"]["required"]) == set(spec["options"])
        else:
            alone, owned = (shape["items"] if spec["type"] == "list" else shape)["oneOf"]
            key = targets_file.ID if spec["type"] == "list" else targets_file.TEXT
            assert set(owned["properties"]) == {key, "owner"} and owned["required"] == [key]
            assert (alone.get("type") == "integer") is (spec.get("elements") == "int")

    def test_what_is_accepted_is_of_a_kind_that_there_is(self):
        acceptance = self.SCHEMA["acceptance"]
        assert sorted(acceptance["properties"]["kind"]["enum"]) == sorted(KINDS)
        assert acceptance["required"] == list(SAYS)
        assert set(acceptance["properties"]) == {*SAYS, MOST_OPEN}


class TestDocumentation:
    def test_the_readme_has_every_module_in_its_table(self):
        section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## The modules\n")[2].partition("\n## ")[0]
        assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == MODULES

    def test_the_simulators_readme_has_every_operation(self):
        text = (ROOT / "tests" / "simulator" / "README.md").read_text(encoding="utf-8")
        section = text.partition("The operations:")[2].partition("\n\n")[0]
        assert sorted(re.findall(r"`(\w+)`", section)) == sorted((*OPERATIONS, "next_"))

    def test_the_page_of_faults_has_every_module_with_a_connection(self):
        documented = faults.read(faults.PAGE.read_text(encoding="utf-8"))
        assert {module for _fault, module in documented} == {*CONNECTED, faults.ROLE}
        assert sorted(faults.MODULES) == CONNECTED


class TestTests:
    def test_every_module_has_unit_tests(self):
        tests = {name.removeprefix("test_") for name in names_in("tests/unit/plugins/modules")}
        assert set(MODULES) - tests == set()

    def test_every_module_and_every_role_has_an_integration_target(self):
        targets = sorted(path.parents[1].name for path in (ROOT / "tests/integration/targets").glob("*/tasks/main.yml"))
        roles = sorted(path.parents[1].name for path in (ROOT / "roles").glob("*/tasks/main.yml"))
        assert targets == sorted(MODULES + roles)


class TestWayIn:
    """A module runs in its own process or in the controller's, and both have to run the same with the same rules."""

    @pytest.mark.parametrize("name", MODULES)
    def test_main_and_the_action_plugin_hand_over_the_same(self, name, monkeypatch):
        calls = []
        module = LOADED[name]
        monkeypatch.setattr(module, "AnsibleModule", lambda **options: options)
        monkeypatch.setattr(module, "run_module", lambda *arguments, asks=(): calls.append((arguments, asks)))
        module.main()
        (((options, run, *more), asks),) = calls
        # What plugin_utils/in_process reads.
        assert options == dict(argument_spec=module.ARGUMENT_SPEC, supports_check_mode=True, **getattr(module, "RULES", {}))
        assert run is module.run
        assert [*more, *([None] * (2 - len(more)))][0] == getattr(module, "IN_SHORT", None)
        assert tuple(more[1] if len(more) > 1 else asks) == getattr(module, "ASKS", ())
