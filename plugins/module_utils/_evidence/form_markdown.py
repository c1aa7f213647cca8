# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evidence for tickets and pull requests: Markdown of a verification.

A pure function of the content of verification.json. A text from an API becomes no markup, link, mention or reference
here. Private to the collection.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import one_line
from ansible_collections.secops.remediation.plugins.module_utils._common.times import parse_time
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    column_of,
    followed_of,
    heard_of,
    is_known,
    kind_of,
    problems_of,
    readable,
    words_counted,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    IN_WORDS,
    NEEDS_ACTION,
    REMEDIATED,
    VERDICTS,
)

# The columns of the table, and the headings.
COUNTS = {outcome: IN_WORDS[outcome].capitalize() for outcome in (REMEDIATED, *NEEDS_ACTION)}
LONGEST_NAME = 200
LONGEST_SENTENCE = 600
# GitHub takes 65,536 characters, Jira half of that.
LONGEST_MARKDOWN = 30000
MOST_OPEN_ITEMS = 3
MOST_WORDS = 40
MOST_ACCEPTANCES = 20
# Words and small numbers, with punctuation only where a word ends. No renderer makes anything of such a text; numbers
# and words that look like the id of a commit are left to code(), as anything else is.
PLAIN_WORD = r"\(?(?:[^\W\d_]+(?:'[^\W\d_]+|[0-9]{1,3})?|[0-9]{1,6})\)?[.,:;]?"
PLAIN = re.compile("%s(?: %s)*" % (PLAIN_WORD, PLAIN_WORD))
COMMIT = re.compile(r"(?<!\w)[0-9a-fA-F]{7,64}(?!\w)")


def markdown(verification: dict[str, Any], most: int = 50) -> str:
    """verification.md: the verdict, the counts and what needs action, for a ticket or a pull request.

    most: how many targets are listed at most; fewer where they would make the text longer than a ticket may be.
    A text from an API is either made of plain words only or stands in a code span, in which no renderer looks for
    markup, HTML, links, mentions and references to issues.
    """
    verification = readable(verification)
    counts = verification["counts"]
    lines = [
        "## Remediation verification: %s" % VERDICTS.get(one_line(verification.get("verdict")), "unknown").lower(),
        "",
        safe(one_line(verification.get("summary"), LONGEST_SENTENCE)),
        "",
        "| %s | Total |" % " | ".join(COUNTS.values()),
        "|%s" % (" ---: |" * (len(COUNTS) + 1)),
        "| %s |" % " | ".join("%d" % counts[name] for name in (*COUNTS, "total")),
    ]
    lines += lines_on_lookups(verification) + lines_on_acceptances(verification)
    words = lines_on_words(verification["targets"])
    action = [
        target
        for outcome in NEEDS_ACTION
        for target in sorted((target for target in verification["targets"] if target["outcome"] == outcome), key=age_of)
    ]
    listed, size, heading = 0, sum(len(line) + 1 for line in lines + words), None
    for target in action[: max(most, 0)]:
        block = entry_of(target)
        if target["outcome"] != heading:
            block = ["", "### %s: %d" % (COUNTS[target["outcome"]], counts[target["outcome"]]), ""] + block
        size += sum(len(line) + 1 for line in block)
        if size > LONGEST_MARKDOWN:
            break
        lines += block
        listed, heading = listed + 1, target["outcome"]
    run = safe(one_line(verification.get("run"), LONGEST_NAME))
    if len(action) > listed:
        lines += [
            "",
            "%d more %s action: see verification.json in the evidence of run %s."
            % (len(action) - listed, "needs" if len(action) - listed == 1 else "need", run),
        ]
    lines += words
    followed = followed_of(verification)
    lines += [
        "",
        "Run %s, from %s to %s. %sThe full record is verification.json in the evidence of this run."
        % (
            run,
            safe(one_line(verification["started_at"], LONGEST_NAME)),
            safe(one_line(verification["finished_at"], LONGEST_NAME)),
            followed and followed + " ",
        ),
    ]
    return "\n".join(lines) + "\n"


def lines_on_lookups(verification: dict[str, Any]) -> list[str]:
    """What was asked for and found nothing, or not all."""
    problems = problems_of(verification)
    lines = [
        "- %s: %s" % (code(one_line(asked, LONGEST_NAME)), safe(one_line(problem, LONGEST_SENTENCE)))
        for asked, problem in problems[:MOST_WORDS]
    ]
    if len(problems) > MOST_WORDS:
        lines.append("- and %d more" % (len(problems) - MOST_WORDS))
    return ["", "### Look-ups with a problem: %d" % len(problems), ""] + lines if lines else []


def lines_on_acceptances(verification: dict[str, Any]) -> list[str]:
    """What became of each acceptance."""
    records = verification["acceptances"]
    lines = [
        "- %s, %s: %s"
        % (
            code(one_line("%s %s" % (record["kind"], record["id"]), LONGEST_NAME)),
            safe(record["state"].replace("_", " ")),
            safe(one_line(record["detail"], LONGEST_SENTENCE)),
        )
        for record in records[:MOST_ACCEPTANCES]
    ]
    if len(records) > MOST_ACCEPTANCES:
        lines.append("- and %d more" % (len(records) - MOST_ACCEPTANCES))
    return ["", "### Accepted risks: %d" % len(records), ""] + lines if lines else []


