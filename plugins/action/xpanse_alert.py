# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.secops.remediation.plugins.modules import xpanse_alert
from ansible_collections.secops.remediation.plugins.plugin_utils.in_process import InProcessAction


class ActionModule(InProcessAction):
    """Runs xpanse_alert inside the controller's process where that makes no difference."""

    module = xpanse_alert
