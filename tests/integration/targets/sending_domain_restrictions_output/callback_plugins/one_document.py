# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the result of each task as one JSON document, as ansible.posix.json does."""

from __future__ import annotations

import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "one_document"

    def __init__(self):
        super().__init__()
        self._results = {}

    def v2_runner_on_ok(self, result):
        self._results[result._task.name] = json.loads(self._dump_results(result._result))

    def v2_playbook_on_stats(self, stats):
        self._display.display(json.dumps(self._results))
