# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the record of a look at revoked access proves: a true one, and each of the least damages that make it prove nothing."""

from __future__ import annotations

import copy
import inspect
import random
import re

import pytest
from access_record import NOW, SIGNED, SYNCED, certification, item, listing, page, prove, reading, record, summary
from conversations import at, damaged, exchange, reasons_in

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import access_proof
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import reloads_in


def proved(change=None):
    """What is proved of the record after change(campaign, lookups, items)."""
    one, lookups, items = copy.deepcopy(record())
    if change:
        change(one, lookups, items)
    return prove([one], lookups, items)["c1"]


def judged(item_id="i1", tasks=(), lookups=None, **changes):
    """What is said of one item. changes: of the item, dicts into dicts."""
    one = item(item_id)
    for name, value in changes.items():
        one[name] = dict(one[name] or {}, **value) if isinstance(value, dict) else value
    return access_proof.judge_item(one, SIGNED, lookups or record()[1], dict(tasks))


class TestTheWholeRecord:
    def test_everything_is_gone(self):
        found = proved()
        assert (found["outcome"], found["complete"], found["problems"]) == ("remediated", True, [])
        assert found["reason"] == "4 of 4 revoked items are gone from the identities, as of %s" % SYNCED
        assert [found["items_" + name] for name in ("total", "gone", "present", "unknown")] == [4, 4, 0, 0]
        assert found["as_of"] == SYNCED

    def test_nothing_was_revoked(self):
        def change(one, lookups, items):
            items.clear()
            lookups.clear()
            one["answers"][2:-1] = [summary(name, 0, 0, 0, 0) for name in ("k1", "k2", "k3")]

        found = proved(change)
        assert (found["outcome"], found["reason"], found["complete"]) == ("remediated", "nothing was revoked", True)

    def test_one_item_is_still_there(self):
        found = proved(lambda one, lookups, items: items[1]["document"].update(access=True))
        assert (found["outcome"], found["complete"]) == ("unremediated", True)
        assert found["reason"] == "1 of 4 revoked items is still there, as of %s" % SYNCED

    def test_one_that_is_there_outweighs_what_is_not_known(self):
        def change(one, lookups, items):
            items[1]["document"].update(access=True)
            items[0]["document"] = items[0]["account_read"] = None
            one["error"] = "something failed"

        found = proved(change)
        assert (found["outcome"], found["complete"]) == ("unremediated", False)
        assert "something failed" in found["reason"] and "Search was not asked" in found["reason"]

    def test_several_that_are_still_there(self):
        def change(one, lookups, items):
            items[0]["document"].update(access=True, synced=at(650))
            items[1]["document"].update(access=True, synced=at(610))

        # The oldest moment is the one that can be relied on.
        assert proved(change)["reason"] == "2 of 4 revoked items are still there, as of %s" % SYNCED

    def test_the_oldest_moment_counts(self):
        assert proved(lambda one, lookups, items: items[2]["document"].update(synced=at(60)))["as_of"] == at(60)

    def test_a_campaign_that_was_read_in_a_list(self):
        """REPORT_ADMIN may not read it otherwise; a list of campaigns is none of certifications."""

        def change(one, lookups, items):
            for whole in (one["answers"][0], one["answers"][-1]):
                whole.update(path="/campaigns/v1?filters=x", body=[whole["body"]])

        assert proved(change)["outcome"] == "remediated"

    def test_numbers_that_add_up(self):
        def change(one, lookups, items):
            one["answers"][1]["body"][0].update(decisionsMade=5, decisionsTotal=5)
            one["answers"][2]["body"].update(
                entitlementDecisionsMade=3, entitlementDecisionsTotal=3, entitlementsApproved=2, roleDecisionsMade=2
            )
            one["answers"][2]["body"].update(roleDecisionsTotal=2, rolesApproved=1, machineIdentitiesRevoked=0)
            one["answers"].insert(3, one["answers"][2])

        assert proved(change)["outcome"] == "remediated"

    def test_lists_that_do_not_say_how_long_they_are(self):
        """They end with an empty page."""

        def change(one, lookups, items):
            for place, empty in ((3, page("k1", 0, None)), (1, listing())):
                one["answers"][place]["total"] = None
                one["answers"].insert(place + 1, dict(empty, total=None))

        assert proved(change)["outcome"] == "remediated"

    def test_items_of_other_campaigns_do_not_count(self):
        other = dict(item("i1"), campaign_id="c2")
        assert proved(lambda one, lookups, items: items.append(other))["items_total"] == 4

    def test_many_reasons_are_counted_and_bounded(self):
        def change(one, lookups, items):
            items[0]["document"].update(synced=None)
            items[0]["account_read"] = None
            items[1]["document"].update(synced=at(-5))
            items[2]["document"].update(synced=at(-6))
            items[3]["document"].update(found=False)

        reason = proved(change)["reason"]
        assert "of 4 of 4 revoked items it cannot be said" in reason
        assert "the identity's document is from before the sign-off (2)" in reason

    def test_more_reasons_than_are_said(self, monkeypatch):
        monkeypatch.setattr(access_proof, "MOST_REASONS", 1)

        def change(one, lookups, items):
            items[0].update(document=None, account_read=None)
            items[1]["document"].update(found=False)

        assert "and 1 more reasons" in proved(change)["reason"]


