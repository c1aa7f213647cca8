# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-playbook with credentials for the simulator, and ends it with all its processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

# What somebody may have set for their own work, and what of it the Makefile has set for this.
FOREIGN = ("ANSIBLE_", "SAIL_", "CORTEX_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NETRC")
OURS = ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_REMOTE_TMP")


class Ansible:
    """Runs ansible-playbook in a folder of its own, with credentials for the simulator in the environment."""

    def __init__(self, simulator, folder):
        self.simulator = simulator
        self.folder = folder
        self.started = []

    def environment(self, **changes):
        """The environment of a run. A change to None removes a variable."""
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(FOREIGN)}
        environment.update({name: os.environ[name] for name in OURS if name in os.environ})
        environment.update(
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_RETRY_FILES_ENABLED="false",
            SAIL_BASE_URL=self.simulator.url,
            SAIL_CLIENT_ID="admin-client",
            SAIL_CLIENT_SECRET="admin-secret",
            CORTEX_FQDN=self.simulator.url,
            CORTEX_API_KEY_ID="1",
            CORTEX_API_KEY="advanced-key",
            HOME=str(self.folder),
        )
        environment.update(changes)
        return {name: value for name, value in environment.items() if value is not None}

    def command(self, playbook, *options, inventory=None, **variables):
        """The command line of a run."""
        if inventory is None:
            inventory = self.folder / "inventory.ini"
            inventory.write_text("localhost ansible_connection=local\n")
        variables.setdefault("ansible_python_interpreter", sys.executable)
        file = self.folder / "variables.json"
        file.write_text(json.dumps(variables))
        return ["ansible-playbook", "-i", str(inventory), str(playbook), "-e", "@%s" % file, *options]

    def start(self, playbook, *options, environment=None, **variables):
        """Starts a run and returns its process, in a process group of its own, so that it can be killed whole."""
        process = subprocess.Popen(
            self.command(playbook, *options, **variables),
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=self.environment(**(environment or {})),
        )
        self.started.append(process)
        return process

    def run(self, playbook, *options, environment=None, **variables):
        """Runs to the end. Returns the finished process; its stdout holds everything that was printed."""
        process = self.start(playbook, *options, environment=environment, **variables)
        output, _nothing = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output)


def children(pid):
    """The ids of the processes that a process started, and of theirs. Ansible's workers leave its process group."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            pass
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def kill(process):
    """Kills a run with all its processes, as a machine that loses its power would."""
    for pid in [process.pid, *children(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return process.communicate(timeout=30)[0]
