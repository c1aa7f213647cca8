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
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_lines import (
    campaign_in,
    is_campaign_id,
    is_footer,
    is_title,
    text_of,
    total_in,
)
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_words import (
    BETWEEN,
    BUILT_IN,
    MOST_SHOWN_WORDS,
    NAME_THE_COLUMN,
    NO_WORDS,
    YES_WORDS,
    Vocabulary,
    anywhere,
    find_status_column,
    fold,
    plain,
    shown,
    unique_names,
    witnesses,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    INCONCLUSIVE,
    MEANS_OPEN,
    MEANS_REMEDIATED,
    MEANS_UNKNOWN,
    REMEDIATED,
    UNREMEDIATED,
)

DELIMITERS = ",;\t|"
# Characters. A quotation mark that is missing would otherwise make one record of the rest of the file.
LONGEST_RECORD = 1024 * 1024
MOST_UNKNOWN_WORDS = 1000
LONGEST_WORD = 200
MOST_CAMPAIGNS = 5
# Lines before the header, and after the last item, that people and programs add.
MOST_TITLE_LINES = 20
MOST_FOOTER_LINES = 20
SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?", re.IGNORECASE)

EXPLAIN_THE_WORDS = (
    "say what they mean with verify_remediated_values and verify_open_values (the module's options "
    "remediated_values and open_values)"
)
FETCH_AGAIN = "get the report again"


if TYPE_CHECKING:
    # The number of a line, and its cells.
    Line = tuple[int, list[str]]
    # By the position of a column: at which lines it says something else, and what it and the column with the states say
    # in the first of them.
    Notes = dict[int, tuple["Tally", tuple[str, str]]]


class UnreadableReport(Exception):
    """The file is not a whole CSV file. The text says why, and what to do."""


def unread() -> JsonObject:
    """What is known of a report that was not read."""
    return dict(
        outcome=INCONCLUSIVE,
        items_total=None,
        items_remediated=None,
        items_open=None,
        items_unknown=None,
        open_items=[],
        columns=[],
        status_column=None,
        words=[],
        words_left_out=0,
        campaign_ids=[],
        campaign_names=[],
    )


def read_report(
    path: str, vocabulary: Vocabulary | None = None, status_column: str | None = None, max_open_items: int = 100
) -> JsonObject:
    """What a report says, as a dict, with `reason` in words. Raises OSError if the file cannot be read.

    vocabulary: a Vocabulary. status_column: name of the column with an item's state, or None to look for it.
    max_open_items: how many rows of open items are returned.
    """
    result = unread()
    vocabulary = vocabulary or Vocabulary()
    with field_size_limit(LONGEST_RECORD), open_text(path) as file:
        lines = Lines(file)
        try:
            skipped, delimiter, titles, strange = beginning_of(file, status_column, vocabulary)
            file.seek(0)
            records, header = open_records(lines, skipped, delimiter)
            result["columns"] = columns = unique_names(header)
            index, problem = find_status_column(header, columns, status_column)
            count = Count(header, columns, index, vocabulary, max_open_items)
            count.add_titles(titles, strange)
            count.add_all(records, lines)
        except UnreadableReport as error:
            return dict(result, reason=str(error))
        except UnicodeDecodeError as error:
            return dict(
                result,
                reason="%s the file is not %s text%s: %s, or save it as UTF-8"
                % (where_it_ends(file, lines, error), error.encoding.upper(), other_encoding(error), FETCH_AGAIN),
            )
        except csv.Error as error:
            return dict(result, reason=reason_of_csv_error(error, lines))
    result["status_column"] = None if index is None else columns[index]
    result.update(count.numbers(), open_items=count.open_items, **count.words(), **count.campaigns())
    result["outcome"], reason = judge(count, problem)
    result["reason"] = "; ".join([reason] + notes_on(count.not_items))
    return result


