# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The six calls on sending domain restrictions, and what to do when an outcome is unknown.

Source: Cloudflare API reference, Email Security, Settings, Sending Domain Restrictions.
"""

from __future__ import annotations

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
        path = f"{self._path}/{restriction_id}"
        try:
            return self.client.request(
                "GET",
                path,
                read=Restriction.from_api,
                permission=READ,
                longest_wait=self.longest_wait,
            ).result
        except CloudflareError as error:
            if error.status != 404:
                raise
            return None

    def create(self, body: dict[str, t.Any]) -> Restriction:
        """Create the restriction `{domain, exclude, comments?}` for a domain that has none.

        It is never repeated blindly: when its outcome is unknown, the list tells whether the
        account holds it now, and only if it does not the call is sent again.
        """
        try:
            return self._send_create(body, self.longest_wait)
        except CloudflareError as error:
            if not error.outcome_unknown:
                raise
            unknown = error
        for attempt in range(self.client.retries):
            self.client.pause(attempt, unknown)
            created_after_all = self._only_one_like(body)
            if created_after_all:
                return created_after_all
            try:
                created = self._send_create(body, FOR_EVER)
            except CloudflareError as error:
                if not error.outcome_unknown:
                    raise
                unknown = error
            else:
                return self._settled(body, created)
        created_after_all = self._only_one_like(body)
        if created_after_all:
            return created_after_all
        raise unknown

    def update(self, restriction_id: str, changes: dict[str, t.Any]) -> Restriction:
        """Change the given fields of a restriction, and no other."""
        return self.client.request(
            "PATCH",
            f"{self._path}/{restriction_id}",
            body=changes,
            read=Restriction.from_api,
            permission=WRITE,
            longest_wait=self.longest_wait,
        ).result

    def delete(self, restriction_ids: t.Sequence[str]) -> None:
        """Remove restrictions, at most `MOST_PER_BATCH`: all or, when it raises, none of them.

        A restriction that is gone already counts as removed.
        """
        self._delete(restriction_ids, self.longest_wait)

    def _delete(self, restriction_ids: t.Sequence[str], longest_wait: float) -> None:
        if not restriction_ids:
            return
        try:
            self._send_delete(restriction_ids, longest_wait)
        except CloudflareError as error:
            if error.status != 404:
                raise
            wanted = set(restriction_ids)
            present = [known.id for known in self._list_all(longest_wait) if known.id in wanted]
            if len(present) == len(wanted):
                raise
            self._delete(present, longest_wait)

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
            read=Restriction.from_api,
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

    def _settled(self, body: dict[str, t.Any], created: Restriction) -> Restriction:
        """Tidy up after a create that was sent twice; that it was made is certain by now."""
        try:
            return self._only_one_like(body) or created
        except CloudflareError:
            return created

    def _only_one_like(self, body: dict[str, t.Any]) -> Restriction | None:
        """Return the restriction that an earlier create of `body` made, if it made one.

        If a late create left a second one, that goes: the oldest stays, so that whoever else tidies
        up keeps the same.
        """
        domain = body["domain"]
        try:
            found = [known for known in self._list_all(FOR_EVER) if known.name == domain]
            others = [known.id for known in found if not _has_fields(known, body)]
            if others:
                raise CloudflareError(
                    f"someone else made another restriction for it (id {others[0]})"
                )
            found.sort(key=lambda known: known.age)
            self._delete([known.id for known in found[1:]], FOR_EVER)
        except CloudflareError as error:
            raise CloudflareError(
                f"whether the restriction for {domain} was created is not certain: {error}; run it"
                " again",
                status=error.status,
                outcome_unknown=True,
            ) from None
        return found[0] if found else None


def _has_fields(restriction: Restriction, body: dict[str, t.Any]) -> bool:
    return restriction.exempted == frozenset(body["exclude"]) and restriction.comments == (
        body.get("comments") or ""
    )
