# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the end of a module's work becomes a result."""

from __future__ import annotations

import json

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.task import (
    ItemFailed,
    MissingLibrary,
    Task,
    TaskFailed,
    close_ledger,
    enumerate_some,
    open_ledger,
    run_module,
    run_task,
    settle,
)


def make_task(check_mode=False, **params):
    """A task that notes its warnings."""
    warnings = []
    task = Task(params, check_mode, warnings.append)
    task.warnings = warnings
    return task


class FakeModule:
    """What run_module uses of AnsibleModule."""

    def __init__(self, **params):
        self.params = params
        self.check_mode = False
        self.no_log_values = {"old"}
        self.ended = None
        self.hidden = None

    def warn(self, text):
        """Nothing."""

    def exit_json(self, **result):
        """Ends well."""
        self.ended, self.hidden = ("exit", result), set(self.no_log_values)
        raise SystemExit

    def fail_json(self, **result):
        """Ends badly."""
        self.ended, self.hidden = ("fail", result), set(self.no_log_values)
        raise SystemExit


def run_fake(run):
    """Runs a module that is none."""
    module = FakeModule()
    with pytest.raises(SystemExit):
        run_module(module, run)
    return module


class TestRunTask:
    def test_good(self):
        task = make_task()
        assert run_task(lambda given: {"changed": given is task}, task) == ({"changed": True}, set())

    def test_failed_keeps_what_was_had(self):
        def run(task):
            raise TaskFailed("no", changed=True, scans=[1])

        assert run_task(run, make_task())[0] == dict(changed=True, scans=[1], failed=True, msg="no")

    def test_a_bug_is_told_with_its_place(self):
        result, _secrets = run_task(lambda task: 1 / 0, make_task())
        assert result["failed"] and result["msg"] == "ZeroDivisionError: division by zero"
        assert "test_task.py" in result["exception"]

    def test_a_missing_library(self):
        def run(task):
            raise MissingLibrary("requests", "Traceback")

        result, _secrets = run_task(run, make_task())
        assert (result["missing_library"], result["exception"], result["failed"]) == ("requests", "Traceback", True)

    @pytest.mark.parametrize("fails", [False, True])
    def test_secrets_that_came_while_it_ran(self, fails):
        class Connection:
            secrets = {"key"}

        def run(task):
            task.connection("x", [], Connection).secrets.add("token")
            if fails:
                raise TaskFailed("no")
            return {}

        assert run_task(run, make_task())[1] == {"key", "token"}


class TestRunModule:
    def test_good(self):
        assert run_fake(lambda task: dict(changed=True)).ended == ("exit", dict(changed=True))

    def test_failed(self):
        def run(task):
            raise TaskFailed("no", scans=[1])

        assert run_fake(run).ended == ("fail", dict(msg="no", scans=[1]))

    def test_a_missing_library_is_named_in_ansibles_words(self):
        def run(task):
            raise MissingLibrary("requests", "Traceback")

        how, result = run_fake(run).ended
        assert how == "fail" and "requests" in result["msg"] and "missing_library" not in result
        assert "Failed to import the required Python library" in result["msg"]

    def test_minted_secrets_are_hidden_before_the_result_is_printed(self):
        def run(task):
            task.secrets = {"token"}
            return {}

        assert run_fake(run).hidden == {"old", "token"}


class TestConnection:
    def test_the_same_options_share_one(self):
        class Connection:
            def __init__(self):
                self.secrets = set()

        kept = {}

        def connection(kind="a", check_mode=False, **params):
            task = Task(params, check_mode, None, connections=kept)
            return task.connection(kind, params, Connection)

        first = connection(url="u", key="k")
        assert connection(key="k", url="u") is first
        others = [
            connection(url="u", key="other"),
            connection(url="v", key="k"),
            connection("b", url="u", key="k"),
            connection(check_mode=True, url="u", key="k"),
        ]
        assert len({id(one) for one in [first, *others]}) == 5


