# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accepted risks in all forms of the evidence, in the gate, and when the evidence is read again."""

from __future__ import annotations

import copy
import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import verification_samples as samples
from answers_on_record import exposure
from two_systems import LOOKED_UP, NAMED, call, exposure_id

from ansible_collections.secops.remediation.plugins.filter import verify as filters
from ansible_collections.secops.remediation.plugins.module_utils._evidence import directory as evidence
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_csv import csv_text, open_items_csv
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_junit import junit_xml
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_markdown import markdown
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_oscal import oscal
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_page import page
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence, remediation_evidence_info

BY, END = "ciso@example.com", "2027-01-01T23:59:59Z"
ALL = ["unremediated", "inconclusive", "pending"]


@pytest.fixture
def accepted():
    """A content with two open targets, both accepted, beside one that is remediated."""
    return copy.deepcopy(samples.verify(samples.with_acceptances("2027-01-01")))


@pytest.fixture
def expired():
    """The same, when the acceptances have expired."""
    return copy.deepcopy(samples.verify(samples.with_acceptances(samples.BEFORE)))


def cases(content):
    """(what became of each case by its kind or suite, the counts of the file)."""
    root = ElementTree.fromstring(junit_xml(content).encode())
    found = [next((child.tag for child in case if child.tag != "system-out"), "passed") for case in root.iter("testcase")]
    return found, (root.get("tests"), root.get("failures"), root.get("errors"))


class TestForms:
    def test_junit_skips_it_with_the_words(self, accepted):
        assert cases(accepted) == (["skipped", "skipped", "passed"], ("3", "0", "0"))
        root = ElementTree.fromstring(junit_xml(accepted).encode())
        messages = [case.find("skipped").get("message") for case in root.iter("testcase") if case.find("skipped") is not None]
        assert all(text.startswith("unremediated, accepted by %s until %s: " % (BY, END)) for text in messages)
        assert sum(int(suite.get("skipped")) for suite in root.iter("testsuite")) == 2
        assert "owner: iam@example.com" in junit_xml(accepted)

    def test_junit_fails_once_it_has_expired(self, expired):
        assert cases(expired) == (["failure", "failure", "passed"], ("3", "2", "0"))

    def test_junit_fails_where_something_else_is_wrong(self, accepted):
        problem = dict(kind="acceptance", asked="exposure x", found=0, problem="no such target was verified in this run")
        assert cases(dict(accepted, lookups=[problem]))[0] == ["skipped", "skipped", "passed", "error"]
        # What a file claims, and its targets do not say.
        del accepted["targets"][0]["accepted"]
        assert cases(accepted)[0] == ["failure", "skipped", "passed"]

    @pytest.mark.parametrize("outcome", ["pending", "inconclusive", "remediated", "fine", None])
    def test_nothing_else_can_be_accepted_whatever_a_file_says(self, accepted, outcome):
        accepted["targets"][0]["outcome"] = outcome
        tag = {"pending": "skipped", "remediated": "passed"}.get(outcome, "error")
        assert cases(accepted)[0][0] == tag
        assert "accepted by" not in markdown(accepted).split("Accepted risks", maxsplit=1)[0]
        (row, *_more) = csv.DictReader(io.StringIO(csv_text(accepted).lstrip("\ufeff")))
        assert row["accepted_by"] == ""
        # Not green while something is not remediated that nobody accepted.
        if outcome != "remediated":
            assert "error" in cases(accepted)[0]

    @pytest.mark.parametrize("junk", [True, "yes", 1, [], {}, [{"by": "x"}]])
    def test_junk_is_no_acceptance(self, accepted, junk):
        accepted["targets"][0]["accepted"] = junk
        assert cases(accepted)[0][0] == "failure"
        assert page(accepted) and markdown(accepted) and oscal(accepted, []) and csv_text(accepted)

    def test_csv(self, accepted):
        rows = list(csv.DictReader(io.StringIO(csv_text(accepted).lstrip("\ufeff"))))
        assert [(row["outcome"], row["accepted_by"], row["accepted_until"], row["owner"]) for row in rows] == [
            ("unremediated", BY, END, "iam@example.com"),
            ("unremediated", BY, END, "iam@example.com"),
            ("remediated", "", "", "iam@example.com"),
        ]
        # No formula of an owner's.
        assert rows[0]["accepted_reason"].startswith("'=HYPERLINK")
        assert {row["accepted_by"] for row in csv.DictReader(io.StringIO(open_items_csv(accepted).lstrip("\ufeff")))} == {BY}

    def test_markdown(self, accepted, expired):
        text = markdown(accepted)
        assert "remediation verification: not verified" in text.lower() and "### Still open: 2" in text
        assert text.count("**Accepted** by `%s` until `%s`: " % (BY, END)) == 2
        assert "Owned by `iam@example.com`." in text and "### Accepted risks: 3" in text and "not needed" in text
        assert "<b>" not in text.replace("`` ", "").split("`", maxsplit=1)[0]
        text = markdown(expired)
        assert "**Accepted**" not in text and "and that has expired" in text.replace("`", "")

    def test_page(self, accepted, expired):
        text = page(accepted)
        assert "Accepted by %s until 2027-01-01 23:59:59 UTC: " % BY in text and "Accepted risks" in text and "not needed" in text
        assert "<b>until</b>" not in text and "&lt;b&gt;until&lt;/b&gt;" in text
        assert ">Not verified<" in text
        assert "and that has expired" in page(expired)
        assert "Accepted risks" not in page(samples.verify(samples.results_of([("exposure", "unremediated")])))

    def test_oscal(self, accepted, expired):
        result = oscal(accepted, [])["assessment-results"]["results"][0]
        assert {(risk["status"], risk["deadline"]) for risk in result["risks"]} == {("deviation-approved", END)}
        props = {one["name"]: one["value"] for one in result["risks"][0]["props"]}
        assert (props["accepted-by"], props["accepted-until"], props["owner"]) == (BY, END, "iam@example.com")
        # No control is met because somebody accepted that it is not.
        assert {one["target"]["status"]["state"] for one in result["findings"]} == {"not-satisfied"}
        result = oscal(expired, [])["assessment-results"]["results"][0]
        assert {(risk["status"], risk.get("deadline")) for risk in result["risks"]} == {("open", None)}


