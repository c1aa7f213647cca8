# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kind of targets is called, and what there is to say of one of them: data, which every form of the evidence
iterates over. Each system has its kinds beside it. Private to the collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import one_line

LONGEST_KIND = 60


class Fact(NamedTuple):
    """Something that is known of a target.

    name: of the column, the property, or the line. value: takes the target's record, and gives any JSON value; nothing
    is known where it is empty. width: of a column of the page, as CSS has it.
    """

    name: str
    value: Callable[[Target], Any]
    width: str = "minmax(0, 2fr)"


def nothing(_target: Target) -> str:
    """Nothing is known."""
    return ""


def nowhere(_target: Target) -> list[str]:
    """It has no address."""
    return []


class Witness(NamedTuple):
    """Somebody who can say of a target whether it is remediated, where there are several.

    name: of it in verification.json, and in a sentence with "the" before it. items: the key of a target with what it says of
    the target's items. kept: where all of them are, in a sentence. record: of one beside the first, the record that it alone
    speaks from, see _verdict.system.Answers.
    """

    name: str
    items: str
    kept: str
    record: str = ""


class Kind(NamedTuple):
    """A kind of targets. It has what the forms need to say, and they need to know nothing else of it.

    name: as verification.json has it. noun, several: one, and many. system: what they are of. scan, lane: what shows
    their state, and its line on a timeline. still_there: the heading over those that are still open. risk, statement: what
    it means that one is.
    objective: what is true of a control's objective if all are remediated, a sentence. families, controls: of NIST SP
    800-53 that they are evidence for; a control that is named counts before its family. methods: by which a target that has
    an answer was assessed, as OSCAL has them. subject: what one is, in a sentence without its end. standing: why it is no
    component in operation, for what is a process rather than a thing.
    times: by the name of an object of a target, those of its values that are times.
    facts: for a reader. columns: of verification.csv. item_columns: of open-items.csv, for each item of a target.
    item_names: by such a column, the names that it may have in an item as the system wrote it.
    table: what the page shows of one that is open; a kind without it has items, which are shown in its place. notes: what
    Markdown says of one. properties: of it in OSCAL.
    witnesses: who is asked, where that may be several.
    known_as: what else it is known as. severity: how bad it is, in the system's word. addresses: where it is.
    """

    name: str
    noun: str
    several: str
    system: str
    scan: str
    lane: str
    still_there: str
    risk: str
    statement: str
    objective: str
    families: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("TEST",)
    subject: str = "A target"
    standing: str = ""
    times: Mapping[str, tuple[str, ...]] = {}
    facts: tuple[Fact, ...] = ()
    columns: tuple[Fact, ...] = ()
    item_columns: tuple[Fact, ...] = ()
    item_names: Mapping[str, tuple[str, ...]] = {}
    table: tuple[Fact, ...] = ()
    notes: tuple[Fact, ...] = ()
    properties: tuple[Fact, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    known_as: Callable[[Target], str] = nothing
    severity: Callable[[Target], Any] = nothing
    addresses: Callable[[Target], list[str]] = nowhere


def unknown_kind(name: Any) -> Kind:
    """A kind that is registered nowhere: every form shows its targets, and says so."""
    shown = one_line(name, LONGEST_KIND) or "unnamed"
    return Kind(
        name=name,
        noun="target of kind %s" % shown,
        several="Targets of another kind: %s" % shown,
        system="A system of another kind: %s" % shown,
        scan="scan of kind %s" % shown,
        lane="Other scans",
        still_there="Still there, of a kind that is not known here: %s" % shown,
        risk="What was found is still there",
        statement="What was to be remediated is still there.",
        objective="What was to be remediated is no longer there.",
        methods=("UNKNOWN",),
        subject="A target of kind %s" % shown,
    )
