# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns as they are now, many with one request. Private to the collection.

`GET /campaigns` takes `id in (…)` (documented). What such a list says of a campaign counts as if the campaign had been read
alone, and a list is never more than that: it may be cut, old, or show a campaign twice or not at all, and then the campaign
is read alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, JsonObject, Record
from ansible_collections.secops.remediation.plugins.module_utils._common.times import is_later
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import PAGE_SIZE, SailPointApi, escape
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import campaign_in

# Characters of a query. Servers and what is before them take 8,000 as a rule, some only half of it.
LONGEST_QUERY = 4000
# A list that was asked for longer ago says nothing of now.
FRESH_SECONDS = 10.0
# After so many lists in a row that did not come, each campaign is read alone.
MOST_FAILURES = 3
# For so many seconds others are waited for, with which a campaign could share a list.
PATIENCE = 2.0


class Readings:
    """Reads campaigns for many threads. api: SailPointApi.

    A campaign is wanted from a moment on, and what was asked for before that moment is not what it is now. Whoever reads
    first asks for all that are wanted.
    """

    def __init__(self, api: SailPointApi) -> None:
        self._api = api
        # By id, in the order in which they were wanted: since when.
        self._wanted: dict[str, float] = {}
        # By id: when it was asked for, and the answer as it is kept for this campaign.
        self._found: dict[str, tuple[float, Exchange | None]] = {}
        self._failed_at = -math.inf
        self._failures = 0
        self._lock = threading.Lock()
        # One list at a time: who waits for it finds its own campaign in it.
        self._asking = threading.Lock()

    @property
    def together(self) -> bool:
        """Whether many campaigns cost one request."""
        return self._failures < MOST_FAILURES

    def want(self, campaign_id: str) -> None:
        """From now on this campaign will be read."""
        with self._lock:
            self._wanted.pop(campaign_id, None)
            self._found.pop(campaign_id, None)
            self._wanted[campaign_id] = time.monotonic()

    def is_shared(self, campaign_id: str, others: int) -> bool:
        """Whether it is time to read a campaign that is wanted. others: how many may still come to want theirs."""
        with self._lock:
            since = self._wanted.get(campaign_id)
            return (
                not self.together
                or since is None
                or campaign_id in self._found
                or len(self._wanted) >= others
                or time.monotonic() - min(self._wanted.values()) >= PATIENCE
            )

    def read(self, campaign_id: str, record: Record, not_before: object = None) -> JsonObject:
        """The campaign as it is now, as SailPointApi.get_campaign gives it and with the same exceptions.

        not_before: a `modified` that was seen before, UTC text or None. A list that shows an earlier one is an old one.
        """
        with self._lock:
            since = self._wanted.setdefault(campaign_id, time.monotonic())
        try:
            with self._asking:
                exchange = self._take(campaign_id)
                if exchange is None and self.together and len(self._wanted) > 1:
                    self._ask(campaign_id, since, record)
                    exchange = self._take(campaign_id)
        finally:
            with self._lock:
                self._wanted.pop(campaign_id, None)
        campaign = campaign_in(exchange, campaign_id) if exchange else None
        if not exchange or not campaign or "modified" not in campaign or is_later(not_before, campaign["modified"]):
            return self._api.get_campaign(campaign_id, record)
        record.append(exchange)
        return campaign

    def _take(self, campaign_id: str) -> Exchange | None:
        """What a list has just shown of a campaign, or None."""
        with self._lock:
            asked_at, exchange = self._found.pop(campaign_id, (0.0, None))
        return exchange if time.monotonic() - asked_at <= FRESH_SECONDS else None

    def _ask(self, campaign_id: str, since: float, record: Record) -> None:
        """Asks for a list of the wanted campaigns, this one among them."""
        if self._failed_at >= since:
            # It was asked for this campaign as well. Another one would wait for the same again.
            return
        asked_at = time.monotonic()
        with self._lock:
            # Those that were found just now, and that nobody has taken yet, need not be asked for.
            found = {other for other, (found_at, _shown) in self._found.items() if asked_at - found_at < FRESH_SECONDS / 2}
            others = [other for other in self._wanted if other != campaign_id and other not in found]
        asked = as_many_as_fit(campaign_id, others)
        exchanges: list[Exchange] = []
        try:
            self._api.list_of(query_for(asked), exchanges)
        except HttpError as error:
            for exchange in exchanges:
                exchange["path"] = cut_path(exchange["path"], campaign_id)
                record.append(exchange)
            # What does not pass is a filter that is refused, or a list that this user may not have.
            self._failures = self._failures + 1 if error.passing else MOST_FAILURES
            self._failed_at = asked_at
            return
        self._failures = 0
        with self._lock:
            for asked_id in asked:
                if self._wanted.get(asked_id, asked_at + 1) <= asked_at:
                    self._found[asked_id] = (asked_at, part_of(exchanges[-1], asked_id))


def query_for(campaign_ids: Sequence[str]) -> dict[str, Any]:
    """The parameters that ask for these campaigns, FULL."""
    return {
        "detail": "FULL",
        "limit": PAGE_SIZE,
        "filters": "id in (%s)" % ",".join('"%s"' % escape(campaign_id) for campaign_id in campaign_ids),
    }


def as_many_as_fit(campaign_id: str, others: Sequence[str]) -> list[str]:
    """This campaign and as many of the others as one request can ask for."""
    asked = [campaign_id]
    length = len(as_query(query_for(asked)))
    for other in others[: PAGE_SIZE - 1]:
        length += len(quote(',"%s"' % escape(other), safe=""))
        if length > LONGEST_QUERY:
            break
        asked.append(other)
    return asked


def as_query(params: Mapping[str, Any]) -> str:
    """Parameters as a URL has them."""
    return urlencode(params, quote_via=quote)


def cut_path(path: str, campaign_id: str) -> str:
    """The path of a list, cut to one of the campaigns that it asked for. The sign for what is left out is in no URL."""
    return "%s?%s,…%%29" % (path.partition("?")[0], as_query(query_for([campaign_id]))[: -len("%29")])


def part_of(exchange: Exchange, campaign_id: str) -> Exchange | None:
    """What a list says of one campaign, cut to it and marked so; None where it does not show it exactly once."""
    body = exchange["body"] if isinstance(exchange["body"], list) else []
    found = [one for one in body if isinstance(one, dict) and one.get("id") == campaign_id]
    if len(found) != 1:
        return None
    part = exchange.copy()
    part.update({"path": cut_path(exchange["path"], campaign_id), "body": found, "cut": "to this campaign"})
    return part
