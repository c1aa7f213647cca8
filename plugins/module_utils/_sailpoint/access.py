# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether revoked access is still there: certifications, then identities and accounts, in batches. Private to the collection.

Nothing is asked for each item. What comes is a record from which _sailpoint.access_proof proves everything once more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, drive
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_items import (
    Item,
    Pool,
    dict_in,
    has_revoked,
    revoked_items,
    text_or_none,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_proof import (
    ACCOUNT,
    ENTITLEMENT,
    Tally,
    nothing_to_read,
    reloads_in,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_search import (
    DOCUMENT_FIELDS,
    batches,
    put_accounts,
    put_documents,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_why import ACTIVITY_FIELDS, explain
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import CampaignNotFound, no_campaign
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import bounded

IDENTITIES_AT_ONCE = 250
# Where there are many, memory counts more than requests, most of which are for certifications then.
MANY_IDENTITIES = 5000
FEWER_AT_ONCE = 100
ACCOUNTS_AT_ONCE = 50
LONGEST_IDS = 4000
# Why something is there is looked up for so many identities, and from so many activities of a batch of them.
MOST_EXPLAINED = 1000
MOST_ACTIVITIES = 1000
# Of the owners of so many sources, those with the most items, and so many pages of each.
MOST_OWNERS = 5
MOST_WORK_PAGES = 4
CAMPAIGN_FACTS = ("id", "name", "type", "status", "created", "modified", "totalCertifications", "completedCertifications")
LEVELS = {
    "accounts": "ORG_ADMIN, SOURCE_ADMIN, SOURCE_SUBADMIN, or HELPDESK, and the scope idn:accounts:read",
    "refresh": "ORG_ADMIN, SOURCE_ADMIN, SOURCE_SUBADMIN, or HELPDESK, and the scope idn:accounts-state:manage",
    "activities": "ORG_ADMIN, CERT_ADMIN, or REPORT_ADMIN, and the scope sp:search:read",
    "work_items": "ORG_ADMIN for those of other users",
}


class Kept(list):
    """Exchanges of one campaign. Of the campaign itself only facts are kept, and nothing large."""

    def append(self, exchange: dict[str, Any]) -> None:
        """Adds an exchange."""
        body = exchange.get("body")
        if isinstance(body, dict) and "totalCertifications" in body:
            exchange = dict(exchange, body={name: body.get(name) for name in CAMPAIGN_FACTS})
        elif isinstance(body, list) and any(isinstance(one, dict) and "totalCertifications" in one for one in body):
            kept = [{name: one.get(name) for name in CAMPAIGN_FACTS} for one in body if isinstance(one, dict)]
            exchange = dict(exchange, body=kept)
        elif "count" not in exchange:
            # What has one is a page of a list, of which there are only facts.
            exchange = dict(exchange, body=bounded(body))
        super().append(exchange)


class RevokedAccess:
    """One look at the revoked items of campaigns.

    api: SailPointApi. drive_all: function that runs generators, one by one if it is told so, and returns their endings.
    wait_interval: seconds between two looks at accounts that are read again. reload_seconds: how long that may take.

    Afterwards: `campaigns`, by id; `items`, in order; `lookups`; `errors`, by a campaign's id what went wrong;
    `unavailable`, by what it is about, what this user may not ask; `changed`.
    """

    def __init__(self, api: Any, drive_all: Callable[..., list], wait_interval: int, reload_seconds: float) -> None:
        self.api, self._drive_all = api, drive_all
        self._wait_interval, self._reload_seconds = wait_interval, reload_seconds
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.lookups: list[dict[str, Any]] = []
        self.errors: dict[str, list[Exception]] = {}
        self.unavailable: dict[str, str] = {}
        self.changed = False
        self._pool = Pool()
        self._items: dict[tuple[str, str], list[Item]] = {}
        self._reloads: dict[str, tuple[tuple[str, str], ...]] = {}
        # By a source's id that of its owner, as accounts show it.
        self._owners: dict[str, str] = {}
        self._lock = threading.Lock()
        self._refused: dict[str, HttpError] = {}

    # --- what was revoked ---

    def read_decisions(self, campaign_ids: list[str]) -> None:
        """Reads which items were revoked."""
        for campaign_id in campaign_ids:
            self.campaigns[campaign_id] = dict(campaign_id=campaign_id, name=None, type=None, status=None, answers=Kept())
        certifications: dict[str, list[str]] = {}

        def read_campaign(campaign_id: str) -> Steps:
            certifications[campaign_id] = self._certifications(campaign_id)
            yield from ()

        self._run(read_campaign, campaign_ids, lambda campaign_id: [campaign_id])
        keys = [(campaign_id, one) for campaign_id in campaign_ids for one in certifications.get(campaign_id, ())]
        # In this order, whoever comes first.
        self._items = {key: [] for key in keys}
        self._run(self._read_certification, keys, lambda key: [key[0]])

    def _certifications(self, campaign_id: str) -> list[str]:
        campaign, record = self.campaigns[campaign_id], self.campaigns[campaign_id]["answers"]
        try:
            shown = self.api.get_campaign(campaign_id, record)
        except CampaignNotFound:
            raise no_campaign(campaign_id) from None
        if shown.get("id") != campaign_id:
            raise ItemFailed("the API answered with another campaign, %r" % (shown.get("id"),))
        campaign.update({name: shown.get(name) for name in ("name", "type", "status")})
        if nothing_to_read(shown):
            return []
        found = self.api.list_certifications(campaign_id, record)
        return list(dict.fromkeys(one["id"] for one in found if isinstance(one.get("id"), str) and one["id"]))

    def _read_certification(self, key: tuple[str, str]) -> Steps:
        campaign_id, certification_id = key
        record = self.campaigns[campaign_id]["answers"]
        with self._refusals(campaign_id):
            if has_revoked(self.api.decision_summary(certification_id, record)):
                self._items[key] = list(revoked_items(self.api, campaign_id, certification_id, record, self._pool))
        yield from ()

    @contextlib.contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        """Ends at once where the same was refused before: what this user may not read of one, they may not of a thousand."""
        if what in self._refused:
            raise self._refused[what]
        try:
            yield
        except HttpError as error:
            if error.status == 403:
                self._refused[what] = error
            raise

    def items(self) -> Iterator[Item]:
        """All revoked items, in the order of the campaigns and their certifications."""
        return (item for items in self._items.values() for item in items)

    # --- what is there today ---

    def search_identities(self) -> None:
        """Asks Search what the identities hold."""
        by_identity = sorted_by(self.items(), lambda item: item.identity_id)
        most = IDENTITIES_AT_ONCE if len(by_identity) <= MANY_IDENTITIES else FEWER_AT_ONCE
        work = [(self._reserve(), ids) for ids in batches(by_identity, most)]

        def search(batch: tuple[int, list[str]]) -> Steps:
            place, ids = batch
            with self._refusals("search"):
                found = self._look_up(place, lambda record: self.api.search("identities", {"id": ids}, DOCUMENT_FIELDS, record))
                put_documents(by_identity, ids, place, found, self._pool)
            yield from ()

        def failed(batch: tuple[int, list[str]], error: Exception) -> None:
            for identity_id in batch[1]:
                for item in by_identity[identity_id]:
                    item.document = self._pool.same((("problem", str(error)),))

        self._run(search, work, lambda batch: campaigns_of(by_identity, batch[1]), failed, one_by_one=True)

    def read_accounts(self) -> None:
        """Asks for the certified accounts, if this user may."""
        by_account = self._by_account()
        work = [(self._reserve(), ids) for ids in batches(by_account, ACCOUNTS_AT_ONCE, LONGEST_IDS)]
        sources: set[str] = set()

        def read(batch: tuple[int, list[str]]) -> Steps:
            place, ids = batch
            if "accounts" in self.unavailable:
                return
            try:
                found = self._look_up(place, lambda record: self.api.list_accounts(ids, record))
                sources.update(put_accounts(by_account, ids, place, found, self._pool))
                self._owners.update(owners_of(found))
            except HttpError as error:
                self._unless_refused("accounts", error)
            yield from ()

        def failed(batch: tuple[int, list[str]], error: Exception) -> None:
            for account_id in batch[1]:
                for item in by_account[account_id]:
                    item.account_read = self._pool.same((("problem", str(error)),))

        self._run(read, work, lambda batch: campaigns_of(by_account, batch[1]), failed, one_by_one=True)
        self._complete_accounts(by_account, sources)

    def _complete_accounts(self, by_account: dict[str, list[Item]], sources: set[str]) -> None:
        for account_id, items in by_account.items():
            more: tuple = self._reloads.get(account_id, ())
            for item in items:
                if item.account_read is None:
                    # What was to be read again and was not is missing, also where accounts cannot be read at all.
                    item.account_read = more if any(name == "reload_problem" for name, _value in more) else None
                elif ("found", False) in item.account_read:
                    item.account_read = self._pool.same(
                        item.account_read + (("source_seen", item.access.source_id in sources),) + more
                    )
                elif more:
                    item.account_read = self._pool.same(item.account_read + more)

    def _by_account(self) -> dict[str, list[Item]]:
        return sorted_by(
            (item for item in self.items() if item.access.type in (ENTITLEMENT, ACCOUNT)), lambda item: item.account_id
        )

    # --- accounts that are read again ---

    def reload_accounts(self) -> None:
        """Has the certified accounts read again from their sources, and waits for it."""
        by_account = self._by_account()
        # By an account's id, its task.
        tasks: dict[str, str] = {}

        def reload(account_id: str) -> Steps:
            if "refresh" in self.unavailable:
                return
            try:
                tasks[account_id] = self._look_up(self._reserve(), lambda record: self.api.reload_account(account_id, record))
                self.changed = True
            except WouldChange:
                self.changed = True
            except HttpError as error:
                self._unless_refused("refresh", error)
            yield from ()

        def failed(account_id: str, error: Exception) -> None:
            self._reloads[account_id] = (("reload_problem", str(error)),)

        ids = list(by_account)
        # The first one alone: if it is refused, the others need not be asked.
        for part in (ids[:1], ids[1:]):
            self._run(reload, part, lambda account_id: campaigns_of(by_account, [account_id]), failed)
        times = Counter(tasks.values())
        for account_id, task_id in tasks.items():
            self._reloads[account_id] = (("task", task_id),)
            if times[task_id] > 1:
                self._not_reloaded(account_id, "task %s was said to read another account, too" % task_id, by_account)
        self._wait_for({account_id: one for account_id, one in tasks.items() if times[one] == 1}, by_account)

    def _not_reloaded(self, account_id: str, why: str, by_account: dict[str, list[Item]]) -> None:
        self._reloads[account_id] = (("reload_problem", why),)
        for campaign_id in campaigns_of(by_account, [account_id]):
            self._add_error(
                campaign_id, ItemFailed("account %s is not read again yet, %s; run it again later" % (account_id, why))
            )

    def _wait_for(self, tasks: dict[str, str], by_account: dict[str, list[Item]]) -> None:
        waiting = set(tasks.values())
        ends_at = time.monotonic() + self._reload_seconds

        def wait() -> Steps:
            while waiting:
                for ids in batches(sorted(waiting), ACCOUNTS_AT_ONCE, LONGEST_IDS):
                    waiting.difference_update(self._ended(ids))
                if waiting and time.monotonic() >= ends_at:
                    return
                yield self._wait_interval

        ending = self._drive_all([wait()])[0] if tasks else None
        why = "cannot be looked at: %s" % ending if ending else "has not finished"
        for account_id, task_id in tasks.items():
            if task_id in waiting:
                self._not_reloaded(account_id, "task %s %s" % (task_id, why), by_account)

    def _ended(self, task_ids: list[str]) -> set[str]:
        record: list[dict[str, Any]] = []
        self.api.list_tasks(task_ids, record)
        ended = {one for one, task in reloads_in(record).items() if task.get("completionStatus") or task.get("completed")}
        if ended:
            # Only what is told for good is kept: of the looks in between there are many.
            kept = [task for task in record[-1]["body"] if task["id"] in ended]
            self._keep(self._reserve(), [dict(record[-1], body=kept)])
        return ended

    # --- whether it is the same campaign still ---

    def read_campaigns_again(self) -> None:
        """Reads the campaigns whose items were read once more: one that was opened again has other items."""
        again = [
            campaign_id
            for campaign_id, campaign in self.campaigns.items()
            if campaign_id not in self.errors and not nothing_to_read(campaign)
        ]
        readings = Readings(self.api)
        for campaign_id in again:
            readings.want(campaign_id)

        def read(campaign_id: str) -> Steps:
            try:
                readings.read(campaign_id, self.campaigns[campaign_id]["answers"])
            except CampaignNotFound:
                raise no_campaign(campaign_id) from None
            yield from ()

        self._run(read, again, lambda campaign_id: [campaign_id])

    # --- why it is there ---

    def explain(self) -> None:
        """Looks up why items are still there, as far as this user may, for a bounded number of identities."""
        there = sorted_by((item for item in self.items() if item.present), lambda item: item.identity_id)
        if not there:
            return
        work_items = self._work_items(there)

        def explain_batch(ids: list[str]) -> Steps:
            activities: list[dict[str, Any]] = []
            try:
                activities = self._activities(ids)
            finally:
                explain((item for one in ids for item in there[one]), activities, work_items)
            yield from ()

        batched = batches(list(there)[:MOST_EXPLAINED], IDENTITIES_AT_ONCE)
        self._drive_unless("activities", [explain_batch(ids) for ids in batched])
        left_out = len(there) - MOST_EXPLAINED
        if left_out > 0:
            text = "Why is looked up for %d identities, %d more are left out."
            self._not_told("activities", text % (MOST_EXPLAINED, left_out))

    def _activities(self, ids: list[str]) -> list[dict[str, Any]]:
        """The account activities of identities since the first sign-off, as Search has them."""
        since = self._first_sign_off()
        lower = {"type": "RANGE", "range": {"lower": {"value": since, "inclusive": True}}}
        # The newest first: where there are too many, the last change of an item is among those that come.
        more: dict[str, Any] = dict({"filters": {"created": lower}} if since else {}, sort=["-created"])
        place, terms = self._reserve(), {"recipient.id": ids}
        with self._refusals("activities"):
            found = self._look_up(
                place,
                lambda record: self.api.search("accountactivities", terms, ACTIVITY_FIELDS, record, MOST_ACTIVITIES, **more),
            )
        if is_cut_off(self.lookups[place], len(found), MOST_ACTIVITIES):
            text = "Of %d identities there are more than %d activities, of which the newest were read."
            self._not_told("activities", text % (len(ids), len(found)))
        return found

    def _work_items(self, there: dict[str, list[Item]]) -> list[dict[str, Any]]:
        """The work items of this user, and of those who own the sources of what is there, as far as they may be read."""
        found: list[dict[str, Any]] = []
        sources = Counter(item.access.source_id for items in there.values() for item in items)
        owners = dict.fromkeys(self._owners[one] for one, _number in sources.most_common() if one in self._owners)

        def read(owner_id: str | None) -> Steps:
            place = self._reserve()
            with self._refusals("work_items"):
                pages = self._look_up(place, lambda record: list(islice(self.api.work_items(owner_id, record), MOST_WORK_PAGES)))
                found.extend(one for page in pages for one in page)
                number = sum(map(len, pages))
                if len(pages) == MOST_WORK_PAGES and self.lookups[place].get("total") != number:
                    self._not_told("work_items", "Of one owner the first %d work items were read, and there are more." % number)
            yield from ()

        self._drive_unless("work_items", [read(one) for one in (None, *list(owners)[:MOST_OWNERS])])
        left_out = len(owners) - MOST_OWNERS
        if left_out > 0:
            self._not_told(
                "work_items", "Work items of %d owners of sources were read, and not of %d more." % (MOST_OWNERS, left_out)
            )
        return found

    def _drive_unless(self, what: str, steps: list[Steps]) -> None:
        """Runs what nothing depends on: that it cannot be had is noted, and no failure."""
        for ending in self._drive_all(steps, one_by_one=True):
            if ending is not None:
                self._not_told(what, self._refusal(what, ending))

    def _not_told(self, what: str, why: str) -> None:
        """Notes, once, what is not told of something, and why."""
        said = self.unavailable.get(what)
        if why not in (said or ""):
            self.unavailable[what] = "%s %s" % (said, why) if said else why

    def _first_sign_off(self) -> str | None:
        times = [
            one["signed"]
            for campaign in self.campaigns.values()
            for exchange in campaign["answers"]
            if isinstance(exchange.get("body"), list)
            for one in exchange["body"]
            if isinstance(one, dict) and parse_time(one.get("signed"))
        ]
        return min(times, key=lambda text: str(parse_time(text)), default=None)

    # --- what all of these need ---

    def judge(self) -> None:
        """Says of each item, and of each campaign, what is proved."""
        tasks = reloads_in(self.lookups)
        tallies = {}
        for campaign_id, campaign in self.campaigns.items():
            if campaign_id in self.errors:
                campaign["error"] = str(self.failure_of(campaign_id))
            tallies[campaign_id] = Tally(campaign, self.lookups, tasks)
        for item in self.items():
            said = tallies[item.campaign_id].add(item.row())
            item.answer = self._pool.same(
                (said["present"], tuple(said["seen_in"]), self._pool.same(said["seen_at"]), self._pool.same(said["reason"]))
            )
        for campaign_id, tally in tallies.items():
            self.campaigns[campaign_id].update(tally.verdict())

    def failure_of(self, campaign_id: str) -> ItemFailed | None:
        """What went wrong with a campaign, or None."""
        errors = list(dict.fromkeys(map(text_of, self.errors.get(campaign_id, ()))))
        if not errors:
            return None
        more = len(errors) - 1
        return ItemFailed(errors[0] + ("; and %d more error%s" % (more, "s" if more > 1 else "") if more else ""))

    def rows(self) -> Rows:
        """All items as dicts, made one by one."""
        return Rows(lambda: (item.row() for item in self.items()), sum(map(len, self._items.values())))

    def first_rows(self, limit: int) -> list[dict[str, Any]]:
        """So many items as dicts: those that are still there first, then those of which it cannot be said."""
        in_order = (item for present in (True, None, False) for item in self.items() if item.present is present)
        return [item.row() for item, _number in zip(in_order, range(limit))]

    def _run(
        self,
        make: Callable[[Any], Steps],
        work: Iterable[Any],
        campaigns: Callable[[Any], Iterable[str]],
        failed: Callable[[Any, Exception], None] | None = None,
        one_by_one: bool = False,
    ) -> None:
        """Runs make(one) for each piece of work. What fails is an error of its campaigns, and failed(one, error) is called.

        one_by_one: where answers are large, and so is the memory that each thread keeps. Parsing them takes the time.
        """
        work = list(work)
        for one, ending in zip(work, self._drive_all([make(one) for one in work], one_by_one)):
            if ending is None:
                continue
            for campaign_id in campaigns(one):
                self._add_error(campaign_id, ending)
            if failed:
                failed(one, ending)

    def _add_error(self, campaign_id: str, error: Exception) -> None:
        self.errors.setdefault(campaign_id, []).append(error)

    def _reserve(self) -> int:
        """A place in the lookups."""
        with self._lock:
            self.lookups.append({})
            return len(self.lookups) - 1

    def _look_up(self, place: int, ask: Callable[[Any], Any]) -> Any:
        """ask(record); what it leaves there comes to that place of the lookups, the last of it if it is more."""
        record: list[dict[str, Any]] = []
        try:
            return ask(record)
        finally:
            self._keep(place, record)

    def _keep(self, place: int, record: list[dict[str, Any]]) -> None:
        if record:
            self.lookups[place] = record[-1]

    def _unless_refused(self, what: str, error: HttpError) -> None:
        """Notes that this user may not ask for that. Raises any other error again."""
        if error.status != 403:
            raise error
        self.unavailable.setdefault(what, self._refusal(what, error))

    @staticmethod
    def _refusal(what: str, error: Exception) -> str:
        if isinstance(error, HttpError) and error.status == 403:
            return "%s %s: %s. It takes the level %s." % (error.method, error.path, error.problem, LEVELS[what])
        return text_of(error)


def owners_of(accounts: list[dict[str, Any]]) -> dict[str, str]:
    """By a source's id that of its owner, as accounts show it. Who owns the source has its manual tasks (inferred)."""
    owners = ((text_or_none(one.get("sourceId")), text_or_none(dict_in(one, "sourceOwner").get("id"))) for one in accounts)
    return {source: owner for source, owner in owners if source and owner}


def is_cut_off(exchange: dict[str, Any], number: int, limit: int) -> bool:
    """Whether a list that was asked for may have more than the number that came, of `limit` at most."""
    total = exchange.get("total")
    return number == limit if total is None else total != number


def text_of(error: Exception) -> str:
    """An error in words."""
    if isinstance(error, WaitTimeout):
        return "nobody looked at it within wait_timeout"
    return str(error) if isinstance(error, (ItemFailed, HttpError)) else "%s: %s" % (type(error).__name__, error)


def sorted_by(items: Iterable[Item], key: Callable[[Item], str | None]) -> dict[str, list[Item]]:
    """Items by what they have in common; those that have none of it are left out."""
    found: dict[str, list[Item]] = {}
    for item in items:
        name = key(item)
        if name is not None:
            found.setdefault(name, []).append(item)
    return found


def campaigns_of(items: dict[str, list[Item]], names: list[str]) -> list[str]:
    """The ids of the campaigns that these items belong to."""
    return list(dict.fromkeys(item.campaign_id for name in names for item in items[name]))


def look(api: Any, task: Any, campaign_ids: list[str]) -> RevokedAccess:
    """All of it, as a module's options say."""
    params = task.params
    ends_at = time.monotonic() + params["wait_timeout"]

    def drive_all(generators: list, one_by_one: bool = False) -> list:
        left = max(0.0, ends_at - time.monotonic())
        return drive(generators, 1 if one_by_one else params["concurrency"], left, stop=api.client.stop, check=task.check)

    # What is read after it needs time as well.
    found = RevokedAccess(api, drive_all, params["wait_interval"], params["wait_timeout"] / 2)
    found.read_decisions(campaign_ids)
    task.say("revoked access: %d items in %d campaigns" % (sum(1 for _item in found.items()), len(campaign_ids)))
    if params["refresh"]:
        found.reload_accounts()
    found.search_identities()
    if params["read_accounts"] or params["refresh"]:
        found.read_accounts()
    found.read_campaigns_again()
    found.judge()
    found.explain()
    return found
