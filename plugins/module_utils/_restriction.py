# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One restriction: as a task wants it, as the account holds it, and what separates the two."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    InvalidDomainName,
    comparison_key,
    is_below,
    parse_domain_name,
)

MAX_COMMENTS_LENGTH = 1024

# What the API calls an ID is put into paths.
_SAFE_ID = re.compile("[0-9A-Za-z-]+")
_UUID = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

RECORD_FIELDS = ("id", "domain", "exclude", "comments", "created_at", "modified_at")

# Control characters other than tabs and line breaks, and halves of surrogate pairs.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_YAML_TYPES = {bool: "true or false", float: "a number", list: "a list", dict: "a mapping"}


class InvalidRestriction(ValueError):
    """A restriction that cannot be: the message names the option and says what to give."""


@dataclass(frozen=True)
class Restriction:
    """A restriction that the account holds.

    `record` has the `RECORD_FIELDS` as the API gave them (Cloudflare API reference, Email Security,
    Sending Domain Restrictions); `name` and `exempted` are its names in canonical form.
    """

    record: t.Mapping[str, t.Any] = field(repr=False)
    id: str
    name: str
    exempted: frozenset[str]
    comments: str

    @classmethod
    def from_api(cls, record: t.Any) -> Restriction:
        """Read a record of the API, leaving out fields that this collection does not know.

        Raises:
            InvalidRestriction: the record lacks its id or its domain, or has a field of another
                type.
        """
        if not isinstance(record, dict):
            raise InvalidRestriction("a restriction is not an object")
        record = {name: record.get(name) for name in RECORD_FIELDS}
        record["exclude"] = [] if record["exclude"] is None else record["exclude"]
        identifier, domain, comments = record["id"], record["domain"], record["comments"]
        if not (isinstance(identifier, str) and _SAFE_ID.fullmatch(identifier)):
            raise InvalidRestriction("a restriction has no id, or one that is none")
        if not (isinstance(domain, str) and domain):
            raise InvalidRestriction(f"the restriction {identifier} has no domain")
        if not (
            isinstance(record["exclude"], list)
            and all(isinstance(entry, str) for entry in record["exclude"])
            and all(
                record[name] is None or isinstance(record[name], str)
                for name in ("comments", "created_at", "modified_at")
            )
        ):
            raise InvalidRestriction(f"the restriction {identifier} has a field of another type")
        return cls(
            record=record,
            id=identifier,
            name=comparison_key(domain),
            exempted=frozenset(comparison_key(entry) for entry in record["exclude"]),
            comments=comments or "",
        )

    @property
    def age(self) -> tuple[str, str]:
        """What to sort by so that the oldest comes first, in the same order for everybody."""
        # Without the Z, times with fractions of any length sort as texts.
        return ((self.record["created_at"] or "").rstrip("Z"), self.id)


@dataclass(frozen=True)
class DesiredRestriction:
    """What a task wants: names in canonical form; `None` is an option left out, to be left alone."""

    domain: str | None
    exclude: frozenset[str] | None = None
    comments: str | None = None
    state: str = "present"
    id: str | None = None

    @classmethod
    def from_options(cls, options: t.Mapping[str, t.Any]) -> DesiredRestriction:
        """Read the options `domain`, `exclude`, `comments`, `state` and `id` of a task.

        Raises:
            InvalidRestriction: an option has a value that no restriction can have.
        """
        desired = cls(
            domain=parse_domain(options.get("domain")),
            exclude=_exclude(options.get("exclude")),
            comments=_comments(options.get("comments")),
            state=options["state"],
            id=parse_id(options.get("id")),
        )
        if desired.domain is None and desired.id is None:
            raise InvalidRestriction("domain: it is missing: give a domain, or an id")
        if desired.domain is not None and desired.exclude is not None:
            refuse_strays(desired.exclude, desired.domain)
        return desired

    def changes_to(self, current: Restriction) -> dict[str, t.Any]:
        """Return the fields to send so that `current` becomes what is wanted; empty if it is.

        Raises:
            InvalidRestriction: the outcome would exempt a name that is not below the domain.
        """
        changes: dict[str, t.Any] = {}
        if self.domain is not None and self.domain != current.name:
            changes["domain"] = self.domain
        if self.exclude is not None and self.exclude != current.exempted:
            changes["exclude"] = sorted(self.exclude)
        if self.comments is not None and self.comments != current.comments:
            changes["comments"] = self.comments
        if "domain" in changes or "exclude" in changes:
            exempted = current.exempted if self.exclude is None else self.exclude
            refuse_strays(exempted, self.domain or current.name)
        return changes


