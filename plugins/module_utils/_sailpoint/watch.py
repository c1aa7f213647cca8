# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns as an event source sees them. Private to the collection."""

from __future__ import annotations

import logging

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Params
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._events.watch import (
    WATCH_OPTIONS,
    BadArguments,
    Differences,
    Listed,
    Source,
    Thing,
    harmless,
    is_id,
    open_memory,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    API_VERSIONS,
    CONNECTION_OPTIONS,
    NEXT,
    SailPointApi,
    campaign_filters,
)

COMPLETED = "completed"
FACTS = ("name", "type", "status", "modified", "deadline")
OPTIONS = dict(
    CONNECTION_OPTIONS,
    # Next generation campaigns have no such state.
    api_version=dict(type="str", choices=[version for version in API_VERSIONS if version != NEXT], default="v1"),
    filters=dict(type="str"),
    **WATCH_OPTIONS,
)


def source(params: Params, logger: logging.Logger) -> Source:
    """The Source of completed campaigns. params: the values of OPTIONS. Raises BadArguments."""
    try:
        api = SailPointApi(params)
    except TaskFailed as problem:
        raise BadArguments(problem.msg) from None
    about = {"source": "sailpoint_campaigns", "tenant": api.tenant, "filters": params["filters"]}
    # One event a campaign, and `modified` is no reason for another.
    differences = Differences(api.tenant, [COMPLETED], ("campaign_ids", "campaigns"), params["since"])
    memory = open_memory(params, about)
    return Source(params, memory, differences, lambda: campaigns(api, params), api.client.stop, logger)


def campaigns(api: SailPointApi, params: Params) -> Listed:
    """The campaigns that are COMPLETED. Raises HttpError.

    Their `modified` moves whenever somebody has them scanned, so it says nothing of when they were completed. One that was
    archived meanwhile can be scanned no more, and is no event.
    """
    api.begin_task()
    listed, _total, doubtful = api.list_campaigns(campaign_filters(None, ["COMPLETED"], params["filters"]))
    things = []
    for campaign in listed:
        # Who does not know the filter might list them all.
        if campaign.get("status") != "COMPLETED":
            doubtful = doubtful or not isinstance(campaign.get("status"), str)
            continue
        key = str(campaign["id"])
        if not is_id(key):
            raise HttpError("GET", "campaigns", "the answer holds a campaign with no id that could be one")
        moment = parse_time(campaign.get("modified"))
        facts = {"id": key, **{name: harmless(campaign.get(name)) for name in FACTS}}
        things.append(Thing(key, COMPLETED, None if moment is None else int(moment.timestamp() * 1000), facts))
    return Listed(things, not doubtful)
