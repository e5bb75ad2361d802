# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a task, and results of modules."""

from __future__ import annotations

import stat
from types import SimpleNamespace

import pytest
from ansible.plugins.callback import CallbackBase
from ansible.utils import color
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _controller


@pytest.mark.parametrize(
    ("shows_line_breaks", "shown"), [(True, "two:\na\nb"), (False, "two: a | b")]
)
def test_parts_of_a_message_are_on_lines_where_ansible_shows_lines(
    monkeypatch, shows_line_breaks, shown
):
    monkeypatch.setattr(_controller, "SHOWS_LINE_BREAKS", shows_line_breaks)
    assert _controller.shown_message("two:\na\nb") == shown


def test_what_json_does_not_know_becomes_text():
    assert _controller.plain({"a": [stat, 1, "b"]}) == {"a": [str(stat), 1, "b"]}


@pytest.mark.parametrize("has_color", [True, False])
@pytest.mark.parametrize(
    "items",
    [
        [{"before": "", "after": "a\nb\n", "after_header": "create a"}],
        [{"before": "a\nb\n", "after": "", "before_header": "delete a"}] * 2,
        [{"before": "a\nb\n", "after": "a\nc\n", "before_header": "x", "after_header": "y"}],
        [],
    ],
)
def test_a_diff_looks_like_one_that_ansible_shows(monkeypatch, has_color, items):
    monkeypatch.setattr(color, "ANSIBLE_COLOR", has_color)
    shown = _controller.shown_diff(items)
    assert shown == CallbackBase()._get_diff(items)
    assert ("\033" in shown) == (has_color and bool(items))


class Vaulted:
    """An inline vault value, as ansible-core before 2.19 has it: not a string."""

    __ENCRYPTED__ = True

    def __str__(self):
        return "decrypted"


def test_an_inline_vault_value_is_text():
    task = SimpleNamespace(args={"api_token": Vaulted()})
    assert _controller.task_options(SimpleNamespace(_task=task)) == {"api_token": "decrypted"}
