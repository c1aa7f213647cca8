# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/awx.md says nothing that no test runs."""

from __future__ import annotations

import re

from conftest import EXTENSION, commands

# Run by test_execution_environment.py, by each set-up, and by the first launch in test_setup.py.
RUN = ("ansible-builder create", "ansible-playbook", "ansible localhost")
# No container engine, no registry and no Galaxy is needed for the tests; the environment is that of the stand-in.
NOT_HERE = ("podman build", "podman push", "ansible-galaxy collection install awx.awx", "export CONTROLLER_HOST=")


def test_every_command_is_run():
    assert sorted(words for line in commands() for words in (*RUN, *NOT_HERE) if line.startswith(words)) == sorted(RUN + NOT_HERE)
    assert len(commands()) == len(RUN + NOT_HERE)


def test_every_setting_that_null_undoes_is_said_where_it_is_set():
    settings = (EXTENSION / "setup.yml").read_text(encoding="utf-8")
    said = re.findall(r"# [^\n]*[Nn]ull [^\n]*\n    (\w+):", settings)
    assert said == [
        "awx_project_branch",
        "awx_project_credential",
        "awx_instance_groups",
        "awx_vault_credential",
        "awx_schedule",
    ]
