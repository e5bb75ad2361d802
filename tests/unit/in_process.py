# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules, and the action plugin, in this process, as Ansible would in processes of their own."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import types
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

try:
    from ansible.module_utils import _internal
except ImportError:  # ansible-core before 2.19
    _internal = types.SimpleNamespace(is_controller=False)

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.17

    def patch_module_args(args):
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        return mock.patch.object(basic, "_ANSIBLE_ARGS", arguments)


# ansible-core before 2.16 wants it from a package that its own importer did not load.
importlib.import_module("ansible_collections.cloudflare_email.security")._collection_meta = {}

MAX_SLICES = 500
PLUGINS = "ansible_collections.cloudflare_email.security.plugins."


def run_module(name, options, check_mode=False, diff=False):
    """Return the result that the module prints; whatever it raises comes through."""
    module = importlib.import_module(PLUGINS + "modules." + name)
    options = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
    output = io.StringIO()
    # Ansible keeps them for the process, as it has one for each module.
    warnings._global_warnings.clear()
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch_module_args(options))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.suppress(SystemExit))
        # Nothing belongs into the log of the machine.
        stack.enter_context(mock.patch.object(basic.AnsibleModule, "log"))
        stack.enter_context(mock.patch.object(_internal, "is_controller", False))
        module.main()
    return json.loads(output.getvalue())


class Task:
    """A task that its action plugin runs; sending_domain_restrictions in slices of `seconds`.

    Waiting takes no time. `shown` are the lines on the screen, `waits` the seconds of each wait, and
    `slices` the options of each run of the module. `execute` runs the module; tests replace it.
    """

    def __init__(self, options, seconds=60, name="sending_domain_restrictions", **keywords):
        self._name = name
        self.shown, self.waits, self.slices = [], [], []
        self.execute = run_module
        self._seconds = seconds
        keywords = {
            "check_mode": False,
            "diff": False,
            "no_log": False,
            "async_val": 0,
            "timeout": 0,
            **keywords,
        }
        self._task = types.SimpleNamespace(
            args=options, action=name, get_search_path=list, **keywords
        )

    def run(self, **task_vars):
        """Return the result of the task."""
        action = importlib.import_module(PLUGINS + "action." + self._name)
        connection, play_context, templar, shared_loader = (mock.MagicMock() for _ in range(4))
        plugin = action.ActionModule(
            self._task, connection, play_context, DataLoader(), templar, shared_loader
        )
        # ansible-core before 2.16 sets it for each plugin.
        plugin._supports_async = action.ActionModule._supports_async
        plugin._execute_module = self._execute
        self._now = 0.0
        clock = types.SimpleNamespace(
            time=lambda: self._now,
            sleep=self._sleep,
            strftime=lambda *args: "12:34:56",
            localtime=lambda seconds: None,
        )
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(action, "time", clock, create=True))
            stack.enter_context(mock.patch.object(Display, "display", self._display))
            return plugin.run(task_vars={"inventory_hostname": "host", **task_vars})

    def _execute(self, module_name=None, module_args=None, task_vars=None, wrap_async=False):
        options = dict(self._task.args if module_args is None else module_args)
        if module_name is not None:
            return run_module(module_name.rpartition(".")[2], options)
        time_slice = options.get("time_slice")
        if time_slice:
            # A wait for the rate limit takes no time, so there is nothing left of it.
            progress = {**time_slice.get("progress", {}), "blocked_until": 0}
            options["time_slice"] = {"seconds": self._seconds, "progress": progress}
        self.slices.append(options)
        assert len(self.slices) <= MAX_SLICES, f"it does not end in {MAX_SLICES} slices"
        return self.execute(
            "sending_domain_restrictions", options, self._task.check_mode, self._task.diff
        )

    def _sleep(self, seconds):
        self.waits.append(seconds)
        self._now += seconds

    def _display(self, text, stderr=False, **options):
        assert stderr, "stdout belongs to the callback"
        self.shown.append(text)


def run_in_slices(name, options, seconds):
    """Return the result of the module as its action plugin runs it, `seconds` at a time."""
    assert name == "sending_domain_restrictions"
    return Task(options, seconds).run()
