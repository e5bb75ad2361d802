# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes whose outcome is unknown, and how it is settled by a look at the account."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
from dataclasses import replace

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    NOT_CONFIRMED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    OUTCOME_UNKNOWN,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    Restriction,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._restrictions_api import (
    RestrictionsApi,
)

Found = t.TypeVar("Found")


class SettlingApi(RestrictionsApi):
    """The restrictions of one account; a write whose outcome is unknown is looked up.

    So `outcome_unknown` of what it raises is only true if the lookup failed as well, or had to
    wait for the rate limit.
    """

    def create(self, body: dict[str, t.Any]) -> Restriction:
        """Create the restriction `{domain, exclude, comments?}` for a domain that has none.

        A create is never retried blindly: if its outcome is unknown, the list is read, and the
        create is only sent again if the account does not have the restriction.
        """
        for attempt in itertools.count():
            try:
                created = super().create(body)
            except RateLimitWait as wait:
                raise replace(wait, outcome_unknown=attempt > 0) from None
            except CloudflareError as error:
                # An earlier attempt may still take effect, even if this one is refused.
                if not (attempt or error.outcome_unknown):
                    raise
                failed = error
            else:
                # An earlier attempt may have taken effect meanwhile.
                return (self._sole_result_of(body) or created) if attempt else created
            self.client.back_off(attempt, failed)
            late = self._sole_result_of(body)
            if late:
                return late
            may_retry = self.client.retry.allows(_without_effect(failed), attempt, idempotent=False)
            if not (failed.outcome_unknown and may_retry):
                # Such as a restriction that Cloudflare created for another domain.
                raise failed if failed.kind == OUTCOME_UNKNOWN else _without_effect(failed)
        raise AssertionError("unreachable")

    def update(self, before: Restriction, changes: dict[str, t.Any]) -> Restriction:
        """Change the given fields of a restriction, and no others."""
        try:
            return super().update(before, changes)
        except CloudflareError as error:
            if not error.outcome_unknown:
                raise
            failed = error
        current = self._look_up(failed, lambda: self.get(before.id))
        if current and current.has_fields(changes):
            return current
        if current is None or current.managed_fields() == before.managed_fields():
            raise _without_effect(failed)
        # Cloudflare may have stored it differently, or someone else changed it.
        raise _not_confirmed(failed)

    def delete(self, restriction_id: str) -> bool:
        """Delete a restriction; returns whether this call did, rather than somebody else."""
        try:
            return super().delete(restriction_id)
        except CloudflareError as error:
            if not (error.outcome_unknown or error.not_found):
                raise
            failed = error
        # What cannot be found is not being deleted any more.
        if self._look_up(failed, lambda: self.get(restriction_id), is_over=failed.not_found):
            raise _without_effect(failed)
        return failed.outcome_unknown

    def delete_batch(self, restriction_ids: t.Sequence[str]) -> list[str]:
        """Delete restrictions as `RestrictionsApi` does; those that are gone do not matter.

        Raises:
            NoBatchCall: the API has no such call.
        """
        try:
            return super().delete_batch(restriction_ids)
        except CloudflareError as error:
            if not (error.outcome_unknown or error.not_found):
                raise
            failed = error
        present = self._look_up(failed, lambda: self._still_present(restriction_ids))
        if len(present) == len(restriction_ids):
            raise _without_effect(failed) if failed.outcome_unknown else self._no_batch_call()
        if present:
            # A batch takes effect as a whole, so somebody else deleted the missing ones.
            return self.delete_batch(present)
        return list(restriction_ids) if failed.outcome_unknown else []

    def _look_up(
        self, failed: CloudflareError, look_up: t.Callable[[], Found], is_over: bool = False
    ) -> Found:
        """Return what `look_up` finds after a write that failed, once it should have ended."""
        if failed.outcome_unknown and not is_over:
            self.client.back_off(self.client.retry.retries, failed)
        with _errors_of_look_up(failed.outcome_unknown):
            return look_up()

    def _still_present(self, restriction_ids: t.Sequence[str]) -> list[str]:
        searched = set(restriction_ids)
        return [known.id for known in self.list_all() if known.id in searched]

    def _sole_result_of(self, body: dict[str, t.Any]) -> Restriction | None:
        """Return the restriction that an earlier create of `body` made, if it took effect.

        A late create may leave a duplicate, which is deleted: the oldest stays, so that a
        concurrent run that also deletes duplicates keeps the same one.
        """
        domain = body["domain"]
        with _errors_of_look_up():
            found = [known for known in self.list_all() if known.domain == domain]
            ours = [known for known in found if known.has_fields({"comments": "", **body})]
            ours.sort(key=lambda known: known.age)
            if len(ours) == len(found):
                for duplicate in ours[1:]:
                    self.delete(duplicate.id)
                return ours[0] if ours else None
        theirs = next(known for known in found if known not in ours)
        if not ours and any(_may_be_altered(body, known) for known in found):
            raise CloudflareError(
                NOT_CONFIRMED,
                "run again",
                OUTCOME_UNKNOWN,
                f"the account has a different restriction for {domain}, ID {theirs.id}",
                outcome_unknown=True,
            )
        raise CloudflareError(
            "someone else created another restriction for the same domain at the same time",
            "run again",
            CONFLICT,
            f"ID {theirs.id}",
            outcome_unknown=bool(ours),
        )


@contextlib.contextmanager
def _errors_of_look_up(outcome_unknown: bool = True) -> t.Iterator[None]:
    """Turn an error of a lookup in this context into one of the write that it checks."""
    try:
        yield
    except RateLimitWait as wait:
        raise replace(wait, outcome_unknown=outcome_unknown) from None
    except CloudflareError as error:
        if not outcome_unknown:
            raise
        raise _not_confirmed(error) from None


def _may_be_altered(body: t.Mapping[str, t.Any], stored: Restriction) -> bool:
    """Return whether Cloudflare may have made this of a create: what was not sent is empty."""
    return stored.has_fields(
        {name: empty for name, empty in (("exclude", []), ("comments", "")) if not body.get(name)}
    )


def _not_confirmed(error: CloudflareError) -> CloudflareError:
    """Return the error of a write that may have taken effect."""
    return CloudflareError(
        NOT_CONFIRMED,
        "run again",
        OUTCOME_UNKNOWN,
        ", ".join(filter(None, [error.problem, error.detail])),
        status=error.status,
        code=error.code,
        outcome_unknown=True,
    )


def _without_effect(failed: CloudflareError) -> CloudflareError:
    """Return the error of a write that had no effect on the account."""
    return replace(failed, outcome_unknown=False)
