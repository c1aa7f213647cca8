# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The systems that can be asked, and the way from what their modules returned to a verification. Private to the collection."""

from __future__ import annotations

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import target as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import conclude
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import target as xpanse

SYSTEMS = (sailpoint, xpanse)


def verify(results, run, started_at, finished_at, controls=(), older=(), previous_run=None):
    """The verification as a dict: the content of verification.json.

    results: dict of registered results of the modules, by what they were asked for: `campaigns` and
    `filtered_campaigns` (sailpoint_campaign_info), `scans`, `reports`, `report_infos`, `alerts` and `case_alerts`
    (xpanse_alert_info), `rcs_requests`, each {} where nothing was asked; and the targets that the user named:
    `campaign_ids`, `campaign_filters`, `exposures`, `alert_ids`, `case_ids`. The rest: see conclude.
    """
    targets = [target for system in SYSTEMS for target in system.targets(results)]
    lookups = [lookup for system in SYSTEMS for lookup in system.asked_for(results)]
    return conclude(targets, lookups, run, started_at, finished_at, controls, older, previous_run)
