# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts the simulator as a process of its own, for the demo, the benchmark, and the tests."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

SIMULATOR = Path(__file__).resolve().parent / "simulator"


class Simulator:
    """A running simulator. url: where both APIs are."""

    def __init__(self, url):
        self.url = url

    def control(self, method, path, body=None):
        """Calls the control API below /_sim/ and returns its JSON answer."""
        request = urllib.request.Request(
            self.url + "/_sim/" + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        # Never through a proxy: it is on this machine.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def exposures(self):
        """All exposures, each as a dict of the three ids, in the order that the control API wants them."""
        names = ("alert_internal_id", "attack_surface_rule_id", "service_id")
        exposures = self.control("GET", "state")["exposures"].values()
        return [{name: exposure[name] for name in names} for exposure in exposures]

    def log(self, **wanted):
        """The logged requests that have all the wanted values."""
        return [entry for entry in self.control("GET", "log") if all(entry.get(name) == value for name, value in wanted.items())]


@contextlib.contextmanager
def running_simulator(*options):
    """Runs the simulator with these command line options for as long as the block lasts."""
    with running_tenants(1, *options) as simulators:
        yield simulators[0]


@contextlib.contextmanager
def running_tenants(count, *options):
    """Runs one process that simulates so many tenants, each with a state of its own. Yields a list of Simulator."""
    options = ["--tenants", count, *options]
    process = subprocess.Popen([sys.executable, str(SIMULATOR), *map(str, options)], stdout=subprocess.PIPE, text=True)
    try:
        ready = process.stdout.readline()
        if not ready:
            raise RuntimeError("the simulator did not start")
        ready = json.loads(ready)
        yield [Simulator(url) for url in ready.get("urls", [ready["url"]])]
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()
