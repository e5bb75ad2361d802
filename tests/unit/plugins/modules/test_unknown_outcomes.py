# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole modules when nobody knows whether a write took effect, and something else is wrong as well."""

from __future__ import annotations

import pytest
from in_process import run_in_slices, run_module

SINGLE, PLURAL = "sending_domain_restriction", "sending_domain_restrictions"
DOMAIN = "partner.example"
PRESENT = {"domain": DOMAIN, "exclude": [f"a.{DOMAIN}"], "comments": "Agreed"}
ABSENT = {"domain": DOMAIN, "state": "absent"}
HOLD = {"kind": "status", "status": 429, "headers": {"Retry-After": "60"}}
UNREADABLE = {"kind": "html", "status": 503}
STALE = {"kind": "merge", "set": {"result": [], "result_info": {"total_count": 0}}}


@pytest.fixture(params=[SINGLE, PLURAL])
def run(request, emulator, account, in_no_time):
    """Run a task for one restriction with either module."""
    options = {
        "account_id": account.id,
        "api_token": account.tokens["write"],
        "api_url": emulator.url,
        "retries": 2,
    }

    def run(wish):
        if request.param == SINGLE:
            return run_module(SINGLE, {**options, **wish})
        return run_in_slices(PLURAL, {**options, "restrictions": [wish]}, 60)

    return run


def returned_id(result):
    record = result.get("sending_domain_restriction") or result["created"][0]
    return record["id"]


@pytest.mark.parametrize(
    "theirs",
    [{**PRESENT, "exclude": []}, {**PRESENT, "comments": "Ours"}, {"domain": DOMAIN.upper()}],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_somebody_elses_restriction_is_not_taken_for_the_new_one(account, run, theirs, moment):
    account.seed([theirs])
    account.fault(calls=["list"], **STALE)
    account.fault(calls=["create"], kind="drop", moment=moment)
    before = account.restrictions()
    result = run(PRESENT)
    assert result["failed"]
    assert "someone else created another restriction" in result["msg"]
    assert result["changed"] == (moment == "after")
    assert account.restrictions()[:1] == before
    assert len(account.restrictions()) == 1 + (moment == "after")


@pytest.mark.parametrize(
    "second_create", [{"kind": "merge"}, {"kind": "drop", "moment": "after"}, HOLD]
)
def test_a_create_that_took_effect_too_late_leaves_no_second_restriction(
    account, run, second_create
):
    account.fault(calls=["create"], kind="drop", moment="after")
    account.fault(calls=["create"], **second_create)
    account.fault(calls=["list"], skip=1, **STALE)
    result = run(PRESENT)
    assert not result.get("failed")
    assert result["changed"]
    assert [record["id"] for record in account.restrictions()] == [returned_id(result)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_second_restriction_that_may_still_be_there_is_never_passed_over(account, run, moment):
    account.fault(calls=["create"], kind="drop", moment="after")
    account.fault(calls=["list"], skip=1, **STALE)
    account.fault(calls=["delete"], times=None, kind="drop", moment=moment)
    account.fault(calls=["list", "get"], skip=2, times=None, **UNREADABLE)
    result = run(PRESENT)
    assert result["failed"]
    assert result["changed"]
    assert "could not confirm the outcome" in result["msg"]


@pytest.mark.parametrize(
    ("call", "held", "wish"),
    [
        ("create", [], PRESENT),
        ("update", [{"domain": DOMAIN}], PRESENT),
        ("delete", [PRESENT], ABSENT),
        ("batch", [PRESENT, PRESENT], ABSENT),
    ],
)
def test_a_change_that_nobody_can_tell_of_is_called_uncertain_and_counts_as_changed(
    account, run, call, held, wish
):
    before = account.seed(held)
    account.fault(calls=[call], times=None, kind="drop", moment="after")
    account.fault(calls=["list"], skip=1, times=None, **UNREADABLE)
    account.fault(calls=["get"], times=None, **UNREADABLE)
    result = run(wish)
    assert result["failed"]
    assert "could not confirm the outcome" in result["msg"]
    assert result["changed"]
    assert account.restrictions() != before


@pytest.mark.parametrize(
    ("call", "held", "wish"),
    [("create", [], PRESENT), ("update", [{"domain": DOMAIN}], PRESENT)],
)
def test_a_success_with_errors_and_no_result_is_looked_up(account, run, call, held, wish):
    account.seed(held)
    errors = [{"code": 5, "message": "Soon gone"}]
    account.fault(
        calls=[call], moment="after", kind="merge", set={"result": None, "errors": errors}
    )
    result = run(wish)
    assert not result.get("failed")
    assert result["changed"]
    (restriction,) = account.restrictions()
    assert restriction["comments"] == "Agreed"


@pytest.mark.parametrize(("hits", "skip"), [("delete", 0), ("list", 1)])
def test_the_rate_limit_does_not_make_a_delete_forget_that_it_was_made(account, run, hits, skip):
    account.seed([PRESENT])
    account.fault(calls=["delete"], kind="drop", moment="after")
    if hits == "list":
        account.fault(calls=["delete"], kind="drop", times=2)
    account.fault(calls=[hits], skip=skip, **HOLD)
    result = run(ABSENT)
    assert not result.get("failed")
    assert result["changed"]
    assert account.restrictions() == []
