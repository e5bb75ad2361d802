# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six calls on sending domain restrictions, and what to do when an outcome is unknown.

Source: Cloudflare API reference, Email Security, Settings, Sending Domain Restrictions.
"""

from __future__ import annotations

import contextlib
import itertools
import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareError,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._rate_limit import FOR_EVER
from ansible_collections.cloudflare_email.security.plugins.module_utils._restriction import (
    InvalidRestriction,
    Restriction,
)

if t.TYPE_CHECKING:
    from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
        CloudflareClient,
    )

MOST_PER_PAGE = 1000
MOST_PER_BATCH = 1000

READ = "Cloud Email Security: Read"
WRITE = "Cloud Email Security: Write"


class RestrictionsApi:
    """The sending domain restrictions of one account.

    Every method raises `CloudflareError` when it does not end in what it says, and `Held`, having
    changed nothing, when the rate limit would hold it for more than `longest_wait` seconds.
    """

    def __init__(self, client: CloudflareClient, account_id: str) -> None:
        self.client = client
        self.longest_wait = FOR_EVER
        self._path = f"/accounts/{account_id}/email-security/settings/sending_domain_restrictions"

    def list_all(self) -> list[Restriction]:
        """Return all restrictions of the account, oldest first; one call for each 1,000."""
        return self._list_all(self.longest_wait)

    def get(self, restriction_id: str) -> Restriction | None:
        """Return one restriction, or `None` if the account has none with this ID."""
        return self._get(restriction_id, self.longest_wait)

    def create(self, body: dict[str, t.Any]) -> Restriction:
        """Create the restriction `{domain, exclude, comments?}` for a domain that has none.

        It is never repeated blindly: when its outcome is unknown, the list tells whether the
        account holds it now, and only if it does not the call is sent again.
        """
        longest_wait = self.longest_wait
        for attempt in itertools.count():
            try:
                created = self._send_create(body, longest_wait)
            except CloudflareError as error:
                # Once one was sent, it may take effect still, even if a later one is refused.
                if not (attempt or error.outcome_unknown):
                    raise
                failed = error
            else:
                # One that was sent before may have taken effect by now.
                return (self._only_one_like(body) or created) if attempt else created
            self.client.pause(attempt, failed)
            created_after_all = self._only_one_like(body)
            if created_after_all:
                return created_after_all
            if not (failed.outcome_unknown and self.client.may_repeat(failed, attempt)):
                raise _without_effect(failed)
            longest_wait = FOR_EVER
        raise AssertionError("unreachable")

    def update(self, restriction_id: str, changes: dict[str, t.Any]) -> Restriction:
        """Change the given fields of a restriction, and no other."""
        try:
            return self.client.request(
                "PATCH",
                f"{self._path}/{restriction_id}",
                body=changes,
                read=_the_one_with("id", restriction_id),
                permission=WRITE,
                longest_wait=self.longest_wait,
            ).result
        except CloudflareError as error:
            if not error.outcome_unknown:
                raise
            failed = error
        self.client.pause(self.client.retries, failed)
        with _uncertain(f"the restriction {restriction_id} was changed"):
            current = self._get(restriction_id, FOR_EVER)
        if current and _holds(current, changes):
            return current
        raise _without_effect(failed)

    def delete(self, restriction_ids: t.Sequence[str]) -> list[str]:
        """Remove restrictions, at most `MOST_PER_BATCH`: all or, when it raises, none of them.

        Returns the ids of those that it removed; one that was gone already is not among them.
        """
        return self._delete(restriction_ids, self.longest_wait)

    def _delete(self, restriction_ids: t.Sequence[str], longest_wait: float) -> list[str]:
        if not restriction_ids:
            return []
        try:
            self._send_delete(restriction_ids, longest_wait)
            return list(restriction_ids)
        except CloudflareError as error:
            if not (error.outcome_unknown or error.status == 404):
                raise
            failed = error
        if failed.outcome_unknown:
            self.client.pause(self.client.retries, failed)
            with _uncertain(f"{_named(restriction_ids)} removed"):
                present = self._still_there(restriction_ids)
        else:
            present = self._still_there(restriction_ids)
        if len(present) == len(restriction_ids):
            raise _without_effect(failed)
        if not present:
            return list(restriction_ids) if failed.outcome_unknown else []
        # All go or none, so somebody else removed the missing ones.
        return self._delete(present, FOR_EVER)

    def _still_there(self, restriction_ids: t.Sequence[str]) -> list[str]:
        wanted = set(restriction_ids)
        return [known.id for known in self._list_all(FOR_EVER) if known.id in wanted]

    def _get(self, restriction_id: str, longest_wait: float) -> Restriction | None:
        try:
            return self.client.request(
                "GET",
                f"{self._path}/{restriction_id}",
                read=_the_one_with("id", restriction_id),
                permission=READ,
                longest_wait=longest_wait,
            ).result
        except CloudflareError as error:
            if not error.not_found:
                raise
            return None

    def _list_all(self, longest_wait: float) -> list[Restriction]:
        records = self.client.list_all(
            self._path,
            {"order": "created_at", "direction": "asc"},
            per_page=MOST_PER_PAGE,
            permission=READ,
            longest_wait=longest_wait,
        )
        try:
            return [Restriction.from_api(record) for record in records]
        except InvalidRestriction as error:
            raise CloudflareError(
                f"GET {self._path}: the list holds something else: {error}"
            ) from None

    def _send_create(self, body: dict[str, t.Any], longest_wait: float) -> Restriction:
        return self.client.request(
            "POST",
            self._path,
            body=body,
            read=_the_one_with("name", body["domain"]),
            permission=WRITE,
            repeatable=False,
            longest_wait=longest_wait,
        ).result

    def _send_delete(self, restriction_ids: t.Sequence[str], longest_wait: float) -> None:
        method, path, body = "POST", f"{self._path}/batch", None
        if len(restriction_ids) == 1:
            method, path = "DELETE", f"{self._path}/{restriction_ids[0]}"
        else:
            body = {"deletes": [{"id": restriction_id} for restriction_id in restriction_ids]}
        self.client.request(method, path, body=body, permission=WRITE, longest_wait=longest_wait)

    def _only_one_like(self, body: dict[str, t.Any]) -> Restriction | None:
        """Return the restriction that an earlier create of `body` made, if it made one.

        If a late create left a second one, that goes: the oldest stays, so that whoever else tidies
        up keeps the same.
        """
        domain = body["domain"]
        with _uncertain(f"the restriction for {domain} was created exactly once"):
            found = [known for known in self._list_all(FOR_EVER) if known.name == domain]
            alike = sorted(
                (known for known in found if _holds(known, body)), key=lambda known: known.age
            )
            if len(alike) == len(found):
                self._delete([known.id for known in alike[1:]], FOR_EVER)
                return alike[0] if alike else None
        theirs = next(known for known in found if known not in alike)
        raise CloudflareError(
            f"POST {self._path}: someone else made another restriction for {domain} meanwhile (id"
            f" {theirs.id}): run it again",
            outcome_unknown=bool(alike),
        )


def _the_one_with(attribute: str, expected: str) -> t.Callable[[t.Any], Restriction]:
    """Return what reads an answer, and takes none that is for another restriction."""

    def read(result: t.Any) -> Restriction:
        restriction = Restriction.from_api(result)
        if getattr(restriction, attribute).lower() != expected.lower():
            raise InvalidRestriction(f"it is for {restriction.name} (id {restriction.id})")
        return restriction

    return read


def _holds(restriction: Restriction, fields: dict[str, t.Any]) -> bool:
    """Whether it has the values of these fields, of what a create or an update is sent."""
    return (
        fields.get("domain", restriction.name) == restriction.name
        and frozenset(fields.get("exclude", restriction.exempted)) == restriction.exempted
        and (fields.get("comments", restriction.comments) or "") == restriction.comments
    )


@contextlib.contextmanager
def _uncertain(what: str) -> t.Iterator[None]:
    """Say of an error in here that it leaves the outcome of a write unknown."""
    try:
        yield
    except CloudflareError as error:
        raise CloudflareError(
            f"whether {what} is not certain: {error}; run it again",
            status=error.status,
            outcome_unknown=True,
        ) from None


def _without_effect(failed: CloudflareError) -> CloudflareError:
    """Return the error of a write that the account, read again, shows no trace of."""
    failed.outcome_unknown = False
    return failed


def _named(restriction_ids: t.Sequence[str]) -> str:
    if len(restriction_ids) == 1:
        return f"the restriction {restriction_ids[0]} was"
    return f"{len(restriction_ids)} restrictions were"
