# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of modules as tests of the evidence need them: what both APIs answered, from which every outcome follows."""

from __future__ import annotations

SCANNING = "/public_api/v1/remediation_confirmation_scanning/requests"
EXPOSURE = ("alert_internal_id", "attack_surface_rule_id", "service_id")
REPORT = "CAMPAIGN_REMEDIATION_STATUS_REPORT"


def exchange(method, path, status, minute, body, sent=None, **more):
    """One exchange, as the client records it."""
    return dict(
        method=method,
        path=path,
        status=status,
        reference=None,
        server_time="2026-03-02T08:%02d:00Z" % minute,
        sent=sent,
        body=body,
        **more,
    )


def with_answers(item, answers):
    """An item of a result with what was answered about it."""
    return dict(
        item,
        answers=answers,
        requests=[
            {name: answer[name] for name in ("method", "path", "status", "reference", "server_time")} for answer in answers
        ],
    )


def filters(values):
    return {"request_data": {"filters": [{"field": field, "operator": "EQ", "value": value} for field, value in values.items()]}}


def exposure(ids, outcome):
    """An exposure whose scan was asked for and looked at. ids: its three ids, as a dict."""
    scan_id = "s%s" % ids["alert_internal_id"]
    words = {"status": "IN_PROGRESS"} if outcome == "pending" else {"status": "SUCCESS", "result": outcome.upper()}
    return with_answers(
        dict(
            ids,
            scan_id=scan_id,
            outcome=outcome,
            status=words["status"],
            result=words.get("result"),
            requested_at="2026-03-02T08:15:00Z",
            finished_at=None if outcome == "pending" else "2026-03-02T08:16:00Z",
        ),
        [
            exchange(
                "POST",
                SCANNING + "/get_or_create/",
                201,
                15,
                {"reply": {"scanId": scan_id}},
                filters({name: ids[name] for name in EXPOSURE}),
            ),
            exchange("POST", SCANNING + "/get/", 200, 16, {"reply": words}, filters({"id": scan_id})),
        ],
    )


def campaign_results(reports):
    """The results for campaigns that are scanned and whose reports are there, by the names of their options.

    reports: by campaign, the path of its report and that file's SHA-256.
    """
    campaigns, scans, items, lookups = [], [], [], []
    for campaign_id, (path, sha256) in reports.items():
        place, report_id = "/campaigns/v1/%s" % campaign_id, "r-%s" % campaign_id
        campaign = dict(
            id=campaign_id,
            name=campaign_id,
            status="COMPLETED",
            modified="2026-03-02T08:00:00Z",
            totalCertifications=1,
            completedCertifications=1,
        )
        scanned = dict(campaign, modified="2026-03-02T08:16:00Z")
        report = dict(id=report_id, status="SUCCESS", lastRunAt="2026-03-02T08:18:00Z", reportType=REPORT)
        campaigns.append(scanned)
        lookups.append(exchange("GET", place, 200, 14, campaign))
        scans.append(
            with_answers(
                dict(
                    campaign_id=campaign_id,
                    status="finished",
                    requested_at="2026-03-02T08:15:00Z",
                    modified_before=campaign["modified"],
                    modified=scanned["modified"],
                ),
                [
                    exchange("GET", place, 200, 14, campaign),
                    exchange("POST", place + "/run-remediation-scan", 202, 15, None),
                    exchange("GET", place, 200, 17, scanned),
                ],
            )
        )
        download = exchange("GET", "/reports/v1/%s?fileFormat=csv" % report_id, 200, 20, None, sha256=sha256, size=100)
        del download["body"]
        items.append(
            with_answers(
                dict(campaign_id=campaign_id, status="finished", path=path, sha256=sha256, report=report),
                [
                    exchange("POST", "%s/run-report/%s" % (place, REPORT), 202, 18, None),
                    exchange("GET", place + "/reports", 200, 19, [report]),
                    download,
                    exchange("GET", place, 200, 21, scanned),
                ],
            )
        )
    return dict(
        campaigns=dict(campaigns=campaigns, requests=with_answers({}, lookups)["requests"]),
        scans=dict(scans=scans),
        reports=dict(reports=items),
    )
