# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which variables are looked at, and what becomes of unknown ones."""

from __future__ import annotations

import pytest
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.lookup import unknown_variables

PREFIX = "sending_domain_restrictions_"


@pytest.fixture
def find(monkeypatch):
    """Returns what the lookup returns, and its warnings."""
    given = {"prume": True, "region": "eu"}
    monkeypatch.setattr(unknown_variables, "extra_variables", lambda _loader: given)
    warnings = []
    monkeypatch.setattr(Display, "warning", lambda _self, text: warnings.append(text))

    def find(*known, **options):
        variables = {f"{PREFIX}prume": True, "prunes": True}
        found = unknown_variables.LookupModule().run([*known], variables, **options)
        return found, warnings

    return find


def test_names_of_the_command_line_are_refused_or_warned_of(find):
    (refusal,), (warning,) = find("prune")
    assert refusal.startswith("prume is not a variable")
    assert warning.startswith("region is not a variable")


def test_names_of_the_role_are_warned_of_wherever_they_come_from(find):
    refusals, (warning,) = find(f"{PREFIX}prune", of_role=True)
    assert not refusals
    assert warning.startswith(f"{PREFIX}prume is not a variable of the role")
