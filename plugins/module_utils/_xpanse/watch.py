# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts as an event source sees them. Private to the collection."""

from __future__ import annotations

import re

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Params
from ansible_collections.secops.remediation.plugins.module_utils._events.watch import OPEN, Listed, Thing, harmless, is_id
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import scalar
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import GET_ALERTS, XpanseApi
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import status_of

KINDS = ("new", "resolved", "reopened")
FACTS = ("name", "severity", "resolution_status", "last_modified_ts", "case_id", "attack_surface_rule_name")
# What narrows the list down, and so decides what a state file is about.
FILTERS = dict(
    severities=dict(type="list", elements="str"),
    filters=dict(type="list", elements="dict"),
)


def conditions(params: Params) -> list[JsonObject]:
    """The filters of the list. params: those of FILTERS."""
    found: list[JsonObject] = [dict(field="alert_source", operator="in", value=["ASM"])]
    if params["severities"]:
        found.append(dict(field="severity", operator="in", value=params["severities"]))
    return found + (params["filters"] or [])


def state_of(alert: JsonObject) -> str:
    """`resolved` (whatever the reason), `reopened`, or `open`."""
    status = status_of(alert)
    if re.search(r"(^|_)RESOLVED", status):
        return "resolved"
    return "reopened" if "REOPEN" in status else OPEN


def alerts(api: XpanseApi, params: Params) -> Listed:
    """All alerts that are asked for, but those that say no status: it would be a change, and so would be its return.

    Raises HttpError.

    The API knows no filter and no order by the time of a change (documented).
    """
    listed, _total, doubtful = api.get_alerts(conditions(params))
    things = []
    for alert in listed:
        key = scalar(alert.get("alert_id")) if isinstance(alert, dict) else ""
        if not is_id(key):
            # Left out, it would be silence about an alert that may have been resolved.
            raise HttpError("POST", GET_ALERTS, "the answer holds an alert with no id that could be one")
        if not isinstance(alert.get("resolution_status"), str) or not alert["resolution_status"]:
            doubtful = True
            continue
        said = scalar(alert.get("last_modified_ts"))
        modified = int(said) if re.fullmatch(r"-?[0-9]{1,18}", said) else None
        facts = {"alert_id": key, **{name: harmless(alert.get(name)) for name in FACTS}}
        things.append(Thing(key, state_of(alert), modified, facts))
    return Listed(things, not doubtful)
