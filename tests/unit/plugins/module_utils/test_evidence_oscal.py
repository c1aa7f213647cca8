# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the document says. Whether it is valid OSCAL is tested in tests/oscal, in an environment with trestle."""

from __future__ import annotations

import copy
import json
import re
import time
import uuid

import pytest
import verification_samples as samples
from markdown_it import MarkdownIt

from ansible_collections.secops.remediation.plugins.module_utils._evidence import form_oscal as evidence_oscal
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_oscal import control_id, href_of, markup, oscal

SAMPLES = samples.all_samples()
EVERY = SAMPLES["every outcome"]
FILES = [dict(path="verification.json", sha256=samples.SHA256), dict(path="records/a b#c.json", sha256=samples.SHA256)]


def document_of(name, files=tuple(FILES)):
    return oscal(SAMPLES[name], files)["assessment-results"]


def result_of(name, files=tuple(FILES)):
    (result,) = document_of(name, files)["results"]
    return result


def strings_of(value):
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from strings_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings_of(part)
    else:
        yield value


def props_of(item):
    return {prop["name"]: prop["value"] for prop in item.get("props", ())}


def status_of(result):
    """(state, reason) of each control."""
    return {
        props_of(finding)["control-id"]: (finding["target"]["status"]["state"], finding["target"]["status"]["reason"])
        for finding in result.get("findings", ())
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_same_verification_gives_the_same_document(name):
    content = copy.deepcopy(SAMPLES[name])

    document = oscal(content, FILES)

    assert document == oscal(json.loads(json.dumps(content)), copy.deepcopy(FILES))
    assert content == SAMPLES[name]
    assert json.dumps(document, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize("name", SAMPLES)
def test_no_empty_lists_texts_or_nulls(name):
    def check(value):
        if isinstance(value, dict):
            for part in value.values():
                check(part)
        elif isinstance(value, list):
            assert value
            for part in value:
                check(part)
        else:
            assert isinstance(value, str) and value == value.strip() != ""

    document = document_of(name)
    selection = document["results"][0]["reviewed-controls"]["control-selections"][0]
    if name == "no controls":
        assert selection.pop("include-all") == {}
    check(document)


def test_document_changes_with_whatever_is_in_the_verification():
    other = copy.deepcopy(EVERY)
    other["targets"][0]["reason"] += "!"

    first, second = document_of("every outcome"), oscal(other, FILES)["assessment-results"]

    assert first["uuid"] != second["uuid"] != document_of("every outcome", [])["uuid"]
    own = [document["results"][0]["observations"][0]["uuid"] for document in (first, second)]
    assert own[0] != own[1]
    assert all(uuid.UUID(one).version == 5 for one in own)


def test_what_stays_from_run_to_run_keeps_its_uuid():
    later = copy.deepcopy(EVERY)
    later.update(run="20260309T081500Z", finished_at="2026-03-09T08:15:30Z")
    first, second = result_of("every outcome"), oscal(later, FILES)["assessment-results"]["results"][0]

    for name in ("components", "inventory-items"):
        assert [item["uuid"] for item in first["local-definitions"][name]] == [
            item["uuid"] for item in second["local-definitions"][name]
        ]
    assert [risk["uuid"] for risk in first["risks"]] == [risk["uuid"] for risk in second["risks"]]
    assert first["uuid"] != second["uuid"]

    later["targets"][1]["open_since"] = "2026-03-08T00:00:00Z"
    third = oscal(later, FILES)["assessment-results"]["results"][0]
    assert third["risks"][0]["uuid"] != second["risks"][0]["uuid"]


def test_metadata_and_the_missing_plan():
    document = document_of("every outcome")

    assert document["metadata"]["title"] == "Remediation verification %s: not verified" % samples.RUN
    assert document["metadata"]["last-modified"] == samples.FINISHED
    assert document["metadata"]["oscal-version"] == "1.2.1"
    plan = next(item for item in document["back-matter"]["resources"] if "#" + item["uuid"] == document["import-ap"]["href"])
    assert plan["rlinks"][0]["href"].endswith("docs/verification.md")
    assert (document["results"][0]["start"], document["results"][0]["end"]) == (samples.STARTED, samples.FINISHED)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("verified", dict.fromkeys(samples.CONTROLS, ("satisfied", "pass"))),
        ("unremediated", dict.fromkeys(samples.CONTROLS, ("not-satisfied", "fail"))),
        ("inconclusive", dict.fromkeys(samples.CONTROLS, ("not-satisfied", "other"))),
        ("incomplete", dict.fromkeys(samples.CONTROLS, ("not-satisfied", "other"))),
        ("every outcome", dict.fromkeys(samples.CONTROLS, ("not-satisfied", "fail"))),
        # What was not looked at is neither satisfied nor not.
        ("exposures only", dict.fromkeys(("ca-7", "ra-5", "si-2"), ("satisfied", "pass"))),
        ("campaigns only", dict.fromkeys(("ac-2", "ac-6.7", "ca-7"), ("not-satisfied", "fail"))),
        ("nothing", {}),
        ("no controls", {}),
    ],
)
def test_findings(name, expected):
    result = result_of(name)

    assert status_of(result) == expected
    if name.endswith("only"):
        assert [item["control-id"] for item in result["reviewed-controls"]["control-selections"][0]["include-controls"]] == list(
            expected
        )
        assert "no finding on them" in result["remarks"]


