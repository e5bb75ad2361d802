# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module sending_domain_restriction_info; a list may come from a file on the controller."""

from __future__ import annotations

from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import masked
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._action import (
    CollectionAction,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    warning_texts,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import (
    Values,
    shown_message,
    with_entries_of_file,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import (
    UnusableFile,
    path_option,
)


class ActionModule(CollectionAction):
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        try:
            _refuse_missing_list(self._options)
            options, warnings = with_entries_of_file(self, self._options)
        except UnusableFile as error:
            return {**result, "failed": True, "msg": masked(str(error), self._secrets)}
        values = self._execute(options, task_vars)
        if warnings:
            values["warnings"] = masked([*warnings, *warning_texts(values)], self._secrets)
        if values.get("msg"):
            values["msg"] = shown_message(values["msg"])
        return {**result, **values}


def _refuse_missing_list(options: Values) -> None:
    """Raise `UnusableFile` for a list without a value: the answer would be today's."""
    path_option(options, "file")
    for name in ("file", "restrictions"):
        if name in options and options[name] in (None, ""):
            raise UnusableFile(
                f"{name} has no value; set it to the list, or omit it for today's answer"
            )
