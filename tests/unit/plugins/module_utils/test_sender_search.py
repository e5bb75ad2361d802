# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _sender_search
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
    REFUSED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import Page
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    MAX_CONSECUTIVE_FAILURES,
    NOT_SEARCHED,
    search_senders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import Message


class FakeSearch:
    """A search that finds what it is told to: for each sender, pages of domains, or an error.

    `asked` has the senders that were searched for, and `pages_read` how many pages were taken.
    """

    def __init__(self, found):
        self.found = found
        self.asked = []
        self.pages_read = 0
        self.per_page = set()

    def pages(self, sender, per_page):
        self.asked.append(sender)
        self.per_page.add(per_page)
        pages = self.found.get(sender, [])
        for number, page in enumerate(pages):
            if isinstance(page, Exception):
                raise page
            self.pages_read += 1
            messages = [
                Message(f"{sender} {number} {index}", domain, "", "")
                for index, domain in enumerate(page)
            ]
            yield Page(messages, number + 1 < len(pages))


def failed(kind=UNAVAILABLE, problem="it failed"):
    return CloudflareError(problem, "run again", kind)


def searched(search, *domains, names=(), max_messages=100, **options):
    found = search_senders(search, dict.fromkeys(domains, names), max_messages, **options)
    assert [each.domain for each in found] == list(domains)
    return found


def counts(found):
    return {sender.name: sender.messages for sender in found.senders}


def test_each_domain_is_searched_once():
    found = {f"{letter}.example": [[f"x.{letter}.example"]] for letter in "abcdef"}
    search = FakeSearch(found)
    results = searched(search, *found, concurrency=4)
    assert sorted(search.asked) == sorted(found)
    assert all(counts(each) == {f"x.{each.domain}": 1} for each in results)
    assert all(each.is_complete and not each.problem for each in results)


def test_a_known_name_is_searched_for_only_if_nothing_of_it_was_found():
    found = {"p.example": [["p.example", "a.p.example"]], "b.p.example": [["b.p.example"]]}
    search = FakeSearch(found)
    (result,) = searched(search, "p.example", names=["a.p.example", "b.p.example", "c.p.example"])
    assert search.asked == ["p.example", "b.p.example", "c.p.example"]
    assert counts(result) == {"p.example": 1, "a.p.example": 1, "b.p.example": 1}


@pytest.mark.parametrize(
    ("pages", "counted", "is_complete", "pages_read"),
    [
        ([3], 3, True, 1),
        ([4], 4, True, 1),
        ([5], 4, False, 1),
        ([2, 2], 4, True, 2),
        ([2, 2, 1], 4, False, 2),
        ([3, 3, 3], 4, False, 2),
        ([4, 0], 4, False, 1),
    ],
)
def test_a_search_ends_at_max_messages_and_says_so(pages, counted, is_complete, pages_read):
    search = FakeSearch({"p.example": [["p.example"] * size for size in pages]})
    (result,) = searched(search, "p.example", max_messages=4)
    assert counts(result) == {"p.example": counted}
    assert result.is_complete == is_complete
    assert search.pages_read == pages_read
    assert search.per_page == {4}


def test_a_search_for_a_known_name_that_is_cut_off_is_not_complete():
    search = FakeSearch({"b.p.example": [["b.p.example"] * 5]})
    (result,) = searched(search, "p.example", names=["b.p.example"], max_messages=4)
    assert not result.is_complete


def test_a_search_for_a_known_name_does_not_complete_one_that_is_cut_off():
    search = FakeSearch({"p.example": [["p.example"] * 5], "b.p.example": [["b.p.example"]]})
    (result,) = searched(search, "p.example", names=["b.p.example"], max_messages=4)
    assert counts(result) == {"p.example": 4, "b.p.example": 1}
    assert not result.is_complete


def test_a_page_has_at_most_as_many_messages_as_the_api_allows():
    search = FakeSearch({})
    searched(search, "p.example", max_messages=10**6)
    assert search.per_page == {1000}


def test_a_failed_search_leaves_the_others_and_keeps_what_it_found():
    search = FakeSearch({"a.example": [["a.example"], failed()], "b.example": [["b.example"]]})
    failure, success = searched(search, "a.example", "b.example")
    assert (failure.is_complete, failure.problem) == (False, "it failed; run again")
    assert counts(failure) == {"a.example": 1}
    assert (success.is_complete, success.problem) == (True, "")


def test_if_every_search_fails_the_first_failure_is_raised():
    search = FakeSearch({"a.example": [failed(problem="first")], "b.example": [failed()]})
    with pytest.raises(CloudflareError, match="first"):
        searched(search, "a.example", "b.example")


def test_refused_credentials_end_all_searches():
    found = {"a.example": [[]], "b.example": [failed()]}
    search = FakeSearch({**found, "c.example": [failed(CREDENTIALS, "denied")]})
    with pytest.raises(CloudflareError, match="denied"):
        searched(search, "a.example", "b.example", "c.example", "d.example")
    assert search.asked == ["a.example", "b.example", "c.example"]


@pytest.mark.parametrize(("kind", "asked"), [(UNAVAILABLE, 11), (REFUSED, 22)])
def test_consecutive_failures_that_are_not_specific_end_the_searches(kind, asked):
    domains = [f"d{number:02}.example" for number in range(2 + 2 * MAX_CONSECUTIVE_FAILURES)]
    search = FakeSearch({name: [failed(kind)] for name in domains[1:]})
    results = searched(search, *domains)
    assert len(search.asked) == asked
    assert [each.problem for each in results[asked:]] == [NOT_SEARCHED] * (22 - asked)
    assert not any(each.is_complete for each in results[1:])


def test_a_success_between_failures_lets_the_searches_go_on():
    domains = [f"d{number:02}.example" for number in range(3 * MAX_CONSECUTIVE_FAILURES)]
    search = FakeSearch({name: [failed()] for number, name in enumerate(domains) if number % 9})
    searched(search, *domains)
    assert search.asked == domains


def test_nothing_to_search_is_nothing_found():
    assert searched(FakeSearch({})) == []


def test_an_interrupt_stops_the_client(monkeypatch):
    stopped = []

    class Client:
        def stop(self):
            stopped.append(True)

    def interrupt(workers):
        raise KeyboardInterrupt

    search = FakeSearch({})
    search.client = Client()
    monkeypatch.setattr(_sender_search, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        searched(search, "p.example")
    assert stopped == [True]
