# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second witness of a campaign: what its record proves of the revoked access, as _sailpoint.target hears it.

Private to the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, JsonObject, Result, Target, is_count
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, words_of
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import target as campaigns
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import Tally, reloads_in
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_meaning import MOST_ROWS, State, propose
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import COMPLETED, Word
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import ACCESS, Access
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import exchanges_in, requests_in
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import INCONCLUSIVE
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import each, listed, result_of

# As many as there are rows of a report by default. All of them are on record.
MOST_OPEN_ITEMS = 100
# Of a campaign with many certifications the rest is on record, too.
MOST_REQUESTS = 40
# Of all items together whose states are held at once.
MOST_STATES = 10 * MOST_ROWS
TWICE_ON_RECORD = "the campaign is on record twice"


def targets(results: Result) -> list[Target]:
    """The records of all campaigns, by what both witnesses say. results: see _judge.verify."""
    return campaigns.targets(results, accesses(results))


def accesses(results: Result) -> dict[str, Access]:
    """By a campaign's id what the record proves of its revoked access."""
    return {campaign_id: hearing.access() for campaign_id, hearing in hearings_of(results).items()}


def advise(results: Result, inside: Callable[[str], str | None]) -> None:
    """Adds to what is known of each report that was not understood what its words may mean, see System."""
    infos = {
        str(item["path"]): item
        for item in listed(result_of(results, "report_infos"), "reports")
        if item.get("path") and item.get("outcome") == INCONCLUSIVE
    }
    reports = {
        str(one.get("campaign_id")): str(one["path"])
        for one in listed(result_of(results, "reports"), "reports")
        if str(one.get("path")) in infos
    }
    for campaign_id, hearing in hearings_of(results, with_few_items(results, reports)).items():
        path = inside(reports[campaign_id])
        if path:
            info = infos[reports[campaign_id]]
            info["proposal"] = propose(path, hearing.states(), info.get("status_column"))


def with_few_items(results: Result, campaign_ids: Iterable[str]) -> list[str]:
    """Those of these campaigns whose items are few enough for a proposal, as long as those of all of them can be held."""
    sizes = {
        str(one.get("campaign_id")): one["items_total"] if is_count(one.get("items_total")) else MOST_ROWS
        for one in listed(result_of(results, ACCESS), "campaigns")
    }
    found, room = [], MOST_STATES
    for campaign_id in campaign_ids:
        size = sizes.get(campaign_id, 0)
        if size <= min(room, MOST_ROWS):
            found.append(campaign_id)
            room -= size
    return found


def hearings_of(results: Result, advised: Collection[str] | None = None) -> dict[str, Hearing]:
    """By a campaign's id all that is on record of its revoked access. advised: of these alone, with the states of the items."""
    result = result_of(results, ACCESS)
    # Their places count, so none may be left out.
    shown = result.get("lookups")
    lookups = [one if isinstance(one, dict) else {} for one in shown] if isinstance(shown, list) else []
    tasks = reloads_in(lookups)
    hearings: dict[str, Hearing] = {}
    for campaign in listed(result, "campaigns"):
        campaign_id = campaign.get("campaign_id")
        if isinstance(campaign_id, str) and (advised is None or campaign_id in advised):
            # Of two nobody knows which one the items belong to.
            odd = campaign if campaign_id not in hearings else dict(campaign, error=TWICE_ON_RECORD)
            hearings[campaign_id] = Hearing(odd, lookups, tasks, keeps_states=advised is not None)
    # There are hundreds of thousands.
    for item in each(result, "revoked_items") if hearings else ():
        hearing = hearings.get(str(item.get("campaign_id")))
        if hearing:
            hearing.add(item)
    return hearings


class Hearing:
    """What is said of one campaign, item by item. campaign, lookups, tasks: see _sailpoint.access_proof.Tally.

    keeps_states: whether it is kept what has become of each item, of so many as a proposal may be made of.
    """

    def __init__(self, campaign: JsonObject, lookups: list[JsonObject], tasks: dict[str, JsonObject], keeps_states: bool) -> None:
        self._tally = Tally(campaign, lookups, tasks)
        self._campaign, self._lookups = campaign, lookups
        self._open_items: list[JsonObject] = []
        self._asked: dict[int, None] = {}
        self._states: list[State] = []
        self._keeps_states = keeps_states

    def add(self, item: Item) -> None:
        """Takes an item in. What the record says of it beside its facts is worth nothing: it is judged anew."""
        answer = self._tally.add(item)
        for name in ("document", "account_read"):
            place = dict_at(item, name).get("answer")
            if isinstance(place, int) and len(self._asked) < MOST_REQUESTS:
                self._asked.setdefault(place)
        if answer["present"] and len(self._open_items) < MOST_OPEN_ITEMS:
            self._open_items.append(open_item(item, answer))
        if self._keeps_states and len(self._states) <= MOST_ROWS:
            self._states.append(state_of(item, answer["present"]))

    def states(self) -> list[State]:
        """What has become of each item, in so far as that is known of all of them; else nothing."""
        return self._states if self._tally.verdict()["complete"] else []

    def access(self) -> Access:
        """What is proved of it."""
        verdict = self._tally.verdict()
        status = (self._tally.decisions.campaign or {}).get("status")
        # What it was told last of the campaign itself holds for everybody, and so does what it saw there.
        bars = status not in (None, COMPLETED) or self._tally.to_end_later > 0
        word = Word(verdict["outcome"], verdict["reason"], bars=bars)
        facts = dict(
            {name: verdict[name] for name in ("items_total", "items_unknown", "complete", "problems", "as_of")},
            items_remediated=verdict["items_gone"],
            items_open=verdict["items_present"],
            open_items=self._open_items,
        )
        return Access(word, facts, self._requests(), self._tally.decisions.campaign)

    def _requests(self) -> list[JsonObject]:
        asked = [self._lookups[place] for place in self._asked if 0 <= place < len(self._lookups)]
        own = exchanges_in(self._campaign)[: MOST_REQUESTS - min(len(asked), MOST_REQUESTS // 2)]
        return requests_in([*own, *exchanges_in(dict(answers=asked))][:MOST_REQUESTS])


def open_item(item: Item, answer: dict[str, Any]) -> JsonObject:
    """An item that is still there as a row, with the columns that a report might have."""
    access, source, account = (dict_at(item, name) for name in ("access", "source", "account"))
    return {
        "Identity": words_of(dict_at(item, "identity").get("name")) or words_of(dict_at(item, "identity").get("id")),
        "Account": words_of(account.get("native_identity")),
        "Source": words_of(source.get("name")),
        "Access Type": words_of(access.get("type")),
        "Access": words_of(access.get("name")) or words_of(access.get("id")),
        "Seen in": ", ".join(answer["seen_in"]),
        "Seen at": words_of(answer["seen_at"]),
        "Reason": words_of(answer["reason"]),
        "Why": words_of(item.get("why")),
    }


def state_of(item: Item, present: bool | None) -> State:
    """What has become of an item, by the names under which a report may have it."""
    access, source, account = (dict_at(item, name) for name in ("access", "source", "account"))
    return State(
        words_of(dict_at(item, "identity").get("name")),
        (words_of(access.get("name")), words_of(item.get("value"))),
        tuple(map(words_of, (source.get("name"), account.get("native_identity"), access.get("type"), item.get("attribute")))),
        present is True,
    )
