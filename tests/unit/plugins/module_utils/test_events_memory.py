# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state file of an event source: whole, private, one owner, and never begun anew in silence."""

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.files import FileProblem
from ansible_collections.secops.remediation.plugins.module_utils._events import memory as room
from ansible_collections.secops.remediation.plugins.module_utils._events.memory import Memory, Seen


def full_disk(*_paths):
    """What os.replace does where there is no room."""
    raise OSError(28, "No space left on device")


ABOUT = {"source": "xpanse_alerts", "tenant": "https://one", "filters": []}
EVENT = {"id": "resolved-1", "kind": "resolved", "alert_ids": [1]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "of" / "state.json"


def written(path, **changes):
    """A state file as it is written, with changes."""
    memory = Memory(str(path), ABOUT)
    memory.note({"1": Seen("resolved", 1700000000000, 20000)})
    memory.begin()
    memory.save()
    memory.close()
    content = json.loads(path.read_text())
    content.update(changes)
    path.write_text(json.dumps(content))


def test_what_was_saved_is_there_again(path):
    memory = Memory(str(path), ABOUT)
    assert (memory.seen, memory.waiting, memory.began) == ({}, {}, False)
    memory.note({"1": Seen("resolved", 1700000000000, 20000), "2": Seen("open", None, 20000)})
    memory.wait_for(EVENT)
    memory.begin()
    memory.save()
    memory.close()
    again = Memory(str(path), ABOUT)
    assert again.seen == {"1": Seen("resolved", 1700000000000, 20000), "2": Seen("open", None, 20000)}
    assert (again.waiting, again.began) == ({"resolved-1": EVENT}, True)
    again.close()


def test_what_was_not_saved_is_not(path):
    memory = Memory(str(path), ABOUT)
    memory.note({"1": Seen("resolved", None, 20000)})
    memory.close()
    again = Memory(str(path), ABOUT)
    assert again.seen == {}
    again.close()


def test_the_file_is_private_whatever_the_umask(path):
    old = os.umask(0)
    try:
        written(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE((path.parent / "state.json.lock").stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_one_and_is_tried_again(path, monkeypatch):
    memory = Memory(str(path), ABOUT)
    memory.note({"1": Seen("resolved", None, 20000)})
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full_disk)
        with pytest.raises(OSError):
            memory.save()
    assert path.read_bytes() == before
    memory.save()
    assert "1" in json.loads(path.read_text())["seen"]
    memory.close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"schema_version": 1}',
        b"[" * 100000,
    ],
)
def test_a_damaged_file_is_an_error_and_stays_as_it_is(path, content):
    written(path)
    path.write_bytes(content)
    with pytest.raises(FileProblem, match="is damaged.*as it was: .*`since`"):
        Memory(str(path), ABOUT)
    assert path.read_bytes() == content
    # The lock is free again.
    path.unlink()
    Memory(str(path), ABOUT).close()


@pytest.mark.parametrize(
    "changes",
    [
        {"seen": []},
        {"seen": {"1": "resolved"}},
        {"seen": {"1": ["resolved", "yesterday", 1]}},
        {"seen": {"1": ["resolved", 1]}},
        {"waiting": [{"kind": "resolved"}]},
        {"waiting": {}, "began": 1},
        {"began": None},
        {"about": None},
    ],
)
def test_a_file_with_parts_of_another_shape_is_damaged(path, changes):
    written(path, **changes)
    with pytest.raises(FileProblem, match="is damaged"):
        Memory(str(path), ABOUT)


def test_a_file_that_was_cut_off_anywhere_is_damaged(path):
    written(path)
    whole = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        # What is missing at the end is white space only.
        if whole[size:].strip():
            with pytest.raises(FileProblem, match="is damaged"):
                Memory(str(path), ABOUT)


def test_a_newer_file_is_told(path):
    written(path, schema_version=2)
    with pytest.raises(FileProblem, match="schema_version 2"):
        Memory(str(path), ABOUT)


def test_a_file_about_another_tenant_or_other_filters_is_refused(path):
    written(path)
    with pytest.raises(FileProblem, match="tenant was 'https://one' and is 'https://two'"):
        Memory(str(path), {**ABOUT, "tenant": "https://two"})
    with pytest.raises(FileProblem, match="filters was"):
        Memory(str(path), {**ABOUT, "filters": [1]})


def test_two_sources_cannot_have_one_file(path):
    memory = Memory(str(path), ABOUT)
    with pytest.raises(FileProblem, match="in use by another"):
        Memory(str(path), ABOUT)
    memory.close()
    Memory(str(path), ABOUT).close()


def test_a_folder_in_the_place_of_the_file(path):
    path.mkdir(parents=True)
    with pytest.raises(FileProblem, match="cannot be used"):
        Memory(str(path), ABOUT)


def test_a_link_in_the_place_of_the_lock_is_not_followed(path, tmp_path):
    path.parent.mkdir()
    (path.parent / "state.json.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileProblem, match="cannot be used"):
        Memory(str(path), ABOUT)
    assert not (tmp_path / "elsewhere").exists()


def test_only_what_was_not_listed_for_long_is_forgotten(path):
    memory = Memory(str(path), ABOUT)
    memory.note({"1": Seen("resolved", None, 19999), "2": Seen("resolved", None, 20000)})
    memory.forget_before(20000)
    assert list(memory.seen) == ["2"]
    memory.close()


def test_a_confirmed_event_is_waited_for_no_more(path):
    memory = Memory(str(path), ABOUT)
    memory.wait_for(EVENT)
    memory.confirm({"another"})
    assert memory.waiting
    memory.confirm({"resolved-1", "another"})
    assert not memory.waiting
    memory.close()


def test_nothing_is_written_where_nothing_changed(path, monkeypatch):
    memory = Memory(str(path), ABOUT)
    memory.note({"1": Seen("resolved", None, 20000)})
    memory.save()
    monkeypatch.setattr(room, "write_atomically", lambda *_arguments: pytest.fail("written"))
    memory.note({"1": Seen("resolved", None, 20000)})
    memory.confirm({"resolved-1"})
    memory.save()
    memory.close()
