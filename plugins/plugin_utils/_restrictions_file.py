# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads lists of restrictions from YAML and CSV files.

Values are read as text and checked by the module, which names a bad entry by its line.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
import typing as t
from dataclasses import dataclass, field

import yaml
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    InvalidEntries,
    desired_restrictions,
    places,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._libraries import (
    IMPORT_ERROR,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    ENTRY_KEYS,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._errors import UnusableFile

KEY = "sending_domain_restrictions"
CSV_COLUMNS = ("domain", "exclude", "comments", "state")
FORMULA = re.compile(r"'*[=+\-@\t\r]")

_FORMATS = {".yml": "yaml", ".yaml": "yaml", ".csv": "csv", ".tsv": "csv"}


@dataclass
class Entries:
    """The entries of a file, as the module takes them, and the line where each begins."""

    entries: list[t.Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, entry: t.Any, line: int) -> None:
        self.entries.append(entry)
        self.lines.append(line)


def read_entries(path: str, name: str) -> Entries:
    """Read a list of restrictions.

    Arguments:
        name: how messages name the file; its extension decides the format.

    Raises:
        UnusableFile: it cannot be read, or is not a list of restrictions.
    """
    if os.path.isdir(path):
        raise UnusableFile(f"{name} is a folder; add the name of a file")
    is_yaml = format_of(name) == "yaml"
    text = _text(path, name)
    if not text.strip():
        empty = f"write {KEY}: []" if is_yaml else "write at least the header row"
        raise UnusableFile(f"{name} is empty; {empty} for an empty list")
    return _YamlReader(name).read(text) if is_yaml else _read_csv(text, name)


def format_of(name: str) -> str:
    """Return `yaml` or `csv`, as the extension of a file says; raises `UnusableFile`."""
    extension = os.path.splitext(name)[1].lower()
    if extension not in _FORMATS:
        raise UnusableFile(f"{name} has an unknown extension; use {', '.join(_FORMATS)}")
    return _FORMATS[extension]


def _text(path: str, name: str) -> str:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return file.read()
    except FileNotFoundError:
        raise UnusableFile(f"the file {name} does not exist; check its path") from None
    except OSError as error:
        raise UnusableFile(f"{name} cannot be read ({error.strerror}); check it") from None
    except UnicodeDecodeError:
        raise UnusableFile(
            f"{name} is not in UTF-8; save it as UTF-8, in a spreadsheet as 'CSV UTF-8'"
        ) from None


class _YamlReader:
    def __init__(self, name: str) -> None:
        self._name = name

    def read(self, text: str) -> Entries:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            root = loader.get_single_node()
            return self._entries(root)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise UnusableFile(
                f"{self._name} line {line} is not valid YAML ({error.problem}); correct it"
            ) from None
        except yaml.YAMLError as error:
            # Such as "unacceptable character #x0001: control characters are not allowed".
            problem = str(error).splitlines()[0].rpartition(": ")[2]
            raise UnusableFile(f"{self._name} is not valid YAML ({problem}); correct it") from None
        except RecursionError:
            raise UnusableFile(f"{self._name} contains itself; remove its aliases") from None
        finally:
            loader.dispose()

    def _entries(self, root: yaml.Node | None) -> Entries:
        advice = f"write {KEY}: and the list below it"
        if not isinstance(root, yaml.MappingNode):
            raise UnusableFile(f"{self._name} is not a mapping; {advice}")
        # Other keys are ignored: they may be meant for other tools.
        keys = self._nodes(root)
        if KEY not in keys:
            close = difflib.get_close_matches(KEY, [str(key) for key in keys], 1)
            problem = (
                f"the key '{close[0]}' instead of {KEY}; rename it"
                if close
                else f"no key {KEY}; {advice}"
            )
            raise UnusableFile(f"{self._name} has {problem}")
        node = keys[KEY]
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"{KEY} is not a list", "write [] for an empty list")
        entries = Entries()
        for item in node.value:
            entries.add(self._value(item), item.start_mark.line + 1)
        return entries

    def _value(self, node: yaml.Node) -> t.Any:
        # "tag:yaml.org,2002:" begins the tags of YAML's own types, explicit or not.
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise self._error(node, f"has the unknown tag {node.tag}", "remove it")
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        # Null is an omitted value; any other value is text as written.
        return None if node.tag.endswith(":null") else node.value

    def _mapping(self, node: yaml.MappingNode) -> dict[str | None, t.Any]:
        mapping = {key: self._value(value) for key, value in self._nodes(node).items()}
        merged = mapping.pop("<<", [])
        for other in merged if isinstance(merged, list) else [merged]:
            if not isinstance(other, dict):
                raise self._error(node, "merges a value that is not a mapping", "correct it")
            mapping = {**other, **mapping}
        return mapping

    def _nodes(self, mapping: yaml.MappingNode) -> dict[str | None, yaml.Node]:
        nodes: dict[str | None, yaml.Node] = {}
        for node, value in mapping.value:
            if not isinstance(node, yaml.ScalarNode):
                raise self._error(node, "has a key that is not text", "correct it")
            key = self._value(node)
            if key in nodes:
                raise self._error(node, f"has the key {key!r} twice", "remove one")
            nodes[key] = value
        return nodes

    def _error(self, node: yaml.Node, problem: str, advice: str) -> UnusableFile:
        return UnusableFile(f"{self._name} line {node.start_mark.line + 1} {problem}; {advice}")


