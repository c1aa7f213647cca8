# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a picture of the top of a page: screenshot.py PAGE.html OUT.png [--dark] [--width W] [--height H]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from install_browser import FLAGS, find  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=1180)
    args = parser.parse_args()
    browser_path = find()
    if not browser_path:
        print("No Chromium: run tests/tools/install_browser.py", file=sys.stderr)
        return 1
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=browser_path, args=FLAGS) as browser:
        context = browser.new_context(
            viewport={"width": args.width, "height": args.height},
            device_scale_factor=1,
            offline=True,
            locale="en-US",
            timezone_id="UTC",
            color_scheme="dark" if args.dark else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(args.page.resolve().as_uri())
        args.out.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=args.out, animations="disabled", caret="hide")
    return 0


if __name__ == "__main__":
    sys.exit(main())
