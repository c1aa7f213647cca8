# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - File in which the source remembers what it has given on. It has mode V(0600) and belongs to one source.
      - Where it is damaged, or about another tenant or other filters, the source ends with an error and never begins anew.
    type: path
    required: true
  receipts:
    description:
      - Folder in which whoever handled an event leaves a file whose name, up to its first dot, is the event's O(ignore:id).
      - ansible-rulebook forgets what it has taken and not carried out when it ends. With this folder, an event without a receipt
        is given on again after a restart. The role P(secops.remediation.verify_events#role) leaves the receipts.
      - Leave this out where nobody leaves receipts, or every event is given on again after each restart.
    type: path
  since:
    description:
      - A time such as V(2026-11-25T08:00:00Z). Where there is no state yet, what was changed since then makes events.
      - Without it, the first look only remembers what there is, and whatever becomes different later makes events.
    type: str
  interval:
    description:
      - Seconds between two looks. After one that failed the pause doubles, up to 15 minutes.
    type: float
    default: 60.0
"""
