# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in YAML and CSV files, as people and spreadsheets write them."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._errors import UnusableFile
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
    read_entries,
)

KEY = "sending_domain_restrictions:\n"
TWO = [
    {"domain": "a.example", "exclude": ["x.a.example", "y.a.example"], "comments": "1, 2; 3"},
    {"domain": "b.example", "exclude": [], "comments": ""},
]


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="list.yml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_entries(str(path), name)

    return write_and_read


@pytest.fixture
def refusal(read):
    def of(content, name="list.yml"):
        with pytest.raises(UnusableFile) as error:
            read(content, name)
        return str(error.value)

    return of


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("extension", ["csv", "tsv"])
def test_a_table_is_read_as_any_spreadsheet_writes_it(read, line_end, bom, delimiter, extension):
    rows = [
        [" Domain", "EXCLUDE", "comments", "created_at"],
        ["a.example ", '"x.a.example, y.a.example"', '"1, 2; 3"', "2026"],
        ["", "", " ", ""],
        ["b.example", "", "", ""],
    ]
    table = line_end.join(delimiter.join(row) for row in rows) + line_end
    found = read(bom + table, f"list.{extension}")
    assert found.entries == TWO
    assert found.lines == [2, 4]


@pytest.mark.parametrize("names", ["x.a y.a", "x.a,y.a", "x.a; y.a", "x.a\ny.a", " x.a\r\ny.a,"])
def test_one_cell_has_any_number_of_excluded_names(read, names):
    assert read(f'domain,exclude\na,"{names}"\n', "l.csv").entries[0]["exclude"] == ["x.a", "y.a"]


def test_lines_are_counted_over_quoted_line_breaks(read):
    table = 'domain,comments\na,"one\r\ntwo\nthree"\n\nb,\n'
    found = read(table, "list.csv")
    assert [entry["comments"] for entry in found.entries] == ["one\r\ntwo\nthree", ""]
    assert found.lines == [2, 6]


def test_a_missing_column_is_an_omitted_key_and_an_empty_state_too(read):
    found = read("state,domain\nabsent,a\n,b\n", "list.csv")
    assert found.entries == [{"domain": "a", "state": "absent"}, {"domain": "b"}]


@pytest.mark.parametrize(
    ("cell", "text"),
    [("'=1+1", "=1+1"), ("''=1", "'=1"), ("'@x", "@x"), ("'text", "'text"), ("=1+1", "=1+1")],
)
def test_the_apostrophe_before_a_formula_is_not_part_of_the_text(read, cell, text):
    assert read(f"domain,comments\na,{cell}\n", "l.csv").entries[0]["comments"] == text


def test_yaml_values_are_text_as_written(read):
    found = read(
        """
        # Other keys belong to others.
        other: 1
        sending_domain_restrictions:
        - domain: no.example
          exclude: [0x1.no.example]
          comments: 0123
        - {domain: 2026-11-23, comments: yes, state: null, exclude: ~}
        - plain
        """
    )
    assert found.entries == [
        {"domain": "no.example", "exclude": ["0x1.no.example"], "comments": "0123"},
        {"domain": "2026-11-23", "comments": "yes", "state": None, "exclude": None},
        "plain",
    ]
    assert found.lines == [5, 8, 9]


def test_an_alias_stands_for_what_it_names(read):
    found = read(KEY + "- &a {domain: a.example}\n- *a\n")
    assert found.entries == [{"domain": "a.example"}] * 2


