# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of a verification for people: one self-contained HTML file.

A pure function of the content of verification.json. What is in there came from APIs and is hostile until escaped: the
template escapes everything, and what could mislead the eye is made visible here. Private to the collection.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Target
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import UNFIT, dicts, listed
from ansible_collections.secops.remediation.plugins.module_utils._common.times import as_text, parse_time
from ansible_collections.secops.remediation.plugins.module_utils._evidence.page_template import (
    LOOKS,
    SCRIPT,
    STYLE,
    TEMPLATE,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.record import (
    Heard,
    acceptance_in_words,
    by_kind,
    followed_of,
    heard_of,
    is_known,
    kind_of,
    problems_of,
    readable,
    word_in_words,
    words_counted,
)
from ansible_collections.secops.remediation.plugins.module_utils._systems import KINDS
from ansible_collections.secops.remediation.plugins.module_utils._verdict.kinds import Kind, nothing
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    IN_WORDS,
    INCOMPLETE,
    INCONCLUSIVE,
    NEEDS_ACTION,
    NOT_VERIFIED,
    PENDING,
    REMEDIATED,
    UNREMEDIATED,
    URGENCY,
    VERDICTS,
    VERIFIED,
)

# What is done comes first where it is a picture of how far things are.
PICTURED = (REMEDIATED, *NEEDS_ACTION)
# The colours of the verdicts are those of outcomes.
TONES = {VERIFIED: REMEDIATED, NOT_VERIFIED: UNREMEDIATED, INCOMPLETE: PENDING}
# What to do about targets that are without an answer.
ADVICE = {
    INCONCLUSIVE: "Inconclusive: find out why, and run the verification again",
    PENDING: "Pending: a later run picks it up",
}
if TYPE_CHECKING:
    from jinja2 import Template

SEVERITIES = ("critical", "high", "medium", "low", "informational")
FILES = {
    "verification.json": "the full record, which has a JSON Schema",
    "verification.csv": "one line for each target",
    "open-items.csv": "one line for each item that is still open",
    "verification.junit.xml": "one test case for each target",
    "verification.md": "a summary for a ticket",
    "oscal-assessment-results.json": "NIST OSCAL assessment results",
    "verification.sarif": "one result for each target that is not remediated, for code scanning",
    "SHA256SUMS": "the checksums of everything in this folder",
    "SHA256SUMS.sig": "their signature, made with ssh-keygen",
    "SHA256SUMS.asc": "their signature, made with gpg",
    "verification.intoto.json": "an in-toto attestation of the record and the checksums",
}
CONTROLS = {
    "ac-2": "Account Management",
    "ac-6": "Least Privilege",
    "ac-6.7": "Review of User Privileges",
    "ca-7": "Continuous Monitoring",
    "ra-5": "Vulnerability Monitoring and Scanning",
    "si-2": "Flaw Remediation",
}
AGES = (("New in this run", 0), ("Up to 7 days", 7), ("8 to 30 days", 30), ("31 to 90 days", 90), ("More than 90 days", None))
# The page stays usable in a browser whatever a report holds; the files have the rest.
MAX_ROWS = 2000
MAX_NAMED = 100
MAX_RUNS = 12
MAX_OLDEST = 10
MAX_WORDS = 100


def page(verification: dict[str, Any], files: Iterable[str] = ()) -> str:
    """The page as text.

    verification: the content of verification.json.
    files: paths, relative to the page, of the files beside it that it can link to.
    """
    # Here because everything else has to be importable without it.
    from markupsafe import Markup

    style = re.sub(r"\n\s*", "\n", STYLE + columns_of_tables())
    policy = "default-src 'none'; script-src '%s'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'" % (
        fingerprint(SCRIPT),
        fingerprint(style),
    )
    shown = model(readable(visible(verification)), [visible(str(path)) for path in files])
    return template().render(shown, policy=Markup(policy), style=Markup(style), script=Markup(SCRIPT), **LOOKS) + "\n"