def test_a_control_is_about_the_targets_that_say_something_of_it():
    results = samples.results_of([("campaign", "remediated"), ("exposure", "unremediated")])
    content = dict(samples.verify(results), controls=["AC-2", "ac-17", "ps-4", "ra-5", "cm-3", "A.5.18", "ac-2"])

    (result,) = oscal(content, [])["assessment-results"]["results"]

    passed, failed = ("satisfied", "pass"), ("not-satisfied", "fail")
    assert status_of(result) == {
        "ac-2": passed,
        "ac-17": failed,
        "ps-4": passed,
        "ra-5": failed,
        "cm-3": failed,
        "a.5.18": failed,
    }


def test_finding_claims_no_more_than_was_verified():
    document = document_of("every outcome")
    (finding,) = [finding for finding in document["results"][0]["findings"] if props_of(finding)["control-id"] == "ac-6.7"]
    (objective,) = [one for one in document["local-definitions"]["objectives-and-methods"] if one["control-id"] == "ac-6.7"]

    assert finding["target"]["type"] == "objective-id"
    assert finding["target"]["target-id"] == objective["parts"][0]["id"] == "ac-6.7_obj.remediation-verified"
    assert "not assessed here" in objective["description"]
    assert len(finding["related-observations"]) == 4
    assert len(finding["related-risks"]) == 1


def test_observations():
    result = result_of("every outcome")
    observations = result["observations"]

    assert len(observations) == len(EVERY["targets"])
    assert [props_of(observation)["outcome"] for observation in observations] == [
        target["outcome"] for target in EVERY["targets"]
    ]
    assert [observation["methods"] for observation in observations] == [
        ["TEST", "EXAMINE"],
        ["TEST", "EXAMINE"],
        ["EXAMINE"],
        ["TEST", "EXAMINE"],
        ["TEST"],
        ["TEST"],
        ["TEST"],
        ["TEST"],
    ]
    open_one = observations[1]
    assert open_one["description"] == "Unremediated: 1 of 3 items still open"
    assert open_one["collected"] == "2026-03-02T08:16:02Z"
    assert props_of(open_one) == {
        "outcome": "unremediated",
        "open-since": samples.BEFORE,
        "not-verified-since": samples.BEFORE,
        "items-total": "3",
        "items-remediated": "2",
        "items-open": "1",
        "items-unknown": "0",
    }
    assert "run-remediation-scan: HTTP 202, trackingId 0b3c" in open_one["remarks"]
    # A campaign that is pending has no time of its own but that of the last request.
    assert observations[2]["collected"] == "2026-03-02T08:15:02Z"
    names = {item["uuid"]: item for items in ("components", "inventory-items") for item in result["local-definitions"][items]}
    assert names[open_one["subjects"][0]["subject-uuid"]]["title"] == "Quarterly review"
    exposure = names[observations[5]["subjects"][0]["subject-uuid"]]
    assert props_of(exposure)["ipv4-address"] == "192.0.2.10"
    assert props_of(exposure)["fqdn"] == "rdp.acme.example"


