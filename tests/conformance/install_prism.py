# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs Prism, in the version of package.json, into .cache/prism/, and prints where it is.

Does nothing, quickly, where it is there. Where it cannot be had, that is said, and written down for the tests, which are then
left out: neither Node.js nor npm's registry is needed for anything else here.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".cache" / "prism"
PRISM = FOLDER / "node_modules" / ".bin" / "prism"
WHY_NOT = FOLDER / "why-not.txt"
PACKAGE = "@stoplight/prism-cli"


class CannotBeHad(Exception):
    """Why there is no Prism here."""


def wanted():
    """The version of Prism."""
    return json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"][PACKAGE]


def run(command, seconds):
    """What a command prints. Raises CannotBeHad with the beginning of it if it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=FOLDER,
            env=dict(os.environ, npm_config_cache=str(FOLDER / "npm-cache"), npm_config_update_notifier="false"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotBeHad("%s: %s" % (Path(command[0]).name, error)) from error
    if done.returncode:
        # What npm says first is the reason; how it came to that is no use here.
        said = [line.removeprefix("npm error").strip() for line in done.stdout.splitlines()]
        reason = "; ".join([line for line in said if line and not line.startswith("at ")][:4])
        raise CannotBeHad("%s failed: %s" % (Path(command[0]).name, reason))
    return done.stdout.strip()


def install():
    """Makes PRISM be the version that is wanted. Raises CannotBeHad."""
    if not shutil.which("node"):
        raise CannotBeHad("there is no Node.js")
    try:
        if PRISM.exists() and run([PRISM, "--version"], 60) == wanted():
            return
    except CannotBeHad:
        # Half of it is there, say: it is made anew.
        pass
    npm = shutil.which("npm")
    if not npm:
        raise CannotBeHad("there is no npm")
    print("Installing Prism into .cache/prism (once; takes half a minute or so)", file=sys.stderr, flush=True)
    shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
    shutil.copyfile(HERE / "package.json", FOLDER / "package.json")
    run([npm, "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"], 600)
    found = run([PRISM, "--version"], 60)
    if found != wanted():
        raise CannotBeHad("npm installed Prism %s, and not %s" % (found, wanted()))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        WHY_NOT.unlink(missing_ok=True)
        try:
            install()
        except CannotBeHad as why:
            WHY_NOT.write_text(str(why), encoding="utf-8")
            print("LEFT OUT: nothing is checked with Prism, which cannot be had here: %s" % why, file=sys.stderr)
            return 0
    print(PRISM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
