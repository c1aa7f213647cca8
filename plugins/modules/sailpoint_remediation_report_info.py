#!/usr/bin/python
# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: sailpoint_remediation_report_info
short_description: Read remediation status reports of SailPoint certification campaigns
version_added: 0.1.0
description:
  - Reads the CSV files of C(CAMPAIGN_REMEDIATION_STATUS_REPORT), which have one row for each item that was revoked, and
    counts the items that are remediated, that are still open, and whose state is not understood.
  - The names of the columns and the words for a state differ between tenants. What is not known for certain is counted
    as unknown and named in the RV(reports[].reason), and a report with an unknown item is never called remediated.
  - An item is remediated only if no other column that looks like its state says something else, whether the column of
    the states was found or named. A column of the item called for example C(Item Status), C(Completed), C(Access Revoked),
    C(Remediation Pending), C(Still Has Access), C(Remediation Error), or C(Remediation Date) is such a witness, one of a
    person, an account, a campaign, or an address is none, except for an error. If it says in a known word that the item
    is open, for example C(No) in C(Access Revoked) or C(Yes) in C(Still Has Access), the item is open. If its word is not
    known, or is missing where other remediated items have one, the state is unknown, and the RV(reports[].reason) names
    both columns and a line. A date has to be a whole one, and an error none.
  - A column without a name is a witness, too, of which only the words of states are known.
  - A cell that is C(Not Remediated), C(Unremediated), C(Partially Remediated), or C(Pending Remediation) makes an item
    open in whatever column it is.
  - A file that is damaged, cut off, empty, or no CSV file at all is V(inconclusive).
  - Files may be in UTF-8, or in UTF-16 with a byte order mark. Their cells are separated by commas, semicolons, tabs,
    or vertical bars, whichever the header has most of, or what a first line like C(sep=;) says.
  - Empty cells at the end of the header or of every row are left out.
  - A line of a title before a header with the column of the states, for example C(Campaign report) or C(Campaign; Name),
    and one at the end of the file, for example C(Total; 12), C(Generated on 2026-03-02), or C(End of report), is no item
    if every word of it is understood. Such lines are named in the RV(reports[].reason), and a total has to be that of the
    rows. With any other line before the header, for example C(Partial export) or C(Page 1 of 2), a report is never
    called remediated, and the RV(reports[].reason) names the line. Any other line after it is an item in an unknown state.
  - Files are read as a stream, so the size of a report hardly matters.
author:
  - Contributors to secops.remediation (@secops)
options:
  paths:
    description:
      - The files, for example those that M(secops.remediation.sailpoint_campaign_report) downloaded. One that is given
        twice is read once and answered twice.
    type: list
    elements: path
    required: true
  status_column:
    description:
      - Name of the column that holds the state of an item. Case, spaces, and punctuation do not matter, unless two
        columns differ in nothing else.
      - Without it, the column is one called C(Remediation Status), C(Remediation State), C(Item Remediation Status), or
        C(Item Remediation State), with words, or C(Remediated), C(Is Remediated), or C(Item Remediated), with yes or
        no. If several of these are there, the report is V(inconclusive).
      - If none of them is there, a column called C(Status), C(State), C(Item Status), C(Item State), C(Current Status),
        or C(Current State) is taken, but only where no other column has C(Status) or C(Remediat) anywhere, or C(State)
        at the end, of its name.
    type: str
  remediated_values:
    description:
      - Words that say that an item is remediated. Case, and spaces around a word, do not matter.
      - Without it, C(Remediated) and C(Fully Remediated), and in a column that holds yes or no also C(Yes), C(True),
        and C(Y). If it is given, it replaces these.
      - An empty cell is never understood, so an empty value has no effect.
      - Quote V(yes) and V(no), which are not words but booleans in YAML.
    type: list
    elements: str
  open_values:
    description:
      - Words that say that an item is still open.
      - Without it, C(Open), C(Not Remediated), C(Unremediated), C(Partially Remediated), C(Pending),
        C(Pending Remediation), C(Remediation Pending), and C(In Progress), and in a column that holds yes or no also
        C(No), C(False), and C(N). If it is given, it replaces these.
      - No value may be both in O(remediated_values) and in O(open_values). A value that is in one of them no longer
        counts among the usual words of the other.
    type: list
    elements: str
  max_open_items:
    description:
      - How many open items of each report are returned. They are counted in any case.
    type: int
    default: 100
