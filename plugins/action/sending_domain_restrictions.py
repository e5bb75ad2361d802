# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module sending_domain_restrictions in time slices, and shows its progress and its plan.

A module can show nothing before it ends. So it works for some seconds at a time, over any
connection, and the progress is shown between two time slices. A run that is shorter than the first
slice is one execution of the module.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    OUTCOME_UNKNOWN,
    UNCERTAIN,
    shortened,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure import Failure
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
    by_domain,
    duration,
    final_result,
    summary,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._time_slice import (
    RATE_LIMIT,
)

# Seconds. A slice ends between two calls, and the next one starts early enough to be ready when the
# rate limit resets.
FIRST_SLICE = 4
NEXT_SLICES = 10
START_UP = 2
HEARTBEAT = 60
MIN_ESTIMATE = 60

LISTS = ("created", "updated", "deleted", "failures")

display = Display()

Values = t.Dict[str, t.Any]


class ActionModule(ActionBase):
    _supports_async = True
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        result = super().run(tmp, task_vars)
        self._host = (task_vars or {}).get("inventory_hostname", "localhost")
        if self._task.async_val or self._task.check_mode:
            values = self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)
        else:
            values = self._run_slices(task_vars)
        values.get("invocation", {}).get("module_args", {}).pop("time_slice", None)
        if "warnings" in values:
            values["warnings"] = [_text(warning) for warning in values["warnings"]]
        if len((task_vars or {}).get("ansible_play_hosts_all", ())) > 1:
            _name_host(values, self._host)
        self._show_plan(values)
        result.update(values)
        return result

    def _run_slices(self, task_vars: Values | None) -> Values:
        total = _Total()
        try:
            return self._repeat_slices(total, task_vars)
        except AnsibleError as error:
            if not total.has_begun:
                raise
            is_lost = isinstance(error, AnsibleConnectionFailure)
            failure = {"unreachable" if is_lost else "failed": True}
            return total.cut_short(failure, f"the module could not be run any more ({error})")
        except BaseException as error:
            # What the task keyword `timeout` raises is no Exception, and has moved between versions.
            if error.__class__.__name__ != "TaskTimeoutError" or not total.has_begun:
                raise
            reason = f"the task was stopped by its timeout of {self._task.timeout} seconds"
            return total.cut_short({"failed": True}, reason)

    def _repeat_slices(self, total: _Total, task_vars: Values | None) -> Values:
        time_slice: Values = {"seconds": FIRST_SLICE}
        while True:
            values = self._execute_module(
                module_args={**self._task.args, "time_slice": time_slice}, task_vars=task_vars
            )
            report = values.pop("time_slice", None)
            if report is None:
                return total.ended_by(values) if total.has_begun else values
            total.add(values, report)
            if report["remaining"] == 0:
                return total.result()
            self._show_progress(total, report)
            self._wait(report)
            time_slice = {"seconds": NEXT_SLICES, "progress": report["progress"]}

    def _show_progress(self, total: _Total, report: Values) -> None:
        estimate = report["estimate"]
        if estimate >= MIN_ESTIMATE and not total.is_estimate_shown:
            total.is_estimate_shown = True
            self._show(
                f"{total.remaining} changes left, which takes about {duration(estimate)} at"
                " Cloudflare's rate limit"
            )
        self._show(f"{total.progress}{_outlook(report)}")

    def _wait(self, report: Values) -> None:
        """Wait until the next slice can begin, and show a heartbeat meanwhile."""
        until = time.time() + report["wait"] - START_UP
        heartbeat = f"still working{_outlook(report)}"
        while True:
            seconds = until - time.time()
            if seconds <= 0:
                return
            time.sleep(min(seconds, HEARTBEAT))
            if seconds > HEARTBEAT:
                self._show(heartbeat)

    def _show_plan(self, values: Values) -> None:
        """Show the summary, and the diff if Ansible does not show it because the task failed."""
        has_failed = values.get("failed")
        if has_failed and self._task.diff and values.get("diff") and not self._task.no_log:
            display.display(CallbackBase()._get_diff(values["diff"]), stderr=True)
        if "created" in values and (values.get("changed") or self._task.check_mode and has_failed):
            self._show(summary(values, self._task.check_mode))

    def _show(self, sentence: str) -> None:
        if not self._task.no_log:
            display.display(f"[{self._host}] {sentence}", stderr=True)


