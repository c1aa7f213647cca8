# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs real playbooks against the simulator."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from running_ansible import Ansible, kill
from running_simulator import running_simulator

TESTS = Path(__file__).resolve().parents[1]


def wait_until(condition, what, process=None, seconds=60):
    """Looks again and again until the condition holds."""
    ends = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError("the run ended before %s:\n%s" % (what, process.stdout.read()))
        assert time.monotonic() < ends, "waited in vain until %s" % what
        time.sleep(0.02)


@pytest.fixture
def simulator(request):
    """The small company, with scans and reports that take a second; or other options, as an indirect parameter."""
    options = getattr(request, "param", ())
    with running_simulator("--scan-seconds", "1", "--report-seconds", "0.5", *options) as running:
        yield running


@pytest.fixture
def ansible(simulator, tmp_path):
    """Runs playbooks against the simulator."""
    ansible = Ansible(simulator, tmp_path)
    yield ansible
    # A test that failed may have left one behind.
    for process in ansible.started:
        if process.poll() is None:
            kill(process)
