# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from scripted_server import Reply
from two_systems import LOOKED_UP, NAMED

from ansible_collections.secops.remediation.plugins.modules import xpanse_rcs_request, xpanse_rcs_request_info

module = xpanse_rcs_request_info
KEYS = {"scan_id", "status", "result", "outcome", "requests", "answers"}


@pytest.fixture
def scan_ids(ask):
    """The ids of two scans that were started before."""
    answers = ask(xpanse_rcs_request, requests=[NAMED, LOOKED_UP])["rcs_requests"]
    return [answer["scan_id"] for answer in answers]


@pytest.mark.parametrize("check_mode", [False, True])
def test_scans_in_the_order_of_their_ids(ask, started, scan_ids, check_mode):
    before = started()
    result = ask(module, check_mode, scan_ids=[scan_ids[1], scan_ids[0], scan_ids[1]])
    assert [scan["scan_id"] for scan in result["rcs_requests"]] == [scan_ids[1], scan_ids[0], scan_ids[1]]
    assert {scan["outcome"] for scan in result["rcs_requests"]} == {"remediated"}
    assert not result["changed"] and started() == before


def test_one_that_is_given_twice_is_looked_at_once(ask, systems, scan_ids):
    ask(module, scan_ids=[scan_ids[0]] * 3)
    assert [one.operation for one in systems.said].count("get_scan") == 1


def test_one_that_fails_does_not_stop_the_others(ask, scan_ids):
    result = ask(module, scan_ids=["scan-of-nobody", scan_ids[0]])
    assert result["failed"] and "1 of 2 scans failed: scan-of-nobody: no scan has the id" in result["msg"]
    assert [(scan["scan_id"], scan["outcome"], "error" in scan) for scan in result["rcs_requests"]] == [
        ("scan-of-nobody", "inconclusive", True),
        (scan_ids[0], "remediated", False),
    ]


@pytest.mark.parametrize(
    "reply, outcome",
    [
        ({"status": "IN_PROGRESS"}, "pending"),
        ({"status": "SUCCESS", "result": "UNREMEDIATED"}, "unremediated"),
        ({"status": "FAILED_TIMEOUT"}, "inconclusive"),
        ({"status": "A_NEW_WORD"}, "inconclusive"),
        ({"status": "SUCCESS", "result": "A_NEW_WORD"}, "inconclusive"),
    ],
)
def test_what_the_words_of_the_api_mean(ask, systems, scan_ids, reply, outcome):
    systems.bend = lambda operation, number, honest, before: Reply(json={"reply": reply}) if operation == "get_scan" else honest
    (scan,) = ask(module, scan_ids=scan_ids[:1])["rcs_requests"]
    assert scan["outcome"] == outcome and set(scan) <= KEYS
    assert (scan["status"], scan["result"]) == (reply["status"], reply.get("result"))
