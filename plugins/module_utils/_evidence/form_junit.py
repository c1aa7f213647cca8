# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for CI servers: JUnit XML of a verification.

A pure function of the content of verification.json. A text from an API can name no attachment here. Valid against the
schema junit-10.xsd that Jenkins goes by, and GitLab's understanding. Private to the collection.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import one_line, words_of
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    acceptance_in_words,
    by_kind,
    followed_of,
    heard_in_words,
    heard_of,
    problems_of,
    readable,
    word_in_words,
    words_counted,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCOMPLETE,
    INCONCLUSIVE,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
    VERIFIED,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import is_accepted

# What a CI server makes of a case: nothing is a success.
SKIPPED = "skipped"
TAGS = {REMEDIATED: None, UNREMEDIATED: "failure", INCONCLUSIVE: "error", PENDING: SKIPPED}
# The attribute of a suite that counts them.
COUNTED = {"failure": "failures", "error": "errors", SKIPPED: "skipped"}
FAILS = (TAGS[UNREMEDIATED], TAGS[INCONCLUSIVE])

LONGEST_NAME = 200
LONGEST_REASON = 10000
LONGEST_SENTENCE = 600
MOST_WORDS = 100


def junit_xml(verification: dict[str, Any]) -> str:
    """verification.junit.xml: a suite for each kind of target, a case for each target; to be written as UTF-8.

    A target that is unremediated has failed, one that is inconclusive is an error, one that is pending was skipped. So was one
    that is unremediated and accepted, whose message says so.
    Where no case fails though nothing is verified, one more does so as an error, lest a pipeline takes an empty file, or
    one without what was not even found, for success.
    """
    verification = readable(verification)
    targets = verification["targets"]
    suites = [suite_of(verification, kind, mine) for kind, mine in by_kind(targets)]
    tags = [tag_of(target) for target in targets]
    # What is skipped is told by itself, but is no failure.
    not_finished = SKIPPED in tags and (verification.get("verdict") == INCOMPLETE or verification["all_open_accepted"])
    told = not_finished or any(tag in FAILS for tag in tags)
    if not told and (not targets or verification.get("verdict") != VERIFIED):
        suites.append(suite_without_target(verification))
    root = ElementTree.Element("testsuites", name=xml_text("Remediation verification %s" % one_line(verification.get("run"))))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in suites)))
    root.set("time", seconds_between(parse_time(verification["started_at"]), parse_time(verification["finished_at"])))
    root.extend(suites)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n%s\n' % ElementTree.tostring(root, encoding="unicode")


def suite_of(verification: dict[str, Any], kind: Kind, targets: list[Target]) -> ElementTree.Element:
    """The suite of all targets of a Kind."""
    suite = new_suite(verification, kind.several, targets)
    taken: dict[str, int] = {}
    for target in targets:
        suite.append(case_of(target, unique_name(target, taken)))
    return suite


def new_suite(verification: dict[str, Any], name: str, targets: list[Target]) -> ElementTree.Element:
    """A suite with its numbers and properties, still without cases."""
    tags = [tag_of(target) for target in targets]
    hosts = {host_of(target) for target in targets} - {None}
    starts = [target["began"] for target in targets if target["began"]]
    ends = [target["ended"] for target in targets if target["ended"]]
    started = parse_time(verification["started_at"]) or datetime(1970, 1, 1)
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": xml_text(name),
            "tests": str(len(targets)),
            **{attribute: str(tags.count(tag)) for tag, attribute in COUNTED.items()},
            "time": seconds_between(min(starts, default=None), max(ends, default=None)),
            # UTC without saying so: the schemas that CI servers go by have no room for a zone.
            "timestamp": started.replace(tzinfo=None).isoformat(timespec="seconds"),
            "hostname": xml_text(hosts.pop()) if len(hosts) == 1 else "localhost",
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    values = {key: verification.get(key) for key in ("run", "verdict", "summary", "started_at", "finished_at", "schema_version")}
    for key, value in dict(values, replay=followed_of(verification)).items():
        if key != "replay" or value:
            ElementTree.SubElement(properties, "property", name=key, value=xml_text(value))
    return suite


