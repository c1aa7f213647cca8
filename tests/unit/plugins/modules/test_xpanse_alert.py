# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Alerts that are read, written, and read again, and everything that may happen in between."""

from __future__ import annotations

import pytest
from scripted_server import Reply, ScriptedServer
from two_systems import KEY, call

from ansible_collections.secops.remediation.plugins.modules import xpanse_alert as module

SHOWN = dict(new="STATUS_010_NEW", reopened="STATUS_230_REOPENED", resolved="STATUS_070_RESOLVED_OTHER")
CHANGED_AT = 1_763_800_000_000
READ, WRITE = "get_alerts_multi_events", "update_alerts"


class Tenant(ScriptedServer):
    """Alerts that can be read and updated.

    bend(operation, number, reply): may give another answer, or change the alerts, once the answer is known; number counts
    the calls of an operation from 0. refuse: an id for which an update is refused as a whole.
    """

    def __init__(self, count=3):
        self.alerts = {str(number): alert(number) for number in range(1, count + 1)}
        self.bend = lambda operation, number, reply: reply
        self.refuse = self.append = None
        self.calls = []
        super().__init__()

    def take(self, received):
        """The reply to any request."""
        with self.lock:
            operation = received.path.strip("/").rpartition("/")[2]
            number = sum(one == operation for one, _data in self.calls)
            data = received.json["request_data"]
            self.calls.append((operation, data))
            reply = self.read(data) if operation == READ else self.write(data)
            return self.bend(operation, number, reply)

    def read(self, data):
        """The alerts that are asked for."""
        ids = next(one["value"] for one in data["filters"] if one["field"] == "alert_id_list")
        found = [dict(self.alerts[str(one)]) for one in ids if str(one) in self.alerts]
        return Reply(json={"reply": {"total_count": len(found), "result_count": len(found), "alerts": found}})

    def write(self, data):
        """What an update does."""
        if self.refuse in data["alert_id_list"]:
            return Reply(400, json={"reply": {"err_code": 400, "err_msg": "one of them cannot be updated"}})
        changes = data["update_data"]
        for alert_id in data["alert_id_list"]:
            one = self.alerts[alert_id]
            one["resolution_status"] = SHOWN.get(changes.get("status"), one["resolution_status"])
            before = one["resolution_comment"] if self.append else None
            if changes.get("comment"):
                one["resolution_comment"] = "\n".join(filter(None, [before, changes["comment"]]))
            one["last_modified_ts"] += 1000
        return Reply(json={"reply": {"alerts_ids": [int(one) for one in data["alert_id_list"]]}})

    def of(self, operation):
        """What was sent with each call of an operation."""
        return [data for one, data in self.calls if one == operation]

    def check(self):
        """Whatever is asked is answered here."""


def alert(number, status="STATUS_010_NEW"):
    """An alert as the API shows it."""
    return dict(
        alert_id=str(number),
        resolution_status=status,
        resolution_comment=None,
        attack_surface_rule_id="RdpServer",
        service_ids=["service-%d" % number],
        local_insert_ts=CHANGED_AT - 10_000,
        last_modified_ts=CHANGED_AT,
    )


@pytest.fixture
def tenant():
    """A tenant with three new alerts."""
    tenant = Tenant()
    yield tenant
    tenant.stop()


@pytest.fixture
def ask(tenant):
    """Runs the module: ask(check_mode, option=value)."""

    def ask(check_mode=False, **params):
        options = dict(base_url=tenant.url, api_key_id="1", api_key=KEY, retry_timeout=0, request_timeout=5)
        return call(module, dict(options, **params), check_mode)

    return ask


def after(result):
    """By their ids, the status that the alerts have afterwards."""
    return {one["alert_id"]: one["after"] and one["after"]["status"] for one in result["alerts"]}


