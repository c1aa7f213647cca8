# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who imports whom in plugins/, read from the source: nothing is run.

A file is called by its folder and name, without plugins/, module_utils/, and .py: `_http/client`, `modules/xpanse_alert_info`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
PACKAGE = "ansible_collections.secops.remediation.plugins."
UTILS = "module_utils/"


@dataclass(frozen=True)
class Import:
    """One name that one file takes from another. name: None for the file as a whole."""

    importer: str
    imported: str
    name: str | None


def source_files(plugins=PLUGINS):
    """The path of every file by what it is called here."""
    paths = (path for path in plugins.rglob("*.py") if path.name != "__init__.py")
    return {called(path.relative_to(plugins).with_suffix("").as_posix()): path for path in sorted(paths)}


def called(path):
    """What a file is called here."""
    return path.removeprefix(UTILS)


def room_of(file):
    """The room in which a file is; one that is beside the rooms is a room of its own."""
    return file.partition("/")[0]


def imports_of(file, tree, files):
    """The Imports of a file. tree: its syntax tree. Raises ValueError for one that this cannot follow."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError("%s: an import that is relative" % file)
            pairs = [(node.module, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            pairs = [(alias.name, None) for alias in node.names]
        else:
            continue
        for module, name in pairs:
            if (module + ".").startswith(PACKAGE):
                yield resolved(file, module, name, files)


def resolved(file, module, name, files):
    """The Import of a name of a module, which may be a file itself."""
    module = module.removeprefix(PACKAGE).replace(".", "/")
    if name and called("%s/%s" % (module, name)) in files:
        return Import(file, called("%s/%s" % (module, name)), None)
    if called(module) not in files:
        raise ValueError("%s imports %s, which is no file of plugins" % (file, module))
    return Import(file, called(module), name)


def all_imports(plugins=PLUGINS):
    """The Imports of all files."""
    files = source_files(plugins)
    found = []
    for file, path in files.items():
        found += imports_of(file, ast.parse(path.read_text(encoding="utf-8")), files)
    return found
