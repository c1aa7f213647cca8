# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from scripted_server import Reply
from two_systems import NOBODY, ONE, OTHER, SECRET, call

from ansible_collections.secops.remediation.plugins.modules import sailpoint_campaign_info as module

ROWS = [dict(id=ONE, name="One", status="COMPLETED"), dict(id=OTHER, name="Other", status="ACTIVE")]


@pytest.fixture
def lists(server):
    """A server with a list of campaigns; says what it was asked for."""
    server.on("POST", "/oauth/token", Reply(json={"access_token": "token", "expires_in": 749}))

    def lists(check_mode=False, rows=None, **params):
        server.on("GET", "/campaigns/v1", Reply(json=rows or ROWS, headers={"X-Total-Count": str(len(ROWS))}))
        connection = dict(base_url=server.url, client_id="client", client_secret=SECRET, retry_timeout=0)
        result = call(module, dict(connection, **params), check_mode)
        return result, [request.query for request in server.requests if request.method == "GET"]

    return lists


@pytest.mark.parametrize("check_mode", [False, True])
def test_campaigns_in_the_order_of_their_ids(ask, check_mode):
    result = ask(module, check_mode, campaign_ids=[OTHER, ONE, OTHER])
    assert [campaign["id"] for campaign in result["campaigns"]] == [OTHER, ONE]
    assert (result["changed"], result["missing_ids"], result["total"], result["truncated"]) == (False, [], 2, False)
    assert [(request["method"], request["status"]) for request in result["requests"]] == [("GET", 200)] * 2


def test_an_id_that_nobody_has_is_said_beside_the_others(ask):
    result = ask(module, campaign_ids=[NOBODY, ONE])
    assert not result.get("failed")
    assert [campaign["id"] for campaign in result["campaigns"]] == [ONE]
    assert result["missing_ids"] == [NOBODY]


def test_one_that_fails_does_not_stop_the_others(ask, systems):
    """A list that is refused makes each be read alone."""
    systems.bend = lambda operation, number, reply, before: (
        Reply(400, json={"detailCode": "400.1 Bad request content"})
        if operation == "list_campaigns" or (operation, number) == ("get_campaign", 0)
        else reply
    )
    result = ask(module, campaign_ids=[ONE, OTHER], concurrency=1)
    assert result["failed"] and "1 of 2 campaigns failed: %s" % ONE in result["msg"]
    assert [campaign["id"] for campaign in result["campaigns"]] == [OTHER]
    assert list(result["errors"]) == [ONE] and result["missing_ids"] == []


def test_the_answer_about_another_campaign_is_none(ask, systems):
    def bend(operation, number, reply, before):
        return Reply(json=dict(reply.json, id=OTHER)) if operation == "get_campaign" else reply

    systems.bend = bend
    result = ask(module, campaign_ids=[ONE])
    assert result["failed"] and result["campaigns"] == []
    assert "another campaign" in result["errors"][ONE]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_list(lists, check_mode):
    result, queries = lists(check_mode, statuses=["COMPLETED", "ACTIVE"], name="O", filters='id eq "1"')
    assert result["campaigns"] == ROWS and result["total"] == 2 and not result["truncated"]
    assert len(queries) == 1
    assert all(part in queries[0]["filters"][0] for part in ("COMPLETED", "ACTIVE", 'id eq "1"'))


def test_a_limit_says_that_there_is_more(lists):
    result, queries = lists(limit=1, rows=ROWS[:1])
    assert result["campaigns"] == ROWS[:1] and result["truncated"] and queries[0]["limit"] == ["1"]


def test_no_status_is_no_campaign(lists):
    result, queries = lists(statuses=[])
    assert (result["campaigns"], queries) == ([], [])


def test_a_limit_of_nothing(ask):
    result = ask(module, limit=0)
    assert result["failed"] and result["msg"] == "limit must be 1 or more"


def test_what_is_too_much_goes_to_a_file(ask, tmp_path):
    path = tmp_path / "campaigns.json"
    result = ask(module, campaign_ids=[ONE], results_file=str(path))
    assert [set(campaign) for campaign in result["campaigns"]] == [{"id", "status", "modified"}]
    assert result["campaigns"][0]["id"] == ONE and result["counts"]["campaigns"] == 1
    assert json.loads(path.read_text())["campaigns"][0]["totalCertifications"] == 1
