#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: xpanse_alert_info
short_description: Get attack surface alerts of Cortex Xpanse and what can be scanned of them
version_added: 0.1.0
description:
  - Lists alerts and works out, for each, the exposures that M(secops.remediation.xpanse_rcs_request) can ask about.
  - All conditions that are given must hold. An empty list matches nothing, not everything.
author:
  - Contributors to secops.remediation (@secops)
options:
  alert_ids:
    description:
      - IDs of the alerts.
    type: list
    elements: int
  case_ids:
    description:
      - IDs of the cases (incidents) to which the alerts belong.
    type: list
    elements: int
  statuses:
    description:
      - Statuses of the alerts, in the API's words, for example V(new).
    type: list
    elements: str
  severities:
    description:
      - Severities of the alerts, in the API's words, for example V(high).
    type: list
    elements: str
  rule_names:
    description:
      - Names of the attack surface rules.
    type: list
    elements: str
  filters:
    description:
      - More filters, in the form that the API takes, a list of C(field), C(operator), and C(value).
    type: list
    elements: dict
  limit:
    description:
      - How many alerts to return at most, the newest first. Without it all pages are read.
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
  - secops.remediation.xpanse
  - secops.remediation.results_file
seealso:
  - module: secops.remediation.xpanse_rcs_request
"""

EXAMPLES = r"""
- name: Get the alerts of two cases
  secops.remediation.xpanse_alert_info:
    base_url: acme.crtx.us.paloaltonetworks.com
    api_key_id: "{{ xpanse_api_key_id }}"
    api_key: "{{ xpanse_api_key }}"
    case_ids: [71, 5471]
  register: alerts

- name: Start a scan for everything that can be scanned
  secops.remediation.xpanse_rcs_request:
    base_url: acme.crtx.us.paloaltonetworks.com
    api_key_id: "{{ xpanse_api_key_id }}"
    api_key: "{{ xpanse_api_key }}"
    requests: "{{ alerts.rcs_targets }}"

- name: Get the newest 50 resolved alerts of high severity since 1 November
  secops.remediation.xpanse_alert_info:
    severities: [high, critical]
    statuses: [resolved]
    filters:
      - field: server_creation_time
        operator: gte
        value: 1793491200000
    limit: 50
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: xpanse_alert_info
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {alert_ids: 1}
alerts:
  description: The alerts, as the API wrote them, the newest first.
  returned: always
  type: list
  elements: dict
  sample:
    - alert_id: "231"
      name: RDP Server at 198.51.100.7:3389
      severity: high
      attack_surface_rule_id: RdpServer
      service_ids: [94232f8a-f001-3292-aa65-63fa9d981427]
rcs_targets:
  description:
    - What can be scanned, one entry for each alert and service, as M(secops.remediation.xpanse_rcs_request) takes it.
  returned: always
  type: list
  elements: dict
  sample:
    - alert_internal_id: 231
      attack_surface_rule_id: RdpServer
      service_id: 94232f8a-f001-3292-aa65-63fa9d981427
cases_with_alerts:
  description: Those of O(case_ids) that have an alert. Where alerts do not name their case, each is asked about alone.
  returned: always
  type: list
  elements: int
  version_added: 0.3.0
  sample: [71]
unscannable:
  description: Alerts that cannot be scanned, and alert IDs that no alert has.
  returned: always
  type: list
  elements: dict
  contains:
    alert_id:
      description: ID of the alert.
      type: str
      sample: "98"
    reason:
      description: Why it cannot be scanned.
      type: str
      sample: the alert has no service, so Xpanse cannot scan it
total:
  description:
    - How many alerts match. The API counts to 9999 only, so this is a lower bound from there on.
  returned: always
  type: int
  sample: 1
truncated:
  description: Whether alerts were left out, because of O(limit) or of the API's own bound.
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
    - method: POST
      path: /public_api/v2/alerts/get_alerts_multi_events/
      status: 200
      reference: null
      server_time: "2026-11-22T08:00:00Z"