class TestWhatIsWritten:
    def test_status_and_comment_of_several_go_with_one_request(self, ask, tenant):
        result = ask(alert_ids=["3", "1"], status="resolved", comment="Gone.")
        assert not result.get("failed") and result["changed"]
        assert tenant.of(WRITE) == [
            dict(alert_id_list=["3", "1"], update_data=dict(status="resolved", comment="Gone.")),
        ]
        assert [one["alert_id"] for one in result["alerts"]] == ["3", "1"]
        assert result["alerts"][0] == dict(
            alert_id="3", changed=True, before=dict(status="new", comment=""), after=dict(status="resolved", comment="Gone.")
        )
        assert [one["path"].strip("/").rpartition("/")[2] for one in result["requests"]] == [READ, WRITE, READ]

    @pytest.mark.parametrize("append", [False, True])
    def test_what_is_so_already_is_not_written(self, ask, tenant, append):
        tenant.append = append
        tenant.alerts["1"]["resolution_comment"] = "An analyst was here."
        wish = dict(alert_ids=["1"], status="resolved", comment="Gone.\nSince today.")
        assert ask(**wish)["changed"] and len(tenant.of(WRITE)) == 1
        again = ask(**wish)
        assert not again.get("failed") and not again["changed"] and len(tenant.of(WRITE)) == 1
        assert again["diff"] == [] and again["alerts"][0]["before"] == again["alerts"][0]["after"]

    def test_only_what_differs_is_sent(self, ask, tenant):
        tenant.alerts["1"]["resolution_status"] = SHOWN["resolved"]
        ask(alert_ids=["1"], status="resolved", comment="Gone.")
        assert tenant.of(WRITE)[0]["update_data"] == dict(comment="Gone.")
        tenant.alerts["2"]["resolution_comment"] = "Gone."
        ask(alert_ids=["2"], status="resolved", comment="Gone.")
        assert tenant.of(WRITE)[1]["update_data"] == dict(status="resolved")

    def test_a_comment_that_is_part_of_a_line_is_not_there(self, ask, tenant):
        tenant.alerts["1"]["resolution_comment"] = "It is not Gone."
        assert ask(alert_ids=["1"], comment="Gone.")["changed"]

    def test_no_request_updates_more_than_a_hundred(self, ask, tenant):
        tenant.alerts = {str(number): alert(number) for number in range(1, 251)}
        result = ask(alert_ids=list(tenant.alerts), status="resolved")
        assert not result.get("failed") and set(after(result).values()) == {"resolved"}
        assert sorted(len(one["alert_id_list"]) for one in tenant.of(WRITE)) == [50, 100, 100]

    def test_those_that_become_the_same_go_together(self, ask, tenant):
        wishes = [
            dict(alert_id="1", status="resolved"),
            dict(alert_id="2", status="reopened"),
            dict(alert_id="3", status="resolved"),
        ]
        ask(alerts=wishes)
        assert sorted(one["alert_id_list"] for one in tenant.of(WRITE)) == [["1", "3"], ["2"]]

    def test_in_check_mode_nothing_is_sent_and_all_is_said(self, ask, tenant):
        result = ask(True, alert_ids=["1", "2"], status="resolved", comment="Gone.")
        assert result["changed"] and tenant.of(WRITE) == []
        assert after(result) == {"1": "resolved", "2": "resolved"}
        assert result["diff"][0] == dict(
            before_header="alert 1",
            after_header="alert 1",
            before=dict(status="new", comment=""),
            after=dict(status="resolved", comment="Gone."),
        )

    def test_the_same_alert_twice(self, ask, tenant):
        result = ask(alert_ids=["1", "01"], status="resolved")
        assert [one["alert_id"] for one in result["alerts"]] == ["1", "1"] and len(tenant.of(WRITE)) == 1


