#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: xpanse_alert
short_description: Set the status and the comment of attack surface alerts of Cortex Xpanse
version_added: 0.4.0
description:
  - Reads the alerts, writes what differs, a hundred alerts with one request, and reads them again.
  - An alert that has the status and shows the comment already is not written.
  - V(resolved) is the safe status for what is remediated, for Xpanse opens the alert again if it sees the exposure again. Some
    of the others keep an alert closed for good.
  - The module knows nothing of whether an exposure is still there. The role P(secops.remediation.verify#role) does, with
    O(secops.remediation.verify#role:main:verify_update_alerts).
author:
  - Contributors to secops.remediation (@secops)
options:
  alerts:
    description:
      - The alerts, and what each is to be. One that is given twice is answered twice, and has to be the same both times.
    type: list
    elements: dict
    suboptions:
      alert_id:
        description: ID of the alert, a number.
        type: str
        required: true
      status:
        description: The status that it is to have. Without it the status stays.
        type: str
        choices:
          - new
          - reopened
          - under_investigation
          - resolved
          - resolved_contested_asset
          - resolved_no_risk
          - resolved_remediated_automatically
          - resolved_risk_accepted
      comment:
        description:
          - The comment that it is to show, alone or as whole lines among others. Without it the comment stays.
          - Whether Xpanse adds a comment to the one before or replaces it is not documented, and the module copes with both.
        type: str
      only_from:
        description:
          - The statuses from which the alert may be taken, in the words of O(alerts[].status). One that has another status is
            left as it is, and said so. One that has O(alerts[].status) already is not commented either, unless it is among them.
        type: list
        elements: str
      unchanged_since:
        description:
          - Time of Xpanse's clock, ISO 8601 or, as in C(last_modified_ts) of an alert, milliseconds since 1970. An alert that
            was changed later, or that does not say when, is left as it is, and said so.
        type: str
      attack_surface_rule_id:
        description: The alert's rule. One that has another is left as it is, and said so.
        type: str
      service_ids:
        description: The services that the alert may have. One that has another, or none, is left as it is, and said so.
        type: list
        elements: str
  alert_ids:
    description:
      - IDs of alerts that are all to have O(status) and O(comment), instead of O(alerts).
    type: list
    elements: str
  status:
    description:
      - The status that O(alert_ids) are to have. See O(alerts[].status).
    type: str
    choices:
      - new
      - reopened
      - under_investigation
      - resolved
      - resolved_contested_asset
      - resolved_no_risk
      - resolved_remediated_automatically
      - resolved_risk_accepted
  comment:
    description:
      - The comment that O(alert_ids) are to show. See O(alerts[].comment).
    type: str
  wait_timeout:
    description:
      - Seconds after which the module gives up, however many alerts there are.
    type: int
    default: 3600
attributes:
  check_mode:
    support: full
    details:
      - The alerts are read, and what would be written is returned.
  diff_mode:
    support: full
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.connection
  - secops.remediation.xpanse
notes:
  - The API takes no condition, so somebody may change an alert between the moment at which it is read and the one at which it is
    written. What it has become is read afterwards. One that has another status by then fails.
  - An update whose answer was lost is not sent again, for Xpanse may have opened the alert again in between.
seealso:
  - module: secops.remediation.xpanse_alert_info
"""

EXAMPLES = r"""
- name: Take two alerts up
  secops.remediation.xpanse_alert:
    base_url: acme.crtx.us.paloaltonetworks.com
    api_key_id: "{{ xpanse_api_key_id }}"
    api_key: "{{ xpanse_api_key }}"
    alert_ids: [231, 442]
    status: under_investigation
    comment: The firewall's owner was told (CHG0031).

- name: Resolve an alert, but only if it is open, and as it was when it was looked at
  secops.remediation.xpanse_alert:
    alerts:
      - alert_id: 231
        status: resolved
        comment: The service was taken off the internet.
        only_from: [new, reopened, under_investigation]
        unchanged_since: "{{ looked_up.alerts[0].last_modified_ts }}"
"""

RETURN = r"""
alerts:
  description: What became of the alerts, in the order of O(alerts) or O(alert_ids).
  returned: always
  type: list
  elements: dict
  contains:
    alert_id:
      description: ID of the alert.
      type: str
      sample: "231"
    changed:
      description: Whether the alert was changed, or would be.
      type: bool
      sample: true
    before:
      description:
        - C(status) and C(comment) as they were, the status in the words of O(alerts[].status), or as the API has it. V(null) if
          the alert could not be read.
      type: dict
      sample: {status: new, comment: ""}
    after:
      description:
        - The same as it was read afterwards. In check mode, as it would be. V(null) if the alert could not be read.
      type: dict
      sample: {status: resolved, comment: The service was taken off the internet.}
    left:
      description: Why the alert was left as it is, though it is not as it was to be.
      type: str
      returned: when one of the conditions does not hold
      sample: its status is resolved_risk_accepted, and not new or reopened or under_investigation
    error:
      description: Why the alert is not what it was to be, or why that is not known.
      type: str
      returned: when the item failed
      sample: it was set to resolved, and its status is reopened now
requests:
  description:
    - The requests that were sent, with C(method), C(path), C(status), C(reference) (what the vendor's support asks for,
      V(null) unless the API gave one), and C(server_time).
  returned: when the API was asked
  type: list
  elements: dict
  sample:
    - method: POST
      path: /public_api/v1/alerts/update_alerts/
      status: 200
      reference: null
      server_time: "2026-11-22T08:00:00Z"
base_url:
  description: Address of the API that was asked.
  returned: when it was asked
  type: str
  sample: https://api-acme.crtx.us.paloaltonetworks.com
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, Item, JsonObject, Params, Result
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_module, settle
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import requests_in
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import api as xpanse
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.alert import STATUSES, Wanted, moment_in, update

WISH = dict(
    alert_id=dict(type="str", required=True),
    status=dict(type="str", choices=list(STATUSES)),
    comment=dict(type="str"),
    only_from=dict(type="list", elements="str"),
    unchanged_since=dict(type="str"),
    attack_surface_rule_id=dict(type="str"),
    service_ids=dict(type="list", elements="str"),
)
ARGUMENT_SPEC = dict(
    alerts=dict(type="list", elements="dict", options=WISH),
    alert_ids=dict(type="list", elements="str"),
    status=dict(type="str", choices=list(STATUSES)),
    comment=dict(type="str"),
    wait_timeout=dict(type="int", default=3600),
    **xpanse.CONNECTION_OPTIONS,
)
RULES = dict(
    required_one_of=[("alerts", "alert_ids")],
    mutually_exclusive=[("alerts", "alert_ids"), ("alerts", "status"), ("alerts", "comment")],
)


def run(task: Task) -> Result:
    """The module's work."""
    wishes = wishes_in(task.params)
    api = xpanse.connect(task)
    items: dict[str, Item] = {}
    wanted: list[Wanted] = []
    for wish in wishes:
        item: Item = dict(alert_id=wish["alert_id"], changed=False, before=None, after=None)
        if items.setdefault(wish["alert_id"], item) is item:
            wanted.append(Wanted(wish, item))
            problem = problem_of(wish, wishes)
            if problem:
                item["error"] = problem
    # Those that are to become the same lie together, and are written together.
    sound = sorted(
        (one for one in wanted if "error" not in one.item),
        key=lambda one: (one.wish["status"] or "", one.wish["comment"] or ""),
    )
    batches = [sound[start : start + xpanse.ALERTS_PAGE] for start in range(0, len(sound), xpanse.ALERTS_PAGE)]
    record: list[Exchange] = []
    endings: list[Exception | None] = drive(
        [update(api, batch, task.check_mode, record) for batch in batches],
        task.params["concurrency"],
        task.params["wait_timeout"],
        stop=api.client.stop,
        check=task.check,
    )
    ended = {one.alert_id: ending for batch, ending in zip(batches, endings) for one in batch}
    return settle(
        [one.item for one in wanted],
        [ending_of(one, ended.get(one.alert_id)) for one in wanted],
        ["alert %s" % one.alert_id for one in wanted],
        "alerts",
        "Run the task again: what is so already is not written again.",
        changed=any(item["changed"] for item in items.values()),
        alerts=[items[wish["alert_id"]] for wish in wishes],
        diff=[difference(item) for item in items.values() if item["changed"]],
        requests=requests_in(record),
        base_url=api.client.base_url,
    )


def wishes_in(params: Params) -> list[JsonObject]:
    """What is wanted of each alert, as items of `alerts`. A text without a word is none."""
    given = params["alerts"] if params["alerts"] is not None else [dict(params, alert_id=one) for one in params["alert_ids"]]
    return [
        dict(
            {name: wish.get(name) for name in WISH},
            alert_id=re.sub(r"^0+(?=[0-9])", "", wish["alert_id"].strip()),
            comment=(wish.get("comment") or "").strip() or None,
        )
        for wish in given
    ]


def problem_of(wish: Mapping[str, Any], wishes: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with what is wanted of an alert, or None."""
    if not re.fullmatch("[0-9]{1,18}", wish["alert_id"]):
        return "alert_id %r is no number" % wish["alert_id"]
    if not (wish["status"] or wish["comment"]):
        return "neither a status nor a comment is given"
    if wish["unchanged_since"] and moment_in(wish["unchanged_since"]) is None:
        return "unchanged_since %r is not a time" % wish["unchanged_since"]
    if any(other["alert_id"] == wish["alert_id"] and other != wish for other in wishes):
        return "it is in the list twice, and is to become two different things"
    return None


def ending_of(one: Wanted, of_batch: Exception | None) -> Exception | None:
    """How the work on an alert ended: with its own error, or with that of all that were worked on with it."""
    if of_batch is not None:
        one.give_up()
    return ItemFailed(one.item["error"]) if one.item.get("error") else of_batch


def difference(item: Item) -> JsonObject:
    """What changes of an alert, as Ansible shows it."""
    name = "alert %s" % item["alert_id"]
    return dict(before_header=name, after_header=name, before=item["before"], after=item["after"] or {})


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES), run)


if __name__ == "__main__":
    main()
