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

from ansible_collections.secops.remediation.plugins.module_utils._judge import verify
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task, signature
from ansible_collections.secops.remediation.plugins.module_utils._systems import ANSWERS, ASKED, SYSTEMS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.results import sort_results
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence

IDS = dict(alert_internal_id="231", attack_surface_rule_id="R", service_id="s")
RCS = dict(module="xpanse_rcs_request", asked={"requests": 1}, base_url="https://a.example")


def rcs(*items, **more):
    return dict(RCS, rcs_requests=list(items), **more)


def item(number, **more):
    return dict(dict(alert_internal_id=number, attack_surface_rule_id="R", service_id="s", outcome="pending"), **more)


def names_of(found):
    return {name: [one["alert_internal_id"] for one in result.get("rcs_requests", [])] for name, result in found.items()}


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
