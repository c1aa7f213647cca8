# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint Identity Security Cloud: the calls around a certification campaign, and how to wait for their effect.

Private to the collection. What the API does is documented by SailPoint unless a docstring says "seen on a tenant"
(not documented, relied on by another client) or "unknown" (then the code survives either answer).
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    PART_PREFIX,
    PART_SUFFIX,
    check_replaceable,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import (
    JsonObject,
    KeepsConnections,
    Params,
    Record,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.client import CONNECTION_OPTIONS as COMMON_OPTIONS
from ansible_collections.secops.remediation.plugins.module_utils._http.client import (
    REQUESTS_IMPORT_ERROR,
    Answer,
    ApiError,
    BadConnectionOption,
    HttpClient,
    HttpError,
    NoAuthentication,
    from_environment,
    only_200,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.options import tenant_of
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_proof import REMEDIATION_STATUS_REPORT, accepts

NEXT = "next"
API_VERSIONS = ("v1", "v2026", "v2025", "v2024", "v3", "beta", NEXT)
PAGE_SIZE = 250
REPORT_TYPES = (
    REMEDIATION_STATUS_REPORT,
    "CAMPAIGN_STATUS_REPORT",
    "CAMPAIGN_COMPOSITION_REPORT",
    "CERTIFICATION_SIGNOFF_REPORT",
)
# Pages of an API that never says that it is at the end would be read for ever.
MOST_CAMPAIGNS = 100_000
MOST_PAGED = 1_000_000
# Of a longer value the record has enough with what came: it is a row of ids, each of which has a result of its own.
LONGEST_SHOWN = 200
ACCEPTED_TYPES = {
    "csv": "text/csv, application/csv, application/octet-stream;q=0.9, */*;q=0.1",
    "pdf": "application/pdf, application/octet-stream;q=0.9, */*;q=0.1",
}

NO_NEXT = (
    "api_version next has no remediation scan: of a next generation campaign nobody can have the sources looked at. Ask "
    "sailpoint_revoked_access_info whether the access is gone, and take the order of a report from its own times."
)

CONNECTION_OPTIONS = dict(
    base_url=dict(type="str", required=True, fallback=(from_environment, ["SAIL_BASE_URL"])),
    client_id=dict(type="str", fallback=(from_environment, ["SAIL_CLIENT_ID"])),
    client_secret=dict(type="str", no_log=True, fallback=(from_environment, ["SAIL_CLIENT_SECRET"])),
    access_token=dict(type="str", no_log=True, fallback=(from_environment, ["SAIL_ACCESS_TOKEN"])),
    api_version=dict(type="str", choices=list(API_VERSIONS), default="v1"),
    **COMMON_OPTIONS,
)


class CampaignNotFound(Exception):
    """No campaign has this id, or the user may not see it."""


class OperationConflict(Exception):
    """400.2.0: another operation runs on this campaign. It means "not yet"."""


class ReportGone(Exception):
    """The report's file was purged: seen on a tenant as 400, 404 or 410."""


class ClientCredentials:
    """The OAuth client credentials of a personal access token: a token when it is first needed, one for all threads.

    A token is renewed a minute before it expires (a tenth of its life before, if it is short), and once for everybody
    after a 401. Its lifetime is what the answer says, never assumed.
    client: what logs in; it is given these credentials, so it is made after them.
    """

    client: HttpClient

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self.secrets = {client_secret}
        self._token: str | None = None
        self._renew_at = 0.0
        self._failure: HttpError | None = None
        self._failed_at = 0.0
        self._lock = threading.Lock()

    def headers(self) -> dict[str, str]:
        """The Authorization header, with a token that is still good."""
        asked_at = time.monotonic()
        with self._lock:
            if self._token is None or time.monotonic() >= self._renew_at:
                # Who waited for a login that failed does not try the same thing again, and nobody what cannot succeed.
                if self._failure is not None and (not self._failure.passing or asked_at <= self._failed_at):
                    raise self._failure
                try:
                    self._token = self._log_in()
                except HttpError as error:
                    # Whoever needed the token must not take this for the answer to its own request.
                    error.status = error.code = None
                    self._failure, self._failed_at = error, time.monotonic()
                    raise
            return {"Authorization": "Bearer " + self._token}

    def forget_failure(self) -> None:
        """Lets the next request log in, whatever came of it before."""
        with self._lock:
            self._failure = None

    def renew(self, used_headers: Mapping[str, str]) -> bool:
        """After a 401. The first thread gets a new token; those that used the same old one share it."""
        with self._lock:
            if self._token is not None and used_headers["Authorization"] == "Bearer " + self._token:
                self._token = None
            return True

    def _log_in(self) -> str:
        login = NoAuthentication()
        login.secrets = self.secrets
        answer = self.client.request(
            "POST",
            "/oauth/token",
            repeatable=True,
            authentication=login,
            data={"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._client_secret},
        )
        body = answer.body if isinstance(answer.body, dict) else {}
        token, lifetime = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token:
            raise HttpError(
                "POST",
                "/oauth/token",
                "the answer holds no access_token",
                answer.status,
                hint="Is base_url the address of the tenant's API?",
            )
        # Whatever it says, it is tried, and renewed after a 401.
        lifetime = float(lifetime) if isinstance(lifetime, (int, float)) and 0 < lifetime < 10**9 else 60.0
        self.secrets.add(token)
        self._renew_at = time.monotonic() + lifetime - min(60.0, lifetime / 10)
        return token


class AccessToken:
    """A token that the user brought. It cannot be renewed."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.secrets = {token}

    def headers(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": "Bearer " + self._token}

    def renew(self, used_headers: Mapping[str, str]) -> bool:
        """After a 401: there is no way to another token."""
        return False


def explain(status: int, body: object) -> ApiError:
    """SailPoint's error body as an ApiError. Several dialects are in use, so every known key is looked at."""
    if not isinstance(body, dict):
        return ApiError()
    messages = [
        message
        for key in ("messages", "causes")
        if isinstance(body.get(key), list)
        for message in body[key]
        if isinstance(message, dict)
    ]
    english = [message for message in messages if message.get("locale") in (None, "en", "en-US", "und")]
    texts = [message.get("text") for message in english or messages]
    texts += [
        body.get(key) for key in ("error_description", "error", "formatted_msg", "errorMessage", "detailMessage", "message")
    ]
    text = "; ".join(dict.fromkeys(text.strip() for text in texts if isinstance(text, str) and text.strip()))
    code = body.get("detailCode") or (body.get("error") if body.get("error_description") else None)
    tracking_id = body.get("trackingId")
    return ApiError(str(code) if code else None, text or None, "trackingId %s" % tracking_id if tracking_id else None)


def hint(status: int, error: ApiError) -> str | None:
    """What to do about an error of SailPoint's API."""
    if status == 401:
        return (
            "Check client_id and client_secret (a personal access token of a user with the level ORG_ADMIN or "
            "CERT_ADMIN), or give a fresh access_token."
        )
    if status == 403:
        return (
            "The user of this personal access token needs the level ORG_ADMIN or CERT_ADMIN (REPORT_ADMIN for "
            "lists, scans and reports), and the token the scopes for campaigns and their reports."
        )
    if status == 404:
        return "Check the id, base_url and api_version."
    if status == 429:
        return "Other clients use the same client id; lower rate_limit or raise retry_timeout."
    return None


def connect(task: KeepsConnections, of_next: type[SailPointApi] | None = None) -> SailPointApi:
    """The SailPointApi for a task's connection options. Raises TaskFailed with what is wrong with them.

    of_next: the API of api_version `next`, or None where there is nothing that it could be asked.
    """
    if REQUESTS_IMPORT_ERROR:
        raise MissingLibrary("requests", REQUESTS_IMPORT_ERROR)
    make = SailPointApi
    if task.params["api_version"] == NEXT:
        if of_next is None:
            raise TaskFailed(NO_NEXT)
        make = of_next
    api = task.connection("sailpoint", CONNECTION_OPTIONS, lambda: make(task.params, task.check_mode))
    api.begin_task()
    return api


class SailPointApi:
    """The calls around a certification campaign. options: the connection options as a dict.

    Every call raises HttpError; those that change something raise WouldChange in check mode.
    """

    # What every request carries besides.
    headers: Mapping[str, str] = {}
    # What asks for a campaign in full.
    full: Mapping[str, str] = {"detail": "FULL"}

    def __init__(self, options: Params, check_mode: bool = False) -> None:
        self._version = options["api_version"]
        if options["access_token"]:
            authentication: AccessToken | ClientCredentials = AccessToken(options["access_token"].strip())
        elif options["client_id"] and options["client_secret"]:
            authentication = ClientCredentials(options["client_id"].strip(), options["client_secret"].strip())
        else:
            missing = [name for name in ("client_id", "client_secret") if not options[name]]
            raise TaskFailed(
                "No credentials: %s not given. Give client_id and client_secret (or SAIL_CLIENT_ID and "
                "SAIL_CLIENT_SECRET in the environment), or access_token (SAIL_ACCESS_TOKEN)."
                % (" and ".join(missing) + (" is" if len(missing) == 1 else " are"))
            )
        try:
            self.client = HttpClient(
                options["base_url"],
                options,
                authentication,
                explain,
                hint,
                check_mode,
                ("/oauth/token", self._path("search")),
                self.headers,
            )
        except BadConnectionOption as error:
            raise TaskFailed(str(error)) from error
        if isinstance(authentication, ClientCredentials):
            authentication.client = self.client
        self.secrets = authentication.secrets
        self.tenant = tenant_of(self.client.base_url)
        self._may_get_campaign = True

    def begin_task(self) -> None:
        """A login that could not succeed in the task before is tried once more: its user may just have mended it."""
        if isinstance(self.client.authentication, ClientCredentials):
            self.client.authentication.forget_failure()

    def _path(self, resource: str, *rest: str) -> str:
        """The path of a resource: the per-service scheme puts the version second, all others put it first."""
        scheme = [resource, "v1"] if self._version == "v1" else [self._version, resource]
        for part in rest:
            # `.` and `..` are steps to another path, even encoded.
            if not part.strip("."):
                raise ItemFailed("%r is no id" % part)
        return "/" + "/".join(scheme + [quote(part, safe="") for part in rest])

    def get_campaign(self, campaign_id: str, record: Record | None = None) -> JsonObject:
        """The FULL campaign object. Raises CampaignNotFound. record, here and below: see HttpClient.request.

        `GET /campaigns/{id}` is closed to REPORT_ADMIN (documented), the list with a filter is not. The beta call has
        no `detail` parameter, so an answer without `modified` is completed from the list.
        """
        if self._may_get_campaign:
            params = {} if self._version == "beta" else self.full
            try:
                path = self._path("campaigns", campaign_id)
                campaign = only_200(self.client.request("GET", path, params=params, record=record), "GET", path).body
                if not isinstance(campaign, dict):
                    raise HttpError("GET", self._path("campaigns", campaign_id), "the answer is not a campaign object")
                if "modified" in campaign:
                    return campaign
            except HttpError as error:
                if error.status == 404:
                    raise CampaignNotFound(campaign_id) from error
                if error.status != 403:
                    raise
                self._may_get_campaign = False
        found, _total, _truncated = self.list_campaigns('id eq "%s"' % escape(campaign_id), 1, record)
        if not found:
            raise CampaignNotFound(campaign_id)
        return found[0]

    def list_of(self, params: Mapping[str, Any], record: Record) -> list[Any]:
        """The campaigns that one list shows, whatever it leaves out. params: of the request."""
        path = self._path("campaigns")
        body = only_200(self.client.request("GET", path, params=params, record=record), "GET", path).body
        if not isinstance(body, list):
            raise HttpError("GET", path, "the answer is not a list of campaigns")
        return body

    def list_campaigns(
        self, filters: str | None, limit: int | None = None, record: Record | None = None
    ) -> tuple[list[JsonObject], int | None, bool]:
        """(FULL campaign objects, total, whether `limit` cut something off), all pages. total is None if unsaid."""
        campaigns: list[JsonObject] = []
        total, totals = None, set()
        while True:
            size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit - len(campaigns))
            params = {**self.full, "limit": size, "offset": len(campaigns), "count": "true", "sorters": "name"}
            if filters:
                params["filters"] = filters
            answer = self.client.request("GET", self._path("campaigns"), params=params, record=record)
            only_200(answer, "GET", self._path("campaigns"))
            if not isinstance(answer.body, list) or not all(
                isinstance(campaign, dict) and campaign.get("id") is not None for campaign in answer.body
            ):
                raise HttpError("GET", self._path("campaigns"), "the answer is not a list of campaigns", answer.status)
            if answer.body and answer.body == campaigns[-len(answer.body) :]:
                raise HttpError("GET", self._path("campaigns"), "the same page came twice", answer.status)
            campaigns += answer.body
            if len(campaigns) > MOST_CAMPAIGNS:
                raise HttpError(
                    "GET",
                    self._path("campaigns"),
                    "there are more than %d campaigns, or the pages never end" % MOST_CAMPAIGNS,
                    answer.status,
                    hint="Narrow the filter down.",
                )
            said = answer.headers.get("X-Total-Count", "")
            total = int(said) if re.fullmatch(r"[0-9]{1,9}", said) else total
            # Of one that came twice, or with another total than before, another was pushed over the edge of a page.
            totals.add(total)
            doubtful = len(totals) > 1 or len({str(campaign["id"]) for campaign in campaigns}) < len(campaigns)
            if len(campaigns) == total and len(answer.body) <= size:
                return campaigns, total, doubtful
            if not answer.body:
                # Without a total, or with one that was too small, only an empty page is the end.
                return campaigns, max(total or 0, len(campaigns)), doubtful or len(campaigns) < (total or 0)
            if limit is not None and len(campaigns) >= limit:
                return campaigns, total, True

    def run_remediation_scan(self, campaign_id: str, record: Record | None = None) -> str | None:
        """Asks for a remediation scan. Returns the server's time as text. Raises OperationConflict.

        The answer has no id: the scan can only be seen by its effects. Accepted means 202 (documented), and nothing else.
        """
        return self._operate(record, campaign_id, "run-remediation-scan").server_time

    def run_report(self, campaign_id: str, report_type: str, record: Record | None = None) -> None:
        """Asks for a report. Raises OperationConflict."""
        self._operate(record, campaign_id, "run-report", report_type)

    def _operate(self, record: Record | None, campaign_id: str, *operation: str) -> Answer:
        try:
            path = self._path("campaigns", campaign_id, *operation)
            answer = self.client.request("POST", path, needs_body=False, record=record)
            if not accepts(answer.status, answer.body):
                raise HttpError(
                    "POST",
                    path,
                    "HTTP %d%s is not the acceptance of what was asked for, which is 202 and nothing "
                    "else" % (answer.status, "" if answer.body is None else " with the body %.200r" % (answer.body,)),
                    answer.status,
                )
            return answer
        except HttpError as error:
            if error.status == 400 and (error.code or "").startswith("400.2.0"):
                raise OperationConflict(str(error)) from error
            if error.uncertain:
                error.hint = "Run again: it is asked for once more when the campaign is free."
            raise

    def list_reports(self, campaign_id: str, record: Record | None = None) -> list[Any]:
        """The campaign's report objects: the latest run of each type. A campaign that never had one may answer 404."""
        path = self._path("campaigns", campaign_id, "reports")
        try:
            answer = self.client.request("GET", path, record=record)
        except HttpError as error:
            # Of the campaign itself this says nothing (unknown whether it is ever answered).
            if error.status == 404:
                return []
            raise
        only_200(answer, "GET", path)
        if not isinstance(answer.body, list):
            raise HttpError("GET", path, "the answer is not a list of reports", answer.status)
        return [report for report in answer.body if isinstance(report, dict)]

    def download_report(self, report_id: object, file_format: str, path: str, record: Record | None = None) -> str:
        """Downloads a report's file to `path`, which is replaced only by a complete file. Returns its SHA-256 (hex).

        Raises ReportGone, and OSError where the file cannot be written.
        """
        if not isinstance(report_id, str) or not report_id:
            raise ItemFailed("the report has the id %r, with which no file can be asked for" % (report_id,))
        url_path = self._path("reports", report_id)

        def fetch(file: BinaryIO) -> tuple[Answer, str]:
            try:
                return self.client.download(url_path, {"fileFormat": file_format}, ACCEPTED_TYPES[file_format], file, record)
            except HttpError as error:
                if error.status in (400, 404, 410):
                    raise ReportGone(str(error)) from error
                raise

        return self._save(path, url_path, file_format, fetch)

    def _save(self, path: str, url_path: str, file_format: str, fetch: Callable[[BinaryIO], tuple[Answer, str]]) -> str:
        """Puts what fetch(file) brings to `path`, if it is whole and a report's file. Returns its SHA-256 (hex)."""
        path = check_replaceable(path)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=PART_PREFIX, suffix=PART_SUFFIX)
        try:
            with os.fdopen(handle, "w+b") as file:
                answer, sha256 = fetch(file)
                file.seek(0)
                self._check_file(url_path, answer, file.read(512), file_format)
                os.fsync(file.fileno())
            os.replace(temporary, path)
            return sha256
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    # --- what reviewers decided, and what identities and accounts hold today ---

    def list_certifications(self, campaign_id: str, record: Any) -> list[dict[str, Any]]:
        """The campaign's certifications, those that this user may see (documented: never those of governance groups)."""
        # Beta calls it campaignRef.id, and has no items: who wants those must not come here with it.
        params = {"filters": 'campaign.id eq "%s"' % escape(campaign_id), "sorters": "name"}
        pages = self._pages(
            self._path("certifications"), params, record, lambda page: {"body": list(map(certification_facts, page))}
        )
        return [certification for page in pages for certification in page]

    def decision_summary(self, certification_id: str, record: Any) -> dict[str, Any]:
        """How many items of each kind were approved and revoked. Open to ORG_ADMIN and CERT_ADMIN (documented)."""
        path = self._path("certifications", certification_id, "decision-summary")
        answer = only_200(self.client.request("GET", path, record=record), "GET", path)
        if not isinstance(answer.body, dict):
            raise HttpError("GET", path, "the answer is not a summary of decisions", answer.status)
        return answer.body

    def review_items(self, certification_id: str, record: Any, facts: Callable[[list], dict]) -> Iterator[list[dict[str, Any]]]:
        """The certification's items, page by page. facts: what of a page is kept on record beside its length.

        There is no filter on the decision (documented). Role composition campaigns give none (seen on a tenant).
        """
        path = self._path("certifications", certification_id, "access-review-items")
        return self._pages(path, {"sorters": "access.name"}, record, facts)

    def search(
        self, index: str, terms: dict[str, list[str]], includes: list[str], record: Any, limit: int = PAGE_SIZE, **more: Any
    ) -> list[dict[str, Any]]:
        """The documents of an index in which each of these fields has one of its terms (about 800 at most, documented).

        limit: of documents, up to 10,000 (documented). more: further keys of the body; `filters` are added to the terms, and
        `sort` is by id unless it is given.
        """
        filters = {field: {"type": "TERMS", "terms": values} for field, values in terms.items()}
        body = dict(
            dict({"sort": ["id"]}, **more),
            indices=[index],
            query={"query": "*"},
            filters=dict(filters, **more.get("filters", {})),
            queryResultFilter={"includes": includes},
        )
        # The ids would be most of the record, and each item has its own.
        sent = {"indices": [index], "terms": {field: len(values) for field, values in terms.items()}}
        params = {"limit": limit, "count": "true"}
        return self._list("POST", self._path("search"), params, record, lambda page: {"sent": sent}, json=body)[0]

    def list_accounts(self, account_ids: list[str], record: Any) -> list[dict[str, Any]]:
        """The accounts with these ids, a page of them at most, as of the last time that their source was read.

        Open to ORG_ADMIN, SOURCE_ADMIN, SOURCE_SUBADMIN, and HELPDESK, not to CERT_ADMIN (documented).
        """
        params = {"filters": ids_filter(account_ids), "limit": PAGE_SIZE, "count": "true"}
        return self._list("GET", self._path("accounts"), params, record)[0]

    def reload_account(self, account_id: str, record: Any) -> str:
        """Has one account read again from its source. Returns the id of the task (documented: 202)."""
        path = self._path("accounts", account_id, "reload")
        # To read once more than needed does no harm.
        answer = self.client.request("POST", path, repeatable=True, record=record)
        task_id = answer.body.get("id") if isinstance(answer.body, dict) else None
        if answer.status != 202 or not isinstance(task_id, str) or not task_id:
            raise HttpError("POST", path, "the answer names no task, which 202 does", answer.status)
        return task_id

    def list_tasks(self, task_ids: list[str], record: Any) -> list[dict[str, Any]]:
        """The tasks with these ids, a page of them at most. Not in v3 and not the same in beta, so v2024 is asked there."""
        version = self._version if self._version not in ("v3", "beta") else "v2024"
        path = "/task-status/v1" if version == "v1" else "/%s/task-status" % version
        params = {"filters": ids_filter(task_ids), "limit": PAGE_SIZE, "count": "true"}
        return self._list("GET", path, params, record, tasks_kept)[0]

    def work_items(self, owner_id: str | None, record: Any) -> Iterator[list[dict[str, Any]]]:
        """The work items of one owner, which takes an administrator, or those of this user (documented), page by page."""
        return self._pages(self._path("work-items"), {"ownerId": owner_id} if owner_id else {}, record)

    def _list(
        self, method: str, path: str, params: dict, record: Any, facts: Callable[[list], dict] | None = None, **content: Any
    ) -> tuple[list[dict[str, Any]], int | None]:
        """(objects, total or None) of one answer that is a list. On record is how many they are, and what facts(them) gives.

        Not the bodies: they are large, and each item keeps what it needs of them.
        """
        shown = {name: value for name, value in params.items() if len(str(value)) <= LONGEST_SHOWN}
        query = urlencode(shown, quote_via=quote)
        exchange: dict[str, Any] = dict(
            method=method, path="%s?%s" % (path, query), status=None, reference=None, server_time=None, sent=None
        )
        try:
            answer = only_200(self.client.request(method, path, params=params, **content), method, path)
        except HttpError as error:
            if error.status is not None:
                record.append(dict(exchange, status=error.status, reference=error.reference, body=None))
            raise
        page = answer.body
        if not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
            raise HttpError(method, path, "the answer is not a list of objects", answer.status)
        said = answer.headers.get("X-Total-Count", "")
        total = int(said) if re.fullmatch(r"[0-9]{1,9}", said) else None
        exchange.update(status=answer.status, server_time=answer.server_time, count=len(page), total=total)
        record.append(dict(exchange, **(facts(page) if facts else {})))
        return page, total

    def _pages(
        self, path: str, params: dict, record: Any, facts: Callable[[list], dict] | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """Yields each page of a list until the end: all that X-Total-Count says, or a page that is empty."""
        offset, before = 0, None
        while True:
            page, total = self._list("GET", path, dict(params, limit=PAGE_SIZE, offset=offset, count="true"), record, facts)
            ids = [one.get("id") for one in page]
            if page and ids == before:
                raise HttpError("GET", path, "the same page came twice", 200)
            yield page
            offset, before = offset + len(page), ids
            if not page or offset == total:
                return
            if offset > MOST_PAGED:
                raise HttpError("GET", path, "there are more than %d, or the pages never end" % MOST_PAGED, 200)

    @staticmethod
    def _check_file(url_path: str, answer: Answer, start: bytes, file_format: str) -> None:
        """A login page or a JSON object must never be read as a report."""
        kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if (
            kind in ("text/html", "application/json")
            or start.lstrip()[:1] in (b"<", b"{")
            or (file_format == "pdf" and not start.startswith(b"%PDF"))
        ):
            raise HttpError(
                "GET",
                url_path,
                "the answer is not a %s file: %s, starting with %r"
                % (file_format, kind or "no content type", start.decode("utf-8", "replace")[:80]),
                answer.status,
                hint="Something other than the API answered (a proxy, a login page?).",
                passing=True,
            )


def certification_facts(certification: dict[str, Any]) -> dict[str, Any]:
    """What is kept on record of a certification."""
    kept = {name: certification.get(name) for name in ("id", "phase", "signed", "hasErrors", "decisionsMade", "decisionsTotal")}
    campaign = certification.get("campaign")
    return dict(kept, campaign={"id": campaign.get("id") if isinstance(campaign, dict) else None})


def tasks_kept(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """What is kept on record of tasks."""
    return {"body": [{name: task.get(name) for name in ("id", "completionStatus", "completed")} for task in tasks]}


def ids_filter(ids: list[str]) -> str:
    """The filter for so many ids."""
    return "id in (%s)" % ", ".join('"%s"' % escape(one) for one in ids)


def escape(text: str) -> str:
    """A value for SailPoint's filter language, without its quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def campaign_filters(name: str | None, statuses: list[str] | None, filters: str | None) -> str | None:
    """The `filters` expression for the given options, or None."""
    terms = []
    if name:
        terms.append('name eq "%s"' % escape(name))
    if statuses:
        terms.append("status in (%s)" % ", ".join('"%s"' % escape(status) for status in statuses))
    if filters:
        # Not every filter language with "and" knows parentheses, so they are only put where they matter.
        terms.append("(%s)" % filters if terms and " or " in filters.lower() else filters)
    return " and ".join(terms) or None


def no_campaign(campaign_id: str) -> ItemFailed:
    """The error for an id that no campaign has."""
    return ItemFailed("no campaign has the id %s, or this user may not see it" % campaign_id)
