# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may knock at a webhook, how often, and with how much. Private to the collection."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import time
from collections import deque

LARGEST_BODY = 64 * 1024
MINUTE = 60.0


class Refused(Exception):
    """A request that is not let in. status: the HTTP status that says so."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class Door:
    """Lets requests in. token: of bearer authentication. user: name and password of basic authentication. One of them.

    per_minute: how many requests are looked at in a minute, whoever they are from.
    """

    def __init__(self, token: str | None, user: tuple[str, str] | None, per_minute: int) -> None:
        self._scheme = "bearer" if token else "basic"
        self._wanted = (token or ":".join(user or ("", ""))).encode()
        self._per_minute = per_minute
        self._times: deque[float] = deque()

    def admit(self) -> None:
        """Counts a request. Raises Refused where there were too many."""
        now = time.monotonic()
        while self._times and now - self._times[0] >= MINUTE:
            self._times.popleft()
        if len(self._times) >= self._per_minute:
            raise Refused(429, "too many requests")
        self._times.append(now)

    def check(self, header: str | None) -> None:
        """Raises Refused unless the header `Authorization` says what it has to."""
        scheme, _space, given = (header or "").strip().partition(" ")
        said = given.strip().encode("utf-8", "replace")
        if self._scheme == "basic":
            try:
                said = base64.b64decode(said, validate=True)
            except (binascii.Error, ValueError):
                said = b""
        # However much of it is right, the comparison takes as long.
        same = hmac.compare_digest(said, self._wanted)
        if not same or scheme.lower() != self._scheme:
            raise Refused(401, "not authorized")


def campaign_named(body: bytes) -> str:
    """The id of the campaign that the event `idn:campaign-ended` names. Raises Refused for anything else.

    It is a hint that it is time to look, and nothing more: what becomes an event is what the API says.
    """
    if len(body) > LARGEST_BODY:
        raise Refused(413, "too large")
    try:
        campaign = json.loads(body.decode("utf-8"))["campaign"]
        named = campaign["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused(400, "not an event idn:campaign-ended") from None
    if not isinstance(named, str) or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", named):
        raise Refused(400, "the campaign has no id")
    return named
