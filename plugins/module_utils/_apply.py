# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying a plan, or predicting what that would do."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    Create,
    Tightening,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    Record,
    created_record,
    deleted_record,
    is_altered,
    merged_updates,
    updated_record,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    Failure,
    each_domain_once,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    HELD_BACK,
    NOT_ATTEMPTED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._order import hold_back
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Plan,
    failures_to_protect,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    MAX_PER_BATCH,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._step import (
    Done,
    Failed,
    single_changes,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule
from ansible_collections.cloudflare_email.security.plugins.module_utils._workers import WorkerPool

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._alteration import (
        Alteration,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
        Change,
        Delete,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._order import (
        Weakening,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._step import (
        Step,
        StepResult,
    )


@dataclass
class Outcome:
    """What was changed, as records with the fields of the API, and what was not.

    Attributes:
        created: these have an `effect` on mail, like the others that were changed.
        updated: the records after the change; `previous` is each record before it.
        unaltered: the same for updates that left everything as it was.
        alterations: the fields that have other values than those that were sent.
        stored_differently: a clause by domain, for changes that exempt more than they should.
        tightened: domains of which only the first of two calls was made; `updated` has them too.
        deleted: the records before the change; `duplicate_of` is the ID of the restriction that stays.
        outcome_unknown: a change that is not listed may have taken effect.
        consecutive_failures: the last failures in a row that are not specific to one change.
        remaining: how many changes there was no time for.
        remaining_calls: how many calls they take.
        wait: seconds for which the rate limit delays the remaining changes.
        unknown_outcomes: by domain, the remaining changes that may have taken effect.
        traceback: of an unexpected exception.
    """

    created: list[Record] = field(default_factory=list)
    updated: list[Record] = field(default_factory=list)
    unaltered: list[Record] = field(default_factory=list)
    alterations: list[Alteration] = field(default_factory=list)
    stored_differently: dict[str, str] = field(default_factory=dict)
    tightened: set[str] = field(default_factory=set)
    deleted: list[Record] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outcome_unknown: bool = False
    consecutive_failures: int = 0
    remaining: int = 0
    remaining_calls: int = 0
    wait: float = 0.0
    unknown_outcomes: dict[str, Change] = field(default_factory=dict)
    traceback: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.deleted or self.outcome_unknown)

    @property
    def failed_to_protect(self) -> dict[str, str]:
        """A clause by domain, that says why related changes are held back."""
        return {**self.stored_differently, **failures_to_protect(self.failures)}

    def add(self, results: t.Iterable[StepResult]) -> None:
        """Add what became of some steps."""
        for result in results:
            if isinstance(result, Done):
                self._add_done(result)
            elif isinstance(result, Failed):
                self.failures += result.failures
                self.outcome_unknown = self.outcome_unknown or result.outcome_unknown
                self.traceback = result.traceback or self.traceback
            elif result.outcome_unknown:
                self.unknown_outcomes.update(
                    {change.domain: change for change in single_changes(result.step)}
                )

    def _add_done(self, done: Done) -> None:
        step = done.step
        self.alterations += done.alterations
        if isinstance(step, Create):
            self.created += done.records
        elif isinstance(step, Update):
            self.updated += done.records
            if isinstance(step, Tightening):
                self.tightened.add(step.domain)
            else:
                self.tightened.discard(step.domain)
        else:
            self.deleted += done.records
        if any(map(_exempts_more, done.alterations)):
            for change in single_changes(step):
                self.stored_differently[change.domain] = (
                    f"the {change.action} for {change.domain} was stored differently"
                )


def predict(plan: Plan) -> Outcome:
    """Return what `apply` would if the API refused nothing; `None` for what only the API knows."""
    return Outcome(
        created=[created_record(create) for create in plan.creates],
        updated=[updated_record(update) for update in plan.updates],
        deleted=[deleted_record(delete) for delete in plan.deletes],
        failures=list(plan.failures),
    )


def apply(
    plan: Plan,
    api: RestrictionsApi,
    concurrency: int = 1,
    time_limit: float = NO_LIMIT,
    consecutive_failures: int = 0,
    is_cancelled: t.Callable[[], bool] = lambda: False,
) -> Outcome:
    """Apply `plan` with `concurrency` workers.

    What protects comes first, then what weakens, and deletes last, as `_order` explains. A change
    that fails does not stop the others, except for related ones that weaken. After Ctrl-C or an
    unexpected exception, calls in flight complete and no new ones start.

    Arguments:
        time_limit: seconds on the clock of the client, after which no further change begins.
        consecutive_failures: the failures in a row so far that are not specific to one change.
        is_cancelled: whether Ansible stopped waiting for the result.
    """
    outcome = Outcome(failures=list(plan.failures))
    ends_at = api.client.clock() + time_limit
    pool = WorkerPool(api, concurrency, ends_at, consecutive_failures, is_cancelled)
    outcome.add(pool.work_off(plan.first_writes))
    outcome.add(pool.work_off(_allowed(plan.weakening_updates, outcome)))
    # A domain whose change failed keeps all its restrictions: a duplicate may be the right one.
    kept = {failure.domain for failure in outcome.failures}
    deletes = _allowed((delete for delete in plan.deletes if delete.domain not in kept), outcome)
    outcome.add(pool.work_off(_batches(deletes) if api.has_batch_call else deletes))
    outcome.consecutive_failures = pool.consecutive_failures
    outcome.wait = pool.wait
    left = [change for step in pool.left for change in single_changes(step)]
    if pool.stop_reason:
        outcome.failures += [
            Failure(change.domain, pool.stop_reason, NOT_ATTEMPTED, change.action)
            for change in left
        ]
    outcome.failures = each_domain_once(outcome.failures)
    if not pool.stop_reason:
        _leave_for_later(left, outcome)
        outcome.remaining_calls = len(pool.left)
    updates = merged_updates(outcome.updated)
    outcome.updated = [record for record in updates if is_altered(record)]
    outcome.unaltered = [record for record in updates if not is_altered(record)]
    return outcome


def _allowed(changes: t.Iterable[Weakening], outcome: Outcome) -> list[Weakening]:
    """Return the changes that need not be held back; the others become failures."""
    allowed, held_back = hold_back(changes, outcome.failed_to_protect)
    outcome.failures += held_back
    return allowed


def _leave_for_later(left: list[Change], outcome: Outcome) -> None:
    """Count the changes that are left; an update that takes two calls is one."""
    domains = {change.domain for change in left}
    updates = {change.domain for change in left if isinstance(change, Update)}
    first_calls = {change.domain for change in left if isinstance(change, Tightening)}
    # A later time slice sends nothing for a domain that has failed, so this is not said yet.
    not_yet = {
        failure.domain
        for failure in outcome.failures
        if failure.kind == HELD_BACK and failure.domain in domains
    }
    outcome.failures = [failure for failure in outcome.failures if failure.domain not in not_yet]
    outcome.remaining = len(updates) + len(not_yet - first_calls)
    outcome.remaining += sum(not isinstance(change, Update) for change in left)


def _exempts_more(alteration: Alteration) -> bool:
    """Return whether Cloudflare stored an exemption that was not sent."""
    if alteration.field != "exclude":
        return False
    sent, stored = (
        TlsRule(alteration.domain, frozenset(names))
        for names in (alteration.sent, alteration.stored)
    )
    return sent.requires_more_than(stored)


def _batches(deletes: list[Delete]) -> list[Step]:
    if len(deletes) == 1:
        return [deletes[0]]
    return [
        deletes[start : start + MAX_PER_BATCH] for start in range(0, len(deletes), MAX_PER_BATCH)
    ]
