# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of guarantees names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "guarantees.rst"
NAMED = re.findall("``(tests/[^`]+)``", PAGE.read_text(encoding="utf-8"))


def test_the_page_names_tests():
    assert len(NAMED) > 10


@pytest.mark.parametrize("named", sorted(set(NAMED)))
def test_a_test_that_the_page_names_is_there(named):
    path, dummy, test = named.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not test or f"\ndef {test}(" in text
