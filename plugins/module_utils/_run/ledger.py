# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: a JSON file that remembers scans between runs.

A run that was killed anywhere is simply run again, because what it had started stands here. It is a memory of ids, times,
and answers, and never a witness: no outcome is read from it. Private to the collection.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FileProblem,
    locked,
    open_regular,
    prepare_directory,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._common.times import utc_now

SCHEMA_VERSION = 1
USUAL_NAME = "ledger.json"
BEGINNING = b'{"schema_version":'
SECONDS_BETWEEN_WRITES = 1.0
DEEPEST = 60
# Of the time at most; writing thousands of scans takes a while.
SHARE_OF_WRITING = 1 / 20


class LedgerError(FileProblem):
    """The ledger cannot be used. The text says why, what became of the file and what to do."""


class Ledger:
    """Records by key, kept in a JSON file.

    path: the file; None or /dev/null for a ledger that forgets. A link is followed, and stays. read_only: nothing is
    written (check mode). lock_seconds: how long somebody else's lock is waited for.
    Raises LedgerError if the file cannot be read or written, or is no ledger; then it was moved aside, whole.
    """

    def __init__(self, path: str | None, read_only: bool = False, lock_seconds: float = 60) -> None:
        path = os.path.realpath(os.devnull if path is None else path)
        # Empty for one that forgets.
        self.path = path = "" if path == os.path.realpath(os.devnull) else path
        self._opened = False
        self._lock_seconds = lock_seconds
        self._read_only = read_only or not path
        self._lock = threading.Lock()
        # Held by who writes the file, so that the others go on meanwhile.
        self._file_lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._changed: dict[str, JsonObject] = {}
        # What the file was when it was last written here.
        self._written: tuple[int, ...] | None = None
        self._write_again_at = self._wait_again_at = 0.0
        self._records: dict[str, JsonObject] = {}
        # The addresses of which there are records.
        self._tenants: set[str | None] = set()
        if not path:
            return
        if self._read_only:
            self._records = self._read()
            self._opened = True
            return
        directory = os.path.dirname(path)
        try:
            prepare_directory(directory, "the ledger's directory", "This task has started nothing.")
            with locked(directory, lock_seconds):
                self._records = self._read()
            self._opened = True
        except OSError as error:
            raise LedgerError("The ledger %s cannot be used: %s." % (path, error.strerror)) from error
        except LedgerError:
            raise
        except FileProblem as error:
            raise LedgerError(str(error)) from error

    def get(self, key: str) -> JsonObject:
        """The record of a key as a dict, or an empty one."""
        with self._lock:
            return dict(self._records.get(key, {}))

    def get_of_0_2(self, tenant: str, name: str) -> JsonObject:
        """The record that version 0.2.0 wrote of this, or {} where it may be another tenant's.

        That version told tenants apart by the name of their host alone. A ledger in which another address of the same
        host is known has records of which nobody can say whose they are.
        """
        host = urlsplit(tenant).hostname
        with self._lock:
            if any(other is not None and other != tenant and same_host(other, host) for other in self._tenants):
                return {}
            return dict(self._records.get("%s/%s" % (host, name), {}))

    def find(self, start: str) -> list[JsonObject]:
        """The records of all keys that start like this, as a list."""
        with self._lock:
            return [record for key, record in self._records.items() if key.startswith(start)]

    def put(self, key: str, record: JsonObject, at_once: bool = False) -> None:
        """Remembers a record. It is on disk within a second or so, at_once: when this returns, or LedgerError."""
        with self._lock:
            record = dict(record, updated_at=utc_now())
            self._records[key] = record
            self._changed[key] = record
            self._tenants.add(tenant_in(key))
            if self._read_only:
                return
            wait = self._write_again_at - time.monotonic()
            if not at_once and (wait > 0 or self._file_lock.locked()):
                if self._timer is None:
                    # The next put may be hours away.
                    self._timer = threading.Timer(max(wait, SECONDS_BETWEEN_WRITES), self._write_later)
                    self._timer.daemon = True
                    self._timer.start()
                return
        self._write()

    def _write_later(self) -> None:
        with self._lock:
            self._timer = None
        # What went wrong is raised by the next put or by close(), which try again.
        with contextlib.suppress(LedgerError):
            self._write()

    def unwritten(self) -> dict[str, JsonObject]:
        """The records, by key, that are not on disk."""
        with self._lock:
            return dict(self._changed)

    def close(self) -> None:
        """Writes what is not on disk yet. Raises LedgerError."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        self._write()

    def _read(self) -> dict[str, JsonObject]:
        raw = b""
        try:
            with open_regular(self.path) as file:
                raw = file.read()
            content = json.loads(raw.decode("utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LedgerError("The ledger %s cannot be read: %s." % (self.path, error.strerror)) from error
        except (ValueError, RecursionError) as error:
            if not raw.startswith(BEGINNING) and os.path.basename(self.path) != USUAL_NAME:
                # It may well be somebody else's file.
                raise LedgerError(
                    "%s is not a ledger (%s). It was left as it is: name another file as the ledger." % (self.path, error)
                ) from error
            raise LedgerError(self._put_aside(error)) from error
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version not in (None, SCHEMA_VERSION):
            raise LedgerError(
                "The ledger %s has schema_version %r and this version of secops.remediation knows %d: use the newer "
                "version of the collection, or another ledger." % (self.path, version, SCHEMA_VERSION)
            )
        records = content.get("records") if isinstance(content, dict) else None
        if version is None or not isinstance(records, dict):
            # It may well be somebody else's file.
            raise LedgerError("%s is JSON, but not a ledger. It was left as it is: name another file as the ledger." % self.path)
        self._tenants.update(map(tenant_in, records))
        # One that somebody spoiled is as good as none, and costs the others nothing.
        return {key: record for key, record in records.items() if isinstance(record, dict) and is_shallow(record)}

    def _put_aside(self, why: Exception) -> str:
        if self._read_only:
            return "The ledger %s is not a ledger (%s). It was left as it is." % (self.path, why)
        aside = "%s.unreadable-%s" % (self.path, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()))
        while os.path.exists(aside):
            aside += "-"
        os.replace(self.path, aside)
        return (
            "The ledger %s is not a ledger (%s). It was kept as %s%s. Mend it and move it back, "
            "or run again without it: scans that still run are then found again, finished ones are made anew."
            % (self.path, why, aside, "" if self._opened else ", and this task has started nothing")
        )

    def _write(self) -> None:
        with self._file_lock:
            with self._lock:
                if self._read_only or not self._changed:
                    return
                changed, self._changed = self._changed, {}
            began = time.monotonic()
            try:
                # Whoever has waited for it in vain is enough.
                with locked(os.path.dirname(self.path), self._lock_seconds if began >= self._wait_again_at else 0):
                    if self._written is None or self._written != self._identity():
                        # Another run has written meanwhile; only what changed here is laid over it.
                        records = self._read()
                        with self._lock:
                            records.update({key: self._records[key] for key in changed})
                            for key in records.keys() - changed.keys() - self._changed.keys():
                                self._records[key] = records[key]
                    else:
                        with self._lock:
                            records = dict(self._records)
                    write_atomically(self.path, as_text(records))
                    self._written = self._identity()
            except BaseException as error:
                with self._lock:
                    self._changed = dict(changed, **self._changed)
                self._wait_again_at = time.monotonic() + self._lock_seconds
                if isinstance(error, (OSError, FileProblem)) and not isinstance(error, LedgerError):
                    raise LedgerError(
                        "The ledger %s cannot be written: %s."
                        % (self.path, getattr(error, "strerror", None) or str(error).rstrip("."))
                    ) from error
                raise
            now = time.monotonic()
            self._write_again_at = now + max(SECONDS_BETWEEN_WRITES, (now - began) / SHARE_OF_WRITING)

    def _identity(self) -> tuple[int, ...] | None:
        """What changes whenever anybody replaces the file."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns


def is_shallow(value: object) -> bool:
    """Whether a value of JSON is nested no deeper than anything that was written here."""
    level = [value]
    for _depth in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


def tenant_in(key: str) -> str | None:
    """The address in the key of a record, None in one that 0.2.0 wrote.

    Only get_of_0_2 asks for it. So the words are those of the two kinds that 0.2.0 had, and a system that came later needs none.
    """
    address, _name, rest = key.rpartition("/campaign/") if "/campaign/" in key else key.partition("/exposure/")
    return address if "://" in address and rest else None


def same_host(address: str, host: str | None) -> bool:
    """Whether an address is one of this host."""
    try:
        return urlsplit(address).hostname == host
    except ValueError:
        return False


def as_text(records: Mapping[str, JsonObject]) -> Iterator[str]:
    """The file's content in pieces: JSON, a record a line. Thousands of records as one text take memory for nothing."""
    yield BEGINNING.decode() + ' %d, "records": {' % SCHEMA_VERSION
    separator = "\n"
    for key in sorted(records):
        yield "%s%s: %s" % (separator, json.dumps(key), json.dumps(records[key]))
        separator = ",\n"
    yield "\n}}\n"
