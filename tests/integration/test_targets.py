# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every target of tests/integration/targets, as a real playbook, and once more with --check."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulator import company

HERE = Path(__file__).resolve().parent
TARGETS = sorted(path.parents[1].name for path in (HERE / "targets").glob("*/tasks/main.yml"))
MODULES = sorted(path.stem for path in (HERE.parents[1] / "plugins" / "modules").glob("*.py"))


def test_every_module_and_the_role_have_a_target():
    assert set(MODULES + ["verify"]) <= set(TARGETS)


def variables_for(ansible, target):
    """What target.yml and the targets use: places, and ids of the simulated company."""
    names = ("FINANCE", "WAREHOUSE", "SALES", "MANAGERS", "PRIVILEGED", "BADGES")
    # One exposure of each end.
    ends = (company.REMEDIATED, company.UNREMEDIATED, company.TIMEOUT, company.FAILED, company.UNKNOWN_WORD)
    return dict(
        {name.lower(): getattr(company, name) for name in names},
        old_report=company.FINANCE_OLD_REPORT,
        exposures=[company.exposures(end)[0] for end in ends],
        target=str(HERE / "targets" / target / "tasks" / "main.yml"),
        files=str(HERE / "targets" / target / "files"),
        simulator_url=ansible.simulator.url,
        folder=str(ansible.folder),
    )


@pytest.mark.parametrize("target", TARGETS)
def test_target(ansible, target):
    done = ansible.run(HERE / "target.yml", **variables_for(ansible, target))
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout, done.stdout
    assert "[DEPRECATION" not in done.stdout, done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_target_in_check_mode_changes_nothing(ansible, target):
    before = ansible.simulator.control("GET", "state")
    done = ansible.run(HERE / "target.yml", "--check", **variables_for(ansible, target))
    assert done.returncode == 0, done.stdout
    assert ansible.simulator.log(changed=True) == []
    operations = {entry["operation"] for entry in ansible.simulator.log()}
    assert operations.isdisjoint({"run_scan", "run_report", "rcs_get_or_create"})
    after = ansible.simulator.control("GET", "state")
    assert (after["campaigns"], after["exposures"]) == (before["campaigns"], before["exposures"])
