# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against the emulator over sockets; only its sleeps are replaced."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    USER_AGENT,
    CloudflareClient,
    Limits,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
    KeyAuth,
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
    RetryLater,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    INTERRUPTED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import RetryPolicy
from samples import numbered
from tls_and_proxy import FixedResponseServer, PairingServer

PARTNER = {"domain": "partner.example", "exclude": []}
LIMITED = {"kind": "status", "status": 429, "code": 10429}


def as_dict(result):
    if not isinstance(result, dict):
        raise ValueError("not an object")
    return result


def read(client, path, per_page=1000, **options):
    return client.list_all(Call("GET", path), per_page, **options)


def create(client, path):
    return client.request(Call("POST", path, body=PARTNER, parse=as_dict, idempotent=False))


@pytest.fixture
def connections(monkeypatch):
    """All connections that were opened."""
    opened = []
    connect = socket.socket.connect
    monkeypatch.setattr(
        socket.socket, "connect", lambda *args: opened.append(args) or connect(*args)
    )
    return opened


def test_connections_are_kept_alive(client, path, connections):
    for _call in range(5):
        client.request(Call("GET", path))
    assert len(connections) == 1
    assert client.calls == 5


def test_many_threads_share_a_fixed_number_of_connections(path, token, make_client, connections):
    with PairingServer() as server:
        client = make_client(f"http://127.0.0.1:{server.port}", token, connections=2)
        client.rate_limit.observe({})
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _call: client.request(Call("GET", path)), range(24)))
    assert len(connections) == 2


def test_a_slash_at_the_end_of_the_url_makes_no_difference(
    emulator, account, path, token, make_client
):
    make_client(emulator.url + "/", token).request(Call("GET", path))
    assert account.calls() == ["list"]


def test_requests_name_the_collection(account, client, path):
    client.request(Call("GET", path))
    (request,) = account.requests()
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize("retries", [0, 1, 6])
def test_a_transient_failure_is_retried_with_exponential_backoff(
    emulator, account, path, token, make_client, fake_time, retries
):
    client = make_client(emulator.url, token, retries=6)
    if retries:
        account.fault(kind="status", status=503, times=retries)
    client.request(Call("GET", path))
    assert fake_time.sleeps == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0][:retries]


def test_a_persistent_failure_ends_after_the_retries(client, account, path, fake_time):
    account.fault(kind="html", status=503, times=None)
    with pytest.raises(CloudflareError) as error:
        client.request(Call("GET", path))
    assert error.value.status == 503
    assert len(account.calls()) == 6
    assert len(fake_time.sleeps) == 5


UNKNOWN_OUTCOMES = [
    {"kind": "drop"},
    {"kind": "hang"},
    {"kind": "cut_off_body"},
    {"kind": "cut_off_json"},
    {"kind": "html", "status": 502},
    {"kind": "json", "status": 200, "body": {"success": True, "result": None}},
]


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES, ids=lambda fault: fault["kind"])
def test_an_unknown_outcome_is_only_retried_if_the_call_is_idempotent(
    client, account, path, faults, fault
):
    faults.add(calls=["create"], **fault)
    with pytest.raises(CloudflareError) as error:
        create(client, path)
    assert error.value.outcome_unknown
    assert len(account.calls()) == 1
    faults.add(calls=["create"], **fault)
    assert client.request(Call("POST", path, body=PARTNER, parse=as_dict)).result["domain"]
    assert len(account.calls()) == 3


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        ({"Retry-After": "7"}, [7.0]),
        ({"Retry-After": "0"}, [0.5]),
        ({"Retry-After": "7", "Ratelimit": '"default";r=0;t=99'}, [99.0]),
        ({"Retry-After": "soon", "Ratelimit": '"burst";r=0;t=1, "default";r=0;t=99'}, [0.5, 98.5]),
        ({"Ratelimit": "", "Ratelimit-Policy": ""}, [60.0]),
        ({"Ratelimit": '"default";r=0;t=999999999'}, [0.5, 899.5]),
        ({"Ratelimit": "default, r=0"}, [60.0]),
        ({"Ratelimit": '"default";r=999;t=99'}, [60.0]),
    ],
)
def test_a_call_waits_as_long_as_the_rate_limit_says_even_a_create(
    client, account, path, fake_time, headers, waits
):
    account.fault(**LIMITED, headers=headers)
    create(client, path)
    assert fake_time.sleeps == waits
    assert len(account.restrictions()) == 1


