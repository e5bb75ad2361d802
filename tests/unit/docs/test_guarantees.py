# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every promise of the page of guarantees has a test, and every test names a promise of the page.

Python tests have the marker `promise`, integration tests the comment `# Promise: ….`.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "guarantees.rst"
TESTS = ROOT / "tests"


def marked_in_python():
    """Return the promises that the markers at Python tests name."""
    return {
        decorator.args[0].value
        for path in TESTS.rglob("test_*.py")
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
        for decorator in function.decorator_list
        if getattr(getattr(decorator, "func", None), "attr", "") == "promise"
    }


def marked_in_targets():
    """Return the promises that comments in integration tests name."""
    targets = TESTS / "integration" / "targets"
    files = [*targets.glob("*/runme.sh"), *targets.glob("*/tasks/*.yml")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return {name for text in texts for name in re.findall(r"^ *# Promise: (.+)\.$", text, re.M)}


def test_every_promise_has_a_test_and_every_marker_a_promise():
    page, heading, _limits = PAGE.read_text(encoding="utf-8").partition("What cannot be guaranteed")
    assert heading
    promises = re.findall(r"^\* \*\*(.+)\.\*\*", page, re.MULTILINE)
    assert len(promises) == page.count("\n* ")
    assert sorted(promises) == sorted(marked_in_python() | marked_in_targets())
