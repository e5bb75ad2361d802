# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restrictions of the account as a report shows them: a tree of domains. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta, timezone
from functools import lru_cache

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    parents,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import minute_of
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Account,
    AccountRestriction,
    is_uncommented,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    labels_of_change,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    messages_by_domain,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import (
    shown_minute,
    shown_name,
    visible,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    ACTIONS,
    EXEMPT_FILTER,
    RECENT_DAYS,
    UNCOMMENTED_FILTER,
    VOID_FILTER,
    has_succeeded_in_comparing,
    labels_of,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report


@dataclass(frozen=True)
class Row:
    """A restriction on the account, in the tree of domains.

    Attributes:
        statuses: those of its change, or else `failed` or `unlisted`, and `finding`.
        labels: what they are called.
        filters: those of `filters_of` that show it.
        messages: how many the senders sent that the changes of its domain affect; empty if they
            were not searched for.
        level: how many domains with a restriction there are above.
        parent: the nearest of them.
        id: its ID, if there are others for the same domain.
        void: those of the exempt names that need TLS all the same.
    """

    statuses: list[str]
    labels: list[str]
    domain: str
    id: str
    level: int
    parent: str
    exclude: list[str]
    void: list[str]
    comments: str
    created: str
    modified: str
    filters: list[str]
    messages: str


# A run writes several reports of the same content.
@lru_cache(maxsize=1)
def tree_of(report: Report) -> list[Row]:
    """Return the restrictions of the account: each one right after those for its parent domains."""
    return [] if report.account is None else _Tree(report, report.account).rows()


class _Tree:
    def __init__(self, report: Report, account: Account) -> None:
        self._account = account
        domains = [restriction.domain for restriction in account.restrictions]
        self._names = {each.domain: each.record["domain"] for each in account.restrictions}
        self._number_of = Counter(domains)
        # Each domain with a restriction, after those above it.
        self._paths = {
            domain: [each for each in (domain, *parents(domain)) if each in self._names][::-1]
            for domain in self._names
        }
        self._labels = labels_of(report)
        self._statuses = _statuses(report)
        with_finding = {finding["domain"] for finding in report.findings or ()}
        self._with_finding = set(map(comparison_key, filter(None, with_finding)))
        self._messages = messages_by_domain(report)
        now = report.time.astimezone(timezone.utc)
        self._since = {
            name: f"{now - timedelta(days=days):%Y-%m-%d %H:%M}"
            for name, days in RECENT_DAYS.items()
        }

    def rows(self) -> list[Row]:
        return [*map(self._row, sorted(self._account.restrictions, key=self._position))]

    def _position(self, restriction: AccountRestriction) -> tuple[list[str], str]:
        return self._paths[restriction.domain], restriction.record.get("created_at") or ""

    def _row(self, restriction: AccountRestriction) -> Row:
        record, domain = restriction.record, restriction.domain
        *above, _own = self._paths[domain]
        statuses = self._statuses.get(record.get("id") or "") or self._statuses.get(domain, {})
        if self._with_finding and self._with_finding & {domain, *restriction.listed}:
            statuses = {**statuses, "finding": self._labels["finding"]}
        exclude = sorted(zip(record.get("exclude") or (), restriction.listed))
        void = [shown_name(name) for name, listed in exclude if listed in self._account.void]
        return Row(
            [*statuses],
            [*statuses.values()],
            shown_name(record["domain"]),
            visible(record.get("id") or "") if self._number_of[domain] > 1 else "",
            len(above),
            shown_name(self._names[above[-1]]) if above else "",
            [shown_name(name) for name, _listed in exclude],
            void,
            visible(record.get("comments") or ""),
            shown_minute(record.get("created_at") or ""),
            shown_minute(record.get("modified_at") or ""),
            self._filters(restriction, void),
            self._messages.get(domain, ""),
        )

    def _filters(self, restriction: AccountRestriction, void: list[str]) -> list[str]:
        record = restriction.record
        modified = minute_of(record.get("modified_at") or "")
        filters = {
            EXEMPT_FILTER: restriction.listed,
            UNCOMMENTED_FILTER: is_uncommented(record),
            VOID_FILTER: void,
            **{name: modified and modified >= start for name, start in self._since.items()},
        }
        return [name for name, is_shown in filters.items() if is_shown]


def _statuses(report: Report) -> dict[str, dict[str, str]]:
    """Return what the statuses of restrictions are called, by status.

    The keys are the IDs of the restrictions, or the domains where they have none.
    """
    labels = labels_of(report)
    failure = "duplicate" if has_succeeded_in_comparing(report) else "failed"
    unlisted, failed = ({status: labels[status]} for status in ("unlisted", failure))
    statuses = {comparison_key(name): unlisted for name in report.unlisted}
    statuses.update((comparison_key(failure["domain"]), failed) for failure in report.failures)
    for action in ACTIONS:
        records = report.records(action)
        for record in filter(lambda record: record.get("id"), records):
            statuses[record["id"]] = labels_of_change(report, action, record)
    return statuses
