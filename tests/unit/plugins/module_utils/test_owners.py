# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What owners say of targets: what an acceptance does, what it never does, and until when."""

from __future__ import annotations

import copy
import itertools

import pytest
import verification_samples as samples

from ansible_collections.secops.remediation.plugins.module_utils import _judge
from ansible_collections.secops.remediation.plugins.module_utils._common.times import as_text
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.system import SAILPOINT
from ansible_collections.secops.remediation.plugins.module_utils._verdict import owners
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import OUTCOMES
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import make_target
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import conclude
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.system import XPANSE

NOON = "2026-03-02T12:00:00Z"
SECOND_BEFORE, SECOND_AFTER = "2026-03-02T11:59:59Z", "2026-03-02T12:00:01Z"
SAYS = dict(
    kind="exposure", id="t1", by="jo@example.com", until="2026-03-02T12:00:00Z", reason="The vendor's patch comes in April"
)


def target(outcome, target_id="t1", kind="exposure", server_time=NOON, **more):
    request = dict(method="GET", path="/x", status=200, reference=None, server_time=server_time, **more)
    return make_target(kind, target_id, None, outcome, "because", requests=[request])


def run(targets, *accepted, finished_at=SECOND_BEFORE, lookups=(), **said):
    """The verification of a run in which owners have said something."""
    said = dict(path="targets.yml", sha256="0" * 64, tenant="acme", accepted=list(accepted), **said)
    return conclude(list(targets), list(lookups), "run", SECOND_BEFORE, finished_at, said=said)


def state(found):
    (record,) = found["acceptance"]["accepted"]
    return record["state"]


class TestUntilWhen:
    @pytest.mark.parametrize(
        "until, last",
        [
            ("2026-12-31", "2026-12-31T23:59:59Z"),
            (" 2026-12-31\n", "2026-12-31T23:59:59Z"),
            ("2028-02-29", "2028-02-29T23:59:59Z"),
            ("2026-12-31T12:00:00Z", "2026-12-31T12:00:00Z"),
            ("2026-12-31T12:00", "2026-12-31T12:00:00Z"),
            ("2026-12-31 12:00:00", "2026-12-31T12:00:00Z"),
            ("2026-12-31T23:30:00-05:00", "2027-01-01T04:30:00Z"),
            ("2026-12-31T00:30:00+02:00", "2026-12-30T22:30:00Z"),
        ],
    )
    def test_the_last_second(self, until, last):
        assert as_text(owners.last_moment(until)) == last

    @pytest.mark.parametrize(
        "until",
        [
            "",
            "never",
            "2026-02-30",
            "2026-13-01",
            "31.12.2026",
            "2026-12",
            "20261231",
            "2026-12-31T25:00Z",
            None,
            1,
            True,
            [],
            {},
        ],
    )
    def test_what_is_no_date(self, until):
        assert owners.last_moment(until) is None

    @pytest.mark.parametrize(
        "server, controller, expected",
        [
            (NOON, SECOND_BEFORE, "accepted"),
            (SECOND_BEFORE, NOON, "accepted"),
            # By a second, whoever's clock says so: neither a controller nor a server whose clock is behind makes it hold.
            (SECOND_AFTER, SECOND_BEFORE, "expired"),
            (SECOND_AFTER, "1970-01-01T00:00:00Z", "expired"),
            (SECOND_BEFORE, SECOND_AFTER, "expired"),
            ("1970-01-01T00:00:00Z", SECOND_AFTER, "expired"),
            (None, NOON, "accepted"),
            (None, SECOND_AFTER, "expired"),
            ("yesterday", SECOND_AFTER, "expired"),
            # Nobody knows how late it is.
            (None, None, "expired"),
            (None, "soon", "expired"),
        ],
    )
    def test_it_ends_by_the_latest_clock(self, server, controller, expected):
        found = run([target("unremediated", server_time=server)], SAYS, finished_at=controller)
        assert state(found) == expected
        assert found["acceptance"]["all_open_accepted"] is (expected == "accepted")

    @pytest.mark.parametrize(
        "zone, now, expected",
        [
            ("+01:00", "2026-03-02T11:00:00Z", "accepted"),
            ("+01:00", "2026-03-02T11:00:01Z", "expired"),
            ("-05:30", "2026-03-02T17:30:00Z", "accepted"),
            ("-05:30", "2026-03-02T17:30:01Z", "expired"),
        ],
    )
    def test_zones_are_heard(self, zone, now, expected):
        says = dict(SAYS, until="2026-03-02T12:00:00" + zone)
        assert state(run([target("unremediated", server_time=now)], says, finished_at=now)) == expected

    @pytest.mark.parametrize("now, expected", [("2026-03-02T23:59:59Z", "accepted"), ("2026-03-03T00:00:00Z", "expired")])
    def test_a_day_ends_with_itself_in_utc(self, now, expected):
        assert state(run([target("unremediated", server_time=now)], dict(SAYS, until="2026-03-02"))) == expected

    def test_what_an_earlier_run_was_answered_tells_no_time(self):
        late = target("unremediated", server_time=SECOND_AFTER, remembered=True)
        assert owners.now_of([late], NOON)[1] == "controller"
        assert state(run([late], SAYS, finished_at=NOON)) == "accepted"

    def test_any_server_of_the_run_tells_the_time(self):
        """The answer about another target came last."""
        found = run([target("unremediated"), target("remediated", "t2", server_time=SECOND_AFTER)], SAYS)
        assert state(found) == "expired" and found["acceptance"]["clock"] == "server"
        assert found["acceptance"]["judged_at"] == SECOND_AFTER


