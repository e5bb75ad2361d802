# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six calls on sending domain restrictions.

Source: Cloudflare API reference, Email Security, Settings, Sending Domain Restrictions.
"""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._call import Call
from ansible_collections.cloudflare_email.security.plugins.module_utils._errors import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._failure_kinds import (
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
    taken effect. `_unknown_outcome` finds that out.

    Attributes:
        has_batch_call: whether the API may have the batch call.
    """

    def __init__(
        self, client: CloudflareClient, account_id: str, has_batch_call: bool = True
    ) -> None:
        self.client = client
        self.account_id = account_id
        self.has_batch_call = has_batch_call
        self._damaged: dict[str, Restriction] = {}
        self._path = f"/accounts/{account_id}/email-security/settings/sending_domain_restrictions"

    def list_all(self, is_first: bool = False) -> list[Restriction]:
        """Return all restrictions of the account, oldest first; one call for each 1,000.

        Arguments:
            is_first: whether it is the first list of a time slice, as for the client; then it
                raises `RetryLater` as well.
        """
        call = Call(
            "GET",
            self._path,
            params={"order": "created_at", "direction": "asc"},
            permission=READ,
        )
        records = self.client.list_all(call, MAX_PER_PAGE, is_first)
        try:
            return [self._noted(Restriction.from_api(record)) for record in records]
        except InvalidRestriction as error:
            raise CloudflareError(
                f"Cloudflare's list contains an unusable entry: {error}",
                "check the account in the dashboard",
                UNAVAILABLE,
                call.name,
            ) from None

    def get(self, restriction_id: str) -> Restriction | None:
        """Return one restriction, or `None` if the account has none with this ID."""
        try:
            found = self.client.request(
                Call(
                    "GET",
                    f"{self._path}/{restriction_id}",
                    parse=_restriction_with_id(restriction_id),
                    permission=READ,
                )
            ).result
        except CloudflareError as error:
            if not error.not_found:
                raise
            return None
        return self._noted(found)

    def create(self, body: dict[str, t.Any]) -> Restriction:
        """Create the restriction `{domain, exclude, comments?}`."""
        call = Call(
            "POST",
            self._path,
            body=body,
            parse=functools.partial(_restriction, sent=body),
            permission=WRITE,
            idempotent=False,
        )
        created: Restriction = self.client.request(call).result
        if created.domain != body["domain"]:
            raise CloudflareError(
                "Cloudflare stored another domain",
                "check both domains in the dashboard",
                OUTCOME_UNKNOWN,
                f"{call.name}: {created.domain}, ID {created.id}",
                outcome_unknown=True,
            )
        return created

    def update(self, before: Restriction, changes: dict[str, t.Any]) -> Restriction:
        """Change the given fields of a restriction, and no others."""
        updated: Restriction = self.client.request(
            Call(
                "PATCH",
                f"{self._path}/{before.id}",
                body=changes,
                parse=_restriction_with_id(before.id, changes),
                permission=WRITE,
            )
        ).result
        return updated

    def delete(self, restriction_id: str) -> bool:
        """Delete a restriction; returns whether this call did, rather than somebody else."""
        self.client.request(Call("DELETE", f"{self._path}/{restriction_id}", permission=WRITE))
        return True

    def delete_batch(self, restriction_ids: t.Sequence[str]) -> list[str]:
        """Delete up to `MAX_PER_BATCH` restrictions: all of them or, if it raises, none.

        Returns the IDs of those that it deleted, rather than somebody else.

        Raises:
            NoBatchCall: the API has no such call, and `has_batch_call` is now false.
        """
        body = {"deletes": [{"id": restriction_id} for restriction_id in restriction_ids]}
        try:
            self.client.request(
                Call(
                    "POST",
                    f"{self._path}/batch",
                    body=body,
                    parse=_deletes_of(restriction_ids),
                    permission=WRITE,
                )
            )
        except CloudflareError as error:
            if error.no_route and not error.outcome_unknown:
                raise self._no_batch_call() from None
            raise
        return list(restriction_ids)

    def warnings(self) -> list[str]:
        """Return the warnings for the user: the client's, and one for damaged texts."""
        warnings = self.client.warnings()
        if self._damaged:
            fields = [
                f"{' and '.join(known.damaged)} of {known.domain} (ID {known.id})"
                for known in self._damaged.values()
            ]
            warnings.append(
                "Cloudflare returned half of a character (a lone surrogate) in"
                f" {listing(fields, MAX_DAMAGED_IN_WARNING)}, which is shown as \ufffd and not changed"
                " unless a task sets another value; enter it again in the dashboard"
            )
        return warnings

    def _noted(self, restriction: Restriction) -> Restriction:
        if restriction.damaged:
            self._damaged[restriction.id] = restriction
        return restriction

    def _no_batch_call(self) -> NoBatchCall:
        self.has_batch_call = False
        return NoBatchCall()


def _restriction_with_id(
    restriction_id: str, sent: t.Mapping[str, t.Any] | None = None
) -> t.Callable[[t.Any], Restriction]:
    """Return a parser that refuses the record of another restriction."""

    def parse(result: t.Any) -> Restriction:
        restriction = _restriction(result, sent or {})
        if restriction.id.lower() != restriction_id.lower():
            raise InvalidRestriction(f"it is for {restriction.domain} (ID {restriction.id})")
        return restriction

    return parse


def _restriction(result: t.Any, sent: t.Mapping[str, t.Any]) -> Restriction:
    """Return the restriction in a response.

    Fields that it lacks, other than its ID and domain, are assumed to be as `sent`.
    """
    assumed = {name: value for name, value in sent.items() if name != "domain"}
    return Restriction.from_api({**assumed, **result} if isinstance(result, dict) else result)


def _deletes_of(restriction_ids: t.Iterable[str]) -> t.Callable[[t.Any], t.Any]:
    """Return a parser that refuses a list of deletes that lacks one of these IDs."""
    expected = {restriction_id.lower() for restriction_id in restriction_ids}

    def parse(result: t.Any) -> t.Any:
        deletes = result.get("deletes") if isinstance(result, dict) else None
        # All fields of a response are optional.
        if isinstance(deletes, list):
            found = {str(each.get("id")).lower() for each in deletes if isinstance(each, dict)}
            missing = len(expected - found)
            if missing:
                raise ValueError(f"{missing} of {len(expected)} deletes are missing")
        return result

    return parse
