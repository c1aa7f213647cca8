# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading answers: a body counts when its transport and its encoding have ended, and is bounded all the way.

Private to the collection.
"""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._http.errors import BrokenOff, HttpError, Unreadable
from ansible_collections.secops.remediation.plugins.module_utils._http.transport import requests, urllib3

LONGEST_RETRY_AFTER = 300.0
LARGEST_JSON_BODY = 64 * 1024 * 1024
LARGEST_DOWNLOAD = 1024 * 1024 * 1024
LARGEST_ERROR_BODY = 64 * 1024
DEEPEST_JSON = 100
CHUNK = 64 * 1024
CHUNKED: Literal["chunked"] = "chunked"
# A length with more digits is none that anybody could send.
MOST_LENGTH_DIGITS = 15
FRAMING_HINT = "A proxy or a gateway on the way spoils the answer: it has to be mended or left out."


@dataclass
class Answer:
    """A successful answer. body: the JSON value, or None for a download. server_time: the Date header as UTC text."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: object = field(default=None, repr=False)
    server_time: str | None = None


def make_answer(response: requests.Response, body: object = None) -> Answer:
    """The Answer of a response whose body was read."""
    return Answer(response.status_code, response.headers, body, http_date(response.headers.get("Date")))


def read_whole(response: requests.Response, most: int, framed: bool = True) -> Iterator[bytes]:
    """Yields the pieces of a body, decoded. Only when it ends without an exception the body was whole.

    most: bytes, on the wire as well as decoded. framed: whether a body that ends with the connection is refused.
    Raises BrokenOff, Unreadable, and the exceptions of urllib3.
    """
    if response.status_code == 206:
        raise Unreadable("HTTP 206 is only a part of an answer", FRAMING_HINT)
    framing = framing_of(response)
    if framing is None and framed:
        raise Unreadable("the answer does not say how long it is, so it may be cut off", FRAMING_HINT)
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    pieces = pieces_of(response, framing, most)
    if encoding in ("", "identity"):
        return pieces
    if encoding in ("gzip", "x-gzip"):
        return bounded(unzipped(pieces), most)
    raise Unreadable("the answer is encoded as %r, which was not asked for" % encoding[:50], FRAMING_HINT)


def refuse_memory(response: requests.Response) -> None:
    """Raises Unreadable where an answer says that it was not made now: a cache has kept it.

    By the Age header, in seconds, or by the warnings 110 to 113: it is stale, could not be renewed, or is very old.
    """
    age, warning = response.headers.get("Age", ""), response.headers.get("Warning", "")
    if re.search("[1-9]", age) or re.search(r"(?:^|,)\s*11[0-3]\b", warning):
        raise Unreadable(
            "the answer comes from a cache and may be out of date (%s)"
            % ("Age: %s" % age[:20] if age else "Warning: %s" % warning[:50]),
            "A proxy or a gateway on the way keeps answers: it has to be mended or left out.",
        )


def framing_of(response: requests.Response) -> int | Literal["chunked"] | None:
    """How the end of a body is known: its length (int), CHUNKED, or None if only by the end of the connection.

    Raises Unreadable where the headers contradict each other or themselves: then any end could be the wrong one.
    """
    lengths = response.headers.get("Content-Length")
    transfer = response.headers.get("Transfer-Encoding")
    if response.status_code == 204:
        return 0
    if transfer is not None:
        if transfer.strip().lower() != CHUNKED or lengths is not None or response.raw.version == 10:
            raise Unreadable("the answer contradicts itself on how it is transferred, so it may be cut off", FRAMING_HINT)
        return CHUNKED
    if lengths is None:
        return None
    said = {length.strip() for length in lengths.split(",")}
    length = said.pop()
    if said or not (length.isascii() and length.isdigit() and len(length) <= MOST_LENGTH_DIGITS):
        raise Unreadable("the answer's Content-Length is no length, so it may be cut off", FRAMING_HINT)
    return int(length)


