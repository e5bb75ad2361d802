# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths and files of the controller."""

from __future__ import annotations

import os
import stat
from types import SimpleNamespace

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _controller


def action(folder):
    def path_dwim(path):
        return os.path.join(str(folder), path)

    return SimpleNamespace(_loader=SimpleNamespace(path_dwim=path_dwim))


def test_a_relative_path_starts_at_the_folder_of_the_playbook(tmp_path):
    (tmp_path / "there.html").write_text("old")
    for name in ("new.html", "there.html"):
        assert _controller.path_to_write(action(tmp_path), name) == str(tmp_path / name)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("folder", "is a folder"),
        ("nowhere/report.html", "does not exist"),
        ("/dev/null", "is not a regular file"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path, path, problem):
    (tmp_path / "folder").mkdir()
    with pytest.raises(_controller.UnusableFile, match=problem):
        _controller.path_to_write(action(tmp_path), path)


@pytest.mark.parametrize("locked", ["", "report.html"])
def test_a_path_without_permission_is_refused(tmp_path, monkeypatch, locked):
    (tmp_path / "report.html").write_text("old")
    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path / locked))
    with pytest.raises(_controller.UnusableFile, match="permissions"):
        _controller.path_to_write(action(tmp_path), "report.html")


def test_a_file_is_called_as_people_call_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _controller.shown_path(str(tmp_path / "lists" / "a.csv")) == "lists/a.csv"
    assert _controller.shown_path("/elsewhere/a.csv") == "/elsewhere/a.csv"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "partners.yml"
    path.write_text("old")

    def fail(*paths):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        _controller.write_text(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["partners.yml"]


def test_a_file_keeps_its_mode_and_a_new_one_gets_that_of_the_umask(tmp_path):
    old, new = tmp_path / "old.yml", tmp_path / "new.yml"
    old.write_text("old")
    old.chmod(0o640)
    umask = os.umask(0o022)
    try:
        for path in (old, new):
            _controller.write_text(str(path), "müller\r\n")
    finally:
        os.umask(umask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, new)] == [0o640, 0o644]
    assert new.read_bytes() == "müller\r\n".encode()
