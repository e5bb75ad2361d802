# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of an account: behavior that Cloudflare does not publish."""

from __future__ import annotations

import pytest
from emulator.restrictions import Restriction, Restrictions


@pytest.mark.parametrize(
    ("batch", "status", "code"),
    [("method_not_allowed", 405, 10405), ("no_route", 404, 7003), ("not_found", 404, 10404)],
)
def test_the_batch_call_can_be_missing(api, account, batch, status, code):
    (restriction,) = account.seed([{"domain": "a.example"}])
    account.change(batch=batch)
    response = api("POST", "/batch", json={"deletes": [{"id": restriction["id"]}]})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (status, code)
    assert account.restrictions() == [restriction]


def test_domains_can_be_unique(api, account):
    first, second = account.seed([{"domain": "A.example."}, {"domain": "b.example"}])
    account.change(unique_domains=True)
    body = {"domain": "a.example", "exclude": []}
    assert api("POST", json=body).status_code == 409
    assert api("PATCH", f"/{second['id']}", json={"domain": "a.example"}).status_code == 409
    assert api("PATCH", f"/{first['id']}", json={"domain": "a.example"}).status_code == 200
    assert len(account.restrictions()) == 2


def test_names_can_be_normalized_on_write(api, account):
    account.change(normalize_names=True)
    body = {"domain": "A.Example", "exclude": ["B.a.example"]}
    created = api("POST", json=body).json()["result"]
    assert (created["domain"], created["exclude"]) == ("a.example", ["b.a.example"])
    updated = api("PATCH", f"/{created['id']}", json={"domain": "C.a.example", "exclude": []})
    assert updated.json()["result"]["domain"] == "c.a.example"


@pytest.mark.parametrize(
    ("stored_comments", "stored"),
    [
        ("as_sent", " <e\u0301> "),
        ("trimmed", "<e\u0301>"),
        ("html_escaped", " &lt;e\u0301&gt; "),
        ("composed", " <\u00e9> "),
    ],
)
def test_comments_can_be_stored_in_another_form(api, account, stored_comments, stored):
    account.change(stored_comments=stored_comments)
    body = {"domain": "a.example", "exclude": [], "comments": " <e\u0301> "}
    created = api("POST", json=body).json()["result"]
    assert created["comments"] == stored
    path = f"/{created['id']}"
    updated = api("PATCH", path, json={"comments": body["comments"]}).json()["result"]
    assert updated["comments"] == api("GET", path).json()["result"]["comments"] == stored
    assert api("PATCH", path, json={"comments": None}).json()["result"]["comments"] is None


def test_names_below_another_excluded_name_can_be_dropped_on_write(api, account):
    account.change(simplify_exclude=True)
    body = {"domain": "a.example", "exclude": ["c.b.a.example", "b.a.example", "d.a.example"]}
    created = api("POST", json=body).json()["result"]
    assert created["exclude"] == ["b.a.example", "d.a.example"]


@pytest.mark.parametrize("empty_list", ["null", "missing"])
def test_an_empty_page_can_have_no_result(api, account, empty_list):
    account.change(empty_list=empty_list)
    document = api("GET").json()
    assert document.get("result", "missing") == {"null": None, "missing": "missing"}[empty_list]
    assert document["result_info"]["total_count"] == 0
    account.seed([{"domain": "a.example"}])
    assert len(api("GET").json()["result"]) == 1
    assert not api("GET", "?page=2").json().get("result")


@pytest.mark.parametrize(
    ("switches", "query", "domains", "info"),
    [
        ({"max_per_page": 2}, "?per_page=3", "ab", (2, 1, 2, 3)),
        ({"max_per_page": 2}, "?per_page=3&page=2", "c", (1, 2, 2, 3)),
        ({"max_per_page": 2, "total_of_page": True}, "?per_page=3", "ab", (2, 1, 2, 2)),
        ({"ignore_page": True}, "?per_page=2&page=2", "ab", (2, 1, 2, 3)),
        ({"total_error": -1}, "", "abc", (3, 1, 20, 2)),
        ({"total_error": 4}, "?page=2", "", (0, 2, 20, 7)),
    ],
)
def test_pages_and_totals_can_be_wrong(api, account, switches, query, domains, info):
    account.seed([{"domain": f"{name}.example"} for name in "abc"])
    account.change(**switches)
    document = api("GET", query).json()
    assert [record["domain"][0] for record in document["result"]] == list(domains)
    assert tuple(document["result_info"].values()) == info


def test_a_restriction_can_have_half_a_surrogate_pair(api, account):
    account.seed([{"domain": "a.example", "comments": "x\ud800y\U0001f48c"}])
    response = api("GET")
    assert b"x\\ud800y" in response.content
    assert "\U0001f48c".encode() in response.content
    assert response.json()["result"][0]["comments"] == "x\ud800y\U0001f48c"


def test_fields_can_be_absent_from_responses(api, account):
    account.change(sparse=True, last_modified=True)
    created = api("POST", json={"domain": "a.example", "exclude": []}).json()["result"]
    assert created == {"id": created["id"], "domain": "a.example"}
    full = {"exclude": ["b.a.example"], "comments": "x"}
    api("PATCH", f"/{created['id']}", json=full)
    assert api("GET").json()["result"] == [{**created, **full}]


def test_a_lagging_list_shows_writes_later_than_other_calls(fake_time):
    restrictions = Restrictions(lag=10, clock=fake_time.clock)

    def listed():
        found = restrictions.find("", "created_at", "asc")
        return [(restriction.domain, restriction.comments) for restriction in found]

    first, second = Restriction("a.example"), Restriction("b.example")
    restrictions.add(first)
    fake_time.sleep(4)
    restrictions.change(first, {"comments": "x"})
    restrictions.add(second)
    assert listed() == []
    assert restrictions.get(first.id) is first
    fake_time.sleep(6)
    assert listed() == [("a.example", None)]
    fake_time.sleep(4)
    assert listed() == [("a.example", "x"), ("b.example", None)]
    restrictions.remove(first.id)
    assert len(listed()) == 2
    assert restrictions.get(first.id) is None
    fake_time.sleep(10)
    assert listed() == [("b.example", None)]


def test_an_account_can_have_a_lagging_list(api, account):
    account.change(list_lag=3600)
    created = api("POST", json={"domain": "a.example", "exclude": []}).json()["result"]
    assert api("GET").json()["result"] == []
    assert api("GET", f"/{created['id']}").json()["result"] == created
