# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_result import (
    MAX_LINES,
    parse_domains,
    sender_lines,
    senders_result,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    DomainSenders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import (
    Message,
    Sender,
)
from samples import existing


def sender(name, messages, scanned_at=""):
    made = Sender(name)
    for number in range(messages):
        made.add(Message(str(number), name, scanned_at, ""))
    return made


def test_a_name_below_two_of_the_domains_is_listed_for_each_and_counts_once():
    news = sender("news.p.example", 2)
    found = [
        DomainSenders("news.p.example", [news]),
        DomainSenders("p.example", [sender("news.p.example", 3), sender("p.example", 4)]),
    ]
    result = senders_result(found, [], 1)
    assert [(row["domain"], row["name"]) for row in result["senders"]] == [
        ("news.p.example", "news.p.example"),
        ("p.example", "news.p.example"),
        ("p.example", "p.example"),
    ]
    assert result["msg"].startswith("2 names at or below 2 domains sent 7 messages in 1 day; ")


def test_what_no_message_says_is_null():
    (row,) = senders_result([DomainSenders("p.example", [sender("p.example", 1)])], [], 1)[
        "senders"
    ]
    unknown = ("first_seen", "last_seen", "governed_by", "exempted_by")
    assert {row[name] for name in unknown} == {None}
    assert (row["delivery_modes"], row["tls_required"]) == ([], False)


def test_the_domains_of_a_task_are_canonical_and_each_is_searched_once():
    assert parse_domains(["P.example.", "a.example", "p.example"]) == ["a.example", "p.example"]
    assert parse_domains(None) is None
    with pytest.raises(InvalidRestriction, match="'x' has a single label.* and domains 'y' has"):
        parse_domains(["x", "p.example", "y"])


def rows(*senders):
    found = [
        DomainSenders(domain, [sender(name, messages, "2026-11-20T06:00:09Z")], is_complete)
        for domain, name, messages, is_complete in senders
    ]
    return senders_result(found, [existing("1", "q.example")], 30)["senders"]


def test_each_name_has_one_line_and_the_one_with_most_messages_is_first():
    senders = rows(
        ("p.example", "p.example", 1, True),
        ("q.example", "x.q.example", 3, True),
        ("p.example", "news.p.example", 2, True),
        ("news.p.example", "news.p.example", 5, False),
    )
    assert sender_lines(senders, 30) == [
        "news.p.example: at least 5 messages in 30 days, last on 2026-11-20, does not need TLS today",
        "x.q.example: 3 messages in 30 days, last on 2026-11-20, needs TLS already",
        "p.example: 1 message in 30 days, last on 2026-11-20, does not need TLS today",
    ]


def test_internationalized_names_are_shown_in_both_forms():
    name = "xn--bcher-kva.example"
    (line,) = sender_lines(rows((name, name, 1, True)), 1)
    assert line.startswith(f"{name} (b\xfccher.example): 1 message")


def test_at_most_some_lines_are_shown():
    many = rows(*(("p.example", f"n{n}.p.example", 1, True) for n in range(MAX_LINES + 2)))
    assert sender_lines(many, 1)[MAX_LINES:] == ["2 more; see senders in the result"]
    assert len(sender_lines(many[:MAX_LINES], 1)) == MAX_LINES
