# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of campaign reports: CSV and PDF."""

from __future__ import annotations

import csv
import io

from simulator.core import iso


def remediation_csv(settings):
    """The remediation status report of a campaign as it is now: one row for each revoked item."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            "Identity",
            *settings["identity_columns"],
            "Account",
            "Source",
            "Access Type",
            "Access",
            "Reviewer",
            "Decision",
            "Decision Date",
            "Comments",
            settings["status_column"],
        ]
    )
    words = settings["words"]
    width = len(settings["identity_columns"])
    for item in settings["items"]:
        attributes = [*item.get("attributes", []), *[""] * width][:width]
        status = item.get("word")
        if status is None:
            status = words["open"] if item.get("open", True) else words["remediated"]
        decided = item.get("decided_at")
        writer.writerow(
            [
                item.get("identity", ""),
                *attributes,
                item.get("account", ""),
                item.get("source", ""),
                item.get("access_type", "ENTITLEMENT"),
                item.get("access", ""),
                item.get("reviewer", ""),
                item.get("decision", "REVOKED"),
                iso(decided) if isinstance(decided, int) else decided or "",
                item.get("comment", ""),
                status,
            ]
        )
    return text.getvalue()


def summary_csv(fields):
    """Any other report of a campaign."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["Campaign", "Type", "Status", "Certifications", "Completed"])
    writer.writerow(
        [fields["name"], fields["type"], fields["status"], fields["totalCertifications"], fields["completedCertifications"]]
    )
    return text.getvalue()


def pdf(lines):
    """One page with these lines: the least that is a valid PDF."""

    def shown(line):
        plain = line.encode("ascii", "replace").decode()
        return plain.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")

    content = "BT /F1 9 Tf 40 800 Td 12 TL %s ET" % " ".join("(%s) Tj T*" % shown(line) for line in lines[:60])
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        "<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    result = b"%PDF-1.4\n"
    offsets = []
    for number, text in enumerate(objects, 1):
        offsets.append(len(result))
        result += ("%d 0 obj\n%s\nendobj\n" % (number, text)).encode()
    table = "".join("%010d 00000 n \n" % offset for offset in offsets)
    result += (
        "xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, len(result))
    ).encode()
    return result
