# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether evidence is what it was when it was written, years later. Private to the collection."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import LOCK, kind_of
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._common.times import in_utc
from ansible_collections.secops.remediation.plugins.module_utils._evidence.attestation import check_attestation
from ansible_collections.secops.remediation.plugins.module_utils._evidence.directory import (
    ATTESTATION,
    EMPTY_FOLDER,
    LATEST,
    REGULAR,
    RUN,
    SUMS,
    UNFINISHED,
    VERIFICATION,
    entries_of,
    finished_runs,
    latest_run,
    overall_sums,
    read_json,
    read_sums,
    read_verification,
    run_order,
    run_sha256,
    runs_as_they_ended,
    sha256_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.replay import QUESTIONS, replay, sentence
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import (
    SIGNATURES,
    check_signature,
    why_not_signed_with,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.updates import check_updates, without_updates
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import REMEDIATED, UNREMEDIATED

FOLDER, LINK = "a folder", "a symbolic link"
# Folders of a run that the role makes before it knows whether there is anything to put into them.
OWN_FOLDERS = ("records", "reports")
# What else the collection puts into an evidence directory.
OWN_FILES = re.compile(r"(ledger\.json(\.unreadable-.*)?|%s|\.%s-%s)" % (re.escape(LOCK), LATEST, RUN.pattern), re.DOTALL)
OLD_COPY = re.compile(r"%s\.before-%s" % (LATEST, RUN.pattern))
# What a reader may take for evidence.
LIKE_EVIDENCE = re.compile(r"[0-9]{8}T[0-9]{6}|%s|%s$|verification\.|.*\.(sig|asc)$" % (SUMS, LATEST), re.DOTALL | re.IGNORECASE)
POINT = ("run", "finished_at", "verdict", "counts", "open_items")
ALONE = (
    "this is the folder of one run: whether the runs before and after it agree with it, whether it is the latest, and "
    "the checksums over all runs cannot be checked"
)


def check_directory(
    directory: str, signers_file: str | None = None, signed: bool = False, expected: Iterable[str] = ()
) -> tuple[list[JsonObject], JsonObject]:
    """What is intact in an evidence directory, or in the folder of one run, and what is not.

    signers_file: the signers that are trusted; where it is given, signatures are wanted. signed: whether every run
    without a valid signature is a problem. expected: the SHA-256 of SHA256SUMS of runs that must be there.
    Returns a list of dicts, oldest run first: `run`, `verdict`, `finished_at`, `files`, `sha256`, `signature`,
    `signature_detail`, `outcomes_total`, `outcomes_followed`, `replay`, `updates`, `updates_sha256`, `problems`, `notes`; and
    the same for the directory as a whole, as a dict with `problems` and `notes`. Raises OSError.
    """
    directory = os.path.abspath(directory)
    entries = os.listdir(directory)
    runs = finished_runs(directory)
    alone = not runs and is_run(directory, entries)
    if alone:
        runs = [os.path.basename(directory)]
        directory = os.path.dirname(directory)
    checked, links = [], {}
    for run in runs:
        # Thousands of targets in hundreds of runs: no more than two are held at a time.
        verification = read_verification(directory, run)
        links[run] = link_of(verification)
        checked.append(checked_run(directory, run, verification, signers_file, signed, alone))
    if alone:
        whole = dict(problems=[], notes=[ALONE])
    else:
        check_chain(checked, links)
        check_histories(directory, checked, links)
        whole = check_whole(directory, links, signers_file, signed)
    check_wanted_signatures(checked, whole, signers_file, signed)
    known = {record["sha256"] for record in checked}
    for record in checked:
        if record["sha256"] in expected:
            record["notes"].append("it is the run that was expected, by its SHA-256")
    whole["problems"] += [
        "no run here has the SHA-256 %s, which was expected: it was changed, removed, or the whole "
        "directory was put back to what it was before" % sha256
        for sha256 in expected
        if sha256 not in known
    ]
    return checked, whole


def is_run(folder: str, entries: Iterable[str]) -> bool:
    """Whether a folder is that of one run."""
    if VERIFICATION in entries or RUN.fullmatch(os.path.basename(folder)):
        return True
    try:
        return VERIFICATION in read_sums(folder)
    except (OSError, ValueError):
        return False


def checked_run(directory: str, run: str, verification: Any, signers_file: str | None, signed: bool, alone: bool) -> JsonObject:
    """What is intact in one run, as check_directory returns it. verification: its content, or None."""
    folder = os.path.join(directory, run)
    record = dict(
        check_run(folder, signers_file, signed),
        run=run,
        verdict=None,
        finished_at=None,
        sha256=None,
        outcomes_total=None,
        outcomes_followed=None,
        replay="cannot be replayed: there is no %s" % VERIFICATION,
    )
    updates = check_updates(folder, signers_file, signed, record["signature"] and record["signature_detail"])
    record.update(updates=updates["updates"], updates_sha256=updates["updates_sha256"])
    record["problems"] += updates["problems"]
    record["notes"] += updates["notes"]
    if os.path.islink(folder):
        record["notes"].append("its folder is a symbolic link to %s" % os.readlink(folder))
    try:
        record["sha256"] = run_sha256(directory, run)
    except OSError:
        # Said already.
        pass
    if verification is None:
        if not any(VERIFICATION in problem for problem in record["problems"]):
            record["problems"].append("%s is not the record of a verification" % VERIFICATION)
        return record
    record.update({name: verification[name] for name in ("verdict", "finished_at") if isinstance(verification.get(name), str)})
    if verification.get("run") != run:
        renamed = alone and not RUN.fullmatch(run) and isinstance(verification.get("run"), str)
        record["notes" if renamed else "problems"].append(
            "its %s is that of the run %s" % (VERIFICATION, verification.get("run"))
        )
    replayed = replay(folder, verification)
    record.update(outcomes_total=replayed["total"], outcomes_followed=replayed["followed"], replay=sentence(replayed))
    record["problems"] += replayed["problems"]
    if replayed["total"] is None:
        record["notes"].append(sentence(replayed))
    return record


def check_run(folder: str, signers_file: str | None, signed: bool) -> JsonObject:
    """What is intact in the files of one run."""
    problems = []
    try:
        sums = read_sums(folder)
    except (OSError, ValueError) as error:
        problems.append(
            "%s cannot be read (%s), so nothing shows whether its files are what they were"
            % (SUMS, getattr(error, "strerror", None) or error)
        )
        sums = {}
    entries = without_updates(entries_of(folder))
    signatures = [SUMS + ending for ending in SIGNATURES if SUMS + ending in entries]
    for path, digest in sums.items():
        if path not in entries:
            problems.append("%s is missing" % path)
        elif entries[path] != REGULAR:
            problems.append("%s is no file any more, but a link or something else" % path)
        else:
            try:
                if sha256_of(os.path.join(folder, path)) != digest:
                    problems.append("%s was changed" % path)
            except OSError as error:
                problems.append("%s cannot be read (%s)" % (path, error.strerror))
    # Without sums, everything in it would be.
    own = {SUMS, ATTESTATION, *signatures[:1]}
    expected = set(sums) | own if sums else {path for path, kind in entries.items() if kind == REGULAR}
    problems += [
        "%s was added" % path
        for path, kind in sorted(entries.items())
        if path not in expected and not (kind == EMPTY_FOLDER and path in OWN_FOLDERS)
    ]
    if VERIFICATION not in entries and VERIFICATION not in sums:
        problems.append("%s is missing" % VERIFICATION)
    elif sums and VERIFICATION not in sums:
        problems.append("%s has no checksum of %s" % (SUMS, VERIFICATION))
    signature, detail = check_signature(os.path.join(folder, SUMS), signers_file)
    if signature == "invalid":
        problems.append("the signature is not valid: %s" % detail)
    elif signed and signature != "valid":
        problems.append("a valid signature was asked for: %s" % detail)
    wrong, notes = check_attestation(folder, entries, sums, signers_file, signed) if sums else ([], [])
    return dict(files=len(sums), signature=signature, signature_detail=detail, problems=problems + wrong, notes=notes)


def why_not_trusted(directory: str, run: str, signing_key: str | None, whole: bool = True) -> str | None:
    """Why what a run says must not be handed on to the next one, in words, or None.

    signing_key: the key that signs here, or None. whole: whether all its files have to be what they were, or what it says.
    """
    folder = os.path.join(directory, run)
    problem = None
    try:
        sums = read_sums(folder)
        if whole:
            problem = next(iter(check_run(folder, None, False)["problems"]), None)
        elif sums.get(VERIFICATION) != sha256_of(os.path.join(folder, VERIFICATION)):
            problem = "%s was changed" % VERIFICATION
        if (read_verification(directory, run) or {}).get("run") != run:
            problem = problem or "%s is not the record of this run" % VERIFICATION
        listed = listed_sums(directory).get("%s/%s" % (run, SUMS))
        # A run whose job was killed just before its end is not in them yet.
        if listed and listed != run_sha256(directory, run):
            problem = problem or "its %s was changed" % SUMS
    except (OSError, ValueError) as error:
        problem = problem or "its files cannot be read (%s)" % (getattr(error, "strerror", None) or error)
    return problem or (why_not_signed_with(os.path.join(folder, SUMS), signing_key) if signing_key else None)


def listed_sums(directory: str) -> dict[str, str]:
    """The checksums over all runs, none where they cannot be read: a dict from path to digest."""
    try:
        return read_sums(directory)
    except (OSError, ValueError):
        return {}


def link_of(verification: Any) -> JsonObject | None:
    """What a run says of the one before it, as a dict, or None."""
    link = verification.get("previous_run") if verification else None
    return link if isinstance(link, dict) else None


def check_chain(checked: list[JsonObject], links: dict[str, JsonObject | None]) -> None:
    """Whether each run's predecessor is the one that it saw. links: by run, what link_of says."""
    digests = {record["run"]: record["sha256"] for record in checked}
    has_answers = {record["run"]: record["outcomes_total"] is not None for record in checked}
    first = None
    for record in checked:
        link = links[record["run"]]
        if link is None:
            if first:
                record["problems"].append("it knows of no run before it, and there is %s" % first)
            first = record["run"]
            continue
        seen = str(link.get("run"))
        if seen in digests:
            if digests[seen] != link.get("sha256sums_sha256"):
                record["problems"].append("the run before it, %s, is not what it was then: its %s was changed" % (seen, SUMS))
            check_link_to_updates(record, link, checked)
            if has_answers[seen] and not has_answers[record["run"]]:
                record["problems"].append("it has no %s, and the run before it has" % QUESTIONS)
        elif RUN.fullmatch(seen) and run_order(seen) < run_order(checked[0]["run"]):
            record["notes"].append("the run before it, %s, is not here: it was removed, as keep_runs does" % seen)
        else:
            record["problems"].append("the run before it, %s, is missing" % seen)
    for run in last_runs(links)[:-1]:
        next(record for record in checked if record["run"] == run)["problems"].append(
            "no later run names it as the one before, so a change to it would not show"
        )


def check_link_to_updates(record: JsonObject, link: JsonObject, checked: list[JsonObject]) -> None:
    """Whether the updates of the run before are those that a run saw. record: of the run. link: what it says."""
    before = next(one for one in checked if one["run"] == str(link.get("run")))
    seen = link.get("updates_sha256")
    if seen and seen != before["updates_sha256"]:
        record["problems"].append("the updates of the run before it, %s, are not what they were then" % before["run"])
    elif before["updates"] and not seen:
        before["notes"].append("its updates are named by no later run, so a change to them would show by their signature only")


def last_runs(links: dict[str, JsonObject | None]) -> list[str]:
    """The runs that no later one names as the one before: exactly one, where the chain is whole."""
    followed = {str(link.get("run")) for link in links.values() if link}
    return [run for run in links if run not in followed]


def check_histories(directory: str, checked: list[JsonObject], links: dict[str, JsonObject | None]) -> None:
    """Whether each run's history, and since when its targets are open, goes on from what the run before it says."""
    by_run = {record["run"]: record for record in checked}
    read = functools.lru_cache(maxsize=2)(lambda run: read_verification(directory, run))
    for record in checked:
        before = str((links[record["run"]] or {}).get("run"))
        verification, former = (read(record["run"]), read(before)) if before in by_run else (None, None)
        if not verification or not former:
            continue
        earlier = points_of(verification)
        # Its own is the last one. A run that could ask nobody has none.
        if earlier and earlier[-1]["run"] == record["run"]:
            earlier.pop()
        if not earlier and points_of(former):
            former_record = by_run[before]
            # Another key, or the first one.
            if former_record["problems"] or former_record["signature_detail"] != record["signature_detail"]:
                record["notes"].append("its history begins anew, for the run before it, %s, could not be relied on" % before)
            else:
                record["problems"].append("its history begins anew, and the run before it, %s, is intact" % before)
            continue
        if earlier != points_of(former):
            record["problems"].append("its history is not that of the run before it, %s" % before)
        different = dated_otherwise(former, verification)
        if different:
            record["problems"].append(
                "it says of %s since another time than the run before it, %s, that it is open"
                % (different[0] if len(different) == 1 else "%s and %d more targets" % (different[0], len(different) - 1), before)
            )


def points_of(verification: Any) -> list[JsonObject]:
    """The history of a verification as a list of dicts with the same keys."""
    history = verification.get("history")
    return (
        [{name: point.get(name) for name in POINT} for point in history if isinstance(point, dict)]
        if isinstance(history, list)
        else []
    )


def dated_otherwise(former: Any, verification: Any) -> list[str]:
    """The targets of which two neighbours say different times since which they are open, or not verified."""
    if former.get("schema_version") != verification.get("schema_version"):
        return []
    since = {(str(target.get("kind")), str(target.get("id"))): target for target in former["targets"] if isinstance(target, dict)}
    different = []
    for target in verification["targets"]:
        known = since.get((str(target.get("kind")), str(target.get("id")))) if isinstance(target, dict) else None
        if not known or REMEDIATED in (known.get("outcome"), target.get("outcome")):
            continue
        names = ["not_verified_since"]
        if known.get("outcome") == target.get("outcome") == UNREMEDIATED:
            names.append("open_since")
        if any(in_utc(known.get(name)) and in_utc(known[name]) != in_utc(target.get(name)) for name in names):
            different.append("%s %s" % (target.get("kind"), target.get("id")))
    return different


def check_wanted_signatures(checked: list[JsonObject], whole: JsonObject, signers_file: str | None, signed: bool) -> None:
    """Whether signatures are there where they are wanted. signed: then it was said already of each that is not valid."""
    first = next((place for place, record in enumerate(checked) if record["signature"]), None)
    if not signers_file:
        if first is not None:
            whole["notes"] += [
                "%s is not signed, and others are" % record["run"] for record in checked if not record["signature"]
            ]
        return
    if signed:
        return
    if first is None and checked:
        whole["problems"].append("the signers are named, so signatures are wanted, and no run is signed")
    for place, record in enumerate(checked):
        if record["signature"] in ("valid", "invalid"):
            continue
        if first is not None and place >= first:
            record["problems"].append("the signers are named, so a valid signature is wanted: %s" % (record["signature_detail"]))
        elif first is not None:
            record["notes"].append("it is not signed; later runs are")


def check_whole(directory: str, links: dict[str, JsonObject | None], signers_file: str | None, signed: bool) -> JsonObject:
    """What can be said of the directory as a whole."""
    problems: list[str] = []
    notes: list[str] = []
    runs = runs_as_they_ended(directory)
    if not runs:
        problems.append("there is no finished run in it")
    try:
        sums = read_sums(directory)
        expected = {path: digest for digest, path in overall_sums(directory, runs)}
        known = {path.split("/", 1)[0] for path in sums}
        problems += ["the run %s is missing" % run for run in sorted(known - set(runs))]
        problems += ["the run %s is in no %s" % (run, SUMS) for run in sorted(set(runs) - known)]
        differing = {path.split("/", 1)[0] for path in sums.keys() | expected.keys() if sums.get(path) != expected.get(path)}
        problems += [
            "%s says something else of the run %s than the run does" % (SUMS, run)
            for run in sorted(differing & known & set(runs))
        ]
    except (OSError, ValueError) as error:
        problems.append("%s over all runs cannot be read (%s)" % (SUMS, getattr(error, "strerror", None) or error))
    signature, detail = check_signature(os.path.join(directory, SUMS), signers_file)
    if signature == "invalid":
        problems.append("the signature over all runs is not valid: %s" % detail)
    elif (signed or signers_file) and signature != "valid":
        problems.append("a valid signature over all runs was asked for: %s" % detail)
    if runs:
        check_latest(directory, links, problems)
    check_entries(directory, runs, problems, notes)
    return dict(problems=problems, notes=notes)


def check_latest(directory: str, links: dict[str, JsonObject | None], problems: list[str]) -> None:
    """Whether `latest` points to the run that ended last."""
    last = last_runs(links)
    newest = last[0] if len(last) == 1 else runs_as_they_ended(directory)[-1]
    pointed = latest_run(directory)
    if pointed != newest:
        problems.append(
            "%s does not point to the run that ended last, %s, but %s"
            % (LATEST, newest, "to %s" % pointed if pointed else "nowhere")
        )


def check_entries(directory: str, runs: list[str], problems: list[str], notes: list[str]) -> None:
    """What lies in the directory beside the runs, and whether it could be taken for evidence."""
    signatures = [ending for ending in SIGNATURES if os.path.lexists(os.path.join(directory, SUMS + ending))]
    own = set(runs) | {LATEST, SUMS} | {SUMS + ending for ending in signatures[:1]}
    with os.scandir(directory) as listing:
        others = sorted((entry for entry in listing if entry.name not in own), key=lambda entry: entry.name)
    for entry in others:
        kind = kind_of_entry(entry)
        if kind == FOLDER and entry.name.endswith(UNFINISHED):
            notes.append("%s was left by a run that did not end, or is still at work, and is no evidence" % entry.name)
        elif kind == FOLDER and OLD_COPY.fullmatch(entry.name):
            notes.append("%s is a folder that was called %s before, and was not checked" % (entry.name, LATEST))
        elif kind == FOLDER and not LIKE_EVIDENCE.match(entry.name):
            notes.append(
                "the folder %s was not checked%s"
                % (entry.name, ": it is an evidence directory of its own" if has_runs(entry.path) else "")
            )
        elif kind in (REGULAR, LINK) and OWN_FILES.fullmatch(entry.name) or kind == REGULAR and is_ledger(entry.path):
            continue
        elif kind == REGULAR and not LIKE_EVIDENCE.match(entry.name):
            notes.append("%s is no evidence, and was not checked" % entry.name)
        else:
            problems.append("%s was added, and is %s that no run made" % (entry.name, kind))


def has_runs(folder: str) -> bool:
    """Whether a folder is an evidence directory, as far as can be seen."""
    try:
        return bool(finished_runs(folder))
    except OSError:
        return False


def kind_of_entry(entry: os.DirEntry[str]) -> str:
    """What an entry of a directory is, in words."""
    try:
        return kind_of(entry.stat(follow_symlinks=False))
    except OSError as error:
        return "something that cannot be read (%s)" % error.strerror


def is_ledger(path: str) -> bool:
    """Whether a file with a name of the user's is a ledger, which is evidence of nothing."""
    try:
        content = read_json(path) if path.endswith(".json") else None
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and set(content) == {"schema_version", "records"}
