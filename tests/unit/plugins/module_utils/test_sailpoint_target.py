# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of a campaign, and what is not."""

from __future__ import annotations

import random
import re

import pytest
from conversations import (
    JUNK,
    RUN_REPORT,
    SHA256,
    accepting,
    at,
    campaign,
    damaged,
    downloading,
    exchange,
    file_says,
    listing,
    reading,
    reasons_in,
    report,
)

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import report_proof
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import target as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import Word, prove
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES

BEFORE, ACCEPTED, MOVED = reading(-1000, 0), accepting(seconds=1), reading(100, 101)
SCAN = [BEFORE, ACCEPTED, MOVED]
# The report ran at 200.
RUN, LISTED, FILE, AFTER = accepting(RUN_REPORT, 150), listing(210, report()), downloading(211), reading(100, 212)
REPORT = [RUN, LISTED, FILE, AFTER]
TRUE = SCAN + REPORT
NO_SCAN = "no answer on record accepts a remediation scan of this campaign (202)"
NOT_MOVED = "the remediation scan has not finished"
NO_REPORT = "no answer on record lists a remediation status report of this campaign after the scan"
NO_FILE = "no answer on record brought the report's file that was read"
NOT_READ_AGAIN = "the campaign was not read again after its report"


def without(*gone):
    """The true conversation without some exchanges."""
    return [one for one in TRUE if not any(one is other for other in gone)]


def instead(old, *new):
    """The true conversation with others in place of one exchange."""
    return [two for one in TRUE for two in (new if one is old else [one])]


def in_list(one, *others):
    """A reading of the campaign, as a list shows it."""
    return dict(one, path="/campaigns/v1?filters=id", body=[*others, one["body"]])


