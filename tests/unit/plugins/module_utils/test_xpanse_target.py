# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of an exposure, and what is not."""

from __future__ import annotations

import random
import re

import pytest
from conversations import (
    DONE,
    IDS,
    JUNK,
    KEY,
    OPEN,
    RUNNING,
    asking,
    at,
    damaged,
    exchange,
    filters,
    looking,
    reasons_in,
)

from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES
from ansible_collections.secops.remediation.plugins.module_utils._xpanse import target as xpanse
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import (
    EXPOSURE,
    GET,
    exposure_key,
    outcome_of,
    prove,
    reopened,
)

# A new scan, seen running, then its words.
ASKED, RAN, ENDED = asking(), looking(RUNNING, seconds=60), looking(DONE, seconds=120)
TRUE = [ASKED, RAN, ENDED]
# One that was there already, and was seen running after it was asked for.
JOINED = [asking(status=200), RAN, ENDED]
OTHER_SCAN, OTHER_IDS = "s2", (232, "Rdp", "u1")
NOT_ASKED = "no answer on record says that a scan of this exposure was asked for"
NOT_LOOKED = "the scan has not finished"
ENDED_BEFORE = "Xpanse named a scan that was there already and had ended"


def swapped(place, **changes):
    """The true conversation with one exchange that is another."""
    return [dict(one, **changes) if number == place else one for number, one in enumerate(TRUE)]


def words(*answer, **more):
    """The true conversation with another end."""
    return [ASKED, RAN, looking(answer, seconds=120, **more)]