@functools.cache
def template() -> Template:
    """The page's template, made once."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined)
    # Indentation would be a good part of the file when there are thousands of targets.
    return environment.from_string("\n".join(line.strip() for line in TEMPLATE.strip().split("\n")))


def fingerprint(text: str) -> str:
    """What a Content-Security-Policy allows an inline style or script by."""
    return "sha256-%s" % base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def visible(value: Any, levels: int = 20) -> Any:
    """The same with every character that would break the file, or hide or turn others, named instead.

    levels: how deep lists and objects may be in each other; no reader follows deeper ones.
    """
    if isinstance(value, str):
        return UNFIT.sub(lambda match: "[U+%04X]" % ord(match[0]), value)
    if isinstance(value, (dict, list, tuple)) and not levels:
        return "\N{HORIZONTAL ELLIPSIS}"
    if isinstance(value, dict):
        return {visible(key): visible(item, levels - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [visible(item, levels - 1) for item in value]
    return value


def model(verification: dict[str, Any], files: list[str]) -> dict[str, Any]:
    """What the template shows, in its order."""
    run = Run(verification)
    targets = [target_of(target, number, run) for number, target in enumerate(verification["targets"])]
    targets.sort(key=lambda target: URGENCY.index(target["outcome"]))
    counts = counts_of(verification["counts"])
    verdict = words(verification.get("verdict"))
    word, tone = VERDICTS.get(verdict, VERDICTS[NOT_VERIFIED]), TONES.get(verdict, UNREMEDIATED)
    summary = words(verification.get("summary"))
    rest = summary[len(word) + 1 :].strip() if summary.startswith(word + ":") else summary
    tally = [
        dict(
            outcome=outcome,
            count=counts[outcome],
            count_text=number(counts[outcome]),
            share=share(counts[outcome], sum(counts.values())),
        )
        for outcome in PICTURED
    ]
    beside, below = files_of(files)
    lanes, axis = lanes_of(run, targets)
    replay, words_shown = dict_of(verification.get("replay")), words_of_reports(targets)
    return dict(
        run=words(verification.get("run")),
        verdict=dict(word=word, tone=tone, rest=rest[:1].upper() + rest[1:]),
        tally=tally,
        bar=stack(counts),
        bar_text="%s targets: %s"
        % (number(sum(counts.values())), ", ".join("%s %s" % (item["count_text"], item["outcome"]) for item in tally)),
        total_text=number(len(targets)),
        facts=run_facts(verification, run, targets),
        action=action_of(targets, problems_of(verification)),
        acceptances=verification["acceptances"][:MAX_NAMED],
        more_acceptances=number(max(0, len(verification["acceptances"]) - MAX_NAMED)),
        targets=targets,
        kinds=[dict(name=mine[0]["kind"], title=kind_title(kind)) for kind, mine in by_kind(verification["targets"])],
        words=words_shown[:MAX_NAMED],
        more_words=number(len(words_shown) - MAX_NAMED) if len(words_shown) > MAX_NAMED else "",
        followed=followed_of(verification),
        all_followed=replay.get("followed") == replay.get("total"),
        lanes=lanes,
        axis=axis,
        events=events_of(run, targets),
        history=history_of(verification, targets),
        files=beside,
        more_files=below,
        sums="SHA256SUMS" in files,
        previous=previous_of(verification),
        controls=[control_of(words(control)) for control in listed(verification.get("controls"))],
        made_by=" ".join(
            part
            for part in (
                "Made by",
                words(dict_of(verification.get("collection")).get("name")),
                words(dict_of(verification.get("collection")).get("version")),
            )
            if part
        ),
    )


# --- plain values out of whatever is there ---


def dict_of(value: Any) -> dict[str, Any]:
    """A value where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def words(value: Any) -> str:
    """Any value as text; nothing as ''."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(text for text in (words(item) for item in value) if text)
    if isinstance(value, dict):
        if value.get("name"):
            return words(value["name"])
        return ", ".join("%s: %s" % (words(key), words(item)) for key, item in value.items())
    return str(value)


def number(value: int) -> str:
    """A number as people read it."""
    return format(value, ",d")


def plural(count: int, noun: str) -> str:
    """A number of things."""
    return "%s %s%s" % (number(count), noun, "" if count == 1 else "s")


def share(count: int, total: int) -> str:
    """How much of the whole, never rounded to all or nothing."""
    if not total or not count:
        return ""
    percent = 100 * count / total
    if percent < 1:
        return "< 1 %"
    return "> 99 %" if 99 < percent < 100 else "%.0f %%" % percent


# --- times ---


class Moment:
    """A time as an API wrote it: in UTC where it can be read, else just what it says."""

    def __init__(self, value: Any) -> None:
        """Reads a value as a time."""
        self.text = self.date = words(value)
        self.iso = None
        # A datetime or None. What in_order() gives has one.
        self.time: Any = parse_time(self.text)
        if self.time:
            self.iso = as_text(self.time)
            self.text = self.iso[:-1].replace("T", " ")
            self.date = self.text[:10]

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self.text)


def span(seconds: float) -> str:
    """A duration, as exactly as one wants to know."""
    seconds = max(0, int(seconds))
    if seconds >= 36 * 3600:
        return plural(round(seconds / 86400), "day")
    for size, noun in ((3600, "hour"), (60, "minute")):
        if seconds >= size:
            return plural(seconds // size, noun)
    return plural(seconds, "second")


def exactly(seconds: float) -> str:
    """How long a run took."""
    seconds = max(0, int(seconds))
    parts = (("h", seconds // 3600), ("min", seconds // 60 % 60), ("s", seconds % 60))
    return " ".join("%d %s" % (count, unit) for unit, count in parts if count) or "less than a second"


class Run:
    """When the run was."""

    def __init__(self, verification: dict[str, Any]) -> None:
        """Reads the times of the run from its verification."""
        self.started = Moment(verification.get("started_at"))
        self.finished = Moment(verification.get("finished_at"))

    def open_for(self, since: Moment) -> tuple[str, float | None]:
        """(in words, in days) for how long a target has been open."""
        if not since:
            return "", None
        if not since.time or not self.finished.time:
            return "since %s" % since.text, None
        # Whatever this run saw first has this run's time.
        if since.time >= (self.started.time or self.finished.time):
            return "new in this run", 0
        seconds = (self.finished.time - since.time).total_seconds()
        return span(seconds), seconds / 86400


# --- one target ---


def target_of(target: Target, place: int, run: Run) -> dict[str, Any]:
    """What the page shows of a target."""
    outcome, kind = target["outcome"], kind_of(target)
    name, target_id = words(target["name"]).strip(), words(target["id"])
    seen, missed = (Moment(target[key] if outcome in NEEDS_ACTION else None) for key in ("open_since", "not_verified_since"))
    since = seen or missed
    open_for, days = run.open_for(since)
    severity = words(kind.severity(target)).lower()
    severity_rank = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
    return dict(
        anchor="t%d" % (place + 1),
        kind=target["kind"],
        kind_title=kind_title(kind),
        kind_known=is_known(target),
        outcome=outcome,
        seen_open=bool(seen),
        words=words_counted(target),
        title=name or target_id or "(no name)",
        id=target_id if name else "",
        reason=target["reason"],
        accepted=accepted_of(target),
        open_since=since,
        open_for=open_for,
        days=days,
        system=words(target["system"]),
        started=Moment(target["started_at"]),
        finished=Moment(target["finished_at"]),
        reported=Moment(dict_of(target.get("report")).get("lastRunAt")),
        requests=[request_of(request) for request in target["requests"]],
        files=[file_of(item["path"], item["sha256"]) for item in target["evidence"]],
        heard=heard_of(target),
        facts=[(name, text) for name, text in facts_of(target, kind) if text],
        severity=severity.capitalize(),
        severity_rank=severity_rank,
        severity_class=SEVERITIES[severity_rank] if severity_rank < len(SEVERITIES) else "other",
        known_as=kind.known_as(target),
        cells=[lines_of(fact.value(target)) for fact in kind.table],
    )


def accepted_of(target: Target) -> str:
    """Who accepted that a target is still open, until when, and why; empty where nobody did."""
    if not target["accepted"]:
        return ""
    until = Moment(target["accepted"]["until"])
    text = acceptance_in_words(dict(target["accepted"], until=until.text + " UTC" * bool(until.time)))
    return text[:1].upper() + text[1:]


def request_of(request: dict[str, Any]) -> dict[str, str]:
    """A request as the page lists it."""
    time = Moment(request.get("server_time"))
    return dict(
        method=words(request.get("method")),
        path=words(request.get("path")),
        status=words(request.get("status")),
        reference=words(request.get("reference")),
        time=time.text,
    )


def lines_of(value: Any) -> list[str]:
    """A value as the lines of a cell."""
    return [text for text in map(words, listed(value)) if text]


def shown(value: Any) -> str:
    """A value as text, in which a time is written as all times on the page."""
    return Moment(value).text if isinstance(value, str) else words(value)


def facts_of(target: Target, kind: Kind) -> list[tuple[str, str]]:
    """(name, value) of what else is known of a target."""
    scan, report, items = (dict_of(target.get(name)) for name in ("scan", "report", "items"))
    counted = ", ".join(
        "%s %s" % (words(items[name]), text)
        for name, text in (("items_remediated", IN_WORDS[REMEDIATED]), ("items_open", "open"), ("items_unknown", "not known"))
        if items.get(name)
    )
    if items.get("items_total") is not None:
        counted = "%s in the report%s" % (words(items["items_total"]), counted and ": " + counted)
    missed = target["not_verified_since"]
    return [
        ("System", words([kind.system, target["system"]])),
        ("Owner", target["owner"]),
        ("Accepted", accepted_of(target)),
        *((fact.name, shown(fact.value(target))) for fact in kind.facts),
        *(("The %s says" % heard.name, "%s: %s" % (heard.outcome, heard.reason)) for heard in heard_of(target) if heard.name),
        ("Scan", words([scan.get("status"), scan.get("result")])),
        ("Scan id", words(target.get("scan_id"))),
        ("Scan requested", shown(target.get("started_at"))),
        ("Report", words([report.get("reportType"), report.get("status")])),
        ("Report id", words(report.get("id"))),
        ("Report made", shown(report.get("lastRunAt"))),
        ("Items", counted),
        ("Column with the state of an item", words(items.get("status_column"))),
        ("Words that counted", "; ".join(map(word_in_words, words_counted(target)))),
        ("First seen open", shown(target["open_since"])),
        ("First not verified", shown(missed if missed != target["open_since"] else None)),
    ]


def file_of(path: str, sha256: str = "") -> dict[str, Any]:
    """A file beside the page. What would lead anywhere else is named and not linked."""
    outside = not path or path.startswith("/") or "\\" in path or ".." in path.split("/")
    # The ./ makes of any text, `javascript:` too, a path.
    href = None if outside else "./" + quote(path, errors="replace")
    return dict(path=path, sha256=sha256, href=href, says=FILES.get(path, ""))


def files_of(paths: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(those that one looks for, the others)."""
    paths = list(dict.fromkeys(paths))
    known = [path for path in FILES if path in paths]
    others = sorted(path for path in paths if path not in FILES and path != "verification.html")
    return [file_of(path) for path in known], [file_of(path) for path in others]


