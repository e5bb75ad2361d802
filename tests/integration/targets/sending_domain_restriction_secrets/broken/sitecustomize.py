# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks requests: the error of `BREAKS_WITH` comes out of each request, with a secret in its text."""

from __future__ import annotations

import os


class Crash(BaseException):
    """Nobody catches this."""


def break_it(requests) -> None:
    def send(self, request, **settings):
        if os.environ["BREAKS_WITH"] == "crash":
            raise Crash("no connection")
        raise RuntimeError(f"Invalid headers {request.headers}")

    requests.Session.send = send


if "BREAKS_WITH" in os.environ:
    try:
        import requests
    except ImportError:
        pass  # an interpreter that runs no module
    else:
        break_it(requests)