def desired_restrictions(entries: t.Iterable[t.Mapping[str, t.Any]]) -> list[DesiredRestriction]:
    """Read a list of options, each as `DesiredRestriction.from_options` does.

    Raises:
        InvalidRestriction: for the first entry that is wrong, or is for the same domain as another.
    """
    wanted: dict[str | None, DesiredRestriction] = {}
    positions: dict[str | None, int] = {}
    for position, entry in enumerate(entries, 1):
        try:
            desired = DesiredRestriction.from_options(entry)
        except InvalidRestriction as error:
            raise InvalidRestriction(f"restrictions, entry {position}: {error}") from error
        if desired.domain in wanted:
            raise InvalidRestriction(
                f"restrictions, entries {positions[desired.domain]} and {position}: both are for"
                f" {desired.domain}: merge them into one"
            )
        wanted[desired.domain] = desired
        positions[desired.domain] = position
    return list(wanted.values())


def refuse_strays(exclude: t.Iterable[str], domain: str) -> None:
    """Raise `InvalidRestriction` for the first name, in sorted order, that is not below `domain`."""
    for name in sorted(exclude):
        if not is_below(name, domain):
            raise InvalidRestriction(
                f"exclude: '{name}' is not below '{domain}': only subdomains of the restricted"
                " domain can be exempted"
            )


def parse_domain(text: str | None, option: str = "domain") -> str | None:
    """Return the canonical form of a domain that an option names; `None` if it was left out.

    Raises:
        InvalidRestriction: it is no domain that a restriction can have.
    """
    if text is None:
        return None
    try:
        return parse_domain_name(text)
    except InvalidDomainName as error:
        raise InvalidRestriction(f"{option}: {error}") from error


def _exclude(entries: list[str] | None) -> frozenset[str] | None:
    if entries is None:
        return None
    try:
        return frozenset(parse_domain_name(entry) for entry in entries)
    except InvalidDomainName as error:
        raise InvalidRestriction(f"exclude: {error}") from error


def _comments(given: t.Any) -> str | None:
    if given is None:
        return None
    if not isinstance(given, (str, int)) or isinstance(given, bool):
        raise InvalidRestriction(
            f"comments: it was read as {_YAML_TYPES.get(given.__class__, 'something')}, not as text:"
            " put it in quotes"
        )
    text = str(given)
    wrong = _NO_TEXT.search(text)
    if wrong:
        raise InvalidRestriction(
            f"comments: it has U+{ord(wrong.group()):04X}, which is no character of a text: take it"
            " out"
        )
    if len(text) > MAX_COMMENTS_LENGTH:
        raise InvalidRestriction(
            f"comments: it has {len(text)} characters: shorten it to {MAX_COMMENTS_LENGTH}"
        )
    return text


def parse_id(text: str | None) -> str | None:
    """Return the ID of a restriction in lower case; `None` if it was left out.

    Raises:
        InvalidRestriction: it is not a UUID.
    """
    if text is None:
        return None
    if not _UUID.fullmatch(text):
        raise InvalidRestriction(
            f"id: {text!r} is not the id of a restriction: give the UUID that Cloudflare gave it"
        )
    return text.lower()
