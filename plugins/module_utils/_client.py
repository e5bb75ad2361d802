# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One conversation with the Cloudflare API: authentication, pacing, retries and errors.

It knows nothing of mail; the six calls that do are in `_restrictions_api`.
"""

from __future__ import annotations

import base64
import email.utils
import http.client
import itertools
import random
import re
import ssl
import threading
import time
import traceback
import typing as t
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    FOR_EVER,
    LONGEST_WINDOW,
    RateLimit,
)

IMPORT_ERROR: ImportError | None = None  # for _arguments to report
try:
    import requests
    import urllib3
except ImportError as error:
    requests = urllib3 = None  # type: ignore[assignment]
    IMPORT_ERROR = error

USER_AGENT = "ansible-cloudflare_email.security"

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
WAIT_WORTH_A_NOTICE = 5.0
MOST_REPEATS_OF_A_BARE_403 = 2
MOST_READINGS_OF_A_LIST = 3
MOST_PAGES = 1000
# A shorter one, or what it looks like encoded, is found in ordinary words and numbers.
SHORTEST_SECRET = 16
# Over the limit, every call is refused for as long as this.
RATE_LIMIT_WINDOW = 300.0

WRONG_FORMAT = {6003, 6102, 6103, 6111}
NOT_ACCEPTED = {1000, 9103, 9106, 9109, 10000}
NO_ROUTE = {7000, 7003}
NOT_SUBSCRIBED = "not available in the current subscription"


class CloudflareError(Exception):
    """A call that did not end in a result; the message says what happened and what to do.

    Attributes:
        status: the HTTP status, `None` without an answer.
        outcome_unknown: the call, or an earlier try of it, may have taken effect all the same.
        not_found: Cloudflare itself said that it holds nothing of this id.
        passing: repeating the call later may well succeed.
        retry_after: seconds to wait before repeating it, when the answer told.
        most_repeats: after so many repeats it is not taken for passing any more.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        outcome_unknown: bool = False,
        not_found: bool = False,
        passing: bool = False,
        retry_after: float | None = None,
        most_repeats: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.outcome_unknown = outcome_unknown
        self.not_found = not_found
        self.passing = passing
        self.retry_after = retry_after
        self.most_repeats = most_repeats

    @property
    def is_general(self) -> bool:
        """Whether the reason lies in the credentials or the connection, not in this very call."""
        return self.status in (None, 401, 403, 429) or int(self.status or 0) >= 500


@dataclass(frozen=True)
class Answer:
    """A successful answer: `result` and `result_info` of Cloudflare's envelope.

    `result` is what the call's `read` made of it.
    """

    result: t.Any
    result_info: dict[str, t.Any]


def anything(result: t.Any) -> t.Any:
    """Read a result that does not matter."""
    return result


