# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user sees of each fault: recorded by the tests that provoke it, and kept as docs/faults.md.

A test calls `seen()` with what it saw. Normally that is held against the documentation; while RECORD_FAULTS is set it is
recorded instead, and `python tests/tools/faults.py` makes the documentation of all that was recorded (`make faults`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / ".cache" / "results" / "faults"
PAGE = ROOT / "docs" / "faults.md"
ROLE = "role"
MODULES = (
    "sailpoint_campaign_info",
    "sailpoint_campaign_remediation_scan",
    "sailpoint_campaign_report",
    "sailpoint_revoked_access_info",
    "xpanse_alert",
    "xpanse_alert_info",
    "xpanse_rcs_request",
    "xpanse_rcs_request_info",
)

# What differs from run to run, from machine to machine, and from one library's version to the next.
VARIABLE = (
    (r"(?<!\w)/(?:[\w.+-]+/)+(?=(?:remediation-evidence\b|(?:reports|records)/))", "…/"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?", "TIME"),
    (r"\d{8}T\d{6}Z(-\d+)?", "RUN"),
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r"\b[0-9a-f]{32,64}\b", "ID"),
    # What a library says, in its own words.
    (r" \(\w*(?:Error|Timeout|Exception): .*?\)(?=\. |\.$)", ""),
    (r"\b\d+(\.\d+)? (s|seconds)\b", "N s"),
    (r"\b\d[\d,]* (bytes|characters|attempts?|pages)\b", r"N \1"),
    (r"\b10\d{4}\b", "ID"),
)

# How a module's message begins: how many failed, which, and at which request.
BEGINNING = re.compile(
    r"^(\d+ of \d+ \w+ failed: (campaign ID|ID|alert 98, rule RdpServer, service UUID|alert 98|scan-1): )?((GET|POST) /\S*: )?"
)

HEAD = """# What you see when something goes wrong

Made by `make faults` from what the tests saw, and held against it by every run of the tests. An error is never an
answer: whatever is in these tables, no target was called remediated because of it.

Times, addresses, and ids in the messages are replaced by words such as `TIME`, `HOST`, and `ID`.
"""

MODULES_HEAD = """## The modules

With `retry_timeout: 0`, so that the first failure is the last. The numbers are those of the messages below. Each message
begins with what failed and at which request, which is left out here:
`1 of 1 scans failed: campaign ID: GET /campaigns/v1/ID: …`
"""


def normal(text):
    """A message without what differs from run to run."""
    for pattern, word in VARIABLE:
        text = re.sub(pattern, word, text)
    return " ".join(text.split())


def seen(fault, where, outcome, sees):
    """Notes what a user saw, or fails where the documentation says something else.

    fault: what went wrong, in a few words. where: a module, or ROLE. outcome: a word or two for the table. sees: the message.
    """
    record = dict(fault=fault, where=where, outcome=outcome, sees=normal(sees))
    if where != ROLE:
        record["sees"] = BEGINNING.sub("", record["sees"])
    if os.environ.get("RECORD_FAULTS"):
        RECORDS.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(("%s\n%s" % (fault, where)).encode()).hexdigest()[:16]
        (RECORDS / (name + ".json")).write_text(json.dumps(record, sort_keys=True), encoding="utf-8")
        return
    documented = read(PAGE.read_text(encoding="utf-8")).get((fault, where))
    assert documented == (record["outcome"], cell(record["sees"])), (
        "docs/faults.md says %r of %r in %s, and a user sees %r: run make faults if that is as it should be"
        % (documented, fault, where, (record["outcome"], record["sees"]))
    )


def cell(text):
    """A text as it stands in a table."""
    return "".join(one if one.isprintable() else "?" for one in text).replace("|", "/").replace("`", "'")


def render(records):
    """The page."""
    records = [dict(record, sees=cell(record["sees"])) for record in records]
    messages = {}
    of_modules = {}
    for record in sorted(records, key=lambda record: (record["fault"], record["where"])):
        if record["where"] != ROLE:
            of_modules.setdefault(record["fault"], {})[record["where"]] = (record["outcome"], record["sees"])
    modules = [module for module in MODULES if any(module in row for row in of_modules.values())]
    lines = [HEAD, MODULES_HEAD]
    lines += ["| fault | %s |" % " | ".join("`%s`" % module for module in modules), "| --- |" + " --- |" * len(modules)]
    for fault, row in of_modules.items():
        cells = []
        for module in modules:
            outcome, sees = row.get(module, ("", ""))
            number = messages.setdefault(sees, len(messages) + 1) if sees else None
            cells.append("%s [%d](#m%d)" % (outcome, number, number) if number else outcome or "–")
        lines.append("| %s | %s |" % (fault, " | ".join(cells)))
    lines += ["", "### The messages", ""]
    lines += ['%d. <a id="m%d"></a> `%s`' % (number, number, text) for text, number in messages.items()]
    lines += [
        "",
        "## The role",
        "",
        "What becomes of a target, and what the evidence says of it.",
        "",
        "| fault | outcome | what the evidence says |",
        "| --- | --- | --- |",
    ]
    lines += [
        "| %s | %s | `%s` |" % (record["fault"], record["outcome"], record["sees"])
        for record in sorted(records, key=lambda record: record["fault"])
        if record["where"] == ROLE
    ]
    return "\n".join(lines) + "\n"


def read(page):
    """What the page says: dict of (fault, where) to (outcome, message)."""
    said, modules = {}, []
    messages = dict(re.findall(r'^\d+\. <a id="m(\d+)"></a> `(.*)`$', page, re.MULTILINE))
    for line in page.splitlines():
        cells = [one.strip() for one in line.strip("|").split(" | ")] if line.startswith("| ") else []
        if cells[:1] == ["fault"]:
            modules = [one.strip("`") for one in cells[1:]]
        elif cells and modules[:1] == ["outcome"]:
            said[cells[0], ROLE] = (cells[1], cells[2][1:-1])
        elif cells and set(cells[0]) != {"-"}:
            for module, text in zip(modules, cells[1:]):
                outcome, _bracket, number = text.partition(" [")
                said[cells[0], module] = (outcome, messages.get(number.partition("]")[0], ""))
    return said


def main():
    """Makes the page of what was recorded; with --begin, forgets what was."""
    if "--begin" in sys.argv:
        shutil.rmtree(RECORDS, ignore_errors=True)
        return
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDS.glob("*.json"))]
    if not records:
        sys.exit("nothing was recorded in %s" % RECORDS)
    PAGE.write_text(render(records), encoding="utf-8")
    print("%s: %d entries" % (PAGE.relative_to(ROOT), len(records)))


if __name__ == "__main__":
    main()
