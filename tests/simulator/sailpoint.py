# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint Identity Security Cloud: tokens, campaigns, remediation scans, reports."""

from __future__ import annotations

import base64
import json
import re
import secrets
import uuid
from urllib.parse import parse_qs

from starlette.responses import Response

from simulator import access, report_file
from simulator.access_calls import PATHS as ACCESS_PATHS
from simulator.access_calls import AccessCalls
from simulator.core import Refused, iso, json_response, retry_after
from simulator.next_calls import PATHS as NEXT_PATHS
from simulator.next_calls import NextCalls

CLIENTS = {
    "admin-client": ("admin-secret", "ORG_ADMIN"),
    "cert-client": ("cert-secret", "CERT_ADMIN"),
    "report-client": ("report-secret", "REPORT_ADMIN"),
    "helpdesk-client": ("helpdesk-secret", "HELPDESK"),
}
MAY = ("ORG_ADMIN", "CERT_ADMIN", "REPORT_ADMIN")
MAY_GET_ONE = ("ORG_ADMIN", "CERT_ADMIN")

REMEDIATION_REPORT = "CAMPAIGN_REMEDIATION_STATUS_REPORT"
REPORT_NAMES = {
    "CAMPAIGN_COMPOSITION_REPORT": "Campaign Composition Report",
    REMEDIATION_REPORT: "Campaign Remediation Status Report",
    "CAMPAIGN_STATUS_REPORT": "Campaign Status Report",
    "CERTIFICATION_SIGNOFF_REPORT": "Certification Signoff Report",
}
REPORT_STATUSES = ("SUCCESS", "WARNING", "ERROR", "TERMINATED", "TEMP_ERROR")
FILTERS = {"id": ("eq", "in"), "name": ("eq", "sw"), "status": ("eq", "in")}
TIMES = ("created", "modified", "deadline")

DETAIL_CODES = {
    400: ("400.1 Bad request content", "The request makes no sense as it stands."),
    403: ("403 Forbidden", "The user behind this token may not do this."),
    404: ("404 Not found", "There is no such thing here."),
    405: ("405 Method not allowed", "This address has no such method."),
    406: ("406 Not acceptable", "The report exists in none of the media types that were asked for."),
    410: ("410 Gone", "The report's file is no longer kept."),
    500: ("500.0 Internal fault", "Something failed on the server's side."),
}
CONFLICT = ("400.2.0 Conflicting operation", "Another operation is under way on this campaign; it has to end first.")

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_FILTER = re.compile(r"\s*(\w+)\s+(\w+)\s+(%s|\(\s*%s(?:\s*,\s*%s)*\s*\))\s*" % ((_QUOTED,) * 3))
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def error(status, code=None, text=None, causes=()):
    """SailPoint's error body."""
    detail_code, words = DETAIL_CODES.get(status, ("%d.0 Error" % status, "The request has failed."))

    def message(one):
        return {"locale": "en-US", "localeOrigin": "DEFAULT", "text": one}

    return json_response(
        {
            "detailCode": code or detail_code,
            "trackingId": secrets.token_hex(16),
            "messages": [message(text or words)],
            "causes": [message(one) for one in causes],
        },
        status,
    )


def parse_filters(text):
    """A predicate for a campaign's fields. Raises ValueError."""
    tests = []
    position = 0
    while True:
        match = _FILTER.match(text, position)
        if not match:
            raise ValueError("cannot read the filter from %r on" % text[position : position + 40])
        field, operator, operand = match.group(1), match.group(2).lower(), match.group(3)
        if operator not in FILTERS.get(field, ()) or operand.startswith("(") != (operator == "in"):
            raise ValueError("no filter %s %s %s" % (field, operator, operand))
        values = [re.sub(r"\\(.)", r"\1", one) for one in _STRING.findall(operand)]
        tests.append((field, operator, values))
        position = match.end()
        if position == len(text):
            break
        joined = re.compile(r"and\b", re.IGNORECASE).match(text, position)
        if not joined:
            raise ValueError("filters are joined by and, not by %r" % text[position : position + 10])
        position = joined.end()

    def wanted(fields):
        for field, operator, values in tests:
            value = fields[field]
            if value is None or not (value.startswith(values[0]) if operator == "sw" else value in values):
                return False
        return True

    return wanted


