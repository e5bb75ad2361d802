# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as people use it, in a real browser."""

from __future__ import annotations

import itertools
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._impact import Impact
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_html import (
    html_report,
)
from browser.report_samples import (
    HOSTILE,
    TIME,
    affected_report,
    comparison_report,
    finding,
    large_report,
    report,
    report_full_of,
    restriction,
    sender,
    typical_report,
)

NODE_MODULES = Path(os.environ["NODE_MODULES"])
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
HTML_VALIDATE = NODE_MODULES / ".bin" / "html-validate"
TIMES = "created 2026-01-02 05:20 UTC last modified 2026-03-04 06:30 UTC"
LEFTS = "cells => cells.map((cell) => parseFloat(getComputedStyle(cell).paddingLeft))"


def domains(page, table="restrictions"):
    return page.locator(f"#{table} tbody .domain > bdi").all_inner_texts()


def shown(page, table="restrictions"):
    return page.locator(f"#{table}").get_by_role("status").inner_text()


def style(locator, name, pseudo_element=None):
    """Return a computed property of the style of an element, or of its `::before` or `::after`."""
    return locator.evaluate(
        "(element, [name, pseudo]) => getComputedStyle(element, pseudo)[name]",
        [name, pseudo_element],
    )


def broken(page, selector, pattern):
    """Return the texts within such elements in which a line ends within a match of the pattern."""
    return page.evaluate(
        """([selector, pattern]) => {
          const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
          const found = [];
          while (texts.nextNode()) {
            const node = texts.currentNode;
            const range = document.createRange();
            const isBroken = ({ 0: word, index }) => {
              range.setStart(node, index);
              range.setEnd(node, index + word.length);
              return range.getClientRects().length > 1;
            };
            const matches = [...node.data.matchAll(new RegExp(pattern, "g"))];
            if (node.parentElement.closest(selector) && matches.some(isBroken)) {
              found.push(node.data);
            }
          }
          return found;
        }""",
        [selector, pattern],
    )


def before_print(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")


def after_print(page):
    page.evaluate("dispatchEvent(new Event('afterprint'))")


def focused_text(page):
    return page.evaluate("document.activeElement.textContent.trim()")


@pytest.mark.parametrize("is_preview", [True, False])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_axe_finds_no_accessibility_problem(open_report, colors, width, is_preview):
    # axe-core has to be evaluated, which the page's own policy forbids.
    page = open_report(affected_report(is_preview), width, color_scheme=colors, bypass_csp=True)
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("axe.run()")
    assert [(rule["id"], rule["nodes"]) for rule in result["violations"]] == []
    assert "color-contrast" in [rule["id"] for rule in result["passes"]]


@pytest.mark.parametrize("sample", [report(), affected_report(), report_full_of(HOSTILE[0])])
def test_the_html_is_valid_as_written_and_as_rendered(open_report, tmp_path, sample):
    files = [tmp_path / "written.html", tmp_path / "rendered.html"]
    page = open_report(sample)
    for file, html in zip(files, [html_report(sample), page.content()]):
        file.write_text(html, encoding="utf-8")
    # The rules of the HTML standard only, as a browser writes HTML in a style of its own.
    command = [str(HTML_VALIDATE), "--preset", "standard", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_stays_text(open_report, text):
    page = open_report(report_full_of(text))
    assert page.evaluate("window.attacked") is None
    assert page.locator("img, a, main h1 ~ h1, main script").count() == 0
    first_line = text.splitlines()[0].split("\u202e")[0]
    for table in ("affected", "changes", "restrictions"):
        assert first_line in page.locator(f"#{table} tbody").inner_text()
    assert (len(page.requests), page.problems) == (1, [])


@pytest.mark.promise("A report needs no network")
def test_no_request_leaves_the_page_and_nothing_breaks_its_policy(open_report):
    page = open_report(typical_report())
    page.locator("#restrictions input").fill("bank")
    page.locator("#restrictions .filters button").nth(1).click()
    assert [url.rpartition("/")[2] for url in page.requests] == ["report.html"]
    assert page.problems == []


@pytest.mark.parametrize(
    ("html", "directive"),
    [
        ("<img src='https://attacker.example/'>", "img-src"),
        ("<iframe src='https://attacker.example/'></iframe>", "frame-src"),
        ("<p onclick='1'>", "script-src-attr"),
        ("<p style='color: red'>", "style-src-attr"),
        ("<form action='https://attacker.example/'><button>", "form-action"),
    ],
)
def test_the_policy_stops_markup_that_others_could_have_brought_in(open_report, html, directive):
    page = open_report(report())
    with page.expect_console_message(lambda message: message.type == "debug") as violation:
        page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", html)
        # Some versions of Chromium report an inline handler at once, others when it would run.
        page.evaluate("document.querySelector('[onclick], form button')?.click()")
    assert violation.value.text == directive


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("OLD.ex", ["old.example"]),
        ("bücher", ["xn--bcher-kva.example (bücher.example)"]),
        ("xn--bcher", ["xn--bcher-kva.example (bücher.example)"]),
        ("crm.bank", ["bank.example"]),
        ("x8.example", ["xn--bcher-kva.example (bücher.example)"]),
        (" with their postmaster ", ["press.example"]),
        ("2026-09-09", ["mail.bank.example"]),
        ("2026-02-03 04:05", ["press.example"]),
        ("kept", ["twice.example"]),
        ("nothing like it", []),
        # The texts of a row are not one text.
        ("press.exampleagreed", []),
    ],
)
def test_search_looks_at_all_facts_of_restrictions(open_report, text, found):
    page = open_report(typical_report())
    page.locator("#restrictions input").fill(text)
    assert domains(page) == found
    assert shown(page) == f"{len(found)} of 8 restrictions match"
    assert page.locator("#restrictions table").is_visible() == bool(found)


