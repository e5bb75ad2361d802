# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One time slice of a long run: what it knows about the earlier ones, and what it reports.

A slice is a complete run of the module: it reads the account, plans, and applies the plan for a few
seconds. Slices do not share a plan. So a slice may be repeated or lost, and others may change the
account meanwhile, without anything being created twice.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    MIN_SECRET_LENGTH,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Seconds that a slice waits for the rate limit; the action plugin waits longer, and shows it.
MAX_WAIT = 2.5


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
        unknown_outcomes: the `action` by domain, its `effect` on mail and the record before it, for
            writes that may have taken effect.
        consecutive_failures: the last failures in a row that are not specific to one change.
        refusals: how many calls in a row the rate limit refused.
        read_attempts: how many times in a row reading the account failed.
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
    unknown_outcomes: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    consecutive_failures: int = 0
    refusals: int = 0
    read_attempts: int = 0
    blocked_until: float = 0.0
    has_batch_call: bool = True
    is_stalled: bool = False
    is_planned: bool = False


@dataclass
class TimeSlice:
    """The limits of this slice, and the progress so far."""

    seconds: float = NO_LIMIT
    max_wait: float = NO_LIMIT
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def of(cls, module: AnsibleModule) -> TimeSlice:
        """Read the internal option `time_slice`; without it, the slice is the whole run."""
        given = module.params["time_slice"]
        # Secrets are masked in what a module returns. A short one may be part of any domain, so
        # that the next slice could not be told what was done.
        if not given or any(len(secret) < MIN_SECRET_LENGTH for secret in module.no_log_values):
            return cls()
        progress = Progress(**given.get("progress") or {})
        # A slice that follows one without any change waits as long as it takes, so that the run ends.
        max_wait = NO_LIMIT if progress.is_stalled else MAX_WAIT
        return cls(float(given["seconds"]), max_wait, progress)

    @property
    def is_part(self) -> bool:
        """Whether other slices may follow."""
        return self.seconds < NO_LIMIT

    def report(
        self, remaining: int | None, wait: float = 0.0, reason: str = "", estimate: float = 0.0
    ) -> dict[str, t.Any]:
        """Return what the action plugin shows, and gives to the next slice.

        Arguments:
            remaining: how many changes are left; `None` while the account is being read.
            wait: seconds to wait before the next slice begins.
            reason: what the run waits for, in messages.
            estimate: seconds by which the rate limit delays the remaining changes.
        """
        return {
            "remaining": remaining,
            "wait": wait,
            "reason": reason,
            "estimate": estimate,
            "progress": asdict(self.progress),
        }
