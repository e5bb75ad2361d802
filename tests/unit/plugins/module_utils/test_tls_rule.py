# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule

RULE = TlsRule("a.example", frozenset({"b.a.example", "x.b.a.example", "c.example", "a.example"}))


@pytest.mark.parametrize(
    ("name", "is_covered", "entry"),
    [
        ("a.example", True, None),
        ("other.a.example", True, None),
        ("b.a.example", True, "b.a.example"),
        ("y.b.a.example", True, "b.a.example"),
        ("z.x.b.a.example", True, "x.b.a.example"),
        ("ab.a.example", True, None),
        ("c.example", False, None),
        ("ba.example", False, None),
        ("example", False, None),
    ],
)
def test_a_rule_covers_its_domain_and_exempts_the_names_below_its_entries(name, is_covered, entry):
    assert RULE.covers(name) == is_covered
    assert RULE.exempting_entry(name) == entry
    assert RULE.exempts(name) == (entry is not None)
    assert RULE.requires_tls(name) == (is_covered and entry is None)


def test_only_entries_below_the_domain_exempt():
    assert RULE.exempt_names == {"b.a.example", "x.b.a.example"}
