# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for tests of plugins: a clean environment, certificates and TLS servers."""

from __future__ import annotations

import collections
import datetime
import re
import socket
import ssl
import sys
from urllib.parse import urlsplit

import pytest
import requests
import trustme
from tls_and_proxy import TlsTerminator

HOSTS = ("localhost", "127.0.0.1", "api.example")
LONG_AGO = datetime.datetime(2001, 1, 1)
ENVIRONMENT = (
    *("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_KEY", "CLOUDFLARE_ACCOUNT_ID"),
    *("CLOUDFLARE_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
)
# By the method, and by what follows the path of the resource.
CALLS = {
    ("GET", ""): "list",
    ("GET", "ID"): "get",
    ("POST", ""): "create",
    ("PATCH", "ID"): "update",
    ("DELETE", "ID"): "delete",
    ("POST", "batch"): "batch",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """Remove the credentials, proxies and CAs of this machine from the environment."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def new_ca(directory):
    """A private CA with its certificate in the file `path`."""
    authority = trustme.CA()
    authority.path = str(directory / "ca.pem")
    authority.cert_pem.write_to_path(authority.path)
    return authority


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    return new_ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def another_ca(tmp_path_factory):
    return new_ca(tmp_path_factory.mktemp("another_ca"))


@pytest.fixture(scope="session")
def contexts(ca, another_ca, tmp_path_factory):
    """TLS contexts for servers, by the kind of their certificate."""
    certificates = {
        "good": ca.issue_cert(*HOSTS),
        "unknown CA": another_ca.issue_cert(*HOSTS),
        "wrong host": ca.issue_cert("elsewhere.example", "127.0.0.2"),
        "expired": ca.issue_cert(*HOSTS, not_after=LONG_AGO),
    }
    contexts = {name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for name in certificates}
    for name, certificate in certificates.items():
        certificate.configure_cert(contexts[name])
    self_signed = tmp_path_factory.mktemp("self_signed") / "server.pem"
    self_signed.write_bytes(another_ca.private_key_pem.bytes() + another_ca.cert_pem.bytes())
    contexts["self-signed"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    contexts["self-signed"].load_cert_chain(str(self_signed))
    return contexts


@pytest.fixture
def serve_tls(emulator, contexts):
    """Start a TLS server in front of the emulator, with a kind of certificate."""
    started = []

    def serve(certificate):
        server = TlsTerminator(urlsplit(emulator.url).port, contexts[certificate])
        started.append(server)
        return server

    yield serve
    for server in started:
        server.__exit__()


@pytest.fixture(scope="session")
def closed_port():
    """A port on 127.0.0.1 on which nothing listens; it is reserved, so that nothing ever does."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


def call_of(request):
    """The name of the API call that a request makes; `None` if it is another one."""
    match = re.search(
        "/sending_domain_restrictions(?:/(batch)|/(.+))?$", urlsplit(request.url).path
    )
    return match and CALLS[request.method, match.group(1) or ("ID" if match.group(2) else "")]


class Faults:
    """Scripts faults of an account. The client only waits briefly for a response to a call that hangs.

    It waits for all others as long as they take, so that a slow machine makes no difference.
    """

    def __init__(self, account):
        self._account = account
        self._hangs = collections.Counter()

    def add(self, **values):
        """Script a fault; `hang` needs no `seconds`, and `calls` with one call."""
        if values["kind"] == "hang":
            (call,) = values["calls"]
            self._hangs[call] += values.get("times", 1) or sys.maxsize
            values["seconds"] = 600
        self._account.fault(**values)

    def clear(self):
        self._hangs.clear()
        self._account.clear_faults()

    def timeout(self, request, timeout):
        """Return the timeouts for a request: to connect, and to receive each part of the response."""
        call = call_of(request)
        if not self._hangs[call]:
            return timeout
        self._hangs[call] -= 1
        return timeout, 0.1


@pytest.fixture
def faults(account, monkeypatch):
    faults = Faults(account)
    adapter = requests.adapters.HTTPAdapter
    send = adapter.send

    def impatient_send(self, request, stream=False, timeout=None, **options):
        timeout = faults.timeout(request, timeout)
        return send(self, request, stream=stream, timeout=timeout, **options)

    monkeypatch.setattr(adapter, "send", impatient_send)
    return faults


@pytest.fixture
def options(emulator, account, no_waiting):
    """The options that every task on the account needs."""
    return {
        "account_id": account.id,
        "api_token": account.tokens["write"],
        "api_url": emulator.url,
        "retries": 2,
    }
