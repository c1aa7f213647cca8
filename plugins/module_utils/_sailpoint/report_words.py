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
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import (
    MEANS_OPEN,
    MEANS_REMEDIATED,
    MEANS_UNKNOWN,
)

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
# Not the status itself, but what somebody says about it, or who.
REMARKS = {
    "reason",
    "comment",
    "comments",
    "message",
    "note",
    "notes",
    "by",
    "user",
    "detail",
    "details",
    "description",
    "id",
    "owner",
    "assignee",
    "approver",
    "team",
}
RESULT_NOUNS = {"remediation", "result", "outcome", "progress", "phase", "stage", "resolution", "fulfillment", "fulfilment"}
FLAG_NOUNS = {
    "remediated",
    "completed",
    "complete",
    "completion",
    "done",
    "closed",
    "resolved",
    "fixed",
    "removed",
    "fulfilled",
    "finished",
    "verified",
    "verification",
    "validated",
    "confirmed",
    "executed",
    "implemented",
    "deprovisioned",
    "success",
    "successful",
    "succeeded",
    "revoked",
}
# In a column that is called by one of them, each is as good as yes; but what was only decided is revoked, too.
DONE_WORDS = tuple(FLAG_NOUNS - {"revoked"}) + ("passed",)
# These say of what it is wherever they are in a name ...
DONE_ANYWHERE = {"remediated", "removed", "revoked"}
# ... and with these, yes means that the item is open ...
OPEN_NOUNS = {
    "open",
    "pending",
    "outstanding",
    "unremediated",
    "unresolved",
    "unrevoked",
    "unremoved",
    "incomplete",
    "present",
    "still",
}
# ... as with these, alone or of the item: an approval, too, is needed, and a manager missing.
NEED_NOUNS = {
    "need",
    "needs",
    "needed",
    "require",
    "requires",
    "required",
    "await",
    "awaits",
    "awaiting",
    "waiting",
    "overdue",
    "missing",
    "exists",
    "exist",
    "remaining",
    "remains",
    "reopened",
    "blocked",
    "stuck",
}
# At the end of a name, yes means so too, but what is no yes and no may be of another thing: a person who is assigned.
LOOSE_FLAGS = {"assigned", "exists", "remaining", "remains"}
# Access that is so is not removed.
HELD = {"has", "active", "enabled"}
# Of what is still so, yes means that the item is open.
STILL_SO = OPEN_NOUNS | LOOSE_FLAGS | {"granted", "active", "enabled", "provisioned", "there", "access", "held", "valid"}
ERROR_NOUNS = {"error", "errors", "fail", "fails", "failed", "failing", "failure", "failures"}
NO_ERROR = ("none", "no error", "no errors", "no failure", "no failures", "null", "nil", "n/a", "na", "-", "0", "ok", "success")
LOGIN = {"login", "logins", "logon", "logons", "signin", "signins", "password", "authentication", "mfa"}
DATE_NOUNS = {"date", "on", "at", "time", "timestamp"}
# What is done to an item. A column of it says how far that is ...
DEEDS = ("remediat", "revoc", "revok", "remove", "removal", "removing")
# ... but these name what it is done to, or something about it, or are a setting of the campaign.
THINGS = {
    "access",
    "entitlement",
    "entitlements",
    "item",
    "items",
    "role",
    "roles",
    "profile",
    "permission",
    "permissions",
    "privilege",
    "privileges",
    "group",
    "account",
}
ATTRIBUTES = {
    "name",
    "value",
    "attribute",
    "type",
    "method",
    "mode",
    "kind",
    "channel",
    "category",
    "priority",
    "system",
    "source",
    "application",
    "action",
    "ticket",
    "number",
    "campaign",
    "decision",
}
SETTINGS = {"auto", "automatic", "automated", "automatically", "manual", "allowed", "enabled", "supported", "possible"}
# A state of something else than the item, of a person, an address, an account or the review ...
REVIEW_THINGS = {
    "campaign",
    "campaigns",
    "certification",
    "certifications",
    "certifier",
    "reviewer",
    "review",
    "reviews",
    "decision",
    "decisions",
    "sign",
    "signoff",
}
TECHNICAL_THINGS = {"account", "source", "application", "connector"}
OTHER_THINGS = (
    REVIEW_THINGS
    | TECHNICAL_THINGS
    | {
        "identity",
        "user",
        "person",
        "employee",
        "employed",
        "employment",
        "worker",
        "hr",
        "manager",
        "owner",
        "lifecycle",
        "marital",
        "contract",
        "home",
        "work",
        "office",
        "billing",
        "mailing",
        "shipping",
        "address",
        "country",
        "region",
        "location",
        "site",
        "company",
        "department",
        "previous",
        "former",
        "old",
        "original",
        "email",
        "phone",
        "mobile",
        "mfa",
        "sla",
        "position",
        "title",
        "job",
        "training",
    }
)
# ... and a time before the remediation.
NOT_YET = {
    "due",
    "deadline",
    "planned",
    "target",
    "expected",
    "scheduled",
    "start",
    "started",
    "requested",
    "request",
    "created",
    "begin",
    "next",
}
ABOUT_THE_ITEM = DEEDS + ("item",)
# Whoever has it, it is the item.
ABOUT_ACCESS = {"access", "entitlement", "entitlements", "role", "permission", "privilege", "grant", "assignment"}
# What some programs write as one word.
JOINED = (
    r"is|has|still|not|access|item|open|pending|outstanding|unremediated|remediat(?:ion|ed)|revo(?:ked|cation)|"
    r"remov(?:ed|al)|fail(?:ed|ure)|errors?|required|needs|present|completed|done|closed|result|date|status|state"
)

