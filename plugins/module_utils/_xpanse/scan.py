# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A remediation confirmation scan, from what is remembered of it to its end. Private to the collection."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import (
    Exchange,
    Item,
    JsonObject,
    Steps,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.times import (
    age,
    is_fresh,
    is_later,
    parse_time,
    utc_now,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import WouldChange
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace, Scan, watch
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import Exchanges, exchanges_in, path_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import INCONCLUSIVE, PENDING
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.api import ScanNotFound, XpanseApi, exposure_of
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import (
    EXPOSURE,
    FINAL_STATUSES,
    GET_OR_CREATE,
    IN_PROGRESS,
    Proof,
    SentExposure,
    exposure_key,
    names_another,
    outcome_of,
    prove,
    reply_in,
)


class ConfirmationScan:
    """The steps of one scan of one exposure. What comes next follows from what is known of a scan; each state is a method:

    _ask: no scan of it is known, so it is asked for, and a new one runs -> _look; one that was there is looked at at once
    _look: a scan is known by its id and read, until it has ended and counts; what an earlier run asked for may be gone, too
    old, or of before -> _ask

    api: XpanseApi. ledger: where the scan's id and the answers about it are remembered. item: the result, filled in as the
    work goes on. request: the three ids and/or a `scan_id`, which is then only looked at; and `newer_than`,
    a time of Xpanse's clock before which a scan must not have ended.
    start: whether a scan may be asked for. wait: whether its end is waited for. max_age: seconds for which what an earlier
    run was told counts. confirm: whether that is read again. run_id: the run in which this happens, or None; what the same
    run was told counts whatever its age. untaken: why something that was handed on is not known, or "".
    """

    def __init__(
        self,
        api: XpanseApi,
        ledger: Ledger,
        item: Item,
        request: Mapping[str, Any],
        start: bool = True,
        wait: bool = False,
        max_age: int = 86400,
        confirm: bool = True,
        run_id: str | None = None,
        untaken: str = "",
    ) -> None:
        self.api, self.ledger, self.item, self.request, self.untaken = api, ledger, item, request, untaken
        self.start, self.wait, self.max_age, self.confirm, self.run_id = start, wait, max_age, confirm, run_id
        # Of a scan whose id the user gave, no exposure is known, and nothing is remembered.
        self.exposure: SentExposure = ("", "", "")
        self.key = ""
        self.known: JsonObject = {}
        self.asked_twice = self.seen_running = False
        item.update(scan_id=request.get("scan_id") or None, created=False, status=None, result=None, outcome=PENDING)
        self.answers = Exchanges(item)

    def run(self, pace: Pace) -> Steps:
        """The work, as a generator for batch.drive. pace: the Pace of all scans."""
        if self.item["scan_id"]:
            with pace.scan() as scan:
                yield from watch(self, scan, self.wait)
            return
        self.exposure = exposure_of(self.request)
        if self.request.get("newer_than") and parse_time(self.request["newer_than"]) is None:
            raise ItemFailed("newer_than %r is not a time" % (self.request["newer_than"],))
        self.key = exposure_keys(self.api) + "%s/%s/%s" % self.exposure
        known = self.known = remembered(self.ledger, self.api, self.exposure)
        if known and self._is_this_runs(known) and self._recall(known)["status"] in FINAL_STATUSES:
            return
        if known and not self.confirm and self._counts_unread(known):
            return
        with pace.scan() as scan:
            seconds = age(known.get("asked_at")) if known else None
            if known and seconds is not None and seconds >= 0:
                scan.began = time.monotonic() - seconds
                if self.wait and self._is_this_runs(known):
                    # An earlier task has asked for it: as if it had been this one.
                    self._recall(known)
                    if pace.lines_up():
                        yield from scan.pause()
                    elif seconds < pace.interval:
                        yield pace.interval - seconds
            if known and self._may_count(known):
                self._recall(known)
            yield from watch(self, scan, self.wait)

    def look(self, scan: Scan) -> bool:
        """One step. Returns whether the work is done. Raises ItemFailed, HttpError."""
        return self._ask(scan) if self.item["scan_id"] is None else self._look(scan)

    # --- its states ---

    def _ask(self, scan: Scan) -> bool:
        self._get_or_create(scan)
        if self.item["scan_id"] is None:
            # Check mode asks for nothing.
            self.item.update(status=None, outcome=PENDING)
            return True
        if self.item["created"]:
            self.item.update(status=IN_PROGRESS, outcome=PENDING)
            return False
        return self._look(scan)

    def _look(self, scan: Scan) -> bool:
        try:
            reply = self.api.get_scan(self.item["scan_id"], self.answers)
        except ScanNotFound as error:
            if not self.key or not self.start or not self._is_recalled():
                raise ItemFailed("no scan has the id %s (%s)" % (self.item["scan_id"], error)) from error
            # What the ledger remembers is gone; the exposure can be asked about again.
            return self._ask_anew(scan)
        ids = exposure_key(self._ids()) if self.key else None
        wrong = names_another({"body": {"reply": reply}}, ids, self.item["scan_id"])
        if wrong:
            raise ItemFailed(wrong)
        self._judge(reply)
        if self.item["status"] == IN_PROGRESS:
            return self._goes_on()
        return self._has_ended(scan) if self.key else True

    def _goes_on(self) -> bool:
        if not self.seen_running and not self.item["created"] and self.key:
            # Of a scan that was there already, this is the sign that it ends after it was asked for.
            self._remember()
        self.seen_running = True
        return False

    def _has_ended(self, scan: Scan) -> bool:
        """Whether the end counts; if not, it is asked for anew."""
        problem = self._problem_of_known() if self._is_recalled() else None
        if problem and not self.start:
            raise ItemFailed(
                "the scan %s was last known to run at %s, and %s: start a new one"
                % (self.item["scan_id"], self.proof["ran_at"], problem)
            )
        final = self.item["status"] in FINAL_STATUSES
        was_there = not self.proof["ran"] and self.start and not self.asked_twice and final
        if problem or was_there:
            # Of one that was there already and had ended: asking now, after its end, may bring a new one.
            self.asked_twice = self.asked_twice or not problem
            return self._ask_anew(scan)
        if final:
            took = scan.ended()
            if took:
                self.item["took"] = took
        self._remember()
        return True

    def _ask_anew(self, scan: Scan) -> bool:
        self._forget()
        return self.look(scan)

    # --- asking ---

    def _get_or_create(self, scan: Scan) -> None:
        if not self.start:
            unknown = "no scan of this exposure is known, so there is nothing to collect: start one"
            raise ItemFailed("%s. %s" % (unknown, self.untaken) if self.untaken else unknown)
        try:
            scan_id, created = self.api.get_or_create(*self.exposure, record=self.answers)
        except WouldChange:
            self.item.update(created=True)
            return
        self.answers.pin()
        self.item.update(scan_id=scan_id, created=self.item["created"] or created, status=None, requested_at=None)
        if created:
            scan.began = time.monotonic()
        self._judge()
        self.item["status"] = None
        self._remember()

    def _judge(self, reply: JsonObject | None = None) -> None:
        if not self.key:
            # Of a scan whose id the user gave, only its own words are known.
            reply = reply or {}
            self.item.update(status=reply.get("status"), result=reply.get("result"))
            self.item["outcome"] = outcome_of(self.item["status"], self.item["result"])[0]
            return
        proof = self.proof = self._prove(exchanges_in(self.item))
        self.item.update(status=proof["status"], result=proof["result"], outcome=proof["outcome"])
        if proof["asked_at"]:
            self.item["requested_at"] = proof["asked_at"]
        if proof["finished_at"]:
            self.item["finished_at"] = proof["finished_at"]

    def _prove(self, exchanges: list[Exchange]) -> Proof:
        return prove(exposure_key(self._ids()), exchanges, self.request.get("newer_than"))

    def _ids(self) -> dict[str, int | str]:
        return dict(zip(EXPOSURE, self.exposure))

    # --- remembering ---

    def _remember(self) -> None:
        record = dict(
            kind="exposure",
            **self._ids(),
            scan_id=self.item["scan_id"],
            asked_at=utc_now(),
            run_id=self.run_id,
            answers=exchanges_in(self.item),
        )
        before = self.ledger.get(self.key)
        if self.item["status"] in FINAL_STATUSES:
            record.update(ended_at=utc_now(), took=self.item.get("took"))
        if before.get("scan_id") == record["scan_id"]:
            # When it was first known here.
            record.update({name: before[name] for name in ("asked_at", "ended_at", "took") if before.get(name)})
        try:
            self.ledger.put(self.key, record)
        except LedgerError:
            # The scan runs all the same. What could not be recorded is said when the ledger is closed.
            return

    def _recall(self, known: JsonObject) -> Item:
        self.item["scan_id"] = known["scan_id"]
        self.answers.recall(known["answers"], self._is_this_runs(known))
        self._judge()
        return self.item

    def _forget(self) -> None:
        self.answers.forget()
        self.item.update(scan_id=None, status=None, result=None, outcome=PENDING)
        for name in ("requested_at", "finished_at", "took"):
            self.item.pop(name, None)

    def _is_recalled(self) -> bool:
        return any(exchange.get("remembered") for exchange in exchanges_in(self.item)[:1])

    def _is_this_runs(self, known: JsonObject) -> bool:
        return self.run_id is not None and known.get("run_id") == self.run_id

    def _may_count(self, known: JsonObject) -> bool:
        """Whether it makes sense to look at a remembered scan before a new one is asked for."""
        return not self.start or self.max_age > 0 or self._is_this_runs(known)

    def _counts_unread(self, known: JsonObject) -> bool:
        """Whether an earlier run's answer is taken as it was: by this machine's clock, as the server is not asked."""
        seconds = age(known.get("ended_at"))
        proof = self._prove(known["answers"])
        if seconds is None or not 0 <= seconds < self.max_age or proof["status"] not in FINAL_STATUSES:
            return False
        if not is_fresh(proof["ran_at"], proof["finished_at"], self.max_age):
            return False
        if proof["status"] == "SUCCESS" and proof["outcome"] == INCONCLUSIVE:
            return False
        self._recall(known)
        self.item["unread"] = True
        return True

    def _problem_of_known(self) -> str | None:
        """Why a remembered scan that has ended does not count, by the clock of Xpanse; else None."""
        exchanges = exchanges_in(self.item)
        now = exchanges[-1].get("server_time")
        ran_at = self.proof["ran_at"]
        newer_than = self.request.get("newer_than")
        if newer_than and is_later(newer_than, ran_at):
            return "the alert was reopened at %s, or changed while it was not resolved" % newer_than
        if any(reply_in(exchange).get("status") == IN_PROGRESS for exchange in exchanges if not exchange.get("remembered")):
            # This run saw it run.
            return None
        known = self.ledger.get(self.key)
        # A server whose clock stands still would keep it fresh for ever.
        here = age(known.get("asked_at"))
        if (
            self._is_this_runs(known)
            or is_fresh(ran_at, now, self.max_age)
            and is_fresh(self.proof["finished_at"], now, self.max_age)
            and (here is None or here < self.max_age)
        ):
            return None
        return "that is longer ago than max_age (%d s)" % self.max_age


def confirmation_scan(
    api: XpanseApi, ledger: Ledger, pace: Pace, item: Item, request: Mapping[str, Any], **options: Any
) -> Steps:
    """One remediation confirmation scan, as a generator for batch.drive. options: see ConfirmationScan."""
    return ConfirmationScan(api, ledger, item, request, **options).run(pace)


def exposure_keys(api: XpanseApi) -> str:
    """What the keys of all of a tenant's exposures begin with in the ledger."""
    return "%s/exposure/" % api.tenant


def remembered(ledger: Ledger, api: XpanseApi, exposure: SentExposure) -> JsonObject:
    """What the ledger has of an exposure's scan, as a dict with `scan_id` and `answers`; {} where that is nothing sound."""
    name = "exposure/%s/%s/%s" % exposure
    known = ledger.get("%s/%s" % (api.tenant, name)) or from_0_2(ledger.get_of_0_2(api.tenant, name), exposure)
    answers = exchanges_in(known)
    if not answers or not isinstance(known.get("scan_id"), str):
        return {}
    ids = dict(zip(EXPOSURE, exposure))
    if prove(exposure_key(ids), answers)["scan_id"] != known["scan_id"]:
        return {}
    return dict(known, answers=answers)


def to_hand_on(ledger: Ledger, api: XpanseApi, exposures: Iterable[SentExposure]) -> dict[str, JsonObject]:
    """What the next job has to know of the scans, by what follows the kind in the ledger's key.

    That a scan was asked for, which one Xpanse named, and that it ran: what it found is to be asked by whoever collects.
    """
    found = {}
    for exposure in exposures:
        known = remembered(ledger, api, exposure)
        answers = [
            exchange
            for exchange in known.get("answers", ())
            if path_of(exchange) == GET_OR_CREATE or reply_in(exchange).get("status") == IN_PROGRESS
        ]
        if known:
            record = dict(kind="exposure", scan_id=known["scan_id"], asked_at=known.get("asked_at"), answers=answers)
            found["%s/%s/%s" % exposure] = record
    return found


def from_0_2(record: JsonObject, exposure: SentExposure) -> JsonObject:
    """A record of 0.2.0 as this version writes it, {} where it does not say by the server's clock when it was asked.

    That version kept the requests without their bodies. What the scan said is read again anyway.
    """
    scan_id = record.get("scan_id")
    requests = record.get("requests")
    asked = [
        request
        for request in (requests if isinstance(requests, list) else ())
        if isinstance(request, dict)
        and str(request.get("path")).rstrip("/") == (GET_OR_CREATE)
        and request.get("status") in (200, 201)
        and request.get("reference") == "scanId %s" % scan_id
    ]
    if not asked or not isinstance(scan_id, str):
        return {}
    sent = {
        "request_data": {
            "filters": [{"field": field, "operator": "EQ", "value": value} for field, value in zip(EXPOSURE, exposure)]
        }
    }
    return dict(
        scan_id=scan_id,
        asked_at=record.get("requested_at"),
        answers=[dict(asked[-1], sent=sent, body={"reply": {"scanId": scan_id}}, recorded_by="0.2.0")],
    )


def durations(api: XpanseApi, ledger: Ledger) -> list[float]:
    """Seconds that each finished scan took which the ledger remembers."""
    found = []
    for record in ledger.find(exposure_keys(api)):
        took = record.get("took")
        if isinstance(took, (int, float)) and 0 < took < 10**9:
            found.append(took)
    return found