def answers(place, **changes):
    """Changes an answer of the campaign."""
    return lambda one, lookups, items: one["answers"][place].update(changes)


def body(place, **changes):
    """Changes the body of an answer of the campaign."""
    return lambda one, lookups, items: one["answers"][place]["body"].update(changes)


def campaign_says(**changes):
    """Changes what the campaign says whenever it is read."""

    def change(one, lookups, items):
        for place in (0, -1):
            one["answers"][place]["body"].update(changes)

    return change


def both(*changes):
    """Makes all of these changes."""

    def change(one, lookups, items):
        for each in changes:
            each(one, lookups, items)

    return change


def only_readings(*readings):
    """Has these in place of all readings, the last of them at the end."""

    def change(one, lookups, items):
        one["answers"][:] = [*readings[:-1], *one["answers"][1:-1], *readings[-1:]]

    return change


def listed(number, **changes):
    """Changes a certification in the list."""
    return lambda one, lookups, items: one["answers"][1]["body"][number].update(changes)


def without(place):
    """Takes an answer of the campaign away."""
    return lambda one, lookups, items: one["answers"].pop(place)


def lookup(place, **changes):
    """Changes a lookup."""
    return lambda one, lookups, items: lookups[place].update(changes)


DAMAGES = {
    "no campaign": (only_readings(), "no answer on record shows the campaign"),
    "another campaign": (campaign_says(id="c2"), "no answer on record shows the campaign"),
    "an error for a campaign": (
        only_readings(dict(reading(1), status=403), dict(reading(), status=403)),
        "no answer on record shows the campaign",
    ),
    "a campaign that was not read again": (without(-1), "the campaign was not read again after its items"),
    "a campaign that was read once, at the end": (without(0), "the campaign was not read again after its items"),
    "a campaign that could not be read again": (answers(-1, status=503), "the campaign was not read again after its items"),
    "a campaign that was read again before its items": (
        lambda one, lookups, items: one["answers"].insert(2, one["answers"].pop()),
        "the campaign was not read again after its items",
    ),
    "a campaign that was read again before Search was asked": (
        answers(-1, server_time=at(NOW - 6)),
        "the campaign was not read again after the last look at what is there",
    ),
    "a campaign that was read again at a time that nobody knows": (
        answers(-1, server_time=None),
        "the campaign was not read again after the last look at what is there",
    ),
    "Search was asked after the last reading": (
        lookup(0, server_time=at(NOW + 6)),
        "the campaign was not read again after the last look at what is there",
    ),
    "accounts were asked after the last reading": (
        lookup(1, server_time=at(NOW + 6)),
        "the campaign was not read again after the last look at what is there",
    ),
    "a campaign that was modified meanwhile": (body(-1, modified=at(1)), "the campaign changed while it was looked at"),
    "a campaign with more certifications at the end": (body(-1, totalCertifications=4), "the campaign changed while it was"),
    "a campaign with fewer certifications before": (
        body(0, totalCertifications=2),
        "the campaign changed while it was looked at",
    ),
    "a campaign with certifications opened again": (body(-1, completedCertifications=2), "the campaign changed while it was"),
    "a campaign of another type before": (body(0, type="ROLE_COMPOSITION"), "the campaign changed while it was looked at"),
    "a campaign that was open before": (body(0, status="ACTIVE"), "the campaign changed while it was looked at"),
    "a campaign that was open in between": (
        lambda one, lookups, items: one["answers"].insert(3, reading(4, status="ACTIVE")),
        "the campaign changed while it was looked at",
    ),
    "a campaign that does not say when it was modified": (
        campaign_says(modified=None),
        "the campaign does not say when it was modified",
    ),
    "an error": (lambda one, lookups, items: one.update(error="HTTP 500"), "HTTP 500"),
    "an archived campaign": (campaign_says(status="ARCHIVED"), "the campaign is ARCHIVED"),
    "a role composition campaign": (
        campaign_says(type="ROLE_COMPOSITION"),
        "the items of a role composition campaign are not shown",
    ),
    "no number of certifications": (campaign_says(totalCertifications=None), "does not say how many certifications it has"),
    "true certifications": (campaign_says(totalCertifications=True), "does not say how many certifications it has"),
    "a list that is none": (answers(1, body=None), "no answer on record lists the certifications"),
    "a certification twice, and as many as there should be": (
        lambda one, lookups, items: one["answers"][1].update(body=[*one["answers"][1]["body"], certification("k1")], total=4),
        "the list of certifications changed while it was read, or was cut off",
    ),
    "an error for a summary": (answers(6, status=500), "there is no summary of the decisions"),
    "a summary that is none": (answers(6, body=None), "there is no summary of the decisions"),
    "a summary of something else": (answers(6, path="/campaigns/v1/k3/decision-summary"), "there is no summary of the decisions"),
    "a negative number": (body(6, rolesRevoked=-1), "does not say how many were revoked"),
    "an error for items": (answers(3, status=500), "the items that were read do not add up to the summary"),
    "items that do not say": (answers(3, revoked=None), "the items that were read do not add up to the summary"),
    "no list": (without(1), "no answer on record lists the certifications"),
    "a list with an error": (answers(1, status=500), "no answer on record lists the certifications"),
    "governance groups": (campaign_says(totalCertifications=4), "the list shows 3 of 4 certifications"),
    "more than there are": (campaign_says(totalCertifications=2), "the list shows 3 of 2 certifications"),
    "a list that was cut": (answers(1, total=4), "the list of certifications changed while it was read, or was cut off"),
    "a certification twice": (
        lambda one, lookups, items: one["answers"][1]["body"].append(certification("k1")),
        "the list of certifications changed while it was read, or was cut off",
    ),
    "another campaign's certification": (listed(0, campaign={"id": "c2"}), "the list has certifications of another campaign"),
    "not signed": (listed(0, phase="ACTIVE"), "1 of 3 certifications are not known to be signed off"),
    "no date of signing": (listed(2, signed=None), "1 of 3 certifications are not known to be signed off"),
    "signed in the future": (listed(2, signed=at(9000)), "1 of 3 certifications are not known to be signed off"),
    "signed before there was the campaign": (
        both(campaign_says(created=at(-9)), listed(2, signed=at(-10))),
        "1 of 3 certifications are not known to be signed off",
    ),
    "signed in 1970": (
        both(campaign_says(created=at(-9)), listed(2, signed="1970-01-01T00:00:00Z")),
        "1 of 3 certifications are not known to be signed off",
    ),
    "signed in the year 1": (
        both(campaign_says(created=at(-9)), listed(2, signed="0001-01-01T00:00:00Z")),
        "1 of 3 certifications are not known to be signed off",
    ),
    "no clock at the list": (answers(1, server_time=None), "3 of 3 certifications are not known to be signed off"),
    "a certification with an error": (listed(1, hasErrors=True), "1 of 3 certifications have an error"),
    "a certification that does not say": (listed(1, hasErrors=None), "1 of 3 certifications have an error"),
    "no summary": (without(6), "of 1 certifications there is no summary of the decisions"),
    "a summary of another": (answers(6, path="/certifications/v1/k9/decision-summary"), "there is no summary of the decisions"),
    "a summary without a number": (body(6, rolesRevoked=None), "does not say how many were revoked"),
    "a summary with an odd number": (body(6, rolesRevoked=True), "does not say how many were revoked"),
    "a summary that says more": (body(2, entitlementsRevoked=2), "the items that were read do not add up to the summary"),
    "a summary that says less": (body(2, entitlementsRevoked=0), "the items that were read do not add up to the summary"),
    "another kind that was revoked": (
        body(6, machineIdentitiesRevoked=2),
        "of 1 certifications the summary of the decisions does not say how many were revoked",
    ),
    "another kind, and nobody says of it": (body(6, machineIdentityDecisionsMade=2), "does not say how many were revoked"),
    "another kind in the other generation": (body(6, accountDecisions={"revoked": 3}), "does not say how many were revoked"),
    "another kind that is odd": (body(6, accountDecisions=3), "does not say how many were revoked"),
    "decisions that nobody knows": (
        body(6, entitlementDecisionsMade=3, entitlementsApproved=1),
        "of 1 certifications the decisions in the summary do not add up",
    ),
    "a number of decisions that is none": (body(6, roleDecisionsMade=True), "the decisions in the summary do not add up"),
    "fewer decisions than the certification has": (listed(2, decisionsTotal=1), "the decisions in the summary do not add up"),
    "fewer decisions than were made": (listed(2, decisionsMade=1), "the decisions in the summary do not add up"),
    "true decisions": (listed(2, decisionsTotal=True), "the decisions in the summary do not add up"),
    "another summary of the same": (
        lambda one, lookups, items: one["answers"].insert(6, summary("k3", 5, 0, 0, 0)),
        "of 1 certifications there are two summaries of the decisions that differ",
    ),
    "another summary of one with items": (
        lambda one, lookups, items: one["answers"].insert(2, summary("k1", 1, 0, 1, 1)),
        "of 1 certifications there are two summaries of the decisions that differ",
    ),
    "items that were revoked, and a summary that says none": (
        lambda one, lookups, items: one["answers"].append(page("k3", 3, 3, ROLE=1)),
        "of 1 certifications the items that were read do not add up to the summary",
    ),
    "items in another's place": (answers(3, count=250, total=None), "the items that were read do not add up to the summary"),
    "fewer items than a page has, and no total": (
        answers(3, total=None),
        "the items that were read do not add up to the summary",
    ),
    "a list of certifications without a total": (answers(1, total=None), "changed while it was read, or was cut off"),
    "a list of certifications with a true total": (answers(1, total=True), "changed while it was read, or was cut off"),
    "another composition campaign": (
        campaign_says(type="ACCESS_PROFILE_COMPOSITION"),
        "the items of an access profile composition campaign are not shown",
    ),
    "a campaign of a type that nobody knows": (
        campaign_says(type="DATA_ACCESS"),
        "what is decided in a campaign of the type DATA_ACCESS is not known",
    ),
    "a campaign without a type": (campaign_says(type=None), "what is decided in a campaign of the type None is not known"),
    "no items": (without(3), "the items that were read do not add up to the summary"),
    "items that were cut": (answers(3, total=6), "the items that were read do not add up to the summary"),
    "other items": (answers(3, revoked={"ENTITLEMENT": 2}), "the items that were read do not add up to the summary"),
    "an item too few": (lambda one, lookups, items: items.pop(), "3 revoked items are on record, and the summaries"),
    "an item too many": (
        lambda one, lookups, items: items.append(dict(item("i1"), item_id="i9")),
        "5 revoked items are on record",
    ),
    "another item": (
        lambda one, lookups, items: items[0].update(certification_id="k2"),
        "the revoked items on record are not those of the summaries of the decisions",
    ),
    "an item twice": (
        lambda one, lookups, items: items[1].update(item_id="i1"),
        "the revoked items on record are not those of the summaries of the decisions",
    ),
    "junk for a number": (answers(3, count="five"), "what is on record of the certifications cannot be judged (TypeError"),
    "junk for an item": (lambda one, lookups, items: items[0].update(access=None), "what is on record of it cannot be judged"),
    "no clock at Search": (lookup(0, server_time=None), "Search does not say the server's time"),
    "Search failed": (lookup(0, status=503), "Search has no answer on record"),
    "another call than Search": (lookup(0, path="/accounts/v1"), "Search has no answer on record"),
    "no lookups": (lambda one, lookups, items: lookups.clear(), "Search has no answer on record"),
}


