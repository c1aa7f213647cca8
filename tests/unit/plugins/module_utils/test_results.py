# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of results from modules to whoever judges them."""

from __future__ import annotations

import itertools
import json
import random

import pytest
from answers_on_record import campaign_results, exposure

from ansible_collections.secops.remediation.plugins.module_utils import _judge
from ansible_collections.secops.remediation.plugins.module_utils._judge import verify
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task, signature
from ansible_collections.secops.remediation.plugins.module_utils._systems import ANSWERS, ASKED, SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.results import sort_results
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import make_target
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence

IDS = dict(alert_internal_id="231", attack_surface_rule_id="R", service_id="s")
RCS = dict(module="xpanse_rcs_request", asked={"requests": 1}, base_url="https://a.example")


def rcs(*items, **more):
    return dict(RCS, rcs_requests=list(items), **more)


def item(number, **more):
    return dict(dict(alert_internal_id=number, attack_surface_rule_id="R", service_id="s", outcome="pending"), **more)


def names_of(found):
    return {name: [one["alert_internal_id"] for one in result.get("rcs_requests", [])] for name, result in found.items()}


def answered(hour):
    """What was answered at an hour of the server's clock."""
    return [dict(method="POST", path="/x", status=200, server_time="2026-11-24T%02d:00:00Z" % hour, body={})]


def judged(results, **asked):
    """The verification that follows from results, with what is wrong with it by look-up."""
    found, problems = sort_results(results, SYSTEMS)
    return verify(dict({name: {} for name in ANSWERS}, **dict(ASKED, **asked), **found, problems=problems), "r", None, None)


class TestLeftOver:
    """What is in the results and in no target."""

    TRUE = rcs(exposure(IDS, "remediated"))

    def problem_with(self, *results, **asked):
        verification = judged([self.TRUE, *results], exposures=[IDS], **asked)
        problems = [lookup["problem"] for lookup in verification["lookups"] if lookup["problem"]]
        assert (verification["verdict"] == "verified") == (not problems) and len(problems) < 2
        assert ("had a problem" in verification["summary"]) == bool(problems)
        return problems[0] if problems else None

    def test_nothing(self):
        assert self.problem_with() is None

    @pytest.mark.parametrize("asked", ["campaign_ids", "filters"])
    @pytest.mark.parametrize(
        "result, problem",
        [
            (dict(failed=True, msg="HTTP 403"), "A look-up of sailpoint_campaign_info failed: HTTP 403"),
            (dict(failed=True), "A look-up of sailpoint_campaign_info failed: nothing says why"),
            (dict(campaigns=[], truncated=True), "A look-up of sailpoint_campaign_info left something out."),
        ],
    )
    def test_a_look_up_that_nobody_named(self, asked, result, problem):
        assert self.problem_with(dict(result, module="sailpoint_campaign_info", asked={asked: 1})) == problem
        assert self.problem_with(dict(module="sailpoint_campaign_info", asked={asked: 1}, campaigns=[], truncated=False)) is None

    @pytest.mark.parametrize("asked", ["alert_ids", "case_ids"])
    def test_alerts_that_nobody_named(self, asked):
        result = dict(module="xpanse_alert_info", asked={asked: 1}, base_url=RCS["base_url"], failed=True, msg="HTTP 500")
        assert self.problem_with(result) == "A look-up of xpanse_alert_info failed: HTTP 500"

    def test_what_nobody_asked_about(self):
        more = rcs(exposure(dict(IDS, alert_internal_id="9"), "unremediated"))
        assert self.problem_with(more) == "xpanse_rcs_request answered about 1 that nobody asked to verify, such as 9:R:s."
        for module, name in (
            ("sailpoint_campaign_remediation_scan", "scans"),
            ("sailpoint_campaign_report", "reports"),
            ("sailpoint_revoked_access_info", "campaigns"),
        ):
            problem = self.problem_with({"module": module, name: [dict(campaign_id="c9", status="finished")]})
            assert problem == "%s answered about 1 that nobody asked to verify, such as c9." % module

    def test_results_of_two_tenants(self):
        other = dict(module="xpanse_alert_info", asked={"alert_ids": 1}, base_url="https://b.example", alerts=[], truncated=False)
        assert self.problem_with(other) == "The results are of different systems: https://a.example and https://b.example."

    def test_results_that_are_damaged(self):
        damaged = dict(RCS, rcs_requests=[exposure(IDS, "remediated"), "odd"])
        problem = self.problem_with(damaged)
        assert problem.startswith("Result number 2 of xpanse_rcs_request: The result was damaged on the way: rcs_requests")

    def test_what_was_skipped_and_says_something_all_the_same(self):
        more = rcs(exposure(IDS, "unremediated"), skipped=True)
        verification = judged([self.TRUE, more], exposures=[IDS])
        assert verification["verdict"] == "not_verified"

    def test_a_system_that_breaks_costs_no_other_its_answers(self, monkeypatch):
        def breaks(results):
            if any(results.get(answers.name) and not results[answers.name].get("failed") for answers in SYSTEMS[0].answers):
                raise KeyError("odd")
            return [make_target("campaign", "c1", None, "inconclusive", "no answer")]

        monkeypatch.setattr(_judge, "SYSTEMS", (SYSTEMS[0]._replace(targets=breaks), SYSTEMS[1]))
        campaigns = dict(module="sailpoint_campaign_info", asked={"campaign_ids": 1}, campaigns=[{"id": "c1"}])
        verification = judged([self.TRUE, campaigns], exposures=[IDS], campaign_ids=["c1"])
        assert {one["id"]: one["outcome"] for one in verification["targets"]} == {"c1": "inconclusive", "231:R:s": "remediated"}
        assert "The results of sailpoint could not be judged (KeyError: 'odd')." in [
            lookup["problem"] for lookup in verification["lookups"]
        ]
        monkeypatch.setattr(_judge, "SYSTEMS", (SYSTEMS[0]._replace(targets=lambda results: {}["x"]), SYSTEMS[1]))
        verification = judged([self.TRUE], exposures=[IDS], campaign_ids=["c1"])
        assert verification["verdict"] == "not_verified" and verification["counts"]["remediated"] == 1


