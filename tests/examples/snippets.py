# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the code blocks of Markdown, reStructuredText and the documentation of modules."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path
from typing import NamedTuple

COMMANDS = {"console", "sh"}


class Snippet(NamedTuple):
    """A block of code: `language` as the document names it, `line` where it begins, from 1."""

    language: str
    line: int
    text: str

    @property
    def file_name(self) -> str | None:
        """The name that a comment in the first line gives to the file."""
        found = re.match(r"# ([\w-]+\.(?:yml|sh))\b", self.text)
        return found and found[1]

    def commands(self) -> list[str]:
        """The commands of a shell snippet, without prompts, comments and output."""
        lines = self.text.splitlines()
        if self.language == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        return [line for line in lines if line and not line.startswith("#")]


def snippets_in(path: Path) -> list[Snippet]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return [Snippet("yaml", 1, examples_of_module(text))]
    if path.suffix == ".md":
        pattern = r"^ *```(?P<language>\w+)\n(?P<body>.*?)^ *```$"
    else:
        pattern = (
            r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)\n\n"
            r"(?P<body>(?:(?P=indent) {3}.*\n|\n)+)"
        )
    return [
        Snippet(
            found["language"],
            text.count("\n", 0, found.start()) + 1,
            textwrap.dedent(found["body"]).rstrip() + "\n",
        )
        for found in re.finditer(
            pattern, text, re.MULTILINE | re.DOTALL if path.suffix == ".md" else re.MULTILINE
        )
    ]


def examples_of_module(source: str) -> str:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise ValueError("The module has no EXAMPLES")
