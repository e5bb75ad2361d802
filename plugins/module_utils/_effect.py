# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes do to mail, which matters more to people than creates, updates and deletes. Pure."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._change import Change

NEWLY_REQUIRES_TLS = "newly_requires_tls"
BOTH = "both"
NO_LONGER_REQUIRES_TLS = "no_longer_requires_tls"
DUPLICATE_REMOVED = "duplicate_removed"
COMMENT_OR_SPELLING = "comment_or_spelling"

# What drops mail comes first.
EFFECTS = (
    NEWLY_REQUIRES_TLS,
    BOTH,
    NO_LONGER_REQUIRES_TLS,
    DUPLICATE_REMOVED,
    COMMENT_OR_SPELLING,
)


def effect_of(change: Change) -> str:
    """Return what a change does to mail from its domain and the names below it, one of `EFFECTS`.

    `BOTH` is a change after which some names newly require TLS and others no longer do. Other
    restrictions that cover the same names are not considered.
    """
    if change.protects:
        return BOTH if change.weakens else NEWLY_REQUIRES_TLS
    if change.weakens:
        return NO_LONGER_REQUIRES_TLS
    return DUPLICATE_REMOVED if change.action == "delete" else COMMENT_OR_SPELLING


def combined(first: str, second: str) -> str:
    """Return the effect of two changes of one restriction."""
    effects = {first, second}
    if BOTH in effects or effects == {NEWLY_REQUIRES_TLS, NO_LONGER_REQUIRES_TLS}:
        return BOTH
    return min(effects, key=EFFECTS.index)


def counts_by_effect(
    changes: t.Iterable[t.Mapping[str, t.Any]],
) -> dict[str, int]:
    """Return how many changes have each effect, with all `EFFECTS` as keys.

    A secret that is one letter may have masked an effect; it is not counted.
    """
    counts = dict.fromkeys(EFFECTS, 0)
    for change in changes:
        if change.get("effect") in counts:
            counts[change["effect"]] += 1
    return counts
