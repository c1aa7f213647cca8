# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint: who reviewed what in a campaign, and what the identities and their accounts hold today.

Nothing of it is stored. Items, identities, and accounts are worked out when somebody asks, from a campaign's `items` (the
rows of its report), or from numbers alone, so a campaign of 200,000 items costs no memory.
"""

from __future__ import annotations

import itertools
import uuid

from simulator.core import iso

DAY_MS = 86_400_000
TYPES = ("ENTITLEMENT", "ACCESS_PROFILE", "ROLE", "ACCOUNT")
SUMMARY = {
    "ENTITLEMENT": ("entitlement", "entitlements"),
    "ACCESS_PROFILE": ("accessProfile", "accessProfiles"),
    "ROLE": ("role", "roles"),
    "ACCOUNT": ("account", "accounts"),
}
# What may be the matter with a revoked item; see Item and Company.
CASES = (
    "unknown",  # Search does not know the identity
    "stale",  # its document is from before the sign-off
    "inactive",  # the identity has left the nightly sync
    "moved",  # its account was correlated to another identity
    "deleted",  # its account is gone
    "future",  # its access ends on a date to come
    "left",  # the role is gone, and one of its entitlements is left through another grant
    "other_grant",  # the entitlement is held through a role, too
    "short",  # the identity has more access than its document lists, this one among it
    "value_only",  # the document lists the access no more, and the account still has the value
    "given_again",  # removed, and given again by a role
    "failed",
    "manual",
    "retry",
    "pending",
)
SETTINGS = {
    "signed": None,  # milliseconds
    "hidden": 0,  # certifications of governance groups, which the list leaves out
    "unsigned": 0,  # certifications that nobody signed off
    "errors": 0,  # certifications with an error
    "summary_off": 0,  # what the summaries say too much
    "cut": 0,  # items that the lists leave out, and count
    "lost": 0,  # items that the lists leave out, and do not count
    "generated": None,  # certifications, items and revoked in each, identities, open: see Generated
}
KEPT = 2  # items of each certification of the company that were approved
# Who owns every source, and so has the manual tasks.
SOURCE_OWNER = "Tomáš Horák"


def made_id(*parts):
    """An id that is always the same for the same parts."""
    return uuid.uuid5(uuid.NAMESPACE_DNS, ".".join(map(str, parts))).hex


def owner_id():
    """The id of the owner of every source."""
    return made_id("identity", SOURCE_OWNER)


def attribute_of(source):
    """The attribute of a source's accounts that holds their entitlements."""
    return "memberOf" if source == "Active Directory" else "groups"


class Item:
    """One item of a certification."""

    def __init__(self, item_id, identity, account, source, kind, access, revoked, held, comment="", case=None, identity_id=None):
        self.id = item_id
        self.identity, self.identity_id = identity, identity_id or made_id("identity", identity)
        self.account, self.source, self.kind, self.access = account, source, kind, access
        self.revoked, self.held, self.comment, self.case = revoked, held, comment, case
        self.source_id = made_id("source", source)
        self.account_id = made_id("account", source, account)
        self.access_id = self.account_id if kind == "ACCOUNT" else made_id("access", source, kind, access)

    def entitlements(self):
        """(name, id) of the entitlements that a role or an access profile brings."""
        return [
            (name, made_id("access", self.source, "ENTITLEMENT", name))
            for name in (self.access + " read", self.access + " write")
        ]

    def shown(self, now):
        """As the API shows it. now: milliseconds."""
        summary = {
            "access": {"type": self.kind, "id": self.access_id, "name": self.access},
            "entitlement": None,
            "accessProfile": None,
            "role": None,
        }
        end = iso(now + 30 * DAY_MS) if self.case == "future" else None
        if self.kind == "ENTITLEMENT":
            summary["entitlement"] = self._entitlement(self.access, self.access_id, True)
        elif self.kind == "ACCESS_PROFILE":
            summary["accessProfile"] = self._profile(self.access, self.access_id, end)
        elif self.kind == "ROLE":
            profile = self._profile(self.access + " profile", made_id("access", self.source, "profile of", self.access), None)
            summary["role"] = {
                "id": self.access_id,
                "name": self.access,
                "description": "Made for the simulation",
                "privileged": False,
                "owner": self._owner(),
                "revocable": True,
                "accessProfiles": [profile],
                "entitlements": profile["entitlements"],
                **({"endDate": end} if end else {}),
            }
        # The API leaves out what an item has not.
        summary = {name: value for name, value in summary.items() if value is not None}
        return {
            "accessSummary": summary,
            "identitySummary": {
                "id": made_id("summary", self.id),
                "name": self.identity,
                "identityId": self.identity_id,
                "completed": True,
            },
            "id": self.id,
            "completed": True,
            "newAccess": False,
            "decision": "REVOKE" if self.revoked else "APPROVE",
            "comments": self.comment or None,
        }

    @staticmethod
    def _owner():
        return {"type": "IDENTITY", "id": made_id("identity", "owner"), "name": "Sofia Andersson", "email": None}

    def _entitlement(self, name, access_id, with_account):
        return {
            "id": access_id,
            "name": name,
            "description": None,
            "privileged": False,
            "owner": self._owner(),
            "attributeName": attribute_of(self.source),
            "attributeValue": name,
            "sourceSchemaObjectType": "group",
            "sourceName": self.source,
            "sourceType": "Simulated - Direct",
            "sourceId": self.source_id,
            "hasPermissions": False,
            "isPermission": False,
            "revocable": True,
            "cloudGoverned": False,
            "containsDataAccess": False,
            "account": {
                "nativeIdentity": self.account,
                "disabled": False,
                "locked": False,
                "type": "ACCOUNT",
                "id": self.account_id,
                "name": self.account,
                "created": None,
                "modified": None,
            }
            if with_account
            else None,
        }

    def _profile(self, name, access_id, end):
        return {
            "id": access_id,
            "name": name,
            "description": "Made for the simulation",
            "privileged": False,
            "cloudGoverned": False,
            "endDate": end,
            "owner": self._owner(),
            "entitlements": [self._entitlement(one, one_id, False) for one, one_id in self.entitlements()],
        }


