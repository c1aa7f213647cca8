# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import csv
import io
import json
import locale
import re
import sys
import time
import unicodedata
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

import pytest
import verification_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ansible_collections.secops.remediation.plugins.module_utils._common import texts, times
from ansible_collections.secops.remediation.plugins.module_utils._evidence import (
    form_csv,
    form_junit,
    form_markdown,
    form_oscal,
    form_page,
    record,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import NEEDS_ACTION, OUTCOMES

SAMPLES = samples.all_samples()
EVERY, HOSTILE = SAMPLES["every outcome"], SAMPLES["hostile"]
WRITERS = (form_csv.csv_text, form_csv.open_items_csv, form_junit.junit_xml, form_markdown.markdown)
# All characters, halves of surrogate pairs too; and more often those that mean something somewhere.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=())),
    st.text(st.sampled_from("=+-@\t\r\n \"'`;,|<>&[]()!#*_~\\{}$:/.w1aA\u200b\uff1d\ufeff\x00\x1b\ud800\u202e")),
    st.sampled_from(samples.HOSTILE),
)
QUICKLY = settings(max_examples=150, deadline=None, database=None)


def with_text(text, outcome="unremediated"):
    """A content in which a text is everywhere where one may be."""
    content = samples.verify(samples.results_of([(kind, outcome) for kind in samples.KINDS]))
    for target in content["targets"]:
        target.update(id=text, name=text, reason=text, system=text, scan_id=text)
        target["requests"] = [dict(method=text, path=text, status=200, reference=text, server_time=text)]
        target["evidence"] = [dict(path=text, sha256=text)]
        for key in ("campaign", "alert"):
            if key in target:
                target[key] = dict.fromkeys(target[key], [{text: text}, text])
        if "items" in target:
            target["items"]["open_items"] = [{text: text, "Identity": text}]
            target["items"]["words"] = [
                dict(word=text, count=2, meaning="open", source="configured"),
                dict(column=text, word=text, count=text),
            ]
    return dict(content, lookups=[dict(kind=text, asked=text, found=0, problem=text)])


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_outcome_is_written_and_nothing_is_changed(writer, name):
    content = copy.deepcopy(SAMPLES[name])

    text = writer(content)

    assert text == writer(content)
    assert content == SAMPLES[name]
    assert text.encode("utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("writer", WRITERS)
def test_only_what_is_always_there_is_needed(writer):
    content = copy.deepcopy(EVERY)
    for target in content["targets"]:
        for key in set(target) - {"kind", "id", "outcome", "reason"}:
            target[key] = None
    assert writer(content)
    for target in content["targets"]:
        for key in set(target) - {"kind", "id", "outcome", "reason"}:
            del target[key]
    assert writer(content)


@pytest.mark.parametrize("writer", WRITERS)
def test_five_thousand_targets_take_no_time(writer):
    content = samples.many(5000)
    start = time.perf_counter()

    writer(content)

    assert time.perf_counter() - start < 20


# --- texts and times ---


@pytest.mark.parametrize(
    "value, text",
    [
        (None, ""),
        (7, "7"),
        (" a\n b\t", "a b"),
        ([], ""),
        (["a", None, ["b"]], "a, b"),
        ({"id": 1, "name": "x"}, "x"),
        ({"id": 1, "name": None}, "1"),
        ("\ud800\x00", "\ufffd\ufffd"),
        ("a\u2028b", "a b"),
        ([[{"name": "a"}, {"name": "b"}]], "a, b"),
    ],
)
def test_a_value_in_one_line(value, text):
    assert texts.one_line(value) == text


def test_a_value_that_is_deeper_than_anybody_needs():
    value = "x"
    for _number in range(5000):
        value = [value]

    assert texts.one_line(value) == "\u2026"


def test_a_text_that_is_too_long():
    assert texts.one_line("x" * 11, 10) == "x" * 9 + "\u2026"
    assert texts.one_line("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    "value, expected",
    [
        ("2026-03-02T08:15:00Z", (2026, 3, 2, 8, 15)),
        ("2026-03-02T09:15:00.1234567+01:00", (2026, 3, 2, 8, 15, 0, 123456)),
        ("2026-03-02T00:15:00-0800", (2026, 3, 2, 8, 15)),
        ("2026-03-02 08:15:00", (2026, 3, 2, 8, 15)),
    ],
)
def test_times(value, expected):
    assert times.parse_time(value) == datetime(*expected, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        5,
        "now",
        "2026-13-02T08:15:00Z",
        "2026-03-02T25:15:00Z",
        "0001-01-01T00:00:00+23:00",
        "2026-03-02T08:15:00Zx",
        "2026-03-02T08:15:00+99:99x",
    ],
)
def test_what_is_no_time(value):
    assert times.parse_time(value) is None


