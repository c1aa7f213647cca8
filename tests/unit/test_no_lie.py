# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever the APIs, the ledger, and the reports say: the evidence is written, and says `remediated` only with proof.

The oracle is naive on purpose: it looks through everything that was answered for the conditions that the documentation
lists, and knows nothing of how the collection works. `NO_LIE_EXAMPLES=2000 pytest tests/unit/test_no_lie.py` looks
further than a normal run does, and elsewhere each time.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import datetime
import email.utils
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from scripted_server import Reply
from two_systems import (
    KEY,
    LOOKED_UP,
    NAMED,
    ONE,
    OPERATIONS,
    OTHER,
    REPORT_TYPE,
    ROWS,
    SECRET,
    SOURCE,
    Role,
    TwoSystems,
    access_of,
    exposure_id,
    report_text,
)

OUTCOMES = {"remediated", "unremediated", "pending", "inconclusive"}
ALL_FORMATS = ("json", "csv", "junit", "markdown", "oscal", "sarif", "attestation", "html")
EXAMPLES = int(os.environ.get("NO_LIE_EXAMPLES", "0"))


def thorough(usual):
    """Settings with so many examples, always the same; or as many others as are asked for."""
    # To make a failing example small takes minutes, in which nobody knows that it failed.
    phases = [phase for phase in Phase if EXAMPLES or phase not in (Phase.shrink, Phase.explain)]
    return settings(
        max_examples=EXAMPLES or usual,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in list(os.environ):
        if name.upper().endswith("_PROXY") or name.startswith(("SAIL_", "CORTEX_", "REQUESTS_", "CURL_")):
            monkeypatch.delenv(name)


@contextlib.contextmanager
def role_and_systems(bend=None, **options):
    """A role in a folder of its own, and the systems that it asks."""
    systems = TwoSystems(bend, **options)
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Role(systems.url, Path(folder)), systems
    finally:
        systems.stop()


# --- The oracle


def moment_of(value):
    """A time as the documentation writes it, or None."""
    try:
        moment = datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def later(one, other):
    """Whether both are times and the first is later."""
    one, other = moment_of(one), moment_of(other)
    return one is not None and other is not None and one > other


def is_to_come(value, said):
    """Whether a time is later than the moment at which the server said it, by any clock that it showed."""
    now = said.moment
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        now = max(now, email.utils.parsedate_to_datetime(said.reply.headers.get("Date")))
    moment = moment_of(value)
    return moment is not None and moment > now + datetime.timedelta(seconds=10)


DONE = {"remediated", "fully remediated"}
YES = {"yes", "true", "y"}
NOT_DONE = {
    "open",
    "not remediated",
    "unremediated",
    "partially remediated",
    "pending",
    "pending remediation",
    "remediation pending",
    "in progress",
    "no",
    "false",
    "n",
}


def csv_says_remediated(content):
    """Whether a CSV file is whole and every row says so, and none says anything else."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return False
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return False
    header = [name.strip().casefold() for name in rows[0]]
    while header and not header[-1]:
        header.pop()
    state = [place for place, name in enumerate(header) if "status" in name or "state" in name or "remediat" in name]
    if not state:
        return False
    for row in rows[1:]:
        cells = [cell.strip().casefold() for cell in row]
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            return False
        if not any(cells[place] in DONE | YES for place in state) or any(cells[place] in NOT_DONE for place in state):
            return False
    return True


def why_no_campaign(said, now, campaign_id, target, folder):
    """Why a campaign is not proved to be remediated, or None. now: the index at which this run began."""

    def about(operation):
        return [(place, one) for place, one in enumerate(said) if (one.operation, one.about) == (operation, campaign_id)]

    reads = [(place, one.json()) for place, one in about("get_campaign") if one.whole and 200 <= one.reply.status < 300]
    for place, one in enumerate(said):
        body = one.json() if one.operation == "list_campaigns" and one.whole and one.reply.status == 200 else None
        mine = (
            [each for each in body if isinstance(each, dict) and each.get("id") == campaign_id] if isinstance(body, list) else ()
        )
        # Of one that a list shows twice, nobody knows which is meant.
        reads += [(place, mine[0])] if len(mine) == 1 else []
    reads = [(place, body) for place, body in sorted(reads, key=lambda read: read[0]) if isinstance(body, dict)]
    reads = [(place, body) for place, body in reads if body.get("id") == campaign_id]
    if not any(place >= now for place, _body in reads):
        return "it was not read in this run"
    last = reads[-1][1]
    if last.get("status") != "COMPLETED":
        return "it is not COMPLETED"
    accepted = [place for place, one in about("run_scan") if one.reply.status == 202 and not one.reply.drop]
    if not accepted:
        return "no scan was accepted"
    moved = [
        (place, body)
        for place, body in reads
        if any(
            before < asked < place and later(body.get("modified"), old.get("modified"))
            for asked in accepted
            for before, old in reads
        )
    ]
    if not moved:
        return "modified has not moved since a scan was accepted"
    listed = []
    for place, one in about("list_reports"):
        body = one.json() if one.whole and 200 <= one.reply.status < 300 else None
        listed += [(place, one, report) for report in (body if isinstance(body, list) else ()) if isinstance(report, dict)]
    # Only in this run: who was told other ids before cannot have been told the same.
    others = {
        json.dumps(report.get("id"))
        for one in said[now:]
        if one.operation == "list_reports" and one.about != campaign_id and one.whole and isinstance(one.json(), list)
        for report in one.json()
        if isinstance(report, dict)
    }
    good = [
        (place, report["id"])
        for place, one, report in listed
        if report.get("reportType") == REPORT_TYPE
        and report.get("status") == "SUCCESS"
        and isinstance(report.get("id"), str)
        and not is_to_come(report.get("lastRunAt"), one)
        and any(before < place and later(report.get("lastRunAt"), body.get("modified")) for before, body in moved)
    ]
    if not good:
        return "no report ran after the scan"
    good = [(place, report_id) for place, report_id in good if json.dumps(report_id) not in others]
    if not good:
        return "the report is another campaign's, too"
    files = [
        (place, one.reply.content())
        for place, one in enumerate(said)
        if one.operation == "download"
        and one.whole
        and one.reply.status == 200
        and any(before < place and one.about == report_id for before, report_id in good)
    ]
    if not files:
        return "no such report was downloaded whole"
    files = [(place, content) for place, content in files if csv_says_remediated(content)]
    if not files:
        return "no report says that all is remediated"
    shown = {hashlib.sha256((folder / file["path"]).read_bytes()).hexdigest() for file in target["evidence"]}
    files = [(place, content) for place, content in files if hashlib.sha256(content).hexdigest() in shown]
    if not files:
        return "that report is not in the evidence"
    facts = ("modified", "status", "totalCertifications", "completedCertifications")
    for place, _content in files:
        after = [body for before, body in reads if before > place]
        if after and all(after[0].get(name) == last.get(name) for name in facts):
            return None
    return "it was not read after the report, or has changed since"


def part(value, *names):
    """What is at these names of a JSON value, one inside of the other, or None."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def objects(value):
    """The objects in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def access_says(said, now, campaign_id):
    """What the second witness was told of a campaign in this run: "gone", "open", or why nobody can say."""

    def told(operation, about):
        return [
            one.json()
            for one in said[now:]
            if one.operation == operation and one.whole and one.reply.status == 200 and about(one.about)
        ]

    shown = [one for one in told("get_campaign", lambda about: about == campaign_id) if part(one, "id") == campaign_id]
    shown += [one for body in told("list_campaigns", lambda about: True) for one in objects(body) if one.get("id") == campaign_id]
    if not any(one.get("status") == "COMPLETED" for one in shown):
        return "it is not COMPLETED"
    listed = [one for body in told("list_certifications", lambda about: about == campaign_id) for one in objects(body)]
    signed = {one["id"]: one for one in listed if isinstance(one.get("id"), str)}
    if not any(one.get("totalCertifications") == len(signed) for one in shown):
        return "the certifications are not all"
    for one in signed.values():
        if (one.get("phase"), part(one, "campaign", "id"), one.get("hasErrors")) != ("SIGNED", campaign_id, False):
            return "a certification is not signed off, or of another campaign"
    revoked, promised = [], 0
    for name in signed:
        summaries = told("decision_summary", lambda about, name=name: about == name)
        counts = [part(summaries[-1] if summaries else None, key) for key in REVOKED_COUNTS]
        if not all(isinstance(count, int) for count in counts):
            return "a summary is missing"
        promised += sum(counts)
        # The same certification may be listed for the other campaign, too, and is read twice then.
        bodies = told("list_review_items", lambda about, name=name: about == name)
        items = {json.dumps(one.get("id")): one for body in bodies for one in objects(body)}.values()
        revoked += [(one, signed[name].get("signed")) for one in items if one.get("decision") == "REVOKE"]
    if promised != len(revoked):
        return "the items are not all"
    documents = [one for body in told("search", lambda about: True) for one in objects(body)]
    accounts = [one for body in told("list_accounts", lambda about: True) for one in objects(body)]
    states = {item_says(item, signed_at, documents, accounts) for item, signed_at in revoked}
    return "open" if "open" in states else "an item is not known to be gone" if states - {"gone"} else "gone"


REVOKED_COUNTS = ("entitlementsRevoked", "accessProfilesRevoked", "rolesRevoked", "accountsRevoked")


def item_says(item, signed_at, documents, accounts):
    """What documents and accounts say of a revoked item: "gone", "open", or ""."""
    value, access_id = (part(item, "accessSummary", "entitlement", name) for name in ("attributeValue", "id"))
    account_id = part(item, "accessSummary", "entitlement", "account", "id")
    states = set()
    for one in documents:
        if one.get("id") == part(item, "identitySummary", "identityId") and later(one.get("synced"), signed_at):
            mine = [each for each in objects(one.get("accounts")) if each.get("id") == account_id]
            has = any(each.get("id") == access_id for each in objects(one.get("access")))
            has = has or any(value in (part(each, "entitlementAttributes", "groups") or ()) for each in mine)
            states.add("open" if has else "gone" if mine and isinstance(one.get("access"), list) else "")
    for one in accounts:
        if one.get("id") == account_id and later(one.get("modified"), signed_at):
            groups = part(one, "attributes", "groups")
            states.add("open" if isinstance(groups, list) and value in groups else "gone")
    return "open" if "open" in states else "gone" if "gone" in states else ""


def why_no_exposure(said, now, name):
    """Why an exposure is not proved to be remediated, or None."""

    def reply_of(one):
        body = one.json() if one.whole and 200 <= one.reply.status < 300 else None
        reply = body.get("reply") if isinstance(body, dict) else None
        return reply if isinstance(reply, dict) and "err_code" not in reply else {}

    made = [(place, one.about, reply_of(one).get("scanId")) for place, one in enumerate(said) if one.operation == "get_or_create"]
    mine = [(place, scan_id) for place, about, scan_id in made if about == name and isinstance(scan_id, str) and scan_id]
    if not mine:
        return "no scan was asked for"
    others = {json.dumps(scan_id) for _place, about, scan_id in made if about != name}
    mine = [(place, scan_id) for place, scan_id in mine if json.dumps(scan_id) not in others]
    if not mine:
        return "the scan is another exposure's, too"
    alert_id, rule_id, service_id = name.split(":")[0], ":".join(name.split(":")[1:-1]), name.split(":")[-1]
    names = dict(alert_internal_id=alert_id, attack_surface_rule_id=rule_id, service_id=service_id)
    reasons = set()
    for asked, scan_id in mine:
        looks = [
            (place, reply_of(one))
            for place, one in enumerate(said)
            if place > asked and (one.operation, one.about) == ("get_scan", scan_id) and reply_of(one)
        ]
        if not looks or looks[-1][0] < now:
            reasons.add("the scan was not looked at in this run")
            continue
        reply = looks[-1][1]
        if (reply.get("status"), reply.get("result")) != ("SUCCESS", "REMEDIATED"):
            reasons.add("the scan does not say so")
        elif any(reply.get(key, scan_id) != scan_id for key in ("scanId", "scan_id", "id")) or any(
            str(reply.get(key, value)) != value for key, value in names.items()
        ):
            reasons.add("the answer is about another one")
        elif reopened_after(said, alert_id, said[looks[0][0]].moment):
            reasons.add("the alert was reopened after the scan")
        else:
            return None
    return "; ".join(sorted(reasons))


def reopened_after(said, alert_id, moment):
    """Whether the newest look at an alert says that it was opened again after a moment."""
    for one in reversed(said):
        body = one.json() if one.operation == "get_alerts" and one.whole and one.reply.status == 200 else None
        reply = body.get("reply") if isinstance(body, dict) else None
        alerts = reply.get("alerts") if isinstance(reply, dict) else None
        for alert in alerts if isinstance(alerts, list) else ():
            if isinstance(alert, dict) and str(alert.get("alert_id")) == alert_id:
                stamp = alert.get("last_modified_ts")
                return (
                    "reopen" in str(alert.get("resolution_status")).casefold()
                    and isinstance(stamp, (int, float))
                    and (stamp > moment.timestamp() * 1000)
                )
    return False


def why_no_witness(said, now, target, folder, agreement):
    """Why no witness proves a campaign to be remediated, or one speaks against it; or None."""
    report, access = why_no_campaign(said, now, target["id"], target, folder), access_says(said, now, target["id"])
    if access == "open":
        return "it is still there"
    doubts = [report] * (report is not None) + [access] * (access != "gone")
    return "; ".join(doubts) if len(doubts) > (agreement == "one") else None


def assert_not_green(folder):
    """No form that a machine gates on is green, as far as it is there."""
    for name, is_green in (
        ("verification.sarif", lambda content: not content["runs"][0]["results"]),
        ("verification.intoto.json", lambda content: content["predicate"]["result"] != "FAILED"),
    ):
        assert not (folder / name).exists() or not is_green(json.loads((folder / name).read_text(encoding="utf-8"))), name


def check_run(role, found, said=None, now=0):
    """Whatever happened, this much holds of a run. said: what was answered, where the oracle is to judge by it."""
    assert {target["outcome"] for target in found["targets"]} <= OUTCOMES
    ids = [target["id"] for target in found["targets"]]
    assert {ONE, OTHER, exposure_id(NAMED)} <= set(ids), "a target is not in the evidence: %s" % ids
    alert = str(LOOKED_UP["alert_internal_id"])
    assert any(one.startswith((alert + ":", "alert " + alert)) for one in ids) or found["verdict"] != "verified", ids
    assert found["verdict"] != "verified" or {target["outcome"] for target in found["targets"]} == {"remediated"}
    assert all(isinstance(target["reason"], str) and target["reason"].strip() for target in found["targets"])
    folder = role.evidence / found["run"]
    for file in folder.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert SECRET.encode() not in content and KEY.encode() not in content, file.name
    if found["verdict"] != "verified":
        assert_not_green(folder)
    for target in found["targets"]:
        if said is not None and target["outcome"] == "remediated":
            doubt = (
                why_no_witness(said, now, target, folder, role.agreement)
                if target["kind"] == "campaign"
                else why_no_exposure(said, now, target["id"])
            )
            assert doubt is None, "%s is called remediated, but %s" % (target["id"], doubt)


def runs(role, systems, times, formats=ALL_FORMATS, judged=True):
    """So many runs, each held against the oracle. Returns the last verification.json, or None."""
    found = None
    for number in range(times):
        now = len(systems.said)
        found = role.run(formats if number == times - 1 else ("json",))
        if found:
            check_run(role, found, systems.said if judged else None, now)
    return found


# --- Answers that are bent

ODD = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        -1,
        1,
        0.5,
        1e300,
        10**5000,
        "",
        " ",
        "x" * 300,
        "\x00\x1b[31m\u202e",
        "\ud800",
        [],
        {},
        [[]],
        [{}],
        {"": None},
        "COMPLETED",
        "ACTIVE",
        "SUCCESS",
        "WARNING",
        "PENDING",
        "ERROR",
        "IN_PROGRESS",
        "REMEDIATED",
        "UNREMEDIATED",
        "remediated",
        "great",
        "FAILED_ERROR",
        ONE,
        OTHER,
        "report-0-of-a",
        "report-0-of-b",
        "scan-0-of-9423",
        "scan-1-of-0c1b",
        REPORT_TYPE,
        "CAMPAIGN_STATUS_REPORT",
        "2020-01-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
        "2999-01-01 00:00",
        "31.12.2999",
        "2025-13-45T99:00:00Z",
        32472144000000,
        "STATUS_230_REOPENED",
        "400.2.0 Conflicting operation",
        "../../etc/passwd",
        [ONE],
        {"id": ONE},
        ["SUCCESS"],
        [0] * 50,
    ]
)
JSON = st.one_of(
    ODD,
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20)
        ),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ),
)
CONFLICT = {
    "detailCode": "400.2.0 Conflicting operation",
    "trackingId": "t",
    "messages": [{"locale": "en-US", "text": "not yet"}],
}
KINDS = (
    "set",
    "set",
    "set",
    "set",
    "remove",
    "add",
    "whole",
    "status",
    "conflict",
    "again",
    "twice",
    "cut",
    "drop",
    "text",
    "page",
    "date",
)

WITNESSED = ("list_certifications", "decision_summary", "list_review_items", "search", "list_accounts")
BEND = st.fixed_dictionaries(
    dict(
        operation=st.sampled_from(OPERATIONS[1:] * 3 + OPERATIONS[:1]),
        first=st.integers(0, 7),
        last=st.sampled_from([0, 0, 1, 50]),
        kind=st.sampled_from(KINDS),
        place=st.integers(0, 40),
        value=JSON,
        name=st.sampled_from(["err_code", "scanId", "id", "detailCode", "x"]),
        status=st.sampled_from([200, 201, 202, 204, 400, 401, 403, 404, 406, 407, 409, 410, 422, 429, 500, 502, 503]),
    )
)


def places_in(value):
    """Every (container, key) of a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for key, inner in pairs:
        found += [(value, key), *places_in(inner)]
    return found


def bent(reply, before, bend):
    """An answer as one bend leaves it."""
    kind, value = bend["kind"], copy.deepcopy(bend["value"])
    reply = copy.deepcopy(reply)
    places = places_in(reply.json)
    container, key = places[bend["place"] % len(places)] if places else (None, None)
    if kind == "set" and places:
        container[key] = value
    elif kind == "remove" and places:
        del container[key]
    elif kind == "add" and places and isinstance(container, dict):
        container[bend["name"]] = value
    elif kind in ("set", "remove", "add", "whole"):
        reply.json = value
    elif kind == "status":
        reply.status = bend["status"]
    elif kind == "conflict":
        return Reply(400, json=CONFLICT)
    elif kind == "again" and before is not None:
        return copy.deepcopy(before)
    elif kind == "twice" and isinstance(container, dict):
        inner = container[key]
        container[key] = "the place"
        other = "%s, %s: %s" % (json.dumps(value), json.dumps(key), json.dumps(inner))
        reply.body, reply.json = json.dumps(reply.json).replace('"the place"', other), None
    elif kind == "cut":
        reply.close_after = len(reply.content()) // 2
    elif kind == "drop":
        reply.drop = True
    elif kind == "text":
        reply.json, reply.body = None, str(value)[:2000].encode("utf-8", "replace")
    elif kind == "page":
        reply.json, reply.body = None, "<html><body>Sign in</body></html>"
        reply.headers["Content-Type"] = "text/html"
    elif kind == "date":
        reply.headers["Date"] = json.dumps(value)[:100]
    return reply


def bender(bends):
    """The function that bends the answers of a TwoSystems as asked for."""

    def bend(operation, number, reply, before):
        for one in bends:
            if one["operation"] == operation and one["first"] <= number <= one["first"] + one["last"]:
                reply = bent(reply, before, one)
        return reply

    return bend


def bend_of(operation, kind, first=0, last=50, **more):
    """One bend, for an example."""
    return dict(dict(operation=operation, kind=kind, first=first, last=last, place=0, value=None, name="x", status=200), **more)


@thorough(60)
@given(bends=st.lists(BEND, min_size=1, max_size=3), report_moves_modified=st.booleans(), takes_in=st.booleans())
@example(
    bends=[bend_of("run_scan", "conflict"), bend_of("get_campaign", "set", first=4, place=5, value="2026-01-01T00:00:00Z")],
    report_moves_modified=False,
    takes_in=False,
)
@example(
    bends=[
        bend_of("run_scan", "whole", value={"detailCode": "500.0", "messages": []}),
        bend_of("run_scan", "status", status=200),
    ],
    report_moves_modified=False,
    takes_in=False,
)
@example(bends=[bend_of("get_or_create", "again")], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("get_scan", "add", name="scanId", value="scan-9")], report_moves_modified=True, takes_in=True)
@example(bends=[bend_of("get_scan", "twice", place=1, value="UNREMEDIATED")], report_moves_modified=False, takes_in=False)
@example(
    bends=[bend_of("list_reports", "set", place=6, value="2999-01-01T00:00:00Z")], report_moves_modified=False, takes_in=False
)
@example(bends=[bend_of("list_reports", "set", place=2, value="report-0-of-a")], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("list_reports", "again", first=1)], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("get_scan", "set", place=1, value=["SUCCESS"])], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("get_campaign", "set", place=0, value={"id": ONE})], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("get_alerts", "set", place=4, value=[231])], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("get_campaign", "set", place=2, value=10**5000)], report_moves_modified=False, takes_in=False)
@example(bends=[bend_of("list_campaigns", "again", first=1)], report_moves_modified=False, takes_in=True)
@example(bends=[bend_of("list_campaigns", "remove", place=0)], report_moves_modified=False, takes_in=True)
@example(bends=[bend_of("list_campaigns", "set", place=1, value=OTHER)], report_moves_modified=False, takes_in=True)
@example(bends=[bend_of("list_campaigns", "set", place=7, value=True)], report_moves_modified=False, takes_in=True)
@example(bends=[bend_of("list_campaigns", "status", status=500)], report_moves_modified=False, takes_in=True)
@example(
    bends=[bend_of("list_campaigns", "set", first=2, place=7, value="2026-01-01T00:00:00Z")],
    report_moves_modified=False,
    takes_in=True,
)
def test_answers_that_are_bent(bends, report_moves_modified, takes_in):
    with role_and_systems(bender(bends), report_moves_modified=report_moves_modified, takes_in=takes_in) as (role, systems):
        assert runs(role, systems, 4)


