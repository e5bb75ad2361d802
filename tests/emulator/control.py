# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API below /emulator, for tests and demos. It needs no credentials.

For invalid input, it returns a 4xx status and ``{"error": …}``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from . import json_body
from .accounts import Account, Batch, Comments, EmptyList, SenderMatch
from .credentials import Permission, Status
from .faults import fault_adapter
from .inputs import HostName, Uuid
from .messages import DeliveryMode, Messages
from .restrictions import Restriction, Restrictions
from .state import State


def _timestamp(value: str) -> str:
    if not value.endswith("Z"):
        raise ValueError("must be in UTC and end with Z")
    datetime.fromisoformat(value)
    return value


Timestamp = Annotated[str, AfterValidator(_timestamp)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Quota = Annotated[int, Field(ge=1)]
Window = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Seed(_Strict):
    """A restriction as the dashboard may leave it: names are not checked, and may be duplicates."""

    domain: str
    id: Uuid | None = None
    exclude: list[str] = []
    comments: str | None = None
    created_at: Timestamp | None = None
    modified_at: Timestamp | None = None


def _unique_ids(seeds: list[Seed]) -> list[Seed]:
    ids = [seed.id for seed in seeds if seed.id is not None]
    if len(set(ids)) < len(ids):
        raise ValueError("must not have one id twice")
    return seeds


Seeds = Annotated[list[Seed], AfterValidator(_unique_ids)]


class RestrictionsBody(_Strict):
    restrictions: Seeds


class MessageSeed(_Strict):
    """``times`` messages that are alike; their order is that of all results.

    ``age`` is that of the first one, in days; each further one is a second older. ``extra`` has
    further fields of their records, or other values of the usual ones.
    """

    envelope_from: str | None
    header_from: str = Field("", alias="from")
    age: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1
    delivery_mode: DeliveryMode = "DIRECT"
    is_clean: bool = True
    times: Annotated[int, Field(ge=1)] = 1
    extra: dict[str, Any] = {}


class MessagesBody(_Strict):
    messages: list[MessageSeed]


class Domain(_Strict):
    """One of the account's own domains."""

    domain: HostName
    id: str = Field(default_factory=lambda: str(uuid.uuid4()))
    allowed_delivery_modes: list[Literal["DIRECT", "BCC", "JOURNAL", "API", "RETRO_SCAN"]] = [
        "DIRECT"
    ]
    status: Literal["PENDING", "ACTIVE", "FAILED", "TIMEOUT"] = "ACTIVE"
    require_tls_inbound: bool = False


class AccountChange(_Strict):
    """Omitted fields are not changed."""

    email_security: bool = True
    last_modified: bool = False
    latency: Seconds = 0
    quota: Quota | None = None
    window: Window | None = None
    batch: Batch = "available"
    unique_domains: bool = False
    normalize_names: bool = False
    stored_comments: Comments = "as_sent"
    simplify_exclude: bool = False
    sparse: bool = False
    empty_list: EmptyList = "list"
    max_per_page: Annotated[int, Field(ge=1)] | None = None
    ignore_page: bool = False
    total_of_page: bool = False
    total_error: int = 0
    list_lag: Seconds = 0
    sender_match: SenderMatch = "subdomains"
    search_polls: Annotated[int, Field(ge=0)] = 0
    search_location: str | None = None
    search_overlap: Annotated[int, Field(ge=0)] = 0
    domains: list[Domain] = []


class NewAccount(AccountChange):
    """The restrictions, the messages and the switches of an account."""

    restrictions: Seeds = []
    messages: list[MessageSeed] = []


class NewToken(_Strict):
    permissions: dict[str, Permission]
    status: Status = "active"
    quota: Quota | None = None
    window: Window | None = None


class Control:
    """The handlers. Each returns a JSON object."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def create_account(self, request: web.Request) -> web.Response:
        body = await _body(request, NewAccount)
        account = Account(
            restrictions=_restrictions(body.restrictions),
            messages=_messages(body.messages),
        )
        _switch(account, body)
        return _json(self._state.add_account(account, body.quota, body.window), status=201)

    async def change_account(self, request: web.Request) -> web.Response:
        account = self._account(request)
        body = await _body(request, AccountChange)
        _switch(account, body)
        if body.quota is not None or body.window is not None:
            self._state.change_limits(account.id, body.quota, body.window)
        return _json({"id": account.id})

    async def create_token(self, request: web.Request) -> web.Response:
        body = await _body(request, NewToken)
        for account_id in body.permissions:
            self._known(account_id)
        return _json({"token": self._state.add_token(**dict(body))}, status=201)

    async def get_restrictions(self, request: web.Request) -> web.Response:
        return _records(self._account(request))

    async def put_restrictions(self, request: web.Request) -> web.Response:
        account = self._account(request)
        body = await _body(request, RestrictionsBody)
        account.restrictions = _restrictions(body.restrictions, account.list_lag)
        return _records(account)

    async def put_messages(self, request: web.Request) -> web.Response:
        account = self._account(request)
        account.messages = _messages((await _body(request, MessagesBody)).messages)
        return _json({"messages": len(account.messages)})

    async def create_fault(self, request: web.Request) -> web.Response:
        fault = await _body(request, fault_adapter)
        if fault.account_id is not None:
            self._known(fault.account_id)
        self._state.faults.add(fault)
        return _json({"id": fault.id}, status=201)

    async def delete_faults(self, request: web.Request) -> web.Response:
        self._state.faults.clear(self._filter(request))
        return _json({})

    async def get_requests(self, request: web.Request) -> web.Response:
        entries = self._state.log.entries(self._filter(request))
        return _json({"requests": [entry.document() for entry in entries]})

    async def delete_requests(self, request: web.Request) -> web.Response:
        self._state.log.clear(self._filter(request))
        return _json({})

    def _account(self, request: web.Request) -> Account:
        return self._known(request.match_info["account_id"])

    def _known(self, account_id: str) -> Account:
        if account_id not in self._state.accounts:
            raise _error(web.HTTPNotFound, f"There is no account {account_id}")
        return self._state.accounts[account_id]

    def _filter(self, request: web.Request) -> str | None:
        unknown = set(request.query) - {"account_id"}
        if unknown:
            raise _error(web.HTTPBadRequest, f"Unknown query parameters: {', '.join(unknown)}")
        account_id = request.query.get("account_id")
        return None if account_id is None else self._known(account_id).id


def control_application(state: State) -> web.Application:
    control = Control(state)
    app = web.Application(middlewares=[_errors_in_json])
    restrictions = "/accounts/{account_id}/restrictions"
    app.add_routes(
        [
            web.post("/accounts", control.create_account),
            web.patch("/accounts/{account_id}", control.change_account),
            web.get(restrictions, control.get_restrictions),
            web.put(restrictions, control.put_restrictions),
            web.put("/accounts/{account_id}/messages", control.put_messages),
            web.post("/tokens", control.create_token),
            web.post("/faults", control.create_fault),
            web.delete("/faults", control.delete_faults),
            web.get("/requests", control.get_requests),
            web.delete("/requests", control.delete_requests),
        ]
    )
    return app


@web.middleware
async def _errors_in_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        return _json({"error": error.reason}, status=error.status)


async def _body(request: web.Request, model: type[BaseModel] | TypeAdapter) -> Any:
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    try:
        return adapter.validate_python(json_body.parse(await request.read()))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
        raise _error(web.HTTPUnprocessableEntity, text) from None
    except ValueError as error:
        raise _error(web.HTTPBadRequest, f"The body is not valid JSON: {error}") from None


def _switch(account: Account, body: AccountChange) -> None:
    """Set the fields of an account that are in a request. The rate limit is not one of them."""
    values = body.model_dump(exclude={"quota", "window", "restrictions", "messages"})
    for name in body.model_fields_set & set(values):
        setattr(account, name, values[name])


def _restrictions(seeds: list[Seed], lag: float = 0) -> Restrictions:
    return Restrictions((Restriction(**s.model_dump(exclude_none=True)) for s in seeds), lag)


def _messages(seeds: list[MessageSeed]) -> Messages:
    return Messages(values for seed in seeds for values in [seed.model_dump()])


def _records(account: Account) -> web.Response:
    records = [restriction.record(account.last_modified) for restriction in account.restrictions]
    return _json({"restrictions": records})


def _json(document: Any, status: int = 200) -> web.Response:
    return web.json_response(document, status=status)


def _error(kind: type[web.HTTPException], message: str) -> web.HTTPException:
    return kind(text=json.dumps({"error": message}), content_type="application/json")
