# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls: what each does to an account, and what it returns.

Source: Cloudflare API reference, "Sending domain restrictions", "Accounts", "Verify token".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import inputs
from .accounts import Account
from .credentials import Credential
from .envelope import (
    CONFLICT,
    INVALID_BODY,
    NOT_FOUND,
    WRONG_METHOD,
    ApiResponse,
    Problem,
    Refusal,
    success,
)
from .host_name import same_name
from .restrictions import Restriction


def list_restrictions(account: Account, query: inputs.ListQuery) -> ApiResponse:
    found = account.restrictions.find(query.search, query.order, query.direction)
    page, result_info = _page(found, query.page, query.per_page)
    return success([account.record(r) for r in page], result_info=result_info)


def create_restriction(account: Account, body: inputs.CreateBody) -> ApiResponse:
    inputs.check_exclude(body.domain, body.exclude)
    fields = _stored(account, {"domain": body.domain, "exclude": body.exclude})
    _check_unique(account, body.domain)
    restriction = Restriction(**fields, comments=body.comments)
    account.restrictions.add(restriction)
    return success(account.record(restriction), status=201)


def get_restriction(account: Account, restriction_id: str) -> ApiResponse:
    return success(account.record(_existing(account, restriction_id)))


def update_restriction(
    account: Account, restriction_id: str, body: inputs.UpdateBody
) -> ApiResponse:
    restriction = _existing(account, restriction_id)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    if not given:
        raise Refusal(400, Problem(INVALID_BODY, "body: must change at least one field", ""))
    if "domain" in given or "exclude" in given:
        inputs.check_exclude(
            given.get("domain", restriction.domain),
            given.get("exclude", restriction.exclude),
            None if "exclude" in given else "/domain",
        )
    if "domain" in given:
        _check_unique(account, given["domain"], restriction)
    account.restrictions.change(restriction, _stored(account, given))
    return success(account.record(restriction))


def delete_restriction(account: Account, restriction_id: str) -> ApiResponse:
    account.restrictions.remove(_existing(account, restriction_id).id)
    return success({"id": restriction_id})


def batch_restrictions(account: Account, body: inputs.BatchBody) -> ApiResponse:
    """Delete all restrictions or, if one does not exist, none."""
    if account.batch != "available":
        raise _MISSING_BATCH[account.batch]
    ids = [delete.id for delete in body.deletes]
    seen: set[str] = set()
    for n, restriction_id in enumerate(ids):
        if restriction_id in seen:
            pointer = f"/deletes/{n}/id"
            raise Refusal(400, Problem(INVALID_BODY, "deletes: has one id twice", pointer))
        seen.add(restriction_id)
        _existing(account, restriction_id, f"/deletes/{n}/id")
    for restriction_id in ids:
        account.restrictions.remove(restriction_id)
    return success({"deletes": [{"id": restriction_id} for restriction_id in ids]})


def list_accounts(visible: list[Account], query: inputs.AccountsQuery) -> ApiResponse:
    found = [a for a in visible if query.name in ("", a.name)]
    found.sort(key=lambda a: a.name, reverse=query.direction == "desc")
    page, result_info = _page(found, query.page, query.per_page)
    return success([account.document() for account in page], result_info=result_info)


def verify_token(credential: Credential, account_id: str | None) -> ApiResponse:
    """Verify a user's token (without ``account_id``) or an account-owned token (with its owner)."""
    if not credential.is_token or credential.owner != account_id:
        raise Refusal(403, Problem(9109, "Invalid access token"))
    return success({"id": credential.id, "status": credential.status})


def _stored(account: Account, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as the account stores them."""
    if not account.normalize_names:
        return fields
    names: dict[str, Any] = {}
    if "domain" in fields:
        names["domain"] = same_name(fields["domain"])
    if "exclude" in fields:
        names["exclude"] = [same_name(name) for name in fields["exclude"]]
    return {**fields, **names}


def _check_unique(account: Account, domain: str, itself: Restriction | None = None) -> None:
    if account.unique_domains:
        for known in account.restrictions:
            if known is not itself and same_name(known.domain) == same_name(domain):
                message = f"There is a restriction for {domain} already"
                raise Refusal(409, Problem(CONFLICT, message, "/domain"))


_MISSING_BATCH = {
    "method_not_allowed": Refusal(405, Problem(WRONG_METHOD, "Method POST is not allowed here")),
    "no_route": Refusal(404, Problem(7003, "Could not route"), Problem(7000, "No route")),
    "not_found": Refusal(404, Problem(NOT_FOUND, "There is no sending domain restriction batch")),
}


def _existing(account: Account, restriction_id: str, pointer: str | None = None) -> Restriction:
    restriction = account.restrictions.get(restriction_id)
    if restriction is None:
        message = f"There is no sending domain restriction {restriction_id}"
        raise Refusal(404, Problem(NOT_FOUND, message, pointer))
    return restriction


def _page(found: Sequence[Any], page: int, per_page: int) -> tuple[Sequence[Any], dict[str, int]]:
    first, end = (page - 1) * per_page, page * per_page
    items = found[first:end]
    return items, {
        "count": len(items),
        "page": page,
        "per_page": per_page,
        "total_count": len(found),
    }