class TestFiles:
    """A file that holds the lists of a result."""

    def found(self, tmp_path, content, **more):
        (tmp_path / "r.json").write_text(json.dumps(content))
        result = dict(RCS, rcs_requests=[], results_file=str(tmp_path / "r.json"), **more)
        return sort_results([result], SYSTEMS)[0]["rcs_requests"]

    def test_its_own(self, tmp_path):
        content = dict(RCS, rcs_requests=[item(1)])
        assert self.found(tmp_path, content, counts={"rcs_requests": 1})["rcs_requests"] == [item(1)]

    @pytest.mark.parametrize(
        "content, result, problem",
        [
            (dict(run="20261124T100000Z"), {}, "they are on record for the run 20261124T100000Z"),
            ({}, dict(failed=True, msg="HTTP 403"), "they are of another task, which did not fail"),
            ({}, dict(counts={"rcs_requests": 2}), "they are of another task, with 1 rcs_requests instead of 2"),
            ({}, dict(counts={"rcs_requests": 0}), "they are of another task, with 1 rcs_requests instead of 0"),
        ],
    )
    def test_one_of_another_task(self, tmp_path, content, result, problem):
        found = self.found(tmp_path, dict(RCS, rcs_requests=[item(1)], **content), **result)
        assert found["failed"] and problem in found["msg"] and not found.get("rcs_requests")


