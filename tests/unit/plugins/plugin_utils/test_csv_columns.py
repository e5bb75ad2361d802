# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Header rows of spreadsheets: known columns, ignored ones, and advice for all others."""

from __future__ import annotations

import json
import shlex

import pytest
from ansible.module_utils.common.validation import check_type_list
from ansible.parsing.splitter import parse_kv
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_columns import (
    COMMENT,
    WrongHeader,
    columns_of,
)

KNOWN = " (the columns are domain, exclude, comments, state and id)"


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
        ("excludes", "exclude"),
        ("Excluded", "exclude"),
        ("exclusions", "exclude"),
        ("Exceptions", "exclude"),
        ("Excluded subdomains", "exclude"),
        ("State?", "state"),
    ],
)
def test_a_column_whose_lack_would_drop_mail_is_only_advised_to_be_renamed(name, column):
    expected = f"has the unknown column {name!r}; rename {name!r} to {column}{KNOWN}"
    assert refusal(f"domain,{name}") == refusal(f"domain,{name}", ["*", "x"]) == expected


@pytest.mark.parametrize("name", ["Comment", "Notes", "Remarks"])
def test_a_column_that_is_probably_the_comments_is_refused_with_its_name(name):
    assert refusal(f"domain,{name}") == (
        f"has the unknown column {name!r}; rename {name!r} to comments, or use ignore_columns, as in"
        f" -e ignore_columns={name}{KNOWN}"
    )


@pytest.mark.parametrize("ignored", [[], ["Date"]])
@pytest.mark.parametrize(
    "names",
    [
        ["Owner", "Contract"],
        ["Job title", "x"],
        ["City, Land's"],
        ["a,b"],
        ["Größe", "#"],
        ["a=b", "{c}"],
        ["\\", '"'],
    ],
)
def test_the_advised_argument_makes_ansible_ignore_the_columns(names, ignored):
    header = ["domain", *ignored, *names]
    with pytest.raises(WrongHeader) as error:
        columns_of(header, ignored)
    argument = str(error.value).partition(" as in -e ")[2]
    assert argument.endswith(KNOWN)
    (value,) = shlex.split(argument[: -len(KNOWN)])
    given = json.loads(value) if value.startswith("{") else parse_kv(value)
    assert (
        columns_of(header, check_type_list(given["ignore_columns"])).count(None) == len(header) - 1
    )


def test_only_simple_names_are_advised_in_the_short_form():
    assert "-e ignore_columns=Owner,Contract (" in refusal("domain,Owner,Contract")


@pytest.mark.parametrize("name", ["Domain name", "Domains", "Sending domain", "E-mail domain"])
def test_a_column_that_is_probably_the_domain_is_refused_with_the_fix(name):
    assert refusal(f"{name},comments").startswith(
        f"has the unknown column {name!r}; rename {name!r} to domain ("
    )


@pytest.mark.parametrize(
    "name",
    ["Company", "Contact", "Date", "Status", "Subdomains", "Country", "Included", "Comment domain"],
)
def test_nothing_is_advised_for_a_column_that_could_be_anything(name):
    assert refusal(f"domain,{name}").startswith(
        f"has the unknown column {name!r}; delete it, or use ignore_columns, as in -e "
    )


def test_no_column_is_advised_that_is_there_or_was_advised_already():
    assert refusal("domain,Domain name,Notes,Remarks") == (
        "has the unknown columns 'Domain name', 'Notes', 'Remarks'; rename 'Notes' to comments,"
        " delete the others, or use ignore_columns, as in -e"
        """ '{"ignore_columns": ["Domain name", "Notes", "Remarks"]}'"""
        f"{KNOWN}"
    )


def test_a_single_other_column_is_named_as_one():
    assert "rename 'Notes' to comments, delete the other, or" in refusal("domain,Notes,Owner")


def test_everything_that_is_wrong_is_in_one_message():
    assert refusal("Partner,Notes,Owner") == (
        "has no column 'domain' and the unknown columns 'Partner', 'Notes', 'Owner'; name the one"
        " with the domains 'domain', rename 'Notes' to comments, delete the others, or use"
        f" ignore_columns, as in -e ignore_columns=Partner,Notes,Owner{KNOWN}"
    )
    assert refusal("Notes") == (
        "has no column 'domain' and the unknown column 'Notes'; add it, rename 'Notes' to comments,"
        f" or use ignore_columns, as in -e ignore_columns=Notes{KNOWN}"
    )


def test_long_and_many_names_are_cut():
    message = refusal(",".join(["domain", "x" * 100, *map("c{}".format, range(12))]))
    assert f"'{'x' * 59}…', 'c0'" in message
    assert "'c8' and 3 more; " in message


@pytest.mark.parametrize("names", [["x" * 61], list("abcefghijkl")])
def test_long_and_many_names_are_advised_to_be_ignored_together(names):
    assert "-e 'ignore_columns=*' (" in refusal(",".join(["domain", *names]))


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
    assert (
        refusal("x", ["*"])
        == refusal("domain", ["domain"])
        == f"has no column 'domain'; add it{KNOWN}"
    )


def test_a_header_row_may_begin_with_a_number_sign():
    assert columns_of(["#", "domain"], ["#"]) == [None, "domain"]


def test_a_line_before_the_header_row_is_not_one_whatever_is_ignored():
    assert refusal("# Partners", ["*"]) == COMMENT
    assert refusal("a.example,x", ["*"]).startswith("is not a header row; ")
