# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_result import (
    parse_domains,
    senders_result,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    DomainSenders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import (
    Message,
    Sender,
)


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
