# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a preview or a run, as a web page, as Markdown or as JSON. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
import typing as t
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Account,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_counts import (
    counts_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    affected_by,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_json import (
    json_report,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_markdown import (
    markdown_report,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_notes import (
    notes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import (
    visible,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_tree import (
    tree_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    EXPLANATION,
    NOT_READ,
    VOID,
    authors_of,
    filters_of,
    heading_of,
    kind_of,
    labels_of,
    noun_of,
    problem_heading_of,
    shown_account,
    shown_list,
    shown_messages,
    shown_prune,
    shown_time,
    sides_of,
)
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact

Records = t.Sequence[t.Mapping[str, t.Any]]

__all__ = ["Report", "html_report", "json_report", "markdown_report"]

# They add about as much to the page as their data.
MAX_CHANGES_WITHOUT_SCRIPTS = 1_000

_ASSETS = Path(__file__).parent / "report"


@dataclass(frozen=True)
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


def html_report(report: Report) -> str:
    """Return the report as one HTML file that loads nothing."""
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FileSystemLoader(_ASSETS)
    )
    environment.filters.update(visible=visible, messages=shown_messages)
    changes, affected = changes_of(report), affected_by(report)
    style, script = _asset("report.css"), _asset("report.js")
    return environment.get_template("report.html.j2").render(
        title=heading_of(report),
        report=report,
        kind=kind_of(report),
        account=shown_account(report),
        source=shown_list(report),
        prune=shown_prune(report),
        time=shown_time(report.time),
        counts=counts_of(report),
        not_read=NOT_READ if report.restrictions is None else "",
        authors=authors_of(report),
        explanation=EXPLANATION,
        notes=notes_of(report),
        problem_heading=problem_heading_of(report),
        noun=noun_of(report),
        sides=sides_of(report),
        changes=changes,
        affected=affected,
        days=report.impact.days if report.impact else 0,
        max_changes=MAX_CHANGES_WITHOUT_SCRIPTS,
        data=_data(
            {
                "noun": noun_of(report),
                "labels": labels_of(report),
                "filters": filters_of(report),
                "void": VOID,
                "hasImpact": report.impact is not None,
                "affected": [vars(row) for row in affected],
                "changes": [vars(change) for change in changes],
                "restrictions": [vars(row) for row in tree_of(report)],
            }
        ),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
    )


def _asset(name: str) -> Markup:
    return Markup((_ASSETS / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    """Return the hash by which a content security policy allows an inline text."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def _data(data: t.Any) -> Markup:
    """Return JSON that is safe in a script element: nothing in it is markup."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
