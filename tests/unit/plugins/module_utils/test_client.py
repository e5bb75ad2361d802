# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against the emulator over a socket; only its waiting is replaced."""

from __future__ import annotations

import re
import socket

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
    CloudflareError,
    KeyAuth,
    TokenAuth,
)
from tls_and_proxy import AnsweringServer


@pytest.fixture
def pauses(fake_time):
    return fake_time.pauses


@pytest.fixture
def make_client(fake_time):
    def make(url, auth, jitter=0.0, **options):
        return CloudflareClient(
            url,
            auth,
            sleep=fake_time.sleep,
            clock=fake_time.clock,
            jitter=lambda: jitter,
            **options,
        )

    return make


@pytest.fixture
def client(emulator, account, make_client):
    return make_client(
        emulator.url, TokenAuth(account.tokens["write"], "option api_token"), timeout=2
    )


@pytest.fixture
def path(account):
    return f"/accounts/{account.id}/email-security/settings/sending_domain_restrictions"


def as_list(result):
    if not isinstance(result, list):
        raise ValueError("no list")
    return result


def as_dict(result):
    if not isinstance(result, dict):
        raise ValueError("no object")
    return result


def calls(account):
    return [(entry["call"], entry["status"]) for entry in account.requests()]


def test_connections_are_kept_alive(client, path, monkeypatch):
    connections = []
    connect = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda *args: connections.append(args) or connect(*args)
    )
    for _call in range(5):
        client.request("GET", path)
    assert len(connections) == 1
    assert client.calls == 5


@pytest.mark.parametrize("repeats", [0, 1, 6])
def test_a_passing_fault_is_waited_out_twice_as_long_each_time(
    client, account, path, pauses, repeats
):
    client.retries = 6
    if repeats:
        account.fault(kind="status", status=503, times=repeats)
    client.request("GET", path)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0][:repeats]


def test_no_pause_is_longer_than_30_seconds_and_jitter_takes_off_up_to_half(
    emulator, account, path, make_client, pauses
):
    auth = TokenAuth(account.tokens["write"], "option api_token")
    client = make_client(emulator.url, auth, jitter=1.0, retries=8)
    account.fault(kind="status", status=503, times=8)
    client.request("GET", path)
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_persistent_fault_ends_after_the_retries_with_one_sentence(client, account, path, pauses):
    account.fault(kind="html", status=503, times=None)
    with pytest.raises(CloudflareError) as error:
        client.request("GET", path)
    assert str(error.value) == (
        f"GET {path} was answered with 503 and text/html instead of Cloudflare's JSON: try again"
        " later"
    )
    assert error.value.status == 503
    assert len(calls(account)) == 1 + client.retries
    assert len(pauses) == client.retries


UNKNOWN_OUTCOMES = [
    {"kind": "drop"},
    {"kind": "hang", "seconds": 2.5},
    {"kind": "cut_off_body"},
    {"kind": "cut_off_json"},
    {"kind": "empty", "status": 200},
    {"kind": "html", "status": 200},
    {"kind": "html", "status": 502},
    {"kind": "status", "status": 500, "message": "Internal error"},
    {"kind": "json", "status": 200, "body": []},
    {"kind": "json", "status": 200, "body": {"success": True, "result": None}},
]


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES, ids=lambda fault: fault["kind"])
def test_a_repeatable_call_survives_any_answer_that_is_none(client, account, path, fault):
    account.fault(**fault)
    assert client.request("GET", path, read=as_list).result == []
    assert len(calls(account)) == 2


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES, ids=lambda fault: fault["kind"])
def test_a_call_that_must_not_be_done_twice_is_sent_once_and_its_outcome_called_unknown(
    client, account, path, fault
):
    account.fault(**fault)
    body = {"domain": "partner.example", "exclude": []}
    with pytest.raises(CloudflareError) as error:
        client.request("POST", path, body=body, read=as_dict, repeatable=False)
    assert error.value.outcome_unknown
    assert len(calls(account)) == 1


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "0"}, [0.5]),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, [0.5]),
        ({"Retry-After": "7", "Ratelimit": '"default";r=0;t=99'}, [99.0]),
        ({"Retry-After": "soon", "Ratelimit": '"burst";r=0;t=1, "default";r=0;t=99'}, [0.5, 98.5]),
        ({"Retry-After": "Fri, 31 Dec 99999 00:00:00 GMT"}, [60.0]),
        ({"Ratelimit": "", "Ratelimit-Policy": ""}, [60.0]),
        ({"Ratelimit": '"default";r=0;t=999999999'}, [0.5, 899.5]),
        ({"Retry-After": "9" * 400, "Ratelimit": f'"default";r=0;t={"9" * 400}'}, [60.0]),
        ({"Ratelimit": "default, r=0"}, [60.0]),
        ({"Ratelimit": '"default";r=999;t=99'}, [60.0]),
    ],
)
def test_the_rate_limit_is_waited_for_as_long_as_it_says_even_by_a_create(
    client, account, path, pauses, headers, waits
):
    account.fault(kind="status", status=429, code=10429, headers=headers)
    body = {"domain": "partner.example", "exclude": []}
    client.request("POST", path, body=body, repeatable=False)
    assert pauses == waits
    assert len(account.restrictions()) == 1


