# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's code inside the controller's process."""

from __future__ import annotations

import json
from importlib import import_module
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._http.limiter import Limiter
from ansible_collections.secops.remediation.plugins.plugin_utils import in_process
from ansible_collections.secops.remediation.plugins.plugin_utils.in_process import InProcessAction

SPEC = dict(
    name=dict(type="str", required=True),
    number=dict(type="int", default=5),
    secret=dict(type="str", no_log=True),
    items=dict(type="list", elements="str"),
)


@pytest.fixture(autouse=True)
def _no_connections(monkeypatch, tmp_path):
    monkeypatch.setattr(in_process, "CONNECTIONS", {})
    monkeypatch.setattr(in_process.C, "DEFAULT_LOCAL_TMP", str(tmp_path / "ansible-local-1"))


@pytest.fixture
def make_action():
    """Makes an action plugin around run(task), as Ansible would."""

    def make(run, args=None, check_mode=False, async_val=0, environment=None, become=None, transport="local", rules=None):
        task = MagicMock(
            args=dict({"name": "n"}, **(args or {})),
            check_mode=check_mode,
            async_val=async_val,
            environment=environment or [],
            action="secops.remediation.x",
            collections=[],
            delegate_to=None,
            no_log=False,
            diff=False,
        )
        connection = MagicMock(transport=transport, become=become, has_native_async=False)
        connection._shell.tmpdir = None
        action = InProcessAction(task, connection, MagicMock(), MagicMock(), MagicMock(), MagicMock())
        action.module = SimpleNamespace(run=run, ARGUMENT_SPEC=SPEC, **({"RULES": rules} if rules else {}))
        action._display = MagicMock()
        action._execute_module = MagicMock(return_value={"changed": False, "ran": "as a module"})
        action._remove_tmp_path = MagicMock()
        return action

    return make


def test_runs_here(make_action):
    seen = []

    def run(task):
        seen.append((task.params, task.check_mode))
        return dict(changed=True, things=(1, 2))

    action = make_action(run, {"number": "7", "items": "a,b"}, check_mode=True)
    result = action.run(None, {})
    assert seen == [(dict(name="n", number=7, secret=None, items=["a", "b"]), True)]
    assert result["changed"] is True and result["things"] == [1, 2]
    assert "failed" not in result and "warnings" not in result
    action._execute_module.assert_not_called()


def test_what_is_not_plain_json_becomes_it(make_action):
    """As it would on its way to a module."""

    class Odd:
        def __str__(self):
            return "odd"

    result = make_action(lambda task: dict(type=type(task.params["name"]).__name__), {"name": Odd()}).run(None, {})
    assert result["type"] == "str"


@pytest.mark.parametrize(
    "asked",
    [dict(transport="ssh"), dict(async_val=30), dict(become=MagicMock()), dict(environment=[{"HTTPS_PROXY": "x"}])],
)
def test_runs_as_a_module_where_it_makes_a_difference(make_action, asked):
    ran = []
    action = make_action(ran.append, **asked)
    result = action.run(None, {"a": 1})
    assert result["ran"] == "as a module" and not ran
    action._execute_module.assert_called_once_with(task_vars={"a": 1}, wrap_async=bool(asked.get("async_val")))


@pytest.mark.parametrize("environment", [[], [{}], [None]])
def test_an_environment_without_anything_makes_none(make_action, environment):
    assert make_action(lambda task: dict(here=True), environment=environment).run(None, {})["here"]


def test_a_missing_library_may_be_there_for_the_module(make_action):
    def run(task):
        raise MissingLibrary("requests", "Traceback")

    assert make_action(run).run(None, {})["ran"] == "as a module"


def test_failed_keeps_what_was_had(make_action):
    def run(task):
        task.warn("careful")
        raise TaskFailed("no", scans=[1])

    result = make_action(run).run(None, {})
    assert (result["failed"], result["msg"], result["scans"], result["warnings"]) == (True, "no", [1], ["careful"])


def connection(secrets):
    """A connection to an API, as far as a task knows it."""
    return SimpleNamespace(secrets=secrets, client=SimpleNamespace(limiter=Limiter(0)), tenant="https://acme.example")


