# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP client for the Cloudflare API: sends, paces, retries, and reads lists page by page.

It knows nothing of what the calls are about; that is in `_restrictions_api`.
"""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
    RetryLater,
    interrupted,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    RATE_LIMITED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import shortened
from ansible_collections.cloudflare_email.security.plugins.module_utils._libraries import requests
from ansible_collections.cloudflare_email.security.plugins.module_utils._lost_call import (
    lost_call,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._pages import (
    InconsistentList,
    Pages,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    DEFAULT_WINDOW,
    NO_LIMIT,
    RateLimit,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._response import (
    Response,
    interpret,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import RetryPolicy

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call
    from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
        Credentials,
    )

USER_AGENT = "ansible-cloudflare_email.security"

MIN_WAIT_TO_REPORT = 5.0
MAX_DETAIL_LENGTH = 350
MAX_LIST_READS = 3


@dataclass(frozen=True)
class Limits:
    """How long a client may wait, and what earlier clients of the same run went through.

    Attributes:
        max_wait: seconds that a call waits for the rate limit; `RateLimitWait` is raised if it
            takes longer.
        blocked_for: seconds from the start in which no call is sent.
        refusals: how many calls in a row the rate limit refused.
        read_seconds: seconds from the start after which the first list is not retried;
            `RetryLater` is raised instead.
        read_attempts: how many times in a row reading the first list failed.
    """

    max_wait: float = NO_LIMIT
    blocked_for: float = 0.0
    refusals: int = 0
    read_seconds: float = NO_LIMIT
    read_attempts: int = 0


class CloudflareClient:
    """Sends calls to the Cloudflare API, from any number of threads, over kept-alive connections.

    `RateLimit` paces the calls and `RetryPolicy` limits the retries. A call is retried if

    - it never reached the API (refused connection, DNS, proxy, timeout while connecting);
    - the rate limit refused it (429), after the time that the response names, or else so that the
      retries last as long as Cloudflare's window;
    - it got a 403 without an error code, which is reported to be transient;
    - its outcome is unknown (timeout, lost connection, 5xx, a response that is not Cloudflare's
      envelope) and the caller says that the call is `idempotent`.

    Redirects are not followed, so that no credential reaches another host.

    Arguments:
        base_url: for instance `https://api.cloudflare.com/client/v4`.
        timeout: seconds to wait for a connection, and for each part of a response.
        verify: whether to check certificates, or the path of a CA bundle to check them with.
        reserve: the share of the rate limit that is kept free for others, from 0 to below 1.
        connections: how many threads use the client at most.
        limits: what holds for this time slice.
        sleep, clock: replace waiting and `time.monotonic` in tests.

    Attributes:
        calls: how many requests were sent.
    """

    def __init__(
        self,
        base_url: str,
        auth: Credentials,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        verify: bool | str = True,
        reserve: float = 0.1,
        connections: int = 1,
        limits: Limits | None = None,
        sleep: t.Callable[[float], None] | None = None,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self.retry = retry or RetryPolicy(5)
        self.calls = 0
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self.clock = clock
        self.rate_limit = RateLimit(reserve, _interruptible(self._sleep, self._stopped), clock)
        self._limits = limits or Limits()
        self.rate_limit.block(self._limits.blocked_for)
        self._read_until = clock() + self._limits.read_seconds
        self._refusals_before = self._limits.refusals
        self._is_refused = False
        self._messages: list[str] = []
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._timeout = timeout
        self._verify = verify
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        # Redirects are not followed, so a malformed Location must not matter either.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._session.mount(self._base_url, adapter)
        # Plain HTTP is for loopback only, so no proxy may see it.
        self._session.trust_env = not self._base_url.lower().startswith("http://")

    def request(self, call: Call) -> Response:
        """Send one call, retry it as the class says, and return its response.

        Raises:
            CloudflareError: it failed.
            RateLimitWait: the rate limit delays it for more than `max_wait` seconds.
        """
        return self._request(call, self._limits.max_wait)

    def list_all(self, call: Call, per_page: int, is_first: bool = False) -> list[dict[str, t.Any]]:
        """Return all records of a list, each once, in the order of the API.

        A list that changes while its pages are read may miss a record that moves from one page to
        another, so it is read again. After the first page, all others wait for the rate limit, so
        that a long list is read to its end.

        Arguments:
            is_first: whether it is the first list of a time slice, for which `read_seconds` and
                `read_attempts` hold.

        Raises:
            CloudflareError: a page could not be read, or what was read may be only a part of the
                list.
            RateLimitWait: as `request` does.
            RetryLater: the first list failed transiently, and `read_seconds` are over.
        """
        problems = set()
        for _read in range(MAX_LIST_READS):
            try:
                return self._read_pages(call, per_page, is_first)
            except InconsistentList as error:
                problems.add(str(error))
        if len(problems) > 1:
            problem = f"the list kept changing while it was read ({MAX_LIST_READS} attempts)"
            advice = "run again when nothing else is changing the account"
        else:
            problem = f"Cloudflare's list may be incomplete, because {problems.pop()}"
            advice = "run again later; if the error persists, report it to Cloudflare"
        raise CloudflareError(problem, advice, UNAVAILABLE, call.name)

    def back_off(self, attempt: int, error: CloudflareError) -> None:
        """Wait before the call that follows a failed `attempt` (from 0)."""
        if error.retry_after is None or not error.is_transient:
            self.wait(attempt)
        else:
            self.rate_limit.block(max(self.retry.backoff(attempt), error.retry_after))

    def wait(self, attempt: int) -> None:
        """Wait before the poll that follows `attempt` (from 0)."""
        self._sleep(self.retry.backoff(attempt))

    def poll(self, call: Call, location: str) -> Call:
        """Return the call that asks for the result of a pending one, at its `location`.

        Raises:
            CloudflareError: that is not below the base URL, and must not get the credentials.
        """
        base = urlsplit(self._base_url)
        try:
            place = urlsplit(urljoin(self._base_url + call.path, location))
        except ValueError:
            place = urlsplit("")
        is_same_host = (place.scheme, place.netloc.lower()) == (base.scheme, base.netloc.lower())
        path = place.path[len(base.path) :]
        if not (is_same_host and place.path.startswith(f"{base.path}/accounts/")) or ".." in path:
            raise CloudflareError(
                "Cloudflare's result is at an address outside the API, which is not followed, to"
                " protect the credentials",
                "check api_url",
                UNAVAILABLE,
                call.name,
            )
        query = f"?{place.query}" if place.query else ""
        began_at = call.polled_path or call.path
        return replace(call, path=path + query, params=None, polled_path=began_at)

    def stop(self) -> None:
        """Start no further calls; those that are waiting fail as interrupted."""
        self._stopped.set()

    @property
    def refusals(self) -> int:
        """How many calls in a row the rate limit refused, including earlier processes."""
        return self._refusals_before + self._is_refused

    def warnings(self) -> list[str]:
        """Return the warnings for the user: Cloudflare's messages, and a long wait."""
        warnings = [f"Cloudflare: {message}" for message in self._messages]
        if self.rate_limit.waited >= MIN_WAIT_TO_REPORT:
            warnings.append(
                f"waited {self.rate_limit.waited:.0f} seconds for Cloudflare's rate limit"
            )
        return warnings

    def _request(
        self,
        call: Call,
        max_wait: float,
        attempts_before: int = 0,
        retry_until: float = NO_LIMIT,
    ) -> Response:
        outcome_unknown = False
        refusals, failures = 0, attempts_before
        while True:
            try:
                self.rate_limit.acquire(max_wait)
                response = self._send(call)
                if call.is_write:
                    # Not after a read: that may succeed in every process while all writes fail.
                    self._refusals_before = 0
                self._is_refused = False
                return response
            except RateLimitWait as wait:
                raise replace(wait, attempts=failures, outcome_unknown=outcome_unknown) from None
            except CloudflareError as error:
                is_refused = self._is_refused = error.kind == RATE_LIMITED
                attempt = self._refusals_before + refusals if is_refused else failures
                outcome_unknown = call.is_write and (outcome_unknown or error.outcome_unknown)
                if not self.retry.allows(error, attempt, call.idempotent):
                    # A variable for it would create a reference cycle.
                    raise replace(error, outcome_unknown=outcome_unknown) from None
                self._prepare_retry(error, attempt, retry_until)
                refusals, failures = refusals + is_refused, failures + (not is_refused)

    def _prepare_retry(self, error: CloudflareError, attempt: int, retry_until: float) -> None:
        """Wait for the next attempt, or leave it to a later process."""
        if error.kind != RATE_LIMITED:
            seconds = self.retry.backoff(attempt)
            if self.clock() + seconds > retry_until:
                raise RetryLater(error, attempt + 1, seconds)
        self.back_off(attempt, error)

    def _read_pages(self, call: Call, per_page: int, is_first: bool) -> list[dict[str, t.Any]]:
        """Return the records of all pages; raises `InconsistentList` if it may not be all."""
        pages = Pages(per_page)
        attempts_before = self._limits.read_attempts if is_first else 0
        retry_until = self._read_until if is_first else NO_LIMIT
        while not pages.is_complete:
            page = replace(
                call,
                params={**(call.params or {}), "page": pages.count + 1, "per_page": pages.per_page},
                parse=functools.partial(_records, is_past_the_end=pages.has_all),
            )
            max_wait = NO_LIMIT if pages.count else self._limits.max_wait
            response = self._request(page, max_wait, attempts_before, retry_until)
            pages.add(response.result, response.result_info)
        return list(pages.records.values())

    def _send(self, call: Call) -> Response:
        """Send one request; the caller has called `acquire`."""
        block = 0.0
        try:
            if self._stopped.is_set():
                raise interrupted()
            with self._lock:
                self.calls += 1
            try:
                response = self._session.request(
                    call.method,
                    self._base_url + call.path,
                    params=call.params,
                    json=call.body,
                    auth=self._auth,
                    timeout=self._timeout,
                    verify=self._verify,
                    allow_redirects=False,
                )
            except Exception as error:
                host = urlsplit(self._base_url).netloc
                raise lost_call(call.name, host, self._timeout, error) from None
            self.rate_limit.observe(response.headers)
            interpreted = interpret(call, response, self._auth.description)
        except CloudflareError as error:
            wait = self._wait_after(error)
            if error.is_transient:
                block = wait or 0.0
            raise replace(self._redacted(error), retry_after=wait) from None
        finally:
            self.rate_limit.release(block)
        # A search is about other people's mail, and its messages may be, too.
        if not call.may_be_pending:
            self._keep_messages(interpreted.messages)
        return interpreted

    def _wait_after(self, error: CloudflareError) -> float | None:
        """Return the seconds before a retry; by default, if a 429 names none and no window does."""
        if error.kind != RATE_LIMITED or error.retry_after is not None:
            return error.retry_after
        if self.rate_limit.is_blocked():
            return None
        return DEFAULT_WINDOW / max(1, self.retry.retries)

    def _redacted(self, error: CloudflareError) -> CloudflareError:
        return replace(
            error,
            problem=self._auth.redact(error.problem),
            advice=self._auth.redact(error.advice),
            # Not shortened before, so that no part of a secret is left.
            detail=shortened(self._auth.redact(error.detail), MAX_DETAIL_LENGTH),
        )

    def _keep_messages(self, messages: list[str]) -> None:
        with self._lock:
            for message in map(self._auth.redact, messages):
                if message not in self._messages:
                    self._messages.append(message)


def _interruptible(
    sleep: t.Callable[[float], t.Any], stopped: threading.Event
) -> t.Callable[[float], None]:
    """Return a `sleep` that raises once the run stops; a method would create a reference cycle."""

    def interruptible_sleep(seconds: float) -> None:
        sleep(seconds)
        if stopped.is_set():
            raise interrupted()

    return interruptible_sleep


def _records(result: t.Any, is_past_the_end: bool) -> list[dict[str, t.Any]]:
    if result is None and is_past_the_end:
        return []
    if not isinstance(result, list):
        raise ValueError("not a list")
    if not all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in result):
        raise ValueError("a list that contains an entry without an ID")
    return result
