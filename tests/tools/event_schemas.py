# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the JSON schemas of the event sources' arguments from their options and documentation.

Run by `make event-schemas`.
"""

from __future__ import annotations

import importlib
import json
import re
import runpy
import sys
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = CHECKOUT / "extensions" / "eda" / "plugins" / "event_source"
SCHEMAS = CHECKOUT / "extensions" / "eda" / "schemas"
FRAGMENTS = "ansible_collections.secops.remediation.plugins.doc_fragments."
# What a rulebook may write is text as well: a template, or what a variable holds.
TYPES = {
    "str": {"type": "string"},
    "path": {"type": "string"},
    "int": {"type": ["integer", "string"]},
    "float": {"type": ["number", "string"]},
    "bool": {"type": ["boolean", "string"]},
    "list": {"type": ["array", "string"]},
}
ELEMENTS = {"str": {"type": "string"}, "dict": {"type": "object"}}


def source_names():
    """The names of all event sources."""
    return sorted(path.stem for path in SOURCES.glob("*.py"))


def load(name):
    """What the file of a source defines, as ansible-rulebook loads it."""
    return runpy.run_path(str(SOURCES / (name + ".py")))


def documented(source):
    """The options as the documentation of a source has them, with those of its fragments."""
    documentation = yaml.safe_load(source["DOCUMENTATION"])
    options = dict(documentation["options"])
    for fragment in documentation["extends_documentation_fragment"]:
        file = importlib.import_module(FRAGMENTS + fragment.rpartition(".")[2])
        options.update(yaml.safe_load(file.ModuleDocFragment.DOCUMENTATION)["options"])
    return options


def plain(text):
    """A description without the marks of Ansible's documentation."""
    return re.sub(r"\b[A-Z]\((?:ignore:)?([^)]*)\)", r"\1", text)


def property_of(option, description):
    """The schema of one argument."""
    schema = dict(TYPES[option["type"]], description=" ".join(map(plain, description)))
    where = schema
    if "elements" in option:
        where = schema["items"] = dict(ELEMENTS[option["elements"]])
    if "choices" in option:
        where["enum"] = list(option["choices"])
    if "default" in option:
        schema["default"] = option["default"]
    if option.get("no_log"):
        schema["writeOnly"] = True
    return schema


def schema_of(name):
    """The schema of a source's arguments."""
    source = load(name)
    texts = documented(source)
    options = source["OPTIONS"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "secops.remediation.%s" % name,
        "description": yaml.safe_load(source["DOCUMENTATION"])["short_description"],
        "type": "object",
        "additionalProperties": False,
        # What the environment may hold need not be in a rulebook.
        "required": sorted(key for key, option in options.items() if option.get("required") and "fallback" not in option),
        "properties": {key: property_of(options[key], texts[key]["description"]) for key in sorted(options)},
    }


def text_of(name):
    """The file of a source's schema."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    for name in source_names():
        (SCHEMAS / ("%s.schema.json" % name)).write_text(text_of(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
