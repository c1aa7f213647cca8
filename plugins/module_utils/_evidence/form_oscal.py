# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for compliance tools: OSCAL assessment results of a verification.

What is claimed is no more than what was verified. A control is much wider than the remediation of what was found, so
each control gets an objective of its own here, and the findings are about these. Personal data of open items stay in
the reports that are linked. Texts of an API are escaped where OSCAL takes Markdown. Private to the collection.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, dicts, listed, one_line
from ansible_collections.secops.remediation.plugins.module_utils._common.times import as_text, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_junit import request_line
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    Heard,
    followed_of,
    heard_of,
    kind_of,
    problems_of,
    readable,
    word_in_words,
    words_counted,
)
from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    NOT_VERIFIED,
    REMEDIATED,
    UNREMEDIATED,
    VERDICTS,
    VERIFIED,
)

OSCAL_VERSION = "1.2.1"
PROJECT = "https://github.com/secops/remediation"
# Whose names they are, of properties that OSCAL does not know.
NAMESPACE = PROJECT + "/ns/oscal"
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)

NO_PLAN = (
    "No OSCAL assessment plan exists for this verification. The resource that this points to describes what is "
    "verified and how an outcome comes about."
)
SP_800_53 = re.compile(r"([a-z]{2})-0*([0-9]+)(?:[(.]0*([0-9]+)\)?)?\Z")
NOT_IN_A_TOKEN = re.compile(r"[^a-z0-9._-]+")
SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
DOMAIN_NAME = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\.)+[A-Za-z0-9-]{2,63}\Z")
MEDIA_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "html": "text/html",
    "xml": "application/xml",
    "md": "text/markdown",
}
ITEM_COUNTS = ("items_total", "items_remediated", "items_open", "items_unknown")
LONGEST_ID = 100
LONGEST_TITLE = 200
LONGEST_TEXT = 5000
LONGEST_VALUE = 500
MOST_WORDS = 100


def oscal(verification: dict[str, Any], files: Any) -> dict[str, Any]:
    """The content of oscal-assessment-results.json, as a dict.

    verification: the content of verification.json. files: what lies beside it, as a list of {path, sha256} with the
    paths relative to the folder of the run.
    The same arguments always give the same document. What is the same from run to run (a campaign, an exposure, the
    risk that one has been since it was first seen open) has the same UUID in each.
    """
    return {"assessment-results": Document(verification, files).content()}


def control_id(name: Any) -> str:
    """A control's id as OSCAL writes it: ac-6.7 of AC-6(7)."""
    text = "".join(one_line(name, LONGEST_ID).lower().split())
    match = SP_800_53.match(text)
    if match:
        family, number, enhancement = match.groups()
        return "%s-%s%s" % (family, number, ".%s" % enhancement if enhancement else "")
    text = NOT_IN_A_TOKEN.sub("-", text).strip("-.")
    return text if text[:1].isalpha() else "control-%s" % (text or "unnamed")


def kinds_of(control: str) -> list[Kind]:
    """The kinds of targets that say something about a control; all of them where none says so of itself."""
    kinds = list(KINDS.values())
    number, family = control.split(".")[0], control.split("-")[0]
    return [kind for kind in kinds if number in kind.controls] or [kind for kind in kinds if family in kind.families] or kinds


def objective(control: str) -> str:
    """What is true of the objective of a control if everything is remediated, in a sentence."""
    parts = [kind.objective.rstrip(".") for kind in kinds_of(control)]
    return ", and ".join(parts[:1] + [part[:1].lower() + part[1:] for part in parts[1:]]) + "."


def objective_id(control: str) -> str:
    """The id of the objective that this verification is about, of those that a control has."""
    return "%s_obj.remediation-verified" % control


# --- values that OSCAL accepts ---