class Reviewed:
    """The certifications of one campaign, made of the rows of its report and of items that were approved."""

    def __init__(self, campaign):
        self.campaign = campaign
        self.settings = campaign.settings["access"]

    @property
    def count(self):
        """How many certifications the list shows."""
        total = self.campaign.fields.get("totalCertifications")
        return max(0, (total if isinstance(total, int) else 0) - self.settings["hidden"])

    def _rows(self, number):
        total = max(1, self.count)
        return [(place, row) for place, row in enumerate(self.campaign.settings["items"], 1) if (place - 1) % total == number]

    def item(self, place, row):
        """The revoked item of a row of the report."""
        return Item(
            made_id("item", self.campaign.fields["id"], place),
            row.get("identity", ""),
            row.get("account", ""),
            row.get("source", ""),
            row.get("access_type", "ENTITLEMENT"),
            row.get("access", ""),
            True,
            self.campaign.holds(place, row),
            row.get("comment", ""),
            row.get("case"),
        )

    def items(self, number):
        """The items of a certification: those that were revoked first."""
        revoked = [self.item(place, row) for place, row in self._rows(number)]
        kept = [
            Item(
                made_id("kept", self.campaign.fields["id"], number, one),
                "Sofia Andersson",
                "sandersson",
                "Active Directory",
                "ENTITLEMENT",
                "CN=Everybody-%d" % (number * KEPT + one),
                False,
                True,
            )
            for one in range(KEPT)
        ]
        return revoked + kept

    def page(self, number, offset, limit):
        """(items, how many there are)."""
        items = self.items(number)
        return items[offset : offset + limit], len(items)

    def revoked(self, number):
        """By type, how many items were revoked."""
        rows = [row.get("access_type", "ENTITLEMENT") for _place, row in self._rows(number)]
        return {kind: rows.count(kind) for kind in TYPES}, len(rows) + KEPT

    def of_identities(self):
        """All revoked items, by the id of their identity."""
        found = {}
        for place, row in enumerate(self.campaign.settings["items"], 1):
            item = self.item(place, row)
            found.setdefault(item.identity_id, []).append(item)
        return found


