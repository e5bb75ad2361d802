# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan as text, in the form of Ansible's diff mode: one fact per line. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    Create,
    Delete,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import printable
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import Plan


def diff_of(plan: Plan) -> list[dict[str, str]]:
    """Return an item for each change: creates and updates by domain first, then deletes.

    Each item has the texts `before` and `after`, and headers that name the action.
    """
    writes: list[Create | Update] = [*plan.creates, *plan.updates]
    writes.sort(key=lambda change: change.domain)
    deletes = sorted(plan.deletes, key=lambda change: (change.domain, change.current.id))
    return [_write(change) for change in writes] + [_delete(change) for change in deletes]


def _write(change: Create | Update) -> dict[str, str]:
    if isinstance(change, Create):
        return _item("create", change.domain, [], _facts(change.record))
    current = change.current.managed_fields()
    before, after = _facts(current), _facts({**current, **change.changes})
    return _item(
        "update",
        change.domain,
        [fact for fact in before if fact not in after],
        [fact for fact in after if fact not in before],
    )


def _delete(change: Delete) -> dict[str, str]:
    before = _facts(change.current.managed_fields())
    if change.kept is None:
        return _item("delete", change.domain, before, [])
    ids = f" (ID {change.current.id}; ID {change.kept} stays)"
    return _item("delete a duplicate of", change.domain, before, [], ids)


def _item(
    action: str, domain: str, before: list[str], after: list[str], ids: str = ""
) -> dict[str, str]:
    item = {
        "before": "".join(f"{fact}\n" for fact in before),
        "after": "".join(f"{fact}\n" for fact in after),
    }
    # The header is on the side that exists; for an update, on both.
    sides = {"create": ["after"], "update": ["before", "after"]}.get(action, ["before"])
    return {**item, **{f"{side}_header": f"{action} {_name(domain)}{ids}" for side in sides}}


def _facts(fields: t.Mapping[str, t.Any]) -> list[str]:
    facts = [f"domain: {_name(fields['domain'])}"]
    facts += [f"exclude: {_name(name)}" for name in sorted(fields["exclude"])]
    if fields["comments"]:
        comments = fields["comments"].replace("\\", "\\\\")
        facts.append(f"comments: {printable(comments)}")
    return facts


def _name(name: str) -> str:
    """Return a name, with its Unicode form next to its A-labels."""
    readable = unicode_form(name)
    return name if readable == name else f"{name} ({readable})"
