# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import stat

import pytest
from answers_on_record import exposure
from two_systems import LOOKED_UP, NAMED, call, exposure_id

from ansible_collections.secops.remediation.plugins.modules import remediation_evidence as module


def write(dest, *outcomes, check_mode=False, **options):
    """Writes a run with a target for each outcome."""
    exposures = [NAMED, LOOKED_UP][: len(outcomes)]
    answers = [exposure(ids, outcome) for ids, outcome in zip(exposures, outcomes)]
    params = dict(dict(exposures=exposures, rcs_requests=dict(rcs_requests=answers)), **options)
    return call(module, dict(params, dest=str(dest)), check_mode)


def runs_in(dest):
    return sorted(path.name for path in dest.glob("*Z*")) if dest.exists() else []


class TestPrepared:
    def prepare(self, dest, check_mode=False, **options):
        return call(module, dict(dict(state="prepared", dest=str(dest), exposures=[NAMED]), **options), check_mode)

    def test_a_run_is_begun(self, tmp_path):
        result = self.prepare(tmp_path / "evidence")
        assert not result["changed"] and len(result["run_id"]) == 32
        assert runs_in(tmp_path / "evidence") == [result["run"] + ".unfinished"]

    def test_check_mode_makes_nothing(self, tmp_path):
        result = self.prepare(tmp_path / "evidence", check_mode=True)
        assert (result["run"], result["folder"]) == (None, None) and not (tmp_path / "evidence").exists()

    def test_there_has_to_be_something_to_verify(self, tmp_path):
        result = self.prepare(tmp_path / "evidence", exposures=[])
        assert result["failed"] and result["msg"].startswith("There is nothing to verify.") and runs_in(tmp_path) == []

    @pytest.mark.parametrize("options, words", [(dict(controls=["ac-2", " "]), "controls"), (dict(mode="416"), "mode")])
    def test_options_that_make_no_sense(self, tmp_path, options, words):
        result = self.prepare(tmp_path / "evidence", **options)
        assert result["failed"] and result["msg"].startswith(words) and not (tmp_path / "evidence").exists()


class TestWritten:
    def test_one_that_is_open_beside_one_that_is_not(self, tmp_path):
        result = write(tmp_path, "remediated", "unremediated", formats=["csv"])
        short = result["verification"]
        assert result["changed"] and short["verdict"] == "not_verified"
        assert short["counts"] == dict(remediated=1, unremediated=1, inconclusive=0, pending=0, total=2)
        found = json.loads((tmp_path / "latest" / "verification.json").read_text())
        assert {target["id"]: target["outcome"] for target in found["targets"]} == {
            exposure_id(NAMED): "remediated",
            exposure_id(LOOKED_UP): "unremediated",
        }
        assert stat.S_IMODE((tmp_path / "latest" / "verification.json").stat().st_mode) == 0o600

    def test_check_mode_says_the_same_and_writes_nothing(self, tmp_path):
        result = write(tmp_path / "evidence", "remediated", "unremediated", check_mode=True)
        assert result["verification"]["verdict"] == "not_verified" and result["changed"]
        assert not (tmp_path / "evidence").exists()

    def test_the_same_again_is_no_change(self, tmp_path):
        first, second, third = (write(tmp_path, outcome) for outcome in ("unremediated", "unremediated", "remediated"))
        assert [result["changed"] for result in (first, second, third)] == [True, False, True]
        assert len(runs_in(tmp_path)) == 3

    def test_a_target_of_which_nothing_was_heard_is_there(self, tmp_path):
        result = write(tmp_path, "remediated", exposures=[NAMED, LOOKED_UP])
        assert result["verification"]["verdict"] == "not_verified"
        assert result["verification"]["counts"]["inconclusive"] == 1

    @pytest.mark.parametrize("registered", ["odd", 7, [], dict(failed=True, msg="no"), dict(rcs_requests="odd")])
    def test_a_result_that_is_none_costs_the_answer_and_not_the_evidence(self, tmp_path, registered):
        result = write(tmp_path, "remediated", rcs_requests=registered)
        assert result["verification"]["verdict"] == "not_verified" and len(runs_in(tmp_path)) == 1

    def test_a_form_that_cannot_be_made_does_not_stop_the_others(self, tmp_path, monkeypatch):
        monkeypatch.setattr(module.writer, "junit_xml", lambda *_arguments: {}["x"])
        result = write(tmp_path, "remediated", formats=["csv", "junit", "markdown"])
        assert result["failed"] and "verification.junit.xml could not be written" in result["msg"]
        assert result["verification"]["verdict"] == "verified"
        names = {path.name for path in (tmp_path / "latest").iterdir()}
        assert {"verification.csv", "verification.md", "SHA256SUMS"} <= names and "verification.junit.xml" not in names

    def test_only_so_many_runs_are_kept(self, tmp_path):
        runs = [write(tmp_path, "remediated", keep_runs=2)["verification"]["run"] for _run in range(3)]
        assert runs_in(tmp_path) == sorted(runs[1:])

    @pytest.mark.parametrize("options, words", [(dict(keep_runs=-1), "keep_runs is -1"), (dict(run="../x"), "run: ")])
    def test_options_that_make_no_sense(self, tmp_path, options, words):
        result = write(tmp_path / "evidence", "remediated", **options)
        assert result["failed"] and result["msg"].startswith(words) and not (tmp_path / "evidence").exists()
