# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import io
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import report_file as remediation_report
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import report_words
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_file import (
    LONGEST_RECORD,
    Lines,
    UnreadableReport,
    Vocabulary,
    read_report,
)

HEADER = "Identity,Department,Access,Remediation Status\r\n"
DONE = "Aiko Tanaka,Finance,FI_GL_POST,Remediated\r\n"
STILL_OPEN = "Jo Novak,Warehouse,WMS_SUPERVISOR,Open\r\n"
STRANGE = "Kim Weiss,Customs,ZOLL_ANMELDUNG,Schwebend\r\n"
NUMBERS = ("items_total", "items_remediated", "items_open", "items_unknown")
COLUMN_HINTS = ("verify_remediation_status_column", "status_column")
WORD_HINTS = ("verify_remediated_values", "verify_open_values", "remediated_values", "open_values")


@pytest.fixture
def read(tmp_path):
    """Writes a file and reads it: read(content, words=..., **options)."""

    def write_and_read(content, words=None, **options):
        path = tmp_path / "report.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_report(str(path), Vocabulary(**words or {}), **options)

    return write_and_read


def numbers(report):
    return tuple(report[name] for name in NUMBERS)


def assert_damaged(report, *words):
    """The file cannot be relied on, and the reason has the words."""
    assert report["outcome"] == "inconclusive"
    assert numbers(report) == (None,) * 4
    assert report["open_items"] == []
    for word in words + ("get the report",):
        assert word in report["reason"]


def assert_column_not_known(report, rows):
    assert report["outcome"] == "inconclusive"
    assert numbers(report) == (rows, 0, 0, rows)
    assert report["status_column"] is None
    for word in COLUMN_HINTS + WORD_HINTS:
        assert word in report["reason"]


# --- outcomes ---


def test_every_item_remediated(read):
    assert read(HEADER + DONE + DONE) == dict(
        outcome="remediated",
        reason="2 of 2 items remediated",
        items_total=2,
        items_remediated=2,
        items_open=0,
        items_unknown=0,
        open_items=[],
        columns=["Identity", "Department", "Access", "Remediation Status"],
        status_column="Remediation Status",
        words=[dict(word="Remediated", count=2, meaning="remediated", source="built_in")],
        words_left_out=0,
        campaign_ids=[],
        campaign_names=[],
    )


def test_an_open_item(read):
    report = read(HEADER + DONE + STILL_OPEN)
    assert (report["outcome"], report["reason"]) == ("unremediated", "1 of 2 items still open")
    assert numbers(report) == (2, 1, 1, 0)
    assert report["open_items"] == [
        {"Identity": "Jo Novak", "Department": "Warehouse", "Access": "WMS_SUPERVISOR", "Remediation Status": "Open"}
    ]


def test_an_unknown_word_is_named_with_what_to_set(read):
    report = read(HEADER + DONE + STRANGE * 2 + STRANGE.replace("Schwebend", " "))
    assert report["outcome"] == "inconclusive"
    assert numbers(report) == (4, 1, 0, 3)
    assert "3 of 4 items" in report["reason"]
    assert "the column 'Remediation Status' says 'Schwebend' (2), nothing (1): " in report["reason"]
    for word in COLUMN_HINTS + WORD_HINTS:
        assert word in report["reason"]


def test_an_open_item_weighs_more_than_an_unknown_one(read):
    report = read(HEADER + STILL_OPEN + STRANGE)
    assert report["outcome"] == "unremediated"
    assert numbers(report) == (2, 0, 1, 1)
    assert report["reason"].startswith("1 of 2 items still open; 1 of 2 items are in a state that is not known")
    assert "'Schwebend' (1)" in report["reason"]


@pytest.mark.parametrize("header", [HEADER, HEADER.strip(), HEADER + "\r\n\n"])
def test_header_without_rows_means_that_nothing_was_revoked(read, header):
    report = read(header)
    assert report["outcome"] == "remediated"
    assert numbers(report) == (0, 0, 0, 0)
    assert report["reason"] == "the report lists no revoked item"


@pytest.mark.parametrize(
    "content",
    [
        "upstream connect error\n",
        "Sorry, the report is not available.\n",
        "Identity,Acc",
        "Identity,,\n",
        "sep=;\n",
        "Service unavailable, please try later\n",
        "Identität,Zugriff,Bearbeitungsstand\n",
    ],
)
def test_lone_line_that_may_be_no_header(read, content):
    report = read(content)
    assert report["outcome"] == "inconclusive"
    assert "may not be a whole report" in report["reason"]


def test_a_header_in_the_tenants_words_is_one_once_its_column_is_named(read):
    report = read("Identität,Zugriff,Bearbeitungsstand\n", status_column="Bearbeitungsstand")
    assert (report["outcome"], report["items_total"]) == ("remediated", 0)


@pytest.mark.parametrize("content", ["", "\n", " \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xfe\n\0"])
def test_file_without_a_header(read, content):
    assert_damaged(read(content), "empty")


def test_only_a_few_unknown_words_are_shown(read):
    rows = "".join("A,B,C,word %d\n" % number for number in range(2000)) + "A,B,C,often\n" * 3
    report = read(HEADER + "A,B,C,often\n" + rows)
    assert report["items_unknown"] == 2004
    assert "'often' (4), 'word 0' (1)" in report["reason"]
    assert "and other words (1996)" in report["reason"]
    assert "2004 of 2004" in report["reason"]
    assert len(report["reason"]) < 700


def test_unknown_words_are_not_all_kept(read, monkeypatch):
    monkeypatch.setattr(remediation_report, "MOST_UNKNOWN_WORDS", 2)
    report = read(HEADER + "".join("A,B,C,%s\n" % word for word in "xyzzzy"))
    assert "says 'y' (2), 'x' (1), and other words (3): " in report["reason"]
    assert report["items_unknown"] == 6


def test_text_of_the_file_cannot_disturb_a_terminal(read):
    report = read(HEADER + "A,B,C,\x1b[2J\u202e{{ 1 + 1 }}" + "x" * 5000 + "\n")
    assert "'\\x1b[2J\\u202e{{ 1 + 1 }}xxx" in report["reason"]
    assert len(report["reason"]) < 700


def test_open_items_are_capped_and_counted(read):
    report = read(HEADER + STILL_OPEN * 7, max_open_items=3)
    assert (report["items_open"], len(report["open_items"])) == (7, 3)
    assert read(HEADER + STILL_OPEN * 7, max_open_items=0)["open_items"] == []


def test_cells_are_data(read):
    report = read(HEADER + '"=HYPERLINK(""http://x"")",<b>,{{ lookup(\'env\') }},Open\n')
    assert report["open_items"] == [
        {"Identity": '=HYPERLINK("http://x")', "Department": "<b>", "Access": "{{ lookup('env') }}", "Remediation Status": "Open"}
    ]


# --- words ---


@pytest.mark.parametrize("word", ["Remediated", "REMEDIATED", "  remediated ", "Fully Remediated", "FULLY_REMEDIATED"])
def test_words_for_remediated(read, word):
    assert read(HEADER + "A,B,C,%s\n" % word)["outcome"] == "remediated"


