# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of an event source: its arguments, its looks, and what it gives on. Private to the collection.

Neither API can be asked what has changed, so each look lists all that there is and compares it with what was seen before.
A list may lack something because the things move while its pages are read: the next one has it, for nothing is asked by
time. And no clock needs to be right but for `since`.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import MissingLibrary
from ansible_collections.secops.remediation.plugins.module_utils._common.files import FileProblem
from ansible_collections.secops.remediation.plugins.module_utils._common.redaction import redact
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Params
from ansible_collections.secops.remediation.plugins.module_utils._common.times import CLOCK_SLACK, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._events.memory import DAYS_KEPT, Memory, Seen
from ansible_collections.secops.remediation.plugins.module_utils._http.client import REQUESTS_IMPORT_ERROR, HttpError

WATCH_OPTIONS = dict(
    state=dict(type="path", required=True),
    receipts=dict(type="path"),
    since=dict(type="str"),
    interval=dict(type="float", default=60.0),
)
# The state of what was not decided yet. Whoever was never seen, and is in it, is new.
OPEN = "open"
# Events are given on one by one, and so many may be given on twice where a machine loses its power.
UNSAVED_EVENTS = 100
LONGEST_PAUSE = 900.0
# Of a text that somebody else wrote; nobody needs more of it to know what it is about.
LONGEST_TEXT = 200
TEMPLATE = re.compile(r"\{(?=[{%#])|(?<=[}%#])\}")


class BadArguments(ValueError):
    """The arguments of a source cannot be used. The text says why, and holds no credential."""


class Queue(Protocol):
    """What ansible-rulebook gives a source."""

    async def put(self, event: JsonObject) -> None:
        """Takes an event, as soon as there is room."""


@dataclass
class Thing:
    """What can have a state: an alert, a campaign. modified: milliseconds, or None. facts: what events show of it."""

    key: str
    state: str
    modified: int | None
    facts: JsonObject


@dataclass
class Listed:
    """What a list held. whole: whether the API showed nothing against its being all that there is, and each thing's state."""

    things: list[Thing]
    whole: bool = True


@dataclass
class Given:
    """An event, and what is remembered once it was given on."""

    event: JsonObject
    seen: dict[str, Seen]


@dataclass
class Look:
    """What one look found: events, and what is only to be remembered."""

    events: list[Given] = field(default_factory=list)
    quiet: dict[str, Seen] = field(default_factory=dict)


def arguments(args: Mapping[str, Any], spec: JsonObject) -> Params:
    """The values of all options. args: what the rulebook says; blank is as good as nothing. Raises BadArguments."""
    # ansible-rulebook adds the queue, and a variable that is not set is left blank in many a rulebook.
    given = {name: value for name, value in args.items() if name != "eda_feedback_queue" and value not in (None, "")}
    hidden = [str(given[name]) for name, option in spec.items() if option.get("no_log") and name in given]
    result = ArgumentSpecValidator(spec).validate(given)
    if result.error_messages:
        raise BadArguments(redact("; ".join(result.error_messages), hidden))
    params: Params = result.validated_parameters
    if not params["interval"] > 0:
        raise BadArguments("interval is %s and must be more than 0 seconds" % params["interval"])
    if params["since"] and parse_time(params["since"]) is None:
        raise BadArguments("since is %r, which is no time such as 2026-11-25T08:00:00Z" % params["since"])
    if REQUESTS_IMPORT_ERROR:
        raise BadArguments(str(MissingLibrary("requests", REQUESTS_IMPORT_ERROR)))
    return params


def is_id(key: str) -> bool:
    """Whether a text may go on as an id: it is handed to playbooks as it is."""
    return re.fullmatch(r"[A-Za-z0-9._-]{1,100}", key) is not None


def harmless(value: object) -> Any:
    """A fact that somebody else wrote, as an event may hold it: short, and no template to whoever is handed it."""
    if isinstance(value, str):
        return TEMPLATE.sub(lambda brace: " " + brace[0] + " ", value[:LONGEST_TEXT])
    return value if value is None or isinstance(value, (bool, int, float)) else None


