# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outcomes that are computed again from what a run's folder holds, whatever became of it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from answers_on_record import campaign_results, exposure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence import replay
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint.system import SAILPOINT
from ansible_collections.secops.remediation.plugins.modules import (
    remediation_evidence,
    remediation_evidence_info,
    sailpoint_remediation_report_info,
)

ROOT = Path(__file__).resolve().parents[4]
CAMPAIGNS = {"c1": "remediated", "c2": "unremediated"}
EXPOSURES = [dict(alert_internal_id=number, attack_surface_rule_id="Rdp", service_id="s") for number in (1, 2, 3)]
OUTCOMES = ("remediated", "unremediated", "pending")


def call(module, **options):
    """Runs a module's own code and returns its result."""
    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    return run_task(module.run, Task(dict(params, **options), False, print))[0]


def reports_in(folder):
    """Downloads a report for each campaign. Returns the results for campaigns, and what was read in the reports."""
    folder.mkdir(parents=True, exist_ok=True)
    reports = {}
    for campaign, outcome in CAMPAIGNS.items():
        path = folder / ("%s.csv" % campaign)
        path.write_text("Identity,Access,Remediation Status\nJo,A,%s\n" % ("Remediated" if outcome == "remediated" else "Open"))
        reports[campaign] = str(path), evidence.sha256_of(path)
    read = call(sailpoint_remediation_report_info, paths=[path for path, _sha256 in reports.values()])
    return dict(campaign_results(reports), report_infos=read)


def write(dest, reports_folder=None, **options):
    """A run with campaigns and exposures, whose reports are downloaded into its folder or elsewhere."""
    prepared = call(remediation_evidence, dest=str(dest), exposures=EXPOSURES, state="prepared")
    results = reports_in(reports_folder or Path(prepared["folder"]) / "reports")
    answers = [exposure(ids, outcome) for ids, outcome in zip(EXPOSURES, OUTCOMES, strict=True)]
    return call(
        remediation_evidence,
        **dict(
            dict(
                dest=str(dest),
                run=prepared["run"],
                run_id=prepared["run_id"],
                started_at=prepared["started_at"],
                campaign_ids=list(CAMPAIGNS),
                exposures=EXPOSURES,
                formats=["csv"],
                rcs_requests=dict(rcs_requests=answers),
            ),
            **dict(results, **options),
        ),
    )


def check(path, **options):
    return call(remediation_evidence_info, path=str(path), **options)


def write_sums_anew(run):
    """What somebody does who tampers with care, and has no key."""
    evidence.write_sums(str(run), [(evidence.sha256_of(run / name), name) for name in evidence.files_in(run)])
    for path in run.parent.glob("SHA256SUMS*"):
        path.unlink()
    evidence.write_overall_sums(str(run.parent), evidence.finished_runs(run.parent), None, [])


