# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batch deletes: all or none, up to 1,000."""

from __future__ import annotations

UNKNOWN = "a3d1b9e0-0000-4000-8000-000000000000"


def deletes(restrictions) -> dict:
    return {"deletes": [{"id": restriction["id"]} for restriction in restrictions]}


def test_a_thousand_are_deleted_at_once(api, account):
    restrictions = account.seed([{"domain": f"d{n}.example"} for n in range(1001)])
    response = api("POST", "/batch", json=deletes(restrictions[:1000]))
    assert response.status_code == 200
    assert response.json()["result"] == deletes(restrictions[:1000])
    assert account.restrictions() == restrictions[1000:]


def test_one_unknown_id_prevents_all_deletes(api, account):
    restrictions = account.seed([{"domain": f"d{n}.example"} for n in range(3)])
    response = api("POST", "/batch", json=deletes([*restrictions, {"id": UNKNOWN}]))
    assert response.status_code == 404
    assert response.json()["errors"][0]["source"]["pointer"] == "/deletes/3/id"
    assert account.restrictions() == restrictions


def test_a_restriction_of_another_account_is_unknown(api, account, emulator):
    own = account.seed([{"domain": "a.example"}])
    other = emulator.create_account(restrictions=[{"domain": "a.example"}])
    assert api("POST", "/batch", json=deletes(own + other.restrictions())).status_code == 404
    assert len(account.restrictions() + other.restrictions()) == 2
