# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The list of desired restrictions that a task was given. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import shortened
from ansible_collections.cloudflare_email.security.plugins.module_utils._problem_kinds import (
    INVALID_LIST,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    InvalidRestriction,
)

MAX_LISTED = 20
MAX_PROBLEM_LENGTH = 500


class InvalidEntries(ValueError):
    """Some entries are invalid; the message names each with its place and its domain.

    Arguments:
        problems: the position and a sentence of each, in the order of the message.
        total: how many entries there are.
    """

    kind = INVALID_LIST

    def __init__(self, problems: list[tuple[int, str]], total: int) -> None:
        super().__init__(_summary_of([sentence for _position, sentence in problems], total))
        self.problems = problems


def desired_restrictions(
    entries: t.Sequence[t.Any], places: t.Sequence[str] = ()
) -> list[DesiredRestriction]:
    """Read a list of entries, each as `DesiredRestriction.from_entry` does.

    Arguments:
        places: how messages name each entry, such as `partners.csv line 2`; `entry 1` without it.

    Raises:
        InvalidEntries: entries are invalid, or several are for the same domain.
    """
    desired: dict[str | None, DesiredRestriction] = {}
    first_place: dict[str | None, str] = {}
    problems = []
    for number, entry in enumerate(entries):
        place = places[number] if places else f"entry {number + 1}"
        try:
            restriction = DesiredRestriction.from_entry(entry)
        except InvalidRestriction as error:
            problems.append((number, f"{place}{_domain_of(entry)}: {error}"))
            continue
        if restriction.domain in desired:
            sentence = (
                f"{place} ({restriction.domain}): has the same domain as"
                f" {first_place[restriction.domain]}; merge the two"
            )
            problems.append((number, sentence))
            continue
        desired[restriction.domain] = restriction
        first_place[restriction.domain] = place
    if problems:
        raise InvalidEntries(problems, len(entries))
    return list(desired.values())


def places(file: str, lines: t.Iterable[int]) -> list[str]:
    """Return how messages name the entries of a file that begin on these lines."""
    return [f"{file} line {line}" for line in lines]


def list_of_task(options: t.Mapping[str, t.Any]) -> list[DesiredRestriction]:
    """Read the option `restrictions` of a task; the action plugin puts the entries of a file there.

    Raises:
        InvalidEntries: entries are invalid, or several are for the same domain.
    """
    source = _source(options)
    return desired_restrictions(options["restrictions"], places(**source) if source else ())


def file_of_list(options: t.Mapping[str, t.Any]) -> str | None:
    """Return how messages name the file that the list of a task comes from, if it is one."""
    file: str | None = _source(options).get("file")
    return file


def _source(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    source: dict[str, t.Any] = (options["controller"] or {}).get("source", {})
    return source


def _domain_of(entry: t.Any) -> str:
    domain = entry.get("domain") if isinstance(entry, t.Mapping) else None
    if not isinstance(domain, str) or not domain:
        return ""
    return f" ({shortened(domain if domain.isprintable() else repr(domain), 80)})"


def _summary_of(problems: list[str], total: int) -> str:
    """Return a message with up to `MAX_LISTED` problems; several are on lines."""
    verb, them, separator = ("is", "it", " ") if len(problems) == 1 else ("are", "them", "\n")
    count = f"{len(problems)} of {total} entries {verb} invalid"
    message = f"{count}, so nothing was sent; fix {them} and run again:"
    for problem in problems[:MAX_LISTED]:
        message += separator + shortened(problem, MAX_PROBLEM_LENGTH)
    more = len(problems) - MAX_LISTED
    return message + (f"\nand {more} more" if more > 0 else "")
