# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution environment: what ansible-builder makes of it, and that what it installs is enough to work with.

`make awx` installs the tarball, lets ansible-builder say what that needs, and installs this, and nothing else, into an
environment of its own (EXECUTION).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import yaml
from conftest import EXTENSION, ROOT, documented, environment

INSTALLED = ROOT / ".cache" / "execution"
EXECUTION = Path(os.environ["EXECUTION"])


def run(*command, folder=None, **changes):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment(**changes),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_what_is_built(tmp_path):
    (tmp_path / "extensions").symlink_to(ROOT / "extensions")
    command = shlex.split(documented("ansible-builder create"))
    run(*command, folder=tmp_path)
    context = tmp_path / command[command.index("--context") + 1]
    # It is called after the engine that is there.
    (steps,) = [path.read_text(encoding="utf-8") for path in context.glob("*file")]
    said = yaml.safe_load((EXTENSION / "execution-environment.yml").read_text(encoding="utf-8"))
    image = said["images"]["base_image"]["name"]
    assert 'ARG EE_BASE_IMAGE="%s"' % image in steps
    assert "ansible-galaxy collection install" in steps and "introspect.py introspect" in steps
    wanted = yaml.safe_load((context / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert wanted == {"collections": [{"name": "secops.remediation", "type": "galaxy"}]}


def test_what_it_needs():
    found = yaml.safe_load(run("ansible-builder", "introspect", INSTALLED))
    (needed,) = found["python"]
    (required,) = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert needed.split("#")[0].strip() == required and found["system"] == []


def test_the_demo_runs_in_what_it_installs(tmp_path):
    """The simulator has the Python of the tests; ansible-playbook has only the tarball and what that needs."""
    python = EXECUTION / "bin" / "python"
    there = "from importlib.util import find_spec; print([bool(find_spec(name)) for name in ('requests', 'starlette', 'pytest')])"
    assert run(python, "-c", there, PYTHONPATH=None) == "[True, False, False]\n"
    output = run(
        sys.executable,
        ROOT / "tests" / "demo" / "run",
        DEMO_DIR=str(tmp_path),
        DEMO_WAIT="15",
        PATH="%s%s%s" % (EXECUTION / "bin", os.pathsep, os.environ["PATH"]),
        PYTHONPATH=None,
        ANSIBLE_COLLECTIONS_PATH=str(INSTALLED),
        ANSIBLE_PYTHON_INTERPRETER=str(python),
        ANSIBLE_HOME=str(tmp_path / "ansible"),
    )
    found = json.loads((tmp_path / "remediation-evidence" / "latest" / "verification.json").read_text(encoding="utf-8"))
    # It is to show that not everything is remediated, and that what is was asked for and answered.
    assert found["verdict"] == "not_verified" and found["counts"]["remediated"] > 0, output
