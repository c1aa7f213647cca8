# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint Identity Security Cloud, as the rest of the collection knows it. Private to the collection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, dicts
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.kind import CAMPAIGN
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_file import (
    Vocabulary,
    read_report,
    unread,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import ALL, ONE, WITNESSES, asked_for
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.witnesses import MOST_OPEN_ITEMS, advise, targets
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers, Results, System, by


def read_again(results: Results, inside: Callable[[str], str | None], problems: list[str]) -> None:
    """Puts what the reports say now in the place of what they are said to have said, see System.

    results: of the run, of which that of sailpoint_remediation_report_info is changed.
    """
    infos = results["report_infos"]
    if "reports" in infos:
        infos["reports"] = dicts(infos["reports"])
    for item in infos.get("reports", []):
        if not item.get("error"):
            # One that was not read then is no answer.
            item.update(read_one_again(item.get("path"), dict_at(infos, "settings"), inside, problems))


def read_one_again(
    path: Any, settings: dict[str, Any], inside: Callable[[str], str | None], problems: list[str]
) -> dict[str, Any]:
    """What one report says."""
    try:
        whole_path = inside(path) if isinstance(path, str) else None
        if whole_path is None:
            raise ValueError("it lies outside of the run's folder")
        vocabulary = Vocabulary(settings.get("remediated_values"), settings.get("open_values"))
        most = settings.get("max_open_items")
        return read_report(whole_path, vocabulary, settings.get("status_column"), MOST_OPEN_ITEMS if most is None else most)
    except Exception as error:  # pylint: disable=broad-exception-caught
        # Whatever the report or the settings have become costs the outcomes that rest on them.
        reason = "the report %s cannot be read (%s)" % (path, getattr(error, "strerror", None) or error)
        problems.append(reason)
        return dict(unread(), reason=reason)


def about_campaign(item: Item) -> str:
    """The id of the campaign that an item of a result is about."""
    return str(item.get("campaign_id"))


CAMPAIGNS = {"campaigns": by("id")}
ACCESS_LISTS = {
    "campaigns": by("campaign_id"),
    "revoked_items": by("campaign_id", "certification_id", "item_id"),
}
SAILPOINT = System(
    name="sailpoint",
    kinds=(CAMPAIGN,),
    asked=dict(campaign_ids=dict(type="list", elements="str", default=[]), campaign_filters=dict(type="str", default="")),
    settings=dict(
        remediation_status_column=dict(type="str", default=""),
        remediated_values=dict(type="list", elements="str", default=[]),
        open_values=dict(type="list", elements="str", default=[]),
    ),
    answers=(
        Answers("campaigns", "campaigns", "sailpoint_campaign_info", CAMPAIGNS, asked="campaign_ids", named_by="campaign_ids"),
        Answers("filtered_campaigns", "filtered_campaigns", "sailpoint_campaign_info", CAMPAIGNS, named_by="campaign_filters"),
        Answers(
            "scans",
            "remediation_scans",
            "sailpoint_campaign_remediation_scan",
            {"scans": by("campaign_id")},
            about=about_campaign,
        ),
        Answers(
            "reports",
            "reports",
            "sailpoint_campaign_report",
            {"reports": by("campaign_id")},
            files=("reports",),
            about=about_campaign,
        ),
        Answers("report_infos", "report_items", "sailpoint_remediation_report_info", {"reports": by("path")}, files=("reports",)),
        # Its items name their lookups by their places.
        Answers(
            "access",
            "revoked_access",
            "sailpoint_revoked_access_info",
            ACCESS_LISTS,
            alone=True,
            about=about_campaign,
            rows="revoked_items",
        ),
    ),
    targets=targets,
    lookups=asked_for,
    read_again=read_again,
    advise=advise,
    terms=dict(
        campaign_witnesses=dict(type="list", elements="str", choices=list(WITNESSES), default=list(WITNESSES)),
        campaign_agreement=dict(type="str", choices=[ONE, ALL], default=ONE),
    ),
    named=dict(
        campaign_ids=lambda target, results: target["id"],
        # One that nobody named was found by the filter.
        campaign_filters=lambda target, results: (
            None if target["id"] in results["campaign_ids"] else results["campaign_filters"] or None
        ),
    ),
)
