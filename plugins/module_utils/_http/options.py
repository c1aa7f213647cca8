# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a connection, and what makes an address that credentials may be sent to. Private to the collection."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleFallbackNotFound

from ansible_collections.secops.remediation.plugins.module_utils._http.errors import BadConnectionOption

CONNECTION_OPTIONS = dict(
    validate_certs=dict(type="bool", default=True),
    ca_path=dict(type="path"),
    use_proxy=dict(type="bool", default=True),
    request_timeout=dict(type="int", default=30),
    retry_timeout=dict(type="int", default=120),
    concurrency=dict(type="int", default=16),
    rate_limit=dict(type="int", default=100),
)
LEAST_VALUES = dict(request_timeout=1, retry_timeout=0, concurrency=1, rate_limit=0)


def from_environment(*names):
    """The first of these environment variables that says something: a fallback for an argument spec.

    Unlike env_fallback it takes an empty or blank variable for one that is not set. Raises AnsibleFallbackNotFound.
    """
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return value
    raise AnsibleFallbackNotFound


def check_base_url(base_url):
    """Returns the base URL without a slash at its end. Raises BadConnectionOption with what to write instead."""
    base_url = base_url.strip()
    if not base_url:
        raise BadConnectionOption("base_url is empty")
    # First, and without showing it: from here on it may be shown.
    if "@" in base_url:
        raise BadConnectionOption("base_url holds a user name or a password: give credentials in their own options")
    if "?" in base_url or "#" in base_url:
        raise BadConnectionOption("base_url must end before the '?' or '#'")
    try:
        parts = urlsplit(base_url)
        origin(base_url)
    except ValueError as error:
        raise BadConnectionOption("base_url %r is no URL: %s" % (base_url, error)) from error
    if parts.scheme not in ("http", "https"):
        raise BadConnectionOption(
            "base_url %r does not start with https://: write https://%s" %
            (base_url, base_url.split("://")[-1].lstrip("/")))
    if not parts.hostname:
        raise BadConnectionOption("base_url %r names no host" % base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise BadConnectionOption(
            "base_url %r would send credentials unencrypted: http:// is accepted for loopback addresses only, "
            "write https://" % base_url)
    return base_url.rstrip("/")


def is_loopback(host):
    """Whether a host name or address is this machine by definition."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url):
    """(scheme, host, port) of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
