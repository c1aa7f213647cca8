# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A record of more items than can be held: on its way from results_file to the evidence, and when that is checked."""

from __future__ import annotations

import copy
import json
import tracemalloc
from pathlib import Path

import access_record
import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence, remediation_evidence_info

OF_A_CERTIFICATION = 50
RECORD = "records/revoked_access.json"
NAMES = ("id", "status", "type", "modified", "totalCertifications", "completedCertifications")
GONE = "%d of %d revoked items are gone from the identities"


def call(module, check_mode=False, **options):
    """Runs a module's own code and returns its result."""
    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    return run_task(module.run, Task(dict(params, **options), check_mode, print))[0]


def looked_at(count, there=0):
    """The result of a look at so many revoked items, of which the first ones are still there."""
    names = ["k%d" % number for number in range(count // OF_A_CERTIFICATION)]
    shown = dict(totalCertifications=len(names), completedCertifications=len(names))
    answers = [access_record.reading(1, **shown), access_record.listing(*map(access_record.certification, names))]
    for name in names:
        answers.append(access_record.summary(name, OF_A_CERTIFICATION, 0, 0, 0))
        answers.append(access_record.page(name, OF_A_CERTIFICATION, OF_A_CERTIFICATION, ENTITLEMENT=OF_A_CERTIFICATION))
    one = dict(campaign_id="c1", answers=[*answers, access_record.reading(**shown)])
    _campaign, lookups, items = access_record.record()

    def rows():
        for number in range(count):
            row = copy.deepcopy(items[0])
            row.update(item_id="i%d" % number, certification_id=names[number // OF_A_CERTIFICATION])
            row["document"]["access"] = number < there
            yield row

    return dict(campaigns=[one], lookups=lookups, revoked_items=Rows(rows, count), base_url="https://acme.example")


def registered(path, result):
    """What is registered of the modules' results. path: of the file with that of the look at the access."""
    signed = dict(module="sailpoint_revoked_access_info", asked={"campaign_ids": 1})
    access, _secrets = run_task(lambda _task: result, Task({"results_file": str(path)}, False, print), signed=signed)
    assert "revoked_items" not in access and access["counts"]["revoked_items"] == len(result["revoked_items"])
    shown = {name: result["campaigns"][0]["answers"][0]["body"][name] for name in NAMES}
    found = dict(campaigns=[shown], missing_ids=[], base_url="https://acme.example")
    return [dict(found, module="sailpoint_campaign_info", asked={"campaign_ids": 1}), access]


def write(dest, results, check_mode=False):
    """A run about the campaign, of which only the access is asked."""
    targets = dict(campaign_ids=["c1"], campaign_witnesses=["access"])
    return call(remediation_evidence, check_mode, dest=str(dest), targets=targets, results=results)


def only(result):
    (target,) = result["verification"]["targets"]
    return target


@pytest.fixture
def run(tmp_path):
    """The folder of a run in which everything is gone."""
    result = write(tmp_path / "evidence", registered(tmp_path / "access.json", looked_at(200)))
    assert (result.get("msg"), only(result)["outcome"]) == (None, "remediated")
    return Path(result["verification"]["directory"])


def checked_anew(run):
    """What a check says after somebody has tampered with care, without the checksums."""
    evidence.write_sums(str(run), [(evidence.sha256_of(run / name), name) for name in evidence.files_in(run)])
    evidence.write_overall_sums(str(run.parent), evidence.finished_runs(run.parent), None, [])
    (record,) = call(remediation_evidence_info, path=str(run.parent))["runs"]
    return record


@pytest.mark.parametrize("there, outcome", [(0, "remediated"), (150, "unremediated")])
def test_from_the_file_to_the_evidence_and_its_check(tmp_path, there, outcome):
    results = registered(tmp_path / "access.json", looked_at(200, there))
    assert only(write(tmp_path / "evidence", results, check_mode=True))["outcome"] == outcome
    result = write(tmp_path / "evidence", results)
    assert (result.get("msg"), only(result)["outcome"]) == (None, outcome)
    assert (GONE % (200, 200) in only(result)["reason"]) == (not there)
    run = Path(result["verification"]["directory"])
    checked = call(remediation_evidence_info, path=str(run.parent))
    assert checked["intact"] and checked["runs"][0]["outcomes_followed"] == 1
    (target,) = json.loads((run / "verification.json").read_text())["targets"]
    assert (target["access"]["items_total"], target["access"]["items_open"]) == (200, there)
    # However many there are, the rest is on record alone.
    assert len(target["access"]["open_items"]) == min(there, 100)
    assert len((run / "open-items.csv").read_text().splitlines()) == 1 + min(there, 101)


def test_each_item_has_a_line_of_its_own_in_the_evidence(run):
    text = (run / RECORD).read_text()
    assert text.startswith("{") and text.endswith("\n]}\n") and len(text.splitlines()) == 200 + 2
    assert len(json.loads(text)["revoked_items"]) == 200
    record = json.loads(text)
    assert (record["run"], record["results_file"]) == (run.name, RECORD)


def test_items_that_were_registered_without_a_file_get_lines_too(tmp_path):
    results = registered(tmp_path / "access.json", looked_at(50))
    whole = json.loads((tmp_path / "access.json").read_text())
    result = write(tmp_path / "evidence", [results[0], whole])
    assert (result.get("msg"), only(result)["outcome"]) == (None, "remediated")
    text = (Path(result["verification"]["directory"]) / RECORD).read_text()
    assert len(text.splitlines()) == 50 + 2 and json.loads(text)["revoked_items"] == whole["revoked_items"]


def test_a_path_of_the_working_folder_is_left_in_no_row(tmp_path):
    prepared = call(remediation_evidence, dest=str(tmp_path / "evidence"), targets={"campaign_ids": ["c1"]}, state="prepared")
    one = looked_at(50)
    where = prepared["folder"] + "/reports/x.csv"
    items = [dict(row, why=where) for row in one["revoked_items"]]
    for place, path in enumerate((Path(prepared["folder"]) / RECORD, Path(prepared["folder"]) / "records" / "others.json")):
        results = registered(path, dict(one, revoked_items=Rows(lambda: iter(items), 50)))
        if not place:
            mine = results
    result = call(
        remediation_evidence,
        dest=str(tmp_path / "evidence"),
        targets={"campaign_ids": ["c1"], "campaign_witnesses": ["access"]},
        results=mine,
        run=prepared["run"],
    )
    assert only(result)["outcome"] == "remediated"
    for name in (RECORD, "records/others.json"):
        rows = json.loads((Path(result["verification"]["directory"]) / name).read_text())["revoked_items"]
        assert [row["why"] for row in rows] == ["reports/x.csv"] * 50


def lines_of(change):
    """Changes the lines of a document."""

    def changed(text):
        lines = text.splitlines(keepends=True)
        return "".join(change(lines))

    return changed


CUTS = {
    "in a row": lambda text: text[: len(text) // 2],
    "after a row": lines_of(lambda lines: lines[:20]),
    "before its end": lines_of(lambda lines: lines[:-1]),
    "to nothing": lambda _text: "",
    "rows gone, and a comma left": lines_of(lambda lines: lines[:20] + lines[-1:]),
    "a row is no object": lines_of(lambda lines: lines[:2] + ["7,\n"] + lines[3:]),
    "something after its end": lambda text: text + '{"revoked_items": []}\n',
    "the end twice": lambda text: text + "]}\n",
    "two rows without a comma": lines_of(lambda lines: [*lines[:3], lines[3].replace("},\n", "}\n"), *lines[4:]]),
    "a key twice in a row": lines_of(
        lambda lines: [*lines[:3], lines[3].replace("{", '{"item_id":"i1","item_id":"i2",', 1), *lines[4:]]
    ),
    "the list twice": lambda text: text.replace("{", '{"revoked_items": [], ', 1),
}


@pytest.mark.parametrize("how", CUTS)
def test_a_file_that_is_not_whole_is_an_error_and_not_fewer_items(tmp_path, how):
    results = registered(tmp_path / "access.json", looked_at(200))
    (tmp_path / "access.json").write_text(CUTS[how]((tmp_path / "access.json").read_text()))
    target = only(write(tmp_path / "evidence", results))
    assert target["outcome"] == "inconclusive" and "access.json cannot be read (" in target["reason"]


@pytest.mark.parametrize("how", CUTS)
def test_a_record_that_is_not_whole_proves_nothing(run, how):
    (run / RECORD).write_text(CUTS[how]((run / RECORD).read_text()))
    record = checked_anew(run)
    assert record["outcomes_followed"] == 0
    assert any(problem.startswith(RECORD + " cannot be read (") for problem in record["problems"])


def edited_row(**more):
    """Changes the third row."""
    return lines_of(lambda lines: [*lines[:3], json.dumps(dict(json.loads(lines[3].rstrip(",\n")), **more)) + ",\n", *lines[4:]])


@pytest.mark.parametrize(
    "change",
    [
        lines_of(lambda lines: lines[:3] + lines[4:]),
        lines_of(lambda lines: lines[:4] + lines[3:]),
        lines_of(lambda lines: [*lines[:4], lines[3], *lines[5:]]),
        edited_row(item_id="i5"),
        edited_row(campaign_id="c2"),
        edited_row(certification_id="k1"),
        edited_row(access=dict(type="ROLE", id="a", name="A")),
        edited_row(document=None, account_read=None),
        lambda text: text.replace('"run": "', '"run": "2'),
        lambda text: text.replace('"revoked_items": [\n', '"items": [\n'),
    ],
    ids=[
        "a row less",
        "a row more",
        "a row twice",
        "an id",
        "a campaign",
        "a certification",
        "a type",
        "no document",
        "foreign",
        "name",
    ],
)
def test_rows_that_were_changed_are_told(run, change):
    text = (run / RECORD).read_text()
    assert change(text) != text
    (run / RECORD).write_text(change(text))
    record = checked_anew(run)
    assert record["outcomes_followed"] == 0 and record["problems"]


def test_a_record_that_somebody_else_has_formatted_is_the_same(run):
    content = json.loads((run / RECORD).read_text())
    for text in (json.dumps(content), json.dumps(content, indent=1)):
        (run / RECORD).write_text(text)
        record = checked_anew(run)
        problems = record["problems"]
        assert record["outcomes_followed"] == 1 and len(problems) == 2, problems
        assert "intoto" in problems[0] and "is another file than the one that was judged" in problems[1], problems


def test_two_results_with_the_same_rows_are_one_and_with_others_none(tmp_path):
    results = registered(tmp_path / "access.json", looked_at(200))
    (again,) = registered(tmp_path / "again.json", looked_at(200))[1:]
    (other,) = registered(tmp_path / "other.json", looked_at(200, there=1))[1:]
    assert only(write(tmp_path / "one", [*results, again]))["outcome"] == "remediated"
    found = write(tmp_path / "two", [*results, other])
    assert found["verification"]["verdict"] == "not_verified"
    assert "1 look-up had a problem" in found["verification"]["summary"]


def peak_of(tmp_path, count):
    """The most memory, in bytes, that writing and checking the evidence of so many items takes."""
    results = registered(tmp_path / ("access-%d.json" % count), looked_at(count))
    folder = tmp_path / ("evidence-%d" % count)
    tracemalloc.start()
    try:
        assert only(write(folder, results))["outcome"] == "remediated"
        _now, written = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        assert call(remediation_evidence_info, path=str(folder))["intact"]
        _now, checked = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return written, checked


def test_no_item_is_held(tmp_path):
    """As a Python object one takes some 5,000 bytes. What has to be known of each is that it was not there before."""
    # Both files are longer than what is read of a file at once.
    few, many = peak_of(tmp_path, 1000), peak_of(tmp_path, 4000)
    for less, more in zip(few, many, strict=True):
        assert (more - less) / 3000 < 500
