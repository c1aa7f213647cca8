# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates OSCAL assessment results with compliance-trestle, and what they refer to. Exits with 1 where one is wrong.

validate.py FILE...

trestle's models are made from NIST's JSON schema, which it does not ship. Of references it follows only those to roles,
and warns of others in its log, where it takes no UUID but those of version 4 for one; so references are followed here.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from trestle.common.err import TrestleError
from trestle.core.validator_factory import validator_factory
from trestle.oscal import OSCAL_VERSION, OSCAL_VERSION_REGEX
from trestle.oscal.assessment_results import AssessmentResults

# RFC 3986, of which OSCAL's schema only says "uri-reference" and the models of trestle nothing.
URI_REFERENCE = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?#]*:))"
    r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}|\[[0-9A-Fa-f:.]+\])*"
    r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
# The names of properties that OSCAL itself defines, as far as this collection uses them; others need a namespace.
OWN_NAMES = {"asset-id", "fqdn", "ipv4-address", "ipv6-address", "type", "version"}
# The one runs all others once more, the other takes no UUID of version 5 for one.
LEFT_OUT = {"AllValidator", "LinksValidator"}
# Which kind of thing each kind of reference has to lead to.
REFERENCES = {
    "observation-uuid": {"observations"},
    "risk-uuid": {"risks"},
    "component-uuid": {"components"},
    "actor-uuid": {"components", "parties", "assessment-platforms"},
    "subject-uuid": {"components", "inventory-items", "parties", "resources", "users", "locations"},
    "task-uuid": {"tasks"},
}
SUBJECT_TYPES = {
    "component": "components",
    "inventory-item": "inventory-items",
    "party": "parties",
    "resource": "resources",
    "user": "users",
    "location": "locations",
}


class Log(logging.Handler):
    """Keeps what trestle says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"an object has a key twice: {[key for key, _value in pairs]}")
    return found


def errors_of(path: Path) -> list[str]:
    """What is wrong with a file, in words."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=without_duplicates)
    except ValueError as error:
        return [f"it is not JSON: {error}"]
    try:
        model = AssessmentResults.oscal_read(path)
    except TrestleError as error:
        return [str(error)]
    if model is None:
        return ["trestle reads nothing from it"]
    errors = trestle_errors(model)
    kept = json.loads(model.oscal_serialize_json())
    if differences := list(differences_of(content, kept, "")):
        errors.append(f"trestle does not keep all of it: {differences[:5]}")
    return errors + reference_errors(content["assessment-results"])


def trestle_errors(model: AssessmentResults) -> list[str]:
    """What trestle's own validators find or complain about."""
    log, logger = Log(), logging.getLogger("trestle")
    logger.addHandler(log)
    try:
        validators = [one for one in validator_factory.get_all() if type(one).__name__ not in LEFT_OUT]
        failed = [one for one in validators if not one.model_is_valid(model, False, None)]
    finally:
        logger.removeHandler(log)
    errors = log.messages + [f"{type(one).__name__}: {one.error_msg()}" for one in failed]
    version = str(model.metadata.oscal_version.root.root)
    if not re.match(OSCAL_VERSION_REGEX, version):
        errors.append(f"OSCAL version {version}: this trestle knows {OSCAL_VERSION}")
    return errors


def differences_of(ours: object, theirs: object, where: str) -> Iterator[str]:
    """Where two contents of JSON differ; the same time may be written in two ways."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in ours or key not in theirs:
                yield f"{where}/{key}"
            else:
                yield from differences_of(ours[key], theirs[key], f"{where}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences_of(one, other, f"{where}/{number}")
    elif ours != theirs and where.rpartition("/")[2] not in ("start", "end", "collected", "deadline", "last-modified"):
        yield where


def objects_of(value: object, name: str = "") -> Iterator[tuple[str, dict]]:
    """All objects, each with the name of the list or key that it is in."""
    if isinstance(value, dict):
        yield name, value
        for key, part in value.items():
            yield from objects_of(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from objects_of(part, name)


def reference_errors(document: dict) -> list[str]:
    """References that lead nowhere, or to something else than they say."""
    objects = list(objects_of(document, "assessment-results"))
    kinds = {item["uuid"]: name for name, item in objects if "uuid" in item}
    resources = {uuid for uuid, name in kinds.items() if name == "resources"}
    parts = {item["id"] for name, item in objects if name == "parts" and "id" in item}
    controls = {item["control-id"] for name, item in objects if name == "include-controls"}
    errors = []
    for name, item in objects:
        for key, allowed in REFERENCES.items():
            if key in item and kinds.get(item[key]) not in allowed:
                errors.append(f"{key} {item[key]} leads to {kinds.get(item[key], 'nothing')}")
        if "subject-uuid" in item and kinds.get(item["subject-uuid"]) != SUBJECT_TYPES.get(item["type"]):
            errors.append(f"subject {item['subject-uuid']} is no {item['type']}")
        href = item.get("href")
        if href is not None and not URI_REFERENCE.fullmatch(href):
            errors.append(f"{href!r} is no reference to a resource")
        if href is not None and href.startswith("#") and href[1:] not in resources:
            errors.append(f"{href} leads to no resource")
        if name == "props" and "ns" not in item and item["name"] not in OWN_NAMES:
            errors.append(f"OSCAL has no property {item['name']}")
        if name == "hashes" and not re.fullmatch("[0-9a-f]{64}", item["value"]):
            errors.append(f"{item['value']} is no SHA-256")
        if name == "target" and item["target-id"] not in parts:
            errors.append(f"the objective {item['target-id']} is not defined")
        if name == "include-objectives" and item["objective-id"] not in parts:
            errors.append(f"the objective {item['objective-id']} is not defined")
        if name == "findings":
            found = [one["value"] for one in item.get("props", ()) if one["name"] == "control-id"]
            errors += [f"the control {one} of a finding was not reviewed" for one in found if one not in controls]
    named = {item["href"][1:] for _owner, item in objects if item.get("href", "").startswith("#")}
    return errors + [f"nothing refers to the resource {uuid}" for uuid in sorted(resources - named)]


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    status = 0
    for name in sys.argv[1:]:
        errors = errors_of(Path(name))
        for error in errors[:50]:
            print(f"{name}: {error}", file=sys.stderr)
        if errors:
            status = 1
            print(f"{name}: not valid, {len(errors)} errors", file=sys.stderr)
        else:
            print(f"{name}: valid OSCAL {OSCAL_VERSION} assessment results")
    return status


if __name__ == "__main__":
    sys.exit(main())