def judge(count: Count, problem: str | None) -> tuple[str, str]:
    """(outcome, reason) of a file that was read to its end.

    problem: why no column has the items' state, or None.
    """
    if not count.total and problem:
        # A line of text from somebody on the way looks like a header, too.
        return INCONCLUSIVE, "the file has no rows, and may not be a whole report: %s" % problem
    findings = count.findings(problem)
    if count.open:
        return UNREMEDIATED, "; ".join(["%d of %d items still open" % (count.open, count.total)] + findings)
    if findings:
        return INCONCLUSIVE, "; ".join(findings)
    if not count.total:
        return REMEDIATED, "the report lists no revoked item"
    return REMEDIATED, "%d of %d items remediated" % (count.total, count.total)


def notes_on(lines: Iterable[Line]) -> list[str]:
    """What was left out on purpose, as a list of a sentence or none. lines: (number, record) of each."""
    named = ", ".join("line %d, %s" % (number, shown(text_of(record))) for number, record in lines)
    return ["no item: %s" % named] if named else []


class Count:
    """Counts the items of a report by what their state means.

    header, columns: the names as they stand, and as they are shown. index: the position of the column with the states,
    or None. vocabulary: the Vocabulary. max_open_items: how many rows of open items are kept.
    """

    def __init__(
        self, header: Sequence[str], columns: Sequence[str], index: int | None, vocabulary: Vocabulary, max_open_items: int
    ) -> None:
        self.open_items: list[dict[str, str]] = []
        # (number, record) of the lines that are about the report, and are understood.
        self.not_items: list[Line] = []
        # The same of the first line before the header that is not, or None.
        self._strange: Line | None = None
        self.total = self.open = 0
        self._columns = columns
        self._index = index
        self._state_column = "" if index is None else columns[index]
        self._vocabulary = vocabulary
        self._max_open_items = max_open_items
        self._meanings = {} if index is None else vocabulary.for_column(header[index])
        self._witnesses = [] if index is None else witnesses(header, index, vocabulary)
        self._open_anywhere = anywhere(vocabulary.unmistakable())
        self._width: int | None = None
        self._narrowest = len("".join("x" if name.strip() else " " for name in header).rstrip())
        self._campaigns: dict[str, dict[str, None]] = {"campaignid": {}, "campaignname": {}}
        self._campaign_places = [
            (place, plain(column)) for place, column in enumerate(header) if plain(column) in ("campaign", *self._campaigns)
        ]
        self._words: dict[tuple[int, str, str], JsonObject] = {}
        self._words_left_out = 0
        self._remediated = 0
        self._unknown_words = Tally()
        self._misshapen = Tally()
        self._contradictions: Notes = {}
        self._doubts: Notes = {}
        # Items that are remediated, by which of the witnesses have nothing to say.
        self._silent: dict[tuple[int, ...], Tally] = {}
        self._filled: set[int] = set()

    def add_titles(self, titles: Iterable[Line], strange: Line | None) -> None:
        """Adds the lines before the header. strange: the first of them that is not understood, or None."""
        self.not_items += titles
        self._strange = strange
        for _line, record in titles:
            self._add_campaign("campaign", campaign_in(record) or "")

    def add_all(self, records: Iterable[list[str]], lines: Lines) -> None:
        """Adds every record. lines: the Lines that they are made of."""
        held: list[Line] = []
        mistaken = False
        for record in records:
            lines.record_size = 0
            line = lines.record_line
            if len(record) != len(self._columns) and len(record) < 2 and not "".join(record).strip():
                # A blank line.
                continue
            if self._may_be_a_footer(record) and len(held) < MOST_FOOTER_LINES:
                held.append((line, record))
                continue
            # What an item follows was no footer, so nobody knows what the next one is.
            mistaken = mistaken or bool(held)
            for one in held:
                self._add(*one)
            held.clear()
            self._add(line, record)
        if mistaken:
            for one in held:
                self._add(*one)
        else:
            self.not_items += held

    def _may_be_a_footer(self, record: list[str]) -> bool:
        """Whether a record is a line about the report instead of an item of it."""
        if self._index is not None and len(record) > self._index and record[self._index].strip():
            return False
        return is_footer(record)

    def _fits(self, record: list[str]) -> bool:
        """Whether a record has as many cells as all, where all may have empty ones at the end, or lack them."""
        width = len(self._columns)
        if self._width is None:
            self._width = width
            if len(record) >= self._narrowest and not "".join(record[width:]).strip():
                self._width = len(record)
        return len(record) == self._width and not "".join(record[width:]).strip()

    def _add(self, line: int, record: list[str]) -> None:
        self.total += 1
        if not self._fits(record):
            self._misshapen.add(line)
            return
        for place, column in self._campaign_places:
            self._add_campaign(column, record[place].strip() if place < len(record) else "")
        if self._index is None:
            return
        word = fold(record[self._index])
        meaning = self._meanings.get(word, MEANS_UNKNOWN)
        self._add_word(self._index, word, record[self._index], meaning)
        state = self._hear(line, record, meaning)
        if state == MEANS_OPEN:
            self.open += 1
            if len(self.open_items) < self._max_open_items:
                self.open_items.append(dict(zip(self._columns, record)))
        elif state == MEANS_REMEDIATED:
            self._remediated += 1
        elif meaning == MEANS_UNKNOWN:
            self._unknown_words.add(line)

    def _add_campaign(self, column: str, name: str) -> None:
        if column == "campaign":
            # It may hold either.
            column = "campaignid" if is_campaign_id(name) else "campaignname"
        found = self._campaigns[column]
        if name and len(found) < MOST_CAMPAIGNS:
            found.setdefault(name[:LONGEST_WORD], None)

    def _hear(self, line: int, record: list[str], meaning: str) -> str:
        """The state of an item: what its column says, unless another column says something else."""
        doubtful, silent, spoken, is_open = False, [], [], meaning == MEANS_OPEN
        for witness in self._witnesses:
            cell = record[witness.index] if witness.index < len(record) else ""
            word = fold(cell)
            if not word:
                if not witness.may_be_empty:
                    silent.append(witness.index)
                continue
            says, is_word = witness.says(word)
            spoken.append(witness.index)
            if is_word:
                self._add_word(witness.index, word, cell, says)
            if says == MEANS_OPEN and meaning != MEANS_OPEN:
                self._note(self._contradictions, line, record, witness.index)
                is_open = True
            elif says == MEANS_UNKNOWN and meaning == MEANS_REMEDIATED:
                self._note(self._doubts, line, record, witness.index)
                doubtful = True
        if not is_open and self._open_anywhere.search(fold(BETWEEN.join(record))):
            places = [
                place for place, cell in enumerate(record) if place != self._index and self._open_anywhere.fullmatch(fold(cell))
            ]
            for place in places[:1]:
                self._note(self._contradictions, line, record, place)
                is_open = True
        if is_open:
            return MEANS_OPEN
        if meaning != MEANS_REMEDIATED or doubtful:
            return MEANS_UNKNOWN
        self._filled.update(spoken)
        if silent:
            if len(self._silent) >= MOST_UNKNOWN_WORDS:
                # Too many to tell apart, so to be on the safe side they all lack all.
                silent = [witness.index for witness in self._witnesses]
            self._silent.setdefault(tuple(silent), Tally()).add(line)
        return MEANS_REMEDIATED

    def _note(self, notes: Notes, line: int, record: list[str], place: int) -> None:
        """Notes that another column says something else; of each column the first line is kept with its words."""
        state = "" if self._index is None else record[self._index]
        words = record[place][:LONGEST_WORD], state[:LONGEST_WORD]
        tally, _words = notes.setdefault(place, (Tally(), words))
        tally.add(line)

    def _add_word(self, place: int, word: str, cell: str, meaning: str) -> None:
        key = place, meaning, word[:LONGEST_WORD]
        entry = self._words.get(key)
        if entry:
            entry["count"] += 1
        # A column of other things, dates for example, has as many words as there are rows.
        elif meaning != MEANS_UNKNOWN or len(self._words) < MOST_UNKNOWN_WORDS:
            text = cell.strip()
            self._words[key] = dict(
                {} if place == self._index else {"column": self._columns[place]},
                word=text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 1] + "\u2026",
                count=1,
                meaning=meaning,
                source=BUILT_IN if meaning == MEANS_UNKNOWN else self._vocabulary.source_of(word),
            )
        elif place == self._index:
            self._words_left_out += 1

    def _missing(self) -> tuple[int, int, list[str]]:
        """(number of items, first line, columns) of remediated items that lack what other remediated ones have."""
        found = {places: tally for places, tally in self._silent.items() if self._filled.intersection(places)}
        places = sorted({place for group in found for place in group if place in self._filled})
        return (
            sum(tally.count for tally in found.values()),
            min([tally.first for tally in found.values()], default=0),
            [self._columns[place] for place in places],
        )

    def numbers(self) -> dict[str, int]:
        """The numbers that a module returns."""
        remediated = self._remediated - self._missing()[0]
        return dict(
            items_total=self.total,
            items_remediated=remediated,
            items_open=self.open,
            items_unknown=self.total - remediated - self.open,
        )

    def words(self) -> JsonObject:
        """The words that counted, the most frequent first, and how many items have others."""
        return dict(words=sorted(self._words.values(), key=lambda entry: -entry["count"]), words_left_out=self._words_left_out)

    def campaigns(self) -> dict[str, list[str]]:
        """Of which campaigns the report says to be, by id and by name."""
        return dict(campaign_ids=list(self._campaigns["campaignid"]), campaign_names=list(self._campaigns["campaignname"]))

    def findings(self, problem: str | None) -> list[str]:
        """Why items are unknown, or not what their column says, as a list of sentences; empty if none is."""
        findings = []
        if self._misshapen.count:
            findings.append(
                "%d of %d rows have more or fewer cells than the header, the first of them at line %d: %s"
                % (self._misshapen.count, self.total, self._misshapen.first, FETCH_AGAIN)
            )
        if self._unknown_words.count:
            findings.append(self._about_unknown_words())
        if self._contradictions:
            findings.append("%s: what is open in one column is not remediated" % self._about_columns(self._contradictions))
        if self._doubts:
            findings.append(
                "%s, a word that is not known: say what it means with verify_remediated_values and "
                "verify_open_values (the module's options remediated_values and open_values), or leave that column "
                "out of the report" % self._about_columns(self._doubts)
            )
        number, line, columns = self._missing()
        if number:
            findings.append(
                "%d of %d items are said to be remediated, the first of them at line %d, and have nothing in the column %s, "
                "in which other remediated ones have something: find out why"
                % (number, self.total, line, " or ".join(map(shown, columns[:MOST_SHOWN_WORDS])))
            )
        for line, record in self.not_items:
            total = total_in(record)
            if total is not None and total != self.total:
                findings.append(
                    "line %d says %s, but there are %d rows: %s" % (line, shown(text_of(record)), self.total, FETCH_AGAIN)
                )
        if self._strange:
            line, record = self._strange
            findings.append(
                "line %d, %s, comes before what looks like the header, and is not known to be only a title, so the "
                "report may not be whole: %s" % (line, shown(text_of(record)), FETCH_AGAIN)
            )
        if problem and self.total:
            findings.append(
                "%d of %d items are in a state that is not known: %s; if its words are not the usual ones, %s"
                % (self.total, self.total, problem, EXPLAIN_THE_WORDS)
            )
        return findings

    def _about_unknown_words(self) -> str:
        """Names the words that are not known."""
        counted = Counter(
            {
                shown(entry["word"]) if entry["word"] else "nothing": entry["count"]
                for entry in self._words.values()
                if entry["meaning"] == MEANS_UNKNOWN and "column" not in entry
            }
        )
        common = counted.most_common(MOST_SHOWN_WORDS)
        left = sum(counted.values()) + self._words_left_out - sum(number for _word, number in common)
        words = ", ".join("%s (%d)" % pair for pair in common) + (", and other words (%d)" % left if left else "")
        return (
            "%d of %d items are in a state that is not known, the first of them at line %d, the column %s says %s: %s, "
            "or %s"
            % (
                self._unknown_words.count,
                self.total,
                self._unknown_words.first,
                shown(self._state_column),
                words,
                EXPLAIN_THE_WORDS,
                NAME_THE_COLUMN,
            )
        )

    def _about_columns(self, notes: Notes) -> str:
        """Names the columns that say something else, each with a line."""
        return ", and ".join(
            "at line %d the column %s says %s where the column %s says %s%s"
            % (
                tally.first,
                shown(self._columns[place]),
                shown(word),
                shown(self._state_column),
                shown(beside),
                " (%d such rows)" % tally.count if tally.count > 1 else "",
            )
            for place, (tally, (word, beside)) in list(notes.items())[:MOST_SHOWN_WORDS]
        )


