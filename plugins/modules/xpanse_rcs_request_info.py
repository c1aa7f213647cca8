#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: xpanse_rcs_request_info
short_description: Look at remediation confirmation scans of Cortex Xpanse
version_added: 0.1.0
description:
  - Gets status and result of scans that were started before, all at once.
  - The module looks once. To wait for the scans, give their IDs to M(secops.remediation.xpanse_rcs_request).
author:
  - Contributors to secops.remediation (@secops)
options:
  scan_ids:
    description:
      - IDs of the scans. One that is given twice is looked at once and answered twice.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.attributes.info
  - secops.remediation.connection
  - secops.remediation.xpanse
seealso:
  - module: secops.remediation.xpanse_rcs_request
"""

EXAMPLES = r"""
- name: Look at two scans
  secops.remediation.xpanse_rcs_request_info:
    base_url: acme.crtx.us.paloaltonetworks.com
    api_key_id: "{{ xpanse_api_key_id }}"
    api_key: "{{ xpanse_api_key }}"
    scan_ids:
      - 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
      - 1b0a7a5e-2d39-4b53-8f0e-7d6a6c0c1e55
  register: scans

- name: Say which exposures are still there
  ansible.builtin.debug:
    msg: "{{ scans.rcs_requests | selectattr('outcome', 'eq', 'unremediated') | map(attribute='scan_id') | list }}"
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. O(secops.remediation.remediation_evidence#module:results) takes no result of it, because nothing
      in it says of which exposures the scans are, and says so.
  returned: always
  type: str
  sample: xpanse_rcs_request_info
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {scan_ids: 2}
rcs_requests:
  description: The scans, in the order of O(scan_ids).
  returned: always
  type: list
  elements: dict
  contains:
    scan_id:
      description: ID of the scan.
      type: str
      sample: 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
    status:
      description: Status of the scan, in the API's word.
      type: str
      sample: SUCCESS
    result:
      description: Result of the scan, in the API's word. V(null) unless the status is V(SUCCESS).
      type: str
      sample: UNREMEDIATED
    outcome:
      description: What this means, V(remediated), V(unremediated), V(pending), or V(inconclusive).
      type: str
      sample: unremediated
    requests:
      description:
        - The requests that the rest was read from, the last one of each kind, with C(method), C(path), C(status),
          C(reference), and C(server_time).
      type: list
      elements: dict
      sample:
        - method: POST
          path: /public_api/v1/remediation_confirmation_scanning/requests/get/
          status: 200
          reference: scanId 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
          server_time: "2026-11-22T12:34:56Z"
    error:
      description: Why nothing is known of this scan.
      type: str
      returned: when the item failed
      sample: no scan has the id 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, named, run_module, settle
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import WITHOUT_ANSWER
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import api as xpanse
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.scan import confirmation_scan

ARGUMENT_SPEC = dict(
    scan_ids=dict(type="list", elements="str", required=True),
    **xpanse.CONNECTION_OPTIONS,
)
# The options that say what is asked for.
ASKS = ("scan_ids",)


def run(task: Task) -> Result:
    """The module's work."""
    api = xpanse.connect(task)
    forgetful, pace = Ledger(None), Pace(0)
    items: dict[str, Item] = {scan_id: {} for scan_id in task.params["scan_ids"]}
    endings = drive(
        [confirmation_scan(api, forgetful, pace, item, {"scan_id": scan_id}) for scan_id, item in items.items()],
        task.params["concurrency"],
        stop=api.client.stop,
        check=task.check,
    )
    for item in items.values():
        del item["created"]
    answers = [items[scan_id] for scan_id in task.params["scan_ids"]]
    return settle(
        list(items.values()), endings, list(map(named, items)), "scans", "", WITHOUT_ANSWER, changed=False, rcs_requests=answers
    )


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, asks=ASKS)


if __name__ == "__main__":
    main()
