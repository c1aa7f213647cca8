# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How work ends that cannot be done: for one item of a list, or for a whole task. Private to the collection."""

from __future__ import annotations

from typing import Any


class ItemFailed(Exception):
    """One item of a list cannot be done. The text says why and what to do."""


class TaskFailed(Exception):
    """Ends the task as failed. result: what the task returns all the same, so that nothing that was had is lost."""

    def __init__(self, msg: str, **result: Any) -> None:
        self.msg = msg
        self.result = result
        super().__init__(msg)


class MissingLibrary(TaskFailed):
    """A Python library that the user has to install is not there."""

    def __init__(self, library: str, import_error: str) -> None:
        self.library = library
        super().__init__("%s is missing" % library, exception=import_error)
