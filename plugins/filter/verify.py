# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify has to work out, so that it needs neither variables nor templates for it."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.constants import LOCALHOST
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.utils.display import Display
from ansible.utils.path import unfrackpath

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import ArgumentSpec, JsonObject, Result
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import printable, printable_everywhere
from ansible_collections.secops.remediation.plugins.module_utils._systems import ASKED, ON_RECORD, SYSTEMS, TERMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    NEEDS_ACTION,
    OUTCOMES,
    REMEDIATED,
    UNREMEDIATED,
    VERIFIED,
)
from ansible_collections.secops.remediation.plugins.plugin_utils.targets_file import read_targets_file

FORMATS = ["json", "csv", "junit", "markdown", "oscal", "sarif", "attestation", "html"]
# The role's inputs, those of the systems among them. A test holds the defaults against those of the role.
INPUTS: ArgumentSpec = dict(
    verify_wait=dict(type="bool", default=True),
    verify_wait_timeout=dict(type="int", default=21600),
    verify_wait_interval=dict(type="int", default=60),
    verify_wait_for=dict(type="str", choices=["last", "each"], default="last"),
    verify_max_age=dict(type="int", default=86400),
    verify_confirm=dict(type="bool", default=True),
    verify_ledger=dict(type="str"),
    verify_started=dict(type="list", elements="raw", default=[]),
    verify_evidence_dir=dict(type="str"),
    verify_evidence_mode=dict(type="str", default="0600"),
    verify_fail_on=dict(type="list", elements="str", choices=list(OUTCOMES), default=list(NEEDS_ACTION)),
    verify_formats=dict(type="list", elements="str", choices=FORMATS, default=FORMATS),
    verify_controls=dict(type="list", elements="str", default=["ac-2", "ac-6.7", "ca-7", "ra-5", "si-2"]),
    verify_signing_key=dict(type="str", default=""),
    verify_keep_runs=dict(type="int", default=0),
    verify_targets_file=dict(type="path"),
    **{
        "verify_%s" % name: spec
        for system in SYSTEMS
        for name, spec in {**system.asked, **system.terms, **system.settings}.items()
    },
)
# A tenant's own words may have commas in them.
WORDS = tuple("verify_%s" % name for system in SYSTEMS for name, spec in system.settings.items() if spec["type"] == "list")
DIRECTORY = "remediation-evidence"
COLLECTIONS_PLAYBOOKS = re.compile(r"/ansible_collections/[^/]+/[^/]+/playbooks/?$")
# An evidence directory has at least one of them.
MARKS = ("ledger.json", "latest", "SHA256SUMS")
# What the names of the variables begin with by which one job hands on to the next what it has started.
STARTED = "verify_started_"


# What is less makes no sense, and is better known before anything is started.
LEAST = {"verify_wait_timeout": 0, "verify_wait_interval": 1, "verify_max_age": 0, "verify_keep_runs": 0}