@pytest.mark.promise("Waiting for the rate limit is not a failure")
def test_a_rate_limit_of_more_than_15_minutes_is_an_error(client, account, path, fake_time):
    account.fault(**LIMITED, headers={"Retry-After": "901"})
    with pytest.raises(CloudflareError):
        client.request(Call("GET", path))
    # It does not delay other calls either.
    client.request(Call("GET", path))
    assert fake_time.sleeps == []


def test_without_retries_a_429_that_names_no_wait_delays_the_next_call_by_a_window(
    emulator, account, path, token, make_client, fake_time
):
    client = make_client(emulator.url, token, retries=0)
    account.fault(**LIMITED, headers={"Ratelimit": "", "Ratelimit-Policy": ""})
    with pytest.raises(CloudflareError, match="rate limit"):
        client.request(Call("GET", path))
    client.request(Call("GET", path))
    assert fake_time.sleeps == [300]


def test_a_429_delays_the_calls_of_all_workers_at_once(client, account, path, monkeypatch):
    blocks = []
    release = client.rate_limit.release
    monkeypatch.setattr(
        client.rate_limit, "release", lambda block: blocks.append(block) or release(block)
    )
    account.fault(**LIMITED, headers={"Retry-After": "7"})
    client.request(Call("GET", path))
    assert blocks == [7, 0]


def test_refusals_by_the_rate_limit_and_failures_are_counted_separately(client, account, path):
    account.fault(**LIMITED, times=5, headers={"Retry-After": "9"})
    account.fault(kind="drop", times=5)
    client.request(Call("GET", path))
    assert len(account.calls()) == 11


@pytest.mark.parametrize("before", [0, 4, 5])
def test_attempts_of_earlier_slices_count(emulator, account, path, token, make_client, before):
    limits = Limits(refusals=before, read_attempts=before)
    client = make_client(emulator.url, token, limits=limits)
    account.fault(kind="status", status=503, times=None)
    with pytest.raises(CloudflareError):
        read(client, path, is_first=True)
    assert len(account.calls()) == 6 - before
    account.clear_faults()
    account.clear_requests()
    account.fault(**LIMITED, times=None, headers={"Retry-After": "0"})
    with pytest.raises(CloudflareError):
        client.request(Call("GET", path))
    assert len(account.calls()) == 6 - before
    assert client.refusals == before + 1


def test_a_successful_write_resets_the_count_of_refusals_and_a_read_does_not(
    emulator, path, token, make_client
):
    client = make_client(emulator.url, token, limits=Limits(refusals=3))
    client.request(Call("GET", path))
    assert client.refusals == 3
    create(client, path)
    assert client.refusals == 0


def test_a_refusal_counts_until_a_call_succeeds(account, client, path):
    client.retry = RetryPolicy(0)
    account.fault(**LIMITED, headers={"Retry-After": "0"})
    with pytest.raises(CloudflareError):
        client.request(Call("GET", path))
    assert client.refusals == 1
    client.request(Call("GET", path))
    assert client.refusals == 0


def test_a_failed_read_has_no_outcome_that_could_be_unknown(account, client, path):
    account.fault(kind="drop", times=None)
    with pytest.raises(CloudflareError) as error:
        client.request(Call("GET", path))
    assert not error.value.outcome_unknown


def test_a_list_that_the_rate_limit_refuses_is_read_even_after_its_deadline(
    emulator, account, path, token, make_client, fake_time
):
    client = make_client(emulator.url, token, limits=Limits(read_seconds=2.0))
    account.fault(**LIMITED, headers={"Retry-After": "7"})
    read(client, path, is_first=True)
    assert fake_time.sleeps == [7]


def test_a_list_is_not_read_again_after_its_deadline(
    emulator, account, path, token, make_client, fake_time
):
    client = make_client(emulator.url, token, limits=Limits(read_seconds=2.0))
    account.fault(kind="status", status=503, times=None)
    with pytest.raises(RetryLater) as delay:
        read(client, path, is_first=True)
    assert (delay.value.attempts, delay.value.seconds) == (3, 2.0)
    assert delay.value.error.status == 503
    assert fake_time.sleeps == [0.5, 1.0]


