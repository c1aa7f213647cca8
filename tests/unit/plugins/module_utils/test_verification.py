# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of all targets together: the verdict, the dates, and the history."""

from __future__ import annotations

import copy
import json
import random

import pytest
from conversations import DONE, JUNK, KEY, asking, campaign, damaged, file_says, looking, reading, report
from conversations import accepting as accepted
from conversations import downloading as downloaded
from conversations import listing as listed

from ansible_collections.secops.remediation.plugins.module_utils._judge import verify
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES, VERDICTS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import fenced, make_target, scalar
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import conclude
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import EXPOSURE

DAYS = ["2026-03-0%dT08:00:00Z" % day for day in range(1, 8)]
ANSWERED = dict(method="GET", path="/x", status=200, reference=None, server_time=DAYS[0])


def target(outcome, target_id="t1", requests=(ANSWERED,), **more):
    """A target's record."""
    return make_target("exposure", target_id, None, outcome, "because", requests=list(requests), **more)


def lookup(problem=None, **more):
    """What was looked up."""
    return dict(dict(kind="alerts", asked="1", found=1, problem=problem), **more)


def run(targets, day=6, older=(), lookups=()):
    """The verification of a run on that day."""
    return conclude(list(targets), list(lookups), "run %d" % day, DAYS[day], DAYS[day], older=older)


def series(*outcomes):
    """The verifications of runs on one day after the other, newest first, each of one target."""
    found = []
    for day, outcome in enumerate(outcomes):
        found.insert(0, run([target(outcome)] if isinstance(outcome, str) else outcome, day, found))
    return found


class TestVerdict:
    @pytest.mark.parametrize(
        "outcomes, problem, verdict",
        [
            (["remediated"], None, "verified"),
            (["remediated"] * 3, None, "verified"),
            (["remediated"] * 3, "no alert", "not_verified"),
            (["remediated", "pending"], None, "incomplete"),
            (["pending"], None, "incomplete"),
            (["pending"], "no alert", "not_verified"),
            (["remediated", "unremediated"], None, "not_verified"),
            (["remediated", "inconclusive"], None, "not_verified"),
            (["pending", "inconclusive"], None, "not_verified"),
            (["pending", "unremediated"], None, "not_verified"),
            ([], "no campaign meets the filter", "not_verified"),
        ],
    )
    def test_it_is_one_of_all_targets(self, outcomes, problem, verdict):
        found = run(
            [target(outcome, str(number)) for number, outcome in enumerate(outcomes)], lookups=[lookup(), lookup(problem)]
        )
        assert found["verdict"] == verdict and found["counts"]["total"] == len(outcomes)
        assert found["summary"].startswith({"verified": "Verified: ", "incomplete": "Not finished"}.get(verdict, "Not"))

    def test_no_target_is_never_verified(self):
        found = run([])
        assert found["verdict"] != "verified" and found["summary"] == "Nothing was verified: no target was found."

    @pytest.mark.parametrize("outcome", ["great", "", None, "Remediated", ["remediated"], True])
    def test_an_outcome_that_is_none_of_the_four(self, outcome):
        told = target(outcome)
        assert (told["outcome"], told["reason"]) == ("inconclusive", "the outcome %r is none that there is" % (outcome,))
        # Even where one comes from elsewhere.
        assert run([target("remediated"), dict(told, outcome=outcome)])["verdict"] == "not_verified"

    def test_what_there_is(self):
        found = run([target("pending")], lookups=[lookup()])
        assert (found["schema_version"], found["replay"], found["lookups"]) == ("1.2", None, [lookup()])
        assert list(found["counts"]) == [*OUTCOMES, "total"] and json.loads(json.dumps(found)) == found


class TestFence:
    def test_what_breaks_is_told(self):
        told = fenced("exposure", "t1", lambda: {}["x"])
        assert (told["outcome"], told["reason"]) == (
            "inconclusive",
            "what was answered about it cannot be judged (KeyError: 'x')",
        )

    def test_every_key_is_there_always(self):
        assert fenced("exposure", "t1", lambda: 1 / 0).keys() == target("remediated").keys()

    @pytest.mark.parametrize(
        "value, text",
        [
            ("a ", "a"),
            (5, "5"),
            (0, "0"),
            (True, ""),
            (None, ""),
            ([], ""),
            ({}, ""),
            (1.5, ""),
            pytest.param(10**5000, "", id="huge"),
        ],
    )
    def test_scalar(self, value, text):
        assert scalar(value) == text