class TestWhatItDoes:
    def test_it_touches_no_outcome_and_no_verdict(self):
        for outcomes in itertools.product(OUTCOMES, repeat=2):
            targets = [target(outcome, "t%d" % number) for number, outcome in enumerate(outcomes, 1)]
            without = conclude(copy.deepcopy(targets), [], "run", NOON, NOON)
            found = run(copy.deepcopy(targets), SAYS, dict(SAYS, id="t2"))
            assert [one["outcome"] for one in found["targets"]] == list(outcomes)
            assert found["verdict"] == without["verdict"] and found["counts"] == without["counts"]
            open_ones = [one for one in found["targets"] if "accepted" in one]
            assert {one["outcome"] for one in open_ones} <= {"unremediated"}
            assert found["acceptance"]["all_open_accepted"] is (
                "unremediated" in outcomes and set(outcomes) <= {"unremediated", "remediated"}
            )

    def test_the_verdict_says_so_in_words(self):
        found = run([target("unremediated"), target("remediated", "t2")], SAYS)
        assert found["verdict"] == "not_verified"
        assert found["summary"] == "Not verified: 1 of 2 targets remediated, 1 still open (1 accepted, until %s)." % NOON
        assert found["targets"][0]["accepted"] == {name: SAYS[name] for name in ("by", "until", "reason")}
        assert found["lookups"] == []

    def test_of_several_the_first_end_is_told(self):
        later = dict(SAYS, id="t2", until="2026-04-01")
        found = run([target("unremediated"), target("unremediated", "t2"), target("unremediated", "t3")], later, SAYS)
        assert "3 still open (2 accepted, until %s at first)" % NOON in found["summary"]
        assert found["acceptance"]["all_open_accepted"] is False

    @pytest.mark.parametrize("outcome", ["pending", "inconclusive"])
    def test_what_nobody_can_see_is_not_accepted(self, outcome):
        found = run([target(outcome)], SAYS)
        assert state(found) == "not_covered" and "accepted" not in found["targets"][0]
        assert outcome in found["acceptance"]["accepted"][0]["detail"]

    def test_what_is_remediated_needs_none(self):
        for until in (SAYS["until"], "2020-01-01"):
            found = run([target("remediated")], dict(SAYS, until=until))
            assert state(found) == "not_needed" and found["verdict"] == "verified"
            assert found["acceptance"]["all_open_accepted"] is False

    def test_a_problem_of_a_look_up_is_not_accepted(self):
        problem = dict(kind="alerts", asked="2", found=0, problem="there is no alert 2")
        found = run([target("unremediated")], SAYS, lookups=[problem])
        assert state(found) == "accepted" and found["acceptance"]["all_open_accepted"] is False

    def test_nothing_is_accepted_without_a_target(self):
        assert run([])["acceptance"]["all_open_accepted"] is False

    def test_without_a_file_nothing_is_said(self):
        found = conclude([target("unremediated")], [], "run", NOON, NOON)
        assert not {"acceptance", "targets_file"} & set(found)


