# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event sources as ansible-rulebook loads them, with a queue of our own, against the simulator."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import socket
import ssl
import time

import aiohttp
import event_schemas
import jsonschema
import pytest
import trustme
import yaml
from running_simulator import running_simulator
from simulator import company

from ansible_collections.secops.remediation.plugins.module_utils._events.watch import BadArguments

ROOT = event_schemas.CHECKOUT
NAMES = event_schemas.source_names()
RESOLVED, NEW, REOPENED = "STATUS_070_RESOLVED_OTHER", "STATUS_010_NEW", "STATUS_230_REOPENED"
TOKEN = "a-token-of-the-webhook"


@pytest.fixture(scope="module")
def running():
    with running_simulator("--rate-limit", "0") as simulator:
        yield simulator


@pytest.fixture
def simulator(running):
    running.control("POST", "reset")
    return running


@pytest.fixture(autouse=True)
def credentials(monkeypatch, running):
    values = dict(
        SAIL_BASE_URL=running.url,
        SAIL_CLIENT_ID="admin-client",
        SAIL_CLIENT_SECRET="admin-secret",
        CORTEX_FQDN=running.url,
        CORTEX_API_KEY_ID="1",
        CORTEX_API_KEY="advanced-key",
    )
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "SAIL_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)


class Run:
    """A source that runs in the loop of the test, and what it gave on."""

    def __init__(self, name, args):
        self.events = []
        self.task = asyncio.create_task(event_schemas.load(name)["main"](self, args))

    async def put(self, event):
        self.events.append(event)

    async def until(self, condition, seconds=60):
        """Waits until the condition holds. What the source raises is raised."""
        ends = time.monotonic() + seconds
        while not condition():
            if self.task.done():
                self.task.result()
                raise AssertionError("the source has ended")
            assert time.monotonic() < ends, "in vain"
            await asyncio.sleep(0.01)

    async def end(self):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def looks(simulator, operation):
    return len(simulator.log(operation=operation))


async def running_source(simulator, name, operation, **args):
    """A Run of a source that has looked once, and so knows what was there before."""
    before = looks(simulator, operation)
    run = Run(name, dict(dict(interval=0.02, retry_timeout=0, rate_limit=0), **args))
    # It looks again only when it has remembered what it saw.
    await run.until(lambda: looks(simulator, operation) > before + 1)
    return run


async def looked_again(simulator, run, operation):
    """Waits for two more looks: the first of them may have begun before."""
    before = looks(simulator, operation)
    await run.until(lambda: looks(simulator, operation) > before + 1)


@contextlib.asynccontextmanager
async def source(simulator, name, operation, **args):
    run = await running_source(simulator, name, operation, **args)
    try:
        yield run
    finally:
        await run.end()