class TestNames:
    @pytest.mark.parametrize("name", ANSWERS)
    def test_each_result_has_its_name(self, name):
        answers = ANSWERS[name]
        asked = {answers.asked: 1} if answers.asked else {}
        found, problems = sort_results([dict(module=answers.module, asked=asked)], SYSTEMS)
        assert list(found) == [name] and not problems

    @pytest.mark.parametrize("asked", [None, [], "campaign_ids", {"name": "Q3"}, {}])
    def test_what_does_not_say_what_it_answers_is_what_is_left(self, asked):
        assert list(sort_results([dict(module="sailpoint_campaign_info", asked=asked)], SYSTEMS)[0]) == ["filtered_campaigns"]

    @pytest.mark.parametrize(
        "result, said",
        [
            ({}, "no module that says its name."),
            (None, "no module that says its name."),
            ({"failed": True, "msg": "MODULE FAILURE\nSee stdout"}, "no module that says its name: MODULE FAILURE See stdout"),
            ({"module": "ping", "ping": "pong"}, "the module ping, which is not known here."),
            ({"module": ["xpanse_rcs_request"]}, "the module xpanse_rcs_request, which is not known here."),
            ("nonsense", "no module that says its name: what was registered is no result of a module, but 'nonsense'"),
            (5, "no module that says its name: what was registered is no result of a module, but 5"),
        ],
    )
    def test_what_is_of_nobody_is_said(self, result, said):
        assert sort_results([rcs(), result], SYSTEMS)[1] == ["Result number 2 is of %s" % said]

    def test_what_was_skipped_is_passed_over(self):
        assert sort_results([dict(skipped=True, changed=False)], SYSTEMS) == ({}, [])

    @pytest.mark.parametrize("results", [None, "", {}, 5])
    def test_what_is_no_list_is_said(self, results):
        assert sort_results(results, SYSTEMS)[1][0].startswith("The results are no list")

    def test_a_file_that_cannot_be_read_is_a_failure_of_its_module(self, tmp_path):
        found, problems = sort_results([dict(RCS, results_file=str(tmp_path / "gone.json"))], SYSTEMS)
        assert "cannot be read" in found["rcs_requests"]["msg"] and found["rcs_requests"]["failed"] and not problems


class TestTwoOfAName:
    def test_of_what_both_have_the_later_counts(self):
        first, second = rcs(item(1, status="old"), item(2)), rcs(item(3), item("1", status="new"))
        found, problems = sort_results([first, second], SYSTEMS)
        assert {one["alert_internal_id"]: one.get("status") for one in found["rcs_requests"]["rcs_requests"]} == {
            "1": "new",
            2: None,
            3: None,
        }
        assert not problems

    def test_of_what_both_have_the_one_that_was_answered_last_counts(self):
        """Whatever order somebody put them into, and within one result as well."""
        new, old = item(1, outcome="unremediated", answers=answered(9)), item("1", outcome="remediated", answers=answered(8))
        for results in ([rcs(new), rcs(old)], [rcs(old), rcs(new)], [rcs(new, old)], [rcs(old, new)]):
            found, problems = sort_results(results, SYSTEMS)
            assert found["rcs_requests"]["rcs_requests"] == [new] and not problems
        broken = item(1, error="HTTP 502")
        assert sort_results([rcs(old), rcs(broken)], SYSTEMS)[0]["rcs_requests"]["rcs_requests"] == [broken]

    def test_requests_stay_as_they_were(self):
        request = dict(method="GET", path="/x", status=200)
        found = sort_results([rcs(item(1), requests=[request, request])], SYSTEMS)[0]["rcs_requests"]
        assert found["requests"] == [request, request]

    @pytest.mark.parametrize("order", [0, 1])
    def test_what_one_could_not_do_is_not_made_good(self, order):
        results = [rcs(item(1)), rcs(item(2), failed=True, msg="broken")]
        found, _problems = sort_results(results[order:] + results[:order], SYSTEMS)
        assert found["rcs_requests"]["failed"] is True and found["rcs_requests"]["msg"] == "broken"

    @pytest.mark.parametrize("truncated", [True, None, "no", 1])
    def test_a_list_is_whole_only_if_both_are(self, truncated):
        one = dict(module="xpanse_alert_info", alerts=[], truncated=False)
        for results in ([one, dict(one, truncated=truncated)], [dict(one, truncated=truncated), one]):
            assert sort_results(results, SYSTEMS)[0]["alerts"]["truncated"] is not False
        assert sort_results([one, one], SYSTEMS)[0]["alerts"]["truncated"] is False

    def test_two_tenants_are_not_mixed(self):
        found, problems = sort_results([rcs(item(1)), rcs(item(2), base_url="https://b.example")], SYSTEMS)
        assert names_of(found) == {"rcs_requests": [1]}
        assert problems == [
            "Result number 2 cannot be judged together with another one of xpanse_rcs_request: their base_url differ."
        ]

    @pytest.mark.parametrize("base_url", [None, "https://b.example"])
    def test_who_does_not_say_where_it_is_from_may_be_of_another(self, base_url):
        for results in ([rcs(item(1)), rcs(item(2), base_url=base_url)], [rcs(item(1), base_url=base_url), rcs(item(2))]):
            assert "their base_url differ" in sort_results(results, SYSTEMS)[1][0]
        # What could ask nobody says nothing of anything.
        assert not sort_results([rcs(item(1)), rcs(base_url=base_url and None, failed=True, msg="no such host")], SYSTEMS)[1]

    def test_reports_that_were_read_with_other_words_are_not_mixed(self):
        one = dict(module="sailpoint_remediation_report_info", reports=[], settings={"remediated_values": None})
        other = dict(one, settings={"remediated_values": ["Open"]})
        assert "their settings differ" in sort_results([one, other], SYSTEMS)[1][0]


