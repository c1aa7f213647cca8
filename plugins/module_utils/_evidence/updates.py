# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was changed elsewhere because of a run, such as tickets and alerts: on record beside the run's checksums.

What is changed names the run's sum, so the run is closed by then, and nothing may be added to what its sums are for. The
record has a sum and a signature of its own, names the run's sum, and is named by the next run. It is written before
anything is changed and once more afterwards, so that a job that was killed in between leaves a trace. Private to the
collection.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import locked, write_atomically
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._common.times import utc_now
from ansible_collections.secops.remediation.plugins.module_utils._evidence.directory import (
    SUMS,
    entries_of,
    read_json,
    read_sums_file,
    run_sha256,
    sha256_of,
    sign_or_say,
    sums_text,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import (
    SIGNATURES,
    check_signature,
    remove_signatures,
)

UPDATES = "updates.json"
UPDATES_SUM = "updates.sha256"
NAMES = (UPDATES, UPDATES_SUM)
SCHEMA_VERSION = "1.0"


class AlreadyOnRecord(Exception):
    """What became of the updates of this run is on record, and is never written anew."""


def write_updates(
    directory: str, run: str, intended: list[Any], result: Any, signing_key: str | None, mode: int, timeout: float
) -> tuple[str, list[str]]:
    """Writes what is to be changed because of a run that is closed, or what became of it. Returns (the path, what went wrong
    in sentences).

    result: None before anything is changed. mode: of the files. timeout: seconds for the lock. Raises OSError, FileProblem,
    AlreadyOnRecord.
    """
    folder = os.path.join(directory, run)
    path, sum_path = os.path.join(folder, UPDATES), os.path.join(folder, UPDATES_SUM)
    problems: list[str] = []
    with locked(directory, timeout):
        if os.path.lexists(path) and is_finished(folder):
            raise AlreadyOnRecord("What became of the updates of the run %s is on record already, in %s." % (run, path))
        content = dict(
            schema_version=SCHEMA_VERSION,
            run=run,
            sha256sums_sha256=run_sha256(directory, run),
            written_at=utc_now(),
            finished=result is not None,
            intended=intended,
            result=result,
        )
        # They belong to the former content.
        remove_signatures(sum_path)
        write_atomically(path, json.dumps(content, indent=2) + "\n", mode, follow=False)
        write_atomically(sum_path, sums_text([(sha256_of(path), UPDATES)]), mode, follow=False)
        sign_or_say(sum_path, signing_key, problems, mode)
    return path, problems


def is_finished(folder: str) -> bool:
    """Whether the folder of a run says what became of its updates. One that cannot be read is not written over."""
    try:
        return bool(read_json(os.path.join(folder, UPDATES))["finished"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return True


def updates_sha256(folder: str) -> str | None:
    """The SHA-256 of the updates of a run, once it says what became of them; else None. Raises OSError."""
    path = os.path.join(folder, UPDATES)
    return sha256_of(path) if os.path.lexists(path) and is_finished(folder) else None


def own_names(entries: dict[str, str]) -> set[str]:
    """Those of a run's entries that belong to its updates, with one signature."""
    signatures = [UPDATES_SUM + ending for ending in SIGNATURES if UPDATES_SUM + ending in entries]
    return {name for name in NAMES if name in entries} | set(signatures[:1])


def without_updates(entries: dict[str, str]) -> dict[str, str]:
    """The entries of a run but for those of its updates, which its own sums are not for."""
    own = own_names(entries)
    return {path: kind for path, kind in entries.items() if path not in own}


def check_updates(folder: str, signers_file: str | None, signed: bool, run_is_signed: str | None) -> JsonObject:
    """What is intact of the updates of a run: `updates` (None where there are none, "begun", "done"), `updates_sha256`,
    `problems`, `notes`. Raises OSError.

    signed: whether a valid signature is wanted in any case. run_is_signed: how, in the words of check_signature, or None.
    """
    found: JsonObject = dict(updates=None, updates_sha256=None, problems=[], notes=[])
    if not own_names(entries_of(folder)):
        return found
    try:
        digest = sha256_of(os.path.join(folder, UPDATES))
        sums = read_sums_file(os.path.join(folder, UPDATES_SUM))
        content = read_json(os.path.join(folder, UPDATES))
        of_run = content["sha256sums_sha256"] == sha256_of(os.path.join(folder, SUMS))
        finished = content["finished"] is True and content["result"] is not None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        found["problems"].append("%s and %s cannot be read (%s)" % (*NAMES, getattr(error, "strerror", None) or error))
        return found
    found.update(updates="done" if finished else "begun", updates_sha256=digest)
    if sums != {UPDATES: digest}:
        found["problems"].append("%s was changed" % UPDATES)
    if not of_run:
        found["problems"].append("%s is of another run, or this one was changed" % UPDATES)
    if not finished:
        found["notes"].append("%s says what was to be changed elsewhere, and not what became of it" % UPDATES)
    signature, detail = check_signature(os.path.join(folder, UPDATES_SUM), signers_file)
    if signature == "invalid":
        found["problems"].append("the signature of %s is not valid: %s" % (UPDATES, detail))
    elif signature != "valid" and (signed or signers_file and run_is_signed):
        found["problems"].append("a valid signature of %s was asked for: %s" % (UPDATES, detail))
    elif signature is None and run_is_signed:
        found["problems"].append("%s is not signed, and its run is" % UPDATES)
    elif signature and not signers_file and detail != run_is_signed:
        # Nobody says whose keys they are, so only the run's own can be the right one.
        found["problems"].append("%s is signed otherwise than its run: %s" % (UPDATES, detail))
    return found
