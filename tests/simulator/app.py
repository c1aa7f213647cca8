# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator as an ASGI application: its settings, its state, and the control API below /_sim/."""

from __future__ import annotations

import json
import os
import pickle

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from simulator import company
from simulator.core import Clock, Faults, Operation, RateLimit, RequestLog, json_response
from simulator.sailpoint import SailPoint
from simulator.xpanse import Xpanse

CONFIG = {
    "scan_seconds": 2,
    "report_seconds": 1,
    "latency": 0,
    "rate_limit": 100,
    "rate_window": 10,
    "token_seconds": 749,
    "retry_after_form": "seconds",
    "clock_offset": 0,
    # SailPoint
    "beta_detail": "SLIM",
    "report_id": "new",
    "search_lag": 30,
    "reload_seconds": 1,
    # Xpanse
    "slash": "both",
    "slash_status": 308,
    "operator": "both",
    "operator_status": 400,
    "reuse_finished": False,
    "unknown_scan_status": 404,
    "comment_form": "replace",
    "incident_limit": 10,
    "incident_window": 60,
}
CHOICES = {
    "retry_after_form": ("seconds", "date"),
    "beta_detail": ("SLIM", "FULL"),
    "report_id": ("new", "same"),
    "slash": ("both", "required", "forbidden"),
    "slash_status": (308, 404),
    "operator": ("both", "EQ", "eq"),
    "operator_status": (400, 422),
    "comment_form": ("replace", "append"),
}


class Version(Convertor):
    """The versions that SailPoint puts first in a path."""

    regex = "v3|beta|v2024|v2025|v2026"

    def convert(self, value):
        return value

    def to_string(self, value):
        return value


register_url_convertor("isc_version", Version())


class Simulator:
    """Everything that is remembered between two requests."""

    def __init__(self, options):
        self.options = options
        self.verbose = options.get("verbose", False)
        self.reset()

    def reset(self):
        self.config = {**CONFIG, **{name: self.options[name] for name in CONFIG if name in self.options}}
        self.clock = Clock()
        self.log = RequestLog()
        self.faults = Faults()
        self.limits = RateLimit()
        exposures, campaigns = self.options.get("exposures"), self.options.get("campaigns")
        if exposures is None:
            alerts = company.alerts(self.clock.now())
        else:
            alerts = company.generated_alerts(exposures, self.clock.now())
        if campaigns is None:
            campaigns = company.campaigns(self.clock.now())
        else:
            campaigns = company.generated_campaigns(campaigns, self.clock.now())
        self.sailpoint = SailPoint(self, campaigns)
        self.xpanse = Xpanse(self, alerts)

    @classmethod
    def resume(cls, options):
        """The simulator that was kept in the file options["state"], or a new one if there is none."""
        path = options.get("state")
        if not path or not os.path.exists(path):
            return cls(options)
        with open(path, "rb") as file:
            simulator = pickle.load(file)
        simulator.options = options
        simulator.verbose = options.get("verbose", False)
        simulator.config.update({name: options[name] for name in CONFIG if name in options})
        # Time went on, and what was asked of the last process is no business of this one.
        simulator.clock, simulator.log = Clock(), RequestLog()
        simulator.faults, simulator.limits = Faults(), RateLimit()
        return simulator

    def keep(self):
        """Writes everything to the file options["state"], if there is one."""
        if self.options.get("state"):
            with open(self.options["state"], "wb") as file:
                pickle.dump(self, file)

    def settle(self):
        """Brings everything that time has finished to its end, before the settings that it runs by are changed."""
        self.sailpoint.settle()
        self.xpanse.settle()

    def configure(self, wanted):
        """Raises ValueError, and changes nothing, for a setting that there is not."""
        for name, value in wanted.items():
            if name not in CONFIG:
                raise ValueError("no setting %r" % name)
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError("%s is one of %s, not %r" % (name, ", ".join(map(str, CHOICES[name])), value))
            if name not in CHOICES and (not isinstance(value, (int, float)) or value < 0 and name != "clock_offset"):
                raise ValueError("%s is a number, not %r" % (name, value))
        self.settle()
        self.config.update(wanted)
        self.clock.offset = self.config["clock_offset"]


