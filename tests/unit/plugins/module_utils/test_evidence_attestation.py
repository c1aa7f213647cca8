# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attestation of a run: what in-toto and securesystemslib read in it, and what a check says of one that was touched."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import shutil
import subprocess

import pytest
import verification_samples as samples
from google.protobuf import json_format
from hypothesis import given
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from test_evidence import check, latest, needs_gpg, needs_ssh_keygen, read, write, write_sums_anew
from test_evidence_formats import CONTENT, QUICKLY

from ansible_collections.secops.remediation.plugins.module_utils._evidence import attestation, raw_signature, record, writer
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_attestation import statement
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import SignatureProblem

NAME = "verification.intoto.json"
ONLY = ["attestation"]
SAMPLES = samples.all_samples()
GOOD = dict(SAMPLES["verified"], replay=dict(followed=2, total=2))
needs_tools = pytest.mark.skipif(
    not all(map(shutil.which, ("ssh-keygen", "ssh-agent", "ssh-add", "openssl"))), reason="openssh or openssl is not installed"
)


def predicate(verification):
    """The predicate of the statement about a content of verification.json."""
    return statement(verification, {"verification.json": "0" * 64}, {})["predicate"]


def payload(directory):
    """The statement of the latest run, and the envelope around it or None."""
    content = json.loads((latest(directory) / NAME).read_text())
    return (json.loads(base64.b64decode(content["payload"])), content) if "payload" in content else (content, None)


def sha256(path):
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def key_pair(folder, kind="ed25519", *options):
    """The path of a new SSH key."""
    path = folder / ("key-%s" % kind)
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *options, "-N", "", "-f", str(path)], check=True)
    return path


def signers(folder, key):
    """The path of a file that names a key's owner."""
    path = folder / "signers"
    path.write_text("audit@example.com %s" % key.with_suffix(".pub").read_text())
    return str(path)


def library_key(key, keyid):
    """The public half of an SSH key as securesystemslib has it."""
    command = ["ssh-keygen", "-e", "-m", "PKCS8", "-f", str(key.with_suffix(".pub"))]
    algorithm, blob = key.with_suffix(".pub").read_text().split()[:2]
    if algorithm == "ssh-ed25519":
        return SSlibKey(keyid, "ed25519", "ed25519", {"public": base64.b64decode(blob)[-32:].hex()})
    public = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kind, scheme = ("rsa", "rsa-pkcs1v15-sha256") if algorithm == "ssh-rsa" else ("ecdsa", algorithm)
    return SSlibKey(keyid, kind, scheme, {"public": public})


class TestStatement:
    def test_passed_only_where_all_is_verified(self):
        assert predicate(GOOD) == dict(
            result="PASSED",
            configuration=[],
            passedTests=["%s %s" % (target["kind"], target["id"]) for target in GOOD["targets"]],
            warnedTests=[],
            failedTests=[],
        )

    @pytest.mark.parametrize("verdict", ["not_verified", "incomplete", None, "VERIFIED", ["verified"], True])
    def test_another_verdict(self, verdict):
        assert predicate(dict(GOOD, verdict=verdict))["result"] == "FAILED"

    @pytest.mark.parametrize("outcome", ["unremediated", "inconclusive", "pending", "great", None])
    def test_one_target_that_is_not_remediated(self, outcome):
        content = copy.deepcopy(GOOD)
        content["targets"][1]["outcome"] = outcome
        found = predicate(content)
        assert (found["result"], found["warnedTests"], len(found["failedTests"])) == ("FAILED", [], 1)

    @pytest.mark.parametrize(
        "changes",
        [
            dict(targets=[]),
            dict(targets=[], replay=dict(followed=0, total=0)),
            dict(targets=None),
            dict(targets=[dict(kind="badge", id="b1", outcome="remediated", reason="")], replay=dict(followed=1, total=1)),
            dict(lookups=[dict(kind="case", asked=71, found=0, problem="not found")]),
            dict(replay=None),
            dict(replay=dict(followed=1, total=2)),
            dict(replay=dict(followed=1, total=1)),
            dict(replay=dict(followed=None, total=None)),
        ],
    )
    def test_nothing_less_is_enough(self, changes):
        assert predicate(dict(GOOD, **changes))["result"] == "FAILED"

    def test_what_is_accepted_has_not_passed(self):
        found = predicate(SAMPLES["accepted"])
        assert found["result"] == "FAILED" and len(found["failedTests"]) >= 1

    @given(CONTENT)
    @QUICKLY
    def test_no_odd_value_is_a_success(self, content):
        found, readable = predicate(content), record.readable(content)
        assert json.loads(json.dumps(found)) == found
        if found["result"] == "PASSED":
            assert readable["verdict"] == "verified" and readable["counts"]["total"] == readable["counts"]["remediated"] > 0

    def test_every_target_and_look_up_is_a_test(self):
        content = dict(SAMPLES["every outcome"], lookups=[dict(kind="case", asked=71, found=0, problem="not found")])
        found = predicate(content)
        assert len(found["passedTests"]) == 2 and len(found["failedTests"]) == 7
        assert found["failedTests"][-1] == "look-up: case 71: not found"

    def test_an_agent_can_sign_it_however_much_there_is(self):
        for content in (samples.many(5000), dict(samples.hostile(), targets=samples.hostile()["targets"] * 400)):
            found = predicate(content)
            assert len(json.dumps(found)) < 250_000 and found["result"] == "FAILED"
            assert found["failedTests"][-1].endswith(" more, see verification.json")

    @pytest.mark.parametrize("name", SAMPLES)
    def test_in_toto_takes_it(self, name):
        content = statement(
            SAMPLES[name], {"verification.json": "0" * 64, "SHA256SUMS": "1" * 64}, {"records/asked.json": "2" * 64}
        )
        message = json_format.ParseDict(content, StatementMessage())
        Statement.copy_from_pb(message).validate()
        assert json_format.MessageToDict(message) == content
        result = json_format.ParseDict(content["predicate"], test_result_pb2.TestResult())
        assert result.result in ("PASSED", "FAILED") and result.configuration[0].digest["sha256"] == "2" * 64


