# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches in several time slices."""

from __future__ import annotations

import functools

import pytest
from in_process import Task

DOMAINS = [f"{letter}.example" for letter in "abc"]
MAIL = [{"envelope_from": f"somebody@mail.{domain}", "times": 3} for domain in DOMAINS]
LIMITED = {"kind": "status", "calls": ["search"], "status": 429, "headers": {"Retry-After": "600"}}
NAME = "sending_domain_senders_info"


@pytest.fixture
def task(account, options):
    account.seed_messages(MAIL)
    account.clear_requests()
    given = {**options, "domains": DOMAINS, "concurrency": 1}
    return functools.partial(Task, given, name=NAME)


def calls(account):
    return [entry["call"] for entry in account.requests()]


def test_several_time_slices_find_what_one_finds(account, task):
    one, several = task(60), task(0)
    expected, result = one.run(), several.run()
    assert [row["name"] for row in result["senders"]] == [f"mail.{domain}" for domain in DOMAINS]
    assert several.shown == [
        "[host] searched 1 of 3 domains for senders",
        "[host] searched 2 of 3 domains for senders",
        *one.shown,
    ]
    assert one.shown[0] == f"[host] {expected['msg']}"
    assert len(one.shown) == 1 + len(DOMAINS)
    # Each time slice reads the account, but searches only for what is left.
    assert calls(account) == ["list", *["search"] * 3, *["list", "search"] * 3]
    assert (expected.pop("api_calls"), result.pop("api_calls")) == (4, 6)
    assert {**result, "since": expected["since"]} == expected


@pytest.mark.parametrize("skip", [0, 1])
def test_the_wait_for_the_rate_limit_is_shown(account, task, skip):
    account.fault(**LIMITED, skip=skip)
    limited = task(60)
    result = limited.run()
    assert len(result["senders"]) == 3
    assert sum(limited.waits) > 590
    assert any("waiting for Cloudflare's rate limit until" in line for line in limited.shown)


def test_a_slice_in_which_the_rate_limit_allowed_no_search_is_followed_by_one_that_waits(
    account, task
):
    account.fault(**LIMITED)
    limited = task(60)
    limited.run()
    progress = [given["controller"]["time_slice"].get("progress", {}) for given in limited.slices]
    assert [each.get("is_stalled", False) for each in progress] == [False, True]


def test_the_estimate_is_shown_once(account, task):
    account.change(quota=10, window=300)
    long = task(0, check_mode=True)
    long._task.args["domains"] = [f"d{number}.example" for number in range(20)]
    long.run()
    estimates = [line for line in long.shown if "at Cloudflare's rate limit" in line]
    assert len(estimates) == 1
    assert "domains left to search, about" in estimates[0]


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize("skip", [0, 2])
def test_a_search_that_fails_does_not_lose_what_others_find(account, task, skip, seconds):
    account.fault(kind="status", calls=["search"], status=400, code=1, message="No", skip=skip)
    result = task(seconds).run()
    assert not result.get("failed")
    assert len(result["senders"]) == 2
    assert [search["domain"] for search in result["searches"] if search["problem"]] == [
        DOMAINS[skip]
    ]


@pytest.mark.parametrize("seconds", [0, 60])
def test_if_no_search_succeeds_the_task_fails(account, task, seconds):
    account.fault(kind="status", calls=["search"], status=400, code=1, message="No", times=None)
    result = task(seconds).run()
    assert result["failed"]
    assert result["msg"].startswith("Cloudflare refused the request; ")


def test_an_async_task_is_one_run_of_the_module(account, task):
    long = task(0, async_val=60)
    result = long.run()
    assert len(result["senders"]) == 3
    assert (len(long.slices), long.shown) == (1, [])


def test_nothing_is_shown_with_no_log(task):
    quiet = task(0, no_log=True)
    quiet.run()
    assert quiet.shown == []
