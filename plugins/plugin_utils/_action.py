# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base class of the action plugins."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    known_secrets,
    masked,
    register_secrets,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._ansible_internals import (
    task_environment,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._controller import (
    Values,
    task_options,
)

display = Display()


class CollectionAction(ActionBase):
    """Keeps the secrets of a task out of what its plugin shows and returns.

    Attributes:
        _host: the host that the task runs for.
        _options: those of the task.
        _secrets: what must not be shown.
    """

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """Begin a task; a plugin that overrides this calls it first."""
        result: Values = super().run(tmp, task_vars)
        self._host = (task_vars or {}).get("inventory_hostname", "localhost")
        self._options = task_options(self)
        self._secrets = known_secrets(self._options, task_environment(self))
        register_secrets(self._secrets)
        return result

    def _execute(self, options: Values, task_vars: Values | None) -> Values:
        """Run the module with these options, and return its result without secrets."""
        values: Values = self._execute_module(
            module_args=options, task_vars=task_vars, wrap_async=self._task.async_val
        )
        values.get("invocation", {}).get("module_args", {}).pop("controller", None)
        # The module masks what is secret where it runs, which may not be all that is secret here.
        return masked(values, self._secrets)

    def _show(self, sentence: str) -> None:
        """Show a line about the host, unless the task has `no_log`."""
        if not self._task.no_log:
            line = masked(f"[{self._host}] {sentence}", self._secrets)
            display.display(line, stderr=True)
