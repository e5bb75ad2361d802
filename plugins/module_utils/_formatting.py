# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of sentences, and the form of texts. Pure."""

from __future__ import annotations

import re
import typing as t

_UTC = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?Z")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def shortened(text: str, limit: int) -> str:
    """Return `text`, cut to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def printable(text: str) -> str:
    """Return a text with escapes for characters that would break a line, a terminal or a log."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else _ESCAPES.get(character, f"\\u{ord(character):04x}")
        for character in text
    )


def excerpts(one: str, other: str, limit: int) -> tuple[str, str]:
    """Return two texts, each cut to about `limit` characters around their first difference."""
    pairs = enumerate(zip(one, other))
    first = next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(0, first - limit // 2) if max(len(one), len(other)) > limit else 0
    dots = "…" if start else ""
    return dots + shortened(one[start:], limit), dots + shortened(other[start:], limit)


def listing(names: t.Sequence[str], limit: int) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, such as `1 restriction` or `2 restrictions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a duration in whole minutes, or in hours and minutes."""
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{minutes // 60} h {minutes % 60:02} min"


def messages_of(senders: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Return how many messages senders sent, at least or exactly."""
    count = counted(sum(sender["messages"] for sender in senders), "message")
    return f"at least {count}" if any(sender["at_least"] for sender in senders) else count


def last_seen(sender: t.Mapping[str, t.Any]) -> str:
    """Return a clause for the date of the last message of a sender, if that is known."""
    return f", last on {sender['last_seen'][:10]}" if sender["last_seen"] else ""


def minute_of(time: str) -> str | None:
    """Return a time of the API as `2026-11-26 16:19`, in UTC; `None` if it has another form."""
    match = _UTC.fullmatch(time)
    return f"{match[1]} {match[2]}" if match else None


def with_unix_line_ends(text: str) -> str:
    """Return a text whose lines end in LF, as CRLF and CR mean the same."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
