# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out whom a plan affects, in one time slice or in several."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import parents
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import (
    Impact,
    impact_of,
    names_to_search,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    MessageSearch,
    days_ago,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
    search_senders,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_start import (
    end_unless_all_are_searched,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import TimeSlice

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
    time_slice: TimeSlice | None = None,
    changes: int = 0,
) -> Impact:
    """Return whom a plan affects. A search that fails leaves the senders of its domain unknown.

    Arguments:
        days: the period that is searched.
        changes: how many changes follow the searches.

    Raises:
        SliceOver: there was no time for all searches.
    """
    time_slice = time_slice or TimeSlice()
    names = names_to_search(plan, current)
    # The plan may have shrunk to names below those that were searched.
    for domain in list(names):
        above = [name for name in parents(domain) if name in time_slice.progress.senders]
        if above:
            del names[domain]
            names.update(dict.fromkeys(above, []))
    searches = search_senders(
        MessageSearch(api.client, api.account_id, days_ago(days)),
        names,
        concurrency=concurrency,
        time_limit=time_slice.seconds,
        progress=time_slice.progress,
    )
    end_unless_all_are_searched(searches, time_slice, api, changes)
    return impact_of(plan, current, searches.found, days)
