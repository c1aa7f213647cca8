# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: sailpoint_webhook
short_description: Certification campaigns of SailPoint that were completed, as soon as SailPoint says so
description:
  - Takes SailPoint's event C(idn:campaign-ended) over HTTP. What it says is a hint that it is time to look, and nothing more. The
    list of completed campaigns is read at once, and only what the API says there becomes an event.
  - SailPoint sends nothing again. So it looks every O(interval) seconds as well, and both together give one event a campaign.
  - Everything else is as with O(ignore:sailpoint_campaigns), whose state file it can take over.
version_added: 0.4.0
options:
  host:
    description:
      - The address to listen at.
    type: str
    default: 127.0.0.1
  port:
    description:
      - The port to listen at.
    type: int
    required: true
  path:
    description:
      - The path of the endpoint.
    type: str
    default: /campaign-ended
  token:
    description:
      - The bearer token that SailPoint sends. Either this, or O(username) and O(password).
      - If not given, the environment variable C(SAIL_WEBHOOK_TOKEN) is used.
    type: str
  username:
    description:
      - The user name of basic authentication.
    type: str
  password:
    description:
      - The password of basic authentication.
      - If not given, the environment variable C(SAIL_WEBHOOK_PASSWORD) is used.
    type: str
  certfile:
    description:
      - File with the certificate of this endpoint, in PEM.
    type: path
  keyfile:
    description:
      - File with its key, if that is not in O(certfile).
    type: path
  insecure_http:
    description:
      - Listen without TLS at an address that others can reach. For where something in front ends TLS, as an ingress does.
    type: bool
    default: false
  requests_per_minute:
    description:
      - How many requests are looked at in a minute, whoever they are from. Others are told to come later.
    type: int
    default: 60
  filters:
    description:
      - A filter of SailPoint's list of campaigns besides that they are completed, for example C(name sw "Finance").
    type: str
extends_documentation_fragment:
  - secops.remediation.events
  - secops.remediation.connection
  - secops.remediation.sailpoint
requirements:
  - aiohttp >= 3.9
"""

EXAMPLES = r"""
- secops.remediation.sailpoint_webhook:
    state: /var/lib/remediation/sailpoint.json
    host: 0.0.0.0
    port: 5000
    certfile: /etc/remediation/webhook.pem
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

try:
    import ansible_collections.secops.remediation as _found  # noqa: F401
except ImportError as error:
    # ansible-rulebook runs this file by its path. Ansible's own loader of collections would be in its way.
    raise ImportError(
        "Python does not find the collection: set PYTHONPATH=%s, the folder that holds ansible_collections"
        % Path(__file__).absolute().parents[7]
    ) from error

from ansible_collections.secops.remediation.plugins.module_utils._events.door import (
    LARGEST_BODY,
    Door,
    Refused,
    campaign_named,
)
from ansible_collections.secops.remediation.plugins.module_utils._events.watch import BadArguments, Queue, Source, arguments
from ansible_collections.secops.remediation.plugins.module_utils._http.client import from_environment
from ansible_collections.secops.remediation.plugins.module_utils._http.options import is_loopback
from ansible_collections.secops.remediation.plugins.module_utils._sailpoint import watch

try:
    from aiohttp import web
except ImportError:
    # ansible-rulebook brings it; whoever only reads the options needs none.
    web = None

BODY_SECONDS = 10
# Whoever sends no end holds a place no longer, and all of them are few beside what a process may open.
CONNECTION_SECONDS = 20.0
MOST_CONNECTIONS = 50
OPTIONS = dict(
    host=dict(type="str", default="127.0.0.1"),
    port=dict(type="int", required=True),
    path=dict(type="str", default="/campaign-ended"),
    token=dict(type="str", no_log=True, fallback=(from_environment, ["SAIL_WEBHOOK_TOKEN"])),
    username=dict(type="str"),
    password=dict(type="str", no_log=True, fallback=(from_environment, ["SAIL_WEBHOOK_PASSWORD"])),
    certfile=dict(type="path"),
    keyfile=dict(type="path"),
    insecure_http=dict(type="bool", default=False),
    requests_per_minute=dict(type="int", default=60),
    **watch.OPTIONS,
)
LOGGER = logging.getLogger("secops.remediation.sailpoint_webhook")


def door_of(params: dict) -> Door:
    """Who may knock. Raises BadArguments."""
    token, username, password = params["token"], params["username"], params["password"]
    if bool(token) == bool(username):
        raise BadArguments("Give token, or username and password, and not both: whoever asks without is not let in")
    if username and not password:
        raise BadArguments("password is missing: give it, or set SAIL_WEBHOOK_PASSWORD in the environment")
    if username and ":" in username:
        raise BadArguments("username holds a colon, which ends it in basic authentication")
    if params["requests_per_minute"] < 1:
        raise BadArguments("requests_per_minute is %d and must be at least 1" % params["requests_per_minute"])
    return Door(token, (username, password) if username else None, params["requests_per_minute"])


