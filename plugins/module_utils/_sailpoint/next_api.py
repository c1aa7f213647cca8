# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Next generation certification campaigns: the same questions, asked of `/certification-campaigns/v1/…`. Experimental.

The shapes are those of the models in SailPoint's own client (`sailpoint` on PyPI, 2.1.72). Nothing here was run on a tenant.
Whether the older calls see these campaigns, or these calls see the older ones, is unknown: an id that is not found is an error.
Private to the collection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Exchange, JsonObject, Params, Record
from ansible_collections.secops.remediation.plugins.module_utils._http.client import Answer, HttpError, only_200
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.access_items import REVOKE, dict_in
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.api import (
    ACCEPTED_TYPES,
    ReportGone,
    SailPointApi,
    escape,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_proof import (
    REPORT_TYPES,
    SERVICE,
    is_report,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import REMEDIATION_STATUS_REPORT

# What else is asked is of the per-service version.
OWN_RESOURCES = ("campaigns", "certifications")
REVOKED = "REVOKED"
IDENTITY = "IDENTITY"
CERTIFICATION_FACTS = ("id", "phase", "completed", "decisionsMade", "decisionsTotal")
NO_ADDRESS = "the answer is not the address of the report's file"


class NextApi(SailPointApi):
    """The calls around a next generation campaign. options: the connection options as a dict."""

    # Whoever does not send it is refused (documented).
    headers: Mapping[str, str] = {"X-SailPoint-Experimental": "true"}
    full: Mapping[str, str] = {}

    def __init__(self, options: Params, check_mode: bool = False) -> None:
        super().__init__(dict(options, api_version="v1"), check_mode)

    def _path(self, resource: str, *rest: str) -> str:
        path = super()._path(resource, *rest)
        if resource not in OWN_RESOURCES:
            return path
        return "%s/%s%s" % (SERVICE, resource, path[len("/%s/v1" % resource) :])

    def list_of(self, params: Mapping[str, Any], record: Record) -> list[Any]:
        """Raises HttpError: each campaign is read alone, because a list shows summaries only."""
        raise HttpError("GET", self._path("campaigns"), "the list of next generation campaigns does not show them in full")

    # --- reports ---

    def list_reports(self, campaign_id: str, record: Record | None = None) -> list[Any]:
        """The campaign's report objects, all of them: each run has an id of its own."""
        path = self._path("campaigns", campaign_id, "reports")
        kept: list[Exchange] = []
        try:
            return [report for page in self._pages(path, {"sorters": "created"}, kept, reports_kept) for report in page]
        finally:
            for exchange in kept:
                if record is not None:
                    record.append(exchange)

    def create_report(self, campaign_id: str, report_type: str, file_format: str, record: Record | None = None) -> JsonObject:
        """Asks for a report. Returns it, with its id. report_type: of REPORT_TYPES. file_format: csv or pdf."""
        path = self._path("campaigns", campaign_id, "reports")
        wanted = REPORT_TYPES[report_type]
        body = {"type": wanted, "format": file_format.upper(), "name": "%s %s" % (wanted.capitalize(), campaign_id)}
        answer = only_200(self.client.request("POST", path, json=body, record=record), "POST", path)
        report = answer.body
        if not is_report(report, campaign_id, wanted, file_format):
            raise HttpError("POST", path, "the answer is not the report that was asked for", answer.status, uncertain=True)
        return report  # type: ignore[return-value]  # is_report has looked.

    def get_report(self, campaign_id: str, report_id: str, record: Record | None = None) -> JsonObject:
        """One report of a campaign, as it is now."""
        path = self._path("campaigns", campaign_id, "reports", report_id)
        answer = only_200(self.client.request("GET", path, record=record), "GET", path)
        if not isinstance(answer.body, dict) or answer.body.get("id") != report_id:
            raise HttpError("GET", path, "the answer is not that report", answer.status)
        return answer.body

    def download_signed_report(
        self, campaign_id: str, report_id: str, file_format: str, path: str, record: Record | None = None
    ) -> str:
        """Downloads a report's file from the address that the API signs for it. Returns its SHA-256 (hex).

        The address is asked for anew each time, and kept nowhere: its query is as good as a password. Raises ReportGone,
        and OSError where the file cannot be written.
        """
        url_path = self._path("campaigns", campaign_id, "reports", report_id, "download-url")
        address, server_time = self._signed_address(url_path, report_id, record)
        shown = shown_address(address)

        def fetch(file: BinaryIO) -> tuple[Answer, str]:
            try:
                answer, sha256, size = self.client.download_signed(address, shown, ACCEPTED_TYPES[file_format], file)
            except HttpError as error:
                if error.status in (404, 410):
                    raise ReportGone(str(error)) from None
                raise
            if record is not None:
                # By the clock of the API, which signed it just before: that of a file store decides nothing.
                facts: Exchange = {
                    "method": "GET",
                    "path": shown,
                    "status": 200,
                    "reference": None,
                    "server_time": server_time,
                    "sent": None,
                    "body": None,
                    "sha256": sha256,
                    "size": size,
                    "report_id": report_id,
                }
                record.append(facts)
            return answer, sha256

        return self._save(path, shown, file_format, fetch)

    def _signed_address(self, path: str, report_id: str, record: Record | None) -> tuple[str, str | None]:
        """(the address, the API's time)."""
        kept: list[Exchange] = []
        try:
            answer = only_200(self.client.request("GET", path, record=kept), "GET", path)
        except HttpError as error:
            if error.status in (404, 410):
                raise ReportGone(str(error)) from error
            if error.status is not None and error.status < 300:
                # Of an answer that was cut off, the message shows the beginning.
                raise HttpError("GET", path, NO_ADDRESS, error.status, passing=error.passing) from None
            raise
        finally:
            for exchange in kept:
                exchange["body"] = without_address(exchange.get("body"))
                if record is not None:
                    record.append(exchange)
        body = answer.body if isinstance(answer.body, dict) else {}
        address = body.get("presignedUrl")
        if body.get("id") != report_id or not isinstance(address, str) or not address:
            raise HttpError("GET", path, NO_ADDRESS, answer.status)
        return address, answer.server_time

    @staticmethod
    def _check_file(url_path: str, answer: Answer, start: bytes, file_format: str) -> None:
        """As for any other file, without a word of what came: a file store's page may quote what was signed."""
        try:
            SailPointApi._check_file(url_path, answer, start, file_format)
        except HttpError as error:
            problem = "the answer is not a %s file" % file_format
            raise HttpError("GET", url_path, problem, error.status, hint=error.hint, passing=True) from None

    # --- what reviewers decided ---

    def list_certifications(self, campaign_id: str, record: Any) -> list[dict[str, Any]]:
        """The campaign's certifications, those that this user may review or administer (documented).

        Whether those of governance groups are among them is unknown.
        """
        params = {"filters": 'campaignRef.id eq "%s"' % escape(campaign_id), "sorters": "name"}
        pages = self._pages(
            self._path("certifications"), params, record, lambda page: {"body": list(map(certification_facts, page))}
        )
        return [certification for page in pages for certification in page]

    def review_items(self, certification_id: str, record: Any, facts: Callable[[list], dict]) -> Iterator[list[dict[str, Any]]]:
        """The certification's items, page by page, in the shape that the older calls give them."""
        path = self._path("certifications", certification_id, "review-items")
        params = {"sorters": "reviewData.targetReference.id"}
        for page in self._pages(path, params, record, lambda page: facts([as_older(one) for one in page])):
            yield [as_older(one) for one in page]


def reports_kept(reports: list[JsonObject]) -> dict[str, Any]:
    """What is kept on record of a page of reports: those that a remediation can be read from."""
    return {"body": [one for one in reports if one.get("type") == REPORT_TYPES[REMEDIATION_STATUS_REPORT]]}


def certification_facts(certification: JsonObject) -> JsonObject:
    """What is kept on record of a certification, under the names that it has with the older calls where it has one."""
    kept = {name: certification.get(name) for name in CERTIFICATION_FACTS}
    campaign = certification.get("campaignRef")
    return dict(
        kept,
        signed=certification.get("dateSigned"),
        campaign={"id": campaign.get("id") if isinstance(campaign, dict) else None},
    )


def as_older(item: JsonObject) -> JsonObject:
    """A review item as the older calls would give it. What is not understood becomes None, and then nothing can be said of it.

    The subject is an identity only where it says so: a role or a machine identity is another thing under the same name.
    """
    data, subject = dict_in(item, "reviewData"), dict_in(item, "certificationSubjectSummary")
    target = dict_in(data, "targetReference")
    kind = item.get("type")
    if target.get("type") not in (None, kind):
        kind = None
    whole = {name: dict(dict_in(data, name)) for name in ("entitlement", "accessProfile", "role")}
    own = whole.get({"ENTITLEMENT": "entitlement", "ACCESS_PROFILE": "accessProfile", "ROLE": "role"}.get(str(kind), ""), {})
    if own.get("id") not in (None, target.get("id", own.get("id"))):
        kind = None
    if item.get("proposedEndDate") is not None:
        # Of an odd one nobody knows whether it is over.
        own["endDate"] = str(item["proposedEndDate"])
    is_identity = subject.get("subjectType") == IDENTITY
    return {
        "id": item.get("id"),
        "decision": REVOKE if item.get("decision") == REVOKED else item.get("decision"),
        "identitySummary": {
            "identityId": subject.get("subjectTargetId") if is_identity else None,
            "name": subject.get("subjectName"),
        },
        "accessSummary": {
            "access": {"type": kind, "id": target.get("id", own.get("id")), "name": target.get("name", own.get("name"))},
            **whole,
        },
    }


def without_address(body: object) -> object:
    """The answer with a signed address, without what makes it one."""
    if not isinstance(body, dict):
        return None
    address = body.get("presignedUrl")
    return {"id": body.get("id"), "presignedUrl": shown_address(address)} if "presignedUrl" in body else body


def shown_address(address: object) -> str:
    """Of a signed address what may be shown: where it leads to, and not what is signed. A path may hold a name, or a key."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        if not parts.hostname or not re.fullmatch(r"[a-z]{1,10}", parts.scheme):
            return "(no address)"
        port = ":%d" % parts.port if parts.port else ""
    except ValueError:
        return "(no address)"
    return "%s://%s%s/…" % (parts.scheme, quote(parts.hostname, safe=":.[]-"), port)
