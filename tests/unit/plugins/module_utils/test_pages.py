# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._pages import (
    MAX_PAGES,
    USUAL_PAGE_SIZES,
    InconsistentList,
    Pages,
)
from hypothesis import assume, given
from hypothesis import strategies as st


def records(*numbers):
    return [{"id": str(number)} for number in numbers]


def added(*pages, per_page=3):
    """Return the pages after adding these: the numbers of each, and its `result_info`."""
    collected = Pages(per_page)
    for numbers, result_info in pages:
        assert not collected.is_complete
        collected.add(records(*numbers), result_info)
    return collected


def info(total, per_page=3, **more):
    return {"total_count": total, "per_page": per_page, **more}


@pytest.mark.parametrize(
    ("pages", "is_complete"),
    [
        ([([], {})], True),
        ([([], info(0))], True),
        ([([1], info(1))], True),
        ([([1, 2], info(4))], False),
        ([([1, 2], {})], False),
        # A full page may be all that a wrong total counts.
        ([([1, 2, 3], info(3))], False),
        ([([1, 2, 3], info(3)), ([], info(3))], True),
        ([([1, 2, 3], info(3)), ([], info(0))], True),
        ([([1, 2, 3], info(4)), ([4], info(4))], True),
        ([([1, 2, 3], {}), ([4], {}), ([], {})], True),
        # Pages that are shorter than what was asked for are full.
        ([([1, 2], info(2, per_page=2))], False),
        ([([1, 2], {"total_count": 2})], False),
        ([([1], {"total_count": True}), ([2], {"total_count": "2"}), ([], {})], True),
    ],
)
def test_a_list_ends_only_where_nothing_can_follow(pages, is_complete):
    assert added(*pages).is_complete == is_complete


@pytest.mark.parametrize("size", sorted(USUAL_PAGE_SIZES))
def test_a_page_of_a_usual_size_may_be_cut_off_without_a_word(size):
    page = (range(size), info(size, per_page=1000))
    assert not added(page, per_page=1000).is_complete
    assert added((range(size + 1), info(size + 1, per_page=1000)), per_page=1000).is_complete


@pytest.mark.parametrize(
    ("pages", "problem"),
    [
        ([([1, 2], info(1))], "its total_count is 1, but it contains 2 entries"),
        ([([1, 2], info(-1))], "its total_count is -1, but it contains 2 entries"),
        ([([], info(2))], "its total_count is 2, but it contains 0 entries"),
        (
            [([1, 2, 3], info(5)), ([4], info(5)), ([], info(0))],
            "its total_count is 5, but it contains 4 entries",
        ),
        (
            [([1, 2, 3], info(4)), ([4], info(5))],
            "its total_count changes from 4 to 5 between two pages",
        ),
        ([([1], info(None, count=2))], "the count of page 1 is 2, but it contains 1"),
        (
            [([1, 2, 3], info(6)), ([3, 4], info(6))],
            "1 of the 2 entries of page 2 are repeated",
        ),
        ([([1, 1], info(2))], "1 of the 2 entries of page 1 are repeated"),
        (
            [([1, 2, 3], info(3)), ([1, 2, 3], info(3))],
            "3 of the 3 entries of page 2 are repeated, as if the parameter page was ignored",
        ),
    ],
)
def test_pages_that_contradict_each_other_are_an_error(pages, problem):
    with pytest.raises(InconsistentList) as error:
        added(*pages)
    assert str(error.value) == problem


def test_after_the_first_page_as_many_are_asked_for_as_it_has():
    assert added().per_page == 3
    assert added(([1, 2], info(9)), ([3], info(9))).per_page == 2
    assert added(([1, 2, 3, 4], info(9))).per_page == 3


def test_an_endless_list_is_an_error():
    with pytest.raises(InconsistentList, match="it does not end within 1000 pages"):
        added(*(([number], {}) for number in range(MAX_PAGES + 1)))


@st.composite
def servers(draw):
    """Return the number of records of a server, and a function that returns its pages."""
    number = draw(st.integers(0, 120))
    asked = draw(st.sampled_from([30, 60]))
    echo = draw(st.sampled_from(["capped", "asked", "missing"]))
    sizes = st.sampled_from([10, 20, 25, 50]) if echo == "asked" else st.integers(1, 60)
    limit = draw(sizes)
    total = draw(st.sampled_from(["right", "page", "missing", "more", "less"]))
    ignores_page, starts_by_asked = draw(st.booleans()), draw(st.booleans())

    def page(which, per_page):
        size = min(per_page, limit)
        first = 0 if ignores_page else (which - 1) * (per_page if starts_by_asked else size)
        found = list(range(number))[first : first + size]
        totals = {"right": number, "page": len(found), "more": number + 1, "less": number - 1}
        result_info = {"count": len(found), "total_count": totals.get(total)}
        if echo != "missing":
            result_info["per_page"] = size if echo == "capped" else per_page
        return found, result_info

    return number, asked, page


@pytest.mark.promise("A part of the account is never taken for the whole")
@given(servers())
def test_a_part_of_a_list_is_never_taken_for_the_whole(server):
    number, asked, page = server
    pages = Pages(asked)
    try:
        while not pages.is_complete:
            found, result_info = page(pages.count + 1, pages.per_page)
            pages.add(records(*found), result_info)
    except InconsistentList:
        assume(False)
    assert len(pages.records) == number
