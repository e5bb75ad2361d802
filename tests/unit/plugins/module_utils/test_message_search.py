# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The message search and the list of own domains, against the emulator."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    MAX_EMPTY_PAGES,
    MAX_POLLS,
    MessageSearch,
    days_ago,
    own_domains,
)
from samples import mail


@pytest.fixture
def search(client, account):
    return MessageSearch(client, account.id, days_ago(30))


def domains(search, sender="p.example", per_page=1000):
    """Return the domains of the messages on each page."""
    return [[each.domain for each in page.messages] for page in search.pages(sender, per_page)]


def test_clean_mail_is_found(account, search):
    account.seed_messages([mail("a@p.example"), mail("spam@p.example", is_clean=False)])
    assert domains(search) == [["p.example", "p.example"]]


def test_the_period_is_the_one_asked_for(client, account):
    account.seed_messages([mail("a@p.example", age=age) for age in (1, 29, 31, 89, 91)])
    for days, found in ((7, 1), (30, 2), (90, 4)):
        (page,) = domains(MessageSearch(client, account.id, days_ago(days)))
        assert len(page) == found


def test_pages_are_read_by_cursor_to_their_end(account, search):
    account.seed_messages([mail("a@p.example", times=5)])
    pages = list(search.pages("p.example", 2))
    assert [(len(page.messages), page.has_more) for page in pages] == [
        (2, True),
        (2, True),
        (1, False),
    ]
    assert len({each.id for page in pages for each in page.messages}) == 5
    assert account.calls() == ["search"] * 3


def test_no_further_page_is_read_than_the_caller_takes(account, search):
    account.seed_messages([mail("a@p.example", times=5)])
    assert len(list(itertools.islice(search.pages("p.example", 2), 2))) == 2
    assert account.calls() == ["search"] * 2


@pytest.mark.parametrize("polls", [1, MAX_POLLS])
def test_a_slow_search_is_polled_with_backoff(account, search, fake_time, polls):
    account.change(search_polls=polls)
    account.seed_messages([mail("a@p.example", times=3)])
    assert domains(search, per_page=2) == [["p.example"] * 2, ["p.example"]]
    assert account.calls() == (["search"] + ["search_result"] * polls) * 2
    backoffs = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0] + [30.0] * 6
    assert fake_time.sleeps == backoffs[:polls] * 2


def test_a_search_that_takes_too_long_is_given_up(account, search):
    account.change(search_polls=MAX_POLLS + 1)
    with pytest.raises(CloudflareError) as error:
        domains(search)
    assert str(error.value) == (
        "Cloudflare's search takes too long; run again later, or search fewer days"
        " (GET …/investigate)"
    )
    assert len(account.calls()) == MAX_POLLS + 1


@pytest.mark.parametrize("location", ["", "/client/v4/accounts/{}/email-security/investigate"])
def test_a_pending_result_may_be_at_the_address_of_the_search(account, search, location):
    account.change(search_polls=1, search_location=location.format(account.id))
    with pytest.raises(CloudflareError, match="takes too long"):
        domains(search)
    assert set(account.calls()) == {"search"}


def test_the_credentials_are_sent_to_no_other_address(emulator, account, search):
    locations = (
        "https://evil.example/client/v4/accounts/x",
        "//evil.example/client/v4/accounts/x",
        emulator.url.replace("http", "https") + "/accounts/x",
        emulator.url.replace("127.0.0.1", "127.0.0.1@evil.example") + "/accounts/x",
        emulator.url.replace("/client/v4", "") + "/emulator/accounts/x",
        emulator.url + "/accounts/../../../x",
        emulator.url + "/user/tokens",
        "http://[",
    )
    for location in locations:
        account.change(search_polls=1, search_location=location)
        with pytest.raises(CloudflareError, match="outside the API, which is not followed"):
            domains(search)
    assert account.calls() == ["search"] * len(locations)


@pytest.mark.parametrize(
    "faults",
    [
        [{"result_info": {"cursor": "same"}}] * 2,
        [{"result_info": {"cursor": ["not a text"]}}] * 2,
        [{"result": [], "result_info": {"cursor": str(n)}} for n in range(MAX_EMPTY_PAGES)],
    ],
    ids=["same cursor", "not a text", "empty pages"],
)
def test_pages_without_end_are_an_error(account, search, faults):
    account.seed_messages([mail("a@p.example")])
    for number, fault in enumerate(faults):
        # The emulator does not know these cursors.
        kind = "merge" if number == 0 else "json"
        body = {"success": True, "errors": [], "result": [{}], **fault}
        values = {"set": fault} if kind == "merge" else {"status": 200, "body": body}
        account.fault(calls=["search"], kind=kind, **values)
    with pytest.raises(CloudflareError, match="the pages of Cloudflare's search do not end"):
        domains(search)
    assert len(account.calls()) == len(faults)


@pytest.mark.parametrize("result", [None, {}, [None], ["x"], "x"])
def test_a_result_that_is_not_a_list_of_messages_is_an_error(account, search, result):
    account.fault(
        calls=["search"], kind="merge", set={"result": result, "result_info": {}}, times=None
    )
    with pytest.raises(CloudflareError, match="an unexpected result: "):
        domains(search)


def test_a_202_is_only_a_response_to_a_search(account, client):
    account.fault(calls=["domains"], kind="empty", status=202, times=None)
    with pytest.raises(CloudflareError, match="returned 202"):
        own_domains(client, account.id)


def test_all_own_domains_are_read(account, client):
    expected = [f"d{number}.example" for number in range(1001)]
    account.change(domains=[{"domain": name} for name in expected])
    found = own_domains(client, account.id)
    assert [record["domain"] for record in found] == expected
    assert account.calls() == ["domains"] * 2
