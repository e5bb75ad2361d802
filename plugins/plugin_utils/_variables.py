# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mistakes in the variables of the playbooks and of the role. Pure."""

from __future__ import annotations

import difflib
import re
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import listing

ROLE_PREFIX = "sending_domain_restrictions_"
# Variables that Ansible itself and those who run it add.
FOREIGN_PREFIXES = ("ansible_", "awx_", "tower_")
MIN_SIMILARITY = 0.7
MAX_SHOWN = 10
# Characters. A longer value may be a secret in the wrong variable.
MAX_SHOWN_VALUE = 20

_USE_ENVIRONMENT = (
    "use api_token, or set CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY in the environment"
)
# Names that mean something else than the variable that they resemble, or that resemble none.
_ADVICE = {
    "api_email": _USE_ENVIRONMENT,
    "api_key": _USE_ENVIRONMENT,
    "check": "use the option --check",
    "compare": "use the playbook drift",
    "dry_run": "use the option --check",
    "purge": "use prune",
    "report_md": "use report_markdown",
}

_FILE = "restrictions_file"
# A pattern and its meaning in words.
_Form = t.Tuple[str, str]
_BOOLEAN: _Form = (r"(?i:true|false|yes|no|on|off|[tfyn01]|[01]\.0)", "true or false")
_NUMBER: _Form = ("-?[0-9]+", "a whole number")
_OTHER_FORMS: dict[str, _Form] = {
    "max_affected_messages": ("[0-9]+|unlimited", "a whole number, or unlimited"),
    "separator": ("comma|semicolon", "comma or semicolon"),
}

# Tokens are longer, or have other characters.
_NAME = re.compile("[a-z_]{1,30}")


def cut_values(arguments: t.Iterable[t.Iterable[str]]) -> list[str]:
    """Return what is wrong with arguments `-e`, each in words, that Ansible cut."""
    return [*filter(None, map(_cut_value, arguments))]


def wrong_names(given: t.Iterable[str], known: t.Iterable[str]) -> tuple[list[str], str]:
    """Return why names of the command line are refused, and a warning about the other unknown ones.

    Arguments:
        given: the names of the command line.
        known: the variables of the playbook.
    """
    known = list(known)
    refusals, others = [], []
    for name in sorted(set(given).difference(known)):
        similar = _similar(name.replace(ROLE_PREFIX, ""), known)
        advice = _ADVICE.get(_normalized(name)) or (similar and f"did you mean {similar}?")
        # Variables of the role would replace what the playbook gives to it.
        if not advice and ROLE_PREFIX in name:
            advice = "it belongs to the role; remove it"
        if advice:
            refusals.append(f"{name} is not a variable of this playbook; {advice}")
        elif not name.startswith(FOREIGN_PREFIXES):
            others.append(name)
    return refusals, _warning(others)


def wrong_values(defaults: t.Mapping[str, t.Any], values: t.Mapping[str, t.Any]) -> list[str]:
    """Return what is wrong with values, which Ansible would report with a whole argument spec.

    Arguments:
        defaults: the variables of the playbook with their default values.
        values: their values.
    """
    mistakes = []
    for name, default in defaults.items():
        pattern, meaning = _form_of(name, default)
        value = "" if values[name] is None else str(values[name])
        if pattern and not re.fullmatch(pattern, value):
            shown = value if len(value) <= MAX_SHOWN_VALUE else "…"
            mistakes.append(f"{name} is '{shown}'; use {meaning}")
    file = values.get(_FILE)
    if _FILE in values and (not isinstance(file, str) or not file):
        mistakes.append(f"{_FILE} is not set, or is not a path; add -e {_FILE}=partners.yml")
    return mistakes


def unknown_role_variables(given: t.Iterable[str], known: t.Iterable[str]) -> list[str]:
    """Return a warning about each variable that has the prefix of the role, but does not belong to it.

    Arguments:
        given: the variables of a host.
        known: the variables of the role.
    """
    known = {name[len(ROLE_PREFIX) :]: name for name in known}
    own = (name for name in given if name.startswith(ROLE_PREFIX))
    return [
        f"{name} is not a variable of the role, which ignores it; "
        + (f"did you mean {known[similar]}?" if similar else "use a name with another prefix")
        for name in sorted(set(own).difference(known.values()))
        for similar in [_similar(name[len(ROLE_PREFIX) :], known)]
    ]


def _form_of(name: str, default: t.Any) -> _Form:
    """Return which values a variable takes; an empty pattern if it takes any."""
    if isinstance(default, bool):
        return _BOOLEAN
    return _NUMBER if isinstance(default, int) else _OTHER_FORMS.get(name, ("", ""))


def _cut_value(words: t.Iterable[str]) -> str:
    """Return what is wrong with an argument `-e` that Ansible cut; empty if it did not.

    Values are not shown, because one may be a secret.

    Arguments:
        words: the argument as Ansible splits it; those without `=` it ignores.
    """
    kept, ignored = "", []
    for word in words:
        if "=" not in word:
            ignored.append(word)
        elif not ignored:
            kept = word
    if not ignored:
        return ""
    if not kept:
        name = ignored[0] if _NAME.fullmatch(ignored[0]) else "…"
        return f"-e {name} has no value; write it as name=value"
    name = kept.partition("=")[0]
    return (
        f"Ansible cuts {name} at a space, and ignores the rest; quote the value inside the argument,"
        f""" as in -e '{name}="…"'"""
    )


def _similar(name: str, known: t.Iterable[str]) -> str:
    """Return the name that is probably meant; empty if there is none."""
    by_normalized = {_normalized(each): each for each in known}
    name = _normalized(name)
    words = set(name.split("_"))
    abbreviated = (each for each in by_normalized if words <= set(each.split("_")))
    close = difflib.get_close_matches(name, by_normalized, n=1, cutoff=MIN_SIMILARITY)
    found = [*close, *abbreviated]
    return by_normalized[found[0]] if found else ""


def _normalized(name: str) -> str:
    return name.lower().replace("-", "_")


def _warning(names: list[str]) -> str:
    if not names:
        return ""
    if len(names) == 1:
        return f"{names[0]} is not a variable of this playbook, which ignores it"
    return f"{listing(names, MAX_SHOWN)} are not variables of this playbook, which ignores them"
