# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports that the action plugin of sending_domain_restrictions writes."""

from __future__ import annotations

import json
import os
import re
import sys
from unittest import mock

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _controller
from in_process import Task
from report_schema import VALIDATOR
from samples import numbered

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="controllers need Python 3.10")

EXPORT = "sending_domain_restrictions_export"
REPORTS = ("report_html", "report_markdown", "report_json")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "partners.csv"
    path.write_text("domain,comments\na.example,=1\n", encoding="utf-8")
    return path


@pytest.fixture
def reports(tmp_path):
    return {name: str(tmp_path / name) for name in REPORTS}


def texts_of(reports):
    texts = []
    for path in reports.values():
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    VALIDATOR.validate(json.loads(texts[-1]))
    return texts


def test_a_report_does_not_overwrite_the_list_behind_a_link(account, options, table, tmp_path):
    link = tmp_path / "link.csv"
    link.symlink_to(table)
    result = Task({**options, "file": str(link), "report_html": str(table)}).run()
    assert "use another path" in result["msg"]
    assert table.read_text().startswith("domain")
    assert account.requests() == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_reports_show_what_changes_and_what_is_enforced(
    account, options, table, reports, check_mode
):
    account.seed([{"domain": "b.example"}, {"domain": "Old.example"}, {"domain": "old.example"}])
    task = Task({**options, "file": str(table), **reports}, check_mode=check_mode)
    result = task.run()
    assert "failed" not in result
    kind = "preview" if check_mode else "result"
    titles = (f"Partner domain TLS: {kind}", f"Partner domain TLS: {kind}", f'"kind": "{kind}"')
    for title, text in zip(titles, texts_of(reports)):
        assert "The run failed" not in text and "Failed:" not in text
        for expected in (
            title,
            "a.example",
            "b.example",
            "partners.csv",
            account.id,
            result["msg"].partition(";")[0],
            "keep one",
        ):
            assert expected in text
    assert len(account.restrictions()) == (3 if check_mode else 4)
    assert sum("report: " in line for line in task.shown) == 3


def test_a_report_contains_each_part_of_the_result(account, options, reports):
    account.seed([{"domain": f"{name}.example"} for name in ("old", "gone", "twice", "twice", "b")])
    restrictions = [
        {"domain": "old.example", "comments": "new"},
        {"domain": "sub.old.example"},
        {"domain": "gone.example", "state": "absent"},
        {"domain": "twice.example"},
    ]
    Task({**options, "restrictions": restrictions, **reports}).run()
    _page, markdown, _document = texts_of(reports)
    assert re.search(r", \d{4}-\d\d-\d\d \d\d:\d\d [-+\w]+$", markdown, re.MULTILINE)
    assert re.findall(r"^(?:### |<details><summary>)(.*\))", markdown, re.MULTILINE) == [
        "Failures (1)",
        "Warnings (1)",
        "Newly requires TLS (1)",
        "No longer requires TLS (1)",
        "Comment or spelling only (1)",
        "Findings (2)",
        "On the account but not in the list (1)",
        "Restrictions on the account (5)",
    ]


def test_reports_have_the_title_and_the_note_of_the_task_without_secrets(options, table, reports):
    token = options["api_token"]
    texts = {"report_title": "Production", "report_note": f"Commit 1a2b3c4, {token}"}
    Task({**options, "file": str(table), **reports, **texts}).run()
    for text in texts_of(reports):
        assert "Production" in text and "Commit 1a2b3c4" in text and token not in text


def test_reports_have_no_secret_in_place_of_the_account_or_the_list(options, tmp_path, reports):
    token = options["api_token"]
    wrong = {"account_id": token, "file": str(tmp_path / token)}
    result = Task({**options, **reports, **wrong}).run()
    for text in [result["msg"], *texts_of(reports)]:
        assert "********" in text and token not in text


@pytest.mark.promise("No secret is shown or left behind")
def test_reports_do_not_have_the_secrets_of_the_task_environment(options, reports):
    key = "k" * 37
    variables = {"CLOUDFLARE_API_KEY": key, "RETRIES": 5}
    texts = {"report_title": key}
    Task({**options, "restrictions": [], **reports, **texts}, environment=[variables]).run()
    assert all("********" in text and key not in text for text in texts_of(reports))


@pytest.mark.parametrize("directory", [".", "none"])
def test_a_secret_in_the_path_of_a_report_is_not_shown(options, table, tmp_path, directory):
    path = tmp_path / directory / options["api_token"]
    task = Task({**options, "file": str(table), "report_html": str(path)})
    result = task.run()
    assert "********" in " ".join([*task.shown, result["msg"]])
    assert options["api_token"] not in " ".join([*task.shown, result["msg"]])


