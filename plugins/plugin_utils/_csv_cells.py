# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the text of a CSV cell stands for: a comment that no spreadsheet runs, or no value at all. Pure.

A cell is escaped as OWASP advises (CSV Injection): an apostrophe precedes what a spreadsheet could
run as a formula. A program with another list separator splits cells elsewhere, so the text after
each separator inside a cell is escaped too, with two apostrophes, which people hardly ever write.
"""

from __future__ import annotations

import re

# In the columns `exclude` and `comments`: the value is not given, so it is not changed.
UNCHANGED = "(unchanged)"

_SIGN = "[-=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
_INVISIBLE = "\\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
_SEPARATORS = ",;\t\n\x85\u2028\u2029"

_HAS_SIGN = re.compile(_SIGN)
_ESCAPED_AT_START = re.compile(
    rf"'*(?:[{_INVISIBLE}]*{_SIGN}|[\t\r\n]|\s*\(unchanged\)\s*\Z)", re.IGNORECASE
)
_INSIDE = re.compile(rf"([{_SEPARATORS}][\"{_INVISIBLE}]*)('*)({_SIGN}?)")


def is_unchanged(cell: str) -> bool:
    """Return whether a cell says that its value is not given."""
    return cell.strip().casefold() == UNCHANGED


def escaped(text: str, delimiter: str) -> str:
    """Return the cell for a text, in a table with this delimiter."""
    others = set(_SEPARATORS) - {delimiter}

    def escape(match: re.Match[str]) -> str:
        before, apostrophes, sign = match.groups()
        # Two apostrophes or more would be taken for an escape, and one needs none.
        if sign and (len(apostrophes) > 1 or not apostrophes and others & set(before)):
            return f"{before}''{apostrophes}{sign}"
        return match.group()

    if _HAS_SIGN.search(text):
        text = _INSIDE.sub(escape, text)
    return _prefix(text) + text if _needs_prefix(text) else text


def unescaped(cell: str) -> str:
    """Return the text of a cell, the inverse of `escaped`."""
    prefix = _prefix(cell)
    text = cell[len(prefix) :]
    if not (cell.startswith(prefix) and _needs_prefix(text)):
        text = cell
    return _INSIDE.sub(_unescape, text) if "''" in text else text


def _unescape(match: re.Match[str]) -> str:
    before, apostrophes, sign = match.groups()
    is_escaped = sign and len(apostrophes) > 1
    return f"{before}{apostrophes[2:]}{sign}" if is_escaped else match.group()


def _prefix(text: str) -> str:
    """Return what escapes a text: '-so-' is a text in quotes, so one apostrophe must mean itself."""
    return "''" if text.endswith("'") else "'"


def _needs_prefix(text: str) -> bool:
    is_in_quotes = text.endswith("'") and text.startswith("'") and not text.startswith("''")
    return bool(_ESCAPED_AT_START.match(text)) and not is_in_quotes
