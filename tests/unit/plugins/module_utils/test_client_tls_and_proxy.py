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
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
    KeyAuth,
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import RetryPolicy
from tls_and_proxy import ConnectProxy, SilentServer

PARTNER = {"domain": "partner.example", "exclude": []}
PASSWORD = "s3cret"
# Silent servers that do not even begin a TLS handshake.
WITHOUT_TLS = ("plain server", "proxy")
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture
def ca_files(ca, another_ca):
    """The paths of both CAs' certificates, by name."""
    return {"ca": ca.path, "another ca": another_ca.path}


@pytest.fixture
def server(serve_tls):
    return serve_tls("good")


@pytest.fixture
def proxy():
    with ConnectProxy() as running:
        yield running


@pytest.fixture(params=["direct", "proxied"])
def way(request, environment, proxy):
    """Run the test without and with a proxy."""
    if request.param == "proxied":
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    return request.param


@pytest.fixture
def token(account):
    return account.tokens["write"]


@pytest.fixture
def make_client(fake_time, token, ca_files):
    def make(url, timeout=30, retries=2, **options):
        options.setdefault("verify", ca_files["ca"])
        return CloudflareClient(
            url,
            TokenAuth(token, "option api_token"),
            timeout=timeout,
            retry=RetryPolicy(retries),
            sleep=fake_time.sleep,
            clock=fake_time.clock,
            **options,
        )

    return make


@pytest.fixture
def path(account):
    return f"/accounts/{account.id}/email-security/settings/sending_domain_restrictions"


def url_of(server, host="127.0.0.1", scheme="https"):
    return f"{scheme}://{host}:{server.port}/client/v4"


def calls(account):
    return [entry["call"] for entry in account.requests()]


def failed_create(client, path, idempotent=False):
    with pytest.raises(CloudflareError) as error:
        client.request(Call("POST", path, body=PARTNER, idempotent=idempotent))
    return error.value


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
def test_an_untrusted_certificate_ends_a_call_before_any_request_is_sent(
    serve_tls, account, path, make_client, fake_time, way, certificate, host, reason, idempotent
):
    server = serve_tls(certificate)
    client = make_client(url_of(server, host))
    error = failed_create(client, path, idempotent)
    sentence, detail = str(error).split(" (POST …/sending_domain_restrictions: ")
    assert sentence == (
        f"the certificate of {host}:{server.port} is not trusted; if a proxy or a private CA is in"
        " between, set ca_path to its certificate"
    )
    assert re.search(reason, detail)
    assert not error.outcome_unknown
    assert client.calls == 1
    assert fake_time.sleeps == []
    assert server.connections() == 1
    assert server.received == b""
    assert calls(account) == []


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
def test_a_ca_file_beats_requests_ca_bundle_and_no_check_beats_both(
    serve_tls, path, make_client, environment, ca_files, way, certificate, verify, bundle
):
    if bundle:
        environment.setenv("REQUESTS_CA_BUNDLE", ca_files[bundle])
    client = make_client(url_of(serve_tls(certificate)), verify=ca_files.get(verify, verify))
    assert client.request(Call("GET", path)).result == []


@pytest.mark.parametrize(
    ("verify", "bundle"), [(True, None), (True, "another ca"), ("another ca", "ca")]
)
def test_no_other_ca_is_trusted(
    server, path, make_client, environment, ca_files, way, verify, bundle
):
    if bundle:
        environment.setenv("REQUESTS_CA_BUNDLE", ca_files[bundle])
    client = make_client(url_of(server), verify=ca_files.get(verify, verify))
    assert "is not trusted" in str(failed_create(client, path))
    assert server.connections() == 1
    assert server.received == b""


