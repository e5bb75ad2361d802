# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A requested change that could not be applied. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    HELD_BACK,
)

# The action of a failed change that could not be planned.
ENTRY = "entry"

NOT_CONFIRMED = "could not confirm the outcome"


@dataclass(frozen=True)
class Failure:
    """One domain whose change could not be applied.

    Attributes:
        reason: what is wrong, a semicolon, what to do and, in brackets, the details.
        kind: one of `_failure_kinds`.
        action: the requested action.
        status, code: the HTTP status and Cloudflare's code, if there was a response.
        protects: whether related changes that weaken must be held back.
    """

    domain: str
    reason: str
    kind: str
    action: str = ENTRY
    status: int | None = None
    code: int | None = None
    protects: bool = False

    def result(self) -> dict[str, t.Any]:
        """Return it in the form of a module's result."""
        return {
            "domain": self.domain,
            "action": self.action,
            "kind": self.kind,
            "reason": self.reason,
            "status": self.status,
            "code": self.code,
        }


def each_domain_once(failures: t.Iterable[Failure]) -> list[Failure]:
    """Return the first failure of each domain; one that is held back comes after all others."""
    first: dict[str, Failure] = {}
    for failure in sorted(failures, key=lambda failure: failure.kind == HELD_BACK):
        first.setdefault(failure.domain, failure)
    return list(first.values())
