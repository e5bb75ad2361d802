# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restrictions cover and exempt. Pure.

A restriction covers its domain and the names below it. An exclude entry exempts its name and the
names below it; one that is not below the domain has no effect. Cloudflare does not publish these
details: they are assumptions that the documentation of `sending_domain_restriction_info` states.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    is_below,
    parents,
)


@dataclass(frozen=True)
class TlsRule:
    """The names of a restriction, all in canonical form."""

    domain: str
    exclude: frozenset[str]

    @property
    def exempt_names(self) -> set[str]:
        """The exclude entries that have an effect."""
        return {name for name in self.exclude if is_below(name, self.domain)}

    def covers(self, name: str) -> bool:
        """Return whether `name` is the domain or below it."""
        return name == self.domain or is_below(name, self.domain)

    def exempting_entry(self, name: str) -> str | None:
        """Return the most specific exclude entry that exempts `name`, or `None`."""
        return next(
            (
                entry
                for entry in (name, *parents(name))
                if entry in self.exclude and is_below(entry, self.domain)
            ),
            None,
        )

    def exempts(self, name: str) -> bool:
        """Return whether an exclude entry exempts `name`."""
        return self.exempting_entry(name) is not None

    def required_beyond(self, other: TlsRule) -> set[str]:
        """Return names such that mail from them needs TLS by this rule but not by `other`.

        Both are for the same domain. All other names of which that is true are below these.
        """
        return {name for name in other.exempt_names if not self.exempts(name)}

    def exempt_by_both(self, other: TlsRule) -> set[str]:
        """Return what is exempt if both rules for the same domain apply.

        That is the names in the set, and those below them.
        """
        return {
            *filter(other.exempts, self.exempt_names),
            *filter(self.exempts, other.exempt_names),
        }

    def requires_more_than(self, other: TlsRule) -> bool:
        """Return whether some name needs TLS by this rule and not by `other`, for the same domain."""
        return bool(self.required_beyond(other))


class TlsRules:
    """The rules of all restrictions on an account."""

    def __init__(self, rules: t.Iterable[TlsRule]) -> None:
        self._by_domain: dict[str, list[TlsRule]] = {}
        for rule in rules:
            self._by_domain.setdefault(rule.domain, []).append(rule)

    def covering(self, name: str) -> t.Iterator[TlsRule]:
        """Yield the rules that cover `name`, the most specific first."""
        for domain in (name, *parents(name)):
            yield from self._by_domain.get(domain, ())

    def requiring(self, name: str) -> TlsRule | None:
        """Return the most specific rule that requires TLS from `name`, or `None`."""
        return next((rule for rule in self.covering(name) if not rule.exempts(name)), None)
