# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The forms of the evidence that are one text each, under one name. Private to the collection."""

from __future__ import annotations

from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_csv import csv_text, open_items_csv
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_junit import junit_xml
from ansible_collections.secops.remediation.plugins.module_utils._evidence.form_markdown import markdown

__all__ = ("csv_text", "junit_xml", "markdown", "open_items_csv")
