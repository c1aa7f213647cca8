# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Long lists that are written and read row by row."""

from __future__ import annotations

import json

import pytest

from ansible_collections.secops.remediation.plugins.module_utils._common.rows import Rows, pieces_of, read_head, read_rows
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
    assert list(read_rows(path, "list")) == list(rows(count))
    assert read_head(path) == dict(head, list=[])


def test_a_document_that_somebody_else_wrote(written):
    path = written(json.dumps({"a": 1, "list": [{"n": 1}]}, indent=2))
    assert list(read_rows(path, "list")) == [{"n": 1}]
    assert read_head(path)["a"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        '{"a": 1}',
        '{"list": {}}',
        '{"list": [7]}',
        '{"list": [\n{"n": 1},\n',
        '{"list": [\n{"n": 1},\n{"n"',
        '{"list": [\n7\n]}',
    ],
)
def test_a_document_that_is_not_whole(written, text):
    with pytest.raises(ValueError, match="."):
        list(read_rows(written(text), "list"))


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
    found = list(read_rows(task.params["results_file"], "list"))
    assert found[1] == made[1]
    assert "before ******** after" in json.dumps(found[0]) and "cret" not in json.dumps(found[0]["text"])