class Tally:
    """How many there are, and at which line the first is; 0 where there is none."""

    def __init__(self) -> None:
        self.count = 0
        self.first = 0

    def add(self, line: int) -> None:
        """One more, at a line."""
        if not self.count:
            self.first = line
        self.count += 1


# --- the file ---


class Lines:
    """The lines of a file for csv.reader, which itself would take anything as one.

    number: lines read so far. record_line: number of the line in which the record began that is being read.
    record_size: its characters so far; whoever takes a record sets it to 0.
    """

    def __init__(self, file: TextIO) -> None:
        self.number = 0
        self.record_line = 0
        self.record_size = 0
        self._readline = file.readline

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
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
                "it is no CSV file: %s" % (self.record_line, LONGEST_RECORD, FETCH_AGAIN)
            )
        if "\0" in line:
            raise UnreadableReport(
                "line %d has a NUL character, so the file is damaged or in an unknown encoding: %s, or save it as "
                "UTF-8" % (self.number, FETCH_AGAIN)
            )
        return line


def beginning_of(
    file: TextIO, status_column: str | None, vocabulary: Vocabulary
) -> tuple[int, str | None, list[Line], Line | None]:
    """(lines to skip, delimiter or None, titles, strange line or None) of what comes before the header.

    titles: (number, cells) of the lines that are known to be no more than a title. strange: the same of the first one that
    is not. A line is a title only if a line with the column of the states comes after it; otherwise it is the header
    itself, and so it is if it could be an item, which is more than one text, or a word for a state.
    """
    lines = list(itertools.islice(iter(lambda: file.readline(LONGEST_RECORD), ""), MOST_TITLE_LINES + 1))
    start = next((number for number, line in enumerate(lines) if line.strip()), None)
    if start is None or kind_of(lines[start]):
        return 0, None, [], None
    match = SEPARATOR_LINE.fullmatch(lines[start].strip("\r\n "))
    named = match[1] if match and match[1] in DELIMITERS else None
    skipped = start + 1 if named else 0
    for number, line in enumerate(lines[skipped:], skipped):
        # A cell of several lines is none of a title.
        if "\0" in line or line.count('"') % 2:
            break
        delimiter = named or delimiter_of(line)
        cells = cells_of(line, delimiter)
        if find_status_column(cells, unique_names(cells), status_column)[0] is not None:
            titles = [(place, cells_of(text, delimiter)) for place, text in enumerate(lines[skipped:number], skipped + 1)]
            titles = [(place, title) for place, title in titles if text_of(title)]
            item = next((title for title in titles if may_be_an_item(title[1], vocabulary)), None)
            if item:
                return skipped, named, [], item
            strange = next((title for title in titles if not is_title(title[1])), None)
            return number, named, [title for title in titles if is_title(title[1])], strange
    return skipped, named, [], None


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of a line."""
    return next(csv.reader([line], delimiter=delimiter), [])


def may_be_an_item(cells: Iterable[str], vocabulary: Vocabulary) -> bool:
    """Whether a line before a header can be an item of the report: not if it is one text, or a name with a colon and one."""
    filled = [cell for cell in cells if cell.strip()]
    states = vocabulary.for_witness(YES_WORDS, NO_WORDS)
    return (
        len(filled) > 2
        or len(filled) == 2
        and not filled[0].rstrip().endswith(":")
        or any(fold(cell) in states for cell in filled)
    )


def open_records(lines: Lines, skipped: int = 0, delimiter: str | None = None) -> tuple[Iterator[list[str]], list[str]]:
    """(records, header): an iterator over the rows after the header, and the header. Raises UnreadableReport.

    skipped: how many lines come before the header. delimiter: the one that the file names, if it does.
    """
    for _number in range(skipped):
        lines.record_size = 0
        next(lines)
    first = ""
    while not first.strip():
        lines.record_size = 0
        first = next(lines, "")
        if not first and skipped:
            raise UnreadableReport(
                "the file has no header, only a line that names the separator, and may not be a whole report: %s" % FETCH_AGAIN
            )
        if not first:
            raise UnreadableReport("the file is empty, it has not even a header: %s" % FETCH_AGAIN)
    kind = kind_of(first)
    if kind:
        raise UnreadableReport(
            "the file is %s, not CSV, it begins with %s: %s"
            % (kind, shown(first), "get the report with format csv" if kind == "PDF" else FETCH_AGAIN)
        )
    records = csv.reader(itertools.chain([first], lines), delimiter=delimiter or delimiter_of(first), strict=True)
    header = next(records)
    lines.record_size = 0
    return records, header


def delimiter_of(header_line: str) -> str:
    """The delimiter that the header has most of, outside quotes."""
    bare = re.sub(r'"[^"]*"?', "", header_line)
    return max(DELIMITERS, key=bare.count)


def kind_of(text: str) -> str | None:
    """What a file that begins like this is instead of CSV, or None."""
    text = text.lstrip()
    if text.startswith("<"):
        return "HTML or XML"
    if text.startswith(("{", "[")):
        return "JSON"
    return "PDF" if text.startswith("%PDF-") else None


def reason_of_csv_error(error: csv.Error, lines: Lines) -> str:
    """What the csv module found, for somebody who sees the file."""
    if "unexpected end of data" in str(error):
        return "the file ends within a quoted cell of the row that begins at line %d, so it was cut off: %s" % (
            lines.record_line,
            FETCH_AGAIN,
        )
    return "the row that begins at line %d is not CSV, a quotation mark or a line end is where none may be: %s" % (
        lines.record_line,
        FETCH_AGAIN,
    )


def where_it_ends(file: TextIO, lines: Lines, error: UnicodeDecodeError) -> str:
    """Where the text ends that a UnicodeDecodeError broke off, in words. file: as open_text() gave it."""
    if error.encoding.lower() != "utf-8":
        return "after line %d" % lines.number
    # It was decoded in pieces of many lines.
    decoder = codecs.getincrementaldecoder("utf-8")()
    number = 0
    file.buffer.seek(0)
    for piece in iter(lambda: file.buffer.readline(LONGEST_RECORD), b""):
        number += 1
        try:
            decoder.decode(piece)
        except UnicodeDecodeError:
            break
    return "in line %d" % number


def other_encoding(error: UnicodeDecodeError) -> str:
    """What the bytes of a UnicodeDecodeError look like instead, in words; empty where nobody can tell."""
    if error.encoding.lower() != "utf-8" or error.reason == "unexpected end of data":
        return ""
    letter = error.object[error.start : error.start + 1].decode("cp1252", "replace")
    return (
        ", it looks like windows-1252, in which it has %s there" % shown(letter)
        if letter.isprintable() and (letter != "\ufffd")
        else ""
    )


def open_text(path: str) -> TextIO:
    """Opens a file as text, by its byte order mark, else as UTF-8. Raises OSError."""
    # A pipe would wait for ever, and a device is not even to be opened.
    check_regular(path, os.stat(path))
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", closefd=False) as file:
        try:
            check_regular(path, os.fstat(handle))
            begin = file.read(16)
            os.lseek(handle, 0, os.SEEK_SET)
        except BaseException:
            os.close(handle)
            raise
    encoding = "utf-16" if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    if begin.startswith(b"%PDF-"):
        # Its first line is enough to tell, but the rest is no text.
        encoding = "latin-1"
    return open(handle, encoding=encoding, newline="")


def check_regular(path: str, status: os.stat_result) -> None:
    """Raises OSError if a path, of which this is the status, leads to anything but a regular file."""
    if not stat.S_ISREG(status.st_mode):
        is_directory = stat.S_ISDIR(status.st_mode)
        raise OSError(
            errno.EISDIR if is_directory else errno.EINVAL,
            "it is a directory" if is_directory else "it is not a regular file",
            path,
        )


@contextlib.contextmanager
def field_size_limit(size: int) -> Iterator[None]:
    """Lets csv read cells of this size. The limit is the whole process's, so it is put back."""
    before = csv.field_size_limit(size)
    try:
        yield
    finally:
        csv.field_size_limit(before)
