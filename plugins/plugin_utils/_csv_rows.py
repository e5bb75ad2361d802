# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Splits CSV into rows and cells, and knows where each row is in the file. Pure.

A cell may be quoted as in RFC 4180. Spaces around a cell are layout, also before and after quotes.
"""

from __future__ import annotations

import re
import typing as t

_LINE_WITHOUT_QUOTES = re.compile(r'[^"\n]*(?=\n|\Z)')


class WrongQuotes(ValueError):
    """A quoted cell does not end as it should; the message names its line."""


class Row(t.NamedTuple):
    """A row, the line on which it begins, and its source, which may have several lines."""

    line: int
    cells: list[str]
    source: str


def rows(text: str, start: int, delimiter: str) -> t.Iterator[Row]:
    """Yield the rows of a text whose lines end in LF, from the position `start`.

    Raises:
        WrongQuotes: a quoted cell never ends, or has text after its closing quote.
    """
    splitter = _Splitter(text, delimiter)
    line = 1 + text.count("\n", 0, start)
    while start < len(text):
        plain = _LINE_WITHOUT_QUOTES.match(text, start)
        if plain:
            end = plain.end()
            source = text[start:end]
            yield Row(line, [cell.strip() for cell in source.split(delimiter)], source)
            line += 1
        else:
            cells, end = splitter.row(start, line)
            source = text[start:end]
            yield Row(line, cells, source)
            line += source.count("\n") + 1
        start = end + 1


class _Splitter:
    """Splits rows that contain quotes."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._text = text
        blanks = r"[^\S\n\t]*" if delimiter == "\t" else r"[^\S\n]*"
        delimiter = re.escape(delimiter)
        self._cell = re.compile(
            rf'(?:{blanks}"([^"]*(?:""[^"]*)*)"{blanks}|(?!{blanks}")([^{delimiter}\n]*))'
            rf"({delimiter}|(?=\n|\Z))"
        )

    def row(self, position: int, line: int) -> tuple[list[str], int]:
        """Return the cells of the row at a position, and the position of its end."""
        cells = []
        delimiter = "-"
        while delimiter:
            match = self._cell.match(self._text, position)
            if not match:
                raise WrongQuotes(self._problem(position, line))
            quoted, plain, delimiter = match.groups()
            cells.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
            position = match.end()
        return cells, position

    def _problem(self, position: int, line: int) -> str:
        """Return what is wrong with the quoted cell at a position."""
        content = re.compile(r'\s*"[^"]*(?:""[^"]*)*').match(self._text, position)
        end = content.end() if content else position
        if end == len(self._text):
            return f"line {line} opens a quote that is never closed; remove or close it"
        last = line + self._text.count("\n", position, end)
        where = "" if last == line else f", which continues in line {last},"
        return (
            f"line {line} contains a quoted cell{where} with text after its closing quote; write each"
            " quote inside a cell twice"
        )
