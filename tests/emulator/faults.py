# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults: for which calls, how often, and what the client receives."""

from __future__ import annotations

import asyncio
import http
from collections.abc import Mapping
from itertools import count
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from .envelope import ApiResponse, failure
from .host_name import same_name
from .responses import close_connection, json_response

Restrictions = Literal["list", "create", "get", "update", "delete", "batch"]
Call = Restrictions | Literal["domains", "search", "search_result"]
ErrorStatus = Annotated[int, Field(ge=400, le=599)]
AnyStatus = Annotated[int, Field(ge=200, le=599)]

_ids = count(1)


class Fault(BaseModel):
    """Hits the next ``times`` matching calls (None: all of them) after the first ``skip``.

    ``domain`` matches the domain in the body, or of a restriction in the path or the body. With
    ``moment`` "before" the call has no effect. With "after" it has, and only its response is lost.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    account_id: str | None = None
    calls: list[Call] | None = Field(None, min_length=1)
    domain: str | None = None
    skip: int = Field(0, ge=0)
    times: int | None = Field(1, ge=1)
    moment: Literal["before", "after"] = "before"

    _id: str

    def model_post_init(self, context: Any) -> None:
        self._id = f"fault-{next(_ids)}"

    @property
    def id(self) -> str:
        return self._id

    def hits(self, call: str, account_id: str | None, domains: set[str]) -> bool:
        """Whether the fault hits this call; updates the counts."""
        if (
            (self.account_id is not None and self.account_id != account_id)
            or (self.calls is not None and call not in self.calls)
            or (self.domain is not None and same_name(self.domain) not in domains)
            or self.times == 0
        ):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    async def deliver(
        self, request: web.Request, real: ApiResponse, headers: Mapping[str, str]
    ) -> web.StreamResponse | None:
        """Send the faulty response, or close the connection and return None.

        ``real`` is the response without the fault, or an empty success if the call had no effect.
        ``headers`` are those of the rate limit.
        """
        raise NotImplementedError


class _Replacement(Fault):
    """Another response; ``headers`` are added to the usual ones."""

    headers: dict[str, str] = {}

    async def deliver(
        self, request: web.Request, real: ApiResponse, headers: Mapping[str, str]
    ) -> web.StreamResponse | None:
        response = self._response(real)
        response.headers.update(headers)
        response.headers.update(self.headers)
        return response

    def _response(self, real: ApiResponse) -> web.Response:
        raise NotImplementedError


class StatusFault(_Replacement):
    """A failure envelope; without code and message, ``errors`` is empty."""

    kind: Literal["status"]
    status: ErrorStatus
    code: int | None = None
    message: str | None = None

    def _response(self, real: ApiResponse) -> web.Response:
        errors = []
        if self.code is not None or self.message is not None:
            message = self.message if self.message is not None else _phrase(self.status)
            errors = [{"code": 10000 if self.code is None else self.code, "message": message}]
        return json_response(failure(self.status, errors))


class HtmlFault(_Replacement):
    """An HTML page of Cloudflare's edge."""

    kind: Literal["html"]
    status: AnyStatus

    def _response(self, real: ApiResponse) -> web.Response:
        title = f"{self.status} {_phrase(self.status)}"
        text = (
            f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
            f"<body><center><h1>{title}</h1></center><hr>cloudflare</body></html>\n"
        )
        return web.Response(text=text, status=self.status, content_type="text/html")


class EmptyFault(_Replacement):
    """A status without a body."""

    kind: Literal["empty"]
    status: AnyStatus

    def _response(self, real: ApiResponse) -> web.Response:
        return web.Response(status=self.status)


class RedirectFault(_Replacement):
    kind: Literal["redirect"]
    status: Literal[301, 302, 303, 307, 308]
    location: str

    def _response(self, real: ApiResponse) -> web.Response:
        return web.Response(status=self.status, headers={"Location": self.location})


class JsonFault(_Replacement):
    """Any JSON value as the body."""

    kind: Literal["json"]
    status: AnyStatus
    body: Any

    def _response(self, real: ApiResponse) -> web.Response:
        return json_response(ApiResponse(self.status, self.body))


class MergeFault(_Replacement):
    """The real response with top-level keys of its envelope set or removed."""

    kind: Literal["merge"]
    moment: Literal["after"] = "after"
    set: dict[str, Any] = {}
    remove: list[str] = []

    def _response(self, real: ApiResponse) -> web.Response:
        document = {**real.document, **self.set}
        for key in self.remove:
            document.pop(key, None)
        return json_response(ApiResponse(real.status, document, real.headers))


class CutOffJsonFault(_Replacement):
    """A complete HTTP response with the first half of its JSON."""

    kind: Literal["cut_off_json"]

    def _response(self, real: ApiResponse) -> web.Response:
        body = real.body()
        half = len(body) // 2
        return json_response(real, body=body[:half])


class CutOffBodyFault(Fault):
    """A response that is shorter than its Content-Length; then the connection closes."""

    kind: Literal["cut_off_body"]

    async def deliver(
        self, request: web.Request, real: ApiResponse, headers: Mapping[str, str]
    ) -> web.StreamResponse | None:
        body = real.body()
        half = len(body) // 2
        response = web.StreamResponse(status=real.status, headers=headers)
        response.content_type = "application/json"
        response.content_length = len(body)
        await response.prepare(request)
        await response.write(body[:half])
        close_connection(request)
        return response


class DropFault(Fault):
    """The connection closes without a response."""

    kind: Literal["drop"]

    async def deliver(
        self, request: web.Request, real: ApiResponse, headers: Mapping[str, str]
    ) -> web.StreamResponse | None:
        close_connection(request)
        return None


class HangFault(Fault):
    """No response for some seconds; then the connection closes."""

    kind: Literal["hang"]
    seconds: float = Field(ge=0)

    async def deliver(
        self, request: web.Request, real: ApiResponse, headers: Mapping[str, str]
    ) -> web.StreamResponse | None:
        await asyncio.sleep(self.seconds)
        close_connection(request)
        return None


AnyFault = Annotated[
    StatusFault
    | HtmlFault
    | EmptyFault
    | RedirectFault
    | JsonFault
    | MergeFault
    | CutOffJsonFault
    | CutOffBodyFault
    | DropFault
    | HangFault,
    Field(discriminator="kind"),
]
fault_adapter: TypeAdapter[Fault] = TypeAdapter(AnyFault)


class Faults:
    """All faults, in order; only the first one that matches a call hits it."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self, account_id: str | None = None) -> None:
        """Remove all faults, or those set for one account."""
        self._faults = [f for f in self._faults if account_id not in (None, f.account_id)]

    def find(self, call: str, account_id: str | None, domains: set[str]) -> Fault | None:
        """The fault that hits this call, if any; ``domains`` are in the form of same_name()."""
        return next((f for f in self._faults if f.hits(call, account_id, domains)), None)


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
