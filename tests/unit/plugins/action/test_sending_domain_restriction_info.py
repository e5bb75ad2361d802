# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists from files on the controller."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _controller
from in_process import Task

SENDER = "invoices.partner.example"


@pytest.fixture
def task(options):
    """A task of the info module about the sender."""

    def new(**given):
        keywords = {"async_val": given.pop("async_val", 0)}
        given = {**options, "sender_domain": SENDER, **given}
        return Task(given, name="sending_domain_restriction_info", **keywords)

    return new


def test_the_answer_for_a_file_names_it(account, task, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "partners.csv").write_text("Owner,domain\nx,partner.example\n")
    asked = task(file=str(tmp_path / "partners.csv"), ignore_columns="owner")
    answer = asked.run()
    assert answer["tls_required"] and not answer["tls_required_now"]
    assert answer["msg"].startswith("once partners.csv is applied without prune, ")
    assert "warnings" not in answer
    assert not answer["changed"]
    # What is internal is not shown among the options of the task.
    assert "controller" not in str(answer)
    (given,) = asked.slices
    assert given["controller"] == {"source": {"file": "partners.csv", "lines": [2]}}


def test_a_file_that_may_be_cut_off_is_warned_of_and_refused_with_prune(account, task, tmp_path):
    (tmp_path / "partners.csv").write_text("domain\npartner.example")
    asked = {"file": str(tmp_path / "partners.csv")}
    account.seed([{"domain": "partner.example"}, {"domain": "partner.example"}])
    cut_off, duplicates = task(**asked).run()["warnings"]
    assert "may be cut off" in cut_off
    assert "twice" in duplicates
    account.clear_requests()
    answer = task(prune=True, **asked).run()
    assert answer["failed"] and "prune would delete what is missing" in answer["msg"]
    assert account.requests() == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"file": None}, "file has no value; set it to the list, or omit it for today's answer"),
        ({"file": ""}, "file has no value; set it to the list, or omit it for today's answer"),
        (
            {"restrictions": None},
            "restrictions has no value; set it to the list, or omit it for today's answer",
        ),
        ({"file": ["partners.yml"]}, "file is not a path; give the path of one file"),
        (
            {"file": "/nowhere/at/all.yml"},
            "the file /nowhere/at/all.yml does not exist; check its path",
        ),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_before_anything_is_sent(
    account, task, given, problem
):
    answer = task(**given).run()
    assert (answer["failed"], answer["msg"]) == (True, problem)
    assert account.requests() == []


def test_invalid_entries_are_shown_as_ansible_shows_lines(task, monkeypatch):
    monkeypatch.setattr(_controller, "SHOWS_LINE_BREAKS", False)
    answer = task(restrictions=[{"domain": "com"}] * 2).run()
    assert " | entry 2 (com): " in answer["msg"]


def test_no_secret_of_the_task_leaves_a_module_that_crashed(options, task):
    asked = task()
    asked.execute = lambda *args: {"failed": True, "module_stdout": options["api_token"]}
    assert asked.run()["module_stdout"] == "********"


def test_a_job_with_async_is_started_as_one(task):
    asked, runs = task(async_val=60), []
    asked._execute = lambda **given: runs.append(given) or {"started": 1}
    assert asked.run()["started"] == 1
    assert runs[0]["wrap_async"]
