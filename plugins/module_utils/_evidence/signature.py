# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of evidence, made and checked by ssh-keygen or gpg. Private to the collection."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile

from ansible_collections.secops.remediation.plugins.module_utils._common.files import FILE_MODE, kind_of, open_regular

SIGNATURES = (".sig", ".asc")
# The namespace that ssh-keygen's manual proposes for files.
SSH_NAMESPACE = "file"
FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


class SignatureProblem(Exception):
    """A file could not be signed. The text says why."""


def signature_ending(key: str | None) -> str | None:
    """What a signature's name ends with that a key makes, or None without a key."""
    return None if not key else ".sig" if os.path.isfile(os.path.expanduser(key)) else ".asc"


def remove_signatures(path: str) -> None:
    """Removes the signatures beside a file. Raises OSError."""
    for ending in SIGNATURES:
        if os.path.lexists(path + ending):
            os.unlink(path + ending)


def sign(path: str, key: str | None, mode: int = FILE_MODE) -> None:
    """Signs a file with a detached signature beside it. key: an SSH key file, or what gpg calls a user id, or None.
    mode: of the signature's file.

    An SSH private key, or a public one whose private key an agent holds, makes PATH.sig; any other key PATH.asc.
    Raises SignatureProblem.
    """
    if not key:
        return
    made = path + (signature_ending(key) or "")
    if made.endswith(".sig"):
        command = ["ssh-keygen", "-Y", "sign", "-n", SSH_NAMESPACE, "-f", os.path.expanduser(key), path]
    elif os.sep in key:
        raise SignatureProblem("Cannot sign: there is no key file %s." % key)
    else:
        command = ["gpg", "--batch", "--yes", "--armor", "--detach-sign", "--local-user", key, path]
    try:
        remove_signatures(path)
        status, _output, words = run_tool(command)
        if status or not os.path.exists(made):
            raise SignatureProblem("Cannot sign with %r: %s says: %s" % (key, command[0], words))
        os.chmod(made, mode)
    except OSError as error:
        raise SignatureProblem("Cannot sign with %r: %s." % (key, error.strerror)) from error


def check_signature(path: str, signers_file: str | None = None) -> tuple[str | None, str]:
    """What a signature beside a file is worth, as (`valid`, `invalid`, `unknown` or None for none, a sentence)."""
    ending = next((ending for ending in SIGNATURES if os.path.lexists(path + ending)), None)
    if ending is None:
        return None, "not signed"
    for name in (path, path + ending):
        status = os.lstat(name) if os.path.lexists(name) else None
        if status is None or not stat.S_ISREG(status.st_mode):
            return "invalid", "%s is %s" % (os.path.basename(name), kind_of(status) if status else "missing")
    if ending == ".sig":
        return check_ssh_signature(path, signers_file)
    return check_gpg_signature(path, signers_file)


def check_gpg_signature(path: str, signers_file: str | None) -> tuple[str, str]:
    """As check_signature, for a signature that gpg made."""
    # Else gpg may fetch whatever key made it, and then call it good.
    status, output, words = run_tool(
        ["gpg", "--batch", "--no-auto-key-retrieve", "--status-fd", "1", "--verify", path + ".asc", path]
    )
    good = gpg_signatures(output) if status == 0 else []
    if good and not signers_file:
        return "valid", "signed by %s with the gpg key %s; no signers are named, so any key of the key ring counts" % (
            good[0][0],
            good[0][1][0],
        )
    if good and signers_file:
        named = gpg_signers(signers_file)
        signer = next((named[key] for _user, keys in good for key in keys if key in named), None)
        if signer is None:
            return "invalid", "signed with the gpg key %s (%s), which %s does not name" % (
                good[0][1][0],
                good[0][0],
                signers_file,
            )
        return "valid", "signed by %s" % signer
    said = set(re.findall(r"^\[GNUPG:\] (\w+)", output, re.MULTILINE))
    if not said & {"BADSIG", "REVKEYSIG"}:
        for word, what in (
            ("EXPKEYSIG", "with a gpg key that has expired"),
            ("EXPSIG", "until a time that is over"),
            ("NO_PUBKEY", "with a key that gpg does not know here: import the signer's public key"),
        ):
            if word in said:
                return "unknown", "signed %s" % what
    return ("unknown" if status in (126, 127) else "invalid"), "gpg says: %s" % words


def gpg_signatures(output: str) -> list[tuple[str, list[str]]]:
    """The good signatures that gpg tells of: (user id, [fingerprint of the primary key, of the one that signed]) of each.

    output: its status lines. A user id may hold any text, so only the beginning of a line says what the line is.
    """
    found = []
    for part in re.split(r"^\[GNUPG:\] NEWSIG\b.*$", output, flags=re.MULTILINE):
        good = re.search(r"^\[GNUPG:\] GOODSIG \S+ (.*)$", part, re.MULTILINE)
        valid = re.search(r"^\[GNUPG:\] VALIDSIG (.*)$", part, re.MULTILINE)
        if good and valid:
            fields = valid[1].split()
            found.append((good[1], [fields[-1], fields[0]]))
    return found


