# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only the whole list needs: many goes, and surplus restrictions."""

from __future__ import annotations

import pytest
from in_process import run_in_slices, run_module

MODULE = "sending_domain_restrictions"


@pytest.fixture
def options(emulator, account, in_no_time):
    return {
        "account_id": account.id,
        "api_token": account.tokens["write"],
        "api_url": emulator.url,
        "retries": 2,
        "concurrency": 1,
    }


@pytest.mark.parametrize("call", ["list", "create"])
def test_a_rate_limit_that_never_lets_go_ends_a_run_of_many_goes(account, options, call):
    headers = {"Retry-After": "60"}
    account.fault(calls=[call], times=None, kind="status", status=429, headers=headers)
    result = run_in_slices(MODULE, {**options, "restrictions": [{"domain": "a.example"}]}, 4)
    assert result["failed"]
    assert "rate limit" in result["msg"]
    assert [entry["call"] for entry in account.requests()].count(call) == 3
    assert not result["changed"]


@pytest.mark.parametrize(
    ("fault", "fails"),
    [
        # So little quota that a window is over before the list is.
        (
            {
                "kind": "merge",
                "headers": {
                    "Ratelimit": '"default";r=0;t=30',
                    "Ratelimit-Policy": '"default";q=1;w=30',
                },
            },
            False,
        ),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "60"}, "skip": 1}, True),
    ],
)
def test_a_reading_of_several_pages_ends_however_the_rate_limit_holds_it(
    account, options, fault, fails
):
    account.seed([{"domain": f"d{number}.example"} for number in range(1001)])
    account.fault(calls=["list"], times=None, **fault)
    result = run_in_slices(MODULE, {**options, "restrictions": [{"domain": "d0.example"}]}, 4)
    assert bool(result.get("failed")) == fails
    assert not result.get("changed")


@pytest.mark.parametrize("call", ["list", "create", "update", "delete"])
@pytest.mark.parametrize("kind", [{"kind": "status"}, {"kind": "html"}])
@pytest.mark.parametrize("status", [403, 503])
def test_a_failure_ends_a_run_of_many_goes_also_when_the_quota_is_used_up(
    account, options, call, kind, status
):
    account.seed([{"domain": "a.example"}, {"domain": "b.example"}])
    headers = {"Ratelimit": '"default";r=100;t=60', "Ratelimit-Policy": '"default";q=1200;w=300'}
    account.fault(calls=[call], times=None, status=status, headers=headers, **kind)
    wishes = [
        {"domain": "a.example", "comments": "x"},
        {"domain": "b.example", "state": "absent"},
        {"domain": "c.example"},
    ]
    result = run_in_slices(MODULE, {**options, "restrictions": wishes}, 4)
    assert result["failed"]
    assert f": {status}" in result["msg"]
    assert result["changed"] == (call != "list")


@pytest.mark.parametrize("seconds", [0.0001, 60])
def test_a_run_gives_up_after_ten_failures_whether_in_one_go_or_in_many(account, options, seconds):
    account.fault(calls=["create"], times=None, kind="drop")
    wishes = [{"domain": f"d{number}.example"} for number in range(30)]
    result = run_in_slices(MODULE, {**options, "retries": 0, "restrictions": wishes}, seconds)
    assert [entry["call"] for entry in account.requests()].count("create") == 10
    assert sum(failure["kind"] == "not_attempted" for failure in result["failures"]) == 20


@pytest.mark.parametrize("placeholder", ["0", "1", "a", "e", "de", "none"])
@pytest.mark.parametrize("place", ["environment", "option"])
def test_a_placeholder_for_a_secret_garbles_nothing_between_goes(
    account, options, monkeypatch, placeholder, place
):
    if place == "environment":
        monkeypatch.setenv("CLOUDFLARE_API_KEY", placeholder)
    else:
        options["api_key"] = placeholder
    wishes = [{"domain": f"d{number}.example"} for number in range(12)]
    result = run_in_slices(MODULE, {**options, "restrictions": wishes}, 0.001)
    assert not result.get("failed")
    assert len(account.restrictions()) == 12
    if place == "environment":
        assert result["changed"] is True
        assert [record["domain"] for record in result["created"]] == sorted(
            wish["domain"] for wish in wishes
        )


def test_waits_for_the_rate_limit_leave_the_repeats_after_other_faults(account, options):
    account.seed([{"domain": "a.example"}])
    headers = {"Retry-After": "60"}
    account.fault(calls=["update"], times=2, kind="status", status=429, headers=headers)
    account.fault(calls=["update"], times=2, kind="drop")
    options["restrictions"] = [{"domain": "a.example", "comments": "x"}]
    assert not run_in_slices(MODULE, options, 4).get("failed")


