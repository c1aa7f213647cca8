# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for code scanning: SARIF 2.1.0 of a verification.

A result for each target that is not remediated, whatever the reason, and for each of its items that is still open; none only
where the verdict is verified. All of them are of the kind `fail`: SARIF has others for what is not known, and dashboards leave
those out. Private to the collection.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject, Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, one_line
from ansible_collections.secops.remediation.plugins.module_utils._common.times import as_text, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    acceptance_in_words,
    followed_of,
    heard_of,
    is_known,
    kind_of,
    problems_of,
    readable,
    value_of,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    IN_WORDS,
    INCONCLUSIVE,
    NEEDS_ACTION,
    PENDING,
    UNREMEDIATED,
    VERIFIED,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.owners import is_accepted

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
PROJECT = "https://github.com/secops/remediation"
DOCUMENTATION = PROJECT + "/blob/main/docs/verification.md"
RECORD = "verification.json"
# What a dashboard makes of it. Only `error` stops a pull request where nobody has configured anything.
LEVELS = {UNREMEDIATED: "error", INCONCLUSIVE: "error", PENDING: "warning"}
# Of one that an owner accepted until a date that is not over: it is there, and stops nobody.
ACCEPTED = "note"
ADVICE = {
    UNREMEDIATED: "Have it remediated, then run the verification again.",
    INCONCLUSIVE: "Nobody knows whether it is remediated. The message says why; mend that, then run the verification again.",
    PENDING: "A later run picks it up. Until then it is not verified.",
}
LOOK_UP, RECORDS, NOTHING = "look-up/problem", "verification/does-not-follow", "verification/not-verified"
GENERAL = {
    LOOK_UP: "A look-up has a problem",
    RECORDS: "Not all outcomes follow from the answers on record",
    NOTHING: "Nothing is verified",
}
LONGEST_TEXT = 5000
LONGEST_VALUE = 500
LONGEST_ID = 200


def sarif(verification: dict[str, Any]) -> JsonObject:
    """The content of verification.sarif, as a dict. verification: the content of verification.json."""
    content = readable(verification)
    log = Log()
    for target in content["targets"]:
        if target["outcome"] in NEEDS_ACTION:
            log.add_target(target)
    for asked, problem in problems_of(content):
        log.add_general(LOOK_UP, "%s: %s" % (asked, problem), asked)
    replay = dict_at(content, "replay")
    if replay.get("followed") != replay.get("total"):
        log.add_general(RECORDS, followed_of(content), "")
    if not log.results and content.get("verdict") != VERIFIED or not content["targets"]:
        log.add_general(NOTHING, one_line(content.get("summary")) or "Not verified.", "")
    return {"$schema": SCHEMA, "version": VERSION, "runs": [run_of(content, log)]}


class Log:
    """The results while they are made, and the rules that they are of."""

    def __init__(self) -> None:
        """Begins with none."""
        self.results: list[JsonObject] = []
        self.rules: dict[str, JsonObject] = {}
        self._taken: dict[str, int] = {}

    def add_target(self, target: Target) -> None:
        """Adds the results of a target that is not remediated: its own, and one for each open item."""
        kind = kind_of(target)
        name = rule_id(kind, target)
        text = "%s %s: %s%s: %s" % (
            kind.noun[:1].upper() + kind.noun[1:],
            one_line(target["name"] or target["id"], LONGEST_ID) or "without a name",
            IN_WORDS[target["outcome"]],
            ", %s" % acceptance_in_words(target["accepted"]) if target["accepted"] else "",
            target["reason"],
        )
        self._rule("%s/%s" % (name, target["outcome"]), kind, target["outcome"])
        self._add("%s/%s" % (name, target["outcome"]), text, LEVELS[target["outcome"]], [name, target["id"]], target)
        for heard in heard_of(target):
            for item in heard.open_items:
                self._rule("%s/item" % name, kind, UNREMEDIATED)
                told = {column: value_of(item, names) for column, names in kind.item_names.items()}
                told = {column: value for column, value in told.items() if value}
                seen = ", ".join("%s: %s" % pair for pair in told.items()) or json.dumps(item, default=str)
                text = "%s: still open: %s" % (one_line(target["name"] or target["id"], LONGEST_ID), seen)
                # Of an item, what it is called is the same from run to run; in other columns there may be moments.
                self._add("%s/item" % name, text, "error", [name, target["id"], heard.name, seen], target, heard.name)

    def add_general(self, rule: str, text: str, about: str) -> None:
        """Adds a result that is of no target."""
        words = GENERAL[rule]
        self.rules[rule] = described(rule, words, "%s, so the verification as a whole is not verified." % words, "error", NOTHING)
        self._add(rule, text, "error", [rule, about], None)

    def _rule(self, rule: str, kind: Kind, outcome: str) -> None:
        """Adds a rule if it is not there."""
        if rule not in self.rules:
            words = {
                UNREMEDIATED: kind.risk,
                INCONCLUSIVE: "Nobody knows of a %s whether it is remediated" % kind.noun,
                PENDING: "The verification of a %s is not finished" % kind.noun,
            }[outcome]
            more = kind.statement if outcome == UNREMEDIATED else "%s. %s" % (words, ADVICE[outcome])
            self.rules[rule] = described(rule, words, more, LEVELS[outcome], outcome)

    def _add(self, rule: str, text: str, level: str, identity: list[Any], target: Target | None, witness: str = "") -> None:
        """Adds a result. identity: what it is about, the same from run to run."""
        digest = hashlib.sha256(json.dumps([one_line(part) for part in identity]).encode("utf-8")).hexdigest()
        self._taken[digest] = number = self._taken.get(digest, 0) + 1
        unique = digest if number == 1 else "%s-%d" % (digest, number)
        place: JsonObject = {"physicalLocation": {"artifactLocation": {"uri": RECORD}, "region": {"startLine": 1}}}
        result: JsonObject = {
            "ruleId": rule,
            "ruleIndex": list(self.rules).index(rule),
            "kind": "fail",
            "level": level,
            "message": {"text": message(text)},
            "locations": [place],
            "fingerprints": {"remediation/v1": unique},
            # The only one that GitHub goes by. Of a file that is not in the repository it would make none.
            "partialFingerprints": {"primaryLocationLineHash": "%s:%d" % (digest[:32], number)},
        }
        if target:
            kind = kind_of(target)
            identifier = one_line(target["id"], LONGEST_VALUE)
            place["logicalLocations"] = [{"name": identifier, "fullyQualifiedName": "%s %s" % (one_line(kind.name), identifier)}]
            result["properties"] = properties_of(target, witness)
            if is_accepted(target):
                # Some dashboards know what is suppressed, others only what is no error.
                said = message(acceptance_in_words(target["accepted"]))
                result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
                result["level"] = ACCEPTED
            since = parse_time(target["open_since"]) or parse_time(target["not_verified_since"])
            if since:
                result["provenance"] = {"firstDetectionTimeUtc": as_text(since)}
        self.results.append(result)


