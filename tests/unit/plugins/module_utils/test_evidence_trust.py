# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What evidence rests on: whom the next run believes, what the check tells of what was forged or added, who may read it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from answers_on_record import exposure

from ansible_collections.secops.remediation.plugins.module_utils._common import files
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence import signature, writer
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence, remediation_evidence_info

EXPOSURES = [dict(alert_internal_id=number, attack_surface_rule_id="Rdp", service_id="s") for number in (1, 2)]
needs_ssh_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")
needs_gpg = pytest.mark.skipif(not shutil.which("gpg"), reason="gpg is not installed")
AUDIT, MALLORY = "Audit <audit@example.com>", "Mallory <mallory@example.com>"


def call(module, check_mode=False, warn=print, **options):
    """Runs a module's own code and returns its result."""
    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    return run_task(module.run, Task(dict(params, **options), check_mode, warn))[0]


def answers_of(outcomes):
    return [exposure(ids, outcome) for ids, outcome in zip(EXPOSURES, outcomes, strict=False)]


def write(dest, outcomes=("remediated", "unremediated"), **options):
    return call(
        remediation_evidence,
        **dict(
            dict(
                dest=str(dest),
                exposures=EXPOSURES[: len(outcomes)],
                formats=[],
                rcs_requests=dict(rcs_requests=answers_of(outcomes)),
            ),
            **options,
        ),
    )


def check(path, **options):
    return call(remediation_evidence_info, path=str(path), **options)


def runs_in(directory):
    return [directory / run for run in evidence.finished_runs(directory)]


def verification_of(run):
    return json.loads((run / "verification.json").read_text())


def edit(run, change):
    content = verification_of(run)
    change(content)
    (run / "verification.json").write_text(json.dumps(content))


def write_sums_anew(run):
    """What somebody does who tampers with care, and has no key."""
    evidence.write_sums(str(run), [(evidence.sha256_of(run / name), name) for name in evidence.files_in(run)])
    overall = run.parent
    evidence.write_overall_sums(str(overall), evidence.finished_runs(overall), None, [])


def forge(run):
    """A history in which all was always well, and nothing is open for long."""

    def change(content):
        content["history"][0].update(verdict="verified")
        content["history"].insert(0, dict(content["history"][0], run="20200101T000000Z"))
        for target in content["targets"]:
            target.update({name: "2026-01-01T00:00:00Z" for name in ("open_since", "not_verified_since") if target.get(name)})

    edit(run, change)


@pytest.fixture
def directory(tmp_path):
    """An evidence directory with three runs."""
    folder = tmp_path / "evidence"
    for _number in range(3):
        assert "failed" not in write(folder)
    return folder


