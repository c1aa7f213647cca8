# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for spreadsheets, CI servers and tickets: CSV, JUnit XML and Markdown of a verification.

Pure functions of the content of verification.json. Names, reasons and ids come from APIs, where anybody may have typed
them: here they can become neither a formula nor markup, an attachment, a link, a mention or a reference. What has to be
changed for that is changed in these files only; verification.json has the texts as they are. Private to the collection.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit
from xml.etree import ElementTree

NEEDS_ACTION = ("unremediated", "inconclusive", "pending")
KINDS = {"campaign": "SailPoint certification campaigns", "exposure": "Cortex Xpanse exposures"}
VERDICTS = {"verified": "verified", "not_verified": "not verified", "incomplete": "incomplete"}
COUNTS = {"remediated": "Remediated", "unremediated": "Still open", "inconclusive": "Without an answer",
          "pending": "Not finished", "total": "Total"}

# Neither XML 1.0 nor a terminal takes the control characters, no encoding has half of a surrogate pair, and the
# directional ones can make a text read otherwise than it is.
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?"
                  r"(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?\Z")

# A spreadsheet holds 32,767 characters in a cell and damages what is longer.
LONGEST_CELL = 32000
# What starts a formula, also in the widths and the raised and lowered forms that a spreadsheet may read as the same.
FORMULA_SIGNS = ("=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u208c\u207a\u208a\u207b\u208b\u2212\ufb29\u2a75"
                 "\u2a76")
# Spaces, quotation marks and what cannot be seen: a program may leave them out before a formula.
BEFORE_A_FORMULA = ("\\s\"'`\u2018-\u201f\u2039\u203a\u00ab\u00bb\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u206f\ufe00-\ufe0f"
                    "\ufeff\U000e0000-\U000e0fff")
# A program that reads another dialect of CSV takes one of these for the end of a cell.
FORMULA = re.compile("(^|[,;|])(?=[%s]*[%s])" % (BEFORE_A_FORMULA, FORMULA_SIGNS))
COLUMNS = ("run", "kind", "id", "name", "outcome", "reason", "open_since", "system", "scan_id", "started_at",
           "finished_at", "campaign_status", "campaign_deadline", "items_total", "items_remediated", "items_open",
           "items_unknown", "severity", "case_id", "ip_addresses", "domain_names", "port_protocol",
           "attack_surface_rule", "business_units", "evidence", "evidence_sha256")

LONGEST_NAME = 200
LONGEST_REASON = 10000
LONGEST_SENTENCE = 600
# GitHub takes 65,536 characters, Jira half of that.
LONGEST_MARKDOWN = 30000
MOST_OPEN_ITEMS = 3
WHO = ("Identity", "Identity Name", "Identity Display Name", "Name")
WHERE = ("Account", "Account Name", "Native Identity")
WHAT = ("Access", "Access Name", "Entitlement", "Role", "Access Profile")
SOURCE = ("Source", "Source Name", "Application")
# Words and small numbers, with punctuation only where a word ends. No renderer makes anything of such a text; numbers
# and words that look like the id of a commit are left to code(), as anything else is.
PLAIN_WORD = r"\(?(?:[^\W\d_]+(?:'[^\W\d_]+|[0-9]{1,3})?|[0-9]{1,6})\)?[.,:;]?"
PLAIN = re.compile("%s(?: %s)*" % (PLAIN_WORD, PLAIN_WORD))
COMMIT = re.compile(r"(?<!\w)[0-9a-fA-F]{7,64}(?!\w)")


# --- texts and times, for all formats ---

def one_line(value, longest=None):
    """A value as text in one line, without characters that a format cannot hold."""
    text = UNFIT.sub("\ufffd", " ".join(words_of(value).split()))
    return text if longest is None or len(text) <= longest else text[:longest - 1] + "\u2026"


def words_of(value, levels=10):
    """What there is to read in a value of JSON: of a list all of it, of an object its name."""
    if value is None:
        return ""
    if not isinstance(value, (dict, list, tuple)):
        return str(value)
    if not levels:
        return "\u2026"
    if isinstance(value, dict):
        value = [value["name"]] if value.get("name") else value.values()
    return ", ".join(text for text in (words_of(part, levels - 1) for part in value) if text)


