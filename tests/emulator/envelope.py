# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare's envelope, which wraps every response of the API.

Source: Cloudflare API reference, "Making API calls" and the schema of the response envelope.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

# Cloudflare does not publish codes for these errors. The emulator uses its own.
INVALID_BODY = 10400
INVALID_QUERY = 10401
NOT_SUBSCRIBED = 10403
NOT_FOUND = 10404
WRONG_METHOD = 10405
CONFLICT = 10409
BODY_TOO_LARGE = 10413
WRONG_CONTENT_TYPE = 10415


@dataclass(frozen=True)
class ApiResponse:
    """A status, a JSON document and headers."""

    status: int
    document: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """As JSON in UTF-8, in which only halves of surrogate pairs are escaped."""
        text = json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Problem:
    """One entry of ``errors``; ``pointer`` is a JSON pointer into the request's body."""

    code: int
    message: str
    pointer: str | None = None
    chain: Iterable[tuple[int, str]] = ()

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.pointer is not None:
            document["source"] = {"pointer": self.pointer}
        if self.chain:
            document["error_chain"] = [{"code": code, "message": text} for code, text in self.chain]
        return document


class Refusal(Exception):
    """A request that has no effect and gets a failure envelope."""

    def __init__(
        self, status: int, *problems: Problem, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, problems)
        self.status = status
        self.problems = problems
        self.headers = headers or {}

    def response(self) -> ApiResponse:
        return failure(self.status, [p.document() for p in self.problems], self.headers)


def success(result: Any, *, status: int = 200, result_info: Any = None) -> ApiResponse:
    document = {"success": True, "errors": [], "messages": [], "result": result}
    if result_info is not None:
        document["result_info"] = result_info
    return ApiResponse(status, document)


def failure(
    status: int, errors: list[dict[str, Any]], headers: Mapping[str, str] | None = None
) -> ApiResponse:
    document = {"success": False, "errors": errors, "messages": [], "result": None}
    return ApiResponse(status, document, headers or {})