@pytest.mark.parametrize("takes_in", [False, True])
@pytest.mark.parametrize("report_moves_modified", [False, True])
def test_the_plain_truth_is_verified_and_stays_so(report_moves_modified, takes_in):
    """Or the others would prove nothing."""
    with role_and_systems(report_moves_modified=report_moves_modified, takes_in=takes_in) as (role, systems):
        assert runs(role, systems, 4)["verdict"] == "verified"
        started = [one for one in systems.said if one.operation in ("run_scan", "run_report", "get_or_create")]
        assert len(started) == 2 + 2 + 2, "a report that moves `modified` must not lead to scans for ever"
        systems.modified[OTHER] = systems.tick()
        later_run = {target["id"]: target["outcome"] for target in runs(role, systems, 1)["targets"]}
        assert later_run.pop(OTHER) == "pending" and set(later_run.values()) == {"remediated"}
        assert runs(role, systems, 3)["verdict"] == "verified"


STRANGE_ROWS = [[*ROWS[0][:-1], "Stand"], *([*row[:-1], "Vollzogen"] for row in ROWS[1:])]


@pytest.mark.parametrize("agreement, verdict", [("one", "verified"), ("all", "not_verified")])
def test_a_report_that_is_not_understood(agreement, verdict):
    """The other witness answers, where one is enough."""
    with role_and_systems() as (role, systems):
        systems.rows = {ONE: STRANGE_ROWS, OTHER: STRANGE_ROWS}
        role.agreement = agreement
        assert runs(role, systems, 3)["verdict"] == verdict


