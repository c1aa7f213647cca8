# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role works out: its inputs in any shape, the place of the evidence, what there is to scan, what it says."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
import yaml

from ansible_collections.secops.remediation.plugins.filter import sailpoint, xpanse
from ansible_collections.secops.remediation.plugins.filter import verify as filters
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence

COLLECTION = Path(__file__).resolve().parents[4]
ROLE = COLLECTION / "roles" / "verify"
PLAYBOOKS = [COLLECTION / "playbooks" / "verify.yml", COLLECTION / "extensions" / "awx" / "project" / "verify.yml"]
EXPOSURE = dict(alert_internal_id="231", attack_surface_rule_id="RdpServer", service_id="94232f8a")
DEFAULTS = {name: spec.get("default") for name, spec in filters.INPUTS.items()}


def inputs(**given):
    return filters.verify_inputs({**DEFAULTS, **given}, "/evidence")


def meant(name, value):
    """What an input is taken to be."""
    found = inputs(**{name: value})
    assert found["problems"] == []
    return found[name[len("verify_") :]]


# --- Inputs


def documented():
    return yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]


def test_the_defaults_are_said_alike_everywhere():
    role = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    options = documented()["main"]["options"]
    assert set(filters.INPUTS) == set(role) == set(options) - {"sailpoint_base_url", "xpanse_base_url"}
    # It is worked out.
    del role["verify_evidence_dir"]
    for name, value in role.items():
        assert value == DEFAULTS[name] == options[name].get("default"), name
    assert documented()["start"]["options"] == documented()["collect"]["options"] == options
    spec = remediation_evidence.ARGUMENT_SPEC
    assert filters.FORMATS == spec["formats"]["choices"] and DEFAULTS["verify_controls"] == spec["controls"]["default"]


def test_every_input_is_handed_to_the_filter():
    prepare = (ROLE / "tasks" / "prepare.yml").read_text()
    assert set(re.findall(r"'(verify_\w+)': \1\b", prepare)) == set(filters.INPUTS)


@pytest.mark.parametrize("name", filters.INPUTS)
@pytest.mark.parametrize("nothing", [None, "", "  ", "\n"])
def test_null_and_blank_are_the_default(name, nothing):
    assert inputs(**{name: nothing}) == inputs()


def test_what_is_not_given_is_the_default():
    assert filters.verify_inputs({}, "/evidence") == inputs()
    assert inputs()["evidence_dir"] == "/evidence" and inputs()["ledger"] == "/evidence/ledger.json"
    assert meant("verify_ledger", "/elsewhere/l.json") == "/elsewhere/l.json"
    assert inputs(verify_evidence_dir="/other")["ledger"] == "/other/ledger.json"