@pytest.mark.parametrize(
    "word",
    [
        "Open",
        "OPEN",
        "Not Remediated",
        "NOT_REMEDIATED",
        "NotRemediated",
        "not-remediated",
        "Unremediated",
        "Pending",
        "Remediation Pending",
        "IN_PROGRESS",
        "Partially Remediated",
    ],
)
def test_words_for_open(read, word):
    assert read(HEADER + "A,B,C,%s\n" % word)["outcome"] == "unremediated"


@pytest.mark.parametrize(
    "word",
    [
        "",
        "Yes",
        "true",
        "Completed",
        "Done",
        "Closed",
        "Revoked",
        "Removed",
        "Success",
        "Remediated?",
        "Re mediated",
        "Remediated Remediated",
        "Error",
        "N/A",
        "1",
    ],
)
def test_words_that_say_nothing_for_certain(read, word):
    assert read(HEADER + "A,B,C,%s\n" % word)["outcome"] == "inconclusive"


@pytest.mark.parametrize("name", ["Remediated", "Is Remediated", "isRemediated"])
def test_column_of_yes_and_no(read, name):
    report = read("Identity,%s\nA,Yes\nB,TRUE\nC,no\nD,Remediated\nE,maybe\n" % name)
    assert numbers(report) == (5, 3, 1, 1)


def test_words_of_the_user_replace_the_usual_ones(read):
    german = dict(remediated_values=["Vollzogen"], open_values=["schwebend", "Größer offen"])
    rows = "A,B,C,VOLLZOGEN \nA,B,C,Schwebend\nA,B,C,GRÖSSER OFFEN\n"
    assert numbers(read(HEADER + rows, german)) == (3, 1, 2, 0)
    assert numbers(read(HEADER + DONE + STILL_OPEN, german)) == (2, 0, 0, 2)


def test_words_are_compared_whatever_their_composition(read):
    assert read(HEADER + "A,B,C,U\u0308bergeben\n", dict(remediated_values=["Übergeben"]))["outcome"] == "remediated"


def test_one_list_of_the_user_leaves_the_other_as_it_is(read):
    assert numbers(read(HEADER + DONE + STILL_OPEN, dict(remediated_values=["Closed"]))) == (2, 0, 1, 1)
    assert numbers(read(HEADER + DONE + STILL_OPEN, dict(open_values=["To do"]))) == (2, 1, 0, 1)


def test_word_of_the_user_overrules_its_usual_meaning(read):
    assert numbers(read(HEADER + DONE, dict(open_values=["remediated"]))) == (1, 0, 1, 0)
    assert numbers(read(HEADER + STILL_OPEN, dict(remediated_values=["open"]))) == (1, 1, 0, 0)


@pytest.mark.parametrize("nothing", [None, [], [""], [" "]])
def test_list_without_a_word_is_as_none(read, nothing):
    words = dict(remediated_values=nothing, open_values=nothing)
    assert numbers(read(HEADER + DONE * 2 + STILL_OPEN * 2 + "A,B,C,\n", words)) == (5, 2, 2, 1)


def test_word_cannot_mean_both():
    with pytest.raises(ValueError, match="both have 'closed'"):
        Vocabulary(["Closed", "Done"], [" closed"])


# --- columns ---


@pytest.mark.parametrize(
    "name",
    [
        "Remediation Status",
        "remediation_state",
        "REMEDIATION-STATUS",
        " Remediation Status ",
        "remediationStatus",
        "Item Remediation Status",
        "Status",
        "State",
        "Current Status",
    ],
)
def test_column_is_found(read, name):
    report = read("Identity,%s,Access\nA,Remediated,C\n" % name)
    assert (report["outcome"], report["status_column"]) == ("remediated", name.strip())


def test_specific_column_is_preferred(read):
    report = read("Status,Remediation Status,Home State\nRemediated,Remediated,Texas\n")
    assert (report["outcome"], report["status_column"]) == ("remediated", "Remediation Status")


@pytest.mark.parametrize(
    "header",
    [
        "Remediation Status,Remediation State",
        "Remediation Status,Remediated",
        "Status,State",
        "Status,Campaign Status",
        "State,Remediation Date",
        "Status,Home State",
        "Decision,Bearbeitungsstand",
        "Revocation Status,Identity",
    ],
)
def test_column_is_not_guessed(read, header):
    assert_column_not_known(read(header + "\nRemediated,Remediated\n"), rows=1)


def test_columns_are_named_if_none_is_known(read):
    report = read("Identität,Zugriff,Bearbeitungsstand\nA,B,Vollzogen\n")
    assert "'Identität', 'Zugriff', 'Bearbeitungsstand'" in report["reason"]
    assert report["columns"] == ["Identität", "Zugriff", "Bearbeitungsstand"]


def test_many_columns_are_not_all_named(read):
    names = ["Attribute %d" % number for number in range(300)]
    report = read(",".join(names) + "\n" + ",".join("x" for _name in names) + "\n")
    assert "and 275 more" in report["reason"]
    assert report["columns"] == names


def test_column_of_the_user(read):
    german = dict(remediated_values=["Vollzogen"])
    content = "Remediation Status,Bearbeitungsstand\nVollzogen,Vollzogen\n"
    for name in ("Bearbeitungsstand", "bearbeitungs stand"):
        report = read(content, german, status_column=name)
        assert (report["outcome"], report["status_column"]) == ("remediated", "Bearbeitungsstand")


@pytest.mark.parametrize("rows", ["", DONE])
def test_column_of_the_user_is_not_there(read, rows):
    report = read(HEADER + rows, status_column="Bearbeitungsstand")
    assert report["outcome"] == "inconclusive"
    for word in COLUMN_HINTS + ("no column 'Bearbeitungsstand'", "'Identity', 'Department', 'Access'"):
        assert word in report["reason"]


def test_column_of_the_user_may_hold_yes_and_no(read):
    content = "Remediated,Identity\nyes,?\nno,?\n"
    assert numbers(read(content, status_column="remediated")) == (2, 1, 1, 0)


def test_name_of_punctuation_only_is_taken_as_it_is(read):
    assert_column_not_known(read("Identity,#\nA,Remediated\n", status_column="?"), rows=1)
    assert read("Identity,#\nA,Remediated\n", status_column="#")["outcome"] == "remediated"


def test_columns_of_the_same_name_are_told_apart_by_position(read):
    content = "Name,Remediation Status,,Remediation Status\nA,Open,x,Remediated\n"
    report = read(content)
    assert_column_not_known(report, rows=1)
    assert report["columns"] == ["Name", "Remediation Status (column 2)", "column 3", "Remediation Status (column 4)"]
    assert "'Remediation Status (column 2)', 'Remediation Status (column 4)'" in report["reason"]
    assert_column_not_known(read(content, status_column="Remediation Status"), rows=1)
    same = content.replace("Open,x", "Remediated,")
    assert read(same, status_column="Remediation Status (column 4)")["outcome"] == "remediated"
    assert read(content, status_column="Remediation Status (column 2)")["open_items"] == [
        {"Name": "A", "Remediation Status (column 2)": "Open", "column 3": "x", "Remediation Status (column 4)": "Remediated"}
    ]


