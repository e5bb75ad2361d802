# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import email.utils
import json
from types import SimpleNamespace

import pytest
import requests
from ansible_collections.cloudflare_email.security.plugins.module_utils import _response
from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
    RATE_LIMITED,
    REFUSED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._response import (
    interpret,
    seconds_to_wait,
)

CALL = "POST …/sending_domain_restrictions"
PATH = "/accounts/a/email-security/settings/sending_domain_restrictions"
DENIED = (
    "Cloudflare did not accept the API token; check that it is correct, not expired, allowed on this"
    " account and has the permission 'Write'"
)
LIMITED = (
    "Cloudflare's rate limit, which all tools of one user share with the dashboard, was exceeded; run"
    " again later"
)
TRY_LATER = "try again later"


def parse(result):
    if not isinstance(result, dict):
        raise ValueError("not an object")
    return result


def response(status, body, headers=None):
    made = requests.Response()
    made.status_code = status
    made._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    made.headers.update({"Content-Type": "application/json; charset=utf-8", **(headers or {})})
    return made


def interpreted(status, body, headers=None):
    call = Call("POST", PATH, parse=parse, permission="Write")
    return interpret(call, response(status, body, headers), "the API token")


def failure(*errors):
    return {"success": False, "errors": list(errors), "messages": [], "result": None}


def coded(code, message="No", **more):
    return failure({"code": code, "message": message, **more})


CHAIN = [{"code": 6111, "message": "Invalid format"}]

REFUSALS = [
    (
        400,
        coded(6003, "Invalid headers", error_chain=CHAIN),
        (CREDENTIALS, 6003),
        "the API token has the wrong format; copy it again from the dashboard",
        "400, code 6003: Invalid headers, because of code 6111: Invalid format",
    ),
    (403, coded(9109), (CREDENTIALS, 9109), DENIED, "403, code 9109: No"),
    (400, coded(9106), (CREDENTIALS, 9106), DENIED, "400, code 9106: No"),
    (403, coded(10000), (CREDENTIALS, 10000), DENIED, "403, code 10000: No"),
    (401, coded(4711), (CREDENTIALS, 4711), DENIED, "401, code 4711: No"),
    (
        403,
        coded(1, "Email Security is not available in the current subscription"),
        (CREDENTIALS, 1),
        "the account has no Email Security; check account_id and the subscription",
        "403, code 1: Email Security is not available in the current subscription",
    ),
    (
        404,
        coded(7003),
        (REFUSED, 7003),
        "Cloudflare does not know this account or this call; check account_id",
        "404, code 7003: No",
    ),
    (
        404,
        coded(10404),
        (REFUSED, 10404),
        "Cloudflare found nothing at this address; run again; if the error persists, check"
        " account_id and api_url",
        "404, code 10404: No",
    ),
    (
        400,
        coded(10400, "too long", source={"pointer": "/comments"}),
        (REFUSED, 10400),
        "Cloudflare refused the request; fix the reported field and run again",
        "400, code 10400: too long (at /comments)",
    ),
    (
        403,
        coded(4711, "Blocked"),
        (REFUSED, 4711),
        "Cloudflare refused the request; check what it says, and the permissions of the API token",
        "403, code 4711: Blocked",
    ),
    (
        400,
        failure("exclude is invalid"),
        (REFUSED, None),
        "Cloudflare refused the request; fix the reported field and run again",
        "400, exclude is invalid",
    ),
    (
        409,
        failure({"code": 0, "message": "Taken"}, {"code": 2}),
        (REFUSED, 2),
        "Cloudflare refused the request; run again",
        "409, Taken; code 2: no message",
    ),
    (
        400,
        coded(1, error_chain=[{"code": 10000, "message": "Expired"}]),
        (CREDENTIALS, 1),
        DENIED,
        "400, code 1: No, because of code 10000: Expired",
    ),
]


@pytest.mark.parametrize(("status", "body", "kind_and_code", "sentence", "detail"), REFUSALS)
def test_a_refusal_says_what_is_wrong_what_to_do_and_what_cloudflare_said(
    status, body, kind_and_code, sentence, detail
):
    with pytest.raises(CloudflareError) as raised:
        interpreted(status, body)
    error = raised.value
    assert str(error) == f"{sentence} ({CALL}: {detail})"
    assert (error.kind, error.code) == kind_and_code
    assert error.status == status
    assert not error.outcome_unknown
    assert not error.is_transient


