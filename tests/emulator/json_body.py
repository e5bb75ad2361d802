# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict parsing of JSON bodies."""

from __future__ import annotations

import json
from typing import Any

from .envelope import (
    BODY_TOO_LARGE,
    INVALID_BODY,
    WRONG_CONTENT_TYPE,
    Problem,
    Refusal,
)

MAX_BYTES = 1024 * 1024


def parse(body: bytes) -> Any:
    """Return the JSON value of a body in UTF-8; raises ValueError if it is invalid.

    Objects with duplicate keys, NaN and Infinity are invalid too.
    """
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_unique_keys, parse_constant=_no_constant
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def required(content_type: str, body: bytes) -> Any:
    """Return the JSON value of a request body; raises Refusal if it is missing or invalid."""
    if len(body) > MAX_BYTES:
        raise Refusal(413, Problem(BODY_TOO_LARGE, f"The body is over {MAX_BYTES} bytes"))
    if content_type.lower() != "application/json":
        raise Refusal(415, Problem(WRONG_CONTENT_TYPE, "Content-Type must be application/json"))
    try:
        return parse(body)
    except ValueError as error:
        problem = Problem(INVALID_BODY, f"The body is not valid JSON: {error}", "")
        raise Refusal(400, problem) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("an object has the same key twice")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
