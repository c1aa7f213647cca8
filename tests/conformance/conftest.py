# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One simulator and one Prism before it for all tests of a worker; each test begins with the simulator as it was."""

from __future__ import annotations

import pytest
from checked import Checked, running_prism
from install_prism import PRISM, WHY_NOT
from running_ansible import Ansible, kill
from running_simulator import running_simulator


@pytest.fixture(scope="session")
def process():
    """The simulator's process."""
    with running_simulator("--scan-seconds", "1", "--report-seconds", "1") as running:
        yield running


@pytest.fixture(scope="session")
def prism(process, tmp_path_factory):
    """The URL of Prism before the simulator."""
    if WHY_NOT.exists() or not PRISM.exists():
        why = WHY_NOT.read_text(encoding="utf-8") if WHY_NOT.exists() else "`make conformance` installs it"
        pytest.skip("LEFT OUT, as Prism cannot be had here: %s" % why)
    with running_prism(process.url, tmp_path_factory.mktemp("prism")) as url:
        yield url


@pytest.fixture
def simulator(process):
    """The small company, with scans and reports that take a second."""
    process.control("POST", "reset")
    return process


@pytest.fixture
def checked(prism, simulator):
    """What a client takes for the API. A test that wants to know what Prism found calls its check()."""
    checked = Checked(prism, simulator)
    yield checked
    checked.stop()


@pytest.fixture
def ansible(checked, tmp_path):
    """Runs playbooks that take Prism for SailPoint."""
    ansible = Ansible(checked.simulator, tmp_path)
    ansible.sailpoint_url = checked.url
    yield ansible
    for one in ansible.started:
        if one.poll() is None:
            kill(one)
