# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One time slice of a long run: its limits, and what it knows about the earlier ones.

A slice is a complete run of the module: it reads the account, plans, and applies the plan for a few
seconds. Slices do not share a plan. So a slice may be repeated or lost, and others may change the
account meanwhile, without anything being created twice.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    MIN_SECRET_LENGTH,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
)

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Seconds that a slice waits for the rate limit; the action plugin waits longer, and shows it.
MAX_WAIT = 2.5


@dataclass
class TimeSlice:
    """The limits of this slice, and the progress so far."""

    seconds: float = NO_LIMIT
    max_wait: float = NO_LIMIT
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def of(cls, module: AnsibleModule) -> TimeSlice:
        """Read the internal option `controller`; without a slice, it is the whole run."""
        given = (module.params["controller"] or {}).get("time_slice")
        # Secrets are masked in what a module returns. A short one may be part of any domain, so
        # that the next slice could not be told what was done.
        if not given or any(len(secret) < MIN_SECRET_LENGTH for secret in module.no_log_values):
            return cls()
        progress = Progress.from_dict(given.get("progress") or {})
        # A slice that follows one without any change waits as long as it takes, so that the run ends.
        max_wait = NO_LIMIT if progress.is_stalled else MAX_WAIT
        return cls(float(given["seconds"]), max_wait, progress)

    @property
    def is_part(self) -> bool:
        """Whether other slices may follow."""
        return self.seconds < NO_LIMIT