# --- files ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(read, encoding):
    report = read((HEADER + STILL_OPEN.replace("Novak", "Šimůnek 北")).encode(encoding))
    assert report["columns"][0] == "Identity"
    assert report["open_items"][0]["Identity"] == "Jo Šimůnek 北"


def test_utf_16_without_a_mark(read):
    assert_damaged(read((HEADER + DONE).encode("utf-16-le")), "NUL", "line 1", "UTF-8")


@pytest.mark.parametrize("row", [b"M\xfcller,B,C,Remediated\n", b"A,B,C,Remediated\n\xe5\x8c"])
def test_bytes_that_are_no_text(read, row):
    assert_damaged(read(HEADER.encode() + DONE.encode() * 1000 + row), "UTF-8")


def test_half_a_character_of_utf_16(read):
    assert_damaged(read((HEADER + DONE).encode("utf-16")[:-1]), "UTF-16")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(read, delimiter):
    header = [other + other.join("quoted" * 5) for other in ",;\t|" if other != delimiter]
    header += ["Identity", "Access", "Department", "Remediation Status"]
    rows = [header, ["x"] * (len(header) - 1) + ["Remediated"], ["a%sb" % delimiter] * (len(header) - 1) + ["Open"]]
    report = read("\n".join(delimiter.join('"%s"' % cell for cell in row) for row in rows))
    assert numbers(report) == (2, 1, 1, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(read, end):
    report = read((HEADER + "\n" + DONE + "   \r\n\n" + STILL_OPEN + "\n\n").replace("\r", "").replace("\n", end))
    assert numbers(report) == (2, 1, 1, 0)
    assert report["open_items"][0]["Remediation Status"] == "Open"


def test_newlines_and_quotes_in_cells(read):
    report = read('"Ident\nity",Remediation Status\r\n"say ""no"",\r\nthen go",Open\r\n')
    assert report["open_items"] == [{"Ident\nity": 'say "no",\r\nthen go', "Remediation Status": "Open"}]


def test_last_row_without_line_end(read):
    assert numbers(read((HEADER + DONE).rstrip())) == (1, 1, 0, 0)


@pytest.mark.parametrize("row", ["A,B,Remediated", 'A,"B\nB",Remediated', "A,B,C,Remediated,", "Total: 1", ",,"])
def test_row_of_another_shape_is_unknown(read, row):
    report = read(HEADER + DONE + 'A,"two\nlines",C,Remediated\n\n' + row + "\n" + DONE + row + "\n")
    assert report["outcome"] == "inconclusive"
    assert numbers(report) == (5, 3, 0, 2)
    assert "2 of 5 rows" in report["reason"]
    assert "line 6:" in report["reason"]


def test_row_of_empty_cells_is_an_item(read):
    assert numbers(read(HEADER + DONE + ",,,\n")) == (2, 1, 0, 1)


def test_single_column(read):
    assert numbers(read('Remediation Status\nRemediated\n\n""\n')) == (2, 1, 0, 1)


@pytest.mark.parametrize("tail", ['Jo,"Ware', 'Jo,B,C,"Remediated', 'Jo,B,C,"Remediated\n' + DONE * 50])
def test_file_that_was_cut_off(read, tail):
    assert_damaged(read(HEADER + DONE + STILL_OPEN + tail), "cut off", "line 4")


def test_text_after_a_closing_quote(read):
    assert_damaged(read(HEADER + DONE + '"A" B,C,D,Remediated\n'), "line 3", "not CSV")


def test_nul_character(read):
    assert_damaged(read(HEADER + DONE + "A,B,C,Reme\0diated\n"), "NUL", "line 3")


def test_long_cell(read):
    before = csv.field_size_limit()
    report = read(HEADER + "A,B,%s,Open\n" % ("x" * (csv.field_size_limit() * 2)))
    assert report["items_open"] == 1
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    "content", ["A,B,%s,Open\n" % ("x" * LONGEST_RECORD), 'A,B,"C,Open\n' + "A,B,C,Remediated\n" * (LONGEST_RECORD // 16)]
)
def test_row_that_never_ends(read, content):
    assert_damaged(read(HEADER + DONE + content), "line 3", "longer than")


def test_line_that_never_ends_is_not_read_whole():
    class Endless:
        def readline(self, size):
            return "x" * size

    with pytest.raises(UnreadableReport, match="line 1 is longer than"):
        next(Lines(Endless()))


@pytest.mark.parametrize(
    "content, kind",
    [
        ("\n <!DOCTYPE html>\n<html><body>Log in, please</body></html>\n", "HTML"),
        ('{"detailCode": "404.1.0 Not found", "messages": []}', "JSON"),
        ('[{"a": 1},\n{"b": 2}]', "JSON"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "PDF"),
    ],
)
def test_other_formats(read, content, kind):
    assert_damaged(read(content), kind, "not CSV")


def test_file_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_report(str(tmp_path / "none.csv"))


@pytest.mark.parametrize("kind, text", [("directory", "directory"), ("pipe", "regular file")])
def test_path_is_no_file(tmp_path, kind, text):
    path = tmp_path / kind
    path.mkdir() if kind == "directory" else os.mkfifo(path)
    with pytest.raises(OSError, match=text):
        read_report(str(path))


def test_limit_of_csv_is_put_back_after_an_error(tmp_path):
    before = csv.field_size_limit()
    with pytest.raises(OSError):
        read_report(str(tmp_path))
    assert csv.field_size_limit() == before


def test_no_cut_makes_a_report_look_remediated(read):
    # The last item is open. Only where the cut leaves whole rows can nobody tell, from the file alone, that it is one.
    rows = ['"Identity","Remediation Status"']
    rows += ['"Person %d, ""x""","Remediated"' % number for number in range(3)] + ['"Jo","Not Remediated"']
    content = "".join(row + "\n" for row in rows)
    seen = [size for size in range(len(content) + 1) if read(content[:size])["outcome"] == "remediated"]
    ends = [len("\n".join(rows[:number])) for number in range(1, len(rows))]
    assert seen == sorted(ends + [end + 1 for end in ends])


def test_words_of_both_kinds_never_overlap():
    for column in ("Remediation Status", "Remediated"):
        meanings = Vocabulary().for_column(column)
        done = {word for word, meaning in meanings.items() if meaning == remediation_report.REMEDIATED}
        assert done and len(done) < len(meanings)
        assert not any(word.startswith(("not", "un", "part", "pend", "in")) for word in done)


# --- what other columns say ---

WITNESSES = (
    "Item Status",
    "Status",
    "State",
    "itemState",
    "ITEM_STATUS",
    "Current Status",
    "Revocation Status",
    "Removal State",
    "Ticket Status",
    "Provisioning Status",
    "provisioningstatus",
    "Entitlement State",
    "Access Status",
    "Status Code",
    "Account Remediation Status",
    "Remediation",
    "Remediation Result",
    "Remediation Outcome",
    "Remediation Progress",
)
FLAGS = (
    "Completed",
    "Is Remediated",
    "itemRemediated",
    "Remediated",
    "Item Completed",
    "Done",
    "Closed",
    "Resolved",
    "Fixed",
    "Access Removed",
    "Fulfilled",
    "Verified",
    "Completion",
    "Removal Confirmed",
    "Remediation Successful",
    "Deprovisioned",
    "No Longer Assigned",
    "Not Present",
)
OTHERS = (
    "Campaign Status",
    "campaignstatus",
    "Certification State",
    "Identity Status",
    "Lifecycle State",
    "cloudLifecycleState",
    "Home State",
    "Account Status",
    "accountStatus",
    "Employment Status",
    "Review Status",
    "Decision",
    "Comments",
    "Status Reason",
    "Decision Date",
    "Remediation Due Date",
    "Remediation Owner",
    "Remediation Comments",
    "Completed By",
    "Source",
    "Campaign Completed",
    "State/Province",
    "United States Citizen",
    "Email Verified",
    "Certification Completion",
    "Failed Logins",
    "Assigned To",
)


def beside(name, word, status="Remediated", more=""):
    return "Identity,Remediation Status,%s\nAda,%s,%s\nBo,Remediated,\n%s" % (name, status, word, more)


@pytest.mark.parametrize("configured", [None, "Remediation Status"])
@pytest.mark.parametrize("word", ["Open", "IN_PROGRESS", "Not Remediated"])
@pytest.mark.parametrize("name", WITNESSES)
def test_another_column_says_open(read, name, word, configured):
    report = read(beside(name, word), status_column=configured or "remediation status")
    assert (report["outcome"], numbers(report)) == ("unremediated", (2, 1, 1, 0))
    assert report["open_items"][0]["Identity"] == "Ada"
    for text in ("line 2", repr(name), repr(word), "'Remediation Status' says 'Remediated'"):
        assert text in report["reason"]


@pytest.mark.parametrize("word", ["No", "false", "N", "Open"])
@pytest.mark.parametrize("name", FLAGS)
def test_another_column_says_no(read, name, word):
    report = read(beside(name, word), status_column="Remediation Status")
    assert (report["outcome"], numbers(report)) == ("unremediated", (2, 1, 1, 0))


@pytest.mark.parametrize("word", ["Yes", "true", "Open"])
@pytest.mark.parametrize(
    "name",
    [
        "Open",
        "Still Open",
        "isPending",
        "Not Remediated",
        "Unremediated",
        "Outstanding",
        "Not Completed",
        "Item Not Done",
        "Failed",
        "Remediation Failed",
        "Still Assigned",
        "Present",
        "Access Still Present",
        "stillActive",
        "Currently Assigned",
        "Not Verified",
        "Remediation Error",
        "Error",
        "Failures",
    ],
)
def test_another_column_asks_the_other_way_round(read, name, word):
    assert read(beside(name, word))["outcome"] == "unremediated"
    assert read(beside(name, "No"))["outcome"] == "remediated"
    assert read(beside(name, "perhaps"))["outcome"] == "inconclusive"


@pytest.mark.parametrize("word", ["Schwebend", "Revoked", "N/A", "?", "Failed"])
@pytest.mark.parametrize("name", WITNESSES + FLAGS + ("Remediation Date", "Remediated On", "Removal Date"))
def test_another_column_says_what_nobody_knows(read, name, word):
    report = read(beside(name, word), status_column="Remediation Status")
    assert report["outcome"] == "inconclusive"
    assert numbers(report)[2] == 0 and numbers(report)[3] >= 1
    for text in ("line 2", repr(name), repr(word), "'Remediation Status' says 'Remediated'", "verify_remediated_values"):
        assert text in report["reason"]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("word", ["Open", "Texas", "No", "pending", ""])
def test_column_of_something_else_is_no_witness(read, name, word):
    assert read(beside(name, word), status_column="Remediation Status")["outcome"] == "remediated"


@pytest.mark.parametrize(
    "name, word",
    [
        ("Item Status", "Remediated"),
        ("Item Status", "FULLY_REMEDIATED"),
        ("Completed", "Yes"),
        ("Completed", "completed"),
        ("Completed", "2026-03-02T08:15:00Z"),
        ("Completion", "100%"),
        ("Completion", "Complete"),
        ("Verified", "2026-03-02"),
        ("Verification", "Passed"),
        ("Remediation Date", "2 March 2026"),
        ("Remediated On", "02.03.2026"),
        ("Remediation Status Date", "2026-03-02"),
        ("Item Status", "Yes"),
        ("Status", "10023"),
        ("State", "60314"),
    ],
)
def test_another_column_says_the_same(read, name, word):
    both = beside(name, word).replace("Bo,Remediated,", "Bo,Remediated,%s" % word)
    assert read(both, status_column="Remediation Status")["outcome"] == "remediated"


@pytest.mark.parametrize("name", ["Result", "Item Outcome", "Progress", "Stage", "Resolution"])
def test_column_of_any_results_says_only_what_is_open(read, name):
    assert read(beside(name, "In Progress"))["outcome"] == "unremediated"
    for word in ("Access kept", "Signed off", "42", "", "No"):
        assert read(beside(name, word))["outcome"] == "remediated"


@pytest.mark.parametrize("name", ["Assigned", "Entitlement Exists"])
def test_column_that_may_be_of_another_thing_says_only_what_is_open(read, name):
    assert read(beside(name, "Yes"))["outcome"] == "unremediated"
    for word in ("No", "12", "Ada", ""):
        assert read(beside(name, word))["outcome"] == "remediated"


@pytest.mark.parametrize(
    "name",
    [
        "Open Item",
        "Items Pending",
        "Remediation Pending",
        "Remediation Required",
        "Needs Remediation",
        "Action Required",
        "Still Has Access",
        "User Still Has Access",
        "Account Still Present",
        "Access Present",
        "Present in Source",
        "Has Access",
        "Entitlement Active",
        "Not Revoked",
        "Not Yet Removed",
        "Outstanding Items",
        "Pending Since",
        "Open Since",
        "Days Open",
        "stillhasaccess",
        "OPEN_ITEM",
        "remediationpending",
    ],
)
def test_name_with_a_word_for_open_anywhere_is_a_witness(read, name):
    for word in ("Yes", "true", "Open"):
        report = read(beside(name, word))
        assert (report["outcome"], numbers(report)) == ("unremediated", (2, 1, 1, 0))
    for word in ("12", "2026-01-01", "Ada", "Revoked"):
        report = read(beside(name, word))
        assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1))
        for text in ("line 2", repr(name), repr(word), "'Remediation Status' says 'Remediated'"):
            assert text in report["reason"]
    for word in ("No", "false", ""):
        assert read(beside(name, word))["outcome"] == "remediated"


