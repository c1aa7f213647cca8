# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one task knows of an API's rate limit, handed to the next one in a small file. Private to the collection.

Each task runs in a process of its own, and without this it would have to assume that the one before it, or the run before,
has just used up the budget. It holds moments and numbers, and nothing that is a secret. Whatever is wrong with it costs
speed at most.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any

from ansible_collections.secops.remediation.plugins.module_utils._common.files import (
    FILE_MODE,
    FileProblem,
    open_regular,
    write_atomically,
)


def file_for(folder: str, *budget: str) -> str:
    """The path of the file for a budget. budget: texts that tell it from all others, such as the tenant and the client."""
    name = hashlib.sha256(json.dumps(budget).encode("utf-8")).hexdigest()[:32]
    return os.path.join(folder, "secops.remediation-%s.json" % name)


def taken_over(path: str) -> dict[str, Any]:
    """What the task before has left, {} where that is nothing sound."""
    try:
        with open_regular(path, follow=False) as file:
            left = json.loads(file.read(1024 * 1024).decode("utf-8"))
    except (OSError, ValueError, RecursionError, FileProblem):
        return {}
    return left if isinstance(left, dict) else {}


def hand_over(path: str, knowledge: dict[str, Any]) -> None:
    """Leaves it for the next task."""
    with contextlib.suppress(OSError, ValueError, FileProblem):
        write_atomically(path, json.dumps(knowledge) + "\n", FILE_MODE, follow=False)
