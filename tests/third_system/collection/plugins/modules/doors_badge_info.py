# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: doors_badge_info
short_description: Look whether badges still open doors
version_added: 9.9.9
description:
  - A module for a test, with canned answers.
author:
  - Contributors to secops.remediation (@secops)
extends_documentation_fragment:
  - secops.remediation.connection
  - secops.remediation.doors
  - secops.remediation.results_file
options:
  badge_ids:
    description: The badges.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Look at a badge
  secops.remediation.doors_badge_info:
    base_url: https://doors.example
    badge_ids: [b1]
"""

RETURN = r"""
badges:
  description: The badges.
  returned: always
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._http.options import CONNECTION_OPTIONS
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_module
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import Exchanges

ARGUMENT_SPEC = dict(
    badge_ids=dict(type="list", elements="str", required=True),
    base_url=dict(type="str", required=True),
    results_file=dict(type="path"),
    **CONNECTION_OPTIONS,
)
ASKS = ("badge_ids",)
NOW = "2026-11-25T08:00:00Z"
STATES = {"b1": "RETURNED", "b2": "ACTIVE", "b3": "MELTED"}


def run(task: Task) -> dict:
    """The module's work, which asks nobody."""
    badges = []
    for badge_id in task.params["badge_ids"]:
        item = dict(badge_id=badge_id, holder="Jo <b>Doe</b>", looked_at=NOW)
        Exchanges(item).append(
            dict(
                method="GET",
                path="/badges/%s" % badge_id,
                status=200 if badge_id in STATES else 404,
                reference=None,
                server_time=NOW,
                sent=None,
                body=dict(id=badge_id, state=STATES.get(badge_id)),
            )
        )
        badges.append(item)
    return dict(changed=False, base_url=task.params["base_url"], badges=badges)


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, asks=ASKS)


if __name__ == "__main__":
    main()
