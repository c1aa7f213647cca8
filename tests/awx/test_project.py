# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's playbook in a job: which pattern of tenants is an answer, and which is a mistake.

What it does for a tenant that matches is in tests/integration/test_tenants.py.
"""

from __future__ import annotations

import subprocess

import pytest
from conftest import EXTENSION, ROOT, environment

NOBODY = "none of these hosts is in inventory/tenants.yml and in the limit. Nothing was done."
NOTHING = "There is nothing to verify."


def job(folder, hosts, *options):
    """A job of the slice that has globex alone, of the three of inventory/tenants.yml. Gives (exit status, output)."""
    inventory = folder / "slice.yml"
    inventory.write_text("america: {hosts: {globex: {}}}\n")
    done = subprocess.run(
        [
            "ansible-playbook",
            "-i",
            inventory,
            EXTENSION / "project" / "verify.yml",
            "-e",
            '{"verify_hosts": %s}' % hosts,
            *options,
        ],
        env=environment(HOME=str(folder)),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "hosts, options",
    [('"acne"', ()), ('["acne", "acme:!acme"]', ()), ('"-i"', ()), ('"acme"', ("--limit", "globex"))],
    ids=str,
)
def test_a_pattern_that_matches_no_tenant(tmp_path, hosts, options):
    status, output = job(tmp_path, hosts, *options)
    assert status != 0 and NOBODY in output and NOTHING not in output, output


@pytest.mark.parametrize("hosts", ['"acme"', '["europe:!acme"]'], ids=str)
def test_a_slice_without_any_of_the_tenants(tmp_path, hosts):
    status, output = job(tmp_path, hosts)
    assert status == 0 and NOBODY not in output and NOTHING not in output, output


@pytest.mark.parametrize("hosts", ['"america"', "null"], ids=str)
def test_a_slice_with_one_of_them(tmp_path, hosts):
    """It comes as far as the role, which is told of no target here."""
    status, output = job(tmp_path, hosts)
    assert status != 0 and NOTHING in output and NOBODY not in output, output


def test_nothing_pulls_the_collection_behind_the_execution_environments_back():
    """AWX looks into this folder at each sync, and what is from there wins over the image."""
    assert not (EXTENSION / "project" / "collections").exists() and not (EXTENSION / "project" / "roles").exists()
    assert (ROOT / "meta" / "execution-environment.yml").exists()