def test_people_are_not_named():
    assert "Jo Novak" in json.dumps(EVERY)
    assert "Jo Novak" not in json.dumps(document_of("every outcome"))


def test_evidence_is_linked_with_its_sum():
    document = document_of("every outcome")
    resources = {item["uuid"]: item for item in document["back-matter"]["resources"]}
    evidence = document["results"][0]["observations"][0]["relevant-evidence"][0]

    assert evidence["href"] == EVERY["targets"][0]["evidence"][0]["path"]
    assert resources[evidence["links"][0]["href"][1:]]["rlinks"] == [
        {"href": evidence["href"], "hashes": [{"algorithm": "SHA-256", "value": samples.SHA256}], "media-type": "text/csv"}
    ]
    assert [link["text"] for link in document["results"][0]["links"]] == [file["path"] for file in FILES]
    assert resources[document["results"][0]["links"][1]["href"][1:]]["rlinks"][0]["href"] == "records/a%20b%23c.json"


def test_a_file_that_is_named_twice_is_one_resource():
    files = [copy.deepcopy(EVERY["targets"][0]["evidence"][0])] * 2 + FILES
    titles = [item["title"] for item in document_of("every outcome", files)["back-matter"]["resources"]]

    assert len(titles) == len(set(titles))


def test_only_what_is_open_is_a_risk():
    risks = result_of("every outcome")["risks"]

    assert [risk["title"] for risk in risks] == [
        "Revoked access is still there: Quarterly review",
        "Exposure is still there: RDP Server at 192.0.2.10:3389",
    ]
    assert {risk["status"] for risk in risks} == {"open"}
    assert "risks" not in result_of("incomplete")


def test_only_what_is_always_there_is_needed():
    content = copy.deepcopy(EVERY)
    for target in content["targets"]:
        for key in set(target) - {"kind", "id", "outcome", "reason"}:
            target[key] = None
    assert oscal(content, None)
    for target in content["targets"]:
        for key in set(target) - {"kind", "id", "outcome", "reason"}:
            del target[key]
    (result,) = oscal(content, [])["assessment-results"]["results"]
    assert {observation["collected"] for observation in result["observations"]} == {samples.FINISHED}
    assert {tuple(observation["methods"]) for observation in result["observations"]} >= {("UNKNOWN",)}


def test_targets_that_look_the_same_are_two():
    content = samples.verify(samples.results_of([("campaign", "remediated")] * 2))
    content["targets"][1]["id"] = content["targets"][0]["id"]

    components = oscal(content, [])["assessment-results"]["results"][0]["local-definitions"]["components"]

    assert components[0]["uuid"] != components[1]["uuid"]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("AC-2", "ac-2"),
        ("ac-6.7", "ac-6.7"),
        ("AC-6(7)", "ac-6.7"),
        ("AC-06(07)", "ac-6.7"),
        (" si - 2 ", "si-2"),
        ("A.5.18", "a.5.18"),
        ("5.18", "control-5.18"),
        ("PR.AA-05", "pr.aa-05"),
        ("\u00e4", "control-unnamed"),
        ("", "control-unnamed"),
        ("a b/c", "ab-c"),
    ],
)
def test_ids_of_controls(name, expected):
    assert control_id(name) == expected


@pytest.mark.parametrize(
    "path, href",
    [
        ("reports/a.csv", "reports/a.csv"),
        ("a b", "a%20b"),
        ("javascript:x", "javascript%3Ax"),
        ("//evil.example/x", "evil.example/x"),
        ("../../etc/passwd", "etc/passwd"),
        ("a\\..\\b", "a/b"),
        ("", "."),
        ("\u0161", "%C5%A1"),
        ("a?b#c", "a%3Fb%23c"),
    ],
)
def test_references_stay_in_the_folder(path, href):
    assert href_of(path) == href


@pytest.mark.parametrize("text", samples.HOSTILE)
def test_texts_stay_texts(text):
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    shown = evidence_oscal.one_line(text, 300)

    tokens = parser.parse(markup(text, 300))

    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {token.type for token in tokens[1].children} == {"text"}
    assert "".join(token.content for token in tokens[1].children) == (shown or "(none)")
    assert "{{" not in markup(text, 300)


