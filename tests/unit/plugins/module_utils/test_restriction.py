# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from datetime import date

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    InvalidRestriction,
    Restriction,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import desired
from strategies import entries, other_spellings, records, restrictions

ID = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"


def existing(**fields):
    return Restriction.from_api({"id": ID, "domain": "partner.example", "exclude": [], **fields})


@given(records())
def test_unknown_fields_and_a_missing_last_modified_make_no_difference(record):
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
    ("fields", "repaired", "damaged"),
    [
        ({"comments": "x\ud800y"}, {"comments": "x\ufffdy"}, ("comments",)),
        (
            {"domain": "a\udfff.example", "exclude": ["b", "\ud83d"]},
            {"domain": "a\ufffd.example", "exclude": ["b", "\ufffd"]},
            ("domain", "exclude"),
        ),
        ({"modified_at": "\ud800"}, {"modified_at": "\ufffd"}, ("modified_at",)),
        ({"comments": "\U0001f48c \ufffd"}, {"comments": "\U0001f48c \ufffd"}, ()),
    ],
)
def test_half_of_a_character_is_replaced_and_noted(fields, repaired, damaged):
    restriction = existing(**fields)
    assert repaired.items() <= restriction.record.items()
    assert restriction.damaged == damaged
    assert str(restriction.record).encode("utf-8")


def test_a_comment_with_half_of_a_character_stays_if_it_is_listed_as_it_is_shown():
    current = existing(comments="x\ud800")
    listed = DesiredRestriction.from_entry(dict(current.record))
    assert listed.changes_to(current) == {}


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
        {"id": f"{ID}/../x", "domain": "partner.example"},
        {"id": f"{ID}\n", "domain": "partner.example"},
        {"id": ID, "domain": ""},
        {"id": ID, "domain": "partner.example", "exclude": "a.partner.example"},
        {"id": ID, "domain": "partner.example", "exclude": [1]},
        {"id": ID, "domain": "partner.example", "comments": 1},
        {"id": ID, "domain": "partner.example", "created_at": 1700000000},
        {"id": ID, "domain": "partner.example", "modified_at": [["2026"]]},
    ],
)
def test_a_record_with_wrong_types_is_refused(record):
    with pytest.raises(InvalidRestriction):
        Restriction.from_api(record)


@given(st.data(), restrictions())
def test_another_spelling_or_order_changes_nothing(data, current):
    exclude = data.draw(st.permutations(sorted(current.exclude)))
    request = desired(
        domain=data.draw(other_spellings(current.domain)),
        exclude=[data.draw(other_spellings(name)) for name in exclude],
        comments=current.comments,
    )
    assert request.changes_to(current) == {}


@given(restrictions())
def test_omitted_and_null_options_are_not_changed(current):
    assert desired(domain=current.domain).changes_to(current) == {}
    nulls = {"domain": current.domain, "exclude": None, "comments": None}
    assert DesiredRestriction.from_entry(nulls).changes_to(current) == {}


@given(st.data(), restrictions())
def test_the_changes_lead_to_the_desired_state(data, current):
    request = data.draw(entries(st.just(current.domain), states=("present",)))
    changed = Restriction.from_api({**current.record, **request.changes_to(current)})
    assert request.changes_to(changed) == {}


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
    request = desired(**{"domain": "partner.example", **options})
    assert request.changes_to(existing(**current)) == changes


def test_renaming_is_refused_if_it_leaves_excluded_names_outside_the_domain():
    request = desired(id=ID, domain="new.example")
    with pytest.raises(InvalidRestriction) as refusal:
        request.changes_to(existing(exclude=["a.partner.example"]))
    assert str(refusal.value) == (
        "exclude contains 'a.partner.example', which is not below 'new.example'; list only subdomains of"
        " the restricted domain"
    )