class TestWhatIsLeft:
    """A condition that does not hold is no failure, and nothing is written."""

    @pytest.mark.parametrize(
        "condition, change, reason",
        [
            (dict(only_from=["new"]), dict(resolution_status="STATUS_230_REOPENED"), "its status is reopened, and not new"),
            (dict(only_from=["new"]), dict(resolution_status=7), "its status is unknown"),
            (dict(only_from=["new"]), dict(resolution_status=None), "its status is unknown"),
            (dict(unchanged_since=str(CHANGED_AT)), dict(last_modified_ts=CHANGED_AT + 1), "it was changed at"),
            (dict(unchanged_since="2025-11-22T08:00:00Z"), {}, "it was changed at"),
            (dict(unchanged_since=str(CHANGED_AT)), dict(last_modified_ts=None), "in a way that can be read"),
            (dict(unchanged_since=str(CHANGED_AT)), dict(last_modified_ts=1), "in a way that can be read"),
            (dict(attack_surface_rule_id="SshServer"), {}, "its attack surface rule is RdpServer"),
            (dict(attack_surface_rule_id="RdpServer"), dict(attack_surface_rule_id=None), "its attack surface rule is not told"),
            (dict(service_ids=["service-1"]), dict(service_ids=["service-1", "another"]), "another service, another"),
            (dict(service_ids=["service-1"]), dict(service_ids=["service-1", {}]), "another service, one without an id"),
            (dict(service_ids=["service-1"]), dict(service_ids=[]), "does not say which service"),
            (dict(service_ids=["service-1"]), dict(service_ids=7), "does not say which service"),
            (dict(service_ids=[]), {}, "another service, service-1"),
        ],
    )
    def test_an_alert_of_which_a_condition_does_not_hold(self, ask, tenant, condition, change, reason):
        tenant.alerts["1"].update(change)
        result = ask(alerts=[dict(condition, alert_id="1", status="resolved"), dict(alert_id="2", status="resolved")])
        assert not result.get("failed") and reason in result["alerts"][0]["left"]
        assert not result["alerts"][0]["changed"] and result["alerts"][1]["changed"]
        assert [one["alert_id_list"] for one in tenant.of(WRITE)] == [["2"]]

    def test_all_conditions_that_hold(self, ask):
        wish = dict(
            alert_id="1",
            status="resolved",
            only_from=["new", "reopened"],
            unchanged_since=str(CHANGED_AT),
            attack_surface_rule_id="RdpServer",
            service_ids=["service-1", "service-2"],
        )
        assert ask(alerts=[wish])["changed"]

    def test_what_is_so_already_needs_no_condition(self, ask, tenant):
        tenant.alerts["1"]["resolution_status"] = SHOWN["resolved"]
        result = ask(alerts=[dict(alert_id="1", status="resolved", only_from=["new"], comment="Gone.")])
        assert "left" not in result["alerts"][0] and not result["changed"] and tenant.of(WRITE) == []

    @pytest.mark.parametrize("only_from", [None, ["new", "resolved"]])
    def test_a_comment_alone(self, ask, tenant, only_from):
        tenant.alerts["1"]["resolution_status"] = SHOWN["resolved"]
        ask(alerts=[dict(alert_id="1", status="resolved", only_from=only_from, comment="Gone.")])
        assert [one["update_data"] for one in tenant.of(WRITE)] == [dict(comment="Gone.")]


