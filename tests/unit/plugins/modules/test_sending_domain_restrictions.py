# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module for lists, as one run and in time slices."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _run_list
from in_process import Task, run_module
from samples import domains, numbered

MODULE = "sending_domain_restrictions"
ONE_STEP = 0  # seconds; the clock is checked after each step of a worker
LIMITED = {"kind": "status", "status": 429, "headers": {"Retry-After": "60"}}


@pytest.fixture
def options(options):
    return {**options, "concurrency": 1}


def run_slices(options, seconds):
    return Task(options, seconds).run()


@pytest.mark.promise("Waiting for the rate limit is not a failure")
@pytest.mark.parametrize("call", ["list", "create"])
def test_a_rate_limit_without_end_ends_the_run(account, options, call):
    account.fault(calls=[call], times=None, **LIMITED)
    result = run_slices({**options, "restrictions": [{"domain": "a.example"}]}, 4)
    assert result["failed"]
    assert "rate limit" in result["msg"]
    assert account.calls().count(call) == 3
    assert not result["changed"]


@pytest.mark.parametrize(
    ("fault", "fails"),
    [
        # The quota is so small that its window ends before the list does.
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
        ({**LIMITED, "skip": 1}, True),
    ],
)
def test_reading_several_pages_ends_whatever_the_rate_limit_does(account, options, fault, fails):
    account.seed(numbered(1001))
    account.fault(calls=["list"], times=None, **fault)
    result = run_slices({**options, "restrictions": numbered(1)}, 4)
    assert bool(result.get("failed")) == fails
    assert not result.get("changed")


@pytest.mark.parametrize("call", ["list", "create", "update", "delete"])
@pytest.mark.parametrize("kind", [{"kind": "status"}, {"kind": "html"}])
@pytest.mark.parametrize("status", [403, 503])
def test_a_failure_ends_the_run_even_if_the_quota_is_used_up(account, options, call, kind, status):
    account.seed([{"domain": "a.example"}, {"domain": "b.example"}])
    headers = {"Ratelimit": '"default";r=100;t=60', "Ratelimit-Policy": '"default";q=1200;w=300'}
    account.fault(calls=[call], times=None, status=status, headers=headers, **kind)
    entries = [
        {"domain": "a.example", "comments": "x"},
        {"domain": "b.example", "state": "absent"},
        {"domain": "c.example"},
    ]
    result = run_slices({**options, "restrictions": entries}, 4)
    assert result["failed"]
    assert f": {status}" in result["msg"]
    assert result["changed"] == (call != "list")


@pytest.mark.promise("One failed change does not stop the others")
@pytest.mark.parametrize("seconds", [ONE_STEP, 60])
def test_a_run_gives_up_after_ten_failures_in_any_number_of_slices(account, options, seconds):
    account.fault(calls=["create"], times=None, kind="drop")
    entries = numbered(30)
    result = run_slices({**options, "retries": 0, "restrictions": entries}, seconds)
    assert account.calls().count("create") == 10
    assert sum(failure["kind"] == "not_attempted" for failure in result["failures"]) == 20


@pytest.mark.parametrize("placeholder", ["0", "1", "a", "e", "de", "none"])
@pytest.mark.parametrize("source", ["environment", "option"])
def test_a_placeholder_for_a_secret_does_not_garble_later_slices(
    account, options, monkeypatch, placeholder, source
):
    if source == "environment":
        monkeypatch.setenv("CLOUDFLARE_API_KEY", placeholder)
    else:
        options["api_key"] = placeholder
    entries = numbered(12)
    result = run_slices({**options, "restrictions": entries}, ONE_STEP)
    assert not result.get("failed")
    assert len(account.restrictions()) == 12
    if source == "environment":
        assert result["changed"] is True
        assert domains(result["created"]) == domains(entries)


def test_waits_for_the_rate_limit_do_not_use_up_the_retries(account, options):
    account.seed([{"domain": "a.example"}])
    account.fault(calls=["update"], times=2, **LIMITED)
    account.fault(calls=["update"], times=2, kind="drop")
    options["restrictions"] = [{"domain": "a.example", "comments": "x"}]
    assert not run_slices(options, 4).get("failed")


@pytest.mark.promise("Waiting for the rate limit is not a failure")
def test_waiting_for_the_rate_limit_in_many_slices_is_not_a_failure(account, options):
    for skip in (1, 3, 5):
        account.fault(calls=["create"], skip=skip, times=2, **LIMITED)
    entries = numbered(8)
    result = run_slices({**options, "restrictions": entries}, 4)
    assert not result.get("failed")
    assert len(result["created"]) == len(account.restrictions()) == 8


@pytest.mark.promise("Nothing is lost and nothing is created twice")
@pytest.mark.parametrize("seconds", [ONE_STEP, 60])
def test_concurrent_creates_with_an_unknown_outcome_are_each_made_once(account, options, seconds):
    for number in range(12):
        moment = "after" if number % 2 else "before"
        account.fault(calls=["create"], skip=3 * number, kind="drop", moment=moment)
    # Only the domains differ, so nothing else can tell the restrictions apart.
    entries = numbered(40, comments="Same")
    options.update(restrictions=entries, concurrency=10, retries=12)
    result = run_slices(options, seconds)
    assert not result.get("failed")
    assert sum(bool(entry["fault"]) for entry in account.requests()) == 12
    assert domains(account.restrictions()) == domains(entries)
    assert {record["id"]: record["domain"] for record in result["created"]} == {
        record["id"]: record["domain"] for record in account.restrictions()
    }


