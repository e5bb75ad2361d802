# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six calls against the emulator, and what becomes of outcomes that stay unknown."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
    CloudflareError,
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    RestrictionsApi,
)

PARTNER = {"domain": "partner.example", "exclude": ["a.partner.example"], "comments": "TLS agreed"}


@pytest.fixture
def api(emulator, account):
    auth = TokenAuth(account.tokens["write"], "option api_token")
    client = CloudflareClient(emulator.url, auth, timeout=1, sleep=lambda seconds: None)
    return RestrictionsApi(client, account.id)


def calls(account):
    return [entry["call"] for entry in account.requests()]


def managed(records):
    return [{name: record[name] for name in PARTNER} for record in records]


def test_a_restriction_goes_through_its_whole_life(api, account):
    created = api.create(PARTNER)
    assert api.list_all() == [created] == [api.get(created.id)]
    updated = api.update(created.id, {"exclude": []})
    assert managed([updated.record]) == [{**PARTNER, "exclude": []}]
    api.delete([created.id])
    assert account.restrictions() == []


UNKNOWN_OUTCOMES = [
    {"kind": "drop"},
    {"kind": "hang", "seconds": 1.5},
    {"kind": "html", "status": 502},
    {"kind": "cut_off_json"},
    {"kind": "empty", "status": 200},
    {"kind": "json", "status": 201, "body": {"success": True, "result": {"id": "x"}}},
]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES, ids=lambda fault: fault["kind"])
def test_a_create_with_an_unknown_outcome_is_made_exactly_once(api, account, fault, times, moment):
    api.list_all()
    account.fault(calls=["create"], moment=moment, times=times, **fault)
    created = api.create(PARTNER)
    assert account.restrictions()[0]["id"] == created.id
    assert managed(account.restrictions()) == [PARTNER]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_create_whose_outcome_stays_unknown_was_made_or_says_that_it_was_not(
    api, account, moment
):
    api.list_all()
    account.fault(calls=["create"], moment=moment, times=None, kind="drop")
    if moment == "after":
        assert api.create(PARTNER).id == account.restrictions()[0]["id"]
        assert calls(account) == ["list", "create", "list"]
    else:
        with pytest.raises(CloudflareError, match="the connection to .* broke off"):
            api.create(PARTNER)
        assert account.restrictions() == []


def test_a_create_that_is_refused_is_not_repeated(api, account):
    account.fault(calls=["create"], kind="status", status=400, code=1, message="No")
    with pytest.raises(CloudflareError, match=r"No \(code 1\)"):
        api.create(PARTNER)
    assert calls(account) == ["create"]


def test_somebody_elses_restriction_is_not_taken_for_the_new_one(api, account):
    api.list_all()
    account.fault(calls=["create"], kind="drop")
    (theirs,) = account.seed([{**PARTNER, "exclude": []}])
    with pytest.raises(CloudflareError, match=f"someone else made .* .id {theirs['id']}"):
        api.create(PARTNER)
    assert managed(account.restrictions()) == [{**PARTNER, "exclude": []}]


def test_a_create_that_took_effect_too_late_leaves_no_second_restriction(api, account):
    api.list_all()
    account.fault(calls=["create"], kind="drop")
    account.fault(calls=["create"], kind="drop", moment="after")
    stale = {"set": {"result": [], "result_info": {"total_count": 0}}}
    account.fault(calls=["list"], kind="merge", times=2, **stale)
    created = api.create(PARTNER)
    assert [record["id"] for record in account.restrictions()] == [created.id]


@pytest.mark.parametrize(("moment", "skip"), [("after", 0), ("before", 1)])
def test_a_create_whose_outcome_cannot_be_looked_up_is_called_uncertain(api, account, moment, skip):
    account.fault(calls=["create"], kind="drop", moment=moment)
    account.fault(calls=["list"], skip=skip, times=None, kind="status", status=403, code=10000)
    with pytest.raises(
        CloudflareError, match="partner.example was created exactly once is not certain"
    ) as error:
        api.create(PARTNER)
    assert error.value.outcome_unknown


def test_an_absurd_rate_limit_after_an_unknown_outcome_is_not_waited_for(
    emulator, account, fake_time
):
    auth = TokenAuth(account.tokens["write"], "option api_token")
    times = {"sleep": fake_time.sleep, "clock": fake_time.clock}
    api = RestrictionsApi(CloudflareClient(emulator.url, auth, **times), account.id)
    account.fault(calls=["create"], kind="drop")
    headers = {"Retry-After": "999999999"}
    account.fault(calls=["create"], kind="status", status=429, headers=headers)
    with pytest.raises(CloudflareError, match="rate limit"):
        api.create(PARTNER)
    assert calls(account) == ["create", "list", "create", "list"]
    assert fake_time.now < 10


def test_an_update_with_an_unreadable_answer_is_repeated(api, account):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["update"], kind="merge", set={"result": {"id": "zz"}})
    assert api.update(restriction["id"], {"comments": "x"}).comments == "x"
    assert calls(account) == ["update", "update"]


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_delete_with_an_unknown_outcome_is_made(api, account, number, moment):
    seeded = account.seed([{"domain": f"d{index}.example"} for index in range(3)])
    account.fault(calls=["delete", "batch"], kind="drop", moment=moment)
    api.delete([record["id"] for record in seeded[:number]])
    assert account.restrictions() == seeded[number:]


def test_removing_what_is_partly_gone_removes_the_rest(api, account):
    seeded = account.seed([{"domain": f"d{index}.example"} for index in range(3)])
    api.delete([seeded[0]["id"]])
    api.delete([record["id"] for record in seeded])
    assert account.restrictions() == []
    api.delete([record["id"] for record in seeded])


def test_a_delete_that_finds_no_route_is_not_taken_for_done(api, account):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["delete"], kind="status", status=404, code=7000, message="No route")
    with pytest.raises(CloudflareError, match="No route"):
        api.delete([restriction["id"]])
    assert account.restrictions() == [restriction]


def test_removing_nothing_sends_nothing(api, account):
    api.delete([])
    assert calls(account) == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_update_with_an_unknown_outcome_is_repeated(api, account, moment):
    (restriction,) = account.seed([PARTNER])
    account.fault(calls=["update"], kind="drop", moment=moment)
    api.update(restriction["id"], {"comments": ""})
    assert managed(account.restrictions()) == [{**PARTNER, "comments": ""}]


def test_a_list_that_holds_something_else_ends_in_an_error(api, account):
    account.fault(kind="merge", set={"result": [{"id": "x"}], "result_info": {"total_count": 1}})
    with pytest.raises(CloudflareError, match="the restriction x has no domain"):
        api.list_all()
