# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module sending_domain_senders_info in time slices, and shows its progress and its result."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_result import (
    sender_lines,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._action import (
    CollectionAction,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import Values
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._slices import (
    run_in_slices,
)


class ActionModule(CollectionAction):
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        if self._task.async_val:
            return {**result, **self._execute(self._options, task_vars)}
        total = Total()
        # The last time slice returns the result of all.
        values = t.cast(
            Values,
            run_in_slices(
                lambda options: self._execute(options, task_vars), self._options, total, self._show
            ),
        )
        if "api_calls" in values:
            values["api_calls"] += total.api_calls
        if "senders" in values:
            self._show(values["msg"])
            for line in sender_lines(values["senders"], int(values["days"])):
                self._show(line)
        return {**result, **values}
