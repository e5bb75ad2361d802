# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as people use it, in a real browser."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report import html_report
from browser.report_samples import (
    HOSTILE,
    large_report,
    report,
    report_full_of,
    restriction,
    typical_report,
)

NODE_MODULES = Path(os.environ["NODE_MODULES"])
AXE = NODE_MODULES / "axe-core" / "axe.min.js"
HTML_VALIDATE = NODE_MODULES / ".bin" / "html-validate"


def domains(page, table="restrictions"):
    return page.locator(f"#{table} tbody .domain > bdi").all_inner_texts()


def shown(page, table="restrictions"):
    return page.locator(f"#{table} .shown").inner_text()


def focused_text(page):
    return page.evaluate("document.activeElement.textContent.trim()")


@pytest.mark.parametrize("is_preview", [True, False])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("colors", ["light", "dark"])
def test_axe_finds_no_accessibility_problem(open_report, colors, width, is_preview):
    # axe-core has to be evaluated, which the page's own policy forbids.
    page = open_report(typical_report(is_preview), width, color_scheme=colors, bypass_csp=True)
    page.add_script_tag(path=str(AXE))
    result = page.evaluate("axe.run()")
    assert [(rule["id"], rule["nodes"]) for rule in result["violations"]] == []
    assert "color-contrast" in [rule["id"] for rule in result["passes"]]


@pytest.mark.parametrize("sample", [report(), typical_report(), report_full_of(HOSTILE[0])])
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
    for table in ("changes", "restrictions"):
        assert first_line in page.locator(f"#{table} tbody").inner_text()
    assert (len(page.requests), page.problems) == (1, [])


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
        ("nothing like it", []),
    ],
)
def test_search_looks_at_domains_exempt_names_and_comments(open_report, text, found):
    page = open_report(typical_report())
    page.locator("#restrictions input").fill(text)
    assert domains(page) == found
    assert shown(page) == f"{len(found)} of 8 restrictions match"


def test_filters_show_one_status_and_combine_with_search(open_report):
    page = open_report(typical_report())
    buttons = page.locator("#restrictions .filters button")
    assert buttons.all_inner_texts() == [
        *("all 8", "to delete 2", "to update 1", "not in the list 1", "finding 1")
    ]
    buttons.nth(1).click()
    assert domains(page) == ["old.example", "twice.example"]
    pressed = [button.get_attribute("aria-pressed") for button in buttons.all()]
    assert pressed == ["false", "true", "false", "false", "false"]
    page.locator("#restrictions input").fill("twice")
    assert domains(page) == ["twice.example"]
    buttons.nth(0).click()
    assert domains(page) == ["twice.example", "twice.example"]


def test_restrictions_are_a_tree_of_domains_until_they_are_sorted(open_report):
    page = open_report(typical_report())
    assert domains(page)[:3] == ["bank.example", "mail.bank.example", "old.example"]
    left = "cell => parseFloat(getComputedStyle(cell).paddingLeft)"
    child = page.locator("#restrictions tbody .domain").nth(1)
    parent = page.locator("#restrictions tbody .domain").nth(0)
    assert "below bank.example" in child.inner_text()
    assert child.evaluate(left) > parent.evaluate(left)
    page.locator("#restrictions thead .modified button").click()
    assert domains(page)[-1] == "mail.bank.example"
    child = page.locator("#restrictions tbody .domain").last
    assert child.evaluate(left) == page.locator("#restrictions .domain").nth(0).evaluate(left)


def test_a_header_sorts_up_and_then_down(open_report):
    page = open_report(typical_report())
    header = page.locator("#changes thead .domain")
    orders = []
    for _click in range(3):
        header.locator("button").click()
        orders.append((header.get_attribute("aria-sort"), domains(page, "changes")))
    ascending = ["added.example", "bank.example", "old.example", "twice.example"]
    assert orders == [
        ("ascending", ascending),
        ("descending", ascending[::-1]),
        ("ascending", ascending),
    ]
    assert page.locator("#changes [aria-sort]").count() == 1


