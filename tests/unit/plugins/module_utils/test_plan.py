# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import uuid

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Plan,
    TooManyDeletes,
    contradictions,
    make_plan,
    refuse_mass_deletion,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    Restriction,
)
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW_DOMAINS, restrictions, wishes

FIRST = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"
THIRD = "33333333-3333-4333-8333-333333333333"


def desired(**options):
    return DesiredRestriction.from_options({"state": "present", **options})


def existing(restriction_id, domain, **fields):
    return Restriction.from_api({"id": restriction_id, "domain": domain, **fields})


def carried_out(plan, current):
    """What the account holds after `plan`, as the API would carry it out."""
    updates = {update.current.id: update.after for update in plan.updates}
    deleted = {delete.current.id for delete in plan.deletes}
    created = [{**create.after, "id": str(uuid.uuid4())} for create in plan.creates]
    kept = [
        updates.get(restriction.id, restriction.record)
        for restriction in current
        if restriction.id not in deleted
    ]
    return [Restriction.from_api(record) for record in [*kept, *created]]


def one_per_domain(current):
    return list({restriction.name: restriction for restriction in current}.values())


SOME_RESTRICTIONS = st.lists(restrictions(FEW_DOMAINS), unique_by=lambda found: found.id)
SOME_WISHES = st.lists(wishes(FEW_DOMAINS), unique_by=lambda wish: wish.domain)


@given(SOME_RESTRICTIONS)
def test_planning_what_is_already_there_changes_nothing(current):
    current = one_per_domain(current)
    wanted = [DesiredRestriction(found.name, found.exempted, found.comments) for found in current]
    plan = make_plan(wanted, current)
    assert plan.changes == []
    assert plan.failures == []
    assert plan.unchanged == current


@given(SOME_WISHES, SOME_RESTRICTIONS)
def test_carrying_a_plan_out_and_planning_again_changes_nothing(wanted, current):
    plan = make_plan(wanted, current)
    again = make_plan(wanted, carried_out(plan, current))
    assert again.changes == []
    assert again.failures == plan.failures


@given(SOME_WISHES, SOME_RESTRICTIONS)
def test_pruning_makes_the_account_equal_to_the_list(wanted, current):
    plan = make_plan(wanted, current, prune=True)
    after = carried_out(plan, current)
    assert plan.failures == []
    assert sorted(restriction.name for restriction in after) == sorted(
        wish.domain for wish in wanted if wish.state == "present"
    )
    again = make_plan(wanted, after, prune=True)
    assert again.changes == []
    assert len(again.unchanged) == len(after)


@given(SOME_WISHES, SOME_RESTRICTIONS)
def test_pruning_changes_what_is_wanted_just_as_without(wanted, current):
    current = one_per_domain(current)
    pruned, kept = make_plan(wanted, current, prune=True), make_plan(wanted, current)
    assert (pruned.creates, pruned.updates) == (kept.creates, kept.updates)
    named = {wish.domain for wish in wanted}
    assert [delete for delete in pruned.deletes if delete.domain in named] == kept.deletes


@given(SOME_WISHES, SOME_RESTRICTIONS)
def test_what_nobody_named_is_left_alone(wanted, current):
    plan = make_plan(wanted, current)
    named = {wish.domain for wish in wanted}
    assert {change.domain for change in plan.changes} <= named


@given(SOME_WISHES, SOME_RESTRICTIONS)
def test_every_change_shows_a_difference_that_people_manage(wanted, current):
    plan = make_plan(wanted, current)
    diffs = plan.diffs()
    assert len(diffs) == len(plan.creates) + len(plan.updates) + len(plan.deletes)
    assert all(diff["before"] != diff["after"] for diff in diffs)
    assert [diff["before_header"] for diff in diffs] == sorted(
        diff["before_header"] for diff in diffs
    )


def test_a_new_domain_is_created_without_exemption_or_comment():
    plan = make_plan([desired(domain="partner.example")], [])
    assert [create.body for create in plan.creates] == [
        {"domain": "partner.example", "exclude": []}
    ]


def test_present_with_two_restrictions_for_the_domain_names_both_ids():
    current = [existing(SECOND, "partner.example"), existing(FIRST, "Partner.example.")]
    plan = make_plan([desired(domain="partner.example", comments="x")], current)
    assert plan.changes == []
    assert [failure.reason for failure in plan.failures] == [
        f"the account holds 2 restrictions for partner.example, with the ids {FIRST} and {SECOND}:"
        " remove all but one of them, with the option id of sending_domain_restriction"
    ]


