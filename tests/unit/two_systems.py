# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two small systems that answer truthfully, a way to bend what they say, and the role without Ansible around it.

Only what is public is used: a module's options, its result, and the files that it leaves. So the tests know as little of
the code as its users do.
"""

from __future__ import annotations

import copy
import csv
import dataclasses
import datetime
import email.utils
import io
import json
import re
from urllib.parse import unquote

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from scripted_server import Reply, ScriptedServer

from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.modules import (
    remediation_evidence,
    sailpoint_campaign_info,
    sailpoint_campaign_remediation_scan,
    sailpoint_campaign_report,
    sailpoint_remediation_report_info,
    sailpoint_revoked_access_info,
    xpanse_alert_info,
    xpanse_rcs_request,
)

ONE, OTHER = "2c918086719eec070171a7e3355a360a", "2c918086719eec070171a7e3355a360b"
NOBODY = "2c918086719eec070171a7e3355affff"
NAMED = dict(alert_internal_id=98, attack_surface_rule_id="RdpServer", service_id="94232f8a-f001-3292-aa65-63fa9d981427")
LOOKED_UP = dict(alert_internal_id=231, attack_surface_rule_id="TelnetServer", service_id="0c1b1d5e-7a52-4c35-9f2c-6f3d1f9c2b11")
REPORT_TYPE = "CAMPAIGN_REMEDIATION_STATUS_REPORT"
SECRET, KEY = "secret-of-the-client", "key-of-the-tenant"

OPERATIONS = (
    "token",
    "get_campaign",
    "list_campaigns",
    "run_scan",
    "list_reports",
    "run_report",
    "download",
    "get_or_create",
    "get_scan",
    "get_alerts",
    "list_certifications",
    "decision_summary",
    "list_review_items",
    "search",
    "list_accounts",
)


def exposure_id(exposure):
    """An exposure's name in the evidence."""
    return "%(alert_internal_id)s:%(attack_surface_rule_id)s:%(service_id)s" % exposure