@pytest.mark.parametrize("merged", ["*a", "[*a, {comments: other, state: absent}]"])
def test_a_merged_mapping_has_the_defaults_of_an_entry(read, merged):
    found = read(f"x: &a {{domain: x, comments: c}}\n{KEY}- <<: {merged}\n  domain: a.example\n")
    (entry,) = found.entries
    assert (entry["domain"], entry["comments"]) == ("a.example", "c")
    assert ("state" in entry) == ("state" in merged)


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        ("", "l.yml", "is empty; write KEY: [] for an empty list"),
        (" \n", "l.csv", "is empty; write at least the header row for an empty list"),
        ("x", "l.txt", "has an unknown extension; use .yml, .yaml, .csv, .tsv"),
        ("\xff\xfe".encode("latin-1"), "l.csv", "is not in UTF-8; save it as UTF-8, in a spreadsheet as 'CSV UTF-8'"),
        ("- a\n", "l.yml", "is not a mapping; write KEY: and the list below it"),
        ("sending_restrictions: []", "l.yml", "has the key 'sending_restrictions' instead of KEY; rename it"),
        ("x: []", "l.yml", "has no key KEY; write KEY: and the list below it"),
        (KEY, "l.yml", "line 1 KEY is not a list; write [] for an empty list"),
        (KEY + "- a: 1\n  a: 2\n", "l.yml", "line 3 has the key 'a' twice; remove one"),
        ("a: 1\na: 2\n", "l.yml", "line 2 has the key 'a' twice; remove one"),
        (KEY + "- [a\n", "l.yml", "line 3 is not valid YAML (did not find expected ',' or ']'); correct it"),
        (KEY + "- a: !vault x\n", "l.yml", "line 2 has the unknown tag !vault; remove it"),
        (KEY + "- {a: b}\n- !vault {a: b}\n", "l.yml", "line 3 has the unknown tag !vault; remove it"),
        (KEY + "- a: !x [b]\n", "l.yml", "line 2 has the unknown tag !x; remove it"),
        (KEY + "- !x a: b\n", "l.yml", "line 2 has the unknown tag !x; remove it"),
        (KEY + "- <<: [{}, a]\n", "l.yml", "line 2 merges a value that is not a mapping; correct it"),
        (KEY + "- ? [a]\n  : b\n", "l.yml", "line 2 has a key that is not text; correct it"),
        (KEY + "- &a [*a]\n", "l.yml", "contains itself; remove its aliases"),
        ("a: \x01\n", "l.yml", "is not valid YAML (control characters are not allowed); correct it"),
        ("domain,exlude\n", "l.csv", "line 1 has the unknown column 'exlude'; did you mean 'exclude'?"),
        ("domain,x\n", "l.csv", "line 1 has the unknown column 'x'; use domain, exclude, comments, state"),
        ("domain,,\n", "l.csv", "line 1 has a column without a name; delete it"),
        ("\ndomain;Domain\n", "l.csv", "line 2 has the column 'domain' twice; remove one"),
        ("exclude\n", "l.csv", "line 1 has no column 'domain'; add it"),
        ('domain\n"a"b\n', "l.csv", "line 2 is not valid CSV (',' expected after '\"'); check its quotes"),
        ('domain\n"a\n', "l.csv", "line 2 is not valid CSV (unexpected end of data); check its quotes"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_list_is_refused_with_a_sentence(refusal, content, name, sentence):
    shown = refusal(content, name).replace("sending_domain_restrictions", "KEY")
    assert shown == f"{name} {sentence}"


def test_every_bad_row_is_named_with_its_line_in_one_error(refusal):
    table = "domain,comments\na,b,c\ncom,\ngood.example,\nd\n"
    assert refusal(table, "list.csv") == (
        "3 of 4 entries are invalid, so nothing was sent; fix them and run again:"
        " list.csv line 2: has 3 cells instead of 2; quote cells that contain ','"
        " | list.csv line 5: has 1 cell instead of 2; add the missing ','"
        " | list.csv line 3 (com): domain 'com' has a single label; use a full domain such as"
        " partner.example"
    )


def test_an_unreadable_path_is_refused(tmp_path, monkeypatch):
    (tmp_path / "folder.yml").mkdir()
    for name, problem in (("none.yml", "does not exist"), ("folder.yml", "is a folder")):
        with pytest.raises(UnusableFile, match=problem):
            read_entries(str(tmp_path / name), name)
