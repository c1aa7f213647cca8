# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list that is too long to be held as a whole: written row by row into a JSON document, and read from it in the same way.

The document is JSON as any other. That each row has a line of its own is what lets a reader go through 200,000 of them one
by one. Private to the collection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Rows:
    """The rows, made whenever somebody goes through them. make: gives them, dicts. count: how many they are."""

    def __init__(self, make: Callable[[], Iterable[dict[str, Any]]], count: int) -> None:
        self._make = make
        self._count = count

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._make())

    def __len__(self) -> int:
        return self._count


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


def read_head(path: str) -> dict[str, Any]:
    """A document that pieces_of made, with its rows as an empty list. Raises OSError, ValueError."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        first = file.readline().rstrip("\n")
        return _object(json.loads(first + "]}") if first.endswith(": [") else json.loads(first + file.read()))


def read_rows(path: str, name: str) -> Iterator[dict[str, Any]]:
    """The rows of a document, one by one where pieces_of made it. name: the list's. Raises OSError, ValueError."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        first = file.readline().rstrip("\n")
        if not first.endswith("%s: [" % json.dumps(name)):
            whole = _object(json.loads(first + file.read())).get(name)
            if not isinstance(whole, list):
                raise ValueError("the document has no list %s" % name)
            yield from map(_object, whole)
            return
        for line in file:
            if line.startswith("]"):
                return
            if line.strip():
                yield _object(json.loads(line.rstrip().rstrip(",")))
        raise ValueError("the document is cut off")


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("the document has %.50r where an object is expected" % (value,))
    return value