# What is damaged: (the conversation, when the alert was reopened, what becomes of it, why).
DAMAGES = {
    "nothing": ([], None, "inconclusive", NOT_ASKED),
    "not asked": ([RAN, ENDED], None, "inconclusive", NOT_ASKED),
    "asked with an error": (swapped(0, status=500), None, "inconclusive", NOT_ASKED),
    "asked with 202": (swapped(0, status=202), None, "inconclusive", NOT_ASKED),
    "asked with GET": (swapped(0, method="GET"), None, "inconclusive", NOT_ASKED),
    "asked elsewhere": (swapped(0, path="/public_api/v1/other"), None, "inconclusive", NOT_ASKED),
    "asked for another exposure": ([asking(ids=OTHER_IDS), RAN, ENDED], None, "inconclusive", NOT_ASKED),
    "asked for another rule": ([asking(ids=(231, "Ssh", "u1")), RAN, ENDED], None, "inconclusive", NOT_ASKED),
    "asked for another service": ([asking(ids=(231, "Rdp", "u2")), RAN, ENDED], None, "inconclusive", NOT_ASKED),
    "nobody knows what was asked": (swapped(0, sent=None), None, "inconclusive", NOT_ASKED),
    "no scan was named": (swapped(0, body={"reply": {}}), None, "inconclusive", "names no scan"),
    "an error in disguise": (swapped(0, body={"reply": {"err_code": 1, "scanId": "s1"}}), None, "inconclusive", "names no scan"),
    "a scan without a text as its id": (swapped(0, body={"reply": {"scanId": 5}}), None, "inconclusive", "names no scan"),
    "a scan of another exposure": (
        [asking(service_id="u2"), RAN, ENDED],
        None,
        "inconclusive",
        "the answer is about another exposure, its service_id is 'u2'",
    ),
    "another scan was named besides": (
        [asking(scan_id="s1", id="s9"), RAN, ENDED],
        None,
        "inconclusive",
        "the answer is about another scan, 's9'",
    ),
    "not looked at": ([ASKED], None, "pending", NOT_LOOKED),
    "another scan was looked at": ([ASKED, looking(scan_id=OTHER_SCAN)], None, "pending", NOT_LOOKED),
    "looked at with an error": (swapped(2, status=503)[::2], None, "pending", NOT_LOOKED),
    "looked at without a body": (swapped(2, body=None)[::2], None, "pending", NOT_LOOKED),
    "looked at with an error in disguise": ([ASKED, looking(DONE, err_code=500)], None, "pending", NOT_LOOKED),
    "looked at before it was asked for": ([ENDED, ASKED], None, "pending", NOT_LOOKED),
    "a look at more than this scan": (
        [
            ASKED,
            exchange("POST", GET, 200, {"reply": {"status": "SUCCESS", "result": "REMEDIATED"}}, filters(id="s1", other="x")),
        ],
        None,
        "pending",
        NOT_LOOKED,
    ),
    "still running": ([ASKED, RAN], None, "pending", "the scan has not finished"),
    "running again": ([ASKED, ENDED, RAN], None, "pending", "the scan has not finished"),
    "asked for once more": (TRUE + [asking("s2", seconds=200)], None, "pending", NOT_LOOKED),
    "an answer about another scan": (words(*DONE, scanId="s2"), None, "inconclusive", "the answer is about another scan, 's2'"),
    "an answer with another scan_id": (
        swapped(2, body={"reply": {"status": "SUCCESS", "result": "REMEDIATED", "scan_id": "s2"}}),
        None,
        "inconclusive",
        "the answer is about another scan, 's2'",
    ),
    "an answer about another alert": (
        words(*DONE, alert_internal_id=232),
        None,
        "inconclusive",
        "the answer is about another exposure, its alert_internal_id is 232",
    ),
    "no result": (words("SUCCESS"), None, "inconclusive", "ended with SUCCESS and the result None, which is not known"),
    "a result in small letters": (
        words("SUCCESS", "remediated"),
        None,
        "inconclusive",
        "the result 'remediated', which is not known",
    ),
    "a result with more": (words("SUCCESS", "REMEDIATED "), None, "inconclusive", "which is not known"),
    "an odd result": (words("SUCCESS", ["REMEDIATED"]), None, "inconclusive", "which is not known"),
    "an odd status": (
        words({"a": 1}, "REMEDIATED"),
        None,
        "inconclusive",
        "the scan has the status {'a': 1}, which is not known",
    ),
    "a new status": (words("DONE", "REMEDIATED"), None, "inconclusive", "the scan has the status 'DONE', which is not known"),
    "timed out": (
        words("FAILED_TIMEOUT", "REMEDIATED"),
        None,
        "inconclusive",
        "Xpanse could not finish the scan in time (FAILED_TIMEOUT)",
    ),
    "failed": (words("FAILED_ERROR", "REMEDIATED"), None, "inconclusive", "the scan failed (FAILED_ERROR)"),
    "still open": (words(*OPEN), None, "unremediated", "still sees the exposure"),
    "there already and not seen running": ([asking(status=200), ENDED], None, "inconclusive", ENDED_BEFORE),
    "there already, open, and not seen running": ([asking(status=200), looking(OPEN)], None, "inconclusive", ENDED_BEFORE),
    "seen running before it was asked for": ([RAN, asking(status=200), ENDED], None, "inconclusive", ENDED_BEFORE),
    "ended before it was asked for": (
        [asking(seconds=500), RAN, ENDED],
        None,
        "inconclusive",
        "by the clock of Xpanse, the scan ended before it was asked for",
    ),
    "reopened since": (TRUE, at(61), "inconclusive", "the alert was reopened at %s" % at(61)),
    "reopened, nobody knows when": (TRUE, "9999-12-31T23:59:59Z", "inconclusive", "the alert was reopened"),
    "reopened, without a clock": ([dict(one, server_time=None) for one in TRUE], at(0), "inconclusive", "the alert was reopened"),
    "open, and reopened since": (words(*OPEN), at(61), "inconclusive", "the alert was reopened"),
}