@pytest.mark.parametrize(
    "name",
    [
        "Revoked",
        "Access Revoked",
        "Revocation",
        "Removal",
        "accessrevoked",
        "Is Removed",
        "Verified",
        "User Access Verified",
        "Revocation Successful",
        "Provisioning Result",
        "No Longer Present",
    ],
)
def test_name_with_a_word_for_done_is_a_witness(read, name):
    assert read(beside(name, "No"))["outcome"] == "unremediated"
    for word in ("Failed", "partially", "Revoked", "0", "2026-03-02 failed"):
        assert read(beside(name, word))["outcome"] == "inconclusive"
    assert read(beside(name, "Yes").replace("Bo,Remediated,", "Bo,Remediated,true"))["outcome"] == "remediated"
    # Whether Bo's is done nobody says.
    assert read(beside(name, "Yes"))["outcome"] == "inconclusive"


@pytest.mark.parametrize("name", ["Still Not Removed", "To Be Removed", "Pending Revoked", "Still Remediated"])
@pytest.mark.parametrize("word", ["Yes", "No", "x"])
def test_name_that_may_be_read_both_ways(read, name, word):
    assert read(beside(name, word))["outcome"] == "inconclusive"


@pytest.mark.parametrize(
    "name",
    [
        "Revoked Access",
        "Removed Entitlement",
        "Remediation Type",
        "Remediation Action",
        "Revoked Role",
        "Access To Remove",
        "Automatic Remediation",
    ],
)
def test_name_of_what_was_done_is_a_witness_of_a_failure_only(read, name):
    for word in ("FI_GL_POST", "Manual", "Yes", "2026-03-02", ""):
        assert read(beside(name, word))["outcome"] == "remediated"
    for word in ("Failed", "not done", "timed out", "REMOVAL_FAILED"):
        assert read(beside(name, word))["outcome"] == "inconclusive"
    assert read(beside(name, "pending"))["outcome"] == "unremediated"


