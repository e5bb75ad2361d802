# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs in time slices: repeated and lost slices, changes by others, and what is shown."""

from __future__ import annotations

import base64
import json
import re
from types import SimpleNamespace
from unittest import mock

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible_collections.cloudflare_email.security.plugins.module_utils import _slice_end
from in_process import Task
from samples import domains, numbered

ONE_STEP = 0  # seconds; the clock is checked after each step of a worker
DROPPED = "is dropped from now on if it arrives without TLS; impact_days shows who sends it"
LIMITED = {"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}


@pytest.fixture
def options(options):
    return {**options, "concurrency": 5}


def between_slices(task, number, do):
    """Call `do` before slice `number` (from 0) of a task."""
    execute = task.execute

    def execute_after(*args):
        if len(task.slices) == number + 1:
            do()
        return execute(*args)

    task.execute = execute_after


def runs_of(task):
    """Run a task, and return what each run of the module was given."""
    runs = []
    execute = task._execute

    def note(**given):
        runs.append(given)
        return execute(**given)

    task._execute = note
    task.run()
    return runs


@pytest.mark.promise("Running a slice twice is safe")
@pytest.mark.parametrize("lost", [0, 5, 11])
def test_a_slice_that_runs_twice_creates_nothing_twice(account, options, lost):
    task = Task({**options, "restrictions": numbered(60)}, ONE_STEP)
    execute = task.execute

    def execute_twice(*args):
        if len(task.slices) == lost + 1:
            execute(*args)
        return execute(*args)

    task.execute = execute_twice
    result = task.run()
    assert not result.get("failed")
    assert domains(account.restrictions()) == domains(numbered(60))
    # Only the lost result shows that these were created, and not there before.
    assert (len(result["created"]), result["unchanged"]) == (55, 5)


@pytest.mark.promise("Others can change the account meanwhile")
def test_each_slice_sees_what_others_added_changed_and_deleted(account, options):
    listed = numbered(20, comments="New")
    account.seed([{"domain": "d018.example"}, {"domain": "d019.example", "comments": "Old"}])
    task = Task({**options, "restrictions": listed, "prune": True}, ONE_STEP)

    def colleague():
        present = [
            {k: v for k, v in record.items() if k != "last_modified"}
            for record in account.restrictions()
        ]
        kept = [record for record in present if record["domain"] != "d000.example"]
        added = [{"domain": "d017.example", "comments": "New"}, {"domain": "theirs.example"}]
        account.seed([*kept, *added])

    between_slices(task, 1, colleague)
    result = task.run()
    assert not result.get("failed")
    # What this run created is not created again, even if somebody deletes it.
    assert domains(account.restrictions()) == domains(listed[1:])
    assert domains(result["deleted"]) == ["theirs.example"]
    assert len(result["created"]) == 17


@pytest.mark.promise("Others can change the account meanwhile")
def test_a_list_that_lags_behind_leads_to_no_duplicates(account, options):
    account.seed(numbered(10))
    account.change(list_lag=3600)
    listed = numbered(30, comments="New")
    result = Task({**options, "restrictions": listed}, ONE_STEP).run()
    assert (
        result["msg"]
        == "20 newly require TLS, 10 comment or spelling only (20 created, 10 updated)"
    )
    assert domains(account.restrictions()) == domains(listed)


@pytest.mark.promise("Values that Cloudflare stores differently are named")
def test_updates_that_change_nothing_are_sent_once_and_reported_in_few_words(account, options):
    account.change(stored_comments="trimmed")
    account.seed(numbered(30, comments="x"))
    listed = numbered(30, comments=" x") + numbered(40)[30:]
    result = Task({**options, "restrictions": listed}, seconds=0).run()
    assert result["msg"] == "10 newly require TLS (10 created, 30 unchanged)"
    assert (len(result["warnings"]), result["warnings"][-1]) == (
        4,
        "Cloudflare stored 27 more values differently than sent; compare the list with the account",
    )
    assert [request["call"] for request in account.requests()].count("update") == 30


@pytest.mark.promise("A domain whose change failed keeps all its restrictions")
def test_a_domain_that_failed_is_not_tried_again_and_keeps_its_duplicates(account, options):
    account.seed([{"domain": "d000.example"}, {"domain": "D000.example"}])
    account.fault(calls=["update"], kind="status", status=400, code=1, message="No")
    listed = numbered(20, comments="New")
    result = Task({**options, "restrictions": listed, "prune": True}, ONE_STEP).run()
    assert [failure["domain"] for failure in result["failures"]] == ["d000.example"]
    assert account.calls().count("update") == 1
    assert result["deleted"] == []
    assert len(account.restrictions()) == 21


def test_calls_are_counted_over_all_slices(account, options):
    task = Task({**options, "restrictions": numbered(20)}, ONE_STEP)
    result = task.run()
    assert len(task.slices) > 2
    assert result["api_calls"] == len(account.requests())


def test_warnings_are_shown_once(account, options):
    messages = {"messages": [{"code": 1, "message": "Soon gone"}]}
    account.fault(calls=["list"], times=None, kind="merge", set=messages)
    listed = [*numbered(20), {"domain": "sub.d000.example"}]
    result = Task({**options, "restrictions": listed}, ONE_STEP).run()
    assert [warning.partition(":")[0] for warning in result["warnings"]] == [
        "sub.d000.example",
        "Cloudflare",
    ]


@pytest.mark.parametrize(
    ("others", "start"), [(["web2"], "web1: sub.a.example: "), ([], "sub.a.example: ")]
)
def test_a_warning_names_the_host_in_a_play_with_several(options, others, start):
    listed = [{"domain": "a.example"}, {"domain": "sub.a.example"}]
    hosts = {"inventory_hostname": "web1", "ansible_play_hosts_all": ["web1", *others]}
    (warning,) = Task({**options, "restrictions": listed}, 4).run(**hosts)["warnings"]
    assert warning.startswith(start)


class TaskTimeoutError(BaseException):
    """Has the name of the exception that ansible-core raises for the task keyword `timeout`."""


@pytest.mark.promise("What was done is reported")
@pytest.mark.parametrize(
    ("error", "flags", "reason"),
    [
        (
            TaskTimeoutError("timed out"),
            {"failed": True},
            "the task was stopped by its timeout of 7 seconds",
        ),
        (
            AnsibleConnectionFailure("gone"),
            {"unreachable": True},
            "the module could no longer be run (gone)",
        ),
        (
            AnsibleError("broken"),
            {"failed": True},
            "the module could no longer be run (broken)",
        ),
    ],
)
@pytest.mark.parametrize("number", [0, 2])
def test_what_earlier_slices_did_is_reported_when_a_later_one_is_cut_off(
    account, options, error, flags, reason, number
):
    task = Task({**options, "restrictions": numbered(30)}, ONE_STEP, timeout=7)

    def cut_off():
        raise error

    between_slices(task, number, cut_off)
    if number == 0:
        with pytest.raises(error.__class__):
            task.run()
        return
    result = task.run()
    assert {name: result.get(name) for name in ("failed", "unreachable") if name in result} == flags
    assert (result["changed"], result["status"]) == (True, "incomplete")
    assert domains(result["created"]) == domains(account.restrictions()) == domains(numbered(10))
    assert result["msg"] == (
        f"{reason}. Changes left: 20. Result: 10 newly require TLS (10 created). Run again to finish the rest."
    )


def test_a_lost_host_is_not_asked_for_a_report(options, tmp_path):
    given = {"restrictions": numbered(10), "report_html": str(tmp_path / "r.html")}
    task = Task({**options, **given}, seconds=0)
    task.read_account = mock.Mock(side_effect=AssertionError)
    between_slices(task, 1, mock.Mock(side_effect=AnsibleConnectionFailure("gone")))
    result = task.run()
    assert result["unreachable"] and result["changed"]


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"failed": True, "msg": "MODULE FAILURE", "module_stdout": "Killed", "rc": 137}, True),
        ({"failed": True, "msg": "it is broken"}, False),
    ],
)
def test_the_failure_of_a_later_slice_keeps_the_results_of_earlier_ones(
    account, options, values, changed
):
    account.seed([{"domain": "d000.example"}])
    account.fault(calls=["create"], times=None, **LIMITED)
    task = Task({**options, "restrictions": numbered(10)}, ONE_STEP)
    execute = task.execute
    task.execute = lambda *args: execute(*args) if len(task.slices) == 1 else dict(values)
    result = task.run()
    assert result["failed"]
    assert result["unchanged"] == 1
    assert result["msg"].startswith(values["msg"])
    assert (result["created"], result["changed"]) == ([], changed)


