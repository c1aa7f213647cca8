# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: xpanse_alerts
short_description: Alerts of Cortex Xpanse that are new, resolved, or reopened
description:
  - Lists all attack surface alerts, compares them with what it saw before, and gives on what is different.
  - Each event is given on at least once, and never twice while the source runs.
version_added: 0.4.0
options:
  events:
    description:
      - What makes an event. V(new) is an alert that was never seen before and is neither of the other two.
    type: list
    elements: str
    choices: [new, resolved, reopened]
    default: [resolved, reopened]
  again:
    description:
      - Whether an alert that is as resolved or as reopened as before, but was changed since, makes an event, too, in which
        O(ignore:again) is true. It may have been reopened and resolved while nobody looked. Or it has got a comment.
      - Set this to V(false) where the verification writes into its alerts (C(verify_update_alerts) of the role
        P(secops.remediation.verify#role)), or each verification brings about the next one.
    type: bool
    default: true
  batch_size:
    description:
      - How many alerts one event holds at most.
    type: int
    default: 1
  severities:
    description:
      - Only alerts of these severities, in the API's words, for example V(high).
    type: list
    elements: str
  filters:
    description:
      - More filters, in the form that the API takes, a list of C(field), C(operator), and C(value).
    type: list
    elements: dict
extends_documentation_fragment:
  - secops.remediation.events
  - secops.remediation.connection
  - secops.remediation.xpanse
"""

EXAMPLES = r"""
- secops.remediation.xpanse_alerts:
    state: /var/lib/remediation/xpanse.json
    events: [resolved]
"""

import asyncio
import logging
from pathlib import Path

try:
    import ansible_collections.secops.remediation as _found  # noqa: F401
except ImportError as error:
    # ansible-rulebook runs this file by its path. Ansible's own loader of collections would be in its way.
    raise ImportError(
        "Python does not find the collection: set PYTHONPATH=%s, the folder that holds ansible_collections"
        % Path(__file__).absolute().parents[7]
    ) from error

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._events.watch import (
    WATCH_OPTIONS,
    BadArguments,
    Differences,
    Queue,
    Source,
    arguments,
    open_memory,
)
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import watch
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import CONNECTION_OPTIONS, XpanseApi

OPTIONS = dict(
    events=dict(type="list", elements="str", choices=list(watch.KINDS), default=["resolved", "reopened"]),
    again=dict(type="bool", default=True),
    batch_size=dict(type="int", default=1),
    **watch.FILTERS,
    **WATCH_OPTIONS,
    **CONNECTION_OPTIONS,
)
LOGGER = logging.getLogger("secops.remediation.xpanse_alerts")


def prepare(args: dict) -> Source:
    """The source, ready to look. Raises BadArguments."""
    params = arguments(args, OPTIONS)
    if params["batch_size"] < 1:
        raise BadArguments("batch_size is %d and must be at least 1" % params["batch_size"])
    if not params["events"]:
        raise BadArguments("events is empty: name what makes an event")
    try:
        api = XpanseApi(params)
    except TaskFailed as problem:
        raise BadArguments(problem.msg) from None
    about = {"source": "xpanse_alerts", "tenant": api.tenant, "filters": watch.conditions(params)}
    differences = Differences(
        api.tenant, params["events"], ("alert_ids", "alerts"), params["since"], params["again"], params["batch_size"]
    )
    memory = open_memory(params, about)
    return Source(params, memory, differences, lambda: watch.alerts(api, params), api.client.stop, LOGGER)


async def main(queue: Queue, args: dict) -> None:
    """What ansible-rulebook calls. Raises BadArguments."""
    await (await asyncio.to_thread(prepare, args)).run(queue)
