# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What two witnesses together prove of a campaign: who outweighs whom, and on what an outcome stands."""

from __future__ import annotations

import copy
import itertools
import json
import random
import re

import access_record
import pytest
from access_record import SYNCED
from conversations import (
    JUNK,
    RUN_REPORT,
    SHA256,
    accepting,
    campaign,
    damaged,
    downloading,
    file_says,
    reading,
    reasons_in,
    report,
)
from conversations import listing as listing_reports
from exchanges import at

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import report_proof, witnesses
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import target as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_meaning import MOST_ROWS
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import Word
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import ALL, ONE, compose
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES

SCAN = (reading(-1000, 0), accepting(seconds=1), reading(100, 101))
RUNS = SCAN[:2]
REPORT = (accepting(RUN_REPORT, 150), listing_reports(210, report()), downloading(211), reading(100, 212))
GONE = "4 of 4 revoked items are gone from the identities, as of %s" % SYNCED
THERE = "1 of 4 revoked items is still there, as of %s" % SYNCED
REPORT_SAYS = "3 of 3 items remediated"
NOT_KNOWN = dict(
    outcome="inconclusive", reason="no column has the state", items_remediated=0, items_open=0, items_unknown=4, items_total=4
)


def access(change=None):
    """The result of a look at the access of c1, after change(campaign, lookups, items)."""
    # The campaign is as it was last shown to the first witness.
    one, lookups, items = copy.deepcopy(access_record.record(campaign(100)))
    if change:
        change(one, lookups, items)
    return dict(campaigns=[one], lookups=lookups, revoked_items=items, results_file="records/revoked_access.json")


def there(one, lookups, items):
    """One item is there."""
    items[1]["document"].update(access=True)
    items[1]["why"] = "its removal failed"


def unseen(one, lookups, items):
    """Of one item it cannot be said."""
    items[1]["document"] = None


def later(one, lookups, items):
    """One item is there, until a date to come."""
    items[1]["document"].update(access=True)
    items[1]["ends"] = at(9000)


def ended(one, lookups, items):
    """One item is there, and should be no more."""
    later(one, lookups, items)
    items[1]["ends"] = at(-9)


def disabled(one, lookups, items):
    """An account that was revoked is there, and disabled."""
    items[3]["document"].update(account=True, disabled=True)
    items[3]["account_read"] = None


def no_list(one, lookups, items):
    """As a user sees it who may not read certifications."""
    one["answers"] = [one["answers"][0], access_record.listing(), one["answers"][-1]]
    items.clear()


def reopened(one, lookups, items):
    """The campaign was opened again before the look at the access."""
    one["answers"] = [access_record.reading(status="ACTIVE")]


def grown(one, lookups, items):
    """The campaign has one certification more, and that one is not shown."""
    for place in (0, -1):
        one["answers"][place]["body"].update(totalCertifications=5)


def moved(one, lookups, items):
    """The campaign was modified after its report, and of one item it cannot be said."""
    for place in (0, -1):
        one["answers"][place]["body"].update(modified=at(300))
    unseen(one, lookups, items)


def moved_meanwhile(one, lookups, items):
    """The campaign was modified while the access was looked at."""
    one["answers"][-1]["body"].update(modified=at(300))


def both(change=None, info=None, scan=SCAN, reported=REPORT, **more):
    """The results of all modules about one campaign. info: what is different of the report's file."""
    says = file_says(**dict(dict(items_total=4, items_remediated=4), **(info or {})))
    return dict(
        dict(
            campaign_ids=["c1"],
            campaigns=dict(campaigns=[campaign(100)], missing_ids=[], base_url="https://acme.example"),
            scans=dict(scans=[dict(campaign_id="c1", status="requested" if scan is RUNS else "finished", answers=list(scan))]),
            reports=dict(
                reports=[
                    dict(
                        campaign_id="c1",
                        status="finished",
                        path="reports/c1.csv",
                        sha256=SHA256,
                        report=report()[1],
                        answers=list(reported),
                    )
                ]
            ),
            report_infos=dict(reports=[dict(says, path="reports/c1.csv")]),
            access=access(change),
        ),
        **more,
    )


def only(results):
    """The one record that there is."""
    (target,) = witnesses.targets(json.loads(json.dumps(results)))
    return target


OPEN = file_says("unremediated", items_total=4, items_remediated=3)
REOPENED = [*REPORT, reading(100, 300, status="ACTIVE")]
CHANGED = [*REPORT[:-1], reading(100, 212, totalCertifications=5)]
STRICT = dict(campaign_agreement=ALL)
BLIND = dict(campaign_witnesses=["report"])
DIRECT = dict(campaign_witnesses=["access"])
NO_REPORT = dict(scans={}, reports={}, report_infos={})

