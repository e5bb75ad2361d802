# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client with TLS and proxies, over sockets; only its sleeps are replaced."""

from __future__ import annotations

import base64
import re
import ssl
import sys
import traceback

import pytest
import requests
from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import KeyAuth
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from tls_and_proxy import ConnectProxy, SilentServer

PARTNER = {"domain": "partner.example", "exclude": []}
PASSWORD = "s3cret"
LOGIN = f"user:{PASSWORD}"
# Silent servers that do not even begin a TLS handshake.
WITHOUT_TLS = ("plain server", "proxy")
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
# Run a test without and with a proxy.
direct_and_proxied = pytest.mark.usefixtures("way")


class World:
    """A TLS server in front of the emulator, a proxy that nothing uses yet, and clients.

    Attributes:
        environment: sets environment variables, and replaces attributes.
        ca_files: the paths of certificates, by the names of the CAs.
        sleeps: the seconds of each sleep of the clients.
    """

    def __init__(self, account, server, proxy, environment, ca_files, sleeps, new_client, path):
        self.account, self.server, self.proxy = account, server, proxy
        self.environment, self.ca_files, self.sleeps = environment, ca_files, sleeps
        self.token = account.tokens["write"].encode("ascii")
        self._new_client, self._path = new_client, path

    def url(self, host="127.0.0.1", scheme="https"):
        return f"{scheme}://{host}:{self.server.port}/client/v4"

    def client(self, url="", verify="ca", **options):
        """Return a client, by default one that trusts the server; `verify` may name a CA."""
        return self._new_client(
            url or self.url(), verify=self.ca_files.get(verify, verify), **options
        )

    def use_proxy(self, variable="HTTPS_PROXY", login="", port=None):
        """Set an environment variable to the URL of the proxy."""
        address = f"127.0.0.1:{port or self.proxy.port}"
        self.environment.setenv(
            variable, f"http://{login}@{address}" if login else f"http://{address}"
        )

    def use_bundle(self, name):
        """Set the environment variable for CA certificates, if there is a name."""
        if name:
            self.environment.setenv("REQUESTS_CA_BUNDLE", self.ca_files[name])

    def read(self, client):
        return client.request(Call("GET", self._path)).result

    def create(self, client, idempotent=False):
        client.request(Call("POST", self._path, body=PARTNER, idempotent=idempotent))

    def failed_create(self, client, idempotent=False):
        """Return the error of a create."""
        with pytest.raises(CloudflareError) as raised:
            self.create(client, idempotent)
        return raised.value

    def gave_up_at_once(self, error):
        """Return whether a call failed for good before any request was sent."""
        sent = [*self.server.received, *self.account.calls()]
        return not (error.outcome_unknown or self.sleeps or sent)


@pytest.fixture
def proxy():
    with ConnectProxy() as running:
        yield running


@pytest.fixture
def world(
    account, serve_tls, proxy, environment, ca, another_ca, fake_time, make_client, token, path
):
    ca_files = {"ca": ca.path, "another ca": another_ca.path}

    def new_client(url, auth=token, retries=2, **options):
        return make_client(url, auth, retries, **options)

    server = serve_tls("good")
    return World(account, server, proxy, environment, ca_files, fake_time.sleeps, new_client, path)


@pytest.fixture(params=["direct", "proxied"])
def way(request, world):
    if request.param == "proxied":
        world.use_proxy()


@pytest.mark.promise("Certificates are verified")
@pytest.mark.parametrize(
    ("certificate", "host", "reason"),
    [
        ("self-signed", "localhost", "self.signed"),
        ("unknown CA", "localhost", "self.signed|issuer"),
        ("wrong host", "localhost", "match"),
        ("wrong host", "127.0.0.1", "match"),
        ("expired", "localhost", "expired"),
    ],
)
@pytest.mark.parametrize("idempotent", [True, False], ids=["idempotent", "once"])
@direct_and_proxied
def test_an_untrusted_certificate_ends_a_call_before_any_request_is_sent(
    world, serve_tls, certificate, host, reason, idempotent
):
    world.server = serve_tls(certificate)
    client = world.client(world.url(host))
    error = world.failed_create(client, idempotent)
    sentence, detail = str(error).split(" (POST …/sending_domain_restrictions: ")
    assert sentence == (
        f"the certificate of {host}:{world.server.port} is not trusted; if a proxy or a private CA is"
        " in between, set ca_path to its certificate"
    )
    assert re.search(reason, detail)
    assert world.gave_up_at_once(error)
    assert client.calls == world.server.connections() == 1