base_url:
  description: Address of the API that was asked.
  returned: when it was asked
  type: str
  sample: https://api-acme.crtx.us.paloaltonetworks.com
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {alerts: 5000, rcs_targets: 5120, unscannable: 3, requests: 51}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/xpanse_alert_info.json
"""

from collections.abc import Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Params, Result
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_module
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import requests_in
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import api as xpanse

ARGUMENT_SPEC = dict(
    alert_ids=dict(type="list", elements="int"),
    case_ids=dict(type="list", elements="int"),
    statuses=dict(type="list", elements="str"),
    severities=dict(type="list", elements="str"),
    rule_names=dict(type="list", elements="str"),
    filters=dict(type="list", elements="dict"),
    limit=dict(type="int"),
    wait_timeout=dict(type="int", default=3600),
    results_file=dict(type="path"),
    **xpanse.CONNECTION_OPTIONS,
)
FIELDS = dict(case_ids="case_id_list", statuses="status", severities="severity", rule_names="attack_surface_rule_name")
# The options that say what is asked for.
ASKS = ("alert_ids", "case_ids", "statuses", "severities", "rule_names", "filters")


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    if params["limit"] is not None and params["limit"] < 1:
        raise TaskFailed("limit must be 1 or more")
    api = xpanse.connect(task)
    result: Result = dict(
        changed=False,
        alerts=[],
        rcs_targets=[],
        unscannable=[],
        cases_with_alerts=[],
        total=0,
        truncated=False,
        requests=[],
        base_url=api.client.base_url,
    )
    if [] not in [params[name] for name in ("alert_ids", *FIELDS)]:
        try:
            collect(api, params, result)
        except HttpError as error:
            result["requests"] = requests_in(result["requests"])
            raise TaskFailed(str(error), **result) from error
        result["requests"] = requests_in(result["requests"])
    read_at = max((request["server_time"] or "" for request in result["requests"]), default="") or None
    for alert in result["alerts"]:
        try:
            result["rcs_targets"] += xpanse.scan_targets(alert, read_at)
            if xpanse.odd_service(alert):
                raise ItemFailed(xpanse.odd_service(alert))
        except ItemFailed as reason:
            result["unscannable"].append(dict(alert_id=str(alert.get("alert_id")), reason=str(reason)))
    if not result["truncated"]:
        found = {str(alert.get("alert_id")) for alert in result["alerts"]}
        result["unscannable"] += [
            dict(alert_id=str(alert_id), reason="no alert has this id and meets the other conditions")
            for alert_id in dict.fromkeys(params["alert_ids"] or ())
            if str(alert_id) not in found
        ]
    return result


def unknown_cases(case_ids: Sequence[int], result: Result) -> list[int]:
    """The cases of which the alerts that were found do not tell whether they have one: an alert need not name its case."""
    named = {str(alert.get("case_id")) for alert in result["alerts"] if alert.get("case_id") is not None}
    all_named = all(alert.get("case_id") is not None for alert in result["alerts"])
    if all_named or len(case_ids) == 1:
        result["cases_with_alerts"] = [case_id for case_id in case_ids if str(case_id) in named or not all_named]
        return []
    result["cases_with_alerts"] = [case_id for case_id in case_ids if str(case_id) in named]
    return [case_id for case_id in case_ids if str(case_id) not in named]


def collect(api: xpanse.XpanseApi, params: Params, result: Result) -> None:
    """Reads the alerts into the result, a hundred ids at a time, for a filter takes no list of any length."""
    conditions = [dict(field="alert_source", operator="in", value=["ASM"])]
    conditions += [dict(field=field, operator="in", value=params[name]) for name, field in FIELDS.items() if params[name]]
    conditions += params["filters"] or []
    alert_ids = list(dict.fromkeys(params["alert_ids"] or ()))
    groups = [alert_ids[start : start + xpanse.ALERTS_PAGE] for start in range(0, len(alert_ids), xpanse.ALERTS_PAGE)]
    for group in groups or [[]]:
        left = None if params["limit"] is None else params["limit"] - len(result["alerts"])
        if left == 0:
            result["truncated"] = True
            return
        only = [dict(field="alert_id_list", operator="in", value=group)] if group else []
        alerts, total, truncated = api.get_alerts(conditions + only, left, result["requests"])
        if not all(isinstance(alert, dict) for alert in alerts):
            raise HttpError("POST", xpanse.GET_ALERTS, "the answer holds alerts that are not objects")
        result["alerts"] += alerts
        result["total"] += total
        result["truncated"] = result["truncated"] or truncated
    for case_id in unknown_cases(params["case_ids"] or (), result):
        alone = [dict(field="case_id_list", operator="in", value=[case_id])]
        if api.get_alerts(alone, 1, result["requests"])[0]:
            result["cases_with_alerts"].append(case_id)


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, asks=ASKS)


if __name__ == "__main__":
    main()
