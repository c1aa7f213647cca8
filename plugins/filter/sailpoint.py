# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify has to work out of what SailPoint's modules returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result


def items_of(results: Iterable[Result], module: str, name: str) -> list[Item]:
    """The items in a list of all results of a module."""
    lists = [result.get(name) for result in results if result.get("module") == module]
    return [item for items in lists if isinstance(items, list) for item in items if isinstance(item, dict)]


def campaigns_to_scan(results: Iterable[Result]) -> list[str]:
    """The ids of the campaigns that were found and are COMPLETED, each once."""
    found = items_of(results, "sailpoint_campaign_info", "campaigns")
    completed = [campaign.get("id") for campaign in found if campaign.get("status") == "COMPLETED"]
    return list(dict.fromkeys(campaign_id for campaign_id in completed if isinstance(campaign_id, str)))


def reports_to_get(results: Iterable[Result]) -> dict[str, Any]:
    """By the ids of the campaigns whose scan has finished, when that moved their `modified`: a report has to be newer."""
    scans = items_of(results, "sailpoint_campaign_remediation_scan", "scans")
    return {scan["campaign_id"]: scan.get("modified") for scan in scans if scan.get("status") == "finished"}


def reports_to_read(results: Iterable[Result]) -> list[str]:
    """The paths of the reports that were downloaded."""
    reports = items_of(results, "sailpoint_campaign_report", "reports")
    return [report["path"] for report in reports if report.get("path")]


class FilterModule:
    """The filters of the role's part for SailPoint."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return dict(campaigns_to_scan=campaigns_to_scan, reports_to_get=reports_to_get, reports_to_read=reports_to_read)
