# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying plans out against the emulator, in one go and in several."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _unfinished
from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import apply, predict
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    RestrictionsApi,
)

NO_QUOTA = 1_000_000


@pytest.fixture
def make_api(emulator):
    def make(account, **options):
        auth = TokenAuth(account.tokens["write"], "option api_token")
        options = {"sleep": lambda seconds: None, "retries": 1, "connections": 5, **options}
        return RestrictionsApi(CloudflareClient(emulator.url, auth, **options), account.id)

    return make


def wanted(domains, **options):
    return [
        DesiredRestriction.from_options({"domain": domain, "state": "present", **options})
        for domain in domains
    ]


def names(first, last):
    return [f"d{number}.example" for number in range(first, last)]


def seeded(emulator, domains, **options):
    seed = [{"domain": domain} for domain in domains]
    return emulator.create_account(restrictions=seed, quota=NO_QUOTA, **options)


def domains_of(account):
    return sorted(record["domain"] for record in account.restrictions())


@pytest.mark.parametrize("concurrency", [1, 5])
def test_creates_and_updates_come_first_and_deletes_last_in_batches(
    emulator, make_api, concurrency
):
    account = seeded(emulator, names(0, 1510))
    api = make_api(account)
    wishes = wanted(names(1500, 1505)) + wanted(names(1505, 1520), comments="x")
    plan = make_plan(wishes, api.list_all(), prune=True)
    outcome = apply(plan, api, concurrency)
    assert outcome.changed
    assert outcome.remaining.size == 0
    assert len(outcome.created) == 10
    assert len(outcome.updated) == 5
    assert len(outcome.deleted) == 1500
    assert domains_of(account) == sorted(names(1500, 1520))
    calls = [entry["call"] for entry in account.requests()]
    assert calls[:2] == ["list", "list"]
    assert sorted(calls[2:17]) == ["create"] * 10 + ["update"] * 5
    assert calls[17:] == ["batch", "batch"]


def test_a_prediction_is_what_happens_but_for_what_only_the_api_knows(emulator, make_api):
    account = seeded(emulator, names(0, 10))
    api = make_api(account)
    plan = make_plan(wanted(names(5, 15), comments="x"), api.list_all(), prune=True)
    predicted, outcome = predict(plan), apply(plan, api)
    for record in (*predicted.created, *predicted.updated, *outcome.created, *outcome.updated):
        for field in ("id", "created_at", "modified_at"):
            record.pop(field)
    assert predicted == outcome


def test_a_refused_batch_names_every_domain_in_it_and_removes_none(emulator, make_api):
    account = seeded(emulator, names(0, 3))
    api = make_api(account)
    account.fault(calls=["batch"], kind="status", status=400, code=1, message="No")
    outcome = apply(make_plan([], api.list_all(), prune=True), api)
    assert not outcome.changed
    assert [failure.domain for failure in outcome.failures] == names(0, 3)
    assert domains_of(account) == names(0, 3)


def test_ten_general_failures_in_a_row_end_the_run(emulator, make_api):
    account = seeded(emulator, names(0, 1))
    api = make_api(account, retries=0)
    plan = make_plan(wanted(names(1, 31)), api.list_all(), prune=True)
    account.fault(calls=["create"], kind="status", status=401, code=1, times=None)
    outcome = apply(plan, api)
    assert len(outcome.failures) == 31
    assert [entry["call"] for entry in account.requests()] == ["list"] + ["create"] * 10
    assert sum(failure.reason.startswith("not tried") for failure in outcome.failures) == 21
    assert domains_of(account) == names(0, 1)


def test_giving_up_leaves_nothing_for_another_go(emulator, make_api):
    account = seeded(emulator, [], latency=0.01)
    api = make_api(account, retries=0)
    account.fault(calls=["create"], kind="status", status=401, code=1, skip=20, times=None)
    outcome = apply(make_plan(wanted(names(0, 60)), []), api, time_limit=0.1)
    assert outcome.remaining.size
    while outcome.remaining.size:
        outcome = apply(outcome.remaining, api, time_limit=60, earlier=outcome)
    assert len(outcome.created) == 20
    assert len(outcome.failures) == 40
    assert len(account.requests()) == 30


def test_thirty_failures_that_lie_in_the_changes_do_not_end_the_run(emulator, make_api):
    account = seeded(emulator, [])
    api = make_api(account)
    for number in range(30):
        account.fault(domain=f"d{number}.example", kind="status", status=400, code=1, message="No")
    outcome = apply(make_plan(wanted(names(0, 40)), []), api, concurrency=5)
    assert len(outcome.failures) == 30
    assert domains_of(account) == sorted(names(30, 40))


def test_a_run_in_many_goes_ends_as_one_in_a_single_go(emulator, make_api):
    account = seeded(emulator, names(0, 30), latency=0.01)
    api = make_api(account)
    wishes = wanted(names(10, 20)) + wanted(names(20, 60), comments="x")
    plan = make_plan(wishes, api.list_all(), prune=True)
    outcome, goes = apply(plan, api, 5, time_limit=0.02), 1
    while outcome.remaining.size:
        earlier = _unfinished.load(_unfinished.dump(outcome))
        outcome = apply(earlier.remaining, api, 5, time_limit=0.02, earlier=earlier)
        goes += 1
    assert goes > 2
    assert (len(outcome.created), len(outcome.updated), len(outcome.deleted)) == (30, 10, 10)
    assert domains_of(account) == sorted(names(10, 60))
    assert len(account.requests()) == 1 + 30 + 10 + 1


def test_a_hold_of_the_rate_limit_ends_a_go_and_nothing_is_done_twice(emulator, make_api):
    account = emulator.create_account(quota=20, window=0.5)
    api = make_api(account)
    api.longest_wait = 0
    outcome = apply(make_plan(wanted(names(0, 40)), []), api, 5)
    assert outcome.held_for > 0
    assert len(outcome.created) == 18
    assert outcome.remaining.size == 22
    api.longest_wait = 60
    while outcome.remaining.size:
        api = make_api(account)
        outcome = apply(outcome.remaining, api, 5, earlier=outcome)
    assert domains_of(account) == sorted(names(0, 40))
    assert len(outcome.created) == 40