@pytest.mark.promise("changed is true exactly when something changed")
def test_a_write_that_was_never_confirmed_counts_as_changed(account, options):
    account.fault(calls=["create"], kind="drop", moment="after")
    account.fault(calls=["list"], skip=1, **LIMITED)
    task = Task({**options, "restrictions": numbered(1)}, 4)
    between_slices(task, 1, mock.Mock(side_effect=AnsibleError("broken")))
    result = task.run()
    assert result["changed"]
    assert [(failure["domain"], failure["kind"]) for failure in result["failures"]] == [
        ("d000.example", "outcome_unknown")
    ]


@pytest.mark.parametrize("call", ["create", "update", "delete"])
def test_a_write_that_a_later_slice_confirms_is_reported(account, options, call):
    account.seed([{"domain": "d000.example"}] if call != "create" else [])
    account.fault(calls=[call], kind="drop", moment="after", times=3)
    account.fault(
        calls=["list" if call == "create" else "get"], skip=int(call == "create"), **LIMITED
    )
    change = {"create": {}, "update": {"comments": "x"}, "delete": {"state": "absent"}}[call]
    result = Task({**options, "restrictions": numbered(1, **change)}, 4).run()
    assert not result.get("failed")
    assert result["changed"]
    if call != "delete":
        assert domains(result[f"{call}d"]) == ["d000.example"]