# (the results, what becomes of them, how the reason reads, as patterns that follow each other).
CASES = {
    "both": (both(), "remediated", [re.escape("%s; %s" % (REPORT_SAYS, GONE)), "$"]),
    "both, and all have to": (both(**STRICT), "remediated", [re.escape(GONE)]),
    "not understood": (
        both(info=NOT_KNOWN),
        "remediated",
        ["^" + re.escape(GONE + "; the report was not understood (no column has the state), so there is one witness") + "$"],
    ),
    "not understood, and all have to": (
        both(info=NOT_KNOWN, **STRICT),
        "inconclusive",
        ["^both have to say so; the report: no column has the state; the access: "],
    ),
    "not understood, and one is there": (
        both(there, NOT_KNOWN),
        "unremediated",
        ["^the access: " + re.escape(THERE), "; the report: no column has the state$"],
    ),
    "not understood, and one cannot be seen": (
        both(unseen, NOT_KNOWN),
        "inconclusive",
        ["the report: no column", "the access: of 1 of 4 revoked items it cannot be said"],
    ),
    "they disagree: the access": (both(there), "unremediated", ["^the access: " + re.escape(THERE), "; the report: 3 of 3"]),
    "they disagree: the report": (
        both(info=OPEN),
        "unremediated",
        ["the report: 1 of 3 items still open; the access: " + re.escape(GONE)],
    ),
    "one cannot be seen": (
        both(unseen),
        "remediated",
        [re.escape(REPORT_SAYS), "; the access gave no answer \\(of 1 of 4 revoked items", "so there is one witness$"],
    ),
    "one is there, and is to end later": (
        both(later),
        "inconclusive",
        [
            "^the access: of 1 of 4 revoked items it cannot be said: the access is still there, and is to end later",
            "; the report: ",
        ],
    ),
    "one was to end when it was looked at": (both(ended), "unremediated", ["^the access: " + THERE]),
    "an account is there, and disabled": (
        both(disabled),
        "remediated",
        ["the access gave no answer \\(of 1 of 4 revoked items it cannot be said: the account is there and disabled"],
    ),
    "one cannot be seen, and all have to": (
        both(unseen, **STRICT),
        "inconclusive",
        ["^both have to say so; the access: of 1 of 4 .*; the report: "],
    ),
    "may not read certifications": (
        both(no_list),
        "remediated",
        [re.escape(REPORT_SAYS), "the access gave no answer \\(the list shows 0 of 4 certifications", "so there is one witness$"],
    ),
    "the access cannot be looked at": (
        both(access=dict(failed=True, msg="HTTP 403")),
        "remediated",
        ["the access gave no answer \\(HTTP 403\\), so there is one witness$"],
    ),
    "the access was looked at, of another campaign": (
        both(access=dict(campaigns=[], lookups=[], revoked_items=[])),
        "remediated",
        ["the access gave no answer \\(the access was not looked at\\)"],
    ),
    "neither": (
        both(access=dict(failed=True, msg="HTTP 403"), scans=dict(failed=True, msg="HTTP 401")),
        "inconclusive",
        ["^the report: HTTP 401; the access: HTTP 403$"],
    ),
    "no scan could be made": (
        both(**{**NO_REPORT, "scans": dict(failed=True, msg="HTTP 403")}),
        "remediated",
        [re.escape(GONE), "the report gave no answer \\(HTTP 403\\), so there is one witness"],
    ),
    "the report failed": (
        both(reports=dict(reports=[dict(campaign_id="c1", error="it ended with ERROR")])),
        "remediated",
        ["the report gave no answer \\(it ended with ERROR\\)"],
    ),
    "the scan runs": (
        both(scan=RUNS),
        "pending",
        ["^the report: the remediation scan has not finished; the access: " + re.escape(GONE)],
    ),
    "the scan runs, and one is there": (both(there, scan=RUNS), "unremediated", ["^the access: " + THERE, "has not finished$"]),
    "the scan runs, and the access has no answer": (both(no_list, scan=RUNS), "pending", ["the list shows 0 of 4"]),
    "reopened since the report": (
        both(reported=REOPENED),
        "inconclusive",
        ["^the report: the campaign is ACTIVE, so nothing can be verified; the access: " + re.escape(GONE) + "$"],
    ),
    "changed since the scan": (both(reported=CHANGED), "inconclusive", ["totalCertifications was 4 and is 5; the access: "]),
    "reopened before the look at the access": (
        both(reopened),
        "pending",
        ["^the access: the campaign is ACTIVE.*; the report: 3 of 3 items remediated$"],
    ),
    "an open item in a report of another campaign": (
        both(info=dict(OPEN, campaign_ids=["c2"])),
        "inconclusive",
        ["the report has rows of another campaign, c2; the access: " + re.escape(GONE) + "$"],
    ),
    "fewer items than were revoked": (
        both(info=dict(items_total=3, items_remediated=3)),
        "remediated",
        [re.escape(GONE), "the report gave no answer \\(the report lists 3 items, and reviewers revoked 4\\)"],
    ),
    "fewer items than were revoked, and one cannot be seen": (
        both(unseen, dict(items_total=0, items_remediated=0, reason="nothing was revoked")),
        "inconclusive",
        ["the report lists 0 items, and reviewers revoked 4"],
    ),
    "not understood, with more items than were found": (
        both(info=dict(NOT_KNOWN, items_unknown=8, items_total=8)),
        "inconclusive",
        ["no column has the state; the report lists 8 items, and 4 revoked items were found; the access: " + re.escape(GONE)],
    ),
    "not understood, with nobody knows how many items": (
        both(info=dict(NOT_KNOWN, items_total="4")),
        "inconclusive",
        ["the report lists 4 items, and 4 revoked items were found"],
    ),
    "not understood, and read with an odd number of open items": (
        both(info=dict(NOT_KNOWN, items_open="1")),
        "inconclusive",
        ["the report: no column has the state; the access: " + re.escape(GONE)],
    ),
    "a campaign with fewer certifications when the access was looked at": (
        both(campaigns=dict(campaigns=[campaign(100, totalCertifications=5)]), **DIRECT, **NO_REPORT),
        "inconclusive",
        ["^the campaign was another one when the access was looked at: totalCertifications was 4 and is 5$"],
    ),
    "a campaign that was modified after the access was looked at": (
        both(campaigns=dict(campaigns=[campaign(101)]), **DIRECT, **NO_REPORT),
        "inconclusive",
        ["^the access was looked at before the campaign was modified \\(" + at(101)],
    ),
    "a scan that moved the campaign after the access was looked at": (
        both(scan=[*SCAN, reading(150, 151)], info=NOT_KNOWN),
        "inconclusive",
        ["the access: the access was looked at before the campaign was modified"],
    ),
    "a campaign with more certifications when the access was looked at after the report": (
        both(grown),
        "inconclusive",
        ["^the report: the campaign was another one when the report was read: totalCertifications was 4 and is 5; the access: "],
    ),
    "a campaign that was modified when the access was looked at after the report": (
        both(moved),
        "inconclusive",
        ["^the report: the report was read before the campaign was modified \\(" + at(300)],
    ),
    "a campaign that was modified while the access was looked at": (
        both(moved_meanwhile),
        "inconclusive",
        ["^the report: the report was read before the campaign was modified .*; the access: the campaign changed while it"],
    ),
    "the campaign is on record twice": (
        both(**dict(DIRECT, access=dict(access(), campaigns=access()["campaigns"] * 2))),
        "inconclusive",
        ["the campaign is on record twice"],
    ),
    "more items than were revoked": (both(info=dict(items_total=5, items_remediated=5)), "remediated", [re.escape(GONE) + "$"]),
    "only the report is asked": (both(there, **BLIND), "remediated", ["^3 of 3 items remediated$"]),
    "only the access is asked": (both(**DIRECT, **NO_REPORT), "remediated", ["^" + re.escape(GONE) + "$"]),
    "only the access is asked, and all have to": (both(**DIRECT, **STRICT, **NO_REPORT), "remediated", [re.escape(GONE)]),
    "only the access is asked, and one is there": (both(there, **DIRECT, **NO_REPORT), "unremediated", ["^" + THERE]),
    "only the access is asked, not yet": (
        both(**DIRECT, **dict(NO_REPORT, access={})),
        "pending",
        ["^the access has not been looked at yet$"],
    ),
    "not looked at yet, and the scan runs": (
        both(scan=RUNS, access={}, campaign_witnesses=["report", "access"]),
        "pending",
        ["the remediation scan has not finished; the access: the access has not been looked at yet"],
    ),
    "not looked at yet, and the scan failed": (
        both(scans=dict(failed=True, msg="HTTP 403"), access={}, campaign_witnesses=["report", "access"]),
        "inconclusive",
        ["HTTP 403"],
    ),
    "not looked at": (both(access={}, campaign_witnesses=["report", "access"]), "pending", ["has not been looked at yet"]),
    "nobody asked for the access": (both(access={}), "remediated", ["^3 of 3 items remediated$"]),
    "nobody asked anybody that is known": (both(campaign_witnesses=["x", 5]), "remediated", [re.escape(GONE)]),
    "an agreement that is none": (both(info=NOT_KNOWN, campaign_agreement="few"), "inconclusive", ["both have to say so"]),
}