def test_the_order_of_the_list_does_not_matter():
    """Whatever comes first, the same is known."""
    info = dict(
        path="/r/c1.csv", outcome="remediated", reason="all", items_total=1, items_remediated=1, items_open=0, items_unknown=0
    )
    results = dict(
        campaign_results({"c1": ("/r/c1.csv", "ab" * 32)}),
        report_infos=dict(reports=[info]),
        rcs_requests=dict(rcs_requests=[exposure(IDS, "remediated")]),
    )
    signed = []
    for name, result in results.items():
        if name in ANSWERS and result:
            asked = {ANSWERS[name].asked: 1} if ANSWERS[name].asked else {}
            signed.append(dict(result, module=ANSWERS[name].module, asked=asked))
    outcomes = set()
    for order in itertools.islice(itertools.permutations(signed), 60):
        found, problems = sort_results(list(order), SYSTEMS)
        asked = dict(ASKED, campaign_ids=["c1"], exposures=[IDS])
        verification = verify(dict({name: {} for name in ANSWERS}, **asked, **found, problems=problems), "r", None, None)
        outcomes.add(json.dumps([(one["id"], one["outcome"]) for one in verification["targets"]]))
        assert verification["verdict"] == "verified", [one["reason"] for one in verification["targets"]]
    assert len(outcomes) == 1


def test_what_was_lost_on_the_way_is_never_verified():
    source = random.Random(5)
    for _round in range(200):
        results = [rcs(exposure(IDS, "remediated"))] + [source.choice([{}, {"msg": "x"}, {"module": "y"}, None])]
        found, problems = sort_results(results, SYSTEMS)
        asked = dict(ASKED, exposures=[IDS])
        verification = verify(dict({name: {} for name in ANSWERS}, **asked, **found, problems=problems), "r", None, None)
        assert [one["outcome"] for one in verification["targets"]] == ["remediated"]
        assert verification["verdict"] == "not_verified" and verification["lookups"][-1]["problem"]


class TestSignature:
    def test_it_says_how_many_were_asked_about(self):
        params = dict(campaign_ids=["a", "b"], name=None, filters='name sw "Q"', statuses=[])
        assert signature(
            "secops.remediation.sailpoint_campaign_info", params, ("campaign_ids", "name", "filters", "statuses")
        ) == dict(module="sailpoint_campaign_info", asked={"campaign_ids": 2, "filters": 'name sw "Q"'})

    def test_a_failure_is_signed_as_well(self):
        def run(_task):
            raise ValueError("broken")

        signed = dict(module="m", asked={"x": 1})
        result, _secrets = run_task(run, Task({}, False, None), None, signed)
        assert result["failed"] and (result["module"], result["asked"]) == ("m", {"x": 1})


class TestOptionsOf020:
    def test_each_is_deprecated_and_still_there(self):
        spec = remediation_evidence.ARGUMENT_SPEC
        for name in (*ANSWERS, *ASKED):
            if name in spec:
                assert spec[name]["removed_in_version"] == "1.0.0", name
        assert {"campaigns", "scans", "reports", "report_infos", "alerts", "case_alerts", "rcs_requests"} <= set(spec)

    def test_no_system_adds_one(self):
        """A result that came after 0.2.0 travels in the list only."""
        released = {
            "filtered_campaigns",
            "campaigns",
            "scans",
            "reports",
            "report_infos",
            "alerts",
            "case_alerts",
            "rcs_requests",
        }
        assert set(ANSWERS) & set(remediation_evidence.ARGUMENT_SPEC) == released
