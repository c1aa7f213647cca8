#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sailpoint_campaign_report
short_description: Run and download a report of SailPoint certification campaigns
version_added: 0.1.0
description:
  - Makes sure that each campaign has a finished report of the given type, all at once, and downloads it.
  - A finished report that is new enough is used as it is. One that runs already is waited for. One whose file was
    purged is run again.
  - A campaign takes one operation at a time. As long as a scan or another report runs, the report waits for it.
  - With O(api_version=next), which is experimental, each run is a report of its own, and what is compared with O(newer_than) is
    its C(created). The file comes from the address that the API signs for it, at whatever host. No credentials are sent there,
    no redirect is followed, and the address is in no result. Where O(ca_path) is given, it has to know the certificate of that
    host as well.
author:
  - Contributors to secops.remediation (@secops)
options:
  campaign_ids:
    description:
      - IDs of the campaigns.
    type: list
    elements: str
    required: true
  type:
    description:
      - Type of the report.
    type: str
    choices:
      - CAMPAIGN_REMEDIATION_STATUS_REPORT
      - CAMPAIGN_STATUS_REPORT
      - CAMPAIGN_COMPOSITION_REPORT
      - CERTIFICATION_SIGNOFF_REPORT
    default: CAMPAIGN_REMEDIATION_STATUS_REPORT
  newer_than:
    description:
      - A time of the server, ISO 8601. A report that is not newer is run again.
      - A newer one that has failed is an answer as well, and is not run again without O(force).
      - A mapping from campaign ID to a time gives each campaign its own, or V(null) where any report will do. That is
        what the C(modified) of M(secops.remediation.sailpoint_campaign_remediation_scan) is for.
      - Without it, any finished report counts.
    type: raw
  force:
    description:
      - Whether to run the report in any case.
    type: bool
    default: false
  dest:
    description:
      - Folder to download to. It is made if it is not there. Without it nothing is downloaded.
      - The name of a file is the campaign's ID and the report's type.
    type: path
  format:
    description:
      - Format of the file.
    type: str
    choices: [csv, pdf]
    default: csv
  wait:
    description:
      - Whether to wait until every report has finished.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds after which the module stops waiting and fails with the reports that have not finished.
    type: int
    default: 1800
  wait_interval:
    description:
      - Seconds between two looks at a campaign's reports.
    type: int
    default: 5
  ledger:
    version_added: 0.3.0
    description:
      - The ledger of M(secops.remediation.sailpoint_campaign_remediation_scan). With O(newer_than) the campaign is read
        again after its report was downloaded, and what it is then is remembered here. A later run that finds something
        else scans anew.
    type: path
  run_id:
    version_added: 0.4.0
    description:
      - What tells this run from others, as O(secops.remediation.sailpoint_campaign_remediation_scan#module:run_id). Where the
        same run has seen the scan end, and the O(ledger) knows of no report since, the report is run without a look for a
        newer one, which saves a request for each campaign.
    type: str
attributes:
  check_mode:
    support: full
    details:
      - Nothing is downloaded in check mode. Whether the file of a finished report was purged is not known then.
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.connection
  - secops.remediation.sailpoint
  - secops.remediation.results_file
seealso:
  - module: secops.remediation.sailpoint_remediation_report_info
"""

EXAMPLES = r"""
- name: Get a remediation status report that is newer than each campaign's scan
  secops.remediation.sailpoint_campaign_report:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids: "{{ finished | map(attribute='campaign_id') | list }}"
    newer_than: "{{ dict(finished | map(attribute='campaign_id') | zip(finished | map(attribute='modified'))) }}"
    dest: /var/lib/remediation/reports
  vars:
    # A scan that has not finished has no modified, and any old report would do.
    finished: "{{ scanned.scans | selectattr('status', 'eq', 'finished') | list }}"

- name: Get the sign-off report as a PDF, a new one in any case
  secops.remediation.sailpoint_campaign_report:
    base_url: https://acme.api.identitynow.com
    client_id: "{{ sailpoint_client_id }}"
    client_secret: "{{ sailpoint_client_secret }}"
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
    type: CERTIFICATION_SIGNOFF_REPORT
    format: pdf
    force: true
    dest: /var/lib/remediation/reports
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: sailpoint_campaign_report
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {campaign_ids: 1}
reports:
  description: The reports, in the order of O(campaign_ids).
  returned: always
  type: list
  elements: dict
  contains:
    campaign_id:
      description: ID of the campaign.
      type: str
      sample: 2c918086719eec070171a7e3355a360a
    report:
      description: The report, as the API wrote it. V(null) if the campaign has none of this type.
      type: dict
      sample:
        type: REPORT_RESULT
        id: 2c91808568c529c60168cca6f90c1311
        name: Campaign Remediation Status Report
        status: SUCCESS
        reportType: CAMPAIGN_REMEDIATION_STATUS_REPORT
        lastRunAt: "2026-11-22T08:02:10.000Z"
    status:
      description:
        - V(finished), V(running), or V(blocked) (another operation of the campaign is in the way).
        - V(null), nothing is known.
      type: str
      sample: finished
    path:
      description: The downloaded file.
      type: str
      sample: /var/lib/remediation/reports/2c918086719eec070171a7e3355a360a-CAMPAIGN_REMEDIATION_STATUS_REPORT.csv
    sha256:
      description: SHA-256 of the file, as hexadecimal digits.
      type: str
      sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
    changed:
      description: Whether this task ran the report.
      type: bool
      sample: true
    requests:
      description:
        - The requests that the rest was read from, the last one of each kind, with C(method), C(path), C(status),
          C(reference) (a C(trackingId), V(null) unless the API gave one), and C(server_time).
      type: list
      elements: dict
      sample:
        - method: GET
          path: /reports/v1/0371ba86326948e7aab066169491afea
          status: 200
          reference: null
          server_time: "2026-11-22T08:02:00Z"
    answers:
      description:
        - What the rest was read from and can be computed again from, in the order in which it came, with C(method), C(path),
          C(status), C(reference), C(server_time), what was C(sent) without credentials, and the C(body) that came (of a
          download C(sha256) and C(size)). What an earlier run was answered is marked C(remembered). Of a list of many campaigns
          only this one's part is here, and C(cut) says so.
      type: list
      elements: dict
      version_added: 0.3.0
      sample:
        - method: GET
          path: /campaigns/v1/2c918086719eec070171a7e3355a360a/reports
          status: 200
          reference: null
          server_time: "2026-11-22T08:02:00Z"
          sent: null
          body: [{id: 0371ba86326948e7aab066169491afea, reportType: CAMPAIGN_REMEDIATION_STATUS_REPORT, status: SUCCESS}]
    last_error:
      description: Why the last look brought no answer, where the report is still waited for.
      type: str
      returned: when the last look failed
      version_added: 0.3.0
      sample: "GET /campaigns/v1/2c918086719eec070171a7e3355a360a/reports: HTTP 503."
    error:
      description: What went wrong with this campaign's report.
      type: str
      returned: when the item failed
      sample: the report ended with status ERROR
base_url:
  description: Address of the API that was asked.
  returned: when it was asked
  type: str
  sample: https://acme.api.identitynow.com
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {reports: 200}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/sailpoint_campaign_report.json
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.files import FileProblem, prepare_directory
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Params, Result, Steps
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.task import (
    Task,
    close_ledger,
    named,
    open_ledger,
    pace_of,
    run_module,
    settle,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import api as sailpoint
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_api import NextApi
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.next_report import next_campaign_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.reading import Readings
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report import campaign_report, report_owners

ARGUMENT_SPEC = dict(
    campaign_ids=dict(type="list", elements="str", required=True),
    type=dict(type="str", choices=list(sailpoint.REPORT_TYPES), default=sailpoint.REMEDIATION_STATUS_REPORT),
    newer_than=dict(type="raw"),
    force=dict(type="bool", default=False),
    dest=dict(type="path"),
    format=dict(type="str", choices=["csv", "pdf"], default="csv"),
    wait=dict(type="bool", default=True),
    wait_timeout=dict(type="int", default=1800),
    wait_interval=dict(type="int", default=5),
    ledger=dict(type="path"),
    run_id=dict(type="str"),
    results_file=dict(type="path"),
    **sailpoint.CONNECTION_OPTIONS,
)
# What stays in the task's result beside results_file.
IN_SHORT = dict(reports=("campaign_id", "status", "path"))
# The options that say what is asked for.
ASKS = ("campaign_ids",)


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    newer_than = times_by_campaign(params["newer_than"], params["campaign_ids"])
    api = sailpoint.connect(task, NextApi)
    # An API of next is asked by steps of its own.
    steps: Callable[..., Steps] = next_campaign_report if isinstance(api, NextApi) else campaign_report
    dest = None if task.check_mode else params["dest"]
    if dest:
        try:
            prepare_directory(dest, "the folder for the reports, dest,", "No report was run.")
        except FileProblem as error:
            raise TaskFailed(str(error)) from error
    items: dict[str, Item] = {campaign_id: dict(campaign_id=campaign_id, status=None) for campaign_id in params["campaign_ids"]}

    def say(next_look: float) -> None:
        done = sum(item["status"] == "finished" for item in items.values())
        task.say("reports: %d of %d done, next look in %.0f s%s" % (done, len(items), next_look, pace.silence()))

    ledger = open_ledger(task)
    readings = Readings(api)
    pace = pace_of(task, api.client.limiter)
    owners = report_owners(api, ledger)
    try:
        endings = drive(
            [
                steps(
                    api,
                    ledger,
                    pace,
                    item,
                    params["type"],
                    dest and os.path.join(dest, file_name(campaign_id, params)),
                    file_format=params["format"],
                    newer_than=newer_than.get(campaign_id),
                    force=params["force"],
                    wait=params["wait"],
                    owners=owners,
                    run_id=params["run_id"],
                    readings=readings,
                )
                for campaign_id, item in items.items()
            ],
            params["concurrency"],
            params["wait_timeout"],
            say,
            params["wait_interval"],
            api.client.stop,
            task.check,
            line=pace,
        )
    finally:
        close_ledger(task, ledger)
    return settle(
        list(items.values()),
        endings,
        ["campaign %s" % named(campaign_id) for campaign_id in items],
        "reports",
        "They go on without this task: run it again to wait for them.",
        changed=any(item["changed"] for item in items.values()),
        base_url=api.client.base_url,
        reports=[items[campaign_id] for campaign_id in params["campaign_ids"]],
    )


def times_by_campaign(newer_than: Any, campaign_ids: Iterable[str]) -> Mapping[str, Any]:
    """newer_than as a dict by campaign id. Raises TaskFailed where a time cannot be read."""
    if not newer_than:
        return {}
    times = newer_than if isinstance(newer_than, dict) else dict.fromkeys(campaign_ids, newer_than)
    missing = [campaign_id for campaign_id in campaign_ids if campaign_id not in times]
    if missing:
        # Otherwise a key that was mistyped would let any old report count.
        raise TaskFailed(
            "newer_than has no time for %s: give one for each campaign, or null where any report will do" % ", ".join(missing)
        )
    # Of a mapping, each may be what the API wrote; one that is odd must only fail its own campaign.
    if times is not newer_than and parse_time(newer_than) is None:
        raise TaskFailed("newer_than: %r is not a time, write it like 2026-11-22T08:00:00Z" % (newer_than,))
    return times


def file_name(campaign_id: str, params: Params) -> str:
    """The name of a campaign's file. An id is put into a path, so only harmless characters of it are."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", campaign_id)
    if name != campaign_id:
        # Two ids must not share a file: one campaign would be judged by the report of the other.
        name += "-" + hashlib.sha256(campaign_id.encode("utf-8")).hexdigest()[:12]
    return "%s-%s.%s" % (name, params["type"], params["format"])


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, IN_SHORT, ASKS)


if __name__ == "__main__":
    main()
