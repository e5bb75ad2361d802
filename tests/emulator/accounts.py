# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account, with its restrictions and the switches that tests set."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from .messages import Messages, Searches
from .restrictions import Restriction, Restrictions

Batch = Literal["available", "method_not_allowed", "no_route", "not_found"]
Comments = Literal["as_sent", "trimmed", "html_escaped", "composed"]
EmptyList = Literal["list", "null", "missing"]
SenderMatch = Literal["subdomains", "exact"]


@dataclass
class Account:
    """An account. The switches stand for behavior that Cloudflare does not publish.

    Attributes:
        latency: seconds added to those of the emulator.
        batch: whether the batch call exists, or how the API refuses it.
        unique_domains: whether a second restriction for a domain is refused.
        normalize_names: whether names are stored in lower case without a trailing dot.
        stored_comments: how comments are changed on write: not at all, without outer spaces, with
            HTML entities, or with composed characters (NFC).
        simplify_exclude: whether excluded names below another one are dropped on write.
        last_modified, sparse: see ``Restriction.record``.
        empty_list: what an empty page of a list has as its ``result``.
        max_per_page: how many restrictions a page has at most, whatever ``per_page`` says.
        ignore_page: whether every page is the first one.
        total_of_page: whether ``total_count`` counts the page instead of the list.
        total_error: what is added to ``total_count``.
        list_lag: seconds until lists show a write.
        sender_match: whether a search for a domain also finds its subdomains.
        search_polls: how many times the result of a search is not ready yet (202).
        search_location: where a slow search is polled, instead of the URL of its result.
        search_overlap: how many messages of a page come again on the next one.
        domains: the account's own domains, as the API shows them.
    """

    email_security: bool = True
    last_modified: bool = False
    latency: float = 0
    batch: Batch = "available"
    unique_domains: bool = False
    normalize_names: bool = False
    stored_comments: Comments = "as_sent"
    simplify_exclude: bool = False
    sparse: bool = False
    empty_list: EmptyList = "list"
    max_per_page: int | None = None
    ignore_page: bool = False
    total_of_page: bool = False
    total_error: int = 0
    sender_match: SenderMatch = "subdomains"
    search_polls: int = 0
    search_location: str | None = None
    search_overlap: int = 0
    domains: list[dict[str, Any]] = field(default_factory=list)
    messages: Messages = field(default_factory=Messages)
    searches: Searches = field(default_factory=Searches)
    restrictions: Restrictions = field(default_factory=Restrictions)
    id: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def list_lag(self) -> float:
        return self.restrictions.lag

    @list_lag.setter
    def list_lag(self, seconds: float) -> None:
        self.restrictions.lag = seconds

    def record(self, restriction: Restriction) -> dict[str, Any]:
        """A restriction as the API shows it."""
        return restriction.record(self.last_modified, self.sparse)