@pytest.mark.promise("An outage ends the run soon")
def test_an_outage_in_a_later_slice_ends_after_the_retries_of_one_call(account, options):
    task = Task({**options, "restrictions": numbered(30)}, ONE_STEP)
    outage = {"kind": "status", "status": 503, "times": None}
    between_slices(task, 2, lambda: account.fault(**outage))
    result = task.run()
    assert result["failed"]
    assert result["msg"].startswith("Cloudflare returned 503; try again later")
    assert result["msg"].endswith(
        "Changes left: 20. Result: 10 newly require TLS (10 created). Run again to finish the rest."
    )
    assert [entry["status"] for entry in account.requests()].count(503) == 3
    assert task.shown[-2:] == [
        "[host] 10 of 30 changes done, Cloudflare returned 503; retry 1 of 2",
        "[host] 10 of 30 changes done, Cloudflare returned 503; retry 2 of 2",
    ]


def test_progress_is_shown_after_each_slice_and_the_summary_at_the_end(account, options):
    task = Task({**options, "restrictions": numbered(15)}, ONE_STEP)
    task.run()
    assert task.shown == [
        "[host] 5 of 15 changes done",
        "[host] 10 of 15 changes done",
        "[host] 15 newly require TLS (15 created)",
        f"[host] mail from these 15 {DROPPED}",
    ]
    again = Task({**options, "restrictions": numbered(15)}, 60)
    again.run()
    assert again.shown == ["[host] no changes, 15 unchanged"]


def test_a_wait_for_the_rate_limit_shows_its_end_and_a_line_a_minute(account, options):
    account.fault(calls=["create"], **LIMITED)
    task = Task({**options, "restrictions": numbered(1)}, 4)
    assert not task.run().get("failed")
    waiting = "waiting for Cloudflare's rate limit until 00:10:00"
    assert task.shown == [
        f"[host] 0 of 1 changes done, {waiting}",
        *[f"[host] still working, {waiting}"] * 9,
        "[host] 1 newly requires TLS (1 created)",
        f"[host] mail from this one {DROPPED}",
    ]
    # The next slice starts two seconds early, because a module takes that long to start.
    assert sum(task.waits) == 600 - 2
    assert max(task.waits) == 60


