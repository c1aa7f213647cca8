# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SailPoint's calls around certifications, Search, accounts, and what happened to them."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime

from simulator import access
from simulator.core import Refused, iso, json_response

ALL_CERTIFICATIONS = ("ORG_ADMIN", "CERT_ADMIN")
MAY_SEARCH = ("ORG_ADMIN", "CERT_ADMIN", "REPORT_ADMIN")
MAY_READ_ACCOUNTS = ("ORG_ADMIN", "HELPDESK")
ANYBODY = ("ORG_ADMIN", "CERT_ADMIN", "REPORT_ADMIN", "HELPDESK")
# About so many, by the specification.
MOST_TERMS = 800
NEWEST_FIRST = ["-created"]
CERTIFICATION_FILTERS = {"id": ("eq", "in"), "campaign.id": ("eq", "in"), "phase": ("eq",), "completed": ("eq",)}
ITEM_FILTERS = {"id": ("eq", "in"), "access.type": ("eq",), "completed": ("eq", "ne")}
ACCOUNT_FILTERS = {
    "id": ("eq", "in", "sw"),
    "identityId": ("eq", "in", "sw"),
    "nativeIdentity": ("eq", "in", "sw"),
    "sourceId": ("eq", "in", "sw"),
}
ACTIVITY_FILTERS = {
    "type": ("eq", "in", "ge", "le", "lt", "ne", "sw"),
    "created": ("gt", "lt", "ge", "le", "eq", "in", "ne", "sw"),
    "modified": ("gt", "lt", "ge", "le", "eq", "in", "ne", "sw"),
}
TASK_FILTERS = {"id": ("eq", "in")}
TESTS = {
    "eq": lambda value, wanted: value == wanted[0],
    "ne": lambda value, wanted: value != wanted[0],
    "in": lambda value, wanted: value in wanted,
    "sw": lambda value, wanted: value.startswith(wanted[0]),
    "ge": lambda value, wanted: value >= wanted[0],
    "gt": lambda value, wanted: value > wanted[0],
    "le": lambda value, wanted: value <= wanted[0],
    "lt": lambda value, wanted: value < wanted[0],
}
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_VALUE = r"(?:%s|[\w:.+-]+)" % _QUOTED
_TERM = re.compile(r"\s*([\w.]+)\s+(\w+)\s+(%s|\(\s*%s(?:\s*,\s*%s)*\s*\))\s*" % ((_VALUE,) * 3))
_ONE = re.compile(_VALUE)

# operation, method, path of the per-service version, path behind an annual version
PATHS = (
    ("list_certifications", "GET", "/certifications/v1", "/certifications"),
    ("decision_summary", "GET", "/certifications/v1/{id}/decision-summary", "/certifications/{id}/decision-summary"),
    ("list_review_items", "GET", "/certifications/v1/{id}/access-review-items", "/certifications/{id}/access-review-items"),
    ("search", "POST", "/search/v1", "/search"),
    ("list_accounts", "GET", "/accounts/v1", "/accounts"),
    ("reload_account", "POST", "/accounts/v1/{id}/reload", "/accounts/{id}/reload"),
    ("list_tasks", "GET", "/task-status/v1", "/task-status"),
    ("get_task", "GET", "/task-status/v1/{id}", "/task-status/{id}"),
    ("list_account_activities", "GET", "/account-activities/v1", "/account-activities"),
    ("list_work_items", "GET", "/work-items/v1", "/work-items"),
)
OPERATIONS = tuple(path[0] for path in PATHS)


def parsed(text, known):
    """[(field, operator, values)] of a filter. Raises ValueError."""
    tests, position = [], 0
    while True:
        match = _TERM.match(text, position)
        if not match:
            raise ValueError("cannot read the filter from %r on" % text[position : position + 40])
        field, operator, operand = match.group(1), match.group(2).lower(), match.group(3)
        if operator not in known.get(field, ()) or operand.startswith("(") != (operator == "in"):
            raise ValueError("no filter %s %s %s" % (field, operator, operand))
        values = [re.sub(r"\\(.)", r"\1", one[1:-1]) if one.startswith('"') else one for one in _ONE.findall(operand)]
        tests.append((field, operator, values))
        position = match.end()
        if position == len(text):
            return tests
        joined = re.compile(r"and\b", re.IGNORECASE).match(text, position)
        if not joined:
            raise ValueError("filters are joined by and, not by %r" % text[position : position + 10])
        position = joined.end()


def value_at(value, path):
    """What a dotted path leads to, as a filter compares it."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return str(value).lower() if isinstance(value, bool) else value


def meets(thing, tests):
    """Whether a thing meets all tests."""
    return all(
        value_at(thing, field) is not None and TESTS[operator](value_at(thing, field), values)
        for field, operator, values in tests
    )


def moment(text):
    """A date or a time as a number of seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00") if "T" in text else text + "T00:00:00+00:00").timestamp()


