# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a campaign's remediation status report, a CSV file with one row for each item that was revoked.

The names of the columns and the words for an item's state differ between tenants, so whatever is not known for certain
is unknown: nothing is guessed in favour of "remediated". The file is read as a stream. Private to the collection.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import errno
import itertools
import os
import re
import stat
import unicodedata
from collections import Counter

REMEDIATED, OPEN = "remediated", "open"

# Names of columns without case, spaces, and punctuation. These say what the column holds ...
STATE_COLUMNS = {"remediationstatus", "remediationstate", "itemremediationstatus", "itemremediationstate"}
# ... these hold yes or no ...
FLAG_COLUMNS = {"remediated", "isremediated", "itemremediated"}
# ... and these may be anybody's: the campaign's, the identity's, an address's.
GENERIC_COLUMNS = {"status", "state", "itemstatus", "itemstate", "currentstatus", "currentstate"}

REMEDIATED_WORDS = ("remediated", "fully remediated")
OPEN_WORDS = ("open", "not remediated", "unremediated", "partially remediated", "pending", "pending remediation",
              "remediation pending", "in progress")
YES_WORDS = ("yes", "true", "y")
NO_WORDS = ("no", "false", "n")

DELIMITERS = ",;\t|"
# Characters. A quotation mark that is missing would otherwise make one record of the rest of the file.
LONGEST_RECORD = 1024 * 1024
MOST_UNKNOWN_WORDS = 1000
MOST_SHOWN_WORDS = 5
MOST_SHOWN_COLUMNS = 25
LONGEST_SHOWN = 60

NAME_THE_COLUMN = "name the right one with verify_remediation_status_column (the module's option status_column)"
EXPLAIN_THE_WORDS = ("say what they mean with verify_remediated_values and verify_open_values (the module's options "
                     "remediated_values and open_values)")
FETCH_AGAIN = "get the report again"


class UnreadableReport(Exception):
    """The file is not a whole CSV file. The text says why, and what to do."""


class Vocabulary:
    """The words for an item's state.

    remediated_values, open_values: what the user calls them; a list that has no word stands for the words that are
    commonly used. Raises ValueError if a word is in both lists.
    """

    def __init__(self, remediated_values=None, open_values=None):
        # A cell without a word says nothing, and a variable that is empty must not change that.
        self._remediated = {fold(word) for word in remediated_values or ()} - {""}
        self._open = {fold(word) for word in open_values or ()} - {""}
        both = self._remediated & self._open
        if both:
            raise ValueError(
                "remediated_values and open_values (verify_remediated_values and verify_open_values) both have %s, and "
                "a word can only mean one of the two" % shown_list(sorted(both), MOST_SHOWN_WORDS))

    def for_column(self, name):
        """What the folded words of a column mean: dict of REMEDIATED and OPEN."""
        has_flags = plain(name) in FLAG_COLUMNS
        remediated = self._remediated or spellings(REMEDIATED_WORDS + (YES_WORDS if has_flags else ()))
        still_open = self._open or spellings(OPEN_WORDS + (NO_WORDS if has_flags else ())) - self._remediated
        # A word in both is a usual one for remediated, which the user calls open.
        return {**dict.fromkeys(remediated, REMEDIATED), **dict.fromkeys(still_open, OPEN)}


def unread():
    """What is known of a report that was not read."""
    return dict(outcome="inconclusive", items_total=None, items_remediated=None, items_open=None, items_unknown=None,
                open_items=[], columns=[], status_column=None)


def read_report(path, vocabulary=None, status_column=None, max_open_items=100):
    """What a report says, as a dict, with `reason` in words. Raises OSError if the file cannot be read.

    vocabulary: a Vocabulary. status_column: name of the column with an item's state, or None to look for it.
    max_open_items: how many rows of open items are returned.
    """
    result = unread()
    with field_size_limit(LONGEST_RECORD), open_text(path) as file:
        lines = Lines(file)
        try:
            records, header = open_records(lines)
            result["columns"] = columns = unique_names(header)
            index, problem = find_status_column(header, columns, status_column)
            meanings = {} if index is None else (vocabulary or Vocabulary()).for_column(header[index])
            count = Count(columns, index, meanings, max_open_items)
            count.add_all(records, lines)
        except UnreadableReport as error:
            return dict(result, reason=str(error))
        except UnicodeDecodeError as error:
            return dict(result, reason="after line %d the file is not %s text (%s): %s, or save it as UTF-8" % (
                lines.number, error.encoding.upper(), error.reason, FETCH_AGAIN))
        except csv.Error as error:
            return dict(result, reason=reason_of_csv_error(error, lines))
    result["status_column"] = None if index is None else columns[index]
    result.update(count.numbers(), open_items=count.open_items)
    result["outcome"], result["reason"] = judge(count, problem)
    return result


