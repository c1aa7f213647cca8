# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The breaker: what all requests share may be away, and then waiting for it once is enough. Private to the collection."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable

from ansible_collections.secops.remediation.plugins.module_utils._http.errors import HttpError

# Less than anybody waits between two looks, so that the end of an outage is seen by the next one.
COOL_DOWN = 2.0
# Without retries a single bad moment would otherwise end everything else.
LEAST_PATIENCE = 1.0


class Breaker:
    """Knows since when nobody got an answer, and keeps the others from finding that out one by one.

    It opens when requests failed for passing reasons for `patience` seconds, no answer came to anybody meanwhile, and
    it is not only one thing that fails: one target that never works is no outage. While it is open, nobody sends, but
    after each cool-down one request may probe with a single attempt. Any good answer closes it.
    patience: seconds. opened: called each time that it opens. clock: seconds that only grow.
    """

    def __init__(self, patience: float, opened: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = max(patience, LEAST_PATIENCE)
        self._opened = opened
        self._clock = clock
        self._lock = threading.Lock()
        self._good_at = -math.inf
        # Since when nothing but failures came, and of what.
        self._away_since = math.inf
        self._failing: set[Hashable] = set()
        self._failed_at = -math.inf
        self._reason: HttpError | None = None
        self._probe_at = 0.0
        self._prober: int | None = None

    def reason(self) -> HttpError | None:
        """The failure because of which nobody may send now, or None."""
        with self._lock:
            return self._closed_to_me()

    def _closed_to_me(self) -> HttpError | None:
        waits = self._prober is not None or self._clock() < self._probe_at
        return self._reason if waits else None

    def enter(self) -> tuple[HttpError | None, bool]:
        """(the failure because of which this thread may not send now, or None; whether it is the probe).

        A probe has to be ended with leave().
        """
        with self._lock:
            reason = self._closed_to_me()
            if reason is None and self._reason is not None:
                self._prober = threading.get_ident()
                return None, True
            return reason, False

    def leave(self) -> None:
        """Ends the probe of this thread, whatever came of it."""
        with self._lock:
            if self._prober == threading.get_ident():
                self._prober = None

    def good(self) -> None:
        """An answer came."""
        with self._lock:
            self._good_at = self._clock()
            self._away_since = math.inf
            self._failing.clear()
            self._reason = None
            self._probe_at = 0.0

    def failed(
        self, what: Hashable, began: float, failure: HttpError, shared: bool = False, pause: float = 0.0
    ) -> HttpError | None:
        """A request failed for a passing reason. Returns the failure because of which it is to end now, or None.

        what: hashable, the same for the same request. began: the moment at which it began. shared: whether nothing else
        works without it. pause: seconds for which the server wants to be left alone.
        """
        with self._lock:
            now = self._clock()
            if began - self._failed_at > self._patience:
                # Nobody has asked meanwhile, so nobody knows what was.
                self._away_since = math.inf
                self._failing.clear()
            self._failed_at = now
            again_at = now + max(COOL_DOWN, pause)
            if self._reason is None:
                self._away_since = min(self._away_since, max(began, self._good_at))
                self._failing.add(what)
                if now - self._away_since < self._patience or (len(self._failing) < 2 and not shared):
                    return None
                self._reason = failure
                self._probe_at = again_at
                self._opened()
            elif self._prober == threading.get_ident():
                self._probe_at = again_at
            return self._reason
