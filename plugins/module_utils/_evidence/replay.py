# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every outcome of a run computed again, from the answers that its folder holds and from nothing else.

It needs no network, no credentials, and no Jinja2. Private to the collection.
"""

from __future__ import annotations

import functools
import os
import posixpath
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dicts, listed
from ansible_collections.secops.remediation.plugins.module_utils._evidence.directory import (
    SUMS,
    VERIFICATION,
    read_json,
    sha256_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._judge import verify
from ansible_collections.secops.remediation.plugins.module_utils._systems import ANSWERS, ON_RECORD, SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import REMEDIATED, VERIFIED
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers, Results

FOLDER = "records"
QUESTIONS = "records/asked.json"
# Versions of verification.json whose runs kept no answers.
WITHOUT_ANSWERS = ("1.0", "1.1")
MOST_TOLD = 100


def replay(folder: str, found: JsonObject) -> JsonObject:
    """Whether a run's outcomes follow from its records and reports, as a dict of `total`, `followed` and `problems`.

    folder: of the run. found: its verification, as it is in its file. total and followed are numbers of outcomes, None
    where the run kept no answers. problems: sentences about every record and every target with which something is wrong.
    """
    if not os.path.lexists(os.path.join(folder, QUESTIONS)) and found.get("schema_version") in WITHOUT_ANSWERS:
        return dict(total=None, followed=None, problems=problem_of_old(found))
    problems: list[str] = []
    results = load(folder, found, problems)
    check_files(folder, results, found, problems)
    for system in SYSTEMS:
        if system.read_again:
            system.read_again(results, functools.partial(inside, folder), problems)
    targets = [target for target in found["targets"] if isinstance(target, dict)]
    try:
        again = verify(results, found.get("run"), found.get("started_at"), found.get("finished_at"), found.get("controls") or ())
    except Exception as error:  # pylint: disable=broad-exception-caught
        # Whatever somebody wrote into a record.
        problems.append("the records cannot be judged (%s: %s)" % (type(error).__name__, error))
        again = dict(verdict=None, counts=None, targets=[])
    followed = compare(targets, again["targets"], problems)
    if found.get("verdict") != again["verdict"]:
        problems.append(
            "its verdict is %s, and from the answers on record follows %s" % (found.get("verdict"), again["verdict"] or "none")
        )
    elif found.get("counts") != again["counts"]:
        problems.append("its counts are not those of the outcomes that follow from the answers on record")
    compare_acceptances(found, again, problems)
    more = len(problems) - MOST_TOLD
    return dict(
        total=len(found["targets"]),
        followed=followed,
        problems=problems[:MOST_TOLD] + ["and %d problems more with its records" % more] * (more > 0),
    )


def problem_of_old(found: JsonObject) -> list[str]:
    """What a run without answers says that cannot be, as sentences: its verdict has to follow from its outcomes at least."""
    outcomes = [target.get("outcome") for target in found["targets"] if isinstance(target, dict)]
    if found.get("verdict") == VERIFIED and len(outcomes) < len(found["targets"]):
        return ["its verdict is verified, and not each of its targets is a record"]
    if found.get("verdict") == VERIFIED and any(lookup.get("problem") for lookup in dicts(found.get("lookups"))):
        return ["its verdict is verified, and a look-up had a problem"]
    if found.get("verdict") == VERIFIED and set(outcomes) != {REMEDIATED}:
        return ["its verdict is verified, and its outcomes are %s" % (", ".join(sorted(set(map(str, outcomes)))) or "none")]
    return []


def sentence(replayed: JsonObject) -> str:
    """What a replay found, in a sentence."""
    if replayed["total"] is None:
        return "cannot be replayed: the run is of a version that kept no answers"
    return "%d of %d outcomes follow from the answers on record" % (replayed["followed"], replayed["total"])


def load(folder: str, found: JsonObject, problems: list[str]) -> Results:
    """The results of the modules as they are on record; an empty one for each that is not, or cannot be read."""
    results: Results = dict({name: {} for name in ANSWERS}, **ON_RECORD, problems=[])
    asked = load_record(folder, QUESTIONS, found, problems) or {}
    results.update({name: asked[name] for name in (*ON_RECORD, "problems") if isinstance(asked.get(name), type(results[name]))})
    results["targets_file"] = asked["targets_file"] if isinstance(asked.get("targets_file"), dict) else None
    kept = listed(asked.get("records"))
    for name, answers in ANSWERS.items():
        path = record_of(answers)
        if path in kept or os.path.lexists(os.path.join(folder, path)):
            results[name] = load_record(folder, path, found, problems, answers.rows) or {}
    unknown = sorted(str(path) for path in kept if path not in map(record_of, ANSWERS.values()))
    problems += ["%s is a record of a system that is not known here, so nothing follows from it" % path for path in unknown]
    return results


def record_of(answers: Answers) -> str:
    """The record of a result, relative to the run's folder."""
    return "%s/%s.json" % (FOLDER, answers.record)


