# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guards against mistakes that affect many domains, such as a truncated list. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    with_unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    NEWLY_REQUIRES_TLS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    DUPLICATES,
    INVALID,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    listing,
    messages_of,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
    from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )

MIN_GUARDED_RESTRICTIONS = 10
MAX_DOMAINS = 5


def refusals(
    plan: Plan,
    current: t.Sequence[Restriction],
    max_delete_percent: int,
    max_exclusion_loss_percent: int,
    created: t.Collection[str] = (),
) -> list[str]:
    """Return a sentence for each guard that the plan trips; if there is one, nothing may be sent.

    The percentages are shares of the domains on the account that may lose their last restriction,
    and that may lose an exclusion. Below 100 percent, not all domains of the list that have an
    exclusion may lose it either, unless these are fewer than `MIN_GUARDED_RESTRICTIONS`. An account
    with fewer restrictions is not guarded.

    Arguments:
        current: all restrictions on the account.
        created: domains that this run created already; they do not change what is allowed.
    """
    guarded = [known for known in current if known.domain not in created]
    if len(guarded) < MIN_GUARDED_RESTRICTIONS:
        return []
    domains = len({restriction.domain for restriction in guarded})
    unprotected = {delete.domain for delete in plan.deletes if delete.kept is None}
    tightened = {update.domain for update in plan.updates if update.protects}
    refused = [
        *_share_refusals(
            "max_delete_percent",
            max_delete_percent,
            unprotected,
            domains,
            "would lose their last restriction",
            "check that the list is complete",
        ),
        *_share_refusals(
            "max_exclusion_loss_percent",
            max_exclusion_loss_percent,
            tightened,
            domains,
            "would lose an exclusion, so that mail from excluded subdomains would need TLS",
            "check the exclude of the list",
        ),
    ]
    if refused or max_exclusion_loss_percent == 100:
        return refused
    lost = _exempting(guarded) & tightened
    # The exclusions of domains that the list does not decide about say nothing about the list.
    undecided = {
        *plan.unlisted,
        *plan.not_listable,
        *(failure.domain for failure in plan.failures if failure.kind in (DUPLICATES, INVALID)),
    }
    if len(lost) < MIN_GUARDED_RESTRICTIONS or _exempting(plan.applied_to(current)) - undecided:
        return []
    return [
        f"all {len(lost)} domains of the list that have an exclusion on the account would lose"
        f" it ({listing(sorted(lost), MAX_DOMAINS)}), so that mail from excluded subdomains"
        " would need TLS; check the exclude of the list, and if this is intended, set"
        " max_exclusion_loss_percent to 100 for this run"
    ]


def impact_refusals(plan: Plan, impact: Impact, max_affected_messages: int) -> list[str]:
    """Return a sentence if more messages may be affected than the task allows.

    They are those from the names that would newly need TLS. If not all of these are known, that
    counts as too many.
    """
    senders = impact.having(NEWLY_REQUIRES_TLS)
    messages = sum(sender["messages"] for sender in senders)
    if messages > max_affected_messages:
        names = [f"{with_unicode_form(sender['name'])} {sender['messages']}" for sender in senders]
        return [
            f"{counted(len(senders), 'name')} that would need TLS sent"
            f" {messages_of(senders)} in {counted(impact.days, 'day')}"
            f" ({listing(names, MAX_DOMAINS)}), more than max_affected_messages"
            f" ({max_affected_messages}) allows; exclude the subdomains that cannot use TLS, do not"
            " restrict a domain that itself cannot, and if all others can, raise max_affected_messages"
            " for this run"
        ]
    domains = sorted(
        {change.domain for change in plan.changes if change.protects}.intersection(impact.unknown)
    )
    if domains:
        return [
            f"not all senders of {listing(domains, MAX_DOMAINS)} are known"
            f" ({impact.unknown[domains[0]]}), so more messages may be affected than"
            f" max_affected_messages ({max_affected_messages}) allows; remove the cause and run"
            " again, or omit max_affected_messages for this run"
        ]
    return []


def _share_refusals(
    option: str, percent: int, affected: set[str], domains: int, loss: str, advice: str
) -> list[str]:
    """Return a sentence if more than this percentage of the domains is affected."""
    if len(affected) * 100 <= percent * domains:
        return []
    return [
        f"{len(affected)} of the {domains} domains on the account {loss}"
        f" ({listing(sorted(affected), MAX_DOMAINS)}), more than {option} ({percent}) allows;"
        f" {advice}, and if this is intended, raise {option} for this run"
    ]


def _exempting(restrictions: t.Iterable[Restriction]) -> set[str]:
    """Return the domains that have an exclusion with an effect."""
    return {known.domain for known in restrictions if known.rule.exempt_names}
