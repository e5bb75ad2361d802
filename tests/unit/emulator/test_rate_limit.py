# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota, its headers, and the block after it."""

from __future__ import annotations

import pytest
from emulator.envelope import Refusal
from emulator.rate_limit import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def spend(limit: RateLimit, count: int) -> None:
    for _dummy in range(count):
        limit.charge()


def test_the_headers_count_down_requests_and_seconds(clock):
    limit = RateLimit(3, 60, clock)
    limit.charge()
    clock.now += 10.5
    limit.charge()
    assert limit.headers() == {
        "Ratelimit": '"default";r=1;t=50',
        "Ratelimit-Policy": '"default";q=3;w=60',
    }


def test_after_a_window_the_whole_quota_is_available(clock):
    limit = RateLimit(3, 60, clock)
    spend(limit, 3)
    clock.now += 60
    spend(limit, 3)


def test_the_block_lasts_a_full_window_from_the_first_request_over_the_quota(clock):
    limit = RateLimit(3, 60, clock)
    spend(limit, 3)
    clock.now += 50
    for wait, retry_after in ((0, "60"), (30, "30"), (29.5, "1")):
        clock.now += wait
        with pytest.raises(Refusal) as raised:
            limit.charge()
        assert (raised.value.status, raised.value.problems[0].code) == (429, 971)
        assert raised.value.headers == {"Retry-After": retry_after}
        assert limit.headers()["Ratelimit"] == f'"default";r=0;t={retry_after}'
    clock.now += 0.5
    spend(limit, 3)


def test_a_quota_that_is_used_up_but_not_exceeded_does_not_block(clock):
    limit = RateLimit(3, 60, clock)
    spend(limit, 3)
    assert limit.headers()["Ratelimit"] == '"default";r=0;t=60'
    clock.now += 61
    limit.charge()


def test_new_limits_start_a_new_window(clock):
    limit = RateLimit(1, 60, clock)
    limit.charge()
    limit.change(2, 0.5)
    spend(limit, 2)
    assert limit.headers()["Ratelimit-Policy"] == '"default";q=2;w=1'


def test_every_call_of_a_blocked_principal_is_refused(emulator, api_for):
    account = emulator.create_account(quota=2)
    api = api_for(account)
    for left in (1, 0):
        response = api("GET")
        assert response.status_code == 200
        assert response.headers["Ratelimit"].startswith(f'"default";r={left};t=')
    create = api("POST", json={"domain": "a.example", "exclude": []})
    assert create.status_code == 429
    assert create.json()["success"] is False
    assert int(create.headers["Retry-After"]) > 0
    assert create.headers["Ratelimit"].startswith('"default";r=0;t=')
    assert api("GET").status_code == 429
    assert account.restrictions() == []


def test_a_users_credentials_share_one_quota_and_an_account_owned_token_has_its_own(
    emulator, api_for
):
    account = emulator.create_account(quota=2)
    key = {"X-Auth-Email": account.email, "X-Auth-Key": account.api_key}
    assert api_for(account, account.tokens["write"])("GET").status_code == 200
    assert api_for(account, account.tokens["read"])("GET").status_code == 200
    assert api_for(account)("GET", headers=key).status_code == 429
    assert api_for(account, account.tokens["account_owned"])("GET").status_code == 200


@pytest.mark.parametrize("path", ["?page=0", "/x", "/batch"])
def test_refused_requests_use_the_quota(emulator, api_for, path):
    account = emulator.create_account(quota=5)
    response = api_for(account)("GET", path)
    assert response.status_code in (400, 405)
    assert response.headers["Ratelimit"].startswith('"default";r=4;')
    assert response.headers["Ratelimit-Policy"] == '"default";q=5;w=300'


def test_requests_without_valid_credentials_do_not_use_the_quota(emulator, api_for):
    account = emulator.create_account(quota=2)
    api_for(account, account.tokens["expired"])("GET")
    assert api_for(account)("GET").headers["Ratelimit"].startswith('"default";r=1;')


def test_the_limits_of_an_account_can_be_changed(emulator, api_for):
    account = emulator.create_account(quota=1)
    api = api_for(account)
    assert [api("GET").status_code for dummy in range(2)] == [200, 429]
    account.change(quota=7, window=90)
    response = api("GET")
    assert response.status_code == 200
    assert response.headers["Ratelimit"].startswith('"default";r=6;')
    assert response.headers["Ratelimit-Policy"] == '"default";q=7;w=90'
