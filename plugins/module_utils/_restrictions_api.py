# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six calls on sending domain restrictions, and how unknown outcomes are resolved.

Source: Cloudflare API reference, Email Security, Settings, Sending Domain Restrictions.
"""

from __future__ import annotations

import contextlib
import itertools
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
    RateLimitWait,
    call_name,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failed_change import (
    NOT_CONFIRMED,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
    CONFLICT,
    OUTCOME_UNKNOWN,
    UNAVAILABLE,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._formatting import listing
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
    Restriction,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
        CloudflareClient,
    )

MAX_PER_PAGE = 1000
MAX_PER_BATCH = 1000
MAX_DAMAGED_IN_WARNING = 5

READ = "Cloud Email Security: Read"
WRITE = "Cloud Email Security: Write"


class NoBatchCall(Exception):
    """The API has no batch call; nothing was deleted."""


class RestrictionsApi:
    """The sending domain restrictions of one account.

    Every method raises `CloudflareError` if it fails, and `RateLimitWait` if the rate limit delays
    it for longer than the client waits; `outcome_unknown` of either says whether a write may have
    taken effect.

    Attributes:
        has_batch_call: whether to try `delete_batch`.
    """

    def __init__(self, client: CloudflareClient, account_id: str) -> None:
        self.client = client
        self.has_batch_call = True
        self.account_id = account_id
        self._damaged: dict[str, Restriction] = {}
        self._path = f"/accounts/{account_id}/email-security/settings/sending_domain_restrictions"

    def list_all(self) -> list[Restriction]:
        """Return all restrictions of the account, oldest first; one call for each 1,000."""
        records = self.client.list_all(
            self._path,
            {"order": "created_at", "direction": "asc"},
            per_page=MAX_PER_PAGE,
            permission=READ,
        )
        try:
            return [self._noted(Restriction.from_api(record)) for record in records]
        except InvalidRestriction as error:
            raise CloudflareError(
                f"Cloudflare's list contains an unusable entry: {error}",
                "check the account in the dashboard",
                UNAVAILABLE,
                call_name("GET", self._path),
            ) from None

    def get(self, restriction_id: str) -> Restriction | None:
        """Return one restriction, or `None` if the account has none with this ID."""
        try:
            found = self.client.request(
                "GET",
                f"{self._path}/{restriction_id}",
                parse=_restriction_with("id", restriction_id),
                permission=READ,
            ).result
        except CloudflareError as error:
            if not error.not_found:
                raise
            return None
        return self._noted(found)

    def create(self, body: dict[str, t.Any]) -> Restriction:
        """Create the restriction `{domain, exclude, comments?}` for a domain that has none.

        A create is never retried blindly: if its outcome is unknown, the list is read, and the
        create is only sent again if the account does not have the restriction.
        """
        for attempt in itertools.count():
            try:
                created = self._send_create(body)
            except RateLimitWait as wait:
                wait.outcome_unknown = attempt > 0
                raise
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
            if not (failed.outcome_unknown and self.client.retry.allows(failed, attempt)):
                raise _without_effect(failed)
        raise AssertionError("unreachable")

    def update(self, restriction_id: str, changes: dict[str, t.Any]) -> Restriction:
        """Change the given fields of a restriction, and no others."""
        try:
            return self.client.request(
                "PATCH",
                f"{self._path}/{restriction_id}",
                body=changes,
                parse=_restriction_with("id", restriction_id, changes),
                permission=WRITE,
            ).result
        except CloudflareError as error:
            if not error.outcome_unknown:
                raise
            failed = error
        self.client.back_off(self.client.retry.retries, failed)
        with _outcome_unknown():
            current = self.get(restriction_id)
        if current and current.has_fields(changes):
            return current
        raise _without_effect(failed)

    def delete(self, restriction_id: str) -> bool:
        """Delete a restriction; returns whether this call did, rather than somebody else."""
        try:
            self.client.request("DELETE", f"{self._path}/{restriction_id}", permission=WRITE)
            return True
        except CloudflareError as error:
            if not (error.outcome_unknown or error.not_found):
                raise
            failed = error
        if not failed.not_found:
            self.client.back_off(self.client.retry.retries, failed)
        with _outcome_unknown(failed.outcome_unknown):
            current = self.get(restriction_id)
        if current:
            raise _without_effect(failed)
        return failed.outcome_unknown

    def delete_batch(self, restriction_ids: t.Sequence[str]) -> list[str]:
        """Delete up to `MAX_PER_BATCH` restrictions: all of them or, if it raises, none.

        Returns the IDs of those that it deleted, without those that were already gone.

        Raises:
            NoBatchCall: the API has no such call.
        """
        body = {"deletes": [{"id": restriction_id} for restriction_id in restriction_ids]}
        try:
            self.client.request("POST", f"{self._path}/batch", body=body, permission=WRITE)
            return list(restriction_ids)
        except CloudflareError as error:
            if error.no_route and not error.outcome_unknown:
                raise NoBatchCall from None
            if not (error.outcome_unknown or error.not_found):
                raise
            failed = error
        if failed.outcome_unknown:
            self.client.back_off(self.client.retry.retries, failed)
        with _outcome_unknown(failed.outcome_unknown):
            present = self._still_present(restriction_ids)
        if len(present) == len(restriction_ids):
            raise _without_effect(failed) if failed.outcome_unknown else NoBatchCall
        if present:
            # A batch takes effect as a whole, so somebody else deleted the missing ones.
            return self.delete_batch(present)
        return list(restriction_ids) if failed.outcome_unknown else []

    def warnings(self) -> list[str]:
        """Return the warnings for the user: the client's, and one for text that is not text."""
        warnings = self.client.warnings()
        if self._damaged:
            fields = [
                f"{' and '.join(known.damaged)} of {known.domain} (ID {known.id})"
                for known in self._damaged.values()
            ]
            warnings.append(
                "the account has half of a character (a lone surrogate) in"
                f" {listing(fields, MAX_DAMAGED_IN_WARNING)}, which is shown as \ufffd and not changed"
                " unless a task sets another value; enter it again in the dashboard"
            )
        return warnings

    def _noted(self, restriction: Restriction) -> Restriction:
        if restriction.damaged:
            self._damaged[restriction.id] = restriction
        return restriction

    def _still_present(self, restriction_ids: t.Sequence[str]) -> list[str]:
        searched = set(restriction_ids)
        return [known.id for known in self.list_all() if known.id in searched]

    def _send_create(self, body: dict[str, t.Any]) -> Restriction:
        return self.client.request(
            "POST",
            self._path,
            body=body,
            parse=_restriction_with("domain", body["domain"], body),
            permission=WRITE,
            idempotent=False,
        ).result

    def _sole_result_of(self, body: dict[str, t.Any]) -> Restriction | None:
        """Return the restriction that an earlier create of `body` made, if it took effect.

        A late create may leave a duplicate, which is deleted: the oldest stays, so that a
        concurrent run that also deletes duplicates keeps the same one.
        """
        domain = body["domain"]
        with _outcome_unknown():
            found = [known for known in self.list_all() if known.domain == domain]
            ours = [known for known in found if known.has_fields({"comments": "", **body})]
            ours.sort(key=lambda known: known.age)
            if len(ours) == len(found):
                for duplicate in ours[1:]:
                    self.delete(duplicate.id)
                return ours[0] if ours else None
        theirs = next(known for known in found if known not in ours)
        raise CloudflareError(
            "someone else created another restriction for the same domain at the same time",
            "run again",
            CONFLICT,
            f"ID {theirs.id}",
            outcome_unknown=bool(ours),
        )


