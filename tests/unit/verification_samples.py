# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contents of verification.json for tests, made by the real code from results of modules: every outcome of each kind.

all_samples() has one of each verdict, hostile() one with texts that no format may take for more than texts, and many(n)
one with n targets.
"""

from __future__ import annotations

import json

from ansible_collections.secops.remediation.plugins.module_utils._verdict import verification
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import OUTCOMES

RUN, STARTED, FINISHED = "20260302T081500Z", "2026-03-02T08:15:00Z", "2026-03-02T08:21:07Z"
BEFORE_RUN, BEFORE = "20260223T081500Z", "2026-02-23T08:16:40Z"
CONTROLS = ["ac-2", "ac-6.7", "ca-7", "ra-5", "si-2"]
SYSTEMS = {"campaign": "https://acme.api.identitynow.com", "exposure": "https://api-acme.xdr.us.paloaltonetworks.com"}
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
KINDS = ("campaign", "exposure")
WORDS = [
    {"word": "Vollzogen", "count": 2, "meaning": "remediated", "source": "configured"},
    {"word": "Remediated", "count": 1, "meaning": "remediated", "source": "built_in"}]

# Each is the name, reason or whatever of a target in hostile().
HOSTILE = (
    '=HYPERLINK("https://evil.example","open")', "  =1+1", '"=1+1', "'+1", "-1+1|cmd", "@SUM(A1)", "\t=1", "\r=1",
    "\uff1d1", "\u200b=1", "a;=1+1", "a\t=1", 'a"\n=1', "a, @SUM(A1)", "<script>alert(1)</script>", "<img src=x onerror=a>",
    "</textarea><b>", "<!-- @team", "[x](javascript:alert(1))", "![x](https://evil.example/x.png)", "[x]: https://evil.example",
    "https://evil.example/x", "www.evil.example", "someone@evil.example", "@team", "hello @org/team!", "#123", "see #1, !2",
    "see $3", "org/repo#1", "GH-1", "SEC-42", "0371ba86326948e7aab066169491afea", "1234567", "`code` @team", "``",
    "```\n@team\n```",
    "~~~ @team", "| a | @team |", "a\\| @team", "\\", "a\\", "&lt;b&gt; &amp;", "# heading", "1. list", "- [ ] task", "> quote",
    "---", "*a* _b_ ~~c~~ **d**", ":smile:", "$`x`$ $$y$$", "{{ insert: param, x }}", "]]>", "<![CDATA[", "&", "\x00\x01\x1b[31m",
    "\ud800", "\udfff\ud800", "\ufffe\uffff", "\u202egnp.exe", "line\nbreak\r\nand\u2028more", "[[ATTACHMENT|/etc/passwd]]",
    "[[[ATTACHMENT|x]]]", "../../etc/passwd", "", " ", "\u00a0", "x" * 40000, "\"'\"'",
    "%s %d {0}", "\U0001f600", "na\u00efve \u0160",
)


def empty_results():
    """What verify() is given where nothing was asked."""
    results = {name: {} for name in (
        "campaigns", "filtered_campaigns", "scans", "reports", "report_infos", "alerts", "case_alerts", "rcs_requests")}
    results["campaigns"]["base_url"] = results["filtered_campaigns"]["base_url"] = SYSTEMS["campaign"]
    for name in ("alerts", "case_alerts", "rcs_requests"):
        results[name]["base_url"] = SYSTEMS["exposure"]
    return dict(results, campaign_ids=[], campaign_filters=None, exposures=[], alert_ids=[], case_ids=[])


def request_of(method, path, reference=None):
    """A request that was answered."""
    return dict(method=method, path=path, status=200, reference=reference, server_time="2026-03-02T08:15:02Z")


def add_campaign(results, outcome, campaign_id, name="Quarterly review", status="COMPLETED", **info):
    """Adds a campaign that ends with an outcome. info: what is different in the report."""
    path = "reports/%s-CAMPAIGN_REMEDIATION_STATUS_REPORT.csv" % campaign_id
    if outcome == "pending":
        status = "ACTIVE"
    results["campaign_ids"].append(campaign_id)
    results["campaigns"].setdefault("campaigns", []).append(dict(
        id=campaign_id, name=name, type="MANAGER", status=status, created="2026-01-05T10:00:00.123Z",
        deadline="2026-02-01T10:00:00Z", modified="2026-03-02T08:16:02.5Z", totalCertifications=4, completedCertifications=4))
    results["campaigns"].setdefault("requests", []).append(
        request_of("GET", "/campaigns/v1/%s" % campaign_id, "trackingId 0b3c"))
    if outcome == "pending":
        return
    results["scans"].setdefault("scans", []).append(dict(
        campaign_id=campaign_id, status="finished", requested_at="2026-03-02T08:15:02Z",
        modified_before="2026-02-20T09:00:00Z", modified="2026-03-02T08:16:02.5Z",
        requests=[request_of("POST", "/campaigns/v1/%s/run-remediation-scan" % campaign_id, "trackingId 0b3c")]))
    results["reports"].setdefault("reports", []).append(dict(
        campaign_id=campaign_id, status="finished", path=path, sha256=SHA256,
        requests=[request_of("GET", "/reports/v1/r-%s" % campaign_id)],
        report=dict(id="r-%s" % campaign_id, status="SUCCESS", lastRunAt="2026-03-02T08:17:00Z",
                    reportType="CAMPAIGN_REMEDIATION_STATUS_REPORT")))
    open_items = [{"Identity": "Jo Novak", "Access": "WMS_SUPERVISOR", "Source": "Warehouse", "Remediation Status": "Open"}]
    found = {
        "remediated": dict(reason="3 of 3 items remediated", items_total=3, items_remediated=3, items_open=0,
                           items_unknown=0, open_items=[]),
        "unremediated": dict(reason="1 of 3 items still open", items_total=3, items_remediated=2, items_open=1,
                             items_unknown=0, open_items=open_items),
        "inconclusive": dict(reason="the file is damaged: get the report again", items_total=None, items_remediated=None,
                             items_open=None, items_unknown=None, open_items=[]),
    }[outcome]
    results["report_infos"].setdefault("reports", []).append(dict(
        dict(path=path, outcome=outcome, status_column="Remediation Status", columns=["Identity"], **found), **info))


def add_exposure(results, outcome, alert_id, name="RDP Server at 192.0.2.10:3389", **alert):
    """Adds an exposure that ends with an outcome. alert: what is different in its alert."""
    exposure = dict(alert_internal_id=str(alert_id), attack_surface_rule_id="RdpServer", service_id="service-%s" % alert_id)
    status, result = {
        "remediated": ("SUCCESS", "REMEDIATED"), "unremediated": ("SUCCESS", "UNREMEDIATED"),
        "pending": ("IN_PROGRESS", None), "inconclusive": ("FAILED_TIMEOUT", None)}[outcome]
    results["exposures"].append(exposure)
    results["rcs_requests"].setdefault("rcs_requests", []).append(dict(
        exposure, scan_id="scan-%s" % alert_id, status=status, result=result, outcome=outcome, created=True,
        requests=[request_of("POST", "/public_api/v1/scan/", "scanId scan-%s" % alert_id)],
        requested_at="2026-03-02T08:15:03Z", finished_at=None if outcome == "pending" else "2026-03-02T08:19:44Z"))
    results["alerts"].setdefault("alerts", []).append(dict(dict(
        alert_id=str(alert_id), name=name, severity="high", resolution_status="STATUS_010_NEW", case_id=91,
        ipv4_addresses=["192.0.2.10"], domain_names=["rdp.acme.example"], port_protocol="TCP",
        attack_surface_rule_name="RDP Server",
        business_unit_hierarchies=[[{"id": "BU:1", "name": "Acme"}, {"id": "BU:2", "name": "Logistics"}]]), **alert))


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
    before = verification.verify(results, BEFORE_RUN, BEFORE, BEFORE, CONTROLS) if previous else None
    sums = dict(run=BEFORE_RUN, sha256sums_sha256=SHA256) if previous else None
    found = verification.verify(results, RUN, STARTED, FINISHED, CONTROLS, [before] if before else [], sums)
    # As it is read from the file: in memory, the counts of the run are those of its history.
    return json.loads(json.dumps(found))


def in_1_2(content):
    """The same in version 1.2 of the format, if it is older."""
    if content["schema_version"] != "1.1":
        return content
    content = json.loads(json.dumps(content))
    for target in content["targets"]:
        target["not_verified_since"] = target["open_since"]
        if target["outcome"] != "unremediated":
            target["open_since"] = None
        if "items" in target:
            target["items"]["words"] = []
    return dict(content, schema_version="1.2", replay=None, lookups=[])


def all_samples():
    """Contents by what they are."""
    every = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES]
    looked_up = results_of(every)
    # What can only be said of a campaign or an alert that is not found, not readable or not scannable.
    looked_up["campaign_ids"] += ["missing", "unreadable"]
    looked_up["campaigns"].update(missing_ids=["missing"])
    looked_up["campaign_filters"] = ['name sw "Q"']
    looked_up["filtered_campaigns"].update(failed=True, msg="the API said no")
    looked_up["alerts"].update(truncated=True, unscannable=[
        {"alert_id": "9", "reason": "the alert has no service, so Xpanse cannot scan it"}])
    looked_up["case_ids"] = ["77"]
    looked_up["case_alerts"]["alerts"] = []
    return {
        "every outcome": verify(results_of(every)),
        "verified": verify(results_of([(kind, "remediated") for kind in KINDS])),
        "unremediated": verify(results_of([(kind, "unremediated") for kind in KINDS])),
        "inconclusive": verify(results_of([(kind, "inconclusive") for kind in KINDS])),
        "incomplete": verify(results_of([(kind, "pending") for kind in KINDS] + [("exposure", "remediated")])),
        "campaigns only": verify(results_of([("campaign", outcome) for outcome in OUTCOMES])),
        "exposures only": verify(results_of([("exposure", "remediated")])),
        "nothing": verify(empty_results()),
        "looked up": verify(looked_up),
        "first run": verify(results_of(every), previous=False),
        "no controls": dict(verify(results_of(every)), controls=[]),
        "hostile": hostile(),
    }


def hostile():
    """A content with a target of each outcome and kind for each of the hostile texts, wherever there may be one."""
    results = empty_results()
    for number, text in enumerate(HOSTILE):
        for place, outcome in enumerate(OUTCOMES):
            add_campaign(results, outcome, "%016x%016x" % (number, place), text)
            add_exposure(results, outcome, "%d0%d" % (number + 1, place), text, severity=text, case_id=text,
                         domain_names=[text], ipv4_addresses=text, business_unit_hierarchies=[[{"name": text}], text],
                         attack_surface_rule_name=text, port_protocol={"name": text})
    found = verify(results)
    for number, target in enumerate(found["targets"]):
        text = HOSTILE[number // len(OUTCOMES) % len(HOSTILE)]
        target["reason"] = text or "-"
        if target["kind"] == "campaign":
            target["campaign"].update(status=text, deadline=text, type=[text, {"x": text}])
            if "items" in target:
                target["items"]["open_items"] = [{text: text, "Identity": text, "Access": text}] if (
                    target["outcome"] == "unremediated") else []
        target["requests"] = [dict(method="GET", path="/" + text, status=200, reference="trackingId x" + text, server_time=None)]
        if text and number % 2:
            target["id"] = text
    return found


def many(number):
    """A content with that many targets, of all outcomes and kinds in turn."""
    every = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES]
    return verify(results_of([every[place % len(every)] for place in range(number)]))