# --- the top ---


def counts_of(counts: Any) -> dict[str, int]:
    """How many targets there are of each outcome, by what a record says."""
    counts = dict_of(counts)
    return {outcome: counts[outcome] if is_count(counts.get(outcome)) else 0 for outcome in URGENCY}


def is_count(value: Any) -> bool:
    """Whether a value is a number of things."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1e15


def kind_title(kind: Kind) -> str:
    """A kind as a column or a list of choices has it."""
    return (words(kind.name) or "unnamed").capitalize()


def stack(counts: dict[str, int]) -> list[dict[str, str]]:
    """The parts of the bar in percent; the smallest part can still be seen."""
    total = sum(counts.values())
    there = [outcome for outcome in PICTURED if counts[outcome] > 0]
    if not total or not there:
        return []
    gap = 0.25
    raised = {outcome: max(counts[outcome] / total, 0.012) for outcome in there}
    room = (100 - gap * (len(there) - 1)) / sum(raised.values())
    parts, x = [], 0.0
    for outcome in there:
        width = raised[outcome] * room
        parts.append(dict(outcome=outcome, x="%.2f" % x, width="%.2f" % width))
        x += width + gap
    return parts


def run_facts(verification: dict[str, Any], run: Run, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What an auditor asks first: when, of what, and which record."""
    facts = []
    if run.finished:
        lines = [run.finished.text + (" UTC" if run.finished.time else "")]
        if run.started.time and run.finished.time:
            lines.append("took %s" % exactly((run.finished.time - run.started.time).total_seconds()))
        facts.append(dict(name="Finished", lines=lines))
    for kind, mine in by_kind(targets):
        systems = list(dict.fromkeys(target["system"] for target in mine if target["system"]))
        noun = kind.noun if is_known(mine[0]) else "target"
        facts.append(dict(name=kind.system, lines=[plural(len(mine), noun)] + systems))
    version = words(verification.get("schema_version"))
    lines = [words(verification.get("run"))] + (["schema version %s" % version] if version else [])
    facts.append(dict(name="Run", lines=[line for line in lines if line]))
    return facts