# What is damaged: (the conversation, what is different of the file, what becomes of it, why).
DAMAGES = {
    "two reports of the type": (
        instead(LISTED, dict(LISTED, body=LISTED["body"] + [dict(LISTED["body"][-1], id="r2")])),
        {},
        "inconclusive",
        "the report has the status 'listed more than once'",
    ),
    "moved between the read before and the acceptance": (
        instead(MOVED, reading(0, 101))[:-1] + [reading(0, 212)],
        {},
        "inconclusive",
        "which is before its scan was accepted",
    ),
    "last shown as before the scan": (
        instead(AFTER, reading(-1000, 212)),
        {},
        "inconclusive",
        "the campaign was last shown as of",
    ),
    "accepted at no time": (
        instead(ACCEPTED, dict(ACCEPTED, server_time=None)),
        {},
        "inconclusive",
        "nothing shows that the scan ended after it was asked for",
    ),
    "listed at no time": (
        instead(LISTED, dict(LISTED, server_time=None)),
        {},
        "inconclusive",
        "nothing shows that the report is not from the future",
    ),
    "no clock": ([dict(one, server_time=None) for one in TRUE], {}, "inconclusive", "the server does not say its time"),
    "nothing": ([], {}, "inconclusive", "no answer on record shows the campaign"),
    "another campaign": (
        [dict(one, body=dict(one["body"], id="c2")) if one in (BEFORE, MOVED, AFTER) else one for one in TRUE],
        {},
        "inconclusive",
        "no answer on record shows the campaign",
    ),
    "read with an error": ([dict(one, status=404) for one in TRUE], {}, "inconclusive", "no answer on record shows the campaign"),
    "active at last": (
        instead(AFTER, reading(100, 212, status="ACTIVE")),
        {},
        "inconclusive",
        "the campaign is ACTIVE, so nothing can be verified",
    ),
    "an odd status": (
        instead(AFTER, reading(100, 212, status=["COMPLETED"])),
        {},
        "inconclusive",
        "the campaign is ['COMPLETED'], so nothing can be verified",
    ),
    "not asked": (without(ACCEPTED), {}, "inconclusive", NO_SCAN),
    "accepted with 200": (instead(ACCEPTED, accepting(status=200)), {}, "inconclusive", NO_SCAN),
    "refused": (instead(ACCEPTED, accepting(status=400)), {}, "inconclusive", NO_SCAN),
    "lost": (instead(ACCEPTED, accepting(status=502)), {}, "inconclusive", NO_SCAN),
    "not posted": (instead(ACCEPTED, dict(ACCEPTED, method="GET")), {}, "inconclusive", NO_SCAN),
    "accepted for another campaign": (instead(ACCEPTED, accepting(campaign_id="c2")), {}, "inconclusive", NO_SCAN),
    "accepted for one whose id ends alike": (instead(ACCEPTED, accepting(campaign_id="xc1")), {}, "inconclusive", NO_SCAN),
    "another operation": (instead(ACCEPTED, accepting(RUN_REPORT)), {}, "inconclusive", NO_SCAN),
    "modified before is not known": (
        without(BEFORE),
        {},
        "inconclusive",
        "no answer on record says what the campaign's modified was before the scan",
    ),
    "modified before is no time": (
        instead(BEFORE, reading("long ago", 0)),
        {},
        "inconclusive",
        "no answer on record says what the campaign's modified was before the scan",
    ),
    "modified is not seen to move": (without(MOVED, AFTER) + [reading(-1000, 212)], {}, "pending", NOT_MOVED),
    "modified moved back": (instead(MOVED, reading(-2000, 101))[:-1] + [reading(-2000, 212)], {}, "pending", NOT_MOVED),
    "modified vanished": (instead(MOVED, reading(None, 101))[:-1] + [reading(None, 212)], {}, "pending", NOT_MOVED),
    "modified moved before": ([BEFORE, MOVED, ACCEPTED, *REPORT], {}, "pending", NOT_MOVED),
    "asked for once more": ([*TRUE, accepting(seconds=300)], {}, "pending", NOT_MOVED),
    "no report": (without(LISTED), {}, "inconclusive", NO_REPORT),
    "no report listed": (instead(LISTED, listing(210, [])), {}, "inconclusive", NO_REPORT),
    "another type of report": (
        instead(LISTED, listing(210, report(report_type="CAMPAIGN_STATUS_REPORT"))),
        {},
        "inconclusive",
        NO_REPORT,
    ),
    "a report of another campaign": (instead(LISTED, listing(210, report(), "c2")), {}, "inconclusive", NO_REPORT),
    "a report listed before the scan ended": ([BEFORE, ACCEPTED, LISTED, MOVED, FILE, AFTER], {}, "inconclusive", NO_REPORT),
    "a report listed with an error": (instead(LISTED, dict(LISTED, status=500)), {}, "inconclusive", NO_REPORT),
    "a report that failed": (
        instead(LISTED, listing(210, report("ERROR"))),
        {},
        "inconclusive",
        "the report has the status 'ERROR', so it cannot be read",
    ),
    "a report that runs": (instead(LISTED, listing(210, report("PENDING"))), {}, "inconclusive", "the status 'PENDING'"),
    "a report of the scan's very moment": (
        instead(LISTED, listing(210, report(run_at=100))),
        {},
        "inconclusive",
        "which is not after the scan (%s)" % at(100),
    ),
    "a report of before": (
        instead(LISTED, listing(210, report(run_at=50))),
        {},
        "inconclusive",
        "the report was run at %s, which is not after the scan" % at(50),
    ),
    "a report that never ran": (instead(LISTED, listing(210, report(run_at=None))), {}, "inconclusive", "was run at None"),
    "a report of some day": (instead(LISTED, listing(210, report(run_at="today"))), {}, "inconclusive", "was run at today"),
    "a report from the future": (
        instead(LISTED, listing(210, report(run_at=300))),
        {},
        "inconclusive",
        "the report was run at %s, which is in the future by the server's clock" % at(300),
    ),
    "no file": (without(FILE), {}, "inconclusive", NO_FILE),
    "the file of another report": (instead(FILE, downloading(211, "r2")), {}, "inconclusive", NO_FILE),
    "another file": (instead(FILE, downloading(211, sha256="0" * 64)), {}, "inconclusive", NO_FILE),
    "another file at last": (instead(FILE, FILE, downloading(212, sha256="0" * 64)), {}, "inconclusive", NO_FILE),
    "a file of before the scan": ([FILE, *without(FILE)], {}, "inconclusive", NO_FILE),
    "half a file": (instead(FILE, downloading(211, status=206)), {}, "inconclusive", NO_FILE),
    "a file that nobody summed up": (instead(FILE, downloading(211, sha256=None)), {}, "inconclusive", NO_FILE),
    "a report without an id": (instead(LISTED, listing(210, report(report_id=None))), {}, "inconclusive", NO_FILE),
    "not read again": (without(AFTER), {}, "inconclusive", NOT_READ_AGAIN),
    "read again too early": ([*SCAN, RUN, LISTED, AFTER, FILE], {}, "inconclusive", NOT_READ_AGAIN),
    "more certifications": (
        instead(AFTER, reading(100, 212, totalCertifications=5)),
        {},
        "inconclusive",
        "the campaign has changed since its scan: totalCertifications was 4 and is 5",
    ),
    "fewer decisions": (
        instead(AFTER, reading(100, 212, completedCertifications=3)),
        {},
        "inconclusive",
        "the campaign has changed since its scan: completedCertifications was 4 and is 3",
    ),
    "reopened meanwhile": (
        instead(RUN, RUN, reading(100, 160, status="ACTIVE")),
        {},
        "inconclusive",
        "the campaign was ACTIVE since its scan",
    ),
    "modified is gone": (
        instead(AFTER, reading(None, 212)),
        {},
        "inconclusive",
        "the campaign says no more when it was modified",
    ),
    "modified after another's report": (
        [*SCAN, LISTED, FILE, reading(205, 212)],
        {},
        "inconclusive",
        "the campaign was modified at %s, after its report was run (%s)" % (at(205), at(200)),
    ),
    "modified after our report": ([*TRUE, reading(230, 240)], {}, "inconclusive", "the campaign was modified at %s" % at(230)),
    "not read": (TRUE, None, "inconclusive", "the remediation status report was not read"),
    "a file that is damaged": (TRUE, dict(error="line 3 is cut off"), "inconclusive", "line 3 is cut off"),
    "rows of another campaign": (
        TRUE,
        dict(campaign_ids=["c1", "c2"]),
        "inconclusive",
        "the report has rows of another campaign, c2",
    ),
    "a report with a warning": (
        instead(LISTED, listing(210, report("WARNING"))),
        {},
        "inconclusive",
        "the report ended with status WARNING, so it may not be complete, and shows no open item",
    ),
    "numbers that do not add up": (TRUE, dict(items_remediated=2), "inconclusive", "the report's numbers of items do not add up"),
    "open items": (TRUE, file_says("unremediated"), "unremediated", "1 of 3 items still open"),
    "open items and a warning": (
        instead(LISTED, listing(210, report("WARNING"))),
        file_says("unremediated"),
        "unremediated",
        "1 of 3 items still open",
    ),
    "words that are not known": (
        TRUE,
        dict(outcome="inconclusive", reason="1 word is not known"),
        "inconclusive",
        "1 word is not known",
    ),
    "an outcome that is none": (TRUE, dict(outcome="great", reason="all is well"), "inconclusive", "all is well"),
}