class TestBoth:
    @pytest.mark.parametrize("results, outcome, patterns", CASES.values(), ids=CASES)
    def test_what_they_say(self, results, outcome, patterns):
        target = only(results)
        assert target["outcome"] == outcome, target["reason"]
        assert all(re.search(pattern, target["reason"]) for pattern in patterns), target["reason"]

    def test_every_reason_is_shown(self):
        given = {only(results)["reason"] for results, _outcome, _patterns in CASES.values()}
        functions = (sailpoint.compose, sailpoint.side_by_side, sailpoint.word_on_all, sailpoint.word_of, sailpoint.seen_before)
        for pattern in reasons_in(*functions) | {sailpoint.NOT_LOOKED, report_proof.NO_ANSWER, report_proof.NOT_UNDERSTOOD}:
            assert any(re.search(pattern, reason) for reason in given), pattern

    def test_what_is_recorded(self):
        target = only(both(there))
        assert [(one["name"], one["outcome"]) for one in target["witnesses"]] == [
            ("report", "remediated"),
            ("access", "unremediated"),
        ]
        facts = target["access"]
        assert (facts["items_total"], facts["items_remediated"], facts["items_open"], facts["items_unknown"]) == (4, 3, 1, 0)
        assert (facts["complete"], facts["problems"], facts["as_of"]) == (True, [], SYNCED)
        assert facts["open_items"] == [
            {
                "Identity": "Alison",
                "Account": "",
                "Source": "",
                "Access Type": "ROLE",
                "Access": "Access",
                "Seen in": "search",
                "Seen at": SYNCED,
                "Reason": "the identity still has it",
                "Why": "its removal failed",
            }
        ]
        assert target["items"]["items_open"] == 0
        assert [file["path"] for file in target["evidence"]] == ["reports/c1.csv", "records/revoked_access.json"]
        paths = [request["path"].partition("?")[0] for request in target["requests"]]
        assert {"/search/v1", "/accounts/v1", "/certifications/v1/k1/decision-summary"} <= set(paths)

    def test_what_a_record_says_of_itself_counts_nothing(self):
        """Neither the module's own verdict, nor what it said of an item."""

        def lie(one, lookups, items):
            there(one, lookups, items)
            one.update(outcome="remediated", complete=True, items_present=0)
            items[1].update(present=False, reason="gone")

        assert only(both(lie))["outcome"] == "unremediated"

    def test_many_items_are_counted_and_the_first_are_shown(self):
        def many(one, lookups, items):
            for number in range(300):
                items.append(
                    dict(copy.deepcopy(items[1]), item_id="x%d" % number, document=dict(items[1]["document"], access=True))
                )

        facts = only(both(many))["access"]
        assert facts["items_open"] == 300 and len(facts["open_items"]) == witnesses.MOST_OPEN_ITEMS

    def test_many_certifications(self):
        def many(one, lookups, items):
            one["answers"] += [access_record.summary("m%d" % number, 0, 0, 0, 0) for number in range(500)]

        assert len(only(both(many))["requests"]) < 60

    @pytest.mark.parametrize("status, outcome", [("ACTIVE", "pending"), ("ARCHIVED", "inconclusive"), (None, "inconclusive")])
    def test_a_campaign_that_is_not_completed_has_no_witness(self, status, outcome):
        target = only(both(campaigns=dict(campaigns=[campaign(100, status=status)], missing_ids=[])))
        assert target["outcome"] == outcome and "witnesses" not in target

    @pytest.mark.parametrize("junk", JUNK)
    def test_junk(self, junk):
        for result in (junk, dict(campaigns=junk), dict(access(), lookups=junk), dict(access(), revoked_items=junk)):
            target = only(dict(both(info=NOT_KNOWN), access=result))
            assert target["outcome"] in ("inconclusive", "pending"), target["reason"]

    def test_whatever_is_on_record(self):
        """Never an exception, and where only the access can say so, nothing is remediated that was damaged where it matters."""
        source = random.Random(9)
        for _round in range(3000):
            result = access()
            for _damage in range(source.randint(1, 3)):
                result = damaged(result, source)
            target = only(dict(both(info=NOT_KNOWN), access=result))
            assert target["outcome"] in OUTCOMES
            if target["outcome"] == "remediated":
                assert naive(result), result


