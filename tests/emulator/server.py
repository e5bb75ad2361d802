# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: binds, prints its URLs, serves and stops."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading

from aiohttp import web

from .api import Api
from .control import control_application
from .state import State

MAX_SEED_BYTES = 256 * 1024 * 1024


def application(state: State) -> web.Application:
    """The API below /client/v4, and the control API below /emulator."""
    app = web.Application(client_max_size=MAX_SEED_BYTES)
    app.router.add_route("*", "/client/v4{path:(/.*)?}", Api(state).handle)
    app.add_subapp("/emulator", control_application(state))
    return app


async def serve(
    host: str,
    port: int,
    quota: int,
    window: float,
    latency: float,
    until_stdin_closes: bool,
) -> None:
    """Serve until SIGINT, SIGTERM or, with ``until_stdin_closes``, the end of stdin.

    ``quota`` is in requests per ``window`` seconds, ``latency`` in seconds.
    Raises OSError if the address can't be bound.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    if until_stdin_closes:
        _at_end_of_stdin(lambda: loop.call_soon_threadsafe(stop.set))
    # Scripted hangs must not delay the shutdown.
    runner = web.AppRunner(
        application(State(quota=quota, window=window, latency=latency)),
        access_log=None,
        shutdown_timeout=0.1,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        _announce(*runner.addresses[0][:2])
        await stop.wait()
    finally:
        await runner.cleanup()


def _announce(host: str, port: int) -> None:
    origin = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    urls = {"url": f"{origin}/client/v4", "control_url": f"{origin}/emulator"}
    print(json.dumps(urls), flush=True)


def _at_end_of_stdin(callback) -> None:
    # An event loop can't watch every kind of stdin (a file, /dev/null). A thread that waits in
    # sys.stdin.read would hold its lock and break the interpreter's shutdown.
    def wait() -> None:
        while os.read(0, 4096):
            pass
        callback()

    threading.Thread(target=wait, daemon=True).start()
