# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message search, its traps, and the account's own domains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from samples import mail


@pytest.fixture
def search(api, account):
    def search(token=None, **parameters):
        headers = {"Authorization": f"Bearer {token}"} if token else api.headers
        path = f"/accounts/{account.id}/email-security/investigate"
        return api.raw("GET", path, params=parameters, headers=headers)

    return search


def senders(response):
    assert response.status_code == 200, response.text
    return [record["envelope_from"] for record in response.json()["result"]]


def days_ago(days):
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_clean_mail_is_only_listed_on_request(account, search):
    account.seed_messages([mail("a@p.example"), mail("spam@p.example", is_clean=False)])
    assert senders(search()) == ["spam@p.example"]
    assert senders(search(detections_only="true")) == ["spam@p.example"]
    assert senders(search(detections_only="false")) == ["a@p.example", "spam@p.example"]


def test_the_last_30_days_are_listed_by_default(account, search):
    account.seed_messages([mail("new@p.example", age=29), mail("old@p.example", age=31)])
    assert senders(search(detections_only="false")) == ["new@p.example"]
    longer = {"detections_only": "false", "start": days_ago(90)}
    assert senders(search(**longer)) == ["new@p.example", "old@p.example"]
    assert senders(search(**longer, end=days_ago(30))) == ["old@p.example"]


@pytest.mark.parametrize(
    ("sender", "sender_match", "found"),
    [
        ("p.example", "subdomains", [0, 1, 2]),
        ("P.EXAMPLE.", "subdomains", [0, 1, 2]),
        ("p.example", "exact", [0, 2]),
        ("example", "subdomains", [0, 1, 2, 3, 4]),
        ("a@p.example", "subdomains", [0]),
        ("news.p.example", "exact", [1]),
    ],
)
def test_senders_are_found_by_envelope_and_header(account, search, sender, sender_match, found):
    messages = [
        mail("a@p.example"),
        mail("b@News.P.example"),
        mail("bounce@relay.example", **{"from": "Shop <c@p.example>"}),
        mail("d@notp.example"),
        mail(None, **{"from": "mailer-daemon@q.example"}),
    ]
    account.seed_messages(messages)
    account.change(sender_match=sender_match)
    expected = [messages[number]["envelope_from"] for number in found]
    assert senders(search(sender=sender, detections_only="false")) == expected


@pytest.mark.parametrize(
    "parameters",
    [
        {"page": "1"},
        {"per_page": "1001"},
        {"per_page": "0"},
        {"detections_only": "no"},
        {"start": "yesterday"},
        {"start": "2026-01-01T00:00:00"},
        {"start": days_ago(-1)},
        {"start": days_ago(1), "end": days_ago(2)},
        {"cursor": "unknown"},
    ],
)
def test_invalid_parameters_are_refused(search, parameters):
    assert search(**parameters).status_code == 400


def test_pages_follow_cursors(account, search):
    account.seed_messages([mail("a@p.example", times=5)])
    query = {"detections_only": "false", "per_page": 2}
    pages, cursor = [], {}
    while True:
        document = search(**query, **cursor).json()
        pages.append([record["id"] for record in document["result"]])
        if "cursor" not in document["result_info"]:
            break
        cursor = {"cursor": document["result_info"]["cursor"]}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({message for page in pages for message in page}) == 5
    assert search(**{**query, "per_page": 3}, **cursor).status_code == 400


def test_a_page_can_repeat_the_end_of_the_one_before(account, search):
    account.change(search_overlap=1)
    account.seed_messages([mail(f"{name}@p.example") for name in "abcd"])
    query = {"detections_only": "false", "per_page": 2}
    cursor = search(**query).json()["result_info"]["cursor"]
    repeated = ["b@p.example", "c@p.example", "d@p.example"]
    assert senders(search(**query, cursor=cursor)) == repeated


def test_a_slow_search_is_polled_at_its_location(api, account, search):
    account.change(search_polls=2)
    account.seed_messages([mail("a@p.example")])
    response = search(detections_only="false")
    for _poll in range(2):
        assert (response.status_code, response.json()["result"]) == (202, None)
        assert response.headers["Location"].startswith(api.root)
        location = response.headers["Location"][len(api.root) :]
        response = api.raw("GET", location)
    assert senders(response) == ["a@p.example"]
    assert api.raw("GET", location).status_code == 404


def test_the_location_can_be_anywhere(account, search):
    account.change(search_polls=1, search_location="https://elsewhere.example/")
    assert search().headers["Location"] == "https://elsewhere.example/"


def test_searching_needs_another_permission_than_the_settings(emulator, account, search, api):
    token = emulator.create_token({account.id: "settings"})
    assert search(token).status_code == 403
    headers = {"Authorization": f"Bearer {token}"}
    assert api("GET", headers=headers).status_code == 200
    assert (
        api("POST", json={"domain": "a.example", "exclude": []}, headers=headers).status_code == 403
    )


def test_the_own_domains_are_listed(api, account):
    account.change(domains=[{"domain": "own.example", "allowed_delivery_modes": ["BCC"]}])
    path = f"/accounts/{account.id}/email-security/settings/domains"
    document = api.raw("GET", path).json()
    assert [record["domain"] for record in document["result"]] == ["own.example"]
    assert document["result"][0]["allowed_delivery_modes"] == ["BCC"]
    assert document["result_info"]["total_count"] == 1
