# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import csv
import io
import locale
import re
import sys
import time
import unicodedata
from datetime import datetime, timezone
from xml.etree import ElementTree

import pytest
import verification_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ansible_collections.secops.remediation.plugins.module_utils._evidence import formats
from ansible_collections.secops.remediation.plugins.module_utils._verdict.verification import OUTCOMES

SAMPLES = samples.all_samples()
EVERY, HOSTILE = SAMPLES["every outcome"], SAMPLES["hostile"]
WRITERS = (formats.csv_text, formats.junit_xml, formats.markdown)
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
    return content


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


@pytest.mark.parametrize("value, text", [
    (None, ""), (7, "7"), (" a\n b\t", "a b"), ([], ""), (["a", None, ["b"]], "a, b"), ({"id": 1, "name": "x"}, "x"),
    ({"id": 1, "name": None}, "1"), ("\ud800\x00", "\ufffd\ufffd"), ("a\u2028b", "a b"),
    ([[{"name": "a"}, {"name": "b"}]], "a, b"),
])
def test_a_value_in_one_line(value, text):
    assert formats.one_line(value) == text


def test_a_value_that_is_deeper_than_anybody_needs():
    value = "x"
    for _number in range(5000):
        value = [value]

    assert formats.one_line(value) == "\u2026"


def test_a_text_that_is_too_long():
    assert formats.one_line("x" * 11, 10) == "x" * 9 + "\u2026"
    assert formats.one_line("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize("value, expected", [
    ("2026-03-02T08:15:00Z", (2026, 3, 2, 8, 15)), ("2026-03-02T09:15:00.1234567+01:00", (2026, 3, 2, 8, 15, 0, 123456)),
    ("2026-03-02T00:15:00-0800", (2026, 3, 2, 8, 15)), ("2026-03-02 08:15:00", (2026, 3, 2, 8, 15)),
])
def test_times(value, expected):
    assert formats.time_of(value) == datetime(*expected, tzinfo=timezone.utc)


@pytest.mark.parametrize("value", [
    None, "", 5, "now", "2026-03-02", "2026-13-02T08:15:00Z", "2026-03-02T25:15:00Z", "0001-01-01T00:00:00+23:00",
    "2026-03-02T08:15:00Zx", "2026-03-02T08:15:00+99:99x"])
def test_what_is_no_time(value):
    assert formats.time_of(value) is None


# --- CSV ---


def rows_of(text):
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def could_be_a_formula(text):
    """Whether a program may take the text, or what stands after a separator in it, for a formula."""
    for part in re.split("[,;|\t\r\n]", text):
        seen = [character for character in part if not (
            character.isspace() or character in "\"'`\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u061c" or
            unicodedata.category(character) in ("Pi", "Pf", "Cc"))]
        if seen and unicodedata.normalize("NFKC", seen[0])[0] in "=+-@" and not part.startswith("'"):
            return True
    return False


def test_csv_has_a_row_for_each_target():
    rows = rows_of(formats.csv_text(EVERY))

    assert [(row["kind"], row["outcome"]) for row in rows] == [
        (target["kind"], target["outcome"]) for target in EVERY["targets"]]
    campaign, exposure = rows[OUTCOMES.index("unremediated")], rows[len(OUTCOMES)]
    assert (campaign["run"], campaign["id"], campaign["name"]) == (samples.RUN, EVERY["targets"][1]["id"], "Quarterly review")
    assert [campaign["items_" + name] for name in ("total", "remediated", "open", "unknown")] == ["3", "2", "1", "0"]
    assert (campaign["campaign_status"], campaign["evidence_sha256"]) == ("COMPLETED", samples.SHA256)
    assert campaign["evidence"].startswith("reports/")
    assert (exposure["ip_addresses"], exposure["severity"], exposure["case_id"]) == ("192.0.2.10", "high", "91")
    assert (exposure["attack_surface_rule"], exposure["business_units"]) == ("RDP Server", "Acme, Logistics")


def test_csv_without_targets_has_its_header():
    assert formats.csv_text(SAMPLES["nothing"]) == ",".join(formats.COLUMNS) + "\r\n"


