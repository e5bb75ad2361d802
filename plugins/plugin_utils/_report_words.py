# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report calls things, by its kind: a preview, a result or a comparison. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    BOTH,
    COMMENT_OR_SPELLING,
    DUPLICATE_REMOVED,
    EFFECTS,
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import REFUSED
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Record,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import visible

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

# What Cloudflare's dashboard calls sending domain restrictions.
TITLE = "Partner domain TLS"
EXPLANATION = (
    "Mail from these domains and their subdomains is dropped if it arrives without TLS, except from"
    " the exempt names."
)
NOT_READ = "The account was not read to the end, because the run failed."
_AUTHORS = (
    "Who changed a restriction is in the account's audit log in the Cloudflare dashboard; changes of"
    " comments are not in it."
)

ACTIONS = ("create", "update", "delete")

# What the statuses of changes are called, by kind of report. What drops mail comes first.
LABELS = {
    "preview": {
        "newly": "would newly require TLS",
        "both": "would newly require TLS for some names, no longer for others",
        "no-longer": "would no longer require TLS",
        "duplicate": "duplicate to remove",
        "other": "comment or spelling only",
    },
    "result": {
        "newly": "newly requires TLS",
        "both": "newly requires TLS for some names, no longer for others",
        "no-longer": "no longer requires TLS",
        "duplicate": "duplicate removed",
        "other": "comment or spelling only",
    },
    "comparison": {
        "weaker": "weaker than the list",
        "both": "weaker than the list for some names, stricter for others",
        "stricter": "stricter than the list",
        "duplicate": "more than once on the account",
        "same": "comment or spelling only",
        "extra": "only on the account",
        "missing": "missing on the account",
        "different": "different",
    },
}
# Whom changes that were not made would have affected.
_LABELS_OF_UNDONE = {
    f"undone-{status}": LABELS["preview"][status] for status in ("newly", "both", "no-longer")
}
# The statuses of changes by what they do to mail.
STATUSES_OF_EFFECTS = {
    NEWLY_REQUIRES_TLS: "newly",
    BOTH: "both",
    NO_LONGER_REQUIRES_TLS: "no-longer",
    DUPLICATE_REMOVED: "duplicate",
    COMMENT_OR_SPELLING: "other",
}
# What is said about an exclude entry if another restriction requires TLS from its name.
VOID = "listed as exempt, but needs TLS"
# What the two sides of changes are called.
_SIDES_OF_CHANGES = ("before", "after")
SIDES_OF_DIFFERENCES = ("on the account", "in the list")

# What is said about a restriction that exempts names without saying why.
UNCOMMENTED = "with exempt names but no comment"
# The filters of restrictions beside their statuses, and for some of them a number of days.
EXEMPT_FILTER, UNCOMMENTED_FILTER, VOID_FILTER = "exempt", "uncommented", "void"
RECENT_DAYS = {"week": 7, "month": 30}


def kind_of(report: Report) -> str:
    """Return what kind of report this is: `preview`, `result` or `comparison`."""
    if report.is_comparison:
        return "comparison"
    return "preview" if report.is_preview else "result"


def noun_of(report: Report) -> str:
    """Return what a change of the report is called."""
    return "difference" if report.is_comparison else "change"


def sides_of(report: Report) -> tuple[str, str]:
    """Return what the two sides of a change are called."""
    return SIDES_OF_DIFFERENCES if report.is_comparison else _SIDES_OF_CHANGES


def labels_of(report: Report) -> dict[str, str]:
    """Return what the statuses of changes and rows are called."""
    return {
        **LABELS[kind_of(report)],
        **(_LABELS_OF_UNDONE if kind_of(report) == "result" else {}),
        "failed": "failed",
        "unlisted": "not in the list",
        "finding": "finding",
    }


def filters_of(report: Report) -> dict[str, str]:
    """Return what the filters of restrictions are called, beside those for their statuses."""
    recent = {name: f"changed in the last {days} days" for name, days in RECENT_DAYS.items()}
    return {
        EXEMPT_FILTER: "with exempt names",
        UNCOMMENTED_FILTER: UNCOMMENTED,
        VOID_FILTER: VOID,
        **recent,
    }


def heading_of(report: Report) -> str:
    """Return the first heading of the report: what it is about."""
    return f"{TITLE}: {visible(report.title)}" if report.title else TITLE


def problem_heading_of(report: Report) -> str:
    """Return what a run is called that has a problem."""
    if report.status != REFUSED:
        return "The run failed"
    return "Refused after some changes" if report.changed else "Refused, nothing was changed"


def authors_of(report: Report) -> str:
    """Return where to find who changed a restriction, if there is one."""
    has_rows = report.restrictions or any(report.records(action) for action in ACTIONS)
    return _AUTHORS if has_rows else ""


def shown_account(report: Report) -> str:
    return visible(report.account_id) or "set by CLOUDFLARE_ACCOUNT_ID"


def shown_list(report: Report) -> str:
    return visible(report.list_file) or "a variable"


def shown_prune(report: Report) -> str:
    return "on" if report.prune else "off"


def shown_messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def shown_time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M %Z}"


def shown_effect(record: Record) -> str:
    """Return the effect of a change on mail, one of `EFFECTS`.

    A secret that is one letter may have masked it; then it could be anything.
    """
    return record["effect"] if record.get("effect") in EFFECTS else BOTH


def has_succeeded_in_comparing(report: Report) -> bool:
    """Return whether this is a comparison whose only failures are duplicates, which are differences."""
    return report.is_comparison and not report.problem