def test_hostile_texts_are_nowhere_without_escapes():
    texts = list(strings_of(document_of("hostile")))

    assert not [text for text in texts if re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202e]", text)]
    assert not [item for item in strings_of(result_of("hostile")["findings"]) if "<" in item]


def test_five_thousand_targets_take_no_time():
    content = samples.many(5000)
    start = time.perf_counter()

    size = len(json.dumps(oscal(content, FILES)))

    assert time.perf_counter() - start < 20
    assert size < 20_000_000


# --- words, look-ups, and kinds that are not known ---


def test_words_that_counted_are_in_the_observation():
    content = copy.deepcopy(EVERY)
    content["targets"][0]["items"]["words"] = samples.WORDS
    (result,) = oscal(content, [])["assessment-results"]["results"]
    observation = result["observations"][0]

    assert props_of(observation)["words-configured-by-the-user"] == "yes"
    assert "'Vollzogen' (2): remediated, as the user configured" in observation["remarks"]
    assert "'Remediated' (1): remediated\n" in observation["remarks"] + "\n"
    assert "words-configured-by-the-user" not in props_of(result["observations"][1])


def test_result_says_what_was_not_found_and_what_follows():
    content = dict(
        EVERY,
        lookups=[dict(kind="filter", asked="<x>", found=0, problem="no campaign fits it"), dict(problem=None)],
        replay=dict(followed=7, total=8),
    )
    (result,) = oscal(content, [])["assessment-results"]["results"]

    assert result["remarks"] == ("filter &lt;x&gt;: no campaign fits it\n\n7 of 8 outcomes follow from the answers on record.")


def test_target_of_another_kind_is_told_and_no_control_is_satisfied_beside_it():
    content = copy.deepcopy(SAMPLES["exposures only"])
    content["targets"].append(dict(kind="host", id="h1", name="a host", outcome="unremediated", reason="still there"))
    (result,) = oscal(content, [])["assessment-results"]["results"]

    assert [observation["title"] for observation in result["observations"]][1] == "Target of kind host: a host"
    assert [risk["title"] for risk in result["risks"]] == ["What was found is still there: a host"]
    assert set(status_of(result).values()) == {("not-satisfied", "fail")}
    assert "Xpanse" not in json.dumps(result["observations"][1])


def test_times_have_one_spelling():
    for name in SAMPLES:
        for text in strings_of(document_of(name)):
            if isinstance(text, str) and re.match(r"\d{4}-\d\d-\d\dT", text):
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)


def test_another_witness_has_evidence_of_its_own():
    """What it says stands on its own record, and not on the report of the first one."""
    hrefs = {
        one["title"]: [file["href"] for file in one.get("relevant-evidence", [])]
        for one in result_of("two witnesses")["observations"]
    }
    assert hrefs["Campaign: They disagree: the access"] == ["records/revoked_access.json"]
    assert hrefs["Campaign: They disagree"][0].startswith("reports/")
    content = copy.deepcopy(SAMPLES["two witnesses"])
    for target in content["targets"]:
        target["evidence"] = [file for file in target["evidence"] if not file["path"].startswith("records/")]
    observations = oscal(content, FILES)["assessment-results"]["results"][0]["observations"]
    others = [one for one in observations if one["title"].endswith(": the access")]
    # Where its record is not there, nothing else takes its place.
    assert len(others) == 4 and not any("relevant-evidence" in one for one in others)


def test_another_witness_has_an_observation_of_its_own():
    result = result_of("two witnesses")
    observed = {one["title"]: one for one in result["observations"]}
    assert len(observed) == 8
    own, other = observed["Campaign: They disagree"], observed["Campaign: They disagree: the access"]
    assert (props_of(own)["outcome"], props_of(other)["outcome"]) == ("unremediated", "unremediated")
    assert (props_of(other)["witness"], props_of(other)["items-open"], props_of(own)["items-open"]) == ("access", "1", "0")
    assert other["subjects"] == own["subjects"] and other["methods"] == ["EXAMINE"]
    risk = next(one for one in result["risks"] if one["title"].endswith("They disagree"))
    assert [one["observation-uuid"] for one in risk["related-observations"]] == [own["uuid"], other["uuid"]]
    uuids = {one["uuid"] for one in result["observations"]}
    for finding in result["findings"]:
        assert {one["observation-uuid"] for one in finding["related-observations"]} <= uuids
