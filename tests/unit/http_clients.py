# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the HTTP rules share."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.secops.remediation.plugins.module_utils._http.client import ApiError

SECRET = "s3cr3t/with+odd \"signs\" & 'more'"
TOKEN = "Bearer abc.def-ghi"


class Key:
    """An authentication that cannot be renewed."""

    def __init__(self, secrets=("abc.def-ghi", SECRET), header=TOKEN):
        self.secrets = set(secrets)
        self._header = header
        self.asked = 0

    def headers(self):
        """Counts how often it is asked."""
        self.asked += 1
        return {"Authorization": self._header, "X-Attempt": str(self.asked)}

    def renew(self, used_headers):
        """Never."""
        return False


def explain(status, body):
    """A small dialect."""
    body = body if isinstance(body, dict) else {}
    return ApiError(body.get("code"), body.get("text"), body.get("reference"))


def texts_of(error):
    """Everything that anybody could show of an exception."""
    return "\n".join(
        [
            str(error),
            repr(error),
            repr(vars(error)),
            "".join(traceback.format_exception(type(error), error, error.__traceback__)),
        ]
    )


def in_threads(count, work):
    """Runs work(number) in so many threads at once and returns the results in order."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))
