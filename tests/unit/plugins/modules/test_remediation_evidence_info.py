# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import shutil

import pytest
from answers_on_record import exposure
from two_systems import NAMED, call

from ansible_collections.secops.remediation.plugins.modules import remediation_evidence
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence_info as module


@pytest.fixture
def evidence(tmp_path):
    """A directory with two runs. The names of the runs sort by time."""
    for _run in range(2):
        answer = exposure(NAMED, "remediated")
        params = dict(
            dest=str(tmp_path / "evidence"), exposures=[NAMED], rcs_requests=dict(rcs_requests=[answer]), formats=["csv"]
        )
        assert not call(remediation_evidence, params).get("failed")
    return tmp_path / "evidence"


def check(path, check_mode=False, **options):
    return call(module, dict(path=str(path), **options), check_mode)


@pytest.mark.parametrize("check_mode", [False, True])
def test_what_nobody_touched(evidence, check_mode):
    result = check(evidence, check_mode)
    assert (result["changed"], result["intact"], result["problems"]) == (False, True, [])
    assert result["summary"] == result["msg"] == "2 of 2 runs are intact."
    assert [run["intact"] for run in result["runs"]] == [True, True]
    assert [(run["outcomes_total"], run["outcomes_followed"]) for run in result["runs"]] == [(1, 1), (1, 1)]


def test_one_that_was_touched_does_not_hide_the_other(evidence):
    first, second = (run["run"] for run in check(evidence)["runs"])
    (evidence / second / "verification.csv").write_text("all is well")
    result = check(evidence)
    assert not result["intact"] and not result.get("failed")
    assert [run["intact"] for run in result["runs"]] == [True, False]
    assert result["problems"] == ["%s: verification.csv was changed" % second]
    assert result["summary"].startswith("1 of 2 runs ") and result["problems"][0] in result["summary"]


def test_nothing_is_written(evidence):
    def state():
        return {path: path.lstat().st_mtime_ns for path in evidence.rglob("*")}

    before = state()
    check(evidence)
    assert state() == before


def test_a_folder_of_one_run(evidence, tmp_path):
    run = check(evidence)["runs"][0]["run"]
    shutil.copytree(evidence / run, tmp_path / "sent")
    result = check(tmp_path / "sent")
    assert result["intact"] and len(result["runs"]) == 1 and "this is the folder of one run" in json.dumps(result["notes"])


def test_a_sum_that_was_kept_elsewhere(evidence):
    known = check(evidence)["runs"][0]["sha256"]
    assert check(evidence, expect_sha256=["sha256:%s" % known.upper()])["intact"]
    result = check(evidence, expect_sha256=["%s\n%s" % (known, "0" * 64)])
    assert not result["intact"] and "0" * 64 in result["summary"]


@pytest.mark.parametrize("text", ["", "abc", "0" * 63])
def test_a_sum_that_is_none(evidence, text):
    result = check(evidence, expect_sha256=[text])
    assert result["failed"] and "is no SHA-256" in result["msg"]


def test_signatures_that_are_wanted(evidence):
    result = check(evidence, signed=True)
    assert not result["intact"] and [run["intact"] for run in result["runs"]] == [False, False]


@pytest.mark.parametrize("options", [dict(), dict(signers_file="/nowhere/signers")])
def test_what_is_not_there(tmp_path, options):
    result = check(tmp_path if options else tmp_path / "nothing", **options)
    assert result["failed"] and result["msg"].startswith("Cannot ")
