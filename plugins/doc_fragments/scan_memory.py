# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - JSON file in which scans are remembered between runs. It is made if it is not there.
      - A scan is written to it the moment it is known, so a task that was killed and is run again finds it.
      - A file that is not JSON is kept under another name, and the task fails before anything is started. So it does,
        and leaves the file as it is, where it is JSON but not a ledger.
      - Without it nothing is remembered.
    type: path
  max_age:
    description:
      - Seconds for which a finished scan in the O(ledger) counts. An older one is made anew.
    type: int
    default: 86400
  start:
    description:
      - Whether scans may be started. With V(false) only scans that are known are looked at, and an item without
        one fails.
    type: bool
    default: true
"""