@thorough(25)
@given(bends=st.lists(BEND, min_size=1, max_size=3), agreement=st.sampled_from(["one", "one", "all"]))
@example(bends=[bend_of("list_review_items", "set", place=1, value="APPROVE")], agreement="one")
@example(bends=[bend_of("list_certifications", "remove", place=0)], agreement="one")
@example(bends=[bend_of("decision_summary", "set", place=0, value=0)], agreement="one")
@example(bends=[bend_of("search", "set", place=3, value="2020-01-01T00:00:00Z")], agreement="one")
@example(bends=[bend_of("list_accounts", "status", status=403)], agreement="one")
@example(bends=[bend_of("search", "again", first=1), bend_of("list_accounts", "whole", value=[])], agreement="one")
def test_answers_of_the_other_witness_that_are_bent(bends, agreement):
    """It alone has the word, because nobody knows what the report says."""
    bends = [dict(bend, operation=WITNESSED[bend["place"] % len(WITNESSED)]) if bend["first"] > 2 else bend for bend in bends]
    with role_and_systems(bender(bends)) as (role, systems):
        systems.rows = {ONE: STRANGE_ROWS, OTHER: STRANGE_ROWS}
        role.agreement = agreement
        assert runs(role, systems, 2)


# --- Ledgers that are bent

