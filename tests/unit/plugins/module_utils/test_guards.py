# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._guards import (
    impact_refusals,
    refusals,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from samples import account_of, desired, existing

SHARES = pytest.mark.parametrize(
    ("affected", "on_account", "percent", "is_refused"),
    [
        (29, 100, 30, False),
        (30, 100, 30, False),
        (31, 100, 30, True),
        (4, 10, 30, True),
        (3, 10, 30, False),
        (9, 9, 30, False),
        (10, 10, 100, False),
        (1, 1000, 0, True),
        (0, 1000, 0, False),
        (0, 0, 0, False),
    ],
)


@SHARES
def test_a_limited_share_of_domains_may_lose_protection(affected, on_account, percent, is_refused):
    current = account_of(on_account)
    deletes = [desired(domain=f"d{n}.example", state="absent") for n in range(affected)]
    assert bool(refusals(make_plan(deletes, current), current, percent, 0)) == is_refused


@pytest.mark.promise("An emptied column does not drop your partners' mail")
@SHARES
def test_a_limited_share_of_domains_may_lose_exclusions(affected, on_account, percent, is_refused):
    current = [
        existing(str(n), f"d{n}.example", exclude=[f"{name}.d{n}.example" for name in "ab"])
        for n in range(on_account)
    ]
    listed = [
        desired(domain=f"d{n}.example", exclude=[f"b.d{n}.example", f"c.d{n}.example"])
        for n in range(affected)
    ]
    assert bool(refusals(make_plan(listed, current), current, 0, percent)) == is_refused


@pytest.mark.promise("A truncated list does not remove your protection")
def test_deleting_duplicates_of_domains_that_stay_is_not_a_mass_deletion():
    current = account_of(5, duplicates=5)
    plan = make_plan([desired(domain=f"d{n}.example") for n in range(5)], current, prune=True)
    assert len(plan.deletes) == 5
    assert refusals(plan, current, 0, 0) == []


def test_a_domain_with_duplicates_counts_once_when_it_loses_them_all():
    current = account_of(8, duplicates=4)
    plan = make_plan([desired(domain="d0.example", state="absent")], current)
    assert len(plan.deletes) == 2
    assert not refusals(plan, current, 13, 0)
    assert refusals(plan, current, 12, 0)


def test_what_changes_no_exclusion_is_not_guarded():
    current = account_of(10, exclude=["outside.example"])
    listed = [
        desired(domain=f"d{n}.example", exclude=[f"a.d{n}.example"], comments="new")
        for n in range(10)
    ]
    listed += [desired(domain=f"new{n}.example") for n in range(30)]
    assert refusals(make_plan(listed, current), current, 0, 0) == []


def test_each_guard_names_the_numbers_the_domains_and_the_way_on():
    current = [existing(str(n), f"d{n}.example", exclude=[f"a.d{n}.example"]) for n in range(12)]
    listed = [desired(domain=f"d{n}.example", exclude=[]) for n in range(5)]
    assert refusals(make_plan(listed, current, prune=True), current, 30, 40) == [
        "7 of the 12 domains on the account would lose their last restriction (d10.example,"
        " d11.example, d5.example, d6.example, d7.example and 2 more), more than max_delete_percent"
        " (30) allows; check that the list is complete, and if this is intended, raise"
        " max_delete_percent for this run",
        "5 of the 12 domains on the account would lose an exclusion, so that mail from excluded"
        " subdomains would need TLS (d0.example, d1.example, d2.example, d3.example, d4.example),"
        " more than max_exclusion_loss_percent (40) allows; check the exclude of the list, and if"
        " this is intended, raise max_exclusion_loss_percent for this run",
    ]


@pytest.mark.promise("An emptied column does not drop your partners' mail")
@pytest.mark.parametrize(
    ("exempting", "kept", "percent", "is_refused"),
    [
        (10, 0, 30, True),
        (20, 0, 99, True),
        (20, 0, 100, False),
        (20, 1, 30, False),
        (9, 0, 30, False),
    ],
)
def test_not_all_exclusions_are_lost_however_few_domains_have_some(
    exempting, kept, percent, is_refused
):
    names = [f"d{n}.example" for n in range(100)]
    current = [
        existing(str(n), name, exclude=[f"a.{name}"] if n < exempting else [f"outside{n}.example"])
        for n, name in enumerate(names)
    ]
    listed = [desired(domain=name, exclude=[]) for name in names[kept:exempting]]
    listed += [desired(domain=name) for name in names[:kept]]
    assert bool(refusals(make_plan(listed, current), current, 30, percent)) == is_refused


@pytest.mark.promise("An emptied column does not drop your partners' mail")
@pytest.mark.parametrize("prune", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        "a domain that is not listed",
        "a domain with duplicates",
        "a domain that no list can contain",
    ],
)
def test_domains_that_lose_no_exclusion_do_not_hide_that_the_list_has_none(prune, other):
    names = [f"d{n}.example" for n in range(11)]
    current = [existing(str(n), name, exclude=[f"a.{name}"]) for n, name in enumerate(names)]
    current += [existing(f"x{n}", f"x{n}.example") for n in range(90)]
    if other == "a domain with duplicates":
        current.append(existing("second", names[0]))
    if other == "a domain that no list can contain":
        current.append(existing("single", "label", exclude=["a.label"]))
    is_listed = other != "a domain that is not listed"
    listed = [desired(domain=name, exclude=[]) for name in names[not is_listed :]]
    listed += [desired(domain=f"x{n}.example") for n in range(90)]
    (refused,) = refusals(make_plan(listed, current, prune=prune), current, 30, 30)
    assert "domains of the list that have an exclusion on the account would lose it" in refused


