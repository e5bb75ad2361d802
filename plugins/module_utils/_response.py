# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cloudflare's responses: the envelope, its errors, and what they mean. Pure functions.

Source: Cloudflare API reference, "Making API calls"; RFC 9110 for `Retry-After`.
"""

from __future__ import annotations

import email.utils
import re
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CREDENTIALS,
    RATE_LIMITED,
    REFUSED,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import (
    MAX_WINDOW,
)

if t.TYPE_CHECKING:
    import requests
    from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call

WRONG_FORMAT = {6003, 6102, 6103, 6111}
NOT_ACCEPTED = {1000, 9103, 9106, 9109, 10000}
NO_ROUTE = {7000, 7003}
NOT_SUBSCRIBED = "not available in the current subscription"


@dataclass(frozen=True)
class Response:
    """A successful response: `result` as the call's `parse` returned it, and the envelope's rest.

    Attributes:
        is_pending: whether it is a 202, so that there is no result yet.
        location: where the result can be polled, as Cloudflare says; may be empty.
    """

    result: t.Any
    result_info: dict[str, t.Any]
    messages: list[str]
    is_pending: bool = False
    location: str = ""


def interpret(call: Call, response: requests.Response, credentials: str) -> Response:
    """Return the content of a successful response.

    Arguments:
        credentials: how messages name the credentials.

    Raises:
        CloudflareError: the response is not a success, or not Cloudflare's.
    """
    status = response.status_code
    envelope = _envelope(response)
    errors = _errors(envelope)
    content = _content(response, envelope)
    if status == 202 and call.may_be_pending and not errors:
        return Response(None, {}, [], True, response.headers.get("Location", ""))
    # 206 would be a part of the result.
    if envelope.get("success") is True and status in (200, 201) and not errors:
        result_info = _dict(envelope.get("result_info"))
        try:
            result = call.parse(_result(envelope, result_info))
        except ValueError as error:
            content = f"an unexpected result: {error}"
        else:
            messages = [_message(entry) for entry in _list(envelope.get("messages"))]
            return Response(result, result_info, messages)
    if 300 <= status < 400:
        failure = _Failure(status, str(status))
    elif errors and (status >= 400 or envelope.get("success") is False):
        says = "; ".join(map(_describe, errors))
        codes = frozenset(_codes(errors))
        failure = _Failure(status, f"{status}, {says}", True, says, codes, _first_code(errors))
    else:
        failure = _Failure(status, f"{status} with {content}", bool(envelope))
    raise _error(failure, call, credentials, seconds_to_wait(response.headers))


def seconds_to_wait(headers: t.Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for (a number or a date), or `None`."""
    retry_after = headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return float(retry_after)
    try:
        date = email.utils.parsedate_to_datetime(retry_after)
        return max(0.0, date.timestamp() - time.time())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


@dataclass(frozen=True)
class _Failure:
    """What a response that is not a success says.

    Attributes:
        says: the status and what the response contains, for messages.
        is_cloudflares: whether it is Cloudflare's envelope.
        errors: what the errors in it say; empty if Cloudflare names none.
        codes: the codes of these errors; `code` is the first one.
    """

    status: int
    says: str
    is_cloudflares: bool = False
    errors: str = ""
    codes: frozenset[int] = frozenset()
    code: int | None = None


class _Meaning(t.NamedTuple):
    """What a failure means, if `applies` says that it does."""

    applies: t.Callable[[_Failure], t.Any]
    kind: str
    problem: str
    advice: str
    is_transient: bool = False
    outcome_unknown: bool = False
    not_found: bool = False


_RETURNED = (UNAVAILABLE, "Cloudflare returned {status}")
_DENIED = (
    CREDENTIALS,
    "Cloudflare did not accept {credentials}",
    "check that it is correct, not expired, allowed on this account{needed}",
)
_REFUSED = (REFUSED, "Cloudflare refused the request")
_IN_FRONT = (
    UNAVAILABLE,
    "a firewall, a limit or a proxy in front of Cloudflare's API refused the request",
    "check what it says, the network of this host and api_url, or try again later; the credentials"
    " were not checked",
)
_NOT_CLOUDFLARE = "a server that is not Cloudflare's API returned {status}"
_CHECK_URL = "check proxies and api_url, which usually ends with /client/v4"
_NO_RESULT = " without a usable result"

