# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list that is too long to be held as a whole: written row by row into a JSON document, and read from it in the same way.

The document is JSON as any other. That each row has a line of its own is what lets a reader go through 200,000 of them one
by one. Private to the collection.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import open_regular

END = b"]}"


class Rows:
    """The rows, made whenever somebody goes through them. make: gives them, dicts. count: how many they are."""

    def __init__(self, make: Callable[[], Iterable[dict[str, Any]]], count: int) -> None:
        self._make = make
        self._count = count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._make())

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Rows, list)):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other))

    __hash__ = None  # type: ignore[assignment]


def pieces_of(document: dict[str, Any], text_of: Callable[[dict[str, Any]], str] = json.dumps) -> Iterator[str]:
    """The pieces of a JSON document in which one value may be Rows; it comes last. text_of: makes a row's JSON text."""
    rows = {name: value for name, value in document.items() if isinstance(value, Rows)}
    if len(rows) > 1:
        raise ValueError("only one list of a document may be Rows")
    head = json.dumps({name: value for name, value in document.items() if name not in rows})
    for name, value in rows.items():
        yield "%s%s%s: [" % (head[:-1], ", " if len(head) > 2 else "", json.dumps(name))
        separator = "\n"
        for row in value:
            yield separator + text_of(row)
            separator = ",\n"
        head = "\n]}"
    yield head + "\n"


def read_document(path: str, rows: Iterable[str] = (), follow: bool = True) -> Any:
    """The content of a JSON file. Raises OSError, ValueError, RecursionError.

    A key that is there twice is an error, for two readers may take two different values. rows: the names of lists that may
    be too long to be held; one that pieces_of wrote comes as Rows. All of it is read here once, so what is cut off or odd in a
    row is told now. They raise OSError where the file has changed since. follow: see open_regular.
    """
    with open_regular(path, follow) as file:
        first = file.readline()
        name = next((name for name in rows if first.endswith(b"%s: [\n" % json.dumps(name).encode())), None)
        if name is None:
            return parsed(first + file.read())
        document = parsed(first.rstrip(b"\n") + END)
        if document.get(name) != []:
            raise ValueError("the document has no list %s where its rows begin" % name)
        state = state_of(file)
        count = sum(1 for _row in rows_in(file))

    def read_again() -> Iterator[dict[str, Any]]:
        with open_regular(path, follow) as file:
            if state_of(file) != state:
                raise OSError(errno.ESTALE, "it was changed while it was read", path)
            file.readline()
            yield from rows_in(file)

    return dict(document, **{name: Rows(read_again, count)})


def rows_in(file: BufferedReader) -> Iterator[dict[str, Any]]:
    """The rows that are left of a document, up to its end. Raises ValueError where that does not come, or not as it has to."""
    goes_on = None
    for number, line in enumerate(file, 2):
        line = line.strip()
        if line == END:
            if goes_on or any(line.strip() for line in file):
                raise ValueError("the document does not end where its rows do, in line %d" % number)
            return
        if goes_on is False:
            raise ValueError("the document has no comma before line %d" % number)
        goes_on = line.endswith(b",")
        try:
            row = parsed(line[:-1] if goes_on else line)
        except ValueError as error:
            raise ValueError("line %d of the document: %s" % (number, error)) from error
        if not isinstance(row, dict):
            raise ValueError("line %d of the document: %.50r where an object is expected" % (number, row))
        yield row
    raise ValueError("the document is cut off")


def parsed(text: bytes) -> Any:
    """A JSON value. Raises ValueError, RecursionError."""
    return json.loads(text.decode("utf-8"), object_pairs_hook=unique)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these keys and values. Raises ValueError where a key is there twice."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key is there twice")
    return content


def state_of(file: BufferedReader) -> tuple[int, ...]:
    """What tells whether a file is still the same, with the same content."""
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