def test_other_calls_than_the_first_list_are_retried_as_if_there_were_no_slices(
    emulator, account, path, token, make_client, fake_time
):
    limits = Limits(read_seconds=2.0, read_attempts=5)
    client = make_client(emulator.url, token, limits=limits)
    account.fault(kind="status", status=503, times=3)
    read(client, path)
    account.fault(kind="status", status=503, times=3)
    client.request(Call("GET", path))
    assert fake_time.sleeps == [0.5, 1.0, 2.0] * 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_wait_that_is_too_long_reports_the_attempts_so_far(
    emulator, account, path, token, make_client, moment
):
    client = make_client(emulator.url, token, limits=Limits(max_wait=5))
    account.fault(kind="drop", moment=moment, calls=["create"])
    account.fault(**LIMITED, headers={"Retry-After": "60"})
    with pytest.raises(RateLimitWait) as delay:
        client.request(Call("POST", path, body=PARTNER))
    assert delay.value.seconds == 60
    assert delay.value.attempts == 1
    assert delay.value.outcome_unknown


def test_a_call_that_was_not_sent_has_a_known_outcome(emulator, path, token, make_client):
    limits = Limits(max_wait=5, blocked_for=60)
    client = make_client(emulator.url, token, limits=limits)
    with pytest.raises(RateLimitWait) as delay:
        create(client, path)
    assert not delay.value.outcome_unknown
    assert client.calls == 0


@pytest.mark.parametrize(
    ("retry_after", "is_transient", "seconds"),
    [(None, True, 0.5), (7, True, 7), (0, True, 0.5), (7, False, 0.5)],
)
def test_a_backoff_is_as_long_as_the_response_asks_for(
    client, path, fake_time, retry_after, is_transient, seconds
):
    error = CloudflareError(
        "no", "try again", UNAVAILABLE, is_transient=is_transient, retry_after=retry_after
    )
    client.back_off(0, error)
    client.request(Call("GET", path))
    assert fake_time.sleeps == [seconds]


def test_after_a_stop_calls_in_flight_end_and_no_new_ones_begin(emulator, account, path, token):
    account.change(latency=0.3)
    client = CloudflareClient(emulator.url, token, connections=2)
    client.request(Call("GET", path))
    with ThreadPoolExecutor(2) as pool:
        in_flight = pool.submit(create, client, path)
        while client.calls < 2:
            threading.Event().wait(0.001)
        client.rate_limit.block(3600)
        waiting = pool.submit(client.request, Call("GET", path))
        client.stop()
        assert in_flight.result(timeout=60).result["domain"] == "partner.example"
        error = waiting.exception(timeout=60)
    assert (error.kind, error.outcome_unknown) == (INTERRUPTED, False)
    with pytest.raises(CloudflareError):
        create(client, path)
    assert account.calls() == ["list", "create"]


def test_a_stopped_client_sends_nothing(client, account, path):
    client.stop()
    with pytest.raises(CloudflareError) as error:
        create(client, path)
    assert (error.value.kind, error.value.outcome_unknown) == (INTERRUPTED, False)
    assert account.calls() == []


def test_a_stopped_retry_says_that_the_outcome_is_unknown(emulator, account, path, token):
    client = CloudflareClient(emulator.url, token, sleep=lambda seconds: client.stop())
    account.fault(kind="drop", moment="after", calls=["create"], times=None)
    with pytest.raises(CloudflareError) as error:
        client.request(Call("POST", path, body=PARTNER))
    assert error.value.outcome_unknown


def test_tokens_and_keys_work(emulator, account, path, make_client):
    for auth in (
        TokenAuth(account.tokens["account_owned"], "option api_token"),
        KeyAuth(account.email, account.api_key, "option api_key"),
    ):
        assert make_client(emulator.url, auth).request(Call("GET", path)).result == []


@pytest.mark.parametrize("kind", ["expired", "disabled"])
def test_a_token_that_is_not_active_is_refused_at_once(
    emulator, account, path, make_client, fake_time, kind
):
    client = make_client(emulator.url, TokenAuth(account.tokens[kind], "option api_token"))
    with pytest.raises(CloudflareError) as error:
        client.request(Call("GET", path, permission="Read"))
    assert str(error.value).startswith(
        "Cloudflare did not accept the API token (option api_token); "
    )
    assert "'Read' (GET …/sending_domain_restrictions: 403, code " in str(error.value)
    assert fake_time.sleeps == []