class TestXpanseAlerts:
    NAME, OPERATION = "xpanse_alerts", "get_alerts"

    def test_from_a_state_to_the_next_and_across_a_restart(self, simulator, tmp_path):
        for alert in (4101, 4102, 4103):
            simulator.control("PATCH", "alerts/%d" % alert, {"resolution_status": NEW})
        args = dict(state=str(tmp_path / "state.json"), events=["resolved", "reopened"])

        async def scenario():
            async with source(simulator, self.NAME, self.OPERATION, **args) as run:
                assert run.events == []
                simulator.control("PATCH", "alerts/4101", {"resolution_status": RESOLVED, "name": "RDP {{ 7*7 }}"})
                await run.until(lambda: run.events)
                await looked_again(simulator, run, self.OPERATION)
            simulator.control("PATCH", "alerts/4102", {"resolution_status": RESOLVED})
            async with source(simulator, self.NAME, self.OPERATION, **args) as again:
                simulator.control("PATCH", "alerts/4101", {"resolution_status": REOPENED})
                await again.until(lambda: len(again.events) == 2)
                await looked_again(simulator, again, self.OPERATION)
            return run.events, again.events

        first, second = asyncio.run(scenario())
        assert [(event["kind"], event["alert_ids"]) for event in first] == [("resolved", [4101])]
        assert [(event["kind"], event["alert_ids"]) for event in second] == [("resolved", [4102]), ("reopened", [4101])]
        assert first[0]["alerts"][0]["name"] == "RDP  { { 7*7 } } "
        assert first[0]["tenant"] == simulator.url
        assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
        assert "advanced-key" not in (tmp_path / "state.json").read_text()

    def test_an_api_that_is_away_for_a_while(self, simulator, tmp_path, caplog):
        simulator.control("PATCH", "alerts/4101", {"resolution_status": NEW})

        async def scenario():
            async with source(simulator, self.NAME, self.OPERATION, state=str(tmp_path / "state.json")) as run:
                faults = [
                    {"operation": self.OPERATION, "kind": kind} for kind in ("status", "drop", "html", "empty", "cut_json")
                ] + [{"operation": self.OPERATION, "kind": "status", "status": 401}]
                simulator.control("POST", "faults", faults)
                simulator.control("PATCH", "alerts/4101", {"resolution_status": RESOLVED})
                await run.until(lambda: run.events)
                await looked_again(simulator, run, self.OPERATION)
                return run.events

        with caplog.at_level(logging.WARNING, "secops.remediation"):
            events = asyncio.run(scenario())
        assert [event["alert_ids"] for event in events] == [[4101]]
        assert "in a row failed" in caplog.text and "answers again" in caplog.text
        assert "advanced-key" not in caplog.text

    def test_a_wrong_key_is_no_silence_and_is_not_shown(self, simulator, tmp_path, caplog):
        async def scenario():
            run = Run(
                self.NAME, dict(state=str(tmp_path / "s.json"), interval=0.02, retry_timeout=0, api_key="not-the-key-at-all")
            )
            await run.until(lambda: caplog.text.count("HTTP 401") > 1)
            await run.end()
            return run.events

        with caplog.at_level(logging.WARNING, "secops.remediation"):
            assert asyncio.run(scenario()) == []
        assert "api_key" in caplog.text and "not-the-key-at-all" not in caplog.text
        assert json.loads((tmp_path / "s.json").read_text())["began"] is False

    def test_filters_reach_the_api_and_are_what_the_state_is_about(self, simulator, tmp_path):
        async def scenario(**args):
            async with source(simulator, self.NAME, self.OPERATION, state=str(tmp_path / "s.json"), **args):
                pass

        asyncio.run(scenario(severities=["high"]))
        seen = json.loads((tmp_path / "s.json").read_text())["seen"]
        alerts = simulator.control("GET", "state")["alerts"]
        assert seen and {alerts[key]["severity"] for key in seen} == {"high"}
        with pytest.raises(BadArguments, match="about something else: filters"):
            asyncio.run(scenario(severities=["low"]))


class TestSailPointCampaigns:
    NAME, OPERATION = "sailpoint_campaigns", "list_campaigns"

    def test_a_campaign_that_is_completed(self, simulator, tmp_path):
        async def scenario():
            async with source(simulator, self.NAME, self.OPERATION, state=str(tmp_path / "state.json")) as run:
                assert run.events == []
                simulator.control("PATCH", "campaigns/" + company.MANAGERS, {"status": "COMPLETED"})
                await run.until(lambda: run.events)
                # A scan moves it.
                simulator.control("PATCH", "campaigns/" + company.MANAGERS, {"modified": "2030-01-01T00:00:00Z"})
                await looked_again(simulator, run, self.OPERATION)
                return run.events

        (event,) = asyncio.run(scenario())
        assert (event["kind"], event["again"], event["campaign_ids"]) == ("completed", False, [company.MANAGERS])
        assert event["campaigns"][0]["status"] == "COMPLETED"

    def test_those_of_a_while_ago(self, simulator, tmp_path):
        async def scenario():
            run = Run(self.NAME, dict(state=str(tmp_path / "s.json"), interval=0.02, since="2000-01-01T00:00:00Z"))
            await run.until(lambda: looks(simulator, self.OPERATION) > 2)
            await run.end()
            return [event["campaign_ids"][0] for event in run.events]

        found = asyncio.run(scenario())
        completed = {key for key, one in simulator.control("GET", "state")["campaigns"].items() if one["status"] == "COMPLETED"}
        assert len(found) == len(completed) and set(found) == completed

    def test_a_login_that_failed_is_tried_again(self, simulator, tmp_path, caplog):
        async def scenario():
            simulator.control("POST", "faults", [{"operation": "token", "kind": "status", "status": 401, "times": 2}])
            run = await running_source(simulator, self.NAME, self.OPERATION, state=str(tmp_path / "state.json"))
            await run.end()

        asyncio.run(scenario())
        assert "admin-secret" not in caplog.text


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ended(campaign_id):
    return {"campaign": {"id": campaign_id, "name": "Q3", "type": "MANAGER", "status": "COMPLETED"}}


