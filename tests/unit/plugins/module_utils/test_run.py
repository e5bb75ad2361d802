# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result for one restriction, and what a time slice takes over and passes on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import (
    _slice_end,
    _slice_start,
)
from in_process import run_module
from samples import domains, numbered

NOW = 1_000_000.0
LIMITED = {"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}
REFUSED = {"kind": "status", "status": 400, "code": 1, "message": "No"}


@pytest.fixture
def run_slice(options, monkeypatch):
    """Run one time slice at the time `NOW`, and return its result."""
    for room in (_slice_end, _slice_start):
        monkeypatch.setattr(room, "time", SimpleNamespace(time=lambda: NOW))

    def run(restrictions, seconds=3600, prune=False, **progress):
        time_slice = {"seconds": seconds, "progress": progress}
        given = {**options, "concurrency": 1, "restrictions": restrictions, "prune": prune}
        result = run_module(
            "sending_domain_restrictions", {**given, "controller": {"time_slice": time_slice}}
        )
        return {**result.get("time_slice", {}).get("result", {}), **result}

    return run


@pytest.mark.parametrize("call", ["list", "create"])
def test_a_wait_for_the_rate_limit_is_reported_with_its_end(account, run_slice, call):
    account.fault(calls=[call], **LIMITED)
    report = run_slice(numbered(1))["time_slice"]
    assert report["wait"] == 600
    assert report["reason"] == "rate_limit"
    assert report["progress"]["blocked_until"] == NOW + 600
    assert report["progress"]["refusals"] == 1


def test_a_slice_sends_nothing_before_the_rate_limit_is_over(account, run_slice):
    result = run_slice(numbered(1), blocked_until=NOW + 30)
    assert result["time_slice"]["wait"] == 30
    assert account.requests() == []


def test_a_slice_after_a_stalled_one_waits_itself(account, run_slice, fake_time):
    result = run_slice(numbered(1), blocked_until=NOW + 30, is_stalled=True)
    assert fake_time.sleeps == [30]
    assert domains(result["created"]) == ["d000.example"]


@pytest.mark.parametrize(
    ("faults", "is_stalled"),
    [
        ([LIMITED], True),
        # A domain that was created, or that failed, is not tried again, so the run makes progress.
        ([{**LIMITED, "skip": 1}], False),
        ([REFUSED, LIMITED], False),
    ],
)
def test_only_a_slice_that_did_nothing_because_of_the_rate_limit_is_stalled(
    account, run_slice, faults, is_stalled
):
    for fault in faults:
        account.fault(calls=["create"], **fault)
    report = run_slice(numbered(3))["time_slice"]
    assert report["wait"] == 600
    assert report["progress"]["is_stalled"] is is_stalled


def test_a_slice_that_has_nothing_left_to_do_is_not_stalled(run_slice):
    assert run_slice([])["time_slice"]["progress"]["is_stalled"] is False


def test_failed_readings_are_counted_until_one_succeeds(account, run_slice):
    account.fault(calls=["list"], times=None, kind="status", status=503)
    assert run_slice([], read_attempts=1)["msg"].startswith("Cloudflare returned 503")
    assert len(account.requests()) == 2
    account.clear_faults()
    assert run_slice([], read_attempts=1)["time_slice"]["progress"]["read_attempts"] == 0


def test_a_reading_that_a_later_slice_continues_reports_its_calls_and_warnings(account, run_slice):
    account.seed(numbered(1001))
    account.fault(calls=["list"], kind="merge", set={"messages": ["Soon gone"]})
    account.fault(calls=["list"], kind="status", status=503)
    result = run_slice([], seconds=0)
    assert result["time_slice"]["reason"] == "retry"
    assert result["time_slice"]["problem"] == "Cloudflare returned 503; retry 1 of 2"
    assert result["time_slice"]["progress"]["read_attempts"] == 1
    assert result["api_calls"] == len(account.requests()) == 2
    assert "Cloudflare: Soon gone" in str(result["warnings"])


def test_failed_readings_do_not_use_up_the_retries_of_a_change(account, run_slice):
    account.seed(numbered(1))
    account.fault(calls=["update"], times=2, kind="status", status=503)
    result = run_slice(numbered(1, comments="x"), read_attempts=2)
    assert domains(result["updated"]) == ["d000.example"]


@pytest.mark.parametrize("action", ["create", "update"])
def test_a_confirmed_write_counts_as_done_and_not_as_unchanged(account, run_slice, action):
    account.seed(numbered(3))
    write = {"action": action, "effect": "comment_or_spelling", "previous": None}
    result = run_slice(numbered(3), unknown_outcomes={"d001.example": write})
    # Later slices do not count it again.
    assert result["time_slice"]["progress"]["unknown_outcomes"] == {}
    assert domains(result[f"{action}d"]) == ["d001.example"]
    assert result[f"{action}d"][0]["effect"] == "comment_or_spelling"
    assert result["unchanged"] == 2
    assert result["changed"]


def test_the_slice_that_confirms_an_update_knows_what_was_before(account, run_slice):
    (before,) = account.seed(numbered(1, comments="before"))
    account.fault(calls=["update"], kind="drop", moment="after")
    account.fault(calls=["get", "update"], **LIMITED)
    result = run_slice(numbered(1, comments="after"))
    assert result["updated"] == []
    progress = {**result["time_slice"]["progress"], "blocked_until": 0}
    (updated,) = run_slice(numbered(1, comments="after"), **progress)["updated"]
    assert updated["previous"] == before


@pytest.mark.parametrize("took_effect", [True, False])
def test_an_unconfirmed_delete_counts_as_a_change_only_if_it_took_effect(
    account, run_slice, took_effect
):
    account.seed([] if took_effect else numbered(1))
    account.fault(calls=["delete"], **REFUSED)
    write = {"action": "delete", "effect": "no_longer_requires_tls", "previous": None}
    result = run_slice(numbered(1, state="absent"), unknown_outcomes={"d000.example": write})
    assert result["changed"] is took_effect
    assert result["deleted"] == []


def test_a_lost_delete_of_a_duplicate_is_not_an_update_of_the_restriction_that_stays(
    account, run_slice
):
    account.seed(numbered(1) * 2)
    account.fault(calls=["delete"], kind="drop", moment="after")
    account.fault(calls=["delete"], **LIMITED)
    progress = run_slice(numbered(1), prune=True)["time_slice"]["progress"]
    assert list(progress["unknown_outcomes"]) == ["d000.example"]
    result = run_slice(numbered(1), prune=True, **{**progress, "blocked_until": 0})
    assert (result["changed"], result["updated"], result["unchanged"]) == (True, [], 1)


A = {"domain": "a.example"}


@pytest.mark.parametrize(
    ("on_account", "given", "done", "predicted"),
    [
        ([], A, "a.example created", "a.example would be created"),
        (
            [A],
            {**A, "comments": "x"},
            "a.example updated",
            "a.example would be updated",
        ),
        ([A], {**A, "state": "absent"}, "a.example deleted", "a.example would be deleted"),
        (
            [A, A],
            {**A, "state": "absent"},
            "a.example deleted (2 restrictions)",
            "a.example would be deleted (2 restrictions)",
        ),
        ([A], A, "a.example unchanged", "a.example unchanged"),
        (
            [],
            {**A, "state": "absent"},
            "a.example has no restriction; no changes",
            "a.example has no restriction; no changes",
        ),
    ],
)
def test_the_message_for_one_restriction_says_what_happened(
    account, options, on_account, given, done, predicted
):
    account.seed(on_account)
    options.update(given)
    assert run_module("sending_domain_restriction", options, check_mode=True)["msg"] == predicted
    assert run_module("sending_domain_restriction", options)["msg"] == done


def test_the_message_for_an_id_names_its_domain_if_the_account_has_it(account, options):
    (restriction,) = account.seed([A])
    options.update(id=restriction["id"], state="absent")
    assert run_module("sending_domain_restriction", options)["msg"] == "a.example deleted"
    assert run_module("sending_domain_restriction", options)["msg"] == (
        f"{restriction['id']} has no restriction; no changes"
    )


def test_the_result_for_one_restriction_is_the_record_before_and_after(account, options):
    def run(**given):
        result = run_module("sending_domain_restriction", {**options, **A, **given})
        # The emulator, like Cloudflare, may return more fields.
        current = [
            {name: record[name] for name in ("id", "domain", "comments")}
            for record in account.restrictions()
        ]
        shown = [
            record and {name: record[name] for name in ("id", "domain", "comments")}
            for record in (result["previous"], result["sending_domain_restriction"])
        ]
        return (*shown, *(current or [None]), result.get("deleted"))

    previous, record, created, deleted = run(comments="x")
    assert (previous, record, deleted) == (None, created, None)
    previous, record, updated, deleted = run(comments="y")
    assert (previous, record, deleted) == (created, updated, None)
    assert updated["comments"] == "y"
    assert run(comments="y") == (updated, updated, updated, None)
    previous, record, remaining, deleted = run(state="absent")
    assert (previous, record, remaining) == (updated, None, None)
    assert [entry["id"] for entry in deleted] == [updated["id"]]
    assert run(state="absent") == (None, None, None, [])
