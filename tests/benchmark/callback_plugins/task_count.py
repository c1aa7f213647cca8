# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts the tasks of a run and the size of their results, for the benchmark: AWX stores each of them."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_count
type: aggregate
short_description: Count the tasks of a run and the size of their results
description: Writes a JSON object to the file that BENCHMARK_TASKS names.
"""


class CallbackModule(CallbackBase):
    """Sees every result as AWX does."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "task_count"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.tasks = 0
        self.results = {}

    def _add(self, result):
        self.tasks += 1
        size = len(json.dumps(result._result, default=str))
        name = result._task.get_name()
        self.results[name] = max(self.results.get(name, 0), size)

    def v2_runner_on_ok(self, result):
        """A task that was done."""
        self._add(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A task that failed."""
        self._add(result)

    def v2_playbook_on_stats(self, stats):
        """The end of the run."""
        with open(os.environ["BENCHMARK_TASKS"], "w", encoding="utf-8") as file:
            json.dump({"tasks": self.tasks, "results": self.results}, file)
