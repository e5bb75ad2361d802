# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module for lists, and its runs in many time slices."""

from __future__ import annotations

import pytest
from in_process import Task, run_in_slices, run_module

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
def test_a_rate_limit_that_never_ends_ends_the_run(account, options, call):
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
def test_reading_several_pages_ends_whatever_the_rate_limit_does(account, options, fault, fails):
    account.seed([{"domain": f"d{number}.example"} for number in range(1001)])
    account.fault(calls=["list"], times=None, **fault)
    result = run_in_slices(MODULE, {**options, "restrictions": [{"domain": "d0.example"}]}, 4)
    assert bool(result.get("failed")) == fails
    assert not result.get("changed")


@pytest.mark.parametrize("call", ["list", "create", "update", "delete"])
@pytest.mark.parametrize("kind", [{"kind": "status"}, {"kind": "html"}])
@pytest.mark.parametrize("status", [403, 503])
def test_a_failure_ends_the_run_also_when_the_quota_is_used_up(
    account, options, call, kind, status
):
    account.seed([{"domain": "a.example"}, {"domain": "b.example"}])
    headers = {"Ratelimit": '"default";r=100;t=60', "Ratelimit-Policy": '"default";q=1200;w=300'}
    account.fault(calls=[call], times=None, status=status, headers=headers, **kind)
    entries = [
        {"domain": "a.example", "comments": "x"},
        {"domain": "b.example", "state": "absent"},
        {"domain": "c.example"},
    ]
    result = run_in_slices(MODULE, {**options, "restrictions": entries}, 4)
    assert result["failed"]
    assert f": {status}" in result["msg"]
    assert result["changed"] == (call != "list")


@pytest.mark.parametrize("seconds", [0.0001, 60])
def test_a_run_gives_up_after_ten_failures_in_any_number_of_slices(account, options, seconds):
    account.fault(calls=["create"], times=None, kind="drop")
    entries = [{"domain": f"d{number}.example"} for number in range(30)]
    result = run_in_slices(MODULE, {**options, "retries": 0, "restrictions": entries}, seconds)
    assert [entry["call"] for entry in account.requests()].count("create") == 10
    assert sum(failure["kind"] == "not_attempted" for failure in result["failures"]) == 20


@pytest.mark.parametrize("placeholder", ["0", "1", "a", "e", "de", "none"])
@pytest.mark.parametrize("place", ["environment", "option"])
def test_a_placeholder_for_a_secret_garbles_nothing_between_slices(
    account, options, monkeypatch, placeholder, place
):
    if place == "environment":
        monkeypatch.setenv("CLOUDFLARE_API_KEY", placeholder)
    else:
        options["api_key"] = placeholder
    entries = [{"domain": f"d{number}.example"} for number in range(12)]
    result = run_in_slices(MODULE, {**options, "restrictions": entries}, 0.001)
    assert not result.get("failed")
    assert len(account.restrictions()) == 12
    if place == "environment":
        assert result["changed"] is True
        assert [record["domain"] for record in result["created"]] == sorted(
            entry["domain"] for entry in entries
        )


def test_waits_for_the_rate_limit_do_not_use_up_the_retries(account, options):
    account.seed([{"domain": "a.example"}])
    headers = {"Retry-After": "60"}
    account.fault(calls=["update"], times=2, kind="status", status=429, headers=headers)
    account.fault(calls=["update"], times=2, kind="drop")
    options["restrictions"] = [{"domain": "a.example", "comments": "x"}]
    assert not run_in_slices(MODULE, options, 4).get("failed")


def test_waiting_in_many_slices_is_not_failing(account, options):
    headers = {"Retry-After": "60"}
    for skip in (1, 3, 5):
        account.fault(
            calls=["create"], skip=skip, times=2, kind="status", status=429, headers=headers
        )
    entries = [{"domain": f"d{number}.example"} for number in range(8)]
    result = run_in_slices(MODULE, {**options, "restrictions": entries}, 4)
    assert not result.get("failed")
    assert len(result["created"]) == len(account.restrictions()) == 8