def test_exclusions_that_are_replaced_are_not_all_lost():
    current = [existing(str(n), f"d{n}.example", exclude=[f"a.d{n}.example"]) for n in range(10)]
    current += [existing(f"x{n}", f"x{n}.example") for n in range(90)]
    listed = [desired(domain=f"d{n}.example", exclude=[f"b.d{n}.example"]) for n in range(10)]
    assert refusals(make_plan(listed, current), current, 30, 30) == []


def test_what_a_run_created_changes_nothing_that_is_allowed():
    names = [f"d{n}.example" for n in range(100)]
    current = [
        existing(str(n), name, exclude=[f"a.{name}"] if n < 10 else [])
        for n, name in enumerate(names)
    ]
    listed = [desired(domain=name, exclude=[]) for name in names[:10]]
    listed += [desired(domain=name, state="absent") for name in names[70:]]
    listed += [desired(domain=f"new{n}.example", exclude=[f"a.new{n}.example"]) for n in range(10)]
    created = [
        existing(f"new{n}", f"new{n}.example", exclude=[f"a.new{n}.example"]) for n in range(10)
    ]
    done = {known.domain for known in created}
    for percent, is_refused in ((30, False), (29, True)):
        first = refusals(make_plan(listed, current), current, percent, 30)
        later = make_plan(listed, [*current, *created], done=done)
        assert first == refusals(later, [*current, *created], percent, 30, done)
        assert bool(first) == is_refused


def test_the_loss_of_all_exclusions_is_explained():
    current = [existing(str(n), f"d{n}.example", exclude=[f"a.d{n}.example"]) for n in range(10)]
    current += [existing(f"x{n}", f"x{n}.example") for n in range(90)]
    listed = [desired(domain=f"d{n}.example", exclude=[]) for n in range(10)]
    assert refusals(make_plan(listed, current), current, 30, 30) == [
        "all 10 domains of the list that have an exclusion on the account would lose it (d0.example,"
        " d1.example, d2.example, d3.example, d4.example and 5 more), so that mail from excluded"
        " subdomains would need TLS; check the exclude of the list, and if this is intended, set"
        " max_exclusion_loss_percent to 100 for this run"
    ]


def impact(*senders, **unknown):
    rows = [
        {"name": f"{name}.p.example", "messages": messages, "effect": effect, "at_least": False}
        for name, messages, effect in senders
    ]
    return Impact(
        30, {"p.example": rows}, {f"{name}.example": why for name, why in unknown.items()}
    )


NEWLY, NO_LONGER = "newly_requires_tls", "no_longer_requires_tls"
CREATED = make_plan([desired(domain="p.example"), desired(domain="q.example")], [])
DELETED = make_plan([desired(domain="q.example", state="absent")], [existing("1", "q.example")])


@pytest.mark.parametrize(
    ("found", "limit", "is_refused"),
    [
        (impact(("a", 3, NEWLY), ("b", 4, NEWLY)), 7, False),
        (impact(("a", 3, NEWLY), ("b", 4, NEWLY)), 6, True),
        (impact(("a", 1, NEWLY)), 0, True),
        (impact(("a", 9, NO_LONGER)), 0, False),
        (impact(), 0, False),
    ],
)
def test_only_so_many_messages_may_newly_need_tls(found, limit, is_refused):
    assert bool(impact_refusals(CREATED, found, limit)) == is_refused


def test_names_with_most_messages_are_named_first():
    senders = [(f"n{number}", number, NEWLY) for number in range(1, 8)]
    assert impact_refusals(CREATED, impact(*senders), 0) == [
        "7 names that would need TLS sent 28 messages in 30 days (n7.p.example 7, n6.p.example 6,"
        " n5.p.example 5, n4.p.example 4, n3.p.example 3 and 2 more), more than"
        " max_affected_messages (0) allows; exclude the subdomains that cannot use TLS, do not restrict"
        " a domain that itself cannot, and if all others can, raise max_affected_messages for this run"
    ]


def test_internationalized_names_are_named_in_both_forms():
    name = "xn--bcher-kva"
    (refused,) = impact_refusals(CREATED, impact((name, 1, NEWLY)), 0)
    assert f"({name}.p.example (b\xfccher.p.example) 1)" in refused


def test_unknown_senders_of_what_newly_requires_tls_are_too_many():
    assert impact_refusals(CREATED, impact(q="it failed; run again"), 10**6) == [
        "not all senders of q.example are known (it failed; run again), so more messages may be"
        " affected than max_affected_messages (1000000) allows; remove the cause and run again, or"
        " omit max_affected_messages for this run"
    ]
    assert impact_refusals(DELETED, impact(q="it failed; run again"), 0) == []
