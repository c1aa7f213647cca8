# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is proved of a next generation campaign: each condition with the smallest damage to a record that proves it."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import access_proof
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_proof import (
    NO_SCAN,
    is_next,
    prove_next,
    prove_report,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import Word
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import Access, targets
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import requests_in

ROOT = "/certification-campaigns/v1"
CAMPAIGN = ROOT + "/campaigns/c1"
SHA256 = "a" * 64
REMEDIATED, UNREMEDIATED, INCONCLUSIVE, PENDING = "remediated", "unremediated", "inconclusive", "pending"


def at(minutes):
    """So many minutes after noon."""
    return "2026-11-24T12:%02d:00Z" % minutes


def exchange(path, body=None, method="GET", minutes=30, **more):
    facts = dict(method=method, path=path, status=200, reference=None, server_time=at(minutes), sent=None, body=body)
    return dict(facts, **more)


def campaign(**more):
    facts = dict(id="c1", name="Finance", type="IDENTITY", status="COMPLETED", modified=at(1))
    return dict(facts, totalCertifications=2, completedCertifications=2, **more)


def report(**more):
    facts = dict(id="r1", name="n", campaignId="c1", type="REMEDIATION", format="CSV", created=at(10), status="SUCCESS")
    return dict(facts, **more)


def answers():
    """What proves it, by a name: the campaign, the report that was asked for, its end, its file, the campaign again."""
    return dict(
        before=exchange(CAMPAIGN, campaign(), minutes=5),
        created=exchange(CAMPAIGN + "/reports", report(status="IN_PROGRESS"), "POST", 10),
        shown=exchange(CAMPAIGN + "/reports/r1", report(), minutes=11),
        signed=exchange(CAMPAIGN + "/reports/r1/download-url", {"id": "r1", "presignedUrl": "https://s/…"}, minutes=12),
        file=exchange("https://s/…", None, minutes=12, sha256=SHA256, size=9, report_id="r1"),
        after=exchange(CAMPAIGN, campaign(), minutes=13),
    )


def info(outcome=REMEDIATED, **more):
    numbers = {REMEDIATED: [3, 3, 0, 0], UNREMEDIATED: [3, 2, 1, 0]}.get(outcome, [3, 2, 0, 1])
    names = ("items_total", "items_remediated", "items_open", "items_unknown")
    return dict(dict(zip(names, numbers)), outcome=outcome, reason="so says the file", campaign_names=["Finance"], **more)


def by_report(found, sha256=SHA256, said=None):
    return prove_report("c1", list(found.values()), sha256, said or info())


def test_the_whole_record_is_in_order():
    assert by_report(answers()) == Word(REMEDIATED, "so says the file")
    assert by_report(answers(), said=info(UNREMEDIATED)) == Word(UNREMEDIATED, "so says the file")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("before", dict(body=campaign() | dict(status="ACTIVE"))),
        ("after", dict(body=campaign() | dict(status="ACTIVE"))),
        ("after", dict(body=campaign() | dict(totalCertifications=3))),
        ("after", dict(body=campaign() | dict(modified=at(20)))),
        ("after", dict(body=campaign() | dict(modified=None))),
        ("after", dict(body=campaign() | dict(id="c2"))),
        ("after", dict(status=404)),
        ("shown", dict(body=report(status="FAILED"))),
        ("shown", dict(body=report(status="IN_PROGRESS"))),
        ("shown", dict(body=report(status="NEW_WORD"))),
        ("shown", dict(body=report(campaignId="c2"))),
        ("shown", dict(body=report(type="STATUS"))),
        ("shown", dict(body=report(format="PDF"))),
        ("shown", dict(body=report(created=at(0)))),
        ("shown", dict(body=report(created=at(59)))),
        ("shown", dict(body=report(created=None))),
        ("shown", dict(body=report(id="r2"))),
        ("shown", dict(status=500)),
        ("shown", dict(method="POST")),
        ("shown", dict(server_time=None)),
        ("shown", dict(path=ROOT + "/campaigns/c2/reports/r1")),
        ("file", dict(status=206)),
        ("file", dict(sha256="b" * 64)),
        ("file", dict(sha256=None)),
        ("file", dict(report_id="r2")),
        ("file", dict(report_id=None)),
    ],
)
def test_each_condition(name, change):
    found = answers()
    found[name] = dict(found[name], **change)
    # Two reads of a campaign that is another one now are one read too few.
    assert by_report(found)[0] == INCONCLUSIVE


