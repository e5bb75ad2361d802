# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: where it listens, and how it stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from emulator.harness import Account, Emulator

# Seconds; only a test that fails waits that long.
TIMEOUT = 60
TESTS = Path(__file__).resolve().parents[2]


def first_line(process: subprocess.Popen) -> dict[str, str]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def start(*options: str, **streams) -> subprocess.Popen:
    interpreter = os.environ.get("EMULATOR_PYTHON") or sys.executable
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.Popen(
        [interpreter, "-m", "emulator", *options], cwd=TESTS, text=True, **streams
    )


def test_several_emulators_share_nothing(api_for):
    with Emulator() as one, Emulator() as two:
        assert one.url != two.url
        api = api_for(one.create_account())
        assert api("GET").status_code == 200
        api.root = two.url
        assert api("GET").status_code == 403
        assert [len(emulator.requests()) for emulator in (one, two)] == [1, 1]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_without_output(stop):
    process = start(stdin=subprocess.DEVNULL)
    urls = first_line(process)
    assert urls["control_url"].startswith("http://127.0.0.1:")
    process.send_signal(stop)
    assert process.communicate(timeout=TIMEOUT) == ("", "")
    assert process.returncode == 0


def wait_for_requests(source: Account | Emulator, number: int) -> None:
    while len(source.requests()) < number:
        time.sleep(0.01)


def test_a_request_that_hangs_delays_neither_others_nor_the_end_of_the_process(api_for):
    with Emulator() as emulator:
        account = emulator.create_account()
        account.fault(kind="hang", seconds=3600)
        with ThreadPoolExecutor() as pool:
            hanging = pool.submit(api_for(account), "GET")
            wait_for_requests(account, 1)
            assert api_for(account)("GET").status_code == 200
            assert not hanging.done()
            assert emulator.process.stdin is not None
            emulator.process.stdin.close()
            assert emulator.process.wait(TIMEOUT) == 0
            assert isinstance(hanging.exception(TIMEOUT), requests.ConnectionError)


def test_without_the_option_the_end_of_stdin_is_ignored():
    process = start(stdin=subprocess.DEVNULL)
    urls = first_line(process)
    assert requests.get(urls["control_url"] + "/requests").status_code == 200
    process.terminate()
    assert process.communicate(timeout=TIMEOUT) == ("", "")


def test_it_listens_on_the_given_port():
    with socket.socket() as reserved:
        # Linux lets a server listen on the port of such a socket, but gives it to nobody by itself.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with Emulator(port=port) as emulator:
            assert emulator.url == f"http://127.0.0.1:{port}/client/v4"


@pytest.mark.parametrize("options", [["--quota", "0"], ["--window", "0"], ["--latency", "-1"]])
def test_an_invalid_option_is_an_error(options):
    process = start(*options)
    output, errors = process.communicate(timeout=TIMEOUT)
    assert (process.returncode, output) == (2, "")
    assert "--quota must be at least 1" in errors


def test_the_harness_raises_if_the_server_does_not_start():
    with pytest.raises(RuntimeError, match="exit code 2"):
        Emulator(quota=0)


def test_the_command_line_sets_the_default_quota_and_window(api_for):
    with Emulator(quota=7, window=9.5) as emulator:
        response = api_for(emulator.create_account())("GET")
        assert response.headers["Ratelimit-Policy"] == '"default";q=7;w=10'


def test_the_command_line_sets_a_latency_that_delays_concurrent_requests_together(api_for):
    with Emulator(latency=3600) as emulator:
        account = emulator.create_account()
        with ThreadPoolExecutor(20) as pool:
            pending = [pool.submit(api_for(account), "GET") for _number in range(20)]
            wait_for_requests(account, 20)
            assert not any(request.done() for request in pending)
            emulator.close()
