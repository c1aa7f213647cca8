# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether SailPoint's own client reads what the simulator answers, and loses nothing of it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest
from running_simulator import running_simulator
from sdk_calls import CALLS
from simulator import company, sailpoint

HERE = Path(__file__).resolve().parent
NAMES = [call[0] for call in CALLS]
# What only looks as if it were lost: a field that SailPoint sends and has not specified; and what a full campaign has more than a
# slim one, for which the client takes it.
EXPECTED = {
    "campaigns": "migrationStatus is not in the client's Campaign2",
    "campaigns in full": "migrationStatus is not in the client's Campaign2",
    "a campaign in full": "is not in the client's SlimCampaign",
}


def read(simulator, folder):
    """What the client did not take, by the name of the call."""
    python = os.environ.get("SAILPOINT_SDK")
    if not python:
        pytest.fail("`make conformance` makes an environment with SailPoint's client")
    parts = [read_part(python, simulator, folder, part) for part in ("older", "next")]
    return {name: parts[0][name] | parts[1][name] for name in parts[0]}


def read_part(python, simulator, folder, part):
    """The same of a part of the calls."""
    done = subprocess.run(
        [python, str(HERE / "sdk_calls.py"), simulator.url, str(folder / "result.json"), part],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """What the client made of the simulator, whose scans and reports do not end meanwhile."""
    kinds, cases = ("ENTITLEMENT", "ACCESS_PROFILE", "ROLE"), ("manual", "failed", "given_again", "future", "stale")
    items = [
        {"identity": "Person %d" % number, "account": "person%d" % number, "source": "Active Directory"}
        | {"access_type": kind, "access": "CN=Group %d" % number, "open": True, "held": True, "case": case}
        for number, (kind, case) in enumerate(itertools.product(kinds, cases))
    ]
    with running_simulator("--scan-seconds", "600", "--report-seconds", "600") as simulator:
        simulator.control("PATCH", "campaigns/" + company.FINANCE, {"items": items, "report_seconds": 0})
        result = read(simulator, tmp_path_factory.mktemp("sdk"))
        result["operations"] = {entry["operation"] for entry in simulator.log(api="sailpoint")}
        return result


@pytest.mark.parametrize("name", NAMES)
def test_the_client_reads_all_of_it(result, name):
    problems = result["problems"][name]
    assert [one for one in problems if not one.endswith(EXPECTED.get(name, "nothing"))] == []
    assert bool(problems) == (name in EXPECTED)


def test_the_client_asks_for_everything(result):
    assert {operation for operation, *_paths in sailpoint.SailPoint.PATHS} - result["operations"] == {
        "get_task",
        "download_signed",
    }
    empty = [name for name in NAMES if result["answers"][name] == []]
    assert empty == []


def test_what_the_client_does_not_take_is_seen(tmp_path):
    with running_simulator("--scan-seconds", "600", "--report-seconds", "600") as simulator:
        simulator.control("PATCH", "campaigns/" + company.FINANCE, {"type": "NO_TYPE", "new_field": 1})
        simulator.control("PATCH", "campaigns/" + company.WAREHOUSE, {"status": "ACTIVE"})
        problems = read(simulator, tmp_path)["problems"]
    assert any("NO_TYPE" in one for one in problems["a campaign"])
    assert ".new_field is not in the client's SlimCampaign" in problems["a campaign"]
    assert problems["a remediation scan"] == ["the status is 400, not 202"]
