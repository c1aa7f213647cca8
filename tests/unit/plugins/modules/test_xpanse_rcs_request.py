# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from scripted_server import Reply
from two_systems import LOOKED_UP, NAMED

from ansible_collections.secops.remediation.plugins.modules import xpanse_alert_info
from ansible_collections.secops.remediation.plugins.modules import xpanse_rcs_request as module

NOW = dict(wait=True, wait_interval=1, wait_timeout=30)
WRONG = dict(NAMED, alert_internal_id=-4)


def short(result):
    """What the answers are in short: (alert, outcome, whether there is an error)."""
    return [(str(one["alert_internal_id"]), one["outcome"], "error" in one) for one in result["rcs_requests"]]


def test_answers_in_the_order_of_the_requests(ask, started):
    result = ask(module, requests=[LOOKED_UP, NAMED, LOOKED_UP], **NOW)
    assert short(result) == [("231", "remediated", False), ("98", "remediated", False), ("231", "remediated", False)]
    assert result["changed"] and started() == ["get_or_create"] * 2


def test_check_mode_starts_nothing_and_says_what_would_be(ask, started, tmp_path):
    ledger = tmp_path / "ledger.json"
    result = ask(module, True, requests=[NAMED], ledger=str(ledger), **NOW)
    assert short(result) == [("98", "pending", False)] and result["rcs_requests"][0]["created"]
    assert result["changed"] and started() == [] and not ledger.exists()


def test_one_that_fails_does_not_stop_the_others(ask, started):
    result = ask(module, requests=[WRONG, NAMED], **NOW)
    assert result["failed"] and result["msg"].startswith("1 of 2 scans failed: alert -4, ")
    assert [one["outcome"] for one in result["rcs_requests"]] == ["inconclusive", "remediated"]
    assert result["rcs_requests"][0]["error"] == "alert_internal_id -4 is negative"
    assert result["changed"] and started() == ["get_or_create"]


def test_a_scan_of_the_ledger_is_not_started_again(ask, started, tmp_path):
    options = dict(requests=[NAMED], ledger=str(tmp_path / "ledger.json"), **NOW)
    first, second = ask(module, **options), ask(module, **options)
    assert started() == ["get_or_create"]
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["rcs_requests"][0]["scan_id"] == first["rcs_requests"][0]["scan_id"]


def test_nothing_is_started_where_nothing_may_be(ask, started):
    result = ask(module, requests=[NAMED], start=False)
    assert result["failed"] and "no scan of this exposure is known" in result["msg"] and started() == []


def test_a_scan_that_two_exposures_share_is_nobodys(ask, systems):
    def bend(operation, number, reply, before):
        return before if operation == "get_or_create" and before else reply

    systems.bend = bend
    result = ask(module, requests=[NAMED, LOOKED_UP], concurrency=1, **NOW)
    assert result["failed"] and "named the same scan" in result["msg"]
    assert {one["outcome"] for one in result["rcs_requests"]} == {"inconclusive"}


def test_the_targets_of_alerts_come_from_a_file(ask, tmp_path):
    path = tmp_path / "alerts.json"
    ask(xpanse_alert_info, alert_ids=[LOOKED_UP["alert_internal_id"]], results_file=str(path))
    result = ask(module, requests_files=[str(path)], **NOW)
    assert short(result) == [("231", "remediated", False)]


@pytest.mark.parametrize("text", ["", "{}", "[]", "7", '{"rcs_targets": 7}'])
def test_a_file_that_is_none(ask, started, tmp_path, text):
    path = tmp_path / "alerts.json"
    path.write_text(text)
    result = ask(module, requests_files=[str(path)])
    assert result["failed"] and "is no result of xpanse_alert_info" in result["msg"] and started() == []


def test_a_scan_is_looked_at_by_its_id(ask, started):
    scan_id = ask(module, requests=[NAMED], **NOW)["rcs_requests"][0]["scan_id"]
    result = ask(module, requests=[dict(scan_id=scan_id)], **NOW)
    assert [one["outcome"] for one in result["rcs_requests"]] == ["remediated"]
    assert not result["changed"] and started() == ["get_or_create"]


def test_one_that_goes_on_is_pending(ask, systems):
    def bend(operation, number, reply, before):
        return Reply(json={"reply": {"status": "IN_PROGRESS"}}) if operation == "get_scan" else reply

    systems.bend = bend
    result = ask(module, requests=[NAMED], wait=True, wait_interval=1, wait_timeout=1)
    assert result["failed"] and "did not finish within wait_timeout" in result["msg"]
    assert short(result) == [("98", "pending", False)] and result["rcs_requests"][0]["scan_id"]


def test_what_is_too_much_goes_to_a_file(ask, tmp_path):
    path = tmp_path / "exposures.json"
    result = ask(module, requests=[NAMED], results_file=str(path), **NOW)
    assert "rcs_requests" not in result and result["counts"]["rcs_requests"] == 1
    assert json.loads(path.read_text())["rcs_requests"][0]["outcome"] == "remediated"
