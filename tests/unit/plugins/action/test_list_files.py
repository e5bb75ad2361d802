# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that the action plugin of sending_domain_restrictions reads from files."""

from __future__ import annotations

import sys

import pytest
from ansible.parsing.dataloader import DataLoader
from in_process import Task

pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="controllers need Python 3.10")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "partners.csv"
    path.write_text("domain,comments\na.example,=1\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_file_is_applied_in_any_number_of_time_slices(account, options, tmp_path, seconds):
    path = tmp_path / "list.yml"
    rows = "".join(f"- domain: d{number}.example\n" for number in range(30))
    path.write_text("sending_domain_restrictions:\n" + rows)
    result = Task({**options, "file": str(path)}, seconds).run()
    assert result["msg"] == "30 newly require TLS (30 created)"
    assert len(account.restrictions()) == 30


def test_an_invalid_entry_is_named_by_line_before_anything_is_sent(account, options, table):
    with table.open("a") as file:
        file.write("com,\n")
    result = Task({**options, "file": str(table)}).run()
    assert result["failed"]
    assert "partners.csv line 3 (com)" in result["msg"]
    assert account.requests() == []


@pytest.mark.promise("No row and no column vanishes without a word")
@pytest.mark.parametrize("prune", [False, "no", True, "yes"])
def test_a_file_that_may_be_cut_off_is_warned_of_and_never_pruned(account, options, table, prune):
    table.write_text("domain\npartner.exam")
    account.seed([{"domain": "partner.example"}])
    result = Task({**options, "file": str(table), "prune": prune}).run()
    domains = {restriction["domain"] for restriction in account.restrictions()}
    if prune in (True, "yes"):
        assert result["failed"]
        assert "partners.csv does not end with a line break" in result["msg"]
        assert domains == {"partner.example"}
    else:
        assert "partners.csv does not end with a line break" in result["warnings"][0]
        assert domains == {"partner.example", "partner.exam"}


@pytest.mark.parametrize("given", [{"file": "x.yml", "restrictions": []}, {}])
def test_a_list_comes_from_exactly_one_place(options, given):
    result = Task({**options, **given}).run()
    assert result["failed"]
    assert "restrictions" in result["msg"] and "file" in result["msg"]


@pytest.mark.parametrize("content", ["domain\na.example\n", "not a list"])
def test_the_decrypted_copy_of_a_list_is_removed_at_once(
    options, account, tmp_path, monkeypatch, content
):
    plain = tmp_path / "plain"
    (tmp_path / "list.csv").write_text("$ANSIBLE_VAULT;1.1;AES256\n3030\n")

    def decrypt(loader, path):
        plain.write_text(content)
        loader._tempfiles.add(str(plain))
        return str(plain)

    monkeypatch.setattr(DataLoader, "get_real_file", decrypt)
    task, copies = Task({**options, "file": str(tmp_path / "list.csv")}), []
    execute = task.execute
    task.execute = lambda *args: copies.append(plain.exists()) or execute(*args)
    assert task.run()["status"] == ("changed" if content.startswith("domain") else "failed")
    assert not any(copies) and not plain.exists()


def test_a_missing_file_is_refused_before_anything_is_sent(account, options, tmp_path):
    result = Task({**options, "file": str(tmp_path / "none.yml")}).run()
    assert "none.yml does not exist" in result["msg"]
    assert account.requests() == []


def test_a_list_that_cannot_be_decrypted_is_refused(options, tmp_path):
    (tmp_path / "list.csv").write_text("$ANSIBLE_VAULT;1.1;AES256\n3030\n")
    result = Task({**options, "file": str(tmp_path / "list.csv")}).run()
    assert "list.csv cannot be decrypted (" in result["msg"]


def test_a_list_without_a_value_is_refused(options, account):
    result = Task({**options, "restrictions": None}).run()
    assert result["msg"] == (
        "restrictions has no value; set it to the list, or to [] only if there should be none"
    )
    assert account.requests() == []


@pytest.mark.parametrize("ignored", ["Owner, no.", ["Owner", "No."], "*"])
def test_columns_of_a_file_are_ignored_as_lists_are_given(options, account, tmp_path, ignored):
    path = tmp_path / "list.csv"
    path.write_text("No.,domain,Owner\n1,a.example,x\n")
    assert Task({**options, "file": str(path), "ignore_columns": ignored}).run()["changed"]
    assert [record["domain"] for record in account.restrictions()] == ["a.example"]


def test_ignored_columns_that_are_not_a_list_are_refused(options, account, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("domain\na.example\n")
    result = Task({**options, "file": str(path), "ignore_columns": {"Owner": 1}}).run()
    assert result["msg"] == "ignore_columns is not a list; give a list of names"
    assert account.requests() == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("sending_domain_restrictions", {}),
        ("sending_domain_restriction_info", {"sender_domain": "a.example"}),
    ],
)
def test_a_warning_about_a_file_has_no_secret(options, tmp_path, name, more):
    path = tmp_path / f"{options['api_token']}.csv"
    path.write_text("domain\na.example")
    shared = {each: options[each] for each in ("account_id", "api_token", "api_url")}
    result = Task({**shared, "file": str(path), **more}, name=name).run()
    assert "********.csv does not end with a line break" in result["warnings"][0]