def test_thing_that_was_not_removed(read):
    assert read(beside("Revoked Access", "No"))["outcome"] == "unremediated"
    assert read(beside("Remediation Ticket", "No"))["outcome"] == "remediated"


def test_columns_that_ordinary_reports_have_are_no_witnesses():
    names = [
        "Employee Number",
        "Department",
        "Work Location",
        "Decision",
        "Decision Date",
        "Comments",
        "Reviewer",
        "Account",
        "Source",
        "Access Type",
        "Access",
        "Access Profile",
        "Certification Name",
        "Reviewer Email",
        "Display Name",
        "Native Identity",
        "Entitlement Value",
        "Sign Off Date",
        "Recommendation",
        "Due Date",
        "Work Item ID",
        "No.",
        "Active",
        "Present Address",
        "Still Employed",
        "Manager Present",
        "Approval Required",
        "Pending Reviews",
        "Open Date",
        "Removable",
        "Revoked By",
        "Contract End Date",
        "Reassigned",
        "Campaign Still Open",
        "Time Zone",
    ]
    assert not report_words.witnesses(["Remediation Status", *names], 0, Vocabulary())


@pytest.mark.parametrize("name", ["Remediation Date", "Removal Date", "Revoked On", "Date Removed On", "remediationdate"])
@pytest.mark.parametrize(
    "word, good",
    [
        ("2026-03-02", True),
        ("2026-03-02T08:15:00.123Z", True),
        ("2026-03-02 08:15:00 +01:00", True),
        ("02.03.2026", True),
        ("3/2/26 8:15 AM", True),
        ("2 March 2026", True),
        ("Mon, 2 Mar 2026", True),
        ("March 2nd, 2026 at 10:30 UTC", True),
        ("Mon Mar 2 08:15:00 UTC 2026", True),
        ("02-MAR-2026", True),
        ("1772438400000", True),
        ("20260302", True),
        ("N/A 1", False),
        ("1970-01-01T00:00:00Z", False),
        ("0001-01-01", False),
        ("9999-12-31", False),
        ("0000-00-00", False),
        ("2026-13-45", False),
        ("2026-03-02?", False),
        ("2026-03-02 failed", False),
        ("not before 2026-03-02", False),
        ("12", False),
        ("never", False),
        ("day 2", False),
    ],
)
def test_date_is_a_whole_date(read, name, word, good):
    rows = 'Identity,Remediation Status,%s\nAda,Remediated,"%s"\n' % (name, word)
    assert read(rows)["outcome"] == ("remediated" if good else "inconclusive")


@pytest.mark.parametrize("name", ["", " ", "?", "--", "Unnamed: 2", "7", "Column3", "F3", "Spalte 3"])
def test_column_without_a_name_is_a_witness(read, name):
    for word in ("still open!", "x", "Yes", "No", "7", "2026-03-02"):
        report = read(beside(name, word))
        assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1))
        for text in (repr(name.strip() or "column 3"), "line 2", repr(word), "'Remediation Status' says 'Remediated'"):
            assert text in report["reason"]
    for word in ("Open", "Not Remediated", "PENDING"):
        assert read(beside(name, word))["outcome"] == "unremediated"
    for word in ("", " ", "Remediated"):
        assert read(beside(name, word))["outcome"] == "remediated"


def test_column_of_row_numbers_is_no_witness(read):
    assert read("#,Remediation Status\n1,Remediated\n2,Remediated\n")["outcome"] == "remediated"
    assert read("#,Remediation Status\n1,Remediated\nx,Remediated\n")["outcome"] == "inconclusive"


@pytest.mark.parametrize("name", ["Remediation Error", "Error", "errorMessage", "Error Code", "Failure Reason", "Failures"])
def test_error_column_that_is_filled(read, name):
    for word in ("timeout", "HTTP 500", "unknown", "5"):
        report = read(beside(name, word))
        assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1))
        assert repr(name) in report["reason"] and repr(word) in report["reason"]
    for word in ("", "None", "No", "n/a", "-", "0"):
        assert read(beside(name, word))["outcome"] == "remediated"


@pytest.mark.parametrize("name", ["Outcome", "Result", "Stage", "Item Resolution"])
@pytest.mark.parametrize(
    "word",
    [
        "Failed",
        "failure: no such account",
        "ERROR",
        "Not removed",
        "Timed out",
        "timeout",
        "Aborted",
        "Unsuccessful",
        "Skipped",
        "Incomplete",
        "no longer supported",
    ],
)
def test_column_of_any_results_that_says_what_did_not_come_about(read, name, word):
    report = read(beside(name, word))
    assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1)) and repr(word) in report["reason"]


@pytest.mark.parametrize("name, word", [("Status", "1"), ("Status", "0"), ("Status", "10023 A"), ("Removal State", "10023")])
def test_number_that_may_be_a_state(read, name, word):
    assert read(beside(name, word), status_column="Remediation Status")["outcome"] == "inconclusive"


@pytest.mark.parametrize("name", ["Item Status", "Completed", "Remediation Date"])
def test_another_column_is_silent_for_some(read, name):
    good = {"Item Status": "Remediated", "Completed": "Yes", "Remediation Date": "2026-03-02"}[name]
    report = read(beside(name, good), status_column="Remediation Status")
    assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1))
    assert "line 3" in report["reason"] and repr(name) in report["reason"]
    assert read(beside(name, ""), status_column="Remediation Status")["outcome"] == "remediated"


