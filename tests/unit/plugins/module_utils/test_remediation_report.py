# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import csv
import os

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import report_file as remediation_report
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
        outcome="remediated", reason="2 of 2 items remediated", items_total=2, items_remediated=2, items_open=0,
        items_unknown=0, open_items=[], columns=["Identity", "Department", "Access", "Remediation Status"],
        status_column="Remediation Status")


def test_an_open_item(read):
    report = read(HEADER + DONE + STILL_OPEN)
    assert (report["outcome"], report["reason"]) == ("unremediated", "1 of 2 items still open")
    assert numbers(report) == (2, 1, 1, 0)
    assert report["open_items"] == [{
        "Identity": "Jo Novak", "Department": "Warehouse", "Access": "WMS_SUPERVISOR", "Remediation Status": "Open"}]


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
    assert "nothing was revoked" in report["reason"]


@pytest.mark.parametrize("content", [
    "upstream connect error\n", "Sorry, the report is not available.\n", "Identity,Acc", "Identity,,\n", "sep=;\n",
    "Service unavailable, please try later\n", "Identität,Zugriff,Bearbeitungsstand\n"])
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
    assert report["open_items"] == [{
        "Identity": '=HYPERLINK("http://x")', "Department": "<b>", "Access": "{{ lookup('env') }}",
        "Remediation Status": "Open"}]


# --- words ---

@pytest.mark.parametrize("word", ["Remediated", "REMEDIATED", "  remediated ", "Fully Remediated", "FULLY_REMEDIATED"])
def test_words_for_remediated(read, word):
    assert read(HEADER + "A,B,C,%s\n" % word)["outcome"] == "remediated"


@pytest.mark.parametrize("word", [
    "Open", "OPEN", "Not Remediated", "NOT_REMEDIATED", "NotRemediated", "not-remediated", "Unremediated", "Pending",
    "Remediation Pending", "IN_PROGRESS", "Partially Remediated"])
def test_words_for_open(read, word):
    assert read(HEADER + "A,B,C,%s\n" % word)["outcome"] == "unremediated"


@pytest.mark.parametrize("word", [
    "", "Yes", "true", "Completed", "Done", "Closed", "Revoked", "Removed", "Success", "Remediated?", "Re mediated",
    "Remediated Remediated", "Error", "N/A", "1"])
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

@pytest.mark.parametrize("name", [
    "Remediation Status", "remediation_state", "REMEDIATION-STATUS", " Remediation Status ", "remediationStatus",
    "Item Remediation Status", "Status", "State", "Current Status"])
def test_column_is_found(read, name):
    report = read("Identity,%s,Access\nA,Remediated,C\n" % name)
    assert (report["outcome"], report["status_column"]) == ("remediated", name.strip())


def test_specific_column_is_preferred(read):
    report = read("Status,Remediation Status,State\nOpen,Remediated,Texas\n")
    assert (report["outcome"], report["status_column"]) == ("remediated", "Remediation Status")


@pytest.mark.parametrize("header", [
    "Remediation Status,Remediation State", "Remediation Status,Remediated", "Status,State", "Status,Campaign Status",
    "State,Remediation Date", "Status,Home State", "Decision,Bearbeitungsstand", "Revocation Status,Identity"])
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
    content = "Remediation Status,Bearbeitungsstand\nOpen,Vollzogen\n"
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
    content = "Remediated,Remediation Status\nyes,?\nno,?\n"
    assert numbers(read(content, status_column="remediated")) == (2, 1, 1, 0)


def test_name_of_punctuation_only_is_taken_as_it_is(read):
    assert_column_not_known(read("Identity,#\nA,Remediated\n", status_column="?"), rows=1)
    assert read("Identity,#\nA,Remediated\n", status_column="#")["outcome"] == "remediated"


def test_columns_of_the_same_name_are_told_apart_by_position(read):
    content = "Name,Remediation Status,,Remediation Status\nA,Open,x,Remediated\n"
    report = read(content)
    assert_column_not_known(report, rows=1)
    assert report["columns"] == [
        "Name", "Remediation Status (column 2)", "column 3", "Remediation Status (column 4)"]
    assert "'Remediation Status (column 2)', 'Remediation Status (column 4)'" in report["reason"]
    assert_column_not_known(read(content, status_column="Remediation Status"), rows=1)
    assert read(content, status_column="Remediation Status (column 4)")["outcome"] == "remediated"
    assert read(content, status_column="Remediation Status (column 2)")["open_items"] == [{
        "Name": "A", "Remediation Status (column 2)": "Open", "column 3": "x",
        "Remediation Status (column 4)": "Remediated"}]


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


@pytest.mark.parametrize("content", [
    "A,B,%s,Open\n" % ("x" * LONGEST_RECORD), 'A,B,"C,Open\n' + "A,B,C,Remediated\n" * (LONGEST_RECORD // 16)])
def test_row_that_never_ends(read, content):
    assert_damaged(read(HEADER + DONE + content), "line 3", "longer than")


def test_line_that_never_ends_is_not_read_whole():
    class Endless:
        def readline(self, size):
            return "x" * size

    with pytest.raises(UnreadableReport, match="line 1 is longer than"):
        next(Lines(Endless()))


@pytest.mark.parametrize("content, kind", [
    ("\n <!DOCTYPE html>\n<html><body>Log in, please</body></html>\n", "HTML"),
    ('{"detailCode": "404.1.0 Not found", "messages": []}', "JSON"),
    ('[{"a": 1},\n{"b": 2}]', "JSON"),
    (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "PDF")])
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