def judge(count, problem):
    """(outcome, reason) of a file that was read to its end.

    problem: why no column has the items' state, or None.
    """
    if not count.total:
        if problem:
            # A line of text from somebody on the way looks like a header, too.
            return "inconclusive", "the file has no rows, and may not be a whole report: %s" % problem
        return "remediated", "the report lists no item: nothing was revoked"
    findings = count.findings(problem)
    if count.open:
        return "unremediated", "; ".join(["%d of %d items still open" % (count.open, count.total)] + findings)
    if findings:
        return "inconclusive", "; ".join(findings)
    return "remediated", "%d of %d items remediated" % (count.total, count.total)


class Count:
    """Counts the items of a report by what their state means."""

    def __init__(self, columns, index, meanings, max_open_items):
        self.open_items = []
        self.total = self.remediated = self.open = 0
        self._columns = columns
        self._index = index
        self._meanings = meanings
        self._max_open_items = max_open_items
        self._words = Counter()
        self._other_words = 0
        self._misshapen = 0
        self._first_misshapen = None

    def add_all(self, records, lines):
        """Adds every record. lines: the Lines that they are made of."""
        width, index, meanings = len(self._columns), self._index, self._meanings
        for record in records:
            lines.record_size = 0
            if len(record) != width:
                if len(record) < 2 and not "".join(record).strip():
                    # A blank line.
                    continue
                self._misshapen += 1
                self._first_misshapen = self._first_misshapen or lines.record_line
            elif index is not None:
                meaning = meanings.get(fold(record[index]))
                if meaning == REMEDIATED:
                    self.remediated += 1
                elif meaning == OPEN:
                    self.open += 1
                    if len(self.open_items) < self._max_open_items:
                        self.open_items.append(dict(zip(self._columns, record)))
                else:
                    self._add_unknown(record[index])
            self.total += 1

    def _add_unknown(self, word):
        word = shown(word) if word.strip() else "nothing"
        # A column of other things, dates for example, has as many words as there are rows.
        if word in self._words or len(self._words) < MOST_UNKNOWN_WORDS:
            self._words[word] += 1
        else:
            self._other_words += 1

    def numbers(self):
        """The numbers that a module returns."""
        return dict(items_total=self.total, items_remediated=self.remediated, items_open=self.open,
                    items_unknown=self.total - self.remediated - self.open)

    def findings(self, problem):
        """Why items are unknown, as a list of sentences; empty if none is."""
        findings = []
        if self._misshapen:
            findings.append(
                "%d of %d rows have more or fewer cells than the header, the first of them at line %d: %s" % (
                    self._misshapen, self.total, self._first_misshapen, FETCH_AGAIN))
        if self._words:
            common = self._words.most_common(MOST_SHOWN_WORDS)
            words = ", ".join("%s (%d)" % pair for pair in common)
            named = sum(number for _word, number in common)
            left = sum(self._words.values()) + self._other_words - named
            findings.append(
                "%d of %d items are in a state that is not known, the column %s says %s%s: %s, or %s" % (
                    named + left, self.total, shown(self._columns[self._index]), words,
                    ", and other words (%d)" % left if left else "", EXPLAIN_THE_WORDS, NAME_THE_COLUMN))
        if problem:
            findings.append(
                "%d of %d items are in a state that is not known: %s; if its words are not the usual ones, %s" % (
                    self.total, self.total, problem, EXPLAIN_THE_WORDS))
        return findings


# --- columns and words ---

def find_status_column(header, columns, wanted):
    """(index, None) of the column with an item's state, or (None, why there is none)."""
    names = [plain(name) for name in header]
    if wanted:
        for matches in (
                [index for index, name in enumerate(header) if fold(name) == fold(wanted)],
                [index for index, name in enumerate(columns) if fold(name) == fold(wanted)],
                [index for index, name in enumerate(names) if name and name == plain(wanted)]):
            if len(matches) == 1:
                return matches[0], None
            if matches:
                return None, several(columns, matches)
        return None, "the report has no column %s, but %s: %s" % (
            shown(wanted), shown_list(columns, MOST_SHOWN_COLUMNS), NAME_THE_COLUMN)
    matches = [index for index, name in enumerate(names) if name in STATE_COLUMNS | FLAG_COLUMNS]
    if not matches:
        generic = [index for index, name in enumerate(names) if name in GENERIC_COLUMNS]
        similar = [name for name in names if "status" in name or name.endswith("state") or "remediat" in name]
        matches = generic if len(similar) == 1 else []
    if len(matches) == 1:
        return matches[0], None
    if matches:
        return None, several(columns, matches)
    return None, "none of the columns %s is known to hold the state of an item: %s" % (
        shown_list(columns, MOST_SHOWN_COLUMNS), NAME_THE_COLUMN)


