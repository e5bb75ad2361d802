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


def test_twenty_domains_are_named_and_the_others_counted():
    names = [f"d{number:02}.example" for number in range(25)]
    status, message = comparison(
        values(created=named(*names[:18]), deleted=named(*names[18:])), "a.csv", prune=True
    )
    assert status == DRIFT
    assert "d17.example and" not in message
    assert message.endswith("d12.example and 5 more")
    updated = [{**record, "previous": record} for record in named("u.example")]
    status, message = comparison(
        values(created=named(*names), updated=updated), "a.csv", prune=False
    )
    assert message.endswith("d19.example and 5 more. Different: 1")


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
