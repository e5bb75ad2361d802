# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out whom a plan affects, in one time slice or in several."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import (
    Impact,
    impact_of,
    names_to_search,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    MessageSearch,
    days_ago,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    DomainSenders,
    SearchOutcome,
    search_senders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )


def find_impact(
    plan: Plan,
    current: t.Sequence[Restriction],
    api: RestrictionsApi,
    days: int,
    concurrency: int = 1,
    time_limit: float = NO_LIMIT,
    progress: Progress | None = None,
) -> tuple[Impact | None, SearchOutcome]:
    """Return whom a plan affects, or `None` if the time was too short, and what searches found.

    A search that fails leaves the senders of its domain unknown.

    Arguments:
        days: the period that is searched.
        time_limit: seconds on the clock of the client, after which no further search begins.
        progress: what earlier time slices found; it is updated.
    """
    progress = progress or Progress()
    names = names_to_search(plan, current)
    known = {
        domain: DomainSenders.from_dict(progress.senders[domain])
        for domain in names
        if domain in progress.senders
    }
    outcome = search_senders(
        MessageSearch(api.client, api.account_id, days_ago(days)),
        {domain: below for domain, below in names.items() if domain not in known},
        concurrency=concurrency,
        time_limit=time_limit,
        consecutive_failures=progress.search_failures,
    )
    if not outcome.left:
        progress.senders = {}
        return impact_of(plan, current, {**known, **outcome.found}, days), outcome
    found = {domain: senders.as_dict() for domain, senders in outcome.found.items()}
    progress.senders = {**progress.senders, **found}
    progress.search_failures = outcome.consecutive_failures
    return None, outcome
