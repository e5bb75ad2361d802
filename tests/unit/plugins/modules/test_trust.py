# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom whole modules trust, and whom they don't: nobody but the API sees a credential."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote, urlsplit

import pytest
from in_process import run_module
from tls_and_proxy import AnsweringServer, ConnectProxy, SilentServer

SINGLE, PLURAL, INFO = (
    "sending_domain_restriction",
    "sending_domain_restrictions",
    "sending_domain_restriction_info",
)
MODULES = [SINGLE, PLURAL, INFO]
REQUESTS = {
    SINGLE: {"domain": "a.example"},
    PLURAL: {"restrictions": [{"domain": "a.example"}]},
    INFO: {},
}
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture(autouse=True)
def home(environment, tmp_path):
    """An empty home folder."""
    environment.setenv("HOME", str(tmp_path))


@pytest.fixture(params=["token", "key"])
def credentials(request, account):
    if request.param == "token":
        return {"api_token": account.tokens["write"]}
    return {"api_email": account.email, "api_key": account.api_key}


@pytest.fixture
def run(emulator, account, in_no_time):
    def run(module, **options):
        given = {"account_id": account.id, "api_url": emulator.url, **REQUESTS[module]}
        return run_module(module, {**given, **options})

    return run


@pytest.fixture
def no_network(account, environment):
    """Nothing may be sent, to wherever."""

    def connect(*args, **kwargs):
        raise AssertionError("a connection was tried")

    environment.setattr("socket.getaddrinfo", connect)
    environment.setattr("socket.socket.connect", connect)


@pytest.fixture
def evil():
    """Another server; what it `received` is what got to it."""
    with SilentServer(seconds=0.2) as server:
        yield server


@pytest.fixture
def tls_url(serve_tls):
    """Return a URL of the emulator behind TLS, with the certificate of that name."""

    def url(certificate="good", host="localhost"):
        return f"https://{host}:{serve_tls(certificate).port}/client/v4"

    return url


@pytest.mark.parametrize("status", [302, 308])
@pytest.mark.parametrize("target", ["another host", "plain HTTP", "the same host", "no URL"])
@pytest.mark.parametrize("call", ["list", "create"])
@pytest.mark.parametrize("module", [SINGLE, PLURAL])
def test_a_redirect_is_refused_and_no_credential_gets_there(
    run, account, credentials, evil, tls_url, ca, module, status, target, call
):
    location = {
        "another host": f"https://localhost:{evil.port}/x",
        "plain HTTP": f"http://localhost:{evil.port}/x",
        "the same host": "/client/v4/accounts",
        "no URL": "http://[/\\",
    }[target]
    account.fault(calls=[call], times=None, kind="redirect", status=status, location=location)
    result = run(module, api_url=tls_url(), ca_path=ca.path, **credentials)
    assert result["failed"]
    assert f"Cloudflare returned a redirect ({status})" in result["msg"]
    assert not result.get("changed")
    assert evil.connections() == 0
    assert {entry["call"] for entry in account.requests()} <= {"list", "create"}
    assert account.restrictions() == []


@pytest.mark.parametrize(
    ("entry", "host"),
    [
        ("machine 127.0.0.1", "127.0.0.1"),
        ("machine localhost", "localhost"),
        ("default", "localhost"),
    ],
)
@pytest.mark.parametrize("place", ["home", "NETRC"])
@pytest.mark.parametrize("module", MODULES)
def test_netrc_does_not_replace_the_credentials(
    run, account, credentials, environment, tmp_path, tls_url, ca, module, entry, host, place
):
    netrc = tmp_path / (".netrc" if place == "home" else "elsewhere")
    netrc.write_text(f"{entry} login someone password something\n", encoding="ascii")
    if place == "NETRC":
        environment.setenv("NETRC", str(netrc))
    # With plain HTTP to loopback, requests would not read netrc at all.
    result = run(module, api_url=tls_url(host=host), ca_path=ca.path, **credentials)
    assert not result.get("failed")
    for request in account.requests():
        assert "basic" not in request["headers"].get("Authorization", "").lower()
    assert len(account.restrictions()) == (module != INFO)


@pytest.mark.parametrize("place", ["option", "environment"])
@pytest.mark.parametrize("module", MODULES)
def test_a_url_that_would_send_credentials_elsewhere_is_refused(
    run, no_network, credentials, environment, module, place
):
    url = "http://127.0.0.1.evil.example/"
    if place == "environment":
        environment.setenv("CLOUDFLARE_BASE_URL", url)
    result = run(module, api_url=url if place == "option" else None, **credentials)
    assert result["failed"]
    assert result["msg"].startswith("api_url ")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1"])
def test_plain_http_to_loopback_is_allowed(run, emulator, account, credentials, host):
    url = emulator.url.replace("127.0.0.1", host)
    assert not run(SINGLE, api_url=url, **credentials).get("failed")
    assert len(account.restrictions()) == 1


