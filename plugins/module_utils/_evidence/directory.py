# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence directory: a folder for each run, checksums over it, and which runs there are. Private to the collection."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FILE_MODE,
    folder_mode,
    kind_of,
    open_regular,
    remove_leftovers,
    set_mode,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.rows import read_document
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._evidence.signature import (
    SIGNATURES,
    SignatureProblem,
    remove_signatures,
    sign,
)

RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z(-[0-9]+)?")
UNFINISHED = ".unfinished"
LATEST = "latest"
SUMS = "SHA256SUMS"
VERIFICATION = "verification.json"
# It is about the checksums, so it comes after them.
ATTESTATION = "verification.intoto.json"
REGULAR = "a regular file"
EMPTY_FOLDER = "an empty folder"


def begin_run(directory: str, mode: int = FILE_MODE, now: float | None = None) -> tuple[str, str]:
    """Claims a name for a run. Returns (name, its working folder, which now exists). Raises OSError.

    mode: that of the files which will be in it.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    number = 1
    while True:
        run = stamp if number == 1 else "%s-%d" % (stamp, number)
        if not os.path.lexists(os.path.join(directory, run)):
            try:
                os.mkdir(working_folder(directory, run), folder_mode(mode))
                set_mode(working_folder(directory, run), folder_mode(mode))
                return run, working_folder(directory, run)
            except FileExistsError:
                # Another job began in the same second.
                pass
        number += 1


def working_folder(directory: str, run: str) -> str:
    """Where a run's files are until it is finished; a run that was killed never looks like evidence."""
    return os.path.join(directory, run + UNFINISHED)


def run_order(run: str) -> tuple[str, int]:
    """What sorts names of runs by time: of two in one second the later one has the higher number."""
    stamp, _dash, number = run.partition("-")
    return stamp, int(number or 1)


def finished_runs(directory: str) -> list[str]:
    """The names of the finished runs, oldest first."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    return sorted((name for name in names if RUN.fullmatch(name) and os.path.isdir(os.path.join(directory, name))), key=run_order)


def runs_as_they_ended(directory: str) -> list[str]:
    """The names of the finished runs, the one that ended last at the end: the one that began last may have ended before.

    The order is that of the sums over all runs. A run that they do not have ended last, just before its job was killed.
    """
    runs = finished_runs(directory)
    try:
        listed = {path.split("/", 1)[0]: None for path in read_sums(directory)}
    except (OSError, ValueError):
        listed = {}
    others = [run for run in runs if run not in listed]
    # One without checksums never ended, or was damaged since.
    ended = [run for run in others if os.path.isfile(os.path.join(directory, run, SUMS))]
    return [run for run in others if run not in ended] + [run for run in listed if run in runs] + ended


def read_json(path: str, rows: Iterable[str] = ()) -> Any:
    """The content of a JSON file, which is no link. rows: see read_document. Raises OSError, ValueError, RecursionError."""
    return read_document(path, rows, follow=False)


def read_verification(directory: str, run: str) -> JsonObject | None:
    """A run's verification.json as a dict, or None where there is none that can be read."""
    try:
        verification = read_json(os.path.join(directory, run, VERIFICATION))
    except (OSError, ValueError, RecursionError):
        return None
    return verification if isinstance(verification, dict) and isinstance(verification.get("targets"), list) else None


def sha256_of(path: str) -> str:
    """The SHA-256 of a regular file as hexadecimal digits. Raises OSError."""
    digest = hashlib.sha256()
    with open_regular(path, follow=False) as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest()


def run_sha256(directory: str, run: str) -> str:
    """What stands for a whole run: the SHA-256 of its SHA256SUMS. Raises OSError."""
    return sha256_of(os.path.join(directory, run, SUMS))


def entries_of(folder: str) -> dict[str, str]:
    """What is in a folder and the folders in it, as a dict from path to what it is: REGULAR, EMPTY_FOLDER, or other words.

    Paths are relative to the folder, with / between the parts. No link is followed, and nothing is opened. Raises OSError.
    """
    found, left = {}, [""]
    while left:
        parent = left.pop()
        try:
            with os.scandir(os.path.join(folder, parent)) as listing:
                inside = [(parent + entry.name, entry.stat(follow_symlinks=False)) for entry in listing]
        except OSError as error:
            if not parent:
                raise
            found[parent[:-1]] = "a folder that cannot be read (%s)" % error.strerror
            continue
        if not inside and parent:
            found[parent[:-1]] = EMPTY_FOLDER
        for path, status in inside:
            if stat.S_ISDIR(status.st_mode):
                left.append(path + "/")
            else:
                found[path] = kind_of(status)
    return found