def test_secrets_are_hidden_wherever_they_are(make_action):
    def run(task):
        task.connection("x", [], lambda: connection({"minted-token"}))
        raise TaskFailed("got minted-token for s3cr3t", deep=[{"a": "x s3cr3t y", "b": ["minted-token"]}], number=5)

    result = make_action(run, {"secret": "s3cr3t"}).run(None, {})
    text = json.dumps(result)
    assert "s3cr3t" not in text and "minted-token" not in text
    assert result["invocation"]["module_args"]["secret"] == "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
    assert result["invocation"]["module_args"]["name"] == "n"
    # Numbers and ids are not stars.
    assert result["number"] == 5


def test_the_next_task_takes_over_what_this_one_knows_of_the_limit(make_action, tmp_path):
    sent = []

    def run(task):
        limiter = Limiter(10)
        task.connection("x", [], lambda: SimpleNamespace(secrets=set(), client=SimpleNamespace(limiter=limiter), tenant="t"))
        sent.append(len(limiter.knowledge()["sent"]))
        for _request in range(4):
            limiter.acquire()
        in_process.CONNECTIONS.clear()
        return {}

    for _task in range(2):
        make_action(run).run(None, {})
    # The first one knows that nobody has sent anything; and a gentle start would have pretended so.
    assert sent == [0, 4]
    (file,) = tmp_path.glob("secops.remediation-*.json")
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_secret_hides_nothing(make_action):
    assert make_action(lambda task: dict(text="a b"), {"secret": ""}).run(None, {})["text"] == "a b"


@pytest.mark.parametrize(
    "args, rules, words",
    [
        ({"number": "many"}, None, "number"),
        ({"nonsense": 1}, None, "nonsense"),
        ({}, dict(required_one_of=[("secret", "items")]), "secret"),
    ],
)
def test_options_are_checked(make_action, args, rules, words):
    ran = []
    result = make_action(ran.append, args, rules=rules).run(None, {})
    # A result, as a module's is, because `failed_when` cannot see an exception.
    assert result["failed"] is True and words in result["msg"]
    assert not ran


@pytest.mark.parametrize("args, told", [({}, 0), ({"old": "x"}, 1)])
def test_an_option_that_goes_is_told_only_where_it_is_used(make_action, args, told):
    action = make_action(lambda task: dict(changed=False), args)
    gone = dict(type="str", default="", removed_in_version="1.0.0", removed_from_collection="secops.remediation")
    action.module = SimpleNamespace(run=action.module.run, ARGUMENT_SPEC=dict(SPEC, old=gone))
    assert "failed" not in action.run(None, {})
    calls = action._display.deprecated.call_args_list
    assert len(calls) == told
    for call in calls:
        assert "'old' is deprecated" in call.args[0] and call.kwargs == dict(
            version="1.0.0", collection_name="secops.remediation"
        )


def test_a_result_that_travels_says_what_it_is(make_action):
    action = make_action(lambda task: dict(changed=False), {"items": "a,b"})
    action.module = SimpleNamespace(run=action.module.run, ARGUMENT_SPEC=SPEC, ASKS=("items", "secret"))
    result = action.run(None, {})
    assert (result["module"], result["asked"]) == ("x", {"items": 2})
    # As well if its options are wrong.
    action._task.args["number"] = "many"
    wrong = action.run(None, {})
    assert wrong["failed"] and wrong["module"] == "x"


def test_progress_is_displayed_with_the_host(make_action):
    def run(task):
        task.say("1 of 2")
        return {}

    action = make_action(run)
    action.run(None, {"inventory_hostname": "acme"})
    action._display.display.assert_called_once_with("[acme] 1 of 2", stderr=False)


CALLBACK_FOR_MACHINES = """
DOCUMENTATION = "{name: document, type: stdout, short_description: A document, description: [One.]}"
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "document"
"""
CALLBACK_FOR_PEOPLE = """
DOCUMENTATION = "{name: nicer, type: stdout, short_description: Nicer, description: [One.]}"
from ansible.plugins.callback.default import CallbackModule as Default
class CallbackModule(Default):
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "nicer"
"""


