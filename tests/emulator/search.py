# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message search: its defaults, its cursors, and results that are not ready yet.

Source: Cloudflare API reference, "Email Security > Investigate". What a cursor is made of and where
a slow search is polled is not published.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from .accounts import Account
from .envelope import INVALID_QUERY, NOT_FOUND, ApiResponse, Problem, Refusal, success
from .inputs import SearchQuery
from .messages import Cursor, Message

DEFAULT_PERIOD = timedelta(days=30)


def start(account: Account, query: SearchQuery, url: str) -> ApiResponse:
    """Return a page of the messages found, or a 202 with the URL at which it can be polled."""
    response = _page(account, query)
    if not account.search_polls:
        return response
    search_id = secrets.token_hex(8)
    account.searches.slow[search_id] = (account.search_polls, response)
    return _not_ready(account, f"{url}/searches/{search_id}")


def poll(account: Account, search_id: str, url: str) -> ApiResponse:
    """Return the page of a slow search once it was polled often enough."""
    if search_id not in account.searches.slow:
        raise Refusal(404, Problem(NOT_FOUND, "There is no such search"))
    polls, response = account.searches.slow[search_id]
    if polls == 1:
        del account.searches.slow[search_id]
        return response
    account.searches.slow[search_id] = (polls - 1, response)
    return _not_ready(account, url)


def _not_ready(account: Account, url: str) -> ApiResponse:
    document = success(None).document
    location = url if account.search_location is None else account.search_location
    return ApiResponse(202, document, {"Location": location})


def _page(account: Account, query: SearchQuery) -> ApiResponse:
    cursor = (
        _continued(account, query) if query.cursor else Cursor(query, _found(account, query), 0)
    )
    first = max(0, cursor.first - account.search_overlap)
    end = cursor.first + query.per_page
    page = cursor.found[first:end]
    result_info: dict[str, Any] = {
        "count": len(page),
        "per_page": query.per_page,
        "total_count": len(cursor.found),
    }
    if end < len(cursor.found):
        following = secrets.token_urlsafe(16) + "=="
        account.searches.cursors[following] = Cursor(cursor.query, cursor.found, end)
        result_info["cursor"] = following
    return success([message.record() for message in page], result_info=result_info)


def _continued(account: Account, query: SearchQuery) -> Cursor:
    cursor = account.searches.cursors.get(query.cursor)
    if cursor is None or query.model_copy(update={"cursor": cursor.query.cursor}) != cursor.query:
        message = "cursor: is unknown, or belongs to a search with other parameters"
        raise Refusal(400, Problem(INVALID_QUERY, message, "/cursor"))
    return cursor


def _found(account: Account, query: SearchQuery) -> list[Message]:
    now = datetime.now(UTC)
    begin, end = query.start or now - DEFAULT_PERIOD, query.end or now
    if begin > now or begin > end:
        message = "start: must be neither in the future nor after end"
        raise Refusal(400, Problem(INVALID_QUERY, message, "/start"))
    with_subdomains = account.sender_match == "subdomains"
    return account.messages.find(query.sender, with_subdomains, begin, end, query.detections_only)
