# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the account where the task runs, and writes its restrictions to a file on the controller."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    listing,
    shortened,
    with_unix_line_ends,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._options import (
    SHARED_ARGUMENTS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import masked
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._action import (
    CollectionAction,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import (
    Values,
    read_account,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._export import (
    Export,
    account_of_export,
    export,
    is_unedited_export,
    lost_columns,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import (
    UnusableFile,
    path_option,
    path_to_write,
    shown_path,
    write_text,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
    SEPARATORS,
    YAML,
    delimiter_of,
    format_of,
)

MAX_IN_WARNING = 5
MAX_COLUMN_LENGTH = 60


class ActionModule(CollectionAction):
    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        # The method looks for the options there.
        self._task.args = self._options
        _validation, options = self.validate_argument_spec(  # type: ignore[no-untyped-call]
            argument_spec={
                **SHARED_ARGUMENTS,
                "path": {"type": "raw", "required": True},
                "directory": {"type": "path"},
                "force": {"type": "bool", "default": False},
                "separator": {"default": "comma", "choices": list(SEPARATORS)},
            }
        )
        try:
            values = self._export(options, task_vars)
        except UnusableFile as error:
            values = {"failed": True, "msg": str(error)}
        return {**result, **masked(values, self._secrets)}

    def _export(self, options: Values, task_vars: Values | None) -> Values:
        """Write the account to the file, unless it is a preview, and return the result of that.

        Raises:
            UnusableFile: the file cannot be written, or must not be overwritten.
        """
        given, separator = path_option(options, "path"), options["separator"]
        if not given:
            raise UnusableFile("path has no value; set it to the file to write")
        path = path_to_write(self, given)
        # An extension that is unknown is refused before any request.
        delimiter_of(given, separator)
        old = _read_text(path)
        account = masked(read_account(self, self._options, task_vars), self._secrets)
        if account.get("failed") or account.get("unreachable"):
            return account
        restrictions, findings = account["sending_domain_restrictions"], account["findings"]
        exported = export(given, account["account_id"], restrictions, findings, separator)
        is_changed = exported.text != old
        # Git may have converted the line endings.
        is_edited = with_unix_line_ends(old) != exported.text
        lost = _listed_columns(given, old) if is_edited else ""
        if is_edited and old and not options["force"]:
            _refuse_to_overwrite(old, shown_path(path), account["account_id"], lost)
        if is_changed and not self._task.check_mode:
            _write(path, exported.text)
        verb = "written to" if is_changed else "unchanged in"
        result = {
            "changed": is_changed,
            "msg": f"{counted(exported.count, 'restriction')} {verb} {shown_path(path)}",
            "path": path,
            "left_out": exported.left_out,
            "findings": findings,
            "warnings": [*account["warnings"], *_warnings(exported, findings)],
        }
        if lost:
            result["warnings"].append(f"overwriting {shown_path(path)} removes its {lost}")
        self._show(result["msg"])
        if self._task.diff:
            result["diff"] = {
                "before_header": path,
                "after_header": path,
                "before": old,
                "after": exported.text,
            }
        return result


def _listed_columns(name: str, old: str) -> str:
    """Return what an export removes from an old table, such as `column 'Owner'`; "" if nothing."""
    lost = [repr(shortened(column, MAX_COLUMN_LENGTH)) for column in lost_columns(name, old)]
    noun = "column" if len(lost) == 1 else "columns"
    return f"{noun} {listing(lost, MAX_IN_WARNING)}" if lost else ""


def _refuse_to_overwrite(old: str, name: str, account_id: str, lost: str) -> None:
    """Raise `UnusableFile` unless the old text is an unedited export of the same account."""
    if lost:
        problem = f"contains the {lost}, which an export removes"
    elif format_of(name) != YAML:
        problem = "exists and differs from the export"
    elif not is_unedited_export(old):
        problem = "exists and is not an unedited YAML export"
    elif account_of_export(old).lower() != account_id.lower():
        problem = f"is an export of another account, {account_of_export(old)}"
    else:
        return
    raise UnusableFile(f"{name} {problem}; use another path, or set force to overwrite it")


def _read_text(path: str) -> str:
    """Return the text of a file, "" if it does not exist; raises `UnusableFile`."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UnusableFile(
            f"{shown_path(path)} cannot be read ({error.strerror or error}); check its permissions, or use"
            " another path"
        ) from None


def _write(path: str, text: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise UnusableFile(
            f"{shown_path(path)} cannot be written ({error.strerror or error}); check the permissions and the"
            " free space of its directory, or use another path"
        ) from None


def _warnings(exported: Export, findings: list[Values]) -> t.Iterator[str]:
    if exported.left_out:
        yield (
            f"{counted(len(exported.left_out), 'restriction')} left out, because the list format"
            f" cannot represent them ({listing(exported.left_out, MAX_IN_WARNING)}); prune does not"
            " delete them"
        )
    if exported.incomplete:
        yield (
            f"{counted(len(exported.incomplete), 'restriction')} without comments or exclude in the"
            " file, because the list format cannot represent them"
            f" ({listing(exported.incomplete, MAX_IN_WARNING)}); applying the file does not change them"
        )
    if findings:
        messages = "; ".join(finding["message"] for finding in findings[:MAX_IN_WARNING])
        more = len(findings) - MAX_IN_WARNING
        rest = f"; and {more} more" if more > 0 else ""
        yield f"{counted(len(findings), 'finding')}: {messages}{rest}"
