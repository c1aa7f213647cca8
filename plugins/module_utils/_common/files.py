# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: written whole or not at all, in folders that are known to take them. Private to the collection."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading

try:
    import fcntl
except ImportError:
    fcntl = None

# Two threads at once would read each other's umask and leave the process with it.
UMASK_LOCK = threading.Lock()


class FileProblem(Exception):
    """A file or a folder cannot be used. The text says which, why, and what to do."""


def prepare_directory(path, what):
    """Makes a directory and proves that files can be written there. Raises FileProblem."""
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(b"probe")
    except OSError as error:
        raise FileProblem(
            "Cannot write into %s %s: %s. Nothing was started." % (what, path, error.strerror)) from error


def write_atomically(path, text):
    """Writes a text file so that a reader sees the old one or the new one, never a part. Raises OSError.

    text: the content, or its pieces as an iterable.
    """
    directory = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".", suffix=".part")
    try:
        # A file's name may hold bytes that are no text.
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.writelines([text] if isinstance(text, str) else text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp made it private; evidence is read by others than the one who ran the job.
        os.chmod(temporary, 0o666 & ~current_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def current_umask():
    """The process's umask, which can only be read by setting it."""
    with UMASK_LOCK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask


@contextlib.contextmanager
def locked(directory):
    """Holds the lock of a directory against other processes."""
    if fcntl is None:
        yield
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
