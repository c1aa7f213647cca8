# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a targets file: what is to be verified for each tenant, whose it is, and which findings are accepted until when.

Every mistake in the file is told, each with its line and key, and no value is guessed: what YAML reads as something else than
was written, such as a number with colons in it, has to be put in quotes. Private to the collection.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import yaml
from ansible.module_utils.common.yaml import SafeLoader

from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS, SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import (
    MOST_OPEN,
    SAYS,
    last_moment,
    says_something,
)

SCHEMA_VERSION = "1.0"
ASKED = {name: spec for system in SYSTEMS for name, spec in system.asked.items()}
# What a tenant may have besides what is asked for.
OWNER, ACCEPTED = "owner", "accepted"
# The value of an entry that has an owner of its own: of a list, and of a text.
ID, TEXT = "id", "text"
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,30}", re.ASCII)
NO_DATE = "%s is no date, such as 2027-03-31, which ends with its day in UTC, and no time, such as 2027-03-31T18:00:00Z"
LARGEST = 16 * 1024 * 1024
MOST_TOLD = 100
SHAPES = {"map": "a mapping", "seq": "a list", "str": "text", "int": "a number", "float": "a number", "bool": "true or false"}


class Reader:
    """What is in a targets file, and in `problems` what is wrong with it, as sentences.

    shown: the file's name in these sentences.
    """

    def __init__(self, shown: str) -> None:
        """Starts without a problem."""
        self._shown = shown
        self.problems: list[str] = []

    def wrong(self, node: yaml.Node, key: str, text: str) -> None:
        """Notes what is wrong at a node of the file. key: the keys that lead to it. text: the rest of a sentence."""
        self.problems.append("%s, line %d, %s: %s." % (self._shown, line_of(node), key or "the file", text))

    def fields(self, node: yaml.Node, key: str, known: Iterable[str] | None = None) -> dict[str, yaml.Node]:
        """The values of a mapping by their keys; {} where it is none. known: the keys that there are, None for any."""
        found: dict[str, yaml.Node] = {}
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, key, "has to be a mapping, and is %s" % shape_of(node))
            return found
        lines: dict[str, int] = {}
        for name_node, value in node.value:
            name = self.text(name_node, "a key of %s" % (key or "the file"), numbers=True)
            if name is None:
                continue
            if name in lines:
                self.wrong(name_node, below(key, name), "is there twice, first in line %d" % lines[name])
            elif known is not None and name not in known:
                self.wrong(name_node, below(key, name), "no such key is known here. Known are %s" % ", ".join(known))
            else:
                found[name] = value
            lines.setdefault(name, line_of(name_node))
        return found

    def text(self, node: yaml.Node, key: str, numbers: bool = False, times: bool = False) -> str | None:
        """A text as it was written, or None. numbers, times: whether it may also be a whole number, or a date or time."""
        tag = tag_of(node)
        if isinstance(node, yaml.ScalarNode):
            value = node.value.strip()
            if tag == "null" or tag == "str" and not value:
                self.wrong(node, key, "has no value")
                return None
            if tag == "str" or numbers and tag == "int" and WHOLE.fullmatch(value) or times and tag == "timestamp":
                return str(value)
            self.wrong(node, key, "%s is not taken as text: put it in quotes if it is meant" % value[:200])
            return None
        self.wrong(node, key, "has to be text, and is %s" % shape_of(node))
        return None

    def number(self, node: yaml.Node, key: str) -> int | None:
        """A whole number, or None."""
        if isinstance(node, yaml.ScalarNode) and tag_of(node) == "int" and WHOLE.fullmatch(node.value):
            return int(node.value)
        shown = node.value[:200] if isinstance(node, yaml.ScalarNode) and node.value else "it"
        shape = shape_of(node)
        self.wrong(node, key, "has to be a whole number, and %s is %s" % (shown, "none" if shape == SHAPES["int"] else shape))
        return None

    def entries(self, node: yaml.Node, key: str) -> list[tuple[yaml.Node, str]]:
        """The entries of a list, each with the keys that lead to it; [] where it is none."""
        if isinstance(node, yaml.SequenceNode):
            return [(entry, "%s[%d]" % (key, place)) for place, entry in enumerate(node.value)]
        self.wrong(node, key, "has to be a list, and is %s" % shape_of(node))
        return []

    def tenant(self, node: yaml.Node, key: str) -> JsonObject:
        """What the file says for a tenant: `asked` by name, `owner`, `owners`, and `accepted`."""
        before = len(self.problems)
        fields = self.fields(node, key, [*ASKED, OWNER, ACCEPTED])
        said: JsonObject = dict(asked={}, owner=None, owners=[], accepted=[])
        if OWNER in fields:
            said["owner"] = self.text(fields[OWNER], below(key, OWNER))
        for name, spec in ASKED.items():
            if name in fields:
                said["asked"][name] = self.asked(fields[name], below(key, name), name, spec, said["owners"])
        if ACCEPTED in fields:
            said["accepted"] = self.accepted(fields[ACCEPTED], below(key, ACCEPTED))
        if len(self.problems) == before and not any(said["asked"].values()) and not said["accepted"]:
            self.wrong(node, key, "names nothing to verify and accepts nothing")
        return said

    def asked(self, node: yaml.Node, key: str, name: str, spec: JsonObject, owners: list[JsonObject]) -> Any:
        """What is asked for by a name, as the option of that name takes it. Who owns what is put into `owners`."""
        if spec["type"] != "list":
            value, owner = self.owned(node, key, {TEXT: dict(type=spec["type"])})
            owners += [dict(asked=name, value=value, owner=owner)] if owner and value is not None else []
            return value or ""
        values: list[Any] = []
        lines: dict[str, int] = {}
        for entry, its_key in self.entries(node, key):
            value, owner = self.owned(entry, its_key, spec.get("options") or {ID: dict(type=spec["elements"])})
            if value is None:
                continue
            if str(value) in lines:
                self.wrong(entry, its_key, "is there twice, first in line %d" % lines[str(value)])
                continue
            lines[str(value)] = line_of(entry)
            values.append(value)
            owners += [dict(asked=name, value=value, owner=owner)] if owner else []
        return values

    def owned(self, node: yaml.Node, key: str, options: JsonObject) -> tuple[Any, str | None]:
        """(the value of an entry, its own owner). A value of one part may stand alone. options: the specs of its parts."""
        alone = next(iter(options)) if set(options) in ({ID}, {TEXT}) else None
        if alone and not isinstance(node, yaml.MappingNode):
            return self.part(node, key, options[alone]), None
        fields = self.fields(node, key, [*options, OWNER])
        owner = self.text(fields[OWNER], below(key, OWNER)) if OWNER in fields else None
        parts = {name: self.part(fields[name], below(key, name), spec) for name, spec in options.items() if name in fields}
        self.lacking(node, key, options, fields)
        if None in parts.values() or len(parts) < len(options):
            return None, owner
        return (parts[alone] if alone else parts), owner

    def part(self, node: yaml.Node, key: str, spec: JsonObject) -> Any:
        """One value of an entry, None where it is wrong."""
        return self.number(node, key) if spec["type"] == "int" else self.text(node, key, numbers=True)

    def lacking(self, node: yaml.Node, key: str, wanted: Iterable[str], fields: JsonObject) -> None:
        """Notes which of the wanted keys a mapping has not."""
        missing = [name for name in wanted if name not in fields]
        if missing and isinstance(node, yaml.MappingNode):
            self.wrong(node, key, "lacks %s" % " and ".join(missing))

    def accepted(self, node: yaml.Node, key: str) -> list[JsonObject]:
        """The findings that are accepted. Whether one has expired is told at the end of the run, with the evidence."""
        found: list[JsonObject] = []
        lines: dict[tuple[str, str], int] = {}
        for entry, its_key in self.entries(node, key):
            said = self.acceptance(entry, its_key)
            about = (str(said.get("kind")), str(said.get("id")))
            if about in lines:
                self.wrong(entry, its_key, "%s %s is accepted twice, first in line %d" % (*about, lines[about]))
            if said.get("kind") and said.get("id"):
                lines.setdefault(about, line_of(entry))
            found.append(said)
        return found

    def acceptance(self, node: yaml.Node, key: str) -> JsonObject:
        """One finding that is accepted."""
        fields = self.fields(node, key, [*SAYS, MOST_OPEN])
        self.lacking(node, key, SAYS, fields)
        said: JsonObject = {
            name: self.text(value, below(key, name), numbers=name == "id", times=name == "until")
            for name, value in fields.items()
            if name != MOST_OPEN
        }
        for name, value in said.items():
            if value is not None and not says_something(value):
                self.wrong(fields[name], below(key, name), "has neither a letter nor a digit")
        if said.get("kind") and said["kind"] not in KINDS:
            self.wrong(fields["kind"], below(key, "kind"), "%s is none of %s" % (said["kind"], ", ".join(KINDS)))
        if said.get("until") and not last_moment(said["until"]):
            self.wrong(fields["until"], below(key, "until"), NO_DATE % str(said["until"])[:200])
        if MOST_OPEN in fields:
            said[MOST_OPEN] = self.number(fields[MOST_OPEN], below(key, MOST_OPEN))
            if said[MOST_OPEN] is not None and said[MOST_OPEN] < 1:
                self.wrong(fields[MOST_OPEN], below(key, MOST_OPEN), "has to be 1 at least")
        return said


