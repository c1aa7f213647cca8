# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: sailpoint_campaigns
short_description: Certification campaigns of SailPoint that were completed
description:
  - Lists the completed campaigns, compares them with what it saw before, and gives on each that is new, in an event of its own.
  - Each event is given on at least once, and never twice while the source runs.
  - SailPoint says so by itself, too, see O(ignore:sailpoint_webhook). It says so once, and to whoever is there to hear it.
version_added: 0.4.0
options:
  filters:
    description:
      - A filter of SailPoint's list of campaigns besides that they are completed, for example C(name sw "Finance").
    type: str
extends_documentation_fragment:
  - secops.remediation.events
  - secops.remediation.connection
  - secops.remediation.sailpoint
"""

EXAMPLES = r"""
- secops.remediation.sailpoint_campaigns:
    state: /var/lib/remediation/sailpoint.json
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

from ansible_collections.secops.remediation.plugins.module_utils._events.watch import Queue, Source, arguments
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import watch

OPTIONS = watch.OPTIONS
LOGGER = logging.getLogger("secops.remediation.sailpoint_campaigns")


def prepare(args: dict) -> Source:
    """The source, ready to look. Raises BadArguments."""
    return watch.source(arguments(args, OPTIONS), LOGGER)


async def main(queue: Queue, args: dict) -> None:
    """What ansible-rulebook calls. Raises BadArguments."""
    await (await asyncio.to_thread(prepare, args)).run(queue)
