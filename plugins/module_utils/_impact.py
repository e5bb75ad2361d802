# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which senders a change of an account's restrictions affects. Pure.

It says who would need TLS, not whose mail would be dropped: nothing says which senders use TLS.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import (
    TlsRule,
    TlsRules,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._senders import Sender


@dataclass(frozen=True)
class Impact:
    """The senders whose mail needs TLS only after, or only before; most messages first."""

    newly_requires_tls: list[Sender]
    no_longer_requires_tls: list[Sender]


def impact_on(
    senders: t.Iterable[Sender], before: t.Iterable[TlsRule], after: t.Iterable[TlsRule]
) -> Impact:
    """Return the impact of replacing *all* rules of an account, `before`, by those `after`.

    Each name counts once: of several rows for it, the one with the most messages.
    """
    ordered = sorted(senders, key=lambda sender: (-sender.messages, sender.name))
    by_name: dict[str, Sender] = {}
    for sender in ordered:
        by_name.setdefault(sender.name, sender)
    old, new = TlsRules(before), TlsRules(after)
    newly, no_longer = [], []
    for sender in by_name.values():
        required, will_be = old.requires_tls(sender.name), new.requires_tls(sender.name)
        if will_be and not required:
            newly.append(sender)
        elif required and not will_be:
            no_longer.append(sender)
    return Impact(newly, no_longer)
