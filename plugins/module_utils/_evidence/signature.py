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


class SignatureProblem(Exception):
    """A file could not be signed. The text says why."""


def signature_ending(key):
    """What a signature's name ends with that a key makes, or None without a key."""
    return None if not key else ".sig" if os.path.isfile(os.path.expanduser(key)) else ".asc"


def remove_signatures(path):
    """Removes the signatures beside a file. Raises OSError."""
    for ending in SIGNATURES:
        if os.path.lexists(path + ending):
            os.unlink(path + ending)


def sign(path, key, mode=FILE_MODE):
    """Signs a file with a detached signature beside it. key: an SSH key file, or what gpg calls a user id, or None.
    mode: of the signature's file.

    An SSH private key, or a public one whose private key an agent holds, makes PATH.sig; any other key PATH.asc.
    Raises SignatureProblem.
    """
    if not key:
        return
    made = path + signature_ending(key)
    if made.endswith(".sig"):
        command = ["ssh-keygen", "-Y", "sign", "-n", SSH_NAMESPACE, "-f", os.path.expanduser(key), path]
    elif os.sep in key:
        raise SignatureProblem("Cannot sign: there is no key file %s." % key)
    else:
        command = ["gpg", "--batch", "--yes", "--armor", "--detach-sign", "--local-user", key, path]
    try:
        remove_signatures(path)
        status, output = run_tool(command)
        if status or not os.path.exists(made):
            raise SignatureProblem("Cannot sign with %r: %s says: %s" % (key, command[0], first_lines(output)))
        os.chmod(made, mode)
    except OSError as error:
        raise SignatureProblem("Cannot sign with %r: %s." % (key, error.strerror)) from error


def check_signature(path, signers_file=None):
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
    return check_gpg_signature(path)[:2]


def check_gpg_signature(path):
    """As check_signature, for a signature that gpg made; and the fingerprint of the key if it is valid."""
    status, output = run_tool(["gpg", "--batch", "--status-fd", "1", "--verify", path + ".asc", path])
    good = re.search(r"\[GNUPG:\] (GOOD|EXPKEY)SIG \S+ (.*)", output)
    if status == 0 and good:
        fingerprint = re.search(r"\[GNUPG:\] VALIDSIG .*?(\S+)$", output, re.MULTILINE)
        return "valid", "signed by %s%s" % (
            good.group(2), ", with a key that has expired since" if good.group(1) == "EXPKEY" else ""), (
            fingerprint and fingerprint.group(1))
    if "NO_PUBKEY" in output:
        return "unknown", "signed with a key that gpg does not know here: import the signer's public key", None
    return ("unknown" if status == 127 else "invalid"), "gpg says: %s" % first_lines(output), None


def check_ssh_signature(path, signers_file):
    """As check_signature, for a signature that ssh-keygen made."""
    with open_regular(path, follow=False) as file:
        content = file.read()
    if signers_file:
        status, output = run_tool(
            ["ssh-keygen", "-Y", "find-principals", "-s", path + ".sig", "-f", signers_file])
        signer = output.strip().splitlines()[0] if status == 0 and output.strip() else None
        if status in (126, 127):
            return "unknown", first_lines(output)
        if signer is None:
            if "expired" in output:
                return "unknown", "signed with a key that has expired, according to %s" % signers_file
            return "invalid", "signed with a key that %s does not name" % signers_file
        status, output = run_tool(["ssh-keygen", "-Y", "verify", "-n", SSH_NAMESPACE, "-f", signers_file, "-I", signer,
                                   "-s", path + ".sig"], content)
        return ("invalid", first_lines(output)) if status else ("valid", "signed by %s" % signer)
    status, output = run_tool(["ssh-keygen", "-Y", "check-novalidate", "-n", SSH_NAMESPACE, "-s", path + ".sig"],
                              content)
    if status:
        return ("unknown" if status == 127 else "invalid"), "ssh-keygen says: %s" % first_lines(output)
    key = re.search(r"SHA256:\S+", output)
    return "unknown", "signed with the key %s; name the signers that are trusted to know whose it is" % (
        key.group() if key else "of an unknown signer")


def why_not_signed_with(path, key):
    """Why a file has no valid signature of the key that signs here, in words, or None where it has one."""
    if signature_ending(key) == ".sig":
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as signers:
            signers.write("signer %s\n" % public_key(os.path.expanduser(key)))
            signers.flush()
            status, detail = check_signature(path, signers.name)
        if "does not name" in detail:
            detail = "signed with another key"
    else:
        status, detail = check_signature(path)
        if status == "valid" and check_gpg_signature(path)[2] not in fingerprints(key):
            status, detail = "invalid", "%s, which is another key" % detail
    return None if status == "valid" else "it has no valid signature of the key that signs here (%s)" % detail


def fingerprints(key):
    """The fingerprints of what gpg calls by this user id, as a list."""
    return re.findall(r"^fpr:+([^:]+):", run_tool(["gpg", "--batch", "--with-colons", "--list-keys", key])[1], re.MULTILINE)


def public_key(path):
    """The public half of an SSH key on one line, or an empty text. path: the file of the private or the public one."""
    try:
        with open_regular(path) as file:
            text = file.read(100_000).decode("utf-8", "replace").strip()
        if not text.startswith("-----BEGIN"):
            return text.splitlines()[0] if text else ""
        status, output = run_tool(["ssh-keygen", "-y", "-P", "", "-f", path])
        if not status:
            return output.strip()
        # It has a passphrase, and an agent signs.
        with open_regular(path + ".pub") as file:
            return file.read(100_000).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def run_tool(command, content=b""):
    """Runs a tool that must not ask anybody anything. Returns (exit status, its output), 127 where it is missing."""
    environment = dict(os.environ, LC_ALL="C", SSH_ASKPASS_REQUIRE="never")
    try:
        done = subprocess.run(command, input=content, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=60, env=environment, start_new_session=True)
    except FileNotFoundError:
        return 127, "%s is not installed" % command[0]
    except (OSError, subprocess.TimeoutExpired) as error:
        return 126, "%s did not run: %s" % (command[0], error)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def first_lines(output):
    """What a tool said, on one line."""
    lines = [line.strip() for line in output.splitlines() if not line.startswith("[GNUPG:]")]
    return "; ".join(line for line in lines if line)[:500] or "nothing"
