# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures over a text itself, as a DSSE envelope has them, with the keys that sign evidence.

ssh-keygen signs a text of its own about the file, which only ssh-keygen understands. An agent signs what it is given, so that
whoever knows the algorithm can check it. gpg's signatures are those that it makes of files. Private to the collection.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator

from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import (
    SignatureProblem,
    check_signature,
    fingerprints,
    first_lines,
    gpg_keys,
    public_key,
    run_tool,
    sign,
    signature_ending,
)

# By the type of an SSH key, the digest that is signed with it, as openssl calls it. Of others, such as those of a security
# key, an agent signs more than the text.
DIGESTS = {
    "ssh-ed25519": None,
    "ssh-rsa": "sha256",
    "ecdsa-sha2-nistp256": "sha256",
    "ecdsa-sha2-nistp384": "sha384",
    "ecdsa-sha2-nistp521": "sha512",
}
# Of draft-miller-ssh-agent.
SIGN_REQUEST, SIGN_RESPONSE, RSA_SHA2_256 = 13, 14, 2
# RFC 8410: what comes before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo. ssh-keygen cannot write that of one.
ED25519_HEADER = bytes.fromhex("302a300506032b6570032100")
AGENT_SECONDS = 60
# The agent ends with the command that it runs, and that one ends with us, however we end. Nobody is asked for a passphrase.
LOAD_AND_WAIT = 'echo "$SSH_AGENT_PID" && ssh-add -q "$1" < /dev/null && echo ready && exec cat'


def sign_raw(content: bytes, key: str) -> tuple[str, bytes]:
    """(the fingerprint of the key, its signature over content). key: see signature.sign. Raises SignatureProblem.

    An SSH key's signature is 64 bytes of Ed25519, DER of ECDSA, or PKCS #1 v1.5 of RSA with SHA-256, gpg's is a detached one.
    """
    try:
        if signature_ending(key) == ".sig":
            return sign_with_agents(content, os.path.expanduser(key))
        with tempfile.TemporaryDirectory() as folder:
            path = write(folder, "content", content)
            sign(path, key)
            with open_regular(path + ".asc") as file:
                made = unarmored(file.read().decode("ascii"))
            # A user id may be that of several keys, and only the signature says which of them made it.
            return (gpg_keys(path) or fingerprints(key) or [""])[0], made
    except (OSError, ValueError) as error:
        raise SignatureProblem("Cannot sign with %r: %s." % (key, error)) from error


def check_raw(content: bytes, keyid: str, signature: bytes, path: str, signers_file: str | None) -> tuple[str, str]:
    """What a signature over content is worth, as (`valid`, `invalid` or `unknown`, a sentence).

    keyid: what its key is called by. path: of a file with a detached signature beside it, whose key has to be the same, whoever's
    it is. One of gpg has to count as well: see signature.check_signature.
    """
    with tempfile.TemporaryDirectory() as folder:
        if os.path.lexists(path + ".sig"):
            try:
                with open_regular(path + ".sig", follow=False) as file:
                    blob = key_of_signature(file.read(100_000).decode("ascii"))
                if keyid != fingerprint(blob):
                    return "invalid", "signed with another key, %.100s, than the checksums" % keyid
                return check_ssh(content, signature, blob, folder)
            except (OSError, ValueError) as error:
                return "invalid", "the key of %s.sig cannot be read (%s)" % (os.path.basename(path), error)
        copied = write(folder, "content", content)
        write(folder, "content.asc", signature)
        status, detail = check_signature(copied, signers_file)
        keys = gpg_keys(copied) if status == "valid" else []
        if status == "valid" and (keyid not in keys or not set(keys) & set(gpg_keys(path))):
            return "invalid", "signed with another key than the checksums, or than the one that it names, %.100s" % keyid
        return status or "unknown", detail


# --- SSH ---


def sign_with_agents(content: bytes, path: str) -> tuple[str, bytes]:
    """sign_raw, with the agent that is there if it has the key, else with one that is started for it."""
    line = public_key(path)
    algorithm = line.split(" ", 1)[0]
    if algorithm not in DIGESTS:
        raise SignatureProblem(
            "Cannot sign an attestation with %r: a key of type %s signs no text by itself; take one of %s, or leave attestation "
            "out of the formats." % (path, algorithm or "unknown", ", ".join(DIGESTS))
        )
    blob = base64.b64decode(line.split()[1])
    made = None
    if os.environ.get("SSH_AUTH_SOCK"):
        with contextlib.suppress(OSError, ValueError, struct.error):
            made = ask_agent(os.environ["SSH_AUTH_SOCK"], blob, content)
    if made is None:
        with agent_with(path) as place:
            made = ask_agent(place, blob, content)
    if made is None:
        raise SignatureProblem("Cannot sign with %r: the agent refuses." % path)
    return fingerprint(blob), made


@contextlib.contextmanager
def agent_with(path: str) -> Iterator[str]:
    """An agent that has one key for as long as the block lasts, as the path of its socket. Raises SignatureProblem, OSError."""
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "agent")
        command = ["ssh-agent", "-a", place, "-t", str(AGENT_SECONDS), "sh", "-c", LOAD_AND_WAIT, "sh", os.path.abspath(path)]
        with subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, LC_ALL="C", SSH_ASKPASS_REQUIRE="never"),
            start_new_session=True,
        ) as process:
            if not (process.stdin and process.stdout and process.stderr):
                raise OSError("the pipes to ssh-agent are missing")
            agent = process.stdout.readline().strip()
            try:
                ready = select.select([process.stdout], [], [], AGENT_SECONDS)[0]
                if not ready or process.stdout.readline() != b"ready\n":
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    said = first_lines(process.stderr.read().decode("utf-8", "replace"))
                    raise SignatureProblem("Cannot sign with %r: ssh-add says: %s" % (path, said))
                yield place
            finally:
                process.stdin.close()
                if agent.isdigit():
                    with contextlib.suppress(OSError):
                        os.kill(int(agent), signal.SIGTERM)


