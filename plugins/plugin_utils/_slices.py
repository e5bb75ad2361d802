# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in time slices, and shows its progress between them.

A module cannot show anything before it ends. So it runs for a few seconds at a time, over any
connection. A run that is shorter than the first slice is one execution of the module.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import duration
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    SliceReport,
    WaitReason,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._run_total import Total

# Seconds. A slice ends between two calls, and the next one starts early enough to be ready when the
# rate limit resets.
FIRST_SLICE = 4
NEXT_SLICES = 10
START_UP = 2
HEARTBEAT = 60
MIN_ESTIMATE = 60

Values = t.Dict[str, t.Any]


def run_in_slices(
    execute: t.Callable[[Values], Values],
    options: Values,
    total: Total,
    show: t.Callable[[str], None],
) -> Values | None:
    """Run a module until all is done, or until a slice returns a result of its own, which is returned.

    Arguments:
        execute: runs the module with these options, and returns its result.
        total: what the slices did, which is added up.
        show: shows a line.
    """
    time_slice: Values = {"seconds": FIRST_SLICE}
    while True:
        controller = {**options.get("controller", {}), "time_slice": time_slice}
        values = execute({**options, "controller": controller})
        reported = values.pop("time_slice", None)
        if reported is None:
            return values
        report = SliceReport.from_dict(reported)
        total.add(report, values)
        if report.remaining == 0:
            return None
        _show_progress(total, report, show)
        _wait(report, show)
        time_slice = {"seconds": NEXT_SLICES, "progress": report.progress.as_dict()}


def _show_progress(total: Total, report: SliceReport, show: t.Callable[[str], None]) -> None:
    if report.estimate >= MIN_ESTIMATE and not total.is_estimate_shown:
        total.is_estimate_shown = True
        show(f"{total.left}, about {duration(report.estimate)} at Cloudflare's rate limit")
    show(f"{total.progress}{_outlook(report)}")


def _wait(report: SliceReport, show: t.Callable[[str], None]) -> None:
    """Wait until the next slice can begin, and show a heartbeat meanwhile."""
    until = time.time() + report.wait - START_UP
    heartbeat = f"still working{_outlook(report)}"
    while True:
        seconds = until - time.time()
        if seconds <= 0:
            return
        time.sleep(min(seconds, HEARTBEAT))
        if seconds > HEARTBEAT:
            show(heartbeat)


def _outlook(report: SliceReport) -> str:
    """Return what a run waits for, and when it will be done, as far as that is known."""
    parts = []
    if report.reason is WaitReason.RATE_LIMIT:
        parts.append(f"waiting for Cloudflare's rate limit until {_clock(report.wait)}")
    elif report.reason is WaitReason.RETRY:
        parts.append(report.problem)
    if report.estimate >= MIN_ESTIMATE:
        parts.append(f"expected to finish at about {_clock(report.estimate)}")
    return "".join(f", {part}" for part in parts)


def _clock(seconds: float) -> str:
    """Return the time of day after this many seconds from now."""
    return time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
