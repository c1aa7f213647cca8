# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/awx.md says nothing that no test runs."""

from __future__ import annotations

from conftest import commands

# Run by test_execution_environment.py, by each set-up, and by the first launch in test_setup.py.
RUN = ("ansible-builder create", "ansible-playbook", "ansible localhost")
# No container engine, no registry and no Galaxy is needed for the tests; the environment is that of the stand-in.
NOT_HERE = ("podman build", "podman push", "ansible-galaxy collection install awx.awx", "export CONTROLLER_HOST=")


def test_every_command_is_run():
    assert sorted(words for line in commands() for words in (*RUN, *NOT_HERE) if line.startswith(words)) == sorted(RUN + NOT_HERE)
    assert len(commands()) == len(RUN + NOT_HERE)