def proved(conversation, info):
    """What is proved where the file differs in this."""
    return prove("c1", conversation, SHA256, None if info is None else file_says(**info))


class TestProve:
    @pytest.mark.parametrize(
        "conversation",
        [
            TRUE,
            # Somebody else ran the report after the scan.
            without(RUN),
            # The report that we ran moves `modified`, and it stays there.
            [*SCAN, RUN, LISTED, FILE, reading(205, 212)],
            [*SCAN, RUN, LISTED, FILE, reading(205, 212), reading(205, 900)],
            # The scan moves `modified` twice, before the report.
            [*SCAN, reading(120, 130), RUN, LISTED, FILE, reading(120, 212)],
            # As who may not read a campaign alone sees it.
            [in_list(BEFORE), ACCEPTED, in_list(MOVED, campaign(5, "c2")), *REPORT[:-1], in_list(AFTER)],
            # What does not matter: refusals, conflicts, polls, other types, other spellings.
            [
                BEFORE,
                accepting(status=400),
                BEFORE,
                ACCEPTED,
                BEFORE,
                MOVED,
                accepting(RUN_REPORT, status=400),
                listing(120, report("PENDING", None)),
                *REPORT,
            ],
            instead(LISTED, listing(210, report(run_at="2026-11-22T13:03:20.5+01:00"))),
            [
                dict(one, path=one["path"].replace("/campaigns/v1", "/v2025/campaigns").replace("/reports/v1", "/v2025/reports"))
                for one in TRUE
            ],
            # Without a clock, the order tells, but for the times that a campaign or a report itself has.
            [one if one in (ACCEPTED, LISTED) else dict(one, server_time=None) for one in TRUE],
        ],
    )
    def test_the_truth(self, conversation):
        assert proved(conversation, {}) == Word("remediated", "3 of 3 items remediated")

    def test_of_any_id(self):
        """An id is one part of the path, whatever is in it."""
        campaign_id = "a/b c?d"
        conversation = [
            dict(
                one,
                path=one["path"].replace("/c1", "/a%2Fb%20c%3Fd"),
                body=dict(one["body"], id=campaign_id) if isinstance(one.get("body"), dict) else one.get("body"),
            )
            for one in TRUE
        ]
        assert prove(campaign_id, conversation, SHA256, file_says(campaign_ids=[]))[0] == "remediated"

    @pytest.mark.parametrize("conversation, info, outcome, reason", DAMAGES.values(), ids=DAMAGES)
    def test_the_smallest_damage(self, conversation, info, outcome, reason):
        found = proved(conversation, info)
        assert found[0] == outcome and reason in found[1]

    @pytest.mark.parametrize("sha256", [None, "", "0" * 64, SHA256.upper()])
    def test_a_file_that_is_another_one(self, sha256):
        assert prove("c1", TRUE, sha256, file_says()) == Word("inconclusive", NO_FILE)

    def test_every_reason_is_shown(self):
        given = {proved(conversation, info)[1] for conversation, info, _outcome, _reason in DAMAGES.values()}
        for pattern in reasons_in(prove, report_proof.change_since, report_proof.judge_file):
            assert any(re.search(pattern, reason) for reason in given), pattern

    @pytest.mark.parametrize(
        "body",
        [
            {"detailCode": "400.2.0 Conflict", "messages": [{"text": "A conflicting operation is already in progress."}]},
            {"error": "no"},
            {"errorMessage": "no"},
        ],
    )
    def test_an_error_is_no_acceptance(self, body):
        assert proved(instead(ACCEPTED, accepting(seconds=1, body=body)), {})[0] == "inconclusive"

    def test_the_file_of_the_run_before(self):
        """A report may keep its id from run to run."""
        assert proved([*SCAN, FILE, RUN, LISTED, AFTER], {})[0] == "inconclusive"
        old = listing(120, report(run_at=110))
        assert proved([*SCAN, old, FILE, RUN, LISTED, AFTER], {})[0] == "inconclusive"

    @pytest.mark.parametrize(
        "info",
        [
            dict(outcome="remediated"),
            dict(file_says(), items_total=None, items_remediated=None),
            dict(file_says(), items_total="3", items_remediated="3"),
            dict(file_says(), items_total=2.5, items_remediated=2.5),
            dict(file_says(), items_total=True, items_remediated=True),
            dict(file_says(), items_total=-1, items_remediated=-1),
            dict(file_says(), items_open=1),
            dict(file_says(), items_unknown=1),
            dict(file_says(), items_total=4),
        ],
    )
    def test_numbers_that_are_none(self, info):
        assert prove("c1", TRUE, SHA256, info)[0] == "inconclusive"

    def test_a_report_without_an_item(self):
        """Nothing was revoked."""
        info = dict(file_says(), items_total=0, items_remediated=0, reason="the report lists no item: nothing was revoked")
        assert prove("c1", TRUE, SHA256, info) == Word("remediated", info["reason"])

    def test_whatever_is_on_record(self):
        """Never an exception, and nothing is remediated that a naive reader would not call so."""
        source = random.Random(8)
        for _round in range(4000):
            conversation, info = TRUE if source.random() < 0.7 else without(RUN), file_says()
            for _damage in range(source.randint(1, 3)):
                if source.random() < 0.8:
                    conversation = damaged(conversation, source)
                else:
                    info = damaged(info, source)
            results = dict(
                true_results(),
                scans=dict(scans=[scan_item(answers=conversation)]),
                reports=dict(reports=[report_item(answers=[])]),
                report_infos=dict(reports=[dict(info, path="reports/c1.csv")] if isinstance(info, dict) else [info]),
            )
            found = sailpoint.targets(results)
            assert [target["outcome"] in OUTCOMES for target in found] == [True]
            if found[0]["outcome"] == "remediated":
                assert naive(conversation, info), (conversation, info)


