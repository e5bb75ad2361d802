# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and tokens, their permissions, and their headers.

Source: Cloudflare API reference, "Authentication"; codes and messages as users of the live service
report them.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

from multidict import CIMultiDictProxy

from .envelope import Problem, Refusal
from .rate_limit import RateLimit

# "settings" stands for a token that may read the settings, but not search messages.
Permission = Literal["settings", "read", "write"]
Status = Literal["active", "disabled", "expired"]

# Both generations of secrets are valid.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40}|cf[ua]t_[A-Za-z0-9_-]{48}")
_KEY = re.compile(r"[0-9a-f]{37}|cfk_[A-Za-z0-9_-]{48}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass
class Credential:
    """A token, or a user's global API key.

    Attributes:
        limit: shared by all credentials of a user.
        home: the account under which requests without an account in their path are logged.
    """

    permissions: dict[str, Permission]
    limit: RateLimit
    home: str | None = None
    status: Status = "active"

    def check(self, account_id: str, needed: Permission) -> None:
        """Raise Refusal (403, code 10000) unless the credential has this permission for the account."""
        ranks = {permission: rank for rank, permission in enumerate(get_args(Permission))}
        if ranks.get(self.permissions.get(account_id), -1) < ranks[needed]:
            raise Refusal(403, Problem(10000, "Authentication error"))


class Credentials:
    """Every credential of this emulator."""

    def __init__(self) -> None:
        self._tokens: dict[str, Credential] = {}
        self._keys: dict[tuple[str, str], Credential] = {}

    def add_token(self, credential: Credential, prefix: str = "") -> str:
        """Return a new token, of the first generation unless it has a prefix."""
        token = prefix + secrets.token_urlsafe(36 if prefix else 30)
        self._tokens[token] = credential
        return token

    def add_key(self, email: str, credential: Credential, prefix: str = "") -> str:
        """Return a new key, of the first generation unless it has a prefix."""
        key = prefix + secrets.token_urlsafe(36) if prefix else secrets.token_hex(19)[:37]
        self._keys[email, key] = credential
        return key

    def authenticate(self, headers: CIMultiDictProxy[str]) -> Credential:
        """The credential in the headers.

        Raises Refusal: 400 for missing or malformed headers, 403 for unknown, expired and disabled
        credentials. Headers of both schemes are refused, although Cloudflare does not document that.
        """
        by_token = "Authorization" in headers
        by_key = "X-Auth-Email" in headers or "X-Auth-Key" in headers
        if by_token and by_key:
            raise _malformed(6111, "Authorization and X-Auth-Key headers are mutually exclusive")
        if by_token:
            credential = self._by_token(headers)
        elif "X-Auth-Email" in headers and "X-Auth-Key" in headers:
            credential = self._by_key(headers)
        else:
            message = "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
            raise Refusal(400, Problem(9106, message))
        if credential.status != "active":
            raise Refusal(403, Problem(10000, "Authentication error"))
        return credential

    def _by_token(self, headers: CIMultiDictProxy[str]) -> Credential:
        scheme, dummy, token = _only(headers, "Authorization").partition(" ")
        if scheme != "Bearer" or not _TOKEN.fullmatch(token):
            raise _malformed(6111, "Invalid format for Authorization header")
        if token not in self._tokens:
            raise Refusal(403, Problem(9109, "Invalid access token"))
        return self._tokens[token]

    def _by_key(self, headers: CIMultiDictProxy[str]) -> Credential:
        email, key = _only(headers, "X-Auth-Email"), _only(headers, "X-Auth-Key")
        if not _EMAIL.fullmatch(email):
            raise _malformed(6102, "Invalid format for X-Auth-Email header")
        if not _KEY.fullmatch(key):
            raise _malformed(6103, "Invalid format for X-Auth-Key header")
        if (email, key) not in self._keys:
            raise Refusal(403, Problem(9103, "Unknown X-Auth-Key or X-Auth-Email"))
        return self._keys[email, key]


def _only(headers: CIMultiDictProxy[str], name: str) -> str:
    values = headers.getall(name)
    return values[0] if len(values) == 1 else ""


def _malformed(code: int, message: str) -> Refusal:
    return Refusal(400, Problem(6003, "Invalid request headers", chain=[(code, message)]))