@pytest.mark.promise("Certificates are verified")
@pytest.mark.parametrize(
    ("certificate", "verify", "bundle"),
    [
        ("good", "ca", None),
        ("good", True, "ca"),
        ("good", "ca", "another ca"),
        ("good", False, None),
        ("good", False, "another ca"),
        ("self-signed", False, None),
        ("wrong host", False, "ca"),
        ("expired", False, "ca"),
    ],
)
@direct_and_proxied
def test_a_ca_file_beats_requests_ca_bundle_and_no_check_beats_both(
    world, serve_tls, certificate, verify, bundle
):
    world.server = serve_tls(certificate)
    world.use_bundle(bundle)
    assert world.read(world.client(verify=verify)) == []


@pytest.mark.parametrize(
    ("verify", "bundle"), [(True, None), (True, "another ca"), ("another ca", "ca")]
)
@direct_and_proxied
def test_no_other_ca_is_trusted(world, verify, bundle):
    world.use_bundle(bundle)
    error = world.failed_create(world.client(verify=verify))
    assert "is not trusted" in str(error)
    assert world.gave_up_at_once(error)
    assert world.server.connections() == 1


@pytest.mark.parametrize("named_by", ["ca_path", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "no certificate"])
def test_an_unusable_ca_file_ends_a_call_before_any_request_is_sent(
    world, tmp_path, named_by, content
):
    world.ca_files["unusable"] = str(tmp_path / "ca.pem")
    if content:
        (tmp_path / "ca.pem").write_text(content, encoding="ascii")
    world.use_bundle("unusable")
    error = world.failed_create(world.client(verify="unusable" if named_by == "ca_path" else True))
    assert named_by in str(error)
    assert world.gave_up_at_once(error)


@pytest.mark.promise("Proxies see no credentials")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used_and_sees_no_credentials(world, variable):
    world.use_proxy(variable)
    client = world.client(world.url("localhost"))
    world.read(client)
    world.create(client)
    assert world.account.calls() == ["list", "create"]
    assert world.proxy.requests == [f"CONNECT localhost:{world.server.port}"]
    assert world.token in world.server.received
    assert world.token not in world.proxy.received
    assert b"authorization" not in world.proxy.received.lower()


def test_only_the_proxy_receives_its_password(world):
    world.use_proxy(login=LOGIN)
    world.read(world.client())
    credential = base64.b64encode(LOGIN.encode("ascii"))
    assert b"Proxy-Authorization: Basic " + credential in world.proxy.received
    assert world.token not in world.proxy.received
    assert b"proxy-authorization" not in world.server.received.lower()
    assert credential not in world.server.received


@pytest.mark.promise("Proxies see no credentials")
@pytest.mark.parametrize("no_proxy", ["localhost", "elsewhere.example,localhost", "*"])
def test_no_proxy_is_respected(world, no_proxy):
    world.use_proxy()
    world.environment.setenv("NO_PROXY", no_proxy)
    world.read(world.client(world.url("localhost")))
    assert world.account.calls() == ["list"]
    assert world.proxy.connections() == 0


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("start", ["http://127.0.0.1", "http://localhost", "HTTP://LOCALHOST"])
def test_plain_http_bypasses_proxies(world, emulator, variable, start):
    world.use_proxy(variable)
    world.read(world.client(emulator.url.replace("http://127.0.0.1", start)))
    assert world.account.calls() == ["list"]
    assert world.proxy.connections() == 0


def test_a_create_is_retried_if_the_proxy_refuses_the_connection(world, closed_port):
    world.use_proxy(login=LOGIN, port=closed_port)
    client = world.client()
    error = world.failed_create(client)
    assert not error.outcome_unknown
    assert str(error) == (
        f"could not connect to 127.0.0.1:{world.server.port}; check api_url, DNS, the network and the"
        " environment variables HTTPS_PROXY and NO_PROXY (POST …/sending_domain_restrictions:"
        " [Errno 111] Connection refused)"
    )
    assert client.calls == 3
    assert len(world.sleeps) == 2
    assert world.server.connections() == 0


