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
    before it.
  - Whoever can write to the directory can also write new checksums. A change to an older run is then still seen in the
    run after it, and a change to any run in the signature, unless the key was taken as well.
author:
  - Contributors to secops.remediation (@secops)
options:
  path:
    description:
      - The evidence directory.
    type: path
    required: true
  signers_file:
    description:
      - File with the keys that are trusted to sign, in the form of C(ssh-keygen)'s allowed signers, for signatures of
        SSH keys. Without it, such a signature only shows which key it was made with. Those of C(gpg) are checked with
        the key ring of the user.
    type: path
  signed:
    description:
      - Whether a run without a valid signature of a signer that is trusted is a problem.
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
  sample: "1 of 2 runs is intact. 20261122T080000Z: verification.csv was changed."
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

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._run.task import TaskFailed, run_module

ARGUMENT_SPEC = dict(
    path=dict(type="path", required=True),
    signers_file=dict(type="path"),
    signed=dict(type="bool", default=False),
)


def run(task):
    """The module's work."""
    params = task.params
    try:
        if params["signers_file"]:
            with open(params["signers_file"], "rb"):
                # ssh-keygen would call a file that it cannot read a signer that is not trusted.
                pass
        runs, whole = evidence.check_directory(params["path"], params["signers_file"], params["signed"])
    except OSError as error:
        raise TaskFailed("Cannot check %s: %s%s" % (
            params["path"], error.strerror, ", %s" % error.filename if error.filename else "")) from error
    for record in runs:
        record["intact"] = not record["problems"]
    problems = ["%s: %s" % (record["run"], problem) for record in runs for problem in record["problems"]]
    problems += whole["problems"]
    intact = sum(record["intact"] for record in runs)
    summary = "%d of %d run%s intact." % (intact, len(runs), " is" if len(runs) == 1 else "s are")
    shown = ["%s." % problem for problem in problems[:20]]
    if len(problems) > 20:
        shown.append("And %d more." % (len(problems) - 20))
    return dict(changed=False, intact=not problems, summary=" ".join([summary] + shown), problems=problems, runs=runs,
                notes=["%s: %s" % (record["run"], note) for record in runs for note in record["notes"]] + whole["notes"])


def main():
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run)


if __name__ == "__main__":
    main()
