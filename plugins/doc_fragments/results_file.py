# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  results_file:
    version_added: 0.2.0
    description:
      - A file to write the whole result to, as JSON, for what is too much to be printed, logged, and stored by a
        controller. Its folder is made if it is not there.
      - The lists are then left out of the task's result, apart from what a playbook needs to go on with, and
        C(counts) says how long each is.
      - Without effect in check mode.
    type: path
"""