class TestTheLeastDamage:
    @pytest.mark.parametrize(("change", "reason"), DAMAGES.values(), ids=DAMAGES)
    def test_no_damaged_record_proves_that_all_is_gone(self, change, reason):
        found = proved(change)
        assert (found["outcome"], found["complete"]) == ("inconclusive", False)
        assert reason in found["reason"]

    def test_a_campaign_that_is_open_again_is_pending(self):
        found = proved(body(-1, status="ACTIVE"))
        assert (found["outcome"], found["complete"]) == ("pending", False)

    def test_what_a_campaign_of_an_unknown_type_shows_is_there(self):
        def change(one, lookups, items):
            campaign_says(type="DATA_ACCESS")(one, lookups, items)
            items[1]["document"].update(access=True)

        assert proved(change)["outcome"] == "unremediated"

    def test_an_item_twice_hides_another(self):
        def change(one, lookups, items):
            # Two of a type, of which one came twice and the other never.
            one["answers"][2] = summary("k1", 2, 0, 0, 0)
            one["answers"][3] = page("k1", 5, 5, ENTITLEMENT=2)
            items[1] = item("i1")

        found = proved(change)
        assert found["outcome"] == "inconclusive"
        assert "the revoked items on record are not those of the summaries" in found["reason"]

    @pytest.mark.parametrize("status", ["ACTIVE", "STAGED", "PENDING", "COMPLETING"])
    def test_decisions_that_are_still_to_come(self, status):
        found = proved(campaign_says(status=status))
        assert (found["outcome"], found["complete"]) == ("pending", False)
        assert found["reason"] == "the campaign is %s: not all decisions are made yet" % status

    def test_whatever_is_damaged_nothing_breaks_and_no_item_is_lost(self):
        """A record may hold junk anywhere: what comes out is an outcome, and all is gone only where nothing was harmed."""
        dice = random.Random(3)
        whole = record()
        for _round in range(1500):
            one, lookups, items = (damaged(part, dice) if dice.random() < 0.5 else part for part in whole)
            if not isinstance(one, dict) or not isinstance(lookups, list) or not isinstance(items, list):
                continue
            found = prove([one], lookups, [each for each in items if isinstance(each, dict)])
            for verdict in found.values():
                assert verdict["outcome"] in ("remediated", "unremediated", "inconclusive", "pending")
                if verdict["outcome"] == "remediated":
                    assert verdict["complete"] and verdict["items_gone"] == verdict["items_total"]


