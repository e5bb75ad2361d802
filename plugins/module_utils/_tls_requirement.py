# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether mail from a domain needs TLS, and which restriction decides it. Pure.

It relies on the assumptions that the documentation of `sending_domain_restriction_info` states:
every restriction that covers the sender applies, and mail needs TLS unless all of them exempt it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    parents,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )


@dataclass(frozen=True)
class TlsRequirement:
    """The answer, the restriction that decides it, and its exclude entry that exempts the sender."""

    required: bool
    governed_by: Restriction | None = None
    exempted_by: str | None = None

    def result(self) -> dict[str, t.Any]:
        """Return it in the form of a module's result."""
        return {
            "tls_required": self.required,
            "governed_by": self.governed_by and dict(self.governed_by.record),
            "exempted_by": self.exempted_by,
        }


def covering(sender_domain: str, restrictions: t.Iterable[Restriction]) -> list[Restriction]:
    """Return the restrictions for the domain (in canonical form) and for the domains above it."""
    names = {sender_domain, *parents(sender_domain)}
    return [restriction for restriction in restrictions if restriction.domain in names]


def tls_requirement(sender_domain: str, restrictions: t.Iterable[Restriction]) -> TlsRequirement:
    """Return whether mail from a domain (in canonical form) needs TLS.

    The most specific restriction that requires it decides, otherwise the most specific one that
    covers the domain; of duplicates, the oldest. An exclude entry exempts its name and the names
    below it, unless it is outside the restricted domain.
    """
    most_specific_first = sorted(
        covering(sender_domain, restrictions),
        key=lambda restriction: (-len(restriction.domain), restriction.age),
    )
    answers = [
        TlsRequirement(entry is None, restriction, entry)
        for restriction in most_specific_first
        for entry in [_exempting_entry(sender_domain, restriction)]
    ]
    requiring = (answer for answer in answers if answer.required)
    return next(requiring, answers[0] if answers else TlsRequirement(required=False))


def tls_requirements(
    sender_domains: t.Iterable[str], restrictions: t.Iterable[Restriction]
) -> dict[str, TlsRequirement]:
    """Return `tls_requirement` of each domain, quickly for many domains and restrictions."""
    by_domain: dict[str, list[Restriction]] = {}
    for restriction in restrictions:
        by_domain.setdefault(restriction.domain, []).append(restriction)
    return {
        name: tls_requirement(
            name,
            [found for domain in (name, *parents(name)) for found in by_domain.get(domain, ())],
        )
        for name in sender_domains
    }


def _exempting_entry(sender_domain: str, restriction: Restriction) -> str | None:
    """Return the exclude entry that exempts the domain, as the account spells it."""
    entry = restriction.rule.exempting_entry(sender_domain)
    spellings = restriction.record["exclude"]
    return next((name for name in spellings if entry and comparison_key(name) == entry), None)