def edit(path, change):
    """Changes a JSON file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.fixture
def run(tmp_path):
    """The folder of a run."""
    result = write(tmp_path / "evidence")
    assert "failed" not in result, result["msg"]
    return Path(result["verification"]["directory"])


def only_run(checked):
    (record,) = checked["runs"]
    return record


def test_every_outcome_follows(run):
    checked = check(run.parent)
    assert checked["intact"], checked["summary"]
    assert only_run(checked)["replay"] == "5 of 5 outcomes follow from the answers on record"
    assert (only_run(checked)["outcomes_total"], only_run(checked)["outcomes_followed"]) == (5, 5)
    counts = json.loads((run / "verification.json").read_text())["counts"]
    assert counts == dict(remediated=2, unremediated=2, pending=1, inconclusive=0, total=5)


def test_it_needs_nothing_but_the_collection(run):
    """No Jinja2, no requests, no network."""
    code = (
        "import json, socket, sys\n"
        "for name in ('jinja2', 'requests', 'yaml'): sys.modules[name] = None\n"
        "socket.socket.connect = lambda *arguments: sys.exit('the network was used')\n"
        "from ansible_collections.secops.remediation.plugins.module_utils._evidence.check import check_directory\n"
        "from ansible_collections.secops.remediation.plugins.modules import remediation_evidence_info\n"
        "runs, whole = check_directory(sys.argv[1])\n"
        "print(json.dumps([runs[0]['replay'], runs[0]['problems'], whole['problems']]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run.parent)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, PYTHONPATH=str(ROOT / ".cache")),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["5 of 5 outcomes follow from the answers on record", [], []]


class TestTampering:
    """Each with new checksums, so that only what follows from what can tell."""

    @pytest.mark.parametrize("kind, target", [("campaign", "c2"), ("exposure", "2:Rdp:s"), ("exposure", "3:Rdp:s")])
    def test_an_outcome_was_improved(self, run, kind, target):
        def improve(content):
            (found,) = [entry for entry in content["targets"] if entry["id"] == target]
            found["outcome"] = "remediated"

        edit(run / "verification.json", improve)
        write_sums_anew(run)
        checked = check(run.parent)
        assert only_run(checked)["outcomes_followed"] == 4 and not checked["intact"]
        assert any(
            "%s %s is said to be remediated, and from the answers on record follows " % (kind, target) in problem
            for problem in checked["problems"]
        )

    @pytest.mark.parametrize(
        "change, words",
        [
            (
                lambda content: content.update(verdict="verified"),
                "its verdict is verified, and from the answers on record follows",
            ),
            (lambda content: content["counts"].update(unremediated=0), "its counts are not those"),
            (
                lambda content: content["targets"].pop(),
                "exposure 3:Rdp:s follows from the answers on record as pending, and was left out",
            ),
            (
                lambda content: content["targets"].append(dict(content["targets"][0], id="c9")),
                "campaign c9 is said to be remediated, and nobody asked for it",
            ),
            (lambda content: content["targets"].append(dict(content["targets"][0])), "and nobody asked for it"),
            (lambda content: content["targets"].append(5), "outcomes"),
        ],
    )
    def test_the_verification_was_changed(self, run, change, words):
        edit(run / "verification.json", change)
        write_sums_anew(run)
        checked = check(run.parent)
        assert not checked["intact"] or only_run(checked)["outcomes_followed"] < only_run(checked)["outcomes_total"]
        assert any(words in problem for problem in checked["problems"] + [only_run(checked)["replay"]]), checked["problems"]

    def test_a_report_was_changed(self, run):
        (run / "reports" / "c2.csv").write_text("Identity,Access,Remediation Status\nJo,A,Remediated\n")
        write_sums_anew(run)
        problems = check(run.parent)["problems"]
        assert any(
            "reports/c2.csv is another file than the one that was judged; it is the evidence for campaign c2" in problem
            for problem in problems
        )
        assert any(
            "campaign c2 is said to be unremediated, and from the answers on record follows remediated" in problem
            for problem in problems
        )

    @pytest.mark.parametrize("how", ["missing", "damaged", "twice", "list", "deep", "foreign", "pipe", "link"])
    @pytest.mark.parametrize(
        "path, kind",
        [("records/exposures.json", "exposure"), ("records/report_items.json", "campaign"), ("records/asked.json", "")],
    )
    def test_a_record_is_not_what_it_was(self, run, path, kind, how):
        record = run / path
        content = record.read_text()
        if how == "missing":
            record.unlink()
        elif how == "damaged":
            record.write_text(content[:50])
        elif how == "twice":
            record.write_text(content.replace("{", '{"a": 1, "a": 2, ', 1))
        elif how == "list":
            record.write_text("[]")
        elif how == "deep":
            record.write_text("[" * 100000)
        elif how == "foreign":
            edit(record, lambda content: content.update(run="20200101T000000Z"))
        elif how == "pipe":
            record.unlink()
            os.mkfifo(record)
        else:
            record.unlink()
            record.symlink_to("/etc/hostname")
        write_sums_anew(run)
        checked = check(run.parent)
        problems = checked["problems"]
        if (path, how) == ("records/asked.json", "missing"):
            # It may be a run of a version that kept no answers; the chain or a signature tells.
            assert "cannot be replayed" in only_run(checked)["replay"] or not checked["intact"]
            return
        assert not checked["intact"] and any(path in problem for problem in problems), problems
        told = [problem for problem in problems if " is said to be " in problem]
        assert told and all(": %s" % kind in problem for problem in told)
        assert only_run(checked)["outcomes_followed"] == 5 - len(told)

    @pytest.mark.parametrize(
        "change",
        [
            lambda content: content["rcs_requests"][1].update(outcome="great"),
            lambda content: content["rcs_requests"][1].update(outcome=["remediated"]),
            lambda content: content.update(rcs_requests="none"),
            lambda content: content.update(rcs_requests=[None, 5]),
            lambda content: content.update(rcs_requests={"a": 1}),
        ],
    )
    def test_an_odd_answer_raises_nothing(self, run, change):
        edit(run / "records" / "exposures.json", change)
        write_sums_anew(run)
        assert not check(run.parent)["intact"]

    def test_reports_elsewhere_are_not_read(self, run, tmp_path):
        outside = tmp_path / "c2.csv"
        outside.write_text("Identity,Access,Remediation Status\nJo,A,Remediated\n")
        for path in (str(outside), "../../c2.csv", "reports/../../../c2.csv"):

            def move(content, path=path):
                for item in content["reports"]:
                    if item["path"].endswith("c2.csv"):
                        item["path"] = path

            for name in ("reports", "report_items"):
                edit(run / "records" / ("%s.json" % name), move)
            write_sums_anew(run)
            assert any("lies outside of the run's folder" in problem for problem in check(run.parent)["problems"])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["c1", "reports/c1.csv", "remediated", "finished", "2026-03-02T08:17:00Z", "../x", "\0", "1:Rdp:s"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5)
            | st.sampled_from(["id", "path", "sha256", "run", "outcome", "targets", "reports", "error", "settings", "evidence"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
PLACES = [
    "records/%s.json" % name for name in ("asked", "campaigns", "remediation_scans", "reports", "report_items", "exposures")
]


def replaced(content, keys, value):
    """The content with another value at the place to which the keys lead, as far as they do."""
    if not keys or not isinstance(content, (dict, list)) or not content:
        return value
    key = sorted(content)[keys[0] % len(content)] if isinstance(content, dict) else keys[0] % len(content)
    content[key] = replaced(content[key], keys[1:], value)
    return content


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES + ["verification.json"]), keys=st.lists(st.integers(0, 30), max_size=5), value=JSON)
def test_whatever_is_in_a_file_it_raises_nothing_and_improves_nothing(run, place, keys, value):
    before = (run / place).read_text()
    said = {target["id"]: target["outcome"] for target in json.loads((run / "verification.json").read_text())["targets"]}
    (run / place).write_text(json.dumps(replaced(json.loads(before), keys, value)))
    try:
        write_sums_anew(run)
        checked = check(run.parent)
        found = evidence.read_verification(str(run.parent), run.name)
    finally:
        (run / place).write_text(before)
    assert "failed" not in checked, checked["msg"]
    improved = [
        target
        for target in (found or {}).get("targets", ())
        if isinstance(target, dict) and target.get("outcome") == "remediated" and said.get(str(target.get("id"))) != "remediated"
    ]
    assert not improved or not checked["intact"]


def test_runs_of_versions_that_kept_no_answers(run):
    """They are what they were, and that is all that can be said."""
    for path in (run / "records").iterdir():
        path.unlink()
    (run / "records").rmdir()
    edit(
        run / "verification.json",
        lambda content: content.update(
            schema_version="1.1", targets=[dict(target, evidence=[]) for target in content["targets"]]
        ),
    )
    write_sums_anew(run)
    checked = check(run.parent)
    assert checked["intact"] and only_run(checked)["outcomes_total"] is None
    assert "cannot be replayed" in only_run(checked)["replay"] and any("cannot be replayed" in note for note in checked["notes"])
    # A version that keeps them cannot have kept none.
    edit(run / "verification.json", lambda content: content.update(schema_version="1.2"))
    write_sums_anew(run)
    assert not check(run.parent)["intact"]


def test_answers_that_were_removed_after_a_run_that_has_them(tmp_path):
    write(tmp_path)
    second = Path(write(tmp_path)["verification"]["directory"])
    (second / "records" / "asked.json").unlink()
    edit(second / "verification.json", lambda content: content.update(schema_version="1.1"))
    write_sums_anew(second)
    assert any("it has no records/asked.json, and the run before it has" in problem for problem in check(tmp_path)["problems"])


def test_reports_that_were_downloaded_elsewhere_are_brought_in(tmp_path):
    result = write(tmp_path / "evidence", tmp_path / "downloads")
    assert "failed" not in result, result["msg"]
    run = Path(result["verification"]["directory"])
    assert sorted(os.listdir(run / "reports")) == ["c1.csv", "c2.csv"]
    found = json.loads((run / "verification.json").read_text())
    assert [
        file["path"]
        for target in found["targets"]
        for file in target["evidence"]
        if "c" in target["id"] and "reports/" in file["path"]
    ] == ["reports/c1.csv", "reports/c2.csv"]
    assert check(tmp_path / "evidence")["intact"]


def test_words_of_the_user_are_on_record(tmp_path):
    """The meaning of a word is part of what an outcome follows from."""
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "records").mkdir()
    path = folder / "reports" / "c.csv"
    path.parent.mkdir()
    path.write_text("Identity,Stand\nJo,Vollzogen\n")
    item = dict(path="reports/c.csv", outcome="remediated")
    infos = dict(reports=[item], settings=dict(status_column="Stand", remediated_values=["Vollzogen"], open_values=None))
    problems = []
    SAILPOINT.read_again(dict(report_infos=infos), functools.partial(replay.inside, str(folder)), problems)
    assert infos["reports"][0]["outcome"] == "remediated" and not problems
    infos["settings"]["remediated_values"] = ["Erledigt"]
    SAILPOINT.read_again(dict(report_infos=infos), functools.partial(replay.inside, str(folder)), problems)
    assert infos["reports"][0]["outcome"] == "inconclusive"


def test_no_path_of_the_working_folder_is_left(tmp_path):
    prepared = call(remediation_evidence, dest=str(tmp_path), exposures=EXPOSURES[:1], state="prepared")
    records = Path(prepared["folder"]) / "records"
    records.mkdir()
    (records / "exposures_started.json").write_text(
        json.dumps({"where": prepared["folder"] + "/records/x", prepared["folder"]: 1})
    )
    (records / "exposures.json").write_text(
        json.dumps(
            dict(
                rcs_requests=[
                    dict(
                        EXPOSURES[0],
                        outcome="inconclusive",
                        error="Cannot write %s/reports/a b.csv: disk full" % prepared["folder"],
                    )
                ]
            )
        )
    )
    call(
        remediation_evidence,
        dest=str(tmp_path),
        run=prepared["run"],
        exposures=EXPOSURES[:1],
        rcs_requests=dict(results_file=str(records / "exposures.json")),
    )
    for path in (tmp_path / prepared["run"]).rglob("*.*"):
        assert ".unfinished" not in path.read_text(), path
    found = json.loads((tmp_path / prepared["run"] / "verification.json").read_text())
    assert found["targets"][0]["reason"] == "Cannot write reports/a b.csv: disk full"
    assert found["targets"][0]["evidence"][0]["path"] == "records/exposures.json"
