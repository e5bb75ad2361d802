# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
import tracemalloc

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import (
    Message,
    SenderCounter,
    known_names,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import existing

DAY = "2026-11-20T06:00:0{}Z"


def message(number, domain="p.example", scanned_at="", delivery_mode=""):
    return Message(str(number), domain, scanned_at, delivery_mode)


def counted(*messages, domain="p.example"):
    """Return what a counter counted, by name."""
    counter = SenderCounter(domain)
    counter.add(messages)
    return {sender.name: sender.messages for sender in counter.senders}


@pytest.mark.parametrize(
    ("envelope_from", "domain"),
    [
        ("a@p.example", "p.example"),
        ("A@P.Example", "p.example"),
        ("a+tag@news.p.example", "news.p.example"),
        ("a@p.example.", "p.example"),
        ("<a@p.example>", "p.example"),
        ('"a@b.example c"@p.example', "p.example"),
        ("SRS0=hash=tt=orig.example=a@forwarder.example", "forwarder.example"),
        ("prvs=0123456789=a@p.example", "p.example"),
        ("a@b\u00fccher.example", "xn--bcher-kva.example"),
        ("a@XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("_x@_a.p.example", "_a.p.example"),
        ("p.example", "p.example"),
        ("", ""),
        ("<>", ""),
        (None, ""),
        (7, ""),
        (["a@p.example"], ""),
        ("postmaster", ""),
        ("a@localhost", ""),
        ("a@[192.0.2.1]", ""),
        ("a@192.0.2.1", ""),
        ("a@p.example (secret comment)", ""),
        ("a@p..example", "p..example"),
        ("a@" + "x" * 64 + ".example", "x" * 64 + ".example"),
        ("a@-bounce.P.example", "-bounce.p.example"),
        ("a@" + "x." * 130 + "p.example", ""),
    ],
)
def test_the_name_of_a_sender_is_the_canonical_domain_of_its_envelope(envelope_from, domain):
    record = {"envelope_from": envelope_from, "from": "other@header.example"}
    assert Message.from_api(record).domain == domain


@pytest.mark.parametrize(
    ("times", "scanned_at"),
    [
        ({"scanned_at": "2026-11-20T06:00:01Z"}, "2026-11-20T06:00:01Z"),
        ({"scanned_at": "2026-11-20T06:00:01.987654Z"}, "2026-11-20T06:00:01Z"),
        ({"scanned_at": "2026-11-20T06:00:01+00:00"}, "2026-11-20T06:00:01Z"),
        ({"scanned_at": "2026-11-20 06:00:01"}, "2026-11-20T06:00:01Z"),
        ({"ts": "2026-11-20T06:00:01"}, "2026-11-20T06:00:01Z"),
        ({"scanned_at": "", "ts": "2026-11-20T06:00:01"}, "2026-11-20T06:00:01Z"),
        ({"scanned_at": "2026-11-20T06:00:01Z", "ts": "2001-01-01T00:00:00"}, DAY.format(1)),
        ({"scanned_at": "2026-11-20T06:00:01+02:00"}, ""),
        ({"scanned_at": 1}, ""),
        ({"scanned_at": "yesterday"}, ""),
        ({}, ""),
    ],
)
def test_times_are_in_utc(times, scanned_at):
    assert Message.from_api(times).scanned_at == scanned_at


@pytest.mark.parametrize(
    ("delivery_mode", "expected"),
    [("RETRO_SCAN", "RETRO_SCAN"), ("a@p.example", ""), ("X" * 41, ""), (None, ""), ("", "")],
)
def test_a_delivery_mode_is_a_word_in_capitals(delivery_mode, expected):
    assert Message.from_api({"delivery_mode": delivery_mode}).delivery_mode == expected


def test_only_messages_from_the_domain_and_below_it_are_counted():
    names = ["p.example", "news.p.example", "notp.example", "p.example.net", "example", ""]
    assert counted(*map(message, range(6), names)) == {"p.example": 1, "news.p.example": 1}


def test_a_message_that_comes_again_counts_once():
    counter = SenderCounter("p.example")
    assert counter.add([message(1), message(2)]) == 2
    assert counter.add([message(2), message(3), message(1, "news.p.example")]) == 1
    assert {sender.name: sender.messages for sender in counter.senders} == {"p.example": 3}


def test_messages_without_an_id_are_told_apart_by_another_or_all_counted():
    records = [{"envelope_from": "a@p.example", "postfix_id": "X"}] * 2
    assert counted(*map(Message.from_api, records)) == {"p.example": 1}
    assert counted(message(""), message("")) == {"p.example": 2}


def test_messages_without_an_envelope_sender_are_counted_apart():
    counter = SenderCounter("p.example")
    counter.add([message(1, ""), message(2, ""), message(2, ""), message(3)])
    assert counter.without_sender == 2
    assert [sender.messages for sender in counter.senders] == [1]


@given(st.permutations(range(4)))
def test_the_order_of_messages_makes_no_difference(order):
    messages = [
        message(0, scanned_at=DAY.format(3), delivery_mode="JOURNAL"),
        message(1, scanned_at=DAY.format(1), delivery_mode="DIRECT"),
        message(2),
        message(3, scanned_at=DAY.format(2), delivery_mode="DIRECT"),
    ]
    counter = SenderCounter("p.example")
    counter.add(messages[number] for number in order)
    (sender,) = counter.senders
    assert (sender.first_seen, sender.last_seen) == (DAY.format(1), DAY.format(3))
    assert sender.delivery_modes == ("DIRECT", "JOURNAL")


def test_senders_are_sorted_and_found_by_name():
    counter = SenderCounter("p.example")
    counter.add([message(1, "z.p.example"), message(2, "a.p.example")])
    assert [sender.name for sender in counter.senders] == ["a.p.example", "z.p.example"]
    assert "z.p.example" in counter
    assert "p.example" not in counter


@pytest.mark.parametrize("names", [10, 100_000], ids=["few names", "a name for each message"])
def test_100000_messages_are_counted_in_little_memory(names):
    dice = random.Random(1)
    records = (
        {
            "id": f"{dice.getrandbits(128):032x}",
            "envelope_from": f"user{number}@host{number % names}.p.example",
            "scanned_at": DAY.format(number % 10),
            "delivery_mode": "DIRECT",
            "subject": "x" * 2000,
        }
        for number in range(100_000)
    )
    counter = SenderCounter("p.example")
    tracemalloc.start()
    try:
        assert counter.add(map(Message.from_api, records)) == 100_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(counter.senders) == names
    assert peak < 70e6


def test_the_names_that_restrictions_mention_are_known_for_each_domain_above_them():
    restrictions = [
        existing("1", "P.example", exclude=["news.p.example", "x.y.p.example", "q.example"]),
        existing("2", "y.p.example", exclude=["News.p.example"]),
        existing("3", "other.example", exclude=["a.other.example"]),
    ]
    assert known_names(["p.example", "y.p.example", "none.example"], restrictions) == {
        "p.example": ["news.p.example", "x.y.p.example", "y.p.example"],
        "y.p.example": ["x.y.p.example"],
        "none.example": [],
    }
