# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of a scripted server, for the tests of the HTTP rules."""

from __future__ import annotations

import pytest
from http_clients import Key, explain

from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpClient


@pytest.fixture
def make_client(server, connection_options):
    """Makes clients of the server."""

    def make(base_url=None, authentication=None, check_mode=False, read_only_posts=(), **options):
        return HttpClient(
            base_url or server.url,
            connection_options(**options),
            authentication or Key(),
            explain,
            lambda status, error: "Do something about %d." % status,
            check_mode,
            read_only_posts,
        )

    return make


@pytest.fixture
def client(make_client):
    """A client of the server."""
    return make_client()
