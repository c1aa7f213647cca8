# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of revoked access by what SailPoint showed: of each item, and of each campaign. Pure, from the record alone.

`present: false` comes out of `judge_item`, `remediated` out of `Tally.verdict`, and from nowhere else. All times that are
compared are the server's. Private to the collection.

The record is what M(secops.remediation.sailpoint_revoked_access_info) returns:

campaigns: for each campaign its `campaign_id` and `answers`, the exchanges (see _verdict.answers) in which the campaign was
read, its certifications listed, their decisions summed up, and their items read. Of a page of certifications `body` holds what
matters of each, and `count` and `total` (X-Total-Count) how many came and how many there are; of a page of items there is,
instead of a body, `revoked`: by type, how many were.

lookups: the exchanges that asked Search and for accounts, for all campaigns together; instead of bodies they have `count` and
`total`. Tasks that read accounts again have a `body`.

revoked_items: what was revoked, a dict each, in any order, as many as there are: `campaign_id`, `certification_id`, `item_id`,
`access` {type, id, name}, `ends` (a date on which the access ends), and
  document: what Search showed: `answer` (the place in lookups), `found`, `synced`, `inactive`, `access` (whether the identity
  has it), `standalone` (false: through another grant), `left` (entitlements of the revoked role that are there), `account`
  (whether the certified account is there), `again` (whether there is one under another id instead that has the same name at the
  same source; null: one of that source that has not), `value` (whether the account, or these, has the attribute's value), of a
  revoked account `disabled` (whether it is); `problem` in words;
  account_read: the same of the account itself: `answer`, `found`, `identity_id`, `modified`, `disabled`, `shown` (whether the
  attribute is shown), `value`, `problem`, `source_seen` (whether the same user was shown other accounts of that source), `task`
  (that read it again).
What could not be told is null, and what is null never counts as gone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, is_count
from ansible_collections.secops.remediation.plugins.module_utils._common.times import in_utc, is_later, is_past, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import (
    COMPLETED,
    UNDECIDED,
    campaign_in,
    quoted,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import exchanges_in, path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
)

ENTITLEMENT, ACCESS_PROFILE, ROLE, ACCOUNT = "ENTITLEMENT", "ACCESS_PROFILE", "ROLE", "ACCOUNT"
# By the type of an item, what a summary of decisions calls the number of those that were revoked.
REVOKED_COUNTS = {
    ENTITLEMENT: "entitlementsRevoked",
    ACCESS_PROFILE: "accessProfilesRevoked",
    ROLE: "rolesRevoked",
    ACCOUNT: "accountsRevoked",
}
# The same of a next generation campaign, whose items are no accounts (as its client has it).
NEXT_COUNTS = {
    ENTITLEMENT: "entitlementDecisions",
    ACCESS_PROFILE: "accessProfileDecisions",
    ROLE: "roleDecisions",
}
# What must be the same whenever the campaign is read: else what was read in between may be of another state.
LASTING = ("type", "status", "totalCertifications", "completedCertifications", "modified")
# What a summary says of a kind of items, in both generations, as if it said it in one way.
SAYS = re.compile(r"([A-Za-z]+?)s?(Approved|Revoked|Acknowledged|DecisionsMade|DecisionsTotal)")
DECIDED = ("approved", "revoked", "acknowledged")
NUMBERS = (*DECIDED, "made", "total")
OLD_KINDS = ("entitlement", "accessProfile", "role", "account")
# Of which roles and profiles consist, which is held by no identity.
COMPOSITION = "_COMPOSITION"
# All that are documented, of both generations. What is decided in another one nobody knows.
KNOWN_TYPES = ("MANAGER", "SOURCE_OWNER", "SEARCH", "MACHINE_ACCOUNT", "IDENTITY", "UNCORRELATED_ACCOUNT")
SIGNED = "SIGNED"
SUCCESS = "SUCCESS"
TWICE = "the answer has it twice"
SEARCH, ACCOUNTS = "search", "account"
# Why a document alone cannot say it, where the account can.
NO_ACCOUNT = "the certified account is not among the identity's accounts, so it was deleted or belongs to somebody else now"
DISABLED = "the account is there and disabled"
ANOTHER_ACCOUNT = "the certified account is not among the identity's accounts, and may have been made anew under another id"
# Of the reasons why items cannot be seen, so many are said.
MOST_REASONS = 3


# --- one item ---


class View:
    """What one source of facts says of an item. present: True, False, or None. reason: in words. at: text, the moment of it.

    fresh: whether what was seen is from after the sign-off. gap: whether all that is missing is the certified account.
    hinders: whether it keeps the other source from saying gone. ends_later: whether it is there, and rightly so, until a date
    to come.
    """

    def __init__(
        self,
        present: bool | None,
        reason: str,
        at: str | None = None,
        fresh: bool = False,
        gap: bool = False,
        hinders: bool = False,
        ends_later: bool = False,
    ) -> None:
        self.present, self.reason, self.at = present, reason, at
        self.fresh, self.gap, self.hinders, self.ends_later = fresh, gap, hinders, ends_later


def judge_item(
    item: dict[str, Any], signed: Any, lookups: list[dict[str, Any]], tasks: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """`present` (True, False, or None), `seen_in`, `seen_at`, `reason`, and `ends_later` (see View) of one revoked item.

    signed: when its certification was signed off. tasks: see reloads_in.
    """
    kind = (item.get("access") or {}).get("type")
    if kind not in REVOKED_COUNTS:
        return said(None, "items of the type %s are not understood" % kind)
    if parse_time(signed) is None:
        return said(None, "nobody knows when its certification was signed off")
    document = view_of_document(item, kind, signed, lookups)
    account = view_of_account(item, kind, signed, lookups, tasks, document)
    views = (document, account)
    if document.present or account.present:
        return said(True, joined(view.reason for view in views if view.present), document, account)
    if document.ends_later or account.ends_later:
        return dict(said(None, joined(view.reason for view in views if view.ends_later)), ends_later=True)
    if account.hinders:
        return said(None, account.reason)
    nameless = [name for name in ("access", "identity") if not is_text((item.get(name) or {}).get("id"))]
    if nameless:
        # What has no id is in no list, whoever has it.
        return said(None, "the item does not say the id of its %s" % nameless[0])
    if document.present is False:
        return said(False, document.reason, document, account)
    if account.present is False and (document.gap or not document.fresh):
        return said(False, account.reason, document, account)
    return said(None, joined(view.reason for view in views))


def joined(reasons: Iterable[str]) -> str:
    """Reasons in one sentence, each of them once."""
    return "; ".join(dict.fromkeys(filter(None, reasons)))


def said(present: bool | None, reason: str, document: View | None = None, account: View | None = None) -> dict[str, Any]:
    """What is said of an item, and what it stands on: the views that say the same."""
    views = {SEARCH: document, ACCOUNTS: account}
    seen = {name: view.at for name, view in views.items() if view and present is not None and view.present is present}
    seen_at = in_utc(next(iter(seen.values()), None))
    return dict(present=present, seen_in=list(seen), seen_at=seen_at, reason=reason, ends_later=False)


def is_text(value: object) -> bool:
    """Whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def view_of_document(item: dict[str, Any], kind: str, signed: str, lookups: list[dict[str, Any]]) -> View:
    """What the identity's document in Search says."""
    document = item.get("document")
    if not isinstance(document, dict):
        return View(None, "Search was not asked for the identity")
    exchange, problem = lookup_in(document, lookups, "/search")
    if exchange is None:
        return View(None, "Search %s" % problem)
    if document.get("found") is not True:
        cut = isinstance(exchange.get("total"), int) and exchange["total"] != exchange.get("count")
        return View(
            None, "Search's answer was cut off" if cut else "Search does not know the identity (deleted, or uncorrelated)"
        )
    synced = document.get("synced")
    if not isinstance(synced, str) or parse_time(synced) is None:
        return View(None, "the identity's document does not say when it was synchronised")
    if not is_past(synced, exchange["server_time"]):
        return View(None, "the identity's document is from the future by the server's clock: %s" % synced)
    if not is_later(synced, signed):
        asleep = " (an inactive identity leaves the nightly synchronisation)" if document.get("inactive") else ""
        return View(None, "the identity's document is from before the sign-off%s: %s, and %s" % (asleep, synced, signed))
    signs = ("access", "value", "account", "again") if kind == ACCOUNT else ("access", "value")
    if any(document.get(sign) is True for sign in signs):
        if kind == ACCOUNT and document.get("disabled") is True and not (document.get("access") or document.get("again")):
            return View(None, DISABLED, synced, fresh=True)
        return still_there(item, how_it_is_there(document), synced, exchange["server_time"])
    return not_there(document, kind, synced)


def still_there(item: dict[str, Any], reason: str, at: str | None, now: str) -> View:
    """It is there, as was seen after the sign-off. reason: in words. at: the moment of it. now: the server's."""
    ends = item.get("ends")
    if ends is not None and not (parse_time(ends) and is_past(ends, now)):
        # Who reviews may let access end later, and until then it is there rightly.
        return View(None, "the access is still there, and is to end later: %s" % ends, at, fresh=True, ends_later=True)
    return View(True, reason, at, fresh=True)


def how_it_is_there(document: dict[str, Any]) -> str:
    """In words, where the document shows it."""
    is_same = document.get("account") is True
    if document.get("access") is not True and document.get("value"):
        return "the certified account still has it" if is_same else "another account of the same source has it"
    if document.get("access") is not True:
        return "the account is still there" if is_same else "the account is there again, under another id"
    if document.get("value") is False and is_same:
        return "the identity still has it, through another account or grant"
    if document.get("standalone") is False:
        return "the identity still has it, through a role or an access profile"
    return "the identity still has it"


def not_there(document: dict[str, Any], kind: str, synced: str) -> View:
    """The document does not show the item: whether that is all that it has to show."""
    if document.get("access") is not False and kind != ACCOUNT:
        return View(None, "the identity's document does not list all of its access", synced, fresh=True)
    if kind in (ROLE, ACCESS_PROFILE):
        left = document.get("left")
        more = ""
        if isinstance(left, int) and left:
            more = "; of its entitlements %d %s there through another grant" % (left, "is" if left == 1 else "are")
        return View(False, "the identity has it no more" + more, synced, fresh=True)
    missing = what_is_missing(document)
    if missing:
        return View(None, missing, synced, fresh=True, gap=True)
    return View(False, "neither the identity nor the certified account has it", synced, fresh=True)


def what_is_missing(document: dict[str, Any]) -> str | None:
    """In words what the document does not show of the certified account, or None."""
    if document.get("account") is False:
        return NO_ACCOUNT if document.get("again") is False else ANOTHER_ACCOUNT
    if document.get("account") is not True:
        return "the identity's document does not list all of its accounts"
    return None if document.get("value") is False else "the identity's document does not show the account's attribute"


def view_of_account(
    item: dict[str, Any],
    kind: str,
    signed: str,
    lookups: list[dict[str, Any]],
    tasks: dict[str, dict[str, Any]],
    document: View,
) -> View:
    """What the account itself says, as of the last time that its source was read. document: what the document says."""
    account = item.get("account_read")
    if kind not in (ENTITLEMENT, ACCOUNT) or not isinstance(account, dict):
        return View(None, "")
    if account.get("reload_problem"):
        return View(None, "the account could not be read again from its source: %s" % account["reload_problem"], hinders=True)
    exchange, problem = lookup_in(account, lookups, "/accounts")
    if exchange is None:
        return View(None, "the account %s" % problem, hinders=True)
    task = tasks.get(account["task"]) if account.get("task") else None
    # A task reads the account for which it was started, and no other.
    is_own = task is not None and task["accounts"] == [quoted(str((item.get("account") or {}).get("id")))]
    if account.get("task") and not (is_own and is_read_again(task, signed, exchange["server_time"])):
        said_of_it = "task %s ended with %s" % (account["task"], (task or {}).get("completionStatus"))
        return View(None, "the account could not be read again from its source: %s" % said_of_it, hinders=True)
    read_at = task["completed"] if task else account.get("modified")
    if account.get("found") is not True:
        return lost_account(item, account, exchange, document)
    is_fresh = is_later(read_at, signed) and is_past(read_at, exchange["server_time"])
    if kind == ACCOUNT and account.get("disabled"):
        return View(None, DISABLED, hinders=True)
    if kind != ACCOUNT and account.get("value") is None:
        return View(None, "the account does not show the attribute", hinders=True)
    if kind == ACCOUNT or account["value"]:
        reason = "the account is still there" if kind == ACCOUNT else "the account still has it"
        if is_fresh:
            return still_there(item, reason, read_at, exchange["server_time"])
        return View(None, "%s, as it was last read before the sign-off" % reason, hinders=True)
    if not is_fresh:
        return View(None, "the account is not known to have been read since the sign-off")
    if not document.fresh and account.get("shown") is not True:
        return View(None, "the account does not show the attribute, and nothing else says that it is gone")
    owner = account.get("identity_id")
    other = is_text(owner) and owner != (item.get("identity") or {}).get("id")
    return View(
        False, "the account has it no more" + (", and belongs to another identity now" if other else ""), read_at, fresh=True
    )


def lost_account(item: dict[str, Any], account: dict[str, Any], exchange: dict[str, Any], document: View) -> View:
    """An account that is not listed: gone, or out of this user's sight. document: what the document says."""
    if not is_count(exchange.get("total")) or exchange["total"] != exchange.get("count"):
        return View(None, "the list of accounts was cut off, or does not say how many there are")
    shown = item.get("document") or {}
    # Only with a new document that has neither the access nor any account that it may be.
    is_lost = document.gap and (shown.get("account"), shown.get("again")) == (False, False)
    if account.get("source_seen") is not True or not is_lost:
        return View(None, "no such account is listed, or this user may not see it")
    return View(
        False,
        "neither the identity nor the list of accounts has the certified account any more",
        exchange["server_time"],
        fresh=True,
    )


def is_read_again(task: dict[str, Any] | None, signed: str, now: str) -> bool:
    """Whether a task read the account after the sign-off."""
    return (
        task is not None
        and task.get("completionStatus") == SUCCESS
        and is_later(task.get("completed"), signed)
        and is_past(task.get("completed"), now)
    )


def lookup_in(facts: dict[str, Any], lookups: list[dict[str, Any]], resource: str) -> tuple[dict[str, Any] | None, str]:
    """(the exchange that the facts are from, ""), or (None, why they are worth nothing)."""
    if facts.get("problem"):
        return None, "could not be asked: %s" % facts["problem"] if facts["problem"] != TWICE else "says it twice"
    place = facts.get("answer")
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(lookups):
        return None, "has no answer on record"
    exchange = lookups[place]
    if exchange.get("status") != 200 or resource not in path_of(exchange):
        return None, "has no answer on record"
    if parse_time(exchange.get("server_time")) is None:
        return None, "does not say the server's time"
    return exchange, ""


def reloads_in(lookups: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By its id, each task as it was last seen, and `accounts`: those that it was started for, as a path has them."""
    accounts: dict[str, list[str]] = {}
    tasks: dict[str, dict[str, Any]] = {}
    for exchange in lookups:
        path, body = path_of(exchange), exchange.get("body")
        if exchange.get("method") == "POST" and exchange.get("status") == 202 and path.endswith("/reload"):
            task_id = body.get("id") if isinstance(body, dict) else None
            accounts.setdefault(str(task_id), []).append(path.split("/")[-2])
        elif exchange.get("status") == 200 and "/task-status" in path and isinstance(body, list):
            tasks.update({task["id"]: task for task in body if isinstance(task, dict) and isinstance(task.get("id"), str)})
    return {task_id: dict(task, accounts=accounts.get(task_id, [])) for task_id, task in tasks.items()}


# --- one campaign ---


class Decisions:
    """What the answers on record say of a campaign's certifications, and whether they add up.

    problems: why they do not, in words. campaign, read_at: as it was read last, and the server's time of it. signed: by a
    certification's id when it was signed off, None where that cannot be. revoked: by (certification, type), how many items its
    summary says were revoked.
    """

    def __init__(self, campaign_id: str, exchanges: Sequence[Mapping[str, Any]]) -> None:
        self.campaign_id = campaign_id
        self.problems: list[str] = []
        self.signed: dict[str, Any] = {}
        self._certifications: dict[str, dict[str, Any]] = {}
        self.revoked: Counter[tuple[str, str]] = Counter()
        self.campaign: JsonObject | None = None
        self.read_at: object = None
        try:
            self._read(exchanges)
        except Exception as error:  # pylint: disable=broad-exception-caught
            # Whatever is on record, it must not cost other campaigns their answers.
            self.problems.append(
                "what is on record of the certifications cannot be judged (%s: %s)" % (type(error).__name__, error)
            )

    def _read(self, exchanges: Sequence[Any]) -> None:
        shown = [campaign_in(one, self.campaign_id) for one in exchanges]
        readings = [campaign for campaign in shown if campaign]
        if readings:
            self.campaign = readings[-1]
        if self.campaign is None:
            self.problems.append("no answer on record shows the campaign")
            return
        problem = nothing_to_read(self.campaign)
        if problem:
            self.problems.append(problem)
            return
        if self.campaign.get("type") not in KNOWN_TYPES:
            self.problems.append("what is decided in a campaign of the type %s is not known" % self.campaign.get("type"))
        self._compare(readings)
        if len(readings) < 2 or shown[-1] is None:
            self.problems.append("the campaign was not read again after its items")
        self.read_at = exchanges[-1].get("server_time")
        self._read_certifications(exchanges)
        self._read_summaries(exchanges)

    def _compare(self, readings: list[JsonObject]) -> None:
        """The campaign may be opened again while its items are read, and then nobody knows what was not read."""
        seen = [{name: campaign.get(name) for name in LASTING} for campaign in readings]
        if any(one != seen[-1] for one in seen):
            self.problems.append("the campaign changed while it was looked at: run it again")
        elif parse_time(seen[-1]["modified"]) is None:
            self.problems.append("the campaign does not say when it was modified, so nobody knows whether it changed meanwhile")

    def _read_certifications(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        pages = [
            one
            for one in exchanges
            if is_read(one, "/certifications", "/certifications/v1") and isinstance(one.get("body"), list)
        ]
        found = [certification for page in pages for certification in page["body"] if isinstance(certification, dict)]
        created = (self.campaign or {}).get("created")
        # A sign-off from before the campaign, such as of 1970 or of the year 1, is no moment: whatever is old would be later.
        self.signed = {
            one["id"]: None if is_later(created, one.get("signed")) else one.get("signed")
            for one in found
            if isinstance(one.get("id"), str)
        }
        self._certifications = {one["id"]: one for one in found if isinstance(one.get("id"), str)}
        total = (self.campaign or {}).get("totalCertifications")
        if not pages:
            self.problems.append("no answer on record lists the certifications")
            return
        if isinstance(total, bool) or not isinstance(total, int):
            self.problems.append("the campaign does not say how many certifications it has")
        elif len(self.signed) != total:
            self.problems.append(
                "the list shows %d of %d certifications (those of governance groups, and those that this user may not see, are "
                "left out)" % (len(self.signed), total)
            )
        if not is_read_to_the_end(pages, len(found)) or len(self.signed) != len(found):
            self.problems.append("the list of certifications changed while it was read, or was cut off")
        if any(one.get("campaign") != {"id": self.campaign_id} for one in found):
            self.problems.append("the list has certifications of another campaign")
        now = pages[-1].get("server_time")
        open_ones = sum(one.get("phase") != SIGNED or not is_past(self.signed.get(str(one.get("id"))), now) for one in found)
        if open_ones:
            self.problems.append("%d of %d certifications are not known to be signed off" % (open_ones, len(found)))
        failed = sum(not is_sound(one) for one in found)
        if failed:
            self.problems.append(
                "%d of %d certifications have an error, or do not say that they have none" % (failed, len(found))
            )

    def _read_summaries(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        summaries: dict[str, list[dict[str, Any]]] = {}
        pages: dict[str, list[Mapping[str, Any]]] = {}
        for exchange in exchanges:
            certification_id, what = part_of(exchange)
            if what == "decision-summary" and isinstance(exchange.get("body"), dict):
                summaries.setdefault(certification_id, []).append(exchange["body"])
            elif what in ("access-review-items", "review-items"):
                pages.setdefault(certification_id, []).append(exchange)
        found: Counter[str] = Counter()
        for certification_id, certification in self._certifications.items():
            place = quoted(certification_id)
            found.update(self._problems_of(certification, summaries.get(place, []), pages.get(place, [])))
        self.problems += [words % found[words] for words in SUMMARY_PROBLEMS if found[words]]

    def _problems_of(
        self, certification: dict[str, Any], summaries: list[dict[str, Any]], pages: list[Mapping[str, Any]]
    ) -> Iterator[str]:
        """What does not add up of one certification. Takes in what its summary says."""
        if not summaries:
            yield NO_SUMMARY
            return
        if any(summary != summaries[0] for summary in summaries):
            yield TWO_SUMMARIES
        counts = revoked_counts(summaries[-1])
        if not all(map(is_count, counts.values())):
            yield ODD_SUMMARY
            return
        self.revoked.update({(certification["id"], kind): count for kind, count in counts.items() if count})
        if not adds_up(summaries[-1], certification):
            yield WRONG_SUMMARY
        if (pages or any(counts.values())) and not is_whole(pages, counts):
            yield CUT_ITEMS


NO_SUMMARY = "of %d certifications there is no summary of the decisions"
TWO_SUMMARIES = "of %d certifications there are two summaries of the decisions that differ"
ODD_SUMMARY = "of %d certifications the summary of the decisions does not say how many were revoked"
WRONG_SUMMARY = "of %d certifications the decisions in the summary do not add up"
CUT_ITEMS = "of %d certifications the items that were read do not add up to the summary"
SUMMARY_PROBLEMS = (NO_SUMMARY, TWO_SUMMARIES, ODD_SUMMARY, WRONG_SUMMARY, CUT_ITEMS)


def revoked_counts(summary: dict[str, Any]) -> dict[str, Any]:
    """By the type of an item, how many a summary of decisions says were revoked; None, or what is odd, where it does not.

    Of a type that nobody knows only that nothing was revoked is understood.
    """
    is_next = any(name in summary for name in NEXT_COUNTS.values())
    counts: dict[str, Any] = {ACCOUNT: 0} if is_next else {kind: summary.get(name) for kind, name in REVOKED_COUNTS.items()}
    for kind, name in NEXT_COUNTS.items() if is_next else ():
        decisions = summary.get(name)
        counts[kind] = decisions.get("revoked") if isinstance(decisions, dict) else None
    known = NEXT_COUNTS.values() if is_next else OLD_KINDS
    for name, part in parts_of(summary).items():
        numbers = [part["revoked"]] if "revoked" in part else part.values()
        if name not in known and not all(is_count(number) and not number for number in numbers):
            counts[name] = None
    return counts


def parts_of(summary: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By a kind of items, as a summary calls it, what that says: `approved`, `revoked`, `acknowledged`, `made`, `total`."""
    parts: dict[str, dict[str, Any]] = {}
    for name, value in summary.items():
        older = SAYS.fullmatch(name)
        if older:
            kind, what = older.groups()
            parts.setdefault(kind, {})[what.replace("Decisions", "").lower()] = value
        elif name.endswith("Decisions"):
            said_of_it = value if isinstance(value, dict) else {"revoked": None}
            renamed = {"decisionsMade": "made", "decisionsTotal": "total"}
            parts[name] = {renamed.get(one, one): number for one, number in said_of_it.items()}
    return parts


def adds_up(summary: dict[str, Any], certification: dict[str, Any]) -> bool:
    """Whether the decisions in a summary are as many as it says, and as its certification says, where these say it."""
    made = total = 0
    for part in parts_of(summary).values():
        given = {name: part[name] for name in NUMBERS if part.get(name) is not None}
        if not all(map(is_count, given.values())):
            return False
        decided = sum(given.get(name, 0) for name in DECIDED)
        if "approved" in given and given.get("made", decided) != decided:
            return False
        made += given.get("made", decided)
        total += given.get("total", given.get("made", decided))
    wanted = ((certification.get("decisionsMade"), made), (certification.get("decisionsTotal"), total))
    return all(number is None or is_count(number) and number == found for number, found in wanted)


def is_sound(certification: dict[str, Any]) -> bool:
    """Whether a certification says that it has no error; one of the next generation, which has none, that it is decided."""
    if "hasErrors" in certification or "decisionsTotal" not in certification:
        return certification.get("hasErrors") is False
    made, total = certification.get("decisionsMade"), certification["decisionsTotal"]
    return certification.get("completed") is True and is_count(total) and is_count(made) and made == total


def nothing_to_read(campaign: dict[str, Any]) -> str | None:
    """Why nothing is to be learned from a campaign's items, or None."""
    if campaign.get("status") != COMPLETED:
        return "the campaign is %s" % campaign.get("status")
    kind = str(campaign.get("type"))
    if kind.endswith(COMPOSITION):
        words = kind.replace("_", " ").lower()
        return "the items of %s %s campaign are not shown" % ("an" if words[0] in "aeiou" else "a", words)
    return None


def part_of(exchange: Mapping[str, Any]) -> tuple[str, str]:
    """(certification as a path has it, what was read of it) of an exchange; ("", "") where it is none of these."""
    steps = path_of(exchange).split("/")
    is_one = exchange.get("method") == "GET" and exchange.get("status") == 200 and "certifications" in steps
    return (steps[-2], steps[-1]) if is_one and len(steps) > 3 else ("", "")


def is_read(exchange: Mapping[str, Any], *ends: str) -> bool:
    """Whether this read what such a path leads to."""
    return exchange.get("method") == "GET" and exchange.get("status") == 200 and path_of(exchange).endswith(ends)


def is_whole(pages: Sequence[Mapping[str, Any]], counts: dict[str, Any]) -> bool:
    """Whether the pages of a certification's items are all that there are, with as many revoked of each type as its summary."""
    revoked: Counter = Counter()
    for page in pages:
        revoked.update(page["revoked"] if isinstance(page.get("revoked"), dict) else {})
    total = sum(page.get("count") or 0 for page in pages)
    return is_read_to_the_end(pages, total) and {kind: count for kind, count in revoked.items() if count} == {
        kind: count for kind, count in counts.items() if count
    }


def is_read_to_the_end(pages: Sequence[Mapping[str, Any]], found: int) -> bool:
    """Whether these are all pages of a list: as many things as it says, or, where it does not say, up to an empty page."""
    totals = [page["total"] for page in pages if page.get("total") is not None]
    if totals:
        return all(is_count(total) and total == found for total in totals)
    return bool(pages) and pages[-1].get("count") == 0


class Tally:
    """What is known of a campaign's items, one after the other. campaign: its part of the record. lookups: see above."""

    def __init__(self, campaign: dict[str, Any], lookups: list[dict[str, Any]], tasks: dict[str, dict[str, Any]]) -> None:
        self.decisions = Decisions(campaign["campaign_id"], exchanges_in(campaign))
        self.error = campaign.get("error")
        self._lookups, self._tasks = lookups, tasks
        self._counts: Counter = Counter()
        self._unknown: Counter = Counter()
        self._items: Counter = Counter()
        self._ids: set[int] = set()
        # Of how many it is known that they are there, rightly so.
        self.to_end_later = 0
        self._first: str | None = None
        # When Search and the accounts were asked for its items.
        self._asked: set[Any] = set()

    def add(self, item: dict[str, Any]) -> dict[str, Any]:
        """Takes an item in. Returns what judge_item says of it."""
        certification_id, item_id = item.get("certification_id"), item.get("item_id")
        try:
            answer = judge_item(item, self.decisions.signed.get(str(certification_id)), self._lookups, self._tasks)
            kind = item["access"]["type"]
        except Exception as error:  # pylint: disable=broad-exception-caught
            answer, kind = said(None, "what is on record of it cannot be judged (%s)" % type(error).__name__), None
        self._asked.update(self._times_of(item))
        self._items[str(certification_id), str(kind)] += 1
        self._ids.add(hash((str(certification_id), str(item_id))))
        self._counts[answer["present"]] += 1
        self.to_end_later += answer["ends_later"]
        if answer["present"] is None:
            self._unknown[short(answer["reason"])] += 1
        elif answer["seen_at"] and (self._first is None or answer["seen_at"] < self._first):
            self._first = answer["seen_at"]
        return answer

    def _times_of(self, item: dict[str, Any]) -> Iterator[str]:
        for name in ("document", "account_read"):
            facts = item.get(name)
            place = facts.get("answer") if isinstance(facts, dict) else None
            if isinstance(place, int) and 0 <= place < len(self._lookups):
                yield str(self._lookups[place].get("server_time"))

    def verdict(self) -> dict[str, Any]:
        """`outcome`, `reason`, `complete`, `problems`, and the counts `items_total`, `items_gone`, `items_present`,
        `items_unknown`; `as_of`: the oldest moment of which any of it is known."""
        total, present, gone = sum(self._counts.values()), self._counts[True], self._counts[False]
        problems = list(self.decisions.problems)
        if self.error:
            problems.append(str(self.error))
        if not all(is_past(moment, self.decisions.read_at) for moment in self._asked if parse_time(moment)):
            problems.append("the campaign was not read again after the last look at what is there")
        if self._items != self.decisions.revoked or len(self._ids) != total:
            problems.append(
                "%d revoked items are on record, and the summaries of the decisions say %d"
                % (total, sum(self.decisions.revoked.values()))
                if total != sum(self.decisions.revoked.values())
                else "the revoked items on record are not those of the summaries of the decisions"
            )
        outcome, reason = self._answer(total, present, gone, problems)
        return dict(
            outcome=outcome,
            reason=reason,
            complete=not problems and present + gone == total,
            problems=problems,
            items_total=total,
            items_gone=gone,
            items_present=present,
            items_unknown=total - present - gone,
            as_of=self._first,
        )

    def _answer(self, total: int, present: int, gone: int, problems: list[str]) -> tuple[str, str]:
        as_of = ", as of %s" % self._first if self._first else ""
        unseen = self._unseen(total)
        if present:
            reason = "%d of %d revoked items %s still there%s" % (present, total, "is" if present == 1 else "are", as_of)
            return UNREMEDIATED, "; ".join([reason] + unseen + problems)
        status = (self.decisions.campaign or {}).get("status")
        if status in UNDECIDED:
            return PENDING, "the campaign is %s: not all decisions are made yet" % status
        if problems or unseen:
            return INCONCLUSIVE, "; ".join(problems + unseen)
        if not total:
            return REMEDIATED, "nothing was revoked"
        return REMEDIATED, "%d of %d revoked items are gone from the identities%s" % (gone, total, as_of)

    def _unseen(self, total: int) -> list[str]:
        said_of_them = ["%s (%d)" % reason for reason in self._unknown.most_common(MOST_REASONS)]
        more = len(self._unknown) - len(said_of_them)
        if not said_of_them:
            return []
        words = ", ".join(said_of_them) + (", and %d more reasons" % more if more > 0 else "")
        return ["of %d of %d revoked items it cannot be said: %s" % (sum(self._unknown.values()), total, words)]


def short(reason: str) -> str:
    """A reason without what differs from item to item, which comes after a colon."""
    return "; ".join(part.partition(": ")[0] for part in reason.split("; "))
