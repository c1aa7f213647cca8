# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measures secops.remediation against playbooks of ansible.builtin.uri loops and plain scripts that do the same, and against
the floor.

All sides are run in one go against the same simulator, because machines differ and are noisy: only ratios count.
Without options: 10 and 100 exposures, 1 and 20 campaigns, in about five minutes. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import render  # noqa: E402
from floor import campaigns_floor, exposures_floor  # noqa: E402
from measure import measure  # noqa: E402
from running_simulator import running_simulator, running_tenants  # noqa: E402

PARTS = ["table", "again", "tax", "loop", "tenants", "report", "access"]
QUICK = {
    "exposures": [10, 100],
    "campaigns": [1, 20],
    "again": [100, 20],
    "tenants": 0,
    "loop_uri": 5,
    "repeats": 2,
    "only": PARTS[:4],
}
FULL = {
    "exposures": [10, 100, 1000, 5000],
    "campaigns": [1, 20, 40, 200],
    "again": [5000, 200],
    "tenants": 20,
    "loop_uri": 50,
    "repeats": 5,
    "only": PARTS,
}
# The uri playbooks take hours beyond these, at so many seconds a target; the script at the limit, half an hour.
MOST = {
    "uri": {"exposures": 100, "campaigns": 20},
    "peer": {"exposures": 1000, "campaigns": 200},
    "peer_unlimited": {"exposures": 5000, "campaigns": 200},
}
# The limit that the collection keeps to by default, and that the simulator then enforces.
RATE_LIMIT = 100
# side: playbook (None: it takes the kind of target in its name), and the rate limit on both ends.
SIDES = {
    "uri": (None, RATE_LIMIT),
    "peer": (None, RATE_LIMIT),
    "verify": ("verify.yml", RATE_LIMIT),
    "peer_unlimited": (None, 0),
    "verify_unlimited": ("verify.yml", 0),
}
FLOORS = {"verify": "floor", "verify_unlimited": "floor_unlimited"}
PEERS = {"verify": "peer", "verify_unlimited": "peer_unlimited"}
# A second run, in which everything is known: what the role is told besides.
AGAIN = {
    "read again": {},
    "taken unread": {"confirm": False},
    "both witnesses": {"witnesses": ["report", "access"]},
}
TENANT = {"exposures": 20, "campaigns": 2}
LOOP = 50