# The first one that applies holds.
_MEANINGS = (
    _Meaning(
        lambda failure: 300 <= failure.status < 400,
        UNAVAILABLE,
        "Cloudflare returned a redirect ({status})",
        "redirects are not followed, to protect the credentials; check api_url",
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: failure.status == 429,
        RATE_LIMITED,
        "Cloudflare's rate limit, which all tools of one user share with the dashboard, was exceeded",
        "run again later",
        is_transient=True,
    ),
    _Meaning(
        lambda failure: failure.status >= 500,
        *_RETURNED,
        "try again later",
        is_transient=True,
        outcome_unknown=True,
    ),
    # The API itself would name the credential that it does not accept.
    _Meaning(
        lambda failure: not failure.is_cloudflares and failure.status == 401,
        *_IN_FRONT,
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: not failure.is_cloudflares and failure.status == 403,
        *_IN_FRONT,
        is_transient=True,
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: not failure.is_cloudflares and failure.status < 300,
        UNAVAILABLE,
        _NOT_CLOUDFLARE + _NO_RESULT,
        _CHECK_URL + ", or try again later",
        is_transient=True,
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: not failure.is_cloudflares and failure.status == 408,
        UNAVAILABLE,
        _NOT_CLOUDFLARE,
        _CHECK_URL + ", or try again later",
        is_transient=True,
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: not failure.is_cloudflares,
        UNAVAILABLE,
        _NOT_CLOUDFLARE,
        _CHECK_URL,
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: failure.status == 408,
        *_RETURNED,
        "try again later",
        is_transient=True,
        outcome_unknown=True,
    ),
    _Meaning(
        lambda failure: failure.codes & WRONG_FORMAT,
        CREDENTIALS,
        "{credentials} has the wrong format",
        "copy it again from the dashboard",
    ),
    _Meaning(
        lambda failure: NOT_SUBSCRIBED in failure.errors,
        CREDENTIALS,
        "the account has no Email Security",
        "check account_id and the subscription",
    ),
    _Meaning(lambda failure: failure.codes & NOT_ACCEPTED or failure.status == 401, *_DENIED),
    # A 403 without a code is reported to be transient.
    _Meaning(
        lambda failure: failure.status == 403 and not failure.codes, *_DENIED, is_transient=True
    ),
    _Meaning(
        lambda failure: not failure.errors and failure.status < 300,
        UNAVAILABLE,
        "Cloudflare returned {status}" + _NO_RESULT,
        "try again later",
        is_transient=True,
        outcome_unknown=True,
    ),
    _Meaning(lambda failure: not failure.errors, *_RETURNED, "check the task's options"),
    _Meaning(
        lambda failure: failure.codes & NO_ROUTE,
        REFUSED,
        "Cloudflare does not know this account or this call",
        "check account_id",
    ),
    _Meaning(
        lambda failure: failure.status == 404,
        REFUSED,
        "Cloudflare found nothing at this address",
        "run again; if the error persists, check account_id and api_url",
        not_found=True,
    ),
    _Meaning(
        lambda failure: failure.status == 403,
        *_REFUSED,
        "check what it says, and the permissions of {credentials}",
    ),
    _Meaning(lambda failure: failure.status == 409, *_REFUSED, "run again"),
    _Meaning(lambda failure: True, *_REFUSED, "fix the reported field and run again"),
)