def test_absent_removes_every_restriction_for_the_domain():
    current = [
        existing(FIRST, "Partner.example."),
        existing(SECOND, "partner.example"),
        existing(THIRD, "sub.partner.example"),
    ]
    plan = make_plan([desired(domain="PARTNER.example", state="absent")], current)
    assert [delete.current.id for delete in plan.deletes] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"id": FIRST.upper(), "comments": "x"}, [(FIRST, {"comments": "x"})]),
        ({"id": FIRST, "domain": "new.example"}, [(FIRST, {"domain": "new.example"})]),
        ({"id": FIRST, "domain": "a.example", "comments": "x"}, [(FIRST, {"comments": "x"})]),
        ({"id": FIRST, "exclude": ["b.a.example"]}, [(FIRST, {"exclude": ["b.a.example"]})]),
        ({"id": FIRST, "domain": "A.example"}, []),
    ],
)
def test_an_id_names_one_restriction_for_certain(options, changes):
    current = [existing(FIRST, "a.example"), existing(SECOND, "a.example")]
    plan = make_plan([desired(**options)], current)
    assert [(update.current.id, update.changes) for update in plan.updates] == changes
    assert plan.failures == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            {"id": THIRD},
            f"the account holds no restriction with the id {THIRD}: leave out id to create one",
        ),
        (
            {"id": FIRST, "domain": "b.example"},
            "renaming a.example to b.example would give that domain more than one restriction:"
            f" remove the one with the id {SECOND} first",
        ),
        (
            {"id": FIRST, "domain": "b.example", "state": "absent"},
            f"the restriction {FIRST} is for a.example, not for b.example: nothing was removed;"
            " correct one of the two, or leave out domain",
        ),
        (
            {"id": FIRST, "exclude": ["c.b.example"]},
            "exclude: 'c.b.example' is not below 'a.example': only subdomains of the restricted"
            " domain can be exempted",
        ),
    ],
)
def test_a_wish_that_contradicts_the_account_is_a_conflict_and_changes_nothing(options, reason):
    current = [existing(FIRST, "a.example"), existing(SECOND, "b.example")]
    plan = make_plan([desired(**options)], current)
    assert plan.changes == []
    assert [failure.reason for failure in plan.failures] == [reason]


def test_absent_by_id_removes_that_one_only_and_is_content_when_it_is_gone():
    current = [existing(FIRST, "a.example"), existing(SECOND, "a.example")]
    plan = make_plan([desired(id=FIRST, state="absent")], current)
    assert [delete.current.id for delete in plan.deletes] == [FIRST]
    assert make_plan([desired(id=THIRD, state="absent")], current).changes == []


@pytest.mark.parametrize(
    ("fields_of_first", "fields_of_second", "kept"),
    [
        ({"created_at": "2026-01-02"}, {"created_at": "2026-01-01"}, SECOND),
        ({"created_at": "2026-01-02", "comments": "x"}, {"created_at": "2026-01-01"}, FIRST),
        # The API leaves out zeros at the end of a fraction.
        (
            {"created_at": "2026-01-01T05:20:00.12Z"},
            {"created_at": "2026-01-01T05:20:00.1Z"},
            SECOND,
        ),
        ({"created_at": "2026-01-01T05:20:00.1Z"}, {"created_at": "2026-01-01T05:20:00Z"}, SECOND),
        ({}, {}, FIRST),
    ],
)
def test_of_two_for_one_domain_pruning_keeps_the_one_as_wanted_else_the_oldest(
    fields_of_first, fields_of_second, kept
):
    current = [
        existing(FIRST, "a.example", **fields_of_first),
        existing(SECOND, "A.example", **fields_of_second),
    ]
    plan = make_plan([desired(domain="a.example", comments="x")], current, prune=True)
    (delete,) = plan.deletes
    assert delete.current.id != kept


def deleting(number):
    return Plan(
        deletes=make_plan(
            [], [existing(str(index), f"d{index}.example") for index in range(number)], prune=True
        ).deletes
    )


@pytest.mark.parametrize(
    ("deletes", "held", "percent", "refused"),
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
def test_the_guard_trips_above_the_allowed_share_of_ten_or_more(deletes, held, percent, refused):
    plan = deleting(deletes)
    if refused:
        with pytest.raises(TooManyDeletes):
            refuse_mass_deletion(plan, held, percent)
    else:
        refuse_mass_deletion(plan, held, percent)


def test_the_guard_gives_the_numbers_and_the_way_to_allow_it():
    with pytest.raises(TooManyDeletes) as refusal:
        refuse_mass_deletion(deleting(313), 1000, 30)
    assert str(refusal.value) == (
        "this would delete 313 of the 1000 restrictions on the account, more than the 30 percent"
        " that max_delete_percent allows: nothing was changed; if it is what you want, set"
        " max_delete_percent to 32"
    )
    refuse_mass_deletion(deleting(313), 1000, 32)


COVERED = (
    "sub.a.example is covered by the restriction for a.example already; its own restriction decides"
    " for it"
)
EXEMPTED = (
    "sub.a.example is exempted by the restriction for a.example, but has a restriction of its own,"
    " so that it needs TLS all the same"
)


@pytest.mark.parametrize(
    ("wanted", "current", "prune", "sentences"),
    [
        ([{"domain": "a.example"}, {"domain": "sub.a.example"}], [], False, [COVERED]),
        (
            [{"domain": "a.example", "exclude": ["sub.a.example"]}, {"domain": "sub.a.example"}],
            [],
            False,
            [EXEMPTED],
        ),
        ([{"domain": "sub.a.example"}], [("a.example", [])], False, [COVERED]),
        ([{"domain": "sub.a.example"}], [("a.example", ["sub.a.example"])], False, [EXEMPTED]),
        ([{"domain": "sub.a.example"}], [("a.example", [])], True, []),
        (
            [{"domain": "sub.a.example"}, {"domain": "a.example", "state": "absent"}],
            [("a.example", [])],
            False,
            [],
        ),
        (
            [{"domain": "sub.a.example"}, {"domain": "a.example", "exclude": []}],
            [("a.example", ["sub.a.example"]), ("sub.a.example", [])],
            False,
            [COVERED],
        ),
        ([{"domain": "a.example"}, {"domain": "nota.example"}], [], False, []),
        ([{"domain": "a.example", "exclude": ["sub.a.example"]}], [], False, []),
    ],
)
def test_contradictions_are_told(wanted, current, prune, sentences):
    held = [
        existing(str(number), domain, exclude=exclude)
        for number, (domain, exclude) in enumerate(current)
    ]
    plan = make_plan([desired(**options) for options in wanted], held, prune)
    assert contradictions(plan, held) == sentences
