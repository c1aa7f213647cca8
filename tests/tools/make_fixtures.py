# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets a released version verify its own simulated company, and keeps what it left as fixtures of later versions.

make_fixtures.py VERSION COMMIT

Writes tests/fixtures/VERSION: `evidence/` with three signed runs and their ledger, as the released role wrote them;
`signers` with the public key; `tenant.json` with what the simulator knew at the end of the targets that were verified.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# Where it all happens, for the records name it. The folder must not be there yet.
WORK = Path("/srv/remediation")
SIGNER = "auditor@brightwater.example"
FINANCE, BOARD_PORTAL, HAMBURG, MANAGERS, BADGES = (
    "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a" + end for end in ("01", "03", "04", "06", "12")
)
CLOSED, OPEN, TIMEOUT, SLOW = 4101, 4103, 4111, 4138
# All four outcomes, of campaigns and of exposures. The forms are in the last run alone, for they are large.
EVERYTHING = dict(
    verify_campaign_ids=[FINANCE, BOARD_PORTAL, BADGES, HAMBURG, MANAGERS],
    verify_alert_ids=[CLOSED, OPEN, TIMEOUT, SLOW],
    verify_formats=["json"],
)
ALL_WELL = dict(verify_campaign_ids=[FINANCE, BOARD_PORTAL], verify_alert_ids=[CLOSED])
# The status of the play and the targets of each run.
RUNS = ((2, EVERYTHING), (2, EVERYTHING), (0, ALL_WELL))


def unpack(commit, folder):
    """The collection of a commit where ansible-playbook finds it. Returns its folder."""
    collection = folder / "ansible_collections" / "secops" / "remediation"
    archive = subprocess.run(["git", "archive", commit], cwd=CHECKOUT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(collection, filter="data")
    return collection


def make_key(folder):
    """A signing key that lives as long as the folder, and what `signers` says of it."""
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", SIGNER, "-f", str(key)], check=True)
    return key, "%s %s" % (SIGNER, key.with_suffix(".pub").read_text())


def environment_for(folder, url):
    """Nothing but what the run needs."""
    return dict(
        PATH=os.environ["PATH"],
        HOME=str(folder),
        LC_ALL="C.UTF-8",
        ANSIBLE_COLLECTIONS_PATH=str(folder),
        ANSIBLE_HOME=str(folder / "ansible-home"),
        ANSIBLE_LOCALHOST_WARNING="false",
        SAIL_BASE_URL=url,
        SAIL_CLIENT_ID="admin-client",
        SAIL_CLIENT_SECRET="admin-secret",
        CORTEX_FQDN=url,
        CORTEX_API_KEY_ID="1",
        CORTEX_API_KEY="advanced-key",
    )


def play(folder, url, key, status, targets):
    """One run of the released role, which has to end with this status."""
    variables = dict(
        targets,
        ansible_python_interpreter=sys.executable,
        verify_wait_interval=1,
        verify_wait_timeout=12,
        verify_signing_key=str(key),
        verify_evidence_dir=str(folder / "evidence"),
    )
    (folder / "variables.json").write_text(json.dumps(variables))
    command = ["ansible-playbook", "secops.remediation.verify", "-i", "localhost,", "-e", "@variables.json"]
    done = subprocess.run(command, cwd=folder, env=environment_for(folder, url), check=False)
    if done.returncode != status:
        raise SystemExit("the run ended with status %d instead of %d" % (done.returncode, status))


def verify(collection, folder, key):
    """All runs. Returns what the simulator knows at the end of the targets."""
    sys.path.insert(0, str(collection / "tests"))
    from running_simulator import running_simulator  # noqa: PLC0415

    with running_simulator("--company", "--scan-seconds", "2", "--report-seconds", "1") as simulator:
        exposures = simulator.control("GET", "state")["exposures"]
        slow = next(name for name in exposures if name.startswith("%d:" % SLOW))
        simulator.control("PATCH", "exposures/%s" % slow, dict(scan_seconds=4 * 3600))
        for status, targets in RUNS:
            play(folder, simulator.url, key, status, targets)
        state = simulator.control("GET", "state")
    return dict(
        campaigns={name: state["campaigns"][name] for name in EVERYTHING["verify_campaign_ids"]},
        exposures={name: one for name, one in state["exposures"].items() if one["scans"]},
        alerts={str(name): state["alerts"][str(name)] for name in EVERYTHING["verify_alert_ids"]},
    )


def check(folder):
    """Nothing of this machine may be in it."""
    for path in folder.rglob("*"):
        if path.is_file() and re.search(rb"/tmp/|/home/|/root/|PRIVATE KEY", path.read_bytes()):
            raise SystemExit("%s names a folder of this machine, or holds a key" % path)


def make(commit, version, target):
    """Makes the fixtures below WORK and puts them into the target folder."""
    collection = unpack(commit, WORK)
    if "version: %s\n" % version not in (collection / "galaxy.yml").read_text():
        raise SystemExit("%s is not version %s" % (commit, version))
    key, signers = make_key(WORK)
    tenant = verify(collection, WORK, key)
    check(WORK / "evidence")
    target.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target / "evidence", ignore_errors=True)
    shutil.copytree(WORK / "evidence", target / "evidence", symlinks=True)
    (target / "signers").write_text(signers)
    (target / "tenant.json").write_text(json.dumps(tenant, indent=1) + "\n")


def main():
    """Returns the exit status."""
    version, commit = sys.argv[1:]
    WORK.mkdir(parents=True)
    try:
        make(commit, version, CHECKOUT / "tests" / "fixtures" / version)
    finally:
        shutil.rmtree(WORK)
    return 0


if __name__ == "__main__":
    sys.exit(main())
