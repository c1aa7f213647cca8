# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the page says, and that nothing from an API becomes markup. How it looks and works: tests/browser."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from html.parser import HTMLParser

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_page import (
    CONTROLS,
    FILES,
    MAX_NAMED,
    MAX_ROWS,
    Moment,
    Run,
    page,
    span,
    visible,
)
from ansible_collections.secops.remediation.plugins.module_utils._evidence.page_template import SCRIPT

VOID = ("meta", "link", "br", "input", "rect", "path", "circle", "use", "wbr")
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<!-- ",
    "{{ 7 * 7 }}",
    "{% include 'x' %}",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "&lt;script&gt;",
    "' style='color:red",
    "=1+1",
)


class Reader(HTMLParser):
    """What a browser would see: elements with their attributes, and text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.inside = [], [], []
        self.feed(text)
        self.close()
        self.text = re.sub(r"\s+", " ", " ".join(self.texts))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        # Some end tags may be left out.
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if not set(self.inside) & {"script", "style"}:
            self.texts.append(data)

    def tags(self):
        return sorted({tag for tag, _attributes in self.elements})

    def all(self, name):
        return [attributes[name] for _tag, attributes in self.elements if name in attributes]


def target(**changes):
    """A target with every key that is always there."""
    return dict(
        dict(
            kind="campaign",
            id="c1",
            name="A review",
            outcome="remediated",
            reason="2 of 2 items remediated",
            open_since=None,
            scan_id=None,
            started_at="2026-03-02T10:00:05Z",
            finished_at="2026-03-02T10:03:00Z",
            system="https://one.example",
            requests=[],
            evidence=[],
        ),
        **changes,
    )


def verification(*targets, verdict="not_verified", **changes):
    counts = {
        outcome: sum(item["outcome"] == outcome for item in targets)
        for outcome in ("remediated", "unremediated", "pending", "inconclusive")
    }
    counts["total"] = len(targets)
    return dict(
        dict(
            schema_version="1.1",
            collection=dict(name="secops.remediation", version="1.2.3"),
            run="20260302T100000Z",
            verdict=verdict,
            summary="Not verified: it is not.",
            counts=counts,
            started_at="2026-03-02T10:00:00Z",
            finished_at="2026-03-02T10:04:10Z",
            controls=["ac-2", "ac-6.7", "xy-1"],
            previous_run=None,
            history=[],
            targets=list(targets),
        ),
        **changes,
    )


def full(**changes):
    """A target of which everything is known."""
    return target(
        **dict(
            dict(
                outcome="unremediated",
                reason="1 of 2 items still open",
                open_since="2026-02-20T10:00:00Z",
                scan_id="s1",
                requests=[
                    dict(
                        method="POST",
                        path="/campaigns/v1/c1/run-remediation-scan",
                        status=202,
                        reference="trackingId abc",
                        server_time="2026-03-02T10:00:06Z",
                    )
                ],
                evidence=[dict(path="reports/c1.csv", sha256="ab" * 32)],
                campaign=dict(name="A review", type="MANAGER", status="COMPLETED"),
                scan=dict(status="finished", result=None, modified_before="2026-03-01T00:00:00Z"),
                report=dict(
                    id="r1", status="SUCCESS", lastRunAt="2026-03-02T10:03:30Z", reportType="CAMPAIGN_REMEDIATION_STATUS_REPORT"
                ),
                items=dict(
                    items_total=2,
                    items_remediated=1,
                    items_open=1,
                    items_unknown=0,
                    status_column="State",
                    open_items=[{"Who": "Ada", "Where": "Ledger", "State": "Open"}],
                ),
            ),
            **changes,
        )
    )


def exposure(**changes):
    return target(
        **dict(
            dict(
                kind="exposure",
                id="7:RdpServer:abc",
                name="RDP Server at 192.0.2.9:3389",
                outcome="unremediated",
                reason="still there",
                open_since="2026-03-02T10:04:10Z",
                scan_id="scan-9",
                system="https://two.example",
                alert_internal_id="7",
                attack_surface_rule_id="RdpServer",
                service_id="abc",
                alert=dict(
                    name="RDP Server",
                    severity="high",
                    case_id=3,
                    ipv4_addresses=["192.0.2.9"],
                    domain_names="host.example",
                    port_protocol="TCP",
                    attack_surface_rule_name="RDP Server",
                    business_unit_hierarchies=[[dict(name="Group"), dict(name="Unit")]],
                ),
                scan=dict(status="SUCCESS", result="UNREMEDIATED"),
            ),
            **changes,
        )
    )


@pytest.mark.parametrize(
    "verdict, word",
    (
        ("verified", "Verified"),
        ("not_verified", "Not verified"),
        ("incomplete", "Not finished yet"),
        ("new word", "Not verified"),
    ),
)
def test_it_says_the_verdict(verdict, word):
    seen = Reader(page(verification(target(), verdict=verdict, summary=word + ": it says so."))).text
    assert "%s It says so." % word in seen
    assert "%s: verification of remediation, 20260302T100000Z" % word in seen


@pytest.mark.parametrize("outcome", ("remediated", "unremediated", "pending", "inconclusive"))
@pytest.mark.parametrize("kind", ("campaign", "exposure"))
def test_it_shows_every_outcome(kind, outcome):
    since = None if outcome == "remediated" else "2026-02-20T10:00:00Z"
    seen = Reader(page(verification(target(kind=kind, outcome=outcome, reason="because of this", open_since=since))))
    # Of an exposure that is still there, the table says where it is.
    once = outcome == "remediated" or (kind, outcome) == ("exposure", "unremediated")
    assert seen.text.count("because of this") == (1 if once else 2)
    assert seen.all("data-outcome") == [outcome] and seen.all("data-kind") == [kind]
    assert ("10 days since 2026-02-20" in seen.text) == (outcome != "remediated")
    assert "1 targets: %d remediated" % (outcome == "remediated") in seen.all("aria-label")[1]


def test_it_shows_who_and_where():
    seen = Reader(page(verification(full(), exposure()))).text
    for text in (
        "Ada",
        "Ledger",
        "192.0.2.9",
        "host.example",
        "3389 TCP",
        "High",
        "RDP Server",
        "Group \u203a Unit",
        "Alert 7, case 3",
        "Open for 10 days (since 2026-02-20)",
        "new in this run",
    ):
        assert text in seen, text


def test_it_shows_how_a_result_was_obtained():
    seen = Reader(page(verification(full())))
    for text in (
        "POST /campaigns/v1/c1/run-remediation-scan 202 trackingId abc 2026-03-02 10:00:06",
        "SHA-256 " + "ab" * 32,
        "2 in the report: 1 remediated, 1 open",
        "https://one.example",
        "CAMPAIGN_REMEDIATION_STATUS_REPORT, SUCCESS",
        "Campaign changed before the scan 2026-03-01 00:00:00",
    ):
        assert text in seen.text, text
    assert "./reports/c1.csv" in seen.all("href")


def test_what_needs_action_comes_first():
    seen = Reader(
        page(verification(target(id="a"), target(id="b", outcome="pending"), target(id="c", outcome="inconclusive"), full()))
    )
    assert seen.all("data-outcome") == ["unremediated", "inconclusive", "pending", "remediated"]
    assert seen.text.index("Needs action") < seen.text.index("Ada") < seen.text.index("Every target shows how")


def test_the_worst_exposures_come_first():
    exposures = [
        exposure(id=severity, name="%s one" % severity, alert=dict(severity=severity))
        for severity in ("low", "critical", "unheard-of", "high")
    ]
    seen = Reader(page(verification(*exposures))).text
    places = [seen.index(severity + " one") for severity in ("critical", "high", "low", "unheard-of")]
    assert places == sorted(places)


def test_targets_with_the_same_reason_are_told_once():
    many = [
        target(id="c%d" % number, name=None, outcome="inconclusive", reason="the API is down") for number in range(MAX_NAMED + 50)
    ]
    seen = Reader(page(verification(*many))).text
    action = seen[: seen.index("Every target shows how")]
    assert action.count("the API is down") == 1
    assert "150 targets" in action and "50 more with this reason are among all targets" in action
    assert seen.count("the API is down") == 1 + len(many)


def test_rows_beyond_what_a_browser_bears_are_counted_and_named():
    items = [{"Who": "person %d" % number} for number in range(MAX_ROWS + 10)]
    crowd = full(items=dict(items_total=9000, items_open=9000, open_items=items))
    seen = Reader(page(verification(crowd, full(id="c2", name="The next"))))
    assert "2,000 of 9,000 open items are shown. All of them are in the report: reports/c1.csv" in seen.text
    assert "0 of 1 open item are shown." in seen.text
    assert "person 1999" in seen.text and "person 2000" not in seen.text


def test_nothing_to_do_and_nothing_at_all():
    assert "Every target is remediated." in Reader(page(verification(target(), verdict="verified"))).text
    seen = Reader(page(verification(verdict="incomplete", summary="Nothing was verified: no target was found."))).text
    assert "Nothing was verified: no target was found." in seen and "No target was found." in seen
    assert "All targets" not in seen


def test_the_timeline_is_in_order():
    seen = Reader(page(verification(full(), exposure(started_at="2026-03-02T09:59:00Z", finished_at=None)))).text
    timeline = seen[seen.index("Timeline of the run") :]
    titles = (
        "1 remediation confirmation scan requested",
        "all before this run began",
        "The verification began",
        "1 campaign remediation scan requested",
        "1 campaign remediation scan finished",
        "1 report made",
        "The evidence was written",
    )
    places = [timeline.index(title) for title in titles]
    assert places == sorted(places)


def test_the_history_is_shown():
    def run(day, unremediated):
        return dict(
            run="202602%02dT100000Z" % day,
            finished_at="2026-02-%02dT10:05:00Z" % day,
            verdict="not_verified",
            counts=dict(remediated=1, unremediated=unremediated, pending=1, inconclusive=2, total=4 + unremediated),
        )

    seen = Reader(page(verification(full(), history=[run(day, 20 - day) for day in range(1, 15)]))).text
    assert "9 open targets in this run, 1 fewer than in the run before." in seen
    assert "9 open: 6 unremediated, 2 inconclusive, 1 pending" in seen
    assert "The numbers of every run" in seen
    assert "8 to 30 days 1" in seen
    first = Reader(page(verification(full(), history=[run(1, 2)]))).text
    assert "This is the first run: 5 open targets." in first


@pytest.mark.parametrize(
    "verdict, shown",
    (("verified", "Verified"), ("not_verified", "Not verified"), ("incomplete", "Not finished yet"), ("odd", ""), (None, "")),
)
def test_each_run_of_the_history_has_its_verdict_in_words(verdict, shown):
    run = dict(run="20260201T100000Z", finished_at="2026-02-01T10:05:00Z", verdict=verdict, counts={})
    written = page(verification(full(), history=[run]))
    assert '20260201<wbr>T100000Z<br><span class="soft">%s</span>' % shown in written


def test_files_are_linked():
    files = ["verification.csv", "SHA256SUMS", "reports/c 1.csv", "reports/<x>.csv"]
    seen = Reader(page(verification(target()), files))
    links = [link for link in seen.all("href") if link.startswith("./")]
    assert links == ["./verification.csv", "./SHA256SUMS", "./reports/%3Cx%3E.csv", "./reports/c%201.csv"]
    assert FILES["verification.csv"] in seen.text and "2 more files" in seen.text and "sha256sum --check SHA256SUMS" in seen.text
    assert "sha256sum" not in Reader(page(verification(target()), ["verification.csv"])).text


@pytest.mark.parametrize(
    "path",
    (
        "javascript:alert(1)",
        "data:text/html,x",
        "//host.example/x",
        "/etc/passwd",
        "../../x",
        "a/../../x",
        "\\\\host\\x",
        "https://host.example/",
        "",
        "x#y?z",
    ),
)
def test_a_path_leads_nowhere_else(path):
    seen = Reader(page(verification(full(evidence=[dict(path=path, sha256="x")])), [path]))
    for link in seen.all("href"):
        assert re.fullmatch(r"#[a-z0-9-]+|data:,|\./[A-Za-z0-9_.~/%-]+", link), link
        assert ".." not in link


def test_controls_and_the_run_before():
    seen = Reader(page(verification(target(), previous_run=dict(run="20260201T000000Z", sha256sums_sha256="cd" * 32)))).text
    assert "AC-2 %s" % CONTROLS["ac-2"] in seen and "AC-6(7) %s" % CONTROLS["ac-6.7"] in seen and "XY-1" in seen
    assert "20260201T000000Z" in seen and "cd" * 32 in seen


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_an_api_is_only_ever_text(attack):
    def poison(value, keep=()):
        if isinstance(value, dict):
            return {key: item if key in keep else poison(item, keep) for key, item in value.items()}
        return [poison(item, keep) for item in value] if isinstance(value, list) else attack

    keep = ("kind", "outcome", "verdict", "history", "counts", "open_since", "started_at", "finished_at", "targets")
    plain = verification(full(), exposure(), target(outcome="inconclusive"))
    hostile = poison(copy.deepcopy(plain), keep)
    hostile["targets"] = [poison(item, keep) for item in plain["targets"]]
    hostile["targets"][0]["items"]["open_items"] = [{attack: attack, "Who": attack}]
    written = page(hostile, [attack])
    seen, usual = Reader(written), Reader(page(plain, ["x"]))
    assert set(seen.tags()) <= set(usual.tags()) | {"b", "bdi", "br"}
    names = {name for _tag, attributes in seen.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src")]
    assert sum(tag == "script" for tag, _attributes in seen.elements) == 1
    assert written.count("<!--") == 0
    assert re.sub(r"\s+", " ", attack).strip() in seen.text


def test_only_its_own_script_and_style_are_allowed():
    written = page(verification(target()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', written)[1]
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        content = re.search(r"<%s>(.*?)</%s>" % (tag, tag), written, re.DOTALL)[1]
        fingerprint = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert "%s 'sha256-%s'" % (directive, fingerprint) in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy and SCRIPT in written
    assert not re.search(r"https?://(?!one\.example)", written)


@pytest.mark.parametrize(
    "text, shown",
    (
        ("a\u202egpj.exe", "a[U+202E]gpj.exe"),
        ("nul\x00", "nul[U+0000]"),
        ("lone \ud800", "lone [U+D800]"),
        ("\u2066x\u2069", "[U+2066]x[U+2069]"),
        ("\x1b[31m", "[U+001B][31m"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("tab\tline\n", "tab\tline\n"),
    ),
)
def test_nothing_breaks_the_file_or_turns_what_is_around_it(text, shown):
    assert visible(text) == shown and visible({text: [text, (text,)]}) == {shown: [shown, [shown]]}
    written = page(verification(full(name=text, items=dict(open_items=[{text: text}]))), [text])
    assert shown.strip() in written
    written.encode("utf-8")


@pytest.mark.parametrize(
    "content",
    (
        {},
        dict(targets=None),
        dict(targets=[{}]),
        dict(targets=[dict(kind="?", outcome="?", requests=None, evidence=None)]),
        verification(target(name=None, id=None, reason=None, system=None, started_at=None, finished_at=None)),
        verification(exposure(alert=None, scan=None, name=None)),
        verification(full(items=None, campaign=None, report=None)),
        verification(
            exposure(alert=dict(severity=None, ipv4_addresses=None, business_unit_hierarchies="A unit", domain_names=[None, 5]))
        ),
        verification(
            exposure(
                alert=dict(business_unit_hierarchies=[dict(name="A"), ["B", None]], severity=["high"], ipv4_addresses={"a": 1})
            )
        ),
        verification(full(requests=[{}, None, dict(status=None, path=5)], evidence=[{}, None, dict(path=None)])),
        verification(full(items=dict(open_items=[{}, {"A": None}, {"B": ["x", 1]}, None], items_open=None))),
        verification(full(open_since="yesterday", started_at="2026-99-99T00:00:00Z", finished_at="soon")),
        verification(
            full(),
            started_at=None,
            finished_at="?",
            history=[{}, None, dict(counts=None, finished_at=5)],
            controls=None,
            counts=None,
            collection=None,
            summary=None,
            run=None,
            previous_run={},
        ),
    ),
)
def test_whatever_is_missing_or_strange_the_page_is_made(content):
    seen = Reader(page(content))
    assert "Needs action" in seen.text and "None" not in seen.text and "Undefined" not in seen.text


@pytest.mark.parametrize(
    "text, shown",
    (
        ("2026-03-02T10:00:05Z", "2026-03-02 10:00:05"),
        ("2026-03-02T10:00:05.123456789Z", "2026-03-02 10:00:05"),
        ("2026-03-02T10:00:05.1+02:00", "2026-03-02 08:00:05"),
        ("2026-03-02 23:30:00 -0130", "2026-03-03 01:00:00"),
        ("2026-03-02T10:00", "2026-03-02 10:00:00"),
        ("2026-13-02T10:00:05Z", "2026-13-02T10:00:05Z"),
        ("never", "never"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        (None, ""),
        (5, "5"),
    ),
)
def test_times_are_shown_in_utc(text, shown):
    assert Moment(text).text == shown


@pytest.mark.parametrize(
    "seconds, shown",
    (
        (0, "0 seconds"),
        (1, "1 second"),
        (60, "1 minute"),
        (7199, "1 hour"),
        (86400, "24 hours"),
        (36 * 3600, "2 days"),
        (13.99 * 86400, "14 days"),
        (400 * 86400, "400 days"),
    ),
)
def test_durations(seconds, shown):
    assert span(seconds) == shown


def test_a_target_that_this_run_saw_first_is_new():
    run = Run(dict(started_at="2026-03-02T10:00:00Z", finished_at="2026-03-02T10:04:10Z"))
    assert run.open_for(Moment("2026-03-02T10:04:10Z")) == ("new in this run", 0)
    assert run.open_for(Moment("2026-03-02T08:04:10Z"))[0] == "2 hours"
    assert run.open_for(Moment(None)) == ("", None)


def test_the_same_record_makes_the_same_page():
    record = verification(full(), exposure())
    before = copy.deepcopy(record)
    assert page(record, ["SHA256SUMS"]) == page(record, ["SHA256SUMS"])
    assert record == before


# --- what version 1.2 has ---

WORDS = [
    dict(word="Done", count=2, meaning="remediated", source="configured"),
    dict(word="<b>Open", count=1, meaning="open", source="built_in"),
    dict(word="", count=1, meaning="?", source=["x"]),
]


def test_words_that_counted_are_shown_and_the_users_are_marked():
    items = dict(full()["items"], words=WORDS)
    seen = Reader(page(verification(full(items=items)))).text
    section = seen[seen.index("What the reports say about the state") :]
    for text in ("Done 2 remediated configured by the user", "<b>Open 1 open built in", "nothing 1 unknown nowhere"):
        assert text in section, text
    assert "'Done' (2): remediated, as the user configured" in seen
    assert "What the reports say" not in Reader(page(verification(full()))).text


def test_words_of_many_campaigns_are_all_on_the_page():
    made = [
        full(id="c%d" % number, items=dict(full()["items"], words=[dict(WORDS[1], word="word %d" % number)]))
        for number in range(MAX_NAMED + 20)
    ]
    made.append(full(id="last", name="The last", items=dict(full()["items"], words=WORDS)))
    seen = Reader(page(verification(*made))).text
    section = seen[seen.index("What the reports say about the state") :]
    assert section.index("The last") < section.index("word 1")
    assert "The words of 21 more are shown" in section
    for number in range(MAX_NAMED + 20):
        assert "word %d" % number in seen


def test_since_when_are_two_facts():
    seen = Reader(
        page(
            verification(
                full(open_since="2026-02-27T10:00:00Z", not_verified_since="2026-02-20T10:00:00Z"),
                target(id="c2", outcome="pending", open_since=None, not_verified_since="2026-02-20T10:00:00Z"),
            )
        )
    ).text
    assert "First seen open 2026-02-27 10:00:00" in seen and "First not verified 2026-02-20 10:00:00" in seen
    assert "Open for 3 days (since 2026-02-27)" in seen
    assert "not verified for 10 days since 2026-02-20" in seen
    assert "1 target not verified, and not known to be open." in seen


def test_a_run_that_learned_nothing_is_a_gap():
    def run(day, open_items, **counts):
        none = dict.fromkeys(("remediated", "unremediated", "pending", "inconclusive"), 0)
        return dict(
            run="202602%02dT100000Z" % day,
            finished_at="2026-02-%02dT10:05:00Z" % day,
            verdict="not_verified",
            open_items=open_items,
            counts=dict(none, **counts),
        )

    history = [run(1, 3, unremediated=1), run(2, None, inconclusive=9), run(3, 0, inconclusive=9), run(4, 0, remediated=1)]
    seen = Reader(page(verification(full(), history=history)))
    chart = seen.text[seen.text.index("Open items in each run") : seen.text.index("Open targets in each run")]
    assert chart.count("not known") == 2 and chart.count("open items") == 2
    assert "0 open items" not in seen.text[: seen.text.index("From run to run")]
    # Not compared with a run of which nothing is known.
    seen = Reader(page(verification(full(), history=history[:2]))).text
    assert "open targets in this run" in seen and "0 open items" not in seen


@pytest.mark.parametrize(
    "replay, said",
    (
        (dict(followed=46, total=46), "46 of 46 outcomes follow from the answers on record."),
        (dict(followed=45, total=46), "45 of 46 outcomes follow from the answers on record. The others do not"),
        (None, ""),
        ({}, ""),
        (dict(followed="46", total=46), ""),
    ),
)
def test_it_says_what_follows_from_the_records(replay, said):
    seen = Reader(page(verification(full(), replay=replay))).text
    assert said in seen and ("on record" in seen) == bool(said)
    assert ("The others" in seen) == ("The others" in said)


def test_look_ups_with_a_problem_need_action():
    seen = Reader(
        page(
            verification(
                target(),
                verdict="not_verified",
                lookups=[
                    dict(kind="filter", asked="<x>", problem="no campaign fits it"),
                    dict(kind="case", asked="7", problem=None),
                ],
            )
        )
    ).text
    action = seen[: seen.index("Every target shows how")]
    assert "filter <x>" in action and "No campaign fits it" in action.replace("no campaign", "No campaign")
    assert "case 7" not in seen and "Nothing has to be dealt with" not in seen


def test_a_target_of_another_kind_is_called_what_it_is():
    host = dict(kind="host <1>", id="h", name="A host", outcome="unremediated", reason="there")
    seen = Reader(page(verification(target(), host)))
    assert "Still there, of a kind that is not known here: host <1>" in seen.text
    assert "A system of another kind: host <1>" in seen.text and "Xpanse" not in seen.text
    assert "host <1>" in seen.all("value") and "Host <1>" in seen.text


def test_what_is_told_of_targets_is_not_what_a_count_says():
    seen = Reader(page(verification(full(), target(outcome="great"), counts=dict(remediated=7, total=7)))).text
    assert "0 remediated, 1 unremediated, 1 inconclusive" in " ".join(
        Reader(page(verification(full(), target(outcome="great"), counts=dict(remediated=7)))).all("aria-label")
    )
    assert "the outcome 'great' is not known" in seen


def test_nothing_depends_on_the_style_to_be_seen():
    written = page(verification(full(), exposure(), history=[]))
    shapes = re.findall(r"<(?:rect|circle)\b[^>]*>", written)
    assert len(shapes) > 20
    assert not [shape for shape in shapes if "fill=" not in shape]
    for path in re.findall(r"<path\b[^>]*>", written):
        assert "fill=" in path or "stroke=" in path
    assert not [svg for svg in re.findall(r"<svg\b[^>]*>", written) if "height=" not in svg or "width=" not in svg]


def test_directional_marks_are_named():
    assert visible("a\u200fb\u061cc\u200ed\u206ae") == "a[U+200F]b[U+061C]c[U+200E]d[U+206A]e"


def two_witnesses(**changes):
    """A target of which the report says one thing, and the access another one."""
    says = [
        dict(name="report", outcome="remediated", reason="all of it is done"),
        dict(name="access", outcome="unremediated", reason="one is still there"),
    ]
    row = {"Identity": "Ada Byron", "Access": "Payments", "Account": "", "Why": "a role gave it again"}
    items = dict(items_total=2, items_remediated=2, items_open=0, items_unknown=0, open_items=[])
    access = dict(items, items_remediated=1, items_open=1, open_items=[row], as_of="2026-03-02T10:02:00Z")
    return target(
        **dict(dict(outcome="unremediated", reason="both", open_since="x", witnesses=says, items=items, access=access), **changes)
    )


def test_witnesses_are_shown_side_by_side():
    reader = Reader(page(verification(two_witnesses())))
    shown = reader.text
    assert re.search("Remediated says the report all of it is done .*Unremediated says the access one is still there", shown)
    assert "Seen by the access" in shown and "a role gave it again" in shown and "Seen by the report" not in shown
    # What has no value in any row is no column.
    columns = [attributes["data-column"] for _tag, attributes in reader.elements if "data-column" in attributes]
    assert columns == ["Identity", "Access", "Why"]
    assert "2 revoked: 1 gone, 1 still there" in shown and "The access says unremediated: one is still there" in shown


def test_items_that_are_left_out_are_said_to_be_where_they_are():
    access = dict(two_witnesses()["access"], items_open=300)
    text = page(verification(two_witnesses(access=access, evidence=[dict(path="records/revoked_access.json", sha256="0" * 64)])))
    assert "1 of 300 open items are shown. All of them are on record:" in Reader(text).text


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_witness_says_becomes_no_markup(attack):
    says = [dict(name=name, outcome="unremediated", reason=attack) for name in ("report", "access")]
    access = dict(two_witnesses()["access"], open_items=[{attack: attack}])
    plain = Reader(page(verification(two_witnesses())))
    assert Reader(page(verification(two_witnesses(witnesses=says, access=access)))).tags() == plain.tags()
