# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._diff import (
    diff_of,
    drift_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from hypothesis import given
from hypothesis import strategies as st
from samples import FIRST, SECOND, desired, existing
from strategies import FEW_DOMAINS, entries, restrictions


def shown(listed, current, prune=True):
    return diff_of(make_plan(listed, current, prune))


def test_a_create_shows_only_the_fields_that_it_sets():
    entry = desired(domain="a.example", exclude=["c.a.example", "b.a.example"], comments="x")
    assert shown([desired(domain="b.example"), entry], []) == [
        {
            "after_header": "create a.example (newly requires TLS)",
            "before": "",
            "after": (
                "domain: a.example\nexclude: b.a.example\nexclude: c.a.example\ncomments: x\n"
            ),
        },
        {
            "after_header": "create b.example (newly requires TLS)",
            "before": "",
            "after": "domain: b.example\n",
        },
    ]


def test_an_update_shows_one_line_for_each_change():
    current = [existing(FIRST, "A.example", exclude=["Old.a.example", "b.a.example"], comments="x")]
    entry = desired(domain="a.example", exclude=["b.a.example", "new.a.example"])
    assert shown([entry], current) == [
        {
            "before_header": "update a.example (some names newly require TLS, others no longer)",
            "after_header": "update a.example (some names newly require TLS, others no longer)",
            "before": "exclude: old.a.example\n",
            "after": "exclude: new.a.example\n",
        }
    ]


def test_what_newly_requires_tls_comes_first_and_what_does_not_matter_to_mail_last():
    current = [
        existing("1", "a.example", comments="old"),
        existing("2", "b.example", exclude=["x.b.example"]),
        existing("3", "c.example", created_at="2026-01-01", exclude=["x.c.example"]),
        existing("4", "c.example", created_at="2026-01-02", exclude=["x.c.example"], comments="x"),
        existing("5", "c.example", created_at="2026-01-03"),
        existing("6", "d.example"),
        existing("7", "e.example"),
        existing("8", "f.example", exclude=["x.f.example"]),
    ]
    listed = [
        desired(domain="a.example", comments="new"),
        desired(domain="b.example", exclude=["y.b.example"]),
        desired(domain="c.example"),
        desired(domain="e.example", exclude=["x.e.example"]),
        desired(domain="f.example", exclude=[]),
        desired(domain="g.example"),
    ]
    diff = shown(listed, current)
    assert [item.get("before_header") or item["after_header"] for item in diff] == [
        "update f.example (some names newly require TLS)",
        "create g.example (newly requires TLS)",
        "update b.example (some names newly require TLS, others no longer)",
        "delete a duplicate of c.example (ID 5; ID 3 stays; some names no longer require TLS)",
        "delete d.example (no longer requires TLS)",
        "update e.example (some names no longer require TLS)",
        "delete a duplicate of c.example (ID 4; ID 3 stays)",
        "update a.example (comment or spelling only)",
    ]
    assert (diff[6]["before"], diff[6]["after"]) == (
        "domain: c.example\nexclude: x.c.example\ncomments: x\n",
        "",
    )


def test_a_drift_goes_from_the_list_to_the_account():
    current = [
        existing("1", "a.example", exclude=["x.a.example"], comments="old"),
        existing("2", "b.example", created_at="2026-01-01"),
        existing("3", "b.example", created_at="2026-01-02"),
        existing("4", "c.example"),
    ]
    listed = [
        desired(domain="a.example", exclude=["y.a.example"]),
        desired(domain="b.example"),
        desired(domain="d.example"),
    ]
    assert drift_of(make_plan(listed, current, prune=True)) == [
        {
            "before": "",
            "after": "domain: b.example\n",
            "after_header": "more than once on the account: b.example",
        },
        {
            "before": "",
            "after": "domain: c.example\n",
            "after_header": "only on the account: c.example",
        },
        {
            "before": "domain: d.example\n",
            "after": "",
            "before_header": "missing on the account: d.example",
        },
        {
            "before": "exclude: y.a.example\n",
            "after": "exclude: x.a.example\n",
            "before_header": "different: a.example",
            "after_header": "different: a.example",
        },
    ]


def test_deletes_of_one_domain_are_sorted_by_id():
    current = [existing(SECOND, "a.example", comments="2"), existing(FIRST, "a.example")]
    diff = shown([], current)
    assert [item["before"] for item in diff] == [
        "domain: a.example\n",
        "domain: a.example\ncomments: 2\n",
    ]


@pytest.mark.promise("Text from the account cannot control your terminal")
def test_names_are_readable_and_comments_are_one_line_of_text():
    (item,) = shown([desired(domain="müller.example", comments="é\\\n\t\u202e💌\x85")], [])
    assert (
        item["after_header"] == "create xn--mller-kva.example (müller.example) (newly requires TLS)"
    )
    assert item["after"] == (
        "domain: xn--mller-kva.example (müller.example)\ncomments: é\\\\\\n\\t\\u202e💌\\u0085\n"
    )


@pytest.mark.promise("Text from the account cannot control your terminal")
def test_names_of_the_account_are_escaped():
    current = [existing(FIRST, "\x1b[2Ja.example", exclude=["\x07b.\x1b[2Ja.example"])]
    (item,) = shown([desired(id=FIRST, state="absent")], current)
    assert item["before_header"] == "delete \\u001b[2ja.example (no longer requires TLS)"
    assert item["before"] == (
        "domain: \\u001b[2ja.example\nexclude: \\u0007b.\\u001b[2ja.example\n"
    )


@given(
    st.lists(entries(FEW_DOMAINS), unique_by=lambda entry: entry.domain),
    st.lists(restrictions(FEW_DOMAINS), unique_by=lambda found: found.id),
)
def test_every_change_shows_a_difference(listed, current):
    plan = make_plan(listed, current, prune=True)
    diff = diff_of(plan)
    assert len(diff) == plan.size
    assert all(item["before"] != item["after"] for item in diff)
