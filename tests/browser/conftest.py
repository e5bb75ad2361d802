# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for the tests of pages in a real Chromium.

They need two environment variables: `CHROMIUM`, the path of the browser, and `NODE_MODULES`, a
directory with the npm packages axe-core and html-validate.
"""

from __future__ import annotations

import os

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._report_html import (
    html_report,
)
from playwright.sync_api import sync_playwright

# To the console, because tests can wait for its messages; the policy forbids `wait_for_function`.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.debug(event.violatedDirective);
});
"""


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"])
        yield browser
        browser.close()


@pytest.fixture
def open_report(chromium, tmp_path):
    """Open a report in a window of its own; the page has lists of its `requests` and `problems`.

    `problems` are uncaught errors and what the browser writes to the console.
    """
    contexts = []

    def open_report(report, width=1280, **options):
        path = tmp_path / "report.html"
        path.write_text(html_report(report), encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.requests, page.problems = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("console", lambda message: page.problems.append(message.text))
        page.add_init_script(REPORT_VIOLATIONS)
        page.goto(path.as_uri())
        return page

    yield open_report
    for context in contexts:
        context.close()
