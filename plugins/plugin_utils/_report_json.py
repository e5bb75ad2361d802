# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as JSON, for programs; `docs/report.schema.json` describes it. Pure.

Unlike the other forms, it contains all values exactly as they are, so that changes can be reversed.
Characters that cannot be seen are escaped. All others are not, so that people can read a diff.
"""

from __future__ import annotations

import json
import re
import typing as t
from datetime import timezone

from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    by_domain,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import EFFECTS
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    OUTCOME_UNKNOWN,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    RECORD_FIELDS,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    Record,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    account_is,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    number_of_affected,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    ACTIONS,
    kind_of,
    shown_effect,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

# It changes if a program that reads a report has to change.
SCHEMA_VERSION = 1

_FAILURE_FIELDS = ("domain", "action", "kind", "reason", "status", "code")
_SENDER_FIELDS = ("name", "messages", "at_least", "first_seen", "last_seen", "delivery_modes")
_FINDING_FIELDS = ("domain", "kind", "message")
_NOT_ASCII = re.compile(r"[^\n -~]")

Values = t.Dict[str, t.Any]


def json_report(report: Report) -> str:
    """Return the report as JSON whose keys and rows are in the same order each time."""
    text = json.dumps(_document(report), indent=2, ensure_ascii=False)
    return _NOT_ASCII.sub(_escaped_if_invisible, text) + "\n"


def _document(report: Report) -> Values:
    findings = report.findings
    changes = _changes(report)
    return {
        "schema_version": SCHEMA_VERSION,
        "collection_version": report.version or None,
        "kind": kind_of(report),
        "status": report.status,
        "changed": report.changed,
        "title": report.title or None,
        "note": report.note or None,
        "account_id": report.account_id or None,
        "list": report.list_file or None,
        "prune": report.prune,
        "time": report.time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "summary": report.summary or None,
        "problem": report.problem or None,
        "problem_kind": report.problem_kind or None,
        "counts": _counts(report),
        "effects": {effect: len(group) for effect, group in changes.items()},
        "changes": changes,
        "impact": _impact(report),
        "failures": by_domain(_fields(failure, _FAILURE_FIELDS) for failure in report.failures),
        "findings": None
        if findings is None
        else [_fields(finding, _FINDING_FIELDS) for finding in findings],
        "warnings": list(report.warnings),
        "unlisted": list(report.unlisted),
        "restrictions": None
        if report.restrictions is None
        else by_domain(map(_record, report.restrictions)),
    }


def _counts(report: Report) -> dict[str, int | None]:
    """Return the numbers of a report; `None` for those that are not known."""
    account = (
        "restrictions",
        "domains",
        "domains_with_exclusions",
        "exclusions",
        "effective_exclusions",
    )
    unknown = [failure for failure in report.failures if failure["kind"] == OUTCOME_UNKNOWN]
    run = {
        "created": len(report.created),
        "updated": len(report.updated),
        "deleted": len(report.deleted),
        "unchanged": report.unchanged,
        "unlisted": len(report.unlisted),
        "failures": len(report.failures),
        "outcome_unknown": len(unknown),
    }
    return {
        **(report.account.numbers() if report.account else dict.fromkeys(account)),
        **(run if report.summary else dict.fromkeys(run)),
        "affected_senders": number_of_affected(report),
        "findings": None if report.findings is None else len(report.findings),
        "warnings": len(report.warnings),
    }


def _changes(report: Report) -> dict[str, list[Values]]:
    """Return the changes by their effect on mail, sorted by domain."""
    groups: dict[str, list[Values]] = {effect: [] for effect in EFFECTS}
    for action in ACTIONS:
        for record in report.records(action):
            change = {**_change(action, record), "account_is": account_is(report, record)}
            groups[shown_effect(record)].append(change)
    return {effect: by_domain(group) for effect, group in groups.items()}


def _change(action: str, record: Record) -> Values:
    is_update, is_delete = action == "update", action == "delete"
    previous = record.get("previous") if is_update else record if is_delete else None
    return {
        "domain": record["domain"],
        "action": action,
        "duplicate_of": record.get("duplicate_of"),
        "previous": _record(previous) if previous else None,
        "new": None if is_delete else _record(record),
    }


def _impact(report: Report) -> Values | None:
    """Return whom the changes affect, by the domain of the restriction because of which they do."""
    impact = report.impact
    if impact is None:
        return None
    domains = [
        {
            "domain": domain,
            "problem": impact.unknown.get(domain),
            "senders": [
                {**_fields(sender, _SENDER_FIELDS), "effect": shown_effect(sender)}
                for sender in impact.senders.get(domain, ())
            ],
        }
        for domain in {**impact.senders, **impact.unknown}
    ]
    return {"days": impact.days, "domains": by_domain(domains)}


def _record(record: Record) -> Values:
    """Return the fields of the API; `exclude` is a set, so that it is sorted."""
    return {**_fields(record, RECORD_FIELDS), "exclude": sorted(record.get("exclude") or [])}


def _fields(values: Record, names: t.Iterable[str]) -> Values:
    return {name: values.get(name) for name in names}


def _escaped_if_invisible(match: re.Match[str]) -> str:
    character = match.group()
    return character if character.isprintable() else json.dumps(character)[1:-1]