class TestWhatFails:
    """It costs no other alert its answer."""

    def test_an_id_that_nobody_knows(self, ask, tenant):
        result = ask(alert_ids=["1", "9"], status="resolved")
        assert result["failed"] and "1 of 2 alerts failed: alert 9: no alert has this id" in result["msg"]
        assert after(result) == {"1": "resolved", "9": None} and result["changed"]

    @pytest.mark.parametrize(
        "wish, problem",
        [
            (dict(alert_id="-4", status="resolved"), "is no number"),
            (dict(alert_id="1 or 2", status="resolved"), "is no number"),
            (dict(alert_id="1", comment=" "), "neither a status nor a comment"),
            (dict(alert_id="1", status="resolved", unchanged_since="today"), "is not a time"),
        ],
    )
    def test_a_wish_that_makes_no_sense(self, ask, wish, problem):
        result = ask(alerts=[wish, dict(alert_id="2", status="resolved")])
        assert result["failed"] and problem in result["alerts"][0]["error"] and result["alerts"][1]["changed"]

    def test_an_alert_that_is_to_be_two_things(self, ask, tenant):
        result = ask(alerts=[dict(alert_id="1", status="resolved"), dict(alert_id="1", status="reopened")])
        assert result["failed"] and tenant.of(WRITE) == [] and "two different things" in result["msg"]

    def test_one_that_is_refused_does_not_cost_the_others_theirs(self, ask, tenant):
        tenant.refuse = "2"
        result = ask(alert_ids=["1", "2", "3"], status="resolved")
        assert result["failed"] and "one of them cannot be updated" in result["alerts"][1]["error"]
        assert after(result) == {"1": "resolved", "2": "new", "3": "resolved"}
        assert [one["changed"] for one in result["alerts"]] == [True, False, True]

    def test_one_that_the_answer_does_not_name(self, ask, tenant):
        tenant.bend = lambda operation, number, reply: Reply(json={"reply": {"alerts_ids": [1]}}) if operation == WRITE else reply
        result = ask(alert_ids=["1", "2"], status="resolved")
        assert result["failed"] and result["alerts"][1]["error"] == "the answer to the update does not name it"
        assert "error" not in result["alerts"][0]

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(json={"reply": {"alerts_ids": True}}),
            Reply(json={"reply": True}),
            Reply(json={"reply": {"err_code": 500, "err_msg": "failed"}}),
            Reply(body="<html>Sign in</html>", headers={"Content-Type": "text/html"}),
            Reply(202, json={"reply": {"alerts_ids": [1, 2, 3]}}),
        ],
    )
    def test_an_answer_that_is_none(self, ask, tenant, reply):
        tenant.bend = lambda operation, number, honest: reply if operation == WRITE else honest
        result = ask(alert_ids=["1"], status="resolved")
        assert result["failed"] and "error" in result["alerts"][0]

    @pytest.mark.parametrize("reply", [Reply(drop=True), Reply(503, json={})])
    def test_what_may_have_been_carried_out_is_sent_once_and_read_again(self, ask, tenant, reply):
        tenant.bend = lambda operation, number, honest: reply if operation == WRITE else honest
        result = ask(alert_ids=["1"], status="resolved", retry_timeout=5)
        assert result["failed"] and len(tenant.of(WRITE)) == 1
        # What it became is known, and why the task failed as well.
        assert result["alerts"][0]["after"]["status"] == "resolved" and result["changed"]

    def test_a_limit_is_waited_out(self, ask, tenant, quick_back_off):
        def bend(operation, number, reply):
            return Reply(429, json={}) if operation == READ and number == 0 else reply

        tenant.bend = bend
        assert not ask(alert_ids=["1"], status="resolved", retry_timeout=5).get("failed")

    def test_a_status_that_changed_meanwhile_is_told(self, ask, tenant):
        def bend(operation, number, reply):
            if operation == WRITE:
                tenant.alerts["1"]["resolution_status"] = SHOWN["reopened"]
            return reply

        tenant.bend = bend
        result = ask(alert_ids=["1", "2"], status="resolved")
        assert result["failed"] and result["alerts"][0]["error"] == "it was set to resolved, and its status is reopened now"
        assert after(result) == {"1": "reopened", "2": "resolved"}

    def test_a_comment_that_does_not_show(self, ask, tenant):
        def bend(operation, number, reply):
            tenant.alerts["1"]["resolution_comment"] = None
            return reply

        tenant.bend = bend
        result = ask(alert_ids=["1"], status="resolved", comment="Gone.")
        assert result["failed"] and "does not show the comment" in result["msg"]

    def test_an_alert_that_cannot_be_read_again(self, ask, tenant):
        tenant.bend = lambda operation, number, reply: Reply(403, json={}) if (operation, number) == (READ, 1) else reply
        result = ask(alert_ids=["1"], status="resolved")
        assert result["failed"] and "it was updated, and cannot be read again" in result["msg"]
        assert result["changed"] and result["alerts"][0]["after"] is None

    def test_alerts_that_cannot_be_read_are_not_written(self, ask, tenant):
        tenant.bend = lambda operation, number, reply: Reply(403, json={})
        result = ask(alert_ids=["1", "2"], status="resolved")
        assert result["failed"] and tenant.of(WRITE) == [] and not result["changed"]
        assert all("HTTP 403" in one["error"] for one in result["alerts"])

    def test_an_alert_that_is_listed_twice(self, ask, tenant):
        def bend(operation, number, reply):
            alerts = [alert(1), alert(1, SHOWN["resolved"]), alert(2)]
            return Reply(json={"reply": {"total_count": 3, "result_count": 3, "alerts": alerts}}) if operation == READ else reply

        tenant.bend = bend
        result = ask(alert_ids=["1", "2"], status="resolved")
        assert "the API listed it twice" in result["alerts"][0]["error"]
        assert [one["alert_id_list"] for one in tenant.of(WRITE)] == [["2"]]

    def test_alerts_that_were_left_out(self, ask, tenant):
        def bend(operation, number, reply):
            return (
                Reply(json={"reply": {"total_count": 2, "result_count": 1, "alerts": [alert(1)]}}) if operation == READ else reply
            )

        tenant.bend = bend
        result = ask(True, alert_ids=["1", "2"], status="resolved")
        assert "the API left alerts out" in result["alerts"][1]["error"]

    def test_a_time_that_is_over(self, ask, tenant):
        # Of no time there is one look, and after it nothing is written.
        result = ask(alert_ids=["1"], status="resolved", wait_timeout=0)
        assert result["failed"] and "did not finish within wait_timeout" in result["msg"]
        assert tenant.of(WRITE) == [] and not result["changed"] and result["alerts"][0]["after"] is None
