# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pacing the calls of all workers of a client, so that they stay below Cloudflare's rate limit."""

from __future__ import annotations

import math
import re
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    RateLimitWait,
)

NO_LIMIT = float("inf")
# `t` of the Ratelimit header is in whole seconds, so the reset may be up to a second too late.
PRECISION = 1.5
# Seconds; the longest wait that a header may ask for.
MAX_WINDOW = 900.0
# Over the limit, Cloudflare refuses every call for this many seconds.
DEFAULT_WINDOW = 300.0


@dataclass
class _Window:
    """The last known state of one of the API's windows: how many calls are left, until when."""

    left: float
    resets_at: float
    quota: float = 0.0
    seconds: float = DEFAULT_WINDOW


class RateLimit:
    """Paces the calls of all workers by the headers `Ratelimit` and `Ratelimit-Policy`.

    A call is only sent if it leaves `reserve`, a share of the quota from 0 to 1, to others who use
    the same credentials, such as people in the dashboard. Until the first response, calls are sent
    one at a time.

    Source: Cloudflare API reference, "Rate limits"; IETF draft "RateLimit header fields for HTTP".
    """

    def __init__(
        self,
        reserve: float,
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self.waited = 0.0
        self._reserve = reserve
        self._sleep = sleep
        self._clock = clock
        self._released = threading.Condition()
        self._windows: dict[str, _Window] = {}
        self._blocked_until = 0.0
        self._waited_until = 0.0
        self._in_flight = 0
        self._has_response = False

    def acquire(self, max_wait: float = NO_LIMIT) -> None:
        """Wait until one more call may be sent; the caller must `release` afterwards.

        Raises:
            RateLimitWait: that takes more than `max_wait` seconds.
        """
        while True:
            with self._released:
                now = self._clock()
                seconds = self._seconds_until_reset(now)
                if seconds <= 0:
                    if self._has_room(now):
                        self._in_flight += 1
                        return
                    self._released.wait()
                    continue
                if seconds > max_wait:
                    raise RateLimitWait(seconds)
                self.waited += max(0.0, now + seconds - max(now, self._waited_until))
                self._waited_until = max(self._waited_until, now + seconds)
            self._sleep(seconds)

    def observe(self, headers: t.Mapping[str, str]) -> None:
        """Learn from the headers of a response."""
        with self._released:
            self._has_response = True
            self._learn(headers)

    def release(self, block: float = 0.0) -> None:
        """Record that a call ended, and send no other one for `block` seconds."""
        with self._released:
            self._in_flight -= 1
            # Before any worker wakes up, so that none sends a call.
            self._block(block)
            self._released.notify_all()

    def block(self, seconds: float) -> None:
        """Send no call for this many seconds."""
        with self._released:
            self._block(seconds)

    def is_blocked(self) -> bool:
        """Return whether a call would have to wait for a window to reset."""
        with self._released:
            return self._seconds_until_reset(self._clock()) > 0

    def seconds_for(self, calls: int) -> float:
        """Return the seconds by which the rate limit delays this many further calls."""
        with self._released:
            now = self._clock()
            return max(
                [0.0, *(self._delay(calls, window, now) for window in self._windows.values())]
            )

    def _delay(self, calls: int, window: _Window, now: float) -> float:
        per_window = window.quota * (1 - self._reserve)
        missing = calls - max(0.0, self._spare(window, now))
        if missing <= 0 or per_window < 1:
            return 0.0
        resets_in = max(0.0, window.resets_at - now)
        return resets_in + (math.ceil(missing / per_window) - 1) * window.seconds

    def _block(self, seconds: float) -> None:
        self._blocked_until = max(self._blocked_until, self._clock() + seconds)

    def _seconds_until_reset(self, now: float) -> float:
        used_up = [
            window.resets_at for window in self._windows.values() if self._spare(window, now) <= 0
        ]
        return max([self._blocked_until, *used_up]) - now

    def _has_room(self, now: float) -> bool:
        if not self._has_response:
            return self._in_flight == 0
        return all(self._spare(window, now) > self._in_flight for window in self._windows.values())

    def _spare(self, window: _Window, now: float) -> float:
        left = window.left if now < window.resets_at else window.quota or NO_LIMIT
        return left - self._reserve * window.quota

    def _learn(self, headers: t.Mapping[str, str]) -> None:
        now = self._clock()
        policy, state = headers.get("Ratelimit-Policy", ""), headers.get("Ratelimit", "")
        quotas, lengths = _items(policy, "q"), _items(policy, "w")
        resets = _items(state, "t")
        for name, left in _items(state, "r").items():
            resets_at = now + min(resets.get(name, 0), MAX_WINDOW)
            window = self._windows.get(name)
            if window and now < window.resets_at and resets_at < window.resets_at + PRECISION:
                # Responses may arrive out of order: within one window the lowest count is the newest.
                left, resets_at = min(left, window.left), min(resets_at, window.resets_at)
                self._windows[name] = _Window(left, resets_at, window.quota, window.seconds)
            else:
                length = min(lengths.get(name, DEFAULT_WINDOW), MAX_WINDOW)
                self._windows[name] = _Window(left, resets_at, quotas.get(name, 0), length)


def _items(header: str, parameter: str) -> dict[str, float]:
    """Return one parameter of each item of a list such as `"default";r=50;t=30`."""
    values = {}
    for item in header.split(","):
        name, *parameters = [part.strip() for part in item.split(";")]
        for given in parameters:
            match = re.fullmatch("([a-z]+)=([0-9]{1,9})", given)
            if match and match.group(1) == parameter:
                values[name.strip('"')] = float(match.group(2))
    return values
