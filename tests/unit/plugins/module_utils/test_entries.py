# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    MAX_PROBLEM_LENGTH,
    InvalidEntries,
    desired_restrictions,
)
from hypothesis import given
from hypothesis import strategies as st


def refusal(entries, places=()):
    with pytest.raises(InvalidEntries) as error:
        desired_restrictions(entries, places)
    return str(error.value)


@pytest.mark.promise("Invalid input changes nothing")
def test_all_invalid_entries_are_named_with_position_and_domain():
    entries = [
        {"domain": "a.example"},
        "partner.example",
        {"doman": "b.example"},
        {"domain": "A.example."},
        {"domain": "com"},
        {"domain": ""},
        {"domain": 5},
    ]
    assert refusal(entries) == (
        "6 of 7 entries are invalid, so nothing was sent; fix them and run again:\n"
        "entry 2: expected a mapping such as {domain: partner.example}, got text"
        " ('partner.example')\n"
        "entry 3: unknown key 'doman'; did you mean 'domain'?\n"
        "entry 4 (a.example): has the same domain as entry 1; merge the two\n"
        "entry 5 (com): domain 'com' has a single label; use a full domain such as"
        " partner.example\n"
        "entry 6: domain is empty; use a domain such as partner.example\n"
        "entry 7: YAML read domain as a number ('5'); quote it"
    )


def test_a_single_invalid_entry_is_named_on_the_same_line():
    start, colon, rest = refusal([{"domain": "com"}, {"domain": "a.example"}]).partition(": ")
    assert start == "1 of 2 entries is invalid, so nothing was sent; fix it and run again"
    assert rest.startswith("entry 1 (com): ")


def test_entries_of_a_file_are_named_by_line():
    message = refusal([{"domain": "com"}], ["partners.csv line 2"]).partition(": ")[2]
    assert message.startswith("partners.csv line 2 (com): domain 'com' has")


def test_an_invalid_domain_is_shown_as_one_short_line():
    assert ": entry 1 ('a\\nb.example'): " in refusal([{"domain": "a\nb.example"}])
    shown = "a" * 79 + "…"
    assert f": entry 1 ({shown}): " in refusal([{"domain": "a" * 300 + ".example"}])


@pytest.mark.parametrize("domain", ["x", "a" * 300 + ".example"])
@pytest.mark.parametrize(
    ("count", "more"), [(19, ""), (20, ""), (21, "\nand 1 more"), (30, "\nand 10 more")]
)
def test_twenty_invalid_entries_are_listed_and_the_others_counted(domain, count, more):
    message = refusal([{"domain": domain}] * count)
    assert message.count("\nentry ") == min(count, 20)
    assert message.partition("\nand ")[1:] == more.partition("\nand ")[1:]


def test_an_invalid_entry_is_listed_however_long_it_is():
    error = InvalidEntries([(0, "x" * 3000)], 1)
    assert str(error).endswith(f" {'x' * 499}…")


@given(
    st.lists(st.dictionaries(st.sampled_from(["domain", "x"]), st.text(max_size=300)), min_size=1)
)
def test_the_message_is_always_short_and_has_a_line_for_each_entry(entries):
    try:
        desired_restrictions(entries)
    except InvalidEntries as error:
        assert len(str(error)) < 20 * MAX_PROBLEM_LENGTH + 200
        assert str(error).count("\n") in (0, len(error.problems), 21)


def test_valid_entries_keep_their_order():
    domains = ["b.example", "a.example"]
    read = desired_restrictions([{"domain": domain} for domain in domains])
    assert [entry.domain for entry in read] == domains
    assert desired_restrictions([]) == []
