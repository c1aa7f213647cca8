# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a report that are about the report: titles before its header, and totals and imprints after its last item.

Such a line may say that the report is not whole, so it counts only if every word of it is understood. Private to the
collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.report_words import MOMENT, MONTH, YEAR

_ITEMS = r"(?:items|rows|records|entries)"
# Only of all items: a total of what is outstanding, say, is none. `Total 1` may be the name of an access.
_TOTAL = re.compile(
    r"(?:(?:grand )?(?:total|count|number|summe|anzahl)(?: ?[:=] ?|(?: (?:number |count )?(?:of )?%s)(?: ?[:=] ?| ))"
    r"([0-9]{1,12})(?: %s)?|([0-9]{1,12}) %s(?: in total)?)" % (_ITEMS, _ITEMS, _ITEMS)
)
_TOTAL_CELL = re.compile(r"(?:grand )?total|summe|(?:grand )?(?:total|count|number) (?:number |count )?(?:of )?%s" % _ITEMS)
_PERIOD = r"(?:%s|(?:%s|q[1-4]),? %s|%s(?: q[1-4])?)" % (MOMENT, MONTH, YEAR, YEAR)
_PERSON = r"(?P<by>[^\W\d_][\w.@'-]*(?: [^\W\d_][\w.@'-]*){0,3})"
_MADE = (
    r"(?:generated|exported|printed|produced|downloaded|erstellt|exportiert|"
    r"(?:the |this )?report (?:was )?(?:generated|created|exported|printed|produced|run))"
)
_IMPRINTS = [
    re.compile(form)
    for form in (
        r"(?:%s|created):?(?: (?:on|at|am|um):?)? %s(?: (?:by|von) %s)?" % (_MADE, MOMENT, _PERSON),
        r"%s (?:by|von):? %s(?:,? (?:(?:on|at|in|am|um) )?%s)?" % (_MADE, _PERSON, _PERIOD),
        # The last page of several may be the only one that is there.
        r"page 1 of 1|end of (?:the )?(?:report|file|data)|ende (?:des berichts|der datei)",
    )
]
# What a text says that is not only a name: of a report that is not whole, or of its items.
_TELLTALE = re.compile(
    r"(?<![^\W_])(?:un|in(?:compl|terim|terrupt|cl)|part|teil|trunc|first|erste|last\b|letzte|only|nur\b|limit|max|top\b|preview|"
    r"sample|stichprobe|excerpt|extract|auszug|filter|subset|select|exclu|except|without|ohne|draft|entwurf|prelim|vorl|warn|"
    r"error|fehl|fail|time|abort|abbr|cancel|stop|ended|early|miss|not\b|nicht|no\b|none|kein|open\b|offen|pend|outstand|remain|"
    r"still|remediat(?!ion\b)|revo|remov|items?\b|rows?\b|records?\b|entr|lines?\b|pages?\b|seiten?\b|chunk|batch|contin|more\b|"
    r"mehr|less\b|skip|omit|cut\b|half|some\b|few|runn|queue|start|stale|old\b|beginn?|lost|broken|corrupt|damag|empty)"
)
_SUBJECTS = {"report", "bericht", "review", "reviews", "certification", "certifications", "recertification", "campaign", "audit"}
_WORDS_OF_TITLES = _SUBJECTS | {
    "remediation",
    "status",
    "access",
    "identity",
    "user",
    "entitlement",
    "security",
    "sailpoint",
    "identitynow",
    "cloud",
    "quarterly",
    "annual",
    "yearly",
    "monthly",
    "weekly",
    "confidential",
    "internal",
    "the",
    "and",
}
_TITLE_OF = re.compile(r"(?P<what>.+?),? (?:of|for|von|für) (?P<whom>.+)")
_KEY = re.compile(
    r"(?P<key>campaign(?: (?:name|id))?|tenant|organi[sz]ation|company|(?:report )?title) ?: ?(?P<value>.+)", re.IGNORECASE
)
_DATED = re.compile(r"(?:(?:report |run )?date ?: ?)?%s" % _PERIOD)
_CAMPAIGN_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def text_of(record: Iterable[str]) -> str:
    """What a record has to say, as one text."""
    return " ".join(cell.strip() for cell in record if cell.strip())


def total_in(record: Iterable[str]) -> int | None:
    """How many items a line about the report says that there are, or None."""
    cells = [cell for cell in record if cell.strip()]
    if len(cells) > 2:
        return None
    cells = [_even(cell) for cell in cells]
    if len(cells) == 2 and _TOTAL_CELL.fullmatch(cells[0]):
        cells[0] += ":"
    match = _TOTAL.fullmatch(" ".join(cells))
    return int(match[1] or match[2]) if match else None


def is_footer(record: Iterable[str]) -> bool:
    """Whether a record without a state is a line about the report that says no more than is understood."""
    cells = [cell for cell in record if cell.strip()]
    return len(cells) == 1 and _is_imprint(_even(cells[0])) or total_in(cells) is not None


def is_title(record: Sequence[str]) -> bool:
    """The same of a line before the header."""
    text = _even(text_of(record))
    key = _KEY.fullmatch(text)
    if key:
        is_id = key["key"].startswith("campaign") and is_campaign_id(key["value"])
        return is_id or key["key"] != "campaign id" and _is_name(key["value"])
    if total_in(record) is not None or _is_imprint(text) or _DATED.fullmatch(text):
        return True
    if _is_of_title_words(text):
        return True
    match = _TITLE_OF.fullmatch(text)
    return match is not None and _is_of_title_words(match["what"]) and _is_name(match["whom"])


def campaign_in(record: Iterable[str]) -> str | None:
    """What a title says of which campaign the report is, or None."""
    key = _KEY.fullmatch(text_of(record))
    return key["value"].strip() if key and key["key"].lower().startswith("campaign") else None


def is_campaign_id(text: str) -> bool:
    """Whether a text is the id of a campaign, not its name."""
    return bool(_CAMPAIGN_ID.fullmatch(text))


def _even(text: str) -> str:
    return " ".join(text.lower().split()).strip("*-=_#. ")


def _is_imprint(text: str) -> bool:
    for form in _IMPRINTS:
        match = form.fullmatch(text)
        if match:
            by = match.groupdict().get("by")
            return not by or not _TELLTALE.search(by)
    return False


def _is_name(text: str) -> bool:
    """Whether a text may be the name of something, in which there are no numbers but those of a period."""
    rest = re.sub(_PERIOD, "", text)
    return not _TELLTALE.search(text) and not re.search(r"[^\w\s,.&'/-]|\d", re.sub(r"\bq[1-4]\b", "", rest))


def _is_of_title_words(text: str) -> bool:
    words = set(re.findall(r"[^\s,&:-]+", re.sub(_PERIOD, "", text)))
    return bool(words & _SUBJECTS) and words <= _WORDS_OF_TITLES
