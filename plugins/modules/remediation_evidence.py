#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_evidence
short_description: Turn what the other modules found into the evidence of a verification
version_added: 0.1.0
description:
  - Gives every target, a campaign or an exposure, exactly one outcome with the reason in words, and writes
    C(verification.json).
  - The role P(secops.remediation.verify#role) is made of this module and the others. It is documented so that a
    playbook of your own can do the same.
  - An error is never an answer. What no API said in words that are known ends as V(inconclusive).
author:
  - Contributors to secops.remediation (@secops)
options:
  dest:
    description:
      - The evidence directory. It is made if it is not there.
    type: path
    required: true
  state:
    description:
      - With V(prepared) the module only proves that there is something to verify, that O(dest) can be written and
        that O(ledger) can be read, so that a mistake is known before any scan is started.
      - With V(written) it writes the evidence.
    type: str
    choices: [prepared, written]
    default: written
  ledger:
    description:
      - The ledger to check with O(state=prepared). A file that is not JSON is kept under another name.
    type: path
  started_at:
    description:
      - When the verification began, ISO 8601.
    type: str
  campaign_ids:
    description:
      - The campaigns that were to be verified.
    type: list
    elements: str
    default: []
  campaign_filters:
    description:
      - The filter by which more campaigns were found.
    type: str
    default: ""
  exposures:
    description:
      - The exposures that were to be verified, each with its C(alert_internal_id), C(attack_surface_rule_id), and
        C(service_id).
    type: list
    elements: dict
    default: []
  alert_ids:
    description:
      - The alerts whose exposures were looked up.
    type: list
    elements: raw
    default: []
  case_ids:
    description:
      - The cases whose exposures were looked up.
    type: list
    elements: raw
    default: []
  campaigns:
    description:
      - Result of M(secops.remediation.sailpoint_campaign_info) for O(campaign_ids). This and the following options take
        the results as they were registered, failed ones too.
    type: dict
    default: {}
  filtered_campaigns:
    description:
      - Result of M(secops.remediation.sailpoint_campaign_info) for O(campaign_filters).
    type: dict
    default: {}
  scans:
    description:
      - Result of M(secops.remediation.sailpoint_campaign_remediation_scan).
    type: dict
    default: {}
  reports:
    description:
      - Result of M(secops.remediation.sailpoint_campaign_report).
    type: dict
    default: {}
  report_infos:
    description:
      - Result of M(secops.remediation.sailpoint_remediation_report_info).
    type: dict
    default: {}
  alerts:
    description:
      - Result of M(secops.remediation.xpanse_alert_info) for O(alert_ids).
    type: dict
    default: {}
  case_alerts:
    description:
      - Result of M(secops.remediation.xpanse_alert_info) for O(case_ids).
    type: dict
    default: {}
  rcs_requests:
    description:
      - Result of M(secops.remediation.xpanse_rcs_request).
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
    details:
      - Returns what is known, and writes nothing.
extends_documentation_fragment:
  - secops.remediation.attributes
notes:
  - The module is C(changed) when the verdict, or a target's outcome or reason, differs from what C(verification.json)
    said before. Writing the same again at another time is no change.
"""

EXAMPLES = r"""
- name: Prove that the evidence can be written, before any scan is started
  secops.remediation.remediation_evidence:
    dest: /var/lib/remediation
    ledger: /var/lib/remediation/ledger.json
    exposures: "{{ exposures }}"
    state: prepared
  register: prepared

- name: Ask about two exposures
  secops.remediation.xpanse_rcs_request:
    requests: "{{ exposures }}"
    wait: true
  register: asked
  failed_when: false

- name: Write what was found
  secops.remediation.remediation_evidence:
    dest: /var/lib/remediation
    started_at: "{{ prepared.started_at }}"
    exposures: "{{ exposures }}"
    rcs_requests: "{{ asked }}"
"""

RETURN = r"""
began:
  description: When the verification began, in seconds since 1970. Time of this machine.
  returned: when O(state=prepared)
  type: float
  sample: 1795334400.25
started_at:
  description: The same as text, UTC, for O(started_at).
  returned: when O(state=prepared)
  type: str
  sample: "2026-11-22T08:00:00Z"
verification:
  description: What was found, without what only C(verification.json) holds.
  returned: when O(state=written)
  type: dict
  contains:
    verdict:
      description: V(verified), V(not_verified), or V(incomplete).
      type: str
      sample: not_verified
    summary:
      description: The verdict in a sentence.
      type: str
      sample: "Not verified: 1 of 2 targets remediated, 1 still open."
    counts:
      description: How many targets there are of each outcome, and in all.
      type: dict
      sample: {remediated: 1, unremediated: 1, pending: 0, inconclusive: 0, total: 2}
    path:
      description: The file that was written.
      type: str
      sample: /var/lib/remediation/verification.json
    sha256:
      description: SHA-256 of the file, as hexadecimal digits. V(null) in check mode.
      type: str
      sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
    targets:
      description: One record for each target.
      type: list
      elements: dict
      sample:
        - kind: exposure
          id: 231:RdpServer:94232f8a-f001-3292-aa65-63fa9d981427
          name: RDP Server at 198.51.100.7:3389
          outcome: unremediated
          reason: Xpanse scanned the service and still sees the exposure
          scan_id: 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
          started_at: "2026-11-22T08:00:00Z"
          finished_at: "2026-11-22T12:34:56Z"
          evidence: []
"""

import hashlib
import json
import os
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils import verification
from ansible_collections.secops.remediation.plugins.module_utils.ledger import (
    Ledger,
    LedgerError,
    prepare_directory,
    utc_now,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils.task import TaskFailed, run_module

FILE_NAME = "verification.json"
RESULTS = ("campaigns", "filtered_campaigns", "scans", "reports", "report_infos", "alerts", "case_alerts",
           "rcs_requests")
TARGETS = ("campaign_ids", "exposures", "alert_ids", "case_ids")
RECORD = ("kind", "id", "name", "outcome", "reason", "scan_id", "started_at", "finished_at", "evidence")

ARGUMENT_SPEC = dict(
    dest=dict(type="path", required=True),
    state=dict(type="str", choices=["prepared", "written"], default="written"),
    ledger=dict(type="path"),
    started_at=dict(type="str"),
    campaign_ids=dict(type="list", elements="str", default=[]),
    campaign_filters=dict(type="str", default=""),
    exposures=dict(type="list", elements="dict", default=[]),
    alert_ids=dict(type="list", elements="raw", default=[]),
    case_ids=dict(type="list", elements="raw", default=[]),
    campaigns=dict(type="dict", default={}),
    filtered_campaigns=dict(type="dict", default={}),
    scans=dict(type="dict", default={}),
    reports=dict(type="dict", default={}),
    report_infos=dict(type="dict", default={}),
    alerts=dict(type="dict", default={}),
    case_alerts=dict(type="dict", default={}),
    rcs_requests=dict(type="dict", default={}),
)


def run(task):
    """The module's work."""
    params = task.params
    if params["state"] == "prepared" and not any(params[name] for name in TARGETS + ("campaign_filters",)):
        raise TaskFailed(
            "There is nothing to verify. Name targets with verify_campaign_ids, verify_campaign_filters, "
            "verify_exposures, verify_alert_ids, or verify_case_ids.")
    try:
        if not task.check_mode:
            prepare_directory(params["dest"], "the evidence directory")
        if params["state"] == "prepared":
            Ledger(params["ledger"], read_only=task.check_mode)
            return dict(changed=False, began=time.time(), started_at=utc_now())
    except LedgerError as error:
        raise TaskFailed(str(error)) from error

    results = {name: params[name] for name in RESULTS + TARGETS + ("campaign_filters",)}
    now = utc_now()
    found = verification.verify(results, params["started_at"] or now, now)
    for target in found["targets"]:
        for file in target["evidence"]:
            # The directory may be moved, to a share or into an archive, and must still make sense there.
            file["path"] = os.path.relpath(file["path"], params["dest"])
    path = os.path.join(params["dest"], FILE_NAME)
    # Half a surrogate pair is no text, but JSON has an escape for it.
    text = (json.dumps(found, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace").decode("utf-8")
    before = read(path)
    # What a report says that check mode did not download is taken to be what it said before.
    unknown = {target["id"] for target in found["targets"] if target["reason"] == verification.NOT_DOWNLOADED}
    unknown &= {target["id"] for target in before or ()}
    changed = before is None or gist(found["targets"], unknown) != gist(before, unknown)
    if not task.check_mode:
        try:
            write_atomically(path, text)
        except OSError as error:
            raise TaskFailed("Cannot write %s: %s" % (path, error.strerror)) from error
    return dict(changed=changed, verification=dict(
        {name: found[name] for name in ("verdict", "summary", "counts")},
        path=path, sha256=None if task.check_mode else hashlib.sha256(text.encode("utf-8")).hexdigest(),
        targets=[{name: target[name] for name in RECORD} for target in found["targets"]]))


def read(path):
    """The targets of the verification that was written before, or None where there is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            targets = json.load(file)["targets"]
        gist(targets)
        return targets
    except (OSError, ValueError, KeyError, TypeError):
        return None


def gist(targets, left_out=()):
    """What makes two verifications the same."""
    return sorted((target["kind"], target["id"], target["outcome"], target["reason"]) for target in targets if
                  target["id"] not in left_out)


def main():
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run)


if __name__ == "__main__":
    main()
