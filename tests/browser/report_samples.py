# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports for tests, small and large."""

from __future__ import annotations

import dataclasses
import datetime

from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import Report

TIME = datetime.datetime(2026, 11, 25, 4, 30, tzinfo=datetime.timezone.utc)

EFFECTS = {
    "created": "newly_requires_tls",
    "updated": "comment_or_spelling",
    "deleted": "no_longer_requires_tls",
}

# Texts that would do something if they were not shown as text.
HOSTILE = (
    "<script>window.attacked = true</script>",
    "</script><img src=https://attacker.example onerror='window.attacked = true'>",
    "\"'><a href=javascript:alert(1)>x</a><!--",
    "{{ 7 * 7 }}{% raw %}${7 * 7}",
    "| a | b |\n|---|---|\n# heading\n- [x](javascript:alert(1))",
    "``` `` ` ```\n```\n@someone #1 **bold** https://attacker.example",
    "`````",
    "</details>\n\n<h1>x</h1>",
    "gro.elpmaxe \u202eexample.org\u2066 \u200bx\x00\x1b[31m\u2028\r\n&lt;",
)


def restriction(domain, *exclude, **fields):
    """Return a restriction as results have it; its ID is that of its domain, unless given."""
    return {
        "id": f"id-{domain}",
        "domain": domain,
        "exclude": list(exclude),
        "comments": None,
        "created_at": "2026-01-02T05:20:00.12345Z",
        "modified_at": "2026-03-04T06:30:00Z",
        **fields,
    }


def failure(domain, reason="refused", **fields):
    values = {"action": "create", "kind": "refused", "status": 400, "code": 10400}
    return {"domain": domain, "reason": reason, **values, **fields}


def finding(domain, message, kind="redundant"):
    return {"domain": domain, "kind": kind, "message": message}


def sender(name, messages, effect="newly_requires_tls", **fields):
    times = {"first_seen": "2026-11-01T07:00:00Z", "last_seen": "2026-11-20T08:30:00Z"}
    values = {
        "name": name,
        "messages": messages,
        "at_least": False,
        **times,
        "delivery_modes": ["DIRECT"],
    }
    return {**values, "effect": effect, **fields}


def report(**fields):
    """Return a report on an account without restrictions, save for the given fields.

    A change without an effect gets the usual one.
    """
    for name, effect in EFFECTS.items():
        fields[name] = [
            {"effect": "duplicate_removed" if record.get("duplicate_of") else effect, **record}
            for record in fields.get(name, [])
        ]
    empty = dict.fromkeys(("title", "note", "summary", "problem", "problem_kind"), "")
    for name in ("restrictions", "created", "updated", "deleted"):
        empty[name] = []
    for name in ("unlisted", "failures", "findings", "warnings"):
        empty[name] = []
    origin = {"account_id": "0" * 32, "list_file": "partners.yml", "time": TIME, "version": "1.2.3"}
    done = {
        "prune": False,
        "is_preview": True,
        "is_comparison": False,
        "status": "changed",
        "changed": True,
    }
    return Report(**{**origin, **done, "unchanged": 0, "impact": None, **empty, **fields})


def report_full_of(text):
    """Return a report that has the text wherever others than this collection may write."""
    known = restriction(text, text, comments=text, id=text, created_at=text, modified_at=text)
    return report(
        title=text,
        note=text,
        account_id=text,
        list_file=text,
        summary=text,
        problem=text,
        restrictions=[known],
        created=[known],
        updated=[{**known, "previous": {**known, "exclude": [], "comments": None}}],
        deleted=[{**known, "duplicate_of": text}],
        unlisted=[text],
        failures=[failure(text, text), failure("one.example", text), failure("two.example")],
        findings=[finding(text, text)],
        warnings=[text],
        impact=Impact(
            30, {text: [sender(text, 1, last_seen=text, delivery_modes=[text])]}, {text: text}
        ),
    )


def typical_report(is_preview=True):
    """Return a report with some of everything."""
    bank = restriction("bank.example", "news.bank.example", "crm.bank.example")
    press = restriction(
        "press.example",
        comments="Agreed with their Postmaster",
        created_at="2026-02-03T04:05:06Z",
    )
    return report(
        is_preview=is_preview,
        summary="2 would newly require TLS (1 to create, 1 to update, 2 to delete)",
        problem="Cloudflare refused the request for 1 create (new.example)",
        restrictions=[
            press,
            bank,
            restriction("mail.bank.example", modified_at="2026-09-09T00:00:00Z"),
            restriction("old.example"),
            restriction("twice.example", id="kept"),
            restriction("twice.example", id="duplicate"),
            restriction("xn--bcher-kva.example", *(f"x{i}.example" for i in range(9))),
            restriction("unlisted.example"),
        ],
        created=[
            restriction(
                "added.example", "news.added.example", id=None, created_at=None, modified_at=None
            )
        ],
        updated=[
            {
                **restriction("bank.example", "news.bank.example", "list.bank.example"),
                "previous": bank,
                "effect": "both",
            }
        ],
        deleted=[
            restriction("old.example"),
            restriction("twice.example", id="duplicate", duplicate_of="kept"),
        ],
        unlisted=["unlisted.example"],
        failures=[failure("new.example", "comments is too long")],
        findings=[finding("mail.bank.example", "mail.bank.example is already covered")],
        warnings=["bank.example: overlaps"],
    )


def comparison_report(**fields):
    """Return the typical report as what a comparison with the list finds."""
    outcome = {"status": "drift", "changed": False, "problem": "", "failures": []}
    summary = "The account differs from partners.yml"
    typical = dataclasses.replace(typical_report(), is_comparison=True, summary=summary)
    return dataclasses.replace(typical, **{**outcome, **fields})


def affected_report(is_preview=True):
    """Return a typical report for which somebody asked whom the changes affect."""
    impact = Impact(
        30,
        {
            "added.example": [sender("mail.added.example", 9), sender("added.example", 1)],
            "bank.example": [
                sender("crm.bank.example", 1412, first_seen=None, last_seen=None),
                sender("list.bank.example", 3, "no_longer_requires_tls", delivery_modes=[]),
            ],
            "old.example": [],
        },
        {"old.example": "not all messages were counted; lower impact_days"},
    )
    return dataclasses.replace(typical_report(is_preview), impact=impact)


def large_report(count=10_000):
    """Return a report on so many restrictions, each tenth of which is changed."""
    restrictions = [
        restriction(f"partner-{i}.example", f"news.partner-{i}.example", comments=f"Ticket {i}")
        for i in range(count)
    ]
    tenth = count // 10
    return report(
        restrictions=restrictions,
        created=[restriction(f"new-{i}.example") for i in range(tenth)],
        updated=[
            {**known, "comments": "Renewed", "previous": known} for known in restrictions[:tenth]
        ],
        deleted=restrictions[-tenth:],
        unlisted=[known["domain"] for known in restrictions[tenth : 2 * tenth]],
        failures=[failure(known["domain"]) for known in restrictions[-tenth:]],
        findings=[finding(f"partner-{i}.example", f"reason {i}") for i in range(tenth)],
        warnings=[f"warning {i}" for i in range(tenth)],
        impact=Impact(
            30, {"new-0.example": [sender(f"x{i}.new-0.example", count - i) for i in range(count)]}
        ),
    )
