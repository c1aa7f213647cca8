# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a connection, and what makes an address that credentials may be sent to. Private to the collection."""

from __future__ import annotations

import ipaddress
import os
import stat
from urllib.parse import unquote, urlsplit

from ansible.module_utils.basic import AnsibleFallbackNotFound

from ansible_collections.secops.remediation.plugins.module_utils._common.files import kind_of
from ansible_collections.secops.remediation.plugins.module_utils._http.errors import BadConnectionOption
from ansible_collections.secops.remediation.plugins.module_utils._http.transport import requests

CONNECTION_OPTIONS = dict(
    validate_certs=dict(type="bool", default=True),
    ca_path=dict(type="path"),
    use_proxy=dict(type="bool", default=True),
    request_timeout=dict(type="int", default=30),
    retry_timeout=dict(type="int", default=120),
    concurrency=dict(type="int", default=24),
    rate_limit=dict(type="int", default=100),
)
LEAST_VALUES = dict(request_timeout=1, retry_timeout=0, concurrency=1, rate_limit=0)
MOST_DECODINGS = 4


def from_environment(*names: str) -> str:
    """The first of these environment variables that says something: a fallback for an argument spec.

    Unlike env_fallback it takes an empty or blank variable for one that is not set. Raises AnsibleFallbackNotFound.
    """
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return value
    raise AnsibleFallbackNotFound


def check_base_url(base_url: str) -> str:
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
            "base_url %r does not start with https://: write https://%s" % (base_url, base_url.split("://")[-1].lstrip("/"))
        )
    if not parts.hostname:
        raise BadConnectionOption("base_url %r names no host" % base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise BadConnectionOption(
            "base_url %r would send credentials unencrypted: http:// is accepted for loopback addresses only, "
            "write https://" % base_url
        )
    return base_url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine by definition."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str | None, int | None]:
    """(scheme, host, port) of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def is_below(base_url: str, url: str) -> bool:
    """Whether a URL has the origin of the base URL, and its path goes on from there. Raises ValueError if it is none.

    Behind one host there may be many tenants, and the path says which.
    """
    base, path = (requests.utils.requote_uri(urlsplit(each).path) for each in (base_url, url))
    plain = path
    for _time in range(MOST_DECODINGS):
        plain = unquote(plain)
    steps = {step.split(";")[0] for step in plain.replace("\\", "/").split("/")}
    # Whoever is on the way may decode it, and then go up.
    leaves = ".." in steps or unquote(plain) != plain
    return origin(url) == origin(base_url) and not leaves and (path == base or path.startswith(base + "/"))


def check_bundle(path: str, name: str) -> None:
    """Refuses what holds no CA certificates, before anybody opens it: a pipe would keep them waiting for ever.

    name: where the path comes from, for the message. Raises BadConnectionOption.
    """
    status = os.stat(path)
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise BadConnectionOption("%s %r is %s: give a file or a folder with CA certificates" % (name, path, kind_of(status)))


def check_environment(verify: bool, trusted: bool) -> None:
    """As check_bundle, for the file that the environment names, if it will be opened.

    verify: whether certificates are checked. trusted: whether requests obeys the environment.
    """
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if trusted else ()
    # Where nothing is checked, OpenSSL loads its own all the same.
    name = next((name for name in (names if verify else ("SSL_CERT_FILE",)) if os.environ.get(name)), None)
    # Of one that is missing, requests tells.
    if name and os.path.exists(os.environ[name]):
        check_bundle(os.environ[name], "%s of the environment," % name)


def tenant_of(base_url: str) -> str:
    """What tells tenants apart: scheme, host, port and path of their address, each in one spelling."""
    parts = urlsplit(base_url)
    port = parts.port if parts.port not in (None, {"http": 80, "https": 443}.get(parts.scheme)) else None
    name = parts.hostname or ""
    host = "[%s]" % name if ":" in name else name
    return "%s://%s%s%s" % (parts.scheme, host, ":%d" % port if port else "", parts.path.rstrip("/"))
