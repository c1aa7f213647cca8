# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: nothing that was remembered is ever lost."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
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

    @pytest.mark.parametrize("content", ["", "verify_campaign_ids: [c1]\n", "{", "[1"])
    def test_a_file_that_may_be_somebody_elses_is_left_alone(self, tmp_path, content):
        """Whoever names the wrong file must find it where it was."""
        path = tmp_path / "targets.yml"
        path.write_text(content)
        with pytest.raises(LedgerError, match="It was left as it is: name another file"):
            Ledger(str(path))
        assert path.read_text() == content and len(list(tmp_path.glob("targets*"))) == 1
        # One that was cut off still begins like one.
        path.write_text('{"schema_version": 1, "records": {"a": {')
        with pytest.raises(LedgerError, match="It was kept as"):
            Ledger(str(path))

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


class TestSpoiled:
    """A record that somebody spoiled is as good as none, and costs the others nothing."""

    @pytest.mark.parametrize(
        "record",
        [
            "b",
            None,
            5,
            True,
            [],
            [{}],
            {"x": json.loads("[" * 200 + "]" * 200)},
            {"x": json.loads('{"y": ' * 100 + "1" + "}" * 100)},
        ],
    )
    def test_it_is_ignored(self, path, record):
        Ledger(path).put("b", {"scan_id": "2"}, at_once=True)
        content = dict(records(path), a=record)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"schema_version": 1, "records": content}, file)
        ledger = Ledger(path)
        assert ledger.get("a") == {} and ledger.get("b")["scan_id"] == "2"
        assert [one["scan_id"] for one in ledger.find("")] == ["2"]

    def test_one_as_deep_as_answers_are_is_none(self, path):
        answer = {"answers": [{"body": json.loads('{"y": ' * 40 + "1" + "}" * 40)}]}
        Ledger(path).put("a", answer, at_once=True)
        assert Ledger(path).get("a")["answers"] == answer["answers"]

    def test_a_ledger_too_deep_to_be_read_is_kept_aside(self, tmp_path):
        path = tmp_path / "ledger.json"
        path.write_text('{"schema_version": 1, "records": ' + "[" * 100_000 + "]" * 100_000 + "}")
        with pytest.raises(LedgerError, match="is not a ledger"):
            Ledger(str(path))
        assert len(list(tmp_path.glob("ledger.json.unreadable-*"))) == 1

    @pytest.mark.parametrize("content", ['{"schema_version": 1, "records": {"a": {"n": %s}}}' % ("9" * 5000), '{"a": "\\ud800"}'])
    def test_odd_json(self, tmp_path, content):
        path = tmp_path / "ledger.json"
        path.write_text(content)
        with pytest.raises(LedgerError):
            Ledger(str(path))


class TestNoMemory:
    """/dev/null and anything that leads to it."""

    def test_nothing_is_ever_opened(self, tmp_path, monkeypatch):
        """A ledger that replaces what it writes renamed the device."""

        def touch(*args, **options):
            raise AssertionError("touched %s" % (args,))

        for name in ("write_atomically", "open_regular", "prepare_directory", "locked"):
            monkeypatch.setattr(ledger_utils, name, touch)
        (tmp_path / "link").symlink_to(os.devnull)
        for path in (None, os.devnull, "/dev/../dev/null", str(tmp_path / "link")):
            for read_only in (False, True):
                ledger = Ledger(path, read_only)
                ledger.put("a", {"b": 1}, at_once=True)
                ledger.put("c", {})
                ledger.close()
                assert not ledger.path and ledger.get("a")["b"] == 1 and len(ledger.find("")) == 2

    @pytest.mark.parametrize("kind", ["fifo", "socket", "folder"])
    def test_what_is_no_regular_file_is_left_alone(self, tmp_path, kind):
        path = tmp_path / "ledger"
        if kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        before = path.lstat()
        for read_only in (False, True):
            with pytest.raises(LedgerError, match="not a regular file"):
                Ledger(str(path), read_only)
        assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)


class TestLinks:
    def test_a_link_stays_one(self, tmp_path):
        real = tmp_path / "real" / "file.json"
        real.parent.mkdir()
        link = tmp_path / "ledger.json"
        link.symlink_to(real)
        for number in range(3):
            ledger = Ledger(str(link))
            ledger.put("a%d" % number, {}, at_once=True)
            ledger.close()
            assert link.is_symlink() and real.is_file() and not real.is_symlink()
        assert set(records(link)) == {"a0", "a1", "a2"}

    def test_two_names_of_one_ledger_share_one_lock(self, tmp_path):
        (tmp_path / "real").mkdir()
        link = tmp_path / "ledger.json"
        link.symlink_to(tmp_path / "real" / "file.json")
        one, two = Ledger(str(link)), Ledger(str(tmp_path / "real" / "file.json"))
        one.put("a", {}, at_once=True)
        two.put("b", {}, at_once=True)
        assert set(records(link)) == {"a", "b"}


