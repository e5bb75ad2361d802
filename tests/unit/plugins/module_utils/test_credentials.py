# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
    KeyAuth,
    TokenAuth,
)

TOKEN = "cfut_/token+of-53~characters"


@pytest.mark.parametrize(
    ("auth", "description", "headers"),
    [
        (
            TokenAuth(TOKEN, "option api_token"),
            "the API token (option api_token)",
            {"Authorization": f"Bearer {TOKEN}"},
        ),
        (
            KeyAuth("a@company.example", "key", "option api_key"),
            "the API key of a@company.example (option api_key)",
            {"X-Auth-Email": "a@company.example", "X-Auth-Key": "key"},
        ),
    ],
)
def test_each_scheme_sends_its_headers_and_is_described_without_its_secret(
    auth, description, headers
):
    request = SimpleNamespace(headers={})
    assert auth(request) is request
    assert request.headers == headers
    assert auth.description == description


def encoded(text):
    return base64.b64encode(text.encode("ascii")).decode("ascii")


@pytest.mark.parametrize(
    "form",
    [TOKEN, quote(TOKEN, safe=""), *(encoded(before + TOKEN) for before in ("", ":", "u:", "u:p"))],
)
def test_a_secret_is_redacted_in_every_encoding(form):
    auth = TokenAuth(TOKEN, "option api_token")
    shown = auth.redact(f"before {form} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert "********" in shown
    # The ends of a base64 form also depend on what surrounds the secret.
    assert len(shown) < len("before ******** after") + 8


def test_a_short_secret_is_only_redacted_in_plain_text():
    assert (
        TokenAuth("short", "x").redact(f"short {encoded('short')}")
        == f"******** {encoded('short')}"
    )


def test_redacted_text_has_no_control_characters():
    assert TokenAuth(TOKEN, "x").redact("a\0b\n\x1b[31m\u202ec ü") == "a b  [31m c ü"