def test_waiting_in_many_goes_is_not_failing(account, options):
    headers = {"Retry-After": "60"}
    for skip in (1, 3, 5):
        account.fault(
            calls=["create"], skip=skip, times=2, kind="status", status=429, headers=headers
        )
    wishes = [{"domain": f"d{number}.example"} for number in range(8)]
    result = run_in_slices(MODULE, {**options, "restrictions": wishes}, 4)
    assert not result.get("failed")
    assert len(result["created"]) == len(account.restrictions()) == 8


@pytest.mark.parametrize("seconds", [0.01, 60])
def test_many_creates_at_once_with_an_unknown_outcome_are_each_made_once(account, options, seconds):
    for number in range(12):
        moment = "after" if number % 2 else "before"
        account.fault(calls=["create"], skip=3 * number, kind="drop", moment=moment)
    # Alike in all but the name, so that only the name can tell them apart.
    wishes = [{"domain": f"d{number}.example", "comments": "Alike"} for number in range(40)]
    options.update(restrictions=wishes, concurrency=10, retries=12)
    result = run_in_slices(MODULE, options, seconds)
    assert not result.get("failed")
    assert sum(bool(entry["fault"]) for entry in account.requests()) == 12
    held = {record["id"]: record["domain"] for record in account.restrictions()}
    assert sorted(held.values()) == sorted(wish["domain"] for wish in wishes)
    assert {record["id"]: record["domain"] for record in result["created"]} == held


def test_what_looks_like_the_token_reaches_the_api_in_later_goes_as_well(account, options):
    token = options["api_token"]
    wishes = [
        {"domain": f"d{number}.example", "comments": f"{number} {token}"} for number in range(9)
    ]
    result = run_in_slices(MODULE, {**options, "restrictions": wishes}, 0.002)
    comments = sorted(record["comments"] for record in account.restrictions())
    assert comments == [f"{number} {token}" for number in range(9)]
    assert token not in str(result)


def test_a_domain_whose_change_failed_keeps_all_its_restrictions(account, options):
    seeded = account.seed(
        [
            {"domain": "a.example", "comments": "Outdated"},
            {"domain": "A.example", "exclude": ["b.a.example"]},
            {"domain": "surplus.example"},
        ]
    )
    account.fault(calls=["update"], kind="status", status=400, code=1, message="No")
    options.update(restrictions=[{"domain": "a.example", "comments": "New"}], prune=True)
    options["max_delete_percent"] = 100
    result = run_module(MODULE, options)
    assert result["failed"]
    assert [record["domain"] for record in result["deleted"]] == ["surplus.example"]
    assert account.restrictions() == seeded[:2]
    assert not run_module(MODULE, options).get("failed")
    (left,) = account.restrictions()
    assert (left["id"], left["comments"]) == (seeded[0]["id"], "New")


def test_what_someone_else_removed_meanwhile_does_not_count_as_changed(account, options):
    seeded = account.seed([{"domain": "a.example"}, {"domain": "b.example"}])
    stale = {"result": seeded, "result_info": {"total_count": 2}}
    account.fault(calls=["list"], kind="merge", set=stale)
    account.seed([])
    wishes = [{"domain": record["domain"], "state": "absent"} for record in seeded]
    result = run_module(MODULE, {**options, "restrictions": wishes})
    assert not result.get("failed")
    assert not result["changed"]
    assert result["deleted"] == []


@pytest.mark.parametrize("seconds", [0.002, 60])
def test_a_change_that_nobody_can_tell_of_is_called_uncertain_and_counts_as_changed(
    account, options, seconds
):
    account.seed([{"domain": "b.example"}, {"domain": "c.example"}])
    account.fault(calls=["create", "update", "delete"], times=None, kind="drop", moment="after")
    account.fault(calls=["list", "get"], skip=1, times=None, kind="html", status=503)
    wishes = [
        {"domain": "a.example"},
        {"domain": "b.example", "comments": "x"},
        {"domain": "c.example", "state": "absent"},
    ]
    result = run_in_slices(MODULE, {**options, "restrictions": wishes}, seconds)
    assert result["failed"]
    assert result["changed"]
    assert [failure["domain"] for failure in result["failures"]] == [
        wish["domain"] for wish in wishes
    ]
    for failure in result["failures"]:
        assert failure["kind"] == "uncertain"