def verify_inputs(
    given: Mapping[str, Any], evidence_dir: str, tenant: str = "localhost", tenants: Iterable[str] | None = None
) -> JsonObject:
    """The inputs of the role as they were meant, by their names without `verify_`; and `problems`, a list of sentences.

    given: dict of the inputs by name, in any shape that a survey, a command line, or a variable file gives them.
    evidence_dir: where the evidence goes unless an input says otherwise. tenant: the host, as a targets file names it.
    tenants: all hosts of the inventory, None where nobody knows.
    """
    # Values may be of types that only the templating engine knows, and copying these has effects.
    given = json.loads(json.dumps(given, default=str))
    problems, meant = [], {}
    for name, spec in INPUTS.items():
        try:
            value = whole(name, given.get(name), spec["type"])
        except ValueError as error:
            problems.append("%s: %s." % (name, error))
            continue
        if value is not None:
            meant[name] = value
    said, more = of_targets_file(meant, tenant, tenants)
    problems += more
    validation = ArgumentSpecValidator(INPUTS).validate(meant)
    problems += [
        "Not known: " * isinstance(validation.errors[place], UnsupportedError) + message.rstrip(".") + "."
        for place, message in enumerate(validation.error_messages)
    ]
    problems += ids_with_blanks(validation.validated_parameters)
    problems += [
        "%s is %d and must be at least %d." % (name, validation.validated_parameters[name], least)
        for name, least in LEAST.items()
        if isinstance(validation.validated_parameters.get(name), int) and validation.validated_parameters[name] < least
    ]
    problems += [
        "verify_%s is empty: name at least one of %s." % (name, ", ".join(spec["choices"]))
        for name, spec in TERMS.items()
        if validation.validated_parameters.get("verify_" + name) == []
    ]
    if validation.validated_parameters.get("verify_update_alerts", "none") != "none" and not validation.validated_parameters.get(
        "verify_confirm"
    ):
        problems.append("verify_update_alerts needs verify_confirm: what an earlier run was told is no reason to close an alert.")
    inputs = {name[len("verify_") :]: value for name, value in validation.validated_parameters.items()}
    inputs["targets_file"] = said
    if said:
        inputs.update({name: without_doubles(inputs[name]) for name in ASKED if isinstance(inputs.get(name), list)})
    inputs["targets"] = {name: inputs.get(name) for name in ON_RECORD}
    inputs["evidence_dir"] = inputs["evidence_dir"] or evidence_dir
    inputs["ledger"] = inputs["ledger"] or os.path.join(inputs["evidence_dir"], "ledger.json")
    return dict(inputs, problems=[printable(problem) for problem in problems])


def of_targets_file(meant: JsonObject, tenant: str, tenants: Iterable[str] | None) -> tuple[JsonObject | None, list[str]]:
    """(what owners say in the targets file, None without one; what is wrong with the file, as sentences).

    meant: the inputs so far; what the file asks for is put beside what they ask for. tenant, tenants: see verify_inputs.
    """
    path = meant.get("verify_targets_file")
    if path is None:
        return None, []
    said, problems = read_targets_file(unfrackpath(str(path)), tenant)
    asked = said.pop("asked", {})
    elsewhere = sorted(set(said.pop("tenants")) - set(tenants)) if tenants is not None and not problems else []
    if elsewhere:
        # A slice of an inventory has not all of them, so it is no mistake by itself.
        Display().warning(
            printable("%s: nothing is verified for %s here: the inventory has no such host." % (path, ", ".join(elsewhere)))
        )
    for name, value in asked.items():
        inline = meant.get("verify_" + name)
        if isinstance(value, list):
            meant["verify_" + name] = [*(inline or []), *value]
        elif value and inline and value != inline:
            problems.append("verify_%s is %s, and %s in %s: give one of them." % (name, inline, value, path))
        else:
            meant["verify_" + name] = value or inline
    return said, problems


def ids_with_blanks(meant: JsonObject) -> list[str]:
    """What is said of IDs that are text and have a blank between their characters, as sentences. meant: the inputs by name."""
    return [
        "%s: %s has a blank in it, which no ID has: give each as an item of its own." % (name, json.dumps(value))
        for name, spec in INPUTS.items()
        if name.endswith("_ids") and spec.get("elements") == "str"
        for value in meant.get(name) or []
        if isinstance(value, str) and len(value.split()) > 1
    ]


def without_doubles(values: list[Any]) -> list[Any]:
    """The values of a list, each once."""
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


