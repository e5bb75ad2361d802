# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives a long run of the module sending_domain_restrictions its progress on the screen.

A module can't show anything before it ends. So it works for some seconds at a time, over whatever
connection, and hands back what is left to do; what was done is shown between two goes. A run that
is shorter than the first go is one execution of the module, as without this plugin.
"""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

# Seconds. A go and the calls it still waits for are to fit between two signs of life, and the module
# is started early enough to be ready when a hold ends.
FIRST_GO = 4
NEXT_GOES = 10
SIGN_OF_LIFE = 14
START_UP = 2

display = Display()


class ActionModule(ActionBase):
    _supports_async = True
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None
    ) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        if self._task.async_val or self._task.check_mode or self._task.no_log:
            result.update(
                self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
            )
            return result
        progress: dict[str, t.Any] | None = {"time_limit": FIRST_GO}
        changed = False
        while progress:
            try:
                answer = self._execute_module(
                    module_args={**self._task.args, "_progress": progress}, task_vars=task_vars
                )
            except AnsibleError as error:
                if "outcome" not in progress:
                    raise
                # The outcome itself is not shown: nothing has taken secrets out of it.
                lost = isinstance(error, AnsibleConnectionFailure)
                answer = {
                    "unreachable" if lost else "failed": True,
                    "msg": f"{progress['show']}, then the module could not be run any more"
                    f" ({error}): run it again",
                }
            changed = changed or bool(answer.get("changed"))
            progress = answer.pop("_progress", None)
            if progress:
                progress["time_limit"] = NEXT_GOES
                self._show(progress["show"], time.time() + progress["held_for"], task_vars)
        answer.get("invocation", {}).get("module_args", {}).pop("_progress", None)
        result.update(answer, changed=changed)
        return result

    def _show(self, sentence: str, held_until: float, task_vars: dict[str, t.Any] | None) -> None:
        """Show the progress, again and again while the rate limit holds the run.

        It ends early enough for the module to be ready when the rate limit lets go.
        """
        host = (task_vars or {}).get("inventory_hostname", "localhost")
        if held_until > time.time():
            clock = time.strftime("%H:%M:%S", time.localtime(held_until))
            sentence = f"{sentence}; Cloudflare's rate limit holds the rest until {clock}"
        while True:
            display.display(f"[{host}] {sentence}")
            seconds = held_until - START_UP - time.time()
            if seconds <= 0:
                return
            time.sleep(min(seconds, SIGN_OF_LIFE))
            if seconds <= SIGN_OF_LIFE:
                return