def several(columns, matches):
    """Says that more than one column may be meant."""
    return "more than one column may hold the state of an item, %s: %s" % (
        shown_list([columns[index] for index in matches], MOST_SHOWN_COLUMNS), NAME_THE_COLUMN)


def unique_names(header):
    """The names of the columns, with the position added to those that are there twice or have no name."""
    names = [name.strip() for name in header]
    often = Counter(names)
    return [
        name if name and often[name] == 1 else "%s (column %d)" % (name, position) if name else "column %d" % position
        for position, name in enumerate(names, 1)]


def fold(word):
    """A word as it is compared."""
    word = word.strip()
    return (word if word.isascii() else unicodedata.normalize("NFC", word)).casefold()


def plain(name):
    """A column's name without case, spaces, and punctuation."""
    return "".join(character for character in fold(name) if character.isalnum())


def spellings(words):
    """The words as a set, in the ways in which programs write words of two words."""
    return {word.replace(" ", between) for word in words for between in (" ", "_", "-", "")}


def shown(text):
    """A text of the file as a message shows it: in quotes, not too long, without control characters."""
    text = text.strip()
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "...")


def shown_list(texts, most):
    """Texts of the file in a row; where there are too many, the first ones and how many more."""
    more = len(texts) - most
    return ", ".join(shown(text) for text in texts[:most]) + (", and %d more" % more if more > 0 else "")


# --- the file ---

class Lines:
    """The lines of a file for csv.reader, which itself would take anything as one.

    number: lines read so far. record_line: number of the line in which the record began that is being read.
    record_size: its characters so far; whoever takes a record sets it to 0.
    """

    def __init__(self, file):
        self.number = 0
        self.record_line = 0
        self.record_size = 0
        self._readline = file.readline

    def __iter__(self):
        return self

    def __next__(self):
        line = self._readline(LONGEST_RECORD)
        if not line:
            raise StopIteration
        self.number += 1
        if not self.record_size:
            self.record_line = self.number
        self.record_size += len(line)
        if self.record_size >= LONGEST_RECORD:
            raise UnreadableReport(
                "the row that begins at line %d is longer than %d characters, so a quotation mark may be missing, or "
                "it is no CSV file: %s" % (self.record_line, LONGEST_RECORD, FETCH_AGAIN))
        if "\0" in line:
            raise UnreadableReport(
                "line %d has a NUL character, so the file is damaged or in an unknown encoding: %s, or save it as "
                "UTF-8" % (self.number, FETCH_AGAIN))
        return line


def open_records(lines):
    """(records, header): an iterator over the rows after the header, and the header. Raises UnreadableReport."""
    first = ""
    while not first.strip():
        lines.record_size = 0
        first = next(lines, None)
        if first is None:
            raise UnreadableReport("the file is empty, it has not even a header: %s" % FETCH_AGAIN)
    kind = kind_of(first)
    if kind:
        raise UnreadableReport("the file is %s, not CSV, it begins with %s: %s" % (
            kind, shown(first), "get the report with format csv" if kind == "PDF" else FETCH_AGAIN))
    records = csv.reader(itertools.chain([first], lines), delimiter=delimiter_of(first), strict=True)
    header = next(records)
    lines.record_size = 0
    return records, header


def delimiter_of(header_line):
    """The delimiter that the header has most of, outside quotes."""
    bare = re.sub(r'"[^"]*"?', "", header_line)
    return max(DELIMITERS, key=bare.count)


def kind_of(text):
    """What a file that begins like this is instead of CSV, or None."""
    text = text.lstrip()
    if text.startswith("<"):
        return "HTML or XML"
    if text.startswith(("{", "[")):
        return "JSON"
    return "PDF" if text.startswith("%PDF-") else None


def reason_of_csv_error(error, lines):
    """What the csv module says, for somebody who sees the file."""
    if "unexpected end of data" in str(error):
        return ("the file ends within a quoted cell of the row that begins at line %d, so it was cut off: %s" % (
            lines.record_line, FETCH_AGAIN))
    return "the row that begins at line %d is not CSV (%s): %s" % (lines.record_line, error, FETCH_AGAIN)


def open_text(path):
    """Opens a file as text, by its byte order mark, else as UTF-8. Raises OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        # A pipe would wait for ever.
        raise OSError(errno.EISDIR if os.path.isdir(path) else errno.EINVAL,
                      "it is a directory" if os.path.isdir(path) else "it is not a regular file", path)
    with open(path, "rb") as file:
        begin = file.read(16)
    encoding = "utf-16" if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    if begin.startswith(b"%PDF-"):
        # Its first line is enough to tell, but the rest is no text.
        encoding = "latin-1"
    return open(path, encoding=encoding, newline="")


@contextlib.contextmanager
def field_size_limit(size):
    """Lets csv read cells of this size. The limit is the whole process's, so it is put back."""
    before = csv.field_size_limit(size)
    try:
        yield
    finally:
        csv.field_size_limit(before)
