# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What there is to say of a campaign, for all forms of the evidence. Private to the collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, words_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Fact, Kind, Witness

# How each count of revoked items is called in a sentence.
ACCESS_COUNTS = {"items_remediated": "gone", "items_open": "still there", "items_unknown": "not known"}
ITEM_COUNTS = ("items_total", "items_remediated", "items_open", "items_unknown")


def campaign_fact(name: str, key: str) -> Fact:
    """A fact that SailPoint's campaign says by itself."""
    return Fact(name, lambda target: dict_at(target, "campaign").get(key))


def item_count(name: str) -> Fact:
    """How many items of the report there are of a state."""
    return Fact(name, lambda target: dict_at(target, "items").get(name))


def access_count(name: str) -> Fact:
    """How many revoked items there are of a state, by what identities and accounts hold."""
    return Fact("access_" + name, lambda target: dict_at(target, "access").get(name))


def revoked_access(target: Target) -> str:
    """What identities and accounts hold of what was revoked, in a sentence."""
    access = dict_at(target, "access")
    counted = ", ".join("%s %s" % (words_of(access[name]), text) for name, text in ACCESS_COUNTS.items() if access.get(name))
    total = words_of(access.get("items_total"))
    return "%s revoked%s" % (total, counted and ": " + counted) if total else ""


def type_and_status(target: Target) -> str:
    """What kind of campaign it is, and how far."""
    campaign = dict_at(target, "campaign")
    return words_of([campaign.get("type"), campaign.get("status")])


def certifications(target: Target) -> Any:
    """How many certifications the campaign has, and how many are completed."""
    campaign = dict_at(target, "campaign")
    total, completed = words_of(campaign.get("totalCertifications")), words_of(campaign.get("completedCertifications"))
    return "%s of %s completed" % (completed, total) if total and completed else total


CAMPAIGN = Kind(
    name="campaign",
    noun="campaign",
    several="SailPoint certification campaigns",
    system="SailPoint Identity Security Cloud",
    scan="campaign remediation scan",
    lane="SailPoint scans",
    still_there="Access that is still there",
    risk="Revoked access is still there",
    statement="Access that a reviewer decided to revoke is still in place, so somebody can use what they must no longer use.",
    objective="Access that reviewers decided to revoke has been removed from the systems that grant it.",
    families=("ac", "ia", "ps"),
    methods=("TEST", "EXAMINE"),
    subject="A certification campaign, with the access that its reviewers decided to revoke",
    standing="A campaign is no component in operation.",
    times={
        "campaign": ("created", "deadline", "modified"),
        "scan": ("requested_at", "modified_before", "modified"),
        "report": ("lastRunAt",),
        "access": ("as_of",),
    },
    facts=(
        Fact("Campaign", type_and_status),
        Fact("Certifications", certifications),
        campaign_fact("Deadline", "deadline"),
        Fact("Campaign changed before the scan", lambda target: dict_at(target, "scan").get("modified_before")),
        Fact("Access", revoked_access),
        Fact("Access as of", lambda target: dict_at(target, "access").get("as_of")),
    ),
    columns=(
        campaign_fact("campaign_status", "status"),
        campaign_fact("campaign_deadline", "deadline"),
        *map(item_count, ITEM_COUNTS),
        *map(access_count, ITEM_COUNTS),
        Fact("access_as_of", lambda target: dict_at(target, "access").get("as_of")),
    ),
    # The words of English reports. No public text has the columns of this report (unknown).
    item_names={
        "identity": ("Identity", "Identity Name", "Identity Display Name", "Display Name", "Name", "User"),
        "account": ("Account", "Account Name", "Native Identity", "Account ID"),
        "access": ("Access", "Access Name", "Entitlement", "Entitlement Name", "Role", "Access Profile", "Access Item"),
        "source": ("Source", "Source Name", "Application", "Application Name"),
        # Of the second witness alone.
        "why": ("Why",),
    },
    witnesses=(Witness("report", "items", "in the report"), Witness("access", "access", "on record", "revoked_access")),
    properties=(campaign_fact("campaign-status", "status"), campaign_fact("campaign-deadline", "deadline")),
)
