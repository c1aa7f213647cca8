# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a command and says what it and all its descendants cost: seconds, CPU seconds, memory, processes. Linux only."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")


@dataclass
class Cost:
    """What a command cost.

    controller_mb: the most memory (resident set) that the command's own process has had. worker_mb: the most that any
    other process of its tree has had; Ansible runs each task in a forked worker, and a worker's resident set counts
    what it shares with the controller, too. together_mb: the most that the whole tree has had at any one time, shared
    memory counted once (proportional set size). processes: how many there were besides the command's own; one that
    lived shorter than the sampling interval may be missing.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    controller_mb: float = 0.0
    worker_mb: float = 0.0
    together_mb: float = 0.0
    processes: int = 0
    status: int = 0
    output: str = field(default="", repr=False)


class Sampler(threading.Thread):
    """Looks at a process and its descendants again and again. Workers leave the process group, so parents are followed.

    A resident set is read from VmHWM, where the kernel itself keeps the maximum: a sample late in a process's life is
    enough, whatever happened between two samples.
    """

    def __init__(self, pid, interval):
        super().__init__(daemon=True)
        self.pid = pid
        self.interval = interval
        self.peaks = {}
        self.together = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.interval):
            self.sample()

    def sample(self):
        """One look at the whole tree."""
        together = 0
        for pid in self.tree():
            try:
                peak = kilobytes(PROC / str(pid) / "status", "VmHWM:")
                together += kilobytes(PROC / str(pid) / "smaps_rollup", "Pss:")
            except (OSError, ValueError):
                continue
            self.peaks[pid] = max(self.peaks.get(pid, 0), peak)
        self.together = max(self.together, together)

    def tree(self):
        """The ids of the process and of its descendants."""
        parents = {}
        for entry in os.listdir(PROC):
            if entry.isdecimal():
                try:
                    stat = (PROC / entry / "stat").read_text()
                    parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
                except (OSError, ValueError):
                    pass
        found = [self.pid]
        for one in found:
            found += [child for child, parent in parents.items() if parent == one]
        return found


def kilobytes(path, name):
    """The number behind a name in a file of /proc. ValueError if the process has just ended."""
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise ValueError(name)


def measure(command, environment, folder, interval=0.1):
    """Runs a command to its end and returns its Cost."""
    cost = Cost()
    with Path(folder, "output.txt").open("w+", encoding="utf-8") as output:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment)
        sampler = Sampler(process.pid, interval)
        sampler.start()
        try:
            # Unlike getrusage(), this tells of this one child, and of those that it has waited for.
            _pid, status, usage = os.wait4(process.pid, 0)
            cost.seconds = time.monotonic() - started
        except BaseException:
            process.terminate()
            raise
        finally:
            sampler.ended.set()
            sampler.join()
        process.returncode = cost.status = os.waitstatus_to_exitcode(status)
        output.seek(0)
        cost.output = output.read()
    cost.cpu_seconds = usage.ru_utime + usage.ru_stime
    workers = [peak for pid, peak in sampler.peaks.items() if pid != process.pid]
    cost.controller_mb = sampler.peaks.get(process.pid, 0) / 1024
    cost.worker_mb = max(workers, default=0) / 1024
    cost.together_mb = sampler.together / 1024
    cost.processes = len(workers)
    return cost
