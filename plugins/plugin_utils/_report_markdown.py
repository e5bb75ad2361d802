# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as Markdown, for the comment of a pull request. Pure.

Untrusted text appears only in code spans and code blocks. There it cannot mention people,
refer to issues, or become a link, a table or HTML.
"""

from __future__ import annotations

import bisect
import itertools
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import shortened
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    Change,
    Fact,
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_counts import (
    counts_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    Affected,
    affected_by,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_notes import (
    Group,
    notes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import (
    visible,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_tree import (
    Row,
    tree_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    EXPLANATION,
    NOT_READ,
    SIDES_OF_DIFFERENCES,
    TITLE,
    VOID,
    authors_of,
    kind_of,
    labels_of,
    problem_heading_of,
    shown_account,
    shown_list,
    shown_messages,
    shown_prune,
    shown_time,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

# Characters. GitHub accepts 65,536 in a comment, and a CI job may add some of its own.
MAX_LENGTH = 60_000
# The room that each section gets, however long those before it are.
MIN_SECTION = 4_000
MAX_LINE = 300
MAX_PROBLEM = 2_000
# Lines of one item, such as the names in `exclude`; of a change, on each of its two sides.
MAX_LINES = 10
# Characters. Of two comments that share more than this at the start, only the end of that is shown.
MAX_SHARED = 150
SHOWN_SHARED = 50


@dataclass(frozen=True)
class _Section:
    """A heading and items, each of which is shown as a whole or left out.

    Attributes:
        heading: may be empty.
        block: the language of the code block around the items; empty if they are a list.
        is_folded: only the heading is shown at first.
    """

    heading: str
    items: list[str]
    block: str = ""
    is_folded: bool = False

    def render(self, room: int) -> str:
        """Return the section in at most `room` characters."""
        start, end = f"\n### {self.heading}\n\n" if self.heading else "\n", ""
        if self.is_folded:
            start, end = f"\n<details><summary>{self.heading}</summary>\n\n", "\n</details>\n"
        if self.block:
            fence = "`" * max(3, 1 + _longest_run("".join(self.items)))
            start, end = f"{start}{fence}{self.block}\n", f"{fence}\n{end}"
        lines = [f"{item}\n" for item in self.items]
        room -= len(start) + len(end)
        if sum(map(len, lines)) <= room:
            return start + "".join(lines) + end
        more = "\n… and {:,} more, see the full report.\n"
        lengths = [*itertools.accumulate(map(len, lines), initial=len(more.format(len(lines))))]
        shown = max(0, bisect.bisect(lengths, room) - 1)
        return start + "".join(lines[:shown]) + end + more.format(len(lines) - shown)


def markdown_report(report: Report) -> str:
    """Return the report in at most `MAX_LENGTH` characters, with counts of what is left out."""
    text = _head(report)
    sections = [section for section in _sections(report) if section.items]
    for number, section in enumerate(sections):
        reserved = sum(len(later.render(MIN_SECTION)) for later in sections[number + 1 :])
        text += section.render(MAX_LENGTH - len(text) - reserved)
    return text


def _head(report: Report) -> str:
    counts = counts_of(report)
    title = f" {_code(report.title)}" if report.title else ""
    # One row each: side by side, they would be wider than the comment of a pull request.
    table = [("At a glance", ""), ("---", "---:")]
    table += [(_capitalized(count.label), count.text) for count in counts]
    parts = [
        f"## {TITLE}{title}: {kind_of(report)}",
        EXPLANATION,
        _code(report.note, MAX_PROBLEM) if report.note else "",
        f"{problem_heading_of(report)}: {_code(report.problem, MAX_PROBLEM)}"
        if report.problem
        else "",
        _code(report.summary) if report.summary else "",
        "\n".join(f"| {name} | {text} |" for name, text in table),
        NOT_READ if report.restrictions is None else "",
        f"Account {_code(shown_account(report))}, list from {_code(shown_list(report))},"
        f" prune {shown_prune(report)}, {shown_time(report.time)}",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _sections(report: Report) -> t.Iterator[_Section]:
    notes = [
        _Section(heading, [_note(group) for group in groups] if groups[0].kind else _list(groups))
        for heading, groups in notes_of(report).items()
    ]
    # Nobody scrolls to a warning below hundreds of changes.
    warnings = [section for section in notes if section.heading.startswith("Warnings")]
    notes = [section for section in notes if section not in warnings]
    if notes and notes[0].heading.startswith("Failures"):
        yield notes.pop(0)
    affected = [_sender(row) for row in affected_by(report)]
    yield _Section(f"Who is affected ({len(affected):,})", affected, "text")
    if report.impact and report.impact.unknown:
        yield notes.pop(0)
    yield from warnings
    changes, labels = changes_of(report), labels_of(report)
    # The colors of a diff would tell people to undo what a colleague did.
    block = "text" if report.is_comparison else "diff"
    show = _difference if report.is_comparison else _change
    for status, label in labels.items():
        items = [show(change) for change in changes if change.statuses[0] == status]
        yield _Section(f"{_capitalized(label)} ({len(items):,})", items, block)
    yield _Section("", [*filter(None, [authors_of(report)])])
    yield from notes
    rows = [_row(row) for row in tree_of(report)]
    yield _Section(f"Restrictions on the account ({len(rows):,})", rows, "text", is_folded=True)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(groups: list[Group]) -> list[str]:
    return [f"- {_code(line)}" for group in groups for line in group.lines]


def _note(group: Group) -> str:
    """Return a kind of failures or findings, and its lines below it."""
    title = f"- {group.kind} ({len(group.lines):,})"
    if group.text:
        title += f": {_code(group.text)}"
    return "\n".join([title, *_some([f"  - {_code(line)}" for line in group.lines], "  - ")])


def _change(change: Change) -> str:
    """Return a change as lines of a diff."""
    is_delete = change.after is None or "duplicate" in change.statuses
    mark = "+" if change.before is None else "-" if is_delete else "!"
    return "\n".join([f"{mark} {_heading(change)}", *_facts(change, ("-   ", "+   "))])


def _difference(change: Change) -> str:
    """Return a difference between the account and the list as lines of text."""
    return "\n".join(
        [_heading(change), *_facts(change, [f"    {side}: " for side in SIDES_OF_DIFFERENCES])]
    )


def _heading(change: Change) -> str:
    notes = [*change.labels[1:], change.note]
    note = "".join(f" ({text})" for text in (*notes, ", ".join(change.times)) if text)
    return _line(change.domain + note)


def _facts(change: Change, starts: t.Sequence[str]) -> list[str]:
    """Return the lines of both sides of a change, which begin as `starts` says."""
    before, after = _lines(change.before), _lines(change.after)
    if before and after:
        # The comment comes last.
        shared = _shared(before[-1], after[-1])
        if shared > MAX_SHARED:
            start = f"{before[-1].partition(' ')[0]} …{before[-1][shared - SHOWN_SHARED : shared]}"
            for side in (before, after):
                side[-1] = start + side[-1][shared:]
    return [
        line
        for start, lines in zip(starts, (before, after))
        for line in _some([f"{start}{_line(line)}" for line in lines], start)
    ]


def _sender(row: Affected) -> str:
    """Return a name that changes affect, as one line."""
    last = f", last on {row.last[:10]}" if row.last else ""
    return _line(
        f"{row.domain}: {shown_messages(row.messages)}{last}, {row.labels[0]}, because of {row.cause}"
    )


def _lines(facts: list[Fact] | None) -> list[str]:
    return [_flat(": ".join(fact)) for fact in facts or ()]


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts share at the start."""
    return sum(1 for _pair in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other)))


