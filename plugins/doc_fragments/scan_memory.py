# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - JSON file in which scans are remembered between runs. It is made if it is not there. A symbolic link to it stays one.
      - It is a memory of IDs, times and answers, and never a witness. No outcome is taken from it.
      - A scan is written to it as soon as it is known, so a task that was killed and is run again finds it. Scans of Xpanse are
        written together, every second or so, because Xpanse itself names a scan that still runs again.
      - A ledger that is damaged, or a file C(ledger.json) that is none, is kept under another name, and the task fails before
        it starts anything. So it does, and leaves the file as it is, where it may be somebody else's.
      - Without it, or with V(/dev/null), nothing is remembered.
    type: path
  max_age:
    description:
      - Seconds for which a scan that an earlier run asked for counts, by the clock of the system that was asked. An older one
        is made anew, and so is one from the future.
      - V(0) takes nothing that this run did not see itself.
    type: int
    default: 86400
  confirm:
    version_added: 0.3.0
    description:
      - Whether what an earlier run was told is read again. With V(false) a scan in the O(ledger) counts unread, by this
        machine's clock, as long as it is younger than O(max_age). That saves a request for each.
    type: bool
    default: true
  run_id:
    version_added: 0.3.0
    description:
      - What tells this run from others, as C(run_id) of M(secops.remediation.remediation_evidence) with
        C(state=prepared). What an earlier task of the same run was told counts to the run's last task, whatever O(max_age).
    type: str
  hand_on:
    version_added: 0.4.0
    description:
      - Whether to return C(handed_on), what another job has to know of these scans that does not have this O(ledger).
    type: bool
    default: false
  started:
    version_added: 0.4.0
    description:
      - What this module has returned in another job, with O(hand_on). It is put into the O(ledger), unless that knows as much, or
        of a scan that was asked for later.
      - As all of the ledger it is no witness. That a scan was asked for, and which one was named, is in it; what came of it is
        not, and is asked of the system.
      - A part counts only if it is as it was returned, of the same address, and by a task with the same secret. What does not is
        warned of, and a scan that is known by nothing else is not known.
    type: list
    elements: raw
  start:
    description:
      - Whether scans may be started. With V(false) only scans that are known are looked at, and an item without
        one fails.
    type: bool
    default: true
"""