class TestLock:
    def test_somebody_elses_lock_is_waited_for_only_so_long(self, path):
        Ledger(path).put("a", {}, at_once=True)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, os.path.dirname(path)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert holder.stdout.readline() == "held\n"
            started = time.monotonic()
            with pytest.raises(LedgerError, match="the process %d on .* has held since" % holder.pid):
                Ledger(path, lock_seconds=0.3)
            # Who only reads needs no lock.
            assert Ledger(path, read_only=True, lock_seconds=0.3).get("a")
            assert time.monotonic() - started < 10
        finally:
            holder.communicate("go\n", timeout=30)
        assert Ledger(path, lock_seconds=10).get("a")

    def test_what_could_not_be_written_meanwhile_is_not_lost(self, path):
        ledger = Ledger(path, lock_seconds=0.2)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, os.path.dirname(path)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(LedgerError):
                ledger.put("a", {"scan_id": "s1"}, at_once=True)
            assert list(ledger.unwritten()) == ["a"]
        finally:
            holder.communicate("go\n", timeout=30)
        ledger.close()
        assert ledger.unwritten() == {} and set(records(path)) == {"a"}

    @pytest.mark.parametrize("at_once", [True, False])
    def test_many_puts_wait_for_it_once(self, path, at_once):
        """Or hundreds of scans would wait one after the other, whatever wait_timeout is."""
        ledger = Ledger(path, lock_seconds=0.5)
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, os.path.dirname(path)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert holder.stdout.readline() == "held\n"
            started = time.monotonic()
            for number in range(20):
                with contextlib.suppress(LedgerError):
                    ledger.put(str(number), {"scan_id": str(number)}, at_once=at_once)
            assert time.monotonic() - started < 4
        finally:
            holder.communicate("go\n", timeout=30)
        ledger.close()
        assert len(records(path)) == 20


HOLDER = """
import sys
from ansible_collections.secops.remediation.plugins.module_utils._common.files import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


class TestUnwritten:
    def test_what_is_on_disk_is_not(self, path):
        ledger = Ledger(path)
        ledger.put("a", {"scan_id": "s1"}, at_once=True)
        assert ledger.unwritten() == {}
        ledger.put("b", {"scan_id": "s2"})
        ledger.close()
        assert ledger.unwritten() == {}

    def test_a_full_disk(self, path, monkeypatch):
        ledger = Ledger(path)
        ledger.put("a", {"scan_id": "s1"}, at_once=True)

        def fail(path, text):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ledger_utils, "write_atomically", fail)
        for name in "bc":
            with pytest.raises(LedgerError):
                ledger.put(name, {"scan_id": name}, at_once=True)
        with pytest.raises(LedgerError, match="No space left on device") as caught:
            ledger.close()
        # "Nothing was started" is not for it to say.
        assert "Nothing was started" not in str(caught.value) and "nothing was started" not in str(caught.value)
        assert {key: record["scan_id"] for key, record in ledger.unwritten().items()} == {"b": "b", "c": "c"}

    def test_a_ledger_that_was_spoiled_while_running_does_not_say_that_nothing_was_started(self, path):
        ledger = Ledger(path)
        ledger.put("a", {}, at_once=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("{")
        with pytest.raises(LedgerError) as caught:
            ledger.put("b", {}, at_once=True)
        assert "nothing was started" not in str(caught.value).lower()
        with open(path, "w", encoding="utf-8") as file:
            file.write("{")
        with pytest.raises(LedgerError, match="has started nothing"):
            Ledger(path)


class TestOf02:
    """Records of version 0.2.0, which told tenants apart by the name of their host alone."""

    def ledger(self, *keys):
        """A ledger with records of these keys, and one of that version."""
        ledger = Ledger(None)
        for key in ("acme.example/campaign/c1", *keys):
            ledger.put(key, {"is": key})
        return ledger

    @pytest.mark.parametrize(
        "keys",
        [
            (),
            ("https://other.example/campaign/c1",),
            ("https://acme.example/campaign/c2",),
            ("https://acme.example/exposure/1/r/s",),
            ("other.example/campaign/c1",),
            ("https://xacme.example/campaign/c1",),
            ("https://[/campaign/c1",),
            ("x://",),
            ("https://acme.example:8443/",),
        ],
    )
    def test_they_are_read_where_nobody_else_can_have_written_them(self, keys):
        ledger = self.ledger(*keys)
        assert ledger.get_of_0_2("https://acme.example", "campaign/c1")["is"] == "acme.example/campaign/c1"
        assert ledger.get_of_0_2("https://other.example", "campaign/c9") == {}

    @pytest.mark.parametrize(
        "key",
        [
            "https://acme.example:8443/campaign/c1",
            "http://acme.example/exposure/1/r/s",
            "https://acme.example/b/campaign/c7",
            "https://acme.example/b/exposure/1/r/http://x",
        ],
    )
    def test_not_where_two_addresses_of_one_host_are_known(self, key):
        assert self.ledger(key).get_of_0_2("https://acme.example", "campaign/c1") == {}
        assert self.ledger("https://acme.example/campaign/c2", key).get_of_0_2("https://acme.example", "campaign/c1") == {}


class TestPlaces:
    def test_a_folder(self, tmp_path):
        with pytest.raises(LedgerError, match="it is a folder, not a regular file"):
            Ledger(str(tmp_path))

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(LedgerError, match="Cannot write into the ledger's directory .*has started nothing"):
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
            target=lambda name=name: [ledger.put("%s-%d" % (name, number), {}, at_once=number % 4 == 0) for number in range(20)]
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
