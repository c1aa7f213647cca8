# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: ansible-runner on a private data dir that is made for one job and thrown away with it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import yaml
from conftest import wait_until
from running_ansible import FOREIGN, OURS, kill

EXTENSION = Path(__file__).resolve().parents[2] / "extensions" / "awx"
STATS = "playbook_on_stats"


class Untrusted(yaml.SafeDumper):
    """Writes text as AWX does that is not its template's own: no template in it is ever looked at."""

    def represent_data(self, data):
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


class Awx:
    """What AWX knows: a project, and its tenants. Each job gets copies, and leaves its events."""

    def __init__(self, folder, tenants):
        """tenants: by name the variables of each."""
        self.folder = folder
        self.tenants = tenants
        self.started = []
        self.project = folder / "project"
        shutil.copytree(EXTENSION / "project", self.project)
        shutil.rmtree(self.project / "host_vars")
        shutil.rmtree(self.project / "collections", ignore_errors=True)
        for name, variables in tenants.items():
            (self.project / "host_vars" / name).mkdir(parents=True)
            (self.project / "host_vars" / name / "main.yml").write_text(json.dumps(variables))
        inventory = json.dumps({"all": {"hosts": dict.fromkeys(tenants, {})}})
        (self.project / "inventory" / "tenants.yml").write_text(inventory)

    def slices(self, count):
        """The names of the tenants in each slice: sorted, and dealt out in turn."""
        return [sorted(self.tenants)[number::count] for number in range(count)]

    def start(self, hosts=None, artifacts=None, survey=None, env=None, **extra_vars):
        """Starts a job. hosts: of its slice. artifacts: of the nodes before. survey: what was answered. env: what credentials
        inject. extra_vars: of the template."""
        job = Job(self.folder / ("job-%d" % (len(self.started) + 1)))
        untrusted = {**(survey or {}), **(artifacts or {})}
        extra_vars = {name: value for name, value in extra_vars.items() if name not in untrusted}
        text = yaml.safe_dump(dict(entry_point="main") | extra_vars) + (
            yaml.dump(untrusted, Dumper=Untrusted) if untrusted else ""
        )
        job.make(self.project, sorted(self.tenants) if hosts is None else hosts, text, env or {})
        self.started.append(job)
        return job

    def workflow_node(self, slices, artifacts=None, **how):
        """Runs a sliced job to its end. Returns (jobs, the artifacts that the next node is given)."""
        jobs = [self.start(hosts, artifacts, **how) for hosts in self.slices(slices)]
        handed_on = dict(artifacts or {})
        for job in jobs:
            job.wait()
            handed_on.update(job.artifacts())
        return jobs, handed_on


class Job:
    """One job, in a folder that only it has, as if that were a container."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def make(self, project, hosts, extra_vars, env):
        """Writes what AWX writes for a job, and runs it. extra_vars: as YAML."""
        shutil.copytree(project, self.folder / "project")
        # Of an execution environment there is one Python to find.
        variables = {"remote_tower_enabled": "true", "ansible_python_interpreter": sys.executable}
        for name, content in (
            ("inventory/hosts.json", {"all": {"hosts": dict.fromkeys(hosts, variables)}}),
            ("env/envvars", dict(env, ANSIBLE_RETRY_FILES_ENABLED="False", HOME=str(self.folder))),
            ("env/settings", {"suppress_ansible_output": False, "pexpect_use_poll": True}),
        ):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            # JSON is YAML.
            path.write_text(json.dumps(content))
        (self.folder / "env" / "extravars").write_text(extra_vars)
        environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(FOREIGN)}
        environment.update({name: os.environ[name] for name in OURS if name in os.environ})
        runner = str(Path(sys.executable).parent / "ansible-runner")
        self.process = subprocess.Popen(
            [runner, "run", str(self.folder), "-p", "verify.yml", "-i", "job"],
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )

    def wait(self):
        """Waits for its end, and returns what it printed."""
        self.output = self.process.communicate(timeout=120)[0]
        return self.output

    def cancel(self):
        """As the button does: runner is asked to end what it runs."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def end(self):
        """Leaves nothing running."""
        if self.process.poll() is None:
            kill(self.process)

    @property
    def status(self):
        """The status as runner writes it: successful, failed, canceled."""
        return (self.folder / "artifacts" / "job" / "status").read_text()

    def events(self):
        """The events in their order, as the display callback makes them."""
        files = (self.folder / "artifacts" / "job" / "job_events").glob("[0-9]*.json")
        return sorted((json.loads(file.read_text()) for file in files), key=lambda event: event["counter"])

    def artifacts(self):
        """What AWX takes over for the next node: of a job that came to its end, what set_stats has said."""
        found = {}
        for event in self.events():
            if event["event"] == STATS:
                found = event["event_data"]["artifact_data"]
        return found

    def throw_away(self):
        """The container goes, with all that is in it."""
        shutil.rmtree(self.folder)


def until_said(job, text):
    """Waits until a job has said something."""
    said = job.folder / "artifacts" / "job" / "stdout"
    wait_until(lambda: said.exists() and text in said.read_text(), text, job.process)
