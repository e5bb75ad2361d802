# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    RateLimit,
    RateLimitWait,
)


def headers(left, resets_in, quota=100, window=300):
    return {
        "Ratelimit": f'"default";r={left};t={resets_in}',
        "Ratelimit-Policy": f'"default";q={quota};w={window}',
    }


@pytest.fixture
def limit(fake_time):
    return RateLimit(0.1, fake_time.sleep, fake_time.clock)


def call(limit, response=None):
    limit.acquire()
    if response is not None:
        limit.observe(response)
    limit.release()


def test_without_headers_no_call_waits(limit, fake_time):
    for _call in range(1000):
        call(limit, {})
    assert fake_time.sleeps == []


def test_the_reserve_is_kept_until_the_window_resets(limit, fake_time):
    for left in range(99, 9, -1):
        call(limit, headers(left, 300))
    assert fake_time.sleeps == []
    call(limit, headers(99, 300))
    assert fake_time.sleeps == [300]
    assert limit.waited == 300


def test_calls_of_other_clients_count_against_the_quota(limit, fake_time):
    call(limit, headers(99, 300))
    call(limit, headers(10, 200))
    call(limit, headers(99, 300))
    assert fake_time.sleeps == [200]


@pytest.mark.parametrize(("max_wait", "sleeps"), [(29, []), (30, [30])])
def test_a_call_waits_no_longer_than_allowed(limit, fake_time, max_wait, sleeps):
    call(limit, headers(10, 30))
    try:
        limit.acquire(max_wait)
    except RateLimitWait as delay:
        assert delay.seconds == 30
    assert fake_time.sleeps == sleeps


def test_responses_out_of_order_do_not_increase_the_quota(limit, fake_time):
    for _call in range(3):
        call(limit, headers(50, 30))
    limit.acquire()
    limit.acquire()
    for left in (10, 11):
        limit.observe(headers(left, 30))
        limit.release()
    limit.acquire()
    assert fake_time.sleeps == [30]


def test_the_earliest_reset_of_a_window_counts(limit, fake_time):
    # The header has whole seconds, so the same reset may seem to be later.
    call(limit, headers(50, 30))
    call(limit, headers(10, 31))
    limit.acquire()
    assert fake_time.sleeps == [30]


def test_after_its_reset_a_short_window_is_a_new_one(limit, fake_time):
    call(limit, headers(10, 1))
    fake_time.now = 1.25
    call(limit, headers(10, 1))
    limit.acquire()
    assert fake_time.sleeps == [1]


def test_a_response_without_the_policy_leaves_the_quota_as_it_is(limit, fake_time):
    call(limit, headers(50, 30))
    call(limit, {"Ratelimit": '"default";r=10;t=30'})
    limit.acquire()
    assert fake_time.sleeps == [30]


def test_no_header_delays_a_call_for_more_than_15_minutes(limit, fake_time):
    call(limit, headers(10, 999_999_999))
    limit.acquire()
    assert fake_time.sleeps == [900]


def test_unusual_spacing_and_parameters_are_accepted(limit, fake_time):
    odd = 'x ; pk=1;r=0 ;t=7,,"y";r=9;t=99999999999'
    call(limit, {"Ratelimit": odd, "Ratelimit-Policy": ";"})
    call(limit, {})
    assert fake_time.sleeps == [7]


def test_the_tightest_of_several_limits_applies(limit, fake_time):
    response = {
        "Ratelimit": '"burst";r=5;t=1, "default";r=10;t=60',
        "Ratelimit-Policy": '"burst";q=10;w=1, "default";q=100;w=300',
    }
    call(limit, response)
    limit.acquire()
    assert fake_time.sleeps == [60]


def test_a_block_delays_every_call_and_a_shorter_one_does_not_replace_it(limit, fake_time):
    call(limit, headers(50, 30))
    limit.block(7)
    limit.block(3)
    assert limit.is_blocked()
    limit.acquire()
    assert fake_time.sleeps == [7]
    assert not limit.is_blocked()


@pytest.mark.parametrize(
    "response",
    [
        {"Ratelimit": "nonsense", "Ratelimit-Policy": "nonsense"},
        {"Ratelimit": '"default";r=;t=x'},
        {"Ratelimit": '"default";r=1'},
        {"Ratelimit-Policy": '"default";q=0;w=0'},
    ],
)
def test_malformed_headers_are_ignored(limit, fake_time, response):
    for _call in range(3):
        call(limit, response)
    assert fake_time.sleeps == []


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [(0, 0), (40, 0), (41, 30), (130, 30), (131, 330), (400, 930)],
)
def test_the_delay_of_more_calls_is_estimated_from_quota_and_window(limit, calls, seconds):
    call(limit, headers(50, 30))
    assert limit.seconds_for(calls) == seconds


