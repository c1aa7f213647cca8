# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: who may read them, what is never touched, and whose lock is waited for."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common import files
from ansible_collections.secops.remediation.plugins.module_utils._common.files import FileProblem

KINDS = ("a named pipe", "a socket", "a device", "a folder")
ROOT = Path(__file__).resolve().parents[4]


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Makes what is no regular file. A device is only said to be one: nothing here may touch a real one."""

    def make(kind, path):
        if kind == "a named pipe":
            os.mkfifo(path)
        elif kind == "a socket":
            monkeypatch.chdir(path.parent)
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path.name)
        elif kind == "a folder":
            path.mkdir()
        else:
            path.write_text("device")
            fake_devices(monkeypatch, path)
        return path

    return make


def fake_devices(monkeypatch, path):
    """Lets every look at this file's status say that it is a device."""
    inode = os.stat(path).st_ino

    def disguised(really):
        def status_of(*arguments, **options):
            status = really(*arguments, **options)
            return os.stat_result((stat.S_IFCHR | 0o666,) + tuple(status)[1:]) if status.st_ino == inode else status

        return status_of

    for name in ("stat", "lstat", "fstat"):
        monkeypatch.setattr(files.os, name, disguised(getattr(os, name)))


class TestOnlyRegularFiles:
    @pytest.mark.parametrize("linked", [False, True])
    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_else_is_opened_or_replaced(self, tmp_path, odd, kind, linked, monkeypatch):
        path = thing = odd(kind, tmp_path / "thing")
        if linked:
            path = tmp_path / "link"
            path.symlink_to(thing)
        before = os.lstat(path).st_ino, os.lstat(thing).st_ino
        monkeypatch.setattr(files.os, "open", lambda *arguments: pytest.fail("it was opened"))
        for use in (files.open_regular, files.check_replaceable, lambda path: files.write_atomically(path, "x")):
            with pytest.raises(OSError, match="it is %s, not a regular file" % kind):
                use(str(path))
        assert (os.lstat(path).st_ino, os.lstat(thing).st_ino) == before
        assert {entry.name for entry in tmp_path.iterdir()} - {"home"} == {path.name, "thing"}

    def test_what_was_exchanged_after_the_look_is_not_read(self, tmp_path, monkeypatch):
        path = tmp_path / "file"
        path.write_text("x")
        really = os.stat(path)
        path.unlink()
        os.mkfifo(path)
        monkeypatch.setattr(files.os, "stat", lambda *arguments: really)
        with pytest.raises(OSError, match="it is a named pipe"):
            files.open_regular(str(path))

    def test_links(self, tmp_path):
        target, link = tmp_path / "target", tmp_path / "link"
        target.write_text("x")
        link.symlink_to(target)
        with files.open_regular(str(link)) as file:
            assert file.read() == b"x"
        with pytest.raises(OSError, match="it is a symbolic link, not a regular file"):
            files.open_regular(str(link), follow=False)
        files.write_atomically(str(link), "y")
        assert link.is_symlink() and target.read_text() == "y"
        files.write_atomically(str(link), "z", follow=False)
        assert not link.is_symlink() and link.read_text() == "z" and target.read_text() == "y"

    def test_a_link_to_another_folder_is_replaced_there(self, tmp_path):
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "target").write_text("x")
        (tmp_path / "a" / "link").symlink_to("../b/target")
        files.write_atomically(str(tmp_path / "a" / "link"), "y")
        assert os.listdir(tmp_path / "a") == ["link"] and (tmp_path / "b" / "target").read_text() == "y"

    def test_links_that_lead_nowhere(self, tmp_path):
        dangling, loop = tmp_path / "dangling", tmp_path / "loop"
        dangling.symlink_to(tmp_path / "gone")
        loop.symlink_to(loop)
        with pytest.raises(OSError, match="symbolic link to .*gone, and that is not there"):
            files.write_atomically(str(dangling), "x")
        with pytest.raises(OSError, match="symbolic links"):
            files.write_atomically(str(loop), "x")
        assert not (tmp_path / "gone").exists()


class TestPrivate:
    @pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
    def test_new_files_and_folders_are(self, tmp_path, mask):
        before = os.umask(mask)
        try:
            files.prepare_directory(str(tmp_path / "a" / "b"), "a folder")
            files.write_atomically(str(tmp_path / "a" / "b" / "file"), "x")
            files.prepare_directory(str(tmp_path / "shared" / "b"), "a folder", mode=files.folder_mode(0o644))
            files.write_atomically(str(tmp_path / "shared" / "file"), "x", 0o640)
        finally:
            os.umask(before)
        assert [mode_of(tmp_path / name) for name in ("a", "a/b", "a/b/file", "shared", "shared/b", "shared/file")] == [
            0o700,
            0o700,
            0o600,
            0o755,
            0o755,
            0o640,
        ]

    def test_what_is_there_keeps_its_mode(self, tmp_path):
        folder, file = tmp_path / "folder", tmp_path / "folder" / "file"
        folder.mkdir()
        folder.chmod(0o755)
        file.write_text("x")
        file.chmod(0o664)
        files.prepare_directory(str(folder), "a folder")
        files.write_atomically(str(file), "y")
        assert mode_of(folder) == 0o755 and mode_of(file) == 0o664 and file.read_text() == "y"

    def test_what_a_folder_hands_on_to_its_files_stays(self, tmp_path):
        folder = tmp_path / "folder"
        folder.mkdir()
        folder.chmod(0o2750)
        files.set_mode(str(folder), 0o755)
        assert mode_of(folder) == 0o2755

    @pytest.mark.parametrize("mode, folder", [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755), (0o660, 0o770)])
    def test_the_mode_of_folders(self, mode, folder):
        assert files.folder_mode(mode) == folder