class TestSailPointWebhook:
    NAME, OPERATION = "sailpoint_webhook", "list_campaigns"

    @contextlib.asynccontextmanager
    async def hook(self, simulator, tmp_path, interval=3600, **args):
        """(Run, function that posts and returns the status) of a source that looks by itself hourly, once it has looked."""
        port = self.port = free_port()
        args = dict(
            dict(token=TOKEN),
            state=str(tmp_path / "state.json"),
            port=port,
            interval=interval,
            retry_timeout=0,
            rate_limit=0,
            **args,
        )
        before = looks(simulator, self.OPERATION)
        run = Run(self.NAME, args)
        scheme = "https" if "certfile" in args else "http"
        try:
            await run.until(lambda: looks(simulator, self.OPERATION) > before and self.began(tmp_path))
            async with aiohttp.ClientSession() as session:

                async def post(body, header="Bearer " + TOKEN, path="/campaign-ended", tls=None, **more):
                    headers = {"Authorization": header} if header else {}
                    content = body if isinstance(body, bytes) else json.dumps(body).encode()
                    url = "%s://127.0.0.1:%d%s" % (scheme, port, path)
                    async with session.post(url, data=content, headers=headers, ssl=tls, **more) as answer:
                        return answer.status

                yield run, post
        finally:
            await run.end()

    @staticmethod
    def began(tmp_path):
        return json.loads((tmp_path / "state.json").read_text())["began"]

    def test_a_campaign_that_ended_is_one_event_whoever_sees_it_first(self, simulator, tmp_path):
        async def scenario():
            async with self.hook(simulator, tmp_path) as (run, post):
                simulator.control("PATCH", "campaigns/" + company.MANAGERS, {"status": "COMPLETED"})
                for _time in range(3):
                    assert await post(ended(company.MANAGERS)) == 202
                await run.until(lambda: run.events)
                before = looks(simulator, self.OPERATION)
                assert await post(ended(company.MANAGERS)) == 202
                await run.until(lambda: looks(simulator, self.OPERATION) > before)
                first = list(run.events)
            # The source that only looks goes on with the same file.
            async with source(simulator, "sailpoint_campaigns", self.OPERATION, state=str(tmp_path / "state.json")) as run:
                return first, run.events

        first, second = asyncio.run(scenario())
        assert [event["campaign_ids"] for event in first] == [[company.MANAGERS]]
        assert second == []

    def test_looking_is_the_safety_net(self, simulator, tmp_path):
        async def scenario():
            async with self.hook(simulator, tmp_path, interval=0.02) as (run, _post):
                simulator.control("PATCH", "campaigns/" + company.MANAGERS, {"status": "COMPLETED"})
                await run.until(lambda: run.events)
                await looked_again(simulator, run, self.OPERATION)
                return run.events

        assert len(asyncio.run(scenario())) == 1

    def test_an_api_that_is_away_when_sailpoint_says_so(self, simulator, tmp_path):
        async def scenario():
            async with self.hook(simulator, tmp_path, interval=0.05) as (run, post):
                simulator.control("POST", "faults", [{"operation": self.OPERATION, "kind": "status", "status": 503, "times": 3}])
                simulator.control("PATCH", "campaigns/" + company.MANAGERS, {"status": "COMPLETED"})
                assert await post(ended(company.MANAGERS)) == 202
                await run.until(lambda: run.events)
                return run.events

        assert len(asyncio.run(scenario())) == 1

    @pytest.mark.parametrize("campaign_id", [company.MANAGERS, "f" * 32])
    def test_what_the_api_does_not_say_is_no_event(self, simulator, tmp_path, campaign_id):
        """One that is not completed, and one that is not there."""

        async def scenario():
            async with self.hook(simulator, tmp_path) as (run, post):
                before = looks(simulator, self.OPERATION)
                assert await post(ended(campaign_id)) == 202
                await run.until(lambda: looks(simulator, self.OPERATION) > before)
                simulator.control("PATCH", "campaigns/" + company.CONTRACTORS, {"status": "COMPLETED"})
                assert await post(ended(campaign_id)) == 202
                await run.until(lambda: run.events)
                return run.events

        assert [event["campaign_ids"] for event in asyncio.run(scenario())] == [[company.CONTRACTORS]]

    def test_who_is_not_let_in_wakes_nobody(self, simulator, tmp_path, caplog):
        async def scenario():
            async with self.hook(simulator, tmp_path) as (_run, post):
                good = ended(company.MANAGERS)
                statuses = [
                    await post(good, None),
                    await post(good, "Bearer another-token"),
                    await post(good, "Basic " + base64.b64encode(TOKEN.encode()).decode()),
                    await post(b"{"),
                    await post({"campaign": {"id": "../x"}}),
                    await post(b"x" * (64 * 1024 + 1)),
                    await post(good, path="/other"),
                ]
                return statuses

        with caplog.at_level(logging.DEBUG, "secops.remediation"):
            assert asyncio.run(scenario()) == [401, 401, 401, 400, 400, 413, 404]
        assert TOKEN not in caplog.text and "another-token" not in caplog.text

    @pytest.mark.parametrize(
        "header, body, status, wakes",
        [
            ("Bearer " + TOKEN, ended(company.MANAGERS), 202, True),
            ("Bearer x", ended(company.MANAGERS), 401, False),
            (None, ended(company.MANAGERS), 401, False),
            ("Bearer " + TOKEN, {}, 400, False),
            ("Bearer " + TOKEN, {"campaign": {"id": "x" * 70000}}, 413, False),
        ],
    )
    def test_only_who_is_let_in_wakes_the_source(self, header, body, status, wakes):
        loaded = event_schemas.load(self.NAME)

        class Request:
            remote = "192.0.2.1"
            headers = {"Authorization": header} if header else {}

            async def read(self):
                return json.dumps(body).encode()

        class Source:
            wake = asyncio.Event()

        answer = asyncio.run(loaded["Endpoint"](loaded["Door"](TOKEN, None, 60), Source).take(Request()))
        assert (answer.status, Source.wake.is_set()) == (status, wakes)

    def test_so_many_in_a_minute(self, simulator, tmp_path):
        async def scenario():
            async with self.hook(simulator, tmp_path, requests_per_minute=3) as (_run, post):
                # Whoever guesses uses it up, too.
                return [await post({}, "Bearer guess") for _time in range(3)] + [await post(ended(company.MANAGERS))]

        assert asyncio.run(scenario()) == [401, 401, 401, 429]

    @pytest.mark.parametrize(
        "begin", [b"", b"POST /campaign-ended HTTP/1.1\r\nHost: x\r\nX-A: ", b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n"]
    )
    @pytest.mark.parametrize("tls", [False, True])
    def test_who_sends_no_end_is_shown_out(self, simulator, tmp_path, monkeypatch, begin, tls):
        """Also in the middle of a handshake, and whoever stays after an answer."""
        certificate = {}
        if tls:
            trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
            certificate = dict(certfile=str(tmp_path / "server.pem"))
        loaded = event_schemas.load(self.NAME)
        monkeypatch.setitem(loaded["main"].__globals__, "CONNECTION_SECONDS", 0.3)
        monkeypatch.setattr(event_schemas, "load", lambda _name: loaded)

        async def scenario():
            async with self.hook(simulator, tmp_path, **certificate) as (run, _post):
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                    connection.sendall(begin)

                    def told():
                        with contextlib.suppress(ConnectionResetError):
                            while connection.recv(1000):
                                pass

                    await asyncio.to_thread(told)
                assert not run.task.done()

        asyncio.run(scenario())

    def test_no_more_than_so_many_at_the_same_time(self, simulator, tmp_path, monkeypatch):
        loaded = event_schemas.load(self.NAME)
        monkeypatch.setitem(loaded["main"].__globals__, "MOST_CONNECTIONS", 3)
        monkeypatch.setattr(event_schemas, "load", lambda _name: loaded)

        async def scenario():
            async with self.hook(simulator, tmp_path) as (_run, post):
                idle = [socket.create_connection(("127.0.0.1", self.port), timeout=10) for _time in range(3)]
                try:
                    with pytest.raises(aiohttp.ClientError):
                        await post(ended(company.MANAGERS))
                finally:
                    for connection in idle:
                        connection.close()
                # Whoever leaves makes room.
                ends = time.monotonic() + 30
                while time.monotonic() < ends:
                    with contextlib.suppress(aiohttp.ClientError):
                        return await post(ended(company.MANAGERS))
                    await asyncio.sleep(0.05)

        assert asyncio.run(scenario()) == 202

    def test_basic_authentication(self, simulator, tmp_path):
        async def scenario():
            async with self.hook(simulator, tmp_path, token="", username="isc", password="pass:word") as (_run, post):
                good = "Basic " + base64.b64encode(b"isc:pass:word").decode()
                return [
                    await post(ended("a"), good),
                    await post(ended("a"), "Bearer isc:pass:word"),
                    await post(ended("a"), None),
                ]

        assert asyncio.run(scenario()) == [202, 401, 401]

    def test_tls(self, simulator, tmp_path):
        authority = trustme.CA()
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
        tls = ssl.create_default_context()
        authority.configure_trust(tls)

        async def scenario():
            async with self.hook(simulator, tmp_path, certfile=str(tmp_path / "server.pem")) as (_run, post):
                return await post(ended("a"), tls=tls)

        assert asyncio.run(scenario()) == 202

    def test_a_port_that_is_taken(self, simulator, tmp_path):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            args = dict(token=TOKEN, state=str(tmp_path / "state.json"), port=taken.getsockname()[1])

            async def scenario():
                await Run(self.NAME, args).task

            with pytest.raises(BadArguments, match="Cannot listen"):
                asyncio.run(scenario())


class TestBadArguments:
    @pytest.mark.parametrize(
        "name, args, message",
        [
            ("xpanse_alerts", {}, "missing required arguments: state"),
            ("xpanse_alerts", {"state": "{tmp}/s", "events": ["closed"]}, "closed"),
            ("xpanse_alerts", {"state": "{tmp}/s", "events": []}, "events is empty"),
            ("xpanse_alerts", {"state": "{tmp}/s", "batch_size": 0}, "batch_size is 0"),
            ("xpanse_alerts", {"state": "{tmp}/s", "base_url": "http://example.com"}, "unencrypted"),
            ("xpanse_alerts", {"state": "{tmp}/s", "request_timeout": 0}, "request_timeout is 0"),
            ("xpanse_alerts", {"state": "{tmp}/damaged"}, "is damaged"),
            ("sailpoint_campaigns", {"state": "{tmp}/s", "api_version": "next"}, "api_version"),
            ("sailpoint_campaigns", {"state": "{tmp}/damaged"}, "is damaged"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "token": TOKEN}, "missing required arguments: port"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1}, "Give token, or username and password"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "username": "x"}, "not both"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "username": "x"}, "password is missing"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "username": "x:y", "password": TOKEN}, "colon"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "host": "0.0.0.0"}, "unencrypted"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "keyfile": "x"}, "certfile is not"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "certfile": "{tmp}/none"}, "cannot be used"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "certfile": "{tmp}/damaged"}, "cannot be used"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "path": "x"}, "begin with a slash"),
            ("sailpoint_webhook", {"state": "{tmp}/s", "port": 1, "token": TOKEN, "requests_per_minute": 0}, "at least 1"),
        ],
    )
    def test_each_ends_the_source_with_what_is_wrong(self, tmp_path, name, args, message):
        (tmp_path / "damaged").write_text("{")
        args = {key: value.format(tmp=tmp_path) if isinstance(value, str) else value for key, value in args.items()}

        async def scenario():
            await Run(name, args).task

        with pytest.raises(BadArguments, match=message) as caught:
            asyncio.run(scenario())
        for secret in (TOKEN, "advanced-key", "admin-secret"):
            assert secret not in str(caught.value)
        assert (tmp_path / "damaged").read_text() == "{"

    def test_without_credentials(self, tmp_path, monkeypatch):
        for variable in ("CORTEX_API_KEY", "SAIL_CLIENT_SECRET"):
            monkeypatch.delenv(variable)
        for name, message in (("xpanse_alerts", "api_key"), ("sailpoint_campaigns", "client_secret is not given")):

            async def scenario(name=name):
                await Run(name, dict(state=str(tmp_path / name))).task

            with pytest.raises(BadArguments, match=message):
                asyncio.run(scenario())


