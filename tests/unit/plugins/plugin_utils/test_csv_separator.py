# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables that a spreadsheet opened with the wrong separator and saved."""

from __future__ import annotations

import csv
import io

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_file import (
    csv_text,
    read_csv,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import UnusableFile
from hypothesis import given
from hypothesis import strategies as st

ADVICE = (
    ", so a spreadsheet saved it with the wrong separator; export again, and open that file with"
    " Data > From Text/CSV and the separator "
)
MOST = "has ';' at the end of most lines"
TABLE = "domain,exclude,comments\na.example,,Agreed; by phone\nb.example,x.b.example,\n"
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "domain": st.sampled_from(["a.example", "b.example", "c.example"]),
            "exclude": st.sampled_from([[], ["x.a.example", "y.a.example"]]),
            "comments": st.text(st.sampled_from("x,;\"' "), max_size=4),
        }
    ),
    max_size=4,
    unique_by=lambda entry: entry["domain"],
)


def refusal(text):
    with pytest.raises(UnusableFile) as error:
        read_csv(text, "l.csv")
    return str(error.value)


def saved_again(text, separator):
    """Return a file as a spreadsheet saves it that opened it with this separator."""
    rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    width = max(map(len, rows))
    saved = io.StringIO()
    csv.writer(saved, delimiter=separator, lineterminator="\r\n").writerows(
        row + [""] * (width - len(row)) for row in rows
    )
    return saved.getvalue()


@pytest.mark.parametrize(
    ("text", "sign", "separator"),
    [
        (saved_again(TABLE, ";"), "line 1 ends in ';'", "comma"),
        (saved_again(TABLE.translate(str.maketrans(",;", ";,")), ","), "line 1 ends in ','", "semicolon"),
        (saved_again(TABLE + "c.example,,a;b;c;d;e\n", ";"), "line 1 contains all columns in one cell", "comma"),
        ('"domain,Owner,comments"\n"a.example,,x"\n', "line 1 contains all columns in one cell", "comma"),
        ("\n\ndomain,Owner;\n", "line 3 ends in ';'", "comma"),
        (saved_again(TABLE, ";").replace("comments;", "comments") + "c.example,,;\n", MOST, "comma"),
        ("domain,state\na.example,absent;\nb.example,;\n", MOST, "comma"),
        (saved_again(TABLE.replace(";", "") + 'd.example,,"x, y"\n', ";"), "line 4 contains all cells in one", "comma"),
    ],
)  # fmt: skip
def test_a_table_that_was_saved_with_the_wrong_separator_is_refused(text, sign, separator):
    assert refusal(text) == f"l.csv {sign}{ADVICE}{separator}"


def test_the_separator_counts_even_if_columns_are_ignored():
    with pytest.raises(UnusableFile, match="wrong separator"):
        read_csv("domain,comments;\na.example,;\n", "l.csv", ignored_columns=["*", "comments;"])


@pytest.mark.parametrize(
    "text",
    [
        "domain,exclude\na.example,x.a.example;\nb.example,x.b.example;\n",
        "domain,comments\na.example,Agreed;\nb.example,Agreed\n",
        "domain,comments\na.example,Agreed;\n",
        'domain,comments\na.example,"Agreed;"\nb.example,"Agreed;"\n',
        "domain;comments;\na.example;x;\nb.example;y;\n",
        "domain\na.example\n",
    ],
)
def test_separators_of_people_are_accepted(text):
    assert read_csv(text, "l.csv")


def test_separators_in_a_column_that_is_ignored_are_accepted():
    text = 'domain,"City, State"\na.example,x;\nb.example,y;\n'
    assert read_csv(text, "l.csv", ignored_columns=["City, State"])


@pytest.mark.promise("Applying an export changes nothing")
@given(ENTRIES, st.sampled_from([",", ";", "\t"]))
def test_no_export_is_taken_for_a_table_that_a_spreadsheet_saved(entries, delimiter):
    text = csv_text(entries, delimiter)
    assert [entry for _line, entry in read_csv(text, "l.csv", delimiter)[0]] == entries


@pytest.mark.promise("No row and no column vanishes without a word")
@given(ENTRIES, st.sampled_from([(",", ";"), (";", ","), ("\t", ";")]))
def test_a_table_with_the_wrong_separator_is_refused_or_means_the_same(entries, separators):
    delimiter, wrong = separators
    text = saved_again(csv_text(entries, delimiter), wrong)
    try:
        read, _warnings = read_csv(text, "l.csv", delimiter)
    except UnusableFile:
        return
    assert [entry for _line, entry in read] == entries
