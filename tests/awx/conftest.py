# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs what is for AWX as it is shipped, against the stand-in."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from awx_stand_in import TOKEN, Awx, Repository, serving
from running_ansible import FOREIGN, OURS

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "extensions" / "awx"
URL = "https://git.example.com/security/remediation.git"


def commands():
    """The command lines of docs/awx.md."""
    blocks = re.findall(
        r"^ *```shell\n(.*?)^ *```", (ROOT / "docs" / "awx.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [line.strip() for block in blocks for line in block.splitlines()]


def documented(words):
    """The one command line of docs/awx.md that begins with these words."""
    (found,) = (line for line in commands() if line.startswith(words))
    return found


def environment(**changes):
    """That of somebody who has the collections, and nothing else of Ansible's. A change to None removes a variable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith((*FOREIGN, "CONTROLLER_", "TOWER_"))}
    kept.update({name: os.environ[name] for name in OURS if name in os.environ})
    kept.update(ANSIBLE_NOCOLOR="1", ANSIBLE_LOCALHOST_WARNING="false", ANSIBLE_INVENTORY_UNPARSED_WARNING="false", **changes)
    return {name: value for name, value in kept.items() if value is not None}


class SetUp:
    """Runs what docs/awx.md says, in a folder with the extensions, for the stand-in awx at url: gives (exit status, output)."""

    def __init__(self, awx, url, folder):
        self.awx = awx
        self.folder = folder
        (folder / "extensions").symlink_to(ROOT / "extensions")
        collections = os.pathsep.join(str(ROOT / ".cache" / name) for name in ("awx", "."))
        self.environment = environment(
            CONTROLLER_HOST=url, CONTROLLER_OAUTH_TOKEN=TOKEN, ANSIBLE_COLLECTIONS_PATH=collections, HOME=str(folder)
        )

    def run(self, command):
        self.awx.log.clear()
        done = subprocess.run(
            shlex.split(command),
            env=self.environment,
            cwd=self.folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    def apply(self, playbook="setup.yml", **settings):
        (self.folder / "your-settings.yml").write_text(json.dumps(settings))
        return self.run(documented("ansible-playbook").replace("setup.yml", playbook))

    def writes(self):
        """What the last run has asked for beyond looking, but for the syncs, which it always does."""
        return [entry[:2] for entry in self.awx.log if entry[0] != "GET" and not entry[1].endswith("/update/")]


@pytest.fixture
def awx():
    """An AWX that has an organization, and two credentials of AWX's own types: `Remediation vault` and `git`."""
    return Awx({URL: Repository(EXTENSION / "project")})


@pytest.fixture
def set_up(awx, tmp_path):
    with serving(awx) as url:
        yield SetUp(awx, url, tmp_path)


def changed(output):
    """How many tasks say that they have changed something. Raises AssertionError where there was no end."""
    recap = re.search(r"^localhost +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", output, re.MULTILINE)
    assert recap, output
    return int(recap[1])
