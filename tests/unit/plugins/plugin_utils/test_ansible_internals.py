# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between versions of Ansible."""

from __future__ import annotations

from types import SimpleNamespace

from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _ansible_internals


def test_warnings_are_texts_whatever_ansible_makes_of_them():
    event = SimpleNamespace(msg="an object")
    warnings = ["a text", {"event": {"msg": "a mapping"}}, SimpleNamespace(event=event)]
    texts = _ansible_internals.warning_texts({"warnings": warnings})
    assert texts == ["a text", "a mapping", "an object"]
    assert _ansible_internals.warning_texts({}) == []