class TestTrouble:
    def test_only_the_caller_knows_what_was_started(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(FileProblem) as problem:
            files.prepare_directory(str(tmp_path / "file" / "folder"), "the folder")
        assert "started" not in str(problem.value) and str(problem.value).startswith("Cannot write into the folder ")
        with pytest.raises(FileProblem, match=r"no folder\. Nothing was started\.$"):
            files.prepare_directory(str(tmp_path / "file"), "the folder", "Nothing was started.")

    def test_what_a_killed_writer_left_is_removed_when_it_is_old(self, tmp_path):
        old, new, other, pipe = (
            tmp_path / name
            for name in (".remediation-old.part", ".remediation-new.part", ".other.part", ".remediation-pipe.part")
        )
        for path in (old, new, other):
            path.write_text("x")
        os.mkfifo(pipe)
        for path in (old, other, pipe):
            os.utime(path, (time.time() - 7200,) * 2)
        files.prepare_directory(str(tmp_path), "a folder")
        assert not old.exists() and new.exists() and other.exists() and pipe.exists()

    def test_a_killed_writer_leaves_what_is_found(self, tmp_path):
        code = (
            "import os, signal, sys\n"
            "from ansible_collections.secops.remediation.plugins.module_utils._common import files\n"
            "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
            "files.write_atomically(sys.argv[1], 'x')\n"
        )
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "file")],
            check=False,
            env=dict(os.environ, PYTHONPATH=str(ROOT / ".cache")),
        )
        (left,) = [path for path in tmp_path.iterdir() if path.is_file()]
        files.remove_leftovers(str(tmp_path), 0)
        assert not left.exists()


class TestLock:
    def test_who_holds_it_is_said_and_waited_for_only_so_long(self, tmp_path):
        with files.locked(str(tmp_path)):
            began = time.monotonic()
            with pytest.raises(FileProblem) as problem, files.locked(str(tmp_path), 0.2):
                pytest.fail("two hold it")
            assert time.monotonic() - began < 30
        text = str(problem.value)
        assert (
            "Waited 0 s for the lock of %s, which the process %d on %s has held since 20"
            % (tmp_path, os.getpid(), socket.gethostname())
            in text
        )
        with files.locked(str(tmp_path), 0):
            pass
        assert not (tmp_path / files.LOCK).exists()

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}'])
    def test_a_holder_that_says_nothing(self, tmp_path, content):
        with files.locked(str(tmp_path)):
            (tmp_path / files.LOCK).write_text(content)
            with pytest.raises(FileProblem, match="which another process holds"), files.locked(str(tmp_path), 0):
                pass

    def test_one_at_a_time(self, tmp_path):
        inside, most = [], []

        def work():
            for _time in range(30):
                with files.locked(str(tmp_path)):
                    inside.append(1)
                    most.append(len(inside))
                    time.sleep(0.0005)
                    inside.pop()

        threads = [threading.Thread(target=work) for _number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(most) == 180 and max(most) == 1

    def test_a_killed_holder_holds_nothing(self, tmp_path):
        (tmp_path / files.LOCK).write_text(json.dumps({"pid": 1, "host": "h", "since": "t"}))
        with files.locked(str(tmp_path), 0):
            pass

    @pytest.mark.parametrize("kind", ["a named pipe", "a symbolic link", "a folder"])
    def test_what_is_no_lock(self, tmp_path, kind):
        path = tmp_path / files.LOCK
        if kind == "a named pipe":
            os.mkfifo(path)
        elif kind == "a folder":
            path.mkdir()
        else:
            path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(OSError, match="it is %s" % kind), files.locked(str(tmp_path), 0):
            pass
        assert not (tmp_path / "elsewhere").exists()

    @pytest.mark.parametrize(
        "line, told",
        [
            ("host:/x {0} nfs4 rw,vers=4.2,local_lock=none 0 0", False),
            ("host:/x {0} nfs rw,vers=3,local_lock=all 0 0", True),
            ("host:/x {0} nfs rw,nolock 0 0", True),
            ("//host/x {0} cifs rw,nobrl 0 0", True),
            ("host: {0} fuse.sshfs rw 0 0", True),
            ("/dev/sda1 {0} ext4 rw 0 0", False),
            ("nonsense", False),
        ],
    )
    def test_locks_that_other_machines_do_not_see_are_told(self, tmp_path, line, told):
        folder = tmp_path / "a folder"
        folder.mkdir()
        mounts = tmp_path / "mounts"
        mounts.write_text("/dev/sda1 / ext4 rw 0 0\n" + line.format(str(folder).replace(" ", "\\040")) + "\n")
        text = files.local_locks(str(folder), str(mounts))
        assert bool(text) == told and (not told or "let only one machine write there" in text)
        assert files.local_locks(str(tmp_path), str(mounts)) is None
        assert files.local_locks(str(folder), str(tmp_path / "none")) is None
