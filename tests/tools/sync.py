# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies the checkout, with what is not committed yet, to a folder that ansible-test accepts as a collection.

sync.py TARGET

ansible-test wants .../ansible_collections/secops/remediation to be a real folder, and the checkout may be anywhere.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# tests/output is ansible-test's own.
KEEP = (".git", "tests/output")
# Not written here, and kept as it came: nothing that ansible-test could find there is ours to mend.
LEFT_OUT = ("tests/fixtures/", "tests/conformance/spec/")


def checkout_files() -> set[str]:
    """Every file that git tracks or would add."""
    listing = subprocess.run(
        # A checkout that belongs to another user (a mounted volume, say) is no reason to stop.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {name for name in listing.split("\0") if name and os.path.lexists(CHECKOUT / name)}


def remove_leftovers(target: Path, wanted: set[str]) -> None:
    for folder, _folders, names in os.walk(target, topdown=False):
        relative = Path(folder).relative_to(target)
        if relative.as_posix().startswith(KEEP):
            continue
        for name in names:
            if (relative / name).as_posix() not in wanted:
                Path(folder, name).unlink()
        if folder != str(target) and not os.listdir(folder):
            os.rmdir(folder)


def copy(name: str, target: Path) -> None:
    source, destination = CHECKOUT / name, target / name
    if destination.is_file() and not destination.is_symlink() and not source.is_symlink():
        if filecmp.cmp(source, destination, shallow=False) and source.stat().st_mode == destination.stat().st_mode:
            return
    if os.path.lexists(destination):
        destination.unlink()
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, destination, follow_symlinks=False)


def main() -> int:
    target = Path(sys.argv[1]).absolute()
    target.mkdir(parents=True, exist_ok=True)
    if not (target / ".git").exists():
        # Without a repository of its own the copy would be looked up in the checkout's, which ignores it.
        subprocess.run(["git", "init", "--quiet", str(target)], check=True)
    wanted = {name for name in checkout_files() if not name.startswith(LEFT_OUT)}
    remove_leftovers(target, wanted)
    for name in wanted:
        copy(name, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
