# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from itertools import permutations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._change import Update
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    BOTH,
    COMMENT_OR_SPELLING,
    DUPLICATE_REMOVED,
    EFFECTS,
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
    combined,
    counts_by_effect,
    effect_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import (
    TlsRule,
    TlsRules,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import FIRST, SECOND, desired, existing

A, B, XA = "a.a.example", "b.a.example", "x.a.a.example"


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ([A], [], NEWLY_REQUIRES_TLS),
        ([A, XA], [XA], NEWLY_REQUIRES_TLS),
        ([], [A], NO_LONGER_REQUIRES_TLS),
        ([XA], [A], NO_LONGER_REQUIRES_TLS),
        ([A], [B], BOTH),
        ([A, XA], [A], COMMENT_OR_SPELLING),
        (["outside.example"], [], COMMENT_OR_SPELLING),
    ],
)
def test_an_update_is_judged_by_the_names_that_it_exempts(before, after, effect):
    current = [existing(FIRST, "a.example", exclude=before)]
    (update,) = make_plan([desired(domain="a.example", exclude=after)], current).updates
    assert effect_of(update) == effect


def test_a_create_and_a_delete_change_what_the_whole_domain_requires():
    (create,) = make_plan([desired(domain="a.example")], []).creates
    (delete,) = make_plan([], [existing(FIRST, "a.example")], prune=True).deletes
    assert (effect_of(create), effect_of(delete)) == (NEWLY_REQUIRES_TLS, NO_LONGER_REQUIRES_TLS)


def test_a_new_comment_does_nothing_to_mail():
    current = [existing(FIRST, "a.example", exclude=[A])]
    (update,) = make_plan([desired(domain="a.example", comments="new")], current).updates
    assert effect_of(update) == COMMENT_OR_SPELLING


@pytest.mark.parametrize(
    ("of_duplicate", "listed", "effect"),
    [
        ([A], None, DUPLICATE_REMOVED),
        ([A, XA], None, DUPLICATE_REMOVED),
        ([A, B], None, DUPLICATE_REMOVED),
        ([], None, NO_LONGER_REQUIRES_TLS),
        ([], [], DUPLICATE_REMOVED),
        ([A], [A, B], NO_LONGER_REQUIRES_TLS),
    ],
)
def test_a_duplicate_may_require_more_than_the_restriction_that_stays(of_duplicate, listed, effect):
    current = [
        existing(FIRST, "a.example", exclude=[A], created_at="2026-01-01"),
        existing(SECOND, "a.example", exclude=of_duplicate, comments="x", created_at="2026-01-02"),
    ]
    entry = desired(domain="a.example", exclude=listed, comments="")
    (delete,) = make_plan([entry], current, prune=True).deletes
    assert (delete.current.id, effect_of(delete)) == (SECOND, effect)


def test_a_rename_does_both():
    current = [existing(FIRST, "a.example")]
    (update,) = make_plan([desired(id=FIRST, domain="b.example")], current).updates
    assert effect_of(update) == BOTH


NAMES = st.frozensets(st.sampled_from([A, B, XA, f"y.{XA}", "outside.example", "a.example"]))


@given(NAMES, NAMES)
def test_the_effect_is_what_the_rule_says_about_all_senders(before, after):
    change = Update(existing(FIRST, "a.example", exclude=sorted(before)), {"exclude": after})
    rules = TlsRule("a.example", before), TlsRule("a.example", after)
    senders = {"a.example", A, B, XA, f"y.{XA}", "outside.example"}
    required = {
        tuple(bool(TlsRules([rule]).requiring(sender)) for rule in rules) for sender in senders
    }
    effects = {
        (False, False): COMMENT_OR_SPELLING,
        (True, False): NEWLY_REQUIRES_TLS,
        (False, True): NO_LONGER_REQUIRES_TLS,
        (True, True): BOTH,
    }
    assert effect_of(change) == effects[(False, True) in required, (True, False) in required]


@pytest.mark.parametrize(
    ("first", "second", "effect"),
    [
        (NEWLY_REQUIRES_TLS, NO_LONGER_REQUIRES_TLS, BOTH),
        (BOTH, COMMENT_OR_SPELLING, BOTH),
        (COMMENT_OR_SPELLING, NO_LONGER_REQUIRES_TLS, NO_LONGER_REQUIRES_TLS),
        (NEWLY_REQUIRES_TLS, NEWLY_REQUIRES_TLS, NEWLY_REQUIRES_TLS),
    ],
)
def test_two_changes_of_one_restriction_have_one_effect(first, second, effect):
    assert [combined(*pair) for pair in permutations((first, second))] == [effect, effect]


def test_all_effects_are_counted():
    changes = [{"effect": BOTH}, {"effect": NEWLY_REQUIRES_TLS}, {"effect": BOTH}]
    assert counts_by_effect(changes) == {
        **dict.fromkeys(EFFECTS, 0),
        BOTH: 2,
        NEWLY_REQUIRES_TLS: 1,
    }
