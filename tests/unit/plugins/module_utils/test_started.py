# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job hands on to the next one: whatever happens to it on the way, it is taken as it was, or not at all."""

from __future__ import annotations

import base64
import copy
import json
import uuid
import zlib

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._run import started
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.started import ENOUGH, MOST, Sealer, take_over

TENANT = "https://api-acme.example.com"
SECRET = "key-of-the-tenant"
EARLY, LATE = "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """What makes guessing dear makes tests slow."""
    monkeypatch.setattr(started, "ROUNDS", 1)


def record(scan_id="scan-1", asked_at=EARLY):
    return dict(kind="exposure", scan_id=scan_id, asked_at=asked_at, answers=[])


def sealer(kind="exposure", tenant=TENANT, secret=SECRET):
    return Sealer(kind, tenant, secret)


def packed(records=None, run_id="run-1", **who):
    return sealer(**who).pack({"231/RdpServer/a": record()} if records is None else records, run_id)


def taken(parts, ledger=None, **who):
    """(problems, the scans that are known, by what follows the kind in their keys)."""
    ledger = ledger or Ledger(None)
    problems = take_over(parts, sealer(**who), ledger)
    start = "%s/exposure/" % TENANT
    return problems, {
        name: ledger.get(start + name).get("scan_id") for name in ("231/RdpServer/a", "b") if ledger.get(start + name)
    }


def test_what_was_handed_on_is_known():
    assert taken(packed()) == ([], {"231/RdpServer/a": "scan-1"})


def test_it_goes_through_json_and_back():
    assert taken(json.loads(json.dumps(packed()))) == ([], {"231/RdpServer/a": "scan-1"})


def test_nothing_is_nothing():
    assert packed({}) == [] and taken([]) == ([], {})


def resealed(part, **changes):
    """A part that somebody changed who has the secret: what no way between two jobs can do, and a mistake of ours could."""
    part = dict(part, **changes)
    return dict(part, seal=sealer().seal(part))


def zipped(text):
    return base64.b64encode(zlib.compress(text)).decode()


FORGED = {
    "another scan": lambda part: dict(part, records=zipped(json.dumps({"231/RdpServer/a": record("scan-2")}).encode())),
    "a cut": lambda part: dict(part, records=part["records"][:-4]),
    "cut down to nothing": lambda part: dict(part, records=""),
    "another tenant's address": lambda part: dict(part, system="https://api-globex.example.com"),
    "the same address without TLS": lambda part: dict(part, system=TENANT.replace("https", "http")),
    "another number": lambda part: dict(part, part=2),
    "fewer parts": lambda part: dict(part, parts=0),
    "another run": lambda part: dict(part, run="run-2/" + EARLY),
    "no seal": lambda part: dict(part, seal=""),
    "a seal that is none": lambda part: dict(part, seal="é" * 64),
    "half a surrogate": lambda part: dict(part, seal="\ud800"),
    "no text": lambda part: dict(part, seal=7),
    "true for one": lambda part: dict(part, part=True),
    "one key more": lambda part: dict(part, outcome="remediated"),
    "one key less": lambda part: {name: part[name] for name in part if name != "run"},
    "a newer version": lambda part: resealed(part, schema_version=2),
    "what is no base64": lambda part: resealed(part, records="{{ lookup('env', 'HOME') }}"),
    "what is no zip": lambda part: resealed(part, records=base64.b64encode(b"[]").decode()),
    "what is no JSON": lambda part: resealed(part, records=zipped(b"outcome: remediated")),
    "a list": lambda part: resealed(part, records=zipped(b"[]")),
    "too deep": lambda part: resealed(part, records=zipped(b"[" * 100_000)),
    "a bomb": lambda part: resealed(part, records=zipped(b"{" + b" " * MOST + b"}")),
    "text": json.dumps,
    "null": lambda part: None,
    "a list of lists": lambda part: [[part]],
    "a number": lambda part: 10**400,
}


@pytest.mark.parametrize("what", FORGED)
def test_what_was_changed_is_not_taken(what):
    (part,) = packed()
    problems, known = taken([FORGED[what](copy.deepcopy(part))])
    assert known == {} and len(problems) == 1 and problems[0].startswith("part 1 of 1 "), problems


@pytest.mark.parametrize("who", [dict(secret="another"), dict(tenant="https://api-globex.example.com")])
def test_what_another_tenant_sealed_is_not_taken(who):
    problems, known = taken(packed(**who))
    assert known == {} and len(problems) == 1


def test_the_seal_of_one_tenant_is_none_of_another_with_the_same_secret():
    other = "https://api-globex.example.com"
    assert taken([dict(part, system=TENANT) for part in packed(tenant=other)])[1] == {}


def test_what_is_of_another_kind_is_somebody_elses():
    assert taken(packed(kind="campaign")) == ([], {})


def test_a_kind_that_was_changed_helps_nobody():
    problems, known = taken([dict(part, kind="exposure") for part in packed(kind="campaign")])
    assert known == {} and len(problems) == 1


def test_a_part_that_is_bad_costs_no_other_one():
    (part,) = packed()
    problems, known = taken([None, part, FORGED["a cut"](part)])
    assert known == {"231/RdpServer/a": "scan-1"}
    assert [problem[:11] for problem in problems] == ["part 1 of 3", "part 3 of 3"]


def test_the_same_twice_is_once():
    assert taken(packed() * 2) == ([], {"231/RdpServer/a": "scan-1"})


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_runs_the_later_one_counts(order):
    parts = packed({"b": record("old", EARLY)}, "run-1") + packed({"b": record("new", LATE)}, "run-2")
    assert taken(parts[::order]) == ([], {"b": "new"})


@pytest.mark.parametrize(
    "known, scan_id",
    [
        (record("mine", LATE), "mine"),
        (record("mine", EARLY), "mine"),
        (record("mine", None), "mine"),
        (record("mine", "2026-11-22T07:00:00Z"), "scan-1"),
    ],
)
def test_the_ledger_gives_way_only_to_what_is_later(known, scan_id):
    ledger = Ledger(None)
    ledger.put("%s/exposure/231/RdpServer/a" % TENANT, known)
    assert taken(packed(), ledger) == ([], {"231/RdpServer/a": scan_id})


def test_a_record_is_of_no_run_and_so_never_of_this_one():
    ledger = Ledger(None)
    assert taken(packed({"b": dict(record(), run_id="run-1")}), ledger)[0] == []
    assert ledger.get("%s/exposure/b" % TENANT)["run_id"] is None


def many(count):
    """Records of so many exposures, as large as they are, that have nothing in common."""
    found = {}
    for number in range(count):
        service, scan = str(uuid.uuid4()), str(uuid.uuid4())
        values = dict(alert_internal_id=number, attack_surface_rule_id="RdpServer", service_id=service)
        answer = dict(
            method="POST",
            path="/public_api/v1/remediation_confirmation_scanning/requests/get_or_create/",
            status=201,
            reference="scanId " + scan,
            server_time=EARLY,
            sent={"request_data": {"filters": [dict(field=name, operator="EQ", value=values[name]) for name in values]}},
            body={"reply": {"scanId": scan}},
        )
        found["%d/RdpServer/%s" % (number, service)] = dict(record(scan), answers=[answer])
    return found


def test_five_thousand_exposures_are_small_parts_that_are_all_needed():
    parts = packed(many(5000))
    assert sum(len(json.dumps(part)) for part in parts) < 500_000
    assert max(len(json.dumps(part)) for part in parts) < 60_000
    ledger = Ledger(None)
    assert take_over(parts, sealer(), ledger) == [] and len(ledger.find("%s/exposure/" % TENANT)) == 5000
    assert take_over(parts[1:], sealer(), Ledger(None)) == ["1 of the parts that belong together is missing"]
    assert take_over(parts[2:], sealer(), Ledger(None)) == ["2 of the parts that belong together are missing"]


def test_nothing_in_it_is_a_template():
    assert "{{" not in json.dumps(packed({"b": record("{{ lookup('pipe', 'id') }}")}))


def test_what_could_not_be_read_again_is_left_out():
    huge = dict(record(), answers=["x" * MOST])
    parts = packed({"231/RdpServer/a": huge, "b": dict(record("scan-2"), answers=["x" * ENOUGH])})
    assert taken(parts) == ([], {"b": "scan-2"})