def test_search_looks_at_the_notes_and_both_sides_of_changes(open_report):
    previous = restriction("renewed.example", "gone.renewed.example", comments="Ticket 7")
    renewed = restriction("renewed.example", "added.renewed.example", comments="Contract 8")
    duplicate = restriction("twice.example", duplicate_of="kept", created_at="2025-12-24T18:00:00Z")
    old = restriction("old.example", "Left.old.example")
    new = [restriction(f"new-{i}.example") for i in range(2)]
    sample = report(
        created=new, updated=[{**renewed, "previous": previous}], deleted=[duplicate, old]
    )
    page = open_report(sample)
    found = {}
    for text in (
        "restriction KEPT",
        "left.",
        "gone.",
        "ticket 7",
        "added.",
        "contract",
        "NEW-1",
        "2025-12-24",
    ):
        page.get_by_label("Search changes").fill(text)
        found[text] = domains(page, "changes")
    assert found == {
        "restriction KEPT": ["twice.example"],
        "left.": ["old.example"],
        **dict.fromkeys(("gone.", "ticket 7", "added.", "contract"), ["renewed.example"]),
        "NEW-1": ["new-1.example"],
        "2025-12-24": ["twice.example"],
    }


def test_filters_show_one_status_and_combine_with_search(open_report):
    page = open_report(typical_report())
    buttons = page.locator("#restrictions .filters button")
    assert buttons.all_inner_texts() == [
        *(
            "all 8",
            "would newly require TLS for some names, no longer for others 1",
            "would no longer require TLS 1",
        ),
        *("duplicate to remove 1", "not in the list 1", "finding 1", "with exempt names 2"),
        "with exempt names but no comment 2",
    ]
    is_pressed = "buttons => buttons.map((button) => button.ariaPressed === 'true')"
    assert buttons.evaluate_all(is_pressed) == [True, *[False] * 7]
    seen = []
    for index, text in [(6, ""), (6, "bank"), (0, "bank"), (0, "")]:
        buttons.nth(index).click()
        page.locator("#restrictions input").fill(text)
        seen.append((buttons.evaluate_all(is_pressed).index(True), len(domains(page)), shown(page)))
    assert seen == [
        (6, 2, "2 of 8 restrictions match"),
        (6, 1, "1 of 8 restrictions match"),
        (0, 2, "2 of 8 restrictions match"),
        (0, 8, "8 restrictions"),
    ]
    assert style(buttons.nth(0), "boxShadow") != style(buttons.nth(1), "boxShadow")


@pytest.mark.parametrize(
    ("restrictions", "unlisted", "controls"),
    [(4, 1, ""), (5, 1, "input and filters"), (5, 0, "input"), (5, 5, "input"), (1, 0, "")],
)
def test_a_table_has_only_the_controls_that_help(open_report, restrictions, unlisted, controls):
    names = [f"x{i}.example" for i in range(restrictions)]
    known = [restriction(name) for name in names]
    page = open_report(report(restrictions=known, unlisted=names[:unlisted]))
    section = page.locator("#restrictions")
    assert section.get_by_label("Search restrictions").is_visible() == ("input" in controls)
    assert section.get_by_text("Search restrictions").is_visible() == ("input" in controls)
    assert section.get_by_role("group").is_visible() == ("filters" in controls)
    assert shown(page) == ("1 restriction" if restrictions == 1 else f"{restrictions} restrictions")


