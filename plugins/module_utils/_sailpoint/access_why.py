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
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_search import plain

ACTIVITY_FIELDS = ["id", "action", "created", "recipient", "accountRequests", "originalRequests", "expansionItems"]
GIVES = ("add", "set", "create")
# Words of a request's result, as seen in SailPoint's examples; there may be more.
RESULTS = (
    ("manual", "a manual task was made of its removal"),
    ("fail", "its removal failed"),
    ("error", "its removal failed"),
    ("retry", "its removal is being retried"),
    ("pending", "its removal is pending"),
    ("finish", "its removal was carried out, and it is there all the same"),
    ("commit", "its removal was carried out, and it is there all the same"),
    ("success", "its removal was carried out, and it is there all the same"),
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
        if created is not None and concerns(item, request, change)
    ]
    if not changes:
        return None
    _created, activity, request, change = max(changes, key=lambda found: found[0])
    when = activity["created"]
    if plain(change.get("op")) in GIVES:
        return "given again at %s by %s" % (when, giver(item, activity))
    result = dict_in(request, "result")
    status = result.get("status")
    words = next((words for part, words in RESULTS if part in plain(status)), "its removal has the status %s" % status)
    errors = result.get("errors")
    return "%s (%s)%s" % (words, when, ": %s" % errors[0] if isinstance(errors, list) and errors else "")


def giver(item: Item, activity: dict[str, Any]) -> str:
    """Who gave it again: a role, say, or else what the activity is called."""
    for expansion in dicts_in(activity, "expansionItems"):
        if concerns(item, expansion, dict_in(expansion, "attributeRequest")):
            return "%s %s" % (str(expansion.get("cause")).lower(), expansion.get("name"))
    return "the activity %s" % activity.get("action")


def concerns(item: Item, request: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether a change is about the item: the same value, and the same account where both are known."""
    _kind, access_id, name, _attribute, value, _source_id, _source_name, _brings = item.access
    account, native_identity = request.get("accountId"), item.account[1]
    if value is not None and native_identity and account and plain(account) != plain(native_identity):
        return False
    wanted = {plain(one) for one in (value, name, access_id) if one is not None}
    asked = change.get("value")
    return any(plain(one) in wanted for one in (asked if isinstance(asked, list) else [asked]) if one is not None)


def open_task(item: Item, work_items: list[dict[str, Any]]) -> str | None:
    """The manual task that is open for the item, or None."""
    for work_item in work_items:
        if work_item.get("state") != OPEN_WORK:
            continue
        for part in dicts_in(work_item, "remediationItems"):
            same_account = item.account[1] is None or plain(part.get("nativeIdentity")) == plain(item.account[1])
            if same_account and plain(part.get("attributeValue")) in {plain(item.access[4]), plain(item.access[2])}:
                return "the work item %s of %s is open" % (work_item.get("id"), work_item.get("ownerName"))
    return None