def test_a_secret_in_the_name_of_a_report_is_not_shown_if_it_cannot_be_written(
    options, table, tmp_path
):
    # The temporary file has only the first 50 characters of the name.
    path = tmp_path / f"{'0' * 20}{options['api_token']}{'0' * 300}"
    result = Task({**options, "file": str(table), "report_html": str(path)}).run()
    assert result["msg"].startswith("the report could not be written (File name too long). ")


def test_a_failed_run_writes_reports(account, options, table, reports):
    account.fault(calls=["create"], times=None, kind="status", status=400, code=7, message="Nope")
    result = Task({**options, "file": str(table), **reports}).run()
    assert result["failed"]
    assert all("Nope" in text for text in texts_of(reports))


def test_reports_are_written_even_if_the_account_cannot_be_read(account, options, table, reports):
    account.fault(calls=["list"], times=None, kind="status", status=403, code=10000, message="No")
    result = Task({**options, "file": str(table), **reports}).run()
    assert result["failed"]
    assert all("10000" in text and account.id in text for text in texts_of(reports))


@pytest.mark.promise("No report is missing or old without an error")
def test_a_report_that_cannot_be_written_fails_the_task_and_keeps_the_result(
    account, options, table, reports, monkeypatch
):
    monkeypatch.setattr("os.replace", mock.Mock(side_effect=OSError("disk full")))
    result = Task({**options, "file": str(table), **reports}).run()
    assert (result["failed"], result["status"]) == (True, "failed")
    assert result["msg"].endswith("1 newly requires TLS (1 created)")
    assert len(result["created"]) == 1


def test_the_message_about_a_report_that_cannot_be_written_is_short(options, reports, monkeypatch):
    monkeypatch.setattr("os.replace", mock.Mock(side_effect=OSError("x" * 3000)))
    message = Task({**options, "restrictions": [], **reports}).run()["msg"]
    assert len(message) == MAX_MESSAGE_LENGTH


@pytest.mark.parametrize(
    ("given", "keywords"),
    [
        ({"report_html": "/nowhere/at/all.html"}, {}),
        ({"report_html": "/tmp/r.html"}, {"async_val": 60}),
    ],
)
def test_an_unusable_path_is_refused_before_anything_is_sent(account, options, given, keywords):
    result = Task({**options, "restrictions": [], **given}, **keywords).run()
    assert result["failed"]
    assert account.requests() == []


class TaskTimeoutError(BaseException):
    """What ansible-core raises for the task keyword `timeout`."""


@pytest.mark.parametrize("error", [TaskTimeoutError("9 seconds"), ValueError("odd")])
def test_a_report_that_is_cut_off_keeps_the_result(
    account, options, table, reports, monkeypatch, error
):
    monkeypatch.setattr("os.replace", mock.Mock(side_effect=error))
    result = Task({**options, "file": str(table), **reports}).run()
    assert result["failed"]
    assert len(result["created"]) == 1
    assert result["msg"].endswith("1 newly requires TLS (1 created)")