@pytest.mark.parametrize("name", ["Result", "Bearbeitungsstand", "Comments", "Access"])
@pytest.mark.parametrize("word", ["Not Remediated", "UNREMEDIATED", " partially remediated ", "Pending_Remediation"])
def test_words_that_say_open_in_any_column(read, name, word):
    report = read(beside(name, word))
    assert (report["outcome"], numbers(report)) == ("unremediated", (2, 1, 1, 0))
    assert repr(name) in report["reason"]


def test_word_of_the_user_counts_in_columns_of_states_only(read):
    words = dict(open_values=["Revoked"], remediated_values=["Vollzogen"])
    content = "Decision,Status,Stand\nREVOKED,%s,Vollzogen\n"
    assert read(content % "Vollzogen", words, status_column="Stand")["outcome"] == "remediated"
    assert read(content % "revoked", words, status_column="Stand")["outcome"] == "unremediated"


@pytest.mark.parametrize("status", ["Open", "Schwebend", ""])
def test_another_column_makes_no_item_remediated(read, status):
    report = read("Remediation Status,Item Status,Completed\n%s,Remediated,Yes\n" % status)
    assert report["outcome"] == ("unremediated" if status == "Open" else "inconclusive")
    assert report["items_remediated"] == 0


def test_every_column_that_contradicts_is_named(read):
    report = read("Remediation Status,Item Status,Completed\n" + "Remediated,Open,No\n" * 3)
    assert "'Item Status' says 'Open'" in report["reason"] and "'Completed' says 'No'" in report["reason"]
    assert "(3 such rows)" in report["reason"]


# --- words that counted ---


def test_words_that_counted(read):
    rows = "A,B,C,Vollzogen\nA,B,C, VOLLZOGEN\nA,B,C,Schwebend\nA,B,C,Offen\nA,B,C,\n"
    report = read(HEADER + rows, dict(remediated_values=["Vollzogen", "Schwebend"]))
    assert report["words"] == [
        dict(word="Vollzogen", count=2, meaning="remediated", source="configured"),
        dict(word="Schwebend", count=1, meaning="remediated", source="configured"),
        dict(word="Offen", count=1, meaning="unknown", source="built_in"),
        dict(word="", count=1, meaning="unknown", source="built_in"),
    ]
    assert read(HEADER + STILL_OPEN, dict(remediated_values=["x"]))["words"] == [
        dict(word="Open", count=1, meaning="open", source="built_in")
    ]


def test_words_of_other_columns_that_counted(read):
    report = read("Remediation Status,Item Status\nRemediated,Schwebend\n", dict(remediated_values=["Remediated", "Schwebend"]))
    assert report["outcome"] == "remediated"
    assert report["words"] == [
        dict(word="Remediated", count=1, meaning="remediated", source="configured"),
        dict(column="Item Status", word="Schwebend", count=1, meaning="remediated", source="configured"),
    ]


def test_words_are_bounded_and_known_ones_are_always_there(read, monkeypatch):
    monkeypatch.setattr(remediation_report, "MOST_UNKNOWN_WORDS", 3)
    report = read(HEADER + "".join("A,B,C,word %d\n" % number for number in range(9)) + DONE + "A,B,C,%s\n" % ("x" * 9000))
    assert [len(entry["word"]) for entry in report["words"]] == [6, 6, 6, 10]
    assert (report["words_left_out"], report["words"][-1]["word"], report["items_unknown"]) == (7, "Remediated", 10)
    monkeypatch.undo()
    assert len(read(HEADER + "A,B,C,%s\n" % ("x" * 9000))["words"][0]["word"]) == remediation_report.LONGEST_WORD


# --- of which campaign ---


@pytest.mark.parametrize("name", ["Campaign ID", "campaignId", "CAMPAIGN_ID"])
def test_campaigns_that_the_file_names(read, name):
    rows = "".join("%s,Q3 review,Remediated\n" % campaign for campaign in ("c1", "c1 ", "", "c2"))
    report = read("%s,Campaign Name,Remediation Status\n" % name + rows)
    assert (report["campaign_ids"], report["campaign_names"]) == (["c1", "c2"], ["Q3 review"])


@pytest.mark.parametrize(
    "name, ids, names",
    [
        ("2c9180835d191a86015d28455b4a2329", ["2c9180835d191a86015d28455b4a2329"], []),
        ("5B1F0C9E-7D2A-4E6F-8A3C-1D4B9E7F2A99", ["5B1F0C9E-7D2A-4E6F-8A3C-1D4B9E7F2A99"], []),
        ("Q3 review", [], ["Q3 review"]),
        ("", [], []),
    ],
)
def test_column_called_campaign_has_ids_or_names(read, name, ids, names):
    report = read("Campaign,Remediation Status\n%s,Remediated\n" % name)
    assert (report["campaign_ids"], report["campaign_names"]) == (ids, names)
    if name:
        report = read("Campaign: %s\n" % name + HEADER + DONE)
        assert (report["outcome"], report["campaign_ids"], report["campaign_names"]) == ("remediated", ids, names)


def test_campaigns_are_bounded(read):
    report = read("Campaign ID,Remediation Status\n" + "".join("c%d,Remediated\n" % number for number in range(9)))
    assert report["campaign_ids"] == ["c0", "c1", "c2", "c3", "c4"]
    assert read(HEADER + DONE)["campaign_ids"] == []


# --- files as offices make them ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line", ["sep=%s", "SEP=%s", '"sep=%s"'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_that_names_the_separator(read, line, delimiter, encoding):
    content = line % delimiter + "\r\n" + (HEADER + DONE + STILL_OPEN).replace(",", delimiter)
    report = read(content.encode(encoding))
    assert numbers(report) == (2, 1, 1, 0)
    assert report["columns"][0] == "Identity"


def test_lines_are_counted_from_the_first_of_the_file(read):
    report = read("sep=,\nRemediation report\n\n" + HEADER + DONE + STRANGE)
    assert "the first of them at line 6" in report["reason"]


@pytest.mark.parametrize(
    "title",
    [
        "Remediation Status Report\n",
        "Campaign:,Quarterly review\n",
        "Report,,,\n,,,\n\n",
        '"Report, of Hamburg"\nMarch 2026\n',
        "sep=,\nReport\n",
    ],
)
def test_title_before_the_header(read, title):
    report = read(title + HEADER + DONE + STILL_OPEN)
    assert numbers(report) == (2, 1, 1, 0)
    assert "no item: line " in report["reason"]
    assert read(title + HEADER + DONE)["outcome"] == "remediated"


@pytest.mark.parametrize(
    "title",
    [
        "Campaign report",
        "Quarterly Access Review",
        "Remediation Status Report for Hamburg",
        "Q3 2026 Certification Report",
        "Remediation report of Q3 2026",
        "Campaign: Access Review 2026",
        "Campaign ID: 2c9180835d191a86015d28455b4a2329",
        "Tenant: example",
        "2 March 2026",
        "Report date: 2026-03-02",
        "Generated on 2026-03-02 08:15 UTC",
        "Report generated by Ada Byron on 2026-03-02",
        "Total items: 2",
        "Page 1 of 1",
        "*** Access Certification ***",
    ],
)
def test_title_that_is_known(read, title):
    report = read(title + "\n" + HEADER + DONE * 2)
    assert (report["outcome"], numbers(report)) == ("remediated", (2, 2, 0, 0)), report["reason"]
    assert "no item: line 1" in report["reason"]