def naive(conversation, info):
    """Whether somebody finds all that matters, in its order, who looks for the plain words alone."""
    steps = iter(
        [
            lambda one: one.get("method") == "GET" and "modified" in str(one.get("body")),
            lambda one: one.get("method") == "POST" and "/c1/run-remediation-scan" in one["path"] and one["status"] == 202,
            lambda one: one.get("method") == "GET" and at(100) in str(one.get("body")),
            lambda one: (
                one.get("method") == "GET" and "REMEDIATION_STATUS" in str(one.get("body")) and at(200) in str(one["body"])
            ),
            lambda one: one.get("method") == "GET" and one.get("sha256") == SHA256,
            lambda one: one.get("method") == "GET" and "COMPLETED" in str(one.get("body")),
        ]
    )
    step = next(steps)
    for one in conversation:
        if step and isinstance(one, dict) and isinstance(one.get("path"), str) and step(one):
            step = next(steps, None)
    return step is None and info["outcome"] == "remediated" and info["items_remediated"] == info["items_total"]


def scan_item(**more):
    """What the module returns of the scan."""
    return dict(dict(campaign_id="c1", status="finished", answers=list(SCAN)), **more)


def report_item(**more):
    """What the module returns of the report."""
    return dict(
        dict(campaign_id="c1", status="finished", path="reports/c1.csv", sha256=SHA256, report=report()[1], answers=list(REPORT)),
        **more,
    )


