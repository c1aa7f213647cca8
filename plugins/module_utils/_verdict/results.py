# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way of the modules' results to whoever judges them: from what a playbook registered, in whatever order and shape,
to one result a name. Whatever is lost on the way is said. Private to the collection.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows, read_document
from ansible_collections.secops.remediation.plugins.module_utils._common.shapes import Item, Result
from ansible_collections.secops.remediation.plugins.module_utils._common.texts import dict_at, one_line
from ansible_collections.secops.remediation.plugins.module_utils._common.times import in_utc
from ansible_collections.secops.remediation.plugins.module_utils._verdict.answers import exchanges_in
from ansible_collections.secops.remediation.plugins.module_utils._verdict.system import Answers, Results, System

# What Ansible and the way from module to module add to a result; none of it was said by an API.
NOT_ON_RECORD = (
    "invocation",
    "exception",
    "module_stdout",
    "module_stderr",
    "warnings",
    "deprecations",
    "ansible_facts",
    "counts",
    "results_file",
    "run",
)
# What two results of one name may differ in, beside their lists.
OF_EACH_RESULT = ("changed", "failed", "msg", "asked", "total", "truncated", "errors", "failed_when_result", "schema_version")
LONGEST_MESSAGE = 1000


def sort_results(results: Any, systems: Sequence[System]) -> tuple[dict[str, Result], list[str]]:
    """(the results by name, what is wrong with the list in sentences).

    results: what was registered, a list of results of modules. One of a task that was left out is passed over. Of an item
    that two results have, the one that was answered last counts.
    """
    found: dict[str, Result] = {}
    problems: list[str] = []
    if not isinstance(results, list):
        return found, ["The results are no list, but %.100r." % (results,)]
    for number, registered in enumerate(results, 1):
        result = whole(registered, systems)
        if result.get("skipped") and not any(isinstance(value, (list, Rows)) and value for value in result.values()):
            continue
        answers = answers_of(result, systems)
        if answers is None:
            problems.append(nobodys(number, result))
            continue
        result, damage = tidy(result, answers)
        if damage:
            problems.append("Result number %d of %s: %s" % (number, answers.module, damage))
        different = differs(found[answers.name], result, answers) if answers.name in found else None
        if different:
            problems.append(
                "Result number %d cannot be judged together with another one of %s: their %s differ."
                % (number, answers.module, different)
            )
            continue
        found[answers.name] = merged(found.get(answers.name, {}), result, answers)
    return found, problems


def nobodys(number: int, result: Result) -> str:
    """What is said of a result that is of no module that is known."""
    message = one_line(result.get("msg"), LONGEST_MESSAGE)
    return "Result number %d is of %s%s" % (
        number,
        "the module %s, which is not known here" % one_line(result["module"], 100)
        if result.get("module")
        else "no module that says its name",
        ": %s" % message if message else ".",
    )


def answers_of(result: Result, systems: Iterable[System]) -> Answers | None:
    """What a result is, or None where no system has a module of that name."""
    mine = [answers for system in systems for answers in system.answers if answers.module == result.get("module")]
    asked = dict_at(result, "asked")
    return next((answers for answers in sorted(mine, key=lambda one: one.asked is None) if answers.asked in (None, *asked)), None)


def whole(result: Any, systems: Iterable[System]) -> Result:
    """A result with all its lists, wherever they are. One whose file cannot be read has failed."""
    if isinstance(result, str):
        with contextlib.suppress(ValueError, RecursionError):
            result = json.loads(result)
    if result in (None, ""):
        return {}
    if not isinstance(result, dict):
        return failed("what was registered is no result of a module, but %.100r" % (result,))
    path = result.get("results_file")
    if not path:
        return result
    try:
        content = read_document(path, [answers.rows for system in systems for answers in system.answers if answers.rows])
        check_content(content, result)
        return dict(result, **{name: value for name, value in content.items() if value is not None})
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        return dict(
            failed("the results in %s cannot be read (%s)" % (path, getattr(error, "strerror", None) or error)),
            **{name: result[name] for name in ("module", "asked") if name in result},
        )


def check_content(content: Result, result: Result) -> None:
    """Raises ValueError where the content of a file is not that of this result.

    A task that failed before it could write leaves the file of an earlier one.
    """
    if "run" in content:
        raise ValueError("they are on record for the run %s" % content["run"])
    if result.get("failed") and not content.get("failed"):
        raise ValueError("they are of another task, which did not fail")
    for name, count in objects_in(result, "counts"):
        found = len(listed_in(content, name))
        if found != count:
            raise ValueError("they are of another task, with %d %s instead of %s" % (found, name, count))


