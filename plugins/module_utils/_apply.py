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

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure import (
    CREATE,
    DELETE,
    INTERRUPTED,
    NOT_ATTEMPTED,
    UNEXPECTED,
    UPDATE,
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Create,
    Delete,
    Plan,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    MAX_PER_BATCH,
    NoBatchCall,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )

    Step = t.Union[Create, Update, Delete, t.List[Delete]]

# Give up after this many consecutive failures that are not specific to one change.
MAX_CONSECUTIVE_FAILURES = 10


@dataclass
class Outcome:
    """What was changed, as records with the fields of the API, and what was not.

    Attributes:
        updated: the records after the change; `previous` is each record before it.
        deleted: the records before the change; `duplicate_of` is the ID of the restriction that stays.
        uncertain: a change that is not listed may have taken effect.
        consecutive_failures: the last failures in a row that are not specific to one change.
        remaining: how many changes there was no time for.
        wait: seconds for which the rate limit delays the remaining changes.
        unconfirmed: the action by domain, for remaining changes that may have taken effect.
        traceback: of an unexpected exception.
    """

    created: list[dict[str, t.Any]] = field(default_factory=list)
    updated: list[dict[str, t.Any]] = field(default_factory=list)
    deleted: list[dict[str, t.Any]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    uncertain: bool = False
    consecutive_failures: int = 0
    remaining: int = 0
    wait: float = 0.0
    unconfirmed: dict[str, str] = field(default_factory=dict)
    traceback: str | None = None

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.deleted or self.uncertain)


def predict(plan: Plan) -> Outcome:
    """Return what `apply` would if the API refused nothing; `None` for what only the API knows."""
    return Outcome(
        created=[create.record for create in plan.creates],
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

    Creates and updates come first and deletes last, so that an incomplete run leaves more
    protection, not less. A change that fails does not stop the others. After Ctrl-C or an
    unexpected exception, calls in flight complete and no new ones start.

    Arguments:
        time_limit: seconds on the clock of the client, after which no further change begins.
        consecutive_failures: the failures in a row so far that are not specific to one change.
        is_cancelled: whether the result is no longer awaited.
    """
    outcome = Outcome(failures=list(plan.failures), consecutive_failures=consecutive_failures)
    ends_at = api.client.clock() + time_limit
    crew = _Crew(api, outcome, concurrency, ends_at, is_cancelled)
    writes = crew.work_off([*plan.creates, *plan.updates])
    deletes: list[Step] = list(plan.deletes)
    if not writes and not crew.is_stopped:
        # A domain whose change failed keeps all its restrictions: a duplicate may be the right one.
        kept = {failure.domain for failure in outcome.failures}
        allowed = [delete for delete in plan.deletes if delete.domain not in kept]
        deletes = crew.work_off(_batches(allowed) if api.has_batch_call else allowed)
    left = [change for step in [*writes, *deletes] for change in _changes(step)]
    if crew.stop_reason:
        outcome.failures += [
            Failure(change.domain, crew.stop_reason, NOT_ATTEMPTED, _action(change))
            for change in left
        ]
    else:
        outcome.remaining = len(left)
    outcome.failures = list(
        {failure.domain: failure for failure in outcome.failures[::-1]}.values()
    )
    return outcome


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

    def work_off(self, steps: t.Sequence[Step]) -> list[Step]:
        """Carry out the steps, and return those that are left when the workers stop."""
        self._queue = deque(steps)
        if steps:
            # Always in threads: an interrupt of the main thread must not cut a call off.
            with ThreadPoolExecutor(self._concurrency) as pool:
                workers = [pool.submit(self._work) for _number in range(self._concurrency)]
                try:
                    wait(workers)
                except KeyboardInterrupt:
                    self._stop("because the run was interrupted")
        return list(self._queue)

    def _stop(self, why: str) -> None:
        self.stop_reason = self.stop_reason or f"not attempted {why}; run again"
        self._api.client.stop()

    def _work(self) -> None:
        while not self.is_stopped:
            if self._is_cancelled():
                self._stop("because the result is no longer awaited")
                return
            try:
                step = self._queue.popleft()
            except IndexError:
                return
            try:
                self._carry_out(step)
            except RateLimitWait as delay:
                self._leave(step, delay)
            except NoBatchCall:
                self._api.has_batch_call = False
                self._queue.extend(_changes(step))
                continue
            except CloudflareError as error:
                self._fail(step, error)
            except Exception as error:
                self._crash(step, error)
            else:
                with self._lock:
                    self._outcome.consecutive_failures = 0
            # Checked last, so that every time slice makes progress.
            if self._api.client.clock() >= self._ends_at:
                return

    def _carry_out(self, step: Step) -> None:
        outcome = self._outcome
        if isinstance(step, Create):
            record = self._api.create(step.body).record
            outcome.created.append({**step.record, **_known(record)})
        elif isinstance(step, Update):
            record = self._api.update(step.current.id, step.changes).record
            outcome.updated.append(_updated(step, {**step.record, **_known(record)}))
        elif isinstance(step, Delete):
            if self._api.delete(step.current.id):
                outcome.deleted.append(_deleted(step))
        else:
            deleted = set(self._api.delete_batch([delete.current.id for delete in step]))
            outcome.deleted += [_deleted(delete) for delete in step if delete.current.id in deleted]

    def _leave(self, step: Step, delay: RateLimitWait) -> None:
        self._queue.append(step)
        self._outcome.wait = max(self._outcome.wait, delay.seconds)
        if delay.outcome_unknown:
            for change in _changes(step):
                self._outcome.unconfirmed[change.domain] = _action(change)

    def _fail(self, step: Step, error: CloudflareError) -> None:
        if error.outcome_unknown:
            self._outcome.uncertain = True
        if error.kind == INTERRUPTED and not error.outcome_unknown:
            self._queue.appendleft(step)
            return
        self._outcome.failures += [
            Failure(
                change.domain, str(error), error.kind, _action(change), error.status, error.code
            )
            for change in _changes(step)
        ]
        with self._lock:
            self._outcome.consecutive_failures += 1
            if error.is_specific:
                self._outcome.consecutive_failures = 0
            elif self._outcome.consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                why = f"after {MAX_CONSECUTIVE_FAILURES} consecutive failures"
                self.stop_reason = f"not attempted {why}; run again"

    def _crash(self, step: Step, error: Exception) -> None:
        self._outcome.uncertain = True
        self._outcome.traceback = traceback.format_exc()
        reason = f"unexpected {error.__class__.__name__}; run again, and report this as a bug"
        self._outcome.failures += [
            Failure(change.domain, reason, UNEXPECTED, _action(change)) for change in _changes(step)
        ]
        self._stop("after an unexpected error")


def _updated(update: Update, record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**record, "previous": dict(update.current.record)}


def _deleted(delete: Delete) -> dict[str, t.Any]:
    record = dict(delete.current.record)
    return {**record, "duplicate_of": delete.kept} if delete.kept else record


def _known(record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the fields that a response had; every field is optional in the published schema."""
    return {name: value for name, value in record.items() if value is not None}


def _changes(step: Step) -> t.Sequence[Create | Update | Delete]:
    return step if isinstance(step, list) else [step]


def _action(change: Create | Update | Delete) -> str:
    return {Create: CREATE, Update: UPDATE, Delete: DELETE}[change.__class__]


def _batches(deletes: list[Delete]) -> list[Step]:
    if len(deletes) == 1:
        return [deletes[0]]
    return [
        deletes[start : start + MAX_PER_BATCH] for start in range(0, len(deletes), MAX_PER_BATCH)
    ]
