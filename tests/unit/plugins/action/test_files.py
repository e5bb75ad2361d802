# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists from files, reports and exports: the files that the action plugins read and write."""

from __future__ import annotations

import sys
from unittest import mock

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from in_process import Task

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="controllers need Python 3.10")

EXPORT = "sending_domain_restrictions_export"
REPORTS = ("report_html", "report_markdown")


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
    return texts


@pytest.mark.parametrize("seconds", [0.001, 60])
def test_a_file_is_applied_in_any_number_of_time_slices(account, options, tmp_path, seconds):
    path = tmp_path / "list.yml"
    rows = "".join(f"- domain: d{number}.example\n" for number in range(30))
    path.write_text("sending_domain_restrictions:\n" + rows)
    result = Task({**options, "file": str(path)}, seconds).run()
    assert result["msg"] == "30 created"
    assert len(account.restrictions()) == 30


def test_an_invalid_entry_is_named_by_line_before_anything_is_sent(account, options, table):
    with table.open("a") as file:
        file.write("com,\n")
    result = Task({**options, "file": str(table)}).run()
    assert result["failed"]
    assert "partners.csv line 3 (com)" in result["msg"]
    assert account.requests() == []


@pytest.mark.parametrize("given", [{"file": "x.yml", "restrictions": []}, {}])
def test_a_list_comes_from_exactly_one_place(options, given):
    result = Task({**options, **given}).run()
    assert result["failed"]
    assert "restrictions" in result["msg"] and "file" in result["msg"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_reports_show_what_changes_and_what_is_enforced(
    account, options, table, reports, check_mode
):
    account.seed([{"domain": "b.example"}, {"domain": "Old.example"}, {"domain": "old.example"}])
    task = Task({**options, "file": str(table), **reports}, check_mode=check_mode)
    result = task.run()
    assert "failed" not in result
    for text in texts_of(reports):
        for expected in (
            "a.example",
            "b.example",
            "partners.csv",
            account.id,
            result["msg"],
            "keep one",
        ):
            assert expected in text
    assert len(account.restrictions()) == (3 if check_mode else 4)
    assert sum("report: " in line for line in task.shown) == 2


def test_a_failed_run_writes_reports(account, options, table, reports):
    account.fault(calls=["create"], times=None, kind="status", status=400, code=7, message="Nope")
    result = Task({**options, "file": str(table), **reports}).run()
    assert result["failed"]
    assert all("Nope" in text for text in texts_of(reports))


def test_reports_are_written_even_if_the_account_cannot_be_read(account, options, table, reports):
    account.fault(calls=["list"], times=None, kind="status", status=403, code=10000, message="No")
    result = Task({**options, "file": str(table), **reports}).run()
    assert result["failed"]
    assert all("10000" in text for text in texts_of(reports))


def test_a_report_that_cannot_be_written_fails_the_task_and_keeps_the_result(
    account, options, table, reports, monkeypatch
):
    monkeypatch.setattr("os.replace", mock.Mock(side_effect=OSError("disk full")))
    result = Task({**options, "file": str(table), **reports}).run()
    assert result["failed"]
    assert result["msg"].endswith("1 created")
    assert len(result["created"]) == 1


@pytest.mark.parametrize(
    ("given", "keywords"),
    [
        ({"report_html": "/nowhere/at/all.html"}, {}),
        ({"report_html": "/tmp/r.html"}, {"async_val": 60}),
        ({"file": "/nowhere/at/all.yml"}, {}),
    ],
)
def test_unusable_paths_are_refused_before_anything_is_sent(account, options, given, keywords):
    result = Task({**options, "restrictions": [], **given}, **keywords).run()
    if "file" in given:
        result = Task({**options, **given}).run()
    assert result["failed"]
    assert account.requests() == []


@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_applying_an_export_changes_nothing(account, options, tmp_path, extension):
    comments = "müller {{ x }}\n=1"
    account.seed([{"domain": "B.example", "comments": comments}, {"domain": "a.example"}])
    path = str(tmp_path / f"all.{extension}")
    result = Task({**options, "path": path}, name=EXPORT).run()
    assert (result["changed"], result["path"]) == (True, path)
    assert result["msg"].startswith("2 restrictions written to ")
    assert not Task({**options, "path": path}, name=EXPORT).run()["changed"]
    applied = Task({**options, "file": path, "prune": True}).run()
    assert applied["msg"] == "no changes, 2 unchanged"


def test_an_export_in_check_mode_shows_the_file_but_does_not_write_it(options, account, tmp_path):
    account.seed([{"domain": "a.example"}])
    path = tmp_path / "all.yml"
    task = Task({**options, "path": str(path)}, name=EXPORT, check_mode=True, diff=True)
    result = task.run()
    assert result["changed"]
    assert not path.exists()
    assert result["diff"]["before"] == ""
    assert "- domain: a.example\n" in result["diff"]["after"]


@pytest.mark.parametrize(
    ("old", "force", "is_written"),
    [
        (None, False, True),
        ("export", False, True),
        ("edited", False, False),
        ("edited", True, True),
        ("somebody's", False, False),
    ],
)
def test_an_export_overwrites_only_unedited_exports_unless_forced(
    account, options, tmp_path, old, force, is_written
):
    account.seed([{"domain": "a.example"}])
    path = tmp_path / "all.yml"
    if old in ("export", "edited"):
        Task({**options, "path": str(path)}, name=EXPORT).run()
    if old == "edited":
        path.write_text(path.read_text() + "# Mine\n")
    if old == "somebody's":
        path.write_text("mine")
    before = path.read_text() if path.exists() else None
    account.seed([{"domain": "b.example"}])
    result = Task({**options, "path": str(path), "force": force}, name=EXPORT).run()
    assert bool(result.get("failed")) != is_written
    assert ("b.example" in path.read_text()) == is_written
    assert is_written or path.read_text() == before


def test_an_export_warns_of_findings_and_of_restrictions_that_it_leaves_out(
    account, options, tmp_path
):
    account.seed([{"domain": "com"}, {"domain": "a.example"}, {"domain": "A.example"}])
    result = Task({**options, "path": str(tmp_path / "all.csv")}, name=EXPORT).run()
    assert result["left_out"] == ["com"]
    assert [finding["domain"] for finding in result["findings"]] == ["a.example"]
    left_out, findings = result["warnings"]
    assert "(com)" in left_out
    assert result["findings"][0]["message"] in findings


def test_an_export_of_an_unreadable_account_writes_nothing(account, options, tmp_path):
    account.fault(calls=["list"], times=None, kind="status", status=403, code=10000, message="No")
    result = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT).run()
    assert result["failed"] and "10000" in result["msg"]
    assert list(tmp_path.iterdir()) == []


