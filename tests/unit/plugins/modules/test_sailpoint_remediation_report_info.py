# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import json

import pytest
import yaml

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task
from ansible_collections.secops.remediation.plugins.modules import sailpoint_remediation_report_info as module

HEADER = "Identity,Access,Remediation Status\n"
KEYS = {
    "path",
    "outcome",
    "reason",
    "items_total",
    "items_remediated",
    "items_open",
    "items_unknown",
    "open_items",
    "columns",
    "status_column",
    "words",
    "words_left_out",
    "campaign_ids",
    "campaign_names",
}


@pytest.fixture
def report(tmp_path):
    """Writes a report and returns its path: report(name, *words)."""

    def write(name, *words):
        path = tmp_path / name
        path.write_text(HEADER + "".join("A,B,%s\n" % word for word in words))
        return str(path)

    return write


def run(paths, check_mode=False, **options):
    params = {name: option.get("default") for name, option in module.ARGUMENT_SPEC.items()}
    params.update(options, paths=paths)
    return module.run(Task(params, check_mode, warn=pytest.fail))


@pytest.mark.parametrize("check_mode", [False, True])
def test_reports_in_the_order_of_paths(report, check_mode):
    paths = [report("open.csv", "Open"), report("done.csv", "Remediated"), report("none.csv"), report("strange.csv", "Schwebend")]
    result = run(paths, check_mode)
    assert result["changed"] is False
    assert [item["path"] for item in result["reports"]] == paths
    assert [item["outcome"] for item in result["reports"]] == ["unremediated", "remediated", "remediated", "inconclusive"]
    assert all(set(item) == KEYS for item in result["reports"])


def test_options_are_used(report):
    result = run(
        [report("a.csv", "Zu", "Auf", "Auf")],
        status_column="remediation status",
        remediated_values=["zu"],
        open_values=["auf"],
        max_open_items=1,
    )
    assert [item["items_open"] for item in result["reports"]] == [2]
    assert result["reports"][0]["open_items"] == [{"Identity": "A", "Access": "B", "Remediation Status": "Auf"}]


def test_empty_options_are_as_none(report):
    result = run([report("a.csv", "Remediated")], status_column=" ", remediated_values=[], open_values=[""])
    assert result["reports"][0]["outcome"] == "remediated"
    assert result["settings"] == dict(status_column=None, remediated_values=[], open_values=[""], max_open_items=100)


def test_what_a_report_was_read_with_reads_it_again(report):
    path = report("a.csv", "Zu", "Auf")
    result = run([path], status_column="remediation status", remediated_values=["zu"], open_values=["auf"], max_open_items=1)
    settings = result["settings"]
    again = module.read_report(
        path,
        module.Vocabulary(settings["remediated_values"], settings["open_values"]),
        settings["status_column"],
        settings["max_open_items"],
    )
    assert dict(again, path=path) == result["reports"][0]


def test_an_error_that_nobody_thought_of_costs_one_file(report, monkeypatch):
    done, broken = report("done.csv", "Remediated"), report("broken.csv", "Remediated")
    original = module.read_report
    monkeypatch.setattr(module, "read_report", lambda path, *rest: {}["x"] if path == broken else original(path, *rest))
    with pytest.raises(TaskFailed, match="1 of 2 reports failed: .*KeyError") as failure:
        run([broken, done])
    assert [item["outcome"] for item in failure.value.result["reports"]] == ["inconclusive", "remediated"]


def test_same_path_is_read_once(report, monkeypatch):
    path = report("a.csv", "Open")
    read = []
    original = module.read_report
    monkeypatch.setattr(module, "read_report", lambda path, *rest: read.append(path) or original(path, *rest))
    assert [item["items_open"] for item in run([path, path])["reports"]] == [1, 1]
    assert read == [path]


def test_file_that_cannot_be_read_does_not_stop_the_others(report, tmp_path):
    missing, done = str(tmp_path / "missing.csv"), report("done.csv", "Remediated")
    with pytest.raises(TaskFailed) as failure:
        run([missing, done, str(tmp_path)])
    assert failure.value.msg == (
        "2 of 3 reports failed: %s: cannot be read, No such file or directory; %s: cannot be read, it is a directory"
        % (missing, tmp_path)
    )
    first, second, third = failure.value.result["reports"]
    assert first["error"] == "cannot be read, No such file or directory"
    assert first["reason"] == "the file cannot be read, No such file or directory"
    assert (first["outcome"], first["items_total"]) == ("inconclusive", None)
    assert set(first) == set(third) == KEYS | {"error"}
    assert second["outcome"] == "remediated" and "error" not in second


def test_file_without_permission(report, monkeypatch):
    # Root, as whom tests run in containers, may read everything.
    def refuse(path, *_rest):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(module, "read_report", refuse)
    with pytest.raises(TaskFailed, match="Permission denied"):
        run([report("a.csv")])


def test_path_that_no_file_can_have():
    with pytest.raises(TaskFailed, match="1 of 1 reports failed"):
        run(["a\0b"])


def test_word_with_two_meanings_fails_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(module, "read_report", lambda *_args: pytest.fail("read"))
    with pytest.raises(TaskFailed, match="remediated_values and open_values .* both have 'closed'"):
        run(["a.csv"], remediated_values=["Closed"], open_values=["CLOSED"])


def test_negative_number_of_open_items():
    with pytest.raises(TaskFailed, match="max_open_items"):
        run(["a.csv"], max_open_items=-1)


def test_result_is_json(report):
    result, secrets = run_task(lambda _task: run([report("a.csv", "Open")]), Task({}, False, pytest.fail))
    assert json.loads(json.dumps(result)) == result
    assert not secrets


def test_documentation_has_every_option_and_key():
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    # The others are in fragments.
    assert set(documented) == set(module.ARGUMENT_SPEC) - {"results_file"}
    for name in documented:
        option = module.ARGUMENT_SPEC[name]
        for key in ("type", "elements", "default", "required"):
            assert documented[name].get(key) == option.get(key), (name, key)
    returned = yaml.safe_load(module.RETURN)["reports"]["contains"]
    assert set(returned) == KEYS | {"error"}


def test_main_is_the_same_run(monkeypatch):
    calls = []
    monkeypatch.setattr(module, "AnsibleModule", lambda **options: options)
    monkeypatch.setattr(module, "run_module", lambda *arguments, **options: calls.append((*arguments, options)))
    module.main()
    assert calls == [(dict(argument_spec=module.ARGUMENT_SPEC, supports_check_mode=True), module.run, dict(asks=module.ASKS))]
