# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from scripted_server import Reply
from two_systems import LOOKED_UP

from ansible_collections.secops.remediation.plugins.modules import xpanse_alert_info as module

ALERT = LOOKED_UP["alert_internal_id"]
OF_ALERT = {name: str(value) for name, value in LOOKED_UP.items()}


def replying(systems, change):
    """Lets the systems answer with other alerts: change(alerts) returns what they say instead."""

    def bend(operation, number, reply, before):
        if operation != "get_alerts":
            return reply
        alerts = change(reply.json["reply"]["alerts"])
        return Reply(json={"reply": dict(total_count=len(alerts), result_count=len(alerts), alerts=alerts)})

    systems.bend = bend


@pytest.mark.parametrize("check_mode", [False, True])
def test_alerts_and_what_can_be_scanned_of_them(ask, started, check_mode):
    result = ask(module, check_mode, alert_ids=[ALERT])
    assert (result["changed"], result["total"], result["truncated"], result["unscannable"]) == (False, 1, False, [])
    assert [alert["alert_id"] for alert in result["alerts"]] == [str(ALERT)]
    assert [{name: str(target[name]) for name in OF_ALERT} for target in result["rcs_targets"]] == [OF_ALERT]
    assert started() == [] and len(result["requests"]) == 1


def test_an_alert_that_nobody_knows_is_said_beside_the_others(ask):
    result = ask(module, alert_ids=[ALERT, 9])
    assert not result.get("failed") and len(result["rcs_targets"]) == 1
    assert result["unscannable"] == [dict(alert_id="9", reason="no alert has this id and meets the other conditions")]


def test_an_alert_that_cannot_be_scanned_does_not_stop_the_others(ask, systems):
    replying(systems, lambda alerts: [*alerts, dict(alerts[0], alert_id="7", attack_surface_rule_id=None)])
    result = ask(module, alert_ids=[ALERT, 7])
    assert len(result["alerts"]) == 2 and len(result["rcs_targets"]) == 1
    assert [one["alert_id"] for one in result["unscannable"]] == ["7"]


def test_a_failure_keeps_what_was_read_before_it(ask, systems):
    def bend(operation, number, reply, before):
        return reply if (operation, number) != ("get_alerts", 1) else Reply(403, json={"reply": {"err_code": 403}})

    systems.bend = bend
    result = ask(module, alert_ids=[ALERT, *range(1000, 1100)])
    assert result["failed"] and "HTTP 403" in result["msg"]
    assert [alert["alert_id"] for alert in result["alerts"]] == [str(ALERT)]
    assert [request["status"] for request in result["requests"]] == [200, 403]


@pytest.mark.parametrize("option", ["alert_ids", "case_ids", "statuses", "severities", "rule_names"])
def test_nothing_is_asked_where_nothing_is_wanted(ask, systems, option):
    result = ask(module, **{option: []})
    assert result["alerts"] == result["rcs_targets"] == result["unscannable"] == [] and systems.said == []


def test_conditions_are_sent(ask, systems):
    ask(module, severities=["high"], statuses=["new"], rule_names=["Telnet"])
    filters = systems.requests[-1].json["request_data"]["filters"]
    assert {one["field"]: one["value"] for one in filters} == {
        "alert_source": ["ASM"],
        "severity": ["high"],
        "status": ["new"],
        "attack_surface_rule_name": ["Telnet"],
    }


def test_a_case_whose_alerts_are_there(ask):
    result = ask(module, case_ids=[71])
    assert result["cases_with_alerts"] == [71]


def test_a_limit_of_nothing(ask, systems):
    result = ask(module, limit=0)
    assert result["failed"] and result["msg"] == "limit must be 1 or more" and systems.said == []


def test_what_is_too_much_goes_to_a_file(ask, tmp_path):
    path = tmp_path / "alerts.json"
    result = ask(module, alert_ids=[ALERT], results_file=str(path))
    assert "alerts" not in result and result["counts"]["rcs_targets"] == 1
    assert len(json.loads(path.read_text())["rcs_targets"]) == 1