def pieces_of(response: requests.Response, framing: int | Literal["chunked"] | None, most: int) -> Iterator[bytes]:
    """Yields the pieces of a body as they come over the wire."""
    if isinstance(framing, int) and framing > most:
        raise too_large(most)
    count = 0
    for piece in response.raw.stream(CHUNK, decode_content=False):
        count += len(piece)
        if count > most:
            raise too_large(most)
        yield piece
    # Not every urllib3 says so by itself.
    if isinstance(framing, int) and count != framing:
        raise BrokenOff("the answer broke off after %d of %d bytes" % (count, framing))


def unzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields what gzip packed. Raises BrokenOff unless each member's end was there, and its checksum right."""
    decoder, begun = zlib.decompressobj(wbits=31), True
    try:
        for piece in pieces:
            more = True
            while piece or more:
                if not begun and piece:
                    decoder, begun = zlib.decompressobj(wbits=31), True
                plain = decoder.decompress(piece, CHUNK)
                if plain:
                    yield plain
                more = len(plain) == CHUNK and not decoder.eof
                piece = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
                if decoder.eof:
                    begun = False
    except zlib.error as error:
        raise BrokenOff("the packed answer is damaged") from error
    if begun:
        raise BrokenOff("the packed answer broke off")


def bounded(pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Yields the pieces as long as they are not more than so many bytes. Raises Unreadable."""
    count = 0
    for piece in pieces:
        count += len(piece)
        if count > most:
            raise too_large(most)
        yield piece


def too_large(most: int) -> Unreadable:
    """The Unreadable for an answer of more than so many bytes."""
    return Unreadable("the answer is larger than %d bytes" % most, passing=False)


def read_error(response: requests.Response) -> tuple[object, str]:
    """What can be had of an error's body: (JSON value or None, text). The status is the answer, so this never raises."""
    came = bytearray()
    try:
        for piece in read_whole(response, LARGEST_JSON_BODY, framed=False):
            came += piece
            if len(came) >= LARGEST_ERROR_BODY:
                break
    except (Unreadable, BrokenOff, requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
        pass
    text = came.decode("utf-8", "replace")
    try:
        return load_json(text), text
    except ValueError:
        return None, text


def load_json(text: str) -> object:
    """The value of a JSON text. Raises ValueError, also for what Python would take and JSON has not."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError("%s is no JSON" % constant)

    def number(digits: str) -> float:
        value = float(digits)
        if math.isinf(value):
            refuse(digits[:20])
        return value

    def unique(pairs: list[tuple[str, object]]) -> JsonObject:
        value = dict(pairs)
        if len(value) != len(pairs):
            raise ValueError("a name is there twice")
        return value

    try:
        value = json.loads(text, parse_constant=refuse, parse_float=number, object_pairs_hook=unique)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    level = [value]
    for _depth in range(DEEPEST_JSON):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return writable(value) if "\\ud" in text.lower() else value
    # Ansible could not hand it on, and all the results of the task would be lost with it.
    raise ValueError("nested too deeply")


def writable(value: object) -> object:
    """The JSON value, with a mark in place of each half of a character: JSON has those, but no file takes them."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, list):
        return [writable(inner) for inner in value]
    if isinstance(value, dict):
        return {writable(name): writable(inner) for name, inner in value.items()}
    return value


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait, from either form of Retry-After, clamped to 0 ... 300. None if unsaid."""
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        until = parse_http_date(value)
        if until is None:
            return None
        # By the server's own clock where it tells it: this machine's may be wrong by hours.
        now = parse_http_date(headers.get("Date"))
        seconds = until - (time.time() if now is None else now)
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def parse_http_date(value: str | None) -> float | None:
    """An HTTP date as seconds since the epoch, or None."""
    if value is None:
        return None
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def http_date(value: str | None) -> str | None:
    """An HTTP date as ISO 8601 UTC text, or None."""
    seconds = parse_http_date(value)
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def only_200(answer: Answer, method: str, path: str) -> Answer:
    """The answer to a request that reads, where it is one: another good status is of something that is not done, or not the
    API's own (201, 202, 203). Raises HttpError."""
    if answer.status != 200:
        raise HttpError(
            method, path, "HTTP %d is no answer to a request that only reads, 200 is" % answer.status, answer.status, passing=True
        )
    return answer


def describe_text(text: str) -> str:
    """A body that is not JSON, in a few words."""
    first_line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not first_line:
        return "the body is empty"
    return "the body is not JSON and starts with %r" % first_line[:200]
