# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a look at revoked access, as tests make it up: everything is gone."""

from __future__ import annotations

from exchanges import at, campaign, exchange

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import Tally, reloads_in

SIGNED = at(0)
SYNCED = at(600)
NOW = 700
TYPES = {"i1": "ENTITLEMENT", "i2": "ROLE", "i3": "ACCESS_PROFILE", "i4": "ACCOUNT"}
COUNTS = ("entitlementsRevoked", "accessProfilesRevoked", "rolesRevoked", "accountsRevoked")


def item(item_id, certification="k1", **more):
    """A revoked item that is gone, as the record has it."""
    kind = TYPES[item_id]
    has_account = kind in ("ENTITLEMENT", "ACCOUNT")
    gone = kind == "ACCOUNT"
    account = dict(answer=1, found=True, identity_id="p1", modified=at(500), disabled=False, shown=True, value=False)
    return dict(
        dict(
            campaign_id="c1",
            certification_id=certification,
            item_id=item_id,
            identity=dict(id="p1", name="Alison"),
            access=dict(type=kind, id="a-" + item_id, name="Access"),
            account=dict(id="acc/" + item_id, native_identity="alison") if has_account else dict(id=None, native_identity=None),
            ends=None,
            document=dict(
                answer=0,
                found=True,
                synced=SYNCED,
                inactive=False,
                access=False,
                standalone=None,
                left=0,
                account=not gone if has_account else None,
                again=False,
                value=False if kind == "ENTITLEMENT" else None,
            ),
            account_read=dict(answer=1, found=False, source_seen=True) if gone else account if has_account else None,
        ),
        **more,
    )


def certification(certification_id, **more):
    return dict(dict(id=certification_id, campaign={"id": "c1"}, phase="SIGNED", signed=SIGNED, hasErrors=False), **more)


def listing(*certifications, total=None, **more):
    body = list(certifications)
    count = len(body) if total is None else total
    return exchange("GET", "/certifications/v1?limit=250&offset=0", body=body, seconds=2, count=len(body), total=count, **more)


def summary(certification_id, *counts):
    return exchange("GET", "/certifications/v1/%s/decision-summary" % certification_id, body=dict(zip(COUNTS, counts)), seconds=3)


def page(certification_id, count, total, **revoked):
    path = "/certifications/v1/%s/access-review-items?limit=250&offset=0" % certification_id
    return exchange("GET", path, seconds=4, count=count, total=total, revoked=revoked)


def reading(seconds=NOW, **more):
    """The campaign was read."""
    body = campaign(0, **dict(dict(totalCertifications=3, completedCertifications=3, type="MANAGER"), **more))
    return exchange("GET", "/campaigns/v1/c1?detail=FULL", body=body, seconds=seconds)


def record(shown=None):
    """(campaign, lookups, items) of a campaign that is remediated: four items, one of each type, in two certifications.

    shown: what is different of the campaign, a dict. Where it has four certifications, nothing was revoked in the fourth.
    """
    answers = [
        reading(1),
        listing(certification("k1"), certification("k2"), certification("k3")),
        summary("k1", 1, 0, 1, 0),
        page("k1", 5, 5, ENTITLEMENT=1, ROLE=1),
        summary("k2", 0, 1, 0, 1),
        page("k2", 2, 2, ACCESS_PROFILE=1, ACCOUNT=1),
        summary("k3", 0, 0, 0, 0),
        reading(),
    ]
    if shown:
        for place in (0, -1):
            answers[place]["body"].update(shown)
        if shown["totalCertifications"] == 4:
            answers[1] = listing(*map(certification, ("k1", "k2", "k3", "k4")))
            answers.insert(-1, summary("k4", 0, 0, 0, 0))
    lookups = [
        exchange("POST", "/search/v1?limit=250", seconds=NOW, count=1, total=1),
        exchange("GET", "/accounts/v1?limit=250", seconds=NOW, count=2, total=2),
    ]
    items = [item("i1"), item("i2"), item("i3", "k2"), item("i4", "k2")]
    return dict(campaign_id="c1", answers=answers), lookups, items


def prove(campaigns, lookups, items):
    """By a campaign's id what the record proves of it: see Tally.verdict. items: gone through once."""
    lookups = [one if isinstance(one, dict) else {} for one in lookups]
    tasks = reloads_in(lookups)
    tallies = {
        campaign["campaign_id"]: Tally(campaign, lookups, tasks)
        for campaign in campaigns
        if isinstance(campaign.get("campaign_id"), str)
    }
    for one in items:
        campaign_id = one.get("campaign_id")
        if isinstance(campaign_id, str) and campaign_id in tallies:
            tallies[campaign_id].add(one)
    return {campaign_id: tally.verdict() for campaign_id, tally in tallies.items()}
