# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the controller: their paths, and how they are written."""

from __future__ import annotations

import errno
import os
import stat
from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import (
    _files,
    _report_paths,
)
from hypothesis import given
from hypothesis import strategies as st


def action(start, **args):
    def path_dwim(path):
        return os.path.join(str(start), path)

    return SimpleNamespace(
        _loader=SimpleNamespace(path_dwim=path_dwim), _task=SimpleNamespace(args=args)
    )


def test_a_relative_path_starts_at_the_directory_of_the_playbook(tmp_path):
    (tmp_path / "there.html").write_text("old")
    for name in ("new.html", "there.html"):
        assert _files.path_to_write(action(tmp_path), name) == str(tmp_path / name)


def test_the_file_behind_a_link_is_written_so_that_the_link_stays(tmp_path):
    (tmp_path / "link.yml").symlink_to("partners.yml")
    path = _files.path_to_write(action(tmp_path), "link.yml")
    _files.write_text(path, "new")
    assert (tmp_path / "partners.yml").read_text() == "new"
    assert (tmp_path / "link.yml").is_symlink()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("directory", "is a directory"),
        ("nowhere/report.html", "does not exist"),
        ("/dev/null", "is not a regular file"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path, path, problem):
    (tmp_path / "directory").mkdir()
    with pytest.raises(_files.UnusableFile, match=problem):
        _files.path_to_write(action(tmp_path), path)


@pytest.mark.parametrize(("locked", "path"), [("", "new.html"), ("report.html", "report.html")])
def test_a_path_without_permission_is_refused(tmp_path, monkeypatch, locked, path):
    (tmp_path / "report.html").write_text("old")
    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path / locked))
    with pytest.raises(_files.UnusableFile, match="permissions"):
        _files.path_to_write(action(tmp_path), path)


def test_a_file_may_be_in_a_directory_of_somebody_else(tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path))
    assert _files.path_to_write(action(tmp_path), "report.html")


def test_a_relative_path_starts_at_the_directory_that_the_task_names(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    task = action("/playbook", directory=str(tmp_path))
    assert _files.absolute_path(task, "a.yml") == str(tmp_path / "a.yml")
    assert _files.absolute_path(task, "~/a.yml") == "/home/me/a.yml"
    assert _files.absolute_path(action("/x", directory="lists"), "a.yml") == "/x/lists/a.yml"


@pytest.mark.parametrize("value", [None, "", " ", False, "false", "False", "no", "None", "0", 0])
def test_a_value_that_means_no_gives_no_report(value):
    assert _report_paths.report_path({"report_html": value}, "report_html") is None
    assert _report_paths.report_path({}, "report_html") is None


@pytest.mark.parametrize("value", [True, "true", "yes", 1, ["a.html"], {"a": "b"}])
def test_a_value_that_is_not_a_path_is_refused_in_one_sentence(value):
    with pytest.raises(_files.UnusableFile, match="^report_html is .*not a path; give the"):
        _report_paths.report_path({"report_html": value}, "report_html")


@pytest.mark.parametrize(
    ("path", "host", "expected"),
    [
        ("r.html", "hq", "r.hq.html"),
        ("out/r-hq.html", "hq", "out/r-hq.html"),
        ("out_hq/r.html", "hq", "out_hq/r.html"),
        ("hqs.html", "hq", "hqs.hq.html"),
        ("summary", "hq", "summary.hq"),
        ("hq-eu.html", "hq-eu", "hq-eu.hq-eu.html"),
        ("r.html", "a/b", "r.a_b.html"),
    ],
)
def test_a_report_is_named_after_its_host_in_a_play_with_several(path, host, expected):
    others = ["hq", "eu"] if host == "hq-eu" else ["other"]
    assert _report_paths.path_for_host(path, host, others) == expected
    assert _report_paths.path_for_host(path, host, []) == path


HOSTS = st.text("ab.-1", min_size=1, max_size=4)


@pytest.mark.promise("No report is missing or old without an error")
@given(st.lists(HOSTS, min_size=2, max_size=5, unique=True), st.data())
def test_no_two_hosts_write_one_file(hosts, data):
    paths = st.sampled_from([f"{host}.html" for host in hosts] + ["r.html", "-".join(hosts)])
    written = [
        _report_paths.path_for_host(
            data.draw(paths), host, [each for each in hosts if each != host]
        )
        for host in hosts
    ]
    assert len(set(written)) == len(hosts)


def test_a_file_is_called_as_people_call_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _files.shown_path(str(tmp_path / "lists" / "a.csv")) == "lists/a.csv"
    assert _files.shown_path("/elsewhere/a.csv") == "/elsewhere/a.csv"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "partners.yml"
    path.write_text("old")

    def fail(*paths):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        _files.write_text(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["partners.yml"]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EPERM, errno.EACCES])
@pytest.mark.parametrize("call", ["replace", "chown"])
def test_a_file_that_cannot_be_replaced_is_written_in_place(tmp_path, monkeypatch, number, call):
    path = tmp_path / "mounted.yml"
    path.write_text("old and longer")
    inode = path.stat().st_ino

    def fail(*args):
        raise OSError(number, "no")

    monkeypatch.setattr(os, call, fail)
    if call == "chown":
        belongs_to_somebody_else(path, monkeypatch)
    _files.write_text(str(path), "new")
    assert (path.read_text(), path.stat().st_ino) == ("new", inode)
    assert os.listdir(tmp_path) == ["mounted.yml"]


def belongs_to_somebody_else(path, monkeypatch):
    """Make a file look like one of another user. Only root could really give it away."""
    real = os.stat

    def stat_of(name, **options):
        found = real(name, **options)
        if str(name) != str(path):
            return found
        ids = {"st_uid": 1234, "st_gid": 5678}
        return SimpleNamespace(st_mode=found.st_mode, st_ino=found.st_ino, **ids)

    monkeypatch.setattr(os, "stat", stat_of)


def test_a_file_keeps_its_owner(tmp_path, monkeypatch):
    path, given_to = tmp_path / "theirs.yml", []
    path.write_text("old")
    belongs_to_somebody_else(path, monkeypatch)
    monkeypatch.setattr(os, "chown", lambda name, uid, gid: given_to.append((uid, gid)))
    _files.write_text(str(path), "new")
    assert (path.read_text(), given_to) == ("new", [(1234, 5678)])


def test_a_text_that_is_not_unicode_does_not_harm_the_old_file(tmp_path):
    path = tmp_path / "partners.yml"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        _files.write_text(str(path), "\ud800")
    assert path.read_text() == "old"


def test_a_killed_run_leaves_a_file_whose_name_says_what_it_is(tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(
        os, "replace", lambda old, new: names.append(os.path.relpath(old, str(tmp_path)))
    )
    _files.write_text(str(tmp_path / "report.html"), "new")
    assert names[0].startswith(".report.html.") and names[0].endswith(".tmp")
    _files.write_text(str(tmp_path / ("\u00fc" * 120 + ".md")), "new")


def test_a_file_keeps_its_mode_and_a_new_one_gets_that_of_the_umask(tmp_path):
    old, new = tmp_path / "old.yml", tmp_path / "new.yml"
    old.write_text("old")
    old.chmod(0o640)
    umask = os.umask(0o022)
    try:
        for path in (old, new):
            _files.write_text(str(path), "müller\r\n")
    finally:
        assert os.umask(umask) == 0o022
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, new)] == [0o640, 0o644]
    assert new.read_bytes() == "müller\r\n".encode()
