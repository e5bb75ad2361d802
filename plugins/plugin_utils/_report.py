# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a report, as a value that can be written as a web page, as Markdown and as JSON. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Account,
)

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact

Records = t.Sequence[t.Mapping[str, t.Any]]


@dataclass(frozen=True, eq=False)
class Report:
    """The content of a report. Records are as in the results of the modules.

    Attributes:
        version: that of this collection; empty if it is not known.
        is_preview: the changes were not made.
        is_comparison: they are the differences between the account and the list.
        status, changed, unchanged: as in the result of the module.
        title, note: what the user wants to say about it, such as a name of the account and a commit.
        account_id: empty if only the module knows it.
        list_file: the name of the file with the list; empty if the list is a variable.
        prune: whether what is only on the account is deleted or, in a comparison, a difference.
        time: when the account was read; with a time zone.
        summary: the counts of the changes in one line; empty if the run failed before it had a plan.
        problem, problem_kind: why the run failed; empty if it did not.
        restrictions: those of the account: in a preview as they are, otherwise as they are now;
            `None` if the account was not read.
        findings: about these restrictions; `None` if the account was not read.
        unlisted: the domains on the account that are not in the list and stay.
        impact: whom the changes affect; `None` if nobody asked, or before that was known.
    """

    version: str
    is_preview: bool
    is_comparison: bool
    status: str
    changed: bool
    title: str
    note: str
    account_id: str
    list_file: str
    prune: bool
    time: datetime
    summary: str
    problem: str
    problem_kind: str
    restrictions: Records | None
    created: Records
    updated: Records
    deleted: Records
    unchanged: int
    unlisted: t.Sequence[str]
    failures: Records
    findings: Records | None
    warnings: t.Sequence[str]
    impact: Impact | None

    @cached_property
    def account(self) -> Account | None:
        """The restrictions of the account; `None` if they were not read."""
        return None if self.restrictions is None else Account(self.restrictions)

    def records(self, action: str) -> Records:
        """Return the records that were created, updated or deleted, or would be."""
        return {"create": self.created, "update": self.updated, "delete": self.deleted}[action]