def lines_on_words(targets: list[Target]) -> list[str]:
    """Which words counted in all reports together, those first that are the user's statement."""
    counted: dict[tuple[str, str, str], tuple[str, int]] = {}
    configured: set[tuple[str, str, str]] = set()
    for target in targets:
        for entry in words_counted(target):
            key = (entry["word"].casefold(), entry["meaning"], entry["column"])
            word, number = counted.get(key, (entry["word"], 0))
            counted[key] = word, number + (int(entry["count"]) if entry["count"].isdecimal() else 0)
            if entry["configured"]:
                configured.add(key)
    if not counted:
        return []
    order = sorted(counted, key=lambda key: (key not in configured, -counted[key][1]))
    lines = [
        "- %s%s: %s, taken for %s%s"
        % (
            code(one_line(word, LONGEST_NAME)),
            " of column %s" % code(key[2]) if key[2] else "",
            safe(number),
            key[1],
            ", **configured by the user**" if key in configured else "",
        )
        for key, (word, number) in ((key, counted[key]) for key in order[:MOST_WORDS])
    ]
    if len(order) > MOST_WORDS:
        lines.append("- and %d more words" % (len(order) - MOST_WORDS))
    return ["", "### Words that counted in the reports", ""] + lines


def age_of(target: Target) -> tuple[str, str]:
    """For sorting: what has been open for longest first."""
    return one_line(target["open_since"] or target["not_verified_since"]) or "9999", target["kind"]


def entry_of(target: Target) -> list[str]:
    """The lines of the list about a target."""
    name, target_id = one_line(target["name"], LONGEST_NAME), one_line(target["id"], LONGEST_NAME)
    kind, shown = kind_of(target), one_line(target["kind"], LONGEST_NAME).capitalize()
    parts = ["- **%s** %s" % (shown if PLAIN.fullmatch(shown) else "Target of another kind", safe(name or target_id))]
    if not is_known(target):
        parts.append(", of a kind that is not known here")
    if name and name != target_id:
        parts.append(" (%s)" % code(target_id))
    parts.append(": %s." % safe(one_line(target["reason"], LONGEST_SENTENCE)).rstrip("."))
    where = where_of(target, kind)
    if where:
        parts.append(" %s." % where)
    opened, missed = parse_time(target["open_since"]), parse_time(target["not_verified_since"])
    if opened:
        parts.append(" Open since %s." % opened.date().isoformat())
    if missed and missed != opened:
        parts.append(" Not verified since %s." % missed.date().isoformat())
    if target["owner"]:
        parts.append(" Owned by %s." % safe(one_line(target["owner"], LONGEST_NAME)))
    if target["accepted"]:
        by, until, reason = (safe(one_line(target["accepted"][name], LONGEST_SENTENCE)) for name in ("by", "until", "reason"))
        parts.append(" **Accepted** by %s until %s: %s" % (by, until, reason))
    lines = ["".join(parts)]
    heard_ones = heard_of(target)
    several = len(heard_ones) > 1
    lines += [
        "  - The %s says %s: %s" % (heard.name, heard.outcome, safe(one_line(heard.reason, LONGEST_SENTENCE)))
        for heard in heard_ones
        if several
    ]
    rows = [(heard.name, row) for heard in heard_ones for row in heard.open_items[:MOST_OPEN_ITEMS]]
    lines += ["  - %s%s" % ("Seen by the %s: " % name if several else "", item_of(row, kind)) for name, row in rows]
    words = [entry for entry in words_counted(target) if entry["configured"]]
    if words:
        lines.append(
            "  - In words that the user configured: %s%s"
            % (
                ", ".join(
                    "%s for %s" % (code(one_line(entry["word"], LONGEST_NAME)), entry["meaning"])
                    for entry in words[:MOST_OPEN_ITEMS]
                ),
                ", and %d more" % (len(words) - MOST_OPEN_ITEMS) if len(words) > MOST_OPEN_ITEMS else "",
            )
        )
    more = sum(heard.left_out + len(heard.open_items[MOST_OPEN_ITEMS:]) for heard in heard_ones)
    if more and rows:
        lines.append("  - and %d more" % more)
    return lines


def where_of(target: Target, kind: Kind) -> str:
    """Where a target is, and how bad."""
    places = [code(one_line(address, LONGEST_NAME)) for address in kind.addresses(target)]
    parts = ["At %s" % ", ".join(places)] if places else []
    parts += [
        "%s %s" % (fact.name, safe(one_line(fact.value(target), LONGEST_NAME)))
        for fact in kind.notes
        if one_line(fact.value(target))
    ]
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def item_of(row: dict[str, Any], kind: Kind) -> str:
    """An open item in words: who, what and where, or the first columns where none of the names is known."""
    known = [column_of(row, names) for names in kind.item_names.values()]
    names = [name for name in known if name is not None] or list(row)[:4]
    return (
        ", ".join("%s %s" % (safe(one_line(name, LONGEST_NAME)), code(one_line(row[name], LONGEST_NAME))) for name in names)
        or "an item without a value"
    )


def safe(value: Any) -> str:
    """A text as Markdown that shows exactly this text."""
    text = one_line(value)
    return text if PLAIN.fullmatch(text) and not COMMIT.search(text) else code(text)


def code(value: Any) -> str:
    """A text as a code span."""
    text = one_line(value)
    if not text:
        return "(none)"
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return "".join((fence, space, text, space, fence))
