# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules and action plugins in this process, almost as Ansible runs them."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import time
import types
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

try:
    from ansible.module_utils import _internal
except ImportError:  # ansible-core before 2.18
    _internal = types.SimpleNamespace()

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.17

    def patch_module_args(args):
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        return mock.patch.object(basic, "_ANSIBLE_ARGS", arguments)


MAX_SLICES = 500
PLUGINS = "ansible_collections.cloudflare_email.security.plugins."


def run_module(name, options, check_mode=False, diff=False):
    """Return the result that the module prints; exceptions of the module propagate."""
    module = importlib.import_module(PLUGINS + "modules." + name)
    options = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
    output = io.StringIO()
    # Ansible collects warnings per process, because each module has its own.
    warnings._global_warnings.clear()
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch_module_args(options))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.suppress(SystemExit))
        # Keep the system log clean.
        stack.enter_context(mock.patch.object(basic.AnsibleModule, "log"))
        stack.enter_context(mock.patch.object(_internal, "is_controller", False, create=True))
        module.main()
    result = json.loads(output.getvalue())
    # The controller of ansible-core 2.22 takes them out; they are what it masks from here on.
    result.pop("_ansible_new_secrets", None)
    return result


class Task:
    """A task as its action plugin runs it; sending_domain_restrictions in slices of `seconds`.

    Attributes:
        shown: the lines on the screen.
        waits: the seconds of each wait; no time passes during it.
        slices: the options of each run of the module.
        transport: the name of the connection plugin.
        execute, read_account: run the module and the info module; tests replace them.
    """

    def __init__(
        self, options, seconds=60, name="sending_domain_restrictions", play=None, **keywords
    ):
        self.transport = "local"
        self._name = name
        self.shown, self.waits, self.slices = [], [], []
        self.execute = run_module
        self.read_account = functools.partial(run_module, "sending_domain_restriction_info")
        self._seconds = seconds
        keywords = {
            "check_mode": False,
            "diff": False,
            "failed_when": [],
            "no_log": False,
            "run_once": False,
            "async_val": 0,
            "timeout": 0,
            "environment": [],
            "_uuid": "task",
            **keywords,
        }
        own_play = types.SimpleNamespace(**{"strategy": "linear", "serial": [], **(play or {})})
        self._task = types.SimpleNamespace(
            args=options,
            action=name,
            get_search_path=list,
            get_play=lambda: own_play,
            **keywords,
        )

    def run(self, **task_vars):
        """Return the result of the task."""
        action = importlib.import_module(PLUGINS + "action." + self._name)
        slices = importlib.import_module(PLUGINS + "plugin_utils._slices")
        connection, play_context, templar, shared_loader = (
            mock.MagicMock() for _argument in range(4)
        )
        connection.transport = self.transport
        templar.template = lambda value: value
        # ansible-core before 2.16 looks here.
        play_context.check_mode = self._task.check_mode
        plugin = action.ActionModule(
            self._task, connection, play_context, DataLoader(), templar, shared_loader
        )
        # ansible-core before 2.16 sets this on each instance.
        plugin._supports_async = action.ActionModule._supports_async
        plugin._execute_module = self._execute
        self._now = 0.0
        clock = types.SimpleNamespace(
            time=lambda: self._now,
            sleep=self._sleep,
            strftime=time.strftime,
            localtime=time.gmtime,
        )
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(slices, "time", clock))
            stack.enter_context(mock.patch.object(Display, "display", self._display))
            return plugin.run(task_vars={"inventory_hostname": "host", **task_vars})

    def _execute(self, module_name=None, module_args=None, task_vars=None, wrap_async=False):
        options = dict(self._task.args if module_args is None else module_args)
        if module_name is not None:
            return self.read_account(options)
        controller = options.get("controller") or {}
        time_slice = controller.get("time_slice")
        if time_slice:
            # The waits of the action plugin take no time, so the rate limit must not block either.
            progress = {**time_slice.get("progress", {}), "blocked_until": 0}
            time_slice = {"seconds": self._seconds, "progress": progress}
            options["controller"] = {**controller, "time_slice": time_slice}
        self.slices.append(options)
        assert len(self.slices) <= MAX_SLICES, f"the run does not end within {MAX_SLICES} slices"
        return self.execute(self._name, options, self._task.check_mode, self._task.diff)

    def _sleep(self, seconds):
        self.waits.append(seconds)
        self._now += seconds

    def _display(self, text, stderr=False, **options):
        assert stderr, "stdout is for callbacks only"
        self.shown.append(text)
