# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for policy engines of a supply chain: an in-toto Statement v1 with the Test Result predicate, v0.1.

Each target is a test. Checks of evidence make it again, years later, and compare the two to the last byte, so a new shape needs
another predicate type or keeps this one beside it. Private to the collection.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.texts import one_line
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import problems_of, readable
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import REMEDIATED, VERIFIED

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
LONGEST_NAME = 200
# Bytes of each of the two lists: an SSH agent signs nothing that is longer than 256 KiB.
ROOM = 120_000


def statement(verification: dict[str, Any], subjects: dict[str, str], configuration: dict[str, str]) -> dict[str, Any]:
    """The statement about a run that is closed, as a dict.

    verification: the content of verification.json. subjects, configuration: the SHA-256 of files by their names, of what the
    statement is about, and of what says what was asked for.
    `result` is PASSED only where the verdict is verified, and FAILED for all else, also for what is pending: WARNED would be a
    success to some. Where there are more names than there is room for, those that passed are left out without a word, and
    of those that failed the last name says how many more there are.
    """
    content = readable(verification)
    failed = [name_of(target) for target in content["targets"] if target["outcome"] != REMEDIATED]
    failed += [one_line("look-up: %s: %s" % problem, LONGEST_NAME) for problem in problems_of(content)]
    passed = [name_of(target) for target in content["targets"] if target["outcome"] == REMEDIATED]
    good = content.get("verdict") == VERIFIED and bool(passed) and not failed and follows(content)
    named, left_out = fitting(failed)
    return {
        "_type": STATEMENT,
        "subject": files(subjects),
        "predicateType": TEST_RESULT,
        "predicate": {
            "result": "PASSED" if good else "FAILED",
            "configuration": files(configuration),
            "passedTests": fitting(passed)[0],
            "warnedTests": [],
            "failedTests": named + ["%d more, see verification.json" % left_out] * bool(left_out),
        },
    }


def follows(content: dict[str, Any]) -> bool:
    """Whether all outcomes follow from the answers on record, as was found when the run was written."""
    replay = content.get("replay")
    return isinstance(replay, dict) and replay.get("followed") == replay.get("total") == len(content["targets"])


def name_of(target: dict[str, Any]) -> str:
    """What a target is called as a test: the same from run to run, and of no other target."""
    return one_line("%s %s" % (one_line(target["kind"]) or "unnamed", one_line(target["id"])), LONGEST_NAME)


def fitting(names: list[str]) -> tuple[list[str], int]:
    """(the names for which there is room, how many are left out)."""
    kept, room = [], ROOM
    for name in names:
        room -= len(json.dumps(name)) + 2
        if room < 0:
            break
        kept.append(name)
    return kept, len(names) - len(kept)


def files(digests: dict[str, str]) -> list[dict[str, Any]]:
    """Files as resource descriptors. digests: SHA-256 by name."""
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in digests.items()]