class TestProve:
    @pytest.mark.parametrize(
        "conversation, reopened_at",
        [
            (TRUE, None),
            (JOINED, None),
            ([ASKED, ENDED], None),
            (TRUE, at(60)),
            (TRUE, at(-100)),
            (JOINED, at(60)),
            ([asking(seconds=3), looking(DONE, seconds=0)], None),
            # Without a clock, the order tells.
            ([dict(one, server_time=None) for one in TRUE], None),
            # What does not matter: other requests, spellings, and what an answer says besides.
            ([asking("s0", ids=OTHER_IDS), *TRUE, looking(OPEN, "s0", 200), exchange("POST", GET, 503)], None),
            ([asking(ids=("231", " Rdp", "u1 ")), ENDED], None),
            ([asking(ids=("0231", "Rdp", "u1")), ENDED], None),
            ([asking(alert_internal_id="231"), looking(DONE, scanId="s1", more=[1])], None),
            # A conversation of an earlier scan before it.
            ([asking("s0"), looking(OPEN, "s0"), *TRUE], None),
        ],
    )
    def test_the_truth(self, conversation, reopened_at):
        proof = prove(KEY, conversation, reopened_at)
        assert (proof["outcome"], proof["scan_id"]) == ("remediated", "s1")
        assert proof["reason"] == "Xpanse scanned the service and sees the exposure no more"

    def test_its_facts(self):
        assert prove(KEY, TRUE) == dict(
            outcome="remediated",
            reason=xpanse.REASONS["remediated"],
            scan_id="s1",
            status="SUCCESS",
            result="REMEDIATED",
            asked_at=at(0),
            ran=True,
            ran_at=at(60),
            finished_at=at(120),
        )
        # It ended when that was seen first.
        assert prove(KEY, [*TRUE, looking(DONE, seconds=900)])["finished_at"] == at(120)
        # Of one that was there already, only a look shows that it had not ended yet.
        assert prove(KEY, [asking(status=200), ENDED])["ran_at"] is None

    @pytest.mark.parametrize("conversation, reopened_at, outcome, reason", DAMAGES.values(), ids=DAMAGES)
    def test_the_smallest_damage(self, conversation, reopened_at, outcome, reason):
        proof = prove(KEY, conversation, reopened_at)
        assert proof["outcome"] == outcome and reason in proof["reason"]

    def test_every_reason_is_shown(self):
        given = {
            prove(KEY, conversation, reopened_at)["reason"] for conversation, reopened_at, _outcome, _why in DAMAGES.values()
        } | {prove(("", "r", ""), TRUE)["reason"]}
        for pattern in reasons_in(prove, xpanse.names_another, outcome_of):
            assert any(re.search(pattern, reason) for reason in given), pattern
        assert set(xpanse.SCAN_REASONS.values()) <= given and xpanse.REASONS["unremediated"] in given

    @pytest.mark.parametrize(
        "conversation, reopened_at",
        [
            # A running scan that is another one.
            ([asking(status=200), looking(RUNNING, scanId="s2"), ENDED], None),
            # What nobody can compare.
            (TRUE, "yesterday"),
            ([dict(ASKED, server_time="soon"), ENDED], at(60)),
            ([ASKED, dict(RAN, server_time="soon"), ENDED], at(90)),
        ],
    )
    def test_no_lies(self, conversation, reopened_at):
        assert prove(KEY, conversation, reopened_at)["outcome"] == "inconclusive"

    @pytest.mark.parametrize("key", [("", "", ""), ("231", "", "u1"), ("", "Rdp", "u1")])
    @pytest.mark.parametrize("sent", [None, filters(), {"request_data": {"filters": [None]}}, "same"])
    def test_an_exposure_that_is_not_complete(self, key, sent):
        sent = filters(**dict(zip(EXPOSURE, key))) if sent == "same" else sent
        assert prove(key, [dict(ASKED, sent=sent), ENDED])["outcome"] == "inconclusive"

    def test_whatever_is_on_record(self):
        """Never an exception, and nothing is remediated that a naive reader would not call so."""
        source = random.Random(8)
        for _round in range(4000):
            conversation = TRUE if source.random() < 0.5 else JOINED
            for _damage in range(source.randint(1, 3)):
                conversation = damaged(conversation, source)
            item = dict(zip(EXPOSURE, KEY), answers=conversation)
            found = xpanse.targets(dict(exposures=[dict(zip(EXPOSURE, KEY))], rcs_requests=dict(rcs_requests=[item])))
            assert [target["outcome"] in OUTCOMES for target in found] == [True]
            if found[0]["outcome"] in ("remediated", "unremediated"):
                assert naive(conversation) == found[0]["outcome"], conversation


