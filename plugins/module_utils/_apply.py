# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying a plan with workers, or predicting what that would do."""

from __future__ import annotations

import threading
import traceback
import typing as t
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._alteration import (
    Alteration,
    alterations,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    Change,
    Create,
    Delete,
    Tightening,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import effect_of
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    NOT_CONFIRMED,
    Failure,
    each_domain_once,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    HELD_BACK,
    INTERRUPTED,
    NOT_ATTEMPTED,
    OUTCOME_UNKNOWN,
    UNEXPECTED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    merged_updates,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._order import hold_back
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Plan,
    failures_to_protect,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    MAX_PER_BATCH,
    NoBatchCall,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._order import (
        Weakening,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )

    Step = t.Union[Change, t.List[Delete]]

# Give up after this many consecutive failures that are not specific to one change.
MAX_CONSECUTIVE_FAILURES = 10


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

    created: list[dict[str, t.Any]] = field(default_factory=list)
    updated: list[dict[str, t.Any]] = field(default_factory=list)
    unaltered: list[dict[str, t.Any]] = field(default_factory=list)
    alterations: list[Alteration] = field(default_factory=list)
    stored_differently: dict[str, str] = field(default_factory=dict)
    tightened: set[str] = field(default_factory=set)
    deleted: list[dict[str, t.Any]] = field(default_factory=list)
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


def predict(plan: Plan) -> Outcome:
    """Return what `apply` would if the API refused nothing; `None` for what only the API knows."""
    return Outcome(
        created=[_created(create, create.record) for create in plan.creates],
        updated=[_updated(update, update.record) for update in plan.updates],
        deleted=[_deleted(delete) for delete in plan.deletes],
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
    outcome = Outcome(failures=list(plan.failures), consecutive_failures=consecutive_failures)
    ends_at = api.client.clock() + time_limit
    crew = _Crew(api, outcome, concurrency, ends_at, is_cancelled)
    crew.work_off(plan.first_writes)
    crew.work_off(_allowed(plan.weakening_updates, outcome))
    # A domain whose change failed keeps all its restrictions: a duplicate may be the right one.
    kept = {failure.domain for failure in outcome.failures}
    deletes = _allowed((delete for delete in plan.deletes if delete.domain not in kept), outcome)
    crew.work_off(_batches(deletes) if api.has_batch_call else deletes)
    left = [change for step in crew.left for change in _changes(step)]
    if crew.stop_reason:
        outcome.failures += [
            Failure(change.domain, crew.stop_reason, NOT_ATTEMPTED, change.action)
            for change in left
        ]
    outcome.failures = each_domain_once(outcome.failures)
    if not crew.stop_reason:
        _leave_for_later(left, outcome)
        outcome.remaining_calls = len(crew.left)
    updates = merged_updates(outcome.updated)
    outcome.updated = [record for record in updates if _is_altered(record)]
    outcome.unaltered = [record for record in updates if not _is_altered(record)]
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


class _Crew:
    """Workers that share a queue and stop together."""

    def __init__(
        self,
        api: RestrictionsApi,
        outcome: Outcome,
        concurrency: int,
        ends_at: float,
        is_cancelled: t.Callable[[], bool],
    ) -> None:
        self.stop_reason = ""
        self.left: list[Step] = []
        self._is_over = False
        self._api = api
        self._outcome = outcome
        self._concurrency = concurrency
        self._ends_at = ends_at
        self._is_cancelled = is_cancelled
        self._lock = threading.Lock()
        self._queue: deque[Step] = deque()

    @property
    def is_stopped(self) -> bool:
        return bool(self.stop_reason or self._outcome.wait)

    def work_off(self, steps: t.Sequence[Step]) -> None:
        """Carry out the steps; `left` gets those for which the workers have no time.

        Nothing begins if earlier steps are left.
        """
        self._queue = deque(steps)
        if steps and not (self.left or self._is_over or self.is_stopped):
            # Always in threads: an interrupt of the main thread must not cut a call off.
            with ThreadPoolExecutor(self._concurrency) as pool:
                workers = [pool.submit(self._work) for _number in range(self._concurrency)]
                try:
                    wait(workers)
                except KeyboardInterrupt:
                    self._stop("because the run was interrupted")
        self.left += self._queue

    def _stop(self, why: str) -> None:
        self.stop_reason = self.stop_reason or f"not attempted {why}; run again"
        self._api.client.stop()

    def _work(self) -> None:
        while not self.is_stopped:
            if self._is_cancelled():
                self._stop("because Ansible stopped waiting for the result")
                return
            try:
                step = self._queue.popleft()
            except IndexError:
                return
            try:
                self._carry_out(step)
            except NoBatchCall:
                self._api.has_batch_call = False
                self._queue.extend(_changes(step))
                continue
            except RateLimitWait as delay:
                with self._lock:
                    self._leave(step, delay)
            except CloudflareError as error:
                with self._lock:
                    self._fail(step, error)
            except Exception as error:
                with self._lock:
                    self._crash(step, error)
            # Checked last, so that every time slice makes progress.
            if self._api.client.clock() >= self._ends_at:
                self._is_over = True
                return

    def _carry_out(self, step: Step) -> None:
        outcome = self._outcome
        altered: list[Alteration] = []
        if isinstance(step, Create):
            stored = self._api.create(step.body)
            altered = alterations(step.body, stored)
            done, records = outcome.created, [_created(step, _record(step, step.body, stored))]
        elif isinstance(step, Update):
            stored = self._api.update(step.current.id, step.changes)
            altered = alterations(step.changes, stored)
            done, records = outcome.updated, [_updated(step, _record(step, step.changes, stored))]
        elif isinstance(step, Delete):
            is_ours = self._api.delete(step.current.id)
            done, records = outcome.deleted, [_deleted(step)] if is_ours else []
        else:
            deleted = set(self._api.delete_batch([delete.current.id for delete in step]))
            done = outcome.deleted
            records = [_deleted(delete) for delete in step if delete.current.id in deleted]
        with self._lock:
            done += records
            outcome.alterations += altered
            for change in _changes(step):
                if any(map(_exempts_more, altered)):
                    outcome.stored_differently[change.domain] = (
                        f"the {change.action} for {change.domain} was stored differently"
                    )
            outcome.consecutive_failures = 0
            if isinstance(step, Tightening):
                outcome.tightened.add(step.domain)
            elif isinstance(step, Update):
                outcome.tightened.discard(step.domain)

    def _leave(self, step: Step, delay: RateLimitWait) -> None:
        self._outcome.wait = max(self._outcome.wait, delay.seconds)
        if delay.outcome_unknown and isinstance(step, Tightening):
            # A later time slice could not tell what it finds from somebody else's change.
            self._fail(
                step,
                CloudflareError(NOT_CONFIRMED, "run again", OUTCOME_UNKNOWN, outcome_unknown=True),
            )
            return
        self._queue.append(step)
        if delay.outcome_unknown:
            for change in _changes(step):
                self._outcome.unknown_outcomes[change.domain] = change

    def _fail(self, step: Step, error: CloudflareError) -> None:
        if error.outcome_unknown:
            self._outcome.outcome_unknown = True
        if error.kind == INTERRUPTED and not error.outcome_unknown:
            self._queue.appendleft(step)
            return
        self._add_failures(step, str(error), error.kind, error.status, error.code)
        self._outcome.consecutive_failures += 1
        if error.is_specific:
            self._outcome.consecutive_failures = 0
        elif self._outcome.consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
            why = f"after {MAX_CONSECUTIVE_FAILURES} consecutive failures"
            self.stop_reason = f"not attempted {why}; run again"

    def _crash(self, step: Step, error: Exception) -> None:
        self._outcome.outcome_unknown = True
        self._outcome.traceback = traceback.format_exc()
        reason = f"unexpected {error.__class__.__name__}; run again, and report this as a bug"
        self._add_failures(step, reason, UNEXPECTED)
        self._stop("after an unexpected error")

    def _add_failures(
        self,
        step: Step,
        reason: str,
        kind: str,
        status: int | None = None,
        code: int | None = None,
    ) -> None:
        self._outcome.failures += [
            Failure(change.domain, reason, kind, change.action, status, code, change.protects)
            for change in _changes(step)
        ]


def _created(create: Create, record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**record, "effect": effect_of(create)}


def _updated(update: Update, record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**record, "previous": dict(update.current.record), "effect": effect_of(update)}


def _deleted(delete: Delete) -> dict[str, t.Any]:
    record = {**delete.current.record, "effect": effect_of(delete)}
    return {**record, "duplicate_of": delete.kept.id} if delete.kept else record


def _record(
    step: Create | Update, sent: t.Mapping[str, t.Any], stored: Restriction
) -> dict[str, t.Any]:
    """Return the record after a write; every field of a response is optional in the schema.

    A field that was sent is only `None` if the response says so.
    """
    known = {
        name: value for name, value in stored.record.items() if value is not None or sent.get(name)
    }
    return {**step.record, **known}


def _is_altered(record: dict[str, t.Any]) -> bool:
    """Return whether an update changed something."""
    after, before = map(Restriction.from_api, (record, record["previous"]))
    return after.managed_fields() != before.managed_fields()


def _exempts_more(alteration: Alteration) -> bool:
    """Return whether Cloudflare stored an exemption that was not sent."""
    if alteration.field != "exclude":
        return False
    sent, stored = (
        TlsRule(alteration.domain, frozenset(names))
        for names in (alteration.sent, alteration.stored)
    )
    return not all(map(sent.exempts, stored.exempt_names))


def _changes(step: Step) -> t.Sequence[Change]:
    return step if isinstance(step, list) else [step]


def _batches(deletes: list[Delete]) -> list[Step]:
    if len(deletes) == 1:
        return [deletes[0]]
    return [
        deletes[start : start + MAX_PER_BATCH] for start in range(0, len(deletes), MAX_PER_BATCH)
    ]
