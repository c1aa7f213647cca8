# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module is given to do its work, and how its end becomes a result of Ansible.

The same `run(task)` of a module is called from two places: by the module itself, and by the action plugin that runs
it inside the controller's process. Private to the collection.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.secops.remediation.plugins.module_utils._common.errors import ItemFailed, MissingLibrary, TaskFailed
from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FileProblem,
    prepare_directory,
    write_atomically,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.redaction import proxy_secrets
from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows, pieces_of
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import (
    Api,
    InShort,
    Item,
    Params,
    Result,
)
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import printable, printable_everywhere
from ansible_collections.secops.remediation.plugins.module_utils._http.client import HttpError, Limiter
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import WaitTimeout, longest
from ansible_collections.secops.remediation.plugins.module_utils._run.handover import file_for, hand_over, taken_over
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger, LedgerError
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._run.started import Sealer, take_over

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

RESULTS_SCHEMA_VERSION = 1
# What is less makes no sense, and is better known before anything is started.
LEAST_WAITS = {"wait_timeout": 0, "wait_interval": 1, "max_age": 0}


class Task:
    """One call of a module.

    params: the validated options. check_mode: whether nothing may be changed. warn(text): shows a warning.
    progress(text): shows a line while the task runs, or None: a module cannot.
    connections: dict in which API connections are kept for the next task of the same process.
    check: raises an exception when nobody waits for the task any more, or None.
    scratch: the folder in which a task leaves what it knows of a rate limit for the next one, or None.
    """

    def __init__(
        self,
        params: Params,
        check_mode: bool,
        warn: Callable[[str], object],
        progress: Callable[[str], object] | None = None,
        connections: dict[Hashable, Any] | None = None,
        check: Callable[[], object] | None = None,
        scratch: str | None = None,
    ) -> None:
        self.params = params
        self.check_mode = check_mode
        self.warn = warn
        self._progress = progress
        self._connections = {} if connections is None else connections
        self.check = check
        self._secrets: list[set[str]] = []
        self._scratch = scratch
        # The limiters whose budgets others will use after this task, by the files in which they are told.
        self._limiters: dict[str, Limiter] = {}

    def say(self, text: str) -> None:
        """Shows how far the task is, where that is possible."""
        if self._progress:
            self._progress(text)

    def connection(self, kind: str, options: Iterable[str], connect: Callable[[], Api]) -> Api:
        """The connection of this kind with these options; connect() makes it if there is none yet."""
        key = (kind, self.check_mode) + tuple(self.params[name] for name in sorted(options))
        if key not in self._connections:
            self._connections[key] = connect()
            self._take_over(kind, self._connections[key])
        connection = self._connections[key]
        # Sets that grow when a token is minted: what is in them at the end of the task is masked in its result.
        self._secrets.append(connection.secrets)
        wait_timeout = self.params.get("wait_timeout")
        connection.client.ends_at = None if wait_timeout is None else time.monotonic() + longest(wait_timeout)
        return connection

    def _take_over(self, kind: str, connection: Any) -> None:
        if not self._scratch:
            return
        # As the systems count: SailPoint each client and version, Xpanse the tenant.
        who = [self.params.get(name) for name in ("client_id", "api_version", "api_key_id")]
        path = file_for(self._scratch, kind, connection.tenant, *[str(part) for part in who])
        connection.client.limiter.take_over(taken_over(path))
        self._limiters[path] = connection.client.limiter

    def hand_over(self) -> None:
        """Leaves what is known of the rate limits for the next task."""
        for path, limiter in self._limiters.items():
            hand_over(path, limiter.knowledge())

    @property
    def secrets(self) -> set[str]:
        """The texts that must never be shown, of all connections."""
        return set(proxy_secrets(os.environ)).union(*self._secrets)


def signature(module: str, params: Params, asks: Iterable[str]) -> Result:
    """What a result says of itself, so that it is known wherever it goes: `module`, the name of the module that it is from,
    and `asked`, by the options that say what is asked for, how many things that were, or the text.

    module: with or without its collection. asks: the names of these options.
    """
    asked = {name: params[name] for name in asks if params.get(name)}
    return dict(
        module=module.rpartition(".")[2],
        asked={name: len(value) if isinstance(value, list) else value for name, value in asked.items()},
    )