def _row(row: Row) -> str:
    indent = "  " * row.level
    void = dict.fromkeys(row.void, f" ({VOID})")
    lines = [f"{indent}    exclude: {_line(name)}{void.get(name, '')}" for name in row.exclude]
    if row.comments:
        lines.insert(0, f"{indent}    comments: {_line(row.comments)}")
    if row.messages:
        lines.insert(0, f"{indent}    messages of affected senders: {row.messages}")
    name = f"{row.domain} (ID {row.id})" if row.id else row.domain
    return "\n".join([f"{indent}{_line(name)}", *_some(lines, f"{indent}    ")])


def _some(lines: list[str], indent: str) -> list[str]:
    """Return the first lines, and one with the number of those left out."""
    rest = len(lines) - MAX_LINES
    return [*lines[:MAX_LINES], f"{indent}… and {rest:,} more"] if rest > 0 else lines


def _line(text: str, limit: int = MAX_LINE) -> str:
    return shortened(_flat(text), limit)


def _flat(text: str) -> str:
    return visible(text).replace("\n", " ↵ ")


def _code(text: str, limit: int = MAX_LINE) -> str:
    """Return a code span, which only a run of as many backticks can end."""
    fence = "`" * (1 + _longest_run(text))
    return f"{fence} {_line(text, limit)} {fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
