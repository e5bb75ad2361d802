# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which variables are looked at, and what becomes of unknown ones."""

from __future__ import annotations

import pytest
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.lookup import (
    playbook_mistakes,
    unknown_role_variables,
)

PREFIX = "sending_domain_restrictions_"


@pytest.fixture
def warnings(monkeypatch):
    shown = []
    monkeypatch.setattr(Display, "warning", lambda _self, text: shown.append(text))
    return shown


@pytest.fixture
def find_mistakes(monkeypatch):
    def find(arguments, given, *, defaults, values):
        monkeypatch.setattr(playbook_mistakes, "extra_arguments", lambda: arguments)
        monkeypatch.setattr(playbook_mistakes, "extra_variables", lambda _loader: given)
        return playbook_mistakes.LookupModule().run([defaults, values])

    return find


def test_names_and_values_of_the_command_line_are_refused_or_warned_of(find_mistakes, warnings):
    mistakes = find_mistakes(
        [["prume=yes"], ["region=eu"]],
        {"prume": "yes", "region": "eu"},
        defaults={"prune": False},
        values={"prune": "ja"},
    )
    assert [mistake.partition(" is ")[0] for mistake in mistakes] == ["prume", "prune"]
    (warning,) = warnings
    assert warning.startswith("region is not a variable")


def test_a_value_that_ansible_cut_is_the_only_mistake(find_mistakes, warnings):
    (mistake,) = find_mistakes(
        [["prune=true", "x"]], {"prume": True}, defaults={"prune": False}, values={"prune": "ja"}
    )
    assert mistake.startswith("Ansible cuts prune")
    assert not warnings


def test_names_of_the_role_are_warned_of_wherever_they_come_from(warnings):
    lookup = unknown_role_variables.LookupModule()
    assert lookup.run([f"{PREFIX}prune"], {f"{PREFIX}prume": True, "prunes": True}) == []
    (warning,) = warnings
    assert warning.startswith(f"{PREFIX}prume is not a variable of the role")
