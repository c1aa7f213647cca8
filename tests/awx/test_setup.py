# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extensions/awx/setup.yml, applied with awx.awx: what it makes, that it makes it once, and what it leaves alone."""

from __future__ import annotations

import copy
import json
import re

import pytest
from awx_stand_in import FIELDS, Refused, Repository
from conftest import EXTENSION, URL, changed, documented

SCHEDULE = "DTSTART;TZID=Europe/Berlin:20270101T180000 RRULE:FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1"
ANSWERS = {"verify_hosts": "all", "verify_max_age": 86400}
# What null takes away.
NULLABLE = (
    "awx_project_branch",
    "awx_project_credential",
    "awx_instance_groups",
    "awx_vault_credential",
    "awx_evidence_root",
    "awx_schedule",
)
WORKFLOW = "Remediation: start, wait, collect"
# Made by hand, and none of the set-up's.
OTHERS = {"Default", "Vault", "Source Control", "Remediation vault", "git", "default", "europe", "acme"}


def everything(awx):
    """By (type, name), each object with its references and links by name, as what was meant is written."""

    def named(value):
        return value.get("name") or value["identifier"] if isinstance(value, dict) else value

    found = {}
    for one in awx.all(*FIELDS):
        if named(one) in OTHERS:
            continue
        shown = {}
        for name, (takes, _default) in FIELDS[one["type"]].items():
            is_reference = getattr(takes, "__qualname__", "").startswith("reference.")
            shown[name] = named(awx.objects[one[name]]) if is_reference and one[name] else one[name]
        if shown.get("extra_vars"):
            shown["extra_vars"] = json.loads(shown["extra_vars"])
        for name in ("credentials", "instance_groups", "always_nodes"):
            if one.get("_" + name):
                shown[name] = [named(awx.objects[number]) for number in one["_" + name]]
        if "_survey" in one:
            shown["survey"] = [(asked["variable"], asked["type"], asked["default"]) for asked in one["_survey"]["spec"]]
        found[one["type"], named(one)] = shown
    return copy.deepcopy(found)