def test_a_row_has_all_facts_of_a_restriction_and_is_headed_by_its_domain(open_report):
    known = restriction("a.example", "news.a.example", "crm.a.example", comments="one  two\nthree")
    findings = [finding("a.example", "a.example is odd")]
    page = open_report(report(restrictions=[known], findings=findings, unlisted=["a.example"]))
    cells = page.locator("#restrictions tbody :is(th, td)")
    assert cells.all_inner_texts() == [
        "a.example\nexempt\ncrm.a.example\nexempt\nnews.a.example",
        "not in the list finding",
        "one  two\nthree",
        "2026-01-02 05:20",
        "2026-03-04 06:30",
    ]
    header = page.locator("#restrictions").get_by_role("rowheader")
    assert [header.get_attribute(name) for name in ("scope", "abbr")] == ["row", "a.example"]


def test_a_row_has_the_id_of_a_duplicate_and_exempt_names_that_need_tls(open_report):
    known = [restriction("a.example", "x.a.example", id="one"), restriction("a.example", id="two")]
    page = open_report(report(restrictions=known))
    cells = page.locator("#restrictions tbody .domain")
    assert [" ".join(text.split()) for text in cells.all_inner_texts()] == [
        "a.example ID one listed as exempt, but needs TLS x.a.example",
        "a.example ID two",
    ]


def test_restrictions_are_a_tree_of_domains_until_they_are_sorted(open_report):
    page = open_report(typical_report())
    assert domains(page)[:3] == ["bank.example", "mail.bank.example", "old.example"]
    cells = page.locator("#restrictions tbody .domain")
    assert "below bank.example" in cells.nth(1).inner_text()
    indented = cells.evaluate_all(LEFTS)
    assert indented[1] > indented[0] == indented[2]
    tree = domains(page)
    headers = page.locator("#restrictions thead")
    headers.locator(".modified button").click()
    assert domains(page)[-1] == "mail.bank.example"
    assert len(set(cells.evaluate_all(LEFTS))) == 1
    headers.locator(".tree button").click()
    assert (domains(page), cells.evaluate_all(LEFTS)) == (tree, indented)
    headers.locator(".tree button").click()
    assert domains(page) == tree[::-1]
    assert len(set(cells.evaluate_all(LEFTS))) == 1


def test_the_tree_is_indented_by_four_levels_at_most(open_report):
    names = ["example", *"abcdef"]
    names = [".".join(names[:level][::-1]) for level in range(2, 8)]
    page = open_report(report(restrictions=[restriction(name) for name in names]))
    lefts = page.locator("#restrictions tbody .domain").evaluate_all(LEFTS)
    steps = [right - left for left, right in itertools.pairwise(lefts)]
    assert steps[:4] == [steps[0]] * 4 and steps[0] > 0
    assert steps[4:] == [0]


def test_columns_keep_their_widths_whatever_is_shown(open_report):
    names = [f"{letter}.example" for letter in "abcde"]
    long = restriction("long.example", comments="word " * 200)
    page = open_report(report(restrictions=[long, *map(restriction, names)]))
    headers = page.locator("#restrictions thead th")
    widths = "headers => headers.map((header) => header.offsetWidth)"
    before = headers.evaluate_all(widths)
    page.get_by_label("Search restrictions").fill("a.example")
    assert headers.evaluate_all(widths) == before


def test_a_header_sorts_up_and_then_down(open_report):
    names = [f"partner-{number}.example" for number in (1, 9, 10)]
    page = open_report(report(created=[restriction(name) for name in names[::-1]]))
    headers = page.locator("#changes thead")
    assert headers.get_by_role("button").all_inner_texts() == ["Change", "Domain"]
    seen = []
    for name in ("Domain", "Domain", "Domain", "Domain", "Change", "Domain"):
        headers.get_by_role("button", name=name).click()
        header = page.locator("#changes [aria-sort]")
        arrow, spoken = style(header.get_by_role("button"), "content", "::after").split(" / ")
        assert spoken == '""'
        arrow = arrow.strip('" ')
        seen.append((header.inner_text(), header.get_attribute("aria-sort"), arrow))
        if name == "Domain":
            expected = names if seen[-1][1] == "ascending" else names[::-1]
            assert domains(page, "changes") == expected
    up, down = ("Domain", "ascending", "↑"), ("Domain", "descending", "↓")
    assert seen == [up, down, up, down, ("Change", "ascending", "↑"), up]