def test_a_long_run_shows_once_how_long_it_takes(account, options):
    account.change(quota=20, window=60)
    task = Task({**options, "restrictions": numbered(60)}, 4)
    task.run()
    estimates = [line for line in task.shown if "at Cloudflare's rate limit" in line]
    assert len(estimates) == 1
    assert estimates[0].startswith("[host] 43 changes left, about ")
    # The clock of the test starts at 0.
    finish = re.search(r"expected to finish at about (\S+)$", task.shown[1])[1]
    assert finish > "00:01:00"


def test_what_this_run_created_does_not_change_what_the_guard_allows(account, options):
    account.seed([{"domain": f"old{index}.example"} for index in range(9)])
    task = Task({**options, "restrictions": numbered(10), "prune": True}, ONE_STEP)
    assert (
        task.run()["msg"] == "10 newly require TLS, 9 no longer require TLS (10 created, 9 deleted)"
    )


def test_a_refusal_by_the_guard_in_a_later_slice_reports_what_was_done(account, options):
    task = Task({**options, "restrictions": numbered(10), "prune": True}, ONE_STEP)
    theirs = [{"domain": f"theirs{index}.example"} for index in range(20)]
    between_slices(task, 1, lambda: account.seed(theirs))
    result = task.run()
    assert result["failed"]
    assert result["msg"].endswith(
        "(5 to create, 20 to delete). Result: 5 newly require TLS (5 created)"
    )


def test_later_slices_know_of_a_missing_batch_call_and_of_refusals(account, options):
    account.seed([{"domain": f"old{index}.example"} for index in range(9)])
    account.change(batch="not_found")
    task = Task({**options, "restrictions": numbered(10), "prune": True}, ONE_STEP)
    task.run()
    assert account.calls().count("batch") == 1
    account.fault(**LIMITED, calls=["create"], times=None)
    refused = Task({**options, "restrictions": numbered(11)}, 4)
    assert refused.run()["failed"]
    # A slice after one that changed nothing waits by itself.
    assert [
        options["controller"]["time_slice"].get("progress", {}).get("refusals")
        for options in refused.slices
    ] == [None, 1]


@pytest.mark.parametrize(
    ("keywords", "wrap_async"), [({"async_val": 60}, 60), ({"check_mode": True}, 0)]
)
def test_a_job_and_a_preview_are_one_run_of_the_module(options, keywords, wrap_async):
    (given,) = runs_of(Task({**options, "restrictions": []}, **keywords))
    assert given["wrap_async"] == wrap_async
    assert "controller" not in given["module_args"]


def test_the_first_slice_is_short_so_that_progress_is_shown_soon(options):
    runs = runs_of(Task({**options, "restrictions": numbered(11)}, ONE_STEP))
    assert [given["module_args"]["controller"]["time_slice"]["seconds"] for given in runs] == [
        4,
        10,
        10,
    ]


def test_the_end_of_the_rate_limit_wait_is_passed_to_the_next_slice(account, options, monkeypatch):
    monkeypatch.setattr(_slice_end, "time", SimpleNamespace(time=lambda: 1000.0))
    account.fault(calls=["create"], **LIMITED)
    _first, second = runs_of(Task({**options, "restrictions": numbered(1)}, 4))
    assert second["module_args"]["controller"]["time_slice"]["progress"]["blocked_until"] == 1600


def test_no_log_shows_nothing(account, options):
    task = Task({**options, "restrictions": numbered(15)}, ONE_STEP, no_log=True, diff=True)
    task.run()
    account.fault(kind="status", status=503, times=None, calls=["create"])
    failing = Task({**options, "restrictions": numbered(16)}, ONE_STEP, no_log=True, diff=True)
    assert failing.run()["failed"]
    assert task.shown == failing.shown == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_failed_task_shows_its_plan_first(account, options, check_mode):
    account.seed([{"domain": "dup.example"}, {"domain": "dup.example"}])
    listed = [{"domain": "dup.example"}, {"domain": "new.example"}]
    task = Task({**options, "restrictions": listed}, 4, check_mode=check_mode, diff=True)
    assert task.run()["failed"]
    (plan,) = task.shown
    assert "+domain: new.example" in plan
    # Then it has not failed for Ansible, which shows the diff of what was changed.
    task = Task(
        {**options, "restrictions": listed}, check_mode=check_mode, diff=True, failed_when=[False]
    )
    assert (task.run()["failed"], task.shown) == (True, [])


