# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults: each kind, and which calls it hits."""

from __future__ import annotations

import pytest
import requests

VALID = {"domain": "a.example", "exclude": []}

REPLACEMENTS = [
    {"kind": "status", "status": 500},
    {"kind": "html", "status": 503},
    {"kind": "empty", "status": 502},
    {"kind": "cut_off_json"},
    {"kind": "redirect", "status": 307, "location": "http://127.0.0.1:9/"},
    {"kind": "json", "status": 200, "body": None},
]
BROKEN = [
    {"kind": "drop"},
    {"kind": "hang", "seconds": 0.05},
    {"kind": "cut_off_body"},
]


def kind_of(fault) -> str:
    return fault["kind"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", REPLACEMENTS, ids=kind_of)
def test_with_a_replaced_response_a_call_takes_effect_only_before_the_fault(
    api, account, fault, moment
):
    account.fault(moment=moment, **fault)
    response = api("POST", json=VALID)
    assert "Ratelimit" in response.headers
    assert len(account.restrictions()) == (1 if moment == "after" else 0)
    assert api("POST", json=VALID).status_code == 201


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fault", BROKEN, ids=kind_of)
def test_with_a_broken_connection_a_call_takes_effect_only_before_the_fault(
    api, account, fault, moment
):
    account.fault(moment=moment, **fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api("POST", json=VALID)
    assert len(account.restrictions()) == (1 if moment == "after" else 0)
    assert api("POST", json=VALID).status_code == 201


def test_a_status_has_an_envelope(api, account):
    account.fault(kind="status", status=403, code=10000, message="no", headers={"Retry-After": "3"})
    response = api("GET")
    assert (response.status_code, response.headers["Retry-After"]) == (403, "3")
    assert response.json() == {
        "success": False,
        "errors": [{"code": 10000, "message": "no"}],
        "messages": [],
        "result": None,
    }


def test_a_status_without_code_and_message_has_no_errors(api, account):
    account.fault(kind="status", status=403)
    assert api("GET").json()["errors"] == []


def test_headers_of_a_fault_replace_those_of_the_rate_limit(api, account):
    account.fault(kind="status", status=500, headers={"ratelimit": '"default";r=1;t=9'})
    assert api("GET").headers["Ratelimit"] == '"default";r=1;t=9'


def test_html_is_a_page(api, account):
    account.fault(kind="html", status=520)
    response = api("GET")
    assert (response.status_code, response.headers["Content-Type"]) == (
        520,
        "text/html; charset=utf-8",
    )
    assert "<html>" in response.text


def test_empty_has_no_body(api, account):
    account.fault(kind="empty", status=200)
    response = api("GET")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_cut_off_json_is_a_complete_response_with_invalid_json(api, account, moment):
    account.fault(kind="cut_off_json", moment=moment)
    response = api("POST", json=VALID)
    assert response.status_code == (201 if moment == "after" else 200)
    assert len(response.content) == int(response.headers["Content-Length"])
    assert response.text.startswith('{"success":true,')
    with pytest.raises(ValueError):
        response.json()


def test_a_cut_off_body_is_shorter_than_its_content_length(api, account):
    account.fault(kind="cut_off_body", moment="after")
    response = api("GET", stream=True)
    promised = int(response.headers["Content-Length"])
    with pytest.raises(
        requests.exceptions.ChunkedEncodingError, match=f"{promised - promised // 2} more"
    ):
        response.json()


def test_a_redirect_has_its_location(api, account):
    account.fault(kind="redirect", status=302, location="https://elsewhere.example/")
    response = api("GET")
    assert (response.status_code, response.headers["Location"]) == (
        302,
        "https://elsewhere.example/",
    )


@pytest.mark.parametrize("body", [None, [], "text", {"success": True, "result": None}])
def test_json_can_be_any_value(api, account, body):
    account.fault(kind="json", status=200, body=body)
    assert api("GET").json() == body


def test_merge_changes_the_real_response(api, account):
    account.seed([{"domain": "a.example"}])
    account.fault(
        kind="merge",
        set={"messages": [{"code": 1, "message": "x"}], "new": 1},
        remove=["result_info"],
    )
    document = api("GET").json()
    assert document["result"][0]["domain"] == "a.example"
    assert document["messages"] == [{"code": 1, "message": "x"}]
    assert document["new"] == 1
    assert "result_info" not in document


def test_a_fault_skips_calls_and_ends_after_its_times(api, account):
    account.fault(kind="status", status=500, skip=1, times=2)
    assert [api("GET").status_code for dummy in range(4)] == [200, 500, 500, 200]


def test_a_fault_without_times_lasts_until_it_is_cleared(api, account):
    account.fault(kind="status", status=500, times=None)
    assert {api("GET").status_code for dummy in range(5)} == {500}
    account.clear_faults()
    assert api("GET").status_code == 200


def test_faults_hit_in_the_order_in_which_they_were_created(api, account):
    for status in (500, 502):
        account.fault(kind="status", status=status)
    assert [api("GET").status_code for dummy in range(3)] == [500, 502, 200]


def test_a_fault_only_hits_its_calls(api, account):
    account.fault(kind="status", status=500, times=None, calls=["create"])
    assert api("GET").status_code == 200
    assert api("POST", json=VALID).status_code == 500


def test_a_fault_for_a_domain_hits_calls_with_its_name_or_id(api, account):
    hit, other = account.seed([{"domain": "A.example."}, {"domain": "b.example"}])
    account.fault(kind="status", status=500, times=None, domain="a.example")

    def batch(*restrictions) -> int:
        body = {"deletes": [{"id": r["id"]} for r in restrictions]}
        return api("POST", "/batch", json=body).status_code

    assert api("POST", json=VALID).status_code == 500
    assert api("POST", json={**VALID, "domain": "c.example"}).status_code == 201
    assert api("GET", "/" + hit["id"]).status_code == 500
    assert api("GET", "/" + other["id"]).status_code == 200
    assert api("DELETE", "/" + hit["id"]).status_code == 500
    assert batch(hit, other) == 500
    assert batch(other) == 200
    assert api("GET").status_code == 200


def test_a_fault_only_hits_its_account(emulator, api, api_for, account):
    other = emulator.create_account()
    other.fault(kind="status", status=500, times=None)
    assert api("GET").status_code == 200
    account.clear_faults()
    assert api_for(other)("GET").status_code == 500


def test_clearing_all_faults_clears_those_of_every_account(emulator, api, account):
    account.fault(kind="status", status=500)
    emulator.fault(kind="status", status=500)
    emulator.clear_faults()
    assert api("GET").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "explode"},
        {"kind": "status"},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": "500"},
        {"kind": "drop", "status": 500},
        {"kind": "drop", "monent": "after"},
        {"kind": "drop", "moment": "during"},
        {"kind": "drop", "calls": ["lists"]},
        {"kind": "drop", "calls": []},
        {"kind": "drop", "calls": "list"},
        {"kind": "drop", "times": 0},
        {"kind": "drop", "skip": -1},
        {"kind": "hang"},
        {"kind": "hang", "seconds": -1},
        {"kind": "redirect", "status": 200, "location": "/"},
        {"kind": "redirect", "status": 302},
        {"kind": "json", "status": 200},
        {"kind": "merge", "moment": "before"},
        {"kind": "html", "status": 99},
    ],
)
def test_an_invalid_fault_is_refused(account, fault):
    with pytest.raises(requests.HTTPError) as raised:
        account.fault(**fault)
    assert raised.value.response.status_code == 422
    assert raised.value.response.json()["error"]
