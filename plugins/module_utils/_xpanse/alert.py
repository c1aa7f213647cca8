# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets the status and the comment of alerts: reads what they are, writes what differs, and reads again.

Private to the collection.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, JsonObject, Record, Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import as_text, from_milliseconds, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import scalar
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import XpanseApi
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import moment_of_change, status_of

# What Palo Alto's own clients set. The API's documentation calls it a text.
STATUSES = (
    "new",
    "reopened",
    "under_investigation",
    "resolved",
    "resolved_contested_asset",
    "resolved_no_risk",
    "resolved_remediated_automatically",
    "resolved_risk_accepted",
)
# What an alert that was set to a status is shown with, where that is another word (inferred from Palo Alto's examples).
SHOWN_AS = {"resolved_other": "resolved"}
# HTTP statuses with which an update was refused. One alert may be the reason, and the others are not to blame.
REFUSED = (400, 404, 422)


class Read(NamedTuple):
    """Alerts as they were read. by_id: as the API wrote them. odd: by their ids, why those that are not there cannot be told.

    cut: whether the API left alerts out.
    """

    by_id: dict[str, JsonObject]
    odd: dict[str, str]
    cut: bool


class Wanted:
    """What one alert is to be.

    wish: see modules/xpanse_alert, an item of `alerts`. item: what becomes of it is put there.
    """

    def __init__(self, wish: Mapping[str, Any], item: Item) -> None:
        self.wish, self.item = wish, item
        self.alert_id: str = wish["alert_id"]
        self.was_sent = self.was_named = False

    def changes(self, read: Read) -> dict[str, str]:
        """What has to be written, by the API's names. Nothing where it is so already, or must be left as it is."""
        alert = read.by_id.get(self.alert_id)
        if alert is None:
            self.item["error"] = why_missing(self.alert_id, read)
            return {}
        before = state_of(alert)
        self.item["before"] = self.item["after"] = before
        found = {}
        if self.wish["status"] and before["status"] != self.wish["status"]:
            found["status"] = self.wish["status"]
        if self.wish["comment"] and not says(before["comment"], self.wish["comment"]):
            found["comment"] = self.wish["comment"]
        only_from = self.wish["only_from"]
        if (
            list(found) == ["comment"]
            and before["status"] == self.wish["status"]
            and only_from
            and before["status"] not in only_from
        ):
            # It has come where it was to be taken from elsewhere, and a comment alone takes it nowhere.
            return {}
        reason = self._why_left(alert, before["status"]) if found else None
        if reason:
            self.item["left"] = reason
            return {}
        if found:
            self.item.update(changed=True, after=dict(before, **found))
        return found

    def _why_left(self, alert: JsonObject, status: str) -> str | None:
        """Why the alert must be left as it is, or None."""
        wish = self.wish
        if wish["only_from"] and status not in wish["only_from"]:
            return "its status is %s, and not %s" % (status or "not told", " or ".join(wish["only_from"]))
        rule, services = scalar(alert.get("attack_surface_rule_id")), services_of(alert)
        if wish["attack_surface_rule_id"] and rule != wish["attack_surface_rule_id"]:
            return "its attack surface rule is %s, and not %s" % (rule or "not told", wish["attack_surface_rule_id"])
        if wish["service_ids"] is not None:
            others = [service or "one without an id" for service in services if service not in wish["service_ids"]]
            if others or not services:
                return "it has another service, %s" % others[0] if others else "it does not say which service it is about"
        return self._why_changed(alert) if wish["unchanged_since"] else None

    def _why_changed(self, alert: JsonObject) -> str | None:
        """Why the alert may have been changed since the time that the wish knows of, or None."""
        known, moment = moment_in(self.wish["unchanged_since"]), from_milliseconds(alert.get("last_modified_ts"))
        if known is None or moment is None or moment_of_change(alert, None) is None:
            return "it does not say in a way that can be read when it was changed last"
        return (
            "it was changed at %s, and was to be as it was at %s" % (as_text(moment), as_text(known)) if moment > known else None
        )

    def confirm(self, read: Read) -> None:
        """Says what became of an alert that was written."""
        alert = read.by_id.get(self.alert_id)
        if alert is None:
            self.item.update(changed=self.was_named, after=None)
            self.item.setdefault("error", "it was updated, and cannot be read again: %s" % why_missing(self.alert_id, read))
            return
        after = state_of(alert)
        self.item.update(changed=after != self.item["before"], after=after)
        if self.wish["status"] and after["status"] != self.wish["status"]:
            self.item.setdefault(
                "error", "it was set to %s, and its status is %s now" % (self.wish["status"], after["status"] or "not told")
            )
        elif self.wish["comment"] and not says(after["comment"], self.wish["comment"]):
            self.item.setdefault("error", "it was updated, and does not show the comment")

    def give_up(self) -> None:
        """Says what is known of an alert with which the work ended halfway."""
        if self.item["changed"]:
            self.item.update(changed=self.was_named, after=None)


