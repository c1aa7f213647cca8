# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exposure is called remediated only where Xpanse's own answers prove it, whatever else they and the ledger say."""

from __future__ import annotations

import json
import time
import zlib

import pytest
from conftest import running_simulator
from gateway import Gateway, Reply
from trust import exposure_id, forge_ledger, gateway_to, moment, scans_of, verify

GET, CREATE = "requests/get/? ", "requests/get_or_create/? "


def scan_reply(status="SUCCESS", result="REMEDIATED", **more):
    return Reply(json={"reply": dict(dict(status=status, result=result), **more)})


def of_its_scan(gateway, exposure, answer):
    """What is said of an exposure's scan: answer(reply) once it has ended."""
    mine = set()

    def bend(reply, received):
        if any(scan_id.encode() in received.body for scan_id in mine) and b"IN_PROGRESS" not in reply.content():
            return answer(reply)

    gateway.bend(
        "%s.*%s" % (CREATE, exposure["service_id"]),
        lambda reply, received: mine.add(json.loads(reply.content())["reply"]["scanId"]),
    )
    gateway.bend(GET, bend)


def said_of_scan(reply):
    return lambda gateway, exposure, others: of_its_scan(gateway, exposure, lambda _reply: reply)


def compressed_and_cut(gateway, exposure, others):
    """Cut at a point at which what came so far can be unpacked, with a length that fits."""

    def cut(reply):
        packer = zlib.compressobj(wbits=31)
        body = packer.compress(b'{"reply": {"status": "SUCCESS", "result": "REMEDIATED"}}') + packer.flush(zlib.Z_SYNC_FLUSH)
        return Reply(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    of_its_scan(gateway, exposure, cut)


def scan_of_another(gateway, exposure, others):
    """The request is answered with the scan of the first exposure, which is remediated."""
    theirs = []
    gateway.bend("%s.*%s" % (CREATE, others[0]["service_id"]), lambda reply, received: theirs.append(json.loads(reply.body)))

    def answer(received):
        ends = time.monotonic() + 5
        while not theirs and time.monotonic() < ends:
            time.sleep(0.02)
        return Reply(200, json=theirs[0]) if theirs else None

    gateway.instead("%s.*%s" % (CREATE, exposure["service_id"]), answer)


MISCHIEF = {
    "nothing goes wrong with an exposure": (lambda gateway, exposure, others: None, {"remediated"}, ()),
    "the result of a scan twice in its answer": (
        said_of_scan(
            Reply(
                body='{"reply": {"status": "SUCCESS", "result": "UNREMEDIATED", "result": "REMEDIATED"}}',
                headers={"Content-Type": "application/json"},
            )
        ),
        {"inconclusive", "pending"},
        (),
    ),
    "the status of a scan is a list": (said_of_scan(scan_reply(status=["SUCCESS"])), {"inconclusive"}, ()),
    "the answer names another scan": (
        said_of_scan(scan_reply(scanId="00000000-0000-4000-8000-000000000000")),
        {"inconclusive"},
        (),
    ),
    "the request is answered with another exposure's scan": (scan_of_another, {"inconclusive"}, ()),
    "an error in an answer with the status 200": (
        said_of_scan(scan_reply(err_code=500, err_msg="no")),
        {"inconclusive"},
        ("500",),
    ),
    "a compressed answer that is cut off": (compressed_and_cut, {"inconclusive", "pending"}, ()),
    "a result that nobody knows": (said_of_scan(scan_reply(result="MITIGATED")), {"inconclusive"}, ("MITIGATED",)),
}


@pytest.mark.parametrize(
    "simulator", [("--exposures", str(len(MISCHIEF)), "--campaigns", "0", "--rate-limit", "0")], indirect=True
)
def test_what_looks_like_an_answer(ansible, simulator):
    exposures = dict(zip(MISCHIEF, simulator.exposures()))
    for fault, exposure in exposures.items():
        if fault in ("the request is answered with another exposure's scan", "a compressed answer that is cut off"):
            simulator.control("PATCH", "exposures/%s" % exposure_id(exposure), {"result": "UNREMEDIATED"})
    with gateway_to(ansible, simulator) as gateway:
        for fault, (how, _outcomes, _words) in MISCHIEF.items():
            how(gateway, exposures[fault], list(exposures.values()))
        run = verify(
            ansible,
            verify_exposures=list(exposures.values()),
            verify_wait_timeout=12,
            xpanse_retry_timeout=2,
            xpanse_rate_limit=0,
        )
    wrong = []
    for fault, (_how, outcomes, words) in MISCHIEF.items():
        name = exposure_id(exposures[fault])
        # Which of two exposures a scan that both were given belongs to, nobody knows.
        fits = (
            run.outcomes[name] in outcomes
            or fault == "nothing goes wrong with an exposure"
            and run.outcomes[name] == "inconclusive"
        )
        if not fits or words and not any(word in run.reason(name) for word in words):
            wrong.append("%s: %s, %s" % (fault, run.outcomes[name], run.reason(name)))
    assert not wrong, "\n".join(wrong)
    assert run.status == 2
    for fault, exposure in exposures.items():
        if fault != "nothing goes wrong with an exposure":
            run.notes(fault, exposure_id(exposure))


@pytest.mark.parametrize("simulator", [("--exposures", "7", "--campaigns", "2")], indirect=True)
@pytest.mark.parametrize("max_age", [86400, 0])
def test_a_ledger_that_lies(ansible, simulator, max_age):
    """Nothing is remediated, and whatever the ledger says, nobody is told so."""
    exposures = simulator.exposures()
    campaigns = list(simulator.control("GET", "state")["campaigns"])
    simulator.control("POST", "config", {"scan_seconds": 0.3})
    first = verify(ansible, verify_exposures=exposures[:2], evidence="first", verify_evidence_dir=str(ansible.folder / "first"))
    assert first.status == 0, first.output
    scan_id, old_id = (target["scan_id"] for target in first.targets.values())
    for one in exposures:
        simulator.control("PATCH", "exposures/%s" % exposure_id(one), {"result": "UNREMEDIATED"})
    for one in campaigns:
        simulator.control("PATCH", "campaigns/%s" % one, {"scan_result": [1, 2]})
    state = simulator.control("GET", "state")["campaigns"][campaigns[0]]
    done = dict(status="SUCCESS", result="REMEDIATED", outcome="remediated", scan_id=scan_id, requested_at=moment(hours=1))
    forged = [
        dict(done, outcome="great", finished_at=moment(minutes=1), status="GREAT", result=None, scan_id="x"),
        dict(scan_id=old_id, status="IN_PROGRESS", outcome="pending", requested_at=moment(days=30)),
        dict(done, finished_at="2999-01-01T00:00:00Z"),
        dict(done, finished_at="2999-01-01 00:00"),
        dict(done, finished_at=moment(minutes=1)),
        dict(done, finished_at=moment(minutes=1), scan_id=["a", {"b": None}]),
        dict(outcome="remediated", finished_at=moment(minutes=1)),
    ]
    if max_age:
        # A scan that was left running and has ended well is an answer, unless nothing that is old may count.
        forged[1]["scan_id"] = "x"
    finished = dict(status="finished", requested_at=None, modified_before="2020-01-01T00:00:00Z", modified=state["modified"])
    evidence = ansible.folder / "remediation-evidence"
    forge_ledger(
        evidence / "ledger.json",
        "127.0.0.1",
        dict(
            zip(
                campaigns,
                [
                    dict(finished, finished_at=moment(minutes=1)),
                    dict(finished, finished_at="2999-01-01T00:00:00Z", modified={"a": []}),
                ],
            )
        ),
        zip(exposures, forged),
    )
    run = verify(
        ansible, verify_exposures=exposures, verify_campaign_ids=campaigns, verify_max_age=max_age, verify_wait_timeout=20
    )
    assert "remediated" not in run.outcomes.values(), run.outcomes
    assert run.status == 2 and run.found["verdict"] == "not_verified"
    if max_age == 0:
        # A record that is odd may cost its own target the answer, never more.
        assert set(run.outcomes.values()) <= {"unremediated", "inconclusive"}, run.outcomes
        assert {run.outcomes[exposure_id(exposures[number])] for number in (0, 1, 2, 3, 4)} == {"unremediated"}, run.outcomes
        run.notes("a ledger that lies", exposure_id(exposures[2]))


@pytest.mark.parametrize(
    "simulator", [("--exposures", "2", "--campaigns", "1", "--scan-seconds", "0", "--report-seconds", "0")], indirect=True
)
def test_two_tenants_behind_one_name(ansible, simulator):
    """They differ by the path of their address only, and share a ledger."""
    with running_simulator("--exposures", "2", "--campaigns", "1", "--scan-seconds", "0", "--report-seconds", "0") as other:
        for one in other.exposures():
            other.control("PATCH", "exposures/%s" % exposure_id(one), {"result": "UNREMEDIATED"})
        campaigns = list(other.control("GET", "state")["campaigns"])
        other.control("PATCH", "campaigns/%s" % campaigns[0], {"scan_result": [1]})
        gateway = Gateway(acme=simulator, globex=other)
        try:
            runs = {
                name: verify(
                    ansible,
                    verify_exposures=other.exposures(),
                    verify_campaign_ids=campaigns,
                    evidence=name,
                    verify_evidence_dir=str(ansible.folder / name),
                    verify_ledger=str(ansible.folder / "ledger.json"),
                    environment={"SAIL_BASE_URL": "%s/%s" % (gateway.url, name), "CORTEX_FQDN": "%s/%s" % (gateway.url, name)},
                )
                for name in ("acme", "globex")
            }
        finally:
            gateway.stop()
    assert set(runs["acme"].outcomes.values()) == {"remediated"} and runs["acme"].status == 0, runs["acme"].output
    assert set(runs["globex"].outcomes.values()) == {"unremediated"} and runs["globex"].status == 2


def test_an_alert_that_was_reopened(ansible, simulator):
    """Since the scan: the scan's answer is none any more."""
    alerts = [4101, 4102]
    first = verify(ansible, verify_alert_ids=alerts)
    assert first.status == 0, first.output
    names = {name.partition(":")[0]: name for name in first.outcomes}
    simulator.control(
        "PATCH", "alerts/4101", {"resolution_status": "STATUS_230_REOPENED", "last_modified_ts": int(time.time() * 1000) + 1}
    )
    simulator.control("PATCH", "exposures/%s" % names["4101"], {"result": "UNREMEDIATED"})
    again = verify(ansible, verify_alert_ids=alerts)
    assert again.outcomes == {names["4101"]: "unremediated", names["4102"]: "remediated"}, again.output
    assert {name: scans_of(simulator, names[name]) for name in names} == {"4101": 2, "4102": 1}
    again.notes("an alert was reopened since the last run", names["4101"])


def test_alerts_that_are_odd(ansible, simulator):
    """One odd alert costs one target, and nobody else."""
    odd = {
        "4102": {"alert_id": ["4102"]},
        "4104": {"service_ids": {"a": 1}},
        "4105": {"attack_surface_rule_id": ["RdpServer"]},
        "4106": {"name": {"deep": [[]]}, "severity": []},
        "4107": {"service_ids": ["x" * 250]},
    }

    def bend(reply, received):
        body = json.loads(reply.body)
        for alert in body["reply"]["alerts"]:
            alert.update(odd.get(str(alert["alert_id"]), {}))
        reply.body = json.dumps(body)

    with gateway_to(ansible, simulator) as gateway:
        gateway.bend("get_alerts_multi_events", bend)
        run = verify(ansible, verify_alert_ids=[4101, *map(int, odd)], verify_wait_timeout=15)
    (honest,) = [name for name in run.outcomes if name.startswith("4101:")]
    assert run.outcomes[honest] == "remediated" and run.status == 2
    for alert_id in odd:
        mine = [name for name in run.outcomes if alert_id in name]
        assert mine, "alert %s is not in the evidence: %s" % (alert_id, list(run.outcomes))
        assert alert_id == "4106" or "remediated" not in {run.outcomes[name] for name in mine}
    files = {path.name for path in run.folder.iterdir()}
    assert {"verification.html", "verification.csv", "verification.junit.xml", "oscal-assessment-results.json"} <= files
    assert {"verification.sarif", "verification.intoto.json"} <= files
