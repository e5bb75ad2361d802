# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    make_plan,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    Restriction,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import FIRST, SECOND, THIRD, account_of, desired, existing
from strategies import FEW_DOMAINS, entries, restrictions


def applied(plan, current):
    """What the account has after `plan`."""
    updates = {update.current.id: update.record for update in plan.updates}
    deleted = {delete.current.id for delete in plan.deletes}
    created = [{**create.record, "id": str(uuid.uuid4())} for create in plan.creates]
    kept = [
        updates.get(restriction.id, restriction.record)
        for restriction in current
        if restriction.id not in deleted
    ]
    return [Restriction.from_api(record) for record in [*kept, *created]]


def as_on_the_account(restriction):
    """Everything but the ID, which a create does not know."""
    return replace(restriction, id="", record={**restriction.record, "id": None})


def one_per_domain(current):
    return list({restriction.domain: restriction for restriction in current}.values())


SOME_RESTRICTIONS = st.lists(restrictions(FEW_DOMAINS), unique_by=lambda found: found.id)
SOME_ENTRIES = st.lists(entries(FEW_DOMAINS), unique_by=lambda entry: entry.domain)


@given(SOME_RESTRICTIONS)
def test_planning_the_current_state_changes_nothing(current):
    current = one_per_domain(current)
    listed = [DesiredRestriction(found.domain, found.exclude, found.comments) for found in current]
    plan = make_plan(listed, current)
    assert plan.size == 0
    assert plan.failures == []
    assert plan.unchanged == current


@given(SOME_ENTRIES, SOME_RESTRICTIONS, st.booleans())
def test_a_plan_tells_what_the_account_has_afterwards(listed, current, prune):
    plan = make_plan(listed, current, prune)
    told, expected = plan.applied_to(current), applied(plan, current)
    assert list(map(as_on_the_account, told)) == list(map(as_on_the_account, expected))


@pytest.mark.parametrize(
    "changes", [{"domain": "b.example", "exclude": []}, {"comments": "Agreed again"}]
)
def test_a_plan_tells_what_an_update_leads_to(changes):
    fields = {"domain": "a.example", "exclude": ["x.a.example"], "comments": "Agreed"}
    current = [existing(FIRST, **fields)]
    plan = make_plan([desired(id=FIRST, **{"domain": "a.example", **changes})], current)
    (after,) = plan.applied_to(current)
    assert (after.id, after.managed_fields()) == (FIRST, {**fields, **changes})


def test_a_rename_is_never_split_into_two_calls():
    """The first one would end exemptions of the domain that is about to be released."""
    current = [existing(FIRST, "a.example", exclude=["x.a.example"])]
    rename = desired(id=FIRST, domain="b.example", exclude=["y.b.example"])
    plan = make_plan([rename, desired(domain="sub.a.example")], current)
    assert [update.in_two_calls for update in plan.updates] == [False]


@given(SOME_ENTRIES, SOME_RESTRICTIONS)
def test_applying_a_plan_and_planning_again_changes_nothing(listed, current):
    plan = make_plan(listed, current)
    again = make_plan(listed, applied(plan, current))
    assert again.size == 0
    assert again.failures == plan.failures


@given(SOME_ENTRIES, SOME_RESTRICTIONS)
def test_pruning_makes_the_account_equal_to_the_list(listed, current):
    plan = make_plan(listed, current, prune=True)
    after = applied(plan, current)
    assert plan.failures == []
    assert sorted(restriction.domain for restriction in after) == sorted(
        entry.domain for entry in listed if entry.state == "present"
    )
    again = make_plan(listed, after, prune=True)
    assert again.size == 0
    assert len(again.unchanged) == len(after)


@given(SOME_ENTRIES, SOME_RESTRICTIONS)
def test_pruning_makes_no_difference_to_listed_domains(listed, current):
    current = one_per_domain(current)
    pruned, kept = make_plan(listed, current, prune=True), make_plan(listed, current)
    assert pruned.creates == kept.creates
    # A related delete may make an update take two calls.
    assert [update.changes for update in pruned.updates] == [
        update.changes for update in kept.updates
    ]
    domains = {entry.domain for entry in listed}
    assert [delete for delete in pruned.deletes if delete.domain in domains] == kept.deletes
    assert {change.domain for change in [*kept.creates, *kept.updates, *kept.deletes]} <= domains


@given(SOME_ENTRIES, SOME_RESTRICTIONS, st.sets(FEW_DOMAINS), st.booleans())
def test_what_earlier_slices_did_is_not_written_again(listed, current, done, prune):
    plan = make_plan(listed, current, prune, done=done)
    everything = make_plan(listed, current, prune)
    assert not done & {change.domain for change in [*plan.creates, *plan.updates]}
    assert plan.deletes == everything.deletes
    assert plan.failures == everything.failures


@given(SOME_ENTRIES, SOME_RESTRICTIONS, st.sets(FEW_DOMAINS), st.booleans())
def test_domains_that_failed_are_not_planned_again(listed, current, failed, prune):
    plan = make_plan(listed, current, prune, failed=failed)
    everything = [*plan.creates, *plan.updates, *plan.deletes, *plan.failures]
    assert not failed & {planned.domain for planned in everything}


def test_omitted_options_are_empty_on_a_create():
    plan = make_plan([desired(domain="partner.example")], [])
    assert [create.body for create in plan.creates] == [
        {"domain": "partner.example", "exclude": []}
    ]