LEDGER_BEND = st.fixed_dictionaries(
    dict(
        kind=st.sampled_from(["set", "set", "set", "remove", "swap", "whole", "text"]),
        place=st.integers(0, 200),
        other=st.integers(0, 200),
        value=JSON,
    )
)


def bend_ledger(path, bends):
    """Rewrites a ledger."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for bend in bends:
        places, value = places_in(content), bend["value"]
        if bend["kind"] == "text":
            path.write_bytes(str(value)[:5000].encode("utf-8", "replace"))
            return
        if bend["kind"] == "whole" or not places:
            content = value
            continue
        container, key = places[bend["place"] % len(places)]
        other, other_key = places[bend["other"] % len(places)]
        if bend["kind"] == "set":
            container[key] = value
        elif bend["kind"] == "remove":
            del container[key]
        else:
            container[key], other[other_key] = copy.deepcopy(other[other_key]), copy.deepcopy(container[key])
    with contextlib.suppress(ValueError):
        path.write_text(json.dumps(content), encoding="utf-8")


OPEN_ROWS = [ROWS[0], *([*row[:-1], "Open"] for row in ROWS[1:])]


def all_is_open(operation, number, reply, before):
    """A bend after which nothing is remediated."""
    if operation == "get_scan" and reply.status == 200:
        return Reply(json={"reply": {"status": "SUCCESS", "result": "UNREMEDIATED"}})
    if operation == "download" and reply.status == 200:
        return Reply(body=report_text(OPEN_ROWS), headers=reply.headers)
    if operation == "search":
        for document in reply.json:
            document["access"] += [dict(id=access_of(row)[2], type="ENTITLEMENT", source=dict(id=SOURCE)) for row in ROWS[1:]]
            document["accessCount"] = len(document["access"])
    return reply


@thorough(35)
@given(bends=st.lists(LEDGER_BEND, min_size=1, max_size=4), is_open=st.booleans(), done=st.integers(1, 3))
def test_ledgers_that_are_bent(bends, is_open, done):
    with role_and_systems() as (role, systems):
        runs(role, systems, done, ("json",))
        bend_ledger(role.ledger, bends)
        if is_open:
            systems.bend = all_is_open
        for _run in range(3):
            now = len(systems.said)
            found = role.run(ALL_FORMATS)
            if found:
                check_run(role, found, systems.said, now)
                assert not is_open or "remediated" not in {target["outcome"] for target in found["targets"]}


RECORD = st.fixed_dictionaries(
    {},
    optional=dict(
        kind=ODD,
        status=st.sampled_from(["finished", "requested", "SUCCESS", "IN_PROGRESS"]) | JSON,
        result=ODD,
        outcome=ODD,
        scan_id=st.sampled_from(["scan-0-of-9423", "scan-1-of-0c1b"]) | JSON,
        finished_at=ODD,
        asked_at=ODD,
        requested_at=ODD,
        modified=ODD,
        modified_before=ODD,
        updated_at=ODD,
        requests=JSON,
        took=ODD,
        alert_internal_id=ODD,
        service_id=ODD,
        attack_surface_rule_id=ODD,
        campaign_id=ODD,
    ),
)


@thorough(40)
@given(records=st.lists(RECORD, min_size=4, max_size=4), max_age=st.sampled_from([0, 86400, 2**31]))
@example(
    records=[
        dict(
            status="finished",
            finished_at="2999-01-01T00:00:00Z",
            modified="2020-01-02T00:00:00Z",
            requested_at="x",
            modified_before="2020-01-01T00:00:00Z",
        )
    ]
    * 2
    + [
        dict(
            scan_id="scan-0-of-9423",
            status="SUCCESS",
            result="REMEDIATED",
            outcome="remediated",
            finished_at="2999-01-01T00:00:00Z",
        )
    ]
    * 2,
    max_age=86400,
)
@example(records=[{}, {}, dict(outcome="great", finished_at="2999-01-01"), dict(outcome="remediated", scan_id="x")], max_age=0)
def test_ledgers_that_somebody_wrote(records, max_age):
    """As 0.2.0 wrote them. No scan was ever started, so nothing but what is asked for now may count."""
    with role_and_systems(all_is_open) as (role, systems):
        role.sailpoint["max_age"] = role.xpanse["max_age"] = max_age
        host = "127.0.0.1"
        keys = ["%s/campaign/%s" % (host, one) for one in (ONE, OTHER)]
        keys += ["%s/exposure/%s" % (host, exposure_id(one).replace(":", "/")) for one in (NAMED, LOOKED_UP)]
        with contextlib.suppress(ValueError):
            role.ledger.write_text(json.dumps(dict(schema_version=1, records=dict(zip(keys, records)))), encoding="utf-8")
        for _run in range(2):
            found = role.run(ALL_FORMATS)
            if found:
                check_run(role, found)
                assert "remediated" not in {target["outcome"] for target in found["targets"]}


# --- Reports that are bent

WORDS = st.sampled_from(
    [
        "Remediated",
        "remediated",
        " REMEDIATED ",
        "Fully remediated",
        "Open",
        "Pending",
        "Not remediated",
        "Yes",
        "No",
        "",
        "great",
        "REVOKED",
        "=1+1",
        '"',
        "a\nb",
        "\x00",
        "Ada Byron",
        "2026-01-01",
        "\ufb01nished",
        "Remediated\u200b",
    ]
)
COLUMNS = st.sampled_from(
    [
        "Remediation Status",
        "Item Status",
        "Status",
        "State",
        "Remediated",
        "Decision",
        "Identity",
        "Comments",
        "",
        "Campaign Status",
        "Remediation State",
        "Is Remediated",
    ]
)
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(COLUMNS, min_size=width, max_size=width), st.lists(st.lists(WORDS, min_size=width, max_size=width), max_size=4)
    )
)


@st.composite
def reports(draw):
    """The bytes of a report: a table of likely cells, one with a row that has another length, or anything."""
    header, rows = draw(TABLE)
    if draw(st.integers(0, 3)) == 0 and rows:
        rows[0] = draw(st.lists(WORDS, max_size=6))
    text = report_text([header, *rows])
    how = draw(st.sampled_from(["table", "table", "table", "table", "cut", "anything", "bytes"]))
    if how == "cut":
        return text.encode("utf-8")[: draw(st.integers(0, len(text)))]
    if how == "anything":
        return draw(st.text(max_size=200)).encode("utf-8", "replace")
    return draw(st.binary(max_size=100)) if how == "bytes" else text.encode("utf-8", "replace")


@thorough(40)
@given(first=reports(), second=reports())
@example(first=b"Remediation Status,Item Status\r\nRemediated,Open\r\n", second=b"Remediation Status,State\nRemediated,Pending\n")
@example(first=b'Remediation Status\r\nRemediated\r\n"Open', second=b"sep=,\r\nRemediation Status\r\nOpen\r\n")
def test_reports_that_are_bent(first, second):
    contents = {"a": first, "b": second}

    def bend(operation, number, reply, before):
        if operation == "download" and reply.status == 200:
            # The report's id ends with what its campaign's ends with.
            reply = Reply(body=contents[systems.requests[-1].path[-1]], headers=reply.headers)
        return reply

    with role_and_systems(bend) as (role, systems):
        assert runs(role, systems, 3)