@pytest.mark.parametrize("text, cell", [
    ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'=1"), ("\r=1", "'=1"), ("\n=1", "'=1"),
    ("  =1", "'=1"), ('"=1', "'\"=1"), ("'=1", "''=1"), ("\uff1d1", "'\uff1d1"), ("\uff0b1", "'\uff0b1"), ("\uff0d1", "'\uff0d1"),
    ("\uff20x", "'\uff20x"), ("\u200b=1", "'\u200b=1"), ("\u2212 1", "'\u2212 1"), ("a;=1", "a;'=1"), ("a, \"-1", "a,' \"-1"),
    ("a|@x", "a|'@x"), ("a\t=1", "a =1"), ("a=1", "a=1"), ("3-4", "3-4"), ("me@acme.example", "me@acme.example"), ("", ""),
    ("Zone 7: server room", "Zone 7: server room"), (5, "5"), (None, ""),
])
def test_a_cell_is_never_a_formula(text, cell):
    assert formats.cell(text) == cell


def test_no_form_of_the_signs_is_forgotten():
    forms = [chr(code) for code in range(sys.maxunicode + 1) if
             unicodedata.normalize("NFKC", chr(code))[:1] in ("=", "+", "-", "@", "\u2212")]

    assert len(forms) > 10
    assert [form for form in forms if not formats.cell(form + "1").startswith("'")] == []


def test_a_cell_is_not_longer_than_a_spreadsheet_takes():
    assert len(formats.cell("x" * 100000)) <= 32767


@given(TEXTS)
@QUICKLY
def test_no_text_makes_a_formula_or_a_row(text):
    rows = rows_of(formats.csv_text(with_text(text)))

    assert len(rows) == 2
    for row in rows:
        assert set(row) == set(formats.COLUMNS)
        assert not [cell for cell in row.values() if could_be_a_formula(cell)]
        assert not [cell for cell in row.values() if re.search("[\r\n\t]", cell)]


# --- JUnit XML ---


def test_junit_says_what_each_outcome_is():
    root = ElementTree.fromstring(formats.junit_xml(EVERY).encode())
    suites = root.findall("testsuite")

    assert [suite.get("name") for suite in suites] == ["SailPoint certification campaigns", "Cortex Xpanse exposures"]
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "8", "failures": "2", "errors": "2", "skipped": "2", "time": "367.000"}
    for suite in suites:
        assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped", "timestamp")} == {
            "tests": "4", "failures": "1", "errors": "1", "skipped": "1", "timestamp": "2026-03-02T08:15:00"}
        assert [[part.tag for part in case if part.tag != "system-out"] for case in suite.findall("testcase")] == [
            [], ["failure"], ["skipped"], ["error"]]
    assert [suite.get("hostname") for suite in suites] == [
        "acme.api.identitynow.com", "api-acme.xdr.us.paloaltonetworks.com"]
    case = suites[0].findall("testcase")[1]
    assert (case.get("classname"), case.get("time")) == ("secops.remediation.campaign", "60.500")
    assert case.get("name") == "Quarterly review (%s)" % EVERY["targets"][1]["id"]
    failure = case.find("failure")
    assert (failure.get("message"), failure.get("type"), failure.text) == (
        "1 of 3 items still open", "unremediated", "1 of 3 items still open")
    assert suites[0].findall("testcase")[2].find("skipped").get("message") == EVERY["targets"][2]["reason"]
    for words in (EVERY["targets"][1]["id"], "run-remediation-scan: HTTP 200, trackingId 0b3c", samples.SHA256, samples.BEFORE):
        assert words in case.find("system-out").text


def test_junit_without_targets_is_no_success():
    root = ElementTree.fromstring(formats.junit_xml(SAMPLES["nothing"]).encode())

    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert root.find("testsuite/testcase/error").get("message") == SAMPLES["nothing"]["summary"]


def test_junit_has_only_suites_with_targets():
    root = ElementTree.fromstring(formats.junit_xml(SAMPLES["campaigns only"]).encode())

    assert [suite.get("name") for suite in root] == ["SailPoint certification campaigns"]


def test_junit_names_are_the_same_in_the_next_run_and_only_once():
    content = samples.verify(samples.results_of([("campaign", "remediated")] * 3))
    for target, name in zip(content["targets"], ("a", "a", "a (1) #2"), strict=True):
        target.update(id="1", name=name)
    content["targets"][2]["id"] = "a (1) #2"

    names = [case.get("name") for case in ElementTree.fromstring(formats.junit_xml(content).encode()).iter("testcase")]

    assert names == ["a (1)", "a (1) #2", "a (1) #2 #2"]


