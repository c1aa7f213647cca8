# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an event source remembers between looks and between runs. Private to the collection.

It is a memory and no witness: it says what was given on, and nothing of it decides an outcome.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FILE_MODE,
    FileProblem,
    make_directories,
    open_regular,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]  # Then nobody is kept from using one file twice.

SCHEMA_VERSION = 1
# What was listed at last so many days ago is forgotten: long enough that no list that was cut off makes it new again.
DAYS_KEPT = 30


class Seen(NamedTuple):
    """What was seen of a thing. modified: milliseconds, or None. day: on which it was listed last, counted from 1970."""

    state: str
    modified: int | None
    day: int


class Memory:
    """The state file of an event source, locked for as long as it is open.

    path: the file. about: what the source looks at; a file that is about something else is refused, for then much would be
    given on at once that is long over, or be skipped. Raises FileProblem for a file that cannot be used. It is never begun
    anew where one is there.

    seen: what was listed, by id. waiting: the events that were given on and of which nobody has said yet that they arrived,
    by id. began: whether a whole list was seen once.
    """

    def __init__(self, path: str, about: JsonObject) -> None:
        self.path = os.path.abspath(path)
        self.seen: dict[str, Seen] = {}
        self.waiting: dict[str, JsonObject] = {}
        self.began = False
        self._about = about
        self._changed = False
        # A save that nobody waits for any more must not come after the last one.
        self._saving = threading.Lock()
        try:
            make_directories(os.path.dirname(self.path))
            self._lock = os.open(self.path + ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            raise FileProblem("The state file %s cannot be used: %s." % (self.path, error.strerror)) from error
        try:
            self._take_lock()
            self._read()
            # Whether it can be written is better known before anything is given on.
            write_atomically(self.path, self._as_text(), FILE_MODE)
        except OSError as error:
            self.close()
            raise FileProblem("The state file %s cannot be used: %s." % (self.path, error.strerror)) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets others have the file. What was not saved is lost."""
        os.close(self._lock)

    def note(self, seen: Mapping[str, Seen]) -> None:
        """Remembers what was seen."""
        for key, one in seen.items():
            if self.seen.get(key) != one:
                self.seen[key] = one
                self._changed = True

    def forget_before(self, day: int) -> None:
        """Forgets what was not listed since that day."""
        old = [key for key, one in self.seen.items() if one.day < day]
        for key in old:
            del self.seen[key]
        self._changed = self._changed or bool(old)

    def begin(self) -> None:
        """Remembers that a whole list was seen."""
        self._changed = self._changed or not self.began
        self.began = True

    def wait_for(self, event: JsonObject) -> None:
        """Remembers an event that was given on until somebody confirms it."""
        self.waiting[event["id"]] = event
        self._changed = True

    def confirm(self, ids: Collection[str]) -> None:
        """Forgets the events that arrived."""
        for name in [name for name in self.waiting if name in ids]:
            del self.waiting[name]
            self._changed = True

    def save(self) -> None:
        """Writes what has changed. Raises OSError, and then it is still to be written."""
        with self._saving:
            if self._changed:
                write_atomically(self.path, self._as_text(), FILE_MODE)
                self._changed = False

    def _take_lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileProblem(
                "The state file %s is in use by another event source: give each one a file of its own." % self.path
            ) from None

    def _read(self) -> None:
        try:
            with open_regular(self.path) as file:
                content = json.loads(file.read().decode("utf-8"))
            version, about = content["schema_version"], content["about"]
            if version != SCHEMA_VERSION:
                raise FileProblem(
                    "The state file %s has schema_version %r, and this version of secops.remediation knows %d."
                    % (self.path, version, SCHEMA_VERSION)
                )
            seen = {str(key): seen_of(one) for key, one in content["seen"].items()}
            waiting = {str(event["id"]): dict(event) for event in content["waiting"]}
            began = content["began"]
            if not isinstance(began, bool) or not isinstance(about, dict):
                raise ValueError("began or about is missing")
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FileProblem(
                "The state file %s is damaged (%s: %s). It was left as it was: put a copy of it back, or move it away and set "
                "`since` to the time of the last event that you know of." % (self.path, type(error).__name__, error)
            ) from error
        if about != self._about:
            other = sorted(name for name in {*about, *self._about} if about.get(name) != self._about.get(name))
            raise FileProblem(
                "The state file %s is about something else: %s. Give this source a file of its own, or move the file away and "
                "set `since`."
                % (self.path, ", ".join("%s was %r and is %r" % (name, about.get(name), self._about.get(name)) for name in other))
            )
        self.seen, self.waiting, self.began = seen, waiting, began

    def _as_text(self) -> Iterator[str]:
        head = {"schema_version": SCHEMA_VERSION, "about": self._about, "began": self.began}
        yield json.dumps(head)[:-1] + ', "waiting": %s, "seen": {' % json.dumps(list(self.waiting.values()))
        yield from lines(self.seen)
        yield "\n}}\n"


def lines(seen: Mapping[str, Seen]) -> Iterable[str]:
    """What was seen as JSON, one a line."""
    separator = "\n"
    for key in sorted(seen):
        yield "%s%s: %s" % (separator, json.dumps(key), json.dumps(seen[key]))
        separator = ",\n"


def seen_of(value: object) -> Seen:
    """What was seen of one thing, as it was read. Raises ValueError."""
    if isinstance(value, list) and len(value) == 3:
        state, modified, day = value
        if isinstance(state, str) and isinstance(day, int) and (modified is None or isinstance(modified, int)):
            return Seen(state, modified, day)
    raise ValueError("%.100r is not what is written of a thing" % (value,))
