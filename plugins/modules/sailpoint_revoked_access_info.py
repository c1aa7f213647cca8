#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sailpoint_revoked_access_info
short_description: Look whether access that was revoked in SailPoint certification campaigns is still there
version_added: 0.4.0
description:
  - Reads which items the reviewers of certification campaigns revoked, and whether the identities and their accounts have
    each of them today. It needs no report, and knows no tenant's words.
  - An item counts as gone only if the identity's document in Search, or the account, was found, has neither the access nor,
    on the certified account, the attribute's value, and is from after the sign-off of the certification. What cannot be
    told is V(null), with the reason, and never taken for gone.
  - A campaign is V(remediated) only if its certifications, their summaries of the decisions, and their items add up, and
    every revoked item is gone. Certifications of governance groups are in no list of the API, and role composition campaigns
    show no items, so of such campaigns it says V(inconclusive).
  - The campaign is read again at the end, and if it changed meanwhile it is V(inconclusive).
  - All times that are compared are those of the server.
  - Items are asked for in batches. 1,000 revoked items of 600 identities in 50 certifications take about 130 requests.
  - With O(api_version=next), which is experimental, it does the same for Next Generation Certification Campaigns. There a
    summary of the decisions that leaves one of its three parts out is V(inconclusive), and an item whose subject is no
    identity is never said to be gone. C(proposedEndDate) is the date on which access is to end.
  - Nothing here was run on a live tenant. It follows SailPoint's specification and documentation.
author:
  - Contributors to secops.remediation (@secops)
options:
  campaign_ids:
    description:
      - IDs of the campaigns.
    type: list
    elements: str
    required: true
  read_accounts:
    description:
      - Whether to read the certified accounts as well, as of the last time that their sources were read.
      - That tells an account that was deleted, or belongs to another identity now, which the identity's document does not.
      - The level C(CERT_ADMIN) may not. Then it is said once, in RV(unavailable), and the identities' documents decide.
    type: bool
    default: true
  refresh:
    description:
      - Whether to have each certified account read again from its source first, and to wait for it. The module then reads the
        accounts, whatever O(read_accounts) says. What could not be read again is not said to be gone.
      - This takes two requests or more for each account, and changes what SailPoint knows of it.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds after which the module gives up. Accounts that are read again are waited for half of it at most.
    type: int
    default: 3600
  wait_interval:
    description:
      - Seconds between two looks at accounts that are read again.
    type: int
    default: 10
  limit:
    description:
      - How many items to return at most. Those that are still there come first, then those of which it cannot be said.
      - All are counted in any case, and with O(results_file) all of them are in the file.
    type: int
    default: 1000
attributes:
  check_mode:
    support: full
    details:
      - The module only reads, unless O(refresh=true), which does nothing in check mode.
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.connection
  - secops.remediation.sailpoint
  - secops.remediation.results_file
notes:
  - O(client_id) needs a user of the level C(ORG_ADMIN) or C(CERT_ADMIN). Another one, C(REPORT_ADMIN) too, is shown no
    certifications, and the answer is V(inconclusive).
  - The token needs the scopes C(idn:campaign:read) and C(sp:search:read), C(idn:accounts:read) for O(read_accounts), and
    C(idn:accounts-state:manage) and C(idn:task-management:read) for O(refresh).
  - With O(api_version=beta) the module fails, because that version shows no items.
seealso:
  - module: secops.remediation.sailpoint_remediation_report_info
"""

EXAMPLES = r"""
- name: Look whether the revoked access is still there
  secops.remediation.sailpoint_revoked_access_info:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
  register: access

- name: Say what is still there, and why
  ansible.builtin.debug:
    msg: >-
      {{ item.identity.name }} has {{ item.access.name }} on {{ item.source.name }}: {{ item.reason }}
      ({{ item.why | default('nobody says why', true) }})
  loop: "{{ access.revoked_items | selectattr('present', 'eq', true) }}"
  loop_control:
    label: "{{ item.item_id }}"

- name: Read the accounts again from their sources first, and keep the whole record
  secops.remediation.sailpoint_revoked_access_info:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
    refresh: true
    results_file: /var/lib/remediation/records/revoked_access.json

