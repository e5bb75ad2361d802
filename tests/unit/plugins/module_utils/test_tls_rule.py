# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import (
    TlsRule,
    TlsRules,
)

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
    assert bool(TlsRules([RULE]).requiring(name)) == (is_covered and entry is None)


def test_only_entries_below_the_domain_exempt():
    assert RULE.exempt_names == {"b.a.example", "x.b.a.example"}


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("b.a.example", "b.a.example"),
        ("y.b.a.example", "b.a.example"),
        ("x.b.a.example", "a.example"),
        ("c.example", None),
    ],
)
def test_of_several_rules_the_most_specific_one_that_requires_tls_counts(name, domain):
    below = TlsRule("b.a.example", frozenset({"x.b.a.example"}))
    rules = TlsRules([TlsRule("a.example", frozenset()), below])
    requiring = rules.requiring(name)
    assert (requiring.domain if requiring else None) == domain
