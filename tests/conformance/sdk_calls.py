# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what the simulator answers with SailPoint's own client, and prints as JSON what of each answer it did not take.

sdk_calls.py URL RESULT older|next

The client takes a model for another one of the same name that was loaded before, so the next generation has a process of its own.

Runs in an environment of its own, see tests/requirements-conformance.txt. The client only knows the per-service version (v1).
"""

from __future__ import annotations

import json
import sys
import warnings
from datetime import date, datetime, timezone
from enum import Enum
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulator import company  # noqa: E402

FINANCE = dict(id=company.FINANCE)
WAREHOUSE = dict(id=company.WAREHOUSE)
PRIVILEGED = dict(id=company.PRIVILEGED)
CERTIFICATION = dict(id=company.FINANCE[6:] + "000000")
CAMPAIGNS, REPORTS = "CertificationCampaigns", "ReportsDataExtraction"
RUN_REPORT = dict(PRIVILEGED, type="CAMPAIGN_REMEDIATION_STATUS_REPORT")
# The client itself would rather have an error than the file.
AS_CSV = dict(file_format="csv", _headers={"Accept": "application/csv"})
# The client sends no such header by itself.
NEXT, EXPERIMENTAL = "NextGenerationCertificationCampaigns", dict(x_sail_point_experimental="true")
NEXT_FINANCE = dict(EXPERIMENTAL, campaign_id=company.FINANCE)
NEXT_CERTIFICATION = dict(EXPERIMENTAL, certification_id=CERTIFICATION["id"])
NEW_REPORT = dict(type="REMEDIATION", format="CSV", name="A report")
ALL = {"query": {"query": "*"}, "sort": ["id"]}


def an_account(answers):
    """The id of an account. answers: by the names of calls that were made before."""
    return next(account["id"] for document in answers["identities"] for account in document["accounts"])


def a_report(answers):
    """The arguments that name the next generation report that was made. answers: see above."""
    return dict(NEXT_FINANCE, report_id=answers["a next report to make"]["id"])


# What is asked, in this order: a name, the status that comes, the client's API and its method, and the arguments, or a function
# that gives them, of the answers so far.
CALLS = (
    ("campaigns", 200, CAMPAIGNS, "get_active_campaigns_v1", {}),
    ("campaigns in full", 200, CAMPAIGNS, "get_active_campaigns_v1", dict(detail="FULL", count=True, limit=250)),
    ("campaigns by status", 200, CAMPAIGNS, "get_active_campaigns_v1", dict(filters='status in ("ACTIVE", "STAGED")')),
    ("campaigns by name", 200, CAMPAIGNS, "get_active_campaigns_v1", dict(filters='name sw "Fin"', sorters="name")),
    ("a filter that is none", 400, CAMPAIGNS, "get_active_campaigns_v1", dict(filters="nothing")),
    ("a campaign", 200, CAMPAIGNS, "get_campaign_v1", FINANCE),
    ("a campaign in full", 200, CAMPAIGNS, "get_campaign_v1", dict(FINANCE, detail="FULL")),
    ("no campaign", 404, CAMPAIGNS, "get_campaign_v1", dict(id="nobody-has-this")),
    ("a remediation scan", 202, CAMPAIGNS, "start_campaign_remediation_scan_v1", WAREHOUSE),
    ("a second scan", 400, CAMPAIGNS, "start_campaign_remediation_scan_v1", WAREHOUSE),
    ("a report to run", 202, CAMPAIGNS, "start_campaign_report_v1", RUN_REPORT),
    ("a first report, pending", 200, CAMPAIGNS, "get_campaign_reports_v1", PRIVILEGED),
    ("reports", 200, CAMPAIGNS, "get_campaign_reports_v1", FINANCE),
    ("a file", 200, REPORTS, "get_report_v1", dict(AS_CSV, task_result_id=company.FINANCE_OLD_REPORT)),
    ("no file", 404, REPORTS, "get_report_v1", dict(AS_CSV, task_result_id="nobody-has-this")),
    ("certifications", 200, "Certifications", "list_identity_certifications_v1", dict(count=True)),
    ("a summary", 200, "CertificationSummaries", "get_identity_decision_summary_v1", CERTIFICATION),
    ("review items", 200, "Certifications", "list_identity_access_review_items_v1", CERTIFICATION),
    ("no review items", 404, "Certifications", "list_identity_access_review_items_v1", dict(id="nobody-has-this")),
    ("identities", 200, "Search", "search_post_v1", dict(search=dict(ALL, indices=["identities"]), count=True)),
    ("what happened", 200, "Search", "search_post_v1", dict(search=dict(ALL, indices=["accountactivities"]))),
    ("accounts", 200, "Accounts", "list_accounts_v1", lambda found: dict(filters='id eq "%s"' % an_account(found))),
    ("reading an account again", 202, "Accounts", "submit_reload_account_v1", lambda found: dict(id=an_account(found))),
    ("tasks", 200, "TaskManagement", "get_task_status_list_v1", {}),
    ("account activities", 200, "AccountActivities", "list_account_activities_v1", {}),
    (
        "work items",
        200,
        "WorkItems",
        "list_work_items_v1",
        lambda found: dict(owner_id=found["accounts"][0]["sourceOwner"]["id"]),
    ),
    ("next campaigns", 200, NEXT, "list_campaigns_v1", dict(EXPERIMENTAL, count=True, filters='status eq "COMPLETED"')),
    ("a next campaign", 200, NEXT, "get_gov_certification_campaign_v1", dict(EXPERIMENTAL, id=company.FINANCE)),
    ("without the header", 400, NEXT, "get_gov_certification_campaign_v1", dict(id=company.FINANCE)),
    ("no next campaign", 404, NEXT, "get_gov_certification_campaign_v1", dict(EXPERIMENTAL, id="nobody-has-this")),
    ("a next report to make", 200, NEXT, "create_report_v1", dict(NEXT_FINANCE, trigger_campaign_report_request=NEW_REPORT)),
    ("next reports", 200, NEXT, "list_reports_v1", dict(NEXT_FINANCE, filters='type eq "REMEDIATION"')),
    ("a next report", 200, NEXT, "get_gov_certification_campaign_report_v1", a_report),
    ("the address of a next file", 200, NEXT, "get_download_url_v1", a_report),
    (
        "next certifications",
        200,
        NEXT,
        "list_certifications_v1",
        dict(EXPERIMENTAL, filters='campaignRef.id eq "%s"' % company.FINANCE),
    ),
    ("a next summary", 200, NEXT, "get_decision_summary_v1", NEXT_CERTIFICATION),
    ("next review items", 200, NEXT, "list_review_items_v1", NEXT_CERTIFICATION),
)


def lost(raw, read, where=""):
    """Where what was read is not what came, in words."""
    read = getattr(read, "actual_instance", read)
    if isinstance(read, Enum):
        read = read.value
    if isinstance(read, datetime) and isinstance(raw, str):
        raw, read = datetime.fromisoformat(raw.replace("Z", "+00:00")), read.astimezone(timezone.utc)
    elif isinstance(read, date) and isinstance(raw, str):
        read = read.isoformat()
    if isinstance(raw, list) and isinstance(read, list) and len(raw) == len(read):
        for number, (one, other) in enumerate(zip(raw, read)):
            yield from lost(one, other, "%s[%d]" % (where, number))
    elif isinstance(raw, dict) and hasattr(type(read), "model_fields"):
        names = {field.alias or name: name for name, field in type(read).model_fields.items()}
        for key, value in raw.items():
            if key in names:
                yield from lost(value, getattr(read, names[key]), "%s.%s" % (where, key))
            else:
                yield "%s.%s is not in the client's %s" % (where, key, type(read).__name__)
    elif raw != read:
        yield "%s is %r, and was read as %r" % (where, raw, read)


def problems_of(status, call, arguments):
    """(what is wrong with how the client reads an answer, the answer as it came)."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            answer = call(**arguments)
            found, raw, read = answer.status_code, answer.raw_data, answer.data
        except Exception as error:
            if getattr(error, "status", None) is None:
                return ["%s: %s" % (type(error).__name__, error)], None
            found, raw, read = error.status, error.body, error.data
    problems = [str(one.message) for one in said]
    if found != status:
        problems.append("the status is %s, not %d" % (found, status))
    if isinstance(read, str):
        # The client saves a file, and gives the path.
        return problems + ([] if Path(read).read_bytes() == raw != b"" else ["it was not saved as it came"]), None
    raw = json.loads(raw)
    return problems + list(lost(raw, read)), raw


def main():
    import sailpoint

    parameters = sailpoint.ConfigurationParams()
    parameters.base_url = sys.argv[1]
    parameters.client_id, parameters.client_secret = "admin-client", "admin-secret"
    configuration = sailpoint.Configuration(parameters)
    configuration.experimental = True
    client = sailpoint.ApiClient(configuration)
    problems, answers = {}, {}
    for name, status, api, method, arguments in CALLS:
        if (api == NEXT) != (sys.argv[3] == "next"):
            continue
        call = getattr(getattr(sailpoint, api + "Api")(client), method + "_with_http_info")
        problems[name], answers[name] = problems_of(status, call, arguments(answers) if callable(arguments) else arguments)
    Path(sys.argv[2]).write_text(json.dumps({"problems": problems, "answers": answers}), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
