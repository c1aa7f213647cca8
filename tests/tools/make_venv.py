# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes or completes a virtual environment; does nothing, quickly, when there is nothing to do.

make_venv.py FOLDER REQUIREMENTS [--core X.Y] [--requests X.Y.Z]
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def requirement_files(path: Path) -> list[Path]:
    """The file and, recursively, every file that it includes."""
    files = [path]
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            files += requirement_files((path.parent / line[3:].strip()).resolve())
    return files


def fingerprint(path: Path, wanted: list[str]) -> str:
    contents = [file.read_bytes() for file in requirement_files(path)]
    return hashlib.sha256(b"\0".join([*(one.encode() for one in wanted), *contents])).hexdigest()


def stamp_of(folder: Path, requirements: Path) -> Path:
    return folder / f"{requirements.relative_to(CHECKOUT).as_posix().replace('/', '-')}.stamp"


def is_done(folder: Path, requirements: Path, wanted: list[str]) -> bool:
    stamp = stamp_of(folder, requirements)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint(requirements, wanted)


def create(folder: Path) -> None:
    # The scripts in bin/ hold absolute paths, so an environment is of no use once the checkout has been moved.
    made_of = json.dumps([sys.base_prefix, sys.version, str(folder)])
    marker = folder / "made-of.json"
    if marker.exists() and marker.read_text(encoding="utf-8") == made_of:
        return
    venv.create(folder, clear=True, with_pip=True)
    marker.write_text(made_of, encoding="utf-8")


def wanted_versions(core: str, requests: str) -> list[str]:
    """What is installed in a certain version, whatever else the requirements would allow."""
    wanted = [] if core == "none" else [f"ansible-core~={core}.0" if core else "ansible-core>=2.16"]
    return [*wanted, f"requests=={requests}"] if requests else wanted


def install(folder: Path, requirements: Path, wanted: list[str]) -> None:
    where = folder.relative_to(CHECKOUT)
    print(f"Installing {requirements.name} into {where} (once; takes a minute or so)", flush=True)
    command = [str(folder / "bin/python"), "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"]
    subprocess.run([*command, *wanted, "-r", str(requirements)], check=True, stdin=subprocess.DEVNULL)
    for file in requirement_files(requirements):
        stamp_of(folder, file).write_text(fingerprint(file, wanted), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--core", default="", help="X.Y of ansible-core, or 'none' for none; the newest when empty")
    parser.add_argument("--requests", default="", help="X.Y.Z of requests; the newest when empty")
    args = parser.parse_args()
    wanted = wanted_versions(args.core, args.requests)
    folder, requirements = args.folder.absolute(), args.requirements.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Two `make` at the same time must not install into each other's half-made environment.
    with folder.with_name(folder.name + ".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        create(folder)
        if not is_done(folder, requirements, wanted):
            try:
                install(folder, requirements, wanted)
            except subprocess.CalledProcessError as error:
                print(f"pip could not install {requirements.name}: see above", file=sys.stderr)
                return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