@pytest.fixture
def ssh_key(tmp_path):
    """(private key, allowed signers)."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (tmp_path / "signers").write_text("audit@example.com %s" % (tmp_path / "key.pub").read_text())
    return str(key), str(tmp_path / "signers")


class KeyRing:
    """A key ring of gpg."""

    def __init__(self):
        self.fingerprints = {}

    def gpg(self, *arguments):
        options = ["--batch", "--yes", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"]
        return subprocess.run(["gpg", *options, *arguments], check=True, capture_output=True, text=True).stdout

    def make(self, user, ends="never", at="20240101T000000"):
        """Makes a key and returns its fingerprint."""
        self.gpg("--faked-system-time", at, "--quick-generate-key", user, "ed25519", "sign", ends)
        listed = self.gpg("--with-colons", "--list-keys", "=" + user)
        self.fingerprints[user] = next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))
        return self.fingerprints[user]

    def sign(self, path, *users, options=()):
        """Signs a file as these users."""
        by = [word for user in users for word in ("--local-user", self.fingerprints[user])]
        self.gpg(*options, "--armor", *by, "--output", str(path) + ".asc", "--detach-sign", str(path))

    def revoke(self, user):
        """Revokes a key with the certificate that was made with it."""
        path = Path(os.environ["GNUPGHOME"]) / "openpgp-revocs.d" / (self.fingerprints[user] + ".rev")
        path.write_text(path.read_text().replace("\n:-----", "\n-----"))
        self.gpg("--import", str(path))


@pytest.fixture
def ring(monkeypatch):
    """A KeyRing with the keys of AUDIT and MALLORY."""
    # Its sockets have short names only.
    home = tempfile.mkdtemp(prefix="gpg-", dir="/tmp")
    monkeypatch.setenv("GNUPGHOME", home)
    try:
        keys = KeyRing()
        keys.make(AUDIT)
        keys.make(MALLORY)
        yield keys
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def signed_file(tmp_path):
    """A file that somebody may sign."""
    (tmp_path / "SHA256SUMS").write_text("x\n")
    return tmp_path / "SHA256SUMS"


class TestHistory:
    @pytest.mark.parametrize(
        "how",
        [
            forge,
            lambda run: (run / "verification.json").unlink(),
            lambda run: (run / "verification.json").write_text("{"),
            lambda run: (run / "SHA256SUMS").unlink(),
            lambda run: (run / "records" / "exposures.json").write_text("{}"),
            lambda run: (run / "more").write_text("x"),
        ],
    )
    def test_only_a_run_that_is_intact_is_believed(self, directory, how):
        last = runs_in(directory)[-1]
        how(last)
        warnings = []
        result = write(directory, warn=warnings.append)
        assert "failed" not in result and result["verification"]["verdict"] == "not_verified"
        assert (
            warnings == result["problems"]
            and "The history begins anew with this run, for the run before it, %s, cannot be relied on: " % last.name
            in warnings[0]
        )
        found = verification_of(runs_in(directory)[-1])
        assert [point["run"] for point in found["history"]] == [found["run"]]
        assert all(target["open_since"] != "2026-01-01T00:00:00Z" for target in found["targets"])
        assert not any("history" in problem and found["run"] + ":" in problem for problem in check(directory)["problems"])
        # From here it goes on.
        assert write(directory)["problems"] == [] and len(verification_of(runs_in(directory)[-1])["history"]) == 2

    def test_sums_that_were_written_anew_without_those_over_all_runs(self, directory):
        last = runs_in(directory)[-1]
        forge(last)
        evidence.write_sums(str(last), [(evidence.sha256_of(last / name), name) for name in evidence.files_in(last)])
        assert "its SHA256SUMS was changed" in write(directory)["problems"][0]

    @needs_ssh_keygen
    def test_where_a_key_is_used_only_what_it_signed_is_believed(self, tmp_path, ssh_key):
        key, signers = ssh_key
        folder = tmp_path / "e"
        write(folder, signing_key=key)
        assert write(folder, signing_key=key)["problems"] == []
        forge(runs_in(folder)[-1])
        write_sums_anew(runs_in(folder)[-1])
        result = write(folder, signing_key=key)
        assert "signature" in result["problems"][0]
        assert len(verification_of(runs_in(folder)[-1])["history"]) == 1
        assert not check(folder, signers_file=signers)["intact"]

    @needs_ssh_keygen
    @pytest.mark.parametrize("kind", ["private", "public", "other"])
    def test_whose_signature_it_is(self, tmp_path, ssh_key, kind):
        key = ssh_key[0]
        (tmp_path / "sums").write_text("x")
        signature.sign(str(tmp_path / "sums"), key)
        if kind == "other":
            key = str(tmp_path / "other")
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        reason = signature.why_not_signed_with(str(tmp_path / "sums"), key + (".pub" if kind == "public" else ""))
        assert (reason is None) == (kind != "other")
        if kind == "other":
            assert "another key" in reason and str(tmp_path) not in reason

    @needs_ssh_keygen
    def test_the_first_run_that_is_signed_begins_anew_and_that_is_no_tampering(self, tmp_path, ssh_key):
        key, signers = ssh_key
        write(tmp_path / "e")
        assert "history begins anew" in write(tmp_path / "e", signing_key=key)["problems"][0]
        checked = check(tmp_path / "e", signers_file=signers)
        assert checked["intact"], checked["problems"]
        assert any("its history begins anew" in note for note in checked["notes"])

    @needs_ssh_keygen
    def test_a_forged_history_under_a_valid_signature(self, tmp_path, ssh_key, monkeypatch):
        """Seen: the history was forged in the run before, handed on and signed, and then that run was put back."""
        key, signers = ssh_key
        folder = tmp_path / "e"
        for _number in range(2):
            write(folder, signing_key=key)
        last = runs_in(folder)[-1]
        kept = (last / "verification.json").read_bytes()
        forge(last)
        monkeypatch.setattr(writer, "why_not_trusted", lambda *arguments, **options: None)
        write(folder, signing_key=key)
        (last / "verification.json").write_bytes(kept)
        checked = check(folder, signers_file=signers, signed=True)
        newest = runs_in(folder)[-1].name
        assert [run["signature"] for run in checked["runs"]] == ["valid"] * 3
        assert "%s: its history is not that of the run before it, %s" % (newest, last.name) in checked["problems"]
        assert any("says of exposure 2:Rdp:s since another time" in problem for problem in checked["problems"])

    def test_a_history_that_was_cut_off(self, directory):
        last = runs_in(directory)[-1]
        edit(last, lambda content: content.update(history=content["history"][-1:]))
        write_sums_anew(last)
        assert any("its history begins anew, and the run before it" in problem for problem in check(directory)["problems"])

    def test_a_run_that_could_ask_nobody_has_no_point_of_its_own(self, directory, monkeypatch):
        really = writer.verify

        def without_point(*arguments, **options):
            found = really(*arguments, **options)
            return dict(found, history=found["history"][:-1])

        monkeypatch.setattr(writer, "verify", without_point)
        write(directory)
        monkeypatch.undo()
        write(directory)
        assert check(directory)["intact"], check(directory)["problems"]


class TestLatest:
    @pytest.mark.parametrize(
        "how",
        [
            lambda latest, runs: latest.symlink_to(runs[0].name),
            lambda latest, runs: latest.symlink_to("../elsewhere/%s" % runs[-1].name),
            lambda latest, runs: latest.symlink_to(runs[-1]),
            lambda latest, runs: latest.write_text(runs[1].name + "\n"),
            lambda latest, runs: latest.mkdir(),
            lambda latest, runs: os.mkfifo(latest),
            lambda latest, runs: None,
        ],
    )
    def test_anything_but_the_newest_run_is_a_problem(self, directory, how):
        latest = directory / "latest"
        latest.unlink()
        how(latest, runs_in(directory))
        problems = check(directory)["problems"]
        assert len(problems) == 1 and "latest does not point to the run that ended last" in problems[0]

    def test_sums_in_another_order_make_no_older_run_the_newest(self, directory):
        runs = [run.name for run in runs_in(directory)]
        evidence.write_overall_sums(str(directory), [runs[2], runs[0], runs[1]], None, [])
        (directory / "latest").unlink()
        (directory / "latest").symlink_to(runs[1])
        assert not check(directory)["intact"]

    def test_a_pipe_is_not_replaced(self, directory):
        (directory / "latest").unlink()
        os.mkfifo(directory / "latest")
        result = write(directory)
        assert result["failed"] and "latest cannot point to the run: it is a named pipe" in result["msg"]
        assert stat.S_ISFIFO(os.lstat(directory / "latest").st_mode) and len(runs_in(directory)) == 4


class TestSigners:
    @needs_ssh_keygen
    def test_who_names_signers_wants_signatures(self, tmp_path, ssh_key):
        key, signers = ssh_key
        folder = tmp_path / "e"
        for _number in range(3):
            write(folder, signing_key=key)
        assert check(folder, signers_file=signers)["intact"]
        # One is stripped, then all of them.
        (runs_in(folder)[1] / "SHA256SUMS.sig").unlink()
        checked = check(folder, signers_file=signers)
        assert checked["problems"] == [
            "%s: the signers are named, so a valid signature is wanted: not signed" % runs_in(folder)[1].name
        ]
        for path in folder.rglob("*.sig"):
            path.unlink()
        problems = check(folder, signers_file=signers)["problems"]
        assert "the signers are named, so signatures are wanted, and no run is signed" in problems
        assert not check(runs_in(folder)[0], signers_file=signers)["intact"]

    @needs_ssh_keygen
    def test_a_tool_that_is_missing_is_no_forgery(self, tmp_path, ssh_key, monkeypatch):
        key, signers = ssh_key
        write(tmp_path / "e", signing_key=key)
        monkeypatch.setenv("PATH", str(tmp_path))
        (run,) = check(tmp_path / "e", signers_file=signers)["runs"]
        assert run["signature"] == "unknown" and "ssh-keygen is not installed" in run["signature_detail"]
        assert not run["intact"]

    @pytest.mark.parametrize("ending", [".sig", ".asc"])
    def test_a_signature_that_is_no_file_is_not_opened(self, directory, ending):
        os.mkfifo(str(runs_in(directory)[0] / ("SHA256SUMS" + ending)))
        checked = check(directory)
        assert checked["runs"][0]["signature"] == "invalid" and "is a named pipe" in checked["runs"][0]["signature_detail"]


def make(kind, path):
    """Makes a thing that nobody wrote as evidence."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
        os.chdir(here)
    elif kind in ("link", "dangling"):
        path.symlink_to("/etc" if kind == "link" else "/no/such")
    else:
        path.write_text("x")


