# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Campaigns as they are now, many with one request: a list is a reading of each that it shows, and never an answer."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from conversations import at, campaign
from scripted_server import Reply

from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import reading
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import CampaignNotFound, SailPointApi
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import campaign_in
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.target import requests_by_campaign
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import requests_in

IDS = ["c%d" % number for number in range(40)]


@pytest.fixture
def readings(server, connection_options):
    """Readings of a server that knows IDS, all of which are wanted."""
    options = connection_options(
        base_url=server.url, client_id=None, client_secret=None, access_token="token-0", api_version="v1", retry_timeout=0
    )
    made = Readings(SailPointApi(options))
    for campaign_id in IDS:
        made.want(campaign_id)
        server.on("GET", "/campaigns/v1/" + campaign_id, Reply(json=dict(campaign(7, campaign_id), alone=True)))
    return made


def wanted_in(received):
    """The ids that a list asks for."""
    return re.findall(r'"([^"]*)"', received.query["filters"][0])


def lists(server, change=lambda shown: shown):
    """Lets the server answer lists. change: what becomes of the honest answer."""
    server.on("GET", "/campaigns/v1", lambda got: Reply(json=change([campaign(5, one) for one in reversed(wanted_in(got))])))


def read_all(readings, ids=IDS, **options):
    """What is read, by the id, and the exchanges on record."""
    records = {campaign_id: [] for campaign_id in ids}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: readings.read(one, records[one], **options), ids))
    return dict(zip(ids, found)), records


def count(server, alone):
    """How many requests were for one campaign, or for a list."""
    return sum((request.path.rstrip("/") != "/campaigns/v1") == alone for request in server.requests)


class TestOneList:
    def test_for_all(self, server, readings):
        lists(server)
        found, records = read_all(readings)
        assert len(server.requests) == 1 and sorted(wanted_in(server.requests[0])) == sorted(IDS)
        assert server.requests[0].query["detail"] == ["FULL"]
        assert found == {campaign_id: campaign(5, campaign_id) for campaign_id in IDS}
        assert all(len(record) == 1 for record in records.values())

    def test_an_answer_on_record_is_small_and_says_that_it_is_cut(self, server, readings):
        lists(server)
        _found, records = read_all(readings)
        (exchange,) = records["c7"]
        assert exchange["body"] == [campaign(5, "c7")] and exchange["cut"] == "to this campaign"
        assert exchange["path"].endswith("filters=id%20in%20%28%22c7%22,…%29") and "c8" not in exchange["path"]
        assert campaign_in(exchange, "c7") == campaign(5, "c7") and campaign_in(exchange, "c8") is None
        # The record of a campaign tells by which request it was looked up.
        looked_up = requests_by_campaign(dict(requests=requests_in(records["c7"] + records["c8"])))
        assert list(looked_up) == ["c7", "c8"] and len(looked_up["c7"]) == 1

    def test_in_parts_as_a_url_allows(self, server, readings):
        lists(server)
        ids = ["%032x" % number for number in range(200)]
        for campaign_id in ids:
            readings.want(campaign_id)
        found, _records = read_all(readings, ids)
        assert set(found) == set(ids) and 3 <= len(server.requests) <= 5
        assert all(len(request.target) < reading.LONGEST_QUERY + 100 for request in server.requests)

    def test_one_alone_is_read_alone(self, server, readings):
        lists(server)
        read_all(readings)
        before = len(server.requests)
        readings.want("c0")
        assert readings.read("c0", [])["alone"] and len(server.requests) == before + 1

    def test_what_was_asked_for_before_it_was_wanted_does_not_count(self, server, readings):
        lists(server)
        readings.read("c0", [])
        readings.want("c1")
        readings.read("c1", [])
        assert count(server, alone=False) == 2

    def test_nor_does_what_was_asked_for_long_ago(self, server, readings, monkeypatch):
        lists(server)
        readings.read("c0", [])
        monkeypatch.setattr(reading, "FRESH_SECONDS", 0.0)
        readings.read("c1", [])
        assert [len(wanted_in(request)) for request in server.requests[:2]] == [40, 39]

    def test_quotes_in_an_id(self, server, readings):
        odd = 'a"b\\c'
        server.on("GET", "/campaigns/v1", Reply(json=[campaign(5, odd), campaign(5, "c1")]))
        readings.want(odd)
        record = []
        assert readings.read(odd, record)["id"] == odd
        assert list(requests_by_campaign(dict(requests=requests_in(record)))) == [odd]