def _read_csv(text: str, name: str) -> Entries:
    csv.field_size_limit(2**31 - 1)
    delimiter = _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    entries = Entries()
    columns: list[str] = []
    problems: list[str] = []
    line = 1
    try:
        for row in rows:
            cells = [cell[1:] if cell[:1] == "'" and FORMULA.match(cell) else cell for cell in row]
            if not any(map(str.strip, cells)):
                pass
            elif columns and len(cells) == len(columns):
                entries.add(_entry(dict(zip(columns, cells))), line)
            elif not columns:
                columns = _columns(cells, name, line)
            else:
                problems.append(f"{name} line {line}: {_wrong_length(cells, columns, delimiter)}")
            line = rows.line_num + 1
    except csv.Error as error:
        raise UnusableFile(
            f"{name} line {line} is not valid CSV ({error}); check its quotes"
        ) from None
    if problems:
        raise UnusableFile(str(_with_invalid_entries(problems, entries, name)))
    return entries


def _wrong_length(cells: list[str], columns: list[str], delimiter: str) -> str:
    number = f"{len(cells)} cell{'' if len(cells) == 1 else 's'} instead of {len(columns)}"
    if len(cells) < len(columns):
        return f"has {number}; add the missing {delimiter!r}"
    return f"has {number}; quote cells that contain {delimiter!r}"


def _with_invalid_entries(problems: list[str], entries: Entries, name: str) -> InvalidEntries:
    """Return an error that also names the entries that the module would refuse."""
    total = len(problems) + len(entries.entries)
    try:
        # Without the libraries, a controller would take valid names for invalid ones.
        if IMPORT_ERROR is None:
            desired_restrictions(entries.entries, places(name, entries.lines))
    except InvalidEntries as error:
        problems = problems + error.problems
    return InvalidEntries(problems, total)


def _delimiter(text: str) -> str:
    header = text.lstrip().partition("\n")[0]
    return max(",;\t", key=header.count)


def _columns(cells: list[str], name: str, line: int) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    for column in columns:
        if not column:
            raise UnusableFile(f"{name} line {line} has a column without a name; delete it")
        if column not in ENTRY_KEYS:
            close = difflib.get_close_matches(column, CSV_COLUMNS, 1)
            advice = f"did you mean '{close[0]}'?" if close else f"use {', '.join(CSV_COLUMNS)}"
            raise UnusableFile(f"{name} line {line} has the unknown column {column!r}; {advice}")
        if columns.count(column) > 1:
            raise UnusableFile(f"{name} line {line} has the column {column!r} twice; remove one")
    if "domain" not in columns:
        raise UnusableFile(f"{name} line {line} has no column 'domain'; add it")
    return columns


def _entry(cells: dict[str, str]) -> dict[str, t.Any]:
    """Return the entry of a row, without the times, which only the account sets."""
    entry: dict[str, t.Any] = {"domain": cells["domain"].strip()}
    if "exclude" in cells:
        entry["exclude"] = re.split(r"[\s,;]+", cells["exclude"].strip(" \t\r\n,;"))
        if entry["exclude"] == [""]:
            entry["exclude"] = []
    if "comments" in cells:
        entry["comments"] = cells["comments"]
    for column in ("state", "id"):
        if cells.get(column, "").strip():
            entry[column] = cells[column].strip()
    return entry