class TestSettle:
    def settle(self, endings, items=None, **result):
        """Settles items that are named a, b, c, ..."""
        items = items or [dict(status="running") for _ending in endings]
        names = ["item %s" % chr(97 + place) for place in range(len(items))]
        return settle(items, endings, names, "scans", "Look again.", rows=items, **result)

    def test_all_good(self):
        assert self.settle([None, None], changed=True)["changed"] is True

    def test_failures_are_counted_named_and_all_is_returned(self):
        error = HttpError("GET", "/x", "HTTP 500", 500, hint="Try.")
        with pytest.raises(TaskFailed) as caught:
            self.settle([None, ItemFailed("no"), error, LedgerError("full")], changed=True)
        failure = caught.value
        assert failure.msg == ("3 of 4 scans failed: item b: no; item c: GET /x: HTTP 500. Try.; item d: full")
        assert failure.result["changed"] is True
        assert [item.get("error") for item in failure.result["rows"]] == [None, "no", "GET /x: HTTP 500. Try.", "full"]
        assert "exception" not in failure.result

    def test_a_bug_is_shown_with_its_traceback(self):
        with pytest.raises(KeyError) as raised:
            raise KeyError("x")
        with pytest.raises(TaskFailed) as caught:
            self.settle([raised.value])
        assert "item a: KeyError: 'x'" in caught.value.msg
        assert "Traceback" in caught.value.result["exception"]

    def test_timeouts_are_named_with_their_status(self):
        with pytest.raises(TaskFailed) as caught:
            self.settle([WaitTimeout(), None, WaitTimeout()], [dict(status="IN_PROGRESS"), {}, dict(status=None)])
        assert caught.value.msg == (
            "2 of 3 scans did not finish within wait_timeout: item a (IN_PROGRESS); item c (None). Look again."
        )

    def test_failures_and_timeouts(self):
        with pytest.raises(TaskFailed) as caught:
            self.settle([WaitTimeout(), ItemFailed("no")])
        assert caught.value.msg.count("\n") == 1

    def test_many(self):
        with pytest.raises(TaskFailed) as caught:
            self.settle([ItemFailed("no")] * 25)
        assert "25 of 25 scans failed" in caught.value.msg
        assert caught.value.msg.endswith("; and 5 more, see the returned list")
        assert enumerate_some(["a"] * 20) == "; ".join(["a"] * 20)


class TestLedger:
    def test_one_that_cannot_be_used_fails_the_task(self, tmp_path):
        (tmp_path / "ledger.json").write_text("broken")
        with pytest.raises(TaskFailed, match="is not a ledger"):
            open_ledger(make_task(ledger=str(tmp_path / "ledger.json")))

    def test_check_mode_writes_nothing(self, tmp_path):
        task = make_task(check_mode=True, ledger=str(tmp_path / "new" / "ledger.json"))
        ledger = open_ledger(task)
        ledger.put("a", {}, at_once=True)
        close_ledger(task, ledger)
        assert not (tmp_path / "new").exists() and not task.warnings

    def test_one_that_cannot_be_written_warns(self):
        class Broken:
            def close(self):
                raise LedgerError("The disk is full.")

        task = make_task()
        close_ledger(task, Broken())
        assert task.warnings == ["The disk is full."]


class TestResultsFile:
    LONG = dict(changed=True, scans=[dict(id="s1", status="done", more="x" * 1000)] * 3, missing=["m"], total=3)

    def run(self, tmp_path, result=None, **options):
        path = tmp_path / "records" / "scans.json"
        task = make_task(results_file=str(path), **options)

        def work(task):
            task.secrets.add("s3cr3t")
            if isinstance(result, Exception):
                raise result
            return result or self.LONG

        return path, run_task(work, task, dict(scans=("id", "status")))[0]

    def test_the_mass_goes_into_the_file(self, tmp_path):
        path, result = self.run(tmp_path)
        assert result == dict(
            changed=True, total=3, scans=[dict(id="s1", status="done")] * 3, results_file=str(path),
            counts=dict(scans=3, missing=1),
        )
        assert json.loads(path.read_text()) == dict(self.LONG, schema_version=1)

    def test_a_failure_is_kept_whole_too(self, tmp_path):
        path, result = self.run(tmp_path, TaskFailed("one of 3", changed=True, scans=[dict(id="s1", error="no")]))
        assert result["failed"] and result["msg"] == "one of 3" and result["scans"] == [dict(id="s1", status=None)]
        assert json.loads(path.read_text())["scans"] == [dict(id="s1", error="no")]

    def test_no_secret_gets_into_it(self, tmp_path):
        path, _result = self.run(tmp_path, dict(changed=False, scans=[dict(id="a s3cr3t b")]))
        assert "s3cr3t" not in path.read_text()

    def test_check_mode_writes_nothing(self, tmp_path):
        path, result = self.run(tmp_path, check_mode=True)
        assert result == self.LONG and not path.parent.exists()

    def test_what_cannot_be_written_is_returned(self, tmp_path):
        (tmp_path / "records").write_text("in the way")
        _path, result = self.run(tmp_path)
        assert result["failed"] and "Cannot write results_file" in result["msg"]
        assert result["scans"] == self.LONG["scans"]
