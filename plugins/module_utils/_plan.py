# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: which restrictions to create, update and delete so that an account is as wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import parents
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    RECORD_FIELDS,
    DesiredRestriction,
    InvalidRestriction,
    Restriction,
)

SMALLEST_GUARDED_ACCOUNT = 10


class TooManyDeletes(Exception):
    """The plan deletes more than the task allows; the message has the numbers and the way out."""


@dataclass(frozen=True)
class Create:
    """A restriction to add; `body` is what the API is sent."""

    body: dict[str, t.Any]

    @property
    def domain(self) -> str:
        return self.body["domain"]

    @property
    def before(self) -> None:
        return None

    @property
    def after(self) -> dict[str, t.Any]:
        """The record to expect, `None` where only the API can know."""
        return {**dict.fromkeys(RECORD_FIELDS), **self.body}


@dataclass(frozen=True)
class _ToCurrent:
    current: Restriction

    @property
    def domain(self) -> str:
        return self.current.name

    @property
    def before(self) -> dict[str, t.Any]:
        return dict(self.current.record)


@dataclass(frozen=True)
class Update(_ToCurrent):
    """A restriction to change; `changes` is what the API is sent."""

    changes: dict[str, t.Any]

    @property
    def after(self) -> dict[str, t.Any]:
        """The record to expect."""
        return {**self.current.record, **self.changes}


@dataclass(frozen=True)
class Delete(_ToCurrent):
    """A restriction to remove."""

    @property
    def after(self) -> None:
        return None


Change = t.Union[Create, Update, Delete]


@dataclass(frozen=True)
class Failure:
    """A wish that can't be planned without guessing, or was not carried out, and why."""

    domain: str
    reason: str


@dataclass
class Plan:
    """What separates an account from what is wanted. It knows nothing of HTTP."""

    creates: list[Create] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)
    unchanged: list[Restriction] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        """All changes, sorted by domain."""
        changes: list[Change] = [*self.creates, *self.updates, *self.deletes]
        return sorted(changes, key=lambda change: change.domain)

    @property
    def size(self) -> int:
        """How many changes there are."""
        return len(self.creates) + len(self.updates) + len(self.deletes)

    def diffs(self) -> list[dict[str, t.Any]]:
        """Return the changes in the form of Ansible's diff mode, an item each, sorted by domain."""
        return [
            {
                "before_header": change.domain,
                "after_header": change.domain,
                "before": _managed_fields(change.before),
                "after": _managed_fields(change.after),
            }
            for change in self.changes
        ]


def make_plan(
    wanted: t.Iterable[DesiredRestriction],
    current: t.Iterable[Restriction],
    prune: bool = False,
) -> Plan:
    """Plan how `current`, all that the account holds, becomes what is `wanted`.

    With `prune`, what nobody wants goes: restrictions for other domains, and all but one of those for
    the same domain. The one that stays is the one that is as wanted already, else the oldest.
    """
    plan = Plan()
    on_account = _Index(current)
    named = set()
    for desired in wanted:
        named.add(desired.domain)
        try:
            if desired.state == "absent":
                _plan_absent(plan, desired, on_account)
            else:
                _plan_present(plan, desired, on_account, prune)
        except InvalidRestriction as error:
            plan.failures.append(Failure(desired.domain or str(desired.id), str(error)))
    if prune:
        plan.deletes += [
            Delete(restriction) for restriction in on_account if restriction.name not in named
        ]
    return plan