@pytest.mark.parametrize("name", ["shown", "file", "after"])
def test_each_answer_is_needed(name):
    found = answers()
    del found[name]
    assert by_report(found)[0] == INCONCLUSIVE


def test_the_order_of_the_answers():
    found = answers()
    for names in (
        ("before", "after", "shown", "signed", "file"),
        ("file", "shown", "after"),
        ("before", "file", "shown", "after"),
    ):
        assert by_report({name: found[name] for name in names})[0] == INCONCLUSIVE


def test_another_file_than_that_was_read():
    assert by_report(answers(), sha256=None)[0] == INCONCLUSIVE
    assert by_report(answers(), said={"outcome": REMEDIATED})[0] == INCONCLUSIVE
    assert by_report(answers(), said=info(campaign_ids=["c2"]))[0] == INCONCLUSIVE


def test_a_report_of_ours_may_move_modified_shortly():
    found = answers()
    found["after"]["body"]["modified"] = at(12)
    assert by_report(found)[0] == REMEDIATED
    other = {name: one for name, one in found.items() if name != "created"}
    assert by_report(other)[0] == INCONCLUSIVE
    found["created"]["body"]["id"] = "r2"
    assert by_report(found)[0] == INCONCLUSIVE


@pytest.mark.parametrize(
    ("of_report", "expected"), [(REMEDIATED, INCONCLUSIVE), (UNREMEDIATED, UNREMEDIATED), (INCONCLUSIVE, INCONCLUSIVE)]
)
def test_a_report_can_only_contradict(of_report, expected):
    word = prove_next("c1", list(answers().values()), SHA256, info(of_report))
    assert word.outcome == expected and NO_SCAN in word.reason and "so says the file" in word.reason
    assert prove_next("c1", []).outcome == INCONCLUSIVE


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("after", dict(body=campaign() | dict(status="ACTIVE"))),
        ("after", dict(body=campaign() | dict(totalCertifications=3))),
    ],
)
def test_a_campaign_that_is_not_what_it_was_silences_the_access_as_well(name, change):
    found = answers()
    found[name] = dict(found[name], **change)
    assert by_report(found).bars


def targets_of(of_report=REMEDIATED, by_access=None, **more):
    """The record of a campaign, by all that the role would hand on."""
    found = list(answers().values())
    item = dict(campaign_id="c1", status="finished", path="/r.csv", sha256=SHA256, answers=found, report=report())
    results = dict(
        campaign_ids=["c1"],
        campaigns=dict(campaigns=[campaign()], requests=requests_in(found[:1]), base_url="https://a"),
        reports=dict(reports=[item]),
        report_infos=dict(reports=[dict(info(of_report), path="/r.csv")]),
        campaign_witnesses=["report", "access"],
        **more,
    )
    accesses = {"c1": Access(by_access, dict(items_total=3), [], campaign())} if by_access else {}
    (target,) = targets(results, accesses)
    return target


GONE = Word(REMEDIATED, "3 of 3 are gone")
OUTCOMES = [
    (REMEDIATED, GONE, REMEDIATED),
    (UNREMEDIATED, GONE, UNREMEDIATED),
    (INCONCLUSIVE, GONE, REMEDIATED),
    (REMEDIATED, Word(UNREMEDIATED, "1 is there"), UNREMEDIATED),
    (REMEDIATED, Word(INCONCLUSIVE, "who knows"), INCONCLUSIVE),
    (REMEDIATED, Word(PENDING, "wait"), INCONCLUSIVE),
    (REMEDIATED, Word("new word", "who knows"), INCONCLUSIVE),
    (REMEDIATED, None, INCONCLUSIVE),
    (UNREMEDIATED, None, UNREMEDIATED),
]


@pytest.mark.parametrize(("of_report", "by_access", "expected"), OUTCOMES)
def test_the_access_decides(of_report, by_access, expected):
    target = targets_of(of_report, by_access)
    assert target["outcome"] == expected and NO_SCAN in target["reason"]
    assert (target["report"]["reportType"], target["report"]["lastRunAt"]) == ("REMEDIATION", at(10))
    assert "scan" not in target


def test_a_report_that_cannot_prove_it_is_told_beside_the_access():
    reason = targets_of(REMEDIATED, GONE)["reason"]
    assert reason.startswith("3 of 3 are gone; the report cannot prove it (") and reason.endswith("so there is one witness")