def true_results(**more):
    """The results of all modules about one campaign that is remediated."""
    return dict(
        dict(
            campaign_ids=["c1"],
            campaigns=dict(campaigns=[campaign(100)], missing_ids=[], base_url="https://acme.example"),
            scans=dict(scans=[scan_item()]),
            reports=dict(reports=[report_item()]),
            report_infos=dict(reports=[dict(file_says(), path="reports/c1.csv")]),
        ),
        **more,
    )


def scans(**more):
    """The results, with another scan."""
    return true_results(scans=dict(scans=[scan_item(**more)]))


def reports(**more):
    """The results, with another report."""
    return true_results(reports=dict(reports=[report_item(**more)]))


def campaigns(**more):
    """The results, with another campaign in the list."""
    return true_results(campaigns=dict(campaigns=[campaign(100, **more)]))


def failed(name, **more):
    """The results, with a task that failed."""
    return true_results(**{name: dict(failed=True, msg="HTTP 403", **more)})


JUDGED = {
    "rehearsed": (
        true_results(scans=dict(scans=[scan_item(status="requested", answers=TRUE[:1])])),
        "pending",
        "a remediation scan would be asked for",
    ),
    "active": (campaigns(status="ACTIVE"), "pending", "the campaign is ACTIVE: not all decisions are made yet"),
    "staged": (campaigns(status="STAGED"), "pending", "the campaign is STAGED"),
    "canceling": (campaigns(status="CANCELING"), "inconclusive", "the campaign is CANCELING, so nothing can be verified"),
    "no status": (campaigns(status=None), "inconclusive", "the campaign is None, so nothing can be verified"),
    "missing": (
        true_results(campaigns=dict(campaigns=[], missing_ids=["c1"])),
        "inconclusive",
        "no campaign has this id, or this user may not see it",
    ),
    "not looked up": (true_results(campaigns={}), "inconclusive", "the campaign could not be read"),
    "look-up failed": (failed("campaigns"), "inconclusive", "HTTP 403"),
    "no scan": (true_results(scans={}), "inconclusive", "no remediation scan was asked for"),
    "scans failed": (failed("scans"), "inconclusive", "HTTP 403"),
    "scan failed": (scans(error="the campaign is gone"), "inconclusive", "the campaign is gone"),
    "blocked": (scans(status="blocked"), "pending", "a report of the campaign runs, so the remediation scan has to wait"),
    "another's": (
        scans(status="running", last_error="HTTP 503"),
        "pending",
        "another operation of the campaign runs, so the remediation scan has to wait; the last look failed: HTTP 503",
    ),
    "requested": (scans(status="requested"), "pending", "the remediation scan has not finished"),
    "never looked at": (
        scans(status=None, answers=[], last_error="nobody looked at it within wait_timeout"),
        "pending",
        "nobody looked at it within wait_timeout",
    ),
    "an odd status of the scan": (scans(status=["finished"]), "pending", "the remediation scan has not finished"),
    "finished without an answer": (scans(answers=[]), "inconclusive", "was not read again"),
    "finished by words alone": (scans(answers=None, requested_at=at(1), modified=at(100)), "inconclusive", "was not read again"),
    "finished and never accepted": (scans(answers=[BEFORE, MOVED]), "inconclusive", NO_SCAN),
    "remembered": (
        scans(answers=[dict(one, remembered=True) for one in SCAN]),
        "inconclusive",
        "what an earlier run was told of the scan was not read again",
    ),
    "no report": (true_results(reports={}), "pending", "the remediation scan has finished, and no report has been asked for yet"),
    "reports failed": (failed("reports"), "inconclusive", "HTTP 403"),
    "reports failed without a word": (true_results(reports=dict(failed=True)), "inconclusive", "the reports could not be made"),
    "report failed": (reports(error="no space"), "inconclusive", "no space"),
    "report runs": (
        reports(status="running", last_error="HTTP 502"),
        "pending",
        "the remediation status report has not finished; the last look failed: HTTP 502",
    ),
    "not downloaded": (reports(path=None, sha256=None), "pending", sailpoint.NOT_DOWNLOADED),
    "another sum": (reports(sha256="0" * 64), "inconclusive", NO_FILE),
    "a report without answers": (reports(answers=[]), "inconclusive", NO_REPORT),
    "answers of another campaign's report": (
        reports(answers=[dict(one, path=one["path"].replace("c1", "c2")) for one in REPORT]),
        "inconclusive",
        NO_REPORT,
    ),
    "not read": (true_results(report_infos={}), "inconclusive", "the remediation status report was not read"),
    "reading failed": (failed("report_infos"), "inconclusive", "HTTP 403"),
    "another file was read": (
        true_results(report_infos=dict(reports=[dict(file_says(), path="reports/c2.csv")])),
        "inconclusive",
        "the remediation status report was not read",
    ),
}


