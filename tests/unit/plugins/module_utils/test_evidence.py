# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence directory: what it shows of tampering, and what becomes of it in trouble."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from answers_on_record import exposure

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence import signature, writer
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence, remediation_evidence_info

EXPOSURES = [dict(alert_internal_id=number, attack_surface_rule_id="Rdp", service_id="s") for number in (1, 2)]
needs_ssh_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")


def call(module, check_mode=False, **options):
    """Runs a module's own code and returns its result."""
    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    return run_task(module.run, Task(dict(params, **options), check_mode, print))[0]


def write(directory, outcomes=("remediated", "unremediated"), check_mode=False, **options):
    """A run with one target for each outcome. Returns the module's result."""
    answers = [exposure(ids, outcome) for ids, outcome in zip(EXPOSURES, outcomes, strict=False)]
    return call(
        remediation_evidence,
        check_mode,
        dest=str(directory),
        exposures=EXPOSURES[: len(outcomes)],
        rcs_requests=dict(rcs_requests=answers),
        **options,
    )


def write_sums_anew(directory):
    """What somebody does who tampers with care."""
    for path in directory.glob("SHA256SUMS*"):
        path.unlink()
    evidence.write_overall_sums(directory, evidence.finished_runs(directory), None, [])


def check(directory, **options):
    return call(remediation_evidence_info, path=str(directory), **options)


def latest(directory):
    return (Path(directory) / "latest").resolve()


def read(directory):
    return json.loads((latest(directory) / "verification.json").read_text())


@pytest.fixture
def directory(tmp_path):
    """An evidence directory with three runs."""
    folder = tmp_path / "evidence"
    for _number in range(3):
        assert "failed" not in write(folder)
    return folder


