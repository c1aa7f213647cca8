# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of items, documents, accounts, and activities, whatever an API puts there; and how little of it is kept."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from conversations import at, damaged
from simulator import access as simulated  # noqa: E402

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_items import Item, Pool, has_revoked
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_search import (
    batches,
    has_value,
    put_accounts,
    put_documents,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_why import explain

MOMENT = at(5)
CERTIFIED = {"id": "acc1", "nativeIdentity": "CN=Alison"}


def shown(kind="ENTITLEMENT", **more):
    """A review item as the API shows it."""
    access = {"type": kind, "id": "a1", "name": "Payroll"}
    entitlement = dict(
        dict(attributeName="memberOf", attributeValue="CN=Payroll", sourceId="s1", sourceName="AD", account=CERTIFIED), **more
    )
    brings = [{"entitlements": [{"id": "e1"}, {"id": "e2"}]}]
    summary = {
        "ENTITLEMENT": {"access": access, "entitlement": entitlement},
        "ACCOUNT": {"access": access},
        "ROLE": {
            "access": access,
            "role": {"id": "a1", "endDate": at(9), "accessProfiles": brings, "entitlements": [{"id": "e3"}]},
        },
        "ACCESS_PROFILE": {"access": access, "accessProfile": dict(brings[0], id="a1", endDate=None)},
    }[kind]
    identity = {"id": "not-this", "identityId": "p1", "name": "Alison"}
    return {"id": "i1", "decision": "REVOKE", "identitySummary": identity, "accessSummary": summary}


def make(kind="ENTITLEMENT", **more):
    return Item("c1", "k1", shown(kind, **more), Pool())


def document(access=(), accounts=(), **more):
    lists = dict(access=list(access), accounts=list(accounts))
    counts = dict(accessCount=len(lists["access"]), accountCount=len(lists["accounts"]))
    return dict(dict(id="p1", synced=at(9), inactive=False, **lists, **counts), **more)


def account(account_id="acc1", source="s1", **more):
    return dict(dict(id=account_id, accountId="cn=alison", source={"id": source}, entitlementAttributes={"memberOf": []}), **more)


def seen(item, *documents):
    """What an item's document says."""
    put_documents({"p1": [item]}, ["p1"], 3, list(documents), Pool())
    return dict(item.document)


def read(item, *accounts):
    """What an item's account says."""
    put_accounts({"acc1": [item]}, ["acc1"], 4, list(accounts), Pool())
    return dict(item.account_read)


class TestItems:
    def test_an_entitlement(self):
        made = make().row()
        assert made["identity"] == {"id": "p1", "name": "Alison"}
        assert made["access"] == {"type": "ENTITLEMENT", "id": "a1", "name": "Payroll"}
        assert (made["attribute"], made["value"]) == ("memberOf", "CN=Payroll")
        assert (made["source"], made["account"]) == ({"id": "s1", "name": "AD"}, {"id": "acc1", "native_identity": "CN=Alison"})
        assert "present" not in made

    def test_roles_and_profiles(self):
        role, profile = make("ROLE"), make("ACCESS_PROFILE")
        assert (role.ends, role.access[7]) == (at(9), ("e1", "e2", "e3"))
        assert (profile.ends, profile.access[7]) == (None, ("e1", "e2"))

    def test_an_account_is_its_own(self):
        assert make("ACCOUNT").account_id == "a1"

    def test_whatever_is_shown_makes_an_item(self):
        dice = random.Random(5)
        for _round in range(2000):
            kind = dice.choice(["ENTITLEMENT", "ACCOUNT", "ROLE", "ACCESS_PROFILE"])
            odd = damaged(shown(kind), dice)
            if isinstance(odd, dict):
                Item("c1", "k1", odd, Pool()).row()

    @pytest.mark.parametrize(
        ("summary", "expected"),
        [
            ({"entitlementsRevoked": 0, "accessProfilesRevoked": 0, "rolesRevoked": 0, "accountsRevoked": 0}, False),
            ({"entitlementsRevoked": 0, "accessProfilesRevoked": 0, "rolesRevoked": 0, "accountsRevoked": 1}, True),
            ({"entitlementsRevoked": 0, "accessProfilesRevoked": 0, "rolesRevoked": 0}, True),
            ({}, True),
        ],
    )
    def test_what_is_not_said_to_be_none_is_read(self, summary, expected):
        assert has_revoked(summary) is expected


class TestDocuments:
    def test_nothing_of_it(self):
        facts = seen(make(), document(accounts=[account()]))
        assert facts == dict(
            answer=3,
            found=True,
            synced=at(9),
            inactive=False,
            access=False,
            standalone=None,
            left=0,
            account=True,
            again=False,
            value=False,
        )

    @pytest.mark.parametrize(
        "entry",
        [
            {"id": "a1", "type": "ENTITLEMENT"},
            {"id": "a1"},
            # The same entitlement, aggregated anew with another id, and in another spelling.
            {"id": "a9", "type": "ENTITLEMENT", "attribute": "memberof", "value": "cn=PAYROLL", "source": {"id": "s1"}},
        ],
    )
    def test_the_access(self, entry):
        assert seen(make(), document([entry]))["access"] is True

    @pytest.mark.parametrize(
        "entry",
        [
            {"id": "a9", "type": "ENTITLEMENT", "attribute": "memberOf", "value": "CN=Payroll", "source": {"id": "s2"}},
            {"id": "a9", "type": "ENTITLEMENT", "attribute": "other", "value": "CN=Payroll", "source": {"id": "s1"}},
            {"id": "a9", "type": "ENTITLEMENT", "attribute": "memberOf", "value": None, "source": {"id": "s1"}},
        ],
    )
    def test_other_access(self, entry):
        assert seen(make(), document([entry]))["access"] is False

    def test_what_a_role_brings(self):
        facts = seen(make("ROLE"), document([{"id": "e1"}, {"id": "e3"}]))
        assert (facts["access"], facts["left"], facts["value"]) == (False, 2, None)

    @pytest.mark.parametrize("kind", ["ROLE", "ACCESS_PROFILE", "ENTITLEMENT"])
    @pytest.mark.parametrize("other", ["A1", " a1", "\uff411"])
    def test_an_id_in_another_spelling_is_not_gone(self, kind, other):
        assert seen(make(kind), document(access=[{"id": other, "type": kind}]))["access"] is True
        assert seen(make("ROLE"), document(access=[{"id": "E1", "type": "ENTITLEMENT"}]))["left"] == 1

    def test_no_document_and_two_of_them(self):
        assert seen(make()) == dict(answer=3, found=False)
        assert seen(make(), dict(document(), id="p2")) == dict(answer=3, found=False)
        assert seen(make(), document(), document())["problem"]

    @pytest.mark.parametrize("field", ["access", "accounts"])
    @pytest.mark.parametrize("odd", [None, "x", {}])
    def test_a_document_without_its_lists(self, field, odd):
        facts = seen(make(), dict(document(), **{field: odd}) if odd is not None else {"id": "p1"})
        assert facts["access" if field == "access" else "account"] is None

    @pytest.mark.parametrize(
        ("count", "expected"),
        [(2, False), (1, None), (3, None), (None, None), ("2", None), (2.0, None), (True, None), (-1, None)],
    )
    def test_lists_that_are_not_as_long_as_they_say(self, count, expected):
        entries = [{"id": "a2", "type": "ROLE"}, {"id": "a3", "type": "ROLE"}]
        accounts = [account("acc2", "s2"), account("acc3", "s2")]
        facts = seen(make(), document(entries, accounts, accessCount=count, accountCount=count))
        assert (facts["access"], facts["account"], facts["again"]) == (expected,) * 3
        # What is listed is there, however much is not.
        assert seen(make(), document([{"id": "a1"}], accessCount=9))["access"] is True
        assert seen(make(), document(accounts=[account()], accountCount=9))["account"] is True

    def test_lists_that_do_not_say_how_long_they_are(self):
        silent = {name: value for name, value in document().items() if not name.endswith("Count")}
        facts = seen(make(), silent)
        assert (facts["access"], facts["account"], facts["again"]) == (None, None, None)

    @pytest.mark.parametrize("entry", [{"type": "ROLE", "name": "Payroll"}, {"id": 7}, {"id": ""}, "a1", None, ["a1"]])
    def test_entries_that_cannot_be_read(self, entry):
        for kind in ("ROLE", "ENTITLEMENT"):
            assert seen(make(kind), document([{"id": "a9"}, entry]))["access"] is None
        facts = seen(make(), document(accounts=[entry]))
        assert (facts["account"], facts["again"]) == (None, None)
        assert seen(make(), document(accounts=[account("acc2", None)]))["account"] is None

    def test_the_product_s_own_account_does_not_count(self):
        """As the specification's examples have it."""
        own = dict(account("acc8", "s8"), source={"id": "s8", "type": "IdentityNowConnector"})
        assert seen(make(), document(accounts=[account("acc2", "s2"), own], accountCount=1))["account"] is False
        assert seen(make(), document(accounts=[account("acc2", "s2"), own], accountCount=2))["account"] is None

    def test_what_has_no_id_is_in_no_list(self):
        item = make("ROLE")
        item.access = item.access._replace(id=None)
        assert seen(item, document([{"id": "a1", "type": "ROLE"}]))["access"] is None

    def test_the_certified_account_comes_first(self):
        other = account("acc2", entitlementAttributes={"memberOf": ["CN=Payroll"]})
        facts = seen(make(), document(accounts=[account(), other]))
        assert (facts["account"], facts["again"], facts["value"]) == (True, False, False)

    @pytest.mark.parametrize(
        ("name", "source", "held", "expected"),
        [
            # The same account, made anew under another id.
            ("cn=alison", "s1", ["CN=Payroll"], (False, True, True)),
            ("cn=alison", "s1", [], (False, True, None)),
            # Another one of the same source, which may be it.
            ("cn=somebody", "s1", ["CN=Payroll"], (False, None, True)),
            ("cn=somebody", "s1", [], (False, None, None)),
            ("cn=alison", "s2", ["CN=Payroll"], (False, False, None)),
        ],
    )
    def test_an_account_that_may_be_the_certified_one_under_another_id(self, name, source, held, expected):
        other = account("acc2", source, accountId=name, entitlementAttributes={"memberOf": held})
        facts = seen(make(), document(accounts=[other]))
        assert (facts["account"], facts["again"], facts["value"]) == expected

    def test_without_a_source_the_name_is_all_there_is(self):
        certified = dict(
            shown("ACCOUNT"), accessSummary=dict(access=dict(type="ACCOUNT", id="a1"), entitlement=dict(account=CERTIFIED))
        )
        item = Item("c1", "k1", certified, Pool())
        assert seen(item, document(accounts=[account("acc2", "s2")]))["again"] is None
        assert seen(item, document(accounts=[account("acc2", "s2", accountId="x")]))["again"] is False

    @pytest.mark.parametrize("certified", [None, {"nativeIdentity": "CN=Alison"}, {"nativeIdentity": "CN=Alison", "id": None}])
    def test_an_item_that_does_not_name_the_account_id(self, certified):
        held = account("acc7", entitlementAttributes={"memberOf": ["CN=Payroll"]})
        assert seen(make(account=certified), document(accounts=[account(), held]))["value"] is True
        one_of_two = document(accounts=[account()], accountCount=2)
        assert seen(make(account=certified), one_of_two)["value"] is None
        assert seen(make(), one_of_two)["value"] is False
        elsewhere = account("acc7", source="s2", entitlementAttributes={"memberOf": ["CN=Payroll"]})
        facts = seen(make(account=certified), document(accounts=[elsewhere]))
        assert (facts["account"], facts["value"]) == (False, None)

    def test_whatever_search_answers(self):
        dice = random.Random(7)
        whole = [document([{"id": "a1", "type": "ENTITLEMENT", "attribute": "x", "value": "y"}], [account()])]
        for _round in range(2000):
            odd = damaged(whole, dice)
            if isinstance(odd, list) and all(isinstance(one, dict) for one in odd):
                facts = seen(make(), *odd)
                assert facts.get("access") in (True, False, None)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"memberOf": ["CN=Payroll"]}, True),
        ({"memberof": " cn=payroll "}, True),
        ({"memberOf": ["CN=Other"]}, False),
        ({"memberOf": None}, False),
        ({"memberOf": []}, False),
        ({}, False),
        # The specification allows it, and it shows nothing.
        (None, None),
        # Several values in one text, or one that looks so.
        ({"memberOf": "CN=Other, CN=Payroll"}, None),
        ({"memberOf": ["CN=Payroll;CN=Other"]}, None),
        ({"memberOf": "CN=Other|CN=Payroll|CN=Third"}, None),
        ({"memberOf": "CN=Payrolls,CN=Payroll 2"}, False),
        ("", None),
        ([], None),
        ({"memberOf": [{"value": "CN=Payroll"}]}, None),
        ({"memberOf": {"CN=Payroll": True}}, None),
    ],
)
def test_values(attributes, expected):
    assert has_value(attributes, "memberOf", "CN=Payroll") is expected


