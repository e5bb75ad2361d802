# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One restriction: on the account, as a task requests it, and the difference between the two."""

from __future__ import annotations

import difflib
import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    InvalidDomainName,
    comparison_key,
    is_below,
    parse_domain_name,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import (
    shortened,
    with_unix_line_ends,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import MASK
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule

MAX_COMMENTS_LENGTH = 1024

RECORD_FIELDS = ("id", "domain", "exclude", "comments", "created_at", "modified_at")
ENTRY_KEYS = ("domain", "exclude", "comments", "state", "id", "created_at", "modified_at")
STATES = ("present", "absent")
# What people write into a cell of exclude instead of names.
_NO_NAMES = {"none", "n/a", "na", "-", "yes", "no", "x"}

# IDs become part of paths.
_SAFE_ID = re.compile("[0-9A-Za-z-]+")
_UUID = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

_HALF_SURROGATE_PAIR = re.compile("[\ud800-\udfff]")

# Control characters other than tabs and line breaks, and halves of surrogate pairs.
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class InvalidRestriction(ValueError):
    """A restriction that cannot exist; the message names the option and says what to do."""


@dataclass(frozen=True)
class Restriction:
    """A restriction on the account.

    `record` contains the `RECORD_FIELDS` as the API returned them (Cloudflare API reference, Email
    Security, Sending Domain Restrictions); `domain` and `exclude` are its names in canonical form,
    and the lines of `comments` end in LF. Halves of surrogate pairs, which JSON can contain and text
    cannot, are replaced by U+FFFD; `damaged` lists these fields.
    """

    record: t.Mapping[str, t.Any] = field(repr=False)
    id: str
    domain: str
    exclude: frozenset[str]
    comments: str
    damaged: tuple[str, ...] = ()

    @classmethod
    def from_api(cls, record: t.Any) -> Restriction:
        """Read a record of the API; unknown fields are dropped.

        Raises:
            InvalidRestriction: the record has no ID or no domain, or a field has the wrong type.
        """
        if not isinstance(record, dict):
            raise InvalidRestriction("a restriction is not an object")
        record = {name: record.get(name) for name in RECORD_FIELDS}
        record["exclude"] = [] if record["exclude"] is None else record["exclude"]
        identifier, domain = record["id"], record["domain"]
        if not (isinstance(identifier, str) and _SAFE_ID.fullmatch(identifier)):
            raise InvalidRestriction("a restriction has no valid ID")
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
            raise InvalidRestriction(f"a field of the restriction {identifier} has the wrong type")
        repaired = {name: _repaired(value) for name, value in record.items()}
        return cls(
            record=repaired,
            id=identifier,
            domain=comparison_key(repaired["domain"]),
            exclude=frozenset(comparison_key(entry) for entry in repaired["exclude"]),
            comments=with_unix_line_ends(repaired["comments"] or ""),
            damaged=tuple(name for name in record if repaired[name] != record[name]),
        )

    @property
    def rule(self) -> TlsRule:
        """What it covers and exempts."""
        return TlsRule(self.domain, self.exclude)

    @property
    def age(self) -> tuple[str, str]:
        """The key that sorts the oldest restriction first, in the same order for everybody.

        Without times, the order of the API is kept.
        """
        created_at = self.record["created_at"]
        # Without the Z, times with fractions of any length sort as texts.
        return (created_at.rstrip("Z"), self.id) if created_at else ("", "")

    def has_fields(self, fields: t.Mapping[str, t.Any]) -> bool:
        """Return whether it has these values, in the form that a create or an update sends."""
        return (
            fields.get("domain", self.domain) == self.domain
            and frozenset(fields.get("exclude", self.exclude)) == self.exclude
            and with_unix_line_ends(fields.get("comments", self.comments) or "") == self.comments
        )

    def managed_fields(self) -> dict[str, t.Any]:
        """Return what users manage, in canonical form: `{domain, exclude, comments}`."""
        return {
            "domain": self.domain,
            "exclude": sorted(self.exclude),
            "comments": self.comments,
        }


@dataclass(frozen=True)
class DesiredRestriction:
    """A requested restriction, in the form of `Restriction`; `None` is an option that was omitted."""

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
        domain = parse_domain(options.get("domain"))
        desired = cls(
            domain=domain,
            exclude=_exclude(options.get("exclude"), domain),
            comments=_comments(options.get("comments")),
            state=options["state"],
            id=parse_id(options.get("id")),
        )
        if desired.domain is None and desired.id is None:
            raise InvalidRestriction("domain is missing; set domain or id")
        if desired.domain is not None and desired.exclude is not None:
            refuse_names_outside(desired.domain, desired.exclude)
        return desired

    @classmethod
    def from_entry(cls, entry: t.Any) -> DesiredRestriction:
        """Read one entry of a list: a mapping with the keys `ENTRY_KEYS`.

        The read-only keys, which only the account sets, are ignored. An entry with an `id` comes
        from the account, so its `exclude` may contain names outside its domain: `changes_to` refuses
        those that the account does not have already.

        Raises:
            InvalidRestriction: it is not a mapping, has an unknown key, or has a value that no
                restriction can have.
        """
        if not isinstance(entry, t.Mapping):
            raise InvalidRestriction(
                f"expected a mapping such as {{domain: partner.example}}, got {_typed(entry)}"
            )
        for key in entry:
            if key not in ENTRY_KEYS:
                raise InvalidRestriction(_unknown_key(str(key)))
        if entry.get("domain") is None:
            raise InvalidRestriction("domain is missing; every entry needs one")
        if not isinstance(entry["domain"], str):
            raise InvalidRestriction(f"YAML read domain as {_typed(entry['domain'])}; quote it")
        state = entry.get("state")
        if state not in (None, *STATES):
            raise InvalidRestriction(f"state {state!r} is unknown; use {' or '.join(STATES)}")
        domain = str(parse_domain(entry["domain"]))
        exclude = _exclude(_listed(entry.get("exclude")), domain)
        if exclude is not None and entry.get("id") is None:
            refuse_names_outside(domain, exclude)
        return cls(domain, exclude, _comments(entry.get("comments")), state or "present")

    def changes_to(self, current: Restriction) -> dict[str, t.Any]:
        """Return the fields to send so that `current` becomes this one; empty if it already is.

        Raises:
            InvalidRestriction: the result would exclude a name outside the domain.
        """
        changes: dict[str, t.Any] = {}
        if self.domain is not None and self.domain != current.domain:
            changes["domain"] = self.domain
        if self.exclude is not None and self.exclude != current.exclude:
            changes["exclude"] = sorted(self.exclude)
        if self.comments is not None and self.comments != current.comments:
            changes["comments"] = self.comments
        if "domain" in changes or "exclude" in changes:
            exclude = current.exclude if self.exclude is None else self.exclude
            refuse_names_outside(self.domain or current.domain, exclude)
        return changes

    def body(self) -> dict[str, t.Any]:
        """Return the body of a create.

        Raises:
            InvalidRestriction: it would exclude a name outside the domain.
        """
        body: dict[str, t.Any] = {"domain": self.domain, "exclude": sorted(self.exclude or ())}
        refuse_names_outside(str(self.domain), body["exclude"])
        if self.comments:
            body["comments"] = self.comments
        return body


def refuse_names_outside(domain: str, exclude: t.Iterable[str]) -> None:
    """Raise `InvalidRestriction` for the first name, in sorted order, that is not below `domain`."""
    for name in sorted(exclude):
        if not is_below(name, domain):
            raise InvalidRestriction(
                f"exclude contains '{name}', which is not below '{domain}'; list only subdomains of the"
                " restricted domain"
            )


def parse_domain(text: str | None, option: str = "domain") -> str | None:
    """Return the canonical form of the domain in an option; `None` if the option was omitted.

    Raises:
        InvalidRestriction: no restriction can have this domain.
    """
    if text is None:
        return None
    try:
        return parse_domain_name(text)
    except InvalidDomainName as error:
        raise InvalidRestriction(f"{option} {error}") from error


def parse_id(text: str | None) -> str | None:
    """Return the ID of a restriction in lower case; `None` if it was omitted.

    Raises:
        InvalidRestriction: it is not a UUID.
    """
    if text is None:
        return None
    if not _UUID.fullmatch(text):
        raise InvalidRestriction(
            f"id {shortened(repr(text), 80)} is not a UUID; use the ID that Cloudflare gave the restriction"
        )
    return text.lower()


def _repaired(value: t.Any) -> t.Any:
    """Return the value of a field with U+FFFD instead of each half of a surrogate pair."""
    if isinstance(value, list):
        return [_repaired(entry) for entry in value]
    return _HALF_SURROGATE_PAIR.sub("\ufffd", value) if isinstance(value, str) else value


def _listed(value: t.Any) -> list[str] | None:
    """Return a list of names; text is split at commas, as Ansible does."""
    if value is None:
        return None
    if isinstance(value, str):
        return [name.strip() for name in value.split(",")]
    if not isinstance(value, list):
        raise InvalidRestriction(f"exclude is {_typed(value)}; use a list of names")
    for name in value:
        if not isinstance(name, str):
            raise InvalidRestriction(f"YAML read an entry of exclude as {_typed(name)}; quote it")
    return value


def _exclude(names: list[str] | None, domain: str | None) -> frozenset[str] | None:
    if names is None:
        return None
    if "" in names:
        raise InvalidRestriction("exclude contains an empty entry; remove it")
    for name in names:
        if name.strip().lower() in _NO_NAMES:
            raise InvalidRestriction(
                f"exclude contains '{name}', which is not a name; list subdomains, or leave it empty"
            )
    try:
        return frozenset(parse_domain_name(name, domain) for name in names)
    except InvalidDomainName as error:
        raise InvalidRestriction(f"exclude {error}") from error


def _comments(value: t.Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise InvalidRestriction(f"YAML read comments as {_typed(value)}; quote it")
    text = with_unix_line_ends(str(value))
    match = _NOT_TEXT.search(text)
    if match:
        raise InvalidRestriction(
            f"comments contains the control character U+{ord(match.group()):04X}; remove it"
        )
    if MASK in text:
        # Such as a result of the info module, whose comment contained a secret.
        raise InvalidRestriction(
            f"comments contains {MASK}, which stands for a secret; omit comments to keep the comment"
            " that the account has, or write another one"
        )
    if len(text) > MAX_COMMENTS_LENGTH:
        raise InvalidRestriction(
            f"comments has {len(text)} characters; use at most {MAX_COMMENTS_LENGTH}"
        )
    return text


def _typed(value: t.Any) -> str:
    for kind, name in (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "text"),
        (list, "a list"),
        (t.Mapping, "a mapping"),
    ):
        if isinstance(value, kind):
            shown = shortened(repr(str(value)), 80)
            return name if isinstance(value, (bool, list, t.Mapping)) else f"{name} ({shown})"
    return "nothing" if value is None else "another type"


def _unknown_key(key: str) -> str:
    probable = difflib.get_close_matches(key, ENTRY_KEYS, n=1)
    advice = f"did you mean '{probable[0]}'?" if probable else f"use {', '.join(ENTRY_KEYS[:4])}"
    return f"unknown key {shortened(repr(key), 80)}; {advice}"
