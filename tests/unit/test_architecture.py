# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/architecture.md, held against the code."""

from __future__ import annotations

import re

import pytest
from architecture import PAGE, arrows_of, drawn, floors_of, rooms_in, with_picture
from imports import PLUGINS, Import, all_imports, source_files

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_picture_is_that_of_the_code():
    assert with_picture(TEXT, drawn(all_imports())) == TEXT, "make architecture"


def test_every_room_has_a_line():
    rows = re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`(\w+)`", row)) == sorted(rooms_in(all_imports()))


def test_every_file_that_it_names_is_there():
    named = {name for name in re.findall(r"`([\w/.]+)`", TEXT) if "/" in name and "yours" not in name}
    places = (PLUGINS.parent, PLUGINS / "module_utils", PLUGINS.parent / "roles" / "verify")
    gone = [name for name in named - set(source_files()) if not any((place / name).exists() for place in places)]
    assert named and not gone


def test_floors_and_arrows():
    imports = [Import(*pair, None) for pair in (("a/x", "b/x"), ("b/x", "c/x"), ("a/x", "c/y"), ("c/x", "c/y"), ("d/x", "c/x"))]
    rooms = rooms_in(imports)
    assert floors_of(rooms) == dict(a=2, b=1, c=0, d=1)
    assert list(arrows_of(rooms)) == [("a", "b"), ("b", "c"), ("d", "c")]


def test_a_circle_of_rooms_is_told():
    with pytest.raises(ValueError, match="circle in a, b"):
        floors_of(rooms_in([Import("a/x", "b/x", None), Import("b/y", "a/y", None), Import("a/y", "c/x", None)]))


def test_a_page_without_a_place_is_told():
    with pytest.raises(ValueError):
        with_picture("# Architecture\n", "flowchart TD\n")