@pytest.mark.parametrize(
    "refusal", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"]
)
def test_a_create_is_retried_if_the_proxy_refuses_the_tunnel(world, refusal):
    world.use_proxy(login=LOGIN)
    world.proxy.refusal = refusal
    error = world.failed_create(world.client())
    assert not error.outcome_unknown
    assert refusal in str(error)
    assert not shows_the_password(error)
    assert world.proxy.connections() == len(world.proxy.requests) == 3
    assert len(world.sleeps) == 2
    assert world.token not in world.proxy.received
    assert world.server.connections() == 0


def test_a_create_is_sent_once_after_the_proxy_refused_it(world):
    world.use_proxy()
    world.proxy.refusal = "503 Service Unavailable"

    def accept(attempt, error):
        world.proxy.refusal = ""

    client = world.client()
    world.environment.setattr(client, "back_off", accept)
    world.create(client)
    assert world.account.calls() == ["create"]
    assert len(world.account.restrictions()) == 1


UNUSABLE_URLS = [
    "http://user:{password}#pw@127.0.0.1:1",
    "http://user:{password}/pw@127.0.0.1:1",
    "http://user:{password}?pw@127.0.0.1:1",
    "http://user:p@{password}..pw/pw@127.0.0.1:1",
    "http://user:{password}\u20ac@127.0.0.1:1",
    "http://user:{password}@127.0.0.1:port",
    "http://user:{password}@127.0.0.1:99999",
    "foo://user:{password}@127.0.0.1:1",
]
MALFORMED_URLS = [
    "http://user:{password}@127.0.0.1:1",
    "http://user:p@127.0.0.1:1/{password}@127.0.0.1:1",
    "http://user:{password}%zz@127.0.0.1:1",
    "http://user:{password}\u00e4@127.0.0.1:1",
    "http://user:{password} pw@127.0.0.1:1",
    "http://user:{password}\\pw@127.0.0.1:1",
    "http://user:{password}[pw@127.0.0.1:1",
    "http://user:{password}@[::1",
    "http://user:{password}@",
    "http:user:{password}@127.0.0.1:1",
    "http:///user:{password}@127.0.0.1:1",
    "user:{password}@127.0.0.1:1",
    "user:{password}",
    "socks5://user:{password}@127.0.0.1:1",
]


@pytest.mark.parametrize("proxy_url", UNUSABLE_URLS + MALFORMED_URLS)
def test_an_invalid_proxy_url_is_not_ignored_and_its_password_is_not_shown(world, proxy_url):
    world.environment.setenv("HTTPS_PROXY", proxy_url.format(password=PASSWORD))
    error = world.failed_create(world.client(retries=0))
    assert not shows_the_password(error)
    assert world.server.connections() == 0


@pytest.mark.parametrize("proxy_url", UNUSABLE_URLS)
def test_an_unusable_proxy_url_ends_a_call_before_any_request_is_sent(world, proxy_url):
    world.environment.setenv("HTTPS_PROXY", proxy_url.format(password=PASSWORD))
    error = world.failed_create(world.client())
    assert str(error) == (
        "the request could not be sent; check that api_url, and the proxy in the environment"
        " variables HTTPS_PROXY and ALL_PROXY, are valid URLs (POST …/sending_domain_restrictions)"
    )
    assert world.gave_up_at_once(error)


def test_a_socks_proxy_without_its_library_names_the_library(world):
    def missing(*args, **kwargs):
        raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

    # What requests itself does without PySocks.
    world.environment.setattr(requests.adapters, "SOCKSProxyManager", missing)
    world.environment.setenv("ALL_PROXY", f"socks5h://{LOGIN}@127.0.0.1:1")
    error = world.failed_create(world.client())
    assert str(error) == (
        "the proxy in the environment variables HTTPS_PROXY and ALL_PROXY is a SOCKS proxy, which"
        f" needs the Python library PySocks; install it for {sys.executable}, or use an HTTP proxy"
        " (POST …/sending_domain_restrictions)"
    )
    assert not shows_the_password(error)
    assert world.gave_up_at_once(error)


