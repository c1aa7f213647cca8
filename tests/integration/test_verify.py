# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role, as its users run it: what it finds, what it leaves, what it asks for, and what becomes of it in trouble."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from conftest import kill, running_simulator, wait_until
from running_ansible import children
from simulator import company

PLAYBOOK = "secops.remediation.verify"
CHECK = "secops.remediation.verify_evidence"
ROLE = Path(__file__).resolve().parent / "role.yml"
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "verification-1.2.schema.json"
STARTS = ("run_scan", "run_report", "rcs_get_or_create")
QUICK = dict(verify_wait_interval=1, verify_wait_timeout=60)
# Generated targets: every one is remediated once it is scanned.
SMALL = ("--exposures", "8", "--campaigns", "8", "--scan-seconds", "0", "--report-seconds", "0")

CAMPAIGN_OUTCOMES = {
    company.FINANCE: "remediated",
    company.WAREHOUSE: "unremediated",
    company.BOARD_PORTAL: "remediated",
    # Its report is not understood, and an identity still has one item.
    company.HAMBURG: "unremediated",
    # It has no report, and nobody has any of it.
    company.SALES: "remediated",
    company.MANAGERS: "pending",
    company.CONTRACTORS: "pending",
    company.ROLES: "inconclusive",
    company.LAST_YEAR: "inconclusive",
    company.MIGRATED: "inconclusive",
    company.PRIVILEGED: "remediated",
    company.BADGES: "unremediated",
    company.VENDORS: "unremediated",
}


def exposure_id(exposure):
    return "%(alert_internal_id)s:%(attack_surface_rule_id)s:%(service_id)s" % exposure


def exposure_outcomes(exposures):
    """What the role has to find for these exposures of the company."""
    outcomes = dict.fromkeys(map(exposure_id, company.exposures()), "inconclusive")
    outcomes.update(dict.fromkeys(map(exposure_id, company.exposures(company.REMEDIATED)), "remediated"))
    outcomes.update(dict.fromkeys(map(exposure_id, company.exposures(company.UNREMEDIATED)), "unremediated"))
    return {name: outcomes[name] for name in map(exposure_id, exposures)}


class Verification:
    """A finished run: its exit status, everything that it printed, and what it left."""

    def __init__(self, status, output, evidence):
        self.status = status
        self.output = output
        # Where the newest run's files are.
        self.evidence = (evidence / "latest").resolve()
        assert "Traceback" not in output and "Error while" not in output, output
        assert "[WARNING]" not in output and "[DEPRECATION" not in output, output
        file = evidence / "latest" / "verification.json"
        self.found = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if self.found:
            jsonschema.validate(self.found, json.loads(SCHEMA.read_text()), jsonschema.Draft202012Validator)
        self.targets = {target["id"]: target for target in self.found.get("targets", ())}
        self.outcomes = {name: target["outcome"] for name, target in self.targets.items()}
        recap = re.search(r"PLAY RECAP .*changed=(\d+)", output, re.DOTALL)
        self.changed = int(recap.group(1)) if recap else None

    def reason(self, name):
        return self.targets[str(name)]["reason"]


def verify(ansible, *options, playbook=PLAYBOOK, evidence="remediation-evidence", **variables):
    """Runs the role to its end."""
    done = ansible.run(playbook, *options, **{**QUICK, **variables})
    return Verification(done.returncode, done.stdout, ansible.folder / evidence)


def started(simulator):
    """How many scans were started of each target, and reports of each campaign."""
    counts = Counter()
    exposures = {
        scan["scan_id"]: name
        for name, exposure in simulator.control("GET", "state")["exposures"].items()
        for scan in exposure["scans"]
    }
    for entry in simulator.log(changed=True):
        if entry["operation"] == "rcs_get_or_create":
            counts["scan", exposures[entry["scan_id"]]] += 1
        else:
            counts["scan" if entry["operation"] == "run_scan" else "report", entry["campaign_id"]] += 1
    return counts