class TestAdded:
    @pytest.mark.parametrize("kind", ["file", "folder", "pipe", "socket", "link", "dangling"])
    @pytest.mark.parametrize(
        "name",
        [
            "x",
            ".hidden",
            "more.sig",
            "verification.json.asc",
            "SHA256SUMS.asc~",
            "records/SHA256SUMS",
            "records/SHA256SUMS.sig",
            "records/x",
            "records/.x",
            "-",
            "a\nb",
        ],
    )
    def test_to_a_run(self, directory, kind, name):
        make(kind, runs_in(directory)[1] / name)
        checked = check(directory)
        assert [run["intact"] for run in checked["runs"]] == [True, False, True]
        assert checked["problems"] == ["%s: %s was added" % (runs_in(directory)[1].name, name)]

    def test_a_file_deep_in_folders(self, directory):
        folder = runs_in(directory)[1]
        for _number in range(60):
            folder = folder / "d"
        folder.mkdir(parents=True)
        assert any("d/d/d was added" in problem for problem in check(directory)["problems"])

    @pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
    @pytest.mark.parametrize("name", ["SHA256SUMS", "verification.json", "records/exposures.json"])
    def test_in_the_place_of_a_file(self, directory, kind, name):
        path = runs_in(directory)[1] / name
        path.unlink()
        make(kind, path)
        assert not check(directory)["intact"]

    @pytest.mark.parametrize(
        "kind, name, problem",
        [
            ("file", "readme.txt", False),
            ("folder", "acme", False),
            ("file", "SHA256SUMS.asc", True),
            ("file", "x.sig", True),
            ("file", "verification.html", True),
            ("folder", "20260101T000000Z-copy", True),
            ("file", "20260101T000000Z", True),
            ("pipe", "x", True),
            ("socket", "x", True),
            ("link", "x", True),
            ("dangling", ".x", True),
            ("pipe", "ledger.json", True),
        ],
    )
    def test_beside_the_runs(self, directory, kind, name, problem):
        make(kind, directory / name)
        checked = check(directory)
        told = [text for text in checked["problems" if problem else "notes"] if name in text or "signature" in text]
        assert told and checked["intact"] != problem

    def test_what_belongs_there(self, directory):
        (directory / "ledger.json").write_text("{")
        (directory / "ledger.json.unreadable-20260101T000000Z").write_text("x")
        (directory / "scans.json").write_text('{"schema_version": 1, "records": {}}')
        (directory / files.LOCK).write_text("{}")
        checked = check(directory)
        assert checked["intact"] and checked["notes"] == []

    def test_two_checksums_of_a_file(self, directory):
        with (runs_in(directory)[1] / "SHA256SUMS").open("a") as file:
            file.write("%s  verification.json\n" % ("0" * 64))
        assert any("has two checksums" in problem for problem in check(directory)["problems"])

    def test_what_is_added_before_the_end_is_told_and_stops_nothing(self, tmp_path):
        prepared = call(remediation_evidence, dest=str(tmp_path), exposures=EXPOSURES, state="prepared")
        folder = Path(prepared["folder"])
        for kind, name in (("pipe", "pipe"), ("link", "link"), ("folder", "reports")):
            make(kind, folder / name)
        result = write(tmp_path, run=prepared["run"])
        assert result["failed"] and "pipe is a named pipe, which is no evidence" in result["msg"]
        assert "link is a symbolic link" in result["msg"]
        run = Path(result["verification"]["directory"])
        assert not (run / "reports").exists() and stat.S_ISFIFO(os.lstat(run / "pipe").st_mode)