LOST = {"found": False, "source_seen": True}


def cut(**counts):
    """The lookups, in which the list of accounts has other counts."""
    lookups = record()[1]
    lookups[1].update(counts)
    return lookups


def task(**changes):
    """A task that read the account of i1 again, as reloads_in gives it."""
    return dict(dict(completionStatus="SUCCESS", completed=at(650), accounts=["acc%2Fi1"]), **changes)


GONE = {
    "an entitlement": (judged(), ["search", "account"]),
    "an entitlement by the document alone": (judged(account_read=None), ["search"]),
    "a role": (judged("i2"), ["search"]),
    "an access profile": (judged("i3"), ["search"]),
    "an account": (judged("i4"), ["account"]),
    "by the account alone": (judged(document={"found": False}), ["account"]),
    "by an account that belongs to another": (
        judged(document={"account": False}, account_read={"identity_id": "p2"}),
        ["account"],
    ),
    "an account that is gone": (
        judged(document={"account": False, "value": None}, account_read={"found": False, "source_seen": True}),
        ["account"],
    ),
    "a document without the attribute": (judged(document={"value": None}), ["account"]),
    "an inactive identity with a new document": (judged(document={"inactive": True}), ["search", "account"]),
    "an account whose document does not list access": (judged("i4", document={"access": None}), ["account"]),
    "an account whose attribute is not shown, and a new document": (
        judged(document={"account": False}, account_read={"shown": False}),
        ["account"],
    ),
    "an old document that has it, and the account": (
        judged(document={"synced": at(-9), "access": True, "value": True}),
        ["account"],
    ),
    "an account that may be another one, and says so itself": (
        judged(document={"account": False, "again": None, "value": None}, account_read={"identity_id": "p2"}),
        ["account"],
    ),
    "an account not read since": (judged(account_read={"modified": at(-5)}), ["search"]),
}