def run_task(
    run: Callable[[Task], Result], task: Task, in_short: InShort | None = None, signed: Result | None = None
) -> tuple[Result, set[str]]:
    """Calls run(task) and returns (result, secrets). A failure is a result with `failed` and `msg`.

    in_short: see put_into_file. signed: the signature() of the result.
    """
    try:
        check_waits(task.params)
        result = run(task)
    except TaskFailed as failure:
        result = dict(failure.result, failed=True, msg=failure.msg)
        if isinstance(failure, MissingLibrary):
            result["missing_library"] = failure.library
    except Exception as error:  # pylint: disable=broad-exception-caught
        result = dict(failed=True, msg="%s: %s" % (type(error).__name__, error), exception=traceback.format_exc())
    finally:
        task.hand_over()
    result = dict(result, **(signed or {}))
    # For the next job, and no answer of anybody's: it is not for the record.
    handed_on = {"handed_on": result.pop("handed_on")} if "handed_on" in result else {}
    if task.params.get("results_file") and not task.check_mode:
        # Ansible masks secrets in what it is given; what goes to a file it never sees.
        rows = {name: value for name, value in result.items() if isinstance(value, Rows)}
        masked = remove_values({name: value for name, value in result.items() if name not in rows}, task.secrets)
        result = put_into_file(dict(masked, **rows), task.params["results_file"], in_short or {}, task.secrets)
    return dict(result, **handed_on), set(task.secrets)


def check_waits(params: Params) -> None:
    """Raises TaskFailed where an option that says how long to wait has a value that makes no sense."""
    for name, least in LEAST_WAITS.items():
        if params.get(name) is not None and params[name] < least:
            raise TaskFailed("%s is %d and must be at least %d" % (name, params[name], least))


def put_into_file(result: Result, path: str, in_short: InShort, secrets: Iterable[str] = ()) -> Result:
    """Writes the whole result to a file. Returns what is left for Ansible, which prints, logs, and stores all of it.

    in_short: by the name of a list, the keys that its items keep. Other lists are left out, and all are counted.
    secrets: what must not be in Rows, which nobody has looked at yet.
    """
    lists = {name: value for name, value in result.items() if isinstance(value, (list, Rows))}
    try:
        prepare_directory(os.path.dirname(os.path.abspath(path)), "the folder of results_file")
        write_atomically(
            path,
            pieces_of(
                dict(
                    {name: value for name, value in result.items() if name != "exception"}, schema_version=RESULTS_SCHEMA_VERSION
                ),
                lambda row: text_without(row, secrets),
            ),
        )
    except (OSError, FileProblem) as error:
        # Nothing that was had is lost.
        problem = "Cannot write results_file %s: %s" % (path, getattr(error, "strerror", None) or error)
        whole = {name: list(value) if isinstance(value, Rows) else value for name, value in result.items()}
        return dict(whole, failed=True, msg="\n".join(text for text in (result.get("msg"), problem) if text))
    short = {name: value for name, value in result.items() if name not in lists}
    short.update(
        {
            name: [{key: item.get(key) for key in in_short[name]} for item in value]
            for name, value in lists.items()
            if name in in_short
        }
    )
    return dict(short, results_file=path, counts={name: len(value) for name, value in lists.items()})


def text_without(row: dict[str, Any], secrets: Iterable[str]) -> str:
    """A row of Rows as JSON text without secrets. Nearly none has one, and going through each value of 200,000 takes long."""
    text = json.dumps(row, separators=(",", ":"))
    return json.dumps(remove_values(row, secrets)) if any(json.dumps(secret)[1:-1] in text for secret in secrets) else text


def run_module(
    module: AnsibleModule, run: Callable[[Task], Result], in_short: InShort | None = None, asks: Iterable[str] = ()
) -> None:
    """Runs a module: module is its AnsibleModule. asks: the options that say what is asked for; of one without, the result
    does not travel."""
    from ansible.module_utils.basic import missing_required_lib

    task = Task(module.params, module.check_mode, lambda text: module.warn(printable(text)))
    signed = signature(module._name, module.params, asks) if asks else None  # pylint: disable=protected-access
    result, secrets = run_task(run, task, in_short, signed)
    module.no_log_values.update(secrets)
    if "missing_library" in result:
        result["msg"] = missing_required_lib(result.pop("missing_library"))
    if result.pop("failed", False):
        module.fail_json(**printable_everywhere(result))
    module.exit_json(**result)


