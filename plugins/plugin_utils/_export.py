# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the restrictions of an account as YAML or CSV, so that reading them changes nothing.

Names are canonical and sorted, and there are no times, so that git diffs are small.
"""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    is_unjudged,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    ENTRY_KEYS,
    DesiredRestriction,
    InvalidRestriction,
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._csv_file import (
    can_be_cell,
    csv_text,
    header_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._restrictions_file import (
    delimiter_of,
)
from ansible_collections.cloudflare_email.security.plugins.plugin_utils._yaml_file import (
    yaml_text,
)

_FIRST_LINE = "# Exported by cloudflare_email.security from account {}; sha256:{}"


@dataclass
class Export:
    """The text of a file, and what it contains.

    Attributes:
        count: how many restrictions it contains.
        left_out: the domains whose restrictions the format cannot represent.
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
    separator: str = "comma",
) -> Export:
    """Write the restrictions of an account as the extension of a file says.

    Of several restrictions for one domain, the oldest is written that requires as much as all of
    them together. If there is none, the oldest is, without the exclusions that others do not have.

    Arguments:
        records, findings: as `sending_domain_restriction_info` returns them.
        separator: as in `delimiter_of`.

    Raises:
        UnusableFile: as in `delimiter_of`.
    """
    delimiter = delimiter_of(name, separator)
    exported = Export()
    entries = []
    for fields in _one_of_each_domain(records):
        entry = _entry(fields, delimiter)
        if entry is None:
            exported.left_out.append(fields["domain"])
            continue
        entries.append(entry)
        if not {"comments", "exclude"} <= set(entry):
            exported.incomplete.append(fields["domain"])
    exported.count = len(entries)
    if delimiter:
        exported.text = csv_text(entries, delimiter)
    else:
        notes = [f"not in this file: {domain}" for domain in exported.left_out]
        notes += [f"incomplete in this file: {domain}" for domain in exported.incomplete]
        notes += [finding["message"] for finding in findings]
        exported.text = _with_head(yaml_text(entries), account_id, notes)
    return exported


def lost_columns(name: str, old: str) -> list[str]:
    """Return the columns of an old table that an export to the same file would not contain.

    Raises:
        UnusableFile: as in `delimiter_of`.
    """
    delimiter = delimiter_of(name)
    header = header_of(old.lstrip("\ufeff"), delimiter) if delimiter else []
    names = [cell.strip() for cell in header]
    if "domain" not in map(str.lower, names):
        return []
    known = {"", *ENTRY_KEYS} - {"state"}
    return [column for column in names if column.lower() not in known]


def is_unedited_export(text: str) -> bool:
    """Return whether a text is an unedited YAML export."""
    # Git may have converted the line endings.
    first, _newline, rest = text.replace("\r\n", "\n").partition("\n")
    return first.endswith(f"sha256:{_checksum(rest)}") and first.startswith("# Exported by ")


def account_of_export(text: str) -> str:
    """Return the ID of the account that an export names; empty if it names none."""
    start, middle, _end = _FIRST_LINE.split("{}")
    account_id, found, _rest = text.partition("\n")[0].removeprefix(start).partition(middle)
    return account_id if found else ""


def _one_of_each_domain(records: t.Iterable[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Return the fields of the restrictions to write, sorted by domain."""
    by_domain: dict[bytes, list[Restriction]] = {}
    for restriction in sorted(map(Restriction.from_api, records), key=lambda known: known.age):
        # Bytes change the case of ASCII letters only. That is safe for names that are not judged.
        key = _fields(restriction)["domain"].encode(errors="surrogatepass").lower()
        by_domain.setdefault(key, []).append(restriction)
    return [_combined(by_domain[key]) for key in sorted(by_domain)]


def _combined(same_domain: list[Restriction]) -> dict[str, t.Any]:
    """Return the fields of a restriction that requires as much as several together, oldest first.

    Only the oldest keeps names outside its domain, because only it is sure to be kept.
    """
    if any(is_unjudged(name) for known in same_domain for name in known.record["exclude"]):
        return _fields(same_domain[0])
    rules = [known.rule for known in same_domain]
    together = rules[0]
    for rule in rules[1:]:
        together = TlsRule(rule.domain, frozenset(together.exempt_by_both(rule)))
    if not together.requires_more_than(rules[0]):
        return _fields(same_domain[0])
    for known, rule in zip(same_domain, rules):
        if not together.requires_more_than(rule):
            return {**_fields(known), "exclude": sorted(rule.exempt_names)}
    return {**_fields(same_domain[0]), "exclude": sorted(together.exclude)}


def _fields(restriction: Restriction) -> dict[str, t.Any]:
    """Return the fields and the ID of a restriction; names that cannot be judged as they stand."""
    fields = {**restriction.managed_fields(), "id": restriction.id}
    domain, exclude = restriction.record["domain"], restriction.record["exclude"]
    if any(map(is_unjudged, (domain, *exclude))):
        fields.update(domain=domain, exclude=exclude)
    return fields


def _entry(fields: dict[str, t.Any], delimiter: str | None) -> dict[str, t.Any] | None:
    """Return the entry of a restriction; `None` if the list format cannot represent it.

    A field that it cannot represent is omitted, so that it is not changed. Only an entry with an ID
    may keep names outside its domain.

    Arguments:
        delimiter: that of a table; `None` for YAML.
    """
    for omitted in (
        ("id",),
        ("id", "comments"),
        (),
        ("comments",),
        ("id", "exclude"),
        ("id", "exclude", "comments"),
    ):
        entry = {name: value for name, value in fields.items() if name not in omitted}
        if _is_valid(entry, delimiter):
            return entry
    return None


def _is_valid(entry: dict[str, t.Any], delimiter: str | None) -> bool:
    """Return whether the module accepts an entry, and the entry is what the account has."""
    comments = entry.get("comments", "")
    if delimiter and not can_be_cell(comments, delimiter):
        return False
    if any(map(is_unjudged, (entry["domain"], *entry.get("exclude", ())))):
        # The module judges the names, and needs the ID to accept any that are outside the domain.
        if "id" not in entry:
            return False
        entry = {"domain": "any.example", "comments": comments}
    try:
        DesiredRestriction.from_entry(entry)
    except InvalidRestriction:
        return False
    return True


def _with_head(document: str, account_id: str, notes: list[str]) -> str:
    # Text from the account must not end a comment.
    comments = "".join(f"# {''.join(filter(str.isprintable, note))}\n" for note in notes)
    rest = comments + document
    return f"{_FIRST_LINE.format(account_id, _checksum(rest))}\n{rest}"


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