def rule_id(kind: Kind, target: Target) -> str:
    """What the rules of a kind of targets begin with."""
    return kind.name if is_known(target) else "unknown-kind/%s" % (one_line(target["kind"], LONGEST_ID) or "unnamed")


def described(rule: str, short: str, full: str, level: str, outcome: str) -> JsonObject:
    """A rule. short, full: what it is about."""
    return {
        "id": rule,
        "shortDescription": {"text": message(short)},
        "fullDescription": {"text": message(full)},
        "help": {"text": message(ADVICE.get(outcome, ADVICE[INCONCLUSIVE]))},
        "helpUri": DOCUMENTATION,
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["security", "remediation"]},
    }


def message(text: str) -> str:
    """A text as a message that shows exactly this text: no placeholder, and no link that an API has written."""
    line = one_line(text, LONGEST_TEXT) or "(none)"
    return re.sub(r"\](?=\()", "] ", line.replace("{", "{{").replace("}", "}}"))


def properties_of(target: Target, witness: str) -> JsonObject:
    """What else is known of a target."""
    kind = kind_of(target)
    found = {
        "outcome": target["outcome"],
        "kind": target["kind"],
        "id": target["id"],
        "open_since": target["open_since"],
        "not_verified_since": target["not_verified_since"],
        "system": target["system"],
        "scan_id": target["scan_id"],
        "severity": kind.severity(target),
        "known_as": kind.known_as(target),
        "witness": witness,
    }
    words = {name: one_line(value, LONGEST_VALUE) for name, value in found.items()}
    return {name: value for name, value in words.items() if value}


def run_of(content: JsonObject, log: Log) -> JsonObject:
    """The one run of the log. content: a readable() one."""
    collection = dict_at(content, "collection")
    version = one_line(collection.get("version"), LONGEST_ID)
    driver: JsonObject = {
        "name": one_line(collection.get("name"), LONGEST_ID) or "secops.remediation",
        "informationUri": PROJECT,
        "rules": list(log.rules.values()),
    }
    if version:
        driver["version"] = version
    # That something could not be asked: then a result may be missing that would have been found.
    whole = not problems_of(content) and all(target["outcome"] != INCONCLUSIVE for target in content["targets"])
    invocation: JsonObject = {"executionSuccessful": whole and bool(content["targets"])}
    for name, key in (("startTimeUtc", "started_at"), ("endTimeUtc", "finished_at")):
        moment = parse_time(content.get(key))
        if moment:
            invocation[name] = as_text(moment)
    properties = {name: one_line(content.get(name), LONGEST_TEXT) for name in ("verdict", "summary", "run", "schema_version")}
    properties["replay"] = followed_of(content)
    return {
        "tool": {"driver": driver},
        # GitHub takes what is before the last slash for what is scanned: results of another run of it are replaced.
        "automationDetails": {"id": "secops.remediation/%s" % (one_line(content.get("run"), LONGEST_ID) or "run")},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": log.results,
        "properties": dict({name: value for name, value in properties.items() if value}, counts=content["counts"]),
    }
