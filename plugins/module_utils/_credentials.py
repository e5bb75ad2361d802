# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request is authenticated with."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudflare_email.security.plugins.module_utils._secrets import (
    masked,
    secret_forms,
)

if t.TYPE_CHECKING:
    import requests


class Credentials:
    """One secret and how messages name it.

    Instances are auth objects for requests: without one, requests would replace the token with an
    entry of `~/.netrc`.
    """

    def __init__(self, secret: str, description: str) -> None:
        self.description = description
        self.secrets = secret_forms(secret)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        raise NotImplementedError

    def redact(self, text: str) -> str:
        """Return `text` without secrets and without characters that break a terminal or a log."""
        text = masked(text, self.secrets)
        return "".join(character if character.isprintable() else " " for character in text)


class TokenAuth(Credentials):
    """An API token; `source` says where it was set, for messages."""

    def __init__(self, token: str, source: str) -> None:
        super().__init__(token, f"the API token ({source})")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.secrets[0]}"
        return request


class KeyAuth(Credentials):
    """An e-mail address and the global API key; `source` says where the key was set."""

    def __init__(self, email_address: str, key: str, source: str) -> None:
        super().__init__(key, f"the API key of {email_address} ({source})")
        self._email_address = email_address

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["X-Auth-Email"] = self._email_address
        request.headers["X-Auth-Key"] = self.secrets[0]
        return request
