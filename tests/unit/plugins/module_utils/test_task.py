# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the end of a module's work becomes a result."""

from __future__ import annotations

import json
import time

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError
from ansible_collections.secops.remediation.plugins.module_utils._http.options import tenant_of
from ansible_collections.secops.remediation.plugins.module_utils._run import ledger as ledger_utils
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.task import (
    Task,
    close_ledger,
    enumerate_some,
    named,
    open_ledger,
    run_module,
    run_task,
    settle,
)
from ansible_collections.secops.remediation.plugins.module_utils._verdict.outcomes import WITHOUT_ANSWER


def make_task(check_mode=False, **params):
    """A task that notes its warnings."""
    warnings = []
    task = Task(params, check_mode, warnings.append)
    task.warnings = warnings
    return task


class Connection:
    """What a task needs of an API."""

    def __init__(self, *secrets):
        self.secrets = set(secrets)
        self.client = self
        self.ends_at = None


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

    @pytest.mark.parametrize(
        ("name", "value", "least"),
        [("wait_timeout", -5, 0), ("wait_interval", 0, 1), ("wait_interval", -1, 1), ("max_age", -1, 0)],
    )
    def test_a_wait_that_makes_no_sense_starts_nothing(self, name, value, least):
        started = []
        result, _secrets = run_task(lambda task: started.append(task) or {}, make_task(**{name: value}))
        assert result == dict(failed=True, msg="%s is %d and must be at least %d" % (name, value, least))
        assert started == []

    def test_the_shortest_wait_that_makes_sense(self):
        assert run_task(lambda _task: dict(done=True), make_task(wait_timeout=0, wait_interval=1, max_age=0))[0]["done"]
        assert run_task(lambda _task: dict(done=True), make_task(wait_timeout=None))[0]["done"]

    def test_a_missing_library(self):
        def run(task):
            raise MissingLibrary("requests", "Traceback")

        result, _secrets = run_task(run, make_task())
        assert (result["missing_library"], result["exception"], result["failed"]) == ("requests", "Traceback", True)

    @pytest.mark.parametrize("fails", [False, True])
    def test_secrets_that_came_while_it_ran(self, fails):
        def run(task):
            task.connection("x", [], lambda: Connection("key")).secrets.add("token")
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
            task.connection("x", [], Connection).secrets.add("token")
            return {}

        assert run_fake(run).hidden == {"old", "token"}


class TestConnection:
    def test_the_same_options_share_one(self):
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

    def test_the_secrets_of_all_are_hidden(self):
        """Whichever of two was made last."""
        task = make_task(url="u")
        one = task.connection("a", ["url"], lambda: Connection("one"))
        task.connection("b", ["url"], lambda: Connection("two"))
        task.connection("a", ["url"], lambda: Connection("three"))
        one.secrets.add("minted")
        assert task.secrets == {"one", "two", "minted"} and make_task().secrets == set()

    @pytest.mark.parametrize("wait_timeout, seconds", [(0, 30), (5, 30), (600, 600)])
    def test_wait_timeout_bounds_every_exchange(self, wait_timeout, seconds):
        connection = make_task(wait_timeout=wait_timeout).connection("a", [], Connection)
        assert seconds - 5 < connection.client.ends_at - time.monotonic() <= seconds

    def test_a_task_without_one_lifts_the_bound_of_the_one_before(self):
        kept = {}
        connection = Task(dict(wait_timeout=5), False, None, connections=kept).connection("a", [], Connection)
        assert Task({}, False, None, connections=kept).connection("a", [], Connection) is connection
        assert connection.client.ends_at is None


