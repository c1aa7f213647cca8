# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: nothing that was remembered is ever lost."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common import files, times
from ansible_collections.secops.remediation.plugins.module_utils._run import ledger as ledger_utils
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError


@pytest.fixture
def path(tmp_path):
    """Where the ledger is, in a folder that is not there yet."""
    return str(tmp_path / "deep" / "folder" / "ledger.json")


def records(path):
    """What is on disk."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)["records"]


def test_remembers(path):
    ledger = Ledger(path)
    assert ledger.get("a") == {}
    ledger.put("a", {"scan_id": "1"}, at_once=True)
    ledger.put("b", {"scan_id": "2", "ä": [1]})
    ledger.close()
    again = Ledger(path)
    assert again.get("a")["scan_id"] == "1" and again.get("b")["ä"] == [1]
    assert times.age(again.get("a")["updated_at"]) < 60
    assert [name for name in os.listdir(os.path.dirname(path)) if name != "ledger.json"] == []


def test_what_was_given_out_is_a_copy(path):
    ledger = Ledger(path)
    ledger.put("a", {"scan_id": "1"})
    ledger.get("a")["scan_id"] = "2"
    assert ledger.get("a")["scan_id"] == "1"


def test_without_a_path_it_forgets(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(os.listdir(tmp_path))
    ledger = Ledger(None)
    ledger.put("a", {"b": 1}, at_once=True)
    assert ledger.get("a")["b"] == 1
    ledger.close()
    assert sorted(os.listdir(tmp_path)) == before


def test_at_once_is_on_disk_when_it_returns(path):
    ledger = Ledger(path)
    for number in range(5):
        ledger.put(str(number), {"number": number}, at_once=True)
        assert records(path)[str(number)]["number"] == number


def test_many_puts_are_few_writes(path, monkeypatch):
    writes = []
    really = files.write_atomically
    monkeypatch.setattr(ledger_utils, "write_atomically", lambda path, text: (writes.append(1), really(path, text)))
    ledger = Ledger(path)
    for number in range(200):
        ledger.put(str(number), {})
    ledger.close()
    assert len(records(path)) == 200
    assert len(writes) <= 10


def test_the_last_of_many_puts_is_written_without_another_one(path, monkeypatch):
    """The next put may be hours away, and the run be killed meanwhile."""
    monkeypatch.setattr(ledger_utils, "SECONDS_BETWEEN_WRITES", 0.1)
    ledger = Ledger(path)
    ledger.put("a", {})
    ledger.put("b", {})
    ends = time.monotonic() + 10
    while set(records(path)) != {"a", "b"} and time.monotonic() < ends:
        time.sleep(0.02)
    assert set(records(path)) == {"a", "b"}


def test_a_late_write_that_fails_is_told_by_close(path, monkeypatch):
    monkeypatch.setattr(ledger_utils, "SECONDS_BETWEEN_WRITES", 0.02)
    ledger = Ledger(path)
    ledger.put("a", {})
    failed = threading.Event()

    def fail(path, text):
        failed.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger_utils, "write_atomically", fail)
    ledger._written_at = time.monotonic()
    ledger.put("b", {})
    assert failed.wait(10)
    with pytest.raises(LedgerError, match="cannot be written: No space left on device"):
        ledger.close()


def test_a_write_that_failed_is_made_up_for(path, monkeypatch):
    ledger = Ledger(path)
    really = files.write_atomically

    def fail(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger_utils, "write_atomically", fail)
    with pytest.raises(LedgerError):
        ledger.put("a", {}, at_once=True)
    monkeypatch.setattr(ledger_utils, "write_atomically", really)
    ledger.put("b", {}, at_once=True)
    assert set(records(path)) == {"a", "b"}


class TestReadOnly:
    def test_writes_nothing(self, path):
        ledger = Ledger(path, read_only=True)
        ledger.put("a", {"b": 1}, at_once=True)
        ledger.put("c", {})
        ledger.close()
        assert ledger.get("a")["b"] == 1
        assert not os.path.exists(os.path.dirname(path))

    def test_reads(self, path):
        Ledger(path).put("a", {"b": 1}, at_once=True)
        before = os.stat(path).st_mtime_ns
        ledger = Ledger(path, read_only=True)
        assert ledger.get("a")["b"] == 1
        ledger.put("a", {"b": 2}, at_once=True)
        ledger.close()
        assert os.stat(path).st_mtime_ns == before

    def test_leaves_a_broken_one_where_it_is(self, tmp_path):
        (tmp_path / "ledger.json").write_text("{")
        with pytest.raises(LedgerError, match="It was left as it is"):
            Ledger(str(tmp_path / "ledger.json"), read_only=True)
        assert (tmp_path / "ledger.json").read_text() == "{"


BROKEN = {
    "empty": "",
    "cut": '{"schema_version": 1, "records": {"a": {"scan',
    "binary": b"\xff\xfe\x00\x01",
    "text": "hello",
}
OTHER_JSON = {
    "list": "[]",
    "no-records": "{}",
    "records-list": '{"schema_version": 1, "records": []}',
    "record-text": '{"schema_version": 1, "records": {"a": "b"}}',
    "no-version": '{"records": {}}',
    "null": "null",
}


class TestBroken:
    @pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
    def test_is_kept_aside_whole(self, tmp_path, content):
        content = content if isinstance(content, bytes) else content.encode()
        path = tmp_path / "ledger.json"
        path.write_bytes(content)
        with pytest.raises(LedgerError) as caught:
            Ledger(str(path))
        assert not path.exists()
        aside = [file for file in tmp_path.iterdir() if file.name.startswith("ledger.json.unreadable-")]
        assert [file.read_bytes() for file in aside] == [content]
        assert str(aside[0]) in str(caught.value) and "Mend it and move it back" in str(caught.value)
        # The next run starts with an empty one.
        ledger = Ledger(str(path))
        ledger.put("a", {}, at_once=True)
        assert set(records(path)) == {"a"}
        assert aside[0].read_bytes() == content

    @pytest.mark.parametrize("content", OTHER_JSON.values(), ids=OTHER_JSON)
    def test_other_json_is_left_alone(self, tmp_path, content):
        path = tmp_path / "package.json"
        path.write_text(content)
        with pytest.raises(LedgerError, match="It was left as it is: name another file"):
            Ledger(str(path))
        assert path.read_text() == content
        assert [file.name for file in tmp_path.glob("package*")] == ["package.json"]

    def test_several_in_the_same_second(self, tmp_path):
        path = tmp_path / "ledger.json"
        for number in range(5):
            path.write_text("broken %d" % number)
            with pytest.raises(LedgerError):
                Ledger(str(path))
        contents = sorted(file.read_text() for file in tmp_path.glob("ledger.json.unreadable-*"))
        assert contents == ["broken %d" % number for number in range(5)]

    def test_while_running(self, tmp_path):
        path = tmp_path / "ledger.json"
        ledger = Ledger(str(path))
        ledger.put("a", {}, at_once=True)
        path.write_text("broken")
        with pytest.raises(LedgerError):
            ledger.put("b", {}, at_once=True)
        assert [file.read_text() for file in tmp_path.glob("ledger.json.unreadable-*")] == ["broken"]
        ledger.close()
        assert "b" in records(path)

    @pytest.mark.parametrize(
        "content",
        [{"schema_version": 2, "records": {"a": {}}}, {"schema_version": 99, "entries": []}, {"schema_version": "x"}],
    )
    def test_a_newer_one_is_left_alone(self, tmp_path, content):
        path = tmp_path / "ledger.json"
        path.write_text(json.dumps(content))
        with pytest.raises(LedgerError, match="use the newer version of the collection, or another ledger"):
            Ledger(str(path))
        assert json.loads(path.read_text()) == content
        assert len(list(tmp_path.glob("ledger*"))) == 1

    def test_a_newer_one_that_comes_while_running_is_left_alone(self, tmp_path):
        path = tmp_path / "ledger.json"
        ledger = Ledger(str(path))
        path.write_text('{"schema_version": 2, "records": {}}')
        with pytest.raises(LedgerError):
            ledger.put("a", {}, at_once=True)
        assert json.loads(path.read_text())["schema_version"] == 2


class TestPlaces:
    def test_a_folder(self, tmp_path):
        with pytest.raises(LedgerError, match="Is a directory"):
            Ledger(str(tmp_path))

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerError, match="Cannot write into the ledger's directory .*Nothing was started"):
            Ledger(str(tmp_path / "file" / "ledger.json"))

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_may_not_be_written(self, tmp_path):
        folder = tmp_path / "closed"
        folder.mkdir(mode=0o555)
        with pytest.raises(LedgerError, match="Permission denied"):
            Ledger(str(folder / "ledger.json"))

    def test_a_place_on_no_real_disk(self):
        with pytest.raises(LedgerError):
            Ledger("/proc/self/ledger.json")

    def test_a_relative_path(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Ledger("ledger.json").put("a", {}, at_once=True)
        assert set(records(tmp_path / "ledger.json")) == {"a"}


WRITER = """
import sys
from ansible_collections.secops.remediation.plugins.module_utils._common import files, times
from ansible_collections.secops.remediation.plugins.module_utils._run import ledger as ledger_utils
name, path, count = sys.argv[1:]
ledger_utils.SECONDS_BETWEEN_WRITES = 0.001
ledger = ledger_utils.Ledger(path)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(count)):
    ledger.put("%s-%d" % (name, number), {"number": number}, at_once=number % 3 == 0)
    if number % 5 == 0:
        print(number if number % 3 == 0 else -1, flush=True)