class Bench:
    """Runs playbooks against simulators. settings: seconds of scans, reports, latency, and between two looks."""

    def __init__(self, settings, folder):
        self.settings = settings
        self.folder = folder
        self.runs = 0

    def simulator_options(self, rate_limit, exposures=0, campaigns=0, instantly=False):
        """The simulator's command line."""
        scan, report = (0, 0) if instantly else (self.settings["scan_seconds"], self.settings["report_seconds"])
        return [
            "--exposures",
            exposures,
            "--campaigns",
            campaigns,
            "--scan-seconds",
            scan,
            "--report-seconds",
            report,
            "--latency",
            0 if instantly else self.settings["latency"],
            "--rate-limit",
            rate_limit,
        ]

    def evidence_dir(self):
        """A folder that no other run has used."""
        self.runs += 1
        path = Path(self.folder, "evidence-%d" % self.runs)
        path.mkdir()
        return path

    def play(self, playbook, inventory="localhost,", forks=5, interval=0.25, **variables):
        """Runs a playbook. Returns its Cost as a dict, with `tasks` and `largest_result_kb`. Raises RuntimeError."""
        file = Path(self.folder, "variables.json")
        file.write_text(json.dumps(dict(variables, ansible_python_interpreter=sys.executable)))
        tasks = Path(self.folder, "tasks.json")
        environment = dict(
            os.environ,
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_NOCOLOR="1",
            BENCHMARK_TASKS=str(tasks),
            ANSIBLE_CALLBACK_PLUGINS=str(HERE / "callback_plugins"),
            ANSIBLE_CALLBACKS_ENABLED="task_count",
        )
        cost = measure(
            ["ansible-playbook", "-i", str(inventory), "-f", str(forks), str(playbook), "-e", "@%s" % file],
            environment,
            self.folder,
            interval,
        )
        if cost.status:
            raise RuntimeError("%s failed:\n%s" % (playbook, cost.output[-8000:]))
        seen = json.loads(tasks.read_text())
        numbers = dataclasses.asdict(cost)
        del numbers["output"], numbers["status"]
        return dict(numbers, tasks=seen["tasks"], largest_result_kb=max(seen["results"].values(), default=0) / 1024)

    def script(self, kind, base_url, targets, folder):
        """Runs the plain script. Returns its Cost as a dict. Raises RuntimeError."""
        file = Path(self.folder, "job.json")
        file.write_text(
            json.dumps(
                dict(
                    kind=kind,
                    base_url=base_url,
                    targets=targets,
                    folder=str(folder),
                    wait_interval=self.settings["wait_interval"],
                )
            )
        )
        cost = measure([sys.executable, str(HERE / "peer.py"), str(file)], dict(os.environ), self.folder)
        if cost.status:
            raise RuntimeError("the script failed:\n%s" % cost.output[-8000:])
        numbers = dataclasses.asdict(cost)
        del numbers["output"], numbers["status"]
        return numbers

    def again(self, exposures, campaigns):
        """Second runs over so many, of which a first one has found everything. No limit."""
        rows = []
        with running_simulator(*self.simulator_options(0, exposures, campaigns)) as simulator:
            evidence = self.evidence_dir()
            what = dict(
                rate_limit=0,
                base_url=simulator.url,
                exposures=simulator.exposures(),
                campaign_ids=campaign_ids(simulator),
                wait_interval=self.settings["wait_interval"],
                evidence_dir=str(evidence),
            )
            for name, more in dict({"first run": {}}, **AGAIN).items():
                before = simulator.control("GET", "stats")
                cost = self.play(HERE / "verify.yml", **what, **more)
                after = simulator.control("GET", "stats")
                check(evidence, exposures + campaigns)
                rows.append(
                    dict(
                        cost,
                        name=name,
                        exposures=exposures,
                        campaigns=campaigns,
                        requests=after["requests"] - before["requests"],
                        by_operation={
                            operation: number - before["by_operation"].get(operation, 0)
                            for operation, number in after["by_operation"].items()
                        },
                    )
                )
        return rows

    def row(self, kind, count, side):
        """One row of the table: a side for so many exposures or campaigns."""
        playbook, rate_limit = SIDES[side]
        evidence = self.evidence_dir()
        with running_simulator(*self.simulator_options(rate_limit, **{kind: count})) as simulator:
            targets = simulator.exposures() if kind == "exposures" else campaign_ids(simulator)
            if side in PEERS.values():
                cost = self.script(kind, simulator.url, targets, evidence)
            else:
                cost = self.play(
                    HERE / (playbook or "uri_%s.yml" % kind),
                    rate_limit=rate_limit,
                    base_url=simulator.url,
                    exposures=targets if kind == "exposures" else [],
                    campaign_ids=targets if kind == "campaigns" else [],
                    wait_interval=self.settings["wait_interval"],
                    evidence_dir=str(evidence),
                )
            stats = simulator.control("GET", "stats")
        if playbook:
            check(evidence, count)
        return dict(
            cost,
            kind=kind,
            count=count,
            side=side,
            requests=stats["requests"],
            by_operation=stats["by_operation"],
            refused=stats["by_status"].get("429", 0),
            measured=True,
        )

    def floor(self, kind, count, side):
        """The row of the floor that belongs to a side."""
        settings = self.settings
        waits = [settings["scan_seconds"]] + ([settings["report_seconds"]] if kind == "campaigns" else [])
        compute = exposures_floor if kind == "exposures" else campaigns_floor
        seconds, requests = compute(count, SIDES[side][1], *waits, settings["latency"])
        return dict(kind=kind, count=count, side=FLOORS[side], seconds=seconds, requests=requests, refused=0, measured=False)

    def tax(self, repeats):
        """What a run costs when there is next to nothing to do, against as many calls of a module that does nothing."""
        ours, bare = [], []
        for _repeat in range(repeats):
            with running_simulator(*self.simulator_options(RATE_LIMIT, 1, 1, instantly=True)) as simulator:
                evidence = self.evidence_dir()
                ours.append(
                    self.play(
                        HERE / "verify.yml",
                        rate_limit=RATE_LIMIT,
                        base_url=simulator.url,
                        exposures=simulator.exposures(),
                        campaign_ids=campaign_ids(simulator),
                        wait_interval=1,
                        evidence_dir=str(evidence),
                        interval=0.02,
                    )
                )
                check(evidence, 2)
            bare.append(self.play(HERE / "bare.yml", interval=0.02))
        # The best of each: whatever else the machine did can only have added to it.
        best = {name: min(costs, key=lambda cost: cost["seconds"]) for name, costs in (("verify", ours), ("bare", bare))}
        return dict(
            best,
            ratio=best["verify"]["seconds"] / best["bare"]["seconds"],
            cpu_ratio=best["verify"]["cpu_seconds"] / best["bare"]["cpu_seconds"],
        )

    def loop(self, most_uri):
        """What a single item costs in a loop, in the modules and in uri: the cost of many less that of one."""
        rows = []
        for side, other in (("xpanse_rcs_request", "uri_exposures"), ("sailpoint_campaign_info", "uri_campaigns")):
            for name, most in ((side, LOOP), (other, most_uri)):
                rows.append(self.loop_row(name, most))
            rows[-2]["ratio"] = rows[-2]["seconds_per_item"] / rows[-1]["seconds_per_item"]
        return rows

    def loop_row(self, side, most):
        """One side of `loop`."""
        seconds = {}
        for count in (1, 1, most):
            with running_simulator(*self.simulator_options(0, LOOP, LOOP, instantly=True)) as simulator:
                targets = campaign_ids(simulator) if "campaign" in side else simulator.exposures()
                cost = self.play(
                    HERE / "loop.yml",
                    side=side,
                    targets=targets[:count],
                    base_url=simulator.url,
                    evidence_dir=str(self.evidence_dir()),
                )
                seconds[count] = min(cost["seconds"], seconds.get(count, cost["seconds"]))
                stats = simulator.control("GET", "stats")
        return dict(
            side=side,
            items=most,
            seconds_per_item=(seconds[most] - seconds[1]) / (most - 1),
            requests=stats["requests"],
            tokens=stats["tokens_issued"],
            connections=stats["connections"],
        )

    def tenants(self, count):
        """So many tenants in one run, each a host with targets of its own, against one of them alone."""
        results = []
        for number in (1, count):
            evidence = self.evidence_dir()
            with running_tenants(number, *self.simulator_options(RATE_LIMIT, **TENANT)) as simulators:
                inventory = Path(self.folder, "tenants.json")
                hosts = {
                    "tenant%03d" % place: dict(
                        sailpoint_base_url=simulator.url,
                        sailpoint_client_id="admin-client",
                        sailpoint_client_secret="admin-secret",
                        xpanse_base_url=simulator.url,
                        xpanse_api_key_id="1",
                        xpanse_api_key="advanced-key",
                        verify_campaign_ids=campaign_ids(simulator),
                        verify_exposures=simulator.exposures(),
                        verify_evidence_dir=str(evidence / ("tenant%03d" % place)),
                    )
                    for place, simulator in enumerate(simulators, 1)
                }
                inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
                cost = self.play(
                    "secops.remediation.verify",
                    inventory,
                    number,
                    verify_hosts="all",
                    verify_wait_interval=self.settings["wait_interval"],
                )
                stats = [simulator.control("GET", "stats") for simulator in simulators]
            for host in hosts:
                check(evidence / host, sum(TENANT.values()))
            results.append(
                dict(
                    cost,
                    tenants=number,
                    requests=sum(one["requests"] for one in stats),
                    refused=sum(one["by_status"].get("429", 0) for one in stats),
                )
            )
        one, many = results
        return dict(
            one=one,
            many=many,
            cores=os.cpu_count(),
            ratio=many["seconds"] / one["seconds"],
            # Each tenant waits at the same time as the others, but a core computes for one at a time.
            expected=one["seconds"] + (many["cpu_seconds"] - one["cpu_seconds"]) / os.cpu_count(),
        )