@pytest.mark.parametrize(
    "value, text",
    [
        ("2026-03-02T08:15:00Z", "2026-03-02T08:15:00Z"),
        ("2026-03-02T09:15:00.987+01:00", "2026-03-02T08:15:00Z"),
        ("2026-03-02 08:15:00", "2026-03-02T08:15:00Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00Z"),
        ("yesterday", "yesterday"),
        (None, None),
        (5, 5),
        (["x"], ["x"]),
        ("0001-01-01T00:00:00+23:00", "0001-01-01T00:00:00+23:00"),
    ],
)
def test_times_have_one_spelling(value, text):
    assert times.spelled(value) == text


# --- what the forms read ---


def test_a_record_of_version_1_1_is_read_by_every_form():
    old = json.loads((Path(samples.__file__).parent / "verification-1.1.json").read_text("utf-8"))
    assert old["schema_version"] == "1.1"
    for name, form in (
        ("csv", form_csv.csv_text),
        ("items", form_csv.open_items_csv),
        ("junit", form_junit.junit_xml),
        ("markdown", form_markdown.markdown),
        ("page", form_page.page),
        ("oscal", lambda content: json.dumps(form_oscal.oscal(content, []))),
    ):
        assert "None" not in form(old), name
        assert samples.BEFORE[:10] in form(old), name


def test_a_record_of_any_shape_is_a_target():
    content = record.readable(
        dict(
            targets=[
                None,
                "x",
                [],
                {},
                dict(kind=["host"], outcome="great", reason=5),
                dict(outcome=["remediated"]),
                dict(kind="campaign", outcome="remediated", requests=[None, {}], evidence={"path": 5}, items=[], scan_id=[1]),
            ]
        )
    )

    assert [target["outcome"] for target in content["targets"]] == ["inconclusive"] * 6 + ["remediated"]
    assert content["counts"] == dict(remediated=1, unremediated=0, pending=0, inconclusive=6, total=7)
    assert "the outcome 'great' is not known: 5" in content["targets"][4]["reason"]
    assert content["targets"][6]["evidence"] == [dict(path="5", sha256="")]


def test_before_1_2_a_target_was_open_since_it_was_not_verified():
    old, new = (
        record.target_of(dict(open_since="2026-01-01T00:00:00Z")),
        record.target_of(dict(open_since=None, not_verified_since="2026-01-01T00:00:00Z")),
    )

    assert old["not_verified_since"] == old["open_since"] == new["not_verified_since"]
    assert new["open_since"] is None


OTHER_KIND = dict(kind="host", id="h1", name="a host", outcome="unremediated", reason="it is still there")


@pytest.mark.parametrize("kind", ["host", "", None, "CAMPAIGN", ["campaign"], {"name": "exposure!"}, 5, "x" * 9000, "<b>"])
@pytest.mark.parametrize("outcome", ["remediated", "unremediated", "inconclusive", "pending", "great", None])
def test_a_target_of_another_kind_is_in_every_form(kind, outcome):
    content = copy.deepcopy(SAMPLES["exposures only"])
    content["targets"].append(dict(OTHER_KIND, kind=kind, outcome=outcome))

    rows = rows_of(form_csv.csv_text(content))
    assert rows[1]["id"] == "h1" and rows[1]["outcome"] == (outcome if outcome == "unremediated" else "inconclusive")
    root = ElementTree.fromstring(form_junit.junit_xml(content).encode())
    assert len(root.findall("testsuite")) == 2
    assert root.get("failures") != "0" or root.get("errors") != "0"
    suite = root.findall("testsuite")[1]
    assert kind == "" or kind is None or "kind" in suite.get("name")
    assert "Xpanse" not in suite.get("name") and "SailPoint" not in suite.get("name")
    assert int(suite.get("failures")) == (outcome == "unremediated")
    assert int(suite.get("errors")) == (outcome != "unremediated")
    assert "a host" in form_markdown.markdown(content)
    assert len(rows_of(form_csv.open_items_csv(content))) == (outcome == "unremediated")