def shows_the_password(error):
    shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    encoded = base64.b64encode(LOGIN.encode("ascii")).decode("ascii")
    return PASSWORD in shown or encoded in shown


@pytest.mark.promise("A create is never retried blindly")
@pytest.mark.parametrize("resets", [False, True], ids=["end of file", "reset"])
@pytest.mark.parametrize("first_of_its_connection", [True, False], ids=["first", "later"])
@direct_and_proxied
def test_a_create_whose_response_is_lost_is_not_sent_again(world, resets, first_of_its_connection):
    world.server.resets = world.proxy.resets = resets
    client = world.client()
    if not first_of_its_connection:
        world.read(client)
    world.account.clear_requests()
    world.account.fault(kind="drop", moment="after", calls=["create"])
    error = world.failed_create(client)
    assert error.outcome_unknown
    sentence, detail = str(error).split(" (POST …/sending_domain_restrictions: ")
    assert sentence == f"the connection to 127.0.0.1:{world.server.port} was lost; try again later"
    assert re.search("Connection reset|closed connection|EOF|_ssl.c", detail)
    assert world.sleeps == []
    assert world.account.calls() == ["create"]
    assert world.server.received.count(b"POST ") == 1
    assert len(world.account.restrictions()) == 1


@pytest.fixture
def brief_handshakes(monkeypatch):
    """Let TLS handshakes time out soon, but not the connection to a proxy before them."""
    wrap_socket = ssl.SSLContext.wrap_socket

    def wrap_socket_briefly(context, sock, *args, **options):
        sock.settimeout(0.1)
        return wrap_socket(context, sock, *args, **options)

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_socket_briefly)


@pytest.mark.parametrize("silent", ["plain server", "before TLS", "proxy", "behind proxy"])
@pytest.mark.usefixtures("brief_handshakes")
def test_a_silent_server_ends_in_a_timeout(world, silent):
    with SilentServer() as world.server:
        if silent in ("proxy", "behind proxy"):
            world.use_proxy(port=world.server.port if silent == "proxy" else None)
        url = world.url(scheme="http" if silent == "plain server" else "https")
        client = world.client(url, timeout=0.3 if silent in WITHOUT_TLS else 30, retries=0)
        error = world.failed_create(client)
    place = f"127.0.0.1:{world.server.port}"
    assert client.calls == 1
    assert error.is_transient
    # Without a TLS handshake, no request was sent.
    assert error.outcome_unknown == (silent in WITHOUT_TLS)
    if not error.outcome_unknown:
        assert str(error).startswith(f"could not connect to {place}; ")
        assert "timed out)" in str(error)
        return
    in_time = f"{place} did not respond within 0.3 seconds; try again later, or"
    # With a proxy, urllib3 1.26 does not distinguish timeouts from other errors.
    if silent == "proxy" and not str(error).startswith(in_time):
        assert str(error).startswith(f"the connection to {place} was lost; ")
        assert "timed out)" in str(error)
    else:
        assert str(error).startswith(in_time)


@direct_and_proxied
def test_a_missing_response_over_tls_ends_in_a_timeout(world, faults):
    faults.add(kind="hang", moment="after", calls=["create"])
    error = world.failed_create(world.client())
    assert error.outcome_unknown
    assert "within 30 seconds" in str(error)
    assert world.server.received.count(b"POST ") == 1
    assert len(world.account.restrictions()) == 1


@pytest.mark.promise("A netrc file does not replace the credentials")
@pytest.mark.parametrize("credentials", ["token", "key"])
@pytest.mark.parametrize("source", ["HOME", "NETRC"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_netrc_file_does_not_replace_the_credentials(world, tmp_path, host, source, credentials):
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        f"machine {host} login someone password something\ndefault login a password b\n",
        encoding="ascii",
    )
    world.environment.setenv("HOME", str(tmp_path))
    if source == "NETRC":
        world.environment.setenv("NETRC", str(netrc))
    key = KeyAuth(world.account.email, world.account.api_key, "option api_key")
    client = world.client(world.url(host), **({"auth": key} if credentials == "key" else {}))
    world.read(client)
    secret = key.secrets[0].encode("ascii") if credentials == "key" else world.token
    assert secret in world.server.received
    assert b"Basic" not in world.server.received
