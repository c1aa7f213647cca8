# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role verify has to work out of what Xpanse's modules returned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Result


def exposures_to_scan(inputs: Mapping[str, Any], results: Iterable[Result]) -> JsonObject:
    """The exposures that were named and those of the alerts that were found: `requests`, `files`, and whether there are
    `any`.

    inputs: as verify_inputs returns them. results: those of all modules so far.
    """
    lookups = [result for result in results if result.get("module") == "xpanse_alert_info"]
    requests = list(inputs["exposures"])
    for lookup in lookups:
        requests += lookup.get("rcs_targets") or ()
    # Thousands of alerts are too much to hand from task to task, so they are in files; check mode writes none.
    files = [lookup["results_file"] for lookup in lookups if lookup.get("results_file") and lookup["counts"].get("rcs_targets")]
    return dict(requests=requests, files=files, any=bool(requests or files))


class FilterModule:
    """The filters of the role's part for Xpanse."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters by name."""
        return dict(exposures_to_scan=exposures_to_scan)
