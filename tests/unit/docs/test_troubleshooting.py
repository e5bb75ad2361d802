# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page about errors explains each kind of failure and each advice."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils import (
    _failure_kinds,
    _response,
)

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "troubleshooting.rst"
KINDS = [value for name, value in sorted(vars(_failure_kinds).items()) if name.isupper()]
# Parts that only connect others, such as "install it for {python}, or use …".
MIN_LENGTH = 9


def texts_of(node):
    """Yield the literal parts of an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value.strip(" ;,")


def names_of(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def advice_of(path):
    """Yield the literal parts of the second argument of each `CloudflareError`.

    Where it is a variable, these are the literals that the module assigns to that name.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    advice = [
        call.args[1]
        for call in calls
        if getattr(call.func, "id", "") == "CloudflareError" and len(call.args) > 1
    ]
    names = set().union(*map(names_of, advice))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, values = node.targets, [node.value]
            if isinstance(targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                targets, values = targets[0].elts, node.value.elts
            for target, value in zip(targets, values):
                if getattr(target, "id", "") in names:
                    advice.append(value)
                    names |= names_of(value)
    for expression in advice:
        yield from texts_of(expression)


def all_advice():
    for meaning in _response._MEANINGS:
        for text in re.split(r"\{\w+\}", meaning.advice):
            yield text.strip(" ;,")
    for path in (ROOT / "plugins" / "module_utils").glob("*.py"):
        # Its advice is in the table of meanings.
        if path.name != "_response.py":
            yield from advice_of(path)


ADVICE = sorted({text for text in all_advice() if len(text) >= MIN_LENGTH})


@pytest.fixture(scope="module")
def page():
    return " ".join(PAGE.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_failure_has_a_section(kind, page):
    assert f"``{kind}``: " in page


def test_no_section_is_about_a_kind_that_does_not_exist(page):
    headings = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "``: " in line]
    assert sorted(line.split("``")[1] for line in headings) == sorted(KINDS)


@pytest.mark.parametrize("advice", ADVICE)
def test_each_advice_has_an_entry(advice, page):
    assert advice in page
