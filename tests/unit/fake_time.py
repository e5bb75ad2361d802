# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time that passes when a test says so, and workers that take turns, so that runs can be repeated."""

from __future__ import annotations

import contextlib
import functools
import threading
from concurrent.futures import Executor, Future
from unittest import mock

from ansible_collections.cloudflare_email.security.plugins.module_utils import (
    _options,
    _run_list,
    _sender_search,
    _workers,
)

SECONDS_PER_STEP = 1


class FakeTime:
    """Time that only passes during sleeps; `sleeps` has the seconds of each."""

    def __init__(self):
        self.now = 0.0
        self.sleeps = []

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.now += seconds

    def clock(self):
        return self.now


class Turns:
    """Gives turns to the workers of a run. A turn ends before each step, and when a worker sleeps."""

    def __init__(self, dice):
        self._dice = dice
        self._changed = threading.Condition()
        self._waiting = []

    def end(self):
        """End the turn of the worker that calls this, and wait for its next one."""
        if threading.current_thread() is threading.main_thread():
            return
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            self._changed.notify_all()
            self._changed.wait_for(lambda: turn not in self._waiting)

    def give(self, workers):
        """Give turns until all workers are done; stands in for `concurrent.futures.wait`."""
        for worker in workers:
            worker.add_done_callback(self._notify)
        with self._changed:
            while True:
                self._changed.wait_for(
                    lambda: len(self._waiting) == sum(not worker.done() for worker in workers)
                )
                if not self._waiting:
                    return
                del self._waiting[self._dice.randrange(len(self._waiting))]
                self._changed.notify_all()

    def _notify(self, worker):
        with self._changed:
            self._changed.notify_all()


class OneAfterTheOther(Executor):
    """Does what is submitted at once; stands in for a pool whose tasks do not depend on each other."""

    def __init__(self, _max_workers):
        pass

    def submit(self, do, *args):
        done = Future()
        try:
            done.set_result(do(*args))
        except Exception as error:
            done.set_exception(error)
        return done


@contextlib.contextmanager
def repeatable(dice):
    """Make what runs in this context depend on the dice only; each step takes a second."""
    fake_time, turns = FakeTime(), Turns(dice)

    def sleep(seconds):
        fake_time.sleep(seconds)
        turns.end()

    def begin_step():
        fake_time.now += SECONDS_PER_STEP
        turns.end()
        return False

    client = functools.partial(_options.CloudflareClient, sleep=sleep, clock=fake_time.clock)
    retry = functools.partial(_options.RetryPolicy, jitter=dice.random)
    with contextlib.ExitStack() as stack:
        for module, name, value in (
            (_options, "CloudflareClient", client),
            (_options, "RetryPolicy", retry),
            (_run_list, "output_is_closed", begin_step),
            (_workers, "wait", turns.give),
            (_sender_search, "ThreadPoolExecutor", OneAfterTheOther),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        yield