def meant():
    """What an AWX has after the set-up with its own defaults, but for SETTINGS."""

    def environment(**fields):
        return {"env": {name: "{{ %s }}" % field for name, field in fields.items()}}

    def field(identifier, label, **more):
        return dict(id=identifier, label=label, type="string", **more)

    def job_template(name, description, timeout, **extra_vars):
        return {
            "name": "Remediation: " + name,
            "description": description,
            "organization": "Default",
            "project": "Remediation",
            "playbook": "verify.yml",
            "inventory": "Remediation tenants",
            "execution_environment": "Remediation",
            "forks": 12,
            "job_slice_count": 2,
            "timeout": timeout,
            "ask_job_slice_count_on_launch": True,
            "survey_enabled": True,
            "survey": [("verify_hosts", "text", "all"), ("verify_max_age", "integer", 86400)],
            "credentials": ["Remediation vault"],
            "extra_vars": {
                "verify_hosts": "all",
                "verify_evidence_root": "/var/lib/remediation-evidence",
                "verify_evidence_dir": "{{ verify_evidence_root }}/{{ inventory_hostname }}",
                **extra_vars,
            },
        }

    def node(identifier, template, *then):
        made = {"identifier": identifier, "workflow_job_template": WORKFLOW, "unified_job_template": template}
        return {**made, "always_nodes": list(then)} if then else made

    objects = {
        "credential_type": [
            {
                "name": "SailPoint Identity Security Cloud",
                "description": "A personal access token, for the collection secops.remediation",
                "kind": "cloud",
                "inputs": {
                    "fields": [
                        field("base_url", "Base URL", help_text="https://TENANT.api.identitynow.com"),
                        field("client_id", "Client ID"),
                        field("client_secret", "Client secret", secret=True),
                    ],
                    "required": ["base_url", "client_id", "client_secret"],
                },
                "injectors": environment(
                    SAIL_BASE_URL="base_url", SAIL_CLIENT_ID="client_id", SAIL_CLIENT_SECRET="client_secret"
                ),
            },
            {
                "name": "Cortex Xpanse",
                "description": "An API key, for the collection secops.remediation",
                "kind": "cloud",
                "inputs": {
                    "fields": [
                        field("fqdn", "FQDN", help_text="TENANT.crtx.us.paloaltonetworks.com"),
                        field("api_key_id", "API key ID"),
                        field("api_key", "API key", secret=True),
                        field("api_key_type", "Kind of API key", choices=["advanced", "standard"], default="advanced"),
                    ],
                    "required": ["fqdn", "api_key_id", "api_key"],
                },
                "injectors": environment(
                    CORTEX_FQDN="fqdn",
                    CORTEX_API_KEY_ID="api_key_id",
                    CORTEX_API_KEY="api_key",
                    CORTEX_API_KEY_TYPE="api_key_type",
                ),
            },
        ],
        "execution_environment": [
            {
                "name": "Remediation",
                "organization": "Default",
                "image": "registry.example.com/security/ee-remediation:latest",
                "pull": "missing",
            }
        ],
        "project": [
            {
                "name": "Remediation",
                "organization": "Default",
                "scm_type": "git",
                "scm_url": URL,
                "scm_branch": "main",
                "scm_update_on_launch": True,
                "scm_update_cache_timeout": 300,
            }
        ],
        "inventory": [{"name": "Remediation tenants", "description": "A host is a tenant", "organization": "Default"}],
        "inventory_source": [
            {
                "name": "Remediation tenants",
                "inventory": "Remediation tenants",
                "source": "scm",
                "source_project": "Remediation",
                "source_path": "inventory/tenants.yml",
                "overwrite": True,
                "overwrite_vars": True,
                "update_on_launch": True,
            }
        ],
        "job_template": [
            job_template(
                "verify",
                "Start the scans, wait for them, and collect the results, in one job of hours",
                28800,
                entry_point="main",
            ),
            job_template("start", "Start the scans of all tenants and end", 7200, entry_point="start"),
            job_template(
                "collect",
                "Collect what start began. What still runs after a quarter of an hour is pending; launch it again",
                7200,
                entry_point="collect",
                verify_wait_timeout=900,
            ),
        ],
        "workflow_job_template": [
            {
                "name": WORKFLOW,
                "description": "No node of the cluster is kept busy while the scans run",
                "organization": "Default",
                "survey_enabled": True,
                "survey": [("verify_hosts", "text", "all"), ("verify_max_age", "integer", 86400)],
            }
        ],
        "workflow_job_template_node": [
            node("start", "Remediation: start", "wait"),
            node("wait", "The scans take hours", "collect"),
            node("collect", "Remediation: collect"),
        ],
        "workflow_approval_template": [
            {
                "name": "The scans take hours",
                "description": "Collects by itself when the time is up; approve it to collect at once",
                "timeout": 16200,
            }
        ],
        "schedule": [{"name": WORKFLOW, "unified_job_template": WORKFLOW, "rrule": SCHEDULE, "extra_data": ANSWERS}],
    }
    defaults = {kind: {name: default for name, (_takes, default) in fields.items()} for kind, fields in FIELDS.items()}
    return {
        (kind, one.get("name") or one["identifier"]): {**defaults[kind], **one} for kind, some in objects.items() for one in some
    }


def differences(before, after):
    """What is different between two states, as {(type, name, field): value} of the second; None for what is gone."""
    found = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key, {}), after.get(key, {})
        found.update({(*key, name): new.get(name) for name in old.keys() | new.keys() if old.get(name) != new.get(name)})
    return found


def pending(awx):
    return [(one["status"], one["timeout"]) for one in awx.all("workflow_approval")]


def jobs(awx, name):
    return [one for one in awx.all("job") if one["name"] == "Remediation: " + name]


# --- One AWX from its first day on


