# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comments in CSV cells: none is a formula for a spreadsheet, and each is read as it was written."""

from __future__ import annotations

import csv
import re

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_cells import (
    escaped,
    is_unchanged,
    unescaped,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_file import csv_text
from hypothesis import given
from hypothesis import strategies as st

DELIMITERS = st.sampled_from([",", "\t", ";"])
TEXTS = st.text(
    st.sampled_from("'\"=-+@,;\t\n\x85\u2028 a\u200b\xa0＝−") | st.characters(codec="utf-8")
)
# The line endings of a table, and those that Unicode adds to them.
LINE_END = re.compile("(?<=[\n\x85\u2028\u2029])")
FORMULA = re.compile("[\\s\u200b\ufeff]*[-=+@＝＋－＠−]|[\t\r\n]")


@given(TEXTS, DELIMITERS)
def test_a_text_is_read_as_it_was_written(text, delimiter):
    assert unescaped(escaped(text, delimiter)) == text


@pytest.mark.promise("A file is only data")
# No comment has a NUL, which `csv` refuses before Python 3.11.
@given(TEXTS.filter(lambda text: not {"\r", "\0"}.intersection(text)), DELIMITERS, DELIMITERS)
def test_no_program_finds_a_formula_whatever_its_list_separator_is(text, delimiter, other):
    entry = {"domain": "a.example", "exclude": [], "comments": text}
    lines = LINE_END.split(csv_text([entry], delimiter).lstrip("\ufeff"))
    # With another separator, programs differ in what a quote inside a cell means.
    quoting = csv.QUOTE_MINIMAL if other == delimiter else csv.QUOTE_NONE
    for row in csv.reader(lines, delimiter=other, quoting=quoting):
        for cell in row:
            assert not FORMULA.match(cell.lstrip('"'))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        *((text, f"'{text}") for text in ("=1+1", "+1", "-1", "@SUM(A1)", "'=1", "\nx", "\tx")),
        *((text, f"'{text}") for text in (" =1", "\u200b=1", "\xa0@x", "＝1", "＋1", "－1", "＠x")),
        *((text, f"'{text}") for text in ("−1", "(unchanged)", " (Unchanged)", "'(unchanged)")),
        ("'-quoted-'", "'-quoted-'"),
        ("-quoted-'", "''-quoted-'"),
        ("x;=HYPERLINK(1)", "x;''=HYPERLINK(1)"),
        ("x\t =1", "x\t ''=1"),
        ('x;"=1', "x;\"''=1"),
        ("x\n- y", "x\n''- y"),
        ("x\u2028=1", "x\u2028''=1"),
        ("x;''=1", "x;''''=1"),
        ("x;'=1", "x;'=1"),
        ("x, -y", "x, -y"),
        ("well-known; a=b, 1+1", "well-known; a=b, 1+1"),
        ("'", "'"),
    ],
)
def test_only_what_could_be_a_formula_is_escaped(text, cell):
    assert escaped(text, ",") == cell
    assert unescaped(cell) == text


@pytest.mark.parametrize(
    ("cell", "unchanged"),
    [("(unchanged)", True), (" (Unchanged)\n", True), ("'(unchanged)", False), ("", False)],
)
def test_one_cell_means_that_a_value_is_not_given(cell, unchanged):
    assert is_unchanged(cell) is unchanged