@pytest.mark.parametrize(
    ("held", "value"),
    [
        (1, "1"),
        (1.0, "1"),
        ("1.0", "1"),
        (1.5, "1.50"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\uff21dmin", "admin"),
        ("\u03aa\u0301", "\u0390"),
    ],
)
def test_one_value_in_two_spellings(held, value):
    assert has_value({"x": [held]}, "x", value) is True
    assert has_value({"x": [value]}, "x", str(held)) is True


@pytest.mark.parametrize(("held", "value"), [("1.5", "1"), ("10", "1"), ("v1.0", "v1"), ("Zoe", "Zo\u00eb")])
def test_two_values(held, value):
    assert has_value({"x": [held]}, "x", value) is False


def test_a_value_that_is_a_boolean():
    assert has_value({"admin": True}, "admin", "true") is True
    assert has_value({"admin": False}, "admin", "true") is False


@pytest.mark.parametrize(("attribute", "value"), [(None, "x"), ("x", None)])
def test_an_item_that_does_not_say_which_value(attribute, value):
    assert has_value({"x": "x"}, attribute, value) is None


class TestAccounts:
    def test_an_account(self):
        facts = read(
            make(), dict(id="acc1", identityId="p2", modified=at(5), disabled=False, attributes={"memberOf": "CN=Payroll"})
        )
        assert facts == dict(answer=4, found=True, identity_id="p2", modified=at(5), disabled=False, shown=True, value=True)

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            (None, (False, None)),
            ("x", (False, None)),
            ({}, (False, False)),
            ({"other": 1}, (False, False)),
            ({"MEMBEROF": []}, (True, False)),
            ({"MEMBEROF": [None]}, (True, False)),
            ({"memberOf": None}, (True, False)),
        ],
    )
    def test_attributes_that_are_not_shown(self, attributes, expected):
        facts = read(make(), dict(id="acc1", identityId="p1", modified=at(5), disabled=False, attributes=attributes))
        assert (facts["shown"], facts["value"]) == expected

    def test_none_two_and_one_without_attributes(self):
        assert read(make(), {"id": "acc2"}) == dict(answer=4, found=False)
        assert read(make(), {"id": "acc1"}, {"id": "acc1"})["problem"]
        assert read(make(), {"id": "acc1"})["value"] is None

    def test_the_sources_that_were_seen(self):
        assert put_accounts({"acc1": [make()]}, ["acc1"], 4, [{"id": "acc9", "sourceId": "s1"}, {"id": 7}], Pool()) == {"s1"}