class TestNeverAnAnswer:
    """What a list does not show once, and as young as it was seen before, is read alone."""

    @pytest.mark.parametrize(
        "change",
        [
            lambda shown: [],
            lambda shown: [one for one in shown if one["id"] != "c3"],
            lambda shown: [*shown, campaign(5, "c3")],
            lambda shown: [*shown, campaign(9, "c3")],
            lambda shown: [dict(one, id=None) if one["id"] == "c3" else one for one in shown],
            lambda shown: [{"id": "c3", "status": "COMPLETED"} if one["id"] == "c3" else one for one in shown],
            lambda shown: [[one] if one["id"] == "c3" else one for one in shown],
        ],
    )
    def test_not_shown_shown_twice_or_odd(self, server, readings, change):
        lists(server, change)
        found, records = read_all(readings)
        assert found["c3"]["alone"] and records["c3"][-1]["path"] == "/campaigns/v1/c3?detail=FULL"
        assert all(campaign_in(exchange, "c3") in (None, found["c3"]) for exchange in records["c3"])

    def test_older_than_what_was_seen_before(self, server, readings):
        lists(server)
        found, _records = read_all(readings, ["c1"], not_before=at(6))
        assert found["c1"]["alone"]
        found, _records = read_all(readings, ["c2"], not_before=at(5))
        assert "alone" not in found["c2"]

    def test_one_that_nobody_has(self, server, readings):
        lists(server, lambda shown: [one for one in shown if one["id"] != "gone"])
        server.on("GET", "/campaigns/v1/gone", Reply(404, json={"detailCode": "404"}))
        readings.want("gone")
        with pytest.raises(CampaignNotFound):
            readings.read("gone", [])

    @pytest.mark.parametrize(
        "reply",
        [Reply(400, json={"detailCode": "400.1 Bad"}), Reply(403, json={}), Reply(414), Reply(json={"items": []}), Reply(json=5)],
    )
    def test_a_tenant_without_such_lists(self, server, readings, reply):
        server.on("GET", "/campaigns/v1", reply)
        found, _records = read_all(readings)
        assert all(one["alone"] for one in found.values()) and not readings.together
        # It is asked for once.
        assert count(server, alone=False) == 1 and count(server, alone=True) == len(IDS)

    def test_who_may_only_list_one_by_one(self, server, readings):
        """REPORT_ADMIN, on a tenant whose filter does not take `in`."""

        def listed(received):
            wanted = re.fullmatch(r'id eq "(.*)"', received.query["filters"][0])
            return Reply(json=[campaign(5, wanted[1])], headers={"X-Total-Count": "1"}) if wanted else Reply(400, json={})

        server.on("GET", "/campaigns/v1", listed)
        for campaign_id in IDS:
            server.on("GET", "/campaigns/v1/" + campaign_id, Reply(403, json={}))
        found, _records = read_all(readings)
        assert found == {campaign_id: campaign(5, campaign_id) for campaign_id in IDS}


class TestAnOutage:
    def test_a_list_that_fails_costs_nobody_a_reading(self, server, readings):
        """And it is asked for once, not by each who waited for it."""
        server.on("GET", "/campaigns/v1", Reply(503, json={}))
        found, records = read_all(readings)
        assert all(one["alone"] for one in found.values()) and count(server, alone=False) == 1
        (failed,) = [exchange for record in records.values() for exchange in record if exchange["status"] == 503]
        assert failed["path"].count("%22c") == 1

    def test_the_next_list_is_asked_for_again(self, server, readings):
        server.on("GET", "/campaigns/v1", Reply(503, json={}))
        read_all(readings)
        lists(server)
        for campaign_id in IDS:
            readings.want(campaign_id)
        found, _records = read_all(readings)
        assert not any("alone" in one for one in found.values()) and count(server, alone=False) == 2

    def test_lists_that_never_come_are_done_without(self, server, readings):
        server.on("GET", "/campaigns/v1", Reply(503, json={}))
        for _round in range(reading.MOST_FAILURES + 2):
            assert readings.read("c0", [])["alone"]
            readings.want("c0")
        assert not readings.together and count(server, alone=False) == reading.MOST_FAILURES

    def test_where_nobody_answers_the_failure_is_that_of_the_campaign(self, server, readings):
        server.on("GET", "/campaigns/v1", Reply(503, json={}))
        server.on("GET", "/campaigns/v1/c0", Reply(503, json={}))
        with pytest.raises(HttpError) as caught:
            readings.read("c0", [])
        assert caught.value.passing and caught.value.path == "/campaigns/v1/c0"


class TestGathering:
    def test_it_is_time_when_nobody_else_can_come_or_after_a_while(self, readings, monkeypatch):
        assert readings.is_shared("c0", len(IDS)) and not readings.is_shared("c0", len(IDS) + 1)
        monkeypatch.setattr(reading, "PATIENCE", 0.0)
        assert readings.is_shared("c0", len(IDS) + 1)

    def test_and_at_once_where_there_are_no_lists(self, server, readings):
        server.on("GET", "/campaigns/v1", Reply(400, json={}))
        read_all(readings)
        readings.want("c0")
        assert readings.is_shared("c0", 100)
