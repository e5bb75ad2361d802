# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import (
    MAX_LINES,
    Impact,
    impact_lines,
    impact_of,
    impact_sentence,
    names_to_search,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    DomainSenders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import Sender
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    tls_requirement,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import FIRST, desired, existing
from strategies import FEW_DOMAINS, entries, restrictions

DOMAIN, NEWS, MAIL = "p.example", "news.p.example", "mail.p.example"


def is_at_or_below(name, domain):
    return name == domain or name.endswith(f".{domain}")


def impact(plan, current, messages, finds_subdomains=True, **outcome):
    """Return the impact if `messages`, counts by name, are on the account."""
    found = {}
    for domain, below in names_to_search(plan, current).items():
        names = [
            name
            for name in messages
            if (is_at_or_below(name, domain) if finds_subdomains else name in {domain, *below})
        ]
        senders = [Sender(name, messages[name]) for name in names]
        found[domain] = DomainSenders(domain, senders, **outcome.get(domain, {}))
    return impact_of(plan, current, found, 30)


def counts(found):
    return {
        domain: [(row["name"], row["messages"], row["effect"]) for row in rows]
        for domain, rows in found.senders.items()
    }


@pytest.mark.parametrize(
    ("exclude_before", "exclude_after", "affected"),
    [
        (None, [NEWS], [(MAIL, 5000, "newly_requires_tls"), (DOMAIN, 7, "newly_requires_tls")]),
        ([NEWS], [], [(NEWS, 412, "newly_requires_tls")]),
        ([], [NEWS], [(NEWS, 412, "no_longer_requires_tls")]),
        (
            [NEWS],
            [MAIL],
            [(MAIL, 5000, "no_longer_requires_tls"), (NEWS, 412, "newly_requires_tls")],
        ),
    ],
)
def test_the_senders_whose_requirement_changes_are_affected(
    exclude_before, exclude_after, affected
):
    current = (
        []
        if exclude_before is None
        else [existing("1", DOMAIN, exclude=exclude_before), existing("2", "q.example")]
    )
    plan = make_plan([desired(domain=DOMAIN, exclude=exclude_after)], current)
    messages = {DOMAIN: 7, NEWS: 412, MAIL: 5000, "q.example": 9, "x.q.example": 9}
    assert counts(impact(plan, current, messages)) == {DOMAIN: affected}


def test_the_restriction_that_requires_tls_is_named_after_a_rename_and_after_a_delete():
    current = [existing(FIRST, DOMAIN), existing("2", "q.example")]
    renamed = desired(domain="new.example", id=FIRST, exclude=[])
    plan = make_plan([renamed, desired(domain="q.example", state="absent")], current)
    assert counts(impact(plan, current, {NEWS: 1, "x.new.example": 2, "q.example": 3})) == {
        DOMAIN: [(NEWS, 1, "no_longer_requires_tls")],
        "new.example": [("x.new.example", 2, "newly_requires_tls")],
        "q.example": [("q.example", 3, "no_longer_requires_tls")],
    }


def test_what_matters_to_no_mail_is_not_searched_for():
    current = [existing("1", DOMAIN, exclude=[NEWS]), existing("2", "q.example")]
    listed = [
        desired(domain=DOMAIN, exclude=[NEWS, f"x.{NEWS}"], comments="new"),
        desired(domain="q.example"),
    ]
    plan = make_plan(listed, current)
    assert plan.updates
    assert names_to_search(plan, current) == {}
    assert impact(plan, current, {NEWS: 1}) == Impact(30)


def test_names_below_others_are_not_searched_for_twice_and_only_if_they_are_affected():
    current = [existing("1", "kept.p.example")]
    listed = [
        desired(domain=DOMAIN, exclude=[NEWS]),
        desired(domain="sub.p.example"),
        desired(domain="q.example"),
    ]
    assert names_to_search(make_plan(listed, current), current) == {
        DOMAIN: ["sub.p.example"],
        "q.example": [],
    }


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ({"is_complete": False, "problem": "it failed; run again"}, "it failed; run again"),
        ({"is_complete": False}, "not all messages were counted; lower impact_days"),
    ],
)
def test_domains_whose_senders_are_not_all_known_are_named(outcome, reason):
    current = [existing("1", DOMAIN, exclude=[NEWS]), existing("2", "q.example")]
    listed = [desired(domain=DOMAIN, exclude=[]), desired(domain="q.example", state="absent")]
    found = impact(make_plan(listed, current), current, {NEWS: 1}, **{NEWS: outcome})
    assert found.unknown == {DOMAIN: reason}
    assert found.senders[DOMAIN][0]["at_least"]
    assert counts(found)[DOMAIN] == [(NEWS, 1, "newly_requires_tls")]


def test_a_domain_is_named_even_if_the_unknown_senders_have_a_restriction_of_their_own():
    current = [
        existing("1", DOMAIN, exclude=[NEWS]),
        existing("2", NEWS, exclude=[f"x.{NEWS}"]),
    ]
    plan = make_plan([desired(domain=DOMAIN, exclude=[])], current, prune=True)
    found = impact(plan, current, {}, **{NEWS: {"is_complete": False, "problem": "it failed"}})
    assert found.unknown == {DOMAIN: "it failed", NEWS: "it failed"}


