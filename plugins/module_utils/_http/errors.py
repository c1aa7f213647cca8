# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong with a request, and what it means: for the user, and for whether to try again.

Private to the collection.
"""

from __future__ import annotations

import http.client
import re
import ssl
from dataclasses import dataclass

from ansible_collections.secops.remediation.plugins.module_utils._http.transport import EXCHANGE, requests, urllib3

# Statuses that may pass by themselves, whatever was asked for; for what only reads, 500 is one, too.
PASSING_STATUSES = (429, 502, 503, 504)
# In an error of a proxy: the request has never left.
NEVER_CONNECTED = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "Tunnel connection failed")
MOST_CAUSES = 10
PROXY_HINT = (
    "Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY, or set use_proxy to false. In a user name or a password "
    "there, write %23 for #, %2F for /, %3A for :, %3F for ?, and %40 for @."
)


class HttpError(Exception):
    """A request that brought no usable answer. Its text is safe to show: it holds no secret.

    method, path: the request. status: the HTTP status (int), or None where there was no answer.
    code: the API's own code (str) or None. reference: what the vendor's support asks for, or None.
    uncertain: True if the server may have carried the request out all the same.
    passing: True if the failure may pass by itself, so that asking again later makes sense.
    """

    def __init__(
        self,
        method: str,
        path: str,
        problem: str,
        status: int | None = None,
        code: str | None = None,
        reference: str | None = None,
        hint: str | None = None,
        uncertain: bool = False,
        passing: bool = False,
    ) -> None:
        self.method = method
        self.path = path
        self.problem = problem
        self.status = status
        self.code = code
        self.reference = reference
        self.hint = hint
        self.uncertain = uncertain
        self.passing = passing
        super().__init__(method, path, problem)

    def __str__(self) -> str:
        text = "%s %s: %s" % (self.method, self.path, self.problem)
        if self.reference:
            text += " (%s)" % self.reference
        text += "."
        if self.uncertain:
            text += " The server may have carried the request out all the same."
        if self.hint:
            text += " " + self.hint
        return text


class WouldChange(Exception):
    """Check mode: this request would have changed something, so it was not sent."""

    def __init__(self, method: str, path: str) -> None:
        self.method = method
        self.path = path
        super().__init__("%s %s is not sent in check mode" % (method, path))


class BadConnectionOption(ValueError):
    """A connection option that cannot work, said before anything is sent."""


class BrokenOff(Exception):
    """An answer ended before it was whole."""


class Unreadable(Exception):
    """An answer that is no answer. passing: whether it may be one another time."""

    def __init__(self, problem: str, hint: str | None = None, passing: bool = True) -> None:
        self.problem = problem
        self.hint = hint
        self.passing = passing
        super().__init__(problem)


@dataclass
class ApiError:
    """What an API said about an error, in its own words: code and text, and the reference for its support."""

    code: str | None = None
    text: str | None = None
    reference: str | None = None


def causes_of(error: BaseException) -> list[BaseException]:
    """An exception and what is inside it, down to the first cause."""
    causes: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in causes and len(causes) < MOST_CAUSES:
        causes.append(one)
        inside = [
            getattr(one, "reason", None),
            getattr(one, "original_error", None),
            *one.args,
            one.__cause__,
            one.__context__,
        ]
        one = next((cause for cause in inside if isinstance(cause, BaseException)), None)
    return causes


def words_of(error: BaseException) -> str:
    """What an exception of requests was about, without any text that may quote a URL with its user info."""
    cause = causes_of(error)[-1]
    if isinstance(cause, OSError) and not isinstance(cause, requests.exceptions.RequestException):
        return "%s: %s" % (type(cause).__name__, cause.strerror or cause)
    if isinstance(cause, (http.client.HTTPException, BrokenOff)) and not isinstance(cause, http.client.InvalidURL):
        return "%s: %s" % (type(cause).__name__, cause)
    return type(cause).__name__


def tunnel_status(error: BaseException) -> int | None:
    """The status with which a proxy refused a tunnel, or None."""
    found = re.search(r"Tunnel connection failed: (\d{3})\b", repr(causes_of(error)))
    return int(found[1]) if found else None


def is_tls_error(error: BaseException) -> bool:
    """Whether TLS was refused. A connection that ends during the handshake comes as the same exception."""
    causes = causes_of(error)
    return (isinstance(error, requests.exceptions.SSLError) or isinstance(causes[-1], ssl.SSLError)) and not any(
        word in repr(causes) for word in ("EOF", "ConnectionReset", "BrokenPipe", "timed out", "TimeoutError")
    )


def is_final(error: BaseException) -> bool:
    """Whether repeating cannot help: the certificate stays what it is, the URL stays wrong, the password, too."""
    status = tunnel_status(error)
    if status is not None:
        return status < 500 and status not in PASSING_STATUSES
    if isinstance(causes_of(error)[-1], urllib3.exceptions.InvalidHeader):
        # It is one of the answer's.
        return False
    return (
        is_tls_error(error)
        or isinstance(causes_of(error)[-1], http.client.InvalidURL)
        or isinstance(
            error,
            (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.InvalidProxyURL,
                requests.exceptions.InvalidHeader,
                requests.exceptions.MissingSchema,
            ),
        )
    )


def describe_connection_error(error: BaseException, base_url: str, request_timeout: float) -> tuple[str, str | None, bool]:
    """(problem, hint, whether the request may have reached the server) of an exception of requests or urllib3."""
    words = words_of(error)
    names = repr(causes_of(error))
    if is_tls_error(error) and EXCHANGE.sent:
        return "TLS with %s broke (%s)" % (base_url, words), None, True
    if is_tls_error(error):
        return (
            "the TLS certificate of %s was not accepted (%s)" % (base_url, words),
            "If a private CA signed it, give the CA file as ca_path.",
            False,
        )
    if isinstance(error, requests.exceptions.ProxyError):
        # Behind a proxy, a connection that breaks after the request was sent comes as this error, too.
        return ("the proxy could not be used (%s)" % words, PROXY_HINT, not any(word in names for word in NEVER_CONNECTED))
    if is_final(error):
        return "nothing could be sent (%s)" % words, "Check base_url and the credentials. " + PROXY_HINT, False
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return (
            "no connection to %s within %d s" % (base_url, request_timeout),
            "Check the address, the network and the proxy.",
            False,
        )
    if any(name in names for name in ("NewConnectionError", "NameResolutionError")):
        return "no connection to %s (%s)" % (base_url, words), "Check the address, the network and the proxy.", False
    if isinstance(error, requests.exceptions.ReadTimeout) or "ReadTimeoutError" in names:
        return "no answer within %d s" % request_timeout, "Raise request_timeout if the API is slow.", True
    return "the connection broke (%s)" % words, None, True
