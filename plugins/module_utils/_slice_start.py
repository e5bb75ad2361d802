# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What time slices begin with, and report if they get no further: reading, and searching."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._client import Limits
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    RateLimitWait,
    RetryLater,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import RunResult
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    SliceReport,
    WaitReason,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._sender_search import (
        SearchOutcome,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import (
        TimeSlice,
    )


class SliceOver(Exception):
    """A time slice ends before it got anywhere; `report` says why."""

    def __init__(self, report: SliceReport) -> None:
        super().__init__()
        self.report = report


def limits_of(time_slice: TimeSlice) -> Limits:
    """Return what a time slice allows its client, from now on."""
    progress = time_slice.progress
    return Limits(
        max_wait=time_slice.max_wait,
        blocked_for=progress.blocked_until - time.time(),
        refusals=progress.refusals,
        read_seconds=time_slice.seconds,
        read_attempts=progress.read_attempts,
    )


def read_account(api: RestrictionsApi, time_slice: TimeSlice) -> list[Restriction]:
    """Return all restrictions on the account.

    Raises:
        SliceOver: it cannot be read in this time slice.
        CloudflareError: it cannot be read at all.
    """
    progress, client = time_slice.progress, api.client
    try:
        current = api.list_all(is_first=True)
    except RateLimitWait as delay:
        progress.refusals = client.refusals
        progress.read_attempts = delay.attempts
        progress.blocked_until = time.time() + delay.seconds
        raise SliceOver(_report(time_slice, api, delay.seconds, WaitReason.RATE_LIMIT)) from None
    except RetryLater as delay:
        progress.read_attempts = delay.attempts
        report = _report(time_slice, api, delay.seconds, WaitReason.RETRY)
        retry = f"retry {delay.attempts} of {client.retry.retries}"
        report.problem = f"{delay.error.problem}; {retry}"
        raise SliceOver(report) from None
    progress.read_attempts = 0
    return current


def end_unless_all_are_searched(
    searches: SearchOutcome, time_slice: TimeSlice, api: RestrictionsApi, calls: int = 0
) -> None:
    """Raise `SliceOver` if there was no time to search all domains for their senders.

    Arguments:
        calls: how many calls follow the searches.
    """
    if not searches.left:
        return
    progress, client = time_slice.progress, api.client
    progress.refusals = client.refusals
    progress.blocked_until = time.time() + searches.wait
    reason = WaitReason.RATE_LIMIT if searches.wait else None
    report = _report(time_slice, api, searches.wait, reason)
    report.searches_left = len(searches.left)
    report.estimate = client.rate_limit.seconds_for(len(searches.left) + calls)
    raise SliceOver(report)


def _report(
    time_slice: TimeSlice, api: RestrictionsApi, wait: float, reason: WaitReason | None
) -> SliceReport:
    result = RunResult(api_calls=api.client.calls)
    return SliceReport(result, time_slice.progress, wait=wait, reason=reason)
