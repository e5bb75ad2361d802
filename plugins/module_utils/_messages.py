# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages for users: the summary of a plan or a run, and its failures. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    BOTH,
    COMMENT_OR_SPELLING,
    DUPLICATE_REMOVED,
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
    counts_by_effect,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    ENTRY,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    DUPLICATES,
    HELD_BACK,
    NOT_ATTEMPTED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    listing,
    shortened,
)

MAX_MESSAGE_LENGTH = 1900
MAX_REASONS = 5
MAX_DOMAINS = 3
MAX_UNLISTED = 10

_NOUNS = {
    "create": ("create", "creates"),
    "update": ("update", "updates"),
    "delete": ("delete", "deletes"),
    ENTRY: ("entry", "entries"),
}


def unlisted_sentence(domains: t.Sequence[str]) -> str:
    """Return what is said about the domains that still require TLS but are not in the list."""
    if not domains:
        return ""
    verb, pronoun = ("stays", "it") if len(domains) == 1 else ("stay", "them")
    return (
        f"{len(domains)} on the account but not in the list:"
        f" {listing(domains, MAX_UNLISTED)} ({verb}; prune deletes {pronoun})"
    )


def summary(values: t.Mapping[str, t.Any], check_mode: bool = False) -> str:
    """Return one line such as `31 newly require TLS, 9 duplicates removed (31 created, 9 deleted)`.

    In check mode the line says what would happen. Counts of zero are left out. Each change counts
    once.

    Arguments:
        values: the lists `created`, `updated` and `deleted`, and the count `unchanged`.
    """
    actions = [
        f"{len(values[done])} to {verb}" if check_mode else f"{len(values[done])} {done}"
        for verb, done in (("create", "created"), ("update", "updated"), ("delete", "deleted"))
        if values[done]
    ]
    unchanged = [f"{values['unchanged']} unchanged"] if values["unchanged"] else []
    if not actions:
        return ", ".join(["no changes", *unchanged])
    effects, counts = ", ".join(_effects(values, check_mode)), ", ".join([*actions, *unchanged])
    return f"{effects} ({counts})" if effects else counts


def warning_of_drops(values: t.Mapping[str, t.Any], check_mode: bool = False) -> str:
    """Return what it means for mail that a summary begins with domains that newly require TLS.

    Empty if it does not.
    """
    counts = counts_by_effect(changes_of(values))
    newly = counts[NEWLY_REQUIRES_TLS] + counts[BOTH]
    if not newly:
        return ""
    these = "this one" if newly == 1 else f"these {newly}"
    dropped = "would be dropped" if check_mode else "is dropped from now on"
    return f"mail from {these} {dropped} if it arrives without TLS"


def _effects(values: t.Mapping[str, t.Any], check_mode: bool) -> list[str]:
    counts = counts_by_effect(changes_of(values))
    newly, both, no_longer = (
        counts[NEWLY_REQUIRES_TLS],
        counts[BOTH],
        counts[NO_LONGER_REQUIRES_TLS],
    )
    duplicates, others = counts[DUPLICATE_REMOVED], counts[COMMENT_OR_SPELLING]
    parts = [
        (newly, f"newly {_require(newly)} TLS", "would newly require TLS"),
        (
            both,
            f"newly {_require(both)} TLS for some names, no longer for others",
            "would newly require TLS for some names, no longer for others",
        ),
        (no_longer, f"no longer {_require(no_longer)} TLS", "would no longer require TLS"),
        (
            duplicates,
            f"{_duplicates(duplicates)} removed",
            f"{_duplicates(duplicates)} to remove",
        ),
        (others, "comment or spelling only", "comment or spelling only"),
    ]
    return [f"{count} {would if check_mode else done}" for count, done, would in parts if count]


def _require(count: int) -> str:
    return "requires" if count == 1 else "require"


def _duplicates(count: int) -> str:
    return "duplicate" if count == 1 else "duplicates"


def failure_message(
    failures: t.Sequence[t.Mapping[str, t.Any]], done: str, is_preview: bool = False
) -> str:
    """Return what failed, grouped by reason, what was held back or not attempted, and what was done.

    Arguments:
        failures: as `Failure.result` returns them.
        done: the summary of what was changed or, in a preview, would be.
    """
    groups: dict[str, list[t.Mapping[str, t.Any]]] = {}
    held_back = [failure for failure in failures if failure["kind"] == HELD_BACK]
    not_attempted = [failure for failure in failures if failure["kind"] == NOT_ATTEMPTED]
    for failure in failures:
        if failure["kind"] not in (HELD_BACK, NOT_ATTEMPTED):
            key = DUPLICATES if failure["kind"] == DUPLICATES else failure["reason"]
            groups.setdefault(key, []).append(failure)
    by_size = sorted(groups.values(), key=len, reverse=True)
    sentences = [_group_sentence(group) for group in by_size[:MAX_REASONS]]
    if len(by_size) > MAX_REASONS:
        more = sum(map(len, by_size[MAX_REASONS:]))
        sentences.append(f"{more} more failed for other reasons; see failures")
    if held_back:
        reasons = {failure["reason"].partition(";")[0] for failure in held_back}
        why = reasons.pop() if len(reasons) == 1 else "held back because related changes failed"
        domains = listing([failure["domain"] for failure in held_back], MAX_DOMAINS)
        sentences.append(f"{_changes_were(len(held_back))} {why} ({domains})")
    if not_attempted:
        why = not_attempted[0]["reason"].partition(";")[0]
        sentences.append(f"{_changes_were(len(not_attempted))} {why}")
    rest = f". Plan: {done}" if is_preview else f". Result: {done}. Run again to finish the rest."
    return shortened(". ".join(sentences), MAX_MESSAGE_LENGTH - len(rest)) + rest


def single_failure_message(failure: t.Mapping[str, t.Any]) -> str:
    """Return why the only change of a task failed."""
    problem, semicolon, rest = failure["reason"].partition("; ")
    target = "" if failure["action"] == ENTRY else f" for {failure['domain']}"
    return shortened(f"{problem}{target}{semicolon}{rest}", MAX_MESSAGE_LENGTH)


def _changes_were(count: int) -> str:
    return f"{count} change was" if count == 1 else f"{count} changes were"


def _group_sentence(group: list[t.Mapping[str, t.Any]]) -> str:
    problem, semicolon, rest = group[0]["reason"].partition("; ")
    domains = listing([failure["domain"] for failure in group], MAX_DOMAINS)
    if group[0]["kind"] == DUPLICATES:
        if len(group) == 1:
            return str(group[0]["reason"])
        advice = rest.partition(" (IDs ")[0]
        return (
            f"{len(group)} domains are on the account more than once ({domains}){semicolon}{advice}"
        )
    counts: dict[str, int] = {}
    for failure in group:
        counts[failure["action"]] = counts.get(failure["action"], 0) + 1
    targets = " and ".join(
        f"{count} {_NOUNS[action][count > 1]}" for action, count in counts.items()
    )
    return f"{problem} for {targets} ({domains}){semicolon}{rest}"