def test_made_once_changed_alone_and_undone(awx, set_up):
    """Numbers are text at first, as `-e` makes them."""
    status, output = set_up.apply(awx_hours_between="4.5", awx_forks="12", awx_job_slice_count="2")
    assert status == 0 and changed(output) > 5, output
    first = everything(awx)
    assert first == meant()
    # Cut into slices from the first launch on, since the inventory has its hosts.
    assert [job["_slices"] for job in [awx.launch(awx.one("job_template", "Remediation: verify"), {"extra_vars": ANSWERS})]] == [
        2
    ]

    # The kind of key may be left out.
    kind = awx.one("credential_type", "Cortex Xpanse")
    inputs = {"fqdn": "acme.crtx.us.paloaltonetworks.com", "api_key_id": "7", "api_key": "not a secret"}
    acme = awx.save("credential", {"name": "acme", "credential_type": kind["id"], "inputs": inputs})
    job = awx.start_job({**awx.one("job_template", "Remediation: verify"), "_credentials": [acme["id"]]})
    assert (job["status"], job["_environment"]["CORTEX_API_KEY_TYPE"]) == ("successful", "")

    # A run is under way from here on: it waits.
    status, output = set_up.run(documented("ansible localhost"))
    assert status == 0 and pending(awx) == [("pending", 16200)] and len(jobs(awx, "start")) == 1, output

    status, output = set_up.apply(awx_hours_between=4.5, awx_forks=12, awx_job_slice_count=2)
    assert status == 0 and changed(output) == 0, output
    assert set_up.writes() == [] and everything(awx) == first and "is in use" not in output

    later = SCHEDULE.replace("2027", "2028")
    kept = {"awx_forks": 12, "awx_job_slice_count": 2}
    settings = {"awx_hours_between": 6, "awx_schedule": later, "awx_instance_groups": ["europe"], "awx_project_credential": "git"}
    status, output = set_up.apply(**settings, **kept)
    second = everything(awx)
    assert status == 0 and changed(output) == 4, output
    assert differences(first, second) == {
        ("workflow_approval_template", "The scans take hours", "timeout"): 21600,
        ("schedule", WORKFLOW, "rrule"): later,
        ("project", "Remediation", "credential"): "git",
        **{("job_template", "Remediation: " + name, "instance_groups"): ["europe"] for name in ("verify", "start", "collect")},
    }

    nothing = dict.fromkeys(NULLABLE)
    status, output = set_up.apply(**{"awx_hours_between": 6, **nothing}, **kept)
    assert status == 0 and changed(output) == 4, output
    gone = differences(second, everything(awx))
    assert gone.pop(("project", "Remediation", "credential"), "kept") is None
    assert gone.pop(("project", "Remediation", "scm_branch")) == ""
    assert {key for key in gone if key[0] == "schedule"} == {("schedule", WORKFLOW, name) for name in FIELDS["schedule"]}
    gone = {key: value for key, value in gone.items() if key[0] != "schedule"}
    for name in ("verify", "start", "collect"):
        left = gone.pop(("job_template", "Remediation: " + name, "extra_vars"))
        assert left["verify_hosts"] == "all" and not any("evidence" in variable for variable in left)
    links = {(name, link) for name in ("verify", "start", "collect") for link in ("credentials", "instance_groups")}
    assert gone == {("job_template", "Remediation: " + name, link): None for name, link in links}

    # It still waits, for as long as it was told, and nothing was collected meanwhile.
    assert pending(awx) == [("pending", 16200)] and jobs(awx, "collect") == []


def test_every_setting_that_null_undoes_is_said_where_it_is_set():
    settings = (EXTENSION / "setup.yml").read_text(encoding="utf-8")
    assert re.findall(r"# [^\n]*Null [^\n]*\n    (\w+):", settings) + re.findall(r"; null [^\n]*\n    (\w+):", settings) == [
        *NULLABLE
    ]


# --- One whose repository could not be reached at first, and that has types of an earlier release in use


