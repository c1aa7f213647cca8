# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: written whole or not at all, in folders that are known to take them, and never anything but regular files.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import socket
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from io import BufferedReader

from ansible_collections.secops.remediation.plugins.module_utils._common.times import utc_now

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]  # Then there are no locks, see locked().

# What is written names people and what they may do.
FILE_MODE = 0o600
FOLDER_MODE = 0o700
# Names of files that are being written. Whatever has them and is old was left by a process that was killed.
PART_PREFIX, PART_SUFFIX = ".remediation-", ".part"
PART_SECONDS = 3600
LOCK = ".remediation-lock"
LOCK_SECONDS = 60
# File systems whose locks no other machine sees, and options of mounting that make it so.
LOCAL_FILE_SYSTEMS = re.compile(r"9p|vboxsf|prl_fs|fuse\.(sshfs|s3fs|rclone|gcsfuse|mount-s3|goofys|blobfuse2?|davfs2?)|davfs")
LOCAL_OPTIONS = {
    "nfs": {"nolock", "local_lock=all", "local_lock=flock"},
    "nfs4": {"local_lock=all", "local_lock=flock"},
    "cifs": {"nobrl"},
    "smb3": {"nobrl"},
}


class FileProblem(Exception):
    """A file or a folder cannot be used. The text says which, why, and what to do."""


def kind_of(status: os.stat_result) -> str:
    """What a file is, in words. status: its os.stat_result."""
    for is_it, words in (
        (stat.S_ISREG, "a regular file"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ):
        if is_it(status.st_mode):
            return words
    return "of an unknown kind"


def refuse_irregular(status: os.stat_result, path: str) -> None:
    """Raises OSError where it is anything but a regular file."""
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is %s, not a regular file" % kind_of(status), path)


def open_regular(path: str, follow: bool = True) -> BufferedReader:
    """Opens a regular file, to read its bytes. Anything else is not even opened: a pipe would wait, a device may act.

    follow: whether the path may be a symbolic link to one. Raises OSError, whose strerror says what it is instead.
    """
    refuse_irregular(os.stat(path) if follow else os.lstat(path), path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW))
    try:
        # It may have been replaced in between.
        refuse_irregular(os.fstat(handle), path)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def check_replaceable(path: str, follow: bool = True) -> str:
    """The path of the file that writing to this path makes or replaces. Raises OSError where that must not be.

    Only a regular file is replaced. follow: whether a symbolic link stays one, and the file that it leads to is
    replaced; else the link itself is.
    """
    try:
        status = os.stat(path) if follow else os.lstat(path)
    except FileNotFoundError:
        if follow and os.path.islink(path):
            raise OSError(errno.ENOENT, "it is a symbolic link to %s, and that is not there" % os.readlink(path), path) from None
        return path
    if not stat.S_ISLNK(status.st_mode):
        refuse_irregular(status, path)
    return os.path.realpath(path) if follow else path


def make_directories(path: str, mode: int = FOLDER_MODE) -> None:
    """Makes a directory, and those above it that are missing. One that is there keeps its mode. Raises OSError."""
    path = os.path.abspath(path)
    if os.path.isdir(path):
        return
    if os.path.lexists(path):
        raise NotADirectoryError(errno.ENOTDIR, "it is there already and is no folder", path)
    make_directories(os.path.dirname(path), mode)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        # Another process made it just now.
        return
    set_mode(path, mode)


def set_mode(path: str, mode: int) -> None:
    """Sets the permissions, whatever the umask. What a folder hands on to its files, its group, stays. Raises OSError."""
    os.chmod(path, mode | os.stat(path).st_mode & stat.S_ISGID)


def folder_mode(mode: int) -> int:
    """The mode of folders that goes with a mode of files: who may read may look into them."""
    return mode | (mode & 0o444) >> 2


def prepare_directory(path: str, what: str, consequence: str = "", mode: int = FOLDER_MODE) -> None:
    """Makes a directory and proves that files can be written there. Raises FileProblem.

    what: what it is, for the message. consequence: a sentence that ends the message; only the caller knows what has been
    started by now. mode: of the directories that are made.
    """
    try:
        make_directories(path, mode)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b"probe")
        remove_leftovers(path)
    except OSError as error:
        raise FileProblem(
            " ".join(["Cannot write into %s %s: %s." % (what, path, error.strerror)] + [consequence] * bool(consequence))
        ) from error


def remove_leftovers(directory: str, seconds: float = PART_SECONDS) -> None:
    """Removes what processes that were killed while they wrote have left, if it is so many seconds old. Raises OSError."""
    with os.scandir(directory) as entries:
        old = [
            entry.path
            for entry in entries
            if entry.name.startswith(PART_PREFIX) and entry.name.endswith(PART_SUFFIX) and is_leftover(entry, seconds)
        ]
    for path in old:
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.unlink(path)


