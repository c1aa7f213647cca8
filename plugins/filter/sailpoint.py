# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify has to work out of what SailPoint's modules returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result


def items_of(results: Iterable[Result], module: str, name: str) -> list[Item]:
    """The items in a list of all results of a module."""
    lists = [result.get(name) for result in results if result.get("module") == module]
    return [item for items in lists if isinstance(items, list) for item in items if isinstance(item, dict)]


def completed(results: Iterable[Result], of_next: bool | None = None) -> dict[str, Any]:
    """By the ids of the campaigns that were found and are COMPLETED, when they were modified. of_next: of one API only."""
    found: dict[str, Any] = {}
    for result in results:
        if of_next in (None, result.get("api_version") == "next"):
            campaigns = items_of([result], "sailpoint_campaign_info", "campaigns")
            found.update({one["id"]: one.get("modified") for one in campaigns if is_completed(one) and one["id"] not in found})
    return found


def is_completed(campaign: Item) -> bool:
    """Whether the decisions of a campaign are made."""
    return campaign.get("status") == "COMPLETED" and isinstance(campaign.get("id"), str)


def completed_campaigns(results: Sequence[Result]) -> list[str]:
    """The ids of the campaigns that were found and are COMPLETED, each once."""
    return list(completed(results))


def campaigns_to_scan(results: Sequence[Result]) -> list[str]:
    """The ids of those of them for which there is a remediation scan."""
    return list(completed(results, of_next=False))


def reports_to_get(results: Sequence[Result]) -> dict[str, Any]:
    """By the ids of the campaigns whose scan has finished, when that moved their `modified`: a report has to be newer.

    Where there is no scan, a report has to be newer than the campaign's `modified` as it was found.
    """
    scans = items_of(results, "sailpoint_campaign_remediation_scan", "scans")
    finished = {scan["campaign_id"]: scan.get("modified") for scan in scans if scan.get("status") == "finished"}
    return {**completed(results, of_next=True), **finished}


def reports_to_read(results: Iterable[Result]) -> list[str]:
    """The paths of the reports that were downloaded."""
    reports = items_of(results, "sailpoint_campaign_report", "reports")
    return [report["path"] for report in reports if report.get("path")]


class FilterModule:
    """The filters of the role's part for SailPoint."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return dict(
            completed_campaigns=completed_campaigns,
            campaigns_to_scan=campaigns_to_scan,
            reports_to_get=reports_to_get,
            reports_to_read=reports_to_read,
        )