def _error(
    failure: _Failure, call: Call, credentials: str, retry_after: float | None
) -> CloudflareError:
    meaning = next(meaning for meaning in _MEANINGS if meaning.applies(failure))
    words = {
        "status": failure.status,
        "credentials": credentials,
        "needed": f" and has the permission '{call.permission}'" if call.permission else "",
    }
    wait = retry_after if meaning.kind == RATE_LIMITED else None
    return CloudflareError(
        meaning.problem.format(**words),
        meaning.advice.format(**words),
        meaning.kind,
        f"{call.name}: {failure.says}",
        failure.status,
        failure.code,
        outcome_unknown=meaning.outcome_unknown,
        not_found=meaning.not_found,
        no_route=bool(failure.codes & NO_ROUTE) or failure.status == 405,
        is_transient=meaning.is_transient and (wait is None or wait <= MAX_WINDOW),
        retry_after=wait,
    )


def _envelope(response: requests.Response) -> dict[str, t.Any]:
    """Return Cloudflare's envelope, or `{}` for any other content."""
    document = _document(response)
    is_envelope = "success" in document or isinstance(document.get("errors"), list)
    return document if is_envelope else {}


def _document(response: requests.Response) -> dict[str, t.Any]:
    try:
        return _dict(response.json())
    except (ValueError, RecursionError):
        return {}


def _result(envelope: dict[str, t.Any], result_info: dict[str, t.Any]) -> t.Any:
    """Return the result; APIs of Cloudflare are reported to return null for an empty list."""
    result, total = envelope.get("result"), result_info.get("total_count")
    is_empty_list = result is None and total == 0 and total is not False
    return [] if is_empty_list else result


def _errors(envelope: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    entries = _list(envelope.get("errors"))
    entries = [{"message": entry} if isinstance(entry, str) else entry for entry in entries]
    return [entry for entry in entries if isinstance(entry, dict)]


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


def _content(response: requests.Response, envelope: dict[str, t.Any]) -> str:
    if not response.content:
        return "an empty body"
    if envelope.get("success") is True and _errors(envelope):
        return "JSON with both success and errors"
    if envelope:
        return "JSON without the result"
    content_type = response.headers.get("Content-Type", "").split(";")[0].strip()
    excerpt = _excerpt(response, content_type)
    says = f": {excerpt}" if excerpt else ""
    return f"{content_type or 'an unknown content type'} instead of Cloudflare's JSON{says}"


def _excerpt(response: requests.Response, content_type: str) -> str:
    """Return what a body that is not Cloudflare's says: the title of a page, an error in JSON, a text."""
    document = _document(response)
    # RFC 9457, and what other JSON APIs call the same.
    names = ("title", "detail", "message", "error", "error_code")
    parts = [_text(document.get(name)) for name in names]
    text = response.content[:100_000].decode("utf-8", "replace")
    if content_type == "text/plain":
        parts = [text]
    elif content_type == "text/html":
        parts = re.findall("<title[^>]*>([^<]*)", text, re.IGNORECASE)[:1]
    return " ".join(", ".join(filter(None, parts)).split())


def _codes(errors: list[dict[str, t.Any]]) -> set[int]:
    chained = [link for error in errors for link in _list(error.get("error_chain"))]
    codes = (_dict(entry).get("code") for entry in [*errors, *chained])
    return {code for code in codes if isinstance(code, int)}


def _first_code(errors: list[dict[str, t.Any]]) -> int | None:
    codes = (entry.get("code") for entry in errors)
    return next((code for code in codes if isinstance(code, int) and code), None)


def _message(entry: t.Any) -> str:
    return entry if isinstance(entry, str) else _describe(_dict(entry))


def _describe(entry: dict[str, t.Any]) -> str:
    links = [link for link in _list(entry.get("error_chain")) if isinstance(link, dict)]
    chain = ", ".join(map(_headline, links))
    return _headline(entry) + (f", because of {chain}" if chain else "")


def _headline(entry: dict[str, t.Any]) -> str:
    code = _text(entry.get("code"))
    pointer = _text(_dict(entry.get("source")).get("pointer"))
    message = _text(entry.get("message")) or "no message"
    return (f"code {code}: " if code else "") + message + (f" (at {pointer})" if pointer else "")


def _text(value: t.Any) -> str:
    return str(value) if isinstance(value, (str, int)) and value else ""
