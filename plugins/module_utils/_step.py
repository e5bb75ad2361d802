# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step of applying a plan: sends one change, or a batch of deletes, and says what became of it.

A step does not raise: each result, failures included, is a value that is added up later.
"""

from __future__ import annotations

import traceback
import typing as t
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
from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    Record,
    created_record,
    deleted_record,
    updated_record,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    NOT_CONFIRMED,
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    INTERRUPTED,
    OUTCOME_UNKNOWN,
    UNEXPECTED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )

Step = t.Union[Change, t.List[Delete]]


@dataclass(frozen=True)
class Done:
    """A step that was carried out.

    Attributes:
        records: what it changed; nothing, if somebody else was faster.
        alterations: the fields that have other values than those that were sent.
    """

    step: Step
    records: list[Record]
    alterations: list[Alteration] = field(default_factory=list)


@dataclass(frozen=True)
class Failed:
    """A step that failed for good.

    Attributes:
        failures: one for each of its changes.
        outcome_unknown: it may have taken effect.
        is_specific: other steps may well succeed.
        wait: seconds for which the rate limit delays what is left.
        traceback: of an unexpected exception.
    """

    failures: list[Failure]
    outcome_unknown: bool = False
    is_specific: bool = False
    wait: float = 0.0
    traceback: str | None = None


@dataclass(frozen=True)
class Left:
    """A step that is left: it was not sent, or its outcome is to be found out later.

    Attributes:
        outcome_unknown: an attempt may have taken effect.
        wait: seconds for which the rate limit delays it; 0 if the run was interrupted.
    """

    step: Step
    outcome_unknown: bool = False
    wait: float = 0.0


StepResult = t.Union[Done, Failed, Left]


def carry_out(step: Step, api: RestrictionsApi) -> StepResult:
    """Send a step, and return what became of it.

    Raises:
        NoBatchCall: the step is a batch, and the API has no such call.
    """
    try:
        return _send(step, api)
    except RateLimitWait as delay:
        if delay.outcome_unknown and isinstance(step, Tightening):
            # A later time slice could not tell what it finds from somebody else's change.
            reason = f"{NOT_CONFIRMED}; run again"
            failures = _failures(step, reason, OUTCOME_UNKNOWN)
            return Failed(failures, outcome_unknown=True, wait=delay.seconds)
        return Left(step, delay.outcome_unknown, delay.seconds)
    except CloudflareError as error:
        if error.kind == INTERRUPTED and not error.outcome_unknown:
            return Left(step)
        failures = _failures(step, str(error), error.kind, error.status, error.code)
        return Failed(failures, error.outcome_unknown, error.is_specific)
    except NoBatchCall:
        raise
    except Exception as error:
        reason = f"unexpected {error.__class__.__name__}; run again, and report this as a bug"
        failures = _failures(step, reason, UNEXPECTED)
        return Failed(failures, outcome_unknown=True, traceback=traceback.format_exc())


def single_changes(step: Step) -> t.Sequence[Change]:
    """Return the changes of which a step consists."""
    return step if isinstance(step, list) else [step]


def _send(step: Step, api: RestrictionsApi) -> Done:
    if isinstance(step, Create):
        stored = api.create(step.body)
        return Done(step, [created_record(step, stored)], alterations(step.body, stored))
    if isinstance(step, Update):
        stored = api.update(step.current, step.changes)
        return Done(step, [updated_record(step, stored)], alterations(step.changes, stored))
    if isinstance(step, Delete):
        is_ours = api.delete(step.current.id)
        return Done(step, [deleted_record(step)] if is_ours else [])
    deleted = set(api.delete_batch([delete.current.id for delete in step]))
    return Done(step, [deleted_record(delete) for delete in step if delete.current.id in deleted])


def _failures(
    step: Step, reason: str, kind: str, status: int | None = None, code: int | None = None
) -> list[Failure]:
    return [
        Failure(change.domain, reason, kind, change.action, status, code, change.protects)
        for change in single_changes(step)
    ]
