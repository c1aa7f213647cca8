# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json

import pytest
from two_systems import NOBODY, ONE, OTHER, ROWS, report_text

from ansible_collections.secops.remediation.plugins.modules import sailpoint_campaign_report as module

NOW = dict(wait=True, wait_interval=1, wait_timeout=30)
TYPE = "CAMPAIGN_REMEDIATION_STATUS_REPORT"


def test_reports_in_the_order_of_the_campaigns(ask, started, tmp_path):
    result = ask(module, campaign_ids=[OTHER, ONE, OTHER], dest=str(tmp_path / "reports"), **NOW)
    assert [(report["campaign_id"], report["status"]) for report in result["reports"]] == [
        (one, "finished") for one in (OTHER, ONE, OTHER)
    ]
    assert result["changed"] and started() == ["run_report"] * 2
    for report in result["reports"]:
        content = (tmp_path / "reports" / ("%s-%s.csv" % (report["campaign_id"], TYPE))).read_bytes()
        assert content.decode() == report_text(ROWS)
        assert report["sha256"] == hashlib.sha256(content).hexdigest()


def test_check_mode_runs_and_writes_nothing(ask, started, tmp_path):
    result = ask(module, True, campaign_ids=[ONE], dest=str(tmp_path / "reports"), **NOW)
    assert result["changed"] and started() == []
    assert not (tmp_path / "reports").exists() and not result["reports"][0].get("path")


def test_one_that_fails_does_not_stop_the_others(ask, tmp_path):
    result = ask(module, campaign_ids=[NOBODY, ONE], dest=str(tmp_path), **NOW)
    assert result["failed"] and result["msg"].startswith("1 of 2 reports failed: campaign %s" % NOBODY)
    assert [(report["campaign_id"], report["status"], "error" in report) for report in result["reports"]] == [
        (NOBODY, None, True),
        (ONE, "finished", False),
    ]


def test_one_that_is_new_enough_is_taken_again(ask, started):
    first, second = ask(module, campaign_ids=[ONE], **NOW), ask(module, campaign_ids=[ONE], **NOW)
    assert started() == ["run_report"]
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["reports"][0]["report"] == second["reports"][0]["report"]
    third = ask(module, campaign_ids=[ONE], newer_than={ONE: second["reports"][0]["report"]["lastRunAt"]}, **NOW)
    assert third["changed"] and started() == ["run_report"] * 2


def test_a_campaign_without_a_time_takes_no_old_report(ask, started):
    result = ask(module, campaign_ids=[ONE, OTHER], newer_than={ONE: "2026-01-01T00:00:00Z"})
    assert result["failed"] and "newer_than has no time for %s" % OTHER in result["msg"] and started() == []


def test_a_time_that_is_none(ask, started):
    result = ask(module, campaign_ids=[ONE], newer_than="yesterday")
    assert result["failed"] and "'yesterday' is not a time" in result["msg"] and started() == []


@pytest.mark.parametrize("ids", [("a/b", "a_b"), ("a b", "a_b"), ("../x", "___x")])
def test_no_two_campaigns_share_a_file(ids):
    names = [module.file_name(one, dict(type=TYPE, format="csv")) for one in ids]
    assert len(set(names)) == 2 and not any("/" in name for name in names)


def test_a_folder_that_cannot_be(ask, started, tmp_path):
    (tmp_path / "file").write_text("x")
    result = ask(module, campaign_ids=[ONE], dest=str(tmp_path / "file" / "reports"))
    assert result["failed"] and "No report was run" in result["msg"] and started() == []


def test_what_is_too_much_goes_to_a_file(ask, tmp_path):
    path = tmp_path / "reports.json"
    result = ask(module, campaign_ids=[ONE], dest=str(tmp_path), results_file=str(path), **NOW)
    assert [set(report) for report in result["reports"]] == [{"campaign_id", "status", "path"}]
    assert json.loads(path.read_text())["reports"][0]["sha256"]