def whole(name: str, value: Any, kind: str) -> Any:
    """An input as a value of its kind, as far as its shape goes; None where nothing was given. Raises ValueError."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    if kind != "list":
        if isinstance(value, (list, dict)) or kind == "int" and isinstance(value, bool):
            raise ValueError("give one value, not %s" % json.dumps(value, default=str))
        if name == "verify_evidence_mode" and not isinstance(value, str):
            # YAML reads 0600 as the number 384, and nobody could tell what was written.
            raise ValueError("%s is a number: put the mode in quotes, such as '0600'" % value)
        return value
    if isinstance(value, str):
        value = list_of_text(value, ",\n" if name not in WORDS or "\n" not in value else "\n")
    elif isinstance(value, bool):
        raise ValueError("give a list, not %s" % value)
    elif isinstance(value, (int, float, dict)):
        value = [value]
    missing = [str(place) for place, item in enumerate(value, 1) if item is None]
    if missing:
        raise ValueError("item %s of the list is null: give it a value, or take it out" % ", ".join(missing))
    # What was copied with a blank around it looks the same in every message. A tenant's own words are left alone.
    return [item.strip() if isinstance(item, str) and name not in WORDS else item for item in value]


def list_of_text(text: str, separators: str) -> list[Any]:
    """The list that a text stands for: as JSON, as Python writes one, or its parts. Raises ValueError."""
    if text[0] not in "[{":
        return [part.strip() for part in re.split("[%s]" % separators, text) if part.strip()]
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return value if isinstance(value, list) else [value]
    raise ValueError("this looks like a list, and is not JSON: %s" % text[:200])


def evidence_directory(playbook_dir: str, host: str, hosts: Iterable[str] = (), addresses: Iterable[str] = ()) -> str:
    """Where the evidence of a tenant goes unless it is said otherwise, as an absolute path.

    It is a folder for each host, because a host is a tenant. `localhost` is the one without an inventory, and has no
    folder of its own. Neither depends on which other hosts take part.
    playbook_dir: of the play. host: name of the host. hosts: the names of all hosts of the inventory.
    addresses: the addresses of the tenant's APIs, as far as they are known.
    """
    # The collection's own playbooks are where nobody may write.
    beside = os.path.realpath(".") if COLLECTIONS_PLAYBOOKS.search(playbook_dir) else playbook_dir
    shared = os.path.join(beside, DIRECTORY)
    own = os.path.join(shared, one_name(host))
    if host in LOCALHOST:
        return own if holds_evidence(own) and not holds_evidence(shared) else shared
    # Before 0.3.0 a host that was alone in its play had no folder of its own.
    takes_over = not holds_evidence(own) and holds_evidence(shared) and is_of_host(shared, host, hosts, addresses)
    return shared if takes_over else own


def is_of_host(folder: str, host: str, hosts: Iterable[str], addresses: Iterable[str]) -> bool:
    """Whether evidence that may be of any host is of this one: of its APIs, or there is no other host."""
    systems, known = systems_of(folder), {bare(address) for address in addresses if address}
    return systems <= known if systems and known else not set(hosts) - {host, *LOCALHOST}


def one_name(host: str) -> str:
    """The name of a host as the name of one folder."""
    return host.replace("/", "%2F") if host.strip(".") else host.replace(".", "%2E")


def holds_evidence(folder: str) -> bool:
    """Whether an earlier run has left something there."""
    return any(os.path.lexists(os.path.join(folder, name)) for name in MARKS)


def systems_of(folder: str) -> set[str]:
    """The addresses of which the newest verification in an evidence directory speaks; none where it cannot be read."""
    try:
        with open(os.path.join(folder, "latest", "verification.json"), encoding="utf-8") as file:
            return {bare(target["system"]) for target in json.load(file)["targets"] if target["system"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def bare(address: object) -> str:
    """What an address has to be compared by: Xpanse's may be given without its scheme and `api-`."""
    return re.sub(r"^(https://)?(api-)?", "", str(address).strip().rstrip("/").lower())


def seconds_left(timeout: float, began: float | str, reserve: float = 0) -> int:
    """How many of `timeout` seconds are left, less a reserve, when the work began at `began` (seconds since 1970)."""
    # A clock that was set back in between must not prolong it.
    elapsed = max(0, time.time() - float(began))
    return max(0, int(timeout - elapsed - reserve))


def verify_lines(verification: Result) -> list[str]:
    """What the role prints of a verification, as remediation_evidence returns it: a list of lines."""
    lines = [verification["summary"], *(verification.get("acceptance") or {}).get("problems", [])]
    lines += [
        "%s%s: %s %s: %s"
        % (
            target["outcome"],
            ", accepted by %(by)s until %(until)s (%(reason)s)" % target["accepted"] if target.get("accepted") else "",
            target["kind"],
            target["name"] or target["id"],
            target["reason"],
        )
        for target in verification["targets"]
        if target["outcome"] != REMEDIATED
    ]
    if verification["targets_left_out"]:
        lines.append("... and %d more targets in the evidence." % verification["targets_left_out"])
    if verification["path"]:
        lines.append("Evidence: %s" % (verification["files"].get("html") or verification["path"]))
    if verification.get("run_sha256"):
        lines.append("SHA-256 of its checksums: %s" % verification["run_sha256"])
    return [printable(line) for line in lines]