def test_restrictions_are_sorted_by_status_with_what_drops_mail_first(open_report):
    page = open_report(typical_report())
    page.locator("#restrictions thead .statuses button").click()
    statuses = page.locator("#restrictions tbody .statuses").all_inner_texts()
    assert statuses == [
        *(
            "would newly require TLS for some names, no longer for others",
            "would no longer require TLS",
            "duplicate to remove",
        ),
        *("not in the list", "finding", "", "", ""),
    ]


def test_filters_show_what_was_changed_in_the_days_before_the_report(open_report):
    ages = {"now": 0, "day": 1, "week": 8, "month": 29, "year": 365}
    known = [
        restriction(f"{name}.example", modified_at=f"{TIME - timedelta(days=age):%FT%TZ}")
        for name, age in ages.items()
    ]
    page = open_report(report(restrictions=known))
    # The clock of the reader does not matter.
    buttons = page.locator("#restrictions .filters button")
    seen = {}
    for button in buttons.all():
        button.click()
        seen[button.inner_text()] = {name.partition(".")[0] for name in domains(page)}
    assert seen == {
        "all 5": set(ages),
        "changed in the last 7 days 2": {"now", "day"},
        "changed in the last 30 days 4": {"now", "day", "week", "month"},
    }
    page = open_report(report(restrictions=known[:2]))
    assert page.locator("#restrictions .filters button").all_text_contents() == [
        *("all 2", "changed in the last 7 days 2", "changed in the last 30 days 2")
    ]


def test_changes_show_what_drops_mail_first_and_before_and_after_side_by_side(open_report):
    page = open_report(typical_report())
    rows = page.locator("#changes tbody tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    assert [[" ".join(text.split()) for text in row] for row in cells] == [
        ["would newly require TLS", "added.example", "no restriction", "exempt news.added.example"],
        [
            "would newly require TLS for some names, no longer for others",
            "bank.example would newly require TLS: crm.bank.example; would no longer require TLS:"
            f" list.bank.example {TIMES}",
            "exempt crm.bank.example",
            "exempt list.bank.example 1 exempt name unchanged",
        ],
        [
            "would no longer require TLS",
            f"old.example {TIMES}",
            "no exempt names",
            "no restriction",
        ],
        [
            "duplicate to remove",
            f"twice.example duplicate (ID duplicate) of the restriction kept, which stays {TIMES}",
            "–",
            "–",
        ],
    ]
    assert rows.locator("ins").all_inner_texts() == ["news.added.example", "list.bank.example"]
    assert rows.locator("del").all_inner_texts() == ["crm.bank.example"]


def test_differences_are_marked_alike_on_the_account_and_in_the_list(open_report):
    page = open_report(comparison_report(), 400, is_mobile=True)
    section = page.locator("#changes")
    assert section.get_by_role("heading").inner_text() == "Differences"
    assert shown(page, "changes") == "4 differences"
    sides = section.locator("tbody tr:has-text('crm.bank') :is(.before, .after)")
    names = sides.evaluate_all("cells => cells.map((cell) => cell.dataset.name)")
    assert names == ["On the account", "In the list"]
    marks = sides.locator("mark")
    assert marks.all_inner_texts() == ["crm.bank.example", "list.bank.example"]
    assert style(marks.first, "backgroundColor") == style(marks.last, "backgroundColor")
    assert "1 exempt name on both sides" in sides.last.inner_text()
    assert section.locator("del, ins").count() == 0


def test_only_differences_that_weaken_are_red(open_report):
    page = open_report(comparison_report())
    colors = {
        name: style(page.locator(f"#changes .status.{name}").first, "backgroundColor")
        for name in ("weaker", "both", "stricter", "missing", "different", "extra")
    }
    assert colors["weaker"] == colors["both"]
    assert len(set(colors.values())) == 3
    assert colors["missing"] == colors["different"] == colors["extra"]
    tiles = [style(page.locator(f".counts .{name}"), "backgroundColor") for name in colors]
    assert tiles.count(colors["weaker"]) == 2
    assert page.locator("#changes tr:has-text('added.example') .status").all_inner_texts() == [
        *("weaker than the list", "missing on the account")
    ]


def test_an_update_of_the_comment_shows_only_the_comment(open_report):
    updated = {**restriction("a.example", comments="Renewed"), "previous": restriction("a.example")}
    page = open_report(report(updated=[updated]))
    sides = page.locator("#changes tbody :is(.before, .after)").all_inner_texts()
    assert [text.split() for text in sides] == [["–"], ["comment", "Renewed"]]


