# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redaction: takes secrets out of what is shown, logged, or written, in whatever spelling they come back.

Private to the collection.
"""

from __future__ import annotations

import base64
import functools
import html
import html.entities
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote

Shape = TypeVar("Shape")

MASK = "********"
# Without one of these a text spells everything as it is.
ESCAPES = re.compile(r"[%&\\+]")
# Each repetition is bounded, so that no text takes a time that grows with its square.
JSON_ESCAPE = re.compile(r"\\{1,16}(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\"'/]))")
MOST_LAYERS = 6
# In such a secret nothing can be taken for an escape, and nothing has two of them at once, as a space in a form has.
PLAIN = re.compile(r"[!-$'-\[\]-~]*")
# So many characters of a secret may be written as escapes; of a longer one, whatever follows them goes with them.
MOST_SPELLED = 128
# What would be found in every other word is masked as a part of something longer only.
SHORTEST_PASSWORD = 4
SHORTEST_ENCODED = 5

# One form inside another: an ampersand as HTML or JSON may have wrapped it, a percent sign as often as a URL was encoded,
# backslashes as often as JSON was put into JSON, or that into a URL or a page.
SEMICOLON = r"(?:;|%(?:25){0,8}3[bB])"
NUMBER = r"(?:#|%(?:25){0,8}23)0{0,8}"
AMPERSAND = r"(?:&|%(?:25){0,8}26|\\{1,16}u0026)(?:(?:amp|#0{0,8}38|#x0{0,8}26)" + SEMICOLON + "){0,4}"
PERCENT = r"(?:%|\\{1,16}u0025)(?:25){0,8}"
BACKSLASHES = r"(?:\\|%(?:25){0,8}5[cC]|&#0{0,8}92;|&#[xX]0{0,8}5[cC];|&bsol;){1,16}"
LETTERS = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
NAMES: dict[str, list[str]] = {}
for _name, _character in html.entities.html5.items():
    if _name.endswith(";") and len(_character) == 1:
        NAMES.setdefault(_character, []).append(re.escape(_name[:-1]))


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets (texts): plain, percent-encoded, as HTML, JSON, or Base64, also one in the other."""
    return mask(text, all_forms(secrets))


def redact_json(value: Shape, secrets: Iterable[str]) -> Shape:
    """A copy of a JSON value in which redact() was applied to every text, also to names."""
    forms = all_forms(secrets)

    def masked(inner: Any) -> Any:
        if isinstance(inner, str):
            return mask(inner, forms)
        if isinstance(inner, list):
            return [masked(element) for element in inner]
        if isinstance(inner, dict):
            return {masked(name): masked(element) for name, element in inner.items()}
        return inner

    return masked(value)


def all_forms(secrets: Iterable[str]) -> list[str]:
    """What to look for, the longest first: one secret may be a part of another."""
    return sorted({form for secret in set(secrets) if secret for form in forms_of(secret)}, key=len, reverse=True)


def mask(text: str, forms: Iterable[str]) -> str:
    """The text without the forms, however they are spelled in it."""
    layers = layers_of(text) if ESCAPES.search(text) else ()
    for form in forms:
        if form in text:
            text = text.replace(form, MASK)
        # A pattern is dear, and a signature is a new secret with every request.
        if layers and (not PLAIN.fullmatch(form) or any(form in layer for layer in layers)):
            text = pattern_of(form).sub(MASK, text)
    return text


def layers_of(text: str) -> list[str]:
    """What is seen of a text by undoing its escapes, one layer after the other. Of a secret without any in itself."""
    layers = []
    for _layer in range(MOST_LAYERS):
        undone = JSON_ESCAPE.sub(
            lambda found: chr(int(found[1] or found[2], 16)) if found[1] or found[2] else found[3], html.unescape(unquote(text))
        )
        if undone == text:
            break
        text = undone
        layers.append(text)
    return layers or [text]


def proxy_secrets(environment: Mapping[str, str]) -> set[str]:
    """The secrets in the proxy variables of an environment (a mapping), as texts.

    The password may hold anything, also what ends a URL's user info for a parser: so everything before the last `@`
    counts.
    """
    secrets: set[str] = set()
    for name, value in environment.items():
        if not name.lower().endswith("_proxy") or "@" not in value:
            continue
        for start in (value.strip(), value.strip().partition("://")[2]):
            user_info = start.rpartition("@")[0]
            for secret in (user_info, user_info.partition(":")[2]):
                if len(secret) >= SHORTEST_PASSWORD:
                    secrets.update((secret, unquote(secret)))
    return secrets


@functools.lru_cache(maxsize=1024)
def forms_of(secret: str) -> frozenset[str]:
    """A secret, and what it is inside of a Base64 text, wherever it stands there."""
    forms = {secret}
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + data).decode()
        # The digits that depend on what stands before or after it are not the secret's own.
        own = whole[(before * 8 + 5) // 6 : (before + len(data)) * 8 // 6]
        if len(own) >= SHORTEST_ENCODED:
            forms.update((own, own.translate(str.maketrans("+/", "-_"))))
    return frozenset(forms)


@functools.lru_cache(maxsize=1024)
def pattern_of(text: str) -> re.Pattern[str]:
    """A pattern for a text in which each character may be escaped in a way of its own."""
    pattern = "".join(spellings_of(character) for character in text[:MOST_SPELLED])
    return re.compile(pattern + (r"[^\s\"'<>]*" if len(text) > MOST_SPELLED else ""))


@functools.lru_cache(maxsize=1024)
def spellings_of(character: str) -> str:
    """A pattern for all the ways to write one character."""
    number = ord(character)
    spellings = [re.escape(character)]
    if character == " ":
        # In a form, and that encoded once more.
        spellings.append(spellings_of("+"))
    for encoding in ("utf-8",) if number < 128 else ("utf-8", "latin-1"):
        if encoding == "latin-1" and number > 255:
            continue
        spellings.append("".join(PERCENT + either_case("%02x" % byte) for byte in character.encode(encoding, "surrogatepass")))
    numbers = NUMBER + "(?:%d|[xX]0{0,8}%s)" % (number, either_case("%x" % number))
    spellings.append("%s(?:%s)%s?" % (AMPERSAND, "|".join([*NAMES.get(character, ()), numbers]), SEMICOLON))
    if character in "\"'/\\":
        spellings = ["(?:%s)?(?:%s)" % (BACKSLASHES, "|".join(spellings))]
    units = character.encode("utf-16-be", "surrogatepass").hex()
    spellings.append("".join(BACKSLASHES + "u" + either_case(units[start : start + 4]) for start in range(0, len(units), 4)))
    if number < 256:
        spellings.append(BACKSLASHES + "x" + either_case("%02x" % number))
    if character == "\\":
        spellings.append(BACKSLASHES)
    if character in LETTERS:
        spellings.append(BACKSLASHES + LETTERS[character])
    return "(?:%s)" % "|".join(spellings)


def either_case(digits: str) -> str:
    """A pattern for hexadecimal digits."""
    return "".join("[%s%s]" % (digit, digit.upper()) if digit.isalpha() else digit for digit in digits)