def report_text(rows):
    """A report with these rows."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


ROWS = [
    ["Identity", "Account", "Access", "Decision", "Remediation Status"],
    ["Ada Byron", "abyron", "Payments approver", "REVOKED", "Remediated"],
    ["Max Planck", "mplanck", "Payments viewer", "REVOKED", "Remediated"],
]


SIGNED_OFF = "2025-02-01T00:00:00Z"
SOURCE = "source-1"


def access_of(row):
    """(identity, account, access) of a row of the report, as ids of them."""
    return "identity-" + row[1], "account-" + row[1], "access-" + row[2]


def certified(campaign_id, number, row, decision="REVOKE"):
    """A review item about a row of the report."""
    identity, account, access = access_of(row)
    entitlement = dict(attributeName="groups", attributeValue=row[2], sourceId=SOURCE, sourceName="Payments")
    return dict(
        id="item-%s-%d" % (campaign_id[-1], number),
        decision=decision,
        completed=True,
        identitySummary=dict(id="summary-" + identity, identityId=identity, name=row[0]),
        accessSummary=dict(
            access=dict(type="ENTITLEMENT", id=access, name=row[2]),
            entitlement=dict(entitlement, id=access, account=dict(id=account, nativeIdentity=row[1])),
        ),
    )


@dataclasses.dataclass
class Said:
    """One answer as it left the server. operation: None where nobody knows the address. about: the id in the request."""

    operation: str | None
    about: object
    moment: datetime.datetime
    reply: Reply

    @property
    def whole(self):
        """Whether it left the server as it was meant to."""
        return not self.reply.drop and self.reply.close_after is None and self.reply.announce is None

    def json(self):
        """The JSON value, or None where it is none; an object with a key twice is none."""
        try:
            return json.loads(self.reply.content(), object_pairs_hook=once)
        except (ValueError, RecursionError):
            return None


def once(pairs):
    """The object of these pairs. Raises ValueError where a key comes twice."""
    if len({name for name, _value in pairs}) < len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def listing(found):
    """A list that says how long it is."""
    return Reply(json=found, headers={"X-Total-Count": str(len(found))})


class TwoSystems(ScriptedServer):
    """SailPoint and Xpanse, in which everything is remediated once it was scanned, and all is done at once.

    bend(operation, number, reply, before): called with every answer before it is sent; number counts the answers of an
    operation from 0, before is the answer before it of the same operation. It returns the answer to send.
    takes_in: whether campaigns can be listed by their ids.
    """

    def __init__(self, bend=None, report_moves_modified=False, takes_in=True):
        self.bend = bend
        self.takes_in = takes_in
        self.report_moves_modified = report_moves_modified
        self.said = []
        self.moment = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(minutes=30)
        self.rows = {ONE: ROWS, OTHER: ROWS}
        self.modified = {one: self.tick() for one in (ONE, OTHER)}
        self.reports = {ONE: None, OTHER: None}
        self.files = {}
        self.scans = {}
        self.last = {}
        super().__init__()

    def tick(self):
        """The server's time, which is a second later with each request."""
        self.moment += datetime.timedelta(seconds=1)
        return self.moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def take(self, received):
        """The reply to any request."""
        with self.lock:
            self.requests.append(received)
            now = self.tick()
            operation, about, reply = self.answer(received, now)
            reply.headers.setdefault("Date", email.utils.format_datetime(self.moment, usegmt=True))
            if self.bend and operation:
                number = sum(one.operation == operation for one in self.said)
                honest = copy.deepcopy(reply)
                reply = self.bend(operation, number, reply, self.last.get(operation))
                self.last[operation] = honest
            self.said.append(Said(operation, about, self.moment, reply))
            return reply

    def answer(self, received, now):
        """(operation, what it is about, the honest answer)."""
        method, path = received.method, unquote(received.path).rstrip("/")
        if path == "/oauth/token":
            return "token", None, Reply(json={"access_token": "token-%d" % len(self.said), "expires_in": 749})
        if path.endswith("/get_or_create"):
            ids = {one["field"]: one["value"] for one in received.json["request_data"]["filters"]}
            about = exposure_id(ids)
            scan_id = "scan-%d-of-%s" % (len(self.scans), ids["service_id"][:4])
            self.scans[scan_id] = about
            return "get_or_create", about, Reply(201, json={"reply": {"scanId": scan_id}})
        if path.endswith("/requests/get"):
            scan_id = received.json["request_data"]["filters"][0]["value"]
            if scan_id not in self.scans:
                return "get_scan", scan_id, Reply(404, json={"reply": {"err_code": 404, "err_msg": "no such scan"}})
            return "get_scan", scan_id, Reply(json={"reply": {"status": "SUCCESS", "result": "REMEDIATED"}})
        if path.endswith("/get_alerts_multi_events"):
            alert = dict(
                alert_id=str(LOOKED_UP["alert_internal_id"]),
                name="Telnet at 192.0.2.7:23",
                severity="high",
                attack_surface_rule_id=LOOKED_UP["attack_surface_rule_id"],
                service_ids=[LOOKED_UP["service_id"]],
                resolution_status="STATUS_010_NEW",
                last_modified_ts=1700000000000,
                case_id=71,
                source="ASM",
            )
            return "get_alerts", None, Reply(json={"reply": {"total_count": 1, "result_count": 1, "alerts": [alert]}})
        if path.startswith("/reports/v1/"):
            report_id = path.rpartition("/")[2]
            if report_id not in self.files:
                return "download", report_id, Reply(404, json={"detailCode": "404 Not found", "trackingId": "t"})
            return "download", report_id, Reply(body=self.files[report_id], headers={"Content-Type": "text/csv"})
        if path == "/campaigns/v1":
            return self.listed(received.query["filters"][0])
        if path.startswith("/certifications/v1"):
            return self.of_certifications(received, path)
        if path == "/search/v1":
            return self.found(received.json, now)
        if path == "/accounts/v1":
            wanted = re.findall(r'"([^"]*)"', received.query["filters"][0])
            return "list_accounts", wanted, listing([one for one in self.accounts(now) if one["id"] in wanted])
        if path == "/work-items/v1":
            return None, None, listing([])
        return self.of_campaigns(method, path, now)

    def listed(self, filters):
        """The answer to a list of campaigns by their ids."""
        if not self.takes_in:
            return "list_campaigns", None, Reply(400, json={"detailCode": "400.1 Bad request", "trackingId": "t"})
        wanted = re.findall(r'"([^"]*)"', filters)
        return "list_campaigns", None, Reply(json=[self.shown(one) for one in self.modified if one in wanted])

    def of_certifications(self, received, path):
        """The answers around a certification, of which each campaign has one."""
        if path == "/certifications/v1":
            campaign_id = re.findall(r'"([^"]*)"', received.query["filters"][0])[0]
            shown = [
                dict(
                    id="certification-%s" % campaign_id[-1],
                    campaign=dict(id=campaign_id),
                    phase="SIGNED",
                    signed=SIGNED_OFF,
                    hasErrors=False,
                )
                for _number in range(campaign_id in self.modified)
            ]
            return "list_certifications", campaign_id, listing(shown)
        certification, what = path.split("/")[-2:]
        campaign_id = next((one for one in self.modified if certification == "certification-%s" % one[-1]), ONE)
        rows = self.rows[campaign_id][1:]
        if what == "decision-summary":
            counts = dict(entitlementsRevoked=len(rows), accessProfilesRevoked=0, rolesRevoked=0, accountsRevoked=0)
            return "decision_summary", certification, Reply(json=counts)
        items = [certified(campaign_id, number, row) for number, row in enumerate(rows)]
        kept = certified(campaign_id, 9, ["Max Planck", "mplanck", "Mail"], "APPROVE")
        return "list_review_items", certification, listing([*items, kept])

    def found(self, asked, now):
        """The answer of Search: nobody has any of it, but the mail that was approved."""
        wanted = asked["filters"].get("id", {}).get("terms", [])
        documents = [
            dict(
                id=account["identityId"],
                name=account["nativeIdentity"],
                synced=now,
                inactive=False,
                access=[dict(id="access-Mail", type="ENTITLEMENT", attribute="groups", value="Mail", source=dict(id=SOURCE))],
                accessCount=1,
                accounts=[
                    dict(
                        id=account["id"],
                        accountId=account["nativeIdentity"],
                        source=dict(id=SOURCE),
                        entitlementAttributes=dict(groups=["Mail"]),
                    )
                ],
                accountCount=1,
            )
            for account in self.accounts(now)
            if account["identityId"] in wanted
        ]
        return "search", wanted, listing(documents)

    def accounts(self, now):
        """All accounts, as of now."""
        names = sorted({row[1] for rows in self.rows.values() for row in rows[1:]})
        return [
            dict(
                id="account-" + name,
                identityId="identity-" + name,
                nativeIdentity=name,
                sourceId=SOURCE,
                modified=now,
                disabled=False,
                attributes=dict(groups=["Mail"]),
            )
            for name in names
        ]

    def shown(self, campaign_id):
        """The campaign as it is now."""
        return dict(
            id=campaign_id,
            name="Campaign " + campaign_id[-1],
            type="MANAGER",
            status="COMPLETED",
            created="2025-01-01T00:00:00Z",
            modified=self.modified[campaign_id],
            totalCertifications=1,
            completedCertifications=1,
        )

    def of_campaigns(self, method, path, now):
        """The answers around a campaign."""
        campaign_id, _slash, rest = path.removeprefix("/campaigns/v1/").partition("/")
        if campaign_id not in self.modified:
            return None, campaign_id, Reply(404, json={"detailCode": "404 Not found", "trackingId": "t"})
        if not rest:
            return "get_campaign", campaign_id, Reply(json=self.shown(campaign_id))
        if rest == "reports":
            reports = [self.reports[campaign_id]] if self.reports[campaign_id] else []
            return "list_reports", campaign_id, Reply(json=copy.deepcopy(reports))
        if rest == "run-remediation-scan":
            self.modified[campaign_id] = self.tick()
            return "run_scan", campaign_id, Reply(202, json={})
        report_id = "report-%d-of-%s" % (len(self.files), campaign_id[-1])
        self.reports[campaign_id] = dict(
            type="REPORT_RESULT",
            id=report_id,
            name="Remediation",
            status="SUCCESS",
            reportType=REPORT_TYPE,
            lastRunAt=self.tick(),
        )
        self.files[report_id] = report_text(self.rows[campaign_id])
        if self.report_moves_modified:
            self.modified[campaign_id] = self.tick()
        return "run_report", campaign_id, Reply(202, json={})

    def check(self):
        """Whatever is asked is answered here."""