def test_a_wait_of_more_than_a_quarter_of_an_hour_is_not_entered(client, account, path, pauses):
    account.fault(kind="status", status=429, code=10429, headers={"Retry-After": "901"})
    with pytest.raises(CloudflareError) as error:
        client.request("GET", path)
    assert "rate limit" in str(error.value)
    assert pauses == []


@pytest.mark.parametrize(("times", "works"), [(2, True), (3, False)])
def test_a_403_without_a_code_is_repeated_twice(client, account, path, times, works):
    account.fault(kind="status", status=403, times=times)
    if works:
        client.request("GET", path)
    else:
        with pytest.raises(CloudflareError, match="403"):
            client.request("GET", path)
    assert [status for _call, status in calls(account)] == [403] * times + [200] * works


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        (
            "wrong-format",
            "was refused (400): Invalid request headers (code 6003) because of Invalid format for"
            " Authorization header (code 6111): the API token (option api_token) has the wrong"
            " format",
        ),
        (
            "a" * 40,
            "was refused (403): Invalid access token (code 9109): check that the API token (option"
            " api_token) is right, not expired, allowed on this account and has the permission"
            " 'the permission'",
        ),
    ],
)
def test_refused_credentials_are_named_but_never_shown(
    emulator, path, make_client, pauses, token, sentence
):
    client = make_client(emulator.url, TokenAuth(token, "option api_token"))
    with pytest.raises(CloudflareError) as error:
        client.request("GET", path, permission="the permission")
    assert str(error.value) == f"GET {path} {sentence}"
    assert pauses == []


@pytest.mark.parametrize("kind", ["expired", "disabled"])
def test_a_token_that_is_not_active_is_refused_at_once(
    emulator, account, path, make_client, pauses, kind
):
    client = make_client(emulator.url, TokenAuth(account.tokens[kind], "option api_token"))
    with pytest.raises(CloudflareError, match="is right, not expired"):
        client.request("GET", path)
    assert pauses == []


def test_a_401_is_taken_for_refused_credentials_whatever_its_code(client, account, path, pauses):
    account.fault(kind="status", status=401, code=4711, message="Nope")
    with pytest.raises(CloudflareError, match="check that the API token .* is right, not expired"):
        client.request("GET", path)
    assert pauses == []


def test_an_account_without_email_security_is_told_so(client, account, path):
    account.change(email_security=False)
    with pytest.raises(CloudflareError, match="the account has no Email Security"):
        client.request("GET", path)
    assert len(calls(account)) == 1


def test_a_route_that_is_none_points_to_the_account_id(client):
    with pytest.raises(CloudflareError, match=r"\(code 7003\).*: check account_id"):
        client.request("GET", "/accounts/zzz/email-security/settings/sending_domain_restrictions")