@pytest.mark.parametrize(
    ("response", "seconds_later", "calls", "seconds"),
    [
        # What others have used of the reserve is not missing twice.
        (headers(5, 30), 0, 90, 30),
        (headers(5, 30), 0, 91, 330),
        # The window is over, so the next one begins with the next call.
        (headers(50, 30), 40, 90, 0),
        (headers(50, 30), 40, 181, 300),
        # No window is longer than 15 minutes.
        (headers(50, 30, window=999_999_999), 0, 131, 930),
    ],
)
def test_an_estimate_holds_in_any_state_of_the_window(
    limit, fake_time, response, seconds_later, calls, seconds
):
    call(limit, response)
    fake_time.now += seconds_later
    assert limit.seconds_for(calls) == seconds


@pytest.mark.parametrize("response", [{}, {"Ratelimit": '"default";r=1;t=30'}])
def test_without_a_quota_no_delay_is_estimated(limit, response):
    call(limit, response)
    assert limit.seconds_for(10_000) == 0


class WouldWait(Exception):
    """A call would wait for the end of another one."""


@pytest.fixture
def impatient(limit, monkeypatch):
    """Raise an exception instead of waiting for the end of another call."""
    monkeypatch.setattr(limit._released, "wait", mock.Mock(side_effect=WouldWait))


def test_until_the_first_response_calls_are_sent_one_at_a_time(limit, impatient):
    for _call in range(3):
        limit.acquire()
        with pytest.raises(WouldWait):
            limit.acquire()
        limit.release()
    call(limit, {})
    for _call in range(100):
        limit.acquire()


def test_calls_in_flight_count_against_the_quota(limit, impatient):
    call(limit, headers(13, 300))
    for _call in range(3):
        limit.acquire()
    with pytest.raises(WouldWait):
        limit.acquire()
    for left in (12, 11, 10):
        limit.observe(headers(left, 300))
        limit.release()
    with pytest.raises(RateLimitWait):
        limit.acquire(max_wait=0)


def test_the_end_of_a_call_wakes_all_workers_that_wait_for_it(limit, monkeypatch):
    waiting = threading.Semaphore(0)
    wait = limit._released.wait

    def note_and_wait():
        waiting.release()
        wait()

    monkeypatch.setattr(limit._released, "wait", note_and_wait)
    limit.acquire()
    workers = [threading.Thread(target=limit.acquire, daemon=True) for _worker in range(5)]
    for worker in workers:
        worker.start()
        waiting.acquire()
    limit.observe({})
    limit.release()
    for worker in workers:
        worker.join(60)
        assert not worker.is_alive()


def test_a_429_blocks_the_other_workers_before_they_wake_up(limit, monkeypatch):
    was_blocked = []
    wake_up = limit._released.notify_all

    def note_and_wake_up():
        was_blocked.append(limit.is_blocked())
        wake_up()

    monkeypatch.setattr(limit._released, "notify_all", note_and_wake_up)
    limit.acquire()
    limit.observe({})
    limit.release(block=60)
    assert was_blocked == [True]


def test_a_wait_of_many_workers_at_once_is_counted_once(fake_time):
    asleep = threading.Barrier(5, action=lambda: fake_time.sleep(60), timeout=60)
    limit = RateLimit(0.1, lambda seconds: asleep.wait(), fake_time.clock)
    call(limit, {})
    limit.block(60)
    with ThreadPoolExecutor(5) as pool:
        for _worker in range(5):
            pool.submit(limit.acquire)
    assert fake_time.sleeps == [60]
    assert limit.waited == 60


def test_only_time_that_is_spent_waiting_counts_as_waited(limit, fake_time):
    call(limit, {})
    for _wait in range(2):
        limit.block(10)
        call(limit)
        fake_time.now += 100
    assert limit.waited == 20


def test_a_wait_during_a_longer_one_is_not_counted_again(fake_time):
    def sleep(seconds):
        if seconds == 60:
            # Meanwhile, a response tells another worker of an earlier reset.
            limit.observe(headers(10, 30))
            call(limit)
            limit.block(20)
            call(limit)
        fake_time.sleep(seconds)

    limit = RateLimit(0.1, sleep, fake_time.clock)
    call(limit, headers(10, 60))
    limit.acquire()
    assert fake_time.sleeps == [30, 20, 60]
    assert limit.waited == 60
