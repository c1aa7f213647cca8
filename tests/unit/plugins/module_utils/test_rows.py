# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long lists that are written and read row by row."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows, pieces_of, read_document
from ansible_collections.secops.remediation.plugins.module_utils._run.task import Task, run_task


def rows(count):
    return Rows(lambda: ({"n": number, "text": "a\n]}, [\u2028é"} for number in range(count)), count)


@pytest.fixture
def written(tmp_path):
    """Writes a document and returns its path."""

    def write(text):
        path = tmp_path / "document.json"
        path.write_text(text if isinstance(text, str) else "".join(pieces_of(text)), encoding="utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("head", [{}, {"a": [1, 2], "b": None}])
def test_what_is_written_is_read(written, head, count):
    path = written(dict(head, list=rows(count)))
    with open(path, encoding="utf-8") as file:
        assert json.load(file) == dict(head, list=list(rows(count)))
    found = read_document(path, ["other", "list"])
    assert isinstance(found["list"], Rows) and len(found["list"]) == count
    # As often as somebody goes through them.
    assert list(found["list"]) == list(found["list"]) == list(rows(count))
    assert found == dict(head, list=rows(count)) == dict(head, list=list(rows(count)))


def test_only_a_list_of_this_name_comes_as_rows(written):
    path = written(dict(a=1, list=rows(2)))
    for names in ((), ["a", "other"]):
        found = read_document(path, names)
        assert isinstance(found["list"], list) and not isinstance(found["list"], Rows) and found == dict(a=1, list=list(rows(2)))


def test_a_document_that_somebody_else_wrote(written):
    content = {"a": 1, "list": [{"n": 1}]}
    for text in (json.dumps(content), json.dumps(content, indent=2)):
        assert read_document(written(text), ["list"]) == content


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"list": [\n{"n": 1},\n',
        '{"list": [\n{"n": 1},\n{"n"',
        '{"list": [\n{"n": 1}\n',
        '{"list": [\n{"n": 1},\n]}',
        '{"list": [\n{"n": 1}\n{"n": 2}\n]}',
        '{"list": [\n{"n": 1},,\n{"n": 2}\n]}',
        '{"list": [\n7\n]}',
        '{"list": [\n{"n": 1}\n], "list": []}',
        '{"list": [\n{"n": 1}\n]}\n]}',
        '{"list": [\n{"n": 1, "n": 2}\n]}',
        '{"list": [\n\n]}',
        '{"list": [], "list": [\n{"n": 1}\n]}',
        '{"a": 1, "a": 2, "list": [\n{"n": 1}\n]}',
        '[{"list": [\n{"n": 1}\n]}',
        '{"a": {"list": [\n{"n": 1}\n]}',
        '{"a\\"list": [\n{"n": 1}\n]}',
        '{"list": [\n{"n": "\udcff"}\n]}',
    ],
)
def test_a_document_that_is_not_whole(tmp_path, text):
    path = tmp_path / "document.json"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError, match="."):
        read_document(str(path), ["list"])


def test_an_error_says_where_it_is(written):
    with pytest.raises(ValueError, match="line 3 of the document: Expecting value"):
        read_document(written('{"list": [\n{"n": 1},\n{"n": },\n{"n": 1}\n]}'), ["list"])


@pytest.mark.parametrize("text", ['{"list": [\n{"n": 8}\n]}\n', '{"list": [\n{"n": 7},\n{"n": 8}\n]}\n'])
def test_rows_of_a_file_that_has_changed_are_an_error(written, text):
    path = written('{"list": [\n{"n": 7}\n]}\n')
    found = read_document(path, ["list"])
    assert list(found["list"]) == [{"n": 7}]
    os.utime(path, ns=(0, 0))
    written(text)
    with pytest.raises(OSError, match="changed while it was read"):
        list(found["list"])


def test_rows_are_as_those_of_the_same_rows():
    assert rows(2) == rows(2) == list(rows(2))
    assert rows(2) != rows(3) and rows(2) != list(rows(3)) and rows(0) != ()
    assert rows(1) != [{"n": 0}]


def test_one_list_may_be_rows():
    with pytest.raises(ValueError, match="only one list"):
        list(pieces_of({"a": rows(1), "b": rows(1)}))


def test_secrets_are_masked_in_rows(tmp_path):
    secret = 'se"cret é'
    made = [{"text": "before %s after" % secret, "inner": [{secret: 1}]}, {"text": "harmless"}]
    task = Task({"results_file": str(tmp_path / "record.json")}, False, pytest.fail)
    task._secrets.append({secret})
    result, _secrets = run_task(lambda _task: dict(changed=False, list=Rows(lambda: made, 2)), task)
    assert result == dict(changed=False, results_file=task.params["results_file"], counts={"list": 2})
    found = list(read_document(task.params["results_file"], ["list"])["list"])
    assert found[1] == made[1]
    assert "before ******** after" in json.dumps(found[0]) and "cret" not in json.dumps(found[0]["text"])
