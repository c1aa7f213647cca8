# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an API answered about one target: small enough to be kept, and enough to judge the target again years later.

An exchange is a dict: `method`, `path` (with its query), `status` (int), `reference` (what the vendor's support asks
for, or None), `server_time` (UTC text or None), `sent` (the body of the request without credentials, or None) and
`body` (the JSON value that came, or None). A download has `sha256` and `size` instead of a body. One that an earlier
run had is marked `remembered`. Private to the collection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, Item, JsonObject

# In an evidence directory of thousands of targets, a target's answers must stay small.
MOST_ANSWERS = 40
LARGEST_BODY = 32 * 1024
LONGEST_TEXT = 1000
REQUEST = ("method", "path", "status", "reference", "server_time")


class NoRecord:
    """Where exchanges go that nobody keeps."""

    def append(self, exchange: Exchange) -> None:
        """Drops it."""


NO_RECORD = NoRecord()


class Exchanges:
    """The exchanges about one item: of each kind the last one, in their order. They are in the item's `answers`, and
    without their bodies in its `requests`, both lists.

    item: the result of a module that the lists are put into. Give this as `record` to a call of an API.
    """

    def __init__(self, item: Item) -> None:
        self._kept: list[Exchange] = []
        self._requests: list[JsonObject] = []
        item.update(answers=self._kept, requests=self._requests)
        self._pinned = 0

    def append(self, exchange: Exchange) -> None:
        """Adds an exchange in place of the former one of its kind: the same request with the same answer."""
        if "body" in exchange:
            exchange = {**exchange, "body": bounded(exchange["body"])}
        kind = kind_of(exchange)
        later = [other for other in self._kept[self._pinned :] if kind_of(other) != kind] + [exchange]
        self._kept[self._pinned :] = later[-max(1, MOST_ANSWERS - self._pinned) :]
        self._requests[:] = requests_in(last_of_each(self._kept))

    def pin(self) -> None:
        """What is here now stays, whatever comes."""
        self._pinned = len(self._kept)

    def recall(self, exchanges: list[Exchange], of_this_run: bool = False) -> None:
        """Puts in what an earlier run, or an earlier task of this one, was answered."""
        if not of_this_run:
            # Each run adds what it was told once more.
            exchanges = [
                {**exchange, "remembered": True}
                for place, exchange in enumerate(exchanges)
                if not place or kind_of(exchange) != kind_of(exchanges[place - 1])
            ]
        self._kept[:] = exchanges[: MOST_ANSWERS // 2]
        self._requests[:] = requests_in(last_of_each(self._kept))
        self.pin()

    def forget(self) -> None:
        """Begins with nothing."""
        self._kept.clear()
        self._requests.clear()
        self._pinned = 0

    def begin_anew(self) -> None:
        """Begins with the last answer."""
        last = self._kept[-1:]
        self.forget()
        for exchange in last:
            self.append(exchange)


def kind_of(exchange: Exchange) -> tuple[Any, ...]:
    """What two exchanges have in common of which one is enough."""
    answer = None
    # Of an error, each has another trackingId.
    if exchange["status"] < 300:
        answer = json.dumps(exchange.get("body"), sort_keys=True)
    return exchange["method"], exchange["path"], exchange["status"], answer


def bounded(body: Any) -> Any:
    """A body that is not too large to be kept: as it is, else what is short in it, else None."""
    if len(json.dumps(body)) <= LARGEST_BODY:
        return body
    body = short_in(body, 3)
    return body if len(json.dumps(body)) <= LARGEST_BODY else None


def short_in(value: Any, levels: int) -> Any:
    """What is short in a value: no long texts, and nothing that is nested deeper than so many levels."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else None
    if not isinstance(value, (dict, list)):
        return value
    if not levels:
        return None
    if isinstance(value, list):
        return [short_in(inner, levels - 1) for inner in value]
    return {key: short_in(inner, levels - 1) for key, inner in value.items() if len(key) <= LONGEST_TEXT}


def requests_in(exchanges: Iterable[Exchange]) -> list[JsonObject]:
    """The exchanges without what was sent and what came."""
    return [
        dict({name: exchange.get(name) for name in REQUEST}, **({"remembered": True} if exchange.get("remembered") else {}))
        for exchange in exchanges
    ]


def last_of_each(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """Of each request the last exchange."""
    last: dict[tuple[str, str], Exchange] = {}
    for exchange in exchanges:
        last.pop((exchange["method"], exchange["path"]), None)
        last[exchange["method"], exchange["path"]] = exchange
    return list(last.values())


def path_of(exchange: Mapping[str, Any]) -> str:
    """The path of an exchange, without its query and a slash at its end; "" where there is none."""
    path = exchange.get("path")
    return path.partition("?")[0].rstrip("/") if isinstance(path, str) else ""


def exchanges_in(item: object) -> list[Exchange]:
    """The exchanges that are on record for an item, those that can be read."""
    answers = item.get("answers") if isinstance(item, dict) else None
    return [exchange for exchange in answers if is_exchange(exchange)] if isinstance(answers, list) else []


def is_exchange(value: object) -> TypeGuard[Exchange]:
    """Whether a value has what every exchange has."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("status"), int)
        and isinstance(value.get("method"), str)
        and isinstance(value.get("path"), str)
    )