def test_words_that_counted_are_in_every_form():
    content = copy.deepcopy(EVERY)
    for target in content["targets"][:2]:
        target["items"]["words"] = samples.WORDS + [dict(column="Item Status", word="", count=3, meaning="?", source="built_in")]
    row = rows_of(form_csv.csv_text(content))[0]
    assert row["words"] == (
        "'Vollzogen' (2): remediated, as the user configured; 'Remediated' (1): remediated; Item Status nothing (3): unknown"
    )
    assert "word: 'Vollzogen' (2): remediated, as the user configured" in form_junit.junit_xml(content)
    text = form_markdown.markdown(content)
    assert "- `Vollzogen`: 4, taken for remediated, **configured by the user**\n- (none) of column `Item Status`: 6" in text
    assert "  - In words that the user configured: `Vollzogen` for remediated" in text
    # Also of a verification that needs no action.
    content = dict(content, targets=content["targets"][:1], verdict="verified")
    assert "`Vollzogen`: 2" in form_markdown.markdown(content)


def test_words_are_bounded_in_a_ticket_and_in_a_case():
    content = copy.deepcopy(EVERY)
    content["targets"][0]["items"]["words"] = [
        dict(word="word %d" % number, count=1, meaning="unknown", source="built_in") for number in range(1000)
    ]
    # Two are in another report.
    assert "- and 962 more words" in form_markdown.markdown(content)
    assert len(form_markdown.markdown(content)) < 32000
    assert "900 more words are in verification.json" in form_junit.junit_xml(content)
    assert "word 999" in form_csv.csv_text(content)


def test_since_when_are_two_facts():
    content = copy.deepcopy(EVERY)
    content["targets"][1].update(open_since="2026-02-01T00:00:00Z", not_verified_since="2026-01-01T00:00:00Z")
    content["targets"][3].update(open_since=None, not_verified_since="2026-01-05T00:00:00Z")
    rows = rows_of(form_csv.csv_text(content))
    assert [(rows[place]["open_since"], rows[place]["not_verified_since"]) for place in (1, 3)] == [
        ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("", "2026-01-05T00:00:00Z"),
    ]
    text = form_markdown.markdown(content)
    assert "Open since 2026-02-01. Not verified since 2026-01-01." in text
    assert "get the report again. Not verified since 2026-01-05." in text
    assert "first seen open: 2026-02-01T00:00:00Z\nfirst not verified: 2026-01-01T00:00:00Z" in form_junit.junit_xml(content)


def test_look_ups_that_found_nothing_are_told():
    content = dict(
        SAMPLES["verified"],
        verdict="not_verified",
        lookups=[
            dict(kind="filter", asked="name sw @team", found=0, problem="no campaign fits it"),
            dict(kind="case", problem=None),
            None,
        ],
    )
    text = form_markdown.markdown(content)
    assert "### Look-ups with a problem: 1\n\n- `filter name sw @team`: no campaign fits it" in text
    root = ElementTree.fromstring(form_junit.junit_xml(content).encode())
    assert (root.get("tests"), root.get("errors")) == ("3", "1")
    assert "no campaign fits it" in root.find("testsuite/testcase/error").text


@pytest.mark.parametrize("verdict", ["not_verified", "incomplete", None, "great", ["verified"]])
def test_junit_is_green_only_for_what_is_verified(verdict):
    root = ElementTree.fromstring(form_junit.junit_xml(dict(SAMPLES["verified"], verdict=verdict)).encode())
    assert root.get("errors") == "1"
    root = ElementTree.fromstring(form_junit.junit_xml(SAMPLES["verified"]).encode())
    assert (root.get("errors"), root.get("failures")) == ("0", "0")


def test_what_follows_from_the_records_is_said():
    content = dict(EVERY, replay=dict(followed=7, total=8))
    sentence = "7 of 8 outcomes follow from the answers on record."
    assert sentence in form_markdown.markdown(content) and sentence in form_junit.junit_xml(content)
    for nothing in (None, {}, dict(followed=None, total=8), 5):
        content = dict(EVERY, replay=nothing)
        assert "on record" not in form_markdown.markdown(content) + form_junit.junit_xml(content)