@pytest.mark.parametrize(
    "value, expected",
    [
        (231, ["231"]),
        ("231", ["231"]),
        ("abc", ["abc"]),
        (" abc\n", ["abc"]),
        ("a\nb\r\nc\n", ["a", "b", "c"]),
        ("a, b,,c", ["a", "b", "c"]),
        ("a,\nb", ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ("['a', 'b']", ["a", "b"]),
        ("[]", []),
        ([231, "abc"], ["231", "abc"]),
        (["with,comma"], ["with,comma"]),
        (["abc ", "\tdef\n"], ["abc", "def"]),
        ('\n["a"]\n', ["a"]),
    ],
)
def test_lists_of_text(value, expected):
    assert meant("verify_campaign_ids", value) == expected


@pytest.mark.parametrize("value", ["abc def", ["abc", "abc\u00a0def"], "abc\tdef,ghi"])
def test_an_id_with_a_blank_in_it_is_told_before_anything_is_started(value):
    (problem,) = inputs(verify_campaign_ids=value)["problems"]
    assert problem.startswith("verify_campaign_ids: ") and "has a blank in it" in problem and "abc" in problem


def test_a_blank_around_a_tenants_own_word_may_be_meant():
    assert meant("verify_open_values", [" Still open "]) == [" Still open "]


def test_a_key_that_is_not_known_is_called_so():
    (problem,) = inputs(verify_exposures=[{"attack_surface_rule": "x"}])["problems"]
    assert problem.startswith("Not known: verify_exposures.attack_surface_rule. Supported parameters include: ")


@pytest.mark.parametrize("name", ["verify_alert_ids", "verify_case_ids"])
@pytest.mark.parametrize(
    "value, expected",
    [
        (231, [231]),
        ("231", [231]),
        ("231\n442", [231, 442]),
        ("231,442", [231, 442]),
        ("[231, 442]", [231, 442]),
        (["231", 442], [231, 442]),
    ],
)
def test_lists_of_numbers(name, value, expected):
    assert meant(name, value) == expected


@pytest.mark.parametrize(
    "value",
    [EXPOSURE, [EXPOSURE], json.dumps(EXPOSURE), json.dumps([EXPOSURE]), str([EXPOSURE]), dict(EXPOSURE, alert_internal_id=231)],
)
def test_exposures(value):
    assert meant("verify_exposures", value) == [EXPOSURE]


@pytest.mark.parametrize(
    "value, expected",
    [
        ("Done, in full\nDone", ["Done, in full", "Done"]),
        ("Done,Closed", ["Done", "Closed"]),
        (["Done, in full"], ["Done, in full"]),
    ],
)
def test_words_of_the_tenant(value, expected):
    assert meant("verify_remediated_values", value) == meant("verify_open_values", value) == expected


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("verify_wait", "false", False),
        ("verify_wait", "no\n", False),
        ("verify_wait", 0, False),
        ("verify_confirm", "True", True),
        ("verify_wait_timeout", "900", 900),
        ("verify_max_age", "0", 0),
        ("verify_max_age", 0, 0),
        ("verify_keep_runs", "3", 3),
        ("verify_wait_interval", " 5 ", 5),
        ("verify_evidence_mode", "0640", "0640"),
        ("verify_remediation_status_column", 7, "7"),
        ("verify_fail_on", "unremediated,pending", ["unremediated", "pending"]),
        ("verify_fail_on", "[]", []),
        ("verify_fail_on", [], []),
        ("verify_formats", "csv", ["csv"]),
        ("verify_signing_key", "key\n", "key"),
    ],
)
def test_other_shapes(name, value, expected):
    assert meant(name, value) == expected and type(meant(name, value)) is type(expected)


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("verify_campaign_ids", [None], "verify_campaign_ids: item 1 of the list is null"),
        ("verify_campaign_ids", True, "verify_campaign_ids: give a list, not True"),
        ("verify_campaign_ids", '["a", "b"', "verify_campaign_ids: this looks like a list, and is not JSON"),
        ("verify_alert_ids", "231 abc", "verify_alert_ids"),
        ("verify_alert_ids", [["231"]], "verify_alert_ids"),
        ("verify_exposures", "231", "verify_exposures"),
        ("verify_exposures", [dict(EXPOSURE, service="x")], "service"),
        ("verify_wait", "perhaps", "verify_wait"),
        ("verify_wait_timeout", "soon", "verify_wait_timeout"),
        ("verify_wait_timeout", True, "verify_wait_timeout: give one value, not true"),
        ("verify_max_age", [5], "verify_max_age: give one value, not [5]"),
        ("verify_ledger", {"a": 1}, "verify_ledger"),
        ("verify_evidence_mode", 384, "put the mode in quotes"),
        ("verify_fail_on", "everything", "one or more of"),
        ("verify_formats", ["pdf"], "verify_formats"),
        ("verify_wait", "\x1b[2J", r"\x1b[2J"),
    ],
)
def test_what_cannot_be_meant_is_said(name, value, words):
    problems = inputs(**{name: value})["problems"]
    assert words in " ".join(problems) and "\x1b" not in " ".join(problems)


# --- The place of the evidence


@pytest.fixture
def place(tmp_path):
    """The directory for all of a playbook's evidence, and where it is for a host."""

    def directory(host, *hosts, addresses=()):
        return filters.evidence_directory(str(tmp_path), host, hosts or (host,), addresses)

    directory.shared = tmp_path / "remediation-evidence"
    return directory


def leave_evidence(folder, *systems):
    run = folder / "20260101T000000Z"
    run.mkdir(parents=True)
    (folder / "latest").symlink_to(run.name)
    (run / "verification.json").write_text(json.dumps({"targets": [{"system": system} for system in systems]}))
    (folder / "ledger.json").write_text("{}")


@pytest.mark.parametrize("hosts", [(), ("acme",), ("acme", "globex"), ("acme", "localhost")])
def test_it_does_not_depend_on_other_hosts(place, hosts):
    assert place("acme", *hosts) == str(place.shared / "acme")
    for name in ("localhost", "127.0.0.1"):
        assert place(name, *hosts) == str(place.shared)


def test_it_is_in_the_current_directory_for_the_collections_own_playbook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = "/usr/share/ansible/collections/ansible_collections/secops/remediation/playbooks"
    assert filters.evidence_directory(own, "localhost") == str(tmp_path / "remediation-evidence")
    assert filters.evidence_directory("/srv/playbooks", "localhost") == "/srv/playbooks/remediation-evidence"


