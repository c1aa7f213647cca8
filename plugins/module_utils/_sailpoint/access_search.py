# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What identities and accounts hold today of what was revoked: facts, not yet an answer. Private to the collection.

What is kept of a document or an account is what it shows of the items in question, in tuples of pairs: an item's `document`
and `account_read`. What these facts prove: see _sailpoint.access_proof.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import is_count
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
    is_text,
)

# Whole fields: whether Search trims what is inside of a list is unknown. The specification lets no document be without its name.
DOCUMENT_FIELDS = ["id", "name", "synced", "inactive", "access", "accessCount", "accounts", "accountCount"]
# The account with which an identity signs in to the product itself. accountCount leaves it out (the specification's examples).
OWN_SOURCE = "IdentityNowConnector"
# With these, texts hold several values in one.
SEPARATOR = r"[,;|\n\r\t]"
NUMBER = re.compile(r"(-?[0-9]+)(?:\.([0-9]*?)0*)?")


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
        self.lists_access = is_whole(document.get("access"), document.get("accessCount"))
        self.lists_accounts = has_all_accounts(document)
        self.by_id = {plain(one["id"]): one for one in dicts_in(document, "access") if isinstance(one.get("id"), str)}
        self.by_value = {
            (source_of(one), plain(one.get("attribute")), plain(one.get("value"))): one
            for one in dicts_in(document, "access")
            if one.get("type") == ENTITLEMENT and one.get("value") is not None
        }
        self.accounts = dicts_in(document, "accounts")


def is_whole(found: Any, count: Any) -> bool:
    """Whether a list in a document is readable, and as long as the document says. Whether Search cuts long lists is unknown."""
    return (
        is_count(count)
        and isinstance(found, list)
        and count == len(found)
        and all(isinstance(one, dict) and is_text(one.get("id")) for one in found)
    )


def has_all_accounts(document: dict[str, Any]) -> bool:
    """The same of a document's accounts, of which each has to say its source."""
    found = document.get("accounts")
    counted = [one for one in found if not is_own(one)] if isinstance(found, list) else None
    return is_whole(counted, document.get("accountCount")) and all(source_of(one) for one in dicts_in(document, "accounts"))


def is_own(account: Any) -> bool:
    """Whether this is an account of the product itself."""
    return isinstance(account, dict) and is_text(account.get("id")) and dict_in(account, "source").get("type") == OWN_SOURCE


def held(shown: Shown, item: Item) -> tuple:
    """What a document shows of one item: `access`, `standalone`, `left`, `account`, `again`, `value`, and of a revoked account
    `disabled`, see access_proof."""
    access = item.access
    entry = shown.by_id.get(plain(access.id)) if access.id is not None else None
    if entry is None and access.type == ENTITLEMENT and access.value is not None:
        entry = shown.by_value.get((access.source_id, plain(access.attribute), plain(access.value)))
    accounts = accounts_of(shown, item)
    others = [] if accounts else other_accounts(shown, item)
    standalone = entry.get("standalone") if entry else None
    has = any_value([account.get("entitlementAttributes") for account in accounts or others], access.attribute, access.value)
    if has is False and (others or item.account_id is None and not shown.lists_accounts):
        # Which account it was nobody says, and it may be one that is not listed. Nor is another one the certified one.
        has = None
    has_not = False if shown.lists_access and access.id is not None else None
    is_disabled = bool(accounts) and all(one.get("disabled") is True for one in accounts)
    return (
        ("access", True if entry is not None else has_not),
        ("standalone", standalone if isinstance(standalone, bool) else None),
        ("left", sum(plain(one) in shown.by_id for one in access.brings)),
        ("account", True if accounts else False if shown.lists_accounts else None),
        ("again", is_again(shown, item, others)),
        ("value", has),
    ) + ((("disabled", is_disabled),) if access.type == ACCOUNT else ())


def accounts_of(shown: Shown, item: Item) -> list[dict[str, Any]]:
    """The certified account in a document; where the item does not name it, all of its source."""
    if item.access.type not in (ENTITLEMENT, ACCOUNT):
        return []
    account_id, native_identity = item.account
    if account_id is not None:
        return [one for one in shown.accounts if one.get("id") == account_id]
    return [one for one in on_source(shown, item) if native_identity is None or is_named(one, native_identity)]