def test_junit_of_several_systems_is_of_no_host():
    content = samples.verify(samples.results_of([("campaign", "remediated")] * 2))
    content["targets"][0]["system"] = "https://[broken"
    assert 'hostname="acme.api.identitynow.com"' in formats.junit_xml(content)
    content["targets"][0]["system"] = "https://other.example"
    assert 'hostname="localhost"' in formats.junit_xml(content)


def assert_junit_holds(text, content):
    root = ElementTree.fromstring(text.encode())
    for suite in root:
        cases = suite.findall("testcase")
        assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases) == int(suite.get("tests"))
        for case in cases:
            assert case.get("name") and float(case.get("time")) >= 0
    assert int(root.get("tests")) == len(content["targets"])
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out"}
    # GitLab and Jenkins would take a file that is named like this.
    assert "[[" not in text
    return root


def test_junit_of_hostile_texts():
    assert_junit_holds(formats.junit_xml(HOSTILE), HOSTILE)


@given(TEXTS, st.sampled_from(OUTCOMES))
@QUICKLY
def test_no_text_breaks_junit(text, outcome):
    content = with_text(text, outcome)

    assert_junit_holds(formats.junit_xml(content), content)


# --- Markdown ---

# GitHub's own dialect, which makes links of bare addresses and passes HTML on.
PARSER = MarkdownIt("gfm-like", {"html": True, "linkify": True})
EXPECTED = {"heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "bullet_list_open",
            "bullet_list_close", "list_item_open", "list_item_close", "text", "strong_open", "strong_close", "code_inline",
            "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
            "th_open", "th_close", "td_open", "td_close"}


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
    text = formats.markdown(EVERY)

    assert text.startswith("## Remediation verification: not verified\n\nNot verified: 2 of 8 targets remediated")
    assert "| 2 | 2 | 2 | 2 | 8 |" in text
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        "### Still open: 2", "### Without an answer: 2", "### Not finished: 2"]
    assert "- **Campaign** Quarterly review (`%s`): 1 of 3 items still open. Open since 2026-02-23." % (
        EVERY["targets"][1]["id"]) in text
    assert "  - Identity `Jo Novak`, Access `WMS_SUPERVISOR`, Source `Warehouse`" in text
    assert ("Xpanse scanned the service and still sees the exposure. At `192.0.2.10`, `rdp.acme.example`, severity high, "
            "case 91, business units Acme, Logistics.") in text
    assert "more need" not in text


def test_markdown_of_a_verification_without_problems():
    text = formats.markdown(SAMPLES["verified"])

    assert "## Remediation verification: verified" in text
    assert "###" not in text


def test_markdown_is_bounded_and_says_so():
    content = samples.many(800)

    text = formats.markdown(content, most=7)
    assert len([line for line in text.splitlines() if line.startswith("- **")]) == 7
    assert "593 more need action: see verification.json in the evidence of run `%s`." % samples.RUN in text
    assert "### Still open: 200" in text and "### Not finished" not in text

    assert len(formats.markdown(content, most=100000)) < 32000
    assert "600 more need action" in formats.markdown(content, most=0)


def test_markdown_lists_what_has_been_open_for_longest_first():
    content = samples.verify(samples.results_of([("exposure", "unremediated")] * 3))
    for target, name, day in zip(content["targets"], ("last", "first", "second"), (9, 1, 5), strict=True):
        target.update(name=name, open_since="2026-01-0%dT00:00:00Z" % day)

    text = formats.markdown(content)

    assert text.index("first") < text.index("second") < text.index("last")


def test_markdown_shows_a_few_open_items_and_counts_the_others():
    content = samples.verify(samples.results_of([("campaign", "unremediated")]))
    items = content["targets"][0]["items"]
    items.update(items_open=12, open_items=[{"A": "1", "B": "2", "C": "", "D": None, "E": "5"}] * 5)

    lines = formats.markdown(content).splitlines()

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
            assert "Open since 2026-02-23" in formats.markdown(EVERY)
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_markdown_shows_hostile_texts_as_they_are(text):
    spans = assert_only_text(formats.markdown(with_text(text)))
    shown = formats.one_line(text, formats.LONGEST_NAME)

    assert not shown or shown in spans or formats.PLAIN.fullmatch(shown)


def test_markdown_of_hostile_texts_together():
    assert_only_text(formats.markdown(HOSTILE, most=10000))


@given(TEXTS, st.sampled_from(formats.NEEDS_ACTION))
@QUICKLY
def test_no_text_becomes_markup(text, outcome):
    assert_only_text(formats.markdown(with_text(text, outcome)))
