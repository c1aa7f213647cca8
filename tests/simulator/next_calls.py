# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint's experimental calls for next generation campaigns, in the shapes that its client has.

The campaigns are those of the older calls, because whether either sees the other's is unknown. Files are given out by a signed
address, as a file store does it: whoever brings credentials besides is refused.
"""

from __future__ import annotations

import json
import secrets
import uuid

from starlette.responses import Response

from simulator import access, report_file
from simulator.access_calls import ALL_CERTIFICATIONS, ANYBODY, meets
from simulator.core import Refused, iso, json_response

ROOT = "/certification-campaigns/v1"
MAY_REPORT = ("ORG_ADMIN", "CERT_ADMIN", "REPORT_ADMIN")
OLDER_TYPES = {
    "REMEDIATION": "CAMPAIGN_REMEDIATION_STATUS_REPORT",
    "STATUS": "CAMPAIGN_STATUS_REPORT",
    "COMPOSITION": "CAMPAIGN_COMPOSITION_REPORT",
    "SIGN_OFF": "CERTIFICATION_SIGNOFF_REPORT",
}
CAMPAIGN_FILTERS = {"id": ("eq", "in"), "name": ("eq", "sw"), "status": ("eq", "in", "ne")}
CERTIFICATION_FILTERS = {"id": ("eq", "in"), "campaignRef.id": ("eq", "in"), "phase": ("eq",), "completed": ("eq",)}
REPORT_FILTERS = {
    "id": ("eq", "ne", "in"),
    "type": ("eq", "in", "ne"),
    "format": ("eq", "in", "ne"),
    "status": ("eq", "in", "ne"),
}
ITEM_FILTERS = {"id": ("eq", "ne", "in"), "completed": ("eq", "ne"), "reviewData.targetReference.type": ("eq",)}
SUMMARY = {"ENTITLEMENT": "entitlementDecisions", "ACCESS_PROFILE": "accessProfileDecisions", "ROLE": "roleDecisions"}
WHOLE = {"ENTITLEMENT": "entitlement", "ACCESS_PROFILE": "accessProfile", "ROLE": "role"}

# operation, method, path of the per-service version, path behind an annual version
PATHS = (
    ("next_list_campaigns", "GET", ROOT + "/campaigns", None),
    ("next_get_campaign", "GET", ROOT + "/campaigns/{id}", None),
    ("next_reports", None, ROOT + "/campaigns/{id}/reports", None),
    ("next_get_report", "GET", ROOT + "/campaigns/{id}/reports/{report_id}", None),
    ("next_download_url", "GET", ROOT + "/campaigns/{id}/reports/{report_id}/download-url", None),
    ("next_list_certifications", "GET", ROOT + "/certifications", None),
    ("next_decision_summary", "GET", ROOT + "/certifications/{id}/decision-summary", None),
    ("next_list_review_items", "GET", ROOT + "/certifications/{id}/review-items", None),
    ("download_signed", "GET", "/report-files/{report_id}", None),
)
OPERATIONS = tuple(path[0] for path in PATHS)


class NextCalls:
    """The part of SailPoint that knows next generation campaigns. See simulator.sailpoint for the rest."""

    def _authorize_next(self, request, entry, levels):
        level = self._authorize(request, entry, levels)
        if request.headers.get("x-sailpoint-experimental") != "true":
            raise Refused(self.bad_request("This call is experimental: send X-SailPoint-Experimental: true"))
        return level

    # --- campaigns

    def next_get_campaign(self, request, body, entry):
        self._authorize_next(request, entry, ALL_CERTIFICATIONS)
        return json_response(self._next_campaign(self._campaign(request, entry)))

    def next_list_campaigns(self, request, body, entry):
        self._authorize_next(request, entry, ALL_CERTIFICATIONS)
        tests = self._tests(request, CAMPAIGN_FILTERS)
        for campaign in self.campaigns.values():
            campaign.settle()
        found = [one for one in map(self._next_campaign, self.campaigns.values()) if meets(one, tests)]
        return self._paged(request, sorted(found, key=lambda one: one["name"]))

    @staticmethod
    def _next_campaign(campaign):
        fields = campaign.shown(True)
        return {
            "id": fields["id"],
            "name": fields["name"],
            "description": fields["description"],
            "deadline": (fields["deadline"] or "")[:10] or None,
            "deadlineTimezone": "Z",
            "deadlineTime": fields["deadline"],
            "emailNotificationEnabled": False,
            "autoRevokeAllowed": False,
            "recommendationsEnabled": False,
            "sunsetCommentsRequired": True,
            "mandatoryCommentRequirement": "NO_DECISIONS",
            "type": "IDENTITY",
            "reviewer": {"type": "MANAGER", "id": None, "name": None},
            "created": fields["created"],
            "modified": fields["modified"],
            "totalCertifications": fields["totalCertifications"],
            "completedCertifications": fields["completedCertifications"],
            "status": fields["status"],
        }

    # --- reports

    def _next_reports(self, campaign):
        """By its id, each report. What an older call has run is none of them."""
        return self.next_made.setdefault(campaign.fields["id"], {})

    def _next_report(self, request, entry):
        campaign = self._campaign(request, entry)
        report = self._next_reports(campaign).get(request.path_params["report_id"])
        if report is None:
            raise Refused(self.missing("There is no such report."))
        return self._settled(campaign, report)

    def _settled(self, campaign, report):
        """The report, once time has done to it what it does."""
        end = report["started_at"] + campaign.seconds("report")
        if report["status"] == "IN_PROGRESS" and self.simulator.clock.now() >= end:
            ended_well = campaign.settings["report_status"] in ("SUCCESS", "WARNING")
            report.update(status="SUCCESS" if ended_well else "FAILED", modified=iso(campaign.stamp(end)))
            if ended_well:
                # Unknown: whether such a report shows what the sources hold, where nobody can ask for a scan.
                campaign.look_at_sources()
                campaign.keep_file({"id": report["id"]}, OLDER_TYPES[report["type"]])
        return report

    @staticmethod
    def _shown_next(report):
        return {name: value for name, value in report.items() if name != "started_at"}

    def next_reports(self, request, body, entry):
        """Lists them, or has one made."""
        if request.method == "POST":
            return self._create(request, body, entry)
        if request.method != "GET":
            return self.error(405)
        self._authorize_next(request, entry, MAY_REPORT)
        campaign = self._campaign(request, entry)
        tests = self._tests(request, REPORT_FILTERS)
        reports = [self._settled(campaign, one) for one in self._next_reports(campaign).values()]
        return self._paged(request, [one for one in map(self._shown_next, reports) if meets(one, tests)])

    def _create(self, request, body, entry):
        self._authorize_next(request, entry, MAY_REPORT)
        campaign = self._campaign(request, entry)
        try:
            wanted = json.loads(body)
            kind, form, name = wanted["type"], wanted["format"], wanted["name"]
        except (KeyError, TypeError, ValueError):
            raise Refused(self.bad_request("A report needs a type, a format, and a name.")) from None
        if kind not in OLDER_TYPES or form not in ("PDF", "CSV") or not isinstance(name, str):
            raise Refused(self.bad_request("There is no such report."))
        if campaign.fields["status"] != "COMPLETED" and kind == "REMEDIATION":
            raise Refused(self.bad_request("The campaign is not completed."))
        now = self.simulator.clock.now()
        created = iso(campaign.stamp(now))
        report = {
            "id": uuid.uuid4().hex,
            "name": name,
            "campaignId": campaign.fields["id"],
            "type": kind,
            "format": form,
            "created": created,
            "modified": created,
            "status": "IN_PROGRESS",
            "started_at": now,
        }
        self._next_reports(campaign)[report["id"]] = report
        entry["changed"] = True
        self.simulator.log.counts["reports_started"] += 1
        return json_response(self._shown_next(report))

    def next_get_report(self, request, body, entry):
        self._authorize_next(request, entry, MAY_REPORT)
        return json_response(self._shown_next(self._next_report(request, entry)))

    def next_download_url(self, request, body, entry):
        self._authorize_next(request, entry, MAY_REPORT)
        report = self._next_report(request, entry)
        kept = self.files.get(report["id"])
        if report["status"] != "SUCCESS" or kept is None:
            raise Refused(self.missing("The report has no file."))
        if kept["purged"]:
            raise Refused(self.error(kept["purged"]))
        signature = secrets.token_urlsafe(32)
        self.signatures[signature] = (report["id"], report["format"])
        address = "%sreport-files/%s?X-Sim-Signature=%s" % (request.base_url, report["id"], signature)
        return json_response({"id": report["id"], "presignedUrl": address})

    def download_signed(self, request, body, entry):
        """What a file store answers: it knows signatures, and no tokens."""
        entry["query"] = ""
        brought = {"authorization", "cookie", "x-sailpoint-experimental", "proxy-authorization"} & set(request.headers)
        if brought:
            return Response("<Error>Only one way to prove who you are is allowed</Error>", 400, media_type="application/xml")
        report_id = request.path_params["report_id"]
        signed = self.signatures.get(request.query_params.get("X-Sim-Signature"))
        if signed is None or signed[0] != report_id:
            return Response("<Error>The signature does not match</Error>", 403, media_type="application/xml")
        kept = self.files[report_id]
        content = kept["text"].encode()
        if signed[1] == "PDF":
            content = report_file.pdf([kept["name"], *kept["text"].splitlines()])
        return Response(content, headers={"content-type": "application/pdf" if signed[1] == "PDF" else "text/csv"})

    # --- certifications

    def next_list_certifications(self, request, body, entry):
        level = self._authorize_next(request, entry, ANYBODY)
        tests = self._tests(request, CERTIFICATION_FILTERS)
        found = []
        for campaign in self.campaigns.values() if level in ALL_CERTIFICATIONS else ():
            if campaign.fields["status"] not in ("PENDING", None):
                reviewed = access.reviewed_in(campaign)
                found += [self._next_certification(reviewed, number) for number in range(reviewed.count)]
        return self._paged(request, [one for one in found if meets(one, tests)])

    def _next_certification(self, reviewed, number):
        older = self._shown_certification(reviewed, number)
        campaign, is_done = reviewed.campaign.fields, older["completed"]
        shown = {
            "id": older["id"],
            "name": older["name"],
            "campaignRef": {
                "id": campaign["id"],
                "name": campaign["name"],
                "description": campaign["description"],
                "type": "IDENTITY",
                "mandatoryCommentRequirement": "NO_DECISIONS",
                "recommendationsEnabled": False,
            },
            "phase": older["phase"],
            "reviewProgress": "SIGNED" if is_done else "NOT_STARTED",
            "dueDate": older["due"],
            "reviewer": {name: older["reviewer"][name] for name in ("id", "name", "email", "type")},
            "completed": is_done,
            "decisionsMade": older["decisionsMade"],
            "decisionsTotal": older["decisionsTotal"],
            "completedSubjects": older["identitiesCompleted"],
            "totalSubjects": older["identitiesTotal"],
            "created": older["created"],
            "modified": older["modified"],
            "reauthRequired": False,
        }
        return {**shown, **({"dateSigned": older["signed"]} if is_done else {})}

    def next_decision_summary(self, request, body, entry):
        self._authorize_next(request, entry, ALL_CERTIFICATIONS)
        reviewed, number = self._certification(request, entry)
        revoked, total = reviewed.revoked(number)
        shown = {}
        for kind, name in SUMMARY.items():
            taken = revoked[kind] + (reviewed.settings["summary_off"] if kind == "ENTITLEMENT" and not number else 0)
            kept = total - sum(revoked.values()) if kind == "ENTITLEMENT" else 0
            shown[name] = {
                "approved": kept,
                "revoked": taken,
                "acknowledged": 0,
                "decisionsMade": taken + kept,
                "decisionsTotal": taken + kept,
            }
        return json_response(shown)

    def next_list_review_items(self, request, body, entry):
        self._authorize_next(request, entry, ALL_CERTIFICATIONS)
        reviewed, number = self._certification(request, entry)
        tests = self._tests(request, ITEM_FILTERS)
        limit, offset = self._number(request, "limit", 250, 250), self._number(request, "offset", 0, 10**9)
        left_out = reviewed.settings["cut"] + reviewed.settings["lost"]
        items, total = reviewed.page(number, offset + left_out, limit)
        shown = [one for one in (self._next_item(item) for item in items) if meets(one, tests)]
        return json_response(shown, headers=self._counted(request, max(0, total - reviewed.settings["lost"])))

    def _next_item(self, item):
        older = item.shown(self._now())
        summary, kind = older["accessSummary"], item.kind
        whole = dict(summary.get(WHOLE.get(kind, "")) or {})
        # The date of the decision is the decision's.
        end = whole.pop("endDate", None)
        for name in ("entitlements", "accessProfiles"):
            if name in whole:
                whole[name] = [{key: one[key] for key in ("id", "name", "description")} for one in whole[name]]
        return {
            "id": older["id"],
            "type": kind,
            "completed": True,
            "newAccess": False,
            "decision": "REVOKED" if item.revoked else "APPROVED",
            **({"proposedEndDate": end} if end else {}),
            "comments": older["comments"],
            "reviewData": {
                "targetReference": {"type": kind, "id": item.access_id, "name": item.access},
                WHOLE.get(kind, "entitlement"): whole,
            },
            "certificationSubjectSummary": {
                "subjectType": "IDENTITY",
                "id": older["identitySummary"]["id"],
                "subjectName": item.identity,
                "subjectTargetId": item.identity_id,
                "completed": True,
                "identityState": "ACTIVE",
            },
            "accountName": item.account,
            "sourceName": item.source,
            "reauthRequired": False,
        }