def _restriction_with(
    attribute: str, expected: str, sent: t.Mapping[str, t.Any] | None = None
) -> t.Callable[[t.Any], Restriction]:
    """Return a parser that refuses the record of another restriction.

    Fields that the response lacks, other than its ID and domain, are assumed to be as `sent`.
    """
    assumed = {name: value for name, value in (sent or {}).items() if name != "domain"}

    def parse(result: t.Any) -> Restriction:
        if isinstance(result, dict):
            result = {**assumed, **result}
        restriction = Restriction.from_api(result)
        if getattr(restriction, attribute).lower() != expected.lower():
            raise InvalidRestriction(f"it is for {restriction.domain} (ID {restriction.id})")
        return restriction

    return parse


@contextlib.contextmanager
def _outcome_unknown(outcome_unknown: bool = True) -> t.Iterator[None]:
    """Turn an error of a look-up in this context into one of the write that it checks."""
    try:
        yield
    except RateLimitWait as wait:
        wait.outcome_unknown = outcome_unknown
        raise
    except CloudflareError as error:
        if not outcome_unknown:
            raise
        raise CloudflareError(
            NOT_CONFIRMED,
            "run again",
            OUTCOME_UNKNOWN,
            ", ".join(filter(None, [error.problem, error.detail])),
            status=error.status,
            code=error.code,
            outcome_unknown=True,
        ) from None


def _without_effect(failed: CloudflareError) -> CloudflareError:
    """Return the error of a write that had no effect on the account."""
    failed.outcome_unknown = False
    return failed
