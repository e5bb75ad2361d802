# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of an emulator process."""

from __future__ import annotations

import secrets
from typing import Any

from .accounts import Account
from .credentials import Credential, Credentials, Permission, Status
from .faults import Faults
from .rate_limit import RateLimit
from .request_log import RequestLog


class State:
    """Accounts, credentials, faults and the log, in memory.

    ``quota`` (requests) and ``window`` (seconds) are the default rate limit of a principal;
    ``latency`` (seconds) is added to every response.
    """

    def __init__(self, quota: int, window: float, latency: float) -> None:
        self.latency = latency
        self.accounts: dict[str, Account] = {}
        self.credentials = Credentials()
        self.faults = Faults()
        self.log = RequestLog()
        self._quota = quota
        self._window = window
        self._limits: dict[str, list[RateLimit]] = {}

    def add_account(
        self, account: Account, quota: int | None = None, window: float | None = None
    ) -> dict[str, Any]:
        """Add an account with a user, the user's key and tokens, and an account-owned token.

        Returns id, email, api_key, api_key_prefixed and tokens: write, read, expired,
        disabled, account_owned, write_prefixed, account_owned_prefixed.
        """
        self.accounts[account.id] = account
        user, owned = self._limit(quota, window), self._limit(quota, window)
        self._limits[account.id] = [user, owned]
        email = f"user-{secrets.token_hex(4)}@example.net"

        def credential(permission: Permission, limit: RateLimit = user, **more) -> Credential:
            return Credential({account.id: permission}, limit, home=account.id, **more)

        add_token, add_key = self.credentials.add_token, self.credentials.add_key
        return {
            "id": account.id,
            "email": email,
            "api_key": add_key(email, credential("write")),
            "api_key_prefixed": add_key(email, credential("write"), "cfk_"),
            "tokens": {
                "write": add_token(credential("write")),
                "read": add_token(credential("read")),
                "expired": add_token(credential("write", status="expired")),
                "disabled": add_token(credential("write", status="disabled")),
                "account_owned": add_token(credential("write", owned)),
                "write_prefixed": add_token(credential("write"), "cfut_"),
                "account_owned_prefixed": add_token(credential("write", owned), "cfat_"),
            },
        }

    def add_token(
        self,
        permissions: dict[str, Permission],
        status: Status = "active",
        quota: int | None = None,
        window: float | None = None,
    ) -> str:
        """Create a token of a new user, for any number of accounts."""
        limit = self._limit(quota, window)
        return self.credentials.add_token(Credential(permissions, limit, status=status))

    def change_limits(self, account_id: str, quota: int | None, window: float | None) -> None:
        """Change the limits of the account's principals, and start new windows."""
        for limit in self._limits[account_id]:
            limit.change(quota or limit.quota, window or limit.window)

    def _limit(self, quota: int | None, window: float | None) -> RateLimit:
        return RateLimit(quota or self._quota, window or self._window)
