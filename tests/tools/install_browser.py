# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Chromium for the tests of the page, or installs one, and prints its path.

CHROMIUM=/path/to/it in the environment names one. Does nothing, quickly, where one is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What a browser for tests neither needs nor should do. root, as in a container, has no sandbox.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def runs(path: str | Path | None) -> bool:
    """Ubuntu's chromium-browser, for one, may be only a script that tells how to get the real one."""
    if not path or not Path(path).is_file():
        return False
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> Path | None:
    """Where Playwright keeps the browser that it installs, whether it has or not."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def find() -> str | None:
    """A browser that is here already."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if runs(named) else None
    for path in [*map(shutil.which, NAMES), MACOS]:
        if runs(path):
            return str(path)
    own = playwrights_own()
    return str(own) if runs(own) else None


def install_with_apt() -> None:
    """Debian has Chromium as a package; Ubuntu has only one that fetches a snap, which runs() finds out.

    The font is for pictures that look as the page does on most people's machines.
    """
    apt = shutil.which("apt-get")
    if not apt or os.geteuid() != 0:
        return
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for _attempt in range(2):
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium", "fonts-inter"]):
            done = subprocess.run(
                [apt, "--quiet", "--quiet", *command],
                env=environment,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode == 0:
            return
        print(done.stdout, file=sys.stderr)


def install_with_playwright() -> None:
    try:
        subprocess.run(
            [sys.executable, "-m", "playwright", "install", "chromium"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            timeout=600,
            check=False,
        )
    except subprocess.TimeoutExpired:
        print("playwright install took too long", file=sys.stderr)


def main() -> int:
    named = os.environ.get("CHROMIUM")
    path = find()
    if not path and named:
        print(f"CHROMIUM names {named}, which is no browser that runs here.", file=sys.stderr)
        return 1
    for install in (install_with_apt, install_with_playwright):
        if not path:
            print("Installing Chromium for the tests of the page (once; takes a minute or so)", file=sys.stderr, flush=True)
            install()
            path = find()
    if not path:
        print(
            "No Chromium here, and none could be installed: install Chromium or Google Chrome, "
            "or name one with CHROMIUM=/path/to/it.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