def naive(conversation):
    """What somebody reads who looks for the plain words alone."""
    named, said, running = None, None, False
    for one in conversation:
        if (
            not isinstance(one, dict)
            or one.get("method") != "POST"
            or one.get("status") not in (200, 201)
            or (not isinstance(one.get("path"), str))
        ):
            continue
        reply = one["body"]["reply"] if isinstance(one.get("body"), dict) and isinstance(one["body"].get("reply"), dict) else {}
        if "err_code" in reply:
            continue
        asked = str(one.get("sent"))
        if "get_or_create" in one["path"] and all(text in asked for text in ("'value': 231", "'value': 'Rdp'", "'value': 'u1'")):
            named, said, running = reply.get("scanId"), None, one["status"] == 201
        elif one["path"].rstrip("/") == GET and reply and named and "'value': %r" % named in asked:
            said = reply.get("status"), reply.get("result")
            running = running or said[0] == "IN_PROGRESS"
    return (
        {DONE: "remediated", OPEN: "unremediated"}.get(
            said if isinstance(said and said[1], str) and isinstance(said[0], str) else None
        )
        if running
        else None
    )


class TestWords:
    @pytest.mark.parametrize(
        "status, result, outcome",
        [
            ("SUCCESS", "REMEDIATED", "remediated"),
            ("SUCCESS", "UNREMEDIATED", "unremediated"),
            ("IN_PROGRESS", None, "pending"),
            ("IN_PROGRESS", "REMEDIATED", "pending"),
            ("SUCCESS", None, "inconclusive"),
            ("SUCCESS", "remediated", "inconclusive"),
            ("SUCCESS", "PARTLY", "inconclusive"),
            ("FAILED_TIMEOUT", None, "inconclusive"),
            ("FAILED_ERROR", None, "inconclusive"),
            ("FAILED_ERROR", "REMEDIATED", "inconclusive"),
            ("DONE", "REMEDIATED", "inconclusive"),
            (None, None, "inconclusive"),
            ("success", "REMEDIATED", "inconclusive"),
            (["SUCCESS"], "REMEDIATED", "inconclusive"),
            ("SUCCESS", {"REMEDIATED": 1}, "inconclusive"),
            (True, True, "inconclusive"),
        ],
    )
    def test_outcomes(self, status, result, outcome):
        assert outcome_of(status, result)[0] == outcome and outcome_of(status, result)[1]

    @pytest.mark.parametrize(
        "ids, key",
        [
            (IDS, KEY),
            (KEY, KEY),
            ((" 0231 ", "Rdp ", "u1"), KEY),
            (("a-1", "r", "s"), ("a-1", "r", "s")),
            ((True, 5, None), ("", "5", "")),
            ((-1, {}, []), ("-1", "", "")),
            (("9" * 40, "r", "s"), ("9" * 40, "r", "s")),
        ],
    )
    def test_keys(self, ids, key):
        assert exposure_key(dict(zip(EXPOSURE, ids))) == key


class TestReopened:
    @pytest.mark.parametrize(
        "alert, when",
        [
            (dict(resolution_status="STATUS_020_REOPENED", last_modified_ts=1795348800000), at(0)),
            (dict(resolution_status="reopened", last_modified_ts="1795348800000"), at(0)),
            (dict(resolution_status="REOPENED", last_modified_ts="soon"), at(7)),
            (dict(resolution_status="REOPENED", last_modified_ts=-1), at(7)),
            (dict(resolution_status="REOPENED", last_modified_ts=True), at(7)),
            (dict(resolution_status="REOPENED"), at(7)),
            # An analyst took it up, and the word is gone.
            (dict(resolution_status="STATUS_020_UNDER_INVESTIGATION", last_modified_ts=1795348800000), at(0)),
            (dict(resolution_status="STATUS_010_NEW", last_modified_ts=1795348800000), at(0)),
            (dict(resolution_status=["REOPENED"], last_modified_ts=1795348800000), at(0)),
            (dict(resolution_status=None, last_modified_ts=1795348800000), at(0)),
            (dict(resolution_status="STATUS_010_NEW"), None),
            (dict(resolution_status=["REOPENED"]), None),
            (dict(), None),
            (None, None),
            (dict(resolution_status="STATUS_070_RESOLVED_OTHER", last_modified_ts=1795348800000), None),
            (dict(resolution_status="resolved", last_modified_ts=1795348800000), None),
            # No alert was changed then: in 1970, before it was made, in the future.
            *[
                (dict(resolution_status="REOPENED", last_modified_ts=moment, local_insert_ts=1795348000000), at(7))
                for moment in (0, 1, 1795348800, "1795348800", 1795347999999, 1895348800000)
            ],
        ],
    )
    def test_when(self, alert, when):
        assert reopened(alert, at(7)) == when

    def test_where_nobody_knows_when(self):
        assert reopened(dict(resolution_status="REOPENED")) == "9999-12-31T23:59:59Z"


