# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a system is to the rest of the collection: what may be asked of it, what its modules answer, and who judges it.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import ArgumentSpec, Item, Target
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind

Results = dict[str, Any]


class Answers(NamedTuple):
    """The result of a module, as it travels to the evidence.

    name: by which the system's judge finds it. record: its file among the records of a run, without its ending.
    module: that returns it. lists: those of its lists that hold objects, each with what tells two of them apart.
    asked: the option of the module that it answers, where the results of one module have several names; None is what is
    left. files: the lists whose items name a file by `path` that belongs to the evidence. alone: whether two of them cannot
    be judged together, because its lists refer to each other by their places.
    named_by: of a look-up, what a user asks for with it: its failure is told where nobody did. about: of what is about targets,
    the id of the target that an item of its first list is about. rows: of its lists the one that may be too long to be held:
    it comes as Rows.
    """

    name: str
    record: str
    module: str
    lists: Mapping[str, Callable[[Item], Any]]
    asked: str | None = None
    files: tuple[str, ...] = ()
    alone: bool = False
    named_by: str = ""
    about: Callable[[Item], str] | None = None
    rows: str = ""


class System(NamedTuple):
    """One system.

    name: of its room, and of its folder in the role. kinds: of its targets. answers: what its modules return.
    asked: what a user may ask for, by name, and settings: what else a user may say to the role; both with their argument
    specs. The default of what may be asked for asks for nothing. terms: what a user may say of how it is judged, which is on
    record with what was asked for.
    targets(results): the records of its targets. lookups(results): what was looked up, see _verdict.verification.
    read_again(results, inside, problems): puts what the files of a run say now in the place of what they are said to have
    said; None where no answer is in a file. inside(path): where a file of the run's folder is, None for any other.
    advise(results, inside): adds to results what would help the user, from the files of a run. No outcome rests on it.
    named: by what may be asked for, how a target is named there (target, results), None where it is not: it tells whose it is.
    """

    name: str
    kinds: tuple[Kind, ...]
    asked: ArgumentSpec
    settings: ArgumentSpec
    answers: tuple[Answers, ...]
    targets: Callable[[Results], list[Target]]
    lookups: Callable[[Results], list[dict[str, Any]]]
    read_again: Callable[[Results, Callable[[str], str | None], list[str]], None] | None = None
    terms: ArgumentSpec = {}
    advise: Callable[[Results, Callable[[str], str | None]], None] | None = None
    named: Mapping[str, Callable[[Target, Results], Any]] = {}


def by(*names: str) -> Callable[[Item], Any]:
    """What tells two items of a list apart: their values at these keys."""
    return lambda item: [item.get(name) for name in names]
