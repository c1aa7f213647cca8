# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the evidence of a run: the records of the answers, what follows from them, and the forms of it.

One thing that is odd, missing, or broken costs itself, and never the evidence of the others. Private to the collection.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FILE_MODE,
    FileProblem,
    folder_mode,
    local_locks,
    locked,
    make_directories,
    open_regular,
    prepare_directory,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows, pieces_of
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Params, Result, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import listed, printable_everywhere
from ansible_collections.secops.remediation.plugins.module_utils._common.times import TIME, in_utc, utc_now
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence.attestation import attest
from ansible_collections.secops.remediation.plugins.module_utils._evidence.check import why_not_trusted
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_csv import csv_text, open_items_csv
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_junit import junit_xml
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_markdown import markdown
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_oscal import control_id, oscal
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_page import page
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_sarif import sarif
from ansible_collections.secops.remediation.plugins.module_utils._evidence.raw_signature import sign_raw
from ansible_collections.secops.remediation.plugins.module_utils._evidence.replay import (
    FOLDER,
    QUESTIONS,
    inside,
    record_of,
    replay,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import (
    SignatureProblem,
    sign,
    signature_ending,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.updates import (
    AlreadyOnRecord,
    updates_sha256,
    write_updates,
)
from ansible_collections.secops.remediation.plugins.module_utils._judge import verify
from ansible_collections.secops.remediation.plugins.module_utils._systems import (
    ANSWERS,
    ASKED,
    ON_RECORD,
    SYSTEMS,
    TERMS,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    NOT_READ_IN_CHECK_MODE,
    PENDING,
    URGENCY,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import is_accepted, problems_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.results import sort_results, whole, without_answers
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers, Results
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import make_target

RECORD = ("kind", "id", "name", "outcome", "reason", "open_since", "scan_id", "started_at", "finished_at", "evidence")
# What a targets file adds to a target.
OWNERS_SAY = ("owner", "accepted")
MOST_RETURNED = 100
LONGEST_REASON = 500
LONGEST_ID = 500
# Runs in which a target is looked for that the run before did not have.
MOST_LOOKED_BACK = 20
# Another run hashes all its files and those of the run before while it holds the lock.
LOCK_SECONDS = 600
FILES = {
    "csv": "verification.csv",
    "open_items": "open-items.csv",
    "junit": "verification.junit.xml",
    "markdown": "verification.md",
    "oscal": "oscal-assessment-results.json",
    "sarif": "verification.sarif",
    "attestation": evidence.ATTESTATION,
    "html": "verification.html",
}
# What the user chooses. Who wants a table of the targets wants one of their open items.
FORMATS = [name for name in FILES if name != "open_items"]
REPORTS = "reports"
NOTHING_STARTED = "Nothing was started."


class WritingFailed(Exception):
    """The evidence could not be written. The text says why and what to do."""


class Incomplete(WritingFailed):
    """The evidence is there, and something of it is missing. result: what was written."""

    def __init__(self, text: str, result: Result) -> None:
        """Takes what is missing, as sentences, and what the module returns nevertheless."""
        self.result = result
        super().__init__(text)


# --- before anything is started ---


def prepare(dest: str, mode: int) -> None:
    """Proves that evidence can be written. mode: of its files, a number. Raises FileProblem."""
    prepare_directory(dest, "the evidence directory", NOTHING_STARTED, folder_mode(mode))
    foreign = evidence.foreign_sums(dest)
    if foreign:
        raise FileProblem(
            "%s is no evidence directory: its %s is of other files, such as %s. Name another folder. %s"
            % (dest, evidence.SUMS, foreign, NOTHING_STARTED)
        )


def begin(dest: str, signing_key: str | None, mode: int, formats: Iterable[str]) -> tuple[str, str]:
    """Makes a run's working folder, and proves that it can be signed. Returns (its name, its path).

    mode: of the files, a number. formats: that will be written. Raises WritingFailed.
    """
    try:
        run, folder = evidence.begin_run(os.path.abspath(dest), mode)
        # A key that cannot sign is better known before hours of scans than after them.
        probe = os.path.join(folder, evidence.SUMS)
        with open(probe, "x", encoding="utf-8"):
            pass
        try:
            sign(probe, signing_key)
            if signing_key and "attestation" in formats:
                sign_raw(b"", signing_key)
        except SignatureProblem as error:
            shutil.rmtree(folder)
            raise WritingFailed("%s %s" % (error, NOTHING_STARTED)) from error
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
    except OSError as error:
        raise WritingFailed("Cannot make a folder in %s: %s. %s" % (dest, error.strerror, NOTHING_STARTED)) from error
    return run, folder


def warnings_about(*places: str | None) -> list[str]:
    """What a user has to know of the places where evidence and ledger are, as sentences. A place may be None."""
    return [warning for warning in (local_locks(place) for place in places if place) if warning]


# --- what was found ---


def collect(params: Params) -> Results:
    """The results of the modules and what was asked for, as _judge.verify takes them, whatever was registered.

    params: the module's options. What is named by one of those of 0.2.0 comes after the list.
    """
    named = [of_its_name(params[name], answers) for name, answers in ANSWERS.items() if params.get(name)]
    found, problems = sort_results([*params["results"], *named], SYSTEMS)
    problems += wrong_with(params["targets"])
    for name, nothing in ON_RECORD.items():
        named, listed_alone = params["targets"].get(name) or nothing, params.get(name) or nothing
        if not isinstance(named, type(nothing)):
            named = nothing
        if isinstance(nothing, list):
            found[name] = named + [one for one in listed_alone if one not in named]
        elif named and listed_alone and named != listed_alone:
            problems.append("targets: %s is %s, and the option of the same name is %s." % (name, named, listed_alone))
            found[name] = named
        else:
            found[name] = named or listed_alone
    return dict({name: {} for name in ANSWERS}, **found, problems=problems, targets_file=params.get("targets_file") or None)


def of_its_name(registered: Any, answers: Answers) -> Result:
    """What was registered as one of the results by name, as one of the list."""
    return dict(whole(registered, SYSTEMS), module=answers.module, asked={answers.asked: 1} if answers.asked else {})


def asks_for_something(params: Params) -> bool:
    """Whether there is anything to verify. params: the module's options."""
    return any(params["targets"].get(name) or params.get(name) for name in ASKED)


def wrong_with(targets: dict[str, Any]) -> list[str]:
    """What is wrong with what was asked for by name, in sentences."""
    unknown = sorted(str(name) for name in targets if name not in ON_RECORD)
    odd = sorted(
        name
        for name, nothing in ON_RECORD.items()
        if targets.get(name) not in (None, "") and not isinstance(targets[name], type(nothing))
    )
    sentences = []
    if unknown:
        sentences.append("targets: %s is known to no system. Known are %s." % (" and ".join(unknown), ", ".join(ON_RECORD)))
    sentences += ["targets: %s has to be a %s." % (name, "list" if ON_RECORD[name] == [] else "text") for name in odd]
    sentences += [
        "targets: %s has to be of %s, and is %.100r." % (name, ", ".join(spec["choices"]), targets[name])
        for name, spec in TERMS.items()
        if name not in odd and any(one not in spec["choices"] for one in listed(targets.get(name)))
    ]
    return sentences


def moved(value: Any, folder: str) -> Any:
    """What a JSON value is in a folder that is finished: paths in it are relative to it, for it may be moved anywhere."""
    name = os.path.basename(folder)
    if name not in json.dumps(value):
        return value
    # The same place in another spelling, at last.
    other = re.compile(r"(?:[^\s'\"]*/)?%s(?:/|\b)" % re.escape(name))

    def changed(text: str) -> str:
        """A text without the folder in it."""
        for place in (folder, os.path.realpath(folder)):
            text = text.replace(place + os.sep, "").replace(place, ".")
        return other.sub("", text)

    def walk(part: Any) -> Any:
        """A part of the value with every text in it changed, keys as well."""
        if isinstance(part, str):
            return changed(part) if name in part else part
        if isinstance(part, list):
            return [walk(item) for item in part]
        if isinstance(part, dict):
            return {walk(key): walk(item) for key, item in part.items()}
        return part

    return walk(value)


def write_records(folder: str, run: str, results: Results, started_at: Any, run_id: str | None) -> Results:
    """Puts the results on record, and what was asked for. Returns the results as they are on record. Raises OSError."""
    make_directories(os.path.join(folder, FOLDER))
    on_record, kept = dict(results, **bring_in(folder, results)), []
    for name, answers in ANSWERS.items():
        result, path = on_record[name], record_of(answers)
        if not result:
            continue
        on_record[name] = put_on_record(folder, path, dict(result, results_file=path, run=run), answers.rows)
        kept.append(path)
    asked = {name: results[name] for name in (*ON_RECORD, "problems")}
    if results.get("targets_file"):
        asked["targets_file"] = results["targets_file"]
    asked.update(started_at=started_at, run=run, run_id=run_id, records=kept)
    write_atomically(os.path.join(folder, QUESTIONS), json.dumps(asked) + "\n", follow=False)
    for path in evidence.files_in(folder):
        if path.startswith(FOLDER + "/") and path not in kept + [QUESTIONS]:
            move_record(folder, path)
    return on_record


def put_on_record(folder: str, path: str, result: Result, name: str = "") -> Result:
    """Writes a record. Returns the result as it is there. name: of a list that is written row by row. Raises OSError."""
    place = os.path.join(folder, path)
    rows = {other: value for other, value in result.items() if isinstance(value, Rows)}
    held = moved({other: value for other, value in result.items() if other not in rows}, folder)
    document = dict(held, **rows)
    if isinstance(held.get(name), list):
        document[name] = Rows(held[name].__iter__, len(held[name]))
    write_atomically(place, pieces_of(document, lambda row: moved_text(row, folder)), follow=False)
    return evidence.read_json(place, rows) if rows else held


def moved_text(row: JsonObject, folder: str) -> str:
    """A row as JSON text, see moved. Nearly none has a path in it."""
    text = json.dumps(row, separators=(",", ":"))
    return json.dumps(moved(row, folder)) if os.path.basename(folder) in text else text


def advise(folder: str, results: Results) -> None:
    """Lets each system add to the results what would help the user. Whatever breaks there costs the advice alone."""
    for system in SYSTEMS:
        if system.advise:
            with contextlib.suppress(Exception):
                system.advise(results, functools.partial(inside, folder))


def bring_in(folder: str, results: Results) -> Results:
    """Copies files that belong to answers and lie elsewhere into the run's folder, so that it says everything by itself.

    Returns the results that name such files, with the paths of where they are now. Raises OSError.
    """
    places, taken = {}, set()

    def place_of(path: str) -> str:
        """Where a file is in the run's folder; one that lies elsewhere is copied there the first time."""
        path = os.path.abspath(path)
        if path.startswith((folder + os.sep, os.path.realpath(folder) + os.sep)):
            return path
        if path not in places:
            name, number = os.path.basename(path), 1
            while os.path.lexists(os.path.join(folder, REPORTS, name)) or name in taken:
                number += 1
                name = "%d-%s" % (number, os.path.basename(path))
            taken.add(name)
            places[path] = os.path.join(folder, REPORTS, name)
            # One that cannot be copied is told with what the records are worth.
            with contextlib.suppress(OSError):
                copy(path, places[path])
        return places[path]

    def with_places(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The items with the paths of where their files are now."""
        return [
            dict(item, path=place_of(item["path"])) if isinstance(item.get("path"), str) and item["path"] else item
            for item in items
        ]

    return {
        name: dict(
            results[name],
            **{files: with_places(results[name][files]) for files in answers.files if files in results[name]},
        )
        for name, answers in ANSWERS.items()
        if answers.files
    }


def copy(path: str, place: str) -> None:
    """Copies a regular file. Raises OSError."""
    with open_regular(path) as source:
        make_directories(os.path.dirname(place))
        with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE), "wb") as file:
            shutil.copyfileobj(source, file)


def move_record(folder: str, path: str) -> None:
    """Takes the working folder out of the paths in another record, where it can be read."""
    try:
        content = evidence.read_json(os.path.join(folder, path), [answers.rows for answers in ANSWERS.values() if answers.rows])
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(content, dict):
        put_on_record(folder, path, content)


# --- the verdict ---


def judge(
    directory: str,
    results: Results,
    run: str,
    started_at: Any,
    controls: Iterable[str],
    signing_key: str | None,
    problems: list[str],
) -> tuple[JsonObject, bool]:
    """(the verification, whether it says something else than the one before).

    problems: what is said of the run before that cannot be relied on is put there.
    """
    before = evidence.runs_as_they_ended(directory)
    previous = None
    if before:
        reason = why_not_trusted(directory, before[-1], signing_key)
        if reason:
            problems.append(
                "The history begins anew with this run, for the run before it, %s, cannot be relied on: %s."
                % (before[-1], reason)
            )
        else:
            previous = evidence.read_verification(directory, before[-1])
    now = utc_now()

    def judged(results: Results) -> JsonObject:
        """The verification that follows from results. Raises whatever an odd result makes it raise."""
        return verify(
            results,
            run,
            in_utc(started_at) or now,
            now,
            dict.fromkeys(map(control_id, controls)),
            older_than(directory, before, previous, signing_key),
            link_to(directory, before),
        )

    try:
        found = judged(results)
    except Exception as error:  # pylint: disable=broad-exception-caught
        # Whatever was registered: who asked for something gets evidence.
        reason = "The results could not be judged (%s: %s)." % (type(error).__name__, error)
        problems.append(reason)
        found = judged(without_answers(results, ANSWERS, reason))
    found["targets"] = [writable(target, problems) for target in found["targets"]]
    known = gist(previous["targets"]) if previous else None
    # What check mode did not read is taken to say what it said before.
    unknown = {target["id"] for target in found["targets"] if NOT_READ_IN_CHECK_MODE in target["reason"]}
    unknown &= {entry[1] for entry in known or ()}
    return found, known is None or bool({entry for entry in known ^ gist(found["targets"]) if entry[1] not in unknown})


def older_than(directory: str, before: list[str], previous: Any, signing_key: str | None) -> Iterator[Any]:
    """The verifications of the runs before, newest first, None for each that cannot be relied on. Read when needed."""
    yield previous
    for run in reversed(before[-MOST_LOOKED_BACK:-1]):
        yield None if why_not_trusted(directory, run, signing_key, whole=False) else evidence.read_verification(directory, run)


def link_to(directory: str, before: list[str]) -> JsonObject | None:
    """What a run says of the one before it, as a dict, or None: its name, the checksum of its checksums, and that of what is on
    record of its updates, once it is known what became of them."""
    if before:
        with contextlib.suppress(OSError):
            link = dict(run=before[-1], sha256sums_sha256=evidence.run_sha256(directory, before[-1]))
            updates = updates_sha256(os.path.join(directory, before[-1]))
            return dict(link, updates_sha256=updates) if updates else link
    return None


def writable(target: Target, problems: list[str]) -> Target:
    """A target as it can be written: where something in it is no JSON, only what says which it is and that it is open."""
    try:
        json.dumps(target)
        return target
    except (TypeError, ValueError, RecursionError) as error:
        reason = "what was found cannot be written down (%s)" % type(error).__name__
        problems.append("%s %.100s: %s." % (target["kind"], target["id"], reason))
        return make_target(target["kind"], str(target["id"])[:LONGEST_ID], None, INCONCLUSIVE, reason)


def add_checksums(found: JsonObject, folder: str, problems: list[str]) -> None:
    """Completes the evidence of each target: a path that is relative to the run's folder, and the checksum."""
    sums = {}
    for target in found["targets"]:
        files = []
        for file in target["evidence"]:
            path = os.path.join(folder, file["path"])
            try:
                if not file["sha256"] and path not in sums:
                    sums[path] = evidence.sha256_of(path)
            except OSError as error:
                problems.append(
                    "%s, evidence of %s %s, cannot be read: %s." % (file["path"], target["kind"], target["id"], error.strerror)
                )
                continue
            files.append(dict(path=os.path.relpath(path, folder), sha256=file["sha256"] or sums[path]))
        target["evidence"] = files


def gist(targets: Iterable[Any]) -> set[tuple[str, ...]]:
    """What makes two verifications the same. Of a reason the moments in it are no news: each look has others."""
    return {
        (*(str(target.get(name)) for name in ("kind", "id", "outcome")), TIME.sub("", str(target.get("reason"))))
        for target in targets
        if isinstance(target, dict)
    }


# --- the files ---


def write(params: Params, mode: int, warn: Callable[[str], object]) -> Result:
    """Writes the evidence of a run. Returns what the module returns. Raises FileProblem, WritingFailed.

    params: the module's options. mode: of the files, a number. warn: takes a sentence about what is no reason to fail.
    """
    prepare_directory(params["dest"], "the evidence directory", mode=folder_mode(mode))
    directory = os.path.abspath(params["dest"])
    results = collect(params)
    problems: list[str] = []
    warnings: list[str] = []
    try:
        # Two jobs may end at once, and each run names the one before it.
        with locked(directory, max(30, min(LOCK_SECONDS, params["wait_timeout"]))):
            run = params["run"] or evidence.begin_run(directory, mode)[0]
            folder = evidence.working_folder(directory, run)
            if os.path.islink(folder) or not os.path.isdir(folder):
                raise WritingFailed(
                    "The run %s was not prepared, or has been written already: there is no folder %s" % (run, folder)
                )
            results = write_records(folder, run, results, params["started_at"], params["run_id"])
            advise(folder, results)
            found, changed = judge(
                directory, results, run, params["started_at"], params["controls"], params["signing_key"], warnings
            )
            add_checksums(found, folder, problems)
            replayed = replay(folder, json.loads(json.dumps(found)))
            if "replay" in found:
                found["replay"] = {name: replayed[name] for name in ("followed", "total")}
            problems += ["%s." % problem for problem in replayed["problems"]]
            attested = "attestation" in params["formats"] and not problems
            if "attestation" in params["formats"] and problems:
                problems.append("So nothing attests this run.")
            found["attestation"] = evidence.ATTESTATION if attested else None
            written, missing = write_files(folder, found, params["formats"], params["signing_key"])
            problems += missing + evidence.finish_run(directory, run, params["signing_key"], mode, attest if attested else None)
            if attested and os.path.exists(os.path.join(directory, run, evidence.ATTESTATION)):
                written["attestation"] = evidence.ATTESTATION
            removed = evidence.remove_old_runs(directory, params["keep_runs"])
            if removed:
                left = evidence.runs_as_they_ended(directory)
                evidence.write_overall_sums(directory, left, params["signing_key"], problems, mode)
    except OSError as error:
        raise WritingFailed(
            "Cannot write the evidence: %s%s" % (error.strerror or error, ", " + str(error.filename) if error.filename else "")
        ) from error
    folder = os.path.join(directory, run)
    record = os.path.join(folder, evidence.VERIFICATION)
    short = dict(
        in_short(found),
        directory=folder,
        path=record,
        sha256=evidence.sha256_of(record),
        run_sha256=evidence.run_sha256(directory, run),
        files={name: os.path.join(folder, file) for name, file in written.items()},
    )
    for text in warnings:
        warn(text)
    result = dict(changed=changed, verification=short, removed_runs=removed, problems=problems + warnings)
    if problems:
        raise Incomplete("The evidence is in %s, but something is missing. %s" % (folder, " ".join(problems)), result)
    return result


def update(params: Params, mode: int) -> Result:
    """Puts on record what is changed elsewhere because of a run that is closed. Returns what the module returns. Raises
    FileProblem, WritingFailed.

    params: the module's options. mode: of the files, a number.
    """
    directory, run, updates = os.path.abspath(params["dest"]), params["run"], params["updates"]
    try:
        path, problems = write_updates(
            directory,
            run,
            listed(updates.get("intended")),
            updates.get("result"),
            params["signing_key"],
            mode,
            max(30, min(LOCK_SECONDS, params["wait_timeout"])),
        )
        result = dict(changed=True, updates=dict(path=path, sha256=evidence.sha256_of(path)))
    except AlreadyOnRecord as error:
        raise WritingFailed(str(error)) from error
    except OSError as error:
        raise WritingFailed("Cannot put on record what is changed because of the run %s: %s" % (run, error.strerror)) from error
    if problems:
        raise Incomplete("What is changed is on record in %s, but something is missing. %s" % (path, " ".join(problems)), result)
    return result


def rehearse(params: Params, warn: Callable[[str], object]) -> Result:
    """What write would return, for check mode: nothing is written."""
    directory = os.path.abspath(params["dest"])
    warnings: list[str] = []
    found, changed = judge(
        directory,
        collect(params),
        params["run"] or "check-mode",
        params["started_at"],
        params["controls"],
        params["signing_key"],
        warnings,
    )
    add_checksums(found, evidence.working_folder(directory, found["run"]), warnings)
    for text in warnings:
        warn(text)
    return dict(changed=changed, verification=in_short(found), removed_runs=[], problems=warnings)


def write_files(
    folder: str, found: JsonObject, formats: Iterable[str], signing_key: str | None
) -> tuple[dict[str, str], list[str]]:
    """Writes the run's files. Returns (their names by format, what went wrong in sentences)."""
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    printable = found
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Half a surrogate pair is no text. JSON has an escape for it, the other formats do without.
        printable = json.loads(text.encode("utf-8", "replace"))
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    write_atomically(os.path.join(folder, evidence.VERIFICATION), text, follow=False)
    del text
    written, problems = {"json": evidence.VERIFICATION}, []
    makers = dict(
        csv=lambda: csv_text(printable),
        open_items=lambda: open_items_csv(printable),
        junit=lambda: junit_xml(printable),
        markdown=lambda: markdown(printable),
        oscal=lambda: json.dumps(oscal(printable, with_sums(folder)), ensure_ascii=False) + "\n",
        sarif=lambda: json.dumps(sarif(printable)) + "\n",
        html=lambda: page(printable, evidence.files_in(folder) + to_come(found, signing_key)),
    )
    wanted = set(formats) | ({"open_items"} if "csv" in formats else set())
    # The page links to the others, so it is made last.
    for name in [name for name in FILES if name in wanted and name in makers]:
        try:
            write_atomically(os.path.join(folder, FILES[name]), makers[name](), follow=False)
            written[name] = FILES[name]
        except Exception as error:  # pylint: disable=broad-exception-caught
            # One form that fails must not cost the others.
            problems.append("%s could not be written: %s: %s." % (FILES[name], type(error).__name__, error))
    return written, problems


def with_sums(folder: str) -> list[dict[str, str]]:
    """The files in a folder as a list of dicts with path and sha256."""
    return [dict(path=path, sha256=evidence.sha256_of(os.path.join(folder, path))) for path in evidence.files_in(folder)]


def to_come(found: JsonObject, signing_key: str | None) -> list[str]:
    """The names of what is made when the folder is complete."""
    ending = signature_ending(signing_key)
    attested = [found["attestation"]] if found.get("attestation") else []
    return [evidence.SUMS] + ([evidence.SUMS + ending] if ending else []) + attested


def in_short(found: JsonObject) -> JsonObject:
    """What a playbook needs, small enough to be printed, logged, and stored."""
    targets = sorted(found["targets"], key=lambda target: URGENCY.index(target["outcome"]))
    return dict(
        {name: found[name] for name in ("verdict", "summary", "counts", "run")},
        by_kind=by_kind(found["targets"]),
        acceptance=acceptance_in_short(found),
        directory=None,
        path=None,
        sha256=None,
        run_sha256=None,
        files={},
        # Ansible shows what it is given, and in a name there may be anything.
        targets=printable_everywhere(
            [
                dict(
                    {name: target.get(name) for name in RECORD},
                    **{name: target[name] for name in OWNERS_SAY if target.get(name)},
                    reason=target["reason"][:LONGEST_REASON],
                )
                for target in targets[:MOST_RETURNED]
            ]
        ),
        targets_left_out=max(0, len(targets) - MOST_RETURNED),
    )


def acceptance_in_short(found: JsonObject) -> JsonObject:
    """What a gate needs to know of accepted findings: how many are open and accepted, whether that is all that is open, and
    what has to be looked at, as sentences."""
    acceptance = found.get("acceptance") or dict(accepted=[], all_open_accepted=False)
    problems = printable_everywhere([lookup["problem"][:LONGEST_REASON] for lookup in problems_of(acceptance)])
    return dict(
        accepted=sum(map(is_accepted, found["targets"])),
        all_open_accepted=acceptance["all_open_accepted"],
        problems=problems[:MOST_RETURNED],
    )


def by_kind(targets: list[Target]) -> dict[str, dict[str, int]]:
    """How many targets there are of each kind, and of how many no scan is known though one would have been needed."""
    kinds: dict[str, dict[str, int]] = {}
    for target in targets:
        count = kinds.setdefault(target["kind"], dict(total=0, not_started=0))
        count["total"] += 1
        if (
            not target["scan_id"]
            and not target["started_at"]
            and (target["outcome"] == INCONCLUSIVE or target["outcome"] == PENDING and target.get("scan"))
        ):
            count["not_started"] += 1
    return kinds