class Generated(Reviewed):
    """A campaign that is nothing but numbers.

    settings["generated"]: `certifications`, `items` of each, `revoked` of these, `identities` who share them, and `open`: of
    so many revoked items one is still there (0: none). `kept`, which may be missing: so much other access each identity has.
    """

    PREFIX = "9e"

    @property
    def count(self):
        return self.settings["generated"]["certifications"]

    def _item(self, number, place):
        plan = self.settings["generated"]
        is_revoked = place < plan["revoked"]
        row = number * plan["revoked"] + place if is_revoked else number * plan["items"] + place
        who = row % plan["identities"]
        mark = self.campaign.fields["id"][-6:]
        return Item(
            "%s%06x%024x" % ("17" if is_revoked else "18", int(mark, 16), row),
            "Person %06d" % who,
            "person%06d" % who,
            "Active Directory",
            "ENTITLEMENT",
            "CN=Share-%s-%d,OU=Groups,DC=brightwater,DC=example" % (mark, row % 5000 if is_revoked else 5000 + row % 50),
            is_revoked,
            not is_revoked or bool(plan["open"]) and row % plan["open"] == 0,
            identity_id="%s%030x" % (self.PREFIX, who),
        )

    def page(self, number, offset, limit):
        most = self.settings["generated"]["items"]
        return [self._item(number, place) for place in range(offset, min(most, offset + limit))], most

    def revoked(self, number):
        plan = self.settings["generated"]
        return {**dict.fromkeys(TYPES, 0), "ENTITLEMENT": plan["revoked"]}, plan["items"]

    def kept(self, identity_id):
        """Other access of one identity."""
        who = int(identity_id[2:], 16) if identity_id.startswith(self.PREFIX) else None
        for number in range(self.settings["generated"].get("kept", 0) if who is not None else 0):
            access = "CN=Kept-%d,OU=Groups,DC=brightwater,DC=example" % ((who + number) % 5000)
            person = "person%06d" % who
            yield Item("", person, person, "Active Directory", "ENTITLEMENT", access, False, True, identity_id=identity_id)

    def of_identity(self, identity_id):
        """The revoked items of one identity."""
        plan = self.settings["generated"]
        if not identity_id.startswith(self.PREFIX):
            return []
        who = int(identity_id[2:], 16)
        rows = range(who, plan["certifications"] * plan["revoked"], plan["identities"]) if who < plan["identities"] else ()
        return [self._item(*divmod(row, plan["revoked"])) for row in rows]


