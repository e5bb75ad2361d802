# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in YAML and CSV files, as people and spreadsheets write them."""

from __future__ import annotations

from unittest import mock

import pytest
import yaml
from ansible_collections.cloudflare_email.security.plugins.module_utils import _domain_name
from ansible_collections.cloudflare_email.security.plugins.plugin_utils import _csv_file
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import UnusableFile
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
    read_entries,
)

KEY = "sending_domain_restrictions:\n"
BEGIN = "begin with domain,exclude,comments"
COMMENT = "begins with '#', but CSV has no comments; delete the row, or correct its first cell"
AFTER = "with text after its closing quote; write each quote inside a cell twice"
DELETE_X = "delete it, or use ignore_columns, as in -e ignore_columns=x"
KNOWN = " (the columns are domain, exclude, comments, state and id)"
SAVE = "save it as UTF-8, in a spreadsheet as 'CSV UTF-8'"
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


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
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


def test_lines_are_counted_over_quoted_line_breaks_of_any_kind(read):
    table = 'domain,comments\na,"one\r\ntwo\nthree\rfour"\n\nb,\n'
    found = read(table, "list.csv")
    assert [entry["comments"] for entry in found.entries] == ["one\ntwo\nthree\nfour", ""]
    assert found.lines == [2, 7]


@pytest.mark.parametrize(
    ("row", "comments"),
    [
        ("a.example, text ", "text"),
        ('"a.example", text ', "text"),
        ('a.example, "quoted, text" ', "quoted, text"),
        ('a.example,\u00a0"x"', "x"),
        ('a.example," text "', " text "),
        ('a.example,say "yes", please'.replace(",", ";", 1), 'say "yes", please'),
        ('a.example,"say ""yes"""', 'say "yes"'),
    ],
)
def test_spaces_around_a_cell_are_layout_unless_they_are_quoted(read, row, comments):
    separator = ";" if ";" in row else ","
    found = read(f"domain{separator} comments\n {row}\n", "l.csv")
    assert found.entries == [{"domain": "a.example", "comments": comments}]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;;;"])
def test_a_line_that_names_the_separator_is_not_the_header_row(read, line):
    found = read(f"{line}\ndomain;comments\na.example;x,y\n", "l.csv")
    assert found.entries == [{"domain": "a.example", "comments": "x,y"}]
    assert found.lines == [3]


def test_a_separator_that_only_its_line_names_is_used(read):
    found = read("sep=|\ndomain|comments\na.example|x,y\n", "l.csv")
    assert found.entries == [{"domain": "a.example", "comments": "x,y"}]


def test_a_table_in_a_tsv_file_is_separated_by_tabs_even_if_its_header_row_is_not(refusal):
    message = refusal("domain\na.example\tx\n", "l.tsv")
    assert "has 2 cells instead of 1; quote cells that contain '\\t'" in message


def test_empty_columns_without_a_name_are_ignored(read):
    found = read("domain,,comments,,\na.example,,x\nb.example,,y,,,,\n,,,,,,\n", "l.csv")
    assert found.entries == [
        {"domain": "a.example", "comments": "x"},
        {"domain": "b.example", "comments": "y"},
    ]


@pytest.mark.parametrize("cell", ["(unchanged)", " (Unchanged) ", '" (unchanged)"'])
def test_a_cell_can_say_that_its_value_is_not_given(read, cell):
    found = read(f"domain,exclude,comments\na.example,{cell},{cell}\n", "l.csv")
    assert found.entries == [{"domain": "a.example"}]


SWALLOWED = 'a.example,x.a.example,"stray\nb.example,,text\nc.example,,end"\n'


