# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quota of one principal (a user, or an account-owned token).

Source: Cloudflare API reference, "Rate limits": 1,200 requests per 5 minutes. From the first request
over the quota on, every request is refused with 429 for five minutes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from .envelope import Problem, Refusal


class RateLimit:
    """Counts requests in fixed windows; the first request over the quota starts the block.

    ``quota`` is in requests, ``window`` in seconds. A block lasts one window; requests during the
    block do not extend it. ``clock`` returns monotonic seconds.
    """

    def __init__(
        self, quota: int, window: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self.change(quota, window)

    def change(self, quota: int, window: float) -> None:
        """Set new limits and start a new window."""
        self.quota = quota
        self.window = window
        self._used = 0
        self._ends = -math.inf
        self._blocked = False

    def charge(self) -> None:
        """Count one request.

        Raises Refusal (429, code 971, with Retry-After in seconds) when the quota is used up.
        """
        now = self._clock()
        if now >= self._ends:
            self._used = 0
            self._ends = now + self.window
            self._blocked = False
        if not self._blocked and self._used >= self.quota:
            self._blocked = True
            self._ends = now + self.window
        if self._blocked:
            raise Refusal(
                429,
                Problem(971, "Please wait and consider throttling your request speed"),
                headers={"Retry-After": str(self._seconds_left())},
            )
        self._used += 1

    def headers(self) -> dict[str, str]:
        """``Ratelimit`` and ``Ratelimit-Policy``, whole seconds rounded up."""
        left = self.quota - self._used
        return {
            "Ratelimit": f'"default";r={left};t={self._seconds_left()}',
            "Ratelimit-Policy": f'"default";q={self.quota};w={math.ceil(self.window)}',
        }

    def _seconds_left(self) -> int:
        return max(0, math.ceil(self._ends - self._clock()))
