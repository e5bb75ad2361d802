# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies and query parameters of the calls, strictly checked.

Source: Cloudflare API reference, request schemas of the sending domain restrictions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from .envelope import INVALID_BODY, INVALID_QUERY, Problem, Refusal
from .host_name import is_below, is_host_name, same_name
from .routes import is_uuid

MAX_BATCH = 1000
MAX_PER_PAGE = 1000
MAX_COMMENTS = 1024


def _host_name(value: str) -> str:
    if not is_host_name(value):
        raise PydanticCustomError("host_name", "must be a host name")
    return value


def _unique_names(names: list[str]) -> list[str]:
    if len({same_name(name) for name in names}) < len(names):
        raise PydanticCustomError("duplicates", "must not have one name twice")
    return names


def _uuid(value: str) -> str:
    if not is_uuid(value):
        raise PydanticCustomError("uuid", "must be a UUID")
    return value


def _digits(value: Any) -> int:
    # int() also accepts signs, spaces, underscores and digits of other scripts.
    if not re.fullmatch("[0-9]{1,18}", value):
        raise PydanticCustomError("digits", "must be a whole number")
    return int(value)


def _boolean(value: Any) -> bool:
    if value not in ("true", "false"):
        raise PydanticCustomError("boolean", "must be true or false")
    return value == "true"


def _time(value: Any) -> datetime:
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("time", "must be a time in ISO 8601") from None
    if time.tzinfo is None:
        raise PydanticCustomError("time", "must have a time zone")
    return time


Boolean = Annotated[bool, BeforeValidator(_boolean)]
Time = Annotated[datetime, BeforeValidator(_time)]
HostName = Annotated[str, AfterValidator(_host_name)]
Exclude = Annotated[list[HostName], AfterValidator(_unique_names)]
Comments = Annotated[str, Field(max_length=MAX_COMMENTS)] | None
Uuid = Annotated[str, AfterValidator(_uuid)]
Page = Annotated[int, BeforeValidator(_digits), Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class CreateBody(_Strict):
    domain: HostName
    exclude: Exclude
    comments: Comments = None


class UpdateBody(_Strict):
    """Omitted fields are not changed; ``model_fields_set`` has the others."""

    domain: HostName = ""
    exclude: Exclude = []
    comments: Comments = None


class BatchDelete(_Strict):
    id: Uuid


class BatchBody(_Strict):
    deletes: list[BatchDelete] = Field(min_length=1, max_length=MAX_BATCH)


class ListQuery(_Strict):
    page: Page = 1
    per_page: Annotated[Page, Field(le=MAX_PER_PAGE)] = 20
    search: str = ""
    order: Literal["domain", "created_at"] = "created_at"
    direction: Literal["asc", "desc"] = "asc"


class SearchQuery(_Strict):
    """`page` reached its end of life, so it is refused."""

    sender: str = ""
    start: Time | None = None
    end: Time | None = None
    detections_only: Boolean = True
    per_page: Annotated[Page, Field(le=MAX_PER_PAGE)] = 20
    cursor: str = ""


class DomainsQuery(_Strict):
    page: Page = 1
    per_page: Annotated[Page, Field(le=MAX_PER_PAGE)] = 20


class NoQuery(_Strict):
    pass


Model = TypeVar("Model", bound=BaseModel)


def body(model: type[Model], document: Any) -> Model:
    """Return the document as ``model``; raises Refusal (400) with a pointer to each invalid value."""
    return _validate(model, document, INVALID_BODY)


def query(model: type[Model], parameters: Iterable[tuple[str, str]]) -> Model:
    """Return the query parameters as ``model``; raises Refusal (400), also for repeated ones."""
    values: dict[str, str] = {}
    for name, value in parameters:
        if name in values:
            raise Refusal(400, Problem(INVALID_QUERY, f"{name}: is given twice", f"/{name}"))
        values[name] = value
    return _validate(model, values, INVALID_QUERY)


def check_exclude(domain: str, exclude: list[str], pointer: str | None = None) -> None:
    """Raise Refusal (400) unless every name in ``exclude`` is below ``domain``.

    ``pointer`` is that of the invalid value, by default the entry of ``exclude``.
    """
    problems = [
        Problem(INVALID_BODY, f"exclude: {name} is not below {domain}", pointer or f"/exclude/{n}")
        for n, name in enumerate(exclude)
        if not is_below(name, domain)
    ]
    if problems:
        raise Refusal(400, *problems)


def _validate(model: type[Model], document: Any, code: int) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Refusal(400, *_problems(error, code)) from None


def _problems(error: ValidationError, code: int) -> Iterable[Problem]:
    for details in error.errors(include_url=False, include_input=False):
        place = details["loc"]
        name = ".".join(map(str, place)) or "body"
        pointer = "".join("/" + str(p).replace("~", "~0").replace("/", "~1") for p in place)
        yield Problem(code, f"{name}: {details['msg']}", pointer)