# Whatever JSON can hold, and more often what the forms look for.
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        TEXTS,
        st.sampled_from(OUTCOMES + samples.KINDS),
        st.sampled_from(["x" * 300, "2026-03-02T08:15:00Z", "9999-12-31T23:59:59-12:00"]),
    ),
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.dictionaries(
            st.one_of(TEXTS, st.sampled_from(("name", "open_items", "items_open", "words", "word", "count", "path", "counts"))),
            part,
            max_size=3,
        ),
    ),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            "id",
            "name",
            "reason",
            "open_since",
            "not_verified_since",
            "scan_id",
            "started_at",
            "finished_at",
            "system",
            "requests",
            "evidence",
            "campaign",
            "alert",
            "scan",
            "report",
            "items",
            "alert_internal_id",
            "attack_surface_rule_id",
            "service_id",
        ),
        JSON,
    ),
)
TARGET = st.one_of(
    JSON,
    st.builds(
        lambda fields, kind, outcome: dict(fields, kind=kind, outcome=outcome),
        FIELDS,
        st.one_of(st.sampled_from(samples.KINDS), JSON),
        st.one_of(st.sampled_from(OUTCOMES), JSON),
    ),
)
CONTENT = st.fixed_dictionaries(
    dict(targets=st.lists(TARGET, max_size=4)),
    optional=dict.fromkeys(
        (
            "schema_version",
            "collection",
            "run",
            "verdict",
            "summary",
            "counts",
            "started_at",
            "finished_at",
            "controls",
            "previous_run",
            "history",
            "replay",
            "lookups",
        ),
        JSON,
    ),
)


@given(CONTENT)
@settings(max_examples=150, deadline=None, database=None)
def test_no_odd_value_costs_a_form_or_a_target(content):
    expected = record.readable(content)
    numbers = expected["counts"]
    assert len(expected["targets"]) == len(content["targets"])

    rows = rows_of(form_csv.csv_text(content))
    assert [row["outcome"] for row in rows] == [target["outcome"] for target in expected["targets"]]
    open_rows = rows_of(form_csv.open_items_csv(content))
    assert len(open_rows) >= numbers["unremediated"]
    root = ElementTree.fromstring(form_junit.junit_xml(content).encode())
    assert (int(root.get("failures")), int(root.get("errors")) >= numbers["inconclusive"]) == (numbers["unremediated"], True)
    assert sum(len(suite.findall("testcase")) for suite in root) >= len(content["targets"])
    if content.get("verdict") != "verified" or numbers["remediated"] < numbers["total"]:
        assert any(root.iter(tag) for tag in ("failure", "error", "skipped"))
    text = form_markdown.markdown(content)
    assert ("### Still open: %d" % numbers["unremediated"] in text) == bool(numbers["unremediated"])
    (result,) = form_oscal.oscal(content, [])["assessment-results"]["results"]
    assert len(result.get("observations", ())) == len(content["targets"])
    assert len(result.get("risks", ())) == numbers["unremediated"]
    for finding in result.get("findings", ()):
        if finding["target"]["status"]["state"] == "satisfied":
            assert numbers["unremediated"] + numbers["inconclusive"] + numbers["pending"] < numbers["total"]
    written = form_page.page(content)
    assert re.findall(r'data-outcome="(\w+)"', written).count("remediated") == numbers["remediated"]
    for form in (text, form_csv.csv_text(content), written, form_junit.junit_xml(content)):
        assert not texts.UNFIT.search(form)
        form.encode("utf-8")


# --- CSV of open items ---


def test_open_items_say_who_what_where_and_since_when():
    rows = rows_of(form_csv.open_items_csv(EVERY))

    assert [row["kind"] for row in rows] == ["campaign", "exposure"]
    campaign, exposure = rows
    assert {
        name: campaign[name] for name in ("identity", "account", "access", "source", "target_id", "target_name", "open_since")
    } == dict(
        identity="Jo Novak",
        account="",
        access="WMS_SUPERVISOR",
        source="Warehouse",
        target_id=EVERY["targets"][1]["id"],
        target_name="Quarterly review",
        open_since=samples.BEFORE,
    )
    assert json.loads(campaign["item"]) == EVERY["targets"][1]["items"]["open_items"][0]
    assert {
        name: exposure[name]
        for name in (
            "alert_id",
            "attack_surface_rule",
            "service_id",
            "ip_addresses",
            "domain_names",
            "port",
            "severity",
            "business_units",
            "run",
        )
    } == dict(
        alert_id="4105",
        attack_surface_rule="RDP Server",
        service_id="service-4105",
        ip_addresses="192.0.2.10",
        domain_names="rdp.acme.example",
        port="3389 TCP",
        severity="high",
        business_units="Acme, Logistics",
        run=samples.RUN,
    )