def update(api: XpanseApi, wanted: Sequence[Wanted], check_mode: bool, record: Record) -> Steps:
    """The work on ALERTS_PAGE alerts at most, as a generator for batch.drive. Raises HttpError where none can be read."""
    read = read_alerts(api, wanted, record)
    groups = defaultdict(list)
    for one in wanted:
        changes = one.changes(read)
        if changes:
            groups[tuple(changes.items())].append(one)
    if check_mode:
        return
    yield 0.0
    for same, group in groups.items():
        send(api, dict(same), group, record)
        yield 0.0
    sent = [one for one in wanted if one.was_sent]
    if sent:
        read_again(api, sent, record)


def send(api: XpanseApi, changes: Mapping[str, str], group: Sequence[Wanted], record: Record) -> None:
    """Writes the same to several alerts. Why one was not written is put into its item."""
    for one in group:
        one.was_sent = True
    try:
        named = api.update_alerts([one.alert_id for one in group], changes, record)
    except HttpError as error:
        if error.status in REFUSED and len(group) > 1:
            for one in group:
                send(api, changes, [one], record)
            return
        for one in group:
            one.item["error"] = str(error)
        return
    for one in group:
        one.was_named = one.alert_id in named
        if not one.was_named:
            one.item["error"] = "the answer to the update does not name it"


def read_again(api: XpanseApi, sent: Sequence[Wanted], record: Record) -> None:
    """Says of each alert that was written what it is now."""
    try:
        read = read_alerts(api, sent, record)
    except HttpError as error:
        read = Read({}, {one.alert_id: str(error) for one in sent}, False)
    for one in sent:
        one.confirm(read)


def read_alerts(api: XpanseApi, wanted: Sequence[Wanted], record: Record) -> Read:
    """The alerts as they are now. Raises HttpError."""
    filters: list[JsonObject] = [
        dict(field="alert_source", operator="in", value=["ASM"]),
        dict(field="alert_id_list", operator="in", value=[int(one.alert_id) for one in wanted]),
    ]
    found, _total, cut = api.get_alerts(filters, len(wanted), record)
    alerts = [alert for alert in found if isinstance(alert, dict)]
    times = Counter(scalar(alert.get("alert_id")) for alert in alerts)
    by_id = {scalar(alert.get("alert_id")): alert for alert in alerts}
    odd = {alert_id: "the API listed it twice" for alert_id, number in times.items() if number > 1}
    return Read({alert_id: alert for alert_id, alert in by_id.items() if alert_id not in odd}, odd, cut)


def why_missing(alert_id: str, read: Read) -> str:
    """Why an alert could not be read."""
    return read.odd.get(alert_id) or (
        "the API left alerts out, and this one is not among the others" if read.cut else "no alert has this id"
    )


def state_of(alert: JsonObject) -> dict[str, str]:
    """The status and the comment of an alert: the status in the word that sets it, any other as the API has it."""
    word = re.sub(r"^STATUS_[0-9]+_", "", status_of(alert)).lower()
    comment = alert.get("resolution_comment")
    return dict(status=SHOWN_AS.get(word, word), comment=comment if isinstance(comment, str) else "")


def says(shown: str, comment: str) -> bool:
    """Whether a comment is shown: alone, or as whole lines among others. Whether the API adds or replaces is unknown."""

    def lines(text: str) -> str:
        """The text in lines, without what a form may change of them."""
        return "\n%s\n" % "\n".join(" ".join(line.split()) for line in text.strip().splitlines())

    return lines(comment) in lines(shown)


def services_of(alert: JsonObject) -> list[str]:
    """The services of an alert, "" for each whose id cannot be read."""
    value = alert.get("service_ids")
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return [scalar(one) for one in value] if isinstance(value, list) else []


def moment_in(text: str) -> datetime | None:
    """A moment, as a time or in milliseconds since 1970, as alerts have it; None for anything else."""
    return from_milliseconds(text) or parse_time(text)