def test_a_refused_field_is_pointed_at(client, account, path):
    with pytest.raises(CloudflareError, match="at /comments") as error:
        client.request(
            "POST", path, body={"domain": "a.example", "exclude": [], "comments": "x" * 1025}
        )
    assert not error.value.outcome_unknown
    assert len(calls(account)) == 1


def test_both_schemes_of_authentication_work(emulator, account, path):
    for auth in (
        TokenAuth(account.tokens["account_owned"], "option api_token"),
        KeyAuth(account.email, account.api_key, "option api_key"),
    ):
        assert CloudflareClient(emulator.url, auth).request("GET", path).result == []


def test_netrc_does_not_replace_the_token(client, path, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    assert client.request("GET", path).result == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(emulator, client, account, path, status, pauses):
    location = f"{emulator.url}{path}"
    account.fault(kind="redirect", status=status, location=location)
    with pytest.raises(CloudflareError, match=rf"redirect \({status}\), which is not followed"):
        client.request("GET", path)
    assert len(calls(account)) == 1
    assert pauses == []


def test_a_refused_connection_is_repeated_even_for_a_create(account, path, make_client, pauses):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    auth = TokenAuth(account.tokens["write"], "option api_token")
    client = make_client(f"http://127.0.0.1:{port}/client/v4", auth, retries=2)
    with pytest.raises(CloudflareError) as error:
        client.request("POST", path, body={}, repeatable=False)
    assert len(pauses) == 2
    assert not error.value.outcome_unknown
    assert str(error.value) == (
        f"POST {path}: no connection to 127.0.0.1:{port} ([Errno 111] Connection refused): check"
        " api_url, DNS, the network and the environment variables HTTPS_PROXY and NO_PROXY"
    )


OK = b"HTTP/1.1 200 OK\r\n"
BROKEN_HTTP = {
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a list of lengths": OK + b"Content-Length: 2, 3\r\n\r\n{}",
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "no gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "no chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    "too many headers": OK + b"X: y\r\n" * 200 + b"\r\n",
    "too long a header": OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    "unknown charset": OK + b"Content-Type: a/b; charset=c\r\nContent-Length: 2\r\n\r\n{}",
    "no UTF-8": OK + b"Content-Length: 2\r\n\r\n\xff\xfe",
    "endless nesting": OK + b"Content-Length: 9999\r\n\r\n" + b"[" * 9999,
    "a strange cookie": OK + b"Set-Cookie: =;;=\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", BROKEN_HTTP.values(), ids=BROKEN_HTTP.keys())
def test_broken_http_leaves_the_outcome_of_a_write_unknown(path, make_client, answer):
    auth = TokenAuth("a-token", "option api_token")
    with AnsweringServer(answer) as server:
        client = make_client(f"http://127.0.0.1:{server.port}", auth, retries=1, timeout=2)
        with pytest.raises(CloudflareError) as error:
            client.request("POST", path, body={}, repeatable=False)
        assert b"POST " in server.received
    assert error.value.outcome_unknown
    assert client.calls == 1
    assert str(error.value).startswith(f"POST {path}")
    assert re.search(": try again later(, or check api_url)?$", str(error.value))


def test_a_secret_that_the_api_repeats_is_taken_out(client, account, path):
    token = account.tokens["write"]
    account.fault(kind="status", status=400, code=1, message=f"what is {token}?")
    with pytest.raises(CloudflareError) as error:
        client.request("GET", path)
    assert token not in str(error.value)
    assert "what is ********?" in str(error.value)


def test_messages_on_success_are_kept_once(client, account, path):
    account.fault(kind="merge", times=2, set={"messages": [{"code": 1, "message": "Soon gone"}]})
    client.request("GET", path)
    client.request("GET", path)
    assert client.notices() == ["Cloudflare: Soon gone (code 1)"]


def test_whatever_a_message_is_made_of_what_is_shown_is_one_line_of_text(client, account, path):
    odd = [
        {"code": 1, "message": "a\0b\n\x1b[31m\u202ec"},
        "\x7fx",
        {"code": [1], "message": [["y"]], "source": {"pointer": {}}},
        {"error_chain": [{"code": 2, "message": "z", "error_chain": [{"code": 3}]}, 4]},
        [["w"]],
        None,
    ]
    account.fault(kind="merge", set={"messages": odd})
    client.request("GET", path)
    assert client.notices() == [
        "Cloudflare: a b  [31m c (code 1)",
        "Cloudflare:  x",
        "Cloudflare: no message",
        "Cloudflare: no message because of z (code 2)",
    ]


@pytest.mark.parametrize("errors", [[{"code": 5, "message": "Soon gone"}], [{}]])
@pytest.mark.parametrize("success", [True, None])
def test_a_success_with_errors_and_no_result_is_no_refusal(client, account, path, errors, success):
    answer = {"success": success, "result": None, "errors": errors}
    account.fault(kind="merge", moment="after", set=answer)
    body = {"domain": "partner.example", "exclude": []}
    with pytest.raises(CloudflareError, match="was answered with 201 and ") as error:
        client.request("POST", path, body=body, read=as_dict, repeatable=False)
    assert error.value.outcome_unknown


def test_a_refusal_is_counted_from_the_last_success_of_any_worker(account, path, client, fake_time):
    client.retries = client.refused_before = 2

    def success_of_another_worker(seconds):
        fake_time.now += seconds
        client.refused_before = 0

    client.rate_limit.block(10)
    client.rate_limit._sleep = success_of_another_worker
    account.fault(kind="status", status=429, headers={"Retry-After": "1"})
    client.request("GET", path)


def test_the_rate_limit_and_other_faults_have_their_repeats_each(client, account, path):
    account.fault(kind="status", status=429, times=5, headers={"Retry-After": "9"})
    account.fault(kind="drop", times=5)
    client.request("GET", path)
    assert len(calls(account)) == 11


def seed(account, number):
    account.seed([{"domain": f"d{index}.example"} for index in range(number)])


@pytest.mark.parametrize(
    ("number", "pages"), [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (2500, 3)]
)
def test_every_page_of_a_list_is_read_and_none_more(client, account, path, number, pages):
    seed(account, number)
    records = client.list_all(path, {"order": "created_at"}, per_page=1000)
    assert [record["id"] for record in records] == [
        record["id"] for record in account.restrictions()
    ]
    assert len(calls(account)) == pages


def test_a_list_without_result_info_is_read_to_its_end(client, account, path):
    seed(account, 25)
    account.fault(kind="merge", times=None, remove=["result_info"])
    assert len(client.list_all(path, {}, per_page=10)) == 25


@pytest.mark.parametrize("total", [-1, True, "25"])
def test_a_total_that_is_none_does_not_end_the_list_early(client, account, path, total):
    seed(account, 25)
    account.fault(kind="merge", times=None, set={"result_info": {"total_count": total}})
    if total in (True, "25"):
        assert len(client.list_all(path, {}, per_page=10)) == 25
    else:
        with pytest.raises(CloudflareError, match="contradicted each other"):
            client.list_all(path, {}, per_page=10)


def test_a_list_that_changes_while_it_is_read_is_read_anew(client, account, path):
    seed(account, 25)
    info = {"count": 10, "page": 1, "per_page": 10, "total_count": 26}
    account.fault(kind="merge", set={"result_info": info})
    assert len(client.list_all(path, {}, per_page=10)) == 25
    assert len(calls(account)) == 2 + 3


@pytest.mark.parametrize("with_info", [True, False])
def test_a_page_that_repeats_for_ever_ends_in_an_error(client, account, path, with_info):
    seed(account, 25)
    first_page = client.request("GET", path, {"page": 1, "per_page": 10}).result
    fault = {"set": {"result": first_page}}
    if not with_info:
        fault["remove"] = ["result_info"]
    account.fault(kind="merge", times=None, **fault)
    with pytest.raises(CloudflareError, match="contradicted each other in each of 3 readings"):
        client.list_all(path, {}, per_page=10)