class TestTargets:
    def only(self, results):
        """The one record that there is."""
        (target,) = sailpoint.targets(results)
        return target

    def test_the_truth(self):
        target = self.only(true_results())
        assert (target["outcome"], target["reason"]) == ("remediated", "3 of 3 items remediated")
        assert (target["started_at"], target["finished_at"], target["system"]) == (at(1), at(100), "https://acme.example")
        assert target["evidence"][0] == dict(path="reports/c1.csv", sha256=SHA256)
        assert target["items"]["items_total"] == 3 and target["report"]["lastRunAt"] == at(200)

    @pytest.mark.parametrize("results, outcome, reason", JUDGED.values(), ids=JUDGED)
    def test_what_modules_say(self, results, outcome, reason):
        target = self.only(results)
        assert target["outcome"] == outcome and reason in target["reason"]

    def test_every_reason_is_shown(self):
        given = {self.only(results)["reason"] for results, _outcome, _reason in JUDGED.values()}
        for pattern in reasons_in(sailpoint.judge, sailpoint.campaign_target):
            assert any(re.search(pattern, reason) for reason in given), pattern

    @pytest.mark.parametrize("old", [False, True])
    def test_a_memory_whose_last_look_failed_is_no_answer(self, old):
        """A wait that ended in an outage: the scan of an earlier run has not been confirmed."""
        answers = [dict(one, remembered=True) for one in SCAN] + [exchange("GET", "/campaigns/v1/c1", 503, seconds=10**6)] * old
        target = self.only(scans(answers=answers, last_error="HTTP 503"))
        assert target["outcome"] in ("pending", "inconclusive") and "HTTP 503" in target["reason"]

    @pytest.mark.parametrize("name", ["campaigns", "filtered_campaigns", "scans", "reports", "report_infos"])
    @pytest.mark.parametrize("junk", JUNK)
    def test_junk(self, name, junk):
        for result in (junk, {name: junk}, {name: list(JUNK)}, {"reports": junk}):
            found = sailpoint.targets(true_results(**{name: result}))
            told = {target["id"]: target["outcome"] for target in found}
            assert told["c1"] in (("remediated",) if name == "filtered_campaigns" else ("inconclusive", "pending"))

    @pytest.mark.parametrize("campaign_id", [None, 5, ["c1"], {"a": 1}, "", True])
    def test_an_odd_id_is_told_and_costs_nobody_else_anything(self, campaign_id):
        results = true_results(
            filtered_campaigns=dict(campaigns=[campaign(100), dict(campaign(100), id=campaign_id, name="odd")], truncated=False)
        )
        found = sailpoint.targets(results)
        assert [target["outcome"] for target in found] == ["remediated", "inconclusive"]
        assert found[1]["name"] == "odd" and "whose id is no text" in found[1]["reason"]

    def test_a_long_id(self):
        results = true_results(campaign_ids=["x" * 5000])
        assert [target["outcome"] for target in sailpoint.targets(results)] == ["inconclusive", "remediated"]

    def test_one_odd_campaign_costs_one_target(self):
        odd = dict(campaign(100, "c2"), status=["x"], name={"a": 1}, totalCertifications=[])
        results = true_results(campaign_ids=["c1", "c2"])
        results["campaigns"] = dict(campaigns=[campaign(100), odd])
        results["scans"] = dict(scans=[scan_item(), dict(campaign_id="c2", status="finished", answers=[dict(ACCEPTED, path=7)])])
        assert [target["outcome"] for target in sailpoint.targets(results)] == ["remediated", "inconclusive"]

    def test_two_campaigns_do_not_share_a_file(self):
        """The rows of one must not judge the other: nobody can tell whose they are."""
        results = true_results(campaign_ids=["c1", "c2"])
        results["campaigns"] = dict(campaigns=[campaign(100), campaign(100, "c2")])
        other = [
            dict(
                one,
                path=one["path"].replace("c1", "c2"),
                body=dict(one["body"], id="c2") if isinstance(one.get("body"), dict) else one.get("body"),
            )
            for one in TRUE
        ]
        results["scans"] = dict(scans=[scan_item(), scan_item(campaign_id="c2", answers=other[:3])])
        results["reports"] = dict(reports=[report_item(), report_item(campaign_id="c2", answers=other[3:])])
        first, second = sailpoint.targets(results)
        assert (first["outcome"], second["outcome"]) == ("inconclusive", "inconclusive")
        assert "lists the same report" in first["reason"] and first["reason"].endswith(", c2")


