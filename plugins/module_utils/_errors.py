# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exceptions of a call to the Cloudflare API. Pure.

They are not changed once they are raised: `dataclasses.replace` makes new ones from them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    INTERRUPTED,
    REFUSED,
)


@dataclass(eq=False)
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

    problem: str
    advice: str
    kind: str
    detail: str = ""
    status: int | None = None
    code: int | None = None
    outcome_unknown: bool = False
    not_found: bool = False
    no_route: bool = False
    is_transient: bool = False
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.problem}; {self.advice}" + (f" ({self.detail})" if self.detail else "")

    @property
    def is_specific(self) -> bool:
        """Whether the failure is specific to this change, so that others may well succeed."""
        return self.kind in (REFUSED, CONFLICT)


@dataclass(eq=False)
class RateLimitWait(Exception):
    """The rate limit delays a call for longer than its caller waits; the call was not sent.

    Attributes:
        seconds: how long.
        attempts: how many times the call failed before.
        outcome_unknown: an earlier attempt may have taken effect.
    """

    seconds: float
    attempts: int = 0
    outcome_unknown: bool = False


@dataclass(eq=False)
class RetryLater(Exception):
    """A call failed transiently, and its caller has no time left to retry it.

    Attributes:
        error: how it failed.
        attempts: how many times it was tried so far.
        seconds: how long to wait before the next attempt.
    """

    error: CloudflareError
    attempts: int
    seconds: float


def interrupted(outcome_unknown: bool = False) -> CloudflareError:
    """Return the error of a call that was not sent, or not retried, because the run stops."""
    return CloudflareError(
        "the run was interrupted", "run again", INTERRUPTED, outcome_unknown=outcome_unknown
    )
