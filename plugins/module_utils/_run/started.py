# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job has started, packed for the job that collects it, where the two share no ledger.

The parts travel where others may read and change them, as artifacts of AWX do, and no API can say for whom a scan was asked
for. So each part is sealed with the tenant's own credentials, which both jobs have and the way between them has not. One
whose seal does not fit is as good as none. What is in them are records for the ledger: a memory, and never a witness.
Private to the collection.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import JsonObject
from ansible_collections.secops.remediation.plugins.module_utils._common.times import is_later, utc_now
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError, is_shallow

SCHEMA_VERSION = 1
# Characters of JSON after which the next part begins, and that a part is unpacked to at most: a record may be large.
ENOUGH, MOST = 256 * 1024, 8 * 1024 * 1024
# What a part has, each of its type.
SHAPE = dict(schema_version=int, kind=str, system=str, run=str, part=int, parts=int, records=str, seal=str)
# Whoever reads a seal may try secrets against it, and each try has to cost something.
ROUNDS = 100_000


class BadPart(Exception):
    """A part cannot be taken. The text says why, as the end of a sentence."""


class Sealer:
    """What seals the parts of one tenant and kind, and knows its own seal again.

    kind: of the records, as `exposure`. tenant: the address of the API, as the ledger's keys begin. secret: what only those
    have who may ask that API.
    """

    def __init__(self, kind: str, tenant: str, secret: str) -> None:
        self.kind, self.tenant = kind, tenant
        salt = "secops.remediation/started/%s" % tenant
        self._key = hashlib.pbkdf2_hmac("sha256", secret.encode("utf-8"), salt.encode("utf-8"), ROUNDS)

    def seal(self, part: Mapping[str, Any]) -> str:
        """The seal of a part, over all that it has."""
        text = json.dumps({name: part[name] for name in SHAPE if name != "seal"}, sort_keys=True)
        return hmac.new(self._key, text.encode("utf-8"), hashlib.sha256).hexdigest()

    def pack(self, records: Mapping[str, JsonObject], run_id: str | None = None) -> list[JsonObject]:
        """Records as parts, each a dict of numbers and text. records: by what follows the kind in the ledger's key."""
        # Two tasks of one run, and two runs, are told apart.
        run = "%s/%s" % (run_id or "", utc_now())
        texts = list(texts_of(records))
        parts = []
        for number, text in enumerate(texts, 1):
            packed = base64.b64encode(zlib.compress(text.encode("utf-8"), 9)).decode("ascii")
            part = dict(
                schema_version=SCHEMA_VERSION,
                kind=self.kind,
                system=self.tenant,
                run=run,
                part=number,
                parts=len(texts),
                records=packed,
            )
            parts.append(dict(part, seal=self.seal(part)))
        return parts

    def unpack(self, part: object) -> tuple[str, int, int, dict[str, JsonObject]]:
        """(run, number of the part, how many there are, records). Raises BadPart."""
        if (
            not isinstance(part, dict)
            or set(part) != set(SHAPE)
            or not all(isinstance(part[name], kind) for name, kind in SHAPE.items())
        ):
            raise BadPart("is none that start has handed on")
        if part["schema_version"] != SCHEMA_VERSION:
            raise BadPart("has schema_version %d, and this version of secops.remediation knows 1" % part["schema_version"])
        if part["system"] != self.tenant:
            raise BadPart("is of another tenant, %.200r" % part["system"])
        if not hmac.compare_digest(self.seal(part).encode(), part["seal"].encode("utf-8", "replace")):
            raise BadPart("was changed, or is sealed with other credentials than those of this task")
        return part["run"], part["part"], part["parts"], records_in(part["records"])


def texts_of(records: Mapping[str, JsonObject]) -> Iterator[str]:
    """The records as texts of JSON, none of them much longer than ENOUGH."""
    lines: list[str] = []
    size = 0
    for name, record in records.items():
        line = "%s:%s" % (json.dumps(name), json.dumps(record, separators=(",", ":")))
        if len(line) > MOST // 2:
            # It could not be read again.
            continue
        lines.append(line)
        size += len(line)
        if size > ENOUGH:
            yield "{%s}" % ",".join(lines)
            lines, size = [], 0
    if lines:
        yield "{%s}" % ",".join(lines)


def records_in(packed: str) -> dict[str, JsonObject]:
    """The records in what a part holds, those that can be read. Raises BadPart."""
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(base64.b64decode(packed, validate=True), MOST)
        if not inflate.eof:
            raise BadPart("is cut off, or too large")
        found = json.loads(text)
    except (ValueError, RecursionError, zlib.error) as error:
        raise BadPart("cannot be read") from error
    if not isinstance(found, dict):
        raise BadPart("cannot be read")
    return {name: record for name, record in found.items() if isinstance(record, dict) and is_shallow(record)}


def take_over(parts: Sequence[object], sealer: Sealer, ledger: Ledger) -> list[str]:
    """Puts what an earlier job has handed on into the ledger, where that is news. Gives what could not be taken, and why.

    parts: of any tenant and kind. Those of another kind are for somebody else.
    """
    problems = []
    seen: dict[tuple[str, int], set[int]] = {}
    for place, part in enumerate(parts, 1):
        if isinstance(part, dict) and isinstance(part.get("kind"), str) and part["kind"] != sealer.kind:
            continue
        try:
            run, number, of, records = sealer.unpack(part)
        except BadPart as error:
            problems.append("part %d of %d %s" % (place, len(parts), error))
            continue
        seen.setdefault((run, of), set()).add(number)
        for name, record in records.items():
            learn(ledger, "%s/%s/%s" % (sealer.tenant, sealer.kind, name), record)
    missing = sum(of - len(numbers) for (_run, of), numbers in seen.items())
    if missing:
        problems.append("%d of the parts that belong together %s missing" % (missing, "is" if missing == 1 else "are"))
    return problems


def learn(ledger: Ledger, key: str, record: JsonObject) -> None:
    """Puts a record into the ledger, unless that knows as much, or of something later."""
    known = ledger.get(key)
    if known and not is_later(record.get("asked_at"), known.get("asked_at")):
        return
    # What could not be written is said when the ledger is closed.
    with contextlib.suppress(LedgerError):
        # The run that asked for it is over: nothing of it is this run's own.
        ledger.put(key, dict(record, run_id=None))