def trimmed(document, includes):
    """A document with only the fields that were asked for, whatever their depth; its type is always there."""
    if includes is None:
        return document
    kept = {name: document[name] for name in ("_type", "_version") if name in document}
    for path in includes:
        name, _dot, rest = path.partition(".")
        if name not in document:
            continue
        value = document[name]
        if not rest:
            kept[name] = value
        elif isinstance(value, list):
            rows = kept.setdefault(name, [{} for _row in value])
            for row, whole in zip(rows, value):
                row.update(trimmed(whole, [rest]))
        elif isinstance(value, dict):
            kept.setdefault(name, {}).update(trimmed(value, [rest]))
    return kept


class AccessCalls:
    """The part of SailPoint that knows certifications, Search, and accounts. See simulator.sailpoint for the rest."""

    def _company(self):
        lag = int(self.simulator.config["search_lag"] * 1000)
        return access.Company(self.campaigns.values(), self._now(), lag)

    def _now(self):
        return int(self.simulator.clock.shown() * 1000)

    def _tests(self, request, known):
        text = request.query_params.get("filters", "")
        try:
            return parsed(text, known) if text.strip() else []
        except ValueError as problem:
            raise Refused(self.bad_request(str(problem))) from None

    def _paged(self, request, found, most=250, headers=None):
        """The page of a whole list that was asked for."""
        limit, offset = self._number(request, "limit", 250, most), self._number(request, "offset", 0, 10**9)
        return json_response(found[offset : offset + limit], headers={**self._counted(request, len(found)), **(headers or {})})

    def _counted(self, request, number):
        count = request.query_params.get("count", "false")
        if count not in ("true", "false"):
            raise Refused(self.bad_request("count is true or false"))
        return {"X-Total-Count": str(number)} if count == "true" else {}

    # --- certifications

    @staticmethod
    def _certification_id(campaign, number):
        return "%s%06x" % (campaign.fields["id"][6:], number)

    def _certification(self, request, entry):
        """(reviewed, number) of the certification in the path."""
        wanted = request.path_params["id"]
        for campaign in self.campaigns.values():
            if campaign.fields["id"][6:] != wanted[:-6] or not re.fullmatch("[0-9a-f]{6}", wanted[-6:]):
                continue
            reviewed, number = access.reviewed_in(campaign), int(wanted[-6:], 16)
            if number < reviewed.count:
                entry["campaign_id"] = campaign.fields["id"]
                return reviewed, number
        raise Refused(self.missing("Certification %s was not found." % wanted))

    def _shown_certification(self, reviewed, number):
        fields, settings = reviewed.campaign.fields, reviewed.settings
        is_done = fields["status"] in ("COMPLETED", "ARCHIVED") and number >= settings["unsigned"]
        _revoked, total = reviewed.revoked(number)
        reviewer = ("Margriet de Vries", "Tomáš Horák", "Sofia Andersson")[number % 3]
        return {
            "id": self._certification_id(reviewed.campaign, number),
            "name": "%s, part %d" % (fields["name"], number + 1),
            "campaign": {
                "id": fields["id"],
                "name": fields["name"],
                "type": "CAMPAIGN",
                "campaignType": fields["type"],
                "description": fields["description"],
                "correlatedStatus": fields["correlatedStatus"],
                "mandatoryCommentRequirement": "NO_DECISIONS",
            },
            "completed": is_done,
            "identitiesCompleted": 1 if is_done else 0,
            "identitiesTotal": 1,
            "created": iso(fields["created"]),
            "modified": iso(settings["signed"]),
            "decisionsMade": total if is_done else 0,
            "decisionsTotal": total,
            "due": iso(fields["deadline"]),
            "signed": iso(settings["signed"]) if is_done else None,
            "reviewer": {
                "id": access.made_id("identity", reviewer),
                "name": reviewer,
                "email": None,
                "type": "IDENTITY",
                "created": None,
                "modified": None,
            },
            "hasErrors": number < settings["errors"],
            "errorMessage": "The certification has an error" if number < settings["errors"] else None,
            "phase": "SIGNED" if is_done else ("STAGED" if fields["status"] == "STAGED" else "ACTIVE"),
        }

    def list_certifications(self, request, body, entry):
        level = self._authorize(request, entry, ANYBODY)
        known = CERTIFICATION_FILTERS
        if request.path_params.get("version") == "beta":
            known = {"campaignRef.id" if name == "campaign.id" else name: value for name, value in known.items()}
        tests = [("campaign.id" if field == "campaignRef.id" else field, *rest) for field, *rest in self._tests(request, known)]
        campaigns = self.campaigns.values()
        for field, _operator, values in tests:
            if field == "campaign.id":
                entry["campaign_id"] = values[0]
                campaigns = [campaign for campaign in campaigns if campaign.fields["id"] in values]
        found = []
        # Others see what they review themselves, which is nothing here.
        for campaign in campaigns if level in ALL_CERTIFICATIONS else ():
            if campaign.fields["status"] not in ("PENDING", None):
                reviewed = access.reviewed_in(campaign)
                found += [self._shown_certification(reviewed, number) for number in range(reviewed.count)]
        return self._paged(request, [one for one in found if meets(one, tests)])

    def decision_summary(self, request, body, entry):
        self._authorize(request, entry, ALL_CERTIFICATIONS)
        reviewed, number = self._certification(request, entry)
        revoked, total = reviewed.revoked(number)
        shown = {}
        for kind, (one, many) in access.SUMMARY.items():
            taken = revoked[kind] + (reviewed.settings["summary_off"] if kind == "ENTITLEMENT" and not number else 0)
            kept = total - sum(revoked.values()) if kind == "ENTITLEMENT" else 0
            shown.update(
                {
                    one + "DecisionsMade": taken + kept,
                    one + "DecisionsTotal": taken + kept,
                    many + "Approved": kept,
                    many + "Revoked": taken,
                }
            )
        return json_response(shown)

    def list_review_items(self, request, body, entry):
        self._authorize(request, entry, ALL_CERTIFICATIONS)
        if request.path_params.get("version") == "beta":
            raise Refused(self.missing("There is no such resource."))
        reviewed, number = self._certification(request, entry)
        tests = self._tests(request, ITEM_FILTERS)
        limit, offset = self._number(request, "limit", 250, 250), self._number(request, "offset", 0, 10**9)
        if reviewed.campaign.fields["type"] == "ROLE_COMPOSITION":
            return json_response([], headers=self._counted(request, 0))
        left_out = reviewed.settings["cut"] + reviewed.settings["lost"]
        items, total = reviewed.page(number, offset + left_out, limit)
        shown = [item.shown(self._now()) for item in items]
        if tests:
            shown = [one for one in shown if meets({**one, "access": one["accessSummary"]["access"]}, tests)]
        return json_response(shown, headers=self._counted(request, max(0, total - reviewed.settings["lost"])))

    # --- Search

    def search(self, request, body, entry):
        self._authorize(request, entry, MAY_SEARCH)
        try:
            wanted = json.loads(body)
            ids, tests = self._query(wanted)
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise Refused(self.bad_request("%s: %s" % (type(problem).__name__, problem))) from None
        company = self._company()
        if wanted["indices"] == ["identities"]:
            ids = company.identity_ids() if ids is None else ids
            found = [document for document in map(company.document, sorted(set(ids))) if document]
        else:
            found = sorted(access.activity_documents(company, ids), key=lambda one: one["id"])
            if wanted.get("sort") == NEWEST_FIRST:
                found.sort(key=lambda one: one["created"], reverse=True)
        found = [one for one in found if all(test(one) for test in tests)]
        limit, offset = self._number(request, "limit", 250, 10000), self._number(request, "offset", 0, 10**9)
        total, after = len(found), wanted.get("searchAfter")
        if after:
            found = [one for one in found if one["id"] > str(after[0])]
        includes = (wanted.get("queryResultFilter") or {}).get("includes")
        page = [trimmed(one, includes) for one in found[offset : offset + limit]]
        return json_response(page, headers=self._counted(request, total))

    @staticmethod
    def _query(wanted):
        """(ids or None, tests) of a search. Raises ValueError and what odd JSON raises."""
        if wanted["indices"] not in (["identities"], ["accountactivities"]):
            raise ValueError("the simulator has the indices identities and accountactivities, one at a time")
        sorts = [["id"], NEWEST_FIRST] if wanted["indices"] == ["accountactivities"] else [["id"]]
        if wanted.get("sort", ["id"]) not in sorts or (wanted.get("searchAfter") and wanted.get("sort") != ["id"]):
            raise ValueError("the simulator sorts by id, and what happened by -created")
        query = wanted["query"]["query"].strip()
        ids, tests = None, []
        if query != "*":
            named = re.fullmatch(r'id:(?:"?([\w-]+)"?|\(([\w\s"-]+)\))', query)
            if not named:
                raise ValueError("the simulator understands the queries * and id:, not %r" % query)
            ids = [named.group(1)] if named.group(1) else [one.strip(' "') for one in re.split(r"\s+OR\s+", named.group(2))]
        terms = 0
        for field, test in (wanted.get("filters") or {}).items():
            if test["type"] == "TERMS":
                terms += len(test["terms"])
                if field in ("id", "recipient.id"):
                    ids = list(test["terms"])
                else:
                    tests.append(lambda one, field=field, terms=test["terms"]: value_at(one, field) in terms)
            elif test["type"] == "RANGE":
                lower, upper = test["range"].get("lower"), test["range"].get("upper")
                if lower:
                    tests.append(lambda one, field=field, lower=lower: moment(one[field]) >= moment(lower["value"]))
                if upper:
                    tests.append(lambda one, field=field, upper=upper: moment(one[field]) <= moment(upper["value"]))
            else:
                raise ValueError("the simulator knows the filters TERMS and RANGE")
        if terms > MOST_TERMS:
            raise ValueError("too many terms")
        return ids, tests

    # --- accounts

    def list_accounts(self, request, body, entry):
        self._authorize(request, entry, MAY_READ_ACCOUNTS)
        tests = self._tests(request, ACCOUNT_FILTERS)
        named = {field: set(values) for field, operator, values in tests if operator in ("eq", "in")}
        found = self._company().accounts_of(named.get("identityId", ()), named.get("id", ()))
        self._reloaded(found)
        return self._paged(request, [one for _id, one in sorted(found.items()) if meets(one, tests)])

    def _reloaded(self, accounts):
        """Of an account that was read again, `modified` says so."""
        for task in self.tasks.values():
            if self._task_status(task) == "SUCCESS" and task["account_id"] in accounts:
                accounts[task["account_id"]]["modified"] = iso(self._task_end(task))

    def reload_account(self, request, body, entry):
        self._authorize(request, entry, MAY_READ_ACCOUNTS)
        account_id = request.path_params["id"]
        company = self._company()
        account = company.accounts_of((), {account_id}).get(account_id)
        if account is None:
            raise Refused(self.missing("Account %s was not found." % account_id))
        task_id = uuid.uuid4().hex
        self.tasks[task_id] = {
            "id": task_id,
            "account_id": account_id,
            "name": account["name"],
            "started_at": self.simulator.clock.now(),
            "ends": self.reloads.get(account_id, "SUCCESS"),
        }
        entry["changed"] = True
        return json_response({"id": task_id}, 202)

    def _task_end(self, task):
        return int(self.simulator.clock.shown(task["started_at"] + self.simulator.config["reload_seconds"]) * 1000)

    def _task_status(self, task):
        """How it ended, or None while it runs."""
        is_over = self.simulator.clock.now() >= task["started_at"] + self.simulator.config["reload_seconds"]
        return task["ends"] if is_over and task["ends"] != "never" else None

    def _shown_task(self, task):
        status = self._task_status(task)
        started = iso(int(self.simulator.clock.shown(task["started_at"]) * 1000))
        return {
            "id": task["id"],
            "type": "QUARTZ",
            "uniqueName": "Account reload of %s" % task["name"],
            "description": "Reads one account again",
            "parentName": None,
            "launcher": "spadmin",
            "created": started,
            "modified": started,
            "launched": started,
            "completed": iso(self._task_end(task)) if status else None,
            "completionStatus": status,
            "messages": [],
            "returns": [],
            "attributes": {},
            "progress": None if status else "Started",
            "percentComplete": 100 if status else 0,
        }

    def get_task(self, request, body, entry):
        self._authorize(request, entry, ANYBODY)
        self._has_tasks(request)
        task = self.tasks.get(request.path_params["id"])
        if task is None:
            raise Refused(self.missing("There is no such task."))
        return json_response(self._shown_task(task))

    def list_tasks(self, request, body, entry):
        self._authorize(request, entry, ANYBODY)
        self._has_tasks(request)
        tests = self._tests(request, TASK_FILTERS)
        return self._paged(request, [one for one in map(self._shown_task, self.tasks.values()) if meets(one, tests)])

    def _has_tasks(self, request):
        if request.path_params.get("version") == "v3":
            raise Refused(self.missing("There is no such resource."))

    # --- what happened

    def list_account_activities(self, request, body, entry):
        self._authorize(request, entry, ("ORG_ADMIN",))
        tests = self._tests(request, ACTIVITY_FILTERS)
        wanted = request.query_params.get("requested-for") or request.query_params.get("regarding-identity")
        company = self._company()
        ids = [wanted] if wanted else company.identity_ids()
        found = [one for each in ids for one in access.account_activities(company, each)]
        return self._paged(request, [one for one in found if meets(one, tests)])

    def list_work_items(self, request, body, entry):
        level = self._authorize(request, entry, ANYBODY)
        own = access.made_id("identity", entry["client"])
        owner = request.query_params.get("ownerId") or own
        if owner != own and level != "ORG_ADMIN":
            raise Refused(self.error(403))
        return self._paged(request, [one for one in access.work_items(self._company()) if one["ownerId"] == owner])
