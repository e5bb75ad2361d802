# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adds up what the time slices of a run report. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._changed_record import (
    merged_updates,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    NOT_CONFIRMED,
    Failure,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    OUTCOME_UNKNOWN,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import shortened
from ansible_collections.cloudflare_email.security.plugins.module_utils._messages import (
    INCOMPLETE,
    MAX_MESSAGE_LENGTH,
    by_domain,
    final_result,
    summary,
)

LISTS = ("created", "updated", "deleted", "failures")
_KEYS = {"created": "id", "deleted": "id", "failures": "domain"}

Values = t.Dict[str, t.Any]


@dataclass
class Total:
    """What the time slices of a run did together.

    Attributes:
        values: the result so far, as the module returns it.
        remaining: how many changes are left.
        unknown_outcomes: by domain, the writes that may have taken effect, as in `Progress`.
        tightened: domains of which only the first of two calls was made; `updated` has them too.
        has_begun: whether a slice has returned.
        is_estimate_shown: whether the user was told how long the run takes.
    """

    values: Values = field(default_factory=dict)
    remaining: int = 0
    unknown_outcomes: dict[str, Values] = field(default_factory=dict)
    tightened: list[str] = field(default_factory=list)
    has_begun: bool = False
    is_estimate_shown: bool = False

    @property
    def count(self) -> int:
        """How many changes are done, or have failed."""
        return sum(len(self.values.get(name, ())) for name in LISTS) - len(self.tightened)

    @property
    def progress(self) -> str:
        total = self.count + self.remaining
        return f"{self.count} of {total} changes done" if total else "reading the account"

    def add(self, values: Values, report: Values | None = None) -> None:
        """Add the result of one more slice, and what it reports about the rest."""
        before, self.has_begun = self.values, True
        if report:
            if report["remaining"] is not None:
                self.remaining = report["remaining"]
            self.unknown_outcomes = report["progress"]["unknown_outcomes"]
            self.tightened = report["progress"]["tightened"]
        self.values = {**before, **values}
        for name in LISTS:
            if name in before or name in values:
                entries = [*before.get(name, ()), *values.get(name, ())]
                self.values[name] = (
                    merged_updates(entries) if name == "updated" else _once(entries, _KEYS[name])
                )
        for name in ("warnings", "deprecations"):
            if name in before or name in values:
                more = [
                    entry for entry in values.get(name, ()) if entry not in before.get(name, ())
                ]
                self.values[name] = [*before.get(name, ()), *more]
        self.values["changed"] = bool(before.get("changed") or values.get("changed"))
        self.values["api_calls"] = before.get("api_calls", 0) + values.get("api_calls", 0)

    def result(self) -> Values:
        """Return the result of the whole run."""
        for name in LISTS:
            self.values[name] = by_domain(self.values[name])
        return final_result(self.values, check_mode=False)

    def ended_by(self, values: Values) -> Values:
        """Return the result of a run whose last slice failed as a whole."""
        # Without a result of its own, the slice may have changed something before it died.
        died = "module_stdout" in values
        reason = values.pop("msg", "the module ended without a result")
        self.add(values)
        return self.cut_short({"failed": True}, reason, is_certain=not died)

    def cut_short(self, failure: Values, reason: str, is_certain: bool = False) -> Values:
        """Return what is known about a run that ended early."""
        values = {"unchanged": 0, **{name: [] for name in LISTS}, **self.values, **failure}
        values["failures"] = values["failures"] + [
            Failure(
                domain, f"{NOT_CONFIRMED}; run again", OUTCOME_UNKNOWN, write["action"]
            ).result()
            for domain, write in self.unknown_outcomes.items()
        ]
        for name in LISTS:
            values[name] = by_domain(values[name])
        values["status"] = INCOMPLETE
        values["changed"] = bool(values.get("changed") or self.unknown_outcomes or not is_certain)
        rest = f". Changes left: {self.remaining}" if self.remaining else ""
        rest += f". Result: {summary(values)}. Run again to finish the rest."
        values["msg"] = shortened(reason, MAX_MESSAGE_LENGTH - len(rest)) + rest
        return values


def _once(entries: t.Iterable[Values], key: str) -> list[Values]:
    """Return the first of the entries that have the same value of `key`."""
    first: dict[str, Values] = {}
    for entry in entries:
        first.setdefault(entry[key], entry)
    return list(first.values())
