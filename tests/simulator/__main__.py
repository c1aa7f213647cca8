# Copyright: Contributors to secops.remediation
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the simulator: `python tests/simulator --help`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys

if not __package__:
    # Run as a folder (`python tests/simulator`): Python has put the folder itself on the path, not its parent.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

import uvicorn  # noqa: E402

from simulator.app import Simulator, create_app, create_tenants_app  # noqa: E402


def arguments(argv=None):
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument(
        "--tenants", type=int, default=1, metavar="N", help="N of them, each on a free port and with a state of its own"
    )
    parser.add_argument("--certfile", help="answer HTTPS with this certificate")
    parser.add_argument("--keyfile")
    parser.add_argument(
        "--company", action="store_true", help="the believable small company (what is not generated comes from it in any case)"
    )
    parser.add_argument("--exposures", type=int, metavar="N", help="N generated ones instead of the company's")
    parser.add_argument("--campaigns", type=int, metavar="N", help="N generated ones instead of the company's")
    parser.add_argument("--scan-seconds", type=float, default=2)
    parser.add_argument("--report-seconds", type=float, default=1)
    parser.add_argument("--latency", type=float, default=0, metavar="S", help="seconds added to every request")
    parser.add_argument("--rate-limit", type=int, default=100, metavar="N", help="requests per 10 s; 0 is no limit")
    parser.add_argument("--token-seconds", type=float, default=749)
    parser.add_argument("--state", metavar="FILE", help="go on from this file, and write it at the end")
    parser.add_argument("--verbose", action="store_true", help="one line a request on stderr")
    options = parser.parse_args(argv)
    if options.tenants < 1 or options.tenants > 1 and (options.port or options.state):
        parser.error("--tenants is 1 or more, and --port and --state are for one")
    return options


class Server(uvicorn.Server):
    """Says on stdout where it listens, once it does."""

    async def startup(self, sockets=None):
        await super().startup(sockets)
        if self.should_exit:
            return
        urls = []
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            urls.append("%s://%s:%d" % ("https" if self.config.is_ssl else "http", "[%s]" % host if ":" in host else host, port))
        ready = {"url": urls[0], "pid": os.getpid()}
        if sockets is not None:
            ready["urls"] = urls
        print(json.dumps(ready), flush=True)


def listen(host, count):
    """So many listening sockets on free ports."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return [socket.create_server((host, 0), family=family) for _number in range(count)]


def main():
    options = arguments()
    simulators = [Simulator.resume(vars(options)) for _tenant in range(options.tenants)]
    # uvicorn raises the signal again once it has shut down; ending on SIGTERM is no failure here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *ignored: sys.exit(0))
    sockets = listen(options.host, options.tenants) if options.tenants > 1 else None
    if sockets:
        app = create_tenants_app({listening.getsockname()[1]: simulator for listening, simulator in zip(sockets, simulators)})
    else:
        app = create_app(simulators[0])
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="error",
        lifespan="off",
        ssl_certfile=options.certfile,
        ssl_keyfile=options.keyfile,
        # A poller that looks once a minute keeps its connection; and the Date header follows the simulator's own clock.
        timeout_keep_alive=600,
        date_header=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    try:
        server.run(sockets)
    finally:
        simulators[0].keep()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