def nothing_started(verification: Result) -> list[str]:
    """The kinds of target of which not one could be started, though there are some, as a list of sentences."""
    return [
        "Of %d %ss, not one could be started." % (count["total"], kind)
        for kind, count in sorted(verification["by_kind"].items())
        if count["total"] == count["not_started"] > 0
    ]


def gate_problems(evidence: Result, fail_on: Iterable[str]) -> list[str]:
    """Why a play has to fail for what was found, as a list of sentences; [] where it may end well.

    evidence: as remediation_evidence returns it. fail_on: the outcomes that fail the play.
    """
    verification, fail_on = evidence["verification"], set(fail_on)
    counts, acceptance = dict(verification["counts"]), verification.get("acceptance") or {}
    # A finding that is accepted fails nothing. It stays what it is everywhere else.
    counts[UNREMEDIATED] -= acceptance.get("accepted", 0)
    problems = acceptance.get("problems", [])
    may_end_well = (
        "msg" not in evidence
        and counts["total"] > 0
        and not problems
        and not any(counts[outcome] for outcome in fail_on)
        # That all of it is verified is more than that no target has one of the other outcomes.
        and (
            verification["verdict"] == VERIFIED
            or acceptance.get("all_open_accepted") is True
            or not fail_on.issuperset(NEEDS_ACTION)
        )
    )
    return [] if may_end_well else said_at_the_end(evidence, problems)


def start_problems(evidence: Result) -> list[str]:
    """Why a play has to fail that only starts scans, as a list of sentences; [] where it may end well.

    evidence: as remediation_evidence returns it.
    """
    nothing = nothing_started(evidence["verification"])
    return said_at_the_end(evidence, nothing) if nothing or "msg" in evidence else []


def said_at_the_end(evidence: Result, more: Iterable[str] = ()) -> list[str]:
    """What is said where a play fails: what went wrong, what was found, and where the evidence is."""
    verification = evidence["verification"]
    sentences = [evidence.get("msg"), *more, verification["summary"], "The evidence is in %s." % verification["directory"]]
    return [printable(sentence) for sentence in sentences if sentence]


def in_run(prepared: Result, path: str) -> str | None:
    """Where a file or folder of the run goes, as a path; None in check mode, which writes none.

    prepared: as remediation_evidence returns it for `state: prepared`. path: relative to the folder of the run.
    """
    return os.path.join(prepared["folder"], path) if prepared["folder"] else None


def started_variables(parts: Iterable[JsonObject], host: str, run_id: str) -> JsonObject:
    """The parts of what was started, by the names of the variables that carry them to the next job.

    No other host has these names, and no other run: of several that are the same, AWX keeps one. host: name of the host.
    run_id: of the run that started it.
    """
    run = hashlib.sha256(run_id.encode("utf-8")).hexdigest()[:8]
    return {"%s_%s_%s_%d" % (started_prefix(host), run, part["kind"], number): part for number, part in enumerate(parts, 1)}


def started_parts(given: Any, variables: Mapping[str, Any], host: str) -> Any:
    """What an earlier job has handed on for this host: what was given, else whatever variables have its names.

    given: the role's input, in any shape. variables: all variables of the host.
    """
    if given not in (None, "", []):
        return given
    prefix = started_prefix(host) + "_"
    return [variables[name] for name in variables if isinstance(name, str) and name.startswith(prefix)]


def started_prefix(host: str) -> str:
    """What the names of a host's variables begin with. A host may have any name, and a variable may not."""
    return STARTED + hashlib.sha256(host.encode("utf-8")).hexdigest()[:16]


class FilterModule:
    """The filters of the role."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return dict(
            verify_inputs=verify_inputs,
            evidence_directory=evidence_directory,
            seconds_left=seconds_left,
            verify_lines=verify_lines,
            gate_problems=gate_problems,
            start_problems=start_problems,
            in_run=in_run,
            nothing_started=nothing_started,
            started_parts=started_parts,
            started_variables=started_variables,
            printable=printable_everywhere,
        )
