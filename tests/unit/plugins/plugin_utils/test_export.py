# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exports: reading one back gives what the account has."""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter

import jsonschema
import pytest
import yaml
from ansible_collections.cloudflare_email.security.plugins.module_utils import _domain_name
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    desired_restrictions,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._plan import make_plan
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import MASK
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_requirement import (
    tls_requirement,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._export import (
    export,
    is_unedited_export,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import UnusableFile
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
    read_entries,
)
from hypothesis import given
from hypothesis import strategies as st
from samples import FIRST, SECOND
from strategies import DOMAINS, other_spellings, records

ACCOUNT_ID = "0123456789abcdef0123456789abcdef"
COLLECTION = os.path.join(os.path.dirname(__file__), *[os.pardir] * 4)
TRICKY = (
    *("no", "~", "null", "0123", "1e3", "2026-11-23", "<<", "=", "- a", "# a", "a: b", "'a", '"'),
    *(
        "=1",
        "'=1",
        "''@",
        "+1",
        "-1",
        "\t=",
        "\r",
        "\n",
        "a\rb",
        "a\r\nb\n",
        " a",
        "a ",
        "{{ a }}",
        "{% a",
    ),
    *("\u0085", "\u2028", "\ufeff", "\U0001f512", "a,b;c\td", "x" * 1024),
)
TEXTS = (
    st.sampled_from(TRICKY)
    | st.text(st.characters() | st.sampled_from("\t\r\n'\"=+-@,;"), max_size=30)
    | st.builds(
        str.join,
        st.sampled_from("\n\x85\u2028\u2029"),
        st.lists(st.sampled_from(["b.example,,x", "- domain: b", "x;=1", MASK]), max_size=3),
    )
)
SOME_DOMAINS = DOMAINS | st.sampled_from(["münchen.example", "xn--mnchen-3ya.example", "a.example"])
LINE_ENDS = {
    "none": lambda text: text,
    "to CRLF": lambda text: re.sub("(?<!\r)\n", "\r\n", text),
    "to CRLF and back": lambda text: re.sub("(?<!\r)\n", "\r\n", text).replace("\r\n", "\n"),
}


@st.composite
def accounts(draw):
    """The records of an account with any comments, duplicates and names outside their domain."""
    found = draw(st.lists(records(SOME_DOMAINS), max_size=4, unique_by=lambda record: record["id"]))
    for record in found:
        record["comments"] = draw(st.none() | TEXTS)
        if draw(st.booleans()):
            record["exclude"].append(draw(other_spellings(draw(DOMAINS))))
    return found


def read_back(directory, records, extension, convert=LINE_ENDS["none"], separator="comma"):
    exported = export(f"x.{extension}", ACCOUNT_ID, records, [], separator)
    path = directory / f"list.{extension}"
    with open(str(path), "w", encoding="utf-8", newline="") as file:
        file.write(convert(exported.text))
    return exported, read_entries(str(path), path.name).entries


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.mark.promise("Applying an export changes nothing")
@pytest.mark.parametrize(
    ("extension", "separator"),
    [("yml", "comma"), ("csv", "comma"), ("csv", "semicolon"), ("tsv", "comma")],
)
@given(found=accounts(), conversion=st.sampled_from(sorted(LINE_ENDS)))
def test_applying_an_export_changes_nothing_but_duplicates(
    directory, extension, separator, found, conversion
):
    exported, entries = read_back(directory, found, extension, LINE_ENDS[conversion], separator)
    current = [Restriction.from_api(record) for record in found]
    plan = make_plan(desired_restrictions(entries), current, prune=True)
    assert plan.creates == []
    assert not plan.failures
    assert all(delete.kept for delete in plan.deletes)
    # Of duplicates, one is kept or updated that requires as much as all of them did.
    duplicates = Counter(known.domain for known in current)
    assert all(duplicates[update.domain] > 1 for update in plan.updates)
    after = plan.applied_to(current)
    for name in {name for known in current for name in (known.domain, *known.exclude)}:
        requirements = (tls_requirement(name, each).required for each in (current, after))
        assert len(set(requirements)) == 1
    assert exported.count == len({known.domain for known in current})
    assert exported.left_out == []


@pytest.mark.parametrize(
    ("excludes", "exported"),
    [
        # The oldest of those that require as much as all of them.
        ((["x"], [], []), ("2", [])),
        ((["x", "y"], ["y"], ["y", "z"]), ("2", ["y"])),
        ((["x", "y.x"], ["x"]), ("1", ["x", "y.x"])),
        # None does, so the oldest is changed.
        ((["x", "y"], ["y", "z"]), ("1", ["y"])),
        ((["x"], ["a.x", "y"]), ("1", ["a.x"])),
    ],
)
def test_of_duplicates_what_all_of_them_require_is_exported(directory, excludes, exported):
    found = [
        {
            "id": str(number),
            "domain": "a.example",
            "exclude": [f"{name}.a.example" for name in exclude],
            "comments": str(number),
            "created_at": f"202{number}-01-01T00:00:00Z",
        }
        for number, exclude in enumerate(excludes, 1)
    ]
    _exported, (entry,) = read_back(directory, found, "yml")
    comments, names = exported
    assert (entry["comments"], entry["exclude"]) == (
        comments,
        [f"{name}.a.example" for name in names],
    )


@given(
    found=accounts(),
    extra=st.lists(
        st.text(
            st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=",#"), max_size=8
        ),
        max_size=3,
    ),
    position=st.integers(0, 3),
    change_case=st.sampled_from([str.upper, str.title, " {} ".format]),
)
def test_columns_of_a_spreadsheet_change_nothing_if_they_are_ignored(
    directory, found, extra, position, change_case
):
    _exported, entries = read_back(directory, found, "csv")
    path = str(directory / "spreadsheet.csv")
    with open(str(directory / "list.csv"), encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    header = list(map(change_case, header))
    header[position:position] = [f"Ours {number}" for number in range(len(extra))]
    for row in rows:
        row[position:position] = extra
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    names = [f"ours {number}" for number in range(len(extra))]
    for ignored in (names, ["*"]):
        assert read_entries(path, "spreadsheet.csv", ignored_columns=ignored).entries == entries


@pytest.mark.parametrize("comments", TRICKY)
def test_without_libyaml_files_are_read_and_written_alike(directory, monkeypatch, comments):
    found = [{"id": FIRST, "domain": "a.example", "comments": comments}]
    _exported, with_libyaml = read_back(directory, found, "yml")
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read_entries(str(directory / "list.yml"), "list.yml").entries == with_libyaml
    monkeypatch.delattr(yaml, "CSafeDumper", raising=False)
    _exported, without_libyaml = read_back(directory, found, "yml")
    assert without_libyaml == with_libyaml


@pytest.mark.parametrize("extension", ["csv", "tsv"])
@pytest.mark.parametrize("comments", [*TRICKY, 'say "x", or ""'])
def test_a_table_contains_any_text(directory, extension, comments):
    found = [{"id": FIRST, "domain": "a.example", "comments": comments}]
    exported, entries = read_back(directory, found, extension)
    assert exported.incomplete == []
    assert make_plan(desired_restrictions(entries), map(Restriction.from_api, found)).size == 0


@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_entries_are_complete_canonical_sorted_and_the_oldest_of_their_domain(directory, extension):
    idn = "xn--mller-kva.example"
    found = [
        {"id": FIRST, "domain": "b.example", "created_at": "2021-01-01T00:00:00Z"},
        {"id": SECOND, "domain": "B.example", "created_at": "2020-01-01T00:00:00Z"},
        {"id": "3", "domain": idn, "exclude": [f"Z.{idn}.", f"a.{idn}", f"z.{idn}"]},
        {"id": "4", "domain": "A.example.", "comments": None},
    ]
    found[1]["comments"] = "older"
    _exported, entries = read_back(directory, found, extension)
    assert entries == [
        {"domain": "a.example", "exclude": [], "comments": ""},
        {"domain": "b.example", "exclude": [], "comments": "older"},
        {"domain": idn, "exclude": [f"a.{idn}", f"z.{idn}"], "comments": ""},
    ]


@pytest.mark.parametrize(
    ("extension", "text"),
    [
        (
            "yml",
            "sending_domain_restrictions:\n- domain: a.example\n  exclude:\n  - x.a.example\n"
            "  - y.a.example\n  comments: COMMENTS\n",
        ),
        ("csv", "domain,exclude,comments\na.example,x.a.example y.a.example,COMMENTS\n"),
    ],
)
def test_a_file_is_readable_and_has_each_value_on_one_line(extension, text):
    comments = "Mail from Zürich " * 20 + "2026"
    exclude = ["y.a.example", "x.a.example"]
    found = [{"id": FIRST, "domain": "a.example", "exclude": exclude, "comments": comments}]
    exported = export(f"x.{extension}", ACCOUNT_ID, found, [])
    assert exported.text.endswith(text.replace("COMMENTS", comments))


def test_a_yaml_export_shows_names_in_unicode_too():
    idn = "xn--mnchen-3ya.example"
    found = [
        {
            "id": FIRST,
            "domain": f"MX.{idn}",
            "exclude": [f"a.mx.{idn}", f"_xn--b.mx.{idn}", f"xn--a.mx.{idn}"],
            "comments": f"- domain: {idn}\n  - {idn}\n",
        },
        {"id": SECOND, "domain": "a.example", "comments": idn},
    ]
    text = export("x.yml", ACCOUNT_ID, found, []).text
    assert text.splitlines()[2:] == [
        "- domain: a.example",
        "  exclude: []",
        f"  comments: {idn}",
        f"- domain: mx.{idn}  # mx.münchen.example",
        "  exclude:",
        f"  - _xn--b.mx.{idn}",
        f"  - a.mx.{idn}  # a.mx.münchen.example",
        f"  - xn--a.mx.{idn}",
        f'  comments: "- domain: {idn}\\n  - {idn}\\n"',
    ]
    assert "münchen" not in export("x.csv", ACCOUNT_ID, found, []).text


def test_the_unicode_form_of_a_name_has_escapes_for_invisible_characters():
    found = [{"id": FIRST, "domain": "xn--mgba3gch31f060k.example"}]
    text = export("x.yml", ACCOUNT_ID, found, []).text
    assert "  # نامه\\u200cای.example\n" in text


@pytest.mark.promise("Applying an export changes nothing")
@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_what_the_list_format_cannot_represent_is_left_out_and_named(directory, extension):
    found = [{"id": FIRST, "domain": "com"}, {"id": SECOND, "domain": "a.example"}]
    exported, entries = read_back(directory, found, extension)
    assert (exported.left_out, exported.count) == (["com"], 1)
    assert [entry["domain"] for entry in entries] == ["a.example"]
    assert ("# not in this file: com\n" in exported.text) == (extension == "yml")


@pytest.mark.parametrize(
    ("fields", "omitted"),
    [
        ({"comments": "\x01"}, {"comments"}),
        ({"exclude": ["com"]}, {"exclude"}),
        ({"comments": "x" * 1025, "exclude": ["a..b"]}, {"comments", "exclude"}),
    ],
)
def test_a_field_that_the_list_format_cannot_represent_stays_as_it_is(directory, fields, omitted):
    found = [{"id": FIRST, "domain": "a.example", **fields}]
    exported, (entry,) = read_back(directory, found, "yml")
    assert {"domain", "exclude", "comments"} - set(entry) == omitted
    current = [Restriction.from_api(record) for record in found]
    assert make_plan(desired_restrictions([entry]), current, prune=True).size == 0
    assert (exported.incomplete, exported.left_out) == (["a.example"], [])


@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_a_comment_that_ansible_masked_is_not_written(directory, extension):
    found = [{"id": FIRST, "domain": "a.example", "comments": "the token is ********"}]
    exported, entries = read_back(directory, found, extension)
    assert (exported.incomplete, exported.left_out) == (["a.example"], [])
    assert entries == [{"domain": "a.example", "exclude": []}]


def test_a_comment_that_would_read_as_a_row_is_left_unchanged_in_csv(directory):
    found = [{"id": FIRST, "domain": "a.example", "comments": "a\nb.example,,x"}]
    exported, entries = read_back(directory, found, "csv")
    assert exported.text == "domain,exclude,comments\na.example,,(unchanged)\n"
    assert (exported.incomplete, entries) == (
        ["a.example"],
        [{"domain": "a.example", "exclude": []}],
    )
    exported, entries = read_back(directory, found, "tsv")
    assert (exported.incomplete, entries[0]["comments"]) == ([], "a\nb.example,,x")


@pytest.mark.parametrize("extension", ["yml", "csv"])
def test_without_idna_names_that_cannot_be_judged_are_written_as_they_stand(
    directory, monkeypatch, extension
):
    found = [
        {"id": FIRST, "domain": "MÜNCHEN.example", "exclude": ["a.münchen.example", "x.example"]},
        {"id": SECOND, "domain": "ẞ.example", "comments": "\x01"},
        {"id": "4", "domain": "a.example", "exclude": ["ü.b.example"]},
        {"id": "5", "domain": "a\ud800.example"},
    ]
    monkeypatch.setattr(_domain_name, "idna", None)
    exported, entries = read_back(directory, found, extension)
    monkeypatch.undo()
    assert exported.left_out == ["a\ufffd.example"]
    current = [Restriction.from_api(record) for record in found[:3]]
    plan = make_plan(desired_restrictions(entries), current, prune=True)
    assert (plan.size, plan.failures) == (0, [])
    assert [entry["domain"] for entry in entries] == [
        *("a.example", "MÜNCHEN.example", "ẞ.example")
    ]


def test_without_idna_only_the_letter_case_of_ascii_makes_no_difference(directory, monkeypatch):
    # What the other letters have in common depends on the version of idna.
    domains = ["ß.example", "ẞ.example", "ẞ.EXAMPLE"]
    found = [{"id": str(number), "domain": name} for number, name in enumerate(domains)]
    monkeypatch.setattr(_domain_name, "idna", None)
    _exported, entries = read_back(directory, found, "yml")
    assert [entry["domain"] for entry in entries] == domains[:2]


@pytest.mark.parametrize("comments", [" a", "a ", "a\u00a0"])
def test_spaces_around_a_comment_are_quoted(directory, comments):
    found = [{"id": FIRST, "domain": "a.example", "comments": comments}]
    exported, entries = read_back(directory, found, "csv")
    assert exported.text.endswith(f'a.example,,"{comments}"\n')
    assert entries[0]["comments"] == comments


@pytest.mark.parametrize(
    ("extension", "separator", "text"),
    [
        ("csv", "comma", 'domain,exclude,comments\na.example,,"1,2"\n'),
        ("csv", "semicolon", "domain;exclude;comments\na.example;;1,2\n"),
        ("tsv", "comma", "domain\texclude\tcomments\na.example\t\t1,2\n"),
    ],
)
def test_a_table_is_separated_by_what_its_extension_and_the_task_say(extension, separator, text):
    found = [{"id": FIRST, "domain": "a.example", "comments": "1,2"}]
    assert export(f"x.{extension}", ACCOUNT_ID, found, [], separator).text == text


@pytest.mark.parametrize("extension", ["yml", "tsv"])
def test_only_csv_is_separated_by_semicolons(extension):
    with pytest.raises(UnusableFile) as error:
        export(f"x.{extension}", ACCOUNT_ID, [], [], "semicolon")
    assert str(error.value) == (
        f"x.{extension} is not a CSV file, which separator semicolon is for; omit separator, or use a"
        " path that ends in .csv"
    )


def test_a_table_with_other_letters_than_those_of_ascii_has_a_byte_order_mark():
    found = [{"id": FIRST, "domain": "a.example", "comments": "Grüße"}]
    assert export("x.csv", ACCOUNT_ID, found, []).text.startswith("\ufeffdomain,")
    found[0]["comments"] = "Greetings"
    assert export("x.csv", ACCOUNT_ID, found, []).text.startswith("domain,")


def test_an_export_whose_line_endings_git_converted_is_unedited():
    text = export("x.yml", ACCOUNT_ID, [{"id": FIRST, "domain": "a.example"}], []).text
    assert is_unedited_export(text.replace("\n", "\r\n"))


def test_the_head_of_an_export_names_the_account_and_what_the_file_lacks():
    found = [
        {"id": FIRST, "domain": "com"},
        {"id": SECOND, "domain": "a.example", "comments": "\x01"},
    ]
    findings = [{"domain": "a", "kind": "k", "message": "odd"}]
    text = export("x.yml", ACCOUNT_ID, found, findings).text
    first, *notes = [line for line in text.splitlines() if line.startswith("#")]
    assert first.startswith(f"# Exported by cloudflare_email.security from account {ACCOUNT_ID}; ")
    assert notes == ["# not in this file: com", "# incomplete in this file: a.example", "# odd"]
    assert is_unedited_export(text)
    assert not is_unedited_export(text.replace("# odd\n", ""))


def test_findings_are_comments_that_no_text_of_the_account_can_end():
    message = "a.example\nsending_domain_restrictions: []\u2028\x1b"
    findings = [{"domain": "a", "kind": "k", "message": message}]
    text = export("x.yml", ACCOUNT_ID, [], findings).text
    assert text.splitlines()[1:] == [
        "# a.examplesending_domain_restrictions: []",
        "sending_domain_restrictions: []",
    ]


@pytest.mark.parametrize("change", ["", "\n", " ", "# edited\n"])
def test_an_edited_export_is_recognized(change):
    text = export("x.yml", ACCOUNT_ID, [{"id": FIRST, "domain": "a.example"}], []).text
    assert is_unedited_export(text)
    assert is_unedited_export(text + change) == (not change)
    assert not is_unedited_export(text.partition("\n")[2])
    assert not is_unedited_export(text.replace("Exported by", "Checked by", 1))


@pytest.fixture(scope="module")
def validator():
    with open(os.path.join(COLLECTION, "docs", "restrictions_file.schema.json")) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@given(accounts())
def test_every_export_is_valid_for_the_schema(directory, validator, found):
    _exported, entries = read_back(directory, found, "yml")
    validator.validate({"sending_domain_restrictions": entries})


@pytest.mark.parametrize(
    ("document", "is_valid"),
    [
        ({"sending_domain_restrictions": []}, True),
        ({"sending_domain_restrictions": [{"domain": "a.example"}], "other": 1}, True),
        ({"sending_domain_restrictions": [{"domain": "a", "state": "absent"}]}, True),
        ({"sending_domain_restrictions": [{"domain": "a", "state": None}]}, True),
        ({"sending_domain_restrictions": [{"domain": "a", "exclude": "x.a, y.a"}]}, True),
        ({}, False),
        ({"sending_domain_restrictions": None}, False),
        ({"sending_domain_restrictions": ["a.example"]}, False),
        ({"sending_domain_restrictions": [{"doman": "a.example"}]}, False),
        ({"sending_domain_restrictions": [{"domain": "a", "doman": "b"}]}, False),
        ({"sending_domain_restrictions": [{"domain": "a", "state": "gone"}]}, False),
        ({"sending_domain_restrictions": [{"domain": "a", "exclude": [[]]}]}, False),
        ({"sending_domain_restrictions": [{"domain": "a", "comments": "x" * 1025}]}, False),
    ],
)
def test_the_schema_accepts_lists_and_nothing_else(validator, document, is_valid):
    assert validator.is_valid(document) == is_valid
