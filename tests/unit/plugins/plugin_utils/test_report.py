# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of reports, and their form as HTML and Markdown; tests/browser has the page in use."""

from __future__ import annotations

import base64
import hashlib
import html
import html.parser
import json
import re
import sys
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

if sys.version_info < (3, 10):
    pytest.skip("reports are made on the controller", allow_module_level=True)

from ansible_collections.cloudflare_email.security.plugins.module_utils import _domain_name
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import summary
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _report_markdown
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_changes import (
    changes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_counts import (
    counts_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_html import (
    html_report,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_impact import (
    affected_by,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_markdown import (
    markdown_report,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_notes import (
    Group,
    notes_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_text import (
    shown_name,
    visible,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_tree import (
    tree_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_words import (
    EXPLANATION,
    LABELS,
    TITLE,
    labels_of,
)
from browser.report_samples import (
    HOSTILE,
    TIME,
    affected_report,
    comparison_report,
    failure,
    finding,
    large_report,
    report,
    report_full_of,
    restriction,
    sender,
    typical_report,
)

# Few plain characters, so that those with a meaning in HTML, Markdown or JSON meet.
HOSTILE_TEXTS = st.text(
    "ab.1 <>&\"'`~|*_[]()!#-+@{}%\\/\n\t\r\0\x1b\u202e\u2066\u200d\u2028\xad\xe9", min_size=1
)
MARKDOWN = """\
## Partner domain TLS ` Production `: preview

Mail from these domains and their subdomains is dropped if it arrives without TLS, except from\
 the exempt names.

` Commit 1a2b3c4 `

The run failed: ` 3 failed `

` 1 to create, 1 to update, 1 to delete `

| At a glance |  |
| --- | ---: |
| Restrictions | 2 |
| Partners with exempt names | 1 of 2 |
| Exempt names | 2 |
| With exempt names but no comment | 1 |
| Would newly require TLS | 1 |
| Would newly require TLS for some names, no longer for others | 1 |
| Would no longer require TLS | 0 |
| Duplicate to remove | 1 |
| Comment or spelling only | 0 |
| Failures | 3 |
| Findings | 1 |
| Warnings | 1 |

Account ` 00000000000000000000000000000000 `, list from ` partners.yml `, prune off, 2026-11-25 04:30 UTC

### Failures (3)

- Refused (2): ` common `
  - ` a.example (create) `
  - ` b.example (create) `
- Refused (1)
  - ` bad.example (create): too long `

### Warnings (1)

- ` bank.example overlaps `

### Would newly require TLS (1)

```diff
+ new.example
+   exclude: news.new.example
```

### Would newly require TLS for some names, no longer for others (1)

```diff
! bank.example (would newly require TLS: crm.bank.example)\
 (created 2026-01-02 05:20 UTC, last modified 2026-03-04 06:30 UTC)
-   exclude: crm.bank.example
+   comments: Renewed
```

### Duplicate to remove (1)

```diff
- old.example (duplicate (ID id-old.example) of the restriction kept, which stays)\
 (created 2026-01-02 05:20 UTC, last modified 2026-03-04 06:30 UTC)
-   exclude: x.old.example
```

Who changed a restriction is in the account's audit log in the Cloudflare dashboard; changes of\
 comments are not in it.

### Findings (1)

- Redundant (1)
  - ` mail.bank.example is covered `

<details><summary>Restrictions on the account (2)</summary>

```text
bank.example
    exclude: crm.bank.example
    exclude: news.bank.example
  mail.bank.example
      comments: one ↵ two
```

</details>
"""
CODE_BLOCK = re.compile(r"^(`{3,})\w+$.*?\n\1`*$", re.DOTALL | re.MULTILINE)
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")


def for_hostile_texts(test):
    """Run a test with texts that did harm somewhere, and with others."""
    for text in HOSTILE:
        test = example(text)(test)
    return given(HOSTILE_TEXTS)(test)


class Page(html.parser.HTMLParser):
    """The elements of a page, its text, and its data."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.data = [("", [])], None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, attrs))

    def handle_comment(self, data):
        self.elements.append(("comment", data))

    def handle_data(self, data):
        if self.data is None and ("id", "data") in self.elements[-1][1]:
            self.data = json.loads(data)


def counts(sample):
    return {count.label: count.text for count in counts_of(sample)}


def skeleton(markdown):
    """Return the Markdown without code, in which nothing has a meaning."""
    return CODE_SPAN.sub("`code`", CODE_BLOCK.sub("```code```", markdown))


@pytest.mark.promise("A report needs no network")
@for_hostile_texts
def test_no_text_of_others_becomes_html(text):
    page, plain = (Page(html_report(report_full_of(text))) for text in (text, "plain"))
    assert page.elements == plain.elements
    (row,) = page.data["restrictions"]
    assert row["comments"] == visible(text)


def test_the_policy_of_the_page_allows_only_its_own_style_and_script():
    written = html_report(typical_report())
    (policy,) = re.findall('http-equiv="Content-Security-Policy" content="([^"]*)"', written)
    hashes = []
    for tag in ("style", "script"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", written, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes.append(f"'sha256-{digest}'")
    assert dict(directive.split(" ", 1) for directive in policy.split("; ")) == {
        **dict.fromkeys(("default-src", "base-uri", "form-action"), "'none'"),
        "style-src": hashes[0],
        "script-src": hashes[1],
    }


@for_hostile_texts
def test_no_text_of_others_becomes_markdown(text):
    markdown = markdown_report(report_full_of(text))
    assert skeleton(markdown) == skeleton(markdown_report(report_full_of("plain")))


@pytest.mark.parametrize("kind", [html_report, markdown_report])
@pytest.mark.parametrize("text", HOSTILE)
def test_invisible_characters_are_shown_as_codes(kind, text):
    written = kind(report_full_of(text))
    assert all(character.isprintable() or character in "\n\t" for character in written)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb\u2069\u200b\ufeff", "a[U+202E]b[U+2069][U+200B][U+FEFF]"),
        (
            "\x00\x1b[31m\x7f\x85\u2028\ud800",
            "[U+0000][U+001B][31m[U+007F][U+0085][U+2028][U+D800]",
        ),
        ("one\r\ntwo\rthree\n\tfour", "one\ntwo[U+000D]three\n\tfour"),
        (
            "b\xfccher\xa0\u65e5\u672c \U0001f600\ufe0f",
            "b\xfccher\xa0\u65e5\u672c \U0001f600\ufe0f",
        ),
        # The emoji of a technician, a Persian word, and a disguised name.
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        (
            "exam\u200dple\u200c \xe9\u200dx\u200d\xe9",
            "exam[U+200D]ple[U+200C] \xe9[U+200D]x[U+200D]\xe9",
        ),
    ],
)
def test_only_invisible_characters_are_replaced(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize("has_idna", [True, False])
@pytest.mark.parametrize(
    ("name", "with_idna", "without"),
    [
        ("partner.example", "partner.example", "partner.example"),
        ("XN--BCHER-KVA.example", "XN--BCHER-KVA.example (b\xfccher.example)", None),
        ("b\xfccher.example", "b\xfccher.example (xn--bcher-kva.example)", "b\xfccher.example"),
        ("xn--a.example", "xn--a.example", None),
    ],
)
def test_names_are_shown_in_both_forms(monkeypatch, has_idna, name, with_idna, without):
    if not has_idna:
        monkeypatch.setattr(_domain_name, "idna", None)
    assert shown_name(name) == (with_idna if has_idna else without or name)


@pytest.mark.parametrize(
    ("fields", "labels", "numbers"),
    [
        ({}, LABELS["preview"].values(), "11110"),
        ({"is_preview": False}, LABELS["result"].values(), "11110"),
        (
            {"is_comparison": True},
            [
                *(label for key, label in LABELS["comparison"].items() if key != "same"),
                "not in the list (ignored, because prune is off)",
            ],
            "11111111",
        ),
    ],
)
def test_both_forms_start_with_the_same_counts(fields, labels, numbers):
    sample = replace(typical_report(), **fields)
    counts = ["8", "2 of 7", "11 listed, 2 effective", "2", *numbers, "1", "1", "1"]
    labels = [label.lower() for label in labels]
    names = [
        "restrictions",
        "partners with exempt names",
        "exempt names",
        "with exempt names but no comment",
        *labels,
        "failures",
        "findings",
        "warnings",
    ]
    rows = re.findall(r"^\| ([A-Z].*) \| (.+) \|$", markdown_report(sample), re.MULTILINE)
    assert [(name.lower(), count) for name, count in rows] == list(zip(names, counts))
    found = re.findall(
        "<div class=[^>]*><dt>([^<]*)</dt><dd>([0-9][^<]*)</dd>", html_report(sample)
    )
    assert [(name.lower(), count) for name, count in found] == list(zip(names, counts))


@pytest.mark.parametrize("kind", [html_report, markdown_report])
def test_both_forms_say_when_from_which_file_and_which_account(kind):
    written = kind(report())
    for part in ("2026-11-25 04:30 UTC", "partners.yml", "0" * 32):
        assert part in written


@pytest.mark.parametrize(
    ("fields", "title", "kind", "caption"),
    [
        ({}, "preview", "Preview, nothing was changed", "What would change on the account"),
        ({"is_preview": False}, "result", "Result of a run", "What has changed on the account"),
        (
            {"is_comparison": True},
            "comparison",
            "Comparison, nothing was changed",
            "How the account differs from the list",
        ),
    ],
)
def test_the_report_says_what_kind_it_is(fields, title, kind, caption):
    sample = report(**fields, summary="1 to create")
    assert markdown_report(sample).startswith(f"## {TITLE}: {title}\n")
    written = html_report(sample)
    assert f"<title>{TITLE}: {title}</title>" in written
    assert f"<strong>{kind}</strong>: 1 to create" in written
    assert caption in written
    assert '<time datetime="2026-11-25T04:30:00+00:00">' in written
    assert "The run failed" not in written


@pytest.mark.parametrize("kind", [html_report, markdown_report])
def test_both_forms_say_what_a_restriction_does(kind):
    assert EXPLANATION in kind(report())


@pytest.mark.parametrize("kind", [html_report, markdown_report])
def test_both_forms_say_below_the_changes_where_to_find_who_changed_a_restriction(kind):
    text = "Who changed a restriction is in the account's audit log"
    for name in ("restrictions", "created", "updated", "deleted"):
        known = restriction("a.example")
        sample = report(**{name: [{**known, "previous": known}]}, findings=[finding(None, "x")])
        written = html.unescape(kind(sample))
        assert text in written
        if name == "created":
            assert written.index(text) > written.index("a.example")
    assert text not in html.unescape(kind(report(findings=[finding(None, "x")])))


def test_the_page_has_the_title_and_the_note_of_the_user():
    written = html_report(report(title="Production", note="Commit 1a2b3c4"))
    assert "<title>Partner domain TLS: Production: preview</title>" in written
    assert "<h1><bdi>Partner domain TLS: Production</bdi></h1>" in written
    assert "<bdi>Commit 1a2b3c4</bdi>" in written
    assert 'class="note"' not in html_report(report())


def test_the_page_has_the_notes_by_kind_and_reason():
    failures = [failure("a.example", "first"), *(failure(f"{x}.example", "common") for x in "bc")]
    _head, notes = html_report(report(problem="No", failures=failures)).split("Failures (3)")
    notes = notes.partition("</section>")[0]
    assert re.findall(r"<(h3|p|ul|li)( class=\"names\")?>(?:<bdi>)?([^<\n]*)", notes) == [
        ("h3", "", "Refused"),
        ("p", "", "common"),
        ("ul", ' class="names"', ""),
        ("li", "", "b.example (create)"),
        ("li", "", "c.example (create)"),
        ("h3", "", "Refused"),
        ("ul", "", ""),
        ("li", "", "a.example (create): first"),
    ]


@pytest.mark.parametrize(("number", "is_folded"), [(10, False), (11, True)])
def test_the_page_folds_more_than_ten_notes(number, is_folded):
    written = html_report(report(warnings=[f"warning {i}" for i in range(number)]))
    assert ("<details>" in written, f"Show all {number}" in written) == (is_folded, is_folded)
    assert f"<li><bdi>warning {number - 1}</bdi></li>" in written


def test_a_restriction_follows_those_for_its_parent_domains():
    names = ("b.example", "z.a.b.example", "b-c.example", "a.b.example", "B.example", "b.z.example")
    rows = tree_of(report(restrictions=[restriction(name, id=name) for name in names]))
    assert [(row.domain, row.level, row.parent) for row in rows] == [
        ("b-c.example", 0, ""),
        ("b.example", 0, ""),
        ("B.example", 0, ""),
        ("a.b.example", 1, "B.example"),
        ("z.a.b.example", 2, "a.b.example"),
        ("b.z.example", 0, ""),
    ]


def test_duplicates_are_in_the_order_of_their_creation():
    times = ["2026-03-01T00:00:00Z", None, "2026-02-01T00:00:00Z"]
    duplicates = [restriction("a.example", created_at=time) for time in times]
    rows = tree_of(report(restrictions=duplicates))
    assert [row.created for row in rows] == ["", "2026-02-01 00:00", "2026-03-01 00:00"]


def test_a_row_has_its_exempt_names_in_order():
    known = [
        restriction("a.example", "c.a.example", "b.a.example", "C.a.example"),
        restriction("z.example", exclude=None),
    ]
    sample = report(restrictions=known)
    names = [row.exclude for row in tree_of(sample)]
    assert names == [["C.a.example", "b.a.example", "c.a.example"], []]
    assert counts(sample)["exempt names"] == "3"


def test_spellings_of_a_domain_are_one_without_idna_too(monkeypatch):
    monkeypatch.setattr(_domain_name, "idna", None)
    sample = report(
        restrictions=[restriction("B\xfccher.example.")], unlisted=["b\xfccher.example"]
    )
    assert tree_of(sample)[0].statuses == ["unlisted"]


def test_a_failure_of_a_domain_is_not_shown_for_a_duplicate_that_was_changed():
    duplicates = [restriction("a.example", id=name) for name in ("kept", "duplicate")]
    failures = [failure("a.example")]
    rows = tree_of(report(restrictions=duplicates, deleted=duplicates[1:], failures=failures))
    assert [row.statuses for row in rows] == [["failed"], ["no-longer"]]


def test_a_row_has_what_happened_to_this_restriction_or_else_to_its_domain():
    sample = typical_report()
    rows = tree_of(sample)
    statuses = {record["id"]: [] for record in sample.restrictions}
    statuses.update(
        {
            "id-bank.example": ["both"],
            "id-mail.bank.example": ["finding"],
            "id-old.example": ["no-longer"],
            "duplicate": ["duplicate"],
            "id-unlisted.example": ["unlisted"],
        }
    )
    found = [(row.domain.partition(" ")[0], row.statuses) for row in rows]
    assert sorted(found) == sorted(
        (record["domain"], statuses[record["id"]]) for record in sample.restrictions
    )


def test_a_failure_and_a_finding_about_an_exempt_name_are_marked():
    known = restriction("Bank.example", "news.bank.example")
    sample = report(
        restrictions=[known],
        unlisted=["bank.example"],
        failures=[failure("BANK.example")],
        findings=[finding("NEWS.bank.example", "x")],
    )
    assert tree_of(sample)[0].statuses == ["failed", "finding"]


@pytest.mark.parametrize(
    ("record", "before", "after", "unchanged"),
    [
        (
            restriction("a.example", "B.a.example", "c.a.example", "C.a.example", comments="old"),
            ["d"],
            ["c"],
            1,
        ),
        (restriction("a.example", comments="new"), ["b", "d", "old"], ["new"], 0),
        (restriction("a.example", "d.a.example", "b.a.example"), ["old"], [], 2),
    ],
)
def test_an_update_shows_only_what_differs(record, before, after, unchanged):
    previous = restriction("a.example", "b.a.example", "d.a.example", comments="old")
    (change,) = changes_of(report(updated=[{**record, "previous": previous}]))
    texts = [
        [text.replace(".a.example", "") for _field, text in side]
        for side in (change.before, change.after)
    ]
    assert (texts, change.unchanged) == ([before, after], unchanged)


@pytest.mark.parametrize(
    ("before", "after", "effect", "label", "note"),
    [
        ("xy", "y", "newly_requires_tls", "some names newly require TLS", "newly require TLS: x"),
        (
            "y",
            "xyz",
            "no_longer_requires_tls",
            "some names no longer require TLS",
            "no longer require TLS: x, z",
        ),
        (
            "x",
            "y",
            "both",
            "newly requires TLS for some names, no longer for others",
            "newly require TLS: x; no longer require TLS: y",
        ),
        ("x", "x", "comment_or_spelling", "comment or spelling only", ""),
    ],
)
def test_an_update_names_those_who_newly_or_no_longer_need_tls(before, after, effect, label, note):
    old, new = (
        restriction("a.example", *(f"{name}.A.example" for name in names))
        for names in (before, after)
    )
    known = {**new, "previous": old, "effect": effect}
    sample = report(is_preview=False, updated=[known], restrictions=[known])
    (change,) = changes_of(sample)
    assert (change.labels, change.note.replace(".a.example", "")) == ([label], note)
    assert tree_of(sample)[0].labels == [label]


def test_a_change_of_a_domain_with_all_names_needs_no_names():
    known = restriction("a.example", "x.a.example")
    sample = report(created=[known], deleted=[known])
    assert [(change.labels, change.note) for change in changes_of(sample)] == [
        (["would newly require TLS"], ""),
        (["would no longer require TLS"], ""),
    ]


def test_an_update_names_ten_names_at_most():
    names = [f"{i:02}.a.example" for i in range(12)]
    known = {**restriction("a.example"), "previous": restriction("a.example", *names)}
    (change,) = changes_of(report(updated=[known]))
    assert change.note.endswith("09.a.example and 2 more")


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ({}, "of the restriction kept, which stays"),
        ({"is_preview": False}, "of the restriction kept, which stayed"),
        ({"is_comparison": True}, "of the restriction kept"),
    ],
)
def test_a_duplicate_names_the_one_that_stays(kind, end):
    duplicate = restriction("a.example", duplicate_of="kept")
    (change,) = changes_of(report(**kind, deleted=[duplicate]))
    assert change.note.endswith(end)


@pytest.mark.parametrize("is_updated", [True, False])
def test_the_delete_of_a_duplicate_says_what_stays_and_who_no_longer_needs_tls(is_updated):
    own = restriction("a.example", "x.a.example", "y.a.example", id="own", comments="Mine")
    kept = restriction("A.example", "x.a.example", "z.a.example", id="kept", comments="Mine")
    old = restriction("A.example", id="kept")
    sample = report(
        restrictions=[own, old if is_updated else kept],
        updated=[{**kept, "previous": old}] if is_updated else [],
        deleted=[{**own, "duplicate_of": "kept", "effect": "no_longer_requires_tls"}],
    )
    change = changes_of(sample)[0]
    assert (change.before, change.after) == (
        [("exclude", "y.a.example")],
        [("exclude", "z.a.example")],
    )
    assert change.unchanged == 1
    assert change.labels == ["some names would no longer require TLS", "duplicate to remove"]
    assert change.note == (
        "duplicate (ID own) of the restriction kept, which stays; would no longer require TLS:"
        " z.a.example"
    )
    assert "\n- a.example (duplicate to remove) (duplicate (ID own)" in markdown_report(sample)


def test_a_duplicate_that_weakens_counts_once():
    weakening = restriction("a.example", duplicate_of="x", effect="no_longer_requires_tls")
    found = counts(report(summary="x", deleted=[weakening]))
    assert found["would no longer require TLS"] == "1"
    assert "duplicate to remove" not in found


def test_duplicates_are_told_apart_by_their_ids():
    known = [
        restriction(name, id=name[:3]) for name in ("one.example", "ONE.example", "two.example")
    ]
    sample = report(restrictions=known)
    assert [(row.domain, row.id) for row in tree_of(sample)] == [
        ("one.example", "one"),
        ("ONE.example", "ONE"),
        ("two.example", ""),
    ]
    assert "\nONE.example (ID ONE)\n" in markdown_report(sample)


def test_an_exempt_name_from_which_another_restriction_requires_tls_is_marked():
    known = [
        restriction("a.example", "News.a.example", "b.a.example", "x.b.a.example", "other.example"),
        restriction("b.a.example", "x.b.a.example"),
        restriction("c.example", "x.c.example", "y.c.example", id="one"),
        restriction("c.example", "x.c.example", id="two"),
    ]
    sample = report(restrictions=known)
    rows = tree_of(sample)
    assert [row.void for row in rows] == [["b.a.example"], [], ["y.c.example"], []]
    assert ["void" in row.filters for row in rows] == [True, False, True, False]
    assert counts(sample)["exempt names"] == "8 listed, 5 effective"
    markdown = markdown_report(sample)
    assert "    exclude: b.a.example (listed as exempt, but needs TLS)\n" in markdown
    assert "    exclude: x.b.a.example\n" in markdown


@pytest.mark.parametrize(
    ("kind", "action", "times"),
    [
        ({}, "created", []),
        ({"is_comparison": True}, "created", []),
        ({"is_preview": False}, "created", ["created 2026-11-25 04:28 UTC"]),
        ({}, "updated", ["created 2026-01-02 05:20 UTC", "last modified 2026-03-04 06:30 UTC"]),
        (
            {"is_preview": False},
            "updated",
            [
                "created 2026-01-02 05:20 UTC",
                "last modified before this run 2026-03-04 06:30 UTC",
                "modified by this run 2026-11-25 04:29 UTC",
            ],
        ),
        ({}, "deleted", ["created 2026-11-25 04:28 UTC", "last modified 2026-11-25 04:29 UTC"]),
        (
            {"is_preview": False},
            "deleted",
            [
                "created 2026-11-25 04:28 UTC",
                "last modified before this run 2026-11-25 04:29 UTC",
            ],
        ),
    ],
)
def test_a_change_says_whether_a_time_is_before_or_after_it(kind, action, times):
    now = {"created_at": "2026-11-25T04:28:00Z", "modified_at": "2026-11-25T04:29:00Z"}
    known = {**restriction("a.example", **now), "previous": restriction("a.example")}
    (change,) = changes_of(report(**kind, **{action: [known]}))
    assert change.times == times


def test_an_unknown_time_is_left_out():
    known = restriction("a.example", modified_at=None)
    sample = report(is_preview=False, updated=[{**known, "previous": known}], created=[known])
    assert [change.times for change in changes_of(sample)] == [["created 2026-01-02 05:20 UTC"]] * 2


def test_failures_are_grouped_by_reason_and_the_others_by_kind():
    failures = [
        failure("a.example", "first of its kind"),
        failure("b.example", "b.example is odd"),
        *(failure(f"{name}.example", "common", action="entry") for name in "cde"),
        *(failure(f"{name}.example", "common", kind="not_found") for name in "fg"),
    ]
    ((heading, groups),) = notes_of(report(failures=failures)).items()
    assert heading == "Failures (7)"
    assert [(group.kind, group.text, group.lines) for group in groups] == [
        ("Refused", "common", ["c.example", "d.example", "e.example"]),
        ("Refused", "", ["a.example (create): first of its kind", "b.example is odd"]),
        ("Not found", "common", ["f.example (create)", "g.example (create)"]),
    ]


@pytest.mark.parametrize(("is_comparison", "verb"), [(False, "stay"), (True, "are ignored")])
def test_unlisted_restrictions_are_listed_with_the_reason_why_they_stay(is_comparison, verb):
    sample = report(is_comparison=is_comparison, unlisted=["xn--bcher-kva.example"])
    notes = notes_of(sample)
    assert notes == {
        "On the account but not in the list (1)": [
            Group(
                "",
                f"They {verb}, because prune is off.",
                ["xn--bcher-kva.example (b\xfccher.example)"],
            )
        ]
    }


@pytest.mark.parametrize(
    ("time", "filters"),
    [
        ("2026-11-25T04:30:00Z", ["week", "month"]),
        ("2026-11-25T04:31:00Z", ["week", "month"]),
        ("2026-11-18T04:30:00.123Z", ["week", "month"]),
        ("2026-11-18T04:29:59Z", ["month"]),
        ("2026-10-26T04:30:00Z", ["month"]),
        ("2026-10-26T04:29:59Z", []),
        ("yesterday", []),
        (None, []),
    ],
)
def test_restrictions_changed_recently_are_those_of_the_days_before_the_report(time, filters):
    for zone in (timezone.utc, timezone(timedelta(hours=-8))):
        known = [restriction("a.example", modified_at=time)]
        sample = report(restrictions=known, time=TIME.astimezone(zone))
        assert tree_of(sample)[0].filters == filters


def test_a_restriction_has_exempt_names_if_it_excludes_some():
    known = [restriction("a.example"), restriction("b.example", "x.b.example")]
    rows = tree_of(report(restrictions=known))
    assert [row.filters for row in rows] == [[], ["exempt", "uncommented"]]


def test_exempt_names_without_a_comment_are_counted():
    commented = restriction("a.example", "x.a.example", comments="Ticket 7")
    known = [
        commented,
        restriction("b.example", "x.b.example", comments=""),
        restriction("c.example"),
    ]
    sample = report(restrictions=known)
    found = [row.domain for row in tree_of(sample) if "uncommented" in row.filters]
    assert found == ["b.example"]
    label = "with exempt names but no comment"
    assert (counts(sample)[label], counts(report(restrictions=[commented])).get(label)) == (
        "1",
        None,
    )


def test_changes_that_drop_mail_come_first_and_comments_last():
    sample = report(
        updated=[
            {**restriction(name), "previous": restriction(name), "effect": effect}
            for name, effect in (
                ("comment.example", "comment_or_spelling"),
                ("exclusion.example", "newly_requires_tls"),
            )
        ],
        deleted=[
            restriction("twice.example", duplicate_of="kept", effect="duplicate_removed"),
            restriction("old.example", effect="no_longer_requires_tls"),
        ],
    )
    assert [change.domain.partition(".")[0] for change in changes_of(sample)] == [
        *("exclusion", "old", "twice", "comment")
    ]


def test_the_headline_and_the_counts_agree():
    changed = ("newly_requires_tls", "newly_requires_tls", "both", "no_longer_requires_tls")
    known = restriction("a.example")
    updated = [{**known, "previous": known, "effect": effect} for effect in changed]
    for is_preview in (True, False):
        sample = report(is_preview=is_preview, updated=updated, summary="x")
        values = {"created": [], "updated": updated, "deleted": [], "unchanged": 0}
        found = {label: count for label, count in counts(sample).items() if count[0] != "0"}
        headline = [f"{count} {label}" for label, count in found.items()]
        text = ", ".join(headline).replace("2 newly requires", "2 newly require")
        assert summary(values, is_preview).startswith(f"{text} (4 ")


@pytest.mark.parametrize("deleted", [[], [restriction("twice.example", duplicate_of="kept")]])
def test_duplicates_are_counted_apart_and_only_if_there_are_any(deleted):
    found = counts(report(summary="some", deleted=deleted))
    assert found["would no longer require TLS"] == "0"
    assert found.get("duplicate to remove") == ("1" if deleted else None)


def test_partners_with_exceptions_are_counted_by_domain():
    known = [
        restriction("A.example", "x.a.example"),
        restriction("a.example", "y.a.example"),
        restriction("b.example"),
    ]
    found = counts(report(restrictions=known))
    assert (found["restrictions"], found["partners with exempt names"]) == ("3", "1 of 2")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "xn--bcher-kva.example is covered by XN--bcher-KVA.example.",
            "xn--bcher-kva.example (b\xfccher.example) is covered by"
            " XN--bcher-KVA.example (b\xfccher.example).",
        ),
        (
            "crm.xn--bcher-kva.example, see above",
            "crm.xn--bcher-kva.example (crm.b\xfccher.example), see above",
        ),
        ("xn--bcher-kva.example (b\xfccher.example) mixes", None),
        ("partner.example is not xn-- anything", None),
    ],
)
def test_names_in_messages_are_shown_in_both_forms(text, shown):
    sample = report(
        findings=[finding("xn--bcher-kva.example", text)],
        warnings=[text],
        failures=[failure("xn--bcher-kva.example", text), failure("a.example", text)],
    )
    failures, findings, warnings = notes_of(sample).values()
    expected = shown or text
    assert failures[0].text == expected
    assert findings[0].lines[0].endswith(expected)
    assert warnings[0].lines == [expected]


@pytest.mark.parametrize("kind", [html_report, markdown_report])
def test_a_finding_about_the_whole_account_names_no_domain(kind):
    known = restriction("a.example")
    written = kind(report(restrictions=[known], findings=[finding(None, "no mail passes")]))
    assert "no mail passes" in written
    assert not re.search("None|null: ", re.sub("(?s)<script.*", "", written))
    (row,) = tree_of(report(restrictions=[known], findings=[finding(None, "x")]))
    assert row.statuses == []


@pytest.mark.parametrize("is_preview", [True, False])
def test_affected_senders_are_listed_with_the_change_because_of_which(is_preview):
    impact = Impact(
        30,
        {
            "Bank.example": [
                sender("crm.bank.example", 1412, last_seen=None, delivery_modes=["API", "DIRECT"]),
                sender("list.bank.example", 3, "no_longer_requires_tls"),
            ],
            "added.example": [sender("xn--bcher-kva.added.example", 2000)],
            "failed.example": [sender("failed.example", 7)],
            "old.example": [sender("old.example", 8, "no_longer_requires_tls")],
            "twice.example": [sender("twice.example", 9, "no_longer_requires_tls")],
        },
    )
    sample = replace(typical_report(is_preview), impact=impact)
    twice = restriction("Twice.example", previous=restriction("twice.example"))
    deleted = [*sample.deleted, restriction("twice.example", id="third", duplicate_of="kept")]
    sample = replace(sample, updated=[*sample.updated, twice], deleted=deleted)
    rows = [
        (row.statuses, row.domain.partition(" ")[0], row.cause, row.messages)
        for row in affected_by(sample)
    ]
    failed = (["newly" if is_preview else "undone-newly"], "failed.example")
    done = [
        (["newly"], "xn--bcher-kva.added.example", "added.example (create)", 2000),
        (["newly"], "crm.bank.example", "Bank.example (update)", 1412),
        (["no-longer"], "twice.example", "twice.example (update, delete)", 9),
        (["no-longer"], "old.example", "old.example (delete)", 8),
        (["no-longer"], "list.bank.example", "Bank.example (update)", 3),
    ]
    done.insert(2 if is_preview else 5, (*failed, "failed.example (not changed)", 7))
    assert rows == done
    crm = affected_by(sample)[1]
    assert (crm.first, crm.last, crm.delivery) == ("2026-11-01 07:00", "", "API, DIRECT")
    label = labels_of(sample)[failed[0][0]]
    assert label == "would newly require TLS"


def test_a_sender_is_affected_by_one_kind_of_change_only():
    """A secret of one letter may have masked the effect."""
    impact = Impact(30, {"a.example": [sender("a.example", 1, "newly_re********")]})
    (row,) = affected_by(report(impact=impact))
    assert row.statuses == ["both"]


def test_markdown_lists_affected_senders_and_warnings_before_the_changes():
    markdown = markdown_report(affected_report())
    headings = re.findall("^### (.*)", markdown, re.MULTILINE)
    assert headings[:5] == [
        "Failures (1)",
        "Who is affected (4)",
        "Domains whose senders are not fully known (1)",
        "Warnings (1)",
        "Would newly require TLS (1)",
    ]
    assert (
        "\ncrm.bank.example: 1,412 messages, would newly require TLS, because of bank.example"
        " (update)\nmail.added.example: 9 messages, last on 2026-11-20, would newly require TLS,"
        " because of added.example (create)\nadded.example: 1 message, last on"
    ) in markdown
    assert "not all messages were counted; lower impact_days" in markdown
    assert "| Affected senders |" in markdown


def test_restrictions_have_the_number_of_messages_if_somebody_asked():
    numbers = {row.domain: row.messages for row in tree_of(affected_report())}
    assert numbers.pop("bank.example") == "1,415"
    assert numbers.pop("old.example") == "0 or more"
    assert set(numbers.values()) == {""}
    markdown = markdown_report(affected_report())
    assert "bank.example\n    messages of affected senders: 1,415\n    exclude:" in markdown
    assert "old.example\n    messages of affected senders: 0 or more\n" in markdown
    heading = "Messages of affected senders"
    assert heading in html_report(affected_report())
    for written in (html_report(typical_report()), markdown_report(typical_report())):
        assert heading.lower() not in written.lower()


@pytest.mark.parametrize("kind", [html_report, markdown_report])
def test_nobody_affected_is_said_and_not_asked_is_not(kind):
    asked, not_asked = (kind(report(impact=impact)).lower() for impact in (Impact(30), None))
    assert "affected senders" in asked
    assert "affected senders" not in not_asked


def test_the_page_without_scripts_counts_the_changes_that_it_leaves_out():
    names = [f"{i:02}.a.example" for i in range(12)]
    changed = [restriction(f"{i:04}.example") for i in range(1001)]
    written = html_report(report(created=[restriction("a.example", *names)], deleted=changed))
    assert "<bdi>09.a.example</bdi>\n<br>after: 2 more" in written
    assert ("<bdi>0998.example</bdi>" in written, "<bdi>0999.example</bdi>" in written) == (
        True,
        False,
    )
    assert "2 more changes are left out here." in written
    assert "left out here" not in html_report(report(deleted=changed[:1000]))


def test_the_page_without_scripts_counts_the_senders_that_it_leaves_out():
    senders = [sender(f"{i:04}.a.example", 2000 - i) for i in range(1001)]
    written = html_report(report(impact=Impact(30, {"a.example": senders})))
    written = written.partition("<script")[0]
    assert (
        "<bdi>0999.a.example</bdi>, 1,001 messages in 30 days, because of <bdi>a.example" in written
    )
    assert "1000.a.example" not in written
    assert "<p>Left out here: 1</p>" in written
    assert "Left out here" not in html_report(affected_report())


@pytest.mark.parametrize("time", ["2026-01-02T05:20:00.12345Z", "2026-01-02T05:20:00Z"])
def test_times_are_cut_to_minutes(time):
    (row,) = tree_of(report(restrictions=[restriction("a.example", created_at=time)]))
    assert row.created == "2026-01-02 05:20"


@pytest.mark.parametrize(
    "time", ["2026-01-02T05:20:00+02:00", "2026-01-02T05:20:00Z?", "yesterday"]
)
def test_times_that_are_not_utc_are_shown_as_they_are(time):
    (row,) = tree_of(report(restrictions=[restriction("a.example", created_at=time)]))
    assert row.created == time


def test_markdown_has_failures_and_deletes_first_and_restrictions_folded():
    bank = restriction("bank.example", "news.bank.example", "crm.bank.example")
    renewed = restriction("bank.example", "news.bank.example", comments="Renewed")
    sample = report(
        title="Production",
        note="Commit 1a2b3c4",
        summary="1 to create, 1 to update, 1 to delete",
        problem="3 failed",
        restrictions=[bank, restriction("mail.bank.example", comments="one\ntwo")],
        created=[restriction("new.example", "news.new.example", created_at=None, modified_at=None)],
        updated=[
            {**renewed, "modified_at": "2026-11-25T04:29:00Z", "previous": bank, "effect": "both"}
        ],
        deleted=[restriction("old.example", "x.old.example", duplicate_of="kept")],
        failures=[
            failure("bad.example", "too long"),
            *(failure(name, "common") for name in ("a.example", "b.example")),
        ],
        findings=[finding("mail.bank.example", "mail.bank.example is covered")],
        warnings=["bank.example overlaps"],
    )
    assert markdown_report(sample) == MARKDOWN
    without_failures = markdown_report(replace(sample, failures=[]))
    assert re.findall("^### (.*) ", without_failures, re.MULTILINE) == [
        *("Warnings", "Would newly require TLS"),
        "Would newly require TLS for some names, no longer for others",
        *("Duplicate to remove", "Findings"),
    ]


def test_a_difference_is_between_the_account_and_the_list_and_neither_is_new():
    markdown = markdown_report(comparison_report())
    assert "```diff" not in markdown
    assert (
        "\nbank.example (different) (need TLS only by the list: crm.bank.example; need TLS only on the"
        " account: list.bank.example) (created 2026-01-02 05:20 UTC, last modified 2026-03-04 06:30 UTC)\n"
        "    on the account: exclude: crm.bank.example\n"
        "    in the list: exclude: list.bank.example\n"
    ) in markdown
    written = html_report(comparison_report())
    static = " ".join(written.partition('id="data"')[0].split())
    assert "<br>on the account: exempt <bdi>crm.bank.example</bdi>" in static
    assert "<br>in the list: exempt <bdi>list.bank.example</bdi>" in static
    columns = re.findall('<th scope="col" class="(?:before|after)">([^<]*)', static)
    assert columns == ["On the account", "In the list"]
    assert '"without-scripts-heading">Differences (4)<' in static


@pytest.mark.parametrize(
    ("action", "effect", "fields", "statuses"),
    [
        ("created", "newly_requires_tls", {}, ["weaker", "missing"]),
        ("deleted", "no_longer_requires_tls", {}, ["stricter", "extra"]),
        ("updated", "newly_requires_tls", {}, ["weaker", "different"]),
        ("updated", "both", {}, ["both", "different"]),
        ("updated", "no_longer_requires_tls", {}, ["stricter", "different"]),
        ("updated", "comment_or_spelling", {}, ["same", "different"]),
        ("deleted", "duplicate_removed", {"duplicate_of": "x"}, ["duplicate"]),
        ("deleted", "no_longer_requires_tls", {"duplicate_of": "x"}, ["stricter", "duplicate"]),
    ],
)
def test_a_difference_says_whether_the_account_is_weaker(action, effect, fields, statuses):
    known = restriction("a.example")
    record = {**known, "previous": known, "effect": effect, **fields}
    sample = comparison_report(
        **{**dict.fromkeys(("created", "updated", "deleted"), []), action: [record]}
    )
    (change,) = changes_of(sample)
    assert change.statuses == statuses
    assert f" {', '.join(change.labels)}: <bdi>a.example" in html_report(sample)
    labels = [labels_of(sample)[status] for status in statuses]
    assert all(label.lower() in markdown_report(sample).lower() for label in labels)
    assert {counts(sample)[label] for label in labels} == {"1"}


@pytest.mark.parametrize(
    ("status", "changed", "heading"),
    [
        ("refused", False, "Refused, nothing was changed"),
        ("refused", True, "Refused after some changes"),
        ("failed", True, "The run failed"),
        ("incomplete", True, "The run failed"),
    ],
)
def test_a_refused_run_has_not_failed(status, changed, heading):
    sample = report(status=status, changed=changed, problem="Too much", summary="no changes")
    assert f'<h2 id="problem-heading">{heading}</h2>' in html_report(sample)
    assert f"\n{heading}: ` Too much `\n" in markdown_report(sample)


def test_counts_of_zero_that_a_problem_contradicts_are_left_out():
    fields = {"problem": "No", "summary": "no changes", "is_preview": False}
    account = {"restrictions", "partners with exempt names", "exempt names", "findings"}
    refused = report(status="refused", **fields)
    assert set(counts(refused)) == account
    deleted = counts(replace(refused, deleted=[{**restriction("a.example"), "effect": "both"}]))
    assert set(deleted) - account == {"newly requires TLS for some names, no longer for others"}
    failed = report(status="failed", **fields)
    assert set(counts(failed)) - account == {
        *("newly requires TLS", "no longer requires TLS", "comment or spelling only")
    }
    assert counts(replace(failed, failures=[failure("a.example")]))["failures"] == "1"
    assert counts(replace(failed, problem=""))["failures"] == "0"


def test_what_a_comparison_ignores_is_not_counted_as_a_difference():
    known = restriction("a.example")
    fields = {"is_comparison": True, "status": "equal", "summary": "x", "restrictions": [known]}
    ignored, equal = counts(report(**fields, unlisted=["a.example"])), counts(report(**fields))
    label = "not in the list (ignored, because prune is off)"
    assert (ignored.get("only on the account"), ignored[label]) == (None, "1")
    assert (equal["only on the account"], equal.get(label)) == ("0", None)
    both = counts(report(**fields, unlisted=["b.example"], deleted=[known]))
    assert (both["only on the account"], both[label]) == ("1", "1")
    assert label not in counts(report(summary="x", unlisted=["a.example"]))


def test_duplicates_of_a_comparison_without_prune_are_differences_and_no_failures():
    twice = [restriction("twice.example", id=name) for name in ("one", "two")]
    failures = [failure("twice.example", "there are 2", kind="duplicates", action="entry")]
    fields = {"restrictions": twice, "failures": failures, "summary": "x"}
    sample = report(is_comparison=True, status="drift", **fields)
    (change,) = changes_of(sample)
    assert (change.statuses, change.note) == (["duplicate"], "there are 2")
    assert counts(sample)["more than once on the account"] == "1"
    assert {tuple(row.statuses) for row in tree_of(sample)} == {("duplicate",)}
    for written in (html_report(sample), markdown_report(sample)):
        assert "Failures" not in written.partition("<script")[0]
        assert "twice.example" in written
    failed = report(is_comparison=True, status="failed", problem="No", **fields)
    assert (changes_of(failed), counts(failed)["failures"]) == ([], "1")
    assert "Failures (1)" in notes_of(failed)


@pytest.mark.parametrize(("prune", "shown"), [(True, "on"), (False, "off")])
def test_both_forms_say_whether_prune_is_on(prune, shown):
    sample = report(prune=prune)
    assert f", prune {shown}, " in markdown_report(sample)
    assert f"<dt>Prune</dt><dd>{shown}</dd>" in html_report(sample)


def test_differences_that_weaken_come_first():
    statuses = [change.statuses[0] for change in changes_of(comparison_report())]
    assert statuses == ["weaker", "both", "stricter", "duplicate"]


def test_markdown_of_a_huge_report_is_short_and_counts_what_it_leaves_out():
    markdown = markdown_report(large_report())
    assert 50_000 < len(markdown) <= 60_000
    assert "\n| Partners with exempt names | 10,000 of 10,000 |\n" in markdown
    assert "\n- Refused (1,000)" in markdown
    sections = re.split(r"\n(?:### |<details><summary>)", markdown)[1:]
    assert len(sections) == 9
    for section in sections:
        total = number(re.search(r"\(([\d,]+)\)", section)[1])
        left_out = sum(
            map(number, re.findall(r"^ *(?:- )?… and ([\d,]+) more", section, re.MULTILINE))
        )
        items = re.findall(
            r"^(?:(?:  )?- ` |[-+!] \b|)(?:new|partner|warning|x\d)", section, re.MULTILINE
        )
        assert (len(items) > 0, len(items) + left_out) == (True, total), section[:200]


def number(text):
    return int(text.replace(",", ""))


def test_a_section_of_markdown_has_as_many_items_as_fit():
    items = [f"- item {i} {'x' * 40}" for i in range(9)]
    section = _report_markdown._Section("Heading", items)
    shown = set()
    for room in range(60, len(section.render(1000)) + 1):
        rendered = section.render(room)
        number = rendered.count("- item")
        assert len(rendered) <= room
        assert number == 9 or len(rendered) + len(f"{items[0]}\n") > room
        shown.add(number)
    assert shown == set(range(10))


@pytest.mark.parametrize(
    ("field", "length", "shown"),
    [
        ("summary", 300, 300),
        ("summary", 301, 299),
        ("problem", 2000, 2000),
        ("problem", 2001, 1999),
    ],
)
def test_markdown_cuts_long_lines(field, length, shown):
    written = markdown_report(report(**{field: "\xd7" * length}))
    assert (written.count("\xd7"), "\xd7…" in written) == (shown, shown < length)


def test_markdown_leaves_out_parts_of_long_texts_too():
    text = "x" * 100_000
    names = [f"{i:02}.a.example" for i in range(15)]
    written = markdown_report(report_full_of(text))
    assert len(written) < 20_000
    written = markdown_report(report(created=[restriction("a.example", *names)]))
    assert "+   exclude: 09.a.example\n+   … and 5 more\n" in written
    written = markdown_report(report(created=[restriction("a.example", *names[:11])]))
    assert "+   exclude: 09.a.example\n+   … and 1 more\n" in written


def test_markdown_shows_both_sides_of_an_update_of_many_names():
    old, new = ([f"{kind}{i:02}.a.example" for i in range(15)] for kind in ("old", "new"))
    updated = [{**restriction("a.example", *new), "previous": restriction("a.example", *old)}]
    lines = markdown_report(report(updated=updated)).splitlines()
    for mark, kind in (("-", "old"), ("+", "new")):
        start = lines.index(f"{mark}   exclude: {kind}00.a.example")
        assert lines[start + 10] == f"{mark}   … and 5 more"


@pytest.mark.parametrize(
    ("shared", "before", "after"),
    [
        ("", "old", "new"),
        ("x" * 100, "old" + "y" * 500, "new"),
        ("x" * 299, "", "new"),
        ("x" * 500, "old" + "y" * 500, "new" + "y" * 500),
        ("\n" * 500, "old", "new"),
    ],
)
def test_markdown_shows_where_two_comments_differ(shared, before, after):
    previous = restriction("a.example", "same.a.example", comments=shared + before)
    record = restriction("a.example", "same.a.example", "b.a.example", comments=shared + after)
    written = markdown_report(report(updated=[{**record, "previous": previous}]))
    lines = re.findall("^([-+])   comments: (.*)$", written, re.MULTILINE)
    assert [mark for mark, _text in lines] == ["-", "+"]
    texts = [text.replace(" ↵ ", "\n") for _mark, text in lines]
    assert all(
        len(text) <= 300 and before[:3] in texts[0] and after[:3] in texts[1] for text in texts
    )
    start = shared if len(shared) <= 150 else "…"
    assert all(text.startswith(start) for text in texts)


def test_markdown_has_no_empty_sections():
    assert re.findall("^#.*", markdown_report(report()), re.MULTILINE) == [
        "## Partner domain TLS: preview"
    ]