@pytest.mark.promise("No row and no column vanishes without a word")
@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("domain,exclude,comments\n" + SWALLOWED, 3),
        (("domain,exclude,comments\n" + SWALLOWED).replace(",", ";"), 3),
        (("domain,exclude,comments\n" + SWALLOWED).replace("\n", "\r"), 3),
        ('domain,exclude,comments\na.example,,"x\ny\nmünchen.example,,z"\n', 4),
        ('domain,comments,exclude\na.example,"stray,\nb.example,end",\n', 3),
        ('comments,domain\n"stray,a.example\nx,b.example\ny"",c.example"\n,d.example\n', 3),
        ('domain,comments\na.example,"stray\nb.example,\nc.example,"\n', 3),
        ('domain,exclude,comments\na.example,"x.a.example\nmail.a.example,,"\n'.replace(',"\n', ',",\n'), 3),
    ],
)  # fmt: skip
def test_a_quote_that_swallows_rows_is_refused_with_both_lines(refusal, table, line):
    message = refusal(table, "l.csv")
    assert (
        f"l.csv line 2: a quoted cell contains line {line}, which reads as a row; remove"
        " the quote that opens the cell, or put such a comment into a YAML file" in message
    )


@pytest.mark.parametrize(
    "comments",
    ["Contacts:\n- John\n- Mary, the chief", "see b.example, please\nand thanks", "b.example\nx"],
)
def test_a_comment_may_have_several_lines(read, comments):
    found = read(f'domain,exclude,comments\na.example,,"{comments}"\n', "l.csv")
    assert found.entries[0]["comments"] == comments


def test_names_below_each_other_in_a_cell_are_not_rows(read):
    found = read('domain,exclude\na.example,"x.a.example,\ny.a.example,\n"\n', "l.csv")
    assert found.entries[0]["exclude"] == ["x.a.example", "y.a.example"]


@pytest.mark.promise("No row and no column vanishes without a word")
@pytest.mark.parametrize(
    "value",
    [
        '"stray\n- domain: b.example\n  comments: x"',
        "'stray\n- domain: b.example\n  comments: it''s'",
        '"stray\n- {domain: b.example, comments: x}"',
        '"stray\n  exclude:\n  - x.a.example"',
        "|\n    text\n\n    - domain: b.example\n",
    ],
)
def test_a_text_that_swallows_entries_is_refused_with_both_lines(refusal, value):
    message = refusal(f"{KEY}- domain: a.example\n  comments: {value}\n- domain: c.example\n")
    line = 5 if value.startswith("|") else 4
    shown = message.replace("line 6", "line 5") if value.startswith("|") else message
    assert shown == (
        f"list.yml line 3 begins a text that contains line {line}, which reads as part of an entry;"
        " close its quote, or write such a text on one line, in quotes"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"one\n    two: x"', "one two: x"),
        ("|\n    one\n    two\n", "one\ntwo\n"),
        ("one\n    two", "one two"),
        ('"domain: b.example"', "domain: b.example"),
    ],
)
def test_a_text_may_have_several_lines(read, value, text):
    found = read(f"{KEY}- domain: a.example\n  comments: {value}\n- domain: b.example\n")
    assert found.entries[0]["comments"] == text
    assert len(found.entries) == 2


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ("", "write [] for an empty list"),
        (" ~", "write [] for an empty list"),
        ("\nother: 1", "write its entries directly below it"),
        ("\ndomain: a.example", "write '- ' before the first key of each entry, such as 'domain'"),
        ("\n  domain: a", "write '- ' before the first key of each entry, such as 'domain'"),
        ("\n-domain: a.example", "write a space after the dash of '-domain'"),
        ("\n  -domain: a.example", "write a space after the dash of '-domain'"),
        ("\n  a.example: {}", "begin each entry with '- domain: '"),
        ("\n  a.example\n  b.example", "begin each entry with '- domain: '"),
        ("\n\u00a0\u00a0- domain: a", "line 2 is indented with '\\xa0'; indent it with spaces"),
        ("\n  \u00a0- domain: a", "line 2 is indented with '\\xa0'; indent it with spaces"),
        ("\n\u200b- domain: a", "line 2 is indented with '\\u200b'; indent it with spaces"),
    ],
)
def test_each_value_that_is_not_a_list_gets_its_own_advice(refusal, value, advice):
    message = refusal(f"sending_domain_restrictions:{value}\n")
    assert message.endswith(f" sending_domain_restrictions is not a list; {advice}")


