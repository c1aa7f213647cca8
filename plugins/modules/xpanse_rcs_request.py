#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: xpanse_rcs_request
short_description: Ask Cortex Xpanse whether exposures are still there
version_added: 0.1.0
description:
  - Starts a remediation confirmation scan (RCS) for each exposure, or finds the one that runs already, and looks at
    its result. All exposures of the list are worked on at once, with one pool of connections.
  - An exposure is named by the internal ID of its alert, the attack surface rule, and the service.
  - A scan typically takes four hours or more, so the module does not wait by default. Start scans in one task and look
    at them hours later, in another one, with the same O(ledger) or the returned scan IDs.
author:
  - Contributors to secops.remediation (@secops)
options:
  requests:
    description:
      - The exposures.
      - The same exposure given twice is asked about once and answered twice.
    type: list
    elements: dict
    suboptions:
      alert_internal_id:
        description: The alert's internal ID, a number that is not negative.
        type: str
      attack_surface_rule_id:
        description: The attack surface rule's ID, for example V(RdpServer).
        type: str
      service_id:
        description: The service's ID, a UUID.
        type: str
      scan_id:
        description:
          - ID of a scan that was started before. It is only looked at, and the other IDs are not needed.
          - Nothing shows for which exposure and when such a scan was asked for. As evidence of an exposure, scans count that
            the O(ledger) remembers.
        type: str
      newer_than:
        version_added: 0.3.0
        description: Time of Xpanse's clock, ISO 8601. A scan that may have ended before does not count, because the alert
          was reopened then, or changed while it was not resolved.
        type: str
  requests_files:
    version_added: 0.2.0
    description:
      - Files that M(secops.remediation.xpanse_alert_info) wrote as
        O(secops.remediation.xpanse_alert_info#module:results_file). What can be scanned according to them is asked
        about after O(requests).
    type: list
    elements: path
  wait:
    description:
      - Whether to wait until every scan has ended.
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds after which the module stops waiting and fails with the scans that have not ended.
    type: int
    default: 21600
  wait_interval:
    description:
      - Seconds between two looks at a scan. Of more than ten, see O(wait_for).
    type: int
    default: 60
  wait_for:
    version_added: 0.4.0
    description:
      - What is to be known soon, where more than ten scans are waited for.
      - With V(last) a sample is looked at every O(wait_interval), more when ends are seen, and all when most have ended. The
        last end is known within two intervals, many others later than they could be. It takes few requests, and leaves the
        tenant's budget to others.
      - With V(each) every scan is looked at every O(wait_interval), or as often as O(rate_limit) allows, so that each end is
        known at once. Of 5,000 scans it takes the whole budget for hours.
      - Before O(wait_timeout) is over, all are looked at once more in any case.
    type: str
    choices: [last, each]
    default: last
attributes:
  check_mode:
    support: full
    details:
      - Scans that are known are looked at. For the others it is not known whether one runs already, so V(changed) is
        predicted as if none did.
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.connection
  - secops.remediation.xpanse
  - secops.remediation.scan_memory
  - secops.remediation.results_file
seealso:
  - module: secops.remediation.xpanse_alert_info
  - module: secops.remediation.xpanse_rcs_request_info
"""

EXAMPLES = r"""
- name: Start a scan and do not wait for it
  secops.remediation.xpanse_rcs_request:
    base_url: acme.crtx.us.paloaltonetworks.com
    api_key_id: "{{ xpanse_api_key_id }}"
    api_key: "{{ xpanse_api_key }}"
    requests:
      - alert_internal_id: 231
        attack_surface_rule_id: RdpServer
        service_id: 94232f8a-f001-3292-aa65-63fa9d981427
  register: started

- name: Hours later, look at the same scans
  secops.remediation.xpanse_rcs_request:
    base_url: acme.crtx.us.paloaltonetworks.com
    api_key_id: "{{ xpanse_api_key_id }}"
    api_key: "{{ xpanse_api_key }}"
    requests:
      - scan_id: "{{ started.rcs_requests[0].scan_id }}"

- name: Verify everything that an alert names, remember the scans, and wait for up to six hours
  secops.remediation.xpanse_rcs_request:
    requests: "{{ alerts.rcs_targets }}"
    ledger: /var/lib/remediation/ledger.json
    wait: true
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: xpanse_rcs_request
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {requests: 1}
rcs_requests:
  description: The answers, in the order of O(requests) and O(requests_files).
  returned: always
  type: list
  elements: dict
  contains:
    alert_internal_id:
      description: As it was sent.
      type: raw
      sample: 231
    attack_surface_rule_id:
      description: As it was sent.
      type: str
      sample: RdpServer
    service_id:
      description: As it was sent.
      type: str
      sample: 94232f8a-f001-3292-aa65-63fa9d981427
    scan_id:
      description: ID of the scan. Keep it, because asking for a scan again after its end may start a new one.
      type: str
      sample: 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
    created:
      description: Whether this task started the scan. V(false) if it ran already.
      type: bool
    status:
      description: Status of the scan, in the API's word. V(null) if it is not known.
      type: str
      sample: SUCCESS
    result:
      description: Result of the scan, in the API's word. V(null) unless the status is V(SUCCESS).
      type: str
      sample: REMEDIATED
    outcome:
      description: What this means, V(remediated), V(unremediated), V(pending), or V(inconclusive).
      type: str
      sample: remediated
    requested_at:
      description: When the scan was asked for, by this task or a run that the ledger remembers. Time of Xpanse, UTC.
      type: str
      returned: when known
      sample: "2026-11-22T08:00:00Z"
    finished_at:
      description: When the scan was first seen to have ended. Time of Xpanse, UTC.
      type: str
      returned: when known
      sample: "2026-11-22T12:34:56Z"
    took:
      description: Seconds from the start of the scan to its end.
      type: float
      returned: when somebody looked often enough to know
      sample: 16496.3
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
    answers:
      description:
        - What the rest was read from and can be computed again from, in the order in which it came, with C(method), C(path),
          C(status), C(reference), C(server_time), what was C(sent) without credentials, and the C(body) that came (of a
          download C(sha256) and C(size)). What an earlier run was answered is marked C(remembered).
      type: list
      elements: dict
      version_added: 0.3.0
      sample:
        - method: POST
          path: /public_api/v1/remediation_confirmation_scanning/requests/get/
          status: 200
          reference: null
          server_time: "2026-11-22T08:02:00Z"
          sent: {request_data: {filters: [{field: id, operator: EQ, value: 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10}]}}
          body: {reply: {status: SUCCESS, result: REMEDIATED}}
    last_error:
      description: Why the last look brought no answer, where the scan is still waited for.
      type: str
      returned: when the last look failed
      version_added: 0.3.0
      sample: "POST /public_api/v1/remediation_confirmation_scanning/requests/get/: HTTP 503."
    error:
      description: Why there is no answer for this exposure.
      type: str
      returned: when the item failed
      sample: alert_internal_id -4 is negative
handed_on:
  version_added: 0.4.0
  description:
    - What the scans that are known have to be told to another job, which takes it as O(started). A list of parts, sealed with
      the credentials of this task. Those of 5,000 exposures have 470 kB together.
    - It is not in O(results_file).
  returned: with O(hand_on)
  type: list
  elements: dict
  sample:
    - schema_version: 1
      kind: exposure
      system: https://api-acme.crtx.us.paloaltonetworks.com
      run: "8c1d6f6e/2026-11-22T08:00:00Z"
      part: 1
      parts: 1
      records: eJyrVkrLz1eyUkpKLFKqBQA...
      seal: 5f3a7c0e9d1b4a86c2e0f7d85b9a41637e2c8d0f4b6a1953e8c7d2f0a5b4e691
base_url:
  description: Address of the API that was asked.
  returned: when it was asked
  type: str
  sample: https://api-acme.crtx.us.paloaltonetworks.com
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {rcs_requests: 5000}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/xpanse_rcs_request.json
"""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, JsonObject, Result
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
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import PENDING, UNREMEDIATED, WITHOUT_ANSWER
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import api as xpanse
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.scan import (
    confirmation_scan,
    durations,
    exposure_keys,
    to_hand_on,
)
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import EXPOSURE, KIND, Exposure
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import exposure_key as identity

ARGUMENT_SPEC = dict(
    requests=dict(
        type="list",
        elements="dict",
        options=dict(
            alert_internal_id=dict(type="str"),
            attack_surface_rule_id=dict(type="str"),
            service_id=dict(type="str"),
            scan_id=dict(type="str"),
            newer_than=dict(type="str"),
        ),
    ),
    requests_files=dict(type="list", elements="path"),
    wait=dict(type="bool", default=False),
    wait_timeout=dict(type="int", default=21600),
    wait_interval=dict(type="int", default=60),
    wait_for=dict(type="str", choices=["last", "each"], default="last"),
    ledger=dict(type="path"),
    max_age=dict(type="int", default=86400),
    start=dict(type="bool", default=True),
    confirm=dict(type="bool", default=True),
    run_id=dict(type="str"),
    started=dict(type="list", elements="raw"),
    hand_on=dict(type="bool", default=False),
    results_file=dict(type="path"),
    **xpanse.CONNECTION_OPTIONS,
)

RULES = dict(required_one_of=[("requests", "requests_files")])
# The options that say what is asked for.
ASKS = ("requests", "requests_files")


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    requests = (params["requests"] or []) + targets_of(params["requests_files"] or [])
    api = xpanse.connect(task)
    ledger = open_ledger(task)
    sealer, untaken = open_sealer(task, ledger, KIND, api.tenant, params["api_key"].strip())
    owners = {
        record["scan_id"]: identity(record)
        for record in ledger.find(exposure_keys(api))
        if isinstance(record.get("scan_id"), str)
    }
    pace = pace_of(task, api.client.limiter, durations(api, ledger), each=params["wait_for"] == "each")
    places: dict[tuple[Hashable, ...], int] = {}
    items: list[Item] = []
    scans = []
    for place, request in enumerate(requests):
        key = exposure_key(place, request)
        if key not in places:
            places[key] = len(items)
            item = {name: request.get(name) for name in EXPOSURE}
            if len(key) == len(EXPOSURE):
                item.update(zip(item, key))
            items.append(item)
            scans.append(
                confirmation_scan(
                    api,
                    ledger,
                    pace,
                    item,
                    request,
                    untaken=untaken,
                    **{name: params[name] for name in ("start", "wait", "max_age", "confirm", "run_id")},
                )
            )

    def say(next_look: float) -> None:
        outcomes = [item.get("outcome", PENDING) for item in items]
        task.say(
            "exposures: %d of %d done, %d unremediated, %d in progress, next look in %.0f s%s"
            % (
                len(items) - outcomes.count(PENDING),
                len(items),
                outcomes.count(UNREMEDIATED),
                outcomes.count(PENDING),
                next_look,
                pace.silence(),
            )
        )

    try:
        endings = drive(
            scans,
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
    fail_shared(items, endings, owners)
    handed_on: dict[str, Any] = {}
    if sealer and params["hand_on"]:
        asked = [(key[0], str(key[1]), str(key[2])) for key in places if len(key) == len(EXPOSURE)]
        handed_on["handed_on"] = sealer.pack(to_hand_on(ledger, api, asked), params["run_id"])
    answers = [items[places[exposure_key(place, request)]] for place, request in enumerate(requests)]
    return settle(
        items,
        endings,
        [name_of(item) for item in items],
        "scans",
        "They go on without this task: look again later with their scan ids or the same ledger.",
        WITHOUT_ANSWER,
        changed=any(item.get("created") for item in items),
        base_url=api.client.base_url,
        rcs_requests=answers,
        **handed_on,
    )


def fail_shared(items: Sequence[Item], endings: list[Exception | None], owners: Mapping[str, Exposure]) -> None:
    """Ends the items whose scan is another exposure's as well: it cannot be told whose it is.

    owners: by the id of a scan the exposure for which it is remembered.
    """
    claims: dict[str | None, set[Exposure]] = {scan_id: {owner} for scan_id, owner in owners.items()}
    for item in items:
        claims.setdefault(item.get("scan_id"), set()).add(identity(item))
    for place, item in enumerate(items):
        mine = identity(item)
        others = [other for other in claims.get(item.get("scan_id"), ()) if other != mine and all(other)]
        if item.get("scan_id") and others and endings[place] is None and all(mine):
            endings[place] = ItemFailed(
                "Xpanse named the same scan %s for another exposure, %s" % (item["scan_id"], ":".join(sorted(others)[0]))
            )


def targets_of(paths: Iterable[str]) -> list[JsonObject]:
    """The exposures in result files of xpanse_alert_info. Raises TaskFailed."""
    targets: list[JsonObject] = []
    for path in paths:
        try:
            with open_regular(path) as file:
                found = json.loads(file.read().decode("utf-8"))["rcs_targets"]
            targets += [target for target in found if isinstance(target, dict)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise TaskFailed(
                "requests_files: %s is no result of xpanse_alert_info (%s: %s)" % (path, type(error).__name__, error)
            ) from error
    return targets


def exposure_key(place: int, request: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """What makes two requests the same. One that is not complete is like no other."""
    if request.get("scan_id"):
        return (request["scan_id"], *(request.get(name) for name in EXPOSURE))
    try:
        return xpanse.exposure_of(request)
    except ItemFailed:
        return (place,)


def name_of(item: Item) -> str:
    """How a message calls an exposure."""
    name = "alert %s, rule %s, service %s" % tuple(named(str(item[part])) for part in EXPOSURE)
    return "%s, scan %s" % (name, item["scan_id"]) if item.get("scan_id") else name


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES), run, asks=ASKS)


if __name__ == "__main__":
    main()
