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
  - Gives every target, a campaign or an exposure, exactly one outcome with the reason in words, and writes it down in
    all the forms that an auditor, a reader, and a machine need.
  - Each run has a folder of its own in the evidence directory, C(latest) points to the one that finished last, and each
    run holds the checksum of the one before it. A run that was killed leaves a folder whose name ends in
    C(.unfinished).
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
    type: str
    choices: [prepared, written]
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
  started_at:
    description:
      - When the verification began, ISO 8601.
    type: str
  formats:
    version_added: 0.2.0
    description:
      - What to write. C(verification.json) is always written, and so is C(SHA256SUMS).
      - V(html) is C(verification.html), a page for people. It needs Jinja2, which ansible-core brings along.
      - V(csv) is C(verification.csv), one line for each target, safe to open in a spreadsheet.
      - V(junit) is C(verification.junit.xml), one test case for each target, as GitLab, GitHub, and Jenkins show it.
      - V(markdown) is C(verification.md), for a ticket or a pull request.
      - V(oscal) is C(oscal-assessment-results.json), NIST OSCAL assessment results.
    type: list
    elements: str
    choices: [json, csv, junit, markdown, oscal, html]
    default: [json, csv, junit, markdown, oscal, html]
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
      - The key must need no passphrase, or an agent must hold it.
    type: str
  keep_runs:
    version_added: 0.2.0
    description:
      - How many runs to keep. Older ones are removed. V(0) keeps all.
    type: int
    default: 0
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
        the results as they were registered, failed ones too, and read what is in their C(results_file).
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
removed_runs:
  description: The runs that were removed because of O(keep_runs).
  returned: when O(state=written)
  type: list
  elements: str
  sample: []
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

import contextlib
import itertools
import json
import os
import shutil
import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils import _systems
from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FileProblem,
    locked,
    prepare_directory,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.times import in_utc, utc_now
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_oscal import control_id, oscal
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_page import page
from ansible_collections.secops.remediation.plugins.module_utils._evidence.formats import csv_text, junit_xml, markdown
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.task import TaskFailed, run_module
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import NOT_DOWNLOADED

RESULTS = ("campaigns", "filtered_campaigns", "scans", "reports", "report_infos", "alerts", "case_alerts",
           "rcs_requests")
TARGETS = ("campaign_ids", "exposures", "alert_ids", "case_ids")
RECORD = ("kind", "id", "name", "outcome", "reason", "open_since", "scan_id", "started_at", "finished_at", "evidence")
# What needs action comes first.
URGENCY = ("unremediated", "inconclusive", "pending", "remediated")
MOST_RETURNED = 100
LONGEST_REASON = 500
# Runs in which a target is looked for that the run before did not have.
MOST_LOOKED_BACK = 20
FILES = {
    "csv": "verification.csv",
    "junit": "verification.junit.xml",
    "markdown": "verification.md",
    "oscal": "oscal-assessment-results.json",
    "html": "verification.html",
}