@pytest.mark.parametrize("value", ["x", "[]", "''"])
def test_aliases_that_repeat_too_much_are_refused(refusal, value):
    lines = [f"a0: &a0 [{', '.join([value] * 10)}]"]
    for number in range(1, 6):
        previous = ", ".join([f"*a{number - 1}"] * 10)
        lines.append(f"a{number}: &a{number} [{previous}]")
    message = refusal("\n".join([*lines, f"{KEY}- domain: *a5\n"]))
    assert message == (
        "list.yml line 1 repeats too much through aliases; write out what they stand for"
    )


def test_aliases_that_repeat_a_long_text_are_refused(refusal):
    aliases = "- comments: *a\n" * 100
    message = refusal(f"a: &a {'x' * 10_000}\n{KEY}{aliases}")
    assert "repeats too much through aliases" in message


def test_aliases_may_share_a_comment_among_thousands_of_entries(read):
    entries = "".join(f"- {{domain: d{number}.example, comments: *c}}\n" for number in range(3000))
    found = read(f"x: &c {'x' * 200}\n{KEY}{entries}")
    assert len(found.entries) == 3000


@pytest.fixture(params=["libyaml", "PyYAML"])
def either_library(request, monkeypatch):
    if request.param == "PyYAML":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


@pytest.mark.parametrize("escape", ["\\ud800", "\\uD83D\\uDE00", "\\U0000D800"])
def test_half_of_a_surrogate_pair_is_refused(refusal, either_library, escape):
    assert refusal(f'{KEY}- domain: a.example\n  comments: "x{escape}"\n') == (
        "list.yml line 3 contains half of a surrogate pair, as JSON writes an emoji; write the character"
        " itself"
    )