@pytest.mark.parametrize("is_preview", [True, False])
def test_what_drops_mail_stands_out(open_report, is_preview):
    old = restriction("old.example", "news.old.example")
    new = restriction("new.example", "news.new.example")
    sample = {"deleted": [old], "is_preview": is_preview, "summary": "1 to delete"}
    pages = open_report(report(created=[new], **sample)), open_report(report(**sample))
    label = "would newly require TLS" if is_preview else "newly requires TLS"
    counts = [page.locator(f".counts div:has-text('{label}')") for page in pages]
    colors = [style(count, "backgroundColor") for count in counts]
    statuses = pages[0].locator("#changes tbody .status")
    assert colors[0] == style(statuses.nth(0), "backgroundColor") != colors[1]
    muted = style(pages[1].locator("#changes caption"), "color")
    assert style(counts[1].locator("dd"), "color") == muted
    rows = pages[0].locator("#changes tbody tr")
    stripes = [style(row.locator(":first-child").first, "boxShadow") for row in rows.all()]
    assert stripes[0] != stripes[1]
    assert style(statuses.nth(0), "backgroundColor") != style(statuses.nth(1), "backgroundColor")
    assert "line-through" in style(rows.locator("del"), "textDecorationLine")


def test_affected_senders_come_with_the_change_and_sort_by_their_messages(open_report):
    page = open_report(affected_report())
    rows = page.locator("#affected tbody tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    assert [[" ".join(text.split()) for text in row] for row in cells][::3] == [
        [
            "would newly require TLS",
            "crm.bank.example DIRECT",
            "bank.example (update)",
            "1,412",
            "",
        ],
        [
            "would no longer require TLS",
            "list.bank.example first 2026-11-01 07:00 UTC",
            "bank.example (update)",
            "3",
            "2026-11-20 08:30",
        ],
    ]
    orders = []
    for _click in range(2):
        page.locator("#affected thead").get_by_role("button", name="Messages").click()
        orders.append(page.locator("#affected tbody .messages").all_inner_texts())
    assert orders == [["1", "3", "9", "1,412"], ["1,412", "9", "3", "1"]]
    assert shown(page, "affected") == "4 senders"


def test_search_finds_affected_senders_by_name_change_and_times(open_report):
    senders = [sender(f"x{i}.a.example", i) for i in range(4)]
    other = [sender("b.example", 1, last_seen="2026-10-31T00:00:00Z", delivery_modes=["API"])]
    impact = Impact(30, {"a.example": senders, "b.example": other})
    page = open_report(report(impact=impact, created=[restriction("b.example")]))
    for text in ("B.example", "create", "2026-10-31", "api"):
        page.get_by_label("Search who is affected").fill(text)
        assert domains(page, "affected") == ["b.example"]


def test_restrictions_have_a_sortable_column_of_messages_if_somebody_asked(open_report):
    page = open_report(affected_report())
    header = page.locator("#restrictions thead").get_by_role("button", name="Messages of affected")
    header.click()
    header.click()
    numbers = page.locator("#restrictions tbody .messages").all_inner_texts()
    assert numbers == ["1,415", "0 or more", *[""] * 6]
    assert open_report(typical_report()).locator("#restrictions .messages").count() == 0


def test_everything_can_be_done_from_the_keyboard(open_report):
    page = open_report(typical_report())
    page.locator("#restrictions input").focus()
    page.keyboard.type("example")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused_text(page) == "would newly require TLS for some names, no longer for others 1"
    for _filter in range(6):
        page.keyboard.press("Tab")
    assert focused_text(page) == "with exempt names but no comment 2"
    page.keyboard.press("Space")
    names = ["bank.example", "xn--bcher-kva.example (bücher.example)"]
    assert domains(page) == names
    page.keyboard.press("Tab")
    assert focused_text(page) == "Domain"
    page.keyboard.press("Enter")
    assert domains(page) == names[::-1]


def test_marks_do_not_depend_on_colors(open_report):
    """Windows can replace all colors, and leaves out shadows."""
    page = open_report(affected_report(), forced_colors="active")
    buttons = page.locator("#restrictions .filters button")
    outlines = [style(button, "outlineStyle") for button in buttons.all()]
    assert outlines == ["solid", *["none"] * (len(outlines) - 1)]
    for mark in (".status", ".counts div", ".problem", "del", "ins"):
        assert style(page.locator(mark).first, "borderStyle") == "solid"


def test_whatever_has_the_focus_is_outlined(open_report):
    page = open_report(large_report(300))
    texts = set()
    for _key in range(60):
        page.keyboard.press("Tab")
        if focused_text(page) in texts and page.evaluate(
            "document.activeElement === document.body"
        ):
            break
        texts.add(focused_text(page))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(f"document.activeElement === document.body || {outline} === 'solid'")
    assert {"Show more", "Comments", "all 300"} <= texts


