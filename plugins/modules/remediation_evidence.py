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
  - Gives every target, such as a campaign or an exposure, exactly one outcome with the reason in words, and writes it down in
    all the forms that an auditor, a reader, and a machine need.
  - Each run has a folder of its own in the evidence directory, C(latest) points to the one that finished last, and each
    run holds the checksum of the one before it. A run that was killed leaves a folder whose name ends in
    C(.unfinished).
  - The answers are put on record in the run's folder, and M(secops.remediation.remediation_evidence_info) computes every
    outcome from them again.
  - History and since when a target is open are taken from the run before only if its files are what they were, and it is
    signed with O(signing_key) where that is given. Otherwise they begin anew, and that is said.
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
      - With V(prepared) the module proves that there is something to verify, that O(dest) can be written and
        that O(ledger) can be read, so that a mistake is known before any scan is started, and makes the run's folder.
      - With V(written) it writes the evidence.
      - With V(updated), since 0.4.0, it puts O(updates) on record, which is what is changed elsewhere because of a run that was
        written, such as alerts and tickets. What is changed can name the run's sum, so it cannot be among the files that the sum
        is for. It has a sum and a signature of its own, names the run's sum, and is named by the next run.
    type: str
    choices: [prepared, written, updated]
    default: written
  ledger:
    description:
      - The ledger to check with O(state=prepared). A file that is not JSON is kept under another name.
    type: path
  run:
    version_added: 0.2.0
    description:
      - The run's name, as RV(run) of O(state=prepared). Without it the run begins now.
    type: str
  updates:
    version_added: 0.4.0
    description:
      - With O(state=updated), C(intended), a list of what is to be changed, and C(result), what became of it.
      - Write it without C(result) before anything is changed, so that a job that is killed in between leaves a trace, and once
        more with it. It is not written anew then.
    type: dict
  run_id:
    version_added: 0.3.0
    description:
      - What marks the run in the ledger, as RV(run_id) of O(state=prepared). It is kept with the records.
    type: str
  started_at:
    description:
      - When the verification began, ISO 8601.
    type: str
  mode:
    version_added: 0.3.0
    description:
      - The permissions of all files of the run and of C(SHA256SUMS), in octal digits and in quotes. Who may read a file
        may also look into its folder.
      - The default lets only the user who runs the playbook read them, because open items name people and what they may
        do. Directories that are there already keep their permissions.
    type: str
    default: "0600"
  formats:
    version_added: 0.2.0
    description:
      - What to write. C(verification.json) is always written, and so is C(SHA256SUMS).
      - V(html) is C(verification.html), a page for people. It needs Jinja2, which ansible-core brings along.
      - V(csv) is C(verification.csv), one line for each target, and C(open-items.csv), one for each open item; both are safe
        to open in a spreadsheet.
      - V(junit) is C(verification.junit.xml), one test case for each target, as GitLab, GitHub, and Jenkins show it.
      - V(markdown) is C(verification.md), for a ticket or a pull request.
      - V(oscal) is C(oscal-assessment-results.json), NIST OSCAL assessment results.
      - V(sarif) is C(verification.sarif), one result for each target that is not remediated and for each open item, for code
        scanning. It is there since 0.4.0.
      - V(attestation) is C(verification.intoto.json), an in-toto statement with the predicate Test Result about
        C(verification.json) and C(SHA256SUMS), in a DSSE envelope with O(signing_key). It is there since 0.4.0.
    type: list
    elements: str
    choices: [json, csv, junit, markdown, oscal, sarif, attestation, html]
    default: [json, csv, junit, markdown, oscal, sarif, attestation, html]
  controls:
    version_added: 0.2.0
    description:
      - The controls of NIST SP 800-53 that this is evidence for, as V(AC-6(7\)) or V(ac-6.7).
    type: list
    elements: str
    default: [ac-2, ac-6.7, ca-7, ra-5, si-2]
  signing_key:
    version_added: 0.2.0
    description:
      - Signs C(SHA256SUMS) with this key. The file of an SSH key makes C(SHA256SUMS.sig) with C(ssh-keygen -Y sign), a
        public one if an agent holds the private key. Anything else is a key of C(gpg) and makes C(SHA256SUMS.asc).
      - It signs the attestation as well, an SSH key of type Ed25519, ECDSA, or RSA through C(ssh-agent). A key on a security
        key cannot; leave V(attestation) out of O(formats) then.
      - The key must need no passphrase, or an agent must hold it.
    type: str
  keep_runs:
    version_added: 0.2.0
    description:
      - How many runs to keep. Older ones are removed. V(0) keeps all.
    type: int
    default: 0
  wait_timeout:
    version_added: 0.3.0
    description:
      - Seconds for which a lock of O(dest) or O(ledger) that another process holds is waited for at most. There are always
        half a minute to write evidence.
    type: int
    default: 600
  targets:
    version_added: 0.4.0
    description:
      - What was to be verified, by what it is called; at least one of them has to ask for something.
      - C(campaign_ids), a list, and C(campaign_filters), a text, name SailPoint's campaigns; C(exposures), a list of dictionaries
        with C(alert_internal_id), C(attack_surface_rule_id), and C(service_id), C(alert_ids), and C(case_ids), lists, name
        Xpanse's exposures.
      - C(campaign_witnesses), a list of V(report) and V(access), says who was asked about campaigns, by default those of whom
        there is a result, and C(campaign_agreement), V(one) or V(all), how many of them have to say that one is remediated.
    type: dict
    default: {}
  results:
    version_added: 0.4.0
    description:
      - What the modules returned, as it was registered, failed results too, in any order. Each says by itself which module it
        is from and where its lists are. One of a task that was skipped is passed over, and of what two of them have the later
        one counts.
      - One that is of no module that is known here, such as that of a task that crashed, is a look-up with a problem, and then
        nothing is V(verified).
    type: list
    elements: raw
    default: []
  targets_file:
    version_added: 0.4.0
    description:
      - What owners say of the targets, as a targets file of the role P(secops.remediation.verify#role) says it for this tenant.
      - C(path), C(sha256), and C(tenant) say where that is from. C(owner) is whose the targets are, and C(owners), a list of
        dictionaries with C(asked), C(value), and C(owner), whose those are that were asked for by that name with that value.
      - C(accepted) is a list of dictionaries with C(kind) and C(id) of a target, C(by), C(until), C(reason), and, where no more
        than so many of its items may be open, C(most_open_items). An acceptance
        changes no outcome and no verdict. It is judged by the latest of all clocks on record, and one that has expired, that is
        about no target of this run, or that lacks any of these is a look-up with a problem.
    type: dict
  campaign_ids:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(targets) instead.
    type: list
    elements: str
    default: []
  campaign_filters:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(targets) instead.
    type: str
    default: ""
  exposures:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(targets) instead.
    type: list
    elements: dict
    default: []
  alert_ids:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(targets) instead.
    type: list
    elements: raw
    default: []
  case_ids:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(targets) instead.
    type: list
    elements: raw
    default: []
  campaigns:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  filtered_campaigns:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  scans:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  reports:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  report_infos:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  alerts:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  case_alerts:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
  rcs_requests:
    description:
      - B(Deprecated), and removed in 1.0.0. Use O(results) instead.
    type: raw
    default: {}
attributes:
  check_mode:
    support: full
    details:
      - Returns what is known, and writes nothing.
extends_documentation_fragment:
  - secops.remediation.attributes
notes:
  - The module is C(changed) when a target's outcome or reason differs from what the run before said. Finding the same
    again at another time is no change, and is written down all the same.
seealso:
  - module: secops.remediation.remediation_evidence_info
"""

EXAMPLES = r"""
- name: Prove that the evidence can be written, before any scan is started
  secops.remediation.remediation_evidence:
    dest: /var/lib/remediation
    ledger: /var/lib/remediation/ledger.json
    targets:
      exposures: "{{ exposures }}"
    state: prepared
  register: prepared

- name: Ask about two exposures
  secops.remediation.xpanse_rcs_request:
    requests: "{{ exposures }}"
    wait: true
    results_file: "{{ prepared.folder }}/records/exposures.json"
  register: asked
  failed_when: false

- name: Write what was found
  secops.remediation.remediation_evidence:
    dest: /var/lib/remediation
    run: "{{ prepared.run }}"
    started_at: "{{ prepared.started_at }}"
    targets:
      exposures: "{{ exposures }}"
    results:
      - "{{ asked }}"
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
run:
  description: Name of the run, for O(run). V(null) in check mode.
  returned: when O(state=prepared)
  type: str
  sample: 20261122T080000Z
folder:
  description: The folder in which the run's files are collected. It gets its final name when the run is written.
  returned: when O(state=prepared)
  type: str
  sample: /var/lib/remediation/20261122T080000Z.unfinished
run_id:
  version_added: 0.3.0
  description: A random text that marks what this run finds, for O(run_id) and for the modules that scan.
  returned: when O(state=prepared)
  type: str
  sample: 5f0c2d5be1b84a4f8f8cf6a1f8b7a3c9
problems:
  version_added: 0.3.0
  description:
    - What is missing from the evidence, and why the history had to begin anew, in sentences.
  returned: when O(state=written)
  type: list
  elements: str
  sample: []
removed_runs:
  description: The runs that were removed because of O(keep_runs).
  returned: when O(state=written)
  type: list
  elements: str
  sample: []
updates:
  version_added: 0.4.0
  description: C(path) and C(sha256) of what was put on record. Both are V(null) in check mode.
  returned: when O(state=updated)
  type: dict
  sample:
    path: /var/lib/remediation/20261122T080000Z/updates.json
    sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
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
    by_kind:
      version_added: 0.3.0
      description:
        - For each kind of targets of which there are any, such as C(campaign) and C(exposure), how many there are
          (C(total)), and of how many no scan is known though one would have been needed (C(not_started)).
      type: dict
      sample: {campaign: {total: 1, not_started: 0}, exposure: {total: 1, not_started: 0}}
    acceptance:
      version_added: 0.4.0
      description:
        - What owners have accepted, by O(targets_file). C(accepted) is how many open targets are, C(all_open_accepted) whether
          all that is not remediated is open and accepted and every look-up found something, and C(problems) what is wrong
          with acceptances, in sentences.
      type: dict
      sample: {accepted: 1, all_open_accepted: true, problems: []}
    run:
      description: Name of the run.
      type: str
      sample: 20261122T080000Z
    directory:
      description: The folder of the run. V(null) in check mode.
      type: str
      sample: /var/lib/remediation/20261122T080000Z
    files:
      description: The files by format.
      type: dict
      sample:
        json: /var/lib/remediation/20261122T080000Z/verification.json
        html: /var/lib/remediation/20261122T080000Z/verification.html
    path:
      description: The full record. V(null) in check mode.
      type: str
      sample: /var/lib/remediation/20261122T080000Z/verification.json
    sha256:
      description: SHA-256 of RV(verification.path), as hexadecimal digits. V(null) in check mode.
      type: str
      sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
    run_sha256:
      version_added: 0.3.0
      description:
        - SHA-256 of the run's C(SHA256SUMS), which stands for everything in its folder and, by the chain, for all runs
          before. V(null) in check mode.
        - Kept elsewhere, it is the only thing that shows that a whole directory was put back to an older state, with
          O(secops.remediation.remediation_evidence_info#module:expect_sha256).
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    targets:
      description: One record for each target, what needs action first, but no more than a hundred.
      type: list
      elements: dict
      sample:
        - kind: exposure
          id: 231:RdpServer:94232f8a-f001-3292-aa65-63fa9d981427
          name: RDP Server at 198.51.100.7:3389
          outcome: unremediated
          reason: Xpanse scanned the service and still sees the exposure
          open_since: "2026-11-20T08:00:00Z"
          scan_id: 8f5f0a5c-6a2f-4c0e-a1d0-4c9b2a4b6f10
          started_at: "2026-11-22T08:00:00Z"
          finished_at: "2026-11-22T12:34:56Z"
          evidence: []
    targets_left_out:
      description: How many targets are only in RV(verification.path).
      type: int
      sample: 0
"""

import re
import secrets
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.files import FILE_MODE, FileProblem
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Result
from ansible_collections.secops.remediation.plugins.module_utils._common.times import utc_now
from ansible_collections.secops.remediation.plugins.module_utils._evidence import writer
from ansible_collections.secops.remediation.plugins.module_utils._evidence.directory import RUN
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_module
from ansible_collections.secops.remediation.plugins.module_utils._systems import ASKED

GONE = dict(removed_in_version="1.0.0", removed_from_collection="secops.remediation")
ARGUMENT_SPEC = dict(
    dest=dict(type="path", required=True),
    state=dict(type="str", choices=["prepared", "written", "updated"], default="written"),
    ledger=dict(type="path"),
    mode=dict(type="str", default="0600"),
    run=dict(type="str"),
    updates=dict(type="dict"),
    run_id=dict(type="str"),
    started_at=dict(type="str"),
    formats=dict(type="list", elements="str", choices=["json", *writer.FORMATS], default=["json", *writer.FORMATS]),
    controls=dict(type="list", elements="str", default=["ac-2", "ac-6.7", "ca-7", "ra-5", "si-2"]),
    signing_key=dict(type="str", no_log=False),
    keep_runs=dict(type="int", default=0),
    wait_timeout=dict(type="int", default=600),
    targets=dict(type="dict", default={}),
    results=dict(type="list", elements="raw", default=[]),
    targets_file=dict(type="dict"),
    # Those of 0.2.0.
    campaign_ids=dict(type="list", elements="str", default=[], **GONE),
    campaign_filters=dict(type="str", default="", **GONE),
    exposures=dict(type="list", elements="dict", default=[], **GONE),
    alert_ids=dict(type="list", elements="raw", default=[], **GONE),
    case_ids=dict(type="list", elements="raw", default=[], **GONE),
    campaigns=dict(type="raw", default={}, **GONE),
    filtered_campaigns=dict(type="raw", default={}, **GONE),
    scans=dict(type="raw", default={}, **GONE),
    reports=dict(type="raw", default={}, **GONE),
    report_infos=dict(type="raw", default={}, **GONE),
    alerts=dict(type="raw", default={}, **GONE),
    case_alerts=dict(type="raw", default={}, **GONE),
    rcs_requests=dict(type="raw", default={}, **GONE),
)

RULES = dict(required_if=[("state", "updated", ("run", "updates"))])


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    if params["keep_runs"] < 0:
        raise TaskFailed("keep_runs is %d: give how many runs to keep, or 0 to keep all" % params["keep_runs"])
    mode = mode_of(params["mode"])
    try:
        if params["state"] == "prepared":
            return prepare(task, mode)
        if (params["run"] or params["state"] == "updated") and not RUN.fullmatch(params["run"]):
            raise TaskFailed("run: %r is no name of a run, which state=prepared returns" % params["run"])
        if params["state"] == "updated":
            return dict(changed=True, updates=dict(path=None, sha256=None)) if task.check_mode else writer.update(params, mode)
        return writer.rehearse(params, task.warn) if task.check_mode else writer.write(params, mode, task.warn)
    except writer.Incomplete as error:
        raise TaskFailed(str(error), **error.result) from error
    except (FileProblem, writer.WritingFailed) as error:
        raise TaskFailed(str(error)) from error


def mode_of(text: str) -> int:
    """The permissions of files as a number. Raises TaskFailed."""
    # A number that YAML made of 0640 is 416, which would be a mode, too.
    mode = int(text, 8) if re.fullmatch("[0-7]{3,4}", text.strip()) else 0
    if mode & 0o600 != 0o600 or mode & ~0o666:
        raise TaskFailed(
            "mode: %r is no mode for files that their owner can read and write and nobody has to run. Write it in quotes, "
            "for example '%04o' or '0640' (verify_evidence_mode of the role)." % (text, FILE_MODE)
        )
    return mode


def prepare(task: Task, mode: int) -> Result:
    """Proves that there is something to verify and that it can be written down, and makes the run's working folder."""
    params = task.params
    wrong = writer.wrong_with(params["targets"])
    if wrong:
        raise TaskFailed("%s %s" % (" ".join(wrong), writer.NOTHING_STARTED))
    if not writer.asks_for_something(params):
        raise TaskFailed(
            "There is nothing to verify. Name targets with one of %s in targets (%s of the role)."
            % (", ".join(ASKED), ", ".join("verify_%s" % name for name in ASKED))
        )
    if not all(control.strip() for control in params["controls"]):
        raise TaskFailed("controls (verify_controls of the role): one of them is empty: name each, for example AC-2")
    if not task.check_mode:
        # The ledger may lie in it, and would make it with permissions of its own.
        writer.prepare(params["dest"], mode)
    Ledger(params["ledger"], task.check_mode, min(60, params["wait_timeout"]))
    result = dict(changed=False, began=time.time(), started_at=utc_now(), run_id=secrets.token_hex(16), run=None, folder=None)
    if not task.check_mode:
        result["run"], result["folder"] = writer.begin(params["dest"], params["signing_key"], mode, params["formats"])
        for text in writer.warnings_about(params["dest"], params["ledger"]):
            task.warn(text)
    return result


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES), run)


if __name__ == "__main__":
    main()
