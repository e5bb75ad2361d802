# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the header row of a CSV file: what each column contains. Pure."""

from __future__ import annotations

import difflib
import json
import re
import shlex
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    listing,
    shortened,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    ENTRY_KEYS,
)

COLUMNS = ("domain", "exclude", "comments", "state")
BEGIN = f"begin with {','.join(COLUMNS[:3])}"
COMMENT = "begins with '#', but CSV has no comments; delete the row, or correct its first cell"

# What looks like a domain, whether or not the controller can judge it.
NAME = re.compile(r"[^\s.,;:\"'@/()]+(?:[.\u3002\uff0e\uff61][^\s.,;:\"'@/()]+)+\.?")

ALL = "*"
MAX_LISTED = 10
MAX_SHOWN = 60

# What people call a column, beside words that are nearly its name.
_OTHER_WORDS = {
    "domain": {"domainname", "domainnames"},
    "exclude": {"exception", "exceptions", "exclusion", "exclusions", "exempt", "exemptions"},
    "comments": {"description", "memo", "note", "notes", "remark", "remarks"},
}
_MIN_SIMILARITY = 0.82
# Without such a column, mail would be dropped, or protection would stay that is to end.
_NEEDED = {"domain", "exclude", "state"}
_KNOWN = "the columns are domain, exclude, comments, state and id"
# With one of these in a name, Ansible would not read a list of names as such.
_NEEDS_JSON = re.compile(r"[\s,\"'\\{}=]")


class WrongHeader(ValueError):
    """A row is not the header row of a list; the message says what it is or has, and what to do."""


def columns_of(cells: list[str], ignored: t.Sequence[str] = ()) -> list[str | None]:
    """Return the name of each column, "" if it has none, and `None` if it is ignored.

    Letter case and spaces around a name make no difference.

    Arguments:
        ignored: the names of columns to ignore; `ALL` ignores all that are unknown.

    Raises:
        WrongHeader: a column is unknown or there twice, or the one with the domains is missing.
    """
    names = [cell.strip().lower() for cell in cells]
    if cells[0].startswith("#") and "domain" not in names:
        raise WrongHeader(COMMENT)
    if not set(names) & set(ENTRY_KEYS) and any(map(NAME.fullmatch, names)):
        raise WrongHeader(f"is not a header row; {BEGIN}")
    ignored_names = {name.strip().lower() for name in ignored}
    columns: list[str | None] = [None if name in ignored_names else name for name in names]
    for column in filter(None, columns):
        if column in ENTRY_KEYS and columns.count(column) > 1:
            raise WrongHeader(f"contains the column {column!r} twice; remove one")
    probable = _probable_columns(columns)
    unknown = {
        cell.strip(): probable.get(column)
        for cell, column in zip(cells, columns)
        if column
        and column not in ENTRY_KEYS
        and (ALL not in ignored_names or probable.get(column) in _NEEDED)
    }
    if unknown or "domain" not in columns:
        has_domain = "domain" in columns or "domain" in unknown.values()
        raise WrongHeader(_problem(unknown, has_domain, ignored))
    return [column if column in (None, "", *ENTRY_KEYS) else None for column in columns]


def _probable_columns(columns: list[str | None]) -> dict[str, str]:
    """Return what columns with other names probably contain, each of `COLUMNS` at most once."""
    missing = {column for column in COLUMNS if column not in columns}
    probable = {}
    for name in columns:
        if name and name not in ENTRY_KEYS:
            words = re.findall(r"[^\W_]+", name)
            found = {column for column in COLUMNS if any(_means(word, column) for word in words)}
            if len(found) == 1 and found <= missing:
                missing -= found
                probable[name] = found.pop()
    return probable


def _means(word: str, column: str) -> bool:
    similarity = difflib.SequenceMatcher(None, word, column).ratio()
    return word in _OTHER_WORDS.get(column, ()) or similarity > _MIN_SIMILARITY


def _problem(unknown: dict[str, str | None], has_domain: bool, ignored: t.Sequence[str]) -> str:
    """Return what is wrong with all columns, and what to do.

    Arguments:
        unknown: unknown columns, each with the column that it probably is.
        ignored: the columns that are ignored already.
    """
    problems = [] if has_domain else ["no column 'domain'"]
    advice = [f"rename {_shown(name)} to {column}" for name, column in unknown.items() if column]
    if unknown:
        noun = "column" if len(unknown) == 1 else "columns"
        problems.append(f"the unknown {noun} {listing(list(map(_shown, unknown)), MAX_LISTED)}")
        if not all(unknown.values()):
            which = "it" if len(unknown) == 1 else "them"
            is_one = list(unknown.values()).count(None) == 1
            others = "the other" if is_one else "the others"
            advice.append(f"delete {others if advice else which}")
        ignorable = [name for name, column in unknown.items() if column not in _NEEDED]
        if ignorable:
            argument = _argument([*ignored, *ignorable])
            advice.append(f"or use ignore_columns, as in -e {argument}")
    if not has_domain:
        is_named_else = not all(unknown.values())
        advice.insert(0, "name the one with the domains 'domain'" if is_named_else else "add it")
    return f"has {' and '.join(problems)}; {', '.join(advice)} ({_KNOWN})"


def _argument(names: list[str]) -> str:
    """Return the argument of a command line that ignores these columns."""
    if len(names) > MAX_LISTED or max(map(len, names)) > MAX_SHOWN:
        names = [ALL]
    if any(map(_NEEDS_JSON.search, names)):
        return shlex.quote(json.dumps({"ignore_columns": names}, ensure_ascii=False))
    return shlex.quote(f"ignore_columns={','.join(names)}")


def _shown(name: str) -> str:
    return repr(shortened(name, MAX_SHOWN))
