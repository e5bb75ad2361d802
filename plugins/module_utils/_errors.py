# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exceptions of a call to the Cloudflare API. Pure."""

from __future__ import annotations

import re

from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    INTERRUPTED,
    REFUSED,
)

_UUID = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class CloudflareError(Exception):
    """A call that failed.

    Its text says what is wrong, then what to do, and then, in brackets, which call failed and how.

    Attributes:
        problem: what is wrong; messages may add "for 10 creates" to it.
        advice: what to do about it.
        detail: the call, the status and Cloudflare's own words; may be empty.
        kind: one of `_failure_kinds`.
        status: the HTTP status; `None` without a response.
        code: Cloudflare's error code, if it gave one.
        outcome_unknown: the call, or an earlier attempt, may have taken effect.
        not_found: Cloudflare itself said that it has nothing with this ID.
        no_route: Cloudflare itself said that there is no such call.
        is_transient: a retry may well succeed.
        retry_after: seconds to wait before a retry, if the response said so.
    """

    def __init__(
        self,
        problem: str,
        advice: str,
        kind: str,
        detail: str = "",
        status: int | None = None,
        code: int | None = None,
        outcome_unknown: bool = False,
        not_found: bool = False,
        no_route: bool = False,
        is_transient: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.advice = advice
        self.kind = kind
        self.detail = detail
        self.status = status
        self.code = code
        self.outcome_unknown = outcome_unknown
        self.not_found = not_found
        self.no_route = no_route
        self.is_transient = is_transient
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.problem}; {self.advice}" + (f" ({self.detail})" if self.detail else "")

    @property
    def is_specific(self) -> bool:
        """Whether the failure is specific to this change, so that others may well succeed."""
        return self.kind in (REFUSED, CONFLICT)


class RateLimitWait(Exception):
    """The rate limit delays a call for longer than its caller waits; the call was not sent.

    Attributes:
        seconds: how long.
        attempts: how many times the call failed before.
        outcome_unknown: an earlier attempt may have taken effect.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"waiting for the rate limit takes {seconds:.0f} seconds")
        self.seconds = seconds
        self.attempts = 0
        self.outcome_unknown = False


class RetryLater(Exception):
    """A call failed transiently, and its caller has no time left to retry it.

    Attributes:
        error: how it failed.
        attempts: how many times it was tried so far.
        seconds: how long to wait before the next attempt.
    """

    def __init__(self, error: CloudflareError, attempts: int, seconds: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
        self.seconds = seconds


def call_name(method: str, path: str) -> str:
    """Return how messages name a call: without the account and without IDs."""
    return f"{method} …/{_UUID.sub('{id}', path.rpartition('/settings/')[2]).lstrip('/')}"


def interrupted(outcome_unknown: bool = False) -> CloudflareError:
    """Return the error of a call that was not sent, or not retried, because the run stops."""
    return CloudflareError(
        "the run was interrupted", "run again", INTERRUPTED, outcome_unknown=outcome_unknown
    )