def read_targets_file(path: str, tenant: str) -> tuple[JsonObject, list[str]]:
    """(what a targets file says for a tenant, what is wrong with the file as sentences).

    What it says is good only where nothing is wrong: `path`, `sha256`, `tenant`, `tenants` (the names of all), `asked` by name,
    `owner`, `owners`, and `accepted`.
    """
    reader = Reader(path)
    said: JsonObject = dict(path=path, sha256=None, tenant=tenant, tenants=[])
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        return said, ["%s cannot be read: %s." % (path, getattr(error, "strerror", None) or error)]
    if len(content) > LARGEST:
        return said, ["%s is larger than %d MiB." % (path, LARGEST // 1024 // 1024)]
    said["sha256"] = hashlib.sha256(content).hexdigest()
    try:
        node = parsed(content)
    except ValueError as error:
        return said, ["%s, %s." % (path, error)]
    if node is None:
        return said, ["%s is empty." % path]
    tenants = tenants_of(reader, node)
    said["tenants"] = list(tenants)
    if not reader.problems and tenant not in tenants:
        reader.problems.append("%s says nothing for the tenant %s, only for %s." % (path, tenant, ", ".join(tenants)))
    said.update(tenants.get(tenant, {}))
    more = len(reader.problems) - MOST_TOLD
    return said, reader.problems[:MOST_TOLD] + ["And %d problems more." % more] * (more > 0)


def tenants_of(reader: Reader, node: yaml.Node) -> dict[str, JsonObject]:
    """What the file says for each tenant, by its name."""
    fields = reader.fields(node, "", ["$schema", "schema_version", "tenants"])
    if isinstance(node, yaml.MappingNode):
        reader.lacking(node, "", ["schema_version", "tenants"], fields)
    if "schema_version" in fields:
        version = fields["schema_version"]
        if tag_of(version) != "str" or version.value != SCHEMA_VERSION:
            reader.wrong(version, "schema_version", 'has to be "%s", in quotes' % SCHEMA_VERSION)
    if "tenants" not in fields:
        return {}
    tenants = reader.fields(fields["tenants"], "tenants")
    if isinstance(fields["tenants"], yaml.MappingNode) and not fields["tenants"].value:
        reader.wrong(fields["tenants"], "tenants", "names no tenant")
    return {name: reader.tenant(value, below("tenants", name)) for name, value in tenants.items()}


def parsed(content: bytes) -> yaml.Node | None:
    """The one document in a file as nodes, of which nothing is made; None for an empty one. Raises ValueError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("line %d: it is not UTF-8" % (content[: error.start].count(b"\n") + 1)) from error
    if text.lstrip().startswith("{"):
        # JSON, which may be indented by tabs, and YAML may not.
        text = text.replace("\t", " ")
    try:
        return yaml.compose(text, Loader=SafeLoader)
    except yaml.MarkedYAMLError as error:
        place = "line %d: " % (error.problem_mark.line + 1) if error.problem_mark else ""
        raise ValueError("%sit is no YAML: %s" % (place, error.problem or error.context)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("it is no YAML: %s" % (" ".join(str(error).split()) or type(error).__name__)) from error


def below(key: str, name: str) -> str:
    """The keys that lead to what is below a key."""
    return "%s.%s" % (key, name) if key else name


def line_of(node: yaml.Node) -> int:
    """The line in which a node begins, the first one being 1."""
    return int(node.start_mark.line) + 1


def tag_of(node: yaml.Node) -> str:
    """What YAML takes a node for, in its own word."""
    return str(node.tag).rpartition(":")[2]


def shape_of(node: yaml.Node) -> str:
    """What YAML takes a node for, in words."""
    tag = tag_of(node)
    return "nothing" if tag == "null" or isinstance(node, yaml.ScalarNode) and not node.value else SHAPES.get(tag, tag)