class TestHowMuch:
    """An acceptance of a campaign may say how many of its items are open."""

    @pytest.mark.parametrize(
        "parts, most",
        [
            ({}, 1),
            (dict(items=dict(items_open=2, items_unknown=0)), 2),
            (dict(items=dict(items_open=2, items_unknown=3)), 5),
            (dict(items=dict(items_open=None, items_unknown=None)), None),
            (dict(items=dict(items_open=2, items_unknown=None)), None),
            # Nobody's silence makes it fewer, and nobody's word.
            (dict(items=dict(items_open=2, items_unknown=0), access=dict(items_open=1, items_unknown=3)), 4),
            (dict(items=dict(items_open=2, items_unknown=0), access=dict(items_open=0, items_unknown=0)), 2),
            (dict(items=dict(items_open=None, items_unknown=None), access=dict(items_open=1, items_unknown=0)), None),
            (dict(items=dict(items_open=0, items_unknown=0)), 1),
            (dict(items=dict(items_open=True, items_unknown=0)), None),
            (dict(items=dict(items_open=-1, items_unknown=0)), None),
            # What a witness was not shown at all, such as a certification, may be open as well.
            (dict(access=dict(items_open=1, items_unknown=0, problems=["the list shows 1 of 3 certifications"])), None),
            (dict(access=dict(items_open=1, items_unknown=0, problems=[])), 1),
        ],
    )
    def test_how_many_may_be_open(self, parts, most):
        assert owners.open_at_most(dict(target("unremediated"), **parts)) == most
        for limit in (1, 2, 3, 5):
            found = run([dict(target("unremediated"), **copy.deepcopy(parts))], dict(SAYS, most_open_items=limit))
            assert state(found) == ("accepted" if most is not None and most <= limit else "not_covered")
            assert found["acceptance"]["all_open_accepted"] is (state(found) == "accepted")
            assert found["lookups"] == []

    def test_it_says_how_many_there_are(self):
        parts = dict(items=dict(items_open=2, items_unknown=1))
        found = run([dict(target("unremediated"), **parts)], dict(SAYS, most_open_items=1))
        assert found["acceptance"]["accepted"][0]["detail"].endswith(", with no more than 1 open items, and up to 3 may be.")

    @pytest.mark.parametrize("junk", [0, -1, None, True, "1", 1.5, []])
    def test_what_is_no_number_accepts_nothing(self, junk):
        found = run([target("unremediated")], dict(SAYS, most_open_items=junk))
        assert state(found) == "invalid" and "no usable most_open_items" in found["lookups"][0]["problem"]

    def test_of_two_of_one_name_only_what_is_open_is_marked(self):
        found = run([target("unremediated"), target("inconclusive")], SAYS)
        assert [("accepted" in one) for one in found["targets"]] == [True, False]
        assert found["acceptance"]["all_open_accepted"] is False


class TestLoud:
    def test_one_that_has_expired(self):
        found = run([target("unremediated", server_time=SECOND_AFTER)], SAYS)
        (lookup,) = found["lookups"]
        assert lookup["asked"] == "exposure t1" and lookup["found"] == 1
        assert lookup["problem"] == (
            "jo@example.com accepted it until 2026-03-02T12:00:00Z (The vendor's patch comes in April), and that has expired: "
            "it is 2026-03-02T12:00:01Z by the clock of the server."
        )
        assert "accepted" not in found["targets"][0]

    @pytest.mark.parametrize("wrong", [dict(id="t9"), dict(kind="campaign"), dict(id="T1"), dict(id="t1 x")])
    def test_one_of_a_target_that_was_not_verified(self, wrong):
        found = run([target("remediated")], dict(SAYS, **wrong))
        assert state(found) == "no_target" and found["verdict"] == "not_verified"
        assert "no such target was verified in this run" in found["lookups"][0]["problem"]

    @pytest.mark.parametrize(
        "wrong",
        [
            *(
                {name: value}
                for name in SAYS
                for value in (None, "", "  ", "\u200b", "\0", "\u2800", "-", 7, True, [], {}, ["x"])
            ),
            dict(until="2026-02-30"),
            dict(until="never"),
        ],
    )
    def test_one_that_lacks_something(self, wrong):
        found = run([target("unremediated")], dict(SAYS, **wrong))
        assert state(found) == "invalid" and "accepted" not in found["targets"][0]
        assert "no usable %s" % next(iter(wrong)) in found["lookups"][0]["problem"]
        assert found["acceptance"]["all_open_accepted"] is False

    @pytest.mark.parametrize("junk", [None, "all", 1, [], {}, dict(id="t1")])
    def test_one_that_is_none(self, junk):
        found = run([target("unremediated")], junk)
        assert state(found) == "invalid" and "accepted" not in found["targets"][0]

    @pytest.mark.parametrize("junk", ["all", 1, True, dict(SAYS)])
    def test_a_list_that_is_none(self, junk):
        said = dict(path="p", sha256="0" * 64, tenant="acme", accepted=junk)
        found = conclude([target("unremediated")], [], "run", NOON, NOON, said=said)
        assert len(found["lookups"]) == 1 and "accepted" not in found["targets"][0]