@pytest.mark.parametrize("check_mode", [True, False])
def test_after_ctrl_c_no_report_is_written(account, options, table, reports, check_mode):
    task = Task({**options, "file": str(table), **reports}, check_mode=check_mode)
    task.execute = mock.Mock(side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        task.run()
    assert not any(map(os.path.exists, reports.values()))


def test_ctrl_c_while_a_report_is_written_ends_the_play(options, table, reports, monkeypatch):
    monkeypatch.setattr("os.replace", mock.Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        Task({**options, "file": str(table), **reports}).run()


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_report_costs_no_second_reading(account, options, table, reports, check_mode):
    task = Task({**options, "file": str(table), **reports}, check_mode=check_mode)
    task.read_account = mock.Mock(side_effect=AssertionError)
    result = task.run()
    assert account.calls().count("list") == 1
    assert "account" not in result


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_alone_shows_the_account(account, options, reports, name):
    account.seed([{"domain": "a.example", "comments": "Agreed"}])
    Task({**options, "restrictions": [], name: reports[name]}, check_mode=True).run()
    with open(reports[name], encoding="utf-8") as file:
        assert "Agreed" in file.read()


def restrictions_of(page):
    """Return the domains and comments of the table of restrictions in a report."""
    data = re.search('<script type="application/json" id="data">(.*?)</script>', page)[1]
    return {(row["domain"], row["comments"]) for row in json.loads(data)["restrictions"]}


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_report_shows_the_account_as_it_is_after_the_run(account, options, reports, seconds):
    account.seed([{"domain": f"d{number}.example", "comments": "old"} for number in range(20)])
    entries = [{"domain": f"d{number}.example", "comments": "new"} for number in range(10, 30)]
    given = {"restrictions": entries, "prune": True, "max_delete_percent": 100, "concurrency": 3}
    task = Task({**options, **given, **reports}, seconds)
    result = task.run()
    assert result["msg"].endswith("(10 created, 10 updated, 10 deleted)")
    assert result["api_calls"] == len(account.requests())
    assert (len(task.slices) > 2) == (seconds < 1)
    page, _markdown, _document = texts_of(reports)
    assert restrictions_of(page) == {(entry["domain"], "new") for entry in entries}


def test_a_report_of_a_preview_shows_the_account_as_it_is(account, options, table, reports):
    account.seed([{"domain": "old.example", "comments": "kept"}])
    given = {"file": str(table), "prune": True, **reports}
    Task({**options, **given}, check_mode=True).run()
    page, _markdown, _document = texts_of(reports)
    assert restrictions_of(page) == {("old.example", "kept")}


@pytest.mark.promise("No report is missing or old without an error")
@pytest.mark.parametrize("what", ["account", "list"])
def test_a_report_without_a_reading_says_so_instead_of_zeros(
    account, options, tmp_path, reports, what
):
    if what == "account":
        account.fault(calls=["list"], times=None, kind="status", status=403, code=10000)
        task = Task({**options, "restrictions": [], **reports})
    else:
        task = Task({**options, "file": str(tmp_path / "none.yml"), **reports})
    assert task.run()["status"] == "failed"
    page, markdown, _document = texts_of(reports)
    shown = dict(re.findall("<dt>([^<]*)</dt><dd>([^<]*)</dd>", page))
    del shown["Account"], shown["List"], shown["Prune"]
    assert shown == dict.fromkeys(
        ("Restrictions", "Partners with exempt names", "Exempt names", "Findings"), "not read"
    )
    counts = dict(re.findall(r"^\| (.*?) \| (.*?) \|$", markdown, re.MULTILINE)[2:])
    assert counts == shown
    assert all("The account was not read" in text for text in (page, markdown))


@pytest.mark.promise("No report is missing or old without an error")
@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (AnsibleConnectionFailure("host lost"), "the module could no longer be run (host lost)"),
        (TaskTimeoutError(), "the task was stopped by its timeout of 7 seconds"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_run_that_ends_at_once_replaces_the_report_of_an_earlier_one(
    options, reports, error, problem, check_mode
):
    task = Task({**options, "restrictions": [], **reports}, check_mode=check_mode, timeout=7)
    task.execute = mock.Mock(side_effect=error)
    with pytest.raises(error.__class__):
        task.run()
    assert all(problem in text for text in texts_of(reports))


def document_of(reports):
    with open(reports["report_json"], encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize(
    ("status", "given", "keywords"),
    [
        ("unchanged", {"restrictions": numbered(10)}, {}),
        ("changed", {"restrictions": numbered(11)}, {}),
        ("changed", {"restrictions": numbered(11)}, {"check_mode": True}),
        ("equal", {"restrictions": numbered(10), "compare": True}, {}),
        ("drift", {"restrictions": numbered(11), "compare": True}, {}),
        ("refused", {"restrictions": [], "prune": "yes"}, {}),
        ("failed", {"restrictions": [{"domain": "com"}]}, {}),
    ],
)
def test_the_report_for_programs_has_the_status_of_the_result(
    account, options, reports, status, given, keywords
):
    account.seed(numbered(10))
    result = Task({**options, **reports, **given}, **keywords).run()
    document = document_of(reports)
    assert document["status"] == result["status"] == status
    assert (document["changed"], document["list"]) == (bool(result.get("changed")), None)
    # Drift is what was asked about.
    assert (document["problem"] is None) == (status not in ("refused", "failed"))
    assert document["effects"].items() >= result.get("effects", {}).items()
    assert document["counts"]["unchanged"] == result.get("unchanged")
    assert document["prune"] is (status == "refused")
    assert re.fullmatch(r"\d+\.\d+\.\d+", document["collection_version"])


def test_the_report_for_programs_says_that_a_run_was_cut_short(account, options, reports):
    task = Task(
        {**options, "restrictions": numbered(10), **reports, "concurrency": 1}, 0, timeout=7
    )
    execute = task.execute

    def execute_once(*args):
        if len(task.slices) > 1:
            raise TaskTimeoutError
        return execute(*args)

    task.execute = execute_once
    assert task.run()["status"] == "incomplete"
    document = document_of(reports)
    assert (document["status"], document["counts"]["created"]) == ("incomplete", 1)
    assert document["restrictions"] is None


def test_the_report_for_programs_counts_what_may_have_taken_effect(account, options, reports):
    account.seed(numbered(1))
    account.fault(calls=["update", "get", "list"], skip=1, times=None, kind="status", status=503)
    Task({**options, "restrictions": numbered(1, comments="New"), **reports}).run()
    document = document_of(reports)
    assert (document["counts"]["outcome_unknown"], document["changed"]) == (1, True)
    assert [failure["kind"] for failure in document["failures"]] == ["outcome_unknown"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_reports_show_whom_the_changes_affect_if_the_task_asks(
    account, options, reports, check_mode
):
    account.seed([{"domain": "a.example", "exclude": ["news.a.example"]}])
    account.seed_messages([{"envelope_from": "somebody@news.a.example", "times": 412}])
    given = {"restrictions": [{"domain": "a.example", "exclude": []}], "impact_days": 7, **reports}
    result = Task({**options, **given}, check_mode=check_mode).run()
    page, markdown, _document = texts_of(reports)
    impact = document_of(reports)["impact"]
    (sender,) = result["impact"]["a.example"]
    assert impact == {
        "days": 7,
        "domains": [{"domain": "a.example", "problem": None, "senders": [sender]}],
    }
    need = "would newly require TLS" if check_mode else "newly requires TLS"
    day = sender["last_seen"][:10]
    assert f"news.a.example: 412 messages, last on {day}, {need}, because of" in markdown
    sentence = result["msg"].partition("; ")[2]
    assert sentence.startswith("in 7 days, 1 name")
    for text in (page, markdown, document_of(reports)["summary"]):
        assert sentence in text
    Task({**options, **given, "impact_days": 0}, check_mode=check_mode).run()
    assert document_of(reports)["impact"] is None


def test_reports_of_a_refused_run_show_whom_it_would_have_affected(account, options, reports):
    account.seed_messages([{"envelope_from": "somebody@a.example", "times": 412}])
    limit = {"impact_days": 7, "max_affected_messages": 10}
    Task({**options, "restrictions": [{"domain": "a.example"}], **limit, **reports}).run()
    _page, markdown, _document = texts_of(reports)
    assert "would newly require TLS, because of a.example (not changed)" in markdown
    assert document_of(reports)["status"] == "refused"


COPIES = [{"id": "1", "domain": "own.example", "allowed_delivery_modes": ["BCC"]}]


def test_reports_say_that_restrictions_probably_cannot_drop_any_mail(account, options, reports):
    account.change(domains=COPIES)
    Task({**options, "restrictions": [{"domain": "a.example"}], **reports}).run()
    assert [(each["domain"], each["kind"]) for each in document_of(reports)["findings"]] == [
        (None, "no_direct_delivery")
    ]
    for text in texts_of(reports):
        assert "no domain of this account has the delivery mode DIRECT" in text


@pytest.mark.parametrize(
    ("fault", "has_warning"),
    [
        ({"kind": "status", "status": 403, "code": 10000}, False),
        ({"kind": "status", "status": 500}, True),
        ({"kind": "status", "status": 429, "headers": {"Retry-After": "600"}}, True),
    ],
)
def test_a_report_does_not_fail_if_it_cannot_say_how_mail_is_delivered(
    account, options, reports, fault, has_warning
):
    account.change(domains=COPIES)
    account.fault(calls=["domains"], times=None, **fault)
    task = Task({**options, "restrictions": [{"domain": "a.example"}], **reports})
    result = task.run()
    assert (result["status"], task.waits) == ("changed", [])
    document = document_of(reports)
    assert (document["findings"], bool(document["warnings"])) == ([], has_warning)
    if has_warning:
        assert document["warnings"] == result["warnings"]
        assert (
            "could not check how mail for the account's own domains is delivered"
            in result["warnings"][0]
        )


def test_a_run_that_an_outage_ended_asks_nothing_more_for_its_report(account, options, reports):
    account.seed(numbered(1))
    account.fault(calls=["create"], times=None, kind="status", status=503)
    Task({**options, "restrictions": numbered(9)[1:], **reports}).run()
    assert "domains" not in account.calls()
    assert document_of(reports)["findings"] == []


def test_a_checkout_has_no_version(options, reports, monkeypatch, tmp_path):
    monkeypatch.setattr(_controller, "MANIFEST", tmp_path / "MANIFEST.json")
    Task({**options, "restrictions": [], **reports}).run()
    assert document_of(reports)["collection_version"] is None


def test_each_host_of_a_play_writes_its_own_report(options, tmp_path):
    given = {**options, "restrictions": [], "report_html": str(tmp_path / "r.html")}
    for host in ("one", "two"):
        hosts = {"inventory_hostname": host, "ansible_play_hosts_all": ["one", "two"]}
        assert Task(given).run(**hosts)["status"] == "unchanged"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.one.html", "r.two.html"]
    assert Task(given, run_once=True).run(**hosts)["status"] == "unchanged"
    assert (tmp_path / "r.html").exists()


@pytest.mark.promise("No report is missing or old without an error")
@pytest.mark.parametrize(
    "play",
    [{"strategy": "free"}, {"strategy": "ansible.builtin.host_pinned"}, {"serial": [1]}],
    ids=str,
)
def test_each_host_writes_its_own_report_where_run_once_does_not_mean_one_host(
    options, tmp_path, play
):
    given = {**options, "restrictions": [], "report_html": str(tmp_path / "r.html")}
    hosts = {"inventory_hostname": "one", "ansible_play_hosts_all": ["one", "two"]}
    assert Task(given, play=play, run_once=True).run(**hosts)["status"] == "unchanged"
    assert [path.name for path in tmp_path.iterdir()] == ["r.one.html"]


@pytest.mark.promise("No report is missing or old without an error")
@pytest.mark.parametrize(
    ("host", "inventory", "name"),
    [
        ("one", ["one", "two"], "r.one.html"),
        ("one", ["one"], "r.html"),
        ("localhost", ["one", "two"], "r.html"),
    ],
)
def test_a_limit_does_not_change_the_path_of_a_report(options, tmp_path, host, inventory, name):
    given = {**options, "restrictions": [], "report_html": str(tmp_path / "r.html")}
    hosts = {"inventory_hostname": host, "ansible_play_hosts_all": [host]}
    assert Task(given).run(**hosts, groups={"all": inventory})["status"] == "unchanged"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_items_of_a_loop_do_not_overwrite_the_reports_of_each_other(account, options, reports):
    def run(item, uuid="task", **given):
        task = Task({**options, "restrictions": [], **reports, **given}, _uuid=uuid)
        return task.run(ansible_loop_var="entry", entry=item)

    assert run("one")["status"] == "unchanged"
    # Ansible may retry an item.
    assert run("one")["status"] == "unchanged"
    account.clear_requests()
    refused = run("two")
    assert refused["status"] == "failed"
    assert refused["msg"].endswith("; use another path for each item")
    assert account.requests() == []
    assert run("two", **dict.fromkeys(REPORTS))["status"] == "unchanged"
    assert run("two", uuid="another task")["status"] == "unchanged"


def test_an_unusable_list_leaves_reports_too(options, tmp_path, reports):
    result = Task({**options, "file": str(tmp_path / "none.yml"), **reports}).run()
    assert result["failed"]
    assert all("does not exist" in text for text in texts_of(reports))


@pytest.mark.parametrize(
    "names",
    [
        ("r.md", "r.md", "r.json", "list.csv"),
        ("list.csv", "r.md", "r.json", "list.csv"),
        ("r", "l", "j", "l"),
        ("r", "m", "l", "l"),
        ("r", "m", "r", "l"),
    ],
)
def test_a_report_never_overwrites_another_file_of_the_task(account, options, tmp_path, names):
    given = dict(zip((*REPORTS, "file"), (str(tmp_path / name) for name in names)))
    result = Task({**options, **given}).run()
    assert result["failed"]
    assert "use another path" in result["msg"]
    assert list(tmp_path.iterdir()) == account.requests() == []


@pytest.mark.parametrize("shows_line_breaks", [True, False])
def test_invalid_entries_are_on_lines_of_their_own_where_ansible_shows_lines(
    options, reports, monkeypatch, shows_line_breaks
):
    monkeypatch.setattr(_controller, "SHOWS_LINE_BREAKS", shows_line_breaks)
    result = Task({**options, "restrictions": [{"domain": "com"}] * 2, **reports}).run()
    separator = "\n" if shows_line_breaks else " | "
    assert f"partner.example{separator}entry 2 (com): " in result["msg"]
    for text in texts_of(reports):
        assert "partner.example | entry 2 (com): " in text


def test_a_module_that_crashed_without_a_message_leaves_reports_too(options, reports):
    task = Task({**options, "restrictions": [], **reports})
    task.execute = lambda *args: {"failed": True, "exception": "Traceback"}
    assert task.run()["failed"]
    assert all("the module failed" in text for text in texts_of(reports))