def test_more_rows_come_on_request_and_the_first_of_them_gets_the_focus(open_report):
    page = open_report(report(restrictions=large_report(250).restrictions))
    more = page.locator("#restrictions .more")
    assert shown(page) == "250 restrictions, the first 100 are shown"
    more.focus()
    page.keyboard.press("Enter")
    assert len(domains(page)) == 200
    assert focused_text(page).startswith(domains(page)[100])
    more.click()
    assert (len(domains(page)), shown(page), more.is_visible()) == (250, "250 restrictions", False)
    page.locator("#restrictions input").fill("partner")
    assert shown(page) == "250 restrictions, the first 100 are shown"


def test_the_header_of_a_long_table_stays_in_view(open_report):
    page = open_report(report(restrictions=large_report(100).restrictions))
    page.locator("#restrictions tbody tr").last.scroll_into_view_if_needed()
    assert page.locator("#restrictions thead th").first.bounding_box()["y"] == 0


def test_long_lists_are_folded(open_report):
    page = open_report(typical_report())
    button = page.get_by_role("button", name="3 more", expanded=False)
    last = page.get_by_text("x8.example", exact=True)
    assert not last.is_visible()
    button.click()
    assert last.is_visible()
    page.get_by_role("button", name="3 more", expanded=True).click()
    assert not last.is_visible()


def test_a_list_of_six_is_not_folded(open_report):
    names = [f"x{i}.a.example" for i in range(6)]
    page = open_report(report(restrictions=[restriction("a.example", *names)]))
    assert page.locator(".unfold").count() == 0
    assert page.get_by_text(names[-1]).is_visible()


def test_paper_has_all_rows_and_folded_lists_but_no_controls(open_report):
    names = [f"x{i}.long.example" for i in range(20)]
    sample = large_report(300)
    sample.restrictions[-1]["exclude"] = names
    page = open_report(sample)
    page.emulate_media(media="print")
    before_print(page)
    assert len(domains(page)) == 300
    assert page.locator("details:not([open])").count() == 0
    assert page.get_by_text(names[-1], exact=True).last.is_visible()
    for control in ("input", ".filters", ".more", ".unfold", "summary"):
        assert page.locator(f"{control} >> visible=true").count() == 0
    header = page.locator("#restrictions thead th").first
    assert (style(header, "position"), style(header, "boxShadow")) == ("static", "none")
    first_cell = page.locator("#changes tr.newly > :first-child").first
    assert (style(first_cell, "borderLeftWidth"), style(first_cell, "boxShadow")) == ("3px", "none")


def test_after_printing_the_page_is_as_it_was_before(open_report):
    sample = large_report(300)
    sample.restrictions[0]["exclude"] = [f"x{i}.long.example" for i in range(20)]
    page = open_report(sample)
    page.locator("#restrictions .more").click()
    page.locator("summary").nth(1).click()
    page.locator("#restrictions .unfold").click()
    page.pdf()
    assert shown(page) == "300 restrictions, the first 200 are shown"
    assert len(domains(page)) == 200
    is_open = "all => all.map((details) => details.open)"
    assert page.locator("details").evaluate_all(is_open) == [False, True, False, False]
    assert page.locator("#restrictions").get_by_text("x19.long.example").is_visible()
    assert focused_text(page) == "14 more"


def test_paper_is_white_and_has_the_colors_of_the_marks(open_report):
    page = open_report(typical_report(), color_scheme="dark")
    white = "rgb(255, 255, 255)"
    assert style(page.locator("body"), "backgroundColor") != white
    page.emulate_media(media="print")
    assert style(page.locator("body"), "backgroundColor") == white
    for mark in (".status", "del", "ins"):
        assert style(page.locator(mark).first, "printColorAdjust") == "exact"


def test_paper_says_how_many_rows_it_leaves_out(open_report):
    page = open_report(report(restrictions=large_report(2001).restrictions))
    page.emulate_media(media="print")
    box = page.locator("#omitted")
    assert not box.is_visible()
    before_print(page)
    assert shown(page) == "2,001 restrictions, the first 2,000 are shown"
    assert box.inner_text() == f"1 row omitted: {shown(page)}"
    assert style(box, "borderStyle") == "solid"
    assert box.bounding_box()["y"] < page.locator("h1").bounding_box()["y"]
    page.emulate_media(media="screen")
    assert not box.is_visible()
    page.emulate_media(media="print")
    after_print(page)
    for _click in range(20):
        page.locator("#restrictions .more").dispatch_event("click")
    before_print(page)
    assert (shown(page), box.is_visible()) == ("2,001 restrictions", False)
    after_print(page)
    page.locator("#restrictions input").evaluate(
        "input => { input.value = 'partner-1'; input.dispatchEvent(new Event('input')) }"
    )
    before_print(page)
    text = "1,111 of 2,001 restrictions match (search: partner-1)"
    assert (shown(page), box.inner_text()) == (text, f"890 rows omitted: {text}")


