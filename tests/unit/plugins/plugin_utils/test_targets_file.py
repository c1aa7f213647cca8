# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A targets file: what is read of it, and that every mistake in it is told with its line and key."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from ansible_collections.secops.remediation.plugins.filter import verify as filters
from ansible_collections.secops.remediation.plugins.plugin_utils import targets_file

DOCS = Path(__file__).resolve().parents[4] / "docs"
SCHEMA = json.loads((DOCS / "schemas" / "targets-1.0.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
EXPOSURE = dict(alert_internal_id="98", attack_surface_rule_id="RdpServer", service_id="94232f8a")
GOOD = """\
# Who changes this file accepts risks: let its owners review it.
schema_version: "1.0"
tenants:
  acme:
    owner: iam@example.com
    campaign_ids:
      - 2c918086719eec070171a7e3355a360a
      - id: 2c918086719eec070171a7e3355a360b
        owner: jane@example.com
    campaign_filters: {text: 'name sw "Q3"', owner: reviews}
    exposures:
      - alert_internal_id: 98
        attack_surface_rule_id: RdpServer
        service_id: 94232f8a
        owner: network@example.com
    alert_ids: [231, {id: 442, owner: soc@example.com}]
    case_ids: [71]
    accepted:
      - kind: exposure
        id: 98:RdpServer:94232f8a
        by: ciso@example.com
        until: 2027-03-31
        reason: "The vendor's fix comes in March: CHG-4711"
  other:
    alert_ids: [7]
"""
SAID = dict(
    asked=dict(
        campaign_ids=["2c918086719eec070171a7e3355a360a", "2c918086719eec070171a7e3355a360b"],
        campaign_filters='name sw "Q3"',
        exposures=[EXPOSURE],
        alert_ids=[231, 442],
        case_ids=[71],
    ),
    owner="iam@example.com",
    owners=[
        dict(asked="campaign_ids", value="2c918086719eec070171a7e3355a360b", owner="jane@example.com"),
        dict(asked="campaign_filters", value='name sw "Q3"', owner="reviews"),
        dict(asked="exposures", value=EXPOSURE, owner="network@example.com"),
        dict(asked="alert_ids", value=442, owner="soc@example.com"),
    ],
    accepted=[
        dict(
            kind="exposure",
            id="98:RdpServer:94232f8a",
            by="ciso@example.com",
            until="2027-03-31",
            reason="The vendor's fix comes in March: CHG-4711",
        )
    ],
)
ACCEPTED = "kind: exposure, id: a, by: b, reason: r"
# What may be written for the tenant acme, and how what is wrong with it begins.
WRONG = {
    "campaing_ids: [a]": "campaing_ids: no such key is known here. Known are campaign_ids,",
    "campaign_ids: a": "campaign_ids: has to be a list, and is text",
    "campaign_ids:": "campaign_ids: has to be a list, and is nothing",
    "campaign_ids: [a, a]": "campaign_ids[1]: is there twice, first in line 4",
    "campaign_ids: [a, {id: a, owner: jo}]": "campaign_ids[1]: is there twice, first in line 4",
    "campaign_ids: [2.5]": "campaign_ids[0]: 2.5 is not taken as text",
    "campaign_ids: [012]": "campaign_ids[0]: 012 is not taken as text",
    "campaign_ids: [12:30]": "campaign_ids[0]: 12:30 is not taken as text",
    "campaign_ids: [yes]": "campaign_ids[0]: yes is not taken as text",
    "campaign_ids: [2027-01-01]": "campaign_ids[0]: 2027-01-01 is not taken as text",
    "campaign_ids: [~]": "campaign_ids[0]: has no value",
    "campaign_ids: ['  ']": "campaign_ids[0]: has no value",
    "campaign_ids: [[a]]": "campaign_ids[0]: has to be text, and is a list",
    "campaign_ids: [{id: [a]}]": "campaign_ids[0].id: has to be text, and is a list",
    "campaign_ids: [{owner: jo}]": "campaign_ids[0]: lacks id",
    "campaign_ids: [{id: a, ownr: jo}]": "campaign_ids[0].ownr: no such key is known here. Known are id, owner",
    "campaign_ids: [{id: a, owner: }]": "campaign_ids[0].owner: has no value",
    "campaign_ids: [!!python/name:os.system a]": "campaign_ids[0]: a is not taken as text",
    "campaign_ids: [!vault a]": "campaign_ids[0]: a is not taken as text",
    "campaign_filters: [a]": "campaign_filters: has to be text, and is a list",
    "campaign_filters: {owner: jo}": "campaign_filters: lacks text",
    "alert_ids: ['231']": "alert_ids[0]: has to be a whole number, and 231 is text",
    "alert_ids: [0231]": "alert_ids[0]: has to be a whole number, and 0231 is none",
    "alert_ids: [1.5]": "alert_ids[0]: has to be a whole number, and 1.5 is none",
    "alert_ids: [true]": "alert_ids[0]: has to be a whole number, and true is true or false",
    "alert_ids: [{id: }]": "alert_ids[0].id: has to be a whole number, and it is nothing",
    "exposures: [a]": "exposures[0]: has to be a mapping, and is text",
    "exposures: [{alert_internal_id: 1}]": "exposures[0]: lacks attack_surface_rule_id and service_id",
    "exposures: [{alert_internal_id: 1, attack_surface_rule_id: , service_id: a}]": (
        "exposures[0].attack_surface_rule_id: has no value"
    ),
    "owner: [jo]": "owner: has to be text, and is a list",
    "owner: jo": ": names nothing to verify and accepts nothing",
    "alert_ids: []": ": names nothing to verify and accepts nothing",
    "accepted: {a: b}": "accepted: has to be a list, and is a mapping",
    "accepted: [a]": "accepted[0]: has to be a mapping, and is text",
    "accepted: [{%s}]" % ACCEPTED: "accepted[0]: lacks until",
    "accepted: [{%s, until: }]" % ACCEPTED: "accepted[0].until: has no value",
    "accepted: [{%s, until: soon}]" % ACCEPTED: "accepted[0].until: soon is no date, such as",
    "accepted: [{%s, until: 2027-13-01}]" % ACCEPTED: "accepted[0].until: 2027-13-01 is no date, such as",
    "accepted: [{%s, until: 2027}]" % ACCEPTED: "accepted[0].until: 2027 is not taken as text",
    "accepted: [{%s, until: 2027-01-01, more: x}]" % ACCEPTED: "accepted[0].more: no such key is known here",
    "accepted: [{kind: exposure, id: a, by: b, until: 2027-01-01, reason: }]": "accepted[0].reason: has no value",
    "accepted: [{kind: exposure, id: a, by: b, until: 2027-01-01, reason: ' '}]": "accepted[0].reason: has no value",
    "accepted: [{kind: exposure, id: a, by: true, until: 2027-01-01, reason: r}]": "accepted[0].by: true is not taken as text",
    "accepted: [{%s, until: 2027-01-01, most_open_items: 0}]" % ACCEPTED: "accepted[0].most_open_items: has to be 1 at least",
    "accepted: [{%s, until: 2027-01-01, most_open_items: -1}]" % ACCEPTED: "accepted[0].most_open_items: has to be 1 at least",
    "accepted: [{%s, until: 2027-01-01, most_open_items: '1'}]" % ACCEPTED: (
        "accepted[0].most_open_items: has to be a whole number, and 1 is text"
    ),
    "accepted: [{kind: host, id: a, by: b, until: 2027-01-01, reason: r}]": "accepted[0].kind: host is none of campaign,",
}
# What only the code finds: the schema is shown what YAML has made of it, and compares whole values.
BEYOND_SCHEMA = {
    "campaign_ids: [!!python/name:os.system a]",
    "campaign_ids: [!vault a]",
    "accepted: [{%s, until: 2027-13-01}]" % ACCEPTED,
    "campaign_ids: [a, {id: a, owner: jo}]",
    "campaign_ids: [012]",
    "campaign_ids: [12:30]",
    "campaign_ids: [2027-01-01]",
    "alert_ids: [0231]",
}


def write(folder, text, name="targets.yml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def read(folder, text, tenant="acme"):
    """(what the file says, what is wrong with it, without the file's own name)."""
    path = write(folder, text)
    said, problems = targets_file.read_targets_file(path, tenant)
    assert all(problem.startswith(path) and problem.endswith(".") for problem in problems)
    return said, [problem[len(path) :].lstrip(", ") for problem in problems]


def tenant_with(line):
    return 'schema_version: "1.0"\ntenants:\n  acme:\n    %s\n' % line


def schema_errors(text):
    content = yaml.safe_load(text)
    return [error.message for error in VALIDATOR.iter_errors(json.loads(json.dumps(content, default=str)))]


class TestRead:
    def test_all_of_it(self, tmp_path):
        said, problems = read(tmp_path, GOOD)
        assert problems == []
        assert {name: said[name] for name in SAID} == SAID
        assert said["sha256"] == hashlib.sha256(GOOD.encode()).hexdigest() and said["tenants"] == ["acme", "other"]
        assert schema_errors(GOOD) == []

    def test_json_is_as_good(self, tmp_path):
        content = yaml.safe_load(GOOD)
        content["tenants"]["acme"]["accepted"][0]["until"] = "2027-03-31"
        for text in (json.dumps(content), json.dumps(content, indent="\t"), "\ufeff" + json.dumps(content, indent=2)):
            said, problems = read(tmp_path, text)
            assert problems == [] and {name: said[name] for name in SAID} == SAID

    def test_a_tenant_that_only_accepts(self, tmp_path):
        text = tenant_with("accepted: [{%s, until: '2027-01-01T10:00:00+02:00'}]" % ACCEPTED)
        assert read(tmp_path, text)[1] == [] and schema_errors(text) == []

    def test_without_the_c_library_it_is_the_same(self, tmp_path, monkeypatch):
        monkeypatch.setattr(targets_file, "SafeLoader", yaml.SafeLoader)
        said, problems = read(tmp_path, GOOD)
        assert problems == [] and {name: said[name] for name in SAID} == SAID
        assert read(tmp_path, json.dumps(yaml.safe_load(GOOD), indent="\t", default=str))[1] == []
        assert "it is no YAML" in read(tmp_path, "[" * 100000)[1][0]
        assert read(tmp_path, "a: [")[1][0].startswith("line 1: it is no YAML: ")

    def test_many_are_read(self, tmp_path):
        lines = [
            "      - {alert_internal_id: %d, attack_surface_rule_id: R, service_id: s%d, owner: jo}" % (n, n) for n in range(3000)
        ]
        said, problems = read(tmp_path, tenant_with("exposures:\n" + "\n".join(lines)))
        assert problems == [] and len(said["asked"]["exposures"]) == len(said["owners"]) == 3000


class TestPage:
    """What docs/targets.md shows is what is read, and what is said."""

    TEXT = (DOCS / "targets.md").read_text("utf-8")

    def test_its_example(self, tmp_path):
        (example,) = re.findall(r"```yaml\n(.*?)```", self.TEXT, re.DOTALL)
        said, problems = read(tmp_path, example)
        assert problems == [] and schema_errors(example) == []
        assert len(said["owners"]) == 3 and len(said["accepted"]) == 2 and all(said["asked"].values())

    def test_its_messages(self, tmp_path):
        (example,) = re.findall(r"```yaml\n(.*?)```", self.TEXT, re.DOTALL)
        wrong = example.replace("campaign_ids", "campaing_ids").replace("2027-03-31", "2027-02-30")
        (shown,) = re.findall(r"```\n(targets\.yml, .*?)```", self.TEXT, re.DOTALL)
        for line, problem in zip(shown.splitlines(), read(tmp_path, wrong)[1], strict=True):
            begins = line.removeprefix("targets.yml, ").rstrip(" \N{HORIZONTAL ELLIPSIS},")
            assert problem.startswith(begins), (problem, begins)
        assert read(tmp_path, example, "nobody")[1][0].startswith("says nothing for the tenant nobody")


class TestWrong:
    @pytest.mark.parametrize("line", WRONG)
    def test_it_is_told_with_line_and_key(self, tmp_path, line):
        text = tenant_with(line)
        _said, (problem, *more) = read(tmp_path, text)
        expected = WRONG[line]
        assert problem.startswith("line 4, tenants.acme%s%s" % ("" if expected.startswith(":") else ".", expected)), problem
        assert more == []

    @pytest.mark.parametrize("line", [line for line in WRONG if line not in BEYOND_SCHEMA])
    def test_the_schema_finds_it_too(self, line):
        assert schema_errors(tenant_with(line))

    def test_all_are_told_and_not_the_first_alone(self, tmp_path):
        text = GOOD.replace("case_ids: [71]", "case_ids: [a, 71, b]").replace("2027-03-31", "2027-02-30").replace("[7]", "7")
        assert [problem.split(": ")[0] for problem in read(tmp_path, text)[1]] == [
            "line 17, tenants.acme.case_ids[0]",
            "line 17, tenants.acme.case_ids[2]",
            "line 22, tenants.acme.accepted[0].until",
            "line 25, tenants.other.alert_ids",
        ]

    def test_no_more_than_anybody_reads(self, tmp_path):
        problems = targets_file.read_targets_file(write(tmp_path, tenant_with("alert_ids: [%s]" % ("a, " * 130))), "acme")[1]
        assert len(problems) == 101 and problems[-1] == "And 30 problems more."

    @pytest.mark.parametrize(
        "text, said",
        [
            ("", "is empty."),
            ("# later\n", "is empty."),
            ("# later\n---\n", "line 3, the file: has to be a mapping, and is nothing."),
            ("{}", "line 1, the file: lacks schema_version and tenants."),
            ("[]", "line 1, the file: has to be a mapping, and is a list."),
            ("acme", "line 1, the file: has to be a mapping, and is text."),
            ("~", "line 1, the file: has to be a mapping, and is nothing."),
            ("null", "line 1, the file: has to be a mapping, and is nothing."),
            ('schema_version: "1.0"\ntenants: {}', "line 2, tenants: names no tenant."),
            ('schema_version: "1.0"\ntenants:', "line 2, tenants: has to be a mapping, and is nothing."),
            ('schema_version: "1.0"\ntenants:\n  acme:', "line 3, tenants.acme: has to be a mapping, and is nothing."),
            ("schema_version: 1.0\ntenants: {acme: {alert_ids: [1]}}", 'line 1, schema_version: has to be "1.0", in quotes.'),
            ('schema_version: "2.0"\ntenants: {acme: {alert_ids: [1]}}', 'line 1, schema_version: has to be "1.0", in quotes.'),
            ("tenants: {acme: {alert_ids: [1]}}", "line 1, the file: lacks schema_version."),
            (
                'schema_version: "1.0"\ntenants:\n  acme: {alert_ids: [1]}\n  acme: {}',
                "line 4, tenants.acme: is there twice, first in line 3.",
            ),
            (
                'schema_version: "1.0"\ntenants: {Acme: {alert_ids: [1]}, b: {alert_ids: [1]}}',
                "says nothing for the tenant acme, only for Acme, b.",
            ),
            (
                'schema_version: "1.0"\ntenants:\n  acme:\n\talert_ids: [1]',
                "line 4: it is no YAML: found character that cannot start any token.",
            ),
            ('{"schema_version": "1.0",\n "tenants": {', ": it is no YAML: "),
            ('schema_version: "1.0"\n---\ntenants: {}', "line 2: it is no YAML: but found another document."),
            (b"schema_version: '1.0'\n# \xff\n", "line 2: it is not UTF-8."),
            (b"\x00", "it is no YAML: "),
            ("&a [*b]", "line 1: it is no YAML: found undefined alias"),
            ("&a {tenants: *a, schema_version: '1.0'}", "line 1, tenants.tenants.tenants: no such key"),
            ("[" * 100000, "line 1: it is no YAML: "),
        ],
    )
    def test_a_file_that_is_none(self, tmp_path, text, said):
        problem = read(tmp_path, text)[1][0]
        assert said in problem or problem.startswith(said), problem

    def test_one_that_cannot_be_read(self, tmp_path):
        problems = [targets_file.read_targets_file(str(path), "acme")[1] for path in (tmp_path / "none.yml", tmp_path)]
        assert "No such file" in problems[0][0] and "not a regular file" in problems[1][0]

    def test_one_that_is_too_large(self, tmp_path, monkeypatch):
        monkeypatch.setattr(targets_file, "LARGEST", 10)
        assert "is larger than" in read(tmp_path, GOOD)[1][0]


class TestInputs:
    """Beside what the other options say."""

    def inputs(self, tmp_path, text=GOOD, tenant="acme", tenants=None, **given):
        path = write(tmp_path, text)
        return filters.verify_inputs(dict(given, verify_targets_file=path), "/e", tenant, tenants), path

    def test_both_are_verified_and_nothing_twice(self, tmp_path):
        found, _path = self.inputs(
            tmp_path,
            verify_alert_ids="9, 231",
            verify_exposures=[dict(EXPOSURE, alert_internal_id=98), dict(EXPOSURE, service_id="b")],
            verify_campaign_filters='name sw "Q3"',
        )
        assert found["problems"] == []
        assert found["alert_ids"] == found["targets"]["alert_ids"] == [9, 231, 442]
        assert found["exposures"] == [EXPOSURE, dict(EXPOSURE, service_id="b")]
        assert found["campaign_filters"] == 'name sw "Q3"' and found["case_ids"] == [71]
        assert found["targets_file"]["accepted"] == SAID["accepted"] and found["targets_file"]["tenant"] == "acme"

    def test_two_filters_are_one_too_many(self, tmp_path):
        found, path = self.inputs(tmp_path, verify_campaign_filters="x")
        assert found["problems"] == ['verify_campaign_filters is x, and name sw "Q3" in %s: give one of them.' % path]

    def test_without_a_file_nothing_is_said(self):
        assert filters.verify_inputs({}, "/e")["targets_file"] is None

    @pytest.mark.parametrize("text, tenant", [("", "acme"), (GOOD, "nobody"), (GOOD.replace("[71]", "71"), "other")])
    def test_what_is_wrong_with_it_is_told(self, tmp_path, text, tenant):
        found, path = self.inputs(tmp_path, text, tenant)
        assert [path in problem for problem in found["problems"]] == [True]

    @pytest.mark.parametrize("value", [["a.yml"], {"a": 1}])
    def test_what_is_no_path(self, value):
        assert "verify_targets_file" in filters.verify_inputs(dict(verify_targets_file=value), "/e")["problems"][0]

    def test_a_number_is_the_name_of_a_file(self):
        assert "7 cannot be read" in filters.verify_inputs(dict(verify_targets_file=7), "/e")["problems"][0]

    def test_a_tenant_that_nobody_verifies_is_warned_of(self, tmp_path, monkeypatch):
        warned = []
        monkeypatch.setattr(filters.Display, "warning", lambda self, text, **more: warned.append(text))
        assert self.inputs(tmp_path, tenants=["acme", "other", "third"])[0]["problems"] == [] and warned == []
        assert self.inputs(tmp_path, tenants=["acme"])[0]["problems"] == []
        assert len(warned) == 1 and "nothing is verified for other here" in warned[0]


class TestSchema:
    def test_it_is_a_schema(self):
        Draft202012Validator.check_schema(SCHEMA)
        assert SCHEMA["$id"].endswith("/docs/schemas/targets-1.0.schema.json")
        assert SCHEMA["properties"]["schema_version"]["const"] == targets_file.SCHEMA_VERSION

    def test_everything_has_a_title_and_a_description(self):
        def described(part, where="$"):
            for name, one in (part.get("properties") or {}).items():
                if "$ref" not in one and not (one.get("title") and one.get("description")):
                    yield "%s.%s" % (where, name)
                yield from described(one, "%s.%s" % (where, name))
            for name, one in (part.get("$defs") or {}).items():
                if not (one.get("title") and one.get("description")):
                    yield name
                yield from described(one, name)

        assert list(described(SCHEMA)) == []


class TestWhatShowsNothing:
    @pytest.mark.parametrize("name", ["by", "reason"])
    @pytest.mark.parametrize("text", [r"\u200b", r"\0", r"\u2800", "-", "..."])
    def test_nobody_accepts_without_a_word(self, tmp_path, name, text):
        entry = {"kind": "campaign", "id": "c1", "by": "jo", "until": "2999-12-31", "reason": "r"}
        line = ", ".join('%s: "%s"' % (key, text if key == name else value) for key, value in entry.items())
        _said, problems = read(tmp_path, tenant_with("accepted: [{%s}]" % line))
        assert len(problems) == 1 and "accepted[0].%s: has neither a letter nor a digit." % name in problems[0]
