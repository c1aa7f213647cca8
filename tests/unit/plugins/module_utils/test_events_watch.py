# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an event source gives on: everything that is different, at least once, and nothing twice while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import threading
import time

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._events.memory import DAYS_KEPT, Memory, Seen
from ansible_collections.secops.remediation.plugins.module_utils._events.watch import (
    UNSAVED_EVENTS,
    WATCH_OPTIONS,
    BadArguments,
    Differences,
    Listed,
    Source,
    Thing,
    arguments,
    harmless,
    is_id,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.watch import alerts


def full_disk(*_paths):
    """What os.replace does where there is no room."""
    raise OSError(28, "No space left on device")


ABOUT = {"source": "test"}
# 2026-11-25T08:00:00Z
EIGHT = 1795593600000
LOGGER = logging.getLogger("test.events")


class Queue:
    """What ansible-rulebook gives a source. room: how many events are taken before it is full for ever; None: no end."""

    def __init__(self, room=None):
        self.events = []
        self.room = room
        self.changed = asyncio.Event()

    async def put(self, event):
        if self.room is not None and len(self.events) >= self.room:
            self.changed.set()
            await asyncio.Event().wait()
        # As the engine does.
        event["meta"] = {"uuid": len(self.events)}
        self.events.append(event)
        self.changed.set()


def alert(key, state="resolved", modified=EIGHT):
    return Thing(str(key), state, modified, {"alert_id": str(key)})


def differences(kinds=("resolved", "reopened"), **options):
    return Differences("https://tenant", list(kinds), ("alert_ids", "alerts"), **options)


@pytest.fixture
def memory(tmp_path):
    opened = Memory(str(tmp_path / "state.json"), ABOUT)
    yield opened
    with contextlib.suppress(OSError):
        opened.close()


def told(memory, things, **options):
    """(kind, again, ids) of each event of one look, which is then remembered as it is when all was given on."""
    look = differences(**options).find(things, memory)
    for given in look.events:
        memory.note(given.seen)
    memory.note(look.quiet)
    memory.begin()
    return [(given.event["kind"], given.event["again"], given.event["alert_ids"]) for given in look.events]


class TestDifferences:
    def test_what_was_there_before_is_no_event(self, memory):
        assert told(memory, [alert(1), alert(2, "open")]) == []
        assert told(memory, [alert(1), alert(2, "open")]) == []

    def test_each_state_that_came_is_one(self, memory):
        told(memory, [alert(1, "open"), alert(2, "resolved")])
        assert told(memory, [alert(1, modified=EIGHT + 1), alert(2, "reopened")]) == [
            ("resolved", False, [1]),
            ("reopened", False, [2]),
        ]
        assert told(memory, [alert(1, modified=EIGHT + 1), alert(2, "reopened")]) == []

    def test_what_is_changed_at_the_same_moment_is_told_all_the_same(self, memory):
        told(memory, [alert(key, "open") for key in range(5)])
        assert len(told(memory, [alert(0), alert(1)] + [alert(key, "open") for key in (2, 3, 4)])) == 2
        # With the very time of those that were told.
        assert told(memory, [alert(key) for key in range(5)]) == [("resolved", False, [key]) for key in (2, 3, 4)]

    def test_a_clock_that_goes_back_hides_nothing(self, memory):
        told(memory, [alert(1, "open", EIGHT)])
        assert told(memory, [alert(1, "resolved", EIGHT - 86400000)]) == [("resolved", False, [1])]
        assert told(memory, [alert(1, "resolved", EIGHT - 86400000), alert(2, "resolved", 1)]) == [("resolved", False, [2])]

    @pytest.mark.parametrize("modified", [None, 0, -5])
    def test_a_time_that_is_none_hides_nothing(self, memory, modified):
        told(memory, [alert(1, "open")])
        assert told(memory, [alert(1, "resolved", modified)]) == [("resolved", False, [1])]

    def test_what_a_list_lacked_is_told_by_the_next_one_and_once(self, memory):
        told(memory, [alert(1, "open"), alert(2, "open")])
        # The page moved on: it lacks the second one.
        assert told(memory, [alert(1)]) == [("resolved", False, [1])]
        assert told(memory, [alert(2)]) == [("resolved", False, [2])]
        assert told(memory, [alert(1), alert(2)]) == []

    def test_of_one_that_is_on_two_pages_the_later_one_counts(self, memory):
        told(memory, [alert(1, "open")])
        assert told(memory, [alert(1, "open"), alert(1, "resolved")]) == [("resolved", False, [1])]

    def test_a_new_one(self, memory):
        told(memory, [])
        kinds = ["new", "resolved"]
        assert told(memory, [alert(1, "open"), alert(2, "resolved"), alert(3, "reopened")], kinds=kinds) == [
            ("new", False, [1]),
            ("resolved", False, [2]),
        ]
        assert told(memory, [alert(1, "open", EIGHT + 1), alert(2), alert(3, "open")], kinds=kinds, again=True) == []

    def test_what_nobody_asked_for_is_remembered(self, memory):
        told(memory, [])
        assert told(memory, [alert(1, "open")]) == []
        assert memory.seen["1"][0] == "open"

    def test_a_change_without_another_state(self, memory):
        told(memory, [alert(1)], again=True)
        assert told(memory, [alert(1, modified=EIGHT + 1)], again=True) == [("resolved", True, [1])]
        assert told(memory, [alert(1, modified=EIGHT + 1)], again=True) == []
        assert told(memory, [alert(1, modified=EIGHT + 2)], again=False) == []
        # What was not told is not told later either, for the rulebook did not want it.
        assert told(memory, [alert(1, modified=EIGHT + 2)], again=True) == []

    def test_since(self, memory):
        things = [alert(1, modified=EIGHT - 6000), alert(2, modified=EIGHT - 4000), alert(3), alert(4, modified=None)]
        # Clocks may differ by five seconds, and what has no time is not known to be older.
        assert told(memory, things, since="2026-11-25T08:00:00Z") == [
            ("resolved", False, [4]),
            ("resolved", False, [2]),
            ("resolved", False, [3]),
        ]
        assert told(memory, [*things, alert(5, modified=1)], since="2026-11-25T08:00:00Z") == [("resolved", False, [5])]

    def test_batches(self, memory):
        told(memory, [])
        found = told(memory, [alert(key, modified=EIGHT - key) for key in range(7)], size=3)
        assert found == [("resolved", False, [6, 5, 4]), ("resolved", False, [3, 2, 1]), ("resolved", False, [0])]

    def test_the_id_of_an_event_is_that_of_what_it_says(self, memory):
        memory.begin()

        def id_of(*things, tenant="https://tenant"):
            (given,) = Differences(tenant, ["resolved"], ("alert_ids", "alerts"), size=9).find(list(things), memory).events
            return given.event["id"]

        assert id_of(alert(1)) == id_of(alert(1))
        others = [id_of(alert(2)), id_of(alert(1, modified=EIGHT + 1)), id_of(alert(1), alert(2)), id_of(alert(1), tenant="x")]
        assert len({id_of(alert(1)), *others}) == 5
        assert is_id(id_of(alert(1)))

    def test_ids_are_numbers_where_they_are(self, memory):
        memory.begin()
        look = differences(size=9).find([alert("17"), alert("abc-1"), alert("9" * 30)], memory)
        assert look.events[0].event["alert_ids"] == [17, "9" * 30, "abc-1"]

    def test_what_is_gone_for_long_is_forgotten_and_nothing_sooner(self, memory):
        told(memory, [alert(1)])
        today = int(time.time() // 86400)
        memory.forget_before(today - DAYS_KEPT)
        assert told(memory, [alert(1)]) == []
        memory.seen["1"] = Seen("resolved", EIGHT, today - DAYS_KEPT - 1)
        assert told(memory, [alert(1)]) == []
        assert memory.seen["1"][2] == today


@pytest.mark.parametrize("text", ["{{ 1 }}", "{% if %}", "{# x #}", "{{{{", "}}}}", "{{%{#", "a{{b}}c"])
def test_no_text_of_an_event_is_a_template(text):
    assert not any(mark in harmless(text) for mark in ("{{", "}}", "{%", "%}", "{#", "#}"))


def test_a_fact_is_short_and_flat():
    assert harmless("x" * 1000) == "x" * 200
    assert [harmless(value) for value in (None, True, 5, 1.5, [1], {"a": 1})] == [None, True, 5, 1.5, None, None]
    assert harmless("RDP {server}") == "RDP {server}"


class TestArguments:
    SPEC = dict(api_key=dict(type="str", required=True, no_log=True), size=dict(type="int", default=1), **WATCH_OPTIONS)
    GOOD = dict(api_key="very-secret", state="/tmp/state.json")

    def test_defaults_and_what_is_blank(self):
        found = arguments({**self.GOOD, "size": "", "since": None, "interval": "5", "eda_feedback_queue": object()}, self.SPEC)
        assert (found["size"], found["since"], found["interval"], found["receipts"]) == (1, None, 5.0, None)

    @pytest.mark.parametrize(
        "changes, message",
        [
            ({"state": ""}, "missing required arguments: state"),
            ({"api_key": " " * 0}, "missing required arguments: api_key"),
            ({"siez": 1}, "siez"),
            ({"size": "many"}, "size"),
            ({"interval": 0}, "interval is 0"),
            ({"interval": -1}, "interval is -1"),
            ({"interval": "nan"}, "interval is nan"),
            ({"interval": "soon"}, "interval"),
            ({"since": "yesterday"}, "since is 'yesterday'"),
        ],
    )
    def test_what_is_wrong_is_told_and_no_credential(self, changes, message):
        with pytest.raises(BadArguments, match=message) as caught:
            arguments({**self.GOOD, **changes}, self.SPEC)
        assert "very-secret" not in str(caught.value)

    def test_a_credential_of_the_wrong_kind_is_not_shown(self):
        spec = dict(self.SPEC, port=dict(type="int", no_log=True))
        with pytest.raises(BadArguments) as caught:
            arguments({**self.GOOD, "port": "very-secret-too"}, spec)
        assert "very-secret-too" not in str(caught.value)


class Lists:
    """Lists as they are asked for, one after the other; the last one for ever. One that is an exception is raised."""

    def __init__(self, *lists):
        self.lists = list(lists)
        self.asked = 0
        self.stopped = False

    def __call__(self):
        self.asked += 1
        current = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(current, Exception):
            raise current
        return current if isinstance(current, Listed) else Listed(current)


def make_source(tmp_path, lists, interval=0.01, receipts=None, **options):
    memory = Memory(str(tmp_path / "state.json"), ABOUT)
    params = dict(interval=interval, receipts=receipts)

    def stop():
        lists.stopped = True

    return Source(params, memory, differences(**options), lists, stop, LOGGER)


async def run_until(source, queue, condition):
    """Runs a source until the condition holds, and cancels it, as ansible-rulebook does."""
    task = asyncio.create_task(source.run(queue))
    try:
        while not condition():
            if task.done():
                break
            await asyncio.sleep(0.005)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def saved(tmp_path):
    return json.loads((tmp_path / "state.json").read_text())


OPEN = [alert(key, "open") for key in range(1000)]
DONE = [alert(key) for key in range(1000)]
AWAY = HttpError("POST", "/alerts", "HTTP 503", 503, passing=True)


def test_a_thousand_at_once_each_once(tmp_path):
    async def scenario():
        queue, lists = Queue(), Lists(OPEN, DONE)
        await run_until(make_source(tmp_path, lists), queue, lambda: lists.asked > 4)
        assert lists.stopped
        return queue.events

    events = asyncio.run(scenario())
    assert sorted(event["alert_ids"][0] for event in events) == list(range(1000))
    assert all("meta" not in event for event in saved(tmp_path)["waiting"])


def test_a_restart_in_the_middle_loses_none(tmp_path):
    async def first():
        # The engine takes no more than 250, and is ended.
        queue, lists = Queue(room=250), Lists(OPEN, DONE)
        await run_until(make_source(tmp_path, lists), queue, lambda: len(queue.events) == 250)
        return queue.events

    async def second():
        queue, lists = Queue(), Lists(DONE)
        await run_until(make_source(tmp_path, lists), queue, lambda: lists.asked > 2)
        return queue.events

    one, two = asyncio.run(first()), asyncio.run(second())
    ids = [event["alert_ids"][0] for event in one + two]
    assert len(one) == 250 and sorted(ids) == list(range(1000))


def test_a_machine_that_loses_its_power_loses_none(tmp_path, monkeypatch):
    """Nothing that comes after the kill is saved: what was saved before may be too little, and never too much."""

    async def first(kill_after):
        queue, lists = Queue(room=kill_after), Lists(OPEN, DONE)
        source = make_source(tmp_path, lists)
        task = asyncio.create_task(source.run(queue))
        while len(queue.events) < kill_after:
            await queue.changed.wait()
            queue.changed.clear()
        await asyncio.sleep(0.05)
        monkeypatch.setattr(source, "_save", lambda: None)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return queue.events

    async def second():
        queue, lists = Queue(), Lists(DONE)
        await run_until(make_source(tmp_path, lists), queue, lambda: lists.asked > 2)
        return queue.events

    one, two = asyncio.run(first(333)), asyncio.run(second())
    ids = {event["alert_ids"][0] for event in one + two}
    assert ids == set(range(1000))
    assert len(one) + len(two) <= 1000 + UNSAVED_EVENTS


def test_an_event_that_could_not_be_given_on_is_not_remembered(tmp_path):
    class Broken(Queue):
        async def put(self, event):
            raise RuntimeError("the engine is gone")

    async def scenario(queue, lists):
        await make_source(tmp_path, lists).run(queue)

    with pytest.raises(RuntimeError):
        asyncio.run(scenario(Broken(), Lists(OPEN[:3], DONE[:3])))
    assert {one[0] for one in saved(tmp_path)["seen"].values()} == {"open"}


def test_an_api_that_is_away_for_a_while(tmp_path, caplog):
    async def scenario():
        queue, lists = Queue(), Lists(AWAY, OPEN[:3], AWAY, AWAY, AWAY, DONE[:3])
        await run_until(make_source(tmp_path, lists, interval=0.002), queue, lambda: lists.asked > 7)
        return queue.events

    with caplog.at_level(logging.WARNING):
        events = asyncio.run(scenario())
    assert [event["alert_ids"] for event in events] == [[0], [1], [2]]
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [text.split(" failed")[0] for text in errors] == ["Look %d in a row" % number for number in (1, 1, 2, 3)]
    assert all("HTTP 503" in text for text in errors)
    assert "answers again, after 3 looks" in caplog.text


def test_pauses_grow_and_have_an_end(tmp_path):
    async def scenario():
        source = make_source(tmp_path, Lists(AWAY), interval=60)
        pauses = [await source._once(Queue()) for _time in range(8)]
        source.close()
        return pauses

    assert asyncio.run(scenario()) == [120, 240, 480, 900, 900, 900, 900, 900]


def test_an_error_is_no_empty_list(tmp_path):
    async def scenario():
        queue, lists = Queue(), Lists(AWAY, AWAY, DONE[:2])
        await run_until(make_source(tmp_path, lists, interval=0.002), queue, lambda: lists.asked > 4)
        return queue.events

    # The first list that came is what was there before.
    assert asyncio.run(scenario()) == []


def test_what_blocks_does_not_block_the_loop(tmp_path):
    async def scenario():
        loop_goes_on = threading.Event()

        def blocks():
            # Were the loop waiting for this, nobody could set it.
            assert loop_goes_on.wait(60)
            return Listed([])

        source = make_source(tmp_path, Lists([]))
        source._list_things = blocks
        task = asyncio.create_task(source.run(Queue()))
        await asyncio.sleep(0)
        loop_goes_on.set()
        while not source._memory.began:
            assert not task.done()
            await asyncio.sleep(0.005)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_whoever_wakes_it_need_not_wait(tmp_path):
    async def scenario():
        queue, lists = Queue(), Lists(OPEN[:1], DONE[:1])
        source = make_source(tmp_path, lists, interval=3600)
        task = asyncio.create_task(source.run(queue))
        while not source._memory.began:
            await asyncio.sleep(0.005)
        source.wake.set()
        await asyncio.wait_for(queue.changed.wait(), 60)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return queue.events

    assert len(asyncio.run(scenario())) == 1


def test_a_state_that_cannot_be_written_is_told_and_stops_nothing(tmp_path, monkeypatch, caplog):
    async def scenario():
        queue, lists = Queue(), Lists(OPEN[:2], DONE[:2])
        source = make_source(tmp_path, lists)
        monkeypatch.setattr(os, "replace", full_disk)
        await run_until(source, queue, lambda: lists.asked > 4)
        monkeypatch.undo()
        return queue.events

    assert len(asyncio.run(scenario())) == 2
    assert "No space left on device" in caplog.text and "given on again" in caplog.text


class TestReceipts:
    def given(self, tmp_path, *lists, room=None, **options):
        """The events of a run of the source with receipts."""

        async def scenario():
            queue, shown = Queue(room), Lists(*lists)
            source = make_source(tmp_path, shown, receipts=str(tmp_path / "queue"), **options)
            await run_until(source, queue, lambda: shown.asked > len(lists) + 1 or room == len(queue.events))
            return queue.events

        return asyncio.run(scenario())

    def receipt(self, tmp_path, event, ending=".json"):
        (tmp_path / "queue").mkdir(exist_ok=True)
        (tmp_path / "queue" / (event["id"] + ending)).touch()

    @pytest.mark.parametrize("ending", [".json", ".done.json", ""])
    def test_what_nobody_confirmed_is_given_on_after_a_restart(self, tmp_path, caplog, ending):
        first = self.given(tmp_path, OPEN[:3], DONE[:3])
        assert len(first) == 3
        self.receipt(tmp_path, first[1], ending)
        second = self.given(tmp_path, DONE[:3])
        assert [event["id"] for event in second] == [first[0]["id"], first[2]["id"]]
        assert all(event["alerts"] for event in second)
        assert "never confirmed" in caplog.text
        for event in first:
            self.receipt(tmp_path, event)
        assert self.given(tmp_path, DONE[:3]) == []
        assert saved(tmp_path)["waiting"] == []

    def test_nothing_is_given_on_twice_while_it_runs(self, tmp_path):
        assert len(self.given(tmp_path, OPEN[:3], DONE[:3], DONE[:3], DONE[:3])) == 3

    def test_a_receipt_that_was_taken_away_after_it_was_seen_is_not_missed(self, tmp_path):
        (event,) = self.given(tmp_path, OPEN[:1], DONE[:1])
        self.receipt(tmp_path, event)
        assert self.given(tmp_path, DONE[:1]) == []
        (tmp_path / "queue" / (event["id"] + ".json")).unlink()
        assert self.given(tmp_path, DONE[:1]) == []

    def test_a_restart_in_the_middle(self, tmp_path):
        first = self.given(tmp_path, OPEN, DONE, room=250, size=1)
        second = self.given(tmp_path, DONE)
        assert len(first) == 250
        # None was confirmed, so each of the first is among the second.
        assert {event["alert_ids"][0] for event in second} == set(range(1000))
        assert len(second) == 1000


def test_what_tells_no_time_of_its_change_is_another_event_the_next_time(memory):
    """Else the receipt of the first one would stand for the second."""

    def resolved():
        look = differences().find([alert(1, modified=None)], memory)
        (given,) = look.events
        memory.note(given.seen)
        return given.event["id"]

    told(memory, [alert(1, "open", None)])
    first = resolved()
    told(memory, [alert(1, "open", None)])
    assert resolved() != first


@pytest.mark.parametrize("broken", [Listed([]), Listed([alert(2)], whole=False)])
def test_a_list_that_is_not_whole_forgets_nothing_and_is_told(tmp_path, caplog, broken):
    async def scenario():
        queue, lists = Queue(), Lists(DONE[:3], broken, DONE[:3])
        source = make_source(tmp_path, lists)
        source._memory.note({"1": Seen("resolved", EIGHT, 0)})
        source._memory.begin()
        source._memory.note({str(key): Seen("resolved", EIGHT, 1) for key in range(3)})
        lists.lists.pop(0)
        await run_until(source, queue, lambda: lists.asked > 2)
        return queue.events

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(scenario()) == []
    assert caplog.text.count("did not list all that there is") == 1


def test_receipts_that_cannot_be_read_end_nothing(tmp_path, caplog):
    (tmp_path / "receipts").write_text("no folder")

    async def scenario():
        queue, lists = Queue(), Lists(OPEN[:1], DONE[:1])
        await run_until(make_source(tmp_path, lists, receipts=str(tmp_path / "receipts")), queue, lambda: lists.asked > 4)
        return queue.events, lists.asked

    events, asked = asyncio.run(scenario())
    assert len(events) == 1 and asked > 4
    assert "cannot be read (Not a directory)" in caplog.text


class TestAlerts:
    """How the alerts that an API lists are seen."""

    @staticmethod
    def seen(*listed, doubtful=False):
        class Api:
            @staticmethod
            def get_alerts(_filters):
                return list(listed), len(listed), doubtful

        return alerts(Api(), dict(severities=None, filters=None))

    def test_one_without_a_status_keeps_what_it_was(self):
        for status in (None, "", 7):
            found = self.seen(dict(alert_id=1, resolution_status=status), dict(alert_id=2, resolution_status="STATUS_010_NEW"))
            assert ([thing.key for thing in found.things], found.whole) == (["2"], False)

    def test_a_list_that_was_cut_off(self):
        assert not self.seen(dict(alert_id=2, resolution_status="STATUS_010_NEW"), doubtful=True).whole

    @pytest.mark.parametrize("said, modified", [(EIGHT, EIGHT), (str(EIGHT), EIGHT), (True, None), (None, None), ("x", None)])
    def test_a_time_is_a_number_or_a_text(self, said, modified):
        (thing,) = self.seen(dict(alert_id=2, resolution_status="STATUS_010_NEW", last_modified_ts=said)).things
        assert thing.modified == modified
