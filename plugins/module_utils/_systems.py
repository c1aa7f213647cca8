# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systems that can be asked: a line for each, and no logic. Private to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import ArgumentSpec
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.system import SAILPOINT
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.system import XPANSE

SYSTEMS = (
    SAILPOINT,
    XPANSE,
)

KINDS: dict[str, Kind] = {kind.name: kind for system in SYSTEMS for kind in system.kinds}
ANSWERS: dict[str, Answers] = {answers.name: answers for system in SYSTEMS for answers in system.answers}
# What may be asked for, by name, each with the value that asks for nothing.
ASKED: dict[str, Any] = {name: spec["default"] for system in SYSTEMS for name, spec in system.asked.items()}
# What may be said of how it is judged, by name.
TERMS: ArgumentSpec = {name: spec for system in SYSTEMS for name, spec in system.terms.items()}
# Both, as they are on record, each with the value of what nobody said.
ON_RECORD: dict[str, Any] = dict(ASKED, **{name: [] if spec["type"] == "list" else "" for name, spec in TERMS.items()})