HTML = {"Content-Type": "text/html; charset=utf-8"}
NOT_JSON = "text/html instead of Cloudflare's JSON"
OTHER_SERVER = "a server that is not Cloudflare's API returned"
CHECK = "check proxies and api_url, which usually ends with /client/v4"
CHECK_OR_TRY_LATER = f"{CHECK}, or try again later"
BLOCKED = (
    "a firewall, a limit or a proxy in front of Cloudflare's API refused the request; check what it"
    " says, the network of this host and api_url, or try again later; the credentials were not"
    " checked"
)
TEXT = {"Content-Type": "text/plain; charset=UTF-8"}
PROBLEM = {"Content-Type": "application/problem+json"}
LIMITED_AT_THE_EDGE = {
    "type": "https://developers.cloudflare.com/support/",
    "title": "Error 1015: You are being rate limited",
    "status": 403,
    "detail": "The owner of this website banned you temporarily.",
    "error_code": 1015,
}

UNKNOWN_OUTCOMES = [
    (500, coded(1, "Down"), None, f"Cloudflare returned 500; {TRY_LATER}", "500, code 1: Down"),
    (408, coded(1), None, f"Cloudflare returned 408; {TRY_LATER}", "408, code 1: No"),
    (503, b"<p>", HTML, f"Cloudflare returned 503; {TRY_LATER}", f"503 with {NOT_JSON}"),
    (502, b"", None, f"Cloudflare returned 502; {TRY_LATER}", "502 with an empty body"),
    (
        200,
        b"<p>",
        HTML,
        f"{OTHER_SERVER} 200 without a usable result; {CHECK_OR_TRY_LATER}",
        f"200 with {NOT_JSON}",
    ),
    (
        200,
        b'{"success": tr',
        {"Content-Type": ""},
        f"{OTHER_SERVER} 200 without a usable result; {CHECK_OR_TRY_LATER}",
        "200 with an unknown content type instead of Cloudflare's JSON",
    ),
    (
        200,
        b"[" * 100_000,
        HTML,
        f"{OTHER_SERVER} 200 without a usable result; {CHECK_OR_TRY_LATER}",
        f"200 with {NOT_JSON}",
    ),
    (
        204,
        b"",
        None,
        f"{OTHER_SERVER} 204 without a usable result; {CHECK_OR_TRY_LATER}",
        "204 with an empty body",
    ),
    (
        201,
        {"success": True, "result": 7},
        None,
        f"Cloudflare returned 201 without a usable result; {TRY_LATER}",
        "201 with an unexpected result: not an object",
    ),
    (
        201,
        {"success": None, "errors": [{"code": 5}], "result": {}},
        None,
        f"Cloudflare returned 201 without a usable result; {TRY_LATER}",
        "201 with JSON without the result",
    ),
    (
        200,
        {"success": "true", "result": {}},
        None,
        f"Cloudflare returned 200 without a usable result; {TRY_LATER}",
        "200 with JSON without the result",
    ),
    (
        500,
        {"success": True, "result": {}},
        None,
        f"Cloudflare returned 500; {TRY_LATER}",
        "500 with JSON without the result",
    ),
    (
        408,
        b"<p>",
        HTML,
        f"{OTHER_SERVER} 408; {CHECK_OR_TRY_LATER}",
        f"408 with {NOT_JSON}",
    ),
    (
        200,
        {"success": True, "errors": [{"code": 5}], "result": {}},
        None,
        f"Cloudflare returned 200 without a usable result; {TRY_LATER}",
        "200 with JSON with both success and errors",
    ),
    *(
        (
            status,
            {"success": True, "result": {}},
            None,
            f"Cloudflare returned {status} without a usable result; {TRY_LATER}",
            f"{status} with JSON without the result",
        )
        for status in (204, 206)
    ),
    (
        200,
        {"ok": True},
        None,
        f"{OTHER_SERVER} 200 without a usable result; {CHECK_OR_TRY_LATER}",
        "200 with application/json instead of Cloudflare's JSON",
    ),
    (
        503,
        b"<html><TITLE lang=en>Down for\n maintenance</title>",
        HTML,
        f"Cloudflare returned 503; {TRY_LATER}",
        f"503 with {NOT_JSON}: Down for maintenance",
    ),
]