@pytest.mark.parametrize("option", [{"compare": True}, {"max_delete_percent": 10}])
def test_a_task_that_must_not_fail_shows_the_plan_of_what_was_not_changed(account, options, option):
    account.seed(numbered(15))
    listed = {"restrictions": numbered(12), "prune": True, **option}
    task = Task({**options, **listed}, 4, diff=True, failed_when=[False])
    assert task.run()["changed"] is False
    (plan,) = task.shown
    assert "domain: d012.example" in plan


def test_a_task_leaves_the_diff_of_a_success_to_ansible(options):
    task = Task({**options, "restrictions": numbered(1)}, 4, diff=True)
    assert task.run()["diff"]
    assert task.shown[0] == "[host] 1 newly requires TLS (1 created)"
    assert "comments" not in "".join(task.shown)


def test_a_failure_leaves_its_message_to_ansible(account, options):
    account.fault(calls=["create"], times=None, kind="status", status=400, code=1, message="No")
    task = Task({**options, "restrictions": numbered(1)}, 4)
    assert task.run()["failed"]
    assert task.shown == []


@pytest.mark.parametrize("listed", [numbered(2), numbered(3)])
def test_a_comparison_changes_nothing_and_takes_one_reading(account, options, listed):
    seeded = account.seed(numbered(2))
    task = Task({**options, "restrictions": listed, "compare": True}, ONE_STEP, diff=True)
    result = task.run()
    is_equal = len(listed) == 2
    assert (result["status"], result["changed"]) == ("equal" if is_equal else "drift", False)
    assert result.get("failed", False) != is_equal
    assert account.restrictions() == seeded
    assert account.calls() == ["list"]
    if is_equal:
        assert task.shown == ["[host] The account equals the list (2 restrictions)"]
    else:
        assert result["msg"] == (
            "The account differs from the list. Missing on the account: d002.example"
        )
        assert "missing on the account: d002.example" in task.shown[0]


def test_the_plan_names_the_host_in_a_play_with_several(account, options):
    account.seed([{"domain": "b.example"}, {"domain": "c.example"}])
    listed = [
        {"domain": "a.example"},
        {"domain": "b.example", "comments": "x"},
        {"domain": "c.example", "state": "absent"},
    ]
    task = Task({**options, "restrictions": listed}, 4, check_mode=True, diff=True)
    headers = [
        {name: text for name, text in item.items() if name.endswith("header")}
        for item in task.run(ansible_play_hosts_all=["host", "other"])["diff"]
    ]
    assert headers == [
        {"after_header": "create a.example (newly requires TLS) on host"},
        {"before_header": "delete c.example (no longer requires TLS) on host"},
        {
            "before_header": "update b.example (comment or spelling only) on host",
            "after_header": "update b.example (comment or spelling only) on host",
        },
    ]


def test_output_and_result_have_neither_the_secret_nor_the_progress_between_slices(
    account, options
):
    token = options["api_token"]
    listed = numbered(20, comments=f"Agreed {token}")
    account.fault(calls=["create"], skip=15, kind="status", status=400, code=1, message=token)
    task = Task({**options, "restrictions": listed}, ONE_STEP, diff=True)
    result = task.run()
    assert result["failed"]
    assert "controller" not in result.get("invocation", {}).get("module_args", {})
    shown = json.dumps([result, task.shown])
    assert token not in shown
    assert "time_slice" not in shown
    for offset in range(3):
        encoded = base64.b64encode(b"x" * offset + token.encode()).decode()
        assert encoded[4:-4] not in shown


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("entries", "status", "changed"),
    [
        (numbered(10), "unchanged", False),
        (numbered(11), "changed", True),
        (numbered(2), "refused", False),
        ([{"domain": "com"}], "failed", False),
        ([*numbered(11), {"domain": "twice.example"}], "failed", True),
    ],
)
def test_the_status_of_a_run_is_that_of_its_preview(
    account, options, entries, status, changed, check_mode
):
    account.seed(numbered(10))
    prune = True
    if len(entries) == 12:
        account.seed([*numbered(10), {"domain": "twice.example"}, {"domain": "twice.example"}])
        prune = False
    given = {**options, "restrictions": entries, "prune": prune}
    result = Task(given, check_mode=check_mode).run()
    assert (result["status"], bool(result.get("changed"))) == (status, changed)
    assert bool(result.get("failed")) == (status not in ("unchanged", "changed"))