class TaskTimeoutError(BaseException):
    """What ansible-core raises for the task keyword `timeout`."""


@pytest.mark.parametrize("error", [TaskTimeoutError("9 seconds"), AnsibleError("host lost")])
def test_a_report_that_is_cut_off_keeps_the_result(account, options, table, reports, error):
    task = Task({**options, "file": str(table), **reports})
    task.read_account = mock.Mock(side_effect=error)
    result = task.run()
    assert result["failed"]
    assert len(result["created"]) == 1
    assert result["msg"].endswith("1 created")


def test_a_run_that_succeeded_does_not_fail_for_its_report(account, options, table, reports):
    task = Task({**options, "file": str(table), **reports})
    task.read_account = lambda options: {"failed": True, "msg": "it is down"}
    result = task.run()
    assert "failed" not in result
    assert "it is down" in result["warnings"][0]
    assert all("it is down" in text and "Failed" not in text for text in texts_of(reports))


def test_an_unusable_list_leaves_reports_too(options, tmp_path, reports):
    result = Task({**options, "file": str(tmp_path / "none.yml"), **reports}).run()
    assert result["failed"]
    assert all("does not exist" in text for text in texts_of(reports))


@pytest.mark.parametrize(
    "names", [("r.md", "r.md", "list.csv"), ("list.csv", "r.md", "list.csv"), ("r", "l", "l")]
)
def test_a_report_never_overwrites_another_file_of_the_task(account, options, tmp_path, names):
    given = dict(zip((*REPORTS, "file"), (str(tmp_path / name) for name in names)))
    result = Task({**options, **given}).run()
    assert result["failed"]
    assert "use another path" in result["msg"]
    assert list(tmp_path.iterdir()) == account.requests() == []


def test_an_encrypted_list_is_decrypted(options, account, tmp_path, monkeypatch):
    plain = tmp_path / "plain"
    plain.write_text("domain\na.example\n")
    (tmp_path / "list.csv").write_text("$ANSIBLE_VAULT;1.1;AES256\n3030\n")
    monkeypatch.setattr(DataLoader, "get_real_file", lambda loader, path: str(plain))
    assert Task({**options, "file": str(tmp_path / "list.csv")}).run()["msg"] == "1 created"


def test_a_list_that_cannot_be_decrypted_is_refused(options, tmp_path):
    (tmp_path / "list.csv").write_text("$ANSIBLE_VAULT;1.1;AES256\n3030\n")
    result = Task({**options, "file": str(tmp_path / "list.csv")}).run()
    assert "list.csv cannot be decrypted (" in result["msg"]


def test_options_of_the_role_replace_others_unless_they_are_empty(account, options, tmp_path):
    role_options = {"account_id": account.id, "api_token": "", "api_url": ""}
    options = {**options, "account_id": "0" * 32, "role_options": role_options}
    assert Task({**options, "restrictions": []}).run()["msg"] == "no changes"
    exported = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT).run()
    assert exported["msg"].startswith("0 restrictions")


def test_a_list_without_a_value_is_refused(options, account):
    result = Task({**options, "restrictions": None}).run()
    assert result["msg"] == "restrictions has no value; write [] for an empty list"
    assert account.requests() == []


def test_a_module_that_crashed_without_a_message_leaves_reports_too(options, reports):
    task = Task({**options, "restrictions": [], **reports})
    task.execute = lambda *args: {"failed": True, "exception": "Traceback"}
    assert task.run()["failed"]
    assert all("the module failed" in text for text in texts_of(reports))
