# Copyright Contributors to the cloudflare_email.security collection
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for tests of the client and of the API."""

from __future__ import annotations

import pytest
from ansible_collections.cloudflare_email.security.plugins.module_utils._client import (
    CloudflareClient,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._credentials import (
    TokenAuth,
)
from ansible_collections.cloudflare_email.security.plugins.module_utils._retry import RetryPolicy


@pytest.fixture
def make_client(fake_time):
    def make(url, auth, retries=5, **options):
        times = {"sleep": fake_time.sleep, "clock": fake_time.clock}
        retry = RetryPolicy(retries, jitter=lambda: 0.0)
        return CloudflareClient(url, auth, retry=retry, **{**times, **options})

    return make


@pytest.fixture
def token(account):
    return TokenAuth(account.tokens["write"], "option api_token")


@pytest.fixture
def client(emulator, token, make_client):
    return make_client(emulator.url, token)


@pytest.fixture
def path(account):
    return f"/accounts/{account.id}/email-security/settings/sending_domain_restrictions"