@pytest.mark.promise("Redirects are not followed")
@pytest.mark.parametrize("call", ["list", "create"])
@pytest.mark.parametrize(
    "target", ["{same}/accounts", "/x", "http://localhost:{other}/x", "//[/\\"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    emulator, client, account, path, status, target, call, fake_time
):
    with FixedResponseServer(b"") as other:
        location = target.format(same=emulator.url, other=other.port)
        account.fault(kind="redirect", status=status, location=location)
        with pytest.raises(CloudflareError) as error:
            client.request(Call("GET", path)) if call == "list" else create(client, path)
        assert other.connections() == 0
    method = {"list": "GET", "create": "POST"}[call]
    assert str(error.value) == (
        f"Cloudflare returned a redirect ({status}); redirects are not followed, to protect the"
        f" credentials; check api_url ({method} …/sending_domain_restrictions: {status})"
    )
    assert len(account.calls()) == 1
    assert fake_time.sleeps == []


def without_target_check(session):
    del session.get_redirect_target


def with_redirects_allowed(session):
    request = session.request
    session.request = lambda *args, **options: request(
        *args, **{**options, "allow_redirects": True}
    )


@pytest.mark.promise("Redirects are not followed")
@pytest.mark.parametrize("weaken", [without_target_check, with_redirects_allowed])
def test_each_of_two_layers_alone_keeps_the_client_from_following_redirects(
    client, account, path, weaken
):
    weaken(client._session)
    with FixedResponseServer(OK + b"Content-Length: 0\r\n\r\n") as other:
        location = f"http://127.0.0.1:{other.port}/x"
        account.fault(kind="redirect", status=307, location=location)
        with pytest.raises(CloudflareError, match="a redirect"):
            create(client, path)
        assert other.connections() == 0


def test_a_refused_connection_is_retried_even_for_a_create(
    path, token, make_client, fake_time, closed_port
):
    client = make_client(f"http://127.0.0.1:{closed_port}/client/v4", token, retries=2)
    with pytest.raises(CloudflareError) as error:
        create(client, path)
    assert len(fake_time.sleeps) == 2
    assert not error.value.outcome_unknown
    assert str(error.value) == (
        f"could not connect to 127.0.0.1:{closed_port}; check api_url, DNS, the network and the"
        " environment variables HTTPS_PROXY and NO_PROXY (POST …/sending_domain_restrictions:"
        " [Errno 111] Connection refused)"
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


@pytest.mark.parametrize("response", BROKEN_HTTP.values(), ids=BROKEN_HTTP.keys())
def test_after_broken_http_the_outcome_of_a_write_is_unknown(path, token, make_client, response):
    with FixedResponseServer(response) as server:
        client = make_client(f"http://127.0.0.1:{server.port}", token, retries=1)
        with pytest.raises(CloudflareError) as error:
            create(client, path)
        assert b"POST " in server.received
    assert error.value.outcome_unknown
    assert error.value.is_transient
    assert client.calls == 1


def test_a_secret_that_the_api_returns_is_redacted(client, account, path):
    token = account.tokens["write"]
    account.fault(kind="status", status=400, code=1, message=f"what is {token}?")
    with pytest.raises(CloudflareError, match=r"what is \*{8}\?"):
        client.request(Call("GET", path))
    account.fault(kind="merge", set={"messages": [token]})
    client.request(Call("GET", path))
    assert client.warnings() == ["Cloudflare: ********"]


def test_a_secret_is_redacted_before_a_long_detail_is_shortened(client, account, path):
    token = account.tokens["write"]
    for padding in range(250, 350, 7):
        account.fault(kind="status", status=400, code=1, message="x" * padding + token)
        with pytest.raises(CloudflareError) as error:
            client.request(Call("GET", path))
        assert token[:4] not in str(error.value)
        assert len(error.value.detail) <= 350


def test_repeated_messages_on_success_become_one_warning(client, account, path):
    account.fault(kind="merge", times=2, set={"messages": [{"code": 1, "message": "Soon\ngone"}]})
    client.request(Call("GET", path))
    client.request(Call("GET", path))
    assert client.warnings() == ["Cloudflare: code 1: Soon gone"]


@pytest.mark.parametrize(
    ("seconds", "warnings"), [(4.9, []), (65, ["waited 65 seconds for Cloudflare's rate limit"])]
)
def test_a_long_wait_for_the_rate_limit_becomes_a_warning(client, path, seconds, warnings):
    client.rate_limit.block(seconds)
    client.request(Call("GET", path))
    assert client.warnings() == warnings


@pytest.mark.parametrize(
    ("number", "pages"),
    # A full page, or one of a usual size, may hide that others follow.
    [(0, 1), (1, 1), (100, 2), (999, 1), (1000, 2), (1001, 2), (2500, 3)],
)
def test_every_page_of_a_list_is_read_and_no_more(client, account, path, number, pages):
    account.seed(numbered(number))
    records = read(client, path)
    assert [record["id"] for record in records] == [
        record["id"] for record in account.restrictions()
    ]
    assert len(account.calls()) == pages


def test_only_the_first_page_of_a_list_refuses_to_wait(
    emulator, account, path, token, make_client, fake_time
):
    client = make_client(emulator.url, token, limits=Limits(max_wait=0))
    account.seed(numbered(25))
    account.fault(kind="merge", skip=1, headers={"Ratelimit": '"default";r=0;t=60'})
    assert len(read(client, path, 10)) == 25
    assert fake_time.sleeps == [60]
    client.rate_limit.block(60)
    with pytest.raises(RateLimitWait):
        read(client, path, 10)


def test_a_list_without_result_info_is_read_to_its_end(client, account, path):
    account.seed(numbered(25))
    account.fault(kind="merge", times=None, remove=["result_info"])
    assert len(read(client, path, 10)) == 25


def test_a_list_that_changes_while_it_is_read_is_read_again(client, account, path):
    account.seed(numbered(25))
    info = {"count": 10, "page": 1, "per_page": 10, "total_count": 26}
    account.fault(kind="merge", set={"result_info": info})
    assert len(read(client, path, 10)) == 25
    assert len(account.calls()) == 2 + 3


def test_a_list_that_keeps_changing_is_an_error(client, account, path):
    account.seed(numbered(25))
    for total in (26, 27, 28):
        info = {"count": 10, "page": 1, "per_page": 10, "total_count": total}
        account.fault(kind="merge", set={"result_info": info})
        account.fault(kind="merge")
    with pytest.raises(CloudflareError) as error:
        read(client, path, 10)
    assert str(error.value) == (
        "the list kept changing while it was read (3 attempts); run again when nothing else is"
        " changing the account (GET …/sending_domain_restrictions)"
    )


@pytest.mark.promise("A part of the account is never taken for the whole")
def test_a_list_that_is_inconsistent_in_the_same_way_each_time_is_not_said_to_change(
    client, account, path
):
    account.seed(numbered(25))
    account.change(total_error=1)
    with pytest.raises(CloudflareError) as error:
        read(client, path, 10)
    assert str(error.value) == (
        "Cloudflare's list may be incomplete, because its total_count is 26, but it contains 25 entries;"
        " run again later; if the error persists, report it to Cloudflare"
        " (GET …/sending_domain_restrictions)"
    )
    assert (error.value.kind, len(account.calls())) == (UNAVAILABLE, 3 * 4)


@pytest.mark.parametrize("empty_list", ["list", "null", "missing"])
@pytest.mark.parametrize("number", [0, 10])
def test_an_empty_page_may_have_no_result(client, account, path, number, empty_list):
    account.seed(numbered(number))
    account.change(empty_list=empty_list)
    assert len(read(client, path, 10)) == number
    assert len(account.calls()) == (2 if number else 1)


@pytest.mark.parametrize("result", [{}, [1], [{}], [{"id": 1}]])
def test_a_list_without_records_is_an_unexpected_result(
    emulator, account, path, token, make_client, result
):
    client = make_client(emulator.url, token, retries=0)
    account.fault(kind="merge", set={"result": result})
    with pytest.raises(CloudflareError, match="an unexpected result: (not a list|a list that)"):
        read(client, path, 10)


def test_a_conflict_is_specific_to_one_change_and_an_outage_is_not():
    assert CloudflareError("x", "y", CONFLICT).is_specific
    assert not CloudflareError("x", "y", UNAVAILABLE).is_specific
