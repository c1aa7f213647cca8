# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stand-in for AWX's API: what awx.awx asks of it, and the rules on which a real AWX insists.

The rules were seen on AWX 24.6 with awx.awx 24.6.1. It runs no job. A job that is launched has ended at once, with the reason
for which AWX would not start it, and a workflow goes on to its approval, which stays pending until somebody ends it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import yaml

TOKEN = "a-token-of-awx"
TEMPLATES = ("job_template", "workflow_job_template", "project", "inventory_source", "workflow_approval_template")
INJECTED = re.compile(r"\{\{\s*(\w+)\s*\}\}")
MOST_DIGITS = 1000


class Refused(Exception):
    """An answer that is no success. Its arguments are the HTTP status and the body."""


@dataclass
class Repository:
    """What a project is synced from. private: only with a credential."""

    folder: Path
    revision: str = "1111111"
    private: bool = False


# --- What a field takes, as AWX's serializers do: each gives the value that is kept, or raises Refused


def refuse(name, why):
    raise Refused(400, {name: [why]})


def text(_awx, name, value):
    """Null is the empty text, which is why null never undoes anything by itself."""
    if isinstance(value, (dict, list, bool)):
        refuse(name, "Not a valid string.")
    return "" if value is None else str(value)


def number(_awx, name, value):
    if isinstance(value, str) and len(value) > MOST_DIGITS:
        refuse(name, "String value too large.")
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        refuse(name, "A valid integer is required.")
    return int(value)


def flag(_awx, name, value):
    if not isinstance(value, bool):
        refuse(name, "Must be a valid boolean.")
    return value


def anything(_awx, _name, value):
    return value


def mapping(_awx, name, value):
    if not isinstance(value, dict):
        refuse(name, "Expected a dictionary of items but got type %s." % type(value).__name__)
    return value


def reference(*types):
    def check(awx, name, value):
        if value is None:
            return None
        found = awx.objects.get(number(awx, name, value), {})
        if found.get("type") not in types:
            refuse(name, 'Invalid pk "%s" - object does not exist.' % value)
        return found["id"]

    return check


NAMED = {"name": (text, ""), "description": (text, "")}
ORGANIZED = {**NAMED, "organization": (reference("organization"), None)}
PROMPTS = ("variables", "limit", "job_slice_count", "inventory", "credential", "tags", "skip_tags", "scm_branch", "job_type")
SURVEYED = {
    "extra_vars": (text, ""),
    "survey_enabled": (flag, False),
    **{"ask_%s_on_launch" % prompt: (flag, False) for prompt in PROMPTS},
}
# By type: its fields, each with what it takes and what it is without. Whatever else is sent is ignored, as AWX does.
FIELDS = {
    "organization": NAMED,
    "instance_group": NAMED,
    "credential_type": {
        **NAMED,
        "kind": (text, ""),
        "inputs": (mapping, {}),
        "injectors": (mapping, {}),
        "managed": (flag, False),
    },
    "credential": {**ORGANIZED, "credential_type": (reference("credential_type"), None), "inputs": (mapping, {})},
    "execution_environment": {
        **ORGANIZED,
        "image": (text, ""),
        "pull": (text, ""),
        "credential": (reference("credential"), None),
    },
    "project": {
        **ORGANIZED,
        "scm_type": (text, ""),
        "scm_url": (text, ""),
        "scm_branch": (text, ""),
        "credential": (reference("credential"), None),
        "scm_update_on_launch": (flag, False),
        "scm_update_cache_timeout": (number, 0),
    },
    "inventory": {**ORGANIZED, "kind": (text, ""), "host_filter": (anything, None)},
    "inventory_source": {
        **NAMED,
        "inventory": (reference("inventory"), None),
        "source": (text, ""),
        "source_project": (reference("project"), None),
        "source_path": (text, ""),
        "overwrite": (flag, False),
        "overwrite_vars": (flag, False),
        "update_on_launch": (flag, False),
        "update_cache_timeout": (number, 0),
    },
    "job_template": {
        **ORGANIZED,
        **SURVEYED,
        "project": (reference("project"), None),
        "playbook": (text, ""),
        "inventory": (reference("inventory"), None),
        "execution_environment": (reference("execution_environment"), None),
        "forks": (number, 0),
        "job_slice_count": (number, 1),
        "timeout": (number, 0),
    },
    "workflow_job_template": {**ORGANIZED, **SURVEYED},
    "workflow_job_template_node": {
        "identifier": (text, ""),
        "workflow_job_template": (reference("workflow_job_template"), None),
        "unified_job_template": (reference(*TEMPLATES), None),
    },
    "workflow_approval_template": {**NAMED, "timeout": (number, 0)},
    "schedule": {
        **NAMED,
        "rrule": (text, ""),
        "unified_job_template": (reference(*TEMPLATES), None),
        "extra_data": (mapping, {}),
        "enabled": (flag, True),
    },
}
# What has to be there and say something when an object is made or changed.
REQUIRED = {
    "credential_type": ("name", "kind"),
    "credential": ("name", "credential_type"),
    "execution_environment": ("name", "image"),
    "inventory": ("name", "organization"),
    "inventory_source": ("name", "inventory", "source_project", "source_path"),
    "job_template": ("name", "project", "playbook", "inventory"),
    "workflow_job_template_node": ("workflow_job_template",),
    "schedule": ("name", "rrule", "unified_job_template"),
}
# What no two objects of a type may share; their name where nothing is said.
UNIQUE = {
    "inventory_source": ("inventory", "name"),
    "workflow_job_template_node": ("workflow_job_template", "identifier"),
    "workflow_approval_template": (),
    "schedule": ("unified_job_template", "name"),
}
# What may be linked to an object of a type.
LINKS = {
    "job_template": {"credentials": "credential", "instance_groups": "instance_group"},
    "workflow_job_template_node": {"always_nodes": "workflow_job_template_node"},
}