class TestOwners:
    def of(self, *said, **more):
        """Who owns which target: a campaign that was named, one that a filter found, and an exposure."""
        results = samples.results_of([("campaign", "remediated"), ("campaign", "remediated"), ("exposure", "unremediated")])
        results["targets_file"] = dict(path="p", sha256="0" * 64, tenant="acme", owners=list(said), accepted=[], **more)
        found = _judge.verify(results, samples.RUN, samples.STARTED, samples.FINISHED)
        return [target.get("owner") for target in found["targets"]], found["targets"]

    def test_the_tenants_owner_owns_all_else(self):
        assert self.of()[0] == [None] * 3
        assert self.of(owner="iam@example.com")[0] == ["iam@example.com"] * 3

    def test_each_by_what_it_was_asked_with(self):
        targets = self.of()[1]
        names = ("alert_internal_id", "attack_surface_rule_id", "service_id")
        ids = {name: targets[2][name] for name in names}
        said = [
            dict(asked="campaign_ids", value=targets[0]["id"], owner="jo"),
            # YAML has it as a number.
            dict(asked="exposures", value=dict(ids, alert_internal_id=int(ids["alert_internal_id"])), owner="net"),
            dict(asked="exposures", value=dict(ids, service_id="another"), owner="nobody"),
        ]
        assert self.of(*said, owner="all")[0] == ["jo", "all", "net"]

    def test_an_alert_and_a_case(self):
        target = self.of()[1][2]
        assert self.of(dict(asked="alert_ids", value=int(target["alert_internal_id"]), owner="soc"))[0] == [None, None, "soc"]
        case = target["alert"].get("case_id")
        assert case and self.of(dict(asked="case_ids", value=int(case), owner="soc"))[0] == [None, None, "soc"]

    def test_a_filter_owns_what_nobody_named(self):
        results = samples.results_of([("campaign", "remediated"), ("campaign", "remediated")])
        named, found = results["campaign_ids"]
        results.update(campaign_ids=[named], campaign_filters='name sw "Q"', filtered_campaigns=results["campaigns"])
        results["targets_file"] = dict(
            owners=[dict(asked="campaign_filters", value='name sw "Q"', owner="reviews")],
            accepted=[],
            path="p",
            sha256="0",
            tenant="t",
        )
        judged = _judge.verify(results, samples.RUN, samples.STARTED, samples.FINISHED)["targets"]
        owners_of = {target["id"]: target.get("owner") for target in judged}
        assert owners_of[named] is None and owners_of[found] == "reviews"

    def test_a_system_that_breaks_there_costs_no_answer(self, monkeypatch):
        broken = XPANSE._replace(named=dict(exposures=lambda target, results: 1 / 0))
        monkeypatch.setattr(_judge, "SYSTEMS", (SAILPOINT, broken))
        said = dict(owner="jo", owners=[], accepted=[])
        results = dict(samples.results_of([("exposure", "remediated")]), targets_file=said)
        found = _judge.verify(results, samples.RUN, samples.STARTED, samples.FINISHED)
        assert [target["outcome"] for target in found["targets"]] == ["remediated"] and found["verdict"] == "not_verified"
        assert "cannot be told" in found["lookups"][0]["problem"]

    @pytest.mark.parametrize(
        "junk", [None, "x", [None], [dict()], [dict(asked=[], value={}, owner=[])], [dict(asked="exposures", owner=1)]]
    )
    def test_junk_owns_nothing(self, junk):
        said = dict(path="p", sha256="0", tenant="t", owners=junk, owner=["x"], accepted=[])
        results = dict(samples.results_of([("exposure", "remediated")]), targets_file=said)
        (target,) = _judge.verify(results, samples.RUN, samples.STARTED, samples.FINISHED)["targets"]
        assert "owner" not in target and target["outcome"] == "remediated"
