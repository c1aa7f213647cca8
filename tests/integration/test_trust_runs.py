# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that must end, outlive an outage, say what they could not do, and believe nobody but their own answers."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import TESTS
from gateway import Reply
from simulator import company
from trust import PLAYBOOK, QUICK, ROLE, exposure_id, gateway_to, verify

REPOSITORY = TESTS.parent
UNAVAILABLE = {"reply": {"err_code": 503, "err_msg": "The service is being restarted", "err_extra": None}}


def names_of_the_role():
    """(the names of the role's registered results, the names that it hands on)."""
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "roles" / "verify").rglob("*.yml")]
    registered = {name for text in texts for name in re.findall(r"^ *register: *(\w+)", text, re.MULTILINE)}
    public = {name for text in texts for name in re.findall(r"\b(verify_result\w*|verify_started)\b", text)}
    return registered, public | {"verify_result", "verify_results"}


def test_what_an_earlier_node_handed_on(ansible, simulator):
    """As AWX hands it on: as extra variables, which outrank whatever a play sets."""
    good = verify(ansible, verify_alert_ids=[4101], evidence="earlier", verify_evidence_dir=str(ansible.folder / "earlier"))
    assert good.status == 0, good.output
    result = dict(
        verdict="verified",
        summary="Verified: 1 of 1 targets remediated.",
        counts=good.found["counts"],
        run=good.found["run"],
        directory=str(good.folder),
        path=str(good.folder / "verification.json"),
        sha256="0" * 64,
        files={},
        targets=[],
        targets_left_out=0,
    )
    inside, outside = names_of_the_role()
    public = {name: {"localhost": result} if name == "verify_results" else result for name in outside}
    run = verify(ansible, verify_alert_ids=[4103], **public)
    assert list(run.outcomes.values()) == ["unremediated"], run.output
    assert run.status == 2 and "Not verified: 0 of 1 targets remediated" in run.output
    assert "Verified: 1 of 1" not in run.output
    # What is inside nobody hands on; who does must not get a green run for it.
    registered = dict(changed=False, failed=False, skipped=False, verification=result, rcs_requests=[], scans=[], reports=[])
    done = ansible.run(PLAYBOOK, **dict(QUICK, verify_alert_ids=[4103], **dict.fromkeys(inside, registered)))
    assert done.returncode != 0 and "Verified: 1 of 1" not in done.stdout, done.stdout


OUTAGE = 9


@pytest.mark.parametrize("simulator", [("--exposures", "6", "--campaigns", "2", "--rate-limit", "0")], indirect=True)
def test_a_wait_outlives_an_outage(ansible, simulator):
    """One that is longer than retry_timeout: of Xpanse with 503, of SailPoint with 500."""
    campaigns = list(simulator.control("GET", "state")["campaigns"])
    simulator.control("POST", "config", {"scan_seconds": 4})
    begun = {}

    def away(status):
        def answer(received):
            begun.setdefault(status, time.monotonic())
            return Reply(status, json=UNAVAILABLE) if time.monotonic() < begun[status] + OUTAGE else None

        return answer

    with gateway_to(ansible, simulator) as gateway:
        gateway.instead("requests/get/? ", away(503))
        # The second look at campaigns, together or one by one, is the first one of the wait.
        gateway.instead(
            "GET /campaigns/v1(/[0-9a-f]+)?[?]",
            lambda received: away(500)(received) if len(gateway.asked("POST .*run-remediation-scan")) >= len(campaigns) else None,
        )
        run = verify(
            ansible,
            verify_exposures=simulator.exposures(),
            verify_campaign_ids=campaigns,
            xpanse_retry_timeout=3,
            sailpoint_retry_timeout=3,
            verify_wait_timeout=60,
        )
    assert Counter(run.outcomes.values()) == {"remediated": 8}, {name: run.reason(name) for name in run.outcomes}
    assert run.status == 0 and set(begun) == {500, 503}


@pytest.mark.parametrize("simulator", [("--exposures", "0", "--campaigns", "0")], indirect=True)
def test_an_api_that_is_away_is_away_for_all(ansible, simulator):
    """It costs retry_timeout once, not once for each few targets."""
    exposures = [
        dict(alert_internal_id=number, attack_surface_rule_id="RdpServer", service_id=company.exposures()[0]["service_id"])
        for number in range(1, 241)
    ]
    with gateway_to(ansible, simulator) as gateway:
        gateway.instead("public_api", Reply(503, json=UNAVAILABLE))
        run = verify(
            ansible, verify_exposures=exposures, verify_wait_timeout=300, xpanse_retry_timeout=4, xpanse_rate_limit=0, within=90
        )
        requests = len(gateway.requests)
    assert set(run.outcomes.values()) == {"inconclusive"} and len(run.outcomes) == 240 and run.status == 2
    # Twenty-four at once try for four seconds, and go from a second between two attempts to several.
    assert requests < 240, "%d requests, so each target tried for itself" % requests
    run.notes("an API that is away", exposure_id(exposures[-1]))


