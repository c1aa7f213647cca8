# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module's own code inside the controller's process. Private to the collection.

A module costs a third of a second before its first line runs, and a new token and connection each time. Where the
connection is local, none of that is needed: the action plugin of the same name calls the module's `run()` right here.
It also keeps credentials out of temporary files, lets the task say how far it is while it waits, and lets a loop
share one token and one pool of connections.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Hashable, Mapping
from types import ModuleType
from typing import Any

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import RequiredError, UnsupportedError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import callback_loader

from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import ArgumentSpec, Params, Result
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import printable, printable_everywhere
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task, signature

# For the items of a loop, which all run in one worker process.
CONNECTIONS: dict[Hashable, Any] = {}
# Characters of an option that a result shows.
MOST_SHOWN = 4000
# Its credentials are in the environment of whoever runs the play, and its evidence is theirs.
NEVER_BECOMES = "secops.remediation.verify"


class InProcessAction(ActionBase):
    """An action plugin for a module of the collection. `module` is the Python module with run and ARGUMENT_SPEC."""

    module: ModuleType
    _supports_check_mode = True
    _supports_async = True
    _requires_connection = False

    def run(self, tmp: object = None, task_vars: Mapping[str, Any] | None = None) -> Result:
        """Runs the module, here if that makes no difference, else where and how it was asked for."""
        result = super().run(tmp, task_vars)
        if self._task._role and self._task._role.get_name() == NEVER_BECOMES:
            # A variable, ansible_become, outranks the `become: false` that the role's tasks have.
            self._connection.set_become_plugin(None)
        if self._makes_a_difference():
            return self._run_as_module(result, task_vars)
        spec = self.module.ARGUMENT_SPEC
        # Values may be of types that only the templating engine knows; a module would be given plain JSON, too.
        self._task.args = json.loads(json.dumps(self._task.args, default=str))
        validation = ArgumentSpecValidator(spec, **getattr(self.module, "RULES", {})).validate(self._task.args)
        params = validation.validated_parameters
        hidden = {str(params[name]) for name, option in spec.items() if option.get("no_log") and params.get(name)}
        if validation.error_messages:
            # As a result, like a module's, so that `failed_when` sees it. An exception would show all the arguments.
            text = validation.errors.msg
            if isinstance(validation.errors[0], UnsupportedError):
                text = "Unsupported parameters for (%s) module: %s" % (self._task.action, text)
            elif isinstance(validation.errors[0], RequiredError):
                text += where_to_set(spec, params, self._task.action)
            failure = dict(result, failed=True, changed=False, msg=printable(remove_values(text, hidden)))
            return dict(failure, **(self._signature(self._task.args) or {}))

        for deprecation in validation._deprecations:
            self._display.deprecated(
                deprecation["msg"], version=deprecation.get("version"), collection_name=deprecation.get("collection_name")
            )
        warnings: list[str] = []
        task = Task(
            params,
            self._task.check_mode,
            warnings.append,
            self._say(task_vars),
            CONNECTIONS,
            check_parent(),
            # Ansible's own folder for temporary files, in which each run has one that goes with it. This one stays.
            os.path.dirname(C.DEFAULT_LOCAL_TMP),
        )
        try:
            returned, secrets = run_task(self.module.run, task, getattr(self.module, "IN_SHORT", None), self._signature(params))
        except BaseException:
            # Their waits were ended for good.
            CONNECTIONS.clear()
            raise
        if returned.get("missing_library"):
            return self._run_as_module(result, task_vars)
        if warnings:
            returned["warnings"] = list(map(printable, warnings))
        if returned.get("failed"):
            # All of it is shown, whatever an API wrote there.
            returned = printable_everywhere(returned)
        returned["invocation"] = {
            "module_args": {
                name: "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" if spec[name].get("no_log") else in_short(value)
                for name, value in params.items()
            }
        }
        result.update(json.loads(json.dumps(remove_values(returned, hidden | secrets))))
        return result

    def _signature(self, params: Params) -> Result | None:
        """What the result says of itself; None of a module whose result does not travel."""
        asks = getattr(self.module, "ASKS", ())
        return signature(self._task.action, params, asks) if asks else None

    def _makes_a_difference(self) -> bool:
        return (
            self._connection.transport != "local"
            or self._task.async_val
            or self._connection.become
            or any(self._task.environment or ())
        )

    def _run_as_module(self, result: Result, task_vars: Mapping[str, Any] | None) -> Result:
        wrap_async = self._task.async_val and not self._connection.has_native_async
        result.update(self._execute_module(task_vars=task_vars, wrap_async=wrap_async))
        if not wrap_async:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _say(self, task_vars: Mapping[str, Any] | None) -> Callable[[str], object]:
        host = (task_vars or {}).get("inventory_hostname", "localhost")
        aside = not stdout_is_for_people()
        return lambda text: self._display.display(printable("[%s] %s" % (host, text)), stderr=aside)


def where_to_set(spec: ArgumentSpec, params: Params, action: str) -> str:
    """Where the connection's required options that are missing may be set, as a sentence; "" where none is missing.

    Who uses the role has never written their names anywhere.
    """
    missing = {
        name: option["fallback"][1]
        for name, option in spec.items()
        if option.get("required") and option.get("fallback") and params.get(name) is None
    }
    system = action.rpartition(".")[2].partition("_")[0]
    ways = [
        "%s in the environment variable %s, as the module's option, or as the variable %s_%s of the playbook "
        "secops.remediation.verify" % (name, " or ".join(variables), system, name)
        for name, variables in missing.items()
    ]
    return ": set %s" % "; ".join(ways) if ways else ""


def stdout_is_for_people() -> bool:
    """Whether what writes to stdout is Ansible's own output, or made of it, and not a document for a machine."""
    callback = callback_loader.get(C.DEFAULT_STDOUT_CALLBACK, class_only=True)
    return callback is None or any(base.__module__ == "ansible.plugins.callback.default" for base in callback.__mro__)


def check_parent() -> Callable[[], None]:
    """A function that ends this process when the playbook that it works for is gone."""
    playbook = os.getppid()

    def check() -> None:
        # A worker lives on when the run that it belongs to is killed, and would ask for hours for nobody.
        if os.getppid() != playbook:
            raise SystemExit("the run has ended")

    return check


def in_short(value: object) -> object:
    """A list of thousands is stored with each result, and nobody reads it there."""
    if isinstance(value, (list, dict)) and len(json.dumps(value)) > MOST_SHOWN:
        return "%d items" % len(value)
    return value