PREFIXES = st.sampled_from(["", "x.", "a.", "y.a."])


@given(
    st.lists(restrictions(FEW_DOMAINS), max_size=4, unique_by=lambda found: found.id),
    st.lists(entries(FEW_DOMAINS), max_size=4, unique_by=lambda entry: entry.domain),
    st.booleans(),
    st.sets(st.builds("{}{}".format, PREFIXES, FEW_DOMAINS)),
)
def test_the_impact_is_the_difference_of_what_the_info_module_answers(
    current, listed, prune, senders
):
    plan = make_plan(listed, current, prune)
    after = plan.applied_to(current)
    mentioned = {name for known in [*current, *after] for name in (known.domain, *known.exclude)}
    for names, finds_subdomains in ((senders | mentioned, True), (mentioned, False)):
        found = impact(plan, current, dict.fromkeys(names, 1), finds_subdomains)
        assert {row["name"]: row["effect"] for rows in found.senders.values() for row in rows} == {
            name: "newly_requires_tls" if is_required else "no_longer_requires_tls"
            for name in names
            for is_required in [tls_requirement(name, after).required]
            if is_required != tls_requirement(name, current).required
        }


def row(
    name, messages, effect="newly_requires_tls", last_seen="2026-11-20T06:00:09Z", at_least=False
):
    return {
        "name": name,
        "messages": messages,
        "last_seen": last_seen,
        "effect": effect,
        "at_least": at_least,
    }


FOUND = Impact(
    30,
    {
        DOMAIN: [row(NEWS, 412), row(MAIL, 1, last_seen=None)],
        "q.example": [row("q.example", 39, "no_longer_requires_tls")],
    },
    {"r.example": "it failed; run again"},
)


@pytest.mark.parametrize(
    ("found", "is_preview", "sentence"),
    [
        (
            FOUND,
            True,
            "in 30 days, 2 names that would need TLS sent 413 messages and 1 name that would no"
            " longer need TLS sent 39 messages; the senders of r.example are not fully known",
        ),
        (
            FOUND,
            False,
            "in 30 days, 2 names that need TLS now sent 413 messages and 1 name that no longer"
            " needs TLS sent 39 messages; the senders of r.example are not fully known",
        ),
        (Impact(1, {DOMAIN: []}), True, "no affected sender found in 1 day"),
    ],
)
def test_the_sentence_counts_who_is_affected(found, is_preview, sentence):
    assert impact_sentence(found, is_preview) == sentence


def test_the_lines_name_who_is_affected():
    assert impact_lines(FOUND) == [
        f"{NEWS}: 412 messages in 30 days, last on 2026-11-20, would need TLS",
        f"{MAIL}: 1 message in 30 days, would need TLS",
        "q.example: 39 messages in 30 days, last on 2026-11-20, would no longer need TLS",
        "r.example: there may be more messages and more senders (it failed; run again)",
    ]


def test_only_of_what_was_changed_the_lines_say_that_it_is_done():
    needs = [line.rpartition(", ")[2] for line in impact_lines(FOUND, {DOMAIN})[:3]]
    assert needs == ["needs TLS now", "needs TLS now", "would no longer need TLS"]
    assert impact_lines(FOUND, {"q.example"})[2].endswith(", no longer needs TLS")


def test_counts_that_were_cut_off_are_minimums():
    found = Impact(30, {DOMAIN: [row(NEWS, 412, at_least=True), row(MAIL, 1)]})
    assert impact_sentence(found, is_preview=True).endswith("sent at least 413 messages")
    assert impact_lines(found)[0].startswith(f"{NEWS}: at least 412 messages in 30 days")
    assert impact_lines(found)[1].startswith(f"{MAIL}: 1 message in 30 days")


def test_internationalized_names_are_shown_in_both_forms():
    name = "xn--bcher-kva.example"
    found = Impact(30, {name: [row(name, 1)]}, {name: "it failed"})
    shown = f"{name} (b\xfccher.example): "
    assert [line[: len(shown)] for line in impact_lines(found)] == [shown, shown]


def test_at_most_some_lines_are_shown():
    def lines(number, unknown=0):
        reasons = {f"d{index}.example": "it failed" for index in range(unknown)}
        return impact_lines(
            Impact(1, {DOMAIN: [row(NEWS, 1) for _number in range(number)]}, reasons)
        )

    assert len(lines(MAX_LINES)) == MAX_LINES
    shown = lines(MAX_LINES + 3, MAX_LINES + 4)
    assert shown[MAX_LINES] == "3 more; see impact in the result"
    assert len(shown) == 2 * (MAX_LINES + 1)
    assert shown[-1] == "4 more; see impact_unknown in the result"


def test_the_new_name_of_a_restriction_is_the_one_whose_senders_are_unknown():
    current = [existing(FIRST, DOMAIN)]
    plan = make_plan([desired(domain="new.example", id=FIRST)], current)
    cut_off = {"new.example": {"is_complete": False}}
    assert list(impact(plan, current, {"x.new.example": 1}, **cut_off).unknown) == ["new.example"]