def campaign_ids(simulator):
    """The ids of all campaigns."""
    return list(simulator.control("GET", "state")["campaigns"])


def check(evidence, count):
    """A run that did not verify everything is no measurement."""
    found = json.loads((evidence / "latest" / "verification.json").read_text(encoding="utf-8"))
    if found["verdict"] != "verified" or found["counts"]["remediated"] != count:
        raise RuntimeError("Not everything was verified: %s" % found["summary"])


def extrapolate(kind, count, side, rows):
    """A side's row for so many targets, on the line through its two largest measured rows; or None."""
    known = [row for row in rows if (row["kind"], row["side"]) == (kind, side) and row["measured"]][-2:]
    if len(known) < 2:
        return None
    low, high = known
    distance = (count - high["count"]) / (high["count"] - low["count"])
    numbers = {name: high[name] + distance * (high[name] - low[name]) for name in ("seconds", "cpu_seconds", "requests")}
    return dict(numbers, kind=kind, count=count, side=side, requests=round(numbers["requests"]), refused=0, measured=False)


def complete(row, rows):
    """Adds what can only be said beside other rows: the growth, and the ratios to the floor and to uri."""
    former = [other for other in rows if (other["kind"], other["side"]) == (row["kind"], row["side"])]
    row["seconds_per_target"] = row["seconds"] / row["count"]
    row["growth"] = row["seconds"] / former[-1]["seconds"] if former else None
    row["requests_growth"] = row["requests"] / former[-1]["requests"] if former else None
    beside = {other["side"]: other for other in rows if (other["kind"], other["count"]) == (row["kind"], row["count"])}
    if row["side"] in FLOORS:
        floor = beside[FLOORS[row["side"]]]
        row["floor_ratio"] = row["seconds"] / floor["seconds"]
        row["requests_ratio"] = row["requests"] / floor["requests"]
        if PEERS[row["side"]] in beside:
            row["peer_ratio"] = beside[PEERS[row["side"]]]["seconds"] / row["seconds"]
        if "uri" in beside:
            row["uri_ratio"] = beside["uri"]["seconds"] / row["seconds"]
    return row


