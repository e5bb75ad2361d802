# Copyright: Contributors to the cloudflare_email.security collection
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

_CHECK_URL = "check proxies and api_url, which usually ends with /client/v4"


@dataclass(frozen=True)
class Response:
    """A successful response: `result` as the call's `parse` returned it, and the envelope's rest."""

    result: t.Any
    result_info: dict[str, t.Any]
    messages: list[str]


def interpret(call: Call, response: requests.Response, credentials: str) -> Response:
    """Return the content of a successful response.

    Arguments:
        credentials: how messages name the credentials.

    Raises:
        CloudflareError: the response is not a success, or not Cloudflare's.
    """
    status = response.status_code
    if 300 <= status < 400:
        raise CloudflareError(
            f"Cloudflare returned a redirect ({status})",
            "redirects are not followed, to protect the credentials; check api_url",
            UNAVAILABLE,
            f"{call.name}: {status}",
            status=status,
            outcome_unknown=True,
        )
    envelope = _envelope(response)
    content = _content(response, envelope)
    errors = _errors(envelope)
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
    if errors and (status >= 300 or envelope.get("success") is False):
        raise _refusal(call.name, response, errors, credentials, call.permission)
    raise _malformed(call.name, response, envelope, content, credentials, call.permission)


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


def _refusal(
    call: str,
    response: requests.Response,
    errors: list[dict[str, t.Any]],
    credentials: str,
    permission: str,
) -> CloudflareError:
    """Return the error of a failure in Cloudflare's own envelope."""
    status, codes = response.status_code, _codes(errors)
    description = "; ".join(map(_describe, errors))
    attributes: dict[str, t.Any] = {
        "detail": f"{call}: {status}, {description}",
        "status": status,
        "code": _first_code(errors),
        "no_route": bool(codes & NO_ROUTE) or status == 405,
    }
    if status == 429:
        return _rate_limited(response, attributes)
    if status >= 500 or status == 408:
        return CloudflareError(
            f"Cloudflare returned {status}",
            "try again later",
            UNAVAILABLE,
            is_transient=True,
            outcome_unknown=True,
            **attributes,
        )
    if codes & WRONG_FORMAT:
        return CloudflareError(
            f"{credentials} has the wrong format",
            "copy it again from the dashboard",
            CREDENTIALS,
            **attributes,
        )
    if NOT_SUBSCRIBED in description:
        return CloudflareError(
            "the account has no Email Security",
            "check account_id and the subscription",
            CREDENTIALS,
            **attributes,
        )
    if codes & NOT_ACCEPTED or status == 401 or (status == 403 and not codes):
        return _not_accepted(credentials, permission, attributes, is_transient=not codes)
    if codes & NO_ROUTE:
        return CloudflareError(
            "Cloudflare does not know this account or this call",
            "check account_id",
            REFUSED,
            **attributes,
        )
    if status == 404:
        return CloudflareError(
            "Cloudflare found nothing at this address",
            "run again; if the error persists, check account_id and api_url",
            REFUSED,
            not_found=True,
            **attributes,
        )
    advice = {
        403: f"check what it says, and the permissions of {credentials}",
        409: "run again",
    }
    return CloudflareError(
        "Cloudflare refused the request",
        advice.get(status, "fix the reported field and run again"),
        REFUSED,
        **attributes,
    )


def _malformed(
    call: str,
    response: requests.Response,
    envelope: dict[str, t.Any],
    content: str,
    credentials: str,
    permission: str,
) -> CloudflareError:
    """Return the error of a response that is neither a success nor a refusal by Cloudflare."""
    status = response.status_code
    attributes: dict[str, t.Any] = {
        "detail": f"{call}: {status} with {content}",
        "status": status,
        "no_route": status == 405,
    }
    if status == 429:
        return _rate_limited(response, attributes)
    if status in (401, 403):
        if envelope:
            return _not_accepted(credentials, permission, attributes, is_transient=True)
        # The API itself would name the credential that it does not accept.
        return CloudflareError(
            "a firewall, a limit or a proxy in front of Cloudflare's API refused the request",
            "check what it says, the network of this host and api_url, or try again later; the"
            " credentials were not checked",
            UNAVAILABLE,
            is_transient=status == 403,
            outcome_unknown=True,
            **attributes,
        )
    is_transient = status < 300 or status == 408 or status >= 500
    server, advice = "Cloudflare", "try again later" if is_transient else "check the task's options"
    if not envelope and status < 500:
        server = "a server that is not Cloudflare's API"
        advice = _CHECK_URL + (", or try again later" if is_transient else "")
    return CloudflareError(
        f"{server} returned {status}" + (" without a usable result" if status < 300 else ""),
        advice,
        UNAVAILABLE,
        is_transient=is_transient,
        outcome_unknown=is_transient or not envelope,
        **attributes,
    )


def _not_accepted(
    credentials: str, permission: str, attributes: dict[str, t.Any], is_transient: bool
) -> CloudflareError:
    needed = f" and has the permission '{permission}'" if permission else ""
    return CloudflareError(
        f"Cloudflare did not accept {credentials}",
        f"check that it is correct, not expired, allowed on this account{needed}",
        CREDENTIALS,
        # A 403 without a code is reported to be transient.
        is_transient=is_transient and attributes["status"] == 403,
        **attributes,
    )


def _rate_limited(response: requests.Response, attributes: dict[str, t.Any]) -> CloudflareError:
    wait = seconds_to_wait(response.headers)
    return CloudflareError(
        "Cloudflare's rate limit, which all tools of one user share with the dashboard, was exceeded",
        "run again later",
        RATE_LIMITED,
        is_transient=wait is None or wait <= MAX_WINDOW,
        retry_after=wait,
        **attributes,
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
