# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run did or would do, as a value that becomes a module's result at the very end. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    Record,
    by_domain,
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._comparison import (
    DRIFT,
    EQUAL,
    comparison,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    counts_by_effect,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    DUPLICATES,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import (
    Impact,
    impact_sentence,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    failure_message,
    single_failure_message,
    summary,
    unlisted_sentence,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._problem_kinds import (
    FAILURES,
    GUARD,
)

# The status of a result. Only `RunResult` concludes that a run did all that was asked for.
UNCHANGED, CHANGED = "unchanged", "changed"
REFUSED, FAILED, INCOMPLETE = "refused", "failed", "incomplete"
STATUSES = (UNCHANGED, CHANGED, EQUAL, DRIFT, REFUSED, FAILED, INCOMPLETE)

# The options for reports that the controller writes.
REPORTS = ("report_html", "report_markdown", "report_json")

CHANGE_LISTS = ("created", "updated", "deleted", "failures")


@dataclass
class RunResult:
    """What a run for a list did or, in a preview, would do.

    Attributes:
        changed: whether something on the account is, or may be, different.
        created, updated, deleted: as in `_changed_record`.
        failures: as `Failure.result` returns them.
        unchanged: how many restrictions of the list were already in the desired state.
        unlisted: the domains on the account that are not in the list and stay.
        prune: whether the account should equal the list.
        compared_with: how messages name the list, if the run only compares.
        refusal: why nothing was changed, if a guard did not allow it.
        impact: whom the changes affect, as the fields of `Impact`, if the task asks for that.
        account: what the account has, for the reports that the controller writes.
        exception: the traceback of an unexpected exception.
    """

    is_preview: bool = False
    changed: bool = False
    created: list[Record] = field(default_factory=list)
    updated: list[Record] = field(default_factory=list)
    deleted: list[Record] = field(default_factory=list)
    failures: list[Record] = field(default_factory=list)
    unchanged: int = 0
    unlisted: list[str] = field(default_factory=list)
    api_calls: int = 0
    prune: bool = False
    compared_with: str = ""
    refusal: str = ""
    diff: list[dict[str, str]] | None = None
    impact: dict[str, t.Any] | None = None
    account: dict[str, t.Any] | None = None
    exception: str | None = None

    @property
    def summary(self) -> str:
        return summary(vars(self), self.is_preview)

    def as_dict(self) -> dict[str, t.Any]:
        """Return the result of a module whose run is over."""
        if self.refusal:
            done = "" if self.is_preview else f". Result: {self.summary}"
            return {**self.ended(REFUSED, f"{self.refusal}{done}", GUARD), "failed": True}
        if self.compared_with and all(map(_is_duplicate, self.failures)):
            lists = {name: by_domain(getattr(self, name)) for name in CHANGE_LISTS}
            values = {**vars(self), **lists}
            status, message = comparison(values, self.compared_with, self.prune)
            return {**self.ended(status, message), **({"failed": True} if status == DRIFT else {})}
        if self.failures:
            message = failure_message(by_domain(self.failures), self.summary, self.is_preview)
            return {**self.ended(FAILED, message, FAILURES), "failed": True}
        affected = impact_sentence(Impact(**self.impact), self.is_preview) if self.impact else ""
        sentences = [self.summary, affected, unlisted_sentence(self.unlisted)]
        message = "; ".join(filter(None, sentences))
        return self.ended(CHANGED if self.changed else UNCHANGED, message)

    def ended(self, status: str, msg: str, problem_kind: str | None = None) -> dict[str, t.Any]:
        """Return the result of a module whose run ended in this way.

        Arguments:
            problem_kind: one of `PROBLEM_KINDS`, if the run failed.
        """
        optional = {name: getattr(self, name) for name in ("diff", "account", "exception")}
        return {
            "msg": msg,
            "status": status,
            **({"problem_kind": problem_kind} if problem_kind else {}),
            "changed": self.changed,
            **{name: by_domain(getattr(self, name)) for name in CHANGE_LISTS},
            "unchanged": self.unchanged,
            "unlisted": self.unlisted,
            "effects": counts_by_effect(changes_of(vars(self))),
            "api_calls": self.api_calls,
            **impact_result(self.impact),
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass
class SingleResult:
    """What a run for one restriction did or, in a preview, would do.

    Attributes:
        name: the restriction's domain, or its ID if the account has none with this ID.
        record, previous: the restriction after and before the run, if there is one.
        effect: what the change does to mail.
        deleted: as they were; `None` if none should be deleted.
        impact: whom the change affects, as the fields of `Impact`, if the task asks for that.
        verb: what was done, such as `created`; empty if nothing was.
        failure: as `Failure.result` returns it.
    """

    name: str
    is_preview: bool
    changed: bool
    record: Record | None = None
    previous: Record | None = None
    effect: str | None = None
    deleted: list[Record] | None = None
    verb: str = ""
    failure: dict[str, t.Any] | None = None
    diff: list[dict[str, str]] | None = None
    impact: dict[str, t.Any] | None = None

    def as_dict(self) -> dict[str, t.Any]:
        """Return the result of the module."""
        optional = {name: getattr(self, name) for name in ("deleted", "diff")}
        return {
            "msg": self._message,
            "changed": self.changed,
            "sending_domain_restriction": self.record,
            "previous": self.previous,
            "effect": self.effect,
            **impact_result(self.impact),
            **{name: value for name, value in optional.items() if value is not None},
            **({"failed": True} if self.failure else {}),
        }

    @property
    def _message(self) -> str:
        if self.failure:
            return single_failure_message(self.failure)
        if self.verb:
            number = len(self.deleted or ())
            count = f" ({number} restrictions)" if number > 1 else ""
            done = f"{self.name} {'would be ' if self.is_preview else ''}{self.verb}{count}"
            affected = (
                impact_sentence(Impact(**self.impact), self.is_preview) if self.impact else ""
            )
            return "; ".join(filter(None, [done, affected]))
        return (
            f"{self.name} unchanged"
            if self.record
            else f"{self.name} has no restriction; no changes"
        )


def impact_result(impact: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """Return whom changes affect in the form of a module's result."""
    if impact is None:
        return {}
    return {
        "impact_days": impact["days"],
        "impact": impact["senders"],
        "impact_unknown": impact["unknown"],
    }


def _is_duplicate(failure: t.Mapping[str, t.Any]) -> bool:
    return bool(failure["kind"] == DUPLICATES)
