# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an export shows and warns of, and when it does not touch the file."""

from __future__ import annotations

import os
import sys
from unittest import mock

import pytest
from in_process import Task
from samples import FIRST, numbered

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="controllers need Python 3.10")

EXPORT = "sending_domain_restrictions_export"


@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_an_export_without_changes_does_not_touch_the_file(account, options, tmp_path, extension):
    account.seed([{"domain": "a.example", "comments": "m\xfcller\r\n=1"}])
    path = tmp_path / f"all.{extension}"
    written, unchanged = "1 restriction written to ", "1 restriction unchanged in "
    for message in (written, unchanged):
        result = Task({**options, "path": str(path)}, name=EXPORT).run()
        assert (result["changed"], result["path"]) == (message == written, str(path))
        assert result["msg"].startswith(message)
        assert (path.stat().st_mtime == 1) == (message == unchanged)
        assert "diff" not in result
        os.utime(path, (1, 1))


@pytest.mark.parametrize("no_log", [False, True])
def test_an_export_shows_its_message_unless_no_log_is_set(options, tmp_path, no_log):
    task = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT, no_log=no_log)
    message = task.run()["msg"]
    assert task.shown == ([] if no_log else [f"[host] {message}"])


@pytest.mark.parametrize(("number", "more"), [(4, 0), (5, 0), (6, 1), (8, 3)])
def test_an_export_warns_of_five_findings_and_counts_the_others(
    account, options, tmp_path, number, more
):
    account.seed(numbered(number) * 2)
    result = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT).run()
    messages = [finding["message"] for finding in result["findings"]]
    assert len(messages) == number
    shown = "; ".join([*messages[:5], *([f"and {more} more"] if more else [])])
    assert result["warnings"] == [f"{number} findings: {shown}"]


def test_an_export_passes_on_the_warnings_of_the_api(account, options, tmp_path):
    account.seed([{"domain": "com"}])
    messages = {"messages": [{"code": 1, "message": "Soon gone"}]}
    account.fault(calls=["list"], kind="merge", set=messages)
    result = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT).run()
    from_api, own = result["warnings"]
    assert "Soon gone" in from_api and "(com)" in own


def test_an_export_from_a_lost_host_writes_nothing(options, tmp_path):
    task = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT)
    task.read_account = lambda options: {"unreachable": True, "msg": "host lost"}
    result = task.run()
    assert (result["unreachable"], result["msg"]) == (True, "host lost")
    assert list(tmp_path.iterdir()) == task.shown == []


def test_an_export_warns_of_restrictions_that_it_writes_in_part(account, options, tmp_path):
    account.seed([{"domain": "a.example", "comments": "\x01"}])
    result = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT).run()
    (warning,) = result["warnings"]
    assert warning.startswith("1 restriction without ") and "(a.example)" in warning


@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_an_export_rewrites_line_endings_that_git_converted(account, options, tmp_path, extension):
    account.seed([{"domain": "a.example", "comments": "one\ntwo"}])
    path = tmp_path / f"all.{extension}"
    Task({**options, "path": str(path)}, name=EXPORT).run()
    written = path.read_bytes()
    path.write_bytes(written.replace(b"\n", b"\r\n"))
    assert Task({**options, "path": str(path)}, name=EXPORT).run()["changed"]
    assert path.read_bytes() == written


def test_an_export_does_not_overwrite_a_file_that_is_not_text(options, tmp_path):
    path = tmp_path / "all.yml"
    path.write_bytes(b"\xff")
    result = Task({**options, "path": str(path)}, name=EXPORT).run()
    assert "set force" in result["msg"]
    assert path.read_bytes() == b"\xff"


def test_an_export_that_cannot_be_written_fails_with_the_reason(options, tmp_path, monkeypatch):
    full = mock.Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr("os.replace", full)
    monkeypatch.chdir(tmp_path)
    result = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT).run()
    assert (result["failed"], result["msg"]) == (
        True,
        "all.yml cannot be written (No space left on device); check the permissions and the free"
        " space of its directory, or use another path",
    )


def test_an_export_over_a_file_that_cannot_be_read_fails_with_the_reason(
    account, options, tmp_path, monkeypatch
):
    (tmp_path / "all.yml").write_text("mine")
    monkeypatch.chdir(tmp_path)
    task = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT)
    # The tests may run as root, who may read everything.
    denied = mock.Mock(side_effect=PermissionError(13, "Permission denied"))
    monkeypatch.setattr("builtins.open", denied)
    assert task.run()["msg"] == (
        "all.yml cannot be read (Permission denied); check its permissions, or use another path"
    )
    assert account.requests() == []


