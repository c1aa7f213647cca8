# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures what reading a large remediation report costs, against a reader that keeps every row.

Each side is a process of its own, because the peak memory of a process never falls. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COLUMNS = [
    "Identity",
    "Employee Number",
    "Department",
    "Work Location",
    "Cost Center",
    "Account",
    "Source",
    "Access Type",
    "Access",
    "Reviewer",
    "Decision",
    "Decision Date",
    "Comments",
    "Remediation Status",
]
COMMENT = (
    "Moved to another team in the spring; the access was kept for the handover and is not needed any more.\n"
    'Agreed with the manager, "at the latest" by the end of the quarter. '
)


def write_report(path, rows):
    """Writes a report with a few tenant columns and long comments; every thousandth item is open."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(rows):
            writer.writerow(
                [
                    "Person %d" % number,
                    "E%06d" % number,
                    "Logistics, Region %d" % (number % 40),
                    "Gdańsk",
                    "CC-%d" % number,
                    "account%d" % number,
                    "Active Directory",
                    "ENTITLEMENT",
                    "CN=Share-%d-RW,OU=Groups,DC=brightwater,DC=example" % number,
                    "Reviewer %d" % (number % 300),
                    "REVOKED",
                    "2026-11-%02dT08:00:00Z" % (number % 28 + 1),
                    COMMENT * (number % 3 + 1),
                    "Open" if number % 1000 == 999 else "Remediated",
                ]
            )


def read_as_module(path):
    """Number of rows, read by the module's own code. What it imports counts, too."""
    from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
    from ansible_collections.secops.remediation.plugins.modules import sailpoint_remediation_report_info as module

    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    params["paths"] = [path]
    result, _secrets = run_task(module.run, Task(params, False, print))
    report = result["reports"][0]
    if report["outcome"] != "unremediated" or report["items_unknown"]:
        raise RuntimeError("The report was not understood: %s" % report["reason"])
    return report["items_total"]


def read_naively(path):
    """Number of rows, all of which are kept."""
    with open(path, encoding="utf-8", newline="") as file:
        return len(list(csv.DictReader(file)))


SIDES = {"module": read_as_module, "naive": read_naively}


def peak_megabytes():
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def measure(side, path):
    """What one side costs, in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--side", side, "--path", str(path)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def main():
    """Measures both sides, or, in the process that it starts for each, is one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200000)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        started = time.monotonic()
        rows = SIDES[options.side](options.path)
        print(json.dumps(dict(rows=rows, seconds=time.monotonic() - started, peak_mb=peak_megabytes())))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.csv")
        write_report(path, options.rows)
        file_mb = path.stat().st_size / 2**20
        ours, naive = (measure(side, path) for side in SIDES)
    if ours["rows"] != naive["rows"]:
        raise RuntimeError("The sides do not agree: %s, %s" % (ours, naive))
    print(
        json.dumps(
            dict(
                rows=ours["rows"],
                file_mb=round(file_mb, 1),
                seconds=round(ours["seconds"], 2),
                peak_mb=round(ours["peak_mb"], 1),
                naive_seconds=round(naive["seconds"], 2),
                naive_peak_mb=round(naive["peak_mb"], 1),
                memory_ratio=round(naive["peak_mb"] / ours["peak_mb"], 1),
            )
        )
    )


if __name__ == "__main__":
    main()