def call(module, params, check_mode=False):
    """What a module returns, as Ansible would hand it on. Fails the test where the module breaks instead of failing."""
    spec = module.ARGUMENT_SPEC
    known = {name: value for name, value in params.items() if name in spec and value is not None}
    validation = ArgumentSpecValidator(spec, **getattr(module, "RULES", {})).validate(known)
    assert not validation.error_messages, validation.error_messages
    task = Task(validation.validated_parameters, check_mode, lambda text: None)
    result, _secrets = run_task(module.run, task, getattr(module, "IN_SHORT", None))
    assert "exception" not in result, "%s broke: %s" % (module.__name__, result["exception"])
    return json.loads(json.dumps(result))


class Role:
    """The role's way from the targets to the evidence, as with `verify_wait: false` unless options say otherwise."""

    def __init__(self, url, folder, **options):
        self.folder = folder
        self.evidence = folder / "remediation-evidence"
        self.ledger = folder / "ledger.json"
        # One after the other, so that an example is the same each time.
        self.options = dict(
            max_age=86400, retry_timeout=0, request_timeout=5, concurrency=1, rate_limit=0, wait=False, confirm=True, **options
        )
        self.sailpoint = dict(self.options, base_url=url, client_id="client", client_secret=SECRET)
        self.xpanse = dict(self.options, base_url=url, api_key_id="1", api_key=KEY)
        self.agreement = "one"
        self.targets = dict(campaign_ids=[ONE, OTHER], exposures=[NAMED], alert_ids=[LOOKED_UP["alert_internal_id"]])

    def run(self, formats=("json",)):
        """One run to its evidence. Returns the content of verification.json, or None where it could not begin."""
        common = dict(dest=str(self.evidence), **self.targets)
        prepared = call(remediation_evidence, dict(common, state="prepared", ledger=str(self.ledger)))
        if prepared.get("failed"):
            return None
        memory = dict(ledger=str(self.ledger), run_id=prepared.get("run_id"), start=True)

        def ask(module, name, connection, **params):
            return call(module, dict(connection, results_file="%s/records/%s.json" % (prepared["folder"], name), **params))

        campaigns = ask(sailpoint_campaign_info, "campaigns", self.sailpoint, campaign_ids=self.targets["campaign_ids"])
        alerts = ask(xpanse_alert_info, "alerts", self.xpanse, alert_ids=self.targets["alert_ids"])
        files = [alerts["results_file"]] if alerts.get("counts", {}).get("rcs_targets") else []
        rcs = ask(
            xpanse_rcs_request, "exposures", self.xpanse, requests=self.targets["exposures"], requests_files=files, **memory
        )
        completed = list(dict.fromkeys(one["id"] for one in campaigns.get("campaigns", ()) if one.get("status") == "COMPLETED"))
        scans = reports = infos = {}
        if completed:
            scans = ask(
                sailpoint_campaign_remediation_scan, "remediation_scans", self.sailpoint, campaign_ids=completed, **memory
            )
        finished = {one["campaign_id"]: one["modified"] for one in scans.get("scans", ()) if one.get("status") == "finished"}
        if finished:
            reports = ask(
                sailpoint_campaign_report,
                "reports",
                self.sailpoint,
                campaign_ids=list(finished),
                newer_than=finished,
                dest="%s/reports" % prepared["folder"],
                **memory,
            )
        paths = [one["path"] for one in reports.get("reports", ()) if one.get("path")]
        if paths:
            infos = ask(sailpoint_remediation_report_info, "report_items", {}, paths=paths)
        access = {}
        if completed:
            access = ask(sailpoint_revoked_access_info, "revoked_access", self.sailpoint, campaign_ids=completed)
            # As a module says by itself.
            access.update(module="sailpoint_revoked_access_info", asked=dict(campaign_ids=len(completed)))
        written = call(
            remediation_evidence,
            dict(
                common,
                targets=dict(campaign_witnesses=["report", "access"], campaign_agreement=self.agreement),
                results=[access] if access else [],
                run=prepared["run"],
                run_id=prepared.get("run_id"),
                started_at=prepared["started_at"],
                formats=list(formats),
                campaigns=campaigns,
                scans=scans,
                reports=reports,
                report_infos=infos,
                alerts=alerts,
                rcs_requests=rcs,
            ),
        )
        assert not written.get("failed"), written.get("msg")
        return json.loads((self.evidence / prepared["run"] / "verification.json").read_text(encoding="utf-8"))
