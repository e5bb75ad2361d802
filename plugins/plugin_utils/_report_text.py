# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Untrusted text, of the account, of the list and of messages, as reports show it. Pure.

What is returned has no invisible characters. It is not escaped: that depends on the format.
"""

from __future__ import annotations

import re
import unicodedata

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import minute_of

# A name with an A-label that no message shows in its other form yet.
_A_LABELS = re.compile(r"(?<![\w.-])(?=[\w.-]*xn--)[\w.-]*\w(?![.-]?\w| \()", re.IGNORECASE)
# Joiners are part of emoji and of some scripts; elsewhere they only disguise a text.
_CHARACTER = re.compile("(?P<kept>[\n\t]|(?<=[^\0-\x7f])[\u200c\u200d](?=[^\0-\x7f]))|.", re.DOTALL)


def visible(text: str) -> str:
    """Return a text with codes such as [U+202E] for invisible characters, except spaces and breaks.

    Some of them, the bidirectional controls, make a text look like another one.
    """
    if text.isprintable():
        return text
    return _CHARACTER.sub(_visible_character, text.replace("\r\n", "\n"))


def shown_name(name: str) -> str:
    """Return a name; if it is internationalized, with its other form next to it."""
    if name.isascii() and "xn--" not in name.lower():
        return visible(name)
    key = comparison_key(name)
    other = unicode_form(key) if name.isascii() else key
    return visible(name if other.isascii() == name.isascii() else f"{name} ({other})")


def with_both_forms(text: str) -> str:
    """Return a text in which each internationalized name has its other form next to it."""
    return _A_LABELS.sub(lambda match: shown_name(match.group()), visible(text))


def shown_minute(time: str, zone: str = "") -> str:
    """Return a time of the API to the minute, in UTC, or as it is if it has another form."""
    minute = minute_of(time)
    return f"{minute}{zone}" if minute else visible(time)


def _visible_character(match: re.Match[str]) -> str:
    character = match.group()
    is_kept = match["kept"] or character.isprintable() or unicodedata.category(character) == "Zs"
    return character if is_kept else f"[U+{ord(character):04X}]"