def test_paper_says_how_the_rows_were_chosen_and_sorted(open_report):
    page = open_report(typical_report())
    before_print(page)
    assert (shown(page), page.locator("#omitted").inner_text()) == ("8 restrictions", "")
    after_print(page)
    page.locator("#restrictions thead .modified button").click()
    before_print(page)
    text = "8 restrictions (sorted by: Modified (UTC))"
    assert (shown(page), page.locator("#omitted").inner_text()) == (text, "")
    after_print(page)
    assert shown(page) == "8 restrictions"
    page.locator("#restrictions thead .modified button").click()
    page.locator("#restrictions input").fill(" bank ")
    page.locator("#restrictions .filters button:has-text('finding')").click()
    page.emulate_media(media="print")
    before_print(page)
    text = (
        "1 of 8 restrictions match (filter: finding; search: bank;"
        " sorted by: Modified (UTC), descending)"
    )
    assert (shown(page), page.locator("#omitted").inner_text()) == (text, f"7 rows omitted: {text}")


def test_a_narrow_screen_sorts_with_a_list(open_report):
    page = open_report(typical_report(), 400, is_mobile=True)
    sorting = page.get_by_label("Sort restrictions")
    assert sorting.is_visible()
    tree = domains(page)
    sorting.select_option("Modified (UTC)")
    assert domains(page)[-1] == "mail.bank.example"
    sorting.select_option("Modified (UTC), descending")
    assert domains(page)[0] == "mail.bank.example"
    sorting.select_option("Domain")
    assert domains(page) == tree
    assert not page.locator("#changes-sort").is_visible()
    wide = open_report(typical_report())
    assert not wide.locator("#restrictions-sort").is_visible()
    wide.locator("#restrictions thead .comments button").click()
    assert wide.locator("#restrictions-sort").input_value() == "comments false"


@pytest.mark.parametrize("is_stopped_by", ["browser", "policy"])
def test_without_scripts_everything_but_the_restrictions_remains(open_report, is_stopped_by):
    """Jenkins serves reports with a policy that stops scripts and styles."""
    page = open_report(report(), java_script_enabled=is_stopped_by != "browser")
    policy = {"Content-Security-Policy": "default-src 'none'"} if is_stopped_by == "policy" else {}
    answer = {"body": html_report(typical_report()), "headers": policy, "content_type": "text/html"}
    page.route("https://reports.example/", lambda route: route.fulfill(**answer))
    page.goto("https://reports.example/")
    text = page.locator("body").inner_text()
    for part in (
        "2 would newly require TLS (1 to create, 1 to update, 2 to delete)",
        "Cloudflare refused the request for 1 create",
        "new.example (create): comments is too long",
        "mail.bank.example is already covered",
        "bank.example: overlaps",
        "Changes (4)",
        "would no longer require TLS: old.example (created 2026-01-02",
        "duplicate to remove: twice.example (duplicate (ID duplicate) of the restriction kept, which stays)",
        "would newly require TLS: added.example",
        "would newly require TLS for some names, no longer for others: bank.example",
        "before: exempt crm.bank.example",
        "after: exempt list.bank.example",
        "Without JavaScript",
    ):
        assert part in text
    assert not page.locator("table >> visible=true").count()


def test_without_scripts_affected_senders_are_listed_before_the_changes(open_report):
    page = open_report(affected_report(), java_script_enabled=False)
    text = page.locator("body").inner_text()
    parts = [
        "Who is affected (4)",
        "would newly require TLS: crm.bank.example, 1,412 messages in 30 days, because of"
        " bank.example (update)",
        "Changes (4)",
        "would newly require TLS: added.example\n",
    ]
    assert sorted(parts, key=text.index) == parts


def test_with_scripts_nothing_is_there_twice(open_report):
    page = open_report(typical_report())
    assert page.get_by_text("added.example", exact=True).count() == 1
    assert "Without JavaScript" not in page.locator("main").inner_text()


def test_sections_without_rows_vanish(open_report):
    page = open_report(report())
    assert page.get_by_role("heading").all_inner_texts() == ["Partner domain TLS", "At a glance"]


@pytest.mark.parametrize("width", [320, 390])
def test_labels_are_not_broken_within_a_word(open_report, width):
    page = open_report(report_full_of("x" * 300), width, is_mobile=True)
    assert broken(page, "dt, h2, h3, label, button, .status", "[A-Za-z]+") == []


