# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A target's record, and how the results of modules are read for it. Knows no system. Private to the collection."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, JsonObject, Result, Target
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import INCONCLUSIVE, OUTCOMES
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Results


def make_target(kind: str, target_id: object, name: object, outcome: object, reason: object, **more: Any) -> Target:
    """One record, with every key there always."""
    if outcome not in OUTCOMES:
        outcome, reason = INCONCLUSIVE, "the outcome %r is none that there is" % (outcome,)
    # A name is whatever an API wrote there.
    name = name if name is None or isinstance(name, str) else json.dumps(name)
    return dict(
        dict(
            kind=kind,
            id=str(target_id),
            name=name,
            outcome=outcome,
            reason=str(reason),
            not_verified_since=None,
            open_since=None,
            scan_id=None,
            started_at=None,
            finished_at=None,
            system=None,
            requests=[],
            evidence=[],
        ),
        **more,
    )


def fenced(kind: str, target_id: object, make: Callable[[], Target], **more: Any) -> Target:
    """make(), or where that breaks a record that says so: one odd answer must not cost the other targets theirs."""
    try:
        return make()
    except Exception as error:  # pylint: disable=broad-exception-caught
        return make_target(
            kind,
            target_id,
            None,
            INCONCLUSIVE,
            "what was answered about it cannot be judged (%s: %s)" % (type(error).__name__, error),
            **more,
        )


def result_of(results: Results, name: str) -> Result:
    """A module's result, {} where there is none: whatever a playbook registered under that name."""
    result = results.get(name)
    return result if isinstance(result, dict) else {}


def listed(result: Result, name: str) -> list[Item]:
    """The objects in a list of a result."""
    return list(each(result, name))


def each(result: Result, name: str) -> Iterator[Item]:
    """The objects in a list of a result one by one, for one that may be too long to be held."""
    items = result.get(name)
    return (item for item in (items if isinstance(items, (list, Rows)) else ()) if isinstance(item, dict))


def has_failed(result: Result) -> bool:
    """Whether a task failed. Where a playbook says `failed_when: false`, only its message is left to tell."""
    return bool(result.get("failed") or result.get("msg"))


def failure_of(result: Result, otherwise: str) -> str:
    """Why a whole task brought no result."""
    return str(result.get("msg") or otherwise)


def system_of(*results: Result) -> str | None:
    """The address of the API that was asked, or None."""
    return next((result["base_url"] for result in results if isinstance(result.get("base_url"), str)), None)


def requests_of(*results: Result | None) -> list[JsonObject]:
    """The requests that these results were read from, each once, in the order in which they were answered."""
    return list(
        {
            json.dumps(request, sort_keys=True): request
            for result in results
            if result
            for request in listed(result, "requests")
            if path_of(request)
        }.values()
    )


def records_of(*results: Result) -> list[JsonObject]:
    """The files that hold results, as evidence. Who writes the evidence knows their SHA-256."""
    return [dict(path=result["results_file"], sha256=None) for result in results if isinstance(result.get("results_file"), str)]


def scalar(value: Any) -> str:
    """A value as text where it is a text or a number, else "": whatever an API wrote as an id."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip() if not isinstance(value, int) or abs(value) < 10**30 else ""