def tidy(result: Result, answers: Answers) -> tuple[Result, str]:
    """(a result without what is no part of an answer, what is wrong with it). Lists that are none, and items that are no
    objects, are left out and said."""
    tidied: Result = {}
    odd = []
    for name, value in result.items():
        if name in NOT_ON_RECORD or name.startswith("_ansible") or value is None:
            continue
        if isinstance(value, Rows) and name != answers.rows:
            value = list(value)
        if (name in answers.lists or name == "requests") and not isinstance(value, Rows):
            items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
            if not isinstance(value, list) or len(items) < len(value):
                odd.append(name)
            value = items
        tidied[name] = value
    damaged = ""
    if odd:
        damaged = "The result was damaged on the way: %s is not as the module returns it." % " and ".join(odd)
        tidied["msg"] = " ".join(text for text in (str(tidied.get("msg") or ""), damaged) if text)
    try:
        json.dumps({name: value for name, value in tidied.items() if not isinstance(value, Rows)})
    except (TypeError, ValueError, RecursionError) as error:
        reason = "the result cannot be written down (%s)" % type(error).__name__
        return failed(reason), reason
    return tidied, damaged


def failed(reason: str) -> Result:
    """The result of a task that brought nothing."""
    return dict(failed=True, msg=reason)


def without_answers(results: Results, names: Iterable[str], reason: str) -> Results:
    """The results, in which nothing is answered of what these names have: who asked is told that there is no answer."""
    return dict(results, **{name: failed(reason) for name in names if results.get(name)})


def differs(earlier: Result, later: Result, answers: Answers) -> str:
    """The names of what two results of a name say differently of themselves; "" where they can be judged together."""
    names = [
        name
        for name in later
        if name not in OF_EACH_RESULT
        and (answers.alone or not isinstance(later[name], (list, Rows)))
        and earlier.get(name, later[name]) != later[name]
    ]
    # Only a result that says nothing may lack it.
    both_say = all(any(listed_in(one, name) for name in answers.lists) for one in (earlier, later))
    if both_say and "base_url" not in names and earlier.get("base_url") != later.get("base_url"):
        names.append("base_url")
    return " and ".join(names)


def merged(earlier: Result, later: Result, answers: Answers) -> Result:
    """Two results of a name as one. What one of them does not have, or could not do, the other one does not make good."""
    both = dict(earlier, **later)
    for name in {name for result in (earlier, later) for name, value in result.items() if isinstance(value, list)}:
        items = [*listed_in(earlier, name), *listed_in(later, name)]
        if name in answers.lists and not answers.alone:
            both[name] = answered_last(items, answers.lists[name])
        elif earlier and not answers.alone:
            both[name] = list({repr(item): item for item in items}.values())
    for name in ("failed", "changed", "truncated"):
        if name in both:
            # Both have to say that nothing was cut off.
            both[name] = any(result.get(name, name == "truncated") is not False for result in (earlier, later) if result)
    for name in ("asked", "errors"):
        if name in both:
            both[name] = {key: value for result in (earlier, later) for key, value in objects_in(result, name)}
    messages = list(dict.fromkeys(str(result["msg"]) for result in (earlier, later) if result.get("msg")))
    if messages:
        both["msg"] = " ".join(messages)
    return both


def answered_last(items: Iterable[Item], tell_apart: Callable[[Item], Any]) -> list[Item]:
    """Of items that are about the same, the one that was answered last, and one that was not answered where it is the last."""
    found: dict[str, Item] = {}
    for item in items:
        key = repr(tell_apart(item))
        # Only of a double the times are read: there are thousands of items, and hardly ever one.
        if key not in found or not last_time(item) or last_time(item) >= last_time(found[key]):
            found[key] = item
    return list(found.values())


def last_time(item: Item) -> str:
    """When an item was answered last, as text in UTC by the server's clock; "" where nobody knows."""
    return max((in_utc(exchange.get("server_time")) or "" for exchange in exchanges_in(item)), default="")


def listed_in(result: Result, name: str) -> list[Any] | Rows:
    """A list of a result, [] where it has none."""
    return result[name] if isinstance(result.get(name), (list, Rows)) else []


def objects_in(result: Result, name: str) -> Iterable[tuple[str, Any]]:
    """What is in an object of a result, nothing where it has none."""
    return result[name].items() if isinstance(result.get(name), dict) else ()