def apart(*seconds):
    """Lookups whose answers came so many seconds apart."""
    return [
        exchange(one["method"], one["path"], seconds=NOW + later, count=1, total=1) for one, later in zip(record()[1], seconds)
    ]


THERE = {
    "in the document": (judged(document={"access": True}), "the identity still has it"),
    "in the account of the document": (judged(document={"value": True}), "the certified account still has it"),
    "in the account": (judged(account_read={"value": True}), "the account still has it"),
    "through another account": (judged(document={"access": True, "value": False}), "through another account or grant"),
    "through a role": (
        judged(document={"access": True, "value": True, "standalone": False}),
        "through a role or an access profile",
    ),
    "a role": (judged("i2", document={"access": True}), "the identity still has it"),
    "an account of the identity": (judged("i4", document={"account": True}, account_read=None), "the account is still there"),
    "an account that was made anew": (
        judged("i4", document={"again": True}),
        "the account is there again, under another id",
    ),
    "in an account that was made anew": (
        judged(document={"account": False, "again": True, "value": True}, account_read=LOST),
        "another account of the same source has it",
    ),
    "an item without an id": (judged(access={"id": None}, account_read={"value": True}), "the account still has it"),
    "an account of another": (
        judged("i4", account_read=dict(found=True, identity_id="p2", disabled=False, modified=at(9))),
        "the account is still there",
    ),
    "a disabled account that was made anew": (
        judged("i4", document={"again": True, "disabled": True}),
        "the account is there again, under another id",
    ),
    "an account that was enabled again": (
        judged("i4", document={"account": True, "disabled": True}, account_read=dict(found=True, disabled=False, modified=at(9))),
        "the account is still there",
    ),
    "an end that was to come when Search was asked": (
        judged(document={"access": True}, account_read={"value": True, "answer": 1}, ends=at(NOW + 5), lookups=apart(0, 9)),
        "the account still has it",
    ),
    "a role that was to end": (judged("i2", document={"access": True}, ends=at(-5)), "the identity still has it"),
}
UNKNOWN = {
    "a type that nobody knows": (judged(access={"type": "CAMPAIGN"}), "items of the type CAMPAIGN are not understood"),
    "no sign-off": (
        access_proof.judge_item(item("i1"), None, record()[1], {}),
        "nobody knows when its certification was signed off",
    ),
    "nobody asked": (judged("i2", document=None), "Search was not asked for the identity"),
    "an error": (judged("i2", document={"problem": "HTTP 503"}), "Search could not be asked: HTTP 503"),
    "twice": (judged("i2", document={"problem": access_proof.TWICE}), "Search says it twice"),
    "no place": (judged("i2", document={"answer": None}), "Search has no answer on record"),
    "a place that there is not": (judged("i2", document={"answer": 7}), "Search has no answer on record"),
    "a place that is true": (judged("i2", document={"answer": True}), "Search has no answer on record"),
    "an identity that is unknown": (judged("i2", document={"found": False}), "Search does not know the identity"),
    "a cut answer": (
        judged("i2", document={"found": False}, lookups=[exchange("POST", "/search/v1", seconds=NOW, count=1, total=2)]),
        "Search's answer was cut off",
    ),
    "no moment": (judged("i2", document={"synced": None}), "does not say when it was synchronised"),
    "the future": (judged("i2", document={"synced": at(9000)}), "from the future by the server's clock"),
    "an old document": (judged("i2", document={"synced": at(0)}), "from before the sign-off: "),
    "an old document that has it": (judged("i2", document={"synced": at(-9), "access": True}), "from before the sign-off: "),
    "an inactive identity": (
        judged("i2", document={"synced": at(-9), "inactive": True}),
        "(an inactive identity leaves the nightly synchronisation)",
    ),
    "an end to come": (judged("i2", document={"access": True}, ends=at(9000)), "is to end later: "),
    "an entitlement with an end to come": (judged(document={"access": True}, ends=at(9000)), "is to end later: "),
    "an end to come, in the account": (judged(document=None, account_read={"value": True}, ends=at(9000)), "is to end later: "),
    "an end to come, and an account": (judged(account_read={"value": True}, ends=at(9000)), "is to end later: "),
    "an end to come, in both": (
        judged(document={"access": True}, account_read={"value": True}, ends=at(9000)),
        "is to end later: ",
    ),
    "an account that was there before the sign-off": (
        judged("i4", document=None, account_read=dict(found=True, disabled=False, modified=at(-9))),
        "the account is still there, as it was last read before the sign-off",
    ),
    "an account that nobody says when it was read": (
        judged("i4", account_read=dict(found=True, disabled=False, modified=None)),
        "the account is still there, as it was last read before the sign-off",
    ),
    "a disabled account in the document": (
        judged("i4", document={"account": True, "disabled": True}, account_read=None),
        "the account is there and disabled",
    ),
    "a role with an account": (
        judged("i2", document={"found": False}, account_read=item("i1")["account_read"]),
        "Search does not know the identity",
    ),
    "an account that is not listed, and no document": (
        judged(document={"found": False}, account_read={"found": False, "source_seen": True}),
        "no such account is listed",
    ),
    "an account that is not listed, and an old document": (
        judged(document={"synced": at(-9)}, account_read={"found": False, "source_seen": True}),
        "no such account is listed",
    ),
    "an account that is not listed, and nobody asked Search": (
        judged(document=None, account_read={"found": False, "source_seen": True}),
        "no such account is listed",
    ),
    "a total that nobody said": (
        judged("i2", document={"found": False}, lookups=[exchange("POST", "/search/v1", seconds=NOW, count=1, total=None)]),
        "Search does not know the identity",
    ),
    "a reload of the future": (
        judged(account_read={"task": "t1"}, tasks={"t1": task(completed=at(9000))}),
        "could not be read again",
    ),
    "an odd end": (judged("i2", document={"access": True}, ends="soon"), "is to end later: soon"),
    "an access without an id": (judged("i2", access={"id": None}), "the item does not say the id of its access"),
    "an access with a number for an id": (judged("i3", access={"id": 7}), "the item does not say the id of its access"),
    "an entitlement without an id": (judged(access={"id": ""}), "the item does not say the id of its access"),
    "an account without an id": (judged("i4", access={"id": " "}), "the item does not say the id of its access"),
    "nobody's access": (judged("i2", identity={"id": None}), "the item does not say the id of its identity"),
    "nobody's access, and an account": (
        judged(identity={"id": None}, document=None),
        "the item does not say the id of its identity",
    ),
    "no identity at all": (judged("i2", identity=None), "the item does not say the id of its identity"),
    "a lost account, and a list that was cut": (judged("i4", lookups=cut(total=3)), "the list of accounts was cut off"),
    "a lost account, and a list that does not say": (judged("i4", lookups=cut(total=None)), "or does not say how many there are"),
    "a lost account, and a list that says true": (
        judged("i4", lookups=cut(total=True, count=1)),
        "or does not say how many there are",
    ),
    "a lost account, and a list that counts nothing": (judged("i4", lookups=cut(count=None)), "the list of accounts was cut off"),
    "a lost account, and an old document that has the access": (
        judged(document={"synced": at(-9), "access": True, "account": False}, account_read=LOST),
        "no such account is listed",
    ),
    "a lost account, and a document without a moment": (
        judged(document={"synced": None, "account": False}, account_read=LOST),
        "no such account is listed",
    ),
    "a lost account, and access that is not all listed": (
        judged(document={"access": None, "account": False}, account_read=LOST),
        "does not list all of its access",
    ),
    "a lost account, and one that may be it": (
        judged(document={"account": False, "again": None, "value": None}, account_read=LOST),
        "may have been made anew under another id",
    ),
    "a lost account, and one that is it": (
        judged(document={"account": False, "again": True, "value": None}, account_read=LOST),
        "may have been made anew under another id",
    ),
    "a lost account, which the document lists": (
        judged(document={"value": None}, account_read=LOST),
        "does not show the account's attribute",
    ),
    "an account of which nobody knows whether it was made anew": (
        judged("i4", document={"again": None}),
        "may have been made anew under another id",
    ),
    "an account that has it no more, and access that is not all listed": (
        judged(document={"access": None}),
        "does not list all of its access",
    ),
    "an account whose attribute is not shown, and an old document that has it": (
        judged(document={"synced": at(-9), "access": True}, account_read={"shown": False}),
        "the account does not show the attribute, and nothing else says that it is gone",
    ),
    "an account whose attribute is not shown, and no document": (
        judged(document={"found": False}, account_read={"shown": None}),
        "the account does not show the attribute, and nothing else says that it is gone",
    ),
    "no list of access": (judged("i2", document={"access": None}), "does not list all of its access"),
    "no list of accounts": (judged(document={"account": None}, account_read=None), "does not list all of its accounts"),
    "no account": (judged(document={"account": False}, account_read=None), "is not among the identity's accounts"),
    "no account, out of sight": (
        judged(document={"account": False}, account_read={"found": False, "source_seen": False}),
        "no such account is listed, or this user may not see it",
    ),
    "no attribute": (judged(document={"value": None}, account_read=None), "does not show the account's attribute"),
    "an account without the attribute": (judged(account_read={"value": None}), "the account does not show the attribute"),
    "an account that had it": (
        judged(account_read={"value": True, "modified": at(-9)}),
        "the account still has it, as it was last read before the sign-off",
    ),
    "an account that nobody has read since": (
        judged(document={"found": False}, account_read={"modified": at(-9)}),
        "the account is not known to have been read since the sign-off",
    ),
    "an account of the future": (
        judged(document={"found": False}, account_read={"modified": at(9000)}),
        "the account is not known to have been read since the sign-off",
    ),
    "a disabled account": (
        judged("i4", account_read=dict(found=True, identity_id="p2", disabled=True)),
        "the account is there and disabled",
    ),
    "an error of the accounts": (judged(account_read={"problem": "HTTP 500"}), "the account could not be asked: HTTP 500"),
    "no reload": (
        judged(account_read={"reload_problem": "it went wrong"}),
        "could not be read again from its source: it went wrong",
    ),
    "a reload that nobody saw": (judged(account_read={"task": "t1"}), "task t1 ended with None"),
    "a reload that failed": (
        judged(account_read={"task": "t1"}, tasks={"t1": task(completionStatus="ERROR")}),
        "task t1 ended with ERROR",
    ),
    "a reload of another account": (
        judged(account_read={"task": "t1"}, tasks={"t1": task(accounts=["acc%2Fi2"])}),
        "could not be read again",
    ),
    "a reload of two accounts": (
        judged(account_read={"task": "t1"}, tasks={"t1": task(accounts=["acc%2Fi1", "acc%2Fi2"])}),
        "could not be read again",
    ),
    "a reload that nobody started": (
        judged(account_read={"task": "t1"}, tasks={"t1": task(accounts=[])}),
        "could not be read again",
    ),
    "a reload before the sign-off": (
        judged(account_read={"task": "t1"}, tasks={"t1": task(completed=at(-9))}),
        "could not be read again",
    ),
}