def test_both_can_never_say_so():
    assert targets_of(REMEDIATED, GONE, campaign_agreement="all")["outcome"] == INCONCLUSIVE


def test_whose_record_it_is():
    assert is_next(list(answers().values())) and not is_next([exchange("/campaigns/v1/c1")]) and not is_next([])


# --- what the access witness makes of these calls ---


def decisions(**more):
    """What is on record of a campaign with one certification, one item of which was revoked."""
    certification = dict(id="k1", phase="SIGNED", completed=True, decisionsMade=4, decisionsTotal=4, signed=at(2))
    summary = {
        "entitlementDecisions": {"revoked": 1, "approved": 3},
        "accessProfileDecisions": {"revoked": 0},
        "roleDecisions": {"revoked": 0},
    }
    found = dict(
        campaign=exchange(CAMPAIGN, dict(campaign(), totalCertifications=1, type="IDENTITY")),
        certifications=exchange(ROOT + "/certifications", [dict(certification, campaign={"id": "c1"})], count=1, total=1),
        summary=exchange(ROOT + "/certifications/k1/decision-summary", summary),
        items=exchange(ROOT + "/certifications/k1/review-items", None, count=4, total=4, revoked={"ENTITLEMENT": 1}),
    )
    found["again"] = found["campaign"]
    return copy.deepcopy(found)


def problems(found):
    return access_proof.Decisions("c1", list(found.values())).problems


def test_the_decisions_add_up():
    assert problems(decisions()) == []


@pytest.mark.parametrize(
    "change",
    [
        dict(completed=False),
        dict(completed=None),
        dict(decisionsMade=3),
        dict(decisionsTotal=None),
        dict(decisionsMade=True, decisionsTotal=True),
        dict(decisionsMade=5, decisionsTotal=5),
        dict(phase="ACTIVE"),
        dict(signed=None),
        dict(signed=at(50)),
        dict(campaign={"id": "c2"}),
        dict(hasErrors=True),
    ],
)
def test_a_certification_that_is_not_done(change):
    found = decisions()
    found["certifications"]["body"][0].update(change)
    assert problems(found) != []


@pytest.mark.parametrize("name", ["entitlementDecisions", "accessProfileDecisions", "roleDecisions"])
@pytest.mark.parametrize("odd", [None, {}, {"revoked": None}, {"revoked": True}, {"revoked": -1}, {"revoked": 2}])
def test_a_summary_that_does_not_say(name, odd):
    found = decisions()
    found["summary"]["body"][name] = odd
    assert problems(found) != []


@pytest.mark.parametrize(
    "odd",
    [
        {"approved": 3, "revoked": 1, "decisionsMade": 5, "decisionsTotal": 5},
        {"approved": 2, "revoked": 1},
        {"approved": 3, "revoked": 1, "acknowledged": 1},
        {"approved": 3, "revoked": 1, "acknowledged": True},
        {"approved": 3, "revoked": 1, "decisionsMade": 4, "decisionsTotal": 5},
    ],
)
def test_a_summary_that_does_not_add_up(odd):
    found = decisions()
    found["summary"]["body"]["entitlementDecisions"] = odd
    assert problems(found) != []


def test_what_was_acknowledged_is_a_decision():
    found = decisions()
    numbers = {"approved": 1, "revoked": 1, "acknowledged": 2, "decisionsMade": 4, "decisionsTotal": 4}
    found["summary"]["body"]["entitlementDecisions"] = numbers
    assert problems(found) == []


@pytest.mark.parametrize(
    ("decisions_of_it", "is_fine"), [({"revoked": 0}, True), ({"revoked": 1}, False), ({}, True), (3, False)]
)
def test_another_kind(decisions_of_it, is_fine):
    found = decisions()
    found["summary"]["body"]["accountDecisions"] = decisions_of_it
    assert (problems(found) == []) is is_fine


def test_a_summary_without_a_kind():
    found = decisions()
    del found["summary"]["body"]["roleDecisions"]
    assert problems(found) != []


def test_items_that_are_cut_off():
    for change in (dict(total=5), dict(revoked={}), dict(revoked={"ENTITLEMENT": 1, "ROLE_NAME": 1})):
        found = decisions()
        found["items"].update(change)
        assert problems(found) != []