class Campaign:
    """One campaign, and the one operation that may run on it."""

    def __init__(self, simulator, data, files):
        self.simulator = simulator
        self.files = files
        self.fields = data["fields"]
        self.full_fields = data["full_fields"]
        self.settings = data["settings"]
        self.settings["access"] = {**access.SETTINGS, **self.settings.get("access", {})}
        if self.settings["access"]["signed"] is None:
            # Everything is decided before the campaign was changed last.
            self.settings["access"]["signed"] = (self.full_fields["modified"] or self.fields["created"] + 3_600_000) - 1_800_000
        self.operation = None
        self.reports = {}
        self.last_stamp = max(self.full_fields["modified"] or 0, *[one["last_run_at"] for one in data["reports"]], 0)

    def seconds(self, kind):
        own = self.settings[kind + "_seconds"]
        return self.simulator.config[kind + "_seconds"] if own is None else own

    def stamp(self, moment):
        """Milliseconds; later than everything that has happened to this campaign."""
        self.last_stamp = max(self.last_stamp + 1, int(self.simulator.clock.shown(moment) * 1000))
        return self.last_stamp

    def settle(self):
        """What time has done to the campaign since somebody last looked."""
        operation = self.operation
        if operation is None:
            return
        now = self.simulator.clock.now()
        seconds = self.seconds(operation["kind"])
        end = operation["started_at"] + seconds
        if operation["kind"] == "scan" and not operation["moved"] and self.settings["modified_moves"] == "early":
            early = operation["started_at"] + min(1.0, seconds / 10)
            if now >= early:
                self.full_fields["modified"] = self.stamp(early)
                operation["moved"] = True
        if now < end:
            return
        self.operation = None
        if operation["kind"] == "scan":
            self._scanned(operation, end)
        else:
            self._reported(operation, end)

    def look_at_sources(self):
        """Lets the items say what the sources hold."""
        stay = self.settings["scan_result"]
        if stay is not None:
            for number, item in enumerate(self.settings["items"], 1):
                item["open"] = item.get("item", number) in stay

    def _scanned(self, operation, end):
        self.look_at_sources()
        stamp = self.stamp(end)
        if self.settings["modified_moves"] == "end" and not operation["moved"]:
            self.full_fields["modified"] = stamp

    def _reported(self, operation, end):
        report = self.reports[operation["type"]]
        report["status"] = self.settings["report_status"]
        report["last_run_at"] = self.stamp(end)
        if report["status"] in ("SUCCESS", "WARNING"):
            self.keep_file(report, operation["type"])
        else:
            self.files.pop(report["id"], None)

    def keep_file(self, report, kind):
        if kind != REMEDIATION_REPORT:
            text = report_file.summary_csv(self.fields)
        elif self.settings["report_csv"] is not None:
            text = self.settings["report_csv"]
        else:
            text = report_file.remediation_csv(self.settings)
        if self.settings["csv_bom"]:
            text = "\ufeff" + text
        self.files[report["id"]] = {"text": text, "name": "%s - %s" % (self.fields["name"], REPORT_NAMES[kind]), "purged": None}

    def holds(self, number, item):
        """Whether the revoked access of a row is still there: what a scan finds, too, unless the row says otherwise."""
        if "held" in item:
            return item["held"]
        stay = self.settings["scan_result"]
        return bool(item["open"]) if stay is None else item.get("item", number) in stay

    def shown(self, full):
        fields = {**self.fields, **self.full_fields} if full else dict(self.fields)
        for name in TIMES:
            if isinstance(fields.get(name), int):
                fields[name] = iso(fields[name])
        return fields

    def shown_reports(self):
        return [self._shown_report(kind, report) for kind, report in self.reports.items()]

    @staticmethod
    def _shown_report(kind, report):
        shown = {
            "type": "REPORT_RESULT",
            "id": report["id"],
            "name": REPORT_NAMES[kind],
            "status": report["status"],
            "reportType": kind,
        }
        # The specification lets a time that is not there be left out, not be null.
        if report["last_run_at"] is not None:
            shown["lastRunAt"] = iso(report["last_run_at"])
        return shown


