# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workers that carry out the steps of a plan side by side, and when they stop."""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait

from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    NoBatchCall,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import (
    MAX_CONSECUTIVE_FAILURES,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._step import (
    Done,
    Left,
    Step,
    StepResult,
    carry_out,
    single_changes,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
        RestrictionsApi,
    )


class WorkerPool:
    """Workers that take steps from one queue, and stop together.

    Each returns the results of its steps. They only share what decides whether another step may
    begin. The main thread could not decide that in time, and an interrupt might hit it meanwhile.

    Arguments:
        ends_at: the time on the clock of the client after which no further step begins.
        consecutive_failures: the failures in a row so far that are not specific to one change.
        is_cancelled: whether Ansible stopped waiting for the result.

    Attributes:
        left: the steps that were not carried out.
        stop_reason: why the others are not attempted; empty if a later time slice may do so.
        wait: seconds for which the rate limit delays what is left.
        consecutive_failures: the last failures in a row that are not specific to one change.
    """

    def __init__(
        self,
        api: RestrictionsApi,
        concurrency: int,
        ends_at: float,
        consecutive_failures: int,
        is_cancelled: t.Callable[[], bool],
    ) -> None:
        self.left: list[Step] = []
        self.stop_reason = ""
        self.wait = 0.0
        self.consecutive_failures = consecutive_failures
        self._is_over = False
        self._api = api
        self._concurrency = concurrency
        self._ends_at = ends_at
        self._is_cancelled = is_cancelled
        self._lock = threading.Lock()
        self._queue: deque[Step] = deque()

    @property
    def _is_stopped(self) -> bool:
        return bool(self.stop_reason or self.wait)

    def work_off(self, steps: t.Sequence[Step]) -> list[StepResult]:
        """Carry out the steps; `left` gets those for which the workers have no time.

        Nothing begins if earlier steps are left.
        """
        self._queue = deque(steps)
        results: list[StepResult] = []
        if steps and not (self.left or self._is_over or self._is_stopped):
            # Always in threads: an interrupt of the main thread must not cut a call off.
            with ThreadPoolExecutor(self._concurrency) as pool:
                workers = [pool.submit(self._work) for _number in range(self._concurrency)]
                try:
                    wait(workers)
                except KeyboardInterrupt:
                    self._stop("because the run was interrupted")
            results = [result for worker in workers for result in worker.result()]
        self.left += self._queue
        return results

    def _work(self) -> list[StepResult]:
        results: list[StepResult] = []
        while not self._is_stopped:
            if self._is_cancelled():
                self._stop("because Ansible stopped waiting for the result")
                break
            try:
                step = self._queue.popleft()
            except IndexError:
                break
            try:
                result = carry_out(step, self._api)
            except NoBatchCall:
                self._queue.extend(single_changes(step))
                continue
            results.append(result)
            with self._lock:
                self._decide_after(result)
            # Checked last, so that every time slice makes progress.
            if self._api.client.clock() >= self._ends_at:
                self._is_over = True
                break
        return results

    def _decide_after(self, result: StepResult) -> None:
        """Decide whether further steps may begin."""
        if isinstance(result, Done):
            self.consecutive_failures = 0
            return
        self.wait = max(self.wait, result.wait)
        if isinstance(result, Left):
            self._queue.append(result.step)
        elif result.traceback:
            self._stop("after an unexpected error")
        elif result.is_specific:
            self.consecutive_failures = 0
        else:
            self.consecutive_failures += 1
            if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                why = f"after {MAX_CONSECUTIVE_FAILURES} consecutive failures"
                self.stop_reason = self.stop_reason or f"not attempted {why}; run again"

    def _stop(self, why: str) -> None:
        self.stop_reason = self.stop_reason or f"not attempted {why}; run again"
        self._api.client.stop()