@pytest.mark.parametrize("width", [320, 880, 1280])
def test_names_are_broken_after_dots_and_times_between_words(open_report, width):
    name = ".".join(f"department{number}" for number in range(12)) + ".example"
    known = restriction(name, f"newsletter.{name}", id="short")
    others = [restriction(f"x{number}.{name}", f"y.x{number}.{name}") for number in range(5)]
    old = {**known, "exclude": []}
    page = open_report(
        report(restrictions=others, updated=[{**known, "previous": old}], unlisted=[name]),
        width,
    )
    assert broken(page, "bdi, td, th", r"[-\w:]+") == []
    assert page.locator(".notes wbr").count() > 0


@pytest.mark.parametrize("is_with_scripts", [True, False])
def test_dates_are_not_broken(open_report, is_with_scripts):
    known = restriction("a.example", comments="Agreed with them 2026-10-11 for good")
    sample = report(
        is_preview=False,
        restrictions=[known],
        updated=[{**known, "comments": "Again agreed 2026-11-12", "previous": known}],
    )
    page = open_report(sample, 320, java_script_enabled=is_with_scripts)
    for width in range(320, 1300, 20):
        page.set_viewport_size({"width": width, "height": 900})
        assert broken(page, "*", r"\d{4}-\d\d-\d\d") == []


def test_columns_are_wide_enough_for_their_headers_and_for_comments(open_report):
    page = open_report(affected_report())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 900})  # A4 with margins of one centimetre
    assert broken(page, "thead, .comments", "[A-Za-z]+") == []


@pytest.mark.parametrize("width", [320, 400, 800])
def test_long_names_and_comments_do_not_widen_the_page(open_report, width):
    name = ".".join(["x" * 63, "y" * 63, "z" * 63, "example"])
    known = restriction(name, f"news.{name}", comments="c" * 1024)
    page = open_report(report(restrictions=[known], deleted=[known], unlisted=[name]), width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_controls_do_not_widen_the_page(open_report):
    page = open_report(affected_report(), 320)
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_counts_leave_no_gap_between_them(open_report):
    page = open_report(typical_report())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 900})  # A4 with margins of one centimetre
    boxes = [count.bounding_box() for count in page.locator(".counts div").all()]
    ends = {}
    for box in boxes:
        ends[box["y"]] = max(ends.get(box["y"], 0), round(box["x"] + box["width"]))
    assert {ends[row] for row in sorted(ends)[:-1]} == {718}


def test_what_was_not_read_has_the_color_of_nothing(open_report):
    page = open_report(report(restrictions=None, findings=None, problem="x"))
    nothing = open_report(report())
    colors = [style(tab.locator(".counts .findings"), "backgroundColor") for tab in (page, nothing)]
    assert colors[0] == colors[1]


def test_a_narrow_screen_has_blocks_with_the_names_of_their_columns(open_report):
    page = open_report(typical_report(), 400, is_mobile=True)
    assert page.evaluate("innerWidth") == 400
    assert page.locator("thead >> visible=true").count() == 0
    row = page.locator("#changes tbody tr").last
    boxes = [cell.bounding_box() for cell in row.locator("th, td").all()]
    assert {box["x"] for box in boxes} == {boxes[0]["x"]}
    for table, column, name in (
        ("changes", "before", "Before"),
        ("changes", "after", "After"),
        ("restrictions", "comments", "Comments"),
        ("restrictions", "created", "Created (UTC)"),
        ("restrictions", "modified", "Modified (UTC)"),
    ):
        cell = page.locator(f"#{table} tbody .{column}").last
        assert cell.get_attribute("data-name") == name
        assert style(cell, "content", "::before") not in ("none", "normal")
    empty = page.locator("#restrictions tr:has-text('xn--') :is(.comments, .statuses)")
    assert (empty.count(), empty.locator("visible=true").count()) == (2, 0)


def test_ten_thousand_rows_open_and_filter_with_little_work(open_report):
    count_rows = """() => {
      window.rowsMade = 0;
      const count = ({ addedNodes }) => (rowsMade += addedNodes.length);
      const watch = new MutationObserver((records) => records.forEach(count));
      watch.observe(document.querySelector("#restrictions tbody"), { childList: true });
    }"""
    page = open_report(large_report())
    for table in ("affected", "changes", "restrictions"):
        assert len(domains(page, table)) == 100
    page.evaluate(count_rows)
    page.locator("#restrictions input").fill("partner-99")
    assert shown(page) == "111 of 10,000 restrictions match, the first 100 are shown"
    assert page.evaluate("rowsMade") == 100
