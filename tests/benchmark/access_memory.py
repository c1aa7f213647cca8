# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures what it costs to look for the revoked access of a large campaign, to write the evidence of it, and to check that.

Each is a process of its own, because the peak memory of a process never falls. Prints one line of JSON: for each number of
items the three, and `growth`, what the largest number takes of memory, as a multiple of the smallest.
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

OF_A_CERTIFICATION = 200
OF_AN_IDENTITY = 10
# Of so many revoked items one is still there.
OPEN = 1000
RECORD = "records/revoked_access.json"


def run(module, **params):
    """The result of a module, run by its own code. What it imports counts, too."""
    from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task, signature

    whole = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    task = Task(dict(whole, **params), False, print)
    asks = getattr(module, "ASKS", ())
    signed = signature(module.__name__.rpartition(".")[2], task.params, asks) if asks else None
    result, _secrets = run_task(module.run, task, getattr(module, "IN_SHORT", None), signed)
    if result.get("failed"):
        raise RuntimeError(result["msg"])
    return result


def look(url, folder):
    """Asks about the campaign, as the role does. Leaves what is registered for `write`."""
    from ansible_collections.secops.remediation.plugins.modules import (
        remediation_evidence,
        sailpoint_campaign_info,
        sailpoint_revoked_access_info,
    )

    prepared = run(
        remediation_evidence, dest=str(folder / "evidence"), targets={"campaign_ids": [company.FINANCE]}, state="prepared"
    )
    api = dict(
        base_url=url,
        client_id="admin-client",
        client_secret="admin-secret",
        validate_certs=True,
        use_proxy=False,
        campaign_ids=[company.FINANCE],
        rate_limit=0,
    )
    found = run(sailpoint_campaign_info, **api)
    access = run(sailpoint_revoked_access_info, **api, results_file=os.path.join(prepared["folder"], RECORD))
    (folder / "registered.json").write_text(json.dumps(dict(prepared=prepared, results=[found, access])), encoding="utf-8")
    (campaign,) = access["campaigns"]
    return {name: campaign[name] for name in ("outcome", "items_total", "items_present")}


def write(_url, folder):
    """Writes the evidence of it in all its forms."""
    from ansible_collections.secops.remediation.plugins.modules import remediation_evidence

    registered = json.loads((folder / "registered.json").read_text(encoding="utf-8"))
    written = run(
        remediation_evidence,
        dest=str(folder / "evidence"),
        targets={"campaign_ids": [company.FINANCE], "campaign_witnesses": ["access"]},
        results=registered["results"],
        **{name: registered["prepared"][name] for name in ("run", "started_at", "run_id")},
    )["verification"]
    found = json.loads(Path(written["path"]).read_text(encoding="utf-8"))
    (target,) = found["targets"]
    return dict(
        outcome=target["outcome"], items_total=target["access"]["items_total"], items_present=target["access"]["items_open"]
    )


def check(_url, folder):
    """Checks that evidence, and replays it."""
    from ansible_collections.secops.remediation.plugins.modules import remediation_evidence_info

    found = run(remediation_evidence_info, path=str(folder / "evidence"))
    if not found["intact"]:
        raise RuntimeError(found["msg"])
    return {name: found["runs"][0][name] for name in ("outcomes_total", "outcomes_followed")}


SIDES = {"look": look, "write": write, "check": check}


def measure(side, url, folder):
    """What one side costs, in a fresh process."""
    command = [sys.executable, __file__, "--side", side, "--url", url, "--folder", str(folder)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def measure_all(items):
    """What all sides cost for so many revoked items of one campaign."""
    certifications = items // OF_A_CERTIFICATION
    plan = dict(
        certifications=certifications,
        items=OF_A_CERTIFICATION,
        revoked=OF_A_CERTIFICATION,
        identities=items // OF_AN_IDENTITY,
        open=OPEN,
        kept=50,
    )
    with tempfile.TemporaryDirectory() as folder, running_simulator("--rate-limit", 0) as simulator:
        wanted = {"items": [], "totalCertifications": certifications, "access": {"generated": plan}}
        simulator.control("PATCH", "campaigns/" + company.FINANCE, wanted)
        costs = {side: measure(side, simulator.url, Path(folder)) for side in SIDES}
        requests = simulator.control("GET", "stats")["requests"]
        record = next(Path(folder, "evidence").glob("2*/" + RECORD))
        file_mb = round(record.stat().st_size / 2**20, 1)
    said = [costs[side].pop("found") for side in SIDES]
    expected = dict(outcome="unremediated", items_total=items, items_present=items // OPEN)
    if said != [expected, expected, dict(outcomes_total=1, outcomes_followed=1)]:
        raise RuntimeError("The sides do not agree: %s" % said)
    return dict(costs, items=items, requests=requests, file_mb=file_mb)


def main():
    """Measures all sides, or, in the process that it starts for each, is one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, nargs="+", default=[50000, 200000], help="that were revoked, %(default)s")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        found = SIDES[options.side](options.url, options.folder)
        print(json.dumps(dict(found=found, cpu_seconds=round(time.process_time(), 1), peak_mb=round(peak_megabytes(), 1))))
        return
    rows = [measure_all(items) for items in options.items]
    growth = {side: round(rows[-1][side]["peak_mb"] / rows[0][side]["peak_mb"], 2) for side in SIDES}
    print(json.dumps(dict(rows=rows, growth=growth)))


if __name__ == "__main__":
    main()
