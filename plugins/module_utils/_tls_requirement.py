# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether mail from a domain needs TLS, and which restriction decides it. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    is_below,
    parents,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )


@dataclass(frozen=True)
class TlsRequirement:
    """The answer, the restriction that decides it, and its exclude entry that exempts the domain."""

    required: bool
    governed_by: Restriction | None = None
    exempted_by: str | None = None


def covering(sender_domain: str, restrictions: t.Iterable[Restriction]) -> list[Restriction]:
    """Return the restrictions for the domain (in canonical form) and for the domains above it."""
    names = {sender_domain, *parents(sender_domain)}
    return [restriction for restriction in restrictions if restriction.name in names]


def tls_requirement(sender_domain: str, restrictions: t.Iterable[Restriction]) -> TlsRequirement:
    """Tell whether mail from a domain (in canonical form) needs TLS.

    The most specific restriction decides. An exclude entry exempts the name itself and, as a
    restriction does, what is below it; one that is not below the restricted domain exempts nothing.
    Of two restrictions for one domain, one that exempts nothing decides, as mail has to pass both.
    """
    candidates = covering(sender_domain, restrictions)
    if not candidates:
        return TlsRequirement(required=False)
    most_specific = max(len(restriction.name) for restriction in candidates)
    answers = [
        TlsRequirement(exemption is None, restriction, exemption)
        for restriction in sorted(candidates, key=lambda restriction: restriction.age)
        if len(restriction.name) == most_specific
        for exemption in [_exemption(sender_domain, restriction)]
    ]
    return next((answer for answer in answers if answer.required), answers[0])


def _exemption(sender_domain: str, restriction: Restriction) -> str | None:
    names = {
        name
        for name in (sender_domain, *parents(sender_domain))
        if is_below(name, restriction.name)
    }
    exempting = [entry for entry in restriction.record["exclude"] if comparison_key(entry) in names]
    return max(exempting, key=len) if exempting else None
