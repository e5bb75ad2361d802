# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as a web page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import typing as t
from pathlib import Path

from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_counts import (
    counts_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    affected_by,
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
from markupsafe import Markup, escape

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

# The changes that the page lists for browsers without scripts add about as much to it as its data.
MAX_CHANGES_WITHOUT_SCRIPTS = 1_000

_ASSETS = Path(__file__).parent / "report"


def html_report(report: Report) -> str:
    """Return the report as one HTML file that loads nothing."""
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FileSystemLoader(_ASSETS)
    )
    environment.filters.update(visible=visible, messages=shown_messages, dated=_dated)
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


def _dated(text: str) -> Markup:
    """Return the text as HTML that browsers do not break within a date."""
    escaped = str(escape(text))
    return Markup(re.sub(r"\d{4}-\d\d-\d\d", r'<span class="date">\g<0></span>', escaped))


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