SAILPOINT, XPANSE = "https://acme.example", "https://api-acme.crtx.example"
ACME = ("https://acme.example/", "ACME.crtx.example")


@pytest.mark.parametrize(
    "addresses, hosts, taken",
    [
        # Nothing is known but which hosts there are.
        ((), ["acme"], True),
        (("", None), ["acme", "localhost"], True),
        ((), ["acme", "globex"], False),
        # The addresses say it.
        (ACME, ["acme"], True),
        (ACME, ["acme", "globex"], True),
        (ACME[:1], ["acme"], False),
        (("https://globex.example", "globex.crtx.example"), ["acme"], False),
    ],
)
def test_evidence_of_a_host_that_was_alone(place, addresses, hosts, taken):
    leave_evidence(place.shared, SAILPOINT, XPANSE)
    assert place("acme", *hosts, addresses=addresses) == str(place.shared if taken else place.shared / "acme")
    # A folder of its own is the one, once it is there.
    leave_evidence(place.shared / "acme", SAILPOINT)
    assert place("acme", *hosts, addresses=addresses) == str(place.shared / "acme")


@pytest.mark.parametrize("content", ["", "[]", '{"targets": 5}', '{"targets": [5]}', '{"targets": [{"system": null}]}'])
def test_evidence_that_says_nothing(place, content):
    leave_evidence(place.shared)
    (place.shared / "latest" / "verification.json").write_text(content)
    assert place("acme", addresses=ACME) == str(place.shared)
    assert place("acme", "acme", "globex", addresses=ACME) == str(place.shared / "acme")


def test_localhost_among_several_had_a_folder(place):
    leave_evidence(place.shared / "localhost")
    assert place("localhost") == str(place.shared / "localhost")
    leave_evidence(place.shared)
    assert place("localhost") == str(place.shared)


@pytest.mark.parametrize("host, name", [("a/b", "a%2Fb"), ("..", "%2E%2E"), ("../x", "..%2Fx"), ("a.example", "a.example")])
def test_a_host_is_one_folder(place, host, name):
    assert place(host) == str(place.shared / name)


# --- What there is to scan


CAMPAIGNS, SCANS = dict(module="sailpoint_campaign_info"), dict(module="sailpoint_campaign_remediation_scan")
REPORTS, ALERTS = dict(module="sailpoint_campaign_report"), dict(module="xpanse_alert_info")
ODD = [{}, {"skipped": True}, {"failed": True, "msg": "no"}, dict(CAMPAIGNS, campaigns=None), dict(ALERTS, rcs_targets=None)]


def test_completed_campaigns_are_scanned():
    first = [
        {"id": "a", "status": "COMPLETED"},
        {"id": "b", "status": "ACTIVE"},
        "odd",
        {"id": "c"},
        {"id": ["odd"], "status": "COMPLETED"},
        {"status": "COMPLETED"},
    ]
    second = [{"id": "a", "status": "COMPLETED"}, {"id": "d", "status": "COMPLETED"}]
    others = dict(module="another", campaigns=[{"id": "e", "status": "COMPLETED"}])
    results = [*ODD, dict(CAMPAIGNS, campaigns=first), dict(CAMPAIGNS, campaigns=second), others]
    assert sailpoint.completed_campaigns(results) == sailpoint.campaigns_to_scan(results) == ["a", "d"]
    assert sailpoint.completed_campaigns(ODD) == sailpoint.campaigns_to_scan(ODD) == []


def test_of_next_generation_campaigns_a_report_is_had_without_a_scan():
    found = [{"id": "a", "status": "COMPLETED", "modified": "2026-01-01T00:00:00Z"}, {"id": "b", "status": "ACTIVE"}]
    results = [*ODD, dict(CAMPAIGNS, campaigns=found, api_version="next")]
    assert sailpoint.completed_campaigns(results) == ["a"] and sailpoint.campaigns_to_scan(results) == []
    assert sailpoint.reports_to_get(results) == {"a": "2026-01-01T00:00:00Z"}
    assert sailpoint.reports_to_get([dict(CAMPAIGNS, campaigns=found, api_version="v1")]) == {}