extends_documentation_fragment:
  - secops.remediation.attributes
  - secops.remediation.results_file
  - secops.remediation.attributes.info
notes:
  - Files are read where the module runs, which is the controller when the connection is local.
  - What is in a file is data. No formula, markup, or template in it is evaluated.
seealso:
  - module: secops.remediation.sailpoint_campaign_report
"""

EXAMPLES = r"""
- name: Read the reports that were downloaded
  secops.remediation.sailpoint_remediation_report_info:
    paths: "{{ downloaded.reports | map(attribute='path') | list }}"
  register: found

- name: Say what is still open
  ansible.builtin.debug:
    msg: "{{ found.reports | map(attribute='open_items') | flatten }}"

- name: Read a report in the tenant's own words
  secops.remediation.sailpoint_remediation_report_info:
    paths:
      - /var/lib/remediation/reports/hamburg.csv
    status_column: Bearbeitungsstand
    remediated_values:
      - Vollzogen
    open_values:
      - Schwebend
      - In Arbeit
"""

RETURN = r"""
module:
  version_added: 0.4.0
  description:
    - The name of this module. By it O(secops.remediation.remediation_evidence#module:results) knows the result.
  returned: always
  type: str
  sample: sailpoint_remediation_report_info
asked:
  version_added: 0.4.0
  description:
    - By the options that say what is asked for, how many things that were, or the text.
  returned: always
  type: dict
  sample: {paths: 1}
reports:
  description: What each file says, in the order of O(paths).
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The file.
      type: str
      sample: /var/lib/remediation/reports/hamburg.csv
    outcome:
      description:
        - V(unremediated) if an item is still open.
        - V(inconclusive) if none is, but the state of one is unknown, or the file cannot be relied on.
        - V(remediated) if every item is. A report without rows is V(remediated), too, because nothing was revoked, if
          its header has the status column.
      type: str
      sample: unremediated
    reason:
      description: Why, in words, and what to set where something was not understood.
      type: str
      sample: 1 of 3 items still open
    items_total:
      description: Number of items. Like the other numbers, V(null) if the file could not be read to its end.
      type: int
      sample: 3
    items_remediated:
      description: Number of items that are remediated.
      type: int
      sample: 2
    items_open:
      description: Number of items that are still open.
      type: int
      sample: 1
    items_unknown:
      description:
        - Number of items whose state is not understood. A row with more or fewer cells than the header is one of them.
      type: int
      sample: 0
    open_items:
      description: The rows of open items, by column, the first O(max_open_items) of them.
      type: list
      elements: dict
      sample:
        - Identity: Aiko Tanaka
          Source: Yard Management
          Access: YARD_GATE_OVERRIDE
          Remediation Status: Open
    columns:
      description:
        - The columns. One that has no name, or shares it with another, is called by its position too, for example
          C(Status (column 3)). O(status_column) takes these names as well.
      type: list
      elements: str
      sample: [Identity, Source, Access, Remediation Status]
    status_column:
      description: The column that the states were read from. V(null) if there was none, or the file could not be read.
      type: str
      sample: Remediation Status
    words:
      description:
        - The words that counted, the most frequent first, 1000 unknown ones at most. Words that differ in case, or in
          spaces around them, are one, in the first spelling that the file has.
      type: list
      elements: dict
      contains:
        word:
          description: The word; empty for an empty cell.
          type: str
        count:
          description: How many items have it.
          type: int
        meaning:
          description: What it was taken to mean, V(remediated), V(open), or V(unknown).
          type: str
        source:
          description:
            - V(configured) if it means that because O(remediated_values) or O(open_values) says so, which is the user's
              statement, and V(built_in) otherwise.
          type: str
        column:
          description: The column that has it, if that is not RV(reports[].status_column) but another that looks like a state.
          type: str
          returned: for the words of other columns
      sample:
        - count: 2
          meaning: remediated
          source: built_in
          word: Remediated
        - count: 1
          meaning: open
          source: configured
          word: Schwebend
    words_left_out:
      description: How many items have words that are not in RV(reports[].words).
      type: int
      sample: 0
    campaign_ids:
      description:
        - The different values, 5 at most, of a column called C(Campaign ID), and the ids in one called C(Campaign) or in a
          title; empty without one.
      type: list
      elements: str
      sample: [2c9180835d191a86015d28455b4a2329]
    campaign_names:
      description: The same of a column called C(Campaign Name), and of what is no id in one called C(Campaign) or in a title.
      type: list
      elements: str
      sample: [Hamburg access review]
    error:
      description: Why the file could not be read.
      type: str
      returned: when the item failed
      sample: cannot be read, No such file or directory
settings:
  description: What the files were read with, so that they can be read again in the same way.
  returned: always
  type: dict
  contains:
    status_column:
      description: O(status_column), V(null) without it.
      type: str
    remediated_values:
      description: O(remediated_values), empty without it.
      type: list
      elements: str
    open_values:
      description: O(open_values), empty without it.
      type: list
      elements: str
    max_open_items:
      description: O(max_open_items).
      type: int
  sample: {status_column: null, remediated_values: [Vollzogen], open_values: [], max_open_items: 100}
counts:
  description: How long the lists are that O(results_file) holds.
  returned: with O(results_file)
  type: dict
  sample: {reports: 200}
results_file:
  description: The file that holds the whole result.
  returned: with O(results_file)
  type: str
  sample: /var/lib/remediation/records/sailpoint_remediation_report_info.json
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, named, run_module, settle
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_file import (
    Vocabulary,
    read_report,
    unread,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import WITHOUT_ANSWER

ARGUMENT_SPEC = dict(
    paths=dict(type="list", elements="path", required=True),
    status_column=dict(type="str"),
    remediated_values=dict(type="list", elements="str"),
    open_values=dict(type="list", elements="str"),
    max_open_items=dict(type="int", default=100),
    results_file=dict(type="path"),
)
# The options that say what is asked for.
ASKS = ("paths",)


def run(task: Task) -> Result:
    """The module's work."""
    params = task.params
    if params["max_open_items"] < 0:
        raise TaskFailed("max_open_items: %d is less than 0" % params["max_open_items"])
    try:
        vocabulary = Vocabulary(params["remediated_values"], params["open_values"])
    except ValueError as error:
        raise TaskFailed(str(error)) from error
    status_column = (params["status_column"] or "").strip() or None
    items: dict[str, Item] = {path: dict(path=path) for path in params["paths"]}
    endings: list[Exception | None] = []
    for path, item in items.items():
        try:
            item.update(read_report(path, vocabulary, status_column, params["max_open_items"]))
            endings.append(None)
        except (OSError, ValueError) as error:
            failure = ItemFailed("cannot be read, %s" % (getattr(error, "strerror", None) or error))
            item.update(unread(), reason="the file %s" % failure)
            endings.append(failure)
        except Exception as error:  # pylint: disable=broad-exception-caught
            # One file must not cost the others their answers.
            item.update(unread(), reason="the file cannot be read, %s: %s" % (type(error).__name__, error))
            endings.append(error)
    return settle(
        list(items.values()),
        endings,
        list(map(named, items)),
        "reports",
        "",
        WITHOUT_ANSWER,
        changed=False,
        reports=[items[path] for path in params["paths"]],
        settings=dict(
            status_column=status_column,
            remediated_values=params["remediated_values"] or [],
            open_values=params["open_values"] or [],
            max_open_items=params["max_open_items"],
        ),
    )


def main() -> None:
    """Runs as a module."""
    run_module(AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True), run, asks=ASKS)


if __name__ == "__main__":
    main()
