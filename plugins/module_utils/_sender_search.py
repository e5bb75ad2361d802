# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches for the senders of many domains side by side."""

from __future__ import annotations

import threading
import typing as t
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    MAX_PER_PAGE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import (
    MAX_CONSECUTIVE_FAILURES,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import (
    Sender,
    SenderCounter,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
        MessageSearch,
    )

# Give up after this many consecutive failures that are not specific to one domain.
NOT_SEARCHED = "not searched because other searches failed; run again"


@dataclass(frozen=True)
class DomainSenders:
    """Who sent as a domain or a name below it.

    Attributes:
        is_complete: whether everything that the search found was counted. If not, there may be
            more messages, and more names.
        without_sender: as `SenderCounter` counts them.
        problem: why the search failed, so that the senders are unknown, apart from those listed.
    """

    domain: str
    senders: list[Sender]
    is_complete: bool = True
    without_sender: int = 0
    problem: str = ""


def search_senders(
    search: MessageSearch,
    names: t.Mapping[str, t.Sequence[str]],
    max_messages: int,
    concurrency: int = 1,
) -> list[DomainSenders]:
    """Return the senders of each domain, in the order of `names`.

    Arguments:
        names: for each domain, the names below it that are searched for as well, if the search for
            the domain finds nothing from them.
        max_messages: how many messages each search counts at most.

    Raises:
        CloudflareError: the credentials were not accepted, or no search succeeded.
    """
    return _Searches(search, names, max_messages).run(concurrency)


class _Searches:
    """The searches for all domains; several workers take them from one queue."""

    def __init__(
        self, search: MessageSearch, names: t.Mapping[str, t.Sequence[str]], max_messages: int
    ) -> None:
        self._search = search
        self._names = names
        self._max_messages = max_messages
        self._queue = deque(names)
        self._lock = threading.Lock()
        self._results: dict[str, DomainSenders] = {}
        self._error: CloudflareError | None = None
        self._has_success = False
        self._consecutive_failures = 0
        self._is_stopped = False

    def run(self, concurrency: int) -> list[DomainSenders]:
        with ThreadPoolExecutor(concurrency) as pool:
            workers = [pool.submit(self._work) for _number in range(concurrency)]
            try:
                wait(workers)
            except KeyboardInterrupt:
                self._is_stopped = True
                self._search.client.stop()
                raise
        for worker in workers:
            worker.result()
        if self._error and (self._error.kind == CREDENTIALS or not self._has_success):
            raise self._error
        return [
            self._results.get(domain, DomainSenders(domain, [], False, problem=NOT_SEARCHED))
            for domain in self._names
        ]

    def _work(self) -> None:
        while not self._is_stopped:
            try:
                domain = self._queue.popleft()
            except IndexError:
                return
            self._search_for(domain)

    def _search_for(self, domain: str) -> None:
        counter = SenderCounter(domain)
        is_complete, problem = True, ""
        try:
            is_complete = self._count(counter, domain)
            for name in self._names[domain]:
                if name not in counter:
                    is_complete = self._count(counter, name) and is_complete
            self._note(None)
        except CloudflareError as error:
            is_complete, problem = False, str(error)
            self._note(error)
        self._results[domain] = DomainSenders(
            domain, counter.senders, is_complete, counter.without_sender, problem
        )

    def _count(self, counter: SenderCounter, sender: str) -> bool:
        """Count the messages that a search finds; returns whether these are all."""
        left = self._max_messages
        for page in self._search.pages(sender, min(left, MAX_PER_PAGE)):
            counter.add(page.messages[:left])
            left -= len(page.messages)
            if left < 0 or (left == 0 and page.has_more):
                return False
        return True

    def _note(self, error: CloudflareError | None) -> None:
        """Decide after a search whether there may be more of them."""
        with self._lock:
            if error is None:
                self._has_success = True
                self._consecutive_failures = 0
                return
            self._consecutive_failures += not error.is_specific
            is_denied = error.kind == CREDENTIALS
            self._error = error if is_denied else self._error or error
            if is_denied or self._consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                self._is_stopped = True
