# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of requests."""

from __future__ import annotations

import time

import pytest
import requests


def test_an_entry_describes_a_request(api, account):
    before = time.time()
    body = {"domain": "a.example", "exclude": []}
    api("POST", json=body)
    (entry,) = account.requests()
    assert before <= entry.pop("at") <= time.time()
    assert entry.pop("headers")["authorization"] == f"Bearer {account.tokens['write']}"
    assert entry == {
        "account_id": account.id,
        "call": "create",
        "method": "POST",
        "path": "/client/v4" + api.resource,
        "query": {},
        "body": body,
        "status": 201,
        "fault": None,
    }


def test_entries_are_in_order_and_have_their_call(api, account):
    unknown = "/a3d1b9e0-0000-4000-8000-000000000000"
    api("GET", "?search=a%26b&page=2")
    api("GET", unknown)
    api("PATCH", unknown, json={"comments": "x"})
    api("DELETE", unknown)
    api("POST", "/batch", json={"deletes": []})
    api.raw("GET", "/accounts")
    api("PUT")
    entries = account.requests()
    assert [(entry["call"], entry["status"]) for entry in entries] == [
        ("list", 200),
        ("get", 404),
        ("update", 404),
        ("delete", 404),
        ("batch", 400),
        (None, 404),
        (None, 405),
    ]
    assert entries[0]["query"] == {"search": "a&b", "page": "2"}


def test_the_path_is_not_decoded(api, account):
    api("GET", "/a%20b%2Fc")
    assert account.requests()[0]["path"].endswith("/sending_domain_restrictions/a%20b%2Fc")


def test_a_dropped_request_has_no_status_but_its_fault(api, account):
    fault = account.fault(kind="drop")
    with pytest.raises(requests.ConnectionError):
        api("GET")
    (entry,) = account.requests()
    assert (entry["status"], entry["fault"]) == (None, fault)


@pytest.mark.parametrize("token", ["expired", "disabled"])
def test_refused_requests_are_logged(api_for, account, token):
    api_for(account, account.tokens[token])("GET")
    assert [entry["status"] for entry in account.requests()] == [403]


def test_a_body_that_is_not_json_is_logged_as_null(api, account):
    api("POST", data=b"{", headers={**api.headers, "Content-Type": "application/json"})
    assert account.requests()[0]["body"] is None


def test_clearing_only_removes_one_account(emulator, api, api_for, account):
    other = emulator.create_account()
    api("GET")
    api_for(other)("GET")
    account.clear_requests()
    assert (len(account.requests()), len(other.requests())) == (0, 1)
    assert other.id in {entry["account_id"] for entry in emulator.requests()}