class TestOneItem:
    @pytest.mark.parametrize(("answer", "seen_in"), GONE.values(), ids=GONE)
    def test_gone(self, answer, seen_in):
        assert (answer["present"], answer["seen_in"]) == (False, seen_in), answer
        assert answer["seen_at"] and answer["seen_at"] > SIGNED

    @pytest.mark.parametrize(("answer", "reason"), THERE.values(), ids=THERE)
    def test_still_there(self, answer, reason):
        assert answer["present"] is True and reason in answer["reason"] and answer["seen_in"]

    @pytest.mark.parametrize(("answer", "reason"), UNKNOWN.values(), ids=UNKNOWN)
    def test_unknown_is_never_gone(self, answer, reason):
        assert (answer["present"], answer["seen_in"], answer["seen_at"]) == (None, [], None)
        assert reason in answer["reason"]

    @pytest.mark.parametrize("owner", [None, 7, "", "p1"])
    def test_only_another_id_is_another_identity(self, owner):
        answer = judged(document=None, account_read={"identity_id": owner})
        assert (answer["present"], answer["reason"]) == (False, "the account has it no more")

    def test_a_reason_is_said_once(self):
        answer = judged("i4", document={"account": True}, account_read=dict(found=True, disabled=False, modified=at(9)))
        assert (answer["reason"], answer["seen_in"]) == ("the account is still there", ["search", "account"])

    def test_only_what_is_seen_to_be_there_is_to_end_later(self):
        ends = {"ends": at(9000)}
        assert judged("i2", document={"access": True}, **ends)["ends_later"] is True
        assert judged(document=None, account_read={"value": True}, **ends)["ends_later"] is True
        for answer in (
            judged("i2", **ends),
            judged("i2", document={"access": True, "synced": at(-9)}, **ends),
            judged("i2", document={"access": True}, ends=at(-9)),
            judged(document=None, account_read={"value": True, "modified": at(-9)}, **ends),
        ):
            assert answer["ends_later"] is False

    def test_the_plain_reasons(self):
        assert judged("i2", document={"access": True})["reason"] == "the identity still has it"
        assert judged("i2")["reason"] == "the identity has it no more"
        assert judged(document={"found": False})["reason"] == "the account has it no more"
        there = judged(document={"access": True, "value": False, "account": False}, account_read=None)
        assert there["reason"] == "the identity still has it"

    @pytest.mark.parametrize(("left", "words"), [(1, "1 is there"), (2, "2 are there")])
    def test_what_a_role_leaves_behind_is_said(self, left, words):
        answer = judged("i2", document={"left": left})
        assert answer["present"] is False and words in answer["reason"]

    def test_an_account_that_was_read_again_is_fresh(self):
        tasks = {"t1": task()}
        answer = judged(document=None, account_read={"task": "t1", "modified": at(-9)}, tasks=tasks)
        assert (answer["present"], answer["seen_at"]) == (False, at(650))

    def test_every_reason_is_shown(self):
        shown = [answer["reason"] for answer, _more in (*GONE.values(), *THERE.values(), *UNKNOWN.values())]
        shown += [proved(change)["reason"] for change, _reason in DAMAGES.values()]
        shown.append(judged("i2", document={"left": 2})["reason"])
        functions = [
            access_proof.judge_item,
            access_proof.view_of_document,
            access_proof.still_there,
            access_proof.how_it_is_there,
            access_proof.not_there,
            access_proof.what_is_missing,
            access_proof.view_of_account,
            access_proof.lost_account,
            access_proof.lookup_in,
            access_proof.nothing_to_read,
            *filter(inspect.isfunction, vars(access_proof.Decisions).values()),
            access_proof.Tally.add,
            access_proof.Tally.verdict,
        ]
        for pattern in reasons_in(*functions):
            assert any(re.search(pattern.replace("%d", ".*"), reason) for reason in shown), pattern