def markup(value: Any, longest: int = LONGEST_TEXT) -> str:
    """A text as OSCAL's Markdown that shows exactly this text; never empty."""
    text = one_line(value, longest)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    text = re.sub(r"([\\`*\[\]{}~^|$])", r"\\\1", text)
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)
    # What would make a heading or a list of a line.
    return re.sub(r"^([0-9]*)([#+=.)-])", r"\1\\\2", text) or "(none)"


def prop(name: str, value: Any, own: bool = True) -> list[dict[str, str]]:
    """A property, in a list; none where it has no value. own: whether it is this collection's, not OSCAL's."""
    text = one_line(value, LONGEST_VALUE)
    if not text:
        return []
    return [dict({"name": name, "value": text}, **({"ns": NAMESPACE} if own else {}))]


def moment(*times: Any) -> str:
    """The first that is a time, with its zone."""
    found = next((time for time in map(parse_time, times) if time), None)
    return as_text(found) if found else "1970-01-01T00:00:00Z"


def address_props(addresses: list[str]) -> list[dict[str, str]]:
    """The addresses of a target, by the names that OSCAL has for them."""
    props = []
    for address in addresses:
        try:
            props += prop("ipv%d-address" % ip_address(address).version, address, own=False)
        except ValueError:
            if DOMAIN_NAME.match(address):
                props += prop("fqdn", address, own=False)
    return props


def name_of(target: Target) -> str:
    """What a target is called."""
    return one_line(target["name"] or target["id"], LONGEST_TITLE)


def with_lists(content: dict[str, Any], **lists: list[Any]) -> dict[str, Any]:
    """The content with those of the lists that are not empty: OSCAL has no empty ones."""
    content.update((name.replace("_", "-"), value) for name, value in lists.items() if value)
    return content