def test_comments_that_contain_the_token_reach_the_api_in_every_slice(account, options):
    token = options["api_token"]
    entries = numbered(9, comments=f"Agreed {token}")
    result = run_slices({**options, "restrictions": entries}, ONE_STEP)
    assert [record["comments"] for record in account.restrictions()] == [f"Agreed {token}"] * 9
    assert token not in str(result)


@pytest.mark.promise("An incomplete run leaves more protection, not less")
@pytest.mark.parametrize("seconds", [ONE_STEP, 60])
def test_without_the_batch_call_the_result_is_the_same(emulator, options, no_waiting, seconds):
    results = []
    for batch in ("available", "not_found"):
        account = emulator.create_account(restrictions=numbered(30), batch=batch)
        entries = [*numbered(22), {"domain": "new1.example"}, {"domain": "new2.example"}]
        options.update(account_id=account.id, api_token=account.tokens["write"])
        result = run_slices({**options, "restrictions": entries, "prune": True}, seconds)
        deletes = 8 if batch == "not_found" else 0
        writes = [call for call in account.calls() if call != "list"]
        assert writes == ["create", "create", "batch"] + ["delete"] * deletes
        results.append((result["msg"], domains(result["deleted"])))
        assert domains(account.restrictions()) == domains(entries)
    assert results[0] == results[1]


@pytest.mark.promise("A truncated list does not remove your protection")
def test_the_guard_changes_nothing_and_says_what_would_be_lost(account, options):
    seeded = account.seed(numbered(20))
    options.update(restrictions=[{"domain": "new.example"}], prune=True)
    checked = run_module(MODULE, options, check_mode=True, diff=True)
    real = run_module(MODULE, options, diff=True)
    assert checked["failed"] and real["failed"]
    assert len(checked["deleted"]) == 20
    assert len(checked["diff"]) == len(real["diff"]) == 21
    assert real["deleted"] == []
    assert not checked["changed"] and not real["changed"]
    assert checked["msg"].startswith("20 of the 20 domains on the account would lose their last")
    assert checked["msg"].endswith(
        ". Plan: 1 would newly require TLS, 20 would no longer require TLS (1 to create, 20 to delete)"
    )
    assert real["msg"] == checked["msg"] + ". Result: no changes"
    assert account.restrictions() == seeded
    assert set(account.calls()) == {"list"}


@pytest.mark.promise("An emptied column does not drop your partners' mail")
def test_an_emptied_exclude_changes_nothing(account, options):
    entries = [{**entry, "exclude": [f"news.{entry['domain']}"]} for entry in numbered(10)]
    seeded = account.seed(entries)
    options.update(restrictions=[{**entry, "exclude": []} for entry in entries])
    result = run_module(MODULE, options)
    assert result["status"] == "refused"
    assert "more than max_exclusion_loss_percent (30) allows" in result["msg"]
    assert account.restrictions() == seeded
    options["max_exclusion_loss_percent"] = 100
    assert len(run_module(MODULE, options)["updated"]) == 10


@pytest.mark.promise("Check mode predicts the result")
@pytest.mark.parametrize("seconds", [ONE_STEP, 60])
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
    assert "(1 to create, 1 to update, 1 to delete, 1 unchanged)" in checked["msg"]
    assert "(1 created, 1 updated, 1 deleted, 1 unchanged)." in real["msg"]


@pytest.mark.promise("What the info module returns is a valid list")
@pytest.mark.parametrize("prune", [False, True])
def test_what_the_info_module_returns_is_a_list_that_changes_nothing(account, options, prune):
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


def test_an_outage_is_one_short_message_and_a_list_of_failures(account, options):
    account.fault(calls=["create"], skip=20, times=None, kind="html", status=503)
    entries = numbered(250)
    result = run_module(MODULE, {**options, "restrictions": entries, "retries": 0})
    assert result["msg"] == (
        "Cloudflare returned 503 for 10 creates (d020.example, d021.example, d022.example and 7"
        " more); try again later (POST …/sending_domain_restrictions: 503 with text/html instead of"
        " Cloudflare's JSON: 503 Service Unavailable). 220 changes were not attempted after 10"
        " consecutive failures. Result: 20 newly require TLS (20 created). Run again to finish the rest."
    )
    assert domains(result["failures"]) == domains(entries[20:])
    assert {failure["status"] for failure in result["failures"]} == {503, None}


def test_a_run_whose_result_nobody_can_receive_begins_no_change(account, options, monkeypatch):
    monkeypatch.setattr(_run_list, "output_is_closed", lambda: True)
    result = run_module(MODULE, {**options, "restrictions": [{"domain": "a.example"}]})
    assert [failure["kind"] for failure in result["failures"]] == ["not_attempted"]
    assert account.restrictions() == []


@pytest.mark.parametrize("output", [None, io.StringIO()])
def test_an_output_that_cannot_be_asked_counts_as_open(monkeypatch, output):
    monkeypatch.setattr("sys.__stdout__", output)
    assert not _run_list.output_is_closed()


def test_a_closed_output_is_noticed():
    script = (
        "import sys, time; from ansible_collections.cloudflare_email.security.plugins.module_utils"
        "._run_list import output_is_closed as is_closed\n"
        "print(is_closed(), file=sys.stderr, flush=True); sys.stdin.readline()\n"
        "print(is_closed(), file=sys.stderr)"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert process.stderr.readline() == "False\n"
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stderr.readline() == "True\n"
