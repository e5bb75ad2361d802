# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a time slice reports to the controller, which adds it up and starts the next slice. Pure."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import RunResult

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
        Record,
    )


class WaitReason(enum.Enum):
    """What a run waits for between two time slices."""

    RATE_LIMIT = "rate_limit"
    RETRY = "retry"


@dataclass(frozen=True)
class UnknownOutcome:
    """A write that may have taken effect.

    Attributes:
        effect: what it does to mail.
        previous: the record before; only a create has none.
    """

    action: str
    effect: str
    previous: Record | None = None


@dataclass
class Progress:
    """What later slices must know.

    Attributes:
        created: domains that were created.
        updated: domains that were updated, even if the update changed nothing.
        unaltered: how many updates changed nothing.
        altered: how many fields have other values than those that were sent.
        tightened: domains of which only the first of two calls of an update was made.
        failed: domains that could not be changed.
        failed_to_protect: a clause by domain, that says why related changes are held back.
        unknown_outcomes: by domain, the writes that may have taken effect.
        consecutive_failures: the last failures in a row that are not specific to one change.
        refusals: how many calls in a row the rate limit refused.
        read_attempts: how many times in a row reading the account failed.
        senders: by domain, who was found to send as it, as `DomainSenders.as_dict` returns it,
            until it is known whom the plan affects.
        search_failures: the last failed searches in a row that are not specific to one domain.
        is_impact_known: whether it is known.
        blocked_until: when the rate limit allows calls again, as `time.time()` of this host.
        has_batch_call: whether the API may have the batch call.
        is_stalled: whether the last slice changed nothing because of the rate limit.
        is_planned: whether a slice has made a plan, and so has reported warnings and a diff.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unaltered: int = 0
    altered: int = 0
    tightened: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    failed_to_protect: dict[str, str] = field(default_factory=dict)
    unknown_outcomes: dict[str, UnknownOutcome] = field(default_factory=dict)
    consecutive_failures: int = 0
    refusals: int = 0
    read_attempts: int = 0
    senders: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    search_failures: int = 0
    is_impact_known: bool = False
    blocked_until: float = 0.0
    has_batch_call: bool = True
    is_stalled: bool = False
    is_planned: bool = False

    @classmethod
    def from_dict(cls, values: t.Mapping[str, t.Any]) -> Progress:
        """Return what `as_dict` returned."""
        unknown_outcomes = {
            domain: UnknownOutcome(**write)
            for domain, write in values.get("unknown_outcomes", {}).items()
        }
        return cls(**{**values, "unknown_outcomes": unknown_outcomes})

    def as_dict(self) -> dict[str, t.Any]:
        """Return it in a form that JSON can represent."""
        unknown_outcomes = {domain: vars(write) for domain, write in self.unknown_outcomes.items()}
        return {**vars(self), "unknown_outcomes": unknown_outcomes}


@dataclass
class SliceReport:
    """What a time slice did, and what is left.

    Attributes:
        remaining: how many changes are left; `None` until a plan is applied.
        searches_left: how many domains are left to be searched for their senders.
        wait: seconds to wait before the next slice begins.
        reason: what the run waits for.
        problem: what failed and is to be retried, and how often that was tried.
        estimate: seconds by which the rate limit delays the remaining searches and changes.
    """

    result: RunResult
    progress: Progress
    remaining: int | None = None
    searches_left: int = 0
    wait: float = 0.0
    reason: WaitReason | None = None
    problem: str = ""
    estimate: float = 0.0

    @classmethod
    def from_dict(cls, values: t.Mapping[str, t.Any]) -> SliceReport:
        """Return what the module returned as `time_slice`."""
        typed = {
            "result": RunResult(**values["result"]),
            "progress": Progress.from_dict(values["progress"]),
            "reason": WaitReason(values["reason"]) if values["reason"] else None,
        }
        return cls(**{**values, **typed})

    def as_dict(self) -> dict[str, t.Any]:
        """Return the result of a module that ran as a time slice."""
        # Ansible looks for the traceback at the top level.
        result = dict(vars(self.result))
        exception = result.pop("exception")
        report = {
            **vars(self),
            "result": result,
            "progress": self.progress.as_dict(),
            "reason": self.reason.value if self.reason else None,
        }
        return {"time_slice": report, **({"exception": exception} if exception else {})}
