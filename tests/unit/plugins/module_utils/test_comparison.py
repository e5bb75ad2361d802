# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._comparison import (
    DRIFT,
    EQUAL,
    comparison,
    utc_minute,
)

RECORD = {"domain": "hypo.example", "exclude": ["news.hypo.example"], "comments": None}


def values(**lists):
    names = ("created", "updated", "deleted", "failures", "unlisted")
    return {**dict.fromkeys(names, []), "unchanged": 176, **lists}


def named(*names):
    return [{"domain": name} for name in names]


def test_a_drift_names_the_domains_and_what_differs():
    differing = values(
        created=named("klinik.example"),
        deleted=[
            {"domain": "shadow-it.example", "created_at": "2026-11-26T16:19:20.12345Z"},
            {"domain": "old.example", "created_at": None},
            {"domain": "twice.example", "duplicate_of": "1"},
        ],
        updated=[
            {**RECORD, "previous": {**RECORD, "exclude": []}},
            {**RECORD, "domain": "bank.example", "comments": "x", "previous": {}},
        ],
        failures=[
            {"domain": "nordbank.example", "kind": "duplicates"},
            {"domain": "other.example", "kind": "invalid"},
        ],
    )
    assert comparison(differing, "partners.yml", prune=True) == (
        DRIFT,
        "The account differs from partners.yml."
        " Only on the account: shadow-it.example (created 2026-11-26 16:19 UTC), old.example."
        " Missing on the account: klinik.example."
        " Different: hypo.example (exclude), bank.example (domain, exclude, comments)."
        " More than once on the account: nordbank.example, twice.example",
    )


@pytest.mark.parametrize(
    ("effect", "shown"),
    [
        ("newly_requires_tls", "(exclude; weaker)"),
        ("no_longer_requires_tls", "(exclude; stricter)"),
        ("both", "(exclude; weaker and stricter)"),
        ("comment_or_spelling_only", "(exclude)"),
    ],
)
def test_a_different_restriction_is_weaker_or_stricter_than_the_list(effect, shown):
    different = {**RECORD, "effect": effect, "previous": {**RECORD, "exclude": []}}
    _status, message = comparison(values(updated=[different]), "a.csv", prune=True)
    assert message.endswith(f"Different: hypo.example {shown}")


def test_twenty_domains_are_named_and_the_others_counted():
    names = [f"d{number:02}.example" for number in range(25)]
    _status, message = comparison(values(created=named(*names)), "a.csv", prune=True)
    assert message.endswith("d18.example, d19.example and 5 more")
    _status, message = comparison(
        values(created=named(*names[:15]), deleted=named(*names[15:])), "a.csv", prune=True
    )
    assert message.count(".example") == 20
    assert message.endswith("d09.example and 5 more")


def test_no_kind_of_difference_is_only_counted():
    names = [f"d{number:02}.example" for number in range(98)]
    differing = values(
        created=named("new.example"),
        deleted=named(*names),
        updated=[{**record, "previous": record} for record in named(*names[:9])],
        failures=[{"domain": "twice.example", "kind": "duplicates"}],
    )
    _status, message = comparison(differing, "a.csv", prune=True)
    only, missing, different, twice = message.split(". ")[1:]
    assert only.endswith("d12.example and 85 more")
    assert missing == "Missing on the account: new.example"
    assert different.endswith("d04.example () and 4 more")
    assert twice == "More than once on the account: twice.example"


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        (["2026-11-26T16:19:20Z", "2026-11-26T16:19:59Z"], " (created 2026-11-26 16:19 UTC): a, b"),
        (
            ["2026-11-26T16:19:20Z", "2026-11-26T16:20:20Z"],
            ": a (created 2026-11-26 16:19 UTC), b (created 2026-11-26 16:20 UTC)",
        ),
        (["2026-11-26T16:19:20Z", None], ": a (created 2026-11-26 16:19 UTC), b"),
        ([None, None], ": a, b"),
    ],
)
def test_the_same_time_of_all_is_said_once(times, shown):
    deleted = [{"domain": name, "created_at": time} for name, time in zip("ab", times)]
    _status, message = comparison(values(deleted=deleted), "a.csv", prune=True)
    assert message == f"The account differs from a.csv. Only on the account{shown}"


@pytest.mark.parametrize(
    ("unlisted", "prune", "message"),
    [
        ([], True, "The account equals partners.yml (176 restrictions)"),
        ([], False, "The account equals partners.yml (176 restrictions)"),
        (["com"], True, "The account equals partners.yml (176 restrictions)"),
        (
            ["a.example", "b.example"],
            False,
            "The account has the 176 restrictions of partners.yml, and 2 others: a.example, b.example"
            " (with prune, a difference)",
        ),
    ],
)
def test_what_is_not_in_the_list_counts_only_with_prune(unlisted, prune, message):
    assert comparison(values(unlisted=unlisted), "partners.yml", prune) == (EQUAL, message)


@pytest.mark.parametrize(
    ("time", "shown"),
    [
        ("2014-01-01T05:20:00.12345Z", "2014-01-01 05:20 UTC"),
        ("2014-01-01T05:20Z", "2014-01-01 05:20 UTC"),
        ("2014-01-01T05:20:00+01:00", "2014-01-01T05:20:00+01:00"),
        ("", ""),
    ],
)
def test_times_of_the_api_are_shown_in_minutes(time, shown):
    assert utc_minute(time) == shown