class Control:
    """The control API. It is not logged, not limited, and never faulted."""

    def __init__(self, simulator):
        self.simulator = simulator

    def routes(self):
        def route(path, method, name):
            return Route("/_sim" + path, self._endpoint(getattr(self, name)), methods=[method])

        return [
            route("/log", "GET", "log"),
            route("/log", "DELETE", "clear_log"),
            route("/stats", "GET", "stats"),
            route("/faults", "GET", "show_faults"),
            route("/faults", "POST", "add_faults"),
            route("/faults", "DELETE", "clear_faults"),
            route("/state", "GET", "state"),
            route("/config", "GET", "show_config"),
            route("/config", "POST", "configure"),
            route("/campaigns/{id}", "PATCH", "patch_campaign"),
            route("/exposures/{id}", "PATCH", "patch_exposure"),
            route("/alerts/{id}", "PATCH", "patch_alert"),
            route("/reloads", "POST", "set_reloads"),
            route("/expire_tokens", "POST", "expire_tokens"),
            route("/purge_reports", "POST", "purge_reports"),
            route("/reset", "POST", "reset"),
        ]

    @staticmethod
    def _endpoint(call):
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                return json_response(call(request, json.loads(body) if body else {}))
            except KeyError as error:
                return json_response({"error": "no such thing: %s" % error}, 404)
            except (TypeError, ValueError) as error:
                return json_response({"error": str(error)}, 400)

        return endpoint

    def log(self, request, body):
        wanted = request.query_params
        return [
            entry
            for entry in self.simulator.log.entries
            if all(str(entry.get(name)).lower() == value.lower() for name, value in wanted.items())
        ]

    def clear_log(self, request, body):
        in_flight = self.simulator.log.in_flight
        self.simulator.log = RequestLog()
        return {"in_flight": in_flight}

    def stats(self, request, body):
        return self.simulator.log.stats()

    def show_faults(self, request, body):
        return self.simulator.faults.waiting

    def add_faults(self, request, body):
        faults = self.simulator.faults
        faults.waiting += [faults.read(fault) for fault in (body if isinstance(body, list) else [body])]
        return faults.waiting

    def clear_faults(self, request, body):
        self.simulator.faults.waiting.clear()
        return []

    def state(self, request, body):
        simulator = self.simulator
        return {"config": simulator.config, **simulator.sailpoint.state(), **simulator.xpanse.state()}

    def show_config(self, request, body):
        return self.simulator.config

    def configure(self, request, body):
        self.simulator.configure(body)
        return self.simulator.config

    def patch_campaign(self, request, body):
        return self.simulator.sailpoint.patch(request.path_params["id"], body)

    def patch_exposure(self, request, body):
        return self.simulator.xpanse.patch_exposure(request.path_params["id"], body)

    def patch_alert(self, request, body):
        return self.simulator.xpanse.patch_alert(request.path_params["id"], body)

    def set_reloads(self, request, body):
        return self.simulator.sailpoint.set_reloads(body)

    def expire_tokens(self, request, body):
        return {"expired": self.simulator.sailpoint.expire_tokens()}

    def purge_reports(self, request, body):
        return {"purged": self.simulator.sailpoint.purge(body.get("status", 410))}

    def reset(self, request, body):
        self.simulator.reset()
        return {}


def create_app(simulator):
    """An ASGI application. Plain routers: a Starlette application's middleware would hide the connection from drops."""

    def route(path, name, api, method):
        def answer(request, body, entry):
            # By name and late, because a reset replaces the state of both APIs.
            current = getattr(simulator, api)
            return getattr(current, name)(request, body, entry)

        return Route(path, Operation(simulator, Api(simulator, api), name, method, answer))

    control = Router(Control(simulator).routes(), redirect_slashes=False)
    apis = []
    for name, method, path in Xpanse.PATHS:
        apis += [route(path + "/", name, "xpanse", method), route(path, name, "xpanse", method)]
    for name, method, per_service, versioned in SailPoint.PATHS:
        apis.append(route(per_service, name, "sailpoint", method))
        if versioned:
            apis.append(route("/{version:isc_version}" + versioned, name, "sailpoint", method))
    for api, prefix in (("xpanse", "/public_api"), ("xpanse", "/api_keys"), ("sailpoint", "")):
        apis.append(route(prefix + "/{rest:path}", "unknown", api, None))
    router = Router(apis, redirect_slashes=False)

    async def app(scope, receive, send):
        await (control if scope["path"].startswith("/_sim/") else router)(scope, receive, send)

    return app


def create_tenants_app(simulators):
    """An ASGI application in which each port is a tenant. simulators: by the port."""
    apps = {port: create_app(simulator) for port, simulator in simulators.items()}

    async def app(scope, receive, send):
        await apps[scope["server"][1]](scope, receive, send)

    return app


class Api:
    """An API by its name, because a reset may replace its state at any time."""

    def __init__(self, simulator, name):
        self.name = name
        self._simulator = simulator

    def error(self, status):
        return getattr(self._simulator, self.name).error(status)

    def too_many(self, headers):
        return getattr(self._simulator, self.name).too_many(headers)
