# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What identities and accounts hold today of what was revoked: facts, not yet an answer. Private to the collection.

What is kept of a document or an account is what it shows of the items in question, in tuples of pairs: an item's `document`
and `account_read`. What these facts prove: see _sailpoint.access_proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_items import (
    Item,
    Pool,
    dict_in,
    dicts_in,
    text_or_none,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import (
    ACCOUNT,
    ENTITLEMENT,
    TWICE,
)

# Whole fields: whether Search trims what is inside of a list is unknown. The specification lets no document be without its name.
DOCUMENT_FIELDS = ["id", "name", "synced", "inactive", "access", "accessCount", "accounts", "accountCount"]


def batches(ids: Iterable[str], most: int, longest: int | None = None) -> list[list[str]]:
    """Ids in batches of so many at most; longest: the characters that the ids of a batch may have in a URL."""
    made: list[list[str]] = []
    length = 0
    for one in ids:
        # Quotes and commas are three characters each in a URL.
        size = len(one.encode("utf-8")) + 12
        if not made or len(made[-1]) == most or (longest is not None and length + size > longest):
            made.append([])
            length = 0
        made[-1].append(one)
        length += size
    return made


def by_id(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Objects by their id: all of each, for of two nobody knows which is right."""
    sorted_out: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        if isinstance(one.get("id"), str):
            sorted_out.setdefault(one["id"], []).append(one)
    return sorted_out


# --- the identity's document ---


def put_documents(items: dict[str, list[Item]], ids: list[str], place: int, found: list[dict[str, Any]], pool: Pool) -> None:
    """Puts into the items of these identities what their documents hold. place: of the answer on record."""
    documents = by_id(found)
    for identity_id in ids:
        seen = documents.get(identity_id, [])
        whole = document_facts(place, seen)
        wanted = items[identity_id]
        shown = Shown(seen[0]) if len(seen) == 1 else None
        for item in wanted:
            item.document = pool.same(whole + (pool.same(held(shown, item)) if shown else ()))


def document_facts(place: int, seen: list[dict[str, Any]]) -> tuple:
    """What a document, or that there is none, says of all items of its identity."""
    facts: tuple = (("answer", place), ("found", bool(seen)))
    if len(seen) > 1:
        return facts + (("problem", TWICE),)
    if not seen:
        return facts
    inactive = seen[0].get("inactive")
    return facts + (
        ("synced", text_or_none(seen[0].get("synced"))),
        ("inactive", inactive if isinstance(inactive, bool) else None),
    )


class Shown:
    """A document, looked through once for all items of its identity."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.lists_access = is_whole(document, "access", "accessCount")
        self.lists_accounts = is_whole(document, "accounts", "accountCount")
        self.by_id = {one["id"]: one for one in dicts_in(document, "access") if isinstance(one.get("id"), str)}
        self.by_value = {
            (source_of(one), plain(one.get("attribute")), plain(one.get("value"))): one
            for one in dicts_in(document, "access")
            if one.get("type") == ENTITLEMENT and one.get("value") is not None
        }
        self.accounts = dicts_in(document, "accounts")


def is_whole(document: dict[str, Any], name: str, count: str) -> bool:
    """Whether a document has a list with all that it says there is. Whether long lists are cut in Search is unknown."""
    said, found = document.get(count), document.get(name)
    return isinstance(found, list) and not (isinstance(said, int) and said > len(found))


def held(shown: Shown, item: Item) -> tuple:
    """What a document shows of one item: `access`, `standalone`, `left`, `account`, `value`. See _sailpoint.access_proof."""
    kind, access_id, _name, attribute, value, source_id, _source_name, brings = item.access
    entry = shown.by_id.get(access_id)
    if entry is None and kind == ENTITLEMENT and value is not None:
        entry = shown.by_value.get((source_id, plain(attribute), plain(value)))
    accounts = accounts_of(shown, item)
    standalone = entry.get("standalone") if entry else None
    has = any_value([account.get("entitlementAttributes", "") for account in accounts], attribute, value)
    if has is False and item.account_id is None and not shown.lists_accounts:
        # Which account it was nobody says, and it may be one that is not listed.
        has = None
    return (
        ("access", True if entry is not None else False if shown.lists_access else None),
        ("standalone", standalone if isinstance(standalone, bool) else None),
        ("left", sum(one in shown.by_id for one in brings)),
        ("account", True if accounts else False if shown.lists_accounts else None),
        ("value", has),
    )


def accounts_of(shown: Shown, item: Item) -> list[dict[str, Any]]:
    """The certified account in a document; where the item does not name it, all of its source."""
    if item.access[0] not in (ENTITLEMENT, ACCOUNT):
        return []
    account_id, native_identity = item.account
    source_id = item.access[5]
    if account_id is not None:
        return [one for one in shown.accounts if one.get("id") == account_id]
    on_source = [one for one in shown.accounts if source_id is not None and source_of(one) == source_id]
    return [one for one in on_source if native_identity is None or plain(one.get("accountId")) == plain(native_identity)]


def any_value(attributes: list[Any], attribute: str | None, value: str | None) -> bool | None:
    """Whether one of these maps of attributes has the value; None where that cannot be told."""
    answers = [has_value(one, attribute, value) for one in attributes]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def has_value(attributes: Any, attribute: str | None, value: str | None) -> bool | None:
    """Whether a map of attributes has the value. Null is what the specification allows for an account without any."""
    if attribute is None or value is None:
        return None
    if attributes is None:
        return False
    if not isinstance(attributes, dict):
        return None
    wanted = plain(attribute)
    held_values = [one for name, one in attributes.items() if plain(name) == wanted]
    flat = [inner for one in held_values for inner in (one if isinstance(one, list) else [one])]
    if any(isinstance(one, (dict, list)) for one in flat):
        return None
    return any(plain(one) == plain(value) for one in flat)


def plain(value: Any) -> str:
    """A value as it is compared: two spellings of a name are taken for one, so that nothing counts as gone for its case."""
    return str(value).strip().casefold()


def source_of(one: dict[str, Any]) -> Any:
    """The id of the source of an account or an access item."""
    return dict_in(one, "source").get("id")


# --- the account itself ---


def put_accounts(items: dict[str, list[Item]], ids: list[str], place: int, found: list[dict[str, Any]], pool: Pool) -> set[str]:
    """Puts into the items of these accounts what the accounts hold. Returns the ids of the sources that were seen."""
    accounts = by_id(found)
    for account_id in ids:
        seen = accounts.get(account_id, [])
        for item in items[account_id]:
            item.account_read = pool.same((("answer", place),) + account_facts(seen, item))
    return {one["sourceId"] for one in found if isinstance(one.get("sourceId"), str)}


def account_facts(seen: list[dict[str, Any]], item: Item) -> tuple:
    """What an account, or that there is none, says of an item: `found`, `identity_id`, `modified`, `disabled`, `value`."""
    if len(seen) != 1:
        return (("found", bool(seen)),) + ((("problem", TWICE),) if seen else ())
    account, disabled = seen[0], seen[0].get("disabled")
    return (
        ("found", True),
        ("identity_id", text_or_none(account.get("identityId"))),
        ("modified", text_or_none(account.get("modified"))),
        ("disabled", disabled if isinstance(disabled, bool) else None),
        (
            "value",
            has_value(account.get("attributes", ""), item.access[3], item.access[4]) if item.access[0] == ENTITLEMENT else None,
        ),
    )
