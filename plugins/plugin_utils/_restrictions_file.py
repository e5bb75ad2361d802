# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads lists of restrictions from YAML and CSV files.

Values are read as text and checked by the module, which names a bad entry by its line.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_file import read_csv
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import UnusableFile
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._yaml_file import (
    KEY,
    read_yaml,
)

YAML, CSV, TSV = "yaml", "csv", "tsv"
# The separators that an export to CSV can use.
SEPARATORS = {"comma": ",", "semicolon": ";"}

_FORMATS = {".yml": YAML, ".yaml": YAML, ".csv": CSV, ".tsv": TSV}
_SPREADSHEETS = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"}


@dataclass
class Entries:
    """The entries of a file, as the module takes them, and the line where each begins.

    Attributes:
        warnings: what may be wrong with the file.
    """

    entries: list[t.Any] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_entries(
    path: str, name: str, prune: bool = False, ignored_columns: t.Sequence[str] = ()
) -> Entries:
    """Read a list of restrictions.

    Arguments:
        name: how messages name the file; its extension decides the format.
        prune: whether what the list lacks is deleted. Then a file that may be cut off is refused.
        ignored_columns: the names of columns of a table to ignore; `*` ignores all unknown ones.

    Raises:
        UnusableFile: it cannot be read, or is not a list of restrictions.
    """
    if os.path.isdir(path):
        raise UnusableFile(f"{name} is a directory; add the name of a file")
    if os.path.splitext(name)[1].lower() in _SPREADSHEETS:
        raise UnusableFile(f"{name} is a spreadsheet; save it as 'CSV UTF-8', and use that file")
    delimiter = delimiter_of(name)
    text = _read_text(path, name)
    if not text.strip():
        empty = "write at least the header row" if delimiter else f"write {KEY}: []"
        raise UnusableFile(f"{name} is empty; {empty} for an empty list")
    if delimiter:
        entries, warnings = read_csv(text, name, delimiter, ignored_columns)
    else:
        entries, warnings = read_yaml(text, name), []
    read = Entries(
        [entry for _line, entry in entries], [line for line, _entry in entries], warnings
    )
    if not _is_complete(text):
        problem = f"{name} does not end with a line break, so it may be cut off"
        if prune:
            raise UnusableFile(
                f"{problem}, and prune would delete what is missing; check its last line, and add a"
                " line break"
            )
        read.warnings.append(f"{problem}; check its last line, and add a line break")
    return read


def format_of(name: str) -> str:
    """Return `YAML`, `CSV` or `TSV`, as the extension of a file says; raises `UnusableFile`."""
    extension = os.path.splitext(name)[1].lower()
    if extension not in _FORMATS:
        raise UnusableFile(f"{name} has an unknown extension; use {', '.join(_FORMATS)}")
    return _FORMATS[extension]


def delimiter_of(name: str, separator: str = "comma") -> str | None:
    """Return the delimiter of a table, and `None` for YAML.

    Arguments:
        separator: one of `SEPARATORS`, for CSV.

    Raises:
        UnusableFile: the extension is unknown, or does not go with the separator.
    """
    file_format = format_of(name)
    if file_format == CSV:
        return SEPARATORS[separator]
    if separator != "comma":
        raise UnusableFile(
            f"{name} is not a CSV file, which separator {separator} is for; omit separator, or use a"
            " path that ends in .csv"
        )
    return "\t" if file_format == TSV else None


def _read_text(path: str, name: str) -> str:
    advice = "save it as UTF-8, in a spreadsheet as 'CSV UTF-8'"
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        raise UnusableFile(f"the file {name} does not exist; check its path") from None
    except OSError as error:
        raise UnusableFile(f"{name} cannot be read ({error.strerror}); check it") from None
    except UnicodeDecodeError:
        raise UnusableFile(f"{name} is not in UTF-8; {advice}") from None
    if "\0" in text:
        # Without a byte order mark, UTF-16 is valid UTF-8.
        raise UnusableFile(f"{name} is not in UTF-8, perhaps in UTF-16; {advice}")
    return text


def _is_complete(text: str) -> bool:
    """Return whether a file that could be read ends where it should, as far as that shows."""
    last = text.rstrip(" ")[-1]
    # A quote closes the last cell, and a brace the only mapping.
    return last in '\r\n"' or (text.lstrip()[0], last) == ("{", "}")