- name: Look at a Next Generation Certification Campaign (experimental)
  secops.remediation.sailpoint_revoked_access_info:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    api_version: next
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: sailpoint_revoked_access_info
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {campaign_ids: 1}
campaigns:
  description: What is known of each campaign, in the order of O(campaign_ids).
  returned: always
  type: list
  elements: dict
  contains:
    campaign_id:
      description: ID of the campaign.
      type: str
    name:
      description: Name of the campaign. V(null) like its C(type) and C(status) if it could not be read.
      type: str
    type:
      description: Type of the campaign, for example V(MANAGER).
      type: str
    status:
      description: Status of the campaign.
      type: str
    outcome:
      description:
        - V(unremediated) if an item is still there.
        - V(pending) if not all decisions are made yet.
        - V(remediated) if every revoked item is gone, and the lists and the summaries of the decisions add up.
        - V(inconclusive) otherwise.
      type: str
    reason:
      description: Why, in words.
      type: str
    complete:
      description: Whether something is said of every item that was revoked.
      type: bool
    problems:
      description: Why this is not known to be all that was revoked.
      type: list
      elements: str
    items_total:
      description: Number of revoked items.
      type: int
    items_gone:
      description: Number of revoked items that are gone.
      type: int
    items_present:
      description: Number of revoked items that are still there.
      type: int
    items_unknown:
      description: Number of revoked items of which it cannot be said.
      type: int
    as_of:
      description: The oldest moment of which any of this is known, V(null) if nothing is.
      type: str
    answers:
      description:
        - What was asked and answered about the campaign and its certifications, the campaign itself first and last. Of lists
          it holds what the outcome depends on, and of the items of a certification how many were revoked.
      type: list
      elements: dict
    error:
      description: What failed.
      type: str
      returned: when something of it failed
  sample:
    - campaign_id: 2c918086719eec070171a7e3355a360a
      name: Q3 manager review
      type: MANAGER
      status: COMPLETED
      outcome: unremediated
      reason: 1 of 212 revoked items is still there, as of 2026-11-24T10:02:00Z
      complete: true
      problems: []
      items_total: 212
      items_gone: 211
      items_present: 1
      items_unknown: 0
      as_of: "2026-11-24T10:02:00Z"
revoked_items:
  description: The revoked items, those that are still there first. In O(results_file) all of them, by campaign.
  returned: always
  type: list
  elements: dict
  contains:
    campaign_id:
      description: ID of the campaign.
      type: str
    certification_id:
      description: ID of the certification.
      type: str
    item_id:
      description: ID of the review item.
      type: str
    identity:
      description: The C(id) and the C(name) of the identity.
      type: dict
    access:
      description: The C(type), V(ENTITLEMENT), V(ACCESS_PROFILE), V(ROLE), or V(ACCOUNT), the C(id), and the C(name).
      type: dict
    attribute:
      description: Of an entitlement the account's attribute.
      type: str
    value:
      description: Of an entitlement the attribute's value.
      type: str
    source:
      description: The C(id) and the C(name) of the source.
      type: dict
    account:
      description: The C(id) and the C(native_identity) of the certified account.
      type: dict
    ends:
      description: When the access of a role or an access profile ends by itself.
      type: str
    present:
      description: Whether it is still there, V(null) if that cannot be said.
      type: bool
    seen_in:
      description: What says so, V(search) and V(account).
      type: list
      elements: str
    seen_at:
      description: The moment of which it is known, when the identity's document was synchronised or the account was read.
      type: str
    reason:
      description: Why, in words.
      type: str
    why:
      description:
        - Of what is still there why it is, for example that its removal failed, that a manual task is open, or that a role gave
          it again. V(null) if nobody says it, or this user may not ask.
        - The work items are those of this user, and with O(read_accounts), for a user of the level C(ORG_ADMIN), those of the
          owners of up to five sources.
      type: str
    document:
      description:
        - What Search showed of it. C(answer) is the place in RV(lookups), C(found) whether there is a document, C(access) whether
          that lists the access, C(account) whether the certified account, C(again) whether instead one that may be it under
          another ID, and C(value) whether that has the value.
      type: dict
    account_read:
      description: What the account itself showed of it, in the same way.
      type: dict
  sample:
    - campaign_id: 2c918086719eec070171a7e3355a360a
      certification_id: 2c9180835d2e5168015d32f890ca1581
      item_id: ef38f94347e94562b5bb8424a56397d8
      identity: {id: 2c9180857182306001719937377a33de, name: Alison Ferguso}
      access: {type: ENTITLEMENT, id: 2c918085718230600171993742c63558, name: CN=entitlement.bbb7c650}
      attribute: memberOf
      value: CN=entitlement.bbb7c650
      source: {id: 78ca6be511cb41fbb86dba2fcca7780c, name: Corporate Active Directory}
      account: {id: 2c9180857182305e0171993737eb29e6, native_identity: CN=Alison Ferguso}
      ends: null
      present: true
      seen_in: [search]
      seen_at: "2026-11-24T10:02:00Z"
      reason: the identity still has it
      why: "its removal failed (2026-11-20T08:00:00Z): insufficient rights"
      document: {answer: 0, found: true, synced: "2026-11-24T10:02:00.120Z", inactive: false, access: true, standalone: true,
                 left: 0, account: true, again: false, value: true}
      account_read: null