class TestWritten:
    def test_it_is_about_the_files_that_are_there(self, tmp_path):
        result = write(tmp_path, ["remediated"] * 2, formats=ONLY)
        run = latest(tmp_path)
        content, envelope = payload(tmp_path)
        assert envelope is None and content["predicate"]["result"] == "PASSED"
        assert {one["name"]: one["digest"]["sha256"] for one in content["subject"]} == {
            name: sha256(run / name) for name in ("verification.json", "SHA256SUMS")
        }
        assert content["predicate"]["configuration"][0]["digest"]["sha256"] == sha256(run / "records" / "asked.json")
        assert NAME not in evidence.read_sums(run) and read(tmp_path)["attestation"] == NAME
        assert evidence.read_sums(tmp_path)["%s/%s" % (run.name, NAME)] == sha256(run / NAME)
        assert result["verification"]["files"]["attestation"] == str(tmp_path / run.name / NAME)
        assert os.stat(run / NAME).st_mode & 0o777 == 0o600
        assert check(tmp_path)["intact"]

    def test_who_wants_none_gets_none(self, tmp_path):
        write(tmp_path, formats=["csv"])
        assert read(tmp_path)["attestation"] is None and not (latest(tmp_path) / NAME).exists() and check(tmp_path)["intact"]

    def test_a_run_that_is_not_closed_has_none(self, tmp_path, monkeypatch):
        """Wherever it is killed before it has its name."""
        places = (evidence, "write_sums"), (evidence, "sign_or_say"), (evidence, "runs_as_they_ended"), (os, "rename")
        for place in places:
            monkeypatch.setattr(*place, lambda *arguments: exec("raise KeyboardInterrupt"))
            with pytest.raises(KeyboardInterrupt):
                write(tmp_path, ["remediated"] * 2, formats=ONLY)
            monkeypatch.undo()
        assert list(tmp_path.glob("*.unfinished")) and not list(tmp_path.rglob(NAME)) and not evidence.finished_runs(tmp_path)

    def test_a_run_that_was_killed_before_its_attestation_is_told(self, tmp_path, monkeypatch):
        monkeypatch.setattr(evidence, "write_attestation", lambda *arguments: exec("raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, ["remediated"] * 2, formats=ONLY)
        monkeypatch.undo()
        run = evidence.finished_runs(tmp_path)[0]
        assert "%s: %s is missing" % (run, NAME) in check(tmp_path)["problems"]

    def test_evidence_that_is_not_whole_is_not_attested(self, tmp_path, monkeypatch):
        monkeypatch.setattr(writer, "replay", lambda folder, found: dict(followed=2, total=2, problems=["a record is damaged"]))
        result = write(tmp_path, ["remediated"] * 2, formats=ONLY)
        assert result["failed"] and "a record is damaged. So nothing attests this run." in result["msg"]
        assert read(tmp_path)["attestation"] is None and not list(tmp_path.rglob(NAME))

    def test_check_mode_writes_none(self, tmp_path):
        write(tmp_path, ["remediated"] * 2, check_mode=True)
        assert not list(tmp_path.rglob(NAME))

    def test_one_that_lies_there_already_is_replaced(self, tmp_path):
        run, folder = writer.begin(str(tmp_path), None, 0o600, ONLY)
        with open(os.path.join(folder, NAME), "w", encoding="utf-8") as file:
            file.write("{}")
        write(tmp_path, ["remediated"] * 2, formats=ONLY, run=run)
        assert payload(tmp_path)[0]["predicate"]["result"] == "PASSED" and check(tmp_path)["intact"]


class TestTouched:
    """Without a signature: whatever is changed shows, for it is made again from what it is about."""

    @pytest.fixture
    def directory(self, tmp_path):
        """Two runs; the problems are of the last."""
        for _number in range(2):
            write(tmp_path, formats=ONLY)
        return tmp_path

    def problems(self, directory):
        """What is wrong with the last run and the directory, after whoever touched it has written the sums anew."""
        write_sums_anew(directory)
        found = check(directory)
        assert found["intact"] == (not found["problems"])
        return found["problems"]

    @pytest.mark.parametrize(
        "old, new", [('"FAILED"', '"PASSED"'), ("}", "} "), ('"sha256": "', '"sha256": "0'), ("exposure 1", "x")]
    )
    def test_it_was_changed(self, directory, old, new):
        path = latest(directory) / NAME
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        assert self.problems(directory) == ["%s: %s was changed, or is about something else" % (latest(directory).name, NAME)]

    def test_it_is_missing(self, directory):
        (latest(directory) / NAME).unlink()
        assert self.problems(directory) == ["%s: %s is missing" % (latest(directory).name, NAME)]

    def test_it_is_no_file(self, directory):
        (latest(directory) / NAME).unlink()
        (latest(directory) / NAME).symlink_to("verification.json")
        (problem,) = self.problems(directory)
        assert "is no file any more" in problem

    def test_it_is_that_of_another_run(self, directory):
        runs = evidence.finished_runs(directory)
        shutil.copyfile(directory / runs[0] / NAME, directory / runs[1] / NAME)
        assert any("is about something else" in problem for problem in self.problems(directory))

    def test_one_was_added(self, directory):
        write(directory, formats=[])
        runs = evidence.finished_runs(directory)
        shutil.copyfile(directory / runs[1] / NAME, directory / runs[2] / NAME)
        assert self.problems(directory) == ["%s: %s was added" % (runs[2], NAME)]

    def test_the_sums_have_one_of_it(self, directory):
        run = latest(directory)
        with (run / "SHA256SUMS").open("a", encoding="utf-8") as file:
            file.write("%s  %s\n" % (sha256(run / NAME), NAME))
        assert "%s: SHA256SUMS has a checksum of %s, which can only come after it" % (run.name, NAME) in self.problems(directory)

    def test_it_is_an_envelope_that_nobody_signed(self, directory):
        run = latest(directory)
        content = attestation.payload_of(str(run))
        for signatures in ([], [("x", b"x" * 64)], [("x", b"x"), ("y", b"y")]):
            (run / NAME).write_text(attestation.envelope(content, signatures))
            assert len(self.problems(directory)) == 1

    @pytest.mark.parametrize("name", ["another.json", 5, ["verification.intoto.json"], True])
    def test_the_record_names_another(self, directory, name):
        run = latest(directory)
        (run / "verification.json").write_text(json.dumps(dict(read(directory), attestation=name)))
        evidence.write_sums(run, [(evidence.sha256_of(run / path), path) for path in evidence.files_in(run)])
        assert any("names another attestation" in problem for problem in self.problems(directory))

    def test_the_next_run_does_not_go_on_from_it(self, directory):
        path = latest(directory) / NAME
        path.write_text(path.read_text().replace("FAILED", "PASSED"))
        result = write(directory, formats=ONLY)
        assert any("was changed, or is about something else" in problem for problem in result["problems"])
        assert len(read(directory)["history"]) == 1

    def test_a_single_run_tells_as_well(self, directory, tmp_path_factory):
        run = tmp_path_factory.mktemp("sent") / latest(directory).name
        shutil.copytree(latest(directory), run)
        assert check(run)["intact"]
        (run / NAME).unlink()
        assert check(run)["problems"] == ["%s: %s is missing" % (run.name, NAME)]


@needs_tools
class TestSigned:
    @pytest.mark.parametrize(
        "kind, options", [("ed25519", []), ("rsa", ["-b", "3072"]), ("ecdsa", ["-b", "256"]), ("ecdsa", ["-b", "521"])]
    )
    def test_libraries_of_others_verify_it(self, tmp_path, kind, options):
        key = key_pair(tmp_path, kind, *options)
        directory = tmp_path / "evidence"
        assert "failed" not in write(directory, ["remediated"] * 2, formats=ONLY, signing_key=str(key))
        content, envelope = payload(directory)
        assert envelope["payloadType"] == "application/vnd.in-toto+json" and content["predicate"]["result"] == "PASSED"
        keyid = envelope["signatures"][0]["keyid"]
        listed = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], check=True, capture_output=True, text=True).stdout
        assert keyid in listed
        read_again = Envelope.from_dict(copy.deepcopy(envelope))
        assert list(read_again.verify([library_key(key, keyid)], 1)) == [keyid]
        Statement.copy_from_pb(json_format.Parse(read_again.payload, StatementMessage())).validate()
        # And so does the check.
        checked = check(directory, signers_file=signers(tmp_path, key))
        assert checked["intact"] and not checked["notes"], checked

    @pytest.fixture
    def directory(self, tmp_path):
        """A signed run."""
        folder = tmp_path / "evidence"
        assert "failed" not in write(folder, formats=ONLY, signing_key=str(key_pair(tmp_path)))
        return folder

    def problems(self, directory, tmp_path):
        """What a check with the signers says of the run. The sums over all runs are as they were."""
        found = check(directory, signers_file=signers(tmp_path, tmp_path / "key-ed25519"))
        return [problem for problem in found["problems"] if not problem.startswith("SHA256SUMS says something else of the run")]

    def test_another_key(self, directory, tmp_path):
        (tmp_path / "other").mkdir()
        other = key_pair(tmp_path / "other")
        run = latest(directory)
        (run / NAME).write_text(attestation.attest(str(run), str(other), []))
        (problem,) = self.problems(directory, tmp_path)
        assert "signed with another key" in problem
        # Nor where nobody says whose keys they are: the checksums are signed with one, and the attestation with another.
        assert any("signed with another key" in problem for problem in check(directory)["problems"])
        # Nor under the name of the key.
        read_again = json.loads((run / NAME).read_text())
        made = base64.b64decode(read_again["signatures"][0]["sig"])
        keyid = raw_signature.sign_raw(b"", str(tmp_path / "key-ed25519"))[0]
        (run / NAME).write_text(attestation.envelope(attestation.payload_of(str(run)), [(keyid, made)]))
        (problem,) = self.problems(directory, tmp_path)
        assert "not signed with the key" in problem

    def test_a_signature_of_another_payload(self, directory, tmp_path):
        run = latest(directory)
        keyid, made = raw_signature.sign_raw(b"something else", str(tmp_path / "key-ed25519"))
        (run / NAME).write_text(attestation.envelope(attestation.payload_of(str(run)), [(keyid, made)]))
        (problem,) = self.problems(directory, tmp_path)
        assert "not signed with the key" in problem

    def test_the_signature_was_taken_away(self, directory, tmp_path):
        (latest(directory) / NAME).write_text(attestation.attest(str(latest(directory)), None, []))
        assert self.problems(directory, tmp_path) == ["%s: %s is not signed, and SHA256SUMS is" % (latest(directory).name, NAME)]

    def test_the_signature_of_the_checksums_was_taken_away(self, directory):
        (latest(directory) / "SHA256SUMS.sig").unlink()
        assert any("is signed, and SHA256SUMS is not" in problem for problem in check(directory)["problems"])

    def test_what_cannot_be_checked_is_not_valid(self, directory, tmp_path, monkeypatch):
        tool = raw_signature.run_tool

        def without_openssl(command, *more):
            return (127, "", "openssl is not installed") if command[0] == "openssl" else tool(command, *more)

        monkeypatch.setattr(raw_signature, "run_tool", without_openssl)
        (problem,) = self.problems(directory, tmp_path)
        assert "not checked: openssl says: openssl is not installed" in problem
        # Where nobody asked for a signature that is valid, it is only said.
        found = check(directory)
        assert found["intact"] and any("openssl is not installed" in note for note in found["notes"])

    def test_an_agent_that_has_the_key(self, tmp_path, monkeypatch):
        key = key_pair(tmp_path)
        with raw_signature.agent_with(str(key)) as place:
            monkeypatch.setenv("SSH_AUTH_SOCK", place)
            key.unlink()
            result = write(tmp_path / "evidence", formats=ONLY, signing_key=str(key.with_suffix(".pub")))
        assert "failed" not in result and check(tmp_path / "evidence", signers_file=signers(tmp_path, key))["intact"]

    def test_a_key_that_cannot_sign_is_told_before_anything_is_started(self, tmp_path):
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(key)], check=True)
        with pytest.raises(SignatureProblem, match="ssh-add says"):
            raw_signature.sign_raw(b"", str(key))
        security_key = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t x"
        key.write_text(security_key)
        with pytest.raises(SignatureProblem, match="leave attestation out of the formats"):
            raw_signature.sign_raw(b"", str(key))
        assert not list(tmp_path.glob("evidence/2*"))

    def test_where_it_cannot_be_signed_that_is_told(self, tmp_path, monkeypatch):
        def sign_raw(content, key):
            raise SignatureProblem("no agent")

        monkeypatch.setattr(attestation, "sign_raw", sign_raw)
        result = write(tmp_path / "evidence", formats=ONLY, signing_key=str(key_pair(tmp_path)))
        assert result["failed"] and "%s is not signed: no agent" % NAME in result["msg"]
        assert payload(tmp_path / "evidence")[1] is None
        assert any("is not signed, and SHA256SUMS is" in problem for problem in check(tmp_path / "evidence")["problems"])


