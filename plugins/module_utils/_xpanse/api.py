# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cortex Xpanse: remediation confirmation scanning, and the way from an alert to what can be scanned.

Private to the collection. What the API does is documented by Palo Alto Networks, or done so by its own clients, unless
a docstring says "unknown" (then the code survives either answer).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import (
    Exchange,
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
    from_environment,
    only_200,
)
from ansible_collections.secops.remediation.plugins.module_utils._http.options import tenant_of
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import NO_RECORD
from ansible_collections.secops.remediation.plugins.module_utils._verdict.target import scalar
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.target import (
    EXPOSURE,
    GET,
    GET_OR_CREATE,
    SentExposure,
    as_sent,
    named_scan,
    reopened,
    values_sent,
)

GET_ALERTS = "/public_api/v2/alerts/get_alerts_multi_events"
UPDATE_ALERTS = "/public_api/v1/alerts/update_alerts"
# The most that one call reads, and the most that one call updates.
ALERTS_PAGE = 100
# Pages of an API that never says that it is at the end would be read for ever.
MOST_ALERTS = 200_000
# The API counts no further, so a total of this size is a lower bound.
ALERTS_COUNTED = 9999

CONNECTION_OPTIONS = dict(
    base_url=dict(type="str", required=True, fallback=(from_environment, ["CORTEX_FQDN"])),
    api_key_id=dict(type="str", required=True, no_log=False, fallback=(from_environment, ["CORTEX_API_KEY_ID"])),
    api_key=dict(type="str", required=True, no_log=True, fallback=(from_environment, ["CORTEX_API_KEY"])),
    api_key_type=dict(
        type="str",
        no_log=False,
        choices=["advanced", "standard"],
        default="advanced",
        fallback=(from_environment, ["CORTEX_API_KEY_TYPE"]),
    ),
    **COMMON_OPTIONS,
)


class ScanNotFound(Exception):
    """No scan has this id."""


class StandardKey:
    """A standard API key: it is sent as it is."""

    def __init__(self, key_id: str, key: str) -> None:
        self._key_id = key_id
        self._key = key
        self.secrets = {key}

    def headers(self) -> dict[str, str]:
        """The headers of one attempt."""
        return {"x-xdr-auth-id": self._key_id, "Authorization": self._key}

    def renew(self, used_headers: Mapping[str, str]) -> bool:
        """After a 401: a key cannot be renewed."""
        return False


class AdvancedKey(StandardKey):
    """An advanced API key: every attempt is signed with a nonce and the time, and the key itself is never sent."""

    def headers(self) -> dict[str, str]:
        """The headers of one attempt."""
        # 64 letters and digits, as the API wants it.
        return self.sign(secrets.token_hex(32), str(int(time.time() * 1000)))

    def sign(self, nonce: str, timestamp: str) -> dict[str, str]:
        """The headers for a nonce and a timestamp (milliseconds since the epoch, as text)."""
        signature = hashlib.sha256((self._key + nonce + timestamp).encode("utf-8")).hexdigest()
        return {"x-xdr-auth-id": self._key_id, "x-xdr-nonce": nonce, "x-xdr-timestamp": timestamp, "Authorization": signature}


def explain(status: int, body: object) -> ApiError:
    """Xpanse's error body as an ApiError: inside `reply`, flat as on older pages, or flat as with 422."""
    if not isinstance(body, dict):
        return ApiError()
    reply = body.get("reply")
    error = reply if isinstance(reply, dict) else body
    code = error.get("err_code", error.get("code"))
    text = error.get("err_msg", error.get("message"))
    extra = error.get("err_extra", error.get("errors"))
    return ApiError(
        "err_code %s" % code if code is not None else None,
        str(text) if text else None,
        "err_extra: %s" % (extra,) if extra else None,
    )


