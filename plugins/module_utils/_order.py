# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of changes, so that no sender loses protection that it is to keep. Pure.

Mail from a sender needs TLS if any restriction at or above its domain requires it, so one change may
take over what another one gives up: a restriction for a parent replaces those below it, or the
other way round. Therefore all changes that protect are sent first, and those that weaken follow once
nothing is left that protects. What weakens is held back if a change that protects failed, or was
stored differently, at, above or below its domain. Then a sender that needs TLS before a run, and in
the desired state, needs it throughout: first by a restriction that has not been weakened yet, then
by one that is final.
"""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    Delete,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import parents
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    HELD_BACK,
)

Weakening = t.TypeVar("Weakening", Update, Delete)


class Relatives:
    """Finds those of some domains that are above or below another one."""

    def __init__(self, domains: t.Iterable[str]) -> None:
        self._domains = sorted(domains)
        self._known = set(self._domains)
        self._below: dict[str, str] = {}
        for domain in self._domains:
            for parent in parents(domain):
                self._below.setdefault(parent, domain)

    def of(self, domain: str) -> str | None:
        """Return the nearest one above `domain`, otherwise one below it, or `None`."""
        above = (parent for parent in parents(domain) if parent in self._known)
        return next(above, self._below.get(domain))

    def at_or_of(self, domain: str) -> str | None:
        """Return `domain` itself if it is one of them, otherwise what `of` returns."""
        return domain if domain in self._known else self.of(domain)


def hold_back(
    changes: t.Iterable[Weakening], causes: t.Mapping[str, str]
) -> tuple[list[Weakening], list[Failure]]:
    """Return the changes that may be sent, and a failure for each of the others.

    Arguments:
        changes: changes that weaken.
        causes: a clause by domain, that says why the change that protects it cannot be relied on.
    """
    relatives = Relatives(causes)
    allowed, held_back = [], []
    for change in changes:
        cause = relatives.at_or_of(change.domain)
        if cause is None:
            allowed.append(change)
        else:
            reason = f"held back because {causes[cause]}; run again"
            held_back.append(Failure(change.domain, reason, HELD_BACK, change.action))
    return allowed, held_back