@needs_gpg
@needs_ssh_keygen
class TestGpg:
    @pytest.fixture
    def fingerprint(self, tmp_path_factory, monkeypatch):
        """Of a gpg key that can sign."""
        # The path of its agent's socket must be short.
        home = tmp_path_factory.mktemp("g")
        home.chmod(0o700)
        monkeypatch.setenv("GNUPGHOME", str(home))
        command = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "audit@example.com", "ed25519", "sign", "never"]
        subprocess.run(command, check=True, capture_output=True)
        listed = subprocess.run(["gpg", "--with-colons", "--list-keys"], check=True, capture_output=True, text=True).stdout
        yield [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")][0]
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False)

    def test_gpg_verifies_what_the_envelope_is_of(self, tmp_path, fingerprint):
        directory = tmp_path / "evidence"
        assert "failed" not in write(directory, ["remediated"] * 2, formats=ONLY, signing_key="audit@example.com")
        _content, envelope = payload(directory)
        assert envelope["signatures"][0]["keyid"] == fingerprint
        read_again = Envelope.from_dict(copy.deepcopy(envelope))
        (tmp_path / "pae").write_bytes(read_again.pae())
        (tmp_path / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        subprocess.run(["gpg", "--batch", "--verify", tmp_path / "signature", tmp_path / "pae"], check=True, capture_output=True)
        (tmp_path / "signers").write_text("audit@example.com gpg %s\n" % fingerprint)
        checked = check(directory, signers_file=str(tmp_path / "signers"))
        assert checked["intact"], checked
        signature = base64.b64decode(envelope["signatures"][0]["sig"])
        changed = signature[:-4] + bytes(4)
        path = latest(directory) / NAME
        path.write_text(attestation.envelope(read_again.payload, [(fingerprint, changed)]))
        found = check(directory, signers_file=str(tmp_path / "signers"))
        assert any("the signature in %s" % NAME in problem for problem in found["problems"])

    def test_another_name_than_that_of_the_key(self, tmp_path, fingerprint):
        directory = tmp_path / "evidence"
        write(directory, ["remediated"] * 2, formats=ONLY, signing_key="audit@example.com")
        (tmp_path / "signers").write_text("audit@example.com gpg %s\n" % fingerprint)
        path = latest(directory) / NAME
        path.write_text(path.read_text().replace(fingerprint, "0" * 40))
        for options in ({}, dict(signers_file=str(tmp_path / "signers"))):
            assert any("the signature in %s" % NAME in problem for problem in check(directory, **options)["problems"])

    def test_another_key_of_the_key_ring(self, tmp_path, fingerprint):
        """It must be the one of the checksums, as with SSH."""
        directory = tmp_path / "evidence"
        write(directory, ["remediated"] * 2, formats=ONLY, signing_key=fingerprint)
        command = ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "other@example.com", "ed25519", "sign", "never"]
        subprocess.run(command, check=True, capture_output=True)
        path = latest(directory) / NAME
        path.write_text(attestation.attest(str(latest(directory)), "other@example.com", []))
        assert any("the signature in %s" % NAME in problem for problem in check(directory)["problems"])
