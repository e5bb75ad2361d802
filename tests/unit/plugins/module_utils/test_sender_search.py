# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
import types

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import _sender_search
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
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
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
)

# Only a test that fails waits that long.
MAX_SECONDS = 60


class FakeSearch:
    """A search that finds what it is told to: for each sender, pages of domains, or an error.

    `asked` has the senders that were searched for, and `pages_read` how many pages were taken.
    """

    def __init__(self, found, clock=lambda: 0.0):
        self.client = types.SimpleNamespace(clock=clock, stop=None)
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
    outcome = search_senders(search, dict.fromkeys(domains, names), max_messages, **options)
    assert list(outcome.found) == list(domains)
    return list(outcome.found.values())


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


def test_if_every_search_fails_the_first_failure_is_the_error():
    search = FakeSearch({"a.example": [failed(problem="first")], "b.example": [failed()]})
    progress = Progress()
    outcome = search_senders(search, {"a.example": [], "b.example": []}, progress=progress)
    assert outcome.error.problem == "first"
    assert progress.search_failures == 2


def test_a_failed_search_is_not_the_error_if_another_succeeds():
    search = FakeSearch({"a.example": [failed()], "b.example": []})
    progress = Progress()
    outcome = search_senders(search, {"a.example": [], "b.example": []}, progress=progress)
    assert (outcome.error, progress.search_failures) == (None, 0)


def test_refused_credentials_end_all_searches():
    found = {"a.example": [[]], "b.example": [failed()]}
    search = FakeSearch({**found, "c.example": [failed(CREDENTIALS, "denied")]})
    outcome = search_senders(search, {f"{letter}.example": [] for letter in "abcd"})
    assert outcome.error is None
    assert outcome.found["d.example"].problem == "denied; run again"
    assert not outcome.left
    assert search.asked == ["a.example", "b.example", "c.example"]


def test_what_there_is_no_time_for_is_left():
    times = iter([0.0, 1.0, 2.0, 3.0])
    search = FakeSearch({"b.example": [["b.example"]]}, clock=lambda: next(times))
    names = {f"{letter}.example": [] for letter in "abcd"}
    outcome = search_senders(search, names, time_limit=2.0)
    assert (list(outcome.found), outcome.left) == (
        ["a.example", "b.example"],
        ["c.example", "d.example"],
    )
    assert (outcome.wait, outcome.error) == (0.0, None)


def test_a_search_that_the_rate_limit_delays_is_left_and_ends_the_others():
    search = FakeSearch({"b.example": [["b.example"], RateLimitWait(7.0)]})
    outcome = search_senders(search, {f"{letter}.example": [] for letter in "abc"})
    assert (list(outcome.found), outcome.left) == (["a.example"], ["b.example", "c.example"])
    assert outcome.wait == 7.0


def test_failures_of_earlier_time_slices_count():
    search = FakeSearch({"a.example": [failed()], "b.example": []})
    progress = Progress(search_failures=MAX_CONSECUTIVE_FAILURES - 1)
    outcome = search_senders(search, {"a.example": [], "b.example": []}, progress=progress)
    assert search.asked == ["a.example"]
    assert outcome.found["b.example"].problem == NOT_SEARCHED


def test_what_was_found_survives_the_way_to_the_next_time_slice():
    search = FakeSearch({"a.example": [["x.a.example"], failed()]})
    progress = Progress()
    names = {"a.example": []}
    found = search_senders(search, names, progress=progress).found["a.example"]
    progress = Progress.from_dict(json.loads(json.dumps(progress.as_dict())))
    search.asked.clear()
    passed_on = search_senders(search, names, progress=progress).found["a.example"]
    assert search.asked == []
    assert passed_on.as_dict() == found.as_dict()
    assert passed_on.senders[0].messages == 1


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


def test_as_many_searches_run_side_by_side_as_concurrency_says():
    pair = threading.Barrier(2, timeout=MAX_SECONDS)

    class PairedSearch(FakeSearch):
        def pages(self, sender, per_page):
            pair.wait()
            return super().pages(sender, per_page)

    found = searched(PairedSearch({}), "a.example", "b.example", concurrency=2)
    assert [each.problem for each in found] == ["", ""]


def test_an_interrupt_stops_the_client_and_all_searches(monkeypatch):
    begun, stopped = threading.Event(), threading.Event()

    class EndlessSearch(FakeSearch):
        def pages(self, sender, per_page):
            begun.set()
            assert stopped.wait(MAX_SECONDS)
            return super().pages(sender, per_page)

    def interrupt(searches):
        assert begun.wait(MAX_SECONDS)
        raise KeyboardInterrupt

    search = EndlessSearch({})
    search.client.stop = stopped.set
    monkeypatch.setattr(_sender_search, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        searched(search, "a.example", "b.example")
    assert search.asked == ["a.example"]
