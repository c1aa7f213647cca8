# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attestation of a run: written when the run is closed, over its checksums, and so no file that they are of.

verification.json says that there is one, so that it shows where somebody took it away. In a DSSE envelope where a key signs.
Private to the collection.
"""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dicts
from ansible_collections.secops.remediation.plugins.module_utils._evidence.directory import (
    ATTESTATION,
    REGULAR,
    SUMS,
    VERIFICATION,
    read_json,
    sha256_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_attestation import statement
from ansible_collections.secops.remediation.plugins.module_utils._evidence.raw_signature import check_raw, sign_raw
from ansible_collections.secops.remediation.plugins.module_utils._evidence.replay import QUESTIONS
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import SIGNATURES, SignatureProblem

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def attest(folder: str, signing_key: str | None, problems: list[str]) -> str | None:
    """The text of the attestation of a run whose checksums are there, or None where it cannot be made. folder: of the run.

    problems: what went wrong is put there. One that cannot be signed is there without a signature, as the checksums are.
    """
    try:
        content = payload_of(folder)
    except (OSError, ValueError, RecursionError) as error:
        problems.append("%s could not be written: %s." % (ATTESTATION, error))
        return None
    if signing_key:
        try:
            return envelope(content, [sign_raw(pre_authenticated(content), signing_key)])
        except SignatureProblem as error:
            problems.append("%s is not signed: %s" % (ATTESTATION, error))
    return content.decode("ascii") + "\n"


def payload_of(folder: str) -> bytes:
    """What the attestation of a run has to say, made from its files. Raises OSError, ValueError, RecursionError."""
    subjects = {name: sha256_of(os.path.join(folder, name)) for name in (VERIFICATION, SUMS)}
    configuration = {QUESTIONS: sha256_of(os.path.join(folder, QUESTIONS))}
    return json.dumps(statement(read_json(os.path.join(folder, VERIFICATION)), subjects, configuration)).encode("ascii")


def pre_authenticated(content: bytes) -> bytes:
    """What is signed of a payload: PAE of the DSSE protocol, version 1."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode("ascii"), len(content), content)


def envelope(content: bytes, signatures: list[tuple[str, bytes]]) -> str:
    """The text of a DSSE envelope, on one line. signatures: (fingerprint, signature)."""
    return (
        json.dumps(
            {
                "payload": base64.b64encode(content).decode("ascii"),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": keyid, "sig": base64.b64encode(made).decode("ascii")} for keyid, made in signatures],
            }
        )
        + "\n"
    )


def check_attestation(
    folder: str, entries: dict[str, str], sums: dict[str, str], signers_file: str | None, signed: bool
) -> tuple[list[str], list[str]]:
    """What is wrong with a run's attestation, and what else there is to say of it: two lists of sentences.

    entries: what is in the folder, see directory.entries_of. sums: its checksums. signers_file, signed: see
    check.check_directory.
    """
    if ATTESTATION in sums:
        return ["%s has a checksum of %s, which can only come after it" % (SUMS, ATTESTATION)], []
    try:
        verification = read_json(os.path.join(folder, VERIFICATION))
    except (OSError, ValueError, RecursionError):
        verification = None
    named = verification.get("attestation") if isinstance(verification, dict) else None
    kind = entries.get(ATTESTATION)
    if named is None:
        return (["%s was added" % ATTESTATION] if kind else []), []
    if named != ATTESTATION:
        return ["%s names another attestation than %s" % (VERIFICATION, ATTESTATION)], []
    if kind != REGULAR:
        return ["%s %s" % (ATTESTATION, "is no file any more, but a link or something else" if kind else "is missing")], []
    try:
        content = payload_of(folder)
        with open_regular(os.path.join(folder, ATTESTATION), follow=False) as file:
            text = file.read().decode("ascii")
    except (OSError, ValueError, RecursionError) as error:
        return ["%s cannot be compared with what it is about (%s)" % (ATTESTATION, error)], []
    over_sums = any(SUMS + ending in entries for ending in SIGNATURES)
    if text == content.decode("ascii") + "\n":
        return ["%s is not signed, and %s is" % (ATTESTATION, SUMS)] * over_sums, []
    signed_with = signature_in(text, content)
    if signed_with is None:
        return ["%s was changed, or is about something else" % ATTESTATION], []
    if not over_sums:
        return ["%s is signed, and %s is not" % (ATTESTATION, SUMS)], []
    status, detail = check_raw(pre_authenticated(content), *signed_with, os.path.join(folder, SUMS), signers_file)
    words = ["the signature in %s: %s" % (ATTESTATION, detail)]
    if status == "invalid" or status == "unknown" and (signers_file or signed):
        return words, []
    return [], words if status == "unknown" else []


def signature_in(text: str, content: bytes) -> tuple[str, bytes] | None:
    """The one signature of an envelope, as it was written here over this payload, with what its key is called by, or None."""
    try:
        read: Any = json.loads(text)
        entry = dicts(read["signatures"])[0]
        found = str(entry["keyid"]), base64.b64decode(entry["sig"], validate=True)
        return found if text == envelope(content, [found]) else None
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
