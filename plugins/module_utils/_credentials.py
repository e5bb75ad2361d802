# Copyright: Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request is authenticated with, and how secrets are kept out of texts."""

from __future__ import annotations

import base64
import typing as t
from urllib.parse import quote

if t.TYPE_CHECKING:
    import requests

# Shorter secrets, and their encoded forms, may occur in ordinary words and numbers.
MIN_SECRET_LENGTH = 16


def secret_forms(secret: str) -> tuple[str, ...]:
    """Return how a secret may appear in a text: as it is, URL-encoded, and within base64."""
    if len(secret) < MIN_SECRET_LENGTH or not secret.isascii():
        return (secret,)
    # The base64 form depends on the offset modulo 3.
    bits = 8 * len(secret)
    encoded = [
        base64.b64encode(b"\0" * offset + secret.encode("ascii")).decode("ascii")[
            -(-8 * offset // 6) : (8 * offset + bits) // 6
        ]
        for offset in range(3)
    ]
    return (secret, quote(secret, safe=""), *encoded)


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
        for secret in self.secrets:
            text = text.replace(secret, "********")
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