@pytest.mark.promise("An export does not overwrite your work")
@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("domain,exclude,comments,id", "exists and differs from the export"),
        (
            "Domain;Owner;Comments;;created_at",
            "contains the column 'Owner', which an export removes",
        ),
        (
            "\ufeffdomain,exclude,state, Job title",
            "contains the columns 'state', 'Job title', which an export removes",
        ),
        (
            "domain,a,b,c,d,e,f",
            "contains the columns 'a', 'b', 'c', 'd', 'e' and 1 more, which an export removes",
        ),
        ('"domain"x,Owner', "exists and differs from the export"),
        ("Owner,Notes", "exists and differs from the export"),
    ],
)
def test_an_edited_table_is_overwritten_only_with_force_and_a_warning_of_lost_columns(
    account, options, tmp_path, monkeypatch, header, problem
):
    path = tmp_path / "all.csv"
    table = f"{header}\r\na.example,,mine,,\r\n".encode()
    path.write_bytes(table)
    monkeypatch.chdir(tmp_path)
    result = Task({**options, "path": "all.csv", "directory": str(tmp_path)}, name=EXPORT).run()
    assert result["msg"] == (f"all.csv {problem}; use another path, or set force to overwrite it")
    assert path.read_bytes() == table
    result = Task({**options, "path": str(path), "force": True}, name=EXPORT).run()
    columns = problem.partition("the ")[2].partition(", which")[0]
    expected = f"overwriting all.csv removes its {columns}"
    assert result["warnings"] == ([expected] if "column" in columns else [])
    assert path.read_text() == "domain,exclude,comments\n"


@pytest.mark.parametrize("path", [None, ""])
def test_an_export_to_a_path_without_a_value_is_refused_before_anything_is_sent(
    account, options, path
):
    result = Task({**options, "path": path}, name=EXPORT).run()
    assert result["msg"] == "path has no value; set it to the file to write"
    assert account.calls() == []


def test_an_export_to_a_file_of_an_unknown_format_is_refused_before_anything_is_sent(
    account, options, tmp_path
):
    result = Task({**options, "path": str(tmp_path / "all.txt")}, name=EXPORT).run()
    assert "all.txt has an unknown extension" in result["msg"]
    assert account.requests() == []


def test_a_separator_that_does_not_go_with_the_format_is_refused_before_anything_is_sent(
    account, options, tmp_path
):
    given = {**options, "path": str(tmp_path / "all.yml"), "separator": "semicolon"}
    assert "omit separator" in Task(given, name=EXPORT).run()["msg"]
    assert account.requests() == []


def test_an_export_uses_the_separator_of_the_task(options, tmp_path):
    path = tmp_path / "all.csv"
    Task({**options, "path": str(path), "separator": "semicolon"}, name=EXPORT).run()
    assert path.read_text() == "domain;exclude;comments\n"


def test_the_path_of_the_task_decides_the_format_of_an_export_even_if_it_is_a_link(
    options, tmp_path
):
    (tmp_path / "all.csv").symlink_to("target")
    Task({**options, "path": str(tmp_path / "all.csv")}, name=EXPORT).run()
    assert (tmp_path / "target").read_text() == "domain,exclude,comments\n"


def test_the_letter_case_of_the_account_does_not_make_it_another_one(account, options, tmp_path):
    task = Task({**options, "path": str(tmp_path / "all.yml")}, name=EXPORT)
    task.run()
    account.seed([{"domain": "a.example"}])
    read = task.read_account
    task.read_account = lambda given: {**read(given), "account_id": account.id.upper()}
    assert task.run()["changed"]


def test_an_export_and_its_diff_have_no_secret_whatever_the_module_returns(options, tmp_path):
    token = options["api_token"]
    record = {"id": FIRST, "domain": "a.example", "comments": f"Agreed {token}"}
    path = tmp_path / f"{token}.yml"
    path.write_text(f"# Mine, {token}\n")
    given = {**options, "path": str(path), "force": True}
    task = Task(given, name=EXPORT, diff=True)
    task.read_account = lambda options: {
        "account_id": options["account_id"],
        "sending_domain_restrictions": [record],
        "findings": [],
    }
    result = task.run()
    assert result["diff"]["before"].startswith("# Mine, ")
    assert "- domain: a.example" in result["diff"]["after"]
    assert token not in str(result) + path.read_text()


def test_an_export_in_check_mode_shows_the_file_but_does_not_write_it(options, account, tmp_path):
    account.seed([{"domain": "a.example"}])
    path = tmp_path / "all.yml"
    task = Task({**options, "path": str(path)}, name=EXPORT, check_mode=True, diff=True)
    result = task.run()
    assert result["changed"]
    assert not path.exists()
    assert result["diff"]["before"] == ""
    assert "- domain: a.example\n" in result["diff"]["after"]


@pytest.mark.promise("An export does not overwrite your work")
@pytest.mark.parametrize(
    ("old", "force", "is_written"),
    [
        (None, False, True),
        ("export", False, True),
        ("export of another account", False, False),
        ("export of another account", True, True),
        ("edited", False, False),
        ("edited", True, True),
        ("somebody's", False, False),
    ],
)
def test_an_export_overwrites_only_unedited_exports_unless_forced(
    emulator, account, options, tmp_path, old, force, is_written
):
    account.seed([{"domain": "a.example"}])
    path = tmp_path / "all.yml"
    if old in ("export", "edited"):
        Task({**options, "path": str(path)}, name=EXPORT).run()
    if old == "export of another account":
        other = emulator.create_account()
        theirs = {**options, "account_id": other.id, "api_token": other.tokens["write"]}
        Task({**theirs, "path": str(path)}, name=EXPORT).run()
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
