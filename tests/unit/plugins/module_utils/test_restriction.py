# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    InvalidRestriction,
    Restriction,
)
from hypothesis import given
from hypothesis import strategies as st
from strategies import other_spellings, records, restrictions, wishes

ID = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"


def desired(**options):
    return DesiredRestriction.from_options({"state": "present", **options})


def existing(**fields):
    return Restriction.from_api({"id": ID, "domain": "partner.example", "exclude": [], **fields})


@given(records())
def test_a_record_survives_unknown_fields_and_the_end_of_last_modified(record):
    before = Restriction.from_api(record)
    del record["last_modified"]
    assert Restriction.from_api({**record, "new_field": {"x": 1}}) == before
    assert set(before.record) == {
        "id",
        "domain",
        "exclude",
        "comments",
        "created_at",
        "modified_at",
    }


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"id": ID},
        {"domain": "partner.example"},
        {"id": 1, "domain": "partner.example"},
        {"id": "../x?y=", "domain": "partner.example"},
        {"id": ID, "domain": ""},
        {"id": ID, "domain": "partner.example", "exclude": "a.partner.example"},
        {"id": ID, "domain": "partner.example", "exclude": [1]},
        {"id": ID, "domain": "partner.example", "comments": 1},
        {"id": ID, "domain": "partner.example", "created_at": 1700000000},
        {"id": ID, "domain": "partner.example", "modified_at": [["2026"]]},
    ],
)
def test_a_record_of_another_shape_is_refused(record):
    with pytest.raises(InvalidRestriction):
        Restriction.from_api(record)


@given(st.data(), restrictions())
def test_the_same_restriction_in_another_spelling_and_order_is_no_change(data, current):
    exclude = data.draw(st.permutations(sorted(current.exempted)))
    wish = desired(
        domain=data.draw(other_spellings(current.name)),
        exclude=[data.draw(other_spellings(name)) for name in exclude],
        comments=current.comments,
    )
    assert wish.changes_to(current) == {}


@given(restrictions())
def test_options_left_out_are_left_alone(current):
    assert desired(domain=current.name).changes_to(current) == {}


@given(st.data(), restrictions())
def test_changing_what_differs_leaves_nothing_to_change(data, current):
    wish = data.draw(wishes(st.just(current.name), states=("present",)))
    changed = Restriction.from_api({**current.record, **wish.changes_to(current)})
    assert wish.changes_to(changed) == {}


@pytest.mark.parametrize(
    ("current", "options", "changes"),
    [
        ({"exclude": ["a.partner.example"]}, {"exclude": []}, {"exclude": []}),
        (
            {"exclude": ["b.partner.example"]},
            {"exclude": ["C.partner.example.", "a.partner.example", "c.partner.example"]},
            {"exclude": ["a.partner.example", "c.partner.example"]},
        ),
        ({"comments": "old"}, {"comments": "new"}, {"comments": "new"}),
        ({"comments": "old"}, {"comments": ""}, {"comments": ""}),
        ({"comments": None}, {"comments": ""}, {}),
        ({"comments": "Note"}, {"comments": "note"}, {"comments": "note"}),
        ({}, {"id": ID, "domain": "new.example"}, {"domain": "new.example"}),
        ({"domain": "PARTNER.example."}, {"id": ID, "domain": "partner.example"}, {}),
    ],
)
def test_only_the_fields_that_differ_are_sent(current, options, changes):
    wish = desired(**{"domain": "partner.example", **options})
    assert wish.changes_to(existing(**current)) == changes


def test_renaming_must_not_strand_an_exemption():
    wish = desired(id=ID, domain="new.example")
    with pytest.raises(InvalidRestriction) as refusal:
        wish.changes_to(existing(exclude=["a.partner.example"]))
    assert str(refusal.value) == (
        "exclude: 'a.partner.example' is not below 'new.example': only subdomains of the restricted"
        " domain can be exempted"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"domain": "com"}, "domain: 'com' is a single label"),
        ({"domain": "partner.example", "exclude": ["com"]}, "exclude: 'com' is a single label"),
        (
            {"domain": "partner.example", "exclude": ["partner.example"]},
            "exclude: 'partner.example' is not below 'partner.example'",
        ),
        (
            {"domain": "partner.example", "exclude": ["a.notpartner.example"]},
            "exclude: 'a.notpartner.example' is not below 'partner.example'",
        ),
        (
            {"domain": "partner.example", "comments": "ä" * 1025},
            "comments: it has 1025 characters: shorten it to 1024",
        ),
        ({"domain": "a.example", "comments": "a\0b"}, "comments: it has U+0000, which is no"),
        ({"domain": "a.example", "comments": "a\ud800"}, "comments: it has U+D800, which is no"),
        ({"domain": "a.example", "comments": False}, "comments: it was read as true or false, not"),
        (
            {"domain": "a.example", "comments": ["x"]},
            "comments: it was read as a list, not as text",
        ),
        (
            {"domain": "a.example", "comments": {}},
            "comments: it was read as a mapping, not as text",
        ),
        (
            {"domain": "a.example", "comments": 1.1},
            "comments: it was read as a number, not as text",
        ),
        ({"domain": "a\ud800.example"}, "domain: 'a\\ud800.example' is not a host name"),
        ({"id": "../accounts"}, "id: '../accounts' is not the id of a restriction"),
        ({"id": ID + "\n"}, f"id: '{ID}\\n' is not the id of a restriction"),
        ({"id": ID.replace("-", "")}, "id: 'f174e90afafe4643bbbc4a0ed4fc8415' is not the id"),
        ({"id": ""}, "id: '' is not the id of a restriction"),
    ],
)
def test_a_restriction_that_cannot_be_is_refused_with_a_sentence(options, sentence):
    with pytest.raises(InvalidRestriction) as refusal:
        desired(**options)
    assert str(refusal.value).startswith(sentence)


def test_comments_are_counted_in_characters_not_bytes():
    assert desired(domain="partner.example", comments="ä" * 1024).comments == "ä" * 1024


def test_a_comment_may_be_a_whole_number_and_have_lines():
    assert desired(domain="partner.example", comments=2026).comments == "2026"
    assert desired(domain="partner.example", comments="a\tb\r\nc").comments == "a\tb\r\nc"


def test_an_id_is_compared_without_letter_case():
    assert desired(id=ID.upper()).id == ID
