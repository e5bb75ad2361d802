# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication and permissions."""

from __future__ import annotations

import pytest

TOKEN = "a" * 40
KEY = "0" * 37
VALID = {"domain": "a.example", "exclude": []}
ID = "a3d1b9e0-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("headers", "status", "code", "chain"),
    [
        ({}, 400, 9106, None),
        ({"X-Auth-Email": "a@b.example"}, 400, 9106, None),
        ({"X-Auth-Key": KEY}, 400, 9106, None),
        ({"Authorization": TOKEN}, 400, 6003, 6111),
        ({"Authorization": "Bearer"}, 400, 6003, 6111),
        ({"Authorization": "Bearer short"}, 400, 6003, 6111),
        ({"Authorization": f"Bearer  {TOKEN}"}, 400, 6003, 6111),
        ({"Authorization": f"Token {TOKEN}"}, 400, 6003, 6111),
        ({"Authorization": f"Basic {TOKEN}"}, 400, 6003, 6111),
        ({"Authorization": f"Bearer {TOKEN}"}, 403, 9109, None),
        ({"X-Auth-Email": "nobody", "X-Auth-Key": KEY}, 400, 6003, 6102),
        ({"X-Auth-Email": "a@b.example", "X-Auth-Key": "short"}, 400, 6003, 6103),
        ({"X-Auth-Email": "a@b.example", "X-Auth-Key": KEY}, 403, 9103, None),
        ({"Authorization": f"Bearer {TOKEN}", "X-Auth-Key": KEY}, 400, 6003, 6111),
    ],
)
def test_unknown_and_malformed_credentials_are_refused(api, headers, status, code, chain):
    response = api("GET", headers=headers)
    (error,) = response.json()["errors"]
    assert (response.status_code, error["code"]) == (status, code)
    assert [link["code"] for link in error.get("error_chain", [])] == ([chain] if chain else [])
    assert "Ratelimit" not in response.headers


def test_both_schemes_together_are_refused_even_if_both_are_valid(api, account):
    headers = {**api.headers, "X-Auth-Email": account.email, "X-Auth-Key": account.api_key}
    assert api("GET", headers=headers).status_code == 400


def test_a_key_is_refused_with_another_email_address(emulator, api, account):
    other = emulator.create_account()
    headers = {"X-Auth-Email": other.email, "X-Auth-Key": account.api_key}
    response = api("GET", headers=headers)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, 9103)


@pytest.mark.parametrize("generation", ["api_key", "api_key_prefixed"])
def test_the_global_key_reads_and_writes(api, account, generation):
    headers = {"X-Auth-Email": account.email, "X-Auth-Key": getattr(account, generation)}
    assert api("POST", json=VALID, headers=headers).status_code == 201
    assert api("GET", headers=headers).json()["result_info"]["total_count"] == 1


@pytest.mark.parametrize("name", ["write_prefixed", "account_owned_prefixed"])
def test_tokens_of_the_newer_generation_read_and_write(api_for, account, name):
    assert api_for(account, account.tokens[name])("POST", json=VALID).status_code == 201


def test_the_account_owned_token_reads_and_writes(api_for, account):
    api = api_for(account, account.tokens["account_owned"])
    assert api("POST", json=VALID).status_code == 201
    assert api("GET").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", VALID),
        ("PATCH", "/" + ID, {"comments": "x"}),
        ("DELETE", "/" + ID, None),
        ("POST", "/batch", {"deletes": [{"id": ID}]}),
    ],
)
def test_a_read_token_cannot_write(api_for, account, method, path, body):
    before = account.seed([{"domain": "a.example", "id": ID}])
    api = api_for(account, account.tokens["read"])
    assert (api("GET").status_code, api("GET", "/" + ID).status_code) == (200, 200)
    response = api(method, path, json=body)
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, 10000)
    assert account.restrictions() == before


def test_a_token_of_another_account_is_refused(emulator, api_for, account):
    api = api_for(account, emulator.create_account().tokens["write"])
    response = api("GET")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, 10000)


def test_a_token_can_write_one_account_and_read_another(emulator, api_for, account):
    other = emulator.create_account()
    token = emulator.create_token({account.id: "write", other.id: "read"})
    assert api_for(account, token)("POST", json=VALID).status_code == 201
    assert api_for(other, token)("GET").status_code == 200
    assert api_for(other, token)("POST", json=VALID).status_code == 403


@pytest.mark.parametrize("status", ["disabled", "expired"])
def test_an_inactive_token_is_refused(emulator, api_for, account, status):
    api = api_for(account, emulator.create_token({account.id: "write"}, status=status))
    response = api("GET")
    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, 10000)


def test_an_account_without_email_security_says_so(api, account):
    account.change(email_security=False)
    response = api("GET")
    assert response.status_code == 403
    message = response.json()["errors"][0]["message"]
    assert "not available in the current subscription" in message
    account.change(email_security=True)
    assert api("GET").status_code == 200