@dataclass
class _Total:
    """What the time slices of a run did together."""

    values: Values = field(default_factory=dict)
    remaining: int = 0
    unconfirmed: dict[str, str] = field(default_factory=dict)
    has_begun: bool = False
    is_estimate_shown: bool = False

    @property
    def count(self) -> int:
        """How many changes are done, or have failed."""
        return sum(len(self.values.get(name, ())) for name in LISTS)

    @property
    def progress(self) -> str:
        total = self.count + self.remaining
        return f"{self.count} of {total} changes done" if total else "reading the account"

    def add(self, values: Values, report: Values | None = None) -> None:
        """Add the result of one more slice, and what it reports about the rest."""
        before, self.has_begun = self.values, True
        if report:
            self.remaining = report["remaining"] or self.remaining
            self.unconfirmed = report["progress"]["unconfirmed"]
        self.values = {**before, **values}
        for name in (*LISTS, "warnings", "deprecations"):
            if name in before or name in values:
                more = [
                    entry for entry in values.get(name, ()) if entry not in before.get(name, ())
                ]
                self.values[name] = [*before.get(name, ()), *more]
        self.values["changed"] = bool(before.get("changed") or values.get("changed"))
        self.values["api_calls"] = before.get("api_calls", 0) + values.get("api_calls", 0)

    def result(self) -> Values:
        """Return the result of the whole run."""
        for name in LISTS:
            self.values[name] = by_domain(self.values[name])
        return final_result(self.values, check_mode=False)

    def ended_by(self, values: Values) -> Values:
        """Return the result of a run whose last slice failed as a whole."""
        # Without a result of its own, the slice may have changed something before it died.
        died = "module_stdout" in values
        reason = values.pop("msg", "the module ended without a result")
        self.add(values)
        return self.cut_short({"failed": True}, reason, is_certain=not died)

    def cut_short(self, failure: Values, reason: str, is_certain: bool = False) -> Values:
        """Return what is known about a run that ended early."""
        values = {"unchanged": 0, **{name: [] for name in LISTS}, **self.values, **failure}
        values["failures"] = values["failures"] + [
            Failure(domain, f"{OUTCOME_UNKNOWN}; run again", UNCERTAIN, action).result()
            for domain, action in self.unconfirmed.items()
        ]
        for name in LISTS:
            values[name] = by_domain(values[name])
        values["changed"] = bool(values.get("changed") or self.unconfirmed or not is_certain)
        rest = f". {self.remaining} changes are left" if self.remaining else ""
        rest += f". Result: {summary(values)}. Run again to finish the rest."
        values["msg"] = shortened(reason, MAX_MESSAGE_LENGTH - len(rest)) + rest
        return values


def _text(warning: t.Any) -> str:
    """Return the text of a warning, which is an object of its own since ansible-core 2.19."""
    if isinstance(warning, dict):
        return warning["event"]["msg"]
    return warning if isinstance(warning, str) else warning.event.msg


def _name_host(values: Values, host: str) -> None:
    """Name the host in the warnings and the diff of a result, for plays with several hosts."""
    if "warnings" in values:
        values["warnings"] = [f"{host}: {warning}" for warning in values["warnings"]]
    for item in values.get("diff", ()):
        for header in ("before_header", "after_header"):
            if header in item:
                item[header] += f" on {host}"


def _outlook(report: Values) -> str:
    """Return what a run waits for, and when it will be done, as far as that is known."""
    parts = []
    if report["reason"] == RATE_LIMIT:
        parts.append(f"waiting for {RATE_LIMIT} until {_clock(report['wait'])}")
    elif report["reason"]:
        parts.append(report["reason"])
    if report["estimate"] >= MIN_ESTIMATE:
        parts.append(f"done at about {_clock(report['estimate'])}")
    return "".join(f", {part}" for part in parts)


def _clock(seconds: float) -> str:
    """Return the time of day in so many seconds."""
    return time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
