# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of files in CONTRIBUTING.md are complete, and imports go downwards in them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
_start, *TABLES = PAGE.split("| file | subject |")
DIRECTORIES = ("module_utils", "plugin_utils")


def rows_of(table):
    """Return the number of the row of each file, by its name without the extension."""
    rows = [line for line in table.split("\n\n")[0].splitlines() if "`_" in line]
    names = (re.findall(r"`(_\w+)\.py`", line.split(" | ")[0]) for line in rows)
    return {name: number for number, row in enumerate(names) for name in row}


def imports_of(path):
    """Return the files of the same directory that a file imports when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    conditional = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and getattr(test.test, "attr", "") == "TYPE_CHECKING"
        for node in ast.walk(test)
    }
    modules = {
        f"{node.module}.{name.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and id(node) not in conditional
        for name in node.names
    }
    # Either a file is imported, or names from it.
    pattern = re.compile(rf".+\.security\.plugins\.{path.parent.name}\.(_\w+)")
    return {found.group(1) for found in map(pattern.match, modules) if found}


@pytest.mark.parametrize(("directory", "table"), [*zip(DIRECTORIES, TABLES)])
def test_each_file_has_a_row_and_imports_only_from_rows_below(directory, table):
    rows = rows_of(table)
    files = {path.stem: path for path in (ROOT / "plugins" / directory).glob("_*.py")}
    assert sorted(rows) == sorted(files)
    upwards = [
        (name, imported)
        for name, path in files.items()
        for imported in imports_of(path)
        if rows[imported] <= rows[name]
    ]
    assert upwards == []
