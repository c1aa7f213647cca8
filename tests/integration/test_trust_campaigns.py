# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A campaign is called remediated only where SailPoint's own answers prove it, whatever else they look like."""

from __future__ import annotations

import gzip
import json
import time
from datetime import datetime, timedelta, timezone

import pytest
from conftest import kill, wait_until
from gateway import Reply, changed
from trust import PLAYBOOK, QUICK, gateway_to, scans_of, verify

CONFLICT = {
    "detailCode": "400.2.0 Conflicting operation",
    "trackingId": "a1",
    "messages": [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": "Another operation is under way"}],
    "causes": [],
}
DONE = "Identity,Access,Remediation Status\r\nAda Byron,Payments,Remediated\r\nMax Planck,Payments,Remediated\r\n"


def stamp(minutes=0):
    """A time of today, so many minutes before now, as SailPoint writes it."""
    return (datetime.now(timezone.utc) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def modified_moves(gateway, simulator, one):
    """A campaign's `modified` moves all by itself, each second time that it is read; and its report says that all is done."""
    report(simulator, one, DONE)
    reads = []

    def moved(reply, received):
        reads.append(1)
        changed(modified=stamp(minutes=max(1, 500 - len(reads) // 2)))(reply, received)

    gateway.bend("GET /campaigns/v1/%s[?]" % one, moved)


def conflict_by_another(gateway, simulator, one):
    """Three (and more) 400.2.0 because of somebody else's operation, which moves `modified`."""
    modified_moves(gateway, simulator, one)
    gateway.instead("POST .*%s/run-remediation-scan" % one, Reply(400, json=CONFLICT))


def error_with_200(gateway, simulator, one):
    """An error body with the status 200 for the request of a scan; `modified` moves all the same."""
    modified_moves(gateway, simulator, one)
    gateway.instead("POST .*%s/run-remediation-scan" % one, Reply(200, json=dict(CONFLICT, detailCode="500.0 Internal fault")))


def contradiction(gateway, simulator, one):
    """Two columns that do not agree."""
    report(simulator, one, DONE.replace("Status\r\n", "Status,Item Status\r\n").replace("Remediated\r\n", "Remediated,Open\r\n"))


def no_list_of_reports(gateway, simulator, one):
    """A 404 for the list of reports until there is one."""
    gateway.instead(
        "GET .*%s/reports" % one,
        lambda received: (
            None if gateway.asked("POST .*%s/run-report" % one) else Reply(404, json=dict(CONFLICT, detailCode="404.1 Not found"))
        ),
    )


def no_modified(gateway, simulator, one):
    """A campaign without `modified`, also in the list."""
    gateway.bend(
        "GET /campaigns/v1(/%s)?[?]" % one,
        lambda reply, received: changed(modified=None)(reply, received) if one in received.target else None,
    )


def report_from_the_future(gateway, simulator, one):
    """A report that was there before, with a time that is to come."""
    gateway.instead(
        "GET .*%s/reports" % one,
        Reply(
            json=[
                dict(
                    type="REPORT_RESULT",
                    id="f" * 32,
                    name="Remediation",
                    status="SUCCESS",
                    reportType="CAMPAIGN_REMEDIATION_STATUS_REPORT",
                    lastRunAt="2999-01-01T00:00:00Z",
                )
            ]
        ),
    )
    gateway.instead("GET /reports/v1/%s" % ("f" * 32), Reply(body=DONE, headers={"Content-Type": "text/csv"}))


def second_part_damaged(gateway, simulator, one):
    """A report in two parts, the second of which cannot be unpacked: it may say anything."""

    def damaged(reply, received):
        second = bytearray(gzip.compress(b"Grace Hopper,Payments,Open\r\n"))
        second[12] ^= 0xFF
        return Reply(
            body=gzip.compress(DONE.encode()) + bytes(second), headers={"Content-Type": "text/csv", "Content-Encoding": "gzip"}
        )

    of_its_report(gateway, one, damaged)


def cut_at_a_flush(gateway, simulator, one):
    """A report whose compressed form ends early, with a length that fits."""

    def cut(reply, received):
        whole = gzip.compress(reply.body, mtime=0)
        return Reply(body=whole[:-8], headers={"Content-Type": "text/csv", "Content-Encoding": "gzip"})

    of_its_report(gateway, one, cut)


def of_its_report(gateway, one, change):
    """Bends the download of a campaign's report, whose id its list names."""
    ids = set()
    gateway.bend(
        "GET .*%s/reports" % one,
        lambda reply, received: ids.update(
            report["id"] for report in json.loads(reply.body) if report["reportType"] == "CAMPAIGN_REMEDIATION_STATUS_REPORT"
        ),
    )
    gateway.bend(
        "GET /reports/v1/",
        lambda reply, received: (
            change(reply, received) if received.path.rpartition("/")[2] in ids and reply.status == 200 else None
        ),
    )


def answer_is_lost(gateway, simulator, one):
    """The scan is accepted, and nobody hears it. It is asked for once more."""
    lost = []

    def lose(reply, received):
        lost.append(1)
        return Reply(drop=True) if len(lost) == 1 else None

    gateway.bend("POST .*%s/run-remediation-scan" % one, lose)


def another_dialect(gateway, simulator, one):
    """A gateway's error in a dialect that SailPoint does not use."""
    gateway.instead(
        "POST .*%s/run-report" % one,
        Reply(
            400,
            json={"type": "about:blank", "title": "Blocked by policy 17", "detail": "Ask the network team"},
            headers={"Content-Type": "application/problem+json"},
        ),
    )


def key_twice(gateway, simulator, one):
    """An answer with a key twice: which one counts, nobody knows."""

    def twice(reply, received):
        reply.body = reply.body.decode().replace('"status": "COMPLETED"', '"status": "ACTIVE", "status": "COMPLETED"')

    gateway.bend("GET /campaigns/v1/%s[?]" % one, twice)


def id_is_an_object(gateway, simulator, one):
    """A campaign's id is an object."""
    gateway.bend("GET /campaigns/v1/%s[?]" % one, changed(id={"$oid": one}))


def report(simulator, one, text):
    """Gives a campaign this report."""
    simulator.control("PATCH", "campaigns/%s" % one, {"report_csv": text})


def report_of(text):
    return lambda gateway, simulator, one: report(simulator, one, text)


def windows_1252(gateway, simulator, one):
    """A report in an encoding of Windows."""
    of_its_report(
        gateway,
        one,
        lambda reply, received: Reply(
            body=DONE.replace("Ada Byron", "Åse Bråten").encode("cp1252"), headers={"Content-Type": "text/csv"}
        ),
    )


def report_moves_modified(gateway, simulator, one):
    """Running a report moves `modified` as well."""
    moved = []
    gateway.bend("POST .*%s/run-report" % one, lambda reply, received: moved.append(stamp()))
    gateway.bend(
        "GET /campaigns/v1/%s[?]" % one,
        lambda reply, received: changed(modified=max([json.loads(reply.content())["modified"], *moved]))(reply, received),
    )


# What goes wrong: (how, the outcomes that may be said, words of which one must be in the reason).
MISCHIEF = {
    "nothing goes wrong": (lambda gateway, simulator, one: None, {"remediated"}, ()),
    "400.2.0 each time, because of another operation": (conflict_by_another, {"pending", "inconclusive"}, ()),
    "an error with the status 200 for the request of a scan": (error_with_200, {"inconclusive"}, ("200", "500.0")),
    "two columns of the report contradict each other": (contradiction, {"unremediated", "inconclusive"}, ("Item Status",)),
    "404 for the list of reports": (no_list_of_reports, {"remediated"}, ()),
    "a campaign without modified": (no_modified, {"inconclusive"}, ("modified",)),
    "a report from the future": (report_from_the_future, {"inconclusive", "pending"}, ()),
    "a damaged second part of a compressed report": (second_part_damaged, {"inconclusive", "pending"}, ()),
    "a compressed report that is cut off": (cut_at_a_flush, {"inconclusive", "pending"}, ()),
    "the answer to the request of a scan is lost": (answer_is_lost, {"remediated", "inconclusive"}, ()),
    "an error in a dialect that is not known": (another_dialect, {"inconclusive"}, ("Blocked by policy 17",)),
    "a key twice in an answer": (key_twice, {"inconclusive", "pending"}, ()),
    "a campaign whose id is an object": (id_is_an_object, {"inconclusive"}, ()),
    "a report with sep= in its first line": (
        report_of("sep=,\r\n" + DONE),
        {"remediated", "inconclusive"},
        ("items", "sep=", "line 1"),
    ),
    "a report with a comma at the end of each line": (
        report_of(DONE.replace("\r\n", ",\r\n")),
        {"remediated", "inconclusive"},
        ("2 of 2 items", "line"),
    ),
    "a report with a title": (report_of("Campaign report\r\n" + DONE), {"remediated", "inconclusive"}, ("2 of 2 items", "line")),
    "a report with a footer": (report_of(DONE + "Total: 2\r\n"), {"remediated", "inconclusive"}, ("2 of 2 items", "line 4")),
    "a report in windows-1252": (windows_1252, {"inconclusive"}, ("windows-1252",)),
    "a report moves modified": (report_moves_modified, {"remediated"}, ()),
}


@pytest.mark.parametrize(
    "simulator", [("--campaigns", str(len(MISCHIEF)), "--exposures", "0", "--rate-limit", "0")], indirect=True
)
def test_what_looks_like_a_proof(ansible, simulator):
    ids = dict(zip(MISCHIEF, simulator.control("GET", "state")["campaigns"]))
    simulator.control("PATCH", "campaigns/%s" % ids["nothing goes wrong"], {"name": "Q3 \x1b[2J\x07\u202e\u009b2J"})
    with gateway_to(ansible, simulator) as gateway:
        for fault, (how, _outcomes, _words) in MISCHIEF.items():
            how(gateway, simulator, ids[fault])
        run = verify(
            ansible,
            verify_campaign_ids=list(ids.values()),
            verify_wait_timeout=16,
            sailpoint_retry_timeout=2,
            sailpoint_rate_limit=0,
            sailpoint_request_timeout=5,
        )
        asked = {fault: gateway.asked(one) for fault, one in ids.items()}
    wrong = []
    for fault, (_how, outcomes, words) in MISCHIEF.items():
        outcome, reason = run.outcomes[ids[fault]], run.reason(ids[fault])
        if outcome not in outcomes or words and not any(word in reason for word in words):
            wrong.append("%s: %s, %s" % (fault, outcome, reason))
    assert not wrong, "\n".join(wrong)
    assert run.status == 2
    # At once, not after hours of waiting for what cannot move; and no scan that could prove nothing.
    assert len(asked["a campaign without modified"]) <= 6
    lost = ids["the answer to the request of a scan is lost"]
    assert run.outcomes[lost] != "remediated" or scans_of(simulator, lost) == 2
    # What is said to a terminal does not command it.
    assert not set(run.output) & {"\x1b", "\x07", "\u202e", "\u009b", "\x00"}
    for fault in MISCHIEF:
        run.notes(fault, ids[fault])


@pytest.mark.parametrize("simulator", [("--campaigns", "5", "--exposures", "0")], indirect=True)
def test_a_campaign_that_changed_since(ansible, simulator):
    same, modified, reopened, more, renamed = ids = list(simulator.control("GET", "state")["campaigns"])
    with gateway_to(ansible, simulator) as gateway:
        report_moves_modified(gateway, simulator, same)
        first = verify(ansible, verify_campaign_ids=ids)
        assert first.status == 0 and set(first.outcomes.values()) == {"remediated"}, first.output
        simulator.control("PATCH", "campaigns/%s" % modified, {"modified": int(time.time() * 1000)})
        simulator.control("PATCH", "campaigns/%s" % reopened, {"status": "ACTIVE"})
        simulator.control("PATCH", "campaigns/%s" % more, {"totalCertifications": 1000})
        for one in (modified, more):
            simulator.control("PATCH", "campaigns/%s" % one, {"scan_result": [1]})
        again = verify(ansible, verify_campaign_ids=ids, verify_wait_timeout=10)
    assert again.outcomes[same] == again.outcomes[renamed] == "remediated", (again.reason(same), again.reason(renamed))
    assert again.outcomes[reopened] == "pending"
    assert again.outcomes[more] == "unremediated"
    assert again.outcomes[modified] != "remediated"
    scans = {one: scans_of(simulator, one) for one in ids}
    assert scans == {same: 1, renamed: 1, reopened: 1, more: 2, modified: 2}
    again.notes("a campaign was changed since the last run", more)
    again.notes("a campaign was opened again since the last run", reopened)


def test_a_filter_that_finds_nothing_is_told(ansible, simulator):
    """Beside other targets; and values as surveys and shells give them."""
    run = verify(
        ansible,
        verify_campaign_filters='name eq "no campaign is called so"',
        verify_alert_ids="4101\n4102",
        verify_case_ids=None,
        verify_exposures="",
        verify_formats=None,
        verify_ledger=None,
        environment={"CORTEX_API_KEY": "advanced-key\n", "CORTEX_API_KEY_TYPE": "", "SAIL_CLIENT_SECRET": "admin-secret\n"},
    )
    assert run.found["counts"]["remediated"] == 2, run.output
    (told,) = [name for name, outcome in run.outcomes.items() if outcome == "inconclusive"]
    assert "no campaign is called so" in told and run.found["verdict"] == "not_verified" and run.status == 2
    assert (ansible.folder / "remediation-evidence" / "ledger.json").is_file()
    assert (run.folder / "verification.html").is_file()
    run.notes("a filter that finds no campaign", told)


@pytest.mark.parametrize("simulator", [("--campaigns", "1", "--exposures", "0")], indirect=True)
def test_a_kill_before_the_answer(ansible, simulator):
    """Nobody knows whose scan runs, so a scan is asked for once more: it changes no access, and then it is certain."""
    (campaign_id,) = simulator.control("GET", "state")["campaigns"]
    simulator.control("POST", "config", {"scan_seconds": 4})
    simulator.control("POST", "faults", [{"operation": "run_scan", "kind": "latency", "seconds": 600, "processed": True}])
    first = ansible.start(PLAYBOOK, **QUICK, verify_campaign_ids=[campaign_id])
    wait_until(lambda: simulator.log(operation="run_scan", changed=True), "the scan was asked for", first)
    kill(first)
    run = verify(ansible, verify_campaign_ids=[campaign_id])
    assert run.outcomes == {campaign_id: "remediated"} and run.status == 0, run.output
    assert len(simulator.log(operation="run_scan", status=202)) == 1 and scans_of(simulator, campaign_id) == 2
    # That is the end of it.
    assert verify(ansible, verify_campaign_ids=[campaign_id]).status == 0 and scans_of(simulator, campaign_id) == 2
