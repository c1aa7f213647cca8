#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sailpoint_campaign_info
short_description: Get certification campaigns of SailPoint Identity Security Cloud
version_added: 0.1.0
description:
  - Gets campaigns by their IDs, all at once, or lists those that meet a condition.
  - The level C(REPORT_ADMIN) may not get a campaign by its ID. The module then finds it through the list.
  - An empty list matches nothing, not everything.
  - With O(api_version=next), which is experimental, it gets Next Generation Certification Campaigns. Their lists show summaries,
    and take the level C(ORG_ADMIN) or C(CERT_ADMIN).
author:
  - Contributors to secops.remediation (@secops)
options:
  campaign_ids:
    description:
      - IDs of the campaigns.
    type: list
    elements: str
  name:
    description:
      - Name of the campaigns.
    type: str
  statuses:
    description:
      - Statuses of the campaigns, for example V(COMPLETED).
    type: list
    elements: str
  filters:
    description:
      - A filter in the API's own language, for example V(name sw "Q3").
      - Filtering works for C(id) (C(eq), C(in)), C(name) (C(eq), C(sw)), and C(status) (C(eq), C(in)).
    type: str
  limit:
    description:
      - How many campaigns to return at most. Without it all pages are read.
    type: int
  wait_timeout:
    version_added: 0.3.0
    description:
      - Seconds after which the module gives up, however many pages there are.
    type: int
    default: 3600
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.attributes.info
  - secops.remediation.connection
  - secops.remediation.sailpoint
  - secops.remediation.results_file
seealso:
  - module: secops.remediation.sailpoint_campaign_remediation_scan
"""

EXAMPLES = r"""
- name: Get two campaigns
  secops.remediation.sailpoint_campaign_info:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
      - 7e1a731e3fb845cfbe58112ba4673ee4
  register: campaigns

- name: List the completed campaigns of the third quarter
  secops.remediation.sailpoint_campaign_info:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    statuses: [COMPLETED]
    filters: name sw "Q3"
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: sailpoint_campaign_info
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {campaign_ids: 1}
campaigns:
  description:
    - The campaigns with all their details, as the API wrote them, in the order of O(campaign_ids), or by name.
  returned: always
  type: list
  elements: dict
  sample:
    - id: 2c918086719eec070171a7e3355a360a
      name: Q3 manager review
      status: COMPLETED
      type: MANAGER
      modified: "2026-11-20T10:15:00.123Z"
missing_ids:
  description: IDs that no campaign has, or that this user may not see.
  returned: always
  type: list
  elements: str
  sample: []
errors:
  description: By the ID of a campaign that could not be read, why.
  returned: with O(campaign_ids)
  type: dict
  version_added: 0.3.0
  sample: {}
total:
  description: How many campaigns match.
  returned: always
  type: int
  sample: 1
truncated:
  description: Whether campaigns were left out, because of O(limit) or by the API itself.
  returned: always
  type: bool
  sample: false
requests:
  description:
    - The requests that this was read from, with C(method), C(path), C(status), C(reference) (what the vendor's support
      asks for, V(null) unless the API gave one), and C(server_time).
  returned: always
  type: list
  elements: dict
  sample:
    - method: GET
      path: /campaigns/v1/2c918086719eec070171a7e3355a360a
      status: 200
      reference: null
      server_time: "2026-11-22T08:00:00Z"
api_version:
  version_added: 0.4.0
  description: The version of the calls that were asked, as O(api_version).
  returned: when the campaigns could be looked up
  type: str
  sample: v1
base_url:
  description: Address of the API that was asked.
  returned: when it was asked
  type: str
  sample: https://acme.api.identitynow.com
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {campaigns: 200, missing_ids: 0, requests: 200}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/sailpoint_campaign_info.json
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, JsonObject, Result, Steps
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, named, run_module, settle
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_api import NextApi
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import requests_in

ARGUMENT_SPEC = dict(
    campaign_ids=dict(type="list", elements="str"),
    name=dict(type="str"),
    statuses=dict(type="list", elements="str"),
    filters=dict(type="str"),
    limit=dict(type="int"),
    wait_timeout=dict(type="int", default=3600),
    results_file=dict(type="path"),
    **sailpoint.CONNECTION_OPTIONS,
)
# What stays in the task's result beside results_file.
IN_SHORT = dict(campaigns=("id", "status", "modified"))
RULES = dict(mutually_exclusive=[("campaign_ids", name) for name in ("name", "statuses", "filters", "limit")])
# The options that say what is asked for.
ASKS = ("campaign_ids", "name", "statuses", "filters")


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    api = sailpoint.connect(task, NextApi)
    if params["campaign_ids"] is not None:
        return get_campaigns(task, api, list(dict.fromkeys(params["campaign_ids"])))
    if params["statuses"] == []:
        return dict(changed=False, campaigns=[], missing_ids=[], total=0, truncated=False, requests=[])
    if params["limit"] is not None and params["limit"] < 1:
        raise TaskFailed("limit must be 1 or more")
    requests: list[Exchange] = []
    try:
        campaigns, total, truncated = api.list_campaigns(
            sailpoint.campaign_filters(params["name"], params["statuses"], params["filters"]), params["limit"], requests
        )
    except HttpError as error:
        raise TaskFailed(str(error), requests=requests_in(requests), base_url=api.client.base_url) from error
    return dict(
        changed=False,
        api_version=task.params["api_version"],
        campaigns=campaigns,
        missing_ids=[],
        total=total,
        truncated=truncated,
        requests=requests_in(requests),
        base_url=api.client.base_url,
    )


def get_campaigns(task: Task, api: sailpoint.SailPointApi, campaign_ids: list[str]) -> Result:
    """The result for campaigns that are asked for by their ids."""
    items: dict[str, JsonObject] = {campaign_id: {} for campaign_id in campaign_ids}
    missing_ids: list[str] = []
    requests: list[Exchange] = []

    readings = Readings(api)
    for campaign_id in campaign_ids:
        readings.want(campaign_id)

    def get(campaign_id: str) -> Steps:
        try:
            campaign = readings.read(campaign_id, requests)
            if campaign.get("id") != campaign_id:
                raise ItemFailed("the API answered with another campaign, %r" % (campaign.get("id"),))
            items[campaign_id] = campaign
        except sailpoint.CampaignNotFound:
            missing_ids.append(campaign_id)
        yield from ()

    endings = drive(
        [get(campaign_id) for campaign_id in campaign_ids],
        task.params["concurrency"],
        task.params["wait_timeout"],
        stop=api.client.stop,
        check=task.check,
    )
    campaigns = [campaign for campaign in items.values() if campaign]
    missing_ids.sort(key=campaign_ids.index)
    errors = {campaign_id: str(ending) for campaign_id, ending in zip(campaign_ids, endings) if ending is not None}
    return settle(
        [{} for _campaign_id in campaign_ids],
        endings,
        list(map(named, campaign_ids)),
        "campaigns",
        "",
        changed=False,
        api_version=task.params["api_version"],
        campaigns=campaigns,
        missing_ids=missing_ids,
        errors=errors,
        total=len(campaigns),
        truncated=False,
        requests=requests_in(requests),
        base_url=api.client.base_url,
    )


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES), run, IN_SHORT, ASKS)


if __name__ == "__main__":
    main()
