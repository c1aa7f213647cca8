# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Made-up verifications, the content of verification.json, of any size."""

from __future__ import annotations

import hashlib

OUTCOMES = ("remediated", "unremediated", "inconclusive", "pending")
RUNS = ("20260801T060000Z", "20260808T060000Z", "20260815T060000Z")
RUN_ENDS = ("2026-08-01T06:04:00Z", "2026-08-08T06:05:30Z", "2026-08-15T06:03:20Z")
FILES = (
    "verification.json",
    "verification.html",
    "verification.csv",
    "verification.junit.xml",
    "verification.md",
    "oscal-assessment-results.json",
    "verification.sarif",
    "verification.intoto.json",
    "SHA256SUMS",
    "SHA256SUMS.sig",
    "reports/c1.csv",
    "records/rcs_requests.json",
)
REASONS = {
    ("campaign", "remediated"): "2 of 2 items remediated",
    ("campaign", "unremediated"): "2 of 3 items still open",
    ("campaign", "inconclusive"): "the remediation status report has the status FAILURE",
    ("campaign", "pending"): "the campaign is ACTIVE: not all decisions are made yet",
    ("exposure", "remediated"): "Xpanse scanned the service and sees the exposure no more",
    ("exposure", "unremediated"): "Xpanse scanned the service and still sees the exposure",
    ("exposure", "inconclusive"): "Xpanse could not finish the scan in time (FAILED_TIMEOUT)",
    ("exposure", "pending"): "the scan has not finished",
}
SEVERITIES = ("critical", "high", "medium", "low", "informational")


def verification(each=2, outcomes=OUTCOMES, kinds=("campaign", "exposure"), **changes):
    """A verification with as many targets of each kind and outcome."""
    targets = [target(kind, outcome, number) for outcome in outcomes for kind in kinds for number in range(each)]
    counts = {outcome: sum(item["outcome"] == outcome for item in targets) for outcome in OUTCOMES}
    counts["total"] = len(targets)
    if counts["unremediated"] or counts["inconclusive"]:
        verdict, word = "not_verified", "Not verified"
    elif counts["pending"] or not targets:
        verdict, word = "incomplete", "Not finished yet"
    else:
        verdict, word = "verified", "Verified"
    earlier = dict(remediated=0, unremediated=len(targets), inconclusive=0, pending=0, total=len(targets))
    history = [dict(run=run, finished_at=end, verdict="not_verified", counts=earlier) for run, end in zip(RUNS, RUN_ENDS)]
    history[-1] = dict(run=RUNS[-1], finished_at=RUN_ENDS[-1], verdict=verdict, counts=counts)
    return dict(
        dict(
            schema_version="1.1",
            collection=dict(name="secops.remediation", version="9.9.9"),
            run=RUNS[-1],
            verdict=verdict,
            summary="%s: %d of %d targets remediated." % (word, counts["remediated"], counts["total"]),
            counts=counts,
            started_at="2026-08-15T06:00:00Z",
            finished_at=RUN_ENDS[-1],
            controls=["ac-2", "ac-6.7", "ca-7", "ra-5", "si-2"],
            previous_run=dict(run=RUNS[1], sha256sums_sha256=sha256("previous")),
            history=history,
            targets=targets,
        ),
        **changes,
    )


def telling():
    """A verification with all that version 1.2 of the format added."""
    made = verification()
    for place, item in enumerate(made["targets"]):
        item["not_verified_since"] = item["open_since"] and RUN_ENDS[0]
        if item["outcome"] != "unremediated":
            item["open_since"] = None
        if "items" in item:
            item["items"]["words"] = [
                dict(word="Done", count=2, meaning="remediated", source="configured" if place % 2 else "built_in"),
                dict(word="", count=1, meaning="unknown", source="built_in"),
                dict(column="Item Status", word="Open", count=1, meaning="open", source="built_in"),
            ]
    for run, number in zip(made["history"], (3, None, 4)):
        run["open_items"] = number
    accepted = dict(by="ciso@example.com", until="2027-01-01T23:59:59Z", reason="The vendor's fix comes in March")
    records = []
    for item in made["targets"]:
        if item["outcome"] == "unremediated":
            item.update(owner="iam@example.com", accepted=accepted)
            about = dict(kind=item["kind"], id=item["id"])
            records.append(dict(accepted, **about, state="accepted", detail="ciso@example.com accepted it until then."))
    unknown = dict(kind="host", id="h1", name="A host", outcome="unremediated", reason="it is still there", system=None)
    return dict(
        made,
        schema_version="1.2",
        targets=made["targets"] + [unknown],
        replay=dict(followed=16, total=17),
        acceptance=dict(accepted=[*records, dict(records[0], id="x" * 90, state="no_target")], all_open_accepted=False),
        lookups=[
            dict(kind="filter", asked='name sw "Q"', found=0, problem="no campaign fits it"),
            dict(kind="case", asked="71", found=2, problem=None),
        ],
    )


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def target(kind, outcome, number):
    """One target with everything that is known of one like it."""
    scanned = not (kind == "campaign" and outcome == "pending")
    finished = scanned and outcome != "pending"
    common = dict(
        kind=kind,
        outcome=outcome,
        reason=REASONS[kind, outcome],
        open_since=None if outcome == "remediated" else RUN_ENDS[number % 3],
        started_at="2026-08-15T06:00:0%d.25Z" % (number % 10) if scanned else None,
        finished_at="2026-08-15T06:02:%02dZ" % (number % 60) if finished else None,
    )
    return (campaign if kind == "campaign" else exposure)(common, scanned, number)


