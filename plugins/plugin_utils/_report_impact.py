# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the changes of a report affect, if the task asked for that. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Record,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import (
    shown_minute,
    shown_name,
    visible,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    ACTIONS,
    STATUSES_OF_EFFECTS,
    kind_of,
    labels_of,
    shown_effect,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report


@dataclass(frozen=True)
class Affected:
    """A name that sent messages, and that needs TLS only after or only before the changes.

    Attributes:
        statuses: one of `LABELS`.
        labels: what it is called.
        cause: the restriction because of which it does, and what was done to it.
        delivery: how its messages reached Cloudflare.
    """

    statuses: list[str]
    labels: list[str]
    domain: str
    cause: str
    messages: int
    first: str
    last: str
    delivery: str


def affected_by(report: Report) -> list[Affected]:
    """Return whom the changes affect in the order of `labels_of`; most messages first."""
    if report.impact is None:
        return []
    causes = _causes(report)
    rows = [
        _affected(report, domain, causes.get(comparison_key(domain), []), sender)
        for domain, senders in report.impact.senders.items()
        for sender in senders
    ]
    order = [*labels_of(report)]
    return sorted(rows, key=lambda row: (order.index(row.statuses[0]), -row.messages, row.domain))


def number_of_affected(report: Report) -> int | None:
    """Return how many senders the changes affect; `None` if nobody asked."""
    return None if report.impact is None else sum(map(len, report.impact.senders.values()))


def messages_by_domain(report: Report) -> dict[str, str]:
    """Return how many messages the affected senders of each changed domain sent."""
    if report.impact is None:
        return {}
    unknown = report.impact.unknown
    return {
        comparison_key(domain): f"{sum(sender['messages'] for sender in senders):,}"
        + (" or more" if domain in unknown else "")
        for domain, senders in report.impact.senders.items()
    }


def _causes(report: Report) -> dict[str, list[str]]:
    """Return what was done to the restrictions for each domain, or would be."""
    causes: dict[str, list[str]] = {}
    for action in ACTIONS:
        for record in report.records(action):
            actions = causes.setdefault(comparison_key(record["domain"]), [])
            if action not in actions:
                actions.append(action)
    return causes


def _affected(report: Report, domain: str, actions: list[str], sender: Record) -> Affected:
    status = STATUSES_OF_EFFECTS[shown_effect(sender)]
    is_undone = kind_of(report) == "result" and not actions
    done = ", ".join(actions) or "not changed"
    status = f"undone-{status}" if is_undone else status
    return Affected(
        [status],
        [labels_of(report)[status]],
        shown_name(sender["name"]),
        f"{shown_name(domain)} ({done})",
        sender["messages"],
        shown_minute(sender["first_seen"] or ""),
        shown_minute(sender["last_seen"] or ""),
        visible(", ".join(sender["delivery_modes"])),
    )