OTHERS = [
    (403, b"error code: 1020\n", TEXT, BLOCKED, "403 with text/plain {}: error code: 1020"),
    (
        403,
        LIMITED_AT_THE_EDGE,
        PROBLEM,
        BLOCKED,
        "403 with application/problem+json {}: Error 1015: You are being rate limited, The owner of"
        " this website banned you temporarily., 1015",
    ),
    (
        401,
        {"message": "Log in"},
        None,
        BLOCKED,
        "401 with application/json {}: Log in",
    ),
    (
        400,
        {"message": "Bad Request"},
        None,
        f"{OTHER_SERVER} 400; {CHECK}",
        "400 with application/json {}: Bad Request",
    ),
    (
        400,
        {"success": False, "errors": []},
        None,
        "Cloudflare returned 400; check the task's options",
        "400 with JSON without the result",
    ),
    *(
        (
            400,
            {"success": False, "errors": errors},
            None,
            "Cloudflare returned 400; check the task's options",
            "400 with JSON without the result",
        )
        for errors in ({"code": 5}, 7)
    ),
    (404, b"<p>", HTML, f"{OTHER_SERVER} 404; {CHECK}", "404 with text/html {}"),
]


@pytest.mark.promise("Only the API judges the credentials")
@pytest.mark.parametrize(
    ("status", "body", "headers", "sentence", "detail"),
    OTHERS,
    ids=[f"{row[0]} {row[4][:40]}" for row in OTHERS],
)
def test_what_stands_in_front_of_the_api_is_told_apart_from_the_api(
    status, body, headers, sentence, detail
):
    with pytest.raises(CloudflareError) as raised:
        interpreted(status, body, headers)
    detail = detail.format("instead of Cloudflare's JSON")
    assert str(raised.value) == f"{sentence} ({CALL}: {detail})"
    assert raised.value.kind == UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "body", "headers", "sentence", "detail"),
    UNKNOWN_OUTCOMES,
    ids=[f"{row[0]} {row[4][:40]}" for row in UNKNOWN_OUTCOMES],
)
def test_the_outcome_is_unknown_and_the_failure_transient(status, body, headers, sentence, detail):
    with pytest.raises(CloudflareError) as raised:
        interpreted(status, body, headers)
    error = raised.value
    assert str(error) == f"{sentence} ({CALL}: {detail})"
    assert (error.kind, error.status) == (UNAVAILABLE, status)
    assert error.outcome_unknown
    assert error.is_transient


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "is_transient", "outcome_unknown"),
    [
        # Users report that a 403 without a code is transient.
        (403, failure(), None, CREDENTIALS, True, False),
        (403, failure({"message": "No"}), None, CREDENTIALS, True, False),
        (403, b"<p>", HTML, UNAVAILABLE, True, True),
        (401, failure(), None, CREDENTIALS, False, False),
        (401, failure({"message": "No"}), None, CREDENTIALS, False, False),
        (401, b"<p>", HTML, UNAVAILABLE, False, True),
        (400, {"message": "No"}, None, UNAVAILABLE, False, True),
        (400, {"success": False}, None, UNAVAILABLE, False, False),
        (404, b"<p>", HTML, UNAVAILABLE, False, True),
        (404, {"success": False}, None, UNAVAILABLE, False, False),
        (307, b"", {"Location": "//evil.example/\\["}, UNAVAILABLE, False, True),
    ],
)
def test_other_failures_have_the_right_kind(
    status, body, headers, kind, is_transient, outcome_unknown
):
    with pytest.raises(CloudflareError) as raised:
        interpreted(status, body, headers)
    error = raised.value
    assert (error.kind, error.is_transient) == (kind, is_transient)
    assert error.outcome_unknown == outcome_unknown
    assert f"({CALL}: {status}" in str(error)
    assert not error.not_found


@pytest.mark.parametrize(
    ("status", "body", "no_route", "not_found"),
    [
        (405, coded(10405), True, False),
        (405, b"", True, False),
        (404, coded(7000), True, False),
        (400, coded(7003), True, False),
        (404, coded(10404), False, True),
        (404, b"<p>", False, False),
        (400, coded(1), False, False),
    ],
)
def test_a_missing_call_differs_from_a_missing_restriction(status, body, no_route, not_found):
    with pytest.raises(CloudflareError) as raised:
        interpreted(status, body)
    assert (raised.value.no_route, raised.value.not_found) == (no_route, not_found)


