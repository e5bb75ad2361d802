# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the reports of a task are written, so that none overwrites another file."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import REPORTS
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    runs_once,
    task_uuid,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import (
    UnusableFile,
    absolute_path,
    path_option,
    path_to_write,
    shown_path,
)

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

Values = t.Dict[str, t.Any]

# What a path is set to when there is to be no file.
_NOTHING = {"", "none", "null", *BOOLEANS_FALSE}

# The item that a report is about, by task and path. The items of a loop run in one process.
_items_of_reports: dict[tuple[str, str], t.Any] = {}


def report_paths(action: ActionBase, options: Values, task_vars: Values) -> dict[str, str | None]:
    """Return the absolute path of each report, by its option; `None` if there is to be no report.

    Raises:
        UnusableFile: a report cannot be written there, or would overwrite another file.
    """
    given = {name: report_path(options, name) for name in REPORTS}
    host, others = task_vars.get("inventory_hostname", "localhost"), _other_hosts(action, task_vars)
    paths = {
        name: path_to_write(action, path_for_host(path, host, others)) if path else None
        for name, path in given.items()
    }
    written = [path for path in paths.values() if path]
    if written and action._task.async_val:
        raise UnusableFile("a report does not work with async; omit one of the two")
    file = path_option(options, "file")
    files = [os.path.realpath(absolute_path(action, file))] if file else []
    if len({*files, *written}) < len(files + written):
        raise UnusableFile("a report would overwrite another file of the task; use another path")
    if "ansible_loop_var" in task_vars:
        item = task_vars.get(task_vars["ansible_loop_var"])
        _refuse_paths_of_another_item(action, written, item)
    return paths


def hosts_of(action: ActionBase, task_vars: Values) -> list[str]:
    """Return the hosts of the play that run a task; none if only one of them does."""
    hosts: list[str] = task_vars.get("ansible_play_hosts_all", [])
    return [] if runs_once(action) else hosts


def report_path(options: dict[str, t.Any], name: str) -> str | None:
    """Return the path in an option for a report; `None` if there is to be no report.

    On a command line, `-e report_html=false` gives a text.

    Raises:
        UnusableFile: the value is not a path.
    """
    path = path_option(options, name)
    word = (path or "").strip().lower()
    if word in _NOTHING:
        return None
    if word in BOOLEANS_TRUE:
        raise UnusableFile(f"{name} is {path}, not a path; give the path of a file to write")
    return path


def path_for_host(path: str, host: str, others: t.Iterable[str]) -> str:
    """Return a path that no other host has: with the name of the host, unless it has it.

    Arguments:
        others: the names of the other hosts.
    """
    others = list(others)
    if not others or _is_named(host, path) and not any(_is_named(name, path) for name in others):
        return path
    stem, extension = os.path.splitext(path)
    return f"{stem}.{host.replace(os.sep, '_')}{extension}"


def _is_named(host: str, path: str) -> bool:
    return host in path and bool(re.search(rf"(?<![^\W_]){re.escape(host)}(?![^\W_])", path))


def _other_hosts(action: ActionBase, task_vars: Values) -> set[str]:
    """Return the hosts for which the same task may write reports, whatever `--limit` says.

    A play on localhost is seldom for other hosts of the inventory.
    """
    host = task_vars.get("inventory_hostname", "localhost")
    others = set(hosts_of(action, task_vars))
    if host != "localhost" and not runs_once(action):
        others.update(task_vars.get("groups", {}).get("all", []))
    return others - {host}


def _refuse_paths_of_another_item(action: ActionBase, paths: list[str], item: t.Any) -> None:
    for path in paths:
        if _items_of_reports.setdefault((task_uuid(action), path), item) != item:
            raise UnusableFile(
                f"another item of the loop has its report in {shown_path(path)}; use another path"
                " for each item"
            )
