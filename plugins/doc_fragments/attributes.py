# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the predicted C(changed) without changing anything.
  diff_mode:
    description: Returns details of what changed, or would change, in C(diff_mode).
    support: none
  action:
    description: Has an action plugin, so that it runs inside the controller's process when the connection is local.
    support: full
    details:
      - With another connection, C(async), C(become), or C(environment), the same code runs as a module.
  async:
    description: Can be run with C(async).
    support: full
  platform:
    description: Where the module can run.
    support: full
    platforms: posix
"""

    # Modules that only read.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - The module changes nothing, so it does the same in check mode.
"""