def hint(status: int, error: ApiError) -> str | None:
    """What to do about an error of Xpanse's API."""
    if status == 401:
        return (
            "Check api_key_id and api_key, whether the key is the kind that api_key_type says (advanced or "
            "standard), that it has not expired, and this machine's clock: an advanced key signs with the time."
        )
    if status == 402:
        return "The tenant has no licence for this."
    if status == 403:
        return "The role of this API key lacks the permission for this call."
    if status == 404:
        return "Check the id and base_url."
    if status == 429:
        return "Other clients use the tenant's budget; lower rate_limit or raise retry_timeout."
    return None


def connect(task: KeepsConnections) -> XpanseApi:
    """The XpanseApi for a task's connection options. Raises TaskFailed with what is wrong with them."""
    if REQUESTS_IMPORT_ERROR:
        raise MissingLibrary("requests", REQUESTS_IMPORT_ERROR)
    return task.connection("xpanse", CONNECTION_OPTIONS, lambda: XpanseApi(task.params, task.check_mode))


def api_address(base_url: str) -> str:
    """The base URL for what the user gave: a whole URL, or the tenant's FQDN with or without `api-` before it."""
    if "://" in base_url:
        return base_url
    name = base_url.strip().rstrip("/")
    return name and "https://" + (name if name.startswith("api-") else "api-" + name)


