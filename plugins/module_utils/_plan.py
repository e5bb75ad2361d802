# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan: which restrictions to create, update and delete. It knows nothing about HTTP."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.cloudflare_email.security.plugins.module_utils._change import (
    Change,
    Create,
    Delete,
    Update,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._domain_name import is_valid
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    Failure,
    each_domain_once,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    DUPLICATES,
    INVALID,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._order import (
    Relatives,
    hold_back,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    DesiredRestriction,
    InvalidRestriction,
    Restriction,
)


@dataclass
class Plan:
    """The difference between an account and a list of desired restrictions.

    Attributes:
        unlisted: without prune, the domains on the account that the list does not contain.
        not_listable: with prune, those of them that stay, because no list can contain them.
    """

    creates: list[Create] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)
    unchanged: list[Restriction] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    not_listable: list[str] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        return [*self.creates, *self.updates, *self.deletes]

    @property
    def size(self) -> int:
        """How many changes there are."""
        return len(self.changes)

    @property
    def first_writes(self) -> list[Create | Update]:
        """What is sent first: all creates, and the updates that do not only weaken."""
        updates = [
            update.tightening if update.in_two_calls else update
            for update in self.updates
            if not _only_weakens(update)
        ]
        return [*self.creates, *updates]

    @property
    def weakening_updates(self) -> list[Update]:
        """The updates that are sent after everything that protects."""
        return [update for update in self.updates if update.in_two_calls or _only_weakens(update)]

    def applied_to(self, current: t.Iterable[Restriction]) -> list[Restriction]:
        """Return what an account that had `current` has once all changes are made."""
        updated = {update.current.id: update.restriction for update in self.updates}
        deleted = {delete.current.id for delete in self.deletes}
        kept = [updated.get(known.id, known) for known in current if known.id not in deleted]
        return [*kept, *(create.restriction for create in self.creates)]


def make_plan(
    desired: t.Iterable[DesiredRestriction],
    current: t.Iterable[Restriction],
    prune: bool = False,
    done: t.Collection[str] = (),
    tightened: t.Collection[str] = (),
    failed: t.Collection[str] = (),
    failed_to_protect: t.Mapping[str, str] | None = None,
) -> Plan:
    """Plan how to turn `current`, all restrictions on the account, into the desired ones.

    Arguments:
        prune: also delete the restrictions of domains that are not listed, and duplicates. The one
            that is already in the desired state is kept, otherwise the oldest. A domain that no
            list can contain, such as a single label, is not deleted.
        done: domains that this run created or updated already; they are not written again, even
            if the list of the API lags behind.
        tightened: domains of which this run sent only the first of two calls.
        failed: domains that this run could not change; they keep everything they have.
        failed_to_protect: a clause by domain, that says why related changes are held back.
    """
    plan, tightened, failed = Plan(), frozenset(tightened), frozenset(failed)
    account = _Index(current)
    listed = set()
    for entry in desired:
        listed.add(entry.domain)
        if entry.domain in failed:
            continue
        try:
            if entry.state == "absent":
                _plan_absent(plan, entry, account)
            else:
                _plan_present(
                    plan, entry, account, prune, entry.domain in done, entry.domain in tightened
                )
        except _Ambiguous as error:
            plan.failures.append(_failure(entry, error, DUPLICATES))
        except InvalidRestriction as error:
            plan.failures.append(_failure(entry, error, INVALID))
    unlisted = {restriction.domain for restriction in account}.difference(listed)
    if prune:
        plan.not_listable = sorted(name for name in unlisted if not is_valid(name))
        pruned = unlisted.difference(plan.not_listable, failed)
        plan.deletes += [Delete(known) for known in account if known.domain in pruned]
    else:
        plan.unlisted = sorted(unlisted)
    _put_in_order(plan, {**(failed_to_protect or {}), **failures_to_protect(plan.failures)})
    return plan


def failures_to_protect(failures: t.Iterable[Failure]) -> dict[str, str]:
    """Return a clause by domain, for the failures that hold back related changes."""
    return {
        failure.domain: f"the {failure.action} for {failure.domain} failed"
        for failure in failures
        if failure.protects
    }


class _Ambiguous(Exception):
    """A domain has duplicates, and the task does not say which one is meant."""


class _Index:
    def __init__(self, restrictions: t.Iterable[Restriction]) -> None:
        self._by_id: dict[str, Restriction] = {}
        self._by_domain: dict[str, list[Restriction]] = {}
        for restriction in restrictions:
            self._by_id[restriction.id.lower()] = restriction
            self._by_domain.setdefault(restriction.domain, []).append(restriction)

    def __iter__(self) -> t.Iterator[Restriction]:
        return iter(self._by_id.values())

    def with_id(self, identifier: str) -> Restriction | None:
        return self._by_id.get(identifier)

    def for_domain(self, domain: str | None) -> list[Restriction]:
        return self._by_domain.get(domain, []) if domain else []