def tls_of(params: dict) -> ssl.SSLContext | None:
    """What the endpoint speaks TLS with, or None. Raises BadArguments."""
    if not params["certfile"]:
        if params["keyfile"]:
            raise BadArguments("keyfile is given and certfile is not")
        if not is_loopback(params["host"]) and not params["insecure_http"]:
            raise BadArguments(
                "host is %s, and without certfile the credentials would come unencrypted: give certfile, or set insecure_http "
                "to true where something in front ends TLS" % params["host"]
            )
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(params["certfile"], params["keyfile"])
    except (OSError, ssl.SSLError) as error:
        raise BadArguments("certfile and keyfile cannot be used: %s" % (error.strerror or error)) from error
    return context


class Endpoint:
    """The endpoint: whoever is let in wakes the source."""

    def __init__(self, door: Door, source: Source) -> None:
        self._door = door
        self._source = source

    async def take(self, request: Any) -> Any:
        """Answers one request."""
        try:
            self._door.admit()
            self._door.check(request.headers.get("Authorization"))
            named = campaign_named(await asyncio.wait_for(request.read(), BODY_SECONDS))
        except Refused as refused:
            LOGGER.warning("A request from %s was refused with %d: %s", request.remote, refused.status, refused)
            return web.json_response({"error": str(refused)}, status=refused.status, headers=headers_of(refused.status))
        except asyncio.TimeoutError:
            return web.json_response({"error": "too slow"}, status=408)
        LOGGER.info("SailPoint says that the campaign %s has ended: looking.", named)
        self._source.wake.set()
        return web.json_response({}, status=202)


def headers_of(status: int) -> dict:
    """What goes with a refusal."""
    return {429: {"Retry-After": "60"}, 401: {"WWW-Authenticate": "Bearer, Basic"}}.get(status, {})


async def listener_at(host: str, port: int) -> socket.socket:
    """What listens there. Raises BadArguments."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        # A name is looked up, and that may take its time.
        listener = await asyncio.to_thread(socket.create_server, (host, port), family=family, backlog=MOST_CONNECTIONS)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or error
        raise BadArguments("Cannot listen at %s port %d: %s" % (host, port, said)) from error
    listener.setblocking(False)
    return listener


async def hold(connection: socket.socket, server: Any, context: ssl.SSLContext | None) -> None:
    """Has a connection served, and ends it when its time is over, in whichever state it is by then."""
    loop = asyncio.get_running_loop()
    seconds = CONNECTION_SECONDS if context else None
    try:
        transport, _protocol = await loop.connect_accepted_socket(server, connection, ssl=context, ssl_handshake_timeout=seconds)
    except (OSError, asyncio.TimeoutError):
        # Whoever speaks no TLS, or has left.
        connection.close()
        return
    loop.call_later(CONNECTION_SECONDS, transport.abort)


async def let_in(listener: socket.socket, server: Any, context: ssl.SSLContext | None) -> None:
    """Takes connections until it is cancelled, and never more than MOST_CONNECTIONS at the same time."""
    loop = asyncio.get_running_loop()
    held: dict[socket.socket, asyncio.Task] = {}
    while True:
        try:
            connection, _address = await loop.sock_accept(listener)
        except OSError as error:
            LOGGER.error("No connection can be taken: %s", error.strerror)
            await asyncio.sleep(1)
            continue
        # A socket that was closed has no number.
        held = {one: task for one, task in held.items() if one.fileno() != -1}
        if len(held) >= MOST_CONNECTIONS:
            connection.close()
        else:
            held[connection] = asyncio.create_task(hold(connection, server, context))


async def main(queue: Queue, args: dict) -> None:
    """What ansible-rulebook calls. Raises BadArguments."""
    if web is None:
        raise BadArguments("the Python library aiohttp is missing, which ansible-rulebook brings")
    params = arguments(args, OPTIONS)
    if not params["path"].startswith("/"):
        raise BadArguments("path is %r and must begin with a slash" % params["path"])
    door, context = door_of(params), tls_of(params)
    source = await asyncio.to_thread(watch.source, params, LOGGER)
    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_post(params["path"], Endpoint(door, source).take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=BODY_SECONDS)
    await runner.setup()
    try:
        try:
            listener = await listener_at(params["host"], params["port"])
        except BadArguments:
            source.close()
            raise
        with listener:
            taking = asyncio.create_task(let_in(listener, runner.server, context))
            try:
                await source.run(queue)
            finally:
                taking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await taking
    finally:
        await runner.cleanup()
