# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module sending_domain_senders_info in time slices, and shows its progress and its result."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    known_secrets,
    masked,
    register_secrets,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_result import (
    sender_lines,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import (
    Values,
    task_options,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._slices import (
    run_in_slices,
)

display = Display()


class ActionModule(ActionBase):
    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        options = task_options(self)
        self._secrets = known_secrets(options)
        self._host = (task_vars or {}).get("inventory_hostname", "localhost")
        register_secrets(self._secrets)
        if self._task.async_val:
            return {**result, **self._execute(options, task_vars)}
        total = Total()
        # The last time slice returns the result of all.
        values = t.cast(
            Values,
            run_in_slices(
                lambda given: self._execute(given, task_vars), options, total, self._show
            ),
        )
        if "api_calls" in values:
            values["api_calls"] += total.api_calls
        self._show_senders(values)
        return {**result, **values}

    def _show_senders(self, values: Values) -> None:
        if "senders" not in values:
            return
        self._show(values["msg"])
        for line in sender_lines(values["senders"], int(values["days"])):
            self._show(line)

    def _execute(self, options: Values, task_vars: Values | None) -> Values:
        values = self._execute_module(
            module_args=options, task_vars=task_vars, wrap_async=self._task.async_val
        )
        values.get("invocation", {}).get("module_args", {}).pop("controller", None)
        return masked(values, self._secrets)

    def _show(self, sentence: str) -> None:
        if not self._task.no_log:
            display.display(f"[{self._host}] {sentence}", stderr=True)