TYPES = (*FIELDS, "project_update", "inventory_update", "job", "workflow_job", "workflow_approval")


def plural(kind):
    return "inventories" if kind == "inventory" else kind + "s"


class Awx:
    """The objects of an AWX with one organization, and what may be done to them.

    repositories: by URL, a Repository. objects: by id, each object. log: each request as (method, path, body).
    """

    def __init__(self, repositories):
        self.repositories = repositories
        self.objects = {}
        self.log = []
        self._ids = itertools.count(1)
        organization = self.add("organization", name="Default")["id"]
        for kind, name, credential in (("vault", "Vault", "Remediation vault"), ("scm", "Source Control", "git")):
            managed = self.add("credential_type", name=name, kind=kind, managed=True)["id"]
            self.add("credential", name=credential, organization=organization, credential_type=managed)
        for name in ("default", "europe"):
            self.add("instance_group", name=name)

    def add(self, of_type, **values):
        """Puts an object there as it is, with the defaults of its fields, and gives it."""
        made = {"id": next(self._ids), "type": of_type}
        made.update({name: default for name, (_takes, default) in FIELDS.get(of_type, {}).items()}, **values)
        self.objects[made["id"]] = made
        return made

    def all(self, *kinds):
        """The objects of some types, in the order in which they were made."""
        return [one for one in self.objects.values() if one["type"] in kinds]

    def one(self, kind, name):
        """The object of a type that has this name or identifier."""
        (found,) = (one for one in self.all(kind) if name in (one.get("name"), one.get("identifier")))
        return found

    # --- Making and changing

    def save(self, kind, sent, old=None):
        """Makes an object, or changes the old one, and gives it. Raises Refused, and then nothing has changed."""
        new = dict(old or {name: default for name, (_takes, default) in FIELDS[kind].items()})
        new.update({name: FIELDS[kind][name][0](self, name, value) for name, value in sent.items() if name in FIELDS[kind]})
        for name in REQUIRED.get(kind, ("name",)):
            if new[name] in (None, ""):
                refuse(name, "This field may not be blank." if name in sent else "This field is required.")
        within = UNIQUE.get(kind, ("name",))
        if within and any(other is not old and all(other[name] == new[name] for name in within) for other in self.all(kind)):
            refuse("__all__", "%s with this %s already exists." % (kind, " and ".join(within)))
        getattr(self, "check_" + kind, lambda old, new: None)(old, new)
        if old is None:
            old = self.add(kind)
        old.update(new, id=old["id"], type=kind)
        getattr(self, "saved_" + kind, lambda one, sent: None)(old, sent)
        return old

    def check_credential_type(self, old, new):
        if old and old["managed"]:
            raise Refused(403, {"detail": "Modifications not allowed for managed credential types"})
        used = old and any(one["credential_type"] == old["id"] for one in self.all("credential"))
        if used and new["inputs"] != old["inputs"]:
            raise Refused(403, {"detail": "Modifications to inputs are not allowed for credential types that are in use"})
        if new["kind"] not in ("cloud", "net"):
            refuse("kind", "Must be 'cloud' or 'net', not %s" % new["kind"])
        fields = {field["id"] for field in new["inputs"].get("fields", ())}
        if set(new["inputs"].get("required", ())) - fields:
            refuse("inputs", "required names a field that is not there")
        for name, template in new["injectors"].get("env", {}).items():
            if set(INJECTED.findall(template)) - fields:
                refuse("injectors", "%s uses an undefined field" % name)

    def check_credential(self, _old, new):
        """A field that is missing is accepted here, and found when a job needs it."""
        fields = {field["id"]: field for field in self.objects[new["credential_type"]]["inputs"].get("fields", ())}
        for name, value in new["inputs"].items():
            if name not in fields or value not in fields[name].get("choices", [value]):
                refuse("inputs", "Additional properties or choices are not allowed (%s was unexpected)" % name)

    def check_job_template(self, _old, new):
        if new["playbook"] not in self.objects[new["project"]].get("_playbooks", ()):
            refuse("playbook", "Playbook not found for project.")

    def check_schedule(self, _old, new):
        if not re.match(r"DTSTART(;TZID=[\w/]+)?:\d{8}T\d{6}Z? RRULE:.*INTERVAL=", new["rrule"]):
            refuse("rrule", "DTSTART and INTERVAL required in rrule.")
        self.check_answers(self.objects[new["unified_job_template"]], new["extra_data"], "extra_data")

    def check_answers(self, template, answers, where):
        """A schedule and a launch through the API have to bring every required answer: nothing is filled in."""
        spec = template.get("_survey", {}).get("spec", ()) if template.get("survey_enabled") else ()
        wrong = [
            "'%s' value missing" % one["variable"] for one in spec if one["required"] and answers.get(one["variable"]) is None
        ]
        for question in spec:
            value = answers.get(question["variable"])
            if question["type"] == "integer" and value is not None and (isinstance(value, bool) or not isinstance(value, int)):
                wrong.append("Value %s for '%s' expected to be an integer." % (value, question["variable"]))
        if wrong:
            raise Refused(400, {"variables_needed_to_start": wrong})
        unasked = set(answers) - {one["variable"] for one in spec}
        if unasked and not template.get("ask_variables_on_launch"):
            refuse(where, "Variables %s are not allowed on launch." % ", ".join(sorted(unasked)))

    def set_survey(self, template, spec):
        """Raises Refused with a text under `error`, as AWX does."""
        for question in spec.get("spec", ()):
            if question["type"] == "integer" and not isinstance(question.get("default", 0), int):
                raise Refused(400, {"error": "The default of '%s' is expected to be an integer." % question["variable"]})
        if not {"name", "description", "spec"} <= set(spec):
            raise Refused(400, {"error": "'name', 'description' or 'spec' missing from survey spec."})
        template["_survey"] = spec

    # --- Syncing: what was asked for last also does what was asked for before it

    def saved_project(self, project, sent):
        if {"scm_url", "scm_branch", "credential"} & set(sent):
            self.update(project)

    def saved_inventory_source(self, source, _sent):
        source.setdefault("status", "never updated")

    def update(self, what):
        """Asks for a sync of a project or of an inventory's source, and gives the update, which is pending."""
        kind = "project_update" if what["type"] == "project" else "inventory_update"
        what["status"] = "pending"
        what.setdefault("scm_revision", "")
        return self.add(kind, name=what["name"], status="pending", finished=None, failed=False, scm_revision="", _of=what["id"])

    def finish(self, update):
        for one in self.all(update["type"]):
            if one["_of"] == update["_of"] and one["id"] <= update["id"] and one["status"] == "pending":
                what = self.objects[one["_of"]]
                done = self.sync_project(what) if what["type"] == "project" else self.sync_source(what)
                what["status"] = "successful" if done else "failed"
                one.update(status=what["status"], failed=not done, finished="2026-11-24T12:00:00Z")
                one["scm_revision"] = what.get("scm_revision", "")

    def sync_project(self, project):
        repository = self.repositories.get(project["scm_url"])
        if repository is None or (repository.private and not project["credential"]):
            return False
        project["scm_revision"] = repository.revision
        project["_playbooks"] = sorted(path.name for path in repository.folder.glob("*.yml"))
        return True

    def sync_source(self, source):
        project, inventory = self.objects[source["source_project"]], self.objects[source["inventory"]]
        if not project.get("scm_revision"):
            return False
        file = self.repositories[project["scm_url"]].folder / source["source_path"]
        groups = list(yaml.safe_load(file.read_text(encoding="utf-8")).values())
        inventory["_hosts"] = sorted({host for group in groups for host in group.get("hosts") or ()})
        return True

    # --- Launching

    def launch(self, template, sent):
        """Gives the job, or the workflow's job."""
        self.check_answers(template, sent.get("extra_vars", {}), "extra_vars")
        if template["type"] == "job_template":
            return self.start_job(template)
        workflow_job = self.add("workflow_job", name=template["name"], status="running", _of=template["id"])
        nodes = [one for one in self.all("workflow_job_template_node") if one["workflow_job_template"] == template["id"]]
        after = {child for node in nodes for child in node.get("_always_nodes", ())}
        for node in nodes:
            if node["id"] not in after:
                self.run_node(node)
        return workflow_job

    def run_node(self, node):
        template = self.objects[node["unified_job_template"]]
        if template["type"] == "workflow_approval_template":
            self.add("workflow_approval", name=template["name"], status="pending", timeout=template["timeout"],
                     _of=template["id"], _then=node.get("_always_nodes", []))  # fmt: skip
            return
        self.start_job(template)
        for child in node.get("_always_nodes", ()):
            self.run_node(self.objects[child])

    def start_job(self, template):
        """One job, with its slices: an inventory that was never synced has no host, so there is nothing to cut."""
        job = self.add("job", name=template["name"], status="successful", job_explanation="", _environment={}, _of=template["id"])
        job["_slices"] = max(1, min(template["job_slice_count"], len(self.objects[template["inventory"]].get("_hosts", ()))))
        for number_ in template.get("_credentials", ()):
            credential = self.objects[number_]
            kind = self.objects[credential["credential_type"]]
            if set(kind["inputs"].get("required", ())) - set(credential["inputs"]):
                job.update(status="error", job_explanation="%s does not provide one or more required fields" % credential["name"])
            for name, template_ in kind["injectors"].get("env", {}).items():
                job["_environment"][name] = INJECTED.sub(lambda field: credential["inputs"].get(field[1], ""), template_)  # noqa: B023
        return job

    def delete(self, one):
        """An approval that is pending fails with its node, and what it held back begins at once."""
        del self.objects[one["id"]]
        if one["type"] != "workflow_job_template_node":
            return
        for approval in self.all("workflow_approval"):
            if approval["_of"] == one["unified_job_template"] and approval["status"] == "pending":
                approval["status"] = "failed"
                for child in approval["_then"]:
                    self.run_node(self.objects[child])

    # --- The API

    def show(self, one):
        """An object as the API shows it."""
        url = "/api/v2/%s/%d/" % (plural(one["type"]), one["id"])
        shown = {name: value for name, value in one.items() if not name.startswith("_")}
        related = {name: "%s%s/" % (url, name) for name in ("survey_spec", "update", "launch")}
        summary = {}
        if one.get("unified_job_template"):
            related["unified_job_template"] = self.show(self.objects[one["unified_job_template"]])["url"]
        if one["type"] == "credential":
            shown["inputs"] = dict.fromkeys(one["inputs"], "$encrypted$")
            summary["credential_type"] = {"name": self.objects[one["credential_type"]]["name"]}
        if one["type"] == "inventory":
            shown["total_hosts"] = len(one.get("_hosts", ()))
        pending = [
            update["id"] for update in self.all("project_update") if (update["_of"], update["status"]) == (one["id"], "pending")
        ]
        if pending:
            summary["current_update"] = {"id": pending[-1]}
        return {**shown, "url": url, "related": related, "summary_fields": summary}

    def value(self, one, path):
        """The text that a filter such as credential_type__name looks at. Raises Refused for a field that is not there."""
        for part in path:
            # Not every template has an organization, and of some templates AWX takes it from elsewhere.
            if part not in one and part != "organization":
                raise Refused(400, {"detail": "%s has no field named '%s'" % (one["type"], part)})
            found = one.get(part)
            one = self.objects[found] if part in FIELDS and found else {"id": found}
        return str(one["id"])

    def matches(self, one, query):
        """Whether an object is what is asked for. A type that there is not, such as workflow_approval here, matches nothing."""

        def holds(name, wanted):
            path = name.split("__")
            return self.value(one, path[:-1]) in wanted.split(",") if path[-1] == "in" else self.value(one, path) == wanted

        any_of = [holds(name[4:], value) for name, value in query.items() if name.startswith("or__")]
        return all(holds(name, value) for name, value in query.items() if not name.startswith("or__")) and any(any_of or [True])

    def answer(self, method, path, query, body):
        """What the API answers, as (HTTP status, body). Raises Refused."""
        collection, *rest = path.removeprefix("/api/v2/").strip("/").split("/")
        kinds = TEMPLATES if collection == "unified_job_templates" else [kind for kind in TYPES if plural(kind) == collection]
        if not kinds:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if not rest:
            return self.answer_list(method, kinds, query, body)
        one = self.objects.get(int(rest[0]))
        if one is None or one["type"] not in kinds:
            raise Refused(404, {"detail": "Not found."})
        if len(rest) > 1:
            return self.answer_part(method, one, rest[1], body)
        if method == "PATCH":
            self.save(one["type"], body, one)
        if method == "DELETE":
            self.delete(one)
            return 204, None
        if one["type"].endswith("_update"):
            self.finish(one)
        return 200, self.show(one)

    def answer_list(self, method, kinds, query, body):
        if method == "POST":
            return 201, self.show(self.save(kinds[0], body))
        found = [self.show(one) for one in self.all(*kinds) if self.matches(one, query)]
        return 200, {"count": len(found), "next": None, "results": found}

    def answer_part(self, method, one, part, body):
        if part == "survey_spec":
            if method == "POST":
                self.set_survey(one, body)
            return 200, one.get("_survey", {})
        if part == "update" and method == "POST":
            return 202, self.show(self.update(one))
        if part == "launch" and method == "POST":
            return 201, self.show(self.launch(one, body))
        if part == "create_approval_template" and method == "POST":
            template = self.save("workflow_approval_template", body)
            one["unified_job_template"] = template["id"]
            return 201, self.show(template)
        if part not in LINKS.get(one["type"], {}):
            raise Refused(404, {"detail": "Not found."})
        linked = one.setdefault("_" + part, [])
        if method == "GET":
            return 200, {"count": len(linked), "next": None, "results": [self.show(self.objects[number]) for number in linked]}
        reference(LINKS[one["type"]][part])(self, "id", body["id"])
        linked.remove(body["id"]) if body.get("disassociate") else linked.append(body["id"])
        return 204, None


class Handler(BaseHTTPRequestHandler):
    """One request after the other, whoever sends it."""

    protocol_version = "HTTP/1.1"
    lock = threading.Lock()

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        address = urlsplit(self.path)
        body = json.loads(body) if body else {}
        with self.lock:
            self.server.awx.log.append((self.command, address.path, body))
            try:
                if self.headers.get("Authorization") != "Bearer " + TOKEN:
                    raise Refused(401, {"detail": "Authentication credentials were not provided."})
                status, answer = self.server.awx.answer(self.command, address.path, dict(parse_qsl(address.query)), body)
            except Refused as refused:
                status, answer = refused.args
            content = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any

    def log_message(self, format, *args):  # noqa: A002
        pass


@contextlib.contextmanager
def serving(awx):
    """Serves an Awx on a free port of this machine for as long as the block lasts, and yields its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.awx = awx
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield "http://127.0.0.1:%d" % server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
