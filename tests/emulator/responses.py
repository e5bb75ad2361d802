# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers on their way to the wire."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from .envelope import Answer


def json_response(
    answer: Answer, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> web.Response:
    """The answer with more headers; ``body`` replaces what its document would make."""
    return web.Response(
        body=answer.body() if body is None else body,
        status=answer.status,
        headers={**(headers or {}), **answer.headers},
        content_type="application/json",
    )


def close_connection(request: web.Request) -> None:
    """Close after what was written already; a client that has gone needs nothing."""
    if request.transport is not None:
        request.transport.close()
