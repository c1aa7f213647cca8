#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remediation_evidence_info
short_description: Check whether the evidence of verifications is what it was when it was written
version_added: 0.2.0
description:
  - Checks an evidence directory of M(secops.remediation.remediation_evidence), months or years later, and says in words
    what is intact and what is not.
  - For each run it holds every file against C(SHA256SUMS), finds files that are missing and files that were added, and
    checks the signature if there is one. Then it checks the chain, because each run holds the checksum of the one
    before it, and whether each run's history goes on from that one's.
  - It computes every outcome again, from the answers and the reports that the run's folder holds and from nothing else. An
    outcome that does not follow from them is a problem. That needs no network, no credentials, and nothing but this
    collection.
  - Whoever can write to the directory can also write new checksums. A change to an older run is then still seen in the
    run after it, and a change to any run in the signature, unless the key was taken as well.
  - That the whole directory was put back to what it was some runs ago shows in nothing that lies in it, signed or not. Only
    what was kept elsewhere proves it, as RV(runs[].sha256) of a run, which O(expect_sha256) takes.
  - Nothing but regular files is opened, and no link is followed.
author:
  - Contributors to secops.remediation (@secops)
options:
  path:
    description:
      - The evidence directory, or the folder of one run. What cannot be checked of one run alone is then said in
        RV(notes).
    type: path
    required: true
  expect_sha256:
    version_added: 0.3.0
    description:
      - The sums of runs that must be here, as RV(secops.remediation.remediation_evidence#module:verification.run_sha256) or
        RV(runs[].sha256) was when it was kept elsewhere. That none is missing is what proves that the directory was not put
        back to what it was before. Of each that is here RV(notes) says so.
    type: list
    elements: str
    default: []
  signers_file:
    description:
      - File with the keys that are trusted to sign, in the form of C(ssh-keygen)'s allowed signers. A line
        C(audit@example.com gpg FINGERPRINT) names a key of C(gpg), whose public half has to be in the key ring of the user.
      - Without it, a signature of an SSH key only shows which key it was made with, and of those of C(gpg) any key of the key
        ring counts.
      - Whoever names signers wants signatures, so it is a problem if none is there, or if a run has none and an older one has.
    type: path
  signed:
    description:
      - Whether a run without a valid signature of a signer that is trusted is a problem.
      - Who signed with an SSH key is only known with O(signers_file). Without it no such signature is valid.
    type: bool
    default: false
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.attributes.info
seealso:
  - module: secops.remediation.remediation_evidence
"""

EXAMPLES = r"""
- name: Check the evidence of last year
  secops.remediation.remediation_evidence_info:
    path: /var/lib/remediation/remediation-evidence
    signers_file: /etc/remediation/allowed_signers
    signed: true
  register: checked
  failed_when: not checked.intact

- name: Check the folder of a run that somebody sent, which must be the one that the job's log speaks of
  secops.remediation.remediation_evidence_info:
    path: /tmp/20261122T080000Z
    expect_sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  register: sent
  failed_when: not sent.intact
"""

RETURN = r"""
intact:
  description: Whether no problem was found.
  returned: always
  type: bool
  sample: false
summary:
  description: What was found, in a sentence.
  returned: always
  type: str
  sample: "1 of 2 runs are intact: 20261122T080000Z: verification.csv was changed."
msg:
  version_added: 0.3.0
  description: The same as RV(summary), so that a task with C(failed_when) says why it failed.
  returned: always
  type: str
  sample: "1 of 2 runs are intact: 20261122T080000Z: verification.csv was changed."
problems:
  description: Everything that is not as it was written, one sentence each.
  returned: always
  type: list
  elements: str
  sample: ["20261122T080000Z: verification.csv was changed"]
notes:
  description: What is worth knowing and is no problem.
  returned: always
  type: list
  elements: str
  sample: ["20261101T080000Z: the run before it, 20261025T080000Z, is not here: it was removed, as keep_runs does"]
runs:
  description: The finished runs, oldest first.
  returned: always
  type: list
  elements: dict
  contains:
    run:
      description: Name of the run.
      type: str
      sample: 20261122T080000Z
    intact:
      description: Whether the run has no problem.
      type: bool
      sample: true
    verdict:
      description: What the run found, according to its C(verification.json). V(null) if that cannot be read.
      type: str
      sample: verified
    finished_at:
      description: When the run ended, according to its C(verification.json).
      type: str
      sample: "2026-11-22T08:05:00Z"
    files:
      description: How many files the checksums are for.
      type: int
      sample: 14
    sha256:
      version_added: 0.3.0
      description:
        - SHA-256 of the run's C(SHA256SUMS), for O(expect_sha256). V(null) if that cannot be read.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    outcomes_total:
      version_added: 0.3.0
      description: How many outcomes the run found. V(null) if it kept no answers, as versions before 0.3.0 did not.
      type: int
      sample: 46
    outcomes_followed:
      version_added: 0.3.0
      description: How many of them follow from the answers on record. V(null) if it kept none.
      type: int
      sample: 46
    replay:
      version_added: 0.3.0
      description: The same in words.
      type: str
      sample: 46 of 46 outcomes follow from the answers on record
    signature:
      description:
        - V(valid), made by a signer that is trusted.
        - V(unknown), made by a key of which it is not known whose it is, or the tool to check it is missing.
        - V(invalid), not made for this content, or by a key that is not trusted.
        - V(null), there is none.
      type: str
      sample: valid
    signature_detail:
      description: The same in words.
      type: str
      sample: signed by audit@example.com
    updates:
      version_added: 0.4.0
      description:
        - V(done), the run has on record what was changed elsewhere because of it, see
          O(secops.remediation.remediation_evidence#module:updates).
        - V(begun), it says what was to be changed, and not what became of it.
        - V(null), nothing was changed.
      type: str
      sample: done
    updates_sha256:
      version_added: 0.4.0
      description: SHA-256 of that record, V(null) if there is none.
      type: str
      sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
    problems:
      description: What is not as it was written.
      type: list
      elements: str
      sample: []
    notes:
      description: What is worth knowing and is no problem.
      type: list
      elements: str
      sample: []
"""

import re
from collections.abc import Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import printable_everywhere
from ansible_collections.secops.remediation.plugins.module_utils._evidence.check import check_directory
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_module

MOST_SHOWN = 20

ARGUMENT_SPEC = dict(
    path=dict(type="path", required=True),
    signers_file=dict(type="path"),
    signed=dict(type="bool", default=False),
    expect_sha256=dict(type="list", elements="str", default=[]),
)


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    # A survey hands several on as lines of a text. One that is blank is no wish to expect nothing.
    expected = [sha256_in(part) for text in params["expect_sha256"] for part in text.split() or [text]]
    if params["signers_file"]:
        try:
            # ssh-keygen would call a file that it cannot read a signer that is not trusted.
            open_regular(params["signers_file"]).close()
        except OSError as error:
            raise TaskFailed(
                "Cannot read signers_file %s (evidence_signers_file of the playbook): %s"
                % (params["signers_file"], error.strerror)
            ) from error
    try:
        runs, whole = check_directory(params["path"], params["signers_file"], params["signed"], expected)
    except OSError as error:
        raise TaskFailed(
            "Cannot check %s: %s%s" % (params["path"], error.strerror, ", %s" % error.filename if error.filename else "")
        ) from error
    for record in runs:
        record["intact"] = not record["problems"]
    problems = ["%s: %s" % (record["run"], problem) for record in runs for problem in record["problems"]]
    problems += whole["problems"]
    notes = ["%s: %s" % (record["run"], note) for record in runs for note in record["notes"]] + whole["notes"]
    summary = summary_of(runs, problems)
    # File names and what the files say were written by others.
    return printable_everywhere(
        dict(changed=False, intact=not problems, msg=summary, summary=summary, problems=problems, runs=runs, notes=notes)
    )


def sha256_in(text: str) -> str:
    """A SHA-256 as hexadecimal digits, in whatever way somebody wrote it down. Raises TaskFailed."""
    digits = text.strip().lower()
    digits = digits[7:] if digits.startswith("sha256:") else digits
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise TaskFailed(
            "expect_sha256 (evidence_expect_sha256 of the playbook): %r is no SHA-256, which has 64 hexadecimal digits" % text
        )
    return digits


def summary_of(runs: Sequence[Item], problems: Sequence[str]) -> str:
    """What was found, in a sentence."""
    intact = sum(record["intact"] for record in runs)
    found = "%d of %d run%s intact" % (intact, len(runs), " is" if len(runs) == 1 else "s are")
    if not problems:
        return found + "."
    if runs and intact == len(runs):
        # Nobody reads on after good news.
        found = "The evidence as a whole is not intact, though each run by itself is"
    more = len(problems) - MOST_SHOWN
    return "%s: %s%s." % (found, "; ".join(problems[:MOST_SHOWN]), "; and %d more" % more if more > 0 else "")


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run)


if __name__ == "__main__":
    main()
