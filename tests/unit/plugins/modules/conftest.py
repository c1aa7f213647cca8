# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both systems, and the way to ask them with a module."""

from __future__ import annotations

import pytest
from two_systems import KEY, SECRET, TwoSystems, call

STARTS = {"run_scan", "run_report", "get_or_create"}


@pytest.fixture
def systems():
    """SailPoint and Xpanse, in which everything is remediated once it was scanned."""
    systems = TwoSystems()
    yield systems
    systems.stop()


@pytest.fixture
def ask(systems):
    """Runs a module as Ansible does: ask(module, check_mode, option=value), and returns its result."""

    def ask(module, check_mode=False, **params):
        of_sailpoint = "client_id" in module.ARGUMENT_SPEC
        credentials = dict(client_id="client", client_secret=SECRET) if of_sailpoint else dict(api_key_id="1", api_key=KEY)
        connection = dict(credentials, base_url=systems.url, retry_timeout=0, request_timeout=5)
        return call(module, dict(connection, **params), check_mode)

    return ask


@pytest.fixture
def started(systems):
    """Says what was started, in its order: the operations."""
    return lambda: [one.operation for one in systems.said if one.operation in STARTS]