ARGUMENT_SPEC = dict(
    dest=dict(type="path", required=True),
    state=dict(type="str", choices=["prepared", "written"], default="written"),
    ledger=dict(type="path"),
    run=dict(type="str"),
    started_at=dict(type="str"),
    formats=dict(type="list", elements="str", choices=["json", *FILES], default=["json", *FILES]),
    controls=dict(type="list", elements="str", default=["ac-2", "ac-6.7", "ca-7", "ra-5", "si-2"]),
    signing_key=dict(type="str", no_log=False),
    keep_runs=dict(type="int", default=0),
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
    if task.params["keep_runs"] < 0:
        raise TaskFailed("keep_runs is %d: give how many runs to keep, or 0 to keep all" % task.params["keep_runs"])
    try:
        if not task.check_mode:
            prepare_directory(task.params["dest"], "the evidence directory")
        return prepare(task) if task.params["state"] == "prepared" else write(task)
    except FileProblem as error:
        raise TaskFailed(str(error)) from error


def prepare(task):
    """Proves that there is something to verify and that it can be written down, and makes the run's working folder."""
    params = task.params
    if not any(params[name] for name in TARGETS + ("campaign_filters",)):
        raise TaskFailed(
            "There is nothing to verify. Name targets with verify_campaign_ids, verify_campaign_filters, "
            "verify_exposures, verify_alert_ids, or verify_case_ids.")
    if not all(control.strip() for control in params["controls"]):
        raise TaskFailed("controls: one of them is empty: name each, for example AC-2")
    Ledger(params["ledger"], read_only=task.check_mode)
    result = dict(changed=False, began=time.time(), started_at=utc_now(), run=None, folder=None)
    if not task.check_mode:
        try:
            result["run"], result["folder"] = evidence.begin_run(os.path.abspath(params["dest"]))
            # A key that cannot sign is better known before hours of scans than after them.
            probe = os.path.join(result["folder"], evidence.SUMS)
            with open(probe, "x", encoding="utf-8"):
                pass
            evidence.sign(probe, params["signing_key"])
            for name in os.listdir(result["folder"]):
                os.unlink(os.path.join(result["folder"], name))
        except OSError as error:
            raise TaskFailed("Cannot make a folder in %s: %s" % (params["dest"], error.strerror)) from error
        except evidence.EvidenceError as error:
            shutil.rmtree(result["folder"])
            raise TaskFailed("%s Nothing was started." % error) from error
    return result


def write(task):
    """Writes the evidence of a run, and returns what was found in short."""
    params = task.params
    if params["run"] and not evidence.RUN.fullmatch(params["run"]):
        raise TaskFailed("run: %r is no name of a run, which state=prepared returns" % params["run"])
    directory = os.path.abspath(params["dest"])
    results = {name: whole(params[name]) for name in RESULTS}
    results.update({name: params[name] for name in TARGETS + ("campaign_filters",)})
    if task.check_mode:
        found, changed = judge(task, directory, results, params["run"] or "check-mode")
        return dict(changed=changed, verification=in_short(found))
    try:
        # Two jobs may end at once, and each run names the one before it.
        with locked(directory):
            run_name = params["run"] or evidence.begin_run(directory)[0]
            folder = evidence.working_folder(directory, run_name)
            if not os.path.isdir(folder):
                raise TaskFailed("The run %s was not prepared, or has been written already: there is no folder %s" % (
                    run_name, folder))
            found, changed = judge(task, directory, results, run_name)
            written, problems = write_files(folder, found, params["formats"], params["signing_key"])
            problems += evidence.finish_run(directory, run_name, params["signing_key"])
            removed = evidence.remove_old_runs(directory, params["keep_runs"])
            if removed:
                left = evidence.runs_as_they_ended(directory)
                evidence.write_overall_sums(directory, left, params["signing_key"], problems)
    except OSError as error:
        raise TaskFailed("Cannot write the evidence: %s%s" % (
            error.strerror or error, ", " + str(error.filename) if error.filename else "")) from error
    folder = os.path.join(directory, run_name)
    record = os.path.join(folder, evidence.VERIFICATION)
    short = dict(in_short(found), directory=folder, path=record, sha256=evidence.sha256_of(record),
                 files={name: os.path.join(folder, file) for name, file in written.items()})
    result = dict(changed=changed, verification=short, removed_runs=removed)
    if problems:
        raise TaskFailed("The evidence is in %s, but something is missing. %s" % (folder, " ".join(problems)), **result)
    return result


def whole(result):
    """A result with all its lists, wherever they are. One whose file cannot be read has failed."""
    path = result.get("results_file")
    if not path:
        return result
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
            return dict(result, **{name: value for name, value in content.items() if value is not None})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return dict(failed=True, msg="the results in %s cannot be read (%s)" % (path, error))


def judge(task, directory, results, run_name):
    """(the verification, whether it says something else than the one before)."""
    before = evidence.runs_as_they_ended(directory)
    older = (evidence.read_verification(directory, run) for run in reversed(before[-MOST_LOOKED_BACK:]))
    previous = next(older, None)
    link = None
    if before:
        with contextlib.suppress(OSError):
            link = dict(run=before[-1],
                        sha256sums_sha256=evidence.sha256_of(os.path.join(directory, before[-1], evidence.SUMS)))
    now = utc_now()
    controls = dict.fromkeys(map(control_id, task.params["controls"]))
    found = _systems.verify(results, run_name, in_utc(task.params["started_at"]) or now, now, controls,
                                itertools.chain([previous], older), link)
    # The directory may be moved, to a share or into an archive, and its paths must still make sense there.
    folder = evidence.working_folder(directory, run_name)
    records = {file["path"] for target in found["targets"] for file in target["evidence"] if not file["sha256"]}
    sums = {path: evidence.sha256_of(path) for path in records}
    for target in found["targets"]:
        target["evidence"] = [dict(path=os.path.relpath(file["path"], folder), sha256=file["sha256"] or sums[file["path"]])
                              for file in target["evidence"]]
    known = gist(previous["targets"]) if previous else None
    # What a report says that check mode did not download is taken to be what it said before.
    unknown = {target["id"] for target in found["targets"] if target["reason"] == NOT_DOWNLOADED}
    unknown &= {entry[1] for entry in known or ()}
    return found, known is None or bool({entry for entry in known ^ gist(found["targets"]) if entry[1] not in unknown})


def gist(targets):
    """What makes two verifications the same."""
    return {tuple(str(target.get(name)) for name in ("kind", "id", "outcome", "reason")) for target in targets
            if isinstance(target, dict)}


def write_files(folder, found, formats, signing_key):
    """Writes the run's files. Returns (their names by format, what went wrong in sentences)."""
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    printable = found
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Half a surrogate pair is no text. JSON has an escape for it, the other formats do without.
        printable = json.loads(text.encode("utf-8", "replace"))
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    write_atomically(os.path.join(folder, evidence.VERIFICATION), text)
    del text
    written, problems = {"json": evidence.VERIFICATION}, []
    makers = dict(
        csv=lambda: csv_text(printable), junit=lambda: junit_xml(printable), markdown=lambda: markdown(printable),
        oscal=lambda: json.dumps(oscal(printable, with_sums(folder)), ensure_ascii=False) + "\n",
        html=lambda: page(printable, evidence.files_in(folder) + sums_to_come(signing_key)))
    # The page links to the others, so it is made last.
    for name in sorted(set(formats) & set(FILES), key=list(FILES).index):
        try:
            write_atomically(os.path.join(folder, FILES[name]), makers[name]())
            written[name] = FILES[name]
        except Exception as error:  # pylint: disable=broad-exception-caught
            # One form that fails must not cost the others.
            problems.append("%s could not be written: %s: %s." % (FILES[name], type(error).__name__, error))
    return written, problems


def with_sums(folder):
    """The files in a folder as a list of dicts with path and sha256."""
    return [dict(path=path, sha256=evidence.sha256_of(os.path.join(folder, path))) for path in evidence.files_in(folder)]


def sums_to_come(signing_key):
    """The names of what is made when the folder is complete."""
    ending = evidence.signature_ending(signing_key)
    return [evidence.SUMS] + ([evidence.SUMS + ending] if ending else [])


def in_short(found):
    """What a playbook needs, small enough to be printed, logged, and stored."""
    targets = sorted(found["targets"], key=lambda target: URGENCY.index(target["outcome"]))
    return dict(
        {name: found[name] for name in ("verdict", "summary", "counts", "run")},
        directory=None, path=None, sha256=None, files={},
        targets=[dict({name: target[name] for name in RECORD}, reason=target["reason"][:LONGEST_REASON])
                 for target in targets[:MOST_RETURNED]],
        targets_left_out=max(0, len(targets) - MOST_RETURNED))


def main():
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run)


if __name__ == "__main__":
    main()
