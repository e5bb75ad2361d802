# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts an emulator for tests and talks to its control API.

It only needs Python 3.8 and requests. The server may run on another Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

_IMPORT_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Emulator:
    """A running emulator; a context manager that stops it.

    ``options`` are command-line options: ``Emulator(quota=10, window=0.5)`` (requests, seconds).
    The server runs on the Python in the environment variable EMULATOR_PYTHON, or on this one. Raises
    RuntimeError if the server does not start. Methods raise requests.HTTPError for invalid input.
    """

    def __init__(self, **options: Any) -> None:
        command = [os.environ.get("EMULATOR_PYTHON") or sys.executable, "-m", "emulator"]
        command.append("--until-stdin-closes")
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        # The paths of this Python would break another version.
        inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        self.process = subprocess.Popen(
            command,
            cwd=_IMPORT_ROOT,
            env=inherited,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._stdin, self._stdout = self.process.stdin, self.process.stdout
        line = self._stdout.readline()
        if not line:
            raise RuntimeError(f"The emulator did not start: exit code {self.process.wait()}")
        urls = json.loads(line)
        self.url: str = urls["url"]
        self.control_url: str = urls["control_url"]
        self._session = requests.Session()
        # Ignore proxies and ~/.netrc of this machine.
        self._session.trust_env = False

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and wait for its end."""
        self._session.close()
        self._stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._stdout.close()

    def create_account(self, **values: Any) -> Account:
        """Create an account with ``restrictions``, ``messages`` and what ``change`` sets."""
        return Account(self, self.control("POST", "/accounts", values))

    def create_token(self, permissions: dict[str, str], **values: Any) -> str:
        """Create a token of a new user; ``permissions`` has "read" or "write" for each account ID.

        Other values: status, quota, window.
        """
        return self.control("POST", "/tokens", dict(values, permissions=permissions))["token"]

    def fault(self, **values: Any) -> str:
        """Script a fault (see emulator.faults) and return its ID."""
        return self.control("POST", "/faults", values)["id"]

    def clear_faults(self, account_id: str | None = None) -> None:
        self.control("DELETE", "/faults", account_id=account_id)

    def requests(self, account_id: str | None = None) -> list[dict[str, Any]]:
        """The log of requests, with case-insensitive headers."""
        entries = self.control("GET", "/requests", account_id=account_id)["requests"]
        for entry in entries:
            entry["headers"] = CaseInsensitiveDict(entry["headers"])
        return entries

    def clear_requests(self, account_id: str | None = None) -> None:
        self.control("DELETE", "/requests", account_id=account_id)

    def control(
        self, method: str, path: str, body: Any = None, account_id: str | None = None
    ) -> dict[str, Any]:
        """Call the control API; raises requests.HTTPError with its error message."""
        response = self._session.request(
            method,
            self.control_url + path,
            json=body,
            params={} if account_id is None else {"account_id": account_id},
            timeout=60,
        )
        if not response.ok:
            raise requests.HTTPError(response.text, response=response)
        return response.json()


class Account:
    """An account of an emulator, with all kinds of credentials.

    ``tokens`` has the user's tokens (write, read, expired, disabled, write_prefixed) and those that
    the account owns (account_owned, account_owned_prefixed).
    """

    def __init__(self, emulator: Emulator, values: dict[str, Any]) -> None:
        self.emulator = emulator
        self.id: str = values["id"]
        self.email: str = values["email"]
        self.api_key: str = values["api_key"]
        self.api_key_prefixed: str = values["api_key_prefixed"]
        self.tokens: dict[str, str] = values["tokens"]

    def restrictions(self) -> list[dict[str, Any]]:
        """All restrictions, in order of creation."""
        path = f"/accounts/{self.id}/restrictions"
        return self.emulator.control("GET", path)["restrictions"]

    def seed(self, restrictions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Replace all restrictions, and return the new ones. Names are not checked."""
        path = f"/accounts/{self.id}/restrictions"
        body = {"restrictions": restrictions}
        return self.emulator.control("PUT", path, body)["restrictions"]

    def seed_messages(self, messages: list[dict[str, Any]]) -> None:
        """Replace all messages; see ``emulator.control.MessageSeed``."""
        self.emulator.control("PUT", f"/accounts/{self.id}/messages", {"messages": messages})

    def change(self, **values: Any) -> None:
        """Change email_security, latency, quota, window, or a switch of ``emulator.accounts``."""
        self.emulator.control("PATCH", f"/accounts/{self.id}", values)

    def requests(self) -> list[dict[str, Any]]:
        return self.emulator.requests(self.id)

    def calls(self) -> list[str]:
        """The names of the calls that were made, in order."""
        return [entry["call"] for entry in self.requests()]

    def clear_requests(self) -> None:
        self.emulator.clear_requests(self.id)

    def fault(self, **values: Any) -> str:
        """Script a fault for this account, and return its ID."""
        return self.emulator.fault(account_id=self.id, **values)

    def clear_faults(self) -> None:
        self.emulator.clear_faults(self.id)