def suite_without_target(verification: dict[str, Any]) -> ElementTree.Element:
    """The suite that says that nothing was verified, where no target does."""
    suite = new_suite(verification, "Verification", [])
    suite.set("tests", "1")
    suite.set("errors", "1")
    case = ElementTree.SubElement(suite, "testcase", name="targets", classname="secops.remediation", time="0.000")
    sentences = [words_of(verification.get("summary")) or "Not verified."]
    sentences += ["%s: %s" % problem for problem in problems_of(verification)]
    ElementTree.SubElement(case, "error", message=xml_text(sentences[0], LONGEST_SENTENCE), type="nothing").text = xml_text(
        sentences, LONGEST_REASON
    )
    return suite


def case_of(target: Target, name: str) -> ElementTree.Element:
    """The case of a target."""
    case = ElementTree.Element(
        "testcase",
        {
            "name": name,
            "classname": "secops.remediation.%s" % xml_text(target["kind"] or "unnamed", LONGEST_NAME),
            "time": seconds_between(target["began"], target["ended"]),
        },
    )
    tag = tag_of(target)
    reason = xml_text(target["reason"], LONGEST_REASON)
    if tag:
        accepted = "%s, %s: " % (target["outcome"], acceptance_in_words(target["accepted"])) if target["accepted"] else ""
        result = ElementTree.SubElement(case, tag, message=xml_text(accepted + target["reason"], LONGEST_SENTENCE))
        if tag != SKIPPED:
            result.set("type", target["outcome"])
        result.text = xml_text(accepted + target["reason"], LONGEST_REASON)
    lines = ["%s: %s" % (target["outcome"], reason)]
    lines += [
        "%s: %s" % (label, xml_text(target[key], LONGEST_REASON))
        for label, key in (
            ("id", "id"),
            ("first seen open", "open_since"),
            ("first not verified", "not_verified_since"),
            ("scan", "scan_id"),
            ("system", "system"),
            ("owner", "owner"),
        )
        if target[key]
    ]
    lines += [xml_text(heard_in_words(heard), LONGEST_REASON) for heard in heard_of(target) if heard.name]
    words = words_counted(target)
    lines += [xml_text("word: %s" % word_in_words(entry)) for entry in words[:MOST_WORDS]]
    if len(words) > MOST_WORDS:
        lines.append("%d more words are in verification.json" % (len(words) - MOST_WORDS))
    lines += [xml_text(request_line(request)) for request in target["requests"]]
    lines += [xml_text("evidence: %s (SHA-256 %s)" % (file["path"], file["sha256"])) for file in target["evidence"]]
    ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    return case


def tag_of(target: Target) -> str | None:
    """What a CI server makes of the case of a target: nothing of one that is remediated, and none but that."""
    return SKIPPED if is_accepted(target) else TAGS[target["outcome"]]


def unique_name(target: Target, taken: dict[str, int]) -> str:
    """A name that no other case of the suite has, and that is the same from run to run."""
    name, target_id = xml_text(target["name"], LONGEST_NAME), xml_text(target["id"], LONGEST_NAME)
    base = unique = "%s (%s)" % (name, target_id) if name and name != target_id else target_id or "(no id)"
    while unique in taken:
        taken[base] += 1
        unique = "%s #%d" % (base, taken[base])
    taken[unique] = 1
    return unique


def xml_text(value: Any, longest: int | None = None) -> str:
    """A text for the XML file.

    GitLab and Jenkins look for [[ATTACHMENT|path]] in the output of a case and take the file that is named there, so no
    text from outside may have two brackets in a row.
    """
    return re.sub(r"\[(?=\[)", "[ ", one_line(value, longest))


def request_line(request: dict[str, Any]) -> str:
    """A request in words."""
    parts = ["%s %s: HTTP %s" % tuple(words_of(request.get(key)) or "?" for key in ("method", "path", "status"))]
    return ", ".join(parts + [words_of(request[key]) for key in ("reference", "server_time") if request.get(key)])


def host_of(target: Target) -> str | None:
    """The host of the system that a target is of, or None."""
    try:
        return urlsplit(words_of(target["system"])).hostname
    except ValueError:
        return None


def seconds_between(start: datetime | None, end: datetime | None) -> str:
    """The time from one datetime to the other as JUnit has it."""
    return "%.3f" % (max((end - start).total_seconds(), 0) if start and end else 0)
