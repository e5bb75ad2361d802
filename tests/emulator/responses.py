# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends API responses with aiohttp."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from .envelope import ApiResponse


def json_response(
    response: ApiResponse, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> web.Response:
    """The HTTP response, with additional headers; ``body`` replaces that of the document."""
    return web.Response(
        body=response.body() if body is None else body,
        status=response.status,
        headers={**(headers or {}), **response.headers},
        content_type="application/json",
    )


def close_connection(request: web.Request) -> None:
    """Close the connection after sending what was written, unless the client did."""
    if request.transport is not None:
        request.transport.close()
