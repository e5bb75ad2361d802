# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Header rows of spreadsheets: known columns, ignored ones, and advice for all others."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_columns import (
    COMMENT,
    WrongHeader,
    columns_of,
)


def refusal(header, ignored=()):
    with pytest.raises(WrongHeader) as error:
        columns_of(header.split(","), ignored)
    return str(error.value)


@pytest.mark.parametrize("header", ["Domain, EXCLUDE ,", "domain,exclude,"])
def test_letter_case_and_spaces_around_a_name_make_no_difference(header):
    assert columns_of(header.split(",")) == ["domain", "exclude", ""]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("exlude", "exclude"),
        ("Excluded", "exclude"),
        ("Exceptions", "exclude"),
        ("Excluded subdomains", "exclude"),
        ("Comment", "comments"),
        ("Notes", "comments"),
        ("our remarks", "comments"),
        ("State?", "state"),
    ],
)
def test_a_column_that_is_probably_a_known_one_is_refused_with_its_name(name, column):
    assert refusal(f"domain,{name}") == (
        f"has the unknown column {name!r}; rename {name!r} to {column}, or name it in"
        " ignore_columns"
    )


@pytest.mark.parametrize("name", ["Domain name", "Domains", "Sending domain", "E-mail domain"])
def test_a_column_that_is_probably_the_domain_is_refused_with_the_fix(name):
    assert refusal(f"{name},comments").startswith(
        f"has the unknown column {name!r}; rename {name!r} to domain, "
    )


@pytest.mark.parametrize(
    "name",
    ["Company", "Contact", "Date", "Status", "Subdomains", "Country", "Included", "Comment domain"],
)
def test_nothing_is_advised_for_a_column_that_could_be_anything(name):
    advice = "; delete it, or name it in ignore_columns"
    assert refusal(f"domain,{name}") == f"has the unknown column {name!r}{advice}"


def test_no_column_is_advised_that_is_there_or_was_advised_already():
    assert refusal("domain,Domain name,Notes,Remarks") == (
        "has the unknown columns 'Domain name', 'Notes', 'Remarks'; rename 'Notes' to comments,"
        " delete the others, or name them in ignore_columns"
    )


def test_a_single_other_column_is_named_as_one():
    assert "rename 'Notes' to comments, delete the other, or" in refusal("domain,Notes,Owner")


def test_everything_that_is_wrong_is_in_one_message():
    assert refusal("Partner,Notes,Owner") == (
        "has no column 'domain' and the unknown columns 'Partner', 'Notes', 'Owner'; name the one"
        " with the domains 'domain', rename 'Notes' to comments, delete the others, or name them in"
        " ignore_columns"
    )
    assert refusal("Notes") == (
        "has no column 'domain' and the unknown column 'Notes'; add it, rename 'Notes' to comments,"
        " or name it in ignore_columns"
    )


def test_long_and_many_names_are_cut():
    message = refusal(",".join(["domain", "x" * 100, *map("c{}".format, range(12))]))
    assert f"'{'x' * 59}…', 'c0'" in message
    assert "'c8' and 3 more; " in message


@pytest.mark.parametrize(
    ("ignored", "columns"),
    [
        (["*"], ["domain", None, None, "", "comments"]),
        (["OWNER ", " #", "x"], ["domain", None, None, "", "comments"]),
        (["*", "comments"], ["domain", None, None, "", None]),
    ],
)
def test_columns_can_be_ignored(ignored, columns):
    assert columns_of(["domain", "#", " Owner", "", "comments"], ignored) == columns


@pytest.mark.promise("No row and no column vanishes without a word")
@pytest.mark.parametrize("name", ["exlude", "Exceptions", "states"])
def test_all_columns_but_misspelled_ones_can_be_ignored(name):
    header = f"domain,Notes,{name}"
    assert refusal(header, ["*"]).startswith(f"has the unknown column {name!r}; rename ")
    assert columns_of(header.split(","), ["*", name]) == ["domain", None, None]


def test_the_column_with_the_domains_is_needed_whatever_is_ignored():
    assert refusal("domain name,x", ["*"]).startswith("has the unknown column 'domain name'; ")
    assert refusal("x", ["*"]) == refusal("domain", ["domain"]) == "has no column 'domain'; add it"


def test_a_header_row_may_begin_with_a_number_sign():
    assert columns_of(["#", "domain"], ["#"]) == [None, "domain"]


def test_a_line_before_the_header_row_is_not_one_whatever_is_ignored():
    assert refusal("# Partners", ["*"]) == COMMENT
    assert refusal("a.example,x", ["*"]).startswith("is not a header row; ")