def gpg_keys(path: str) -> list[str]:
    """The fingerprints of the keys that made the good signatures of gpg beside a file, the primary key's before its own."""
    status, output, _words = run_tool(
        ["gpg", "--batch", "--no-auto-key-retrieve", "--status-fd", "1", "--verify", path + ".asc", path]
    )
    return [key for _user, keys in gpg_signatures(output) for key in keys] if status == 0 else []


def gpg_signers(signers_file: str) -> dict[str, str]:
    """Whom a file of signers names with a gpg key: {fingerprint: principal}. Raises OSError.

    ssh-keygen passes over such a line: PRINCIPAL gpg FINGERPRINT. A user id would be no name: who makes a key chooses it.
    """
    with open_regular(signers_file) as file:
        lines = file.read().decode("utf-8", "replace").splitlines()
    signers = {}
    for words in map(str.split, lines):
        fingerprint = "".join(words[2:]).upper()
        if words[1:2] == ["gpg"] and not words[0].startswith("#") and FINGERPRINT.fullmatch(fingerprint):
            signers[fingerprint] = words[0]
    return signers


def check_ssh_signature(path: str, signers_file: str | None) -> tuple[str, str]:
    """As check_signature, for a signature that ssh-keygen made."""
    with open_regular(path, follow=False) as file:
        content = file.read()
    if signers_file:
        status, output, words = run_tool(["ssh-keygen", "-Y", "find-principals", "-s", path + ".sig", "-f", signers_file])
        signer = output.strip().splitlines()[0] if status == 0 and output.strip() else None
        if status in (126, 127):
            return "unknown", words
        if signer is None:
            if "expired" in words:
                return "unknown", "signed with a key that has expired, according to %s" % signers_file
            return "invalid", "signed with a key that %s does not name" % signers_file
        status, output, words = run_tool(
            ["ssh-keygen", "-Y", "verify", "-n", SSH_NAMESPACE, "-f", signers_file, "-I", signer, "-s", path + ".sig"], content
        )
        return ("invalid", words) if status else ("valid", "signed by %s" % signer)
    status, output, words = run_tool(["ssh-keygen", "-Y", "check-novalidate", "-n", SSH_NAMESPACE, "-s", path + ".sig"], content)
    if status:
        return ("unknown" if status in (126, 127) else "invalid"), "ssh-keygen says: %s" % words
    key = re.search(r"SHA256:\S+", output)
    return "unknown", "signed with the key %s; give signers_file (evidence_signers_file of the playbook) to know whose it is" % (
        key.group() if key else "of an unknown signer"
    )


def why_not_signed_with(path: str, key: str) -> str | None:
    """Why a file has no valid signature of the key that signs here, in words, or None where it has one."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as signers:
        if signature_ending(key) == ".sig":
            signers.write("signer %s\n" % public_key(os.path.expanduser(key)))
        else:
            signers.writelines("signer gpg %s\n" % fingerprint for fingerprint in fingerprints(key))
        signers.flush()
        status, detail = check_signature(path, signers.name)
    if "does not name" in detail:
        detail = "signed with another key"
    return None if status == "valid" else "it has no valid signature of the key that signs here (%s)" % detail


def fingerprints(key: str) -> list[str]:
    """The fingerprints of the keys that can sign here for what gpg calls by this user id, as a list.

    Others with such a user id may have come into the key ring from anywhere.
    """
    output = run_tool(["gpg", "--batch", "--with-colons", "--list-secret-keys", key])[1]
    return re.findall(r"^fpr:+([^:]+):", output, re.MULTILINE)


def public_key(path: str) -> str:
    """The public half of an SSH key on one line, or an empty text. path: the file of the private or the public one."""
    try:
        with open_regular(path) as file:
            text = file.read(100_000).decode("utf-8", "replace").strip()
        if not text.startswith("-----BEGIN"):
            return text.splitlines()[0] if text else ""
        status, output, _words = run_tool(["ssh-keygen", "-y", "-P", "", "-f", path])
        if not status:
            return output.strip()
        # It has a passphrase, and an agent signs.
        with open_regular(path + ".pub") as file:
            return file.read(100_000).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def run_tool(command: list[str], content: bytes = b"") -> tuple[int, str, str]:
    """Runs a tool that must not ask anybody anything. Returns (exit status, its output, all that it says in words).

    The exit status is 127 where it is missing, and 126 where it did not run.
    """
    environment = dict(os.environ, LC_ALL="C", SSH_ASKPASS_REQUIRE="never")
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, check=False, timeout=60, env=environment, start_new_session=True
        )
    except FileNotFoundError:
        return 127, "", "%s is not installed" % command[0]
    except (OSError, subprocess.TimeoutExpired) as error:
        return 126, "", "%s did not run: %s" % (command[0], error)
    # A warning among the output would be taken for a part of it.
    output, warnings = (said.decode("utf-8", "replace") for said in (done.stdout, done.stderr))
    return done.returncode, output, first_lines(output + warnings)


def first_lines(output: str) -> str:
    """What a tool said, on one line."""
    lines = [line.strip() for line in output.splitlines() if not line.startswith("[GNUPG:]")]
    return "; ".join(line for line in lines if line)[:500] or "nothing"
