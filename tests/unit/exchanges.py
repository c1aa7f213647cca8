# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Single exchanges, as tests make them up. Needs nothing of the collection, so that every environment can import it."""

from __future__ import annotations

import datetime

NOON = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.timezone.utc)


def at(seconds):
    """The moment so many seconds after noon, by the clock of all servers here."""
    return (NOON + datetime.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def exchange(method, path, status=200, body=None, sent=None, seconds=0, **more):
    """One exchange, as the client records it."""
    return dict(
        dict(method=method, path=path, status=status, reference=None, server_time=at(seconds), sent=sent, body=body), **more
    )


def campaign(modified=None, campaign_id="c1", **more):
    """A campaign as the API shows it. modified: text, or seconds after noon."""
    modified = at(modified) if isinstance(modified, int) else modified
    return dict(
        dict(
            id=campaign_id,
            name="Quarterly review",
            status="COMPLETED",
            modified=modified,
            totalCertifications=4,
            completedCertifications=4,
        ),
        **more,
    )