@pytest.mark.parametrize("simulator", [("--exposures", "0", "--campaigns", "2", "--rate-limit", "0")], indirect=True)
def test_wait_timeout_bounds_whatever_happens(ansible, simulator):
    """Pages without end, and an answer of which a byte comes each second."""
    named, _other = simulator.control("GET", "state")["campaigns"]
    numbers = iter(range(10**9))

    def page(received):
        time.sleep(1.5)
        return Reply(
            json=[
                dict(id="%032x" % next(numbers), name="n", status="ACTIVE", modified="2026-01-01T00:00:00Z")
                for _number in range(250)
            ]
        )

    with gateway_to(ansible, simulator) as gateway:
        gateway.instead("GET /campaigns/v1[?]", page)
        gateway.instead("GET /campaigns/v1/%s[?]" % named, Reply(body=b" " * 600 + b"{}", drip=(1, 0.5)))
        run = verify(
            ansible,
            verify_campaign_filters='name sw ""',
            verify_campaign_ids=[named],
            verify_wait_timeout=6,
            sailpoint_request_timeout=4,
            sailpoint_retry_timeout=2,
            within=90,
        )
    assert run.status == 2 and run.outcomes[named] == "inconclusive"
    told = [name for name in run.outcomes if name.startswith("filter")]
    assert told and run.outcomes[told[0]] == "inconclusive"
    run.notes("an answer of which a byte comes each second", named)
    run.notes("pages without end", told[0])


def test_a_task_that_ansible_ended(ansible, simulator):
    """It still leads to evidence."""
    simulator.control("POST", "config", {"scan_seconds": 600})
    run = verify(
        ansible,
        verify_alert_ids=[4101],
        verify_campaign_ids=[company.FINANCE],
        verify_wait_timeout=600,
        environment={"ANSIBLE_TASK_TIMEOUT": "4"},
        within=60,
    )
    assert run.status == 2 and run.found["verdict"] != "verified"
    assert {"pending", "inconclusive"} >= set(run.outcomes.values()) and len(run.outcomes) == 2


def test_start_that_could_start_nothing(ansible, simulator):
    """A nightly job must not end well when its key is wrong."""
    run = verify(
        ansible,
        playbook=ROLE,
        entry_point="start",
        verify_alert_ids=[4101],
        environment={"CORTEX_API_KEY": "wrong"},
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert run.status == 2, run.output
    assert simulator.control("GET", "stats")["scans_started"] == 0
    run.notes("a wrong key", "alert 4101")
    # One that could start something ends well, although nothing is verified yet.
    run = verify(
        ansible,
        playbook=ROLE,
        entry_point="start",
        verify_alert_ids=[4101],
        verify_evidence_dir=str(ansible.folder / "remediation-evidence"),
    )
    assert run.status == 0 and simulator.control("GET", "stats")["scans_started"] == 1, run.output


def test_one_tenant_of_several(ansible, simulator):
    """Where a tenant's evidence lies does not depend on how many others the play has."""
    inventory = ansible.folder / "tenants.json"
    inventory.write_text(
        json.dumps(
            {
                "all": {
                    "hosts": {"acme": {"verify_alert_ids": [4101]}, "globex": {"verify_alert_ids": [4102]}},
                    "vars": {"ansible_connection": "local"},
                }
            }
        )
    )
    arguments = dict(QUICK, inventory=inventory, verify_hosts="all")
    done = ansible.run(PLAYBOOK, **arguments)
    assert done.returncode == 0, done.stdout
    done = ansible.run(PLAYBOOK, "--limit", "acme", **arguments)
    assert done.returncode == 0, done.stdout
    evidence = ansible.folder / "remediation-evidence"
    runs = Counter(
        path.parent.parent.relative_to(evidence) for path in evidence.rglob("verification.json") if not path.parent.is_symlink()
    )
    assert runs == {Path("acme"): 2, Path("globex"): 1}, runs
    assert simulator.control("GET", "stats")["scans_started"] == 2


def test_a_proxys_password_is_nowhere(ansible, simulator):
    """Whatever is wrong with the proxy's address."""
    for proxy in (
        "http://user:ss-w0rd#x@127.0.0.1:1",
        "http://user:ss-w0rd/x@127.0.0.1:bad",
        "http://user:ss-w0rd?x@127.0.0.1:99999",
    ):
        run = verify(
            ansible,
            verify_alert_ids=[4101],
            xpanse_retry_timeout=0,
            environment={
                "CORTEX_FQDN": "https://tenant.invalid",
                "HTTPS_PROXY": proxy,
                "https_proxy": proxy,
                "NO_PROXY": None,
                "no_proxy": None,
            },
        )
        assert run.status == 2 and "remediated" not in run.outcomes.values()
        for text in [
            run.output,
            *(path.read_text(encoding="utf-8", errors="replace") for path in run.folder.rglob("*") if path.is_file()),
        ]:
            assert "ss-w0rd" not in text, text[max(0, text.index("ss-w0rd") - 200) :][:400]


def test_the_evidence_proves_itself(ansible, simulator):
    """What is on record is enough to find every outcome again, and what was edited is told."""
    run = verify(ansible, verify_alert_ids=[4101, 4103], verify_campaign_ids=[company.FINANCE, company.WAREHOUSE])
    assert run.found["replay"] == {"followed": 4, "total": 4}, run.found.get("replay")
    (record,) = [path for path in (run.folder / "records").iterdir() if "UNREMEDIATED" in path.read_text(encoding="utf-8")]
    record.write_text(record.read_text(encoding="utf-8").replace("UNREMEDIATED", "REMEDIATED"), encoding="utf-8")
    done = ansible.run("secops.remediation.verify_evidence", evidence_dir="remediation-evidence")
    assert done.returncode == 2 and record.name in done.stdout
