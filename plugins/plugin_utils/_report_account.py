# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The restrictions of an account, by names as DNS compares them. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import (
    comparison_key,
    is_below,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._tls_rule import (
    TlsRule,
    TlsRules,
)

Record = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class AccountRestriction:
    """A restriction as the account has it, and its names in canonical form.

    Attributes:
        listed: the names of its exclude list; the account may have several spellings of a name.
    """

    record: Record
    domain: str
    listed: list[str]

    @classmethod
    def of(cls, record: Record) -> AccountRestriction:
        listed = [*map(comparison_key, record.get("exclude") or ())]
        return cls(record, comparison_key(record["domain"]), listed)

    @property
    def rule(self) -> TlsRule:
        return TlsRule(self.domain, frozenset(self.listed))


def is_uncommented(record: Record) -> bool:
    """Return whether a restriction exempts names, and nothing says why."""
    return bool(record.get("exclude")) and not record.get("comments")


class Account:
    """The restrictions of an account.

    Attributes:
        void: the names that restrictions list as exempt although mail from them needs TLS.
    """

    def __init__(self, records: t.Iterable[Record]) -> None:
        self.restrictions = [*map(AccountRestriction.of, records)]
        rules = [restriction.rule for restriction in self.restrictions]
        account = TlsRules(rules)
        self.void = {name for rule in rules for name in rule.exclude if account.requiring(name)}

    def numbers(self) -> dict[str, int]:
        """Return how many restrictions there are, and the like."""
        listing = [restriction for restriction in self.restrictions if restriction.listed]
        return {
            "restrictions": len(self.restrictions),
            "domains": len({restriction.domain for restriction in self.restrictions}),
            "domains_with_exclusions": len({restriction.domain for restriction in listing}),
            "exclusions": sum(len(restriction.listed) for restriction in listing),
            "effective_exclusions": sum(
                is_below(name, restriction.domain) and name not in self.void
                for restriction in listing
                for name in restriction.listed
            ),
        }