@pytest.mark.parametrize("seconds", [0.01, 60])
def test_concurrent_creates_with_an_unknown_outcome_are_each_made_once(account, options, seconds):
    for number in range(12):
        moment = "after" if number % 2 else "before"
        account.fault(calls=["create"], skip=3 * number, kind="drop", moment=moment)
    # Alike in all but the name, so that only the name can tell them apart.
    entries = [{"domain": f"d{number}.example", "comments": "Alike"} for number in range(40)]
    options.update(restrictions=entries, concurrency=10, retries=12)
    result = run_in_slices(MODULE, options, seconds)
    assert not result.get("failed")
    assert sum(bool(entry["fault"]) for entry in account.requests()) == 12
    present = {record["id"]: record["domain"] for record in account.restrictions()}
    assert sorted(present.values()) == sorted(entry["domain"] for entry in entries)
    assert {record["id"]: record["domain"] for record in result["created"]} == present


def test_comments_that_contain_the_token_reach_the_api_in_every_slice(account, options):
    token = options["api_token"]
    entries = [
        {"domain": f"d{number}.example", "comments": f"{number} {token}"} for number in range(9)
    ]
    result = run_in_slices(MODULE, {**options, "restrictions": entries}, 0.002)
    comments = sorted(record["comments"] for record in account.restrictions())
    assert comments == [f"{number} {token}" for number in range(9)]
    assert token not in str(result)


def test_a_domain_whose_change_failed_keeps_all_its_restrictions(account, options):
    seeded = account.seed(
        [
            {"domain": "a.example", "comments": "Outdated"},
            {"domain": "A.example", "exclude": ["b.a.example"]},
            {"domain": "unlisted.example"},
        ]
    )
    account.fault(calls=["update"], kind="status", status=400, code=1, message="No")
    options.update(restrictions=[{"domain": "a.example", "comments": "New"}], prune=True)
    options["max_delete_percent"] = 100
    result = run_module(MODULE, options)
    assert result["failed"]
    assert [record["domain"] for record in result["deleted"]] == ["unlisted.example"]
    assert account.restrictions() == seeded[:2]
    assert not run_module(MODULE, options).get("failed")
    (kept,) = account.restrictions()
    assert (kept["id"], kept["comments"]) == (seeded[0]["id"], "New")


def test_what_someone_else_deleted_meanwhile_does_not_count_as_changed(account, options):
    seeded = account.seed([{"domain": "a.example"}, {"domain": "b.example"}])
    stale = {"result": seeded, "result_info": {"total_count": 2}}
    account.fault(calls=["list"], kind="merge", set=stale)
    account.seed([])
    entries = [{"domain": record["domain"], "state": "absent"} for record in seeded]
    result = run_module(MODULE, {**options, "restrictions": entries})
    assert not result.get("failed")
    assert not result["changed"]
    assert result["deleted"] == []


def test_changes_that_cannot_be_confirmed_are_uncertain_and_count_as_changed(account, options):
    account.seed([{"domain": "b.example"}, {"domain": "c.example"}])
    account.fault(calls=["create", "update", "delete"], times=None, kind="drop", moment="after")
    account.fault(calls=["list", "get"], skip=1, times=None, kind="html", status=503)
    entries = [
        {"domain": "a.example"},
        {"domain": "b.example", "comments": "x"},
        {"domain": "c.example", "state": "absent"},
    ]
    result = run_module(MODULE, {**options, "restrictions": entries})
    assert result["failed"]
    assert result["changed"]
    assert [(failure["domain"], failure["kind"]) for failure in result["failures"]] == [
        (entry["domain"], "uncertain") for entry in entries
    ]


@pytest.mark.parametrize("seconds", [0.001, 60])
def test_without_the_batch_call_the_result_is_the_same(emulator, options, in_no_time, seconds):
    results = []
    for batch in ("available", "not_found"):
        seed = [{"domain": f"d{number}.example"} for number in range(30)]
        account = emulator.create_account(restrictions=seed, batch=batch)
        entries = [{"domain": f"d{number}.example"} for number in range(22)]
        entries.append({"domain": "new.example"})
        options.update(account_id=account.id, api_token=account.tokens["write"])
        result = run_in_slices(MODULE, {**options, "restrictions": entries, "prune": True}, seconds)
        calls = [entry["call"] for entry in account.requests()]
        assert calls.index("create") < calls.index("batch")
        assert calls.count("batch") == 1
        assert calls.count("delete") == (8 if batch == "not_found" else 0)
        results.append((result["msg"], [record["domain"] for record in result["deleted"]]))
        assert sorted(record["domain"] for record in account.restrictions()) == sorted(
            entry["domain"] for entry in entries
        )
    assert results[0] == results[1]