# A day or a time of this century. What is older is no time but the zero of a program.
MONTH = (
    r"(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|m\u00e4rz?|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|"
    r"sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\.?"
)
YEAR = r"20[0-9]{2}"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_ORDINAL = _DAY + r"(?:st|nd|rd|th|\.)?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?,? )"
_TIME = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?(?: ?[ap]\.?m\.?)?"
_ZONE = r"(?: ?(?:z|(?:utc|gmt)?[+-][0-9]{2}(?::?[0-9]{2})?|utc|gmt|[ecmp][sd]t|cest|cet|bst|ist|jst|sgt|aes?t|uhr))?"
_DATE = r"%s?(?:%s)" % (
    _WEEKDAY,
    "|".join(
        (
            YEAR + r"[-/.](?:0?[1-9]|1[0-2])[-/.]" + _DAY,
            YEAR + r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
            _DAY + r"[./-]" + _DAY + r"[./-](?:20)?[0-9]{2}",
            r"%s[ -]%s,?[ -]%s" % (_ORDINAL, MONTH, YEAR),
            r"%s %s,? %s" % (MONTH, _ORDINAL, YEAR),
        )
    ),
)
MOMENT = r"(?:%s(?:(?:t|,? (?:at |um )?)%s%s)?|%s%s,? (?:on )?%s|%s%s %s %s%s %s)" % (
    _DATE,
    _TIME,
    _ZONE,
    _TIME,
    _ZONE,
    _DATE,
    _WEEKDAY,
    MONTH,
    _DAY,
    _TIME,
    _ZONE,
    YEAR,
)
# Also in seconds or milliseconds since 1970.
WHEN = re.compile(r"%s|1[0-9]{9}(?:[0-9]{3})?" % MOMENT)
WHEN_OR_ALL_OF_IT = re.compile(r"100(?:[.,]0+)?\s*%%?|%s" % WHEN.pattern)
# An employee's number or a postcode, where a column called Status or State is an attribute of the identity. No state.
NUMBER_OF_SOMETHING = re.compile(r"[0-9]{4,}")
NUMBER = re.compile(r"[0-9]+")
NONE_OF_IT = re.compile(r"0+")
ANYTHING = re.compile(r".*", re.DOTALL)
# Of what may be of anything, these say that something did not come about.
NO_FAILURE = re.compile(
    r"(?!.*(?:fail|error|unsuccess|incomplet|abort|cancel|reject|skipped|pending|outstanding|unresolved|denied|"
    r"time[sd]?[ _-]?out|(?<![^\W_])(?:not|no longer|never|unable|cannot|still|open|partial|partially)(?![^\W_]))).*",
    re.DOTALL,
)
# What programs call a column that has no name.
NAMELESS = re.compile(r"(?:unnamed|column|col|spalte|field|feld|f|_c)?[ :_]*[0-9]+(?:_level_[0-9]+)?|unnamed|\W*")
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

    def __init__(self, remediated_values: Iterable[str] | None = None, open_values: Iterable[str] | None = None) -> None:
        # A cell without a word says nothing, and a variable that is empty must not change that.
        self._remediated = {fold(word) for word in remediated_values or ()} - {""}
        self._open = {fold(word) for word in open_values or ()} - {""}
        both = self._remediated & self._open
        if both:
            raise ValueError(
                "remediated_values and open_values (verify_remediated_values and verify_open_values) both have %s, and "
                "a word can only mean one of the two" % shown_list(sorted(both), MOST_SHOWN_WORDS)
            )

    def for_column(self, name: str) -> dict[str, str]:
        """What the folded words of the column with the states mean: dict of MEANS_REMEDIATED and MEANS_OPEN."""
        has_flags = plain(name) in FLAG_COLUMNS
        remediated = self._remediated or spellings(REMEDIATED_WORDS + (YES_WORDS if has_flags else ()))
        still_open = self._open or spellings(OPEN_WORDS + (NO_WORDS if has_flags else ())) - self._remediated
        # A word in both is a usual one for remediated, which the user calls open.
        return {**dict.fromkeys(remediated, MEANS_REMEDIATED), **dict.fromkeys(still_open, MEANS_OPEN)}

    def for_witness(self, remediated: tuple[str, ...] = (), still_open: tuple[str, ...] = ()) -> dict[str, str]:
        """The same of another column. The user's words replace no usual ones there: they are of another column."""
        return {
            **dict.fromkeys(spellings(REMEDIATED_WORDS) | spellings(remediated), MEANS_REMEDIATED),
            **dict.fromkeys(spellings(OPEN_WORDS) | spellings(still_open), MEANS_OPEN),
            **dict.fromkeys(self._remediated, MEANS_REMEDIATED),
            **dict.fromkeys(self._open, MEANS_OPEN),
        }

    def source_of(self, word: str) -> str:
        """Whether the meaning of a folded word is the user's statement: CONFIGURED or BUILT_IN."""
        return CONFIGURED if word in self._remediated or word in self._open else BUILT_IN

    def unmistakable(self) -> set[str]:
        """The folded words that say that an item is open in whatever column they are the whole cell.

        Not the user's, which may be of another thing in another column: a decision, too, is REVOKED.
        """
        return spellings(UNMISTAKABLE_WORDS) - self._remediated


