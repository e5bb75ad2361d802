# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a report or, in a comparison, the differences. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import lru_cache

from ansible_collections.cloudflare_email.security.plugins.module_utils._comparison import (
    ACCOUNT_IS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import listing
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    AccountRestriction,
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
    has_succeeded_in_comparing,
    kind_of,
    labels_of,
    shown_effect,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

# A field, `exclude` or `comments`, and what it has: an exempt subdomain or the comment.
Fact = t.Tuple[str, str]

_DIFFERENCES = {"create": "missing", "update": "different", "delete": "extra"}
# What statuses are called if they are true of some of the names that a restriction covers.
_LABELS_OF_PARTS = {
    "preview": {
        "newly": "some names would newly require TLS",
        "no-longer": "some names would no longer require TLS",
    },
    "result": {
        "newly": "some names newly require TLS",
        "no-longer": "some names no longer require TLS",
    },
    "comparison": {
        "weaker": "weaker than the list for some names",
        "stricter": "stricter than the list for some names",
    },
}
# What is said about names that need TLS only after a change, and only before it.
_NAMES = {
    "preview": ("would newly require TLS", "would no longer require TLS"),
    "result": ("newly require TLS", "no longer require TLS"),
    "comparison": ("need TLS only by the list", "need TLS only on the account"),
}
MAX_NAMES = 10


@dataclass(frozen=True)
class Change:
    """A restriction that was changed, or would be.

    Attributes:
        statuses: those of `LABELS`; what matters most to mail comes first.
        labels: what they are called.
        before, after: the facts that differ; `None` if there is no restriction. Of a difference,
            the first is what the account has, the second what the list has.
        unchanged: how many exempt subdomains stay.
        note: anything else that the reader must know.
        times: when it was created and modified.
    """

    statuses: list[str]
    labels: list[str]
    domain: str
    before: list[Fact] | None
    after: list[Fact] | None
    unchanged: int = 0
    note: str = ""
    times: list[str] = field(default_factory=list)


# A run writes several reports of the same content.
@lru_cache(maxsize=1)
def changes_of(report: Report) -> list[Change]:
    """Return the changes in the order of `labels_of`."""
    # Of duplicates, the one that stays is shown as it will be.
    known = {each.get("id"): each for each in (*(report.restrictions or ()), *report.updated)}
    changes = [
        _change(report, action, record, known.get(record.get("duplicate_of")))
        for action in ACTIONS
        for record in report.records(action)
    ]
    if has_succeeded_in_comparing(report):
        changes += [
            Change(
                ["duplicate"],
                [labels_of(report)["duplicate"]],
                shown_name(failure["domain"]),
                [],
                [],
                0,
                visible(failure["reason"]),
            )
            for failure in report.failures
        ]
    order = [*labels_of(report)]
    return sorted(changes, key=lambda change: order.index(change.statuses[0]))


def labels_of_change(report: Report, action: str, record: Record) -> dict[str, str]:
    """Return what the statuses of a change are called, by status."""
    is_partial = action == "update" or _is_duplicate(record)
    parts = _LABELS_OF_PARTS[kind_of(report)] if is_partial else {}
    labels = {**labels_of(report), **parts}
    return {status: labels[status] for status in _statuses_of_change(report, action, record)}


def account_is(report: Report, record: Record) -> str | None:
    """Return whether the account is weaker than the list, and the like; `None` without comparison."""
    return ACCOUNT_IS[shown_effect(record)] if report.is_comparison else None


def _change(report: Report, action: str, record: Record, kept: Record | None) -> Change:
    """Return a change; of duplicates, `kept` is the restriction that stays, if it is known."""
    labels = labels_of_change(report, action, record)
    before = {"create": None, "update": record.get("previous"), "delete": record}[action]
    after = kept if action == "delete" else record
    old, new = (None if side is None else _facts(side) for side in (before, after))
    notes = [_duplicate_note(report, record)] if _is_duplicate(record) else []
    unchanged = 0
    if before and after and old is not None and new is not None:
        notes.append(_names_note(report, before, after))
        unchanged = sum(fact in new for fact in old if fact[0] == "exclude")
        old, new = (
            [fact for fact in old if fact not in new],
            [fact for fact in new if fact not in old],
        )
    return Change(
        [*labels],
        [*labels.values()],
        shown_name(record["domain"]),
        old,
        new,
        unchanged,
        "; ".join(filter(None, notes)),
        _times(report, action, record),
    )


def _statuses_of_change(report: Report, action: str, record: Record) -> list[str]:
    """Return what a change does to mail or, in a comparison, how the account differs."""
    direction = account_is(report, record)
    status = direction or STATUSES_OF_EFFECTS[shown_effect(record)]
    if _is_duplicate(record):
        return ["duplicate"] if status in ("duplicate", "same") else [status, "duplicate"]
    return [status, _DIFFERENCES[action]] if direction else [status]


def _facts(record: Record) -> list[Fact]:
    names = sorted({comparison_key(name) for name in record.get("exclude") or []})
    comments = record.get("comments")
    return [("exclude", shown_name(name)) for name in names] + (
        [("comments", visible(comments))] if comments else []
    )


def _duplicate_note(report: Report, record: Record) -> str:
    own = f" (ID {visible(record['id'])})" if record.get("id") else ""
    stays = {"preview": ", which stays", "result": ", which stayed", "comparison": ""}
    kept = visible(record["duplicate_of"])
    return f"duplicate{own} of the restriction {kept}{stays[kind_of(report)]}"


def _names_note(report: Report, before: Record, after: Record) -> str:
    """Return which names need TLS only after a change or only before it, if not all names do."""
    old, new = (AccountRestriction.of(record).rule for record in (before, after))
    # The delete of a duplicate requires nothing that the one that stays did not require.
    newly = set() if _is_duplicate(before) else new.required_beyond(old)
    sides = (newly, old.required_beyond(new))
    return "; ".join(
        f"{words}: {listing([*map(shown_name, sorted(names))], MAX_NAMES)}"
        for words, names in zip(_NAMES[kind_of(report)], sides)
        if names
    )


def _times(report: Report, action: str, record: Record) -> list[str]:
    """Return when the restriction of a change was created and modified, as far as that is known."""
    is_done = kind_of(report) == "result"
    if action == "create":
        times = {"created": record.get("created_at") if is_done else None}
    else:
        before = record["previous"] if action == "update" else record
        modified = "last modified before this run" if is_done else "last modified"
        times = {"created": before.get("created_at"), modified: before.get("modified_at")}
        if is_done and record.get("modified_at") != before.get("modified_at"):
            times["modified by this run"] = record.get("modified_at")
    return [f"{words} {shown_minute(time, ' UTC')}" for words, time in times.items() if time]


def _is_duplicate(record: Record) -> bool:
    """Return whether this is the delete of a duplicate, so that its domain stays restricted."""
    return bool(record.get("duplicate_of"))
