# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example playbooks for tickets, against small stand-ins for Jira and ServiceNow.

They use ansible.builtin.uri. The collection servicenow.itsm is in no package registry, and so in no test.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from answers_on_record import exposure
from scripted_server import Reply, ScriptedServer
from two_systems import call

from ansible_collections.secops.remediation.plugins.filter.tickets import tickets
from ansible_collections.secops.remediation.plugins.modules import remediation_evidence

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "closing-the-loop.md").read_text(encoding="utf-8")


def documented(name):
    """The variables that the documentation gives the example."""
    return yaml.safe_load(re.search("```yaml\n# %s-variables.yml\n(.*?)```" % name, PAGE, re.DOTALL)[1])


class Jira(ScriptedServer):
    """Issues with labels and a state, as far as the playbook asks: search, create, comment, transitions."""

    name = "jira"
    of_another = dict(issues=[dict(key="SEC-9", fields=dict(labels=["another"]))])
    variables = dict(documented("jira"), jira_user="u", jira_token="p-word")

    def __init__(self):
        self.tickets = []
        self.requests_seen = []
        self.broken = None
        super().__init__()

    def take(self, received):
        """The reply to any request."""
        with self.lock:
            assert received.headers["Authorization"] == "Basic " + base64.b64encode(b"u:p-word").decode()
            self.requests_seen.append((received.method, received.path))
            return self.broken or self.answer(received)

    def answer(self, received):
        """The answer of Jira."""
        if received.path == "/rest/api/2/search/jql":
            project, key = re.fullmatch(
                'project = "(.*)" AND labels = "(.*)" AND statusCategory != Done', received.json["jql"]
            ).groups()
            assert project == "SEC"
            found = [one for one in self.tickets if one["key"] == key and one["open"]]
            return Reply(json={"issues": [{"key": one["name"], "fields": {"labels": [key]}} for one in found], "isLast": True})
        if received.path == "/rest/api/2/issue":
            fields = received.json["fields"]
            assert fields["project"] == {"key": "SEC"} and fields["issuetype"] == {"name": "Task"}
            return self.opened(fields["labels"][0], fields["summary"], fields["description"])
        name, what = received.path.removeprefix("/rest/api/2/issue/").split("/")
        ticket = next(one for one in self.tickets if one["name"] == name)
        if what == "comment":
            ticket["said"] = received.json["body"]
            return Reply(201, json={"id": "1"})
        assert received.json == {"transition": {"id": "31"}}
        ticket["open"] = False
        return Reply(204)

    def opened(self, key, title, text):
        """Adds a ticket."""
        name = "SEC-%d" % (len(self.tickets) + 1)
        self.tickets.append(dict(name=name, key=key, title=title, text=text, open=True, said=None))
        return Reply(201, json={"id": "1", "key": name})

    def check(self):
        """Whatever is asked is answered here."""


class ServiceNow(Jira):
    """Incidents, as far as the playbook asks: the Table API's GET, POST, and PATCH."""

    name = "servicenow"
    of_another = dict(result=[dict(sys_id="9", number="9", correlation_id="another")])
    variables = dict(documented("servicenow"), servicenow_user="u", servicenow_password="p-word")

    def answer(self, received):
        """The answer of ServiceNow."""
        path = "/api/now/table/incident"
        if received.method == "GET":
            query = re.fullmatch(r"active=true\^correlation_id=(.+)", unquote(received.query["sysparm_query"][0]))
            found = [one for one in self.tickets if one["key"] == query[1] and one["open"]]
            shown = [dict(sys_id=one["name"], number=one["name"], correlation_id=one["key"]) for one in found]
            return Reply(json={"result": shown})
        if received.method == "POST":
            assert received.path == path and received.json["assignment_group"] == "Network operations"
            return self.opened(received.json["correlation_id"], received.json["short_description"], received.json["description"])
        assert received.method == "PATCH" and received.json["state"] == "6" and received.json["close_code"]
        ticket = next(one for one in self.tickets if path + "/" + one["name"] == received.path)
        ticket.update(open=False, said=received.json["close_notes"])
        return Reply(json={"result": {}})


@pytest.fixture(params=[Jira, ServiceNow])
def desk(request):
    """What keeps the tickets."""
    desk = request.param()
    yield desk
    desk.stop()


EXPOSURES = [dict(alert_internal_id=number, attack_surface_rule_id="Rdp", service_id="s") for number in (1, 2, 3)]


def write(ansible, *outcomes):
    """A run in which the exposures have these outcomes. Returns the content of its verification.json."""
    answers = [exposure(one, outcome) for one, outcome in zip(EXPOSURES, outcomes)]
    result = call(
        remediation_evidence,
        dict(
            dest=str(ansible.folder / "remediation-evidence"),
            formats=["json"],
            targets=dict(exposures=EXPOSURES),
            results=[dict(module="xpanse_rcs_request", rcs_requests=answers)],
        ),
    )
    return json.loads(Path(result["verification"]["path"]).read_text(encoding="utf-8"))


def run(ansible, desk, *options):
    """Runs the example."""
    command = re.search(r"^ansible-playbook (\S+/%s\.yml) -e @%s-variables\.yml$" % (desk.name, desk.name), PAGE, re.MULTILINE)
    done = ansible.run(ROOT / command[1], *options, **{**desk.variables, desk.name + "_url": desk.url})
    assert "p-word" not in done.stdout
    return done


def test_tickets_are_opened_once_and_closed_when_it_is_gone(ansible, desk):
    wanted = [one for one in tickets(write(ansible, "unremediated", "remediated", "unremediated")) if one["state"] == "open"]
    rehearsed = run(ansible, desk, "--check")
    assert rehearsed.returncode == 0 and desk.tickets == [], rehearsed.stdout
    assert run(ansible, desk).returncode == 0
    assert [(one["key"], one["title"], one["text"]) for one in desk.tickets] == [
        (one["key"], one["title"], one["text"]) for one in wanted
    ]
    # Nothing is opened twice, and what is not known is no reason to close anything.
    write(ansible, "unremediated", "remediated", "inconclusive")
    assert run(ansible, desk).returncode == 0 and [one["open"] for one in desk.tickets] == [True, True]
    write(ansible, "remediated", "inconclusive", "unremediated")
    assert run(ansible, desk).returncode == 0 and [one["open"] for one in desk.tickets] == [False, True]
    assert "Exposure is gone." in desk.tickets[0]["said"] and desk.tickets[1]["said"] is None


@pytest.mark.parametrize("what", ["an error", "another's"])
def test_what_cannot_be_looked_up_ends_the_play(ansible, desk, what):
    write(ansible, "unremediated", "remediated", "remediated")
    desk.broken = {"an error": Reply(503, json={}), "another's": Reply(json=desk.of_another)}[what]
    done = run(ansible, desk)
    last = done.stdout.rpartition("TASK [")[2]
    assert done.returncode != 0 and last.startswith("Look for the ") and len(desk.requests_seen) == 3, done.stdout


def test_evidence_that_was_changed_closes_no_ticket(ansible, desk):
    found = write(ansible, "unremediated", "unremediated", "unremediated")
    for one in tickets(found):
        desk.opened(one["key"], one["title"], one["text"])
    path = ansible.folder / "remediation-evidence" / "latest" / "verification.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"unremediated"', '"remediated"'), encoding="utf-8")
    done = run(ansible, desk)
    assert done.returncode != 0 and "verification.json was changed" in done.stdout
    assert all(one["open"] for one in desk.tickets) and desk.requests_seen == []