class Witness:
    """A column beside the one with the states that may not say something else.

    index: its position. meanings: what its folded words mean. passes: a pattern of what is no word and contradicts nothing,
    a date for example. may_be_empty: whether an empty cell is natural beside an item that is remediated, even if other
    cells of the column are filled.
    """

    def __init__(
        self, index: int, meanings: Mapping[str, str], passes: re.Pattern[str] | None = None, may_be_empty: bool = False
    ) -> None:
        self.index = index
        self.may_be_empty = may_be_empty
        self._meanings = meanings
        self._passes = passes

    def says(self, word: str) -> tuple[str, bool]:
        """(what a folded word that is not empty means, one of MEANINGS; whether it is a word at all)."""
        meaning = self._meanings.get(word)
        if meaning:
            return meaning, True
        if self._passes and self._passes.fullmatch(word):
            return MEANS_REMEDIATED, False
        return MEANS_UNKNOWN, True


def witnesses(header: Sequence[str], index: int, vocabulary: Vocabulary) -> list[Witness]:
    """The Witnesses among the columns of a header, which are all but the one at index that look like a state."""
    found = (witness_of(place, name, vocabulary) for place, name in enumerate(header) if place != index)
    return [witness for witness in found if witness]


def witness_of(index: int, name: str, vocabulary: Vocabulary) -> Witness | None:
    """A column as a Witness, or None where it does not look like the state of an item."""
    words = words_in(name)
    if NAMELESS.fullmatch(fold(name)):
        # Nobody knows what it holds.
        is_number = name.strip() in ("#", "\u2116")
        return Witness(index, vocabulary.for_witness(), passes=NUMBER if is_number else None, may_be_empty=True)
    last = words[-1] if words else ""
    named = set(words)
    is_negated = bool(named & {"not", "never"}) or "no" in words[:-1]
    if named & ERROR_NOUNS and not named & LOGIN:
        # Whatever is said of an error: that there is one.
        no_error, error = (YES_WORDS, NO_WORDS) if is_negated else (NO_WORDS + NO_ERROR, YES_WORDS)
        return Witness(index, vocabulary.for_witness(no_error, error), may_be_empty=True)
    if not words:
        return None
    flag = flag_of(index, words, plain(name), is_negated, vocabulary)
    if flag or is_of_something_else(words) or last in REMARKS:
        return flag
    is_deed = any(word.startswith(DEEDS) for word in words)
    if last in DATE_NOUNS:
        is_end = is_deed and not NOT_YET.intersection(words)
        return Witness(index, vocabulary.for_witness(), passes=WHEN) if is_end else None
    if is_deed and last in THINGS and not named & SETTINGS:
        return Witness(index, vocabulary.for_witness(YES_WORDS, NO_WORDS), passes=NO_FAILURE, may_be_empty=True)
    is_result = last in RESULT_NOUNS and not is_deed and not any("provision" in word for word in words)
    if is_result or is_deed and (last in ATTRIBUTES or "to" in named or named & SETTINGS):
        # It may be of anything, and its words too, but those for open and for a failure are clear.
        return Witness(index, vocabulary.for_witness(), passes=NO_FAILURE, may_be_empty=True)
    flat = plain(name)
    numbers = NUMBER_OF_SOMETHING if flat in GENERIC_COLUMNS else None
    is_state = is_deed or last in RESULT_NOUNS or flat.endswith(STATE_NOUNS) or "status" in flat
    return Witness(index, vocabulary.for_witness(YES_WORDS, NO_WORDS), passes=numbers) if is_state else None


