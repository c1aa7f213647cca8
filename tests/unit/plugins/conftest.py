# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the unit tests of the plugins share."""

from __future__ import annotations

import random

import pytest
from scripted_server import ScriptedServer


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    """Nothing of this machine's proxies, CAs and credentials."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))


@pytest.fixture
def quick_back_off(monkeypatch):
    """Makes the waits between attempts short, and keeps that they double."""
    monkeypatch.setattr(random, "uniform", lambda low, high: 0.02)


@pytest.fixture
def make_server():
    """Makes scripted servers; what they did not expect fails the test."""
    servers = []

    def make(**options):
        servers.append(ScriptedServer(**options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()
    for server in servers:
        server.check()


@pytest.fixture
def server(make_server):
    """One scripted server."""
    return make_server()


@pytest.fixture
def connection_options():
    """The connection options that both APIs have, with changes."""

    def make(**changes):
        return dict(
            dict(
                validate_certs=True,
                ca_path=None,
                use_proxy=True,
                request_timeout=5,
                retry_timeout=10,
                concurrency=10,
                rate_limit=0,
            ),
            **changes,
        )

    return make