# --- what needs action ---


def action_of(targets: list[dict[str, Any]], problems: list[tuple[str, str]]) -> dict[str, Any]:
    """What still has to be dealt with. problems: (what was asked for, what is wrong) of the look-ups."""
    by_outcome = {outcome: [target for target in targets if target["outcome"] == outcome] for outcome in URGENCY}
    some = problems or any(by_outcome[outcome] for outcome in NEEDS_ACTION)
    if some:
        lead = "Who and what still has to be dealt with, and what could not be found out."
    else:
        lead = "Nothing has to be dealt with." if targets else "There was nothing to verify."
    return dict(
        any=some,
        lead=lead,
        problems=problems,
        none="Every target is remediated." if targets else "No target was found.",
        kinds=[still_there(kind, mine) for kind, mine in by_kind(by_outcome[UNREMEDIATED])],
        groups=[
            dict(outcome=outcome, title=title, groups=groups_of(by_outcome[outcome]))
            for outcome, title in ADVICE.items()
            if by_outcome[outcome]
        ],
    )


def still_there(kind: Kind, targets: list[dict[str, Any]]) -> dict[str, Any]:
    """The targets of a kind that are still open: a table of them where they have no items, else each with its items."""
    worst_first = sorted(targets, key=lambda target: (target["severity_rank"], -(target["days"] or 0)))
    return dict(
        title=kind.still_there,
        noun=kind.noun.capitalize(),
        severity=kind.severity is not nothing,
        columns=[fact.name for fact in kind.table],
        class_name=table_class(kind),
        rows=worst_first if kind.table else [],
        cases=[] if kind.table else cases_of(targets),
    )


