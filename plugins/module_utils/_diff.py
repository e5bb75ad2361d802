# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan as text, in the form of Ansible's diff mode: one fact per line. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    Change,
    Create,
    Delete,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    with_unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    BOTH,
    COMMENT_OR_SPELLING,
    DUPLICATE_REMOVED,
    EFFECTS,
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
    effect_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import printable
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan

_EFFECTS_OF_UPDATES = {
    NEWLY_REQUIRES_TLS: "some names newly require TLS",
    BOTH: "some names newly require TLS, others no longer",
    NO_LONGER_REQUIRES_TLS: "some names no longer require TLS",
    COMMENT_OR_SPELLING: "comment or spelling only",
}


def diff_of(plan: Plan) -> list[dict[str, str]]:
    """Return an item for each change, in the order of `EFFECTS` and by domain.

    Each item has the texts `before` and `after`, and headers with the action and the effect on mail.
    """
    changes = [(effect_of(change), change) for change in plan.changes]
    changes.sort(key=lambda item: (EFFECTS.index(item[0]), item[1].domain, _id(item[1])))
    return [_shown(change, effect) for effect, change in changes]


def drift_of(plan: Plan) -> list[dict[str, str]]:
    """Return an item for each difference, with the list as `before` and the account as `after`."""
    kinds: list[list[t.Any]] = [plan.deletes, plan.creates, plan.updates]
    changes = [sorted(kind, key=lambda change: change.domain) for kind in kinds]
    return [_difference(change) for kind in changes for change in kind]


def _difference(change: Change) -> dict[str, str]:
    if isinstance(change, Create):
        return _item("missing on the account:", change.domain, _facts(change.record), None)
    if isinstance(change, Delete):
        words = "only on the account:" if change.kept is None else "more than once on the account:"
        return _item(words, change.domain, None, _facts(change.current.managed_fields()))
    only_there, only_listed = _sides(change)
    return _item("different:", change.domain, only_listed, only_there)


def _shown(change: Change, effect: str) -> dict[str, str]:
    if isinstance(change, Create):
        return _item("create", change.domain, None, _facts(change.record), "newly requires TLS")
    if isinstance(change, Update):
        return _item("update", change.domain, *_sides(change), _EFFECTS_OF_UPDATES[effect])
    before = _facts(change.current.managed_fields())
    if change.kept is None:
        return _item("delete", change.domain, before, None, "no longer requires TLS")
    note = f"ID {change.current.id}; ID {change.kept.id} stays"
    if effect != DUPLICATE_REMOVED:
        note += f"; {_EFFECTS_OF_UPDATES[effect]}"
    return _item("delete a duplicate of", change.domain, before, None, note)


def _sides(update: Update) -> tuple[list[str], list[str]]:
    """Return the facts that an update removes, and those that it adds."""
    current = update.current.managed_fields()
    before, after = _facts(current), _facts({**current, **update.changes})
    return (
        [fact for fact in before if fact not in after],
        [fact for fact in after if fact not in before],
    )


def _id(change: Change) -> str:
    return "" if isinstance(change, Create) else change.current.id


def _item(
    words: str, domain: str, before: list[str] | None, after: list[str] | None, note: str = ""
) -> dict[str, str]:
    """Return the item of a change; a side is `None` if it has no restriction."""
    header = f"{words} {with_unicode_form(domain)}" + (f" ({note})" if note else "")
    sides = {"before": before, "after": after}
    item = {side: "".join(f"{fact}\n" for fact in facts or ()) for side, facts in sides.items()}
    headers = {f"{side}_header": header for side, facts in sides.items() if facts is not None}
    return {**item, **headers}


def _facts(fields: t.Mapping[str, t.Any]) -> list[str]:
    facts = [f"domain: {with_unicode_form(fields['domain'])}"]
    facts += [f"exclude: {with_unicode_form(name)}" for name in sorted(fields["exclude"])]
    if fields["comments"]:
        comments = fields["comments"].replace("\\", "\\\\")
        facts.append(f"comments: {printable(comments)}")
    return facts
