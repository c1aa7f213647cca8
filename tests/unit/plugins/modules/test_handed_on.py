# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two tasks that share nothing but what the first one hands on: with it the second one finds the scans, and asks about them."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from scripted_server import Reply
from two_systems import KEY, LOOKED_UP, NAMED, ONE, OTHER

from ansible_collections.secops.remediation.plugins.module_utils._run.started import Sealer
from ansible_collections.secops.remediation.plugins.modules import sailpoint_campaign_remediation_scan as campaigns
from ansible_collections.secops.remediation.plugins.modules import xpanse_rcs_request as exposures

BEGIN = dict(hand_on=True, run_id="run-1")
COLLECT = dict(start=False, run_id="run-2")
OF = {exposures: dict(requests=[NAMED, LOOKED_UP]), campaigns: dict(campaign_ids=[ONE, OTHER])}
LISTS = {exposures: "rcs_requests", campaigns: "scans"}
BOTH = pytest.mark.parametrize("module", [exposures, campaigns], ids=["exposures", "campaigns"])


def statuses(module, result):
    return [item["status"] for item in result[LISTS[module]]]


@pytest.fixture(autouse=True)
def scans_take_a_while(systems):
    """Nothing has ended when it is begun."""
    systems.done = False

    def bend(operation, number, reply, before):
        return Reply(json={"reply": {"status": "IN_PROGRESS"}}) if operation == "get_scan" and not systems.done else reply

    systems.bend = bend


@BOTH
def test_what_was_started_is_collected_without_a_ledger(ask, systems, started, module):
    begun = ask(module, **OF[module], **BEGIN)
    assert len(begun["handed_on"]) == 1 and len(started()) == 2
    systems.done = True
    found = ask(module, **OF[module], **COLLECT, started=begun["handed_on"])
    assert not found.get("failed"), found
    assert statuses(module, found) == ["SUCCESS" if module is exposures else "finished"] * 2
    assert len(started()) == 2 and not found["changed"]


@BOTH
def test_what_was_handed_on_is_remembered_and_what_came_of_it_is_not(ask, systems, module):
    begun = ask(module, **OF[module], **BEGIN)
    systems.done = True
    found = ask(module, **OF[module], **COLLECT, started=begun["handed_on"], confirm=False)
    for item in found[LISTS[module]]:
        assert item["answers"][0]["remembered"] and "remembered" not in item["answers"][-1] and "unread" not in item


@BOTH
def test_what_has_ended_when_it_is_handed_on_is_asked_again(ask, systems, module):
    """Otherwise what was handed on would be the witness of the end."""
    systems.done = True
    done = ask(module, **OF[module], **BEGIN, wait=True, wait_interval=1, wait_timeout=30)
    assert not done.get("failed"), done
    # From now on nobody knows any of it.
    systems.bend = lambda operation, number, reply, before: Reply(503, json={}) if operation != "token" else reply
    found = ask(module, **OF[module], **COLLECT, started=done["handed_on"], confirm=False)
    assert found["failed"] and all(item["error"] for item in found[LISTS[module]]), found
    assert {item.get("outcome", "inconclusive") for item in found[LISTS[module]]} == {"inconclusive"}


@BOTH
def test_without_it_nothing_is_known(ask, started, module):
    ask(module, **OF[module], **BEGIN)
    found = ask(module, **OF[module], **COLLECT, started=[])
    assert found["failed"] and "so there is nothing to collect: start one" in found["msg"] and len(started()) == 2


@BOTH
def test_what_was_changed_is_not_known_and_the_reason_says_so(ask, systems, started, module):
    begun = ask(module, **OF[module], **BEGIN)
    systems.done = True
    begun["handed_on"][0]["seal"] = "0" * 64
    found = ask(module, **OF[module], **COLLECT, started=begun["handed_on"])
    assert found["failed"] and len(started()) == 2
    for item in found[LISTS[module]]:
        assert "no scan of this" in item["error"] and "part 1 of 1 was changed, or is sealed with other" in item["error"]


@BOTH
def test_what_is_handed_on_is_not_on_record(ask, tmp_path, module):
    path = tmp_path / "results.json"
    begun = ask(module, **OF[module], **BEGIN, results_file=str(path))
    assert len(begun["handed_on"]) == 1 and "handed_on" not in begun["counts"]
    assert "handed_on" not in json.loads(path.read_text())


@BOTH
def test_nothing_is_handed_on_unless_it_is_wanted(ask, module):
    assert "handed_on" not in ask(module, **OF[module])


@BOTH
def test_a_rehearsal_has_nothing_to_hand_on(ask, module):
    assert ask(module, True, **OF[module], **BEGIN)["handed_on"] == []


@BOTH
def test_it_is_too_old_when_a_ledger_would_be(ask, systems, module):
    begun = ask(module, **OF[module], **BEGIN)
    systems.done = True
    found = ask(module, **OF[module], **COLLECT, started=begun["handed_on"], max_age=1)
    assert found["failed"] and "longer ago than max_age (1 s)" in found["msg"]


@BOTH
def test_it_goes_into_the_ledger(ask, systems, module, tmp_path):
    begun = ask(module, **OF[module], **BEGIN)
    systems.done = True
    ledger = str(tmp_path / "ledger.json")
    ask(module, **OF[module], **COLLECT, started=begun["handed_on"], ledger=ledger)
    again = ask(module, **OF[module], start=False, run_id="run-3", ledger=ledger)
    assert not again.get("failed"), again


@BOTH
def test_a_second_start_starts_nothing_beside_it(ask, started, module):
    begun = ask(module, **OF[module], **BEGIN)
    again = ask(module, **OF[module], hand_on=True, run_id="run-2", started=begun["handed_on"])
    assert len(started()) == 2 and not again["changed"] and len(again["handed_on"]) == 1


@BOTH
def test_what_has_an_error_is_not_handed_on(ask, systems, module):
    def bend(operation, number, reply, before):
        return Reply(500, json={}) if operation in ("get_or_create", "run_scan") and number == 0 else reply

    systems.bend = bend
    begun = ask(module, **OF[module], **BEGIN, concurrency=1)
    assert begun["failed"] and len(begun["handed_on"]) == 1
    systems.bend = None
    found = ask(module, **OF[module], **COLLECT, started=begun["handed_on"], concurrency=1)
    assert found["failed"] and ["error" in item for item in found[LISTS[module]]] == [True, False]


def test_what_the_seal_is_for(ask, systems):
    """An exposure that is open is given the scan of one that is closed, which no answer of Xpanse's can tell. Who has not the
    secret cannot do it; who has it is who could have started that scan as well."""
    closed = ask(exposures, requests=[LOOKED_UP], **BEGIN)["handed_on"][0]
    mine = ask(exposures, requests=[NAMED], **BEGIN)["handed_on"][0]
    texts = [zlib.decompress(base64.b64decode(part["records"])).decode() for part in (closed, mine)]
    scans = [next(iter(json.loads(text).values()))["scan_id"] for text in texts]
    swapped = base64.b64encode(zlib.compress(texts[1].replace(scans[1], scans[0]).encode())).decode()
    forged = dict(mine, records=swapped)
    systems.done = True
    found = ask(exposures, requests=[NAMED], **COLLECT, started=[forged])
    assert [item["outcome"] for item in found["rcs_requests"]] == ["inconclusive"] and found["failed"]
    forged["seal"] = Sealer("exposure", systems.url, KEY).seal(forged)
    assert not ask(exposures, requests=[NAMED], **COLLECT, started=[forged]).get("failed")