class TestWriting:
    def test_everything_is_there_and_sha256sum_agrees(self, directory):
        files = {path.name for path in latest(directory).iterdir()}
        assert files == {
            "verification.json",
            "verification.html",
            "verification.csv",
            "verification.md",
            "verification.junit.xml",
            "oscal-assessment-results.json",
            "verification.sarif",
            "verification.intoto.json",
            "SHA256SUMS",
            "records",
            "open-items.csv",
        }
        for folder in (directory, latest(directory)):
            done = subprocess.run(
                ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done
            assert done.stdout.count(": OK") == (10 if folder != directory else 3 * 12)
        assert not list(directory.glob("*.unfinished"))

    def test_formats_are_the_users_choice(self, tmp_path):
        result = write(tmp_path, formats=["csv"])
        assert sorted(os.listdir(latest(tmp_path))) == [
            "SHA256SUMS",
            "open-items.csv",
            "records",
            "verification.csv",
            "verification.json",
        ]
        assert set(result["verification"]["files"]) == {"json", "csv", "open_items"}

    def test_runs_within_a_second_are_two(self, directory):
        runs = evidence.finished_runs(directory)
        assert len(set(runs)) == 3 and evidence.runs_as_they_ended(directory) == runs and runs[-1] == read(directory)["run"]
        assert evidence.finished_runs(directory) == sorted(runs, key=evidence.run_order)
        assert evidence.run_order("20261122T080000Z-10") > evidence.run_order("20261122T080000Z-9")

    def test_changed_means_another_finding(self, tmp_path):
        assert [write(tmp_path)["changed"], write(tmp_path)["changed"], write(tmp_path, ["remediated"] * 2)["changed"]] == [
            True,
            False,
            True,
        ]

    def test_check_mode_writes_nothing(self, directory):
        before = sorted(directory.rglob("*"))
        result = write(directory, ["remediated"] * 2, check_mode=True)
        assert result["changed"] and result["verification"]["verdict"] == "verified"
        assert result["verification"]["path"] is None and sorted(directory.rglob("*")) == before

    def test_history_and_since_when_it_is_open(self, tmp_path):
        write(tmp_path)
        first = read(tmp_path)
        write(tmp_path, ["unremediated", "unremediated"])
        second = read(tmp_path)
        write(tmp_path, ["remediated", "unremediated"])
        third = read(tmp_path)
        assert [run["counts"]["unremediated"] for run in third["history"]] == [1, 2, 1]
        assert [run["run"] for run in third["history"]] == [first["run"], second["run"], third["run"]]
        assert third["targets"][0]["open_since"] is None
        assert second["targets"][0]["open_since"] == second["finished_at"]
        assert third["targets"][1]["open_since"] == first["finished_at"]

    def test_thousands_stay_in_the_file(self, tmp_path):
        result = call(
            remediation_evidence,
            dest=str(tmp_path),
            formats=[],
            exposures=[dict(alert_internal_id=number, attack_surface_rule_id="Rdp", service_id="s") for number in range(3000)],
            rcs_requests=dict(rcs_requests=[exposure(dict(EXPOSURES[0], alert_internal_id=5), "unremediated")]),
        )["verification"]
        assert len(result["targets"]) == 100 and result["targets_left_out"] == 2900
        assert result["targets"][0]["outcome"] == "unremediated" and result["counts"]["total"] == 3000
        assert len(json.dumps(result)) < 60_000
        assert len(read(tmp_path)["targets"]) == 3000

    def test_results_are_read_from_files(self, tmp_path):
        file = tmp_path / "exposures.json"
        file.write_text(json.dumps(dict(rcs_requests=[exposure(EXPOSURES[0], "remediated")])))
        result = call(
            remediation_evidence,
            dest=str(tmp_path / "e"),
            exposures=EXPOSURES[:1],
            rcs_requests=dict(results_file=str(file), counts={"rcs_requests": 1}),
        )
        assert result["verification"]["verdict"] == "verified"
        file.write_text("{")
        result = call(
            remediation_evidence, dest=str(tmp_path / "e"), exposures=EXPOSURES[:1], rcs_requests=dict(results_file=str(file))
        )
        assert result["verification"]["verdict"] == "not_verified"
        assert "cannot be read" in result["verification"]["targets"][0]["reason"]

    def test_old_runs_are_removed_only_when_asked_for(self, directory):
        runs = evidence.finished_runs(directory)
        at_work = directory / (runs[0] + "-0.unfinished")
        at_work.mkdir()
        result = write(directory, keep_runs=2)
        assert result["removed_runs"] == runs[:2] and len(evidence.finished_runs(directory)) == 2
        assert list(directory.glob("*.unfinished")) == [at_work]
        checked = check(directory)
        assert checked["intact"], checked
        assert any("was removed, as keep_runs does" in note for note in checked["notes"])
        assert len(read(directory)["history"]) == 4
        assert "keep_runs is -1" in write(directory, keep_runs=-1)["msg"]

    def test_a_format_that_fails_costs_none_of_the_others(self, tmp_path, monkeypatch):
        monkeypatch.setattr(writer, "page", lambda *arguments: exec("import no_such_module"))
        result = write(tmp_path)
        assert result["failed"] and "verification.html could not be written: ModuleNotFoundError" in result["msg"]
        assert "html" not in result["verification"]["files"] and (latest(tmp_path) / "verification.csv").exists()
        assert check(tmp_path)["intact"]

    def test_a_run_that_was_written_cannot_be_written_again(self, tmp_path):
        run = write(tmp_path)["verification"]["run"]
        result = write(tmp_path, run=run)
        assert result["failed"] and "has been written already" in result["msg"]


class TestTampering:
    def test_nothing(self, directory):
        checked = check(directory)
        assert checked["intact"] and checked["summary"] == "3 of 3 runs are intact." and not checked["notes"]
        assert [run["verdict"] for run in checked["runs"]] == ["not_verified"] * 3

    @pytest.mark.parametrize("name", ["verification.json", "verification.html", "SHA256SUMS"])
    def test_a_file_was_changed(self, directory, name):
        run = evidence.finished_runs(directory)[1]
        path = directory / run / name
        path.write_text(path.read_text().replace("0", "1", 1) + " ")
        checked = check(directory)
        assert not checked["intact"]
        if name != "SHA256SUMS":
            assert "%s: %s was changed" % (run, name) in checked["problems"]

    def test_a_file_was_changed_and_the_checksums_with_it(self, directory):
        """Then the next run tells."""
        runs = evidence.finished_runs(directory)
        folder = directory / runs[0]
        path = folder / "verification.csv"
        path.write_text(path.read_text().replace("unremediated", "remediated"))
        evidence.write_sums(folder, [(evidence.sha256_of(folder / name), name) for name in evidence.files_in(folder)])
        write_sums_anew(directory)
        checked = check(directory)
        assert checked["problems"] == [
            "%s: verification.intoto.json was changed, or is about something else" % runs[0],
            "%s: the run before it, %s, is not what it was then: its SHA256SUMS was changed" % (runs[1], runs[0]),
        ]

    def test_a_file_is_missing_or_was_added(self, directory):
        folder = latest(directory)
        (folder / "verification.csv").unlink()
        (folder / "reports").mkdir()
        (folder / "reports" / "more.csv").write_text("x")
        assert check(directory)["problems"] == [
            "%s: verification.csv is missing" % folder.name,
            "%s: reports/more.csv was added" % folder.name,
        ]

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_a_run_is_missing(self, directory, place):
        run = evidence.finished_runs(directory)[place]
        sha256 = evidence.run_sha256(directory, run)
        shutil.rmtree(directory / run)
        checked = check(directory)
        assert "the run %s is missing" % run in checked["problems"]
        # Even if the sums over all runs were written anew, except for the newest, which nobody saw.
        write_sums_anew(directory)
        seen = check(directory)
        assert bool(seen["problems"]) == (place in (1, 2))
        assert bool(seen["notes"]) == (place == 0)
        if place == 2:
            assert seen["problems"] == [
                "latest does not point to the run that ended last, %s, but to %s" % (evidence.finished_runs(directory)[-1], run)
            ]
            # Then only what was kept elsewhere tells.
            (directory / "latest").unlink()
            (directory / "latest").symlink_to(evidence.finished_runs(directory)[-1])
            assert check(directory)["intact"] and not check(directory, expect_sha256=[sha256])["intact"]

    def test_a_run_was_added(self, directory):
        runs = evidence.finished_runs(directory)
        shutil.copytree(directory / runs[0], directory / "20200101T000000Z")
        problems = check(directory)["problems"]
        assert "the run 20200101T000000Z is in no SHA256SUMS" in problems

    def test_a_run_that_was_replaced_by_another(self, directory):
        runs = evidence.finished_runs(directory)
        shutil.rmtree(directory / runs[2])
        shutil.copytree(directory / runs[1], directory / runs[2])
        write_sums_anew(directory)
        assert "%s: its verification.json is that of the run %s" % (runs[2], runs[1]) in check(directory)["problems"]

    def test_a_chain_that_was_forked(self, directory):
        """Wherever `latest` points: a run that no later one names is not protected by one."""
        runs = evidence.finished_runs(directory)
        (directory / "latest").unlink()
        (directory / "latest").symlink_to(runs[0])
        write(directory)
        assert read(directory)["previous_run"]["run"] == runs[2] and check(directory)["intact"]
        shutil.rmtree(directory / runs[2])
        write_sums_anew(directory)
        assert not check(directory)["intact"]

    def test_a_run_whose_job_was_killed_before_its_last_steps(self, directory, monkeypatch):
        monkeypatch.setattr(evidence, "write_overall_sums", lambda *arguments: exec("raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            write(directory)
        monkeypatch.undo()
        stranded = evidence.finished_runs(directory)[-1]
        write(directory)
        assert read(directory)["previous_run"]["run"] == stranded and len(read(directory)["history"]) == 5
        assert check(directory)["intact"]

    def test_links_and_what_is_no_file(self, directory):
        folder = latest(directory)
        (folder / "verification.csv").rename(directory / "elsewhere.csv")
        (folder / "verification.csv").symlink_to(directory / "elsewhere.csv")
        (folder / "verification.md").unlink()
        os.mkfifo(folder / "verification.md")
        (folder / "reports").symlink_to("/etc")
        (folder / "dangling").symlink_to("/no/such")
        assert check(directory)["problems"] == [
            "%s: %s" % (folder.name, problem)
            for problem in (
                "verification.csv is no file any more, but a link or something else",
                "verification.md is no file any more, but a link or something else",
                "dangling was added",
                "reports was added",
            )
        ]

    def test_lines_of_the_sums_over_all_runs(self, directory):
        path = directory / "SHA256SUMS"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        run = evidence.finished_runs(directory)[-1]
        assert check(directory)["problems"] == ["SHA256SUMS says something else of the run %s than the run does" % run]

    def test_what_is_no_evidence_directory(self, tmp_path):
        assert not check(tmp_path)["intact"]
        assert "Cannot check" in check(tmp_path / "missing")["msg"]

    @pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\xff\xfe", b"0" * 64 + b"  ../../../etc/passwd\n"])
    def test_checksums_that_are_none(self, directory, content):
        (latest(directory) / "SHA256SUMS").write_bytes(content)
        assert not check(directory)["intact"]

    @pytest.mark.parametrize("content", ["null", "[]", '{"targets": {}}', '{"previous_run": 5, "targets": [1]}', "{"])
    def test_a_verification_that_is_none_stops_no_new_run(self, directory, content):
        (latest(directory) / "verification.json").write_text(content)
        assert not check(directory)["intact"]
        assert "failed" not in write(directory)
        assert any("was changed" in problem for problem in check(directory)["problems"])

    def test_odd_names(self, tmp_path):
        folder = tmp_path / "f"
        folder.mkdir()
        for name in ("a\\b", "a\\nb", "line\nend", "cr\rend", "  spaces ", "\u2028", "ä", os.fsdecode(b"\xff")):
            (folder / name).write_bytes(os.fsencode(name))
        evidence.write_sums(folder, [(evidence.sha256_of(folder / name), name) for name in evidence.files_in(folder)])
        assert set(evidence.read_sums(folder)) == set(evidence.files_in(folder))
        done = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, check=False)
        assert done.returncode == 0


class TestTrouble:
    """What must not cost the evidence."""

    def test_the_one_that_just_ended_is_never_removed(self, tmp_path):
        first = call(remediation_evidence, dest=str(tmp_path), exposures=EXPOSURES, state="prepared")["run"]
        write(tmp_path)
        write(tmp_path)
        result = write(tmp_path, run=first, keep_runs=1)
        assert "failed" not in result and evidence.finished_runs(tmp_path) == [first] and latest(tmp_path).name == first

    def test_a_run_that_was_moved_and_linked(self, directory, tmp_path):
        run = evidence.finished_runs(directory)[0]
        (directory / run).rename(tmp_path / "archive")
        (directory / run).symlink_to(tmp_path / "archive")
        assert "failed" not in write(directory, keep_runs=1) and (tmp_path / "archive" / "verification.json").exists()

    def test_latest_is_a_folder(self, directory):
        (directory / "latest").unlink()
        (directory / "latest").mkdir()
        assert "failed" not in write(directory) and check(directory)["intact"] and (directory / "latest").is_symlink()

    def test_no_links(self, directory, monkeypatch):
        monkeypatch.setattr(os, "symlink", lambda *arguments: exec("raise PermissionError(1, 'not here')"))
        result = write(directory)
        assert "failed" not in result and len(evidence.finished_runs(directory)) == 4
        checked = check(directory)
        assert (directory / "latest").read_text().strip() == checked["runs"][-1]["run"]
        assert checked["intact"] and not checked["notes"]

    def test_a_target_that_was_missing_once_is_as_old_as_before(self, tmp_path):
        write(tmp_path)
        since = read(tmp_path)["targets"][1]["open_since"]
        write(tmp_path, ["remediated"])
        write(tmp_path)
        assert read(tmp_path)["targets"][1]["open_since"] == since
        # What was remediated in between is open since now.
        write(tmp_path, ["unremediated", "remediated"])
        write(tmp_path, ["unremediated", "unremediated"])
        assert read(tmp_path)["targets"][1]["open_since"] == read(tmp_path)["finished_at"]

    @pytest.mark.parametrize(
        "odd",
        [
            {"targets": [{"kind": [], "id": {}, "outcome": 5}], "history": [{"run": 5}, {"run": "x", "counts": {}}]},
            {"targets": [None, 5], "history": {}},
            {"targets": [], "history": [None]},
        ],
    )
    def test_an_odd_record_before(self, directory, odd):
        (latest(directory) / "verification.json").write_text(json.dumps(odd))
        assert "failed" not in write(directory)
        assert len(read(directory)["history"]) == 1

    @pytest.mark.parametrize("content", ["[]", "null", '{"rcs_requests": null}', "[" * 100000])
    def test_an_odd_results_file(self, tmp_path, content):
        (tmp_path / "r.json").write_text(content)
        result = call(
            remediation_evidence,
            dest=str(tmp_path / "e"),
            exposures=EXPOSURES,
            rcs_requests=dict(results_file=str(tmp_path / "r.json")),
        )
        assert result["verification"]["counts"]["inconclusive"] == 2

    @pytest.mark.parametrize("run", ["../evil", "x", "20261122T080000Z/.."])
    def test_a_name_that_is_none(self, tmp_path, run):
        assert "is no name of a run" in write(tmp_path, run=run)["msg"]

    def test_what_is_wrong_is_said_before_anything_is_started(self, tmp_path):
        for options, words in (
            (dict(keep_runs=-1), "keep_runs is -1"),
            (dict(controls=[" "]), "one of them is empty"),
            (dict(signing_key="/no/key"), "there is no key file /no/key. Nothing was started"),
        ):
            result = call(remediation_evidence, dest=str(tmp_path), exposures=EXPOSURES, state="prepared", **options)
            assert result["failed"] and words in result["msg"]
        assert not list(tmp_path.glob("2*"))

    def test_open_items_are_counted(self, tmp_path):
        write(tmp_path, ["unremediated", "unremediated"])
        assert read(tmp_path)["history"][-1]["open_items"] == 2


class TestSignatures:
    @pytest.fixture
    def ssh_key(self, tmp_path):
        """(private key, allowed signers)."""
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        signers = tmp_path / "signers"
        signers.write_text("audit@example.com %s" % (tmp_path / "key.pub").read_text())
        return str(key), str(signers)

    @needs_ssh_keygen
    def test_ssh(self, tmp_path, ssh_key):
        key, signers = ssh_key
        folder = tmp_path / "e"
        assert "failed" not in write(folder, signing_key=key)
        assert (latest(folder) / "SHA256SUMS.sig").exists() and (folder / "SHA256SUMS.sig").exists()
        checked = check(folder, signers_file=signers, signed=True)
        assert checked["intact"] and checked["runs"][0]["signature_detail"] == "signed by audit@example.com"
        # Without the signers it is only known which key it was.
        unknown = check(folder)
        assert unknown["intact"] and unknown["runs"][0]["signature"] == "unknown"
        assert "SHA256:" in unknown["runs"][0]["signature_detail"] and not check(folder, signed=True)["intact"]

    @needs_ssh_keygen
    def test_ssh_and_somebody_who_writes_new_checksums(self, tmp_path, ssh_key):
        key, signers = ssh_key
        folder = tmp_path / "e"
        write(folder, signing_key=key)
        assert check(folder, signers_file=signers, signed=True)["intact"]
        (folder / "SHA256SUMS.sig").rename(folder / "kept")
        assert (
            "a valid signature over all runs was asked for: not signed"
            in check(folder, signers_file=signers, signed=True)["problems"]
        )
        (folder / "kept").rename(folder / "SHA256SUMS.sig")
        path = latest(folder) / "SHA256SUMS"
        path.write_text(path.read_text().replace("verification.md", "verification.m_"))
        for options in (dict(signers_file=signers), {}):
            assert any("the signature is not valid" in problem for problem in check(folder, **options)["problems"])

    @needs_ssh_keygen
    def test_ssh_and_another_key(self, tmp_path, ssh_key):
        other = tmp_path / "other"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
        write(tmp_path / "e", signing_key=str(other))
        checked = check(tmp_path / "e", signers_file=ssh_key[1])
        assert not checked["intact"] and "signed with a key that" in checked["problems"][0]

    @needs_ssh_keygen
    def test_a_key_that_cannot_sign_costs_only_the_signature(self, tmp_path):
        key = tmp_path / "locked"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)
        result = write(tmp_path / "e", signing_key=str(key))
        assert result["failed"] and "Cannot sign with" in result["msg"] and "passphrase" in result["msg"]
        assert result["verification"]["verdict"] == "not_verified"
        assert check(tmp_path / "e")["intact"] and check(tmp_path / "e")["runs"][0]["signature"] is None

    def test_no_key(self, tmp_path):
        result = write(tmp_path, signing_key="/no/such/key")
        assert result["failed"] and "there is no key file /no/such/key" in result["msg"]
        assert latest(tmp_path).exists()

    @needs_gpg
    def test_gpg(self, tmp_path, monkeypatch):
        # Its sockets have short names only.
        home = Path("/tmp") / ("gpg-%d" % os.getpid())
        home.mkdir(mode=0o700)
        monkeypatch.setenv("GNUPGHOME", str(home))
        try:
            subprocess.run(
                [
                    "gpg",
                    "--batch",
                    "--quiet",
                    "--passphrase",
                    "",
                    "--quick-generate-key",
                    "Audit <audit@example.com>",
                    "ed25519",
                    "sign",
                    "never",
                ],
                check=True,
                capture_output=True,
            )
            assert "failed" not in write(tmp_path, signing_key="audit@example.com")
            checked = check(tmp_path, signed=True)
            assert checked["intact"] and checked["runs"][0]["signature_detail"].startswith(
                "signed by Audit <audit@example.com> with the gpg key "
            )
            path = latest(tmp_path) / "SHA256SUMS"
            path.write_text(path.read_text() + "\n")
            assert any("the signature is not valid" in problem for problem in check(tmp_path)["problems"])
            result = write(tmp_path, signing_key="nobody@example.com")
            assert result["failed"] and "Cannot sign with 'nobody@example.com'" in result["msg"]
        finally:
            subprocess.run(["gpgconf", "--kill", "all"], check=False)
            shutil.rmtree(home, ignore_errors=True)

    def test_a_tool_that_is_missing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "gpg is not installed" in write(tmp_path / "e", signing_key="somebody")["msg"]
        with pytest.raises(signature.SignatureProblem):
            signature.sign(str(latest(tmp_path / "e") / "SHA256SUMS"), "somebody")


def test_it_is_said_in_words(directory):
    for run in evidence.finished_runs(directory):
        for path in (directory / run).rglob("*.*"):
            path.write_text("x")
    checked = check(directory)
    assert checked["summary"].startswith("0 of 3 runs are intact: ") and len(checked["problems"]) >= 3
    with pytest.raises(TaskFailed):
        remediation_evidence_info.run(
            Task(dict(path="/no/such", signers_file=None, signed=False, expect_sha256=[]), False, print)
        )


def test_summary_begins_with_what_is_wrong_and_is_the_message(directory):
    assert check(directory)["msg"] == "3 of 3 runs are intact."
    sha256 = "0" * 64
    checked = check(directory, expect_sha256=[sha256])
    assert checked["msg"] == checked["summary"] and checked["summary"].startswith(
        "The evidence as a whole is not intact, though each run by itself is: no run here has the SHA-256 %s" % sha256
    )
    path = latest(directory) / "verification.csv"
    path.write_text("x")
    assert check(directory)["msg"] == "2 of 3 runs are intact: %s: verification.csv was changed." % path.parent.name


def test_summary_is_no_longer_than_somebody_reads(directory):
    for number in range(30):
        (latest(directory) / ("%d.txt" % number)).write_text("x")
    assert check(directory)["summary"].endswith("; and 10 more.")


def test_run_that_was_expected_is_named(directory):
    run = latest(directory)
    sha256 = evidence.run_sha256(directory, run.name)
    assert check(directory, expect_sha256=[sha256])["notes"] == ["%s: it is the run that was expected, by its SHA-256" % run.name]
    assert check(directory)["notes"] == []


def test_signers_file_that_is_not_there_is_named(directory, tmp_path):
    assert check(directory, signers_file=str(tmp_path / "nope"))["msg"] == (
        "Cannot read signers_file %s (evidence_signers_file of the playbook): No such file or directory" % (tmp_path / "nope")
    )


@needs_ssh_keygen
def test_ssh_signature_without_signers_says_what_to_give(tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    write(tmp_path / "e", ["remediated"], signing_key=str(key))
    checked = check(tmp_path / "e", signed=True)
    assert not checked["intact"] and "give signers_file (evidence_signers_file of the playbook)" in checked["msg"]
