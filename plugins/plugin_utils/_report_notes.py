# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The notes of a report for its reader: failures, findings, warnings and the like. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Record,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import (
    shown_name,
    visible,
    with_both_forms,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    ACTIONS,
    has_succeeded_in_comparing,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report


@dataclass
class Group:
    """Lines of one kind; if there is a text, the lines are the names that it is about."""

    kind: str
    text: str = ""
    lines: list[str] = field(default_factory=list)


def notes_of(report: Report) -> dict[str, list[Group]]:
    """Return the notes for the reader, by heading; those without lines are left out."""
    unlisted = [shown_name(name) for name in report.unlisted]
    unknown = report.impact.unknown if report.impact else {}
    notes = {
        "Failures": _groups(
            () if has_succeeded_in_comparing(report) else report.failures,
            "reason",
            lambda failure: _target(failure["domain"], failure["action"]),
        ),
        "Domains whose senders are not fully known": _groups(
            [
                {"domain": domain, "kind": "more_senders_are_possible", "reason": unknown[domain]}
                for domain in sorted(unknown)
            ],
            "reason",
            lambda searched: shown_name(searched["domain"]),
        ),
        "Findings": _groups(
            report.findings or (), "message", lambda finding: shown_name(finding["domain"])
        ),
        "Warnings": [Group("", "", [*map(with_both_forms, report.warnings)])],
        "On the account but not in the list": [
            Group(
                "",
                f"They {'are ignored' if report.is_comparison else 'stay'}, because prune is off.",
                unlisted,
            )
        ],
    }
    return {
        f"{heading} ({sum(len(group.lines) for group in groups):,})": groups
        for heading, groups in notes.items()
        if any(group.lines for group in groups)
    }


def _groups(items: t.Iterable[Record], text: str, line: t.Callable[[Record], str]) -> list[Group]:
    """Group items with the same text, and the others by kind; the largest groups come first."""
    by_text: dict[tuple[str, str], list[Record]] = {}
    for item in items:
        by_text.setdefault((item["kind"], item[text]), []).append(item)
    groups: dict[tuple[str, str], Group] = {}
    for (kind, words), same in by_text.items():
        title, words = visible(kind.replace("_", " ").capitalize()), with_both_forms(words)
        if len(same) > 1:
            groups[kind, words] = Group(title, words, [*map(line, same)])
        else:
            group = groups.setdefault((kind, ""), Group(title))
            # Without a domain, it is about the whole account.
            domain = same[0]["domain"]
            is_named = not domain or domain in same[0][text]
            group.lines.append(words if is_named else f"{line(same[0])}: {words}")
    return sorted(groups.values(), key=lambda group: -len(group.lines))


def _target(domain: str, action: str) -> str:
    return f"{shown_name(domain)} ({action})" if action in ACTIONS else shown_name(domain)