class TestDates:
    @pytest.mark.parametrize(
        "outcomes, not_verified_since, open_since",
        [
            (["unremediated"], 0, 0),
            (["inconclusive"], 0, None),
            (["pending"], 0, None),
            (["unremediated", "unremediated"], 0, 0),
            (["unremediated", "inconclusive"], 0, 0),
            # A wrong secret, and then an answer.
            (["inconclusive", "unremediated"], 0, 1),
            (["inconclusive", "inconclusive", "unremediated", "unremediated"], 0, 2),
            (["unremediated", "remediated", "unremediated"], 2, 2),
            (["unremediated", "remediated", "inconclusive"], 2, None),
            (["remediated", "pending", "inconclusive"], 1, None),
            (["unremediated", "inconclusive", "pending"], 0, 0),
            # A run without this target is a gap, and no end.
            (["unremediated", [], "unremediated"], 0, 0),
            (["unremediated", [], [], "inconclusive"], 0, 0),
            (["unremediated", [target("unremediated", "other")], "unremediated"], 0, 0),
        ],
    )
    def test_two_facts(self, outcomes, not_verified_since, open_since):
        told = series(*outcomes)[0]["targets"][0]
        assert told["not_verified_since"] == DAYS[not_verified_since]
        assert told["open_since"] == (None if open_since is None else DAYS[open_since])

    def test_what_is_remediated_has_none(self):
        told = series("unremediated", "remediated")[0]["targets"][0]
        assert told["not_verified_since"] is None and told["open_since"] is None

    @pytest.mark.parametrize(
        "before, now, not_verified_since, open_since",
        [
            # One date for both: only what was open then is known to have been.
            (("unremediated", 0), "unremediated", 0, 3),
            (("unremediated", 0), "inconclusive", 0, 3),
            (("inconclusive", 0), "unremediated", 0, 6),
            (("inconclusive", 0), "inconclusive", 0, None),
            (("unremediated", None), "unremediated", 3, 3),
            (("remediated", None), "unremediated", 6, 6),
            (("great", 0), "unremediated", 0, 6),
        ],
    )
    def test_after_a_run_of_0_2(self, before, now, not_verified_since, open_since):
        outcome, since = before
        old = dict(
            schema_version="1.1",
            finished_at=DAYS[3],
            targets=[dict(kind="exposure", id="t1", outcome=outcome, open_since=None if since is None else DAYS[since])],
        )
        told = run([target(now)], older=[old])["targets"][0]
        assert told["not_verified_since"] == DAYS[not_verified_since]
        assert told["open_since"] == (None if open_since is None else DAYS[open_since])

    @pytest.mark.parametrize(
        "older",
        [
            None,
            {},
            dict(targets=None),
            dict(targets="x"),
            dict(targets=5),
            dict(targets=[None, "x", {}]),
            dict(targets={"t1": 1}),
            dict(finished_at="soon", targets=[dict(kind="exposure", id="t1", outcome="unremediated", open_since="long ago")]),
            dict(finished_at=[], targets=[dict(kind=["x"], id={}, outcome=[])]),
            [],
            "x",
        ],
    )
    def test_a_run_before_that_is_odd(self, older):
        told = run([target("unremediated")], older=[older])["targets"][0]
        assert (told["not_verified_since"], told["open_since"]) == (DAYS[6], DAYS[6])

    def test_older_ones_are_read_only_as_far_as_needed(self):
        read = []

        def older():
            for one in series(*["unremediated"] * 5):
                read.append(one["run"])
                yield one

        run([target("unremediated")], older=older())
        assert len(read) <= 2


class TestHistory:
    def test_it_goes_on(self):
        found = series("unremediated", "inconclusive", "remediated")[0]["history"]
        assert [(point["run"], point["verdict"], point["open_items"]) for point in found] == [
            ("run 0", "not_verified", 1),
            ("run 1", "not_verified", None),
            ("run 2", "verified", 0),
        ]

    @pytest.mark.parametrize(
        "requests, asked",
        [
            ([], False),
            ([dict(ANSWERED, status=401)], False),
            ([dict(ANSWERED, status=503)], False),
            ([dict(ANSWERED, remembered=True)], False),
            ([dict(ANSWERED, remembered=True), dict(ANSWERED, status=403)], False),
            ([dict(ANSWERED, status="200")], False),
            ([ANSWERED], True),
            ([dict(ANSWERED, status=401), ANSWERED], True),
        ],
    )
    def test_a_run_that_could_ask_nobody_is_no_point(self, requests, asked):
        found = run([target("inconclusive", requests=requests)], older=series("unremediated"))
        assert [point["run"] for point in found["history"]] == ["run 0"] + ["run 6"] * asked
        # Its evidence is there all the same.
        assert found["verdict"] == "not_verified" and len(found["targets"]) == 1

    def test_a_run_that_took_what_an_earlier_one_was_told(self):
        """verify_confirm: false. It has an answer, so it is a point."""
        found = run([target("remediated", requests=[dict(ANSWERED, remembered=True)])])
        assert len(found["history"]) == 1

    @pytest.mark.parametrize(
        "point",
        [
            *JUNK,
            dict(run="r"),
            dict(run="r", finished_at="soon", verdict="verified", counts={}),
            dict(run="r", finished_at=DAYS[0], verdict="great", counts=dict.fromkeys([*OUTCOMES, "total"], 0)),
            dict(run="r", finished_at=DAYS[0], verdict="verified", counts=dict.fromkeys(OUTCOMES, 0)),
            dict(run="r", finished_at=DAYS[0], verdict="verified", counts=dict.fromkeys([*OUTCOMES, "total"], 0), open_items="1"),
        ],
    )
    def test_what_is_odd_is_left_out(self, point):
        for history in ([point], point):
            found = run([target("remediated")], older=[dict(history=history, targets=[])])
            assert [one["run"] for one in found["history"]] == ["run 6"]

    @pytest.mark.parametrize(
        "items, number", [(None, 1), ({}, 1), (dict(items_open=3), 3), (dict(items_open=0), 1), (dict(items_open="3"), 1)]
    )
    def test_open_items(self, items, number):
        found = run([target("unremediated", items=items), target("remediated", "t2")])
        assert found["history"][-1]["open_items"] == number


