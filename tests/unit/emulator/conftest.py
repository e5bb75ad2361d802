# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain HTTP requests to the emulator, without the client of the collection."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from emulator.harness import Account

# The emulator needs Python 3.11; older Pythons only test the collection.
collect_ignore_glob = ["test_*.py"] if sys.version_info < (3, 11) else []


class Api:
    """Requests for the restrictions of an account, with a token (default: the write token)."""

    def __init__(self, account: Account, token: str | None = None) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self.headers = {"Authorization": f"Bearer {token or account.tokens['write']}"}
        self.root = account.emulator.url
        self.resource = (
            f"/accounts/{account.id}/email-security/settings/sending_domain_restrictions"
        )

    def __call__(self, method: str, path: str = "", **values: Any) -> requests.Response:
        """Send a request below the resource path."""
        return self.raw(method, self.resource + path, **values)

    def raw(self, method: str, path: str, **values: Any) -> requests.Response:
        """Send a request below the base URL."""
        values = {"headers": self.headers, "timeout": 60, "allow_redirects": False, **values}
        return self._session.request(method, self.root + path, **values)

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def api(account: Account) -> Iterator[Api]:
    api = Api(account)
    yield api
    api.close()


@pytest.fixture
def api_for():
    """Make an Api for any account and token, and close it after the test."""
    apis: list[Api] = []

    def make(account: Account, token: str | None = None) -> Api:
        apis.append(Api(account, token))
        return apis[-1]

    yield make
    for api in apis:
        api.close()
