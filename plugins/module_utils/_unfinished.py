# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that stopped half-way, as text, so that another process goes on where it stopped."""

from __future__ import annotations

import json
import typing as t
import zlib
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


def dump(outcome: Outcome) -> str:
    """Return what was done and what remains as text; `load` reads it back.

    It is packed, as Ansible takes what looks like a secret out of all that a module returns: a
    comment that happens to contain one is to reach the API as it is.
    """
    remaining = outcome.remaining
    values = {
        "created": outcome.created,
        "updated": outcome.updated,
        "deleted": outcome.deleted,
        "failures": [asdict(failure) for failure in outcome.failures],
        "uncertain": outcome.uncertain,
        "general_failures": outcome.general_failures,
        "creates": [create.body for create in remaining.creates],
        "updates": [
            {"current": update.before, "changes": update.changes} for update in remaining.updates
        ],
        "deletes": [delete.before for delete in remaining.deletes],
    }
    return zlib.compress(json.dumps(values).encode("ascii")).hex()


def load(text: str) -> Outcome:
    """Read what `dump` returned."""
    values: dict[str, t.Any] = json.loads(zlib.decompress(bytes.fromhex(text)))
    return Outcome(
        created=values["created"],
        updated=values["updated"],
        deleted=values["deleted"],
        failures=[Failure(**failure) for failure in values["failures"]],
        uncertain=values["uncertain"],
        general_failures=values["general_failures"],
        remaining=Plan(
            creates=[Create(body) for body in values["creates"]],
            updates=[
                Update(Restriction.from_api(update["current"]), update["changes"])
                for update in values["updates"]
            ],
            deletes=[Delete(Restriction.from_api(record)) for record in values["deletes"]],
        ),
    )
