# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a built collection holds what it should and nothing else.

check_tarball.py TARBALL
"""

from __future__ import annotations

import posixpath
import re
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


def dead_links(tarball: tarfile.TarFile) -> list[str]:
    """The relative links of its pages that lead to nothing in it, each as "page: link". Whoever installs it has no more."""
    there = set(tarball.getnames())
    links = [
        (page, link)
        for page in sorted(there)
        if page.endswith(".md") and page != "CHANGELOG.md"
        for link in re.findall(r"\]\(([^)#\s]+)", tarball.extractfile(page).read().decode("utf-8"))
    ]
    return [
        f"{page}: {link}"
        for page, link in links
        if not re.match("[a-z]+:", link) and posixpath.normpath(posixpath.join(posixpath.dirname(page), link)) not in there
    ]


def main() -> int:
    with tarfile.open(sys.argv[1]) as tarball:
        found = {member.name for member in tarball.getmembers() if not member.isdir()}
        dead = dead_links(tarball)
    expected = {name for name in checkout_files() if belongs(name)} | FILES | MADE_BY_THE_BUILD
    for name in sorted(found - expected):
        print(f"should not be in the collection (see build_ignore in galaxy.yml): {name}", file=sys.stderr)
    for name in sorted(expected - found):
        print(f"is missing from the collection: {name}", file=sys.stderr)
    for link in dead:
        print(f"leads nowhere in the collection: {link}", file=sys.stderr)
    print(f"{len(found)} files in {sys.argv[1]}")
    return 1 if found != expected or dead else 0


if __name__ == "__main__":
    sys.exit(main())
