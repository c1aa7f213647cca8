# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reviewers revoked: the items of a campaign's certifications, read once, and kept small. Private to the collection.

Of 200,000 items each has an id of its own, and nearly everything else in common with others. So what is alike is kept once,
and an item becomes a dict only when somebody looks at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import (
    ACCESS_PROFILE,
    ACCOUNT,
    ENTITLEMENT,
    ROLE,
    revoked_counts,
)

REVOKE = "REVOKE"


class Pool:
    """Values that are alike, kept once."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def same(self, value: Any) -> Any:
        """The value, or the one that is already kept and equal."""
        # Of an odd answer anything may come, also what cannot be told apart by its hash.
        return self._kept.setdefault(value, value) if isinstance(value, (str, tuple)) else value


class Revoked(NamedTuple):
    """The access that was revoked, as its item shows it. brings: the ids of the entitlements that it brings."""

    type: str | None
    id: str | None
    name: str | None
    attribute: str | None
    value: str | None
    source_id: str | None
    source_name: str | None
    brings: tuple[str, ...]


class Item:
    """One item that was revoked, and what was seen of it. As a dict: see row().

    revocable: False if a certification cannot take it away, so says the item; else None.
    account: (id, native identity) of the account that was certified. ends: text, the date on which the access ends.
    document, account_read: what Search and the accounts showed, see _sailpoint.access_search; None where nobody looked.
    answer: (present, seen_in, seen_at, reason), once it is judged. why: in words why it is still there.
    """

    __slots__ = (
        "access",
        "account",
        "account_read",
        "answer",
        "campaign_id",
        "certification_id",
        "document",
        "ends",
        "identity",
        "item_id",
        "revocable",
        "why",
    )

    def __init__(self, campaign_id: str, certification_id: str, shown: dict[str, Any], pool: Pool) -> None:
        self.campaign_id, self.certification_id = campaign_id, certification_id
        self.item_id = text_or_none(shown.get("id"))
        summary = dict_in(shown, "identitySummary")
        # `identitySummary.id` is the summary's own id.
        self.identity = pool.same((text_or_none(summary.get("identityId")), pool.same(text_or_none(summary.get("name")))))
        self.access, self.account, self.ends = read_access(dict_in(shown, "accessSummary"), pool)
        self.revocable = False if is_not_revocable(dict_in(shown, "accessSummary")) else None
        self.document: tuple | None = None
        self.account_read: tuple | None = None
        self.answer: tuple | None = None
        self.why: str | None = None

    @property
    def identity_id(self) -> str | None:
        """The identity's id, or None."""
        return self.identity[0]

    @property
    def account_id(self) -> str | None:
        """The certified account's id, or None."""
        return self.account[0]

    @property
    def present(self) -> bool | None:
        """Whether it is still there, as it was judged; None also before that."""
        return self.answer[0] if self.answer else None

    def row(self) -> dict[str, Any]:
        """The item as a dict, as it is recorded and proved: see _sailpoint.access_proof."""
        access = self.access
        return dict(
            campaign_id=self.campaign_id,
            certification_id=self.certification_id,
            item_id=self.item_id,
            identity=dict(id=self.identity[0], name=self.identity[1]),
            access=dict(type=access.type, id=access.id, name=access.name),
            attribute=access.attribute,
            value=access.value,
            source=dict(id=access.source_id, name=access.source_name),
            account=dict(id=self.account[0], native_identity=self.account[1]),
            ends=self.ends,
            document=self.document and dict(self.document),
            account_read=self.account_read and dict(self.account_read),
            why=self.why,
            **self._said(),
        )

    def _said(self) -> dict[str, Any]:
        if self.answer is None:
            return {}
        said = dict(zip(("present", "seen_in", "seen_at", "reason"), self.answer))
        return dict(said, seen_in=list(said["seen_in"]))


def read_access(summary: dict[str, Any], pool: Pool) -> tuple[Revoked, tuple, str | None]:
    """(access, account, ends) of an item's accessSummary: see Item."""
    access, entitlement = dict_in(summary, "access"), dict_in(summary, "entitlement")
    kind, access_id = text_or_none(access.get("type")), text_or_none(access.get("id"))
    whole = dict_in(summary, {ROLE: "role", ACCESS_PROFILE: "accessProfile"}.get(kind or "", "entitlement"))
    certified = dict_in(entitlement, "account")
    account_id = text_or_none(certified.get("id")) or (access_id if kind == ACCOUNT else None)
    parts = (
        kind,
        access_id or text_or_none(whole.get("id")),
        text_or_none(access.get("name")),
        text_or_none(entitlement.get("attributeName")) if kind == ENTITLEMENT else None,
        text_or_none(entitlement.get("attributeValue")) if kind == ENTITLEMENT else None,
        text_or_none(entitlement.get("sourceId")),
        text_or_none(entitlement.get("sourceName")),
        pool.same(tuple(sorted(brought_by(whole)))) if kind in (ROLE, ACCESS_PROFILE) else (),
    )
    return (
        pool.same(Revoked(*map(pool.same, parts))),
        pool.same((account_id, text_or_none(certified.get("nativeIdentity")))),
        pool.same(text_or_none(whole.get("endDate"))),
    )


def is_not_revocable(summary: dict[str, Any]) -> bool:
    """Whether an item says of itself that it cannot be revoked: what a role's criteria give comes again (documented)."""
    return any(dict_in(summary, name).get("revocable") is False for name in ("role", "entitlement"))


def brought_by(whole: dict[str, Any]) -> set[str]:
    """The ids of the entitlements that a role or an access profile brings, as a review item shows it."""
    parts = [whole] + dicts_in(whole, "accessProfiles")
    return {one["id"] for part in parts for one in dicts_in(part, "entitlements") if isinstance(one.get("id"), str)}


def revoked_items(api: Any, campaign_id: str, certification_id: str, record: Any, pool: Pool) -> Iterator[Item]:
    """The items of a certification that were revoked. On record is, for each page, how many of each type. Raises HttpError."""

    def facts(page: list[dict[str, Any]]) -> dict[str, Any]:
        kinds = Counter(
            str(dict_in(dict_in(one, "accessSummary"), "access").get("type")) for one in page if one.get("decision") == REVOKE
        )
        return {"revoked": dict(kinds)}

    for page in api.review_items(certification_id, record, facts):
        for shown in page:
            if shown.get("decision") == REVOKE:
                yield Item(campaign_id, certification_id, shown, pool)


def has_revoked(summary: dict[str, Any]) -> bool:
    """Whether a summary says that something was revoked, or does not say that nothing was."""
    return any(count != 0 for count in revoked_counts(summary).values())


def text_or_none(value: Any) -> str | None:
    """A text that says something, else None."""
    return value if isinstance(value, str) and value else None


def dict_in(whole: dict[str, Any], name: str) -> dict[str, Any]:
    """The dict under a name, {} where there is none."""
    value = whole.get(name)
    return value if isinstance(value, dict) else {}


def dicts_in(whole: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The dicts in the list under a name."""
    value = whole.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