def files_in(folder: str) -> list[str]:
    """The paths of all regular files in a folder, as entries_of has them, but for checksums, and what is made over them."""
    over_sums = {SUMS, ATTESTATION, *(SUMS + ending for ending in SIGNATURES)}
    return sorted({path for path, kind in entries_of(folder).items() if kind == REGULAR} - over_sums)


def finish_run(
    directory: str,
    run: str,
    signing_key: str | None = None,
    mode: int = FILE_MODE,
    attest: Callable[[str, str | None, list[str]], str | None] | None = None,
) -> list[str]:
    """Makes a run's working folder evidence: permissions, checksums, signature, its final name, what attests it, `latest`,
    and the sums over all runs.

    mode: of its files. attest: see attestation.attest. Returns what went wrong, as sentences; then all the rest is done.
    Raises OSError.
    """
    problems: list[str] = []
    folder = working_folder(directory, run)
    tidy_up(folder, mode, problems)
    write_sums(folder, ((sha256_of(os.path.join(folder, path)), path) for path in files_in(folder)), mode)
    sign_or_say(os.path.join(folder, SUMS), signing_key, problems, mode)
    text = attest(folder, signing_key, problems) if attest else None
    before = runs_as_they_ended(directory)
    os.rename(folder, os.path.join(directory, run))
    if text is not None:
        write_attestation(os.path.join(directory, run), text, mode, problems)
    write_overall_sums(directory, before + [run], signing_key, problems, mode)
    try:
        point_latest(directory, run, mode)
    except OSError as error:
        problems.append("%s cannot point to the run: %s." % (LATEST, error.strerror))
    return problems


def write_attestation(folder: str, text: str, mode: int, problems: list[str]) -> None:
    """Writes what attests a run, once the run has its name.

    Of a run that is not closed there must be no statement, wherever the job is killed. The text is made before, so that a run
    that is closed is hardly ever without one.
    problems: what went wrong is put there.
    """
    try:
        write_atomically(os.path.join(folder, ATTESTATION), text, mode, follow=False)
    except OSError as error:
        problems.append("%s could not be written: %s." % (ATTESTATION, error.strerror))


def tidy_up(folder: str, mode: int, problems: list[str]) -> None:
    """Leaves nothing in a run's folder but files of this mode. What cannot be one is put into `problems`. Raises OSError."""
    for parent, _folders, _files in os.walk(folder, topdown=False):
        remove_leftovers(parent, 0)
        # A folder of reports, of which none could be had.
        if parent != folder and not os.listdir(parent):
            os.rmdir(parent)
    for path, kind in sorted(entries_of(folder).items()):
        if kind != REGULAR:
            problems.append("%s is %s, which is no evidence, and will be told by every check." % (path, kind))
            continue
        try:
            os.chmod(os.path.join(folder, path), mode)
        except PermissionError:
            problems.append("%s is another user's, so its mode stays what it is." % path)
    for parent, _folders, _files in os.walk(folder):
        set_mode(parent, folder_mode(mode))


def sign_or_say(path: str, key: str | None, problems: list[str], mode: int = FILE_MODE) -> None:
    """Signs a file; what went wrong is put into `problems`."""
    try:
        sign(path, key, mode)
    except SignatureProblem as error:
        if str(error) not in problems:
            problems.append(str(error))


def write_sums(folder: str, sums: Iterable[tuple[str, str]], mode: int = FILE_MODE) -> None:
    """Writes SHA256SUMS. Raises OSError."""
    write_atomically(os.path.join(folder, SUMS), sums_text(sums), mode, follow=False)


def sums_text(sums: Iterable[tuple[str, str]]) -> str:
    """Pairs of digest and path, as sha256sum -c reads them."""
    lines = []
    for digest, path in sums:
        if re.search(r"[\\\n\r]", path):
            digest, path = "\\" + digest, path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        lines.append("%s  %s\n" % (digest, path))
    return "".join(lines)


def read_sums(folder: str) -> dict[str, str]:
    """The content of SHA256SUMS: a dict from path to digest. Raises OSError, ValueError."""
    return read_sums_file(os.path.join(folder, SUMS))


