# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the restrictions of an account as YAML or CSV, so that reading them changes nothing.

Names are canonical and sorted, and there are no times, so that git diffs are small.
"""

from __future__ import annotations

import csv
import hashlib
import typing as t
from dataclasses import dataclass, field
from types import SimpleNamespace

import yaml
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    InvalidRestriction,
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
    FORMULA,
    KEY,
    format_of,
)

MASK = "********"
_FIRST_LINE = "# Exported by cloudflare_email.security from account {}; sha256:{}"


@dataclass
class Export:
    """The text of a file, and what it has.

    Attributes:
        count: how many restrictions it has.
        left_out: the domains whose restrictions it cannot have.
        incomplete: the domains of which it lacks `comments` or `exclude`.
    """

    text: str = ""
    count: int = 0
    left_out: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)


def export(
    name: str,
    account_id: str,
    records: t.Iterable[dict[str, t.Any]],
    findings: t.Iterable[dict[str, str]],
) -> Export:
    """Write the restrictions of an account as the extension of a file says.

    Of several restrictions for one domain, the oldest is written.

    Arguments:
        records, findings: as `sending_domain_restriction_info` returns them.

    Raises:
        UnusableFile: the extension is unknown.
    """
    is_yaml = format_of(name) == "yaml"
    exported = Export()
    entries = []
    for restriction in _oldest_of_each_domain(records):
        entry = _entry(restriction, may_omit=is_yaml)
        if entry:
            entries.append(entry)
            if not {"comments", "exclude"} <= set(entry):
                exported.incomplete.append(restriction.domain)
        else:
            exported.left_out.append(restriction.domain)
    exported.count = len(entries)
    if is_yaml:
        notes = [f"not in this file: {domain}" for domain in exported.left_out]
        notes += [f"incomplete in this file: {domain}" for domain in exported.incomplete]
        notes += [finding["message"] for finding in findings]
        exported.text = _yaml(entries, account_id, notes)
    else:
        exported.text = _csv(entries)
    return exported


def is_unedited_export(text: str) -> bool:
    """Return whether a text is an unedited YAML export."""
    # Git may have converted the line ends.
    first, _newline, rest = text.replace("\r\n", "\n").partition("\n")
    return first.endswith(f"sha256:{_checksum(rest)}") and first.startswith("# Exported by ")


def account_of_export(text: str) -> str:
    """Return the ID of the account that an export names; empty if it names none."""
    start, middle, _end = _FIRST_LINE.split("{}")
    account_id, found, _rest = text.partition("\n")[0].removeprefix(start).partition(middle)
    return account_id if found else ""


def _oldest_of_each_domain(records: t.Iterable[dict[str, t.Any]]) -> list[Restriction]:
    oldest: dict[str, Restriction] = {}
    for restriction in sorted(map(Restriction.from_api, records), key=lambda known: known.age):
        oldest.setdefault(restriction.domain, restriction)
    return sorted(oldest.values(), key=lambda known: known.domain)


def _entry(restriction: Restriction, may_omit: bool) -> dict[str, t.Any] | None:
    """Return the entry of a restriction; `None` if a list cannot have it.

    Arguments:
        may_omit: whether to omit a field that a list cannot have, so that it is not changed.
    """
    entry = restriction.managed_fields()
    # An entry with an ID may keep names outside its domain.
    candidates = [entry, {**entry, "id": restriction.id}]
    if may_omit:
        candidates += [
            {name: value for name, value in candidates[1].items() if name not in omitted}
            for omitted in (["comments"], ["exclude"], ["comments", "exclude"])
        ]
    return next(filter(_is_valid, candidates), None)


def _is_valid(entry: dict[str, t.Any]) -> bool:
    """Return whether the module accepts an entry, and the entry is what the account has."""
    # Ansible masks a secret in what the info module returns, so the real comment is not known.
    if MASK in entry.get("comments", ""):
        return False
    try:
        DesiredRestriction.from_entry(entry)
    except InvalidRestriction:
        return False
    return True


def _yaml(entries: list[dict[str, t.Any]], account_id: str, notes: list[str]) -> str:
    # Text from the account must not end a comment.
    comments = "".join(f"# {''.join(filter(str.isprintable, note))}\n" for note in notes)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    document = yaml.dump(
        {KEY: entries},
        Dumper=dumper,
        # Without libyaml, PyYAML writes U+0085 and others in a form that it reads as spaces.
        allow_unicode=dumper is not yaml.SafeDumper,
        sort_keys=False,
        width=10**9,
    )
    rest = comments + document
    return f"{_FIRST_LINE.format(account_id, _checksum(rest))}\n{rest}"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _csv(entries: list[dict[str, t.Any]]) -> str:
    columns = ["domain", "exclude", "comments", *(["id"] if any(map(_has_id, entries)) else [])]
    rows: list[str] = []
    # With LF as the terminator, the writer would not quote a lone CR.
    writer = csv.writer(SimpleNamespace(write=rows.append), lineterminator="\r\n")
    writer.writerow(columns)
    for entry in entries:
        cells = {**entry, "exclude": " ".join(entry["exclude"])}
        writer.writerow([_escaped(cells.get(column, "")) for column in columns])
    text = "".join(row[:-2] + "\n" for row in rows)
    # Spreadsheets recognize UTF-8 by the byte order mark.
    return text if text.isascii() else f"\ufeff{text}"


def _has_id(entry: dict[str, t.Any]) -> bool:
    return "id" in entry


def _escaped(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    return f"'{cell}" if FORMULA.match(cell) else cell
