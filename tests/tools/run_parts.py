# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every part of `make test`, whatever becomes of the others, and adds up what they say.

run_parts.py PART...

Each part is a target of the Makefile. A part that leaves .cache/results/PART.xml (pytest's JUnit report) counts as its
tests, any other part as one. The last line of the output is the sum.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

CHECKOUT = Path(__file__).resolve().parents[2]
RESULTS = CHECKOUT / ".cache" / "results"


@dataclass
class Part:
    name: str
    passed: int
    failed: int
    skipped: int
    seconds: float


def count_tests(report: Path) -> tuple[int, int, int]:
    """How many tests passed, failed and were skipped."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def run(name: str) -> Part:
    print(f"\n=== {name}", flush=True)
    report = RESULTS / f"{name}.xml"
    report.unlink(missing_ok=True)
    started = time.monotonic()
    command = [os.environ.get("MAKE", "make"), "--no-print-directory", name]
    status = subprocess.run(command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, check=False).returncode
    seconds = time.monotonic() - started
    try:
        passed, failed, skipped = count_tests(report)
    except (FileNotFoundError, ElementTree.ParseError):
        # Making the environment is not a test, unless it goes wrong.
        passed, failed, skipped = (0, 1, 0) if status else (int(name != "venv"), 0, 0)
    if status and not failed:
        # pytest itself broke, or found no test at all.
        failed = 1
    return Part(name, passed, failed, skipped, seconds)


def main() -> int:
    # The parts are makes of their own, one after the other: no job server to share. What was said on
    # this make's command line comes through the environment instead.
    for variable in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
        os.environ.pop(variable, None)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "summary.txt").unlink(missing_ok=True)
    parts = []
    for name in sys.argv[1:]:
        parts.append(run(name))
        if name == "venv" and parts[-1].failed:
            print("\nWithout its environment nothing else can run.")
            break
    print("\n=== summary")
    for part in parts:
        verdict = "FAILED" if part.failed else "ok"
        print(
            f"{part.name:12} {verdict:7} {part.passed:5} passed {part.failed:5} failed {part.skipped:5} skipped"
            f" {part.seconds:8.1f} s"
        )
    failed = sum(part.failed for part in parts)
    closing = f"{sum(part.passed for part in parts)} passed, {failed} failed"
    (RESULTS / "summary.txt").write_text(closing + "\n", encoding="utf-8")
    print(closing, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
