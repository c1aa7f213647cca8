# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cortex Xpanse: signed requests, remediation confirmation scans, alerts."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid

from starlette.responses import Response

from simulator.core import Refused, json_response, retry_after

# key id: key, is it an advanced one, what it may not do (HTTP status)
KEYS = {
    "1": ("advanced-key", True, None),
    "2": ("standard-key", False, None),
    "3": ("readonly-key", True, 403),
    "4": ("nolicence-key", True, 402),
}
CLOCK_SKEW = 300
NONCE = re.compile(r"[A-Za-z0-9]{64}")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# What the control API shows and takes of a scan.
SCAN = ("scan_id", "started_at", "status", "result")
PAGE = 100
MOST_COUNTED = 9999
# Documented are the words of these. How an alert shows the other ones that clients set is unknown, and made up here.
STATUSES = {
    "new": "STATUS_010_NEW",
    "under_investigation": "STATUS_020_UNDER_INVESTIGATION",
    "reopened": "STATUS_230_REOPENED",
    "resolved": "STATUS_070_RESOLVED_OTHER",
    "resolved_contested_asset": "STATUS_RESOLVED_CONTESTED_ASSET",
    "resolved_no_risk": "STATUS_RESOLVED_NO_RISK",
    "resolved_remediated_automatically": "STATUS_RESOLVED_REMEDIATED_AUTOMATICALLY",
    "resolved_risk_accepted": "STATUS_RESOLVED_RISK_ACCEPTED",
}
UPDATED = ("severity", "status", "comment")
SEVERITIES = ("informational", "low", "medium", "high", "critical")
SORTS = {"creation_time": "detection_timestamp", "server_creation_time": "local_insert_ts", "severity": "severity"}

MESSAGES = {
    400: "The request is not well formed",
    401: "This request carries no valid key",
    402: "No licence for this call",
    403: "The role of this key does not allow this call",
    404: "What was asked for is not there",
    405: "No such method",
    429: "Too many requests",
    500: "The server has failed",
}


def error(status, extra=None, code=None):
    """Xpanse's error body. The code may differ from the HTTP status."""
    code = status if code is None else code
    return json_response(
        {"reply": {"err_code": code, "err_msg": MESSAGES.get(code, "The call was not carried out"), "err_extra": extra}}, status
    )


def flat_error(message, errors):
    """What Xpanse says to well-formed JSON that breaks its schema."""
    return json_response({"code": 422, "status": "Unprocessable Entity", "message": message, "errors": errors}, 422)