@pytest.mark.parametrize("escape", ["\\U00110000", "\\U99999999"])
def test_an_escape_of_no_character_is_refused(refusal, either_library, escape):
    message = refusal(f'{KEY}- {{domain: a.example, comments: "{escape}"}}\n')
    assert "is not valid YAML (" in message
    assert "invalid Unicode character escape code); correct it" in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "domain,comments\na.example,Agreed wi"),
        ("l.yml", KEY + "- domain: partner.exam"),
        ("l.yml", KEY + "- domain: partner.example\n  exclude: [x.partner.example]"),
    ],
)
def test_a_file_that_may_be_cut_off_is_warned_of_and_with_prune_refused(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    (warning,) = read_entries(str(path), name).warnings
    problem = f"{name} does not end with a line break, so it may be cut off"
    assert warning == f"{problem}; check its last line, and add a line break"
    with pytest.raises(UnusableFile) as error:
        read_entries(str(path), name, prune=True)
    assert str(error.value) == (
        f"{problem}, and prune would delete what is missing; check its last line, and add a line"
        " break"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "domain\ra.example\r"),
        ("l.csv", 'domain,comments\na.example,"x"'),
        ("l.yml", KEY + "- domain: a.example\n"),
        ("l.yml", '{"sending_domain_restrictions": [{"domain": "a.example"}]}'),
    ],
)
def test_a_file_that_ends_as_it_should_can_be_pruned(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_entries(str(tmp_path / name), name, prune=True).warnings == []


def test_a_missing_column_is_an_omitted_key_and_an_empty_state_too(read):
    found = read("state,domain\nabsent,a\n,b\n", "list.csv")
    assert found.entries == [{"domain": "a", "state": "absent"}, {"domain": "b"}]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        *[("'=1+1", "=1+1"), ("''=1", "'=1"), ("'@x", "@x"), ("'text", "'text"), ("=1+1", "=1+1")],
        ("'-quoted-'", "'-quoted-'"),
        ("'(unchanged)", "(unchanged)"),
        ("see; '-quoted-'", "see; '-quoted-'"),
    ],
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
        ("domain\n".encode("utf-16-le"), "l.csv", f"is not in UTF-8, perhaps in UTF-16; {SAVE}"),
        ("\xff\xfe".encode("latin-1"), "l.csv", f"is not in UTF-8; {SAVE}"),
        ("- a\n", "l.yml", "is not a mapping; write KEY: and the list below it"),
        ("sending_restrictions: []", "l.yml", "contains the key 'sending_restrictions' instead of KEY; rename it"),
        ("x: []", "l.yml", "contains no key KEY; write KEY: and the list below it"),
        (KEY + "- a: 1\n  a: 2\n", "l.yml", "line 3 contains the key 'a' twice; remove one"),
        ("a: 1\na: 2\n", "l.yml", "line 2 contains the key 'a' twice; remove one"),
        (KEY + "- [a\n", "l.yml", "line 3 is not valid YAML (did not find expected ',' or ']'); correct it"),
        (KEY + "- a: !vault x\n", "l.yml", "line 2 contains the unknown tag !vault; remove it"),
        (KEY + "- {a: b}\n- !vault {a: b}\n", "l.yml", "line 3 contains the unknown tag !vault; remove it"),
        (KEY + "- a: !x [b]\n", "l.yml", "line 2 contains the unknown tag !x; remove it"),
        (KEY + "- !x a: b\n", "l.yml", "line 2 contains the unknown tag !x; remove it"),
        (KEY + "- <<: [{}, a]\n", "l.yml", "line 2 merges a value that is not a mapping; correct it"),
        (KEY + "- ? [a]\n  : b\n", "l.yml", "line 2 contains a key that is not text; correct it"),
        (KEY + "- &a [*a]\n", "l.yml", "line 2 is nested too deeply or contains itself; remove its aliases"),
        (KEY + "- &a {<<: *a}\n", "l.yml", "line 2 is nested too deeply or contains itself; remove its aliases"),
        (KEY + "- domain: !!binary YQ==\n", "l.yml", "line 2 contains the tag !!binary; write the value as plain text"),
        (KEY + "- !!set {domain}\n", "l.yml", "line 2 contains the tag !!set; write the value as plain text"),
        ("a: \x01\n", "l.yml", "is not valid YAML (control characters are not allowed); correct it"),
        ("domain;x\n", "l.csv", f"line 1 has the unknown column 'x'; {DELETE_X}{KNOWN}"),
        ("a.example,,x\n", "l.csv", f"line 1 is not a header row; {BEGIN}"),
        (",,\n", "l.csv", f"has no header row; {BEGIN}"),
        ("# Partners\n", "l.csv", f"line 1 {COMMENT}"),
        ("\ndomain;Domain\n", "l.csv", "line 2 contains the column 'domain' twice; remove one"),
        ("exclude\n", "l.csv", f"line 1 has no column 'domain'; add it{KNOWN}"),
        ('domain\n"a"b\n', "l.csv", f"line 2 contains a quoted cell {AFTER}"),
        ('domain\n"a\n\n"b\n', "l.csv", f"line 2 contains a quoted cell, which continues in line 4, {AFTER}"),
        ('domain\n"a\n', "l.csv", "line 2 opens a quote that is never closed; remove or close it"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_list_is_refused_with_a_sentence(refusal, content, name, sentence):
    shown = refusal(content, name).replace("sending_domain_restrictions", "KEY")
    assert shown == f"{name} {sentence}"


def test_every_bad_row_is_named_with_its_line_in_one_error(refusal):
    table = 'domain,comments\na,b,c\ncom,\n"good.example","a\nb"\nd\n,Total: 3\nx..example,\n'
    assert refusal(table, "list.csv") == (
        "5 of 6 entries are invalid, so nothing was sent; fix them and run again:\n"
        "list.csv line 2: has 3 cells instead of 2; quote cells that contain ','\n"
        "list.csv line 3 (com): domain 'com' has a single label; use a full domain such as"
        " partner.example\n"
        "list.csv line 6: has 1 cell instead of 2; add the missing ','\n"
        "list.csv line 7: domain is empty; write it, or delete the row\n"
        "list.csv line 8 (x..example): domain 'x..example' contains an empty label; remove the extra"
        " dot"
    )


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("#b.example,", COMMENT),
        ("#N/A,", COMMENT),
        ("b.example,,x", "has 'x' in a column without a name; name the column or clear the cell"),
        ("b.example,,,x", "has 4 cells instead of 2; quote cells that contain ','"),
        ("b.example", "has 1 cell instead of 2; add the missing ','"),
    ],
)
def test_a_row_that_does_not_fit_is_named(refusal, row, problem):
    assert f": l.csv line 3: {problem}" in refusal(
        f"domain,comments,\na.example,\n{row}\n", "l.csv"
    )