def test_a_sync_that_failed_and_a_type_in_use(awx, set_up):
    repositories = dict(awx.repositories)
    awx.repositories.clear()
    status, output = set_up.apply()
    assert status != 0 and "Sync the project" in output and "Project Update - Remediation, failed" in output, output
    assert awx.all("job_template") == []
    awx.repositories.update(repositories)

    earlier = awx.one("credential_type", "Cortex Xpanse")
    earlier["inputs"]["required"].append("api_key_type")
    inputs = {
        "fqdn": "acme.crtx.us.paloaltonetworks.com",
        "api_key_id": "7",
        "api_key": "not a secret",
        "api_key_type": "standard",
    }
    awx.save("credential", {"name": "acme", "credential_type": earlier["id"], "inputs": inputs})
    before = copy.deepcopy(earlier)
    status, output = set_up.apply("job_template.yml", awx_credentials=["acme"])
    assert status == 0 and len(awx.all("job_template")) == 3, output
    assert awx.one("credential_type", "Cortex Xpanse") == before
    assert "Cortex Xpanse is in use, so AWX lets nobody change its fields" in output
    assert "SailPoint Identity Security Cloud is in use" not in output
    job = awx.launch(awx.one("job_template", "Remediation: verify"), {"extra_vars": ANSWERS})
    assert (job["status"], job["_environment"]["CORTEX_API_KEY_TYPE"]) == ("successful", "standard")


@pytest.mark.parametrize(
    "setting",
    [
        {"awx_hours_between": "4x"},
        {"awx_hours_between": None},
        {"awx_hours_between": 0},
        {"awx_hours_between": "0.0001"},
        {"awx_hours_between": "inf"},
        {"awx_forks": "2.5"},
    ],
    ids=str,
)
def test_a_setting_that_is_wrong_changes_nothing(awx, set_up, setting):
    status, output = set_up.apply(**setting)
    assert status != 0 and "Nothing was changed." in output, output
    assert set_up.awx.log == []


def test_a_repository_without_a_tenant(awx, set_up, tmp_path):
    project = tmp_path / "project"
    (project / "inventory").mkdir(parents=True)
    (project / "verify.yml").write_text((EXTENSION / "project" / "verify.yml").read_text(encoding="utf-8"))
    (project / "inventory" / "tenants.yml").write_text("europe:\n  hosts:\n")
    awx.repositories[URL] = Repository(project)
    status, output = set_up.apply()
    assert status != 0 and "there is no tenant to verify anything for" in output, output


# --- The rules of the stand-in, which are those of a real AWX: without one of them, nothing above would show that it is kept