def ask_agent(place: str, blob: bytes, content: bytes) -> bytes | None:
    """The signature of an SSH agent over content, or None where it refuses. place: of its socket. Raises OSError, ValueError."""
    flags = RSA_SHA2_256 if first_part(blob)[0] == b"ssh-rsa" else 0
    request = bytes([SIGN_REQUEST]) + part(blob) + part(content) + struct.pack(">I", flags)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.settimeout(AGENT_SECONDS)
        agent.connect(place)
        agent.sendall(part(request))
        with agent.makefile("rb") as answers:
            answer = answers.read(struct.unpack(">I", answers.read(4))[0])
    if answer[:1] != bytes([SIGN_RESPONSE]):
        return None
    algorithm, rest = first_part(first_part(answer[1:])[0])
    made = first_part(rest)[0]
    return ecdsa_der(made) if algorithm.startswith(b"ecdsa-") else made


def check_ssh(content: bytes, signature: bytes, blob: bytes, folder: str) -> tuple[str, str]:
    """As check_raw, for an SSH key. folder: for files that the tool needs. Raises OSError, ValueError."""
    algorithm = first_part(blob)[0].decode("ascii")
    if algorithm not in DIGESTS:
        return "unknown", "signed with a key of type %s" % algorithm
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", write(folder, "key", pem(blob, algorithm, folder))]
    command += ["-in", write(folder, "content", content), "-sigfile", write(folder, "signature", signature)]
    digest = DIGESTS[algorithm]
    status, output, words = run_tool(command + (["-digest", digest] if digest else []))
    if not status and "Verified Successfully" in output:
        return "valid", "signed with the key %s" % fingerprint(blob)
    # An openssl before 3.0 knows no -rawin, and what a tool could not do is no word about a signature.
    if "Verification Failure" in words or digest is None and len(signature) != 64:
        return "invalid", "not signed with the key %s that signed the checksums" % fingerprint(blob)
    return "unknown", "not checked: openssl says: %s" % words


def pem(blob: bytes, algorithm: str, folder: str) -> bytes:
    """The public half of an SSH key as openssl reads it. Raises OSError, ValueError."""
    if algorithm == "ssh-ed25519":
        key = first_part(first_part(blob)[1])[0]
        if len(key) != 32:
            raise ValueError("an Ed25519 key has 32 bytes")
        text = base64.b64encode(ED25519_HEADER + key).decode("ascii")
        return ("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n" % text).encode("ascii")
    line = "%s %s\n" % (algorithm, base64.b64encode(blob).decode("ascii"))
    path = write(folder, "key.pub", line.encode("ascii"))
    status, output, words = run_tool(["ssh-keygen", "-e", "-m", "PKCS8", "-f", path])
    if status:
        raise ValueError("ssh-keygen says: %s" % words)
    return output.encode("ascii")


def key_of_signature(text: str) -> bytes:
    """The public half of the key that made a signature of ssh-keygen, which has it (PROTOCOL.sshsig). Raises ValueError."""
    made = unarmored(text)
    if made[:6] != b"SSHSIG":
        raise ValueError("it is no signature of ssh-keygen")
    return first_part(made[10:])[0]


def fingerprint(blob: bytes) -> str:
    """What ssh-keygen calls a key by."""
    return "SHA256:%s" % base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def part(content: bytes) -> bytes:
    """Bytes as SSH's protocols have them, with their length before."""
    return struct.pack(">I", len(content)) + content


def first_part(content: bytes) -> tuple[bytes, bytes]:
    """(the first bytes that have their length before, the rest). Raises ValueError."""
    if len(content) < 4 or len(content) < 4 + struct.unpack(">I", content[:4])[0]:
        raise ValueError("it is cut off")
    end = 4 + struct.unpack(">I", content[:4])[0]
    return content[4:end], content[end:]


def ecdsa_der(made: bytes) -> bytes:
    """An ECDSA signature in DER, from the two numbers that SSH has for it. Raises ValueError."""
    first, rest = first_part(made)
    second = first_part(rest)[0]
    # SSH's numbers are in two's complement already, and short enough.
    body = b"".join(b"\x02" + bytes([len(number)]) + number for number in (first, second))
    return b"\x30" + (bytes([len(body)]) if len(body) < 128 else b"\x81" + bytes([len(body)])) + body


# --- both ---


def unarmored(text: str) -> bytes:
    """The bytes between the lines of dashes. Raises ValueError."""
    lines = text.strip().splitlines()
    if len(lines) < 3 or not (lines[0].startswith("-----BEGIN ") and lines[-1].startswith("-----END ")):
        raise ValueError("it has no lines of dashes around it")
    # gpg has headers before an empty line, and a checksum that begins with an equals sign after the bytes.
    body = lines[lines.index("") + 1 : -1] if "" in lines else lines[1:-1]
    try:
        return base64.b64decode("".join(line for line in body if not line.startswith("=")), validate=True)
    except binascii.Error as error:
        raise ValueError("it is no base64 (%s)" % error) from error


def write(folder: str, name: str, content: bytes) -> str:
    """Writes a file for a tool and returns its path. Raises OSError."""
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path