@pytest.mark.parametrize("named_by", ["ca_path", "REQUESTS_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "no certificate"])
def test_an_unusable_ca_file_ends_a_call_before_any_request_is_sent(
    server, path, make_client, environment, fake_time, tmp_path, named_by, content
):
    ca_file = tmp_path / "ca.pem"
    if content:
        ca_file.write_text(content, encoding="ascii")
    environment.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
    verify = str(ca_file) if named_by == "ca_path" else True
    error = failed_create(make_client(url_of(server), verify=verify), path)
    assert named_by in str(error)
    assert not error.outcome_unknown
    assert fake_time.sleeps == []


@pytest.mark.promise("Proxies see no credentials")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used_and_sees_no_credentials(
    server, proxy, account, token, path, make_client, environment, variable
):
    environment.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    client = make_client(url_of(server, "localhost"))
    client.request(Call("GET", path))
    client.request(Call("POST", path, body=PARTNER, idempotent=False))
    assert calls(account) == ["list", "create"]
    assert proxy.requests == [f"CONNECT localhost:{server.port}"]
    assert token.encode("ascii") in server.received
    assert token.encode("ascii") not in proxy.received
    assert b"authorization" not in proxy.received.lower()


def test_only_the_proxy_receives_its_password(server, proxy, token, path, make_client, environment):
    environment.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
    make_client(url_of(server)).request(Call("GET", path))
    credential = base64.b64encode(f"user:{PASSWORD}".encode("ascii"))
    assert b"Proxy-Authorization: Basic " + credential in proxy.received
    assert token.encode("ascii") not in proxy.received
    assert b"proxy-authorization" not in server.received.lower()
    assert credential not in server.received


@pytest.mark.promise("Proxies see no credentials")
@pytest.mark.parametrize("no_proxy", ["localhost", "elsewhere.example,localhost", "*"])
def test_no_proxy_is_respected(server, proxy, account, path, make_client, environment, no_proxy):
    environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    environment.setenv("NO_PROXY", no_proxy)
    make_client(url_of(server, "localhost")).request(Call("GET", path))
    assert calls(account) == ["list"]
    assert proxy.connections() == 0


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("start", ["http://127.0.0.1", "http://localhost", "HTTP://LOCALHOST"])
def test_plain_http_bypasses_proxies(
    emulator, proxy, account, path, make_client, environment, variable, start
):
    environment.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    make_client(emulator.url.replace("http://127.0.0.1", start)).request(Call("GET", path))
    assert calls(account) == ["list"]
    assert proxy.connections() == 0


def test_a_create_is_retried_if_the_proxy_refuses_the_connection(
    server, account, path, make_client, environment, fake_time, closed_port
):
    environment.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{closed_port}")
    client = make_client(url_of(server))
    error = failed_create(client, path)
    assert not error.outcome_unknown
    assert str(error) == (
        f"could not connect to 127.0.0.1:{server.port}; check api_url, DNS, the network and the"
        " environment variables HTTPS_PROXY and NO_PROXY (POST …/sending_domain_restrictions:"
        " [Errno 111] Connection refused)"
    )
    assert client.calls == 3
    assert len(fake_time.sleeps) == 2
    assert server.connections() == 0


@pytest.mark.parametrize(
    "refusal", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"]
)
def test_a_create_is_retried_if_the_proxy_refuses_the_tunnel(
    server, proxy, token, path, make_client, environment, fake_time, refusal
):
    environment.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}")
    proxy.refusal = refusal
    error = failed_create(make_client(url_of(server)), path)
    assert not error.outcome_unknown
    assert refusal in str(error)
    assert not shows_the_password(error)
    assert proxy.connections() == 3
    assert len(proxy.requests) == 3
    assert len(fake_time.sleeps) == 2
    assert token.encode("ascii") not in proxy.received
    assert server.connections() == 0


def test_a_create_is_sent_once_after_the_proxy_refused_it(
    server, proxy, account, path, make_client, environment
):
    environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    proxy.refusal = "503 Service Unavailable"

    def accept(attempt, error):
        proxy.refusal = ""

    client = make_client(url_of(server))
    environment.setattr(client, "back_off", accept)
    client.request(Call("POST", path, body=PARTNER, idempotent=False))
    assert calls(account) == ["create"]
    assert len(account.restrictions()) == 1


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
def test_an_invalid_proxy_url_is_not_ignored_and_its_password_is_not_shown(
    server, path, make_client, environment, proxy_url
):
    environment.setenv("HTTPS_PROXY", proxy_url.format(password=PASSWORD))
    error = failed_create(make_client(url_of(server), retries=0), path)
    assert not shows_the_password(error)
    assert server.connections() == 0


@pytest.mark.parametrize("proxy_url", UNUSABLE_URLS)
def test_an_unusable_proxy_url_ends_a_call_before_any_request_is_sent(
    server, path, make_client, environment, fake_time, proxy_url
):
    environment.setenv("HTTPS_PROXY", proxy_url.format(password=PASSWORD))
    error = failed_create(make_client(url_of(server)), path)
    assert str(error) == (
        "the request could not be sent; check that api_url, and the proxy in the environment"
        " variables HTTPS_PROXY and ALL_PROXY, are valid URLs (POST …/sending_domain_restrictions)"
    )
    assert not error.outcome_unknown
    assert fake_time.sleeps == []


def test_a_socks_proxy_without_its_library_names_the_library(
    server, path, make_client, environment, fake_time
):
    def missing(*args, **kwargs):
        raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

    # What requests itself does without PySocks.
    environment.setattr(requests.adapters, "SOCKSProxyManager", missing)
    environment.setenv("ALL_PROXY", f"socks5h://user:{PASSWORD}@127.0.0.1:1")
    error = failed_create(make_client(url_of(server)), path)
    assert str(error) == (
        "the proxy in the environment variables HTTPS_PROXY and ALL_PROXY is a SOCKS proxy, which"
        f" needs the Python library PySocks; install it for {sys.executable}, or use an HTTP proxy"
        " (POST …/sending_domain_restrictions)"
    )
    assert not error.outcome_unknown
    assert not shows_the_password(error)
    assert fake_time.sleeps == []


def shows_the_password(error):
    shown = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    encoded = base64.b64encode(f"user:{PASSWORD}".encode("ascii")).decode("ascii")
    return PASSWORD in shown or encoded in shown


@pytest.mark.promise("A create is never retried blindly")
@pytest.mark.parametrize("resets", [False, True], ids=["end of file", "reset"])
@pytest.mark.parametrize("first_of_its_connection", [True, False], ids=["first", "later"])
def test_a_create_whose_response_is_lost_is_not_sent_again(
    server, proxy, account, path, make_client, fake_time, way, resets, first_of_its_connection
):
    server.resets = proxy.resets = resets
    client = make_client(url_of(server))
    if not first_of_its_connection:
        client.request(Call("GET", path))
    account.clear_requests()
    account.fault(kind="drop", moment="after", calls=["create"])
    error = failed_create(client, path)
    assert error.outcome_unknown
    sentence, detail = str(error).split(" (POST …/sending_domain_restrictions: ")
    assert sentence == f"the connection to 127.0.0.1:{server.port} was lost; try again later"
    assert re.search("Connection reset|closed connection|EOF|_ssl.c", detail)
    assert fake_time.sleeps == []
    assert calls(account) == ["create"]
    assert server.received.count(b"POST ") == 1
    assert len(account.restrictions()) == 1


@pytest.fixture
def brief_handshakes(monkeypatch):
    """Let TLS handshakes time out soon, but not the connection to a proxy before them."""
    wrap_socket = ssl.SSLContext.wrap_socket

    def wrap_socket_briefly(context, sock, *args, **options):
        sock.settimeout(0.1)
        return wrap_socket(context, sock, *args, **options)

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap_socket_briefly)