def asked_to_start(simulator):
    """The requests that start something, or would have."""
    return [entry for entry in simulator.log() if entry["operation"] in STARTS]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def api(simulator, method, path, token=None, form=None):
    """A request of another client."""
    request = urllib.request.Request(
        simulator.url + path,
        method=method,
        data=urllib.parse.urlencode(form).encode() if form else None,
        headers={"Authorization": "Bearer %s" % token} if token else {},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        return json.loads(answer.read())


def another_client(simulator, method, path):
    token = api(
        simulator,
        "POST",
        "/oauth/token",
        form=dict(grant_type="client_credentials", client_id="cert-client", client_secret="cert-secret"),
    )["access_token"]
    return api(simulator, method, path, token)


def patch_campaign(simulator, campaign_id, **settings):
    simulator.control("PATCH", "campaigns/%s" % campaign_id, settings)


def patch_exposure(simulator, exposure, **settings):
    simulator.control("PATCH", "exposures/%s" % exposure_id(exposure), settings)


def generated(simulator):
    """(campaign ids, exposures) of a simulator with generated ones."""
    return list(simulator.control("GET", "state")["campaigns"]), simulator.exposures()


def let_the_look_end():
    """A scan that ended between two requests of one look would rightly be started anew. Looks are a second apart."""
    time.sleep(0.4)


# --- What is found, and found again

WHOLE_COMPANY = dict(
    verify_campaign_filters='name sw ""',
    verify_campaign_ids=[company.FINANCE, company.BADGES],
    verify_alert_ids=list(company.ALERT_IDS),
    verify_case_ids=[71, 92],
)


def test_the_whole_company_and_again(ansible, simulator):
    run = verify(ansible, **WHOLE_COMPANY)
    expected = dict(CAMPAIGN_OUTCOMES, **exposure_outcomes(company.exposures()))
    expected.update({"alert 4139": "inconclusive", "alert 4140": "inconclusive"})
    assert run.outcomes == expected
    counts = dict(Counter(expected.values()), total=len(expected))
    assert run.found["counts"] == counts
    assert run.found["verdict"] == "not_verified" and run.found["schema_version"] == "1.2"
    assert run.found["summary"] == (
        "Not verified: %(remediated)d of %(total)d targets remediated, %(unremediated)d still open, "
        "%(inconclusive)d without an answer, %(pending)d not finished." % counts
    )

    # The gate failed, at the very end.
    assert run.status == 2 and run.changed > 0
    assert run.output.count("TASK") - 1 == run.output[: run.output.rindex("TASK")].count("TASK")
    assert "TASK [%s : Fail on what must not be]" % PLAYBOOK in run.output[run.output.rindex("TASK [") :]
    assert re.search(r"fatal: .*%s" % re.escape(run.found["summary"]), run.output)
    assert re.search(r"reports: 0 of 8 done, next look in \d+ s", run.output)

    # The reports are newer than the scans, and are the files that were named.
    finance = run.targets[company.FINANCE]
    assert finance["report"]["id"] != company.FINANCE_OLD_REPORT
    assert finance["items"]["items_total"] == finance["items"]["items_remediated"] == 6
    assert run.targets[company.BOARD_PORTAL]["items"]["items_total"] == 0
    warehouse = run.targets[company.WAREHOUSE]["items"]
    assert (warehouse["items_open"], len(warehouse["open_items"])) == (2, 2)
    reported = [target for target in run.found["targets"] if "report" in target]
    for target in run.found["targets"]:
        assert target["evidence"] or target["outcome"] not in ("remediated", "unremediated")
        assert all(sha256(run.evidence / file["path"]) == file["sha256"] for file in target["evidence"])
    assert {target["id"] for target in reported} == {
        company.FINANCE,
        company.WAREHOUSE,
        company.BOARD_PORTAL,
        company.HAMBURG,
        company.PRIVILEGED,
        company.BADGES,
        company.VENDORS,
    }
    for target in reported:
        assert target["report"]["lastRunAt"] > target["scan"]["modified"] > target["scan"]["modified_before"]
        assert [file["path"].split("/")[0] for file in target["evidence"]] == ["reports", "records", "records", "records"]
        for file in target["evidence"]:
            assert not Path(file["path"]).is_absolute() and sha256(run.evidence / file["path"]) == file["sha256"]
    # Whatever was answered is supported by requests that the server knows of.
    logged = {(entry["method"], entry["path"], entry["status"]) for entry in simulator.log()}
    for target in run.found["targets"]:
        asked = {(request["method"], request["path"].partition("?")[0], request["status"]) for request in target["requests"]}
        assert asked <= logged and (asked or target["outcome"] not in ("remediated", "unremediated"))
        if target["scan_id"]:
            assert {request["reference"] for request in target["requests"]} == {"scanId " + target["scan_id"]}
    scanned = [*(target["id"] for target in reported), company.SALES]
    assert started(simulator) == Counter(
        [("scan", one) for one in [*scanned, *map(exposure_id, company.exposures())]] + [("report", one) for one in scanned]
    )

    # Each problem is explained.
    assert "'Bearbeitungsstand'" in run.reason(company.HAMBURG)
    assert "verify_remediation_status_column" in run.reason(company.HAMBURG)
    assert "ended with status ERROR" in run.reason(company.SALES)
    assert "ACTIVE" in run.reason(company.MANAGERS) and "ARCHIVED" in run.reason(company.LAST_YEAR)
    assert "no attack surface rule" in run.reason("alert 4139") and "no service" in run.reason("alert 4140")
    ends = {"FAILED_TIMEOUT": 2, "FAILED_ERROR": 1, "DEFERRED_BY_POLICY": 1}
    assert ends == {word: sum(word in target["reason"] for target in run.found["targets"]) for word in ends}

    # Again: all of it is known, and nothing is started.
    simulator.control("DELETE", "log")
    again = verify(ansible, verify_fail_on=[], **WHOLE_COMPANY)
    assert again.status == 0 and again.changed == 0
    assert again.outcomes == expected and again.found["verdict"] == "not_verified"
    assert asked_to_start(simulator) == []
    assert [target["scan_id"] for target in again.found["targets"]] == [target["scan_id"] for target in run.found["targets"]]


def test_max_age_0_scans_anew(ansible, simulator):
    closed, still_open = company.exposures(company.REMEDIATED)[0], company.exposures(company.UNREMEDIATED)[0]
    targets = dict(
        verify_campaign_ids=[company.PRIVILEGED, company.BADGES],
        # The second witness is asked anew each time.
        verify_campaign_witnesses=["report"],
        verify_exposures=[closed, still_open],
    )
    before = verify(ansible, **targets)
    assert list(before.outcomes.values()) == ["remediated", "unremediated"] * 2
    # The world changes, in both directions. An old answer must not be taken for the new one.
    patch_campaign(simulator, company.PRIVILEGED, scan_result=[1])
    patch_campaign(simulator, company.BADGES, scan_result=[])
    patch_exposure(simulator, closed, result="UNREMEDIATED")
    patch_exposure(simulator, still_open, result="REMEDIATED")
    assert verify(ansible, **targets).outcomes == before.outcomes
    after = verify(ansible, verify_max_age=0, **targets)
    assert list(after.outcomes.values()) == ["unremediated", "remediated"] * 2
    assert set(started(simulator).values()) == {2}


# --- Killed, and run again

KILLED_TARGETS = dict(
    verify_campaign_ids=[company.FINANCE, company.WAREHOUSE, company.BOARD_PORTAL],
    verify_exposures=company.exposures(company.REMEDIATED)[:20]
    + company.exposures(company.UNREMEDIATED)
    + company.exposures(company.FAILED),
)


def killed_outcomes():
    return dict(
        {one: CAMPAIGN_OUTCOMES[one] for one in KILLED_TARGETS["verify_campaign_ids"]},
        **exposure_outcomes(KILLED_TARGETS["verify_exposures"]),
    )


# A campaign is looked at alone, or with others.
LOOKS = ("get_campaign", "list_campaigns")


def looks(simulator, since=0):
    return [entry for entry in simulator.log()[since:] if entry["operation"] in LOOKS]


def seen(simulator, operation, times=1, **wanted):
    return lambda: len(simulator.log(operation=operation, **wanted)) >= times


def heard(condition, seconds=1):
    """The same so many seconds later: what was answered then was heard and put on record as well."""
    since = []

    def later():
        if condition():
            since.append(time.monotonic())
        return bool(since) and time.monotonic() - since[0] > seconds

    return later


# The moment, what makes it long enough to be met, and how it is seen.
MOMENTS = {
    "in the middle of get_or_create": (
        {},
        [{"operation": "rcs_get_or_create", "kind": "latency", "seconds": 600, "after": 10, "times": None}],
        lambda simulator: seen(simulator, "rcs_get_or_create", 11),
    ),
    "before the answer to get_or_create": (
        {},
        [{"operation": "rcs_get_or_create", "kind": "latency", "seconds": 600, "after": 5, "times": None, "processed": True}],
        lambda simulator: seen(simulator, "rcs_get_or_create", 6, changed=True),
    ),
    "before the answer to run_scan": (
        {},
        [{"operation": "run_scan", "kind": "latency", "seconds": 600, "times": None, "processed": True}],
        lambda simulator: seen(simulator, "run_scan", changed=True),
    ),
    "right after run_scan": ({}, [], lambda simulator: heard(seen(simulator, "run_scan", 3, changed=True, status=202))),
    "while waiting": ({}, [], lambda simulator: lambda: len(looks(simulator)) >= 5),
    "before the answer to run_report": (
        {"scan_seconds": 0.5, "report_seconds": 600},
        [{"operation": "run_report", "kind": "latency", "seconds": 600, "processed": True}],
        lambda simulator: seen(simulator, "run_report", 3, changed=True),
    ),
    "during the report": ({"scan_seconds": 0.5, "report_seconds": 600}, [], lambda simulator: seen(simulator, "list_reports", 8)),
    "during the download": (
        {"scan_seconds": 0.5},
        [{"operation": "download_report", "kind": "latency", "seconds": 600, "times": None}],
        lambda simulator: seen(simulator, "download_report", 2),
    ),
    "while the exposures are waited for": ({}, [], lambda simulator: seen(simulator, "rcs_get", 30)),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again(ansible, simulator, moment):
    config, faults, condition = MOMENTS[moment]
    # Nothing ends by itself, so a second scan would show.
    simulator.control("POST", "config", {"scan_seconds": 600, **config})
    if moment == "while the exposures are waited for":
        for campaign_id in KILLED_TARGETS["verify_campaign_ids"]:
            patch_campaign(simulator, campaign_id, scan_seconds=0)
    simulator.control("POST", "faults", faults)
    variables = dict(
        QUICK, verify_wait_timeout=600, verify_evidence_dir=str(ansible.folder / "remediation-evidence"), **KILLED_TARGETS
    )
    first = ansible.start(PLAYBOOK, **variables)
    wait_until(condition(simulator), moment, first)
    kill(first)
    simulator.control("DELETE", "faults")
    before = len(simulator.log())

    second = ansible.start(PLAYBOOK, **variables)
    # It has to meet what the first one left behind, before that ends.
    wait_until(
        lambda: {*LOOKS, "list_reports"} & {entry["operation"] for entry in simulator.log()[before:]},
        "the second run looks",
        second,
    )
    if config.get("scan_seconds") is None:
        operations = ("rcs_get",) if "exposures" in moment else ("run_scan", *LOOKS)
        wait_until(
            lambda: len([entry for entry in simulator.log()[before:] if entry["operation"] in operations]) >= 5,
            "it waits",
            second,
        )
    let_the_look_end()
    simulator.control("POST", "config", {"scan_seconds": 1, "report_seconds": 0.5})
    output, _nothing = second.communicate(timeout=120)
    run = Verification(second.returncode, output, ansible.folder / "remediation-evidence")
    assert run.outcomes == killed_outcomes()
    assert run.status == 2 and run.found["verdict"] == "not_verified"
    # Of a scan whose acceptance nobody heard, nobody can know, so it is asked for once more.
    most = {("scan", name): 2 for name in run.outcomes} if "answer to run_scan" in moment else {}
    assert all(count <= most.get(key, 1) for key, count in started(simulator).items()), started(simulator)
    assert len([key for key in started(simulator) if key[0] == "scan"]) == len(run.outcomes)
    for target in run.found["targets"]:
        for file in target["evidence"]:
            assert sha256(run.evidence / file["path"]) == file["sha256"]


def test_killed_without_its_workers(ansible, simulator):
    """Whoever kills only the run's process group leaves a worker behind. It must not go on asking for hours."""
    simulator.control("POST", "config", {"scan_seconds": 600})
    targets = dict(
        verify_campaign_ids=[company.FINANCE],
        verify_exposures=company.exposures(company.REMEDIATED)[:3],
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    first = ansible.start(PLAYBOOK, **QUICK, **targets)
    wait_until(seen(simulator, "get_campaign", 4), "it waits", first)
    workers = children(first.pid)
    assert workers
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(timeout=30)
    wait_until(lambda: not any(Path("/proc/%d/fd" % pid).exists() for pid in workers), "the workers end", seconds=10)
    first.stdout.close()
    simulator.control("POST", "config", {"scan_seconds": 1})
    run = verify(ansible, **targets)
    assert run.status == 0 and run.found["counts"]["remediated"] == 4
    assert max(started(simulator).values()) == 1


# --- Start now, collect later


def test_start_and_collect(ansible, simulator):
    exposures = [company.exposures(end)[0] for end in (company.REMEDIATED, company.UNREMEDIATED, company.TIMEOUT)]
    targets = dict(
        verify_campaign_ids=[company.FINANCE, company.MANAGERS, "nobody-has-this"],
        verify_exposures=exposures[:2],
        verify_alert_ids=[4111, 4140],
        # The access needs no scan, so it would have its answer at once.
        verify_campaign_witnesses=["report"],
        playbook=ROLE,
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    names = [company.FINANCE, *map(exposure_id, exposures)]

    nothing = verify(ansible, entry_point="collect", **targets)
    assert nothing.status == 2 and {nothing.outcomes[name] for name in names} == {"inconclusive"}
    assert all("start one" in nothing.reason(name) for name in names)
    assert asked_to_start(simulator) == []

    simulator.control("POST", "config", {"scan_seconds": 600})
    start = verify(ansible, entry_point="start", **targets)
    assert start.status == 0 and start.changed > 0
    assert {start.outcomes[name] for name in names} == {"pending"}
    assert start.outcomes[company.MANAGERS] == "pending" and start.outcomes["nobody-has-this"] == "inconclusive"
    assert set(started(simulator)) == {("scan", name) for name in names}
    again = verify(ansible, entry_point="start", **targets)
    assert (again.status, again.changed) == (0, 0), again.output
    assert set(started(simulator).values()) == {1}

    simulator.control("DELETE", "log")
    early = verify(ansible, entry_point="collect", verify_wait=False, **targets)
    assert early.status == 2 and {early.outcomes[name] for name in names} == {"pending"}
    assert early.found["verdict"] == "not_verified"  # because of what cannot be

    collecting = ansible.start(**QUICK, **targets, entry_point="collect")
    wait_until(seen(simulator, "get_campaign", 5, campaign_id=company.FINANCE), "it waits", collecting)
    simulator.control("POST", "config", {"scan_seconds": 1})
    output, _nothing = collecting.communicate(timeout=60)
    assert re.search(r"campaigns: 0 of 1 scans done, 1 in progress, next look in 1 s", output)
    late = Verification(collecting.returncode, output, ansible.folder / "remediation-evidence")
    assert [late.outcomes[name] for name in names] == ["remediated", "remediated", "unremediated", "inconclusive"]
    assert late.status == 2 and "no service" in late.reason("alert 4140")
    # A report is needed to see what the scan found. Scans are not started by collecting.
    assert {entry["operation"] for entry in asked_to_start(simulator)} == {"run_report"}
    simulator.control("DELETE", "log")
    assert verify(ansible, entry_point="collect", **targets).outcomes == late.outcomes
    assert asked_to_start(simulator) == []


def test_everything_ended_between_start_and_collect(ansible, simulator):
    exposures = company.exposures(company.REMEDIATED)[:2]
    targets = dict(
        verify_campaign_ids=[company.FINANCE],
        verify_exposures=exposures,
        playbook=ROLE,
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert verify(ansible, entry_point="start", **targets).status == 0
    time.sleep(1)
    run = verify(ansible, entry_point="collect", **targets)
    assert run.status == 0 and run.found["verdict"] == "verified" and run.found["counts"]["remediated"] == 3
    assert set(started(simulator).values()) == {1}


# --- Trouble on the way


def test_tokens_expire(ansible, simulator):
    """They last two seconds, and in the middle all of them are made void."""
    simulator.control("POST", "config", {"token_seconds": 2, "scan_seconds": 600})
    targets = dict(
        verify_campaign_ids=[company.FINANCE, company.WAREHOUSE, company.PRIVILEGED], verify_exposures=company.exposures()[:5]
    )
    process = ansible.start(PLAYBOOK, **QUICK, **targets)
    wait_until(lambda: simulator.control("GET", "stats")["tokens_issued"] >= 4, "tokens are renewed", process)
    simulator.control("POST", "config", {"token_seconds": 600})
    tokens = simulator.control("GET", "stats")["tokens_issued"]
    wait_until(lambda: simulator.control("GET", "stats")["tokens_issued"] > tokens, "a long one is there", process)
    # Before, for the first of them may be refused before this process comes to look.
    refused = len(simulator.log(status=401))
    assert simulator.control("POST", "expire_tokens")["expired"]
    wait_until(lambda: len(simulator.log(status=401)) > refused, "it is refused", process)
    simulator.control("POST", "config", {"scan_seconds": 0.5})
    output, _nothing = process.communicate(timeout=60)
    run = Verification(process.returncode, output, ansible.folder / "remediation-evidence")
    assert run.outcomes == dict(
        {name: CAMPAIGN_OUTCOMES[name] for name in targets["verify_campaign_ids"]},
        **exposure_outcomes(targets["verify_exposures"]),
    )
    # Those that were on the way at once share the new one: after each token there is at most one round of 401.
    assert len(simulator.log(status=401)) - refused <= 3


@pytest.mark.parametrize("simulator", [("--rate-limit", "20")], indirect=True)
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_rate_limit(ansible, simulator, form):
    simulator.control("POST", "config", {"rate_window": 2, "retry_after_form": form})
    exposures = company.exposures()[:25]
    run = verify(ansible, verify_exposures=exposures, verify_campaign_ids=[company.FINANCE])
    assert run.outcomes == dict(exposure_outcomes(exposures), **{company.FINANCE: "remediated"})
    refused = simulator.log(status=429)
    assert 0 < len(refused) <= 40
    assert max(started(simulator).values()) == 1


def test_transient_faults(ansible, simulator):
    """What passes is waited out, and nothing is started twice for it."""
    reading = (
        "token",
        "get_campaign",
        "list_campaigns",
        "list_reports",
        "download_report",
        "get_alerts",
        "rcs_get",
        "rcs_get_or_create",
    )
    kinds = (
        {"kind": "status", "status": 502},
        {"kind": "status", "status": 503, "retry_after": "1"},
        {"kind": "drop"},
        {"kind": "html", "status": 504},
        {"kind": "cut_json", "how": "short_body"},
        {"kind": "rate_limit"},
    )
    # Not all at once: a request that is tried again waits twice as long each time.
    faults = [
        dict(kinds[(place + number) % len(kinds)], operation=operation, after=number)
        for place, operation in enumerate(reading)
        for number in range(3)
    ]
    # These may have changed something, so only what was refused for its number is asked again.
    faults += [{"operation": operation, "kind": "rate_limit", "times": 2} for operation in ("run_scan", "run_report")]
    simulator.control("POST", "faults", faults)
    targets = dict(verify_campaign_ids=[company.FINANCE, company.BADGES], verify_alert_ids=list(company.ALERT_IDS[:12]))
    run = verify(ansible, **targets)
    exposures = [one for one in company.exposures() if one["alert_internal_id"] in company.ALERT_IDS[:12]]
    assert run.outcomes == dict({company.FINANCE: "remediated", company.BADGES: "unremediated"}, **exposure_outcomes(exposures))
    assert max(started(simulator).values()) == 1
    assert {entry.get("fault") for entry in simulator.log()} >= {"status", "drop", "html", "cut_json", "rate_limit"}


LASTING = (
    ({"kind": "html"}, "DOCTYPE"),
    ({"kind": "empty"}, "the body is empty"),
    ({"kind": "cut_json", "body": '{"reply": {"status": "SUCCESS", "result": "REMEDIATED"'}, "is not JSON"),
    ({"kind": "redirect"}, "never sent to another address"),
    ({"kind": "status", "status": 500}, "HTTP 500"),
    ({"kind": "status", "status": 418, "body": "A proxy says no"}, "A proxy says no"),
)
# In these an empty answer is as good as any, because the status says it all.
STATUS_IS_ALL = ("run_scan", "run_report")
CHANGES = ("rcs_get_or_create", *STATUS_IS_ALL)
WAITED_FOR = ("rcs_get", "run_scan", "list_reports", "run_report", "download_report")


@pytest.mark.parametrize("simulator", [SMALL], indirect=True)
@pytest.mark.parametrize(
    "operation", ["rcs_get", "rcs_get_or_create", "get_campaign", "run_scan", "list_reports", "run_report", "download_report"]
)
def test_an_error_is_never_an_answer(ansible, simulator, operation):
    """Each fault hits one target. It is inconclusive, with a reason that helps, and the others are none the worse."""
    campaigns, exposures = generated(simulator)
    is_xpanse = operation.startswith("rcs")
    with running_simulator() as elsewhere:
        lasting = [
            (dict(fault, operation=operation, location=elsewhere.url + "/campaigns/v1"), words) for fault, words in LASTING
        ]
        if operation in STATUS_IS_ALL:
            lasting = [(fault, words) for fault, words in lasting if fault["kind"] not in ("empty", "cut_json")]
        if operation in WAITED_FOR:
            # What is no answer passes by itself while something is waited for.
            lasting = [(fault, words) for fault, words in lasting if fault["kind"] not in ("html", "empty", "cut_json")]
        if operation not in CHANGES:
            # It passes by itself where asking again does no harm.
            lasting = [(fault, words) for fault, words in lasting if fault.get("status") != 500]
        faults = [fault for fault, _words in lasting]
        if operation == "rcs_get_or_create":
            # Who was not told the id of a scan asks once more in the next task. The first one asks for all eight.
            faults += [dict(fault, after=8 - len(faults)) for fault in faults]
        if operation == "get_campaign":
            # On a tenant where none are read together.
            faults.append({"operation": "list_campaigns", "kind": "status", "status": 400, "times": None})
        simulator.control("POST", "faults", faults)
        # The second witness could answer for the campaigns that are hit.
        targets = dict(verify_campaign_ids=campaigns, verify_campaign_witnesses=["report"], verify_exposures=exposures)
        run = verify(ansible, **targets)
        assert elsewhere.log() == []
    hit = {name for name, outcome in run.outcomes.items() if outcome != "remediated"}
    assert run.status == 2 and len(run.outcomes) == 16
    assert len(hit) == len(lasting), [run.targets[name] for name in hit]
    assert {run.outcomes[name] for name in hit} == {"inconclusive"}
    assert hit <= set(map(exposure_id, exposures) if is_xpanse else campaigns)
    reasons = "\n".join(run.reason(name) for name in hit)
    for _fault, words in lasting:
        assert words in reasons
    # Run again, when all is well: what was started is used.
    again = verify(ansible, **targets)
    assert again.found["verdict"] == "verified" and again.status == 0
    if is_xpanse:
        assert max(started(simulator).values()) == 1
    assert sum(count for (kind, _name), count in started(simulator).items() if kind == "scan") == 16


@pytest.mark.parametrize("simulator", [("--campaigns", "4", "--exposures", "0", "--scan-seconds", "1")], indirect=True)
@pytest.mark.parametrize("fault", [fault for fault, _words in LASTING[:4]] + [{"kind": "status", "status": 503}])
def test_lists_that_are_no_answer_cost_no_outcome(ansible, simulator, fault):
    """The campaigns are read alone then."""
    campaigns, _exposures = generated(simulator)
    simulator.control("POST", "faults", [dict(fault, operation="list_campaigns", times=None)])
    run = verify(ansible, verify_campaign_ids=campaigns, sailpoint_retry_timeout=2)
    assert set(run.outcomes.values()) == {"remediated"} and len(run.outcomes) == 4 and run.status == 0
    assert simulator.log(operation="get_campaign") and max(started(simulator).values()) == 1


def test_a_request_that_was_carried_out_and_not_answered(ansible, simulator):
    """The scan runs, but nobody said so, and a refusal may be anybody's: another is asked for once the campaign is free."""
    faults = [{"operation": "run_scan", "kind": kind, "status": 503, "processed": True} for kind in ("status", "drop")]
    simulator.control("POST", "faults", faults)
    run = verify(ansible, verify_campaign_ids=[company.FINANCE, company.PRIVILEGED])
    assert run.found["verdict"] == "verified"
    assert {kind: count for (kind, _name), count in started(simulator).items()} == {"scan": 2, "report": 1}


def test_a_system_that_does_not_answer_leaves_the_other_alone(ansible, simulator):
    """A login page in place of tokens and alerts."""
    simulator.control(
        "POST", "faults", [{"operation": operation, "kind": "html", "times": None} for operation in ("token", "get_alerts")]
    )
    exposures = company.exposures(company.REMEDIATED)[:2]
    run = verify(
        ansible,
        verify_campaign_ids=[company.FINANCE],
        verify_campaign_filters='name sw "Fin"',
        verify_alert_ids=[4101, 4102],
        verify_case_ids=[71],
        verify_exposures=exposures,
    )
    hit = [company.FINANCE, 'filter: name sw "Fin"', "alert 4101", "alert 4102", "case 71"]
    assert run.outcomes == dict(dict.fromkeys(hit, "inconclusive"), **exposure_outcomes(exposures))
    assert all("DOCTYPE" in run.reason(name) for name in hit)


# --- What SailPoint may do that nobody knows


def test_modified_moves_early(ansible, simulator):
    simulator.control("POST", "config", {"scan_seconds": 4})
    for campaign_id in (company.FINANCE, company.WAREHOUSE):
        patch_campaign(simulator, campaign_id, modified_moves="early")
    run = verify(ansible, verify_campaign_ids=[company.FINANCE, company.WAREHOUSE])
    assert run.outcomes == {company.FINANCE: "remediated", company.WAREHOUSE: "unremediated"}
    # The campaign refused the report until the scan had ended.
    assert simulator.log(operation="run_report", status=400)
    assert set(started(simulator).values()) == {1}


def test_modified_never_moves(ansible, simulator):
    """That is not called finished; and it does not cost the other campaigns their reports."""
    patch_campaign(simulator, company.PRIVILEGED, modified_moves="never")
    targets = dict(verify_campaign_ids=[company.PRIVILEGED, company.FINANCE], verify_wait_timeout=16)
    run = verify(ansible, **targets)
    assert run.outcomes == {company.PRIVILEGED: "pending", company.FINANCE: "remediated"}
    assert run.found["verdict"] == "incomplete" and run.status == 2
    assert "has not finished" in run.reason(company.PRIVILEGED)
    assert started(simulator)["scan", company.PRIVILEGED] == 1


def test_a_report_of_somebody_else_holds_the_campaign(ansible, simulator):
    patch_campaign(simulator, company.FINANCE, report_seconds=600)
    another_client(simulator, "POST", "/campaigns/v1/%s/run-report/CAMPAIGN_STATUS_REPORT" % company.FINANCE)
    targets = dict(verify_campaign_ids=[company.FINANCE], verify_evidence_dir=str(ansible.folder / "remediation-evidence"))
    look = verify(ansible, verify_wait=False, **targets)
    assert look.outcomes == {company.FINANCE: "pending"} and look.found["verdict"] == "incomplete" and look.status == 2
    assert "a report of the campaign runs" in look.reason(company.FINANCE)
    process = ansible.start(PLAYBOOK, **QUICK, **targets)
    wait_until(seen(simulator, "run_scan", 3), "it waits", process)
    patch_campaign(simulator, company.FINANCE, report_seconds=None)
    output, _nothing = process.communicate(timeout=60)
    run = Verification(process.returncode, output, ansible.folder / "remediation-evidence")
    assert run.status == 0 and run.outcomes == {company.FINANCE: "remediated"}
    assert len(simulator.log(operation="run_scan", changed=True)) == 1


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_report_is_purged_between_two_runs(ansible, simulator, status):
    first = verify(ansible, verify_campaign_ids=[company.BADGES])
    simulator.control("POST", "purge_reports", {"status": status})
    second = verify(ansible, verify_campaign_ids=[company.BADGES])
    assert second.outcomes == first.outcomes == {company.BADGES: "unremediated"}
    assert started(simulator) == {("scan", company.BADGES): 1, ("report", company.BADGES): 2}
    before, after = first.targets[company.BADGES], second.targets[company.BADGES]
    assert after["report"]["lastRunAt"] > before["report"]["lastRunAt"] > after["scan"]["modified"]


# --- Who may ask, and how


@pytest.mark.parametrize(
    "credentials, versions, key",
    [("report", "v1", "standard"), ("cert", "beta", "advanced"), ("report", "beta", "standard"), ("admin", "v2025", "advanced")],
)
def test_credentials_and_versions(ansible, simulator, credentials, versions, key):
    prefixes = ("/campaigns/v1", "/reports/v1", "/certifications/v1") if versions == "v1" else ("/%s/" % versions,)
    exposures = [company.exposures(company.REMEDIATED)[0], company.exposures(company.UNREMEDIATED)[0]]
    run = verify(
        ansible,
        verify_campaign_ids=[company.FINANCE],
        verify_campaign_filters='name sw "Warehouse"',
        verify_exposures=exposures,
        verify_case_ids=[71],
        sailpoint_client_id="%s-client" % credentials,
        sailpoint_client_secret="%s-secret" % credentials,
        sailpoint_api_version=versions,
        xpanse_api_key_id={"advanced": 1, "standard": 2}[key],
        xpanse_api_key="%s-key" % key,
        xpanse_api_key_type=key,
        environment=dict.fromkeys(("SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET", "CORTEX_API_KEY_ID", "CORTEX_API_KEY")),
    )
    assert run.outcomes[company.FINANCE] == "remediated" and run.outcomes[company.WAREHOUSE] == "unremediated"
    assert [run.outcomes[exposure_id(one)] for one in exposures] == ["remediated", "unremediated"]
    assert len(run.outcomes) == 5
    paths = [entry["path"] for entry in simulator.log(api="sailpoint") if entry["operation"] != "token"]
    assert all(path.startswith(prefixes) for path in paths)
    # Closed to a report administrator, whom a list serves as well.
    assert credentials == "report" or not simulator.log(operation="get_campaign", status=403)


# --- Bad input


def test_a_ledger_that_is_none_is_kept(ansible, simulator):
    evidence = ansible.folder / "remediation-evidence"
    evidence.mkdir()
    rubbish = b'{"schema_version": 1, "records": {"a\xff'
    (evidence / "ledger.json").write_bytes(rubbish)
    targets = dict(verify_campaign_ids=[company.PRIVILEGED], verify_exposures=company.exposures(company.REMEDIATED)[:1])
    run = verify(ansible, **targets)
    assert run.status == 2 and simulator.log() == [] and not run.found
    (kept,) = evidence.glob("ledger.json.unreadable-*")
    assert kept.read_bytes() == rubbish and str(kept) in run.output
    # A later task of the role would say the same, so it speaks only of itself.
    assert "is not a ledger" in run.output and "this task has started nothing" in run.output
    again = verify(ansible, **targets)
    assert again.status == 0 and again.found["verdict"] == "verified" and kept.read_bytes() == rubbish


@pytest.mark.parametrize(
    "variables, words",
    [
        (dict(verify_evidence_dir="{{ inventory_file }}/evidence"), "Cannot write into the evidence directory"),
        (dict(verify_ledger="{{ inventory_file }}/ledger.json"), "ledger"),
        (dict(verify_campaign_ids=[], verify_exposures=[]), "There is nothing to verify. Name targets with"),
        (dict(verify_fail_on=["everything"]), "value of verify_fail_on must be one or more of"),
        (dict(verify_wait_timeout="soon"), "verify_wait_timeout"),
        (dict(verify_exposures=[dict(alert_internal_id=4101, service="typo")]), "verify_exposures"),
    ],
    ids=["evidence_dir", "ledger", "nothing", "fail_on", "timeout", "exposure"],
)
def test_what_is_said_before_any_scan(ansible, simulator, variables, words):
    targets = dict(verify_campaign_ids=[company.PRIVILEGED], verify_exposures=company.exposures()[:1])
    run = verify(ansible, **{**targets, **variables})
    assert run.status == 2 and words in run.output
    assert "fatal:" in run.output and simulator.log() == []


MISSING = dict.fromkeys(("SAIL_CLIENT_SECRET", "CORTEX_API_KEY"))
WRONG = {"SAIL_CLIENT_SECRET": "wrong-secret", "CORTEX_API_KEY": "wrong-key"}
NO_SCHEME = {"SAIL_BASE_URL": "acme.api.identitynow.com"}
PLAIN = {"SAIL_BASE_URL": "http://acme.api.identitynow.com", "CORTEX_FQDN": "http://acme.example"}
NOBODY = {"SAIL_BASE_URL": "http://127.0.0.1:9", "CORTEX_FQDN": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    "environment, sailpoint, xpanse",
    [
        (MISSING, "client_secret is not given", "missing required arguments: api_key"),
        (WRONG, "HTTP 401, invalid_client", "HTTP 401, err_code 401"),
        (NO_SCHEME, "write https://acme.api.identitynow.com", None),
        (PLAIN, "would send credentials unencrypted", "would send credentials unencrypted"),
        (NOBODY, "no connection to http://127.0.0.1:9", "no connection to http://127.0.0.1:9"),
    ],
    ids=["missing", "wrong", "no scheme", "plain", "nobody"],
)
def test_connections_that_cannot_work(ansible, simulator, environment, sailpoint, xpanse):
    exposures = company.exposures(company.REMEDIATED)[:1]
    options = dict(retry_timeout=1)
    run = verify(
        ansible,
        playbook=ROLE,
        verify_campaign_ids=[company.FINANCE],
        verify_exposures=exposures,
        verify_alert_ids=[4111],
        sailpoint_options=options,
        xpanse_options=options,
        environment=environment,
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert run.status == 2 and run.outcomes[company.FINANCE] == "inconclusive"
    assert sailpoint in run.reason(company.FINANCE)
    if xpanse:
        assert set(run.outcomes.values()) == {"inconclusive"} and len(run.outcomes) == 3
        assert xpanse in run.reason("alert 4111") and xpanse in run.reason(exposure_id(exposures[0]))
        assert not simulator.log(changed=True)
    else:
        assert run.outcomes[exposure_id(exposures[0])] == "remediated"
    for secret in ("wrong-secret", "wrong-key", "advanced-key", "admin-secret"):
        assert secret not in run.output + json.dumps(run.found)


def test_targets_that_cannot_be(ansible, simulator):
    good = company.exposures(company.REMEDIATED)[0]
    as_text = {name: str(value) for name, value in good.items()}
    no_rule = dict(good, attack_surface_rule_id="")
    no_alert = {name: value for name, value in good.items() if name != "alert_internal_id"}
    negative = dict(good, alert_internal_id=-4101)
    unknown = dict(good, alert_internal_id=1)
    run = verify(
        ansible,
        verify_campaign_ids=["nobody-has-this", company.MANAGERS, company.PRIVILEGED],
        verify_campaign_filters='name sw "Nobody"',
        verify_alert_ids=[4139, 4140, 9999],
        verify_case_ids=[71, 9999],
        verify_exposures=[no_rule, good, no_alert, negative, as_text, unknown, good],
    )
    names = dict(
        no_rule=exposure_id(no_rule),
        no_alert=":%(attack_surface_rule_id)s:%(service_id)s" % good,
        negative=exposure_id(negative),
        unknown=exposure_id(unknown),
    )
    assert {run.outcomes[name] for name in names.values()} == {"inconclusive"}
    assert "attack_surface_rule_id is missing" in run.reason(names["no_rule"])
    assert "alert_internal_id is missing" in run.reason(names["no_alert"])
    assert "alert_internal_id -4101 is negative" in run.reason(names["negative"])
    assert "err_code 100" in run.reason(names["unknown"])
    assert run.outcomes["nobody-has-this"] == "inconclusive"
    assert "no campaign has this id" in run.reason("nobody-has-this")
    assert run.outcomes[company.MANAGERS] == "pending" and "ACTIVE" in run.reason(company.MANAGERS)
    assert "no alert has this id" in run.reason("alert 9999")
    assert "no alert belongs to this case" in run.reason("case 9999")
    assert "no attack surface rule" in run.reason("alert 4139") and "no service" in run.reason("alert 4140")
    # What can be verified was, once each.
    assert run.outcomes[company.PRIVILEGED] == "remediated" and run.outcomes[exposure_id(good)] == "remediated"
    # A filter that matches nothing was asked for, too.
    assert run.outcomes['filter: name sw "Nobody"'] == "inconclusive" and len(run.outcomes) == 15
    counts = started(simulator)
    assert counts["scan", exposure_id(good)] == 1 and max(counts.values()) == 1
    # The three exposures of case 71, of which one is the good one, and twice the unknown one.
    assert Counter(entry["status"] for entry in simulator.log(operation="rcs_get_or_create")) == {201: 3, 500: 2}
    assert not [entry for entry in asked_to_start(simulator) if entry.get("campaign_id") == company.MANAGERS]


def test_a_report_in_the_words_of_the_tenant(ansible, simulator):
    """Nothing is scanned or run again only because somebody explains the words."""
    patch_campaign(simulator, company.HAMBURG, identity_columns=["Status"])
    targets = dict(verify_campaign_ids=[company.HAMBURG], verify_fail_on=["unremediated", "pending"])
    targets.update(verify_campaign_witnesses=["report"])
    first = verify(ansible, **targets)
    assert first.status == 0 and first.outcomes == {company.HAMBURG: "inconclusive"}
    before = len(asked_to_start(simulator))
    column = verify(ansible, verify_remediation_status_column="bearbeitungsstand", **targets)
    assert column.outcomes == {company.HAMBURG: "inconclusive"}
    assert "'Vollzogen' (2)" in column.reason(company.HAMBURG) and "'Schwebend' (1)" in column.reason(company.HAMBURG)
    whole = verify(
        ansible,
        verify_remediation_status_column="Bearbeitungsstand",
        verify_remediated_values=["Vollzogen"],
        verify_open_values=["Schwebend"],
        **targets,
    )
    assert whole.status == 2 and whole.outcomes == {company.HAMBURG: "unremediated"}
    assert whole.targets[company.HAMBURG]["items"]["items_remediated"] == 2
    assert len(asked_to_start(simulator)) == before


# --- Where the result goes


def test_the_result_is_handed_on_and_the_evidence_is_in_the_current_directory(ansible, simulator):
    run = verify(ansible, verify_alert_ids=[4101], environment={"ANSIBLE_SHOW_CUSTOM_STATS": "true", "PWD": "/"})
    assert run.status == 0 and run.found["verdict"] == "verified"
    stats = run.output[run.output.index("CUSTOM STATS:") :]
    handed_on = json.loads(stats[stats.index("{") : stats.rindex("}") + 1])["verify_artifact"]
    path = (ansible.folder / "remediation-evidence" / "latest").resolve() / "verification.json"
    assert handed_on["verdict"] == "verified" and handed_on["path"] == str(path) and handed_on["sha256"] == sha256(path)
    assert set(handed_on["targets"][0]) == {
        "kind",
        "id",
        "name",
        "outcome",
        "reason",
        "open_since",
        "scan_id",
        "started_at",
        "finished_at",
        "evidence",
    }
    assert handed_on["counts"] == {"remediated": 1, "unremediated": 0, "pending": 0, "inconclusive": 0, "total": 1}


def test_the_evidence_is_beside_a_playbook_of_ones_own(ansible, simulator):
    playbook = ansible.folder / "playbooks" / "role.yml"
    playbook.parent.mkdir()
    playbook.write_text(ROLE.read_text())
    run = verify(ansible, playbook=playbook, evidence="playbooks/remediation-evidence", verify_alert_ids=[4101])
    assert run.status == 0 and run.found["verdict"] == "verified"


def test_two_tenants(ansible, simulator):
    with running_simulator("--scan-seconds", "0", "--exposures", "2") as other:
        hosts = {
            "acme": dict(xpanse_base_url=simulator.url, verify_alert_ids=[4101]),
            "globex": dict(xpanse_base_url=other.url, verify_alert_ids=[100001, 100002]),
        }
        inventory = ansible.folder / "tenants.json"
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}))
        run = verify(ansible, inventory=inventory, verify_hosts="all", environment={"ANSIBLE_SHOW_CUSTOM_STATS": "true"})
        assert run.status == 0, run.output
        stats = run.output[run.output.index("CUSTOM STATS:") :]
        handed_on = json.loads(stats[stats.index("{") : stats.rindex("}") + 1])["verify_artifacts"]
        assert {name: result["counts"]["remediated"] for name, result in handed_on.items()} == {"acme": 1, "globex": 2}
        found = {
            name: json.loads((ansible.folder / "remediation-evidence" / name / "latest" / "verification.json").read_text())
            for name in hosts
        }
        assert {name: one["counts"]["remediated"] for name, one in found.items()} == {"acme": 1, "globex": 2}
        assert len(other.log(operation="rcs_get_or_create")) == 2
    assert len(simulator.log(operation="rcs_get_or_create")) == 1


def test_evidence_is_signed_and_checked_years_later(ansible, simulator):
    key = ansible.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = ansible.folder / "signers"
    signers.write_text("audit@example.com %s" % key.with_suffix(".pub").read_text())
    for _run in range(2):
        run = verify(ansible, verify_alert_ids=[4101], verify_signing_key=str(key), verify_formats=["csv"])
        assert run.status == 0, run.output
    assert {path.name for path in run.evidence.iterdir()} == {
        "verification.json",
        "verification.csv",
        "open-items.csv",
        "records",
        "SHA256SUMS",
        "SHA256SUMS.sig",
    }
    assert [entry["verdict"] for entry in run.found["history"]] == ["verified"] * 2

    check = dict(evidence_dir="remediation-evidence", evidence_signers_file=str(signers), evidence_signed=True)
    done = ansible.run(CHECK, **check)
    assert done.returncode == 0 and "2 of 2 runs are intact" in done.stdout, done.stdout
    assert done.stdout.count("signed by audit@example.com") == 2
    csv = run.evidence / "verification.csv"
    csv.write_text(csv.read_text().replace("remediated", "Remediated"))
    done = ansible.run(CHECK, **check)
    assert done.returncode == 2 and "%s: verification.csv was changed" % run.evidence.name in done.stdout


# --- Secrets


def test_arguments_that_are_wrong_show_no_secret(ansible, simulator):
    exposures = company.exposures()[:1]
    run = verify(
        ansible,
        playbook=ROLE,
        verify_campaign_ids=[company.FINANCE],
        verify_exposures=exposures,
        sailpoint_options=dict(client_secret="admin-secret", nonsense=1),
        xpanse_options=dict(api_key="advanced-key", concurrency="many"),
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert "Unsupported parameters" in run.reason(company.FINANCE) and "nonsense" in run.reason(company.FINANCE)
    assert "concurrency" in run.reason(exposure_id(exposures[0]))
    for secret in ("admin-secret", "advanced-key"):
        assert secret not in run.output + json.dumps(run.found)


@pytest.mark.parametrize("how", ["in the controller's process", "as modules"])
def test_no_secret_is_shown(ansible, simulator, how):
    """Not even at the highest verbosity, not even in an error."""
    simulator.control(
        "POST",
        "faults",
        [
            {"operation": "list_campaigns", "kind": "html", "times": None, "body": "<p>client_secret=admin-secret</p>"},
            {"operation": "get_campaign", "kind": "html", "after": 1, "body": "<p>client_secret=admin-secret</p>"},
            {"operation": "rcs_get", "kind": "status", "status": 418, "body": "Bad key advanced-key"},
        ],
    )
    secrets = dict(sailpoint_client_secret="admin-secret", xpanse_api_key="advanced-key")
    if how == "as modules":
        # A real module; and what is in the playbook's variables must not be shown either.
        secrets["ansible_connection"] = "ssh"
        secrets["ansible_ssh_executable"] = str(fake_ssh(ansible.folder))
        secrets["ansible_ssh_transfer_method"] = "piped"
    environment = dict.fromkeys(("SAIL_CLIENT_SECRET", "CORTEX_API_KEY"))
    done = ansible.run(
        PLAYBOOK,
        "-vvvv",
        verify_campaign_ids=[company.FINANCE, company.WAREHOUSE],
        verify_alert_ids=[4101, 4103],
        environment=environment,
        **QUICK,
        **secrets,
    )
    assert done.returncode == 2, done.stdout
    evidence = ansible.folder / "remediation-evidence"
    files = [path for path in evidence.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"verification.json", "ledger.json"} and len(files) > 2
    run = json.loads((evidence / "latest" / "verification.json").read_text())
    assert Counter(target["outcome"] for target in run["targets"])["inconclusive"] == 2
    assert "********" in json.dumps(run)
    for text in [done.stdout, *(path.read_text(encoding="utf-8") for path in files)]:
        # How every token of the simulator begins.
        for secret in ("admin-secret", "advanced-key", "eyJhbGciOiAiUlMyNTYi"):
            assert secret not in text, text[max(0, text.index(secret) - 300) : text.index(secret) + 100]


def fake_ssh(folder):
    """A program that runs here what it is asked to run elsewhere."""
    program = folder / "ssh"
    program.write_text('#!/bin/sh\nfor command; do :; done\nexec /bin/sh -c "$command"\n')
    program.chmod(0o755)
    return program
