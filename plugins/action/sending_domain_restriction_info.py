# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module sending_domain_restriction_info; a list may come from a file on the controller."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    known_secrets,
    masked,
    register_secrets,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    warning_texts,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import (
    Values,
    shown_message,
    task_options,
    with_entries_of_file,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import (
    UnusableFile,
    path_option,
)


class ActionModule(ActionBase):
    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        options = task_options(self)
        secrets = known_secrets(options)
        register_secrets(secrets)
        try:
            _refuse_missing_list(options)
            options, warnings = with_entries_of_file(self, options)
        except UnusableFile as error:
            return {**result, "failed": True, "msg": masked(str(error), secrets)}
        values: Values = self._execute_module(
            module_args=options, task_vars=task_vars, wrap_async=self._task.async_val
        )
        values.get("invocation", {}).get("module_args", {}).pop("controller", None)
        if warnings:
            values["warnings"] = [*warnings, *warning_texts(values)]
        values = masked(values, secrets)
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