def flag_of(index: int, words: Sequence[str], flat: str, is_negated: bool, vocabulary: Vocabulary) -> Witness | None:
    """A column of which yes says that the item is done, or that it is open, as a Witness, or None.

    words, flat: its name as words_in() and plain() give it. is_negated: whether a word of it turns yes into no.
    """
    last, named = words[-1], set(words)
    if last in DATE_NOUNS | REMARKS or is_of_something_else(words, everywhere=True):
        return None
    is_deed = any(word.startswith(DEEDS) for word in words)
    is_about_it = is_deed or len(words) == 1 or named & {"item", "items", "access", "entitlement", "action"}
    is_planned = is_deed and {"to", "be"} <= named
    is_done = last in FLAG_NOUNS or flat in FLAG_COLUMNS or bool(named & DONE_ANYWHERE)
    is_open = bool(
        named & OPEN_NOUNS
        or is_about_it
        and named & NEED_NOUNS
        or last in LOOSE_FLAGS
        or is_planned
        or named & HELD
        and named & ABOUT_ACCESS
        or last in STILL_SO
        and (is_negated or "currently" in named)
    )
    if is_done and is_open:
        # Still Removed: nobody knows what yes means.
        return Witness(index, vocabulary.for_witness(), may_be_empty=True)
    if is_open and not is_negated:
        is_loose = last in LOOSE_FLAGS and words != ["exists"] and not is_deed and not named & (OPEN_NOUNS | {"currently"})
        return Witness(
            index, vocabulary.for_witness(NO_WORDS, YES_WORDS), passes=ANYTHING if is_loose else NONE_OF_IT, may_be_empty=True
        )
    if is_done and is_negated:
        return Witness(index, vocabulary.for_witness(NO_WORDS, YES_WORDS), may_be_empty=True)
    # Removed Access, Removed Status: what it is done to, and how far.
    if is_open or is_done and last not in (*STATE_NOUNS, *RESULT_NOUNS, *THINGS, *ATTRIBUTES):
        return Witness(index, vocabulary.for_witness(YES_WORDS + DONE_WORDS, NO_WORDS), passes=WHEN_OR_ALL_OF_IT)
    return None