class XpanseApi:
    """Remediation confirmation scans and alerts. options: the connection options as a dict.

    Every call raises HttpError; get_or_create raises WouldChange in check mode.
    """

    def __init__(self, options: Params, check_mode: bool = False) -> None:
        for name in ("api_key_id", "api_key"):
            if not options[name].strip():
                raise TaskFailed("%s is empty: give it, or set %s in the environment" % (name, "CORTEX_" + name.upper()))
        key = (AdvancedKey if options["api_key_type"] == "advanced" else StandardKey)(
            options["api_key_id"].strip(), options["api_key"].strip()
        )
        try:
            self.client = HttpClient(
                api_address(options["base_url"]), options, key, explain, hint, check_mode, read_only_posts=(GET, GET_ALERTS)
            )
        except BadConnectionOption as error:
            raise TaskFailed(str(error)) from error
        self.secrets = key.secrets
        self.tenant = tenant_of(self.client.base_url)
        # Documented both ways, so the first answers tell: with or without a slash at the end, and "EQ" or "eq".
        self._slash = "/"
        self._equals: str | None = None

    def _post(self, path: str, request_data: JsonObject, record: Record | None = None, repeatable: bool = True) -> Answer:
        slash = self._slash
        try:
            return self.client.request(
                "POST", path + slash, repeatable=repeatable, record=record, json={"request_data": request_data}
            )
        except HttpError as error:
            # A 404 with an error code is the API's answer; one without comes from its router.
            if error.status != 404 or error.code:
                raise
        answer = self.client.request(
            "POST", path + ("" if slash else "/"), repeatable=repeatable, record=record, json={"request_data": request_data}
        )
        self._slash = "" if slash else "/"
        return answer

    def _post_equals(self, path: str, values: Mapping[str, object], record: Record | None = None) -> Answer:
        """A POST whose filters all say "equals", in the spelling that the tenant takes."""
        spelling = self._equals or "EQ"
        while True:
            try:
                answer = self._post(
                    path,
                    {"filters": [{"field": field, "operator": spelling, "value": value} for field, value in values.items()]},
                    record,
                )
            except HttpError as error:
                # Another thread may have learned the spelling meanwhile.
                if error.status not in (400, 422) or spelling == "eq" or self._equals == spelling:
                    raise
                spelling = "eq"
            else:
                self._equals = spelling
                return answer

    def get_or_create(
        self, alert_internal_id: int | str, attack_surface_rule_id: str, service_id: str, record: Record | None = None
    ) -> tuple[str, bool]:
        """(scan id, whether the scan is new). It is only new with HTTP 201, for the body does not say.

        record: see HttpClient.request.

        A running scan is returned as it is, so repeating is harmless. Whether a finished one is ever returned is
        unknown: calling again after the end may start a new scan.
        """
        answer = self._post_equals(
            GET_OR_CREATE,
            {"attack_surface_rule_id": attack_surface_rule_id, "alert_internal_id": alert_internal_id, "service_id": service_id},
            WithScanId(record),
        )
        scan_id = reply_of(answer, GET_OR_CREATE).get("scanId")
        if not isinstance(scan_id, str) or not scan_id.strip():
            raise HttpError("POST", GET_OR_CREATE, "the answer holds no scanId", answer.status)
        if answer.status not in (200, 201):
            raise HttpError(
                "POST",
                GET_OR_CREATE,
                "HTTP %d is neither a new scan (201) nor one that was there (200)" % answer.status,
                answer.status,
            )
        return scan_id, answer.status == 201

    def get_scan(self, scan_id: str, record: Record | None = None) -> JsonObject:
        """The reply for a scan: a dict with `status`, and `result` once that is SUCCESS. Raises ScanNotFound."""
        try:
            answer = self._post_equals(GET, {"id": scan_id}, WithScanId(record))
            only_200(answer, "POST", GET)
            return reply_of(answer, GET)
        except HttpError as error:
            if error.status == 404 or error.code == "err_code 404":
                raise ScanNotFound(str(error)) from error
            raise

    def get_alerts(
        self, filters: list[JsonObject], limit: int | None = None, record: Record | None = None
    ) -> tuple[list[Any], int, bool]:
        """(what is listed as alerts, total, whether something was cut off), all pages, newest first."""
        alerts: list[Any] = []
        totals: set[int | None] = set()
        while True:
            size = ALERTS_PAGE if limit is None else min(ALERTS_PAGE, limit - len(alerts))
            answer = self._post(
                GET_ALERTS,
                {
                    "filters": filters,
                    "search_from": len(alerts),
                    "search_to": len(alerts) + size,
                    "sort": {"field": "creation_time", "keyword": "desc"},
                },
                record,
            )
            only_200(answer, "POST", GET_ALERTS)
            reply = reply_of(answer, GET_ALERTS)
            page = reply.get("alerts")
            if not isinstance(page, list):
                raise HttpError("POST", GET_ALERTS, "the answer holds no list of alerts", answer.status)
            if page and page == alerts[-len(page) :]:
                raise HttpError("POST", GET_ALERTS, "the same page came twice", answer.status)
            alerts += page
            said = reply.get("total_count")
            total = said if isinstance(said, int) and not isinstance(said, bool) else None
            totals.add(total)
            # One that came twice, or another total than before: while it was read, something moved over the edge of a page.
            ids = {str(alert.get("alert_id")) if isinstance(alert, dict) else id(alert) for alert in alerts}
            doubtful = (
                len(totals) > 1 or len(ids) < len(alerts) or (total is not None and total < min(len(alerts), ALERTS_COUNTED))
            )
            if len(alerts) > MOST_ALERTS:
                raise HttpError(
                    "POST",
                    GET_ALERTS,
                    "there are more than %d alerts, or the pages never end" % MOST_ALERTS,
                    answer.status,
                    hint="Narrow the look-up down.",
                )
            # Where no total is said, only an empty page is the end.
            if not page or total is not None and len(page) < size:
                return alerts, max(total or 0, len(alerts)), doubtful or total is not None and total > len(alerts)
            if limit is not None and len(alerts) >= limit:
                return alerts, max(total or 0, len(alerts)), total is None or total > len(alerts)

    def update_alerts(self, alert_ids: Sequence[str], changes: Mapping[str, str], record: Record | None = None) -> set[str]:
        """The ids of the alerts that the API says it has updated. Raises WouldChange in check mode.

        alert_ids: ALERTS_PAGE at most (documented). changes: `status` and `comment`, what is left out stays (documented).
        It is not sent again where it may have been carried out: in between, Xpanse may have opened an alert again.
        Whether a comment replaces the one before it is unknown, and so is what the answer names where it did not update all.
        """
        request_data = {"alert_id_list": list(alert_ids), "update_data": dict(changes)}
        answer = self._post(UPDATE_ALERTS, request_data, record, repeatable=False)
        only_200(answer, "POST", UPDATE_ALERTS)
        named = reply_of(answer, UPDATE_ALERTS).get("alerts_ids")
        if not isinstance(named, list):
            raise HttpError("POST", UPDATE_ALERTS, "the answer holds no list of the alerts that were updated", answer.status)
        return set(map(scalar, named))


