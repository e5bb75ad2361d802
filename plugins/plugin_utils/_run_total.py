# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds up what the time slices of a run report. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    Record,
    merged_update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    NOT_CONFIRMED,
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    OUTCOME_UNKNOWN,
    UNEXPECTED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    shortened,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    MAX_MESSAGE_LENGTH,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import (
    INCOMPLETE,
    RunResult,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._slice_report import (
        SliceReport,
        UnknownOutcome,
    )

Values = t.Dict[str, t.Any]


@dataclass
class Total:
    """What the time slices of a run did together.

    Attributes:
        remaining: how many changes are left.
        searched: how many domains were searched for their senders.
        searches_left: how many more are to be searched.
        unknown_outcomes: by domain, the writes that may have taken effect.
        tightened: domains of which only the first of two calls was made; they count as updated too.
        has_begun: whether a slice has returned.
        is_estimate_shown: whether the user was told how long the run takes.
    """

    remaining: int = 0
    searched: int = 0
    searches_left: int = 0
    unknown_outcomes: dict[str, UnknownOutcome] = field(default_factory=dict)
    tightened: list[str] = field(default_factory=list)
    has_begun: bool = False
    is_estimate_shown: bool = False
    # By ID, failures by domain: a slice that was repeated reports some of them again.
    _created: dict[str, Record] = field(default_factory=dict)
    _updated: dict[str, Record] = field(default_factory=dict)
    _deleted: dict[str, Record] = field(default_factory=dict)
    _failures: dict[str, Record] = field(default_factory=dict)
    # All else that the slices found out, and what Ansible adds to their results.
    _rest: RunResult = field(default_factory=RunResult)
    _added: Values = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many changes are done, or have failed."""
        entries = (self._created, self._updated, self._deleted, self._failures)
        return sum(map(len, entries)) - len(self.tightened)

    @property
    def progress(self) -> str:
        if self.searches_left:
            total = self.searched + self.searches_left
            return f"searched {self.searched} of {total} domains for senders"
        total = self.count + self.remaining
        return f"{self.count} of {total} changes done" if total else "reading the account"

    @property
    def api_calls(self) -> int:
        return self._rest.api_calls

    @property
    def left(self) -> str:
        """What is left to do."""
        if not self.searches_left:
            return f"{counted(self.remaining, 'change')} left"
        return f"{counted(self.searches_left, 'domain')} left to search"

    def add(self, report: SliceReport, added: Values) -> None:
        """Add the report of one more slice.

        Arguments:
            added: what else its result contains, such as warnings.
        """
        self.has_begun = True
        self._keep_added(added)
        self.unknown_outcomes = report.progress.unknown_outcomes
        self.tightened = report.progress.tightened
        result, before = report.result, self._rest
        before.api_calls += result.api_calls
        self.searched, self.searches_left = len(report.progress.senders), report.searches_left
        if report.remaining is None:
            return
        self.remaining = report.remaining
        for record in result.created:
            # A prediction has no ID.
            self._created.setdefault(record["id"] or record["domain"], record)
        for record in result.updated:
            first = self._updated.get(record["id"])
            self._updated[record["id"]] = merged_update(first, record) if first else record
        for record in result.deleted:
            self._deleted.setdefault(record["id"], record)
        for failure in result.failures:
            self._failures.setdefault(failure["domain"], failure)
        # Each slice counts what it finds, so the last one knows best.
        self._rest = replace(
            result,
            changed=before.changed or result.changed,
            api_calls=before.api_calls,
            diff=before.diff if result.diff is None else result.diff,
            impact=before.impact if result.impact is None else result.impact,
        )

    def result(self) -> Values:
        """Return the result of the whole run."""
        return {**self._added, **self._run_result().as_dict()}

    def ended_by(self, values: Values, is_certain: bool = False) -> Values:
        """Return the result of a run whose last slice failed as a whole.

        Arguments:
            is_certain: whether nothing can have been changed that is not known.
        """
        # Without a result of its own, the slice may have changed something before it died.
        died = "module_stdout" in values
        reason = values.pop("msg", "the module ended without a result")
        failure = {"failed": True, "problem_kind": values.pop("problem_kind", UNEXPECTED)}
        self._keep_added(values)
        return self.cut_short(failure, reason, is_certain=is_certain or not died)

    def cut_short(self, failure: Values, reason: str, is_certain: bool = False) -> Values:
        """Return what is known about a run that ended early."""
        result = self._run_result()
        result.failures += [
            Failure(domain, f"{NOT_CONFIRMED}; run again", OUTCOME_UNKNOWN, write.action).result()
            for domain, write in self.unknown_outcomes.items()
        ]
        result.changed = bool(result.changed or self.unknown_outcomes or not is_certain)
        rest = f". Changes left: {self.remaining}" if self.remaining else ""
        rest += f". Result: {result.summary}. Run again to finish the rest."
        msg = shortened(reason, MAX_MESSAGE_LENGTH - len(rest)) + rest
        return {**self._added, **result.ended(INCOMPLETE, msg), **failure}

    def _run_result(self) -> RunResult:
        return replace(
            self._rest,
            created=list(self._created.values()),
            updated=list(self._updated.values()),
            deleted=list(self._deleted.values()),
            failures=list(self._failures.values()),
        )

    def _keep_added(self, added: Values) -> None:
        before = self._added
        self._added = {**before, **added}
        for name in ("warnings", "deprecations"):
            if name in before and name in added:
                more = [entry for entry in added[name] if entry not in before[name]]
                self._added[name] = [*before[name], *more]