@pytest.mark.parametrize(
    "names", ["a.example, b.example", "a.example b.example", "a.example;x,b.example;"]
)
def test_two_domains_in_one_cell_are_refused(refusal, names):
    message = refusal(f'domain,comments\n"{names}",x\n', "l.csv")
    assert ": l.csv line 2: contains 2 domains in one cell; write one domain per row" in message


@pytest.mark.parametrize("names", ["a.example,", "a.example encrypt", "a b"])
def test_a_cell_with_one_domain_is_left_to_the_check_of_names(read, names):
    assert read(f'domain,comments\n"{names}",x\n', "l.csv").entries[0]["domain"] == names


@pytest.mark.parametrize(
    ("cell", "state"),
    [("Absent", "absent"), ("PRESENT", "present"), (" absent ", "absent"), ("Yes", "Yes")],
)
def test_the_state_is_read_in_any_letter_case(read, cell, state):
    assert read(f"domain,state\na.example,{cell}\n", "l.csv").entries[0]["state"] == state


@pytest.mark.parametrize("extension", ["xlsx", "XLS", "ods"])
def test_a_spreadsheet_is_refused_with_the_format_to_save_it_in(refusal, extension):
    assert refusal(b"PK", f"l.{extension}") == (
        f"l.{extension} is a spreadsheet; save it as 'CSV UTF-8', and use that file"
    )


def test_ignored_columns_may_contain_anything(tmp_path):
    path = tmp_path / "l.csv"
    path.write_text('No.,Domain,Owner,comments,\n1,a.example,"x, y",z,\n,b.example,,,\n')
    entries = read_entries(str(path), "l.csv", ignored_columns=["owner", "No."]).entries
    assert entries == [
        {"domain": "a.example", "comments": "z"},
        {"domain": "b.example", "comments": ""},
    ]


@pytest.mark.promise("No row and no column vanishes without a word")
@pytest.mark.parametrize("cell", ["x.A.example", '"old@c.example X.a.example.; y.a.example"'])
def test_an_ignored_column_that_looks_like_exclusions_is_warned_of_once(tmp_path, cell):
    path = tmp_path / "l.csv"
    path.write_text(f"Ausnahmen,domain,Owner\n,c.example,\n{cell},A.example,x\n{cell},a.example,\n")
    read = read_entries(str(path), "l.csv", ignored_columns=["*"])
    name = "x.A.example" if cell.startswith("x") else "X.a.example."
    assert read.warnings == [
        f"l.csv line 3: the ignored column 'Ausnahmen' contains {name!r}, a name below the domain of its"
        " row, so it looks like exclusions; move such names to the column exclude, or mail from them"
        " may be dropped"
    ]
    assert [entry["domain"] for entry in read.entries] == ["c.example", "A.example", "a.example"]


