# Copyright: Contributors to the cloudflare_email.security collection
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
