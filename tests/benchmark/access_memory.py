# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures what it costs to look for the revoked access of a large campaign, and to prove it again from the record.

Each is a process of its own, because the peak memory of a process never falls. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmark.report_memory import peak_megabytes  # noqa: E402
from running_simulator import running_simulator  # noqa: E402
from simulator import company  # noqa: E402


def look(url, path):
    """The result of the module, run by its own code. What it imports counts, too."""
    from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
    from ansible_collections.secops.remediation.plugins.modules import sailpoint_revoked_access_info as module

    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    params.update(base_url=url, client_id="admin-client", client_secret="admin-secret", validate_certs=True, use_proxy=False)
    params.update(campaign_ids=[company.FINANCE], rate_limit=0, results_file=path)
    result, _secrets = run_task(module.run, Task(params, False, print), module.IN_SHORT)
    if result.get("failed"):
        raise RuntimeError(result["msg"])
    return result["campaigns"][0]


def prove(_url, path):
    """What the record proves, read row by row."""
    from ansible_collections.secops.remediation.plugins.module_utils._common.rows import read_head, read_rows
    from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import access_proof

    head = read_head(path)
    return access_proof.prove(head["campaigns"], head["lookups"], read_rows(path, "revoked_items"))[company.FINANCE]


SIDES = {"look": look, "prove": prove}


def measure(side, url, path):
    """What one side costs, in a fresh process."""
    command = [sys.executable, __file__, "--side", side, "--url", url, "--path", str(path)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def main():
    """Measures both sides, or, in the process that it starts for each, is one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--certifications", type=int, default=1000)
    parser.add_argument("--items", type=int, default=200, help="of each certification")
    parser.add_argument("--revoked", type=int, default=200, help="of these")
    parser.add_argument("--identities", type=int, default=20000)
    parser.add_argument("--open", type=int, default=1000, help="of so many revoked items one is still there; 0: none")
    parser.add_argument("--kept", type=int, default=50, help="so much other access each identity has")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        started = time.monotonic()
        found = SIDES[options.side](options.url, options.path)
        said = {name: found[name] for name in ("outcome", "reason", "items_total", "items_present", "items_unknown")}
        print(json.dumps(dict(said, seconds=round(time.monotonic() - started, 1), peak_mb=round(peak_megabytes(), 1))))
        return
    plan = {name: getattr(options, name) for name in ("certifications", "items", "revoked", "identities", "open", "kept")}
    with tempfile.TemporaryDirectory() as folder, running_simulator("--rate-limit", 0) as simulator:
        path = Path(folder, "record.json")
        wanted = {"items": [], "totalCertifications": options.certifications, "access": {"generated": plan}}
        simulator.control("PATCH", "campaigns/" + company.FINANCE, wanted)
        looked, proved = (measure(side, simulator.url, path) for side in SIDES)
        requests = simulator.control("GET", "stats")["requests"]
        file_mb = os.path.getsize(path) / 2**20
    if looked["reason"] != proved["reason"]:
        raise RuntimeError("The sides do not agree: %s, %s" % (looked, proved))
    print(json.dumps(dict(looked=looked, proved=proved, requests=requests, file_mb=round(file_mb, 1))))


if __name__ == "__main__":
    main()