@pytest.mark.parametrize(
    "cell",
    ["a.example", "x.b.example", "me@x.a.example", "https://x.a.example/", "www.a.example", "xa.example"],
)  # fmt: skip
def test_other_names_in_an_ignored_column_are_not_warned_of(tmp_path, cell):
    path = tmp_path / "l.csv"
    path.write_text(f"domain,Contact\na.example,{cell}\n")
    assert read_entries(str(path), "l.csv", ignored_columns=["*"]).warnings == []


@pytest.mark.promise("No row and no column vanishes without a word")
@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        ("x.a.example,y.a.example", "y.a.example"),
        ('"x.a.example",y.a.example",', "y.a.example"),
        ('x.a.example,"y.A.example., z.a.example"', "y.A.example., z.a.example"),
    ],
)
def test_names_that_spill_into_the_comments_are_warned_of_once(tmp_path, cells, shown):
    path = tmp_path / "l.csv"
    rows = ["b.example,,", f"a.example,{cells}", "c.example,x.c.example,y.c.example"]
    path.write_text("\n".join(["domain,exclude,comments", *rows, ""]))
    assert read_entries(str(path), "l.csv").warnings == [
        f"l.csv line 3: the column comments contains only '{shown}', below the domain of its row, so it"
        " looks like exclusions; put all names of exclude into one quoted cell, or mail from the"
        " others may be dropped"
    ]


@pytest.mark.parametrize(
    "cells", [",y.a.example", "x.a.example,", "x.a.example,see y.a.example", "x.a.example,y.b.example"]
)  # fmt: skip
def test_other_comments_are_not_warned_of(tmp_path, cells):
    path = tmp_path / "l.csv"
    path.write_text(f"domain,exclude,comments\na.example,{cells}\n")
    assert read_entries(str(path), "l.csv").warnings == []


def test_a_row_that_ends_before_an_ignored_column_is_refused(tmp_path):
    path = tmp_path / "l.csv"
    path.write_text("domain,comments,Owner\na.example,x\n")
    with pytest.raises(UnusableFile, match="has 2 cells instead of 3; add the missing ','"):
        read_entries(str(path), "l.csv", ignored_columns=["*"])


def test_a_comment_may_begin_with_a_hash(read):
    assert read("comments,domain\n#1,a.example\n", "l.csv").entries[0]["comments"] == "#1"


def test_an_unreadable_path_is_refused(tmp_path, monkeypatch):
    (tmp_path / "directory.yml").mkdir()
    for name, problem in (("none.yml", "does not exist"), ("directory.yml", "is a directory")):
        with pytest.raises(UnusableFile, match=problem):
            read_entries(str(tmp_path / name), name)


def test_spaces_are_layout_beside_a_quoted_cell_and_inside_a_quoted_state(read):
    (entry,) = read('domain,comments,exclude,state\na , c ,"x.a","absent "\n', "l.csv").entries
    assert entry == {"domain": "a", "comments": "c", "exclude": ["x.a"], "state": "absent"}


def test_without_the_libraries_only_the_rows_themselves_are_judged(refusal, monkeypatch):
    monkeypatch.setattr(_csv_file, "IMPORT_ERROR", ImportError("idna"))
    monkeypatch.setattr(_domain_name, "idna", None)
    message = refusal("domain\nb.example,x\nm\xfcnchen.example\n", "l.csv")
    assert "l.csv line 2: has 2 cells" in message
    assert "line 3" not in message


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    # The tests may run as root, who may read everything.
    denied = mock.Mock(side_effect=PermissionError(13, "Permission denied"))
    with monkeypatch.context() as patch, pytest.raises(UnusableFile) as error:
        patch.setattr("builtins.open", denied)
        read_entries(str(tmp_path / "list.csv"), "list.csv")
    assert str(error.value) == "list.csv cannot be read (Permission denied); check it"


def test_the_extension_may_be_in_capital_letters(read):
    assert read("domain\na\n", "LIST.CSV").entries == [{"domain": "a"}]