class TestBatches:
    def test_by_number_and_by_length(self):
        ids = ["%032d" % number for number in range(120)]
        assert [len(one) for one in batches(ids, 50)] == [50, 50, 20]
        assert max(len(one) for one in batches(ids, 50, 1000)) == 22
        assert [one for batch in batches(ids, 50, 1000) for one in batch] == ids
        assert batches([], 50) == []
        assert batches(["x" * 5000], 50, 1000) == [["x" * 5000]]


AD, PRODUCT = {"id": "s1", "name": "AD"}, {"id": "s0", "name": "IdentityNow"}


def activity(op="Remove", status="Finished", created=MOMENT, value="CN=Payroll", account_id="cn=alison", **more):
    request = {
        "accountId": account_id,
        "attributeRequests": [{"name": more.pop("attribute", "memberOf"), "op": op, "value": value}],
        "source": more.pop("source", AD),
        "result": {"status": status, "errors": []},
    }
    return dict(dict(created=created, action="Refresh", recipient={"id": "p1"}, accountRequests=[request]), **more)


def why(*activities, work=(), item=None):
    item = item or make()
    explain([item], list(activities), list(work))
    return item.why


class TestWhy:
    def test_nobody_says_it(self):
        assert why() is None
        assert why(activity(value="CN=Other")) is None
        assert why(activity(account_id="cn=somebody else")) is None
        assert why(dict(activity(), recipient={"id": "p2"})) is None
        assert why(activity(created="yesterday")) is None

    @pytest.mark.parametrize(
        "other",
        [
            dict(source={"id": "s2", "name": "AD"}),
            dict(source=None),
            dict(attribute="groups"),
            dict(attribute=None),
            dict(account_id="cn=alison.admin"),
            dict(account_id=None),
        ],
    )
    def test_another_item_of_the_same_value_explains_nothing(self, other):
        assert why(activity(status="failed", **other)) is None
        assert why(activity(status="failed")) == "its removal failed (%s)" % MOMENT

    def test_the_account_by_its_name_or_its_id(self):
        assert why(activity(status="failed", account_id="acc1")) == "its removal failed (%s)" % MOMENT

    @pytest.mark.parametrize("status", ["failed", "retry", "pending", "Manual Task Created", "Deferred", None])
    def test_what_was_not_carried_out_gave_nothing(self, status):
        assert why(activity("Add", status, created=at(9))) is None
        assert why(activity("Add", status, created=at(9)), activity(status="failed")) == "its removal failed (%s)" % MOMENT

    @pytest.mark.parametrize(
        ("status", "words"),
        [
            ("Failed", "its removal failed"),
            ("Manual Task Created", "a manual task was made of its removal"),
            ("retry", "its removal is being retried"),
            ("Pending", "its removal is pending"),
            ("committed", "it is there all the same"),
            ("Deferred", "its removal has the status Deferred"),
            (None, "its removal has the status None"),
        ],
    )
    def test_words_of_a_result(self, status, words):
        assert words in why(activity(status=status))

    def test_what_cannot_be_revoked(self):
        assert why(item=make(revocable=False)) == "the item says of itself that a certification cannot revoke it"
        assert why(item=make(revocable=True)) is None

    def test_the_last_change_counts(self):
        given = activity("Add", created=at(9))
        assert why(given, activity()) == "given again at %s by the activity Refresh" % at(9)
        assert "all the same" in why(given, activity(created=at(10)))

    def test_a_role_is_known_by_its_name_or_id(self):
        assert "failed" in why(activity(status="failed", value=["Payroll"], source=PRODUCT), item=make("ROLE"))
        assert "failed" in why(activity(status="failed", value="a1"), item=make("ROLE"))
        # An entitlement may be called the same.
        assert why(activity(status="failed", value=["Payroll"]), item=make("ROLE")) is None

    def test_work_items(self):
        part = dict(nativeIdentity="cn=ALISON", attributeName="memberOf", attributeValue="CN=Payroll", applicationName="AD")
        work = {"id": "w1", "ownerName": "Tomáš", "state": "Pending", "remediationItems": [part]}
        assert why(work=[work]) == "the work item w1 of Tomáš is open"
        assert why(work=[dict(work, state="Finished")]) is None
        for other in ("nativeIdentity", "attributeName", "attributeValue", "applicationName"):
            assert why(work=[dict(work, remediationItems=[dict(part, **{other: "x"})])]) is None
            assert why(work=[dict(work, remediationItems=[dict(part, **{other: None})])]) is None
        assert why(work=[dict(work, remediationItems=[dict(part, attributeOperation="add")])]) is None

    def test_work_items_of_roles(self):
        part = dict(targetId="p1", attributeValue="Payroll")
        work = {"id": "w1", "ownerName": "Tomáš", "state": "Pending", "remediationItems": [part]}
        assert why(work=[work], item=make("ROLE")) == "the work item w1 of Tomáš is open"
        assert why(work=[dict(work, remediationItems=[dict(part, targetId="p2")])], item=make("ROLE")) is None
        assert why(work=[dict(work, remediationItems=[dict(targetId="p1")])], item=make("ROLE")) is None

    def test_whatever_activities_hold(self):
        dice = random.Random(9)
        work = {"id": "w1", "state": "Pending", "remediationItems": [{"nativeIdentity": "x", "attributeValue": "y"}]}
        for _round in range(2000):
            odd = damaged(activity("Add", expansionItems=[{"attributeRequest": {"value": "CN=Payroll"}, "cause": "Role"}]), dice)
            odd_work = damaged(work, dice)
            # That all of them are objects is seen to when they are read.
            why(odd if isinstance(odd, dict) else activity(), work=[odd_work] if isinstance(odd_work, dict) else ())


def test_an_item_takes_little_memory():
    """200,000 of them have to fit into 200 MB, with everything else."""
    count = 5000
    pool = Pool()

    class Campaign:
        fields = {"id": "5b1f0c9e7d2a4e6f8a3c1d4b9e7f2a01"}
        settings = {"access": {"generated": dict(certifications=25, items=200, revoked=200, identities=500, open=0)}}

    reviewed = simulated.Generated(Campaign())
    tracemalloc.start()
    try:
        items = []
        for number in range(25):
            page = [item.shown(0) for item in reviewed.page(number, 0, 200)[0]]
            items += [Item("c1", "k%d" % number, one, pool) for one in page]
        for item in items:
            document = (("answer", 0), ("found", True), ("synced", item.identity_id), ("inactive", False), ("access", False))
            item.document = pool.same(document)
        del page, document
        taken, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(items) == count
    assert taken / count < 800
