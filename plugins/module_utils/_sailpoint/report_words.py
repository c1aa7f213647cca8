# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the columns and the words of a remediation status report mean.

Their names differ between tenants, so whatever is not known for certain is unknown. The state of an item is read from
one column; every other column that looks like a state of the item is a witness that may not say something else. Private
to the collection.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

REMEDIATED, OPEN, UNKNOWN = "remediated", "open", "unknown"
BUILT_IN, CONFIGURED = "built_in", "configured"

# Names of columns without case, spaces, and punctuation. These say what the column holds ...
STATE_COLUMNS = {"remediationstatus", "remediationstate", "itemremediationstatus", "itemremediationstate"}
# ... these hold yes or no ...
FLAG_COLUMNS = {"remediated", "isremediated", "itemremediated"}
# ... and these may be anybody's: the campaign's, the identity's, an address's.
GENERIC_COLUMNS = {"status", "state", "itemstatus", "itemstate", "currentstatus", "currentstate"}

REMEDIATED_WORDS = ("remediated", "fully remediated")
# In any column, nobody means anything else by these ...
UNMISTAKABLE_WORDS = ("not remediated", "unremediated", "partially remediated", "pending remediation", "remediation pending")
# ... and by these only in a column of states.
OPEN_WORDS = UNMISTAKABLE_WORDS + ("open", "pending", "in progress")
YES_WORDS = ("yes", "true", "y")
NO_WORDS = ("no", "false", "n")

# The last word of a column's name says what it holds, and the words before it of what.
STATE_NOUNS = ("status", "state")
# Not the status itself, but what somebody says about it.
REMARKS = {"reason", "comment", "comments", "message", "note", "notes", "by", "user", "detail", "details", "description", "id"}
RESULT_NOUNS = {"remediation", "result", "outcome", "progress", "phase", "stage", "resolution", "fulfillment", "fulfilment"}
FLAG_NOUNS = {"remediated", "completed", "complete", "done", "closed", "resolved", "fixed", "removed", "fulfilled", "finished"}
INVERTED_FLAGS = {"open", "stillopen", "isopen", "itemopen", "pending", "ispending", "outstanding", "unremediated",
                  "notremediated", "isunremediated", "unresolved", "incomplete"}
DATE_NOUNS = {"date", "on", "at", "time", "timestamp"}
# A state of something else than the item, of a person, an address, an account or the review ...
OTHER_THINGS = {
    "campaign", "certification", "certifications", "certifier", "reviewer", "review", "reviews", "decision", "sign", "signoff",
    "identity", "user", "person", "employee", "employment", "worker", "hr", "manager", "owner", "lifecycle", "marital",
    "contract", "account", "source", "application", "connector", "home", "work", "office", "billing", "mailing", "shipping",
    "address", "country", "region", "location", "site", "company", "department", "previous", "former", "old", "original",
    "email", "sla"}
# ... and a time before the remediation.
NOT_YET = {"due", "deadline", "planned", "target", "expected", "scheduled", "start", "started", "requested", "request", "created",
           "begin", "next"}
ABOUT_THE_ITEM = ("remediat", "revo", "remov", "item")
LOOKS_LIKE_A_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)")
# An employee's number or a postcode, where a column called Status or State is an attribute of the identity. No state.
NUMBER_OF_SOMETHING = re.compile(r"[0-9]{4,}\Z")
ANYTHING = re.compile("")
# Between cells when a row is looked at as a whole: csv has no such cell, as no text has this character.
BETWEEN = "\x1f"

MOST_SHOWN_WORDS = 5
MOST_SHOWN_COLUMNS = 25
LONGEST_SHOWN = 60

NAME_THE_COLUMN = "name the right one with verify_remediation_status_column (the module's option status_column)"


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
        """What the folded words of the column with the states mean: dict of REMEDIATED and OPEN."""
        has_flags = plain(name) in FLAG_COLUMNS
        remediated = self._remediated or spellings(REMEDIATED_WORDS + (YES_WORDS if has_flags else ()))
        still_open = self._open or spellings(OPEN_WORDS + (NO_WORDS if has_flags else ())) - self._remediated
        # A word in both is a usual one for remediated, which the user calls open.
        return {**dict.fromkeys(remediated, REMEDIATED), **dict.fromkeys(still_open, OPEN)}

    def for_witness(self, remediated=(), still_open=()):
        """The same of another column. The user's words replace no usual ones there: they are of another column."""
        return {**dict.fromkeys(spellings(REMEDIATED_WORDS) | spellings(remediated), REMEDIATED),
                **dict.fromkeys(spellings(OPEN_WORDS) | spellings(still_open), OPEN),
                **dict.fromkeys(self._remediated, REMEDIATED), **dict.fromkeys(self._open, OPEN)}

    def source_of(self, word):
        """Whether the meaning of a folded word is the user's statement: CONFIGURED or BUILT_IN."""
        return CONFIGURED if word in self._remediated or word in self._open else BUILT_IN

    def unmistakable(self):
        """The folded words that say that an item is open in whatever column they are the whole cell.

        Not the user's, which may be of another thing in another column: a decision, too, is REVOKED.
        """
        return spellings(UNMISTAKABLE_WORDS) - self._remediated