def test_open_items_that_are_left_out_are_counted():
    content = copy.deepcopy(EVERY)
    content["targets"][1]["items"]["items_open"] = 12
    assert rows_of(form_csv.open_items_csv(content))[1]["item"].startswith("11 more open items are in the report: reports/")
    content["targets"][1]["items"]["open_items"] = []
    assert rows_of(form_csv.open_items_csv(content))[0]["item"].startswith("12 open items are in the report: reports/")
    del content["targets"][1]["items"]
    assert rows_of(form_csv.open_items_csv(content))[0]["target_id"] == content["targets"][1]["id"]


@pytest.mark.parametrize("name", ["Identity", "IDENTITY_NAME", "identityName", " display name "])
def test_columns_of_people_are_found_however_they_are_spelled(name):
    content = copy.deepcopy(EVERY)
    content["targets"][1]["items"]["open_items"] = [{name: "Ada", "Access": ""}]
    assert rows_of(form_csv.open_items_csv(content))[0]["identity"] == "Ada"


def test_a_file_without_open_items_has_its_header():
    assert form_csv.open_items_csv(SAMPLES["verified"]) == "\ufeff" + ",".join(form_csv.ITEM_COLUMNS) + "\r\n"


@given(TEXTS)
@QUICKLY
def test_no_text_makes_a_formula_of_an_open_item(text):
    rows = rows_of(form_csv.open_items_csv(with_text(text)))

    assert len(rows) == 2
    for row in rows:
        assert not [cell for cell in row.values() if could_be_a_formula(cell) or re.search("[\r\n\t]", cell)]


# --- CSV ---


def rows_of(text):
    assert text.startswith("\ufeff") and text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def could_be_a_formula(text):
    """Whether a program may take the text, or what stands after a separator in it, for a formula."""
    for part in re.split("[,;|\t\r\n]", text):
        seen = [
            character
            for character in part
            if not (
                character.isspace()
                or character in "\"'`\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u061c"
                or unicodedata.category(character) in ("Pi", "Pf", "Cc")
            )
        ]
        if seen and unicodedata.normalize("NFKC", seen[0])[0] in "=+-@" and not part.startswith("'"):
            return True
    return False


def test_csv_has_a_row_for_each_target():
    rows = rows_of(form_csv.csv_text(EVERY))

    assert [(row["kind"], row["outcome"]) for row in rows] == [(target["kind"], target["outcome"]) for target in EVERY["targets"]]
    campaign, exposure = rows[OUTCOMES.index("unremediated")], rows[len(OUTCOMES)]
    assert (campaign["run"], campaign["id"], campaign["name"]) == (samples.RUN, EVERY["targets"][1]["id"], "Quarterly review")
    assert [campaign["items_" + name] for name in ("total", "remediated", "open", "unknown")] == ["3", "2", "1", "0"]
    assert (campaign["campaign_status"], campaign["evidence_sha256"]) == ("COMPLETED", samples.SHA256)
    assert campaign["evidence"].startswith("reports/")
    assert (exposure["ip_addresses"], exposure["severity"], exposure["case_id"]) == ("192.0.2.10", "high", "91")
    assert (exposure["attack_surface_rule"], exposure["business_units"]) == ("RDP Server", "Acme, Logistics")


def test_csv_without_targets_has_its_header():
    assert form_csv.csv_text(SAMPLES["nothing"]) == "\ufeff" + ",".join(form_csv.COLUMNS) + "\r\n"


@pytest.mark.parametrize(
    "text, cell",
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\r=1", "'=1"),
        ("\n=1", "'=1"),
        ("  =1", "'=1"),
        ('"=1', "'\"=1"),
        ("'=1", "''=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20x", "'\uff20x"),
        ("\u200b=1", "'\u200b=1"),
        ("\u2212 1", "'\u2212 1"),
        ("a;=1", "a;'=1"),
        ('a, "-1', "a,' \"-1"),
        ("a|@x", "a|'@x"),
        ("a\t=1", "a =1"),
        ("a=1", "a=1"),
        ("3-4", "3-4"),
        ("me@acme.example", "me@acme.example"),
        ("", ""),
        ("Zone 7: server room", "Zone 7: server room"),
        (5, "5"),
        (None, ""),
    ],
)
def test_a_cell_is_never_a_formula(text, cell):
    assert form_csv.cell(text) == cell


