# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the changes of a task affect: found in one time slice or several, shown, and limited."""

from __future__ import annotations

import json

import pytest
from in_process import Task, run_module
from samples import domains, numbered

PARTNER, NEWS = "partner.example", "news.partner.example"
EXEMPT = {"domain": PARTNER, "exclude": [NEWS]}
REQUIRED = {"domain": PARTNER, "exclude": []}
ADDED = {"domain": "added.example"}
MAIL = [
    {"envelope_from": f"somebody@{NEWS}", "times": 412},
    {"envelope_from": f"somebody@{PARTNER}", "times": 5},
    {"envelope_from": "somebody@mail.added.example", "times": 30},
]
ONE_STEP = 0  # seconds; the clock is checked after each search and each change
DENIED = {"kind": "status", "calls": ["search"], "status": 400, "code": 1, "message": "Broken"}


@pytest.fixture
def options(account, options):
    account.seed([EXEMPT])
    account.seed_messages(MAIL)
    account.clear_requests()
    return {
        **options,
        "restrictions": [REQUIRED, ADDED],
        "impact_days": 30,
        "concurrency": 1,
    }


def calls(account):
    return [entry["call"] for entry in account.requests()]


def affected(result):
    return {
        domain: [(row["name"], row["messages"], row["effect"]) for row in rows]
        for domain, rows in result["impact"].items()
    }


BOTH = {
    PARTNER: [(NEWS, 412, "newly_requires_tls")],
    "added.example": [("mail.added.example", 30, "newly_requires_tls")],
}


@pytest.mark.parametrize("seconds", [ONE_STEP, 60])
@pytest.mark.parametrize("check_mode", [True, False])
def test_whom_the_changes_affect_is_returned_and_shown(account, options, check_mode, seconds):
    task = Task(options, seconds, check_mode=check_mode)
    result = task.run()
    assert affected(result) == BOTH
    assert result["impact_unknown"] == {}
    need, needs = ("would need TLS",) * 2 if check_mode else ("need TLS now", "needs TLS now")
    assert f"; in 30 days, 2 names that {need} sent 442 messages" in result["msg"]
    last = result["impact"][PARTNER][0]["last_seen"][:10]
    assert task.shown[-2:] == [
        f"[host] {NEWS}: 412 messages in 30 days, last on {last}, {needs}",
        f"[host] mail.added.example: 30 messages in 30 days, last on {last}, {needs}",
    ]
    assert calls(account).count("search") == 2
    assert domains(account.restrictions()) == ["added.example"] * (not check_mode) + [PARTNER]


def test_searches_of_several_time_slices_come_before_the_first_change(account, options):
    task = Task({**options, "restrictions": numbered(3)}, ONE_STEP)
    result = task.run()
    assert result["impact"] == {f"d00{number}.example": [] for number in range(3)}
    writes = [call for call in calls(account) if call != "list"]
    assert writes == ["search"] * 3 + ["create"] * 3
    assert "[host] searched 1 of 3 domains for senders" in task.shown
    assert "no affected sender found in 30 days" in result["msg"]


def test_a_preview_in_several_time_slices_is_the_same_as_in_one(account, options):
    options["restrictions"] = [REQUIRED, *numbered(3)]
    one, several = (Task(options, seconds, check_mode=True).run() for seconds in (60, ONE_STEP))
    assert domains(one["created"]) == domains(numbered(3))
    # Each time slice reads the account.
    assert {**several, "api_calls": 0} == {**one, "api_calls": 0}
    assert several["api_calls"] > one["api_calls"]


def test_a_loosening_change_shows_who_no_longer_needs_tls(account, options):
    account.seed([REQUIRED])
    result = Task({**options, "restrictions": [EXEMPT]}).run()
    assert affected(result) == {PARTNER: [(NEWS, 412, "no_longer_requires_tls")]}


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_task_that_does_not_search_says_how_to(options, check_mode):
    def shown(**more):
        task = Task({**options, **more}, check_mode=check_mode)
        task.run()
        return [line for line in task.shown if "dropped" in line]

    (searched,) = shown(restrictions=[{"domain": "first.example"}])
    (unsearched,) = shown(restrictions=[{"domain": "second.example"}], impact_days=0)
    assert unsearched == f"{searched}; impact_days shows who sends it"
    assert shown(compare=True) == shown(restrictions=[EXEMPT]) == []


def test_nothing_is_searched_unless_the_task_asks_for_it(account, options):
    for more in ({"impact_days": 0}, {"compare": True}, {"restrictions": [EXEMPT]}):
        result = Task({**options, **more}, check_mode=True).run()
        assert result.get("impact", {}) == {}
    assert "search" not in calls(account)


@pytest.mark.promise("A limit on affected messages holds before the first change")
@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("seconds", [ONE_STEP, 60])
def test_too_many_affected_messages_change_nothing(account, options, seconds, check_mode):
    options["max_affected_messages"] = 441
    task = Task(options, seconds, check_mode=check_mode)
    result = task.run()
    assert (result["failed"], result["status"], result["changed"]) == (True, "refused", False)
    assert result["msg"].startswith("2 names that would need TLS sent 442 messages in 30 days (")
    assert affected(result) == BOTH
    assert set(calls(account)) == {"list", "search"}
    assert any(line.endswith(", would need TLS") for line in task.shown)
    assert not Task({**options, "max_affected_messages": 442}, seconds).run().get("failed")