class Company:
    """What all campaigns together say of identities, accounts, and what happened to them. now: milliseconds."""

    def __init__(self, campaigns, now, lag):
        self.now, self.synced = now, now - lag
        self._reviewed = [reviewed_in(campaign) for campaign in campaigns]
        self._by_identity = {}
        for reviewed in self._reviewed:
            if not isinstance(reviewed, Generated):
                for identity_id, items in reviewed.of_identities().items():
                    self._by_identity.setdefault(identity_id, []).extend(items)

    def of_identity(self, identity_id):
        """The revoked items of an identity."""
        items = list(self._by_identity.get(identity_id, ()))
        for reviewed in self._reviewed:
            if isinstance(reviewed, Generated):
                items += reviewed.of_identity(identity_id)
        return items

    def identity_ids(self):
        """The ids of all identities that anything was revoked of, but for generated ones."""
        return sorted(self._by_identity)

    def document(self, identity_id):
        """The identity's document in Search, or None."""
        items = self.of_identity(identity_id)
        cases = {item.case for item in items}
        if not items or "unknown" in cases:
            return None
        is_old = cases & {"stale", "inactive"}
        access, accounts = {}, {}
        kept = (reviewed.kept(identity_id) for reviewed in self._reviewed if isinstance(reviewed, Generated))
        for item in itertools.chain(items, *kept):
            self._put(item, access, accounts)
        return {
            "_type": "identity",
            "_version": "v2",
            "id": identity_id,
            "name": items[0].account,
            "displayName": items[0].identity,
            "created": iso(self.now - 900 * DAY_MS),
            "modified": iso(self.now - 100 * DAY_MS if is_old else self.synced),
            "synced": iso(self.now - 90 * DAY_MS if is_old else self.synced),
            "inactive": "inactive" in cases,
            "status": "UNREGISTERED",
            "attributes": {"displayName": items[0].identity},
            "accounts": list(accounts.values()),
            "accountCount": len(accounts),
            "access": list(access.values()),
            "accessCount": len(access) + ("short" in cases),
        }

    def _put(self, item, access, accounts):
        if item.kind in ("ENTITLEMENT", "ACCOUNT") and (
            item.case not in ("moved", "deleted") and (item.kind != "ACCOUNT" or item.held)
        ):
            account = accounts.setdefault(
                item.account_id,
                {
                    "id": item.account_id,
                    "name": item.account,
                    "accountId": item.account,
                    "source": {"id": item.source_id, "name": item.source, "type": "Simulated - Direct"},
                    "disabled": False,
                    "locked": False,
                    "privileged": False,
                    "manuallyCorrelated": False,
                    "entitlementAttributes": {attribute_of(item.source): []},
                    "created": iso(self.now - 900 * DAY_MS),
                },
            )
            if item.kind == "ENTITLEMENT" and item.held:
                account["entitlementAttributes"][attribute_of(item.source)].append(item.access)
        if item.case == "left":
            name, access_id = item.entitlements()[0]
            access[access_id] = self._entry(item, "ENTITLEMENT", name, access_id, False)
        if not item.held or item.kind == "ACCOUNT" or item.case in ("moved", "deleted", "short", "value_only"):
            return
        through_role = item.case in ("other_grant", "given_again")
        access[item.access_id] = self._entry(item, item.kind, item.access, item.access_id, not through_role)
        if item.kind != "ENTITLEMENT":
            for name, access_id in item.entitlements():
                access.setdefault(access_id, self._entry(item, "ENTITLEMENT", name, access_id, False))

    @staticmethod
    def _entry(item, kind, name, access_id, standalone):
        entry = {"id": access_id, "name": name, "displayName": name, "type": kind, "description": None}
        if kind == "ENTITLEMENT":
            entry.update(
                source={"id": item.source_id, "name": item.source},
                privileged=False,
                attribute=attribute_of(item.source),
                value=name,
                standalone=standalone,
            )
        elif kind == "ACCESS_PROFILE":
            entry.update(source={"id": item.source_id, "name": item.source}, revocable=True)
        else:
            entry.update(disabled=False, revocable=True)
        return entry

    def accounts(self):
        """Every account that something was revoked on, by its id, but for those of generated identities."""
        found = {}
        for items in self._by_identity.values():
            for item in items:
                self._put_account(item, found)
        return found

    def accounts_of(self, identity_ids, account_ids):
        """As accounts, of these only; generated ones, too."""
        found = self.accounts()
        for reviewed in self._reviewed:
            if not isinstance(reviewed, Generated):
                continue
            plan = reviewed.settings["generated"]
            wanted = [who for who in range(plan["identities"]) if account_of(who) in account_ids]
            wanted += [int(one[2:], 16) for one in identity_ids if one.startswith(Generated.PREFIX)]
            for who in wanted:
                for item in reviewed.of_identity("%s%030x" % (Generated.PREFIX, who)):
                    self._put_account(item, found)
        return found

    def _put_account(self, item, found):
        if item.kind not in ("ENTITLEMENT", "ACCOUNT") or item.case == "deleted" or (item.kind == "ACCOUNT" and not item.held):
            return
        owner = made_id("identity", "somebody else") if item.case == "moved" else item.identity_id
        account = found.setdefault(
            item.account_id,
            {
                "id": item.account_id,
                "name": item.account,
                "created": iso(self.now - 900 * DAY_MS),
                "modified": iso(self.now - 100 * DAY_MS if item.case in ("stale", "inactive") else self.synced),
                "sourceId": item.source_id,
                "sourceName": item.source,
                "identityId": owner,
                "cloudLifecycleState": "active",
                "identityState": "ACTIVE",
                "connectionType": "direct",
                "isMachine": False,
                "attributes": {"displayName": item.identity, attribute_of(item.source): []},
                "authoritative": False,
                "description": None,
                "disabled": False,
                "locked": False,
                "nativeIdentity": item.account,
                "systemAccount": False,
                "uncorrelated": False,
                "uuid": None,
                "manuallyCorrelated": False,
                "hasEntitlements": True,
                "identity": {"id": owner, "type": "IDENTITY", "name": item.identity},
                "sourceOwner": {"id": owner_id(), "type": "IDENTITY", "name": SOURCE_OWNER},
                "origin": "AGGREGATED",
            },
        )
        if item.kind == "ENTITLEMENT" and item.held:
            account["attributes"][attribute_of(item.source)].append(item.access)

    def revocations(self, identity_ids=None):
        """(item, case) of what somebody tried to take away and what is still there."""
        for identity_id in self._by_identity if identity_ids is None else identity_ids:
            for item in self.of_identity(identity_id):
                if item.case in RESULTS:
                    yield item


# case: status of the request, errors; what the account activity says of it
RESULTS = {
    "failed": ("failed", ["The target system refused the change: insufficient rights"]),
    "manual": ("Manual Task Created", []),
    "retry": ("retry", ["The target system did not answer"]),
    "pending": ("pending", []),
    "given_again": ("Finished", []),
}
PROVISIONING = {"failed": "FAILED", "manual": "PENDING", "retry": "RETRY", "pending": "PENDING", "given_again": "FINISHED"}


def reviewed_in(campaign):
    """The certifications of a campaign."""
    return (Generated if campaign.settings["access"]["generated"] else Reviewed)(campaign)


def account_of(who):
    """The id of a generated identity's account."""
    return made_id("account", "Active Directory", "person%06d" % who)