def test_present_fails_for_a_domain_with_duplicates_and_names_the_ids():
    current = [
        existing(SECOND, "partner.example", created_at="2026-01-07T05:20:00.12345Z"),
        existing(FIRST, "Partner.example.", created_at="2024-05-02T05:20:00.12345Z"),
    ]
    plan = make_plan([desired(domain="partner.example", comments="x")], current)
    assert plan.size == 0
    (failure,) = plan.failures
    assert failure.kind == "duplicates"
    assert failure.reason == (
        "partner.example is on the account twice (created 2024-05-02 and 2026-01-07); set prune in"
        " sending_domain_restrictions (-e prune=true) to keep the one that matches the list, or"
        f" delete all but one in the dashboard (IDs {FIRST} and {SECOND})"
    )
    current = [existing(name, "a.example") for name in (FIRST, SECOND, THIRD)]
    (failure,) = make_plan([desired(domain="a.example")], current).failures
    assert failure.reason.startswith("a.example is on the account 3 times; set prune")


def test_absent_deletes_every_restriction_for_the_domain():
    current = [
        existing(FIRST, "Partner.example."),
        existing(SECOND, "partner.example"),
        existing(THIRD, "sub.partner.example"),
    ]
    plan = make_plan([desired(domain="PARTNER.example", state="absent")], current)
    assert [delete.current.id for delete in plan.deletes] == [FIRST, SECOND]


@pytest.mark.parametrize("on_account", [FIRST, FIRST.upper()])
@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"comments": "x"}, [{"comments": "x"}]),
        ({"domain": "new.example"}, [{"domain": "new.example"}]),
        ({"domain": "a.example", "comments": "x"}, [{"comments": "x"}]),
        ({"exclude": ["b.a.example"]}, [{"exclude": ["b.a.example"]}]),
        ({"domain": "A.example"}, []),
    ],
)
def test_an_id_selects_one_restriction(on_account, options, changes):
    current = [existing(on_account, "a.example"), existing(SECOND, "a.example")]
    plan = make_plan([desired(id=FIRST.upper(), **options)], current)
    assert [update.changes for update in plan.updates] == changes
    assert {update.current.id for update in plan.updates} <= {on_account}
    assert plan.failures == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"id": THIRD},
            f"the account has no restriction with the ID {THIRD}; omit id to create one",
        ),
        (
            {"id": FIRST, "domain": "b.example"},
            "renaming a.example to b.example would give that domain more than one restriction;"
            f" delete the one with the ID {SECOND} first",
        ),
        (
            {"id": FIRST, "domain": "b.example", "state": "absent"},
            f"the restriction {FIRST} is for a.example, not for b.example; correct one of the two,"
            " or omit domain",
        ),
        (
            {"id": FIRST, "exclude": ["c.b.example"]},
            "exclude contains 'c.b.example', which is not below 'a.example'; list only subdomains of the"
            " restricted domain",
        ),
    ],
)
def test_an_entry_that_contradicts_the_account_changes_nothing(options, reason):
    current = [existing(FIRST, "a.example"), existing(SECOND, "b.example")]
    plan = make_plan([desired(**options)], current)
    assert plan.size == 0
    (failure,) = plan.failures
    assert (failure.kind, failure.reason) == ("invalid", reason)
    assert failure.domain == options.get("domain", options["id"])


def test_absent_by_id_deletes_one_restriction_or_finds_it_gone():
    current = [existing(FIRST, "a.example"), existing(SECOND, "a.example")]
    plan = make_plan([desired(id=FIRST, state="absent")], current)
    assert [delete.current.id for delete in plan.deletes] == [FIRST]
    assert make_plan([desired(id=THIRD, state="absent")], current).size == 0


@pytest.mark.parametrize(
    ("fields_of_first", "fields_of_second", "kept"),
    [
        ({"created_at": "2026-01-02"}, {"created_at": "2026-01-01"}, SECOND),
        ({"created_at": "2026-01-02", "comments": "x"}, {"created_at": "2026-01-01"}, FIRST),
        ({}, {}, FIRST),
    ],
)
def test_pruning_keeps_the_duplicate_that_matches_otherwise_the_oldest(
    fields_of_first, fields_of_second, kept
):
    current = [
        existing(FIRST, "a.example", **fields_of_first),
        existing(SECOND, "A.example", **fields_of_second),
    ]
    plan = make_plan([desired(domain="a.example", comments="x")], current, prune=True)
    (delete,) = plan.deletes
    assert (delete.current.id, delete.kept.id) == (SECOND if kept == FIRST else FIRST, kept)


def test_without_prune_the_plan_names_the_domains_that_are_not_listed():
    current = account_of(3)
    listed = [desired(domain="d1.example")]
    assert make_plan(listed, current).unlisted == ["d0.example", "d2.example"]
    assert make_plan(listed, current, prune=True).unlisted == []


@pytest.mark.parametrize("name", ["com", "-a.example", "a..example", "*.a.example"])
def test_what_no_list_can_contain_is_not_pruned(name):
    plan = make_plan(
        [], [existing("1", domain=name), existing("2", domain="a.example")], prune=True
    )
    assert [delete.domain for delete in plan.deletes] == ["a.example"]
    assert (plan.unlisted, plan.not_listable) == ([], [name])
    assert not make_plan([], [existing("1", domain=name)]).not_listable
