# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    Held,
    RateLimit,
)


def headers(left, resets_in, quota=100, window=300):
    return {
        "Ratelimit": f'"default";r={left};t={resets_in}',
        "Ratelimit-Policy": f'"default";q={quota};w={window}',
    }


@pytest.fixture
def limit(fake_time):
    return RateLimit(0.1, fake_time.sleep, fake_time.clock)


def call(limit, answer=None):
    limit.acquire()
    limit.release(answer)


def test_without_headers_nothing_is_waited_for(limit, fake_time):
    for _call in range(1000):
        call(limit, {})
    assert fake_time.pauses == []


def test_the_reserve_is_left_until_the_window_resets(limit, fake_time):
    for left in range(99, 9, -1):
        call(limit, headers(left, 300))
    assert fake_time.pauses == []
    call(limit, headers(99, 300))
    assert fake_time.pauses == [300]
    assert limit.waited == 300


def test_a_quota_that_others_use_up_is_noticed(limit, fake_time):
    call(limit, headers(99, 300))
    call(limit, headers(10, 200))
    call(limit, headers(99, 300))
    assert fake_time.pauses == [200]


@pytest.mark.parametrize(("longest_wait", "held"), [(29, True), (30, False)])
def test_a_call_is_held_rather_than_waited_for_longer_than_told(
    limit, fake_time, longest_wait, held
):
    call(limit, headers(10, 30))
    if held:
        with pytest.raises(Held) as hold:
            limit.acquire(longest_wait)
        assert hold.value.seconds == 30
        assert fake_time.pauses == []
    else:
        limit.acquire(longest_wait)
        assert fake_time.pauses == [30]


def test_answers_that_overtake_each_other_do_not_give_calls_back(limit, fake_time):
    for _call in range(3):
        limit.acquire()
        limit.release(headers(50, 30))
    limit.acquire()
    limit.acquire()
    limit.release(headers(10, 30))
    limit.release(headers(11, 30))
    limit.acquire()
    assert fake_time.pauses == [30]


def test_odd_spacing_quotes_and_parameters_are_read(limit, fake_time):
    call(limit, {"Ratelimit": 'x ; pk=1;r=0 ;t=7,,"y";r=9;t=99999999999', "Ratelimit-Policy": ";"})
    call(limit, {})
    assert fake_time.pauses == [7]


def test_the_tightest_of_several_limits_binds(limit, fake_time):
    answer = {
        "Ratelimit": '"burst";r=5;t=1, "default";r=10;t=60',
        "Ratelimit-Policy": '"burst";q=10;w=1, "default";q=100;w=300',
    }
    call(limit, answer)
    limit.acquire()
    assert fake_time.pauses == [60]


def test_a_429_holds_every_call(limit, fake_time):
    call(limit, headers(50, 30))
    limit.block(7)
    limit.block(3)
    limit.acquire()
    assert fake_time.pauses == [7]


@pytest.mark.parametrize(
    "answer",
    [
        {"Ratelimit": "nonsense", "Ratelimit-Policy": "nonsense"},
        {"Ratelimit": '"default";r=;t=x'},
        {"Ratelimit": '"default";r=1'},
        {"Ratelimit-Policy": '"default";q=0;w=0'},
    ],
)
def test_headers_of_another_form_hold_nothing(limit, fake_time, answer):
    for _call in range(3):
        call(limit, answer)
    assert fake_time.pauses == []


def test_calls_go_one_at_a_time_until_the_first_answer_and_never_beyond_the_reserve():
    limit = RateLimit(0.1)
    lock = threading.Lock()
    in_flight, most_in_flight, left = 0, [], 100

    def work():
        nonlocal in_flight, left
        for _call in range(9):
            limit.acquire()
            with lock:
                in_flight += 1
                most_in_flight.append(in_flight)
            time.sleep(0.001)
            with lock:
                in_flight -= 1
                left -= 1
                answer = headers(left, 300)
            limit.release(answer)

    workers = [threading.Thread(target=work) for _worker in range(10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert left == 10
    assert most_in_flight[0] == 1
    assert 1 < max(most_in_flight) <= 10
    with pytest.raises(Held):
        limit.acquire(longest_wait=1)