class TestTasks:
    def test_the_last_look_at_a_task_counts(self):
        looks = [
            exchange("GET", "/task-status/v1?filters=x", body=[{"id": "t1", "completionStatus": None}]),
            exchange("GET", "/task-status/v1?filters=x", body=[{"id": "t1", "completionStatus": "SUCCESS"}]),
            exchange("GET", "/task-status/v1?filters=x", status=500, body=[{"id": "t1", "completionStatus": "ERROR"}]),
            exchange("GET", "/accounts/v1", body=[{"id": "t1", "completionStatus": "ERROR"}]),
        ]
        assert reloads_in(looks)["t1"]["completionStatus"] == "SUCCESS"

    def test_what_a_task_was_started_for(self):
        looks = [
            exchange("POST", "/accounts/v1/acc%2Fi1/reload", status=202, body={"id": "t1"}),
            exchange("POST", "/v2025/accounts/acc2/reload", status=202, body={"id": "t2"}),
            exchange("POST", "/v2025/accounts/acc3/reload", status=202, body={"id": "t2"}),
            exchange("POST", "/accounts/v1/acc4/reload", status=503, body={"id": "t1"}),
            exchange("POST", "/accounts/v1/acc4/reload", status=202, body="t1"),
            exchange("GET", "/task-status/v1", body=[{"id": "t1"}, {"id": "t2"}, {"id": "t3"}]),
        ]
        found = {name: one["accounts"] for name, one in reloads_in(looks).items()}
        assert found == {"t1": ["acc%2Fi1"], "t2": ["acc2", "acc3"], "t3": []}