class SailPoint(AccessCalls, NextCalls):
    """The API. Every method that answers a request takes (request, body, log entry)."""

    name = "sailpoint"
    # operation, method, path of the per-service version, path behind an annual version
    PATHS = (
        ("token", "POST", "/oauth/token", None),
        ("list_campaigns", "GET", "/campaigns/v1", "/campaigns"),
        ("get_campaign", "GET", "/campaigns/v1/{id}", "/campaigns/{id}"),
        ("list_reports", "GET", "/campaigns/v1/{id}/reports", "/campaigns/{id}/reports"),
        ("run_scan", "POST", "/campaigns/v1/{id}/run-remediation-scan", "/campaigns/{id}/run-remediation-scan"),
        ("run_report", "POST", "/campaigns/v1/{id}/run-report/{type}", "/campaigns/{id}/run-report/{type}"),
        ("download_report", "GET", "/reports/v1/{report_id}", "/reports/{report_id}"),
        *ACCESS_PATHS,
        *NEXT_PATHS,
    )

    def __init__(self, simulator, campaigns):
        self.simulator = simulator
        self.tokens = {}
        self.files = {}
        self.owners = {}
        # Accounts that are read again from their sources; and how that ends for some: a status, or never.
        self.tasks = {}
        self.reloads = {}
        # Reports of next generation campaigns, and by a signature whose file it is good for.
        self.next_made = {}
        self.signatures = {}
        self.campaigns = {data["fields"]["id"]: Campaign(simulator, data, self.files) for data in campaigns}
        for data in campaigns:
            campaign = self.campaigns[data["fields"]["id"]]
            for one in data["reports"]:
                report = {"id": one["id"], "status": "SUCCESS", "last_run_at": one["last_run_at"]}
                campaign.reports[one["type"]] = report
                self.owners[one["id"]] = campaign
                campaign.keep_file(report, one["type"])

    # --- answers that every operation may give

    @staticmethod
    def error(status):
        if status == 401:
            return json_response({"error": "JWT validation failed: no valid token in the request"}, 401)
        return error(status)

    @staticmethod
    def bad_request(cause):
        return error(400, causes=[cause])

    @staticmethod
    def missing(cause):
        return error(404, causes=[cause])

    @staticmethod
    def too_many(headers):
        return json_response({"message": " Rate Limit Exceeded "}, 429, headers)

    def _authorize(self, request, entry, levels=MAY):
        scheme, _space, token = request.headers.get("authorization", "").partition(" ")
        known = self.tokens.get(token.strip()) if scheme.lower() == "bearer" else None
        if known is None:
            raise Refused(self.error(401))
        entry["client"] = known["client"]
        simulator = self.simulator
        now = simulator.clock.now()
        if now >= known["expires_at"]:
            raise Refused(json_response({"error": "JWT validation failed: JWT is expired"}, 401))
        version = request.path_params.get("version", "v1")
        wait = simulator.limits.wait(
            ("sailpoint", known["client"], version), now, simulator.config["rate_limit"], simulator.config["rate_window"]
        )
        if wait is not None:
            raise Refused(self.too_many(retry_after(simulator.config, simulator.clock, wait)))
        if known["level"] not in levels:
            raise Refused(error(403))
        return known["level"]

    def _campaign(self, request, entry):
        campaign_id = request.path_params["id"]
        entry["campaign_id"] = campaign_id
        campaign = self.campaigns.get(campaign_id)
        if campaign is None:
            raise Refused(error(404, causes=["Campaign %s was not found." % campaign_id]))
        campaign.settle()
        return campaign

    # --- operations

    def unknown(self, request, body, entry):
        return error(404)

    def token(self, request, body, entry):
        def refuse(status, word, text):
            raise Refused(json_response({"error": word, "error_description": text}, status))

        if any(name in request.query_params for name in ("client_secret", "client_id", "grant_type")):
            refuse(400, "invalid_request", "Credentials belong into the body, never into the address")
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
            refuse(400, "invalid_request", "The body has to be a form")
        form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        client = entry["client"] = form.get("client_id")
        if form.get("grant_type") != "client_credentials":
            refuse(400, "unsupported_grant_type", "grant_type has to be client_credentials")
        secret, level = CLIENTS.get(client, (None, None))
        if secret is None or not secrets.compare_digest(form.get("client_secret", "").encode(), secret.encode()):
            refuse(401, "invalid_client", "The client id or its secret is not right")
        simulator = self.simulator
        lifetime = simulator.config["token_seconds"]
        now = simulator.clock.now()
        claims = {"client_id": client, "exp": int(now + lifetime), "jti": uuid.uuid4().hex}
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
            for part in ({"alg": "RS256", "typ": "JWT"}, claims)
        ]
        token = ".".join([*parts, secrets.token_urlsafe(48)])
        self.tokens[token] = {"client": client, "level": level, "expires_at": now + lifetime}
        simulator.log.counts["tokens_issued"] += 1
        return json_response(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": int(lifetime),
                "scope": "sp:scopes:all",
                "tenant_id": "3f6c2b1e-8a47-4d0b-9c55-1d2e3f4a5b6c",
                "pod": "sim01",
                "org": "brightwater",
            }
        )

    def get_campaign(self, request, body, entry):
        self._authorize(request, entry, MAY_GET_ONE)
        if request.path_params.get("version") == "beta":
            detail = self.simulator.config["beta_detail"]
        else:
            detail = self._detail(request)
        return json_response(self._campaign(request, entry).shown(detail == "FULL"))

    @staticmethod
    def _detail(request):
        detail = request.query_params.get("detail", "SLIM")
        if detail not in ("SLIM", "FULL"):
            raise Refused(error(400, causes=["detail is SLIM or FULL"]))
        return detail

    @staticmethod
    def _number(request, name, default, most):
        text = request.query_params.get(name, str(default))
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) > most:
            raise Refused(error(400, causes=["%s is a number from 0 to %d" % (name, most)]))
        return int(text)

    def list_campaigns(self, request, body, entry):
        self._authorize(request, entry)
        full = self._detail(request) == "FULL"
        limit = self._number(request, "limit", 250, 250)
        offset = self._number(request, "offset", 0, 10**9)
        found = list(self.campaigns.values())
        filters = request.query_params.get("filters", "")
        if filters.strip():
            try:
                wanted = parse_filters(filters)
            except ValueError as problem:
                raise Refused(error(400, causes=[str(problem)])) from None
            found = [campaign for campaign in found if wanted(campaign.fields)]
        sorters = [one.strip() for one in request.query_params.get("sorters", "").split(",")]
        # The first one counts most, so it sorts last.
        for sorter in reversed(list(filter(None, sorters))):
            name = sorter.removeprefix("-")
            if name not in ("name", "created"):
                raise Refused(error(400, causes=["campaigns are sorted by name or created, not by %s" % name]))
            found.sort(key=lambda campaign, name=name: campaign.fields[name], reverse=sorter != name)
        headers = {}
        count = request.query_params.get("count", "false")
        if count not in ("true", "false"):
            raise Refused(error(400, causes=["count is true or false"]))
        if count == "true":
            headers["X-Total-Count"] = str(len(found))
        page = found[offset : offset + limit]
        for campaign in page:
            campaign.settle()
        return json_response([campaign.shown(full) for campaign in page], headers=headers)

    def _start(self, campaign, operation, entry):
        status = campaign.fields["status"]
        if status != "COMPLETED":
            raise Refused(error(400, causes=["The campaign is not completed; its status is %s." % status]))
        if campaign.operation is not None:
            raise Refused(error(400, *CONFLICT))
        campaign.operation = {**operation, "started_at": self.simulator.clock.now()}
        entry["changed"] = True

    def run_scan(self, request, body, entry):
        self._authorize(request, entry)
        campaign = self._campaign(request, entry)
        self._start(campaign, {"kind": "scan", "moved": False}, entry)
        self.simulator.log.counts.update(("scans_started", "campaign_scans_started"))
        return json_response({}, 202)

    def run_report(self, request, body, entry):
        self._authorize(request, entry)
        campaign = self._campaign(request, entry)
        kind = request.path_params["type"]
        if kind not in REPORT_NAMES:
            raise Refused(error(400, causes=["There is no report type %s." % kind]))
        self._start(campaign, {"kind": "report", "type": kind}, entry)
        report = campaign.reports.setdefault(kind, {"id": uuid.uuid4().hex, "last_run_at": None})
        if report["last_run_at"] is not None and self.simulator.config["report_id"] == "new":
            report["id"] = uuid.uuid4().hex
        report["status"] = "PENDING"
        self.owners[report["id"]] = campaign
        self.simulator.log.counts["reports_started"] += 1
        return json_response({}, 202)

    def list_reports(self, request, body, entry):
        self._authorize(request, entry)
        return json_response(self._campaign(request, entry).shown_reports())

    def download_report(self, request, body, entry):
        self._authorize(request, entry)
        form = request.query_params.get("fileFormat", "csv")
        if form not in ("csv", "pdf"):
            raise Refused(error(400, causes=["fileFormat is csv or pdf"]))
        media_type = "application/" + form
        accepted = [one.partition(";")[0].strip().lower() for one in request.headers.get("accept", "*/*").split(",")]
        if not {"*/*", "application/*", media_type}.intersection(accepted):
            raise Refused(error(406))
        report_id = request.path_params["report_id"]
        if report_id in self.owners:
            self.owners[report_id].settle()
        report = self.files.get(report_id)
        if report is None:
            raise Refused(error(404, causes=["There is no report with this id."]))
        if report["purged"]:
            raise Refused(error(report["purged"], causes=["The file of this report has been removed."]))
        content = report["text"].encode()
        if form == "pdf":
            content = report_file.pdf([report["name"], *report["text"].splitlines()])
        name = request.query_params.get("name", report["name"]).encode("ascii", "replace").decode().replace('"', "")
        return Response(
            content, headers={"content-type": media_type, "content-disposition": 'attachment;filename="%s.%s"' % (name, form)}
        )

    # --- the control API

    def settle(self):
        for campaign in self.campaigns.values():
            campaign.settle()

    def shown(self, campaign):
        operation = campaign.operation
        if operation is not None:
            operation = {**operation, "ends_at": operation["started_at"] + campaign.seconds(operation["kind"])}
        return {**campaign.shown(True), **campaign.settings, "operation": operation, "reports": campaign.shown_reports()}

    def state(self):
        self.settle()
        return {"campaigns": {key: self.shown(campaign) for key, campaign in self.campaigns.items()}}

    def patch(self, campaign_id, wanted):
        """Raises KeyError or ValueError, and changes nothing."""
        campaign = self.campaigns[campaign_id]
        campaign.settle()
        allowed = {"modified_moves": ("end", "early", "never"), "report_status": REPORT_STATUSES}
        for name, value in wanted.items():
            if name in ("id", "operation", "reports"):
                raise ValueError("%s cannot be set" % name)
            if name in allowed and value not in allowed[name]:
                raise ValueError("%s is one of %s" % (name, ", ".join(allowed[name])))
            if name in ("items", "identity_columns") and not isinstance(value, list):
                raise ValueError("%s is a list" % name)
            if name == "scan_result" and not (value is None or isinstance(value, list)):
                raise ValueError("scan_result is null or the numbers of the items that stay open")
            if name == "access":
                self._check_access(value)
            if name == "words" and not {"remediated", "open"} <= set(value):
                raise ValueError("words has remediated and open")
        if "access" in wanted:
            wanted = {**wanted, "access": {**campaign.settings["access"], **wanted["access"]}}
        for name, value in wanted.items():
            for part in (campaign.settings, campaign.full_fields):
                if name in part:
                    part[name] = value
                    break
            else:
                campaign.fields[name] = value
        return self.shown(campaign)

    @staticmethod
    def _check_access(wanted):
        if not isinstance(wanted, dict) or not set(wanted) <= set(access.SETTINGS):
            raise ValueError("access has some of %s" % ", ".join(access.SETTINGS))

    def set_reloads(self, wanted):
        """How reading accounts again ends from now on. wanted: by the account's id a status of a task, or never."""
        if not set(wanted.values()) <= {"SUCCESS", "WARNING", "ERROR", "TERMINATED", "TEMPERROR", "never"}:
            raise ValueError("a reload ends with a status of a task, or never")
        self.reloads.update(wanted)
        return self.reloads

    def expire_tokens(self):
        for known in self.tokens.values():
            known["expires_at"] = 0
        return len(self.tokens)

    def purge(self, status):
        """The files of all finished reports are gone from now on."""
        if status not in (400, 404, 410):
            raise ValueError("a purged report answers 400, 404 or 410")
        self.settle()
        for report in self.files.values():
            report["purged"] = status
        return len(self.files)
