# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that stopped half-way, as JSON, so that another process goes on where it stopped."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from ansible_collections.cloudflare_email.security.plugins.module_utils._apply import Outcome
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import (
    Create,
    Delete,
    Failure,
    Plan,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)


def dump(outcome: Outcome) -> dict[str, t.Any]:
    """Return what was done and what remains as JSON values; `load` reads them back."""
    remaining = outcome.remaining
    return {
        "created": outcome.created,
        "updated": outcome.updated,
        "deleted": outcome.deleted,
        "failures": [asdict(failure) for failure in outcome.failures],
        "creates": [create.body for create in remaining.creates],
        "updates": [
            {"current": update.before, "changes": update.changes} for update in remaining.updates
        ],
        "deletes": [delete.before for delete in remaining.deletes],
    }


def load(values: t.Mapping[str, t.Any]) -> Outcome:
    """Read what `dump` returned."""
    return Outcome(
        created=values["created"],
        updated=values["updated"],
        deleted=values["deleted"],
        failures=[Failure(**failure) for failure in values["failures"]],
        remaining=Plan(
            creates=[Create(body) for body in values["creates"]],
            updates=[
                Update(Restriction.from_api(update["current"]), update["changes"])
                for update in values["updates"]
            ],
            deletes=[Delete(Restriction.from_api(record)) for record in values["deletes"]],
        ),
    )