def _plan_absent(plan: Plan, desired: DesiredRestriction, account: _Index) -> None:
    if desired.id is None:
        plan.deletes += map(Delete, account.for_domain(desired.domain))
        return
    restriction = account.with_id(desired.id)
    if restriction is None:
        return
    if desired.domain not in (None, restriction.domain):
        raise InvalidRestriction(
            f"the restriction {desired.id} is for {restriction.domain}, not for {desired.domain};"
            " correct one of the two, or omit domain"
        )
    plan.deletes.append(Delete(restriction))


def _plan_present(
    plan: Plan,
    desired: DesiredRestriction,
    account: _Index,
    prune: bool,
    is_done: bool,
    is_tightened: bool,
) -> None:
    same_domain = account.for_domain(desired.domain)
    restriction: Restriction | None
    if desired.id is not None:
        restriction = _with_requested_id(desired, account)
    elif len(same_domain) <= 1:
        restriction = same_domain[0] if same_domain else None
    elif prune:
        restriction = _one_to_keep(desired, same_domain)
    else:
        raise _Ambiguous(
            f"{desired.domain} is on the account {_times(same_domain)}; set prune in"
            " sending_domain_restrictions (-e prune=true) to keep the one that matches the list, or"
            f" delete all but one in the dashboard (IDs {_ids(same_domain)})"
        )
    if not is_done:
        _plan_write(plan, desired, restriction, is_tightened)
    if prune and restriction:
        exclude = restriction.exclude if desired.exclude is None else desired.exclude
        kept = replace(restriction, exclude=exclude)
        plan.deletes += [Delete(other, kept) for other in same_domain if other is not restriction]


def _plan_write(
    plan: Plan, desired: DesiredRestriction, current: Restriction | None, is_tightened: bool
) -> None:
    if current is None:
        plan.creates.append(Create(desired.body()))
        return
    changes = desired.changes_to(current)
    if not changes:
        plan.unchanged.append(current)
        return
    update = Update(current, changes)
    if is_tightened and update.is_mixed:
        # The list of the API lags behind.
        exclude = frozenset(update.tightening.changes["exclude"])
        update = Update(replace(current, exclude=exclude), changes)
    plan.updates.append(update)


def _put_in_order(plan: Plan, failed_to_protect: t.Mapping[str, str]) -> None:
    """Decide which updates take two calls, and hold back what would lose protection."""
    changing = {change.domain for change in plan.changes if change.protects or change.weakens}
    relatives = Relatives(changing.union(failed_to_protect))
    plan.updates = [
        replace(update, in_two_calls=True)
        if update.is_mixed and relatives.of(update.domain)
        else update
        for update in plan.updates
    ]
    _allowed, failures = hold_back(plan.weakening_updates, failed_to_protect)
    held_back = {failure.domain for failure in failures}
    plan.updates = [
        update.tightening if update.domain in held_back else update
        for update in plan.updates
        if update.in_two_calls or update.domain not in held_back
    ]
    plan.deletes, more = hold_back(plan.deletes, failed_to_protect)
    plan.failures = each_domain_once([*plan.failures, *failures, *more])


def _only_weakens(update: Update) -> bool:
    return update.weakens and not update.protects


def _failure(desired: DesiredRestriction, error: Exception, kind: str) -> Failure:
    return Failure(desired.domain or str(desired.id), str(error), kind, protects=True)


def _with_requested_id(desired: DesiredRestriction, account: _Index) -> Restriction:
    restriction = account.with_id(str(desired.id))
    if restriction is None:
        raise InvalidRestriction(
            f"the account has no restriction with the ID {desired.id}; omit id to create one"
        )
    others = [other for other in account.for_domain(desired.domain) if other is not restriction]
    if others and restriction.domain != desired.domain:
        raise InvalidRestriction(
            f"renaming {restriction.domain} to {desired.domain} would give that domain more than one"
            f" restriction; delete the one with the ID {_ids(others)} first"
        )
    return restriction


def _one_to_keep(desired: DesiredRestriction, same_domain: list[Restriction]) -> Restriction:
    oldest_first = sorted(same_domain, key=lambda restriction: restriction.age)
    matching = (known for known in oldest_first if not desired.changes_to(known))
    return next(matching, oldest_first[0])


def _times(restrictions: list[Restriction]) -> str:
    """Return how many there are, such as `twice`, and the dates on which they were created."""
    count = "twice" if len(restrictions) == 2 else f"{len(restrictions)} times"
    times = [str(each.record["created_at"] or "")[:10] for each in restrictions]
    dates = sorted(filter(None, times))
    return f"{count} (created {' and '.join(dates)})" if dates else count


def _ids(restrictions: t.Iterable[Restriction]) -> str:
    return " and ".join(sorted(restriction.id for restriction in restrictions))
