# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shapes of what goes from room to room, for type hints. Private to the collection.

What an API, a file, or a playbook says is an `object` in a hint: nothing is known of it until somebody has looked.
"""

from __future__ import annotations

from typing import Any, Callable, Collection, Dict, Generator, Mapping, Protocol, Tuple, TypedDict, TypeVar

# An argument spec, and what Ansible made of what was given: each option by its name, of the type that the spec says.
ArgumentSpec = Dict[str, Dict[str, Any]]
Params = Mapping[str, Any]
# What a module returns, and what is in its list about one thing that it was asked about: its documentation has the keys.
Result = Dict[str, Any]
Item = Dict[str, Any]
# An object as it came in JSON, or will be written so; its values are whatever somebody wrote there.
JsonObject = Dict[str, Any]
# What is said of one target: see _verdict.target.make_target.
Target = Dict[str, Any]
# The work on one item: it yields the seconds until it wants to go on, or TURN, see _run.batch.
Steps = Generator[float, None, None]
# By the name of a list in a result, the keys of its items that stay where the rest goes to a file.
InShort = Mapping[str, Tuple[str, ...]]


class Exchange(TypedDict, total=False):
    """What was asked and what was answered, as it is kept. One from a file may lack whatever is not in every exchange.

    method, path (with its query), status: always there. reference: what the vendor's support asks for. server_time: UTC
    text. sent: the body of the request without credentials. body: the JSON value that came; a download has `sha256` (hex)
    and `size` (bytes) as well. report_id: of the report whose file came from a signed address. cut: to what the path and the
    body were cut, where they are not whole. remembered: an earlier run had it. recorded_by: the version that wrote it, where
    it was read from another form.
    """

    method: str
    path: str
    status: int
    reference: str | None
    server_time: str | None
    sent: object
    body: object
    sha256: str
    size: int
    report_id: str
    cut: str
    remembered: bool
    recorded_by: str


class Record(Protocol):
    """Where exchanges go: a list, or whatever else has its `append`."""

    def append(self, exchange: Exchange, /) -> None:
        """Adds an exchange."""


class Connection(Protocol):
    """What talks to an API. client: its HttpClient. secrets: what must never be shown; it may grow."""

    client: Any
    secrets: set[str]


Api = TypeVar("Api", bound=Connection)


class KeepsConnections(Protocol):
    """Whoever has the options of a connection, and keeps one for the next who has the same: see _run.task.Task."""

    params: Params
    check_mode: bool

    def connection(self, kind: str, options: Collection[str], connect: Callable[[], Api]) -> Api:
        """The connection of this kind with these options; connect() makes it if there is none yet."""


def is_count(value: object) -> bool:
    """Whether a value is a number of things."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