def test_reports_of_finished_scans_are_had_and_read():
    scans = [
        dict(campaign_id="a", status="finished", modified="2026-01-01T00:00:00Z"),
        dict(campaign_id="b", status="running", modified=None),
        "odd",
    ]
    assert sailpoint.reports_to_get([*ODD, dict(SCANS, scans=scans)]) == {"a": "2026-01-01T00:00:00Z"}
    reports = [dict(campaign_id="a", path="/r/a.csv"), dict(campaign_id="b", path=None), dict(campaign_id="c"), None]
    assert sailpoint.reports_to_read([*ODD, dict(REPORTS, reports=reports)]) == ["/r/a.csv"]
    assert sailpoint.reports_to_get(ODD) == {} and sailpoint.reports_to_read(ODD) == []


def test_exposures_are_scanned_wherever_they_are_named():
    results = [
        *ODD,
        dict(ALERTS, rcs_targets=[{"alert_internal_id": "5"}]),
        dict(ALERTS, results_file="/r/case_alerts.json", counts={"rcs_targets": 2}),
        dict(ALERTS, results_file="/r/none.json", counts={"rcs_targets": 0}),
    ]
    found = xpanse.exposures_to_scan(inputs(verify_exposures=[EXPOSURE]), results)
    assert found == dict(requests=[EXPOSURE, {"alert_internal_id": "5"}], files=["/r/case_alerts.json"], any=True)
    assert xpanse.exposures_to_scan(inputs(), ODD) == dict(requests=[], files=[], any=False)


def test_seconds_left():
    now = time.time()
    assert filters.seconds_left(60, now - 20) in (39, 40)
    assert filters.seconds_left(60, now - 20, reserve=15) in (24, 25)
    assert filters.seconds_left(60, now - 100) == 0
    assert filters.seconds_left(60, now + 5000) == 60


@pytest.mark.parametrize(
    "value, starts_nothing", [(0, True), ("0", True), (" 00\n", True), (None, False), ("x", False), ([], False)]
)
def test_what_collect_reads_of_the_age(value, starts_nothing):
    assert (filters.verify_inputs({"verify_max_age": value}, "")["max_age"] == 0) is starts_nothing


# --- What is said


def verification(**changes):
    target = dict(kind="exposure", id="1:R:s", name="R at 1", outcome="unremediated", reason="still there")
    return dict(
        dict(
            summary="Not verified.",
            path="/e/r/verification.json",
            files={},
            targets_left_out=0,
            targets=[target, dict(target, outcome="remediated"), dict(target, name=None, outcome="pending")],
        ),
        **changes,
    )


def test_lines():
    assert filters.verify_lines(verification(files={"html": "/e/r/v.html"}, targets_left_out=7, run_sha256="ab")) == [
        "Not verified.",
        "unremediated: exposure R at 1: still there",
        "pending: exposure 1:R:s: still there",
        "... and 7 more targets in the evidence.",
        "Evidence: /e/r/v.html",
        "SHA-256 of its checksums: ab",
    ]
    assert filters.verify_lines(verification(path=None, targets=[])) == ["Not verified."]


def test_lines_hold_nothing_raw():
    target = dict(kind="exposure", id="1", name="a\u202eb", outcome="inconclusive", reason="\x1b]0;title\x07 \x9b")
    (line,) = filters.verify_lines(verification(summary="", targets=[target]))[1:2]
    assert line == r"inconclusive: exposure a\u202eb: \x1b]0;title\x07 \x9b"


@pytest.mark.parametrize(
    "kinds, said",
    [
        ({}, []),
        ({"campaign": dict(total=2, not_started=1)}, []),
        ({"campaign": dict(total=0, not_started=0)}, []),
        (
            {"exposure": dict(total=3, not_started=3), "campaign": dict(total=1, not_started=0)},
            ["Of 3 exposures, not one could be started."],
        ),
    ],
)
def test_nothing_started(kinds, said):
    assert filters.nothing_started(dict(by_kind=kinds)) == said


def evidence(outcomes=("remediated",), verdict="verified", **more):
    """What remediation_evidence returns of targets with these outcomes."""
    counts = {name: outcomes.count(name) for name in ("remediated", "unremediated", "pending", "inconclusive")}
    found = dict(counts=dict(counts, total=len(outcomes)), verdict=verdict, summary="So it is.", directory="/e", by_kind={})
    return dict(verification=found, **more)


ALL = ["unremediated", "inconclusive", "pending"]
SAID = ["So it is.", "The evidence is in /e."]


