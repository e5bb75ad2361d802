# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a time slice keeps from earlier ones, and hands on to later ones."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    CREATE,
    DELETE,
    Create,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    domains_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import effect_of
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
    SliceReport,
    UnknownOutcome,
    WaitReason,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import Outcome
    from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
        RunResult,
    )


def confirm(plan: Plan, progress: Progress, outcome: Outcome) -> int:
    """Count as done what earlier slices changed without receiving the confirmation.

    Returns how many of the unchanged restrictions that concerns.
    """
    # A delete leaves nothing unchanged but the restriction that its duplicate was deleted for.
    written = {
        domain for domain, write in progress.unknown_outcomes.items() if write.action != DELETE
    }
    confirmed = [known for known in plan.unchanged if known.domain in written]
    for restriction in confirmed:
        write = progress.unknown_outcomes[restriction.domain]
        record = {**restriction.record, "effect": write.effect}
        if write.action == CREATE:
            outcome.created.append(record)
        else:
            outcome.updated.append({**record, "previous": write.previous})
    remaining = {delete.domain for delete in plan.deletes}
    if any(
        write.action == DELETE and domain not in remaining
        for domain, write in progress.unknown_outcomes.items()
    ):
        outcome.outcome_unknown = True
    return len(confirmed)


def remember(outcome: Outcome, progress: Progress, api: RestrictionsApi) -> None:
    """Keep what later slices must know."""
    progress.altered += len(outcome.alterations)
    progress.unaltered += len(domains_of(outcome.unaltered) - outcome.tightened)
    progress.created += sorted(domains_of(outcome.created))
    updated = domains_of([*outcome.updated, *outcome.unaltered])
    progress.updated += sorted(updated - outcome.tightened)
    tightened = outcome.tightened.union(progress.tightened)
    progress.tightened = sorted(tightened.difference(progress.updated))
    progress.failed += [failure.domain for failure in outcome.failures]
    progress.failed_to_protect.update(outcome.failed_to_protect)
    progress.unknown_outcomes = {
        domain: UnknownOutcome(
            change.action,
            effect_of(change),
            None if isinstance(change, Create) else dict(change.current.record),
        )
        for domain, change in outcome.unknown_outcomes.items()
    }
    progress.consecutive_failures = outcome.consecutive_failures
    progress.refusals = api.client.refusals
    progress.blocked_until = time.time() + outcome.wait
    progress.has_batch_call = api.has_batch_call
    progress.is_stalled = bool(outcome.wait) and not (
        outcome.created or outcome.updated or outcome.deleted or outcome.failures
    )


def slice_report(
    result: RunResult, progress: Progress, outcome: Outcome, api: RestrictionsApi
) -> SliceReport:
    return SliceReport(
        result,
        progress,
        outcome.remaining,
        wait=outcome.wait,
        reason=WaitReason.RATE_LIMIT if outcome.wait else None,
        estimate=api.client.rate_limit.seconds_for(outcome.remaining_calls),
    )
