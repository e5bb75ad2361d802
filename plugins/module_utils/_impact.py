# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which senders a plan affects. Pure.

It says who would need TLS, not whose mail would be dropped: nothing says which senders use TLS.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    is_below,
    parents,
    with_unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    last_seen,
    listing,
    messages_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import known_names
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRules

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
        DomainSenders,
    )

MAX_LINES = 20
MAX_DOMAINS = 3


@dataclass(frozen=True)
class Impact:
    """Whom a plan affects.

    Attributes:
        days: the period in which the senders sent messages.
        senders: by restricted domain, in the form of a module's result: those that need TLS only
            after or only before the plan, because of the restriction for that domain; most messages
            first. Each domain that the plan changes something for is a key.
        unknown: by restricted domain, why there may be more of them.
    """

    days: int
    senders: dict[str, list[dict[str, t.Any]]] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def having(self, effect: str) -> list[dict[str, t.Any]]:
        """Return the senders on whom the plan has an effect; most messages first."""
        senders = [each for rows in self.senders.values() for each in rows]
        return sorted((each for each in senders if each["effect"] == effect), key=_most_messages)


def names_to_search(plan: Plan, current: t.Sequence[Restriction]) -> dict[str, list[str]]:
    """Return whose senders to search for to know whom a plan affects.

    They are the names at or below which senders may be affected, without those that are below
    another, and with each the names below it that restrictions mention, as `search_senders` takes
    them.
    """
    affected = {name for change in plan.changes for name in change.affected_names}
    highest = sorted(name for name in affected if affected.isdisjoint(parents(name)))
    after = plan.applied_to(current)
    mentioned = known_names(highest, [*current, *after])
    old, new = _rules_of(current), _rules_of(after)
    return {
        domain: [name for name in below if bool(old.requiring(name)) != bool(new.requiring(name))]
        for domain, below in mentioned.items()
    }


def impact_of(
    plan: Plan,
    current: t.Sequence[Restriction],
    found: t.Mapping[str, DomainSenders],
    days: int,
) -> Impact:
    """Return whom a plan affects.

    Arguments:
        current: all restrictions on the account.
        found: what the searches for `names_to_search` found.
    """
    affecting = [change for change in plan.changes if change.affected_names]
    impact = Impact(days, {change.domain: [] for change in affecting})
    rows = {
        sender.name: {**sender.as_dict(), "at_least": not each.is_complete}
        for each in found.values()
        for sender in each.senders
    }
    old, new = _rules_of(current), _rules_of(plan.applied_to(current))
    for name, row in rows.items():
        before, after = old.requiring(name), new.requiring(name)
        if after and not before:
            row["effect"] = NEWLY_REQUIRES_TLS
            impact.senders.setdefault(after.domain, []).append(row)
        elif before and not after:
            row["effect"] = NO_LONGER_REQUIRES_TLS
            impact.senders.setdefault(before.domain, []).append(row)
    for affected in impact.senders.values():
        affected.sort(key=_most_messages)
    for change in affecting:
        for name in sorted(change.affected_names):
            searched = next(found[above] for above in (name, *parents(name)) if above in found)
            if not searched.is_complete:
                # The new name of a restriction is a domain of its own.
                is_new_name = name in impact.senders and not is_below(name, change.domain)
                domain = name if is_new_name else change.domain
                impact.unknown.setdefault(domain, _reason(searched))
    return impact


def impact_sentence(impact: Impact, is_preview: bool) -> str:
    """Return how many senders are affected, as a clause for a summary."""
    days = counted(impact.days, "day")
    counts = [
        f"{counted(len(senders), 'name')} that {_need(effect, is_preview, len(senders))} sent"
        f" {messages_of(senders)}"
        for effect in (NEWLY_REQUIRES_TLS, NO_LONGER_REQUIRES_TLS)
        for senders in [impact.having(effect)]
        if senders
    ]
    sentence = (
        f"in {days}, {' and '.join(counts)}" if counts else f"no affected sender found in {days}"
    )
    if impact.unknown:
        domains = listing(sorted(impact.unknown), MAX_DOMAINS)
        sentence += f"; the senders of {domains} are not fully known"
    return sentence


def impact_lines(impact: Impact, changed: t.Container[str] = ()) -> list[str]:
    """Return a line for each affected sender, and one for each domain with unknown senders.

    Arguments:
        changed: the domains, in canonical form, that were changed; others would be.
    """
    days = counted(impact.days, "day")
    domains = {id(row): domain for domain, rows in impact.senders.items() for row in rows}
    lines = [
        f"{with_unicode_form(sender['name'])}: {messages_of([sender])} in {days}{last_seen(sender)},"
        f" {_need(effect, domains[id(sender)] not in changed)}"
        for effect in (NEWLY_REQUIRES_TLS, NO_LONGER_REQUIRES_TLS)
        for sender in impact.having(effect)
    ]
    unknown = [
        f"{with_unicode_form(domain)}: there may be more messages and more senders ({reason})"
        for domain, reason in sorted(impact.unknown.items())
    ]
    return [*_first(lines, "impact"), *_first(unknown, "impact_unknown")]


def _rules_of(restrictions: t.Iterable[Restriction]) -> TlsRules:
    return TlsRules(restriction.rule for restriction in restrictions)


def _first(lines: list[str], key: str) -> list[str]:
    more = len(lines) - MAX_LINES
    return lines[:MAX_LINES] + ([f"{more} more; see {key} in the result"] if more > 0 else [])


def _need(effect: str, is_preview: bool, count: int = 1) -> str:
    if is_preview:
        return "would need TLS" if effect == NEWLY_REQUIRES_TLS else "would no longer need TLS"
    need = "needs" if count == 1 else "need"
    return f"{need} TLS now" if effect == NEWLY_REQUIRES_TLS else f"no longer {need} TLS"


def _most_messages(sender: t.Mapping[str, t.Any]) -> tuple[int, str]:
    return (-sender["messages"], sender["name"])


def _reason(searched: DomainSenders) -> str:
    return searched.problem or "not all messages were counted; lower impact_days"
