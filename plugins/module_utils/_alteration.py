# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fields that Cloudflare stored with other values than those that were sent. Pure.

Without a warning, the same update would be sent in every run.
"""

from __future__ import annotations

import html
import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    excerpts,
    listing,
    printable,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import MASK

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
        Restriction,
    )

MAX_WARNINGS = 3
MAX_EXCERPT_LENGTH = 60
MAX_NAMES = 3


@dataclass(frozen=True)
class Alteration:
    """A field of a restriction that has another value than the one that was sent."""

    domain: str
    field: str
    sent: t.Any
    stored: t.Any


def alterations(sent: t.Mapping[str, t.Any], stored: Restriction) -> list[Alteration]:
    """Return which of the fields that a create or an update sent are stored differently."""
    fields = stored.managed_fields()
    return [
        Alteration(stored.domain, name, value, fields[name])
        for name, value in sent.items()
        if not stored.has_fields({name: value})
    ]


def alteration_warnings(
    found: t.Sequence[Alteration],
    before: int = 0,
    is_last: bool = True,
    secrets: t.Iterable[str] = (),
) -> list[str]:
    """Return a sentence for each of the first alterations of a run, and one for the others.

    Arguments:
        before: how many alterations earlier time slices have found.
        is_last: whether no other time slice follows.
        secrets: what must not be shown, even in parts.
    """
    shown = found[: max(0, MAX_WARNINGS - before)]
    warnings = [_sentence(alteration, tuple(secrets)) for alteration in shown]
    more = before + len(found) - MAX_WARNINGS
    if is_last and more > 0:
        warnings.append(
            f"Cloudflare stored {counted(more, 'more value')} differently than sent; compare the"
            " list with the account"
        )
    return warnings


def _sentence(alteration: Alteration, secrets: tuple[str, ...]) -> str:
    sent, stored = alteration.sent, alteration.stored
    if alteration.field == "exclude":
        difference = _names(sorted(set(stored) - set(sent)), "with") + _names(
            sorted(set(sent) - set(stored)), "without"
        )
        advice = "check the exempt names, and list them as Cloudflare stored them"
    elif any(secret in text for secret in secrets for text in (str(sent), str(stored))):
        difference, advice = f" as {MASK}", "write it as Cloudflare stored it"
    else:
        new, old = excerpts(printable(str(stored)), printable(str(sent)), MAX_EXCERPT_LENGTH)
        difference, advice = f" as '{new}' instead of '{old}'", _advice(str(sent), str(stored))
    return (
        f"Cloudflare stored {alteration.field} of {alteration.domain}{difference}; {advice}, or every"
        " run sends it again"
    )


def _names(names: list[str], preposition: str) -> str:
    return f" {preposition} {listing(names, MAX_NAMES)}" if names else ""


def _advice(sent: str, stored: str) -> str:
    if not stored:
        return "omit it"
    if stored == sent.strip():
        return "remove the whitespace around it"
    if html.unescape(stored) == sent:
        return "write it without the characters & < > \" '"
    return "write it as Cloudflare stored it"