def activity_documents(company, identity_ids=None):
    """Account activities as Search has them."""
    for item in company.revocations(identity_ids):
        yield _activity(company, item, "Remove", "Certification", *RESULTS[item.case], 3)
        if item.case == "given_again":
            yield _activity(company, item, "Add", "Identity Refresh", "Finished", [], 2, cause="Role")


def _activity(company, item, operation, action, status, errors, hours_ago, cause=None):
    when = iso(company.now - hours_ago * 3_600_000)
    source, attribute = {"id": item.source_id, "name": item.source, "type": "Simulated - Direct"}, attribute_of(item.source)
    if item.kind in ("ROLE", "ACCESS_PROFILE"):
        # Those are held by the identity, at the product itself.
        source = {"id": made_id("source", "IdentityNow"), "name": "IdentityNow", "type": "IdentityNowConnector"}
        attribute = "assignedRoles" if item.kind == "ROLE" else "assignedAccessProfiles"
    change = {"name": attribute, "op": operation, "value": item.access}
    return {
        "_type": "accountactivity",
        "_version": "v2",
        "id": made_id("activity", item.id, operation),
        "action": action,
        "created": when,
        "modified": when,
        "synced": when,
        "stage": "Completed",
        "status": "Incomplete" if errors else "Complete",
        "requester": {"id": made_id("identity", "system"), "name": "spadmin", "type": "Identity"},
        "recipient": {"id": item.identity_id, "name": item.identity, "type": "Identity"},
        "trackingNumber": made_id("tracking", item.id, operation),
        "errors": errors or None,
        "warnings": None,
        "approvals": [],
        "originalRequests": [],
        "expansionItems": [
            {
                "accountId": item.account,
                "cause": cause,
                "name": "Role of the department",
                "attributeRequest": change,
                "source": source,
                "id": made_id("expansion", item.id),
                "state": "EXECUTING",
            }
        ]
        if cause
        else [],
        "accountRequests": [
            {
                "accountId": item.account,
                "attributeRequests": [change],
                "op": "Modify",
                "provisioningTarget": source,
                "result": {"errors": errors, "status": status, "ticketId": None},
                "source": source,
            }
        ],
        "sources": item.source,
    }


def account_activities(company, identity_id):
    """Account activities as /account-activities has them."""
    for item in company.revocations([identity_id]):
        when = iso(company.now - 3 * 3_600_000)
        who = {"id": made_id("summary", item.id), "name": item.identity, "identityId": item.identity_id, "completed": True}
        state = PROVISIONING[item.case]
        yield {
            "id": made_id("activity", item.id, "Remove"),
            "name": made_id("activity", item.id, "Remove"),
            "created": when,
            "modified": when,
            "completed": None if state == "PENDING" else when,
            "completionStatus": {"FAILED": "FAILURE", "FINISHED": "SUCCESS"}.get(state, "PENDING"),
            "type": "Certification",
            "requesterIdentitySummary": dict(who, name="spadmin"),
            "targetIdentitySummary": who,
            "errors": RESULTS[item.case][1] or None,
            "warnings": None,
            "items": [
                {
                    "id": made_id("activity item", item.id),
                    "name": made_id("activity item", item.id),
                    "requested": when,
                    "approvalStatus": None,
                    "provisioningStatus": state,
                    "operation": "REMOVE",
                    "attribute": attribute_of(item.source),
                    "value": item.access,
                    "nativeIdentity": item.account,
                    "sourceId": item.source_id,
                    "clientMetadata": None,
                    "removeDate": None,
                }
            ],
            "executionStatus": "COMPLETED" if state in ("FAILED", "FINISHED") else "EXECUTING",
            "clientMetadata": None,
        }


def work_items(company):
    """The manual tasks that are open."""
    for item in company.revocations():
        if item.case != "manual":
            continue
        when = iso(company.now - 3 * 3_600_000)
        yield {
            "id": made_id("work item", item.id),
            "requesterId": None,
            "requesterDisplayName": "spadmin",
            "ownerId": owner_id(),
            "ownerName": SOURCE_OWNER,
            "created": when,
            "modified": None,
            "description": "Remove %s from %s on %s" % (item.access, item.account, item.source),
            "state": "Pending",
            "type": "Remediation",
            "remediationItems": [
                {
                    "id": made_id("remediation", item.id),
                    "targetId": item.identity_id,
                    "targetName": item.account,
                    "targetDisplayName": item.identity,
                    "applicationName": item.source,
                    "attributeName": attribute_of(item.source),
                    "attributeOperation": "remove",
                    "attributeValue": item.access,
                    "nativeIdentity": item.account,
                }
            ],
            "approvalItems": None,
            "name": "Certification remediation",
            "completed": None,
            "numItems": 1,
            "errors": [],
        }