class TestOneRun:
    def test_what_an_auditor_receives(self, directory, tmp_path):
        run = runs_in(directory)[1]
        shutil.copytree(run, tmp_path / run.name)
        checked = check(tmp_path / run.name)
        assert checked["intact"] and [entry["run"] for entry in checked["runs"]] == [run.name]
        assert checked["runs"][0]["replay"] == "2 of 2 outcomes follow from the answers on record"
        assert any("runs before and after it" in note and "cannot be checked" in note for note in checked["notes"])
        assert check(directory / "latest")["intact"]

    def test_under_another_name(self, directory, tmp_path):
        run = runs_in(directory)[1]
        shutil.copytree(run, tmp_path / "from-acme")
        checked = check(tmp_path / "from-acme")
        assert checked["intact"] and any("is that of the run %s" % run.name in note for note in checked["notes"])
        shutil.copytree(run, tmp_path / "20200101T000000Z")
        assert not check(tmp_path / "20200101T000000Z")["intact"]

    @pytest.mark.parametrize("name", ["verification.json", "SHA256SUMS", "records/exposures.json"])
    def test_that_is_not_what_it_was(self, directory, name):
        run = runs_in(directory)[1]
        (run / name).unlink()
        checked = check(run)
        assert not checked["intact"] and len(checked["runs"]) == 1

    def test_a_folder_of_anything_else(self, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "SHA256SUMS").write_text("%s  a\n" % ("0" * 64))
        assert "there is no finished run in it" in check(tmp_path / "x")["problems"]