def load_record(folder: str, path: str, found: JsonObject, problems: list[str], rows: str = "") -> JsonObject | None:
    """The content of a record, or None. What is wrong with it is put into `problems`. rows: the list that comes as Rows."""
    try:
        content = read_json(os.path.join(folder, path), [rows] if rows else [])
    except FileNotFoundError:
        problems.append("%s is missing, so nothing follows from it" % path)
        return None
    except (OSError, ValueError, RecursionError) as error:
        problems.append(
            "%s cannot be read (%s), so nothing follows from it"
            % (path, getattr(error, "strerror", None) or str(error) or type(error).__name__)
        )
        return None
    if not isinstance(content, dict):
        problems.append("%s is no record, so nothing follows from it" % path)
        return None
    if content.get("run") != found.get("run"):
        problems.append(
            "%s is a record of %s, so nothing follows from it"
            % (path, "the run %s" % content["run"] if content.get("run") else "no run")
        )
        return None
    return content


def check_files(folder: str, results: Results, found: JsonObject, problems: list[str]) -> None:
    """Whether the reports and the records are those that the outcomes are from, by their checksums."""
    wanted: dict[tuple[str, str], list[str]] = {}
    files: list[tuple[JsonObject, str | None]] = [
        (file, name_of(target)) for target in dicts(found["targets"]) for file in dicts(target.get("evidence"))
    ]
    files += [
        (item, None) for answers in ANSWERS.values() for name in answers.files for item in dicts(results[answers.name].get(name))
    ]
    for file, name in files:
        if isinstance(file.get("path"), str) and isinstance(file.get("sha256"), str):
            wanted.setdefault((file["path"], file["sha256"]), []).extend([name] if name else [])
    for (path, sha256), names in wanted.items():
        whole_path = inside(folder, path)
        try:
            problem: str | None
            if whole_path is None:
                problem = "lies outside of the run's folder"
            else:
                problem = None if sha256_of(whole_path) == sha256 else "is another file than the one that was judged"
        except OSError as error:
            problem = "cannot be read (%s)" % error.strerror
        if problem:
            names = list(dict.fromkeys(names))
            told = "; it is the evidence for %s" % " and ".join(names[:1] + ["%d more" % (len(names) - 1)] * (len(names) > 1))
            problems.append("%s %s%s" % (path, problem, told if names else ""))


def compare(targets: list[Target], again: list[Target], problems: list[str]) -> int:
    """How many of the targets follow. Both are lists of targets; what does not follow is put into `problems`."""
    left: dict[tuple[str, str], list[Target]] = {}
    for target in again:
        left.setdefault((str(target["kind"]), str(target["id"])), []).append(target)
    followed = 0
    for target in targets:
        same = left.get((str(target.get("kind")), str(target.get("id"))))
        fresh = same.pop(0) if same else None
        if fresh and fresh["outcome"] == target.get("outcome"):
            followed += 1
        elif fresh:
            problems.append(
                "%s is said to be %s, and from the answers on record follows %s: %s"
                % (name_of(target), target.get("outcome"), fresh["outcome"], fresh["reason"])
            )
        else:
            problems.append(
                "%s is said to be %s, and nobody asked for it, according to the records"
                % (name_of(target), target.get("outcome"))
            )
    problems += [
        "%s follows from the answers on record as %s, and was left out" % (name_of(target), target["outcome"])
        for same in left.values()
        for target in same
    ]
    return followed


def compare_acceptances(found: JsonObject, again: JsonObject, problems: list[str]) -> None:
    """Whether what is said to be accepted follows from what owners said, and from the clocks on record.

    found, again: verifications as they are said to be, and as they follow. What does not follow is put into `problems`.
    """
    if found.get("targets_file") != again.get("targets_file"):
        problems.append("its targets file is not the one on record")
    if found.get("acceptance") != again.get("acceptance"):
        problems.append("what is said to be accepted does not follow from the acceptances on record")
    said, follows = (accepted_in(one) for one in (found, again))
    problems += [
        "%s %s is said to be accepted otherwise than follows from the acceptances on record" % (kind, target_id[:200])
        for (kind, target_id), accepted in said.items()
        if accepted != follows.get((kind, target_id), [None] * len(accepted))
    ]


def accepted_in(verification: JsonObject) -> dict[tuple[str, str], list[Any]]:
    """By the kind and the id of a target what is said of its acceptance, for each that there is of them."""
    found: dict[tuple[str, str], list[Any]] = {}
    for target in dicts(verification.get("targets")):
        found.setdefault((str(target.get("kind")), str(target.get("id"))), []).append(target.get("accepted"))
    return found


def name_of(target: Target) -> str:
    """How a sentence calls a target."""
    return "%s %s" % (target.get("kind"), str(target.get("id"))[:200])


def inside(folder: str, path: str) -> str | None:
    """Where a file is whose path is relative to a run's folder, or None if it is not in there. No link is followed."""
    path = posixpath.normpath(path)
    if posixpath.isabs(path) or path.split("/", 1)[0] in ("..", SUMS, VERIFICATION):
        return None
    whole_path = os.path.join(folder, path)
    return whole_path if os.path.realpath(whole_path) == os.path.join(os.path.realpath(folder), path) else None