@pytest.mark.promise("No option can redirect a call")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domain": "com"}, "domain 'com' has a single label"),
        (
            {"domain": "Partner.example", "exclude": ["Newsletter"]},
            "exclude 'Newsletter' has a single label; use a full domain such as newsletter.partner.example",
        ),
        (
            {"domain": "partner.example", "exclude": [""]},
            "exclude contains an empty entry; remove it",
        ),
        *(
            (
                {"domain": "partner.example", "exclude": [word]},
                f"exclude contains '{word}', which is not a name; list subdomains, or leave it empty",
            )
            for word in ("None", "n/a", "-", "Yes")
        ),
        (
            {"domain": "partner.example", "exclude": ["partner.example"]},
            "exclude contains 'partner.example', which is not below",
        ),
        (
            {"domain": "partner.example", "exclude": ["a.notpartner.example"]},
            "exclude contains 'a.notpartner.example', which is not below",
        ),
        (
            {"domain": "a.example", "exclude": ["*.a.example"]},
            "exclude '*.a.example' is a wildcard",
        ),
        (
            {"domain": "partner.example", "comments": "ä" * 1025},
            "comments has 1025 characters; use at most 1024",
        ),
        (
            {"domain": "a.example", "comments": "a\0b"},
            "comments contains the control character U+0000; remove it",
        ),
        (
            {"domain": "a.example", "comments": "Agreed ********"},
            "comments contains ********, which stands for a secret; omit comments to keep the comment"
            " that the account has, or write another one",
        ),
        (
            {"domain": "a.example", "comments": "a\ud800"},
            "comments contains the control character U+D8",
        ),
        ({"domain": "a.example", "comments": False}, "YAML read comments as a boolean; quote it"),
        ({"domain": "a.example", "comments": ["x"]}, "YAML read comments as a list; quote it"),
        ({"domain": "a.example", "comments": {}}, "YAML read comments as a mapping; quote it"),
        ({"domain": "a.example", "comments": 1.1}, "YAML read comments as a number ('1.1')"),
        ({"domain": "a\ud800.example"}, "domain 'a\\ud800.example' contains the character"),
        ({"id": "../accounts"}, "id '../accounts' is not a UUID; use the ID that Cloudflare gave"),
        ({"id": ID + "\n"}, f"id '{ID}\\n' is not a UUID"),
        ({"id": ID + "/x"}, f"id '{ID}/x' is not a UUID"),
        ({"id": " " + ID}, f"id ' {ID}' is not a UUID"),
        ({"id": ID.replace("-", "")}, "id 'f174e90afafe4643bbbc4a0ed4fc8415' is not a UUID"),
        ({"id": ""}, "id '' is not a UUID"),
        ({}, "domain is missing; set domain or id"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(InvalidRestriction) as refusal:
        desired(**options)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"domain": "partner.example", "exclude": "newsletter"},
            "exclude 'newsletter' has a single label; use a full domain such as"
            " newsletter.partner.example",
        ),
        (
            "partner.example",
            "expected a mapping such as {domain: partner.example}, got text ('partner.example')",
        ),
        (None, "expected a mapping such as {domain: partner.example}, got nothing"),
        ([], "expected a mapping such as {domain: partner.example}, got a list"),
        ({}, "domain is missing; every entry needs one"),
        ({"domain": None}, "domain is missing; every entry needs one"),
        ({"doman": "a.example"}, "unknown key 'doman'; did you mean 'domain'?"),
        (
            {"domain": "a.example", "excludes": []},
            "unknown key 'excludes'; did you mean 'exclude'?",
        ),
        (
            {"domain": "a.example", "zone": 1},
            "unknown key 'zone'; use domain, exclude, comments, state",
        ),
        ({"domain": 1.5}, "YAML read domain as a number ('1.5'); quote it"),
        ({"domain": date(2026, 11, 23)}, "YAML read domain as another type; quote it"),
        (
            {"domain": "a.example", "state": "gone"},
            "state 'gone' is unknown; use present or absent",
        ),
        ({"domain": "a.example", "exclude": 1}, "exclude is a number ('1'); use a list of names"),
        (
            {"domain": "a.example", "exclude": [False]},
            "YAML read an entry of exclude as a boolean; quote it",
        ),
        (
            {"domain": "a.example", "exclude": ["b.example"]},
            "exclude contains 'b.example', which is",
        ),
    ],
)
def test_an_invalid_entry_is_refused(entry, message):
    with pytest.raises(InvalidRestriction) as refusal:
        DesiredRestriction.from_entry(entry)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("state", "read"),
    [({}, "present"), ({"state": None}, "present"), ({"state": "absent"}, "absent")],
)
def test_every_value_of_an_entry_is_read(state, read):
    entry = {"domain": "A.example.", "exclude": ["X.a.example"], "comments": "Agreed", **state}
    assert DesiredRestriction.from_entry(entry) == DesiredRestriction(
        "a.example", frozenset(["x.a.example"]), "Agreed", read
    )


