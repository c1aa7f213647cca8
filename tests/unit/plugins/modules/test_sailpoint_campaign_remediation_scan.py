# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

from two_systems import NOBODY, ONE, OTHER

from ansible_collections.secops.remediation.plugins.modules import sailpoint_campaign_remediation_scan as module

NOW = dict(wait=True, wait_interval=1, wait_timeout=30)


def test_scans_in_the_order_of_the_campaigns(ask, started):
    result = ask(module, campaign_ids=[OTHER, ONE, OTHER], **NOW)
    assert [(scan["campaign_id"], scan["status"]) for scan in result["scans"]] == [
        (one, "finished") for one in (OTHER, ONE, OTHER)
    ]
    assert result["changed"] and all(scan["changed"] for scan in result["scans"])
    assert started() == ["run_scan"] * 2


def test_check_mode_starts_nothing_and_says_what_would_be(ask, started, tmp_path):
    ledger = tmp_path / "ledger.json"
    result = ask(module, True, campaign_ids=[ONE, OTHER], ledger=str(ledger), **NOW)
    assert [(scan["campaign_id"], scan["status"]) for scan in result["scans"]] == [(ONE, "requested"), (OTHER, "requested")]
    assert result["changed"]
    assert started() == [] and not ledger.exists()


def test_one_that_fails_does_not_stop_the_others(ask, started):
    result = ask(module, campaign_ids=[NOBODY, ONE], **NOW)
    assert result["failed"] and result["msg"].startswith("1 of 2 scans failed: campaign %s: no campaign has the id" % NOBODY)
    assert [(scan["campaign_id"], scan["status"], "error" in scan) for scan in result["scans"]] == [
        (NOBODY, None, True),
        (ONE, "finished", False),
    ]
    assert result["changed"] and started() == ["run_scan"]


def test_a_scan_of_the_ledger_is_not_started_again(ask, started, tmp_path):
    options = dict(campaign_ids=[ONE], ledger=str(tmp_path / "ledger.json"), **NOW)
    first, second = ask(module, **options), ask(module, **options)
    assert started() == ["run_scan"]
    assert (first["changed"], second["changed"]) == (True, False)
    assert second["scans"][0]["requested_at"] == first["scans"][0]["requested_at"]


def test_nothing_is_started_where_nothing_may_be(ask, started):
    result = ask(module, campaign_ids=[ONE], start=False)
    assert result["failed"] and "no scan of this campaign is known" in result["msg"]
    assert started() == [] and not result["changed"]


def test_what_is_too_much_goes_to_a_file(ask, tmp_path):
    path = tmp_path / "scans.json"
    result = ask(module, campaign_ids=[ONE], results_file=str(path), **NOW)
    assert [set(scan) for scan in result["scans"]] == [{"campaign_id", "status", "modified"}]
    assert json.loads(path.read_text())["scans"][0]["answers"]


def test_a_wait_that_makes_no_sense(ask, started):
    result = ask(module, campaign_ids=[ONE], wait=True, wait_interval=-1)
    assert result["failed"] and "wait_interval" in result["msg"] and started() == []
