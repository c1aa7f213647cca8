# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one task knows of a rate limit, handed to the next one in a file."""

from __future__ import annotations

import os

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._run.handover import file_for, hand_over, taken_over


def test_each_budget_has_a_file_of_its_own(tmp_path):
    paths = {file_for(str(tmp_path), *budget) for budget in (("a", "b"), ("a", "c"), ("ab", ""), ("a",))}
    assert len(paths) == 4 and all(os.path.dirname(path) == str(tmp_path) for path in paths)
    assert file_for("/x", "a", "b") == file_for("/x", "a", "b")


def test_what_is_left_is_taken_over(tmp_path):
    path = file_for(str(tmp_path), "a")
    assert taken_over(path) == {}
    hand_over(path, {"sent": [1.5]})
    assert taken_over(path) == {"sent": [1.5]} and os.stat(path).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"[]", b"x", b"\xff\xfe", b"[" * 100000, b"null"])
def test_what_is_no_knowledge_is_none(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert taken_over(str(path)) == {}


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text('{"sent": [1]}')
    path = tmp_path / "link"
    path.symlink_to(tmp_path / "elsewhere")
    assert taken_over(str(path)) == {}
    hand_over(str(path), {"sent": []})
    assert (tmp_path / "elsewhere").read_text() == '{"sent": [1]}'


def test_a_folder_that_takes_nothing_costs_speed_only(tmp_path):
    hand_over(str(tmp_path / "none" / "file"), {})
    assert taken_over(str(tmp_path / "none" / "file")) == {}