def test_no_form_of_the_signs_is_forgotten():
    forms = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.normalize("NFKC", chr(code))[:1] in ("=", "+", "-", "@", "\u2212")
    ]

    assert len(forms) > 10
    assert [form for form in forms if not form_csv.cell(form + "1").startswith("'")] == []


def test_a_cell_is_not_longer_than_a_spreadsheet_takes():
    assert len(form_csv.cell("x" * 100000)) <= 32767


@given(TEXTS)
@QUICKLY
def test_no_text_makes_a_formula_or_a_row(text):
    rows = rows_of(form_csv.csv_text(with_text(text)))

    assert len(rows) == 2
    for row in rows:
        assert set(row) == set(form_csv.COLUMNS)
        assert not [cell for cell in row.values() if could_be_a_formula(cell)]
        assert not [cell for cell in row.values() if re.search("[\r\n\t]", cell)]


# --- JUnit XML ---


def test_junit_says_what_each_outcome_is():
    root = ElementTree.fromstring(form_junit.junit_xml(EVERY).encode())
    suites = root.findall("testsuite")

    assert [suite.get("name") for suite in suites] == ["SailPoint certification campaigns", "Cortex Xpanse exposures"]
    assert dict(root.attrib) == {
        "name": "Remediation verification %s" % samples.RUN,
        "tests": "8",
        "failures": "2",
        "errors": "2",
        "time": "367.000",
    }
    for suite in suites:
        assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "timestamp")} == {
            "tests": "4",
            "failures": "1",
            "errors": "1",
            "skipped": "1",
            "timestamp": "2026-03-02T08:15:00",
        }
        assert [[part.tag for part in case if part.tag != "system-out"] for case in suite.findall("testcase")] == [
            [],
            ["failure"],
            ["skipped"],
            ["error"],
        ]
    assert [suite.get("hostname") for suite in suites] == ["acme.api.identitynow.com", "api-acme.xdr.us.paloaltonetworks.com"]
    case = suites[0].findall("testcase")[1]
    assert (case.get("classname"), case.get("time")) == ("secops.remediation.campaign", "60.000")
    assert case.get("name") == "Quarterly review (%s)" % EVERY["targets"][1]["id"]
    failure = case.find("failure")
    assert (failure.get("message"), failure.get("type"), failure.text) == (
        "1 of 3 items still open",
        "unremediated",
        "1 of 3 items still open",
    )
    assert suites[0].findall("testcase")[2].find("skipped").get("message") == EVERY["targets"][2]["reason"]
    for words in (EVERY["targets"][1]["id"], "run-remediation-scan: HTTP 202, trackingId 0b3c", samples.SHA256, samples.BEFORE):
        assert words in case.find("system-out").text


# What junit-10.xsd of Jenkins' xUnit plugin allows: by element, its attributes, those it must have, and what may be in it.
ALLOWED = {
    "testsuites": ("name time tests failures errors", "", "testsuite"),
    "testsuite": (
        "name tests failures errors group time skipped timestamp hostname id package file log url",
        "name tests failures errors",
        "testsuite properties testcase system-out system-err",
    ),
    "properties": ("", "", "property"),
    "property": ("name value", "name value", ""),
    "testcase": ("name time classname group", "name", "skipped error failure system-out system-err"),
    "failure": ("type message", "", ""),
    "error": ("type message", "", ""),
    "skipped": ("type message", "", ""),
    "system-out": ("", "", ""),
    "system-err": ("", "", ""),
}


def assert_jenkins_takes(text):
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, required, children = (set(part.split()) for part in ALLOWED[element.tag])
        assert required <= set(element.attrib) <= attributes, element.tag
        assert {child.tag for child in element} <= children, element.tag
        if element.tag in ("testsuites", "testsuite"):
            assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get("time"))
            assert not (element.text or "").strip()


@pytest.mark.parametrize("name", SAMPLES)
def test_junit_is_valid_for_jenkins(name):
    assert_jenkins_takes(form_junit.junit_xml(SAMPLES[name]))


def test_junit_of_strange_targets_is_valid_for_jenkins():
    assert_jenkins_takes(form_junit.junit_xml(dict(targets=[{}, None, dict(OTHER_KIND, kind=None)])))


def test_junit_without_targets_is_no_success():
    root = ElementTree.fromstring(form_junit.junit_xml(SAMPLES["nothing"]).encode())

    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert root.find("testsuite/testcase/error").get("message") == SAMPLES["nothing"]["summary"]