def test_changes_show_deletes_first_and_before_and_after_side_by_side(open_report):
    page = open_report(typical_report())
    rows = page.locator("#changes tbody tr")
    cells = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    assert [row[0].strip() for row in cells] == [*("to delete",) * 2, "to create", "to update"]
    assert cells[1][1:] == [
        "twice.example\n\nduplicate of the restriction kept, which stays",
        "no exempt names",
        "no restriction",
    ]
    assert rows.nth(2).locator(".before").inner_text() == "no restriction"
    assert rows.nth(2).locator("ins").all_inner_texts() == ["news.added.example"]
    assert rows.nth(3).locator("del").all_inner_texts() == ["crm.bank.example"]
    assert rows.nth(3).locator("ins").all_inner_texts() == ["list.bank.example"]
    assert "1 exempt name unchanged" in cells[3][3]


def test_everything_can_be_done_from_the_keyboard(open_report):
    page = open_report(typical_report())
    page.locator("#restrictions input").focus()
    page.keyboard.type("example")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert focused_text(page) == "to delete 2"
    page.keyboard.press("Space")
    assert domains(page) == ["old.example", "twice.example"]
    for _filter in range(4):
        page.keyboard.press("Tab")
    assert focused_text(page) == "Domain"
    page.keyboard.press("Enter")
    assert domains(page) == ["twice.example", "old.example"]


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


def test_long_lists_are_folded(open_report):
    page = open_report(typical_report())
    button = page.get_by_role("button", name="3 more", expanded=False)
    last = page.get_by_text("x8.example", exact=True)
    assert not last.is_visible()
    button.click()
    assert last.is_visible()
    page.get_by_role("button", name="3 more", expanded=True).click()
    assert not last.is_visible()


def test_paper_has_all_rows_and_folded_lists_but_no_controls(open_report):
    names = [f"x{i}.long.example" for i in range(20)]
    sample = large_report(300)
    sample.restrictions[-1]["exclude"] = names
    page = open_report(sample)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(domains(page)) == 300
    assert page.locator("details:not([open])").count() == 0
    assert page.get_by_text(names[-1], exact=True).last.is_visible()
    for control in ("input", ".filters", ".more", ".unfold", "summary"):
        assert page.locator(f"{control} >> visible=true").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(domains(page)) == 100
    assert page.locator("details[open]").count() == 0


def test_paper_says_how_many_rows_it_leaves_out(open_report):
    page = open_report(report(restrictions=large_report(2001).restrictions))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert shown(page) == "2,001 restrictions, the first 2,000 are shown"


def test_without_javascript_the_summary_and_the_notes_remain(open_report):
    page = open_report(typical_report(), java_script_enabled=False)
    text = page.locator("body").inner_text()
    for part in (
        "1 to create, 1 to update, 2 to delete, 4 unchanged",
        "Cloudflare refused the request for 1 create",
        "new.example (create): comments is too long",
        "mail.bank.example is already covered",
        "bank.example: overlaps",
        "need JavaScript",
    ):
        assert part in text
    assert not page.locator("table >> visible=true").count()


@pytest.mark.parametrize("width", [320, 400, 800])
def test_long_names_and_comments_do_not_widen_the_page(open_report, width):
    name = ".".join(["x" * 63, "y" * 63, "z" * 63, "example"])
    known = restriction(name, f"news.{name}", comments="c" * 1024)
    page = open_report(report(restrictions=[known], deleted=[known], unlisted=[name]), width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_ten_thousand_rows_open_and_filter_with_little_work(open_report, capsys):
    count_rows = """() => {
      window.rowsMade = 0;
      const count = ({ addedNodes }) => (rowsMade += addedNodes.length);
      const watch = new MutationObserver((records) => records.forEach(count));
      watch.observe(document.querySelector("#restrictions tbody"), { childList: true });
    }"""
    start = time.perf_counter()
    page = open_report(large_report())
    opened = time.perf_counter() - start
    assert len(domains(page)) == len(domains(page, "changes")) == 100
    page.evaluate(count_rows)
    start = time.perf_counter()
    page.locator("#restrictions input").fill("partner-99")
    filtered = time.perf_counter() - start
    assert shown(page) == "111 of 10,000 restrictions match, the first 100 are shown"
    assert page.evaluate("rowsMade") == 100
    with capsys.disabled():
        sys.stdout.write(f"10,000 rows: open {opened:.2f} s, filter {filtered:.2f} s\n")
