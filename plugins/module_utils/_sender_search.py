# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches for the senders of many domains side by side."""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
    MAX_PER_PAGE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import NO_LIMIT
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import (
    MAX_CONSECUTIVE_FAILURES,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import (
    Sender,
    SenderCounter,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
    Progress,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._message_search import (
        MessageSearch,
    )

MAX_MESSAGES = 10_000

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

    @classmethod
    def from_dict(cls, values: t.Mapping[str, t.Any]) -> DomainSenders:
        """Return what `as_dict` returned."""
        return cls(**{**values, "senders": [Sender(**sender) for sender in values["senders"]]})

    def as_dict(self) -> dict[str, t.Any]:
        """Return it in a form that JSON can represent."""
        return {**vars(self), "senders": [sender.as_dict() for sender in self.senders]}


@dataclass
class SearchOutcome:
    """What searches found.

    Attributes:
        found: who sent as each domain that was searched, by domain.
        left: the domains that there was no time to search.
        wait: seconds for which the rate limit delays what is left.
        error: why no search succeeded, in this time slice and earlier ones.
    """

    found: dict[str, DomainSenders]
    left: list[str] = field(default_factory=list)
    wait: float = 0.0
    error: CloudflareError | None = None


def search_senders(
    search: MessageSearch,
    names: t.Mapping[str, t.Sequence[str]],
    max_messages: int = MAX_MESSAGES,
    concurrency: int = 1,
    time_limit: float = NO_LIMIT,
    progress: Progress | None = None,
) -> SearchOutcome:
    """Search for the senders of each domain in `names`.

    Arguments:
        names: for each domain, the names below it that are searched for as well, if the search for
            the domain finds nothing from them.
        max_messages: how many messages each search counts at most.
        time_limit: seconds on the clock of the client, after which no further domain is searched.
        progress: what earlier time slices found, which is not searched for again. It is updated.
    """
    progress = progress or Progress()
    known = {
        domain: DomainSenders.from_dict(progress.senders[domain])
        for domain in names
        if domain in progress.senders
    }
    left = {domain: below for domain, below in names.items() if domain not in known}
    searches = _Searches(search, left, max_messages, time_limit, progress.search_failures)
    outcome = searches.run(concurrency)
    progress.search_failures = searches.consecutive_failures
    progress.is_stalled = bool(outcome.wait) and not outcome.found
    found = {**known, **outcome.found}
    progress.senders = {domain: senders.as_dict() for domain, senders in found.items()}
    has_success = any(not senders.problem for senders in found.values())
    is_hopeless = not (outcome.left or has_success)
    return replace(outcome, found=found, error=outcome.error if is_hopeless else None)


class _Searches:
    """The searches for all domains, and when they stop."""

    def __init__(
        self,
        search: MessageSearch,
        names: t.Mapping[str, t.Sequence[str]],
        max_messages: int,
        time_limit: float,
        consecutive_failures: int,
    ) -> None:
        self._search = search
        self._names = names
        self._max_messages = max_messages
        self._ends_at = search.client.clock() + time_limit
        self._lock = threading.Lock()
        self._error: CloudflareError | None = None
        self.consecutive_failures = consecutive_failures
        self._wait = 0.0
        # Why no further domain is searched, now or at all.
        self._is_over = False
        self._problem = ""

    def run(self, concurrency: int) -> SearchOutcome:
        with ThreadPoolExecutor(concurrency) as pool:
            searches = [pool.submit(self._search_if_possible, domain) for domain in self._names]
            try:
                wait(searches)
            except KeyboardInterrupt:
                self._is_over = True
                self._search.client.stop()
                raise
        results = {domain: search.result() for domain, search in zip(self._names, searches)}
        return SearchOutcome(
            {domain: senders for domain, senders in results.items() if senders},
            [domain for domain, senders in results.items() if not senders],
            self._wait,
            self._error,
        )

    def _search_if_possible(self, domain: str) -> DomainSenders | None:
        """Return the senders of a domain; `None` if there is no time for the search."""
        if self._problem:
            return DomainSenders(domain, [], False, problem=self._problem)
        if self._is_over:
            return None
        try:
            return self._search_for(domain)
        except RateLimitWait as delay:
            with self._lock:
                self._wait = max(self._wait, delay.seconds)
            self._is_over = True
            return None
        finally:
            # Checked last, so that every time slice makes progress.
            if self._search.client.clock() >= self._ends_at:
                self._is_over = True

    def _search_for(self, domain: str) -> DomainSenders:
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
        return DomainSenders(domain, counter.senders, is_complete, counter.without_sender, problem)

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
                self.consecutive_failures = 0
                return
            self.consecutive_failures += not error.is_specific
            if error.kind == CREDENTIALS:
                self._error, self._problem = error, str(error)
                return
            self._error = self._error or error
            if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES:
                self._problem = self._problem or NOT_SEARCHED
