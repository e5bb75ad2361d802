# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls themselves: what each does to an account and answers.

Source: Cloudflare API reference, "Sending domain restrictions", "Accounts", "Verify token".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import inputs
from .accounts import Account
from .credentials import Credential
from .envelope import INVALID_BODY, NOT_FOUND, Answer, Problem, Refusal, success
from .restrictions import Restriction


def list_restrictions(account: Account, query: inputs.ListQuery) -> Answer:
    found = account.restrictions.find(query.search, query.order, query.direction)
    page, result_info = _page(found, query.page, query.per_page)
    return success([r.record(account.last_modified) for r in page], result_info=result_info)


def create_restriction(account: Account, body: inputs.CreateBody) -> Answer:
    inputs.check_exclude(body.domain, body.exclude)
    restriction = Restriction(body.domain, body.exclude, body.comments)
    account.restrictions.add(restriction)
    return success(restriction.record(account.last_modified), status=201)


def get_restriction(account: Account, restriction_id: str) -> Answer:
    return success(_existing(account, restriction_id).record(account.last_modified))


def update_restriction(account: Account, restriction_id: str, body: inputs.UpdateBody) -> Answer:
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
    account.restrictions.change(restriction, given)
    return success(restriction.record(account.last_modified))


def delete_restriction(account: Account, restriction_id: str) -> Answer:
    account.restrictions.remove(_existing(account, restriction_id).id)
    return success({"id": restriction_id})


def batch_restrictions(account: Account, body: inputs.BatchBody) -> Answer:
    """Delete all or none."""
    ids = [delete.id for delete in body.deletes]
    seen: set[str] = set()
    for n, restriction_id in enumerate(ids):
        if restriction_id in seen:
            pointer = f"/deletes/{n}/id"
            raise Refusal(400, Problem(INVALID_BODY, "deletes: names one id twice", pointer))
        seen.add(restriction_id)
        _existing(account, restriction_id, f"/deletes/{n}/id")
    for restriction_id in ids:
        account.restrictions.remove(restriction_id)
    return success({"deletes": [{"id": restriction_id} for restriction_id in ids]})


def list_accounts(visible: list[Account], query: inputs.AccountsQuery) -> Answer:
    found = [a for a in visible if query.name in ("", a.name)]
    found.sort(key=lambda a: a.name, reverse=query.direction == "desc")
    page, result_info = _page(found, query.page, query.per_page)
    return success([account.document() for account in page], result_info=result_info)


def verify_token(credential: Credential, account_id: str | None) -> Answer:
    """For a user's token without an account, for an account-owned token with its owner."""
    if not credential.is_token or credential.owner != account_id:
        raise Refusal(403, Problem(9109, "Invalid access token"))
    return success({"id": credential.id, "status": credential.status})


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
