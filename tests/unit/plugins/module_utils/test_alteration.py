# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._alteration import (
    MAX_WARNINGS,
    alteration_warnings,
    alterations,
)
from samples import FIRST, existing

SECRET = "a-secret-of-many-characters"


def warnings_about(sent, stored, **options):
    fields = {"domain": "a.example", "exclude": [], **sent}
    return alteration_warnings(
        alterations(fields, existing(FIRST, **{**fields, **stored})), **options
    )


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({}, {"domain": "A.example."}),
        ({"exclude": ["b.a.example", "c.a.example"]}, {"exclude": ["C.a.example", "b.a.example."]}),
        ({"comments": ""}, {"comments": None}),
        ({"comments": "x"}, {}),
    ],
)
def test_another_form_of_the_same_value_is_not_an_alteration(sent, stored):
    assert warnings_about(sent, stored) == []


@pytest.mark.parametrize(
    ("sent", "stored", "difference", "advice"),
    [
        (" x\t", "x", "'x' instead of ' x\\t'", "remove the whitespace around it"),
        (
            "R&D <x>",
            "R&amp;D &lt;x&gt;",
            "'R&amp;D &lt;x&gt;' instead of 'R&D <x>'",
            "write it without the characters & < > \" '",
        ),
        ("a\u0301", "\u00e1", "'\u00e1' instead of 'a\u0301'", "write it as Cloudflare stored it"),
        ("x", None, "'' instead of 'x'", "omit it"),
        (
            "y" * 500 + "1" + "z" * 500,
            "y" * 500 + "\x1b" + "z" * 500,
            f"'…{'y' * 30}\\u001b{'z' * 23}…' instead of '…{'y' * 30}1{'z' * 28}…'",
            "write it as Cloudflare stored it",
        ),
    ],
)
def test_a_comment_that_is_stored_differently_is_shown_where_it_differs(
    sent, stored, difference, advice
):
    assert warnings_about({"comments": sent}, {"comments": stored}) == [
        f"Cloudflare stored comments of a.example as {difference}; {advice}, or every run sends it"
        " again"
    ]


@pytest.mark.parametrize(
    ("stored", "difference"),
    [
        (["c.b.a.example"], "without b.a.example"),
        (["b.a.example", "c.b.a.example", "x.a.example"], "with x.a.example"),
        (["x.a.example"], "with x.a.example without b.a.example, c.b.a.example"),
    ],
)
def test_names_that_are_missing_or_additional_in_exclude_are_named(stored, difference):
    sent = {"exclude": ["b.a.example", "c.b.a.example"]}
    assert warnings_about(sent, {"exclude": stored}) == [
        f"Cloudflare stored exclude of a.example {difference}; check the exempt names, and list them"
        " as Cloudflare stored them, or every run sends it again"
    ]


@pytest.mark.parametrize(
    ("sent", "stored", "shown"),
    [
        ("x" * 50 + SECRET, "x" * 50, "********"),
        ("x" * 50, "x" * 50 + SECRET, "********"),
        ("x", "y", "'y' instead of 'x'"),
    ],
)
def test_a_comment_with_a_secret_is_not_shown_in_parts(sent, stored, shown):
    warnings = warnings_about({"comments": sent}, {"comments": stored}, secrets={SECRET})
    assert warnings == [
        f"Cloudflare stored comments of a.example as {shown}; write it as Cloudflare stored it, or"
        " every run sends it again"
    ]


def numbered(*numbers):
    stored = [existing(str(number), f"d{number}.example", comments="x") for number in numbers]
    return [found for known in stored for found in alterations({"comments": " x"}, known)]


def test_the_first_alterations_of_a_run_are_shown_and_the_others_counted():
    first = alteration_warnings(numbered(0, 1), is_last=False)
    then = alteration_warnings(numbered(*range(2, 1000)), before=2, is_last=False)
    last = alteration_warnings(numbered(1000), before=1000)
    assert [text.split(" as ")[0] for text in first + then] == [
        f"Cloudflare stored comments of d{number}.example" for number in range(MAX_WARNINGS)
    ]
    assert last == [
        "Cloudflare stored 998 more values differently than sent; compare the list with the account"
    ]
    assert alteration_warnings(numbered(0, 1, 2)) == first + then
    one_more = alteration_warnings(numbered(*range(MAX_WARNINGS + 1)))
    assert one_more[-1].startswith("Cloudflare stored 1 more value differently than sent;")