class TestFiles:
    def test_there_are_three(self):
        assert NAMES == ["sailpoint_campaigns", "sailpoint_webhook", "xpanse_alerts"]

    @pytest.mark.parametrize("name", NAMES)
    def test_every_option_is_documented_as_it_is(self, name):
        loaded = event_schemas.load(name)
        documented, options = event_schemas.documented(loaded), loaded["OPTIONS"]
        assert yaml.safe_load(loaded["DOCUMENTATION"])["name"] == name
        assert set(documented) == set(options)
        for option, text in documented.items():
            for key in ("type", "elements", "default", "required", "choices"):
                if (option, key) != ("api_version", "choices"):
                    assert text.get(key) == options[option].get(key), (option, key)

    @pytest.mark.parametrize("name", NAMES)
    def test_the_schema_is_that_of_the_options(self, name):
        text = (event_schemas.SCHEMAS / (name + ".schema.json")).read_text(encoding="utf-8")
        assert text == event_schemas.text_of(name), "make event-schemas"
        jsonschema.Draft202012Validator.check_schema(json.loads(text))

    @pytest.mark.parametrize("name", NAMES)
    def test_the_examples_fit_their_schema(self, name):
        (example,) = yaml.safe_load(event_schemas.load(name)["EXAMPLES"])
        assert list(example) == ["secops.remediation." + name]
        jsonschema.validate(example["secops.remediation." + name], event_schemas.schema_of(name))
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**example["secops.remediation." + name], "no_such": 1}, event_schemas.schema_of(name))

    @pytest.mark.parametrize("path", sorted((ROOT / "extensions/eda/rulebooks").glob("*.yml")), ids=lambda path: path.stem)
    def test_the_arguments_of_the_rulebooks_fit_their_schema(self, path):
        found = []
        for ruleset in yaml.safe_load(path.read_text(encoding="utf-8")):
            for one in ruleset["sources"]:
                for key, args in one.items():
                    if key.startswith("secops.remediation."):
                        jsonschema.validate(args, event_schemas.schema_of(key.rpartition(".")[2]))
                        found.append(key)
        assert len(found) == 1

    def test_the_credential_types_fill_what_the_options_read(self):
        (play,) = yaml.load((ROOT / "extensions/eda/credential_types.yml").read_text(encoding="utf-8"), UnsafeLoader)
        injected = {name for one in play["vars"]["credential_types"] for name in one["injectors"]["env"]}
        read = {
            name
            for source_name in NAMES
            for option in event_schemas.load(source_name)["OPTIONS"].values()
            for name in option.get("fallback", (None, []))[1]
        }
        # A token that cannot be renewed is none for what runs for months.
        assert injected == read - {"SAIL_ACCESS_TOKEN"}
        for one in play["vars"]["credential_types"]:
            fields = {field["id"]: field for field in one["inputs"]["fields"]}
            assert {value.strip("{} ") for value in one["injectors"]["env"].values()} == set(fields)
            assert all(field.get("secret", False) == (name in SECRETS) for name, field in fields.items())


SECRETS = {"api_key", "client_secret", "token", "password"}


class UnsafeLoader(yaml.SafeLoader):
    """Knows Ansible's tag for texts that are no templates."""


UnsafeLoader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