def campaign(common, scanned, number):
    key = "c%s%04d" % (common["outcome"][0], number)
    path = "/campaigns/v1/%s" % key
    requests = [("GET", path, 200, "trackingId %s" % sha256(key)[:32])]
    record = dict(
        common,
        id=key,
        name="%s review %d" % (common["outcome"].capitalize(), number),
        scan_id=None,
        system="https://tenant.api.example.com",
        evidence=[],
        campaign=dict(
            name="Review",
            type="MANAGER",
            status="COMPLETED" if scanned else "ACTIVE",
            deadline="2026-08-10T00:00:00Z",
            totalCertifications=4,
            completedCertifications=4,
        ),
    )
    if scanned:
        requests += [
            ("POST", path + "/run-remediation-scan", 202, None),
            ("POST", path + "/run-report/CAMPAIGN_REMEDIATION_STATUS_REPORT", 202, None),
            ("GET", "/reports/v1/r%s" % key, 200, None),
        ]
        unremediated = common["outcome"] == "unremediated"
        record.update(
            scan=dict(
                status="finished",
                requested_at=common["started_at"],
                modified_before="2026-08-11T08:00:00Z",
                modified=common["finished_at"],
            ),
            report=dict(
                id="r" + key,
                status="SUCCESS",
                lastRunAt="2026-08-15T06:02:59.5Z",
                reportType="CAMPAIGN_REMEDIATION_STATUS_REPORT",
            ),
            items=dict(
                items_total=3,
                items_remediated=1 if unremediated else 3,
                items_open=2 if unremediated else 0,
                items_unknown=0,
                status_column="Status",
                open_items=[open_item(number, place) for place in range(2)] if unremediated else [],
            ),
            evidence=[dict(path="reports/%s.csv" % key, sha256=sha256(key))],
        )
    return dict(record, requests=answered(requests))


def open_item(number, place):
    return {
        "Identity": "Person %d-%d" % (number, place),
        "Employee Number": "%d" % (1000 + number),
        "Department": "Accounts Payable",
        "Work Location": "Lyon",
        "Account": "person%d" % number,
        "Source": "Ledger",
        "Access Type": "ENTITLEMENT",
        "Access": "Approve payments",
        "Reviewer": "Reviewer",
        "Decision": "REVOKED",
        "Decision Date": "2026-08-02T10:00:00.000Z",
        "Comments": "",
        "Status": "Open",
    }


def exposure(common, _scanned, number):
    alert_id = str(9000 + number)
    service = sha256("%s %d" % (common["outcome"], number))
    service = "-".join((service[:8], service[8:12], service[12:16], service[16:20], service[20:32]))
    scan_id = service[::-1]
    address, port = "192.0.2.%d" % (number % 250), 1024 + number % 60000
    requests = [
        ("POST", "/public_api/v1/remediation_confirmation_scanning/requests/get_or_create/", 201, "scanId " + scan_id),
        ("POST", "/public_api/v1/remediation_confirmation_scanning/requests/get/", 200, "scanId " + scan_id),
    ]
    name = "%s service at %s:%d" % (common["outcome"].capitalize(), address, port)
    return dict(
        common,
        id="%s:Rule:%s" % (alert_id, service),
        name=name,
        scan_id=scan_id,
        system="https://api-tenant.example.com",
        requests=answered(requests),
        evidence=[],
        alert_internal_id=alert_id,
        attack_surface_rule_id="Rule",
        service_id=service,
        alert=dict(
            name="Alert",
            severity=SEVERITIES[number % 5],
            resolution_status="STATUS_010_NEW",
            case_id=70 + number % 9,
            ipv4_addresses=[address],
            domain_names=["host%d.example.com" % number],
            port_protocol="TCP",
            attack_surface_rule_name="A Rule",
            business_unit_hierarchies=[[dict(name="Group"), dict(name="Unit")]],
        ),
        scan=dict(status="SUCCESS", result=common["outcome"].upper()),
    )


def answered(requests):
    return [
        dict(method=method, path=path, status=status, reference=reference, server_time="2026-08-15T06:00:%02dZ" % (10 + place))
        for place, (method, path, status, reference) in enumerate(requests)
    ]
