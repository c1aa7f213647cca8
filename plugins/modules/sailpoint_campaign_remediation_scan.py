#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sailpoint_campaign_remediation_scan
short_description: Have SailPoint check whether the access that a campaign revoked is gone
version_added: 0.1.0
description:
  - Asks for a remediation scan of each campaign, all at once. The scan checks the revoked items against their sources.
    It changes no access.
  - The API gives no handle to a scan. Its only signs are that the campaign's C(modified) moves, and that the campaign
    takes no other operation while it runs. How long a scan takes is not documented.
  - The result of a scan is in the campaign's remediation status report, see
    M(secops.remediation.sailpoint_campaign_report). A report that is older than the scan proves nothing.
  - Next Generation Certification Campaigns (experimental) have no remediation scan. With O(api_version=next) the module fails
    at once, and asks for nothing.
author:
  - Contributors to secops.remediation (@secops)
options:
  campaign_ids:
    description:
      - IDs of the campaigns. Each must be C(COMPLETED).
    type: list
    elements: str
    required: true
  wait:
    description:
      - Whether to wait until every scan has finished.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds after which the module stops waiting and fails with the scans that have not finished.
    type: int
    default: 21600
  wait_interval:
    description:
      - Seconds between two looks at a campaign.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    details:
      - For a campaign without a known scan it is not known whether one is under way, so V(changed) is predicted as if
        none were.
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.connection
  - secops.remediation.sailpoint
  - secops.remediation.scan_memory
  - secops.remediation.results_file
notes:
  - A scan that was accepted but never moves C(modified) is not called finished.
  - Only HTTP 202 is an acceptance. A campaign that is busy with another operation, which may be anybody's, is asked again
    when it is free, with O(wait=true). That may be one scan more than is needed, and no access is changed by it.
  - A campaign without a C(modified) cannot be proved, which is said before anything is asked for.
  - A scan that is remembered counts as long as the campaign is what it was when its report was taken.
seealso:
  - module: secops.remediation.sailpoint_campaign_report
"""

EXAMPLES = r"""
- name: Ask for a scan and do not wait for it
  secops.remediation.sailpoint_campaign_remediation_scan:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
    ledger: /var/lib/remediation/ledger.json

- name: Later, wait for the same scan
  secops.remediation.sailpoint_campaign_remediation_scan:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
    ledger: /var/lib/remediation/ledger.json
    wait: true
    wait_timeout: 3600
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: sailpoint_campaign_remediation_scan
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {campaign_ids: 1}
scans:
  description: The scans, in the order of O(campaign_ids).
  returned: always
  type: list
  elements: dict
  contains:
    campaign_id:
      description: ID of the campaign.
      type: str
      sample: 2c918086719eec070171a7e3355a360a
    status:
      description:
        - V(requested), the API accepted this module's request.
        - V(running), another operation is under way, so the scan could not be requested yet.
        - V(blocked), a report of the campaign runs, so the scan could not be requested yet.
        - V(finished), the campaign's C(modified) has moved since.
        - V(null), nothing is known.
      type: str
      sample: finished
    requested_at:
      description: When the API accepted the request. Time of the server. V(null) if it was not this module's request.
      type: str
      sample: "2026-11-22T08:00:00Z"
    modified_before:
      description: The campaign's C(modified) before the scan. Time of the server.
      type: str
      sample: "2026-11-20T10:15:00.123Z"
    modified:
      description: The value to which C(modified) has moved. A report must be newer than this. Time of the server.
      type: str
      sample: "2026-11-22T08:01:02.345Z"
    changed:
      description: Whether this task requested the scan.
      type: bool
      sample: true
    requests:
      description:
        - The requests that the rest was read from, the last one of each kind, with C(method), C(path), C(status),
          C(reference) (a C(trackingId), V(null) unless the API gave one), and C(server_time). They are remembered with
          the scan.
      type: list
      elements: dict
      sample:
        - method: GET
          path: /campaigns/v1/2c918086719eec070171a7e3355a360a
          status: 200
          reference: null
          server_time: "2026-11-22T08:02:00Z"
    answers:
      description:
        - What the rest was read from and can be computed again from, in the order in which it came, with C(method), C(path),
          C(status), C(reference), C(server_time), what was C(sent) without credentials, and the C(body) that came (of a
          download C(sha256) and C(size)). What an earlier run was answered is marked C(remembered). Of a list of many campaigns
          only this one's part is here, and C(cut) says so.
      type: list
      elements: dict
      version_added: 0.3.0
      sample:
        - method: GET
          path: /campaigns/v1/2c918086719eec070171a7e3355a360a?detail=FULL
          status: 200
          reference: null
          server_time: "2026-11-22T08:02:00Z"
          sent: null
          body: {id: 2c918086719eec070171a7e3355a360a, status: COMPLETED, modified: "2026-11-22T08:01:02.345Z"}
    last_error:
      description: Why the last look brought no answer, where the scan is still waited for.
      type: str
      returned: when the last look failed
      version_added: 0.3.0
      sample: "GET /campaigns/v1/2c918086719eec070171a7e3355a360a: HTTP 503."
    error:
      description: What went wrong with this campaign.
      type: str
      returned: when the item failed
      sample: the campaign is ACTIVE, and a remediation scan needs a COMPLETED one