def reply_of(answer: Answer, path: str) -> JsonObject:
    """The `reply` object of an answer. Raises HttpError if there is none or if it is an error in disguise."""
    reply = answer.body.get("reply") if isinstance(answer.body, dict) else None
    if not isinstance(reply, dict):
        raise HttpError(
            "POST", path, "the answer holds no reply object", answer.status, hint="Is base_url the address of the tenant's API?"
        )
    if "err_code" in reply:
        said = explain(answer.status, answer.body)
        raise HttpError(
            "POST",
            path,
            "%s: %s" % (said.code, said.text),
            answer.status,
            said.code,
            said.reference,
            hint(reply["err_code"], said),
        )
    return reply


class WithScanId:
    """A record in which each exchange is referred to by the scan that it is about.

    record: what the exchanges are put into, or None.
    """

    def __init__(self, record: Record | None) -> None:
        self._record = NO_RECORD if record is None else record

    def append(self, exchange: Exchange) -> None:
        """Adds an exchange."""
        scan_id = (
            named_scan(exchange)
            or (exchange["path"].startswith(GET + "/") or exchange["path"] == GET)
            and values_sent(exchange).get("id")
        )
        if scan_id and not exchange.get("reference"):
            exchange = {**exchange, "reference": "scanId %s" % scan_id}
        self._record.append(exchange)


def exposure_of(request: Mapping[str, object]) -> SentExposure:
    """(alert id, rule id, service id) as they are sent, of an item of `requests`. Raises ItemFailed."""
    values = {name: scalar(request.get(name)) for name in EXPOSURE}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ItemFailed(
            "%s missing: all three ids are needed to ask for a scan, or a scan_id to look at one"
            % (" and ".join(missing) + (" is" if len(missing) == 1 else " are"))
        )
    alert_id = values["alert_internal_id"]
    if re.fullmatch(r"-\d+", alert_id):
        raise ItemFailed("alert_internal_id %s is negative" % alert_id)
    return as_sent(alert_id), values["attack_surface_rule_id"], values["service_id"]


def odd_service(alert: JsonObject) -> str | None:
    """The reason why something of an alert cannot be scanned though something can, or None."""
    service_ids = alert.get("service_ids")
    odd = (
        [service_id for service_id in service_ids if not scalar(service_id)]
        if isinstance(service_ids, list) and any(map(scalar, service_ids))
        else []
    )
    return "the alert has the service %r, which is no id, so Xpanse cannot scan it" % (odd[0],) if odd else None


def scan_targets(alert: JsonObject, read_at: str | None = None) -> list[JsonObject]:
    """What can be scanned of an alert: a list of the three ids, one entry a service. Raises ItemFailed with why not.

    `service_ids` is a list in an alert and plain text in an incident's extra data; more than one is then separated by
    commas. `external_id` is something else. Of an alert that was reopened, an entry has `newer_than` as well: a scan that
    ended before proves nothing any more. read_at: when the alert was read, by the server's clock.
    """
    rule_id = scalar(alert.get("attack_surface_rule_id"))
    service_ids = alert.get("service_ids") or []
    if isinstance(service_ids, str):
        service_ids = service_ids.split(",")
    service_ids = service_ids if isinstance(service_ids, list) else [service_ids]
    service_ids = list(map(scalar, service_ids))
    alert_id = scalar(alert.get("alert_id"))
    missing = (
        ([] if alert_id else ["id"]) + ([] if rule_id else ["attack surface rule"]) + ([] if any(service_ids) else ["service"])
    )
    if missing:
        raise ItemFailed("the alert has no %s, so Xpanse cannot scan it" % " and no ".join(missing))
    more = {"newer_than": reopened(alert, read_at)} if reopened(alert, read_at) else {}
    return [
        dict(
            alert_internal_id=as_sent(alert_id),
            attack_surface_rule_id=rule_id,
            service_id=service_id,
            **more,
        )
        for service_id in service_ids
        if service_id
    ]