def naive(result):
    """Whether somebody calls it remediated who only counts: signed-off certifications, and items with nothing left."""
    # Of two results about one thing the later one counts, everywhere.
    one = [one for one in result["campaigns"] if isinstance(one, dict) and one.get("campaign_id") == "c1"][-1]
    signed = {
        each["id"]
        for answer in one["answers"]
        if isinstance(answer, dict) and isinstance(answer.get("body"), list)
        for each in answer["body"]
        if isinstance(each, dict) and each.get("phase") == "SIGNED"
    }
    mine = [each for each in result["revoked_items"] if isinstance(each, dict) and each.get("campaign_id") == "c1"]
    items = {str(each.get("item_id")): each for each in mine}
    clear = [
        each
        for each in items.values()
        if not any(dict_at(each, part).get(name) is True for part, name in (("document", "access"), ("account_read", "value")))
    ]
    return len(signed) == 4 and len(items) == len(clear) == 4


class TestCompose:
    WORDS = [Word(outcome, "because", bars) for outcome in OUTCOMES for bars in (False, True)]

    @pytest.mark.parametrize("agreement", [ONE, ALL])
    def test_every_pair(self, agreement):
        for first, second in itertools.product(self.WORDS, repeat=2):
            outcome, reason = compose({"report": first, "access": second}, agreement)
            said = {first.outcome, second.outcome}
            assert outcome in OUTCOMES and reason
            assert (outcome == "unremediated") == ("unremediated" in said)
            if outcome == "remediated":
                silent = [word for word in (first, second) if word.outcome != "remediated"]
                assert len(silent) < 2 and not any(word.bars for word in silent)
                assert {word.outcome for word in silent} <= {"inconclusive"}
                assert not silent or agreement == ONE
            elif "unremediated" not in said:
                assert said != {"remediated"}

    @pytest.mark.parametrize("word", WORDS)
    def test_one_alone(self, word):
        assert compose({"report": word}, ALL) == (word.outcome, "because")