@pytest.mark.promise("A limit on affected messages holds before the first change")
def test_a_failed_search_refuses_a_run_with_a_limit(account, options):
    account.fault(**DENIED)
    result = Task({**options, "max_affected_messages": 10**6}).run()
    assert result["status"] == "refused"
    assert result["msg"].startswith("not all senders of added.example are known (Cloudflare ")
    assert set(calls(account)) == {"list", "search"}


@pytest.mark.promise("A limit on affected messages holds before the first change")
def test_a_limit_holds_for_what_others_do_between_time_slices(account, options):
    late = {"domain": "late.example"}
    account.seed([late])
    account.seed_messages([*MAIL, {"envelope_from": "x@late.example", "times": 9}])
    given = {"restrictions": [*numbered(3), late], "max_affected_messages": 0}
    task = Task({**options, **given}, ONE_STEP)
    execute = task.execute

    def delete_late(*args):
        if len(task.slices) == 5:
            account.seed([{"domain": "d000.example"}])
        return execute(*args)

    task.execute = delete_late
    result = task.run()
    assert result["status"] == "refused"
    assert "(late.example 9)" in result["msg"]
    assert affected(result)["late.example"] == [("late.example", 9, "newly_requires_tls")]
    assert domains(account.restrictions()) == ["d000.example"]


def test_a_limit_costs_no_second_search(account, options):
    given = {"restrictions": [*numbered(3), {"domain": "sub.d002.example"}]}
    result = Task({**options, **given, "max_affected_messages": 0}, ONE_STEP).run()
    assert result["status"] == "changed"
    # That for d002.example is one for the name below it, too.
    assert calls(account).count("search") == 4


def test_a_preview_that_ends_early_has_changed_nothing(options):
    task = Task(options, ONE_STEP, check_mode=True)
    execute = task.execute
    died = {"failed": True, "msg": "Killed", "module_stdout": "", "rc": 137}
    task.execute = lambda *args: dict(died) if len(task.slices) == 2 else execute(*args)
    result = task.run()
    assert (result["status"], result["changed"]) == ("incomplete", False)


def test_days_in_any_form_that_ansible_accepts_are_shown(options):
    task = Task({**options, "impact_days": "30"})
    assert task.run()["impact_days"] == 30
    assert " in 30 days, " in task.shown[-1]


def test_names_that_no_list_can_contain_are_affected_as_well(account, options):
    account.seed_messages([{"envelope_from": f"x@-bounce.{PARTNER}", "times": 5}])
    account.seed([])
    given = {"restrictions": [{"domain": PARTNER}], "max_affected_messages": 0}
    assert Task({**options, **given}).run()["status"] == "refused"


def test_a_failed_search_does_not_fail_the_task(account, options):
    account.fault(**DENIED)
    task = Task(options)
    result = task.run()
    assert result["status"] == "changed"
    assert affected(result) == {**BOTH, "added.example": []}
    (reason,) = result["impact_unknown"].values()
    assert reason.startswith("Cloudflare refused the request; ")
    assert "; the senders of added.example are not fully known" in result["msg"]
    assert task.shown[-1].startswith(
        "[host] added.example: there may be more messages and more senders (Cloud"
    )


def test_a_token_that_may_not_search_leaves_all_senders_unknown(account, options):
    account.fault(**{**DENIED, "status": 403, "code": 10000}, times=None)
    result = Task(options).run()
    assert result["status"] == "changed"
    assert calls(account).count("search") == 1
    assert sorted(result["impact_unknown"]) == ["added.example", PARTNER]
    assert {reason.partition(";")[0] for reason in result["impact_unknown"].values()} == {
        "these credentials may read the restrictions, but not search messages"
    }


def test_searches_wait_for_the_rate_limit_between_time_slices(account, options):
    account.fault(
        kind="status", calls=["search"], status=429, headers={"Retry-After": "600"}, skip=1
    )
    task = Task(options)
    result = task.run()
    assert affected(result) == BOTH
    assert sum(task.waits) > 590
    assert any("waiting for Cloudflare's rate limit until" in line for line in task.shown)
    assert calls(account).count("search") == 3


def test_one_restriction_tells_whom_its_change_affects(account, options):
    given = {name: options[name] for name in ("account_id", "api_token", "api_url")}
    given.update(REQUIRED, impact_days=30)
    result = run_module("sending_domain_restriction", given, check_mode=True)
    assert affected(result) == {PARTNER: [(NEWS, 412, "newly_requires_tls")]}
    assert result["msg"] == (
        f"{PARTNER} would be updated; in 30 days, 1 name that would need TLS sent 412 messages"
    )
    assert "impact" not in run_module("sending_domain_restriction", {**given, "impact_days": 0})


@pytest.mark.promise("Who sends as a domain is counted, and nothing else is kept")
def test_nothing_of_other_peoples_mail_passes_between_time_slices(options):
    task = Task(options, ONE_STEP)
    task.run()
    passed_on = json.dumps(task.slices)
    assert "mail.added.example" in passed_on
    assert "somebody" not in passed_on


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"impact_days": 0, "max_affected_messages": 0},
            "max_affected_messages requires impact_days; set it to the number of days in which"
            " messages are counted, or omit max_affected_messages",
        ),
        *(
            (
                {"max_affected_messages": value},
                f"max_affected_messages is '{value}'; use a whole number, or unlimited",
            )
            for value in ("-1", "", "1.5", "none")
        ),
    ],
)
def test_an_impossible_limit_is_refused_before_anything_is_sent(account, options, given, message):
    result = Task({**options, **given}).run()
    assert (result["failed"], result["msg"]) == (True, message)
    assert calls(account) == []