def accepting(until="2999-12-31", **more):
    """What a targets file says: that the second exposure is accepted."""
    acceptance = dict(dict(kind="exposure", id=exposure_id(LOOKED_UP), by=BY, until=until, reason="CHG-4711"), **more)
    return dict(path="targets.yml", sha256="a" * 64, tenant="localhost", owner="jo", owners=[], accepted=[acceptance])


def write(dest, said, outcome="unremediated", check_mode=False):
    """A run with an exposure that is remediated and another one."""
    exposures = [NAMED, LOOKED_UP]
    answers = [exposure(ids, one) for ids, one in zip(exposures, ("remediated", outcome), strict=True)]
    params = dict(targets=dict(exposures=exposures), rcs_requests=dict(rcs_requests=answers), formats=["csv"], targets_file=said)
    return call(remediation_evidence, dict(params, dest=str(dest)), check_mode)


def gate(result, fail_on=None):
    fail_on = ALL if fail_on is None else fail_on
    return filters.gate_problems(result, fail_on)


class TestGate:
    def test_what_is_accepted_does_not_fail_it(self, tmp_path):
        result = write(tmp_path, accepting())
        short = result["verification"]
        assert gate(result) == [] and gate(result, ["unremediated"]) == []
        assert short["verdict"] == "not_verified" and short["counts"]["unremediated"] == 1
        assert short["acceptance"] == dict(accepted=1, all_open_accepted=True, problems=[])
        (line,) = [line for line in filters.verify_lines(short) if line.startswith("unremediated")]
        assert line.startswith("unremediated, accepted by %s until 2999-12-31T23:59:59Z (CHG-4711): exposure " % BY)
        assert "1 still open (1 accepted, until 2999-12-31T23:59:59Z)" in short["summary"]

    def test_without_it_the_same_fails(self, tmp_path):
        result = write(tmp_path, None)
        assert gate(result) and result["verification"]["acceptance"] == dict(accepted=0, all_open_accepted=False, problems=[])

    @pytest.mark.parametrize(
        "said, words",
        [
            (accepting("2020-01-01"), "%s accepted it until 2020-01-01T23:59:59Z (CHG-4711), and that has expired" % BY),
            (accepting(id="98:x:y"), "no such target was verified in this run"),
            (accepting(reason=""), "no usable reason"),
            (accepting(until="soon"), "no usable until"),
        ],
    )
    def test_what_is_wrong_with_one_fails_whatever_is_asked_for(self, tmp_path, said, words):
        result = write(tmp_path, said)
        for fail_on in (ALL, ["pending"], []):
            assert words in " ".join(gate(result, fail_on))
        assert words in " ".join(filters.verify_lines(result["verification"]))
        found = json.loads((tmp_path / "latest" / "verification.json").read_text())
        assert any(words in (lookup["problem"] or "") for lookup in found["lookups"])

    @pytest.mark.parametrize("outcome", ["pending", "inconclusive"])
    def test_it_does_not_cover_what_nobody_knows(self, tmp_path, outcome):
        result = write(tmp_path, accepting(), outcome)
        assert result["verification"]["counts"][outcome] == 1 and gate(result)

    def test_one_that_is_not_needed_is_no_reason(self, tmp_path):
        for until in ("2999-01-01", "2020-01-01"):
            result = write(tmp_path, accepting(until), "remediated")
            assert result["verification"]["verdict"] == "verified" and gate(result) == []

    def test_a_second_finding_still_fails_it(self, tmp_path):
        exposures = [NAMED, LOOKED_UP]
        answers = [exposure(ids, "unremediated") for ids in exposures]
        params = dict(targets=dict(exposures=exposures), rcs_requests=dict(rcs_requests=answers), targets_file=accepting())
        result = call(remediation_evidence, dict(params, dest=str(tmp_path)))
        assert gate(result) and gate(result, ["unremediated"]) and not result["verification"]["acceptance"]["all_open_accepted"]

    def test_check_mode_says_the_same(self, tmp_path):
        result = write(tmp_path / "evidence", accepting(), check_mode=True)
        assert result["verification"]["acceptance"]["accepted"] == 1 and not (tmp_path / "evidence").exists()

    @pytest.mark.parametrize("forged", [None, {}, dict(all_open_accepted="yes"), dict(accepted=0, all_open_accepted=False)])
    def test_what_is_not_said_is_not_accepted(self, tmp_path, forged):
        result = write(tmp_path, accepting())
        result["verification"]["acceptance"] = forged
        assert gate(result)


