# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which separator a table uses, and whether a spreadsheet saved it with another one. Pure.

A spreadsheet that expects semicolons puts each line of a table with commas into one cell, and cuts
the line at semicolons inside comments. Saved, lines with fewer cells end in semicolons, and lines
with quotes are in quotes as a whole. The same happens the other way round.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    ENTRY_KEYS,
)

COMMA, SEMICOLON, TAB = ",", ";", "\t"

_NAMES = {COMMA: "comma", SEMICOLON: "semicolon", TAB: "tab"}
# Excel reads and writes this line, which names the separator of the others.
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([,;\t|])"?[,;\t|]*\n', re.IGNORECASE)
_MIN_ROWS = 2


class WrongSeparator(ValueError):
    """A spreadsheet saved a table with the wrong separator; the message says what shows it.

    Arguments:
        sign: what shows it, such as `line 1 ends in ';'`.
        separator: that of the table before.
    """

    def __init__(self, sign: str, separator: str) -> None:
        super().__init__(
            f"{sign}, so a spreadsheet saved it with the wrong separator; export again, and open that"
            f" file with Data > From Text/CSV and the separator {_NAMES.get(separator, separator)}"
        )


def beginning(text: str, delimiter: str) -> tuple[int, str]:
    """Return where the header row begins, and the delimiter that it uses."""
    match = _SEPARATOR_LINE.match(text)
    start = match.end() if match else 0
    candidates = [*(match.group(1) if match else ""), delimiter, COMMA, SEMICOLON, TAB]
    header = text[start:].lstrip(" \n").partition("\n")[0]
    return start, max(candidates, key=header.count)


def check_header(line: int, cells: t.Sequence[str], source: str, delimiter: str) -> None:
    """Raise `WrongSeparator` if the header row has another separator than the rows had."""
    filled = [cell for cell in cells if cell.strip()]
    names = re.split("[,;\t]", filled[0].lower()) if len(filled) == 1 else []
    if len(set(map(str.strip, names)) & set(ENTRY_KEYS)) > 1:
        separator = next(filter(filled[0].count, _NAMES))
        raise WrongSeparator(f"line {line} contains all columns in one cell", separator)
    if _other_end(source, delimiter):
        raise WrongSeparator(f"line {line} ends in {_other_end(source, delimiter)!r}", delimiter)


class RowEnds:
    """Whether most rows of a table end in another separator than its own."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._count = 0
        self._ends: list[str] = []

    def add(self, line: int, cells: t.Sequence[str], source: str, columns: int) -> None:
        """Add a row; raises `WrongSeparator` if all of its cells are one.

        Arguments:
            columns: how many cells each row must have.
        """
        is_one_cell = len(cells) == 1 < columns <= cells[0].count(self._delimiter) + 1
        if is_one_cell and "\n" not in source:
            raise WrongSeparator(f"line {line} contains all cells in one", self._delimiter)
        self._count += 1
        self._ends += _other_end(source, self._delimiter)

    def check(self) -> None:
        """Raise `WrongSeparator` if most rows end in another separator."""
        if self._count >= _MIN_ROWS and len(self._ends) > self._count / 2:
            raise WrongSeparator(f"has {self._ends[0]!r} at the end of most lines", self._delimiter)


def _other_end(source: str, delimiter: str) -> str:
    """Return the separator at the end of a row, "" if there is none or it is the table's own."""
    end = source.rstrip()[-1:]
    return end if end in {COMMA, SEMICOLON} - {delimiter} else ""