class TestFilters:
    @pytest.mark.parametrize(
        "filtered, problem",
        [
            (dict(campaigns=[], truncated=False), "no campaign meets the filter"),
            (dict(campaigns=[campaign(100)], truncated=True), "the API left campaigns out, so not every campaign is known"),
            (dict(campaigns=[campaign(100)]), "the API left campaigns out, so not every campaign is known"),
            (dict(failed=True, msg="HTTP 403"), "HTTP 403"),
            (dict(msg="HTTP 403", campaigns=[campaign(100)]), "HTTP 403"),
            ({}, "the campaigns could not be listed"),
            (dict(campaigns="x", truncated=False), "the campaigns could not be listed"),
            (
                dict(campaigns=[campaign(100)], truncated=False, asked=dict(filters='name sw "R"')),
                'the campaigns were looked up by something else: {"filters": "name sw \\"R\\""}',
            ),
            (
                dict(campaigns=[campaign(100)], truncated=False, asked=dict(name="Q")),
                'the campaigns were looked up by something else: {"name": "Q"}',
            ),
            (None, "the campaigns could not be listed"),
        ],
    )
    def test_what_was_not_found_is_told(self, filtered, problem):
        results = true_results(campaign_filters='name sw "Q"', filtered_campaigns=filtered)
        found = sailpoint.targets(results)
        assert [target["outcome"] for target in found] == ["remediated", "inconclusive"]
        assert (found[1]["id"], found[1]["reason"]) == ('filter: name sw "Q"', problem)
        assert sailpoint.asked_for(results)[0]["problem"] == problem

    def test_what_was_found(self):
        results = true_results(
            campaign_filters='name sw "Q"', filtered_campaigns=dict(campaigns=[campaign(100)], truncated=False)
        )
        assert [target["outcome"] for target in sailpoint.targets(results)] == ["remediated"]
        results["filtered_campaigns"]["asked"] = dict(filters='name sw "Q"')
        assert sailpoint.asked_for(results) == [dict(kind="campaign filter", asked='name sw "Q"', found=1, problem=None)]
        assert sailpoint.asked_for(true_results()) == []

    def test_every_reason_is_shown(self):
        mark = next(mark for mark in self.test_what_was_not_found_is_told.pytestmark if mark.name == "parametrize")
        for pattern in reasons_in(sailpoint.problem_of_filter):
            assert any(re.search(pattern, problem) for _filtered, problem in mark.args[1]), pattern