lookups:
  description:
    - What Search and the accounts were asked, in batches, and what was answered, without the bodies. C(count) is how many came,
      and C(total) how many there are.
  returned: always
  type: list
  elements: dict
  sample:
    - method: POST
      path: /search/v1?limit=250&count=true
      status: 200
      reference: null
      server_time: "2026-11-24T10:05:00Z"
      sent: {indices: [identities], terms: {id: 212}}
      count: 212
      total: 212
items_total:
  description: Number of revoked items in all campaigns.
  returned: always
  type: int
  sample: 212
items_gone:
  description: Number of those that are gone.
  returned: always
  type: int
  sample: 211
items_present:
  description: Number of those that are still there.
  returned: always
  type: int
  sample: 1
items_unknown:
  description: Number of those of which it cannot be said.
  returned: always
  type: int
  sample: 0
truncated:
  description: Whether RV(revoked_items) has not all of them, because of O(limit).
  returned: always
  type: bool
  sample: false
unavailable:
  description:
    - What this user may not ask, and which level it takes, by V(accounts), V(refresh), V(activities), and V(work_items). Of
      the last two also why they could not be read otherwise, or not all of them, because nothing depends on them.
  returned: always
  type: dict
  sample: {}
base_url:
  description: Address of the API that was asked.
  returned: always
  type: str
  sample: https://acme.api.identitynow.com
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {campaigns: 1, revoked_items: 212, lookups: 6}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/revoked_access.json
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Result
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, named, run_module, settle
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access import look
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_api import NextApi

ARGUMENT_SPEC = dict(
    campaign_ids=dict(type="list", elements="str", required=True),
    read_accounts=dict(type="bool", default=True),
    refresh=dict(type="bool", default=False),
    wait_timeout=dict(type="int", default=3600),
    wait_interval=dict(type="int", default=10),
    limit=dict(type="int", default=1000),
    results_file=dict(type="path"),
    **sailpoint.CONNECTION_OPTIONS,
)
# What stays in the task's result beside results_file.
IN_SHORT = dict(
    campaigns=("campaign_id", "outcome", "reason", "complete", "items_total", "items_gone", "items_present", "items_unknown")
)
# The options that say what is asked for.
ASKS = ("campaign_ids",)


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    if params["limit"] < 0:
        raise TaskFailed("limit is %d and must be at least 0" % params["limit"])
    if params["api_version"] == "beta":
        raise TaskFailed("api_version beta shows no items of certifications: choose another one, v1 or v2025 for example")
    api = sailpoint.connect(task, NextApi)
    campaign_ids = list(dict.fromkeys(params["campaign_ids"]))
    found = look(api, task, campaign_ids)
    campaigns = [found.campaigns[campaign_id] for campaign_id in campaign_ids]
    counts = {
        name: sum(campaign[name] for campaign in campaigns)
        for name in ("items_total", "items_gone", "items_present", "items_unknown")
    }
    in_file = bool(params["results_file"]) and not task.check_mode
    return settle(
        [{} for _campaign_id in campaign_ids],
        [found.failure_of(campaign_id) for campaign_id in campaign_ids],
        ["campaign %s" % named(campaign_id) for campaign_id in campaign_ids],
        "campaigns",
        "",
        changed=found.changed,
        campaigns=campaigns,
        revoked_items=found.rows() if in_file else found.first_rows(params["limit"]),
        lookups=found.lookups,
        truncated=not in_file and counts["items_total"] > params["limit"],
        unavailable=found.unavailable,
        base_url=api.client.base_url,
        **counts,
    )


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, IN_SHORT, ASKS)


if __name__ == "__main__":
    main()
