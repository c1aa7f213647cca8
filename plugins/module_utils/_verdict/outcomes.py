# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vocabulary: what may be said of a target, and of all targets together. Private to the collection."""

from __future__ import annotations

REMEDIATED, UNREMEDIATED, PENDING, INCONCLUSIVE = "remediated", "unremediated", "pending", "inconclusive"
# What a target may be.
OUTCOMES = (REMEDIATED, UNREMEDIATED, PENDING, INCONCLUSIVE)
# What needs action, the most urgent first.
NEEDS_ACTION = (UNREMEDIATED, INCONCLUSIVE, PENDING)
URGENCY = (*NEEDS_ACTION, REMEDIATED)
# How sentences and headings say it.
IN_WORDS = {
    REMEDIATED: "remediated",
    UNREMEDIATED: "still open",
    INCONCLUSIVE: "without an answer",
    PENDING: "not finished",
}

VERIFIED, NOT_VERIFIED, INCOMPLETE = "verified", "not_verified", "incomplete"
# What all targets together may be, and how a sentence says it.
VERDICTS = {VERIFIED: "Verified", NOT_VERIFIED: "Not verified", INCOMPLETE: "Not finished yet"}

# What becomes of the outcome of something whose wait ended first, and of something that ended with an error, whatever was
# known before.
WITHOUT_ANSWER = (PENDING, INCONCLUSIVE)

# What a word of a system about one of a target's items may mean.
MEANS_REMEDIATED, MEANS_OPEN, MEANS_UNKNOWN = "remediated", "open", "unknown"
MEANINGS = (MEANS_REMEDIATED, MEANS_OPEN, MEANS_UNKNOWN)

# At the end of a reason: nothing was read that only this run could have read. It is no news against the run before.
NOT_READ_IN_CHECK_MODE = "(check mode downloads nothing)"