handed_on:
  version_added: 0.4.0
  description:
    - What the scans that are known have to be told to another job, which takes it as O(started). A list of parts, sealed with
      the credentials of this task.
    - It is not in O(results_file).
  returned: with O(hand_on)
  type: list
  elements: dict
  sample:
    - schema_version: 1
      kind: campaign
      system: https://acme.api.identitynow.com
      run: "8c1d6f6e/2026-11-22T08:00:00Z"
      part: 1
      parts: 1
      records: eJyrVkrLz1eyUkpKLFKqBQA...
      seal: 5f3a7c0e9d1b4a86c2e0f7d85b9a41637e2c8d0f4b6a1953e8c7d2f0a5b4e691
base_url:
  description: Address of the API that was asked.
  returned: when it was asked
  type: str
  sample: https://acme.api.identitynow.com
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {scans: 200}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/sailpoint_campaign_remediation_scan.json
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.task import (
    Task,
    close_ledger,
    named,
    open_ledger,
    open_sealer,
    pace_of,
    run_module,
    settle,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.scan import remediation_scan, to_hand_on
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import KIND

ARGUMENT_SPEC = dict(
    campaign_ids=dict(type="list", elements="str", required=True),
    wait=dict(type="bool", default=False),
    wait_timeout=dict(type="int", default=21600),
    wait_interval=dict(type="int", default=60),
    ledger=dict(type="path"),
    max_age=dict(type="int", default=86400),
    start=dict(type="bool", default=True),
    confirm=dict(type="bool", default=True),
    run_id=dict(type="str"),
    started=dict(type="list", elements="raw"),
    hand_on=dict(type="bool", default=False),
    results_file=dict(type="path"),
    **sailpoint.CONNECTION_OPTIONS,
)
# What stays in the task's result beside results_file.
IN_SHORT = dict(scans=("campaign_id", "status", "modified"))
# The options that say what is asked for.
ASKS = ("campaign_ids",)


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    api = sailpoint.connect(task)
    ledger = open_ledger(task)
    secret = params["client_secret"] or params["access_token"]
    sealer, untaken = open_sealer(task, ledger, KIND, api.tenant, secret.strip())
    items: dict[str, Item] = {campaign_id: dict(campaign_id=campaign_id, status=None) for campaign_id in params["campaign_ids"]}

    def say(next_look: float) -> None:
        statuses = [item["status"] for item in items.values()]
        task.say(
            "campaigns: %d of %d scans done, %d in progress, next look in %.0f s%s"
            % (
                statuses.count("finished"),
                len(items),
                len(items) - statuses.count("finished") - statuses.count(None),
                next_look,
                pace.silence(),
            )
        )

    readings = Readings(api)
    pace = pace_of(task, api.client.limiter, together=lambda: readings.together)
    try:
        endings = drive(
            [
                remediation_scan(
                    api,
                    ledger,
                    pace,
                    item,
                    readings=readings,
                    untaken=untaken,
                    **{name: params[name] for name in ("start", "wait", "max_age", "confirm", "run_id")},
                )
                for item in items.values()
            ],
            params["concurrency"],
            params["wait_timeout"],
            say,
            params["wait_interval"],
            api.client.stop,
            task.check,
            line=pace,
        )
    finally:
        close_ledger(task, ledger)
    handed_on: dict[str, Any] = {}
    if sealer and params["hand_on"]:
        handed_on["handed_on"] = sealer.pack(to_hand_on(ledger, api, items), params["run_id"])
    return settle(
        list(items.values()),
        endings,
        ["campaign %s" % named(campaign_id) for campaign_id in items],
        "scans",
        "They go on without this task: wait again with the same ledger.",
        changed=any(item["changed"] for item in items.values()),
        base_url=api.client.base_url,
        scans=[items[campaign_id] for campaign_id in params["campaign_ids"]],
        **handed_on,
    )


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, IN_SHORT, ASKS)


if __name__ == "__main__":
    main()