def exposure(ids=KEY):
    """An exposure as a user names it."""
    return dict(zip(EXPOSURE, ids))


def item(answers=tuple(TRUE), ids=KEY, **more):
    """What the module returns of it."""
    return dict(exposure(ids), answers=list(answers), **more)


def only(**results):
    """The one record that there is."""
    (target,) = xpanse.targets(results)
    return target


def judged(*items, **more):
    """The record of the one exposure."""
    return only(exposures=[exposure()], rcs_requests=dict(dict(rcs_requests=list(items)), **more))


class TestTargets:
    def test_the_truth(self):
        target = judged(item(), base_url="https://acme.example", results_file="records/rcs.json")
        assert (target["outcome"], target["id"], target["scan_id"]) == ("remediated", "231:Rdp:u1", "s1")
        assert (target["started_at"], target["finished_at"], target["system"]) == (at(0), at(120), "https://acme.example")
        assert target["evidence"] == [dict(path="records/rcs.json", sha256=None)]

    @pytest.mark.parametrize(
        "more, outcome, reason",
        [
            (dict(error="HTTP 403"), "inconclusive", "HTTP 403"),
            (dict(error="HTTP 403", outcome="remediated"), "inconclusive", "HTTP 403"),
            (dict(answers=[], outcome="pending", scan_id=None), "pending", "a scan would be started"),
            (dict(answers=[], outcome="remediated", status="SUCCESS", result="REMEDIATED"), "inconclusive", NOT_ASKED),
            (dict(answers=None, outcome="remediated"), "inconclusive", NOT_ASKED),
            (
                dict(answers=[ASKED], last_error="HTTP 503"),
                "pending",
                "the scan has not finished; the last look failed: HTTP 503",
            ),
        ],
    )
    def test_what_a_module_says(self, more, outcome, reason):
        target = judged(dict(item(), **more))
        assert (target["outcome"], target["reason"]) == (outcome, reason)

    def test_who_was_never_looked_at(self):
        target = judged(
            item((), outcome="pending", status=None, scan_id=None, last_error="nobody looked at it within wait_timeout")
        )
        assert target["outcome"] in ("pending", "inconclusive")
        assert "nobody looked at it within wait_timeout" in target["reason"]

    def test_a_memory_says_that_it_is_one(self):
        """Where the user wanted that it is not read again."""
        target = judged(item([dict(one, remembered=True) for one in TRUE], unread=True))
        assert target["outcome"] == "remediated" and target["reason"].endswith(", as an earlier run was told at %s" % at(120))

    def test_a_memory_that_was_read_again(self):
        target = judged(item([*(dict(one, remembered=True) for one in TRUE), looking(seconds=900)]))
        assert (target["outcome"], target["reason"]) == ("remediated", xpanse.REASONS["remediated"])

    @pytest.mark.parametrize(
        "more",
        [
            [],
            [exchange("POST", GET, 503)],
            [exchange("POST", GET, 200, {"reply": {"err_code": 1}})],
            [looking(scan_id="s9")],
            [asking("s9", ids=OTHER_IDS)],
        ],
    )
    def test_a_memory_that_was_not_read_again_is_no_answer(self, more):
        target = judged(item([*(dict(one, remembered=True) for one in TRUE), *more]))
        assert (target["outcome"], target["reason"]) == ("inconclusive", "what an earlier run was told was not read again")

    @pytest.mark.parametrize("words_", [DONE, OPEN])
    @pytest.mark.parametrize("failed", [[], [exchange("POST", GET, 503, seconds=10**6)]])
    def test_a_memory_whose_last_look_failed_is_no_answer(self, words_, failed):
        """A wait that ended in an outage: what an earlier run was told has not been confirmed."""
        answers = [dict(one, remembered=True) for one in (ASKED, looking(words_))]
        target = judged(item(answers + failed, outcome="pending", status="SUCCESS", scan_id="s1", last_error="HTTP 503"))
        assert target["outcome"] in ("pending", "inconclusive") and "HTTP 503" in target["reason"]

    def test_a_scan_that_two_exposures_got(self):
        other = exposure((232, "Rdp", "u1"))
        found = xpanse.targets(
            dict(
                exposures=[exposure(), other],
                rcs_requests=dict(rcs_requests=[item(), item([asking(ids=OTHER_IDS), ENDED], OTHER_IDS)]),
            )
        )
        assert [target["outcome"] for target in found] == ["inconclusive"] * 2
        assert "Xpanse named the same scan s1 for another exposure, 232:Rdp:u1" in found[0]["reason"]

    @pytest.mark.parametrize(
        "rcs",
        [
            dict(failed=True, msg="no key"),
            dict(msg="no key"),
            dict(msg="no key", rcs_requests=[]),
            dict(msg="no key", rcs_requests=None),
            dict(msg="no key", rcs_requests="x"),
        ],
    )
    def test_a_task_that_failed(self, rcs):
        target = only(exposures=[exposure()], rcs_requests=rcs)
        assert (target["outcome"], target["reason"]) == ("inconclusive", "no key")

    @pytest.mark.parametrize("rcs", [*JUNK, dict(rcs_requests=list(JUNK)), dict(skipped=True, changed=False)])
    def test_junk(self, rcs):
        target = only(exposures=[exposure()], rcs_requests=rcs)
        assert (target["outcome"], target["reason"]) == ("inconclusive", "no remediation confirmation scan was asked for")

    def test_whatever_is_asked_for_is_told(self):
        found = xpanse.targets(dict(exposures=list(JUNK), rcs_requests=dict(rcs_requests=[])))
        assert found and all(target["outcome"] == "inconclusive" for target in found)

    def test_one_odd_item_costs_one_target(self):
        odd = dict(item(ids=OTHER_IDS), answers=[{"status": 200, "path": 5, "method": "POST"}, dict(ASKED, body=[[]])])
        found = xpanse.targets(dict(exposures=[exposure(), exposure(OTHER_IDS)], rcs_requests=dict(rcs_requests=[item(), odd])))
        assert [target["outcome"] for target in found] == ["remediated", "inconclusive"]

    def test_no_two_exposures_are_one(self):
        found = xpanse.targets(dict(exposures=[exposure((1, "x:y", "z")), exposure((1, "x", "y:z"))]))
        assert len(found) == 2

    def test_one_that_is_named_twice_is_one(self):
        found = xpanse.targets(
            dict(
                exposures=[exposure(), exposure(IDS)],
                alerts=dict(alerts=[], rcs_targets=[exposure(IDS)], truncated=False),
                rcs_requests=dict(rcs_requests=[item()]),
            )
        )
        assert [target["outcome"] for target in found] == ["remediated"]


