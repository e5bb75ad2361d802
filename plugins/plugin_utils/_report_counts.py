# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers that a report starts with. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import REFUSED
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    is_uncommented,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    number_of_affected,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    LABELS,
    UNCOMMENTED,
    kind_of,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

NO_COUNT = "not read"
_IGNORED = "not in the list (ignored, because prune is off)"
# These have a count only if there is such a change.
_RARE = {"both", "duplicate", "same"}


@dataclass(frozen=True)
class Count:
    """One of the numbers that a report starts with; `key` is its status, if it counts changes."""

    key: str
    label: str
    text: str


def counts_of(report: Report) -> list[Count]:
    """Return the numbers of the account, of its findings, of warnings and, with a plan, of changes."""
    warnings = [Count("warnings", "warnings", f"{len(report.warnings):,}")]
    findings = NO_COUNT if report.findings is None else f"{len(report.findings):,}"
    return [
        *_counts_of_account(report),
        *(_counts_of_changes(report) if report.summary else ()),
        Count("findings", "findings", findings),
        *(warnings if report.warnings else ()),
    ]


def _counts_of_account(report: Report) -> t.Iterator[Count]:
    partners = number = exclusions = NO_COUNT
    if report.account is not None:
        account = report.account.numbers()
        number, exclusions = f"{account['restrictions']:,}", f"{account['exclusions']:,}"
        if account["effective_exclusions"] < account["exclusions"]:
            exclusions += f" listed, {account['effective_exclusions']:,} effective"
        partners = f"{account['domains_with_exclusions']:,} of {account['domains']:,}"
    yield Count("restrictions", "restrictions", number)
    yield Count("partners", "partners with exempt names", partners)
    yield Count("exclusions", "exempt names", exclusions)
    uncommented = sum(map(is_uncommented, report.restrictions or ()))
    if uncommented:
        yield Count("uncommented", UNCOMMENTED, f"{uncommented:,}")
    affected = number_of_affected(report)
    if affected is not None:
        yield Count("affected", "affected senders", f"{affected:,}")


def _counts_of_changes(report: Report) -> t.Iterator[Count]:
    """Yield the numbers of changes, by what they do to mail, and of failures.

    Duplicates are counted apart from the domains that lose their protection, and only if there are
    any.
    """
    labels = LABELS[kind_of(report)]
    has_ignored = report.is_comparison and bool(report.unlisted)
    # What a change does to mail counts once, as in the summary.
    number_of_statuses = None if report.is_comparison else 1
    numbers = Counter(
        status for change in changes_of(report) for status in change.statuses[:number_of_statuses]
    )
    # An account with restrictions that are ignored does not have "0 only on the account".
    rare = {*_RARE, "extra"} if has_ignored else _RARE
    if report.status == REFUSED:
        rare = {*labels}
    for status, label in labels.items():
        if numbers[status] or status not in rare:
            yield Count(status, label, f"{numbers[status]:,}")
    if has_ignored:
        yield Count("unlisted", _IGNORED, f"{len(report.unlisted):,}")
    # A run that failed as a whole does not have "0 failures".
    if report.failures if report.problem else not report.is_comparison:
        yield Count("failures", "failures", f"{len(report.failures):,}")