class TestSettle:
    def settle(self, endings, items=None, **result):
        """Settles items that are named a, b, c, ..."""
        items = items or [dict(status="running") for _ending in endings]
        names = ["item %s" % chr(97 + place) for place in range(len(items))]
        return settle(items, endings, names, "scans", "Look again.", WITHOUT_ANSWER, rows=items, **result)

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
            "2 of 3 scans did not finish within wait_timeout: item a (IN_PROGRESS); item c (nobody looked at it within "
            "wait_timeout). Look again."
        )

    def test_a_timeout_keeps_the_last_error(self):
        items = [dict(status="IN_PROGRESS", last_error="HTTP 503", outcome="pending"), dict(status=None, last_error="HTTP 500")]
        with pytest.raises(TaskFailed, match=r"item a \(IN_PROGRESS, HTTP 503\); item b \(HTTP 500\)"):
            self.settle([WaitTimeout(), WaitTimeout()], items)
        assert [item["last_error"] for item in items] == ["HTTP 503", "HTTP 500"] and "error" not in items[0]

    @pytest.mark.parametrize(
        "ending, outcome",
        [
            (None, "remediated"),
            (WaitTimeout(), "pending"),
            (ItemFailed("no"), "inconclusive"),
            (KeyError("x"), "inconclusive"),
            (HttpError("GET", "/x", "HTTP 403"), "inconclusive"),
            (LedgerError("full"), "inconclusive"),
        ],
    )
    @pytest.mark.parametrize("status", ["SUCCESS", None])
    def test_whatever_was_known_before_an_end_without_an_answer_is_none(self, ending, outcome, status):
        items = [dict(status=status, outcome="remediated")]
        if ending is None:
            self.settle([ending], items)
        else:
            with pytest.raises(TaskFailed):
                self.settle([ending], items)
        assert items[0]["outcome"] == outcome and ("error" in items[0]) == (outcome == "inconclusive")

    def test_an_outcome_that_nobody_would_take_back_is_a_mistake(self):
        """A module that forgets to say so could otherwise return what was known before an error."""
        with pytest.raises(TypeError, match="without an answer"):
            settle([{}, dict(outcome="remediated")], [None, None], "ab", "scans", "")

    def test_failures_and_timeouts(self):
        with pytest.raises(TaskFailed) as caught:
            self.settle([WaitTimeout(), ItemFailed("no")])
        assert caught.value.msg.count("\n") == 1

    @pytest.mark.parametrize(("identifier", "words"), [("", "''"), ("  ", "'  '"), ("a1", "a1")])
    def test_a_blank_id_is_shown(self, identifier, words):
        assert named(identifier) == words

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
            open_ledger(make_task(ledger=str(tmp_path / "ledger.json"), wait_timeout=0))

    def test_check_mode_writes_nothing(self, tmp_path):
        task = make_task(check_mode=True, ledger=str(tmp_path / "new" / "ledger.json"), wait_timeout=0)
        ledger = open_ledger(task)
        ledger.put("a", {}, at_once=True)
        close_ledger(task, ledger)
        assert not (tmp_path / "new").exists() and not task.warnings

    def test_what_is_not_recorded_is_named(self, tmp_path, monkeypatch):
        task = make_task(ledger=str(tmp_path / "ledger.json"), wait_timeout=0)
        ledger = open_ledger(task)
        ledger.put("https://acme.example/exposure/1/r/s", {"scan_id": "s1"}, at_once=True)

        def fail(path, text):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ledger_utils, "write_atomically", fail)
        for key, record in (
            ("https://acme.example/exposure/2/r/http://x/y", {"scan_id": "s2"}),
            ("https://acme.example/campaign/c1", {"answers": []}),
        ):
            with pytest.raises(LedgerError):
                ledger.put(key, record, at_once=True)
        close_ledger(task, ledger)
        (warning,) = task.warnings
        assert "No space left on device" in warning and "Nothing was started" not in warning
        assert "Not recorded: exposure/2/r/http://x/y (scan s2); campaign/c1." in warning and "s1" not in warning

    def test_all_of_them_are_named(self, tmp_path, monkeypatch):
        task = make_task(ledger=str(tmp_path / "ledger.json"), wait_timeout=0)
        ledger = open_ledger(task)

        def fail(path, text):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(ledger_utils, "write_atomically", fail)
        monkeypatch.setattr(ledger_utils, "SECONDS_BETWEEN_WRITES", 3600)
        ledger._write_again_at = time.monotonic() + 3600
        for number in range(200):
            ledger.put("https://acme.example/exposure/%d/r/s" % number, {"scan_id": "s%d" % number})
        close_ledger(task, ledger)
        assert all("(scan s%d)" % number in task.warnings[0] for number in range(200))


class TestTenant:
    @pytest.mark.parametrize(
        "address, tenant",
        [
            ("https://acme.example", "https://acme.example"),
            ("https://acme.example/", "https://acme.example"),
            ("HTTPS://ACME.example:443/", "https://acme.example"),
            ("http://acme.example:80", "http://acme.example"),
            ("http://acme.example:443", "http://acme.example:443"),
            ("https://acme.example:8443/a/", "https://acme.example:8443/a"),
            ("https://acme.example/A", "https://acme.example/A"),
            ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ],
    )
    def test_one_spelling(self, address, tenant):
        assert tenant_of(address) == tenant


class TestResultsFile:
    LONG = dict(changed=True, scans=[dict(id="s1", status="done", more="x" * 1000)] * 3, missing=["m"], total=3)

    def run(self, tmp_path, result=None, **options):
        path = tmp_path / "records" / "scans.json"
        task = make_task(results_file=str(path), **options)

        def work(task):
            task.connection("x", [], lambda: Connection("s3cr3t"))
            if isinstance(result, Exception):
                raise result
            return result or self.LONG

        return path, run_task(work, task, dict(scans=("id", "status")))[0]

    def test_the_mass_goes_into_the_file(self, tmp_path):
        path, result = self.run(tmp_path)
        assert result == dict(
            changed=True,
            total=3,
            scans=[dict(id="s1", status="done")] * 3,
            results_file=str(path),
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