class Differences:
    """What is different from what was seen before, as events.

    kinds: the states that make an event, and "new" for what was never seen and is OPEN. nouns: what the ids and the
    facts are called in an event. since: RFC 3339 text; where nothing was seen before, what was changed earlier makes no event,
    and without it nothing does. again: whether a change makes an event of what still has the same state. size: how many
    things at most are in an event.
    """

    def __init__(
        self,
        tenant: str,
        kinds: list[str],
        nouns: tuple[str, str],
        since: str | None = None,
        again: bool = False,
        size: int = 1,
    ) -> None:
        self._tenant = tenant
        self._kinds = kinds
        self._nouns = nouns
        moment = parse_time(since)
        self._since = None if moment is None else int((moment.timestamp() - CLOCK_SLACK) * 1000)
        self._again = again
        self._size = size

    def find(self, things: list[Thing], memory: Memory) -> Look:
        """What a list says that was not known."""
        look = Look()
        today = int(time.time() // 86400)
        groups: dict[tuple[str, bool], list[Thing]] = {}
        # Whatever stands on two pages is the same, unless it was changed in between: the later page is the later word.
        for thing in {thing.key: thing for thing in things}.values():
            found = self._kind_of(thing, memory)
            if found is None or found[0] not in self._kinds:
                look.quiet[thing.key] = Seen(thing.state, thing.modified, today)
            else:
                groups.setdefault(found, []).append(thing)
        for (kind, again), group in groups.items():
            group.sort(key=lambda thing: (thing.modified or 0, thing.key))
            for start in range(0, len(group), self._size):
                look.events.append(self._given(kind, again, group[start : start + self._size], today))
        return look

    def _kind_of(self, thing: Thing, memory: Memory) -> tuple[str, bool] | None:
        """(kind of event, whether the state is the same as before), or None where there is nothing to tell."""
        before = memory.seen.get(thing.key)
        if before is None:
            if not memory.began and (self._since is None or (thing.modified is not None and thing.modified < self._since)):
                return None
            return ("new" if thing.state == OPEN else thing.state), False
        if before.state != thing.state:
            return thing.state, False
        if self._again and before.modified != thing.modified:
            return thing.state, True
        return None

    def _given(self, kind: str, again: bool, group: list[Thing], today: int) -> Given:
        seen = {thing.key: Seen(thing.state, thing.modified, today) for thing in group}
        # The same after a restart, whichever day that is.
        said: list[Any] = [self._tenant, kind, [(thing.key, thing.state, thing.modified) for thing in group]]
        if any(thing.modified is None for thing in group):
            # Or the second time would have the name of the first one, whose receipt there is.
            said.append(time.time_ns())
        ids, facts = self._nouns
        event = {
            "id": "%s-%s" % (kind, hashlib.sha256(json.dumps(said).encode()).hexdigest()[:24]),
            "kind": kind,
            "again": again,
            "tenant": self._tenant,
            ids: [int(thing.key) if re.fullmatch(r"[0-9]{1,18}", thing.key) else thing.key for thing in group],
            facts: [thing.facts for thing in group],
        }
        return Given(event, seen)


def arrived(receipts: str) -> set[str]:
    """The ids of events of which there is a receipt: a file in this folder whose name, up to its first dot, is the id."""
    try:
        return {name.partition(".")[0] for name in os.listdir(receipts)}
    except FileNotFoundError:
        return set()


class Source:
    """Looks again and again, and gives on what is new: at least once, and never twice while it runs.

    list_things: function () -> Listed, which may block. Raises HttpError. stop: ends whatever waits in it. logger: for
    what goes wrong; no credential is ever in that.
    """

    def __init__(
        self,
        params: Params,
        memory: Memory,
        differences: Differences,
        list_things: Callable[[], Listed],
        stop: Callable[[], None],
        logger: logging.Logger,
    ) -> None:
        self._interval: float = params["interval"]
        self._receipts: str | None = params["receipts"]
        self._memory = memory
        self._differences = differences
        self._list_things = list_things
        self._stop = stop
        self._logger = logger
        self._failures = 0
        # Set by whoever knows that there may be something to see.
        self.wake = asyncio.Event()

    async def run(self, queue: Queue) -> None:
        """Runs until it is cancelled. Raises FileProblem."""
        try:
            if not self._memory.began:
                self._logger.warning("There is no state in %s yet: this source begins anew.", self._memory.path)
            await self._give_again(queue)
            while True:
                self.wake.clear()
                pause = await self._once(queue)
                try:
                    await asyncio.wait_for(self.wake.wait(), pause)
                except asyncio.TimeoutError:
                    pass
        finally:
            self._stop()
            self._save()
            self.close()

    def close(self) -> None:
        """Lets others have the state file."""
        self._memory.close()

    async def _give_again(self, queue: Queue) -> None:
        """Gives on what an earlier run gave on and nobody confirmed."""
        if self._receipts is None:
            return
        await self._confirm()
        for event in list(self._memory.waiting.values()):
            self._logger.warning("The event %s was given on before and never confirmed: it is given on again.", event["id"])
            await queue.put(copy.deepcopy(event))

    async def _once(self, queue: Queue) -> float:
        """One look. Returns the seconds until the next one."""
        try:
            listed = await asyncio.to_thread(self._list_things)
        except HttpError as error:
            self._failures += 1
            pause = min(self._interval * 2 ** min(self._failures, 10), max(LONGEST_PAUSE, self._interval))
            self._logger.error("Look %d in a row failed, the next one is in %.0f s: %s", self._failures, pause, error)
            return pause
        if self._failures:
            self._logger.warning("The API answers again, after %d looks in vain. Nothing is lost.", self._failures)
        self._failures = 0
        # Whatever it was that answered, all of it can hardly be gone.
        whole = listed.whole and bool(listed.things or not self._memory.seen)
        if not whole:
            self._logger.warning(
                "The API did not list all that there is, or not each one's state: what is missing is looked for again in %.0f s. "
                "Where this comes again and again, events are missing: narrow the list down.",
                self._interval,
            )
        look = await asyncio.to_thread(self._differences.find, listed.things, self._memory)
        await self._give(queue, look)
        self._memory.note(look.quiet)
        self._memory.begin()
        if whole:
            self._memory.forget_before(int(time.time() // 86400) - DAYS_KEPT)
        await self._confirm()
        await asyncio.to_thread(self._save)
        return self._interval

    async def _give(self, queue: Queue, look: Look) -> None:
        for number, given in enumerate(look.events, 1):
            # Whoever takes it writes into it.
            await queue.put(copy.deepcopy(given.event))
            # Only now: what is remembered and was never given on would be skipped for ever.
            self._memory.note(given.seen)
            if self._receipts is not None:
                self._memory.wait_for(given.event)
            if number % UNSAVED_EVENTS == 0:
                await asyncio.to_thread(self._save)

    async def _confirm(self) -> None:
        """Forgets the events of which there is a receipt."""
        if self._receipts is None:
            return
        try:
            self._memory.confirm(await asyncio.to_thread(arrived, self._receipts))
        except OSError as error:
            self._logger.error(
                "The receipts in %s cannot be read (%s): after a restart, events would be given on again.",
                self._receipts,
                error.strerror,
            )

    def _save(self) -> None:
        try:
            self._memory.save()
        except OSError as error:
            self._logger.error(
                "The state file %s cannot be written (%s): after a restart, events would be given on again.",
                self._memory.path,
                error.strerror,
            )


def open_memory(params: Params, about: JsonObject) -> Memory:
    """The Memory of a source. Raises BadArguments with what is wrong with it."""
    try:
        return Memory(params["state"], about)
    except FileProblem as error:
        raise BadArguments(str(error)) from error
