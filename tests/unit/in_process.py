# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the `main()` of a module in this process, as Ansible would in one of its own."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.17

    def patch_module_args(args):
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
        return mock.patch.object(basic, "_ANSIBLE_ARGS", arguments)


MOST_GOES = 500
MODULES = "ansible_collections.cloudflare_email.security.plugins.modules."


def run_module(name, options):
    """Return the result that the module prints; whatever it raises comes through."""
    module = importlib.import_module(MODULES + name)
    output = io.StringIO()
    # Ansible keeps them for the process, as it has one for each module.
    warnings._global_warnings.clear()
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch_module_args(options))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.suppress(SystemExit))
        # The log of the machine has nothing to do with it.
        stack.enter_context(mock.patch.object(basic.AnsibleModule, "log"))
        module.main()
    return json.loads(output.getvalue())


def run_in_goes(name, options, seconds):
    """Return the result of the module as its action plugin runs it, `seconds` at a time.

    A hold of the rate limit takes no time.
    """
    progress = {"time_limit": seconds}
    changed = False
    for _go in range(MOST_GOES):
        result = run_module(name, dict(options, _progress=progress))
        changed = changed or bool(result.get("changed"))
        progress = result.pop("_progress", None)
        if not progress:
            return dict(result, changed=changed)
        progress.update(time_limit=seconds, held_until=0)
    raise AssertionError(f"it does not end in {MOST_GOES} goes")
