# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cortex Xpanse, as the rest of the collection knows it. Private to the collection."""

from __future__ import annotations

from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers, System, by
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.kind import EXPOSURE_KIND
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import (
    EXPOSURE,
    asked_for,
    exposure_key,
    id_of,
    targets,
)

ALERTS = {"alerts": by("alert_id"), "rcs_targets": exposure_key, "unscannable": by("alert_id")}
XPANSE = System(
    name="xpanse",
    kinds=(EXPOSURE_KIND,),
    asked=dict(
        exposures=dict(type="list", elements="dict", default=[], options={name: dict(type="str") for name in EXPOSURE}),
        alert_ids=dict(type="list", elements="int", default=[]),
        case_ids=dict(type="list", elements="int", default=[]),
    ),
    settings=dict(update_alerts=dict(type="str", choices=["none", "resolved", "reopened", "both"], default="none")),
    answers=(
        Answers("alerts", "alerts", "xpanse_alert_info", ALERTS, named_by="alert_ids"),
        Answers("case_alerts", "case_alerts", "xpanse_alert_info", ALERTS, asked="case_ids", named_by="case_ids"),
        Answers(
            "rcs_requests",
            "exposures",
            "xpanse_rcs_request",
            {"rcs_requests": exposure_key},
            about=lambda item: id_of(exposure_key(item)),
        ),
    ),
    targets=targets,
    lookups=asked_for,
    named=dict(
        exposures=lambda target, results: {name: target.get(name) for name in EXPOSURE},
        alert_ids=lambda target, results: target.get("alert_internal_id") or target["id"].removeprefix("alert "),
        case_ids=lambda target, results: dict_at(target, "alert").get("case_id") or target["id"].removeprefix("case "),
    ),
)
