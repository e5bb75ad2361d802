# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a task, and results of modules, as action plugins need them."""

from __future__ import annotations

import difflib
import json
import typing as t
from pathlib import Path

from ansible.constants import config
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.release import __version__ as ansible_core
from ansible.utils.color import stringc
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    decrypted_value,
    warning_texts,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import (
    absolute_path,
    decrypted,
    list_option,
    shown_path,
)

if t.TYPE_CHECKING:
    from ansible.plugins.action import ActionBase

# The options or the result of a task.
Values = t.Dict[str, t.Any]

INFO_MODULE = "cloudflare_email.security.sending_domain_restriction_info"
MANIFEST = Path(__file__).parents[2] / "MANIFEST.json"
SHOWS_LINE_BREAKS = tuple(map(int, ansible_core.split(".")[:2])) >= (2, 19)


def collection_version() -> str:
    """Return the version of this collection; empty in a checkout, which has no manifest."""
    if not MANIFEST.exists():
        return ""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return str(manifest["collection_info"]["version"])


def task_options(action: ActionBase) -> Values:
    """Return the options of a task."""
    return {name: decrypted_value(value) for name, value in action._task.args.items()}


def with_entries_of_file(action: ActionBase, options: Values) -> tuple[Values, list[str]]:
    """Return the options with the entries of `file` instead, and warnings about the file.

    Raises:
        UnusableFile: it cannot be read, or is not a list of restrictions.
    """
    # The module refuses the two together.
    if not options.get("file") or options.get("restrictions") is not None:
        return options, []
    # Imported where needed: Ansible compiles a collection's code again for each task.
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
        read_entries,
    )

    path = absolute_path(action, options["file"])
    name = shown_path(path)
    prune = boolean(options.get("prune") or False, strict=False)
    ignored_columns = list_option(options, "ignore_columns")
    with decrypted(action, path, name) as readable:
        read = read_entries(readable, name, prune, ignored_columns)
    rest = {option: value for option, value in options.items() if option != "file"}
    controller = {"source": {"file": name, "lines": read.lines}}
    return {**rest, "restrictions": read.entries, "controller": controller}, read.warnings


def read_account(action: ActionBase, options: Values, task_vars: Values | None) -> Values:
    """Return the result of the info module, run where the task runs and with its shared options."""
    # Imported here: Ansible compiles a collection's code again for each task.
    from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
        SHARED_ARGUMENTS,
    )

    shared = {name: value for name, value in options.items() if name in SHARED_ARGUMENTS}
    result = action._execute_module(INFO_MODULE, module_args=shared, task_vars=task_vars)
    return plain({**result, "warnings": warning_texts(result)})


def plain(result: Values) -> Values:
    """Return a result with plain strings instead of Ansible's own types, which PyYAML cannot dump."""
    copy: Values = json.loads(json.dumps(result, default=str))
    return copy


def shown_message(message: str) -> str:
    """Return a message whose parts are on lines, as this version of Ansible shows it best."""
    return message if SHOWS_LINE_BREAKS else one_line(message)


def one_line(message: str) -> str:
    """Return a message whose parts are on lines as one line."""
    return message.replace(":\n", ": ").replace("\n", " | ")


def shown_diff(items: t.Iterable[t.Mapping[str, str]]) -> str:
    """Return a diff as Ansible shows that of a successful task."""
    lines: list[str] = []
    for item in items:
        before, after = (
            f"{side}: {item[f'{side}_header']}" if f"{side}_header" in item else side
            for side in ("before", "after")
        )
        old, new = (item[side].splitlines(keepends=True) for side in ("before", "after"))
        lines += [*map(_colored, difflib.unified_diff(old, new, before, after)), "\n"]
    return "".join(lines)


def _colored(line: str) -> str:
    kind = {"+": "ADD", "-": "REMOVE", "@": "LINES"}.get(line[0])
    return stringc(line, config.get_config_value(f"COLOR_DIFF_{kind}")) if kind else line
