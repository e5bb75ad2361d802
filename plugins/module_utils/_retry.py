# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which failed calls are retried, and after how long."""

from __future__ import annotations

import random
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
        CloudflareError,
    )

FIRST_BACKOFF = 0.5
MAX_BACKOFF = 30.0
# Give up after this many consecutive failures that are not specific to one change or search.
MAX_CONSECUTIVE_FAILURES = 10


class RetryPolicy:
    """Up to `retries` retries of transient failures, with exponential backoff and jitter.

    Arguments:
        retries: the maximum number of retries of a call.
        jitter: returns a number in [0, 1), which reduces a backoff by up to half.
    """

    def __init__(self, retries: int, jitter: t.Callable[[], float] = random.random) -> None:
        self.retries = retries
        self._jitter = jitter

    def allows(self, error: CloudflareError, attempt: int, idempotent: bool) -> bool:
        """Return whether a call that failed in `attempt` (from 0) should be retried.

        One that is not `idempotent` is never retried if it may have taken effect.
        """
        is_safe = idempotent or not error.outcome_unknown
        return is_safe and error.is_transient and attempt < self.retries

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait between `attempt` (from 0) and the next one."""
        longest: float = min(FIRST_BACKOFF * 2**attempt, MAX_BACKOFF)
        return longest * (1 - self._jitter() / 2)