@pytest.mark.parametrize("kind", ["api_token", "api_key"])
@pytest.mark.parametrize("module", MODULES)
def test_a_secret_that_the_api_repeats_is_shown_in_no_form(run, account, module, kind):
    secret = "s3cret/with+all.that_is~allowed-in/one=="
    quoted = quote(secret, safe="")
    encoded = [b64encode(f"{before}{secret}:".encode()).decode() for before in ("", "u", "u:")]
    # What is the same whatever surrounds it.
    forms = [secret, quoted, *(text[4:-4] for text in encoded)]
    echo = f"You sent {secret}, {quoted}, {', '.join(encoded)}"
    options = {kind: secret, "api_email": account.email if kind == "api_key" else None}
    record = {"id": "x", "domain": "a.example", "exclude": [], "comments": echo}
    listed = {"result": [record], "result_info": {"total_count": 1}, "messages": [echo]}
    for status, body in (
        ("200 OK", {"success": True, **listed}),
        ("400 Bad Request", {"success": False, "errors": [{"code": 1, "message": echo}]}),
    ):
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n"
        with AnsweringServer((head + json.dumps(body)).encode("ascii")) as server:
            url = f"http://127.0.0.1:{server.port}"
            shown = json.dumps(run(module, api_url=url, _ansible_diff=True, **options))
            assert secret.encode("ascii") in server.received
        assert "You sent ********" in shown
        for form in forms:
            assert form not in shown


@pytest.mark.parametrize("place", ["option", "environment"])
@pytest.mark.parametrize("module", MODULES)
def test_no_account_id_changes_the_path(run, no_network, credentials, environment, module, place):
    if place == "environment":
        environment.setenv("CLOUDFLARE_ACCOUNT_ID", "a/../b")
    account_id = "a/../b" if place == "option" else None
    result = run(module, account_id=account_id, **credentials)
    assert result["failed"]
    assert result["msg"].startswith("account_id ")


UUID = "00000000-0000-4000-8000-000000000000"
NOT_AN_ID = [
    *("", "../", "..", "/", "?", "#", "%2f", "%2e%2e", " ", ".", "\\", "\n", "\0", "a/../b", "a b"),
    *("a?page=2", "a#b", "\u00e4", "a;b", "a\u202e", "//", "a/", "/a", "~", "*"),
    *(UUID[:-1] + "/", UUID + "\n", UUID + "/x", UUID + "?x", " " + UUID),
]


@pytest.mark.parametrize("text", NOT_AN_ID)
@pytest.mark.parametrize("module", [SINGLE, INFO])
def test_no_id_changes_the_path(run, no_network, credentials, module, text):
    options = {"id": text, "domain": None} if module == SINGLE else {"id": text}
    result = run(module, **options, **credentials)
    assert result["failed"]
    assert result["msg"].startswith("id ")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("certificate", ["self-signed", "unknown CA", "wrong host", "expired"])
def test_a_wrong_certificate_is_refused_unless_the_task_says_otherwise(
    run, account, credentials, tls_url, ca, module, certificate
):
    url = tls_url(certificate)
    result = run(module, api_url=url, ca_path=ca.path, **credentials)
    assert result["failed"]
    assert "is not trusted" in result["msg"]
    assert account.requests() == []
    for ca_path in (None, ca.path):
        trusting = {"validate_certs": False, "ca_path": ca_path}
        assert not run(module, api_url=url, **trusting, **credentials).get("failed")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("named_by", ["ca_path", "REQUESTS_CA_BUNDLE", "nobody"])
def test_a_private_ca_is_trusted_once_it_is_named(
    run, account, credentials, environment, tls_url, ca, module, named_by
):
    if named_by == "REQUESTS_CA_BUNDLE":
        environment.setenv(named_by, ca.path)
    ca_path = ca.path if named_by == "ca_path" else None
    result = run(module, api_url=tls_url(), ca_path=ca_path, **credentials)
    assert bool(result.get("failed")) == (named_by == "nobody")


@pytest.mark.parametrize("module", MODULES)
def test_proxies_of_the_environment_are_used_and_see_no_credential(
    run, account, credentials, environment, tls_url, ca, module
):
    url = tls_url()
    with ConnectProxy() as proxy:
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert not run(module, api_url=url, ca_path=ca.path, **credentials).get("failed")
        assert set(proxy.asked) == {f"CONNECT localhost:{urlsplit(url).port}"}
        for secret in credentials.values():
            assert secret.encode() not in proxy.received
        environment.setenv("NO_PROXY", "localhost")
        connections = proxy.connections()
        assert not run(module, api_url=url, ca_path=ca.path, **credentials).get("failed")
        assert proxy.connections() == connections