def check(path):
    return call(remediation_evidence_info, dict(path=str(path)))


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def write_sums_anew(run):
    """What somebody does who tampers with care, and has no key."""
    evidence.write_sums(str(run), [(evidence.sha256_of(run / name), name) for name in evidence.files_in(run)])
    for path in run.parent.glob("SHA256SUMS*"):
        path.unlink()
    evidence.write_overall_sums(str(run.parent), evidence.finished_runs(run.parent), None, [])


def forge_acceptance(content, until="2999-01-01T00:00:00Z"):
    """Says of an expired acceptance that it holds, wherever verification.json says something of it."""
    (record,) = content["acceptance"]["accepted"]
    record.update(state="accepted", detail="%s accepted it until %s (CHG-4711)." % (BY, until), until=until)
    content["acceptance"]["all_open_accepted"] = True
    content["lookups"] = []
    for target in content["targets"]:
        if target["outcome"] == "unremediated":
            target["accepted"] = dict(by=BY, until=until, reason="CHG-4711")


def accept_the_first_of_two(content):
    """Says of a target twice what becomes of it, first with an acceptance that nobody gave."""
    (first,) = [target for target in content["targets"] if target["outcome"] == "unremediated"][:1]
    content["targets"].insert(0, dict(first, accepted=dict(by=BY, until=END, reason="x")))


class TestReplay:
    def test_it_follows(self, tmp_path):
        for said in (accepting(), accepting("2020-01-01"), accepting(id="x"), accepting(by=None)):
            result = write(tmp_path, said)
            assert "failed" not in result, result
        checked = check(tmp_path)
        assert checked["intact"], checked["problems"]
        asked = json.loads((tmp_path / "latest" / "records" / "asked.json").read_text())
        assert asked["targets_file"] == accepting(by=None)

    @pytest.mark.parametrize(
        "file, change",
        [
            ("verification.json", forge_acceptance),
            ("verification.json", lambda content: content["acceptance"].update(all_open_accepted=True)),
            ("verification.json", lambda content: content["targets"][1].update(accepted=dict(by=BY, until=END, reason="x"))),
            ("verification.json", accept_the_first_of_two),
            ("verification.json", lambda content: content.pop("acceptance")),
            ("verification.json", lambda content: content["targets_file"].update(sha256="b" * 64)),
            ("verification.json", lambda content: content.pop("targets_file")),
            ("records/asked.json", lambda content: content.pop("targets_file")),
            ("records/asked.json", lambda content: content.update(targets_file="x")),
            ("records/asked.json", lambda content: content["targets_file"]["accepted"][0].update(until="2999-12-31")),
            ("records/asked.json", lambda content: content["targets_file"]["accepted"].clear()),
            ("records/asked.json", lambda content: content["targets_file"].update(sha256="b" * 64)),
        ],
    )
    def test_what_was_changed_later_is_told(self, tmp_path, file, change):
        run = Path(write(tmp_path, accepting("2020-01-01"))["verification"]["directory"])
        edit(run / file, change)
        write_sums_anew(run)
        checked = check(tmp_path)
        assert not checked["intact"]
        assert any(word in " ".join(checked["problems"]) for word in ("accepted", "acceptances", "targets file")), checked[
            "problems"
        ]

    def test_an_earlier_end_does_not_bring_an_acceptance_back(self, tmp_path):
        """The servers' clocks are on record as well."""
        run = Path(write(tmp_path, accepting("2026-03-01"))["verification"]["directory"])

        def change(content):
            content["finished_at"] = content["acceptance"]["judged_at"] = "2026-02-28T00:00:00Z"
            forge_acceptance(content, "2026-03-01T23:59:59Z")

        edit(run / "verification.json", change)
        write_sums_anew(run)
        assert "does not follow from the acceptances on record" in " ".join(check(tmp_path)["problems"])

    def test_a_run_without_a_targets_file_follows_as_before(self, tmp_path):
        run = Path(write(tmp_path, None)["verification"]["directory"])
        assert check(tmp_path)["intact"]
        assert "targets_file" not in json.loads((run / "records" / "asked.json").read_text())
        edit(run / "verification.json", lambda content: content["targets"][1].update(accepted=dict(by=BY, until=END, reason="x")))
        write_sums_anew(run)
        assert not check(tmp_path)["intact"]
