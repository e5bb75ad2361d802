# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeping clear of Cloudflare's rate limit, for all the workers of one client together."""

from __future__ import annotations

import re
import threading
import time
import typing as t
from dataclasses import dataclass

FOR_EVER = float("inf")
# `t` of the Ratelimit header has whole seconds, so that it names a reset up to a second too late.
PRECISION = 1.5
# Seconds; what names a longer wait is not believed.
LONGEST_WINDOW = 900.0


class Held(Exception):
    """The rate limit holds a call for longer than its caller waits; it was not sent.

    Attributes:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the rate limit holds it for {seconds:.0f} seconds")
        self.seconds = seconds


@dataclass
class _Window:
    """What the API last said of one of its windows: how many calls are left, until when."""

    left: float
    resets_at: float
    quota: float = 0.0


class RateLimit:
    """Paces the calls of all workers by the headers `Ratelimit` and `Ratelimit-Policy`.

    No call is sent that would use up more than the quota less `reserve`, a share from 0 to 1 that is
    left to whoever uses the same credentials, such as the people in the dashboard. Until the first
    answer has told how things stand, calls are sent one at a time.

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
        self._answered = threading.Condition()
        self._windows: dict[str, _Window] = {}
        self._blocked_until = 0.0
        self._waited_until = 0.0
        self._in_flight = 0
        self._heard = False

    def acquire(self, longest_wait: float = FOR_EVER) -> None:
        """Wait until one more call may be sent; `release` has to follow.

        Raises:
            Held: that would take more than `longest_wait` seconds.
        """
        while True:
            with self._answered:
                now = self._clock()
                seconds = self._seconds_until_reset(now)
                if seconds <= 0:
                    if self._has_room(now):
                        self._in_flight += 1
                        return
                    self._answered.wait()
                    continue
                if seconds > longest_wait:
                    raise Held(seconds)
                self.waited += max(0.0, now + seconds - max(now, self._waited_until))
                self._waited_until = max(self._waited_until, now + seconds)
            self._sleep(seconds)

    def release(self, headers: t.Mapping[str, str] | None) -> None:
        """Take note that a call ended, with the headers of its answer if there is one."""
        with self._answered:
            self._in_flight -= 1
            if headers is not None:
                self._heard = True
                self._learn(headers)
            self._answered.notify_all()

    def holds(self) -> bool:
        """Whether a call would have to wait for a window to end."""
        with self._answered:
            return self._seconds_until_reset(self._clock()) > 0

    def block(self, seconds: float) -> None:
        """Hold all calls, as a 429 asks for."""
        with self._answered:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)

    def _seconds_until_reset(self, now: float) -> float:
        used_up = [
            window.resets_at for window in self._windows.values() if self._spare(window, now) <= 0
        ]
        return max([self._blocked_until, *used_up]) - now

    def _has_room(self, now: float) -> bool:
        if not self._heard:
            return self._in_flight == 0
        return all(self._spare(window, now) > self._in_flight for window in self._windows.values())

    def _spare(self, window: _Window, now: float) -> float:
        left = window.left if now < window.resets_at else window.quota or FOR_EVER
        return left - self._reserve * window.quota

    def _learn(self, headers: t.Mapping[str, str]) -> None:
        now = self._clock()
        quotas = _items(headers.get("Ratelimit-Policy", ""), "q")
        resets = _items(headers.get("Ratelimit", ""), "t")
        for name, left in _items(headers.get("Ratelimit", ""), "r").items():
            resets_at = now + min(resets.get(name, 0), LONGEST_WINDOW)
            window = self._windows.get(name)
            if window and now < window.resets_at and resets_at < window.resets_at + PRECISION:
                # Answers overtake each other: of one window the lowest is the newest.
                self._windows[name] = _Window(
                    min(left, window.left), min(resets_at, window.resets_at), window.quota
                )
            else:
                self._windows[name] = _Window(left, resets_at, quotas.get(name, 0))


def _items(header: str, parameter: str) -> dict[str, int]:
    """Read one parameter of each item of a list such as `"default";r=50;t=30`."""
    values = {}
    for item in header.split(","):
        name, *parameters = [part.strip() for part in item.split(";")]
        for given in parameters:
            match = re.fullmatch("([a-z]+)=([0-9]{1,9})", given)
            if match and match.group(1) == parameter:
                values[name.strip('"')] = int(match.group(2))
    return values
