# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guards against mistakes that affect many domains, such as a truncated list. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import listing

if t.TYPE_CHECKING:
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
) -> list[str]:
    """Return a sentence for each guard that the plan trips; if there is one, nothing may be sent.

    The percentages are shares of the domains on the account that may lose their last restriction,
    and that may lose an exclusion. An account with fewer than `MIN_GUARDED_RESTRICTIONS`
    restrictions is not guarded.
    """
    if len(current) < MIN_GUARDED_RESTRICTIONS:
        return []
    domains = len({restriction.domain for restriction in current})
    unprotected = {delete.domain for delete in plan.deletes if delete.kept is None}
    tightened = {update.domain for update in plan.updates if update.protects}
    guards = (
        (
            "max_delete_percent",
            max_delete_percent,
            unprotected,
            "would lose their last restriction",
            "check that the list is complete",
        ),
        (
            "max_exclusion_loss_percent",
            max_exclusion_loss_percent,
            tightened,
            "would lose an exclusion, so that mail from excluded subdomains would need TLS",
            "check the exclude of the list",
        ),
    )
    return [
        f"{len(affected)} of the {domains} domains on the account {loss}"
        f" ({listing(sorted(affected), MAX_DOMAINS)}), more than {option} ({percent}) allows;"
        f" {advice}, and if this is intended, raise {option} for this run"
        for option, percent, affected, loss, advice in guards
        if len(affected) * 100 > percent * domains
    ]