class Document:
    """One document while it is made.

    verification, files: see oscal().
    """

    def __init__(self, verification: dict[str, Any], files: Any) -> None:
        """Takes what the document is about; it is made by content()."""
        self._verification = readable(verification)
        self._files = [dict(path=one_line(file.get("path")), sha256=one_line(file.get("sha256"))) for file in dicts(files)]
        # What belongs to this verification alone gets its UUID from all of it.
        self._space = uuid.uuid5(
            SPACE, hashlib.sha256(json.dumps([verification, self._files], sort_keys=True, default=str).encode()).hexdigest()
        )
        self._resources: dict[tuple[str, str], dict[str, Any]] = {}
        self._seen: dict[tuple[str, str, str], int] = {}
        self._controls = list(dict.fromkeys(control_id(name) for name in listed(verification.get("controls"))))
        self._tool = self._stable("tool")
        self._systems: dict[tuple[str, str], dict[str, Any]] = {}

    def content(self) -> dict[str, Any]:
        """What is below the key assessment-results."""
        verification = self._verification
        verdict = one_line(verification.get("verdict")).replace("_", " ")
        plan = self._own("plan")
        result = self._result()
        document: dict[str, Any] = {
            "uuid": self._own("document"),
            "metadata": {
                "title": "Remediation verification %s: %s" % (markup(verification.get("run")), markup(verdict)),
                "last-modified": moment(verification.get("finished_at"), verification.get("started_at")),
                "version": one_line(verification.get("run")) or "1",
                "oscal-version": OSCAL_VERSION,
                "props": prop("schema-version", verification.get("schema_version")) + prop("verdict", verification.get("verdict"))
                or prop("schema-version", "1"),
            },
            "import-ap": {"href": "#%s" % plan, "remarks": NO_PLAN},
        }
        if self._controls:
            document["local-definitions"] = {"objectives-and-methods": list(map(self._objective, self._controls))}
        document["results"] = [result]
        document["back-matter"] = {
            "resources": [
                {
                    "uuid": plan,
                    "title": "What a verification is, and how an outcome comes about",
                    "description": "The documentation of the Ansible collection secops.remediation, in place of an assessment "
                    "plan.",
                    "rlinks": [{"href": PROJECT + "/blob/main/docs/verification.md", "media-type": "text/markdown"}],
                }
            ]
            + list(self._resources.values())
        }
        return document

    # --- UUIDs ---

    def _stable(self, *parts: Any) -> str:
        """The UUID of a thing that is the same in every verification."""
        return str(uuid.uuid5(SPACE, json.dumps([str(part) for part in parts])))

    def _own(self, *parts: Any) -> str:
        """The UUID of a thing that only this verification has."""
        return str(uuid.uuid5(self._space, json.dumps([str(part) for part in parts])))

    # --- the parts of the document ---

    def _objective(self, control: str) -> dict[str, Any]:
        """The objective that this verification is about."""
        return {
            "control-id": control,
            "description": "What secops.remediation verifies of this control. The control asks for more, which was "
            "not assessed here.",
            "parts": [{"id": objective_id(control), "name": "assessment-objective", "prose": objective(control)}],
        }

    def _result(self) -> dict[str, Any]:
        """The one result: subjects, observations, risks and findings."""
        verification = self._verification
        processes: list[dict[str, Any]] = []
        inventory: list[dict[str, Any]] = []
        observations: list[dict[str, Any]] = []
        risks: list[dict[str, Any]] = []
        of_kind: dict[str, list[tuple[str, list[str], str | None]]] = {}
        for target in verification["targets"]:
            subject, where = self._subject(target)
            (processes if where == "component" else inventory).append(subject)
            observation = self._observation(target, subject["uuid"], where)
            observations.append(observation)
            # The first witness is the one of the target's own observation.
            more = [self._heard(heard, target, observation) for heard in heard_of(target)[1:]]
            observations += more
            risk = self._risk(target, subject["uuid"], [one["uuid"] for one in [observation, *more]])
            risks += [risk] if risk else []
            entry = (target["outcome"], [one["uuid"] for one in [observation, *more]], risk["uuid"] if risk else None)
            of_kind.setdefault(target["kind"], []).append(entry)
        # Nobody knows about what a target of another kind says nothing.
        others = [entry for kind, entries in of_kind.items() if kind not in KINDS for entry in entries]
        entries = {
            control: [entry for kind in kinds_of(control) for entry in of_kind.get(kind.name, [])] + others
            for control in self._controls
        }
        assessed = [control for control in self._controls if entries[control]]
        findings = [self._finding(control, entries[control]) for control in assessed]
        result: dict[str, Any] = {
            "uuid": self._own("result"),
            "title": "Verification %s" % markup(verification.get("run")),
            "description": markup(verification.get("summary")),
            "start": moment(verification.get("started_at"), verification.get("finished_at")),
            "end": moment(verification.get("finished_at"), verification.get("started_at")),
        }
        with_lists(
            result,
            props=[one for name, number in sorted(verification["counts"].items()) for one in prop("count-%s" % name, number)],
        )
        links = self._links_to_files()
        with_lists(result, links=links)
        result["local-definitions"] = with_lists({}, components=processes, inventory_items=inventory)
        result["local-definitions"]["assessment-assets"] = self._assets()
        result["reviewed-controls"] = self._reviewed(assessed)
        with_lists(result, observations=observations, risks=risks, findings=findings)
        left_out = [control for control in self._controls if control not in assessed]
        remarks = (
            [
                "No target of this verification says anything about %s, so there is no finding on %s."
                % (", ".join(left_out), "it" if len(left_out) == 1 else "them")
            ]
            if left_out
            else []
        )
        remarks += ["%s: %s" % (markup(asked), markup(problem)) for asked, problem in problems_of(verification)]
        remarks += [text for text in (followed_of(verification),) if text]
        if remarks:
            result["remarks"] = "\n\n".join(remarks)
        return result

    def _reviewed(self, assessed: list[str]) -> dict[str, Any]:
        """The controls that were reviewed."""
        controls = assessed or self._controls
        if not controls:
            # The schema wants a selection. All of the controls of no plan and no catalog are none.
            return {
                "description": "No control was named for this verification.",
                "control-selections": [{"description": "None: no catalog is imported.", "include-all": {}}],
            }
        return {
            "description": "Of each control, only the remediation of what was found."
            if assessed
            else "The controls that were named. Nothing was assessed, as no target says anything about them.",
            "control-selections": [{"include-controls": [{"control-id": control} for control in controls]}],
            "control-objective-selections": [
                {"include-objectives": [{"objective-id": objective_id(control)} for control in controls]}
            ],
        }

    def _assets(self) -> dict[str, Any]:
        """What the verification was made with: this collection, and the systems that were asked."""
        collection = dict_at(self._verification, "collection")
        name = one_line(collection.get("name"), LONGEST_TITLE) or "secops.remediation"
        tool = {
            "uuid": self._tool,
            "type": "software",
            "title": markup(name),
            "description": "The Ansible collection that made this verification.",
            "status": {"state": "operational"},
        }
        with_lists(tool, props=prop("version", collection.get("version"), own=False))
        components = [tool] + list(self._systems.values())
        return {
            "components": components,
            "assessment-platforms": [
                {
                    "uuid": self._own("platform"),
                    "title": "Ansible with %s" % markup(name),
                    "uses-components": [{"component-uuid": component["uuid"]} for component in components],
                }
            ],
        }

    def _system(self, target: Target) -> str | None:
        """The UUID of the system that a target is of, or None."""
        url = one_line(target.get("system"), LONGEST_VALUE)
        if not url:
            return None
        key = (target["kind"], url)
        if key not in self._systems:
            self._systems[key] = {
                "uuid": self._stable("system", *key),
                "type": "service",
                "title": markup(kind_of(target).system),
                "description": "The service that was asked, at %s" % markup(url),
                "props": prop("base-url", url),
                "status": {"state": "operational"},
            }
        return self._systems[key]["uuid"]

    def _subject(self, target: Target) -> tuple[dict[str, Any], str]:
        """(a target as a subject, the type of subject): a process, such as a campaign, or what is on an inventory."""
        kind = kind_of(target)
        identity = (target["kind"], one_line(target.get("system")), one_line(target.get("id")))
        self._seen[identity] = occurrence = self._seen.get(identity, 0) + 1
        key = self._stable("target", *identity, *([occurrence] if occurrence > 1 else []))
        props = [one for fact in kind.properties for one in prop(fact.name, fact.value(target))]
        if kind.standing:
            return {
                "uuid": key,
                "type": "process-procedure",
                "title": markup(name_of(target)),
                "description": markup(kind.subject) + ".",
                "props": prop("target-id", target.get("id")) + props or prop("target-id", "unknown"),
                "status": {"state": "other", "remarks": kind.standing},
            }, "component"
        props = prop("asset-id", target.get("id"), own=False) + address_props(kind.addresses(target)) + props
        description = "%s: %s" % (markup(kind.subject), markup(name_of(target)))
        return with_lists({"uuid": key, "description": description}, props=props), "inventory-item"

    def _observation(self, target: Target, subject: str, subject_type: str) -> dict[str, Any]:
        """What was found of a target."""
        kind, name = kind_of(target), name_of(target)
        system = self._system(target)
        requests, words = target["requests"], words_counted(target)
        props = (
            prop("outcome", target["outcome"])
            + prop("open-since", target["open_since"])
            + prop("not-verified-since", target["not_verified_since"])
            + prop("scan-id", target["scan_id"])
        )
        if any(entry["configured"] for entry in words):
            props += prop("words-configured-by-the-user", "yes")
        for key in ITEM_COUNTS:
            props += prop(key.replace("_", "-"), dict_at(target, "items").get(key))
        observation = {
            "uuid": self._own("observation", subject),
            "title": "%s: %s" % (markup(kind.noun[:1].upper() + kind.noun[1:]), markup(name)),
            "description": "%s: %s" % (target["outcome"].capitalize(), markup(target["reason"])),
            "props": props,
            "methods": self._methods(target),
            "types": ["control-objective"],
            "origins": [{"actors": [{"type": "tool", "actor-uuid": actor} for actor in (self._tool, system) if actor]}],
            "subjects": [{"subject-uuid": subject, "type": subject_type, "title": markup(name)}],
        }
        with_lists(observation, relevant_evidence=[self._evidence(file) for file in target["evidence"]])
        times = [request["server_time"] for request in requests]
        observation["collected"] = moment(
            *[target["finished_at"]] + times[::-1] + [self._verification["finished_at"], self._verification["started_at"]]
        )
        remarks = (
            ["The words that counted in the report:"] + [markup(word_in_words(entry)) for entry in words[:MOST_WORDS]]
            if words
            else []
        )
        if len(words) > MOST_WORDS:
            remarks.append("%d more words are in verification.json." % (len(words) - MOST_WORDS))
        if requests:
            remarks += ["The requests that support this:"] + [markup(request_line(request)) for request in requests]
        if remarks:
            # An empty line between paragraphs, as Markdown has it.
            observation["remarks"] = "\n\n".join(remarks)
        return observation

    def _heard(self, heard: Heard, target: Target, observation: dict[str, Any]) -> dict[str, Any]:
        """What another witness says of a target. observation: the target's own one."""
        props = prop("outcome", heard.outcome) + prop("witness", heard.name)
        for key in ITEM_COUNTS:
            props += prop(key.replace("_", "-"), heard.items.get(key))
        content = {
            "uuid": self._own("observation", observation["uuid"], heard.name),
            "title": "%s: %s: the %s" % (markup(kind_of(target).noun.capitalize()), markup(name_of(target)), heard.name),
            "description": "%s: %s" % (heard.outcome.capitalize(), markup(heard.reason)),
            "props": props,
            "methods": ["EXAMINE"],
            "types": ["control-objective"],
        }
        content.update({name: observation[name] for name in ("origins", "subjects")})
        own = [file for file in target["evidence"] if one_line(file["path"]).rpartition("/")[2] == heard.record + ".json"]
        with_lists(content, relevant_evidence=list(map(self._evidence, own)))
        return dict(content, collected=moment(heard.items.get("as_of"), observation["collected"]))

    @staticmethod
    def _methods(target: Target) -> list[str]:
        """How a target was assessed."""
        if target["outcome"] in (REMEDIATED, UNREMEDIATED) or dict_at(target, "items"):
            return list(kind_of(target).methods)
        if target.get("scan_id") or target.get("scan"):
            return ["TEST"]
        looked_up = target["requests"] or any(value and isinstance(value, dict) for value in target.values())
        return ["EXAMINE"] if looked_up else ["UNKNOWN"]

    def _risk(self, target: Target, subject: str, observations: list[str]) -> dict[str, Any] | None:
        """What it means that a target is still open, or None where it is not known to be."""
        if target["outcome"] != UNREMEDIATED:
            return None
        kind = kind_of(target)
        risk: dict[str, Any] = {
            "uuid": self._stable("risk", subject, target["open_since"]),
            "title": "%s: %s" % (kind.risk, markup(name_of(target))),
            "description": markup(target["reason"]),
            "statement": kind.statement,
            "status": "open",
        }
        risk.update(self._deviation(target))
        with_lists(
            risk,
            props=prop("open-since", target["open_since"])
            + prop("not-verified-since", target["not_verified_since"])
            + prop("severity", kind.severity(target))
            + prop("owner", target["owner"])
            + [one for name, value in (target["accepted"] or {}).items() for one in prop("accepted-%s" % name, value)],
        )
        risk["related-observations"] = [{"observation-uuid": observation} for observation in observations]
        return risk

    @staticmethod
    def _deviation(target: Target) -> dict[str, Any]:
        """What OSCAL says of a risk that is open and accepted: that, and by when it is to be dealt with."""
        if not target["accepted"]:
            return {}
        deadline = parse_time(target["accepted"]["until"])
        return dict({"status": "deviation-approved"}, **({"deadline": as_text(deadline)} if deadline else {}))

    def _finding(self, control: str, entries: list[tuple[str, list[str], str | None]]) -> dict[str, Any]:
        """What the targets say about a control, of which there is one at least."""
        outcomes = [outcome for outcome, _observations, _risk in entries]
        remediated, total = outcomes.count(REMEDIATED), len(outcomes)
        problems = len(problems_of(self._verification))
        if remediated == total and problems:
            state, reason = "not-satisfied", "other"
            words = "All %d targets are remediated, but %d look-ups had a problem, so there may be more." % (total, problems)
        elif remediated == total:
            state, reason, words = "satisfied", "pass", "All %d targets are remediated." % total
        elif UNREMEDIATED in outcomes:
            state, reason = "not-satisfied", "fail"
            words = "%d of %d targets are still open." % (outcomes.count(UNREMEDIATED), total)
        else:
            state, reason = "not-satisfied", "other"
            words = "No target is known to be open, but %d of %d have no answer yet." % (total - remediated, total)
        risks = [risk for _outcome, _observations, risk in entries if risk]
        return with_lists(
            {
                "uuid": self._own("finding", control),
                "title": "%s: remediation is %s"
                % (control, VERDICTS[VERIFIED if state == "satisfied" else NOT_VERIFIED].lower()),
                "description": "%s %s" % (objective(control), words),
                "props": prop("control-id", control),
                "target": {
                    "type": "objective-id",
                    "target-id": objective_id(control),
                    "status": {"state": state, "reason": reason, "remarks": words},
                },
                "related-observations": [
                    {"observation-uuid": observation} for _outcome, observations, _risk in entries for observation in observations
                ],
            },
            related_risks=[{"risk-uuid": risk} for risk in risks],
        )

    # --- files ---

    def _resource(self, file: dict[str, Any]) -> str:
        """The UUID of the resource that a file is."""
        path, digest = one_line(file["path"]), one_line(file.get("sha256"))
        if (path, digest) not in self._resources:
            link = with_lists(
                {"href": href_of(path)},
                hashes=[{"algorithm": "SHA-256", "value": digest.lower()}] if SHA256.match(digest) else [],
            )
            media_type = MEDIA_TYPES.get(path.rpartition(".")[2])
            if media_type:
                link["media-type"] = media_type
            self._resources[path, digest] = {
                "uuid": self._own("resource", path, digest),
                "title": markup(path, LONGEST_VALUE),
                "props": prop("type", "evidence", own=False),
                "rlinks": [link],
            }
        return self._resources[path, digest]["uuid"]

    def _evidence(self, file: dict[str, Any]) -> dict[str, Any]:
        """A file that supports what was found of a target."""
        resource = self._resource(file)
        return {
            "href": href_of(one_line(file["path"])),
            "description": "The file %s" % markup(file["path"], LONGEST_VALUE),
            "links": [{"href": "#%s" % resource, "rel": "reference"}],
        }

    def _links_to_files(self) -> list[dict[str, Any]]:
        """Links to the files that no observation has named."""
        named = set(self._resources)
        return [
            {"href": "#%s" % self._resource(file), "rel": "reference", "text": markup(file["path"], LONGEST_VALUE)}
            for file in self._files
            if (file["path"], file["sha256"]) not in named
        ]


def href_of(path: str) -> str:
    """A path relative to the document as a URI that stays below it."""
    return quote("/".join(part for part in path.replace("\\", "/").split("/") if part not in ("", ".", ".."))) or "."