NOT_WHOLE = [
    "Partial export (first page only)",
    "Partial report",
    "Report (first 1000)",
    "Report 1 of 3",
    "Page 1 of 2",
    "Page 2 of 2",
    "Preview report",
    "Draft report of Hamburg",
    "Report of 0",
    "Report for the first 1000 items",
    "Report of failed items",
    "Open items: 3",
    "Remediation Status: Open",
    "Remediation Status: Schwebend",
    "Bob Open",
    "Bob: Pay",
    "Jo Novak",
    "Exported the first 1000 of 5000",
    "Exported rows truncated",
    "Generated 1 of 500 rows",
    "Exported with warnings",
    "Exported with warnings: timeout while reading rows",
    "Generated by timeout",
    "Generated by first page only",
    "Exported 2026-03-02 (incomplete)",
    "Exported 2026-03-02 with errors",
    "Report ended early",
    "Campaign: Hamburg (page 1)",
    "Campaign: open items",
    "Campaign status: ACTIVE",
    "Report status: RUNNING",
    "Total items: 2 of 7",
    "Rows 1 to 100",
    "Auszug",
    "Report - unfinished",
    "Continued",
    "Report truncated",
    "Limit reached",
    "Generated at noon",
    "Exported 1000",
    "Report of 2026 - part two",
    "Total open: 2",
    "End of part 1",
    "End of report (1 of 2)",
    "Bericht (Teil 1)",
]


@pytest.mark.parametrize("text", NOT_WHOLE)
def test_line_that_may_say_that_the_report_is_not_whole(read, text):
    for rows in (DONE * 2, ""):
        before = read(text + "\n" + HEADER + rows)
        assert before["outcome"] == "inconclusive"
        for words in ("line 1, %s" % report_words.shown(text), "may not be whole", "get the report again"):
            assert words in before["reason"]
    for line in (text, text + ",,,", '"%s"' % text, text + "\nEnd of report", "Total: 2\n" + text):
        after = read(HEADER + DONE * 2 + line + "\n")
        assert after["outcome"] == "inconclusive" and after["items_unknown"] >= 1, line
        assert "line 4" in after["reason"] or "line 5" in after["reason"]
    # Without any item, too.
    assert read(HEADER + text + "\n")["outcome"] == "inconclusive"
    assert read(text + "\n" + HEADER + STILL_OPEN)["outcome"] == "unremediated"


@pytest.mark.parametrize(
    "item",
    [
        "Printed Invoices",
        ",Created Accounts Approver,",
        "Total 1",
        "Number 1,",
        "Count 3",
        "Created by Approver",
        "Page 1",
        "Ende",
        "Exported Goods",
        "Report Generator",
        "1",
        "Grand Total",
        "Printed 3 Invoices",
        "Number,1",
        "Summe",
    ],
)
def test_row_that_was_cut_off_after_its_first_cells_is_an_item(read, item):
    report = read(HEADER + DONE + item + "\n")
    assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1))
    assert "line 3" in report["reason"]


def test_line_before_the_header_that_may_be_an_item_is_named(read):
    report = read("Jo Novak,Warehouse,WMS,Open\n" + HEADER + DONE)
    assert report["outcome"] == "inconclusive"
    assert "line 1, 'Jo Novak Warehouse WMS Open', comes before what looks like the header" in report["reason"]


def test_long_words_of_a_file_are_not_kept_whole(read):
    content = HEADER.replace("\r\n", ",Item Status\r\n") + "A,B,C,Remediated,%s\n" % ("x" * 100000)
    content += "".join("A,B,C,%s%d,\n" % ("y" * 100000, number) for number in range(3))
    report = read(content)
    assert sorted(entry["count"] for entry in report["words"]) == [1, 1, 3]
    assert len(str(report)) < 5000


def test_columns_that_are_silent_in_too_many_ways(read, monkeypatch):
    monkeypatch.setattr(remediation_report, "MOST_UNKNOWN_WORDS", 2)
    rows = ["Yes,,,", ",Yes,,", ",,Yes,", ",,,Yes", "Yes,Yes,Yes,Yes"]
    report = read("Remediation Status,Done,Closed,Fixed,Completed\n" + "".join("Remediated,%s\n" % row for row in rows))
    assert (report["outcome"], numbers(report)) == ("inconclusive", (5, 1, 0, 4))


def test_title_with_another_separator_than_the_table(read):
    assert numbers(read("Report, of Hamburg\n" + (HEADER + DONE).replace(",", ";"))) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    "before",
    [
        "Jo Novak,Warehouse,WMS,Open\n",
        "A,B,C\n",
        "Jo Novak,,,Open\n",
        "Jo Novak,,WMS,\n",
        ",,,Open\n",
        "Status: ,,,Open\n",
        "Open\n",
        "Total: 3\n",
        "{}\n",
        "<html>\n",
        '"Jo\n',
    ],
)
def test_what_may_be_an_item_is_no_title(read, before):
    assert read(before + HEADER + DONE)["outcome"] == "inconclusive"


@pytest.mark.parametrize("extra", [",", ",,", ", ,"])
def test_empty_cells_at_the_end_of_every_row(read, extra):
    def wide(text, on):
        return text.replace("\r\n", extra + "\r\n") if on else text

    for header, rows in ((True, True), (True, False), (False, True)):
        report = read(wide(HEADER, header) + wide(DONE + STILL_OPEN, rows))
        assert numbers(report) == (2, 1, 1, 0), (header, rows)
    # What only some rows have may be a cell that was torn apart.
    report = read(HEADER + DONE + wide(DONE, True))
    assert (report["outcome"], numbers(report)) == ("inconclusive", (2, 1, 0, 1))
    assert "line 3" in report["reason"]


def test_rows_that_all_have_a_cell_more_are_not_understood(read):
    assert read(HEADER + "Novak, Jo,HR,FI,Remediated\n" * 2)["outcome"] == "inconclusive"


@pytest.mark.parametrize(
    "footer",
    [
        "Total: 2",
        "Total,2",
        "TOTAL = 2",
        "Total items: 2,,,",
        "2 rows",
        "2 items in total.",
        "Summe: 2",
        "Generated by Ada, 2026",
        "Report generated on 2026-03-02",
        "End of report",
        "Total: 2\r\n\r\nGenerated by x",
        "Exported 2026-03-02,,,",
    ],
)
def test_line_about_the_report_at_its_end(read, footer):
    quoted = '"%s"' % footer if "Ada," in footer else footer
    report = read(HEADER + DONE + DONE + quoted + "\r\n")
    assert (report["outcome"], numbers(report)) == ("remediated", (2, 2, 0, 0)), report["reason"]
    assert "no item: line 4" in report["reason"]
    assert read(HEADER + DONE + STILL_OPEN + quoted)["outcome"] == "unremediated"


