# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an account differs from a list, in the words of somebody who looks at the account. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    BOTH,
    COMMENT_OR_SPELLING,
    DUPLICATE_REMOVED,
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    DUPLICATES,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    listing,
    minute_of,
)

# The status of a comparison.
EQUAL, DRIFT = "equal", "drift"

MAX_DOMAINS = 20
# Of each kind of difference, however many domains the others have.
MIN_DOMAINS = 5

# What the account is, compared with the list, by the effect of making it equal to the list.
ACCOUNT_IS = {
    NEWLY_REQUIRES_TLS: "weaker",
    BOTH: "both",
    NO_LONGER_REQUIRES_TLS: "stricter",
    DUPLICATE_REMOVED: "same",
    COMMENT_OR_SPELLING: "same",
}
_WORDS = {"weaker": "weaker", "both": "weaker and stricter", "stricter": "stricter"}

Record = t.Mapping[str, t.Any]


def comparison(values: t.Mapping[str, t.Any], source: str, prune: bool) -> tuple[str, str]:
    """Return the status of a comparison, and one sentence or more that say what differs.

    Arguments:
        values: what a run in check mode returns: `created` is missing on the account, `deleted` is
            only there, and `updated` is different.
        source: how messages name the list, such as `partners.yml`.
        prune: whether what is only on the account is a difference.
    """
    duplicates = [
        *(record for record in values["deleted"] if record.get("duplicate_of")),
        *(failure for failure in values["failures"] if failure["kind"] == DUPLICATES),
    ]
    surplus = [record for record in values["deleted"] if not record.get("duplicate_of")]
    times = [_created(record) for record in surplus]
    is_at_once = len(times) > 1 and len(set(times)) == 1
    differences = {
        f"Only on the account{times[0] if is_at_once else ''}": [
            record["domain"] + ("" if is_at_once else time) for record, time in zip(surplus, times)
        ],
        "Missing on the account": [record["domain"] for record in values["created"]],
        "Different": [f"{record['domain']}{_fields(record)}" for record in values["updated"]],
        "More than once on the account": sorted({each["domain"] for each in duplicates}),
    }
    sentences = []
    reserved = {name: min(MIN_DOMAINS, len(domains)) for name, domains in differences.items()}
    room = MAX_DOMAINS - sum(reserved.values())
    for name, domains in differences.items():
        if domains:
            more = min(room, len(domains) - reserved[name])
            sentences.append(f"{name}: {listing(domains, reserved[name] + more)}")
            room -= more
    if sentences:
        return DRIFT, ". ".join([f"The account differs from {source}", *sentences])
    count = counted(values["unchanged"], "restriction")
    if prune or not values["unlisted"]:
        return EQUAL, f"The account equals {source} ({count})"
    others = counted(len(values["unlisted"]), "other")
    return EQUAL, (
        f"The account has the {count} of {source}, and {others}:"
        f" {listing(values['unlisted'], MAX_DOMAINS)} (with prune, a difference)"
    )


def utc_minute(time: str) -> str:
    """Return a time of the API as `2026-11-26 16:19 UTC`, or unchanged if it has another form."""
    minute = minute_of(time)
    return f"{minute} UTC" if minute else time


def _created(record: Record) -> str:
    return f" (created {utc_minute(record['created_at'])})" if record.get("created_at") else ""


def _fields(record: Record) -> str:
    fields = [
        name
        for name in ("domain", "exclude", "comments")
        if record.get(name) != record["previous"].get(name)
    ]
    direction = _WORDS.get(ACCOUNT_IS.get(record.get("effect", ""), ""))
    return f" ({', '.join(fields)}{f'; {direction}' if direction else ''})"