def table_class(kind: Kind) -> str:
    """The class of the table of a kind's targets."""
    return "still-%d" % (list(KINDS).index(kind.name) if kind.name in KINDS else len(KINDS))


def columns_of_tables() -> str:
    """The columns of the tables of all kinds, as CSS: their widths, and on a narrow screen their names."""
    rules = []
    for kind in KINDS.values():
        if not kind.table:
            continue
        first = [] if kind.severity is nothing else ["5.5rem"]
        widths = [*first, "minmax(0, 3fr)", *(fact.width for fact in kind.table), "7.5rem"]
        rules.append(".%s { --columns: %s; }\n" % (table_class(kind), " ".join(widths)))
        rules += [
            '@media screen and (max-width: 54rem) { .%s > tbody > tr > td:nth-child(%d)::before { content: "%s: "; } }\n'
            % (table_class(kind), place, name)
            for place, name in enumerate([*(fact.name for fact in kind.table), "Open for"], len(first) + 2)
        ]
    return "".join(rules)


def cases_of(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Targets that are still open, each with its items."""
    room, cases = MAX_ROWS, []
    for target in targets:
        tables = []
        for heard in target["heard"]:
            table = table_of(heard, room)
            room -= len(table["rows"])
            tables += [table] if table["rows"] or table["note"] else []
        several = target["heard"] if len(target["heard"]) > 1 else []
        cases.append(dict(target, tables=tables, several=several, open_words=open_words(target)))
    return cases


def table_of(heard: Heard, room: int) -> dict[str, Any]:
    """The open items that a witness saw, so many at most."""
    items = [{words(column): words(cell) for column, cell in item.items()} for item in heard.open_items[:room]]
    columns = list(dict.fromkeys(column for item in items for column in item))
    columns = [column for column in columns if not heard.name or any(item.get(column) for item in items)]
    open_ones = heard.items.get("items_open")
    count = open_ones if isinstance(open_ones, int) else len(heard.open_items)
    note = "%s of %s are shown. All of them are %s:" % (number(len(items)), plural(count, "open item"), heard.kept)
    return dict(
        name=heard.name,
        columns=columns,
        rows=[[(column, item.get(column, "")) for column in columns] for item in items],
        note=note if count > len(items) else "",
    )


def open_words(target: dict[str, Any]) -> str:
    """For how long, as a sentence of its own."""
    if not target["days"]:
        return target["open_for"][:1].upper() + target["open_for"][1:]
    return "%s for %s (since %s)" % (
        "Open" if target["seen_open"] else "Not verified",
        target["open_for"],
        target["open_since"].date,
    )


def groups_of(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The targets by their reason, the most frequent reason first."""
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for target in targets:
        by_reason.setdefault(target["reason"], []).append(target)
    return [
        dict(
            reason=reason,
            count_text=plural(len(same), "target") if len(same) > 1 else "",
            targets=same[:MAX_NAMED],
            left_out=number(len(same) - MAX_NAMED) if len(same) > MAX_NAMED else "",
        )
        for reason, same in sorted(by_reason.items(), key=lambda item: -len(item[1]))
    ]


# --- the timeline ---


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """The moments that are times, the earliest first."""
    return sorted((moment for moment in moments if moment.time), key=lambda moment: moment.time)


def clock(moment: Moment, other: Moment) -> str:
    """The time of day where the day is the same."""
    return moment.text[11:] if moment.date == other.date else moment.text


def scans_of(targets: list[dict[str, Any]]) -> tuple[list[Moment], list[Moment], int]:
    """(requested, finished, how many have not finished) of the scans of targets."""
    mine = [target for target in targets if target["started"]]
    requested, finished = (in_order(target[name] for target in mine) for name in ("started", "finished"))
    return requested, finished, sum(not target["finished"] for target in mine)


def events_of(run: Run, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What happened, in the order of time."""
    events: list[dict[str, Any]] = []

    def add(moment: Moment, title: str, details: Iterable[Any] = ()) -> None:
        """Adds an event. details: texts, of which those that are not empty are shown."""
        events.append(dict(time=moment, title=title, detail="; ".join(detail for detail in details if detail)))

    if run.started:
        add(run.started, "The verification began")
    for kind, mine in by_kind(targets):
        requested, finished, unfinished = scans_of(mine)
        reports = in_order(target["reported"] for target in mine)
        where, noun = kind.system, kind.scan
        if requested:
            early = sum(moment.time < run.started.time for moment in requested) if run.started.time else 0
            add(
                requested[0],
                "%s requested" % plural(len(requested), noun),
                (
                    where,
                    requested[-1].time > requested[0].time and "the last at %s" % clock(requested[-1], requested[0]),
                    early and "%s before this run began" % ("all" if early == len(requested) else number(early)),
                ),
            )
        if finished:
            add(
                finished[-1],
                "%s finished" % plural(len(finished), noun),
                (
                    where,
                    finished[-1].time > finished[0].time and "the first at %s" % clock(finished[0], finished[-1]),
                    unfinished and "%s had not" % number(unfinished),
                ),
            )
        if reports:
            add(
                reports[-1],
                "%s made" % plural(len(reports), "report"),
                (where, reports[-1].time > reports[0].time and "the first at %s" % clock(reports[0], reports[-1])),
            )
    if run.finished:
        add(run.finished, "The evidence was written")
    known = [event for event in events if event["time"].time]
    # Stable, so that what happened in the same second stays in the order of the work.
    return sorted(known, key=lambda event: event["time"].time) + [event for event in events if not event["time"].time]


def lanes_of(run: Run, targets: list[dict[str, Any]]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """The same as bars, in percent of the whole time."""
    lanes = [("This run", in_order([run.started, run.finished]), "f-soft")]
    for kind, mine in by_kind(targets):
        requested, finished, _unfinished = scans_of(mine)
        lanes.append((kind.lane, in_order(requested + finished), "f-pending"))
    lanes.append(("Reports", in_order(target["reported"] for target in targets), "f-remediated"))
    lanes = [(name, moments, fill) for name, moments, fill in lanes if moments]
    times = [moment.time for _name, moments, _fill in lanes for moment in moments]
    whole = (max(times) - min(times)).total_seconds() if times else 0
    if not whole:
        return [], ()
    bars = []
    for name, moments, fill in lanes:
        begin = 100 * (moments[0].time - min(times)).total_seconds() / whole
        width = max(1, 100 * (moments[-1].time - moments[0].time).total_seconds() / whole)
        bars.append(dict(name=name, x="%.2f" % min(begin, 100 - width), width="%.2f" % width, fill=fill))
    return bars, tuple(as_text(time)[:-1].replace("T", " ") for time in (min(times), max(times)))


# --- from run to run ---


def history_of(verification: dict[str, Any], targets: list[dict[str, Any]]) -> dict[str, Any]:
    """How the open items and targets changed from run to run, and for how long targets have been open."""
    runs = [run_of(item) for item in dicts(verification["history"])]
    shown = runs[-MAX_RUNS:]
    most = max([sum(item["counts"][outcome] for outcome in NEEDS_ACTION) for item in shown] + [1])
    columns = [column_of(item, most) for item in shown]
    known = [item["open_items"] for item in shown if item["open_items"] is not None]
    most_items = max(known + [1])
    # A run that learned nothing keeps its place: a gap is a gap.
    items = (
        [
            dict(
                open="?" if item["open_items"] is None else number(item["open_items"]),
                time=item["time"],
                height=None if item["open_items"] is None else max(2, round(96 * item["open_items"] / most_items)),
            )
            for item in shown
        ]
        if known
        else []
    )
    rows = [
        dict(
            run=item["run"] or item["time"].text,
            verdict=item["verdict"],
            numbers=["not known" if item["open_items"] is None else number(item["open_items"])]
            + [number(item["counts"][outcome]) for outcome in URGENCY]
            + [number(sum(item["counts"].values()))],
        )
        for item in reversed(runs)
    ]
    aged = sorted(
        (target for target in targets if target["days"] is not None and target["seen_open"]), key=lambda target: -target["days"]
    )
    longest = [target for target in aged if target["days"] > 0][:MAX_OLDEST]
    oldest = [dict(target, share="%.1f" % (100 * target["days"] / longest[0]["days"])) for target in longest]
    unseen = sum(target["outcome"] in NEEDS_ACTION and not target["seen_open"] for target in targets)
    return dict(
        lead=lead_of(runs),
        columns=columns,
        items=items,
        rows=rows,
        ages=ages_of(aged),
        oldest=oldest,
        oldest_title="Open the longest",
        unseen="%s not verified, and not known to be open" % plural(unseen, "target") if unseen else "",
    )


def run_of(item: dict[str, Any]) -> dict[str, Any]:
    """A run of the history."""
    counts = counts_of(item.get("counts"))
    open_items = item.get("open_items") if is_count(item.get("open_items")) else None
    if not counts[REMEDIATED] and not counts[UNREMEDIATED]:
        # Nothing was learned, also where an older version wrote that nothing is open.
        open_items = open_items or None
    return dict(
        run=words(item.get("run")),
        time=Moment(item.get("finished_at")),
        counts=counts,
        open_items=open_items,
        verdict=VERDICTS.get(words(item.get("verdict")), ""),
    )


def lead_of(runs: list[dict[str, Any]]) -> str:
    """The change since the run before, in a sentence."""
    if not runs:
        return "No run was recorded."
    if len(runs) > 1 and None not in (runs[-1]["open_items"], runs[-2]["open_items"]):
        now, before = runs[-1]["open_items"], runs[-2]["open_items"]
        return "%s in this run, %s in the run before." % (plural(now, "open item"), compared(now, before))
    now = sum(runs[-1]["counts"][outcome] for outcome in NEEDS_ACTION)
    if len(runs) == 1:
        return "This is the first run: %s." % (plural(now, "open target") if now else "no target is open")
    before = sum(runs[-2]["counts"][outcome] for outcome in NEEDS_ACTION)
    return "%s in this run, %s in the run before." % (plural(now, "open target"), compared(now, before))


def compared(now: int, before: int) -> str:
    """How a number of things compares with the one before."""
    return "as many as" if now == before else "%s %s than" % (number(abs(now - before)), "fewer" if now < before else "more")


def column_of(item: dict[str, Any], most: int) -> dict[str, Any]:
    """A column of the chart, from the bottom up; its height is what it is compared by."""
    there = [outcome for outcome in NEEDS_ACTION if item["counts"][outcome] > 0]
    total = sum(item["counts"][outcome] for outcome in there)
    parts, filled = [], 0.0
    for outcome in there:
        height = 100 * item["counts"][outcome] / total
        parts.append(dict(outcome=outcome, y="%.2f" % (100 - filled - height), height="%.2f" % max(0.5, height - 1)))
        filled += height
    return dict(
        open=number(total),
        time=item["time"],
        parts=parts,
        height=max(2, round(128 * total / most)),
        text=", ".join("%s %s" % (number(item["counts"][outcome]), outcome) for outcome in NEEDS_ACTION),
    )


def ages_of(aged: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(words, number of targets) for each stretch of time that has any."""
    found = dict.fromkeys((name for name, _days in AGES), 0)
    for target in aged:
        days = max(1, round(target["days"])) if target["days"] else 0
        found[next(name for name, most in AGES if most is None or days <= most)] += 1
    return [(name, number(count)) for name, count in found.items() if count]


# --- the record ---


def words_of_reports(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The words that counted, by target: those with words that the user configured come first."""
    found = [
        dict(
            anchor=target["anchor"],
            title=target["title"],
            words=target["words"][:MAX_WORDS],
            left_out=number(max(0, len(target["words"]) - MAX_WORDS)),
            configured=any(entry["configured"] for entry in target["words"]),
        )
        for target in targets
        if target["words"]
    ]
    return sorted(found, key=lambda item: not item["configured"])


def previous_of(verification: dict[str, Any]) -> dict[str, str] | None:
    """The run before, or None."""
    previous = dict_of(verification.get("previous_run"))
    return dict(run=words(previous.get("run")), sha256=words(previous.get("sha256sums_sha256"))) if previous else None


def control_of(control: str) -> dict[str, str]:
    """`ac-6.7` as people write it: AC-6(7)."""
    name, dot, enhancement = control.upper().partition(".")
    return dict(name="%s(%s)" % (name, enhancement) if dot else name, title=CONTROLS.get(control.lower(), ""))