@pytest.mark.parametrize(
    "name, code, aside",
    [
        ("default", None, False),
        ("ansible.builtin.default", None, False),
        ("minimal", None, True),
        ("document", CALLBACK_FOR_MACHINES, True),
        ("nicer", CALLBACK_FOR_PEOPLE, False),
    ],
)
def test_progress_leaves_stdout_to_a_document(make_action, monkeypatch, tmp_path, name, code, aside):
    if code:
        (tmp_path / ("%s.py" % name)).write_text(code)
        in_process.callback_loader.add_directory(str(tmp_path))
    monkeypatch.setattr(in_process.C, "DEFAULT_STDOUT_CALLBACK", name)
    action = make_action(lambda task: task.say("1 of 2") or {})
    action.run(None, {})
    action._display.display.assert_called_once_with("[localhost] 1 of 2", stderr=aside)


def test_nothing_raw_is_shown(make_action):
    """Neither while it works nor when it fails, whatever an API wrote."""

    def run(task):
        task.say("\x1b[2J")
        task.warn("\x9b")
        raise TaskFailed("bell \x07", scans=[{"error": "a\u202eb"}])

    action = make_action(run)
    result = action.run(None, {})
    action._display.display.assert_called_once_with("[localhost] \\x1b[2J", stderr=False)
    assert (result["msg"], result["scans"], result["warnings"]) == ("bell \\x07", [{"error": "a\\u202eb"}], ["\\x9b"])
    assert make_action(lambda task: {}, {"number": "\x1b"}).run(None, {})["msg"].count("\\x1b") == 1


def test_what_succeeds_is_as_the_api_wrote_it(make_action):
    assert make_action(lambda task: dict(name="a\u202eb")).run(None, {})["name"] == "a\u202eb"


@pytest.mark.parametrize("role, becomes", [("secops.remediation.verify", False), ("verify", True), (None, True)])
def test_the_role_never_becomes(make_action, role, becomes):
    action = make_action(lambda task: dict(ran="here"), become=MagicMock())
    action._task._role = role and MagicMock(**{"get_name.return_value": role})
    action._connection.set_become_plugin = lambda plugin: setattr(action._connection, "become", plugin)
    assert action.run(None, {})["ran"] == ("as a module" if becomes else "here")


def test_the_items_of_a_loop_share_a_connection(make_action):
    made = []

    class Connection:
        secrets = {"token"}
        client = SimpleNamespace()

        def __init__(self):
            made.append(self)

    def run(task):
        task.connection("x", ["name"], Connection)
        return dict(text="token")

    results = [make_action(run, {"name": name}).run(None, {}) for name in ("n", "n", "other")]
    assert len(made) == 2
    # Of the second item, too, for which nothing was minted.
    assert "token" not in json.dumps(results)


def test_after_an_interruption_connections_are_made_anew(make_action):
    """Their waits were ended for good."""

    def run(task):
        task.connection("x", [], lambda: connection(set()))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_action(run).run(None, {})
    assert in_process.CONNECTIONS == {}


@pytest.mark.parametrize(
    "name, required",
    [
        ("xpanse_alert_info", {"base_url": "CORTEX_FQDN", "api_key_id": "CORTEX_API_KEY_ID", "api_key": "CORTEX_API_KEY"}),
        ("sailpoint_campaign_info", {"base_url": "SAIL_BASE_URL"}),
    ],
)
def test_missing_setting_says_where_to_set_it(make_action, monkeypatch, name, required):
    module = import_module("ansible_collections.secops.remediation.plugins.modules.%s" % name)
    for variable in required.values():
        monkeypatch.delenv(variable, raising=False)
    for given in ([], list(required)[1:]):
        action = make_action(None)
        action._task.action = "secops.remediation." + name
        action._task.args = dict.fromkeys(given, "https://given.example")
        action.module = module
        text = action.run(None, {})["msg"]
        assert text.startswith("missing required arguments: ")
        for option, variable in required.items():
            told = "%s in the environment variable %s, " % (option, variable)
            assert (told in text) == (option not in given)
            assert ("variable %s_%s of the playbook" % (name.partition("_")[0], option) in text) == (option not in given)


def test_other_option_that_is_missing_has_no_such_place(make_action):
    action = make_action(None)
    action._task.args = {}
    assert action.run(None, {})["msg"] == "missing required arguments: name"
