# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API and its input validation."""

from __future__ import annotations

import pytest
import requests

UNKNOWN = "0" * 32
ID = "a3d1b9e0-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/accounts", {"nmae": "x"}, 422),
        ("POST", "/accounts", {"email_security": "yes"}, 422),
        ("POST", "/accounts", {"quota": 0}, 422),
        ("POST", "/accounts", {"window": 0}, 422),
        ("POST", "/accounts", {"latency": -1}, 422),
        ("POST", "/accounts", {"restrictions": [{}]}, 422),
        ("POST", "/accounts", {"restrictions": [{"domain": "a", "id": "x"}]}, 422),
        ("POST", "/accounts", {"restrictions": [{"domain": "a", "id": ID}] * 2}, 422),
        ("POST", "/accounts", {"restrictions": [{"domain": "a", "created_at": "now"}]}, 422),
        ("POST", "/accounts", {"restrictions": [{"domain": "a", "created_at": "nowZ"}]}, 422),
        ("POST", "/accounts", [], 422),
        ("PATCH", f"/accounts/{UNKNOWN}", {}, 404),
        ("GET", f"/accounts/{UNKNOWN}/restrictions", None, 404),
        ("PUT", f"/accounts/{UNKNOWN}/restrictions", {"restrictions": []}, 404),
        ("POST", "/tokens", {}, 422),
        ("POST", "/tokens", {"permissions": {UNKNOWN: "read"}}, 404),
        ("POST", "/tokens", {"permissions": {}, "status": "lost"}, 422),
        ("POST", "/faults", {"kind": "drop", "account_id": UNKNOWN}, 404),
        ("GET", f"/requests?account_id={UNKNOWN}", None, 404),
        ("GET", "/requests?account=x", None, 400),
        ("DELETE", "/faults?account=x", None, 400),
        ("GET", "/nothing", None, 404),
        ("GET", "/accounts", None, 405),
    ],
)
def test_invalid_input_is_an_error_in_json(emulator, method, path, body, status):
    with pytest.raises(requests.HTTPError) as raised:
        emulator.control(method, path, body)
    assert raised.value.response.status_code == status
    assert raised.value.response.json()["error"]


def test_a_permission_is_read_or_write(emulator, account):
    with pytest.raises(requests.HTTPError) as raised:
        emulator.create_token({account.id: "admin"})
    assert "permissions" in str(raised.value)


def test_a_body_that_is_not_json_is_an_error(emulator):
    response = requests.post(emulator.control_url + "/accounts", data="{")
    assert response.status_code == 400
    assert "not valid JSON" in response.json()["error"]


def test_credentials_are_distinct_and_have_the_real_format(emulator):
    accounts = [emulator.create_account() for dummy in range(2)]
    tokens = [token for account in accounts for token in account.tokens.values()]
    assert len(set(tokens)) == 14
    for name, token in accounts[0].tokens.items():
        assert len(token) == (53 if name.endswith("_prefixed") else 40)
    assert {len(account.api_key) for account in accounts} == {37}
    assert {len(account.api_key_prefixed) for account in accounts} == {52}
    assert accounts[0].email != accounts[1].email
    assert all(len(account.id) == 32 and int(account.id, 16) for account in accounts)


def test_seeding_replaces_all_restrictions_and_returns_the_new_ones(account):
    account.seed([{"domain": "a.example"}])
    seeded = account.seed([{"domain": "b.example", "id": ID}])
    assert account.restrictions() == seeded
    assert [(r["domain"], r["id"]) for r in seeded] == [("b.example", ID)]


def test_an_unknown_path_outside_both_apis_is_not_found(emulator):
    origin = emulator.url.partition("/client")[0]
    assert requests.get(origin + "/client/v5/accounts").status_code == 404