def read_sums_file(path: str) -> dict[str, str]:
    """The content of a file of checksums: a dict from path to digest. Raises OSError, ValueError."""
    sums: dict[str, str] = {}
    with open_regular(path, follow=False) as file:
        text = file.read().decode("utf-8", "surrogateescape")
    for line in text.rstrip("\n").split("\n"):
        match = re.fullmatch(r"(\\?)([0-9a-f]{64})  (.+)", line)
        if not match:
            raise ValueError("a line of %s is no checksum: %r" % (os.path.basename(path), line[:100]))
        name = match.group(3)
        if match.group(1):
            name = re.sub(r"\\(.)", lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), name)
        if sums.setdefault(name, match.group(2)) != match.group(2):
            raise ValueError("%s has two checksums for %r" % (os.path.basename(path), name[:100]))
    return sums


def overall_sums(directory: str, runs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(digest, path) of every file of these runs, according to the runs' own SHA256SUMS, of those, and of what attests them."""
    for run in runs:
        folder = os.path.join(directory, run)
        try:
            sums = read_sums(folder)
            yield sha256_of(os.path.join(folder, SUMS)), "%s/%s" % (run, SUMS)
        except (OSError, ValueError):
            # Whoever checks the directory is told; this run must not fail for what became of another.
            continue
        # One that is missing, or is no file, is told by every check of the run.
        with contextlib.suppress(OSError):
            yield sha256_of(os.path.join(folder, ATTESTATION)), "%s/%s" % (run, ATTESTATION)
        for path, digest in sums.items():
            yield digest, "%s/%s" % (run, path)


def write_overall_sums(
    directory: str, runs: list[str], signing_key: str | None, problems: list[str], mode: int = FILE_MODE
) -> None:
    """Writes and signs the SHA256SUMS over all runs, in the order in which they ended.

    What an older run's files were is taken from its sums, never read anew. problems: see sign_or_say.
    """
    path = os.path.join(directory, SUMS)
    try:
        # They belong to the former content.
        remove_signatures(path)
        write_sums(directory, overall_sums(directory, runs), mode)
    except OSError as error:
        problems.append("%s over all runs cannot be written: %s." % (SUMS, error.strerror))
        return
    sign_or_say(path, signing_key, problems, mode)


def point_latest(directory: str, run: str, mode: int = FILE_MODE) -> None:
    """Lets `latest` point to a run; where there are no links, it is a text file with the run's name. Raises OSError."""
    link = os.path.join(directory, LATEST)
    if os.path.isdir(link) and not os.path.islink(link):
        # A copy made where there are no links. It may be all that somebody has.
        os.rename(link, "%s.before-%s" % (link, run))
    elif os.path.lexists(link) and kind_of(os.lstat(link)) not in (REGULAR, "a symbolic link"):
        raise OSError(errno.EINVAL, "it is %s" % kind_of(os.lstat(link)), link)
    for name in os.listdir(directory):
        # Of a run that was killed just here.
        if name.startswith(".%s-" % LATEST) and os.path.islink(os.path.join(directory, name)):
            os.unlink(os.path.join(directory, name))
    temporary = os.path.join(directory, ".%s-%s" % (LATEST, run))
    try:
        os.symlink(run, temporary)
    except OSError:
        write_atomically(link, run + "\n", mode, follow=False)
    else:
        os.replace(temporary, link)


def latest_run(directory: str) -> str | None:
    """What `latest` says, or None."""
    link = os.path.join(directory, LATEST)
    try:
        if os.path.islink(link):
            return os.readlink(link)
        with open_regular(link, follow=False) as file:
            return file.read(100).decode("utf-8").strip()
    except (OSError, ValueError):
        return None


def foreign_sums(directory: str) -> str | None:
    """A path in the SHA256SUMS of a directory that is of no run, or None: it would be overwritten."""
    try:
        return next((path for path in read_sums(directory) if not RUN.fullmatch(path.split("/", 1)[0])), None)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return "a line that is no checksum"


def remove_old_runs(directory: str, keep: int) -> list[str]:
    """Removes all but the runs that ended last, and returns their names. Never a link: what it leads to is elsewhere.

    Working folders stay, for a job may still be at work there.
    """
    runs = runs_as_they_ended(directory)
    # Others have folders with such names, too, and what is not known to be a run is not ours to remove.
    old = (
        [
            run
            for run in runs[:-keep]
            if not os.path.islink(os.path.join(directory, run)) and (read_verification(directory, run) or {}).get("run") == run
        ]
        if keep
        else []
    )
    for run in old:
        shutil.rmtree(os.path.join(directory, run))
    return old
