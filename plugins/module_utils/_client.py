# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP client for the Cloudflare API: sends, paces, retries, and reads lists page by page.

It is independent of the resource; the six calls are in `_restrictions_api`.
"""

from __future__ import annotations

import functools
import threading
import time
import typing as t
from urllib.parse import urlsplit

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
    RetryLater,
    call_name,
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
    from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
        Credentials,
    )

USER_AGENT = "ansible-cloudflare_email.security"

MIN_WAIT_TO_REPORT = 5.0
MAX_DETAIL_LENGTH = 350
MAX_LIST_READS = 3


def any_result(result: t.Any) -> t.Any:
    """Return a result as it is, for calls whose result does not matter."""
    return result


class CloudflareClient:
    """Sends calls to the Cloudflare API, from any number of threads, over kept-alive connections.

    `RateLimit` paces the calls and `RetryPolicy` limits the retries. A call is retried if

    - it never reached the API (refused connection, DNS, proxy, time-out while connecting);
    - the rate limit refused it (429), after the time that the response names, or else so that the
      retries last as long as Cloudflare's window;
    - it got a 403 without an error code, which is reported to be transient;
    - its outcome is unknown (time-out, lost connection, 5xx, a response that is not Cloudflare's
      envelope) and the caller says that the call is `idempotent`.

    Redirects are not followed, so that no credential reaches another host.

    Arguments:
        base_url: for instance `https://api.cloudflare.com/client/v4`.
        timeout: seconds to wait for a connection, and for each part of a response.
        verify: whether to check certificates, or the path of a CA bundle to check them with.
        reserve: the share of the rate limit that is kept free for others, from 0 to below 1.
        connections: how many threads use the client at most.
        sleep, clock: replace waiting and `time.monotonic` in tests.

    Attributes:
        calls: how many requests were sent.
        max_wait: seconds that a call waits for the rate limit; `RateLimitWait` is raised if it
            takes longer.
        retry_until: the time on `clock` after which no call is retried; `RetryLater` is raised
            instead.
        attempts_before: how many times earlier processes have tried the first call.
        refusals_before: how many calls in a row the rate limit refused in earlier processes.
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
        sleep: t.Callable[[float], None] | None = None,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self.retry = retry or RetryPolicy(5)
        self.calls = 0
        self.max_wait = NO_LIMIT
        self.retry_until = NO_LIMIT
        self.attempts_before = 0
        self.refusals_before = 0
        self._stopped = threading.Event()
        self._sleep = sleep or self._stopped.wait
        self.clock = clock
        self.rate_limit = RateLimit(reserve, _interruptible(self._sleep, self._stopped), clock)
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

    def request(
        self,
        method: str,
        path: str,
        params: dict[str, t.Any] | None = None,
        body: dict[str, t.Any] | None = None,
        parse: t.Callable[[t.Any], t.Any] = any_result,
        permission: str = "",
        idempotent: bool = True,
        max_wait: float | None = None,
    ) -> Response:
        """Send one call, retry it as the class says, and return its response.

        Arguments:
            path: below the base URL, its parts already safe for a URL.
            parse: turns `result` into what is returned; raises `ValueError` if the result does not
                belong to this call.
            permission: the permission group that the call needs, for messages.
            idempotent: whether sending it twice has the same effect as sending it once.
            max_wait: seconds to wait for the rate limit, instead of the attribute.

        Raises:
            CloudflareError: it failed.
            RateLimitWait: the rate limit delays it for more than `max_wait` seconds.
            RetryLater: it failed transiently, and `retry_until` is over.
        """
        outcome_unknown = False
        refusals, failures = 0, self.attempts_before
        while True:
            try:
                self.rate_limit.acquire(self.max_wait if max_wait is None else max_wait)
                response = self._send(method, path, params, body, parse, permission)
                if method != "GET":
                    # Not after a read: that may succeed in every process while all writes fail.
                    self.refusals_before = 0
                self._is_refused = False
                return response
            except RateLimitWait as wait:
                wait.attempts, wait.outcome_unknown = failures, outcome_unknown
                raise
            except CloudflareError as error:
                is_refused = self._is_refused = error.kind == RATE_LIMITED
                attempt = self.refusals_before + refusals if is_refused else failures
                outcome_unknown = method != "GET" and (outcome_unknown or error.outcome_unknown)
                error.outcome_unknown = outcome_unknown
                if not self.retry.allows(error, attempt) or (outcome_unknown and not idempotent):
                    raise
                self._prepare_retry(error, attempt)
                refusals, failures = refusals + is_refused, failures + (not is_refused)

    def list_all(
        self, path: str, params: dict[str, t.Any], per_page: int, permission: str = ""
    ) -> list[dict[str, t.Any]]:
        """Return all records of a list, each once, in the order of the API.

        A list that changes while its pages are read may miss a record that moves from one page to
        another, so it is read again. After the first page, all others wait for the rate limit, so
        that a long list is read to its end.

        Raises:
            CloudflareError: a page could not be read, or what was read may be only a part of the
                list.
            RateLimitWait, RetryLater: as `request` does.
        """
        problems = set()
        for _read in range(MAX_LIST_READS):
            try:
                return self._read_pages(path, params, per_page, permission)
            except InconsistentList as error:
                problems.add(str(error))
        if len(problems) > 1:
            problem = f"the list kept changing while it was read ({MAX_LIST_READS} attempts)"
            advice = "run again when nothing else is changing the account"
        else:
            problem = f"Cloudflare's list may be incomplete, because {problems.pop()}"
            advice = "run again later; if the error persists, report it to Cloudflare"
        raise CloudflareError(problem, advice, UNAVAILABLE, call_name("GET", path))

    def back_off(self, attempt: int, error: CloudflareError) -> None:
        """Wait before the call that follows a failed `attempt` (from 0)."""
        if error.retry_after is None or not error.is_transient:
            self._sleep(self.retry.backoff(attempt))
        else:
            self.rate_limit.block(max(self.retry.backoff(attempt), error.retry_after))

    def stop(self) -> None:
        """Start no further calls; those that are waiting fail as interrupted."""
        self._stopped.set()

    @property
    def refusals(self) -> int:
        """How many calls in a row the rate limit refused, including earlier processes."""
        return self.refusals_before + self._is_refused

    def warnings(self) -> list[str]:
        """Return the warnings for the user: Cloudflare's messages, and a long wait."""
        warnings = [f"Cloudflare: {message}" for message in self._messages]
        if self.rate_limit.waited >= MIN_WAIT_TO_REPORT:
            warnings.append(
                f"waited {self.rate_limit.waited:.0f} seconds for Cloudflare's rate limit"
            )
        return warnings

    def _prepare_retry(self, error: CloudflareError, attempt: int) -> None:
        """Wait for the next attempt, or leave it to a later process."""
        if error.kind != RATE_LIMITED:
            seconds = self.retry.backoff(attempt)
            if self.clock() + seconds > self.retry_until:
                raise RetryLater(error, attempt + 1, seconds)
        self.back_off(attempt, error)

    def _read_pages(
        self, path: str, params: dict[str, t.Any], per_page: int, permission: str
    ) -> list[dict[str, t.Any]]:
        """Return the records of all pages; raises `InconsistentList` if it may not be all."""
        pages = Pages(per_page)
        while not pages.is_complete:
            response = self.request(
                "GET",
                path,
                {**params, "page": pages.count + 1, "per_page": pages.per_page},
                parse=functools.partial(_records, is_past_the_end=pages.has_all),
                permission=permission,
                max_wait=NO_LIMIT if pages.count else self.max_wait,
            )
            pages.add(response.result, response.result_info)
        return list(pages.records.values())

    def _send(
        self,
        method: str,
        path: str,
        params: dict[str, t.Any] | None,
        body: dict[str, t.Any] | None,
        parse: t.Callable[[t.Any], t.Any],
        permission: str,
    ) -> Response:
        """Send one request; the caller has called `acquire`."""
        call = call_name(method, path)
        block = 0.0
        try:
            if self._stopped.is_set():
                raise interrupted()
            with self._lock:
                self.calls += 1
            try:
                response = self._session.request(
                    method,
                    self._base_url + path,
                    params=params,
                    json=body,
                    auth=self._auth,
                    timeout=self._timeout,
                    verify=self._verify,
                    allow_redirects=False,
                )
            except Exception as error:
                host = urlsplit(self._base_url).netloc
                raise lost_call(call, host, self._timeout, error) from None
            self.rate_limit.observe(response.headers)
            interpreted = interpret(call, response, parse, self._auth.description, permission)
        except CloudflareError as error:
            if error.kind == RATE_LIMITED:
                block = self._seconds_to_block(error)
            raise self._redacted(error) from None
        finally:
            self.rate_limit.release(block)
        self._keep_messages(interpreted.messages)
        return interpreted

    def _seconds_to_block(self, error: CloudflareError) -> float:
        """Return how long a 429 stops all workers; if it names no wait, set a default."""
        if error.retry_after is None and not self.rate_limit.is_blocked():
            error.retry_after = DEFAULT_WINDOW / max(1, self.retry.retries)
        return (error.retry_after or 0.0) if error.is_transient else 0.0

    def _redacted(self, error: CloudflareError) -> CloudflareError:
        error.problem = self._auth.redact(error.problem)
        error.advice = self._auth.redact(error.advice)
        # Not shortened before, so that no part of a secret is left.
        error.detail = shortened(self._auth.redact(error.detail), MAX_DETAIL_LENGTH)
        return error

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
