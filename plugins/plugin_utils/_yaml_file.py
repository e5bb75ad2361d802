# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads and writes lists of restrictions as YAML.

Values are read as text, whatever YAML would make of them, such as `no` and `2026-11-23`.
"""

from __future__ import annotations

import difflib
import re
import typing as t
from functools import cached_property

import yaml
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    unicode_form,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    printable,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    ENTRY_KEYS,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._files import UnusableFile

KEY = "sending_domain_restrictions"

# Aliases may repeat this many characters, and ten times as many as the file has.
MAX_REPEATED = 500_000
# A list needs three levels. An alias to itself would have no end.
MAX_DEPTH = 20

_TYPE = "tag:yaml.org,2002:"
_TEXT_TYPES = {"str", "int", "float", "bool", "timestamp", "null", "merge", "value"}
_TYPES = {_TYPE + name for name in (*_TEXT_TYPES, "seq", "map")}
_KEYS = "domain|exclude|comments|state|id"
_LIKE_AN_ENTRY = re.compile(rf"[\s{{\[,-]*[\"']?(?:{_KEYS})[\"']?\s*:(?:\s|$)")
_OTHER_BLANK = re.compile("^ *(?:[^\\S \t\r\n]|[\u200b\u2060\ufeff])", re.MULTILINE)
# What YAML takes for a line break.
_BREAK = re.compile("[\n\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_HALF_PAIR = (
    "contains half of a surrogate pair, as JSON writes an emoji",
    "write the character itself",
)
_ESCAPED_SURROGATE = re.compile(r"\\(?:u|U0000)d[89a-f]", re.IGNORECASE)
# The lines of names: each value is on one line, and only comments may contain other characters.
_A_LABELS = re.compile(r"^(?:- domain:|  -) ([0-9a-z._-]*xn--[0-9a-z._-]*)$", re.MULTILINE)


def read_yaml(text: str, name: str) -> list[tuple[int, t.Any]]:
    """Return the entries of a list, each with the line on which it begins.

    Arguments:
        name: how messages name the file.

    Raises:
        UnusableFile: it is not YAML, or not a list of restrictions.
    """
    return _Reader(text, name).entries()


def yaml_text(entries: list[dict[str, t.Any]]) -> str:
    """Return the list of these entries, each value on one line, names in a readable form too."""

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        pass

    Dumper.add_representer(str, _represented)
    text = yaml.dump(
        {KEY: entries},
        Dumper=Dumper,
        # Without libyaml, PyYAML writes U+0085 and others in a form that it reads as spaces.
        allow_unicode=not issubclass(Dumper, yaml.SafeDumper),
        sort_keys=False,
        width=10**9,
    )
    return _A_LABELS.sub(_with_unicode_form, text)


def _with_unicode_form(line: re.Match[str]) -> str:
    """Return the line of a name with its Unicode form, if it has one, as a comment."""
    name = line.group(1)
    shown = unicode_form(name)
    return f"{line.group()}  # {printable(shown)}" if shown != name else line.group()


def _represented(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # On several lines, a text could contain what reads as an entry.
    return dumper.represent_scalar(_TYPE + "str", text, style='"' if _BREAK.search(text) else None)


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._budget = MAX_REPEATED + 10 * len(text)
        # Only an escape can be half of a surrogate pair.
        self._may_have_surrogates = "\\u" in text.lower()

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.splitlines()

    def entries(self) -> list[tuple[int, t.Any]]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self._text)
        try:
            items = self._items(self._root(loader))
            return [(item.start_mark.line + 1, self._value(item)) for item in items]
        except yaml.MarkedYAMLError as error:
            raise self._syntax_error(error) from None
        except yaml.YAMLError as error:
            # Such as "unacceptable character #x0001: control characters are not allowed".
            problem = str(error).splitlines()[0].rpartition(": ")[2]
            raise UnusableFile(f"{self._name} is not valid YAML ({problem}); correct it") from None
        except RecursionError:
            raise UnusableFile(
                f"{self._name} is nested too deeply; write a list of entries"
            ) from None
        finally:
            loader.dispose()

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> UnusableFile:
        line = error.problem_mark.line if error.problem_mark else 0
        problem, advice = f"is not valid YAML ({error.problem})", "correct it"
        # Without libyaml, PyYAML accepts such an escape, and `_text_of` refuses it.
        if "character escape" in str(error.problem) and _ESCAPED_SURROGATE.search(
            self._lines[line]
        ):
            problem, advice = _HALF_PAIR
        return UnusableFile(f"{self._name} line {line + 1} {problem}; {advice}")

    def _root(self, loader: t.Any) -> yaml.Node | None:
        try:
            root: yaml.Node | None = loader.get_single_node()
        except (ValueError, OverflowError):
            # Without libyaml, PyYAML looks up any number in an escape.
            raise UnusableFile(
                f"{self._name} is not valid YAML (invalid Unicode character escape code);"
                " correct it"
            ) from None
        return root

    def _items(self, root: yaml.Node | None) -> list[yaml.Node]:
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
            raise UnusableFile(f"{self._name} contains {problem}")
        node = keys[KEY]
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"{KEY} is not a list", self._list_advice(node, keys))
        entries: list[yaml.Node] = node.value
        return entries

    def _list_advice(self, node: yaml.Node, keys: t.Mapping[str | None, yaml.Node]) -> str:
        """Return how to make a list of a value that is not one; `[]` only if it is empty."""
        blank = _OTHER_BLANK.search(self._text)
        if blank:
            line = self._text.count("\n", 0, blank.end()) + 1
            return f"line {line} is indented with {blank.group()[-1]!r}; indent it with spaces"
        is_empty = node.tag == _TYPE + "null"
        others = [str(key) for key in keys if key != KEY]
        if isinstance(node, yaml.MappingNode):
            others = [str(key.value) for key, _value in node.value]
        elif not is_empty:
            others = []
        for name in others:
            if name.startswith("-"):
                return f"write a space after the dash of {name!r}"
            if name in ENTRY_KEYS:
                return f"write '- ' before the first key of each entry, such as {name!r}"
        if not is_empty:
            return "begin each entry with '- domain: '"
        if others:
            return "write its entries directly below it"
        return "write [] for an empty list"

    def _value(self, node: yaml.Node, depth: int = 0) -> t.Any:
        if node.tag not in _TYPES:
            raise self._unknown_tag(node)
        if depth > MAX_DEPTH:
            raise self._error(node, "is nested too deeply or contains itself", "remove its aliases")
        self._budget -= 1
        if self._budget < 0:
            raise self._error(
                node, "repeats too much through aliases", "write out what they stand for"
            )
        if isinstance(node, yaml.ScalarNode):
            return self._text_of(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, depth + 1)
        return [self._value(item, depth + 1) for item in node.value]

    def _unknown_tag(self, node: yaml.Node) -> UnusableFile:
        if node.tag.startswith(_TYPE):
            name = node.tag[len(_TYPE) :]
            return self._error(node, f"contains the tag !!{name}", "write the value as plain text")
        return self._error(node, f"contains the unknown tag {node.tag}", "remove it")

    def _text_of(self, node: yaml.ScalarNode) -> str | None:
        """Return the text of a scalar as it is written; `None` for null, an omitted value."""
        self._budget -= len(node.value)
        if node.end_mark.line > node.start_mark.line and node.style:
            self._refuse_swallowed_entry(node)
        if self._may_have_surrogates and _SURROGATE.search(node.value):
            raise self._error(node, *_HALF_PAIR)
        return None if node.tag == _TYPE + "null" else node.value

    def _refuse_swallowed_entry(self, node: yaml.ScalarNode) -> None:
        # A block ends before the line of its end mark, and a quoted text on it.
        end = node.end_mark.line + (node.style in "'\"")
        for number in range(node.start_mark.line + 1, end):
            if _LIKE_AN_ENTRY.match(self._lines[number]):
                raise self._error(
                    node,
                    f"begins a text that contains line {number + 1}, which reads as part of an entry",
                    "close its quote, or write such a text on one line, in quotes",
                )

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str | None, t.Any]:
        mapping = {key: self._value(value, depth) for key, value in self._nodes(node).items()}
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
                raise self._error(node, "contains a key that is not text", "correct it")
            key = self._value(node)
            if key in nodes:
                raise self._error(node, f"contains the key {key!r} twice", "remove one")
            nodes[key] = value
        return nodes

    def _error(self, node: yaml.Node, problem: str, advice: str) -> UnusableFile:
        return UnusableFile(f"{self._name} line {node.start_mark.line + 1} {problem}; {advice}")