def secret_forms(secret: str) -> tuple[str, ...]:
    """Return how a secret may stand in a text: as it is, URL-encoded, and somewhere in base64."""
    if len(secret) < SHORTEST_SECRET or not secret.isascii():
        return (secret,)
    # What stands before it decides how its bits are spread over the letters.
    bits = 8 * len(secret)
    encoded = [
        base64.b64encode(b"\0" * before + secret.encode("ascii")).decode("ascii")[
            -(-8 * before // 6) : (8 * before + bits) // 6
        ]
        for before in range(3)
    ]
    return (secret, quote(secret, safe=""), *encoded)


class TokenAuth:
    """Authentication with an API token.

    It is handed to requests as an auth object, so that requests does not put an entry of
    `~/.netrc` in its place. `source` names where the token came from, for messages.
    """

    def __init__(self, token: str, source: str) -> None:
        self.description = f"the API token ({source})"
        self.secrets = secret_forms(token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.secrets[0]}"
        return request


class KeyAuth:
    """Authentication with an e-mail address and the global API key; see `TokenAuth`."""

    def __init__(self, email_address: str, key: str, source: str) -> None:
        self.description = f"the API key of {email_address} ({source})"
        self.secrets = secret_forms(key)
        self._email_address = email_address

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Auth-Email"] = self._email_address
        request.headers["X-Auth-Key"] = self.secrets[0]
        return request


class CloudflareClient:
    """Sends calls to the Cloudflare API, from any number of threads, over kept-alive connections.

    It paces itself by the rate limit, see `RateLimit`. What is repeated, at most `retries` times each:

    - a call that never reached the API (refused connection, DNS, proxy, time-out while connecting);
    - one that the rate limit refused (429), after the time that the answer names, else so that the
      repeats last as long as Cloudflare's window;
    - a 403 without an error code, which by report goes away, but only twice;
    - one whose outcome is unknown (time-out, dropped connection, 5xx, an answer that is not
      Cloudflare's envelope), if the caller says that it is `repeatable`.

    Between repeats it waits twice as long each time, at most 30 seconds, of which a random half is
    taken off. Redirects are not followed, so that no credential reaches another host.

    Arguments:
        base_url: for instance `https://api.cloudflare.com/client/v4`.
        timeout: seconds to wait for a connection, and for each part of an answer.
        retries: how often a call is repeated, at most.
        verify: whether to check certificates, or the path of a CA bundle to check them with.
        reserve: the share of the rate limit's quota that is left to others, from 0 to below 1.
        connections: how many threads use the client at most.
        sleep, clock, jitter: `time.sleep`, `time.monotonic` and a number in [0, 1); tests hand in
            their own.
    """

    def __init__(
        self,
        base_url: str,
        auth: TokenAuth | KeyAuth,
        timeout: float = 30.0,
        retries: int = 5,
        verify: bool | str = True,
        reserve: float = 0.1,
        connections: int = 1,
        sleep: t.Callable[[float], None] = time.sleep,
        clock: t.Callable[[], float] = time.monotonic,
        jitter: t.Callable[[], float] = random.random,
    ) -> None:
        self.retries = retries
        self.calls = 0
        # How often the rate limit refused a call since one succeeded, in the goes before this one.
        self.refused_before = 0
        self.is_refused = False
        self._messages: list[str] = []
        self.rate_limit = RateLimit(reserve, sleep, clock)
        self._base_url = base_url.rstrip("/")
        self._auth = auth
        self._timeout = timeout
        self._verify = verify
        self._sleep = sleep
        self._jitter = jitter
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = USER_AGENT
        # A redirect is not followed, so where it points to is of no interest, however odd.
        self._session.get_redirect_target = lambda resp: None  # type: ignore[method-assign]
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=connections, pool_block=True)
        self._session.mount(self._base_url, adapter)
        # Plain HTTP is for this very host, so that no proxy may see it either.
        self._session.trust_env = not self._base_url.lower().startswith("http://")

    def request(
        self,
        method: str,
        path: str,
        params: dict[str, t.Any] | None = None,
        body: dict[str, t.Any] | None = None,
        read: t.Callable[[t.Any], t.Any] = anything,
        permission: str = "",
        repeatable: bool = True,
        longest_wait: float = FOR_EVER,
    ) -> Answer:
        """Send one call, repeating it as the class says, and return its answer.

        Arguments:
            path: below the base URL, its parts already safe for a URL.
            read: turns `result` into what is returned; a `ValueError` of it says that this is no
                answer to the call.
            permission: the permission group that the call needs, for the message that misses it.
            repeatable: doing it twice does no more than doing it once.
            longest_wait: seconds to let the rate limit hold it.

        Raises:
            CloudflareError: it did not end in a result.
            Held: the rate limit would hold it for longer, and it has changed nothing so far.
        """
        outcome_unknown = False
        refusals = failures = 0
        while True:
            try:
                self.rate_limit.acquire(longest_wait)
                answer = self._send(method, path, params, body, read, permission)
                self.refused_before, self.is_refused = 0, False
                return answer
            except CloudflareError as error:
                self.is_refused = refused = error.status == 429
                attempt = self.refused_before + refusals if refused else failures
                outcome_unknown = method != "GET" and (outcome_unknown or error.outcome_unknown)
                error.outcome_unknown = outcome_unknown
                if not (self.may_repeat(error, attempt) and (repeatable or not outcome_unknown)):
                    raise
                if not refused:
                    # What it came to is known in this call only, so it is not put off any more.
                    longest_wait = FOR_EVER
                self.pause(attempt, error)
                refusals, failures = refusals + refused, failures + (not refused)

    def list_all(
        self,
        path: str,
        params: dict[str, t.Any],
        per_page: int,
        permission: str = "",
        longest_wait: float = FOR_EVER,
    ) -> list[dict[str, t.Any]]:
        """Read every page of a list; each record once, in the order of the API.

        A list that changed while its pages were read may lack a record that moved from one page to
        another, so it is read anew.

        Raises:
            CloudflareError: a page did not come, or the pages contradict each other in
                `MOST_READINGS_OF_A_LIST` readings.
            Held: the rate limit would hold the first page for more than `longest_wait` seconds.
                A reading that has begun waits, so that it ends.
        """
        params = {**params, "per_page": per_page}
        for _reading in range(MOST_READINGS_OF_A_LIST):
            records = self._read_pages(path, params, permission, longest_wait)
            if records is not None:
                return records
            longest_wait = FOR_EVER
        raise CloudflareError(
            f"GET {path}: the pages of the list contradicted each other in each of"
            f" {MOST_READINGS_OF_A_LIST} readings, so nothing is certain about what the account"
            " holds: run it again when nothing else changes the account"
        )

    def notices(self) -> list[str]:
        """Return what people are to know: Cloudflare's messages, and a long wait."""
        notices = [f"Cloudflare: {message}" for message in self._messages]
        if self.rate_limit.waited >= WAIT_WORTH_A_NOTICE:
            notices.append(
                f"Cloudflare's rate limit was waited for, {self.rate_limit.waited:.0f} seconds"
            )
        return notices

    def may_repeat(self, error: CloudflareError, attempt: int) -> bool:
        """Whether a call that ended so in `attempt` (from 0) is worth another one."""
        repeats = self.retries
        if error.most_repeats is not None:
            repeats = min(repeats, error.most_repeats)
        return error.passing and attempt < repeats

    def pause(self, attempt: int, error: CloudflareError) -> None:
        """Wait before the repeat that follows `attempt` (from 0); after a 429, hold all calls."""
        longest = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
        pause = longest * (1 - self._jitter() / 2)
        if error.retry_after is None or not error.passing:
            self._sleep(pause)
        else:
            self.rate_limit.block(max(pause, error.retry_after))

    def _read_pages(
        self, path: str, params: dict[str, t.Any], permission: str, longest_wait: float
    ) -> list[dict[str, t.Any]] | None:
        records: dict[str, dict[str, t.Any]] = {}
        total: int | None = None
        for page in itertools.count(1):
            answer = self.request(
                "GET",
                path,
                {**params, "page": page},
                read=_records,
                permission=permission,
                longest_wait=longest_wait,
            )
            longest_wait = FOR_EVER
            known = len(records)
            for record in answer.result:
                records.setdefault(record["id"], record)
            count = answer.result_info.get("total_count")
            if isinstance(count, int) and not isinstance(count, bool):
                if total not in (None, count):
                    return None
                total = count
            if not answer.result or (total is not None and len(records) >= total):
                break
            if len(records) == known or page == MOST_PAGES:
                return None
        if total not in (None, len(records)):
            return None
        return list(records.values())

    def _send(
        self,
        method: str,
        path: str,
        params: dict[str, t.Any] | None,
        body: dict[str, t.Any] | None,
        read: t.Callable[[t.Any], t.Any],
        permission: str,
    ) -> Answer:
        call = f"{method} {path}"
        with self._lock:
            self.calls += 1
        response = None
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
        # requests lets all kinds of errors of other libraries through.
        except Exception as error:
            raise self._no_answer(call, error) from None
        finally:
            self.rate_limit.release(None if response is None else response.headers)
        return self._read_answer(call, response, read, permission)

    def _no_answer(self, call: str, error: Exception) -> CloudflareError:
        host = urlsplit(self._base_url).netloc
        causes = _causes(error)
        cause = causes[-1]
        if _is_about_a_url(error):
            # Its text may hold the password of the proxy.
            return self._error(
                f"{call}: it could not be sent: api_url, or the proxy in the environment variables"
                " HTTPS_PROXY and ALL_PROXY, is not a URL that can be used"
            )
        # requests raises a bare OSError for a bundle that is not there.
        missing = isinstance(error, OSError) and "CA certificate bundle" in str(error)
        if missing or getattr(cause, "library", None) in ("X509", "PEM"):
            return self._error(
                f"{call}: it could not be sent: the file that ca_path or the environment variable"
                f" REQUESTS_CA_BUNDLE names cannot be used ({cause})"
            )
        for known in causes:
            if isinstance(
                known, (ssl.SSLCertVerificationError, urllib3.connection.CertificateError)
            ):
                reason = getattr(known, "verify_message", "") or known
                return self._error(
                    f"{call}: the certificate of {host} was not accepted ({reason}): if a proxy or a"
                    " private CA is in between, name its certificate in ca_path"
                )
        sent = not (_was_not_sent(error) or any(map(_is_from_handshake, causes)))
        if sent and isinstance(error, requests.exceptions.ReadTimeout):
            return self._error(
                f"{call}: no answer came from {host} within {self._timeout:g} seconds: try again"
                " later, or raise timeout",
                passing=True,
                outcome_unknown=True,
            )
        if not sent:
            return self._error(
                f"{call}: no connection to {host} ({cause}): check api_url, DNS, the network and the"
                " environment variables HTTPS_PROXY and NO_PROXY",
                passing=True,
            )
        known_texts = (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException)
        what = cause if isinstance(cause, known_texts) else cause.__class__.__name__
        return self._error(
            f"{call}: the connection to {host} broke off ({what}): try again later",
            passing=True,
            outcome_unknown=True,
        )

    def _read_answer(
        self,
        call: str,
        response: requests.Response,
        read: t.Callable[[t.Any], t.Any],
        permission: str,
    ) -> Answer:
        status = response.status_code
        if 300 <= status < 400:
            raise self._error(
                f"{call} was answered with a redirect ({status}), which is not followed, so that"
                " the credentials reach Cloudflare only: check api_url",
                status=status,
                outcome_unknown=True,
            )
        envelope = _envelope(response)
        content = _content(response, envelope)
        if envelope.get("success") is True and status < 300:
            try:
                result = read(envelope.get("result"))
            except ValueError as error:
                content = f"something unexpected: {error}"
            else:
                self._take_note_of_messages(envelope)
                return Answer(result, _dict(envelope.get("result_info")))
        errors = [entry for entry in _list(envelope.get("errors")) if isinstance(entry, dict)]
        codes = _codes(errors)
        refused = bool(errors) and (status >= 300 or envelope.get("success") is False)
        if refused:
            what = f"{call} was refused ({status}): {'; '.join(map(_describe, errors))}"
        else:
            what = f"{call} was answered with {status} and {content}"
        if status == 429:
            wait = _seconds_to_wait(response.headers)
            if wait is None and not self.rate_limit.holds():
                wait = RATE_LIMIT_WINDOW / max(1, self.retries)
            raise self._error(
                f"{call} was refused by Cloudflare's rate limit, which one user shares with all"
                " their tools and the dashboard: run it again later",
                status=status,
                passing=wait is None or wait <= LONGEST_WINDOW,
                retry_after=wait,
            )
        if status >= 500 or status == 408 or (status < 300 and not refused):
            elsewhere = "" if envelope or status >= 300 else ", or check api_url"
            raise self._error(
                f"{what}: try again later{elsewhere}",
                status=status,
                passing=True,
                outcome_unknown=True,
            )
        bare_403 = status == 403 and not codes and NOT_SUBSCRIBED not in what
        raise self._error(
            f"{what}: {self._advice(what, status, codes, permission)}",
            status=status,
            # What is not from Cloudflare, such as a page of a filtering proxy, tells nothing.
            outcome_unknown=not envelope,
            not_found=status == 404 and refused and not codes & NO_ROUTE,
            passing=bare_403,
            most_repeats=MOST_REPEATS_OF_A_BARE_403 if bare_403 else None,
        )

    def _advice(self, what: str, status: int, codes: set[int], permission: str) -> str:
        if codes & WRONG_FORMAT:
            return f"{self._auth.description} has the wrong format"
        if NOT_SUBSCRIBED in what:
            return "the account has no Email Security; check account_id"
        if codes & NOT_ACCEPTED or status == 401 or (status == 403 and not codes):
            needed = f" and has the permission '{permission}'" if permission else ""
            return (
                f"check that {self._auth.description} is right, not expired, allowed on this"
                f" account{needed}"
            )
        if codes & NO_ROUTE:
            return "check account_id"
        if status == 404:
            return "run it again; if it stays, check account_id and api_url"
        return "correct what it names, and run it again"

    def _take_note_of_messages(self, envelope: dict[str, t.Any]) -> None:
        for entry in _list(envelope.get("messages")):
            text = entry if isinstance(entry, str) else _describe(_dict(entry))
            text = self._presentable(text)
            with self._lock:
                if text not in self._messages:
                    self._messages.append(text)

    def _error(self, message: str, **attributes: t.Any) -> CloudflareError:
        return CloudflareError(self._presentable(message), **attributes)

    def _presentable(self, text: str) -> str:
        """Return a text without secrets, and without what a terminal or a log stumbles over."""
        for secret in self._auth.secrets:
            text = text.replace(secret, "********")
        return "".join(character if character.isprintable() else " " for character in text)


