# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was changed elsewhere because of a run: on record beside the run, and what a check says where that was changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from answers_on_record import exposure
from two_systems import call

from ansible_collections.secops.remediation.plugins.module_utils._evidence.directory import (
    latest_run,
    run_sha256,
    sha256_of,
    sums_text,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import sign
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence, remediation_evidence_info

EXPOSURE = dict(alert_internal_id=1, attack_surface_rule_id="Rdp", service_id="s")
INTENDED = [dict(alert_id="1", status="resolved")]
RESULT = dict(changed=True, alerts=[dict(alert_id="1", changed=True)])
needs_ssh_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")


def write(directory, **options):
    """A run. Returns its name."""
    result = call(
        remediation_evidence,
        dict(
            dest=str(directory),
            formats=["json"],
            targets=dict(exposures=[EXPOSURE]),
            results=[dict(module="xpanse_rcs_request", rcs_requests=[exposure(EXPOSURE, "remediated")])],
            **options,
        ),
    )
    assert not result.get("failed"), result
    return result["verification"]["run"]


def update(directory, run, result=None, check_mode=False, **options):
    """Puts the updates of a run on record. Returns what the module returns."""
    updates = dict(intended=INTENDED, **({"result": result} if result else {}))
    return call(remediation_evidence, dict(dest=str(directory), state="updated", run=run, updates=updates, **options), check_mode)


def check(directory, **options):
    return call(remediation_evidence_info, dict(path=str(directory), **options))


def forge(folder, **changes):
    """What somebody does who changes the record of the updates with care. Returns its new content."""
    content = dict(json.loads((folder / "updates.json").read_text()), **changes)
    (folder / "updates.json").write_text(json.dumps(content))
    (folder / "updates.sha256").write_text(sums_text([(sha256_of(str(folder / "updates.json")), "updates.json")]))
    return content


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "evidence"


@pytest.fixture
def folder(directory):
    """The folder of a run whose updates are on record."""
    run = write(directory)
    assert not update(directory, run).get("failed")
    assert not update(directory, run, RESULT).get("failed")
    return directory / run


def test_what_was_changed_is_on_record(directory, folder):
    content = json.loads((folder / "updates.json").read_text())
    assert content["run"] == folder.name == latest_run(str(directory))
    assert content["sha256sums_sha256"] == run_sha256(str(directory), folder.name)
    assert (content["intended"], content["result"], content["finished"]) == (INTENDED, RESULT, True)
    for sums in ("SHA256SUMS", "updates.sha256"):
        subprocess.run(["sha256sum", "-c", "--strict", sums], cwd=folder, capture_output=True, check=True)
    found = check(directory)
    assert found["intact"], found["problems"]
    assert [(run["updates"], run["updates_sha256"]) for run in found["runs"]] == [
        ("done", sha256_of(str(folder / "updates.json")))
    ]
    # And of the folder alone.
    assert check(folder)["intact"] and check(folder)["runs"][0]["updates"] == "done"


def test_a_run_without_any(directory):
    write(directory)
    assert [run["updates"] for run in check(directory)["runs"]] == [None]


def test_a_job_that_was_killed_in_between_leaves_a_trace(directory):
    run = write(directory)
    done = update(directory, run)
    assert done["changed"] and done["updates"]["path"] == str(directory / run / "updates.json")
    found = check(directory)
    assert found["intact"] and found["runs"][0]["updates"] == "begun"
    assert any("not what became of it" in note for note in found["notes"])
    # The next run does not hold to it what may still come.
    write(directory)
    assert not update(directory, run, RESULT).get("failed") and check(directory)["intact"]


def test_it_is_never_written_anew(directory, folder):
    before = (folder / "updates.json").read_bytes()
    for result in (None, dict(changed=False)):
        done = update(directory, folder.name, result)
        assert done["failed"] and "on record already" in done["msg"]
    (folder / "updates.json").write_text("no JSON")
    assert update(directory, folder.name, RESULT)["failed"]
    assert before and (folder / "updates.json").read_text() == "no JSON"


def test_check_mode_writes_nothing(directory):
    run = write(directory)
    assert update(directory, run, RESULT, True)["updates"] == dict(path=None, sha256=None)
    assert sorted(os.listdir(directory / run)) == ["SHA256SUMS", "records", "verification.json"]


@pytest.mark.parametrize("run", ["20200101T000000Z", "../elsewhere", ""])
def test_a_run_that_is_not_there(directory, run):
    write(directory)
    assert update(directory, run, RESULT)["failed"]


def test_it_needs_a_run_and_the_updates(directory):
    with pytest.raises(AssertionError, match="missing: run"):
        call(remediation_evidence, dict(dest=str(directory), state="updated", updates={}))


def changed(folder):
    (folder / "updates.json").write_text((folder / "updates.json").read_text().replace("resolved", "reopened"))


def without_its_sum(folder):
    (folder / "updates.sha256").unlink()


def only_its_sum(folder):
    (folder / "updates.json").unlink()


def of_another_run(folder):
    forge(folder, sha256sums_sha256="0" * 64)


def more_in_its_sums(folder):
    with (folder / "updates.sha256").open("a") as file:
        file.write("%s  verification.json\n" % ("0" * 64))


def no_json(folder):
    (folder / "updates.json").write_text("{")


def no_object(folder):
    (folder / "updates.json").write_text("[]")


def a_link(folder):
    (folder / "updates.json").rename(folder.parent / "elsewhere.json")
    (folder / "updates.json").symlink_to(folder.parent / "elsewhere.json")


def another_name(folder):
    (folder / "updates.json").rename(folder / "updates-2.json")


class TestTampering:
    @pytest.mark.parametrize(
        "tamper",
        [changed, without_its_sum, only_its_sum, of_another_run, more_in_its_sums, no_json, no_object, a_link, another_name],
    )
    def test_of_the_last_run(self, directory, folder, tamper):
        tamper(folder)
        found = check(directory)
        assert not found["intact"] and any("updates" in problem for problem in found["problems"]), found

    @pytest.mark.parametrize(
        "tamper", [lambda folder: forge(folder, result={}), lambda folder: forge(folder, finished=False), changed]
    )
    def test_of_a_run_that_another_one_names(self, directory, folder, tamper):
        write(directory)
        assert check(directory)["intact"]
        tamper(folder)
        assert any("are not what they were then" in problem for problem in check(directory)["problems"])

    def test_one_that_was_removed_from_a_run_that_another_one_names(self, directory, folder):
        write(directory)
        for name in ("updates.json", "updates.sha256"):
            (folder / name).unlink()
        assert any("are not what they were then" in problem for problem in check(directory)["problems"])

    def test_one_that_came_later_is_told(self, directory):
        run = write(directory)
        write(directory)
        update(directory, run, RESULT)
        found = check(directory)
        assert found["intact"] and any("named by no later run" in note for note in found["notes"])

    def test_a_run_whose_updates_were_changed_says_what_it_said(self, directory, folder):
        """What was changed elsewhere is no reason for an outcome, so the history of the next run goes on."""
        changed(folder)
        write(directory)
        found = check(directory)
        assert not found["intact"] and all("updates" in problem for problem in found["problems"]), found


@needs_ssh_keygen
class TestSignatures:
    @pytest.fixture
    def key(self, tmp_path):
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        (tmp_path / "signers").write_text("audit@example.com " + (tmp_path / "key.pub").read_text())
        return str(key)

    @pytest.fixture
    def signers(self, tmp_path, key):
        return str(tmp_path / "signers")

    @pytest.fixture
    def run(self, directory, key):
        return write(directory, signing_key=key)

    def test_it_is_signed(self, directory, run, key, signers):
        update(directory, run, signing_key=key)
        update(directory, run, RESULT, signing_key=key)
        assert (directory / run / "updates.sha256.sig").exists()
        assert check(directory, signers_file=signers, signed=True)["intact"]

    @pytest.mark.parametrize("named", [False, True])
    def test_one_without_a_signature_in_a_run_with_one(self, directory, run, signers, named):
        update(directory, run, RESULT)
        found = check(directory, **(dict(signers_file=signers) if named else {}))
        assert not found["intact"] and "updates.json" in found["problems"][0]

    def test_a_record_that_was_forged(self, directory, run, key, signers):
        update(directory, run, RESULT, signing_key=key)
        forge(directory / run, result=dict(changed=False))
        found = check(directory, signers_file=signers)
        assert any("the signature of updates.json is not valid" in problem for problem in found["problems"])

    def test_a_record_that_was_signed_with_another_key_than_its_run(self, directory, run, key):
        """Where nobody says whose keys they are, that of the run is the only one that can be the right one."""
        update(directory, run, RESULT, signing_key=key)
        assert check(directory)["intact"]
        folder, other = directory / run, directory.parent / "other"
        forge(folder, result=dict(changed=False))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
        (folder / "updates.sha256.sig").unlink()
        sign(str(folder / "updates.sha256"), str(other))
        found = check(directory)
        assert any("updates.json is signed otherwise than its run" in problem for problem in found["problems"]), found

    def test_a_key_that_cannot_sign(self, directory, run):
        done = update(directory, run, RESULT, signing_key=str(directory / "no key"))
        assert done["failed"] and "something is missing" in done["msg"] and done["updates"]["path"]