@pytest.mark.parametrize("batch", ["available", "method_not_allowed"])
def test_the_guard_changes_nothing_and_says_what_would_be_lost(account, options, batch):
    seeded = account.seed([{"domain": f"d{number}.example"} for number in range(20)])
    account.change(batch=batch)
    options.update(restrictions=[{"domain": "new.example"}], prune=True)
    checked = run_module(MODULE, options, check_mode=True, diff=True)
    real = run_module(MODULE, options, diff=True)
    assert checked["failed"] and real["failed"]
    assert len(checked["deleted"]) == 20
    assert len(checked["diff"]) == len(real["diff"]) == 21
    assert real["deleted"] == []
    assert not real["changed"]
    assert checked["msg"].startswith("20 of the 20 domains on the account would lose their last")
    assert checked["msg"].endswith(". Plan: 1 to create, 20 to delete")
    assert real["msg"] == checked["msg"] + ". Result: no changes"
    assert account.restrictions() == seeded
    assert {entry["call"] for entry in account.requests()} == {"list"}


def test_tidying_up_duplicates_is_no_mass_deletion(account, options):
    account.seed([{"domain": f"d{number % 5}.example"} for number in range(10)])
    entries = [{"domain": f"d{number}.example"} for number in range(5)]
    result = run_module(MODULE, {**options, "restrictions": entries, "prune": True})
    assert result["msg"] == "5 deleted, 5 unchanged"


@pytest.mark.parametrize("seconds", [0.001, 60])
def test_check_mode_predicts_the_result(account, options, seconds):
    account.seed(
        [
            {"domain": "A.example", "exclude": ["x.a.example"], "comments": "old"},
            {"domain": "b.example"},
            {"domain": "c.example"},
            {"domain": "C.example"},
            {"domain": "d.example"},
        ]
    )
    entries = [
        {"domain": "a.example", "exclude": ["y.a.example"]},
        {"domain": "b.example", "state": "absent"},
        {"domain": "c.example"},
        {"domain": "d.example", "exclude": []},
        {"domain": "e.example", "exclude": ["x.e.example"], "comments": "new"},
    ]
    options["restrictions"] = entries
    checked = run_module(MODULE, options, check_mode=True, diff=True)
    real = Task(options, seconds, diff=True).run()
    assert checked["failed"] and real["failed"]
    assert checked["diff"] == real["diff"]
    assert checked["failures"] == real["failures"]
    assert checked["unchanged"] == real["unchanged"] == 1
    assert checked["deleted"] == real["deleted"]

    def managed(records):
        return [[record[name] for name in ("domain", "exclude", "comments")] for record in records]

    assert managed(checked["created"]) == managed(real["created"])
    assert managed(checked["updated"]) == managed(real["updated"])
    assert "Result: 1 to create, 1 to update, 1 to delete, 1 unchanged." in checked["msg"]
    assert "Result: 1 created, 1 updated, 1 deleted, 1 unchanged." in real["msg"]


@pytest.mark.parametrize("prune", [False, True])
def test_what_the_info_module_returns_can_be_given_as_it_is(account, options, prune):
    account.seed(
        [
            {
                "domain": "Partner.EXAMPLE.",
                "exclude": ["News.partner.example", "elsewhere.example"],
            },
            {"domain": "_dmarc.under_score.example", "comments": "a\nb\t{{ c }} \U0001f600"},
            {"domain": "xn--zzzzzz99999.example", "exclude": []},
        ]
    )
    shared = {name: options[name] for name in ("account_id", "api_token", "api_url")}
    found = run_module("sending_domain_restriction_info", shared)["sending_domain_restrictions"]
    result = run_module(MODULE, {**options, "restrictions": found, "prune": prune})
    assert result["msg"] == "no changes, 3 unchanged"


def test_an_outage_is_one_short_message_and_a_list_for_programs(account, options):
    account.fault(calls=["create"], skip=20, times=None, kind="html", status=503)
    entries = [{"domain": f"p{number:03}.example"} for number in range(250)]
    result = run_module(MODULE, {**options, "restrictions": entries, "retries": 0})
    assert result["msg"] == (
        "Cloudflare returned 503 for 10 creates (p020.example, p021.example, p022.example and 7"
        " more); try again later (POST …/sending_domain_restrictions: 503 with text/html instead of"
        " Cloudflare's JSON). 220 changes were not attempted after 10 consecutive failures. Result:"
        " 20 created. Run again to finish the rest."
    )
    assert [failure["domain"] for failure in result["failures"]] == [
        entry["domain"] for entry in entries[20:]
    ]
    assert {failure["status"] for failure in result["failures"]} == {503, None}
