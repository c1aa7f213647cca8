# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vocabulary: what may be said of a target, and of all targets together. Private to the collection."""

from __future__ import annotations

REMEDIATED, UNREMEDIATED, PENDING, INCONCLUSIVE = "remediated", "unremediated", "pending", "inconclusive"
# What a target may be.
OUTCOMES = (REMEDIATED, UNREMEDIATED, PENDING, INCONCLUSIVE)
# What needs action comes first.
URGENCY = (UNREMEDIATED, INCONCLUSIVE, PENDING, REMEDIATED)
# What all targets together may be.
VERDICTS = ("verified", "not_verified", "incomplete")
