# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: seconds that no client can stay below, however it is written, because the API says so.

A client without any cost of its own, that knows the moment at which each scan ends, still has to
- send its requests within the rate limit, of which the last is a look at (or a file of) the last target;
- and, after the last scan was started, wait for as long as that scan takes, and look once.
The later of the two is the floor.
"""

from __future__ import annotations

import math

# One to start the scan, one to see how it ended.
EXPOSURE_REQUESTS = 2
# Start the scan; run the report; see that it is there, and under which id; download it. What a campaign was before, that its
# scan has ended, and that nothing has changed since its report are seen in lists, which hold up to 250 of them: three rounds.
CAMPAIGN_REQUESTS = 4
CAMPAIGN_PAGE = 250
CAMPAIGN_ROUNDS = 3
RATE_WINDOW = 10.0


def sent_at(number, rate_limit):
    """The earliest second at which the request with this number (from 1) can leave: a windowful at once, then wait."""
    return (number - 1) // rate_limit * RATE_WINDOW if rate_limit else 0.0


def exposures_floor(count, rate_limit, scan_seconds, latency):
    """(seconds, requests) for so many exposures."""
    requests = EXPOSURE_REQUESTS * count
    last_scan_seen = sent_at(count, rate_limit) + latency + scan_seconds
    return max(sent_at(requests, rate_limit), last_scan_seen) + latency, requests


def campaigns_floor(count, rate_limit, scan_seconds, report_seconds, latency):
    """(seconds, requests) for so many campaigns. Getting a token is not limited, but it takes a request."""
    lists = math.ceil(count / CAMPAIGN_PAGE)
    limited = CAMPAIGN_REQUESTS * count + CAMPAIGN_ROUNDS * lists
    # The last campaign: listed, scanned, listed, its report run, seen, and downloaded, and listed, one after the other.
    last_campaign_done = (
        latency + sent_at(lists + count, rate_limit) + 2 * latency + scan_seconds + 2 * latency + report_seconds + 3 * latency
    )
    return max(sent_at(limited, rate_limit) + 2 * latency, last_campaign_done), limited + 1