ledger.close()
"""


def start_writer(name, path, count):
    """A process that writes into the ledger once it is told to."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, name, path, str(count)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_processes_that_write_at_once_lose_nothing(path):
    writers = [start_writer(name, path, 60) for name in "abc"]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert set(records(path)) == {"%s-%d" % (name, number) for name in "abc" for number in range(60)}


def test_a_kill_between_writes_leaves_a_whole_ledger(path):
    for round_number in range(3):
        writer = start_writer("r%d" % round_number, path, 100_000)
        writer.stdin.write("go\n")
        writer.stdin.flush()
        said = -1
        for _line in range(4 + round_number):
            said = max(said, int(writer.stdout.readline()))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        found = records(path)
        # What was said to be on disk is there, from all rounds.
        for earlier in range(round_number):
            assert "r%d-0" % earlier in found
        assert "r%d-%d" % (round_number, said) in found
    assert Ledger(path).get("r0-0")["number"] == 0


def test_threads_that_write_at_once(path):
    ledger = Ledger(path)
    threads = [
        threading.Thread(
            target=lambda name=name: [
                ledger.put("%s-%d" % (name, number), {}, at_once=number % 4 == 0) for number in range(20)
            ]
        )
        for name in "abcdef"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    assert len(records(path)) == 120


def test_what_another_run_wrote_is_seen(path):
    one, two = Ledger(path), Ledger(path)
    one.put("a", {"by": "one"}, at_once=True)
    two.put("b", {"by": "two"}, at_once=True)
    assert two.get("a")["by"] == "one"
    one.put("a", {"by": "one again"}, at_once=True)
    two.put("c", {}, at_once=True)
    assert records(path)["a"]["by"] == "one again"


class TestFiles:
    def test_a_write_that_breaks_leaves_the_old_file(self, tmp_path, monkeypatch):
        path = tmp_path / "file"
        files.write_atomically(str(path), "old")

        def fail(handle):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output error"):
            files.write_atomically(str(path), "new")
        assert path.read_text() == "old"
        assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["file"]

    def test_the_umask_stands_many_threads(self):
        before = os.umask(0o022)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        found = set()
        try:
            threads = [
                threading.Thread(target=lambda: found.update(files.current_umask() for _time in range(3000)))
                for _number in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(interval)
            after = os.umask(before)
        assert found == {0o022} and after == 0o022


class TestTimes:
    @pytest.mark.parametrize(
        "text, expected",
        [
            ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00+00:00"),
            ("2026-11-22T08:00:00.1Z", "2026-11-22T08:00:00.100000+00:00"),
            ("2026-11-22T08:00:00.123456789Z", "2026-11-22T08:00:00.123456+00:00"),
            ("2026-11-22T08:00:00.12+02:00", "2026-11-22T08:00:00.120000+02:00"),
            ("2026-11-22 08:00:00", "2026-11-22T08:00:00+00:00"),
            (" 2026-11-22T08:00:00z ", "2026-11-22T08:00:00+00:00"),
        ],
    )
    def test_good(self, text, expected):
        assert times.parse_time(text).isoformat() == expected

    @pytest.mark.parametrize(
        "text", ["", "yesterday", None, 5, "2026-13-01T00:00:00Z", "Z", ".", [], "2026-11-22T25:00:00Z"]
    )
    def test_bad(self, text):
        assert times.parse_time(text) is None
        assert times.age(text) is None
        assert not times.is_recent(text, 10**9)

    def test_recent(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        assert times.is_recent(times.utc_now(), 60)
        assert not times.is_recent((now - datetime.timedelta(seconds=61)).isoformat(), 60)
        assert not times.is_recent(times.utc_now(), 0)
