# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures secops.remediation against a playbook of ansible.builtin.uri loops that does the same.

Both sides are run in one go against the same simulator, because machines differ and are noisy: only the ratio counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from running_simulator import running_simulator  # noqa: E402

SCAN_SECONDS = 5
# No limit is published for these calls, so the headline is without one on either side. The collection's default is
# careful all the same; what that costs is a row of its own.
SIDES = {"uri": ("uri.yml", 0), "verify": ("verify.yml", 0), "limited": ("verify.yml", 100)}
LATENCY = 0.05
WAIT_INTERVAL = 5


def run_playbook(playbook, variables, folder):
    """Runs a playbook and returns what it cost, as a dict. Raises RuntimeError with its output if it fails."""
    variables_file = Path(folder, "variables.json")
    variables_file.write_text(json.dumps(variables))
    command = ["ansible-playbook", "-i", "localhost,", str(playbook), "-e", "@%s" % variables_file]
    environment = dict(os.environ, ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_NOCOLOR="1")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError("%s failed:\n%s%s" % (playbook, done.stdout[-4000:], done.stderr[-4000:]))
    return dict(seconds=seconds, cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(side, count, folder):
    """One side for so many exposures."""
    playbook, rate_limit = SIDES[side]
    options = ["--exposures", count, "--scan-seconds", SCAN_SECONDS, "--latency", LATENCY, "--rate-limit", rate_limit]
    with running_simulator(*options) as simulator:
        variables = dict(
            ansible_python_interpreter=sys.executable, rate_limit=rate_limit,
            xpanse_url=simulator.url, exposures=simulator.exposures(), wait_interval=WAIT_INTERVAL,
            evidence_dir=str(Path(folder, "evidence-%s-%d" % (side, count))))
        cost = run_playbook(HERE / playbook, variables, folder)
        stats = simulator.control("GET", "stats")
    cost.update(side=side, exposures=count, requests=stats["requests"],
                requests_by_operation=stats["by_operation"], refused=stats["by_status"].get("429", 0))
    return cost


def main():
    """Prints one table and, on request, writes the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exposures", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--json", type=Path, help="write the table to this file, too")
    options = parser.parse_args()
    print("Scans of %d s, latency %d ms, a look every %d s." % (SCAN_SECONDS, LATENCY * 1000, WAIT_INTERVAL))
    print("limited: with the default rate_limit, against a server that enforces it.")
    print("%9s  %-7s %9s %9s %9s %5s  %s" % ("exposures", "side", "seconds", "CPU s", "requests", "429", "ratio"))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in options.exposures:
            theirs = None
            for side in SIDES:
                row = measure(side, count, folder)
                theirs = theirs or row
                row["ratio"] = theirs["seconds"] / row["seconds"]
                rows.append(row)
                print("%9d  %-7s %9.1f %9.1f %9d %5d  %.1f times the speed" % (
                    count, row["side"], row["seconds"], row["cpu_seconds"], row["requests"], row["refused"],
                    row["ratio"]), flush=True)
    memory = subprocess.run([sys.executable, str(HERE / "report_memory.py")], capture_output=True, text=True,
                            check=True)
    print("Reading a remediation report: %s" % memory.stdout.strip())
    if options.json:
        options.json.write_text(json.dumps(dict(verify=rows, report=json.loads(memory.stdout)), indent=2) + "\n")


if __name__ == "__main__":
    main()
