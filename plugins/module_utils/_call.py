# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call to the Cloudflare API, as a value. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

_ACCOUNT = re.compile("/accounts/[^/]+/(?:email-security/(?:settings/)?)?")
_UUID = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


def any_result(result: t.Any) -> t.Any:
    """Return a result as it is, for calls whose result does not matter."""
    return result


@dataclass(frozen=True)
class Call:
    """What is sent, and what a response to it must contain.

    Attributes:
        path: below the base URL, its parts already safe for a URL.
        parse: turns `result` into what is returned; raises `ValueError` if the result does not
            belong to this call.
        permission: the permission group that the call needs, for messages.
        idempotent: whether sending it twice has the same effect as sending it once.
        may_be_pending: whether a 202, whose result can be polled, is a response to it.
        polled_path: for a call that polls, the path of the call whose result it asks for, for messages.
    """

    method: str
    path: str
    params: t.Mapping[str, t.Any] | None = None
    body: t.Mapping[str, t.Any] | None = None
    parse: t.Callable[[t.Any], t.Any] = any_result
    permission: str = ""
    idempotent: bool = True
    may_be_pending: bool = False
    polled_path: str = ""

    @property
    def name(self) -> str:
        """How messages name the call: without the account and without IDs."""
        path = _ACCOUNT.sub("", self.polled_path or self.path)
        return f"{self.method} …/{_UUID.sub('{id}', path).lstrip('/')}"

    @property
    def is_write(self) -> bool:
        return self.method != "GET"
