# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restrictions of one account, in memory.

Source: Cloudflare API reference, "Email Security > Settings > Sending domain restrictions".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

_last = datetime.min.replace(tzinfo=UTC)


def timestamp() -> str:
    """The current time as Cloudflare formats it, without trailing zeros; always a later one.

    So the order of creation never depends on the machine's clock.
    """
    global _last
    now = _last = max(datetime.now(UTC), _last + timedelta(microseconds=1))
    return now.strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".") + "Z"


@dataclass
class Restriction:
    """One restriction; times are RFC 3339 strings in UTC."""

    domain: str
    exclude: list[str] = field(default_factory=list)
    comments: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at: str = field(default_factory=timestamp)
    modified_at: str = ""

    def __post_init__(self) -> None:
        self.modified_at = self.modified_at or self.created_at

    def record(self, last_modified: bool = False, sparse: bool = False) -> dict[str, Any]:
        """As the API shows it.

        ``last_modified`` adds that deprecated field; ``sparse`` omits times and fields that are null
        or empty.
        """
        record = dict(self.__dict__)
        if last_modified:
            record["last_modified"] = self.modified_at
        if sparse:
            times = ("created_at", "modified_at", "last_modified")
            record = {name: v for name, v in record.items() if v and name not in times}
        return record


class Restrictions:
    """All restrictions of an account, by ID and in order of creation.

    ``find`` only sees writes that are at least ``lag`` seconds old. ``clock`` returns monotonic
    seconds.
    """

    def __init__(
        self,
        restrictions: Iterable[Restriction] = (),
        lag: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lag = lag
        self._clock = clock
        self._by_id = {restriction.id: restriction for restriction in restrictions}
        self._ordered: dict[str, list[Restriction]] = {}
        self._earlier: list[tuple[float, list[Restriction]]] = []

    def __iter__(self) -> Iterator[Restriction]:
        return iter(self._by_id.values())

    def get(self, restriction_id: str) -> Restriction | None:
        return self._by_id.get(restriction_id)

    def add(self, restriction: Restriction) -> None:
        self._remember()
        self._by_id[restriction.id] = restriction
        self._ordered.clear()

    def change(self, restriction: Restriction, values: dict[str, Any]) -> None:
        """Set the given fields and ``modified_at``."""
        self._remember()
        for name, value in values.items():
            setattr(restriction, name, value)
        restriction.modified_at = timestamp()
        self._ordered.clear()

    def remove(self, restriction_id: str) -> None:
        self._remember()
        del self._by_id[restriction_id]
        self._ordered.clear()

    def find(self, search: str, order: str, direction: str) -> list[Restriction]:
        """Those with ``search`` in their domain or comments, case-insensitively, ordered."""
        found = self._in_order(order)
        if search:
            text = search.casefold()
            found = [r for r in found if text in f"{r.domain}\n{r.comments or ''}".casefold()]
        return found if direction == "asc" else found[::-1]

    def _remember(self) -> None:
        """Keep the state before a write for as long as lists show it."""
        if self.lag:
            now = self._clock()
            self._earlier = [(until, state) for until, state in self._earlier if until > now]
            self._earlier.append((now + self.lag, [replace(known) for known in self]))

    def _in_order(self, order: str) -> list[Restriction]:
        now = self._clock() if self._earlier else 0
        for until, state in self._earlier:
            if until > now:
                return sorted(state, key=_ORDERS[order])
        if order not in self._ordered:
            self._ordered[order] = sorted(self, key=_ORDERS[order])
        return self._ordered[order]


_ORDERS = {
    "domain": lambda restriction: restriction.domain.lower(),
    "created_at": lambda restriction: datetime.fromisoformat(restriction.created_at),
}