def results():
    """What all modules returned: a campaign and an exposure, both remediated."""
    scan = [reading(-1000, 0), accepted(seconds=1), reading(100, 101)]
    after = [listed(210, report()), downloaded(211), reading(100, 212)]
    exposure = dict(zip(EXPOSURE, KEY))
    return dict(
        campaign_ids=["c1"],
        campaign_filters='name sw "Q"',
        exposures=[exposure],
        alert_ids=["231"],
        case_ids=[],
        campaigns=dict(campaigns=[campaign(100)], missing_ids=[]),
        filtered_campaigns=dict(campaigns=[campaign(100)], truncated=False),
        scans=dict(scans=[dict(campaign_id="c1", status="finished", answers=scan)]),
        reports=dict(
            reports=[
                dict(
                    campaign_id="c1",
                    status="finished",
                    path="reports/c1.csv",
                    sha256=after[1]["sha256"],
                    report=report()[1],
                    answers=after,
                )
            ]
        ),
        report_infos=dict(reports=[dict(file_says(), path="reports/c1.csv")]),
        alerts=dict(alerts=[dict(alert_id="231", name="RDP")], rcs_targets=[exposure], unscannable=[], truncated=False),
        case_alerts={},
        rcs_requests=dict(rcs_requests=[dict(exposure, answers=[asking(), looking(DONE)])]),
    )


class TestVerify:
    def test_the_truth(self):
        found = verify(results(), "r", DAYS[0], DAYS[1])
        assert (found["verdict"], found["counts"]["total"], len(found["lookups"])) == ("verified", 2, 2)

    @pytest.mark.parametrize("name", ["campaigns", "scans", "reports", "report_infos", "rcs_requests"])
    @pytest.mark.parametrize("result", [{}, dict(failed=True, msg="HTTP 403"), dict(msg="HTTP 403"), dict(skipped=True), None])
    def test_no_task_may_be_missing(self, name, result):
        found = verify(dict(results(), campaign_filters=None, filtered_campaigns={}, **{name: result}), "r", DAYS[0], DAYS[1])
        assert found["verdict"] != "verified" and found["counts"]["total"] == 2

    @pytest.mark.parametrize(
        "name, problem",
        [
            ("filtered_campaigns", dict(campaigns=[], truncated=False)),
            ("alerts", dict(alerts=[], rcs_targets=[], truncated=False)),
            ("filtered_campaigns", {}),
            ("alerts", {}),
        ],
    )
    def test_a_lookup_that_found_nothing_beside_other_targets(self, name, problem):
        found = verify(dict(results(), **{name: problem}), "r", DAYS[0], DAYS[1])
        assert found["verdict"] == "not_verified" and any(lookup["problem"] for lookup in found["lookups"])

    def test_nothing_is_changed(self):
        given = results()
        before = copy.deepcopy(given)
        verify(given, "r", DAYS[0], DAYS[1])
        assert given == before

    def test_whatever_modules_return(self):
        """Nothing raises, and what is missing or odd is never verified away."""
        source = random.Random(8)
        for _round in range(3000):
            given = results()
            names = [name for name in given if isinstance(given[name], dict)]
            for name in source.sample(names, source.randint(1, 3)):
                given[name] = damaged(given[name], source)
            found = verify(given, "r", DAYS[0], DAYS[1], older=[damaged(verify(results(), "q", DAYS[0], DAYS[0]), source)])
            assert found["verdict"] in VERDICTS and json.dumps(found)
            assert {"c1", "231:Rdp:u1"} <= {one["id"] for one in found["targets"]}