class TestRules:
    @pytest.fixture
    def project(self, awx):
        return awx.save("project", {"name": "p", "scm_type": "git", "scm_url": URL})

    @pytest.fixture
    def template(self, awx, project):
        awx.finish(awx.update(project))
        self.inventory = awx.save("inventory", {"name": "i", "organization": 1})
        sent = {"name": "t", "project": project["id"], "playbook": "verify.yml", "inventory": self.inventory["id"]}
        return awx.save("job_template", {**sent, "job_slice_count": 4, "survey_enabled": True})

    def refused(self, status, words, function, *args):
        with pytest.raises(Refused) as info:
            function(*args)
        assert info.value.args[0] == status and words in json.dumps(info.value.args[1]), info.value.args

    def test_a_playbook_before_the_sync(self, awx, project):
        sent = {"name": "t", "project": project["id"], "playbook": "verify.yml"}
        sent["inventory"] = awx.save("inventory", {"name": "i", "organization": 1})["id"]
        self.refused(400, "Playbook not found for project.", awx.save, "job_template", sent)
        awx.finish(awx.update(project))
        assert awx.save("job_template", sent)["playbook"] == "verify.yml"

    def test_hosts_before_the_sync(self, awx, project, template):
        assert awx.launch(template, {})["_slices"] == 1
        sent = {"name": "s", "inventory": self.inventory["id"], "source_project": project["id"], "source": "scm"}
        source = awx.save("inventory_source", {**sent, "source_path": "inventory/tenants.yml"})
        assert source["status"] == "never updated"
        awx.finish(awx.update(source))
        assert awx.launch(template, {})["_slices"] == 3

    def test_answers(self, awx, template):
        hosts = {"variable": "verify_hosts", "type": "text", "required": True, "default": "all"}
        age = {"variable": "age", "type": "integer", "required": True, "default": 1}
        awx.set_survey(template, {"name": "", "description": "", "spec": [hosts, age]})
        sent = {"name": "s", "unified_job_template": template["id"], "rrule": SCHEDULE}
        self.refused(400, "variables_needed_to_start", awx.save, "schedule", sent)
        for words, answers in (
            ("'verify_hosts' value missing", {"age": 1}),
            ("expected to be an integer", {"verify_hosts": "all", "age": "1"}),
            ("are not allowed on launch", {"verify_hosts": "all", "age": 1, "other": 2}),
        ):
            self.refused(400, words, awx.launch, template, {"extra_vars": answers})
            self.refused(400, words, awx.save, "schedule", {**sent, "extra_data": answers})
        assert awx.save("schedule", {**sent, "extra_data": {"verify_hosts": "all", "age": 1}})["enabled"]

    def credential_type(self, awx, *fields, required, **injected):
        inputs = {"fields": [{"id": field, "label": field} for field in fields], "required": required}
        sent = {"name": "k", "kind": "cloud", "inputs": inputs, "injectors": {"env": injected}}
        return awx.save("credential_type", sent)

    def test_a_type_in_use(self, awx):
        kind = self.credential_type(awx, "a", required=[])
        inputs = {"fields": [{"id": "a"}, {"id": "c"}], "required": ["a"]}
        awx.save("credential_type", {"inputs": inputs}, kind)
        awx.save("credential", {"name": "c", "credential_type": kind["id"], "inputs": {"a": "1"}})
        self.refused(403, "in use", awx.save, "credential_type", {"inputs": {"fields": []}}, kind)
        awx.save("credential_type", {"inputs": inputs, "injectors": {"env": {"C": "{{ c }}"}}}, kind)
        self.refused(400, "undefined field", awx.save, "credential_type", {"injectors": {"env": {"D": "{{ d }}"}}}, kind)

    def test_a_field_that_a_credential_lacks(self, awx, template):
        kind = self.credential_type(awx, "a", "b", required=["a"], B="{{ b }}")
        credential = awx.save("credential", {"name": "c", "credential_type": kind["id"], "inputs": {"b": "2"}})
        template["_credentials"] = [credential["id"]]
        assert "does not provide one or more required fields" in awx.launch(template, {})["job_explanation"]
        credential["inputs"] = {"a": "1"}
        job = awx.launch(template, {})
        assert job["status"] == "successful" and job["_environment"] == {"B": ""}

    def test_numbers(self, awx, template):
        self.refused(400, "String value too large.", awx.save, "job_template", {"timeout": "4" * 3600}, template)
        self.refused(400, "A valid integer is required.", awx.save, "job_template", {"timeout": "4.5"}, template)
        assert awx.save("job_template", {"timeout": "45"}, template)["timeout"] == 45

    def test_a_node_that_is_destroyed_ends_its_approval_and_what_that_held_back_begins(self, awx, template):
        workflow = awx.save("workflow_job_template", {"name": "w"})
        wait, collect = (
            awx.save("workflow_job_template_node", {"identifier": name, "workflow_job_template": workflow["id"]})
            for name in ("wait", "collect")
        )
        collect["unified_job_template"] = template["id"]
        wait["unified_job_template"] = awx.save("workflow_approval_template", {"name": "hours", "timeout": 60})["id"]
        wait["_always_nodes"] = [collect["id"]]
        awx.launch(workflow, {})
        awx.save("workflow_approval_template", {"timeout": 90}, awx.one("workflow_approval_template", "hours"))
        assert pending(awx) == [("pending", 60)] and awx.all("job") == []
        awx.delete(wait)
        assert pending(awx) == [("failed", 60)] and len(awx.all("job")) == 1
