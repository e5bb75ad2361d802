# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of requests, for tests."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDictProxy


@dataclass(slots=True)
class Entry:
    """One request.

    Attributes:
        account_id: the account in the path, or the home of the credential.
        path: as received, not decoded.
        status: None until there is a response.
        at: the time of arrival in seconds since the epoch.
    """

    account_id: str | None
    call: str | None
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: CIMultiDictProxy[str]
    body: Any
    status: int | None = None
    fault: str | None = None
    at: float = field(default_factory=time.time)

    def document(self) -> dict[str, Any]:
        return {
            "account_id": self.account_id,
            "call": self.call,
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "headers": dict(self.headers),
            "body": self.body,
            "status": self.status,
            "fault": self.fault,
            "at": self.at,
        }


class RequestLog:
    """All requests below /client/v4, in order of arrival."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)

    def entries(self, account_id: str | None = None) -> list[Entry]:
        """All entries, or those of one account."""
        return [e for e in self._entries if account_id in (None, e.account_id)]

    def clear(self, account_id: str | None = None) -> None:
        """Remove all entries, or those of one account."""
        self._entries = [e for e in self._entries if account_id not in (None, e.account_id)]