@given(restrictions())
def test_a_record_of_the_account_is_a_valid_entry(current):
    request = DesiredRestriction.from_entry(dict(current.record))
    assert (request.domain, request.exclude) == (current.domain, current.exclude)
    assert request.changes_to(current) == {}


def test_only_an_entry_with_an_id_may_keep_names_outside_its_domain():
    record = {"id": ID, "domain": "a.example", "exclude": ["b.example"]}
    request = DesiredRestriction.from_entry(record)
    assert request.changes_to(Restriction.from_api(record)) == {}
    with pytest.raises(InvalidRestriction, match="'b.example', which is not below 'a.example'"):
        request.changes_to(existing(domain="a.example"))
    with pytest.raises(InvalidRestriction, match="'b.example', which is not below 'a.example'"):
        request.body()


def test_a_comma_separated_list_is_split_as_ansible_does():
    request = DesiredRestriction.from_entry(
        {"domain": "a.example", "exclude": "b.a.example, c.a.example"}
    )
    assert request.exclude == {"b.a.example", "c.a.example"}


@pytest.mark.parametrize(
    ("fields", "has_them"),
    [
        ({"domain": "partner.example", "exclude": ["a.partner.example"], "comments": "x"}, True),
        ({"comments": "x"}, True),
        ({"comments": ""}, False),
        ({"exclude": []}, False),
        ({"domain": "other.example"}, False),
    ],
)
def test_a_restriction_has_fields_only_if_all_of_them_match(fields, has_them):
    current = existing(exclude=["A.partner.example."], comments="x")
    assert current.has_fields(fields) is has_them


def test_restrictions_sort_by_age_and_without_times_keep_their_order():
    def ids(*records):
        found = [existing(id=name, created_at=time) for name, time in records]
        return [restriction.id for restriction in sorted(found, key=lambda known: known.age)]

    assert ids(("b", "2026-01-01T05:20:00.12Z"), ("a", "2026-01-01T05:20:00.1Z")) == ["a", "b"]
    assert ids(("b", "2026-01-01T05:20:00Z"), ("a", "2026-01-01T05:20:00Z")) == ["a", "b"]
    assert ids(("b", None), ("a", None)) == ["b", "a"]


def test_comments_are_counted_in_characters_not_bytes():
    assert desired(domain="partner.example", comments="ä" * 1024).comments == "ä" * 1024


def test_a_comment_may_be_an_integer_or_have_several_lines():
    assert desired(domain="partner.example", comments=2026).comments == "2026"
    assert desired(domain="partner.example", comments="a\tb\nc").comments == "a\tb\nc"


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
def test_line_endings_make_no_difference_and_are_sent_as_lf(line_end):
    text = f"a{line_end}b{line_end}"
    current = existing(comments=text)
    for other in ("a\r\nb\r\n", "a\rb\r", "a\nb\n"):
        assert desired(domain="partner.example", comments=other).changes_to(current) == {}
        assert current.has_fields({"comments": other})
    assert desired(domain="a.example", comments=text).body()["comments"] == "a\nb\n"
    assert desired(domain="partner.example", comments=text).changes_to(existing()) == {
        "comments": "a\nb\n"
    }
    assert current.record["comments"] == text


def test_an_id_is_compared_without_letter_case():
    assert desired(id=ID.upper()).id == ID