@pytest.mark.parametrize("silent", ["plain server", "before TLS", "proxy", "behind proxy"])
def test_a_silent_server_ends_in_a_timeout(
    proxy, path, make_client, environment, brief_handshakes, silent
):
    with SilentServer() as server:
        if silent == "proxy":
            environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
        if silent == "behind proxy":
            environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        url = url_of(server, scheme="http" if silent == "plain server" else "https")
        client = make_client(url, timeout=0.3 if silent in WITHOUT_TLS else 30, retries=0)
        error = failed_create(client, path)
    assert client.calls == 1
    assert error.is_transient
    # Without a TLS handshake, no request was sent.
    assert error.outcome_unknown == (silent in WITHOUT_TLS)
    if not error.outcome_unknown:
        assert str(error).startswith(f"could not connect to 127.0.0.1:{server.port}; ")
        assert "timed out)" in str(error)
        return
    in_time = f"127.0.0.1:{server.port} did not respond within 0.3 seconds; try again later, or"
    # With a proxy, urllib3 1.26 does not distinguish time-outs from other errors.
    if silent == "proxy" and not str(error).startswith(in_time):
        assert str(error).startswith(f"the connection to 127.0.0.1:{server.port} was lost; ")
        assert "timed out)" in str(error)
    else:
        assert str(error).startswith(in_time)


def test_a_missing_response_over_tls_ends_in_a_timeout(
    server, account, path, make_client, way, faults
):
    faults.add(kind="hang", moment="after", calls=["create"])
    error = failed_create(make_client(url_of(server)), path)
    assert error.outcome_unknown
    assert "within 30 seconds" in str(error)
    assert server.received.count(b"POST ") == 1
    assert len(account.restrictions()) == 1


@pytest.mark.promise("A netrc file does not replace the credentials")
@pytest.mark.parametrize("credentials", ["token", "key"])
@pytest.mark.parametrize("source", ["HOME", "NETRC"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_netrc_file_does_not_replace_the_credentials(
    server, account, path, make_client, environment, tmp_path, host, source, credentials
):
    netrc = tmp_path / ".netrc"
    netrc.write_text(
        f"machine {host} login someone password something\ndefault login a password b\n",
        encoding="ascii",
    )
    environment.setenv("HOME", str(tmp_path))
    if source == "NETRC":
        environment.setenv("NETRC", str(netrc))
    client = make_client(url_of(server, host))
    if credentials == "key":
        client._auth = KeyAuth(account.email, account.api_key, "option api_key")
    client.request(Call("GET", path))
    assert client._auth.secrets[0].encode("ascii") in server.received
    assert b"Basic" not in server.received