def looked_up(alert_ids=("231",), case_ids=(), answers=None, **alerts):
    """The results of looking up the alert, with a true conversation, and what is different in the look-up."""
    found = dict(dict(alerts=[alert_of()], rcs_targets=[exposure()], unscannable=[], truncated=False), **alerts)
    return dict(
        alert_ids=list(alert_ids),
        case_ids=list(case_ids),
        rcs_requests=dict(rcs_requests=[item(answers or TRUE)]),
        **{"case_alerts" if case_ids else "alerts": found},
    )


def alert_of(alert_id="231", **more):
    """An alert as the API shows it."""
    return dict(dict(alert_id=alert_id, name="RDP at 192.0.2.10", severity="high", case_id=77), **more)


class TestLookups:
    def test_the_truth(self):
        for results in (looked_up(), looked_up([], ["77"])):
            target = only(**results)
            assert (target["outcome"], target["name"], target["alert"]["severity"]) == ("remediated", "RDP at 192.0.2.10", "high")
            assert [lookup["problem"] for lookup in xpanse.asked_for(results)] == [None]

    @pytest.mark.parametrize("when, outcome", [(at(59), "remediated"), (at(61), "inconclusive")])
    def test_an_alert_that_was_reopened(self, when, outcome):
        milliseconds = 1795348800000 + (59000 if when == at(59) else 61000)
        target = only(**looked_up(alerts=[alert_of(resolution_status="REOPENED", last_modified_ts=milliseconds)]))
        assert target["outcome"] == outcome

    @pytest.mark.parametrize(
        "alerts",
        [
            [alert_of("0231", resolution_status="REOPENED")],
            [alert_of(231, resolution_status="REOPENED")],
            [alert_of(resolution_status="REOPENED"), alert_of()],
            [alert_of(), alert_of(resolution_status="REOPENED")],
        ],
    )
    def test_a_reopening_is_not_missed(self, alerts):
        assert "remediated" not in [target["outcome"] for target in xpanse.targets(looked_up(alerts=alerts))]

    @pytest.mark.parametrize(
        "results, target_id, reason",
        [
            (looked_up(failed=True, msg="HTTP 403"), "alert 231", "HTTP 403"),
            (looked_up(alerts=None), "alert 231", "the alerts could not be listed"),
            (looked_up(alerts="x", rcs_targets=None), "alert 231", "the alerts could not be listed"),
            (looked_up(truncated=True), "alerts", "the API left alerts out, so not every exposure is known"),
            (looked_up(truncated=None), "alerts", "the API left alerts out, so not every exposure is known"),
            (looked_up(["231", "5"]), "alert 5", "no alert has this id"),
            (looked_up([], ["77", "78"]), "case 78", "no alert belongs to this case"),
            (looked_up([], ["77"], alerts=[], rcs_targets=[]), "case 77", "no alert belongs to this case"),
            (looked_up(unscannable=[dict(alert_id=9, reason="the alert has no service")]), "alert 9", "the alert has no service"),
        ],
    )
    def test_what_was_not_found_is_told(self, results, target_id, reason):
        told = {target["id"]: target for target in xpanse.targets(results)}
        assert (told[target_id]["outcome"], told[target_id]["reason"]) == ("inconclusive", reason)

    @pytest.mark.parametrize(
        "results",
        [
            dict(alert_ids=["5", "5"], alerts=dict(alerts=[], truncated=False)),
            dict(alert_ids=["5", "5"], alerts=dict(msg="no")),
            dict(case_ids=["5", "5"], case_alerts=dict(alerts=[], truncated=False)),
            dict(case_ids=["5", "5"], case_alerts={}),
            dict(alert_ids=["5"], alerts=dict(alerts=[], truncated=False, unscannable=[dict(alert_id="5", reason="x")] * 2)),
        ],
    )
    def test_no_two_records_are_of_one_id(self, results):
        found = [target["id"] for target in xpanse.targets(results)]
        assert len(found) == len(set(found)) == 1

    def test_every_reason_is_shown(self):
        given = {target["reason"] for _name, results, _id, _reason in self.not_found() for target in xpanse.targets(results)}
        for pattern in reasons_in(xpanse.lookup_failures):
            assert any(re.search(pattern, reason) for reason in given), pattern

    def not_found(self):
        """The table above."""
        mark = next(mark for mark in self.test_what_was_not_found_is_told.pytestmark if mark.name == "parametrize")
        return [("", *row) for row in mark.args[1]]

    @pytest.mark.parametrize("rcs_targets", [None, [], "x", [None]])
    def test_an_alert_of_which_nothing_came_is_told(self, rcs_targets):
        found = xpanse.targets(dict(looked_up(rcs_targets=rcs_targets)))
        assert "inconclusive" in [target["outcome"] for target in found]

    @pytest.mark.parametrize(
        "lookup",
        [
            *JUNK,
            dict(alerts=list(JUNK), rcs_targets=list(JUNK), unscannable=list(JUNK)),
            dict(alerts=[], requests=[dict(path="/x", server_time=5), dict(path="/y", server_time="a")]),
        ],
    )
    def test_junk(self, lookup):
        for results in (dict(alert_ids=["231"], alerts=lookup), dict(case_ids=["77"], case_alerts=lookup)):
            assert {target["outcome"] for target in xpanse.targets(results)} == {"inconclusive"}
            assert xpanse.asked_for(results)[0]["problem"]
