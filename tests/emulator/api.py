# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How each request below /client/v4 is handled."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from . import calls, inputs, json_body, search
from .credentials import Credential, Permission
from .envelope import INVALID_BODY, NOT_SUBSCRIBED, ApiResponse, Problem, Refusal, success
from .faults import Fault
from .host_name import same_name
from .request_log import Entry
from .responses import json_response
from .routes import Route, could_not_route, find_route
from .state import State

_WRITES = {"create", "update", "delete", "batch"}
_SEARCHES = {"search", "search_result"}


class Api:
    """Checks authentication, quota, faults, permission and input, in this order; then acts.

    So a request without valid credentials does not use the quota, a request over the quota does not
    trigger a fault, and a fault also hits calls that would be refused.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._respond(request)
        except ConnectionError:
            # The client has disconnected. The effect of its request stays.
            return web.Response()

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        route = find_route(request.method, _path(request))
        entry = _entry(request, route, body)
        self._state.log.add(entry)
        if latency := self._latency(route.account_id):
            await asyncio.sleep(latency)

        result = success(None)
        fault: Fault | None = None
        headers: dict[str, str] = {}
        try:
            credential = self._state.credentials.authenticate(request.headers)
            entry.account_id = route.account_id or credential.home
            try:
                credential.limit.charge()
            finally:
                headers = credential.limit.headers()
            if self._state.faults and route.call is not None:
                domains = self._domains(route, entry.body)
                fault = self._state.faults.find(route.call, entry.account_id, domains)
            if fault is None or fault.moment == "after":
                result = self._perform(request, route, credential, body)
        except Refusal as refusal:
            result = refusal.response()

        response: web.StreamResponse | None
        if fault is None:
            response = json_response(result, headers)
        else:
            entry.fault = fault.id
            response = await fault.deliver(request, result, headers)
            if response is None:
                return web.Response()
        entry.status = response.status
        return response

    def _latency(self, account_id: str) -> float:
        account = self._state.accounts.get(account_id)
        return self._state.latency + (account.latency if account else 0)

    def _domains(self, route: Route, body: Any) -> set[str]:
        """The domains in a request, and of the restrictions that it refers to by ID."""
        domains: list[Any] = []
        ids: list[Any] = [route.restriction_id]
        if isinstance(body, dict):
            domains.append(body.get("domain"))
            if isinstance(body.get("deletes"), list):
                ids += [d.get("id") for d in body["deletes"] if isinstance(d, dict)]
        if account := self._state.accounts.get(route.account_id):
            found = [account.restrictions.get(id_) for id_ in ids if isinstance(id_, str)]
            domains += [restriction.domain for restriction in found if restriction]
        return {same_name(domain) for domain in domains if isinstance(domain, str)}

    def _perform(
        self, request: web.Request, route: Route, credential: Credential, body: bytes
    ) -> ApiResponse:
        accounts = self._state.accounts
        if route.account_id and route.account_id not in accounts:
            raise could_not_route(_path(request))
        if route.refusal is not None:
            raise route.refusal
        if body and request.method in ("GET", "DELETE"):
            message = f"A {request.method} request must not have a body"
            raise Refusal(400, Problem(INVALID_BODY, message))
        account = accounts[route.account_id]
        credential.check(account.id, _needed(route.call))
        if not account.email_security:
            message = "Email Security is not available in the current subscription"
            raise Refusal(403, Problem(NOT_SUBSCRIBED, message))
        parameters = request.query.items()
        if route.call == "list":
            return calls.list_restrictions(account, inputs.query(inputs.ListQuery, parameters))
        if route.call == "domains":
            return calls.list_domains(account, inputs.query(inputs.DomainsQuery, parameters))
        if route.call == "search":
            return search.start(
                account, inputs.query(inputs.SearchQuery, parameters), _url(request)
            )
        inputs.query(inputs.NoQuery, parameters)
        if route.call == "search_result":
            return search.poll(account, route.search_id, _url(request))
        if route.call == "get":
            return calls.get_restriction(account, route.restriction_id)
        if route.call == "delete":
            return calls.delete_restriction(account, route.restriction_id)
        document = json_body.required(request.content_type, body)
        if route.call == "create":
            return calls.create_restriction(account, inputs.body(inputs.CreateBody, document))
        if route.call == "update":
            changes = inputs.body(inputs.UpdateBody, document)
            return calls.update_restriction(account, route.restriction_id, changes)
        return calls.batch_restrictions(account, inputs.body(inputs.BatchBody, document))


def _needed(call: str | None) -> Permission:
    if call in _WRITES:
        return "write"
    return "read" if call in _SEARCHES else "settings"


def _url(request: web.Request) -> str:
    """The URL of a request, without its query."""
    return f"{request.scheme}://{request.host}{_path(request)}"


def _path(request: web.Request) -> str:
    return request.raw_path.partition("?")[0]


def _entry(request: web.Request, route: Route, body: bytes) -> Entry:
    try:
        document = json_body.parse(body) if body else None
    except ValueError:
        document = None
    return Entry(
        account_id=route.account_id or None,
        call=route.call,
        method=request.method,
        path=_path(request),
        query=list(request.query.items()),
        headers=request.headers,
        body=document,
    )
