# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying a plan out, or predicting what carrying it out would do."""

from __future__ import annotations

import time
import typing as t
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Create,
    Delete,
    Failure,
    Plan,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    FOR_EVER,
    Held,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    MOST_PER_BATCH,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )

    Step = t.Union[Create, Update, t.List[Delete]]

# So many changes in a row that fail for a reason that lies in none of them end the run.
MOST_GENERAL_FAILURES = 10


@dataclass
class Outcome:
    """What was changed, as records with the fields of the API, what was not, and what is left to do.

    `uncertain` says that one of the failures may have taken effect all the same, and
    `general_failures` counts the last ones in a row whose reason lies in no change.
    """

    created: list[dict[str, t.Any]] = field(default_factory=list)
    updated: list[dict[str, t.Any]] = field(default_factory=list)
    deleted: list[dict[str, t.Any]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    uncertain: bool = False
    general_failures: int = 0
    remaining: Plan = field(default_factory=Plan)
    held_for: float = 0.0

    @property
    def changed(self) -> bool:
        return bool(self.created or self.updated or self.deleted or self.uncertain)

    @property
    def size(self) -> int:
        """How many wishes were dealt with, for better or worse."""
        return len(self.created) + len(self.updated) + len(self.deleted) + len(self.failures)


def predict(plan: Plan) -> Outcome:
    """Return what `apply` would, had the API refused nothing; what only it can know is `None`."""
    return Outcome(
        created=[create.after for create in plan.creates],
        updated=[update.after for update in plan.updates],
        deleted=[delete.before for delete in plan.deletes],
        failures=list(plan.failures),
    )


def apply(
    plan: Plan,
    api: RestrictionsApi,
    concurrency: int = 1,
    time_limit: float = FOR_EVER,
    earlier: Outcome | None = None,
) -> Outcome:
    """Carry `plan` out with `concurrency` workers.

    Creates and updates come first and deletes last, so that a run cut short leaves more protection,
    not less. A change that fails does not stop the others.

    After `time_limit` seconds, or when the rate limit holds it (`Outcome.held_for`, in seconds), it
    returns early: `Outcome.remaining` is what another call with the outcome as `earlier` goes on
    with.
    """
    outcome = earlier or Outcome(failures=list(plan.failures))
    crew = _Crew(api, outcome, concurrency, time.monotonic() + time_limit)
    writes = crew.work_off([*plan.creates, *plan.updates])
    batches = _batches(plan.deletes)
    if not writes:
        # A domain with a change that failed keeps all that it has: the surplus may be its best.
        failed = {failure.domain for failure in outcome.failures}
        deletes = [delete for delete in plan.deletes if delete.domain not in failed]
        batches = crew.work_off(_batches(deletes))
    outcome.held_for = crew.held_for
    if crew.gave_up_on:
        reason = f"not tried, after {MOST_GENERAL_FAILURES} failures in a row: {crew.gave_up_on}"
        outcome.failures += [Failure(domain, reason) for domain in _domains([*writes, *batches])]
        writes, batches = [], []
    outcome.remaining = Plan(
        creates=[step for step in writes if isinstance(step, Create)],
        updates=[step for step in writes if isinstance(step, Update)],
        deletes=[delete for batch in batches if isinstance(batch, list) for delete in batch],
    )
    return outcome


class _Crew:
    """Workers that share a queue, and stop together."""

    def __init__(
        self, api: RestrictionsApi, outcome: Outcome, concurrency: int, ends_at: float
    ) -> None:
        self.held_for = 0.0
        self.gave_up_on: CloudflareError | None = None
        self._api = api
        self._outcome = outcome
        self._concurrency = concurrency
        self._ends_at = ends_at

    def work_off(self, steps: t.Sequence[Step]) -> list[Step]:
        """Carry the steps out, and return those that are left when time is over."""
        queue = deque(steps)
        workers = min(self._concurrency, len(queue))
        if workers <= 1:
            self._work(queue)
        else:
            with ThreadPoolExecutor(workers) as pool:
                for worker in [pool.submit(self._work, queue) for _number in range(workers)]:
                    worker.result()
        return list(queue)

    def _work(self, queue: deque[Step]) -> None:
        while not (self.held_for or self.gave_up_on) and time.monotonic() < self._ends_at:
            try:
                step = queue.popleft()
            except IndexError:
                return
            try:
                self._carry_out(step)
            except Held as held:
                queue.append(step)
                self.held_for = held.seconds
            except CloudflareError as error:
                self._note_failure(step, error)
            else:
                self._outcome.general_failures = 0

    def _carry_out(self, step: Step) -> None:
        if isinstance(step, Create):
            self._outcome.created.append(dict(self._api.create(step.body).record))
        elif isinstance(step, Update):
            updated = self._api.update(step.current.id, step.changes)
            self._outcome.updated.append(dict(updated.record))
        else:
            removed = set(self._api.delete([delete.current.id for delete in step]))
            self._outcome.deleted += [
                delete.before for delete in step if delete.current.id in removed
            ]

    def _note_failure(self, step: Step, error: CloudflareError) -> None:
        self._outcome.failures += [Failure(domain, str(error)) for domain in _domains([step])]
        self._outcome.uncertain = self._outcome.uncertain or error.outcome_unknown
        in_a_row = self._outcome.general_failures + 1 if error.is_general else 0
        self._outcome.general_failures = in_a_row
        if in_a_row >= MOST_GENERAL_FAILURES:
            self.gave_up_on = error


def _domains(steps: t.Iterable[Step]) -> list[str]:
    return [
        change.domain for step in steps for change in (step if isinstance(step, list) else [step])
    ]


def _batches(deletes: list[Delete]) -> list[Step]:
    return [
        deletes[start : start + MOST_PER_BATCH] for start in range(0, len(deletes), MOST_PER_BATCH)
    ]