def test_junit_has_only_suites_with_targets():
    root = ElementTree.fromstring(form_junit.junit_xml(SAMPLES["campaigns only"]).encode())

    assert [suite.get("name") for suite in root] == ["SailPoint certification campaigns"]


def test_junit_names_are_the_same_in_the_next_run_and_only_once():
    content = samples.verify(samples.results_of([("campaign", "remediated")] * 3))
    for target, name in zip(content["targets"], ("a", "a", "a (1) #2"), strict=True):
        target.update(id="1", name=name)
    content["targets"][2]["id"] = "a (1) #2"

    names = [case.get("name") for case in ElementTree.fromstring(form_junit.junit_xml(content).encode()).iter("testcase")]

    assert names == ["a (1)", "a (1) #2", "a (1) #2 #2"]


def test_junit_of_several_systems_is_of_no_host():
    content = samples.verify(samples.results_of([("campaign", "remediated")] * 2))
    content["targets"][0]["system"] = "https://[broken"
    assert 'hostname="acme.api.identitynow.com"' in form_junit.junit_xml(content)
    content["targets"][0]["system"] = "https://other.example"
    assert 'hostname="localhost"' in form_junit.junit_xml(content)


def assert_junit_holds(text, content):
    root = ElementTree.fromstring(text.encode())
    for suite in root:
        cases = suite.findall("testcase")
        assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) == int(suite.get("tests"))
        for case in cases:
            assert case.get("name") and float(case.get("time")) >= 0
    assert int(root.get("tests")) == len(content["targets"])
    assert {element.tag for element in root.iter()} <= {
        "testsuites",
        "testsuite",
        "properties",
        "property",
        "testcase",
        "failure",
        "error",
        "skipped",
        "system-out",
    }
    # GitLab and Jenkins would take a file that is named like this.
    assert "[[" not in text
    return root


def test_junit_of_hostile_texts():
    assert_junit_holds(form_junit.junit_xml(HOSTILE), HOSTILE)


@given(TEXTS, st.sampled_from(OUTCOMES))
@QUICKLY
def test_no_text_breaks_junit(text, outcome):
    content = with_text(text, outcome)

    assert_junit_holds(form_junit.junit_xml(content), content)


# --- Markdown ---

# GitHub's own dialect, which makes links of bare addresses and passes HTML on.
PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": True})
EXPECTED = {
    "heading_open",
    "heading_close",
    "paragraph_open",
    "paragraph_close",
    "inline",
    "bullet_list_open",
    "bullet_list_close",
    "list_item_open",
    "list_item_close",
    "text",
    "strong_open",
    "strong_close",
    "code_inline",
    "table_open",
    "table_close",
    "thead_open",
    "thead_close",
    "tbody_open",
    "tbody_close",
    "tr_open",
    "tr_close",
    "th_open",
    "th_close",
    "td_open",
    "td_close",
}


def parts_of(text):
    """All tokens, those inside of others too."""
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def assert_only_text(text):
    """There is no markup but the writer's own, and nothing that a platform makes a link or a message of."""
    tokens = list(parts_of(text))
    assert {token.type for token in tokens} <= EXPECTED
    for token in tokens:
        if token.type == "text":
            assert not re.search(r"[@#<>\[\]`*_~$&!\\{}/]|www\.|://|:\w+:|[A-Za-z]-\d|\b[0-9a-f]{7,40}\b", token.content)
    return [token.content for token in tokens if token.type == "code_inline"]


def test_markdown_begins_with_what_matters():
    text = form_markdown.markdown(EVERY)

    assert text.startswith("## Remediation verification: not verified\n\nNot verified: 2 of 8 targets remediated")
    assert "| 2 | 2 | 2 | 2 | 8 |" in text
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### Still open: 2",
        "### Without an answer: 2",
        "### Not finished: 2",
        "### Words that counted in the reports",
    ]
    assert (
        "- **Campaign** Quarterly review (`%s`): 1 of 3 items still open. Open since 2026-02-23." % (EVERY["targets"][1]["id"])
        in text
    )
    assert "  - Identity `Jo Novak`, Access `WMS_SUPERVISOR`, Source `Warehouse`" in text
    assert (
        "Xpanse scanned the service and still sees the exposure. At `192.0.2.10`, `rdp.acme.example`, severity high, "
        "case 91, business units Acme, Logistics."
    ) in text
    assert "more need" not in text


