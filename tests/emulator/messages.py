# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that an account received, as the message search shows them.

Source: Cloudflare API reference, "Email Security > Investigate".
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Literal

from .host_name import same_name

if TYPE_CHECKING:
    from .envelope import ApiResponse
    from .inputs import SearchQuery

DeliveryMode = Literal["DIRECT", "BCC", "JOURNAL", "API", "RETRO_SCAN", "PHISH_SUBMISSION"]


@dataclass(slots=True)
class Message:
    """One message; ``is_clean`` ones have no detections."""

    envelope_from: str | None
    header_from: str
    scanned_at: datetime
    delivery_mode: DeliveryMode
    is_clean: bool
    extra: Mapping[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def senders(self, with_subdomains: bool) -> set[str]:
        """The values of ``sender`` that find it, by its envelope or by its header."""
        addresses = [same_name(self.envelope_from or ""), same_name(parseaddr(self.header_from)[1])]
        domains = {address.rpartition("@")[2] for address in addresses}
        while with_subdomains and not domains.issubset(addresses):
            addresses += domains
            domains = {domain.partition(".")[2] for domain in domains}
        return {*addresses, *domains} - {""}

    def record(self) -> dict[str, Any]:
        """As the API shows it: much of it is nobody's business."""
        time = self.scanned_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "id": self.id,
            "postfix_id": self.id.replace("-", "")[:11].upper(),
            "envelope_from": self.envelope_from,
            "envelope_to": ["secret.recipient@own.example"],
            "from": self.header_from,
            "from_name": "Secret Name",
            "to": ["secret.recipient@own.example"],
            "client_recipients": ["secret.recipient@own.example"],
            "action_log": [],
            "detection_reasons": [],
            "is_phish_submission": self.delivery_mode == "PHISH_SUBMISSION",
            "is_quarantined": False,
            "properties": {},
            "subject": "Secret subject",
            "message_id": f"<{self.id}@secret-host.example>",
            "scanned_at": time,
            "ts": time,
            "delivery_mode": self.delivery_mode,
            "final_disposition": "NONE" if self.is_clean else "SPAM",
            "links_detected": "https://secret-link.example/",
            **self.extra,
        }


class Messages:
    """All messages of an account, in the order of every result; no other order is published."""

    def __init__(self, seeds: Iterable[Mapping[str, Any]] = ()) -> None:
        now = datetime.now(UTC)
        self._messages = [
            Message(
                scanned_at=now - timedelta(days=seed["age"], seconds=number),
                **{name: v for name, v in seed.items() if name not in ("age", "times")},
            )
            for seed in seeds
            for number in range(seed["times"])
        ]
        self._indexes: dict[bool, dict[str, list[Message]]] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def find(
        self,
        sender: str,
        with_subdomains: bool,
        start: datetime,
        end: datetime,
        detections_only: bool,
    ) -> list[Message]:
        """Those from a sender (empty: from anyone) in a period."""
        messages = self._from(same_name(sender), with_subdomains) if sender else self._messages
        return [
            message
            for message in messages
            if start <= message.scanned_at <= end and not (detections_only and message.is_clean)
        ]

    def _from(self, sender: str, with_subdomains: bool) -> list[Message]:
        index = self._indexes.get(with_subdomains)
        if index is None:
            index = self._indexes[with_subdomains] = {}
            for message in self._messages:
                for name in message.senders(with_subdomains):
                    index.setdefault(name, []).append(message)
        return index.get(sender, [])


@dataclass
class Cursor:
    """Where the next page of a search begins."""

    query: SearchQuery
    found: Sequence[Message]
    first: int


@dataclass
class Searches:
    """The searches of an account that go on: the next pages, and results that are not ready yet."""

    cursors: dict[str, Cursor] = field(default_factory=dict)
    slow: dict[str, tuple[int, ApiResponse]] = field(default_factory=dict)