def settle(
    items: Sequence[Item],
    endings: Iterable[Exception | None],
    names: Iterable[str],
    noun: str,
    timeout_advice: str,
    without_answer: tuple[str, str] | None = None,
    **result: Any,
) -> Result:
    """The result of a task over a list: returned if every item was done, else raised as TaskFailed, with the list.

    items: the result of each, which is given an `error` where it ended with one; its `status` says what still runs.
    endings: from batch.drive. names: how a message calls each item. noun: what they are, in the plural.
    timeout_advice: how to go on after a timeout. without_answer: of items that have an `outcome`, what becomes of it where
    the wait ended first, and where an error did.
    """
    failed, unfinished = [], []
    if without_answer is None and any("outcome" in item for item in items):
        raise TypeError("say what becomes of an outcome without an answer")
    for item, ending, name in zip(items, endings, names):
        if ending is None:
            continue
        if isinstance(ending, WaitTimeout):
            if item.get("status") is None:
                item.setdefault("last_error", "nobody looked at it within wait_timeout")
            if without_answer and "outcome" in item:
                item["outcome"] = without_answer[0]
            unfinished.append(
                "%s (%s)" % (name, ", ".join(str(text) for text in (item.get("status"), item.get("last_error")) if text))
            )
            continue
        known = isinstance(ending, (ItemFailed, HttpError, LedgerError))
        item["error"] = str(ending) if known else "%s: %s" % (type(ending).__name__, ending)
        if without_answer and "outcome" in item:
            # Whatever was known before, an error is never an answer.
            item["outcome"] = without_answer[1]
        failed.append("%s: %s" % (name, item["error"]))
        if not known:
            result["exception"] = "".join(traceback.format_exception(type(ending), ending, ending.__traceback__))
    sentences = []
    if failed:
        sentences.append("%d of %d %s failed: %s" % (len(failed), len(items), noun, enumerate_some(failed)))
    if unfinished:
        sentences.append(
            "%d of %d %s did not finish within wait_timeout: %s. %s"
            % (len(unfinished), len(items), noun, enumerate_some(unfinished, most=100), timeout_advice)
        )
    if sentences:
        raise TaskFailed("\n".join(sentences), **result)
    return result


def named(identifier: str) -> str:
    """How a message calls something by its id: a blank one is shown as such."""
    return identifier if identifier.strip() else repr(identifier)


def enumerate_some(texts: Sequence[str], most: int = 20) -> str:
    """The texts in a row; where there are too many for a readable message, the first ones and how many more."""
    more = len(texts) - most
    return "; ".join(texts[:most]) + ("; and %d more, see the returned list" % more if more > 0 else "")


def pace_of(task: Task, limiter: Limiter, durations: Collection[float] = (), **how: Any) -> Pace:
    """The Pace that a task's options ask for. durations, how: see Pace."""
    return Pace(task.params["wait_interval"], limiter.seconds_for, durations, **how)


def open_ledger(task: Task) -> Ledger:
    """The Ledger that a task's options name. Raises TaskFailed."""
    try:
        return Ledger(task.params["ledger"], task.check_mode, min(60, longest(task.params["wait_timeout"])))
    except LedgerError as error:
        raise TaskFailed(str(error)) from error


def open_sealer(task: Task, ledger: Ledger, kind: str, tenant: str, secret: str) -> tuple[Sealer | None, str]:
    """(what seals what is handed on, or None where nothing is; what of `started` could not be taken, or "").

    What could be is in the ledger then. kind, tenant, secret: see Sealer.
    """
    parts = task.params["started"] or []
    if not parts and not task.params["hand_on"]:
        return None, ""
    sealer = Sealer(kind, tenant, secret)
    problems = take_over(parts, sealer, ledger)
    if not problems:
        return sealer, ""
    untaken = printable("Of what start has handed on, not all could be taken: %s" % enumerate_some(problems, most=5))
    task.warn(untaken + ".")
    return sealer, untaken


def close_ledger(task: Task, ledger: Ledger) -> None:
    """Writes what is left. A ledger that cannot be written fails no scan, but the user must know what it does not hold."""
    try:
        ledger.close()
    except LedgerError as error:
        lost = [
            "%s %s"
            % (key.partition("://")[2].partition("/")[2], "(scan %s)" % record["scan_id"] if record.get("scan_id") else "")
            for key, record in ledger.unwritten().items()
        ]
        task.warn(
            "%s Not recorded: %s. The next run finds of these what still runs, and starts no second scan beside it."
            % (error, enumerate_some([name.strip() for name in lost], most=1000))
        )