def test_the_status_of_a_module_that_returns_none_is_failed(options):
    task = Task({**options, "restrictions": []})
    task.execute = lambda *args: {"changed": True, "msg": "who knows"}
    assert task.run()["status"] == "failed"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("options", {"retries": -1}),
        ("options", {"retries": "many"}),
        ("options", {"api_token": ""}),
        ("options", {"unknown": 1}),
        ("options", {"report_html": ["a.html"]}),
        ("invalid_list", {"restrictions": [{"domain": "com"}]}),
        ("invalid_list", {"restrictions": None, "file": "nowhere.yml"}),
        ("credentials", {"api_token": "0" * 40}),
        ("unavailable", {"api_url": "http://127.0.0.1:{closed_port}", "retries": 0}),
        ("rate_limited", {"fault": {"kind": "status", "status": 429}, "retries": 0}),
        ("refused", {"fault": {"kind": "status", "status": 400, "code": 1, "message": "No"}}),
        ("failures", {"restrictions": [{"domain": "d000.example", "comments": "New"}]}),
        ("guard", {"restrictions": [], "prune": True}),
        ("report", {"report_markdown": "0" * 300}),
        (None, {}),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_program_learns_why_a_task_failed(
    account, options, tmp_path, closed_port, kind, given, check_mode
):
    account.seed([*numbered(10), {"domain": "D000.example"}])
    given = dict(given)
    if "fault" in given:
        account.fault(calls=["list"], times=None, **given.pop("fault"))
    if "api_url" in given:
        given["api_url"] = given["api_url"].format(closed_port=closed_port)
    listed = {"restrictions": [{"domain": "a.example"}]}
    path = tmp_path / "report.json"
    task = Task({**options, **listed, "report_json": str(path), **given}, check_mode=check_mode)
    result = task.run()
    assert result.get("problem_kind") == kind
    assert bool(kind) == (result["status"] in ("failed", "refused"))
    if path.exists():
        assert json.loads(path.read_text())["problem_kind"] == kind


def test_a_module_that_crashes_or_is_masked_has_an_unexpected_problem(options):
    for failure in ({"failed": True, "module_stdout": ""}, {"failed": True, "problem_kind": "***"}):
        task = Task({**options, "restrictions": []})
        task.execute = lambda *args, failure=failure: dict(failure)
        assert task.run()["problem_kind"] == "unexpected"


@pytest.mark.parametrize(
    ("transport", "variables", "known"),
    [
        ("local", {}, "a" * 32),
        ("ssh", {}, None),
        ("ssh", {"CLOUDFLARE_ACCOUNT_ID": "b" * 32}, "b" * 32),
        ("local", {"CLOUDFLARE_ACCOUNT_ID": "b" * 32}, "b" * 32),
        ("local", {"CLOUDFLARE_ACCOUNT_ID": "a secret in the wrong variable"}, None),
    ],
)
def test_the_report_of_a_run_that_failed_early_names_the_account_of_the_environment(
    options, tmp_path, environment, transport, variables, known
):
    environment.setenv("CLOUDFLARE_ACCOUNT_ID", "a" * 32)
    path = tmp_path / "report.json"
    given = {"account_id": None, "file": "nowhere.yml", "report_json": str(path)}
    task = Task({**options, **given}, environment=[variables])
    task.transport = transport
    task.run()
    assert json.loads(path.read_text())["account_id"] == known


def test_a_job_that_only_started_has_no_status(options):
    task = Task({**options, "restrictions": []}, async_val=60)
    task.execute = lambda *args: {"started": 1}
    assert "status" not in task.run()


def test_a_job_that_cannot_start_has_a_status(options, tmp_path):
    task = Task({**options, "file": str(tmp_path / "missing.yml")}, async_val=60)
    assert task.run()["status"] == "failed"