def whole_number(value):
    """An int for an int or a string of digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        value = int(value)
    return value if isinstance(value, int) else None


class Xpanse:
    """The API. Every method that answers a request takes (request, body, log entry)."""

    name = "xpanse"
    # operation, method, path without the slash at its end
    PATHS = (
        ("rcs_get", "POST", "/public_api/v1/remediation_confirmation_scanning/requests/get"),
        ("rcs_get_or_create", "POST", "/public_api/v1/remediation_confirmation_scanning/requests/get_or_create"),
        ("get_alerts", "POST", "/public_api/v2/alerts/get_alerts_multi_events"),
        ("update_alerts", "POST", "/public_api/v1/alerts/update_alerts"),
        ("get_incident", "POST", "/public_api/v1/incidents/get_incident_extra_data"),
        ("validate_key", "POST", "/api_keys/validate"),
    )

    def __init__(self, simulator, alerts):
        self.simulator = simulator
        self.alerts = {}
        self.cases = {}
        self.exposures = {}
        self.scans = {}
        self.nonces = {}
        for alert in alerts:
            fields = alert["fields"]
            alert_id = int(fields["alert_id"])
            self.alerts[alert_id] = fields
            self.cases.setdefault(fields["case_id"], []).append(alert_id)
            for service, (status, result) in zip(fields["service_ids"], alert["found"]):
                key = (alert_id, fields["attack_surface_rule_id"], service)
                if fields["attack_surface_rule_id"]:
                    self.exposures[key] = {
                        "alert_internal_id": alert_id,
                        "attack_surface_rule_id": key[1],
                        "service_id": service,
                        "status": status,
                        "result": result,
                        "scan_seconds": None,
                        "scan_ids": [],
                    }

    # --- answers that every operation may give

    @staticmethod
    def error(status):
        return error(status)

    @staticmethod
    def too_many(headers):
        response = error(429)
        response.headers.update(headers)
        return response

    def _authorize(self, request, entry, needs_role=False, needs_licence=True):
        headers = request.headers
        key_id = entry["client"] = headers.get("x-xdr-auth-id")
        given = headers.get("authorization", "")
        nonce, timestamp = headers.get("x-xdr-nonce"), headers.get("x-xdr-timestamp")
        key, advanced, lacks = KEYS.get(key_id, (None, None, None))
        if nonce is None and timestamp is None:
            if key is None or advanced or not hmac.compare_digest(given.encode(), key.encode()):
                raise Refused(Response(b"", 401))
        elif key is None or not advanced or not self._signed(key_id, key, given, nonce or "", timestamp or ""):
            raise Refused(error(401))
        config = self.simulator.config
        self._limit(("xpanse", key_id), config["rate_limit"], config["rate_window"])
        if lacks == 402 and needs_licence or lacks == 403 and needs_role:
            raise Refused(error(lacks))
        self._check_slash(request)

    def _signed(self, key_id, key, given, nonce, timestamp):
        now = self.simulator.clock.now()
        if not NONCE.fullmatch(nonce) or not re.fullmatch(r"[0-9]{1,15}", timestamp):
            return False
        if abs(int(timestamp) / 1000 - now) > CLOCK_SKEW:
            return False
        signature = hashlib.sha256((key + nonce + timestamp).encode()).hexdigest()
        if not hmac.compare_digest(given.encode(), signature.encode()):
            return False
        seen = self.nonces.setdefault(key_id, {})
        if nonce in seen:
            return False
        seen[nonce] = now
        # A dict keeps its order, so the oldest come first; a signature that old is refused for its timestamp anyway.
        while seen and now - next(iter(seen.values())) > 2 * CLOCK_SKEW:
            del seen[next(iter(seen))]
        return True

    def _limit(self, key, limit, window):
        simulator = self.simulator
        wait = simulator.limits.wait(key, simulator.clock.now(), limit, window)
        if wait is not None:
            raise Refused(self.too_many(retry_after(simulator.config, simulator.clock, wait)))

    def _check_slash(self, request):
        config = self.simulator.config
        path = request.url.path
        if config["slash"] == "both" or (config["slash"] == "required") == path.endswith("/"):
            return
        if config["slash_status"] == 404:
            raise Refused(Response("Not Found", 404, media_type="text/plain"))
        wanted = path.rstrip("/") if path.endswith("/") else path + "/"
        raise Refused(Response(b"", 308, {"Location": wanted}))

    @staticmethod
    def _request_data(body):
        try:
            data = json.loads(body)
        except ValueError as problem:
            raise Refused(error(400, "Not JSON: %s" % problem)) from None
        data = data.get("request_data") if isinstance(data, dict) else None
        if not isinstance(data, dict):
            raise Refused(flat_error("The body has no request_data", [{"field": "request_data", "error": "missing"}]))
        return data

    def _scan_filters(self, body, *names):
        """The values of exactly these filters."""
        filters = self._request_data(body).get("filters")
        if isinstance(filters, dict):
            filters = [filters]
        if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
            raise Refused(flat_error("filters is not a list", [{"field": "filters", "error": "not a list of objects"}]))
        config = self.simulator.config
        operators = ("EQ", "eq") if config["operator"] == "both" else (config["operator"],)
        values = {}
        for one in filters:
            if one.get("operator") not in operators:
                text = "operator of %s has to be %s" % (one.get("field"), " or ".join(operators))
                if config["operator_status"] == 422:
                    raise Refused(flat_error("The operator is not known", [{"field": "operator", "error": text}]))
                raise Refused(error(400, [text]))
            values[one.get("field")] = one.get("value")
        wrong = ["%s is missing" % name for name in names if values.get(name) in (None, "")]
        wrong += ["%s is not a field" % name for name in values if name not in names]
        if wrong:
            raise Refused(error(400, wrong))
        return [values[name] for name in names]

    # --- operations

    def unknown(self, request, body, entry):
        return error(404)

    def validate_key(self, request, body, entry):
        self._authorize(request, entry, needs_licence=False)
        return json_response(True)

    def rcs_get_or_create(self, request, body, entry):
        self._authorize(request, entry, needs_role=True)
        alert, rule, service = self._scan_filters(body, "alert_internal_id", "attack_surface_rule_id", "service_id")
        wrong = []
        number = whole_number(alert)
        if number is None or number < 0:
            wrong.append({"field": "alert_internal_id", "error": "not a whole number from 0 on"})
        if not isinstance(rule, str):
            wrong.append({"field": "attack_surface_rule_id", "error": "not a string"})
        if not isinstance(service, str) or not UUID.fullmatch(service):
            wrong.append({"field": "service_id", "error": "not a UUID"})
        if wrong:
            raise Refused(flat_error("The filters have values of the wrong kind", wrong))
        exposure = self.exposures.get((number, rule, service.lower()))
        if exposure is None:
            raise Refused(error(500, "The request's values do not belong together", code=100))
        scan = self.scans[exposure["scan_ids"][-1]] if exposure["scan_ids"] else None
        if scan is not None and (self._is_running(scan) or self.simulator.config["reuse_finished"]):
            entry["scan_id"] = scan["scan_id"]
            return json_response({"reply": {"scanId": scan["scan_id"]}})
        scan_id = entry["scan_id"] = str(uuid.uuid4())
        self.scans[scan_id] = {
            "scan_id": scan_id,
            "exposure": exposure,
            "started_at": self.simulator.clock.now(),
            "status": None,
            "result": None,
        }
        exposure["scan_ids"].append(scan_id)
        entry["changed"] = True
        self.simulator.log.counts.update(("scans_started", "rcs_scans_started"))
        return json_response({"reply": {"scanId": scan_id}}, 201)

    def _ends_at(self, scan):
        seconds = scan["exposure"]["scan_seconds"]
        return scan["started_at"] + (self.simulator.config["scan_seconds"] if seconds is None else seconds)

    def _is_running(self, scan):
        """Also gives a scan whose time is over what it found; that stays, whatever becomes of the exposure."""
        if scan["status"] is None and self.simulator.clock.now() >= self._ends_at(scan):
            scan["status"], scan["result"] = scan["exposure"]["status"], scan["exposure"]["result"]
        return scan["status"] is None

    def rcs_get(self, request, body, entry):
        self._authorize(request, entry, needs_role=True)
        (scan_id,) = self._scan_filters(body, "id")
        entry["scan_id"] = scan_id
        scan = self.scans.get(scan_id) if isinstance(scan_id, str) else None
        if scan is None:
            raise Refused(error(self.simulator.config["unknown_scan_status"], "No scan has this id", code=404))
        if self._is_running(scan):
            return json_response({"reply": {"status": "IN_PROGRESS"}})
        reply = {"status": scan["status"]}
        if scan["result"] is not None:
            reply["result"] = scan["result"]
        return json_response({"reply": reply})

    def get_alerts(self, request, body, entry):
        self._authorize(request, entry)
        data = self._request_data(body)
        filters = data.get("filters") or []
        if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
            raise Refused(error(400, "filters is not a list of objects"))
        first, last = data.get("search_from", 0), data.get("search_to", PAGE)
        if whole_number(first) is None or whole_number(last) is None or not 0 <= int(first) <= int(last):
            raise Refused(error(400, "search_from and search_to are whole numbers, the smaller one first"))
        first, last = int(first), int(last)
        if last - first > PAGE:
            raise Refused(error(400, "search_to - search_from is at most %d" % PAGE))
        found = self.alerts.values()
        for one in filters:
            wanted = self._alert_filter(one)
            found = [alert for alert in found if wanted(alert)]
        sort = data.get("sort") or {}
        field, keyword = sort.get("field", "creation_time"), sort.get("keyword", "desc")
        if field not in SORTS or keyword not in ("asc", "desc"):
            raise Refused(error(400, "cannot sort by %s %s" % (field, keyword)))
        if field == "severity":
            found = sorted(found, key=lambda alert: SEVERITIES.index(alert["severity"]), reverse=keyword == "desc")
        else:
            found = sorted(found, key=lambda alert: alert[SORTS[field]], reverse=keyword == "desc")
        page = found[first:last]
        return json_response({"reply": {"total_count": min(len(found), MOST_COUNTED), "result_count": len(page), "alerts": page}})

    @staticmethod
    def _alert_filter(one):
        field, operator, value = one.get("field"), one.get("operator"), one.get("value")
        if field == "server_creation_time":
            if operator not in ("gte", "lte") or isinstance(value, bool) or not isinstance(value, int):
                raise Refused(error(400, "server_creation_time is compared with gte or lte to epoch milliseconds"))
            if operator == "gte":
                return lambda alert: alert["local_insert_ts"] >= value
            return lambda alert: alert["local_insert_ts"] <= value
        columns = {
            "alert_id_list": "alert_id",
            "case_id_list": "case_id",
            "alert_source": "source",
            "severity": "severity",
            "status": "resolution_status",
            "attack_surface_rule_name": "attack_surface_rule_name",
        }
        if field not in columns:
            raise Refused(error(400, "there is no filter %s" % field))
        if operator != "in" or not isinstance(value, list):
            raise Refused(error(400, "%s wants the operator in and a list" % field))
        kind = int if field.endswith("_id_list") else str
        if not all(isinstance(each, kind) and not isinstance(each, bool) for each in value):
            raise Refused(error(400, "%s is a list of %s" % (field, "integers" if kind is int else "strings")))
        if field == "status":
            unknown = [each for each in value if each not in STATUSES]
            if unknown:
                raise Refused(error(400, "there is no status %s" % ", ".join(unknown)))
            value = [STATUSES[each] for each in value]
        wanted = {str(each) for each in value}
        column = columns[field]
        return lambda alert: str(alert[column]) in wanted

    def update_alerts(self, request, body, entry):
        """Documented: the body, a hundred alerts at most, fields that are missing stay. The rest is unknown: ids that no alert
        has are left out of the answer here, and a comment replaces the one before, or comes after it (comment_form)."""
        self._authorize(request, entry, needs_role=True)
        data = self._request_data(body)
        ids, wanted = data.get("alert_id_list"), data.get("update_data")
        if not isinstance(ids, list) or not ids or not all(isinstance(one, str) and one.isdigit() for one in ids):
            raise Refused(flat_error("alert_id_list is a list of ids", [{"field": "alert_id_list", "error": "not strings"}]))
        if len(ids) > PAGE:
            raise Refused(error(400, "at most %d alerts can be updated with one request" % PAGE))
        if not isinstance(wanted, dict) or not all(name in UPDATED and isinstance(wanted[name], str) for name in wanted):
            raise Refused(flat_error("update_data is wrong", [{"field": "update_data", "error": "not what may be set"}]))
        if wanted.get("status", "new") not in STATUSES or wanted.get("severity", "low") not in SEVERITIES:
            raise Refused(error(400, "there is no such status or severity"))
        found = [int(one) for one in ids if int(one) in self.alerts]
        for alert_id in found:
            self._update(self.alerts[alert_id], wanted)
        entry["alert_ids"], entry["changed"] = found, bool(found)
        return json_response({"reply": {"alerts_ids": found}})

    def _update(self, alert, wanted):
        if "status" in wanted:
            alert["resolution_status"] = STATUSES[wanted["status"]]
        if "comment" in wanted:
            before = alert["resolution_comment"] if self.simulator.config["comment_form"] == "append" else None
            alert["resolution_comment"] = "%s\n%s" % (before, wanted["comment"]) if before else wanted["comment"]
        alert["severity"] = wanted.get("severity", alert["severity"])
        alert["last_modified_ts"] = int(self.simulator.clock.now() * 1000)

    def get_incident(self, request, body, entry):
        self._authorize(request, entry)
        config = self.simulator.config
        self._limit(("incident", entry["client"]), config["rate_limit"] and config["incident_limit"], config["incident_window"])
        data = self._request_data(body)
        case = whole_number(data.get("incident_id"))
        most = whole_number(data.get("alerts_limit", 1000))
        if case is None or most is None:
            raise Refused(error(400, "incident_id and alerts_limit are numbers"))
        if case not in self.cases:
            raise Refused(error(404, "No incident has this id"))
        alerts = [self.alerts[one] for one in self.cases[case]]
        worst = max((alert["severity"] for alert in alerts), key=SEVERITIES.index)
        incident = {
            "incident_id": str(case),
            "is_blocked": False,
            "incident_name": None,
            "creation_time": min(alert["detection_timestamp"] for alert in alerts),
            "modification_time": max(alert["last_modified_ts"] for alert in alerts),
            "detection_time": None,
            "status": "under_investigation",
            "severity": worst,
            "alert_count": len(alerts),
            "description": "%s and %d more" % (alerts[0]["name"], len(alerts) - 1),
            "resolve_comment": None,
            "resolved_timestamp": None,
            "starred": False,
            "incident_sources": ["ASM"],
            "hosts": ["%s:null" % alert["host_name"] for alert in alerts],
            "tags": ["AR:Registered to You"],
        }
        empty = {"total_count": 0, "data": []}
        return json_response(
            {
                "reply": {
                    "incident": incident,
                    "network_artifacts": empty,
                    "file_artifacts": empty,
                    "alerts": {"total_count": len(alerts), "data": [self._in_incident(alert) for alert in alerts[:most]]},
                }
            }
        )

    @staticmethod
    def _in_incident(alert):
        # The lists of the alerts call are plain strings here.
        shown = {
            name: ",".join(value) or None if isinstance(value, list) and all(isinstance(one, str) for one in value) else value
            for name, value in alert.items()
            if name != "events"
        }
        shown["asset_identifiers"] = alert["asset_identifiers"][0]
        shown["business_unit_hierarchies"] = alert["business_unit_hierarchies"][0]
        shown["events_length"] = len(alert["events"])
        return shown

    # --- the control API

    def settle(self):
        for scan in self.scans.values():
            self._is_running(scan)

    @staticmethod
    def _name(exposure):
        return "%(alert_internal_id)d:%(attack_surface_rule_id)s:%(service_id)s" % exposure

    def _shown(self, exposure):
        scans = [
            {name: scan[name] for name in SCAN} | {"ends_at": self._ends_at(scan), "running": self._is_running(scan)}
            for scan in map(self.scans.__getitem__, exposure["scan_ids"])
        ]
        return {**exposure, "scans": scans, "running": bool(scans) and scans[-1]["running"]}

    def state(self):
        self.settle()
        return {
            "exposures": {self._name(exposure): self._shown(exposure) for exposure in self.exposures.values()},
            "alerts": {str(alert_id): alert for alert_id, alert in self.alerts.items()},
        }

    def patch_exposure(self, name, wanted):
        """Raises KeyError or ValueError, and changes nothing."""
        parts = name.split(":")
        if len(parts) != 3 or not parts[0].isdigit():
            raise KeyError(name)
        exposure = self.exposures[int(parts[0]), parts[1], parts[2]]
        wrong = set(wanted) - {"status", "result", "scan_seconds", "scans"}
        if wrong:
            raise ValueError("an exposure has status, result, scan_seconds and scans, not %s" % ", ".join(sorted(wrong)))
        scans = [{name: scan[name] for name in SCAN} for scan in wanted.get("scans", ())]
        for scan_id in exposure["scan_ids"]:
            self._is_running(self.scans[scan_id])
        exposure.update({name: value for name, value in wanted.items() if name != "scans"})
        for scan in scans:
            self.scans[scan["scan_id"]] = {**scan, "exposure": exposure}
            exposure["scan_ids"].append(scan["scan_id"])
        return self._shown(exposure)

    def patch_alert(self, name, wanted):
        """Raises KeyError."""
        alert = self.alerts[int(name)]
        alert.update(wanted)
        return alert
