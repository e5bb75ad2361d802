# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages, order and search of lists."""

from __future__ import annotations

import pytest

SEEDS = [
    {"domain": "b.example", "created_at": "2024-01-01T00:00:00.12Z", "comments": "Partner"},
    {"domain": "C.example", "created_at": "2024-01-01T00:00:00.123Z"},
    {"domain": "a.example", "created_at": "2024-01-01T00:00:00Z", "comments": "bank"},
]


def domains(response) -> list[str]:
    assert response.status_code == 200, response.text
    return [restriction["domain"] for restriction in response.json()["result"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a.example", "b.example", "C.example"]),
        ("?direction=desc", ["C.example", "b.example", "a.example"]),
        ("?order=domain", ["a.example", "b.example", "C.example"]),
        ("?order=domain&direction=desc", ["C.example", "b.example", "a.example"]),
        ("?order=created_at", ["a.example", "b.example", "C.example"]),
        ("?search=", ["a.example", "b.example", "C.example"]),
        ("?search=PART", ["b.example"]),
        ("?search=c.EX", ["C.example"]),
        ("?search=.example&order=domain&per_page=2&page=2", ["C.example"]),
        ("?search=nothing", []),
    ],
)
def test_the_list_is_ordered_and_filtered(api, account, query, expected):
    account.seed(SEEDS)
    assert domains(api("GET", query)) == expected


@pytest.mark.parametrize(
    ("query", "info"),
    [
        ("", (20, 1, 20, 45)),
        ("?page=3", (5, 3, 20, 45)),
        ("?page=4", (0, 4, 20, 45)),
        ("?page=999999999", (0, 999999999, 20, 45)),
        ("?per_page=1000", (45, 1, 1000, 45)),
        ("?per_page=45&page=2", (0, 2, 45, 45)),
        ("?search=d1", (11, 1, 20, 45)),
    ],
)
def test_result_info_counts_the_page_and_all_restrictions(api, account, query, info):
    account.seed([{"domain": f"d{n}.example"} for n in range(45)])
    document = api("GET", query).json()
    keys = ("count", "page", "per_page", "total_count")
    assert document["result_info"] == dict(zip(keys, info))
    assert len(document["result"]) == info[0]


def test_an_empty_account_has_an_empty_first_page(api):
    document = api("GET").json()
    assert document["result"] == []
    assert document["result_info"]["total_count"] == 0


def test_the_list_shows_every_write(api, account):
    account.seed([{"domain": "a.example"}])
    created = api("POST", json={"domain": "c.example", "exclude": []}).json()["result"]
    assert domains(api("GET", "?order=domain")) == ["a.example", "c.example"]
    api("PATCH", "/" + created["id"], json={"domain": "0.example"})
    assert domains(api("GET", "?order=domain")) == ["0.example", "a.example"]
    api("DELETE", "/" + created["id"])
    assert domains(api("GET", "?order=domain")) == ["a.example"]


def test_seeds_are_listed_unchanged(api, account):
    seed = {
        "id": "a3d1b9e0-0000-4000-8000-000000000000",
        "domain": "A.Example.",
        "exclude": ["B.a.example.", "B.a.example."],
        "comments": None,
        "created_at": "2014-01-01T05:20:00.12345Z",
        "modified_at": "2015-01-01T05:20:00Z",
    }
    account.seed([seed])
    (restriction,) = api("GET").json()["result"]
    assert seed.items() <= restriction.items()


def test_last_modified_is_off_by_default(api, account):
    account.seed([{"domain": "a.example"}])
    (restriction,) = api("GET").json()["result"]
    assert "last_modified" not in restriction
    account.change(last_modified=True)
    (restriction,) = api("GET").json()["result"]
    assert restriction["last_modified"] == restriction["modified_at"]


def test_accounts_do_not_see_each_other(emulator, api, account):
    other = emulator.create_account(restrictions=[{"domain": "a.example"}])
    assert api("GET").json()["result"] == []
    assert api("GET", "/" + other.restrictions()[0]["id"]).status_code == 404