def refuse_mass_deletion(plan: Plan, held: int, max_delete_percent: int) -> None:
    """Raise `TooManyDeletes` if `plan` deletes more than that share of the `held` restrictions.

    An account that holds fewer than `SMALLEST_GUARDED_ACCOUNT` is not guarded.
    """
    deletes = len(plan.deletes)
    if held < SMALLEST_GUARDED_ACCOUNT or deletes * 100 <= max_delete_percent * held:
        return
    needed = -(-deletes * 100 // held)
    raise TooManyDeletes(
        f"this would delete {deletes} of the {held} restrictions on the account, more than the"
        f" {max_delete_percent} percent that max_delete_percent allows: nothing was changed; if it is"
        f" what you want, set max_delete_percent to {needed}"
    )


def contradictions(plan: Plan, current: t.Iterable[Restriction]) -> list[str]:
    """Return a sentence for each wanted restriction below another one that will be there, too."""
    deleted = {delete.current.id for delete in plan.deletes}
    exempted = {kept.name: kept.exempted for kept in current if kept.id not in deleted}
    for update in plan.updates:
        exempted[update.domain] = frozenset(update.after["exclude"])
    for create in plan.creates:
        exempted[create.domain] = frozenset(create.after["exclude"])
    wanted = [create.domain for create in plan.creates]
    wanted += [update.domain for update in plan.updates]
    wanted += [kept.name for kept in plan.unchanged]
    sentences = []
    for domain in sorted(wanted):
        above = next((name for name in parents(domain) if name in exempted), None)
        if above is None:
            continue
        if any(name in exempted[above] for name in (domain, *parents(domain))):
            sentences.append(
                f"{domain} is exempted by the restriction for {above}, but has a restriction of its"
                " own, so that it needs TLS all the same"
            )
        else:
            sentences.append(
                f"{domain} is covered by the restriction for {above} already; its own restriction"
                " decides for it"
            )
    return sentences


class _Index:
    def __init__(self, restrictions: t.Iterable[Restriction]) -> None:
        self._by_id: dict[str, Restriction] = {}
        self._by_name: dict[str, list[Restriction]] = {}
        for restriction in restrictions:
            self._by_id[restriction.id.lower()] = restriction
            self._by_name.setdefault(restriction.name, []).append(restriction)

    def __iter__(self) -> t.Iterator[Restriction]:
        return iter(self._by_id.values())

    def with_id(self, identifier: str) -> Restriction | None:
        return self._by_id.get(identifier)

    def for_domain(self, domain: str | None) -> list[Restriction]:
        return self._by_name.get(domain, []) if domain else []


def _plan_absent(plan: Plan, desired: DesiredRestriction, on_account: _Index) -> None:
    if desired.id is None:
        plan.deletes += [
            Delete(restriction) for restriction in on_account.for_domain(desired.domain)
        ]
        return
    restriction = on_account.with_id(desired.id)
    if restriction is None:
        return
    if desired.domain not in (None, restriction.name):
        raise InvalidRestriction(
            f"the restriction {desired.id} is for {restriction.name}, not for {desired.domain}:"
            " nothing was removed; correct one of the two, or leave out domain"
        )
    plan.deletes.append(Delete(restriction))


def _plan_present(plan: Plan, desired: DesiredRestriction, on_account: _Index, prune: bool) -> None:
    same_domain = on_account.for_domain(desired.domain)
    restriction: Restriction | None
    if desired.id is not None:
        restriction = _with_that_id(desired, on_account)
    elif len(same_domain) <= 1:
        restriction = same_domain[0] if same_domain else None
    elif prune:
        restriction = _the_one_to_keep(desired, same_domain)
    else:
        raise InvalidRestriction(
            f"the account holds {len(same_domain)} restrictions for {desired.domain}, with the ids"
            f" {_ids(same_domain)}: remove all but one of them, with the option id of"
            " sending_domain_restriction"
        )
    if restriction is None:
        plan.creates.append(Create(_body(desired)))
        return
    changes = desired.changes_to(restriction)
    if changes:
        plan.updates.append(Update(restriction, changes))
    else:
        plan.unchanged.append(restriction)
    if prune:
        plan.deletes += [Delete(other) for other in same_domain if other is not restriction]


def _with_that_id(desired: DesiredRestriction, on_account: _Index) -> Restriction:
    restriction = on_account.with_id(str(desired.id))
    if restriction is None:
        raise InvalidRestriction(
            f"the account holds no restriction with the id {desired.id}: leave out id to create one"
        )
    others = [other for other in on_account.for_domain(desired.domain) if other is not restriction]
    if others and restriction.name != desired.domain:
        raise InvalidRestriction(
            f"renaming {restriction.name} to {desired.domain} would give that domain more than one"
            f" restriction: remove the one with the id {_ids(others)} first"
        )
    return restriction


def _the_one_to_keep(desired: DesiredRestriction, same_domain: list[Restriction]) -> Restriction:
    oldest_first = sorted(same_domain, key=lambda restriction: restriction.age)
    as_wanted = (known for known in oldest_first if not desired.changes_to(known))
    return next(as_wanted, oldest_first[0])


def _ids(restrictions: t.Iterable[Restriction]) -> str:
    return " and ".join(sorted(restriction.id for restriction in restrictions))


def _body(desired: DesiredRestriction) -> dict[str, t.Any]:
    body: dict[str, t.Any] = {
        "domain": desired.domain,
        "exclude": sorted(desired.exclude or ()),
    }
    if desired.comments:
        body["comments"] = desired.comments
    return body


def _managed_fields(record: t.Mapping[str, t.Any] | None) -> dict[str, t.Any] | str:
    if record is None:
        return ""
    return {
        "domain": record["domain"],
        "exclude": sorted(record["exclude"]),
        "comments": record["comments"] or "",
    }
