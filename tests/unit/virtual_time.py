# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hours in seconds: the real drive, pace, limiter, and scans, by a clock that jumps to wherever somebody waits for."""

from __future__ import annotations

import concurrent.futures
import time

from conversations import ago, asking, looking, passing

from ansible_collections.secops.remediation.plugins.module_utils._http.limiter import Limiter
from ansible_collections.secops.remediation.plugins.module_utils._run.batch import drive
from ansible_collections.secops.remediation.plugins.module_utils._run.ledger import Ledger
from ansible_collections.secops.remediation.plugins.module_utils._run.pace import Pace
from ansible_collections.secops.remediation.plugins.module_utils._xpanse.scan import confirmation_scan, exposure_keys


class Clock:
    """What time.monotonic and time.sleep are while a test runs."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self.sleep)
        # What is submitted is done at once, by who submits it.
        monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", AtOnce)

    def sleep(self, seconds):
        """Jumps, as any clock by a moment at least."""
        self.now += max(0.001, seconds)


class AtOnce(concurrent.futures.Executor):
    """A pool without threads."""

    def __init__(self, max_workers):
        pass

    def submit(self, fn, *args):
        """A future that is done."""
        future = concurrent.futures.Future()
        try:
            future.set_result(fn(*args))
        except Exception as error:  # pylint: disable=broad-exception-caught
            future.set_exception(error)
        return future


class VirtualLimiter(Limiter):
    """The limiter, whose sleepers make the clock jump."""

    def __init__(self, limit, clock):
        super().__init__(limit, clock=lambda: clock.now)
        self._sleep_until = clock.sleep

    def _sleep(self, seconds):
        self._sleep_until(seconds)
        return False


class Tenant:
    """Xpanse by the clock: scans of known lengths, some of which run already. It is what XpanseApi is to the scans.

    lengths: seconds that each scan takes. begun: seconds for which it runs already, None for one that has to be started.
    outage: numbers of the requests that fail.
    """

    tenant = "https://acme.example"

    def __init__(self, clock, limit, lengths, begun, outage=()):
        self.clock = clock
        self.limiter = VirtualLimiter(limit, clock)
        self.lengths = lengths
        self.begun = begun
        self.outage = outage
        self.ends = [None] * len(lengths)
        # When each request left, when each end was told, and how many were done when it was said how far the run is.
        self.asked, self.looked = [], []
        self.told = {}
        self.progress = []

    def late(self):
        """Seconds from each end to the moment at which it was told."""
        return [self.told[number] - end for number, end in enumerate(self.ends)]

    def send(self, requests):
        """A request leaves, and may fail."""
        self.limiter.acquire()
        requests.append(self.clock.now)
        if len(self.asked) + len(self.looked) in self.outage:
            raise passing()

    def get_or_create(self, *ids, record):
        """(scan id, whether it is new)."""
        self.send(self.asked)
        number = ids[0]
        assert self.ends[number] is None, "it was started twice"
        running = self.begun[number]
        self.ends[number] = self.clock.now + self.lengths[number] - (running or 0.0)
        record.append(asking("scan-%d" % number, 201 if running is None else 200, self.clock.now, ids))
        return "scan-%d" % number, running is None

    def get_scan(self, scan_id, record):
        """The reply."""
        self.send(self.looked)
        number = int(scan_id.partition("-")[2])
        ended = self.clock.now >= self.ends[number]
        answer = looking(("SUCCESS", "REMEDIATED") if ended else ("IN_PROGRESS", None), scan_id, self.clock.now)
        record.append(answer)
        if ended:
            self.told.setdefault(number, self.clock.now)
        return answer["body"]["reply"]


def first_run(monkeypatch, lengths, begun=None, interval=60, limit=100, wait_timeout=10**6, each=False, durations=(), **more):
    """The first run over so many exposures. Returns the Tenant. more: `outage`, see Tenant; `known`, whether an earlier run
    has started those that run already, and was killed then; `asked`, seconds since an earlier task of this run has asked for
    all of them."""
    clock = Clock(monkeypatch)
    tenant = Tenant(clock, limit, lengths, begun or [None] * len(lengths), more.get("outage", ()))
    pace = Pace(interval, tenant.limiter.seconds_for, durations, each)
    ledger = Ledger(None)
    requests = [
        dict(alert_internal_id=str(number), attack_surface_rule_id="Rdp", service_id="u1") for number in range(len(lengths))
    ]
    if more.get("known"):
        remember(ledger, tenant, requests)
    if more.get("asked"):
        drive([confirmation_scan(tenant, ledger, pace, {}, request, run_id="run") for request in requests], 16)
        tenant.clock.sleep(more["asked"])

    def say(_seconds):
        tenant.progress.append((clock.now, len(tenant.told)))

    drive(
        [confirmation_scan(tenant, ledger, pace, {}, request, wait=True, run_id="run") for request in requests],
        16,
        wait_timeout,
        say,
        interval,
        line=pace,
    )
    return tenant


def remember(ledger, tenant, requests):
    """Puts into the ledger what an earlier run has started."""
    for number, (request, running) in enumerate(zip(requests, tenant.begun)):
        if running is not None:
            ids = (number, request["attack_surface_rule_id"], request["service_id"])
            tenant.ends[number] = tenant.lengths[number] - running
            ledger.put(
                exposure_keys(tenant) + "%s/%s/%s" % ids,
                dict(scan_id="scan-%d" % number, asked_at=ago(running), answers=[asking("scan-%d" % number, 201, -running, ids)]),
            )
