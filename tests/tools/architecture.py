# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws the rooms of plugins/ and who imports whom into docs/architecture.md.

architecture.py

A room stands one floor above the highest of those that it imports. An arrow that follows from others is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from imports import all_imports, room_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
BEGIN = "<!-- Made from the code by `make architecture`. -->\n```mermaid\n"
END = "```\n"
# What Ansible itself loads is the roof, however little it imports.
ROOF = ("action", "modules", "filter", "plugin_utils")


def rooms_in(imports):
    """The rooms that each room imports, as a dict of sets. Raises ValueError where there is a circle of rooms."""
    rooms = {}
    for one in imports:
        importer, imported = room_of(one.importer), room_of(one.imported)
        rooms.setdefault(imported, set())
        rooms.setdefault(importer, set()).update({imported} - {importer})
    return rooms


def floors_of(rooms):
    """The number of the floor on which each room is, the ground is 0. Raises ValueError where there is a circle."""
    floors = {}
    while len(floors) < len(rooms):
        ready = [room for room, below in rooms.items() if room not in floors and below <= set(floors)]
        if not ready:
            raise ValueError("there is a circle in %s" % ", ".join(sorted(set(rooms) - set(floors))))
        floors.update({room: 1 + max((floors[one] for one in rooms[room]), default=-1) for room in ready})
    return floors


def reachable(rooms, room):
    """All rooms to which arrows lead from a room, in any number of steps."""
    found = set(rooms[room])
    for one in rooms[room]:
        found |= reachable(rooms, one)
    return found


def arrows_of(rooms):
    """The pairs of rooms between which an arrow is drawn, in order."""
    for room in sorted(rooms):
        by_detour = set().union(*(reachable(rooms, one) for one in rooms[room]))
        for other in sorted(rooms[room] - by_detour):
            yield room, other


def drawn(imports):
    """The picture as the text of a Mermaid flowchart, the roof first."""
    rooms = rooms_in(imports)
    floors = floors_of(rooms)
    names = {number: sorted(room for room in rooms if floors[room] == number and room not in ROOF) for number in floors.values()}
    lines = ["flowchart TD"]
    storeys = [("roof", "what Ansible loads", [room for room in ROOF if room in rooms])]
    storeys += [("floor%d" % number, "floor %d" % number, names[number]) for number in sorted(names, reverse=True)]
    for key, title, inside in storeys:
        if inside:
            lines += ['  subgraph %s["%s"]' % (key, title), *("    %s" % room for room in inside), "  end"]
    lines += ["  %s --> %s" % arrow for arrow in arrows_of(rooms)]
    return "\n".join(lines) + "\n"


def with_picture(page, picture):
    """The page with another picture. Raises ValueError where it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no place for the picture")
    return before + BEGIN + picture + END + after


def main():
    """Returns the exit status."""
    PAGE.write_text(with_picture(PAGE.read_text(encoding="utf-8"), drawn(all_imports())), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
