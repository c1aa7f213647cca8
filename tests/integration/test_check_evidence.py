# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that checks evidence: what it says, and that nothing makes it green that should not."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

VERIFY = "secops.remediation.verify"
CHECK = "secops.remediation.verify_evidence"
ALL_WELL = dict(intact=True, failed=False, runs=[], problems=[], notes=[], summary="1 of 1 run is intact.")


def lines_of(done):
    """What the playbook says, a line each."""
    return [json.loads(line) for line in re.findall(r'^ +("(?:[^"\\]|\\.)*"),?$', done.stdout, re.MULTILINE)]


def test_evidence_is_checked_whole_and_alone(ansible, simulator):
    directory = ansible.folder / "remediation-evidence"
    done = ansible.run(VERIFY, verify_alert_ids=[4101], verify_wait_timeout=120, verify_wait_interval=1)
    assert done.returncode == 0, done.stdout
    run = (directory / "latest").resolve()
    sha256 = hashlib.sha256((run / "SHA256SUMS").read_bytes()).hexdigest()

    # An auditor has no credentials, and nobody answers.
    alone = dict(SAIL_BASE_URL=None, SAIL_CLIENT_ID=None, SAIL_CLIENT_SECRET=None, CORTEX_FQDN=None, CORTEX_API_KEY=None)
    done = ansible.run(CHECK, evidence_expect_sha256=sha256, evidence_dir=None, environment=alone)
    assert done.returncode == 0, done.stdout
    assert lines_of(done) == [
        "%s (verified): intact, %d files, not signed, 1 of 1 outcomes follow from the answers on record, SHA-256 %s"
        % (run.name, len([path for path in run.rglob("*") if path.is_file()]) - 2, sha256),
        "%s: it is the run that was expected, by its SHA-256" % run.name,
        "1 of 1 run is intact.",
    ]

    sent = ansible.folder / run.name
    shutil.copytree(run, sent)
    done = ansible.run(CHECK, evidence_dir=str(sent), evidence_expect_sha256=[sha256, "0" * 64], environment=alone)
    assert done.returncode == 2 and any("0" * 64 in line for line in lines_of(done)), done.stdout
    assert any("this is the folder of one run" in line for line in lines_of(done))
    # What a log and a controller show of the task that failed.
    assert "Unknown error" not in done.stdout
    assert re.search(
        r"(?m)^(\[ERROR\]: Task failed|fatal: ).*The evidence as a whole is not intact.*no run here has the SHA-256", done.stdout
    ), done.stdout

    # A forged outcome with new checksums, and somebody who says that all is well.
    found = json.loads((sent / "verification.json").read_text())
    found["targets"][0]["outcome"] = "unremediated"
    (sent / "verification.json").write_text(json.dumps(found))
    sums = [line.split("  ") for line in (sent / "SHA256SUMS").read_text().splitlines()]
    (sent / "SHA256SUMS").write_text(
        "".join("%s  %s\n" % (hashlib.sha256((sent / path).read_bytes()).hexdigest(), path) for _sum, path in sums)
    )
    (sent / "a\x1b[2J\u202e").write_text("x")
    done = ansible.run(CHECK, evidence_dir=str(sent), evidence_check=ALL_WELL, evidence__checked=ALL_WELL, environment=alone)
    assert done.returncode == 2, done.stdout
    assert "0 of 1 outcomes follow" in done.stdout and "is said to be unremediated" in done.stdout
    assert not set(done.stdout) & {"\x1b", "\u202e"}
