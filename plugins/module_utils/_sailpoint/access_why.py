# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why access is still there: what account activities and work items say of it, in words. Private to the collection.

It explains, and proves nothing: no answer of an item depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_items import (
    Item,
    dict_in,
    dicts_in,
    text_or_none,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import ENTITLEMENT
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_search import OWN_SOURCE, plain

ACTIVITY_FIELDS = ["id", "action", "created", "recipient", "accountRequests", "originalRequests", "expansionItems"]
GIVES = ("add", "set", "create")
# The product's own source, at which identities have roles and access profiles (SailPoint's examples), as it is compared.
PRODUCT = "identitynow"
CARRIED_OUT = "its removal was carried out, and it is there all the same"
# Words of a request's result, as seen in SailPoint's examples; there may be more.
RESULTS = (
    ("manual", "a manual task was made of its removal"),
    ("fail", "its removal failed"),
    ("error", "its removal failed"),
    ("retry", "its removal is being retried"),
    ("pending", "its removal is pending"),
    ("finish", CARRIED_OUT),
    ("commit", CARRIED_OUT),
    ("success", CARRIED_OUT),
)
OPEN_WORK = "Pending"
NOT_REVOCABLE = "the item says of itself that a certification cannot revoke it"


def explain(items: Iterable[Item], activities: list[dict[str, Any]], work_items: list[dict[str, Any]]) -> None:
    """Puts into each item why it is still there, where that is said."""
    by_identity: dict[Any, list[dict[str, Any]]] = {}
    for activity in activities:
        by_identity.setdefault(text_or_none(dict_in(activity, "recipient").get("id")), []).append(activity)
    for item in items:
        said: list[str | None] = [
            NOT_REVOCABLE if item.revocable is False else None,
            last_change(item, by_identity.get(item.identity_id, [])),
            open_task(item, work_items),
        ]
        item.why = "; ".join(text for text in said if text) or None


def last_change(item: Item, activities: list[dict[str, Any]]) -> str | None:
    """What the last change was that was asked for on this item, and how it ended."""
    changes = [
        (created, activity, request, change)
        for activity in activities
        for created in [parse_time(activity.get("created"))]
        for request in dicts_in(activity, "accountRequests") + dicts_in(activity, "originalRequests")
        for change in dicts_in(request, "attributeRequests")
        if created is not None and concerns(item, request, change) and (not gives(change) or was_carried_out(request))
    ]
    if not changes:
        return None
    _created, activity, request, change = max(changes, key=lambda found: found[0])
    when = activity["created"]
    if gives(change):
        return "given again at %s by %s" % (when, giver(item, activity))
    result = dict_in(request, "result")
    status = result.get("status")
    words = next((words for part, words in RESULTS if part in plain(status)), "its removal has the status %s" % status)
    errors = result.get("errors")
    return "%s (%s)%s" % (words, when, ": %s" % errors[0] if isinstance(errors, list) and errors else "")


def gives(change: dict[str, Any]) -> bool:
    """Whether a change gives something."""
    return plain(change.get("op")) in GIVES


def was_carried_out(request: dict[str, Any]) -> bool:
    """Whether the result of a request says that it was carried out."""
    status = plain(dict_in(request, "result").get("status"))
    return next((words for part, words in RESULTS if part in status), None) == CARRIED_OUT


def giver(item: Item, activity: dict[str, Any]) -> str:
    """Who gave it again: a role, say, or else what the activity is called."""
    for expansion in dicts_in(activity, "expansionItems"):
        if concerns(item, expansion, dict_in(expansion, "attributeRequest")):
            return "%s %s" % (str(expansion.get("cause")).lower(), expansion.get("name"))
    return "the activity %s" % activity.get("action")


def concerns(item: Item, request: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether a change is about the item: by its id, or by value, attribute, source, and account.

    An identity may have two items of the same value. So what the item says of itself has to be said of the change as well.
    """
    kind, access_id, name, attribute, value, source_id, _source_name, _brings = item.access
    asked = change.get("value")
    values = {plain(one) for one in (asked if isinstance(asked, list) else [asked]) if one is not None}
    if access_id is not None and plain(access_id) in values:
        return True
    source = dict_in(request, "source")
    if kind != ENTITLEMENT:
        is_product = source.get("type") == OWN_SOURCE or plain(source.get("name")) == PRODUCT
        return is_product and name is not None and plain(name) in values
    return (
        value is not None
        and plain(value) in values
        and is_same(attribute, change.get("name"))
        and is_same(source_id, source.get("id"))
        and is_account(item, request.get("accountId"))
    )


def is_same(known: str | None, said: Any) -> bool:
    """Whether something is what the item says; true where the item does not say it."""
    return known is None or plain(said) == plain(known)


def is_account(item: Item, said: Any) -> bool:
    """Whether this is the certified account, by its name at the source or by its id (SailPoint's examples have either)."""
    known = [plain(one) for one in item.account if one is not None]
    return not known or plain(said) in known


def open_task(item: Item, work_items: list[dict[str, Any]]) -> str | None:
    """The manual task that is open for the item, or None."""
    for work_item in work_items:
        if work_item.get("state") == OPEN_WORK and any(removes(item, part) for part in dicts_in(work_item, "remediationItems")):
            return "the work item %s of %s is open" % (work_item.get("id"), work_item.get("ownerName"))
    return None


def removes(item: Item, part: dict[str, Any]) -> bool:
    """Whether a part of a work item takes this item away."""
    kind, access_id, name, attribute, value, _source_id, source_name, _brings = item.access
    wanted = (value,) if kind == ENTITLEMENT else (name, access_id)
    native_identity = item.account[1]
    is_theirs = (
        is_same(native_identity, part.get("nativeIdentity"))
        if native_identity is not None
        else item.identity_id is not None and part.get("targetId") == item.identity_id
    )
    return (
        is_theirs
        and plain(part.get("attributeValue")) in {plain(one) for one in wanted if one is not None}
        and is_same(attribute, part.get("attributeName"))
        and is_same(source_name, part.get("applicationName"))
        and plain(part.get("attributeOperation")) not in GIVES
    )
