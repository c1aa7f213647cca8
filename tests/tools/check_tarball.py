# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a built collection holds what it should and nothing else.

check_tarball.py TARBALL
"""

from __future__ import annotations

import sys
import tarfile

from sync import checkout_files

# Of these, none may be missing.
FILES = {"CHANGELOG.md", "LICENSE", "README.md", "requirements.txt"}
FOLDERS = {"changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles"}
MADE_BY_THE_BUILD = {"MANIFEST.json", "FILES.json"}


def belongs(name: str) -> bool:
    parts = name.split("/")
    return len(parts) > 1 and parts[0] in FOLDERS and not any(part.startswith(".") for part in parts)


def main() -> int:
    with tarfile.open(sys.argv[1]) as tarball:
        found = {member.name for member in tarball.getmembers() if not member.isdir()}
    expected = {name for name in checkout_files() if belongs(name)} | FILES | MADE_BY_THE_BUILD
    for name in sorted(found - expected):
        print(f"should not be in the collection (see build_ignore in galaxy.yml): {name}", file=sys.stderr)
    for name in sorted(expected - found):
        print(f"is missing from the collection: {name}", file=sys.stderr)
    print(f"{len(found)} files in {sys.argv[1]}")
    return 1 if found != expected else 0


if __name__ == "__main__":
    sys.exit(main())