class TestOutsideAnchor:
    def test_the_sum_of_a_run(self, directory):
        result = write(directory)
        sums = Path(result["verification"]["directory"]) / "SHA256SUMS"
        sha256 = subprocess.run(["sha256sum", str(sums)], capture_output=True, text=True, check=True).stdout.split()[0]
        assert result["verification"]["run_sha256"] == sha256 == check(directory)["runs"][-1]["sha256"]
        for text in (sha256, sha256.upper(), "sha256:%s\n" % sha256):
            assert check(directory, expect_sha256=[text])["intact"]
            assert check(sums.parent, expect_sha256=[text])["intact"]

    def test_a_directory_that_was_put_back_as_a_whole(self, directory, tmp_path):
        shutil.copytree(directory, tmp_path / "kept", symlinks=True)
        sha256 = write(directory)["verification"]["run_sha256"]
        shutil.rmtree(directory)
        shutil.move(tmp_path / "kept", directory)
        assert check(directory)["intact"]
        checked = check(directory, expect_sha256=[sha256])
        assert not checked["intact"] and "no run here has the SHA-256 %s" % sha256 in checked["problems"][0]

    def test_several_as_lines_of_a_text(self, directory):
        sums = [run["sha256"] for run in check(directory)["runs"]]
        assert check(directory, expect_sha256=["\n".join(sums)])["intact"]
        assert not check(directory, expect_sha256=["\n".join(sums + ["0" * 64])])["intact"]

    @pytest.mark.parametrize("text", ["", " ", "x", "0" * 63, "g" * 64])
    def test_what_is_no_sum(self, directory, text):
        assert "is no SHA-256" in check(directory, expect_sha256=[text])["msg"]


def modes_in(folder):
    """The modes of all files, and of all folders."""
    paths = [folder, *folder.rglob("*")]
    return (
        {stat.S_IMODE(os.lstat(path).st_mode) for path in paths if path.is_file() and not path.is_symlink()},
        {stat.S_IMODE(os.lstat(path).st_mode) for path in paths if path.is_dir() and not path.is_symlink()},
    )


