# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contents of verification.json for tests, made by the real code from what both APIs answered: every outcome of each kind.

all_samples() has one of each verdict, hostile() one with texts that no format may take for more than texts, and many(n)
one with n targets.
"""

from __future__ import annotations

import json

import access_record
from answers_on_record import EXPOSURE, REPORT, SCANNING, exchange, filters, with_answers

from ansible_collections.secops.remediation.plugins.module_utils import _judge
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import OUTCOMES

RUN, STARTED, FINISHED = "20260302T081500Z", "2026-03-02T08:15:00Z", "2026-03-02T08:21:07Z"
BEFORE_RUN, BEFORE = "20260223T081500Z", "2026-02-23T08:16:40Z"
CONTROLS = ["ac-2", "ac-6.7", "ca-7", "ra-5", "si-2"]
SYSTEMS = {"campaign": "https://acme.api.identitynow.com", "exposure": "https://api-acme.xdr.us.paloaltonetworks.com"}
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
KINDS = ("campaign", "exposure")
WORDS = [
    {"word": "Vollzogen", "count": 2, "meaning": "remediated", "source": "configured"},
    {"word": "Remediated", "count": 1, "meaning": "remediated", "source": "built_in"},
]

# Each is the name, reason or whatever of a target in hostile().
HOSTILE = (
    '=HYPERLINK("https://evil.example","open")',
    "  =1+1",
    '"=1+1',
    "'+1",
    "-1+1|cmd",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\uff1d1",
    "\u200b=1",
    "a;=1+1",
    "a\t=1",
    'a"\n=1',
    "a, @SUM(A1)",
    "<script>alert(1)</script>",
    "<img src=x onerror=a>",
    "</textarea><b>",
    "<!-- @team",
    "[x](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "https://evil.example/x",
    "www.evil.example",
    "someone@evil.example",
    "@team",
    "hello @org/team!",
    "#123",
    "see #1, !2",
    "see $3",
    "org/repo#1",
    "GH-1",
    "SEC-42",
    "0371ba86326948e7aab066169491afea",
    "1234567",
    "`code` @team",
    "``",
    "```\n@team\n```",
    "~~~ @team",
    "| a | @team |",
    "a\\| @team",
    "\\",
    "a\\",
    "&lt;b&gt; &amp;",
    "# heading",
    "1. list",
    "- [ ] task",
    "> quote",
    "---",
    "*a* _b_ ~~c~~ **d**",
    ":smile:",
    "$`x`$ $$y$$",
    "{{ insert: param, x }}",
    "]]>",
    "<![CDATA[",
    "&",
    "\x00\x01\x1b[31m",
    "\ud800",
    "\udfff\ud800",
    "\ufffe\uffff",
    "\u202egnp.exe",
    "line\nbreak\r\nand\u2028more",
    "[[ATTACHMENT|/etc/passwd]]",
    "[[[ATTACHMENT|x]]]",
    "../../etc/passwd",
    "",
    " ",
    "\u00a0",
    "x" * 40000,
    "\"'\"'",
    "%s %d {0}",
    "\U0001f600",
    "na\u00efve \u0160",
)


def empty_results():
    """What verify() is given where nothing was asked."""
    results = {
        name: {}
        for name in (
            "campaigns",
            "filtered_campaigns",
            "scans",
            "reports",
            "report_infos",
            "alerts",
            "case_alerts",
            "rcs_requests",
        )
    }
    results["campaigns"]["base_url"] = results["filtered_campaigns"]["base_url"] = SYSTEMS["campaign"]
    for name in ("alerts", "case_alerts", "rcs_requests"):
        results[name]["base_url"] = SYSTEMS["exposure"]
    return dict(results, campaign_ids=[], campaign_filters="", exposures=[], alert_ids=[], case_ids=[])


def time_of(seconds):
    """A time so many seconds after the start of the run."""
    return "2026-03-02T08:%02d:%02dZ" % (15 + seconds // 60, seconds % 60)


def said(seconds, method, path, status, body, sent=None, reference=None, **more):
    """An exchange so many seconds after the start of the run."""
    return dict(exchange(method, path, status, 0, body, sent, **more), server_time=time_of(seconds), reference=reference)


def add_campaign(results, outcome, campaign_id, name="Quarterly review", status="COMPLETED", **info):
    """Adds a campaign whose answers say an outcome. info: what is different in the report."""
    path = "reports/%s-%s.csv" % (campaign_id, REPORT)
    place, report_id = "/campaigns/v1/%s" % campaign_id, "r-%s" % campaign_id
    found = dict(
        id=campaign_id,
        name=name,
        type="MANAGER",
        status="ACTIVE" if outcome == "pending" else status,
        created="2026-01-05T10:00:00.123Z",
        deadline="2026-02-01T10:00:00Z",
        modified="2026-02-20T09:00:00Z",
        totalCertifications=4,
        completedCertifications=4,
    )
    scanned = dict(found, modified="2026-03-02T08:16:02.5Z")
    reading = said(2, "GET", place, 200, found, reference="trackingId 0b3c")
    results["campaign_ids"].append(campaign_id)
    results["campaigns"].setdefault("campaigns", []).append(found)
    results["campaigns"].setdefault("requests", []).extend(with_answers({}, [reading])["requests"])
    if outcome == "pending":
        return
    results["scans"].setdefault("scans", []).append(
        with_answers(
            dict(
                campaign_id=campaign_id,
                status="finished",
                requested_at=time_of(2),
                modified_before=found["modified"],
                modified=scanned["modified"],
            ),
            [
                reading,
                said(2, "POST", place + "/run-remediation-scan", 202, None, reference="trackingId 0b3c"),
                said(70, "GET", place, 200, scanned),
            ],
        )
    )
    report = dict(id=report_id, status="SUCCESS", lastRunAt=time_of(120), reportType=REPORT)
    download = said(140, "GET", "/reports/v1/%s?fileFormat=csv" % report_id, 200, None, sha256=SHA256, size=100)
    del download["body"]
    results["reports"].setdefault("reports", []).append(
        with_answers(
            dict(campaign_id=campaign_id, status="finished", path=path, sha256=SHA256, report=report),
            [
                said(110, "POST", "%s/run-report/%s" % (place, REPORT), 202, None),
                said(130, "GET", place + "/reports", 200, [report]),
                download,
                said(150, "GET", place, 200, scanned),
            ],
        )
    )
    open_items = [{"Identity": "Jo Novak", "Access": "WMS_SUPERVISOR", "Source": "Warehouse", "Remediation Status": "Open"}]
    says = {
        "remediated": dict(
            reason="3 of 3 items remediated",
            items_total=3,
            items_remediated=3,
            items_open=0,
            items_unknown=0,
            open_items=[],
            words=[dict(WORDS[1], count=3)],
        ),
        "unremediated": dict(
            reason="1 of 3 items still open",
            items_total=3,
            items_remediated=2,
            items_open=1,
            items_unknown=0,
            open_items=open_items,
            words=[dict(WORDS[1], count=2), dict(WORDS[1], word="Open", count=1, meaning="open")],
        ),
        "inconclusive": dict(
            reason="the file is damaged: get the report again",
            items_total=None,
            items_remediated=None,
            items_open=None,
            items_unknown=None,
            open_items=[],
            words=[],
        ),
    }[outcome]
    results["report_infos"].setdefault("reports", []).append(
        dict(
            dict(
                path=path,
                outcome=outcome,
                status_column="Remediation Status",
                columns=["Identity"],
                campaign_ids=[campaign_id],
                words_left_out=0,
                **says,
            ),
            **info,
        )
    )


def add_access(results, campaign_id, is_there=False):
    """Adds a look at the four revoked items of a campaign, of which one may still be there."""
    # As the first witness was shown it last.
    shown = [
        body
        for name in ("scans", "reports")
        for one in results[name].get(name, ())
        for answer in one["answers"]
        if isinstance(body := answer.get("body"), dict) and body.get("id") == campaign_id
    ][-1]
    names = ("modified", "totalCertifications", "completedCertifications")
    record = json.dumps(access_record.record({name: shown[name] for name in names}))
    campaign, lookups, items = json.loads(record.replace('"c1"', json.dumps(campaign_id)).replace("/c1?", "/%s?" % campaign_id))
    if is_there:
        items[1]["document"]["access"] = True
        items[1]["why"] = "it was given again by a role"
    access = results.setdefault("access", dict(base_url=SYSTEMS["campaign"], campaigns=[], lookups=lookups, revoked_items=[]))
    access["campaigns"].append(campaign)
    access["revoked_items"] += items


FOUR = dict(items_total=4, items_remediated=4)


def two_witnesses():
    """Results in which two witnesses agree, disagree, and in which only the second one has an answer."""
    results = empty_results()
    add_campaign(results, "remediated", "a" * 32, "Both say so", **FOUR)
    add_campaign(results, "remediated", "b" * 32, "They disagree", **FOUR)
    add_campaign(results, "inconclusive", "c" * 32, "The report is not understood")
    add_campaign(results, "unremediated", "d" * 32, "Both saw one")
    for place, campaign_id in enumerate("abcd"):
        add_access(results, campaign_id * 32, is_there=place % 2 == 1)
    results["access"]["results_file"] = "records/revoked_access.json"
    return dict(results, campaign_witnesses=["report", "access"], campaign_agreement="one")


def add_exposure(results, outcome, alert_id, name="RDP Server at 192.0.2.10:3389", **alert):
    """Adds an exposure whose answers say an outcome. alert: what is different in its alert."""
    ids = dict(zip(EXPOSURE, (str(alert_id), "RdpServer", "service-%s" % alert_id), strict=True))
    scan_id = "scan-%s" % alert_id
    words = {
        "remediated": dict(status="SUCCESS", result="REMEDIATED"),
        "unremediated": dict(status="SUCCESS", result="UNREMEDIATED"),
        "pending": dict(status="IN_PROGRESS"),
        "inconclusive": dict(status="FAILED_TIMEOUT"),
    }[outcome]
    results["exposures"].append(ids)
    results["rcs_requests"].setdefault("rcs_requests", []).append(
        with_answers(
            dict(
                ids,
                scan_id=scan_id,
                status=words["status"],
                result=words.get("result"),
                outcome=outcome,
                created=True,
                requested_at=time_of(3),
                finished_at=None if outcome == "pending" else time_of(284),
            ),
            [
                said(
                    3,
                    "POST",
                    SCANNING + "/get_or_create/",
                    201,
                    {"reply": {"scanId": scan_id}},
                    filters(ids),
                    "scanId " + scan_id,
                ),
                said(284, "POST", SCANNING + "/get/", 200, {"reply": words}, filters({"id": scan_id})),
            ],
        )
    )
    results["alerts"].setdefault("alerts", []).append(
        dict(
            dict(
                alert_id=str(alert_id),
                name=name,
                severity="high",
                resolution_status="STATUS_010_NEW",
                case_id=91,
                ipv4_addresses=["192.0.2.10"],
                domain_names=["rdp.acme.example"],
                port_protocol="TCP",
                attack_surface_rule_name="RDP Server",
                business_unit_hierarchies=[[{"id": "BU:1", "name": "Acme"}, {"id": "BU:2", "name": "Logistics"}]],
            ),
            **alert,
        )
    )


def results_of(kinds_and_outcomes):
    """Results with a target for each (kind, outcome)."""
    results = empty_results()
    for number, (kind, outcome) in enumerate(kinds_and_outcomes):
        if kind == "campaign":
            add_campaign(results, outcome, "%032x" % (number + 1))
        else:
            add_exposure(results, outcome, 4100 + number)
    return results


def verify(results, previous=True):
    """The content of verification.json for results; before it, unless told otherwise, a run that found the same."""
    before = _judge.verify(results, BEFORE_RUN, BEFORE, BEFORE, CONTROLS) if previous else None
    sums = dict(run=BEFORE_RUN, sha256sums_sha256=SHA256) if previous else None
    found = _judge.verify(results, RUN, STARTED, FINISHED, CONTROLS, [before] if before else [], sums)
    for file in (file for target in found["targets"] for file in target["evidence"]):
        # Who writes the evidence knows the sum of each record.
        file["sha256"] = file["sha256"] or SHA256
    # As it is read from the file: in memory, the counts of the run are those of its history.
    return json.loads(json.dumps(found))


def all_samples():
    """Contents by what they are."""
    every = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES]
    looked_up = results_of(every)
    # What can only be said of a campaign or an alert that is not found, not readable or not scannable.
    looked_up["campaign_ids"] += ["missing", "unreadable"]
    looked_up["campaigns"].update(missing_ids=["missing"])
    looked_up["campaign_filters"] = 'name sw "Q"'
    looked_up["filtered_campaigns"].update(failed=True, msg="the API said no")
    looked_up["alert_ids"] = ["9"]
    looked_up["alerts"].update(
        truncated=True, unscannable=[{"alert_id": "9", "reason": "the alert has no service, so Xpanse cannot scan it"}]
    )
    looked_up["case_ids"] = ["77"]
    looked_up["case_alerts"].update(alerts=[], truncated=False)
    return {
        "every outcome": verify(results_of(every)),
        "verified": verify(results_of([(kind, "remediated") for kind in KINDS])),
        "two witnesses": verify(two_witnesses()),
        "unremediated": verify(results_of([(kind, "unremediated") for kind in KINDS])),
        "inconclusive": verify(results_of([(kind, "inconclusive") for kind in KINDS])),
        "incomplete": verify(results_of([(kind, "pending") for kind in KINDS] + [("exposure", "remediated")])),
        "campaigns only": verify(results_of([("campaign", outcome) for outcome in OUTCOMES])),
        "exposures only": verify(results_of([("exposure", "remediated")])),
        "nothing": verify(empty_results()),
        "looked up": verify(looked_up),
        "first run": verify(results_of(every), previous=False),
        "no controls": dict(verify(results_of(every)), controls=[]),
        "accepted": verify(with_acceptances("2027-01-01")),
        "expired": verify(with_acceptances(BEFORE)),
        "hostile": hostile(),
    }


def with_acceptances(until):
    """Results with open targets that are owned and accepted until then, beside one that is remediated and also accepted."""
    results = results_of([("campaign", "unremediated"), ("exposure", "unremediated"), ("exposure", "remediated")])
    targets = _judge.verify(results, RUN, STARTED, FINISHED)["targets"]
    results["targets_file"] = dict(
        path="/etc/targets.yml",
        sha256=SHA256,
        tenant="acme",
        owner="iam@example.com",
        owners=[],
        accepted=[
            dict(
                kind=target["kind"],
                id=target["id"],
                by="ciso@example.com",
                until=until,
                reason='=HYPERLINK("x") <b>until</b> `May`',
            )
            for target in targets
        ],
    )
    return results


def hostile():
    """A content with a target of each outcome and kind for each of the hostile texts, wherever there may be one."""
    results = empty_results()
    for number, text in enumerate(HOSTILE):
        for place, outcome in enumerate(OUTCOMES):
            add_campaign(results, outcome, "%016x%016x" % (number, place), text)
            add_exposure(
                results,
                outcome,
                "%d0%d" % (number + 1, place),
                text,
                severity=text,
                case_id=text,
                domain_names=[text],
                ipv4_addresses=text,
                business_unit_hierarchies=[[{"name": text}], text],
                attack_surface_rule_name=text,
                port_protocol={"name": text},
            )
    found = verify(results)
    for number, target in enumerate(found["targets"]):
        text = HOSTILE[number // len(OUTCOMES) % len(HOSTILE)]
        target["reason"] = text or "-"
        if target["kind"] == "campaign":
            target["campaign"].update(status=text, deadline=text, type=[text, {"x": text}])
            if "items" in target:
                target["items"]["open_items"] = (
                    [{text: text, "Identity": text, "Access": text}] if (target["outcome"] == "unremediated") else []
                )
        target["requests"] = [dict(method="GET", path="/" + text, status=200, reference="trackingId x" + text, server_time=None)]
        if text and number % 2:
            target["id"] = text
    return found


def many(number):
    """A content with that many targets, of all outcomes and kinds in turn."""
    every = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES]
    return verify(results_of([every[place % len(every)] for place in range(number)]))