def table(bench, counts, measure_all):
    """All rows, each printed when it is known."""
    rows = []

    def add(row):
        rows.append(complete(row, rows))
        print(render.text_row(row), flush=True)

    print(render.text_header(), flush=True)
    for kind in ("exposures", "campaigns"):
        for count in counts[kind]:
            for side in SIDES:
                if side in FLOORS:
                    add(bench.floor(kind, count, side))
                if side not in MOST or measure_all or count <= MOST[side][kind]:
                    add(bench.row(kind, count, side))
                else:
                    row = extrapolate(kind, count, side, rows)
                    if row:
                        add(row)
    return rows


def machine():
    """Where this was measured."""
    version = subprocess.run(["ansible-playbook", "--version"], capture_output=True, text=True, check=True).stdout
    return dict(
        cores=os.cpu_count(),
        python=platform.python_version(),
        system=platform.system(),
        ansible=version.splitlines()[0].split("core ")[-1].rstrip("]"),
    )


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full", action="store_true", help="10 to 5,000 exposures, 1 to 200 campaigns, 20 tenants; takes about 50 minutes"
    )
    parser.add_argument("--exposures", type=int, nargs="*", metavar="N", help="rows of the table")
    parser.add_argument("--campaigns", type=int, nargs="*", metavar="N", help="rows of the table")
    parser.add_argument(
        "--again", type=int, nargs=2, metavar=("EXPOSURES", "CAMPAIGNS"), help="so many in a run that is run again"
    )
    parser.add_argument("--tenants", type=int, metavar="N", help="so many tenants at once; 0 for none")
    parser.add_argument("--only", choices=PARTS, nargs="+", help="parts to run")
    parser.add_argument(
        "--measure-all", action="store_true", help="measure the uri playbooks where they are extrapolated otherwise (takes hours)"
    )
    parser.add_argument("--scan-seconds", type=float, default=5)
    parser.add_argument("--report-seconds", type=float, default=1)
    parser.add_argument("--latency", type=float, default=0.05, metavar="S", help="seconds of each request on its way")
    parser.add_argument("--wait-interval", type=int, default=2, metavar="S", help="seconds between two looks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to this file")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="write the tables into this file, between its two marker comments"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the growth (SVG; needs matplotlib)")
    parser.add_argument(
        "--from",
        type=Path,
        dest="earlier",
        metavar="FILE",
        help="measure nothing: take what an earlier run has written with --json",
    )
    return parser.parse_args()


def main():
    """Measures, prints, and writes what was asked for."""
    options = arguments()
    if options.earlier:
        results = json.loads(options.earlier.read_text(encoding="utf-8"))
        print(render.text(results))
    else:
        results = run(options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    if options.markdown:
        render.write_markdown(results, options.markdown)
    if options.picture:
        render.draw(results, options.picture)


def run(options):
    """Measures everything that was asked for and prints it."""
    counts = dict(FULL if options.full else QUICK)
    counts.update(
        {
            name: value
            for name in ("exposures", "campaigns", "again", "tenants", "only")
            if (value := getattr(options, name)) is not None
        }
    )
    if options.tenants and not options.only:
        counts["only"] = counts["only"] + ["tenants"]
    settings = {name: getattr(options, name) for name in ("scan_seconds", "report_seconds", "latency", "wait_interval")}
    results = dict(settings=dict(settings, rate_limit=RATE_LIMIT), machine=machine())
    started = time.monotonic()
    print(render.text_settings(results) + "\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(settings, folder)
        if "table" in counts["only"]:
            results["rows"] = table(bench, counts, options.measure_all)
        for name, part in (
            ("again", lambda: bench.again(*counts["again"])),
            ("tax", lambda: bench.tax(counts["repeats"])),
            ("loop", lambda: bench.loop(counts["loop_uri"])),
            ("tenants", lambda: bench.tenants(counts["tenants"])),
            ("report", lambda: memory("report_memory.py")),
            ("access", lambda: memory("access_memory.py")),
        ):
            if name in counts["only"]:
                results[name] = part()
                print("\n" + render.PARTS[name](results[name]), flush=True)
    results["took_seconds"] = time.monotonic() - started
    return results


def memory(script):
    """What a script beside this one has measured of itself."""
    done = subprocess.run([sys.executable, str(HERE / script)], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
