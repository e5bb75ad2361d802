# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads and writes lists of restrictions as CSV: a header row, and a row for each restriction.

`_csv_separator` finds the separator, `_csv_rows` splits a text into rows and cells, `_csv_columns`
reads the header row, and `_csv_cells` escapes comments.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    is_below,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._entries import (
    InvalidEntries,
    desired_restrictions,
    places,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    counted,
    shortened,
    with_unix_line_ends,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._libraries import (
    IMPORT_ERROR,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    STATES,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_cells import (
    UNCHANGED,
    escaped,
    is_unchanged,
    unescaped,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_columns import (
    BEGIN,
    COLUMNS,
    COMMENT,
    MAX_SHOWN,
    NAME,
    WrongHeader,
    columns_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_rows import (
    Row,
    WrongQuotes,
    rows,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_separator import (
    COMMA,
    RowEnds,
    WrongSeparator,
    beginning,
    check_header,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import UnusableFile

_BETWEEN_NAMES = re.compile(r"[\s,;]+")
_AFTER_NAMES = re.compile(r"[ ,;\t\"]+$", re.MULTILINE)
# In quotes, a separator at the end of a comment is not taken for that of a spreadsheet.
_TO_QUOTE = re.compile(r'["\n]|\A\s|[\s,;]\Z')


def read_csv(
    text: str, name: str, delimiter: str = COMMA, ignored_columns: t.Sequence[str] = ()
) -> tuple[list[tuple[int, t.Any]], list[str]]:
    """Return the entries of a table, each with the line on which it begins, and warnings.

    Arguments:
        name: how messages name the file.
        delimiter: the separator of columns, unless the table uses another one.
        ignored_columns: as in `columns_of`.

    Raises:
        UnusableFile: it is not a table of restrictions.
    """
    text = with_unix_line_ends(text)
    start, delimiter = beginning(text, delimiter)
    table = _Table(name, delimiter, ignored_columns)
    try:
        for row in rows(text, start, delimiter):
            if any(map(str.strip, row.cells)):
                table.add(row)
        return table.complete_entries(), list(table.warnings.values())
    except (WrongQuotes, WrongSeparator) as error:
        raise UnusableFile(f"{name} {error}") from None


def header_of(text: str, delimiter: str) -> list[str]:
    """Return the cells of the header row of a table, none if it cannot be read."""
    text = with_unix_line_ends(text)
    start, delimiter = beginning(text, delimiter)
    try:
        return next((row.cells for row in rows(text, start, delimiter) if any(row.cells)), [])
    except WrongQuotes:
        return []


def csv_text(entries: t.Iterable[dict[str, t.Any]], delimiter: str = COMMA) -> str:
    """Return the table of these entries; `exclude` and `comments` may be omitted."""
    entries = list(entries)
    columns = [*COLUMNS[:3], *(["id"] if any("id" in entry for entry in entries) else [])]
    table = [columns, *(_cells(entry, columns, delimiter) for entry in entries)]
    text = "".join(
        delimiter.join(_quoted(cell, delimiter) for cell in cells) + "\n" for cells in table
    )
    # Spreadsheets recognize UTF-8 by the byte order mark.
    return text if text.isascii() else f"\ufeff{text}"


def can_be_cell(text: str, delimiter: str) -> bool:
    """Return whether a comment can be read back: no line of it reads as a row of an export."""
    return "\n" not in text or not _line_like_a_row(text, 0, 2, delimiter)


class _Table:
    """What was read of a table so far.

    Attributes:
        warnings: by the position of the column that they are about.
    """

    def __init__(self, name: str, delimiter: str, ignored_columns: t.Sequence[str]) -> None:
        self._name = name
        self._delimiter = delimiter
        self._ignored_columns = ignored_columns
        self.warnings: dict[int, str] = {}
        self._header: list[str] = []
        self._columns: list[str | None] = []
        # The position of the last column with a name, which each row must reach.
        self._last = 0
        self._entries: list[tuple[int, t.Any]] = []
        # Each with its line.
        self._problems: list[tuple[int, str]] = []
        self._row_ends = RowEnds(delimiter)

    def add(self, row: Row) -> None:
        if not self._columns:
            self._read_header(row)
            return
        self._row_ends.add(row.line, row.cells, row.source, self._last + 1)
        problem = self._problem(row)
        if problem:
            self._problems.append((row.line, f"{self._place(row.line)}: {problem}"))
        else:
            entry = _entry(dict(zip(self._columns, row.cells)))
            self._entries.append((row.line, entry))
            self._warn_of_ignored_exclusions(row, entry["domain"])
            self._warn_of_spilled_exclusions(row, entry)

    def complete_entries(self) -> list[tuple[int, t.Any]]:
        """Return all entries.

        Raises:
            UnusableFile: there are problems; the message contains all.
            WrongSeparator: a spreadsheet saved the file with the wrong separator.
        """
        if not self._columns:
            raise UnusableFile(f"{self._name} has no header row; {BEGIN}")
        # Where it separates names, or is ignored, a separator at the end does no harm.
        if self._columns[self._last] not in ("exclude", None):
            self._row_ends.check()
        if self._problems:
            raise UnusableFile(str(self._all_problems()))
        return self._entries

    def _place(self, line: int) -> str:
        return f"{self._name} line {line}"

    def _read_header(self, row: Row) -> None:
        check_header(row.line, row.cells, row.source, self._delimiter)
        try:
            self._columns = columns_of(row.cells, self._ignored_columns)
        except WrongHeader as error:
            raise UnusableFile(f"{self._place(row.line)} {error}") from None
        self._header = row.cells
        self._last = max(place for place, column in enumerate(self._columns) if column != "")

    def _warn_of_ignored_exclusions(self, row: Row, domain: str) -> None:
        for position, column in enumerate(self._columns):
            if column is not None or position in self.warnings:
                continue
            name = _name_below(domain, row.cells[position])
            if name:
                header = shortened(self._header[position].strip(), MAX_SHOWN)
                self.warnings[position] = (
                    f"{self._place(row.line)}: the ignored column {header!r} contains {name!r}, a name"
                    " below the domain of its row, so it looks like exclusions; move such names to the"
                    " column exclude, or mail from them may be dropped"
                )

    def _warn_of_spilled_exclusions(self, row: Row, entry: dict[str, t.Any]) -> None:
        """Warn of names in the comment: without quotes, several names take several cells."""
        if not (entry.get("exclude") and entry.get("comments")):
            return
        position = self._columns.index("comments")
        comment = entry["comments"].replace('"', "")
        names = [name for name in _BETWEEN_NAMES.split(comment) if name]
        are_below = bool(names) and all(_name_below(entry["domain"], name) for name in names)
        if are_below and position not in self.warnings:
            shown = repr(shortened(comment.strip(), MAX_SHOWN))
            self.warnings[position] = (
                f"{self._place(row.line)}: the column comments contains only {shown}, below"
                " the domain of its row, so it looks like exclusions; put all names of exclude into one"
                " quoted cell, or mail from the others may be dropped"
            )

    def _problem(self, row: Row) -> str:
        """Return what is wrong with a row, "" if nothing is."""
        if row.cells[0].startswith("#") and self._columns[0] != "comments":
            return COMMENT
        return self._swallowed_row(row) or self._wrong_length(row.cells) or self._domains(row.cells)

    def _wrong_length(self, cells: list[str]) -> str:
        columns, delimiter = self._columns, self._delimiter
        if len(cells) == len(columns) == self._last + 1:
            return ""
        number = f"has {counted(len(cells), 'cell')} instead of {self._last + 1}"
        if len(cells) <= self._last:
            return f"{number}; add the missing {delimiter!r}"
        if any(cells[len(columns) :]):
            return f"{number}; quote cells that contain {delimiter!r}"
        for column, cell in zip(columns, cells):
            if cell and column == "":
                return f"has {shortened(repr(cell), 80)} in a column without a name; name the column or clear the cell"
        return ""

    def _domains(self, cells: list[str]) -> str:
        cell = cells[self._columns.index("domain")]
        if not cell.strip():
            return "domain is empty; write it, or delete the row"
        names = _BETWEEN_NAMES.split(cell)
        count = sum(1 for name in names if NAME.fullmatch(name))
        return (
            f"contains {count} domains in one cell; write one domain per row" if count > 1 else ""
        )

    def _swallowed_row(self, row: Row) -> str:
        if "\n" not in row.source:
            return ""
        source = row.source
        if {*self._columns, ""} == {"domain", "exclude", ""}:
            # A name and a separator is also how the names in one cell may be written.
            source = _AFTER_NAMES.sub("", source)
        domain = self._columns.index("domain")
        line = _line_like_a_row(source, domain, self._last, self._delimiter)
        if not line:
            return ""
        return (
            f"a quoted cell contains line {row.line + line}, which reads as a row; remove"
            " the quote that opens the cell, or put such a comment into a YAML file"
        )

    def _all_problems(self) -> InvalidEntries:
        """Return an error that also names the entries that the module would refuse."""
        problems = self._problems
        total = len(problems) + len(self._entries)
        lines = [line for line, _entry in self._entries]
        entries = [entry for _line, entry in self._entries]
        try:
            # Without the libraries, a controller would take valid names for invalid ones.
            if IMPORT_ERROR is None:
                desired_restrictions(entries, places(self._name, lines))
        except InvalidEntries as error:
            refused = [(lines[position], sentence) for position, sentence in error.problems]
            problems = sorted(problems + refused)
        return InvalidEntries(problems, total)


def _line_like_a_row(text: str, domain: int, last: int, delimiter: str) -> int:
    """Return the number of the first line, from 1, that reads as a row; 0 if none does.

    Arguments:
        domain, last: the positions of the column with the domain, and of the last column.
    """
    for number, line in enumerate(text.split("\n")[1:], 1):
        cells = line.split(delimiter)
        if len(cells) > last and NAME.fullmatch(cells[domain].strip()):
            return number
    return 0


def _name_below(domain: str, cell: str) -> str:
    """Return the first name in a cell that is below a domain, but for its website; "" if none is."""
    names = filter(NAME.fullmatch, _BETWEEN_NAMES.split(cell))
    senders = (name for name in names if not name.lower().startswith("www."))
    parent = comparison_key(domain)
    return next((name for name in senders if is_below(comparison_key(name), parent)), "")


def _entry(cells: dict[str | None, str]) -> dict[str, t.Any]:
    """Return the entry of a row, without the times, which only the account sets."""
    entry: dict[str, t.Any] = {"domain": cells["domain"].strip()}
    exclude, comments = cells.get("exclude", UNCHANGED), cells.get("comments", UNCHANGED)
    if not is_unchanged(exclude):
        entry["exclude"] = [name for name in _BETWEEN_NAMES.split(exclude) if name]
    if not is_unchanged(comments):
        entry["comments"] = unescaped(comments)
    for column in ("state", "id"):
        if cells.get(column, "").strip():
            entry[column] = cells[column].strip()
    if entry.get("state", "").lower() in STATES:
        # Spreadsheets begin a text with a capital letter.
        entry["state"] = entry["state"].lower()
    return entry


def _cells(entry: dict[str, t.Any], columns: list[str], delimiter: str) -> list[str]:
    values = {
        **entry,
        "exclude": " ".join(entry["exclude"]) if "exclude" in entry else UNCHANGED,
        "comments": escaped(entry["comments"], delimiter) if "comments" in entry else UNCHANGED,
    }
    return [values.get(column, "") for column in columns]


def _quoted(cell: str, delimiter: str) -> str:
    """Return a cell as it stands in the file."""
    if delimiter not in cell and not _TO_QUOTE.search(cell):
        return cell
    inner = cell.replace('"', '""')
    return f'"{inner}"'
