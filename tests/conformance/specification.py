# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint's specification, made of the extracts in spec/, as one document with every shape of a path that is checked."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

SPEC = Path(__file__).resolve().parent / "spec"
EXTRACTS = ("openapi-current-access.yaml", "openapi.yaml")
# v1 and, as far as the extracts have it, v2025 are SailPoint's own text. The others are the same calls with the version first
# (so the description of an extract).
ANNUAL = ("v2024", "v2025", "v3")
# v2024 only has what v3 does not have.
VERSIONS = ("v1", "v2025", "v3")
ONLY_LATER = "task-status"

# Schemas that are one of several, where an object is nearly always valid as more than one: what says which it is. SailPoint says
# so by a discriminator, which Prism does not read, and by the `_type` in its examples of Search.
KINDS = {
    "sailpoint_api_identityaccess": (
        "type",
        {
            "ACCESS_PROFILE": "sailpoint_api_accessprofilesummary",
            "ENTITLEMENT": "sailpoint_api_accessprofileentitlement",
            "ROLE": "sailpoint_api_accessprofilerole",
        },
    ),
    "sailpoint_api_searchdocuments": (
        "_type",
        {
            kind: "sailpoint_api_%sdocuments" % kind
            for kind in ("accessprofile", "accountactivity", "entitlement", "event", "identity", "role")
        },
    ),
}

_PER_SERVICE = re.compile(r"/([a-z-]+)/v1((?:/.*)?)")
_ANNUAL = re.compile(r"/(v[0-9]+)/.+")


def version_of(path):
    """The version that a path asks for, in either shape; None for a path without one."""
    if _PER_SERVICE.fullmatch(path):
        return "v1"
    annual = _ANNUAL.fullmatch(path)
    return annual.group(1) if annual else None


def path_in(version, resource, rest=""):
    """The path of a resource, and of what is below it, in the shape of a version."""
    return ("/%s/v1%s" % (resource, rest)) if version == "v1" else "/%s/%s%s" % (version, resource, rest)


def with_annual_paths(paths):
    """paths, and those of the annual versions that are not among them."""
    found = dict(paths)
    for path, calls in paths.items():
        per_service = _PER_SERVICE.fullmatch(path)
        if per_service:
            for version in ANNUAL[:-1] if per_service.group(1) == ONLY_LATER else ANNUAL:
                found.setdefault(path_in(version, *per_service.groups()), calls)
    return found


def without_null_words(part):
    """A part of the document without the null in lists of words that may be null anyway.

    Prism adds one, and a list with two of them is no schema: then it takes every answer for right, without a word.
    """
    if isinstance(part, list):
        return [without_null_words(one) for one in part]
    if not isinstance(part, dict):
        return part
    part = {name: without_null_words(value) for name, value in part.items()}
    if part.get("nullable") and isinstance(part.get("enum"), list):
        part["enum"] = [word for word in part["enum"] if word is not None]
    return part


def with_kinds(schemas):
    """schemas, in which one of KINDS is exactly what it says that it is. Raises ValueError where SailPoint has other kinds."""
    told_apart = {}
    for name, (field, kinds) in KINDS.items():
        if {one["$ref"].rpartition("/")[2] for one in schemas[name]["oneOf"]} != set(kinds.values()):
            raise ValueError("%s has other kinds than %s" % (name, sorted(kinds)))
        told_apart[name] = {
            "oneOf": [
                {
                    "allOf": [
                        {"$ref": "#/components/schemas/" + schema},
                        {"type": "object", "required": [field], "properties": {field: {"type": "string", "enum": [kind]}}},
                    ]
                }
                for kind, schema in kinds.items()
            ]
        }
    return {**schemas, **told_apart}


def specification():
    """The OpenAPI document, as a dict. Raises ValueError where the extracts do not fit together."""
    whole = {}
    for name in EXTRACTS:
        extract = yaml.load((SPEC / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        parts = whole.get("components", {})
        for kind, found in extract["components"].items():
            if parts.get(kind, {}).keys() & found.keys():
                raise ValueError("both extracts have %s" % sorted(parts[kind].keys() & found.keys()))
            parts[kind] = {**parts.get(kind, {}), **found}
        # What both have they say alike: they are of one commit.
        whole = dict(extract, components=parts, paths={**whole.get("paths", {}), **extract["paths"]})
    whole["components"]["schemas"] = with_kinds(whole["components"]["schemas"])
    return without_null_words(dict(whole, paths=with_annual_paths(whole["paths"])))


def query_parameters(paths, method, path):
    """The names of the parameters that a request may have in its query."""
    found = set()
    for template, calls in paths.items():
        if method.lower() in calls and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            found |= {one["name"] for one in calls[method.lower()].get("parameters", ()) if one["in"] == "query"}
    return found