def other_accounts(shown: Shown, item: Item) -> list[dict[str, Any]]:
    """Where the certified account is not there: accounts that it may be, made anew under another id."""
    account_id, native_identity = item.account
    if item.access.type not in (ENTITLEMENT, ACCOUNT) or account_id is None:
        return []
    if item.access.source_id is not None:
        return on_source(shown, item)
    return [one for one in shown.accounts if native_identity is not None and is_named(one, native_identity)]


def is_again(shown: Shown, item: Item, others: list[dict[str, Any]]) -> bool | None:
    """Whether one of the other accounts is named as the certified one was, at the same source. None: nobody can tell."""
    source_id, native_identity = item.access.source_id, item.account[1]
    if source_id is not None and native_identity is not None and any(is_named(one, native_identity) for one in others):
        return True
    return False if shown.lists_accounts and not others else None


def on_source(shown: Shown, item: Item) -> list[dict[str, Any]]:
    """The accounts of the item's source."""
    source_id = item.access.source_id
    return [one for one in shown.accounts if source_id is not None and source_of(one) == source_id]


def is_named(account: dict[str, Any], native_identity: str) -> bool:
    """Whether a document's account has this name at its source."""
    return plain(account.get("accountId")) == plain(native_identity)


def any_value(attributes: list[Any], attribute: str | None, value: str | None) -> bool | None:
    """Whether one of these maps of attributes has the value; None where that cannot be told."""
    answers = [has_value(one, attribute, value) for one in attributes]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def has_value(attributes: Any, attribute: str | None, value: str | None) -> bool | None:
    """Whether a map of attributes has the value. Null, which the specification allows, says nothing of any attribute."""
    if attribute is None or value is None or not isinstance(attributes, dict):
        return None
    flat = values_of(attributes, attribute)
    if any(isinstance(one, (dict, list)) for one in flat):
        return None
    wanted = plain(value)
    texts = [plain(one) for one in flat]
    if wanted in texts:
        return True
    # Of a text that has it among others, nobody knows whether it is several values, or one that happens to look so.
    among = re.compile(r"(?:^|%s) ?%s ?(?:$|%s)" % (SEPARATOR, re.escape(wanted), SEPARATOR))
    return None if any(wanted in text and among.search(text) for text in texts) else False


def values_of(attributes: dict[str, Any], attribute: str) -> list[Any]:
    """All that a map has under the name of an attribute, in whatever spelling."""
    wanted = plain(attribute)
    held_values = [one for name, one in attributes.items() if plain(name) == wanted]
    return [inner for one in held_values for inner in (one if isinstance(one, list) else [one])]


def plain(value: Any) -> str:
    """A value as it is compared: two spellings of a text or a number are taken for one, so that nothing counts as gone for it."""
    folded = unicodedata.normalize("NFKC", str(value)).strip().casefold()
    # Small letters may be composed of other signs than those that they were made of.
    text = unicodedata.normalize("NFKC", folded)
    number = NUMBER.fullmatch(text)
    if not number:
        return text
    whole, part = number.groups()
    return whole + ("." + part if part else "")


def source_of(one: dict[str, Any]) -> str | None:
    """The id of the source of an account or an access item, or None."""
    return text_or_none(dict_in(one, "source").get("id"))


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
    """What an account, or that there is none, says of an item: see _sailpoint.access_proof."""
    if len(seen) != 1:
        return (("found", bool(seen)),) + ((("problem", TWICE),) if seen else ())
    account, disabled, attributes = seen[0], seen[0].get("disabled"), seen[0].get("attributes")
    attribute = item.access.attribute
    names = [plain(name) for name in attributes] if isinstance(attributes, dict) else []
    return (
        ("found", True),
        ("identity_id", text_or_none(account.get("identityId"))),
        ("modified", text_or_none(account.get("modified"))),
        ("disabled", disabled if isinstance(disabled, bool) else None),
        ("shown", attribute is not None and plain(attribute) in names),
        ("value", has_value(attributes, attribute, item.access.value)),
    )
