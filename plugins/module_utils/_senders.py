# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who sends as a domain: counts messages by the domain of their envelope sender. Pure.

Messages are other people's mail. Of each, only its ID, the domain of its envelope sender, its time
and its delivery mode are read, and only counts are kept.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    parents,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )

# How far back messages can be searched.
MAX_DAYS = 90

# The deprecated field is not in the same form as its successor.
_UTC = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?")
_ZONE = re.compile(r"Z|[+-]00:?00|")
# It contains no part of an address or a comment.
_NAME = re.compile(r"(?=.{3,253}$)(?=.*[^0-9.])[\w-][\w.-]*\.[\w.-]*")
_DELIVERY_MODE = re.compile("[A-Z][A-Z_]{0,39}")


class Message(t.NamedTuple):
    """What is read of a message.

    Attributes:
        id: tells it from others; empty if the API names none.
        domain: that of its envelope sender, in canonical form; empty if it has none that is valid.
        scanned_at: RFC 3339, in UTC and whole seconds; empty if unknown.
        delivery_mode: how it reached Cloudflare; empty if unknown.
    """

    id: str
    domain: str
    scanned_at: str
    delivery_mode: str

    @classmethod
    def from_api(cls, record: t.Mapping[str, t.Any]) -> Message:
        return cls(
            _text(record.get("id")) or _text(record.get("postfix_id")),
            _domain(_text(record.get("envelope_from"))),
            _time(_text(record.get("scanned_at"))) or _time(_text(record.get("ts"))),
            _delivery_mode(_text(record.get("delivery_mode"))),
        )


class Sender:
    """A name that messages were sent from, and their count.

    Attributes:
        first_seen, last_seen: as `Message.scanned_at`.
        delivery_modes: sorted.
    """

    __slots__ = ("delivery_modes", "first_seen", "last_seen", "messages", "name")

    def __init__(
        self,
        name: str,
        messages: int = 0,
        first_seen: str | None = None,
        last_seen: str | None = None,
        delivery_modes: t.Iterable[str] = (),
    ) -> None:
        self.name = name
        self.messages = messages
        self.first_seen = first_seen or ""
        self.last_seen = last_seen or ""
        self.delivery_modes = tuple(delivery_modes)

    def as_dict(self) -> dict[str, t.Any]:
        """Return it in the form of a module's result."""
        return {
            "name": self.name,
            "messages": self.messages,
            "first_seen": self.first_seen or None,
            "last_seen": self.last_seen or None,
            "delivery_modes": list(self.delivery_modes),
        }

    def add(self, message: Message) -> None:
        self.messages += 1
        self.last_seen = max(self.last_seen, message.scanned_at)
        if message.scanned_at:
            self.first_seen = min(self.first_seen or message.scanned_at, message.scanned_at)
        if message.delivery_mode and message.delivery_mode not in self.delivery_modes:
            self.delivery_modes = tuple(sorted((*self.delivery_modes, message.delivery_mode)))


class SenderCounter:
    """Counts the messages from a domain (in canonical form) and the names below it.

    All others are ignored, whatever the search was for. A message that comes twice counts once.

    Attributes:
        without_sender: how many messages have no envelope sender, such as bounces, or one without
            a valid domain.
    """

    def __init__(self, domain: str) -> None:
        self.without_sender = 0
        self._rule = TlsRule(domain, frozenset())
        self._senders: dict[str, Sender] = {}
        self._seen: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._senders

    @property
    def senders(self) -> list[Sender]:
        """Those counted so far, sorted by name."""
        return [self._senders[name] for name in sorted(self._senders)]

    def add(self, messages: t.Iterable[Message]) -> int:
        """Count messages; returns how many of them came for the first time."""
        new = 0
        for message in messages:
            if message.id in self._seen:
                continue
            if message.id:
                self._seen.add(message.id)
            new += 1
            if not message.domain:
                self.without_sender += 1
            elif self._rule.covers(message.domain):
                name = message.domain
                if name not in self._senders:
                    self._senders[name] = Sender(name)
                self._senders[name].add(message)
        return new


def known_names(
    domains: t.Iterable[str], restrictions: t.Iterable[Restriction]
) -> dict[str, list[str]]:
    """Return, for each domain, the names below it that the account's restrictions mention.

    A search for the domain may not find their mail, so they may have to be searched for as well.
    """
    names: dict[str, set[str]] = {domain: set() for domain in domains}
    for restriction in restrictions:
        for name in (restriction.domain, *restriction.exclude):
            for above in parents(name):
                if above in names:
                    names[above].add(name)
    return {domain: sorted(below) for domain, below in names.items()}


def _text(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def _domain(address: str) -> str:
    """Return the domain of an address; its local part may contain anything, even an @."""
    domain = address.strip("<> ").rpartition("@")[2]
    # A name that no list can contain may still be below a domain.
    return comparison_key(domain) if _NAME.fullmatch(domain) else ""


def _time(text: str) -> str:
    match = _UTC.match(text)
    if match and _ZONE.fullmatch(text[match.end() :]):
        return f"{match.group(1)}T{match.group(2)}Z"
    return ""


def _delivery_mode(text: str) -> str:
    return text if _DELIVERY_MODE.fullmatch(text) else ""
