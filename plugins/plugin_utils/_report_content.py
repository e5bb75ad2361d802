# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report shows, whatever its format. Pure.

Texts of the account, of the list and of messages are untrusted. Those that are returned have no
invisible characters, but they are not escaped: that depends on the format.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta, timezone

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    parents,
    unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._effect import (
    BOTH,
    COMMENT_OR_SPELLING,
    DUPLICATE_REMOVED,
    EFFECTS,
    NEWLY_REQUIRES_TLS,
    NO_LONGER_REQUIRES_TLS,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    listing,
    minute_of,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._run_result import REFUSED
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_account import (
    account_restriction,
)

if t.TYPE_CHECKING:
    from datetime import datetime

    from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

Record = t.Mapping[str, t.Any]
# A field, `exclude` or `comments`, and what it has: an exempt subdomain or the comment.
Fact = t.Tuple[str, str]

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
_LABELS = {
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
# What they are called if they are true of some of the names that a restriction covers.
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
# Whom changes would have affected that were not made.
_LABELS_OF_UNDONE = {
    f"undone-{status}": _LABELS["preview"][status] for status in ("newly", "both", "no-longer")
}
_STATUSES_OF_EFFECTS = {
    NEWLY_REQUIRES_TLS: "newly",
    BOTH: "both",
    NO_LONGER_REQUIRES_TLS: "no-longer",
    DUPLICATE_REMOVED: "duplicate",
    COMMENT_OR_SPELLING: "other",
}
# How the account differs if this would be the effect of making it equal to the list.
_ACCOUNT_IS = {
    NEWLY_REQUIRES_TLS: "weaker",
    BOTH: "both",
    NO_LONGER_REQUIRES_TLS: "stricter",
    DUPLICATE_REMOVED: "same",
    COMMENT_OR_SPELLING: "same",
}
_DIFFERENCES = {"create": "missing", "update": "different", "delete": "extra"}
# These have a count only if there is such a change.
_RARE = {"both", "duplicate", "same"}
NO_COUNT = "not read"
# What is said about an exclude entry if another restriction requires TLS from its name.
VOID = "listed as exempt, but needs TLS"
# What the two sides of changes are called.
_IGNORED = "not in the list (ignored, because prune is off)"
_SIDES_OF_CHANGES = ("before", "after")
SIDES_OF_DIFFERENCES = ("on the account", "in the list")

# The filters of restrictions beside their statuses, and for some of them a number of days.
_EXEMPT, _UNCOMMENTED, _VOID = "exempt", "uncommented", "void"
_UNCOMMENTED_LABEL = "with exempt names but no comment"
_RECENT = {"week": 7, "month": 30}

# A name with an A-label that no message shows in its other form yet.
_A_LABELS = re.compile(r"(?<![\w.-])(?=[\w.-]*xn--)[\w.-]*\w(?![.-]?\w| \()", re.IGNORECASE)
# Joiners are part of emoji and of some scripts; elsewhere they only disguise a text.
_CHARACTER = re.compile("(?P<kept>[\n\t]|(?<=[^\0-\x7f])[\u200c\u200d](?=[^\0-\x7f]))|.", re.DOTALL)


@dataclass(frozen=True)
class Count:
    """One of the numbers that a report starts with; `key` is its status, if it counts changes."""

    key: str
    label: str
    text: str


@dataclass(frozen=True)
class Change:
    """A restriction that was changed, or would be.

    Attributes:
        statuses: those of `_LABELS`; what matters most to mail comes first.
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


@dataclass(frozen=True)
class Row:
    """A restriction on the account, in the tree of domains.

    Attributes:
        statuses: those of its change, or else `failed` or `unlisted`, and `finding`.
        labels: what they are called.
        filters: those of `filters_of` that show it.
        messages: how many the senders sent that the changes of its domain affect; empty if they
            were not searched for.
        level: how many domains with a restriction there are above.
        parent: the nearest of them.
        id: its ID, if there are others for the same domain.
        void: those of the exempt names that need TLS all the same.
    """

    statuses: list[str]
    labels: list[str]
    domain: str
    id: str
    level: int
    parent: str
    exclude: list[str]
    void: list[str]
    comments: str
    created: str
    modified: str
    filters: list[str]
    messages: str


@dataclass(frozen=True)
class Affected:
    """A name that sent messages, and that needs TLS only after or only before the changes.

    Attributes:
        statuses: one of `_LABELS`.
        labels: what it is called.
        cause: the restriction because of which it does, and what was done to it.
        delivery: how its messages reached Cloudflare.
    """

    statuses: list[str]
    labels: list[str]
    domain: str
    cause: str
    messages: int
    first: str
    last: str
    delivery: str


@dataclass
class Group:
    """Lines of one kind; if there is a text, the lines are the names that it is about."""

    kind: str
    text: str = ""
    lines: list[str] = field(default_factory=list)


def visible(text: str) -> str:
    """Return a text with codes such as [U+202E] for invisible characters, except spaces and breaks.

    Some of them, the bidirectional controls, make a text look like another one.
    """
    if text.isprintable():
        return text
    return _CHARACTER.sub(_visible_character, text.replace("\r\n", "\n"))


def shown_name(name: str) -> str:
    """Return a name; if it is internationalized, with its other form next to it."""
    if name.isascii() and "xn--" not in name.lower():
        return visible(name)
    key = comparison_key(name)
    other = unicode_form(key) if name.isascii() else key
    return visible(name if other.isascii() == name.isascii() else f"{name} ({other})")


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
        **_LABELS[kind_of(report)],
        **(_LABELS_OF_UNDONE if kind_of(report) == "result" else {}),
        "failed": "failed",
        "unlisted": "not in the list",
        "finding": "finding",
    }


def filters_of(report: Report) -> dict[str, str]:
    """Return what the filters of restrictions are called, beside those for their statuses."""
    recent = {name: f"changed in the last {days} days" for name, days in _RECENT.items()}
    return {
        _EXEMPT: "with exempt names",
        _UNCOMMENTED: _UNCOMMENTED_LABEL,
        _VOID: VOID,
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


def number_of_affected(report: Report) -> int | None:
    """Return how many senders the changes affect; `None` if nobody asked."""
    return None if report.impact is None else sum(map(len, report.impact.senders.values()))


def shown_effect(record: Record) -> str:
    """Return the effect of a change on mail, one of `EFFECTS`.

    A secret that is one letter may have masked it; then it could be anything.
    """
    return record["effect"] if record.get("effect") in EFFECTS else BOTH


def account_is(report: Report, record: Record) -> str | None:
    """Return whether the account is weaker than the list, and the like; `None` without comparison."""
    return _ACCOUNT_IS[shown_effect(record)] if report.is_comparison else None


def counts_of(report: Report) -> list[Count]:
    """Return the numbers that the report starts with.

    Without a plan, there are no numbers of changes and failures. Duplicates are counted apart from
    the domains that lose their protection, and only if there are any.
    """
    partners = number = exclusions = NO_COUNT
    if report.account is not None:
        account = report.account.numbers()
        number, exclusions = f"{account['restrictions']:,}", f"{account['exclusions']:,}"
        if account["effective_exclusions"] < account["exclusions"]:
            exclusions += f" listed, {account['effective_exclusions']:,} effective"
        partners = f"{account['domains_with_exclusions']:,} of {account['domains']:,}"
    counts = [
        Count("restrictions", "restrictions", number),
        Count("partners", "partners with exempt names", partners),
        Count("exclusions", "exempt names", exclusions),
    ]
    uncommented = sum(map(_is_uncommented, report.restrictions or ()))
    if uncommented:
        counts.append(Count("uncommented", _UNCOMMENTED_LABEL, f"{uncommented:,}"))
    affected = number_of_affected(report)
    if affected is not None:
        counts.append(Count("affected", "affected senders", f"{affected:,}"))
    if report.summary:
        # What a change does to mail counts once, as in the summary.
        number_of_statuses = None if report.is_comparison else 1
        numbers = Counter(
            status
            for change in changes_of(report)
            for status in change.statuses[:number_of_statuses]
        )
        # An account with restrictions that are ignored does not have "0 only on the account".
        rare = {*_RARE, "extra"} if report.is_comparison and report.unlisted else _RARE
        if report.status == REFUSED:
            rare = {*_LABELS[kind_of(report)]}
        counts += [
            Count(status, label, f"{numbers[status]:,}")
            for status, label in _LABELS[kind_of(report)].items()
            if numbers[status] or status not in rare
        ]
        if report.is_comparison and report.unlisted:
            counts.append(Count("unlisted", _IGNORED, f"{len(report.unlisted):,}"))
        # A run that failed as a whole does not have "0 failures".
        if report.failures if report.problem else not report.is_comparison:
            counts.append(Count("failures", "failures", f"{len(report.failures):,}"))
    findings = NO_COUNT if report.findings is None else f"{len(report.findings):,}"
    return [*counts, Count("findings", "findings", findings)]


def notes_of(report: Report) -> dict[str, list[Group]]:
    """Return the notes for the reader, by heading; those without lines are left out."""
    unlisted = [shown_name(name) for name in report.unlisted]
    unknown = report.impact.unknown if report.impact else {}
    notes = {
        "Failures": _groups(
            () if _has_succeeded_in_comparing(report) else report.failures,
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
        "Warnings": [Group("", "", [*map(_with_both_forms, report.warnings)])],
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


def changes_of(report: Report) -> list[Change]:
    """Return the changes in the order of `labels_of`."""
    # Of duplicates, the one that stays is shown as it will be.
    known = {each.get("id"): each for each in (*(report.restrictions or ()), *report.updated)}
    changes = [
        _change(report, action, record, known.get(record.get("duplicate_of")))
        for action in ACTIONS
        for record in report.records(action)
    ]
    if _has_succeeded_in_comparing(report):
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


def affected_by(report: Report) -> list[Affected]:
    """Return whom the changes affect in the order of `labels_of`; most messages first."""
    if report.impact is None:
        return []
    causes = _causes(report)
    rows = [
        _affected(report, domain, causes.get(comparison_key(domain), []), sender)
        for domain, senders in report.impact.senders.items()
        for sender in senders
    ]
    order = [*labels_of(report)]
    return sorted(rows, key=lambda row: (order.index(row.statuses[0]), -row.messages, row.domain))


def tree_of(report: Report) -> list[Row]:
    """Return the restrictions of the account: each one right after those for its parent domains."""
    if report.account is None:
        return []
    restrictions = report.account.restrictions
    names = {restriction.domain: restriction.record["domain"] for restriction in restrictions}
    number_of = Counter(restriction.domain for restriction in restrictions)
    paths = {
        key: [above for above in [key, *parents(key)] if above in names][::-1] for key in names
    }
    own_statuses, labels = _statuses(report), labels_of(report)
    domains_of_findings = {finding["domain"] for finding in report.findings or ()}
    with_finding = set(map(comparison_key, filter(None, domains_of_findings)))
    messages = _messages(report)
    now = report.time.astimezone(timezone.utc)
    since = {name: f"{now - timedelta(days=days):%Y-%m-%d %H:%M}" for name, days in _RECENT.items()}
    rows = []
    for restriction in sorted(
        restrictions,
        key=lambda restriction: (
            paths[restriction.domain],
            restriction.record.get("created_at") or "",
        ),
    ):
        record, key = restriction.record, restriction.domain
        *above, _own = paths[key]
        statuses = own_statuses.get(record.get("id") or "") or own_statuses.get(key, {})
        exclude = sorted(zip(record.get("exclude") or (), restriction.listed))
        void = [shown_name(name) for name, listed in exclude if listed in report.account.void]
        modified = minute_of(record.get("modified_at") or "")
        own_filters = {
            _EXEMPT: exclude,
            _UNCOMMENTED: _is_uncommented(record),
            _VOID: void,
            **{name: modified and modified >= start for name, start in since.items()},
        }
        if with_finding and with_finding & {key, *restriction.listed}:
            statuses = {**statuses, "finding": labels["finding"]}
        rows.append(
            Row(
                [*statuses],
                [*statuses.values()],
                shown_name(record["domain"]),
                visible(record.get("id") or "") if number_of[key] > 1 else "",
                len(above),
                shown_name(names[above[-1]]) if above else "",
                [shown_name(name) for name, _listed in exclude],
                void,
                visible(record.get("comments") or ""),
                _minute(record.get("created_at") or ""),
                _minute(record.get("modified_at") or ""),
                [name for name, is_shown in own_filters.items() if is_shown],
                messages.get(key, ""),
            )
        )
    return rows


def _has_succeeded_in_comparing(report: Report) -> bool:
    """Return whether this is a comparison whose only failures are duplicates, which are differences."""
    return report.is_comparison and not report.problem


def _visible_character(match: re.Match[str]) -> str:
    character = match.group()
    is_kept = match["kept"] or character.isprintable() or unicodedata.category(character) == "Zs"
    return character if is_kept else f"[U+{ord(character):04X}]"


def _target(domain: str, action: str) -> str:
    return f"{shown_name(domain)} ({action})" if action in ACTIONS else shown_name(domain)


def _groups(items: t.Iterable[Record], text: str, line: t.Callable[[Record], str]) -> list[Group]:
    """Group items with the same text, and the others by kind; the largest groups come first."""
    by_text: dict[tuple[str, str], list[Record]] = {}
    for item in items:
        by_text.setdefault((item["kind"], item[text]), []).append(item)
    groups: dict[tuple[str, str], Group] = {}
    for (kind, words), same in by_text.items():
        title, words = visible(kind.replace("_", " ").capitalize()), _with_both_forms(words)
        if len(same) > 1:
            groups[kind, words] = Group(title, words, [*map(line, same)])
        else:
            group = groups.setdefault((kind, ""), Group(title))
            # Without a domain, it is about the whole account.
            domain = same[0]["domain"]
            is_named = not domain or domain in same[0][text]
            group.lines.append(words if is_named else f"{line(same[0])}: {words}")
    return sorted(groups.values(), key=lambda group: -len(group.lines))


def _statuses_of_change(report: Report, action: str, record: Record) -> list[str]:
    """Return what a change does to mail or, in a comparison, how the account differs."""
    direction = account_is(report, record)
    status = direction or _STATUSES_OF_EFFECTS[shown_effect(record)]
    if _is_duplicate(record):
        return ["duplicate"] if status in ("duplicate", "same") else [status, "duplicate"]
    return [status, _DIFFERENCES[action]] if direction else [status]


def _labels_of_change(report: Report, action: str, record: Record) -> dict[str, str]:
    """Return what the statuses of a change are called, by status."""
    is_partial = action == "update" or _is_duplicate(record)
    parts = _LABELS_OF_PARTS[kind_of(report)] if is_partial else {}
    labels = {**labels_of(report), **parts}
    return {status: labels[status] for status in _statuses_of_change(report, action, record)}


def _change(report: Report, action: str, record: Record, kept: Record | None) -> Change:
    """Return a change; of duplicates, `kept` is the restriction that stays, if it is known."""
    labels = _labels_of_change(report, action, record)
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


def _duplicate_note(report: Report, record: Record) -> str:
    own = f" (ID {visible(record['id'])})" if record.get("id") else ""
    stays = {"preview": ", which stays", "result": ", which stayed", "comparison": ""}
    kept = visible(record["duplicate_of"])
    return f"duplicate{own} of the restriction {kept}{stays[kind_of(report)]}"


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
    return [f"{words} {_minute(time, ' UTC')}" for words, time in times.items() if time]


def _is_uncommented(record: Record) -> bool:
    """Return whether a restriction exempts names, and nothing says why."""
    return bool(record.get("exclude")) and not record.get("comments")


def _names_note(report: Report, before: Record, after: Record) -> str:
    """Return which names need TLS only after a change or only before it, if not all names do."""
    old, new = (account_restriction(record).rule for record in (before, after))
    # The delete of a duplicate requires nothing that the one that stays did not require.
    newly = set() if _is_duplicate(before) else new.required_beyond(old)
    sides = (newly, old.required_beyond(new))
    return "; ".join(
        f"{words}: {listing([*map(shown_name, sorted(names))], MAX_NAMES)}"
        for words, names in zip(_NAMES[kind_of(report)], sides)
        if names
    )


def _causes(report: Report) -> dict[str, list[str]]:
    """Return what was done to the restrictions for each domain, or would be."""
    causes: dict[str, list[str]] = {}
    for action in ACTIONS:
        for record in report.records(action):
            actions = causes.setdefault(comparison_key(record["domain"]), [])
            if action not in actions:
                actions.append(action)
    return causes


def _affected(report: Report, domain: str, actions: list[str], sender: Record) -> Affected:
    status = _STATUSES_OF_EFFECTS[shown_effect(sender)]
    is_undone = kind_of(report) == "result" and not actions
    done = ", ".join(actions) or "not changed"
    status = f"undone-{status}" if is_undone else status
    return Affected(
        [status],
        [labels_of(report)[status]],
        shown_name(sender["name"]),
        f"{shown_name(domain)} ({done})",
        sender["messages"],
        _minute(sender["first_seen"] or ""),
        _minute(sender["last_seen"] or ""),
        visible(", ".join(sender["delivery_modes"])),
    )


def _messages(report: Report) -> dict[str, str]:
    """Return how many messages the affected senders of each changed domain sent."""
    if report.impact is None:
        return {}
    unknown = report.impact.unknown
    return {
        comparison_key(domain): f"{sum(sender['messages'] for sender in senders):,}"
        + (" or more" if domain in unknown else "")
        for domain, senders in report.impact.senders.items()
    }


def _is_duplicate(record: Record) -> bool:
    """Return whether this is the delete of a duplicate, so that its domain stays restricted."""
    return bool(record.get("duplicate_of"))


def _facts(record: Record) -> list[Fact]:
    names = sorted({comparison_key(name) for name in record.get("exclude") or []})
    comments = record.get("comments")
    return [("exclude", shown_name(name)) for name in names] + (
        [("comments", visible(comments))] if comments else []
    )


def _statuses(report: Report) -> dict[str, dict[str, str]]:
    """Return what the statuses of restrictions are called, by status.

    The keys are the IDs of the restrictions, or the domains where they have none.
    """
    labels = labels_of(report)
    failure = "duplicate" if _has_succeeded_in_comparing(report) else "failed"
    unlisted, failed = ({status: labels[status]} for status in ("unlisted", failure))
    statuses = {comparison_key(name): unlisted for name in report.unlisted}
    statuses.update((comparison_key(failure["domain"]), failed) for failure in report.failures)
    for action in ACTIONS:
        records = report.records(action)
        for record in filter(lambda record: record.get("id"), records):
            statuses[record["id"]] = _labels_of_change(report, action, record)
    return statuses


def _with_both_forms(text: str) -> str:
    """Return a text in which each internationalized name has its other form next to it."""
    return _A_LABELS.sub(lambda match: shown_name(match.group()), visible(text))


def _minute(time: str, zone: str = "") -> str:
    minute = minute_of(time)
    return f"{minute}{zone}" if minute else visible(time)