class TestAdvise:
    """What the words of a report may mean, by what has become of its items."""

    @pytest.fixture
    def advised(self, tmp_path):
        """Results with a report that is not understood, and what it is told of it after change(results)."""
        (tmp_path / "c1.csv").write_text(
            "Identity,Access,Stand\n"
            + "".join("Alison,A%d,%s\n" % (number, "offen" if number == 1 else "weg") for number in range(4))
        )

        def advised(change=lambda results: None):
            results = both(there, NOT_KNOWN)
            for number, item in enumerate(results["access"]["revoked_items"]):
                item["access"]["name"] = "A%d" % number
            change(results)
            witnesses.advise(results, lambda path: str(tmp_path / path.rpartition("/")[2]))
            return results["report_infos"]["reports"][0].get("proposal")

        return advised

    def test_what_its_words_mean(self, advised):
        assert advised().startswith("verify_remediation_status_column 'Stand' with 'weg' = remediated, 'offen' = open would fit")

    @pytest.mark.parametrize(
        "change",
        [
            lambda results: results["report_infos"]["reports"][0].update(outcome="unremediated"),
            lambda results: results["access"]["campaigns"][0].update(items_total=MOST_ROWS + 1),
            lambda results: results["reports"]["reports"][0].update(campaign_id="c2"),
            lambda results: results["reports"].clear(),
        ],
    )
    def test_where_nothing_is_proposed_nobody_goes_through_the_items(self, advised, change):
        def changed(results):
            change(results)
            items = results["access"]["revoked_items"]
            results["access"]["revoked_items"] = Rows(lambda: pytest.fail("somebody did"), len(items))

        assert advised(changed) is None

    def test_it_may_come_row_by_row(self, advised):
        def changed(results):
            items = results["access"]["revoked_items"]
            results["access"].update(revoked_items=Rows(lambda: iter(items), len(items)))
            results["access"]["campaigns"][0].update(items_total=4)

        assert advised() is not None
        assert advised(changed) == advised()

    def test_no_more_states_are_held_than_fit(self):
        sizes = [MOST_ROWS - 1, MOST_ROWS + 1, None, "many", *[MOST_ROWS] * 20]
        campaigns = [dict(campaign_id="c%d" % number, items_total=size) for number, size in enumerate(sizes)]
        found = witnesses.with_few_items(dict(access=dict(campaigns=campaigns)), ["c%d" % number for number in range(30)])
        # Of one that the record does not count, it may be as many as may be, and of one that it does not know, none.
        assert found == ["c%d" % number for number in (0, 2, 3, *range(4, 11), *range(24, 30))]

    def test_a_verdict_needs_no_states(self):
        (hearing,) = list(witnesses.hearings_of(both(there)).values())
        assert hearing.access().facts["items_open"] == 1 and hearing.states() == []
