# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the call for a method and a path.

Source: Cloudflare API reference, the paths of the six calls, of the message search, of protected
domains. It does not publish where a slow search is polled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .envelope import WRONG_METHOD, Problem, Refusal

BASE = "/client/v4"

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """The call of a request; IDs that are not in its path are empty.

    A ``search_id`` is that of a slow search whose result is polled.

    If there is no such call, ``call`` is None. Then, or if an ID is malformed, ``refusal`` is set.
    """

    call: str | None = None
    account_id: str = ""
    restriction_id: str = ""
    search_id: str = ""
    refusal: Refusal | None = None


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def find_route(method: str, path: str) -> Route:
    """The route for a raw, undecoded path that begins with /client/v4. Never raises."""
    segments = path.removeprefix(BASE).split("/")[1:]
    account_id, restriction_id, search_id = "", "", ""
    calls: dict[str, str] = {}
    if "" not in segments:
        match segments:
            case ["accounts", account_id, "email-security", "investigate"]:
                calls = {"GET": "search"}
            case ["accounts", account_id, "email-security", "investigate", "searches", search_id]:
                calls = {"GET": "search_result"}
            case ["accounts", account_id, "email-security", "settings", "domains"]:
                calls = {"GET": "domains"}
            case ["accounts", account_id, *rest]:
                calls, restriction_id = _restriction_calls(rest)
    return Route(
        calls.get(method),
        account_id,
        restriction_id,
        search_id,
        _refusal(method, path, calls, restriction_id),
    )


def _restriction_calls(segments: list[str]) -> tuple[dict[str, str], str]:
    """The calls by method, and the restriction's ID, for the path after the account."""
    match segments:
        case ["email-security", "settings", "sending_domain_restrictions"]:
            return {"GET": "list", "POST": "create"}, ""
        case ["email-security", "settings", "sending_domain_restrictions", "batch"]:
            return {"POST": "batch"}, ""
        case ["email-security", "settings", "sending_domain_restrictions", restriction_id]:
            return {"GET": "get", "PATCH": "update", "DELETE": "delete"}, restriction_id
    return {}, ""


def _refusal(method: str, path: str, calls: dict[str, str], restriction_id: str) -> Refusal | None:
    if not calls:
        return Refusal(404, Problem(7000, "No route for that URI"))
    if restriction_id and not is_uuid(restriction_id):
        return could_not_route(path)
    if method not in calls:
        problem = Problem(WRONG_METHOD, f"Method {method} is not allowed here")
        return Refusal(405, problem, headers={"Allow": ", ".join(calls)})
    return None


def could_not_route(path: str) -> Refusal:
    """The refusal for an unknown account or a malformed ID."""
    uri = path.removeprefix(BASE)
    message = f"Could not route to {uri}, perhaps your object identifier is invalid?"
    return Refusal(400, Problem(7003, message), Problem(7000, "No route for that URI"))
