# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that keep to one deadline for an exchange, and that tell a cut-off answer from a whole one.

`requests` knows a timeout for each single read only, so an answer that drips has no end; and http.client takes the end
of a connection for the end of a line, of the headers, and of a chunk's size. Private to the collection.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import io
import math
import re
import socket
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

REQUESTS_IMPORT_ERROR: str | None = None
try:
    import requests
    import requests.adapters
except ImportError:
    requests = None  # type: ignore[assignment]  # Then no client is made, see REQUESTS_IMPORT_ERROR.
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

if TYPE_CHECKING:
    import urllib3
    from _typeshed import WriteableBuffer
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection
else:
    HTTPAdapter = requests.adapters.HTTPAdapter if requests else object
    # What TimedConnection is mixed into.
    HTTPConnection = object
    # The one that requests uses, which need not be the one that is installed.
    urllib3 = requests and requests.packages.urllib3

LONGEST_LINE = 65536
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")


class Exchange(threading.local):
    """The exchange of this thread: the moment until which it may go on.

    A request and its answer are sent and read by one thread, so this reaches every place that waits for the network.
    """

    ends_at = math.inf
    # Whether the request is out, and its answer awaited.
    sent = False
    _least_rate = None
    _seconds = _limit = math.inf

    def begin(self, seconds: float, limit: float) -> None:
        """The whole exchange may take so many seconds. limit: the moment that nothing goes past."""
        self._seconds, self._limit, self._least_rate = seconds, limit, None
        self.sent = False
        self.ends_at = min(time.monotonic() + seconds, limit)

    def keep_pace(self, least_rate: float) -> None:
        """From now on it may take as long as at least so many bytes a second come."""
        self._least_rate = least_rate
        self.ends_at = min(time.monotonic() + self._seconds, self._limit)

    def received(self, count: int) -> None:
        """So many bytes came. What came fast is no credit: the end is never further away than at the start."""
        if self._least_rate:
            self.ends_at = min(self.ends_at + count / self._least_rate, time.monotonic() + self._seconds, self._limit)

    def time_left(self) -> float:
        """Seconds that are left, more than 0. Raises TimeoutError."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the exchange is over")
        return left

    def is_too_slow(self) -> bool:
        """Whether it kept no pace with what it had to."""
        return self._least_rate is not None and time.monotonic() >= self.ends_at


EXCHANGE = Exchange()


class TimedReader(io.RawIOBase):
    """What comes from a socket, as long as the exchange may take. connection: the socket; raw: its raw file."""

    def __init__(self, connection: socket.socket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._connection = connection
        self._raw = raw

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Waits no longer than until the deadline for at least one byte. Raises TimeoutError."""
        self._connection.settimeout(EXCHANGE.time_left())
        count = self._raw.readinto(buffer)
        EXCHANGE.received(count or 0)
        return count

    def close(self) -> None:
        """Lets go of the socket."""
        self._raw.close()
        super().close()


class WholeLines(io.BufferedReader):
    """Reads whole lines only. in_body: whether the lines are those of a chunked body: sizes, then trailers."""

    in_body = False

    def readline(self, size: int | None = -1) -> bytes:
        """The next line with its end. Raises http.client.HTTPException where it is cut off or malformed."""
        most = LONGEST_LINE + 1 if size is None or size < 0 else size
        line = super().readline(most)
        if not line.endswith(b"\n"):
            if len(line) == most:
                raise http.client.LineTooLong("header line or chunk size")
            raise http.client.RemoteDisconnected("the connection ended in the middle of the headers or of a chunk")
        if self.in_body:
            found = CHUNK_SIZE.fullmatch(line)
            if not found:
                raise http.client.HTTPException("the size of a chunk is malformed")
            # After the last chunk come trailers.
            self.in_body = int(found[1], 16) > 0
        return line


class WholeResponse(http.client.HTTPResponse):
    """A response that is read by the exchange's deadline, and whose lines have to be whole."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = WholeLines(TimedReader(sock, self.fp.detach()))
        EXCHANGE.sent = True

    def begin(self) -> None:
        """Reads the status line and the headers."""
        super().begin()
        if self.chunked and isinstance(self.fp, WholeLines):
            self.fp.in_body = True


class TimedConnection(HTTPConnection):
    """Mixed into a connection of urllib3: connecting keeps to the exchange's deadline, too."""

    response_class = WholeResponse

    def _new_conn(self) -> socket.socket:
        """A connected socket. urllib3 alone would give each address of a name the whole time."""
        errors = urllib3.exceptions
        name = self._dns_host
        try:
            # A SOCKS proxy is told the name, and resolves it itself.
            addresses = [] if hasattr(self, "_socks_options") else addresses_of(name, self.port)
            for place, address in enumerate(addresses[:-1]):
                self._dns_host = address
                self.timeout = EXCHANGE.time_left() / (len(addresses) - place)
                with contextlib.suppress(errors.ConnectTimeoutError, errors.NewConnectionError):
                    return self._timed(super()._new_conn())
            self._dns_host = addresses[-1] if addresses else name
            self.timeout = EXCHANGE.time_left()
            return self._timed(super()._new_conn())
        except TimeoutError as error:
            raise errors.ConnectTimeoutError(self, "no time is left to connect") from error
        finally:
            self._dns_host = name

    def _tunnel(self) -> None:
        """Asks the proxy for a tunnel; what it has taken is not there for the handshake."""
        super()._tunnel()
        self._timed(self.sock)
        EXCHANGE.sent = False

    @staticmethod
    def _timed(connected: socket.socket) -> socket.socket:
        connected.settimeout(EXCHANGE.time_left())
        return connected


def addresses_of(name: str, port: int) -> list[str]:
    """The addresses of a host name, or none where they cannot be found out."""
    try:
        family = urllib3.util.connection.allowed_gai_family()
        found = socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)
    except (OSError, ValueError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class TimedAdapter(HTTPAdapter):
    """An adapter of requests whose connections, also those through a proxy, are TimedConnections."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Makes the pools for direct connections."""
        super().init_poolmanager(*args, **options)
        use_timed_connections(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> urllib3.PoolManager:
        """The pools for a proxy."""
        return use_timed_connections(super().proxy_manager_for(*args, **options))


def use_timed_connections(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Has a manager of pools make TimedConnections. Returns it."""
    manager.pool_classes_by_scheme = {scheme: timed_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()}
    return manager


@functools.cache
def timed_pool(pool: type[urllib3.HTTPConnectionPool]) -> type[urllib3.HTTPConnectionPool]:
    """A class of pools like the given one, with TimedConnections."""
    if issubclass(pool.ConnectionCls, TimedConnection):
        return pool
    connection = type("Timed" + pool.ConnectionCls.__name__, (TimedConnection, pool.ConnectionCls), {})
    return type("Timed" + pool.__name__, (pool,), {"ConnectionCls": connection})