def test_markdown_of_a_verification_without_problems():
    text = form_markdown.markdown(SAMPLES["verified"])

    assert "## Remediation verification: verified" in text
    assert [line for line in text.splitlines() if line.startswith("###")] == ["### Words that counted in the reports"]


def test_markdown_is_bounded_and_says_so():
    content = samples.many(800)

    text = form_markdown.markdown(content, most=7)
    assert len([line for line in text.splitlines() if line.startswith("- **")]) == 7
    assert "593 more need action: see verification.json in the evidence of run `%s`." % samples.RUN in text
    assert "### Still open: 200" in text and "### Not finished" not in text

    assert len(form_markdown.markdown(content, most=100000)) < 32000
    assert "600 more need action" in form_markdown.markdown(content, most=0)


def test_markdown_lists_what_has_been_open_for_longest_first():
    content = samples.verify(samples.results_of([("exposure", "unremediated")] * 3))
    for target, name, day in zip(content["targets"], ("last", "first", "second"), (9, 1, 5), strict=True):
        target.update(name=name, open_since="2026-01-0%dT00:00:00Z" % day)

    text = form_markdown.markdown(content)

    assert text.index("first") < text.index("second") < text.index("last")


def test_markdown_shows_a_few_open_items_and_counts_the_others():
    content = samples.verify(samples.results_of([("campaign", "unremediated")]))
    items = content["targets"][0]["items"]
    items.update(items_open=12, open_items=[{"A": "1", "B": "2", "C": "", "D": None, "E": "5"}] * 5)

    lines = form_markdown.markdown(content).splitlines()

    assert lines.count("  - A `1`, B `2`, C (none), D (none)") == 3
    assert "  - and 9 more" in lines


def test_markdown_does_not_depend_on_the_language(monkeypatch):
    before = locale.setlocale(locale.LC_ALL)
    try:
        for name in ("de_DE.UTF-8", "C.UTF-8", "C"):
            try:
                locale.setlocale(locale.LC_ALL, name)
            except locale.Error:
                continue
            assert "Open since 2026-02-23" in form_markdown.markdown(EVERY)
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_markdown_shows_hostile_texts_as_they_are(text):
    spans = assert_only_text(form_markdown.markdown(with_text(text)))
    shown = texts.one_line(text, form_markdown.LONGEST_NAME)

    assert not shown or shown in spans or form_markdown.PLAIN.fullmatch(shown)


def test_markdown_of_hostile_texts_together():
    assert_only_text(form_markdown.markdown(HOSTILE, most=10000))


@given(TEXTS, st.sampled_from(NEEDS_ACTION))
@QUICKLY
def test_no_text_becomes_markup(text, outcome):
    assert_only_text(form_markdown.markdown(with_text(text, outcome)))


def test_every_form_shows_both_witnesses():
    """Side by side, and each open item with the one who saw it."""
    content = SAMPLES["two witnesses"]
    rows = {row["name"]: row for row in rows_of(form_csv.csv_text(content))}
    assert rows["They disagree"]["witnesses"].startswith("the report says remediated: 3 of 3 items remediated; the access says ")
    assert (rows["They disagree"]["access_items_open"], rows["They disagree"]["items_open"]) == ("1", "0")
    assert rows["Both say so"]["access_as_of"]
    items = [(row["target_name"], row["witness"], row["why"]) for row in rows_of(form_csv.open_items_csv(content))]
    assert items == [
        ("They disagree", "access", "it was given again by a role"),
        ("Both saw one", "report", ""),
        ("Both saw one", "access", "it was given again by a role"),
    ]
    text = form_markdown.markdown(content)
    assert "  - The report says remediated: 3 of 3 items remediated" in text and "  - The access says unremediated: " in text
    assert "  - Seen by the access: Identity `Alison`, " in text and "Why `it was given again by a role`" in text
    cases = ElementTree.fromstring(form_junit.junit_xml(content).encode()).iter("testcase")
    said = {case.get("name"): case.findtext("system-out") for case in cases}
    assert any("the access says unremediated: 1 of 4 revoked items is still there" in (text or "") for text in said.values())


def test_a_witness_of_an_odd_record_costs_no_form():
    content = json.loads(json.dumps(SAMPLES["two witnesses"]))
    for place, odd in enumerate((None, [None], [{"name": "x"}], [{"name": "access", "outcome": "great", "reason": ["a"]}] * 50)):
        content["targets"][place]["witnesses"] = odd
        content["targets"][place]["access"] = odd
    for writer in WRITERS:
        assert writer(content)
