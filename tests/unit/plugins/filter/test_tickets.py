# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tickets: which there are, that they are the same in every run, and that nobody's text is more than a text."""

from __future__ import annotations

import copy
import re

import pytest
import verification_samples as samples
from ansible.errors import AnsibleFilterError

from ansible_collections.secops.remediation.plugins.filter.tickets import tickets
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import is_accepted


def target(outcome="unremediated", target_id="231:Rdp:s", **more):
    return dict(dict(kind="exposure", id=target_id, name="RDP at 192.0.2.1:3389", outcome=outcome, reason="it is seen"), **more)


def verification(*targets, **more):
    return dict(dict(schema_version="1.2", run=samples.RUN, targets=list(targets)), **more)


@pytest.mark.parametrize("sample", samples.all_samples())
def test_only_what_has_an_answer_has_a_ticket(sample):
    found = samples.all_samples()[sample]
    words = {"unremediated": "open", "remediated": "close"}
    assert [one["state"] for one in tickets(found)] == [
        words[one["outcome"]] for one in found["targets"] if one["outcome"] in words and not is_accepted(one)
    ]


def test_what_a_ticket_says():
    (one,) = tickets(verification(target(open_since="2026-01-01T00:00:00Z", alert=dict(severity="high"))), owner="Network")
    assert one["title"] == "Remediate exposure RDP at 192.0.2.1:3389" and one["owner"] == "Network"
    for text in (
        "it is seen.",
        "Exposure: 231:Rdp:s",
        "Severity: high",
        "Open since: 2026-01-01T00:00:00Z",
        samples.RUN,
        one["key"],
    ):
        assert text in one["text"]
    assert tickets(verification(target(owner="Ada\nByron")), owner="Network")[0]["owner"] == "Ada Byron"


def test_the_key_is_the_same_in_every_run_and_for_nothing_else():
    (one,) = tickets(verification(target()))
    changed = target("remediated", reason="gone", system="https://elsewhere", owner="x")
    (again,) = tickets(verification(dict(changed, name="another name"), run="20270101T000000Z"))
    assert again["key"] == one["key"] and again["state"] == "close"
    others = [target(target_id="231:Rdp:t"), target(kind="campaign"), target(target_id="23"), target(target_id="1:Rdp:s")]
    keys = {ticket["key"] for ticket in tickets(verification(*others))} | {tickets(verification(target()), "acme")[0]["key"]}
    assert len(keys | {one["key"]}) == 6 and all(re.fullmatch("secops-[0-9a-f]{24}", key) for key in keys)


def test_what_is_there_twice_is_closed_only_if_it_is_gone_both_times():
    for targets in ([target(), target("remediated")], [target("remediated"), target()]):
        assert [one["state"] for one in tickets(verification(*targets))] == ["open"]


@pytest.mark.parametrize(
    "twin",
    [
        target("inconclusive"),
        target("pending"),
        target(accepted=dict(by="Ada", until="2027-01-01", reason="x")),
    ],
)
def test_what_is_there_twice_and_once_without_an_answer_is_not_closed(twin):
    for targets in ([twin, target("remediated")], [target("remediated"), twin]):
        assert tickets(verification(*targets)) == []


def test_what_an_owner_accepts_has_none_while_it_is_open():
    accepted = dict(accepted=dict(by="Ada", until="2027-01-01", reason="x"))
    assert [one["state"] for one in tickets(verification(target(**accepted), target("remediated", "5:R:s", **accepted)))] == [
        "close"
    ]


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "{}",
        {},
        dict(verification(target()), schema_version="2.0"),
        dict(verification(target()), run=""),
        verification(target(), targets={}),
        verification(target("fixed")),
        verification(target(None)),
        verification(target(), "text"),
        dict(verdict="verified", counts={}, targets=[target()], targets_left_out=5, run=samples.RUN),
    ],
)
def test_what_is_no_whole_verification_is_an_error_and_not_nothing(given):
    with pytest.raises(AnsibleFilterError, match="^tickets: "):
        tickets(given)


def test_nothing_that_somebody_wrote_is_a_template_or_more_than_a_line():
    hostile = "{{ lookup('pipe', 'id') }}{% x %}{# y #}{{{\n\x1b\u202e"
    for outcome in ("remediated", "unremediated"):
        texts = dict(name=hostile, reason=hostile, owner=hostile, alert=dict(severity=hostile))
        (one,) = tickets(verification(target(outcome, hostile, **texts), run=hostile))
        for name in ("title", "text", "owner", "id"):
            assert not re.search(r"\{[{%#]|\x1b|\u202e", one[name]), one[name]
        assert "\n" not in one["title"] and len(one["title"]) <= 150
    assert len(tickets(verification(target(target_id="x" * 5000)))[0]["text"]) < 5000


def test_a_kind_that_nobody_knows_has_one_too():
    (one,) = tickets(verification(target(kind="door")))
    assert one["state"] == "open" and "door" in one["title"]


def test_it_changes_nothing_that_it_is_given():
    given = verification(target(), target("remediated", "5:R:s"))
    before = copy.deepcopy(given)
    tickets(given)
    assert given == before