class Witness:
    """A column beside the one with the states that may not say something else.

    index: its position. meanings: what its folded words mean. own_name: a word that is as good as yes. passes: a pattern of
    what is no word and contradicts nothing, a date for example. may_be_empty: whether an empty cell is natural beside an
    item that is remediated, even if other cells of the column are filled.
    """

    def __init__(self, index, meanings, own_name="", passes=None, may_be_empty=False):
        self.index = index
        self.may_be_empty = may_be_empty
        self._meanings = meanings
        self._own_name = own_name
        self._passes = passes

    def says(self, word):
        """(what a folded word that is not empty means: REMEDIATED, OPEN, or UNKNOWN; whether it is a word at all)."""
        meaning = self._meanings.get(word)
        if meaning:
            return meaning, True
        if self._passes and self._passes.match(word):
            return REMEDIATED, False
        return (REMEDIATED if self._own_name and plain(word) == self._own_name else UNKNOWN), True


def witnesses(header, index, vocabulary):
    """The Witnesses among the columns of a header, which are all but the one at index that look like a state."""
    found = (witness_of(place, name, vocabulary) for place, name in enumerate(header) if place != index)
    return [witness for witness in found if witness]


def witness_of(index, name, vocabulary):
    """A column as a Witness, or None where it does not look like the state of an item."""
    flat = plain(name)
    words = words_in(name)
    if flat in INVERTED_FLAGS or words and (words[-1] == "failed" or words[-1] in FLAG_NOUNS and "not" in words) and (
            not is_of_something_else(words)):
        return Witness(index, vocabulary.for_witness(NO_WORDS, YES_WORDS), may_be_empty=True)
    if not words or is_of_something_else(words):
        return None
    if words[-1] in DATE_NOUNS:
        is_end = any(word.startswith(("remediat", "remov")) for word in words) and not NOT_YET.intersection(words)
        return Witness(index, vocabulary.for_witness(), passes=re.compile(".*[1-9]", re.DOTALL)) if is_end else None
    if words[-1] in FLAG_NOUNS or flat in FLAG_COLUMNS:
        return Witness(index, vocabulary.for_witness(YES_WORDS, NO_WORDS), own_name=plain(words[-1]), passes=LOOKS_LIKE_A_DATE)
    is_state = flat.endswith(STATE_NOUNS) or "status" in flat and words[-1] not in REMARKS
    is_result = words[-1] in RESULT_NOUNS and any(word.startswith("remediat") for word in words)
    if words[-1] in RESULT_NOUNS and not is_result:
        # It may be of anything, and its words too, but those for open are clear.
        return Witness(index, vocabulary.for_witness(), passes=ANYTHING, may_be_empty=True)
    numbers = NUMBER_OF_SOMETHING if flat in GENERIC_COLUMNS else None
    return Witness(index, vocabulary.for_witness(YES_WORDS, NO_WORDS), passes=numbers) if is_state or is_result else None


def is_of_something_else(words):
    """Whether a column, by the words of its name, is about another thing than the item."""
    if any(word.startswith(ABOUT_THE_ITEM) for word in words):
        return False
    # Some programs write accountstatus.
    thing = next((words[0].removesuffix(noun) for noun in STATE_NOUNS if words[0].endswith(noun)), "")
    return bool(OTHER_THINGS.intersection(words[:-1]) or thing in OTHER_THINGS)


def anywhere(words):
    """A pattern that finds a row, as BETWEEN.join() of its folded cells, in which one of the words is a whole cell."""
    if not words:
        # What nothing matches.
        return re.compile(r"(?!)")
    return re.compile(r"(?:^|%s)\s*(?:%s)\s*(?:%s|$)" % (BETWEEN, "|".join(map(re.escape, sorted(words))), BETWEEN))


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


def words_in(name):
    """The words of a column's name, folded: also those of itemStatus and ITEM_STATUS."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [fold(word) for word in re.findall(r"[^\W_]+", apart)]


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
