# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that read messages and the account's own domains; neither changes anything.

Source: Cloudflare API reference, Email Security, Investigate, and Settings, Domains.
"""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import Message

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
        CloudflareClient,
    )
    from ansible_collections.cloudflare_email.security.plugins.module_utils._response import (
        Response,
    )

MAX_PER_PAGE = 1000
# With the backoff between them, this takes up to three and a half minutes.
MAX_POLLS = 12
# An API that repeats itself must not be read forever.
MAX_EMPTY_PAGES = 3

READ = "Cloud Email Security: Read"


class Page(t.NamedTuple):
    """Some of the messages that a search finds, and whether it finds more."""

    messages: list[Message]
    has_more: bool


class MessageSearch:
    """The messages that one account received since a time, clean ones included.

    The restrictions of the account must have been read before with the same client, so that
    credentials that are not accepted here only lack a permission.

    Arguments:
        since: RFC 3339.
    """

    def __init__(self, client: CloudflareClient, account_id: str, since: str) -> None:
        self.client = client
        self.since = since
        self._path = f"/accounts/{account_id}/email-security/investigate"

    def pages(self, sender: str, per_page: int = MAX_PER_PAGE) -> t.Iterator[Page]:
        """Yield the pages of a search for a domain, in any order.

        The API decides what it finds: messages from its subdomains or not, and others as well.

        Raises:
            CloudflareError: a page could not be read, or the pages do not end.
        """
        call = Call(
            "GET",
            self._path,
            params={
                "sender": sender,
                "start": self.since,
                # By default, only messages with detections are found.
                "detections_only": "false",
                "per_page": per_page,
            },
            parse=_messages,
            permission=READ,
            may_be_pending=True,
        )
        params = dict(call.params or {})
        cursors: set[str] = set()
        empty_pages = 0
        while True:
            response = self._result(call)
            cursor = str(response.result_info.get("cursor") or "")
            yield Page(response.result, bool(cursor))
            if not cursor:
                return
            empty_pages = 0 if response.result else empty_pages + 1
            if cursor in cursors or empty_pages == MAX_EMPTY_PAGES:
                raise CloudflareError(
                    "the pages of Cloudflare's search do not end",
                    "run again later; if the error persists, report it to Cloudflare",
                    UNAVAILABLE,
                    call.name,
                )
            cursors.add(cursor)
            call = replace(call, params={**params, "cursor": cursor})

    def _result(self, call: Call) -> Response:
        """Return a response that is not pending."""
        response = self._request(call)
        for attempt in range(MAX_POLLS):
            if not response.is_pending:
                return response
            self.client.wait(attempt)
            if response.location:
                call = self.client.poll(call, response.location)
            response = self._request(call)
        if response.is_pending:
            raise CloudflareError(
                "Cloudflare's search takes too long",
                "run again later, or search fewer days",
                UNAVAILABLE,
                call.name,
            )
        return response

    def _request(self, call: Call) -> Response:
        try:
            return self.client.request(call)
        except CloudflareError as error:
            if READ not in error.advice:
                raise
            problem = "these credentials may read the restrictions, but not search messages"
            raise replace(error, problem=problem, advice=f"add the permission '{READ}'") from None


def days_ago(days: int) -> str:
    """Return the time `days` ago on this host's clock."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))


def own_domains(client: CloudflareClient, account_id: str) -> list[dict[str, t.Any]]:
    """Return the account's own domains as the API shows them; raises `CloudflareError`."""
    path = f"/accounts/{account_id}/email-security/settings/domains"
    return client.list_all(Call("GET", path, permission=READ), MAX_PER_PAGE)


def _messages(result: t.Any) -> list[Message]:
    if not isinstance(result, list):
        raise ValueError("not a list")
    if not all(isinstance(record, dict) for record in result):
        raise ValueError("a list that contains an entry that is not a message")
    return [Message.from_api(record) for record in result]
