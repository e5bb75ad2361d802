# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of changed restrictions, as results show them. Pure.

Each has the fields of the API and the `effect` of the change on mail. An updated one also has
`previous`, the record before; a deleted duplicate has `duplicate_of`, the ID of the one that stays.
"""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    combined,
    effect_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
        Create,
        Delete,
        Update,
    )

Record = t.Dict[str, t.Any]


def created_record(create: Create, stored: Restriction | None = None) -> Record:
    """Return the record of a create, or the expected one if nothing is stored yet."""
    return {**_after(create, create.body, stored), "effect": effect_of(create)}


def updated_record(update: Update, stored: Restriction | None = None) -> Record:
    """Return the record of an update, or the expected one if nothing is stored yet."""
    record = _after(update, update.changes, stored)
    return {**record, "previous": dict(update.current.record), "effect": effect_of(update)}


def deleted_record(delete: Delete) -> Record:
    """Return the record of a delete."""
    record = {**delete.current.record, "effect": effect_of(delete)}
    return {**record, "duplicate_of": delete.kept.id} if delete.kept else record


def merged_update(first: Record, later: Record) -> Record:
    """Return the record of two updates of one restriction."""
    effect = combined(first["effect"], later["effect"])
    return {**later, "previous": first["previous"], "effect": effect}


def merged_updates(updates: t.Iterable[Record]) -> list[Record]:
    """Return one record for each updated restriction; the second of two calls tells all of it."""
    return list({record["id"]: record for record in updates}.values())


def is_altered(updated: Record) -> bool:
    """Return whether an update changed something."""
    after, before = map(Restriction.from_api, (updated, updated["previous"]))
    return after.managed_fields() != before.managed_fields()


def changes_of(values: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return all changes in a result."""
    return [*values["created"], *values["updated"], *values["deleted"]]


def by_domain(records: t.Iterable[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return records, or failures, sorted by domain."""
    return sorted(records, key=lambda record: (record["domain"].lower(), record.get("id") or ""))


def domains_of(records: t.Iterable[t.Mapping[str, t.Any]]) -> set[str]:
    """Return the domains of records, in canonical form."""
    return {comparison_key(record["domain"]) for record in records}


def _after(
    change: Create | Update, sent: t.Mapping[str, t.Any], stored: Restriction | None
) -> Record:
    """Return the fields of the API after a write; all are optional in the schema of a response.

    A field that was sent is only `None` if the response says so.
    """
    known = {} if stored is None else stored.record
    return {
        **change.record,
        **{name: value for name, value in known.items() if value is not None or sent.get(name)},
    }