@pytest.mark.parametrize("body", [coded(10429), failure(), b"<p>", b""])
@pytest.mark.parametrize(
    ("retry_after", "seconds", "is_transient"),
    [(None, None, True), ("7", 7, True), ("900", 900, True), ("901", 901, False)],
)
def test_the_rate_limit_is_transient_unless_it_asks_for_more_than_15_minutes(
    body, retry_after, seconds, is_transient
):
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    with pytest.raises(CloudflareError) as raised:
        interpreted(429, body, headers)
    error = raised.value
    assert str(error).startswith(f"{LIMITED} ({CALL}: 429")
    assert (error.kind, error.retry_after) == (RATE_LIMITED, seconds)
    assert error.is_transient == is_transient
    assert not error.outcome_unknown


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("9" * 400, None),
        ("Fri, 31 Dec 99999 00:00:00 GMT", None),
        ("0", 0),
        (" 7 ", 7),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(retry_after, seconds):
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    assert seconds_to_wait(headers) == seconds


def test_retry_after_with_a_date_in_the_future_is_waited_for(monkeypatch):
    monkeypatch.setattr(_response, "time", SimpleNamespace(time=lambda: 1_000_000_000.0))
    date = email.utils.formatdate(1_000_003_600, usegmt=True)
    assert seconds_to_wait({"Retry-After": date}) == 3600


def test_a_success_has_a_result_its_info_and_readable_messages():
    messages = [
        {"code": 1, "message": "Soon gone"},
        "Hi",
        {"code": [1], "message": [["y"]], "source": {"pointer": {}}},
        {"error_chain": [{"code": 2, "message": "z", "error_chain": [{"code": 3}]}, 4]},
        [["w"]],
        None,
    ]
    body = {"success": True, "result": {"id": 1}, "result_info": {"page": 1}, "messages": messages}
    success = interpreted(201, {**body, "beta": 1})
    assert (success.result, success.result_info) == ({"id": 1}, {"page": 1})
    assert success.messages == [
        "code 1: Soon gone",
        "Hi",
        "no message",
        "no message, because of code 2: z",
        "no message",
        "no message",
    ]


@pytest.mark.parametrize("more", [{"result_info": []}, {"messages": {}}, {"errors": None}])
def test_a_success_needs_nothing_but_its_result(more):
    assert interpreted(200, {"success": True, "result": {}, **more}).result_info == {}


def test_no_permission_is_named_if_none_is_known():
    with pytest.raises(CloudflareError, match=r"allowed on this account \(POST"):
        interpret(Call("POST", PATH), response(403, coded(10000)), "the API token")


@pytest.mark.promise("A part of the account is never taken for the whole")
@pytest.mark.parametrize(
    ("more", "is_empty"),
    [
        ({"result": None, "result_info": {"total_count": 0}}, True),
        ({"result_info": {"total_count": 0}}, True),
        ({"result": None, "result_info": {"total_count": 1}}, False),
        ({"result": None, "result_info": {"total_count": False}}, False),
        ({"result": None, "result_info": {"total_count": None, "count": 0}}, False),
        ({"result": None, "result_info": None}, False),
        ({}, False),
        ({"result": {}, "result_info": {"total_count": 0}}, False),
    ],
)
def test_null_is_an_empty_list_only_if_the_total_is_zero(more, is_empty):
    made = response(200, {"success": True, **more})
    result = interpret(Call("POST", PATH), made, "the API token").result
    assert (result == []) == is_empty


@pytest.mark.parametrize(("headers", "location"), [({"Location": "/x"}, "/x"), ({}, "")])
def test_a_call_may_be_pending_whatever_the_body_says(headers, location):
    call = Call("GET", PATH, may_be_pending=True)
    for body in (b"", {"success": True, "result": None}):
        pending = interpret(call, response(202, body, headers), "the API token")
        assert (pending.is_pending, pending.location, pending.result) == (True, location, None)


def test_a_202_with_errors_is_not_pending():
    call = Call("GET", PATH, may_be_pending=True)
    with pytest.raises(CloudflareError, match="code 1: No"):
        interpret(call, response(202, coded(1), {"Location": "/x"}), "the API token")