def is_of_something_else(words: Sequence[str], everywhere: bool = False) -> bool:
    """Whether a column, by the words of its name, is about another thing than the item.

    everywhere: whether the other thing may also be the last word, and whoever's access is meant is the item's.
    """
    if any(word.startswith(ABOUT_THE_ITEM) for word in words):
        return False
    if everywhere:
        others = OTHER_THINGS.intersection(words)
        if "present" in words:
            others -= TECHNICAL_THINGS
        return bool(others & REVIEW_THINGS or others and not (ABOUT_ACCESS | {"has", "assigned"}).intersection(words))
    # Some programs write accountstatus.
    thing = next((words[0].removesuffix(noun) for noun in STATE_NOUNS if words[0].endswith(noun)), "")
    return bool(OTHER_THINGS.intersection(words[:-1]) or thing in OTHER_THINGS)


def anywhere(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds a row, as BETWEEN.join() of its folded cells, in which one of the words is a whole cell."""
    if not words:
        # What nothing matches.
        return re.compile(r"(?!)")
    return re.compile(r"(?:^|%s)\s*(?:%s)\s*(?:%s|$)" % (BETWEEN, "|".join(map(re.escape, sorted(words))), BETWEEN))


def find_status_column(header: Sequence[str], columns: Sequence[str], wanted: str | None) -> tuple[int, None] | tuple[None, str]:
    """(index, None) of the column with an item's state, or (None, why there is none)."""
    names = [plain(name) for name in header]
    if wanted:
        for matches in (
            [index for index, name in enumerate(header) if fold(name) == fold(wanted)],
            [index for index, name in enumerate(columns) if fold(name) == fold(wanted)],
            [index for index, name in enumerate(names) if name and name == plain(wanted)],
        ):
            if len(matches) == 1:
                return matches[0], None
            if matches:
                return None, several(columns, matches)
        return None, "the report has no column %s, but %s: %s" % (
            shown(wanted),
            shown_list(columns, MOST_SHOWN_COLUMNS),
            NAME_THE_COLUMN,
        )
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
        shown_list(columns, MOST_SHOWN_COLUMNS),
        NAME_THE_COLUMN,
    )


def several(columns: Sequence[str], matches: Iterable[int]) -> str:
    """Says that more than one column may be meant."""
    return "more than one column may hold the state of an item, %s: %s" % (
        shown_list([columns[index] for index in matches], MOST_SHOWN_COLUMNS),
        NAME_THE_COLUMN,
    )


def unique_names(header: Iterable[str]) -> list[str]:
    """The names of the columns, with the position added to those that are there twice or have no name."""
    names = [name.strip() for name in header]
    often = Counter(names)
    return [
        name if name and often[name] == 1 else "%s (column %d)" % (name, position) if name else "column %d" % position
        for position, name in enumerate(names, 1)
    ]


def fold(word: str) -> str:
    """A word as it is compared."""
    word = word.strip()
    return (word if word.isascii() else unicodedata.normalize("NFC", word)).casefold()


def plain(name: str) -> str:
    """A column's name without case, spaces, and punctuation."""
    return "".join(character for character in fold(name) if character.isalnum())


def words_in(name: str) -> list[str]:
    """The words of a column's name, folded: also those of itemStatus, ITEM_STATUS, and itemstatus."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    words = [fold(word) for word in re.findall(r"[^\W_]+", apart)]
    return [part for word in words for part in (re.findall(JOINED, word) if re.fullmatch("(?:%s)+" % JOINED, word) else [word])]


def spellings(words: Iterable[str]) -> set[str]:
    """The words as a set, in the ways in which programs write words of two words."""
    return {word.replace(" ", between) for word in words for between in (" ", "_", "-", "")}


def shown(text: str) -> str:
    """A text of the file as a message shows it: in quotes, not too long, without control characters."""
    text = text.strip()
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "...")


def shown_list(texts: Sequence[str], most: int) -> str:
    """Texts of the file in a row; where there are too many, the first ones and how many more."""
    more = len(texts) - most
    return ", ".join(shown(text) for text in texts[:most]) + (", and %d more" % more if more > 0 else "")
