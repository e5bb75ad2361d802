# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls: what each does to an account, and what it returns.

Source: Cloudflare API reference, "Sending domain restrictions".
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from . import inputs
from .accounts import Account
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
from .host_name import is_below, same_name
from .restrictions import Restriction


def list_restrictions(account: Account, query: inputs.ListQuery) -> ApiResponse:
    found = account.restrictions.find(query.search, query.order, query.direction)
    number = 1 if account.ignore_page else query.page
    per_page = min(query.per_page, account.max_per_page or query.per_page)
    page, result_info = _page(found, number, per_page)
    # Published as the total "without any search parameters".
    result_info["total_count"] = len(account.restrictions.find("", query.order, query.direction))
    if account.total_of_page:
        result_info["total_count"] = len(page)
    result_info["total_count"] += account.total_error
    response = success([account.record(r) for r in page], result_info=result_info)
    if not page and account.empty_list != "list":
        response.document["result"] = None
        if account.empty_list == "missing":
            del response.document["result"]
    return response


def create_restriction(account: Account, body: inputs.CreateBody) -> ApiResponse:
    inputs.check_exclude(body.domain, body.exclude)
    _check_unique(account, body.domain)
    restriction = Restriction(**_stored(account, dict(body)))
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


def list_domains(account: Account, query: inputs.DomainsQuery) -> ApiResponse:
    """The account's own domains, which Email Security protects."""
    page, result_info = _page(account.domains, query.page, query.per_page)
    return success(page, result_info=result_info)


def _stored(account: Account, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as the account stores them."""
    stored = dict(fields)
    if account.normalize_names and "domain" in fields:
        stored["domain"] = same_name(fields["domain"])
    if "exclude" in fields:
        names = fields["exclude"]
        if account.simplify_exclude:
            names = [name for name in names if not any(is_below(name, other) for other in names)]
        stored["exclude"] = list(map(same_name, names)) if account.normalize_names else names
    if fields.get("comments"):
        stored["comments"] = _STORED_COMMENTS[account.stored_comments](fields["comments"])
    return stored


_STORED_COMMENTS: dict[str, Callable[[str], str]] = {
    "as_sent": str,
    "trimmed": str.strip,
    "html_escaped": html.escape,
    "composed": lambda text: unicodedata.normalize("NFC", text),
}


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