class TestWhoMayRead:
    @pytest.mark.parametrize("mode, of_files, of_folders", [(None, 0o600, 0o700), ("0640", 0o640, 0o750), ("644", 0o644, 0o755)])
    def test_the_mode_is_that_of_everything(self, tmp_path, mode, of_files, of_folders):
        options = {"mode": mode} if mode else {}
        before = os.umask(0o002)
        try:
            prepared = call(
                remediation_evidence,
                dest=str(tmp_path / "a" / "e"),
                exposures=EXPOSURES,
                state="prepared",
                ledger=str(tmp_path / "a" / "e" / "ledger.json"),
                **options,
            )
            # As other modules and users leave it there.
            for name in ("reports", "records"):
                (Path(prepared["folder"]) / name).mkdir(mode=0o777)
                (Path(prepared["folder"]) / name / "more.csv").write_text("x")
            assert "failed" not in write(tmp_path / "a" / "e", run=prepared["run"], formats=["csv", "html"], **options)
        finally:
            os.umask(before)
        assert modes_in(tmp_path / "a") == ({of_files}, {of_folders})

    def test_a_directory_of_the_users_keeps_its_mode(self, tmp_path):
        folder = tmp_path / "e"
        folder.mkdir()
        folder.chmod(0o775)
        write(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o775

    @needs_ssh_keygen
    def test_signatures_too(self, tmp_path, ssh_key):
        write(tmp_path / "e", signing_key=ssh_key[0], mode="0640")
        assert modes_in(tmp_path / "e")[0] == {0o640}

    def test_no_links_here(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "symlink", lambda *arguments: exec("raise PermissionError(1, 'not here')"))
        write(tmp_path / "e")
        assert modes_in(tmp_path / "e")[0] == {0o600}

    # 416 and 420 are what YAML makes of 0640 and 0644 without quotes.
    @pytest.mark.parametrize("mode", ["", "rw", "416", "420", "384", "0400", "0777", "4600", "0o600", "06000"])
    def test_what_is_no_mode_for_them(self, tmp_path, mode):
        result = write(tmp_path / "e", mode=mode)
        assert result["failed"] and "mode: %r is no mode" % mode in result["msg"] and not (tmp_path / "e").exists()


ODD_RESULTS = [
    {"failed": True, "msg": "The task timed out", "timedout": {"frame": "x", "period": 1}},
    {"failed": True, "exception": "Traceback", "module_stdout": "", "msg": "MODULE FAILURE", "rc": 1},
    {"skipped": True, "changed": False},
    {"rcs_requests": None},
    {"rcs_requests": "x"},
    {"rcs_requests": [None, 5, []]},
    {"rcs_requests": [{}]},
    {"rcs_requests": [{"alert_internal_id": {"a": 1}, "outcome": []}]},
    {"results_file": "/no/such"},
    {"results_file": []},
    {"requests": 5, "counts": 5, "rcs_requests": [{"requests": 5}]},
    {"results": [{"rcs_requests": []}]},
    {},
    "",
    "x",
    [1],
    5,
    None,
    True,
    '{"rcs_requests": []}',
]


class TestWhateverWasRegistered:
    @pytest.mark.parametrize("odd", ODD_RESULTS, ids=[json.dumps(odd)[:60] for odd in ODD_RESULTS])
    def test_it_leads_to_evidence(self, tmp_path, odd):
        for name in ("rcs_requests", "alerts", "campaigns", "scans", "reports", "report_infos"):
            options = dict(campaign_ids=["c1"], campaigns=dict(campaigns=[dict(id="c1", status="COMPLETED")]))
            result = write(tmp_path, **dict(options, **{name: odd}))
            assert result["verification"]["counts"]["total"] >= 3
            assert name != "rcs_requests" or not result["verification"]["counts"]["remediated"]
            assert (Path(result["verification"]["directory"]) / "verification.json").exists()
        assert not [problem for problem in check(tmp_path)["problems"] if "sum" in problem.lower() or "history" in problem]

    def test_verify_itself_breaks(self, tmp_path, monkeypatch):
        """Then who asked for something is told that there is no answer."""
        write(tmp_path)
        really = writer.verify

        def verify(results, *arguments, **options):
            found = really(results, *arguments, **options)
            return found if results["rcs_requests"].get("failed") else found["no such key"]

        monkeypatch.setattr(writer, "verify", verify)
        result = write(tmp_path)["verification"]
        first, second = runs_in(tmp_path)
        assert verification_of(second)["history"][0]["run"] == first.name
        assert result["verdict"] == "not_verified" and result["counts"]["inconclusive"] == 2
        assert "could not be judged (KeyError" in result["targets"][0]["reason"]

    @pytest.mark.parametrize("odd", ["deep", "set"])
    def test_a_target_that_cannot_be_written_down_costs_itself(self, tmp_path, monkeypatch, odd):
        deep = []
        for _number in range(100_000):
            deep = [deep]
        really = writer.verify

        def verify(*arguments):
            found = really(*arguments)
            found["targets"][1]["alert"] = deep if odd == "deep" else {1, 2}
            return found

        monkeypatch.setattr(writer, "verify", verify)
        result = write(tmp_path, ["remediated", "remediated"])
        targets = {target["id"]: target["outcome"] for target in result["verification"]["targets"]}
        assert targets == {"1:Rdp:s": "remediated", "2:Rdp:s": "inconclusive"}
        assert len(verification_of(runs_in(tmp_path)[0])["targets"]) == 2

    @pytest.mark.parametrize("ids", ["x" * 5000, {"a": [1]}, ["l"], None, 5.5, "a/b\x00\n\u202e"])
    def test_ids_of_any_kind(self, tmp_path, ids):
        odd = dict(alert_internal_id=ids, attack_surface_rule_id=ids, service_id=ids)
        result = write(tmp_path, exposures=[odd] + EXPOSURES, formats=["csv", "junit", "markdown", "oscal", "html"])
        assert result["verification"]["counts"]["total"] >= 3 and runs_in(tmp_path)


def test_evidence_waits_for_a_lock_only_so_long_and_says_who_holds_it(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "LOCK_SECONDS", 0.1)
    with files.locked(str(tmp_path)):
        result = write(tmp_path)
    assert result["failed"] and "which the process %d on " % os.getpid() in result["msg"]
    assert "Nothing was started" not in result["msg"]


def test_a_run_has_an_id_from_its_beginning(tmp_path):
    ids = {
        call(remediation_evidence, check_mode, dest=str(tmp_path), exposures=EXPOSURES, state="prepared")["run_id"]
        for check_mode in (False, True, False)
    }
    assert len(ids) == 3 and all(len(run_id) == 32 for run_id in ids)
    run = Path(write(tmp_path, run_id="abc")["verification"]["directory"])
    assert json.loads((run / "records" / "asked.json").read_text())["run_id"] == "abc"


def test_what_is_missing_is_called_as_the_module_and_the_role_do(tmp_path):
    text = call(remediation_evidence, dest=str(tmp_path), state="prepared")["msg"]
    assert all(name in text for name in ("one of campaign_ids,", "verify_campaign_ids", " case_ids", "verify_case_ids"))


def test_locks_that_other_machines_do_not_see_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "local_locks", lambda place: "%s is on a file system" % place)
    warnings = []
    call(remediation_evidence, warn=warnings.append, dest=str(tmp_path), exposures=EXPOSURES, state="prepared")
    assert warnings == ["%s is on a file system" % tmp_path]


