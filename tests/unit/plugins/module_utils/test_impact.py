# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import impact_on
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import Sender
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    tls_requirement,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW_DOMAINS, restrictions


def sender(name, messages=1):
    made = Sender(name)
    made.messages = messages
    return made


def rule(domain, *exclude):
    return TlsRule(domain, frozenset(exclude))


def names(senders):
    return [sender.name for sender in senders]


NEWS, MAIL = sender("news.p.example", 412), sender("mail.p.example", 5000)
ROOT, OTHER = sender("p.example", 7), sender("q.example", 9)


def test_a_new_restriction_affects_everyone_below_it_who_is_not_excluded():
    impact = impact_on([ROOT, NEWS, MAIL, OTHER], [], [rule("p.example", "news.p.example")])
    assert names(impact.newly_requires_tls) == ["mail.p.example", "p.example"]
    assert impact.no_longer_requires_tls == []


def test_a_removed_exclusion_affects_only_who_was_excluded():
    before, after = [rule("p.example", "news.p.example")], [rule("p.example")]
    assert names(impact_on([ROOT, NEWS, MAIL], before, after).newly_requires_tls) == [NEWS.name]
    assert names(impact_on([ROOT, NEWS, MAIL], after, before).no_longer_requires_tls) == [NEWS.name]


def test_who_another_restriction_covers_is_not_affected():
    before = [rule("p.example"), rule("news.p.example")]
    impact = impact_on([NEWS], before, before[:1])
    assert (impact.newly_requires_tls, impact.no_longer_requires_tls) == ([], [])


def test_a_name_that_was_found_below_two_domains_counts_once():
    impact = impact_on([sender("p.example", 3), ROOT], [], [rule("p.example")])
    assert impact.newly_requires_tls == [ROOT]


@given(
    st.lists(restrictions(FEW_DOMAINS), max_size=4),
    st.lists(restrictions(FEW_DOMAINS), max_size=4),
    st.sets(st.builds("{}{}".format, st.sampled_from(["", "x.", "a."]), FEW_DOMAINS)),
)
def test_the_impact_is_the_difference_of_what_the_info_module_answers(before, after, domains):
    impact = impact_on(
        map(sender, domains),
        [TlsRule(known.domain, known.exclude) for known in before],
        [TlsRule(known.domain, known.exclude) for known in after],
    )
    answers = {
        name: (tls_requirement(name, before).required, tls_requirement(name, after).required)
        for name in domains
    }
    expected = {
        change: sorted(name for name, answer in answers.items() if answer == change)
        for change in ((False, True), (True, False))
    }
    assert names(impact.newly_requires_tls) == expected[False, True]
    assert names(impact.no_longer_requires_tls) == expected[True, False]