def time_of(value):
    """A time as a datetime in UTC, or None where the value is no time. Without a zone it is taken for UTC."""
    match = TIME.match(value) if isinstance(value, str) else None
    if not match:
        return None
    day, clock, fraction, sign, hours, minutes = match.groups()
    try:
        time = datetime.fromisoformat("%sT%s%s" % (day, clock, ((fraction or ".") + "000000")[:7]))
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
        return (time + offset if sign == "-" else time - offset).replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None


def dict_at(target, key):
    """The object at a key, {} where there is none."""
    value = target.get(key)
    return value if isinstance(value, dict) else {}


# --- CSV ---

def csv_text(verification):
    """verification.csv: a header and one row for each target, as RFC 4180 has it; to be written as UTF-8.

    A cell that a spreadsheet could take for a formula gets an apostrophe in front, which the spreadsheet shows: a cell
    that starts with one of = + - @ or one of their other forms, also after spaces, quotation marks and what cannot be
    seen. So does the rest of a cell after a comma, a semicolon or a bar, as it would be a cell of its own to a program
    that splits there. Line ends and tabs become spaces.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for target in verification["targets"]:
        row = row_of(target)
        row["run"] = verification.get("run")
        writer.writerow([cell(row.get(column)) for column in COLUMNS])
    return stream.getvalue()


def cell(value):
    """A value as the text of a cell that no spreadsheet computes."""
    return FORMULA.sub(r"\1'", one_line(value, LONGEST_CELL))


def row_of(target):
    """The cells of a target by column."""
    campaign, alert = dict_at(target, "campaign"), dict_at(target, "alert")
    evidence = target.get("evidence") or ()
    row = {column: target.get(column) for column in COLUMNS}
    row.update({name: number for name, number in dict_at(target, "items").items() if name in COLUMNS})
    row.update(
        campaign_status=campaign.get("status"), campaign_deadline=campaign.get("deadline"),
        severity=alert.get("severity"), case_id=alert.get("case_id"), ip_addresses=alert.get("ipv4_addresses"),
        domain_names=alert.get("domain_names"), port_protocol=alert.get("port_protocol"),
        attack_surface_rule=alert.get("attack_surface_rule_name") or target.get("attack_surface_rule_id"),
        business_units=alert.get("business_unit_hierarchies"),
        evidence="; ".join(file["path"] for file in evidence),
        evidence_sha256="; ".join(file["sha256"] for file in evidence))
    return row


# --- JUnit XML ---

def junit_xml(verification):
    """verification.junit.xml: a suite for each kind of target, a case for each target; to be written as UTF-8.

    A target that is unremediated has failed, one that is inconclusive is an error, one that is pending was skipped.
    Where there was nothing to verify, one case says so as an error, lest a pipeline takes an empty file for success.
    """
    targets = verification["targets"]
    by_kind = [(kind, [target for target in targets if target["kind"] == kind]) for kind in KINDS]
    suites = [suite_of(verification, kind, members) for kind, members in by_kind if members]
    if not suites:
        suites = [empty_suite(verification)]
    root = ElementTree.Element("testsuites", name=xml_text("Remediation verification %s" % verification.get("run")))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name)) for suite in suites)))
    root.set("time", seconds_between(verification.get("started_at"), verification.get("finished_at")))
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n%s\n' % ElementTree.tostring(root, encoding="unicode")


def suite_of(verification, kind, targets):
    """The suite of all targets of a kind."""
    suite = new_suite(verification, KINDS[kind], targets)
    taken = {}
    for target in targets:
        suite.append(case_of(target, unique_name(target, taken)))
    return suite


def new_suite(verification, name, targets):
    """A suite with its numbers and properties, still without cases."""
    outcomes = [target["outcome"] for target in targets]
    started = time_of(verification.get("started_at"))
    hosts = {host_of(target) for target in targets} - {None}
    starts = [time for time in (time_of(target.get("started_at")) for target in targets) if time]
    ends = [time for time in (time_of(target.get("finished_at")) for target in targets) if time]
    suite = ElementTree.Element("testsuite", {
        "name": name, "tests": str(len(targets)), "failures": str(outcomes.count("unremediated")),
        "errors": str(outcomes.count("inconclusive")), "skipped": str(outcomes.count("pending")),
        "time": "%.3f" % max((max(ends) - min(starts)).total_seconds() if starts and ends else 0, 0),
        # UTC without saying so: the schema that Jenkins and others go by has no room for a zone.
        "timestamp": (started or datetime(1970, 1, 1)).strftime("%Y-%m-%dT%H:%M:%S"),
        "hostname": xml_text(hosts.pop()) if len(hosts) == 1 else "localhost"})
    properties = ElementTree.SubElement(suite, "properties")
    for key in ("run", "verdict", "summary", "started_at", "finished_at", "schema_version"):
        ElementTree.SubElement(properties, "property", name=key, value=xml_text(verification.get(key)))
    return suite


def empty_suite(verification):
    """The suite that says that there was nothing to verify."""
    suite = new_suite(verification, "Verification", [])
    suite.set("tests", "1")
    suite.set("errors", "1")
    case = ElementTree.SubElement(suite, "testcase", name="targets", classname="secops.remediation", time="0.000")
    words = xml_text(verification.get("summary"))
    ElementTree.SubElement(case, "error", message=words, type="nothing").text = words
    return suite


def case_of(target, name):
    """The case of a target."""
    case = ElementTree.Element("testcase", {
        "name": name, "classname": "secops.remediation.%s" % target["kind"],
        "time": seconds_between(target.get("started_at"), target.get("finished_at"))})
    tag = {"unremediated": "failure", "inconclusive": "error", "pending": "skipped"}.get(target["outcome"])
    reason = xml_text(target.get("reason"), LONGEST_REASON)
    if tag:
        result = ElementTree.SubElement(case, tag, message=xml_text(target.get("reason"), LONGEST_SENTENCE))
        if tag != "skipped":
            result.set("type", target["outcome"])
        result.text = reason
    lines = ["%s: %s" % (target["outcome"], reason)]
    lines += ["%s: %s" % (label, xml_text(target[key])) for label, key in (
        ("id", "id"), ("open since", "open_since"), ("scan", "scan_id"), ("system", "system")) if target.get(key)]
    lines += [xml_text(request_line(request)) for request in target.get("requests") or ()]
    lines += [xml_text("evidence: %s (SHA-256 %s)" % (file["path"], file["sha256"])) for file in
              target.get("evidence") or ()]
    ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    return case


def unique_name(target, taken):
    """A name that no other case of the suite has, and that is the same from run to run."""
    name, target_id = xml_text(target.get("name"), LONGEST_NAME), xml_text(target.get("id"), LONGEST_NAME)
    base = unique = "%s (%s)" % (name, target_id) if name and name != target_id else target_id or "(no id)"
    while unique in taken:
        taken[base] += 1
        unique = "%s #%d" % (base, taken[base])
    taken[unique] = 1
    return unique


def xml_text(value, longest=None):
    """A text for the XML file.

    GitLab and Jenkins look for [[ATTACHMENT|path]] in the output of a case and take the file that is named there, so no
    text from outside may have two brackets in a row.
    """
    return re.sub(r"\[(?=\[)", "[ ", one_line(value, longest))


def request_line(request):
    """A request in words."""
    parts = ["%s %s: HTTP %s" % (request.get("method"), request.get("path"), request.get("status"))]
    return ", ".join(parts + [words_of(request[key]) for key in ("reference", "server_time") if request.get(key)])


def host_of(target):
    """The host of the system that a target is of, or None."""
    try:
        return urlsplit(target.get("system") or "").hostname
    except ValueError:
        return None


def seconds_between(start, end):
    """The time from one to the other as JUnit has it."""
    start, end = time_of(start), time_of(end)
    return "%.3f" % (max((end - start).total_seconds(), 0) if start and end else 0)


# --- Markdown ---

def markdown(verification, most=50):
    """verification.md: the verdict, the counts and what needs action, for a ticket or a pull request.

    most: how many targets are listed at most; fewer where they would make the text longer than a ticket may be.
    A text from an API is either made of plain words only or stands in a code span, in which no renderer looks for
    markup, HTML, links, mentions and references to issues.
    """
    counts = verification["counts"]
    lines = ["## Remediation verification: %s" % VERDICTS.get(verification["verdict"], "unknown"), "",
             safe(verification.get("summary")), "",
             "| %s |" % " | ".join(COUNTS.values()), "|%s" % (" ---: |" * len(COUNTS)),
             "| %s |" % " | ".join("%d" % (counts.get(name) or 0) for name in COUNTS)]
    action = [target for outcome in NEEDS_ACTION for target in sorted(
        (target for target in verification["targets"] if target["outcome"] == outcome), key=age_of)]
    listed, size, heading = 0, sum(map(len, lines)), None
    for target in action[:max(most, 0)]:
        block = entry_of(target)
        if target["outcome"] != heading:
            block = ["", "### %s: %d" % (COUNTS[target["outcome"]], counts.get(target["outcome"]) or 0), ""] + block
        size += sum(len(line) + 1 for line in block)
        if size > LONGEST_MARKDOWN:
            break
        lines += block
        listed, heading = listed + 1, target["outcome"]
    run = safe(verification.get("run"))
    if len(action) > listed:
        lines += ["", "%d more %s action: see verification.json in the evidence of run %s." % (
            len(action) - listed, "needs" if len(action) - listed == 1 else "need", run)]
    lines += ["", "Run %s, from %s to %s. The full record is verification.json in the evidence of this run." % (
        run, safe(verification.get("started_at")), safe(verification.get("finished_at")))]
    return "\n".join(lines) + "\n"


def age_of(target):
    """For sorting: what has been open for longest first."""
    return one_line(target.get("open_since")) or "9999", target["kind"]


def entry_of(target):
    """The lines of the list about a target."""
    name, target_id = one_line(target.get("name"), LONGEST_NAME), one_line(target.get("id"), LONGEST_NAME)
    parts = ["- **%s** %s" % (target["kind"].capitalize(), safe(name or target_id))]
    if name and name != target_id:
        parts.append(" (%s)" % code(target_id))
    parts.append(": %s." % safe(one_line(target.get("reason"), LONGEST_SENTENCE)).rstrip("."))
    where = where_of(dict_at(target, "alert"))
    if where:
        parts.append(" %s." % where)
    opened = time_of(target.get("open_since"))
    if opened:
        parts.append(" Open since %s." % opened.date().isoformat())
    lines = ["".join(parts)]
    items = dict_at(target, "items")
    rows = [row for row in items.get("open_items") or () if isinstance(row, dict)]
    lines += ["  - %s" % item_of(row) for row in rows[:MOST_OPEN_ITEMS]]
    number = items.get("items_open")
    more = max(number if isinstance(number, int) else 0, len(rows)) - min(len(rows), MOST_OPEN_ITEMS)
    if more > 0 and rows:
        lines.append("  - and %d more" % more)
    return lines


def where_of(alert):
    """Where an exposure is, and how bad."""
    places = [code(one_line(alert.get(key), LONGEST_NAME)) for key in ("ipv4_addresses", "domain_names") if
              one_line(alert.get(key))]
    parts = ["At %s" % ", ".join(places)] if places else []
    parts += ["%s %s" % (label, safe(one_line(alert.get(key), LONGEST_NAME))) for label, key in (
        ("severity", "severity"), ("case", "case_id"), ("business units", "business_unit_hierarchies")) if
        one_line(alert.get(key))]
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def item_of(row):
    """An open item in words: who, what and where, or the first columns where none of the names is known."""
    known = [next((name for name in names if one_line(row.get(name))), None) for names in (WHO, WHAT, SOURCE, WHERE)]
    names = [name for name in known if name] or list(row)[:4]
    return ", ".join("%s %s" % (safe(one_line(name, LONGEST_NAME)), code(one_line(row[name], LONGEST_NAME))) for
                     name in names) or "an item without a value"


def safe(value):
    """A text as Markdown that shows exactly this text."""
    text = one_line(value)
    return text if PLAIN.fullmatch(text) and not COMMIT.search(text) else code(text)


def code(value):
    """A text as a code span."""
    text = one_line(value)
    if not text:
        return "(none)"
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return "".join((fence, space, text, space, fence))


def open_items_csv(verification):
    """Stands in for the CSV of open items until that is there."""
    return "run\n" if verification else ""