def is_leftover(entry: os.DirEntry[str], seconds: float) -> bool:
    """Whether a directory's entry is a regular file of this user that nobody has written to for so long."""
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_mtime <= time.time() - seconds


def write_atomically(path: str, text: str | Iterable[str], mode: int | None = None, follow: bool = True) -> None:
    """Writes a text file so that a reader sees the old one or the new one, never a part. Raises OSError.

    text: the content, or its pieces as an iterable. mode: the file's permissions; None keeps those, and the owner, of the
    file that is replaced, and makes a new one private. follow: see check_replaceable.
    """
    target = check_replaceable(path, follow)
    directory = os.path.dirname(os.path.abspath(target))
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=PART_PREFIX, suffix=PART_SUFFIX)
    try:
        # A file's name may hold bytes that are no text.
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            if mode is None:
                keep_mode(file.fileno(), target)
            else:
                os.fchmod(file.fileno(), mode)
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def keep_mode(handle: int, path: str) -> None:
    """Gives an open file the owner and permissions of another one, if that is there."""
    try:
        former = os.lstat(path)
    except FileNotFoundError:
        return
    if stat.S_ISREG(former.st_mode):
        with contextlib.suppress(PermissionError):
            os.fchown(handle, former.st_uid, former.st_gid)
        os.fchmod(handle, stat.S_IMODE(former.st_mode) & 0o777)


# --- locks ---


@contextlib.contextmanager
def locked(directory: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Holds the lock of a directory against other processes, which a file in it stands for while it is held.

    seconds: how long to wait for who holds it. Raises FileProblem then, and OSError if the file cannot be used.
    """
    if fcntl is None:
        yield
        return
    path = os.path.join(directory, LOCK)
    ends_at = time.monotonic() + seconds
    while True:
        handle, writable = open_lock(path)
        try:
            take_lock(handle, directory, seconds, ends_at)
            # Whoever held it before has removed the file; then this one is nobody's any more.
            if is_at(handle, path):
                break
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    try:
        if writable:
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": utc_now()}).encode(), 0)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(handle)


def is_at(handle: int, path: str) -> bool:
    """Whether an open file is the one that has this path."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def open_lock(path: str) -> tuple[int, bool]:
    """(handle, whether it can be written to) of the file that stands for a lock. Raises OSError."""
    flags = os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY
    while True:
        # Over a network, only a file that can be written to can be locked. It tells nothing that is private.
        with contextlib.suppress(FileExistsError):
            return os.open(path, flags | os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644), True
        try:
            refuse_irregular(os.lstat(path), path)
            try:
                handle, writable = os.open(path, flags | os.O_RDWR), True
            except PermissionError:
                # Another user's, who shares the directory.
                handle, writable = os.open(path, flags | os.O_RDONLY), False
            break
        except FileNotFoundError:
            # Its holder has just removed it.
            continue
    try:
        refuse_irregular(os.fstat(handle), path)
    except OSError:
        os.close(handle)
        raise
    return handle, writable


def take_lock(handle: int, directory: str, seconds: float, ends_at: float) -> None:
    """Takes the lock of an open file. Raises FileProblem if another process holds it at `ends_at`, and OSError.

    seconds: how long that is, for the message. ends_at: by time.monotonic().
    """
    pause = 0.02
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            left = ends_at - time.monotonic()
            if left <= 0:
                raise FileProblem(
                    "Waited %d s for the lock of %s, which %s: let it end, or end it, and run again."
                    % (seconds, directory, holder_of(handle))
                ) from None
        time.sleep(min(pause, left))
        pause = min(2 * pause, 0.5)


def holder_of(handle: int) -> str:
    """Who holds a lock and since when, as its file says."""
    try:
        holder = json.loads(os.pread(handle, 1000, 0))
        return "the process %d on %s has held since %s" % (int(holder["pid"]), holder["host"], holder["since"])
    except (OSError, ValueError, TypeError, KeyError):
        return "another process holds"


def local_locks(directory: str, mounts: str = "/proc/mounts") -> str | None:
    """A sentence where the locks of a directory are not seen by other machines that write there, too; else None.

    mounts: the table of what is mounted. Where there is none, nothing is known.
    """
    path = os.path.realpath(directory)
    found = ("", "", "")
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                _source, point, kind, options = line.split(" ")[:4]
                point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), point)
                # The one that was mounted last covers the others.
                if (path + "/").startswith(point.rstrip("/") + "/") and len(point) >= len(found[0]):
                    found = point, kind, options
    except (OSError, ValueError):
        return None
    _point, kind, options = found
    if not LOCAL_FILE_SYSTEMS.fullmatch(kind) and not LOCAL_OPTIONS.get(kind, set()) & set(options.split(",")):
        return None
    return "%s is on a file system (%s) whose locks other machines do not see: let only one machine write there." % (
        directory,
        kind,
    )