@pytest.mark.parametrize(
    "found, fail_on, said",
    [
        (evidence(), ALL, []),
        (evidence(), [*ALL, "remediated"], SAID),
        (evidence(), ["remediated"], SAID),
        (evidence(()), [], SAID),
        (evidence(("remediated", "pending"), "incomplete"), ["unremediated"], []),
        (evidence(("remediated", "pending"), "incomplete"), ["pending"], SAID),
        (evidence(("unremediated",), "not_verified"), [], []),
        # A look-up that found nothing is no target with an outcome.
        (evidence(("remediated",), "not_verified"), ALL, SAID),
        (evidence(("remediated",), "not_verified"), ALL[:2], []),
        # Only a part of the evidence is missing.
        (evidence(msg="It is not signed."), ALL, ["It is not signed.", *SAID]),
        (evidence(msg=""), ALL, SAID),
        (evidence(msg="\x1b"), [], [r"\x1b", *SAID]),
    ],
)
def test_what_the_gate_says(found, fail_on, said):
    assert filters.gate_problems(found, fail_on) == said


@pytest.mark.parametrize(
    "damaged", [{}, dict(verification={}), evidence(verdict="verified") | dict(verification=dict(counts={}))]
)
def test_the_gate_does_not_open_for_what_it_cannot_read(damaged):
    with pytest.raises(KeyError):
        filters.gate_problems(damaged, ALL)
    with pytest.raises(KeyError):
        filters.start_problems(damaged)


def test_what_the_start_says():
    assert filters.start_problems(evidence(("inconclusive",), "not_verified")) == []
    assert filters.start_problems(evidence(msg="It is not signed.")) == ["It is not signed.", *SAID]
    found = evidence(("inconclusive",), "not_verified")
    found["verification"]["by_kind"] = {"exposure": dict(total=1, not_started=1)}
    assert filters.start_problems(found) == ["Of 1 exposures, not one could be started.", *SAID]


def test_where_a_file_of_the_run_goes():
    assert filters.in_run(dict(folder="/e/run"), "records/alerts.json") == "/e/run/records/alerts.json"
    assert filters.in_run(dict(folder=None), "reports") is None


# --- The playbooks


@pytest.mark.parametrize("system", ["sailpoint", "xpanse"])
@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.parent.name)
def test_every_connection_option_reaches_the_playbooks(playbook, system):
    options = {}
    for fragment in ("connection", system):
        source = (COLLECTION / "plugins" / "doc_fragments" / ("%s.py" % fragment)).read_text()
        options.update(yaml.safe_load(re.search(r'"""(.*?)"""', source, re.DOTALL).group(1))["options"])
    play = yaml.safe_load(playbook.read_text())[-1]
    given = play["module_defaults"]["group/secops.remediation.%s" % system]
    assert given == {
        name: "{{ omit if %(v)s | default('') in [none, ''] else %(v)s }}" % dict(v="%s_%s" % (system, name)) for name in options
    }


# --- What one job hands on to the next


PARTS = [dict(kind="exposure", part=1), dict(kind="exposure", part=2)]


def test_no_host_run_or_kind_takes_the_name_of_another():
    every = [
        name
        for host in ("acme", "acme_1", "Acme", "acme.example.com", "10.0.0.1", "a/b", "\u00e9")
        for run in ("run-1", "run-2", "")
        for kind in ("exposure", "campaign")
        for name in filters.started_variables([dict(kind=kind), dict(kind=kind)], host, run)
    ]
    assert len(set(every)) == 7 * 3 * 2 * 2
    assert all(name.isidentifier() and name.startswith("verify_started_") for name in every)


def test_a_host_finds_what_is_its_own():
    mine, others = (filters.started_variables(PARTS, host, "run-1") for host in ("acme", "globex"))
    also_mine = filters.started_variables([dict(kind="campaign")], "acme", "run-2")
    variables = {**others, **mine, **also_mine, "verify_started": [], "verify_started_": "x", 7: "a key that is no text"}
    found = filters.started_parts(None, variables, "acme")
    assert sorted(found, key=str) == sorted([*PARTS, dict(kind="campaign")], key=str)


@pytest.mark.parametrize("nothing", [None, "", []])
def test_what_was_given_goes_before_what_is_found(nothing):
    variables = filters.started_variables(PARTS, "acme", "run-1")
    assert filters.started_parts(nothing, variables, "acme") == PARTS
    assert filters.started_parts(["another"], variables, "acme") == ["another"]


@pytest.mark.parametrize(
    "given, parts",
    [(None, []), ("", []), (PARTS, PARTS), (PARTS[0], PARTS[:1]), (json.dumps(PARTS), PARTS), ("junk", ["junk"]), (7, [7])],
)
def test_what_was_handed_on_in_any_shape(given, parts):
    assert meant("verify_started", given) == parts