@pytest.mark.parametrize("footer", ["Total: 12", "Total: 1", "12 rows", "Total: 0"])
def test_total_that_is_not_that_of_the_rows(read, footer):
    report = read(HEADER + DONE + DONE + footer)
    assert report["outcome"] == "inconclusive"
    assert "line 4 says %r, but there are 2 rows" % footer in report["reason"]
    assert read(HEADER + "Total: 3\n")["outcome"] == "inconclusive"
    assert read(HEADER + "Total: 0\n")["outcome"] == "remediated"


@pytest.mark.parametrize(
    "footer",
    [
        "Total open: 2",
        "Open: 2",
        "Total outstanding: 2",
        "Number of exceptions: 2",
        "Generated 2 items",
        "Total: 2 (1 open)",
        "Not remediated,2",
        "Jo Novak",
        "Generated by Ada,Open",
        "Generated by Ada: 2 open",
        "Total,2,Open",
        "Total: 2,,,Open",
        "remediated: 2",
        "Total revoked: 2",
        ",,,",
        "Continued on the next page",
    ],
)
def test_line_that_is_not_understood_is_an_item(read, footer):
    report = read(HEADER + DONE + DONE + footer)
    assert report["outcome"] in ("inconclusive", "unremediated")
    assert report["items_total"] == 3
    assert report["outcome"] == "unremediated" or "line 4" in report["reason"]


def test_line_about_the_report_in_its_middle_is_an_item(read):
    report = read(HEADER + DONE + "Total: 1\n" + DONE)
    assert (report["outcome"], numbers(report)) == ("inconclusive", (3, 2, 0, 1))
    assert "line 3" in report["reason"]


@pytest.mark.parametrize("text", ["M\xfcller", "Jos\xe9", "\x80 5"])
def test_windows_1252_is_named(read, text):
    report = read(HEADER.encode() + DONE.encode() + text.encode("latin-1") + b",B,C,Remediated\n")
    assert_damaged(report, "windows-1252", "save it as UTF-8", "in line 3 ")


def test_line_of_what_is_no_text_is_found_in_a_long_file(read):
    content = HEADER.encode() + DONE.encode() * 5000 + b"M\xfcller,B,C,Remediated\n" + DONE.encode() * 5000
    assert_damaged(read(content), "windows-1252", "in line 5002 ")
    assert_damaged(read((HEADER + DONE).encode() + "A,B,C,北".encode()[:-1]), "in line 3 ")


def test_bytes_that_are_nothing_are_not_named_windows_1252(read):
    assert "windows" not in read(HEADER.encode() + b"\x81,B,C,Remediated\n")["reason"]
    assert "windows" not in read(HEADER.encode() + "A,B,C,北".encode()[:-1])["reason"]


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero"])
def test_device_is_never_opened(path, monkeypatch):
    monkeypatch.setattr(os, "open", lambda *_arguments: pytest.fail("opened"))
    with pytest.raises(OSError, match="not a regular file"):
        read_report(path)


def test_what_became_a_pipe_meanwhile_is_not_read(tmp_path, monkeypatch):
    pipe, plain = tmp_path / "pipe", tmp_path / "plain"
    os.mkfifo(pipe)
    plain.write_text(HEADER)
    original = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **options: original(plain if path == str(pipe) else path, **options))
    with pytest.raises(OSError, match="not a regular file"):
        read_report(str(pipe))


def test_no_file_is_left_open(read, tmp_path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    for content in (HEADER + DONE, b"\xff", "", "{"):
        read(content)
    assert before is None or len(os.listdir("/proc/self/fd")) == before


def test_nothing_shorter_than_the_file_with_a_total_is_remediated(read):
    content = HEADER + DONE * 3 + "Total: 3\r\n"
    for size in range(len(HEADER + DONE), len(content)):
        report = read(content[:size])
        assert report["items_total"] is None or report["items_total"] <= 4
    assert read(HEADER + DONE * 2 + "Total: 3")["outcome"] == "inconclusive"


def test_patterns_without_words_match_nothing():
    assert not report_words.anywhere(set()).search("")


# --- whatever is in a file ---

STATES = st.sampled_from(
    ["Remediated", "REMEDIATED ", "Open", "Pending", "Schwebend", "", "Not Remediated", "Yes", "No", "2026-03-02"]
)
NAMES = st.sampled_from(WITNESSES + FLAGS + OTHERS + ("Access", "Remediation Date"))
TABLES = st.tuples(
    st.lists(NAMES, max_size=3, unique=True),
    st.lists(st.tuples(STATES, STATES, STATES, STATES), max_size=4),
    st.sampled_from(",;\t|"),
    st.sampled_from(["", "sep", "title", "footer"]),
)


@given(TABLES)
@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_table_is_remediated_that_a_simple_mind_would_not_call_so(tmp_path, table):
    names, rows, delimiter, extra = table
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    if extra:
        stream.write({"sep": "sep=%s\n" % delimiter, "title": "Report\n"}.get(extra, ""))
    writer.writerow(["Identity", "Remediation Status"] + names)
    for row in rows:
        writer.writerow(["Ada", row[0]] + list(row[1 : 1 + len(names)]))
    if extra == "footer":
        stream.write("Total: %d\n" % len(rows))
    path = tmp_path / "report.csv"
    path.write_text(stream.getvalue())

    report = read_report(str(path), status_column="Remediation Status")

    assert report["items_total"] == len(rows)
    good = {"remediated", "yes", "2026-03-02", ""}
    if report["outcome"] == "remediated":
        for row in rows:
            assert row[0].strip().lower() == "remediated"
            for name, cell in zip(names, row[1:]):
                assert name in OTHERS + ("Access",) and cell != "Not Remediated" or cell.strip().lower() in good
    elif all(row[0].strip().lower() == "remediated" for row in rows):
        # Something else was said, a day of a state for example, or is missing.
        assert any(cell.strip().lower() not in good - {"", "2026-03-02"} for row in rows for cell in row[1 : 1 + len(names)])
    assert sum(numbers(report)[1:]) == len(rows)
    assert sum(entry["count"] for entry in report["words"] if "column" not in entry) == len(rows)


PARTS = st.sampled_from(
    [
        "Remediation Status",
        "Remediated",
        "Open",
        ",",
        ";",
        "\n",
        '"',
        "sep=",
        "\r",
        "Total: 1",
        " ",
        "\t",
        "A",
        "\0",
        "Item Status",
        "\ufeff",
    ]
)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.lists(PARTS, max_size=30).map("".join).map(str.encode),
    )
)
@settings(max_examples=500, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_the_reader(tmp_path, content):
    path = tmp_path / "report.csv"
    path.write_bytes(content)

    report = read_report(str(path))

    assert report["outcome"] in ("remediated", "unremediated", "inconclusive") and report["reason"]
    if report["outcome"] == "remediated":
        assert report["items_remediated"] == report["items_total"] and not report["open_items"]
    else:
        assert report["outcome"] != "unremediated" or report["items_open"]