def test_nothing_of_what_others_wrote_reaches_the_terminal_raw(directory):
    run = runs_in(directory)[1]
    (run / "a\x1b[2J\u202e\x07").write_text("x")
    (directory / "b\x9bx").write_text("x")
    edit(run, lambda content: content.update(verdict="\x1b[32mverified", finished_at="\u2066"))
    checked = check(directory)
    text = json.dumps(checked, ensure_ascii=False)
    assert not set(text) & set("\x1b\x07\x9b\u202e\u2066") and "a\\x1b[2J\\u202e\\x07 was added" in checked["summary"]


@needs_gpg
class TestGpg:
    def names(self, tmp_path, *lines):
        """A file of signers."""
        path = tmp_path / "signers"
        path.write_text("".join(line + "\n" for line in lines))
        return str(path)

    @needs_ssh_keygen
    def test_a_key_of_the_key_ring_does_not_stand_in_for_a_signer_who_is_named(self, tmp_path, ring, ssh_key):
        """Seen: a run was changed, its sums were written anew, and somebody else signed them with gpg."""
        key, signers = ssh_key
        folder = tmp_path / "e"
        write(folder, signing_key=key)
        assert check(folder, signers_file=signers, signed=True)["intact"]
        run = runs_in(folder)[0]
        edit(run, lambda content: content.update(forged=True))
        for path in (run, folder):
            (path / "SHA256SUMS.sig").unlink()
        write_sums_anew(run)
        for path in (run, folder):
            ring.sign(path / "SHA256SUMS", MALLORY)
        for options in (dict(signed=True), dict(signed=False)):
            checked = check(folder, signers_file=signers, **options)
            assert not checked["intact"] and checked["runs"][0]["signature"] == "invalid"
            what = "signed with the gpg key %s (%s), which %s does not name" % (ring.fingerprints[MALLORY], MALLORY, signers)
            assert "%s: the signature is not valid: %s" % (run.name, what) in checked["problems"]
            assert "the signature over all runs is not valid: %s" % what in checked["problems"]

    def test_without_signers_it_is_said_that_any_key_counts(self, tmp_path, ring):
        write(tmp_path / "e", signing_key="audit@example.com")
        checked = check(tmp_path / "e", signed=True)
        assert checked["intact"] and checked["runs"][0]["signature"] == "valid"
        assert checked["runs"][0]["signature_detail"] == (
            "signed by %s with the gpg key %s; no signers are named, so any key of the key ring counts"
            % (AUDIT, ring.fingerprints[AUDIT])
        )

    def test_who_is_named_counts(self, tmp_path, ring):
        write(tmp_path / "e", signing_key="audit@example.com")
        signers = self.names(tmp_path, "audit@example.com gpg " + ring.fingerprints[AUDIT])
        checked = check(tmp_path / "e", signers_file=signers, signed=True)
        assert checked["intact"] and checked["runs"][0]["signature_detail"] == "signed by audit@example.com"

    @pytest.mark.parametrize(
        "line, counts",
        [
            ("audit gpg %s", True),
            ("  audit\tgpg   %s  ", True),
            ("# who may sign\n\naudit gpg %s", True),
            ("bob ssh-ed25519 AAAA\naudit gpg %s\nmallory gpg " + "A" * 40, True),
            ("", False),
            ("# audit gpg %s", False),
            ("#audit gpg %s", False),
            ("audit gpg %.39s", False),
            ("audit gpg %.16s", False),
            ("audit gpg %s0", False),
            ("audit GPG %s", False),
            ("audit ssh-ed25519 %s", False),
            ("gpg %s", False),
            # Whoever makes a key chooses what it is called.
            ("audit@example.com", False),
            ("Audit <audit@example.com>", False),
            ("audit@example.com gpg Audit <audit@example.com>", False),
            ("audit@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZm", False),
        ],
    )
    def test_how_a_key_is_named(self, tmp_path, ring, signed_file, line, counts):
        ring.sign(signed_file, AUDIT)
        fingerprint = ring.fingerprints[AUDIT]
        spaced = " ".join(fingerprint[at : at + 4] for at in range(0, 40, 4))
        for spelling in (fingerprint, fingerprint.lower(), spaced) if counts else (fingerprint,):
            signers = self.names(tmp_path, line % spelling if "%" in line else line)
            status, detail = signature.check_signature(str(signed_file), signers)
            assert status == ("valid" if counts else "invalid")
            assert detail == "signed by audit" if counts else "does not name" in detail

    def test_a_subkey_that_signs(self, tmp_path, ring, signed_file):
        """Either it is named, or its primary key is."""
        ring.gpg("--quick-add-key", ring.fingerprints[AUDIT], "ed25519", "sign", "never")
        listed = ring.gpg("--with-colons", "--list-keys", AUDIT)
        primary, subkey = [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")]
        ring.gpg("--armor", "--local-user", subkey + "!", "--detach-sign", str(signed_file))
        for named, expected in ((primary, "valid"), (subkey, "valid"), (ring.fingerprints[MALLORY], "invalid")):
            signers = self.names(tmp_path, "audit gpg " + named)
            assert signature.check_signature(str(signed_file), signers)[0] == expected

    @pytest.mark.parametrize("named", [AUDIT, MALLORY])
    def test_one_of_two_signatures(self, tmp_path, ring, signed_file, named):
        ring.sign(signed_file, AUDIT, MALLORY)
        signers = self.names(tmp_path, "somebody gpg " + ring.fingerprints[named])
        assert signature.check_signature(str(signed_file), signers) == ("valid", "signed by somebody")
        # All of it has to be right.
        signed_file.write_text("y\n")
        assert signature.check_signature(str(signed_file), signers)[0] == "invalid"

    def test_a_user_id_that_reads_like_another_key(self, tmp_path, ring, signed_file):
        """What gpg says of a signature is told from what the key's maker wrote into it."""
        audit = ring.fingerprints[AUDIT]
        user = "x\u2028[GNUPG:] VALIDSIG %s 2024-01-01 1 0 4 0 22 8 00 %s" % (audit, audit)
        ring.make(user)
        ring.sign(signed_file, user)
        signers = self.names(tmp_path, "audit gpg " + audit)
        status, detail = signature.check_signature(str(signed_file), signers)
        assert status == "invalid" and detail.startswith("signed with the gpg key " + ring.fingerprints[user])
        assert "another key" in signature.why_not_signed_with(str(signed_file), "audit@example.com")

    @pytest.mark.parametrize("what, expected", [("key", "unknown"), ("signature", "unknown"), ("revoked", "invalid")])
    @pytest.mark.parametrize("named", [False, True])
    def test_what_is_over_is_not_valid(self, tmp_path, ring, signed_file, what, expected, named):
        user, at = "Old <old@example.com>", ("--faked-system-time", "20240101T010000")
        fingerprint = ring.make(user, ends="2d" if what == "key" else "never")
        ring.sign(signed_file, user, options=at + (("--default-sig-expire", "1d") if what == "signature" else ()))
        if what == "revoked":
            ring.revoke(user)
        signers = self.names(tmp_path, "old gpg " + fingerprint) if named else None
        status, detail = signature.check_signature(str(signed_file), signers)
        assert status == expected
        assert dict(key="a gpg key that has expired", signature="until a time that is over", revoked="revoked")[what] in detail
        assert signature.why_not_signed_with(str(signed_file), "old@example.com")
        signed_file.write_text("y\n")
        assert signature.check_signature(str(signed_file), signers)[0] == "invalid"

    def test_a_key_that_is_not_in_the_ring(self, tmp_path, ring, signed_file):
        ring.sign(signed_file, AUDIT)
        ring.gpg("--delete-secret-and-public-key", ring.fingerprints[AUDIT])
        signers = self.names(tmp_path, "audit gpg " + ring.fingerprints[AUDIT])
        for trusted in (None, signers):
            status, detail = signature.check_signature(str(signed_file), trusted)
            assert status == "unknown" and "import the signer's public key" in detail

    def test_only_a_key_that_can_sign_here_is_the_one_that_signs_here(self, ring, signed_file):
        """Seen from the key ring alone, somebody else's may have the same user id."""
        other = ring.make("Auditor <audit@example.com>")
        ring.sign(signed_file, "Auditor <audit@example.com>")
        ring.gpg("--delete-secret-keys", other)
        assert "another key" in signature.why_not_signed_with(str(signed_file), "audit@example.com")
        ring.sign(signed_file, AUDIT)
        assert signature.why_not_signed_with(str(signed_file), "audit@example.com") is None
        assert "another key" in signature.why_not_signed_with(str(signed_file), "mallory@example.com")

    @needs_ssh_keygen
    def test_both_kinds_in_one_file(self, tmp_path, ring, ssh_key):
        """A line for gpg keeps nobody from being found by ssh-keygen, wherever it stands."""
        key, signers = ssh_key
        write(tmp_path / "e", signing_key=key)
        ssh = Path(signers).read_text().strip()
        for lines in ((ssh, "a gpg " + ring.fingerprints[AUDIT]), ("a gpg " + ring.fingerprints[AUDIT], ssh)):
            checked = check(tmp_path / "e", signers_file=self.names(tmp_path, *lines), signed=True)
            assert checked["intact"] and checked["runs"][0]["signature_detail"] == "signed by audit@example.com"
