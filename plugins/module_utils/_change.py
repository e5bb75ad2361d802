# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change of an account, and what it does to protection. Pure.

A change protects if mail from some sender needs TLS afterwards by the changed restriction and did
not before. It weakens if that is so the other way round. An update may do both. The senders of whom
either is true are at or below its `affected_names`.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    RECORD_FIELDS,
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import TlsRule

CREATE, UPDATE, DELETE = "create", "update", "delete"


@dataclass(frozen=True)
class Create:
    """A restriction to add; `body` is what the API is sent."""

    body: dict[str, t.Any]

    action: t.ClassVar[str] = CREATE
    protects: t.ClassVar[bool] = True
    weakens: t.ClassVar[bool] = False

    @property
    def domain(self) -> str:
        domain: str = self.body["domain"]
        return domain

    @property
    def record(self) -> dict[str, t.Any]:
        """The expected record; `None` for what only the API can know."""
        return {**dict.fromkeys(RECORD_FIELDS), **self.body}

    @property
    def restriction(self) -> Restriction:
        """The expected restriction; it has no ID yet."""
        comments = self.body.get("comments", "")
        return Restriction(self.record, "", self.domain, frozenset(self.body["exclude"]), comments)

    @property
    def affected_names(self) -> set[str]:
        return {self.domain}


@dataclass(frozen=True)
class Update:
    """A restriction to change; `changes` is what the API is sent.

    Attributes:
        in_two_calls: whether `tightening` is sent first, and this call when nothing protects less
            because of it.
    """

    current: Restriction
    changes: dict[str, t.Any]
    in_two_calls: bool = False

    action: t.ClassVar[str] = UPDATE

    @property
    def domain(self) -> str:
        return self.current.domain

    @property
    def record(self) -> dict[str, t.Any]:
        """The expected record."""
        return {**self.current.record, **self.changes}

    @property
    def restriction(self) -> Restriction:
        """The expected restriction."""
        changes = dict(self.changes)
        if "exclude" in changes:
            changes["exclude"] = frozenset(changes["exclude"])
        return replace(self.current, record=self.record, **changes)

    @property
    def protects(self) -> bool:
        return self._is_rename or self._after.requires_more_than(self._before)

    @property
    def weakens(self) -> bool:
        return self._is_rename or self._before.requires_more_than(self._after)

    @property
    def affected_names(self) -> set[str]:
        if self._is_rename:
            return {self.domain, self.changes["domain"]}
        before, after = self._before, self._after
        return after.required_beyond(before) | before.required_beyond(after)

    @property
    def is_mixed(self) -> bool:
        """Whether it both ends exemptions and adds some."""
        return not self._is_rename and self.protects and self.weakens

    @property
    def tightening(self) -> Tightening:
        """The part that only protects: it leaves what is exempt both before and after."""
        exclude = self._before.exempt_by_both(self._after)
        return Tightening(self.current, {"exclude": sorted(exclude)})

    @property
    def _is_rename(self) -> bool:
        return "domain" in self.changes

    @property
    def _before(self) -> TlsRule:
        return self.current.rule

    @property
    def _after(self) -> TlsRule:
        return TlsRule(self.domain, frozenset(self.changes.get("exclude", self.current.exclude)))


@dataclass(frozen=True)
class Tightening(Update):
    """The first of the two calls of an update."""


@dataclass(frozen=True)
class Delete:
    """A restriction to remove; of duplicates, `kept` is the one that stays, as it will be."""

    current: Restriction
    kept: Restriction | None = None

    action: t.ClassVar[str] = DELETE
    protects: t.ClassVar[bool] = False

    @property
    def weakens(self) -> bool:
        """Whether mail loses a requirement; a duplicate may require more than the one that stays."""
        return bool(self.affected_names)

    @property
    def affected_names(self) -> set[str]:
        if self.kept is None:
            return {self.domain}
        return self.current.rule.required_beyond(self.kept.rule)

    @property
    def domain(self) -> str:
        return self.current.domain


Change = t.Union[Create, Update, Delete]