def _records(result: t.Any) -> list[dict[str, t.Any]]:
    if not isinstance(result, list):
        raise ValueError("no list")
    if not all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in result):
        raise ValueError("a list with something that has no id")
    return result


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return the error, what it was raised from, and so on, up to where this call began."""
    causes: list[BaseException] = []
    while error and not isinstance(error, CloudflareError) and error not in causes:
        causes.append(error)
        # urllib3 keeps the error of a proxied connection as an argument only.
        wrapped = [argument for argument in error.args if isinstance(argument, Exception)]
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or context or next(iter(wrapped), None)
    return causes


def _is_about_a_url(error: Exception) -> bool:
    if isinstance(error, requests.RequestException):
        return isinstance(
            error,
            (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.MissingSchema,
            ),
        )
    if isinstance(error, (urllib3.exceptions.HTTPError, ssl.SSLError)):
        return isinstance(error, urllib3.exceptions.LocationValueError)
    return isinstance(error, (ValueError, TypeError))


def _was_not_sent(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    # A ProxyError alone proves nothing: urllib3 1.26 calls each error of a proxied connection one.
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason = getattr(reason, "original_error", None)
    return isinstance(
        reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    ) or str(reason).startswith("Tunnel connection failed")


def _is_from_handshake(error: BaseException) -> bool:
    frames = traceback.walk_tb(error.__traceback__)
    return any(
        frame.f_code.co_name == ssl.SSLSocket.do_handshake.__name__ for frame, _line in frames
    )


def _envelope(response: requests.Response) -> dict[str, t.Any]:
    try:
        return _dict(response.json())
    except (ValueError, RecursionError):
        return {}


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


def _content(response: requests.Response, envelope: dict[str, t.Any]) -> str:
    if not response.content:
        return "nothing"
    if envelope:
        return "JSON without the result"
    content_type = response.headers.get("Content-Type", "").split(";")[0].strip()
    return f"{content_type or 'something'} instead of Cloudflare's JSON"


def _codes(errors: list[dict[str, t.Any]]) -> set[int]:
    chained = [link for error in errors for link in _list(error.get("error_chain"))]
    codes = (_dict(entry).get("code") for entry in [*errors, *chained])
    return {code for code in codes if isinstance(code, int)}


def _describe(entry: dict[str, t.Any]) -> str:
    links = [link for link in _list(entry.get("error_chain")) if isinstance(link, dict)]
    chain = ", ".join(map(_headline, links))
    return _headline(entry) + (f" because of {chain}" if chain else "")


def _headline(entry: dict[str, t.Any]) -> str:
    parts = [_text(entry.get("message")) or "no message"]
    pointer = _text(_dict(entry.get("source")).get("pointer"))
    if pointer:
        parts.append(f"at {pointer}")
    code = _text(entry.get("code"))
    if code:
        parts.append(f"(code {code})")
    return " ".join(parts)


def _text(value: t.Any) -> str:
    return str(value) if isinstance(value, (str, int)) and value else ""


def _seconds_to_wait(headers: t.Mapping[str, str]) -> float | None:
    """Read `Retry-After` (RFC 9110): seconds, or a date."""
    retry_after = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        date = email.utils.parsedate_to_datetime(retry_after)
        return max(0.0, date.timestamp() - time.time())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
